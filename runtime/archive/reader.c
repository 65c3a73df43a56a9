/* Datasets in use and those that are kept for the next reader, with their open files. */
#include "archive/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/reader_parts.h"
#include "base/error.h"
#include "base/memory.h"

enum {
    KEPT_MOST = 256 /* datasets that nobody uses, and so open files */
};

/* -------------------------------------------------------------------- files */

static enum varve_status
fail_file(const char *path, int error)
{
    bool missing = error == ENOENT;
    enum varve_status status = missing ? VARVE_CORRUPT : VARVE_IO;
    status = varve__fail(
        status, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, NULL, "cannot open the segment %s: %s; %s",
        path, strerror(error),
        missing ? "the catalog names it: restore it from a backup" : "mend that and try again");
    varve__failure_set_errno(error);
    return status;
}

static enum varve_status
fail_size(const char *path, int64_t size, int64_t expected)
{
    return varve__fail(
        VARVE_CORRUPT, VARVE_FAILURE_SIZE, VARVE_TIER_ARCHIVE, NULL,
        "the segment %s has %lld bytes and not the %lld with which it was sealed: it was changed "
        "by hand or "
        "damaged; restore it from a backup",
        path, (long long)size, (long long)expected);
}

static enum varve_status
open_file(const char *path, int64_t size, int *file)
{
    struct stat found;
    *file = open(path, O_RDONLY | O_CLOEXEC);
    if (*file < 0)
        return fail_file(path, errno);
    enum varve_status status = VARVE_OK;
    if (fstat(*file, &found) != 0)
        status = fail_file(path, errno);
    else if (found.st_size != size)
        status = fail_size(path, found.st_size, size);
    if (status != VARVE_OK)
        close(*file);
    return status;
}

/* -------------------------------------------------------------------- the reader */

enum varve_status
varve__reader_create(
    const char *folder,
    struct varve__workers *workers,
    size_t cache_bytes,
    struct varve__reader **result)
{
    struct varve__reader *reader = varve__allocate(sizeof *reader);
    *result = NULL;
    if (!reader)
        return varve__fail_memory(NULL, sizeof *reader);
    memset(reader, 0, sizeof *reader);
    reader->folder = folder;
    reader->workers = workers;
    reader->chunks = varve__chunk_cache_create(cache_bytes);
    if (!reader->chunks) {
        varve__release(reader);
        return varve__fail_memory(NULL, cache_bytes);
    }
    pthread_mutex_init(&reader->lock, NULL);
    *result = reader;
    return VARVE_OK;
}

static void
destroy(struct varve__archived *archived)
{
    close(archived->file);
    varve__dataset_release(&archived->dataset);
    varve__release(archived);
}

void
varve__reader_report(struct varve__reader *reader, struct varve_archive_health *health)
{
    varve__chunk_cache_report(reader->chunks, health);
}

void
varve__reader_release(struct varve__reader *reader)
{
    if (!reader)
        return;
    varve__reader_forget(reader);
    while (reader->tools) {
        struct varve__reader_tool *tool = reader->tools;
        reader->tools = tool->next;
        varve__reader_tool_release(tool);
    }
    varve__chunk_cache_release(reader->chunks);
    pthread_mutex_destroy(&reader->lock);
    varve__release(reader);
}

/* -------------------------------------------------------------------- datasets */

static struct varve__archived **
bucket_of(struct varve__reader *reader, int64_t id)
{
    return &reader->buckets[(uint64_t)id % VARVE__READER_BUCKETS];
}

/* Of a dataset that is shared and not used: the chain of those that are kept, the last used first. */
static void
unlink_kept(struct varve__reader *reader, struct varve__archived *archived)
{
    *(archived->newer ? &archived->newer->older : &reader->newest) = archived->older;
    *(archived->older ? &archived->older->newer : &reader->oldest) = archived->newer;
    reader->kept--;
}

static void
link_kept(struct varve__reader *reader, struct varve__archived *archived)
{
    archived->newer = NULL;
    archived->older = reader->newest;
    *(reader->newest ? &reader->newest->newer : &reader->oldest) = archived;
    reader->newest = archived;
    reader->kept++;
}

