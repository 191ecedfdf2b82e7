/* Converts samples from one format to another, in loops that compilers turn into vectors. */
#include "_real_time.h"

#include "_convert.h"

#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "samples of three bytes are taken apart as little-endian machines have them"
#endif

/* LANES samples at a time: a loop with this constant count is always compiled to vector
 * instructions, without a branch. The last few samples are padded to LANES. A tile fits in the
 * first-level cache. */
enum { LANES = 16, TILE_SAMPLES = 512 };

union lanes {
    int32_t int32[LANES];
    float float32[LANES];
    int16_t int16[LANES];
    unsigned char bytes[3 * LANES];
};

int sample_bytes(int sample_format) {
    switch (sample_format) {
    case SAMPLE_FLOAT32:
    case SAMPLE_INT32:
        return 4;
    case SAMPLE_INT24:
        return 3;
    case SAMPLE_INT16:
        return 2;
    default:
        return 1;
    }
}

/* ---- to int32 ---- */

static void int32_of_float32(int32_t *target, const float *source, int64_t samples) {
    for (int64_t i = 0; i < samples; i += LANES, target += LANES, source += LANES)
        for (int lane = 0; lane < LANES; ++lane) {
            /* Between 2^21 and 2^22 the last bit of a double stands for 2^-31. So this addition
             * rounds the sample to a multiple of 2^-31 (halves to even), and the lower 32 bits of
             * the sum are the integer sample. */
            const double shifted = (double)source[lane] + 0x1.8p21;
            uint64_t bits;
            memcpy(&bits, &shifted, sizeof bits);
            /* Masks instead of branches. For NaN all three are 0, and so is the sample. */
            const int32_t inside = -(int32_t)((source[lane] > -1.0f) & (source[lane] < 1.0f));
            const int32_t above = -(int32_t)(source[lane] >= 1.0f);
            const int32_t below = -(int32_t)(source[lane] <= -1.0f);
            target[lane] = ((int32_t)(uint32_t)bits & inside) | (above & INT32_MAX);
            target[lane] |= below & INT32_MIN;
        }
}

/* Loads LANES samples of three bytes into the upper three bytes of a word each. The lowest byte of
 * each word belongs to another sample. */
static inline void load_int24(uint32_t *words, const unsigned char *source) {
    memcpy(&words[0], source, 4);
    words[0] <<= 8;
    for (int lane = 1; lane < LANES; ++lane)
        memcpy(&words[lane], source + 3 * lane - 1, 4);
}

static void int32_of_int24(int32_t *target, const unsigned char *source, int64_t samples) {
    for (int64_t i = 0; i < samples; i += LANES, target += LANES, source += 3 * LANES) {
        uint32_t words[LANES];
        load_int24(words, source);
        for (int lane = 0; lane < LANES; ++lane)
            target[lane] = (int32_t)(words[lane] & 0xFFFFFF00u);
    }
}

static void int32_of_int16(int32_t *target, const uint16_t *source, int64_t samples) {
    for (int64_t i = 0; i < samples; i += LANES, target += LANES, source += LANES)
        for (int lane = 0; lane < LANES; ++lane)
            target[lane] = (int32_t)((uint32_t)source[lane] << 16);
}

static void int32_of_8_bits(int32_t *target, const uint8_t *source, uint8_t zero, int64_t samples) {
    for (int64_t i = 0; i < samples; i += LANES, target += LANES, source += LANES)
        for (int lane = 0; lane < LANES; ++lane)
            target[lane] = (int32_t)((uint32_t)(source[lane] ^ zero) << 24);
}

static const int32_t *widened(int32_t *buffer, const void *source, int format, int64_t samples) {
    switch (format) {
    case SAMPLE_FLOAT32:
        int32_of_float32(buffer, source, samples);
        return buffer;
    case SAMPLE_INT24:
        int32_of_int24(buffer, source, samples);
        return buffer;
    case SAMPLE_INT16:
        int32_of_int16(buffer, source, samples);
        return buffer;
    case SAMPLE_INT8:
        int32_of_8_bits(buffer, source, 0, samples);
        return buffer;
    case SAMPLE_UINT8:
        int32_of_8_bits(buffer, source, 0x80, samples);
        return buffer;
    default:
        return source;
    }
}

/* ---- from int32 ---- */

/* Rounds to the nearest multiple of 2 * half that fits into an int32. */
static inline int32_t rounded(int32_t sample, int32_t half) {
    return (sample + (sample > INT32_MAX - half ? 0 : half)) & -2 * half;
}

static void float32_of_int32(float *target, const int32_t *source, int64_t samples) {
    for (int64_t i = 0; i < samples; i += LANES, target += LANES, source += LANES)
        for (int lane = 0; lane < LANES; ++lane)
            target[lane] = (float)source[lane] * 0x1p-31f;
}

