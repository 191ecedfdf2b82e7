/* What the measurements of the C core share: sounds in every format, rings, maps, the time. */
#ifndef PASTREAM_MEASURING_H
#define PASTREAM_MEASURING_H

#include <stdint.h>

#include "_ring.h"

enum { MOST_CHANNELS = 64 };
enum { FLOAT32, INT32, INT24, INT16, FORMATS };
enum { IDENTITY, REVERSED, MONO, REPEATS, OTHER_WIDTH, MAPS };

struct format {
    const char *name;
    int code;
    int bytes;
};

extern const struct format formats[FORMATS];
extern const char *const maps[MAPS];

_Noreturn void give_up(const char *reason);
/* The processor's time, not the wall's: what else runs on the machine counts less. */
double now_ns(void);
/* Prints the line of one measurement. */
void tell(const char *table, const char *row, int channels, const char *column, double nanoseconds,
          uint64_t frames);

/* Noise at about -12 dB, as a device or a file would give it. */
void fill(void *samples, int format, int64_t count);
void *filled(int format, int64_t count);
ring *make_ring(int format, int channels);
void fill_ring(ring *r, int format, int channels);

/* How many channels the other side of a map of so many has. */
int sources_of(int kind, int channels);
void make_map(int32_t *map, int kind, int channels);

/* Print the lines of all measurements with so many channels. */
void time_callbacks(int channels);
void time_loops(int channels);

#endif
