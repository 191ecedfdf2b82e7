/* How loud the channels of interleaved frames are. The callback uses it too, so it allocates
 * nothing. */
#ifndef PASTREAM_LEVELS_H
#define PASTREAM_LEVELS_H

#include <stdint.h>

#include "_engine.h"

/* What was measured since the owner last looked, one entry per channel. */
struct levels {
    int64_t frames;
    float peaks[MOST_DEVICE_CHANNELS];
    double square_sums[MOST_DEVICE_CHANNELS];
};

/* What was measured of one channel of a file since its first frame. */
struct extremes {
    double peak;       /* of full scale */
    double block_peak; /* of the block that is being measured */
    int64_t clips;     /* samples at the most positive or most negative code, or |x| >= 1 */
};

/* Adds a block of float32 frames. */
void add_levels(struct levels *levels, const float *samples, int64_t frames, int channels);

/* Adds a block of float32, int16 or int32 frames; `extremes` has one entry per channel. Of int32
 * samples the upper `bits` are used. */
void add_extremes(struct extremes *extremes, const void *samples, int sample_format, int bits,
                  int64_t frames, int channels);

/* The next three take float32, int16 or int32 samples, and levels of full scale. */
/* Returns the greatest sample; what is no number counts for nothing. */
double peak_of(const void *samples, int sample_format, int64_t count);
/* Returns the index of the first sample that reaches a level; `count` if none does. */
int64_t first_loud(const void *samples, int sample_format, int64_t count, double level);
/* Returns the index of the last one; -1 if none does. */
int64_t last_loud(const void *samples, int sample_format, int64_t count, double level);

#endif
