/* What samples should become on their way, in the plainest arithmetic; and samples that are hard to
 * carry. */
#ifndef STRESS_REFERENCE_H
#define STRESS_REFERENCE_H

#include <stdint.h>

#include "stress.h"

/* To the nearest code of so many bits, halves upwards, and no further than the last one. */
int32_t rounded(int32_t sample, int bits);

float float_at(const void *samples, int64_t index);

/* From one format to another, rounded to `bits` where it is not a float; silence from index -1. */
void expect_sample(void *to, int64_t to_index, int to_format, int bits, const void *from,
                   int64_t from_index, int from_format);

void expect_same(const char *what, const void *got, const void *expected, int sample_format,
                 int64_t samples);

/* Fills `samples` with numbers of all sizes, those at the edges most of all. */
void random_samples(struct random *r, void *samples, int sample_format, int64_t count);

void random_map(struct random *r, int32_t *map, int targets, int sources);

#endif
