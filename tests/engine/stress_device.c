/* Whole runs on a device made by hand: blocks of any size, flags at any time, frames lost between
 * blocks, rings too small for it. Every block is checked against what the counts say of it. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "_attachment.h" /* attachment_lose, which only a device of the engine's own calls */
#include "stress.h"
#include "stress_run.h"
#include "stress_signal.h"

enum { MOST_BLOCK_FRAMES = 1500, SAMPLES_OF_A_RUN = 100000, PAUSE_NS = 100000 };

/* PortAudio's flags, as the engine sees them. */
enum { INPUT_FLAGS = 1 | 2, OUTPUT_FLAGS = 4 | 8, ALL_FLAGS = 15 };

/* Neither silence nor the signal, in any format. */
enum { UNTOUCHED = 0xBE };

struct device {
    struct run *run;
    struct random random;
    int64_t most_block_frames;
    int64_t loses_one_in; /* blocks; 0: never */
    int64_t most_lost_frames;
    int64_t pause_one_in;
    int64_t flag_one_in;
    int64_t ends_at; /* frame of the timeline */
    unsigned char *input;
    unsigned char *output;

    /* What should have come of it. */
    int64_t played_frames; /* of the input */
    int64_t end_of_input;  /* on the timeline; -1: it has not ended */
    int64_t underruns;
    int is_dry; /* since the last frame of the input */
    int64_t clean_frames;
    int64_t settling_frames;
    int64_t blocks_before_zero;
    int64_t capture_flags;
    int64_t playback_flags;

    _Atomic int stop;
    _Atomic int ended;
};

static void fill_input(struct device *d, unsigned char *input, int64_t position, int64_t frames) {
    const struct side_plan *side = &d->run->capture;
    for (int64_t i = 0; i < frames; ++i)
        for (int channel = 0; channel < side->channels; ++channel)
            put_sample(input, side->format, i * side->channels + channel,
                       counting_sample(position + i, channel, side->bits));
}

/* ---- playback ---- */

static int is_input_frame(const struct device *d, const unsigned char *output, int64_t frame) {
    const struct side_plan *side = &d->run->playback;
    const struct fake_file *input = d->run->input;
    const int64_t most = input->fails_at >= 0 ? input->fails_at : input->frames;
    int64_t expected = d->played_frames + frame;
    if (d->run->loops_input && input->fails_at < 0 && most > 0)
        expected %= most;
    if (expected >= most)
        return 0;
    for (int i = 0; i < side->channels; ++i)
        if (get_sample(output, side->format, frame * side->channels + i) !=
            counting_sample(expected, side->map[i], side->bits))
            return 0;
    return 1;
}

/* Returns how many frames of the input come first; all that follows them must be silence. */
static int64_t check_output(const struct device *d, const unsigned char *output, int64_t frames) {
    const struct side_plan *side = &d->run->playback;
    int64_t delivered = 0;
    while (d->run->input && delivered < frames && is_input_frame(d, output, delivered))
        ++delivered;
    for (int64_t i = delivered * side->channels; i < frames * side->channels; ++i)
        if (get_sample(output, side->format, i) != 0)
            violation("sample %lld of a block is neither silence nor the next one of the input",
                      (long long)i);
    return delivered;
}

static void count_underrun(struct device *d, int64_t frames) {
    d->underruns += frames > 0 && !d->is_dry;
    d->is_dry |= frames > 0;
}

static void check_playback(struct device *d, const struct engine_counts *before,
                           const struct engine_counts *after, int64_t frames, int64_t delivered) {
    const struct run *run = d->run;
    const int64_t limit = run->limit == NO_LIMIT ? INT64_MAX : run->limit;
    const int64_t wanted = most_of(0, least_of(frames, limit - before->position));
    const int64_t underrun = after->underrun_frames - before->underrun_frames;
    d->played_frames += delivered;
    if (delivered)
        d->is_dry = 0;
    count_underrun(d, underrun);
    if (before->input_ended || !run->playback_ring) {
        expect_equal("frames played after the end of the input", delivered, 0);
        expect_equal("underrun after the end of the input", underrun, 0);
    } else if (after->input_ended) {
        expect_equal("underrun at the end of the input", underrun, 0);
        d->end_of_input = least_of(limit, before->position + delivered);
        if (delivered < wanted && !run->input->error && !run->loops_input)
            expect_equal("frames of the input", d->played_frames, run->input->frames);
    } else {
        expect_equal("frames played and filled", delivered + underrun, wanted);
    }
}

