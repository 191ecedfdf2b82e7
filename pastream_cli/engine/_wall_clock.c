/* What the kernel says of the wall clock. */
#include <sys/timex.h>

#include "_engine.h"

int clock_synchronisation(int64_t *error_us) {
    struct timex state = {0};
    const int answer = ntp_adjtime(&state);
    *error_us = state.maxerror;
    if (answer < 0)
        return -1;
    return answer != TIME_ERROR && !(state.status & STA_UNSYNC);
}
