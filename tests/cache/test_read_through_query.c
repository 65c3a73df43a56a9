/* Hot copies of records that typed queries change. */
#include "hot_support.h"

static void
test_copies_go_when_a_query_writes(void **state)
{
    struct hot *hot = *state;
    struct hot_change change = HOT_CHANGE_INIT;
    struct varve_cursor *cursor;
    int64_t first = hot_insert_item(hot, 5, 0), second = hot_insert_item(hot, 6, 0);
    assert_int_equal(hot_value(hot->session, first) + hot_value(hot->session, second), 11);
    change.id = first;
    change.value = 7;
    hot_expect(hot->session, VARVE_OK, hot_changes_set_value(hot->session, &change));
    assert_int_equal(hot_value(hot->session, first), 7);
    hot_expect(hot->session, VARVE_OK, hot_changes_raise_all(hot->session, &change, &cursor));
    assert_int_equal(hot_value(hot->session, first), 14); /* with the cursor open */
    assert_int_equal(hot_value(hot->session, second), 13);
    varve_cursor_close(cursor);
    hot_open_other(hot, true);
    hot_expect(hot->session, VARVE_OK, hot_changes_set_value(hot->other_session, &change));
    assert_int_equal(hot_value(hot->session, first), 7);
}

static void
test_copies_of_what_a_query_cascades_to_go_and_those_of_a_rollback_stay(void **state)
{
    struct hot *hot = *state;
    struct hot_owner owner = HOT_OWNER_INIT;
    struct hot_change change = HOT_CHANGE_INIT;
    hot_expect(hot->session, VARVE_OK, hot_owner_insert(hot->session, &owner));
    int64_t id = hot_insert_item(hot, 5, owner.id);
    assert_int_equal(hot_value(hot->session, id), 5);
    change.id = owner.id;
    hot_expect(hot->session, VARVE_OK, varve_begin(hot->session));
    hot_expect(hot->session, VARVE_OK, hot_changes_delete_owner(hot->session, &change));
    hot_expect(hot->session, VARVE_OK, varve_rollback(hot->session));
    assert_int_equal(hot_value(hot->session, id), 5);
    assert_int_equal(hot_hits(hot), 1);
    hot_expect(hot->session, VARVE_OK, hot_changes_delete_owner(hot->session, &change));
    assert_int_equal(hot_value(hot->session, id), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOT_TEST(test_copies_go_when_a_query_writes),
        HOT_TEST(test_copies_of_what_a_query_cascades_to_go_and_those_of_a_rollback_stay),
    };
    return cmocka_run_group_tests_name("hot copies and queries", tests, NULL, NULL);
}
