/* Gathering rows and moving them. What is written between is in move_write.c. */
#include "table/move_rows.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "table/catalog.h"
#include "table/sqlite.h"
#include "table/tensor.h"
#include "table/transaction.h"

enum {
    COLUMN_ID,
    COLUMN_RECORD,
    COLUMN_FIELD,
    COLUMN_DATASET,
    COLUMN_PLACE,
    COLUMN_DIMS,
    COLUMN_HASH,
    COLUMN_BYTES,
};

int64_t
varve__move_limit(const struct varve__connection *connection, const struct varve__plan *plan)
{
    int64_t own = plan->record->archive->segment_bytes;
    return own > 0 ? own : connection->catalog.archive->options.segment_bytes;
}

enum varve_status
varve__move_prepare(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const char *format,
    sqlite3_stmt **statement)
{
    char *text = sqlite3_mprintf(format, plan->record->table->name, plan->record->table->name);
    *statement = NULL;
    if (!text)
        return varve__fail_memory(plan->record->descriptor->name, strlen(format));
    enum varve_status status =
        varve__sqlite_prepare(connection->database, plan->record, text, statement);
    sqlite3_free(text);
    return status;
}

void
varve__moved_rows_release(struct varve__moved_rows *rows)
{
    varve__release(rows->rows);
    *rows = (struct varve__moved_rows){0};
}

/* -------------------------------------------------------------------- gathering */

static bool
grow(struct varve__moved_rows *rows)
{
    size_t room = rows->room > 0 ? rows->room * 2 : 64;
    struct varve__moved_row *grown = varve__allocate(room * sizeof *grown);
    if (!grown)
        return false;
    if (rows->count > 0)
        memcpy(grown, rows->rows, rows->count * sizeof *grown);
    varve__release(rows->rows);
    rows->rows = grown;
    rows->room = room;
    return true;
}

static bool
find_tensor(const struct varve__plan *plan, int64_t field, size_t *tensor)
{
    for (*tensor = 0; *tensor < plan->tensor_count; ++*tensor) {
        if (plan->tensors[*tensor]->field->id == field)
            return true;
    }
    return false;
}

static bool
product(const int64_t *dims, size_t count, int64_t *result)
{
    *result = 1;
    for (size_t i = 0; i < count; i++) {
        if (__builtin_mul_overflow(*result, dims[i], result))
            return false;
    }
    return true;
}

/* The row under the statement. False: it is not what was written. */
static bool
read_row(const struct varve__plan *plan, sqlite3_stmt *statement, struct varve__moved_row *row)
{
    int64_t field = sqlite3_column_int64(statement, COLUMN_FIELD);
    const char *dims = (const char *)sqlite3_column_text(statement, COLUMN_DIMS);
    const void *bytes = sqlite3_column_blob(statement, COLUMN_BYTES);
    size_t size = (size_t)sqlite3_column_bytes(statement, COLUMN_BYTES);
    row->id = sqlite3_column_int64(statement, COLUMN_ID);
    row->record = sqlite3_column_int64(statement, COLUMN_RECORD);
    row->dataset = sqlite3_column_int64(statement, COLUMN_DATASET);
    row->place = sqlite3_column_int64(statement, COLUMN_PLACE);
    if (!dims || !find_tensor(plan, field, &row->tensor))
        return false;
    const struct varve_tensor *tensor = plan->tensors[row->tensor]->tensor;
    if (!varve__tensor_read_dims(dims, tensor->dim_count, row->dims) ||
        !product(row->dims, tensor->dim_count, &row->count))
        return false;
    if (row->dataset == 0 && (int64_t)size != row->count * (int64_t)varve_dtype_size(tensor->dtype))
        return false;
    return sqlite3_column_type(statement, COLUMN_HASH) == SQLITE_NULL ||
           sqlite3_column_int64(statement, COLUMN_HASH) ==
               varve__catalog_hash(row->record, field, row->dataset, row->place, dims, bytes, size);
}

