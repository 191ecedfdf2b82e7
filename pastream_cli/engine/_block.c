/* The block of memory that an engine is in, with its rings: made, mapped and freed. */
#include "_block.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "_engine.h"
#include "_ring.h"

#ifndef ENGINE_LAYOUT /* a number for the headers, which _build.py makes of them */
#define ENGINE_LAYOUT 0u
#endif

enum { MAGIC = 0x50417374, PAGE_BYTES = 4096 };

/* Whole cache lines, so that what different threads write shares none. */
static uint64_t rounded(uint64_t bytes) {
    return (bytes + CACHE_LINE_BYTES - 1) / CACHE_LINE_BYTES * CACHE_LINE_BYTES;
}

#ifdef __linux__
int shared_memory_new(void) {
    return memfd_create("pastream", MFD_CLOEXEC);
}
#else
int shared_memory_new(void) {
    char name[32];
    (void)snprintf(name, sizeof name, "/pastream.%ld", (long)getpid());
    const int descriptor = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (descriptor >= 0)
        (void)shm_unlink(name);
    return descriptor;
}
#endif

static void *mapped(int descriptor, uint64_t bytes) {
    void *memory = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static void *shared(int descriptor, uint64_t bytes) {
    return ftruncate(descriptor, (off_t)bytes) ? NULL : mapped(descriptor, bytes);
}

static void *plain(uint64_t bytes) {
    void *memory = aligned_alloc(CACHE_LINE_BYTES, (size_t)bytes);
    /* filled here, so that the callback is never the first to touch a page */
    return memory ? memset(memory, 0, (size_t)bytes) : NULL;
}

void *block_new(int descriptor, uint64_t first_bytes, uint64_t other_bytes, int others) {
    const uint64_t of_others = rounded(other_bytes) + (uint64_t)others * CACHE_LINE_BYTES;
    const uint64_t bytes = rounded(first_bytes) + of_others;
    struct block_header *header = descriptor < 0 ? plain(bytes) : shared(descriptor, bytes);
    if (!header)
        return NULL;
    header->magic = MAGIC;
    header->layout = ENGINE_LAYOUT;
    header->bytes = bytes;
    header->used = rounded(first_bytes);
    header->is_shared = descriptor >= 0;
    return header;
}

/* Has all pages there before the callback needs them. */
static void populate(void *memory, uint64_t bytes) {
#ifdef MADV_POPULATE_WRITE
    if (madvise(memory, (size_t)bytes, MADV_POPULATE_WRITE) == 0)
        return;
#endif
    /* a kernel before 5.14. Nothing is changed, also of what the reader writes at this moment */
    _Atomic unsigned char *page = memory;
    for (uint64_t i = 0; i < bytes; i += PAGE_BYTES)
        atomic_fetch_or_explicit(&page[i], 0, memory_order_relaxed);
}

void *block_map(int descriptor, uint64_t first_bytes) {
    struct stat status;
    if (fstat(descriptor, &status) || (uint64_t)status.st_size < first_bytes)
        return NULL;
    const uint64_t bytes = (uint64_t)status.st_size;
    struct block_header *header = mapped(descriptor, bytes);
    if (!header)
        return NULL;
    if (header->magic == MAGIC && header->layout == ENGINE_LAYOUT && header->bytes == bytes &&
        header->used >= rounded(first_bytes)) {
        populate(header, bytes);
        return header;
    }
    (void)munmap(header, (size_t)bytes);
    return NULL;
}

void *block_take(struct block_header *header, uint64_t bytes) {
    const uint64_t room = header->bytes - header->used;
    if (bytes > room || rounded(bytes) > room)
        return NULL;
    void *memory = at_distance(header, (int64_t)header->used);
    header->used += rounded(bytes);
    return memory;
}

void block_free(struct block_header *header) {
    if (header->is_shared)
        (void)munmap(header, (size_t)header->bytes);
    else
        free(header);
}
