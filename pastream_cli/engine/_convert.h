/* Converts samples from one format to another. The callback uses it too, so it keeps no state and
 * allocates nothing.
 *
 * Integers are left-justified in int32; float32 full scale is 2^31 exactly, so that 16- and 24-bit
 * material crosses a float device unchanged. Narrowing rounds to nearest and clips; NaN becomes
 * silence.
 */
#ifndef PASTREAM_CONVERT_H
#define PASTREAM_CONVERT_H

#include <stdint.h>

#include "_engine.h"

enum { ALL_BITS = 32 };

int sample_bytes(int sample_format);

/* Converts `samples` samples. If the target is int32, they are rounded to its upper `bits`; other
 * formats ignore `bits`. Source and target must not overlap. */
void convert(void *target, int target_format, int bits, const void *source, int source_format,
             int64_t samples);

/* Returns the samples converted in `buffer`, or `source` itself where nothing would change. */
const void *converted(void *buffer, int target_format, int bits, const void *source,
                      int source_format, int64_t samples);

#endif
