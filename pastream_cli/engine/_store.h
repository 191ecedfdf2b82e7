/* How captured frames get into the ring, and how their losses are told. On the device's thread. */
#ifndef PASTREAM_STORE_H
#define PASTREAM_STORE_H

#include <string.h>

#include "_count.h"
#include "_gather.h"

/* Copies frames between ring and device, and picks their channels where the side has a map. */
static inline void move_frames(const struct side *side, unsigned char *target,
                               int32_t target_channels, const unsigned char *source,
                               int32_t source_channels, int64_t frames) {
    if (side->map)
        gather(target, target_channels, source, source_channels, side->sample_format,
               at_distance(side, side->map), frames);
    else
        memcpy(target, source, (size_t)frames * (size_t)side->frame_bytes);
}

/* Copies frames into the capture ring, behind those that the writer knows of and `unpublished`
 * others. There must be room for them. */
static inline void put_captured(const struct side *side, int64_t unpublished,
                                const unsigned char *input, int64_t frames) {
    const ring *r = side_ring(side);
    const uint64_t written = atomic_load_explicit(&r->written, memory_order_relaxed);
    const struct ring_span span =
        ring_span_at(r, written + (uint64_t)unpublished, (uint64_t)frames);
    const int64_t first = (int64_t)span.first_elements;
    move_frames(side, span.first, side->ring_channels, input, side->channels, first);
    move_frames(side, span.second, side->ring_channels, input + first * side->frame_bytes,
                side->channels, frames - first);
}

/* Lets the writer have frames that were put into the ring. */
static inline void publish_captured(engine *e, int64_t frames) {
    ring *r = side_ring(&e->capture);
    const int64_t waiting = (int64_t)(r->capacity - ring_room(r)) + frames;
    ring_publish(r, (uint64_t)frames);
    count(&e->stored_frames, frames);
    if (waiting > atomic_load_explicit(&e->capture_high_water, memory_order_relaxed))
        atomic_store_explicit(&e->capture_high_water, waiting, memory_order_relaxed);
}

/* Opens a loss or adds to the open one. A loss is published before the next frame is stored. */
static inline void lose(engine *e, int kind, int64_t frame, int64_t frames, int64_t now) {
    if (e->open_loss.frames == 0) {
        e->open_loss = (struct loss){
            .frame = frame,
            .monotonic_ns = now,
            .ring_index =
                atomic_load_explicit(&side_ring(&e->capture)->written, memory_order_relaxed),
            .kind = kind,
        };
        count(&e->losses, 1);
    }
    e->open_loss.frames += frames;
    count(&e->lost_frames, frames);
}

/* Whether the open loss can be published, so that a frame may be stored behind it. */
static inline int gap_fits(const engine *e) {
    return e->open_loss.frames == 0 || !e->fills_gaps || ring_room(&e->gaps) > 0;
}

/* Publishes the open loss, if there is one. It must fit. */
static inline void publish_loss(engine *e) {
    if (e->open_loss.frames == 0)
        return;
    if (e->fills_gaps)
        ring_put(&e->gaps, &e->open_loss, 1);
    tell(e, &e->open_loss);
    e->open_loss.frames = 0;
}

#endif
