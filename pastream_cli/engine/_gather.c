/* Picks channels by a map, in loops that compilers turn into vectors. */
#include "_real_time.h"

#include "_gather.h"

#include <string.h>

#include "_convert.h"

enum { AT_ONCE = 4, MOST_WIDE_CHANNELS = 12, TILE_BYTES = 16384, LEAST_TILE_FRAMES = 16 };

struct frames {
    unsigned char *target;
    const unsigned char *source;
    int64_t target_channels;
    int64_t source_channels;
    int64_t count;
};

/* Moves four neighbouring channels of the target. It is inlined so that `bytes` and `moved` are
 * constants: each memcpy is then one load and one store. A sample of three bytes is moved as four
 * (`moved`), and the next store overwrites the fourth. The source is therefore read one byte past
 * its last sample. */
static inline __attribute__((always_inline)) void
move_four(const struct frames *f, int64_t target_channel, const int32_t *map,
          const unsigned char *silence, size_t bytes, size_t moved) {
    const int64_t source_step = f->source_channels * (int64_t)bytes;
    const int64_t target_step = f->target_channels * (int64_t)bytes;
    const unsigned char *from[AT_ONCE];
    int64_t steps[AT_ONCE];
    for (int i = 0; i < AT_ONCE; ++i) {
        from[i] = map[i] < 0 ? silence : f->source + map[i] * (int64_t)bytes;
        steps[i] = map[i] < 0 ? 0 : source_step;
    }
    unsigned char *to = f->target + target_channel * (int64_t)bytes;
#ifndef __clang__ /* clang does so itself; without it GCC's speed depends on the address */
#pragma GCC unroll 2
#endif
    for (int64_t frame = 0; frame < f->count; ++frame, to += target_step) {
        if (bytes == sizeof(uint32_t)) {
            uint32_t four[AT_ONCE]; /* becomes a vector, which one store writes */
            for (int i = 0; i < AT_ONCE; ++i)
                memcpy(&four[i], from[i] + frame * steps[i], bytes);
            memcpy(to, four, sizeof four);
            continue;
        }
        for (int i = 0; i < AT_ONCE; ++i)
            memcpy(to + (size_t)i * bytes, from[i] + frame * steps[i],
                   i < AT_ONCE - 1 ? moved : bytes);
    }
}

static inline __attribute__((always_inline)) void move_tile(const struct frames *f,
                                                            const int32_t *map,
                                                            const unsigned char *silence,
                                                            size_t bytes, size_t moved) {
    for (int64_t channel = 0; channel < f->target_channels; channel += AT_ONCE) {
        /* the last four may overlap with those before: moving a channel twice does no harm */
        const int64_t last = f->target_channels - AT_ONCE;
        const int64_t first = channel < last ? channel : last;
        move_four(f, first, map + first, silence, bytes, moved);
    }
}

static void move_all(const struct frames *f, const int32_t *map, const unsigned char *silence,
                     int bytes) {
    struct frames tile = *f;
    const int64_t frame_bytes = (f->source_channels + f->target_channels) * bytes;
    const int64_t fit = TILE_BYTES / frame_bytes;
    const int64_t at_once = fit > LEAST_TILE_FRAMES ? fit : LEAST_TILE_FRAMES;
    for (int64_t done = 0; done < f->count; done += tile.count) {
        const int64_t left = f->count - done;
        /* the last frame is moved alone, so that no byte is read past the end of the source */
        const int64_t before_last = left > 1 ? left - 1 : 1;
        tile.target = f->target + done * f->target_channels * bytes;
        tile.source = f->source + done * f->source_channels * bytes;
        tile.count = before_last < at_once ? before_last : at_once;
        switch (bytes) {
        case 4:
            move_tile(&tile, map, silence, 4, 4);
            break;
        case 3:
            if (left > 1)
                move_tile(&tile, map, silence, 3, 4);
            else
                move_tile(&tile, map, silence, 3, 3);
            break;
        case 2:
            move_tile(&tile, map, silence, 2, 2);
            break;
        default:
            move_tile(&tile, map, silence, 1, 1);
        }
    }
}

static void move_one_by_one(const struct frames *f, const int32_t *map,
                            const unsigned char *silence, int bytes) {
    for (int64_t frame = 0; frame < f->count; ++frame)
        for (int64_t i = 0; i < f->target_channels; ++i)
            memcpy(f->target + (frame * f->target_channels + i) * bytes,
                   map[i] < 0 ? silence : f->source + (frame * f->source_channels + map[i]) * bytes,
                   (size_t)bytes);
}

/* With fewer than four channels, two or four frames are treated as one frame of four channels or
 * more. */
static void move_few(const struct frames *f, const int32_t *map, const unsigned char *silence,
                     int bytes) {
    const int64_t together = f->target_channels == 2 ? 2 : 4;
    int32_t wide_map[MOST_WIDE_CHANNELS];
    for (int64_t i = 0; i < together * f->target_channels; ++i) {
        const int32_t channel = map[i % f->target_channels];
        const int64_t frame = i / f->target_channels;
        wide_map[i] = channel < 0 ? -1 : (int32_t)(frame * f->source_channels) + channel;
    }
    const struct frames wide = {
        .target = f->target,
        .source = f->source,
        .target_channels = together * f->target_channels,
        .source_channels = together * f->source_channels,
        .count = f->count / together,
    };
    move_all(&wide, wide_map, silence, bytes);
    const int64_t done = wide.count * together;
    struct frames rest = *f;
    rest.target += done * f->target_channels * bytes;
    rest.source += done * f->source_channels * bytes;
    rest.count -= done;
    move_one_by_one(&rest, map, silence, bytes);
}

void gather(void *target, int target_channels, const void *source, int source_channels,
            int sample_format, const int32_t *map, int64_t frames) {
    static const unsigned char zeros[] = {0, 0, 0, 0};
    static const unsigned char middle[] = {0x80, 0, 0, 0};
    const unsigned char *silence = sample_format == SAMPLE_UINT8 ? middle : zeros;
    const struct frames f = {target, source, target_channels, source_channels, frames};
    if (target_channels < AT_ONCE)
        move_few(&f, map, silence, sample_bytes(sample_format));
    else
        move_all(&f, map, silence, sample_bytes(sample_format));
}
