/* The tables as they are declared, against the plans. */
#include "migrate/strict.h"

#include <stdio.h>

#include "base/error.h"
#include "table/column.h"
#include "table/sqlite.h"

#define MENDING                                                                                    \
    "it was changed by hand: make it again as the package's .sql file has it, or name another "    \
    "folder in data_dir"

static enum varve_status
refuse_table(const struct varve__plan *plan, const char *what)
{
    const struct varve_record *record = plan->record;
    const char *name = record->descriptor->name;
    return varve__fail(
        VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, name,
        "%s: the table \"%s\" %s; " MENDING, name, record->table->name, what);
}

/* `type` is what the table declares, NULL when it has no such column. */
static enum varve_status
refuse_column(
    const struct varve__plan *plan, const struct varve__slot *slot, const char *type, bool not_null)
{
    char text[VARVE__ERROR_SIZE];
    const ProtobufCFieldDescriptor *field = slot->column->field;
    snprintf(
        text, sizeof text, "has %s%s as its column \"%s\" where the schema says %s%s",
        type ? type : "nothing", not_null ? " NOT NULL" : "", field->name,
        varve__column_declared(slot), slot->nullable ? "" : " NOT NULL");
    enum varve_status status = refuse_table(plan, text);
    varve__failure_add_field(field->id);
    return status;
}

/* A primary key that is the row's id is never NULL, and not declared so. */
static bool
is_row_id(const struct varve__plan *plan, const struct varve__slot *slot)
{
    return plan->key_count == 1 && varve__column_type(slot) == SQLITE_INTEGER;
}

static enum varve_status
check_column(sqlite3 *database, const struct varve__plan *plan, const struct varve__slot *slot)
{
    const char *type = NULL;
    int not_null = 0;
    int key = 0;
    int code = sqlite3_table_column_metadata(
        database, "main", plan->record->table->name, slot->column->field->name, &type, NULL,
        &not_null, &key, NULL);
    if (code != SQLITE_OK && code != SQLITE_ERROR) /* there is none */
        return varve__sqlite_fail(database, code, plan->record, "reading the schema");
    if (type && sqlite3_stricmp(type, varve__column_declared(slot)) == 0 &&
        (not_null || slot->nullable || (key && is_row_id(plan, slot))))
        return VARVE_OK;
    return refuse_column(plan, slot, type, not_null);
}

/* `statement` gives whether a table is STRICT, and nothing when there is none. */
static enum varve_status
check_strict(sqlite3 *database, const struct varve__plan *plan, sqlite3_stmt *statement)
{
    sqlite3_bind_text(statement, 1, plan->record->table->name, -1, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    bool is_strict = code == SQLITE_ROW && sqlite3_column_int(statement, 0) != 0;
    sqlite3_reset(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return varve__sqlite_fail(database, code, plan->record, "reading the schema");
    if (code == SQLITE_DONE)
        return refuse_table(plan, "is not there");
    return is_strict ? VARVE_OK : refuse_table(plan, "is not STRICT");
}

enum varve_status
varve__tables_check(sqlite3 *database, const struct varve__plans *plans)
{
    sqlite3_stmt *statement;
    enum varve_status status = varve__sqlite_prepare(
        database, NULL, "SELECT strict FROM pragma_table_list(?) WHERE schema = 'main'",
        &statement);
    for (size_t i = 0; i < plans->count && status == VARVE_OK; i++) {
        const struct varve__plan *plan = &plans->plans[i];
        status = check_strict(database, plan, statement);
        for (size_t slot = 0; slot < plan->slot_count && status == VARVE_OK; slot++)
            status = check_column(database, plan, &plan->slots[slot]);
    }
    sqlite3_finalize(statement);
    return status;
}
