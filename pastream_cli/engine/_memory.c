/* Memory in place of a sound file, for the loops of reader and writer. It holds frames one after
 * another, in the type that the caller has them in. */
#include <stdlib.h>
#include <string.h>

#include "_engine.h"

struct memory_file {
    unsigned char *data; /* the owner's */
    int64_t frames;
    int64_t frame_bytes;
    int64_t position; /* in frames; belongs to the loop while one runs */
};

memory_file *memory_file_new(void *data, int64_t frames, int64_t frame_bytes) {
    memory_file *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->data = data;
    m->frames = frames;
    m->frame_bytes = frame_bytes;
    return m;
}

void memory_file_free(memory_file *m) {
    free(m);
}

/* Returns where the next frames are, and limits `frames` to those that are left. */
static unsigned char *next_frames(memory_file *m, int64_t *frames) {
    unsigned char *place = m->data + m->position * m->frame_bytes;
    if (*frames > m->frames - m->position)
        *frames = m->frames - m->position;
    m->position += *frames;
    return place;
}

static int64_t read_frames(void *file, void *samples, int64_t frames) {
    memory_file *m = file;
    const unsigned char *place = next_frames(m, &frames);
    memcpy(samples, place, (size_t)(frames * m->frame_bytes));
    return frames;
}

static int64_t write_frames(void *file, const void *samples, int64_t frames) {
    memory_file *m = file;
    unsigned char *place = next_frames(m, &frames);
    memcpy(place, samples, (size_t)(frames * m->frame_bytes));
    return frames;
}

static int64_t read_int(void *file, int *samples, int64_t frames) {
    return read_frames(file, samples, frames);
}

static int64_t read_float(void *file, float *samples, int64_t frames) {
    return read_frames(file, samples, frames);
}

static int64_t read_short(void *file, short *samples, int64_t frames) {
    return read_frames(file, samples, frames);
}

static int64_t write_int(void *file, const int *samples, int64_t frames) {
    return write_frames(file, samples, frames);
}

static int64_t write_float(void *file, const float *samples, int64_t frames) {
    return write_frames(file, samples, frames);
}

static int64_t write_short(void *file, const short *samples, int64_t frames) {
    return write_frames(file, samples, frames);
}

static int64_t seek(void *file, int64_t frames, int whence) {
    (void)whence; /* the loops only ever seek from the start */
    memory_file *m = file;
    m->position = frames;
    return frames;
}

static int command(void *file, int number, void *data, int size) {
    (void)file;
    (void)number;
    (void)data;
    (void)size;
    return 0;
}

static int error(void *file) {
    (void)file;
    return 0;
}

const struct sndfile_functions *memory_file_functions(void) {
    static const struct sndfile_functions functions = {
        .read_int = read_int,
        .read_float = read_float,
        .read_short = read_short,
        .write_int = write_int,
        .write_float = write_float,
        .write_short = write_short,
        .seek = seek,
        .command = command,
        .error = error,
    };
    return &functions;
}
