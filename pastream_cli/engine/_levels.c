/* Measures how loud channels are: peaks and sums of squares, for the meter and for files. */
#include "_real_time.h"

#include "_levels.h"

#include <math.h>

#include "_convert.h"

/* As many lanes as fit into vector registers. */
enum { LANES = 16, MOST_LANES = 4096, SEARCHED_AT_ONCE = 512 };

/* The least common multiple of LANES and the channels, so that all samples of a lane belong to one
 * channel. 0 if that is too many: samples are then taken one by one. */
static int64_t lanes_for(int64_t channels) {
    int64_t lanes = channels;
    while (lanes % LANES)
        lanes += channels;
    return lanes <= MOST_LANES ? lanes : 0;
}

static double greater(double a, double b) {
    return a > b ? a : b;
}

static int next_channel(int channel, int channels) {
    return channel + 1 == channels ? 0 : channel + 1;
}

/* ---- for the callback ---- */

void add_levels(struct levels *levels, const float *samples, int64_t frames, int channels) {
    const int64_t count = frames * channels;
    const int64_t lanes = lanes_for(channels);
    const int64_t groups = lanes ? count / lanes : 0;
    int channel = 0;
    for (int64_t first = 0; groups && first < lanes; first += LANES) {
        float peaks[LANES] = {0};
        float sums[LANES] = {0};
        const float *group = samples + first;
        for (int64_t i = 0; i < groups; ++i, group += lanes)
            for (int lane = 0; lane < LANES; ++lane) {
                const float magnitude = fabsf(group[lane]);
                peaks[lane] = magnitude > peaks[lane] ? magnitude : peaks[lane];
                sums[lane] += magnitude * magnitude;
            }
        for (int lane = 0; lane < LANES; ++lane) {
            if (peaks[lane] > levels->peaks[channel])
                levels->peaks[channel] = peaks[lane];
            levels->square_sums[channel] += (double)sums[lane];
            channel = next_channel(channel, channels);
        }
    }
    for (int64_t i = groups * lanes; i < count; ++i) {
        const float magnitude = fabsf(samples[i]);
        if (magnitude > levels->peaks[channel])
            levels->peaks[channel] = magnitude;
        levels->square_sums[channel] += (double)(magnitude * magnitude);
        channel = next_channel(channel, channels);
    }
    levels->frames += frames;
}

/* ---- for the writer ---- */

static double sample_at(const void *samples, int sample_format, int64_t index) {
    switch (sample_format) {
    case SAMPLE_FLOAT32:
        return (double)((const float *)samples)[index];
    case SAMPLE_INT32:
        return (double)((const int32_t *)samples)[index] * 0x1p-31;
    default:
        return (double)((const int16_t *)samples)[index] * 0x1p-15;
    }
}

/* The peaks of LANES neighbouring lanes. The samples of a lane are `lanes` samples apart. */
static void find_peaks_of_float32(double *peaks, const float *samples, int64_t groups,
                                  int64_t lanes) {
    float most[LANES] = {0};
    for (int64_t i = 0; i < groups; ++i, samples += lanes)
        for (int lane = 0; lane < LANES; ++lane) {
            const float magnitude = fabsf(samples[lane]);
            most[lane] = magnitude > most[lane] ? magnitude : most[lane];
        }
    for (int lane = 0; lane < LANES; ++lane)
        peaks[lane] = (double)most[lane];
}

static void find_peaks_of_int32(double *peaks, const int32_t *samples, int64_t groups,
                                int64_t lanes) {
    int32_t most[LANES] = {0};
    int32_t least[LANES] = {0};
    for (int64_t i = 0; i < groups; ++i, samples += lanes)
        for (int lane = 0; lane < LANES; ++lane) {
            most[lane] = samples[lane] > most[lane] ? samples[lane] : most[lane];
            least[lane] = samples[lane] < least[lane] ? samples[lane] : least[lane];
        }
    for (int lane = 0; lane < LANES; ++lane)
        peaks[lane] = greater((double)most[lane], -(double)least[lane]) * 0x1p-31;
}

static void find_peaks_of_int16(double *peaks, const int16_t *samples, int64_t groups,
                                int64_t lanes) {
    int16_t most[LANES] = {0};
    int16_t least[LANES] = {0};
    for (int64_t i = 0; i < groups; ++i, samples += lanes)
        for (int lane = 0; lane < LANES; ++lane) {
            most[lane] = samples[lane] > most[lane] ? samples[lane] : most[lane];
            least[lane] = samples[lane] < least[lane] ? samples[lane] : least[lane];
        }
    for (int lane = 0; lane < LANES; ++lane)
        peaks[lane] = greater((double)most[lane], -(double)least[lane]) * 0x1p-15;
}

