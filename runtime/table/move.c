/* Flush and compaction: which rows are moved, and which segments are dropped. */
#include "table/move.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "table/move_rows.h"
#include "table/sqlite.h"
#include "table/tensor.h"
#include "table/transaction.h"

static void
tell(const struct varve__mover *move, const struct varve__plan *plan, int64_t done, int64_t total)
{
    if (move->progress)
        move->progress(move->context, plan->record, done, total > done ? total : done);
}

/* The first column of the first row, 0 where there is none. */
static enum varve_status
ask(struct varve__connection *connection,
    const struct varve__plan *plan,
    const char *format,
    int64_t bound,
    int64_t *answer)
{
    sqlite3_stmt *statement;
    *answer = 0;
    enum varve_status status = varve__move_prepare(connection, plan, format, &statement);
    if (status != VARVE_OK)
        return status;
    if (sqlite3_bind_parameter_count(statement) > 0)
        sqlite3_bind_int64(statement, 1, bound);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *answer = sqlite3_column_int64(statement, 0);
    else if (code != SQLITE_DONE)
        status = varve__connection_fail(connection, code, plan, "moving tensors");
    sqlite3_finalize(statement);
    return status;
}

/* -------------------------------------------------------------------- flush */

/* Gathers and writes one segment, within one snapshot. */
static enum varve_status
write_one(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const char *format,
    bool (*wanted)(void *context, int64_t dataset),
    void *context,
    struct varve__moved_rows *rows,
    struct varve__segment_ready *ready,
    struct varve__mover *move)
{
    bool begun;
    sqlite3_stmt *statement = NULL;
    enum varve_status status = varve__read_begin(connection, &begun);
    if (status != VARVE_OK)
        return status;
    status = varve__move_prepare(connection, plan, format, &statement);
    if (status == VARVE_OK) {
        sqlite3_bind_int64(statement, 1, rows->last);
        status = varve__moved_rows_gather(
            connection, plan, statement, wanted, context, varve__move_limit(connection, plan), rows,
            move);
    }
    sqlite3_finalize(statement);
    if (status == VARVE_OK && rows->count > 0)
        status = varve__moved_rows_write(connection, plan, rows, ready);
    varve__read_end(connection, begun);
    return status;
}

enum varve_status
varve__move_flush(
    struct varve__connection *connection, const struct varve__plan *plan, struct varve__mover *move)
{
    int64_t total = 0, before = move->report.bytes;
    struct varve__moved_rows rows = {0};
    enum varve_status status =
        ask(connection, plan, "SELECT id FROM varve_sealed WHERE name = '%w'", 0, &rows.last);
    if (status == VARVE_OK)
        status =
            ask(connection, plan,
                "SELECT sum(length(\"bytes\")) FROM \"varve_staged_%w\" WHERE \"id\" > ?1",
                rows.last, &total);
    while (status == VARVE_OK && total > 0 && !rows.all) {
        struct varve__segment_ready ready = {0};
        status = write_one(
            connection, plan,
            "SELECT \"id\", \"record\", \"field\", \"dataset\", \"place\", \"dims\", \"hash\", "
            "\"bytes\" "
            "FROM \"varve_staged_%w\" WHERE \"id\" > ?1 AND \"dataset\" = 0 ORDER BY \"id\"",
            NULL, NULL, &rows, &ready, move);
        /* Rows of fields that only a newer schema has wait for a program of it. */
        int64_t sealed = connection->guard.newer.found ? 0 : rows.last;
        if (status == VARVE_OK)
            status = varve__moved_rows_commit(connection, plan, &rows, &ready, sealed, move);
        varve__segment_ready_release(connection, plan, &ready);
        tell(move, plan, move->report.bytes - before, total);
    }
    varve__moved_rows_release(&rows);
    return status;
}

/* -------------------------------------------------------------------- compaction */

struct segment {
    int64_t id;
    int64_t elements; /* bytes of all that it was sealed with */
    int64_t live;     /* of these, what rows name */
    int64_t rows;     /* that name it */
    bool foreign; /* one of them is of a field that this program does not know: it stays as it is */
    bool chosen;
};

/* Of datasets, which segment: in the order of their ids. */
struct owner {
    int64_t dataset;
    size_t segment; /* index */
};

struct survey {
    struct segment *segments;
    size_t segment_count;
    struct owner *owners;
    size_t owner_count;
    int64_t live; /* of the chosen ones */
};

static void
release_survey(struct survey *survey)
{
    varve__release(survey->segments);
    varve__release(survey->owners);
}

static const struct owner *
owner_of(const struct survey *survey, int64_t dataset)
{
    size_t low = 0, high = survey->owner_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (survey->owners[middle].dataset < dataset)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < survey->owner_count && survey->owners[low].dataset == dataset;
    return found ? &survey->owners[low] : NULL;
}

