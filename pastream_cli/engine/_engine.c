/* How its owner makes, configures, observes, ends and frees an engine. */
#include "_engine.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "_arrival.h"
#include "_attachment.h"
#include "_convert.h"
#include "_state.h"
#include "_store.h"
#include "_trigger.h"

engine *engine_new(void) {
    return engine_new_in(-1, 0, 0);
}

static void begin_copy(engine *e, copy *c, int32_t number) {
    c->engine = e;
    c->number = number;
    c->fills_gaps = 1;
    c->writer.wake[0] = c->writer.wake[1] = -1;
    ring_prepare(&c->gaps, sizeof(struct loss), LOSS_RECORDS, c->gap_records);
}

engine *engine_new_in(int descriptor, uint64_t ring_bytes, int further_copies) {
    const uint64_t copies = (uint64_t)further_copies;
    const uint64_t rings = ring_bytes ? copies + 2 : 0;
    const uint64_t bytes = ring_bytes + rings * sizeof(ring) + copies * sizeof(copy);
    engine *e = block_new(descriptor, sizeof *e, bytes, (int)(2 * rings + copies));
    if (!e)
        return NULL;
    e->drain_frames = -1;
    engine_expect_clock(e, -1);
    begin_copy(e, &e->first, 0);
    ring_prepare(&e->events, sizeof(struct loss), LOSS_RECORDS, e->event_records);
    ring_prepare(&e->debts, sizeof(struct debt), DEBT_RECORDS, e->debt_records);
    ring_prepare(&e->host_debts, sizeof(struct debt), HOST_DEBT_RECORDS, e->host_debt_records);
    return e;
}

engine *engine_map(int descriptor) {
    return block_map(descriptor, sizeof(engine));
}

ring *engine_new_ring(engine *e, uint32_t element_bytes, uint64_t capacity) {
    ring *r = block_take(&e->header, sizeof *r);
    void *elements = r ? block_take(&e->header, capacity * element_bytes) : NULL;
    if (!elements)
        return NULL;
    ring_prepare(r, element_bytes, capacity, elements);
    return r;
}

static void end_copy(copy *c) {
    free(c->writer.map);
    for (int i = 0; i < 2; ++i)
        if (c->writer.wake[i] >= 0)
            close(c->writer.wake[i]);
}

void engine_free(engine *e) {
    if (!e)
        return;
    attachment *a = atomic_load(&e->attachment);
    /* that of a shared engine is in another process, which has ended or uses a mapping of its own
     */
    if (a && !e->header.is_shared)
        attachment_detach(a);
    free(e->reader.map);
    for (copy *c = &e->first; c; c = next_copy(c))
        end_copy(c);
    block_free(&e->header);
}

copy *engine_first_copy(engine *e) {
    return &e->first;
}

copy *engine_add_copy(engine *e, ring *r) {
    if (!has_ring(&e->capture) || r->element_bytes != copy_ring(&e->first)->element_bytes)
        return NULL;
    copy *last = &e->first;
    while (last->next)
        last = next_copy(last);
    copy *added = last->number + 1 < MOST_COPIES ? block_take(&e->header, sizeof *added) : NULL;
    if (!added)
        return NULL;
    begin_copy(e, added, last->number + 1);
    added->ring = distance_of(r, added);
    last->next = distance_of(added, last);
    return added;
}

static int are_channels(int number) {
    return number >= 1 && number <= MOST_DEVICE_CHANNELS;
}

static int set_side(struct side *side, ring *r, int sample_format, int channels) {
    if (!are_channels(channels))
        return 0;
    const int frame_bytes = channels * sample_bytes(sample_format);
    if (r && r->element_bytes != (uint32_t)frame_bytes)
        return 0;
    side->ring = r ? distance_of(r, side) : 0;
    side->map = 0;
    side->sample_format = sample_format;
    side->channels = channels;
    side->frame_bytes = frame_bytes;
    side->ring_channels = channels;
    return 1;
}

