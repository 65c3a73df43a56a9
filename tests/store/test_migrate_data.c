/* Data of a program of the first version of a schema, in the hands of one of the second. */
#include "migrate_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zoo.varve.h"

static const char *zoo_old; /* the program of the first version */

/* Runs the old program on the trial's folder; its status. */
static int
run_old(const struct trial *trial, const char *command)
{
    char text[300];
    snprintf(text, sizeof text, "'%s' '%s' %s", zoo_old, trial->folder, command);
    int result = system(text);
    return result < 0 ? result : result >> 8;
}

/* The same tables, made at once. */
static const struct varve_schema *
without_migrations(struct varve_schema *schema)
{
    *schema = zoo_schema;
    schema->migrations = NULL;
    schema->migration_count = 0;
    return schema;
}

/* Opens the store at its second version. */
static struct varve_store *
open_store(const struct trial *trial)
{
    struct varve_config config = {.data_dir = trial->folder};
    struct varve_store *store;
    struct varve_error error;
    if (varve_open(&zoo_schema, &config, &store, &error) != VARVE_OK)
        fail_msg("%s", error.message);
    return store;
}

static struct zoo_animal *
get(struct varve_session *session, int64_t id)
{
    struct zoo_animal *animal;
    if (zoo_animal_get(session, id, &animal) != VARVE_OK)
        fail_msg("%s", varve_session_error(session));
    return animal;
}

static void
test_records_keep_every_value(void **state)
{
    struct varve_session *session;
    assert_int_equal(run_old(*state, "fill"), 0);
    struct varve_store *store = open_store(*state);
    assert_int_equal(varve_session_open(store, &session), VARVE_OK);
    struct zoo_animal *stork = get(session, 1);
    assert_string_equal(stork->title, "stork");
    assert_string_equal(stork->place->house, "aviary");
    assert_int_equal(stork->stays.count, 2);
    assert_int_equal(stork->stays.data[1]->shelf, 2);
    assert_int_equal(stork->keeper_id, 1);
    zoo_animal_free(stork);
    struct zoo_animal *lynx = get(session, 2);
    assert_string_equal(lynx->title, "lynx");
    assert_null(lynx->place);
    zoo_animal_free(lynx);
    varve_session_close(session);
    varve_close(store);
}

static void
test_unknown_fields_become_columns(void **state)
{
    struct varve_session *session;
    assert_int_equal(run_old(*state, "fill"), 0);
    struct varve_store *store = open_store(*state);
    assert_int_equal(varve_session_open(store, &session), VARVE_OK);
    struct zoo_animal *stork = get(session, 1);
    assert_int_equal(stork->tags.count, 2);
    assert_string_equal(stork->tags.data[1], "y");
    assert_int_equal(stork->weight, 12);
    assert_int_equal(stork->marks.count, 1);
    assert_int_equal(stork->marks.data[0]->value, 3);
    assert_string_equal(stork->origin->house, "O");
    assert_int_equal(stork->base.n_unknown_fields, 1); /* 50 is nobody's yet */
    zoo_animal_free(stork);
    varve_session_close(session);
    varve_close(store);
    assert_string_equal(trial_query(*state, "SELECT hex(varve_unknown) FROM animal"), "900301");
}

static void
test_json_copies_have_the_new_names(void **state)
{
    assert_int_equal(run_old(*state, "fill"), 0);
    assert_string_equal(
        trial_query(*state, "SELECT place_json FROM animal"), "{\"room\":\"aviary\",\"shelf\":2}");
    varve_close(open_store(*state));
    assert_string_equal(
        trial_query(*state, "SELECT place_json FROM animal"), "{\"house\":\"aviary\",\"shelf\":2}");
    assert_string_equal(
        trial_query(*state, "SELECT group_concat(json_array_length(stays_json)) FROM animal"),
        "2,0");
    assert_string_equal(
        trial_query(*state, "SELECT place_json IS NULL FROM animal WHERE id = 2"), "1");
}

static void
test_damaged_bytes_fail_the_migration(void **state)
{
    struct varve_config config = {0};
    assert_int_equal(run_old(*state, "fill"), 0);
    trial_execute(*state, "UPDATE animal SET varve_unknown = x'3207' WHERE id = 2");
    trial_refuse(
        *state, &zoo_schema, config, VARVE_SCHEMA,
        "the unknown fields hold bytes that are no fields");
    trial_execute(*state, "UPDATE animal SET varve_unknown = NULL, place = x'1a0209' WHERE id = 2");
    trial_refuse(*state, &zoo_schema, config, VARVE_TYPE, "zoo.Animal.place");
    assert_string_equal(trial_query(*state, "SELECT name FROM animal ORDER BY id"), "stork");
    trial_execute(*state, "UPDATE animal SET place = NULL WHERE id = 2");
    varve_close(open_store(*state));
}

