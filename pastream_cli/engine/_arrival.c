/* How the first blocks of a replacement device get their place on the timeline. Real-time code, as
 * _cb.c is.
 *
 * The timeline has stood still since the last block of the device before. The clock tells how many
 * frames are missing, but one callback is a poor witness: it may be late. So the blocks of a first
 * while are held in the ring, where the writer does not see them yet, and the callback that was the
 * least late decides; a device that is still catching up is waited for. A device that plays has
 * silence for that while, and what it captures then is no recording of what is played: it belongs
 * to the gap. */
#include "_real_time.h"

#include "_arrival.h"

#include <time.h>

#include "_clock.h"
#include "_seek.h"
#include "_settle.h"
#include "_store.h"

static const int64_t ARRIVAL_NS = 300000000;
/* A sink that was idle may take a lot at once, and then nothing for two seconds. What the debt was
 * before such a stop says nothing. The usual rest of a device that delivers many blocks at once,
 * which is as long as its latency at the most, is none. */
static const int64_t STOP_NS = 50000000;
static const int64_t STOPS_AT_MOST_NS = 4000000000;
/* What a busy machine may make of a debt; more than that is frames that never came. */
static const int64_t UNCERTAIN_NS = 100000000;

/* Returns what the device is to owe when it is in time: what the one before it owed, but for what
 * that was out of its place. While a device is there, its debt changes by its drift, and by frames
 * that never came; what else seems to change is that of the looks at it. */
static int64_t due_debt(const engine *e) {
    const struct reference *r = &e->reference;
    const int64_t recent = recent_debt(e);
    if (!r->is_known)
        return recent;
    if (r->is_under_way)
        return r->debt;
    const int64_t change = recent - r->found_debt;
    const int64_t uncertain = (int64_t)((double)UNCERTAIN_NS * e->frames_per_ns);
    if (change > uncertain || change < -uncertain)
        return r->debt + change;
    const int64_t passed_ns = atomic_load(&e->last_callback_ns) - r->found_ns;
    const int64_t most = (int64_t)((double)passed_ns * e->frames_per_ns * MOST_DRIFT);
    return r->debt + max_frames(-most, min_frames(most, change));
}

void arrival_begin(engine *e) {
    arrival_end(e);
    const int has_begun = atomic_load(&e->time_zero_ns) != 0;
    e->arrival = (struct arrival){
        .is_under_way = has_begun,
        .left_ns = atomic_load(&e->last_callback_ns),
        .usual_debt = due_debt(e),
        .least_debt = INT64_MAX,
    };
    atomic_store(&e->present_debt, INT64_MIN);
    atomic_store(&e->settled, !has_begun && e->settle_frames == 0);
}

static int is_still(const engine *e) {
    return atomic_load_explicit(&e->paused, memory_order_relaxed) || awaits_seek(e);
}

/* Whether a copy has room for so many frames. The rest of its ring is for a writer that is late. */
static int can_hold(const copy *c, int64_t frames) {
    const ring *r = copy_ring(c);
    return frames <= (int64_t)r->capacity / 2 && frames <= (int64_t)ring_room(r);
}

/* Puts a block into the rings, behind those that are held already. Returns whether it was held. */
static int hold(engine *e, const void *input, int64_t frames) {
    struct arrival *a = &e->arrival;
    if (!input || !has_ring(&e->capture) || e->playback.channels || is_still(e))
        return 0;
    const int64_t held = a->unpublished_frames + frames;
    for (copy *c = &e->first; c; c = next_copy(c)) {
        c->misses_held = (a->unpublished_frames && c->misses_held) || !can_hold(c, held);
        if (!c->misses_held)
            put_captured(&e->capture, c, a->unpublished_frames, input, frames);
    }
    a->unpublished_frames = held;
    return 1;
}

/* Whether no copy can hold another block. */
static int holds_enough(const engine *e, int64_t frames) {
    if (!has_ring(&e->capture))
        return 0;
    const int64_t held = e->arrival.unpublished_frames;
    const copy *c = &e->first;
    while (c && ((held && c->misses_held) || !can_hold(c, held + frames)))
        c = next_copy(c);
    return c == NULL;
}

/* Puts the time without a device on the timeline. It is a loss of each side. */
static void lose_away(engine *e, int64_t frames) {
    const int64_t position = position_of(e);
    const int64_t taken = max_frames(0, min_frames(frames, e->total - position));
    const int64_t skipped = max_frames(0, min_frames(taken, e->offset - position));
    const int64_t lost = taken - skipped;
    if (lost > 0 && has_ring(&e->capture)) {
        lose_in_all(e, LOSS_AWAY, position + skipped, lost, e->arrival.left_ns);
    } else if (lost > 0) {
        const struct loss record = {.frame = position + skipped,
                                    .frames = lost,
                                    .monotonic_ns = e->arrival.left_ns,
                                    .kind = LOSS_AWAY};
        tell(e, &record);
        count(&e->first.losses, 1);
        count(&e->first.lost_frames, lost);
    }
    count(&e->away_frames, lost);
    atomic_store_explicit(&e->position, position + taken, memory_order_relaxed);
}

