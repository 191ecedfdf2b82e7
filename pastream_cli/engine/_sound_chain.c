/* A chain: sounds that follow each other in one file or stream, played as one. */
#include "_sound_chain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "_gather.h"
#include "_loops.h"

/* sndfile.h */
enum { SNDFILE_READ = 0x10, SNDFILE_SET_CLIPPING = 0x10C0, SNDFILE_SEEK_START = 0 };

enum { SCRATCH_FRAMES = 256, EVENTS_AT_MOST = 256 };

struct link {
    void *file; /* NULL: not open */
    byte_source *source;
    int64_t frames;
    int32_t is_promise;
    int32_t channels;
    int32_t rate;
    int32_t is_owners; /* the owner closes it */
    int32_t was_begun; /* what is told of a link is told once, not in each pass of a loop */
    int32_t was_ended;
};

struct sound_chain {
    const struct sndfile_functions *functions;
    struct link *links;
    int64_t count;
    int64_t capacity;
    int64_t current;
    int64_t place;    /* in the current link, in frames */
    int64_t position; /* in the chain, in frames */
    ring *events;     /* struct chain_event, reader to owner */
    void *scratch;    /* frames with the link's channels, where these are not the chain's */
    int32_t scratch_channels;
    int32_t channels;
    int32_t rate_before; /* of the link that was told last */
    int32_t channels_before;
    int links_from; /* a pipe of descriptors, -1: none */
    int error;
    int system_error;
};

/* struct SF_INFO of sndfile.h */
struct sound_info {
    int64_t frames;
    int rate;
    int channels;
    int format;
    int sections;
    int seekable;
};

/* struct SF_VIRTUAL_IO of sndfile.h */
static struct {
    int64_t (*get_length)(void *source);
    int64_t (*seek)(int64_t offset, int whence, void *source);
    int64_t (*read)(void *bytes, int64_t count, void *source);
    int64_t (*write)(const void *bytes, int64_t count, void *source);
    int64_t (*tell)(void *source);
} source_functions = {byte_source_get_length, byte_source_seek, byte_source_read, byte_source_write,
                      byte_source_tell};

/* ---- the owner's part ---- */

sound_chain *sound_chain_new(const struct sndfile_functions *functions, int channels) {
    sound_chain *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->functions = functions;
    c->channels = channels;
    c->channels_before = channels;
    c->links_from = -1;
    c->events = ring_new(sizeof(struct chain_event), EVENTS_AT_MOST, NULL);
    if (c->events)
        return c;
    free(c);
    return NULL;
}

static void close_link(sound_chain *c, struct link *l) {
    if (l->file && !l->is_owners) {
        c->functions->close(l->file);
        l->file = NULL;
    }
}

/* Closes what the pump has sent and nobody has opened. */
static void close_links_to_come(int descriptors) {
    int descriptor;
    fcntl(descriptors, F_SETFL, O_NONBLOCK);
    while (read(descriptors, &descriptor, sizeof descriptor) == sizeof descriptor)
        close(descriptor);
    close(descriptors);
}

void sound_chain_free(sound_chain *c) {
    if (!c)
        return;
    for (int64_t i = 0; i < c->count; ++i)
        close_link(c, &c->links[i]);
    if (c->links_from >= 0)
        close_links_to_come(c->links_from);
    ring_free(c->events);
    free(c->scratch);
    free(c->links);
    free(c);
}

int sound_chain_add(sound_chain *c, void *file, byte_source *source, int64_t frames, int is_promise,
                    int channels, int rate) {
    if (c->count == c->capacity) {
        const int64_t capacity = c->capacity ? 2 * c->capacity : 1;
        struct link *links = realloc(c->links, (size_t)capacity * sizeof *links);
        if (!links)
            return 0;
        c->links = links;
        c->capacity = capacity;
    }
    if (!c->count)
        c->rate_before = rate;
    c->links[c->count++] = (struct link){
        .file = file,
        .source = source,
        .frames = frames,
        .is_promise = is_promise,
        .channels = channels,
        .rate = rate,
        .is_owners = file != NULL,
    };
    return 1;
}

void sound_chain_follow(sound_chain *c, int descriptor) {
    c->links_from = descriptor;
}

int sound_chain_system_error(const sound_chain *c) {
    return c->system_error;
}

int sound_chain_next_event(sound_chain *c, struct chain_event *event) {
    return ring_read(c->events, event, 1) == 1;
}

/* ---- the reader's part ---- */

