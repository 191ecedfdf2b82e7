/* stress PART CASES SEED [FIRST]: runs so many cases of a part, from case FIRST on. */
#include "stress.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST_CASE_SECONDS = 60, MOST_YIELDS = 5 };

void violation(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    (void)fflush(NULL);
    _Exit(EXIT_FAILURE);
}

void expect_equal(const char *what, int64_t got, int64_t expected) {
    if (got != expected)
        violation("%s: %lld instead of %lld", what, (long long)got, (long long)expected);
}

void *allocate(uint64_t count, uint64_t bytes) {
    void *memory = calloc(count ? count : 1, bytes);
    if (!memory)
        violation("out of memory");
    return memory;
}

uint64_t random_ring_start(struct random *r) {
    const uint64_t before = (uint64_t)random_from(r, 0, 5000);
    switch (random_from(r, 0, 3)) {
    case 0:
        return 0;
    case 1:
        return (UINT64_C(1) << 32) - before;
    case 2:
        return (UINT64_C(1) << 63) - before;
    default:
        return UINT64_C(0) - before;
    }
}

void nap_shortly(void) {
    const struct timespec short_time = {.tv_nsec = 100000};
    (void)nanosleep(&short_time, NULL);
}

void stand_aside(int *times_in_vain) {
    if (++*times_in_vain <= MOST_YIELDS)
        (void)sched_yield();
    else
        nap_shortly();
}

pthread_t start_thread(void *(*run)(void *), void *context) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, context) != 0)
        violation("cannot start a thread");
    return thread;
}

void join_thread(pthread_t thread) {
    if (pthread_join(thread, NULL) != 0)
        violation("cannot join a thread");
}

static const struct {
    const char *name;
    void (*run)(struct random random);
} parts[] = {
    {"ring", stress_ring},       {"formats", stress_formats}, {"samples", stress_samples},
    {"device", stress_device},   {"virtual", stress_virtual}, {"attach", stress_attach},
    {"scan", stress_scan},       {"seek", stress_seek},       {"copies", stress_copies},
    {"trigger", stress_trigger},
};

int main(int argc, char **argv) {
    const size_t count = sizeof parts / sizeof *parts;
    size_t part = 0;
    while (argc >= 4 && part < count && strcmp(argv[1], parts[part].name) != 0)
        ++part;
    if (argc < 4 || part == count) {
        (void)fputs(
            "usage: stress ring|formats|samples|device|virtual|attach|scan|seek|copies|trigger "
            "CASES SEED [FIRST]\n",
            stderr);
        return 2;
    }
    const uint64_t cases = strtoull(argv[2], NULL, 10);
    const uint64_t seed = strtoull(argv[3], NULL, 10);
    const uint64_t first = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;
    for (uint64_t i = first; i < first + cases; ++i) {
        /* told before it runs: the last line names the case that failed or hung */
        printf("%s 1 %llu %llu\n", parts[part].name, (unsigned long long)seed,
               (unsigned long long)i);
        (void)fflush(stdout);
        struct random random = {seed};
        random.state = random_bits(&random) + i;
        random.state = random_bits(&random);
        (void)alarm(LONGEST_CASE_SECONDS);
        parts[part].run(random);
    }
    return EXIT_SUCCESS;
}
