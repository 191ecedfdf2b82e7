/* A chain: sounds that follow each other in one file or stream, played as one. cffi reads this file
 * too, so it holds plain declarations only.
 *
 * The owner makes a chain, adds its links and frees it. Between that, it belongs to the reader's
 * loop, which calls it as it calls libsndfile. Only events may be taken at any time.
 */
#ifndef PASTREAM_SOUND_CHAIN_H
#define PASTREAM_SOUND_CHAIN_H

#include "_byte_source.h"
#include "_engine.h"
#include "_follower.h"

typedef struct sound_chain sound_chain;

enum chain_event_kind {
    CHAIN_NEW_RATE = 1,    /* `value` is the rate of the sound from here on; it is not converted */
    CHAIN_NEW_CHANNELS,    /* `value` is the number of channels from here on; it is converted */
    CHAIN_FRAMES_MISSING,  /* the link promised `value` more frames than it has */
    CHAIN_MORE_FRAMES,     /* the link has `value` more frames than it promised */
    CHAIN_FRAMES_LOST,     /* FLAC: `value` frames are damaged, and silence is played for them */
    CHAIN_LINK_UNREADABLE, /* the link cannot be opened, and is skipped */
    CHAIN_LINK_CUT_OFF, /* Ogg: the link does not say that it ends here; MPEG: it ends in a frame */
    CHAIN_JUNK, /* MPEG: the link, which ends here, has `value` bytes between frames that are no
                   sound */
    CHAIN_PAGES_MISSING, /* Ogg: the link, which ends here, has lost some of its pages */
    CHAIN_NO_SOUND       /* there is not one frame, for which nothing else was told */
};

/* The error of a chain whose file could not be read, beside libsndfile's codes, which are positive.
 */
enum sound_chain_error { CHAIN_SYSTEM_ERROR = -2 };

struct chain_event {
    int64_t frame; /* where in the sound, counted from its beginning */
    int64_t value;
    int32_t kind;
};

/* Returns a chain without links, NULL if memory is short. What is read of it has so many channels.
 */
sound_chain *sound_chain_new(const struct sndfile_functions *functions, int channels);
/* Closes the links that the chain has opened itself. */
void sound_chain_free(sound_chain *c);
/* Adds a link. `file` is open already and stays the owner's, or is NULL, and the chain opens the
 * link when its turn comes. `source` is where its bytes are, NULL for those of a pipe; it stays the
 * owner's. `frames` is -1 if nobody knows it. Where it is only what a header promises, other than
 * so many frames are an event. `raw_format` is libsndfile's number for samples without a header, 0
 * for a sound that has one. Returns false if memory is short. */
int sound_chain_add(sound_chain *c, void *file, byte_source *source, int64_t frames, int is_promise,
                    int channels, int rate, int raw_format);
/* Makes the chain that of a follower: behind the first link, which the owner has opened, come those
 * of which it sends messages through this pipe. The chain closes the pipe, and `rest`, another
 * descriptor of the pipe that the first link comes through; -1 where that has a source. `first` is
 * the message of the first link. */
void sound_chain_follow(sound_chain *c, int messages, int rest, const struct link_message *first);
/* The functions of a chain, in place of libsndfile's. */
const struct sndfile_functions *sound_chain_functions(void);
/* The errno behind CHAIN_SYSTEM_ERROR. */
int sound_chain_system_error(const sound_chain *c);
/* The owner may call this at any time. Returns false if there is no event. */
int sound_chain_next_event(sound_chain *c, struct chain_event *event);

#endif
