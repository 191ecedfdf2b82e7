/* A recording beside the timeline and the losses that were told: every sample of it has to be the
 * one of its place, or silence where a loss was. */
#include <stdlib.h>
#include <string.h>

#include "stress.h"
#include "stress_run.h"
#include "stress_signal.h"

/* One entry per frame of the timeline, true where a record tells that it was lost. */
static unsigned char *lost_frames(const struct run *run) {
    unsigned char *lost = allocate((uint64_t)run->counts.position, 1);
    int64_t lost_before = 0;
    for (int i = 0; i < run->loss_count; ++i) {
        const struct loss *loss = &run->losses[i];
        if (loss->kind != LOSS_OVERRUN && loss->kind != LOSS_DEVICE)
            continue;
        if (loss->frame < run->offset || loss->frame + loss->frames > run->counts.position)
            violation("a loss of %lld frames at %lld is off the timeline", (long long)loss->frames,
                      (long long)loss->frame);
        const int64_t stored_before = (int64_t)(loss->ring_index - run->capture_start);
        if (run->counts.unlisted_losses == 0)
            expect_equal("frame of a loss", loss->frame - run->offset, stored_before + lost_before);
        memset(lost + loss->frame, 1, (size_t)loss->frames);
        lost_before += loss->frames;
    }
    if (run->counts.unlisted_losses == 0)
        expect_equal("frames in the list of losses", lost_before, run->counts.lost_frames);
    return lost;
}

void run_check_recording(const struct run *run) {
    const struct side_plan *side = &run->capture;
    const int64_t frames = run_recorded_frames(run);
    int32_t *recording = run_recording(run);
    unsigned char *lost = lost_frames(run);
    int64_t silent_frames = 0;
    for (int64_t frame = 0; frame < frames; ++frame) {
        const int64_t time = run->offset + frame;
        const int32_t *samples = recording + frame * side->file_channels;
        /* the last channel of a plan is never without a source, so silence is told from signal */
        const int is_silent = samples[side->file_channels - 1] == 0;
        if (run->counts.unlisted_losses == 0 && is_silent != lost[time])
            violation("frame %lld is %s", (long long)time, is_silent ? "silent" : "not silent");
        silent_frames += is_silent;
        for (int i = 0; i < side->file_channels; ++i) {
            const int32_t expected =
                is_silent ? 0 : counting_sample(time, side->map[i], side->bits);
            if (samples[i] != expected)
                violation("channel %d of frame %lld is %d instead of %d", i, (long long)time,
                          samples[i], expected);
        }
    }
    if (frames == run->counts.position - run->offset)
        expect_equal("frames of silence in the recording", silent_frames, run->counts.lost_frames);
    free(lost);
    free(recording);
}
