/* Ogg: its pages, and where one sound ends and the next begins. cffi reads this file too, so it
 * holds plain declarations only. */
#ifndef PASTREAM_OGG_H
#define PASTREAM_OGG_H

#include "_byte_source.h"

enum {
    OGG_PAGE_HEADER_BYTES = 27,
    OGG_MOST_PAGE_BYTES = 27 + 255 + 255 * 255,
    OGG_CONTINUED = 1, /* flags of a page */
    OGG_BEGIN = 2,
    OGG_END = 4,
    OGG_FLAC_MAPPING_BYTES = 9, /* of the first packet, before what a FLAC begins with */
    FLAC_BEGIN_BYTES = 42       /* fLaC and STREAMINFO, which end that packet */
};

/* One sound of a chain, or the only one. */
struct ogg_link {
    int64_t begin;
    int64_t end;        /* where the next sound begins, or the file ends */
    int32_t is_ended;   /* its last page says that it is the last one */
    int64_t flac_begin; /* where the FLAC in it begins; 0: it is none */
    int32_t streams;    /* that it has side by side */
    /* The first page with sound that says at which frame it ends; of no bytes if there is none. */
    int64_t page_begin;
    int64_t page_bytes;
    int64_t page_frame;
    int32_t is_page_last;
};

/* Whether these bytes begin a page; `count` of them are there. */
int ogg_is_page(const unsigned char *bytes, int64_t count);
/* The length of the page's header, and of the whole page. For both, 27 bytes and what they say must
 * be there. */
int ogg_header_bytes(const unsigned char *page);
int ogg_page_bytes(const unsigned char *page);
/* Whether a page that is there in full is the first one of a stream, and what its checksum says. */
int ogg_is_first(const unsigned char *page);
/* Whether a first page is that of a FLAC. */
int ogg_is_flac(const unsigned char *page);
/* The number of the stream that a page belongs to. */
uint32_t ogg_stream_number(const unsigned char *page);
/* Searches a file from `begin` to `end` for a sound. Returns false if there is none. */
int ogg_find_link(int descriptor, int64_t begin, int64_t end, struct ogg_link *link);
/* Adds the FLAC in a link to a source, less the FLAC_BEGIN_BYTES that it begins with. Returns where
 * its last page says that the sound ends, in frames; -1 if memory is short. */
int64_t ogg_add_flac(int descriptor, const struct ogg_link *link, byte_source *source);

/* Has a page that is there in full say that it ends at a frame. */
void ogg_set_frame(unsigned char *page, int64_t frame);
/* Adds a sound to a source, where its pages say that they end so many frames later. Returns false
 * if memory is short. */
int ogg_add_moved(int descriptor, const struct ogg_link *link, int64_t frames, byte_source *source);

#endif
