/* How the callback holds the device against the clock. Real-time. */
#ifndef PASTREAM_CLOCK_H
#define PASTREAM_CLOCK_H

#include "_count.h"
#include "_state.h"

/* For how long a debt is summed up. */
static const int64_t DEBT_NS = 100000000;

/* What the clock asks of the device, less what it delivered before this block; what came ahead is
 * forgotten. A callback that comes late owes frames that the next ones bring. 0 at time zero. */
static inline int64_t debt_before(const engine *e, int64_t frame, int64_t now) {
    const int64_t zero = atomic_load_explicit(&e->time_zero_ns, memory_order_relaxed);
    if (zero == 0)
        return 0;
    const int64_t paused = atomic_load_explicit(&e->paused_frames, memory_order_relaxed);
    const int64_t delivered = frame + paused + e->uncounted_frames;
    return (int64_t)((double)(now - zero) * e->frames_per_ns) - delivered;
}

/* The device is ahead of the clock by so many frames more than before this block. */
void take_lead(engine *e, int64_t surplus, int64_t now);

/* Closes the open debt and opens the next one. */
void begin_debt(engine *e, const struct debt *debt);

/* `owed` are frames before the block. */
static inline void note_debt(engine *e, int64_t frame, int64_t block_frames, int64_t owed,
                             int64_t now) {
    struct debt *open = &e->open_debt;
    const int64_t frames = owed - block_frames;
    if (now - open->monotonic_ns < DEBT_NS) {
        open->frames = min_frames(open->frames, frames);
        return;
    }
    const struct debt next = {frame, frames, block_frames, now};
    begin_debt(e, &next);
}

#endif
