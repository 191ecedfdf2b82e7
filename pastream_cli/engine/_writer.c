/* The writer: out of the ring of the capture into one file after the other, with silence for what
 * was lost. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "_convert.h"
#include "_gather.h"
#include "_loops.h"
#include "_state.h"

enum { SFC_UPDATE_HEADER_NOW = 0x1060 }; /* sndfile.h */

/* 128 KiB of float: up to there a byte costs the kernel the less the more are written at once. What
 * a chunk takes of the ring is free again when all of it is written, so it is a small part of it;
 * in a tiny ring not so small that the calls cost more than what they write. */
enum { SCRATCH_SAMPLES = 32768, LEAST_CHUNKS = 32 };

static const int64_t NS_PER_MS = 1000000;
/* Up to the first frame: who waits for a file to begin waits for all of a long nap. */
static const int64_t FIRST_NAP_NS = 5000000;
static const int64_t HEADER_EVERY_NS = 1000000000;
static const int64_t LOOK_EVERY_NS = 1000000000;
static const int64_t SYNC_EVERY_NS = 5000000000;

struct output_file {
    /* Owner, before it is offered. */
    void *file;
    int32_t file_sample;
    int32_t file_bits;
    int32_t channels;
    int32_t keep_header;
    int32_t descriptor;
    _Atomic int64_t frame_limit; /* the owner may raise it later */

    /* Writer. */
    struct extremes *extremes; /* one per channel, the writer's own */
    int64_t header_due_ns;
    int64_t look_due_ns;
    int64_t sync_due_ns;
    int32_t has_begun; /* its header has told of a frame */

    /* Writer, for the owner. */
    struct {
        _Atomic double peak;
        _Atomic int64_t clips;
    } * shown;
    _Atomic int64_t frames;
    _Atomic int64_t readable_frames;
    _Atomic int64_t bytes;
    _Atomic int32_t is_removed;
    _Atomic int32_t file_error; /* 0: none */
    int32_t system_error;       /* written once, before file_error is */
    _Atomic int32_t done;
};

/* ---- output files ---- */

output_file *output_file_new(void *file, int file_sample, int file_bits, int channels,
                             int keep_header, int descriptor, int64_t frame_limit) {
    output_file *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->file = file;
    f->file_sample = file_sample;
    f->file_bits = file_bits;
    f->channels = channels;
    f->keep_header = keep_header;
    f->descriptor = descriptor;
    atomic_store(&f->frame_limit, frame_limit < 0 ? INT64_MAX : frame_limit);
    f->extremes = calloc((size_t)channels, sizeof *f->extremes);
    f->shown = calloc((size_t)channels, sizeof *f->shown);
    if (f->extremes && f->shown)
        return f;
    output_file_free(f);
    return NULL;
}

void output_file_free(output_file *f) {
    if (!f)
        return;
    free(f->extremes);
    free(f->shown);
    free(f);
}

void output_file_read_counts(const output_file *f, struct output_counts *counts) {
    /* acquire, and first: a file that is done shows its final counts */
    counts->done = atomic_load_explicit(&f->done, memory_order_acquire);
    counts->readable_frames = f->keep_header
                                  ? atomic_load_explicit(&f->readable_frames, memory_order_relaxed)
                                  : atomic_load_explicit(&f->frames, memory_order_relaxed);
    counts->frames = atomic_load_explicit(&f->frames, memory_order_relaxed);
    counts->bytes = atomic_load_explicit(&f->bytes, memory_order_relaxed);
    counts->is_removed = atomic_load_explicit(&f->is_removed, memory_order_relaxed);
    /* acquire: with an error comes what the system said */
    counts->file_error = atomic_load_explicit(&f->file_error, memory_order_acquire);
    counts->system_error = counts->file_error ? f->system_error : 0;
}

double output_file_peak(const output_file *f, int channel) {
    return atomic_load_explicit(&f->shown[channel].peak, memory_order_relaxed);
}

int64_t output_file_clips(const output_file *f, int channel) {
    return atomic_load_explicit(&f->shown[channel].clips, memory_order_relaxed);
}

/* ---- writer ---- */

