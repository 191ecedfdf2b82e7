/* What the callback calls to compare the device with the clock. Real-time code. */
#ifndef PASTREAM_CLOCK_H
#define PASTREAM_CLOCK_H

#include "_count.h"
#include "_state.h"

/* Each record holds the least debt within this time. */
static const int64_t DEBT_NS = 100000000;

/* Returns the debt before this block: the frames that the clock asks for, less those that the
 * device has delivered. Frames of a lead do not count as delivered. A late callback raises the
 * debt, and those after it pay it off. 0 as long as no frames are due. */
static inline int64_t debt_before(const engine *e, int64_t frame, int64_t now) {
    const int64_t zero = atomic_load_explicit(&e->clock_zero_ns, memory_order_relaxed);
    if (zero == 0)
        return 0;
    const int64_t paused = atomic_load_explicit(&e->paused_frames, memory_order_relaxed);
    const int64_t waited = atomic_load_explicit(&e->waited_frames, memory_order_relaxed);
    const int64_t delivered = frame + paused + waited + e->uncounted_frames;
    return (int64_t)((double)(now - zero) * e->frames_per_ns) - delivered;
}

/* Adds `surplus` frames to the lead of the device. */
void add_lead(engine *e, int64_t surplus, int64_t now);

/* The most that the clock of a device is expected to drift from the system's. */
static const double MOST_DRIFT = 500e-6;

/* Returns what the device owed lately when it was in time. */
int64_t recent_debt(const engine *e);

/* Publishes the open debt and opens the next one. */
void begin_debt(engine *e, const struct debt *debt);

/* Notes the debt after a block; `owed` is the debt before the block. */
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
