/* Ogg: its pages, and where one sound ends and the next begins. cffi reads this file too, so it
 * holds plain declarations only. */
#ifndef PASTREAM_OGG_H
#define PASTREAM_OGG_H

#include "_byte_source.h"
#include "_flac.h"

enum {
    OGG_PAGE_HEADER_BYTES = 27,
    OGG_MOST_PAGE_BYTES = 27 + 255 + 255 * 255,
    OGG_CONTINUED = 1, /* flags of a page */
    OGG_BEGIN = 2,
    OGG_END = 4,
    OGG_FLAC_MAPPING_BYTES = 9 /* of the first packet, before what a FLAC begins with */
};

/* One sound of a chain, or the only one. */
struct ogg_link {
    int64_t begin;
    int64_t end;            /* where the next sound begins, or the file ends */
    int32_t is_ended;       /* its last page says that it is the last one */
    int64_t flac_begin;     /* where the FLAC in it begins; 0: it is none */
    int64_t flac_frames;    /* where its last page says that it ends */
    int32_t streams;        /* that it has side by side */
    int32_t has_end_inside; /* a page says that it is the last one, and others follow */
    /* The first page with sound that says at which frame it ends; of no bytes if there is none. */
    int64_t page_begin;
    int64_t page_bytes;
    int64_t page_frame;
    int32_t is_page_last;
};

/* What the pages of a sound have shown so far. */
struct ogg_trail {
    int32_t is_ended; /* the last page said that it is the last one */
    int32_t is_torn;  /* pages are missing between two that hold sound */
    int32_t has_sound;
    uint32_t stream; /* the one whose pages are counted */
    uint32_t number; /* of its last page */
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
void ogg_note_page(struct ogg_trail *trail, const unsigned char *page);
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
/* Has a page that is there in full not say that it is the last one. */
void ogg_clear_end(unsigned char *page);
/* Adds a sound to a source, where its pages say that they end so many frames later, and no page but
 * the last says that it is. Returns false if memory is short. */
int ogg_add_moved(int descriptor, const struct ogg_link *link, int64_t frames, byte_source *source);

#endif
