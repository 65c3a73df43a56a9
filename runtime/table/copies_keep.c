/* What a program enters when it opens: that it keeps copies, of which tables, and which file they are of. */
#define _GNU_SOURCE /* statx */

#include "table/copies.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "table/connection.h"
#include "table/sqlite.h"
#include "table/system.h"
#include "table/transaction.h"

enum {
    FILE_SIZE = 128 /* of the text that tells files apart */
};

/* Whether that text differs but in the boot, behind its blank. */
#define SAME_FILE "substr(file, 1, instr(file, ' ')) = substr(?1, 1, instr(?1, ' '))"

static enum varve_status
fail(struct varve__connection *connection, int code)
{
    return varve__connection_fail(connection, code, NULL, "entering what is copied");
}

/* Of the machine's present run; "" when it is not told. */
static void
read_boot(char *text, size_t size)
{
    text[0] = '\0';
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (!file)
        return;
    if (!fgets(text, (int)size, file))
        text[0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    fclose(file);
}

/* Device, inode and birth of the database's file, and the boot of the machine. A copy is another file, and
 * where a file system gives a number again the birth is another. After a boot the database may have lost what
 * was committed last, unless durability is full, and a server elsewhere not. Where any of these changes for
 * other reasons the copies are but made anew. */
static enum varve_status
name_file(struct varve__connection *connection, char text[FILE_SIZE])
{
    char boot[40];
    struct statx file = {0};
    const char *path = sqlite3_db_filename(connection->database, "main");
    if (!path || statx(AT_FDCWD, path, 0, STATX_INO | STATX_BTIME, &file) != 0)
        return varve__fail(
            VARVE_IO, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
            "the database file %s cannot be looked at; was it moved while a program had it open?",
            path ? path : "");
    read_boot(boot, sizeof boot);
    snprintf(
        text, FILE_SIZE, "%x:%x:%llx:%llx.%x %s", file.stx_dev_major, file.stx_dev_minor,
        (unsigned long long)file.stx_ino, (unsigned long long)file.stx_btime.tv_sec,
        file.stx_btime.tv_nsec, boot);
    return VARVE_OK;
}

/* Steps a statement with two texts, NULL where there is none, and ends it. *row: whether it gave a row. */
static enum varve_status
run(struct varve__connection *connection,
    const char *sql,
    struct varve__cache_text first,
    struct varve__cache_text second,
    bool *row)
{
    sqlite3_stmt *statement;
    enum varve_status status = varve__sqlite_prepare(connection->database, NULL, sql, &statement);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_text(statement, 1, first.text, (int)first.size, SQLITE_STATIC);
    if (sqlite3_bind_parameter_count(statement) > 1)
        sqlite3_bind_text(statement, 2, second.text, (int)second.size, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    *row = code == SQLITE_ROW;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        status = fail(connection, code);
    sqlite3_finalize(statement);
    return status;
}

static struct varve__cache_text
text_of(const char *text)
{
    return (struct varve__cache_text){text, strlen(text)};
}

/* Where the keys of copies of this table begin; no text when it has none. */
static struct varve__cache_text
prefix_of(const struct varve__copies *copies, const struct varve__plan *plan)
{
    const struct varve_cache *cache = plan->record->cache;
    if (!cache || cache->mode != VARVE_CACHE_READ_THROUGH)
        return (struct varve__cache_text){NULL, 0};
    return varve__space_of(copies->spaces, plan->record)->prefix;
}

/* *differs: whether a table of the program's is entered with another prefix, or is not as it should be. */
static enum varve_status
compare(struct varve__connection *connection, bool *differs)
{
    const struct varve__plans *plans = connection->plans;
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < plans->count && status == VARVE_OK && !*differs; i++) {
        const struct varve__plan *plan = &plans->plans[i];
        struct varve__cache_text prefix = prefix_of(&connection->copies, plan);
        const char *sql = prefix.text ? "SELECT 1 FROM varve_copied WHERE name = ?1 AND prefix = ?2"
                                      : "SELECT 1 FROM varve_copied WHERE name = ?1";
        bool row = false;
        status = run(connection, sql, text_of(plan->record->table->name), prefix, &row);
        *differs = row != (prefix.text != NULL);
    }
    return status;
}

/* Enters the program's tables; what was entered of them goes, since its copies are kept by other keys, or not at
 * all. A running program that knows it will see that, and use its copies no more. */
static enum varve_status
enter_tables(struct varve__connection *connection)
{
    bool row;
    const struct varve__plans *plans = connection->plans;
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < plans->count && status == VARVE_OK; i++) {
        const struct varve__plan *plan = &plans->plans[i];
        struct varve__cache_text name = text_of(plan->record->table->name);
        struct varve__cache_text prefix = prefix_of(&connection->copies, plan);
        status = run(connection, "DELETE FROM varve_copied WHERE name = ?1", name, prefix, &row);
        if (status == VARVE_OK && prefix.text)
            status =
                run(connection, "INSERT INTO varve_copied VALUES (?1, ?2)", name, prefix, &row);
    }
    return status;
}

enum varve_status
varve__copies_compare_file(struct varve__connection *connection, bool *same)
{
    char file[FILE_SIZE];
    *same = false;
    enum varve_status status = name_file(connection, file);
    if (status != VARVE_OK)
        return status;
    return run(
        connection, "SELECT 1 FROM varve_copies WHERE file = ?1", text_of(file), text_of(""), same);
}

/* A file that is another gets an identity; one that was there before the boot an epoch that no other has. */
static enum varve_status
enter_file(struct varve__connection *connection)
{
    bool row;
    char file[FILE_SIZE];
    enum varve_status status = name_file(connection, file);
    if (status != VARVE_OK)
        return status;
    return run(
        connection,
        "UPDATE varve_copies SET file = ?1, "
        "folder = CASE WHEN " SAME_FILE " THEN folder ELSE randomblob(8) END, "
        "epoch = CASE WHEN " SAME_FILE " THEN random() & 0xfffffffffffff ELSE epoch END",
        text_of(file), text_of(""), &row);
}

static enum varve_status
look(struct varve__connection *connection, bool *tables_differ, bool *same_file)
{
    *tables_differ = *same_file = false;
    enum varve_status status = compare(connection, tables_differ);
    return status == VARVE_OK ? varve__copies_compare_file(connection, same_file) : status;
}

/* In the transaction: what others have entered meanwhile is left as it is. Running programs take it over with
 * the generation. */
static enum varve_status
enter(struct varve__connection *connection)
{
    bool tables_differ;
    bool same_file;
    enum varve_status status = look(connection, &tables_differ, &same_file);
    if (status == VARVE_OK && tables_differ)
        status = enter_tables(connection);
    if (status == VARVE_OK && !same_file)
        status = enter_file(connection);
    if (status == VARVE_OK && (tables_differ || !same_file))
        status = varve__system_raise(connection->database);
    return status;
}

enum varve_status
varve__copies_keep(struct varve__connection *connection)
{
    bool tables_differ;
    bool same_file;
    enum varve_status status = varve__guard_prepared(connection);
    if (status != VARVE_OK || connection->read_only || connection->guard.newer.found)
        return status;
    status = look(connection, &tables_differ, &same_file);
    if (status != VARVE_OK || (!tables_differ && same_file))
        return status;
    status = varve__write_begin(connection, VARVE__WRITE_SEVERAL);
    if (status != VARVE_OK)
        return status;
    return varve__write_end(connection, VARVE__WRITE_SEVERAL, enter(connection));
}
