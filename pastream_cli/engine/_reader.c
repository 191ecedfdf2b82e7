/* The reader's loop: takes frames from a sound file and puts them into the playback ring. */
#include "_convert.h"
#include "_gather.h"
#include "_loops.h"
#include "_state.h"

enum { SNDFILE_SEEK_START = 0 }; /* sndfile.h */

/* Samples per read: so few that they and their converted copies stay in the first-level cache. */
enum { SCRATCH_SAMPLES = 4096 };

static const int64_t REFILL_NAP_NS = 1000000;

int reader_configure(engine *e, const struct sndfile_functions *functions, void *file,
                     int file_sample, int file_channels, const int32_t *map, int loop,
                     int64_t chunk_frames, int64_t nap_ns) {
    e->reader.functions = functions;
    e->reader.file = file;
    e->reader.file_sample = file_sample;
    e->reader.file_channels = file_channels;
    e->reader.loop = loop;
    e->reader.chunk_frames = chunk_frames;
    e->reader.nap_ns = nap_ns;
    atomic_store(&e->reader.frames, 0);
    atomic_store(&e->reader.file_error, 0);
    reader_begin_at(e, 0, 0, 0);
    return copy_map(&e->reader.map, map, e->playback.channels, file_channels) ? LOOP_OK
                                                                              : LOOP_OUT_OF_MEMORY;
}

void reader_begin_at(engine *e, int64_t start_frame, int64_t end_frame, int can_seek) {
    e->reader.start_frame = start_frame;
    e->reader.can_seek = can_seek;
    e->reader.waits_at_end = 0;
    e->reader.seek_by = 0;
    atomic_store(&e->reader.end_frame, end_frame);
}

void reader_expect_seeks(engine *e, int64_t refill_frames) {
    e->reader.waits_at_end = e->reader.can_seek;
    e->reader.refill_frames = refill_frames;
}

static int64_t read_file(engine *e, void *samples, int64_t frames) {
    const struct sndfile_functions *functions = e->reader.functions;
    switch (e->reader.file_sample) {
    case FILE_FLOAT32:
        return functions->read_float(e->reader.file, samples, frames);
    case FILE_INT16:
        return functions->read_short(e->reader.file, samples, frames);
    default:
        return functions->read_int(e->reader.file, samples, frames);
    }
}

struct reader_scratch {
    int64_t frames;
    void *from_file; /* the file's channels and sample format */
    void *gathered;  /* the device's channels, the file's sample format */
};

/* Reads up to `frames` frames into `target`, in the device's channels and sample format. */
static int64_t read_frames(engine *e, unsigned char *target, int64_t frames,
                           struct reader_scratch *scratch) {
    const struct side *side = &e->playback;
    const int32_t *map = e->reader.map;
    const int channels = e->reader.file_channels;
    const int format = side->sample_format;
    const int file_format = e->reader.file_sample == FILE_DEVICE ? format : e->reader.file_sample;
    const int is_same = file_format == format;
    if (is_same && !map)
        return most(0, read_file(e, target, frames));
    const int64_t got = most(0, read_file(e, scratch->from_file, frames));
    const void *samples = scratch->from_file;
    if (map) {
        void *to = is_same ? target : scratch->gathered;
        gather(to, side->channels, samples, channels, file_format, map, got);
        samples = to;
    }
    if (!is_same)
        convert(target, format, ALL_BITS, samples, file_format, got * side->channels);
    return got;
}

static int is_stopped(const engine *e) {
    return atomic_load_explicit(&e->reader_stop, memory_order_relaxed);
}

static int fail(engine *e, int error) {
    atomic_store_explicit(&e->reader.file_error, error, memory_order_relaxed);
    return 0;
}

/* Reads frames that are not to be played. Returns how many; fewer at the end of the file, or on a
 * stop. */
static int64_t drop_frames(engine *e, int64_t frames, struct reader_scratch *scratch) {
    int64_t dropped = 0;
    while (dropped < frames && !is_stopped(e)) {
        const int64_t asked = least(frames - dropped, scratch->frames);
        const int64_t got = most(0, read_file(e, scratch->from_file, asked));
        dropped += got;
        if (got < asked)
            break;
    }
    return dropped;
}

