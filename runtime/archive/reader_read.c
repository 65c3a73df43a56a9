/* Reading a box of a dataset: its chunks are pieces of work for several threads. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "archive/reader_parts.h"
#include "base/error.h"
#include "base/memory.h"

enum {
    TOOL_KEPT = 4 << 20, /* bytes of a tool's buffer; a larger one is released after its use */
};

struct reading {
    struct varve__reader *reader;
    struct varve__archived *archived;
    const struct varve__box *box;
    int64_t runs;
    int64_t length; /* of each, in elements */
    int64_t first_chunk;
    char *to;

    pthread_mutex_t lock; /* of what follows: the first failure */
    enum varve_status status;
    int error;
    int64_t chunk;
};

/* -------------------------------------------------------------------- tools */

void
varve__reader_tool_release(struct varve__reader_tool *tool)
{
    varve__chunk_codec_release(tool->codec);
    varve__release(tool->buffer);
    varve__release(tool);
}

static struct varve__reader_tool *
make_tool(void)
{
    struct varve__reader_tool *tool = varve__allocate(sizeof *tool);
    if (!tool)
        return NULL;
    *tool = (struct varve__reader_tool){.codec = varve__chunk_codec_create()};
    if (tool->codec)
        return tool;
    varve__release(tool);
    return NULL;
}

static struct varve__reader_tool *
take_tool(struct varve__reader *reader)
{
    pthread_mutex_lock(&reader->lock);
    struct varve__reader_tool *tool = reader->tools;
    if (tool)
        reader->tools = tool->next;
    pthread_mutex_unlock(&reader->lock);
    return tool ? tool : make_tool();
}

static void
give_tool(struct varve__reader *reader, struct varve__reader_tool *tool)
{
    if (tool->size > TOOL_KEPT) {
        varve__release(tool->buffer);
        tool->buffer = NULL;
        tool->size = 0;
    }
    pthread_mutex_lock(&reader->lock);
    tool->next = reader->tools;
    reader->tools = tool;
    pthread_mutex_unlock(&reader->lock);
}

static bool
make_room(struct varve__reader_tool *tool, size_t size)
{
    if (tool->size >= size)
        return true;
    varve__release(tool->buffer);
    tool->buffer = varve__allocate(size);
    tool->size = tool->buffer ? size : 0;
    return tool->buffer != NULL;
}

/* -------------------------------------------------------------------- one chunk */

static bool
note(struct reading *reading, enum varve_status status, int error, int64_t chunk)
{
    pthread_mutex_lock(&reading->lock);
    if (reading->status == VARVE_OK) {
        reading->status = status;
        reading->error = error;
        reading->chunk = chunk;
    }
    pthread_mutex_unlock(&reading->lock);
    return false;
}

