/* The bump arena: blocks, growth, reset, release. */
#include "base/arena.h"

#include "base/memory.h"

struct varve__arena_chunk {
    struct varve__arena_chunk *next;
    uint8_t *end_before; /* the arena's `end` before this chunk was made */
};

enum {
    CHUNK_MIN = 512,
    CHUNK_MAX = 1 << 20 /* chunks double up to here; larger only for one large allocation */
};

_Static_assert(
    sizeof(struct varve__arena) % VARVE__ARENA_ALIGNMENT == 0,
    "the first allocation follows the header directly");
_Static_assert(
    sizeof(struct varve__arena_chunk) % VARVE__ARENA_ALIGNMENT == 0,
    "allocations follow the chunk's header directly");

struct varve__arena *
varve__arena_create(size_t size)
{
    size_t total;
    if (size > SIZE_MAX - VARVE__ARENA_ALIGNMENT)
        return NULL;
    size = varve__arena_round(size);
    if (!varve__size_add(size, sizeof(struct varve__arena), &total))
        return NULL;
    struct varve__arena *arena = varve__allocate(total);
    if (!arena)
        return NULL;
    *arena = (struct varve__arena){
        .next = (uint8_t *)(arena + 1),
        .end = (uint8_t *)(arena + 1) + size,
        .chunk_size = size < CHUNK_MIN   ? CHUNK_MIN
                      : size < CHUNK_MAX ? size
                                         : CHUNK_MAX,
    };
    return arena;
}

void *
varve__arena_grow(struct varve__arena *arena, size_t size)
{
    struct varve__arena_chunk *chunk = NULL;
    size_t capacity = arena->chunk_size;
    size_t total;
    if (size <= SIZE_MAX - VARVE__ARENA_ALIGNMENT) {
        if (capacity < size)
            capacity = varve__arena_round(size);
        if (varve__size_add(capacity, sizeof *chunk, &total))
            chunk = varve__allocate(total);
    }
    if (!chunk)
        return NULL;
    *chunk = (struct varve__arena_chunk){.next = arena->chunks, .end_before = arena->end};
    arena->chunks = chunk;
    if (arena->chunk_size < CHUNK_MAX)
        arena->chunk_size *= 2;
    uint8_t *memory = (uint8_t *)(chunk + 1);
    arena->next = memory + varve__arena_round(size);
    arena->end = memory + capacity;
    return memory;
}

/* Releases these chunks, the newest first; returns the end of the block before them. */
static uint8_t *
release_chunks(struct varve__arena_chunk *chunk, uint8_t *end)
{
    while (chunk) {
        struct varve__arena_chunk *next = chunk->next;
        end = chunk->end_before;
        varve__release(chunk);
        chunk = next;
    }
    return end;
}

void
varve__arena_collapse(struct varve__arena *arena)
{
    struct varve__arena_chunk *newest = arena->chunks;
    if ((size_t)(arena->end - (uint8_t *)(newest + 1)) <= CHUNK_MAX) {
        newest->end_before = release_chunks(newest->next, newest->end_before);
        newest->next = NULL;
        arena->next = (uint8_t *)(newest + 1);
    } else {
        arena->end = release_chunks(newest, arena->end);
        arena->chunks = NULL;
        arena->next = (uint8_t *)(arena + 1);
    }
}

void
varve__arena_release(struct varve__arena *arena)
{
    if (!arena)
        return;
    (void)release_chunks(arena->chunks, NULL);
    varve__release(arena);
}