/* Has the next read begin at this frame of the file. Returns where it begins: earlier where the
 * file ends before, -1 where it cannot be sought. */
static int64_t go_to(engine *e, int64_t frame, struct reader_scratch *scratch) {
    const int64_t begin = most(0, frame - PREROLL_FRAMES);
    if (e->reader.functions->seek(e->reader.file, begin, SNDFILE_SEEK_START) != begin)
        return -1;
    return begin + drop_frames(e, frame - begin, scratch);
}

static int fail_by_seeking(engine *e) {
    const int error = e->reader.functions->error(e->reader.file);
    return fail(e, error ? error : 1);
}

/* Brings a file that was just opened to where the first pass begins. Returns false on an error and
 * on a stop. */
static int go_to_start(engine *e, struct reader_scratch *scratch) {
    const int64_t frame = e->reader.start_frame;
    const int64_t reached = frame == 0           ? 0
                            : e->reader.can_seek ? go_to(e, frame, scratch)
                                                 : drop_frames(e, frame, scratch);
    if (reached == frame || is_stopped(e))
        return reached == frame;
    const int error = e->reader.functions->error(e->reader.file);
    return fail(e, error ? error : INPUT_ENDS_BEFORE_START);
}

/* Called when the file had fewer frames than were asked for. Rewinds a file that is looped. Returns
 * false at the end and on an error. */
static int rewind_or_end(engine *e, int64_t pass_frames, struct reader_scratch *scratch) {
    const int error = e->reader.functions->error(e->reader.file);
    if (error)
        return fail(e, error);
    if (pass_frames == 0 && e->reader.start_frame)
        return fail(e, INPUT_ENDS_BEFORE_START);
    atomic_store_explicit(&e->reader.end_frame, e->reader.start_frame + pass_frames,
                          memory_order_relaxed);
    if (!e->reader.loop || pass_frames == 0)
        return 0;
    if (go_to(e, e->reader.start_frame, scratch) == e->reader.start_frame || is_stopped(e))
        return 1;
    return fail_by_seeking(e);
}

/* Reads `wanted` frames into the ring, and adds them to `frames_read`. Returns false if the file
 * had fewer. */
static int fill_ring(engine *e, int64_t wanted, struct reader_scratch *scratch,
                     int64_t *frames_read) {
    ring *r = side_ring(&e->playback);
    while (wanted > 0) {
        const uint64_t index = atomic_load_explicit(&r->written, memory_order_relaxed);
        const struct ring_span span =
            ring_span_at(r, index, (uint64_t)least(wanted, scratch->frames));
        const int64_t asked = (int64_t)span.first_elements;
        const int64_t got = read_frames(e, span.first, asked, scratch);
        ring_publish(r, (uint64_t)got);
        *frames_read += got;
        atomic_store_explicit(&e->reader.frames, reader_frames(e) + got, memory_order_relaxed);
        if (got < asked)
            return 0;
        wanted -= got;
    }
    return 1;
}

static int is_asked(const engine *e) {
    return atomic_load_explicit(&e->seeks_asked, memory_order_relaxed) !=
           atomic_load_explicit(&e->reader.seeks, memory_order_relaxed);
}

/* Returns the frame of the file that is so many frames after the last seek, in whatever pass. */
static int64_t frame_after_seek(const engine *e, int64_t frames) {
    const int64_t frame =
        atomic_load_explicit(&e->reader.seek_frame, memory_order_relaxed) + most(0, frames);
    const int64_t start = e->reader.start_frame;
    const int64_t end = atomic_load_explicit(&e->reader.end_frame, memory_order_relaxed);
    return e->reader.loop && end > start ? start + (frame - start) % (end - start) : frame;
}

/* Has the callback empty the ring. Returns the frame of the file that is the first not to be
 * played, -1 on a stop. */
