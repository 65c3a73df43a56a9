/* What fails under a segment that is written: each failure is told with its cause, and nothing is left. */
#define _GNU_SOURCE /* EDQUOT, RLIMIT_FSIZE */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "segment_support.h"

/* The n-th of these calls fails with this errno; 0: none does. */
static struct {
    int at;
    int error;
    int count;
} syncs, renames, writes;

#define FAULT(fault) (++(fault).count == (fault).at && (errno = (fault).error, true))

int
__real_fsync(int file);
int
__wrap_fsync(int file);
int
__real_rename(const char *from, const char *to);
int
__wrap_rename(const char *from, const char *to);
/* pwrite() where files may be larger than 2 GiB by a macro, which is what the runtime is built with. */
ssize_t
__real_pwrite64(int file, const void *data, size_t size, off64_t offset);
ssize_t
__wrap_pwrite64(int file, const void *data, size_t size, off64_t offset);
ssize_t
__wrap_pwrite(int file, const void *data, size_t size, off_t offset);

int
__wrap_fsync(int file)
{
    return FAULT(syncs) ? -1 : __real_fsync(file);
}

int
__wrap_rename(const char *from, const char *to)
{
    return FAULT(renames) ? -1 : __real_rename(from, to);
}

/* Any other write is short, so that every one has to go on. */
ssize_t
__wrap_pwrite64(int file, const void *data, size_t size, off64_t offset)
{
    if (FAULT(writes))
        return -1;
    return __real_pwrite64(file, data, size > 1 && writes.count % 2 ? size / 2 : size, offset);
}

ssize_t
__wrap_pwrite(int file, const void *data, size_t size, off_t offset)
{
    return __wrap_pwrite64(file, data, size, offset);
}

static int
setup(void **state)
{
    memset(&syncs, 0, sizeof syncs);
    memset(&renames, 0, sizeof renames);
    memset(&writes, 0, sizeof writes);
    *state = lab_folder_make();
    return 0;
}

static int
teardown(void **state)
{
    lab_folder_delete(*state);
    return 0;
}

/* One attempt; the folder is empty after a failure. */
static enum varve_status
attempt(const char *folder, int kind)
{
    struct lab lab;
    struct lab_data data;
    struct varve__segment *segment;
    lab_init(&lab, folder);
    lab.archive.layout = kind & 1 ? VARVE_ARCHIVE_OBJECT : VARVE_ARCHIVE_COLUMN;
    lab.archive.compression = kind & 2 ? VARVE_ARCHIVE_NONE : VARVE_ARCHIVE_DEFLATE;
    lab_data_make(&data, 6, 20, 1);
    enum varve_status status = lab_write(&lab, &data, SIZE_MAX, &segment);
    if (status == VARVE_OK)
        lab_check(&lab, &data, segment);
    varve__segment_release(segment);
    lab_data_free(&data);
    return status;
}

static void
assert_failure(int error, const char *text)
{
    assert_int_equal(varve__thread_failure()->system_errno, error);
    assert_int_equal(varve__thread_failure()->tier, VARVE_TIER_ARCHIVE);
    assert_string_equal(varve__thread_failure()->record, "lab.Recording");
    if (!strstr(varve__thread_error(), text))
        fail_msg("no \"%s\" in: %s", text, varve__thread_error());
}

static void
every_write_that_fails_is_told_and_leaves_nothing(void **state)
{
    static const struct {
        int error;
        enum varve_status status;
        const char *text;
    } faults[] = {
        {ENOSPC, VARVE_FULL, "make room on the disk"},
        {EDQUOT, VARVE_FULL, "make room on the disk"},
        {EIO, VARVE_IO, "see what the system's log says"},
        {EROFS, VARVE_READ_ONLY, "let this user write to the folder"},
        {ENOMEM, VARVE_NO_MEMORY, "free some memory, then try again"},
    };
    const int fault_count = sizeof faults / sizeof *faults;
    for (int kind = 0; kind < 4; kind++) {
        writes.at = writes.count = 0;
        assert_int_equal(attempt(*state, kind), VARVE_OK);
        int count = writes.count;
        assert_true(count > 10);
        assert_int_equal(lab_count_files(*state, ".h5"), kind + 1);
        for (int at = 1; at <= count; at += 1 + count / 150) {
            writes.at = at;
            writes.count = 0;
            writes.error = faults[at % fault_count].error;
            assert_int_equal(attempt(*state, kind), faults[at % fault_count].status);
            assert_failure(faults[at % fault_count].error, faults[at % fault_count].text);
            assert_int_equal(lab_count_files(*state, ""), kind + 1);
        }
    }
}

static void
an_interrupted_write_goes_on(void **state)
{
    for (writes.at = 1; writes.at < 40; writes.at += 3) {
        writes.count = 0;
        writes.error = EINTR;
        assert_int_equal(attempt(*state, writes.at % 4), VARVE_OK);
        assert_true(writes.count > writes.at); /* it has happened */
    }
}

static void
a_failed_fsync_is_never_tried_again(void **state)
{
    for (syncs.at = 1; syncs.at <= 2; syncs.at++) { /* of the file, of its folder */
        syncs.count = 0;
        syncs.error = EIO;
        assert_int_equal(attempt(*state, 0), VARVE_IO);
        assert_failure(EIO, "sync");
        assert_int_equal(syncs.count, syncs.at);
        assert_int_equal(lab_count_files(*state, ""), 0);
    }
}

static void
file_and_folder_are_synced(void **state)
{
    assert_int_equal(attempt(*state, 0), VARVE_OK);
    assert_int_equal(syncs.count, 2);
    assert_int_equal(renames.count, 1);
}

static void
a_failed_rename_leaves_nothing(void **state)
{
    renames.at = 1;
    renames.error = EIO;
    assert_int_equal(attempt(*state, 0), VARVE_IO);
    assert_failure(EIO, "cannot rename the segment");
    assert_int_equal(lab_count_files(*state, ""), 0);
}

static void
a_folder_that_is_missing_is_named(void **state)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/none", (const char *)*state);
    assert_int_equal(attempt(path, 0), VARVE_IO);
    assert_failure(ENOENT, path);
    assert_non_null(strstr(varve__thread_error(), "the archive's folder was removed"));
}

static void
a_limit_on_the_size_of_files_is_told(void **state)
{
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 20000;
    signal(SIGXFSZ, SIG_IGN);
    for (int kind = 0; kind < 4; kind++) {
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        enum varve_status status = attempt(*state, kind);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        assert_int_equal(status, VARVE_FULL);
        assert_failure(EFBIG, "raise the process's limit on the size of files");
        assert_int_equal(lab_count_files(*state, ""), 0);
    }
}

/* In a child, since root may write everywhere. */
static void
a_folder_that_may_not_be_written_is_told(void **state)
{
    assert_int_equal(chmod(*state, 0555), 0);
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(1);
        bool told = attempt(*state, 0) == VARVE_READ_ONLY &&
                    strstr(varve__thread_error(), "let this user write to the folder");
        _exit(told ? 7 : 2);
    }
    int code;
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_int_equal(chmod(*state, 0755), 0);
    assert_true(WIFEXITED(code));
    assert_int_equal(WEXITSTATUS(code), 7);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_write_that_fails_is_told_and_leaves_nothing),
        TEST(an_interrupted_write_goes_on),
        TEST(a_failed_fsync_is_never_tried_again),
        TEST(file_and_folder_are_synced),
        TEST(a_failed_rename_leaves_nothing),
        TEST(a_folder_that_is_missing_is_named),
        TEST(a_limit_on_the_size_of_files_is_told),
        TEST(a_folder_that_may_not_be_written_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
