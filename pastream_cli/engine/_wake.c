/* How a writer sleeps, and how its owner wakes it. */
#include "_wake.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "_pipe.h"
#include "_state.h"

static const int64_t NS_PER_MS = 1000000;

void wake_prepare(copy *c) {
    if (c->writer.wake[0] >= 0 || !make_pipe(c->writer.wake))
        return;
    for (int i = 0; i < 2; ++i)
        fcntl(c->writer.wake[i], F_SETFL, O_NONBLOCK);
}

void writer_wake(const copy *c) {
    /* If the pipe is full, nothing is written, and the writer wakes all the same. */
    const ssize_t written = c->writer.wake[1] < 0 ? 0 : write(c->writer.wake[1], "", 1);
    (void)written;
}

void wake_wait(const copy *c, int64_t nanoseconds) {
    if (nanoseconds < NS_PER_MS) {
        nap(nanoseconds);
        return;
    }
    struct pollfd wake = {.fd = c->writer.wake[0], .events = POLLIN};
    if (poll(&wake, 1, (int)(nanoseconds / NS_PER_MS)) <= 0)
        return;
    char bytes[64];
    while (read(wake.fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes)
        continue;
}
