/* What the callback does when the reader seeks: it empties the ring, and waits for it to be filled.
 *
 * The reader asks for a drop, and waits. The callback drops what is in the ring, and says from
 * where on. The reader seeks from there, says so, and fills the ring. Only the reader ever waits.
 */
#ifndef PASTREAM_SEEK_H
#define PASTREAM_SEEK_H

#include "_count.h"
#include "_state.h"

static inline int32_t seeks_taken(const engine *e) {
    return atomic_load_explicit(&e->seeks_taken, memory_order_relaxed);
}

/* Whether a seek of the reader has not taken effect. */
static inline int awaits_seek(const engine *e) {
    return atomic_load_explicit(&e->reader.drops, memory_order_relaxed) != seeks_taken(e);
}

/* Whether all of the input, as it goes on after the last seek, is in the ring. */
static inline int is_all_read(const engine *e) {
    /* acquire: if the input has ended, all of its frames are in the ring */
    return atomic_load_explicit(&e->reader.finished, memory_order_acquire) == seeks_taken(e) + 1;
}

/* Drops all that is in the ring, and tells the reader from where on. The reader puts nothing into
 * it from when it has asked for that until it knows. */
static inline void drop_for_seek(engine *e, int32_t drops) {
    ring *r = side_ring(&e->playback);
    const uint64_t read = atomic_load_explicit(&r->read, memory_order_relaxed);
    ring_consume(r, ring_available(r));
    atomic_store_explicit(&e->drop_from, read, memory_order_relaxed);
    /* release: the reader must see from where on, and an empty ring */
    atomic_store_explicit(&e->seeks_dropped, drops, memory_order_release);
}

/* Obeys the reader, which is about to seek, and has the seek take effect when there is enough for a
 * block again. Returns whether it has. */
static inline int take_seek(engine *e, int64_t frames) {
    /* acquire: the last frame before was put into the ring */
    const int32_t drops = atomic_load_explicit(&e->reader.drops, memory_order_acquire);
    if (drops != atomic_load_explicit(&e->seeks_dropped, memory_order_relaxed))
        drop_for_seek(e, drops);
    /* acquire: an end of the input that came after the seek is known */
    if (drops != atomic_load_explicit(&e->reader.seeks, memory_order_acquire))
        return 0;
    /* acquire: as in is_all_read */
    const int32_t finished = atomic_load_explicit(&e->reader.finished, memory_order_acquire);
    /* the reader need not fill more than a half */
    const int64_t enough = min_frames(max_frames(e->reader.refill_frames, frames),
                                      (int64_t)side_ring(&e->playback)->capacity / 2);
    if (finished != drops + 1 && (int64_t)ring_available(side_ring(&e->playback)) < enough)
        return 0;
    /* release: whoever sees that the seek has taken effect must see where it has led */
    atomic_store_explicit(&e->seeks_taken, drops, memory_order_release);
    return 1;
}

#endif
