/* Samples on their way through the reader and the writer, against the plainest arithmetic: maps,
 * rounding, clipping, and floats that are no numbers. No threads: each loop runs to its end. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "_engine.h"
#include "_output_file.h"
#include "stress.h"
#include "stress_file.h"
#include "stress_reference.h"
#include "stress_signal.h"

enum { MOST_CHANNELS = 64, MOST_FRAMES = 3000, NAP_NS = 1000, WHOLE_FILE = 1 << 20 };

static const double FULL_SCALE = 2147483648.0;

struct passage {
    int device_format;
    int device_channels;
    int file_sample;
    int file_bits;
    int file_channels;
    int32_t map[MOST_CHANNELS];
    int64_t frames;
};

/* ---- what it should be ---- */

static void expect_frames(const struct passage *p, void *to, int to_format, int to_channels,
                          int bits, const void *from, int from_format, int from_channels) {
    for (int64_t frame = 0; frame < p->frames; ++frame)
        for (int channel = 0; channel < to_channels; ++channel) {
            const int32_t source = p->map[channel];
            expect_sample(to, frame * to_channels + channel, to_format, bits, from,
                          source < 0 ? -1 : frame * from_channels + source, from_format);
        }
}

/* ---- what there is to carry ---- */

static void *random_material(struct random *r, int sample_format, int64_t samples) {
    void *material = allocate((uint64_t)samples, 4);
    random_samples(r, material, sample_format, samples);
    return material;
}

static uint64_t ring_frames_for(int64_t frames) {
    uint64_t capacity = 4;
    /* the reader waits for room while less than a quarter is free */
    while (capacity < 2 * (uint64_t)frames)
        capacity *= 2;
    return capacity;
}

/* ---- ways to carry it ---- */

static void expect_extremes(const struct passage *p, const output_file *f, const void *samples) {
    const int is_float = p->file_sample == FILE_FLOAT32;
    const int32_t top = is_float ? 0 : rounded(INT32_MAX, p->file_bits);
    for (int channel = 0; channel < p->file_channels; ++channel) {
        double peak = 0;
        int64_t clips = 0;
        for (int64_t i = channel; i < p->frames * p->file_channels; i += p->file_channels) {
            if (is_float) {
                const double magnitude = fabs((double)float_at(samples, i));
                peak = fmax(peak, magnitude); /* of a number and none: the number */
                clips += magnitude >= 1.0;
            } else {
                const int32_t sample = get_sample(samples, p->file_sample, i);
                peak = fmax(peak, fabs((double)sample / FULL_SCALE));
                clips += sample == top || sample == INT32_MIN;
            }
        }
        expect_equal("clipped samples", output_file_clips(f, channel), clips);
        if (output_file_peak(f, channel) < peak || output_file_peak(f, channel) > peak)
            violation("peak: %.9g instead of %.9g", output_file_peak(f, channel), peak);
    }
}

/* Returns the file's samples, which belong to the caller. */
static void *record(const struct passage *p, const void *captured) {
    const uint32_t frame_bytes =
        (uint32_t)(p->device_channels * bytes_per_sample(p->device_format));
    ring *frames = ring_new(frame_bytes, ring_frames_for(p->frames), NULL);
    engine *e = engine_new();
    struct fake_file *file = fake_file_new(p->file_sample, p->file_channels, (struct random){0});
    output_file *out =
        output_file_new(file, p->file_sample, p->file_bits, p->file_channels, 0, -1, -1, -1);
    if (!engine_set_capture(e, frames, p->device_format, p->device_channels) ||
        writer_configure(engine_first_copy(e), &fake_functions, p->map, p->file_channels, NAP_NS) !=
            LOOP_OK)
        violation("the engine does not take this: %d channels of format %d", p->device_channels,
                  p->device_format);
    engine_prepare(e, -1, 0, 0, 0, 0, 48000);
    expect_equal("frames stored", (int64_t)ring_write(frames, captured, (uint64_t)p->frames),
                 p->frames);
    expect_equal("file taken", writer_offer(engine_first_copy(e), out), 1);
    engine_finish(e);
    expect_equal("status of the writer", writer_run(engine_first_copy(e)), LOOP_OK);
    expect_equal("frames written", file->frames, p->frames);
    expect_extremes(p, out, file->samples);
    void *samples = file->samples;
    file->samples = NULL;
    fake_file_free(file);
    output_file_free(out);
    engine_free(e);
    ring_free(frames);
    return samples;
}

