/* Files and streams of MPEG and Ogg as strangers send them: what looks for sounds in them ends,
 * stays within their bytes, and finds in a pipe what it finds in a file. */
#include "stress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "_byte_source.h"
#include "_follower.h"
#include "_mpeg.h"
#include "_ogg.h"

enum { MOST_BYTES = 100000, MOST_SOUNDS = 200 };

struct stream {
    unsigned char bytes[MOST_BYTES + 4096];
    int64_t count;
    int64_t sound_bytes; /* in frames, or in pages */
    int pages;
};

static void add(struct stream *s, const void *bytes, int64_t count) {
    memcpy(s->bytes + s->count, bytes, (size_t)count);
    s->count += count;
}

/* Adds a frame of MPEG 1, layer III, whose bytes do not look like another one. */
static void add_frame(struct stream *s, struct random *r, int mode) {
    unsigned char frame[2000] = {0xFF, 0xFB, 0, (unsigned char)(mode << 6)};
    struct mpeg_frame parsed;
    frame[2] = (unsigned char)(random_from(r, 1, 14) << 4);
    if (!mpeg_parse(frame, &parsed))
        violation("a good header is refused");
    for (int i = MPEG_HEADER_BYTES; i < parsed.bytes; ++i)
        frame[i] = (unsigned char)random_from(r, 0, 127);
    add(s, frame, parsed.bytes);
    s->sound_bytes += parsed.bytes;
}

static void add_page(struct stream *s, struct random *r, int flags) {
    unsigned char page[27 + 255 + 255 * 2] = "OggS";
    const int segments = (int)random_from(r, 0, 2);
    int64_t bytes = OGG_PAGE_HEADER_BYTES + segments;
    page[5] = (unsigned char)flags;
    page[26] = (unsigned char)segments;
    for (int i = 0; i < segments; ++i) {
        page[OGG_PAGE_HEADER_BYTES + i] = (unsigned char)random_from(r, 0, 255);
        bytes += page[OGG_PAGE_HEADER_BYTES + i];
    }
    page[18] = (unsigned char)s->pages;
    page[19] = (unsigned char)(s->pages++ >> 8);
    ogg_set_frame(page, random_from(r, -1, 100000));
    add(s, page, bytes);
    s->sound_bytes += bytes;
}

static void add_junk(struct stream *s, struct random *r) {
    static const char *const words[] = {"ID3\4\0\0\0\0\7\177", "TAG",  "APETAGEX\320\7\0\0", "OggS",
                                        "\377\373\220\144",    "Xing", "\377\377\377\377"};
    const char *word = words[random_from(r, 0, 6)];
    unsigned char junk[600];
    const int64_t count = random_from(r, 0, (int64_t)sizeof junk);
    for (int64_t i = 0; i < count; ++i)
        junk[i] = (unsigned char)random_bits(r);
    add(s, word, (int64_t)strlen(word));
    add(s, junk, count);
}

static void make(struct stream *s, struct random *r, int format, int is_clean) {
    const int64_t wanted = random_from(r, 0, MOST_BYTES);
    int mode = 0;
    memset(s, 0, sizeof *s);
    if (format == FOLLOW_OGG)
        add_page(s, r, 0);
    for (int i = 0; format == FOLLOW_MPEG && i < 4; ++i)
        add_frame(s, r, mode);
    while (s->count < wanted) {
        if (!is_clean && random_from(r, 0, 9) == 0)
            add_junk(s, r);
        if (format == FOLLOW_OGG)
            add_page(s, r, is_clean ? 0 : (int)random_from(r, 0, 7));
        else
            add_frame(s, r, mode = is_clean || random_from(r, 0, 30) ? mode : 3 - mode);
    }
    for (int i = 0; !is_clean && i < 20; ++i)
        s->bytes[random_from(r, 0, s->count - 1)] ^= (unsigned char)(1 << random_from(r, 0, 7));
}

