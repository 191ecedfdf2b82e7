/* Ogg: its pages, and where one sound ends and the next begins. cffi reads this file too, so it
 * holds plain declarations only. */
#ifndef PASTREAM_OGG_H
#define PASTREAM_OGG_H

#include "_byte_source.h"
#include "_flac.h"
#include "_ogg_codec.h"

enum {
    OGG_PAGE_HEADER_BYTES = 27,
    OGG_MOST_PAGE_BYTES = 27 + 255 + 255 * 255,
    OGG_CONTINUED = 1, /* flags of a page */
    OGG_BEGIN = 2,
    OGG_END = 4,
    OGG_FLAC_MAPPING_BYTES = 9 /* of the first packet, before what a FLAC begins with */
};

/* What the pages of one sound have said so far. Where it has several streams, that is said of the
 * first of them. */
struct ogg_sound {
    struct ogg_codec codec;
    int32_t streams;   /* that it has side by side */
    int32_t is_ended;  /* the last page, of whatever stream, says that it is the last one */
    int32_t has_sound; /* there was a page with sound that says at which frame it ends */
    int32_t is_torn;   /* pages are missing between two with sound */
    uint32_t stream;
    uint32_t number;     /* of the last page */
    int32_t is_measured; /* the next is known */
    int64_t begin_frame; /* where the sound begins, as its pages count: it may be below 0 */
    int64_t end_frame;   /* where it ends */
};

/* One sound of a chain, or the only one. */
struct ogg_link {
    struct ogg_sound sound;
    int64_t begin;
    int64_t end;            /* where the next sound begins, or the file ends */
    int64_t flac_begin;     /* where the FLAC in it begins; 0: it is none */
    int64_t sound_begin;    /* the first page with sound; -1: there is none */
    int32_t has_end_inside; /* a page says that it is the last one, and others follow */
};

/* Whether these bytes begin a page; `count` of them are there. */
int ogg_is_page(const unsigned char *bytes, int64_t count);
/* The length of the page's header, and of the whole page. For both, 27 bytes and what they say must
 * be there. */
int ogg_header_bytes(const unsigned char *page);
int ogg_page_bytes(const unsigned char *page);
/* Returns the page that follows a page directly; NULL if `count` bytes do not reach up to behind
 * its header. */
const unsigned char *ogg_page_behind(const unsigned char *page, int64_t count);
/* Whether a page is there in full, and is what it says. One that was cut off may reach into the
 * next sound: it is believed if the next page of its stream follows it, or its checksum is right.
 */
int ogg_is_whole(const unsigned char *page, int64_t count);
/* Whether a page that is there in full is the first one of a stream, and what its checksum says. */
int ogg_is_first(const unsigned char *page);
/* Whether a first page is that of a FLAC. */
int ogg_is_flac(const unsigned char *page);
/* The number of the stream that a page belongs to. */
uint32_t ogg_stream_number(const unsigned char *page);
/* Whether it begins with the rest of a packet. */
int ogg_is_continued(const unsigned char *page);
/* Takes the next page of a sound. */
void ogg_note_page(struct ogg_sound *sound, const unsigned char *page);
/* Returns how many frames of a sound lie before frame 0. libsndfile and libvorbis would leave out
 * as many, and they do not take such an Opus. */
int64_t ogg_frames_before(const struct ogg_sound *sound);
/* Returns how many frames libsndfile decodes of a link, -1 if that cannot be told. */
int64_t ogg_link_frames(const struct ogg_link *link);
/* Searches a file from `begin` to `end` for a sound. If it is a FLAC, that is added to the source,
 * less the FLAC_BEGIN_BYTES that it begins with. Returns false if there is none, and -1 if memory
 * is short. */
int ogg_find_link(int descriptor, int64_t begin, int64_t end, byte_source *flac,
                  struct ogg_link *link);

/* Has a page that is there in full say that it ends at a frame. */
void ogg_set_frame(unsigned char *page, int64_t frame);
/* Whether a page says that it is the last one of its stream; and whether it does, but a page that
 * goes on with the stream follows. */
int ogg_is_last(const unsigned char *page);
int ogg_goes_on(const unsigned char *page, const unsigned char *next);
/* Has a page with sound, if it is intact, say that it ends so many frames later, and not that it is
 * the last one. Returns whether it was changed. */
int ogg_mend(unsigned char *page, int64_t frames, int clears_end);
/* Adds a sound to a source, with its pages mended where that is needed. Returns false if memory is
 * short. */
int ogg_add(int descriptor, const struct ogg_link *link, byte_source *source);

#endif
