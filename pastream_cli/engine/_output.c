/* One file of the recording: its counts, its failures, its header and what its disk says of it. */
#include "_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "_loops.h"

enum { SFC_UPDATE_HEADER_NOW = 0x1060 }; /* sndfile.h */

static const int64_t LOOK_EVERY_NS = 1000000000;
/* The pause between two syncs is as long as the last sync took, within these: a slow disk is given
 * half of the time for syncs at the most, and loses five seconds at the most. */
static const int64_t SHORTEST_PAUSE_NS = 1000000000;
static const int64_t LONGEST_PAUSE_NS = 4000000000;
/* A disk writes so many bytes whole or not at all. */
static const int64_t SECTOR_BYTES = 512;

/* ---- for the owner ---- */

output_file *output_file_new(void *file, int file_sample, int file_bits, int channels,
                             int keep_header, int descriptor, int folder, int64_t frame_limit) {
    output_file *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->file = file;
    f->file_sample = file_sample;
    f->file_bits = file_bits;
    f->channels = channels;
    f->keep_header = keep_header;
    f->descriptor = descriptor;
    f->folder = folder;
    f->begin_at = -1;
    atomic_store(&f->first_sync, SYNC_PENDING);
    atomic_store(&f->frame_limit, frame_limit < 0 ? INT64_MAX : frame_limit);
    atomic_store(&f->first_frame, -1);
    f->extremes = calloc((size_t)channels, sizeof *f->extremes);
    f->shown = calloc((size_t)channels, sizeof *f->shown);
    if (f->extremes && f->shown)
        return f;
    output_file_free(f);
    return NULL;
}

void output_file_free(output_file *f) {
    if (!f)
        return;
    free(f->extremes);
    free(f->shown);
    free(f);
}

void output_file_goes_on(output_file *f) {
    f->goes_on = 1;
}

void output_file_keep_hash(output_file *f) {
    f->keeps_hash = 1;
}

int output_file_has_hash(const output_file *f, const frames_hash *hash) {
    return memcmp(&f->hash, hash, sizeof *hash) == 0;
}

void output_file_read_counts(const output_file *f, struct output_counts *counts) {
    /* acquire, and first: a file that is done shows its final counts */
    counts->done = atomic_load_explicit(&f->done, memory_order_acquire);
    counts->readable_frames = f->keep_header != HEADER_LEFT
                                  ? atomic_load_explicit(&f->readable_frames, memory_order_relaxed)
                                  : atomic_load_explicit(&f->frames, memory_order_relaxed);
    counts->first_frame = atomic_load_explicit(&f->first_frame, memory_order_relaxed);
    counts->frames = atomic_load_explicit(&f->frames, memory_order_relaxed);
    counts->passed_frames = atomic_load_explicit(&f->passed_frames, memory_order_relaxed);
    counts->lost_frames = atomic_load_explicit(&f->lost_frames, memory_order_relaxed);
    counts->bytes = atomic_load_explicit(&f->bytes, memory_order_relaxed);
    counts->is_removed = atomic_load_explicit(&f->is_removed, memory_order_relaxed);
    counts->first_sync = atomic_load_explicit(&f->first_sync, memory_order_relaxed);
    counts->last_sync_error = atomic_load_explicit(&f->last_sync_error, memory_order_relaxed);
    /* acquire: with an error comes what the system said */
    counts->file_error = atomic_load_explicit(&f->file_error, memory_order_acquire);
    counts->system_error = counts->file_error ? f->system_error : 0;
}

double output_file_peak(const output_file *f, int channel) {
    return atomic_load_explicit(&f->shown[channel].peak, memory_order_relaxed);
}

int64_t output_file_clips(const output_file *f, int channel) {
    return atomic_load_explicit(&f->shown[channel].clips, memory_order_relaxed);
}

void output_file_limit(output_file *f, int64_t frames) {
    atomic_store_explicit(&f->frame_limit, frames < 0 ? INT64_MAX : frames, memory_order_relaxed);
}

void output_file_begin_at(output_file *f, int64_t frame) {
    f->begin_at = frame;
}

