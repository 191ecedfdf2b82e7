/* Where a piece of the recording ends: at one frame in all copies. A writer claims the frames that
 * it is about to write, and a cut comes behind all that is claimed. The owner's call is engine_cut.
 */
#ifndef PASTREAM_CUT_H
#define PASTREAM_CUT_H

#include <stdint.h>

#include "_engine.h"

/* Claims `frames` of the file that the writer of a copy has begun, or as many as it takes at once
 * and as its limit allows. Returns how many that are. */
int64_t claim_frames(copy *c, const output_file *f, int64_t frames);

#endif
