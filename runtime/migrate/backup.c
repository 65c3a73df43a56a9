/* Backups: a copy in one step, under a temporary name until it is on disk. */
#include "migrate/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "table/sqlite.h"
#include "table/system.h"

enum {
    COMPARED = 8192 /* bytes of two files at a time */
};

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
        path,
        database && sqlite3_errcode(database) == code ? sqlite3_errmsg(database)
                                                      : sqlite3_errstr(code));
}

/* The file as a URI that has SQLite read it alone, and make no files beside it. NULL without memory. */
static char *
immutable_uri(const char *path)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-";
    sqlite3_str *uri = sqlite3_str_new(NULL);
    sqlite3_str_appendall(uri, *path == '/' ? "file://" : "file:");
    for (; *path; path++) {
        if (strchr(plain, *path))
            sqlite3_str_appendchar(uri, 1, *path);
        else
            sqlite3_str_appendf(uri, "%%%02X", (unsigned char)*path);
    }
    sqlite3_str_appendall(uri, "?immutable=1");
    return sqlite3_str_finish(uri);
}

static enum varve_status
fail_damaged(const char *source, const char *words)
{
    return varve__fail(
        VARVE_CORRUPT, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "%s is damaged, as the copy that was made of it before the migration shows: %s; nothing "
        "was "
        "changed: restore an older backup, or save what can be read with sqlite3's .recover",
        source, words);
}

/* SQLite's code for what its check found. It also tells of a page that it could not read, for want of
 * memory, say: "Page 12: unable to get the page. error code=7". */
static int
code_of_finding(const char *words)
{
    static const char label[] = "error code=";
    const char *code = strstr(words, label);
    return code ? (int)strtol(code + strlen(label), NULL, 10) : SQLITE_CORRUPT;
}

/* SQLite's own look at all of the copy. */
static enum varve_status
check_open_copy(sqlite3 *copy, const char *source, const char *to)
{
    sqlite3_stmt *statement = NULL;
    enum varve_status status = VARVE_OK;
    int code = sqlite3_prepare_v2(copy, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    const char *words = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    int primary = code & 0xFF;
    if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB)
        status = fail_damaged(source, sqlite3_errmsg(copy));
    else if (!words)
        status = fail_copy(copy, code == SQLITE_ROW ? SQLITE_NOMEM : code, to);
    else if (strcmp(words, "ok") != 0)
        status = (code_of_finding(words) & 0xFF) == SQLITE_CORRUPT
                     ? fail_damaged(source, words)
                     : fail_copy(copy, code_of_finding(words), to);
    sqlite3_finalize(statement);
    return status;
}

static enum varve_status
check_copy(const char *source, const char *to)
{
    sqlite3 *copy = NULL;
    char *uri = immutable_uri(to);
    if (!uri)
        return varve__fail_memory(NULL, 0);
    int flags =
        SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(uri, &copy, flags, NULL);
    enum varve_status status =
        code == SQLITE_OK ? check_open_copy(copy, source, to) : fail_copy(copy, code, to);
    /* What SQLite finds may be that it had no memory for a page, and it does not always say so. */
    if (status == VARVE_CORRUPT)
        status = check_open_copy(copy, source, to);
    sqlite3_close(copy);
    sqlite3_free(uri);
    return status;
}

