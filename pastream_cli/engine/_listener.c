/* Lets a trigger hear what is in the ring of a copy, before its writer comes to it. */
#include "_listener.h"

#include "_convert.h"
#include "_gather.h"
#include "_loops.h"
#include "_state.h"
#include "_trigger.h"

void listener_begin(struct listener *l, copy *c) {
    l->copy = c;
    l->ring_index = atomic_load_explicit(&copy_ring(c)->read, memory_order_relaxed);
    l->gap_index = atomic_load_explicit(&c->gaps.read, memory_order_relaxed);
    l->frame = writer_place(c);
    l->silence_due = 0;
    l->heard_last_gap = 0;
}

/* Returns how many elements follow an index that the consumer has not given back. */
static int64_t available_from(const ring *r, uint64_t index) {
    const uint64_t read = atomic_load_explicit(&r->read, memory_order_relaxed);
    return (int64_t)(read + ring_available(r) - index);
}

/* Takes notice of a loss before the next frame in the ring. Returns how many frames follow up to
 * the next loss. */
static int64_t reach_loss(struct listener *l, int is_all) {
    copy *c = l->copy;
    /* The ring first, the gaps second: a gap is published before the frames that follow it. */
    const int64_t available = available_from(copy_ring(c), l->ring_index);
    if (available_from(&c->gaps, l->gap_index) > 0) {
        const struct loss *gap =
            (const struct loss *)(const void *)ring_span_at(&c->gaps, l->gap_index, 1).first;
        const int64_t before = (int64_t)(gap->ring_index - l->ring_index);
        if (before > 0)
            return least(available, before);
        l->silence_due = gap->frames;
        ++l->gap_index;
        return 0;
    }
    if (available == 0 && is_all && !l->heard_last_gap) {
        l->heard_last_gap = 1;
        l->silence_due = c->last_gap_frames;
    }
    return available;
}

/* Returns frames of the ring as they can be compared with a level. */
static struct sound sound_of(const struct listener *l, const void *captured, int64_t frames) {
    const copy *c = l->copy;
    const struct side *side = &c->engine->capture;
    struct sound s = {captured, side->sample_format, c->writer.file_channels};
    if (c->writer.map) {
        gather(l->gathered, s.channels, captured, side->channels, s.format, c->writer.map, frames);
        s.samples = l->gathered;
    }
    if (s.format == SAMPLE_FLOAT32 || s.format == SAMPLE_INT32 || s.format == SAMPLE_INT16)
        return s;
    s.samples =
        converted(l->converted, SAMPLE_INT32, ALL_BITS, s.samples, s.format, frames * s.channels);
    s.format = SAMPLE_INT32;
    return s;
}

static void hear(struct listener *l, const struct sound *s, int64_t frames) {
    trigger_hear(l->copy->engine->trigger, s, l->frame, frames);
    l->frame += frames;
}

void listener_hear(struct listener *l, int is_all) {
    const ring *r = copy_ring(l->copy);
    for (;;) {
        const int64_t available = l->silence_due ? 0 : reach_loss(l, is_all);
        if (l->silence_due) {
            const struct sound silence = {NULL, SAMPLE_INT32, 1};
            hear(l, &silence, l->silence_due);
            l->silence_due = 0;
            continue;
        }
        if (available == 0)
            return;
        const struct ring_span span =
            ring_span_at(r, l->ring_index, (uint64_t)least(available, l->chunk_frames));
        const int64_t frames = (int64_t)span.first_elements;
        const struct sound s = sound_of(l, span.first, frames);
        hear(l, &s, frames);
        l->ring_index += (uint64_t)frames;
    }
}
