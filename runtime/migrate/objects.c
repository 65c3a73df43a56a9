/* Views, triggers and indexes. SQLite makes ones that refer to columns which are not there without a word; so each
 * is tried: a view by a SELECT, a trigger by a statement that sets it off, prepared and not run. */
#include "migrate/objects.h"

#include <string.h>

#include "base/error.h"
#include "migrate/normal.h"
#include "table/sqlite.h"

enum {
    ARENA_SIZE = 4096
};

static const char *const words[] = {
    [VARVE__OBJECT_VIEW] = "view",
    [VARVE__OBJECT_TRIGGER] = "trigger",
    [VARVE__OBJECT_INDEX] = "index",
};

/* -------------------------------------------------------------------- trying */

/* Whether the statement can be prepared. What the machine lacks says nothing of the statement. */
static enum varve_status
try_prepare(sqlite3 *database, const char *sql, bool *works)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database, sql, -1, &statement, NULL);
    int primary = code & 0xFF;
    sqlite3_finalize(statement);
    *works = code == SQLITE_OK;
    if (primary != SQLITE_NOMEM && primary != SQLITE_IOERR && primary != SQLITE_INTERRUPT)
        return VARVE_OK;
    return varve__sqlite_fail(database, code, NULL, "looking at the views and triggers");
}