/* One step: a backup in several begins anew whenever somebody writes. */
static enum varve_status
copy_database(sqlite3 *source, const char *to)
{
    sqlite3 *target = NULL;
    enum varve_status status = varve__sqlite_open(to, false, &target);
    if (status != VARVE_OK)
        return status;
    /* A copy that is cut short is thrown away. */
    int code = sqlite3_exec(
        target, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL, NULL);
    sqlite3_backup *backup =
        code == SQLITE_OK ? sqlite3_backup_init(target, "main", source, "main") : NULL;
    if (backup) {
        sqlite3_backup_step(backup, -1);
        code = sqlite3_backup_finish(backup);
    } else if (code == SQLITE_OK) {
        code = sqlite3_errcode(target);
    }
    status = code == SQLITE_OK ? VARVE_OK : fail_copy(target, code, to);
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

/* Copies to `temporary`, whole and on disk. */
static enum varve_status
copy_to(const char *source, const char *temporary)
{
    sqlite3 *database = NULL;
    enum varve_status status = make_empty(temporary);
    if (status == VARVE_OK)
        status = varve__sqlite_open(source, true, &database);
    if (status == VARVE_OK)
        status = copy_database(database, temporary);
    sqlite3_close(database);
    if (status == VARVE_OK)
        status = check_copy(source, temporary);
    return status == VARVE_OK ? sync_path(temporary) : status;
}

/* -------------------------------------------------------------------- names */

/* Whether two files are the same to the byte, as far as they can be read. */
static bool
is_same(const char *a, const char *b)
{
    char of_a[COMPARED], of_b[COMPARED];
    size_t size = 0;
    FILE *file_a = fopen(a, "re");
    FILE *file_b = fopen(b, "re");
    bool same = file_a && file_b;
    do {
        if (!same)
            break;
        size = fread(of_a, 1, sizeof of_a, file_a);
        same = fread(of_b, 1, sizeof of_b, file_b) == size && memcmp(of_a, of_b, size) == 0;
    } while (size > 0);
    same = same && !ferror(file_a) && !ferror(file_b);
    if (file_a)
        fclose(file_a);
    if (file_b)
        fclose(file_b);
    return same;
}

/* Gives the copy the first name that is free: a backup is never written over. One that holds the very same serves
 * again, so that a program which is started over and over, and fails, does not fill the disk. */
static enum varve_status
give_name(const char *folder, const char *temporary, const char *name, char **made)
{
    for (int number = 1;; number++) {
        struct stat entry;
        char *path = number == 1 ? sqlite3_mprintf("%s/%s.db", folder, name)
                                 : sqlite3_mprintf("%s/%s-%d.db", folder, name, number);
        *made = path;
        if (!path)
            return varve__fail_memory(NULL, 0);
        if (lstat(path, &entry) == 0) {
            if (!is_same(path, temporary)) {
                sqlite3_free(path);
                *made = NULL;
                continue;
            }
            return unlink(temporary) == 0 ? VARVE_OK : fail_file("remove", temporary);
        }
        if (errno != ENOENT)
            return fail_file("look at", path);
        return rename(temporary, path) == 0 ? VARVE_OK : fail_file("make", path);
    }
}

/* The same for several stores' programs, which may have their databases in one data_dir: one looks for a name at a
 * time. The lock ends with the file. */
static enum varve_status
give_name_alone(const char *folder, const char *temporary, const char *name, char **made)
{
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return fail_file("open", folder);
    int result;
    do {
        result = flock(file, LOCK_EX);
    } while (result != 0 && errno == EINTR);
    enum varve_status status =
        result == 0 ? give_name(folder, temporary, name, made) : fail_file("lock", folder);
    close(file);
    return status == VARVE_OK ? sync_path(folder) : status;
}

static enum varve_status
make_in(const char *source, const char *folder, const char *name, char **made)
{
    struct stat entry;
    if (stat(source, &entry) != 0)
        return fail_file("look at", source);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return fail_file("make", folder);
    /* The database's own: while it is migrated nobody else does, and what a crash has left is written over. */
    char *temporary = sqlite3_mprintf(
        "%s/%s.tmp-%llx-%llx", folder, name, (unsigned long long)entry.st_dev,
        (unsigned long long)entry.st_ino);
    if (!temporary)
        return varve__fail_memory(NULL, 0);
    enum varve_status status = copy_to(source, temporary);
    if (status == VARVE_OK)
        status = give_name_alone(folder, temporary, name, made);
    if (status != VARVE_OK)
        unlink(temporary);
    sqlite3_free(temporary);
    return status;
}

enum varve_status
varve__backup_make(const char *path, const char *folder, const char *name, char **made)
{
    char *into = sqlite3_mprintf("%s/backup", folder);
    *made = NULL;
    enum varve_status status = into ? make_in(path, into, name, made) : varve__fail_memory(NULL, 0);
    if (status == VARVE_OK)
        status = sync_path(folder); /* its entry for backup/ */
    sqlite3_free(into);
    if (status != VARVE_OK) {
        sqlite3_free(*made);
        *made = NULL;
    }
    return status;
}
