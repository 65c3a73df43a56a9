/* What a user has made beside the tables, and what a migration's statements may not do: each is refused with a sentence
 * when it would come to mean something else, and the database is as it was. */
#include "migrate_support.h"

#include <stdio.h>
#include <string.h>

#define EXPECT(trial, sql, text) assert_string_equal(trial_query(trial, sql), text)

static const struct trial_step first = {
    "0001_first",
    "CREATE TABLE pair (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT, b TEXT, a_json TEXT) "
    "STRICT;\n"
    "CREATE TABLE other (a TEXT, b TEXT) STRICT;\n",
    false, false};

static const char *const lock_before[] = {
    "message zoo.Pair table=pair",
    "field zoo.Pair 1 id int64 key=1",
    "field zoo.Pair 2 a string",
    "field zoo.Pair 3 b string",
};

static const char *const lock_swapped[] = {
    "message zoo.Pair table=pair",
    "field zoo.Pair 1 id int64 key=1",
    "field zoo.Pair 2 b string",
    "field zoo.Pair 3 a string",
};

static const char *const lock_renamed[] = {
    "message zoo.Pair table=pair",
    "field zoo.Pair 1 id int64 key=1",
    "field zoo.Pair 2 title string",
    "field zoo.Pair 3 b string",
};

static const char swap[] = "ALTER TABLE pair RENAME COLUMN a TO c;\n"
                           "ALTER TABLE pair RENAME COLUMN b TO a;\n"
                           "ALTER TABLE pair RENAME COLUMN c TO b;\n";

static const char rebuild[] =
    "CREATE TABLE varve_new_pair (id INTEGER PRIMARY KEY AUTOINCREMENT, %s TEXT, %s TEXT, a_json "
    "TEXT) STRICT;\n"
    "INSERT INTO varve_new_pair SELECT * FROM pair ORDER BY id;\n"
    "DROP TABLE pair;\n"
    "ALTER TABLE varve_new_pair RENAME TO pair;\n";

/* The first state, or the second one by a migration of this SQL. */
static const struct varve_schema *
state_of(struct trial_schema *made, const char *const *lock, const char *sql)
{
    struct trial_step steps[] = {first, {"0002_second", sql, false, false}};
    trial_make(made, steps, sql ? 2 : 1);
    made->schema.lock = lock;
    made->schema.lock_count = 4;
    return &made->schema;
}

static void
fill(const struct trial *trial, const char *objects)
{
    struct trial_schema made;
    trial_open(trial, state_of(&made, lock_before, NULL));
    trial_execute(trial, "INSERT INTO pair (a, b) VALUES ('left', 'right')");
    trial_execute(trial, objects);
}

static void
expect_refused(
    const struct trial *trial,
    const char *const *lock,
    const char *sql,
    enum varve_status status,
    const char *words)
{
    char before[400];
    struct trial_schema made;
    struct varve_config config = {0};
    static const char all[] =
        "SELECT group_concat(name || sql, ';') FROM sqlite_schema WHERE name NOT LIKE 'varve%'";
    snprintf(before, sizeof before, "%s", trial_query(trial, all));
    trial_refuse(trial, state_of(&made, lock, sql), config, status, words);
    EXPECT(trial, all, before);
    EXPECT(trial, "SELECT count(*) FROM varve_migration", "1");
}

/* -------------------------------------------------------------------- names that are used again */

static void
test_a_view_of_a_name_that_another_field_takes_is_named(void **state)
{
    fill(*state, "CREATE VIEW mine AS SELECT A FROM pair");
    expect_refused(
        *state, lock_swapped, swap, VARVE_SCHEMA,
        "the database's view \"mine\" names \"a\", which is the name of another field after the "
        "migration: it would go on with that one's values; nothing was changed: drop it, and make "
        "it again");
    EXPECT(*state, "SELECT a FROM mine", "left");
}

static void
test_a_view_of_a_view_that_gives_such_a_name_is_named(void **state)
{
    fill(
        *state, "CREATE VIEW everything AS SELECT * FROM pair;"
                "CREATE VIEW mine AS SELECT [b] FROM everything");
    expect_refused(
        *state, lock_swapped, swap, VARVE_SCHEMA,
        "the database's view \"mine\" names \"b\", which is the name of another field");
}

