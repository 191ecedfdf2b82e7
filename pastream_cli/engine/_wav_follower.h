/* The follower of WAVs: sends the samples of each WAV in a stream through a pipe of their own,
 * without the headers, chunks and tags around them. cffi reads this file too, so it holds plain
 * declarations only. */
#ifndef PASTREAM_WAV_FOLLOWER_H
#define PASTREAM_WAV_FOLLOWER_H

#include <stdint.h>

/* What a header says of the samples behind it. */
struct wav_samples {
    int32_t raw_format; /* libsndfile's number for them without a header; 0: they need a decoder */
    int32_t channels;
    int32_t rate;
    int32_t frame_bytes;   /* in the stream */
    int32_t is_big_endian; /* they and the header */
    int32_t is_low_three;  /* of each four bytes the first three are a sample */
    int64_t stated_bytes;  /* how long they are; -1: that is left open */
    int64_t trailer_bytes; /* how much follows them; 0: that is not said */
};

struct wav_follower {
    int32_t source;
    int32_t target;           /* a pipe for the first WAV; the follower closes it at its end */
    int32_t links;            /* a pipe for a link_message of each other; closed at the end too */
    struct wav_samples first; /* its header has been read of the source already */
};

/* Runs until the source ends, or nobody reads the samples any more. Blocks. */
void wav_follower_run(const struct wav_follower *f);

#endif
