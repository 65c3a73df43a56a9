/* A database that a newer program has migrated, in the hands of an older one that it suits: nobody
 * compares it with the older schema, but the tables must be what reading relies on. */
#include "migrate_support.h"

#include <stdio.h>

#include "zoo.varve.h"

/* Notes a migration that this program does not know, and that suits it. */
static const char newer[] = "INSERT INTO varve_migration SELECT package, 3, '0003_later', "
                            "checksum, 1, 1, applied_at "
                            "FROM varve_migration WHERE number = 2;";

/* Makes the database, lets the newer program change it so, and opens it again. */
static void
change(const struct trial *trial, const char *sql)
{
    trial_open(trial, &zoo_schema);
    trial_execute(trial, newer);
    trial_execute(trial, sql);
}

static void
expect_refused(const struct trial *trial, const char *sql, const char *words)
{
    const struct varve_config config = {0};
    change(trial, sql);
    trial_refuse(trial, &zoo_schema, config, VARVE_SCHEMA, words);
}

static void
test_what_newer_programs_add_is_nobodys_business(void **state)
{
    struct trial *trial = *state;
    struct varve_config config = {.data_dir = trial->folder};
    struct varve_store *store;
    struct varve_session *session;
    struct zoo_animal *animal;
    change(
        trial, "ALTER TABLE animal ADD COLUMN fur TEXT; CREATE TABLE food (id INTEGER) STRICT;"
               "INSERT INTO animal (title, fur) VALUES ('lynx', 'spotted')");
    assert_int_equal(varve_open(&zoo_schema, &config, &store, NULL), VARVE_OK);
    assert_int_equal(varve_session_open(store, &session), VARVE_OK);
    assert_int_equal(zoo_animal_get(session, 1, &animal), VARVE_OK);
    assert_string_equal(animal->title, "lynx");
    animal->title = "lynx lynx";
    assert_int_equal(zoo_animal_update(session, animal), VARVE_OK);
    zoo_animal_free(animal);
    varve_session_close(session);
    varve_close(store);
    assert_string_equal(trial_query(trial, "SELECT title || fur FROM animal"), "lynx lynxspotted");
}

static void
test_a_column_may_be_stricter(void **state)
{
    change(
        *state, "ALTER TABLE animal DROP COLUMN weight;"
                "ALTER TABLE animal ADD COLUMN weight INTEGER NOT NULL DEFAULT 0");
    trial_open(*state, &zoo_schema);
}

static void
test_a_table_that_is_gone_is_named(void **state)
{
    expect_refused(
        *state, "DROP TABLE animal", "zoo.Animal: the table \"animal\" is not there; it was");
}

static void
test_a_table_that_is_not_strict_is_named(void **state)
{
    expect_refused(
        *state,
        "DROP TABLE keeper;"
        "CREATE TABLE keeper (id INTEGER PRIMARY KEY, name TEXT NOT NULL, varve_unknown BLOB)",
        "zoo.Keeper: the table \"keeper\" is not STRICT; it was changed by hand");
}

static void
test_a_column_that_is_gone_is_named(void **state)
{
    expect_refused(
        *state, "ALTER TABLE animal DROP COLUMN weight",
        "the table \"animal\" has nothing as its column \"weight\" where the schema says INTEGER;");
}

static void
test_a_column_of_another_type_is_named(void **state)
{
    expect_refused(
        *state, "ALTER TABLE animal DROP COLUMN weight; ALTER TABLE animal ADD COLUMN weight TEXT",
        "the table \"animal\" has TEXT as its column \"weight\" where the schema says INTEGER;");
}

static void
test_a_column_that_may_be_null_where_it_may_not_is_named(void **state)
{
    expect_refused(
        *state, "ALTER TABLE animal DROP COLUMN tags; ALTER TABLE animal ADD COLUMN tags TEXT",
        "has TEXT as its column \"tags\" where the schema says TEXT NOT NULL;");
}

/* Only a single INTEGER primary key is the row's id, which is never NULL. */
static void
test_a_key_that_may_be_null_is_named(void **state)
{
    expect_refused(
        *state,
        "DROP TABLE keeper;"
        "CREATE TABLE keeper (id INTEGER, name TEXT NOT NULL, varve_unknown BLOB) STRICT",
        "has INTEGER as its column \"id\" where the schema says INTEGER NOT NULL;");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TRIAL_TEST(test_what_newer_programs_add_is_nobodys_business),
        TRIAL_TEST(test_a_column_may_be_stricter),
        TRIAL_TEST(test_a_table_that_is_gone_is_named),
        TRIAL_TEST(test_a_table_that_is_not_strict_is_named),
        TRIAL_TEST(test_a_column_that_is_gone_is_named),
        TRIAL_TEST(test_a_column_of_another_type_is_named),
        TRIAL_TEST(test_a_column_that_may_be_null_where_it_may_not_is_named),
        TRIAL_TEST(test_a_key_that_may_be_null_is_named),
    };
    return cmocka_run_group_tests_name("migrate newer", tests, NULL, NULL);
}
