/* One engine and several copies of what it captures, each with a disk of its own: slow, failing, or
 * without a file for a while. What one of them does costs the others no frame, and the pieces of
 * all change at the same frames. */
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "_engine.h"
#include "_output_file.h"
#include "stress.h"
#include "stress_file.h"
#include "stress_signal.h"

enum { PIECES = 24, MOST_BLOCK = 300, RATE = 1000000, NAP_NS = 20000, OWNER_NAP_NS = 200000 };

struct place {
    copy *handle;
    ring *ring;
    pthread_t thread;
    _Atomic int has_ended;
    int slow_one_in;
    int fails_one_in; /* pieces; 0: never */
    struct fake_file *sounds[PIECES];
    output_file *files[PIECES];
    int offered; /* pieces */
};

struct take {
    struct random random;
    struct random devices; /* for the device's thread */
    engine *engine;
    attachment *attachment;
    pthread_t device;
    _Atomic int stop;
    struct place places[MOST_COPIES];
    int copies;
    int64_t limits[PIECES];
    int made; /* pieces */
    struct loss losses[1024];
    int loss_count;
};

static void *write_all(void *context) {
    struct place *p = context;
    (void)writer_run(p->handle);
    atomic_store(&p->has_ended, 1);
    return NULL;
}

/* The device counts its frames from 1, and loses some now and then. */
static void *capture(void *context) {
    struct take *t = context;
    struct random random = t->devices;
    int32_t input[MOST_BLOCK];
    int32_t frame = 0;
    while (!atomic_load(&t->stop)) {
        const int64_t frames = random_from(&random, 1, MOST_BLOCK);
        for (int64_t i = 0; i < frames; ++i)
            input[i] = ++frame;
        (void)attachment_callback(input, NULL, (unsigned long)frames, NULL, 0, t->attachment);
        if (one_in(&random, 4)) {
            const struct timespec length = {.tv_nsec = random_from(&random, 1, 300000)};
            (void)nanosleep(&length, NULL);
        }
    }
    return NULL;
}

static void make_piece(struct take *t) {
    const int n = t->made++;
    t->limits[n] = t->made == PIECES ? -1 : random_from(&t->random, 1, 4000);
    for (int i = 0; i < t->copies; ++i) {
        struct place *p = &t->places[i];
        p->sounds[n] = fake_file_new(FILE_INT32, 1, (struct random){random_bits(&t->random)});
        p->sounds[n]->slow_one_in = p->slow_one_in;
        if (p->fails_one_in && one_in(&t->random, p->fails_one_in))
            p->sounds[n]->fails_at = random_from(&t->random, 0, 3000);
        p->files[n] = output_file_new(p->sounds[n], FILE_INT32, 32, 1, 0, -1, -1, t->limits[n]);
        if (p->fails_one_in && one_in(&t->random, 3 * p->fails_one_in))
            output_file_give_up(p->files[n]);
    }
}

static int64_t first_frame_of(const output_file *f) {
    struct output_counts counts;
    output_file_read_counts(f, &counts);
    return counts.first_frame;
}

/* Has the last piece that the first copy has begun end now or later, unless it is the last of all.
 */
static void cut(struct take *t) {
    int n = t->made - 1;
    while (n >= 0 && first_frame_of(t->places[0].files[n]) < 0)
        --n;
    if (n < 0 || n == PIECES - 1)
        return;
    output_file *files[MOST_COPIES];
    for (int i = 0; i < t->copies; ++i)
        files[i] = t->places[i].files[n];
    const int64_t begun = first_frame_of(files[0]);
    const int64_t end = one_in(&t->random, 2) ? 0 : begun + random_from(&t->random, 1, 4000);
    t->limits[n] = engine_cut(t->engine, files, t->copies, begun, end, t->limits[n], -1);
}

static void look_after(struct take *t) {
    if (t->made < PIECES && t->places[0].offered == t->made)
        make_piece(t);
    for (int i = 0; i < t->copies; ++i) {
        struct place *p = &t->places[i];
        if (p->offered < t->made && writer_offer(p->handle, p->files[p->offered]))
            ++p->offered;
    }
    if (one_in(&t->random, 6))
        cut(t);
    if (t->loss_count < 1024)
        t->loss_count += engine_next_loss(t->engine, &t->losses[t->loss_count]);
    const struct timespec length = {.tv_nsec = random_from(&t->random, 1, OWNER_NAP_NS)};
    (void)nanosleep(&length, NULL);
}

