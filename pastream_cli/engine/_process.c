/* What a process does at last when it crashes: it gives the terminal its modes back. */
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include "_engine.h"

static const int crashes[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
enum { CRASHES = sizeof crashes / sizeof *crashes };

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
