/* migrate: applies the migrations that a store does not have yet, or says which they are. */
#include <sqlite3.h>
#include <string.h>

#include "ctl.h"
#include "json.h"
#include "progress.h"

enum {
    PATH_SIZE = 4096
};

/* What a database has of a package, and what it lacks. */
struct package {
    const struct varve_schema *schema;
    size_t applied;
    bool known; /* what it has is what the program has */
};

struct migrate {
    struct varvectl *ctl;
    struct varvectl_json json;
    struct package *packages;
    size_t pending_count;
    bool found;      /* there is a database */
    bool old_system; /* varve's own tables are to be moved */
};

/* -------------------------------------------------------------------- what the database has */

static sqlite3 *
open_database(const struct varve_config *config)
{
    char path[PATH_SIZE];
    sqlite3 *database = NULL;
    if (config->database_path)
        snprintf(path, sizeof path, "%s", config->database_path);
    else
        snprintf(path, sizeof path, "%s/varve.db", config->data_dir);
    if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK)
        return database;
    sqlite3_close(database);
    return NULL;
}

static bool
is_step(const struct varve_schema *schema, sqlite3_stmt *row)
{
    sqlite3_int64 number = sqlite3_column_int64(row, 0);
    const char *checksum = (const char *)sqlite3_column_text(row, 1);
    return number >= 1 && number <= (sqlite3_int64)schema->migration_count && checksum &&
           strcmp(checksum, schema->migrations[number - 1].checksum) == 0;
}

/* A package that the database has none of has no pending migrations: its tables are made. */
static void
read_package(sqlite3 *database, struct package *package)
{
    sqlite3_stmt *statement = NULL;
    const struct varve_schema *schema = package->schema;
    package->known = sqlite3_prepare_v2(
                         database,
                         "SELECT number, checksum FROM varve_migration WHERE package = ?1 ORDER BY "
                         "number",
                         -1, &statement, NULL) == SQLITE_OK;
    sqlite3_bind_text(statement, 1, schema->package, -1, SQLITE_STATIC);
    while (package->known && sqlite3_step(statement) == SQLITE_ROW) {
        package->known = is_step(schema, statement);
        package->applied++;
    }
    sqlite3_finalize(statement);
}

static size_t
pending_count(const struct package *package)
{
    bool some = package->known && package->applied > 0;
    return some ? package->schema->migration_count - package->applied : 0;
}

static bool
is_old(sqlite3 *database)
{
    static const char sql[] = "SELECT count(*) FROM sqlite_schema WHERE name = 'varve_schema' AND "
                              "(SELECT user_version FROM pragma_user_version) = 0";
    sqlite3_stmt *statement = NULL;
    bool old = sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK &&
               sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_int(statement, 0) > 0;
    sqlite3_finalize(statement);
    return old;
}

/* What is wrong with the database, opening it tells; here it has then nothing pending. */
static void
read_pending(struct migrate *migrate)
{
    sqlite3 *database = open_database(&migrate->ctl->config);
    for (size_t i = 0; i < varvectl_schema_count; i++) {
        migrate->packages[i] = (struct package){.schema = varvectl_schemas[i]};
        if (database)
            read_package(database, &migrate->packages[i]);
        migrate->pending_count += pending_count(&migrate->packages[i]);
    }
    migrate->found = database != NULL;
    migrate->old_system = database && is_old(database);
    sqlite3_close(database);
}

/* -------------------------------------------------------------------- what is said */

static bool
is_comment(const char *line)
{
    return strncmp(line, "-- ", 3) == 0;
}

/* Calls `print` with each comment of the migration but its head, which is the first block of lines. */
static void
each_comment(
    struct migrate *migrate,
    const struct varve_migration *migration,
    void (*print)(struct migrate *migrate, const char *text))
{
    size_t i = 0;
    while (i < migration->sql_count && is_comment(migration->sql[i]))
        i++;
    for (; i < migration->sql_count; i++) {
        if (is_comment(migration->sql[i]))
            print(migrate, migration->sql[i] + 3);
    }
}

static void
print_comment(struct migrate *migrate, const char *text)
{
    (void)migrate;
    fputs("    ", stdout);
    varvectl_print_line(stdout, text);
    putchar('\n');
}

