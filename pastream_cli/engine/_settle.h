/* When a device has settled, so that the timeline may begin. On the device's thread. */
#ifndef PASTREAM_SETTLE_H
#define PASTREAM_SETTLE_H

#include "_host_flags.h"

/* Returns whether the stream has settled; time zero is then the next callback. A host may call many
 * times at once to fill a buffer of its own (priming), so frames count only as far as the clock has
 * advanced. */
static inline int settle(engine *e, int64_t frames, unsigned long host_flags, int64_t now) {
    const int64_t last = atomic_load_explicit(&e->last_callback_ns, memory_order_relaxed);
    const int64_t due = last ? (int64_t)((double)(now - last) * e->frames_per_ns) : 0;
    const int64_t timely = min_frames(frames, due);
    const unsigned long faults = host_flags & (HOST_CAPTURE_FLAGS | HOST_PLAYBACK_FLAGS);
    e->clean_frames = faults ? 0 : e->clean_frames + timely;
    e->settling_frames += timely;
    if (e->clean_frames >= e->settle_frames)
        return 1;
    if (e->settling_frames < e->settle_at_most)
        return 0;
    atomic_store_explicit(&e->settling_gave_up, 1, memory_order_relaxed);
    return 1;
}

#endif
