/* What the loops of reader and writer cost for each frame, around files that only count. */
#include <stdlib.h>

#include "_engine.h"
#include "_output_file.h"
#include "_ring.h"
#include "measuring.h"

enum { NAP_NS = 1000, CHUNK_FRAMES = 16384 };

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

void time_loops(int channels) {
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
