/* A hash of frames, for the question whether a file holds what was written to it. */
#ifndef PASTREAM_FRAMES_HASH_H
#define PASTREAM_FRAMES_HASH_H

#include <stdint.h>

#include "_output_file.h"

enum { HASH_LANES = 4 };

struct frames_hash {
    uint64_t lanes[HASH_LANES];
    uint64_t samples; /* how many went into it */
};

/* Adds samples, which have the file's type, to a hash that is all zeros at first. It does not
 * matter in which portions they come. */
void add_to_hash(frames_hash *hash, const void *samples, int file_sample, int64_t count);

#endif
