/* The pump: copies a stream to libsndfile through another pipe. cffi reads this file too. */
#ifndef PASTREAM_PUMP_H
#define PASTREAM_PUMP_H

#include <stdint.h>

/* What the pump copies: a stream on its way to libsndfile. */
struct pump {
    int32_t source;
    int32_t target;             /* a pipe; the pump closes it at the end */
    const unsigned char *first; /* bytes to write before those that are read */
    int64_t first_bytes;
};

/* Copies until either end is closed. Blocks. */
void pump_run(const struct pump *p);

#endif