static void
test_the_old_program_is_refused_by_the_name_of_the_step(void **state)
{
    assert_int_equal(run_old(*state, "fill"), 0);
    varve_close(open_store(*state));
    assert_int_equal(
        run_old(*state, "open | grep -q 'it has the migration 0002_houses of package zoo'"), 0);
    assert_int_equal(run_old(*state, "open > /dev/null"), VARVE_SCHEMA);
}

/* -------------------------------------------------------------------- drift */

/* What the migrations make is not what the schema says. */
static void
test_migrations_that_do_not_lead_to_the_schema_fail(void **state)
{
    struct varve_config config = {0};
    static const char *const sql[] = {"ALTER TABLE animal RENAME COLUMN name TO headline;"};
    struct varve_migration changed[] = {zoo_schema.migrations[0], zoo_schema.migrations[1]};
    struct varve_schema schema = zoo_schema;
    changed[1].sql = sql;
    changed[1].sql_count = 1;
    schema.migrations = changed;
    assert_int_equal(run_old(*state, "fill"), 0);
    trial_refuse(
        *state, &schema, config, VARVE_SCHEMA,
        "the database's tables are not those of the schema (7 differences, all in the log; restore "
        "a backup, "
        "or change them back): the table \"animal\" lacks ");
    assert_string_equal(trial_query(*state, "SELECT count(*) FROM varve_migration"), "1");
}

static void
keep_findings(void *context, enum varve_log_level level, enum varve_tier tier, const char *message)
{
    char *text = context;
    size_t length = strlen(text);
    assert_int_equal(tier, VARVE_TIER_TABLE);
    if (level == VARVE_LOG_ERROR || strstr(message, "beside"))
        snprintf(text + length, 2000 - length, "%s\n", message);
}

static void
test_drift_is_told_object_by_object(void **state)
{
    char text[2000] = "";
    struct varve_config config = {.log = keep_findings, .log_context = text};
    varve_close(open_store(*state));
    trial_execute(
        *state, "DROP INDEX \"animal.5\"; DROP INDEX \"keeper.2\";"
                "CREATE INDEX \"keeper.2\" ON keeper (\"name\");"
                "CREATE INDEX \"keeper.9\" ON keeper (id, \"name\");"
                "CREATE TABLE varve_new_keeper (id INTEGER);"
                "ALTER TABLE animal DROP COLUMN weight; ALTER TABLE animal ADD COLUMN weight REAL;"
                "CREATE TABLE notes (id INTEGER); CREATE VIEW everyone AS SELECT * FROM keeper");
    trial_refuse(*state, &zoo_schema, config, VARVE_SCHEMA, "(5 differences");
    assert_string_equal(
        text, "the index \"keeper.2\" is another: expected unique on keeper (name); there is on "
              "keeper (name)\n"
              "in the table \"animal\" column \"weight\" is another: expected weight integer; "
              "there is weight "
              "real\n"
              "the index \"animal.5\" is missing\n"
              "the index \"keeper.9\" was not expected\n"
              "the table \"varve_new_keeper\" was not expected\n"
              "the database has 2 objects beside varve's: view everyone, table notes\n");
}

static void
test_texts_that_only_look_different_are_the_same(void **state)
{
    varve_close(open_store(*state));
    trial_execute(
        *state, "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = 'CREATE TABLE "
                "keeper(id integer "
                "primary key autoincrement, [name] text NOT NULL default '''', -- theirs\n"
                "`varve_unknown` /* , */ blob)strict' WHERE name = 'keeper'");
    varve_close(open_store(*state));
}

/* -------------------------------------------------------------------- system tables */

/* What the commits before had. */
static const char to_version_2[] =
    "DROP TABLE varve_copies; DROP TABLE varve_copied; DROP TABLE varve_invalidation;"
    "DROP TABLE varve_dataset; DROP TABLE varve_segment; DROP TABLE varve_dropped; DROP TABLE "
    "varve_sealed; DROP TABLE varve_archive;"
    "PRAGMA user_version = 2";
static const char to_version_1[] =
    "DROP TABLE varve_copies; DROP TABLE varve_copied; DROP TABLE varve_invalidation;"
    "DROP TABLE varve_dataset; DROP TABLE varve_segment; DROP TABLE varve_dropped; DROP TABLE "
    "varve_sealed; DROP TABLE varve_archive;"
    "DROP TABLE varve_migration; DROP TABLE varve_generation;"
    "ALTER TABLE varve_schema DROP COLUMN lock; PRAGMA user_version = 0";

static const char copies_sql[] =
    "SELECT group_concat(length(folder) || '/' || file || '/' || epoch) || '.' || "
    "(SELECT count(*) FROM varve_copied) || (SELECT count(*) FROM varve_invalidation) "
    "FROM varve_copies";

