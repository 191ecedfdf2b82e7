/* Samples one by one, in the plainest code there is; and a signal that counts, in which every
 * sample tells its frame and its channel. */
#ifndef STRESS_SIGNAL_H
#define STRESS_SIGNAL_H

#include <stdint.h>
#include <string.h>

#include "_engine.h"

static inline int bytes_per_sample(int sample_format) {
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

/* How many bits of an integer the format holds exactly. */
static inline int bits_per_sample(int sample_format) {
    return sample_format == SAMPLE_FLOAT32 ? 24 : 8 * bytes_per_sample(sample_format);
}

/* Samples are left-justified in int32; float full scale is 2^31. */
static inline void put_sample(void *samples, int sample_format, int64_t index, int32_t sample) {
    unsigned char *to = (unsigned char *)samples + index * bytes_per_sample(sample_format);
    if (sample_format == SAMPLE_FLOAT32) {
        const float value = (float)sample / 2147483648.0f;
        memcpy(to, &value, sizeof value);
        return;
    }
    const uint32_t unsigned_sample =
        (uint32_t)sample ^ (sample_format == SAMPLE_UINT8 ? 0x80000000u : 0u);
    const int bytes = bytes_per_sample(sample_format);
    for (int i = 0; i < bytes; ++i)
        to[i] = (unsigned char)(unsigned_sample >> (32 - 8 * (bytes - i)));
}

static inline int32_t get_sample(const void *samples, int sample_format, int64_t index) {
    const unsigned char *from =
        (const unsigned char *)samples + index * bytes_per_sample(sample_format);
    if (sample_format == SAMPLE_FLOAT32) {
        float value;
        memcpy(&value, from, sizeof value);
        return (int32_t)((double)value * 2147483648.0);
    }
    const int bytes = bytes_per_sample(sample_format);
    uint32_t sample = 0;
    for (int i = 0; i < bytes; ++i)
        sample |= (uint32_t)from[i] << (32 - 8 * (bytes - i));
    return (int32_t)(sample ^ (sample_format == SAMPLE_UINT8 ? 0x80000000u : 0u));
}

/* Never silence. Channel -1 is silence. Repeats after 2^(bits-1)-1 frames. */
static inline int32_t counting_sample(int64_t frame, int channel, int bits) {
    if (channel < 0)
        return 0;
    const int64_t codes = (INT64_C(1) << (bits - 1)) - 1;
    const int64_t code = 1 + (frame * 67 + channel) % codes;
    return (int32_t)((channel % 2 ? -code : code) * (INT64_C(1) << (32 - bits)));
}

#endif
