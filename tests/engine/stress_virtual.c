/* Whole runs on the virtual device: what it plays comes back, as fast as the files allow, and what
 * it loses is silence in the recording. */
#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "_virtual.h"
#include "stress.h"
#include "stress_run.h"
#include "stress_signal.h"

enum {
    SAMPLES_OF_A_RUN = 100000,
    MOST_BLOCK_FRAMES = 512,
    RATE = 2000000,
    TOLERANCE_FRAMES = 2000
};

static void *run_device(void *context) {
    virtual_run(context);
    return NULL;
}

/* The channel of the input that is heard on this channel of the recording, or -1. */
static int channel_heard(const struct run *run, int channel) {
    const int captured = run->capture.map[channel];
    return captured < 0 || captured >= run->playback.channels ? -1 : run->playback.map[captured];
}

static int is_frame_of_input(const struct run *run, const int32_t *samples, int64_t frame) {
    if (frame >= run->input->frames)
        return 0;
    for (int i = 0; i < run->capture.file_channels; ++i)
        if (samples[i] != counting_sample(frame, channel_heard(run, i), run->input->bits))
            return 0;
    return 1;
}

/* Every frame of the recording is the next one of the input or silence: of a loss, or after its
 * end. */
static void check_loopback(const struct run *run) {
    const int channels = run->capture.file_channels;
    int is_heard = 0;
    for (int i = 0; i < channels; ++i)
        is_heard |= channel_heard(run, i) >= 0;
    if (!is_heard)
        return;
    const int64_t frames = run_recorded_frames(run);
    int32_t *recording = run_recording(run);
    int64_t next = run->offset;
    for (int64_t frame = 0; frame < frames; ++frame) {
        const int32_t *samples = recording + frame * channels;
        if (is_frame_of_input(run, samples, next)) {
            ++next;
            continue;
        }
        for (int i = 0; i < channels; ++i)
            if (samples[i] != 0)
                violation("frame %lld is neither silent nor the next of the input",
                          (long long)frame);
    }
    free(recording);
    const int64_t heard = least_of(least_of(run->counts.position, run->limit), run->input->frames);
    if (run->counts.lost_frames == 0 && !run->gave_up)
        expect_equal("frames of the input in the recording", next, most_of(run->offset, heard));
}

static struct run *random_run(struct random *r, int most_channels, int64_t most_frames) {
    struct run *run = allocate(1, sizeof *run);
    run->random = (struct random){random_bits(r)};
    run->capture = random_side(r, 0, most_channels);
    if (!one_in(r, 4))
        run->playback = random_side(r, 1, most_channels);
    const int bits = (int)least_of(run->capture.bits, run->playback.bits);
    run->playback.bits = bits ? bits : run->capture.bits;
    run->limit = random_from(r, 1, most_frames);
    run->pad = random_from(r, -1, 1000);
    run->splits = one_in(r, 2);
    run->fail_at = NO_LIMIT;
    run->slow_one_in = one_in(r, 2) ? 0 : random_from(r, 1, 30);
    return run;
}

/* Returns whether it dies of them. */
static int add_faults(virtual_device *device, struct random *r, int64_t most_frames) {
    int dies = 0;
    while (one_in(r, 2)) {
        const int kind = (int)random_from(r, FAULT_XRUN, FAULT_HANG);
        const int64_t every = kind == FAULT_XRUN && one_in(r, 2) ? random_from(r, 1, 5000) : 0;
        if (virtual_add_fault(device, kind, random_from(r, 0, most_frames), 3000, every))
            dies |= kind == FAULT_DIE || kind == FAULT_HANG;
    }
    return dies;
}

/* Blocks and rates that no device can have, and that no sum of them must get to see. */
static void refuse_what_cannot_be(attachment *a) {
    static const int64_t blocks[] = {0, -1, INT64_MIN, INT64_MAX, (INT64_C(1) << 52) + 1};
    static const double rates[] = {0, -1, 1e-300, 1e300, INFINITY, NAN};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; ++i)
        if (virtual_new(a, RATE, VIRTUAL_SINE, 1000, blocks[i], 1, 0))
            violation("a block of %lld frames is taken", (long long)blocks[i]);
    for (size_t i = 0; i < sizeof rates / sizeof *rates; ++i)
        if (virtual_new(a, rates[i], VIRTUAL_SINE, 1000, 64, 1, 0))
            violation("a rate of %g is taken", rates[i]);
}

void stress_virtual(struct random random) {
    static const int most_channels_of[] = {1, 2, 2, 8, MOST_CHANNELS};
    const int most_channels = most_channels_of[random_from(&random, 0, 4)];
    const int64_t most_frames = least_of(30000, SAMPLES_OF_A_RUN / most_channels);
    struct run *run = random_run(&random, most_channels, most_frames);
    const int64_t block_frames = random_from(&random, 1, MOST_BLOCK_FRAMES);
    const int is_fast = !one_in(&random, 4);
    const int has_faults = one_in(&random, 3);
    /* a loss within the frames that are dropped would leave the input's frame unknown */
    run->offset = has_faults || !is_fast ? 0 : random_from(&random, 0, 500);
    run_open(run, 2048, UINT64_C(512) << random_from(&random, 0, 3),
             random_from(&random, 0, most_frames));
    refuse_what_cannot_be(run->attachment);
    const int sound = run->playback.channels
                          ? VIRTUAL_LOOPBACK
                          : (int)random_from(&random, VIRTUAL_LOOPBACK, VIRTUAL_NOISE);
    virtual_device *device =
        virtual_new(run->attachment, RATE, sound, (double)random_from(&random, 1, 30000),
                    block_frames, is_fast, TOLERANCE_FRAMES);
    if (!device)
        violation("out of memory");
    if (!is_fast && one_in(&random, 3))
        virtual_set_drift(device, (double)random_from(&random, -300000, 300000));
    const int dies = has_faults && add_faults(device, &random, most_frames);
    const pthread_t thread = start_thread(run_device, device);
    const int64_t stops_at = one_in(&random, 4) ? random_from(&random, 0, most_frames) : INT64_MAX;
    while (virtual_is_active(device) && run->counts.position < stops_at) {
        run_look_after(run);
        /* until then, one that hangs stays active */
        if (dies && one_in(&random, 50))
            break;
    }
    virtual_abort(device);
    join_thread(thread);
    run_join(run);
    if (stops_at == INT64_MAX && !dies)
        expect_equal("complete", run->counts.complete, 1);
    if (is_fast && !has_faults) {
        expect_equal("frames lost without a fault", run->counts.lost_frames, 0);
        expect_equal("frames of silence without a fault", run->counts.underrun_frames, 0);
    }
    run_check_pieces(run);
    if (is_fast && run->input && !run->input->error)
        check_loopback(run);
    virtual_free(device);
    run_close(run);
    free(run);
}
