/* Looking up the causes of constraint failures. All of this is off the fast path: statements are made
 * and finalized as they are needed. */
#include "table/probe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "codec/field.h"
#include "table/row.h"

/* -------------------------------------------------------------------- values as text */

/* ` name "dog"`, ` id 7`: of a value at the field's C type. Returns the new length. */
static size_t
append_value(
    const ProtobufCFieldDescriptor *field,
    const void *value,
    char *text,
    size_t length,
    size_t size)
{
    int written = 0;
    char *at = text + length;
    size_t room = size - length;
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        const char *string = *(const char *const *)value;
        written = snprintf(at, room, "%s \"%s\"", field->name, string ? string : "");
    } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
        const struct varve_bytes *bytes = value;
        written = snprintf(at, room, "%s of %zu bytes", field->name, bytes->size);
    } else if (field->type == PROTOBUF_C_TYPE_DOUBLE) {
        written = snprintf(at, room, "%s %.17g", field->name, *(const double *)value);
    } else if (field->type == PROTOBUF_C_TYPE_FLOAT) {
        written = snprintf(at, room, "%s %.9g", field->name, (double)*(const float *)value);
    } else if (field->type == PROTOBUF_C_TYPE_UINT64 || field->type == PROTOBUF_C_TYPE_FIXED64) {
        written = snprintf(at, room, "%s %" PRIu64, field->name, *(const uint64_t *)value);
    } else {
        int64_t integer = varve__integer_at(field->type, value);
        written = snprintf(at, room, "%s %" PRId64, field->name, integer);
    }
    length += written > 0 ? (size_t)written : 0;
    if (length < size)
        return length;
    length = varve__utf8_whole(text, size - 1);
    text[length] = '\0';
    return length;
}

void
varve__key_text(const struct varve__plan *plan, const void *const *key, char text[VARVE__KEY_TEXT])
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < plan->key_count; i++) {
        const ProtobufCFieldDescriptor *field = plan->slots[plan->keys[i]].column->field;
        const void *value = field->type == PROTOBUF_C_TYPE_STRING ? &key[i] : key[i];
        if (i > 0 && length + 3 < VARVE__KEY_TEXT)
            length += (size_t)snprintf(text + length, VARVE__KEY_TEXT - length, ", ");
        length = append_value(field, value, text, length, VARVE__KEY_TEXT);
    }
}

enum varve_status
varve__not_found(const struct varve__plan *plan, const void *const *key)
{
    char text[VARVE__KEY_TEXT];
    const char *name = plan->record->descriptor->name;
    varve__key_text(plan, key, text);
    return varve__fail(
        VARVE_NOT_FOUND, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, name, "there is no %s with %s",
        name, text);
}

enum varve_status
varve__not_found_by(const struct varve__plan *plan, size_t slot, const void *value)
{
    char text[VARVE__KEY_TEXT] = "";
    const char *name = plan->record->descriptor->name;
    append_value(plan->slots[slot].column->field, value, text, 0, sizeof text);
    return varve__fail(
        VARVE_NOT_FOUND, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, name, "there is no %s with %s",
        name, text);
}

/* -------------------------------------------------------------------- unique */

/* The values of the fields that the failure just recorded names, of those that were written. */
static void
append_fields(
    const struct varve__plan *plan,
    const void *record,
    const bool *written,
    char *text,
    size_t size)
{
    struct varve_failure failure = *varve__thread_failure();
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < failure.field_count; i++) {
        size_t slot = varve__plan_slot(plan, failure.fields[i]);
        if (slot == VARVE__NO_SLOT || (written && !written[slot]) ||
            plan->slots[slot].column->kind != VARVE_COLUMN_SCALAR ||
            !varve__is_present(plan->slots[slot].column->field, record))
            continue;
        const struct varve_column *column = plan->slots[slot].column;
        if (length > 0 && length + 3 < size)
            length += (size_t)snprintf(text + length, size - length, ", ");
        const void *value = varve__slot_member(&plan->slots[slot], record);
        length = append_value(column->field, value, text, length, size);
    }
}

static enum varve_status
explain_unique(const struct varve__plan *plan, const void *record, const bool *written)
{
    char text[VARVE__KEY_TEXT];
    struct varve_failure failure = *varve__thread_failure();
    const char *name = plan->record->descriptor->name;
    append_fields(plan, record, written, text, sizeof text);
    if (!*text)
        return failure.status;
    varve__fail(
        failure.status, failure.kind, failure.tier, name,
        "another %s has %s already; change it, or update that record", name, text);
    for (size_t i = 0; i < failure.field_count; i++)
        varve__failure_add_field(failure.fields[i]);
    return failure.status;
}