/* Tells the owner. An event for which there is no room is dropped: nobody takes them. */
static void tell(sound_chain *c, int kind, int64_t value) {
    const struct chain_event event = {.frame = c->position, .value = value, .kind = kind};
    ring_write(c->events, &event, 1);
}

static int open_link(sound_chain *c, struct link *l, int descriptor) {
    struct sound_info info = {0};
    if (l->source)
        byte_source_seek(0, SEEK_SET, l->source);
    l->file = l->source
                  ? c->functions->open_virtual(&source_functions, SNDFILE_READ, &info, l->source)
                  : c->functions->open_descriptor(descriptor, SNDFILE_READ, &info, 1);
    if (!l->file)
        return 0;
    c->functions->command(l->file, SNDFILE_SET_CLIPPING, NULL, 1);
    l->channels = info.channels;
    l->rate = info.rate;
    return info.channels > 0 && info.channels <= MOST_DEVICE_CHANNELS;
}

/* Waits for the pump to begin another link, which takes the place of the one before. */
static int receive_link(sound_chain *c) {
    int descriptor;
    ssize_t got = 0;
    if (c->links_from < 0)
        return 0;
    do
        got = read(c->links_from, &descriptor, sizeof descriptor);
    while (got < 0 && errno == EINTR);
    if (got != sizeof descriptor)
        return 0;
    struct link *l = &c->links[0];
    close_link(c, l);
    *l = (struct link){.frames = -1};
    c->current = 0;
    c->place = 0;
    if (!open_link(c, l, descriptor))
        close_link(c, l);
    return 1;
}

static void tell_changes(sound_chain *c, struct link *l) {
    if (l->was_begun)
        return;
    l->was_begun = 1;
    if (l->rate != c->rate_before)
        tell(c, CHAIN_NEW_RATE, l->rate);
    if (l->channels != c->channels_before)
        tell(c, CHAIN_NEW_CHANNELS, l->channels);
    c->rate_before = l->rate;
    c->channels_before = l->channels;
}

/* Returns the link to read from, which is open; NULL at the end of the chain. */
static struct link *current_link(sound_chain *c) {
    while (c->current < c->count || receive_link(c)) {
        struct link *l = &c->links[c->current];
        if (l->file || (l->source && open_link(c, l, -1))) {
            tell_changes(c, l);
            return l;
        }
        close_link(c, l);
        tell(c, CHAIN_LINK_UNREADABLE, 0);
        ++c->current;
        c->place = 0;
    }
    return NULL;
}

static int64_t call(const sound_chain *c, void *file, int sample, void *samples, int64_t frames) {
    switch (sample) {
    case FILE_FLOAT32:
        return most(0, c->functions->read_float(file, samples, frames));
    case FILE_INT16:
        return most(0, c->functions->read_short(file, samples, frames));
    default:
        return most(0, c->functions->read_int(file, samples, frames));
    }
}

static void mix_to_mono(void *target, const void *source, int channels, int sample,
                        int64_t frames) {
    for (int64_t i = 0; i < frames; ++i) {
        double sum = 0;
        for (int64_t j = i * channels; j < (i + 1) * channels; ++j)
            sum += sample == FILE_FLOAT32 ? (double)((const float *)source)[j]
                   : sample == FILE_INT16 ? (double)((const int16_t *)source)[j]
                                          : (double)((const int32_t *)source)[j];
        if (sample == FILE_FLOAT32)
            ((float *)target)[i] = (float)(sum / channels);
        else if (sample == FILE_INT16)
            ((int16_t *)target)[i] = (int16_t)(sum / channels);
        else
            ((int32_t *)target)[i] = (int32_t)(sum / channels);
    }
}

/* Gives frames the channels of the chain: mono is copied to all of them, and all are mixed to mono;
 * otherwise channels that are missing are silent, and those for which there is no place are left
 * out. */
static void fit_channels(const sound_chain *c, void *target, int channels, int sample,
                         int64_t frames) {
    int32_t map[MOST_DEVICE_CHANNELS];
    if (c->channels == 1) {
        mix_to_mono(target, c->scratch, channels, sample, frames);
        return;
    }
    for (int i = 0; i < c->channels; ++i)
        map[i] = channels == 1 ? 0 : i < channels ? i : -1;
    gather(target, c->channels, c->scratch, channels, sample, map, frames);
}

static int make_scratch(sound_chain *c, int channels) {
    if (c->scratch && c->scratch_channels >= channels)
        return 1;
    free(c->scratch);
    c->scratch = scratch_for(SCRATCH_FRAMES, channels);
    c->scratch_channels = channels;
    return c->scratch != NULL;
}

