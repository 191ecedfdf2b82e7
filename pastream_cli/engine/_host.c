/* What the process of a device does beside calling PortAudio: it waits for requests, says whether
 * the stream runs, and ends when the process that it serves has ended. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "_alsa.h"
#include "_state.h"

enum { LOOK_MS = 500, LAST_US = 400000 };

/* The host library may hang in whatever the process is doing, so the process gives itself a time
 * limit. What ends it then is SIGALRM. */
void host_end_soon(void) {
    const struct itimerval limit = {.it_value = {.tv_usec = LAST_US}};
    (void)setitimer(ITIMER_REAL, &limit, NULL);
}

static pid_t take_pid;

/* The kernel sends this signal at the end of the thread that started this process, which need not
 * be the end of the take; and anybody may send it, to all that belongs to the program. */
static void look_for_take(int signal_number) {
    (void)signal_number;
    if (getppid() != take_pid)
        host_end_soon();
}

int host_begin(int parent) {
    take_pid = parent;
    /* a terminal's signals are for the process of the take, which decides what to do */
    for (int number = 1; number < NSIG; ++number)
        if (number != SIGCHLD && number != SIGALRM)
            signal(number, SIG_IGN);
    static const int crashes[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; ++i)
        signal(crashes[i], SIG_DFL);
    struct sigaction action = {.sa_handler = look_for_take, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGALRM, SIG_DFL); /* which ends this process; the take may ignore it */
    sigset_t none;            /* a fork comes here with all of them blocked */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGUSR1);
    char name[16];
    snprintf(name, sizeof name, "host of %d", parent);
    prctl(PR_SET_NAME, name);
#endif
    return getppid() == parent;
}

/* Tells the owner what the device owes, less what was captured and not delivered. Nothing is told
 * if a callback ends in between; one that is under way makes it wrong by a block, which the median
 * of many forgives. */
static void tell_debt(engine *e) {
    const int64_t called_ns = atomic_load_explicit(&e->last_callback_ns, memory_order_relaxed);
    const int64_t debt = atomic_load_explicit(&e->present_debt, memory_order_relaxed);
    const int64_t held = alsa_held_frames();
    const int64_t now = engine_monotonic_ns();
    if (held < 0 || debt == INT64_MIN ||
        !atomic_load_explicit(&e->clock_zero_ns, memory_order_relaxed) ||
        called_ns != atomic_load_explicit(&e->last_callback_ns, memory_order_relaxed))
        return;
    const int64_t since = (int64_t)((double)(now - called_ns) * e->frames_per_ns);
    const struct debt record = {.frames = debt + since - held, .monotonic_ns = now};
    if (ring_room(&e->host_debts) > 0)
        ring_put(&e->host_debts, &record, 1);
}

int host_look(engine *e, const struct host_stream *s) {
    const int is_active = s->is_active(s->stream) == 1;
    atomic_store_explicit(&e->device_load, is_active ? s->cpu_load(s->stream) : 0,
                          memory_order_relaxed);
    if (is_active && e->capture.channels)
        tell_debt(e);
    /* release: whoever sees that the device has ended sees all that it has delivered */
    atomic_store_explicit(&e->device_is_active, is_active, memory_order_release);
    return is_active;
}

int host_wait(engine *e, int descriptor, const struct host_stream *s) {
    struct pollfd request = {.fd = descriptor, .events = POLLIN};
    for (;;) {
        const int was_active = atomic_load_explicit(&e->device_is_active, memory_order_relaxed);
        const int is_running = host_look(e, s);
        if (was_active && !is_running)
            return 1;
        const int count = poll(&request, 1, is_running ? LOOK_MS : -1);
        if (count > 0 || (count < 0 && errno != EINTR))
            return 0;
    }
}

int engine_device_is_active(const engine *e) {
    /* acquire: as host_look says */
    return atomic_load_explicit(&e->device_is_active, memory_order_acquire);
}

double engine_device_load(const engine *e) {
    return atomic_load_explicit(&e->device_load, memory_order_relaxed);
}
