/* What the C core itself costs: the callback, and the loops around files that only count.
 *
 * Prints a line per measurement, tab-separated: table, row, channels, column, nanoseconds per
 * frame. benchmarks/core.py builds it, runs it several times and prints the tables.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "_engine.h"
#include "_output_file.h"
#include "_ring.h"

enum { BLOCK_FRAMES = 256, BLOCKS = 2000, MOST_CHANNELS = 64, NAP_NS = 1000, CHUNK_FRAMES = 16384 };
enum { FURTHER_COPIES = 3 };

static const uint64_t RING_BYTES = UINT64_C(1) << 21;

static const struct {
    const char *name;
    int code;
    int bytes;
} formats[] = {
    {"float32", SAMPLE_FLOAT32, 4},
    {"int32", SAMPLE_INT32, 4},
    {"int24", SAMPLE_INT24, 3},
    {"int16", SAMPLE_INT16, 2},
};

enum { FLOAT32, INT32, INT24, INT16, FORMATS };

static _Noreturn void give_up(const char *reason) {
    (void)fprintf(stderr, "core: %s\n", reason);
    exit(EXIT_FAILURE);
}

/* The processor's time, not the wall's: what else runs on the machine counts less. */
static double now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void tell(const char *table, const char *row, int channels, const char *column,
                 double nanoseconds, uint64_t frames) {
    printf("%s\t%s\t%d\t%s\t%.4f\n", table, row, channels, column, nanoseconds / (double)frames);
}

/* Noise at about -12 dB, as a device or a file would give it. */
static void fill(void *samples, int format, int64_t count) {
    unsigned char *bytes = samples;
    uint32_t noise = 1;
    for (int64_t i = 0; i < count; ++i) {
        noise = noise * 1664525u + 1013904223u;
        const int32_t sample = (int32_t)noise / 4;
        const float as_float = (float)sample * 0x1p-31f;
        if (format == FLOAT32)
            memcpy(bytes + 4 * i, &as_float, 4);
        else /* little-endian: the upper bytes */
            memcpy(bytes + formats[format].bytes * i,
                   (const char *)&sample + 4 - formats[format].bytes,
                   (size_t)formats[format].bytes);
    }
}

static void *filled(int format, int64_t count) {
    void *samples = malloc((size_t)count * 4);
    if (!samples)
        give_up("out of memory");
    fill(samples, format, count);
    return samples;
}

static ring *make_ring(int format, int channels) {
    const uint32_t frame_bytes = (uint32_t)(channels * formats[format].bytes);
    uint64_t capacity = 1;
    while (capacity * frame_bytes * 2 <= RING_BYTES)
        capacity *= 2;
    ring *r = ring_new(frame_bytes, capacity, NULL);
    if (!r)
        give_up("out of memory");
    return r;
}

static void fill_ring(ring *r, int format, int channels) {
    const struct ring_span all = ring_span_at(r, 0, ring_capacity(r));
    fill(all.first, format, (int64_t)all.first_elements * channels);
}

/* ---- maps ---- */

enum { IDENTITY, REVERSED, MONO, REPEATS, OTHER_WIDTH, MAPS };

static const char *const maps[] = {"identity", "reversed", "mono to all", "repeats, zeros",
                                   "64 to 2, 2 to 64"};

static int sources_of(int kind, int channels) {
    if (kind == OTHER_WIDTH)
        return channels == 2 ? 64 : 2;
    return kind == MONO ? 1 : channels;
}

static void make_map(int32_t *map, int kind, int channels) {
    for (int i = 0; i < channels; ++i) {
        const int32_t of_kind[] = {i, channels - 1 - i, 0, i % 3 == 1 ? -1 : i / 2,
                                   channels == 2 ? 40 - 35 * i : i % 2};
        map[i] = of_kind[kind];
    }
}

/* ---- the callback ---- */

enum mode { RECORD = 1, PLAY = 2, DUPLEX = RECORD | PLAY };

