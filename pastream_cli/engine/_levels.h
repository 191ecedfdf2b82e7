/* How loud the channels of interleaved frames are. No allocation, no call: the callback uses it
 * too. */
#ifndef PASTREAM_LEVELS_H
#define PASTREAM_LEVELS_H

#include <stdint.h>

/* Since the owner last looked, one entry per channel. */
struct levels {
    float *peaks;
    double *square_sums;
    int64_t frames;
};

/* Of one channel of a file, as long as it is written. */
struct extremes {
    double peak;       /* of full scale */
    double block_peak; /* of the block that is being measured */
    int64_t clips;     /* samples at the most positive or most negative code, or |x| >= 1 */
};

/* Adds a block of float32 frames. */
void add_levels(struct levels *levels, const float *samples, int64_t frames, int channels);

/* Adds a block of frames of float32, int16, or int32 of which the upper `bits` are used; one entry
 * per channel. */
void add_extremes(struct extremes *extremes, const void *samples, int sample_format, int bits,
                  int64_t frames, int channels);

#endif
