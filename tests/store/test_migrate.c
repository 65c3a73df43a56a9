/* Migrations at opening: what is applied, what is refused, and that a failure leaves everything as it was. */
#include "migrate_support.h"

#include <stdio.h>
#include <string.h>

static const struct trial_step steps[] = {
    {"0001_first",
     "-- 0001_first: written by `varve migrate new`.\n"
     "-- package: zoo\n"
     "\n"
     "-- zoo.Animal: new.\n"
     "CREATE TABLE \"animal\" (\"id\" INTEGER PRIMARY KEY AUTOINCREMENT, \"name\" TEXT NOT NULL) "
     "STRICT;\n"
     "CREATE INDEX \"animal.2\" ON \"animal\" (\"name\");\n",
     false, false},
    {"0002_title",
     "-- 0002_title: written by `varve migrate new`.\n"
     "\n"
     "-- zoo.Animal: field 2 is renamed\n"
     "-- from name to title.\n"
     "ALTER TABLE \"animal\" RENAME COLUMN \"name\" TO \"title\";\n",
     false, false},
    {"0003_legs",
     "-- zoo.Animal: field 3 legs is new.\n"
     "ALTER TABLE \"animal\" ADD COLUMN \"legs\" INTEGER NOT NULL DEFAULT 4;\n"
     "UPDATE \"animal\" SET \"legs\" = 2 WHERE \"title\" = 'stork';\n",
     true, true},
};

/* The schema with the first `count` steps, and one that is other than they say. */
static const struct varve_schema *
version(struct trial_schema *made, size_t count)
{
    trial_make(made, steps, count);
    return &made->schema;
}

static const struct varve_schema *
version_with(struct trial_schema *made, size_t count, const char *last_sql)
{
    struct trial_step changed[TRIAL_STEPS];
    memcpy(changed, steps, sizeof steps);
    changed[count - 1] = (struct trial_step){"0003_other", last_sql, false, false};
    if (count == 2)
        changed[1].name = "0002_other";
    trial_make(made, changed, count);
    return &made->schema;
}

/* A database of version 1 with two animals. */
static void
fill(const struct trial *trial)
{
    struct trial_schema made;
    trial_open(trial, version(&made, 1));
    trial_execute(trial, "INSERT INTO animal (name) VALUES ('stork'), ('lynx')");
}

#define EXPECT(trial, sql, text) assert_string_equal(trial_query(trial, sql), text)

static const char dump[] =
    "SELECT group_concat(sql || (SELECT group_concat(quote(name)) FROM animal), ';') FROM "
    "sqlite_schema";

/* -------------------------------------------------------------------- applying */

static void
test_a_new_database_replays_all(void **state)
{
    struct trial_schema made;
    trial_open(*state, version(&made, 3));
    EXPECT(*state, "SELECT group_concat(name) FROM pragma_table_info('animal')", "id,title,legs");
    EXPECT(
        *state,
        "SELECT group_concat(package || number || name || reads_ok || writes_ok) FROM "
        "varve_migration",
        "zoo10001_first00,zoo20002_title00,zoo30003_legs11");
    EXPECT(*state, "SELECT lock FROM varve_schema", "message zoo.Animal table=animal");
    EXPECT(*state, "SELECT generation FROM varve_generation", "1");
    EXPECT(*state, "PRAGMA user_version", "4");
    EXPECT(*state, "SELECT applied_at > 1600000000000000000 FROM varve_migration", "1");
}

static void
test_an_old_database_gets_the_steps_that_it_lacks(void **state)
{
    struct trial_schema made;
    fill(*state);
    trial_open(*state, version(&made, 3));
    EXPECT(*state, "SELECT group_concat(title || legs) FROM animal", "stork2,lynx4");
    EXPECT(*state, "SELECT count(*) FROM varve_migration", "3");
    EXPECT(*state, "SELECT generation FROM varve_generation", "2");
    EXPECT(*state, "SELECT seq FROM sqlite_sequence", "2");
    trial_open(*state, version(&made, 3));
    EXPECT(*state, "SELECT generation FROM varve_generation", "2");
}