/* A device without an engine, or with one: what runs for every block. */
struct device {
    engine *engine; /* NULL: only copies, what there is to do at least */
    ring *captured;
    ring *further[FURTHER_COPIES]; /* of what is captured; NULL: none */
    ring *played;
    void *input;
    void *output;
};

static void make_room(ring *r) {
    if (ring_writable(r) < BLOCK_FRAMES)
        (void)ring_advance_read(r, ring_readable(r));
}

static void run_blocks(struct device *d) {
    for (int i = 0; i < BLOCKS; ++i) {
        if (d->output && ring_readable(d->played) < BLOCK_FRAMES)
            (void)ring_advance_write(d->played, ring_writable(d->played));
        if (d->input)
            make_room(d->captured);
        for (int k = 0; k < FURTHER_COPIES && d->further[k]; ++k)
            make_room(d->further[k]);
        if (d->engine) {
            (void)engine_callback(d->input, d->output, BLOCK_FRAMES, NULL, 0, d->engine);
            continue;
        }
        if (d->output)
            (void)ring_read(d->played, d->output, BLOCK_FRAMES);
        if (d->input)
            (void)ring_write(d->captured, d->input, BLOCK_FRAMES);
        for (int k = 0; k < FURTHER_COPIES && d->further[k]; ++k)
            (void)ring_write(d->further[k], d->input, BLOCK_FRAMES);
    }
}

static void time_blocks(const char *row, struct device *d, int format, int channels) {
    run_blocks(d); /* once for the caches */
    const double start = now_ns();
    run_blocks(d);
    tell("callback", row, channels, formats[format].name, now_ns() - start,
         (uint64_t)BLOCKS * BLOCK_FRAMES);
}

/* Times the callback of a device, and then its copies alone. The engine is freed. */
static void time_both(const char *row, const char *copies, struct device *d, int format,
                      int channels) {
    engine_prepare(d->engine, -1, 0, 0, 0, 0, 48000);
    time_blocks(row, d, format, channels);
    engine_free(d->engine);
    d->engine = NULL;
    time_blocks(copies, d, format, channels);
}

static void time_callback(const char *row, const char *copies, enum mode mode, int format,
                          int channels) {
    struct device d = {
        .engine = engine_new(),
        .captured = make_ring(format, channels),
        .played = make_ring(format, channels),
        .input = mode & RECORD ? filled(format, BLOCK_FRAMES * channels) : NULL,
        .output = mode & PLAY ? filled(format, BLOCK_FRAMES * channels) : NULL,
    };
    fill_ring(d.played, format, channels);
    const int code = formats[format].code;
    if (!d.engine || (d.input && !engine_set_capture(d.engine, d.captured, code, channels)) ||
        (d.output && !engine_set_playback(d.engine, d.played, code, channels)))
        give_up("the engine does not take this");
    time_both(row, copies, &d, format, channels);
    free(d.input);
    free(d.output);
    ring_free(d.captured);
    ring_free(d.played);
}

/* A ring that has other channels than the device, or the same in another order. */
static void time_mapped_callback(const char *row, int kind, int format, int channels) {
    struct device d = {
        .engine = engine_new(),
        .captured = make_ring(format, channels),
        .input = filled(format, BLOCK_FRAMES * channels),
    };
    int32_t map[MOST_CHANNELS];
    make_map(map, kind, channels);
    if (!d.engine || !engine_set_capture(d.engine, NULL, formats[format].code, channels) ||
        !engine_map_capture(d.engine, d.captured, map, channels))
        give_up("the engine does not take this map");
    engine_prepare(d.engine, -1, 0, 0, 0, 0, 48000);
    time_blocks(row, &d, format, channels);
    engine_free(d.engine);
    free(d.input);
    ring_free(d.captured);
}

