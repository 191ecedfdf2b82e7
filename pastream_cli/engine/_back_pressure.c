/* Back-pressure: how long a device that runs as fast as files allow waits for whoever fills or
 * empties its rings. */
#include "_back_pressure.h"

#include "_loops.h"
#include "_state.h"

/* More losses than one block can have. */
enum { MOST_LOSSES_TOLD_AT_ONCE = 16 };

static const int64_t OWNER_PATIENCE_NS = 2000000000;

void back_pressure_begin(struct back_pressure *p) {
    back_pressure_wait_at_most(p, -1, -1);
    p->owner.patience_ns = OWNER_PATIENCE_NS;
}

void back_pressure_wait_at_most(struct back_pressure *p, int64_t source_ns, int64_t sink_ns) {
    p->source.patience_ns = source_ns;
    for (int i = 0; i < MOST_COPIES; ++i)
        p->sinks[i].patience_ns = sink_ns;
}

/* Returns whether a server has made no progress for longer than the device waits for it. */
static int is_given_up(struct server *server, uint64_t index) {
    if (server->patience_ns < 0)
        return 0;
    const int64_t now = engine_monotonic_ns();
    if (server->since_ns == 0 || server->index != index) {
        server->index = index;
        server->since_ns = now;
    }
    return now - server->since_ns > server->patience_ns;
}

/* Goes on without the server for one block. The wait for the next block starts again, so that
 * whoever watches the run has the time to end it. */
static int go_once_without(struct server *server) {
    server->since_ns = 0;
    return 1;
}

static int may_play(struct back_pressure *p, const engine *e, int64_t position,
                    int64_t block_frames) {
    if (!has_ring(&e->playback) || atomic_load_explicit(&e->input_ended, memory_order_relaxed) ||
        reader_is_finished(e))
        return 1;
    const ring *played = side_ring(&e->playback);
    const uint64_t wanted = (uint64_t)most(0, least(block_frames, e->limit - position));
    if (ring_available(played) >= ring_min(wanted, played->capacity))
        return 1;
    /* A source that has delivered nothing yet is still starting. A run without a limit waits for it
     * for ever; one with a limit goes on in silence to its end. */
    if (!e->has_played && e->limit == INT64_MAX)
        return 0;
    return is_given_up(&p->source, ring_write_index(played)) &&
           (!e->has_played || go_once_without(&p->source));
}

static int may_store(const copy *c, int64_t frames) {
    const ring *r = copy_ring(c);
    return ring_room(r) >= ring_min((uint64_t)frames, r->capacity) &&
           (!c->fills_gaps || ring_room(&c->gaps) > 0);
}

/* Waits for the copies. One of several that makes no progress is not waited for again until it
 * does: it must not hold up the others. */
static int may_capture(struct back_pressure *p, const engine *e, int64_t position,
                       int64_t block_frames) {
    if (!has_ring(&e->capture))
        return 1;
    const int64_t taken = most(0, least(block_frames, e->total - position));
    const int64_t skipped = most(0, least(taken, e->offset - position));
    const int is_alone = !next_copy(&e->first);
    for (const copy *c = &e->first; c; c = next_copy(c)) {
        struct server *sink = &p->sinks[c->number];
        if (may_store(c, taken - skipped))
            continue;
        if (!is_given_up(sink, ring_read_index(copy_ring(c))))
            return 0;
        if (is_alone)
            go_once_without(sink);
    }
    return 1;
}

/* Waits for an owner that reads the list of losses. One that does not read it still has the
 * counters. */
static int may_tell(struct back_pressure *p, const engine *e) {
    return ring_room(&e->events) >= MOST_LOSSES_TOLD_AT_ONCE ||
           is_given_up(&p->owner, ring_read_index(&e->events));
}

int may_go_on(struct back_pressure *p, attachment *a, int64_t block_frames) {
    const engine *e = attachment_enter(a);
    const int64_t position = e ? atomic_load_explicit(&e->position, memory_order_relaxed) : 0;
    const int may = !e || (may_capture(p, e, position, block_frames) &&
                           may_play(p, e, position, block_frames) && may_tell(p, e));
    attachment_leave(a);
    return may;
}
