/* Elements in any portions, cut into pieces of whole chunks. Large portions go from the caller's memory to
 * the threads; small ones are gathered first, until there is work for all of them. */
#include <string.h>

#include "archive/segment_parts.h"
#include "base/error.h"
#include "base/memory.h"

enum {
    PIECES_PER_THREAD = 2, /* that are gathered before they are written */
    PIECES_MOST = 256,     /* that wait: each may be a dataset that is open */
    PIECES_FIRST = 8
};

static size_t
threads(const struct varve__segment *segment)
{
    struct varve__workers *workers = segment->options.workers;
    return 1 + (workers ? varve__workers_count(workers) : 0);
}

/* -------------------------------------------------------------------- the stream */

/* Elements of the piece that comes next. */
static int64_t
piece_count(const struct varve__segment *segment, const struct varve__segment_column *column)
{
    int64_t first, count;
    varve__grid_chunk(&segment->datasets[column->set].grid, column->chunk, &first, &count);
    return count;
}

/* Stands at the first piece of a dataset. */
static enum varve_status
begin_set(struct varve__segment *segment, struct varve__segment_column *column, size_t set)
{
    column->set = set;
    column->chunk = 0;
    column->missing = set == SIZE_MAX ? 0 : piece_count(segment, column);
    if (set == SIZE_MAX || segment->sets[set].made)
        return VARVE_OK;
    return varve__segment_make_object(segment, (size_t)(column - segment->columns), set);
}

/* Goes on to the next piece. */
static enum varve_status
advance(struct varve__segment *segment, struct varve__segment_column *column)
{
    column->chunk++;
    if (column->chunk < segment->datasets[column->set].grid.chunk_count) {
        column->missing = piece_count(segment, column);
        return VARVE_OK;
    }
    size_t next = SIZE_MAX;
    if (segment->archive->layout == VARVE_ARCHIVE_OBJECT)
        next = varve__segment_next_set(
            segment, (size_t)(column - segment->columns), segment->sets[column->set].record + 1);
    return begin_set(segment, column, next);
}

/* The stream begins with the first append. */
static enum varve_status
begin(struct varve__segment *segment, struct varve__segment_column *column)
{
    size_t tensor = (size_t)(column - segment->columns);
    if (column->done > 0 || column->missing > 0)
        return VARVE_OK;
    bool is_object = segment->archive->layout == VARVE_ARCHIVE_OBJECT;
    return begin_set(
        segment, column, is_object ? varve__segment_next_set(segment, tensor, 0) : tensor);
}

/* Adds the piece at which the stream stands, which has these elements, and goes on. */
static enum varve_status
add_piece(
    struct varve__segment *segment,
    struct varve__segment_column *column,
    const char *raw,
    size_t size)
{
    if (column->piece_count == column->piece_room) {
        size_t room = column->piece_room ? 2 * column->piece_room : PIECES_FIRST;
        struct varve__segment_piece *larger = varve__allocate(room * sizeof *larger);
        if (!larger)
            return varve__fail_memory(segment->name, room * sizeof *larger);
        if (column->piece_count > 0)
            memcpy(larger, column->pieces, column->piece_count * sizeof *larger);
        varve__release(column->pieces);
        column->pieces = larger;
        column->piece_room = room;
    }
    column->pieces[column->piece_count++] =
        (struct varve__segment_piece){&segment->sets[column->set], column->chunk, raw, size};
    return advance(segment, column);
}

static enum varve_status
write_pieces(struct varve__segment *segment, struct varve__segment_column *column)
{
    size_t count = column->piece_count;
    column->piece_count = 0;
    return count > 0 ? varve__segment_write(segment, column->pieces, count) : VARVE_OK;
}

/* -------------------------------------------------------------------- large portions */

/* Whether so many elements are best taken from where they are. */
static bool
is_large(
    const struct varve__segment *segment, const struct varve__segment_column *column, int64_t count)
{
    const struct varve__segment_set *set = &segment->sets[column->set];
    int64_t whole = piece_count(segment, column);
    if (column->missing < whole || column->missing > count)
        return false;
    bool is_copied = set->dataset->filter.compression == VARVE_ARCHIVE_NONE;
    return is_copied || count == column->total - column->done ||
           count / whole >= (int64_t)threads(segment);
}

