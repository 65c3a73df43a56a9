/* Gets by way of hot copies: that a copy answers, that none answers which is not the table's, and what a copy
 * keeps of a record. */
#include "hot_support.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void
update_value(struct varve_session *session, int64_t id, int64_t value)
{
    struct hot_item item = HOT_ITEM_INIT;
    item.id = id;
    item.value = value;
    hot_expect(session, VARVE_OK, hot_item_update(session, &item));
}

/* The key of the only copy there is, valid until the next command. */
static const char *
only_copy(const struct hot *hot)
{
    assert_string_equal(server_command(hot->server, "DBSIZE"), "1");
    return server_command(hot->server, "RANDOMKEY");
}

/* Changes the table as no program would that leaves the key's row. */
static void
change_unseen(const struct hot *hot, const char *sql)
{
    hot_execute(hot, sql);
}

/* -------------------------------------------------------------------- hits */

static void
test_the_second_get_is_by_the_copy(void **state)
{
    struct hot *hot = *state;
    int64_t id = hot_insert_item(hot, 5, 0);
    assert_int_equal(hot_value(hot->session, id), 5);
    assert_int_equal(hot_hits(hot), 0);
    change_unseen(hot, "UPDATE item SET value = 6");
    assert_int_equal(hot_value(hot->session, id), 5);
    assert_int_equal(hot_hits(hot), 1);
}

static void
test_copies_outlive_the_store(void **state)
{
    struct hot *hot = *state;
    int64_t id = hot_insert_item(hot, 5, 0);
    assert_int_equal(hot_value(hot->session, id), 5);
    hot_reopen(hot);
    assert_int_equal(hot_value(hot->session, id), 5);
    assert_int_equal(hot_hits(hot), 1);
}

static void
test_a_change_by_another_program_is_seen(void **state)
{
    struct hot *hot = *state;
    int64_t id = hot_insert_item(hot, 5, 0);
    hot_open_other(hot, true);
    for (int64_t value = 6; value < 20; value++) {
        assert_int_equal(hot_value(hot->session, id), value - 1);
        update_value(hot->other_session, id, value);
        assert_int_equal(hot_value(hot->session, id), value);
    }
    hot_expect(hot->other_session, VARVE_OK, hot_item_delete(hot->other_session, id));
    assert_int_equal(hot_value(hot->session, id), -1);
}

static void
test_what_is_not_there_is_never_copied(void **state)
{
    struct hot *hot = *state;
    assert_int_equal(hot_value(hot->session, 1), -1);
    assert_int_equal(hot_value(hot->session, 1), -1);
    assert_int_equal(hot_insert_item(hot, 5, 0), 1);
    assert_int_equal(hot_value(hot->session, 1), 5);
}

static void
test_a_copy_is_found_by_all_of_its_key(void **state)
{
    struct hot *hot = *state;
    struct hot_label label = HOT_LABEL_INIT, *found;
    const char *words[] = {"x", ""};
    label.name = "a";
    label.group = 3;
    label.words = (struct varve_strings){2, words};
    hot_expect(hot->session, VARVE_OK, hot_label_insert(hot->session, &label));
    for (int i = 0; i < 2; i++) {
        hot_expect(hot->session, VARVE_OK, hot_label_cache_get(hot->session, &label, &found));
        assert_true(varve_record_equal(&hot_label_record, &label, found));
        hot_label_free(found);
    }
    assert_int_equal(hot_hits(hot), 1);
    label.group = 4; /* the name finds it, the key is another */
    hot_expect(hot->session, VARVE_NOT_FOUND, hot_label_cache_get(hot->session, &label, &found));
    assert_null(found);
}

static void
test_a_key_that_is_too_long_for_a_copy_finds_its_record(void **state)
{
    struct hot *hot = *state;
    char name[2000];
    struct hot_label label = HOT_LABEL_INIT, *found;
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    label.name = name;
    hot_expect(hot->session, VARVE_OK, hot_label_insert(hot->session, &label));
    hot_expect(hot->session, VARVE_OK, hot_label_cache_get(hot->session, &label, &found));
    assert_int_equal(found->id, label.id);
    hot_label_free(found);
    hot_expect(hot->session, VARVE_OK, hot_label_update(hot->session, &label));
    assert_string_equal(server_command(hot->server, "DBSIZE"), "0");
}

