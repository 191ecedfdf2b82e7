/* Copies of a recording that waits for its first frame, ends at one, and is cut out of what is
 * captured by a trigger, in pieces that end at any time, with frames lost by the device and by
 * copies that are slow. The files of all copies have the same frames; where no copy has lost any by
 * itself, and nobody asked for a file, they are those of a plain model. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "_engine.h"
#include "_output_file.h"
#include "_state.h"
#include "stress.h"
#include "stress_file.h"
#include "stress_signal.h"

enum { MOST_FRAMES = 60000, PIECES = 3000, MOST_BLOCK = 600, RATE = 1000000, NAP_NS = 20000 };
enum { LOUD = 1 << 30, MOST_WAIT = 20000 };

struct place {
    copy *handle;
    ring *ring;
    pthread_t thread;
    _Atomic int has_ended;
    int slow_one_in;
    int fails_one_in; /* pieces; 0: never */
    struct fake_file *sounds[PIECES];
    output_file *files[PIECES];
    int made;
    int offered;
};

struct span {
    int64_t begin;
    int64_t end;
};

struct take {
    struct random random;
    struct random devices; /* for the device's thread */
    engine *engine;
    attachment *attachment;
    trigger *trigger; /* NULL: all is recorded */
    struct trigger_rules rules;
    int64_t begin_at; /* frame of the device; 0: the recording does not wait */
    int64_t end_at;   /* of the timeline; INT64_MAX: nowhere */
    int is_restless;  /* both are said late, and anew */
    int64_t waited;   /* frames of the device before the first one, as it was in the end */
    pthread_t device;
    _Atomic int stop;
    int asks; /* for files, at any time */
    int64_t offset;
    struct place places[MOST_COPIES];
    int copies;
    int64_t limits[PIECES];
    char is_loud[MOST_FRAMES];
    char is_gone[MOST_FRAMES]; /* the device has lost it */
};

static void *write_all(void *context) {
    struct place *p = context;
    (void)writer_run(p->handle);
    atomic_store(&p->has_ended, 1);
    return NULL;
}

/* A sample tells its place among all frames of the device, and whether it is loud. */
static int32_t sample_at(const struct take *t, int64_t frame) {
    return (int32_t)(frame + 1) | (t->is_loud[frame] ? LOUD : 0);
}

static void *capture(void *context) {
    struct take *t = context;
    struct random random = t->devices;
    const int64_t most_block = one_in(&random, 4) ? 1 : MOST_BLOCK;
    int32_t input[MOST_BLOCK];
    int64_t frame = 0;
    while (!atomic_load(&t->stop)) {
        const int64_t frames = random_from(&random, 1, most_block);
        if (frame + frames > MOST_FRAMES)
            break;
        if (one_in(&random, 30)) {
            memset(t->is_gone + frame, 1, (size_t)frames);
            engine_device_lost(t->engine, frames);
        } else {
            for (int64_t i = 0; i < frames; ++i)
                input[i] = sample_at(t, frame + i);
            (void)attachment_callback(input, NULL, (unsigned long)frames, NULL, 0, t->attachment);
        }
        frame += frames;
        if (one_in(&random, 8)) {
            const struct timespec length = {.tv_nsec = random_from(&random, 1, 200000)};
            (void)nanosleep(&length, NULL);
        }
    }
    return NULL;
}

static void make_sound(struct take *t) {
    int64_t frame = 0;
    while (frame < MOST_FRAMES) {
        frame += random_from(&t->random, 0, one_in(&t->random, 3) ? 3000 : 60);
        for (int64_t left = random_from(&t->random, 1, 40); left > 0 && frame < MOST_FRAMES; --left)
            t->is_loud[frame++] = 1;
    }
    for (int n = 0; n < PIECES; ++n)
        t->limits[n] = one_in(&t->random, 3) ? random_from(&t->random, 1, 900) : -1;
}

static void draw_rules(struct take *t) {
    struct random *r = &t->random;
    t->rules = (struct trigger_rules){
        .is_armed = !one_in(r, 5),
        .level = 0.5,
        .preroll_frames = one_in(r, 3) ? 0 : random_from(r, 0, 700),
        .silence_level = 0.5,
        .silence_frames = one_in(r, 6) ? -1 : random_from(r, 1, one_in(r, 2) ? 5 : 500),
        .most_frames = one_in(r, 4) ? random_from(r, 0, 8000) : -1,
    };
    t->offset = t->rules.is_armed ? 0 : random_from(r, 0, 900);
    t->asks = one_in(r, 4);
    if (one_in(r, 4)) { /* all is recorded */
        t->rules = (struct trigger_rules){.silence_frames = -1, .most_frames = -1};
        t->asks = 0;
    } else {
        t->trigger = trigger_new(&t->rules);
    }
}