/* ---- capture ---- */

static void check_capture(const struct device *d, const struct engine_counts *before,
                          const struct engine_counts *after) {
    const int64_t taken = after->position - before->position;
    const int64_t skipped = most_of(0, least_of(taken, d->run->offset - before->position));
    const int64_t stored = after->stored_frames - before->stored_frames;
    const int64_t lost = after->lost_frames - before->lost_frames;
    if (!d->run->capture_ring)
        expect_equal("frames stored nowhere", stored + lost, 0);
    else if (stored && lost)
        violation("a block was stored in part");
    else
        expect_equal("frames stored or lost", stored + lost, taken - skipped);
}

/* ---- ahead of the clock ---- */

/* How many frames of the block are on the timeline, or of a pause. */
static int64_t counted_frames(const struct device *d, const struct engine_counts *before,
                              const struct engine_counts *after, int64_t frames) {
    const int64_t advanced = after->position - before->position;
    const int64_t paused = after->paused_frames - before->paused_frames;
    const int64_t left_out = after->left_out_frames - before->left_out_frames;
    const int has_clock = d->run->clock_rate > 0;
    if (!has_clock || !d->run->capture_ring)
        expect_equal("captured frames left out", left_out, 0);
    if (left_out && !after->complete)
        expect_equal("frames counted or left out", advanced + paused + left_out, frames);
    /* the timeline may end in this block */
    return has_clock && !after->complete ? advanced + paused : frames - left_out;
}

/* ---- blocks ---- */

/* Before time zero; returns whether the next block is it. */
static int should_settle(struct device *d, int64_t frames, unsigned long flags) {
    if (d->blocks_before_zero++ == 0)
        frames = 0; /* no time has passed for it */
    d->clean_frames = flags ? 0 : d->clean_frames + frames;
    d->settling_frames += frames;
    return d->clean_frames >= d->run->settle_frames || d->settling_frames >= d->run->settle_at_most;
}

static void count_flags(struct device *d, unsigned long flags) {
    d->capture_flags += d->run->capture.channels && (flags & INPUT_FLAGS);
    d->playback_flags += d->run->playback.channels && (flags & OUTPUT_FLAGS);
}

static void check_block(struct device *d, const struct engine_counts *before,
                        const unsigned char *output, int64_t frames, unsigned long flags,
                        int result) {
    struct engine_counts after;
    engine_read_counts(d->run->engine, &after);
    const int64_t delivered = output ? check_output(d, output, frames) : 0;
    if (after.callbacks == before->callbacks) { /* detached */
        expect_equal("frames played while detached", delivered, 0);
        expect_equal("result while detached", result, 1);
    } else if (!before->settled) {
        expect_equal("frames played before time zero", delivered, 0);
        expect_equal("position before time zero", after.position, 0);
        expect_equal("settled", after.settled, should_settle(d, frames, flags));
    } else if (after.paused_frames > before->paused_frames) {
        expect_equal("frames paused", after.paused_frames - before->paused_frames,
                     counted_frames(d, before, &after, frames));
        expect_equal("frames played in a pause", delivered, 0);
        expect_equal("position in a pause", after.position, before->position);
        expect_equal("result in a pause", result, 0);
    } else {
        const int64_t counted = counted_frames(d, before, &after, frames);
        /* of a block that is left out whole nobody can tell whether it was one of a pause */
        if (counted > 0 || after.host_capture_flags > before->host_capture_flags ||
            after.host_playback_flags > before->host_playback_flags)
            count_flags(d, flags);
        if (output)
            check_playback(d, before, &after, counted, delivered);
        check_capture(d, before, &after);
        expect_equal("result", result, after.complete);
    }
}

/* At the very end of their memory, so that no byte beyond a block goes unnoticed. */
static unsigned char *end_of(unsigned char *memory, const struct side_plan *side, int64_t frames) {
    return side->channels ? memory + (MOST_BLOCK_FRAMES - frames) * side->channels *
                                         bytes_per_sample(side->format)
                          : NULL;
}

