/* Looking up the causes of writes that failed. All of this is off the fast path: statements are made
 * and finalized as they are needed. What keeps a record from being deleted is probe_delete.c's. */
#include "table/probe.h"

#include "base/error.h"
#include "base/memory.h"
#include "codec/field.h"
#include "table/row.h"
#include "table/sql.h"
#include "table/sqlite.h"

static const void *
record_at(const struct varve__plan *plan, const void *records, size_t index)
{
    return (const char *)records + index * plan->record->descriptor->sizeof_message;
}

/* -------------------------------------------------------------------- unique */

/* The values of the fields that the failure just recorded names, of those that were written. */
static void
append_fields(
    const struct varve__plan *plan,
    const void *record,
    const bool *written,
    char text[VARVE__KEY_TEXT])
{
    struct varve_failure failure = *varve__thread_failure();
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < failure.field_count; i++) {
        size_t number = varve__plan_slot(plan, failure.fields[i]);
        if (number == VARVE__NO_SLOT || (written && !written[number]))
            continue;
        const struct varve__slot *slot = &plan->slots[number];
        const ProtobufCFieldDescriptor *field = slot->column->field;
        if (slot->column->kind == VARVE_COLUMN_SCALAR && varve__is_present(field, record))
            length = varve__key_text_append(
                field, slot->scalar, varve__slot_member(slot, record), text, length);
    }
}

static enum varve_status
explain_unique(const struct varve__plan *plan, const void *record, const bool *written)
{
    char text[VARVE__KEY_TEXT];
    struct varve_failure failure = *varve__thread_failure();
    const char *name = plan->record->descriptor->name;
    append_fields(plan, record, written, text);
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
        "ifnull((SELECT max(%s) FROM \"%w\"), 0))",
        varve__sql_rowid(plan), plan->record->table->name);
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

enum varve_status
varve__probe_raise_sequence(
    struct varve__connection *connection, const struct varve__plan *plan, int64_t greatest)
{
    sqlite3_stmt *statement = NULL;
    static const char *const texts[] = {
        "UPDATE sqlite_sequence SET seq = ?2 WHERE name = ?1",
        "INSERT INTO sqlite_sequence (name, seq) SELECT ?1, ?2 WHERE changes() = 0"};
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && status == VARVE_OK; i++) {
        status = varve__sqlite_prepare(connection->database, plan->record, texts[i], &statement);
        if (status != VARVE_OK)
            return status;
        sqlite3_bind_text(statement, 1, plan->record->table->name, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 2, greatest);
        int code = varve__connection_step(connection, statement);
        if (code != SQLITE_DONE)
            status = varve__connection_fail(connection, code, plan, "taking keys");
        sqlite3_finalize(statement);
    }
    return status;
}

/* -------------------------------------------------------------------- foreign keys */

/* Names the field of the record, which refers to nothing. */
static void
fail_missing(const struct varve__plan *plan, size_t slot, const void *record)
{
    char text[VARVE__KEY_TEXT];
    const struct varve_column *column = plan->slots[slot].column;
    const struct varve_record *target = column->reference->record;
    const char *name = plan->record->descriptor->name;
    varve__key_text_append(
        target->columns[column->reference->column].field, plan->slots[slot].scalar,
        varve__slot_member(&plan->slots[slot], record), text, 0);
    varve__fail(
        VARVE_CONFLICT, VARVE_FAILURE_FOREIGN_KEY, VARVE_TIER_TABLE, name,
        "%s.%s refers to the %s with %s, which is not there; insert that one first", name,
        column->field->name, target->descriptor->name, text);
    varve__failure_add_field(column->field->id);
}

/* A record may refer to itself: ?2 is the value that this one has, or will have, where others of its
 * table refer to it. */
static bool
bind_own(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve_reference *reference,
    const void *record,
    const bool *written,
    sqlite3_stmt *statement)
{
    int64_t greatest;
    if (reference->record != plan->record)
        return true;
    const ProtobufCFieldDescriptor *field = plan->record->columns[reference->column].field;
    size_t slot = varve__plan_slot(plan, field->id);
    if ((written && !written[slot]) || !varve__is_present(field, record))
        return true;
    if (slot != plan->keys[0] || !varve__row_key_is_missing(plan, record)) {
        const void *value = varve__slot_member(&plan->slots[slot], record);
        return varve__row_bind_value(plan, slot, value, statement, 2) == VARVE_OK;
    }
    return varve__probe_sequence(connection, plan, &greatest) == SQLITE_OK &&
           greatest < INT64_MAX && sqlite3_bind_int64(statement, 2, greatest + 1) == SQLITE_OK;
}

/* Whether the slot refers to nothing. False also when it cannot be asked: then the failure keeps its
 * general text. */
static bool
is_missing(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    size_t slot,
    const void *record,
    const bool *written)
{
    sqlite3_stmt *statement = NULL;
    const struct varve_column *column = plan->slots[slot].column;
    const struct varve_reference *reference = column->reference;
    if (!reference || !varve__is_present(column->field, record))
        return false;
    char *sql = sqlite3_mprintf(
        "SELECT 1 FROM \"%w\" WHERE \"%w\" = ?1 UNION ALL SELECT 1 WHERE ?1 = ?2",
        reference->record->table->name, reference->record->columns[reference->column].field->name);
    const void *value = varve__slot_member(&plan->slots[slot], record);
    bool missing =
        sql && sqlite3_prepare_v2(connection->database, sql, -1, &statement, NULL) == SQLITE_OK &&
        varve__row_bind_value(plan, slot, value, statement, 1) == VARVE_OK &&
        bind_own(connection, plan, reference, record, written, statement) &&
        sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_finalize(statement);
    sqlite3_free(sql);
    return missing;
}

