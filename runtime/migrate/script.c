/* Cutting a migration into statements and the comments above them, and running these. */
#include "migrate/script.h"

#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "migrate/normal.h"
#include "table/sqlite.h"
#include "table/system.h"

enum {
    SHOWN_SQL = 80, /* bytes of a statement in an error's text */
    COMMENT_SIZE = 400,
};

/* Where a migration's text is read. */
struct reader {
    char *text;       /* all of it */
    const char *next; /* what is still to be read */
    struct varve__sql_piece piece;
    size_t number;              /* of the statement, from 1 on */
    char comment[COMMENT_SIZE]; /* above it, or above one before it */
};

/* -------------------------------------------------------------------- statements */

/* The lines as one text; NULL without memory. For sqlite3_free(). */
static char *
join_lines(const struct varve_migration *migration)
{
    size_t size = 1;
    for (size_t i = 0; i < migration->sql_count; i++)
        size += strlen(migration->sql[i]) + 1;
    char *text = sqlite3_malloc64(size);
    char *at = text;
    for (size_t i = 0; i < migration->sql_count && text; i++) {
        size_t length = strlen(migration->sql[i]);
        memcpy(at, migration->sql[i], length);
        at += length;
        *at++ = '\n';
    }
    if (text)
        *at = '\0';
    return text;
}

/* Whether the piece is a statement, and not the beginning of a trigger, which has semicolons in it. */
static bool
is_complete(const struct reader *reader)
{
    char *end = reader->text + (reader->piece.text - reader->text) + reader->piece.size;
    char kept = *end;
    *end = '\0';
    bool complete = sqlite3_complete(reader->piece.text) != 0;
    *end = kept;
    return complete;
}

/* Adds the line's comment, without its dashes, behind what is there. */
static void
add_comment(char *comment, const char *line, size_t size)
{
    size_t length = strlen(comment);
    line += 2;
    size -= 2;
    while (size > 0 && *line == ' ') {
        line++;
        size--;
    }
    sqlite3_snprintf(
        (int)(COMMENT_SIZE - length), comment + length, "%s%.*s", length > 0 ? " " : "", (int)size,
        line);
    length = strlen(comment);
    comment[varve__utf8_whole(comment, length)] = '\0';
}

/* Takes the comment that stands right above the statement, in whole lines; keeps the one before when there
 * is none. */
static void
take_comment(struct reader *reader, const char *from)
{
    char comment[COMMENT_SIZE] = "";
    const char *end = reader->piece.text;
    for (const char *line = from; line < end;) {
        size_t size = strcspn(line, "\n");
        if (size >= 2 && line[0] == '-' && line[1] == '-')
            add_comment(comment, line, size);
        else if (line + size < end)
            *comment = '\0'; /* an empty line: that was a comment of its own */
        line += size + 1;
    }
    if (*comment)
        memcpy(reader->comment, comment, sizeof comment);
}

/* Goes to the next statement; false when there is none. */
static bool
read_statement(struct reader *reader)
{
    const char *before = reader->next;
    if (!varve__normal_next(&reader->next, &reader->piece))
        return false;
    struct varve__sql_piece more;
    while (!is_complete(reader) && varve__normal_next(&reader->next, &more))
        reader->piece.size = (size_t)(reader->next - reader->piece.text);
    if (reader->piece.size == 1) /* a semicolon alone */
        return read_statement(reader);
    take_comment(reader, before);
    reader->number++;
    return true;
}

size_t
varve__script_count(const struct varve_migration *migration)
{
    struct reader reader = {.text = join_lines(migration)};
    reader.next = reader.text;
    while (reader.text && read_statement(&reader))
        continue;
    sqlite3_free(reader.text);
    return reader.number;
}

/* -------------------------------------------------------------------- running */

/* Why a migration may not do this to a table; NULL when it may. */
static const char *
refuse_table(const char *table)
{
    if (!table || !varve__system_has(table))
        return NULL;
    return "the tables in which the database says what it is (varve_schema, varve_migration, "
           "varve_generation, varve_copies, varve_copied, varve_invalidation, varve_segment, "
           "varve_dataset, "
           "varve_dropped, varve_sealed, varve_archive) are the runtime's alone";
}