static void
print_comment_json(struct migrate *migrate, const char *text)
{
    varvectl_json_text(&migrate->json, NULL, text);
}

static void
print_step(struct migrate *migrate, const char *package, const struct varve_migration *migration)
{
    if (!migrate->ctl->json) {
        printf("%s  %s.sql\n", package, migration->name);
        each_comment(migrate, migration, print_comment);
        return;
    }
    varvectl_json_open(&migrate->json, NULL, '{');
    varvectl_json_text(&migrate->json, "package", package);
    varvectl_json_text(&migrate->json, "name", migration->name);
    varvectl_json_bool(&migrate->json, "reads_ok", migration->reads_ok);
    varvectl_json_bool(&migrate->json, "writes_ok", migration->writes_ok);
    varvectl_json_open(&migrate->json, "comments", '[');
    each_comment(migrate, migration, print_comment_json);
    varvectl_json_close(&migrate->json, ']');
    varvectl_json_close(&migrate->json, '}');
}

static void
print_steps(struct migrate *migrate)
{
    for (size_t i = 0; i < varvectl_schema_count; i++) {
        const struct package *package = &migrate->packages[i];
        size_t count = pending_count(package);
        for (size_t j = 0; j < count; j++)
            print_step(
                migrate, package->schema->package,
                &package->schema->migrations[package->applied + j]);
    }
}

/* One object, or the files and a line about all of them. */
static void
report(struct migrate *migrate, bool applied)
{
    struct varvectl_json *json = &migrate->json;
    const char *done = applied ? "applied" : "to be applied";
    if (migrate->ctl->json) {
        varvectl_json_open(json, NULL, '{');
        varvectl_json_bool(json, "system_tables", migrate->old_system);
        varvectl_json_open(json, applied ? "applied" : "pending", '[');
    }
    print_steps(migrate);
    if (migrate->ctl->json) {
        varvectl_json_close(json, ']');
        varvectl_json_close(json, '}');
        putchar('\n');
    } else {
        if (migrate->old_system)
            printf("varve's own tables %s\n", applied ? "moved" : "are to be moved");
        printf(
            "%zu migration%s %s\n", migrate->pending_count, migrate->pending_count == 1 ? "" : "s",
            done);
    }
}

/* -------------------------------------------------------------------- the command */

/* Before each statement, on a terminal: a line that the next one takes the place of. */
static void
show(void *context, const char *file, const char *what, size_t done, size_t total)
{
    (void)context;
    fprintf(stderr, "\r\033[K%zu of %zu  %s: ", done + 1, total, file);
    varvectl_print_line(stderr, what);
    fflush(stderr);
}

static enum varvectl_exit
dry_run(struct migrate *migrate)
{
    struct varve_error error;
    migrate->ctl->config.read_only = true;
    enum varve_status status = varvectl_open(migrate->ctl, &error);
    bool pending = migrate->pending_count > 0 || migrate->old_system;
    if (status != VARVE_OK && !(pending && status == VARVE_SCHEMA))
        return varvectl_fail("%s", error.message);
    report(migrate, false);
    return pending ? VARVECTL_FINDINGS : VARVECTL_FINE;
}

static enum varvectl_exit
apply(struct migrate *migrate)
{
    struct varve_error error;
    migrate->ctl->config.migrate = 0; /* whatever the environment says: that is what is asked for */
    migrate->ctl->config.read_only = !migrate->found; /* none is made here */
    if (varvectl_progress_possible())
        migrate->ctl->config.migration_progress = show;
    enum varve_status status = varvectl_open(migrate->ctl, &error);
    if (migrate->ctl->config.migration_progress)
        fputs("\r\033[K", stderr);
    if (status != VARVE_OK)
        return varvectl_fail("%s", error.message);
    report(migrate, true);
    return VARVECTL_FINE;
}

enum varvectl_exit
varvectl_migrate(struct varvectl *ctl)
{
    struct migrate migrate = {.ctl = ctl, .json = {.file = stdout}};
    migrate.packages = sqlite3_malloc64(varvectl_schema_count * sizeof *migrate.packages);
    if (!migrate.packages)
        return varvectl_fail("there is no memory");
    read_pending(&migrate);
    enum varvectl_exit result = ctl->dry_run ? dry_run(&migrate) : apply(&migrate);
    sqlite3_free(migrate.packages);
    return result;
}
