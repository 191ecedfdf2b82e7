/* MPEG audio (MP3): its frames, found by their headers. No length in a file is trusted: a frame is
 * where another one follows it. */
#include "_mpeg_frames.h"

#include <string.h>

#include "_loops.h"

enum { MPEG_1 = 3, MPEG_2 = 2, MPEG_2_5 = 0, RESERVED_VERSION = 1 };
enum { ID3V1_BYTES = 128, ID3V2_HEADER_BYTES = 10, APE_HEADER_BYTES = 32 };
/* How many frames have to follow each other where nothing is known yet. */
enum { FRAMES_TO_BE_SURE = 3 };
/* More than these take. */
enum { LOOK_AHEAD_BYTES = 16384 };
/* How far into a frame its index may begin. */
enum { VBRI_OFFSET = 36, INDEX_NAME_BYTES = 4 };
/* Counted from the index's name. */
enum { FRAMES_OFFSET = 8, DELAYS_OFFSET = 141, FRAMES_ARE_TOLD = 1 };

static int bits_per_second(int version, int layer, int code) {
    static const short kilobits[5][15] = {
        {0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
        {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
        {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
        {0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
        {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
    };
    const int row = version == MPEG_1 ? layer - 1 : layer == 1 ? 3 : 4;
    return 1000 * kilobits[row][code];
}

int mpeg_parse(const unsigned char *bytes, struct mpeg_frame *frame) {
    static const int rates[] = {44100, 48000, 32000};
    if (bytes[0] != 0xFF || (bytes[1] & 0xE0) != 0xE0)
        return 0;
    const int version = bytes[1] >> 3 & 3;
    const int layer = 4 - (bytes[1] >> 1 & 3);
    const int bit_rate_code = bytes[2] >> 4;
    const int rate_code = bytes[2] >> 2 & 3;
    if (version == RESERVED_VERSION || layer == 4 || bit_rate_code == 0 || bit_rate_code == 15 ||
        rate_code == 3)
        return 0;
    const int bit_rate = bits_per_second(version, layer, bit_rate_code);
    const int padding = bytes[2] >> 1 & 1;
    frame->version = version;
    frame->layer = layer;
    frame->rate = rates[rate_code] >> (version == MPEG_1 ? 0 : version == MPEG_2 ? 1 : 2);
    frame->channels = bytes[3] >> 6 == 3 ? 1 : 2;
    frame->samples = layer == 1 ? 384 : layer == 3 && version != MPEG_1 ? 576 : 1152;
    frame->bytes = layer == 1 ? (12 * bit_rate / frame->rate + padding) * 4
                              : frame->samples / 8 * bit_rate / frame->rate + padding;
    return 1;
}

int mpeg_are_alike(const struct mpeg_frame *a, const struct mpeg_frame *b) {
    return a->version == b->version && a->layer == b->layer && a->rate == b->rate &&
           a->channels == b->channels;
}

/* Returns where the name of an index (Xing, Info) is in its frame. */
static int name_offset(const struct mpeg_frame *frame) {
    const int side_information = frame->version == MPEG_1 ? (frame->channels == 1 ? 17 : 32)
                                                          : (frame->channels == 1 ? 9 : 17);
    return MPEG_HEADER_BYTES + side_information;
}

int mpeg_is_index(const unsigned char *bytes, int64_t count, const struct mpeg_frame *frame) {
    const int offset = name_offset(frame);
    if (frame->layer != 3)
        return 0;
    if (count >= offset + INDEX_NAME_BYTES && (!memcmp(bytes + offset, "Xing", INDEX_NAME_BYTES) ||
                                               !memcmp(bytes + offset, "Info", INDEX_NAME_BYTES)))
        return 1;
    return count >= VBRI_OFFSET + INDEX_NAME_BYTES &&
           !memcmp(bytes + VBRI_OFFSET, "VBRI", INDEX_NAME_BYTES);
}

static int64_t id3_bytes(const unsigned char *b) {
    if (memcmp(b, "ID3", 3) || b[3] == 0xFF || ((b[6] | b[7] | b[8] | b[9]) & 0x80))
        return 0;
    const int64_t footer_bytes = b[5] & 0x10 ? ID3V2_HEADER_BYTES : 0;
    return ID3V2_HEADER_BYTES + (b[6] << 21 | b[7] << 14 | b[8] << 7 | b[9]) + footer_bytes;
}

static int64_t ape_bytes(const unsigned char *b) {
    if (memcmp(b, "APETAGEX", 8))
        return 0;
    const int64_t size = b[12] | b[13] << 8 | b[14] << 16 | (int64_t)b[15] << 24;
    return b[23] & 0x20 ? APE_HEADER_BYTES + size : APE_HEADER_BYTES;
}

int64_t mpeg_tag_bytes(const unsigned char *bytes, int64_t count) {
    const int64_t id3 = count < ID3V2_HEADER_BYTES ? 0 : id3_bytes(bytes);
    return id3 || count < APE_HEADER_BYTES ? id3 : ape_bytes(bytes);
}

static int64_t big_endian(const unsigned char *b) {
    return (int64_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
}

int64_t mpeg_frames_said(const unsigned char *bytes, const struct mpeg_frame *frame) {
    const unsigned char *index = bytes + name_offset(frame);
    if (frame->bytes < name_offset(frame) + FRAMES_OFFSET + 4 ||
        !memcmp(bytes + VBRI_OFFSET, "VBRI", 4) || !(index[7] & FRAMES_ARE_TOLD))
        return -1;
    return big_endian(index + FRAMES_OFFSET);
}

/* LAME's part of an index tells how much silence lies before and behind the sound, beside the
 * decoder's own. */
int64_t mpeg_frames_in_index(const unsigned char *bytes, const struct mpeg_frame *frame,
                             int32_t *silent_frames) {
    const int offset = name_offset(frame);
    const unsigned char *index = bytes + offset;
    *silent_frames = MPEG_DECODER_DELAY;
    const int64_t said = mpeg_frames_said(bytes, frame);
    if (frame->bytes < offset + DELAYS_OFFSET + 3 || said < 0)
        return -1;
    const unsigned char *delays = index + DELAYS_OFFSET;
    const int has_all = (index[7] & 15) == 15;
    const int before = has_all ? delays[0] << 4 | delays[1] >> 4 : 0;
    const int behind = has_all ? (delays[1] & 15) << 8 | delays[2] : 0;
    *silent_frames = before + MPEG_DECODER_DELAY;
    return most(0, said * frame->samples - before - most(behind, MPEG_DECODER_DELAY));
}

static int parse_at(struct file_window *w, int64_t offset, struct mpeg_frame *frame) {
    const unsigned char *bytes = window_at(w, offset, MPEG_HEADER_BYTES);
    return bytes && mpeg_parse(bytes, frame);
}

/* Returns the length of a tag that says it at its beginning. */
static int64_t told_tag_bytes(struct file_window *w, int64_t offset) {
    const int64_t count = least(w->end - offset, MPEG_TAG_BYTES);
    const unsigned char *bytes = window_at(w, offset, count);
    return bytes ? mpeg_tag_bytes(bytes, count) : 0;
}

/* Returns the length of an ID3v1 tag, 0 if there is none. It says no length, and is the last of a
 * file, or of one of those that were joined. */
static int64_t id3v1_bytes(struct file_window *w, int64_t offset) {
    const int64_t end = offset + ID3V1_BYTES;
    const unsigned char *b = window_at(w, offset, 3);
    struct mpeg_frame frame;
    if (!b || memcmp(b, "TAG", 3) || end > w->end)
        return 0;
    return end == w->end || parse_at(w, end, &frame) || told_tag_bytes(w, end) ? ID3V1_BYTES : 0;
}

int64_t mpeg_tag_at(struct file_window *w, int64_t offset) {
    const int64_t told = told_tag_bytes(w, offset);
    const int64_t bytes = told ? told : id3v1_bytes(w, offset);
    return bytes <= w->end - offset ? bytes : 0;
}

/* Whether frames of one kind follow each other from an offset on, up to the end or a tag. */
static int is_sure(struct file_window *w, int64_t offset, int frames) {
    struct mpeg_frame first;
    struct mpeg_frame frame;
    if (!parse_at(w, offset, &first))
        return 0;
    offset += first.bytes;
    for (int i = 1; i < frames; ++i) {
        if (offset == w->end || mpeg_tag_at(w, offset))
            return 1;
        if (offset > w->end)
            return i > 1;
        if (!parse_at(w, offset, &frame) || !mpeg_are_alike(&first, &frame))
            return 0;
        offset += frame.bytes;
    }
    return 1;
}

int mpeg_is_sure(struct file_window *w, int64_t offset, int is_expected) {
    return is_sure(w, offset, is_expected ? 2 : FRAMES_TO_BE_SURE);
}

/* What may come before a frame, and what does. */
struct gap {
    int64_t most_junk; /* bytes that are neither zeros nor a tag */
    int64_t junk;
    int64_t tag_bytes;
};

/* Returns where the next frame begins, -1 if there is none behind so much junk as there may be. */
static int64_t find_frame(struct file_window *w, int64_t offset, struct gap *gap,
                          const struct mpeg_link *link) {
    gap->junk = 0;
    gap->tag_bytes = 0;
    while (gap->junk <= gap->most_junk) {
        /* what is looked at ahead must be in the window too, or each step would read it anew */
        const int64_t room = w->end - offset;
        const unsigned char *bytes =
            window_at(w, offset, room < LOOK_AHEAD_BYTES ? room : LOOK_AHEAD_BYTES);
        struct mpeg_frame frame;
        if (!bytes || room < MPEG_HEADER_BYTES)
            return -1;
        const int64_t tag =
            bytes[0] == 'I' || bytes[0] == 'A' || bytes[0] == 'T' ? mpeg_tag_at(w, offset) : 0;
        if (tag) {
            gap->tag_bytes += tag;
            offset += tag;
            continue;
        }
        if (bytes[0] == 0xFF && mpeg_parse(bytes, &frame)) {
            const int is_expected = link && mpeg_are_alike(&frame, &link->first);
            if (mpeg_is_sure(w, offset, is_expected))
                return offset;
        }
        gap->junk += bytes[0] != 0;
        ++offset;
    }
    return -1;
}

int mpeg_is_in(const unsigned char *bytes, int64_t count, int64_t most_junk) {
    struct file_window window = {.descriptor = -1, .end = count, .bytes = count};
    if (count > WINDOW_BYTES)
        return 0;
    memcpy(window.buffer, bytes, (size_t)count);
    struct gap gap = {.most_junk = most_junk};
    return find_frame(&window, 0, &gap, NULL) >= 0;
}

static int is_index_at(struct file_window *w, int64_t offset, const struct mpeg_frame *frame) {
    const int64_t room = w->end - offset;
    const int64_t count = frame->bytes < room ? frame->bytes : room;
    const unsigned char *bytes = window_at(w, offset, count);
    return bytes && mpeg_is_index(bytes, count, frame);
}

/* Takes frames from `offset` on, as long as they follow each other and are of one recording.
 * Returns where they end, -1 if memory is short. */
static int64_t take_frames(struct file_window *w, int64_t offset, byte_source *source,
                           struct mpeg_link *link) {
    struct mpeg_frame frame;
    const int64_t begin = offset;
    while (parse_at(w, offset, &frame) && mpeg_are_alike(&frame, &link->first)) {
        if (frame.bytes > w->end - offset) {
            link->cut_bytes = w->end - offset;
            break;
        }
        if (offset > begin && is_index_at(w, offset, &frame))
            break;
        offset += frame.bytes;
        ++link->frames;
    }
    return byte_source_add(source, begin, offset) ? offset : -1;
}

/* Whether another recording begins here: with an index, or with frames of another kind. */
static int begins_another(struct file_window *w, int64_t offset, const struct mpeg_link *link) {
    struct mpeg_frame frame;
    return parse_at(w, offset, &frame) &&
           (!mpeg_are_alike(&frame, &link->first) || is_index_at(w, offset, &frame));
}

static void note_junk(struct mpeg_link *link, const struct gap *gap, int64_t gap_bytes) {
    if (!gap->junk)
        return;
    if (!link->junk_bytes)
        link->junk_frames = link->frames;
    link->junk_bytes += gap_bytes - gap->tag_bytes;
}

int mpeg_find_link(int descriptor, int64_t begin, int64_t end, int64_t most_junk,
                   byte_source *source, struct mpeg_link *link) {
    struct file_window window = {.descriptor = descriptor, .end = end};
    struct gap gap = {.most_junk = most_junk};
    int64_t offset = find_frame(&window, begin, &gap, NULL);
    memset(link, 0, sizeof *link);
    if (offset < 0 || !parse_at(&window, offset, &link->first))
        return 0;
    link->name_offset = name_offset(&link->first);
    if (is_index_at(&window, offset, &link->first)) {
        link->index_begin = offset;
        link->index_bytes = link->first.bytes;
        offset += link->first.bytes;
    }
    link->sound_begin = offset;
    for (;;) {
        const int64_t taken = take_frames(&window, offset, source, link);
        if (taken < 0)
            return -1;
        link->next = taken;
        if (link->cut_bytes)
            break;
        gap.most_junk = INT64_MAX;
        offset = find_frame(&window, taken, &gap, link);
        if (offset < 0 || begins_another(&window, offset, link))
            break;
        note_junk(link, &gap, offset - taken);
    }
    if (link->cut_bytes)
        link->next = end;
    return 1;
}