static void draw_times(struct take *t) {
    struct random *r = &t->random;
    t->begin_at = one_in(r, 2) ? random_from(r, 1, MOST_WAIT) : 0;
    t->end_at = one_in(r, 2) ? random_from(r, 0, MOST_FRAMES) : INT64_MAX;
    t->is_restless = one_in(r, 3);
}

/* Says when the recording begins and ends, or something near that. */
static void say_times(struct take *t) {
    const int64_t off = t->is_restless ? random_from(&t->random, 0, 500) : 0;
    if (t->begin_at)
        engine_begin_at(t->engine, t->begin_at - least_of(off, t->begin_at - 1));
    if (t->end_at < INT64_MAX)
        engine_end_at(t->engine, most_of(0, t->end_at - off));
}

static void open_place(struct take *t, int i) {
    struct place *p = &t->places[i];
    const int32_t map[] = {0};
    const int is_bad = i > 0 && one_in(&t->random, 2);
    p->ring = ring_new(4, UINT64_C(1) << (is_bad ? random_from(&t->random, 11, 13) : 17), NULL);
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

static void open_take(struct take *t) {
    make_sound(t);
    draw_rules(t);
    draw_times(t);
    t->engine = engine_new_in(-1, 0, MOST_COPIES - 1);
    t->attachment = attachment_new(SAMPLE_INT32, 0, SAMPLE_INT32, 1);
    t->copies = (int)random_from(&t->random, 1, MOST_COPIES);
    for (int i = 0; i < t->copies; ++i)
        open_place(t, i);
    if (!engine_attach(t->engine, t->attachment))
        violation("the engine does not take the device");
    if (t->trigger)
        engine_set_trigger(t->engine, t->trigger);
    engine_prepare(t->engine, -1, 0, t->offset, 0, 0, RATE);
    if (t->begin_at)
        engine_begin_at(t->engine, INT64_MAX);
    if (!t->is_restless)
        say_times(t);
}

static void offer_next(struct take *t, struct place *p) {
    if (p->made == p->offered) {
        const int n = p->made++;
        if (n == PIECES)
            violation("more than %d pieces", PIECES);
        p->sounds[n] = fake_file_new(FILE_INT32, 1, (struct random){random_bits(&t->random)});
        p->sounds[n]->slow_one_in = p->slow_one_in;
        if (p->fails_one_in && one_in(&t->random, p->fails_one_in))
            p->sounds[n]->fails_at = random_from(&t->random, 0, 300);
        p->files[n] = output_file_new(p->sounds[n], FILE_INT32, 32, 1, 0, -1, -1, t->limits[n]);
    }
    p->offered += writer_offer(p->handle, p->files[p->offered]);
}

/* Has the last piece that the first copy has begun end now or later. */
static void cut(struct take *t) {
    struct output_counts counts = {.first_frame = -1};
    int n = t->places[0].made;
    while (counts.first_frame < 0 && --n >= 0)
        output_file_read_counts(t->places[0].files[n], &counts);
    if (n < 0)
        return;
    output_file *files[MOST_COPIES];
    int count = 0;
    for (int i = 0; i < t->copies; ++i)
        if (n < t->places[i].made)
            files[count++] = t->places[i].files[n];
    const int64_t begun = counts.first_frame;
    const int64_t end = one_in(&t->random, 2) ? 0 : begun + random_from(&t->random, 1, 900);
    t->limits[n] = engine_cut(t->engine, files, count, begun, end, t->limits[n], -1);
}

static void look_after(struct take *t) {
    struct loss loss;
    for (int i = 0; i < t->copies; ++i)
        offer_next(t, &t->places[i]);
    if (t->asks && one_in(&t->random, 6))
        (void)engine_trigger(t->engine);
    if (t->is_restless && one_in(&t->random, 3))
        say_times(t);
    if (one_in(&t->random, 12))
        cut(t);
    while (engine_next_loss(t->engine, &loss))
        continue;
    const struct timespec length = {.tv_nsec = random_from(&t->random, 1, 20000)};
    (void)nanosleep(&length, NULL);
}

/* ---- what should come of it ---- */

static int is_heard(const struct take *t, int64_t frame) {
    return t->is_loud[t->waited + frame] && !t->is_gone[t->waited + frame];
}

/* Returns where the file that is triggered at a frame ends: after so much silence, or at the end.
 */
static int64_t end_of_file(const struct take *t, int64_t triggered, int64_t end) {
    int64_t silent = 0;
    for (int64_t frame = triggered; frame < end; ++frame) {
        silent = is_heard(t, frame) ? 0 : silent + 1;
        if (silent == t->rules.silence_frames)
            return frame + 1;
    }
    return end;
}

/* Finds the next file after one that ends at `after`. Returns false if there is none. */
static int find_next(const struct take *t, int64_t after, int64_t end, struct span *next) {
    int64_t frame = after;
    while (t->rules.is_armed && frame < end && !is_heard(t, frame))
        ++frame;
    if (frame >= end)
        return 0;
    next->begin = most_of(after, frame - t->rules.preroll_frames);
    next->end = end_of_file(t, frame, end);
    return 1;
}

static void check_model(const struct take *t, int64_t end) {
    const struct place *p = &t->places[0];
    struct span span = {0, t->offset};
    int n = 0;
    int64_t last = end;
    for (int files = 0; files == 0 || t->rules.is_armed; ++files) {
        if (!find_next(t, span.end, last, &span))
            break;
        if (files == 0 && t->rules.most_frames >= 0)
            last = least_of(end, span.begin + t->rules.most_frames);
        span.end = least_of(span.end, last);
        for (int64_t begin = span.begin; begin < span.end; ++n) {
            struct output_counts counts;
            output_file_read_counts(p->files[n], &counts);
            expect_equal("first frame of a file", counts.first_frame, begin);
            const int64_t left = span.end - begin;
            const int64_t frames = t->limits[n] < 0 ? left : least_of(left, t->limits[n]);
            expect_equal("frames of a file", counts.frames, frames);
            begin += frames;
        }
    }
    struct output_counts counts = {.first_frame = -1};
    if (n < p->made)
        output_file_read_counts(p->files[n], &counts);
    expect_equal("frames after the last file", counts.frames, 0);
}

/* Returns how many frames the piece has, taken or not. */
static int64_t check_piece(const struct take *t, int i, int n, int64_t *silent) {
    struct output_counts counts, first;
    const struct place *p = &t->places[i];
    output_file_read_counts(p->files[n], &counts);
    if (n < t->places[0].made) {
        output_file_read_counts(t->places[0].files[n], &first);
        const int64_t frames = first.frames + first.passed_frames;
        expect_equal("frames of a copy, taken or not", counts.frames + counts.passed_frames,
                     frames);
        if (frames > 0)
            expect_equal("first frame of a copy", counts.first_frame, first.first_frame);
    }
    for (int64_t k = 0; k < counts.frames; ++k) {
        const int32_t sample = get_sample(p->sounds[n]->samples, FILE_INT32, k);
        *silent += sample == 0;
        if (sample != 0)
            expect_equal("a frame of the recording", sample,
                         sample_at(t, t->waited + counts.first_frame + k));
    }
    return counts.frames + counts.passed_frames;
}

/* The first frame and the last are the ones that were asked for, if the device came so far. */
static void check_times(const struct take *t, const struct engine_counts *run) {
    if (t->is_restless) /* the first frame may be later, and the end may be anywhere */
        return;
    if (run->time_zero_ns)
        expect_equal("frames before the first", t->waited, t->begin_at);
    if (run->position > t->end_at)
        violation("%lld frames behind the end", (long long)(run->position - t->end_at));
    if (run->complete && !t->trigger)
        expect_equal("frames of all", run->position, t->end_at);
}

static void check_take(struct take *t) {
    struct engine_counts run;
    engine_read_counts(t->engine, &run);
    t->waited = run.waited_frames;
    check_times(t, &run);
    const int64_t end = most_of(t->offset, run.position);
    int have_lost = 0;
    for (int i = 0; i < t->copies; ++i) {
        const struct place *p = &t->places[i];
        struct copy_counts counts;
        copy_read_counts(p->handle, &counts);
        expect_equal("place of a writer", writer_place(p->handle), end);
        int64_t frames = 0, silent = 0;
        for (int n = 0; n < p->made; ++n)
            frames += check_piece(t, i, n, &silent);
        expect_equal("frames in files and others", frames + writer_dropped(p->handle),
                     end - t->offset);
        if (!p->fails_one_in)
            expect_equal("silent frames", silent, counts.lost_frames);
        have_lost |= counts.overran;
    }
    if (!have_lost && !t->asks)
        check_model(t, end);
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
    trigger_free(t->trigger);
    for (int i = 0; i < t->copies; ++i) {
        for (int n = 0; n < t->places[i].made; ++n) {
            output_file_free(t->places[i].files[n]);
            fake_file_free(t->places[i].sounds[n]);
        }
        ring_free(t->places[i].ring);
    }
    free(t);
}

void stress_trigger(struct random random) {
    struct take *t = allocate(1, sizeof *t);
    t->random = random;
    t->devices.state = random_bits(&t->random);
    open_take(t);
    t->device = start_thread(capture, t);
    for (int i = 0; i < t->copies; ++i)
        t->places[i].thread = start_thread(write_all, &t->places[i]);
    for (int64_t steps = random_from(&t->random, 0, 400); steps > 0; --steps)
        look_after(t);
    atomic_store(&t->stop, 1);
    join_thread(t->device);
    engine_finish(t->engine);
    while (!has_ended(t))
        look_after(t);
    for (int i = 0; i < t->copies; ++i)
        join_thread(t->places[i].thread);
    check_take(t);
    close_take(t);
}
