/* The pump: copies a stream to libsndfile through another pipe, and puts its header, which was read
 * already, back in front. It runs on a thread of the owner, without the interpreter's lock. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "_engine.h"
#include "_pipe.h"

enum { PUMP_BYTES = 65536, RIFF_CHUNK_HEADER_BYTES = 8 };

/* A chunk has a name of four printable characters, and fits into the bytes that the header says are
 * left. */
static int is_riff_chunk(const unsigned char *bytes, int64_t most_bytes) {
    for (int i = 0; i < 4; ++i)
        if (bytes[i] < ' ' || bytes[i] > '~')
            return 0;
    const uint32_t size =
        bytes[4] | (uint32_t)bytes[5] << 8 | (uint32_t)bytes[6] << 16 | (uint32_t)bytes[7] << 24;
    return (int64_t)size + RIFF_CHUNK_HEADER_BYTES <= most_bytes;
}

/* Passes audio on; `place` is where in the audio it begins. */
static int write_audio(const struct pump *p, unsigned char *bytes, int64_t count, int64_t place) {
    if (!p->is_low_three)
        return write_all(p->target, bytes, count);
    int64_t kept = 0;
    for (int64_t i = 0; i < count; ++i)
        if ((place + i) % 4 != 3)
            bytes[kept++] = bytes[i];
    return write_all(p->target, bytes, kept);
}

enum what_follows { AUDIO, A_CHUNK, NOTHING };

/* Looks at what follows the end of the audio that the header gives, with a pad byte or without. If
 * it is not a chunk, it is more audio, and is passed on; `place` moves behind it. */
static enum what_follows look_behind_audio(const struct pump *p, int64_t *place) {
    unsigned char bytes[1 + RIFF_CHUNK_HEADER_BYTES];
    const int64_t pad = p->audio_bytes % 2;
    const int64_t wanted = pad + RIFF_CHUNK_HEADER_BYTES;
    int64_t count = 0;
    int64_t got = 1;
    while (count < wanted &&
           (got = read_some(p->source, p->target, bytes + count, wanted - count)) > 0)
        count += got;
    if (count == wanted && (is_riff_chunk(bytes + pad, p->trailer_bytes - pad) ||
                            is_riff_chunk(bytes, p->trailer_bytes)))
        return A_CHUNK;
    if (count > pad && !write_audio(p, bytes, count, *place))
        return NOTHING;
    *place += count;
    return got > 0 ? AUDIO : NOTHING;
}

static enum what_follows pump_audio(const struct pump *p, unsigned char *bytes) {
    int64_t left = p->trailer_bytes ? p->audio_bytes : INT64_MAX;
    int64_t place = 0;
    for (;;) {
        const int64_t got =
            read_some(p->source, p->target, bytes, left < PUMP_BYTES ? left : PUMP_BYTES);
        if (got == 0 || !write_audio(p, bytes, got, place))
            return NOTHING;
        place += got;
        left -= got;
        if (left > 0)
            continue;
        const enum what_follows next = look_behind_audio(p, &place);
        if (next != AUDIO)
            return next;
        left = INT64_MAX;
    }
}

void pump_run(const struct pump *p) {
    unsigned char bytes[PUMP_BYTES];
    const enum what_follows end =
        write_all(p->target, p->first, p->first_bytes) ? pump_audio(p, bytes) : NOTHING;
    close(p->target);
    /* Read the chunks behind the audio too, so that the program that writes them is not killed by a
     * closed pipe. */
    ssize_t count = end == A_CHUNK;
    while (count > 0 || (count < 0 && errno == EINTR))
        count = read(p->source, bytes, sizeof bytes);
}