static int64_t empty_ring(engine *e, int32_t asked) {
    /* release: what is in the ring by now is what the callback is to drop */
    atomic_store_explicit(&e->reader.drops, asked, memory_order_release);
    /* acquire: with the number comes from where on frames were dropped, and their room */
    while (atomic_load_explicit(&e->seeks_dropped, memory_order_acquire) != asked) {
        if (is_stopped(e))
            return -1;
        nap(least(e->reader.nap_ns, REFILL_NAP_NS));
    }
    const uint64_t read = atomic_load_explicit(&e->drop_from, memory_order_relaxed);
    const uint64_t index = atomic_load_explicit(&e->reader.seek_index, memory_order_relaxed);
    return frame_after_seek(e, (int64_t)(read - index));
}

/* Returns where a seek by so many frames leads. */
static int64_t target_of(const engine *e, int64_t frame, int64_t frames) {
    const int64_t end = atomic_load_explicit(&e->reader.end_frame, memory_order_relaxed);
    const int64_t target = most(e->reader.start_frame, frame + frames);
    return end ? least(target, end) : target;
}

/* Has the next read begin at this frame, or at the end, where that comes before. As long as the end
 * is not known, what was never read is read up to there: libsndfile cannot seek beyond an end, and
 * its decoder for FLAC can do nothing more after it has tried. */
static int64_t go_on_or_back_to(engine *e, int64_t frame, int64_t reached,
                                struct reader_scratch *scratch) {
    if (frame <= reached || atomic_load_explicit(&e->reader.end_frame, memory_order_relaxed))
        return go_to(e, frame, scratch);
    return reached + drop_frames(e, frame - reached, scratch);
}

/* Obeys reader_seek, if it was called since the last time. Returns whether it was. */
static int seek_if_asked(engine *e, struct reader_scratch *scratch, int64_t *pass_frames) {
    if (!is_asked(e))
        return 0;
    /* acquire: by how much was written before the number */
    const int32_t asked = atomic_load_explicit(&e->seeks_asked, memory_order_acquire);
    const int64_t seek_by = atomic_load_explicit(&e->seek_by, memory_order_relaxed);
    const int64_t from = empty_ring(e, asked);
    if (from < 0)
        return 1;
    const int64_t target = target_of(e, from, seek_by - e->reader.seek_by);
    int64_t frame = go_on_or_back_to(e, target, e->reader.start_frame + *pass_frames, scratch);
    if (frame < 0) {
        fail_by_seeking(e);
        frame = from;
    }
    e->reader.seek_by = seek_by;
    *pass_frames = most(0, frame - e->reader.start_frame);
    const int64_t skipped = atomic_load_explicit(&e->reader.skipped, memory_order_relaxed);
    atomic_store_explicit(&e->reader.skipped, skipped + frame - from, memory_order_relaxed);
    atomic_store_explicit(&e->reader.seek_frame, frame, memory_order_relaxed);
    atomic_store_explicit(&e->reader.seek_index, ring_write_index(side_ring(&e->playback)),
                          memory_order_relaxed);
    /* release: whoever sees the number must see where the seek has led */
    atomic_store_explicit(&e->reader.seeks, asked, memory_order_release);
    return 1;
}

/* Called at the end of the file. Returns true when there is a seek to obey, false when all is over.
 */
static int waits_for_seek(engine *e) {
    if (!e->reader.waits_at_end || reader_file_error(e))
        return 0;
    reader_finish(e);
    while (!is_stopped(e)) {
        if (is_asked(e))
            return 1;
        nap(e->reader.nap_ns);
    }
    return 0;
}

/* Returns the room in the ring, if it is enough for a chunk or, in a small ring, for a quarter of
 * it. Otherwise naps, so that the reader wakes seldom, and returns 0. */
static int64_t wait_for_room(engine *e, int is_refilling) {
    const ring *r = side_ring(&e->playback);
    const int64_t room = (int64_t)ring_room(r);
    if (room >= least(e->reader.chunk_frames, (int64_t)r->capacity / 4))
        return room;
    nap(is_refilling ? least(e->reader.nap_ns, REFILL_NAP_NS) : e->reader.nap_ns);
    return 0;
}