static void find_peaks(double *peaks, const void *samples, int sample_format, int64_t first,
                       int64_t groups, int64_t lanes) {
    switch (sample_format) {
    case SAMPLE_FLOAT32:
        find_peaks_of_float32(peaks, (const float *)samples + first, groups, lanes);
        break;
    case SAMPLE_INT32:
        find_peaks_of_int32(peaks, (const int32_t *)samples + first, groups, lanes);
        break;
    default:
        find_peaks_of_int16(peaks, (const int16_t *)samples + first, groups, lanes);
    }
}

static void raise_peak(struct extremes *extremes, double peak) {
    if (peak > extremes->block_peak) /* false for NaN */
        extremes->block_peak = peak;
}

static void find_block_peaks(struct extremes *extremes, const void *samples, int sample_format,
                             int64_t count, int channels) {
    const int64_t lanes = lanes_for(channels);
    const int64_t groups = lanes ? count / lanes : 0;
    int channel = 0;
    for (int64_t first = 0; groups && first < lanes; first += LANES) {
        double peaks[LANES];
        find_peaks(peaks, samples, sample_format, first, groups, lanes);
        for (int lane = 0; lane < LANES; ++lane) {
            raise_peak(&extremes[channel], peaks[lane]);
            channel = next_channel(channel, channels);
        }
    }
    for (int64_t i = groups * lanes; i < count; ++i) {
        raise_peak(&extremes[channel], fabs(sample_at(samples, sample_format, i)));
        channel = next_channel(channel, channels);
    }
}

void add_extremes(struct extremes *extremes, const void *samples, int sample_format, int bits,
                  int64_t frames, int channels) {
    const double top =
        sample_format == SAMPLE_FLOAT32 ? 1.0 : 1.0 - 2.0 / (double)(INT64_C(1) << bits);
    const int64_t count = frames * channels;
    for (int channel = 0; channel < channels; ++channel)
        extremes[channel].block_peak = 0;
    find_block_peaks(extremes, samples, sample_format, count, channels);
    for (int channel = 0; channel < channels; ++channel) {
        struct extremes *e = &extremes[channel];
        if (e->block_peak > e->peak)
            e->peak = e->block_peak;
        /* clips are rare, so they are counted only if the peak shows that there are some */
        for (int64_t i = channel; e->block_peak >= top && i < count; i += channels) {
            const double sample = sample_at(samples, sample_format, i);
            e->clips += (sample >= top) | (sample <= -1.0);
        }
    }
}

double peak_of(const void *samples, int sample_format, int64_t count) {
    double peaks[LANES];
    double peak = 0;
    const int64_t groups = count / LANES;
    find_peaks(peaks, samples, sample_format, 0, groups, LANES);
    for (int lane = 0; lane < LANES; ++lane)
        peak = greater(peaks[lane], peak);
    for (int64_t i = groups * LANES; i < count; ++i)
        peak = greater(fabs(sample_at(samples, sample_format, i)), peak);
    return peak;
}

static const void *sample_from(const void *samples, int sample_format, int64_t index) {
    return (const unsigned char *)samples + index * sample_bytes(sample_format);
}

int64_t first_loud(const void *samples, int sample_format, int64_t count, double level) {
    int64_t i = 0;
    while (count - i > SEARCHED_AT_ONCE &&
           peak_of(sample_from(samples, sample_format, i), sample_format, SEARCHED_AT_ONCE) < level)
        i += SEARCHED_AT_ONCE;
    while (i < count && !(fabs(sample_at(samples, sample_format, i)) >= level))
        ++i;
    return i;
}

int64_t last_loud(const void *samples, int sample_format, int64_t count, double level) {
    int64_t i = count;
    while (i > SEARCHED_AT_ONCE &&
           peak_of(sample_from(samples, sample_format, i - SEARCHED_AT_ONCE), sample_format,
                   SEARCHED_AT_ONCE) < level)
        i -= SEARCHED_AT_ONCE;
    while (i > 0 && !(fabs(sample_at(samples, sample_format, i - 1)) >= level))
        --i;
    return i - 1;
}
