/* FLAC: where a stream begins, and its blocks, found by their headers (RFC 9639, which calls them
 * frames; here a frame is one sample of each channel). cffi reads this file too, so it holds plain
 * declarations only. */
#ifndef PASTREAM_FLAC_H
#define PASTREAM_FLAC_H

#include "_byte_source.h"

enum {
    FLAC_BEGIN_BYTES = 42 /* fLaC, and the block of metadata that comes first: STREAMINFO */
};

/* What STREAMINFO says. */
struct flac_info {
    int32_t least_block_frames;
    int32_t most_block_frames;
    int32_t rate;
    int32_t channels;
    int32_t bits;
    int64_t frames; /* 0: unknown */
};

/* What the header of a block says. */
struct flac_block {
    int64_t place; /* in the source */
    int64_t first_frame;
    int64_t frames;
};

/* Whether a stream begins with these bytes, FLAC_BEGIN_BYTES of them, and what it says of itself.
 */
int flac_read_info(const unsigned char *begin, struct flac_info *info);
/* Returns where a stream can begin in these bytes, or would if more of them were there; `count` if
 * nowhere. */
int64_t flac_begin_in(const unsigned char *bytes, int64_t count);
/* Has the first FLAC_BEGIN_BYTES of a stream say that they do not know how many frames follow. */
void flac_forget_frames(unsigned char *begin);

/* Has them say that no other metadata follows. */
void flac_end_metadata(unsigned char *begin);

/* The functions below read a source from `begin` to `end`, and leave its position anywhere. */

/* Returns where the first stream begins, -1 if none does. */
int64_t flac_find_begin(byte_source *source, int64_t begin, int64_t end);
/* Finds the first block of a stream. Returns false if there is none. */
int flac_find_block(byte_source *source, int64_t begin, int64_t end, const struct flac_info *info,
                    struct flac_block *block);
/* Finds the last block of a stream; damage at the end does not hide it. Returns false if there is
 * none. */
int flac_find_last_block(byte_source *source, int64_t begin, int64_t end,
                         const struct flac_info *info, struct flac_block *block);

#endif
