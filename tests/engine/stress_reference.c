#include "stress_reference.h"

#include <math.h>
#include <string.h>

#include "stress_signal.h"

static const double FULL_SCALE = 2147483648.0;

/* ---- what it should be ---- */

int32_t rounded(int32_t sample, int bits) {
    const int64_t step = INT64_C(1) << (32 - bits);
    const int64_t up = (int64_t)sample + step / 2;
    const int64_t code = (up - ((up % step) + step) % step) / step;
    return (int32_t)(least_of(code, INT32_MAX / step) * step);
}

static int32_t int32_of_float(float sample) {
    if (isnan(sample))
        return 0;
    const double scaled = nearbyint((double)sample * FULL_SCALE);
    return (int32_t)fmin(fmax(scaled, (double)INT32_MIN), (double)INT32_MAX);
}

float float_at(const void *samples, int64_t index) {
    float value;
    memcpy(&value, (const char *)samples + index * 4, sizeof value);
    return value;
}

static int32_t wide_at(const void *samples, int sample_format, int64_t index) {
    return sample_format == SAMPLE_FLOAT32 ? int32_of_float(float_at(samples, index))
                                           : get_sample(samples, sample_format, index);
}

void expect_sample(void *to, int64_t to_index, int to_format, int bits, const void *from,
                   int64_t from_index, int from_format) {
    if (from_index < 0) {
        put_sample(to, to_format, to_index, 0);
    } else if (to_format == SAMPLE_FLOAT32 && from_format == SAMPLE_FLOAT32) {
        memcpy((char *)to + to_index * 4, (const char *)from + from_index * 4, 4);
    } else {
        const int32_t wide = wide_at(from, from_format, from_index);
        put_sample(to, to_format, to_index,
                   to_format == SAMPLE_FLOAT32 ? wide : rounded(wide, bits));
    }
}

static unsigned bits_at(const void *samples, int64_t index, int bytes) {
    unsigned bits = 0;
    memcpy(&bits, (const char *)samples + index * bytes, (size_t)bytes);
    return bits;
}

void expect_same(const char *what, const void *got, const void *expected, int sample_format,
                 int64_t samples) {
    const int bytes = bytes_per_sample(sample_format);
    for (int64_t i = 0; i < samples; ++i)
        if (memcmp((const char *)got + i * bytes, (const char *)expected + i * bytes,
                   (size_t)bytes) != 0)
            violation("%s: sample %lld of format %d is %#x instead of %#x", what, (long long)i,
                      sample_format, bits_at(got, i, bytes), bits_at(expected, i, bytes));
}

/* ---- what there is to carry ---- */

static float random_float(struct random *r) {
    static const float special[] = {
        0.0f,       -0.0f,      1.0f,      -1.0f,          1.5f,       -1.5f,
        3e38f,      -3e38f,     INFINITY,  -INFINITY,      NAN,        -NAN,
        1e-45f,     -1e-45f,    0x1p-126f, 0x1p-31f,       -0x1p-31f,  0x1p-32f,
        -0x1p-32f,  0x1.8p-31f, 0x1p-16f,  0x1.fffffep-1f, 0x1p-9f,    -0x1.fffffep-1f,
        0x1.8p-32f, 0x1.8p-16f, 0x1.8p-8f, 0x1.fffffcp-1f, -0x1.8p-8f, 0x1.00001p-9f,
    };
    if (one_in(r, 8))
        return special[random_from(r, 0, sizeof special / sizeof *special - 1)];
    /* any exponent, or one that a recording has */
    const double fraction = (double)random_from(r, -INT32_MAX, INT32_MAX) / FULL_SCALE;
    return (float)ldexp(fraction, (int)random_from(r, one_in(r, 4) ? -140 : -20, 1));
}

static int32_t random_int(struct random *r) {
    static const int32_t special[] = {
        0,          -1,         1,       INT32_MAX, INT32_MIN,  0x7F,       0x80,
        0x7FFF,     0x8000,     -0x80,   -0x81,     -0x8000,    0x7FFFFF80, 0x7FFFFF7F,
        0x7FFF8000, 0x7FFF7FFF, -0x8001, 0x800000,  0x7F800000, 0x7F7FFFFF,
    };
    if (one_in(r, 8))
        return special[random_from(r, 0, sizeof special / sizeof *special - 1)];
    return (int32_t)(uint32_t)random_bits(r);
}

void random_samples(struct random *r, void *samples, int sample_format, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
        const float value = random_float(r);
        if (sample_format == SAMPLE_FLOAT32)
            memcpy((char *)samples + 4 * i, &value, sizeof value);
        else
            put_sample(samples, sample_format, i, random_int(r));
    }
}

void random_map(struct random *r, int32_t *map, int targets, int sources) {
    const int identity = targets == sources && one_in(r, 3);
    for (int i = 0; i < targets; ++i)
        map[i] = identity ? i : (int32_t)random_from(r, -1, sources - 1);
}
