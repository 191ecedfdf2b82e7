#include "measuring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "_engine.h"

static const uint64_t RING_BYTES = UINT64_C(1) << 21;

const struct format formats[FORMATS] = {
    {"float32", SAMPLE_FLOAT32, 4},
    {"int32", SAMPLE_INT32, 4},
    {"int24", SAMPLE_INT24, 3},
    {"int16", SAMPLE_INT16, 2},
};

const char *const maps[MAPS] = {"identity", "reversed", "mono to all", "repeats, zeros",
                                "64 to 2, 2 to 64"};

_Noreturn void give_up(const char *reason) {
    (void)fprintf(stderr, "core: %s\n", reason);
    exit(EXIT_FAILURE);
}

double now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

void tell(const char *table, const char *row, int channels, const char *column, double nanoseconds,
          uint64_t frames) {
    printf("%s\t%s\t%d\t%s\t%.4f\n", table, row, channels, column, nanoseconds / (double)frames);
}

void fill(void *samples, int format, int64_t count) {
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

void *filled(int format, int64_t count) {
    void *samples = malloc((size_t)count * 4);
    if (!samples)
        give_up("out of memory");
    fill(samples, format, count);
    return samples;
}

ring *make_ring(int format, int channels) {
    const uint32_t frame_bytes = (uint32_t)(channels * formats[format].bytes);
    uint64_t capacity = 1;
    while (capacity * frame_bytes * 2 <= RING_BYTES)
        capacity *= 2;
    ring *r = ring_new(frame_bytes, capacity, NULL);
    if (!r)
        give_up("out of memory");
    return r;
}

void fill_ring(ring *r, int format, int channels) {
    const struct ring_span all = ring_span_at(r, 0, ring_capacity(r));
    fill(all.first, format, (int64_t)all.first_elements * channels);
}

int sources_of(int kind, int channels) {
    if (kind == OTHER_WIDTH)
        return channels == 2 ? 64 : 2;
    return kind == MONO ? 1 : channels;
}

void make_map(int32_t *map, int kind, int channels) {
    for (int i = 0; i < channels; ++i) {
        const int32_t of_kind[] = {i, channels - 1 - i, 0, i % 3 == 1 ? -1 : i / 2,
                                   channels == 2 ? 40 - 35 * i : i % 2};
        map[i] = of_kind[kind];
    }
}
