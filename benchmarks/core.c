/* What the C core itself costs: the callback, and the loops.
 *
 * Prints a line per measurement, tab-separated: table, row, channels, column, nanoseconds per
 * frame. benchmarks/core.py builds it, runs it several times and prints the tables. */
#include <stdlib.h>

#include "measuring.h"

int main(void) {
    time_callbacks(2);
    time_callbacks(8);
    time_callbacks(64);
    time_loops(2);
    time_loops(64);
    return EXIT_SUCCESS;
}
