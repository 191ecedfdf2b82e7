/* Converts samples from one format to another. The callback uses it too, so it keeps no state and
 * allocates nothing.
 *
 * Integers are left-justified in int32; float32 full scale is 2^31 exactly, so that 16- and 24-bit
 * material crosses a float device unchanged. Narrowing rounds to nearest and clips; NaN becomes
 * silence. `convert` itself is declared in _engine.h: the library's iterators of chunks use it too.
 */
#ifndef PASTREAM_CONVERT_H
#define PASTREAM_CONVERT_H

#include <stdint.h>

#include "_engine.h"

enum { ALL_BITS = 32 };

int sample_bytes(int sample_format);

/* Returns the samples converted in `buffer`, or `source` itself where nothing would change. */
const void *converted(void *buffer, int target_format, int bits, const void *source,
                      int source_format, int64_t samples);

#endif