static void
test_a_trigger_of_such_a_name_is_named(void **state)
{
    fill(
        *state,
        "CREATE TABLE heard (word TEXT);"
        "CREATE TRIGGER mine AFTER INSERT ON pair BEGIN INSERT INTO heard VALUES (new.a); END");
    expect_refused(
        *state, lock_swapped, swap, VARVE_SCHEMA,
        "the database's trigger \"mine\" names \"a\", which is the name of another field");
}

static void
test_the_json_copy_of_such_a_name_counts_too(void **state)
{
    fill(*state, "CREATE VIEW mine AS SELECT a_json FROM pair");
    expect_refused(
        *state, lock_swapped, swap, VARVE_SCHEMA,
        "the database's view \"mine\" names \"a_json\", which is the name of another field");
}

static void
test_an_index_of_such_a_name_goes_on_unless_its_table_is_made_anew(void **state)
{
    char sql[600];
    struct trial_schema made;
    fill(*state, "CREATE INDEX mine ON pair (a)");
    snprintf(sql, sizeof sql, rebuild, "b", "a");
    expect_refused(
        *state, lock_swapped, sql, VARVE_SCHEMA,
        "the database's index \"mine\" names \"a\", which is the name of another field");
    trial_open(*state, state_of(&made, lock_swapped, swap));
    EXPECT(*state, "SELECT name FROM pragma_index_info('mine')", "b"); /* SQLite has renamed it */
    EXPECT(*state, "SELECT a || b FROM pair", "rightleft");
}

static void
test_objects_that_do_not_mean_the_field_are_not_in_the_way(void **state)
{
    struct trial_schema made;
    fill(
        *state, "CREATE VIEW strings AS SELECT 'a', id FROM pair;"
                "CREATE VIEW others AS SELECT a, b FROM other;"
                "CREATE VIEW everything AS SELECT * FROM pair");
    trial_open(*state, state_of(&made, lock_swapped, swap));
    EXPECT(*state, "SELECT a FROM everything", "right");
    EXPECT(*state, "SELECT count(*) FROM sqlite_schema WHERE type = 'view'", "3");
}

static void
test_an_index_of_an_old_name_in_double_quotes_is_no_index_of_a_string(void **state)
{
    char sql[600];
    fill(*state, "CREATE INDEX mine ON pair (\"a\")");
    snprintf(sql, sizeof sql, rebuild, "title", "b");
    expect_refused(
        *state, lock_renamed, sql, VARVE_SCHEMA,
        "the database's index \"mine\" does not fit the tables that the migration makes");
}

/* -------------------------------------------------------------------- other objects */

static void
test_every_column_of_a_trigger_is_looked_at(void **state)
{
    fill(*state, "CREATE TRIGGER mine AFTER UPDATE OF b, a ON pair BEGIN SELECT 1; END");
    expect_refused(
        *state, lock_renamed, "ALTER TABLE pair RENAME COLUMN a TO title;", VARVE_SCHEMA,
        "the database's trigger \"mine\" does not fit the tables that the migration makes: no such "
        "column: a");
}

/* One that names no columns is set off by any. What it is found by takes in the other triggers of its table, which
 * are not to blame. */
static void
test_a_trigger_of_any_update_is_looked_at(void **state)
{
    static const char rename[] = "ALTER TABLE pair RENAME COLUMN a TO title;";
    struct trial_schema made;
    fill(
        *state,
        "CREATE TABLE heard (id INTEGER);"
        "CREATE TRIGGER fine AFTER UPDATE ON pair BEGIN INSERT INTO heard VALUES (new.id); END;"
        "CREATE TRIGGER mine AFTER UPDATE ON pair BEGIN SELECT new.a; END");
    expect_refused(
        *state, lock_renamed, rename, VARVE_SCHEMA,
        "the database's trigger \"mine\" does not fit the tables that the migration makes: no such "
        "column: new.a");
    trial_execute(*state, "DROP TRIGGER mine");
    trial_open(*state, state_of(&made, lock_renamed, rename));
    trial_execute(*state, "UPDATE pair SET title = 'other'");
    EXPECT(*state, "SELECT count(*) = (SELECT count(*) FROM pair) FROM heard", "1");
}

