/* The writer's loop: takes frames from the capture ring and writes them to one file after another,
 * with silence for those that were lost. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "_convert.h"
#include "_gather.h"
#include "_loops.h"
#include "_output.h"
#include "_state.h"

/* A chunk is 128 KiB of float: larger system calls are no cheaper per byte. The ring has room again
 * only when a whole chunk is written, so a chunk is a small part of the ring. In a tiny ring it is
 * a larger part, because the calls would cost more than the writing. */
enum { SCRATCH_SAMPLES = 32768, LEAST_CHUNKS = 32 };

static const int64_t NS_PER_MS = 1000000;
/* The nap before the first frame: whoever waits for a file to begin waits for the whole nap. */
static const int64_t FIRST_NAP_NS = 5000000;

struct writer {
    engine *engine;
    output_file *current;
    int64_t chunk_frames;
    void *gathered;      /* file channels in the device's format */
    void *converted;     /* file channels in the file's type */
    int64_t silence_due; /* frames of a loss still to be filled in */
    int was_away;        /* there was no device during that loss */
    int took_last_gap;
};

/* Makes the pipe that wakes the writer, unless there is one. Without a pipe the writer sleeps to
 * the end of each nap. */
static void make_wake(engine *e) {
    if (e->writer.wake[0] >= 0 || pipe(e->writer.wake))
        return;
    for (int i = 0; i < 2; ++i) {
        fcntl(e->writer.wake[i], F_SETFD, FD_CLOEXEC);
        fcntl(e->writer.wake[i], F_SETFL, O_NONBLOCK);
    }
}

void writer_wake(const engine *e) {
    /* If the pipe is full, nothing is written, and the writer wakes all the same. */
    const ssize_t written = e->writer.wake[1] < 0 ? 0 : write(e->writer.wake[1], "", 1);
    (void)written;
}

