/* The comparison, object by object. Most texts are the very ones of the schema; only the others are brought
 * into their normal form. */
#include "migrate/drift.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/utf8.h"
#include "migrate/normal.h"
#include "table/sqlite.h"
#include "table/system.h"

enum {
    ARENA_SIZE = 64 * 1024,
    NAME_SIZE = 256,   /* of a table or index of ours */
    SHOWN_NAMES = 400, /* bytes of a list of names in an event */
};

/* A row of sqlite_schema. Names have A to Z as a to z. */
struct object {
    const char *type;
    const char *name;
    const char *table;
    const char *sql; /* NULL: SQLite's own index */
    bool expected;
};

struct drift {
    sqlite3 *database;
    const struct varve_schema *const *schemas;
    size_t schema_count;
    const struct varve__log *log;
    struct varve__arena *arena;
    struct object *objects; /* sorted by name; triggers have names of their own */
    size_t count;
    size_t finding_count;
    char findings[VARVE__ERROR_SIZE];
    char own[SHOWN_NAMES]; /* the user's objects */
    size_t own_count;
};

/* -------------------------------------------------------------------- what is said */

static void
log_text(const struct varve__log *log, enum varve_log_level level, const char *text)
{
    if (log->write)
        log->write(log->context, level, VARVE_TIER_TABLE, text);
}

void
varve__log_event(const struct varve__log *log, enum varve_log_level level, const char *format, ...)
{
    va_list arguments;
    if (!log->write)
        return;
    va_start(arguments, format);
    char *text = sqlite3_vmprintf(format, arguments);
    va_end(arguments);
    if (text)
        log_text(log, level, text);
    sqlite3_free(text);
}

static void
append(char *list, size_t size, const char *separator, const char *text)
{
    size_t length = strlen(list);
    sqlite3_snprintf(
        (int)(size - length), list + length, "%s%s", length > 0 ? separator : "", text);
    length = strlen(list);
    if (length + 1 == size) /* it was cut */
        list[varve__utf8_whole(list, length)] = '\0';
}

/* Notes a finding, which is a sentence without its point. */
static void
find(struct drift *drift, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = sqlite3_vmprintf(format, arguments);
    va_end(arguments);
    drift->finding_count++;
    if (!text)
        return;
    append(drift->findings, sizeof drift->findings, "; ", text);
    log_text(drift->log, VARVE_LOG_ERROR, text);
    sqlite3_free(text);
}

static enum varve_status
report(const struct drift *drift)
{
    if (drift->own_count > 0)
        varve__log_event(
            drift->log, VARVE_LOG_INFO, "the database has %d objects beside varve's: %s",
            (int)drift->own_count, drift->own);
    if (drift->finding_count == 0)
        return VARVE_OK;
    return varve__fail(
        VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "the database's tables are not those of the schema (%zu differences, all in the log; "
        "restore a "
        "backup, or change them back): %s",
        drift->finding_count, drift->findings);
}

/* -------------------------------------------------------------------- what is there */

/* A copy in the arena, with A to Z as a to z when it is a name; NULL without memory. */
static const char *
copy(struct drift *drift, const unsigned char *text, int size, bool is_name)
{
    char *result = varve__arena_allocate(drift->arena, (size_t)size + 1);
    for (int i = 0; i < size && result; i++) {
        char byte = (char)text[i];
        result[i] = is_name && byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
    }
    if (result)
        result[size] = '\0';
    return result;
}

static const char *
copy_column(struct drift *drift, sqlite3_stmt *statement, int column, bool is_name)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    return text ? copy(drift, text, sqlite3_column_bytes(statement, column), is_name) : NULL;
}

static bool
add_object(struct drift *drift, sqlite3_stmt *statement, size_t room)
{
    struct object object = {
        .type = copy_column(drift, statement, 0, false),
        .name = copy_column(drift, statement, 1, true),
        .table = copy_column(drift, statement, 2, true),
        .sql = copy_column(drift, statement, 3, false),
    };
    if (!object.type || !object.name || !object.table || drift->count == room)
        return false;
    drift->objects[drift->count++] = object;
    return true;
}

