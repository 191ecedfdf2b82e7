/* Single-producer, single-consumer ring of elements of one size.
 *
 * Both indices only grow (2^64 elements are 12 million years at 48 kHz), so full and empty differ
 * without a spare element. The producer owns `written`, the consumer owns `read`.
 *
 * The two may be in different processes, each of which has the ring at another address. So the ring
 * has no pointer to its elements, but the distance of the elements from itself.
 */
#ifndef PASTREAM_RING_H
#define PASTREAM_RING_H

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "_engine.h"

enum { CACHE_LINE_BYTES = 64 };

struct ring {
    int64_t elements;  /* bytes from the ring to its first element */
    uint64_t capacity; /* elements, a power of two */
    uint32_t element_bytes;
    int32_t owns_elements;
    /* Each index on a cache line of its own: the two threads never share a dirty line. */
    unsigned char before_written[CACHE_LINE_BYTES];
    _Atomic uint64_t written; /* elements, by the producer */
    unsigned char before_read[CACHE_LINE_BYTES];
    _Atomic uint64_t read; /* elements, by the consumer */
    unsigned char after_read[CACHE_LINE_BYTES];
};

struct ring_span {
    unsigned char *first;
    unsigned char *second; /* where the ring wraps: its start */
    uint64_t first_elements;
    uint64_t second_elements;
};

/* Returns how far `target` is from `place`, in bytes. */
static inline int64_t distance_of(const void *target, const void *place) {
    return (int64_t)((uintptr_t)target - (uintptr_t)place);
}

/* Returns what is so many bytes from `place`. */
static inline void *at_distance(const void *place, int64_t distance) {
    return (void *)((uintptr_t)place + (uintptr_t)distance);
}

static inline uint64_t ring_min(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* Owner, before either thread starts. */
static inline void ring_prepare(ring *r, uint32_t element_bytes, uint64_t capacity,
                                const void *elements) {
    r->element_bytes = element_bytes;
    r->capacity = capacity;
    r->elements = distance_of(elements, r);
}

/* Consumer. */
static inline uint64_t ring_available(const ring *r) {
    /* acquire: the elements must not be read before the producer published them */
    const uint64_t written = atomic_load_explicit(&r->written, memory_order_acquire);
    return written - atomic_load_explicit(&r->read, memory_order_relaxed);
}

/* Producer. */
static inline uint64_t ring_room(const ring *r) {
    /* acquire: the elements must not be overwritten before the consumer has read them */
    const uint64_t read = atomic_load_explicit(&r->read, memory_order_acquire);
    return r->capacity - (atomic_load_explicit(&r->written, memory_order_relaxed) - read);
}

static inline struct ring_span ring_span_at(const ring *r, uint64_t index, uint64_t elements) {
    const uint64_t start = index & (r->capacity - 1);
    const uint64_t first = ring_min(elements, r->capacity - start);
    unsigned char *all = at_distance(r, r->elements);
    return (struct ring_span){
        .first = all + start * r->element_bytes,
        .second = all,
        .first_elements = first,
        .second_elements = elements - first,
    };
}

/* Producer: makes `elements` visible to the consumer. */
static inline void ring_publish(ring *r, uint64_t elements) {
    const uint64_t written = atomic_load_explicit(&r->written, memory_order_relaxed);
    /* release: the elements must be in memory before the index says so */
    atomic_store_explicit(&r->written, written + elements, memory_order_release);
}

/* Consumer: gives `elements` back to the producer. */
static inline void ring_consume(ring *r, uint64_t elements) {
    const uint64_t read = atomic_load_explicit(&r->read, memory_order_relaxed);
    /* release: the elements must have been read before the producer may reuse their place */
    atomic_store_explicit(&r->read, read + elements, memory_order_release);
}

/* Producer: copies all of `elements`, for which there must be room. */
static inline void ring_put(ring *r, const void *data, uint64_t elements) {
    const uint64_t index = atomic_load_explicit(&r->written, memory_order_relaxed);
    const struct ring_span span = ring_span_at(r, index, elements);
    const size_t first_bytes = span.first_elements * r->element_bytes;
    memcpy(span.first, data, first_bytes);
    memcpy(span.second, (const unsigned char *)data + first_bytes,
           span.second_elements * r->element_bytes);
    ring_publish(r, elements);
}

/* Consumer: copies all of `elements`, which must be available. */
static inline void ring_get(ring *r, void *data, uint64_t elements) {
    const uint64_t index = atomic_load_explicit(&r->read, memory_order_relaxed);
    const struct ring_span span = ring_span_at(r, index, elements);
    const size_t first_bytes = span.first_elements * r->element_bytes;
    memcpy(data, span.first, first_bytes);
    memcpy((unsigned char *)data + first_bytes, span.second,
           span.second_elements * r->element_bytes);
    ring_consume(r, elements);
}

#endif
