/* Reading migrations from their files. */
#include "migrate/migrations.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bench.h"
#include "common/folder.h"

static char *
read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        bench_fail("%s cannot be read", path);
    long size = ftell(file);
    char *text = calloc((size_t)size + 1, 1);
    rewind(file);
    if (size < 0 || !text || fread(text, 1, (size_t)size, file) != (size_t)size)
        bench_fail("%s cannot be read", path);
    fclose(file);
    return text;
}

/* Cuts a text into its lines, in place. */
static const char **
split(char *text, size_t *count)
{
    size_t lines = 1;
    for (const char *at = text; *at; at++)
        lines += *at == '\n';
    const char **found = calloc(lines, sizeof *found);
    if (!found)
        bench_fail("no memory");
    *count = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        found[(*count)++] = line;
    return found;
}

static char *
name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = strdup(slash ? slash + 1 : path);
    if (!name)
        bench_fail("no memory");
    name[strcspn(name, ".")] = '\0';
    return name;
}

void
migrations_read(const char *folder, struct migrations *migrations)
{
    glob_t found;
    char *pattern = bench_folder_path(folder, "0*.sql");
    if (glob(pattern, 0, NULL, &found) != 0 || found.gl_pathc > MIGRATIONS_MAX)
        bench_fail("%s: no migrations, or too many", pattern);
    migrations->count = found.gl_pathc;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct varve_migration *row = &migrations->rows[i];
        *row = (struct varve_migration){.number = (uint32_t)i + 1, .checksum = "none"};
        row->name = name_of(found.gl_pathv[i]);
        row->sql = split(read_file(found.gl_pathv[i]), &row->sql_count);
    }
    globfree(&found);
    free(pattern);
}

void
migrations_release(struct migrations *migrations)
{
    for (size_t i = 0; i < migrations->count; i++) {
        struct varve_migration *row = &migrations->rows[i];
        free((char *)(uintptr_t)row->name);
        free((char *)(uintptr_t)row->sql[0]); /* the text of all lines begins with the first */
        free((void *)(uintptr_t)row->sql);
    }
}

struct varve_schema
migrations_schema(const struct migrations *migrations, size_t count)
{
    return (struct varve_schema){
        .abi = VARVE_ABI,
        .package = "lab",
        .descriptor_set = (const uint8_t *)"",
        .migrations = migrations->rows,
        .migration_count = count,
    };
}