/* SQLite asks with the names of the action's things; where the table is depends on the action. */
static int
authorize(void *context, int action, const char *a, const char *b, const char *c, const char *d)
{
    struct varve__script *script = context;
    const char *reason = NULL;
    (void)c;
    (void)d;
    if (action == SQLITE_TRANSACTION)
        reason = "all migrations are one transaction, which no statement may begin or end";
    else if (action == SQLITE_ATTACH || action == SQLITE_DETACH)
        reason = "a migration is of one database, and may not reach another";
    else if (
        action == SQLITE_PRAGMA &&
        script->preparing) /* not what SELECT .. FROM pragma_x() runs inside */
        reason = "a PRAGMA has no effect inside of a transaction, or one that is not undone";
    else if (
        action == SQLITE_INSERT || action == SQLITE_UPDATE || action == SQLITE_DELETE ||
        action == SQLITE_DROP_TABLE)
        reason = refuse_table(a);
    else if (
        action == SQLITE_ALTER_TABLE || action == SQLITE_CREATE_INDEX ||
        action == SQLITE_CREATE_TRIGGER || action == SQLITE_CREATE_TEMP_TRIGGER)
        reason = refuse_table(b);
    else if (action == SQLITE_CREATE_TEMP_TABLE || action == SQLITE_CREATE_TEMP_VIEW)
        script->temporary = true;
    if (reason)
        script->denied = reason;
    return reason ? SQLITE_DENY : SQLITE_OK;
}

/* How to go on: where the machine failed, neither the SQL nor the data is to blame. SQLite keeps what it needs to
 * undo a statement, and large sorts, in files of their own. */
static const char *
mend_of(enum varve_status status, enum varve_failure_kind kind)
{
    if (status == VARVE_FULL && kind != VARVE_FAILURE_SIZE)
        return "free space on the disk, and in SQLite's folder of temporary files (TMPDIR, else "
               "/var/tmp)";
    if (status == VARVE_IO)
        return "check the disk, and SQLite's folder of temporary files (TMPDIR, else /var/tmp)";
    if (status == VARVE_NO_MEMORY)
        return "free some memory and open again";
    return "mend the data, or the migration as long as no database has it";
}

/* Where SQLite will not alter a table for an index' sake that is the user's: it is dropped by hand. */
static bool
is_about_index(const char *words)
{
    return strncmp(words, "error in index ", 15) == 0;
}

static enum varve_status
fail_statement(
    const struct varve__script *script,
    const struct varve_schema *schema,
    const struct varve_migration *migration,
    const struct reader *reader,
    int code)
{
    char words[VARVE__ERROR_SIZE / 2];
    const char *sql = reader->piece.text;
    size_t shown = strcspn(sql, "\n");
    shown = shown < reader->piece.size ? shown : reader->piece.size;
    if (shown > SHOWN_SQL)
        shown = varve__utf8_whole(sql, SHOWN_SQL);
    bool denied = (code & 0xFF) == SQLITE_AUTH && script->denied;
    sqlite3_snprintf(
        sizeof words, words, "%s", denied ? script->denied : sqlite3_errmsg(script->database));
    words[varve__utf8_whole(words, strlen(words))] = '\0';
    enum varve_status status = varve__sqlite_fail(script->database, code, NULL, "migrating");
    int system_errno = varve__thread_failure()->system_errno;
    enum varve_failure_kind kind = varve__thread_failure()->kind;
    if ((code & 0xFF) == SQLITE_AUTH)
        status = VARVE_SCHEMA; /* authorize() above */
    status = varve__fail(
        status, kind, VARVE_TIER_TABLE, NULL,
        "the migration %s.sql of package %s failed in statement %zu, \"%.*s%s\": %s; nothing was "
        "changed: %s",
        migration->name, schema->package, reader->number, (int)shown, sql,
        shown < reader->piece.size ? " .." : "", words,
        is_about_index(words)
            ? "drop that index, and make it again for the new tables when the migration is done"
        : denied ? "take the statement out"
                 : mend_of(status, kind));
    varve__failure_set_errno(system_errno);
    return status;
}

