/* Makes the process exit with the code that was decided, even if a library calls abort(). */
#include <signal.h>
#include <unistd.h>

#include "_engine.h"

static volatile sig_atomic_t code_after_abort;

static void leave(int signal_number) {
    (void)signal_number;
    _exit(code_after_abort);
}

void exit_on_abort(int exit_code) {
    code_after_abort = exit_code;
    signal(SIGABRT, leave);
}
