/* Seeks, while a reader fills the ring and a device empties it: what is played goes on in a row but
 * for jumps to where it was sent, nothing is an underrun, and the timeline counts what was played.
 */
#include <stdatomic.h>
#include <time.h>

#include "_engine.h"
#include "stress.h"

enum { MOST_SEEKS = 40, MOST_BLOCK = 300, RATE = 48000, NAP_NS = 20000, REFILL_FRAMES = 64 };

/* Each sample is the number of its frame, counted from 1: a zero is silence. */
struct sound {
    int64_t frames;
    int64_t place;
};

struct play {
    engine *engine;
    attachment *attachment;
    ring *ring;
    struct sound sound;
    int64_t start;
    int loop;
    int64_t block_frames;
    _Atomic int32_t asked; /* seeks */
    _Atomic int32_t stop;  /* the device */
    int64_t skipped;       /* by the seeks that the device has heard */
    int64_t last;          /* the sample that was played last */
    int64_t played;        /* frames that were no silence */
};

static int64_t read_sound(void *file, int *samples, int64_t frames) {
    struct sound *s = file;
    const int64_t left = s->frames - s->place;
    const int64_t count = frames < left ? frames : left;
    for (int64_t i = 0; i < count; ++i)
        samples[i] = (int)(s->place + i + 1);
    s->place += count;
    return count;
}

static int64_t seek_in_sound(void *file, int64_t frames, int whence) {
    struct sound *s = file;
    (void)whence; /* always from the start */
    if (frames > s->frames)
        return -1;
    s->place = frames;
    return frames;
}

static void take_a_nap(int64_t nanoseconds) {
    const struct timespec length = {.tv_nsec = nanoseconds};
    (void)nanosleep(&length, NULL);
}

static int no_error(void *file) {
    (void)file;
    return 0;
}

static void hear(struct play *p, int64_t sample) {
    if (sample == 0)
        return;
    const int64_t skipped = reader_skipped(p->engine);
    int64_t frame = p->last + skipped - p->skipped;
    if (p->loop)
        frame = p->start + (frame - p->start) % (p->sound.frames - p->start);
    if (sample != frame + 1)
        violation("sample %lld after %lld and a jump by %lld", (long long)sample,
                  (long long)p->last, (long long)(skipped - p->skipped));
    p->skipped = skipped;
    p->last = sample;
    ++p->played;
}

/* Checks what the owner would be shown, unless a seek is under way. */
static void expect_place(const struct play *p, int32_t asked_before) {
    if (reader_is_seeking(p->engine))
        return;
    const int64_t heard = reader_heard_frame(p->engine, 0);
    if (atomic_load(&p->asked) != asked_before || reader_is_seeking(p->engine))
        return;
    const int is_at_an_end = heard == p->start && p->loop && p->last == p->sound.frames;
    if (!is_at_an_end)
        expect_equal("the frame that is heard", heard, p->last);
}

static int64_t underruns_of(const struct play *p) {
    struct engine_counts counts;
    engine_read_counts(p->engine, &counts);
    return counts.underruns;
}

static void *run_device(void *context) {
    struct play *p = context;
    int32_t block[MOST_BLOCK];
    int result = 0;
    while (!result && !atomic_load(&p->stop)) {
        const int is_dry =
            ring_readable(p->ring) < (uint64_t)p->block_frames && !reader_is_finished(p->engine);
        if (is_dry && !reader_is_seeking(p->engine)) {
            take_a_nap(NAP_NS);
            continue;
        }
        const int32_t asked = atomic_load(&p->asked);
        const int64_t underruns = underruns_of(p);
        result = attachment_callback(NULL, block, (unsigned long)p->block_frames, NULL, 0,
                                     p->attachment);
        for (int64_t i = 0; i < p->block_frames; ++i)
            hear(p, block[i]);
        if (block[p->block_frames - 1])
            expect_place(p, asked);
        if (!is_dry)
            expect_equal("underruns", underruns_of(p), underruns);
    }
    return NULL;
}

static void *run_reader(void *context) {
    const struct play *p = context;
    expect_equal("status of the reader", reader_run(p->engine), LOOP_OK);
    return NULL;
}

static void seek_about(struct play *p, struct random *r) {
    const int64_t count = random_from(r, 0, MOST_SEEKS);
    for (int32_t i = 0; i < count; ++i) {
        const int64_t most = one_in(r, 3) ? 2 * p->sound.frames : 1000;
        atomic_store(&p->asked, i + 1);
        if (one_in(r, 8))
            engine_pause(p->engine, 1);
        reader_seek(p->engine, random_from(r, -most, most));
        if (!one_in(r, 3))
            take_a_nap(random_from(r, 0, 30 * NAP_NS));
        engine_pause(p->engine, 0);
    }
}

void stress_seek(struct random r) {
    static const struct sndfile_functions functions = {
        .read_int = read_sound,
        .seek = seek_in_sound,
        .error = no_error,
    };
    struct play p = {
        .engine = engine_new(),
        .attachment = attachment_new(SAMPLE_INT32, 1, SAMPLE_INT32, 0),
        .ring = ring_new(sizeof(int32_t), UINT64_C(1) << random_from(&r, 11, 16), NULL),
        .sound = {.frames = random_from(&r, 1, 200000)},
        .loop = one_in(&r, 3),
        .block_frames = random_from(&r, 1, MOST_BLOCK),
    };
    p.start = one_in(&r, 2) ? 0 : random_from(&r, 0, p.sound.frames - 1);
    p.last = p.start;
    ring_reset(p.ring, random_ring_start(&r));
    const int32_t map[] = {0};
    const int64_t chunk_frames = random_from(&r, 100, 20000);
    if (!engine_set_playback(p.engine, p.ring, SAMPLE_INT32, 1) ||
        !engine_attach(p.engine, p.attachment) ||
        reader_configure(p.engine, &functions, &p.sound, FILE_INT32, 1, map, p.loop, chunk_frames,
                         NAP_NS) != LOOP_OK)
        violation("the engine cannot be prepared");
    engine_prepare(p.engine, -1, 0, 0, 0, 0, RATE);
    reader_begin_at(p.engine, p.start, one_in(&r, 2) ? p.sound.frames : 0, 1);
    reader_expect_seeks(p.engine, REFILL_FRAMES);
    const pthread_t reader = start_thread(run_reader, &p);
    const pthread_t device = start_thread(run_device, &p);
    seek_about(&p, &r);
    if (p.loop)
        atomic_store(&p.stop, 1);
    join_thread(device);
    reader_stop(p.engine);
    join_thread(reader);
    struct engine_counts counts;
    engine_read_counts(p.engine, &counts);
    expect_equal("frames on the timeline", counts.position, p.played + counts.underrun_frames);
    if (!p.loop)
        expect_equal("input ended", counts.input_ended, 1);
    attachment_detach(p.attachment);
    engine_free(p.engine);
    attachment_free(p.attachment);
    ring_free(p.ring);
}
