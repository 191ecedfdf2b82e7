/* A window on a file: the bytes around the place where a scanner is. */
#ifndef PASTREAM_FILE_WINDOW_H
#define PASTREAM_FILE_WINDOW_H

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

enum { WINDOW_BYTES = 65536 };

struct file_window {
    int descriptor; /* -1: there is no more than what is in the buffer */
    int64_t end;    /* the scanner's: bytes of the file from here on are not there for it */
    int64_t begin;  /* of what is in the buffer */
    int64_t bytes;  /* in the buffer */
    unsigned char buffer[WINDOW_BYTES];
};

/* Returns the `count` bytes at an offset, which hold until the next call; NULL if the file ends
 * before them, or cannot be read. */
static inline const unsigned char *window_at(struct file_window *w, int64_t offset, int64_t count) {
    if (offset < 0 || count > WINDOW_BYTES || offset > w->end - count)
        return NULL;
    if (offset >= w->begin && offset + count <= w->begin + w->bytes)
        return w->buffer + (offset - w->begin);
    if (w->descriptor < 0)
        return NULL;
    w->begin = offset;
    w->bytes = 0;
    while (w->bytes < count) {
        const ssize_t got = pread(w->descriptor, w->buffer + w->bytes,
                                  (size_t)(WINDOW_BYTES - w->bytes), offset + w->bytes);
        if (got == 0 || (got < 0 && errno != EINTR))
            return NULL;
        if (got > 0)
            w->bytes += got;
    }
    return w->buffer;
}

#endif
