/* Opening the archive, and its folders. */
#define _DEFAULT_SOURCE /* flock() */
#include "archive/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

static char *
join(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = varve__allocate(size);
    if (path)
        snprintf(path, size, "%s/%s", folder, name);
    return path;
}

enum varve_status
varve__archive_open(const struct varve__archive_options *options, struct varve__archive **result)
{
    struct varve__archive *archive = varve__allocate(sizeof *archive);
    *result = NULL;
    if (!archive)
        return varve__fail_memory(NULL, sizeof *archive);
    *archive = (struct varve__archive){.options = *options};
    pthread_mutex_init(&archive->lock, NULL);
    size_t size = strlen(options->folder) + 1;
    archive->folder = varve__allocate(size);
    enum varve_status status = archive->folder ? VARVE_OK : varve__fail_memory(NULL, size);
    if (status == VARVE_OK) {
        memcpy(archive->folder, options->folder, size);
        archive->options.folder = archive->folder;
        status = varve__workers_create(options->threads, &archive->workers);
    }
    if (status == VARVE_OK)
        status = varve__reader_create(
            archive->folder, archive->workers, options->chunk_cache_bytes, &archive->reader);
    if (status == VARVE_OK)
        *result = archive;
    else
        varve__archive_close(archive);
    return status;
}

void
varve__archive_close(struct varve__archive *archive)
{
    if (!archive)
        return;
    varve__reader_release(archive->reader);
    varve__workers_release(archive->workers);
    while (archive->known) {
        struct varve__known_folder *folder = archive->known;
        archive->known = folder->next;
        varve__release(folder);
    }
    pthread_mutex_destroy(&archive->lock);
    varve__release(archive->folder);
    varve__release(archive);
}

/* -------------------------------------------------------------------- folders */

static enum varve_status
fail_folder(const char *what, const char *path)
{
    int error = errno;
    enum varve_status status = error == EACCES || error == EROFS || error == EPERM ? VARVE_READ_ONLY
                               : error == ENOSPC || error == EDQUOT                ? VARVE_FULL
                                                                                   : VARVE_IO;
    status = varve__fail(
        status, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, NULL,
        "cannot %s %s: %s; the archive must be writable: mend that and try again", what, path,
        strerror(error));
    varve__failure_set_errno(error);
    return status;
}

/* What was made or deleted in a folder is on disk only when the folder is. */
static enum varve_status
sync_folder(const char *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return fail_folder("open the folder", path);
    enum varve_status status = VARVE_OK;
    if (fsync(folder) != 0)
        status = fail_folder("make durable the folder", path);
    close(folder);
    return status;
}

/* The folder above a path. */
static enum varve_status
sync_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return sync_folder(".");
    size_t size = slash == path ? 1 : (size_t)(slash - path);
    char *parent = varve__allocate(size + 1);
    if (!parent)
        return varve__fail_memory(NULL, size + 1);
    memcpy(parent, path, size);
    parent[size] = '\0';
    enum varve_status status = sync_folder(parent);
    varve__release(parent);
    return status;
}

static enum varve_status
make_folder(const char *path)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return fail_folder("make the folder", path);
    return sync_parent(path);
}

/* -------------------------------------------------------------------- whose it is */

enum {
    OWNER_SIZE =
        sizeof(struct varve__archive_identity) * 2 + 1 /* in hexadecimal, and a line's end */
};

static enum varve_status
fail_owner(const struct varve__archive *archive)
{
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, NULL,
        "the archive in %s belongs to another database, whose segments would be deleted: give this "
        "one a folder of its "
        "own in archive_dir; or restore the database that it belongs to; or delete the folder, "
        "when that is gone for "
        "good",
        archive->folder);
}

static enum varve_status
write_owner(const struct varve__archive *archive, int file, const char owner[OWNER_SIZE])
{
    ssize_t written = pwrite(file, owner, OWNER_SIZE, 0);
    if (written >= 0 && written < OWNER_SIZE)
        errno = ENOSPC;
    if (written < OWNER_SIZE || fsync(file) != 0)
        return fail_folder("write the owner into", archive->folder);
    return sync_folder(archive->folder);
}

/* A file that was not written to its end says nothing yet. */
static enum varve_status
check_owner(const struct varve__archive *archive, int file, const char owner[OWNER_SIZE])
{
    char found[OWNER_SIZE];
    if (flock(file, LOCK_EX) != 0)
        return fail_folder("lock the owner of", archive->folder);
    ssize_t size = pread(file, found, sizeof found, 0);
    if (size < 0)
        return fail_folder("read the owner of", archive->folder);
    if (size < OWNER_SIZE)
        return write_owner(archive, file, owner);
    return memcmp(found, owner, OWNER_SIZE) == 0 ? VARVE_OK : fail_owner(archive);
}

static void
write_hexadecimal(const struct varve__archive_identity *identity, char text[OWNER_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < sizeof identity->bytes; i++) {
        text[2 * i] = digits[identity->bytes[i] >> 4];
        text[2 * i + 1] = digits[identity->bytes[i] & 15];
    }
    text[OWNER_SIZE - 1] = '\n';
}

enum varve_status
varve__archive_claim(struct varve__archive *archive, const struct varve__archive_identity *identity)
{
    char owner[OWNER_SIZE];
    write_hexadecimal(identity, owner);
    enum varve_status status = make_folder(archive->folder);
    if (status != VARVE_OK)
        return status;
    char *path = join(archive->folder, "owner");
    if (!path)
        return varve__fail_memory(NULL, 0);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    status = file >= 0 ? check_owner(archive, file, owner)
                       : fail_folder("open the owner of", archive->folder);
    if (file >= 0)
        close(file);
    varve__release(path);
    atomic_store(&archive->claimed, status == VARVE_OK);
    return status;
}

/* -------------------------------------------------------------------- folders of messages */

static const char *
find_known(struct varve__archive *archive, const char *message)
{
    pthread_mutex_lock(&archive->lock);
    const struct varve__known_folder *folder = archive->known;
    while (folder && strcmp(folder->message, message) != 0)
        folder = folder->next;
    pthread_mutex_unlock(&archive->lock);
    return folder ? folder->path : NULL;
}

static struct varve__known_folder *
make_known(const struct varve__archive *archive, const char *message)
{
    size_t size = strlen(archive->folder) + strlen(message) + 2;
    struct varve__known_folder *folder = varve__allocate(sizeof *folder + size);
    if (!folder)
        return NULL;
    snprintf(folder->path, size, "%s/%s", archive->folder, message);
    folder->message = folder->path + strlen(archive->folder) + 1;
    return folder;
}

enum varve_status
varve__archive_folder(struct varve__archive *archive, const char *message, const char **path)
{
    *path = find_known(archive, message);
    if (*path)
        return VARVE_OK;
    struct varve__known_folder *folder = make_known(archive, message);
    if (!folder)
        return varve__fail_memory(message, sizeof *folder);
    enum varve_status status = make_folder(folder->path);
    if (status != VARVE_OK) {
        varve__release(folder);
        return status;
    }
    pthread_mutex_lock(&archive->lock);
    folder->next = archive->known;
    archive->known = folder;
    pthread_mutex_unlock(&archive->lock);
    *path = folder->path;
    return VARVE_OK;
}

enum varve_status
varve__archive_unlink(const struct varve__archive *archive, const char *file)
{
    char *path = join(archive->folder, file);
    if (!path)
        return varve__fail_memory(NULL, 0);
    enum varve_status status = VARVE_OK;
    if (unlink(path) != 0 && errno != ENOENT)
        status = fail_folder("delete", path);
    varve__release(path);
    return status;
}
