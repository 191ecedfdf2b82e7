/* FLAC: where a stream begins, and its blocks, found by their headers (RFC 9639). */
#include "_flac.h"

#include <stdio.h>
#include <string.h>

enum {
    WINDOW_BYTES = 32768,
    LEAST_BLOCK_BYTES = 10,
    MOST_HEADER_BYTES = 16,
    LEAST_BLOCK_FRAMES = 16,
    FIXED_BEGIN_BYTES = 8 /* of a stream: the same in all streams, but for one bit */
};
/* The longest block of sound that is searched for: 65535 frames of 8 channels of 32 bits. */
static const int64_t MOST_BLOCK_BYTES = 1 << 21;
/* What some programs write that do not know the number of frames yet. */
static const int64_t ALL_ONES = ((int64_t)1 << 36) - 1;
/* More frames than any damage in the last bytes of a file takes away. */
static const int64_t MOST_FRAMES_LOST = 1 << 22;

/* ---- a window on a source ---- */

struct source_window {
    byte_source *source;
    int64_t begin;
    int64_t bytes;
    unsigned char buffer[WINDOW_BYTES];
};

/* Returns the bytes at a place, `count` of them at least, which hold until the next call; NULL if
 * the source ends before. */
static const unsigned char *window_at(struct source_window *w, int64_t place, int64_t count) {
    if (place >= w->begin && place + count <= w->begin + w->bytes)
        return w->buffer + (place - w->begin);
    if (byte_source_seek(place, SEEK_SET, w->source) != place)
        return NULL;
    w->begin = place;
    w->bytes = 0;
    while (w->bytes < count) {
        const int64_t got =
            byte_source_read(w->buffer + w->bytes, WINDOW_BYTES - w->bytes, w->source);
        if (got <= 0)
            return NULL;
        w->bytes += got;
    }
    return w->buffer;
}

/* ---- where a stream begins ---- */

static uint32_t big_endian(const unsigned char *bytes, int count) {
    uint32_t number = 0;
    for (int i = 0; i < count; ++i)
        number = number << 8 | bytes[i];
    return number;
}

/* STREAMINFO has 34 bytes, and may be the only block of metadata. */
static int begins_like_a_stream(const unsigned char *bytes, int64_t count) {
    static const unsigned char begin[FIXED_BEGIN_BYTES] = {'f', 'L', 'a', 'C', 0, 0, 0, 34};
    for (int i = 0; i < FIXED_BEGIN_BYTES && i < count; ++i)
        if ((i == 4 ? bytes[i] & 0x7F : bytes[i]) != begin[i])
            return 0;
    return 1;
}

int flac_read_info(const unsigned char *begin, struct flac_info *info) {
    info->least_block_frames = (int32_t)big_endian(begin + 8, 2);
    info->most_block_frames = (int32_t)big_endian(begin + 10, 2);
    info->rate = (int32_t)(big_endian(begin + 18, 3) >> 4);
    info->channels = (begin[20] >> 1 & 7) + 1;
    info->bits = ((begin[20] & 1) << 4 | begin[21] >> 4) + 1;
    info->frames = (int64_t)(begin[21] & 15) << 32 | big_endian(begin + 22, 4);
    if (info->frames == ALL_ONES)
        info->frames = 0;
    return begins_like_a_stream(begin, FLAC_BEGIN_BYTES) && info->rate > 0 && info->bits >= 4 &&
           info->least_block_frames >= LEAST_BLOCK_FRAMES &&
           info->most_block_frames >= info->least_block_frames;
}

void flac_forget_frames(unsigned char *begin) {
    begin[21] &= 0xF0;
    memset(begin + 22, 0, 4);
}

void flac_end_metadata(unsigned char *begin) {
    begin[4] |= 0x80;
}

int64_t flac_begin_in(const unsigned char *bytes, int64_t count) {
    struct flac_info info;
    int64_t i = 0;
    while (i < count) {
        const unsigned char *next = memchr(bytes + i, 'f', (size_t)(count - i));
        if (!next)
            return count;
        i = next - bytes;
        if (begins_like_a_stream(next, count - i) &&
            (count - i < FLAC_BEGIN_BYTES || flac_read_info(next, &info)))
            return i;
        ++i;
    }
    return count;
}

int64_t flac_find_begin(byte_source *source, int64_t begin, int64_t end) {
    struct source_window w = {.source = source};
    while (begin + FLAC_BEGIN_BYTES <= end) {
        const unsigned char *bytes = window_at(&w, begin, FLAC_BEGIN_BYTES);
        if (!bytes)
            return -1;
        const int64_t there = w.begin + w.bytes - begin;
        const int64_t count = there < end - begin ? there : end - begin;
        const int64_t found = flac_begin_in(bytes, count);
        if (count - found >= FLAC_BEGIN_BYTES)
            return begin + found;
        begin += found;
    }
    return -1;
}

/* ---- blocks ---- */

static uint32_t checksum(const unsigned char *bytes, int count) {
    uint32_t sum = 0;
    for (int i = 0; i < count; ++i) {
        sum ^= bytes[i];
        for (int bit = 0; bit < 8; ++bit)
            sum = (sum << 1 ^ (sum & 0x80 ? 0x07 : 0)) & 0xFF;
    }
    return sum;
}

