/* The private struct behind `engine`, its fields grouped by the thread that writes them.
 *
 * What one thread writes and another reads is _Atomic. Everything else belongs to one thread, or
 * is written by the owner before the others start.
 *
 * The device, with its callback, may be in another process than everything else. So what the
 * callback uses has no pointers, but distances. Pointers of the owner's are of use to its process
 * alone, and so is `attachment` to the device's.
 */
#ifndef PASTREAM_STATE_H
#define PASTREAM_STATE_H

#include <stdatomic.h>
#include <stdint.h>

#include "_block.h"
#include "_engine.h"
#include "_levels.h"
#include "_ring.h"

enum { LOSS_RECORDS = 1024, DEBT_RECORDS = 256, HOST_DEBT_RECORDS = 64 };

struct side {
    int64_t ring; /* bytes from here to it; 0: frames are neither stored nor fed */
    int64_t map;  /* likewise, between ring and device, see engine_map_playback; 0: none */
    int32_t sample_format;
    int32_t channels; /* 0: the device has no such side */
    int32_t frame_bytes;
    int32_t ring_channels;
};

static inline int has_ring(const struct side *side) {
    return side->ring != 0;
}

/* Only for a side that has a ring. */
static inline ring *side_ring(const struct side *side) {
    return at_distance(side, side->ring);
}

/* Together they are longer than a device takes to arrive. */
enum { RECENT_DEBTS = 4 };

/* What the timeline owed the clock when a device arrived, so that the errors of several arrivals do
 * not add up. */
struct reference {
    int32_t is_known;     /* a device has arrived in this run */
    int32_t is_under_way; /* it has not been there for long enough */
    int64_t debt;         /* what it was to owe */
    int64_t found_debt;   /* what it did owe after that */
    int64_t found_ns;     /* when */
    uint32_t first;       /* recent_debt when it arrived */
};

/* What is known of a replacement device up to its place on the timeline, see _arrival.h. */
struct arrival {
    int32_t is_under_way;
    int64_t left_ns;            /* when the device before it called for the last time */
    int64_t usual_debt;         /* what that device owed */
    int64_t first_ns;           /* the first callback */
    int64_t begun_ns;           /* when it last stopped, or caught up by a block; 0: none yet */
    int64_t frames;             /* delivered so far */
    int64_t least_debt;         /* after any of its blocks */
    int64_t begun_debt;         /* after the block at that time */
    int64_t unpublished_frames; /* of these, in the ring, where the writer does not see them */
};

/* What is captured goes to one copy or several. Each has a ring of its own, so that one which is
 * slow costs the others nothing. */
struct copy {
    /* Owner, before the start. */
    int64_t next; /* bytes from here to the next copy; 0: this is the last one */
    int64_t ring; /* bytes from here to its ring; 0: frames are not stored */
    int32_t number;
    int32_t fills_gaps; /* a writer takes `gaps`; without one, it stays empty */
    uint64_t start;     /* index in the ring of the first frame of the run */
    engine *engine;     /* of use to the owner's process alone */

    /* Callback alone. */
    struct loss open_loss; /* not yet published; frames 0: none */
    int32_t misses_held;   /* it had no room for blocks of a device that arrives */

    /* Callback writes, everybody reads. */
#define COUNTER(type, name) _Atomic type name;
#include "_copy_counters.h"
#undef COUNTER

    /* Owner, while running. */
    int64_t last_gap_frames; /* silence after the last frame; set before capture_finished */
    _Atomic int32_t writer_sync;
    _Atomic int32_t writer_stop;
    _Atomic(output_file *) offered; /* taken by the writer */

    /* Writer. The owner writes its settings before the start; the rest is the writer's own. */
    struct {
        const struct sndfile_functions *functions;
        int32_t *map; /* NULL: identity */
        int32_t file_channels;
        int32_t outlives_failures;
        int64_t nap_ns;
        int wake[2];            /* a pipe; a byte in it wakes the writer; -1: there is none */
        int64_t claim;          /* the place up to which it may have begun to write, see cut_lock */
        _Atomic int64_t place;  /* see writer_place */
        _Atomic int64_t awaits; /* see writer_awaits */
        _Atomic int64_t dropped;     /* see writer_dropped */
        _Atomic int64_t lost_frames; /* for which it wrote silence */
        _Atomic int64_t losses;      /* places at which it did */
        _Atomic int64_t busy_ns;     /* see writer_busy_ns */
    } writer;

    struct ring gaps; /* struct loss, callback to writer: silence to be filled in */
    struct loss gap_records[LOSS_RECORDS];
};

/* Only for a copy that has a ring. */
static inline ring *copy_ring(const copy *c) {
    return at_distance(c, c->ring);
}

/* Returns NULL after the last one. */
static inline copy *next_copy(const copy *c) {
    return c->next ? at_distance(c, c->next) : NULL;
}

struct engine {
    struct block_header header;

    /* Owner, before the start. */
    struct side playback;
    struct side capture;
    _Atomic(attachment *) attachment; /* of its device, in the device's process; NULL: none */
    int64_t limit;          /* length of the input, or of all without one; INT64_MAX: none */
    int64_t pad;            /* frames after the input; -1: fill up to limit */
    int64_t offset;         /* frames dropped from the start of the recording */
    int64_t settle_frames;  /* frames without a flag until time zero */
    int64_t settle_at_most; /* frames after which time zero comes all the same */
    double frames_per_ns;   /* of the device, by the clock */
    int64_t lead_tolerance; /* frames that a device may be ahead of the clock; -1: any number */
    int64_t drain_frames;   /* see engine_drain_after; -1: nothing to drain */
    int64_t drain_at_most;
    int64_t slept_frames; /* see engine_slept */
    trigger *trigger;     /* of use to the owner's process alone; NULL: all is recorded */

