/* Comparing the schemas of the program with what the database says of itself. */
#include "table/newer.h"

#include <stdlib.h>
#include <string.h>

#include "table/sqlite.h"
#include "table/system.h"

/* A line that a text goes on with, without its end. */
struct line {
    const char *text;
    size_t size;
};

static struct line
next_line(const char **text)
{
    struct line line = {*text, strcspn(*text, "\n")};
    *text += line.size + ((*text)[line.size] == '\n');
    return line;
}

static bool
begins_with(struct line line, const char *word)
{
    size_t size = strlen(word);
    return line.size >= size && memcmp(line.text, word, size) == 0;
}

/* -------------------------------------------------------------------- locks */

/* Whether the tables depend on the line: cache and archive have nothing here, and names of enum values
 * and retired ones none of the database's. */
static bool
is_of_tables(struct line line)
{
    return begins_with(line, "message ") || begins_with(line, "field ") ||
           begins_with(line, "index ");
}

static struct line
next_of_tables(const char **text)
{
    struct line line = {0};
    while (**text) {
        line = next_line(text);
        if (is_of_tables(line))
            return line;
    }
    return (struct line){0};
}

static bool
same_lock(const struct varve_schema *schema, const char *lock)
{
    for (size_t i = 0; i < schema->lock_count; i++) {
        struct line own = {schema->lock[i], strlen(schema->lock[i])};
        if (!is_of_tables(own))
            continue;
        struct line stored = next_of_tables(&lock);
        if (stored.size != own.size || memcmp(stored.text, own.text, own.size) != 0)
            return false;
    }
    return next_of_tables(&lock).size == 0;
}

/* The name in `message lab.Sample table=sample`, if it is of this table. */
static bool
is_message_of(struct line line, const char *table, struct line *name)
{
    static const char kind[] = "message ", option[] = " table=";
    size_t size = strlen(table) + strlen(option);
    if (!begins_with(line, kind) || line.size <= strlen(kind) + size)
        return false;
    *name = (struct line){line.text + strlen(kind), line.size - strlen(kind) - size};
    const char *rest = name->text + name->size;
    return memcmp(rest, option, strlen(option)) == 0 &&
           memcmp(rest + strlen(option), table, strlen(table)) == 0;
}

/* Whether the line is `field <name> <number> ..`. */
static bool
is_field(struct line line, struct line name, uint32_t number)
{
    static const char kind[] = "field ";
    size_t head = strlen(kind) + name.size;
    return begins_with(line, kind) && line.size > head + 1 &&
           memcmp(line.text + strlen(kind), name.text, name.size) == 0 && line.text[head] == ' ' &&
           strtoul(line.text + head + 1, NULL, 10) == number;
}

const char *
varve__newer_field(const char *lock, const char *table, uint32_t number, size_t *size)
{
    struct line name = {0};
    const char *text = lock;
    while (*text && !is_message_of(next_line(&text), table, &name))
        continue;
    if (!*text)
        return NULL; /* a message with a table has fields behind it */
    text = lock;
    while (*text) {
        struct line line = next_line(&text);
        if (is_field(line, name, number)) {
            *size = line.size;
            return line.text;
        }
    }
    return NULL;
}

/* -------------------------------------------------------------------- steps */

static int
rank(bool reads_ok, bool writes_ok)
{
    return !reads_ok ? 2 : !writes_ok;
}

/* Notes something that the schema lacks. */
static void
note(
    struct varve__newer *newer,
    const struct varve_schema *schema,
    const char *name,
    bool reads_ok,
    bool writes_ok)
{
    if (!newer->found || rank(reads_ok, writes_ok) > rank(newer->reads_ok, newer->writes_ok)) {
        newer->package = schema->package;
        sqlite3_snprintf(VARVE__NEWER_NAME, newer->name, "%s", name ? name : "");
    }
    newer->found = true;
    newer->reads_ok = newer->reads_ok && reads_ok;
    newer->writes_ok = newer->writes_ok && reads_ok && writes_ok;
}

