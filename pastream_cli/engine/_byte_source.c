/* Bytes that libsndfile reads as if they were a file of their own: parts of a file, and bytes from
 * memory between them; or what comes through a pipe. */
#include "_byte_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct part {
    int64_t place; /* in the source, of its first byte */
    int64_t bytes;
    int64_t begin;         /* in the file; unused for a part in memory */
    unsigned char *memory; /* NULL for a part of the file */
    int is_low_three;      /* every fourth byte of the file is left out */
};

/* What came last through a pipe: a decoder looks at the beginning twice. */
struct kept {
    unsigned char *bytes; /* NULL: the source is no pipe */
    int64_t capacity;
    int64_t begin; /* place of the first of them */
    int64_t count;
    int is_ended;
};

struct byte_source {
    int descriptor;
    int system_error;
    struct kept kept;
    struct part *parts;
    size_t count;
    size_t capacity;
    size_t current; /* the part that was read last */
    int64_t length;
    int64_t position; /* a place; those before `from` are of the bytes in front */
    int64_t from;
    int64_t front_bytes;
    unsigned char front[MOST_FRONT_BYTES];
};

/* How far back a pipe can be seeked, at the least. */
enum { KEPT_BYTES = 65536 };
/* By these libsndfile tells what a file is. */
enum { MAGIC_BYTES = 12 };

/* A pipe's length, which nobody knows. */
static const int64_t ENDLESS = INT64_MAX / 2;

byte_source *byte_source_new(int descriptor) {
    byte_source *s = calloc(1, sizeof *s);
    if (s)
        s->descriptor = descriptor;
    return s;
}

byte_source *byte_source_new_stream(int descriptor, const unsigned char *first, int64_t count) {
    byte_source *s = byte_source_new(descriptor);
    if (!s)
        return NULL;
    s->length = ENDLESS;
    s->kept.capacity = count + 2 * KEPT_BYTES;
    s->kept.count = count;
    s->kept.bytes = malloc((size_t)s->kept.capacity);
    if (!s->kept.bytes) {
        free(s);
        return NULL;
    }
    memcpy(s->kept.bytes, first, (size_t)count);
    return s;
}

void byte_source_free(byte_source *s) {
    if (!s)
        return;
    for (size_t i = 0; i < s->count; ++i)
        free(s->parts[i].memory);
    free(s->parts);
    free(s->kept.bytes);
    free(s);
}

static int add_part(byte_source *s, int64_t begin, int64_t bytes, unsigned char *memory) {
    if (s->count == s->capacity) {
        const size_t capacity = s->capacity ? 2 * s->capacity : 4;
        struct part *parts = realloc(s->parts, capacity * sizeof *parts);
        if (!parts)
            return 0;
        s->parts = parts;
        s->capacity = capacity;
    }
    s->parts[s->count++] =
        (struct part){.place = s->length, .bytes = bytes, .begin = begin, .memory = memory};
    s->length += bytes;
    return 1;
}

int byte_source_add(byte_source *s, int64_t begin, int64_t end) {
    struct part *last = s->count ? &s->parts[s->count - 1] : NULL;
    if (end <= begin)
        return 1;
    if (!last || last->memory || last->is_low_three || last->begin + last->bytes != begin)
        return add_part(s, begin, end - begin, NULL);
    last->bytes += end - begin;
    s->length += end - begin;
    return 1;
}

int byte_source_add_low_three(byte_source *s, int64_t begin, int64_t end) {
    const int64_t samples = (end - begin) / 4;
    if (samples <= 0)
        return 1;
    if (!add_part(s, begin, 3 * samples, NULL))
        return 0;
    s->parts[s->count - 1].is_low_three = 1;
    return 1;
}

int byte_source_add_bytes(byte_source *s, const unsigned char *bytes, int64_t count) {
    if (count <= 0)
        return 1;
    unsigned char *memory = malloc((size_t)count);
    if (!memory)
        return 0;
    memcpy(memory, bytes, (size_t)count);
    if (add_part(s, 0, count, memory))
        return 1;
    free(memory);
    return 0;
}

int byte_source_put_in_front(byte_source *s, const unsigned char *bytes, int64_t count) {
    if (count <= 0)
        return 1;
    if (!byte_source_add_bytes(s, bytes, count))
        return 0;
    struct part added = s->parts[s->count - 1];
    memmove(s->parts + 1, s->parts, (s->count - 1) * sizeof *s->parts);
    for (size_t i = 1; i < s->count; ++i)
        s->parts[i].place += count;
    added.place = 0;
    s->parts[0] = added;
    return 1;
}

void byte_source_begin_with(byte_source *s, const unsigned char *bytes, int64_t count,
                            int64_t place) {
    if (count)
        memcpy(s->front, bytes, (size_t)count);
    s->front_bytes = count;
    s->from = place;
}

int byte_source_begins_anew(const byte_source *s) {
    return s->front_bytes != 0;
}

int64_t byte_source_first_place(const byte_source *s) {
    return s->kept.begin;
}

/* The place of the first byte that libsndfile sees. */
static int64_t origin(const byte_source *s) {
    return s->from - s->front_bytes;
}

int64_t byte_source_length(const byte_source *s) {
    return s->length;
}

int byte_source_is_at_end(const byte_source *s) {
    return s->kept.bytes ? s->kept.is_ended : s->position >= s->length;
}

int byte_source_descriptor(const byte_source *s) {
    return s->descriptor;
}

int byte_source_error(const byte_source *s) {
    return s->system_error;
}

