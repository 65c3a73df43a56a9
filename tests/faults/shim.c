/* Preloaded into worker.c: makes the n-th call of a kind fail, or kills the process there. Calls count
 * only between fault_arm() and fault_disarm(). The environment says what is to happen:
 *
 *     FAULT_CALL    allocate (malloc, calloc, realloc), write (write, pwrite), sync (fsync,
 *                   fdatasync), open (open, openat), truncate (ftruncate)
 *     FAULT_AT      the number of the call, from 1; 0: none, only count
 *     FAULT_ERRNO   what it fails with, a number
 *     FAULT_ALWAYS  set: so do all of its kind that follow
 *     FAULT_KILL    "before" or "middle": SIGKILL before the call, or when half of it is written
 *
 * For glibc: the allocation functions are reached by its internal names, since dlsym() allocates. */
#define _GNU_SOURCE /* RTLD_NEXT, off64_t */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim.h"

enum call {
    ALLOCATE,
    WRITE,
    SYNC,
    OPEN,
    TRUNCATE,
    CALLS,
};

static const char *const call_names[CALLS] = {"allocate", "write", "sync", "open", "truncate"};

static bool is_armed;
static enum call watched = CALLS;
static long at;
static long count;
static int error_number;
static bool always;
static const char *kill_when;

void
fault_arm(void)
{
    const char *name = getenv("FAULT_CALL");
    const char *number = getenv("FAULT_AT");
    const char *code = getenv("FAULT_ERRNO");
    for (int i = 0; name && i < CALLS; i++) {
        if (strcmp(call_names[i], name) == 0)
            watched = (enum call)i;
    }
    at = number ? atol(number) : 0;
    error_number = code ? atoi(code) : ENOMEM;
    always = getenv("FAULT_ALWAYS") != NULL;
    kill_when = getenv("FAULT_KILL");
    is_armed = true;
}

long
fault_disarm(void)
{
    is_armed = false;
    return count;
}

/* Counts a call; true when it is to fail. */
static bool
is_hit(enum call call)
{
    if (!is_armed || call != watched)
        return false;
    count++;
    bool hit = at > 0 && (count == at || (always && count > at));
    if (hit)
        errno = error_number;
    return hit;
}

static void
die(void)
{
    kill(getpid(), SIGKILL);
}

/* -------------------------------------------------------------------- allocation */

extern void *
__libc_malloc(size_t size);
extern void *
__libc_calloc(size_t number, size_t size);
extern void *
__libc_realloc(void *memory, size_t size);

void *
malloc(size_t size)
{
    return is_hit(ALLOCATE) ? NULL : __libc_malloc(size);
}

void *
calloc(size_t number, size_t size)
{
    return is_hit(ALLOCATE) ? NULL : __libc_calloc(number, size);
}

void *
realloc(void *memory, size_t size)
{
    return is_hit(ALLOCATE) ? NULL : __libc_realloc(memory, size);
}

/* -------------------------------------------------------------------- files */

/* The function that this one hides. */
#define NEXT(type, name)                                                                           \
    static type next;                                                                              \
    if (!next)                                                                                     \
    *(void **)&next = dlsym(RTLD_NEXT, name)

typedef ssize_t (*pwrite_function)(int, const void *, size_t, off64_t);
typedef ssize_t (*write_function)(int, const void *, size_t);
typedef int (*sync_function)(int);
typedef int (*truncate_function)(int, off64_t);
typedef int (*openat_function)(int, const char *, int, ...);

static ssize_t
write_at(pwrite_function next, int file, const void *data, size_t size, off64_t offset)
{
    if (!is_hit(WRITE))
        return next(file, data, size, offset);
    if (kill_when && strcmp(kill_when, "middle") == 0)
        (void)!next(file, data, size / 2, offset);
    if (kill_when)
        die();
    return -1;
}

ssize_t
pwrite(int file, const void *data, size_t size, off_t offset)
{
    NEXT(pwrite_function, "pwrite64");
    return write_at(next, file, data, size, offset);
}

ssize_t
pwrite64(int file, const void *data, size_t size, off64_t offset)
{
    NEXT(pwrite_function, "pwrite64");
    return write_at(next, file, data, size, offset);
}

ssize_t
write(int file, const void *data, size_t size)
{
    NEXT(write_function, "write");
    if (!is_hit(WRITE))
        return next(file, data, size);
    if (kill_when && strcmp(kill_when, "middle") == 0)
        (void)!next(file, data, size / 2);
    if (kill_when)
        die();
    return -1;
}

int
fsync(int file)
{
    NEXT(sync_function, "fsync");
    return is_hit(SYNC) ? -1 : next(file);
}

int
fdatasync(int file)
{
    NEXT(sync_function, "fdatasync");
    return is_hit(SYNC) ? -1 : next(file);
}

int
ftruncate(int file, off_t size)
{
    NEXT(truncate_function, "ftruncate64");
    return is_hit(TRUNCATE) ? -1 : next(file, size);
}

int
ftruncate64(int file, off64_t size)
{
    NEXT(truncate_function, "ftruncate64");
    return is_hit(TRUNCATE) ? -1 : next(file, size);
}

#define OPEN_AT(folder)                                                                            \
    va_list arguments;                                                                             \
    va_start(arguments, flags);                                                                    \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;                   \
    va_end(arguments);                                                                             \
    NEXT(openat_function, "openat64");                                                             \
    return is_hit(OPEN) ? -1 : next(folder, path, flags, mode)

int
open(const char *path, int flags, ...)
{
    OPEN_AT(AT_FDCWD);
}

int
open64(const char *path, int flags, ...)
{
    OPEN_AT(AT_FDCWD);
}

int
openat(int folder, const char *path, int flags, ...)
{
    OPEN_AT(folder);
}

int
openat64(int folder, const char *path, int flags, ...)
{
    OPEN_AT(folder);
}