/* The chunk's bytes as they are stored, checked. */
static bool
fetch(struct reading *reading, int64_t number, void *to)
{
    const struct varve__chunk *chunk = &reading->archived->dataset.chunks[number];
    size_t done = 0;
    while (done < chunk->size) {
        ssize_t got = pread(
            reading->archived->file, (char *)to + done, chunk->size - done,
            (off_t)(chunk->address + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return note(reading, VARVE_IO, errno, number);
        if (got == 0)
            return note(reading, VARVE_CORRUPT, 0, number);
        done += (size_t)got;
    }
    if (XXH3_64bits(to, chunk->size) != chunk->hash)
        return note(reading, VARVE_CORRUPT, 0, number);
    return true;
}

/* Whether the bytes in the file are the elements themselves. */
static bool
is_plain(const struct varve__dataset *dataset, const struct varve__chunk *chunk, size_t size)
{
    const struct varve__chunk_filter *filter = &dataset->filter;
    return filter->compression == VARVE_ARCHIVE_NONE && !filter->shuffle && !filter->checksum &&
           chunk->size == size;
}

/* Decodes all of a chunk, padding included, into `to`. */
static bool
decode(
    struct reading *reading, int64_t number, struct varve__reader_tool *tool, void *to, size_t size)
{
    const struct varve__dataset *dataset = &reading->archived->dataset;
    const struct varve__chunk *chunk = &dataset->chunks[number];
    if (!make_room(tool, chunk->size))
        return note(reading, VARVE_NO_MEMORY, 0, number);
    if (!fetch(reading, number, tool->buffer))
        return false;
    enum varve_status status = varve__chunk_decode(
        tool->codec, &dataset->filter, chunk->mask, false, tool->buffer, chunk->size, to, size);
    return status == VARVE_OK || note(reading, status, 0, number);
}

/* The first run that ends behind this element. */
static int64_t
first_run(const struct reading *reading, int64_t element)
{
    int64_t low = 0, high = reading->runs;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (varve__box_run(reading->box, middle) + reading->length > element)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Copies what the box has of a chunk, whose elements these are. */
static void
copy_runs(const struct reading *reading, int64_t first, int64_t count, const char *elements)
{
    size_t element = reading->archived->dataset.grid.element;
    for (int64_t run = first_run(reading, first); run < reading->runs; run++) {
        int64_t begin = varve__box_run(reading->box, run);
        if (begin >= first + count)
            return;
        int64_t from = begin > first ? begin : first;
        int64_t end = begin + reading->length;
        end = end < first + count ? end : first + count;
        memcpy(
            reading->to + (size_t)(run * reading->length + (from - begin)) * element,
            elements + (size_t)(from - first) * element, (size_t)(end - from) * element);
    }
}

/* The run that has all elements of the chunk: *to is where they go. */
static bool
is_covered(const struct reading *reading, int64_t first, int64_t count, char **to)
{
    int64_t run = first_run(reading, first);
    if (run == reading->runs)
        return false;
    int64_t begin = varve__box_run(reading->box, run);
    if (begin > first || begin + reading->length < first + count)
        return false;
    *to = reading->to + (size_t)(run * reading->length + (first - begin)) *
                            reading->archived->dataset.grid.element;
    return true;
}

static bool
is_touched(const struct reading *reading, int64_t first, int64_t count)
{
    int64_t run = first_run(reading, first);
    return run < reading->runs && varve__box_run(reading->box, run) < first + count;
}

/* A chunk of which the box has a part: its neighbours may be asked for next. */
static bool
read_part(struct reading *reading, int64_t number, int64_t first, int64_t count, size_t size)
{
    struct varve__reader *reader = reading->reader;
    struct varve__archived *archived = reading->archived;
    struct varve__cached_chunk *chunk =
        archived->shared ? varve__chunk_cache_find(reader->chunks, archived->id, number) : NULL;
    if (!chunk) {
        struct varve__reader_tool *tool = take_tool(reader);
        chunk = tool ? varve__chunk_cache_make(size) : NULL;
        bool good = chunk ? decode(reading, number, tool, chunk->data, size)
                          : note(reading, VARVE_NO_MEMORY, 0, number);
        if (tool)
            give_tool(reader, tool);
        if (good && archived->shared)
            varve__chunk_cache_add(reader->chunks, archived->id, number, chunk);
        if (!good) {
            varve__release(chunk);
            return false;
        }
    }
    copy_runs(reading, first, count, chunk->data);
    varve__chunk_cache_done(reader->chunks, chunk);
    return true;
}

/* A chunk that goes to where it is wanted whole. */
static bool
read_whole(struct reading *reading, int64_t number, char *to, size_t size)
{
    struct varve__reader_tool *tool = take_tool(reading->reader);
    if (!tool)
        return note(reading, VARVE_NO_MEMORY, 0, number);
    bool good = decode(reading, number, tool, to, size);
    give_tool(reading->reader, tool);
    return good;
}

static bool
read_chunk(void *context, size_t piece, size_t worker)
{
    struct reading *reading = context;
    const struct varve__dataset *dataset = &reading->archived->dataset;
    int64_t number = reading->first_chunk + (int64_t)piece, first, count;
    char *to;
    (void)worker;
    varve__grid_chunk(&dataset->grid, number, &first, &count);
    size_t size = varve__grid_chunk_size(&dataset->grid);
    size_t used = (size_t)count * dataset->grid.element;
    if (!is_touched(reading, first, count))
        return true;
    if (is_plain(dataset, &dataset->chunks[number], used))
        size = used;
    if (!is_covered(reading, first, count, &to) || (size != used))
        return read_part(reading, number, first, count, size);
    if (is_plain(dataset, &dataset->chunks[number], used))
        return fetch(reading, number, to);
    return read_whole(reading, number, to, size);
}

/* -------------------------------------------------------------------- the box */

static enum varve_status
fail(const struct reading *reading)
{
    const char *path = reading->archived->path;
    long long chunk = reading->chunk;
    enum varve_status status = reading->status;
    if (status == VARVE_NO_MEMORY)
        return varve__fail_memory(NULL, varve__grid_chunk_size(&reading->archived->dataset.grid));
    if (status == VARVE_IO)
        status = varve__fail(
            VARVE_IO, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, NULL,
            "reading chunk %lld of a dataset in %s: %s; see what the system's log says of the disk",
            chunk, path, strerror(reading->error));
    else
        status = varve__fail(
            VARVE_CORRUPT, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, NULL,
            "chunk %lld of a dataset in %s is not what was sealed: the file is damaged; restore it "
            "from a "
            "backup",
            chunk, path);
    varve__failure_set_errno(reading->error);
    return status;
}

static enum varve_status
fail_place(const struct varve__archived *archived)
{
    return varve__fail(
        VARVE_CORRUPT, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, NULL,
        "the catalog names elements that a dataset in %s does not have: the database was changed "
        "by hand or damaged; "
        "restore a backup",
        archived->path);
}

enum varve_status
varve__reader_read(
    struct varve__reader *reader,
    struct varve__archived *archived,
    const struct varve__box *box,
    void *to)
{
    struct reading reading = {.reader = reader, .archived = archived, .box = box, .to = to};
    const struct varve__grid *grid = &archived->dataset.grid;
    varve__box_runs(box, &reading.runs, &reading.length);
    if (reading.runs == 0)
        return VARVE_OK;
    int64_t first = varve__box_run(box, 0);
    int64_t last = varve__box_run(box, reading.runs - 1) + reading.length - 1;
    if (first < 0 || last < first || last >= grid->count)
        return fail_place(archived);
    reading.first_chunk = varve__grid_chunk_of(grid, first);
    size_t pieces = (size_t)(varve__grid_chunk_of(grid, last) - reading.first_chunk + 1);
    pthread_mutex_init(&reading.lock, NULL);
    if (pieces == 1)
        read_chunk(&reading, 0, 0);
    else
        varve__workers_run(reader->workers, read_chunk, &reading, pieces);
    pthread_mutex_destroy(&reading.lock);
    return reading.status == VARVE_OK ? VARVE_OK : fail(&reading);
}
