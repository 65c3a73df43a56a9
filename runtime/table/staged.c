/* Rows of tensors. */
#include "table/staged.h"

#include <string.h>

#include <varve/record.h>

#include "base/error.h"
#include "table/catalog.h"
#include "table/row.h"
#include "table/seal.h"
#include "table/tensor.h"
#include "table/write.h"

static enum varve_status
refuse(
    const struct varve__plan *plan,
    const struct varve_column *tensor,
    enum varve_status status,
    enum varve_failure_kind kind,
    const char *what)
{
    const char *name = plan->record->descriptor->name;
    status = varve__fail(
        status, kind, VARVE_TIER_TABLE, name, "%s.%s %s", name, tensor->field->name, what);
    varve__failure_add_field(tensor->field->id);
    return status;
}

/* -------------------------------------------------------------------- comparing */

/* The record's dims as text. */
static void
write_dims(const struct varve_tensor *tensor, const void *record, char text[VARVE__DIMS_TEXT])
{
    int64_t dims[8];
    varve__tensor_dims(tensor, record, dims);
    varve__tensor_dims_text(dims, tensor->dim_count, text);
}

static const struct varve_column *
tensor_of_row(const struct varve__plan *plan, sqlite3_stmt *statement)
{
    int64_t field = sqlite3_column_int64(statement, 0);
    return field > 0 && field <= UINT32_MAX ? varve__plan_tensor(plan, (uint32_t)field) : NULL;
}

static bool
dims_agree(const struct varve_column *tensor, const void *record, sqlite3_stmt *statement)
{
    char dims[VARVE__DIMS_TEXT] = "";
    const char *stored = (const char *)sqlite3_column_text(statement, 1);
    write_dims(tensor->tensor, record, dims);
    return stored && strcmp(stored, dims) == 0;
}

/* Steps through the stored dims; *found has a bit for each tensor that is there. */
static enum varve_status
compare_dims(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *record,
    sqlite3_stmt *statement,
    bool *found)
{
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        const struct varve_column *tensor = tensor_of_row(plan, statement);
        if (!tensor)
            continue;
        if (!dims_agree(tensor, record, statement))
            return refuse(
                plan, tensor, VARVE_INVALID, VARVE_FAILURE_DIMS,
                "is stored with other dims than the record has now; write the tensor with them");
        for (size_t i = 0; i < plan->tensor_count; i++)
            found[i] = found[i] || plan->tensors[i] == tensor;
    }
    return code == SQLITE_DONE
               ? VARVE_OK
               : varve__connection_fail(connection, code, plan, "reading the dims of tensors");
}

/* Those that may be absent are wanted too where `kept`, a record, has them unloaded. */
static enum varve_status
verify(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *record,
    const void *kept,
    int64_t id)
{
    sqlite3_stmt *statement;
    size_t size = plan->tensor_count * sizeof(bool);
    enum varve_status status =
        varve__statement(connection, plan, VARVE__VERB_STAGED_DIMS, &statement);
    if (status != VARVE_OK)
        return status;
    bool *found = varve__arena_allocate(connection->arena, size);
    if (!found)
        return varve__fail_memory(plan->record->descriptor->name, size);
    memset(found, 0, size);
    sqlite3_bind_int64(statement, 1, id);
    status = compare_dims(connection, plan, record, statement, found);
    sqlite3_reset(statement);
    for (size_t i = 0; i < plan->tensor_count && status == VARVE_OK; i++) {
        const struct varve_column *tensor = plan->tensors[i];
        bool wanted = tensor->tensor->optional ? !varve__tensor_is_loaded(tensor, kept)
                                               : varve__tensor_expected(tensor, record) > 0;
        if (wanted && !found[i])
            status = refuse(
                plan, tensor, VARVE_INVALID, VARVE_FAILURE_NOT_LOADED,
                "is not loaded (data is NULL) and the store has none to keep; set it");
    }
    return status;
}

enum varve_status
varve__staged_verify(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *row,
    const void *kept,
    int64_t id)
{
    return verify(connection, plan, row, kept, id);
}

