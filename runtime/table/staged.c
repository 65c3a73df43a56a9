/* Staged tensors. */
#include "table/staged.h"

#include <stdio.h>
#include <string.h>

#include <varve/record.h>

#include "base/error.h"
#include "codec/check.h"
#include "codec/field.h"
#include "table/row.h"

enum {
    DIMS_TEXT_SIZE = 8 * 21 /* eight numbers of 64 bits, commas, NUL */
};

/* -------------------------------------------------------------------- the tensor in the record */

/* A tensor's {count, data} member: a repeated field's, or that of a dtype tensor in a bytes field. */
static struct varve__list
list_of(const struct varve_column *tensor, const void *record)
{
    if (varve__is_repeated(tensor->field))
        return varve__list_at(record, tensor->field);
    return *(const struct varve__list *)varve__member(record, tensor->field->offset);
}

static void
set_list(const struct varve_column *tensor, void *record, struct varve__list list)
{
    const ProtobufCFieldDescriptor *field = tensor->field;
    if (varve__is_repeated(field)) {
        memcpy(varve__member_of(record, field->quantifier_offset), &list.count, sizeof list.count);
        memcpy(varve__member_of(record, field->offset), &list.data, sizeof list.data);
    } else {
        memcpy(varve__member_of(record, field->offset), &list, sizeof list);
    }
}

static bool
has_flag(const struct varve_column *tensor)
{
    return !varve__is_repeated(tensor->field) && varve__is_explicit(tensor->field);
}

/* Whether the record has a value that must have a row. */
static bool
is_stored(const struct varve_column *tensor, const void *record)
{
    if (has_flag(tensor))
        return varve__is_present(tensor->field, record);
    return list_of(tensor, record).count > 0;
}

/* Whether the record says what the tensor is to be; what is absent is said to be so. */
static bool
is_loaded(const struct varve_column *tensor, const void *record)
{
    struct varve__list list = list_of(tensor, record);
    return list.count == 0 || list.data != NULL ||
           (has_flag(tensor) && !varve__is_present(tensor->field, record));
}

/* "200,3". */
static void
write_dims(const struct varve_tensor *tensor, const void *record, char text[DIMS_TEXT_SIZE])
{
    size_t length = 0;
    for (size_t i = 0; i < tensor->dim_count; i++) {
        int64_t size = 0;
        varve__dim_size(&tensor->dims[i], record, &size); /* the check has seen that it fits */
        int written = snprintf(
            text + length, DIMS_TEXT_SIZE - length, "%s%lld", i > 0 ? "," : "", (long long)size);
        length += (size_t)written;
    }
}

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

static const struct varve_column *
tensor_of_row(const struct varve__plan *plan, sqlite3_stmt *statement)
{
    int64_t field = sqlite3_column_int64(statement, 0);
    return field > 0 && field <= UINT32_MAX ? varve__plan_tensor(plan, (uint32_t)field) : NULL;
}

static bool
dims_agree(const struct varve_column *tensor, const void *record, sqlite3_stmt *statement)
{
    char dims[DIMS_TEXT_SIZE] = "";
    const char *stored = (const char *)sqlite3_column_text(statement, 1);
    write_dims(tensor->tensor, record, dims);
    return stored && strcmp(stored, dims) == 0;
}

/* The number of elements that the record's dims ask for. */
static size_t
expected_count(const struct varve_column *tensor, const void *record)
{
    size_t count = 0;
    size_t which;
    if (varve__tensor_count(tensor->tensor, record, &count, &which) != VARVE__CHECK_FINE)
        return 0;
    return count;
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
        bool wanted = tensor->tensor->optional ? !is_loaded(tensor, kept)
                                               : expected_count(tensor, record) > 0;
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
        size_t count = tensor->tensor->optional ? 0 : expected_count(tensor, record);
        set_list(tensor, record, (struct varve__list){count, NULL});
    }
}

/* -------------------------------------------------------------------- writing */

