/* Update and update_fields. */
#include <string.h>

#include <varve/record.h>

#include "base/error.h"
#include "base/memory.h"
#include "codec/check.h"
#include "codec/field.h"
#include "codec/unknown.h"
#include "table/probe.h"
#include "table/row.h"
#include "table/seal.h"
#include "table/sql.h"
#include "table/staged.h"
#include "table/transaction.h"
#include "table/write.h"

/* Steps an update of one record and sees whether there was one. `written` says which slots it writes,
 * NULL: all. */
static enum varve_status
step_update(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *record,
    const bool *written,
    sqlite3_stmt *statement)
{
    int code = varve__guard_step(connection, plan, record, statement);
    sqlite3_reset(statement);
    if (code != SQLITE_DONE)
        return varve__probe_write(connection, code, plan, record, written, "update");
    if (sqlite3_changes64(connection->database) > 0)
        return VARVE_OK;
    const void *key[VARVE__KEY_MAX];
    varve__row_key(plan, record, key);
    return varve__write_missed(connection, plan, key, record);
}

/* After an update: counts the row, and the version up. */
static void
updated(struct varve__connection *connection, const struct varve__plan *plan, void *record)
{
    connection->changes = 1;
    if (plan->version != VARVE__NO_SLOT)
        ++*(int64_t *)varve__slot_member(&plan->slots[plan->version], record);
}

static enum varve_status
update_checked(struct varve__connection *connection, const struct varve__plan *plan, void *record)
{
    sqlite3_stmt *statement;
    const ProtobufCMessage *message = record;
    enum varve__write kind = plan->tensor_count > 0 ? VARVE__WRITE_SEVERAL : VARVE__WRITE_ONE;
    bool unknown = message->n_unknown_fields > 0 || varve__unknown_is_cleared(message);
    enum varve_status status = varve__statement(
        connection, plan, unknown ? VARVE__VERB_UPDATE_UNKNOWN : VARVE__VERB_UPDATE, &statement);
    if (status != VARVE_OK)
        return status;
    if (unknown) {
        status = varve__write_bind_all(connection, plan, record, statement);
    } else {
        varve__arena_reset(connection->arena);
        status = varve__row_bind(plan, record, connection->arena, statement);
    }
    kind = varve__write_of_change(connection, kind);
    if (status == VARVE_OK)
        status = varve__write_begin(connection, kind);
    if (status != VARVE_OK)
        return status;
    status = step_update(connection, plan, record, NULL, statement);
    if (status == VARVE_OK && plan->tensor_count > 0)
        status = varve__staged_write(
            connection, plan, record, varve__write_id(plan, record), VARVE__STAGED_UPDATE);
    status = varve__write_end(connection, kind, status);
    if (status == VARVE_OK)
        updated(connection, plan, record);
    return status;
}

enum varve_status
varve__update(struct varve__connection *connection, const struct varve__plan *plan, void *record)
{
    size_t failed;
    const struct varve__seal what = {record, 1, NULL, plan->tensors, plan->tensor_count};
    enum varve_status status =
        varve__record_check(plan->record, record, VARVE__CHECK_UNLOADED, NULL);
    if (status == VARVE_OK && plan->tensor_count > 0)
        status = varve__seal_ahead(connection, plan, &what, &failed);
    if (status == VARVE_OK)
        status = update_checked(connection, plan, record);
    varve__seal_forget(connection, plan);
    return status;
}

/* -------------------------------------------------------------------- some fields */

/* What an update_fields is about. */
struct selection {
    void *part;    /* a record that has the fields in question, and no other */
    size_t *slots; /* to be set, each once, in schema order */
    size_t slot_count;
    const struct varve_column **tensors; /* to be written */
    size_t tensor_count;
    bool dims;    /* some field is a dim of a tensor */
    bool *chosen; /* by slot */
};

static size_t
member_size(const ProtobufCFieldDescriptor *field)
{
    return varve__element_size(field->type);
}

/* Copies a field's member, with its presence or count, from the record to the part. */
static void
copy_field(const ProtobufCFieldDescriptor *field, const void *record, void *part)
{
    if (varve__is_repeated(field)) {
        struct varve__list list = varve__list_at(record, field);
        memcpy(varve__member_of(part, field->quantifier_offset), &list.count, sizeof list.count);
        memcpy(varve__member_of(part, field->offset), &list.data, sizeof list.data);
        return;
    }
    bool flagged = varve__is_explicit(field) && field->type != PROTOBUF_C_TYPE_STRING &&
                   field->type != PROTOBUF_C_TYPE_MESSAGE;
    if (varve__in_oneof(field) && !varve__is_chosen(record, field))
        return;
    if (varve__in_oneof(field) || flagged)
        memcpy(
            varve__member_of(part, field->quantifier_offset),
            varve__member(record, field->quantifier_offset), sizeof(uint32_t));
    memcpy(
        varve__member_of(part, field->offset), varve__member(record, field->offset),
        member_size(field));
}

