/* Temporary folders of the benchmarks. */
#include "common/folder.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/bench.h"

static char *made; /* the program's folder */

static int
remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

void
bench_folder_remove(const char *path)
{
    enum {
        DESCRIPTORS = 16
    };
    nftw(path, remove_entry, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

static void
remove_made(void)
{
    bench_folder_remove(made);
    free(made);
}

char *
bench_folder_path(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    if (!path)
        bench_fail("out of memory");
    snprintf(path, size, "%s/%s", folder, name);
    return path;
}

const char *
bench_folder_make(const char *parent)
{
    char *path = bench_folder_path(parent, "bench-XXXXXX");
    if (!mkdtemp(path))
        bench_fail("cannot make a folder in %s: %s", parent, strerror(errno));
    made = path;
    atexit(remove_made);
    return made;
}