static enum varve_status
insert_one(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve_column *tensor,
    const void *record,
    int64_t id)
{
    sqlite3_stmt *statement;
    char dims[DIMS_TEXT_SIZE] = "";
    struct varve__list list = list_of(tensor, record);
    enum varve_status status =
        varve__statement(connection, plan, VARVE__VERB_STAGED_INSERT, &statement);
    if (status != VARVE_OK)
        return status;
    write_dims(tensor->tensor, record, dims);
    size_t size = list.count * varve_dtype_size(tensor->tensor->dtype);
    sqlite3_bind_int64(statement, 1, id);
    sqlite3_bind_int64(statement, 2, tensor->field->id);
    sqlite3_bind_text(statement, 3, dims, -1, SQLITE_STATIC);
    int code = sqlite3_bind_blob64(statement, 4, size > 0 ? list.data : "", size, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = varve__connection_step(connection, statement);
    sqlite3_reset(statement);
    if (code == SQLITE_TOOBIG)
        return refuse(
            plan, tensor, VARVE_FULL, VARVE_FAILURE_SIZE,
            "is larger than 1 GB, which is more than a row holds; split it over several records");
    return code == SQLITE_DONE ? VARVE_OK
                               : varve__connection_fail(connection, code, plan, "storing a tensor");
}

static enum varve_status
remove_one(
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

static enum varve_status
replace_one(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve_column *tensor,
    const void *record,
    int64_t id)
{
    /* A new row and not an update: its id tells whoever moves rows that this one is another. */
    enum varve_status status = remove_one(connection, plan, tensor, id);
    if (status == VARVE_OK && is_stored(tensor, record))
        status = insert_one(connection, plan, tensor, record, id);
    return status;
}

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
        if (is_loaded(tensors[i], record))
            status = replace_one(connection, plan, tensors[i], record, id);
    }
    return status;
}

enum varve_status
varve__staged_write(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *record,
    int64_t id,
    enum varve__staged_mode mode)
{
    enum varve_status status = VARVE_OK;
    bool all_loaded = true;
    if (mode == VARVE__STAGED_UPDATE)
        status =
            varve__staged_replace(connection, plan, plan->tensors, plan->tensor_count, record, id);
    for (size_t i = 0; i < plan->tensor_count && status == VARVE_OK; i++) {
        const struct varve_column *tensor = plan->tensors[i];
        if (mode == VARVE__STAGED_INSERT && is_stored(tensor, record))
            status = insert_one(connection, plan, tensor, record, id);
        all_loaded = all_loaded && is_loaded(tensor, record);
    }
    if (status == VARVE_OK && !all_loaded)
        status = verify(connection, plan, record, record, id);
    return status;
}

/* -------------------------------------------------------------------- reading */

static enum varve_status
load_one(
    const struct varve__plan *plan,
    const struct varve_column *tensor,
    void *record,
    sqlite3_stmt *statement,
    struct varve__arena *arena)
{
    size_t size = (size_t)sqlite3_column_bytes(statement, 2);
    const void *bytes = sqlite3_column_blob(statement, 2);
    size_t element = varve_dtype_size(tensor->tensor->dtype);
    size_t expected = expected_count(tensor, record);
    if (!dims_agree(tensor, record, statement) || size / element != expected || size % element != 0)
        return refuse(
            plan, tensor, VARVE_TYPE, VARVE_FAILURE_DIMS,
            "is stored with other dims than its record has; the tables were changed by hand: write "
            "the tensor again");
    struct varve__list list = {expected, NULL};
    if (size > 0) {
        list.data = varve__arena_allocate(arena, size);
        if (!list.data)
            return varve__fail_memory(plan->record->descriptor->name, size);
        memcpy(list.data, bytes, size);
    }
    set_list(tensor, record, list);
    if (has_flag(tensor))
        *(protobuf_c_boolean *)varve__member_of(record, tensor->field->quantifier_offset) = 1;
    return VARVE_OK;
}

/* What has no row is absent or empty: allowed where the tensor is optional or its dims say so. */
static enum varve_status
check_missing(const struct varve__plan *plan, const struct varve_column *tensor, void *record)
{
    struct varve__list list = list_of(tensor, record);
    if (list.count == 0 || list.data)
        return VARVE_OK;
    set_list(tensor, record, (struct varve__list){0, NULL});
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
    const struct varve__slot *key = &plan->slots[plan->keys[0]];
    sqlite3_bind_int64(statement, 1, *(const int64_t *)varve__slot_member(key, record));
    while (status == VARVE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        const struct varve_column *tensor = tensor_of_row(plan, statement);
        if (tensor)
            status = load_one(plan, tensor, record, statement, arena);
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