static void
test_many_come_from_copies_and_table_alike(void **state)
{
    struct hot *hot = *state;
    struct hot_item keys[4], **found;
    for (int i = 0; i < 4; i++) {
        keys[i] = (struct hot_item)HOT_ITEM_INIT;
        keys[i].id = i + 1;
        if (i != 2)
            hot_insert_item(hot, 10 * (i + 1), 0);
    }
    keys[2].id = 99;
    keys[3].id = 3;
    assert_int_equal(hot_value(hot->session, 2), 20);
    hot_expect(hot->session, VARVE_OK, hot_item_cache_get_many(hot->session, keys, 4, &found));
    assert_int_equal(found[0]->value, 10);
    assert_int_equal(found[1]->value, 20);
    assert_null(found[2]);
    assert_int_equal(found[3]->value, 40);
    hot_item_free_many(found);
    assert_int_equal(hot_hits(hot), 1);
}

/* -------------------------------------------------------------------- by the table */

static void
test_a_key_that_waits_is_not_read_from_its_copy(void **state)
{
    struct hot *hot = *state;
    int64_t id = hot_insert_item(hot, 5, 0);
    assert_int_equal(hot_value(hot->session, id), 5);
    /* as a program would have left it that was killed after its commit */
    hot_execute(
        hot, "UPDATE item SET value = 6;"
             "INSERT INTO varve_invalidation (key) SELECT prefix || 'item:a1' FROM varve_copied "
             "WHERE name = 'item'");
    assert_int_equal(hot_value(hot->session, id), 6);
    assert_string_equal(hot_waiting(hot), "");
    assert_string_equal(server_command(hot->server, "DBSIZE"), "0");
    assert_int_equal(hot_value(hot->session, id), 6);
    assert_int_equal(hot_value(hot->session, id), 6);
    assert_int_equal(hot_hits(hot), 1);
}

static void
test_what_waits_is_deleted_when_a_store_opens(void **state)
{
    struct hot *hot = *state;
    int64_t id = hot_insert_item(hot, 5, 0);
    assert_int_equal(hot_value(hot->session, id), 5);
    hot_execute(
        hot, "INSERT INTO varve_invalidation (key) SELECT prefix || 'item:a1' FROM varve_copied "
             "WHERE name = 'item'; INSERT INTO varve_invalidation (key) VALUES ('odd'), ('a:b:')");
    hot_reopen(hot);
    assert_string_equal(hot_waiting(hot), "");
    assert_string_equal(server_command(hot->server, "DBSIZE"), "0");
}

static void
test_without_the_server_the_table_answers(void **state)
{
    struct hot *hot = *state;
    int64_t id = hot_insert_item(hot, 5, 0);
    assert_int_equal(hot_value(hot->session, id), 5);
    server_kill(hot->server, SIGKILL);
    assert_int_equal(hot_value(hot->session, id), 5);
    update_value(hot->session, id, 6);
    assert_int_equal(hot_value(hot->session, id), 6);
    server_restart(hot->server);
    assert_int_equal(hot_value(hot->session, id), 6);
    assert_int_equal(hot_value(hot->session, id), 6);
    assert_int_equal(hot_value(hot->session, id), 6);
    assert_int_equal(hot_hits(hot), 1);
}

static void
test_a_transaction_sees_the_table_alone(void **state)
{
    struct hot *hot = *state;
    int64_t id = hot_insert_item(hot, 5, 0);
    assert_int_equal(hot_value(hot->session, id), 5);
    hot_expect(hot->session, VARVE_OK, varve_begin(hot->session));
    update_value(hot->session, id, 6);
    assert_int_equal(hot_value(hot->session, id), 6);
    hot_expect(hot->session, VARVE_OK, varve_rollback(hot->session));
    assert_int_equal(hot_value(hot->session, id), 5);
    hot_expect(hot->session, VARVE_OK, varve_begin_read(hot->session));
    assert_int_equal(hot_value(hot->session, id), 5);
    hot_open_other(hot, true);
    update_value(hot->other_session, id, 7);
    assert_int_equal(hot_value(hot->session, id), 5); /* its snapshot */
    hot_expect(hot->session, VARVE_OK, varve_rollback(hot->session));
    assert_int_equal(hot_value(hot->session, id), 7);
}

