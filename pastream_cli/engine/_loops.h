/* What the loops of reader and writer share: scratch memory and maps. Both loops run on threads of
 * the owner, and hold no interpreter lock from start to end. They may block and wait; the callback
 * never does. */
#ifndef PASTREAM_LOOPS_H
#define PASTREAM_LOOPS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_PER_FILE_SAMPLE = 4, LEAST_SCRATCH_FRAMES = 64 };

/* After a seek, lossy decoders are exact only some frames later: libsndfile's for Vorbis after one
 * block (up to 8192 frames, of which a half counts), mpg123 and Opus after their reservoir and
 * their pre-roll. So the reader seeks to a place that many frames before its aim, and drops them.
 */
enum { PREROLL_FRAMES = 8192 };

static inline int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static inline int64_t most(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* Returns how many frames fit into so many samples, but LEAST_SCRATCH_FRAMES at least. */
static inline int64_t scratch_frames_for(int samples, int channels) {
    return most(LEAST_SCRATCH_FRAMES, samples / channels);
}

static inline void *scratch_for(int64_t frames, int channels) {
    return malloc((size_t)frames * (size_t)channels * BYTES_PER_FILE_SAMPLE);
}

/* Copies a map; for one that changes nothing `made` is NULL. Returns false if memory is short. */
static inline int copy_map(int32_t **made, const int32_t *map, int targets, int sources) {
    free(*made);
    *made = NULL;
    int identity = targets == sources;
    for (int i = 0; identity && i < targets; ++i)
        identity = map[i] == i;
    if (identity)
        return 1;
    const size_t bytes = (size_t)targets * sizeof *map;
    *made = malloc(bytes);
    if (!*made)
        return 0;
    memcpy(*made, map, bytes);
    return 1;
}

#endif
