/* Delete, and what insert.c, update.c and upsert.c share. */
#include "table/write.h"

#include <string.h>

#include "base/error.h"
#include "codec/unknown.h"
#include "table/probe.h"
#include "table/row.h"
#include "table/transaction.h"

/* -------------------------------------------------------------------- shared */

static int64_t *
id_member(const struct varve__plan *plan, const void *record)
{
    return varve__slot_member(&plan->slots[plan->keys[0]], record);
}

int64_t
varve__write_id(const struct varve__plan *plan, const void *record)
{
    return varve__plan_has_id(plan) ? *id_member(plan, record) : 0;
}

void
varve__write_back(const struct varve__plan *plan, void *record, int64_t id, int64_t version)
{
    if (varve__plan_has_id(plan))
        *id_member(plan, record) = id;
    if (plan->version != VARVE__NO_SLOT)
        *(int64_t *)varve__slot_member(&plan->slots[plan->version], record) = version;
}

enum varve_status
varve__write_bind_all(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *record,
    sqlite3_stmt *statement)
{
    struct varve__arena *arena = connection->arena;
    varve__arena_reset(arena);
    enum varve_status status = varve__row_bind(plan, record, arena, statement);
    if (status != VARVE_OK)
        return status;
    if (!varve__unknown_is_cleared(record))
        return varve__row_bind_unknown(plan, record, arena, statement);
    int code = sqlite3_bind_zeroblob(statement, varve__plan_unknown(plan), 0);
    return code == SQLITE_OK ? VARVE_OK : varve__connection_fail(connection, code, plan, "bind");
}

bool
varve__write_exists(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *const *key,
    enum varve_status *status)
{
    sqlite3_stmt *statement;
    *status = varve__statement(connection, plan, VARVE__VERB_EXISTS, &statement);
    if (*status == VARVE_OK)
        *status = varve__row_bind_key(plan, key, statement, 1);
    if (*status != VARVE_OK)
        return false;
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        *status = varve__connection_fail(connection, code, plan, "update");
    else
        *status = varve__guard_read(connection, statement);
    sqlite3_reset(statement);
    return code == SQLITE_ROW;
}

enum varve_status
varve__write_missed(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *const *key,
    const void *record)
{
    enum varve_status status = VARVE_OK;
    bool there = plan->version != VARVE__NO_SLOT && record &&
                 varve__write_exists(connection, plan, key, &status);
    if (status != VARVE_OK)
        return status;
    if (!there)
        return varve__not_found(plan, key);
    char text[VARVE__KEY_TEXT];
    const struct varve__slot *version = &plan->slots[plan->version];
    const char *name = plan->record->descriptor->name;
    varve__key_text(plan, key, text);
    status = varve__fail(
        VARVE_CONFLICT, VARVE_FAILURE_VERSION, VARVE_TIER_TABLE, name,
        "the %s with %s was changed since version %lld of it was read; read it again and repeat "
        "the "
        "change",
        name, text, (long long)*(int64_t *)varve__slot_member(version, record));
    varve__failure_add_field(version->column->field->id);
    return status;
}

/* -------------------------------------------------------------------- delete */

enum varve_status
varve__delete(
    struct varve__connection *connection, const struct varve__plan *plan, const void *const *key)
{
    sqlite3_stmt *statement;
    enum varve_status status = varve__statement(connection, plan, VARVE__VERB_DELETE, &statement);
    if (status == VARVE_OK)
        status = varve__row_bind_key(plan, key, statement, 1);
    enum varve__write kind = varve__write_of_change(connection, VARVE__WRITE_ONE);
    if (status == VARVE_OK)
        status = varve__write_begin(connection, kind);
    if (status != VARVE_OK)
        return status;
    int code = varve__guard_step(connection, plan, NULL, statement);
    sqlite3_reset(statement);
    if (code != SQLITE_DONE)
        status = varve__probe_delete(connection, code, plan, key);
    else if (sqlite3_changes64(connection->database) == 0)
        status = varve__not_found(plan, key);
    status = varve__write_end(connection, kind, status);
    if (status == VARVE_OK)
        connection->changes = 1;
    return status;
}