/* What a cursor keeps open is a snapshot: a copy that is made of it would be too old for others. */
static void
test_no_copy_is_made_of_an_old_snapshot(void **state)
{
    struct hot *hot = *state;
    struct varve_cursor *cursor;
    const struct hot_item *row;
    int64_t id = hot_insert_item(hot, 5, 0);
    hot_insert_item(hot, 5, 0);
    hot_expect(hot->session, VARVE_OK, hot_item_find(hot->session, NULL, &cursor));
    hot_expect(hot->session, VARVE_ROW, hot_item_next(cursor, &row));
    hot_open_other(hot, true);
    update_value(hot->other_session, id, 6);
    assert_int_equal(hot_value(hot->session, id), 5);
    varve_cursor_close(cursor);
    assert_int_equal(hot_value(hot->session, id), 6);
    assert_int_equal(hot_value(hot->other_session, id), 6);
}

static void
test_a_damaged_copy_is_made_anew(void **state)
{
    struct hot *hot = *state;
    char copy[1200];
    int64_t id = hot_insert_item(hot, 5, 0);
    hot_insert_item(hot, 7, 0);
    assert_int_equal(hot_value(hot->session, id), 5);
    strcpy(copy, only_copy(hot));
    static const char *const values[] = {"", "\x07x", "no value", "\x01\x28\xb5", NULL};
    for (size_t i = 0; values[i]; i++) {
        server_command(hot->server, "SET %s %s", copy, values[i]);
        assert_int_equal(hot_value(hot->session, id), 5);
        assert_string_equal(server_command(hot->server, "EXISTS %s", copy), "0");
        assert_int_equal(hot_value(hot->session, id), 5);
        assert_string_equal(server_command(hot->server, "EXISTS %s", copy), "1");
    }
    server_command(hot->server, "SET %s %b", copy, "\0\x08\x02", (size_t)3); /* the other's id */
    assert_int_equal(hot_value(hot->session, id), 5);
    server_command(hot->server, "DEL %s", copy);
    server_command(hot->server, "LPUSH %s a", copy);
    assert_int_equal(hot_value(hot->session, id), 5);
}

/* -------------------------------------------------------------------- what a copy has */

static struct hot_shape
make_shape(float image[4], int64_t times[2], uint8_t mask[2])
{
    struct hot_shape shape = HOT_SHAPE_INIT;
    shape.note = "n";
    shape.rows = 2;
    shape.image = (struct varve_floats){4, image};
    shape.times = (struct varve_int64s){times ? 2 : 0, times};
    shape.has_mask = mask != NULL;
    shape.mask = (struct varve_uint8s){mask ? 2 : 0, mask};
    return shape;
}

/* Gets the shape so often that the copy answers, and writes what came: nothing may be lost. */
static void
expect_kept(struct hot *hot, struct hot_shape *shape)
{
    struct hot_shape *got, *stored;
    hot_expect(hot->session, VARVE_OK, hot_shape_insert(hot->session, shape));
    int64_t hits = hot_hits(hot);
    for (int i = 0; i < 3; i++) {
        hot_expect(hot->session, VARVE_OK, hot_shape_cache_get(hot->session, shape, &got));
        assert_int_equal(got->image.count, 4);
        assert_null(got->image.data);
        assert_int_equal(got->times.count, shape->times.count);
        assert_null(got->times.data);
        assert_int_equal(got->has_mask, shape->has_mask);
        assert_int_equal(got->mask.count, shape->mask.count);
        assert_int_equal(hot_hits(hot), hits + (i > 0));
        hot_expect(hot->session, VARVE_OK, hot_shape_update(hot->session, got));
        hot_expect(hot->session, VARVE_OK, hot_shape_get(hot->session, shape->id, &stored));
        assert_true(varve_record_equal(&hot_shape_record, stored, shape));
        hot_shape_free(stored);
        hot_shape_free(got);
        hits = hot_hits(hot);
        hot_expect(hot->session, VARVE_OK, hot_shape_cache_get(hot->session, shape, &got));
        hot_shape_free(got);
    }
}

