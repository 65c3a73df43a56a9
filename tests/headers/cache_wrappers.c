/* Every wrapper of the cache makes its call with its own table: each is used once, on the embedded cache.
 * What the calls do beyond that is tested in tests/store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cortex/cortex.varve.h"
#include "shapes.varve.h"

static struct varve_store *store;
static struct varve_session *session;
static int64_t now; /* of the store's clock, in ns since 1970 */

static const struct varve_cache_options ten_seconds = {.ttl_seconds = 10};
static const struct varve_cache_options for_ever = {.ttl_seconds = -1};

static int64_t
tell_time(void *context)
{
    (void)context;
    return now;
}

static void
let_seconds_pass(int64_t seconds)
{
    now += seconds * 1000000000;
}

static int
open_store(void **state)
{
    (void)state;
    static const struct varve_schema *const schemas[] = {&shapes_schema, &cortex_schema};
    const struct varve_config config = {.data_dir = ":memory:", .clock = tell_time};
    struct varve_error error;
    now = INT64_C(1700000000000000000);
    if (varve_open_many(schemas, 2, &config, &store, &error) != VARVE_OK) {
        print_error("%s\n", error.message);
        return -1;
    }
    return varve_session_open(store, &session) == VARVE_OK ? 0 : -1;
}

static int
close_store(void **state)
{
    (void)state;
    varve_session_close(session);
    varve_close(store);
    return 0;
}

static void
expect(enum varve_status expected, enum varve_status status)
{
    if (status != expected)
        fail_msg(
            "%s: %s", varve_status_name(status),
            status > VARVE_DONE ? varve_session_error(session) : "");
}

/* A record whose key and time are made of the number. */
static struct shapes_hot
hot(int32_t number)
{
    struct shapes_hot record = SHAPES_HOT_INIT;
    record.text = "a:b";
    record.number = number;
    record.colour = SHAPES_GREEN;
    record.hash = UINT64_MAX;
    record.seen_at = number;
    return record;
}

static void
expect_hot(enum varve_status expected, int32_t number)
{
    struct shapes_hot key = hot(number), *found;
    key.seen_at = 0; /* no part of the key */
    expect(expected, shapes_hot_cache_get(session, &key, &found));
    assert_int_equal(found != NULL, expected == VARVE_OK);
    if (found)
        assert_int_equal(found->seen_at, number);
    shapes_hot_free(found);
}

/* ------------------------------------------------------------------ one record */

static void
a_record_is_put_read_and_deleted(void **state)
{
    (void)state;
    struct shapes_hot record = hot(1);
    expect(VARVE_OK, shapes_hot_cache_put(session, &record));
    expect_hot(VARVE_OK, 1);
    expect_hot(VARVE_NOT_FOUND, 2);
    expect(VARVE_OK, shapes_hot_cache_delete(session, &record));
    expect(VARVE_NOT_FOUND, shapes_hot_cache_delete_with(session, &record, &for_ever));
    expect_hot(VARVE_NOT_FOUND, 1);
}

static void
a_record_lives_as_its_message_or_the_options_say(void **state)
{
    (void)state;
    struct shapes_hot record = hot(1);
    expect(VARVE_OK, shapes_hot_cache_put(session, &record));
    record = hot(2);
    expect(VARVE_OK, shapes_hot_cache_put_with(session, &record, &ten_seconds));
    record = hot(3);
    expect(VARVE_OK, shapes_hot_cache_put_with(session, &record, &for_ever));
    let_seconds_pass(11);
    expect_hot(VARVE_OK, 1);
    expect_hot(VARVE_NOT_FOUND, 2);
    let_seconds_pass(61);
    expect_hot(VARVE_NOT_FOUND, 1);
    expect_hot(VARVE_OK, 3);
}

static void
a_touch_and_a_get_with_options_give_a_new_life(void **state)
{
    (void)state;
    struct shapes_hot record = hot(1), *found;
    expect(VARVE_NOT_FOUND, shapes_hot_cache_touch(session, &record));
    expect(VARVE_OK, shapes_hot_cache_put_with(session, &record, &ten_seconds));
    expect(VARVE_OK, shapes_hot_cache_touch(session, &record));
    let_seconds_pass(11);
    expect_hot(VARVE_OK, 1);
    expect(VARVE_OK, shapes_hot_cache_touch_with(session, &record, &ten_seconds));
    let_seconds_pass(11);
    expect_hot(VARVE_NOT_FOUND, 1);

    expect(VARVE_OK, shapes_hot_cache_put(session, &record));
    expect(VARVE_OK, shapes_hot_cache_get_with(session, &record, &found, &for_ever));
    shapes_hot_free(found);
    let_seconds_pass(1000);
    expect_hot(VARVE_OK, 1);
}

/* ------------------------------------------------------------------ many records */

static void
arrays_are_put_and_read(void **state)
{
    (void)state;
    const struct shapes_hot records[] = {hot(1), hot(2)};
    const struct shapes_hot keys[] = {hot(2), hot(3), hot(1)};
    struct shapes_hot **found;
    expect(VARVE_OK, shapes_hot_cache_put_many(session, records, 2));
    expect(VARVE_OK, shapes_hot_cache_get_many(session, keys, 3, &found));
    assert_int_equal(found[0]->seen_at, 2);
    assert_null(found[1]);
    assert_int_equal(found[2]->seen_at, 1);
    shapes_hot_free_many(found);
    shapes_hot_free_many(NULL);
}

