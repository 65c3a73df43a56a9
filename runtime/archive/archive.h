/* What a store has of the archive: its folder, its threads, its reader. */
#ifndef VARVE_ARCHIVE_ARCHIVE_H
#define VARVE_ARCHIVE_ARCHIVE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <varve/status.h>

#include "archive/reader.h"
#include "base/workers.h"

struct varve__archive_options {
    const char *folder;      /* of all segments, such as data/archive */
    size_t threads;          /* beside the caller's */
    int64_t stage_max_bytes; /* below it together, a call's tensors wait in the table; 0: none */
    int64_t segment_bytes;   /* of elements, at which a segment is closed */
    int64_t memory_bytes;    /* of chunks under way in one call */
    size_t chunk_cache_bytes;
};

/* A message whose folder is there and durable: others may have made it, and not yet synced it. */
struct varve__known_folder {
    struct varve__known_folder *next;
    const char *message; /* the end of the path */
    char path[];
};

struct varve__archive {
    struct varve__archive_options options;
    char *folder;
    struct varve__workers *workers;
    struct varve__reader *reader;
    atomic_bool claimed;  /* its owner was seen to be the store's database */
    pthread_mutex_t lock; /* of what follows */
    struct varve__known_folder *known;
};

/* Which database an archive belongs to. */
struct varve__archive_identity {
    uint8_t bytes[16];
};

/* Makes nothing on disk: the folder is made with the first segment. */
enum varve_status
varve__archive_open(const struct varve__archive_options *options, struct varve__archive **archive);

/* NULL is fine. */
void
varve__archive_close(struct varve__archive *archive);

/* Makes the archive's folder, durably, with a file in it that says whose it is; where there is one, its owner must be
 * this. VARVE_MISUSE: the archive is another database's. */
enum varve_status
varve__archive_claim(
    struct varve__archive *archive, const struct varve__archive_identity *identity);

/* Makes the folder of a message's segments, durably, in an archive that was claimed. *path is borrowed until the
 * archive is closed. */
enum varve_status
varve__archive_folder(struct varve__archive *archive, const char *message, const char **path);

/* Deletes a segment by its path from the archive's folder on, where it is there. */
enum varve_status
varve__archive_unlink(const struct varve__archive *archive, const char *file);

#endif
