/* What the callback costs for each frame, beside a copy of the same bytes. */
#include <stdlib.h>

#include "_engine.h"
#include "_ring.h"
#include "measuring.h"

enum { BLOCK_FRAMES = 256, BLOCKS = 2000, FURTHER_COPIES = 3 };

enum mode { RECORD = 1, PLAY = 2, DUPLEX = RECORD | PLAY };

/* A device without an engine, or with one: what runs for every block. */
struct device {
    engine *engine; /* NULL: only copies, what there is to do at least */
    ring *captured;
    ring *further[FURTHER_COPIES]; /* of what is captured; NULL: none */
    ring *played;
    void *input;
    void *output;
};

static void make_room(ring *r) {
    if (ring_writable(r) < BLOCK_FRAMES)
        (void)ring_advance_read(r, ring_readable(r));
}

static void run_blocks(struct device *d) {
    for (int i = 0; i < BLOCKS; ++i) {
        if (d->output && ring_readable(d->played) < BLOCK_FRAMES)
            (void)ring_advance_write(d->played, ring_writable(d->played));
        if (d->input)
            make_room(d->captured);
        for (int k = 0; k < FURTHER_COPIES && d->further[k]; ++k)
            make_room(d->further[k]);
        if (d->engine) {
            (void)engine_callback(d->input, d->output, BLOCK_FRAMES, NULL, 0, d->engine);
            continue;
        }
        if (d->output)
            (void)ring_read(d->played, d->output, BLOCK_FRAMES);
        if (d->input)
            (void)ring_write(d->captured, d->input, BLOCK_FRAMES);
        for (int k = 0; k < FURTHER_COPIES && d->further[k]; ++k)
            (void)ring_write(d->further[k], d->input, BLOCK_FRAMES);
    }
}

static void time_blocks(const char *row, struct device *d, int format, int channels) {
    run_blocks(d); /* once for the caches */
    const double start = now_ns();
    run_blocks(d);
    tell("callback", row, channels, formats[format].name, now_ns() - start,
         (uint64_t)BLOCKS * BLOCK_FRAMES);
}

/* Times the callback of a device, and then its copies alone. The engine is freed. */
static void time_both(const char *row, const char *copies, struct device *d, int format,
                      int channels) {
    engine_prepare(d->engine, -1, 0, 0, 0, 0, 48000);
    time_blocks(row, d, format, channels);
    engine_free(d->engine);
    d->engine = NULL;
    time_blocks(copies, d, format, channels);
}

static void time_callback(const char *row, const char *copies, enum mode mode, int format,
                          int channels) {
    struct device d = {
        .engine = engine_new(),
        .captured = make_ring(format, channels),
        .played = make_ring(format, channels),
        .input = mode & RECORD ? filled(format, BLOCK_FRAMES * channels) : NULL,
        .output = mode & PLAY ? filled(format, BLOCK_FRAMES * channels) : NULL,
    };
    fill_ring(d.played, format, channels);
    const int code = formats[format].code;
    if (!d.engine || (d.input && !engine_set_capture(d.engine, d.captured, code, channels)) ||
        (d.output && !engine_set_playback(d.engine, d.played, code, channels)))
        give_up("the engine does not take this");
    time_both(row, copies, &d, format, channels);
    free(d.input);
    free(d.output);
    ring_free(d.captured);
    ring_free(d.played);
}

/* A ring that has other channels than the device, or the same in another order. */
static void time_mapped_callback(const char *row, int kind, int format, int channels) {
    struct device d = {
        .engine = engine_new(),
        .captured = make_ring(format, channels),
        .input = filled(format, BLOCK_FRAMES * channels),
    };
    int32_t map[MOST_CHANNELS];
    make_map(map, kind, channels);
    if (!d.engine || !engine_set_capture(d.engine, NULL, formats[format].code, channels) ||
        !engine_map_capture(d.engine, d.captured, map, channels))
        give_up("the engine does not take this map");
    engine_prepare(d.engine, -1, 0, 0, 0, 0, 48000);
    time_blocks(row, &d, format, channels);
    engine_free(d.engine);
    free(d.input);
    ring_free(d.captured);
}

/* A recording that goes to several places. */
static void time_copies(const char *row, const char *copies, int format, int channels) {
    const int code = formats[format].code;
    struct device d = {
        .engine = engine_new_in(-1, 0, FURTHER_COPIES),
        .captured = make_ring(format, channels),
        .input = filled(format, BLOCK_FRAMES * channels),
    };
    if (!d.engine || !engine_set_capture(d.engine, d.captured, code, channels))
        give_up("the engine does not take this");
    for (int i = 0; i < FURTHER_COPIES; ++i) {
        d.further[i] = make_ring(format, channels);
        if (!engine_add_copy(d.engine, d.further[i]))
            give_up("the engine does not take a copy");
    }
    time_both(row, copies, &d, format, channels);
    free(d.input);
    ring_free(d.captured);
    for (int i = 0; i < FURTHER_COPIES; ++i)
        ring_free(d.further[i]);
}

void time_callbacks(int channels) {
    for (int format = 0; format < FORMATS; ++format) {
        time_callback("record", "record, memcpy", RECORD, format, channels);
        time_copies("record, 3 copies", "3 copies, memcpy", format, channels);
        time_mapped_callback("record, reversed", REVERSED, format, channels);
        time_mapped_callback("record, with zeros", REPEATS, format, channels);
        time_callback("play", "play, memcpy", PLAY, format, channels);
        time_callback("duplex", "duplex, memcpy", DUPLEX, format, channels);
    }
}
