/* The audio callback and nothing else: the real-time file.
 *
 * All of it runs on the device's thread (engine_device_lost too), and so does what it calls in
 * _clock.c, _convert.c, _gather.c and _levels.c. No lock, no allocation, no call that can block, no
 * loop without a bound; one read of the monotonic clock per block.
 */
#include "_real_time.h"

#include <time.h>

#include "_clock.h"
#include "_convert.h"
#include "_count.h"
#include "_host_flags.h"
#include "_play.h"
#include "_seek.h"
#include "_settle.h"
#include "_state.h"
#include "_store.h"

enum { GO_ON = 0, COMPLETE = 1 };

enum { METER_BUFFER_SAMPLES = 4096 };

static int64_t monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int is_paused(const engine *e) {
    return atomic_load_explicit(&e->paused, memory_order_relaxed);
}

static int is_complete(const engine *e) {
    return atomic_load_explicit(&e->complete, memory_order_relaxed);
}

static void store(engine *e, const unsigned char *input, int64_t frames, int64_t now) {
    const int64_t position = position_of(e);
    const int64_t skipped = max_frames(0, min_frames(frames, e->offset - position));
    const int64_t kept = frames - skipped;
    if (kept == 0)
        return;
    const unsigned char *first = input + skipped * e->capture.frame_bytes;
    for (copy *c = &e->first; c; c = next_copy(c)) {
        if (!has_room(c, kept)) {
            raise_flag(&c->overran, 1);
            lose(e, c, LOSS_OVERRUN, position + skipped, kept, now);
            continue;
        }
        publish_loss(e, c);
        put_captured(&e->capture, c, 0, first, kept);
        publish_captured(c, kept);
    }
}

static void meter(engine *e, const struct side *side, const void *data, int64_t frames) {
    float buffer[METER_BUFFER_SAMPLES];
    const int64_t frames_at_once = METER_BUFFER_SAMPLES / side->channels;
    const unsigned char *next = data;
    for (int64_t done = 0; done < frames; done += frames_at_once) {
        const int64_t now = min_frames(frames - done, frames_at_once);
        const float *samples =
            converted(buffer, SAMPLE_FLOAT32, 0, next, side->sample_format, now * side->channels);
        add_levels(&e->meter, samples, now, side->channels);
        next += now * side->frame_bytes;
    }
}

/* Hands the levels to the owner if it has asked since the last time. */
static void answer_levels(engine *e, int64_t channels) {
    /* acquire: the owner must have finished reading `shown` before it is written again */
    const uint32_t asked = atomic_load_explicit(&e->levels_asked, memory_order_acquire);
    if (asked == atomic_load_explicit(&e->levels_answered, memory_order_relaxed))
        return;
    const size_t entries = (size_t)channels;
    memcpy(e->shown.peaks, e->meter.peaks, entries * sizeof *e->shown.peaks);
    memcpy(e->shown.square_sums, e->meter.square_sums, entries * sizeof *e->shown.square_sums);
    e->shown.frames = e->meter.frames;
    memset(e->meter.peaks, 0, entries * sizeof *e->meter.peaks);
    memset(e->meter.square_sums, 0, entries * sizeof *e->meter.square_sums);
    e->meter.frames = 0;
    /* release: the levels must be in memory before they are announced */
    atomic_store_explicit(&e->levels_answered, asked, memory_order_release);
}

/* The timeline stands still: captured frames are dropped, playback waits, and only the levels are
 * measured. */
static void pass_block(engine *e, const void *input, void *output, int64_t frames) {
    if (output)
        play_silence(e, output, frames);
    e->silent_frames += frames;
    if (e->loop_back)
        e->loop_back(e->loop_back_context, (uint64_t)frames);
    if (input)
        meter(e, &e->capture, input, frames);
    answer_levels(e, input ? e->capture.channels : e->playback.channels);
}

static void begin_clock(engine *e, int64_t now) {
    if (atomic_load_explicit(&e->clock_zero_ns, memory_order_relaxed))
        return;
    atomic_store_explicit(&e->clock_zero_ns, now, memory_order_relaxed);
    /* a pause before that is not counted in the time since then */
    e->uncounted_frames = -atomic_load_explicit(&e->paused_frames, memory_order_relaxed);
}