static void
arrays_live_as_the_options_say(void **state)
{
    (void)state;
    const struct shapes_hot records[] = {hot(1), hot(2)};
    struct shapes_hot **found;
    expect(VARVE_OK, shapes_hot_cache_put_many_with(session, records, 2, &ten_seconds));
    expect(VARVE_OK, shapes_hot_cache_get_many_with(session, records, 1, &found, &for_ever));
    shapes_hot_free_many(found);
    let_seconds_pass(11);
    expect_hot(VARVE_OK, 1);
    expect_hot(VARVE_NOT_FOUND, 2);
}

static void
recent_ones_come_newest_first(void **state)
{
    (void)state;
    const struct shapes_hot records[] = {hot(1), hot(3), hot(2)};
    struct varve_cursor *cursor;
    const struct shapes_hot *row;
    expect(VARVE_OK, shapes_hot_cache_put_many(session, records, 3));
    expect(VARVE_OK, shapes_hot_cache_recent(session, 2, 0, &cursor));
    expect(VARVE_ROW, shapes_hot_next(cursor, &row));
    assert_int_equal(row->seen_at, 3);
    expect(VARVE_ROW, shapes_hot_next(cursor, &row));
    assert_int_equal(row->seen_at, 2);
    expect(VARVE_DONE, shapes_hot_next(cursor, &row));
    varve_cursor_close(cursor);
    expect(VARVE_OK, shapes_hot_cache_recent_with(session, 0, 1, &cursor, NULL));
    expect(VARVE_ROW, shapes_hot_next(cursor, &row));
    expect(VARVE_DONE, shapes_hot_next(cursor, &row));
    varve_cursor_close(cursor);
}

/* ------------------------------------------------------------------ records of a table */

static void
hot_copies_are_of_the_table(void **state)
{
    (void)state;
    struct shapes_copied record = SHAPES_COPIED_INIT, *found;
    struct varve_cursor *cursor;
    const struct shapes_copied *row;
    record.text = "stored";
    record.made_at = 5;
    expect(VARVE_OK, shapes_copied_insert(session, &record));
    expect(VARVE_OK, shapes_copied_cache_get(session, &record, &found));
    assert_true(shapes_copied_equal(found, &record));
    shapes_copied_free(found);
    expect(VARVE_OK, shapes_copied_cache_recent(session, 5, 0, &cursor));
    expect(VARVE_ROW, shapes_copied_next(cursor, &row));
    assert_string_equal(row->text, "stored");
    expect(VARVE_DONE, shapes_copied_next(cursor, &row));
    varve_cursor_close(cursor);
}

static void
a_table_record_may_be_in_the_cache_alone(void **state)
{
    (void)state;
    struct shapes_draft record = SHAPES_DRAFT_INIT, *found;
    record.id = 7;
    record.title = "first";
    expect(VARVE_OK, shapes_draft_cache_put(session, &record));
    expect(VARVE_NOT_FOUND, shapes_draft_get(session, 7, &found));
    expect(VARVE_OK, shapes_draft_cache_get(session, &record, &found));
    assert_int_equal(found->id, 7);
    shapes_draft_free(found);
}

/* ------------------------------------------------------------------ keys */

static void
keys_are_written_and_read_back(void **state)
{
    (void)state;
    char text[VARVE_KEY_SIZE];
    struct shapes_hot record = hot(-42), *parsed;
    expect(VARVE_OK, shapes_hot_key(&record, text, sizeof text));
    assert_string_equal(text, "hot:a%3Ab:n{Y57}:a2x:v-0-:t18446744073709551615:end");
    expect(VARVE_OK, shapes_hot_key_parse(text, &parsed));
    assert_string_equal(parsed->text, "a:b");
    assert_int_equal(parsed->number, -42);
    assert_int_equal(parsed->colour, SHAPES_GREEN);
    assert_false(parsed->flag);
    assert_true(parsed->hash == UINT64_MAX);
    assert_int_equal(parsed->seen_at, 0);
    shapes_hot_free(parsed);
    expect(VARVE_INVALID, shapes_hot_key_parse("hot:a:n{Y57}", &parsed));
    assert_null(parsed);
}

static void
a_buffer_that_is_too_small_holds_no_key(void **state)
{
    (void)state;
    char text[5] = "....";
    struct shapes_cold record = SHAPES_COLD_INIT;
    record.code = "abcde";
    expect(VARVE_INVALID, shapes_cold_key(&record, text, sizeof text));
    assert_string_equal(text, "");
    record.code = "abcd";
    expect(VARVE_OK, shapes_cold_key(&record, text, sizeof text));
    assert_string_equal(text, "abcd");
}

#define ON_A_STORE(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_STORE(a_record_is_put_read_and_deleted),
        ON_A_STORE(a_record_lives_as_its_message_or_the_options_say),
        ON_A_STORE(a_touch_and_a_get_with_options_give_a_new_life),
        ON_A_STORE(arrays_are_put_and_read),
        ON_A_STORE(arrays_live_as_the_options_say),
        ON_A_STORE(recent_ones_come_newest_first),
        ON_A_STORE(hot_copies_are_of_the_table),
        ON_A_STORE(a_table_record_may_be_in_the_cache_alone),
        cmocka_unit_test(keys_are_written_and_read_back),
        cmocka_unit_test(a_buffer_that_is_too_small_holds_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