/* A recording that goes to several places. */
static void time_copies(const char *row, const char *copies, int format, int channels) {
    const int code = formats[format].code;
    struct device d = {
        .engine = engine_new_in(-1, 0, FURTHER_COPIES),
        .captured = make_ring(format, channels),
        .input = filled(format, BLOCK_FRAMES * channels),
    };
    if (!d.engine || !engine_set_capture(d.engine, d.captured, code, channels))
        give_up("the engine does not take this");
    for (int i = 0; i < FURTHER_COPIES; ++i) {
        d.further[i] = make_ring(format, channels);
        if (!engine_add_copy(d.engine, d.further[i]))
            give_up("the engine does not take a copy");
    }
    time_both(row, copies, &d, format, channels);
    free(d.input);
    ring_free(d.captured);
    for (int i = 0; i < FURTHER_COPIES; ++i)
        ring_free(d.further[i]);
}

static void time_callbacks(int channels) {
    for (int format = 0; format < FORMATS; ++format) {
        time_callback("record", "record, memcpy", RECORD, format, channels);
        time_copies("record, 3 copies", "3 copies, memcpy", format, channels);
        time_mapped_callback("record, reversed", REVERSED, format, channels);
        time_mapped_callback("record, with zeros", REPEATS, format, channels);
        time_callback("play", "play, memcpy", PLAY, format, channels);
        time_callback("duplex", "duplex, memcpy", DUPLEX, format, channels);
    }
}

/* ---- files that only count ---- */

struct counting_file {
    int64_t frames_left; /* to be read */
    int channels;
    int format;       /* of what is read */
    const void *seen; /* the buffer that holds noise by now */
};

static int64_t read_some(struct counting_file *f, void *samples, int64_t frames) {
    const int64_t got = frames < f->frames_left ? frames : f->frames_left;
    if (samples != f->seen && got)
        fill(samples, f->format, got * f->channels);
    f->seen = samples;
    f->frames_left -= got;
    return got;
}

static int64_t read_short(void *file, short *samples, int64_t frames) {
    return read_some(file, samples, frames);
}

static int64_t read_int(void *file, int *samples, int64_t frames) {
    return read_some(file, samples, frames);
}

static int64_t read_float(void *file, float *samples, int64_t frames) {
    return read_some(file, samples, frames);
}

static int64_t write_short(void *file, const short *samples, int64_t frames) {
    (void)file;
    (void)samples;
    return frames;
}

static int64_t write_int(void *file, const int *samples, int64_t frames) {
    (void)file;
    (void)samples;
    return frames;
}

static int64_t write_float(void *file, const float *samples, int64_t frames) {
    (void)file;
    (void)samples;
    return frames;
}

static int no_error(void *file) {
    (void)file;
    return 0;
}

static const struct sndfile_functions counting = {
    .read_short = read_short,
    .read_int = read_int,
    .read_float = read_float,
    .write_short = write_short,
    .write_int = write_int,
    .write_float = write_float,
    .error = no_error,
};

/* ---- the loops ---- */

struct passage {
    const char *row;
    int format;
    int file_sample;
    int file_bits;
};

static void time_writer(const struct passage *p, int channels, int kind) {
    const int device_channels = sources_of(kind, channels);
    ring *r = make_ring(p->format, device_channels);
    const int wider = device_channels > channels ? device_channels : channels;
    const uint64_t frames = ring_capacity(r) * (uint64_t)device_channels / (uint64_t)wider;
    int32_t map[MOST_CHANNELS];
    make_map(map, kind, channels);
    fill_ring(r, p->format, device_channels);
    engine *e = engine_new();
    output_file *f = output_file_new(NULL, p->file_sample, p->file_bits, channels, 0, -1, -1, -1);
    if (!e || !f || !engine_set_capture(e, r, formats[p->format].code, device_channels) ||
        writer_configure(engine_first_copy(e), &counting, map, channels, NAP_NS) != LOOP_OK)
        give_up("the engine does not take this");
    engine_prepare(e, -1, 0, 0, 0, 0, 48000);
    (void)ring_advance_write(r, frames);
    (void)writer_offer(engine_first_copy(e), f);
    engine_finish(e);
    const double start = now_ns();
    if (writer_run(engine_first_copy(e)) != LOOP_OK)
        give_up("the writer failed");
    tell("writer", p->row, channels, maps[kind], now_ns() - start, frames);
    output_file_free(f);
    engine_free(e);
    ring_free(r);
}