struct writer {
    engine *engine;
    output_file *current;
    int64_t chunk_frames;
    void *gathered;      /* file channels in the device's format */
    void *converted;     /* file channels in the file's type */
    int64_t silence_due; /* frames of a loss still to be filled in */
    int took_last_gap;
};

/* Makes the pipe that ends rests, unless there is one. Without one the writer sleeps them out. */
static void make_wake(engine *e) {
    if (e->writer.wake[0] >= 0 || pipe(e->writer.wake))
        return;
    for (int i = 0; i < 2; ++i) {
        fcntl(e->writer.wake[i], F_SETFD, FD_CLOEXEC);
        fcntl(e->writer.wake[i], F_SETFL, O_NONBLOCK);
    }
}

void writer_wake(const engine *e) {
    /* A pipe that is full is one that wakes. */
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

int writer_is_finished(const engine *e) {
    return atomic_load_explicit(&e->writer.finished, memory_order_acquire);
}

void output_file_unlimit(output_file *f) {
    atomic_store_explicit(&f->frame_limit, INT64_MAX, memory_order_relaxed);
}

void writer_stop(engine *e) {
    atomic_store_explicit(&e->writer_stop, 1, memory_order_relaxed);
    writer_wake(e);
}

static int64_t frames_left(const output_file *f) {
    return atomic_load_explicit(&f->frame_limit, memory_order_relaxed) -
           atomic_load_explicit(&f->frames, memory_order_relaxed);
}

static int64_t frames_of(const output_file *f) {
    return atomic_load_explicit(&f->frames, memory_order_relaxed);
}

static int has_failed(const output_file *f) {
    return atomic_load_explicit(&f->file_error, memory_order_relaxed) != 0;
}

/* The first failure counts. */
static void fail_with(output_file *f, int error, int system_error) {
    if (has_failed(f))
        return;
    f->system_error = system_error;
    /* release: what the system said must be in memory before the error is */
    atomic_store_explicit(&f->file_error, error, memory_order_release);
}

static void fail(const struct writer *w, int system_error) {
    const int error = w->engine->writer.functions->error(w->current->file);
    fail_with(w->current, error ? error : 1, system_error);
}

static void update_header(const struct writer *w) {
    const struct sndfile_functions *functions = w->engine->writer.functions;
    errno = 0;
    functions->command(w->current->file, SFC_UPDATE_HEADER_NOW, NULL, 0);
    if (functions->error(w->current->file)) {
        fail(w, errno);
        return;
    }
    atomic_store_explicit(&w->current->readable_frames, frames_of(w->current),
                          memory_order_relaxed);
}

/* What the system knows of a file by itself: a server that does not answer would hold up the
 * writer. */
struct status {
    int64_t bytes;
    int64_t names;
};

static int read_status(int descriptor, struct status *status) {
#ifdef AT_STATX_DONT_SYNC
    struct statx read;
    const int flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
    if (statx(descriptor, "", flags, STATX_SIZE | STATX_NLINK, &read) != 0)
        return 0;
    *status = (struct status){(int64_t)read.stx_size, read.stx_nlink};
#else
    struct stat read;
    if (fstat(descriptor, &read) != 0)
        return 0;
    *status = (struct status){read.st_size, read.st_nlink};
#endif
    return 1;
}

/* Sees how long the file is and whether it still has a name. */
static void look(output_file *f) {
    struct status status;
    if (!read_status(f->descriptor, &status))
        return;
    atomic_store_explicit(&f->bytes, status.bytes, memory_order_relaxed);
    atomic_store_explicit(&f->is_removed, status.names == 0, memory_order_relaxed);
}

static int sync_to_disk(int descriptor) {
    int result;
    do
        result = fsync(descriptor);
    while (result != 0 && errno == EINTR);
    return result;
}

/* Fails a file on a disk that ends before the place where it is written: another program has cut
 * it off, and what came next would stand behind a hole. Returns whether it may be written. */
static int check_length(const struct writer *w) {
    output_file *f = w->current;
    struct status known;
    if (f->descriptor < 0 || !read_status(f->descriptor, &known))
        return 1;
    const off_t position = lseek(f->descriptor, 0, SEEK_CUR);
    if (known.bytes >= position)
        return 1;
    /* A server may be late to count what it was sent. */
    struct stat status;
    if (sync_to_disk(f->descriptor) != 0)
        fail(w, errno);
    else if (fstat(f->descriptor, &status) == 0 && status.st_size < position)
        fail_with(f, FILE_CUT_SHORT, 0);
    return !has_failed(f);
}

/* Keeps what a crash could cost small: the header to a second, the data on the disk to five. The
 * first frames are told at once, for the file may be about to replace another. */
static void keep_safe(const struct writer *w) {
    output_file *f = w->current;
    if (!f->keep_header && f->descriptor < 0)
        return;
    const int64_t now = engine_monotonic_ns();
    const int sync_asked =
        atomic_exchange_explicit(&w->engine->writer_sync, 0, memory_order_relaxed);
    const int begins = !f->has_begun && frames_of(f) > 0;
    const int is_header_due = sync_asked || begins || now >= f->header_due_ns;
    if (f->keep_header && is_header_due && check_length(w)) {
        update_header(w);
        f->has_begun |= begins;
        f->header_due_ns = now + HEADER_EVERY_NS;
    }
    if (f->descriptor >= 0 && now >= f->look_due_ns) {
        look(f);
        f->look_due_ns = now + LOOK_EVERY_NS;
    }
    if (f->descriptor >= 0 && (sync_asked || now >= f->sync_due_ns)) {
        /* not libsndfile's sync, which keeps to itself that the disk refused what it had taken */
        if (f->sync_due_ns && sync_to_disk(f->descriptor) != 0)
            fail(w, errno);
        f->sync_due_ns = now + SYNC_EVERY_NS;
    }
}

/* Leaves a file, readable to its last frame: its owner may be late to close it, or never come to
 * it. */
static void end_current(struct writer *w) {
    output_file *f = w->current;
    if (!has_failed(f) && check_length(w) && f->keep_header)
        update_header(w);
    if (f->descriptor >= 0)
        look(f);
    /* release: the counts must be final before the owner reads that they are */
    atomic_store_explicit(&f->done, 1, memory_order_release);
    w->current = NULL;
}

/* Takes the offered file where none is being written, or the present one has all its frames. */
static int take_next(struct writer *w) {
    engine *e = w->engine;
    if (w->current && frames_left(w->current) > 0 &&
        !atomic_load_explicit(&e->writer_cut, memory_order_relaxed))
        return 1;
    /* acquire: with the file come its settings */
    output_file *next = atomic_exchange_explicit(&e->offered, NULL, memory_order_acquire);
    if (!next)
        return w->current && frames_left(w->current) > 0;
    if (w->current)
        end_current(w);
    atomic_store_explicit(&e->writer_cut, 0, memory_order_relaxed);
    w->current = next;
    keep_safe(w);
    return 1;
}

static void show_extremes(output_file *f) {
    for (int i = 0; i < f->channels; ++i) {
        atomic_store_explicit(&f->shown[i].peak, f->extremes[i].peak, memory_order_relaxed);
        atomic_store_explicit(&f->shown[i].clips, f->extremes[i].clips, memory_order_relaxed);
    }
}

static int64_t write_file(const struct writer *w, const void *samples, int64_t frames) {
    const struct sndfile_functions *functions = w->engine->writer.functions;
    void *file = w->current->file;
    switch (w->current->file_sample) {
    case FILE_FLOAT32:
        return functions->write_float(file, samples, frames);
    case FILE_INT16:
        return functions->write_short(file, samples, frames);
    default:
        return functions->write_int(file, samples, frames);
    }
}

/* Writes frames that already have the file's type and channels. */
static void write_frames(struct writer *w, const void *samples, int64_t frames) {
    output_file *f = w->current;
    if (!check_length(w))
        return;
    errno = 0;
    const int64_t written = write_file(w, samples, frames);
    const int system_error = errno;
    atomic_store_explicit(&f->frames, frames_of(f) + most(0, written), memory_order_relaxed);
    /* Vorbis and MP3 take every frame and only leave an error behind. */
    if (written != frames || w->engine->writer.functions->error(f->file))
        fail(w, system_error);
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
        write_frames(w, samples, frames);
        return;
    }
    samples = converted(w->converted, f->file_sample, f->file_bits, samples, format,
                        frames * f->channels);
    add_extremes(f->extremes, samples, f->file_sample, f->file_bits, frames, f->channels);
    show_extremes(f);
    write_frames(w, samples, frames);
}