static int
compare_objects(const void *a, const void *b)
{
    return strcmp(((const struct object *)a)->name, ((const struct object *)b)->name);
}

static enum varve_status
count_objects(sqlite3 *database, size_t *count)
{
    sqlite3_stmt *statement = NULL;
    enum varve_status status =
        varve__sqlite_prepare(database, NULL, "SELECT count(*) FROM sqlite_schema", &statement);
    if (status != VARVE_OK)
        return status;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *count = (size_t)sqlite3_column_int64(statement, 0);
    else
        status = varve__sqlite_fail(database, code, NULL, "reading the schema");
    sqlite3_finalize(statement);
    return status;
}

static enum varve_status
load(struct drift *drift)
{
    size_t room = 0;
    sqlite3_stmt *statement = NULL;
    enum varve_status status = count_objects(drift->database, &room);
    if (status == VARVE_OK)
        drift->objects = varve__arena_allocate(drift->arena, (room + 1) * sizeof *drift->objects);
    if (status == VARVE_OK && !drift->objects)
        return varve__fail_memory(NULL, room);
    if (status == VARVE_OK)
        status = varve__sqlite_prepare(
            drift->database, NULL, "SELECT type, name, tbl_name, sql FROM sqlite_schema",
            &statement);
    if (status != VARVE_OK)
        return status;
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW && status == VARVE_OK) {
        if (!add_object(drift, statement, room))
            status = varve__fail_memory(NULL, 0);
    }
    if (status == VARVE_OK && code != SQLITE_DONE)
        status = varve__sqlite_fail(drift->database, code, NULL, "reading the schema");
    sqlite3_finalize(statement);
    if (status == VARVE_OK)
        qsort(drift->objects, drift->count, sizeof *drift->objects, compare_objects);
    return status;
}

/* The table, index or view of this name. */
static struct object *
object_named(struct drift *drift, const char *name)
{
    struct object key = {.name = name};
    struct object *found = bsearch(&key, drift->objects, drift->count, sizeof key, compare_objects);
    const struct object *end = drift->objects + drift->count;
    while (found && found > drift->objects && strcmp(found[-1].name, name) == 0)
        found--;
    while (found && found < end && strcmp(found->type, "trigger") == 0)
        found = found + 1 < end && strcmp(found[1].name, name) == 0 ? found + 1 : NULL;
    return found;
}

/* -------------------------------------------------------------------- one object */

/* The definition that says the same thing: of the same column. NULL when there is none. */
static const char *
counterpart(const char *part, const struct varve__texts *parts)
{
    size_t size = strcspn(part, " ");
    for (size_t i = 0; i < parts->count; i++) {
        const char *other = parts->data[i];
        if (strncmp(part, other, size) == 0 && (other[size] == ' ' || other[size] == '\0'))
            return other;
    }
    return NULL;
}

static bool
has_text(const struct varve__texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; i++) {
        if (strcmp(texts->data[i], text) == 0)
            return true;
    }
    return false;
}

static void
compare_definitions(
    struct drift *drift, const struct varve__normal *wanted, const struct varve__normal *given)
{
    for (size_t i = 0; i < wanted->parts.count; i++) {
        const char *part = wanted->parts.data[i];
        const char *other = counterpart(part, &given->parts);
        if (has_text(&given->parts, part))
            continue;
        if (other)
            find(
                drift, "in the table \"%s\" column \"%.*s\" is another: expected %s; there is %s",
                wanted->name, (int)strcspn(part, " "), part, part, other);
        else
            find(drift, "the table \"%s\" lacks %s", wanted->name, part);
    }
    for (size_t i = 0; i < given->parts.count; i++) {
        const char *part = given->parts.data[i];
        if (!has_text(&wanted->parts, part) && !counterpart(part, &wanted->parts))
            find(drift, "the table \"%s\" has what was not expected: %s", wanted->name, part);
    }
}

