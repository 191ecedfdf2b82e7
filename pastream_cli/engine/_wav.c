/* WAV, as it comes in a stream: where a header begins, and what it says. */
#include "_wav.h"

#include <string.h>

#include "_engine.h"
#include "_loops.h"

enum { TAG_PCM = 1, TAG_FLOAT = 3, TAG_ALAW = 6, TAG_ULAW = 7, TAG_EXTENSIBLE = 0xFFFE };

/* sndfile.h */
enum {
    SNDFILE_PCM_16 = 2,
    SNDFILE_PCM_24 = 3,
    SNDFILE_PCM_32 = 4,
    SNDFILE_PCM_U8 = 5,
    SNDFILE_FLOAT = 6,
    SNDFILE_DOUBLE = 7,
    SNDFILE_ULAW = 0x10,
    SNDFILE_ALAW = 0x11,
    SNDFILE_RAW = 0x40000,
    SNDFILE_LITTLE_ENDIAN = 0x10000000,
    SNDFILE_BIG_ENDIAN = 0x20000000
};

static const struct {
    int tag;
    int sample_bytes;
    int subtype;
} ENCODINGS[] = {
    {TAG_PCM, 1, SNDFILE_PCM_U8}, {TAG_PCM, 2, SNDFILE_PCM_16},  {TAG_PCM, 3, SNDFILE_PCM_24},
    {TAG_PCM, 4, SNDFILE_PCM_32}, {TAG_FLOAT, 4, SNDFILE_FLOAT}, {TAG_FLOAT, 8, SNDFILE_DOUBLE},
    {TAG_ALAW, 1, SNDFILE_ALAW},  {TAG_ULAW, 1, SNDFILE_ULAW},
};

/* What follows the tag in the extensible format: Microsoft's, and that for ambisonic sound. */
static const char *const EXTENSIBLE_TAILS[] = {
    "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71",
    "\x00\x00\x21\x07\xd3\x11\x86\x44\xc8\xc1\xca\x00\x00\x00",
};
enum { EXTENSIBLE_TAG_AT = 24, EXTENSIBLE_TAIL_AT = 26, EXTENSIBLE_TAIL_BYTES = 14 };
enum { LEAST_FORMAT_BYTES = 16, LONG_LENGTHS_BYTES = 16, LONGEST_TRAILER_BYTES = 1 << 26 };

static const char *const BEGINNINGS[] = {"RIFF", "RIFX", "RF64", "BW64"};
static const char *const TAGS[] = {"TAG", "ID3", "APETAGEX", "LYRICSBEGIN"};
static const char *const CHUNKS[] = {
    "fmt ", "ds64", "fact", "LIST", "JUNK", "PAD ", "FLLR", "bext", "iXML", "axml",
    "aXML", "cue ", "smpl", "inst", "acid", "PEAK", "id3 ", "ID3 ", "DISP", "_PMX",
    "chna", "cart", "umid", "minf", "afsp", "levl", "plst", "note", "strc", "info",
    "peak", "uuid", "mark", "midi", "ovvw", "free", "strg", "regn", "data",
};

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof *(array)))

/* Whether bytes begin with one of these words. */
static int begin_with(const unsigned char *bytes, int64_t count, const char *const *words,
                      int word_count) {
    for (int i = 0; i < word_count; ++i) {
        const size_t length = strlen(words[i]);
        if (count >= (int64_t)length && !memcmp(bytes, words[i], length))
            return 1;
    }
    return 0;
}

static uint32_t number(const unsigned char *bytes, int count, int is_big_endian) {
    uint32_t value = 0;
    for (int i = 0; i < count; ++i)
        value |= (uint32_t)bytes[i] << 8 * (is_big_endian ? count - 1 - i : i);
    return value;
}

/* ---- where one begins ---- */

/* Whether these bytes begin a header, as far as they are there. */
static int may_be_header(const unsigned char *bytes, int64_t count) {
    const size_t name_bytes = count < 4 ? (size_t)count : 4;
    const size_t kind_bytes = count < 8 ? 0 : count < WAV_BEGIN_BYTES ? (size_t)count - 8 : 4;
    for (int i = 0; i < COUNT_OF(BEGINNINGS); ++i)
        if (!memcmp(bytes, BEGINNINGS[i], name_bytes))
            return !memcmp(bytes + 8, "WAVE", kind_bytes);
    return 0;
}

int64_t wav_find_header(const unsigned char *bytes, int64_t count) {
    int64_t i = 0;
    while (count - i >= WAV_BEGIN_BYTES) {
        const unsigned char *wave =
            memchr(bytes + i + 8, 'W', (size_t)(count - i - WAV_BEGIN_BYTES + 1));
        if (wave && may_be_header(wave - 8, WAV_BEGIN_BYTES))
            return wave - 8 - bytes;
        i = wave ? wave - 8 - bytes + 1 : count - WAV_BEGIN_BYTES + 1;
    }
    while (i < count && !may_be_header(bytes + i, count - i))
        ++i;
    return i;
}

/* ---- behind samples, and between chunks ---- */

static int is_known_chunk(const unsigned char *name) {
    return begin_with(name, 4, CHUNKS, COUNT_OF(CHUNKS));
}

