/* Decides which frames of a recording are kept: from where a level is reached, or the owner says
 * so, to the end of the silence that follows. */
#include "_trigger.h"

#include <stdlib.h>

#include "_convert.h"
#include "_count.h"
#include "_levels.h"
#include "_loops.h"
#include "_spin.h"
#include "_state.h"

/* A writer that is so many files behind has lost the frames of those before. */
enum { FILES = 4096 };

enum state { ARMED, RECORDING, OVER };

/* Of one file. */
struct span {
    int64_t begin;
    int64_t end; /* INT64_MAX: it is not known */
};

struct trigger {
    struct trigger_rules rules;
    _Atomic int32_t lock; /* whoever holds it may use what follows */
    enum state state;
    int64_t first_frame;
    int64_t heard_to;    /* of all frames before it, the fate is known */
    int64_t loud_to;     /* recording: the frame after the last loud one */
    int64_t recorded_to; /* armed: the frame after the last one of the file before */
    int64_t asked;       /* the frame at which the owner wants a file to begin; -1: none */
    int64_t end_frame;   /* of the recording */
    int32_t is_at_once;
    double greatest;
    int64_t files;
    struct span spans[FILES]; /* of the last files */
};

/* ---- for the owner ---- */

trigger *trigger_new(const struct trigger_rules *rules) {
    trigger *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->rules = *rules;
    return t;
}

void trigger_free(trigger *t) {
    free(t);
}

void engine_set_trigger(engine *e, trigger *t) {
    e->trigger = t;
}

void trigger_read_state(trigger *t, struct trigger_state *state) {
    spin_lock(&t->lock);
    *state = (struct trigger_state){
        .is_armed = t->state == ARMED,
        .is_at_once = t->is_at_once,
        .files = t->files,
        .end_frame = t->end_frame,
        .greatest = t->greatest,
    };
    spin_unlock(&t->lock);
}

int64_t trigger_end(trigger *t) {
    struct trigger_state state;
    trigger_read_state(t, &state);
    return state.end_frame;
}

int engine_trigger(engine *e) {
    trigger *t = e->trigger;
    spin_lock(&t->lock);
    const int is_armed = t->state == ARMED;
    if (is_armed && t->asked < 0)
        t->asked = position_of(e);
    spin_unlock(&t->lock);
    for (const copy *c = &e->first; c; c = next_copy(c))
        writer_wake(c);
    return is_armed;
}

int64_t writer_awaits(const copy *c) {
    return atomic_load_explicit(&c->writer.awaits, memory_order_relaxed);
}

int64_t writer_dropped(const copy *c) {
    return atomic_load_explicit(&c->writer.dropped, memory_order_relaxed);
}

/* ---- the decisions ---- */

static struct span *span_of(trigger *t, int64_t file) {
    return &t->spans[file % FILES];
}

static void begin_file(trigger *t, int64_t frame) {
    const int64_t begin = most(t->recorded_to, frame - t->rules.preroll_frames);
    *span_of(t, t->files++) = (struct span){begin, INT64_MAX};
    if (t->files == 1 && t->rules.most_frames >= 0)
        t->end_frame = begin + t->rules.most_frames;
    t->state = RECORDING;
    t->loud_to = frame;
    t->asked = -1;
}

static void end_file(trigger *t, int64_t frame) {
    span_of(t, t->files - 1)->end = frame;
    t->recorded_to = frame;
    t->asked = -1;
    t->state = ARMED;
    if (!t->rules.is_armed)
        t->end_frame = frame;
}

/* Returns before which frame the present file ends if no louder sound comes. */
static int64_t present_end(const trigger *t) {
    if (t->rules.silence_frames < 0)
        return t->end_frame;
    return least(t->end_frame, t->loud_to + t->rules.silence_frames);
}

static void end_if_due(trigger *t) {
    if (t->state == RECORDING && t->heard_to >= present_end(t))
        end_file(t, present_end(t));
    if (t->state == ARMED && t->heard_to >= t->end_frame)
        t->state = OVER;
}

