/* The reader's loop: takes frames from a sound file and puts them into the playback ring. */
#include "_convert.h"
#include "_gather.h"
#include "_loops.h"
#include "_state.h"

enum { SNDFILE_SEEK_START = 0 }; /* sndfile.h */

/* Samples per read: so few that they and their converted copies stay in the first-level cache. */
enum { SCRATCH_SAMPLES = 4096 };

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
    return copy_map(&e->reader.map, map, e->playback.channels, file_channels) ? LOOP_OK
                                                                              : LOOP_OUT_OF_MEMORY;
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

/* Called when the file had fewer frames than were asked for. Rewinds a file that is looped. Returns
 * false at the end and on an error. */
static int rewind_or_end(engine *e, int64_t frames_this_time) {
    const int error = e->reader.functions->error(e->reader.file);
    if (error) {
        atomic_store_explicit(&e->reader.file_error, error, memory_order_relaxed);
        return 0;
    }
    if (!e->reader.loop || frames_this_time == 0)
        return 0;
    if (e->reader.functions->seek(e->reader.file, 0, SNDFILE_SEEK_START) == 0)
        return 1;
    const int seek_error = e->reader.functions->error(e->reader.file);
    atomic_store_explicit(&e->reader.file_error, seek_error ? seek_error : 1, memory_order_relaxed);
    return 0;
}

/* Reads `wanted` frames into the ring, and adds them to `frames_read`. Returns false if the file
 * had fewer. */
static int fill_ring(engine *e, int64_t wanted, struct reader_scratch *scratch,
                     int64_t *frames_read) {
    ring *r = e->playback.frames;
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

static void read_until_the_end(engine *e, struct reader_scratch *scratch) {
    const ring *r = e->playback.frames;
    int64_t frames_this_time = 0;
    while (!atomic_load_explicit(&e->reader_stop, memory_order_relaxed)) {
        /* waits for room for a chunk, or a quarter of the ring, so that it wakes up seldom */
        const int64_t room = (int64_t)ring_room(r);
        if (room < least(e->reader.chunk_frames, (int64_t)r->capacity / 4)) {
            nap(e->reader.nap_ns);
            continue;
        }
        const int64_t wanted = least(room, e->reader.chunk_frames);
        if (fill_ring(e, wanted, scratch, &frames_this_time))
            continue;
        if (!rewind_or_end(e, frames_this_time))
            return;
        frames_this_time = 0;
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
    /* release: whoever sees that the input is at its end must see all of its frames in the ring */
    atomic_store_explicit(&e->reader.finished, 1, memory_order_release);
}

int reader_is_finished(const engine *e) {
    return atomic_load_explicit(&e->reader.finished, memory_order_acquire);
}

int reader_file_error(const engine *e) {
    return atomic_load_explicit(&e->reader.file_error, memory_order_relaxed);
}

int64_t reader_frames(const engine *e) {
    return atomic_load_explicit(&e->reader.frames, memory_order_relaxed);
}