static int run_block(struct device *d) {
    struct run *run = d->run;
    const int64_t frames = random_from(&d->random, 1, d->most_block_frames);
    const int is_flagged = d->flag_one_in && one_in(&d->random, d->flag_one_in);
    const unsigned long flags =
        is_flagged ? (unsigned long)random_from(&d->random, 1, ALL_FLAGS) : 0;
    unsigned char *input = end_of(d->input, &run->capture, frames);
    unsigned char *output = end_of(d->output, &run->playback, frames);
    struct engine_counts before;
    engine_read_counts(run->engine, &before);
    if (input)
        fill_input(d, input, before.position, frames);
    if (output)
        memset(output, UNTOUCHED,
               (size_t)(frames * run->playback.channels * bytes_per_sample(run->playback.format)));
    const int result =
        attachment_callback(input, output, (unsigned long)frames, NULL, flags, run->attachment);
    check_block(d, &before, output, frames, flags, result);
    return result;
}

static void lose_frames(struct device *d) {
    const struct run *run = d->run;
    struct engine_counts before;
    struct engine_counts after;
    engine_read_counts(run->engine, &before);
    if (!before.settled)
        return;
    attachment_lose(run->attachment, random_from(&d->random, 1, d->most_lost_frames));
    engine_read_counts(run->engine, &after);
    check_capture(d, &before, &after);
    expect_equal("frames stored of those the device lost", after.stored_frames,
                 before.stored_frames);
    const int64_t limit = run->limit == NO_LIMIT ? INT64_MAX : run->limit;
    const int plays = run->playback_ring && !before.input_ended;
    const int64_t underrun = after.underrun_frames - before.underrun_frames;
    expect_equal("underrun of what the device lost", underrun,
                 plays ? most_of(0, least_of(after.position, limit) - before.position) : 0);
    count_underrun(d, underrun);
}

static void *run_device(void *context) {
    struct device *d = context;
    struct engine_counts counts = {0};
    int complete = 0;
    while (!complete && !atomic_load(&d->stop) && counts.position < d->ends_at) {
        if (d->loses_one_in && one_in(&d->random, d->loses_one_in))
            lose_frames(d);
        complete = run_block(d);
        engine_read_counts(d->run->engine, &counts);
        if (one_in(&d->random, d->pause_one_in)) {
            const struct timespec length = {.tv_nsec = random_from(&d->random, 1, PAUSE_NS)};
            (void)nanosleep(&length, NULL);
        }
    }
    atomic_store(&d->ended, 1);
    return NULL;
}

/* ---- the counts ---- */

static int64_t listed(const struct run *run, int kind) {
    int64_t records = 0;
    for (int i = 0; i < run->loss_count; ++i)
        records += run->losses[i].kind == kind;
    return records;
}