static const void *samples_from(const struct sound *s, int64_t frame) {
    return (const unsigned char *)s->samples + frame * s->channels * sample_bytes(s->format);
}

/* Hears the frames of a sound from one of them on, up to the first that changes the state. */
static void hear_armed(trigger *t, const struct sound *s, int64_t from, int64_t frames) {
    int64_t quiet = frames;
    if (s->samples) {
        const int64_t count = frames * s->channels;
        const void *samples = samples_from(s, from);
        const double peak = peak_of(samples, s->format, count);
        if (peak > t->greatest)
            t->greatest = peak;
        if (peak >= t->rules.level)
            quiet = first_loud(samples, s->format, count, t->rules.level) / s->channels;
    }
    const int is_loud_at_once = quiet == 0 && t->heard_to == t->first_frame;
    if (t->asked >= 0)
        quiet = least(quiet, most(0, t->asked - t->heard_to));
    t->heard_to += quiet;
    if (quiet < frames) {
        t->is_at_once |= is_loud_at_once;
        begin_file(t, t->heard_to);
    }
}

static void hear_recording(trigger *t, const struct sound *s, int64_t from, int64_t frames) {
    const int64_t heard = least(frames, present_end(t) - t->heard_to);
    if (t->rules.silence_frames >= 0 && s->samples) {
        const int64_t last = last_loud(samples_from(s, from), s->format, heard * s->channels,
                                       t->rules.silence_level);
        if (last >= 0) {
            t->heard_to += last / s->channels + 1;
            t->loud_to = t->heard_to;
            return;
        }
    }
    t->heard_to += heard;
}

static void hear(trigger *t, const struct sound *s, int64_t frame, int64_t frames) {
    for (;;) {
        end_if_due(t);
        const int64_t from = t->heard_to - frame;
        const int64_t left = frames - from;
        if (left <= 0)
            return;
        if (t->state == ARMED)
            hear_armed(t, s, from, least(left, t->end_frame - t->heard_to));
        else if (t->state == RECORDING)
            hear_recording(t, s, from, left);
        else
            t->heard_to += left;
    }
}

void trigger_prepare(trigger *t, int64_t first_frame) {
    t->state = ARMED;
    t->first_frame = t->heard_to = t->recorded_to = first_frame;
    t->asked = -1;
    t->end_frame = INT64_MAX;
    t->is_at_once = 0;
    t->greatest = 0;
    t->files = 0;
    if (!t->rules.is_armed)
        begin_file(t, first_frame);
}

/* ---- for a writer ---- */

void trigger_hear(trigger *t, const struct sound *s, int64_t frame, int64_t frames) {
    spin_lock(&t->lock);
    hear(t, s, frame, frames);
    spin_unlock(&t->lock);
}

int64_t trigger_choose(trigger *t, int64_t *files, int64_t place, int is_all, int *are_kept) {
    spin_lock(&t->lock);
    *files = most(*files, t->files - FILES);
    while (*files < t->files && span_of(t, *files)->end <= place)
        ++*files;
    const int is_last = *files == t->files;
    const struct span next = is_last ? (struct span){INT64_MAX, INT64_MAX} : *span_of(t, *files);
    const int may_begin = is_last && t->state == ARMED && !is_all;
    const int64_t heard_to = t->heard_to;
    const int64_t kept_from = most(t->recorded_to, heard_to - t->rules.preroll_frames);
    spin_unlock(&t->lock);
    *are_kept = place >= next.begin;
    if (*are_kept)
        return least(next.end, heard_to) - place;
    return most(0, least(next.begin, may_begin ? kept_from : heard_to) - place);
}

int64_t trigger_forget(trigger *t, int64_t place, int64_t frame) {
    spin_lock(&t->lock);
    const int is_armed = t->state == ARMED && t->recorded_to <= place;
    const int64_t forgotten = is_armed ? least(frame, t->heard_to) : place;
    if (is_armed)
        t->recorded_to = forgotten;
    spin_unlock(&t->lock);
    return forgotten;
}
