/* The follower: cuts a stream of Ogg, MPEG or FLAC into the sounds that follow each other in it,
 * and sends each through a pipe of its own. cffi reads this file too, so it holds plain
 * declarations only. */
#ifndef PASTREAM_FOLLOWER_H
#define PASTREAM_FOLLOWER_H

#include <stdint.h>

enum followed_format { FOLLOW_OGG, FOLLOW_MPEG, FOLLOW_FLAC };

/* How far a follower may run ahead of who plays: each sound that waits has a pipe of its own. */
enum { MESSAGES_AHEAD_BYTES = 4096 };

struct follower {
    int32_t source;
    int32_t links;  /* a pipe for a link_message each; the follower closes it at the end */
    int32_t format; /* followed_format */
    const unsigned char *first; /* what has been read of the source already */
    int64_t first_bytes;
};

/* What the follower says of a sound: when it begins, and at its end what is wrong with it. */
struct link_message {
    int32_t event;       /* 0: it begins; a chain_event_kind: that is told of the last one */
    int32_t descriptor;  /* of the pipe that it comes through; the receiver closes it */
    int32_t skip_frames; /* silence that the encoder has put before it */
    int32_t is_flac;     /* it is to be opened in a byte source */
    int64_t frames; /* behind these, its index says, there is nothing but silence; -1: unknown. For
                     * an event: its value, but of CHAIN_FRAMES_MISSING how many were promised */
    int64_t promised_frames; /* by a header that libsndfile is not given; -1: unknown */
    /* Of samples without a header: */
    int32_t raw_format; /* libsndfile's number for them; 0: the sound has a header */
    int32_t channels;
    int32_t rate;
};

/* Runs until the source ends, or nobody reads a sound any more. Blocks. */
void follower_run(const struct follower *f);

#endif