/* -------------------------------------------------------------------- keys */

enum varve_status
varve__fail_no_key(const struct varve__plan *plan, const char *what)
{
    const char *name = plan->record->descriptor->name;
    return varve__fail(
        VARVE_FULL, VARVE_FAILURE_RANGE, VARVE_TIER_TABLE, name,
        "%s of %s: the greatest key is used, so there is none to assign; give the record a key of "
        "its own",
        what, name);
}

/* SQLite answers alike when the disk is full and when there are no more keys. */
static bool
keys_are_used_up(struct varve__connection *connection, const struct varve__plan *plan)
{
    int64_t greatest;
    return varve__probe_sequence(connection, plan, &greatest) == SQLITE_OK && greatest == INT64_MAX;
}

int
varve__probe_sequence(
    struct varve__connection *connection, const struct varve__plan *plan, int64_t *greatest)
{
    sqlite3_stmt *statement = NULL;
    char *sql = sqlite3_mprintf(
        "SELECT max(ifnull((SELECT seq FROM sqlite_sequence WHERE name = ?1), 0), "
        "ifnull((SELECT max(rowid) FROM \"%w\"), 0))",
        plan->record->table->name);
    if (!sql)
        return SQLITE_NOMEM;
    int code = sqlite3_prepare_v2(connection->database, sql, -1, &statement, NULL);
    sqlite3_free(sql);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, 1, plan->record->table->name, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    *greatest = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

/* -------------------------------------------------------------------- foreign keys */

/* Whether a SELECT with one parameter, a value of this slot, gives a row. False also when it cannot be
 * asked: then the failure keeps its general text. */
static bool
has_row(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    size_t slot,
    const void *value,
    char *sql,
    bool *asked)
{
    sqlite3_stmt *statement = NULL;
    bool found = false;
    *asked =
        sql && sqlite3_prepare_v2(connection->database, sql, -1, &statement, NULL) == SQLITE_OK;
    if (*asked && varve__row_bind_value(plan, slot, value, statement, 1) == VARVE_OK) {
        int code = sqlite3_step(statement);
        *asked = code == SQLITE_ROW || code == SQLITE_DONE;
        found = code == SQLITE_ROW;
    }
    sqlite3_finalize(statement);
    sqlite3_free(sql);
    return found;
}

/* Records of the same array may be what a record refers to. */
struct batch {
    const void *records;
    size_t count;
    const int64_t *ids; /* their keys, sorted, where some are generated: not in the records yet */
    int64_t last;       /* without ids: the key before the first one's, where all are generated */
};

static const void *
record_at(const struct varve__plan *plan, const void *records, size_t index)
{
    return (const char *)records + index * plan->record->descriptor->sizeof_message;
}

static bool
same_value(const ProtobufCFieldDescriptor *field, const void *a, const void *b)
{
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return strcmp(*(const char *const *)a, *(const char *const *)b) == 0;
    if (field->type == PROTOBUF_C_TYPE_BYTES) {
        const struct varve_bytes *first = a, *second = b;
        return first->size == second->size && memcmp(first->data, second->data, first->size) == 0;
    }
    return varve__integer_at(field->type, a) == varve__integer_at(field->type, b);
}

static int
compare_keys(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)a;
    int64_t second = *(const int64_t *)b;
    return (first > second) - (first < second);
}

static bool
has_key(const struct batch *batch, int64_t key)
{
    if (!batch->ids)
        return key > batch->last && (uint64_t)key - (uint64_t)batch->last <= batch->count;
    return bsearch(&key, batch->ids, batch->count, sizeof key, compare_keys) != NULL;
}

static bool
is_in_batch(
    const struct varve__plan *plan,
    const struct varve_reference *reference,
    const void *value,
    const struct batch *batch)
{
    if (reference->record != plan->record)
        return false;
    const ProtobufCFieldDescriptor *field = plan->record->columns[reference->column].field;
    if (plan->generated_key && field == plan->slots[plan->keys[0]].column->field)
        return has_key(batch, *(const int64_t *)value);
    for (size_t i = 0; i < batch->count; i++) {
        const void *record = record_at(plan, batch->records, i);
        if (same_value(field, varve__member(record, field->offset), value))
            return true;
    }
    return false;
}