static void
note_older(struct varve__newer *newer, const struct varve_schema *schema)
{
    newer->older = true;
    if (!newer->package)
        newer->package = schema->package;
}

static uint32_t
last_number(const struct varve_schema *schema)
{
    return schema->migration_count > 0 ? schema->migrations[schema->migration_count - 1].number : 0;
}

/* Steps through the package's rows of varve_migration. */
static int
compare_rows(sqlite3_stmt *rows, const struct varve_schema *schema, struct varve__newer *newer)
{
    int code;
    size_t known = 0;
    size_t count = 0;
    for (; (code = sqlite3_step(rows)) == SQLITE_ROW; count++) {
        if (sqlite3_column_int64(rows, 0) <= (int64_t)last_number(schema)) {
            known++;
            continue;
        }
        note(
            newer, schema, (const char *)sqlite3_column_text(rows, 1),
            sqlite3_column_int(rows, 2) != 0, sqlite3_column_int(rows, 3) != 0);
    }
    if (count > 0 && known < schema->migration_count)
        note_older(newer, schema);
    return code;
}

static enum varve_status
compare_steps(sqlite3 *database, const struct varve_schema *schema, struct varve__newer *newer)
{
    sqlite3_stmt *statement;
    enum varve_status status = varve__sqlite_prepare(
        database, NULL,
        "SELECT number, name, reads_ok, writes_ok FROM varve_migration WHERE package = ? "
        "ORDER BY number",
        &statement);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_text(statement, 1, schema->package, -1, SQLITE_STATIC);
    int code = compare_rows(statement, schema, newer);
    if (code != SQLITE_DONE)
        status = varve__sqlite_fail(database, code, NULL, "reading the migrations");
    sqlite3_finalize(statement);
    return status;
}

/* -------------------------------------------------------------------- schemas */

/* Without migrations there is but one state, the lock's; it is not kept yet where tables of the first
 * version have just been moved. */
static void
compare_locks(const char *lock, const struct varve_schema *schema, struct varve__newer *newer)
{
    if (schema->migration_count == 0 && lock && !same_lock(schema, lock))
        note(newer, schema, NULL, false, false);
}

static enum varve_status
compare(sqlite3 *database, const struct varve_schema *schema, struct varve__newer *newer)
{
    sqlite3_stmt *statement;
    enum varve_status status = varve__sqlite_prepare(
        database, NULL, "SELECT lock FROM varve_schema WHERE package = ?", &statement);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_text(statement, 1, schema->package, -1, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        compare_locks((const char *)sqlite3_column_text(statement, 0), schema, newer);
        if (schema->migration_count > 0)
            status = compare_steps(database, schema, newer);
    } else if (code != SQLITE_DONE) {
        status = varve__sqlite_fail(database, code, NULL, "reading the schema");
    }
    sqlite3_finalize(statement);
    return status;
}

static enum varve_status
read_version(sqlite3 *database, int *version)
{
    sqlite3_stmt *statement;
    enum varve_status status =
        varve__sqlite_prepare(database, NULL, "PRAGMA user_version", &statement);
    if (status != VARVE_OK)
        return status;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *version = sqlite3_column_int(statement, 0);
    else
        status = varve__sqlite_fail(database, code, NULL, "reading the version");
    sqlite3_finalize(statement);
    return status;
}

enum varve_status
varve__newer_check(
    sqlite3 *database,
    const struct varve_schema *const *schemas,
    size_t count,
    struct varve__newer *newer)
{
    int version = 0;
    *newer = (struct varve__newer){.reads_ok = true, .writes_ok = true};
    enum varve_status status = read_version(database, &version);
    if (status != VARVE_OK || version < VARVE__SYSTEM_VERSION)
        return status; /* the first version knows no steps */
    if (version > VARVE__SYSTEM_VERSION) {
        newer->found = true;
        newer->reads_ok = newer->writes_ok = false;
        return VARVE_OK;
    }
    for (size_t i = 0; i < count && status == VARVE_OK; i++)
        status = compare(database, schemas[i], newer);
    return status;
}
