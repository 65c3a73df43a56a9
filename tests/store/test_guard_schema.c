/* What the guard takes for another schema, and the fields that a record must not carry as unknown when the
 * database knows them. */
#include "moved_verbs.h"

#include <stdlib.h>
#include <string.h>

static void
expect_text(struct varve_session *session, const char *part)
{
    if (!strstr(varve_session_error(session), part))
        fail_msg("\"%s\" does not say \"%s\"", varve_session_error(session), part);
}

/* -------------------------------------------------------------------- other schemas */

static void
raise_generation(struct moved *moved)
{
    moved_execute(
        moved, "UPDATE varve_generation SET generation = generation + 1;"
               "CREATE TABLE varve_cookie (none INTEGER) STRICT; DROP TABLE varve_cookie");
}

static void
test_a_database_that_lost_a_step_is_refused(void **state)
{
    struct moved *moved = *state;
    moved_expect(moved->session, VARVE_OK, moved_run(moved->session, "get"));
    moved_execute(moved, "DELETE FROM varve_migration WHERE number = 2");
    raise_generation(moved);
    moved_expect(moved->session, VARVE_SCHEMA, moved_run(moved->session, "get"));
    expect_text(moved->session, "moved");
    moved_expect(moved->session, VARVE_SCHEMA, moved_run(moved->session, "insert"));
}

static void
test_system_tables_of_a_newer_varve_are_refused(void **state)
{
    struct moved *moved = *state;
    moved_expect(moved->session, VARVE_OK, moved_run(moved->session, "get"));
    moved_execute(moved, "PRAGMA user_version = 5");
    raise_generation(moved);
    moved_expect(moved->session, VARVE_SCHEMA, moved_run(moved->session, "get"));
    expect_text(moved->session, "newer varve");
}

static void
test_a_generation_that_is_gone_is_refused(void **state)
{
    struct moved *moved = *state;
    moved_execute(moved, "DELETE FROM varve_generation");
    moved_expect(moved->session, VARVE_SCHEMA, moved_run(moved->session, "get"));
    expect_text(moved->session, "varve_generation has no row");
    moved_expect(moved->session, VARVE_SCHEMA, varve_begin(moved->session));
    moved_execute(moved, "INSERT INTO varve_generation VALUES (9)");
    moved_expect(moved->session, VARVE_OK, moved_run(moved->session, "get"));
}

static void
test_another_package_in_the_store_changes_nothing(void **state)
{
    struct moved *moved = *state;
    moved_expect(moved->session, VARVE_OK, moved_run(moved->session, "get"));
    moved_execute(
        moved, "INSERT INTO varve_schema (package, descriptor_set, lock) VALUES ('other', x'', "
               "'message other.Thing table=thing');"
               "INSERT INTO varve_migration VALUES ('other', 1, '0001_thing', 'sum', 0, 0, 0)");
    raise_generation(moved);
    moved_expect(moved->session, VARVE_OK, moved_run(moved->session, "get"));
    moved_expect(moved->session, VARVE_OK, moved_run(moved->session, "insert"));
}

static void
test_without_migrations_the_lock_decides(void **state)
{
    struct moved *moved = *state;
    moved_expect(moved->session, VARVE_OK, moved_run(moved->session, "insert"));
    moved_execute(
        moved, "UPDATE varve_schema SET lock = lock || char(10) || 'value moved.Kind 0 NONE'");
    raise_generation(moved); /* tables do not depend on values */
    moved_expect(moved->session, VARVE_OK, moved_run(moved->session, "get"));
    moved_expect(moved->session, VARVE_OK, moved_run(moved->session, "insert"));
    moved_execute(
        moved, "UPDATE varve_schema SET lock = replace(lock, '4 even int64', '4 even double')");
    raise_generation(moved);
    moved_expect(moved->session, VARVE_SCHEMA, moved_run(moved->session, "insert"));
    expect_text(moved->session, "package moved was replaced");
    moved_expect(moved->session, VARVE_SCHEMA, moved_run(moved->session, "get"));
}

static void
test_without_migrations_a_line_more_is_another_lock(void **state)
{
    struct moved *moved = *state;
    moved_expect(moved->session, VARVE_OK, moved_run(moved->session, "get"));
    moved_execute(
        moved, "UPDATE varve_schema SET lock = lock || char(10) || 'field moved.Wave 9 x int64'");
    raise_generation(moved);
    moved_expect(moved->session, VARVE_SCHEMA, moved_run(moved->session, "get"));
}

/* -------------------------------------------------------------------- unknown fields */

