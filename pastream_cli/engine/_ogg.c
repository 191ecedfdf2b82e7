/* Ogg: its pages, and where one sound ends and the next begins (RFC 3533). */
#include "_ogg.h"

#include <string.h>

#include "_file_window.h"
#include "_loops.h"

enum { OPUS_RATE_OF_PAGES = 48000 };
enum { FLAGS = 5, GRANULE = 6, STREAM = 14, NUMBER = 18, CHECKSUM = 22, SEGMENTS = 26 };

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

/* The checksum is computed with zeros in its own place, four bits at a time. */
static uint32_t checksum_of(const unsigned char *page) {
    static const uint32_t remainders[16] = {
        0x00000000, 0x04C11DB7, 0x09823B6E, 0x0D4326D9, 0x130476DC, 0x17C56B6B,
        0x1A864DB2, 0x1E475005, 0x2608EDB8, 0x22C9F00F, 0x2F8AD6D6, 0x2B4BCB61,
        0x350C9B64, 0x31CD86D3, 0x3C8EA00A, 0x384FBDBD,
    };
    const int bytes = ogg_page_bytes(page);
    uint32_t sum = 0;
    for (int i = 0; i < bytes; ++i) {
        const int is_in_checksum = i >= CHECKSUM && i < CHECKSUM + 4;
        sum ^= (uint32_t)(is_in_checksum ? 0 : page[i]) << 24;
        sum = sum << 4 ^ remainders[sum >> 28];
        sum = sum << 4 ^ remainders[sum >> 28];
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

int ogg_is_last(const unsigned char *page) {
    return (page[FLAGS] & OGG_END) != 0;
}

int ogg_goes_on(const unsigned char *page, const unsigned char *next) {
    return ogg_is_last(page) && ogg_is_page(next, OGG_PAGE_HEADER_BYTES) &&
           !(next[FLAGS] & OGG_BEGIN) && ogg_stream_number(page) == ogg_stream_number(next);
}

int ogg_mend(unsigned char *page, int64_t frames, int clears_end) {
    if (ogg_granule(page) <= 0 || !(frames || clears_end) || !is_intact(page))
        return 0;
    if (clears_end)
        page[FLAGS] &= (unsigned char)~OGG_END;
    ogg_set_frame(page, (int64_t)((uint64_t)ogg_granule(page) + (uint64_t)frames));
    return 1;
}

int ogg_is_continued(const unsigned char *page) {
    return (page[FLAGS] & OGG_CONTINUED) != 0;
}

int ogg_is_first(const unsigned char *page) {
    return (page[FLAGS] & OGG_BEGIN) && is_intact(page);
}

static int is_there(const unsigned char *page, int64_t count) {
    return count >= OGG_PAGE_HEADER_BYTES && count >= ogg_header_bytes(page) &&
           count >= ogg_page_bytes(page);
}

const unsigned char *ogg_page_behind(const unsigned char *page, int64_t count) {
    const int is_near = is_there(page, count);
    return is_near && count - ogg_page_bytes(page) >= OGG_PAGE_HEADER_BYTES
               ? page + ogg_page_bytes(page)
               : NULL;
}

int ogg_is_whole(const unsigned char *page, int64_t count) {
    const unsigned char *next = ogg_page_behind(page, count);
    if (next && ogg_is_page(next, OGG_PAGE_HEADER_BYTES) &&
        ogg_stream_number(next) == ogg_stream_number(page) &&
        little_endian(next + NUMBER) == little_endian(page + NUMBER) + 1)
        return 1;
    return is_there(page, count) && is_intact(page);
}

/* Where the first page with sound is the last one too, it is the end that is cut to its frame. */
static void measure(struct ogg_sound *sound, const unsigned char *page) {
    const int64_t frames = ogg_codec_frames(&sound->codec, page);
    sound->has_sound = 1;
    sound->is_measured = frames >= 0 && sound->streams == 1;
    sound->begin_frame = ogg_granule(page) - frames;
    if (ogg_is_last(page))
        sound->begin_frame = most(0, sound->begin_frame);
}

void ogg_note_page(struct ogg_sound *sound, const unsigned char *page) {
    const int is_first = ogg_is_first(page);
    const uint32_t number_before = sound->number;
    sound->streams += is_first;
    sound->is_ended = ogg_is_last(page);
    if (is_first && sound->streams == 1) {
        sound->stream = ogg_stream_number(page);
        ogg_codec_begin(&sound->codec, page);
    }
    if (is_first || ogg_stream_number(page) != sound->stream)
        return;
    sound->number = little_endian(page + NUMBER);
    if (sound->has_sound)
        sound->is_torn |= sound->number > number_before + 1;
    else if (ogg_granule(page) > 0)
        measure(sound, page);
    else
        ogg_codec_set_up(&sound->codec, page);
    if (ogg_granule(page) >= 0)
        sound->end_frame = ogg_granule(page);
}

int64_t ogg_frames_before(const struct ogg_sound *sound) {
    return sound->is_measured && sound->begin_frame < 0 ? -sound->begin_frame : 0;
}

int64_t ogg_link_frames(const struct ogg_link *link) {
    const struct ogg_sound *sound = &link->sound;
    int64_t frames;
    if (!sound->is_measured ||
        __builtin_sub_overflow(sound->end_frame, sound->begin_frame, &frames) || frames < 0)
        return -1;
    if (sound->codec.kind == OGG_VORBIS)
        return frames;
    return most(0, frames - sound->codec.skip_frames) / (OPUS_RATE_OF_PAGES / sound->codec.rate);
}

/* Returns a page that is there in full, NULL where none begins. */
static const unsigned char *page_at(struct file_window *w, int64_t offset) {
    const unsigned char *page = window_at(w, offset, OGG_PAGE_HEADER_BYTES);
    if (!page || !ogg_is_page(page, OGG_PAGE_HEADER_BYTES))
        return NULL;
    page = window_at(w, offset, ogg_header_bytes(page));
    if (!page)
        return NULL;
    const int64_t count = least(ogg_page_bytes(page) + OGG_PAGE_HEADER_BYTES, w->end - offset);
    page = window_at(w, offset, count);
    return page && ogg_is_whole(page, count) ? page : NULL;
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

/* The first pages of a sound, one for each of its streams, are marked as such. So another sound
 * begins at a marked page that follows one without the mark. */
int ogg_find_link(int descriptor, int64_t begin, int64_t end, byte_source *flac,
                  struct ogg_link *link) {
    struct file_window window = {.descriptor = descriptor, .end = end};
    unsigned char before[OGG_PAGE_HEADER_BYTES] = {0};
    int has_begun = 0;
    memset(link, 0, sizeof *link);
    link->sound_begin = -1;
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
        ogg_note_page(&link->sound, page);
        if (offset == link->begin && is_first && ogg_is_flac(page))
            link->flac_begin = offset + ogg_header_bytes(page) + OGG_FLAC_MAPPING_BYTES;
        else if (link->flac_begin && ogg_stream_number(page) == link->sound.stream &&
                 !byte_source_add(flac, offset + ogg_header_bytes(page), offset + bytes))
            return -1;
        if (link->sound_begin < 0 && link->sound.has_sound)
            link->sound_begin = offset;
        link->has_end_inside |= ogg_goes_on(before, page);
        memcpy(before, page, sizeof before);
        offset += bytes;
    }
    return link->begin >= 0;
}

int ogg_add(int descriptor, const struct ogg_link *link, byte_source *source) {
    struct file_window window = {.descriptor = descriptor, .end = link->end};
    unsigned char mended[OGG_MOST_PAGE_BYTES];
    const int64_t frames = ogg_frames_before(&link->sound);
    int64_t added = link->begin;
    int64_t offset = frames || link->has_end_inside ? link->sound_begin : -1;
    while (offset >= 0) {
        const unsigned char *page = page_at(&window, offset);
        if (!page)
            break;
        const int header_bytes = ogg_header_bytes(page);
        memcpy(mended, page, (size_t)ogg_page_bytes(page));
        const int64_t next = find_page(&window, offset + ogg_page_bytes(page));
        if (ogg_mend(mended, frames, next >= 0)) {
            if (!byte_source_add(source, added, offset) ||
                !byte_source_add_bytes(source, mended, header_bytes))
                return 0;
            added = offset + header_bytes;
        }
        offset = next;
    }
    return byte_source_add(source, added, link->end);
}