/* UPDATE of the table's first column. */
static void
append_first_column(sqlite3 *database, sqlite3_str *sql, const char *table)
{
    sqlite3_stmt *statement = NULL;
    int code =
        sqlite3_prepare_v2(database, "SELECT name FROM pragma_table_info(?)", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
    if (code == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        sqlite3_str_appendf(sql, "\"%w\" = NULL", sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
}

/* UPDATE of all the columns that the trigger names; `tokens` from UPDATE on. A quoted token is one that must be. */
static void
append_update(
    sqlite3 *database, sqlite3_str *sql, const char *table, const char **tokens, size_t count)
{
    sqlite3_str_appendf(sql, "UPDATE \"%w\" SET ", table);
    if (count < 3 || strcmp(tokens[1], "of") != 0) {
        append_first_column(database, sql, table);
        return;
    }
    for (size_t i = 2; i < count; i += 2) {
        const char *quote = *tokens[i] == '"' ? "" : "\"";
        sqlite3_str_appendf(sql, "%s%s%s = NULL", quote, tokens[i], quote);
        if (i + 1 == count || strcmp(tokens[i + 1], ",") != 0)
            break;
        sqlite3_str_appendall(sql, ", ");
    }
}

/* A statement that sets off the trigger; nothing when its words are not understood. */
static void
append_trigger(
    sqlite3 *database,
    sqlite3_str *sql,
    const struct varve__object *object,
    const struct varve__texts *tokens)
{
    for (size_t i = 3; i < tokens->count; i++) { /* behind CREATE TRIGGER name */
        const char *word = tokens->data[i];
        if (strcmp(word, "delete") == 0)
            sqlite3_str_appendf(sql, "DELETE FROM \"%w\"", object->table);
        else if (strcmp(word, "insert") == 0)
            sqlite3_str_appendf(sql, "INSERT INTO \"%w\" DEFAULT VALUES", object->table);
        else if (strcmp(word, "update") == 0)
            append_update(database, sql, object->table, &tokens->data[i], tokens->count - i);
        else
            continue;
        return;
    }
}

enum varve_status
varve__objects_try(
    sqlite3 *database, struct varve__arena *arena, const struct varve__object *object, bool *works)
{
    struct varve__sql_piece piece = {object->sql, strlen(object->sql)};
    struct varve__texts tokens = {0};
    *works = false;
    enum varve_status status = VARVE_OK;
    if (object->kind == VARVE__OBJECT_INDEX)
        return VARVE_OK;
    if (object->kind == VARVE__OBJECT_TRIGGER)
        status = varve__normal_tokens(arena, &piece, &tokens);
    if (status != VARVE_OK)
        return status;
    sqlite3_str *sql = sqlite3_str_new(database);
    if (object->kind == VARVE__OBJECT_VIEW)
        sqlite3_str_appendf(sql, "SELECT * FROM \"%w\"", object->name);
    else
        append_trigger(database, sql, object, &tokens);
    bool lacks = sqlite3_str_errcode(sql) != SQLITE_OK;
    char *text = sqlite3_str_finish(sql);
    if (text)
        status = try_prepare(database, text, works);
    else if (lacks)
        status = varve__fail_memory(NULL, 0);
    sqlite3_free(text);
    return status;
}

/* -------------------------------------------------------------------- taking */

static const char *
copy_column(struct varve__arena *arena, sqlite3_stmt *row, int column)
{
    const unsigned char *text = sqlite3_column_text(row, column);
    size_t size = (size_t)sqlite3_column_bytes(row, column) + 1;
    char *copy = text ? varve__arena_allocate(arena, size) : NULL;
    return copy ? memcpy(copy, text, size) : NULL;
}

static struct varve__object *
copy_object(struct varve__arena *arena, sqlite3_stmt *row)
{
    struct varve__object *object = varve__arena_allocate(arena, sizeof *object);
    if (!object)
        return NULL;
    *object = (struct varve__object){
        .kind = (enum varve__object_kind)sqlite3_column_int(row, 0),
        .name = copy_column(arena, row, 1),
        .table = copy_column(arena, row, 2),
        .sql = copy_column(arena, row, 3),
    };
    return object->name && object->table && object->sql ? object : NULL;
}

static enum varve_status
load(sqlite3 *database, struct varve__objects *objects)
{
    sqlite3_stmt *rows = NULL;
    struct varve__object **last = &objects->first;
    enum varve_status status = varve__sqlite_prepare(
        database, NULL,
        "SELECT CASE type WHEN 'view' THEN 0 WHEN 'trigger' THEN 1 ELSE 2 END, name, tbl_name, sql "
        "FROM sqlite_schema WHERE type IN ('view', 'trigger') OR (type = 'index' "
        "AND sql IS NOT NULL AND substr(name, 1, length(tbl_name) + 1) <> tbl_name || '.') "
        "ORDER BY rowid",
        &rows);
    if (status != VARVE_OK)
        return status;
    int code;
    while ((code = sqlite3_step(rows)) == SQLITE_ROW && status == VARVE_OK) {
        *last = copy_object(objects->arena, rows);
        if (*last)
            last = &(*last)->next;
        else
            status = varve__fail_memory(NULL, 0);
    }
    if (status == VARVE_OK && code != SQLITE_DONE)
        status = varve__sqlite_fail(database, code, NULL, "reading the views");
    sqlite3_finalize(rows);
    return status;
}

/* Drops all of a kind. */
static enum varve_status
drop(sqlite3 *database, const struct varve__objects *objects, enum varve__object_kind kind)
{
    enum varve_status status = VARVE_OK;
    for (const struct varve__object *object = objects->first; object && status == VARVE_OK;
         object = object->next) {
        if (object->kind != kind)
            continue;
        char *sql = sqlite3_mprintf("DROP %s \"%w\"", words[kind], object->name);
        status = sql ? varve__sqlite_execute(database, sql) : varve__fail_memory(NULL, 0);
        sqlite3_free(sql);
    }
    return status;
}

enum varve_status
varve__objects_load(sqlite3 *database, struct varve__objects *objects)
{
    objects->first = NULL;
    objects->arena = varve__arena_create(ARENA_SIZE);
    if (!objects->arena)
        return varve__fail_memory(NULL, ARENA_SIZE);
    enum varve_status status = load(database, objects);
    for (struct varve__object *object = objects->first; object && status == VARVE_OK;
         object = object->next)
        status = varve__objects_try(database, objects->arena, object, &object->works);
    return status;
}

enum varve_status
varve__objects_drop(sqlite3 *database, const struct varve__objects *objects)
{
    enum varve_status status =
        drop(database, objects, VARVE__OBJECT_TRIGGER); /* a view takes its with it */
    return status == VARVE_OK ? drop(database, objects, VARVE__OBJECT_VIEW) : status;
}

/* -------------------------------------------------------------------- making again */

static enum varve_status
fail_object(sqlite3 *database, const struct varve__object *object, int code)
{
    enum varve_status status =
        varve__sqlite_fail(database, code, NULL, "making the views, triggers and indexes again");
    if ((code & 0xFF) != SQLITE_ERROR)
        return status;
    return varve__fail(
        VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "the database's %s \"%s\" does not fit the tables that the migration makes: %s; "
        "nothing was changed: drop it, and make it again for the new tables when the migration is "
        "done",
        words[object->kind], object->name, sqlite3_errmsg(database));
}

static enum varve_status
fail_reused(const struct varve__object *object)
{
    return varve__fail(
        VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "the database's %s \"%s\" names \"%s\", which is the name of another field after the "
        "migration: it would "
        "go on with that one's values; nothing was changed: drop it, and make it again with the "
        "new names when the "
        "migration is done",
        words[object->kind], object->name, object->reused);
}

/* What works before works after, else SQLite's words say why not. */
static enum varve_status
check(sqlite3 *database, struct varve__arena *arena, const struct varve__object *object)
{
    bool works;
    if (!object->works)
        return VARVE_OK;
    enum varve_status status = varve__objects_try(database, arena, object, &works);
    if (status != VARVE_OK || works)
        return status;
    return fail_object(database, object, sqlite3_errcode(database));
}

/* Whether an index is gone while its table is there: that was made anew. */
static enum varve_status
is_lost(sqlite3 *database, const struct varve__object *object, bool *lost)
{
    sqlite3_stmt *statement = NULL;
    enum varve_status status = varve__sqlite_prepare(
        database, NULL,
        "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?1) "
        "AND EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?2)",
        &statement);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_text(statement, 1, object->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, object->table, -1, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    *lost = code == SQLITE_ROW && sqlite3_column_int(statement, 0) != 0;
    if (code != SQLITE_ROW)
        status = varve__sqlite_fail(database, code, NULL, "reading the schema");
    sqlite3_finalize(statement);
    return status;
}

/* Makes all of a kind. A statement that sets off one trigger takes in all of its table, so each trigger is looked
 * at when it is made: what fails then is its own fault. */
static enum varve_status
make(sqlite3 *database, const struct varve__objects *objects, enum varve__object_kind kind)
{
    enum varve_status status = VARVE_OK;
    for (const struct varve__object *object = objects->first; object && status == VARVE_OK;
         object = object->next) {
        bool wanted = object->kind == kind;
        if (wanted && kind == VARVE__OBJECT_INDEX)
            status = is_lost(database, object, &wanted);
        if (status != VARVE_OK || !wanted)
            continue;
        if (object->reused)
            return fail_reused(object);
        int code = sqlite3_exec(database, object->sql, NULL, NULL, NULL);
        if (code != SQLITE_OK)
            status = fail_object(database, object, code);
        else if (kind == VARVE__OBJECT_TRIGGER)
            status = check(database, objects->arena, object);
    }
    return status;
}

static enum varve_status
check_views(sqlite3 *database, const struct varve__objects *objects)
{
    enum varve_status status = VARVE_OK;
    for (const struct varve__object *object = objects->first; object && status == VARVE_OK;
         object = object->next) {
        if (object->kind == VARVE__OBJECT_VIEW)
            status = check(database, objects->arena, object);
    }
    return status;
}

/* Triggers come last: they may need a view, or an index that is UNIQUE. */
enum varve_status
varve__objects_make(sqlite3 *database, const struct varve__objects *objects)
{
    enum varve_status status = make(database, objects, VARVE__OBJECT_VIEW);
    if (status == VARVE_OK)
        status = make(database, objects, VARVE__OBJECT_INDEX);
    if (status == VARVE_OK)
        status = check_views(database, objects);
    return status == VARVE_OK ? make(database, objects, VARVE__OBJECT_TRIGGER) : status;
}

void
varve__objects_release(struct varve__objects *objects)
{
    varve__arena_release(objects->arena);
    *objects = (struct varve__objects){0};
}
