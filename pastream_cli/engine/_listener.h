/* How far a writer has let the trigger hear what is in its ring. That is ahead of what it has
 * written: the frames in between may become part of a file. */
#ifndef PASTREAM_LISTENER_H
#define PASTREAM_LISTENER_H

#include <stdint.h>

#include "_engine.h"

struct listener {
    copy *copy;
    void *gathered;  /* room for a chunk of file channels in the device's format */
    void *converted; /* and for the same in int32 */
    int64_t chunk_frames;
    uint64_t ring_index;
    uint64_t gap_index;
    int64_t silence_due; /* of a loss, not yet heard */
    int64_t frame;       /* on the timeline: the next one to be heard */
    int heard_last_gap;
};

/* Begins where the writer is. */
void listener_begin(struct listener *l, copy *c);
/* Hears all that is in the ring. `is_all`: nothing more will come. */
void listener_hear(struct listener *l, int is_all);

#endif