/* Names the first field of the record that was written and refers to nothing. False when all is
 * there. */
static bool
explain_missing(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *record,
    const bool *written)
{
    for (size_t i = 0; i < plan->slot_count; i++) {
        if ((written && !written[i]) || !is_missing(connection, plan, i, record, written))
            continue;
        fail_missing(plan, i, record);
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
    if (kind == VARVE_FAILURE_UNIQUE)
        explain_unique(plan, record, written);
    else if (
        kind == VARVE_FAILURE_FOREIGN_KEY && !explain_missing(connection, plan, record, written))
        status = explain_referred(plan, what);
    else if (
        status == VARVE_FULL && varve__row_key_is_missing(plan, record) &&
        keys_are_used_up(connection, plan))
        status = varve__fail_no_key(plan, what);
    return status;
}

/* -------------------------------------------------------------------- foreign keys of many */

/* The statement is undone, so the keys that it assigned were the next ones. NULL: they cannot be
 * known. */
static int64_t *
assigned_keys(struct varve__connection *connection, const struct varve__plan *plan, size_t count)
{
    int64_t greatest;
    int64_t *ids = varve__allocate(count * sizeof *ids); /* insert_many has had as much */
    if (ids && varve__probe_sequence(connection, plan, &greatest) != SQLITE_OK) {
        varve__release(ids);
        ids = NULL;
    }
    for (size_t i = 0; ids && i < count; i++)
        ids[i] = (int64_t)((uint64_t)greatest + i + 1);
    return ids;
}

/* The first record of the feed ?1 whose slot refers neither to what is stored nor, where it refers to
 * its own table, to a record of the feed ?2. */
static char *
sql_of_missing(const struct varve__plan *plan, size_t slot)
{
    const struct varve_reference *reference = plan->slots[slot].column->reference;
    const ProtobufCFieldDescriptor *target = reference->record->columns[reference->column].field;
    sqlite3_str *sql = sqlite3_str_new(NULL);
    sqlite3_str_appendf(
        sql,
        "SELECT f.rowid FROM \"varve_feed_%d\"(?1) AS f WHERE f.c%d IS NOT NULL AND "
        "NOT EXISTS (SELECT 1 FROM \"%w\" AS t WHERE t.\"%w\" = f.c%d)",
        (int)plan->index, (int)slot, reference->record->table->name, target->name, (int)slot);
    if (reference->record == plan->record) {
        int own = (int)varve__plan_slot(plan, target->id);
        sqlite3_str_appendf(
            sql,
            " AND f.c%d NOT IN (SELECT b.c%d FROM \"varve_feed_%d\"(?2) AS b "
            "WHERE b.c%d IS NOT NULL)",
            (int)slot, own, (int)plan->index, own);
    }
    sqlite3_str_appendall(sql, " LIMIT 1");
    return sqlite3_str_finish(sql);
}

/* Looks for a record of `before` whose slot refers to nothing, neither stored nor of the batch, and
 * cuts `before` off in front of it. False also when it cannot be asked. */
static bool
cut_before_missing(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    size_t slot,
    struct varve__feed *before,
    struct varve__feed *batch)
{
    sqlite3_stmt *statement = NULL;
    char *sql = sql_of_missing(plan, slot);
    bool found = sql &&
                 sqlite3_prepare_v2(connection->database, sql, -1, &statement, NULL) == SQLITE_OK &&
                 sqlite3_bind_pointer(statement, 1, before, VARVE__FEED_TYPE, NULL) == SQLITE_OK;
    if (found && sqlite3_bind_parameter_count(statement) > 1)
        found = sqlite3_bind_pointer(statement, 2, batch, VARVE__FEED_TYPE, NULL) == SQLITE_OK;
    found = found && sqlite3_step(statement) == SQLITE_ROW;
    size_t index = found ? (size_t)sqlite3_column_int64(statement, 0) : before->count;
    sqlite3_finalize(statement);
    sqlite3_free(sql);
    before->count = index;
    return found;
}

/* Names the first record at fault, and the first of its fields. Where nothing is found the failure
 * keeps its general text. */
static void
explain_missing_of_many(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve__feed *feed)
{
    struct varve__feed batch = *feed;
    size_t blamed = VARVE__NO_SLOT;
    bool assigned = plan->generated_key && !feed->ids;
    int64_t *ids = assigned ? assigned_keys(connection, plan, feed->count) : NULL;
    if (assigned)
        batch.ids = ids;
    struct varve__feed before = batch;
    for (size_t i = 0; i < plan->slot_count && (ids || !assigned); i++) {
        if (plan->slots[i].column->reference &&
            cut_before_missing(connection, plan, i, &before, &batch))
            blamed = i;
    }
    varve__release(ids);
    if (blamed == VARVE__NO_SLOT)
        return;
    fail_missing(plan, blamed, record_at(plan, feed->records, before.count));
    varve__failure_set_index((int64_t)before.count);
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