static void
test_an_update_with_a_copy_loses_no_tensor(void **state)
{
    float image[4] = {1, 2, 3, 4};
    int64_t times[2] = {5, 6};
    uint8_t mask[2] = {7, 8};
    for (int which = 0; which < 4; which++) {
        struct hot_shape shape =
            make_shape(image, which & 1 ? times : NULL, which & 2 ? mask : NULL);
        expect_kept(*state, &shape);
    }
}

static void
test_a_copy_without_tensors_is_small(void **state)
{
    struct hot *hot = *state;
    static float image[2 * 50000];
    struct hot_shape shape = HOT_SHAPE_INIT, *got;
    shape.rows = 50000;
    shape.image = (struct varve_floats){2 * 50000, image};
    hot_expect(hot->session, VARVE_OK, hot_shape_insert(hot->session, &shape));
    hot_expect(hot->session, VARVE_OK, hot_shape_cache_get(hot->session, &shape, &got));
    hot_shape_free(got);
    char copy[1200];
    strcpy(copy, only_copy(hot));
    /* NONE, then id 1 and rows 50000 */
    assert_string_equal(server_command(hot->server, "STRLEN %s", copy), "7");
}

static void
test_a_copy_has_the_unknown_fields(void **state)
{
    struct hot *hot = *state;
    struct hot_item *read, *got;
    static const uint8_t wire[] = {0x20, 0x05, 0xfa, 0x3e, 0x03, 'a', 'b', 'c'};
    hot_expect(
        hot->session, VARVE_OK,
        varve_record_unpack(&hot_item_record, wire, sizeof wire, (void **)&read));
    hot_expect(hot->session, VARVE_OK, hot_item_insert(hot->session, read));
    for (int i = 0; i < 2; i++) {
        hot_expect(hot->session, VARVE_OK, hot_item_cache_get(hot->session, read, &got));
        assert_true(varve_record_equal(&hot_item_record, read, got));
        hot_item_free(got);
    }
    assert_int_equal(hot_hits(hot), 1);
    hot_item_free(read);
}

/* -------------------------------------------------------------------- put, touch, delete */

static void
test_a_put_makes_the_copy_that_of_the_table(void **state)
{
    struct hot *hot = *state;
    struct hot_item item = HOT_ITEM_INIT;
    item.id = hot_insert_item(hot, 5, 0);
    assert_int_equal(hot_value(hot->session, item.id), 5);
    change_unseen(hot, "UPDATE item SET value = 6");
    item.value = 99; /* says nothing */
    hot_expect(hot->session, VARVE_OK, hot_item_cache_put(hot->session, &item));
    assert_int_equal(hot_value(hot->session, item.id), 6);
    assert_int_equal(hot_hits(hot), 1);
    item.id = 77;
    hot_expect(hot->session, VARVE_NOT_FOUND, hot_item_cache_put(hot->session, &item));
}

static void
test_lives_are_as_asked_for(void **state)
{
    struct hot *hot = *state;
    char copy[1200];
    struct hot_item item = HOT_ITEM_INIT;
    struct varve_cache_options hour = {.ttl_seconds = 3600};
    item.id = hot_insert_item(hot, 5, 0);
    assert_int_equal(hot_value(hot->session, item.id), 5);
    strcpy(copy, only_copy(hot));
    assert_in_range(atoi(server_command(hot->server, "TTL %s", copy)), 590, 600);
    hot_expect(
        hot->session, VARVE_OK, varve_cache_touch(hot->session, &hot_item_record, &item, &hour));
    assert_in_range(atoi(server_command(hot->server, "TTL %s", copy)), 3590, 3600);
    hot_expect(hot->session, VARVE_OK, hot_item_cache_touch(hot->session, &item));
    assert_in_range(atoi(server_command(hot->server, "TTL %s", copy)), 590, 600);
    struct hot_item *got;
    hot_expect(hot->session, VARVE_OK, hot_item_cache_delete(hot->session, &item));
    for (int i = 0; i < 2; i++) { /* made, then found */
        hot_expect(
            hot->session, VARVE_OK,
            varve_cache_get(hot->session, &hot_item_record, &item, (void **)&got, &hour));
        hot_item_free(got);
        assert_in_range(atoi(server_command(hot->server, "TTL %s", copy)), 3590, 3600);
    }
}