void output_file_give_up(output_file *f) {
    atomic_store(&f->file_error, FILE_NOT_MADE);
}

enum {
    WAV_HEADER_BYTES = 128, /* libsndfile's format chunk ends within these */
    RIFF_BYTES = 12,
    CHUNK_HEADER_BYTES = 8,
    PLAIN_TAG_AT =
        24, /* in the extensible format, where the name of the subformat begins with it */
};

/* What libsndfile leaves free for the lengths of an RF64, and a list with the name of the program,
 * which is as long. */
static const char room_for_lengths[] = "JUNK\x18\0\0";
static const char list[] = "LIST\x18\0\0\0INFOISFT\x0c\0\0\0pastream\0\0\0";

void wav_make_plain(int descriptor) {
    static const unsigned char extensible[] = {0xFE, 0xFF};
    unsigned char bytes[WAV_HEADER_BYTES];
    const int64_t count = pread(descriptor, bytes, sizeof bytes, 0);
    if (count < RIFF_BYTES || memcmp(bytes, "RIFF", 4) != 0)
        return;
    if (memcmp(bytes + RIFF_BYTES, room_for_lengths, sizeof room_for_lengths) == 0)
        memcpy(bytes + RIFF_BYTES, list, sizeof list);
    for (int64_t at = RIFF_BYTES; at + CHUNK_HEADER_BYTES + PLAIN_TAG_AT + 2 <= count;) {
        const unsigned char *chunk = bytes + at;
        unsigned char *tag = bytes + at + CHUNK_HEADER_BYTES;
        const int64_t size = chunk[4] | chunk[5] << 8 | chunk[6] << 16 | (int64_t)chunk[7] << 24;
        at += CHUNK_HEADER_BYTES + size + size % 2;
        if (memcmp(chunk, "fmt ", 4) != 0)
            continue;
        if (size < PLAIN_TAG_AT + 2 || memcmp(tag, extensible, sizeof extensible) != 0)
            return;
        memcpy(tag, tag + PLAIN_TAG_AT, 2);
        /* Should the disk refuse this, the header is as valid as before. */
        const ssize_t ignored = pwrite(descriptor, bytes + RIFF_BYTES,
                                       (size_t)(tag + 2 - bytes - RIFF_BYTES), RIFF_BYTES);
        (void)ignored;
        return;
    }
}

/* ---- for the writer ---- */

void output_begin(output_file *f, int64_t first_frame) {
    atomic_store_explicit(&f->first_frame, first_frame, memory_order_relaxed);
}

static int64_t frames_gone(const output_file *f) {
    return output_frames(f) + atomic_load_explicit(&f->passed_frames, memory_order_relaxed);
}

int64_t output_end_frame(const output_file *f) {
    return atomic_load_explicit(&f->first_frame, memory_order_relaxed) + frames_gone(f);
}

int64_t output_frames(const output_file *f) {
    return atomic_load_explicit(&f->frames, memory_order_relaxed);
}

int64_t output_frames_left(const output_file *f) {
    return atomic_load_explicit(&f->frame_limit, memory_order_relaxed) - frames_gone(f);
}

static int keeps_header(const output_file *f) {
    return f->keep_header != HEADER_LEFT;
}

static int is_on_a_disk(const output_file *f) {
    return f->descriptor >= 0;
}

int64_t output_frames_at_once(const output_file *f) {
    const int is_first = frames_gone(f) == 0 && !output_has_failed(f);
    return is_first && keeps_header(f) && is_on_a_disk(f) ? 1 : INT64_MAX;
}

int output_has_failed(const output_file *f) {
    return atomic_load_explicit(&f->file_error, memory_order_relaxed) != 0;
}

/* Only the first failure is kept. */
static void fail_with(output_file *f, int error, int system_error) {
    if (output_has_failed(f))
        return;
    f->system_error = system_error;
    /* release: what the system said must be in memory before the error is */
    atomic_store_explicit(&f->file_error, error, memory_order_release);
}

void output_refuse(output_file *f, int system_error) {
    fail_with(f, 1, system_error);
}

static void fail(output_file *f, file_functions functions, int system_error) {
    const int error = functions->error(f->file);
    fail_with(f, error ? error : 1, system_error);
}