/* Material that a file gives instead of the signal that counts. */
struct source {
    const void *samples;
    int64_t samples_left;
    int channels;
    int bytes; /* of a sample */
};

static int64_t read_source(void *file, void *samples, int64_t frames) {
    struct source *s = file;
    const int64_t count = least_of(frames * s->channels, s->samples_left);
    memcpy(samples, s->samples, (size_t)(count * s->bytes));
    s->samples = (const char *)s->samples + count * s->bytes;
    s->samples_left -= count;
    return count / s->channels;
}

static int64_t read_source_short(void *file, short *samples, int64_t frames) {
    return read_source(file, samples, frames);
}

static int64_t read_source_int(void *file, int *samples, int64_t frames) {
    return read_source(file, samples, frames);
}

static int64_t read_source_float(void *file, float *samples, int64_t frames) {
    return read_source(file, samples, frames);
}

static int no_error(void *file) {
    (void)file;
    return 0;
}

/* Returns what the device gets to play, which belongs to the caller. */
static void *play(const struct passage *p, const void *samples) {
    static const struct sndfile_functions functions = {
        .read_short = read_source_short,
        .read_int = read_source_int,
        .read_float = read_source_float,
        .error = no_error,
    };
    struct source source = {
        .samples = samples,
        .samples_left = p->frames * p->file_channels,
        .channels = p->file_channels,
        .bytes = bytes_per_sample(p->file_sample),
    };
    const uint32_t frame_bytes =
        (uint32_t)(p->device_channels * bytes_per_sample(p->device_format));
    ring *frames = ring_new(frame_bytes, ring_frames_for(p->frames), NULL);
    engine *e = engine_new();
    if (!engine_set_playback(e, frames, p->device_format, p->device_channels) ||
        reader_configure(e, &functions, &source, p->file_sample, p->file_channels, p->map, 0,
                         WHOLE_FILE, NAP_NS) != LOOP_OK)
        violation("the engine does not take this: %d channels of format %d", p->device_channels,
                  p->device_format);
    engine_prepare(e, -1, 0, 0, 0, 0, 48000);
    expect_equal("status of the reader", reader_run(e), LOOP_OK);
    expect_equal("frames read", reader_frames(e), p->frames);
    void *played = allocate((uint64_t)p->frames, frame_bytes);
    expect_equal("frames to play", (int64_t)ring_read(frames, played, (uint64_t)p->frames + 1),
                 p->frames);
    engine_free(e);
    ring_free(frames);
    return played;
}

/* ---- cases ---- */

static struct passage random_passage(struct random *r) {
    static const int most_channels[] = {1, 2, 3, 8, MOST_CHANNELS};
    const int64_t most = most_channels[random_from(r, 0, 4)];
    struct passage p = {
        .device_format = (int)random_from(r, SAMPLE_FLOAT32, SAMPLE_UINT8),
        .device_channels = (int)random_from(r, 1, most),
        .file_sample = random_file_sample(r),
        .file_channels = (int)random_from(r, 1, most),
        .frames = random_from(r, 1, MOST_FRAMES),
    };
    p.file_bits = random_file_bits(r, p.file_sample);
    if (one_in(r, 2))
        p.file_channels = p.device_channels;
    return p;
}

static void recorded_samples_are_those_captured(struct random *r) {
    struct passage p = random_passage(r);
    random_map(r, p.map, p.file_channels, p.device_channels);
    const int64_t samples = p.frames * p.file_channels;
    void *captured = random_material(r, p.device_format, p.frames * p.device_channels);
    void *expected = allocate((uint64_t)samples, 4);
    expect_frames(&p, expected, p.file_sample, p.file_channels, p.file_bits, captured,
                  p.device_format, p.device_channels);
    void *recorded = record(&p, captured);
    expect_same("recorded", recorded, expected, p.file_sample, samples);
    free(recorded);
    free(expected);
    free(captured);
}

