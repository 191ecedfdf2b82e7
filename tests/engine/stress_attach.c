/* One engine and a row of devices: each is detached in the middle of its blocks and goes on calling
 * all the same, while the next one serves the engine. None of its frames may come after that. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "_engine.h"
#include "stress.h"

enum { MOST_DEVICES = 5, MOST_BLOCK = 64, MOST_RING = 4096, RATE = 1000000, BLOCKS_AT_ONCE = 8 };

struct late_device {
    attachment *attachment;
    int16_t number; /* what it captures; not 0 */
    int64_t block_frames;
    pthread_t thread;
    _Atomic int64_t blocks_of_silence; /* played since it was detached */
    _Atomic int stop;
};

static void *call_back(void *context) {
    struct late_device *d = context;
    int16_t input[MOST_BLOCK];
    int16_t output[MOST_BLOCK];
    for (int i = 0; i < MOST_BLOCK; ++i)
        input[i] = d->number;
    int blocks = 0;
    while (!atomic_load(&d->stop)) {
        memset(output, 0xBE, sizeof output);
        /* heeds no result, as a device that has gone astray */
        const int result = attachment_callback(input, output, (unsigned long)d->block_frames, NULL,
                                               0, d->attachment);
        for (int i = 0; i < d->block_frames; ++i)
            if (output[i] != 0)
                violation("device %d plays what nobody gave it", d->number);
        if (result)
            atomic_fetch_add(&d->blocks_of_silence, 1);
        /* a new device is listened to for a third of a second before it is taken */
        if (result || ++blocks % BLOCKS_AT_ONCE == 0)
            nap_shortly();
    }
    return NULL;
}

struct engine_under_test {
    engine *engine;
    ring *captured;
    int16_t last_number;
    int64_t frames; /* taken out of the ring */
};

/* Returns how many were there. */
static int64_t take_frames(struct engine_under_test *t) {
    int16_t frames[MOST_RING];
    const int64_t taken = (int64_t)ring_read(t->captured, frames, MOST_RING);
    for (int64_t i = 0; i < taken; ++i) {
        if (frames[i] < t->last_number)
            violation("a frame of device %d comes after one of device %d", frames[i],
                      t->last_number);
        t->last_number = frames[i];
    }
    t->frames += taken;
    return taken;
}

static void start(struct late_device *d, struct engine_under_test *t, int number,
                  struct random *r) {
    d->number = (int16_t)number;
    d->block_frames = random_from(r, 1, MOST_BLOCK);
    d->attachment = attachment_new(SAMPLE_INT16, 1, SAMPLE_INT16, 1);
    if (!engine_attach(t->engine, d->attachment))
        violation("device %d is not taken", number);
    if (engine_attach(t->engine, d->attachment))
        violation("device %d is taken twice", number);
    d->thread = start_thread(call_back, d);
}

static void refuse_another_format(engine *e) {
    attachment *const others[] = {
        attachment_new(SAMPLE_INT16, 1, SAMPLE_INT16, 2),
        attachment_new(SAMPLE_INT16, 1, SAMPLE_FLOAT32, 1),
        attachment_new(SAMPLE_INT16, 0, SAMPLE_INT16, 1),
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; ++i) {
        if (engine_attach(e, others[i]))
            violation("a device of another format is taken");
        attachment_free(others[i]);
    }
}

static void run_for_a_while(struct engine_under_test *t, int number, struct random *r) {
    const int64_t wanted = t->frames + random_from(r, 1, 3000);
    int times_in_vain = 0;
    while (t->frames < wanted || t->last_number < number)
        if (take_frames(t) == 0)
            stand_aside(&times_in_vain);
}

static void check_timeline(struct engine_under_test *t) {
    struct engine_counts counts;
    engine_read_counts(t->engine, &counts);
    (void)take_frames(t);
    expect_equal("frames in the ring", t->frames, counts.stored_frames);
    expect_equal("frames on the timeline", counts.stored_frames + counts.lost_frames,
                 counts.position);
}

void stress_attach(struct random random) {
    struct engine_under_test t = {.engine = engine_new(), .captured = ring_new(2, MOST_RING, NULL)};
    struct late_device devices[MOST_DEVICES] = {0};
    const int count = (int)random_from(&random, 2, MOST_DEVICES);
    if (!t.engine || !t.captured || !engine_set_playback(t.engine, NULL, SAMPLE_INT16, 1) ||
        !engine_set_capture(t.engine, t.captured, SAMPLE_INT16, 1))
        violation("the engine cannot be made");
    engine_prepare(t.engine, -1, 0, 0, 0, 0, RATE);
    engine_leave_gaps(t.engine);
    engine_expect_clock(t.engine, INT64_MAX / 4);
    for (int i = 0; i < count; ++i) {
        refuse_another_format(t.engine);
        start(&devices[i], &t, i + 1, &random);
        run_for_a_while(&t, i + 1, &random);
        if (i + 1 == count && one_in(&random, 2))
            break; /* the last one is detached with the end of the engine */
        if (!attachment_detach(devices[i].attachment))
            violation("device %d does not end its block", i + 1);
        check_timeline(&t);
    }
    engine_free(t.engine);
    ring_free(t.captured);
    for (int i = 0; i < count; ++i) {
        int times_in_vain = 0;
        while (atomic_load(&devices[i].blocks_of_silence) == 0)
            stand_aside(&times_in_vain);
        atomic_store(&devices[i].stop, 1);
        join_thread(devices[i].thread);
        attachment_free(devices[i].attachment);
    }
}