/* Reads the number of a block, which is coded as UTF-8 codes a character. Returns its length in
 * bytes, 0 if it is none. */
static int read_number(const unsigned char *bytes, int64_t *number) {
    int count = 0;
    while (count < 8 && bytes[0] & 0x80 >> count)
        ++count;
    if (count == 1 || count == 8)
        return 0;
    *number = bytes[0] & 0x7F >> count;
    for (int i = 1; i < count; ++i) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
        *number = *number << 6 | (bytes[i] & 0x3F);
    }
    return count ? count : 1;
}

static int is_of_stream(const unsigned char *header, const struct flac_info *info) {
    static const int32_t bits_of_code[] = {0, 8, 12, -1, 16, 20, 24, 32};
    const int channels = header[3] >> 4;
    const int32_t bits = bits_of_code[header[3] >> 1 & 7];
    return !(header[3] & 1) && (header[2] & 15) != 15 && (bits == 0 || bits == info->bits) &&
           info->channels == (channels < 8    ? channels + 1
                              : channels < 11 ? 2
                                              : 0);
}

/* Returns the frames of a block, 0 if the code is none; `place` is where they are if the code says
 * that they follow. */
static int32_t frames_of_code(int code, const unsigned char *header, int *place) {
    if (code == 6)
        return header[(*place)++] + 1;
    if (code == 7) {
        *place += 2;
        return (int32_t)big_endian(header + *place - 2, 2) + 1;
    }
    return code == 0 ? 0 : code == 1 ? 192 : code < 6 ? 576 << (code - 2) : 256 << (code - 8);
}

static int read_header(const unsigned char *header, const struct flac_info *info,
                       struct flac_block *block) {
    int64_t number = 0;
    if (header[0] != 0xFF || (header[1] & 0xFE) != 0xF8 || !is_of_stream(header, info))
        return 0;
    const int number_bytes = read_number(header + 4, &number);
    int place = 4 + number_bytes;
    block->frames = frames_of_code(header[2] >> 4, header, &place);
    const int rate_code = header[2] & 15;
    place += rate_code == 12 ? 1 : rate_code == 13 || rate_code == 14 ? 2 : 0;
    const int has_number_of_frame = header[1] & 1;
    block->first_frame = has_number_of_frame ? number : number * info->most_block_frames;
    return number_bytes && block->frames && block->frames <= info->most_block_frames &&
           checksum(header, place) == header[place];
}

static int read_header_at(struct source_window *w, int64_t place, int64_t end,
                          const struct flac_info *info, struct flac_block *block) {
    unsigned char header[MOST_HEADER_BYTES] = {0};
    const int64_t count = end - place < MOST_HEADER_BYTES ? end - place : MOST_HEADER_BYTES;
    const unsigned char *bytes = window_at(w, place, count);
    if (!bytes)
        return 0;
    memcpy(header, bytes, (size_t)count);
    block->place = place;
    return read_header(header, info, block);
}

static int find_block(struct source_window *w, int64_t begin, int64_t end,
                      const struct flac_info *info, struct flac_block *block) {
    for (int64_t place = begin; place + LEAST_BLOCK_BYTES <= end; ++place) {
        const unsigned char *bytes = window_at(w, place, LEAST_BLOCK_BYTES);
        if (!bytes)
            return 0;
        const int64_t there = w->begin + w->bytes - place;
        const unsigned char *sync = memchr(bytes, 0xFF, (size_t)there - 1);
        place += sync ? sync - bytes : there - 2;
        if (sync && place < end && (sync[1] & 0xFE) == 0xF8 &&
            read_header_at(w, place, end, info, block))
            return 1;
    }
    return 0;
}

int flac_find_block(byte_source *source, int64_t begin, int64_t end, const struct flac_info *info,
                    struct flac_block *block) {
    struct source_window w = {.source = source};
    return find_block(&w, begin, end, info, block);
}

static int follows(const struct flac_block *block, const struct flac_block *before) {
    const int64_t frames = block->first_frame - before->first_frame;
    return frames > 0 && frames <= MOST_FRAMES_LOST;
}

/* What only looks like a header has no number that fits to the one before. */
static int find_last_from(struct source_window *w, int64_t begin, int64_t end, int are_all,
                          const struct flac_info *info, struct flac_block *block) {
    struct flac_block before;
    struct flac_block next;
    int found = 0;
    int count = 0;
    while (find_block(w, begin, end, info, &next)) {
        if (count ? follows(&next, &before) : are_all) {
            *block = next;
            found = 1;
        }
        before = next;
        begin = next.place + 1;
        ++count;
    }
    return found;
}

int flac_find_last_block(byte_source *source, int64_t begin, int64_t end,
                         const struct flac_info *info, struct flac_block *block) {
    struct source_window w = {.source = source};
    for (int64_t bytes = WINDOW_BYTES;; bytes *= 4) {
        const int are_all = bytes >= end - begin;
        if (find_last_from(&w, are_all ? begin : end - bytes, end, are_all, info, block))
            return 1;
        if (are_all || bytes > 2 * MOST_BLOCK_BYTES)
            return 0;
    }
}