enum varve_status
varve__moved_rows_gather(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    sqlite3_stmt *statement,
    bool (*wanted)(void *context, int64_t dataset),
    void *context,
    int64_t limit,
    struct varve__moved_rows *rows,
    struct varve__mover *move)
{
    int code = SQLITE_DONE;
    rows->count = 0;
    rows->bytes = 0;
    while (rows->bytes < limit && rows->count < VARVE__MOVE_ROWS_MOST &&
           (code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (rows->count == rows->room && !grow(rows))
            return varve__fail_memory(plan->record->descriptor->name, rows->room * 2);
        struct varve__moved_row *row = &rows->rows[rows->count];
        size_t tensor;
        bool known = find_tensor(plan, sqlite3_column_int64(statement, COLUMN_FIELD), &tensor);
        bool taken =
            known && (!wanted || wanted(context, sqlite3_column_int64(statement, COLUMN_DATASET)));
        bool good = taken && read_row(plan, statement, row);
        rows->last = sqlite3_column_int64(statement, COLUMN_ID);
        move->report.damaged += taken && !good;
        if (!good || row->count == 0)
            continue;
        rows->bytes +=
            row->count * (int64_t)varve_dtype_size(plan->tensors[row->tensor]->tensor->dtype);
        rows->count++;
    }
    rows->all = code == SQLITE_DONE && rows->bytes < limit && rows->count < VARVE__MOVE_ROWS_MOST;
    return code == SQLITE_DONE || code == SQLITE_ROW
               ? VARVE_OK
               : varve__connection_fail(connection, code, plan, "reading tensors");
}

/* -------------------------------------------------------------------- moving */

struct target {
    const struct varve__segment_ready *ready;
    const struct varve__segment *segment;
    int64_t first; /* dataset */
    const struct varve__plan *plan;
};

static enum varve_status
move_row(
    struct varve__connection *connection,
    const struct target *target,
    const struct varve__moved_row *row,
    size_t record,
    size_t tensor,
    sqlite3_stmt *statement,
    struct varve__mover *move)
{
    size_t dataset;
    int64_t place;
    char dims[VARVE__DIMS_TEXT];
    const struct varve_column *column = target->plan->tensors[row->tensor];
    if (!varve__segment_place(target->segment, record, tensor, &dataset, &place))
        return VARVE_OK;
    int64_t number = target->first + (int64_t)dataset;
    varve__tensor_dims_text(row->dims, column->tensor->dim_count, dims);
    sqlite3_bind_int64(statement, 1, number);
    sqlite3_bind_int64(statement, 2, place);
    sqlite3_bind_int64(
        statement, 3,
        varve__catalog_hash(row->record, column->field->id, number, place, dims, "", 0));
    sqlite3_bind_int64(statement, 4, row->id);
    sqlite3_bind_int64(statement, 5, row->dataset);
    int code = varve__connection_step(connection, statement);
    sqlite3_reset(statement);
    if (code != SQLITE_DONE)
        return varve__connection_fail(connection, code, target->plan, "moving tensors");
    if (sqlite3_changes64(connection->database) > 0) {
        move->report.tensors++;
        move->report.bytes += row->count * (int64_t)varve_dtype_size(column->tensor->dtype);
    }
    return VARVE_OK;
}

/* The rows are sorted by tensor, then record; the segment's records are all that occur, sorted. */
static enum varve_status
move_rows(
    struct varve__connection *connection,
    const struct target *target,
    const struct varve__moved_rows *rows,
    struct varve__mover *move)
{
    sqlite3_stmt *statement;
    size_t tensor = 0;
    enum varve_status status = varve__move_prepare(
        connection, target->plan,
        "UPDATE \"varve_staged_%w\" SET \"dataset\" = ?1, \"place\" = ?2, \"hash\" = ?3, \"bytes\" "
        "= x'' "
        "WHERE \"id\" = ?4 AND \"dataset\" = ?5",
        &statement);
    for (size_t i = 0; i < rows->count && status == VARVE_OK; i++) {
        const struct varve__moved_row *row = &rows->rows[i];
        if (i > 0 && row->tensor != rows->rows[i - 1].tensor)
            tensor++;
        size_t record = varve__segment_ready_record(target->ready, row->record);
        status = move_row(connection, target, row, record, tensor, statement, move);
    }
    sqlite3_finalize(statement);
    return status;
}

static enum varve_status
note_sealed(struct varve__connection *connection, const struct varve__plan *plan, int64_t sealed)
{
    sqlite3_stmt *statement;
    enum varve_status status = varve__sqlite_prepare(
        connection->database, NULL,
        "INSERT INTO varve_sealed (name, id) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET id = "
        "excluded.id",
        &statement);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_text(statement, 1, plan->record->table->name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, sealed);
    int code = varve__connection_step(connection, statement);
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? VARVE_OK
                               : varve__connection_fail(connection, code, plan, "moving tensors");
}

enum varve_status
varve__moved_rows_commit(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve__moved_rows *rows,
    struct varve__segment_ready *ready,
    int64_t sealed,
    struct varve__mover *move)
{
    struct varve__segment *segment = ready->segment;
    struct target target = {.ready = ready, .plan = plan};
    const struct varve__move_report before = move->report;
    enum varve_status status = varve__write_begin(connection, VARVE__WRITE_SEVERAL);
    if (status != VARVE_OK)
        return status;
    ready->segment = NULL; /* the transaction's now */
    target.segment = segment;
    if (segment)
        status = varve__catalog_add(connection, plan, segment, rows->bytes, &target.first);
    if (segment && status == VARVE_OK) {
        move->report.segments++;
        status = move_rows(connection, &target, rows, move);
    }
    if (status == VARVE_OK && sealed > 0)
        status = note_sealed(connection, plan, sealed);
    status = varve__write_end(connection, VARVE__WRITE_SEVERAL, status);
    if (status != VARVE_OK)
        move->report = before;
    return status;
}
