/* Upsert: one INSERT .. ON CONFLICT DO UPDATE .. RETURNING, so that no other writer comes between. */
#include <string.h>

#include "base/error.h"
#include "codec/check.h"
#include "table/probe.h"
#include "table/row.h"
#include "table/sql.h"
#include "table/staged.h"
#include "table/transaction.h"
#include "table/write.h"

/* What a record is found by; `position` tells constraints of one record apart. */
struct target {
    struct varve_unique unique;
    size_t position; /* 0: the primary key; i + 1: uniques[i] */
};

static void
target_key(const struct varve__plan *plan, struct target *target)
{
    const struct varve_table *table = plan->record->table;
    target->unique = (struct varve_unique){table->primary_key, table->primary_key_count, NULL};
    target->position = 0;
}

static void
target_unique(const struct varve__plan *plan, size_t index, struct target *target)
{
    target->unique = plan->record->table->uniques[index];
    target->position = index + 1;
}

static uint32_t
only_field(const struct varve__plan *plan, const struct varve_unique *unique)
{
    return unique->column_count == 1 ? plan->record->columns[unique->columns[0]].field->id : 0;
}

/* Of the records with this value it is not known which one is meant. */
static enum varve_status
refuse_partial(const struct varve__plan *plan, const struct varve_unique *unique)
{
    const char *name = plan->record->descriptor->name;
    const ProtobufCFieldDescriptor *field = plan->record->columns[unique->columns[0]].field;
    enum varve_status status = varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, name,
        "upsert_by: %s.%s is unique only where %s, and other records may have the same value; pass "
        "the constant of a field that is unique in all records",
        name, field->name, unique->where);
    varve__failure_add_field(field->id);
    return status;
}

static enum varve_status
choose_by_field(const struct varve__plan *plan, uint32_t field, struct target *target)
{
    const struct varve_table *table = plan->record->table;
    const struct varve_unique *partial = NULL;
    target_key(plan, target);
    if (only_field(plan, &target->unique) == field)
        return VARVE_OK;
    for (size_t i = 0; i < table->unique_count; i++) {
        target_unique(plan, i, target);
        if (only_field(plan, &target->unique) != field)
            continue;
        if (!target->unique.where)
            return VARVE_OK;
        partial = &table->uniques[i];
    }
    const char *name = plan->record->descriptor->name;
    if (partial)
        return refuse_partial(plan, partial);
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, name,
        "upsert_by: no field of %s with the number %u is unique by itself; pass the constant of a "
        "unique field",
        name, (unsigned)field);
}

static enum varve_status
choose(const struct varve__plan *plan, const void *record, uint32_t field, struct target *target)
{
    const struct varve_table *table = plan->record->table;
    if (field != 0)
        return choose_by_field(plan, field, target);
    /* A new record that nothing can be found by is inserted. */
    target_key(plan, target);
    if (!varve__row_key_is_missing(plan, record) || table->unique_count == 0)
        return VARVE_OK;
    target_unique(plan, 0, target);
    if (table->unique_count == 1)
        return VARVE_OK;
    const char *name = plan->record->descriptor->name;
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, name,
        "upsert: %s has %zu unique constraints and this record no key; say with upsert_by which "
        "field "
        "finds it",
        name, table->unique_count);
}

static enum varve_status
take_statement(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct target *target,
    sqlite3_stmt **statement)
{
    const size_t key[] = {VARVE__KEPT_UPSERT, plan->index, target->position};
    return varve__statement_take(
        connection, plan, key, sizeof key, varve__sql_upsert, &target->unique, statement);
}

/* Steps to the row that RETURNING gives, if it gives one, and on to the end. */
static enum varve_status
step(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *record,
    sqlite3_stmt *statement,
    int64_t *id,
    int64_t *version)
{
    int code;
    while ((code = varve__guard_step(connection, plan, record, statement)) == SQLITE_ROW) {
        int column = 0;
        if (varve__plan_has_id(plan))
            *id = sqlite3_column_int64(statement, column++);
        if (plan->version != VARVE__NO_SLOT)
            *version = sqlite3_column_int64(statement, column);
    }
    sqlite3_reset(statement);
    if (code == SQLITE_DONE)
        return VARVE_OK;
    return varve__probe_write(connection, code, plan, record, NULL, "upsert");
}

static enum varve_status
run(struct varve__connection *connection,
    const struct varve__plan *plan,
    void *record,
    sqlite3_stmt *statement)
{
    int64_t id = 0;
    int64_t version = 0;
    enum varve__write kind = plan->tensor_count > 0 ? VARVE__WRITE_SEVERAL : VARVE__WRITE_ONE;
    enum varve_status status = varve__write_bind_all(connection, plan, record, statement);
    kind = varve__write_of_change(connection, kind);
    if (status == VARVE_OK)
        status = varve__write_begin(connection, kind);
    if (status != VARVE_OK)
        return status;
    status = step(connection, plan, record, statement, &id, &version);
    if (status == VARVE_OK && plan->tensor_count > 0)
        status = varve__staged_write(connection, plan, record, id, VARVE__STAGED_UPDATE);
    status = varve__write_end(connection, kind, status);
    if (status != VARVE_OK)
        return status;
    varve__write_back(plan, record, id, version);
    connection->changes = 1;
    return VARVE_OK;
}

enum varve_status
varve__upsert(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    void *record,
    uint32_t field)
{
    struct target target;
    sqlite3_stmt *statement = NULL;
    enum varve_status status =
        varve__record_check(plan->record, record, VARVE__CHECK_UNLOADED, NULL);
    if (status == VARVE_OK)
        status = choose(plan, record, field, &target);
    if (status == VARVE_OK)
        status = take_statement(connection, plan, &target, &statement);
    if (status != VARVE_OK)
        return status;
    status = run(connection, plan, record, statement);
    varve__statement_give(connection, statement);
    return status;
}
