/* A chain: sounds that follow each other in one file or stream, played as one. */
#include "_sound_chain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "_chain_link.h"
#include "_loops.h"

enum { SNDFILE_SEEK_START = 0 }; /* sndfile.h */

enum { EVENTS_AT_MOST = 256 };

struct sound_chain {
    const struct sndfile_functions *functions;
    struct chain_link *links;
    int64_t count;
    int64_t capacity;
    int64_t current;
    int64_t position;   /* in frames */
    int64_t heard_from; /* what was read before the position has reached this is not played */
    ring *events;       /* struct chain_event, reader to owner */
    int32_t channels;
    int32_t rate_before; /* of the link that was told last */
    int32_t channels_before;
    int links_from; /* a pipe of descriptors, -1: none */
    int has_told;   /* the owner of anything */
    int error;
    int system_error;
};

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

/* Closes what the follower has sent and nobody has opened. */
static void close_links_to_come(int messages) {
    struct link_message message;
    fcntl(messages, F_SETFL, O_NONBLOCK);
    while (read(messages, &message, sizeof message) == sizeof message)
        close(message.descriptor);
    close(messages);
}

void sound_chain_free(sound_chain *c) {
    if (!c)
        return;
    for (int64_t i = 0; i < c->count; ++i)
        chain_link_close(&c->links[i]);
    if (c->links_from >= 0)
        close_links_to_come(c->links_from);
    ring_free(c->events);
    free(c->links);
    free(c);
}

int sound_chain_add(sound_chain *c, void *file, byte_source *source, int64_t frames, int is_promise,
                    int channels, int rate, int raw_format) {
    if (c->count == c->capacity) {
        const int64_t capacity = c->capacity ? 2 * c->capacity : 1;
        struct chain_link *links = realloc(c->links, (size_t)capacity * sizeof *links);
        if (!links)
            return 0;
        c->links = links;
        c->capacity = capacity;
    }
    if (!c->count)
        c->rate_before = rate;
    struct chain_link *l = &c->links[c->count++];
    *l = (struct chain_link){
        .functions = c->functions,
        .file = file,
        .source = source,
        .frames = frames,
        .is_promise = is_promise,
        .channels = channels,
        .rate = rate,
        .rest = -1,
        .raw_format = raw_format,
        .is_owners = file != NULL,
        .sound_frames = -1,
        .wanted_channels = c->channels,
    };
    if (file && source && !raw_format)
        chain_link_look_for_flac(l);
    return 1;
}

/* What libsndfile cannot know of a link, and the follower does. */
static void note(struct chain_link *l, const struct link_message *message) {
    l->skip_frames = message->skip_frames;
    l->sound_frames = message->frames;
    l->frames = message->promised_frames;
    l->is_promise = l->frames >= 0;
}

void sound_chain_follow(sound_chain *c, int messages, int rest, const struct link_message *first) {
    c->links_from = messages;
    c->links[0].rest = rest;
    note(&c->links[0], first);
}

int sound_chain_system_error(const sound_chain *c) {
    return c->system_error;
}

int sound_chain_next_event(sound_chain *c, struct chain_event *event) {
    return ring_read(c->events, event, 1) == 1;
}

/* ---- the reader's part ---- */

/* Tells the owner. An event for which there is no room is dropped: nobody takes them. */
static void tell(sound_chain *c, int kind, int64_t frame, int64_t value) {
    const struct chain_event event = {.frame = frame, .value = value, .kind = kind};
    ring_write(c->events, &event, 1);
    c->has_told = 1;
}

static void begin_link(sound_chain *c, const struct link_message *message) {
    struct chain_link *l = &c->links[0];
    *l = (struct chain_link){
        .functions = c->functions,
        .channels = message->channels,
        .rate = message->rate,
        .raw_format = message->raw_format,
        .rest = -1,
        .wanted_channels = c->channels,
    };
    note(l, message);
    c->current = 0;
    if (!chain_link_open_pipe(l, message->descriptor, message->is_flac) && l->file) {
        l->functions->close(l->file);
        l->file = NULL;
    }
}

/* Tells what the follower has found at the end of a link. */
static void tell_of_the_end(sound_chain *c, const struct link_message *message) {
    const struct chain_link *l = &c->links[0];
    const int is_promise = message->event == CHAIN_FRAMES_MISSING;
    const int64_t value = message->frames - (is_promise ? l->place : 0);
    if (!(is_promise && value <= 0) && !(message->event == CHAIN_LINK_CUT_OFF && l->is_known_cut))
        tell(c, message->event, c->position, value);
}

/* Waits for the follower to begin another link, which takes the place of the one before. */
static int receive_link(sound_chain *c) {
    struct link_message message;
    ssize_t got;
    while (c->links_from >= 0) {
        do
            got = read(c->links_from, &message, sizeof message);
        while (got < 0 && errno == EINTR);
        if (got != sizeof message)
            return 0;
        if (!message.event) {
            begin_link(c, &message);
            return 1;
        }
        tell_of_the_end(c, &message);
    }
    return 0;
}

