/* What reader.c and reader_read.c share. */
#ifndef VARVE_ARCHIVE_READER_PARTS_H
#define VARVE_ARCHIVE_READER_PARTS_H

#include <pthread.h>

#include "archive/chunk_cache.h"
#include "archive/reader.h"

enum {
    VARVE__READER_BUCKETS = 1024
};

struct varve__archived {
    struct varve__archived *chain; /* in its bucket */
    struct varve__archived *newer; /* of those that are kept, by their last use */
    struct varve__archived *older;
    int64_t id;
    size_t uses;
    bool shared;
    int file;
    struct varve__dataset dataset;
    char path[];
};

/* What decoding a chunk takes: one for each thread that does it at the time. */
struct varve__reader_tool {
    struct varve__reader_tool *next;
    struct varve__chunk_codec *codec;
    char *buffer; /* for the chunk's bytes, then for its elements */
    size_t size;
};

void
varve__reader_tool_release(struct varve__reader_tool *tool);

struct varve__reader {
    const char *folder;
    struct varve__workers *workers;
    struct varve__chunk_cache *chunks;
    pthread_mutex_t lock; /* of what follows */
    struct varve__reader_tool *tools;
    struct varve__archived *buckets[VARVE__READER_BUCKETS];
    struct varve__archived *newest;
    struct varve__archived *oldest;
    size_t kept;
};

#endif