/* Writes whole pieces; *used elements of the portion. */
static enum varve_status
write_large(
    struct varve__segment *segment,
    struct varve__segment_column *column,
    const char *data,
    int64_t count,
    int64_t *used)
{
    enum varve_status status = write_pieces(segment, column); /* what was gathered comes first */
    column->filled = 0;
    *used = 0;
    /* In OBJECT the next piece may be of a record with a larger one. */
    while (!status && column->missing > 0 && column->missing <= count - *used) {
        int64_t elements = column->missing;
        const char *raw = data + (size_t)*used * column->element;
        *used += elements;
        status = add_piece(segment, column, raw, (size_t)elements * column->element);
        bool is_object = segment->archive->layout == VARVE_ARCHIVE_OBJECT;
        if (!status && is_object && column->piece_count >= PIECES_MOST)
            status = write_pieces(segment, column);
    }
    return status ? status : write_pieces(segment, column);
}

/* -------------------------------------------------------------------- small ones */

/* Room for pieces that keep all threads busy, or for all that will come; at least for one. */
static enum varve_status
make_buffer(struct varve__segment *segment, struct varve__segment_column *column)
{
    size_t all = (size_t)column->total * column->element;
    int64_t share = segment->options.memory_bytes / 2 /
                    (int64_t)(segment->column_count ? segment->column_count : 1);
    size_t wanted = PIECES_PER_THREAD * threads(segment) * column->largest;
    if (share < (int64_t)wanted)
        wanted = share > (int64_t)column->largest ? (size_t)share : column->largest;
    wanted = wanted < all ? wanted : all;
    column->buffer = varve__allocate(wanted);
    column->capacity = wanted;
    return column->buffer ? VARVE_OK : varve__fail_memory(segment->name, wanted);
}

/* Copies up to the end of the piece; writes when no other one fits. */
static enum varve_status
gather(
    struct varve__segment *segment,
    struct varve__segment_column *column,
    const char *data,
    int64_t count,
    int64_t *used)
{
    enum varve_status status = column->buffer ? VARVE_OK : make_buffer(segment, column);
    *used = count < column->missing ? count : column->missing;
    if (status)
        return status;
    size_t size = (size_t)*used * column->element;
    memcpy(column->buffer + column->filled, data, size);
    column->filled += size;
    column->missing -= *used;
    if (column->missing > 0)
        return VARVE_OK;
    size_t whole = (size_t)piece_count(segment, column) * column->element;
    status = add_piece(segment, column, column->buffer + column->filled - whole, whole);
    bool is_last = column->missing == 0;
    bool fits = (size_t)column->missing * column->element <= column->capacity - column->filled;
    if (!status && (is_last || !fits || column->piece_count >= PIECES_MOST)) {
        status = write_pieces(segment, column);
        column->filled = 0;
    }
    return status;
}

/* -------------------------------------------------------------------- */

static enum varve_status
fail_count(const struct varve__segment *segment, const struct varve__segment_column *column)
{
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, segment->name,
        "%s.%s: more elements than the %lld that the dims of all records make", segment->name,
        column->column->field->name, (long long)column->total);
}

enum varve_status
varve__segment_append(
    struct varve__segment *segment, size_t tensor, const void *data, size_t element_count)
{
    if (segment->spent || tensor >= segment->column_count)
        return varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, segment->name,
            "a segment of %s is finished, or a call on it has failed; release it, write another",
            segment->name);
    struct varve__segment_column *column = &segment->columns[tensor];
    if (element_count > (size_t)(column->total - column->done))
        return fail_count(segment, column);
    int64_t count = (int64_t)element_count;
    enum varve_status status = count > 0 ? begin(segment, column) : VARVE_OK;
    for (const char *from = data; count > 0 && !status;) {
        int64_t used;
        status = is_large(segment, column, count) ? write_large(segment, column, from, count, &used)
                                                  : gather(segment, column, from, count, &used);
        from += (size_t)used * column->element;
        column->done += used;
        count -= used;
    }
    segment->spent = status != VARVE_OK;
    return status;
}