static void read_until_the_end(engine *e, struct reader_scratch *scratch) {
    int64_t pass_frames = 0;
    int is_refilling = 0;
    atomic_store_explicit(&e->reader.seek_index, ring_write_index(side_ring(&e->playback)),
                          memory_order_relaxed);
    atomic_store_explicit(&e->reader.seek_frame, e->reader.start_frame, memory_order_relaxed);
    if (!go_to_start(e, scratch))
        return;
    while (!is_stopped(e)) {
        if (seek_if_asked(e, scratch, &pass_frames))
            is_refilling = 1;
        if (reader_file_error(e))
            return;
        const int64_t room = wait_for_room(e, is_refilling);
        if (room == 0)
            continue;
        is_refilling = 0;
        if (fill_ring(e, least(room, e->reader.chunk_frames), scratch, &pass_frames))
            continue;
        if (rewind_or_end(e, pass_frames, scratch))
            pass_frames = 0;
        else if (!waits_for_seek(e))
            return;
    }
}

int reader_run(engine *e) {
    const int channels = (int)most(e->reader.file_channels, e->playback.channels);
    const int64_t frames = scratch_frames_for(SCRATCH_SAMPLES, channels);
    struct reader_scratch scratch = {
        .frames = frames,
        .from_file = scratch_for(frames, channels),
        .gathered = scratch_for(frames, channels),
    };
    const int ready = scratch.from_file && scratch.gathered;
    if (ready)
        read_until_the_end(e, &scratch);
    else
        atomic_store(&e->reader.file_error, INPUT_OUT_OF_MEMORY);
    free(scratch.from_file);
    free(scratch.gathered);
    reader_finish(e);
    if (!ready)
        return LOOP_OUT_OF_MEMORY;
    return reader_file_error(e) ? LOOP_FILE_ERROR : LOOP_OK;
}

void reader_stop(engine *e) {
    atomic_store_explicit(&e->reader_stop, 1, memory_order_relaxed);
}

void reader_finish(engine *e) {
    const int32_t seeks = atomic_load_explicit(&e->reader.seeks, memory_order_relaxed);
    /* release: whoever sees that the input is at its end must see all of its frames in the ring */
    atomic_store_explicit(&e->reader.finished, seeks + 1, memory_order_release);
}

int reader_is_finished(const engine *e) {
    /* acquire both: the frames of an input that is at its end are in the ring, and a seek that was
     * done before that end is known */
    const int32_t finished = atomic_load_explicit(&e->reader.finished, memory_order_acquire);
    return finished == atomic_load_explicit(&e->reader.seeks, memory_order_acquire) + 1;
}

void reader_seek(engine *e, int64_t frames) {
    const int64_t seek_by = atomic_load_explicit(&e->seek_by, memory_order_relaxed);
    const int32_t asked = atomic_load_explicit(&e->seeks_asked, memory_order_relaxed);
    atomic_store_explicit(&e->seek_by, seek_by + frames, memory_order_relaxed);
    /* release: the reader must see by how much it is to seek. The owner alone writes both. */
    atomic_store_explicit(&e->seeks_asked, asked + 1, memory_order_release);
}

int reader_is_seeking(const engine *e) {
    /* acquire: where the last seek has led comes before its number */
    return atomic_load_explicit(&e->seeks_taken, memory_order_acquire) !=
           atomic_load_explicit(&e->seeks_asked, memory_order_relaxed);
}

int64_t reader_skipped(const engine *e) {
    return atomic_load_explicit(&e->reader.skipped, memory_order_relaxed);
}

int64_t reader_heard_frame(const engine *e, int64_t latency_frames) {
    const uint64_t index = atomic_load_explicit(&e->reader.seek_index, memory_order_relaxed);
    const uint64_t read = ring_read_index(side_ring(&e->playback));
    return frame_after_seek(e, (int64_t)(read - index) - latency_frames);
}

int reader_file_error(const engine *e) {
    return atomic_load_explicit(&e->reader.file_error, memory_order_relaxed);
}

int64_t reader_frames(const engine *e) {
    return atomic_load_explicit(&e->reader.frames, memory_order_relaxed);
}