static int format_of_file(const struct passage *p) {
    if (p->file_sample == FILE_FLOAT32)
        return FLOAT32;
    return p->file_sample == FILE_INT16 ? INT16 : INT32;
}

static void time_reader(const struct passage *p, int channels, int kind) {
    ring *r = make_ring(p->format, channels);
    /* it would wait for room while less than a quarter is free */
    const uint64_t frames = ring_capacity(r) / 2;
    int32_t map[MOST_CHANNELS];
    make_map(map, kind, channels);
    struct counting_file f = {
        .frames_left = (int64_t)frames,
        .channels = sources_of(kind, channels),
        .format = format_of_file(p),
    };
    engine *e = engine_new();
    if (!e || !engine_set_playback(e, r, formats[p->format].code, channels) ||
        reader_configure(e, &counting, &f, p->file_sample, f.channels, map, 0, CHUNK_FRAMES,
                         NAP_NS) != LOOP_OK)
        give_up("the engine does not take this");
    engine_prepare(e, -1, 0, 0, 0, 0, 48000);
    /* where nothing is converted the file writes into the ring: no noise then */
    if (kind == IDENTITY && p->format == f.format) {
        f.format = INT32;
        f.channels = 0;
    }
    const double start = now_ns();
    if (reader_run(e) != LOOP_OK)
        give_up("the reader failed");
    tell("reader", p->row, channels, maps[kind], now_ns() - start, frames);
    engine_free(e);
    ring_free(r);
}

static void time_copy_of_ring(const char *table, const char *row, int format, int channels) {
    ring *r = make_ring(format, channels);
    const uint64_t frames = ring_capacity(r);
    void *scratch = filled(format, CHUNK_FRAMES * channels);
    (void)ring_advance_write(r, frames);
    const double start = now_ns();
    for (uint64_t done = 0; done < frames;)
        done += ring_read(r, scratch, CHUNK_FRAMES / (uint64_t)channels);
    tell(table, row, channels, "memcpy", now_ns() - start, frames);
    free(scratch);
    ring_free(r);
}

static const struct passage writer_passages[] = {
    {"float32 to FLOAT", FLOAT32, FILE_FLOAT32, 0}, {"int32 to PCM_24", INT32, FILE_INT32, 24},
    {"int32 to PCM_16", INT32, FILE_INT16, 16},     {"float32 to PCM_24", FLOAT32, FILE_INT32, 24},
    {"int24 to PCM_24", INT24, FILE_INT32, 24},     {"int16 to PCM_16", INT16, FILE_INT16, 16},
};

static const struct passage reader_passages[] = {
    {"FLOAT to float32", FLOAT32, FILE_FLOAT32, 0}, {"FLOAT to int24", INT24, FILE_FLOAT32, 0},
    {"PCM_24 to int32", INT32, FILE_INT32, 0},      {"PCM_24 to float32", FLOAT32, FILE_INT32, 0},
    {"PCM_24 to int24", INT24, FILE_INT32, 0},      {"PCM_16 to int32", INT32, FILE_INT16, 0},
    {"PCM_16 to float32", FLOAT32, FILE_INT16, 0},  {"PCM_16 to int16", INT16, FILE_INT16, 0},
};

static void time_loops(int channels) {
    for (size_t i = 0; i < sizeof writer_passages / sizeof *writer_passages; ++i) {
        const struct passage *p = &writer_passages[i];
        for (int kind = 0; kind < MAPS; ++kind)
            time_writer(p, channels, kind);
        time_copy_of_ring("writer", p->row, p->format, channels);
    }
    for (size_t i = 0; i < sizeof reader_passages / sizeof *reader_passages; ++i) {
        const struct passage *p = &reader_passages[i];
        for (int kind = 0; kind < MAPS; ++kind)
            time_reader(p, channels, kind);
        time_copy_of_ring("reader", p->row, p->format, channels);
    }
}

int main(void) {
    time_callbacks(2);
    time_callbacks(8);
    time_callbacks(64);
    time_loops(2);
    time_loops(64);
    return EXIT_SUCCESS;
}
