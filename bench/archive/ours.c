/* The stores of varve's sides. */
#include "archive/ours.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>

#include <lab.varve.h>
#include <varve/archive.h>

#include "common/bench.h"
#include "common/folder.h"

void
ours_must(const struct ours_store *ours, enum varve_status status, const char *what)
{
    if (status != VARVE_OK)
        bench_fail("varve: %s: %s", what, varve_session_error(ours->session));
}

static void
open_store(struct ours_store *ours)
{
    const struct varve_config config = {.data_dir = ours->folder};
    struct varve_error error;
    if (varve_open(&lab_schema, &config, &ours->store, &error) != VARVE_OK)
        bench_fail("varve: open: %s", error.message);
    ours->session = NULL;
    ours_must(ours, varve_session_open(ours->store, &ours->session), "open a session");
}

static void
close_store(struct ours_store *ours)
{
    varve_session_close(ours->session);
    varve_close(ours->store);
    bench_folder_remove(ours->folder);
}

void
ours_store_open(struct ours_store *ours, const char *folder, const char *name)
{
    *ours = (struct ours_store){.folder = bench_folder_path(folder, name)};
    open_store(ours);
}

void
ours_store_remove(struct ours_store *ours)
{
    close_store(ours);
    free(ours->folder);
}

void
ours_store_renew(struct ours_store *ours)
{
    close_store(ours);
    open_store(ours);
}

/* A flush is no session's call: its text is the thread's. */
void
ours_store_flush(struct ours_store *ours)
{
    if (varve_flush(ours->store) != VARVE_OK)
        bench_fail("varve: flush: %s", varve_session_error(NULL));
}

/* ------------------------------------------------------------------ size */

static uint64_t found; /* nftw() has no argument of the caller's */

static int
add_segment(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)place;
    size_t length = strlen(path);
    if (type == FTW_F && length > 3 && strcmp(path + length - 3, ".h5") == 0)
        found += (uint64_t)status->st_size;
    return 0;
}

uint64_t
ours_store_size(const struct ours_store *ours)
{
    enum {
        DESCRIPTORS = 16
    };
    found = 0;
    if (nftw(ours->folder, add_segment, DESCRIPTORS, FTW_PHYS) != 0 || found == 0)
        bench_fail("varve: there is no segment in %s", ours->folder);
    return found;
}
