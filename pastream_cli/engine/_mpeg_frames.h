/* What those who look for frames of MPEG share. */
#ifndef PASTREAM_MPEG_FRAMES_H
#define PASTREAM_MPEG_FRAMES_H

#include "_file_window.h"
#include "_mpeg.h"

/* Whether two frames can belong to one recording that a decoder takes as one. */
int mpeg_are_alike(const struct mpeg_frame *a, const struct mpeg_frame *b);
/* Whether enough frames of one kind follow each other from an offset on: one that is expected there
 * needs fewer. */
int mpeg_is_sure(struct file_window *w, int64_t offset, int is_expected);
/* Returns the length of a tag that begins at an offset, 0 if none does. Its bytes are no sound, and
 * pictures in them may look like frames. A tag that says it is longer than the file is not
 * believed. So many bytes must be there to know. */
enum { MPEG_TAG_LOOK_AHEAD_BYTES = 160 };
int64_t mpeg_tag_at(struct file_window *w, int64_t offset);
#endif