int64_t byte_source_get_length(void *source) {
    return byte_source_length(source) - origin(source);
}

int64_t byte_source_seek(int64_t offset, int whence, void *source) {
    byte_source *s = source;
    const int64_t from = whence == SEEK_CUR   ? s->position
                         : whence == SEEK_END ? s->length
                                              : origin(s);
    int64_t position;
    if (__builtin_add_overflow(from, offset, &position) || position < origin(s))
        return -1;
    if (s->kept.bytes && position >= s->from &&
        (position < s->kept.begin || position > s->kept.begin + s->kept.count))
        return -1;
    s->position = position;
    return position - origin(s);
}

/* Returns the part with the byte at the position, which is within the source. */
static const struct part *current_part(byte_source *s) {
    size_t first = 0;
    size_t behind = s->count;
    size_t i = s->current;
    for (;;) {
        const struct part *p = &s->parts[i];
        if (s->position < p->place)
            behind = i;
        else if (s->position >= p->place + p->bytes)
            first = i + 1;
        else
            break;
        i = first + (behind - first) / 2;
    }
    s->current = i;
    return &s->parts[i];
}

static void note_error(byte_source *s) {
    if (!s->system_error)
        s->system_error = errno;
}

/* Waits for bytes of the pipe, and notes its end or an error. */
static void receive(byte_source *s) {
    struct kept *k = &s->kept;
    if (k->count == k->capacity) {
        const int64_t dropped = k->count - KEPT_BYTES;
        memmove(k->bytes, k->bytes + dropped, KEPT_BYTES);
        k->begin += dropped;
        k->count = KEPT_BYTES;
    }
    ssize_t got;
    do
        got = read(s->descriptor, k->bytes + k->count, (size_t)(k->capacity - k->count));
    while (got < 0 && errno == EINTR);
    if (got < 0)
        note_error(s);
    if (got <= 0)
        k->is_ended = 1;
    else
        k->count += got;
}

int byte_source_drop_some(byte_source *s) {
    if (s->kept.bytes && !s->kept.is_ended)
        receive(s);
    return s->kept.bytes && !s->kept.is_ended;
}

/* Reads what has come, and waits only where that is nothing, or too little for libsndfile to see
 * what it is: a decoder can begin with a part. */
static int64_t read_stream(byte_source *s, unsigned char *bytes, int64_t count) {
    const struct kept *k = &s->kept;
    const int64_t wanted = count < MAGIC_BYTES ? count : MAGIC_BYTES;
    while (k->begin + k->count - s->position < wanted && !k->is_ended)
        receive(s);
    const int64_t there = k->begin + k->count - s->position;
    if (count > there)
        count = there;
    memcpy(bytes, k->bytes + (s->position - k->begin), (size_t)count);
    s->position += count;
    return count;
}

/* Returns how many bytes were read, 0 at the end of the file, and -1 with an error noted. */
static int64_t read_file(byte_source *s, unsigned char *bytes, int64_t count, int64_t begin) {
    ssize_t got;
    do
        got = pread(s->descriptor, bytes, (size_t)count, begin);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        note_error(s);
    return got;
}

/* Reads at least one of the low three of each four bytes, from that number of them on. */
static int64_t read_low_three(byte_source *s, unsigned char *bytes, int64_t count, int64_t begin,
                              int64_t offset) {
    enum { SAMPLES = 1024 };
    unsigned char padded[4 * SAMPLES];
    const int64_t skipped = offset % 3;
    const int64_t wanted = (skipped + count + 2) / 3;
    const int64_t samples = wanted < SAMPLES ? wanted : SAMPLES;
    const int64_t got = read_file(s, padded, 4 * samples, begin + offset / 3 * 4);
    if (got <= 0)
        return got;
    int64_t kept = 0;
    for (int64_t i = skipped; i < got / 4 * 3 && kept < count; ++i)
        bytes[kept++] = padded[i / 3 * 4 + i % 3];
    return kept;
}

static int64_t read_part(byte_source *s, unsigned char *bytes, int64_t count) {
    const struct part *p = current_part(s);
    const int64_t offset = s->position - p->place;
    if (count > p->bytes - offset)
        count = p->bytes - offset;
    if (p->memory) {
        memcpy(bytes, p->memory + offset, (size_t)count);
        return count;
    }
    if (p->is_low_three)
        return read_low_three(s, bytes, count, p->begin, offset);
    return read_file(s, bytes, count, p->begin + offset);
}

static int64_t read_front(byte_source *s, unsigned char *bytes, int64_t count) {
    const int64_t left = s->from - s->position;
    if (count > left)
        count = left;
    memcpy(bytes, s->front + s->front_bytes - left, (size_t)count);
    s->position += count;
    return count;
}

int64_t byte_source_read(void *bytes, int64_t count, void *source) {
    byte_source *s = source;
    int64_t total = 0;
    if (s->position < s->from)
        return read_front(s, bytes, count);
    if (s->kept.bytes)
        return read_stream(s, bytes, count);
    while (total < count && s->position < s->length) {
        const int64_t got = read_part(s, (unsigned char *)bytes + total, count - total);
        if (got <= 0)
            break;
        total += got;
        s->position += got;
    }
    return total;
}

int64_t byte_source_write(const void *bytes, int64_t count, void *source) {
    (void)bytes;
    (void)count;
    (void)source;
    return 0;
}

int64_t byte_source_tell(void *source) {
    const byte_source *s = source;
    return s->position - origin(s);
}