/* Tells what changes with a link, once it is heard: a seek reads some frames that are not. */
static void tell_changes(sound_chain *c, struct chain_link *l, int64_t frames_read) {
    const int64_t begin = c->position - (l->place - frames_read);
    if (l->was_begun || frames_read == 0 || c->position < c->heard_from)
        return;
    l->was_begun = 1;
    if (l->rate != c->rate_before)
        tell(c, CHAIN_NEW_RATE, begin, l->rate);
    if (l->channels != c->channels_before)
        tell(c, CHAIN_NEW_CHANNELS, begin, l->channels);
    c->rate_before = l->rate;
    c->channels_before = l->channels;
}

/* Ends a link, whose length is known by now. What its decoder has left unread in a pipe would keep
 * the follower from going on. */
static void leave_link(sound_chain *c, struct chain_link *l) {
    while (chain_link_drop_some(l))
        continue;
    l->frames = l->place;
    chain_link_close(l);
    ++c->current;
}

/* Returns the link to read from, which is open; NULL at the end of the chain. */
static struct chain_link *current_link(sound_chain *c) {
    while (c->current < c->count || receive_link(c)) {
        struct chain_link *l = &c->links[c->current];
        if (l->file || (l->source && chain_link_open(l)))
            return l;
        tell(c, CHAIN_LINK_UNREADABLE, c->position, 0);
        leave_link(c, l);
    }
    if (c->position == 0 && !c->has_told)
        tell(c, CHAIN_NO_SOUND, 0, 0);
    return NULL;
}

/* A pipe is looked at only behind an error, since that waits for more to come. */
static int is_at_the_end_of_its_bytes(struct chain_link *l) {
    return l->source ? byte_source_is_at_end(l->source) : !chain_link_drop_some(l);
}

/* Judges why a link had no more frames. Returns false if that is an error. What libsndfile says
 * after the last frame that was promised, or where the bytes end, is none. */
static int has_ended_well(sound_chain *c, struct chain_link *l) {
    const int error = l->is_flac ? 0 : c->functions->error(l->file);
    const int64_t missing = l->frames < 0 ? 0 : l->frames - l->place;
    const int system_error = l->out_of_memory ? ENOMEM
                             : l->source      ? byte_source_error(l->source)
                                              : 0;
    if (system_error) {
        c->error = CHAIN_SYSTEM_ERROR;
        c->system_error = system_error;
        return 0;
    }
    if (error && (l->frames < 0 || missing > 0) && !is_at_the_end_of_its_bytes(l)) {
        c->error = error;
        return 0;
    }
    l->is_known_cut = l->is_promise && missing > 0;
    if (l->is_known_cut && !l->was_ended)
        tell(c, CHAIN_FRAMES_MISSING, c->position, missing);
    if (l->is_promise && missing < 0 && !l->was_ended)
        tell(c, CHAIN_MORE_FRAMES, c->position, -missing);
    l->was_ended = 1;
    return 1;
}

/* Reads from a link, and tells of damage that it went on behind. */
static int64_t read_link(sound_chain *c, struct chain_link *l, int sample, unsigned char *samples,
                         int64_t frames) {
    const int64_t begin = c->position - l->place;
    const int64_t got = chain_link_read(l, sample, samples, frames);
    tell_changes(c, l, got);
    const int64_t lost_at = begin + l->lost_at;
    c->position += got;
    if (l->lost_frames && !l->was_ended && lost_at >= c->heard_from)
        tell(c, CHAIN_FRAMES_LOST, lost_at, l->lost_frames);
    l->lost_frames = 0;
    return got;
}

static int64_t read_frames(sound_chain *c, int sample, void *samples, int64_t frames) {
    const int64_t frame_bytes = c->channels * (sample == FILE_INT16 ? 2 : BYTES_PER_FILE_SAMPLE);
    int64_t total = 0;
    struct chain_link *l;
    while (total < frames && !c->error && (l = current_link(c))) {
        unsigned char *target = (unsigned char *)samples + total * frame_bytes;
        total += read_link(c, l, sample, target, frames - total);
        if (total == frames || !has_ended_well(c, l))
            break;
        leave_link(c, l);
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

/* Returns the link that a frame is in, and has `frame` count from its beginning. */
static int64_t link_with(const sound_chain *c, int64_t *frame) {
    int64_t i = 0;
    while (i < c->count - 1 && c->links[i].frames >= 0 && *frame >= c->links[i].frames)
        *frame -= c->links[i++].frames;
    return i;
}

static int go_to(sound_chain *c, int64_t frame) {
    int64_t place = frame;
    const int64_t i = link_with(c, &place);
    if (i != c->current && c->current < c->count)
        chain_link_close(&c->links[c->current]);
    c->current = i;
    struct chain_link *l = current_link(c);
    if (!l || c->current != i || !chain_link_seek(l, place))
        return 0;
    c->position = frame;
    c->heard_from = frame ? frame + PREROLL_FRAMES : 0;
    return 1;
}

/* Seeks from the start, which is the only way that the loops do. If that fails, the place is where
 * it was. */
static int64_t seek(void *file, int64_t frame, int whence) {
    sound_chain *c = file;
    const int64_t before = c->position;
    if (whence != SNDFILE_SEEK_START || c->links_from >= 0)
        return -1;
    c->error = 0;
    if (go_to(c, frame))
        return frame;
    go_to(c, before);
    return -1;
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