/* A touch that finds no copy must not keep others from making it. */
static void
test_a_touch_without_a_copy_leaves_nothing(void **state)
{
    struct hot *hot = *state;
    struct hot_item item = HOT_ITEM_INIT;
    item.id = hot_insert_item(hot, 5, 0);
    hot_expect(hot->session, VARVE_OK, hot_item_cache_touch(hot->session, &item));
    assert_string_equal(server_command(hot->server, "DBSIZE"), "0");
    assert_int_equal(hot_value(hot->session, item.id), 5);
    assert_int_equal(hot_value(hot->session, item.id), 5);
    assert_int_equal(hot_hits(hot), 1);
}

static void
test_a_delete_forgets_the_copy_alone(void **state)
{
    struct hot *hot = *state;
    struct hot_item item = HOT_ITEM_INIT;
    item.id = hot_insert_item(hot, 5, 0);
    assert_int_equal(hot_value(hot->session, item.id), 5);
    hot_expect(hot->session, VARVE_OK, hot_item_cache_delete(hot->session, &item));
    assert_string_equal(server_command(hot->server, "DBSIZE"), "0");
    assert_int_equal(hot_value(hot->session, item.id), 5);
}

static void
test_bad_keys_are_refused(void **state)
{
    struct hot *hot = *state;
    struct hot_label label = HOT_LABEL_INIT, *found;
    label.name = "\xff";
    hot_expect(hot->session, VARVE_INVALID, hot_label_cache_get(hot->session, &label, &found));
    label.name = NULL;
    hot_expect(hot->session, VARVE_INVALID, hot_label_cache_get(hot->session, &label, &found));
    memset(&label, 0, sizeof label);
    hot_expect(hot->session, VARVE_MISUSE, hot_label_cache_get(hot->session, &label, &found));
    assert_null(found);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOT_TEST(test_the_second_get_is_by_the_copy),
        HOT_TEST(test_copies_outlive_the_store),
        HOT_TEST(test_a_change_by_another_program_is_seen),
        HOT_TEST(test_what_is_not_there_is_never_copied),
        HOT_TEST(test_a_copy_is_found_by_all_of_its_key),
        HOT_TEST(test_a_key_that_is_too_long_for_a_copy_finds_its_record),
        HOT_TEST(test_many_come_from_copies_and_table_alike),
        HOT_TEST(test_a_key_that_waits_is_not_read_from_its_copy),
        HOT_TEST(test_what_waits_is_deleted_when_a_store_opens),
        HOT_TEST(test_without_the_server_the_table_answers),
        HOT_TEST(test_a_transaction_sees_the_table_alone),
        HOT_TEST(test_no_copy_is_made_of_an_old_snapshot),
        HOT_TEST(test_a_damaged_copy_is_made_anew),
        HOT_TEST(test_an_update_with_a_copy_loses_no_tensor),
        HOT_TEST(test_a_copy_without_tensors_is_small),
        HOT_TEST(test_a_copy_has_the_unknown_fields),
        HOT_TEST(test_a_put_makes_the_copy_that_of_the_table),
        HOT_TEST(test_lives_are_as_asked_for),
        HOT_TEST(test_a_touch_without_a_copy_leaves_nothing),
        HOT_TEST(test_a_delete_forgets_the_copy_alone),
        HOT_TEST(test_bad_keys_are_refused),
    };
    return cmocka_run_group_tests_name("read through", tests, NULL, NULL);
}
