/* Compares the device with the clock: how many frames it owes, which the owner judges
 * (deficit.py), and how far it runs ahead. Real-time code, as _cb.c is. */
#include "_real_time.h"

#include "_clock.h"

#include <math.h>

/* A lead that lasts is told in parts of this length. */
static const int64_t LEAD_NS = 10000000000;

static void lead_by(engine *e, int64_t frames) {
    e->uncounted_frames -= frames;
    e->open_lead.frames += frames;
    e->frames_in_advance += frames;
    count(&e->ahead_frames, frames);
}

void add_lead(engine *e, int64_t surplus, int64_t now) {
    if (!e->is_ahead)
        e->open_lead =
            (struct loss){.frame = position_of(e), .monotonic_ns = now, .kind = LOSS_AHEAD};
    e->is_ahead = 1;
    e->led_lately += surplus;
    lead_by(e, surplus);
}

static void tell_lead(engine *e) {
    if (e->open_lead.frames)
        tell(e, &e->open_lead);
    e->open_lead.frames = e->open_lead.left_out = 0;
}

void engine_end_lead(engine *e) {
    if (!e->is_ahead)
        return;
    /* alone, a debt below the usual one could be chance; with a lead, it is part of that */
    const int64_t rest = max_frames(0, (int64_t)e->usual_debt - e->open_debt.frames);
    lead_by(e, rest);
    tell_lead(e);
    e->is_ahead = e->is_rushing = 0;
}

static void follow_drift(engine *e, double due_frames) {
    const double change = (double)e->open_debt.frames - e->usual_debt;
    const double most = e->knows_usual ? due_frames * MOST_DRIFT : fabs(change);
    e->usual_debt += change > most ? most : change < -most ? -most : change;
    e->knows_usual = 1;
}

/* Called when the open debt is complete, before the next one is opened. */
static void follow_clock(engine *e, const struct debt *next) {
    const int64_t passed_ns = next->monotonic_ns - e->open_debt.monotonic_ns;
    const double due_frames = (double)passed_ns * e->frames_per_ns;
    e->is_rushing = e->is_ahead && (double)e->led_lately > due_frames;
    if (!e->is_ahead) {
        follow_drift(e, due_frames);
    } else if ((double)e->led_lately <= 2 * due_frames * MOST_DRIFT) {
        engine_end_lead(e);
    } else if (next->monotonic_ns - e->open_lead.monotonic_ns > LEAD_NS) {
        tell_lead(e);
        e->open_lead.frame = next->frame;
        e->open_lead.monotonic_ns = next->monotonic_ns;
    }
    e->led_lately = 0;
    if (e->lead_tolerance >= 0)
        e->least_debt = (int64_t)e->usual_debt - e->lead_tolerance;
}

/* A host that hands over many blocks at once owes more between them, so the time must not be
 * shorter than that in which the next device is looked at. */
int64_t recent_debt(const engine *e) {
    int64_t least = e->open_debt.frames;
    for (size_t i = 0; i < RECENT_DEBTS; ++i)
        least = min_frames(least, e->recent_debts[i]);
    return least;
}

static void note_reference(engine *e) {
    struct reference *r = &e->reference;
    if (!r->is_under_way || e->recent_debt - r->first < RECENT_DEBTS)
        return;
    r->is_under_way = 0;
    r->found_debt = recent_debt(e);
    r->found_ns = e->open_debt.monotonic_ns;
}

void begin_debt(engine *e, const struct debt *debt) {
    const int64_t uncounted = e->uncounted_frames;
    if (e->open_debt.monotonic_ns) {
        follow_clock(e, debt);
        if (ring_room(&e->debts) > 0)
            ring_put(&e->debts, &e->open_debt, 1);
        e->recent_debts[e->recent_debt++ % RECENT_DEBTS] = e->open_debt.frames;
        note_reference(e);
    }
    e->open_debt = *debt;
    /* follow_clock may have ended a lead, which changes what the device owes */
    e->open_debt.frames += uncounted - e->uncounted_frames;
}
