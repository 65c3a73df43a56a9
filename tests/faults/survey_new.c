/* A program of the survey schema's second version: opens the store, which migrates it, while the shim makes
 * calls fail, and closes it.
 *
 *     survey_new FOLDER
 *
 * It prints how many calls of the watched kind there were, the status of opening, and its text. The exit
 * status is 0, or 1 with a line on stderr that says what is wrong with the process: what opening answers, a
 * lock, a file or memory that is left. */
#define _DEFAULT_SOURCE /* flock */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "judge.h"
#include "shim.h"
#include "survey.varve.h"

#pragma weak fault_arm
#pragma weak fault_disarm
#pragma weak fault_mark

enum {
    PAGE_CACHE_BYTES = 1 << 20, /* the least: pages are written before the commit */
};

static int
count_files(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* Nobody else has the store open: so the lock is free. */
static void
expect_unlocked(const char *folder)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/varve.lock", folder);
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) != 0)
        wrong("the lock", "is still held");
    if (file >= 0)
        close(file);
}

static enum varve_status
migrate(const char *folder, struct varve_error *error)
{
    struct varve_config config = {.data_dir = folder, .page_cache_bytes = PAGE_CACHE_BYTES};
    struct varve_store *store;
    enum varve_status status = varve_open(&survey_schema, &config, &store, error);
    if (status == VARVE_OK && fault_mark)
        fault_mark();
    if (status != VARVE_OK && store)
        wrong("open", "failed, and gave a store");
    varve_close(store);
    return status;
}

int
main(int argc, char **argv)
{
    struct varve_error error = {0};
    if (argc != 2)
        wrong("usage", "survey_new FOLDER");
    count_memory();
    int files = count_files();
    if (fault_arm)
        fault_arm();
    enum varve_status status = migrate(argv[1], &error);
    long count = fault_disarm ? fault_disarm() : 0;
    if (status != VARVE_OK)
        expect_told("open", status, error.message);
    expect_unlocked(argv[1]);
    if (count_files() != files)
        wrong("files", "are left open");
    expect_no_leak();
    printf("%ld %s %s\n", count, varve_status_name(status), error.message);
    return 0;
}
