/* Makes the process say why and exit with the code that was decided, even if a library calls
 * abort(). */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "_engine.h"

static volatile sig_atomic_t code_after_abort;
static volatile sig_atomic_t told_to = -1;
static char last_words[256];

static void leave(int signal_number) {
    (void)signal_number;
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
