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

/* Copies frames into the ring of a copy, behind those that its writer knows of and `unpublished`
 * others. There must be room for them. */
static inline void put_captured(const struct side *side, const copy *c, int64_t unpublished,
                                const unsigned char *input, int64_t frames) {
    const ring *r = copy_ring(c);
    const uint64_t written = atomic_load_explicit(&r->written, memory_order_relaxed);
    const struct ring_span span =
        ring_span_at(r, written + (uint64_t)unpublished, (uint64_t)frames);
    const int64_t first = (int64_t)span.first_elements;
    move_frames(side, span.first, side->ring_channels, input, side->channels, first);
    move_frames(side, span.second, side->ring_channels, input + first * side->frame_bytes,
                side->channels, frames - first);
}

/* Lets the writer have frames that were put into the ring. */
static inline void publish_captured(copy *c, int64_t frames) {
    ring *r = copy_ring(c);
    const int64_t waiting = (int64_t)(r->capacity - ring_room(r)) + frames;
    ring_publish(r, (uint64_t)frames);
    count(&c->stored_frames, frames);
    if (waiting > atomic_load_explicit(&c->capture_high_water, memory_order_relaxed))
        atomic_store_explicit(&c->capture_high_water, waiting, memory_order_relaxed);
}

/* Whether the open loss can be published, so that a frame may be stored behind it. */
static inline int gap_fits(const copy *c) {
    return c->open_loss.frames == 0 || !c->fills_gaps || ring_room(&c->gaps) > 0;
}

/* Whether so many frames can be stored. */
static inline int has_room(const copy *c, int64_t frames) {
    return (int64_t)ring_room(copy_ring(c)) >= frames && gap_fits(c);
}

/* Whether a loss is told as one of this copy: what the device has lost is told once, for all. */
static inline int is_told(const copy *c) {
    return c->number == 0 || c->open_loss.kind == LOSS_OVERRUN;
}

/* Publishes the open loss, if there is one. It must fit. */
static inline void publish_loss(engine *e, copy *c) {
    if (c->open_loss.frames == 0)
        return;
    if (c->fills_gaps)
        ring_put(&c->gaps, &c->open_loss, 1);
    if (is_told(c))
        tell(e, &c->open_loss);
    c->open_loss.frames = 0;
}

/* Opens a loss of a copy or adds to the open one. A loss is published before the next frame is
 * stored. The time without a device is a loss by itself, so that all copies pass over the same
 * pieces. */
static inline void lose(engine *e, copy *c, int kind, int64_t frame, int64_t frames, int64_t now) {
    if ((kind == LOSS_AWAY || c->open_loss.kind == LOSS_AWAY) && gap_fits(c))
        publish_loss(e, c);
    if (c->open_loss.frames == 0) {
        c->open_loss = (struct loss){
            .frame = frame,
            .monotonic_ns = now,
            .ring_index = atomic_load_explicit(&copy_ring(c)->written, memory_order_relaxed),
            .kind = kind,
            .copy = c->number,
        };
        count(&c->losses, 1);
    }
    if (kind == LOSS_OVERRUN && c->number > 0)
        c->open_loss.kind = kind; /* else nobody would be told of it */
    c->open_loss.frames += frames;
    count(&c->lost_frames, frames);
}

/* Has every copy lose frames that the device did not deliver. */
static inline void lose_in_all(engine *e, int kind, int64_t frame, int64_t frames, int64_t now) {
    for (copy *c = &e->first; c; c = next_copy(c))
        lose(e, c, kind, frame, frames, now);
}

#endif