struct seen {
    size_t calls;
    size_t done;
    size_t total;
    char text[400];
};

static void
note_progress(void *context, const char *file, const char *what, size_t done, size_t total)
{
    struct seen *seen = context;
    size_t length = strlen(seen->text);
    assert_int_equal(done, seen->calls);
    seen->calls++;
    seen->done = done;
    seen->total = total;
    snprintf(seen->text + length, sizeof seen->text - length, "%s: %s\n", file, what);
}

static void
test_progress_names_each_statement(void **state)
{
    struct trial_schema made;
    struct trial *trial = *state;
    struct seen seen = {0};
    struct varve_config config = {
        .data_dir = trial->folder,
        .migration_progress = note_progress,
        .migration_progress_context = &seen};
    struct varve_store *store;
    fill(trial);
    assert_int_equal(varve_open(version(&made, 3), &config, &store, NULL), VARVE_OK);
    varve_close(store);
    assert_int_equal(seen.calls, 3);
    assert_int_equal(seen.total, 3);
    assert_string_equal(
        seen.text, "0002_title: zoo.Animal: field 2 is renamed from name to title.\n"
                   "0003_legs: zoo.Animal: field 3 legs is new.\n"
                   "0003_legs: zoo.Animal: field 3 legs is new.\n");
}

static void
test_statements_with_semicolons_in_them_are_whole(void **state)
{
    struct trial_schema made;
    fill(*state);
    trial_open(
        *state, version_with(
                    &made, 2,
                    "INSERT INTO animal (name) VALUES ('a;b'); ; -- one; two\n"
                    "/* ; */ CREATE TRIGGER shout AFTER INSERT ON animal BEGIN\n"
                    "  UPDATE animal SET name = upper(name) WHERE id = new.id; SELECT 1;\n"
                    "END;\n"
                    "INSERT INTO animal (name) VALUES ('owl')"));
    EXPECT(*state, "SELECT group_concat(name) FROM animal", "stork,lynx,a;b,OWL");
}

/* -------------------------------------------------------------------- refusing */

static void
test_history_that_was_edited_is_refused(void **state)
{
    struct trial_schema made;
    struct trial_step edited[3];
    struct varve_config config = {0};
    trial_open(*state, version(&made, 2));
    memcpy(edited, steps, sizeof steps);
    edited[1].sql = "ALTER TABLE animal RENAME COLUMN name TO heading;";
    trial_make(&made, edited, 3);
    trial_refuse(
        *state, &made.schema, config, VARVE_SCHEMA,
        "package zoo: the migration 0002_title.sql of this program is not the one that the "
        "database has "
        "applied; what is applied is history: take the file from version control again");
    edited[1] = steps[1];
    edited[1].name = "0002_heading";
    trial_make(&made, edited, 3);
    trial_refuse(
        *state, &made.schema, config, VARVE_SCHEMA, "0002_heading.sql of this program is not");
    EXPECT(*state, "SELECT count(*) FROM varve_migration", "2");
    trial_execute(*state, "DELETE FROM varve_migration WHERE number = 1");
    trial_refuse(
        *state, version(&made, 3), config, VARVE_SCHEMA,
        "package zoo: the database notes migration 2 where 1 is next");
}

static void
test_a_newer_database_is_refused_by_name_unless_it_suits(void **state)
{
    struct trial_schema made;
    struct varve_config config = {0};
    trial_open(*state, version(&made, 3));
    trial_open(*state, version(&made, 2)); /* 0003 is reads_ok and writes_ok */
    trial_refuse(
        *state, version(&made, 1), config, VARVE_SCHEMA,
        "the database is newer than this program: it has the migration 0002_title of package zoo");
    EXPECT(*state, "SELECT count(*) FROM varve_migration", "3");
}

