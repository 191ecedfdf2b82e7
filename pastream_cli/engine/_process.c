/* What a process does at last when a library calls abort() or crashes: it says why and exits with
 * the code that was decided, and the terminal has its modes back. */
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "_engine.h"

static const int crashes[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
enum { CRASHES = sizeof crashes / sizeof *crashes };

static volatile sig_atomic_t code_after_abort;
static volatile sig_atomic_t told_to = -1;
static char last_words[256];

static volatile sig_atomic_t terminal = -1;
static struct termios modes_before;
static struct sigaction actions_before[CRASHES];

static void put_modes_back(void) {
    if (terminal < 0)
        return;
    /* where another process has the terminal, the modes are that one's */
    const pid_t foreground = tcgetpgrp(terminal);
    if (foreground < 0 || foreground == getpgrp())
        tcsetattr(terminal, TCSANOW, &modes_before);
}

static void leave(int signal_number) {
    (void)signal_number;
    put_modes_back();
    if (told_to >= 0) {
        const ssize_t written = write(told_to, last_words, strlen(last_words));
        (void)written; /* nobody is left to tell */
    }
    _exit(code_after_abort);
}

void exit_on_abort(int exit_code, int descriptor, const char *message) {
    told_to = -1;
    strncpy(last_words, message, sizeof last_words - 1);
    code_after_abort = exit_code;
    told_to = descriptor;
    signal(SIGABRT, leave);
}

static void crash(int signal_number) {
    put_modes_back();
    for (int i = 0; i < CRASHES; ++i)
        if (crashes[i] == signal_number)
            sigaction(signal_number, &actions_before[i], NULL);
    raise(signal_number); /* it is delivered when this function has returned */
}

void put_modes_back_on_crash(int descriptor) {
    static int is_ready;
    terminal = -1;
    if (descriptor < 0 || tcgetattr(descriptor, &modes_before))
        return;
    terminal = descriptor;
    struct sigaction action = {.sa_handler = crash, .sa_flags = SA_ONSTACK};
    for (int i = 0; i < CRASHES && !is_ready; ++i)
        sigaction(crashes[i], &action, &actions_before[i]);
    is_ready = 1;
}