static void
compare_options(
    struct drift *drift, const struct varve__normal *wanted, const struct varve__normal *given)
{
    const struct varve__texts *rest = &given->rest;
    bool same = wanted->rest.count == rest->count;
    for (size_t i = 0; i < rest->count; i++)
        same = same && has_text(&wanted->rest, rest->data[i]);
    if (!same) /* varve's own are all STRICT, and nothing else */
        find(
            drift, "the table \"%s\" is of another kind: expected strict; there is %s%s",
            wanted->name, rest->count > 0 ? rest->data[0] : "no option",
            rest->count > 1 ? " and more" : "");
}

/* "unique on sample (name) where ..", or a table's definitions. */
static const char *
describe(struct drift *drift, const struct varve__normal *normal)
{
    sqlite3_str *text = sqlite3_str_new(drift->database);
    if (!normal->is_table)
        sqlite3_str_appendf(text, "%son %s ", normal->unique ? "unique " : "", normal->table);
    for (size_t i = 0; i < normal->parts.count; i++)
        sqlite3_str_appendf(text, "%s%s", i > 0 ? ", " : "(", normal->parts.data[i]);
    sqlite3_str_appendall(text, ")");
    for (size_t i = 0; i < normal->rest.count; i++)
        sqlite3_str_appendf(text, " %s", normal->rest.data[i]);
    int size = sqlite3_str_length(text);
    char *made = sqlite3_str_finish(text);
    const char *result = made ? copy(drift, (const unsigned char *)made, size, false) : NULL;
    sqlite3_free(made);
    return result ? result : "?";
}

static void
compare_normals(
    struct drift *drift, const struct varve__normal *wanted, const struct varve__normal *given)
{
    size_t before = drift->finding_count;
    if (varve__normal_equal(wanted, given))
        return;
    if (wanted->is_table && given->is_table) {
        compare_definitions(drift, wanted, given);
        compare_options(drift, wanted, given);
    }
    if (drift->finding_count == before)
        find(
            drift, "the %s \"%s\" is another: expected %s; there is %s",
            wanted->is_table ? "table" : "index", wanted->name, describe(drift, wanted),
            describe(drift, given));
}

/* Compares what this statement makes with what is there. */
static enum varve_status
compare_object(struct drift *drift, const struct varve__sql_piece *piece)
{
    char name[NAME_SIZE];
    struct varve__normal wanted;
    struct varve__normal given;
    varve__normal_name(piece, name, sizeof name);
    struct object *object = object_named(drift, name);
    size_t size = piece->size - (piece->text[piece->size - 1] == ';');
    if (object && object->sql && strlen(object->sql) == size &&
        memcmp(object->sql, piece->text, size) == 0) {
        object->expected = true;
        return VARVE_OK;
    }
    enum varve_status status = varve__normal_read(drift->arena, piece, &wanted);
    if (status == VARVE_NOT_FOUND || (status == VARVE_OK && !object)) {
        find(
            drift, "%s \"%s\" is missing",
            status == VARVE_OK && wanted.is_table ? "the table" : "the index", name);
        return VARVE_OK;
    }
    if (status != VARVE_OK)
        return status;
    object->expected = true;
    wanted.name = name; /* without quotes */
    struct varve__sql_piece sql = {object->sql ? object->sql : "", 0};
    sql.size = strlen(sql.text);
    status = varve__normal_read(drift->arena, &sql, &given);
    if (status == VARVE_OK)
        compare_normals(drift, &wanted, &given);
    else if (status == VARVE_NOT_FOUND)
        find(drift, "\"%s\" is a %s", name, object->type);
    return status == VARVE_NOT_FOUND ? VARVE_OK : status;
}

