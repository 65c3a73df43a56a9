/* The half of verify that SQLite does. */
#include <sqlite3.h>
#include <string.h>

#include "keys.h"
#include "verify.h"

enum {
    BUSY_TIMEOUT_MS = 5000,
    STEP_INSTRUCTIONS = 10000, /* of SQLite's, between two steps of the progress */
};

static sqlite3 *
database_of(const struct varvectl_verify *verify)
{
    return varve_session_sqlite(verify->ctl->session);
}

/* Reports the lines of one answer of integrity_check, which has several for damaged pages. */
static void
report_lines(struct varvectl_verify *verify, const char *text)
{
    while (*text) {
        char line[VARVECTL_FINDING_SIZE];
        size_t length = strcspn(text, "\n");
        snprintf(line, sizeof line, "%.*s", (int)length, text);
        if (*line && strncmp(line, "***", 3) != 0) /* a heading */
            varvectl_report(verify, NULL, NULL, line);
        text += length;
        text += *text == '\n';
    }
}

/* A connection that can write and is told not to: of a read-only one SQLite leaves out the CHECK
 * constraints. NULL when there is none. */
static sqlite3 *
open_checking(const struct varvectl_verify *verify)
{
    const char *path = sqlite3_db_filename(database_of(verify), "main");
    sqlite3 *database = NULL;
    if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
        sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) == SQLITE_OK &&
        sqlite3_busy_timeout(database, BUSY_TIMEOUT_MS) == SQLITE_OK &&
        sqlite3_exec(database, "PRAGMA query_only = ON", NULL, NULL, NULL) == SQLITE_OK)
        return database;
    sqlite3_close(database);
    return NULL;
}

/* SQLite calls it every now and then. 0: go on. */
static int
step(void *progress)
{
    varvectl_progress_step(progress);
    return 0;
}

void
varvectl_check_integrity(struct varvectl_verify *verify)
{
    sqlite3_stmt *statement = NULL;
    sqlite3 *own = open_checking(verify);
    sqlite3 *database = own ? own : database_of(verify);
    varvectl_progress_begin(&verify->progress, "integrity_check", 0);
    if (own) /* of the session's connection the runtime may have set it */
        sqlite3_progress_handler(own, STEP_INSTRUCTIONS, step, &verify->progress);
    int code = sqlite3_prepare_v2(database, "PRAGMA integrity_check", -1, &statement, NULL);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
        const char *text =
            code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
        if (text && strcmp(text, "ok") != 0)
            report_lines(verify, text);
    }
    if (code != SQLITE_DONE)
        varvectl_report(verify, NULL, NULL, sqlite3_errmsg(database));
    varvectl_progress_clear(&verify->progress);
    sqlite3_finalize(statement);
    sqlite3_close(own);
}

struct table_search {
    const char *table;
    const struct varve_record *found;
};

static enum varvectl_exit
match_table(void *context, const struct varve_record *record)
{
    struct table_search *search = context;
    if (sqlite3_stricmp(record->table->name, search->table) == 0)
        search->found = record;
    return VARVECTL_FINE;
}

/* The text of the key in row `rowid`, "" when it cannot be read. */
static void
read_key_text(
    const struct varvectl_verify *verify,
    const struct varve_record *record,
    int64_t rowid,
    char text[VARVECTL_KEY_TEXT_SIZE])
{
    sqlite3_stmt *row;
    text[0] = '\0';
    if (varvectl_key_select(database_of(verify), record, "WHERE rowid = ?1", &row) == SQLITE_OK) {
        sqlite3_bind_int64(row, 1, rowid);
        if (sqlite3_step(row) == SQLITE_ROW)
            varvectl_key_text(record, row, text);
    }
    sqlite3_finalize(row);
}

/* Columns of a row: table, rowid, parent, column. */
static void
report_reference(struct varvectl_verify *verify, sqlite3_stmt *row)
{
    char key[VARVECTL_KEY_TEXT_SIZE] = "";
    char text[VARVECTL_FINDING_SIZE];
    struct table_search search = {.table = (const char *)sqlite3_column_text(row, 0)};
    varvectl_each_table(match_table, &search);
    if (search.found)
        read_key_text(verify, search.found, sqlite3_column_int64(row, 1), key);
    snprintf(
        text, sizeof text, "%s refers to a record of table %s that is not there",
        sqlite3_column_text(row, 3), sqlite3_column_text(row, 2));
    varvectl_report(
        verify, search.found ? search.found->descriptor->name : search.table, *key ? key : NULL,
        text);
}

void
varvectl_check_references(struct varvectl_verify *verify)
{
    static const char sql[] =
        "SELECT f.\"table\", f.rowid, f.parent, l.\"from\" FROM pragma_foreign_key_check AS f"
        " JOIN pragma_foreign_key_list(f.\"table\") AS l ON l.id = f.fkid AND l.seq = 0";
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database_of(verify), sql, -1, &statement, NULL);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW)
            report_reference(verify, statement);
    }
    if (code != SQLITE_DONE)
        varvectl_report(verify, NULL, NULL, sqlite3_errmsg(database_of(verify)));
    sqlite3_finalize(statement);
}