static bool
is_dim(const struct varve__plan *plan, const ProtobufCFieldDescriptor *field)
{
    for (size_t i = 0; i < plan->tensor_count; i++) {
        const struct varve_tensor *tensor = plan->tensors[i]->tensor;
        for (size_t dim = 0; dim < tensor->dim_count; dim++) {
            if (tensor->dims[dim].field == field)
                return true;
        }
    }
    return false;
}

/* Chooses a slot. Members of a oneof go together: setting one makes the others absent. */
static void
choose_slot(const struct varve__plan *plan, size_t slot, struct selection *selection)
{
    const ProtobufCFieldDescriptor *field = plan->slots[slot].column->field;
    for (size_t i = 0; i < plan->slot_count; i++) {
        const ProtobufCFieldDescriptor *other = plan->slots[i].column->field;
        if (i == slot || (varve__in_oneof(field) && varve__in_oneof(other) &&
                          other->quantifier_offset == field->quantifier_offset))
            selection->chosen[i] = true;
    }
    selection->dims = selection->dims || is_dim(plan, field);
}

static enum varve_status
choose(const struct varve__plan *plan, uint32_t number, struct selection *selection)
{
    size_t slot = varve__plan_slot(plan, number);
    const struct varve_column *tensor = varve__plan_tensor(plan, number);
    const char *name = plan->record->descriptor->name;
    if (slot == VARVE__NO_SLOT && !tensor)
        return varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, name,
            "update_fields: %s has no field with the number %u; pass the constants of its enum",
            name, (unsigned)number);
    if (tensor) {
        for (size_t i = 0; i < selection->tensor_count; i++) {
            if (selection->tensors[i] == tensor)
                return VARVE_OK;
        }
        selection->tensors[selection->tensor_count++] = tensor;
        return VARVE_OK;
    }
    uint32_t flags = plan->slots[slot].column->flags;
    if ((flags & (VARVE_PRIMARY_KEY | VARVE_ROW_VERSION)) == 0)
        choose_slot(plan, slot, selection);
    else if (flags & VARVE_PRIMARY_KEY)
        return varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, name,
            "update_fields: %s.%s is the primary key, which says which record is meant and cannot "
            "be "
            "changed; insert a new record and delete this one",
            name, plan->slots[slot].column->field->name);
    return VARVE_OK; /* a version counts by itself */
}

static void
fill_part(const struct varve__plan *plan, const void *record, struct selection *selection)
{
    varve_record_init(plan->record, selection->part);
    for (size_t i = 0; i < plan->slot_count; i++) {
        const struct varve_column *column = plan->slots[i].column;
        if (selection->chosen[i])
            selection->slots[selection->slot_count++] = i;
        if (selection->chosen[i] || (column->flags & (VARVE_PRIMARY_KEY | VARVE_ROW_VERSION)))
            copy_field(column->field, record, selection->part);
    }
    for (size_t i = 0; i < selection->tensor_count; i++) {
        const struct varve_tensor *tensor = selection->tensors[i]->tensor;
        for (size_t dim = 0; dim < tensor->dim_count; dim++) {
            if (tensor->dims[dim].field)
                copy_field(tensor->dims[dim].field, record, selection->part);
        }
    }
    varve__staged_unload(plan, selection->part);
    for (size_t i = 0; i < selection->tensor_count; i++)
        copy_field(selection->tensors[i]->field, record, selection->part);
}

static enum varve_status
select_fields(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *record,
    const uint32_t *fields,
    size_t count,
    struct selection *selection)
{
    struct varve__arena *arena = connection->arena;
    size_t columns = plan->record->column_count;
    size_t part_size = plan->record->descriptor->sizeof_message;
    varve__arena_reset(arena);
    selection->part = varve__arena_allocate(arena, part_size);
    selection->slots = varve__arena_allocate(arena, columns * sizeof *selection->slots);
    selection->tensors = varve__arena_allocate(arena, columns * sizeof(void *));
    selection->chosen = varve__arena_allocate(arena, columns * sizeof *selection->chosen);
    if (!selection->part || !selection->slots || !selection->tensors || !selection->chosen)
        return varve__fail_memory(plan->record->descriptor->name, part_size);
    memset(selection->chosen, 0, columns * sizeof *selection->chosen);
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < count && status == VARVE_OK; i++)
        status = choose(plan, fields[i], selection);
    if (status == VARVE_OK)
        fill_part(plan, record, selection);
    return status;
}

