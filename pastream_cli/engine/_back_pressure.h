/* Back-pressure: how long a device that runs as fast as files allow waits for whoever fills or
 * empties its rings. */
#ifndef PASTREAM_BACK_PRESSURE_H
#define PASTREAM_BACK_PRESSURE_H

#include <stdint.h>

#include "_attachment.h"

/* Whoever fills, empties or reads one of the rings. */
struct server {
    int64_t patience_ns; /* for how long the device waits; -1: for ever */
    uint64_t index;      /* its place in the ring at the last progress, ... */
    int64_t since_ns;    /* ... and when that was; 0: not waited for yet */
};

struct back_pressure {
    struct server source;
    struct server sinks[MOST_COPIES]; /* one for each copy */
    struct server owner;              /* reads the list of losses */
};

/* Source and sinks are waited for for ever, unless told otherwise. */
void back_pressure_begin(struct back_pressure *p);

/* Sets for how long source and sinks are waited for at most, each time; -1: for ever. */
void back_pressure_wait_at_most(struct back_pressure *p, int64_t source_ns, int64_t sink_ns);

/* Returns whether the next block may come: it loses nothing, or was waited for long enough. A
 * device without an engine waits for nothing. */
int may_go_on(struct back_pressure *p, attachment *a, int64_t block_frames);

#endif