static void update_header(output_file *f, file_functions functions) {
    if (f->has_begun &&
        atomic_load_explicit(&f->readable_frames, memory_order_relaxed) == output_frames(f))
        return;
    errno = 0;
    f->header_is_synced = 0;
    functions->command(f->file, SFC_UPDATE_HEADER_NOW, NULL, 0);
    if (functions->error(f->file)) {
        fail(f, functions, errno);
        return;
    }
    if (f->keep_header == HEADER_KEPT_PLAIN)
        wav_make_plain(f->descriptor);
    atomic_store_explicit(&f->readable_frames, output_frames(f), memory_order_relaxed);
}

/* What the system knows of a file without asking its server: one that does not answer would hold up
 * the writer. */
struct status {
    int64_t bytes;
    int64_t names;
};

static int read_status(int descriptor, struct status *status) {
#ifdef AT_STATX_DONT_SYNC
    struct statx read;
    const int flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
    if (statx(descriptor, "", flags, STATX_SIZE | STATX_NLINK, &read) != 0)
        return 0;
    *status = (struct status){(int64_t)read.stx_size, read.stx_nlink};
#else
    struct stat read;
    if (fstat(descriptor, &read) != 0)
        return 0;
    *status = (struct status){read.st_size, read.st_nlink};
#endif
    return 1;
}

/* Notes how long the file is and whether it still has a name. */
static void look(output_file *f) {
    struct status status;
    if (!read_status(f->descriptor, &status))
        return;
    atomic_store_explicit(&f->bytes, status.bytes, memory_order_relaxed);
    atomic_store_explicit(&f->is_removed, status.names == 0, memory_order_relaxed);
}

static int sync_to_disk(int descriptor) {
    int result;
    do
        result = fsync(descriptor);
    while (result != 0 && errno == EINTR);
    return result;
}

/* Checks that a file on a disk still reaches the place where it is written, and fails it otherwise:
 * another program has cut it off, and the next frames would follow a hole. Returns whether the file
 * may be written. */
static int check_length(output_file *f, file_functions functions) {
    struct status known;
    if (f->descriptor < 0 || !read_status(f->descriptor, &known))
        return 1;
    const off_t position = lseek(f->descriptor, 0, SEEK_CUR);
    if (known.bytes >= position)
        return 1;
    /* A server may be late to count the bytes that it was sent. */
    struct stat status;
    if (sync_to_disk(f->descriptor) != 0)
        fail(f, functions, errno);
    else if (fstat(f->descriptor, &status) == 0 && status.st_size < position)
        fail_with(f, FILE_CUT_SHORT, 0);
    return !output_has_failed(f);
}

/* Syncs the file, if there is anything that was written since. Returns the system's error, or 0. */
static int sync_file(output_file *f) {
    const int64_t frames = output_frames(f);
    if (!is_on_a_disk(f) || (f->synced_frames == frames && f->header_is_synced))
        return 0;
    if (sync_to_disk(f->descriptor) != 0)
        return errno;
    f->synced_frames = frames;
    f->header_is_synced = 1;
    return 0;
}

/* The frames are synced before the header counts them: of whatever a power cut leaves, the header
 * never counts a frame that is not there. The next sync takes the header along. Returns the
 * system's error, or 0. */
static int make_frames_safe(output_file *f, file_functions functions) {
    const int error = f->has_begun ? sync_file(f) : 0;
    if (!error && keeps_header(f))
        update_header(f, functions);
    return error;
}

/* Whether the file ends within its first sector, which a power cut leaves as it is or as it was. */
static int is_within_a_sector(const output_file *f) {
    const off_t position = lseek(f->descriptor, 0, SEEK_CUR);
    return position > 0 && position <= SECTOR_BYTES;
}

/* The first frame, its header and the names are synced at once, so that there is a file to be found
 * after a power cut. The header counts the frame even before that if both are in one sector: a file
 * whose program is killed while the disk is slow then has a frame too. What the disk refuses of it
 * is the owner's to judge, who may have another file to keep. */
