#define _DEFAULT_SOURCE /* mkdtemp, nftw */
#define _XOPEN_SOURCE 700

#include "migrate_support.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
trial_set_up(void **state)
{
    struct trial *trial = calloc(1, sizeof *trial);
    snprintf(trial->folder, sizeof trial->folder, "/tmp/varve-test-XXXXXX");
    if (!mkdtemp(trial->folder))
        return -1;
    *state = trial;
    return 0;
}

static int
remove_entry(const char *path, const struct stat *entry, int kind, struct FTW *place)
{
    (void)entry;
    (void)kind;
    (void)place;
    return remove(path);
}

int
trial_tear_down(void **state)
{
    struct trial *trial = *state;
    int result = nftw(trial->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(trial);
    return result;
}

/* A number that follows from the text, as long as a SHA-256. */
static void
write_checksum(const char *text, char checksum[65])
{
    uint64_t hash = 14695981039346656037u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    snprintf(
        checksum, 65, "%016llx%016llx%016llx%016llx", (unsigned long long)hash,
        (unsigned long long)hash, (unsigned long long)hash, (unsigned long long)hash);
}

void
trial_attach(
    struct trial_schema *made,
    const struct varve_schema *schema,
    const struct trial_step *steps,
    size_t count)
{
    made->schema = *schema;
    made->schema.migrations = made->migrations;
    made->schema.migration_count = count;
    for (size_t i = 0; i < count; i++) {
        made->texts[i] = steps[i].sql;
        write_checksum(steps[i].sql, made->checksums[i]);
        made->migrations[i] = (struct varve_migration){
            .number = (uint32_t)i + 1,
            .name = steps[i].name,
            .sql = &made->texts[i],
            .sql_count = 1,
            .checksum = made->checksums[i],
            .reads_ok = steps[i].reads_ok,
            .writes_ok = steps[i].writes_ok,
        };
    }
}

void
trial_make(struct trial_schema *made, const struct trial_step *steps, size_t count)
{
    static const char *const lock[] = {"message zoo.Animal table=animal"};
    static const uint8_t descriptor_set[] = {10, 0};
    const struct varve_schema schema = {
        .abi = VARVE_ABI,
        .package = "zoo",
        .lock = lock,
        .lock_count = 1,
        .descriptor_set = descriptor_set,
        .descriptor_set_size = sizeof descriptor_set,
    };
    trial_attach(made, &schema, steps, count);
}

void
trial_open(const struct trial *trial, const struct varve_schema *schema)
{
    struct varve_config config = {.data_dir = trial->folder};
    struct varve_store *store;
    struct varve_error error;
    if (varve_open(schema, &config, &store, &error) != VARVE_OK)
        fail_msg("%s", error.message);
    varve_close(store);
}

void
trial_refuse(
    const struct trial *trial,
    const struct varve_schema *schema,
    struct varve_config config,
    enum varve_status status,
    const char *words)
{
    struct varve_store *store;
    struct varve_error error;
    config.data_dir = trial->folder;
    enum varve_status got = varve_open(schema, &config, &store, &error);
    if (got != status || !strstr(error.message, words))
        fail_msg("%s: \"%s\" does not say \"%s\"", varve_status_name(got), error.message, words);
    assert_null(store);
}

static sqlite3 *
open_file(const struct trial *trial, const char *file)
{
    char path[160];
    sqlite3 *database;
    snprintf(path, sizeof path, "%s/%s", trial->folder, file);
    assert_int_equal(sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    return database;
}

void
trial_execute(const struct trial *trial, const char *sql)
{
    char *message = NULL;
    sqlite3 *database = open_file(trial, "varve.db");
    if (sqlite3_exec(database, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(database);
}

const char *
trial_query_file(const struct trial *trial, const char *file, const char *sql)
{
    static char text[400];
    sqlite3_stmt *statement;
    sqlite3 *database = open_file(trial, file);
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
    int code = sqlite3_step(statement);
    const char *value = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : "";
    snprintf(text, sizeof text, "%s", value ? value : "NULL");
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return text;
}

const char *
trial_query(const struct trial *trial, const char *sql)
{
    return trial_query_file(trial, "varve.db", sql);
}
