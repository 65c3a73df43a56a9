/* A segment's file on disk. Paths and not folder descriptors, so that the calls are those that the tests
 * of power loss record. */
#define _GNU_SOURCE             /* flock, sync_file_range */
#define XXH_STATIC_LINKING_ONLY /* the state of a hash on the stack: it wants 64-byte alignment */

#include "archive/segment_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

#include "archive/segment_hdf5.h"
#include "base/error.h"
#include "base/memory.h"

enum {
    NAME_SIZE = 16 + sizeof ".h5", /* with the NUL */
    ATTEMPTS = 16,
    START_EVERY = 8 << 20, /* bytes: few calls, and disks like large writes */
    BLOCK_SIZE = 1 << 18   /* read at a time for the hash: it stays in the processor's cache */
};

static const char temporary_end[] = ".tmp";

static enum varve_status
fail(const struct varve__segment_file *file, const char *what)
{
    return varve__archive_fail_errno(
        errno, file->record, what, file->named ? file->path : file->temporary);
}

/* -------------------------------------------------------------------- making it */

/* Chooses a name that no other file has had or will have. */
static bool
choose_name(struct varve__segment_file *file, size_t folder_length)
{
    uint64_t number;
    ssize_t got;
    do {
        got = getrandom(&number, sizeof number, 0);
    } while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof number)
        return false;
    char *path = file->paths + folder_length + 1;
    char *temporary = path + folder_length + 1 + NAME_SIZE;
    size_t room = folder_length + 1 + NAME_SIZE;
    memcpy(path, file->folder, folder_length);
    snprintf(path + folder_length, NAME_SIZE + 1, "/%016llx.h5", (unsigned long long)number);
    memcpy(temporary, path, room - 1);
    memcpy(temporary + room - 1, temporary_end, sizeof temporary_end);
    file->path = path;
    file->temporary = temporary;
    file->name = path + folder_length + 1;
    return true;
}

/* Locks the new file. False with errno 0: a sweeper was faster and has deleted it. */
static bool
lock(struct varve__segment_file *file)
{
    struct stat mine;
    int code;
    do {
        code = flock(file->handle.file, LOCK_SH | LOCK_NB);
    } while (code != 0 && errno == EINTR);
    bool taken = code != 0 && errno == EWOULDBLOCK; /* by the sweeper that will delete it */
    if (!taken && (code != 0 || fstat(file->handle.file, &mine) != 0))
        return false;
    errno = 0;
    return !taken && mine.st_nlink > 0;
}

static void
drop(struct varve__segment_file *file)
{
    varve__fork_drop_file(&file->handle);
    if (file->handle.file >= 0)
        close(file->handle.file);
    file->handle.file = -1;
}

/* One attempt. False with errno 0: try another name. */
static bool
make(struct varve__segment_file *file)
{
    file->handle.file = open(file->temporary, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (file->handle.file < 0) {
        errno = errno == EEXIST || errno == EINTR ? 0 : errno;
        return false;
    }
    varve__fork_add_file(&file->handle);
    if (lock(file)) {
        file->made = true;
        return true;
    }
    int error = errno;
    if (error)
        unlink(file->temporary);
    drop(file);
    errno = error;
    return false;
}

enum varve_status
varve__segment_file_create(struct varve__segment_file *file, const char *folder, const char *record)
{
    size_t length = strlen(folder);
    size_t size = 3 * (length + 1) + 2 * NAME_SIZE + sizeof temporary_end;
    *file = (struct varve__segment_file){.record = record, .handle = {.file = -1}};
    varve__fork_watch();
    file->paths = varve__allocate(size);
    if (!file->paths)
        return varve__fail_memory(record, size);
    file->folder = memcpy(file->paths, folder, length + 1);
    file->path = file->temporary = file->folder;
    for (int i = 0; i < ATTEMPTS; i++) {
        if (!choose_name(file, length))
            return fail(file, "name");
        if (make(file))
            return VARVE_OK;
        if (errno)
            return fail(file, "make");
    }
    errno = EEXIST;
    return fail(file, "make");
}

/* -------------------------------------------------------------------- making it durable */

/* Asks the system to begin with so many bytes, 0: all that follow. A hint: what fails here fails in fsync()
 * again. */
static void
start(struct varve__segment_file *file, uint64_t count)
{
#ifdef SYNC_FILE_RANGE_WRITE
    sync_file_range(file->handle.file, (off_t)file->started, (off_t)count, SYNC_FILE_RANGE_WRITE);
#endif
    file->started += count;
}

void
varve__segment_file_advance(struct varve__segment_file *file, uint64_t end)
{
    if (end >= file->started + START_EVERY)
        start(file, end - file->started);
}

bool
varve__segment_file_hash(int file, int64_t *size, uint64_t *hash)
{
    XXH3_state_t state;
    char *block = varve__allocate(BLOCK_SIZE);
    ssize_t got = -1;
    if (!block) {
        errno = ENOMEM;
        return false;
    }
    *size = 0;
    XXH3_64bits_reset(&state);
    do {
        got = pread(file, block, BLOCK_SIZE, (off_t)*size);
        if (got > 0) {
            XXH3_64bits_update(&state, block, (size_t)got);
            *size += got;
        }
    } while (got > 0 || (got < 0 && errno == EINTR));
    *hash = XXH3_64bits_digest(&state);
    int error = errno;
    varve__release(block);
    errno = error;
    return got == 0;
}

/* Reads the file, which is in the page cache; the disk is at work meanwhile. */
static bool
hash_file(struct varve__segment_file *file)
{
    return varve__segment_file_hash(file->handle.file, &file->size, &file->hash);
}

/* Not tried again, whatever it says: after a failure nobody knows what is on disk. */
static bool
sync_folder(const char *folder)
{
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    int code = fsync(descriptor);
    int error = errno;
    close(descriptor);
    errno = error;
    return code == 0;
}

enum varve_status
varve__segment_file_finish(struct varve__segment_file *file)
{
    start(file, 0);
    if (!hash_file(file))
        return fail(file, "read back");
    if (fsync(file->handle.file) != 0)
        return fail(file, "sync");
    if (rename(file->temporary, file->path) != 0)
        return fail(file, "rename");
    file->named = true;
    if (!sync_folder(file->folder))
        return fail(file, "sync the folder of");
    file->finished = true;
    return VARVE_OK;
}

void
varve__segment_file_close(struct varve__segment_file *file)
{
    bool inherited = file->made && file->handle.file < 0; /* it is our parent's */
    if (file->made && !file->finished && !inherited)
        unlink(file->named ? file->path : file->temporary);
    if (file->made)
        drop(file);
    varve__release(file->paths);
    *file = (struct varve__segment_file){.handle = {.file = -1}};
}