/* Gives the writers what was held. */
static void release(engine *e, int64_t frames) {
    const int64_t position = position_of(e);
    const int64_t taken = max_frames(0, min_frames(frames, e->total - position));
    if (taken == 0)
        return;
    for (copy *c = &e->first; c; c = next_copy(c)) {
        if (c->misses_held || !gap_fits(c)) {
            lose(e, c, LOSS_OVERRUN, position, taken, e->arrival.left_ns);
            continue;
        }
        publish_loss(e, c);
        publish_captured(c, taken);
    }
    atomic_store_explicit(&e->position, position + taken, memory_order_relaxed);
}

static void arrive(engine *e) {
    struct arrival *a = &e->arrival;
    const int64_t slept = e->slept_frames;
    const int64_t missing = max_frames(0, a->least_debt - a->usual_debt) + slept;
    int64_t held = a->unpublished_frames;
    int64_t away = missing + a->frames - held;
    take_end(e);
    a->is_under_way = 0;
    a->unpublished_frames = 0;
    e->reference = (struct reference){
        .is_known = 1, .is_under_way = 1, .debt = a->usual_debt, .first = e->recent_debt};
    e->slept_frames = 0;
    e->uncounted_frames -= slept; /* the clock did not ask for them */
    atomic_store_explicit(&e->settled, 1, memory_order_relaxed);
    if (is_still(e)) {
        count(&e->paused_frames, away + held);
        return;
    }
    if (position_of(e) + away < e->offset) { /* the recording begins in what is held, or later */
        away += held;
        held = 0;
    }
    lose_away(e, away);
    release(e, held);
}

/* Notes the debt after a block. If the device has stopped before it, it begins to arrive again, and
 * what it delivered before belongs to the gap. */
static void note_arriving(engine *e, int64_t debt, int64_t frames, int64_t now) {
    struct arrival *a = &e->arrival;
    const int64_t shortest = (int64_t)((double)STOP_NS * e->frames_per_ns);
    const int64_t most = frames + max_frames(shortest, e->lead_tolerance);
    const int is_first = a->begun_ns == 0;
    if (is_first)
        a->first_ns = now;
    const int may_wait = now - a->first_ns < STOPS_AT_MOST_NS;
    if (is_first || (debt - a->least_debt > most && may_wait)) {
        a->begun_ns = now;
        a->unpublished_frames = 0;
        a->least_debt = a->begun_debt = debt;
    } else if (debt > a->usual_debt && a->begun_debt - debt > frames && may_wait) {
        /* it still catches up */
        a->begun_ns = now;
        a->begun_debt = debt;
    }
    a->least_debt = min_frames(a->least_debt, debt);
}

/* Whether the device was stopped a moment ago, or has caught up by a block since it came back, so
 * that nobody knows yet how late it is. */
static int catches_up(const struct arrival *a, int64_t now) {
    const int has_changed = a->begun_ns != a->first_ns;
    return has_changed && now - a->begun_ns < STOP_NS && now - a->first_ns < STOPS_AT_MOST_NS;
}

int arrival_takes(engine *e, const void *input, int64_t frames, unsigned long host_flags) {
    struct arrival *a = &e->arrival;
    if (e->lead_tolerance < 0) { /* without a clock nothing is missing */
        a->is_under_way = 0;
        atomic_store_explicit(&e->settled, 1, memory_order_relaxed);
        return 0;
    }
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    const int64_t now = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
    const int is_settled = settle(e, frames, host_flags, now);
    const int64_t debt = debt_before(e, position_of(e), now) - a->frames - frames;
    note_arriving(e, debt, frames, now);
    if (holds_enough(e, frames)) {
        if (!catches_up(a, now)) {
            arrive(e);
            return 0;
        }
        a->unpublished_frames = 0; /* nobody knows its place yet */
    }
    hold(e, input, frames);
    a->frames += frames;
    count(&e->callbacks, 1);
    atomic_store_explicit(&e->last_callback_ns, now, memory_order_relaxed);
    if (is_settled && now - a->begun_ns >= ARRIVAL_NS)
        arrive(e);
    return 1;
}

int arrival_covers_loss(engine *e) {
    const struct arrival *a = &e->arrival;
    if (!a->is_under_way)
        return 0;
    if (a->frames == 0 ||
        (a->unpublished_frames == 0 && catches_up(a, atomic_load(&e->last_callback_ns))))
        return 1;
    arrive(e);
    return 0;
}

void arrival_end(engine *e) {
    if (e->arrival.is_under_way && e->arrival.unpublished_frames)
        arrive(e);
}