/* The index was lost with the old table: it is there again before the trigger is looked at. */
static void
test_a_trigger_that_needs_an_index_of_the_user_goes_on(void **state)
{
    char sql[600];
    struct trial_schema made;
    fill(
        *state,
        "CREATE UNIQUE INDEX once ON pair (b);"
        "CREATE TABLE heard (id INTEGER);"
        "CREATE TRIGGER mine AFTER INSERT ON heard BEGIN"
        "  INSERT INTO pair (b) VALUES (new.id) ON CONFLICT (b) DO UPDATE SET b = 'again'; END");
    snprintf(sql, sizeof sql, rebuild, "title", "b");
    trial_open(*state, state_of(&made, lock_renamed, sql));
    trial_execute(*state, "INSERT INTO heard VALUES (7); INSERT INTO heard VALUES (7)");
    EXPECT(*state, "SELECT count(*) FROM pair WHERE b = 'again'", "1");
}

static void
test_an_index_of_a_column_that_goes_is_to_be_dropped(void **state)
{
    fill(*state, "CREATE INDEX mine ON pair (a)");
    expect_refused(
        *state, lock_renamed, "ALTER TABLE pair DROP COLUMN a;", VARVE_SCHEMA,
        "error in index mine after drop column: no such column: a; nothing was changed: drop that "
        "index");
}

static void
test_references_in_a_column_that_is_added_are_looked_at_however_they_are_written(void **state)
{
    fill(
        *state, "CREATE TABLE child (pair INTEGER REFERENCES pair (id));"
                "INSERT INTO child VALUES (99)");
    expect_refused(
        *state, lock_renamed, "ALTER TABLE pair ADD COLUMN parent INTEGER references pair (id);",
        VARVE_CONFLICT,
        "row 1 of the table \"child\", which is not of the schema but was made by hand, would "
        "refer to a record of \"pair\" that is not there; nothing was changed: mend that table's "
        "rows, which may have been so before");
}

static void
test_references_of_the_schemas_own_tables_blame_the_migration(void **state)
{
    fill(*state, "SELECT 1");
    expect_refused(
        *state, lock_renamed,
        "ALTER TABLE pair ADD COLUMN parent INTEGER REFERENCES pair (id);"
        "UPDATE pair SET parent = 99;",
        VARVE_CONFLICT,
        "row 1 of the table \"pair\" would refer to a record of \"pair\" that is not there; "
        "nothing was changed: mend the data, or the migration");
}

/* -------------------------------------------------------------------- what statements may not do */

static void
expect_denied(const struct trial *trial, const char *sql, const char *words)
{
    expect_refused(trial, lock_before, sql, VARVE_SCHEMA, words);
}

static void
test_pragmas_are_refused_and_their_functions_are_not(void **state)
{
    struct trial_schema made;
    fill(*state, "SELECT 1");
    expect_denied(*state, "PRAGMA foreign_keys = ON;", "a PRAGMA has no effect inside of");
    expect_denied(*state, "PRAGMA user_version = 7;", "take the statement out");
    expect_denied(*state, "PRAGMA writable_schema = ON;", "a PRAGMA has no effect inside of");
    expect_denied(*state, "DETACH main;", "a migration is of one database");
    trial_open(
        *state,
        state_of(
            &made, lock_before,
            "SELECT varve_assert(count(*) = 0, 'whole') FROM pragma_foreign_key_check;\n"
            "ALTER TABLE pair ADD COLUMN more INTEGER NOT NULL DEFAULT 0 CHECK (more < 5);\n"
            "SELECT varve_assert(count(*) = 5, 'all') FROM pragma_table_info('pair');\n"));
    EXPECT(*state, "SELECT count(*) FROM varve_migration", "2");
}

static void
test_the_system_tables_are_not_for_migrations(void **state)
{
    static const char words[] = "varve_archive) are the runtime's alone; nothing was changed";
    fill(*state, "SELECT 1");
    expect_denied(*state, "DELETE FROM varve_generation;", words);
    expect_denied(*state, "UPDATE Varve_Migration SET checksum = '';", words);
    expect_denied(*state, "INSERT INTO varve_schema VALUES ('a', x'', '');", words);
    expect_denied(*state, "DROP TABLE varve_migration;", words);
    expect_denied(*state, "ALTER TABLE varve_schema ADD COLUMN more TEXT;", words);
    expect_denied(*state, "CREATE INDEX mine ON varve_schema (lock);", words);
    expect_denied(*state, "ALTER TABLE varve_schema RENAME TO mine;", words);
}

