/* A bump arena that begins as one block and grows by further ones; all are released together.
 *
 *     struct varve__arena *arena = varve__arena_create(size);
 *     struct cortex_episode *episode = varve__arena_allocate(arena, sizeof *episode);
 *     ...
 *     varve__arena_release(varve__arena_of(episode));
 *
 * The arena's own header lies directly before its first allocation, so a record that is allocated
 * first leads back to its arena: header, struct and payload are one malloc, and the user frees the
 * record.
 */
#ifndef VARVE_BASE_ARENA_H
#define VARVE_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

enum {
    VARVE__ARENA_ALIGNMENT = 8 /* of every allocation; no field type needs more */
};

struct varve__arena_chunk;

struct varve__arena {
    uint8_t *next; /* free bytes of the current chunk: [next, end) */
    uint8_t *end;
    struct varve__arena_chunk *chunks; /* those after the first block, the newest first */
    size_t chunk_size;                 /* of the next chunk; doubles */
};

/* A size rounded up to the alignment; 0 when it wraps. */
static inline size_t
varve__arena_round(size_t size)
{
    return (size + (VARVE__ARENA_ALIGNMENT - 1)) & ~(size_t)(VARVE__ARENA_ALIGNMENT - 1);
}

/* An arena whose first block holds `size` bytes of allocations; NULL when there is no memory. */
struct varve__arena *
varve__arena_create(size_t size);

/* What varve__arena_allocate() does when the current chunk is full. */
void *
varve__arena_grow(struct varve__arena *arena, size_t size);

/* `size` bytes, 8-aligned, not cleared. NULL when there is no memory. */
static inline void *
varve__arena_allocate(struct varve__arena *arena, size_t size)
{
    /* Both ends of a chunk are aligned: what fits unrounded also fits rounded. */
    if (__builtin_expect(size > (size_t)(arena->end - arena->next), 0))
        return varve__arena_grow(arena, size);
    void *memory = arena->next;
    arena->next += varve__arena_round(size);
    return memory;
}

/* Gives back what lies behind the first `kept` bytes of an allocation of `size`, if nothing was
 * allocated since; otherwise nothing happens. */
static inline void
varve__arena_shrink(struct varve__arena *arena, void *memory, size_t size, size_t kept)
{
    if ((uint8_t *)memory + varve__arena_round(size) == arena->next)
        arena->next = (uint8_t *)memory + varve__arena_round(kept);
}

/* The arena whose first allocation this is. */
static inline struct varve__arena *
varve__arena_of(void *first)
{
    return (struct varve__arena *)first - 1;
}

/* What varve__arena_reset() does when there are chunks. */
void
varve__arena_collapse(struct varve__arena *arena);

/* Forgets all allocations; their memory serves the next ones. What is kept is one block: the newest, or
 * the first when the newest is a large one. */
static inline void
varve__arena_reset(struct varve__arena *arena)
{
    if (arena->chunks)
        varve__arena_collapse(arena);
    else
        arena->next = (uint8_t *)(arena + 1);
}

/* Releases everything. NULL is fine. */
void
varve__arena_release(struct varve__arena *arena);

#endif
