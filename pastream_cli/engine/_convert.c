#include "_convert.h"

#include <math.h>
#include <string.h>

int sample_bytes(int sample_format) {
    switch (sample_format) {
    case SAMPLE_FLOAT32:
    case SAMPLE_INT32:
        return 4;
    case SAMPLE_INT24:
        return 3;
    case SAMPLE_INT16:
        return 2;
    default:
        return 1;
    }
}

static void gather_4(uint32_t *target, int target_channels, const uint32_t *source,
                     int source_channels, const int32_t *map, int64_t frames) {
    for (int channel = 0; channel < target_channels; ++channel) {
        const uint32_t *from = source + (map[channel] < 0 ? 0 : map[channel]);
        const uint32_t mask = map[channel] < 0 ? 0 : UINT32_MAX;
        uint32_t *to = target + channel;
        for (int64_t i = 0; i < frames; ++i)
            to[i * target_channels] = from[i * source_channels] & mask;
    }
}

static void gather_any(unsigned char *target, int target_channels, const unsigned char *source,
                       int source_channels, int bytes, int zero, const int32_t *map,
                       int64_t frames) {
    const size_t size = (size_t)bytes;
    for (int64_t i = 0; i < frames; ++i) {
        for (int channel = 0; channel < target_channels; ++channel) {
            unsigned char *to = target + (i * target_channels + channel) * bytes;
            if (map[channel] < 0)
                memset(to, zero, size);
            else
                memcpy(to, source + (i * source_channels + map[channel]) * bytes, size);
        }
    }
}

void gather(void *target, int target_channels, const void *source, int source_channels,
            int sample_format, const int32_t *map, int64_t frames) {
    const int bytes = sample_bytes(sample_format);
    if (bytes == 4)
        gather_4(target, target_channels, source, source_channels, map, frames);
    else
        gather_any(target, target_channels, source, source_channels, bytes,
                   sample_format == SAMPLE_UINT8 ? 0x80 : 0, map, frames);
}

static void widen(int32_t *target, const void *source, int sample_format, int64_t samples) {
    switch (sample_format) {
    case SAMPLE_INT24:
        for (int64_t i = 0; i < samples; ++i) {
            const unsigned char *bytes = (const unsigned char *)source + 3 * i;
            uint32_t sample = (uint32_t)bytes[0] << 8 | (uint32_t)bytes[1] << 16;
            sample |= (uint32_t)bytes[2] << 24;
            target[i] = (int32_t)sample;
        }
        break;
    case SAMPLE_INT16:
        for (int64_t i = 0; i < samples; ++i)
            target[i] = (int32_t)((uint32_t)((const uint16_t *)source)[i] << 16);
        break;
    case SAMPLE_INT8:
        for (int64_t i = 0; i < samples; ++i)
            target[i] = (int32_t)((uint32_t)((const uint8_t *)source)[i] << 24);
        break;
    case SAMPLE_UINT8:
        for (int64_t i = 0; i < samples; ++i)
            target[i] = (int32_t)((uint32_t)(((const uint8_t *)source)[i] ^ 0x80u) << 24);
        break;
    default:
        memcpy(target, source, (size_t)samples * sizeof *target);
    }
}

static int32_t round_to(int32_t sample, int32_t half, int32_t mask) {
    /* top is where rounding up would pass the most positive code */
    const int32_t top = INT32_MAX - half;
    return (sample > top ? INT32_MAX : sample + half) & mask;
}

static void narrow(void *target, int sample_format, const int32_t *source, int64_t samples) {
    switch (sample_format) {
    case SAMPLE_INT24:
        for (int64_t i = 0; i < samples; ++i) {
            const uint32_t sample = (uint32_t)round_to(source[i], 0x80, ~0xFF);
            unsigned char *bytes = (unsigned char *)target + 3 * i;
            bytes[0] = (unsigned char)(sample >> 8);
            bytes[1] = (unsigned char)(sample >> 16);
            bytes[2] = (unsigned char)(sample >> 24);
        }
        break;
    case SAMPLE_INT16:
        for (int64_t i = 0; i < samples; ++i)
            ((int16_t *)target)[i] = (int16_t)(round_to(source[i], 0x8000, ~0xFFFF) >> 16);
        break;
    case SAMPLE_INT8:
        for (int64_t i = 0; i < samples; ++i)
            ((int8_t *)target)[i] = (int8_t)(round_to(source[i], 0x800000, ~0xFFFFFF) >> 24);
        break;
    case SAMPLE_UINT8:
        for (int64_t i = 0; i < samples; ++i)
            ((uint8_t *)target)[i] =
                (uint8_t)((round_to(source[i], 0x800000, ~0xFFFFFF) >> 24) + 128);
        break;
    default:
        memcpy(target, source, (size_t)samples * sizeof *source);
    }
}

static int32_t int32_of(float sample) {
    const float scaled = sample * 0x1p31f;
    if (!(scaled < 0x1p31f)) /* not a number, too, which becomes silence */
        return scaled >= 0x1p31f ? INT32_MAX : 0;
    return scaled <= -0x1p31f ? INT32_MIN : (int32_t)lrintf(scaled);
}

static void float_to_int32(int32_t *target, const float *source, int64_t samples) {
    for (int64_t i = 0; i < samples; ++i)
        target[i] = int32_of(source[i]);
}

static void int32_to_float(float *target, const int32_t *source, int64_t samples) {
    for (int64_t i = 0; i < samples; ++i)
        target[i] = (float)source[i] * 0x1p-31f;
}