void
varve__staged_unload(const struct varve__plan *plan, void *record)
{
    for (size_t i = 0; i < plan->tensor_count; i++) {
        const struct varve_column *tensor = plan->tensors[i];
        size_t count = tensor->tensor->optional ? 0 : varve__tensor_expected(tensor, record);
        varve__tensor_set(tensor, record, (struct varve__list){count, NULL}, false);
    }
}

/* -------------------------------------------------------------------- writing */

/* What stands in a row beside record and field. */
struct place {
    int64_t dataset;
    int64_t element;
    const void *bytes;
    size_t size;
};

static enum varve_status
insert_row(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve_column *tensor,
    const int64_t *sizes,
    int64_t id,
    const struct place *place)
{
    sqlite3_stmt *statement;
    char dims[VARVE__DIMS_TEXT];
    enum varve_status status =
        varve__statement(connection, plan, VARVE__VERB_STAGED_INSERT, &statement);
    if (status != VARVE_OK)
        return status;
    varve__tensor_dims_text(sizes, tensor->tensor->dim_count, dims);
    sqlite3_bind_int64(statement, 1, id);
    sqlite3_bind_int64(statement, 2, tensor->field->id);
    sqlite3_bind_int64(statement, 3, place->dataset);
    sqlite3_bind_int64(statement, 4, place->element);
    sqlite3_bind_int64(
        statement, 5,
        varve__catalog_hash(
            id, tensor->field->id, place->dataset, place->element, dims, place->bytes,
            place->size));
    sqlite3_bind_text(statement, 6, dims, -1, SQLITE_STATIC);
    int code = sqlite3_bind_blob64(
        statement, 7, place->size > 0 ? place->bytes : "", place->size, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = varve__connection_step(connection, statement);
    sqlite3_reset(statement);
    if (code == SQLITE_TOOBIG)
        return refuse(
            plan, tensor, VARVE_FULL, VARVE_FAILURE_SIZE,
            "is larger than 1 GB, which is more than a row holds; lower config.stage_max_bytes, so "
            "that it "
            "goes to the archive at once");
    return code == SQLITE_DONE ? VARVE_OK
                               : varve__connection_fail(connection, code, plan, "storing a tensor");
}

enum varve_status
varve__staged_insert(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve_column *tensor,
    const void *record,
    int64_t id)
{
    int64_t dims[8];
    struct varve__list list = varve__tensor_list(tensor, record);
    const struct place place = {0, 0, list.data, varve__tensor_bytes(tensor, record)};
    varve__tensor_dims(tensor->tensor, record, dims);
    return insert_row(connection, plan, tensor, dims, id, &place);
}

enum varve_status
varve__staged_insert_place(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve_column *tensor,
    const void *record,
    int64_t id,
    int64_t dataset,
    int64_t element)
{
    int64_t dims[8];
    varve__tensor_dims(tensor->tensor, record, dims);
    return varve__staged_insert_dims(connection, plan, tensor, dims, id, dataset, element);
}

enum varve_status
varve__staged_insert_dims(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve_column *tensor,
    const int64_t *dims,
    int64_t id,
    int64_t dataset,
    int64_t element)
{
    const struct place place = {dataset, element, NULL, 0};
    return insert_row(connection, plan, tensor, dims, id, &place);
}

enum varve_status
varve__staged_remove(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve_column *tensor,
    int64_t id)
{
    sqlite3_stmt *statement;
    enum varve_status status =
        varve__statement(connection, plan, VARVE__VERB_STAGED_DELETE, &statement);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_int64(statement, 1, id);
    sqlite3_bind_int64(statement, 2, tensor->field->id);
    int code = varve__connection_step(connection, statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE
               ? VARVE_OK
               : varve__connection_fail(connection, code, plan, "replacing a tensor");
}

/* Inserts these tensors of a record, of which there are no rows: in the table, or where they are large in a
 * segment. Those that are not loaded are left out. */
static enum varve_status
insert_all(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve_column *const *tensors,
    size_t count,
    const void *record,
    int64_t id)
{
    size_t failed;
    enum varve_status status = VARVE_OK;
    const struct varve__seal what = {record, 1, &id, tensors, count};
    if (varve__seal_wanted(connection, varve__seal_bytes(plan, &what, 0)))
        return varve__seal_write(connection, plan, &what, &failed);
    for (size_t i = 0; i < count && status == VARVE_OK; i++) {
        if (varve__tensor_is_stored(tensors[i], record) &&
            varve__tensor_is_loaded(tensors[i], record))
            status = varve__staged_insert(connection, plan, tensors[i], record, id);
    }
    return status;
}

/* New rows and no updates: their ids tell whoever moves rows that these are others. */
enum varve_status
varve__staged_replace(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve_column *const *tensors,
    size_t count,
    const void *record,
    int64_t id)
{
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < count && status == VARVE_OK; i++) {
        if (varve__tensor_is_loaded(tensors[i], record))
            status = varve__staged_remove(connection, plan, tensors[i], id);
    }
    return status == VARVE_OK ? insert_all(connection, plan, tensors, count, record, id) : status;
}

enum varve_status
varve__staged_write(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *record,
    int64_t id,
    enum varve__staged_mode mode)
{
    bool all_loaded = true;
    enum varve_status status =
        mode == VARVE__STAGED_UPDATE
            ? varve__staged_replace(connection, plan, plan->tensors, plan->tensor_count, record, id)
            : insert_all(connection, plan, plan->tensors, plan->tensor_count, record, id);
    for (size_t i = 0; i < plan->tensor_count; i++)
        all_loaded = all_loaded && varve__tensor_is_loaded(plan->tensors[i], record);
    if (status == VARVE_OK && !all_loaded)
        status = verify(connection, plan, record, record, id);
    return status;
}

/* -------------------------------------------------------------------- reading */

/* Columns of VARVE__VERB_STAGED_READ. */
enum {
    COLUMN_FIELD,
    COLUMN_DIMS,
    COLUMN_DATASET,
    COLUMN_PLACE,
    COLUMN_HASH,
    COLUMN_BYTES,
};

/* Whether the row is what was written. A migration's rows have no hash. */
static bool
hash_agrees(int64_t record, sqlite3_stmt *statement)
{
    if (sqlite3_column_type(statement, COLUMN_HASH) == SQLITE_NULL)
        return true;
    const char *dims = (const char *)sqlite3_column_text(statement, COLUMN_DIMS);
    const void *bytes = sqlite3_column_blob(statement, COLUMN_BYTES);
    size_t size = (size_t)sqlite3_column_bytes(statement, COLUMN_BYTES);
    int64_t hash = varve__catalog_hash(
        record, sqlite3_column_int64(statement, COLUMN_FIELD),
        sqlite3_column_int64(statement, COLUMN_DATASET),
        sqlite3_column_int64(statement, COLUMN_PLACE), dims ? dims : "", bytes, size);
    return hash == sqlite3_column_int64(statement, COLUMN_HASH);
}

/* Reads elements of a row's tensor: of the row itself, or of the archive. */
static enum varve_status
fetch(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve_column *tensor,
    size_t count,
    sqlite3_stmt *statement,
    void *to)
{
    struct varve__archived *archived;
    int64_t dataset = sqlite3_column_int64(statement, COLUMN_DATASET);
    size_t element = varve_dtype_size(tensor->tensor->dtype);
    size_t size = (size_t)sqlite3_column_bytes(statement, COLUMN_BYTES);
    if (dataset == 0 && size / element == count && size % element == 0) {
        if (size > 0)
            memcpy(to, sqlite3_column_blob(statement, COLUMN_BYTES), size);
        return VARVE_OK;
    }
    if (dataset == 0)
        return refuse(
            plan, tensor, VARVE_TYPE, VARVE_FAILURE_DIMS,
            "is stored with other dims than its record has; the tables were changed by hand: write "
            "the tensor again");
    enum varve_status status = varve__catalog_dataset(connection, dataset, &archived);
    if (status != VARVE_OK)
        return status;
    const struct varve__box box =
        varve__box_all(sqlite3_column_int64(statement, COLUMN_PLACE), (int64_t)count);
    if (varve__archived_dataset(archived)->dtype == tensor->tensor->dtype)
        status = varve__reader_read(connection->catalog.archive->reader, archived, &box, to);
    else
        status = refuse(
            plan, tensor, VARVE_CORRUPT, VARVE_FAILURE_OTHER,
            "has elements of another type in the archive than in the schema: the database was "
            "changed by hand "
            "or damaged; restore a backup");
    varve__reader_done(connection->catalog.archive->reader, archived);
    return status;
}

static enum varve_status
load_one(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve_column *tensor,
    void *record,
    int64_t id,
    sqlite3_stmt *statement,
    struct varve__arena *arena)
{
    struct varve__list list = {varve__tensor_expected(tensor, record), NULL};
    if (!hash_agrees(id, statement))
        return refuse(
            plan, tensor, VARVE_CORRUPT, VARVE_FAILURE_OTHER,
            "is not what was written: the database was changed by hand or damaged; restore a "
            "backup, or write "
            "the tensor again");
    if (!dims_agree(tensor, record, statement))
        return refuse(
            plan, tensor, VARVE_TYPE, VARVE_FAILURE_DIMS,
            "is stored with other dims than its record has; the tables were changed by hand: write "
            "the tensor again");
    size_t size = list.count * varve_dtype_size(tensor->tensor->dtype);
    if (size > 0 && !(list.data = varve__arena_allocate(arena, size)))
        return varve__fail_memory(plan->record->descriptor->name, size);
    enum varve_status status = fetch(connection, plan, tensor, list.count, statement, list.data);
    if (status == VARVE_OK)
        varve__tensor_set(tensor, record, list, true);
    return status;
}

/* What has no row is absent or empty: allowed where the tensor is optional or its dims say so. */
static enum varve_status
check_missing(const struct varve__plan *plan, const struct varve_column *tensor, void *record)
{
    struct varve__list list = varve__tensor_list(tensor, record);
    if (list.count == 0 || list.data)
        return VARVE_OK;
    varve__tensor_set(tensor, record, (struct varve__list){0, NULL}, false);
    if (tensor->tensor->optional)
        return VARVE_OK;
    return refuse(
        plan, tensor, VARVE_TYPE, VARVE_FAILURE_OTHER,
        "is missing from the store; the tables were changed by hand: write the tensor again");
}

enum varve_status
varve__staged_load(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    void *record,
    struct varve__arena *arena)
{
    sqlite3_stmt *statement;
    enum varve_status status =
        varve__statement(connection, plan, VARVE__VERB_STAGED_READ, &statement);
    if (status != VARVE_OK)
        return status;
    int code = SQLITE_DONE;
    int64_t id = varve__write_id(plan, record);
    sqlite3_bind_int64(statement, 1, id);
    while (status == VARVE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        const struct varve_column *tensor = tensor_of_row(plan, statement);
        if (tensor)
            status = load_one(connection, plan, tensor, record, id, statement, arena);
    }
    if (status == VARVE_OK && code != SQLITE_DONE)
        status = varve__connection_fail(connection, code, plan, "reading tensors");
    sqlite3_reset(statement);
    for (size_t i = 0; i < plan->tensor_count && status == VARVE_OK; i++)
        status = check_missing(plan, plan->tensors[i], record);
    return status;
}

enum varve_status
varve__staged_read_row(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    sqlite3_stmt *statement,
    void **record)
{
    if (plan->tensor_count == 0)
        return varve__row_read(plan, statement, record);
    enum varve_status status = varve__row_read(plan, statement, record);
    if (status != VARVE_OK)
        return status;
    status = varve__staged_load(connection, plan, *record, varve__arena_of(*record));
    if (status != VARVE_OK) {
        varve_record_free(*record);
        *record = NULL;
    }
    return status;
}
