/* Records in a store, one call each: checks, then the table tier. */
#include <stdio.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "codec/check.h"
#include "codec/field.h"
#include "store/handles.h"
#include "table/row.h"
#include "table/sqlite.h"

enum {
    ARENA_SIZE = 1024 /* JSON text and wire bytes of an ordinary record */
};

/* Refuses what would be stored in part. */
static enum varve_status
refuse_unsupported(const struct varve_record *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        const struct varve_column *column = &table->columns[i];
        const char *what = NULL;
        if (column->kind == VARVE_COLUMN_TENSOR)
            what = "a tensor";
        else if (column->flags & VARVE_JSON_COPY)
            what = "a JSON copy";
        else if (column->flags & VARVE_ROW_VERSION)
            what = "a version";
        if (what)
            return varve__fail(
                VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, table->descriptor->name,
                "%s.%s has %s, which this version of varve packs and does not store",
                table->descriptor->name, column->field->name, what);
    }
    return VARVE_OK;
}

static enum varve_status
no_session(const struct varve_record *table)
{
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, table->descriptor->name,
        "the session is NULL; open one with varve_session_open() and look at its status");
}

/* Stores the key that the database has assigned. */
static void
set_generated_key(const struct varve_record *table, void *record, int64_t id)
{
    const struct varve_column *column = &table->columns[table->table->primary_key[0]];
    if ((column->flags & VARVE_GENERATED_KEY) != 0)
        *(int64_t *)varve__member_of(record, column->field->offset) = id;
}

static enum varve_status
insert(struct varve_session *session, const struct varve_record *table, void *record)
{
    sqlite3_stmt *statement;
    enum varve_status status =
        varve__session_statement(session, table, VARVE__VERB_INSERT, &statement);
    if (status == VARVE_OK)
        status = refuse_unsupported(table);
    if (status == VARVE_OK)
        status = varve__record_check(table, record, VARVE__CHECK_LOADED, NULL);
    if (status != VARVE_OK)
        return status;
    struct varve__arena *arena = varve__arena_create(ARENA_SIZE);
    if (!arena)
        return varve__fail_memory(table->descriptor->name, ARENA_SIZE);
    status = varve__row_bind(table, record, arena, statement);
    if (status == VARVE_OK) {
        int code = sqlite3_step(statement);
        if (code == SQLITE_DONE)
            set_generated_key(table, record, sqlite3_last_insert_rowid(session->database));
        else
            status = varve__sqlite_fail(session->database, code, table, "insert");
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    varve__arena_release(arena);
    return status;
}

enum varve_status
varve_record_insert(struct varve_session *session, const struct varve_record *table, void *record)
{
    if (!session)
        return no_session(table);
    return varve__session_leave(session, insert(session, table, record));
}

static enum varve_status
not_found(const struct varve_record *table, const void *const *key)
{
    char text[200] = "";
    size_t length = 0;
    for (size_t i = 0; i < table->table->primary_key_count && length < sizeof text; i++) {
        const ProtobufCFieldDescriptor *field = table->columns[table->table->primary_key[i]].field;
        const char *separator = i > 0 ? ", " : "";
        int written;
        if (field->type == PROTOBUF_C_TYPE_STRING)
            written = snprintf(
                text + length, sizeof text - length, "%s%s \"%s\"", separator, field->name,
                (const char *)key[i]);
        else
            written = snprintf(
                text + length, sizeof text - length, "%s%s %lld", separator, field->name,
                (long long)varve__integer_at(field->type, key[i]));
        length += written > 0 ? (size_t)written : 0;
    }
    if (length >= sizeof text)
        text[varve__utf8_whole(text, sizeof text - 1)] = '\0';
    return varve__fail(
        VARVE_NOT_FOUND, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, table->descriptor->name,
        "there is no %s with %s", table->descriptor->name, text);
}

static enum varve_status
get(struct varve_session *session,
    const struct varve_record *table,
    const void *const *key,
    void **record)
{
    sqlite3_stmt *statement;
    enum varve_status status =
        varve__session_statement(session, table, VARVE__VERB_GET, &statement);
    if (status == VARVE_OK)
        status = refuse_unsupported(table);
    if (status != VARVE_OK)
        return status;
    status = varve__row_bind_key(table, key, statement);
    if (status == VARVE_OK) {
        int code = sqlite3_step(statement);
        if (code == SQLITE_ROW)
            status = varve__row_read(table, statement, record);
        else if (code == SQLITE_DONE)
            status = not_found(table, key);
        else
            status = varve__sqlite_fail(session->database, code, table, "get");
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return status;
}

enum varve_status
varve_record_get(
    struct varve_session *session,
    const struct varve_record *table,
    const void *const *key,
    void **record)
{
    *record = NULL;
    if (!session)
        return no_session(table);
    return varve__session_leave(session, get(session, table, key, record));
}
