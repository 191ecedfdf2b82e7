/* How the first blocks of a replacement device get their place on the timeline. */
#ifndef PASTREAM_ARRIVAL_H
#define PASTREAM_ARRIVAL_H

#include "_state.h"

/* Owner, while no device is attached: the next one is going to arrive, if the run has begun. */
void arrival_begin(engine *e);

/* Callback: takes a block of a device that is still arriving. Returns 0 if the block is to be
 * handled as any other, because the device has arrived. */
int arrival_takes(engine *e, const void *input, int64_t frames, unsigned long host_flags);

/* Callback: returns whether the clock will tell of frames that the device says it has lost. It does
 * not after the first block, so that the device arrives with what it has delivered. */
int arrival_covers_loss(engine *e);

/* Owner, after the last callback: keeps what was captured while the device was arriving. */
void arrival_end(engine *e);

#endif
