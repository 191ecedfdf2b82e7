/* Samples between the device's format and the file's type. No state, no allocation.
 *
 * Integers are left-justified in int32; float32 full scale is 2^31 exactly, so that 16- and 24-bit
 * material crosses a float device unchanged. Narrowing rounds to nearest and clips.
 */
#ifndef PASTREAM_CONVERT_H
#define PASTREAM_CONVERT_H

#include <stdint.h>

#include "_engine.h"

/* Extremes of one channel over many blocks. */
struct extremes {
    double peak;   /* of full scale */
    int64_t clips; /* samples at the most positive or most negative code, or |x| >= 1 */
};

int sample_bytes(int sample_format);

/* Picks channels: target channel i is source channel map[i], or silence where that is -1. */
void gather(void *target, int target_channels, const void *source, int source_channels,
            int sample_format, const int32_t *map, int64_t frames);

/* Device to file. Returns `source` itself where nothing changes, else `buffer`, filled. */
const void *device_to_file(void *buffer, int file_sample, const void *source, int sample_format,
                           int64_t samples);

/* File to device. */
void file_to_device(void *target, int sample_format, const void *source, int file_sample,
                    int64_t samples);

/* Rounds int32 samples to the upper `bits`, and adds what they hold to `extremes`, one entry per
 * channel. Returns `source` itself where nothing had to be rounded away (32 bits), else `buffer`.
 * The two may be the same. */
const int32_t *round_and_measure(int32_t *buffer, const int32_t *source, int bits, int64_t frames,
                                 int channels, struct extremes *extremes);

void measure_float32(const float *samples, int64_t frames, int channels, struct extremes *extremes);

#endif
