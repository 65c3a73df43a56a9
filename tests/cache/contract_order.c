/* What the contract says of orders by time. */
#include "contract_order.h"

#include <stdio.h>
#include <string.h>

void
the_newest_come_first(void **state)
{
    put_value(*state, TIMED, "b", "", 0, 20);
    put_value(*state, TIMED, "c", "", 0, INT64_MAX);
    put_value(*state, TIMED, "a", "", 0, -7);
    put_value(*state, TIMED, "d", "", 0, INT64_MIN);
    put_value(*state, TIMED_TOO, "e", "", 0, 5);
    put_value(*state, PLAIN, "f", "", 0, 5);
    assert_string_equal(recent_names(*state, TIMED, INT64_MIN, 100), "c b a d");
    assert_string_equal(recent_names(*state, TIMED, INT64_MIN, 1), "c b a d");
    assert_string_equal(recent_names(*state, TIMED_TOO, INT64_MIN, 100), "e");
}

void
of_one_time_the_greater_key_comes_first(void **state)
{
    static const char *const names[] = {"b", "a", "ab", "\xC3\xA9", "Z"};
    for (size_t i = 0; i < 5; i++)
        put_value(*state, TIMED, names[i], "", 0, 1000);
    put_value(*state, TIMED, "older", "", 0, 999);
    put_value(*state, TIMED, "newer", "", 0, 1001);
    for (size_t page = 1; page < 9; page++)
        assert_string_equal(
            recent_names(*state, TIMED, INT64_MIN, page), "newer \xC3\xA9 b ab a Z older");
}

void
times_are_exact_to_the_nanosecond(void **state)
{
    const int64_t now = INT64_C(1764000000123456789); /* a double has steps of 256 here */
    for (int64_t i = 0; i < 5; i++) {
        char name[] = {(char)('e' - i), '\0'};
        put_value(*state, TIMED, name, "", 0, now + i);
    }
    assert_string_equal(recent_names(*state, TIMED, INT64_MIN, 2), "a b c d e");
    assert_string_equal(recent_names(*state, TIMED, now + 3, 2), "a b");
    assert_string_equal(recent_names(*state, TIMED, now + 4, 2), "a");
    assert_string_equal(recent_names(*state, TIMED, now + 5, 2), "");
}

void
times_before_1970_are_in_order(void **state)
{
    put_value(*state, TIMED, "a", "", 0, -1);
    put_value(*state, TIMED, "b", "", 0, 0);
    put_value(*state, TIMED, "c", "", 0, 1);
    put_value(*state, TIMED, "d", "", 0, INT64_C(-1764000000123456789));
    put_value(*state, TIMED, "e", "", 0, INT64_C(-1764000000123456788));
    assert_string_equal(recent_names(*state, TIMED, INT64_MIN, 10), "c b a e d");
    assert_string_equal(recent_names(*state, TIMED, INT64_C(-1764000000123456788), 2), "c b a e");
    assert_string_equal(recent_names(*state, TIMED, 0, 2), "c b");
}

void
a_long_order_is_read_in_pages(void **state)
{
    static const size_t pages[] = {1, 7, 256, 5000};
    put_numbered(*state, TIMED, 1100);
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        const char *names = recent_names(*state, TIMED, 50, pages[i]);
        for (size_t n = 1100; n-- > 50; names += strlen("name0000") + 1) {
            char name[32];
            snprintf(name, sizeof name, "name%04zu", n);
            assert_memory_equal(names, name, strlen("name0000"));
        }
        assert_int_equal(names[-1], '\0');
    }
}

void
a_page_is_about_as_long_as_asked_for(void **state)
{
    struct got got = {0};
    struct varve__cache_place place = {0};
    put_numbered(*state, TIMED, 30);
    take_page(*state, TIMED, INT64_MIN, 10, &place, &got);
    assert_true(got.count >= 1 && got.count <= 10);
    assert_false(place.done);
    for (int i = 0; !place.done; i++) {
        assert_true(i < 40);
        take_page(*state, TIMED, INT64_MIN, 10, &place, &got);
    }
    assert_int_equal(got.count, 30);
}

void
a_put_moves_the_value_in_the_order(void **state)
{
    put_value(*state, TIMED, "a", "old", 0, 10);
    put_value(*state, TIMED, "b", "", 0, 20);
    put_value(*state, TIMED, "c", "", 0, 30);
    put_value(*state, TIMED, "a", "new", 0, 25);
    assert_string_equal(recent_names(*state, TIMED, INT64_MIN, 10), "c a b");
    put_value(*state, TIMED, "c", "", 0, 5);
    assert_string_equal(recent_names(*state, TIMED, INT64_MIN, 10), "a b c");
    assert_string_equal(value_of(*state, TIMED, "a", VARVE__TTL_KEEP), "new");
}

void
removed_and_expired_values_leave_the_order(void **state)
{
    struct counted all = {0};
    struct varve__cache_walk walk = {.wanted = is_wanted, .context = &all};
    for (int i = 0; i < 26; i++) {
        char name[] = {(char)('a' + i), '\0'};
        put_value(*state, TIMED, name, "", i % 3 == 0 ? 60 : 0, i);
    }
    assert_true(remove_value(*state, TIMED, "z"));
    assert_true(remove_value(*state, TIMED, "b"));
    let_pass(90);
    assert_string_equal(recent_names(*state, TIMED, 10, 2), "x w u t r q o n l k");
    assert_string_equal(recent_names(*state, TIMED, INT64_MIN, 4), "x w u t r q o n l k i h f e c");
    walk_package(*state, &walk); /* nothing is left of those that were passed */
    assert_int_equal(walk.expired_removed + walk.entries_removed, 0);
    put_value(*state, TIMED, "a", "", 0, 100);
    assert_string_equal(recent_names(*state, TIMED, 20, 4), "a x w u");
}

void
recent_gives_lives(void **state)
{
    struct got got = {0};
    struct varve__cache_place place = {0};
    struct contract *contract = *state;
    put_value(contract, TIMED, "a", "", 150, 1);
    put_value(contract, TIMED, "b", "", 150, 2);
    put_value(contract, TIMED, "c", "", 150, 3);
    enum varve_status status = contract->cache->engine->recent(
        contract->cache, &contract->watch, &contract_spaces[TIMED], 2, 10, 60 * SECOND, &place,
        take_row, &got);
    assert_int_equal(status, VARVE_OK);
    let_pass(180);
    assert_string_equal(recent_names(contract, TIMED, INT64_MIN, 10), "c b");
}

void
what_take_fails_with_ends_the_reading(void **state)
{
    struct contract *contract = *state;
    struct got got = {.fail_at = 2};
    struct varve__cache_place place = {0};
    put_numbered(contract, TIMED, 5);
    enum varve_status status = contract->cache->engine->recent(
        contract->cache, &contract->watch, &contract_spaces[TIMED], 0, 10, VARVE__TTL_KEEP, &place,
        take_row, &got);
    assert_int_equal(status, VARVE_CORRUPT);
    assert_int_equal(got.count, 2);
    assert_false(place.done);
    assert_string_equal(recent_names(contract, TIMED, 3, 10), "name0004 name0003");
}
