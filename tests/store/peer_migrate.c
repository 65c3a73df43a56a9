/* A folder of migrations, applied by the runtime: the counterpart of codegen/varve_migrate/replay.py for
 * tests/migrate/test_runtime.py.
 *
 *     peer_migrate DATA_DIR FOLDER COUNT
 *
 * opens the store as a program would whose schema has the first COUNT migrations of the folder, and no
 * records: what the tables are, only the migrations know. It prints how many statements were run, and ends
 * with 0, or says what failed and ends with its status. 100: the files could not be read.
 */
#define _XOPEN_SOURCE 700

#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <varve/varve.h>

enum {
    UNREADABLE = 100,
    NAME_SIZE = 64
};

/* What a row of the schema points to. */
struct file {
    char *text; /* cut into lines */
    const char **lines;
    size_t count;
    char name[NAME_SIZE]; /* without .sql */
    char checksum[17];
};

struct folder {
    struct file *files;
    struct varve_migration *rows;
    size_t count;
    const char *package;
};

static _Noreturn void
fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    puts("");
    exit(UNREADABLE);
}

static void *
allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory)
        fail("no memory");
    return memory;
}

/* -------------------------------------------------------------------- a file */

static char *
read_text(const char *path)
{
    FILE *stream = fopen(path, "rb");
    if (!stream || fseek(stream, 0, SEEK_END) != 0)
        fail("%s cannot be read", path);
    long size = ftell(stream);
    rewind(stream);
    char *text = allocate((size_t)size + 1, 1);
    if (size < 0 || fread(text, 1, (size_t)size, stream) != (size_t)size)
        fail("%s cannot be read", path);
    fclose(stream);
    return text;
}

/* A number that follows from the text; the runtime only compares it. */
static void
write_checksum(const char *text, char checksum[17])
{
    uint64_t hash = 14695981039346656037u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    snprintf(checksum, 17, "%016llx", (unsigned long long)hash);
}

/* Cuts the text into its lines, in place. The generator leaves out the lock's, and so does this. */
static void
cut(struct file *file)
{
    size_t room = 1;
    for (const char *at = file->text; *at; at++)
        room += *at == '\n';
    file->lines = allocate(room, sizeof *file->lines);
    for (char *line = file->text; *line;) {
        char *end = line + strcspn(line, "\n");
        char *next = end + (*end == '\n');
        *end = '\0';
        if (strncmp(line, "-- lock ", 8) != 0)
            file->lines[file->count++] = line;
        line = next;
    }
}

/* What the head says of `key`, which ends with ": "; NULL: nothing. */
static const char *
head(const struct file *file, const char *key)
{
    size_t size = strlen(key);
    for (size_t i = 0; i < file->count && strncmp(file->lines[i], "-- ", 3) == 0; i++) {
        if (strncmp(file->lines[i] + 3, key, size) == 0)
            return file->lines[i] + 3 + size;
    }
    return NULL;
}

static bool
head_is_yes(const struct file *file, const char *key)
{
    const char *value = head(file, key);
    if (!value || (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0))
        fail("%s: the head must say %syes or no", file->name, key);
    return strcmp(value, "yes") == 0;
}

static void
read_file(const char *path, struct file *file, struct varve_migration *row)
{
    const char *slash = strrchr(path, '/');
    snprintf(file->name, sizeof file->name, "%s", slash ? slash + 1 : path);
    file->name[strcspn(file->name, ".")] = '\0';
    file->text = read_text(path);
    write_checksum(file->text, file->checksum);
    cut(file);
    *row = (struct varve_migration){
        .number = (uint32_t)strtoul(file->name, NULL, 10),
        .name = file->name,
        .sql = file->lines,
        .sql_count = file->count,
        .checksum = file->checksum,
        .reads_ok = head_is_yes(file, "reads_ok: "),
        .writes_ok = head_is_yes(file, "writes_ok: "),
    };
}

/* -------------------------------------------------------------------- the folder */

static void
read_folder(const char *path, size_t count, struct folder *folder)
{
    char pattern[4096];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/[0-9]*.sql", path);
    if (glob(pattern, 0, NULL, &found) != 0 || count == 0 || count > found.gl_pathc)
        fail("%s has no %zu migrations", path, count);
    folder->count = count;
    folder->files = allocate(count, sizeof *folder->files);
    folder->rows = allocate(count, sizeof *folder->rows);
    for (size_t i = 0; i < count; i++)
        read_file(found.gl_pathv[i], &folder->files[i], &folder->rows[i]);
    globfree(&found);
    folder->package = head(&folder->files[0], "package: ");
    if (!folder->package)
        fail("%s: the head does not say its package", folder->files[0].name);
}

static void
release(struct folder *folder)
{
    for (size_t i = 0; i < folder->count; i++) {
        free(folder->files[i].text);
        free((void *)(uintptr_t)folder->files[i].lines);
    }
    free(folder->files);
    free(folder->rows);
}

/* -------------------------------------------------------------------- opening */

static void
note_total(void *context, const char *file, const char *what, size_t done, size_t total)
{
    size_t *statements = context;
    (void)file;
    (void)what;
    (void)done;
    *statements = total;
}

static enum varve_status
open_and_close(const char *data_dir, const struct folder *folder, size_t *statements)
{
    struct varve_store *store;
    struct varve_error error;
    const struct varve_schema schema = {
        .abi = VARVE_ABI,
        .package = folder->package,
        .descriptor_set = (const uint8_t *)"",
        .migrations = folder->rows,
        .migration_count = folder->count,
    };
    struct varve_config config = {
        .data_dir = data_dir,
        .migration_backup = -1,
        .migration_progress = note_total,
        .migration_progress_context = statements,
    };
    enum varve_status status = varve_open(&schema, &config, &store, &error);
    if (status == VARVE_OK)
        varve_close(store);
    else
        puts(error.message);
    return status;
}

int
main(int argc, char **argv)
{
    struct folder folder = {0};
    size_t statements = 0;
    if (argc != 4)
        fail("usage: peer_migrate DATA_DIR FOLDER COUNT");
    read_folder(argv[2], strtoul(argv[3], NULL, 10), &folder);
    enum varve_status status = open_and_close(argv[1], &folder, &statements);
    if (status == VARVE_OK)
        printf("%zu\n", statements);
    release(&folder);
    return (int)status;
}
