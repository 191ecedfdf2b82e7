/* A lock that is held for a short time only, by threads that may wait: never by the callback. */
#ifndef PASTREAM_SPIN_H
#define PASTREAM_SPIN_H

#include <stdatomic.h>
#include <stdint.h>

#include "_state.h"

enum { LOCK_NAP_NS = 1000 };

static inline void spin_lock(_Atomic int32_t *lock) {
    /* acquire: what whoever had the lock before has written must be seen */
    while (atomic_exchange_explicit(lock, 1, memory_order_acquire))
        nap(LOCK_NAP_NS);
}

static inline void spin_unlock(_Atomic int32_t *lock) {
    /* release: whoever gets the lock next must see what was written until now */
    atomic_store_explicit(lock, 0, memory_order_release);
}

#endif
