/* Preloaded into worker.c: makes the n-th call of a kind fail, or kills the process there. Calls count
 * only between fault_arm() and fault_disarm(). The environment says what is to happen:
 *
 *     FAULT_CALL    allocate (malloc, calloc, realloc), write (write, pwrite), sync (fsync,
 *                   fdatasync), open (open, openat), truncate (ftruncate), rename, unlink, mkdir
 *     FAULT_AT      the number of the call, from 1; 0: none, only count
 *     FAULT_ERRNO   what it fails with, a number
 *     FAULT_ALWAYS  set: so do all of its kind that follow
 *     FAULT_HALF    set: the first write that fails has written half before it says so, as on a disk
 *                   that has just become full
 *     FAULT_KILL    "before" or "middle": SIGKILL before the call, or when half of it is written
 *     FAULT_TRACE   a file that gets what the calls have done to files (trace.h)
 *     FAULT_NO_SYNC a pattern of paths, as fnmatch() has them, "*" not across "/": syncs of these files and
 *                   folders do nothing, so that it can be seen that a trial notices
 *
 * For glibc: the allocation functions are reached by its internal names, since dlsym() allocates. */
#define _GNU_SOURCE /* RTLD_NEXT, off64_t */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim.h"
#include "trace.h"

enum call {
    ALLOCATE,
    WRITE,
    SYNC,
    OPEN,
    TRUNCATE,
    RENAME,
    UNLINK,
    MKDIR,
    CALLS,
};

static const char *const call_names[CALLS] = {"allocate", "write",  "sync",   "open",
                                              "truncate", "rename", "unlink", "mkdir"};

static bool is_armed;
static enum call watched = CALLS;
static long at;
static atomic_long count; /* threads of the archive write too */
static int error_number;
static bool always;
static bool half;
static const char *kill_when;
static const char *no_sync;

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
    half = getenv("FAULT_HALF") != NULL;
    kill_when = getenv("FAULT_KILL");
    no_sync = getenv("FAULT_NO_SYNC");
    trace_begin(getenv("FAULT_TRACE"));
    is_armed = true;
}

long
fault_disarm(void)
{
    is_armed = false;
    trace_end();
    return count;
}

void
fault_mark(void)
{
    trace_add("mark", "", 0, NULL, 0);
}

static void
die(void)
{
    kill(getpid(), SIGKILL);
}

/* Counts a call; true when it is to fail. A write dies by itself: it may come to its middle. */
static bool
is_hit(enum call call)
{
    if (!is_armed || call != watched)
        return false;
    long number = ++count;
    bool hit = at > 0 && (number == at || (always && number > at));
    if (hit && kill_when && call != WRITE)
        die();
    if (hit)
        errno = error_number;
    return hit;
}

/* How much of a write that is to fail is written. */
static size_t
written_size(size_t size)
{
    bool torn = kill_when ? strcmp(kill_when, "middle") == 0 : half && count == at;
    return torn ? size / 2 : 0;
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
typedef int (*sync_function)(int);
typedef int (*truncate_function)(int, off64_t);
typedef int (*openat_function)(int, const char *, int, ...);
typedef int (*rename_function)(const char *, const char *);
typedef int (*unlink_function)(const char *);
typedef int (*mkdir_function)(const char *, mode_t);

static ssize_t
write_at(int file, const void *data, size_t size, off64_t offset)
{
    NEXT(pwrite_function, "pwrite64");
    if (!is_hit(WRITE)) {
        ssize_t written = next(file, data, size, offset);
        if (written > 0)
            trace_add_file("write", file, offset, data, (size_t)written);
        return written;
    }
    size_t torn = written_size(size);
    ssize_t written = torn > 0 ? next(file, data, torn, offset) : 0;
    if (kill_when)
        die();
    errno = error_number;
    return written > 0 ? written : -1;
}

ssize_t
pwrite(int file, const void *data, size_t size, off_t offset)
{
    return write_at(file, data, size, offset);
}

ssize_t
pwrite64(int file, const void *data, size_t size, off64_t offset)
{
    return write_at(file, data, size, offset);
}

/* What cannot be positioned is a terminal or a pipe, which does not fail. */
ssize_t
write(int file, const void *data, size_t size)
{
    typedef ssize_t (*write_function)(int, const void *, size_t);
    NEXT(write_function, "write");
    off64_t offset = is_armed ? lseek64(file, 0, SEEK_CUR) : -1;
    if (offset < 0)
        return next(file, data, size);
    ssize_t written = write_at(file, data, size, offset);
    if (written > 0)
        lseek64(file, written, SEEK_CUR);
    return written;
}

static int
sync_file(sync_function next, int file)
{
    char path[PATH_MAX];
    if (is_hit(SYNC))
        return -1;
    if (no_sync && is_armed && trace_path(file, path) && !fnmatch(no_sync, path, FNM_PATHNAME))
        return 0;
    int result = next(file);
    if (result == 0)
        trace_add_file("sync", file, 0, NULL, 0);
    return result;
}

int
fsync(int file)
{
    NEXT(sync_function, "fsync");
    return sync_file(next, file);
}

int
fdatasync(int file)
{
    NEXT(sync_function, "fdatasync");
    return sync_file(next, file);
}

static int
truncate_file(int file, off64_t size)
{
    NEXT(truncate_function, "ftruncate64");
    if (is_hit(TRUNCATE))
        return -1;
    int result = next(file, size);
    if (result == 0)
        trace_add_file("truncate", file, size, NULL, 0);
    return result;
}

int
ftruncate(int file, off_t size)
{
    return truncate_file(file, size);
}

int
ftruncate64(int file, off64_t size)
{
    return truncate_file(file, size);
}

/* -------------------------------------------------------------------- names */

static int
open_at(int folder, const char *path, int flags, mode_t mode)
{
    NEXT(openat_function, "openat64");
    if (is_hit(OPEN))
        return -1;
    bool is_new = is_armed && flags & O_CREAT && access(path, F_OK) != 0;
    int file = next(folder, path, flags, mode);
    if (file >= 0 && is_new)
        trace_add("make", path, 0, NULL, 0);
    if (file >= 0 && flags & O_TRUNC)
        trace_add("truncate", path, 0, NULL, 0);
    return file;
}

#define OPEN_AT(folder)                                                                            \
    va_list arguments;                                                                             \
    va_start(arguments, flags);                                                                    \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;                   \
    va_end(arguments);                                                                             \
    return open_at(folder, path, flags, mode)

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

int
rename(const char *from, const char *to)
{
    NEXT(rename_function, "rename");
    if (is_hit(RENAME))
        return -1;
    int result = next(from, to);
    if (result == 0)
        trace_add("rename", from, 0, to, strlen(to));
    return result;
}

int
unlink(const char *path)
{
    NEXT(unlink_function, "unlink");
    if (is_hit(UNLINK))
        return -1;
    int result = next(path);
    if (result == 0)
        trace_add("unlink", path, 0, NULL, 0);
    return result;
}

int
mkdir(const char *path, mode_t mode)
{
    NEXT(mkdir_function, "mkdir");
    if (is_hit(MKDIR))
        return -1;
    int result = next(path, mode);
    if (result == 0)
        trace_add("mkdir", path, 0, NULL, 0);
    return result;
}
