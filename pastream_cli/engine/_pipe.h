/* Reads and writes pipes. */
#ifndef PASTREAM_PIPE_H
#define PASTREAM_PIPE_H

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <unistd.h>

static inline int write_all(int descriptor, const unsigned char *bytes, int64_t count) {
    while (count > 0) {
        const ssize_t written = write(descriptor, bytes, (size_t)count);
        if (written < 0 && errno != EINTR)
            return 0;
        if (written > 0) {
            bytes += written;
            count -= written;
        }
    }
    return 1;
}

/* Waits for bytes and returns how many came, 0 once either end is closed. A target of -1 is none.
 */
static inline int64_t read_some(int source, int target, unsigned char *bytes, int64_t at_most) {
    for (;;) {
        struct pollfd ends[] = {{.fd = source, .events = POLLIN}, {.fd = target, .events = 0}};
        if (poll(ends, 2, -1) < 0 && errno != EINTR)
            return 0;
        if (ends[1].revents)
            return 0; /* an error or a hang-up: the reader has gone */
        if (!ends[0].revents)
            continue;
        const ssize_t count = read(source, bytes, (size_t)at_most);
        if (count >= 0)
            return count;
        if (errno != EINTR && errno != EAGAIN)
            return 0;
    }
}

#endif
