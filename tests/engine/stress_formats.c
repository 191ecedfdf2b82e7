/* Conversions, maps and levels by themselves, in memory of exactly the size that they may touch, at
 * every alignment that samples of a format can have. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "_convert.h"
#include "_gather.h"
#include "_levels.h"
#include "stress.h"
#include "stress_reference.h"
#include "stress_signal.h"

enum { MOST_CHANNELS = 70, MOST_SAMPLES = 1200, MOST_SHIFT = 5, MOST_FRAMES = 90 };

static int random_format(struct random *r) {
    return (int)random_from(r, SAMPLE_FLOAT32, SAMPLE_UINT8);
}

/* Memory that ends where the samples end, and begins a few samples before them. */
struct piece {
    unsigned char *memory;
    unsigned char *samples;
};

static struct piece make_piece(struct random *r, int sample_format, int64_t samples) {
    const int64_t shift = random_from(r, 0, MOST_SHIFT);
    const int bytes = bytes_per_sample(sample_format);
    unsigned char *memory = allocate((uint64_t)most_of(1, shift + samples), (uint64_t)bytes);
    return (struct piece){memory, memory + shift * bytes};
}

static void samples_of_any_format_become_those_of_any_other(struct random *r) {
    const int from_format = random_format(r);
    const int to_format = random_format(r);
    const int bits =
        to_format == SAMPLE_INT32 ? (int)random_from(r, 2, 32) : bits_per_sample(to_format);
    const int64_t samples = random_from(r, 0, one_in(r, 2) ? 40 : MOST_SAMPLES);
    const struct piece from = make_piece(r, from_format, samples);
    const struct piece to = make_piece(r, to_format, samples);
    void *expected = allocate((uint64_t)samples + 1, 4);
    random_samples(r, from.samples, from_format, samples);
    for (int64_t i = 0; i < samples; ++i)
        expect_sample(expected, i, to_format, bits, from.samples, i, from_format);
    convert(to.samples, to_format, bits, from.samples, from_format, samples);
    expect_same("converted", to.samples, expected, to_format, samples);
    free(expected);
    free(to.memory);
    free(from.memory);
}

static void any_map_picks_its_channels(struct random *r) {
    const int format = random_format(r);
    const int targets = (int)random_from(r, 1, one_in(r, 2) ? 5 : MOST_CHANNELS);
    const int sources = (int)random_from(r, 1, one_in(r, 2) ? 5 : MOST_CHANNELS);
    const int64_t frames = random_from(r, 0, MOST_FRAMES);
    int32_t map[MOST_CHANNELS];
    random_map(r, map, targets, sources);
    const struct piece from = make_piece(r, format, frames * sources);
    const struct piece to = make_piece(r, format, frames * targets);
    void *expected = allocate((uint64_t)(frames * targets) + 1, 4);
    random_samples(r, from.samples, format, frames * sources);
    for (int64_t i = 0; i < frames * targets; ++i) {
        const int32_t channel = map[i % targets];
        expect_sample(expected, i, format, bits_per_sample(format), from.samples,
                      channel < 0 ? -1 : i / targets * sources + channel, format);
    }
    gather(to.samples, targets, from.samples, sources, format, map, frames);
    expect_same("gathered", to.samples, expected, format, frames * targets);
    free(expected);
    free(to.memory);
    free(from.memory);
}

static void expect_level(const char *what, double got, double expected) {
    /* the sums are of floats, in another order */
    if (!(fabs(got - expected) <= 1e-5 * expected))
        violation("%s: %.9g instead of %.9g", what, got, expected);
}

static void levels_are_those_of_each_channel(struct random *r) {
    const int channels = (int)random_from(r, 1, MOST_CHANNELS);
    const int64_t frames = random_from(r, 0, MOST_FRAMES);
    const struct piece from = make_piece(r, SAMPLE_FLOAT32, frames * channels);
    float *samples = (float *)(void *)from.samples;
    for (int64_t i = 0; i < frames * channels; ++i)
        samples[i] = (float)random_from(r, -1000, 1000) * 0.001F;
    struct levels levels = {0};
    add_levels(&levels, samples, frames, channels);
    expect_equal("frames of levels", levels.frames, frames);
    for (int channel = 0; channel < channels; ++channel) {
        double peak = 0;
        double square_sum = 0;
        for (int64_t i = channel; i < frames * channels; i += channels) {
            peak = fmax(peak, fabs((double)samples[i]));
            square_sum += (double)samples[i] * (double)samples[i];
        }
        expect_level("peak", (double)levels.peaks[channel], peak);
        expect_level("sum of squares", levels.square_sums[channel], square_sum);
    }
    free(from.memory);
}

void stress_formats(struct random random) {
    samples_of_any_format_become_those_of_any_other(&random);
    any_map_picks_its_channels(&random);
    levels_are_those_of_each_channel(&random);
}
