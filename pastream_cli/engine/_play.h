/* What the callback plays: frames from the ring, or silence, and what is told of an underrun. On
 * the device's thread. */
#ifndef PASTREAM_PLAY_H
#define PASTREAM_PLAY_H

#include <string.h>

#include "_seek.h"
#include "_store.h"

/* PortAudio's PaStreamCallbackTimeInfo, in seconds. */
struct block_times {
    double captured;
    double now;
    double heard; /* the first frame of what this block plays */
};

/* Whether there is a ring to play from, of which not all was played. */
static inline int has_input(const engine *e) {
    return has_ring(&e->playback) && !atomic_load_explicit(&e->input_ended, memory_order_relaxed) &&
           !atomic_load_explicit(&e->silenced, memory_order_relaxed);
}

static inline void fetch(const struct side *side, unsigned char *output, int64_t frames) {
    ring *r = side_ring(side);
    const uint64_t index = atomic_load_explicit(&r->read, memory_order_relaxed);
    const struct ring_span span = ring_span_at(r, index, (uint64_t)frames);
    const int64_t first = (int64_t)span.first_elements;
    move_frames(side, output, side->channels, span.first, side->ring_channels, first);
    move_frames(side, output + first * side->frame_bytes, side->channels, span.second,
                side->ring_channels, frames - first);
    ring_consume(r, (uint64_t)frames);
}

static inline void play_silence(const engine *e, unsigned char *output, int64_t frames) {
    const int zero = e->playback.sample_format == SAMPLE_UINT8 ? 0x80 : 0;
    memset(output, zero, (size_t)frames * (size_t)e->playback.frame_bytes);
}

static inline void close_underrun(engine *e) {
    if (e->open_underrun.frames == 0)
        return;
    tell(e, &e->open_underrun);
    e->open_underrun.frames = 0;
}

static inline void underrun(engine *e, int64_t frame, int64_t frames, int64_t now) {
    if (frames == 0)
        return;
    /* the device has lost frames in it, or was away: each part has its own place */
    if (e->open_underrun.frame + e->open_underrun.frames != frame)
        close_underrun(e);
    if (e->open_underrun.frames == 0) {
        e->open_underrun =
            (struct loss){.frame = frame, .monotonic_ns = now, .kind = LOSS_UNDERRUN};
        count(&e->underruns, 1);
    }
    e->open_underrun.frames += frames;
    count(&e->underrun_frames, frames);
}

static inline void end_input(engine *e, int64_t frame) {
    atomic_store_explicit(&e->input_ended, 1, memory_order_relaxed);
    /* not added up, because the sum could overflow */
    if (e->pad >= 0 && e->pad < e->total - frame)
        e->total = frame + e->pad;
}

/* Moves frames from the ring to the output, and plays silence where the ring has none. */
static inline void play(engine *e, unsigned char *output, int64_t frames, int64_t now) {
    const int64_t position = position_of(e);
    const int64_t wanted =
        max_frames(0, min_frames(frames, min_frames(e->limit - position, e->total - position)));
    int64_t played = 0;
    if (has_input(e)) {
        const int ended = is_all_read(e); /* before the ring is looked at */
        const int64_t available = (int64_t)ring_available(side_ring(&e->playback));
        played = min_frames(wanted, available);
        fetch(&e->playback, output, played);
        if (played > 0)
            e->has_played = 1;
        if (played > 0 || (ended && frames > 0))
            close_underrun(e);
        if (ended && played == available)
            end_input(e, position + played);
        else if (position + played >= e->limit)
            end_input(e, e->limit);
        else if (played < wanted) {
            /* a source that has delivered nothing yet is still starting: it has not run dry */
            if (e->has_played)
                raise_flag(&e->ran_dry, 1);
            underrun(e, position + played, wanted - played, now);
        }
    }
    play_silence(e, output + played * e->playback.frame_bytes, frames - played);
    e->silent_frames = frames - played + (played ? 0 : e->silent_frames);
}

/* Notes how many frames the host holds that it has not played yet. Some hosts do not know, and say
 * 0 or nonsense. */
static inline void note_held(engine *e, const struct block_times *times, int64_t frames) {
    e->largest_block = max_frames(e->largest_block, frames);
    if (!times)
        return;
    const double held = (times->heard - times->now) * e->frames_per_ns * 1e9;
    if (held > 0 && held <= (double)e->drain_at_most)
        e->held_frames = max_frames(e->held_frames, (int64_t)held);
}

/* Returns whether the device has played the input to its end. `silent_frames` is the silence that
 * followed the input before the host asked for the present block. */
static inline int is_heard(const engine *e, int64_t silent_frames) {
    if (e->drain_frames < 0 || !has_ring(&e->playback) || !e->has_played)
        return 1;
    return silent_frames >= max_frames(e->drain_frames + e->largest_block, e->held_frames);
}

#endif
