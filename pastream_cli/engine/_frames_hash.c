/* Hashes the frames that are written to a file, and reads them back for the same hash. */
#include "_frames_hash.h"

#include <sys/resource.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>
#endif

#include "_loops.h"

enum { READ_SAMPLES = 65536 };

/* An odd constant of many bits, the golden ratio's. */
static const uint64_t FACTOR = 0x9E3779B97F4A7C15u;

/* Each step is one-to-one in the lane for a given sample, and in the sample for a given lane. So
 * samples that differ in a single place never have the same hash. */
static uint64_t step(uint64_t lane, uint64_t sample) {
    const uint64_t product = (lane ^ sample) * FACTOR;
    return product << 29 | product >> 35;
}

/* Four lanes in turn, because each multiplication waits for the one before it in its lane. */
#define ADD_ALL(type)                                                                              \
    for (int64_t i = 0; i < count; ++i, ++at)                                                      \
    hash->lanes[at % HASH_LANES] = step(hash->lanes[at % HASH_LANES], ((const type *)samples)[i])

void add_to_hash(frames_hash *hash, const void *samples, int file_sample, int64_t count) {
    uint64_t at = hash->samples;
    if (file_sample == FILE_INT16) {
        ADD_ALL(uint16_t);
    } else { /* of floats, the bits */
        ADD_ALL(uint32_t);
    }
    hash->samples = at;
}

frames_hash *frames_hash_new(void) {
    return calloc(1, sizeof(frames_hash));
}

void frames_hash_free(frames_hash *hash) {
    free(hash);
}

static int64_t read_frames(const struct sndfile_functions *functions, void *file, int file_sample,
                           void *samples, int64_t frames) {
    switch (file_sample) {
    case FILE_FLOAT32:
        return functions->read_float(file, samples, frames);
    case FILE_INT16:
        return functions->read_short(file, samples, frames);
    default:
        return functions->read_int(file, samples, frames);
    }
}

int64_t read_back(const struct sndfile_functions *functions, void *file, int file_sample,
                  int channels, int64_t frames, frames_hash *hash) {
    const int64_t at_once = scratch_frames_for(READ_SAMPLES, channels);
    void *samples = scratch_for(at_once, channels);
    int64_t done = 0;
    while (samples && done < frames) {
        const int64_t some =
            read_frames(functions, file, file_sample, samples, least(at_once, frames - done));
        if (some <= 0)
            break;
        add_to_hash(hash, samples, file_sample, some * channels);
        done += some;
    }
    free(samples);
    return done;
}

/* What the thread does then waits for all others, for the processor as for the disk. */
void be_in_the_background(void) {
#if defined(__linux__)
    enum { WHO_PROCESS = 1, IDLE_CLASS = 3, CLASS_SHIFT = 13, LEAST_NICE = 19 };
    setpriority(PRIO_PROCESS, 0, LEAST_NICE); /* on Linux, of the calling thread alone */
    syscall(SYS_ioprio_set, WHO_PROCESS, 0, IDLE_CLASS << CLASS_SHIFT);
#elif defined(__APPLE__)
    setpriority(PRIO_DARWIN_THREAD, 0, PRIO_DARWIN_BG);
#endif
}