/* The statement that sets the selected slots, bound. */
static enum varve_status
bind_selection(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct selection *selection,
    sqlite3_stmt **statement)
{
    struct varve__arena *arena = connection->arena;
    const struct varve__sql_update update = {selection->slots, selection->slot_count};
    size_t key_size = (selection->slot_count + 2) * sizeof(size_t);
    size_t *key = varve__arena_allocate(arena, key_size);
    if (!key)
        return varve__fail_memory(plan->record->descriptor->name, key_size);
    key[0] = VARVE__KEPT_UPDATE;
    key[1] = plan->index;
    memcpy(key + 2, selection->slots, selection->slot_count * sizeof(size_t));
    enum varve_status status = varve__statement_take(
        connection, plan, key, key_size, varve__sql_update, &update, statement);
    for (size_t i = 0; i < selection->slot_count && status == VARVE_OK; i++)
        status =
            varve__row_bind_slot(plan, selection->slots[i], selection->part, arena, *statement);
    const void *parts[VARVE__KEY_MAX];
    varve__row_key(plan, selection->part, parts);
    for (size_t i = 0; i < plan->key_count && status == VARVE_OK; i++)
        status = varve__row_bind_slot(plan, plan->keys[i], selection->part, arena, *statement);
    if (status == VARVE_OK && plan->version != VARVE__NO_SLOT)
        status = varve__row_bind_slot(plan, plan->version, selection->part, arena, *statement);
    return status;
}

/* The row as it is now must agree with all tensors that are stored. */
static enum varve_status
verify_row(struct varve__connection *connection, const struct varve__plan *plan, const void *part)
{
    sqlite3_stmt *statement;
    void *row = NULL;
    const void *key[VARVE__KEY_MAX];
    varve__row_key(plan, part, key);
    enum varve_status status = varve__statement(connection, plan, VARVE__VERB_GET, &statement);
    if (status == VARVE_OK)
        status = varve__row_bind_key(plan, key, statement, 1);
    if (status != VARVE_OK)
        return status;
    int code = sqlite3_step(statement);
    status = code == SQLITE_ROW ? varve__row_read(plan, statement, &row)
                                : varve__connection_fail(connection, code, plan, "update_fields");
    sqlite3_reset(statement);
    if (status == VARVE_OK)
        status = varve__staged_verify(connection, plan, row, part, varve__write_id(plan, row));
    varve_record_free(row);
    return status;
}

static enum varve_status
update_selected(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct selection *selection,
    sqlite3_stmt *statement)
{
    int64_t id = varve__write_id(plan, selection->part);
    enum varve_status status =
        step_update(connection, plan, selection->part, selection->chosen, statement);
    if (status == VARVE_OK && selection->tensor_count > 0)
        status = varve__staged_replace(
            connection, plan, selection->tensors, selection->tensor_count, selection->part, id);
    if (status == VARVE_OK && (selection->dims || selection->tensor_count > 0))
        status = verify_row(connection, plan, selection->part);
    return status;
}

/* An update of no fields: a write like others, but nothing is written. */
static enum varve_status
update_nothing(
    struct varve__connection *connection, const struct varve__plan *plan, const void *record)
{
    const void *key[VARVE__KEY_MAX];
    varve__row_key(plan, record, key);
    enum varve_status status = varve__write_begin(connection, VARVE__WRITE_ONE);
    if (status != VARVE_OK)
        return status;
    if (!varve__write_exists(connection, plan, key, &status) && status == VARVE_OK)
        status = varve__not_found(plan, key);
    status = varve__write_end(connection, VARVE__WRITE_ONE, status);
    if (status == VARVE_OK)
        connection->changes = 0;
    return status;
}

enum varve_status
varve__update_fields(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    void *record,
    const uint32_t *fields,
    size_t count)
{
    sqlite3_stmt *statement = NULL;
    struct selection selection = {0};
    enum varve_status status = varve__record_check_message(plan->record, record);
    if (status == VARVE_OK && count == 0)
        return update_nothing(connection, plan, record);
    if (status == VARVE_OK)
        status = select_fields(connection, plan, record, fields, count, &selection);
    if (status == VARVE_OK)
        status = varve__record_check(plan->record, selection.part, VARVE__CHECK_UNLOADED, NULL);
    if (status == VARVE_OK)
        status = bind_selection(connection, plan, &selection, &statement);
    enum varve__write kind =
        selection.dims || selection.tensor_count > 0 ? VARVE__WRITE_SEVERAL : VARVE__WRITE_ONE;
    kind = varve__write_of_change(connection, kind);
    if (status == VARVE_OK)
        status = varve__write_begin(connection, kind);
    if (status == VARVE_OK) {
        status = update_selected(connection, plan, &selection, statement);
        status = varve__write_end(connection, kind, status);
    }
    varve__statement_give(connection, statement);
    if (status == VARVE_OK)
        updated(connection, plan, record);
    return status;
}