/* Writes one chunk of what waits: silence for a loss, or captured frames. Returns the frames. */
static int64_t write_chunk(struct writer *w) {
    engine *e = w->engine;
    ring *r = e->capture.frames;
    const int64_t fits = least(w->chunk_frames, frames_left(w->current));
    if (w->silence_due) {
        const int64_t frames = least(fits, w->silence_due);
        const int is_unsigned =
            w->current->file_sample == FILE_DEVICE && e->capture.sample_format == SAMPLE_UINT8;
        memset(w->converted, is_unsigned ? 0x80 : 0,
               (size_t)(frames * w->current->channels) * BYTES_PER_FILE_SAMPLE);
        write_frames(w, w->converted, frames);
        w->silence_due -= frames;
        return frames;
    }
    /* The ring first, the gaps second: a gap is published before the frames that follow it. */
    int64_t available = (int64_t)ring_available(r);
    const uint64_t index = atomic_load_explicit(&r->read, memory_order_relaxed);
    if (ring_available(e->gaps)) {
        const struct loss *gap =
            (const struct loss *)(const void *)ring_span_at(
                e->gaps, atomic_load_explicit(&e->gaps->read, memory_order_relaxed), 1)
                .first;
        const int64_t before_gap = (int64_t)(gap->ring_index - index);
        if (before_gap == 0) {
            w->silence_due = gap->frames;
            ring_consume(e->gaps, 1);
            return write_chunk(w);
        }
        available = least(available, before_gap);
    }
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
    return !ring_available(e->capture.frames) && !ring_available(e->gaps) && !w->silence_due;
}

