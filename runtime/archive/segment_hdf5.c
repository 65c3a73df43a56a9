/* The lock around libhdf5, and what its failures mean. */
#define _DEFAULT_SOURCE /* EDQUOT's text, as strerror has it */

#include "archive/segment_hdf5.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum {
    REASON_SIZE = 160 /* of libhdf5's words in a message, with the NUL */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool prepared;
static bool ended; /* exit() was called */

/* libhdf5 ends itself in a handler of exit(), while other threads may be within it. Handlers run in reverse
 * order: this one was set after libhdf5's, waits for who is within, and lets nobody in any more. */
static void
end(void)
{
    pthread_mutex_lock(&lock);
    ended = true;
    pthread_mutex_unlock(&lock);
}

static void
before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void
after_fork(void)
{
    pthread_mutex_unlock(&lock);
}

static bool
prepare(void)
{
    if (!prepared && H5open() >= 0 && atexit(end) == 0 &&
        pthread_atfork(before_fork, after_fork, after_fork) == 0)
        prepared = true;
    return prepared;
}

bool
varve__hdf5_enter(struct varve__hdf5_call *call)
{
    pthread_mutex_lock(&lock);
    if (ended || !prepare()) {
        pthread_mutex_unlock(&lock);
        return false;
    }
    /* The program may use libhdf5 too and want its errors printed: of this thread, or of all of them. */
    *call = (struct varve__hdf5_call){0};
    H5Eget_auto2(H5E_DEFAULT, &call->print, &call->print_data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return true;
}

void
varve__hdf5_leave(const struct varve__hdf5_call *call)
{
    H5Eset_auto2(H5E_DEFAULT, call->print, call->print_data);
    pthread_mutex_unlock(&lock);
}

/* -------------------------------------------------------------------- failures */

static enum varve_status
status_of(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return VARVE_FULL;
    case EACCES:
    case EPERM:
    case EROFS:
        return VARVE_READ_ONLY;
    case ENOMEM:
        return VARVE_NO_MEMORY;
    default:
        return VARVE_IO;
    }
}

static const char *
mend_of(int error)
{
    switch (status_of(error)) {
    case VARVE_FULL:
        return error == EFBIG ? "raise the process's limit on the size of files, or set a smaller "
                                "segment_bytes"
                              : "make room on the disk of data_dir, then try again";
    case VARVE_READ_ONLY:
        return "let this user write to the folder";
    case VARVE_NO_MEMORY:
        return "free some memory, then try again";
    default:
        return error == ENOENT || error == ENOTDIR
                   ? "the archive's folder was removed: put it back, or open the store again"
                   : "see what the system's log says of the disk";
    }
}

enum varve_status
varve__archive_fail_errno(int error, const char *record, const char *what, const char *path)
{
    enum varve_status status = varve__fail(
        status_of(error), VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, record,
        "cannot %s the segment %s: %s; %s", what, path, strerror(error), mend_of(error));
    varve__failure_set_errno(error);
    return status;
}

enum varve_status
varve__hdf5_fail_ended(const char *record, const char *path)
{
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, record,
        "the segment %s cannot be written: the process is ending, or libhdf5 could not start; "
        "close stores before exit()",
        path);
}

struct reason {
    bool found;
    bool memory;
    char text[REASON_SIZE];
};

/* Called for the innermost entry of libhdf5's stack first: that one tells most. */
static herr_t
note_reason(unsigned depth, const H5E_error2_t *entry, void *context)
{
    struct reason *reason = context;
    (void)depth;
    if (entry->maj_num == H5E_RESOURCE && entry->min_num == H5E_NOSPACE)
        reason->memory = true;
    if (!reason->found && entry->desc) {
        reason->found = true;
        strncpy(reason->text, entry->desc, sizeof reason->text - 1);
    }
    return 0;
}

enum varve_status
varve__hdf5_fail(
    const struct varve__hdf5_file *file, const char *record, const char *what, const char *path)
{
    struct reason reason = {.text = "no reason given"};
    if (file->error)
        return varve__archive_fail_errno(file->error, record, what, path);
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, note_reason, &reason);
    if (reason.memory)
        return varve__archive_fail_errno(ENOMEM, record, what, path);
    return varve__fail(
        VARVE_IO, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, record,
        "cannot %s the segment %s: HDF5 says: %s; try again, and report it if it stays so", what,
        path, reason.text);
}
