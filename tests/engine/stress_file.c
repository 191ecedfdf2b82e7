#include "stress_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stress_signal.h"

enum { SLOW_NS = 400000 };

int random_file_sample(struct random *r) {
    static const int types[] = {FILE_FLOAT32, FILE_INT32, FILE_INT16};
    return types[random_from(r, 0, 2)];
}

int random_file_bits(struct random *r, int file_sample) {
    if (file_sample == FILE_INT32)
        return 8 * (int)random_from(r, 1, 4);
    return file_sample == FILE_INT16 ? 16 : 0;
}

struct fake_file *fake_file_new(int file_sample, int channels, struct random random) {
    struct fake_file *f = allocate(1, sizeof *f);
    f->file_sample = file_sample;
    f->channels = channels;
    f->fails_at = -1;
    f->random = random;
    return f;
}

void fake_file_free(struct fake_file *f) {
    if (f)
        free(f->samples);
    free(f);
}

static void dawdle(struct fake_file *f) {
    if (!f->slow_one_in || !one_in(&f->random, f->slow_one_in))
        return;
    const struct timespec length = {.tv_nsec = random_from(&f->random, 1, SLOW_NS)};
    (void)nanosleep(&length, NULL);
}

/* Returns how many of `frames` from `position` on there are before the fault, if it has one. */
static int64_t frames_before_fault(struct fake_file *f, int64_t position, int64_t frames) {
    if (f->fails_at < 0 || position + frames <= f->fails_at)
        return frames;
    f->error = FAKE_ERROR;
    return f->fails_at - position;
}

static int64_t read_samples(struct fake_file *f, void *samples, int64_t frames, int file_sample) {
    expect_equal("type of samples that are read", file_sample, f->file_sample);
    dawdle(f);
    const int64_t there_are = least_of(frames, f->frames - f->position);
    const int64_t got = frames_before_fault(f, f->position, there_are);
    for (int64_t i = 0; i < got; ++i)
        for (int channel = 0; channel < f->channels; ++channel)
            put_sample(samples, file_sample, i * f->channels + channel,
                       counting_sample(f->position + i, channel, f->bits));
    f->position += got;
    return got;
}

static int64_t read_short(void *file, short *samples, int64_t frames) {
    return read_samples(file, samples, frames, FILE_INT16);
}

static int64_t read_int(void *file, int *samples, int64_t frames) {
    return read_samples(file, samples, frames, FILE_INT32);
}

static int64_t read_float(void *file, float *samples, int64_t frames) {
    return read_samples(file, samples, frames, FILE_FLOAT32);
}

static void make_room(struct fake_file *f, int64_t samples) {
    if (samples <= f->samples_fit)
        return;
    f->samples_fit = most_of(samples, 2 * f->samples_fit);
    f->samples = realloc(f->samples, (size_t)(f->samples_fit * bytes_per_sample(f->file_sample)));
    if (!f->samples)
        violation("out of memory");
}

static int64_t write_samples(struct fake_file *f, const void *samples, int64_t frames,
                             int file_sample) {
    expect_equal("type of samples that are written", file_sample, f->file_sample);
    dawdle(f);
    const int64_t before_fault = frames_before_fault(f, f->frames, frames);
    const int64_t taken = f->takes_all ? frames : before_fault;
    make_room(f, (f->frames + taken) * f->channels);
    const int64_t frame_bytes = f->channels * bytes_per_sample(f->file_sample);
    if (taken)
        memcpy((char *)f->samples + f->frames * frame_bytes, samples,
               (size_t)(taken * frame_bytes));
    f->frames += taken;
    errno = f->error && !f->takes_all ? ENOSPC : 0;
    return taken;
}

static int64_t write_short(void *file, const short *samples, int64_t frames) {
    return write_samples(file, samples, frames, FILE_INT16);
}

static int64_t write_int(void *file, const int *samples, int64_t frames) {
    return write_samples(file, samples, frames, FILE_INT32);
}

static int64_t write_float(void *file, const float *samples, int64_t frames) {
    return write_samples(file, samples, frames, FILE_FLOAT32);
}

static int64_t seek(void *file, int64_t frame, int whence) {
    struct fake_file *f = file;
    expect_equal("place to seek from", whence, 0);
    f->position = frame;
    return frame;
}

static int command(void *file, int number, void *data, int size) {
    (void)number;
    (void)data;
    (void)size;
    ++((struct fake_file *)file)->header_updates;
    return 1;
}

static int error_of(void *file) {
    return ((struct fake_file *)file)->error;
}

const struct sndfile_functions fake_functions = {
    .read_short = read_short,
    .read_int = read_int,
    .read_float = read_float,
    .write_short = write_short,
    .write_int = write_int,
    .write_float = write_float,
    .seek = seek,
    .command = command,
    .error = error_of,
};
