/* Which frames of a recording are kept. The owner's calls are in _engine.h.
 *
 * Each writer has the trigger hear the frames in its ring. Whoever comes to a frame first decides
 * for all, so the files of all copies have the same frames, also if one of them has lost some. */
#ifndef PASTREAM_TRIGGER_H
#define PASTREAM_TRIGGER_H

#include <stdint.h>

#include "_engine.h"

/* Frames that are heard together. */
struct sound {
    const void *samples; /* float32, int32 or int16; NULL: silence */
    int format;
    int channels;
};

/* For engine_prepare: the run begins at this frame. */
void trigger_prepare(trigger *t, int64_t first_frame);
/* Where the recording ends; INT64_MAX: it is not known. Any thread may ask. */
int64_t trigger_end(trigger *t);

/* Hears frames from one of the timeline on. Some or all of them may have been heard before. */
void trigger_hear(trigger *t, const struct sound *s, int64_t frame, int64_t frames);
/* Returns how many frames from a place on are all kept, or all dropped; 0 if that is not known yet.
 * `files`: how many lie behind the writer; it is kept up to date. `is_all`: nothing more will come.
 */
int64_t trigger_choose(trigger *t, int64_t *files, int64_t place, int is_all, int *are_kept);
/* Has no file begin before a frame, since a writer cannot keep what comes before it. Returns which
 * frame that is: `place` if it is too late for that. */
int64_t trigger_forget(trigger *t, int64_t place, int64_t frame);

#endif
