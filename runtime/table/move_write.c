/* A segment of gathered rows. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "table/catalog.h"
#include "table/move_rows.h"
#include "table/seal.h"
#include "table/tensor.h"

enum {
    PIECE_BYTES = 8 << 20 /* of a tensor that are in memory at a time */
};

struct writing {
    struct varve__connection *connection;
    const struct varve__plan *plan;
    struct varve__moved_rows *rows;
    struct varve__segment *segment;
    int64_t *ids; /* of all records that occur, ascending */
    size_t id_count;
    struct varve__segment_tensor *tensors; /* those that occur */
    size_t *numbers;                       /* of the plan's tensors */
    size_t tensor_count;
    int64_t *dims;
    char *piece;
    size_t piece_size;
    sqlite3_blob *blob;
};

static int
by_tensor_and_record(const void *a, const void *b)
{
    const struct varve__moved_row *one = a, *other = b;
    if (one->tensor != other->tensor)
        return one->tensor < other->tensor ? -1 : 1;
    return (one->record > other->record) - (one->record < other->record);
}

static int
by_number(const void *a, const void *b)
{
    int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;
    return (one > other) - (one < other);
}

/* -------------------------------------------------------------------- what there is */

static bool
list_records(struct writing *writing)
{
    const struct varve__moved_rows *rows = writing->rows;
    writing->ids = varve__allocate(rows->count * sizeof *writing->ids);
    if (!writing->ids)
        return false;
    for (size_t i = 0; i < rows->count; i++)
        writing->ids[i] = rows->rows[i].record;
    qsort(writing->ids, rows->count, sizeof *writing->ids, by_number);
    for (size_t i = 0; i < rows->count; i++) {
        if (i == 0 || writing->ids[i] != writing->ids[writing->id_count - 1])
            writing->ids[writing->id_count++] = writing->ids[i];
    }
    return true;
}

static bool
list_tensors(struct writing *writing)
{
    size_t most = writing->plan->tensor_count;
    writing->tensors = varve__allocate(most * sizeof *writing->tensors);
    writing->numbers = varve__allocate(most * sizeof *writing->numbers);
    if (!writing->tensors || !writing->numbers)
        return false;
    for (size_t i = 0; i < writing->rows->count; i++) {
        size_t tensor = writing->rows->rows[i].tensor;
        if (i == 0 || tensor != writing->numbers[writing->tensor_count - 1])
            writing->numbers[writing->tensor_count++] = tensor;
    }
    return true;
}

/* Where all records have such a tensor those without a row here have zeros, elsewhere none. */
static void
fill_dims(const struct writing *writing, size_t t, size_t *row, int64_t *dims)
{
    const struct varve_column *column = writing->plan->tensors[writing->numbers[t]];
    size_t rank = column->tensor->dim_count;
    const struct varve__moved_rows *rows = writing->rows;
    for (size_t i = 0; i < writing->id_count; i++, dims += rank) {
        bool here = *row < rows->count && rows->rows[*row].tensor == writing->numbers[t] &&
                    rows->rows[*row].record == writing->ids[i];
        for (size_t axis = 0; axis < rank; axis++) {
            if (here)
                dims[axis] = rows->rows[*row].dims[axis];
            else
                dims[axis] = varve__tensor_is_fixed(column) ? column->tensor->dims[axis].size : -1;
        }
        *row += here;
    }
}

static bool
list_dims(struct writing *writing)
{
    size_t axes = 0, row = 0;
    for (size_t t = 0; t < writing->tensor_count; t++)
        axes += writing->plan->tensors[writing->numbers[t]]->tensor->dim_count;
    writing->dims = varve__allocate(axes * writing->id_count * sizeof(int64_t) + 1);
    int64_t *dims = writing->dims;
    if (!dims)
        return false;
    for (size_t t = 0; t < writing->tensor_count; t++) {
        const struct varve_column *column = writing->plan->tensors[writing->numbers[t]];
        writing->tensors[t] = (struct varve__segment_tensor){column, dims};
        fill_dims(writing, t, &row, dims);
        dims += column->tensor->dim_count * writing->id_count;
    }
    return true;
}

/* -------------------------------------------------------------------- elements */

static enum varve_status
open_blob(struct writing *writing, const struct varve__moved_row *row)
{
    char name[200];
    int code;
    sqlite3 *database = writing->connection->database;
    sqlite3_snprintf(sizeof name, name, "varve_staged_%s", writing->plan->record->table->name);
    if (writing->blob)
        code = sqlite3_blob_reopen(writing->blob, row->id);
    else
        code = sqlite3_blob_open(database, "main", name, "bytes", row->id, 0, &writing->blob);
    return code == SQLITE_OK ? VARVE_OK
                             : varve__connection_fail(
                                   writing->connection, code, writing->plan, "reading tensors");
}

/* Elements `first` .. of a row's tensor into the piece. */
static enum varve_status
read_piece(
    struct writing *writing,
    const struct varve__moved_row *row,
    struct varve__archived *archived,
    int64_t first,
    int64_t count,
    size_t element)
{
    if (archived) {
        const struct varve__box box = varve__box_all(row->place + first, count);
        return varve__reader_read(
            writing->connection->catalog.archive->reader, archived, &box, writing->piece);
    }
    int code = sqlite3_blob_read(
        writing->blob, writing->piece, (int)((size_t)count * element),
        (int)((size_t)first * element));
    return code == SQLITE_OK ? VARVE_OK
                             : varve__connection_fail(
                                   writing->connection, code, writing->plan, "reading tensors");
}

