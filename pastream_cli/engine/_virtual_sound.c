/* Makes a sine or noise for the virtual device. */
#include "_virtual_sound.h"

#include <math.h>
#include <stdlib.h>

#include "_virtual.h"

enum { MOST_TABLE_FRAMES = 1 << 20 };

static const double FULL_CIRCLE = 6.283185307179586476925;
static const double HALF_SCALE = 0.5;
static const uint64_t NOISE_SEED = 0x9E3779B97F4A7C15;

/* If rate and frequency are whole numbers, the sine repeats after a whole number of frames. */
static int make_sine_table(struct sound_source *s) {
    if (s->sine_hz != floor(s->sine_hz) || s->frames_per_second != floor(s->frames_per_second))
        return 1;
    int64_t divisor = (int64_t)s->frames_per_second;
    for (int64_t rest = (int64_t)s->sine_hz; rest;) {
        const int64_t remainder = divisor % rest;
        divisor = rest;
        rest = remainder;
    }
    const int64_t frames = (int64_t)s->frames_per_second / divisor;
    if (frames > MOST_TABLE_FRAMES)
        return 1;
    s->sine_table = malloc((size_t)frames * sizeof *s->sine_table);
    if (!s->sine_table)
        return 0;
    for (int64_t i = 0; i < frames; ++i)
        s->sine_table[i] =
            HALF_SCALE *
            sin(FULL_CIRCLE * fmod((double)i * s->sine_hz / s->frames_per_second, 1.0));
    s->sine_period_frames = frames;
    return 1;
}

static double sine_at(const struct sound_source *s, int64_t frame) {
    if (s->sine_table)
        return s->sine_table[frame % s->sine_period_frames];
    return HALF_SCALE *
           sin(FULL_CIRCLE * fmod((double)frame * s->sine_hz / s->frames_per_second, 1.0));
}

/* The upper half of xorshift64*: the same noise in every run, whatever the block size. */
static double noise_next(struct sound_source *s) {
    s->noise ^= s->noise >> 12;
    s->noise ^= s->noise << 25;
    s->noise ^= s->noise >> 27;
    const uint32_t bits = (uint32_t)((s->noise * UINT64_C(0x2545F4914F6CDD1D)) >> 32);
    return HALF_SCALE * ((double)bits * 0x1p-31 - 1.0);
}

static void put_sample(void *samples, int file_sample, int64_t index, double value) {
    if (file_sample == FILE_FLOAT32)
        ((float *)samples)[index] = (float)value;
    else
        ((int32_t *)samples)[index] = (int32_t)lrint(value * 0x1p31);
}

int sound_prepare(struct sound_source *s) {
    s->noise = NOISE_SEED;
    return s->kind != VIRTUAL_SINE || make_sine_table(s);
}

void sound_free(struct sound_source *s) {
    free(s->sine_table);
}

void sound_fill(struct sound_source *s, void *samples, int file_sample, int channels,
                int64_t first_frame, int64_t frames) {
    int64_t index = 0;
    for (int64_t i = 0; i < frames; ++i) {
        const double tone = s->kind == VIRTUAL_SINE ? sine_at(s, first_frame + i) : 0.0;
        for (int channel = 0; channel < channels; ++channel)
            put_sample(samples, file_sample, index++,
                       s->kind == VIRTUAL_NOISE ? noise_next(s) : tone);
    }
}
