/* Where varve's memory and time come from.
 *
 *     static const struct varve_allocator mine = { .allocate = my_allocate, .release = my_release };
 *     varve_set_allocator(&mine);
 */
#ifndef VARVE_MEMORY_H
#define VARVE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include <varve/version.h>

#ifdef __cplusplus
extern "C" {
#endif

struct varve_allocator {
    /* `size` bytes aligned for any type, or NULL; size is never 0. Called from any thread. */
    void *(*allocate)(void *context, size_t size);
    /* Takes back what allocate gave; memory is never NULL. Called from any thread. */
    void (*release)(void *context, void *memory);
    void *context; /* must live as long as any record, store or session */
};

/* The allocator of everything that varve allocates itself, from now on; NULL for malloc and free.
 * The struct is copied. Call it before any other function of varve: memory is released with the
 * allocator that is set at that time. Not thread-safe. */
VARVE_EXPORT void
varve_set_allocator(const struct varve_allocator *allocator);

/* Nanoseconds since 1970-01-01T00:00:00Z, the unit of every field with time: UNIX_NANOSECONDS. */
VARVE_EXPORT int64_t
varve_now(void);

#ifdef __cplusplus
}
#endif

#endif
