/* The copy from before a migration: none is ever written over, a start that fails over and over makes but one, and a
 * damaged database gets none. */
#include "migrate_support.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

static const struct trial_step first = {
    "0001_first", "CREATE TABLE animal (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT) STRICT;\n",
    false, false};

static const char fine[] = "ALTER TABLE animal ADD COLUMN legs INTEGER;";
static const char fails[] = "ALTER TABLE nowhere ADD COLUMN legs INTEGER;";
static const char names[] = "SELECT group_concat(name) FROM animal";

static const struct varve_schema *
state_of(struct trial_schema *made, const char *sql)
{
    struct trial_step steps[] = {first, {"0002_legs", sql, false, false}};
    trial_make(made, steps, sql ? 2 : 1);
    return &made->schema;
}

/* A database of the first version, with these animals, in place of any that is there. */
static void
fill(const struct trial *trial, const char *file, const char *animals)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    char path[100], sql[200];
    struct trial_schema made;
    struct varve_store *store;
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s%s", trial->folder, file, endings[i]);
        remove(path);
    }
    snprintf(path, sizeof path, "%s/%s", trial->folder, file);
    struct varve_config config = {.data_dir = trial->folder, .database_path = path};
    assert_int_equal(varve_open(state_of(&made, NULL), &config, &store, NULL), VARVE_OK);
    varve_close(store);
    snprintf(sql, sizeof sql, "INSERT INTO animal (name) VALUES %s RETURNING 1", animals);
    trial_query_file(trial, file, sql);
}

static void
migrate(const struct trial *trial, const char *file)
{
    char path[100];
    struct trial_schema made;
    struct varve_store *store;
    struct varve_error error;
    snprintf(path, sizeof path, "%s/%s", trial->folder, file);
    struct varve_config config = {.data_dir = trial->folder, .database_path = path};
    if (varve_open(state_of(&made, fine), &config, &store, &error) != VARVE_OK)
        fail_msg("%s", error.message);
    varve_close(store);
}

static int
count_files(const struct trial *trial)
{
    char path[100];
    int count = 0;
    snprintf(path, sizeof path, "%s/backup", trial->folder);
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    if (folder)
        closedir(folder);
    return count;
}

static void
expect_backup(const struct trial *trial, const char *file, const char *animals)
{
    char path[100];
    snprintf(path, sizeof path, "backup/%s", file);
    assert_string_equal(trial_query_file(trial, path, names), animals);
}

static void
test_a_backup_is_not_written_over(void **state)
{
    fill(*state, "varve.db", "('stork')");
    migrate(*state, "varve.db");
    fill(*state, "varve.db", "('lynx'), ('owl')"); /* somebody began anew */
    migrate(*state, "varve.db");
    fill(*state, "varve.db", "('heron')");
    migrate(*state, "varve.db");
    expect_backup(*state, "before-0002_legs-zoo.db", "stork");
    expect_backup(*state, "before-0002_legs-zoo-2.db", "lynx,owl");
    expect_backup(*state, "before-0002_legs-zoo-3.db", "heron");
    assert_int_equal(count_files(*state), 3);
}

static void
test_databases_that_share_a_folder_have_backups_of_their_own(void **state)
{
    fill(*state, "north.db", "('stork')");
    fill(*state, "south.db", "('lynx')");
    migrate(*state, "north.db");
    migrate(*state, "south.db");
    expect_backup(*state, "before-0002_legs-zoo.db", "stork");
    expect_backup(*state, "before-0002_legs-zoo-2.db", "lynx");
}

static void
test_starts_that_fail_make_one_backup(void **state)
{
    struct trial_schema made;
    struct varve_config config = {0};
    fill(*state, "varve.db", "('stork')");
    for (int i = 0; i < 4; i++)
        trial_refuse(
            *state, state_of(&made, fails), config, VARVE_SCHEMA, "no such table: nowhere");
    assert_int_equal(count_files(*state), 1);
    migrate(*state, "varve.db");
    assert_int_equal(count_files(*state), 1);
    expect_backup(*state, "before-0002_legs-zoo.db", "stork");
}

static void
test_a_folder_of_an_odd_name_has_backups_too(void **state)
{
    const struct trial *trial = *state;
    struct trial odd;
    struct trial_schema made;
    snprintf(odd.folder, sizeof odd.folder, "%.40s/a b?c#d%%20", trial->folder);
    trial_open(&odd, state_of(&made, NULL));
    trial_execute(&odd, "INSERT INTO animal (name) VALUES ('stork')");
    trial_open(&odd, state_of(&made, fine));
    expect_backup(&odd, "before-0002_legs-zoo.db", "stork");
    assert_int_equal(count_files(&odd), 1);
}

static void
test_a_damaged_database_gets_no_backup_and_stays(void **state)
{
    char path[100], junk[4096];
    struct trial *trial = *state;
    struct trial_schema made;
    struct varve_config config = {0};
    fill(trial, "varve.db", "(hex(zeroblob(3000))), (hex(zeroblob(3000)))");
    trial_execute(trial, "CREATE TABLE mine (word TEXT); INSERT INTO mine VALUES ('kept')");
    int page = 0;
    sscanf(
        trial_query(trial, "SELECT rootpage FROM sqlite_schema WHERE name = 'mine'"), "%d", &page);
    trial_query(trial, "PRAGMA wal_checkpoint(TRUNCATE)");
    memset(junk, 0x5a, sizeof junk);
    snprintf(path, sizeof path, "%s/varve.db", trial->folder);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    fseek(file, (long)(page - 1) * 4096, SEEK_SET);
    assert_int_equal(fwrite(junk, 1, sizeof junk, file), sizeof junk);
    fclose(file);
    trial_refuse(
        trial, state_of(&made, fine), config, VARVE_CORRUPT,
        "is damaged, as the copy that was made of it before the migration shows");
    assert_int_equal(count_files(trial), 0);
    assert_string_equal(trial_query(trial, "SELECT count(*) FROM varve_migration"), "1");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TRIAL_TEST(test_a_backup_is_not_written_over),
        TRIAL_TEST(test_databases_that_share_a_folder_have_backups_of_their_own),
        TRIAL_TEST(test_starts_that_fail_make_one_backup),
        TRIAL_TEST(test_a_folder_of_an_odd_name_has_backups_too),
        TRIAL_TEST(test_a_damaged_database_gets_no_backup_and_stays),
    };
    return cmocka_run_group_tests_name("migrate_backup", tests, NULL, NULL);
}
