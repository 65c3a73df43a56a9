/* The file of a segment: its name, its lock, and how it becomes durable. Nothing of HDF5. */
#ifndef VARVE_ARCHIVE_SEGMENT_FILE_H
#define VARVE_ARCHIVE_SEGMENT_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include <varve/status.h>

#include "base/fork.h"

struct varve__segment_file {
    const char *record;             /* for failures: the message's full name */
    struct varve__fork_file handle; /* open, and locked shared: a sweeper leaves the file alone */
    char *paths;                    /* one block for the three below */
    const char *folder;
    const char *path;      /* where it stands when it is finished */
    const char *temporary; /* .. and until then */
    const char *name;      /* the last part of path */
    bool made;             /* there is a file under one of the names */
    bool named;            /* .. under its final one */
    bool finished;
    uint64_t started; /* writing to disk of bytes before this one has been asked for */
    int64_t size;
    uint64_t hash;
};

/* Makes the file under its temporary name: new, empty, locked. */
enum varve_status
varve__segment_file_create(
    struct varve__segment_file *file, const char *folder, const char *record);

/* Says that all bytes before `end` are written. Now and then the system is asked to bring them to disk, so
 * that less is left for the end. */
void
varve__segment_file_advance(struct varve__segment_file *file, uint64_t end);

/* All is written: makes it durable under its name. */
enum varve_status
varve__segment_file_finish(struct varve__segment_file *file);

/* Gives up the lock; deletes the file unless it was finished. A forked child has neither. All zeros with
 * handle.file -1 are fine. */
void
varve__segment_file_close(struct varve__segment_file *file);

/* Size and hash of all bytes of an open file. False: errno says why it cannot be read. */
bool
varve__segment_file_hash(int file, int64_t *size, uint64_t *hash);

#endif
