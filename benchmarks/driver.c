/* One piece of work of the core, always the same: for counting its instructions.
 *
 *     driver {calibration,record,mapped,play,duplex,writer,reader} CHANNELS
 *
 * Only `work` is counted; benchmarks/instructions.py runs this under callgrind. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "_engine.h"
#include "_output_file.h"

enum { BLOCK_FRAMES = 256, BLOCKS = 64, FRAMES = BLOCK_FRAMES * BLOCKS, RATE_OF_NAPS = 1000 };

struct job {
    const char *name;
    int channels;
    int64_t frames_left; /* of the file that is read */
    engine *engine;
    attachment *attachment;
    ring *captured;
    ring *played;
    output_file *output;
    float *input;
    float *samples;
};

static _Noreturn void give_up(const char *reason) {
    (void)fprintf(stderr, "driver: %s\n", reason);
    exit(EXIT_FAILURE);
}

/* ---- files that only count ---- */

static int64_t read_int(void *file, int *samples, int64_t frames) {
    struct job *j = file;
    const int64_t got = frames < j->frames_left ? frames : j->frames_left;
    (void)samples; /* what its memory holds is as good as any other noise */
    j->frames_left -= got;
    return got;
}

static int64_t read_float(void *file, float *samples, int64_t frames) {
    (void)samples;
    return read_int(file, NULL, frames);
}

static int64_t write_int(void *file, const int *samples, int64_t frames) {
    (void)file;
    (void)samples;
    return frames;
}

static int64_t write_float(void *file, const float *samples, int64_t frames) {
    (void)file;
    (void)samples;
    return frames;
}

static int no_error(void *file) {
    (void)file;
    return 0;
}

static const struct sndfile_functions counting = {
    .read_int = read_int,
    .read_float = read_float,
    .write_int = write_int,
    .write_float = write_float,
    .error = no_error,
};

/* ---- the work ---- */

/* A loop that vectorises and one that does not, as in the core: what a compiler makes of these it
 * makes of that. */
static float calibrate(struct job *j) {
    float peak = 0;
    uint32_t noise = 1;
    for (int block = 0; block < BLOCKS; ++block) {
        float peaks[16] = {0};
        for (int i = 0; i < BLOCK_FRAMES * j->channels; i += 16)
            for (int lane = 0; lane < 16; ++lane) {
                const float magnitude = fabsf(j->input[i + lane]);
                peaks[lane] = magnitude > peaks[lane] ? magnitude : peaks[lane];
            }
        for (int i = 0; i < BLOCK_FRAMES; ++i)
            noise = noise * 1664525u + 1013904223u;
        peak += peaks[block % 16] + (float)noise;
    }
    return peak;
}

__attribute__((noinline)) void work(struct job *j) {
    const int plays = j->played != NULL;
    const int records = j->captured != NULL;
    if (strcmp(j->name, "calibration") == 0)
        j->samples[0] = calibrate(j);
    else if (strcmp(j->name, "writer") == 0)
        (void)writer_run(engine_first_copy(j->engine));
    else if (strcmp(j->name, "reader") == 0)
        (void)reader_run(j->engine);
    else
        for (int block = 0; block < BLOCKS; ++block)
            (void)attachment_callback(records ? j->input : NULL, plays ? j->samples : NULL,
                                      BLOCK_FRAMES, NULL, 0, j->attachment);
}

static ring *make_ring(int channels) {
    ring *r = ring_new((uint32_t)channels * 4, (uint64_t)FRAMES * 2, NULL);
    if (!r)
        give_up("out of memory");
    return r;
}

static void prepare(struct job *j, int format) {
    const int reads = strcmp(j->name, "reader") == 0;
    const int writes = strcmp(j->name, "writer") == 0;
    const int duplex = strcmp(j->name, "duplex") == 0;
    const int mapped = strcmp(j->name, "mapped") == 0;
    int32_t map[64];
    for (int i = 0; i < j->channels; ++i)
        map[i] = mapped ? j->channels - 1 - i : i;
    if (reads || duplex || strcmp(j->name, "play") == 0)
        j->played = make_ring(j->channels);
    if (writes || duplex || mapped || strcmp(j->name, "record") == 0)
        j->captured = make_ring(j->channels);
    j->engine = engine_new();
    if (!j->engine ||
        (j->captured && !engine_set_capture(j->engine, j->captured, format, j->channels)) ||
        (mapped && !engine_map_capture(j->engine, j->captured, map, j->channels)) ||
        (j->played && !engine_set_playback(j->engine, j->played, format, j->channels)))
        give_up("the engine does not take this");
    engine_prepare(j->engine, -1, 0, 0, 0, 0, 48000);
    j->attachment =
        attachment_new(format, j->played ? j->channels : 0, format, j->captured ? j->channels : 0);
    if (!engine_attach(j->engine, j->attachment))
        give_up("the engine does not take this device");
    if (j->played && !reads)
        (void)ring_advance_write(j->played, FRAMES);
    if (reads && reader_configure(j->engine, &counting, j, FILE_INT32, j->channels, map, 0, FRAMES,
                                  RATE_OF_NAPS) != LOOP_OK)
        give_up("the reader cannot be set up");
    if (!writes)
        return;
    j->output = output_file_new(NULL, FILE_INT32, 24, j->channels, 0, -1, -1, -1);
    if (!j->output || writer_configure(engine_first_copy(j->engine), &counting, map, j->channels,
                                       RATE_OF_NAPS) != LOOP_OK)
        give_up("the writer cannot be set up");
    (void)ring_advance_write(j->captured, FRAMES);
    (void)writer_offer(engine_first_copy(j->engine), j->output);
    engine_finish(j->engine);
}

int main(int count, char **words) {
    if (count != 3)
        give_up("wants the name of the work and a number of channels");
    struct job j = {.name = words[1], .channels = atoi(words[2]), .frames_left = FRAMES};
    const size_t samples = (size_t)BLOCK_FRAMES * 64;
    j.input = calloc(samples, sizeof *j.input);
    j.samples = calloc(samples, sizeof *j.samples);
    if (!j.input || !j.samples || j.channels < 1 || j.channels > 64)
        give_up("cannot start");
    for (size_t i = 0; i < samples; ++i)
        j.input[i] = (float)(i % 100) * 0.01F - 0.5F;
    /* the writer rounds to 24 bits, the reader converts: what costs most of the usual runs */
    if (strcmp(j.name, "calibration") != 0)
        prepare(&j, strcmp(j.name, "writer") == 0 ? SAMPLE_INT32 : SAMPLE_FLOAT32);
    work(&j);
    output_file_free(j.output);
    attachment_free(j.attachment);
    engine_free(j.engine);
    if (j.captured)
        ring_free(j.captured);
    if (j.played)
        ring_free(j.played);
    free(j.input);
    free(j.samples);
    return EXIT_SUCCESS;
}
