/* Migrations when memory runs out, at any allocation of varve's or of SQLite's: the old version or the new
 * one, whole, and the next opening finishes it. */
#define _DEFAULT_SOURCE

#include "migrate_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "zoo.varve.h"

enum {
    TRIALS = 120,
    FILE_MAX = 1 << 20,
};

static const char *zoo_old; /* a program of the schema's first version */

/* -------------------------------------------------------------------- memory */

static size_t allocations; /* since counting began */
static size_t fail_at;     /* number of the one that fails; 0: none */

static bool
fails(void)
{
    return ++allocations == fail_at;
}

static void *
allocate(void *context, size_t size)
{
    (void)context;
    return fails() ? NULL : malloc(size);
}

static void
release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static sqlite3_mem_methods usual;

static void *
allocate_for_sqlite(int size)
{
    return fails() ? NULL : usual.xMalloc(size);
}

static void *
grow_for_sqlite(void *memory, int size)
{
    return fails() ? NULL : usual.xRealloc(memory, size);
}

static int
take_over_memory(void)
{
    static const struct varve_allocator allocator = {.allocate = allocate, .release = release};
    sqlite3_mem_methods methods;
    varve_set_allocator(&allocator);
    int code = sqlite3_config(SQLITE_CONFIG_GETMALLOC, &usual);
    methods = usual;
    methods.xMalloc = allocate_for_sqlite;
    methods.xRealloc = grow_for_sqlite;
    return code == SQLITE_OK ? sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) : code;
}

/* -------------------------------------------------------------------- the database of before */

struct image {
    size_t size;
    char data[FILE_MAX];
};

static void
path_of(const struct trial *trial, const char *name, char path[120])
{
    snprintf(path, 120, "%s/%s", trial->folder, name);
}

static void
take_image(const struct trial *trial, struct image *image)
{
    char path[120];
    path_of(trial, "varve.db", path);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    image->size = fread(image->data, 1, FILE_MAX, file);
    assert_true(image->size > 0 && image->size < FILE_MAX);
    fclose(file);
}

static void
put_image(const struct trial *trial, const struct image *image)
{
    char path[120];
    path_of(trial, "varve.db-wal", path);
    unlink(path);
    path_of(trial, "varve.db-shm", path);
    unlink(path);
    path_of(trial, "varve.db", path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(image->data, 1, image->size, file), image->size);
    fclose(file);
}

/* -------------------------------------------------------------------- trials */

static enum varve_status
open_with_failure(const struct trial *trial, size_t at)
{
    struct varve_config config = {.data_dir = trial->folder};
    struct varve_store *store;
    struct varve_error error;
    allocations = 0;
    fail_at = at;
    enum varve_status status = varve_open(&zoo_schema, &config, &store, &error);
    fail_at = 0;
    if (status != VARVE_OK)
        assert_null(store);
    varve_close(store);
    if (status != VARVE_OK && status != VARVE_NO_MEMORY && status != VARVE_UNKNOWN_OUTCOME)
        fail_msg("allocation %zu: %s: %s", at, varve_status_name(status), error.message);
    return status;
}

/* The database is as before, or as after. */
static void
expect_whole(const struct trial *trial, enum varve_status status, size_t at)
{
    bool migrated = strcmp(trial_query(trial, "SELECT count(*) FROM varve_migration"), "2") == 0;
    if (status == VARVE_NO_MEMORY && migrated) /* after the commit: the last look failed */
        migrated = strcmp(trial_query(trial, "SELECT generation FROM varve_generation"), "2") == 0;
    const char *sql = migrated ? "SELECT group_concat(title || weight) FROM animal"
                               : "SELECT group_concat(name || id) FROM animal";
    const char *expected = migrated ? "stork12,lynx12" : "lynx2,stork1";
    const char *found = trial_query(trial, sql);
    if (strcmp(found, expected) != 0 || (status == VARVE_OK && !migrated))
        fail_msg("allocation %zu: \"%s\" after %s", at, found, varve_status_name(status));
    trial_open(trial, &zoo_schema);
    assert_string_equal(
        trial_query(trial, "SELECT place_json FROM animal"), "{\"house\":\"aviary\",\"shelf\":2}");
}

static void
test_memory_that_runs_out_leaves_a_whole_database(void **state)
{
    static struct image image;
    char command[200];
    size_t refused = 0;
    struct trial *trial = *state;
    snprintf(command, sizeof command, "'%s' '%s' fill", zoo_old, trial->folder);
    assert_int_equal(system(command), 0);
    take_image(trial, &image);
    assert_int_equal(open_with_failure(trial, 0), VARVE_OK);
    size_t all = allocations;
    assert_true(all > TRIALS);
    for (size_t i = 0; i < TRIALS; i++) {
        size_t at = 1 + i * all / TRIALS;
        put_image(trial, &image);
        enum varve_status status = open_with_failure(trial, at);
        refused += status != VARVE_OK;
        expect_whole(trial, status, at);
    }
    assert_true(refused > TRIALS / 2); /* SQLite does without some */
}

int
main(int argc, char **argv)
{
    if (argc != 2 || take_over_memory() != SQLITE_OK)
        return 100;
    zoo_old = argv[1];
    const struct CMUnitTest tests[] = {
        TRIAL_TEST(test_memory_that_runs_out_leaves_a_whole_database),
    };
    return cmocka_run_group_tests_name("migrate memory", tests, NULL, NULL);
}