static int file_with(const struct stream *s) {
    const int file = memfd_create("stress", 0);
    if (file < 0 || write(file, s->bytes, (size_t)s->count) != s->count)
        violation("cannot make a file");
    return file;
}

static int64_t bytes_in_source(byte_source *source) {
    static unsigned char bytes[4096];
    int64_t total = 0;
    int64_t got;
    while ((got = byte_source_read(bytes, (int64_t)sizeof bytes, source)) > 0)
        total += got;
    expect_equal("bytes read of a source", total, byte_source_length(source));
    return total;
}

static int64_t bytes_in_mpeg_file(int file, int64_t end) {
    int64_t total = 0;
    int64_t begin = 0;
    for (;;) {
        struct mpeg_link link;
        byte_source *source = byte_source_new(file);
        const int found = mpeg_find_link(file, begin, end, INT64_MAX, source, &link);
        total += bytes_in_source(source);
        byte_source_free(source);
        if (!found)
            return total;
        if (link.next <= begin || link.next > end)
            violation("a search from %lld goes on at %lld", (long long)begin, (long long)link.next);
        begin = link.next;
    }
}

static int64_t bytes_in_ogg_file(int file, int64_t end) {
    int64_t begin = 0;
    int64_t total = 0;
    for (;;) {
        struct ogg_link link;
        byte_source *source = byte_source_new(file);
        const int found = ogg_find_link(file, begin, end, source, &link);
        byte_source_free(source);
        if (!found)
            return total;
        if (link.begin < begin || link.end <= link.begin || link.end > end)
            violation("a sound from %lld to %lld", (long long)link.begin, (long long)link.end);
        source = byte_source_new(file);
        link.sound.is_measured = 1;
        link.sound.begin_frame = -1000;
        if (!ogg_add(file, &link, source))
            violation("cannot mend a sound");
        expect_equal("bytes of a mended sound", bytes_in_source(source), link.end - link.begin);
        byte_source_free(source);
        total += link.end - link.begin;
        begin = link.end;
    }
}

struct receiver {
    int messages;
    int64_t bytes;
};

static void *receive(void *context) {
    static unsigned char bytes[4096];
    struct receiver *receiver = context;
    struct link_message message;
    ssize_t got;
    while (read(receiver->messages, &message, sizeof message) == sizeof message) {
        if (message.event)
            continue;
        while ((got = read(message.descriptor, bytes, sizeof bytes)) > 0)
            receiver->bytes += got;
        close(message.descriptor);
    }
    close(receiver->messages);
    return NULL;
}

static int64_t bytes_followed(const struct stream *s, int file, int format, int64_t first) {
    int ends[2];
    if (pipe(ends) || lseek(file, first, SEEK_SET) != first)
        violation("cannot make a pipe");
    const struct follower follower = {file, ends[1], format, s->bytes, first};
    struct receiver receiver = {.messages = ends[0]};
    const pthread_t thread = start_thread(receive, &receiver);
    follower_run(&follower);
    join_thread(thread);
    return receiver.bytes;
}

void stress_scan(struct random random) {
    static struct stream stream;
    const int format = random_from(&random, 0, 1) ? FOLLOW_MPEG : FOLLOW_OGG;
    const int is_clean = random_from(&random, 0, 1) != 0;
    make(&stream, &random, format, is_clean);
    const int file = file_with(&stream);
    const int64_t found = format == FOLLOW_OGG ? bytes_in_ogg_file(file, stream.count)
                                               : bytes_in_mpeg_file(file, stream.count);
    const int64_t first = random_from(&random, 0, stream.count);
    const int64_t followed = bytes_followed(&stream, file, format, first);
    if (found > stream.count || followed > stream.count)
        violation("there are more bytes of sound than bytes");
    if (is_clean) {
        expect_equal("bytes of sound in a file", found, stream.sound_bytes);
        expect_equal("bytes of sound in a pipe", followed, stream.sound_bytes);
    }
    close(file);
}