static int64_t sum_of_frames(int64_t a, int64_t b) {
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

static void check_leads(const struct run *run) {
    int64_t ahead = 0;
    int64_t left_out = 0;
    for (int i = 0; i < run->loss_count; ++i) {
        const int is_lead = run->losses[i].kind == LOSS_AHEAD;
        ahead += is_lead ? run->losses[i].frames : 0;
        left_out += is_lead ? run->losses[i].left_out : 0;
    }
    if (run->counts.unlisted_losses)
        return;
    expect_equal("frames ahead in the list", ahead, run->counts.ahead_frames);
    expect_equal("frames left out in the list", left_out, run->counts.left_out_frames);
}

static void check_counts(const struct device *d) {
    const struct run *run = d->run;
    check_leads(run);
    expect_equal("flags about the input", run->counts.host_capture_flags, d->capture_flags);
    expect_equal("flags about the output", run->counts.host_playback_flags, d->playback_flags);
    expect_equal("underruns", run->counts.underruns, d->underruns);
    if (run->counts.unlisted_losses == 0)
        expect_equal("underruns in the list", listed(run, LOSS_UNDERRUN), d->underruns);
    if (!run->counts.complete)
        return;
    int64_t total = run->limit == NO_LIMIT ? INT64_MAX : run->limit;
    if (run->playback_ring && run->pad > 0 && run->limit != NO_LIMIT)
        total = sum_of_frames(total, run->pad);
    if (run->playback_ring && run->pad >= 0 && d->end_of_input >= 0)
        total = least_of(total, sum_of_frames(d->end_of_input, run->pad));
    expect_equal("frames of a complete run", run->counts.position, total);
}

/* ---- a case ---- */

static struct run *random_run(struct random *r, int most_channels, int64_t most_frames) {
    struct run *run = allocate(1, sizeof *run);
    run->random = (struct random){random_bits(r)};
    const int64_t sides = random_from(r, 1, 5); /* both of them three times in five */
    if (sides != 1)
        run->playback = random_side(r, 1, most_channels);
    if (sides != 2)
        run->capture = random_side(r, 0, most_channels);
    if (sides > 2 && one_in(r, 6))
        (one_in(r, 2) ? &run->playback : &run->capture)->has_ring = 0;
    run->limit = one_in(r, 3) ? NO_LIMIT : random_from(r, 1, most_frames);
    run->pad = one_in(r, 2) ? 0 : random_from(r, -1, most_frames / 4);
    if (one_in(r, 20))
        run->pad = INT64_MAX - random_from(r, 0, 5);
    run->offset = one_in(r, 2) ? 0 : random_from(r, 1, most_frames / 4);
    run->settle_frames = one_in(r, 4) ? random_from(r, 1, 3000) : 0;
    run->settle_at_most = random_from(r, 1000, 5000);
    run->loops_input = one_in(r, 3);
    run->splits = one_in(r, 2);
    run->fail_at = one_in(r, 6) ? random_from(r, 0, 800) : NO_LIMIT;
    run->fails_like_an_encoder = one_in(r, 2);
    run->slow_one_in = one_in(r, 2) ? 0 : random_from(r, 1, 30);
    run->opens_late = one_in(r, 6);
    if (!run->opens_late && run->settle_frames == 0 && one_in(r, 3)) {
        static const double clock_rates[] = {48000, 1e6, 1e7, 1e8};
        run->clock_rate = clock_rates[random_from(r, 0, 3)];
        run->lead_tolerance = random_from(r, 0, 5000);
    }
    return run;
}

static uint64_t random_ring_frames(struct random *r) {
    return UINT64_C(1) << random_from(r, 2, 12);
}

/* Detached, the device goes on with its blocks while the loops end. */
static void detach(struct run *run) {
    if (!attachment_detach(run->attachment))
        violation("the device does not end its block");
}

void stress_device(struct random random) {
    static const int most_channels_of[] = {1, 2, 2, 8, MOST_CHANNELS};
    const int most_channels = most_channels_of[random_from(&random, 0, 4)];
    const int64_t most_frames = least_of(30000, SAMPLES_OF_A_RUN / most_channels);
    struct run *run = random_run(&random, most_channels, most_frames);
    struct device d = {
        .run = run,
        .random = {random_bits(&random)},
        .most_block_frames = one_in(&random, 2) ? random_from(&random, 1, 300) : MOST_BLOCK_FRAMES,
        .loses_one_in = one_in(&random, 2) ? 0 : random_from(&random, 2, 50),
        .most_lost_frames = 700,
        .pause_one_in = random_from(&random, 2, 200),
        .flag_one_in = one_in(&random, 2) ? 0 : random_from(&random, 5, 50),
        .ends_at = most_frames,
        .end_of_input = -1,
    };
    d.input = allocate(MOST_BLOCK_FRAMES, (uint64_t)run->capture.channels * 4);
    d.output = allocate(MOST_BLOCK_FRAMES, (uint64_t)run->playback.channels * 4);
    const int loses_often = one_in(&random, 4);
    if (loses_often) { /* more often than the engine's lists have places */
        run->clock_rate = 0;
        run->opens_late = 1;
        d.most_block_frames = random_from(&random, 1, 4);
        d.most_lost_frames = 3;
        d.loses_one_in = 2;
    }
    const int64_t detached_at = one_in(&random, 4) ? random_from(&random, 0, most_frames) : -1;
    if (detached_at >= 0)
        d.ends_at = INT64_MAX;
    run_open(run, random_ring_frames(&random), loses_often ? 4096 : random_ring_frames(&random),
             random_from(&random, 0, most_frames));
    const pthread_t thread = start_thread(run_device, &d);
    while (!atomic_load(&d.ended) &&
           (detached_at < 0 || (run->counts.position < detached_at && !run->counts.complete)))
        run_look_after(run);
    if (detached_at >= 0)
        detach(run);
    else
        join_thread(thread);
    run_join(run);
    atomic_store(&d.stop, 1);
    if (detached_at >= 0)
        join_thread(thread);
    check_counts(&d);
    if (run->capture_ring) {
        run_check_pieces(run);
        run_check_recording(run);
    }
    run_close(run);
    free(run);
    free(d.input);
    free(d.output);
}
