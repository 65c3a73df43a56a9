/* Slices: of a row's bytes, or of the archive's chunks. */
#include "table/slice.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "table/catalog.h"
#include "table/move_rows.h"
#include "table/tensor.h"
#include "table/transaction.h"

enum {
    COLUMN_DATASET,
    COLUMN_PLACE,
    COLUMN_DIMS,
    COLUMN_HASH,
    COLUMN_BYTES,
};

struct slice {
    struct varve__connection *connection;
    const struct varve__plan *plan;
    const struct varve_column *tensor;
    int64_t id;
    const char *dims; /* as text */
    struct varve__box box;
    void *buffer;
    size_t size;
};

static enum varve_status
refuse(
    const struct slice *slice,
    enum varve_status status,
    enum varve_failure_kind kind,
    const char *what)
{
    const char *name = slice->plan->record->descriptor->name;
    status = varve__fail(
        status, kind, VARVE_TIER_ARCHIVE, name, "%s.%s of the record %lld %s", name,
        slice->tensor->field->name, (long long)slice->id, what);
    varve__failure_add_field(slice->tensor->field->id);
    return status;
}

static enum varve_status
fail_damaged(const struct slice *slice)
{
    return refuse(
        slice, VARVE_CORRUPT, VARVE_FAILURE_OTHER,
        "is not what was written: the database was changed by hand or damaged; restore a backup, "
        "or write the "
        "tensor again");
}

/* -------------------------------------------------------------------- the box */

static enum varve_status
check_range(struct slice *slice, const struct varve_range *range)
{
    char what[160];
    struct varve__box *box = &slice->box;
    for (size_t i = 0; i < box->rank; i++) {
        box->start[i] = range ? range->start[i] : 0;
        box->count[i] = range ? range->count[i] : box->dims[i];
        if (box->start[i] >= 0 && box->count[i] >= 0 && box->start[i] <= box->dims[i] &&
            box->count[i] <= box->dims[i] - box->start[i])
            continue;
        snprintf(
            what, sizeof what,
            "has %lld along axis %zu, and the range asks for %lld from %lld on; its dims are %.60s",
            (long long)box->dims[i], i, (long long)box->count[i], (long long)box->start[i],
            slice->dims);
        return refuse(slice, VARVE_INVALID, VARVE_FAILURE_RANGE, what);
    }
    return VARVE_OK;
}

static enum varve_status
check_size(const struct slice *slice)
{
    char what[160];
    int64_t runs, length, bytes;
    varve__box_runs(&slice->box, &runs, &length);
    bytes = runs * length * (int64_t)varve_dtype_size(slice->tensor->tensor->dtype);
    if ((uint64_t)bytes != slice->size) {
        snprintf(
            what, sizeof what,
            "has %lld bytes in this range, and the buffer has %zu; pass one of that size",
            (long long)bytes, slice->size);
        return refuse(slice, VARVE_INVALID, VARVE_FAILURE_SIZE, what);
    }
    if (bytes > 0 && !slice->buffer)
        return refuse(
            slice, VARVE_MISUSE, VARVE_FAILURE_OTHER, "cannot be read: the buffer is NULL");
    return VARVE_OK;
}

/* -------------------------------------------------------------------- reading */

/* Of a row that has its bytes; these were checked. */
static enum varve_status
read_staged(const struct slice *slice, sqlite3_stmt *statement)
{
    int64_t runs, length;
    size_t element = varve_dtype_size(slice->tensor->tensor->dtype);
    const char *bytes = sqlite3_column_blob(statement, COLUMN_BYTES);
    size_t size = (size_t)sqlite3_column_bytes(statement, COLUMN_BYTES), all = element;
    for (size_t i = 0; i < slice->box.rank; i++)
        all *= (size_t)slice->box.dims[i];
    if (size != all)
        return fail_damaged(slice);
    varve__box_runs(&slice->box, &runs, &length);
    for (int64_t run = 0; run < runs; run++)
        memcpy(
            (char *)slice->buffer + (size_t)(run * length) * element,
            bytes + (size_t)varve__box_run(&slice->box, run) * element, (size_t)length * element);
    return VARVE_OK;
}

static enum varve_status
read_archived(struct slice *slice, sqlite3_stmt *statement)
{
    struct varve__archived *archived;
    struct varve__connection *connection = slice->connection;
    struct varve__reader *reader = connection->catalog.archive->reader;
    slice->box.first = sqlite3_column_int64(statement, COLUMN_PLACE);
    enum varve_status status = varve__catalog_dataset(
        connection, sqlite3_column_int64(statement, COLUMN_DATASET), &archived);
    if (status != VARVE_OK)
        return status;
    if (varve__archived_dataset(archived)->dtype != slice->tensor->tensor->dtype)
        status = fail_damaged(slice);
    else
        status = varve__reader_read(reader, archived, &slice->box, slice->buffer);
    varve__reader_done(reader, archived);
    return status;
}

static bool
hash_agrees(const struct slice *slice, sqlite3_stmt *statement)
{
    if (sqlite3_column_type(statement, COLUMN_HASH) == SQLITE_NULL)
        return true;
    return sqlite3_column_int64(statement, COLUMN_HASH) ==
           varve__catalog_hash(
               slice->id, slice->tensor->field->id, sqlite3_column_int64(statement, COLUMN_DATASET),
               sqlite3_column_int64(statement, COLUMN_PLACE), slice->dims,
               sqlite3_column_blob(statement, COLUMN_BYTES),
               (size_t)sqlite3_column_bytes(statement, COLUMN_BYTES));
}

static enum varve_status
read_row(struct slice *slice, const struct varve_range *range, sqlite3_stmt *statement)
{
    struct varve__box *box = &slice->box;
    slice->dims = (const char *)sqlite3_column_text(statement, COLUMN_DIMS);
    box->rank = slice->tensor->tensor->dim_count;
    if (!slice->dims || !varve__tensor_read_dims(slice->dims, box->rank, box->dims) ||
        !hash_agrees(slice, statement))
        return fail_damaged(slice);
    enum varve_status status = check_range(slice, range);
    if (status == VARVE_OK)
        status = check_size(slice);
    if (status != VARVE_OK || slice->size == 0)
        return status;
    return sqlite3_column_int64(statement, COLUMN_DATASET) > 0 ? read_archived(slice, statement)
                                                               : read_staged(slice, statement);
}

enum varve_status
varve__slice_read(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve_column *tensor,
    int64_t id,
    const struct varve_range *range,
    void *buffer,
    size_t size)
{
    sqlite3_stmt *statement;
    struct slice slice = {
        .connection = connection,
        .plan = plan,
        .tensor = tensor,
        .id = id,
        .buffer = buffer,
        .size = size};
    enum varve_status status = varve__connection_check(connection);
    if (status == VARVE_OK)
        status = varve__statement(connection, plan, VARVE__VERB_STAGED_SLICE, &statement);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_int64(statement, 1, id);
    sqlite3_bind_int64(statement, 2, tensor->field->id);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        status = varve__guard_read(connection, statement);
    else
        status = varve__connection_fail(connection, code, plan, "reading a tensor");
    if (status == VARVE_OK)
        status =
            code == SQLITE_ROW
                ? read_row(&slice, range, statement)
                : refuse(
                      &slice, VARVE_NOT_FOUND, VARVE_FAILURE_OTHER,
                      "is not there: there is no such record, or its tensor is absent or empty");
    sqlite3_reset(statement);
    return status;
}
