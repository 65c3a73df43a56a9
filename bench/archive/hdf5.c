/* Errors of libhdf5, and what makes its files durable. */
#include "archive/hdf5.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/bench.h"

hid_t
hdf5_handle(hid_t handle, const char *what)
{
    if (handle < 0)
        bench_fail("libhdf5: %s failed", what);
    return handle;
}

void
hdf5_must(herr_t status, const char *what)
{
    if (status < 0)
        bench_fail("libhdf5: %s failed", what);
}

static void
sync_one(const char *path)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 || fsync(descriptor) != 0)
        bench_fail("cannot sync %s: %s", path, strerror(errno));
    close(descriptor);
}

void
hdf5_sync(const char *path, const char *folder)
{
    sync_one(path);
    sync_one(folder);
}
