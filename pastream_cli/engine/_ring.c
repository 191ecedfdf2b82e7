/* How its owner makes and frees a ring, and how Python reads and writes it. */
#include "_ring.h"

#include <stdlib.h>

ring *ring_new(uint32_t element_bytes, uint64_t capacity, void *memory) {
    ring *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    void *elements = memory ? memory : malloc(capacity * element_bytes);
    if (!elements) {
        free(r);
        return NULL;
    }
    ring_prepare(r, element_bytes, capacity, elements);
    r->owns_elements = memory == NULL;
    /* filled here, so that the callback is never the first to touch a page */
    if (r->owns_elements)
        memset(elements, 0, capacity * element_bytes);
    return r;
}

void ring_free(ring *r) {
    if (r && r->owns_elements)
        free(at_distance(r, r->elements));
    free(r);
}

void *ring_memory(const ring *r) {
    return at_distance(r, r->elements);
}

uint64_t ring_capacity(const ring *r) {
    return r->capacity;
}

uint32_t ring_element_bytes(const ring *r) {
    return r->element_bytes;
}

uint64_t ring_readable(const ring *r) {
    /* acquire both: any thread may ask. One that neither reads nor writes may see the indices of
     * two moments, hence the limit. */
    const uint64_t read = atomic_load_explicit(&r->read, memory_order_acquire);
    const uint64_t written = atomic_load_explicit(&r->written, memory_order_acquire);
    return ring_min(written - read, r->capacity);
}

uint64_t ring_writable(const ring *r) {
    return r->capacity - ring_readable(r);
}

uint64_t ring_read_index(const ring *r) {
    return atomic_load_explicit(&r->read, memory_order_acquire);
}

uint64_t ring_write_index(const ring *r) {
    return atomic_load_explicit(&r->written, memory_order_acquire);
}

uint64_t ring_advance_read(ring *r, uint64_t elements) {
    ring_consume(r, elements);
    return ring_read_index(r);
}

uint64_t ring_advance_write(ring *r, uint64_t elements) {
    ring_publish(r, elements);
    return ring_write_index(r);
}

uint64_t ring_read(ring *r, void *data, uint64_t elements) {
    const uint64_t taken = ring_min(elements, ring_available(r));
    ring_get(r, data, taken);
    return taken;
}

uint64_t ring_write(ring *r, const void *data, uint64_t elements) {
    const uint64_t given = ring_min(elements, ring_room(r));
    ring_put(r, data, given);
    return given;
}

void ring_reset(ring *r, uint64_t index) {
    atomic_store(&r->written, index);
    atomic_store(&r->read, index);
}