static void played_samples_are_those_of_the_file(struct random *r) {
    struct passage p = random_passage(r);
    random_map(r, p.map, p.device_channels, p.file_channels);
    const int64_t samples = p.frames * p.device_channels;
    void *material = random_material(r, p.file_sample, p.frames * p.file_channels);
    void *expected = allocate((uint64_t)samples, 4);
    expect_frames(&p, expected, p.device_format, p.device_channels,
                  bits_per_sample(p.device_format), material, p.file_sample, p.file_channels);
    void *played = play(&p, material);
    expect_same("played", played, expected, p.device_format, samples);
    free(played);
    free(expected);
    free(material);
}

static engine *engine_with_map(const struct passage *p, int plays, ring *frames) {
    engine *e = engine_new();
    const int is_taken = plays
                             ? engine_set_playback(e, NULL, p->device_format, p->device_channels) &&
                                   engine_map_playback(e, frames, p->map, p->file_channels)
                             : engine_set_capture(e, NULL, p->device_format, p->device_channels) &&
                                   engine_map_capture(e, frames, p->map, p->file_channels);
    if (!is_taken)
        violation("the engine does not take this map");
    engine_prepare(e, -1, 0, 0, 0, 0, 48000);
    return e;
}

/* Blocks between a ring and a device; the ring's channels stand where the file's are otherwise. */
static void carry_blocks(const struct passage *p, int plays, ring *frames, unsigned char *device,
                         struct random *r) {
    engine *e = engine_with_map(p, plays, frames);
    const int frame_bytes = p->device_channels * bytes_per_sample(p->device_format);
    for (int64_t done = 0; done < p->frames;) {
        const int64_t block = random_from(r, 1, p->frames - done);
        unsigned char *place = device + done * frame_bytes;
        (void)engine_callback(plays ? NULL : place, plays ? place : NULL, (unsigned long)block,
                              NULL, 0, e);
        done += block;
    }
    engine_free(e);
}

static void a_ring_may_have_other_channels_than_the_device(struct random *r) {
    struct passage p = random_passage(r);
    const int plays = one_in(r, 2);
    const int targets = plays ? p.device_channels : p.file_channels;
    const int sources = plays ? p.file_channels : p.device_channels;
    const int bytes = bytes_per_sample(p.device_format);
    p.frames = random_from(r, 1, 500);
    random_map(r, p.map, targets, sources);
    void *material = random_material(r, p.device_format, p.frames * sources);
    void *expected = allocate((uint64_t)(p.frames * targets), 4);
    void *got = allocate((uint64_t)(p.frames * targets), (uint64_t)bytes);
    expect_frames(&p, expected, p.device_format, targets, bits_per_sample(p.device_format),
                  material, p.device_format, sources);
    ring *frames = ring_new((uint32_t)(p.file_channels * bytes), 512, NULL);
    ring_reset(frames, random_ring_start(r));
    if (plays)
        (void)ring_write(frames, material, (uint64_t)p.frames);
    carry_blocks(&p, plays, frames, plays ? got : material, r);
    if (!plays)
        (void)ring_read(frames, got, (uint64_t)p.frames);
    expect_same("mapped", got, expected, p.device_format, p.frames * targets);
    ring_free(frames);
    free(got);
    free(expected);
    free(material);
}

/* 16- or 24-bit material, to a float device, back from it, and into a file of as many bits. */
static void a_float_device_changes_no_bit(struct random *r) {
    struct passage p = {
        .device_format = SAMPLE_FLOAT32,
        .device_channels = 2,
        .file_sample = FILE_INT32,
        .file_bits = one_in(r, 2) ? 16 : 24,
        .file_channels = 2,
        .map = {0, 1},
        .frames = 32768,
    };
    int32_t *material = allocate(65536, sizeof *material);
    const int64_t first = p.file_bits == 16 ? 0 : random_from(r, 0, 255) << 16;
    for (int64_t i = 0; i < 65536; ++i)
        material[i] = (int32_t)(uint32_t)((uint64_t)(first + i) << (32 - p.file_bits));
    void *played = play(&p, material);
    void *recorded = record(&p, played);
    expect_same("over a float device", recorded, material, SAMPLE_INT32, 65536);
    free(recorded);
    free(played);
    free(material);
}

void stress_samples(struct random random) {
    recorded_samples_are_those_captured(&random);
    played_samples_are_those_of_the_file(&random);
    a_ring_may_have_other_channels_than_the_device(&random);
    a_float_device_changes_no_bit(&random);
}
