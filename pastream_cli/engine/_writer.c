/* The writer's loop: takes frames from the ring of a copy and writes them to one file after
 * another, with silence for those that were lost. */
#include <errno.h>

#include "_convert.h"
#include "_cut.h"
#include "_gather.h"
#include "_listener.h"
#include "_loops.h"
#include "_output.h"
#include "_spin.h"
#include "_state.h"
#include "_trigger.h"
#include "_wake.h"

/* A chunk is 128 KiB of float: larger system calls are no cheaper per byte. The ring has room again
 * only when a whole chunk is written, so a chunk is a small part of the ring. In a tiny ring it is
 * a larger part, because the calls would cost more than the writing. */
enum { SCRATCH_SAMPLES = 32768, LEAST_CHUNKS = 32 };

/* The nap before the first frame: whoever waits for a file to begin waits for the whole nap. */
static const int64_t FIRST_NAP_NS = 5000000;

struct writer {
    copy *copy;
    output_file *current;
    int64_t chunk_frames;
    void *gathered;      /* file channels in the device's format */
    void *converted;     /* file channels in the file's type */
    int64_t silence_due; /* frames of a loss still to be filled in */
    int was_away;        /* there was no device during that loss */
    int is_new_loss;     /* no silence was written for it */
    int took_last_gap;
    int64_t most_frames; /* that may be written or dropped by now, as a trigger says */
    int64_t files;       /* of those that it says, behind the writer */
    struct listener listener;
};

int writer_configure(copy *c, const struct sndfile_functions *functions, const int32_t *map,
                     int file_channels, int64_t nap_ns) {
    c->writer.functions = functions;
    c->writer.file_channels = file_channels;
    c->writer.nap_ns = nap_ns;
    c->fills_gaps = 1;
    wake_prepare(c);
    return copy_map(&c->writer.map, map, file_channels, c->engine->capture.channels)
               ? LOOP_OK
               : LOOP_OUT_OF_MEMORY;
}

void writer_outlive_failures(copy *c) {
    c->writer.outlives_failures = 1;
}

int writer_offer(copy *c, output_file *f) {
    output_file *none = NULL;
    /* release: the file's settings must be in memory before the writer finds it */
    const int is_taken = atomic_compare_exchange_strong_explicit(
        &c->offered, &none, f, memory_order_release, memory_order_relaxed);
    writer_wake(c);
    return is_taken;
}

/* The writer looks at an offered file under the lock, so that it never sees one that its owner has
 * taken back and freed. */
output_file *writer_withdraw(copy *c) {
    spin_lock(&c->engine->cut_lock);
    output_file *f = atomic_exchange_explicit(&c->offered, NULL, memory_order_acquire);
    spin_unlock(&c->engine->cut_lock);
    return f;
}

void writer_sync(copy *c) {
    atomic_store_explicit(&c->writer_sync, 1, memory_order_relaxed);
    writer_wake(c);
}

void writer_stop(copy *c) {
    atomic_store_explicit(&c->writer_stop, 1, memory_order_relaxed);
    writer_wake(c);
}

int64_t writer_place(const copy *c) {
    return atomic_load_explicit(&c->writer.place, memory_order_relaxed);
}

int64_t writer_busy_ns(const copy *c) {
    return atomic_load_explicit(&c->writer.busy_ns, memory_order_relaxed);
}

static void add_to(_Atomic int64_t *sum, int64_t frames) {
    const int64_t before = atomic_load_explicit(sum, memory_order_relaxed);
    atomic_store_explicit(sum, before + frames, memory_order_relaxed);
}

static void keep_safe(const struct writer *w) {
    const int is_asked = atomic_exchange_explicit(&w->copy->writer_sync, 0, memory_order_relaxed);
    output_keep_safe(w->current, w->copy->writer.functions, is_asked);
}

static void end_current(struct writer *w) {
    output_end(w->current, w->copy->writer.functions);
    w->current = NULL;
}

static int current_has_failed(const struct writer *w) {
    return w->current && output_has_failed(w->current);
}

