/* How an engine gets a device and lets it go, and how what it counted is put right when the process
 * of a device ended in mid-callback. */
#include <stdlib.h>

#include "_arrival.h"
#include "_attachment.h"
#include "_engine.h"
#include "_state.h"
#include "_store.h"

static const int64_t DETACH_NAP_NS = 100000;
/* A second and more. It is not measured by the clock, which goes on while this process is stopped,
 * or gets no processor time. */
enum { MOST_DETACH_NAPS = 10000 };

attachment *attachment_new(int playback_format, int playback_channels, int capture_format,
                           int capture_channels) {
    attachment *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->playback = (struct device_side){playback_format, playback_channels};
    a->capture = (struct device_side){capture_format, capture_channels};
    return a;
}

void attachment_free(attachment *a) {
    if (!a)
        return;
    if (attachment_detach(a))
        free(a);
}

static int fits(const struct device_side *of_device, const struct side *side) {
    return of_device->channels == side->channels &&
           (!side->channels || of_device->sample_format == side->sample_format);
}

int engine_attach(engine *e, attachment *a) {
    if (atomic_load(&e->attachment) || a->was_attached || !fits(&a->playback, &e->playback) ||
        !fits(&a->capture, &e->capture))
        return 0;
    /* no callback runs, so the callback's own fields may be written here */
    engine_end_lead(e);
    e->loop_back = NULL;
    e->held_frames = e->largest_block = 0;
    e->clean_frames = e->settling_frames = 0;
    arrival_begin(e);
    a->was_attached = 1;
    atomic_store(&e->attachment, a);
    /* sequentially consistent, and so a release: a callback that finds the engine finds all that */
    atomic_store(&a->engine, e);
    return 1;
}

int attachment_detach(attachment *a) {
    engine *e = atomic_exchange(&a->engine, NULL);
    for (int naps = 0; atomic_load(&a->in_callback); ++naps) {
        if (naps == MOST_DETACH_NAPS)
            return 0; /* the engine keeps the attachment, and never gets another device */
        nap(DETACH_NAP_NS);
    }
    if (e)
        atomic_store(&e->attachment, NULL);
    return 1;
}

/* The ring's index is the truth: frames before it are in the ring, counted or not. Returns how many
 * frames of the recording the copy has stored or lost. */
static int64_t count_what_is_stored(copy *c) {
    const int64_t stored = (int64_t)(ring_write_index(copy_ring(c)) - c->start);
    atomic_store(&c->stored_frames, stored);
    return stored + atomic_load(&c->lost_frames);
}

/* A loss that was handed to the writer is not open any more. */
static void close_published_loss(copy *c) {
    const uint64_t index = ring_write_index(&c->gaps);
    if (!c->open_loss.frames || index == 0)
        return;
    const struct loss *last = &c->gap_records[(index - 1) % LOSS_RECORDS];
    if (last->monotonic_ns == c->open_loss.monotonic_ns && last->frame == c->open_loss.frame)
        c->open_loss.frames = 0;
}

/* The callback serves one copy after the other, so a copy may lack the last block of the first. */
static void put_copies_right(engine *e) {
    for (copy *c = &e->first; c; c = next_copy(c))
        if (c->fills_gaps)
            close_published_loss(c);
    if (!atomic_load(&e->time_zero_ns))
        return;
    const int64_t frames = count_what_is_stored(&e->first);
    /* what was lost before the last frame that is stored is in both lists, or was not begun */
    if (frames > 0)
        atomic_store(&e->position, e->offset + frames);
    for (copy *c = next_copy(&e->first); c; c = next_copy(c)) {
        const int64_t there = count_what_is_stored(c);
        if (there < frames)
            lose(e, c, LOSS_DEVICE, e->offset + there, frames - there, engine_monotonic_ns());
    }
}

void engine_release(engine *e) {
    if (has_ring(&e->capture))
        put_copies_right(e);
    atomic_store(&e->device_is_active, 0);
    atomic_store(&e->device_load, 0);
    atomic_store(&e->attachment, NULL);
}