static void begin_take(engine *e, int64_t now) {
    begin_clock(e, now);
    if (atomic_load_explicit(&e->time_zero_ns, memory_order_relaxed) == 0)
        atomic_store_explicit(&e->time_zero_ns, now, memory_order_relaxed);
}

/* Whether a settled device goes by without a take, because the time for its first frame has not
 * come. */
static int is_waiting(const engine *e) {
    return atomic_load_explicit(&e->begin_at, memory_order_relaxed) != 0 &&
           atomic_load_explicit(&e->time_zero_ns, memory_order_relaxed) == 0 &&
           atomic_load_explicit(&e->settled, memory_order_relaxed);
}

/* Returns how many of the next frames come before the first one of the take, and counts them. */
static int64_t wait_through(engine *e, int64_t frames, int64_t now) {
    if (!is_waiting(e))
        return 0;
    begin_clock(e, now);
    const int64_t begin_at = atomic_load_explicit(&e->begin_at, memory_order_relaxed);
    const int64_t waited = atomic_load_explicit(&e->waited_frames, memory_order_relaxed);
    const int64_t before = max_frames(0, min_frames(frames, begin_at - waited));
    count(&e->waited_frames, before);
    return before;
}

static int end_if_heard(engine *e, int64_t silent_frames) {
    if (!is_heard(e, silent_frames))
        return GO_ON;
    atomic_store_explicit(&e->drained, 1, memory_order_relaxed);
    return COMPLETE;
}

/* Plays silence after the end of the timeline, while the device still holds frames of it. */
static int drain_block(engine *e, void *output, int64_t frames, unsigned long host_flags,
                       int64_t now) {
    const int64_t silent_frames = e->silent_frames;
    note_host_flags(e, host_flags & HOST_PLAYBACK_FLAGS, now);
    if (output)
        play_silence(e, output, frames);
    e->silent_frames += frames;
    return end_if_heard(e, silent_frames);
}

static int run_block(engine *e, const void *input, void *output, int64_t frames,
                     unsigned long host_flags, int64_t now) {
    if (!atomic_load_explicit(&e->settled, memory_order_relaxed)) {
        if (output)
            play_silence(e, output, frames);
        if (settle(e, frames, host_flags, now))
            atomic_store_explicit(&e->settled, 1, memory_order_relaxed);
        return GO_ON;
    }
    if (is_complete(e))
        return drain_block(e, output, frames, host_flags, now);
    const int is_between = awaits_seek(e) && !take_seek(e, frames);
    if (is_between || is_paused(e)) {
        pass_block(e, input, output, frames);
        count(&e->paused_frames, frames);
        return GO_ON;
    }
    begin_take(e, now);
    take_end(e);
    note_host_flags(e, host_flags, now);
    if (output)
        play(e, output, frames, now);
    if (e->loop_back)
        e->loop_back(e->loop_back_context, (uint64_t)(e->waited_in_block + frames));

    const int64_t position = position_of(e);
    const int64_t taken = max_frames(0, min_frames(frames, e->total - position));
    const int64_t silent_frames = e->silent_frames - frames;
    if (input && has_ring(&e->capture))
        store(e, input, taken, now);
    if (input)
        meter(e, &e->capture, input, taken);
    else if (output)
        meter(e, &e->playback, output, taken);
    answer_levels(e, input ? e->capture.channels : e->playback.channels);

    atomic_store_explicit(&e->position, position + taken, memory_order_relaxed);
    if (position + taken < e->total)
        return GO_ON;
    atomic_store_explicit(&e->complete, 1, memory_order_relaxed);
    return end_if_heard(e, silent_frames);
}

/* Whether there is a copy that can take all of the block. */
static int captures_all(const engine *e, const void *input, int64_t frames) {
    if (!input || !has_ring(&e->capture))
        return 1;
    const copy *c = &e->first;
    while (c && !has_room(c, frames))
        c = next_copy(c);
    return c != NULL;
}

static int plays_all(const engine *e, int64_t frames) {
    if (!has_input(e))
        return 1;
    return is_all_read(e) || (int64_t)ring_available(side_ring(&e->playback)) >= frames;
}

/* Returns how many frames of a block are left out of the timeline, if the capture ring has no room
 * for it or the playback ring cannot fill it. `early` of them came before the clock asked for
 * them. */
