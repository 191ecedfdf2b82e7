/* One link of a chain: a sound that libsndfile decodes. */
#ifndef PASTREAM_CHAIN_LINK_H
#define PASTREAM_CHAIN_LINK_H

#include "_byte_source.h"
#include "_engine.h"
#include "_flac.h"

struct chain_link {
    const struct sndfile_functions *functions;
    void *file; /* NULL: not open */
    byte_source *source;
    int64_t frames; /* -1: unknown */
    int64_t place;  /* of the next frame */
    int32_t is_promise;
    int32_t channels;
    int32_t rate;
    int32_t raw_format; /* of samples without a header; 0: libsndfile finds out what they are */
    int32_t is_float;   /* the samples are floating-point numbers */
    int32_t rest;       /* the pipe that libsndfile reads, for what it leaves unread; -1: none */
    int32_t is_owners;  /* the owner closes it */
    int32_t has_own_source; /* the link frees its source, and closes the source's descriptor */
    int32_t was_begun;      /* what is told of a link is told once, not in each pass of a loop */
    int32_t was_ended;
    int32_t is_known_cut; /* the owner has been told that it is shorter than it promised */
    int32_t skip_frames;  /* silence at the beginning, still to be skipped */
    int64_t sound_frames; /* behind these there should be a little silence only; -1: unknown */
    int32_t wanted_channels;
    void *scratch; /* frames with the link's channels */
    void *floats;  /* frames that are to be converted */
    void *ahead;   /* frames that were read to see what they are */
    int64_t ahead_frames;
    int64_t ahead_place;
    int out_of_memory;
    int32_t is_flac;
    unsigned char flac_begin[FLAC_BEGIN_BYTES];
    int is_to_be_searched; /* FLAC: for the next frame, to which its decoder could not go */
    int64_t silent_frames; /* FLAC: that are to be played next, in place of what is damaged */
    int64_t lost_frames;   /* FLAC: as many were, and the owner has not been told */
    int64_t lost_at;
};

/* Opens a link that is not open, in its source. */
int chain_link_open(struct chain_link *l);
/* Opens it once more, where its source begins by now; its place stays. */
int chain_link_open_anew(struct chain_link *l);
/* Looks whether the source of an open link is FLAC. */
void chain_link_look_for_flac(struct chain_link *l);
/* Opens a link that comes through a pipe, which is closed with it. */
int chain_link_open_pipe(struct chain_link *l, int descriptor, int is_flac);
/* Waits for more of a pipe, and drops it. Returns false at its end. */
int chain_link_drop_some(struct chain_link *l);
void chain_link_close(struct chain_link *l);
/* Reads frames that libsndfile decodes, and gives them the wanted channels. */
int64_t chain_link_decode(struct chain_link *l, int sample, unsigned char *samples, int64_t frames);
/* Reads frames with the wanted channels, fewer only at the end. */
int64_t chain_link_read(struct chain_link *l, int sample, unsigned char *samples, int64_t frames);
/* Goes to a frame. Returns false if that fails. */
int chain_link_seek(struct chain_link *l, int64_t frame);

#endif