static int is_map(const int32_t *map, int entries, int sources) {
    for (int i = 0; i < entries; ++i)
        if (map[i] < -1 || map[i] >= sources)
            return 0;
    return 1;
}

/* `own_map` is where the side keeps its map. */
static int map_side(struct side *side, int32_t *own_map, ring *r, const int32_t *map, int entries,
                    int sources, int ring_channels) {
    if (!are_channels(entries) || !are_channels(ring_channels) || !is_map(map, entries, sources))
        return 0;
    const int frame_bytes = ring_channels * sample_bytes(side->sample_format);
    if (!r || r->element_bytes != (uint32_t)frame_bytes)
        return 0;
    memcpy(own_map, map, (size_t)entries * sizeof *map);
    side->map = distance_of(own_map, side);
    side->ring = distance_of(r, side);
    side->ring_channels = ring_channels;
    return 1;
}

void engine_leave_gaps(engine *e) {
    e->first.fills_gaps = 0;
}

int engine_map_playback(engine *e, ring *r, const int32_t *map, int ring_channels) {
    return map_side(&e->playback, e->playback_map, r, map, e->playback.channels, ring_channels,
                    ring_channels);
}

/* The first copy has the ring of the capture. */
static int is_first_copys(engine *e, const ring *r, int is_connected) {
    if (is_connected)
        e->first.ring = r ? distance_of(r, &e->first) : 0;
    return is_connected;
}

int engine_map_capture(engine *e, ring *r, const int32_t *map, int ring_channels) {
    return is_first_copys(e, r,
                          map_side(&e->capture, e->capture_map, r, map, ring_channels,
                                   e->capture.channels, ring_channels));
}

int engine_set_playback(engine *e, ring *r, int sample_format, int channels) {
    return set_side(&e->playback, r, sample_format, channels);
}

int engine_set_capture(engine *e, ring *r, int sample_format, int channels) {
    return is_first_copys(e, r, set_side(&e->capture, r, sample_format, channels));
}

static int64_t sum_of_frames(int64_t a, int64_t b) {
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

/* Resets what threads share in a run to what it is before the first callback. */
static void reset_shared(engine *e) {
#define COUNTER(type, name) atomic_store(&e->name, 0);
#include "_counters.h"
#undef COUNTER
    atomic_store(&e->reader.frames, 0);
    atomic_store(&e->reader.seek_index, 0);
    atomic_store(&e->reader.seek_frame, 0);
    atomic_store(&e->reader.skipped, 0);
    atomic_store(&e->drop_from, 0);
    atomic_store(&e->seek_by, 0);
    _Atomic int32_t *const flags[] = {
        &e->paused,          &e->capture_finished, &e->reader_stop,  &e->reader.file_error,
        &e->reader.finished, &e->seeks_asked,      &e->reader.drops, &e->reader.seeks,
        &e->seeks_dropped,   &e->seeks_taken,      &e->silenced,
    };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; ++i)
        atomic_store(flags[i], 0);
}

static void prepare_copy(copy *c, int64_t offset) {
#define COUNTER(type, name) atomic_store(&c->name, 0);
#include "_copy_counters.h"
#undef COUNTER
    atomic_store(&c->writer_sync, 0);
    atomic_store(&c->writer_stop, 0);
    atomic_store(&c->writer.place, offset);
    atomic_store(&c->writer.awaits, -1);
    atomic_store(&c->writer.dropped, 0);
    atomic_store(&c->writer.lost_frames, 0);
    atomic_store(&c->writer.losses, 0);
    atomic_store(&c->writer.busy_ns, 0);
    c->writer.claim = offset;
    c->open_loss = (struct loss){0};
    c->last_gap_frames = 0;
    c->start = c->ring ? ring_write_index(copy_ring(c)) : 0;
    ring_reset(&c->gaps, 0);
}

