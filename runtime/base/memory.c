/* The allocator hooks. */
#include "base/memory.h"

#include <stdlib.h>

static void *
allocate_default(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void
release_default(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static const struct varve_allocator standard = {
    .allocate = allocate_default,
    .release = release_default,
};

static struct varve_allocator current = {
    .allocate = allocate_default,
    .release = release_default,
};

void
varve_set_allocator(const struct varve_allocator *allocator)
{
    current = allocator ? *allocator : standard;
}

void *
varve__allocate(size_t size)
{
    if (size > PTRDIFF_MAX) /* no allocator has that, and some complain loudly */
        return NULL;
    return current.allocate(current.context, size ? size : 1);
}

void
varve__release(void *memory)
{
    if (memory)
        current.release(current.context, memory);
}