static enum varve_status
compare_text(struct drift *drift, const char *ddl)
{
    struct varve__sql_piece piece;
    enum varve_status status = VARVE_OK;
    while (status == VARVE_OK && varve__normal_next(&ddl, &piece))
        status = compare_object(drift, &piece);
    return status;
}

static enum varve_status
compare_schema(struct drift *drift, const struct varve_schema *schema)
{
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < schema->record_count && status == VARVE_OK; i++) {
        if (schema->records[i]->table)
            status = compare_text(drift, schema->records[i]->table->ddl);
    }
    return status;
}

/* -------------------------------------------------------------------- the others */

static bool
begins(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Whether it bears a name as only varve gives: an index of a table of ours, a table that a migration has left,
 * tensors of a table that has none. */
static bool
is_named_as_ours(struct drift *drift, const struct object *object)
{
    bool is_index = strcmp(object->type, "index") == 0;
    const struct object *table = object_named(drift, object->table);
    if (is_index)
        return table && table->expected && begins(object->name, object->table) &&
               object->name[strlen(object->table)] == '.';
    if (begins(object->name, "varve_new_"))
        return true;
    if (!begins(object->name, "varve_staged_"))
        return false;
    table = object_named(drift, object->name + strlen("varve_staged_"));
    return table && table->expected;
}

/* 1: some package of the database, which this program need not know, has a table of this name. */
static const char other_package_sql[] = "SELECT 1 FROM varve_schema WHERE instr(lower(lock) || "
                                        "char(10), ' table=' || ?1 || char(10)) > 0";

/* Whether it is a table of another package, or belongs to one. */
static enum varve_status
is_of_other_package(
    struct drift *drift, sqlite3_stmt *statement, const struct object *object, bool *is)
{
    const char *table = object->table;
    if (begins(table, "varve_staged_"))
        table += strlen("varve_staged_");
    sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    *is = code == SQLITE_ROW;
    sqlite3_reset(statement);
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return VARVE_OK;
    return varve__sqlite_fail(drift->database, code, NULL, "reading the schema");
}

static enum varve_status
look_at_others(struct drift *drift)
{
    sqlite3_stmt *statement = NULL;
    enum varve_status status =
        varve__sqlite_prepare(drift->database, NULL, other_package_sql, &statement);
    for (size_t i = 0; i < drift->count && status == VARVE_OK; i++) {
        const struct object *object = &drift->objects[i];
        bool foreign = false;
        bool is_code = strcmp(object->type, "view") == 0 || strcmp(object->type, "trigger") == 0;
        if (object->expected || begins(object->name, "sqlite_"))
            continue;
        if (!is_code && is_named_as_ours(drift, object)) {
            find(drift, "the %s \"%s\" was not expected", object->type, object->name);
            continue;
        }
        const struct object *table = object_named(drift, object->table);
        if (!is_code && !(table && table->expected))
            status = is_of_other_package(drift, statement, object, &foreign);
        if (foreign)
            continue;
        drift->own_count++;
        append(drift->own, sizeof drift->own, ", ", object->type);
        append(drift->own, sizeof drift->own, " ", object->name);
    }
    sqlite3_finalize(statement);
    return status;
}

enum varve_status
varve__drift_check(
    sqlite3 *database,
    const struct varve_schema *const *schemas,
    size_t count,
    const struct varve__log *log)
{
    struct drift drift = {
        .database = database, .schemas = schemas, .schema_count = count, .log = log};
    drift.arena = varve__arena_create(ARENA_SIZE);
    if (!drift.arena)
        return varve__fail_memory(NULL, ARENA_SIZE);
    enum varve_status status = load(&drift);
    if (status == VARVE_OK)
        status = compare_text(&drift, varve__system_ddl);
    for (size_t i = 0; i < count && status == VARVE_OK; i++)
        status = compare_schema(&drift, schemas[i]);
    if (status == VARVE_OK)
        status = look_at_others(&drift);
    if (status == VARVE_OK)
        status = report(&drift);
    varve__arena_release(drift.arena);
    return status;
}
