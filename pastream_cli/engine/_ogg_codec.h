/* What the packets of Vorbis and Opus in Ogg say of their length, without being decoded. cffi reads
 * this file too, so it holds plain declarations only. */
#ifndef PASTREAM_OGG_CODEC_H
#define PASTREAM_OGG_CODEC_H

#include <stdint.h>

enum { OGG_OTHER_CODEC, OGG_VORBIS, OGG_OPUS };

/* A sound, by the headers of its codec. */
struct ogg_codec {
    int32_t kind;
    int32_t channels;
    int32_t rate;        /* at which libsndfile decodes it */
    int32_t skip_frames; /* Opus: so many at the beginning are no sound; they count at 48 kHz */
    int32_t short_block; /* Vorbis: frames */
    int32_t long_block;
    int32_t mode_count;  /* Vorbis: 0 as long as it is not known */
    uint64_t long_modes; /* Vorbis: a bit for each mode, set if its blocks are long */
};

/* Takes what the first page of a sound says. All pages must be there in full. */
void ogg_codec_begin(struct ogg_codec *codec, const unsigned char *page);
/* Takes what the last page before the first with sound says. */
void ogg_codec_set_up(struct ogg_codec *codec, const unsigned char *page);
/* Returns how many frames the packets that end in the first page with sound are decoded to, at the
 * rate that its pages count at; -1 if that cannot be told. */
int64_t ogg_codec_frames(const struct ogg_codec *codec, const unsigned char *page);

#endif