/* A new item, or the one with this id, with unknown fields: mood, taste, or both. */
static struct moved_item *
item_with(int64_t id, const char *mood, const char *taste)
{
    struct moved_newer_item newer = MOVED_NEWER_ITEM_INIT;
    struct moved_item known = moved_new_item();
    struct moved_item *item, *copy;
    struct varve_bytes bytes;
    newer.mood = mood;
    newer.taste = taste;
    assert_int_equal(moved_newer_item_pack(&newer, &bytes), VARVE_OK);
    assert_int_equal(moved_item_unpack(bytes.data, bytes.size, &item), VARVE_OK);
    varve_bytes_free(&bytes);
    item->id = id;
    item->code = known.code;
    item->title = known.title;
    item->even = known.even;
    item->odd = known.odd;
    assert_int_equal(moved_item_clone(item, &copy), VARVE_OK);
    moved_item_free(item);
    return copy;
}

static enum varve_status
insert_many(struct varve_session *session, struct moved_item *item)
{
    struct moved_item items[2] = {moved_new_item(), *item};
    items[0].code = "code of its own";
    items[1].id = 0;
    enum varve_status status = moved_item_insert_many(session, items, 2);
    if (status == VARVE_SCHEMA)
        assert_int_equal(varve_session_failure(session)->index, 1);
    return status;
}

static enum varve_status
insert_item(struct varve_session *session, struct moved_item *item)
{
    item->id = 0;
    return moved_item_insert(session, item);
}

static enum varve_status (*const writers[])(
    struct varve_session *session,
    struct moved_item *item) = {insert_item, moved_item_update, moved_item_upsert, insert_many};

enum {
    WRITERS = sizeof writers / sizeof *writers
};

/* A session for each writer, which has written before and writes the first time after the step. */
static void
check_writers(
    struct moved *moved,
    bool in_transaction,
    const char *mood,
    const char *taste,
    enum varve_status expected)
{
    struct varve_session *sessions[WRITERS];
    for (size_t i = 0; i < WRITERS; i++) {
        struct moved_item *item = item_with(1 + (int64_t)i, "calm", "sweet");
        sessions[i] = moved_session(moved);
        moved_expect(sessions[i], VARVE_OK, writers[i](sessions[i], item));
        moved_item_free(item);
        moved_execute(moved, "DELETE FROM item WHERE code = 'code of its own'");
    }
    moved_execute(moved, "UPDATE item SET varve_unknown = NULL"); /* as the migration moves them */
    moved_migrate(moved, &moved_add);
    char *before = moved_dump(moved);
    for (size_t i = 0; i < WRITERS; i++) {
        struct moved_item *item = item_with(1 + (int64_t)i, mood, taste);
        if (in_transaction)
            moved_expect(sessions[i], VARVE_OK, varve_begin(sessions[i]));
        for (int call = 0; call < (expected == VARVE_OK ? 1 : 2); call++)
            moved_expect(sessions[i], expected, writers[i](sessions[i], item));
        if (expected == VARVE_SCHEMA)
            expect_text(sessions[i], "field moved.Item 6 mood string");
        if (in_transaction)
            moved_expect(sessions[i], VARVE_OK, varve_commit(sessions[i]));
        moved_item_free(item);
        moved_expect(sessions[i], VARVE_OK, moved_run(sessions[i], "insert"));
        moved_execute(moved, "DELETE FROM item WHERE id = (SELECT max(id) FROM item)");
        moved_session_end(moved, sessions[i]);
    }
    char *after = moved_dump(moved);
    if (expected == VARVE_SCHEMA) /* the sequence went on */
        assert_memory_equal(before, after, (size_t)(strstr(before, "sqlite_sequence") - before));
    free(before);
    free(after);
}

static void
test_a_field_that_has_become_a_column_is_not_written_as_unknown(void **state)
{
    check_writers(*state, false, "tense", "sour", VARVE_SCHEMA);
}

static void
test_nor_is_it_in_a_transaction(void **state)
{
    check_writers(*state, true, "tense", "", VARVE_SCHEMA);
}

static void
test_a_field_that_the_database_does_not_know_either_is_kept(void **state)
{
    struct moved *moved = *state;
    check_writers(moved, false, "", "bitter", VARVE_OK);
    assert_true(
        moved_query(moved, "SELECT count(*) FROM item WHERE instr(varve_unknown, 'bitter')") >= 4);
}

static int
set_up_two_steps(void **state)
{
    return moved_set_up_known(state, 2);
}

#define WITHOUT_TEST(name)                                                                         \
    cmocka_unit_test_setup_teardown(name, moved_set_up_without, moved_tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_a_database_that_lost_a_step_is_refused, set_up_two_steps, moved_tear_down),
        MOVED_TEST(test_system_tables_of_a_newer_varve_are_refused),
        MOVED_TEST(test_a_generation_that_is_gone_is_refused),
        MOVED_TEST(test_another_package_in_the_store_changes_nothing),
        WITHOUT_TEST(test_without_migrations_the_lock_decides),
        WITHOUT_TEST(test_without_migrations_a_line_more_is_another_lock),
        WITHOUT_TEST(test_another_package_in_the_store_changes_nothing),
        MOVED_TEST(test_a_field_that_has_become_a_column_is_not_written_as_unknown),
        MOVED_TEST(test_nor_is_it_in_a_transaction),
        MOVED_TEST(test_a_field_that_the_database_does_not_know_either_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
