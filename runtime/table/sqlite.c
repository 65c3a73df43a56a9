/* Connections to SQLite and the meaning of its errors. Knows no record layout. */
#include "table/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

struct meaning {
    int code; /* primary, or extended where that is finer */
    enum varve_status status;
    enum varve_failure_kind kind;
    const char *mend;
};

static const struct meaning meanings[] = {
    {SQLITE_CONSTRAINT_UNIQUE, VARVE_CONFLICT, VARVE_FAILURE_UNIQUE,
     "another record has this value; change it, or update that record"},
    {SQLITE_CONSTRAINT_PRIMARYKEY, VARVE_CONFLICT, VARVE_FAILURE_UNIQUE,
     "another record has this key; use a new one, or update that record"},
    {SQLITE_CONSTRAINT_ROWID, VARVE_CONFLICT, VARVE_FAILURE_UNIQUE,
     "another record has this key; use a new one, or update that record"},
    {SQLITE_CONSTRAINT_FOREIGNKEY, VARVE_CONFLICT, VARVE_FAILURE_FOREIGN_KEY,
     "a record that it refers to is not there; insert that one first"},
    {SQLITE_CONSTRAINT_CHECK, VARVE_INVALID, VARVE_FAILURE_CHECK,
     "the value is outside what min, max or check of the schema allow; correct it"},
    {SQLITE_CONSTRAINT_NOTNULL, VARVE_INVALID, VARVE_FAILURE_NOT_NULL,
     "the field may not be absent; set it"},
    {SQLITE_CONSTRAINT, VARVE_INVALID, VARVE_FAILURE_OTHER, "correct the record"},
    {SQLITE_BUSY_SNAPSHOT, VARVE_MISUSE, VARVE_FAILURE_OTHER,
     "a statement on this session's own handle of SQLite still reads an older state; finish it "
     "first"},
    {SQLITE_PROTOCOL, VARVE_BUSY, VARVE_FAILURE_OTHER, "many programs open the store; try again"},
    {SQLITE_NOLFS, VARVE_IO, VARVE_FAILURE_OTHER,
     "the file system has no files so large; move the folder"},
    {SQLITE_ABORT, VARVE_MISUSE, VARVE_FAILURE_OTHER,
     "its transaction was rolled back meanwhile; begin again"},
    {SQLITE_BUSY, VARVE_BUSY, VARVE_FAILURE_OTHER,
     "another program is writing; try again, or raise busy_timeout_ms"},
    {SQLITE_LOCKED, VARVE_BUSY, VARVE_FAILURE_OTHER, "another session is writing; try again"},
    {SQLITE_NOMEM, VARVE_NO_MEMORY, VARVE_FAILURE_OTHER, "free some memory and try again"},
    {SQLITE_READONLY, VARVE_READ_ONLY, VARVE_FAILURE_OTHER,
     "make the folder and its files writable for this user"},
    {SQLITE_PERM, VARVE_READ_ONLY, VARVE_FAILURE_OTHER,
     "make the folder and its files writable for this user"},
    {SQLITE_INTERRUPT, VARVE_INTERRUPTED, VARVE_FAILURE_OTHER, "the call was ended on request"},
    {SQLITE_FULL, VARVE_FULL, VARVE_FAILURE_OTHER, "free space on the disk and try again"},
    {SQLITE_TOOBIG, VARVE_FULL, VARVE_FAILURE_SIZE,
     "a row holds less than 1 GB; split the value, or make it a tensor"},
    {SQLITE_CANTOPEN, VARVE_IO, VARVE_FAILURE_OTHER,
     "check that the folder exists and is writable"},
    {SQLITE_IOERR, VARVE_IO, VARVE_FAILURE_OTHER, "check the disk and the file system"},
    {SQLITE_CORRUPT, VARVE_CORRUPT, VARVE_FAILURE_OTHER, "restore the folder from a backup"},
    {SQLITE_NOTADB, VARVE_CORRUPT, VARVE_FAILURE_OTHER,
     "the file is no database; name another folder, or restore it from a backup"},
    {SQLITE_SCHEMA, VARVE_SCHEMA, VARVE_FAILURE_OTHER,
     "the tables are not those of this program's schema; open the store again"},
    {SQLITE_MISMATCH, VARVE_TYPE, VARVE_FAILURE_OTHER, "correct the value"},
    {SQLITE_MISUSE, VARVE_MISUSE, VARVE_FAILURE_OTHER, "use a session from one thread at a time"},
};

static const struct meaning *
meaning_of(int extended)
{
    static const struct meaning unknown = {
        SQLITE_ERROR, VARVE_SCHEMA, VARVE_FAILURE_OTHER,
        "the tables are not those of this program's schema; check the database"};
    const struct meaning *primary = &unknown;
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        if (meanings[i].code == extended)
            return &meanings[i];
        if (meanings[i].code == (extended & 0xFF))
            primary = &meanings[i];
    }
    return primary;
}