void engine_prepare(engine *e, int64_t limit, int64_t pad, int64_t offset, int64_t settle_frames,
                    int64_t settle_at_most, double frames_per_second) {
    memset(&e->meter, 0, sizeof e->meter);
    memset(&e->shown, 0, sizeof e->shown);
    e->limit = limit < 0 ? INT64_MAX : limit;
    e->pad = pad;
    e->offset = offset;
    e->total = has_ring(&e->playback) && pad > 0 ? sum_of_frames(e->limit, pad) : e->limit;
    e->settle_frames = settle_frames;
    e->settle_at_most = settle_at_most;
    e->frames_per_ns = frames_per_second / 1e9;
    e->has_played = 0;
    e->reader.seek_by = 0;
    e->silent_frames = 0;
    e->held_frames = 0;
    e->largest_block = 0;
    e->clean_frames = 0;
    e->settling_frames = 0;
    e->open_underrun.frames = 0;
    e->arrival = (struct arrival){0};
    e->reference = (struct reference){0};
    e->slept_frames = 0;
    e->open_debt.monotonic_ns = 0;
    for (size_t i = 0; i < RECENT_DEBTS; ++i)
        e->recent_debts[i] = INT64_MAX;
    e->usual_debt = 0;
    e->knows_usual = e->is_ahead = e->is_rushing = 0;
    e->led_lately = e->frames_in_advance = e->uncounted_frames = 0;
    engine_expect_clock(e, e->lead_tolerance);
    ring_reset(&e->events, 0);
    ring_reset(&e->debts, 0);
    ring_reset(&e->host_debts, 0);
    reset_shared(e);
    atomic_store(&e->begin_at, 0);
    atomic_store(&e->end_at, INT64_MAX);
    for (copy *c = &e->first; c; c = next_copy(c))
        prepare_copy(c, offset);
    if (e->trigger)
        trigger_prepare(e->trigger, offset);
    atomic_store(&e->settled, settle_frames == 0);
    atomic_store(&e->levels_asked, 1);
    atomic_store(&e->levels_answered, 0);
}

void engine_begin_at(engine *e, int64_t device_frame) {
    atomic_store_explicit(&e->begin_at, device_frame, memory_order_relaxed);
}

void engine_end_at(engine *e, int64_t frame) {
    const int64_t end = e->trigger ? trigger_end(e->trigger) : INT64_MAX;
    atomic_store_explicit(&e->end_at, frame < end ? frame : end, memory_order_relaxed);
}

void engine_drain_after(engine *e, int64_t latency_frames, int64_t most_frames) {
    e->drain_frames = latency_frames;
    e->drain_at_most = most_frames;
}

void engine_expect_clock(engine *e, int64_t tolerance_frames) {
    e->lead_tolerance = tolerance_frames;
    e->least_debt =
        tolerance_frames < 0 ? INT64_MIN / 2 : (int64_t)e->usual_debt - tolerance_frames;
}

void engine_slept(engine *e, int64_t frames) {
    e->slept_frames = frames;
}

/* With a trigger, only those losses count that are in a file. */
static int64_t count_of(const copy *c, const _Atomic int64_t *all,
                        const _Atomic int64_t *in_files) {
    return atomic_load_explicit(c->engine->trigger ? in_files : all, memory_order_relaxed);
}

void engine_read_counts(const engine *e, struct engine_counts *counts) {
    *counts = (struct engine_counts){
#define COUNTER(type, name) .name = atomic_load_explicit(&e->name, memory_order_relaxed),
#include "_counters.h"
#undef COUNTER
#define COUNTER(type, name) .name = atomic_load_explicit(&e->first.name, memory_order_relaxed),
#include "_copy_counters.h"
#undef COUNTER
    };
    const copy *c = &e->first;
    counts->lost_frames = count_of(c, &c->lost_frames, &c->writer.lost_frames);
    counts->losses = count_of(c, &c->losses, &c->writer.losses);
}

