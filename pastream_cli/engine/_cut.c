/* Where a piece of the recording ends: at one frame in all copies, behind all that their writers
 * may have begun to write. */
#include "_cut.h"

#include "_loops.h"
#include "_output.h"
#include "_spin.h"
#include "_state.h"

int64_t claim_frames(copy *c, const output_file *f, int64_t frames) {
    const int64_t at_once = least(frames, output_frames_at_once(f));
    spin_lock(&c->engine->cut_lock);
    const int64_t claimed = most(0, least(at_once, output_frames_left(f)));
    c->writer.claim = output_end_frame(f) + claimed;
    spin_unlock(&c->engine->cut_lock);
    return claimed;
}

int64_t engine_cut(engine *e, output_file *const *files, int count, int64_t first_frame,
                   int64_t end_frame, int64_t frame_limit, int64_t most_frames) {
    int64_t claimed = first_frame + 1;
    spin_lock(&e->cut_lock);
    for (const copy *c = &e->first; c; c = next_copy(c))
        claimed = most(claimed, c->writer.claim);
    int64_t frames = most(claimed, end_frame) - first_frame;
    if (most_frames >= 0)
        frames = least(frames, most_frames);
    if (frame_limit >= 0 && claimed - first_frame >= frame_limit)
        frames = frame_limit;
    for (int i = 0; i < count; ++i)
        output_file_limit(files[i], frames);
    spin_unlock(&e->cut_lock);
    for (const copy *c = &e->first; c; c = next_copy(c))
        writer_wake(c);
    return frames;
}
