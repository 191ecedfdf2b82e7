/* MPEG audio (MP3): its frames, found by their headers. cffi reads this file too, so it holds plain
 * declarations only. */
#ifndef PASTREAM_MPEG_H
#define PASTREAM_MPEG_H

#include "_byte_source.h"

/* MPEG_TAG_BYTES are enough to know how long a tag is. A decoder of layer III plays
 * MPEG_DECODER_DELAY frames of silence before the sound. */
enum { MPEG_HEADER_BYTES = 4, MPEG_TAG_BYTES = 32, MPEG_DECODER_DELAY = 529 };

/* What a frame's header says. */
struct mpeg_frame {
    int32_t version; /* as in the header: 3 is MPEG 1, 2 is MPEG 2, 0 is MPEG 2.5 */
    int32_t layer;   /* 1 to 3 */
    int32_t rate;
    int32_t channels;
    int32_t samples; /* per channel */
    int32_t bytes;   /* of the frame, with its header */
};

/* One recording: frames that follow each other and are of one kind. */
struct mpeg_link {
    struct mpeg_frame first; /* a frame of sound */
    int32_t name_offset;     /* where the name of an index (Xing, Info) is in such a frame */
    int64_t index_begin;     /* the frame before them that holds an index (Xing, Info, VBRI) */
    int64_t index_bytes;     /* 0: there is none */
    int64_t sound_begin;     /* the first frame of sound */
    int64_t frames;          /* frames of sound that are there in full */
    int64_t cut_bytes;       /* what is there of a last frame that is not there in full */
    int64_t junk_bytes;      /* what lies between frames and is neither sound, a tag nor zeros */
    int64_t junk_frames;     /* how many frames come before the first of that */
    int64_t next;            /* where the search for the next recording begins */
};

/* Returns whether these four bytes can be the header of a frame whose length they tell. */
int mpeg_parse(const unsigned char *bytes, struct mpeg_frame *frame);
/* Returns the length that a tag (ID3v2, APE) says it has, of which `count` bytes are there; 0 if it
 * is none that says so at its beginning. */
int64_t mpeg_tag_bytes(const unsigned char *bytes, int64_t count);
/* Whether a frame of which `count` bytes are there holds an index in place of sound. */
int mpeg_is_index(const unsigned char *bytes, int64_t count, const struct mpeg_frame *frame);
/* Returns how many frames of MPEG an index says that there are; -1 if it does not say. */
int64_t mpeg_frames_said(const unsigned char *bytes, const struct mpeg_frame *frame);
/* Returns how many frames of sound an index stands for, which is there in full; -1 if it does not
 * say. `silent_frames` is how many frames of silence a decoder plays before them. */
int64_t mpeg_frames_in_index(const unsigned char *bytes, const struct mpeg_frame *frame,
                             int32_t *silent_frames);
/* Whether frames follow each other in these bytes, WINDOW_BYTES at most, and begin before
 * `most_junk` bytes that are something else. */
int mpeg_is_in(const unsigned char *bytes, int64_t count, int64_t most_junk);
/* Searches a file from `begin` to `end` for a recording, and adds the bytes of its frames of sound
 * to the source. Returns false if there is none before `most_junk` bytes that are neither sound nor
 * tags nor zeros, and -1 if memory is short. */
int mpeg_find_link(int descriptor, int64_t begin, int64_t end, int64_t most_junk,
                   byte_source *source, struct mpeg_link *link);

#endif