/* Whether a failure ends the writer. */
static int has_ended(const struct writer *w) {
    return current_has_failed(w) && !w->copy->writer.outlives_failures;
}

/* Returns how many frames of silence come before the next file, in pieces that would hold nothing
 * else. */
static int64_t put_off_by(const struct writer *w, const output_file *next) {
    const int64_t piece = atomic_load_explicit(&next->frame_limit, memory_order_relaxed);
    if (next->begin_at >= 0)
        return next->begin_at - writer_place(w->copy);
    const int64_t silence = least(w->silence_due, w->most_frames);
    return piece < 1 ? 0 : silence - silence % piece;
}

/* Passes over the pieces that would hold nothing but the silence of a device that was away. */
static void put_off(struct writer *w, const output_file *next) {
    const int64_t frames = put_off_by(w, next);
    if (!w->was_away || frames < 1 || frames > least(w->silence_due, w->most_frames))
        return;
    w->silence_due -= frames;
    add_to(&w->copy->writer.place, frames);
}

/* Takes the offered file, unless it was made for another place. */
static output_file *take_offered(struct writer *w) {
    copy *c = w->copy;
    if (!atomic_load_explicit(&c->offered, memory_order_relaxed))
        return NULL;
    spin_lock(&c->engine->cut_lock);
    /* acquire: with the file come its settings */
    output_file *next = atomic_load_explicit(&c->offered, memory_order_acquire);
    if (next && next->goes_on && !w->current)
        next = NULL;
    if (next)
        atomic_store_explicit(&c->offered, NULL, memory_order_relaxed);
    spin_unlock(&c->engine->cut_lock);
    return next;
}

/* Takes the offered file if none is being written, or the present one has all its frames. Returns
 * whether there is a file to write to. */
static int take_next(struct writer *w) {
    copy *c = w->copy;
    if (w->current && output_frames_left(w->current) > 0)
        return 1;
    output_file *next = take_offered(w);
    if (!next)
        return 0;
    /* before the present file is left, so that an owner who finds it done can read where the next
     * one begins */
    put_off(w, next);
    output_begin(next, writer_place(c));
    if (w->current)
        end_current(w);
    w->current = next;
    keep_safe(w);
    return !has_ended(w);
}

static void write_captured(struct writer *w, const void *captured, int64_t frames) {
    const copy *c = w->copy;
    const struct side *side = &c->engine->capture;
    output_file *f = w->current;
    const int format = side->sample_format;
    const void *samples = captured;
    if (c->writer.map) {
        gather(w->gathered, f->channels, captured, side->channels, format, c->writer.map, frames);
        samples = w->gathered;
    }
    if (f->file_sample == FILE_DEVICE) {
        output_write(f, c->writer.functions, samples, frames);
        return;
    }
    samples = converted(w->converted, f->file_sample, f->file_bits, samples, format,
                        frames * f->channels);
    output_measure(f, samples, frames);
    output_write(f, c->writer.functions, samples, frames);
}

/* Looks for a gap at the writer's place, whose silence is due then. Returns how many captured
 * frames can be written before the next gap. */
static int64_t reach_gap(struct writer *w) {
    copy *c = w->copy;
    if (w->silence_due)
        return 0;
    /* The ring first, the gaps second: a gap is published before the frames that follow it. */
    const int64_t available = (int64_t)ring_available(copy_ring(c));
    if (!ring_available(&c->gaps))
        return available;
    const uint64_t index = atomic_load_explicit(&copy_ring(c)->read, memory_order_relaxed);
    const struct loss *gap =
        (const struct loss *)(const void *)ring_span_at(
            &c->gaps, atomic_load_explicit(&c->gaps.read, memory_order_relaxed), 1)
            .first;
    const int64_t before_gap = (int64_t)(gap->ring_index - index);
    if (before_gap > 0)
        return least(available, before_gap);
    w->silence_due = gap->frames;
    w->was_away = gap->kind == LOSS_AWAY;
    w->is_new_loss = 1;
    ring_consume(&c->gaps, 1);
    return 0;
}