/* Waits for frames, or for the owner. */
static void rest(const engine *e, int64_t nanoseconds) {
    if (nanoseconds < NS_PER_MS) {
        nap(nanoseconds);
        return;
    }
    struct pollfd wake = {.fd = e->writer.wake[0], .events = POLLIN};
    if (poll(&wake, 1, (int)(nanoseconds / NS_PER_MS)) <= 0)
        return;
    char bytes[64];
    while (read(wake.fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes)
        continue;
}

int writer_configure(engine *e, const struct sndfile_functions *functions, const int32_t *map,
                     int file_channels, int64_t nap_ns) {
    e->writer.functions = functions;
    e->writer.file_channels = file_channels;
    e->writer.nap_ns = nap_ns;
    e->fills_gaps = 1;
    make_wake(e);
    return copy_map(&e->writer.map, map, file_channels, e->capture.channels) ? LOOP_OK
                                                                             : LOOP_OUT_OF_MEMORY;
}

int writer_offer(engine *e, output_file *f) {
    output_file *none = NULL;
    /* release: the file's settings must be in memory before the writer finds it */
    const int is_taken = atomic_compare_exchange_strong_explicit(
        &e->offered, &none, f, memory_order_release, memory_order_relaxed);
    writer_wake(e);
    return is_taken;
}

output_file *writer_withdraw(engine *e) {
    return atomic_exchange_explicit(&e->offered, NULL, memory_order_acquire);
}

void writer_cut(engine *e) {
    atomic_store_explicit(&e->writer_cut, 1, memory_order_relaxed);
    writer_wake(e);
}

void writer_sync(engine *e) {
    atomic_store_explicit(&e->writer_sync, 1, memory_order_relaxed);
    writer_wake(e);
}

void writer_stop(engine *e) {
    atomic_store_explicit(&e->writer_stop, 1, memory_order_relaxed);
    writer_wake(e);
}

int64_t writer_place(const engine *e) {
    return atomic_load_explicit(&e->writer.place, memory_order_relaxed);
}

static void keep_safe(const struct writer *w) {
    const int is_asked = atomic_exchange_explicit(&w->engine->writer_sync, 0, memory_order_relaxed);
    output_keep_safe(w->current, w->engine->writer.functions, is_asked);
}

static void end_current(struct writer *w) {
    output_end(w->current, w->engine->writer.functions);
    w->current = NULL;
}

static int current_has_failed(const struct writer *w) {
    return w->current && output_has_failed(w->current);
}

/* Passes over the pieces that would hold nothing but the silence of a device that was away. */
static void put_off(struct writer *w, const output_file *next) {
    const int64_t piece = atomic_load_explicit(&next->frame_limit, memory_order_relaxed);
    if (!w->was_away || piece < 1 || w->silence_due < piece)
        return;
    const int64_t frames = w->silence_due - w->silence_due % piece;
    w->silence_due -= frames;
    atomic_store_explicit(&w->engine->writer.place, writer_place(w->engine) + frames,
                          memory_order_relaxed);
}

/* Takes the offered file if none is being written, or the present one has all its frames. Returns
 * whether there is a file to write to. */
static int take_next(struct writer *w) {
    engine *e = w->engine;
    if (w->current && output_frames_left(w->current) > 0 &&
        !atomic_load_explicit(&e->writer_cut, memory_order_relaxed))
        return 1;
    /* acquire: with the file come its settings */
    output_file *next = atomic_exchange_explicit(&e->offered, NULL, memory_order_acquire);
    if (!next)
        return w->current && output_frames_left(w->current) > 0;
    /* before the present file is left, so that an owner who finds it done can read where the next
     * one begins */
    put_off(w, next);
    output_begin(next, writer_place(e));
    if (w->current)
        end_current(w);
    atomic_store_explicit(&e->writer_cut, 0, memory_order_relaxed);
    w->current = next;
    keep_safe(w);
    return !output_has_failed(next);
}

static void write_captured(struct writer *w, const void *captured, int64_t frames) {
    const engine *e = w->engine;
    output_file *f = w->current;
    const int format = e->capture.sample_format;
    const void *samples = captured;
    if (e->writer.map) {
        gather(w->gathered, f->channels, captured, e->capture.channels, format, e->writer.map,
               frames);
        samples = w->gathered;
    }
    if (f->file_sample == FILE_DEVICE) {
        output_write(f, e->writer.functions, samples, frames);
        return;
    }
    samples = converted(w->converted, f->file_sample, f->file_bits, samples, format,
                        frames * f->channels);
    output_measure(f, samples, frames);
    output_write(f, e->writer.functions, samples, frames);
}

/* Looks for a gap at the writer's place, whose silence is due then. Returns how many captured
 * frames can be written before the next gap. */
static int64_t reach_gap(struct writer *w) {
    engine *e = w->engine;
    if (w->silence_due)
        return 0;
    /* The ring first, the gaps second: a gap is published before the frames that follow it. */
    const int64_t available = (int64_t)ring_available(side_ring(&e->capture));
    if (!ring_available(&e->gaps))
        return available;
    const uint64_t index =
        atomic_load_explicit(&side_ring(&e->capture)->read, memory_order_relaxed);
    const struct loss *gap =
        (const struct loss *)(const void *)ring_span_at(
            &e->gaps, atomic_load_explicit(&e->gaps.read, memory_order_relaxed), 1)
            .first;
    const int64_t before_gap = (int64_t)(gap->ring_index - index);
    if (before_gap > 0)
        return least(available, before_gap);
    w->silence_due = gap->frames;
    w->was_away = gap->kind == LOSS_AWAY;
    ring_consume(&e->gaps, 1);
    return 0;
}

/* Writes one chunk: silence for a loss, or captured frames, `available` at the most. Returns how
 * many frames. */
static int64_t write_chunk(struct writer *w, int64_t available) {
    engine *e = w->engine;
    ring *r = side_ring(&e->capture);
    const int64_t fits = least(w->chunk_frames, output_frames_left(w->current));
    if (w->silence_due) {
        const int64_t frames = least(fits, w->silence_due);
        const int is_unsigned =
            w->current->file_sample == FILE_DEVICE && e->capture.sample_format == SAMPLE_UINT8;
        memset(w->converted, is_unsigned ? 0x80 : 0,
               (size_t)(frames * w->current->channels) * BYTES_PER_FILE_SAMPLE);
        output_write(w->current, e->writer.functions, w->converted, frames);
        w->silence_due -= frames;
        return frames;
    }
    const uint64_t index = atomic_load_explicit(&r->read, memory_order_relaxed);
    const struct ring_span span = ring_span_at(r, index, (uint64_t)least(available, fits));
    const int64_t frames = (int64_t)span.first_elements;
    if (frames == 0)
        return 0;
    write_captured(w, span.first, frames);
    ring_consume(r, (uint64_t)frames);
    return frames;
}

static int is_drained(const struct writer *w) {
    const engine *e = w->engine;
    return !ring_available(side_ring(&e->capture)) && !ring_available(&e->gaps) && !w->silence_due;
}

/* A loss that was still open at the end follows everything else. Returns whether there is one. */
static int take_last_gap(struct writer *w) {
    if (w->took_last_gap || !w->engine->last_gap_frames)
        return 0;
    w->took_last_gap = 1;
    w->was_away = 0;
    w->silence_due = w->engine->last_gap_frames;
    return 1;
}

static void write_until_the_end(struct writer *w) {
    engine *e = w->engine;
    for (;;) {
        /* acquire, and before the ring is looked at: what is stored by then is all */
        const int finished = atomic_load_explicit(&e->capture_finished, memory_order_acquire);
        /* before anything is written: if libsndfile could not update the header, its place in the
         * file is still the beginning */
        if (current_has_failed(w))
            return;
        /* before the next file is begun, which the silence of a gap may put off */
        const int64_t available = reach_gap(w);
        const int has_file = take_next(w);
        const int64_t frames = has_file ? write_chunk(w, available) : 0;
        if (frames)
            atomic_store_explicit(&e->writer.place, output_end_frame(w->current),
                                  memory_order_relaxed);
        if (current_has_failed(w))
            return;
        if (frames) {
            keep_safe(w);
            continue;
        }
        if (finished && is_drained(w) && !take_last_gap(w))
            return;
        if (atomic_load_explicit(&e->writer_stop, memory_order_relaxed))
            return;
        const int has_begun = !w->current || output_frames(w->current) > 0;
        rest(e, has_begun ? e->writer.nap_ns : least(FIRST_NAP_NS, e->writer.nap_ns));
        if (w->current)
            keep_safe(w);
    }
}

int writer_run(engine *e) {
    const int64_t fits = scratch_frames_for(SCRATCH_SAMPLES, e->writer.file_channels);
    const int64_t part =
        most(LEAST_SCRATCH_FRAMES, (int64_t)side_ring(&e->capture)->capacity / LEAST_CHUNKS);
    struct writer w = {.engine = e, .chunk_frames = least(fits, part)};
    w.gathered = scratch_for(w.chunk_frames, e->writer.file_channels);
    w.converted = scratch_for(w.chunk_frames, e->writer.file_channels);
    int status = LOOP_OUT_OF_MEMORY;
    if (w.gathered && w.converted) {
        write_until_the_end(&w);
        status = current_has_failed(&w) ? LOOP_FILE_ERROR : LOOP_OK;
    }
    if (w.current)
        end_current(&w);
    free(w.gathered);
    free(w.converted);
    return status;
}