static void round_int32(int32_t *target, int32_t half, const int32_t *source, int64_t samples) {
    for (int64_t i = 0; i < samples; i += LANES, target += LANES, source += LANES)
        for (int lane = 0; lane < LANES; ++lane)
            target[lane] = rounded(source[lane], half);
}

static void int24_of_int32(unsigned char *target, const int32_t *source, int64_t samples) {
    for (int64_t i = 0; i < samples; i += LANES, target += 3 * LANES, source += LANES) {
        uint32_t words[LANES];
        for (int lane = 0; lane < LANES; ++lane)
            words[lane] = (uint32_t)rounded(source[lane], 0x80) >> 8;
        /* each store writes one byte too many, which the next store overwrites */
        for (int lane = 0; lane < LANES - 1; ++lane)
            memcpy(target + 3 * lane, &words[lane], 4);
        memcpy(target + 3 * (LANES - 1), &words[LANES - 1], 3);
    }
}

static void int16_of_int32(int16_t *target, const int32_t *source, int64_t samples) {
    for (int64_t i = 0; i < samples; i += LANES, target += LANES, source += LANES)
        for (int lane = 0; lane < LANES; ++lane)
            target[lane] = (int16_t)(rounded(source[lane], 0x8000) >> 16);
}

static void int32_to_8_bits(uint8_t *target, uint8_t zero, const int32_t *source, int64_t samples) {
    for (int64_t i = 0; i < samples; i += LANES, target += LANES, source += LANES)
        for (int lane = 0; lane < LANES; ++lane)
            target[lane] = (uint8_t)((rounded(source[lane], 0x800000) >> 24) ^ zero);
}

static void narrow(void *target, int format, int bits, const int32_t *source, int64_t samples) {
    switch (format) {
    case SAMPLE_FLOAT32:
        float32_of_int32(target, source, samples);
        break;
    case SAMPLE_INT24:
        int24_of_int32(target, source, samples);
        break;
    case SAMPLE_INT16:
        int16_of_int32(target, source, samples);
        break;
    case SAMPLE_INT8:
        int32_to_8_bits(target, 0, source, samples);
        break;
    case SAMPLE_UINT8:
        int32_to_8_bits(target, 0x80, source, samples);
        break;
    default:
        round_int32(target, INT32_C(1) << (31 - bits), source, samples);
    }
}

/* ---- from any to any ---- */

/* The meter converts like this for most devices, so it is done without the step through int32. */
static void float32_of_int24(float *target, const unsigned char *source, int64_t samples) {
    for (int64_t i = 0; i < samples; i += LANES, target += LANES, source += 3 * LANES) {
        uint32_t words[LANES];
        load_int24(words, source);
        for (int lane = 0; lane < LANES; ++lane)
            target[lane] = (float)(int32_t)(words[lane] & 0xFFFFFF00u) * 0x1p-31f;
    }
}

static int significant_bits(int sample_format) {
    return sample_format == SAMPLE_FLOAT32 ? ALL_BITS : 8 * sample_bytes(sample_format);
}

/* Converts a multiple of LANES samples, at most a tile. */
static void convert_tile(void *target, int target_format, int bits, const void *source,
                         int source_format, int64_t samples) {
    if (target_format == SAMPLE_INT32 && significant_bits(source_format) <= bits) {
        (void)widened(target, source, source_format, samples);
        return;
    }
    if (target_format == SAMPLE_FLOAT32 && source_format == SAMPLE_INT24) {
        float32_of_int24(target, source, samples);
        return;
    }
    int32_t wide[TILE_SAMPLES];
    narrow(target, target_format, bits, widened(wide, source, source_format, samples), samples);
}

static int is_same(int target_format, int bits, int source_format) {
    return source_format == target_format && (source_format != SAMPLE_INT32 || bits == ALL_BITS);
}

void convert(void *target, int target_format, int bits, const void *source, int source_format,
             int64_t samples) {
    const int target_bytes = sample_bytes(target_format);
    const int source_bytes = sample_bytes(source_format);
    if (is_same(target_format, bits, source_format)) {
        memcpy(target, source, (size_t)(samples * source_bytes));
        return;
    }
    unsigned char *to = target;
    const unsigned char *from = source;
    int64_t left = samples;
    while (left >= LANES) {
        const int64_t tile = left < TILE_SAMPLES ? left - left % LANES : TILE_SAMPLES;
        convert_tile(to, target_format, bits, from, source_format, tile);
        to += tile * target_bytes;
        from += tile * source_bytes;
        left -= tile;
    }
    union lanes last_from = {{0}};
    union lanes last_to;
    memcpy(&last_from, from, (size_t)(left * source_bytes));
    convert_tile(&last_to, target_format, bits, &last_from, source_format, LANES);
    memcpy(to, &last_to, (size_t)(left * target_bytes));
}

const void *converted(void *buffer, int target_format, int bits, const void *source,
                      int source_format, int64_t samples) {
    if (is_same(target_format, bits, source_format))
        return source;
    convert(buffer, target_format, bits, source, source_format, samples);
    return buffer;
}
