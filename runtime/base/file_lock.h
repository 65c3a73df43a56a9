/* A lock on a file that programs of one store share: each holds it shared as long as it has the store
 * open, and whoever changes what the others must not see changing holds it alone. The operating system
 * drops it when its holder dies. */
#ifndef VARVE_BASE_FILE_LOCK_H
#define VARVE_BASE_FILE_LOCK_H

#include <stdbool.h>
#include <stddef.h>

#include <varve/status.h>

#include "base/fork.h"

struct varve__file_lock {
    struct varve__fork_file handle; /* a forked child does not hold the lock */
    bool exclusive;
    bool held;
};

/* Without a file: nothing is locked, and closing is fine. */
void
varve__file_lock_init(struct varve__file_lock *lock);

/* Opens the file, making it (0600) where it is missing. Does not lock yet. With `optional` a file that
 * cannot be opened is left alone: then trying the lock always succeeds. */
enum varve_status
varve__file_lock_open(struct varve__file_lock *lock, const char *path, bool optional);

/* Takes the lock, or changes its kind, without waiting; what was held before is given up first.
 * VARVE_BUSY, with no text: others hold it, and nothing is held now. */
enum varve_status
varve__file_lock_try(struct varve__file_lock *lock, bool exclusive);

void
varve__file_lock_release(struct varve__file_lock *lock);

/* Writes the processes that hold the lock, as far as the system tells: "process 17, process 230". "" when
 * it does not. */
void
varve__file_lock_holders(const struct varve__file_lock *lock, char *text, size_t size);

void
varve__file_lock_close(struct varve__file_lock *lock);

#endif
