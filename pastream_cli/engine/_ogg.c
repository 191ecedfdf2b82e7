/* Ogg: its pages, and where one sound ends and the next begins (RFC 3533). */
#include "_ogg.h"

#include <string.h>

#include "_file_window.h"

enum { FLAGS = 5, GRANULE = 6, STREAM = 14, CHECKSUM = 22, SEGMENTS = 26 };

int ogg_is_page(const unsigned char *bytes, int64_t count) {
    return count >= OGG_PAGE_HEADER_BYTES && !memcmp(bytes, "OggS", 5);
}

int ogg_header_bytes(const unsigned char *page) {
    return OGG_PAGE_HEADER_BYTES + page[SEGMENTS];
}

int ogg_page_bytes(const unsigned char *page) {
    int bytes = ogg_header_bytes(page);
    for (int i = OGG_PAGE_HEADER_BYTES; i < OGG_PAGE_HEADER_BYTES + page[SEGMENTS]; ++i)
        bytes += page[i];
    return bytes;
}

static uint32_t little_endian(const unsigned char *bytes) {
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

uint32_t ogg_stream_number(const unsigned char *page) {
    return little_endian(page + STREAM);
}

/* Returns the frame that the last packet to end in this page leads to, -1 if none ends in it. */
static int64_t ogg_granule(const unsigned char *page) {
    const uint64_t high = little_endian(page + GRANULE + 4);
    return (int64_t)(high << 32 | little_endian(page + GRANULE));
}

int ogg_is_flac(const unsigned char *page) {
    const int begin = ogg_header_bytes(page);
    return ogg_page_bytes(page) - begin == OGG_FLAC_MAPPING_BYTES + FLAC_BEGIN_BYTES &&
           !memcmp(page + begin,
                   "\x7F"
                   "FLAC",
                   5) &&
           !memcmp(page + begin + OGG_FLAC_MAPPING_BYTES, "fLaC", 4);
}

/* The checksum is computed with zeros in its own place. */
static uint32_t checksum_of(const unsigned char *page) {
    const int bytes = ogg_page_bytes(page);
    uint32_t sum = 0;
    for (int i = 0; i < bytes; ++i) {
        const int is_in_checksum = i >= CHECKSUM && i < CHECKSUM + 4;
        sum ^= (uint32_t)(is_in_checksum ? 0 : page[i]) << 24;
        for (int bit = 0; bit < 8; ++bit)
            sum = sum << 1 ^ (sum >> 31 ? 0x04C11DB7u : 0);
    }
    return sum;
}

static void put_little_endian(unsigned char *bytes, int count, uint64_t number) {
    for (int i = 0; i < count; ++i)
        bytes[i] = (unsigned char)(number >> 8 * i);
}

static int is_intact(const unsigned char *page) {
    return checksum_of(page) == little_endian(page + CHECKSUM);
}

void ogg_set_frame(unsigned char *page, int64_t frame) {
    put_little_endian(page + GRANULE, 8, (uint64_t)frame);
    put_little_endian(page + CHECKSUM, 4, checksum_of(page));
}

int ogg_is_first(const unsigned char *page) {
    return (page[FLAGS] & OGG_BEGIN) && is_intact(page);
}

/* Returns a page that is there in full, NULL where none begins. */
static const unsigned char *page_at(struct file_window *w, int64_t offset) {
    const unsigned char *page = window_at(w, offset, OGG_PAGE_HEADER_BYTES);
    if (!page || !ogg_is_page(page, OGG_PAGE_HEADER_BYTES))
        return NULL;
    page = window_at(w, offset, ogg_header_bytes(page));
    return page ? window_at(w, offset, ogg_page_bytes(page)) : NULL;
}

/* Returns where the next page begins, -1 if there is none. */
static int64_t find_page(struct file_window *w, int64_t offset) {
    for (;; ++offset) {
        const unsigned char *bytes = window_at(w, offset, OGG_PAGE_HEADER_BYTES);
        if (!bytes)
            return -1;
        if (bytes[0] == 'O' && ogg_is_page(bytes, OGG_PAGE_HEADER_BYTES) && page_at(w, offset))
            return offset;
    }
}

static void note_first_sound(struct ogg_link *link, int64_t offset, const unsigned char *page) {
    link->page_begin = offset;
    link->page_bytes = ogg_page_bytes(page);
    link->page_frame = ogg_granule(page);
    link->is_page_last = (page[FLAGS] & OGG_END) != 0;
}

/* The first pages of a sound, one for each of its streams, are marked as such. So another sound
 * begins at a marked page that follows one without the mark. */
int ogg_find_link(int descriptor, int64_t begin, int64_t end, struct ogg_link *link) {
    struct file_window window = {.descriptor = descriptor, .end = end};
    int has_begun = 0;
    memset(link, 0, sizeof *link);
    link->begin = find_page(&window, begin);
    link->end = end;
    for (int64_t offset = link->begin; offset >= 0; offset = find_page(&window, offset)) {
        const unsigned char *page = page_at(&window, offset);
        if (!page)
            break;
        const int bytes = ogg_page_bytes(page);
        const int is_first = ogg_is_first(page);
        if (is_first && has_begun) {
            link->end = offset;
            break;
        }
        has_begun |= !is_first;
        if (offset == link->begin && is_first && ogg_is_flac(page))
            link->flac_begin = offset + ogg_header_bytes(page) + OGG_FLAC_MAPPING_BYTES;
        link->streams += is_first;
        if (!link->page_bytes && ogg_granule(page) > 0)
            note_first_sound(link, offset, page);
        link->is_ended = (page[FLAGS] & OGG_END) != 0;
        offset += bytes;
    }
    return link->begin >= 0;
}

int64_t ogg_add_flac(int descriptor, const struct ogg_link *link, byte_source *source) {
    struct file_window window = {.descriptor = descriptor, .end = link->end};
    int64_t frames = 0;
    uint32_t stream = 0;
    for (int64_t offset = link->begin; offset >= 0; offset = find_page(&window, offset)) {
        const unsigned char *page = page_at(&window, offset);
        if (!page)
            break;
        const int64_t end = offset + ogg_page_bytes(page);
        if (offset == link->begin)
            stream = ogg_stream_number(page);
        else if (ogg_stream_number(page) == stream) {
            frames = ogg_granule(page) > frames ? ogg_granule(page) : frames;
            if (!byte_source_add(source, offset + ogg_header_bytes(page), end))
                return -1;
        }
        offset = end;
    }
    return frames;
}

int ogg_add_moved(int descriptor, const struct ogg_link *link, int64_t frames,
                  byte_source *source) {
    struct file_window window = {.descriptor = descriptor, .end = link->end};
    unsigned char moved[OGG_MOST_PAGE_BYTES];
    int64_t added = link->begin;
    int64_t offset = link->page_begin;
    while (offset >= 0) {
        const unsigned char *page = page_at(&window, offset);
        if (!page)
            break;
        const int bytes = ogg_page_bytes(page);
        if (ogg_granule(page) > 0 && is_intact(page)) {
            const int header_bytes = ogg_header_bytes(page);
            memcpy(moved, page, (size_t)bytes);
            ogg_set_frame(moved, ogg_granule(page) + frames);
            if (!byte_source_add(source, added, offset) ||
                !byte_source_add_bytes(source, moved, header_bytes))
                return 0;
            added = offset + header_bytes;
        }
        offset = find_page(&window, offset + bytes);
    }
    return byte_source_add(source, added, link->end);
}