static void
test_a_temporary_table_may_not_stand_before_another(void **state)
{
    struct trial_schema made;
    fill(*state, "SELECT 1");
    expect_denied(
        *state, "CREATE TEMP TABLE Pair (id INTEGER); INSERT INTO pair VALUES (1);",
        "0002_second.sql of package zoo makes a temporary \"pair\"");
    expect_denied(*state, "CREATE TEMP VIEW pair AS SELECT 1;", "makes a temporary \"pair\"");
    expect_denied(
        *state, "CREATE TEMP TABLE late (id INTEGER); CREATE TABLE late (id INTEGER);",
        "makes a temporary \"late\"");
    trial_open(
        *state, state_of(
                    &made, lock_before,
                    "CREATE TEMP TABLE kept AS SELECT id, upper(a) AS a FROM pair;\n"
                    "UPDATE pair SET a = (SELECT a FROM kept WHERE kept.id = pair.id);\n"
                    "DROP TABLE kept;\n"));
    EXPECT(*state, "SELECT a FROM pair", "LEFT");
}

static void
test_a_generation_that_is_gone_is_not_raised(void **state)
{
    fill(
        *state,
        "UPDATE varve_generation SET generation = generation; DELETE FROM varve_generation");
    expect_refused(
        *state, lock_before, "SELECT 1;", VARVE_SCHEMA,
        "the database's table varve_generation has 0 rows where it must have one");
    trial_execute(*state, "INSERT INTO varve_generation VALUES (1), (2)");
    expect_refused(*state, lock_before, "SELECT 1;", VARVE_SCHEMA, "varve_generation has 2 rows");
}

/* -------------------------------------------------------------------- stores without migrations */

static void
test_a_store_without_migrations_needs_the_first_of_them(void **state)
{
    struct trial_schema made;
    struct varve_config config = {0};
    static const char sql[] = "ALTER TABLE pair RENAME COLUMN a TO title;";
    trial_open(*state, state_of(&made, lock_before, NULL));
    trial_execute(
        *state, "DELETE FROM varve_migration"); /* as if its tables had been made at once */
    trial_refuse(
        *state, state_of(&made, lock_renamed, sql), config, VARVE_SCHEMA,
        "open it once with a build that has only the first of them");
    trial_open(*state, state_of(&made, lock_before, NULL)); /* does so */
    trial_open(*state, state_of(&made, lock_renamed, sql));
    EXPECT(*state, "SELECT count(*) FROM varve_migration", "2");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TRIAL_TEST(test_a_view_of_a_name_that_another_field_takes_is_named),
        TRIAL_TEST(test_a_view_of_a_view_that_gives_such_a_name_is_named),
        TRIAL_TEST(test_a_trigger_of_such_a_name_is_named),
        TRIAL_TEST(test_the_json_copy_of_such_a_name_counts_too),
        TRIAL_TEST(test_an_index_of_such_a_name_goes_on_unless_its_table_is_made_anew),
        TRIAL_TEST(test_objects_that_do_not_mean_the_field_are_not_in_the_way),
        TRIAL_TEST(test_an_index_of_an_old_name_in_double_quotes_is_no_index_of_a_string),
        TRIAL_TEST(test_every_column_of_a_trigger_is_looked_at),
        TRIAL_TEST(test_a_trigger_of_any_update_is_looked_at),
        TRIAL_TEST(test_a_trigger_that_needs_an_index_of_the_user_goes_on),
        TRIAL_TEST(test_an_index_of_a_column_that_goes_is_to_be_dropped),
        TRIAL_TEST(
            test_references_in_a_column_that_is_added_are_looked_at_however_they_are_written),
        TRIAL_TEST(test_references_of_the_schemas_own_tables_blame_the_migration),
        TRIAL_TEST(test_pragmas_are_refused_and_their_functions_are_not),
        TRIAL_TEST(test_the_system_tables_are_not_for_migrations),
        TRIAL_TEST(test_a_temporary_table_may_not_stand_before_another),
        TRIAL_TEST(test_a_generation_that_is_gone_is_not_raised),
        TRIAL_TEST(test_a_store_without_migrations_needs_the_first_of_them),
    };
    return cmocka_run_group_tests_name("migrate_objects", tests, NULL, NULL);
}
