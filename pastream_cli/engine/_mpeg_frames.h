/* What those who look for frames of MPEG share. */
#ifndef PASTREAM_MPEG_FRAMES_H
#define PASTREAM_MPEG_FRAMES_H

#include "_file_window.h"
#include "_mpeg.h"

enum { ID3V2_HEADER_BYTES = 10 };

/* Whether two frames can belong to one recording that a decoder takes as one. */
int mpeg_are_alike(const struct mpeg_frame *a, const struct mpeg_frame *b);
/* Whether enough frames of one kind follow each other from an offset on: one that is expected there
 * needs fewer. */
int mpeg_is_sure(struct file_window *w, int64_t offset, int is_expected);
/* Returns the length that an ID3v2 tag says it has, whose first 10 bytes are there; 0 if it is
 * none.
 */
int64_t mpeg_id3_bytes(const unsigned char *bytes);
#endif