static void open_take(struct take *t) {
    t->engine = engine_new_in(-1, 0, MOST_COPIES - 1);
    t->attachment = attachment_new(SAMPLE_INT32, 0, SAMPLE_INT32, 1);
    t->copies = (int)random_from(&t->random, 2, MOST_COPIES);
    const int32_t map[] = {0};
    for (int i = 0; i < t->copies; ++i) {
        struct place *p = &t->places[i];
        const int is_bad = i > 0 && !one_in(&t->random, 4);
        p->ring = ring_new(4, UINT64_C(1) << (is_bad ? random_from(&t->random, 8, 12) : 22), NULL);
        ring_reset(p->ring, random_ring_start(&t->random));
        p->slow_one_in = is_bad ? (int)random_from(&t->random, 0, 8) : 0;
        p->fails_one_in = is_bad ? (int)random_from(&t->random, 0, 3) : 0;
        if (i == 0 && !engine_set_capture(t->engine, p->ring, SAMPLE_INT32, 1))
            violation("the engine does not take the capture side");
        p->handle = i == 0 ? engine_first_copy(t->engine) : engine_add_copy(t->engine, p->ring);
        if (!p->handle || writer_configure(p->handle, &fake_functions, map, 1, NAP_NS) != LOOP_OK)
            violation("the engine does not take copy %d", i);
        writer_outlive_failures(p->handle);
    }
    if (!engine_attach(t->engine, t->attachment))
        violation("the engine does not take the device");
    engine_prepare(t->engine, -1, 0, random_from(&t->random, 0, 500), 0, 0, RATE);
}

/* Checks a piece of a copy: each frame is the one that was captured there, or silence for one that
 * was lost. Returns how many are silent. */
static int64_t check_piece(const struct take *t, int i, int n, int64_t begins, int64_t ends) {
    const struct place *p = &t->places[i];
    struct output_counts counts;
    output_file_read_counts(p->files[n], &counts);
    if (counts.first_frame < 0)
        return 0;
    expect_equal("first frame of a piece", counts.first_frame, begins);
    expect_equal("frames of a piece, taken or not", counts.frames + counts.passed_frames,
                 ends - begins);
    if (!counts.file_error)
        expect_equal("frames that a sound file was not given", counts.passed_frames, 0);
    int64_t silent = 0;
    for (int64_t k = 0; k < counts.frames; ++k) {
        const int32_t sample = get_sample(p->sounds[n]->samples, FILE_INT32, k);
        silent += sample == 0;
        if (sample != 0)
            expect_equal("a frame of the recording", sample, begins + k + 1);
    }
    return silent;
}

static void check_take(const struct take *t, int64_t offset) {
    struct engine_counts run;
    engine_read_counts(t->engine, &run);
    const int64_t end = most_of(offset, run.position);
    int64_t told[MOST_COPIES] = {0};
    for (int k = 0; k < t->loss_count; ++k)
        told[t->losses[k].copy] += t->losses[k].frames;
    for (int i = 0; i < t->copies; ++i) {
        struct copy_counts counts;
        copy_read_counts(t->places[i].handle, &counts);
        expect_equal("stored and lost frames", counts.stored_frames + counts.lost_frames,
                     end - offset);
        expect_equal("place of a writer", writer_place(t->places[i].handle), end);
        int64_t begins = offset, silent = 0;
        int passes = 0;
        for (int n = 0; n < t->made; ++n) {
            const int64_t ends = t->limits[n] < 0 ? end : least_of(end, begins + t->limits[n]);
            silent += check_piece(t, i, n, begins, ends);
            passes |= t->places[i].sounds[n]->error != 0 || t->places[i].fails_one_in != 0;
            begins = ends;
        }
        if (!passes)
            expect_equal("silent frames", silent, counts.lost_frames);
        if (t->loss_count < 1024)
            expect_equal("frames of losses that were told", told[i], counts.lost_frames);
        if (i == 0)
            expect_equal("frames that the first copy has lost", counts.lost_frames, 0);
    }
}

static int has_ended(const struct take *t) {
    int ended = 0;
    for (int i = 0; i < t->copies; ++i)
        ended += atomic_load(&t->places[i].has_ended);
    return ended == t->copies;
}

static void close_take(struct take *t) {
    attachment_free(t->attachment);
    engine_free(t->engine);
    for (int i = 0; i < t->copies; ++i) {
        for (int n = 0; n < t->made; ++n) {
            output_file_free(t->places[i].files[n]);
            fake_file_free(t->places[i].sounds[n]);
        }
        ring_free(t->places[i].ring);
    }
    free(t);
}

void stress_copies(struct random random) {
    struct take *t = allocate(1, sizeof *t);
    t->random = random;
    t->devices.state = random_bits(&t->random);
    open_take(t);
    const int64_t offset = writer_place(t->places[0].handle);
    t->device = start_thread(capture, t);
    for (int i = 0; i < t->copies; ++i)
        t->places[i].thread = start_thread(write_all, &t->places[i]);
    for (int64_t steps = random_from(&t->random, 0, 200); steps > 0; --steps)
        look_after(t);
    atomic_store(&t->stop, 1);
    join_thread(t->device);
    engine_finish(t->engine);
    while (!has_ended(t))
        look_after(t);
    for (int i = 0; i < t->copies; ++i)
        join_thread(t->places[i].thread);
    while (t->loss_count < 1024 && engine_next_loss(t->engine, &t->losses[t->loss_count]))
        ++t->loss_count;
    check_take(t, offset);
    close_take(t);
}
