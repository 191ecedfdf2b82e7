/* The follower of WAVs: sends the samples of each WAV in a stream through a pipe of their own,
 * without the headers, chunks and tags around them. */
#include "_wav_follower.h"

#include <string.h>
#include <unistd.h>

#include "_follower.h"
#include "_loops.h"
#include "_pipe.h"
#include "_wav.h"

enum { BUFFER_BYTES = 65536 };

/* Lengths from here on are placeholders of programs that do not know how much will come. */
static const int64_t LENGTH_OPEN = 0x7FFF0000;

struct flow {
    const struct wav_follower *f;
    struct wav_header header; /* of the present WAV */
    int target;               /* for its samples; -1: nobody takes what comes */
    int64_t place;            /* in its samples, in bytes */
    int64_t begin;            /* in the buffer, of what has not been dealt with */
    int64_t end;
    unsigned char bytes[BUFFER_BYTES];
};

static unsigned char *rest(struct flow *f) {
    return f->bytes + f->begin;
}

static int64_t rest_bytes(const struct flow *f) {
    return f->end - f->begin;
}

/* Waits until so many bytes are there, and returns false if fewer come. */
static int fill(struct flow *f, int64_t count) {
    if (rest_bytes(f) < count) {
        memmove(f->bytes, rest(f), (size_t)rest_bytes(f));
        f->end -= f->begin;
        f->begin = 0;
    }
    while (rest_bytes(f) < count) {
        const int64_t got =
            read_some(f->f->source, f->target, f->bytes + f->end, BUFFER_BYTES - f->end);
        if (got == 0)
            return 0;
        f->end += got;
    }
    return 1;
}

static int skip(struct flow *f, int64_t count) {
    while (count > rest_bytes(f)) {
        count -= rest_bytes(f);
        f->begin = f->end;
        if (!fill(f, 1))
            return 0;
    }
    f->begin += count;
    return 1;
}

/* ---- samples ---- */

static void end_link(struct flow *f) {
    if (f->target >= 0)
        close(f->target);
    f->target = -1;
}

/* Sends samples. Returns false if nobody reads them any more. */
static int send(struct flow *f, int64_t count) {
    unsigned char *bytes = rest(f);
    int64_t kept = count;
    if (f->header.samples.is_low_three) {
        kept = 0;
        for (int64_t i = 0; i < count; ++i)
            if ((f->place + i) % 4 != 3)
                bytes[kept++] = bytes[i];
    }
    f->begin += count;
    f->place += count;
    return f->target < 0 || write_all(f->target, bytes, kept);
}

enum what_follows { MORE_SAMPLES, A_HEADER, OTHER_THINGS, NOTHING };

/* Sends samples, `left` bytes at most, up to a header: the WAV may have been cut off before it was
 * joined to others. */
static enum what_follows send_samples(struct flow *f, int64_t left) {
    int64_t wanted = 1;
    while (left > 0) {
        const int is_at_end = !fill(f, wanted);
        const int64_t there = rest_bytes(f);
        const int64_t header = is_at_end ? there : wav_find_header(rest(f), there);
        const int64_t count = least(left, header);
        if (!send(f, count))
            return NOTHING;
        left -= count;
        if (count == header && there - header >= WAV_BEGIN_BYTES)
            return A_HEADER;
        if (is_at_end && left > 0)
            return NOTHING;
        wanted = rest_bytes(f) + 1;
    }
    return MORE_SAMPLES;
}

/* Looks at what follows the end that the header gives to the samples, with a pad byte or without.
 * What is nothing known is more of them. */
static enum what_follows look_behind(struct flow *f) {
    const struct wav_header *h = &f->header;
    const int64_t most_pad = f->place % 2;
    fill(f, most_pad + WAV_BEGIN_BYTES);
    for (int64_t pad = 0; pad <= most_pad; ++pad)
        if (wav_is_no_sound(rest(f) + pad, rest_bytes(f) - pad, h->samples.trailer_bytes - pad,
                            h->samples.is_big_endian))
            return OTHER_THINGS;
    return rest_bytes(f) > most_pad ? MORE_SAMPLES : NOTHING;
}

/* Sends the samples of the present WAV, and goes to the next header. Returns false if there is
 * none. What lies between is read too, so that the program that writes it is not killed by a closed
 * pipe. */
static int send_wav(struct flow *f) {
    const int64_t stated = f->header.samples.stated_bytes;
    enum what_follows next = send_samples(f, stated < 0 ? INT64_MAX : stated);
    if (next == MORE_SAMPLES)
        next = look_behind(f);
    if (next == MORE_SAMPLES)
        next = send_samples(f, INT64_MAX);
    end_link(f);
    if (next == OTHER_THINGS)
        next = send_samples(f, INT64_MAX);
    return next == A_HEADER;
}

/* ---- the next WAV ---- */

/* Reads a header, up to the samples, unless it makes no sense. Returns false at the end of the
 * stream. */
static int read_header(struct flow *f) {
    struct wav_header *h = &f->header;
    int was_odd = 0;
    wav_begin(h, rest(f));
    skip(f, WAV_BEGIN_BYTES);
    for (int i = 0; i < WAV_MOST_CHUNKS; ++i) {
        if (!fill(f, WAV_CHUNK_BYTES + was_odd))
            return 0;
        if (was_odd && wav_has_pad(rest(f))) {
            skip(f, 1);
            ++h->taken_bytes;
        }
        const int64_t size = wav_chunk_bytes(h, rest(f));
        fill(f, WAV_CHUNK_BYTES + least(size, WAV_FORMAT_BYTES));
        if (wav_take_chunk(h, rest(f)))
            return skip(f, WAV_CHUNK_BYTES);
        if (size > WAV_LONGEST_CHUNK_BYTES)
            break;
        if (!skip(f, WAV_CHUNK_BYTES + size))
            return 0;
        was_odd = size % 2 != 0;
    }
    h->samples.raw_format = 0;
    return 1;
}

/* Returns how many frames a header promises, -1 if it leaves that open. */
static int64_t promised_frames(const struct wav_samples *samples) {
    if (samples->stated_bytes < 0 || samples->stated_bytes >= LENGTH_OPEN)
        return -1;
    return samples->stated_bytes / samples->frame_bytes;
}

/* Sends word of a WAV. One that cannot be played is a link that cannot be opened. Returns false if
 * nobody reads any more. */
static int begin_link(struct flow *f) {
    const struct wav_samples *samples = &f->header.samples;
    struct link_message message = {.descriptor = -1, .frames = -1, .promised_frames = -1};
    int ends[2];
    f->place = 0;
    if (samples->raw_format) {
        if (!make_pipe_beside(ends, f->f->links))
            return 0;
        message.descriptor = ends[0];
        message.raw_format = samples->raw_format;
        message.channels = samples->channels;
        message.rate = samples->rate;
        message.promised_frames = promised_frames(samples);
        f->target = ends[1];
    }
    if (write_all(f->f->links, (const unsigned char *)&message, sizeof message))
        return 1;
    if (message.descriptor >= 0)
        close(message.descriptor);
    return 0;
}

void wav_follower_run(const struct wav_follower *f) {
    struct flow flow = {.f = f, .header = {.samples = f->first}, .target = f->target};
    make_room(f->links, MESSAGES_AHEAD_BYTES);
    while (send_wav(&flow) && read_header(&flow) && begin_link(&flow))
        ;
    end_link(&flow);
    close(f->links);
}
