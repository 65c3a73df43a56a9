/* Backups: a copy in one step, under a temporary name until it is on disk. */
#include "table/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "table/sqlite.h"
#include "table/system.h"

/* -------------------------------------------------------------------- whether */

static enum varve_status
has_rows(sqlite3 *database, const char *table, bool *has)
{
    sqlite3_stmt *statement = NULL;
    char *sql = sqlite3_mprintf("SELECT 1 FROM \"%w\" LIMIT 1", table);
    if (!sql)
        return varve__fail_memory(NULL, 0);
    enum varve_status status = varve__sqlite_prepare(database, NULL, sql, &statement);
    sqlite3_free(sql);
    if (status != VARVE_OK)
        return status;
    int code = sqlite3_step(statement);
    *has = code == SQLITE_ROW;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        status = varve__sqlite_fail(database, code, NULL, "reading before the backup");
    sqlite3_finalize(statement);
    return status;
}

enum varve_status
varve__backup_is_due(sqlite3 *database, bool *due)
{
    sqlite3_stmt *tables = NULL;
    *due = false;
    enum varve_status status = varve__sqlite_prepare(
        database, NULL,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' "
        "ESCAPE '\\' AND sql NOT LIKE 'CREATE VIRTUAL%'",
        &tables);
    if (status != VARVE_OK)
        return status;
    int code = SQLITE_DONE;
    while (status == VARVE_OK && !*due && (code = sqlite3_step(tables)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(tables, 0);
        if (name && !varve__system_has(name))
            status = has_rows(database, name, due);
    }
    if (status == VARVE_OK && !*due && code != SQLITE_DONE)
        status = varve__sqlite_fail(database, code, NULL, "reading before the backup");
    sqlite3_finalize(tables);
    return status;
}

/* -------------------------------------------------------------------- files */

static enum varve_status
fail_file(const char *what, const char *path)
{
    int error = errno;
    enum varve_status status = VARVE_IO;
    if (error == EACCES || error == EROFS || error == EPERM)
        status = VARVE_READ_ONLY;
    else if (error == ENOSPC || error == EDQUOT)
        status = VARVE_FULL;
    status = varve__fail(
        status, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "the backup before the migration: cannot %s %s: %s; nothing was changed: mend that, or "
        "turn the backup off with migration_backup = -1",
        what, path, strerror(error));
    varve__failure_set_errno(error);
    return status;
}

/* Brings a file, or a folder's entries, to disk. */
static enum varve_status
sync_path(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return fail_file("open", path);
    enum varve_status status = fsync(file) == 0 ? VARVE_OK : fail_file("write", path);
    close(file);
    return status;
}

/* SQLite's failure with what it was for. */
static enum varve_status
fail_copy(sqlite3 *database, int code, const char *path)
{
    enum varve_status status = varve__sqlite_fail(database, code, NULL, "backup");
    return varve__fail(
        status, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "the backup before the migration, %s: %s; nothing was changed: mend that, or turn the "
        "backup off with migration_backup = -1",
        path, database ? sqlite3_errmsg(database) : sqlite3_errstr(code));
}

/* One step: a backup in several begins anew whenever somebody writes. */
static enum varve_status
copy_database(sqlite3 *source, const char *to)
{
    sqlite3 *target = NULL;
    int code = sqlite3_open_v2(
        to, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXRESCODE, NULL);
    if (code == SQLITE_OK) /* a copy that is cut short is thrown away */
        code = sqlite3_exec(
            target, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL, NULL);
    sqlite3_backup *backup =
        code == SQLITE_OK ? sqlite3_backup_init(target, "main", source, "main") : NULL;
    if (backup) {
        sqlite3_backup_step(backup, -1);
        code = sqlite3_backup_finish(backup);
    } else if (code == SQLITE_OK) {
        code = sqlite3_errcode(target);
    }
    enum varve_status status = code == SQLITE_OK ? VARVE_OK : fail_copy(target, code, to);
    code = sqlite3_close(target);
    return status == VARVE_OK && code != SQLITE_OK ? fail_copy(NULL, code, to) : status;
}

static enum varve_status
make_empty(const char *path)
{
    int file = open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0)
        return fail_file("make", path);
    close(file);
    return VARVE_OK;
}

/* Copies to `temporary`, and renames that to `path` when it is on disk. */
static enum varve_status
copy_to(const char *source, const char *folder, const char *temporary, const char *path)
{
    sqlite3 *database = NULL;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return fail_file("make", folder);
    enum varve_status status = make_empty(temporary);
    if (status == VARVE_OK)
        status = varve__sqlite_open(source, true, &database);
    if (status == VARVE_OK)
        status = copy_database(database, temporary);
    sqlite3_close(database);
    if (status == VARVE_OK)
        status = sync_path(temporary);
    if (status == VARVE_OK && rename(temporary, path) != 0)
        status = fail_file("make", path);
    if (status == VARVE_OK)
        status = sync_path(folder);
    if (status != VARVE_OK)
        unlink(temporary);
    return status;
}

enum varve_status
varve__backup_make(const char *path, const char *folder, const char *name)
{
    char *into = sqlite3_mprintf("%s/backup", folder);
    char *copy = sqlite3_mprintf("%s/backup/%s.db", folder, name);
    char *temporary = sqlite3_mprintf("%s/backup/%s.tmp", folder, name);
    enum varve_status status = VARVE_OK;
    if (!into || !copy || !temporary)
        status = varve__fail_memory(NULL, 0);
    if (status == VARVE_OK)
        status = copy_to(path, into, temporary, copy);
    if (status == VARVE_OK)
        status = sync_path(folder); /* its entry for backup/ */
    sqlite3_free(into);
    sqlite3_free(copy);
    sqlite3_free(temporary);
    return status;
}
