/* Bytes that libsndfile reads as if they were a file of their own, while they are parts of one.
 * cffi reads this file too, so it holds plain declarations only.
 *
 * A source belongs to the one thread that reads the sound in it. The owner makes it and puts parts
 * into it before, and frees it after that.
 */
#ifndef PASTREAM_BYTE_SOURCE_H
#define PASTREAM_BYTE_SOURCE_H

#include <stdint.h>

enum { MOST_FRONT_BYTES = 64 };

typedef struct byte_source byte_source;

/* Returns an empty source, NULL if memory is short. The descriptor is of a file that can be seeked
 * in; it stays the owner's, and its position is never used. */
byte_source *byte_source_new(int descriptor);
/* Returns a source of what comes through a pipe, which is read once: `count` bytes that have come
 * already, and then those from the descriptor, as they come. It can seek in what came last. */
byte_source *byte_source_new_stream(int descriptor, const unsigned char *first, int64_t count);
void byte_source_free(byte_source *s);
/* Add to the end of the source: bytes of the file from `begin` up to `end` (the file may be shorter
 * than that), or a copy of bytes in memory. Return false if memory is short. */
int byte_source_add(byte_source *s, int64_t begin, int64_t end);
int byte_source_add_bytes(byte_source *s, const unsigned char *bytes, int64_t count);
/* Puts a copy of bytes in front of all that the source has. */
int byte_source_put_in_front(byte_source *s, const unsigned char *bytes, int64_t count);
/* Adds the first three of each four bytes from `begin` up to `end`: samples of 24 bits in the low
 * three bytes of four, little-endian. The file must be known to reach `end`. */
int byte_source_add_low_three(byte_source *s, int64_t begin, int64_t end);
/* Has the source begin anew: with these bytes, MOST_FRONT_BYTES at most, and behind them with its
 * own from `place` on. Of no bytes, and from 0 on, it is as it was made. Its position is where it
 * was.
 */
void byte_source_begin_with(byte_source *s, const unsigned char *bytes, int64_t count,
                            int64_t place);
int byte_source_begins_anew(const byte_source *s);
/* The first place that can still be read. */
int64_t byte_source_first_place(const byte_source *s);
int64_t byte_source_length(const byte_source *s);
int byte_source_descriptor(const byte_source *s);
/* Whether all of its bytes have been read. */
int byte_source_is_at_end(const byte_source *s);
/* Waits for more of a pipe, and drops it. Returns false at its end; a file has nothing more. */
int byte_source_drop_some(byte_source *s);
/* The errno of the first read that failed, 0 for none. libsndfile takes such a failure for the end.
 */
int byte_source_error(const byte_source *s);

/* What libsndfile calls (SF_VIRTUAL_IO); `source` is a byte_source. */
int64_t byte_source_get_length(void *source);
int64_t byte_source_seek(int64_t offset, int whence, void *source);
int64_t byte_source_read(void *bytes, int64_t count, void *source);
int64_t byte_source_write(const void *bytes, int64_t count, void *source);
int64_t byte_source_tell(void *source);

#endif