/* Reads frames of one link, fewer only at its end. */
static int64_t read_link(sound_chain *c, const struct link *l, int sample, unsigned char *samples,
                         int64_t frames) {
    const int64_t frame_bytes = c->channels * (sample == FILE_INT16 ? 2 : BYTES_PER_FILE_SAMPLE);
    int64_t total = 0;
    int64_t asked = 0;
    int64_t got = 0;
    if (l->channels == c->channels)
        return call(c, l->file, sample, samples, frames);
    if (!make_scratch(c, l->channels)) {
        c->error = CHAIN_SYSTEM_ERROR;
        c->system_error = ENOMEM;
        return 0;
    }
    while (total < frames && got == asked) {
        asked = least(SCRATCH_FRAMES, frames - total);
        got = call(c, l->file, sample, c->scratch, asked);
        fit_channels(c, samples + total * frame_bytes, l->channels, sample, got);
        total += got;
    }
    return total;
}

static int is_at_the_end_of_its_bytes(const struct link *l) {
    return !l->source || byte_source_tell(l->source) >= byte_source_length(l->source);
}

/* Judges why a link had no more frames. Returns false if that is an error. What libsndfile says
 * after the last frame that was promised, or where the bytes end, is none. */
static int has_ended_well(sound_chain *c, const struct link *l) {
    const int error = c->functions->error(l->file);
    const int64_t missing = l->frames < 0 ? 0 : l->frames - c->place;
    const int system_error = l->source ? byte_source_error(l->source) : 0;
    if (system_error) {
        c->error = CHAIN_SYSTEM_ERROR;
        c->system_error = system_error;
        return 0;
    }
    if (error && (l->frames < 0 || missing > 0) && !is_at_the_end_of_its_bytes(l)) {
        c->error = error;
        return 0;
    }
    if (l->is_promise && missing > 0 && !l->was_ended)
        tell(c, CHAIN_FRAMES_MISSING, missing);
    return 1;
}

static int64_t read_frames(sound_chain *c, int sample, void *samples, int64_t frames) {
    const int64_t frame_bytes = c->channels * (sample == FILE_INT16 ? 2 : BYTES_PER_FILE_SAMPLE);
    int64_t total = 0;
    struct link *l;
    while (total < frames && !c->error && (l = current_link(c))) {
        unsigned char *target = (unsigned char *)samples + total * frame_bytes;
        const int64_t got = read_link(c, l, sample, target, frames - total);
        total += got;
        c->place += got;
        c->position += got;
        if (total == frames || c->error || !has_ended_well(c, l))
            break;
        l->was_ended = 1;
        close_link(c, l);
        ++c->current;
        c->place = 0;
    }
    return total;
}

static int64_t read_short(void *file, short *samples, int64_t frames) {
    return read_frames(file, FILE_INT16, samples, frames);
}

static int64_t read_int(void *file, int *samples, int64_t frames) {
    return read_frames(file, FILE_INT32, samples, frames);
}

static int64_t read_float(void *file, float *samples, int64_t frames) {
    return read_frames(file, FILE_FLOAT32, samples, frames);
}

/* Seeks from the start, which is the only way that the loops do. */
static int64_t seek(void *file, int64_t frame, int whence) {
    sound_chain *c = file;
    int64_t first = 0;
    int64_t i = 0;
    if (whence != SNDFILE_SEEK_START || c->links_from >= 0)
        return -1;
    while (i < c->count - 1 && c->links[i].frames >= 0 && frame - first >= c->links[i].frames)
        first += c->links[i++].frames;
    if (i != c->current && c->current < c->count)
        close_link(c, &c->links[c->current]);
    c->current = i;
    struct link *l = current_link(c);
    if (!l || c->current != i || c->functions->seek(l->file, frame - first, whence) < 0)
        return -1;
    c->error = 0;
    c->place = frame - first;
    c->position = frame;
    return frame;
}

static int command(void *file, int number, void *data, int size) {
    (void)file;
    (void)number;
    (void)data;
    (void)size;
    return 0;
}

static int error(void *file) {
    const sound_chain *c = file;
    return c->error;
}

const struct sndfile_functions *sound_chain_functions(void) {
    static const struct sndfile_functions functions = {
        .read_short = read_short,
        .read_int = read_int,
        .read_float = read_float,
        .seek = seek,
        .command = command,
        .error = error,
    };
    return &functions;
}
