/* How the callback counts, and tells of losses. The callback is the only writer of its counters and
 * flags, so a plain load and store is enough. */
#ifndef PASTREAM_COUNT_H
#define PASTREAM_COUNT_H

#include "_state.h"

static inline int64_t min_frames(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static inline int64_t max_frames(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static inline void count(_Atomic int64_t *counter, int64_t amount) {
    const int64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + amount, memory_order_relaxed);
}

static inline void raise_flag(_Atomic int32_t *flags, int32_t flag) {
    const int32_t value = atomic_load_explicit(flags, memory_order_relaxed);
    atomic_store_explicit(flags, value | flag, memory_order_relaxed);
}

static inline int64_t position_of(const engine *e) {
    return atomic_load_explicit(&e->position, memory_order_relaxed);
}

/* Takes notice of where the owner has the timeline end. */
static inline void take_end(engine *e) {
    const int64_t end_at = atomic_load_explicit(&e->end_at, memory_order_relaxed);
    e->total = min_frames(e->total, max_frames(end_at, position_of(e)));
}

/* Hands a loss to the owner, which tells of it. If the owner's list is full, the loss is only
 * counted. */
static inline void tell(engine *e, const struct loss *record) {
    if (ring_room(&e->events) == 0) {
        count(&e->unlisted_losses, 1);
        return;
    }
    ring_put(&e->events, record, 1);
}

#endif
