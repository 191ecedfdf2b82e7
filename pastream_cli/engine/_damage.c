/* Damage in a FLAC: where the sound goes on behind it. libsndfile's decoder can do nothing more
 * once it has met damage. So another one begins with a block that is sound, behind the first bytes
 * of the stream. */
#include "_damage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "_loops.h"

/* More than a decoder has read ahead. */
enum { LOOK_BACK_BYTES = 65536 };
/* A block that says that more than this is missing before it is taken for none. */
static const int64_t MOST_SECONDS_LOST = 600;

/* Decodes a block, all of which is checked by that, and keeps its frames. */
static int decode_block(struct chain_link *l, int sample, const struct flac_block *block) {
    unsigned char begin[FLAC_BEGIN_BYTES];
    memcpy(begin, l->flac_begin, sizeof begin);
    flac_forget_frames(begin);
    flac_end_metadata(begin);
    byte_source_begin_with(l->source, begin, sizeof begin, block->place);
    free(l->ahead);
    l->ahead = scratch_for(block->frames, l->wanted_channels);
    l->out_of_memory |= !l->ahead;
    l->ahead_frames = 0;
    if (!l->ahead || !chain_link_open_anew(l))
        return 0;
    l->ahead_frames = chain_link_decode(l, sample, l->ahead, block->frames);
    return l->ahead_frames == block->frames && !l->functions->error(l->file);
}

static int is_expected(const struct chain_link *l, const struct flac_block *block) {
    return block->first_frame + block->frames > l->place &&
           block->first_frame - l->place <= MOST_SECONDS_LOST * l->rate;
}

int go_on_behind_damage(struct chain_link *l, int sample) {
    struct flac_info info;
    struct flac_block block;
    flac_read_info(l->flac_begin, &info);
    byte_source_begin_with(l->source, NULL, 0, 0);
    int64_t from =
        most(byte_source_first_place(l->source), byte_source_tell(l->source) - LOOK_BACK_BYTES);
    while (flac_find_block(l->source, from, byte_source_length(l->source), &info, &block)) {
        from = block.place + 1;
        if (!is_expected(l, &block))
            continue;
        if (decode_block(l, sample, &block)) {
            l->silent_frames = most(0, block.first_frame - l->place);
            l->ahead_place = most(0, l->place - block.first_frame);
            if (!l->lost_frames)
                l->lost_at = l->place;
            l->lost_frames += l->silent_frames;
            return 1;
        }
        byte_source_begin_with(l->source, NULL, 0, 0);
    }
    return 0;
}

void stand_before_frame(const struct chain_link *l, int64_t frame) {
    struct flac_info info;
    struct flac_block block;
    int64_t begin = 0;
    int64_t end = byte_source_length(l->source);
    flac_read_info(l->flac_begin, &info);
    byte_source_begin_with(l->source, NULL, 0, 0);
    while (end - begin > LOOK_BACK_BYTES) {
        const int64_t middle = begin + (end - begin) / 2;
        if (flac_find_block(l->source, middle, end, &info, &block) && block.first_frame <= frame)
            begin = middle;
        else
            end = middle;
    }
    byte_source_seek(begin + LOOK_BACK_BYTES, SEEK_SET, l->source);
}
