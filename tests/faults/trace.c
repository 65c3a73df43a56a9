#define _GNU_SOURCE /* syscall */

#include "trace.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int trace = -1;

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
    put(line, (size_t)length);
    put(data, size);
}

void
trace_add_file(const char *call, int file, long long number, const void *data, size_t size)
{
    char link[40], path[PATH_MAX];
    if (trace < 0)
        return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        abort();
    path[length] = '\0';
    trace_add(call, path, number, data, size);
}