/* Reads pairs of numbers that a statement gives into memory that it makes. */
static enum varve_status
read_pairs(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const char *count_format,
    const char *format,
    int64_t (**pairs)[2],
    size_t *count)
{
    int64_t rows = 0;
    sqlite3_stmt *statement = NULL;
    *count = 0;
    *pairs = NULL;
    enum varve_status status = ask(connection, plan, count_format, 0, &rows);
    if (status != VARVE_OK || rows == 0)
        return status;
    *pairs = varve__allocate((size_t)rows * sizeof **pairs);
    if (!*pairs)
        return varve__fail_memory(plan->record->descriptor->name, (size_t)rows * sizeof **pairs);
    status = varve__move_prepare(connection, plan, format, &statement);
    int code = SQLITE_DONE;
    while (status == VARVE_OK && *count < (size_t)rows &&
           (code = sqlite3_step(statement)) == SQLITE_ROW) {
        (*pairs)[*count][0] = sqlite3_column_int64(statement, 0);
        (*pairs)[(*count)++][1] = sqlite3_column_int64(statement, 1);
    }
    if (status == VARVE_OK && code != SQLITE_DONE && code != SQLITE_ROW)
        status = varve__connection_fail(connection, code, plan, "compaction");
    sqlite3_finalize(statement);
    return status;
}

