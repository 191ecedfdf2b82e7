/* Puts the C core under stress, without Python: what the parts of the program share.
 *
 * A part runs one case from one random seed, so that any case can be repeated alone. What it finds
 * wrong ends the program.
 */
#ifndef STRESS_H
#define STRESS_H

#include <pthread.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

/* splitmix64 */
static inline uint64_t random_bits(struct random *r) {
    uint64_t z = r->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* Both ends included. */
static inline int64_t random_from(struct random *r, int64_t least, int64_t most) {
    return least + (int64_t)(random_bits(r) % (uint64_t)(most - least + 1));
}

static inline int one_in(struct random *r, int64_t chances) {
    return random_from(r, 1, chances) == 1;
}

static inline int64_t least_of(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static inline int64_t most_of(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* Where the index of a ring may begin: at zero, or so that 32 or 64 bits overflow in the run. */
uint64_t random_ring_start(struct random *r);

_Noreturn void violation(const char *format, ...) __attribute__((format(printf, 1, 2)));
void expect_equal(const char *what, int64_t got, int64_t expected);

/* Never NULL, and zeroed. */
void *allocate(uint64_t count, uint64_t bytes);

/* For a thread that has nothing to do: it yields at first, and sleeps a little when that was in
 * vain some times in a row, for two threads that only yield may keep a processor from a third. */
void stand_aside(int *times_in_vain);
void nap_shortly(void);

pthread_t start_thread(void *(*run)(void *), void *context);
void join_thread(pthread_t thread);

void stress_attach(struct random random);
void stress_scan(struct random random);
void stress_ring(struct random random);
void stress_formats(struct random random);
void stress_samples(struct random random);
void stress_device(struct random random);
void stress_virtual(struct random random);
void stress_seek(struct random random);
void stress_copies(struct random random);
void stress_trigger(struct random random);

#endif