static void make_beginning_safe(output_file *f, file_functions functions) {
    f->has_begun = 1;
    int error = is_within_a_sector(f) ? 0 : sync_file(f);
    if (keeps_header(f))
        update_header(f, functions);
    if (!is_on_a_disk(f) || output_has_failed(f))
        return;
    error = error ? error : sync_file(f);
    atomic_store_explicit(&f->first_sync, error, memory_order_relaxed);
    /* Not every folder can be synced; the owner tries again, and tells. */
    if (f->folder >= 0)
        sync_to_disk(f->folder);
}

void output_keep_safe(output_file *f, file_functions functions, int is_asked) {
    if ((!keeps_header(f) && !is_on_a_disk(f)) || output_has_failed(f))
        return;
    const int64_t now = engine_monotonic_ns();
    const int begins = !f->has_begun && output_frames(f) > 0;
    if ((is_asked || begins || now >= f->sync_due_ns) && check_length(f, functions)) {
        int error = 0;
        if (begins)
            make_beginning_safe(f, functions);
        else if ((error = make_frames_safe(f, functions)) != 0)
            fail(f, functions, error);
        const int64_t took = engine_monotonic_ns() - now;
        /* what is written behind the first frame is synced as soon */
        const int64_t pause = begins && keeps_header(f) ? 0 : most(took, SHORTEST_PAUSE_NS);
        f->sync_due_ns = now + took + least(pause, LONGEST_PAUSE_NS);
    }
    if (is_on_a_disk(f) && now >= f->look_due_ns) {
        look(f);
        f->look_due_ns = now + LOOK_EVERY_NS;
    }
}

void output_end(output_file *f, file_functions functions) {
    if (keeps_header(f) && !output_has_failed(f) && check_length(f, functions)) {
        /* The owner judges by it whether the file may replace another one. */
        atomic_store_explicit(&f->last_sync_error, sync_file(f), memory_order_relaxed);
        update_header(f, functions);
    }
    if (is_on_a_disk(f))
        look(f);
    /* release: the counts must be final before the owner reads that they are */
    atomic_store_explicit(&f->done, 1, memory_order_release);
}

void output_measure(output_file *f, const void *samples, int64_t frames) {
    add_extremes(f->extremes, samples, f->file_sample, f->file_bits, frames, f->channels);
    for (int i = 0; i < f->channels; ++i) {
        atomic_store_explicit(&f->shown[i].peak, f->extremes[i].peak, memory_order_relaxed);
        atomic_store_explicit(&f->shown[i].clips, f->extremes[i].clips, memory_order_relaxed);
    }
}

static int64_t write_file(output_file *f, file_functions functions, const void *samples,
                          int64_t frames) {
    switch (f->file_sample) {
    case FILE_FLOAT32:
        return functions->write_float(f->file, samples, frames);
    case FILE_INT16:
        return functions->write_short(f->file, samples, frames);
    default:
        return functions->write_int(f->file, samples, frames);
    }
}

void output_write(output_file *f, file_functions functions, const void *samples, int64_t frames) {
    if (!check_length(f, functions))
        return;
    errno = 0;
    const int64_t written = write_file(f, functions, samples, frames);
    const int system_error = errno;
    if (f->keeps_hash)
        add_to_hash(&f->hash, samples, f->file_sample, most(0, written) * f->channels);
    atomic_store_explicit(&f->frames, output_frames(f) + most(0, written), memory_order_relaxed);
    /* For Vorbis and MP3, libsndfile takes every frame and only sets its error. */
    if (written != frames || functions->error(f->file))
        fail(f, functions, system_error);
}

void output_pass(output_file *f, int64_t frames) {
    const int64_t before = atomic_load_explicit(&f->passed_frames, memory_order_relaxed);
    atomic_store_explicit(&f->passed_frames, before + frames, memory_order_relaxed);
}

void output_write_silence(output_file *f, file_functions functions, const void *silence,
                          int64_t frames) {
    const int64_t before = output_frames(f);
    output_write(f, functions, silence, frames);
    const int64_t lost = atomic_load_explicit(&f->lost_frames, memory_order_relaxed);
    atomic_store_explicit(&f->lost_frames, lost + output_frames(f) - before, memory_order_relaxed);
}
