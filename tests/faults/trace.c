#define _GNU_SOURCE /* syscall */

#include "trace.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int trace = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* an entry is in one piece */

void
trace_begin(const char *path)
{
    if (path)
        trace = (int)syscall(
            SYS_openat, AT_FDCWD, path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    if (path && trace < 0)
        abort();
}

void
trace_end(void)
{
    if (trace >= 0)
        close(trace);
    trace = -1;
}

/* Past the shim. */
static void
put(const void *data, size_t size)
{
    if (size > 0 && syscall(SYS_write, trace, data, size) != (long)size)
        abort();
}

void
trace_add(const char *call, const char *path, long long number, const void *data, size_t size)
{
    char line[PATH_MAX + 100];
    if (trace < 0)
        return;
    int length = snprintf(line, sizeof line, "%s %lld %zu %s\n", call, number, size, path);
    pthread_mutex_lock(&lock);
    put(line, (size_t)length);
    put(data, size);
    pthread_mutex_unlock(&lock);
}

bool
trace_path(int file, char path[PATH_MAX])
{
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = '\0';
    return length >= 0;
}

void
trace_add_file(const char *call, int file, long long number, const void *data, size_t size)
{
    char path[PATH_MAX];
    if (trace < 0)
        return;
    if (!trace_path(file, path))
        abort();
    trace_add(call, path, number, data, size);
}