static bool
add_field_named(const struct varve_record *table, const char *name, size_t size)
{
    for (size_t i = 0; i < table->column_count; i++) {
        const ProtobufCFieldDescriptor *field = table->columns[i].field;
        if (strlen(field->name) == size && memcmp(field->name, name, size) == 0) {
            varve__failure_add_field(field->id);
            return true;
        }
    }
    return false;
}

/* Adds the numbers of the fields that SQLite's message is about: it says "table.column" of each, but
 * of a CHECK the expression, in which our checks name their one column. */
static void
add_fields(const struct varve_record *table, enum varve_failure_kind kind, const char *message)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    bool done = false;
    for (const char *at = message; *at && !done; at++) {
        size_t size = strspn(at, letters);
        bool qualified = at > message && at[-1] == '.';
        if (size == 0 || (!qualified && kind != VARVE_FAILURE_CHECK))
            continue;
        done = add_field_named(table, at, size) && kind == VARVE_FAILURE_CHECK;
        at += size - 1;
    }
}

/* Whether it was for lack of permission that a file could not be opened. */
static bool
is_forbidden(sqlite3 *database)
{
    int error = database ? sqlite3_system_errno(database) : 0;
    return error == EACCES || error == EPERM || error == EROFS;
}

enum varve_status
varve__sqlite_fail(sqlite3 *database, int code, const struct varve_record *table, const char *what)
{
    int extended = database ? sqlite3_extended_errcode(database) : code;
    if ((extended & 0xFF) != (code & 0xFF))
        extended = code;
    const struct meaning *meaning = meaning_of(extended);
    if (meaning->code == SQLITE_CANTOPEN && is_forbidden(database))
        meaning = meaning_of(SQLITE_PERM);
    const char *message = database ? sqlite3_errmsg(database) : sqlite3_errstr(code);
    const char *name = table ? table->descriptor->name : NULL;
    enum varve_status status = varve__fail(
        meaning->status, meaning->kind, VARVE_TIER_TABLE, name, "%s%s%s: %s; %s", what,
        name ? " of " : "", name ? name : "", message, meaning->mend);
    if (table)
        add_fields(table, meaning->kind, message);
    if (database && sqlite3_system_errno(database) != 0 && status != VARVE_CONFLICT)
        varve__failure_set_errno(sqlite3_system_errno(database));
    return status;
}

enum varve_status
varve__sqlite_execute(sqlite3 *database, const char *sql)
{
    int code = sqlite3_exec(database, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? VARVE_OK : varve__sqlite_fail(database, code, NULL, "table tier");
}

enum varve_status
varve__sqlite_roll_back(sqlite3 *database, enum varve_status status)
{
    int code = SQLITE_OK;
    if (sqlite3_get_autocommit(database) == 0)
        code = sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
    if (status != VARVE_OK || code == SQLITE_OK)
        return status;
    return varve__sqlite_fail(database, code, NULL, "table tier");
}

/* Sessions read while one writes only in this mode. SQLite keeps the old one without an error where
 * the file system has no shared memory. */
enum varve_status
varve__sqlite_use_wal(sqlite3 *database, const char *path)
{
    enum varve_status status = VARVE_OK;
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database, "PRAGMA journal_mode = WAL", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    const char *mode = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    if (code != SQLITE_ROW)
        status = varve__sqlite_fail(database, code, NULL, path);
    else if (!mode || strcmp(mode, "wal") != 0)
        status = varve__fail(
            VARVE_IO, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
            "%s: the file system does not allow SQLite's WAL; put data_dir on a local disk", path);
    sqlite3_finalize(statement);
    return status;
}

/* SQLite opens a file for reading when it cannot for writing, for whatever reason. */
static enum varve_status
fail_not_writable(const char *path)
{
    if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0)
        return varve__fail(
            VARVE_READ_ONLY, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
            "%s: this user may not write to the file; make it writable, or open with read_only",
            path);
    return varve__fail(
        VARVE_IO, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "%s: the file could be opened only for reading; check that the process may open more files",
        path);
}

enum varve_status
varve__sqlite_open(const char *path, bool read_only, sqlite3 **database)
{
    int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    flags |= SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(path, database, flags, NULL);
    if (code == SQLITE_OK && (read_only || sqlite3_db_readonly(*database, "main") == 0))
        return VARVE_OK;
    enum varve_status status = code == SQLITE_OK ? fail_not_writable(path)
                                                 : varve__sqlite_fail(*database, code, NULL, path);
    sqlite3_close(*database);
    *database = NULL;
    return status;
}

enum varve_status
varve__sqlite_prepare(
    sqlite3 *database, const struct varve_record *table, const char *sql, sqlite3_stmt **statement)
{
    int code = sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
    return code == SQLITE_OK ? VARVE_OK : varve__sqlite_fail(database, code, table, "prepare");
}