void copy_read_counts(const copy *c, struct copy_counts *counts) {
    *counts = (struct copy_counts){
#define COUNTER(type, name) .name = atomic_load_explicit(&c->name, memory_order_relaxed),
#include "_copy_counters.h"
#undef COUNTER
    };
    counts->lost_frames = count_of(c, &c->lost_frames, &c->writer.lost_frames);
    counts->losses = count_of(c, &c->losses, &c->writer.losses);
}

int engine_next_loss(engine *e, struct loss *record) {
    return (int)ring_read(&e->events, record, 1);
}

int engine_take_levels(engine *e, float *peaks, double *square_sums, int64_t *frames) {
    const uint32_t asked = atomic_load_explicit(&e->levels_asked, memory_order_relaxed);
    /* acquire: the levels come after the announcement */
    if (atomic_load_explicit(&e->levels_answered, memory_order_acquire) != asked)
        return 0;
    const int32_t channels = e->capture.channels ? e->capture.channels : e->playback.channels;
    memcpy(peaks, e->shown.peaks, (size_t)channels * sizeof *peaks);
    memcpy(square_sums, e->shown.square_sums, (size_t)channels * sizeof *square_sums);
    *frames = e->shown.frames;
    /* release: done reading before the callback may write again */
    atomic_store_explicit(&e->levels_asked, asked + 1, memory_order_release);
    return 1;
}

int engine_next_debt(engine *e, struct debt *record) {
    return (int)ring_read(&e->debts, record, 1);
}

int engine_next_host_debt(engine *e, struct debt *record) {
    return (int)ring_read(&e->host_debts, record, 1);
}

int64_t engine_monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void nap(int64_t nanoseconds) {
    const struct timespec length = {
        .tv_sec = nanoseconds / 1000000000,
        .tv_nsec = nanoseconds % 1000000000,
    };
    nanosleep(&length, NULL);
}

void engine_silence(engine *e, int silenced) {
    atomic_store_explicit(&e->silenced, silenced, memory_order_relaxed);
}

void engine_pause(engine *e, int paused) {
    atomic_store_explicit(&e->paused, paused, memory_order_relaxed);
}

/* Adds what was measured after the last answer to what the owner has not taken yet. */
static void answer_last_levels(engine *e) {
    const uint32_t asked = atomic_load(&e->levels_asked);
    const int is_taken = atomic_load(&e->levels_answered) != asked;
    const int32_t channels = e->capture.channels ? e->capture.channels : e->playback.channels;
    if (!e->meter.frames)
        return;
    for (int32_t channel = 0; channel < channels; ++channel) {
        const float peak = is_taken ? 0 : e->shown.peaks[channel];
        e->shown.peaks[channel] = e->meter.peaks[channel] > peak ? e->meter.peaks[channel] : peak;
        e->shown.square_sums[channel] =
            e->meter.square_sums[channel] + (is_taken ? 0 : e->shown.square_sums[channel]);
    }
    e->shown.frames = e->meter.frames + (is_taken ? 0 : e->shown.frames);
    e->meter.frames = 0;
    atomic_store(&e->levels_answered, asked);
}

void engine_finish(engine *e) {
    /* called again while the writer drains: it has what was open already */
    if (atomic_load_explicit(&e->capture_finished, memory_order_relaxed))
        return;
    answer_last_levels(e);
    arrival_end(e);
    if (e->open_underrun.frames)
        ring_write(&e->events, &e->open_underrun, 1);
    engine_end_lead(e);
    if (e->open_debt.monotonic_ns)
        ring_write(&e->debts, &e->open_debt, 1);
    e->open_underrun.frames = 0;
    for (copy *c = &e->first; c; c = next_copy(c)) {
        if (c->open_loss.frames && is_told(c))
            ring_write(&e->events, &c->open_loss, 1);
        c->last_gap_frames = c->open_loss.frames;
        c->open_loss.frames = 0;
    }
    /* release: the last frame and the last gap come before the word that they are the last */
    atomic_store_explicit(&e->capture_finished, 1, memory_order_release);
    for (copy *c = &e->first; c; c = next_copy(c))
        writer_wake(c);
}
