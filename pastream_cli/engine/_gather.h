/* Picks channels by a map. The callback uses it too, so it keeps no state and allocates nothing. */
#ifndef PASTREAM_GATHER_H
#define PASTREAM_GATHER_H

#include <stdint.h>

/* Target channel i is source channel map[i], or silence if that is -1. Target and source must not
 * overlap. */
void gather(void *target, int target_channels, const void *source, int source_channels,
            int sample_format, const int32_t *map, int64_t frames);

#endif
