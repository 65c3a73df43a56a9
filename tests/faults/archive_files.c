#define _XOPEN_SOURCE 700 /* lstat */

#include "archive_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "judge.h"

enum {
    PATH_SIZE = 4096
};

static int
expect_no_row(void *context, int count, char **values, char **names)
{
    (void)count;
    (void)names;
    wrong(context, values[0]);
}

void
expect_datasets(sqlite3 *database)
{
    static char lacking[] = "a row names a dataset that the catalog lacks";
    if (sqlite3_exec(
            database,
            "SELECT dataset FROM (SELECT dataset FROM varve_staged_tape UNION ALL "
            "SELECT dataset FROM varve_staged_picture) "
            "WHERE dataset > 0 AND dataset NOT IN (SELECT id FROM varve_dataset)",
            expect_no_row, lacking, NULL))
        wrong("the database", sqlite3_errmsg(database));
}

/* The size by which the catalog knows a file; -1: it does not. */
static long long
size_of(sqlite3 *database, const char *file)
{
    sqlite3_stmt *statement;
    long long size = -1;
    if (sqlite3_prepare_v2(
            database, "SELECT size FROM varve_segment WHERE file = ?1", -1, &statement, NULL))
        wrong("the catalog", sqlite3_errmsg(database));
    sqlite3_bind_text(statement, 1, file, -1, SQLITE_STATIC);
    if (sqlite3_step(statement) == SQLITE_ROW)
        size = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return size;
}

static int
count_folder(sqlite3 *database, const char *archive, const char *message)
{
    char path[PATH_SIZE];
    const struct dirent *entry;
    int count = 0;
    snprintf(path, sizeof path, "%s/%s", archive, message);
    DIR *folder = opendir(path);
    while (folder && (entry = readdir(folder))) {
        struct stat file;
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s/%s", archive, message, entry->d_name);
        if (lstat(path, &file) != 0)
            wrong(path, strerror(errno));
        if (size_of(database, path + strlen(archive) + 1) != file.st_size)
            wrong(path, "is no segment of the catalog, or has another size");
        count++;
    }
    if (folder)
        closedir(folder);
    return count;
}

static int
take_number(void *context, int count, char **values, char **names)
{
    (void)count;
    (void)names;
    return sscanf(values[0], "%d", (int *)context) != 1;
}

void
expect_files(sqlite3 *database, const char *folder)
{
    char archive[PATH_SIZE / 2], text[100];
    const struct dirent *entry;
    int files = 0, segments = -1, dropped = -1;
    snprintf(archive, sizeof archive, "%s/archive", folder);
    DIR *messages = opendir(archive);
    while (messages && (entry = readdir(messages)))
        files += entry->d_name[0] != '.' ? count_folder(database, archive, entry->d_name) : 0;
    if (messages)
        closedir(messages);
    if (sqlite3_exec(
            database, "SELECT count(*) FROM varve_segment", take_number, &segments, NULL) ||
        sqlite3_exec(database, "SELECT count(*) FROM varve_dropped", take_number, &dropped, NULL))
        wrong("the catalog", sqlite3_errmsg(database));
    snprintf(
        text, sizeof text, "%d files, %d segments, %d waiting to be deleted", files, segments,
        dropped);
    if (files != segments || dropped != 0)
        wrong("the archive", text);
}
