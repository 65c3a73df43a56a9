/* The allocator hooks. */
#define _DEFAULT_SOURCE /* madvise() */
#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    HUGE_LEAST = 4 << 20 /* bytes of a block from which large pages are worth a system call */
};

/* Memory of a large tensor is new to the process each time, and the first touch of its pages costs as much as
 * inflating what goes there: 45 ms for 64 MiB in pages of 4 KiB on a virtual machine, 7 ms in pages of 2 MiB. */
static void
ask_for_huge_pages(void *memory, size_t size)
{
#ifdef MADV_HUGEPAGE
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = ((uintptr_t)memory + page - 1) / page * page;
    uintptr_t end = ((uintptr_t)memory + size) / page * page;
    if (start < end) /* a wish: whoever cannot grant it gives small ones */
        (void)madvise((void *)start, end - start, MADV_HUGEPAGE);
#else
    (void)memory, (void)size;
#endif
}

static void *
allocate_default(void *context, size_t size)
{
    (void)context;
    void *memory = malloc(size);
    if (memory && size >= HUGE_LEAST)
        ask_for_huge_pages(memory, size);
    return memory;
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