/* Whether this is a chunk: one that is known, or one with a name of four printable characters that
 * fits into what the header says is left. */
static int is_chunk(const unsigned char *bytes, int64_t most_bytes, int is_big_endian) {
    if (is_known_chunk(bytes))
        return 1;
    for (int i = 0; i < 4; ++i)
        if (bytes[i] < ' ' || bytes[i] > '~')
            return 0;
    return (int64_t)number(bytes + 4, 4, is_big_endian) + WAV_CHUNK_BYTES <= most_bytes;
}

int wav_is_no_sound(const unsigned char *bytes, int64_t count, int64_t most_bytes,
                    int is_big_endian) {
    return (count >= WAV_CHUNK_BYTES && is_chunk(bytes, most_bytes, is_big_endian)) ||
           (count >= WAV_BEGIN_BYTES && may_be_header(bytes, count)) ||
           begin_with(bytes, count, TAGS, COUNT_OF(TAGS));
}

int wav_has_pad(const unsigned char *bytes) {
    return !is_known_chunk(bytes) || is_known_chunk(bytes + 1);
}

/* ---- what a header says ---- */

void wav_begin(struct wav_header *h, const unsigned char *bytes) {
    *h = (struct wav_header){
        .samples.is_big_endian = !memcmp(bytes, "RIFX", 4),
        .long_bytes = -1,
        .taken_bytes = WAV_BEGIN_BYTES,
    };
    h->riff_bytes = (int64_t)number(bytes + 4, 4, h->samples.is_big_endian) + 8;
}

static void take_format(struct wav_samples *samples, const unsigned char *fields, int64_t size) {
    const int is_big = samples->is_big_endian;
    int tag = (int)number(fields, 2, is_big);
    const int channels = (int)number(fields + 2, 2, is_big);
    const uint32_t rate = number(fields + 4, 4, is_big);
    const int frame_bytes = (int)number(fields + 12, 2, is_big);
    const int bits = (int)number(fields + 14, 2, is_big);
    samples->raw_format = 0; /* a chunk of the same name may have come before */
    if (tag == TAG_EXTENSIBLE) {
        const unsigned char *tail = fields + EXTENSIBLE_TAIL_AT;
        if (size < WAV_FORMAT_BYTES || (memcmp(tail, EXTENSIBLE_TAILS[0], EXTENSIBLE_TAIL_BYTES) &&
                                        memcmp(tail, EXTENSIBLE_TAILS[1], EXTENSIBLE_TAIL_BYTES)))
            return;
        tag = (int)number(fields + EXTENSIBLE_TAG_AT, 2, is_big);
    }
    if (channels < 1 || channels > MOST_DEVICE_CHANNELS || rate < 1 || rate > INT32_MAX)
        return;
    /* where both contradict each other, the bits count */
    const int sample_bytes = bits ? (bits + 7) / 8 : frame_bytes / channels;
    samples->channels = channels;
    samples->rate = (int32_t)rate;
    /* but 24 bits in four bytes are the low three of them */
    samples->is_low_three = tag == TAG_PCM && bits == 24 && frame_bytes == 4 * channels && !is_big;
    samples->frame_bytes = channels * (samples->is_low_three ? 4 : sample_bytes);
    for (int i = 0; i < COUNT_OF(ENCODINGS); ++i)
        if (ENCODINGS[i].tag == tag && ENCODINGS[i].sample_bytes == sample_bytes)
            samples->raw_format = SNDFILE_RAW | ENCODINGS[i].subtype |
                                  (is_big ? SNDFILE_BIG_ENDIAN : SNDFILE_LITTLE_ENDIAN);
}

static int64_t long_number(const unsigned char *bytes) {
    const uint64_t value = number(bytes, 4, 0) | (uint64_t)number(bytes + 4, 4, 0) << 32;
    return value > INT64_MAX / 2 ? -1 : (int64_t)value;
}

static void take_length(struct wav_header *h, int64_t size) {
    const int64_t stated = size == UINT32_MAX ? h->long_bytes : size;
    const int64_t behind = h->riff_bytes - h->taken_bytes - stated;
    h->samples.stated_bytes = stated;
    h->samples.trailer_bytes = stated > 0 && behind <= LONGEST_TRAILER_BYTES ? most(0, behind) : 0;
}

int64_t wav_chunk_bytes(const struct wav_header *h, const unsigned char *chunk) {
    return number(chunk + 4, 4, h->samples.is_big_endian);
}

int wav_take_chunk(struct wav_header *h, const unsigned char *chunk) {
    const unsigned char *body = chunk + WAV_CHUNK_BYTES;
    const int64_t size = wav_chunk_bytes(h, chunk);
    h->taken_bytes += WAV_CHUNK_BYTES;
    if (!memcmp(chunk, "data", 4)) {
        take_length(h, size);
        return 1;
    }
    h->taken_bytes += size;
    if (!memcmp(chunk, "fmt ", 4) && size >= LEAST_FORMAT_BYTES)
        take_format(&h->samples, body, size);
    if (!memcmp(chunk, "ds64", 4) && size >= LONG_LENGTHS_BYTES) {
        h->riff_bytes = long_number(body) + 8;
        h->long_bytes = long_number(body + 8);
    }
    return 0;
}