static size_t
segment_index(const struct survey *survey, int64_t id)
{
    size_t low = 0, high = survey->segment_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (survey->segments[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum varve_status
read_catalog(
    struct varve__connection *connection, const struct varve__plan *plan, struct survey *survey)
{
    int64_t(*pairs)[2];
    size_t count, size;
    enum varve_status status = read_pairs(
        connection, plan, "SELECT count(*) FROM varve_segment",
        "SELECT id, elements FROM varve_segment ORDER BY id", &pairs, &count);
    size = count * sizeof *survey->segments + 1;
    if (status == VARVE_OK && !(survey->segments = varve__allocate(size)))
        status = varve__fail_memory(NULL, size);
    for (size_t i = 0; i < count && status == VARVE_OK; i++)
        survey->segments[survey->segment_count++] =
            (struct segment){.id = pairs[i][0], .elements = pairs[i][1]};
    varve__release(pairs);
    if (status != VARVE_OK)
        return status;
    status = read_pairs(
        connection, plan, "SELECT count(*) FROM varve_dataset",
        "SELECT id, segment FROM varve_dataset ORDER BY id", &pairs, &count);
    size = count * sizeof *survey->owners + 1;
    if (status == VARVE_OK && !(survey->owners = varve__allocate(size)))
        status = varve__fail_memory(NULL, size);
    for (size_t i = 0; i < count && status == VARVE_OK; i++)
        survey->owners[survey->owner_count++] =
            (struct owner){pairs[i][0], segment_index(survey, pairs[i][1])};
    varve__release(pairs);
    return status;
}

/* Bytes of elements by field and dims; -1 where this program cannot tell. */
static int64_t
live_bytes(const struct varve__plan *plan, int64_t field, const char *text)
{
    int64_t dims[8], bytes;
    const struct varve_column *column =
        field > 0 && field <= UINT32_MAX ? varve__plan_tensor(plan, (uint32_t)field) : NULL;
    if (!column || !text || !varve__tensor_read_dims(text, column->tensor->dim_count, dims))
        return -1;
    bytes = (int64_t)varve_dtype_size(column->tensor->dtype);
    for (size_t i = 0; i < column->tensor->dim_count; i++)
        bytes *= dims[i];
    return bytes;
}

static void
count_row(const struct varve__plan *plan, sqlite3_stmt *statement, struct segment *segment)
{
    int64_t bytes = live_bytes(
        plan, sqlite3_column_int64(statement, 1), (const char *)sqlite3_column_text(statement, 2));
    segment->rows++;
    segment->live += bytes > 0 ? bytes : 0;
    segment->foreign |= bytes < 0;
}

static enum varve_status
count_live(
    struct varve__connection *connection, const struct varve__plan *plan, struct survey *survey)
{
    int code;
    sqlite3_stmt *statement;
    enum varve_status status = varve__move_prepare(
        connection, plan,
        "SELECT \"dataset\", \"field\", \"dims\" FROM \"varve_staged_%w\" WHERE \"dataset\" > 0",
        &statement);
    if (status != VARVE_OK)
        return status;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        const struct owner *owner = owner_of(survey, sqlite3_column_int64(statement, 0));
        if (owner)
            count_row(plan, statement, &survey->segments[owner->segment]);
    }
    if (code != SQLITE_DONE)
        status = varve__connection_fail(connection, code, plan, "compaction");
    sqlite3_finalize(statement);
    return status;
}

enum {
    SMALL_PART = 8, /* a segment of less than this part of a full one is small .. */
    SMALL_MOST = 4, /* .. and so many of them are too many */
};

/* Only segments that this message has rows in: others belong to other messages, or to none any more. */
static void
choose(struct survey *survey, int64_t limit)
{
    size_t small = 0;
    for (size_t i = 0; i < survey->segment_count; i++)
        small += survey->segments[i].live > 0 && survey->segments[i].elements < limit / SMALL_PART;
    for (size_t i = 0; i < survey->segment_count; i++) {
        struct segment *segment = &survey->segments[i];
        bool is_small = segment->elements < limit / SMALL_PART && small >= SMALL_MOST;
        segment->chosen = segment->live > 0 && !segment->foreign &&
                          (segment->live <= segment->elements / 2 || is_small);
        survey->live += segment->chosen ? segment->live : 0;
    }
}

static bool
is_chosen(void *context, int64_t dataset)
{
    const struct survey *survey = context;
    const struct owner *owner = owner_of(survey, dataset);
    return owner && survey->segments[owner->segment].chosen;
}

static enum varve_status
drop_segment(struct varve__connection *connection, int64_t id)
{
    static const char *const texts[] = {
        "INSERT INTO varve_dropped (file) SELECT file FROM varve_segment WHERE id = ?1",
        "DELETE FROM varve_segment WHERE id = ?1"};
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < 2 && status == VARVE_OK; i++) {
        sqlite3_stmt *statement;
        status = varve__sqlite_prepare(connection->database, NULL, texts[i], &statement);
        if (status != VARVE_OK)
            return status;
        sqlite3_bind_int64(statement, 1, id);
        int code = varve__connection_step(connection, statement);
        if (code != SQLITE_DONE)
            status = varve__connection_fail(connection, code, NULL, "compaction");
        sqlite3_finalize(statement);
    }
    return status;
}

/* Drops the chosen segments that no row names any more. No row can come to name one again: what an old dataset is
 * named by only grows less, so a survey of now is enough. */
static enum varve_status
drop_dead(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    struct survey *survey,
    struct varve__mover *move)
{
    int64_t dropped = 0;
    for (size_t i = 0; i < survey->segment_count; i++)
        survey->segments[i].rows = 0;
    enum varve_status status = count_live(connection, plan, survey);
    if (status == VARVE_OK)
        status = varve__write_begin(connection, VARVE__WRITE_SEVERAL);
    if (status != VARVE_OK)
        return status;
    for (size_t i = 0; i < survey->segment_count && status == VARVE_OK; i++) {
        const struct segment *segment = &survey->segments[i];
        if (!segment->chosen || segment->rows > 0)
            continue;
        status = drop_segment(connection, segment->id);
        dropped++;
    }
    status = varve__write_end(connection, VARVE__WRITE_SEVERAL, status);
    if (status == VARVE_OK)
        move->report.dropped += dropped;
    return status;
}

/* Leaves a segment as it is whose elements cannot be read: the others are compacted all the same. */
static bool
spare_damaged(struct survey *survey, struct varve__moved_rows *rows, struct varve__mover *move)
{
    const struct owner *owner = rows->damaged > 0 ? owner_of(survey, rows->damaged) : NULL;
    rows->damaged = 0;
    if (!owner || !survey->segments[owner->segment].chosen)
        return false;
    survey->segments[owner->segment].chosen = false;
    survey->live -= survey->segments[owner->segment].live;
    move->report.damaged++;
    return true;
}

static enum varve_status
move_chosen(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    struct survey *survey,
    struct varve__mover *move)
{
    int64_t before = move->report.bytes;
    struct varve__moved_rows rows = {0};
    enum varve_status status = VARVE_OK;
    while (status == VARVE_OK && !rows.all) {
        struct varve__segment_ready ready = {0};
        int64_t last = rows.last;
        status = write_one(
            connection, plan,
            "SELECT \"id\", \"record\", \"field\", \"dataset\", \"place\", \"dims\", \"hash\", "
            "\"bytes\" "
            "FROM \"varve_staged_%w\" WHERE \"id\" > ?1 AND \"dataset\" > 0 ORDER BY \"id\"",
            is_chosen, survey, &rows, &ready, move);
        if (status == VARVE_OK && rows.count > 0)
            status = varve__moved_rows_commit(connection, plan, &rows, &ready, 0, move);
        varve__segment_ready_release(connection, plan, &ready);
        if (status == VARVE_CORRUPT && spare_damaged(survey, &rows, move)) {
            status = VARVE_OK;
            rows.last = last; /* the same again, without that segment */
            rows.all = false;
        }
        tell(move, plan, move->report.bytes - before, survey->live);
    }
    varve__moved_rows_release(&rows);
    return status;
}

enum varve_status
varve__move_compact(
    struct varve__connection *connection, const struct varve__plan *plan, struct varve__mover *move)
{
    bool begun;
    struct survey survey = {0};
    enum varve_status status = varve__read_begin(connection, &begun);
    if (status != VARVE_OK)
        return status;
    status = read_catalog(connection, plan, &survey);
    if (status == VARVE_OK)
        status = count_live(connection, plan, &survey);
    varve__read_end(connection, begun);
    if (status == VARVE_OK)
        choose(&survey, varve__move_limit(connection, plan));
    if (status == VARVE_OK && survey.live > 0)
        status = move_chosen(connection, plan, &survey, move);
    if (status == VARVE_OK && survey.live > 0)
        status = drop_dead(connection, plan, &survey, move);
    release_survey(&survey);
    return status;
}