static enum varve_status
append_pieces(
    struct writing *writing,
    size_t t,
    const struct varve__moved_row *row,
    struct varve__archived *archived)
{
    size_t element = varve_dtype_size(writing->tensors[t].column->tensor->dtype);
    int64_t step = (int64_t)(writing->piece_size / element);
    enum varve_status status = VARVE_OK;
    for (int64_t first = 0; first < row->count && status == VARVE_OK; first += step) {
        int64_t count = row->count - first < step ? row->count - first : step;
        status = read_piece(writing, row, archived, first, count, element);
        if (status == VARVE_OK)
            status = varve__segment_append(writing->segment, t, writing->piece, (size_t)count);
    }
    return status;
}

static enum varve_status
append_row(struct writing *writing, size_t t, const struct varve__moved_row *row)
{
    struct varve__archived *archived = NULL;
    enum varve_status status =
        row->dataset > 0 ? varve__catalog_dataset(writing->connection, row->dataset, &archived)
                         : open_blob(writing, row);
    if (archived &&
        varve__archived_dataset(archived)->dtype != writing->tensors[t].column->tensor->dtype)
        status = varve__fail(
            VARVE_CORRUPT, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE,
            writing->plan->record->descriptor->name,
            "a tensor of the record %lld has elements of another type in the archive than in the "
            "schema: the "
            "database was changed by hand or damaged; restore a backup",
            (long long)row->record);
    if (status == VARVE_OK)
        status = append_pieces(writing, t, row, archived);
    if (status == VARVE_CORRUPT)
        writing->rows->damaged = row->dataset;
    if (archived)
        varve__reader_done(writing->connection->catalog.archive->reader, archived);
    return status;
}

static enum varve_status
append_zeros(struct writing *writing, size_t t)
{
    const struct varve_tensor *tensor = writing->tensors[t].column->tensor;
    int64_t left = 1;
    for (size_t i = 0; i < tensor->dim_count; i++)
        left *= tensor->dims[i].size;
    int64_t step = (int64_t)(writing->piece_size / varve_dtype_size(tensor->dtype));
    enum varve_status status = VARVE_OK;
    memset(writing->piece, 0, writing->piece_size);
    for (; left > 0 && status == VARVE_OK; left -= step)
        status = varve__segment_append(
            writing->segment, t, writing->piece, (size_t)(left < step ? left : step));
    return status;
}

static enum varve_status
append_all(struct writing *writing)
{
    size_t row = 0;
    enum varve_status status = VARVE_OK;
    const struct varve__moved_rows *rows = writing->rows;
    for (size_t t = 0; t < writing->tensor_count; t++) {
        bool fixed = varve__tensor_is_fixed(writing->tensors[t].column);
        for (size_t i = 0; i < writing->id_count && status == VARVE_OK; i++) {
            bool here = row < rows->count && rows->rows[row].tensor == writing->numbers[t] &&
                        rows->rows[row].record == writing->ids[i];
            if (here)
                status = append_row(writing, t, &rows->rows[row++]);
            else if (fixed)
                status = append_zeros(writing, t);
        }
        if (status == VARVE_OK)
            status = varve__connection_poll(writing->connection, writing->plan, "moving tensors");
    }
    return status;
}

/* -------------------------------------------------------------------- the segment */

static enum varve_status
prepare(struct writing *writing)
{
    size_t size = writing->rows->bytes < PIECE_BYTES ? (size_t)writing->rows->bytes : PIECE_BYTES;
    size = size < 64 ? 64 : size;
    qsort(
        writing->rows->rows, writing->rows->count, sizeof *writing->rows->rows,
        by_tensor_and_record);
    writing->piece = varve__allocate(size);
    writing->piece_size = size;
    if (writing->piece && list_records(writing) && list_tensors(writing) && list_dims(writing))
        return VARVE_OK;
    return varve__fail_memory(writing->plan->record->descriptor->name, size);
}

static enum varve_status
write_segment(struct writing *writing)
{
    struct varve__segment_options options;
    enum varve_status status = varve__seal_options(writing->connection, writing->plan, &options);
    const struct varve__segment_records records = {writing->id_count, writing->ids};
    if (status == VARVE_OK)
        status = varve__segment_create(
            &options, &records, writing->tensors, writing->tensor_count, &writing->segment);
    if (status == VARVE_OK)
        status = append_all(writing);
    return status == VARVE_OK ? varve__segment_finish(writing->segment) : status;
}

enum varve_status
varve__moved_rows_write(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    struct varve__moved_rows *rows,
    struct varve__segment_ready *ready)
{
    struct writing writing = {.connection = connection, .plan = plan, .rows = rows};
    enum varve_status status = prepare(&writing);
    if (status == VARVE_OK)
        status = write_segment(&writing);
    sqlite3_blob_close(writing.blob);
    varve__release(writing.piece);
    varve__release(writing.numbers);
    *ready = (struct varve__segment_ready){
        writing.segment, writing.ids, writing.id_count, writing.tensors, writing.dims};
    return status;
}

size_t
varve__segment_ready_record(const struct varve__segment_ready *ready, int64_t id)
{
    const int64_t *found = bsearch(&id, ready->ids, ready->id_count, sizeof *ready->ids, by_number);
    return (size_t)(found - ready->ids);
}

void
varve__segment_ready_release(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    struct varve__segment_ready *ready)
{
    varve__catalog_discard(connection, plan, ready->segment);
    varve__release(ready->ids);
    varve__release(ready->tensors);
    varve__release(ready->dims);
}
