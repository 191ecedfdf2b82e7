/* Picks channels by a map. No state, no allocation, no call: the callback uses it too. */
#ifndef PASTREAM_GATHER_H
#define PASTREAM_GATHER_H

#include <stdint.h>

/* Target channel i is source channel map[i], or silence where that is -1. The two do not overlap.
 */
void gather(void *target, int target_channels, const void *source, int source_channels,
            int sample_format, const int32_t *map, int64_t frames);

#endif