static void
test_the_configuration_can_refuse(void **state)
{
    struct trial_schema made;
    struct varve_config refuse = {.migrate = -1};
    struct varve_config read_only = {.read_only = true};
    struct varve_config odd = {.migrate = 1};
    fill(*state);
    trial_refuse(
        *state, version(&made, 3), refuse, VARVE_SCHEMA,
        "the configuration refuses that (migrate = -1): 0002_title.sql, 0003_legs.sql; back up");
    trial_refuse(
        *state, version(&made, 3), read_only, VARVE_SCHEMA,
        "opened with read_only: 0002_title.sql, 0003_legs.sql; open it without once");
    trial_refuse(*state, version(&made, 3), odd, VARVE_MISUSE, "config.migrate is 1");
    EXPECT(*state, "SELECT count(*) FROM varve_migration", "1");
    trial_open(*state, version(&made, 3));
}

static void
test_a_new_database_is_made_whatever_the_configuration(void **state)
{
    struct trial_schema made;
    struct trial *trial = *state;
    struct varve_config config = {.data_dir = trial->folder, .migrate = -1};
    struct varve_store *store;
    assert_int_equal(varve_open(version(&made, 3), &config, &store, NULL), VARVE_OK);
    varve_close(store);
    EXPECT(trial, "SELECT count(*) FROM varve_migration", "3");
}

/* -------------------------------------------------------------------- failing */

/* This last step fails so, and the database is as it was. */
static void
expect_failure(
    const struct trial *trial, const char *sql, enum varve_status status, const char *words)
{
    char before[400];
    struct trial_schema made;
    struct varve_config config = {0};
    snprintf(before, sizeof before, "%s", trial_query(trial, dump));
    trial_refuse(trial, version_with(&made, 3, sql), config, status, words);
    EXPECT(trial, dump, before);
    EXPECT(trial, "SELECT count(*) FROM varve_migration", "1");
}

static void
test_a_statement_that_fails_leaves_the_old_version(void **state)
{
    fill(*state);
    expect_failure(
        *state, "-- why\nSELECT 1;\nALTER TABLE gone ADD COLUMN x INTEGER;\n", VARVE_SCHEMA,
        "the migration 0003_other.sql of package zoo failed in statement 2, \"ALTER TABLE gone ADD "
        "COLUMN "
        "x INTEGER;\": no such table: gone; nothing was changed: mend");
    expect_failure(
        *state, "INSERT INTO animal VALUES (1, 'again');", VARVE_CONFLICT,
        "UNIQUE constraint failed: animal.id");
    expect_failure(*state, "INSERT INTO animal VALUES (9, NULL);", VARVE_INVALID, "NOT NULL");
    expect_failure(
        *state, "SELECT varve_assert(count(*) = 3, 'there are three animals') FROM animal;",
        VARVE_SCHEMA,
        "in statement 1, \"SELECT varve_assert(count(*) = 3, 'there are three animals') FROM "
        "animal;\": "
        "there are three animals");
    expect_failure(*state, "SELECT \"animal;", VARVE_SCHEMA, "unrecognized token");
}

static void
test_an_assertion_that_holds_is_no_failure(void **state)
{
    struct trial_schema made;
    fill(*state);
    trial_open(
        *state,
        version_with(&made, 2, "SELECT varve_assert(count(*) = 2, 'two animals') FROM animal;"));
}

static void
test_statements_that_leave_the_transaction_are_refused(void **state)
{
    fill(*state);
    expect_failure(
        *state, "DELETE FROM animal; COMMIT; SELECT 1;", VARVE_SCHEMA,
        "in statement 2, \"COMMIT;\": all migrations are one transaction, which no statement may "
        "begin or end; nothing was changed: take the statement out");
    expect_failure(*state, "ROLLBACK;", VARVE_SCHEMA, "all migrations are one transaction");
    expect_failure(
        *state, "ATTACH ':memory:' AS other;", VARVE_SCHEMA, "a migration is of one database");
}

static void
test_references_that_lead_nowhere_are_refused(void **state)
{
    static const char makes_herd[] =
        "CREATE TABLE herd (id INTEGER PRIMARY KEY, animal INTEGER REFERENCES animal (id)) STRICT;";
    char sql[300];
    fill(*state);
    snprintf(sql, sizeof sql, "%s INSERT INTO herd VALUES (7, 99);", makes_herd);
    expect_failure(
        *state, sql, VARVE_CONFLICT,
        "after the migrations row 7 of the table \"herd\", which is not of the schema but was made "
        "by hand, would refer to a record of \"animal\" that is not there; nothing was changed");
}

