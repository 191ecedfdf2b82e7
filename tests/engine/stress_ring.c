/* The ring between a producer and a consumer that know nothing of each other but the ring, while a
 * third thread looks on. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "_engine.h"
#include "_ring.h"
#include "stress.h"

enum { MOST_AT_ONCE = 600, MOST_ELEMENT_BYTES = 256 };

struct passage {
    ring *ring;
    uint64_t start; /* index of the first element */
    uint64_t elements;
    uint32_t element_bytes;
    struct random producer;
    struct random consumer;
    _Atomic int ended;
};

/* Neighbours differ in every byte, and so do elements that are 256 or 65536 apart. */
static unsigned char byte_of(uint64_t element, uint32_t byte) {
    return (unsigned char)(element + (element >> 8) * 3 + (element >> 16) * 5 + byte * 37);
}

static void make_elements(unsigned char *bytes, uint64_t first, uint64_t count, uint32_t size) {
    for (uint64_t i = 0; i < count; ++i)
        for (uint32_t byte = 0; byte < size; ++byte)
            bytes[i * size + byte] = byte_of(first + i, byte);
}

static void check_elements(const unsigned char *bytes, uint64_t first, uint64_t count,
                           uint32_t size) {
    for (uint64_t i = 0; i < count; ++i)
        for (uint32_t byte = 0; byte < size; ++byte)
            if (bytes[i * size + byte] != byte_of(first + i, byte))
                violation("element %llu came out of the ring wrong at byte %u",
                          (unsigned long long)(first + i), byte);
}

static uint64_t produce_into_regions(struct passage *p, uint64_t done, uint64_t wanted) {
    const uint64_t room = ring_min(wanted, ring_room(p->ring));
    const struct ring_span span = ring_span_at(p->ring, ring_write_index(p->ring), room);
    make_elements(span.first, done, span.first_elements, p->element_bytes);
    make_elements(span.second, done + span.first_elements, span.second_elements, p->element_bytes);
    const uint64_t index = ring_advance_write(p->ring, room);
    expect_equal("write index", (int64_t)index, (int64_t)(p->start + done + room));
    return room;
}

static void *produce(void *context) {
    struct passage *p = context;
    unsigned char *bytes = allocate(MOST_AT_ONCE, p->element_bytes);
    int times_in_vain = 0;
    for (uint64_t done = 0; done < p->elements;) {
        uint64_t wanted = (uint64_t)random_from(&p->producer, 1, MOST_AT_ONCE);
        if (wanted > p->elements - done)
            wanted = p->elements - done;
        uint64_t moved;
        if (one_in(&p->producer, 2)) {
            moved = produce_into_regions(p, done, wanted);
        } else {
            make_elements(bytes, done, wanted, p->element_bytes);
            moved = ring_write(p->ring, bytes, wanted);
        }
        if (moved > wanted)
            violation("the ring took more than it was given");
        done += moved;
        if (moved == 0)
            stand_aside(&times_in_vain);
        else
            times_in_vain = 0;
    }
    free(bytes);
    return NULL;
}

static uint64_t consume_from_regions(struct passage *p, uint64_t done, uint64_t wanted) {
    const uint64_t available = ring_min(wanted, ring_available(p->ring));
    const struct ring_span span = ring_span_at(p->ring, ring_read_index(p->ring), available);
    check_elements(span.first, done, span.first_elements, p->element_bytes);
    check_elements(span.second, done + span.first_elements, span.second_elements, p->element_bytes);
    const uint64_t index = ring_advance_read(p->ring, available);
    expect_equal("read index", (int64_t)index, (int64_t)(p->start + done + available));
    return available;
}

static void *consume(void *context) {
    struct passage *p = context;
    unsigned char *bytes = allocate(MOST_AT_ONCE, p->element_bytes);
    int times_in_vain = 0;
    for (uint64_t done = 0; done < p->elements;) {
        const uint64_t wanted = (uint64_t)random_from(&p->consumer, 1, MOST_AT_ONCE);
        uint64_t moved;
        if (one_in(&p->consumer, 2)) {
            moved = consume_from_regions(p, done, wanted);
        } else {
            moved = ring_read(p->ring, bytes, wanted);
            check_elements(bytes, done, moved, p->element_bytes);
        }
        if (moved > wanted || done + moved > p->elements)
            violation("more came out of the ring than was asked for, or put in");
        done += moved;
        if (moved == 0)
            stand_aside(&times_in_vain);
        else
            times_in_vain = 0;
    }
    free(bytes);
    return NULL;
}

static void *look_on(void *context) {
    struct passage *p = context;
    const uint64_t capacity = ring_capacity(p->ring);
    uint64_t read = p->start;
    uint64_t written = p->start;
    int looks = 0;
    while (!atomic_load(&p->ended)) {
        const uint64_t readable = ring_readable(p->ring);
        const uint64_t writable = ring_writable(p->ring);
        if (readable > capacity || writable > capacity)
            violation("a ring of %llu shows %llu elements to read and room for %llu",
                      (unsigned long long)capacity, (unsigned long long)readable,
                      (unsigned long long)writable);
        const uint64_t read_now = ring_read_index(p->ring);
        const uint64_t written_now = ring_write_index(p->ring);
        /* as differences, for they may wrap */
        if (read_now - read > p->elements || written_now - written > p->elements)
            violation("an index of the ring went backwards");
        read = read_now;
        written = written_now;
        stand_aside(&looks);
    }
    return NULL;
}

void stress_ring(struct random random) {
    static const uint32_t sizes[] = {1, 2, 3, 4, 6, 8, 24, 48, MOST_ELEMENT_BYTES};
    const uint32_t size = sizes[random_from(&random, 0, sizeof sizes / sizeof *sizes - 1)];
    const uint64_t capacity = UINT64_C(1) << random_from(&random, 0, 12);
    void *memory = one_in(&random, 2) ? allocate(capacity, size) : NULL;
    struct passage p = {
        .ring = ring_new(size, capacity, memory),
        .start = random_ring_start(&random),
        /* a small ring changes hands at every element, a large element is slow to check */
        .elements = (uint64_t)least_of((int64_t)capacity * 1000, 2000000 / size),
        .element_bytes = size,
        .producer = {random_bits(&random)},
        .consumer = {random_bits(&random)},
    };
    ring_reset(p.ring, p.start);
    const pthread_t observer = start_thread(look_on, &p);
    const pthread_t consumer = start_thread(consume, &p);
    const pthread_t producer = start_thread(produce, &p);
    join_thread(producer);
    join_thread(consumer);
    atomic_store(&p.ended, 1);
    join_thread(observer);
    expect_equal("elements left in the ring", (int64_t)ring_readable(p.ring), 0);
    expect_equal("room in the ring", (int64_t)ring_writable(p.ring), (int64_t)capacity);
    ring_free(p.ring);
    free(memory);
}