static void write_silence(struct writer *w, int64_t frames) {
    const int format = w->copy->engine->capture.sample_format;
    const int is_unsigned = w->current->file_sample == FILE_DEVICE && format == SAMPLE_UINT8;
    memset(w->converted, is_unsigned ? 0x80 : 0,
           (size_t)(frames * w->current->channels) * BYTES_PER_FILE_SAMPLE);
    output_write_silence(w->current, w->copy->writer.functions, w->converted, frames);
}

/* Writes frames, or silence where `captured` is NULL. A writer that outlives failures lets the
 * frames go by that the file does not take. */
static void write_or_pass(struct writer *w, const void *captured, int64_t frames) {
    const int64_t before = output_frames(w->current);
    if (!output_has_failed(w->current)) {
        if (captured)
            write_captured(w, captured, frames);
        else
            write_silence(w, frames);
    }
    if (output_has_failed(w->current) && w->copy->writer.outlives_failures)
        output_pass(w->current, frames - (output_frames(w->current) - before));
}

/* Writes one chunk: silence for a loss, or captured frames, `available` at the most. Returns how
 * many frames. */
static int64_t write_chunk(struct writer *w, int64_t available) {
    ring *r = copy_ring(w->copy);
    const int64_t at_once = least(w->chunk_frames, w->most_frames);
    if (w->silence_due) {
        const int64_t frames = claim_frames(w->copy, w->current, least(at_once, w->silence_due));
        write_or_pass(w, NULL, frames);
        w->silence_due -= frames;
        add_to(&w->copy->writer.lost_frames, frames);
        add_to(&w->copy->writer.losses, w->is_new_loss && frames);
        w->is_new_loss &= !frames;
        return frames;
    }
    const uint64_t index = atomic_load_explicit(&r->read, memory_order_relaxed);
    const struct ring_span span = ring_span_at(r, index, (uint64_t)least(available, at_once));
    const int64_t frames = claim_frames(w->copy, w->current, (int64_t)span.first_elements);
    if (frames == 0)
        return 0;
    write_or_pass(w, span.first, frames);
    ring_consume(r, (uint64_t)frames);
    return frames;
}

/* Ends the timeline where a trigger ends the recording. What was captured behind it is dropped. */
static void end_timeline(engine *e) {
    const int64_t frame = trigger_end(e->trigger);
    if (frame < atomic_load_explicit(&e->end_at, memory_order_relaxed))
        atomic_store_explicit(&e->end_at, frame, memory_order_relaxed);
}

/* Before the list of losses is full, gives up the oldest frames of a pre-roll, with the losses
 * among them. Returns how many. */
static int64_t shorten_preroll(const struct writer *w, int64_t available) {
    const copy *c = w->copy;
    if (ring_available(&c->gaps) < LOSS_RECORDS / 2)
        return 0;
    const int64_t place = writer_place(c);
    const int64_t frames = w->silence_due ? w->silence_due : available;
    return trigger_forget(c->engine->trigger, place, place + frames) - place;
}

/* Has the trigger, if there is one, say what becomes of the next frames, and leaves a file that
 * ends before them. Returns whether they are kept, if there are any; `most_frames` are how many. */
static int choose(struct writer *w, int64_t available, int is_all) {
    engine *e = w->copy->engine;
    if (!e->trigger)
        return 1;
    int are_kept = 0;
    const int64_t files = w->files;
    listener_hear(&w->listener, is_all);
    w->most_frames =
        trigger_choose(e->trigger, &w->files, writer_place(w->copy), is_all, &are_kept);
    if (!are_kept && w->most_frames == 0)
        w->most_frames = shorten_preroll(w, available);
    end_timeline(e);
    if (w->files > files && w->current)
        end_current(w);
    return are_kept;
}