static struct varve__archived *
look_up(struct varve__reader *reader, int64_t id)
{
    struct varve__archived *found = *bucket_of(reader, id);
    while (found && found->id != id)
        found = found->chain;
    if (found && found->uses++ == 0)
        unlink_kept(reader, found);
    return found;
}

struct varve__archived *
varve__reader_find(struct varve__reader *reader, int64_t id)
{
    pthread_mutex_lock(&reader->lock);
    struct varve__archived *found = look_up(reader, id);
    pthread_mutex_unlock(&reader->lock);
    return found;
}

/* Another thread may have added the same: then that one is used. */
static struct varve__archived *
share(struct varve__reader *reader, struct varve__archived *archived)
{
    pthread_mutex_lock(&reader->lock);
    struct varve__archived *found = look_up(reader, archived->id);
    if (!found) {
        struct varve__archived **bucket = bucket_of(reader, archived->id);
        archived->chain = *bucket;
        *bucket = archived;
    }
    pthread_mutex_unlock(&reader->lock);
    if (!found)
        return archived;
    destroy(archived);
    return found;
}

/* Whether all chunks lie within the file. */
static bool
lies_within(const struct varve__dataset *dataset, int64_t file_size)
{
    for (int64_t i = 0; i < dataset->grid.chunk_count; i++) {
        const struct varve__chunk *chunk = &dataset->chunks[i];
        if (chunk->address > (uint64_t)file_size ||
            chunk->size > (uint64_t)file_size - chunk->address)
            return false;
    }
    return true;
}

static enum varve_status
fail_outside(const char *path)
{
    return varve__fail(
        VARVE_CORRUPT, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, NULL,
        "the catalog of the segment %s names bytes behind its end: the database was changed by "
        "hand or damaged; "
        "restore a backup",
        path);
}

enum varve_status
varve__reader_add(
    struct varve__reader *reader,
    int64_t id,
    const char *file,
    int64_t file_size,
    struct varve__dataset *dataset,
    bool shared,
    struct varve__archived **result)
{
    size_t path_size = strlen(reader->folder) + strlen(file) + 2;
    struct varve__archived *archived = varve__allocate(sizeof *archived + path_size);
    *result = NULL;
    if (!archived) {
        varve__dataset_release(dataset);
        return varve__fail_memory(NULL, sizeof *archived + path_size);
    }
    *archived =
        (struct varve__archived){.id = id, .uses = 1, .shared = shared, .dataset = *dataset};
    snprintf(archived->path, path_size, "%s/%s", reader->folder, file);
    enum varve_status status =
        lies_within(dataset, file_size) ? VARVE_OK : fail_outside(archived->path);
    if (status == VARVE_OK)
        status = open_file(archived->path, file_size, &archived->file);
    if (status != VARVE_OK) {
        varve__dataset_release(&archived->dataset);
        varve__release(archived);
        return status;
    }
    *result = shared ? share(reader, archived) : archived;
    return VARVE_OK;
}

/* Takes a kept one out of the table. */
static void
drop(struct varve__reader *reader, struct varve__archived *archived)
{
    struct varve__archived **place = bucket_of(reader, archived->id);
    while (*place != archived)
        place = &(*place)->chain;
    *place = archived->chain;
    unlink_kept(reader, archived);
    destroy(archived);
}

void
varve__reader_done(struct varve__reader *reader, struct varve__archived *archived)
{
    if (!archived->shared) {
        destroy(archived);
        return;
    }
    pthread_mutex_lock(&reader->lock);
    if (--archived->uses == 0) {
        link_kept(reader, archived);
        if (reader->kept > KEPT_MOST)
            drop(reader, reader->oldest);
    }
    pthread_mutex_unlock(&reader->lock);
}

void
varve__reader_forget(struct varve__reader *reader)
{
    pthread_mutex_lock(&reader->lock);
    while (reader->oldest)
        drop(reader, reader->oldest);
    pthread_mutex_unlock(&reader->lock);
}

const struct varve__dataset *
varve__archived_dataset(const struct varve__archived *archived)
{
    return &archived->dataset;
}
