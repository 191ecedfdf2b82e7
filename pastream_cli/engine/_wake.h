/* How a writer sleeps. Its owner wakes it by writer_wake (_state.h). */
#ifndef PASTREAM_WAKE_H
#define PASTREAM_WAKE_H

#include <stdint.h>

#include "_engine.h"

/* Makes the pipe that wakes the writer of a copy, unless there is one. Without a pipe the writer
 * sleeps to the end of each nap. */
void wake_prepare(copy *c);
/* Waits for so long, or until the owner wakes it. */
void wake_wait(const copy *c, int64_t nanoseconds);

#endif
