/* Makes, reads and writes pipes. */
#ifndef PASTREAM_PIPE_H
#define PASTREAM_PIPE_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/resource.h>
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

enum { SPARE_DESCRIPTORS = 16, MS_BETWEEN_LOOKS = 20, LOOKS = 100 };

/* Tells whether a descriptor leaves some for whatever else the process opens. */
static inline int leaves_some(int descriptor) {
    struct rlimit most;
    return getrlimit(RLIMIT_NOFILE, &most) ||
           (rlim_t)descriptor + SPARE_DESCRIPTORS < most.rlim_cur;
}

/* Makes a pipe too, and waits while the process has few descriptors left: there are more when what
 * earlier pipes carry has been played. Returns false once nobody reads `other` any more. */
static inline int make_pipe_beside(int ends[2], int other) {
    struct pollfd reader = {.fd = other};
    for (int looks = 0;; ++looks) {
        const int is_made = make_pipe(ends);
        if (is_made && (looks >= LOOKS || leaves_some(ends[1])))
            return 1;
        if (is_made) {
            close(ends[0]);
            close(ends[1]);
        } else if (errno != EMFILE && errno != ENFILE) {
            return 0;
        }
        if (poll(&reader, 1, MS_BETWEEN_LOOKS) > 0)
            return 0;
    }
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