/* With foreign keys on, dropping the parent would delete these. */
static void
test_children_of_a_rebuilt_table_stay(void **state)
{
    struct trial_schema made;
    fill(*state);
    trial_execute(
        *state, "CREATE TABLE herd (animal INTEGER REFERENCES animal (id) ON DELETE CASCADE);"
                "INSERT INTO herd VALUES (1), (2)");
    trial_open(
        *state, version_with(
                    &made, 2,
                    "CREATE TABLE varve_new_animal (id INTEGER PRIMARY KEY AUTOINCREMENT, name "
                    "TEXT) STRICT;\n"
                    "INSERT INTO varve_new_animal SELECT * FROM animal ORDER BY id;\n"
                    "DROP TABLE animal;\n"
                    "ALTER TABLE varve_new_animal RENAME TO animal;\n"));
    EXPECT(*state, "SELECT count(*) FROM herd", "2");
    EXPECT(*state, "SELECT \"table\" FROM pragma_foreign_key_list('herd')", "animal");
}

/* -------------------------------------------------------------------- the user's objects */

static void
test_views_triggers_and_indexes_of_the_user_survive(void **state)
{
    struct trial_schema made;
    fill(*state);
    trial_execute(
        *state,
        "CREATE INDEX mine ON animal (id, 1);"
        "CREATE VIEW broken AS SELECT * FROM nowhere;"
        "CREATE VIEW numbers AS SELECT id FROM animal;"
        "CREATE VIEW doubled AS SELECT id * 2 AS id FROM numbers;"
        "CREATE TABLE heard (id INTEGER);"
        "CREATE TRIGGER hear AFTER INSERT ON animal BEGIN INSERT INTO heard VALUES (new.id); END;"
        "CREATE TRIGGER keep INSTEAD OF DELETE ON numbers BEGIN SELECT 1; END");
    trial_open(
        *state, version_with(
                    &made, 2,
                    "CREATE TABLE varve_new_animal (id INTEGER PRIMARY KEY AUTOINCREMENT, name "
                    "TEXT) STRICT;\n"
                    "INSERT INTO varve_new_animal SELECT * FROM animal ORDER BY id;\n"
                    "DROP TABLE animal;\n"
                    "ALTER TABLE varve_new_animal RENAME TO animal;\n"
                    "INSERT INTO animal (name) VALUES ('unheard');\n"));
    EXPECT(*state, "SELECT group_concat(id) FROM doubled", "2,4,6");
    EXPECT(*state, "SELECT count(*) FROM heard", "0");
    trial_execute(*state, "INSERT INTO animal (name) VALUES ('heron'); DELETE FROM numbers");
    EXPECT(*state, "SELECT group_concat(id) FROM heard", "4");
    EXPECT(
        *state,
        "SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema "
        "WHERE name IN ('mine', 'broken', 'keep') ORDER BY name)",
        "broken,keep,mine");
}

static void
expect_object_in_the_way(const struct trial *trial, const char *object, const char *words)
{
    struct trial_schema made;
    struct varve_config config = {0};
    fill(trial);
    trial_execute(trial, object);
    trial_refuse(trial, version(&made, 3), config, VARVE_SCHEMA, words);
    EXPECT(trial, "SELECT count(*) FROM varve_migration", "1");
    EXPECT(trial, "SELECT count(*) FROM sqlite_schema WHERE name = 'mine'", "1");
}

static void
test_a_view_that_does_not_fit_any_more_is_named(void **state)
{
    expect_object_in_the_way(
        *state, "CREATE VIEW mine AS SELECT name FROM animal",
        "the database's view \"mine\" does not fit the tables that the migration makes: no such "
        "column: name; "
        "nothing was changed");
    EXPECT(*state, "SELECT group_concat(name) FROM mine", "stork,lynx");
}