/* A loss that was still open at the end comes behind everything else. Returns whether there is one.
 */
static int take_last_gap(struct writer *w) {
    if (w->took_last_gap || !w->engine->last_gap_frames)
        return 0;
    w->took_last_gap = 1;
    w->silence_due = w->engine->last_gap_frames;
    return 1;
}

static void write_until_the_end(struct writer *w) {
    engine *e = w->engine;
    for (;;) {
        /* acquire, and before the ring is looked at: what is stored by then is all */
        const int finished = atomic_load_explicit(&e->capture_finished, memory_order_acquire);
        /* Where a header could not be updated, libsndfile has left the file at its beginning. */
        if (w->current && has_failed(w->current))
            return;
        const int has_file = take_next(w);
        const int64_t frames = has_file ? write_chunk(w) : 0;
        if (w->current && has_failed(w->current))
            return;
        if (frames) {
            keep_safe(w);
            continue;
        }
        if (finished && is_drained(w) && !take_last_gap(w))
            return;
        if (atomic_load_explicit(&e->writer_stop, memory_order_relaxed))
            return;
        const int has_begun = !w->current || frames_of(w->current) > 0;
        rest(e, has_begun ? e->writer.nap_ns : least(FIRST_NAP_NS, e->writer.nap_ns));
        if (w->current)
            keep_safe(w);
    }
}

int writer_run(engine *e) {
    const int64_t fits = scratch_frames_for(SCRATCH_SAMPLES, e->writer.file_channels);
    const int64_t part =
        most(LEAST_SCRATCH_FRAMES, (int64_t)e->capture.frames->capacity / LEAST_CHUNKS);
    struct writer w = {.engine = e, .chunk_frames = least(fits, part)};
    w.gathered = scratch_for(w.chunk_frames, e->writer.file_channels);
    w.converted = scratch_for(w.chunk_frames, e->writer.file_channels);
    int status = LOOP_OUT_OF_MEMORY;
    if (w.gathered && w.converted) {
        write_until_the_end(&w);
        status = w.current && has_failed(w.current) ? LOOP_FILE_ERROR : LOOP_OK;
    }
    if (w.current)
        end_current(&w);
    free(w.gathered);
    free(w.converted);
    /* release: nothing is written any more once this is read */
    atomic_store_explicit(&e->writer.finished, 1, memory_order_release);
    return status;
}