/* Drops frames that no file is to have. Returns how many. */
static int64_t drop(struct writer *w, int64_t available) {
    copy *c = w->copy;
    const int64_t frames = least(w->most_frames, w->silence_due ? w->silence_due : available);
    if (w->silence_due)
        w->silence_due -= frames;
    else
        ring_consume(copy_ring(c), (uint64_t)frames);
    add_to(&c->writer.dropped, frames);
    add_to(&c->writer.place, frames);
    return frames;
}

static int is_drained(const struct writer *w) {
    const copy *c = w->copy;
    return !ring_available(copy_ring(c)) && !ring_available(&c->gaps) && !w->silence_due;
}

/* A loss that was still open at the end follows everything else. Returns whether there is one. */
static int take_last_gap(struct writer *w) {
    if (w->took_last_gap || !w->copy->last_gap_frames)
        return 0;
    w->took_last_gap = 1;
    w->was_away = 0;
    w->is_new_loss = 1;
    w->silence_due = w->copy->last_gap_frames;
    return 1;
}

/* Writes the next chunk, if there is a file for it, and else says so. Returns how many frames. */
static int64_t write_next(struct writer *w, int64_t available) {
    copy *c = w->copy;
    const int has_file = w->most_frames > 0 && take_next(w);
    const int64_t awaits = w->most_frames > 0 && !w->current ? writer_place(c) : -1;
    atomic_store_explicit(&c->writer.awaits, awaits, memory_order_relaxed);
    const int64_t frames = has_file ? write_chunk(w, available) : 0;
    if (frames)
        atomic_store_explicit(&c->writer.place, output_end_frame(w->current), memory_order_relaxed);
    return frames;
}

static void write_until_the_end(struct writer *w) {
    copy *c = w->copy;
    for (;;) {
        /* acquire, and before the ring is looked at: what is stored by then is all */
        const int finished =
            atomic_load_explicit(&c->engine->capture_finished, memory_order_acquire);
        /* before anything is written: if libsndfile could not update the header, its place in the
         * file is still the beginning */
        if (has_ended(w))
            return;
        const int64_t since_ns = engine_monotonic_ns();
        /* before the next file is begun, which the silence of a gap may put off */
        const int64_t available = reach_gap(w);
        const int are_kept = choose(w, available, finished);
        const int64_t frames = are_kept ? write_next(w, available) : drop(w, available);
        if (has_ended(w))
            return;
        if (frames) {
            if (w->current)
                keep_safe(w);
            add_to(&c->writer.busy_ns, engine_monotonic_ns() - since_ns);
            continue;
        }
        if (finished && is_drained(w) && !take_last_gap(w))
            return;
        if (atomic_load_explicit(&c->writer_stop, memory_order_relaxed))
            return;
        const int has_begun = !w->current || output_frames(w->current) > 0;
        wake_wait(c, has_begun ? c->writer.nap_ns : least(FIRST_NAP_NS, c->writer.nap_ns));
        if (w->current)
            keep_safe(w);
    }
}

int writer_run(copy *c) {
    const int64_t fits = scratch_frames_for(SCRATCH_SAMPLES, c->writer.file_channels);
    const int64_t part = most(LEAST_SCRATCH_FRAMES, (int64_t)copy_ring(c)->capacity / LEAST_CHUNKS);
    struct writer w = {.copy = c, .chunk_frames = least(fits, part), .most_frames = INT64_MAX};
    w.gathered = scratch_for(w.chunk_frames, c->writer.file_channels);
    w.converted = scratch_for(w.chunk_frames, c->writer.file_channels);
    w.listener.gathered = w.gathered;
    w.listener.converted = w.converted;
    w.listener.chunk_frames = w.chunk_frames;
    listener_begin(&w.listener, c);
    int status = LOOP_OUT_OF_MEMORY;
    if (w.gathered && w.converted) {
        write_until_the_end(&w);
        status = current_has_failed(&w) ? LOOP_FILE_ERROR : LOOP_OK;
    } else if (take_next(&w)) { /* so that somebody is told */
        output_refuse(w.current, ENOMEM);
    }
    if (w.current)
        end_current(&w);
    free(w.gathered);
    free(w.converted);
    return status;
}