static void
test_system_tables_of_the_first_version_move(void **state)
{
    struct varve_schema plain;
    struct varve_config read_only = {.read_only = true};
    struct varve_config refuse = {.migrate = -1};
    without_migrations(&plain);
    trial_open(*state, &plain);
    trial_execute(*state, "INSERT INTO keeper (name) VALUES ('Ada')");
    trial_execute(*state, to_version_1);
    trial_refuse(*state, &plain, read_only, VARVE_SCHEMA, "of an older varve");
    trial_refuse(*state, &plain, refuse, VARVE_SCHEMA, "of an older varve");
    trial_open(*state, &plain);
    assert_string_equal(trial_query(*state, "PRAGMA user_version"), "4");
    assert_string_equal(
        trial_query(*state, "SELECT lock LIKE 'message zoo.Animal %' FROM varve_schema"), "1");
    assert_string_equal(trial_query(*state, "SELECT generation FROM varve_generation"), "1");
    assert_string_equal(trial_query(*state, "SELECT name FROM keeper"), "Ada");
    assert_string_equal(trial_query(*state, copies_sql), "8//0.00");
}

static void
test_system_tables_of_the_second_version_move(void **state)
{
    struct varve_config refuse = {.migrate = -1};
    trial_open(*state, &zoo_schema);
    assert_string_equal(trial_query(*state, copies_sql), "8//0.00");
    trial_execute(*state, "INSERT INTO keeper (name) VALUES ('Ada')");
    trial_execute(*state, to_version_2);
    trial_refuse(*state, &zoo_schema, refuse, VARVE_SCHEMA, "of an older varve");
    trial_open(*state, &zoo_schema);
    assert_string_equal(trial_query(*state, "PRAGMA user_version"), "4");
    assert_string_equal(trial_query(*state, copies_sql), "8//0.00");
    assert_string_equal(trial_query(*state, "SELECT name FROM keeper"), "Ada");
    assert_string_equal(
        trial_query(*state, "SELECT group_concat(name) FROM varve_migration"),
        "0001_first,0002_houses");
}

static void
test_tables_without_migrations_are_adopted_by_the_same_schema(void **state)
{
    struct varve_schema plain;
    struct varve_schema other = zoo_schema;
    struct varve_config config = {0};
    struct trial *trial = *state;
    struct varve_config read_only = {.data_dir = trial->folder, .read_only = true};
    struct varve_store *store;
    trial_open(*state, without_migrations(&plain));
    assert_string_equal(trial_query(*state, "SELECT count(*) FROM varve_migration"), "0");
    assert_int_equal(varve_open(&zoo_schema, &read_only, &store, NULL), VARVE_OK);
    varve_close(store);
    assert_string_equal(trial_query(trial, "SELECT count(*) FROM varve_migration"), "0");
    trial_execute(*state, to_version_1);
    other.descriptor_set_size--;
    trial_refuse(
        *state, &other, config, VARVE_SCHEMA, "another state of the schema of package zoo");
    trial_open(*state, &zoo_schema);
    assert_string_equal(
        trial_query(*state, "SELECT group_concat(name) FROM varve_migration"),
        "0001_first,0002_houses");
    trial_open(*state, &plain); /* the same tables, whoever made them */
}

static void
test_a_program_without_migrations_needs_the_same_schema(void **state)
{
    struct varve_schema plain;
    struct varve_config config = {0};
    trial_open(*state, &zoo_schema);
    trial_open(*state, without_migrations(&plain));
    plain.lock_count--; /* field zoo.Place 2 */
    trial_refuse(
        *state, &plain, config, VARVE_SCHEMA,
        "it has \"field zoo.Place 2 shelf int32\", the program nothing instead; migrations have "
        "made it: "
        "generate this program with them, by MIGRATIONS");
}

static void
test_a_database_of_a_newer_varve_is_refused(void **state)
{
    struct varve_config config = {0};
    trial_open(*state, &zoo_schema);
    trial_execute(*state, "PRAGMA user_version = 5");
    trial_refuse(
        *state, &zoo_schema, config, VARVE_SCHEMA,
        "the database's system tables are of version 5, newer than the 4 that this program knows");
}

int
main(int argc, char **argv)
{
    if (argc != 2)
        return 100;
    zoo_old = argv[1];
    const struct CMUnitTest tests[] = {
        TRIAL_TEST(test_records_keep_every_value),
        TRIAL_TEST(test_unknown_fields_become_columns),
        TRIAL_TEST(test_json_copies_have_the_new_names),
        TRIAL_TEST(test_damaged_bytes_fail_the_migration),
        TRIAL_TEST(test_the_old_program_is_refused_by_the_name_of_the_step),
        TRIAL_TEST(test_migrations_that_do_not_lead_to_the_schema_fail),
        TRIAL_TEST(test_drift_is_told_object_by_object),
        TRIAL_TEST(test_texts_that_only_look_different_are_the_same),
        TRIAL_TEST(test_system_tables_of_the_first_version_move),
        TRIAL_TEST(test_system_tables_of_the_second_version_move),
        TRIAL_TEST(test_tables_without_migrations_are_adopted_by_the_same_schema),
        TRIAL_TEST(test_a_program_without_migrations_needs_the_same_schema),
        TRIAL_TEST(test_a_database_of_a_newer_varve_is_refused),
    };
    return cmocka_run_group_tests_name("migrate data", tests, NULL, NULL);
}
