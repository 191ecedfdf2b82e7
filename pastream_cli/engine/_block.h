/* The block of memory that an engine is in, with its rings: plain memory, or memory that the
 * process of the device maps too.
 *
 * Each process has the block at another address: one address for all could not be promised, neither
 * where addresses are few nor under sanitizers.
 */
#ifndef PASTREAM_BLOCK_H
#define PASTREAM_BLOCK_H

#include <stdint.h>

/* What a block begins with. */
struct block_header {
    uint32_t magic;
    uint32_t layout; /* of what is in it; another build of the program may have another one */
    uint64_t bytes;  /* of the block */
    uint64_t used;   /* bytes from its beginning; multiples of a cache line */
    int32_t is_shared;
};

/* Returns a block that begins with `first_bytes` for the engine, and then has room for `others`
 * things, such as rings, of `other_bytes` together. All but the header is zero. NULL if memory is
 * short. */
void *block_new(int descriptor, uint64_t first_bytes, uint64_t other_bytes, int others);

/* Returns the block that another process has made; NULL if it is none of this version. */
void *block_map(int descriptor, uint64_t first_bytes);

/* Takes memory from the block, on a cache line of its own. NULL if there is not so much left. */
void *block_take(struct block_header *header, uint64_t bytes);

void block_free(struct block_header *header);

#endif