const void *device_to_file(void *buffer, int file_sample, const void *source, int sample_format,
                           int64_t samples) {
    if (file_sample == FILE_INT32) {
        if (sample_format == SAMPLE_INT32)
            return source;
        if (sample_format == SAMPLE_FLOAT32)
            float_to_int32(buffer, source, samples);
        else
            widen(buffer, source, sample_format, samples);
        return buffer;
    }
    if (sample_format == SAMPLE_FLOAT32)
        return source;
    if (sample_format == SAMPLE_INT32) {
        int32_to_float(buffer, source, samples);
    } else {
        /* in place: each int32 becomes the float of the same four bytes */
        widen(buffer, source, sample_format, samples);
        for (int64_t i = 0; i < samples; ++i) {
            int32_t wide;
            memcpy(&wide, (char *)buffer + i * 4, 4);
            const float sample = (float)wide * 0x1p-31f;
            memcpy((char *)buffer + i * 4, &sample, 4);
        }
    }
    return buffer;
}

enum { SAMPLES_AT_ONCE = 512 };

void file_to_device(void *target, int sample_format, const void *source, int file_sample,
                    int64_t samples) {
    if (file_sample == FILE_FLOAT32 && sample_format == SAMPLE_FLOAT32) {
        memcpy(target, source, (size_t)samples * sizeof(float));
    } else if (file_sample == FILE_INT32 && sample_format == SAMPLE_FLOAT32) {
        int32_to_float(target, source, samples);
    } else if (file_sample == FILE_INT32) {
        narrow(target, sample_format, source, samples);
    } else {
        const int bytes = sample_bytes(sample_format);
        int32_t wide[SAMPLES_AT_ONCE];
        for (int64_t done = 0; done < samples; done += SAMPLES_AT_ONCE) {
            const int64_t n = samples - done < SAMPLES_AT_ONCE ? samples - done : SAMPLES_AT_ONCE;
            float_to_int32(wide, (const float *)source + done, n);
            narrow((char *)target + done * bytes, sample_format, wide, n);
        }
    }
}

enum { LANES = 16, MOST_LANES = 4096 };

/* The least multiple of both LANES and the channels: a lane then only ever sees one channel. */
static int lanes_of(int channels) {
    int lanes = channels;
    while (lanes % LANES)
        lanes += channels;
    return lanes <= MOST_LANES ? lanes : 0;
}

static void add_extreme(struct extremes *extremes, int32_t most, int32_t least, int64_t clips) {
    const double up = (double)most * 0x1p-31;
    const double down = -(double)least * 0x1p-31;
    if (up > extremes->peak)
        extremes->peak = up;
    if (down > extremes->peak)
        extremes->peak = down;
    extremes->clips += clips;
}

const int32_t *round_and_measure(int32_t *buffer, const int32_t *source, int bits, int64_t frames,
                                 int channels, struct extremes *extremes) {
    const int32_t half = bits < 32 ? INT32_C(1) << (31 - bits) : 0;
    const int32_t mask = (int32_t)(UINT32_MAX << (32 - bits));
    const int32_t top = INT32_MAX & mask;
    const int64_t samples = frames * channels;
    const int lanes = lanes_of(channels);
    const int64_t groups = lanes ? samples / lanes : 0;
    for (int first = 0; groups && first < lanes; first += LANES) {
        int32_t most[LANES] = {0};
        int32_t least[LANES] = {0};
        int32_t clips[LANES] = {0};
        const int32_t *from = source + first;
        int32_t *to = buffer + first;
        for (int64_t i = 0; i < groups; ++i, from += lanes, to += lanes) {
            for (int lane = 0; lane < LANES; ++lane) {
                const int32_t sample = round_to(from[lane], half, mask);
                if (bits < 32)
                    to[lane] = sample;
                most[lane] = sample > most[lane] ? sample : most[lane];
                least[lane] = sample < least[lane] ? sample : least[lane];
                clips[lane] += (sample == top) | (sample == INT32_MIN);
            }
        }
        for (int lane = 0; lane < LANES; ++lane)
            add_extreme(&extremes[(first + lane) % channels], most[lane], least[lane], clips[lane]);
    }
    for (int64_t i = groups * lanes; i < samples; ++i) {
        const int32_t sample = round_to(source[i], half, mask);
        if (bits < 32)
            buffer[i] = sample;
        add_extreme(&extremes[i % channels], sample, sample, sample == top || sample == INT32_MIN);
    }
    return bits < 32 ? buffer : source;
}

void measure_float32(const float *samples, int64_t frames, int channels,
                     struct extremes *extremes) {
    const int64_t count = frames * channels;
    const int lanes = lanes_of(channels);
    const int64_t groups = lanes ? count / lanes : 0;
    for (int first = 0; groups && first < lanes; first += LANES) {
        float peaks[LANES] = {0};
        int32_t clips[LANES] = {0};
        const float *from = samples + first;
        for (int64_t i = 0; i < groups; ++i, from += lanes) {
            for (int lane = 0; lane < LANES; ++lane) {
                const float magnitude = fabsf(from[lane]);
                peaks[lane] = magnitude > peaks[lane] ? magnitude : peaks[lane];
                clips[lane] += magnitude >= 1.0f;
            }
        }
        for (int lane = 0; lane < LANES; ++lane) {
            struct extremes *channel = &extremes[(first + lane) % channels];
            if ((double)peaks[lane] > channel->peak)
                channel->peak = (double)peaks[lane];
            channel->clips += clips[lane];
        }
    }
    for (int64_t i = groups * lanes; i < count; ++i) {
        const float magnitude = fabsf(samples[i]);
        struct extremes *channel = &extremes[i % channels];
        if ((double)magnitude > channel->peak)
            channel->peak = (double)magnitude;
        channel->clips += magnitude >= 1.0f;
    }
}