static int64_t surplus_of(const engine *e, int64_t frames, int64_t early) {
    /* If the device is slightly fast, only the early frames are left out. If it is rushing, the
     * whole block is, unless the timeline would fall behind the clock. */
    if (!e->is_rushing && 2 * early <= frames)
        return early;
    return min_frames(frames, max_frames(early, e->frames_in_advance));
}

/* A device that is ahead of the clock may deliver and take as many frames as the rings allow.
 * Beyond that, only the frames that the clock asks for are put on the timeline: no silence is
 * written for time that has not passed. Returns how many frames of the block are left out; silence
 * is played for them. */
static int64_t leave_out(engine *e, const void *input, unsigned char *output, int64_t frames,
                         int64_t surplus, int64_t now) {
    if (surplus > 0)
        add_lead(e, surplus, now);
    const int64_t early = max_frames(0, min_frames(frames, surplus));
    const int is_still = is_paused(e) || awaits_seek(e);
    const int is_captured = captures_all(e, input, frames);
    if (!is_still && is_captured && plays_all(e, frames))
        return 0;
    const int64_t left_out = is_still ? early : surplus_of(e, frames, early);
    e->uncounted_frames += left_out;
    e->frames_in_advance -= left_out;
    if (output)
        play_silence(e, output + (frames - left_out) * e->playback.frame_bytes, left_out);
    if (!input || !has_ring(&e->capture) || is_still)
        return left_out;
    e->open_lead.left_out += left_out;
    count(&e->left_out_frames, left_out);
    if (!is_captured && left_out > 0)
        raise_flag(&e->first.overran, 1);
    return left_out;
}

/* Runs what is left of a block behind the frames that the take has waited through. */
static int run_rest(engine *e, const unsigned char *input, unsigned char *output, int64_t frames,
                    unsigned long host_flags, int64_t now) {
    const int64_t waited = wait_through(e, frames, now);
    e->waited_in_block = waited;
    if (waited > 0)
        pass_block(e, input, output, waited);
    if (waited == frames && is_waiting(e))
        return GO_ON;
    if (input)
        input += waited * e->capture.frame_bytes;
    if (output)
        output += waited * e->playback.frame_bytes;
    return run_block(e, input, output, frames - waited, host_flags, now);
}

int engine_callback(const void *input, void *output, unsigned long frame_count,
                    const void *time_info, unsigned long host_flags, void *user) {
    engine *e = user;
    const int64_t frames = (int64_t)frame_count;
    const int64_t now = monotonic_ns();
    const int64_t frame = position_of(e);
    const int was_complete = is_complete(e);
    int64_t owed = debt_before(e, frame, now);
    int64_t counted = frames;
    if (output)
        note_held(e, time_info, frames);
    /* a block that drains is not on the timeline */
    if ((owed < e->least_debt || e->is_rushing) && !was_complete && !is_waiting(e)) {
        counted -= leave_out(e, input, output, frames, e->least_debt - owed, now);
        owed = max_frames(owed, e->least_debt);
    }
    const int result = run_rest(e, input, output, counted, host_flags, now);
    count(&e->callbacks, 1);
    if (!was_complete && atomic_load_explicit(&e->clock_zero_ns, memory_order_relaxed) != 0)
        note_debt(e, frame, frames, owed, now);
    atomic_store_explicit(&e->present_debt, owed - frames, memory_order_relaxed);
    atomic_store_explicit(&e->last_callback_ns, now, memory_order_relaxed);
    return result;
}

void engine_device_lost(engine *e, int64_t frames) {
    const int64_t now = monotonic_ns();
    if (is_waiting(e)) {
        frames -= wait_through(e, frames, now);
        if (frames == 0)
            return;
        begin_take(e, now);
    }
    take_end(e);
    if (is_paused(e) || awaits_seek(e)) {
        count(&e->paused_frames, frames);
        return;
    }
    const int64_t position = position_of(e);
    const int64_t taken = max_frames(0, min_frames(frames, e->total - position));
    const int64_t skipped = max_frames(0, min_frames(taken, e->offset - position));
    if (has_ring(&e->capture) && taken > skipped)
        lose_in_all(e, LOSS_DEVICE, position + skipped, taken - skipped, now);
    if (has_ring(&e->playback) && !atomic_load_explicit(&e->input_ended, memory_order_relaxed))
        underrun(e, position, min_frames(taken, max_frames(0, e->limit - position)), now);
    atomic_store_explicit(&e->position, position + taken, memory_order_relaxed);
}