static bool
is_word(const struct varve__sql_piece *piece, const char *word)
{
    size_t size = strlen(word);
    return piece->size > size && sqlite3_strnicmp(piece->text, word, (int)size) == 0;
}

static bool
has_text(const struct varve__sql_piece *piece, const char *text)
{
    size_t size = strlen(text);
    for (size_t i = 0; i + size <= piece->size; i++) {
        if (sqlite3_strnicmp(piece->text + i, text, (int)size) == 0)
            return true;
    }
    return false;
}

/* Whether the statement moves no rows, so that all references are as good as before. A column that is
 * added with a default has the same in all rows, and may refer to nothing. */
static bool
keeps_references(const struct reader *reader)
{
    const struct varve__sql_piece *piece = &reader->piece;
    if (is_word(piece, "CREATE") || is_word(piece, "SELECT"))
        return true;
    if (is_word(piece, "DROP"))
        return sqlite3_strglob("[Dd][Rr][Oo][Pp] [Ii][Nn][Dd][Ee][Xx] *", piece->text) == 0;
    if (!is_word(piece, "ALTER"))
        return false;
    return !has_text(piece, "REFERENCES");
}

/* Runs a statement to its end; rows that it gives are of no interest. */
static int
run_statement(struct varve__script *script, const struct varve__sql_piece *piece)
{
    sqlite3_stmt *statement = NULL;
    script->preparing = true;
    int code =
        sqlite3_prepare_v2(script->database, piece->text, (int)piece->size, &statement, NULL);
    script->preparing = false;
    if (code != SQLITE_OK || !statement)
        return code;
    do {
        code = sqlite3_step(statement);
    } while (code == SQLITE_ROW);
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* A temporary table or view of another's name would get what the statements do to that one. */
static enum varve_status
check_temporary(
    const struct varve__script *script,
    const struct varve_schema *schema,
    const struct varve_migration *migration)
{
    sqlite3_stmt *statement = NULL;
    enum varve_status status = varve__sqlite_prepare(
        script->database, NULL,
        "SELECT m.name FROM main.sqlite_schema m JOIN temp.sqlite_schema t "
        "ON t.name = m.name COLLATE NOCASE WHERE m.type IN ('table', 'view') "
        "AND t.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
        &statement);
    if (status != VARVE_OK)
        return status;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        status = varve__fail(
            VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
            "the migration %s.sql of package %s makes a temporary \"%s\", and the database has a "
            "table of that "
            "name, in whose place statements would use it; nothing was changed: give it another "
            "name",
            migration->name, schema->package, sqlite3_column_text(statement, 0));
    else if (code != SQLITE_DONE)
        status = varve__sqlite_fail(script->database, code, NULL, "looking at temporary tables");
    sqlite3_finalize(statement);
    return status;
}

static enum varve_status
run_statements(
    struct varve__script *script,
    const struct varve_schema *schema,
    const struct varve_migration *migration,
    struct reader *reader)
{
    while (read_statement(reader)) {
        if (script->progress)
            script->progress(
                script->context, migration->name, reader->comment, script->done, script->total);
        int code = run_statement(script, &reader->piece);
        if (code != SQLITE_OK)
            return fail_statement(script, schema, migration, reader, code);
        enum varve_status status =
            script->temporary ? check_temporary(script, schema, migration) : VARVE_OK;
        if (status != VARVE_OK)
            return status;
        script->check_references = script->check_references || !keeps_references(reader);
        script->done++;
    }
    return VARVE_OK;
}

enum varve_status
varve__script_run(
    struct varve__script *script,
    const struct varve_schema *schema,
    const struct varve_migration *migration)
{
    struct reader reader = {.text = join_lines(migration)};
    reader.next = reader.text;
    if (!reader.text)
        return varve__fail_memory(NULL, 0);
    sqlite3_set_authorizer(script->database, authorize, script);
    enum varve_status status = run_statements(script, schema, migration, &reader);
    sqlite3_set_authorizer(script->database, NULL, NULL);
    sqlite3_free(reader.text);
    return status;
}
