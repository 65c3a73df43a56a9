/* status: versions, sizes, and how many records of each message there are. */
#include <inttypes.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "ctl.h"
#include "json.h"

enum {
    /* Sizes of tables are found by reading every page: not for databases larger than this. */
    MEASURED_BYTES_MAX = 256 * 1024 * 1024
};

struct status {
    struct varvectl *ctl;
    struct varvectl_json json;
    const char *database;
    int64_t database_bytes;
    int64_t wal_bytes;
};

static int64_t
file_size(const char *path)
{
    struct stat found;
    return path && stat(path, &found) == 0 ? (int64_t)found.st_size : 0;
}

/* Bytes of a table with its indexes and side tables; -1: not known, or not without long reading. */
static int64_t
table_size(const struct status *status, const char *table)
{
    static const char sql[] =
        "SELECT sum(pgsize) FROM dbstat WHERE aggregate = TRUE AND name IN"
        " (SELECT s.name FROM sqlite_schema AS s WHERE s.tbl_name = ?1 OR s.tbl_name GLOB 'varve_*'"
        "   AND EXISTS (SELECT 1 FROM pragma_foreign_key_list(s.tbl_name) WHERE \"table\" = ?1))";
    int64_t size = -1;
    sqlite3_stmt *statement = NULL;
    sqlite3 *database = varve_session_sqlite(status->ctl->session);
    if (status->database_bytes > MEASURED_BYTES_MAX ||
        sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK)
        return size; /* the second: an SQLite without dbstat */
    sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
    if (sqlite3_step(statement) == SQLITE_ROW)
        size = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return size;
}

static void
print_record_json(
    struct varvectl_json *json, const struct varve_record *record, int64_t count, int64_t size)
{
    varvectl_json_open(json, NULL, '{');
    varvectl_json_text(json, "record", record->descriptor->name);
    varvectl_json_text(json, "table", record->table->name);
    varvectl_json_integer(json, "count", count);
    if (size < 0)
        varvectl_json_text(json, "size_bytes", NULL);
    else
        varvectl_json_integer(json, "size_bytes", size);
    varvectl_json_close(json, '}');
}

static enum varvectl_exit
print_record(void *context, const struct varve_record *record)
{
    struct status *status = context;
    int64_t count;
    char text[32];
    if (varve_record_count(status->ctl->session, record, NULL, &count) != VARVE_OK)
        return varvectl_fail("%s", varve_session_error(status->ctl->session));
    int64_t size = table_size(status, record->table->name);
    if (status->ctl->json)
        print_record_json(&status->json, record, count, size);
    else
        printf(
            "%-40s %12" PRId64 " %12s\n", record->descriptor->name, count,
            size < 0 ? "?" : varvectl_size_text(size, text));
    return VARVECTL_FINE;
}

static void
begin_json(struct status *status)
{
    struct varvectl_json *json = &status->json;
    varvectl_json_open(json, NULL, '{');
    varvectl_json_text(json, "varve", VARVE_VERSION);
    varvectl_json_text(json, "sqlite", sqlite3_libversion());
    varvectl_json_open(json, "schemas", '[');
    for (size_t i = 0; i < varvectl_schema_count; i++)
        varvectl_json_text(json, NULL, varvectl_schemas[i]->package);
    varvectl_json_close(json, ']');
    varvectl_json_text(json, "database", status->database);
    varvectl_json_integer(json, "database_bytes", status->database_bytes);
    varvectl_json_integer(json, "wal_bytes", status->wal_bytes);
    varvectl_json_open(json, "records", '[');
}

static void
begin_text(const struct status *status)
{
    char text[32];
    printf("database  %s\n", status->database);
    printf("size      %s", varvectl_size_text(status->database_bytes, text));
    printf(", write-ahead log %s\n", varvectl_size_text(status->wal_bytes, text));
    printf("versions  varve %s, SQLite %s\n", VARVE_VERSION, sqlite3_libversion());
    printf("schemas   ");
    for (size_t i = 0; i < varvectl_schema_count; i++)
        printf("%s%s", i > 0 ? ", " : "", varvectl_schemas[i]->package);
    printf("\n\n%-40s %12s %12s\n", "record", "count", "size");
}

enum varvectl_exit
varvectl_status(struct varvectl *ctl)
{
    struct status status = {.ctl = ctl, .json = {.file = stdout}};
    struct varve_error error;
    if (varvectl_open(ctl, &error) != VARVE_OK)
        return varvectl_fail("%s", error.message);
    status.database = sqlite3_db_filename(varve_session_sqlite(ctl->session), "main");
    status.database_bytes = file_size(status.database);
    status.wal_bytes = file_size(sqlite3_filename_wal(status.database));
    if (ctl->json)
        begin_json(&status);
    else
        begin_text(&status);
    enum varvectl_exit result = varvectl_each_table(print_record, &status);
    if (ctl->json) {
        varvectl_json_close(&status.json, ']');
        varvectl_json_close(&status.json, '}');
        putchar('\n');
    }
    return result;
}
