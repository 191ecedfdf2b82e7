/* Makes, reads and writes pipes. */
#ifndef PASTREAM_PIPE_H
#define PASTREAM_PIPE_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <unistd.h>

/* Makes a pipe that programs started later do not inherit. Returns false if the system refuses. */
static inline int make_pipe(int ends[2]) {
#if defined(__linux__)
    return pipe2(ends, O_CLOEXEC) == 0;
#else
    if (pipe(ends))
        return 0;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return 1;
#endif
}

/* Asks for a pipe that holds so many bytes. Elsewhere than on Linux a pipe is as large as it is. */
static inline void make_room(int descriptor, int bytes) {
#if defined(__linux__)
    fcntl(descriptor, F_SETPIPE_SZ, bytes);
#else
    (void)descriptor;
    (void)bytes;
#endif
}

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