static bool
is_missing(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    size_t slot,
    const void *record,
    const struct batch *batch)
{
    const struct varve_column *column = plan->slots[slot].column;
    const struct varve_reference *reference = column->reference;
    if (!reference || !varve__is_present(column->field, record))
        return false;
    bool asked;
    const void *value = varve__slot_member(&plan->slots[slot], record);
    const char *target = reference->record->columns[reference->column].field->name;
    char *sql = sqlite3_mprintf(
        "SELECT 1 FROM \"%w\" WHERE \"%w\" = ?1", reference->record->table->name, target);
    bool found = has_row(connection, plan, slot, value, sql, &asked);
    return asked && !found && !is_in_batch(plan, reference, value, batch);
}

/* Names the first field of the record that was written and refers to nothing. False when all is
 * there. */
static bool
explain_missing(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *record,
    const bool *written,
    const struct batch *batch)
{
    char text[VARVE__KEY_TEXT];
    for (size_t i = 0; i < plan->slot_count; i++) {
        if ((written && !written[i]) || !is_missing(connection, plan, i, record, batch))
            continue;
        const struct varve_column *column = plan->slots[i].column;
        const struct varve_record *target = column->reference->record;
        const char *name = plan->record->descriptor->name;
        append_value(
            target->columns[column->reference->column].field,
            varve__slot_member(&plan->slots[i], record), text, 0, sizeof text);
        varve__fail(
            VARVE_CONFLICT, VARVE_FAILURE_FOREIGN_KEY, VARVE_TIER_TABLE, name,
            "%s.%s refers to the %s with %s, which is not there; insert that one first", name,
            column->field->name, target->descriptor->name, text);
        varve__failure_add_field(column->field->id);
        return true;
    }
    return false;
}

/* All that the record refers to is there, so a value was changed that others refer to. */
static enum varve_status
explain_referred(const struct varve__plan *plan, const char *what)
{
    const char *name = plan->record->descriptor->name;
    return varve__fail(
        VARVE_CONFLICT, VARVE_FAILURE_FOREIGN_KEY, VARVE_TIER_TABLE, name,
        "%s of %s: a value that it would replace is still referred to by other records; delete or "
        "change these first",
        what, name);
}

enum varve_status
varve__probe_write(
    struct varve__connection *connection,
    int code,
    const struct varve__plan *plan,
    const void *record,
    const bool *written,
    const char *what)
{
    enum varve_status status = varve__connection_fail(connection, code, plan, what);
    enum varve_failure_kind kind = varve__thread_failure()->kind;
    const struct batch none = {0};
    if (kind == VARVE_FAILURE_UNIQUE)
        explain_unique(plan, record, written);
    else if (
        kind == VARVE_FAILURE_FOREIGN_KEY &&
        !explain_missing(connection, plan, record, written, &none))
        status = explain_referred(plan, what);
    else if (
        status == VARVE_FULL && varve__row_key_is_missing(plan, record) &&
        keys_are_used_up(connection, plan))
        status = varve__fail_no_key(plan, what);
    return status;
}

static void
explain_missing_of_batch(
    struct varve__connection *connection, const struct varve__plan *plan, const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const void *record = record_at(plan, batch->records, i);
        if (explain_missing(connection, plan, record, NULL, batch)) {
            varve__failure_set_index((int64_t)i);
            return;
        }
    }
}

/* The statement is undone, so the keys that it assigned were the next ones. Where the batch cannot be
 * made the failure keeps its general text. */
static void
explain_missing_of_many(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve__feed *feed)
{
    struct batch batch = {feed->records, feed->count, NULL, 0};
    int64_t *sorted = feed->ids ? varve__allocate(feed->count * sizeof *sorted) : NULL;
    if (sorted) {
        memcpy(sorted, feed->ids, feed->count * sizeof *sorted);
        qsort(sorted, feed->count, sizeof *sorted, compare_keys);
    }
    batch.ids = sorted;
    bool known = feed->ids ? sorted != NULL
                           : !plan->generated_key ||
                                 varve__probe_sequence(connection, plan, &batch.last) == SQLITE_OK;
    if (known)
        explain_missing_of_batch(connection, plan, &batch);
    varve__release(sorted);
}

