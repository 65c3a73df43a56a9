/* Memory from the allocator that the program has set, and size arithmetic that cannot wrap. */
#ifndef VARVE_BASE_MEMORY_H
#define VARVE_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <varve/memory.h>

/* `size` bytes aligned for any type, not cleared; NULL when there are none left. Zero bytes give a
 * pointer that is not NULL. Release it with varve__release(). */
void *
varve__allocate(size_t size);

/* NULL is fine. */
void
varve__release(void *memory);

/* *sum = a + b, *product = a * b; false when the result does not fit. */
static inline bool
varve__size_add(size_t a, size_t b, size_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}

static inline bool
varve__size_multiply(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

#endif