    /* A loopback device moves the block that was played to the block that is captured. */
    void (*loop_back)(void *context, uint64_t frames);
    void *loop_back_context;

    /* Callback alone. */
    int64_t total;             /* length of the timeline; INT64_MAX while unknown */
    int32_t has_played;        /* whether a frame of the input was played */
    int64_t silent_frames;     /* played since the last frame of the input */
    int64_t held_frames;       /* the most that the host said it holds */
    int64_t largest_block;     /* frames */
    int64_t clean_frames;      /* settling: since the last flag */
    int64_t settling_frames;   /* settling: in all */
    struct loss open_underrun; /* frames 0: none */
    struct reference reference;
    struct arrival arrival;             /* of a device in the middle of a run */
    struct debt open_debt;              /* monotonic_ns 0: none */
    int64_t recent_debts[RECENT_DEBTS]; /* frames of those before, in a circle; INT64_MAX: none */
    uint32_t recent_debt;               /* where the next one goes */
    int32_t knows_usual;
    double usual_debt;         /* what the device owes when it is in time; follows its drift */
    int64_t least_debt;        /* a device that owes less is ahead of the clock */
    int32_t is_ahead;          /* the device is ahead, see open_lead */
    int64_t led_lately;        /* frames that came ahead since open_debt was opened */
    int32_t is_rushing;        /* over the last debt, it was more than twice as fast as the clock */
    struct loss open_lead;     /* frames that came ahead and were not told yet */
    int64_t frames_in_advance; /* how far the timeline is ahead of the clock */
    int64_t uncounted_frames;  /* left out of the timeline, less those that came ahead */
    int64_t waited_in_block;   /* frames of the present block before time zero */

    /* Callback writes, everybody reads. */
    _Atomic uint64_t drop_from;    /* index in the ring of the first frame that was dropped last */
    _Atomic int32_t seeks_dropped; /* how many of reader.drops were obeyed; comes after drop_from */
    _Atomic int32_t seeks_taken;   /* how many of reader.seeks have taken effect */
#define COUNTER(type, name) _Atomic type name;
#include "_counters.h"
#undef COUNTER
    _Atomic uint32_t levels_answered;
    /* frames after the last callback, as in struct debt; INT64_MIN: not known yet */
    _Atomic int64_t present_debt;

    /* The process of the device, if it is not the owner's. */
    _Atomic int32_t device_is_active;
    _Atomic double device_load; /* share of the time that callbacks take */

    /* Owner, while running. */
    _Atomic uint32_t levels_asked;
    _Atomic int32_t paused;
    _Atomic int32_t silenced;         /* what is played waits */
    _Atomic int64_t begin_at;         /* see engine_begin_at; 0: no wait */
    _Atomic int64_t end_at;           /* see engine_end_at; INT64_MAX: nowhere */
    _Atomic int32_t capture_finished; /* no frame will be stored any more */
    _Atomic int32_t reader_stop;
    _Atomic int32_t seeks_asked; /* comes after seek_by */
    _Atomic int64_t seek_by;     /* frames, of all seeks together */

    /* Owner and writers. Whoever finds 0 and sets 1 may use the writers' claims, and may take an
     * offered file. */
    _Atomic int32_t cut_lock;

    /* Reader. The owner writes its settings before the start; the rest is the reader's own. */
    struct {
        const struct sndfile_functions *functions;
        void *file;
        int32_t *map; /* NULL: identity */
        int32_t file_sample;
        int32_t file_channels;
        int32_t loop;
        int64_t chunk_frames;
        int64_t nap_ns;
        int64_t start_frame;   /* of the file, where each pass begins */
        int32_t can_seek;      /* the file can */
        int32_t waits_at_end;  /* for a seek, until it is stopped */
        int64_t refill_frames; /* what must be in the ring after a seek, if there is more */
        int64_t seek_by;       /* frames, of all seeks that were obeyed */
        _Atomic int64_t frames;
        _Atomic int32_t file_error;
        _Atomic int32_t drops;       /* seeks for which the ring is to be emptied */
        _Atomic int32_t seeks;       /* of these, seeks that are done; comes after the next three */
        _Atomic uint64_t seek_index; /* in the ring, of the first frame after the last seek */
        _Atomic int64_t seek_frame;  /* of the file: the same frame */
        _Atomic int64_t skipped;     /* by all seeks together; negative: repeated */
        _Atomic int64_t end_frame;   /* of the file; 0: it is not known */
        _Atomic int32_t finished;    /* 1 + the number of seeks before the end was reached; 0: no */
    } reader;

    /* What several threads use, each as it says itself. It is last because it is long. */
    struct copy first;
    struct ring events;     /* struct loss, callback to owner: what to tell */
    struct ring debts;      /* struct debt, callback to owner */
    struct ring host_debts; /* struct debt, host process to owner: less what the host holds */
    struct levels meter;    /* the callback's own */
    struct levels shown;    /* written by the callback only while asked, see levels_asked */
    struct loss event_records[LOSS_RECORDS];
    struct debt debt_records[DEBT_RECORDS];
    struct debt host_debt_records[HOST_DEBT_RECORDS];
    int32_t playback_map[MOST_DEVICE_CHANNELS];
    int32_t capture_map[MOST_DEVICE_CHANNELS];
};

/* In _cb.c: counts frames that the device never delivered. Call on the callback's thread, between
 * callbacks. */
void engine_device_lost(engine *e, int64_t frames);

/* In _clock.c, after the last callback: publishes a lead that is still open. */
void engine_end_lead(engine *e);

/* Sleeps at least this long; returns early on a signal. */
void nap(int64_t nanoseconds);

/* For the owner: wakes the writer, which has something to do. */
void writer_wake(const copy *c);

#endif