enum varve_status
varve__probe_many(
    struct varve__connection *connection,
    int code,
    const struct varve__plan *plan,
    const struct varve__feed *feed)
{
    const void *records = feed->records;
    size_t index = feed->index;
    enum varve_status status = varve__connection_fail(connection, code, plan, "insert_many");
    enum varve_failure_kind kind = varve__thread_failure()->kind;
    if (kind == VARVE_FAILURE_FOREIGN_KEY) {
        explain_missing_of_many(connection, plan, feed);
        return status;
    }
    if (kind == VARVE_FAILURE_UNIQUE && index < feed->count)
        explain_unique(plan, record_at(plan, records, index), NULL);
    if (status == VARVE_FULL && plan->generated_key && keys_are_used_up(connection, plan))
        return varve__fail_no_key(plan, "insert_many");
    if (index < feed->count &&
        (status == VARVE_CONFLICT || status == VARVE_INVALID || kind == VARVE_FAILURE_SIZE))
        varve__failure_set_index((int64_t)index);
    return status;
}

/* -------------------------------------------------------------------- deleting */

static char *
sql_of_children(const struct varve__plan *plan, const struct varve__plan *child, size_t slot)
{
    const struct varve_column *column = child->slots[slot].column;
    const char *target = plan->record->columns[column->reference->column].field->name;
    const char *key = plan->slots[plan->keys[0]].column->field->name;
    return sqlite3_mprintf(
        "SELECT 1 FROM \"%w\" WHERE \"%w\" = (SELECT \"%w\" FROM \"%w\" WHERE \"%w\" = ?1) LIMIT 1",
        child->record->table->name, column->field->name, target, plan->record->table->name, key);
}

/* What refers to the record, found by the first part of its key; without a key what could. */
static bool
refers(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve__plan *child,
    size_t slot,
    const void *const *key)
{
    const struct varve_reference *reference = child->slots[slot].column->reference;
    if (!reference || reference->record != plan->record ||
        reference->on_delete != VARVE_ON_DELETE_RESTRICT)
        return false;
    if (!key || plan->key_count != 1)
        return true;
    const ProtobufCFieldDescriptor *field = plan->slots[plan->keys[0]].column->field;
    const void *value = field->type == PROTOBUF_C_TYPE_STRING ? &key[0] : key[0];
    bool asked;
    return has_row(
        connection, plan, plan->keys[0], value, sql_of_children(plan, child, slot), &asked);
}

static enum varve_status
explain_children(
    const struct varve__plan *plan,
    const struct varve_column *column,
    const struct varve__plan *child,
    const void *const *key)
{
    char text[VARVE__KEY_TEXT] = "";
    const char *name = plan->record->descriptor->name;
    if (key)
        varve__key_text(plan, key, text);
    return varve__fail(
        VARVE_CONFLICT, VARVE_FAILURE_FOREIGN_KEY, VARVE_TIER_TABLE, name,
        key ? "the %s with %s is still referred to by %s.%s; delete or change what refers to it "
              "first"
            : "a %s that was to be deleted%s is still referred to, by %s.%s for instance; delete "
              "or "
              "change what refers to it first",
        name, text, child->record->descriptor->name, column->field->name);
}

/* Nothing refers to the record itself. */
static enum varve_status
explain_cascade(const struct varve__plan *plan)
{
    const char *name = plan->record->descriptor->name;
    return varve__fail(
        VARVE_CONFLICT, VARVE_FAILURE_FOREIGN_KEY, VARVE_TIER_TABLE, name,
        "delete of %s: a record that would be deleted with it (on_delete CASCADE) is still "
        "referred "
        "to; delete or change what refers to that one first",
        name);
}

enum varve_status
varve__probe_delete(
    struct varve__connection *connection,
    int code,
    const struct varve__plan *plan,
    const void *const *key)
{
    enum varve_status status = varve__connection_fail(connection, code, plan, "delete");
    if (varve__thread_failure()->kind != VARVE_FAILURE_FOREIGN_KEY)
        return status;
    for (size_t i = 0; i < connection->plans->count; i++) {
        const struct varve__plan *child = &connection->plans->plans[i];
        for (size_t slot = 0; slot < child->slot_count; slot++) {
            if (refers(connection, plan, child, slot, key))
                return explain_children(plan, child->slots[slot].column, child, key);
        }
    }
    return explain_cascade(plan);
}
