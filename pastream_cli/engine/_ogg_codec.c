/* What the packets of Vorbis and Opus in Ogg say of their length, without being decoded. */
#include "_ogg_codec.h"

#include <string.h>

#include "_ogg.h"

/* Where these are in the first packet of each. */
enum { VORBIS_CHANNELS = 11, VORBIS_RATE = 12, VORBIS_BLOCKS = 28, VORBIS_BYTES = 30 };
enum { OPUS_CHANNELS = 9, OPUS_SKIP = 10, OPUS_RATE = 12, OPUS_BYTES = 19 };
/* Of a mode in the last header of Vorbis: flag, window, transform and mapping. */
enum {
    MODE_BITS = 41,
    ZERO_BITS = 32,
    MAPPING_BITS = 8,
    MODE_COUNT_BITS = 6,
    MOST_MODES = 64,
    MOST_MAPPINGS = 64
};

static int little_endian_at(const unsigned char *bytes, int count) {
    int number = 0;
    for (int i = count - 1; i >= 0; --i)
        number = number << 8 | bytes[i];
    return number;
}

static uint64_t bits_at(const unsigned char *bytes, int64_t offset, int count) {
    uint64_t bits = 0;
    for (int i = 0; i < count; ++i)
        bits |= (uint64_t)(bytes[(offset + i) / 8] >> (offset + i) % 8 & 1) << i;
    return bits;
}

static void begin_vorbis(struct ogg_codec *codec, const unsigned char *header) {
    codec->kind = OGG_VORBIS;
    codec->channels = header[VORBIS_CHANNELS];
    codec->rate = little_endian_at(header + VORBIS_RATE, 3);
    codec->short_block = 1 << (header[VORBIS_BLOCKS] & 15);
    codec->long_block = 1 << (header[VORBIS_BLOCKS] >> 4);
}

/* libsndfile decodes at the least rate of Opus that is not below the one that was encoded. */
static void begin_opus(struct ogg_codec *codec, const unsigned char *header) {
    static const int rates[] = {8000, 12000, 16000, 24000};
    const int rate = little_endian_at(header + OPUS_RATE, 3);
    codec->kind = OGG_OPUS;
    codec->channels = header[OPUS_CHANNELS];
    codec->skip_frames = little_endian_at(header + OPUS_SKIP, 2);
    codec->rate = 48000;
    for (int i = 3; i >= 0; --i)
        if (rate <= rates[i])
            codec->rate = rates[i];
}

void ogg_codec_begin(struct ogg_codec *codec, const unsigned char *page) {
    const unsigned char *header = page + ogg_header_bytes(page);
    const int64_t bytes = ogg_page_bytes(page) - ogg_header_bytes(page);
    memset(codec, 0, sizeof *codec);
    if (bytes >= VORBIS_BYTES && !memcmp(header, "\1vorbis", 7))
        begin_vorbis(codec, header);
    else if (bytes >= OPUS_BYTES && !memcmp(header, "OpusHead", 8))
        begin_opus(codec, header);
}

/* The modes are the last thing in the last header, and how many there are is said before them. So
 * they are read from the end, where a bit is set; what looks like their number may be a part of one
 * of them, so the greatest counts. */
void ogg_codec_set_up(struct ogg_codec *codec, const unsigned char *page) {
    const unsigned char *bytes = page + ogg_header_bytes(page);
    int64_t end = 8 * (int64_t)(ogg_page_bytes(page) - ogg_header_bytes(page));
    codec->mode_count = 0;
    if (codec->kind != OGG_VORBIS)
        return;
    while (end > 0 && !bits_at(bytes, --end, 1))
        continue;
    for (int count = 1; count <= MOST_MODES; ++count) {
        const int64_t mode = end - MODE_BITS * count;
        if (mode < MODE_COUNT_BITS || bits_at(bytes, mode + 1, ZERO_BITS) ||
            bits_at(bytes, mode + 1 + ZERO_BITS, MAPPING_BITS) >= MOST_MAPPINGS)
            return;
        if (bits_at(bytes, mode - MODE_COUNT_BITS, MODE_COUNT_BITS) + 1 != (uint64_t)count)
            continue;
        codec->mode_count = count;
        codec->long_modes = 0;
        for (int i = 0; i < count; ++i)
            codec->long_modes |= bits_at(bytes, mode + MODE_BITS * i, 1) << i;
    }
}

/* Returns the length of the packet's block, -1 if it is not sound. */
static int block_frames(const struct ogg_codec *codec, const unsigned char *packet, int bytes) {
    int mask = 0;
    while (mask < codec->mode_count - 1)
        mask = mask << 1 | 1;
    const int mode = bytes ? packet[0] >> 1 & mask : 0;
    if (bytes == 0 || packet[0] & 1 || mode >= codec->mode_count)
        return -1;
    return codec->long_modes >> mode & 1 ? codec->long_block : codec->short_block;
}

/* By its first byte, and by the second where that says how many frames of the codec it has. */
static int opus_frames(const unsigned char *packet, int bytes) {
    const int configuration = bytes ? packet[0] >> 3 : 0;
    const int size = configuration & 3;
    const int code = bytes ? packet[0] & 3 : 0;
    const int count = code == 3 ? (bytes > 1 ? packet[1] & 63 : 0) : code ? 2 : 1;
    if (bytes == 0)
        return 0;
    if (configuration >= 16)
        return count * (120 << size);
    if (configuration >= 12)
        return count * (480 << (size & 1));
    return count * (size == 3 ? 2880 : 480 << size);
}

int64_t ogg_codec_frames(const struct ogg_codec *codec, const unsigned char *page) {
    const unsigned char *segment = page + OGG_PAGE_HEADER_BYTES;
    const unsigned char *body = page + ogg_header_bytes(page);
    const unsigned char *packet = body;
    int64_t frames = 0;
    int bytes = 0;
    int before = -1;
    if (codec->kind == OGG_OTHER_CODEC || ogg_is_continued(page) ||
        (codec->kind == OGG_VORBIS && !codec->mode_count))
        return -1;
    for (; segment < body; ++segment) {
        bytes += *segment;
        if (*segment == 255)
            continue;
        const int block = codec->kind == OGG_VORBIS ? block_frames(codec, packet, bytes) : -1;
        if (codec->kind == OGG_OPUS)
            frames += opus_frames(packet, bytes);
        else if (block >= 0 && before >= 0) /* blocks overlap: the first yields nothing */
            frames += (before + block) / 4;
        if (block >= 0)
            before = block;
        packet += bytes;
        bytes = 0;
    }
    return frames;
}