static void
test_a_trigger_that_does_not_fit_any_more_is_named(void **state)
{
    expect_object_in_the_way(
        *state, "CREATE TRIGGER mine AFTER UPDATE OF name ON animal BEGIN SELECT new.name; END",
        "the database's trigger \"mine\" does not fit the tables that the migration makes: no such "
        "column");
}

/* -------------------------------------------------------------------- the backup */

static void
test_a_backup_holds_the_old_version(void **state)
{
    static const char backup[] = "backup/before-0002_title-zoo.db";
    struct trial_schema made;
    fill(*state);
    trial_open(*state, version(&made, 3));
    assert_string_equal(
        trial_query_file(*state, backup, "SELECT group_concat(name) FROM animal"), "stork,lynx");
    assert_string_equal(
        trial_query_file(*state, backup, "SELECT count(*) FROM varve_migration"), "1");
    assert_string_equal(trial_query_file(*state, backup, "PRAGMA integrity_check"), "ok");
}

static void
expect_no_backup(const struct trial *trial)
{
    char path[100];
    snprintf(path, sizeof path, "%s/backup", trial->folder);
    FILE *folder = fopen(path, "r");
    assert_null(folder);
}

static void
test_no_backup_is_made_of_nothing_or_when_it_is_off(void **state)
{
    struct trial_schema made;
    struct trial *trial = *state;
    struct varve_config config = {.data_dir = trial->folder, .migration_backup = -1};
    struct varve_store *store;
    trial_open(trial, version(&made, 1));
    trial_open(trial, version(&made, 2)); /* without rows */
    expect_no_backup(trial);
    trial_execute(trial, "INSERT INTO animal (title) VALUES ('stork')");
    assert_int_equal(varve_open(version(&made, 3), &config, &store, NULL), VARVE_OK);
    varve_close(store);
    expect_no_backup(trial);
}

static void
test_without_room_for_the_backup_nothing_is_done(void **state)
{
    char path[100];
    struct trial_schema made;
    struct trial *trial = *state;
    struct varve_config config = {0};
    fill(trial);
    snprintf(path, sizeof path, "%s/backup", trial->folder);
    FILE *file = fopen(path, "w"); /* in the folder's place */
    fclose(file);
    trial_refuse(
        trial, version(&made, 3), config, VARVE_IO, "the backup before the migration: cannot make");
    EXPECT(trial, "SELECT count(*) FROM varve_migration", "1");
    assert_int_equal(remove(path), 0);
    trial_open(trial, version(&made, 3));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TRIAL_TEST(test_a_new_database_replays_all),
        TRIAL_TEST(test_an_old_database_gets_the_steps_that_it_lacks),
        TRIAL_TEST(test_progress_names_each_statement),
        TRIAL_TEST(test_statements_with_semicolons_in_them_are_whole),
        TRIAL_TEST(test_history_that_was_edited_is_refused),
        TRIAL_TEST(test_a_newer_database_is_refused_by_name_unless_it_suits),
        TRIAL_TEST(test_the_configuration_can_refuse),
        TRIAL_TEST(test_a_new_database_is_made_whatever_the_configuration),
        TRIAL_TEST(test_a_statement_that_fails_leaves_the_old_version),
        TRIAL_TEST(test_an_assertion_that_holds_is_no_failure),
        TRIAL_TEST(test_statements_that_leave_the_transaction_are_refused),
        TRIAL_TEST(test_references_that_lead_nowhere_are_refused),
        TRIAL_TEST(test_children_of_a_rebuilt_table_stay),
        TRIAL_TEST(test_views_triggers_and_indexes_of_the_user_survive),
        TRIAL_TEST(test_a_view_that_does_not_fit_any_more_is_named),
        TRIAL_TEST(test_a_trigger_that_does_not_fit_any_more_is_named),
        TRIAL_TEST(test_a_backup_holds_the_old_version),
        TRIAL_TEST(test_no_backup_is_made_of_nothing_or_when_it_is_off),
        TRIAL_TEST(test_without_room_for_the_backup_nothing_is_done),
    };
    return cmocka_run_group_tests_name("migrate", tests, NULL, NULL);
}
