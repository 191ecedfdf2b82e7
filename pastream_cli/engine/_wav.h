/* WAV, as it comes in a stream: where a header begins, and what it says. */
#ifndef PASTREAM_WAV_H
#define PASTREAM_WAV_H

#include <stdint.h>

#include "_wav_follower.h"

enum {
    WAV_BEGIN_BYTES = 12, /* by these a header is known: RIFF, a length, and WAVE */
    WAV_CHUNK_BYTES = 8,  /* what a chunk begins with: its name and its length */
    WAV_FORMAT_BYTES = 40,
    WAV_LONGEST_CHUNK_BYTES = 1 << 24,
    WAV_MOST_CHUNKS = 1000
};

/* A header, chunk by chunk. */
struct wav_header {
    struct wav_samples samples;
    int64_t riff_bytes;  /* from its beginning up to the end that it states, the two lengths */
    int64_t long_bytes;  /* of the samples, in 64 bits; -1: none */
    int64_t taken_bytes; /* of the header */
};

/* Returns where a header begins, or what may be the beginning of one behind which more is to come;
 * `count` if there is none. */
int64_t wav_find_header(const unsigned char *bytes, int64_t count);
/* Whether these bytes, right behind samples, are no samples: a header, a tag, or a chunk that is
 * known, or that fits into `most_bytes`. */
int wav_is_no_sound(const unsigned char *bytes, int64_t count, int64_t most_bytes,
                    int is_big_endian);
/* Whether a chunk of odd length, before these WAV_CHUNK_BYTES + 1 bytes, has a pad byte, which is
 * the first of them. Some writers leave it out. */
int wav_has_pad(const unsigned char *bytes);
/* Reads the WAV_BEGIN_BYTES that a header begins with. */
void wav_begin(struct wav_header *h, const unsigned char *bytes);
/* Returns the length of a chunk. */
int64_t wav_chunk_bytes(const struct wav_header *h, const unsigned char *chunk);
/* Reads a chunk, of which WAV_FORMAT_BYTES behind its length are there, if it has so many. Returns
 * whether it is that of the samples. */
int wav_take_chunk(struct wav_header *h, const unsigned char *chunk);

#endif
