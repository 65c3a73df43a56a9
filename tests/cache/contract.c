/* See contract.h. */
#include "contract_order.h"

#include <stdio.h>
#include <string.h>

/* -------------------------------------------------------------------- put and get */

static void
a_value_that_is_put_is_got(void **state)
{
    put_value(*state, PLAIN, "a", "one", 0, 0);
    put_value(*state, PLAIN, "b", "two", 60 * SECOND, 0);
    assert_string_equal(value_of(*state, PLAIN, "a", VARVE__TTL_KEEP), "one");
    assert_string_equal(value_of(*state, PLAIN, "b", VARVE__TTL_KEEP), "two");
}

static void
a_value_is_replaced(void **state)
{
    put_value(*state, PLAIN, "a", "one", 0, 0);
    put_value(*state, PLAIN, "a", "another that is longer", 0, 0);
    assert_string_equal(value_of(*state, PLAIN, "a", VARVE__TTL_KEEP), "another that is longer");
    put_value(*state, PLAIN, "a", "", 0, 0);
    assert_string_equal(value_of(*state, PLAIN, "a", VARVE__TTL_KEEP), "");
}

static void
what_is_not_there_is_not_taken(void **state)
{
    put_value(*state, PLAIN, "aa", "one", 0, 0);
    assert_null(value_of(*state, PLAIN, "a", VARVE__TTL_KEEP));
    assert_null(value_of(*state, PLAIN, "aaa", VARVE__TTL_KEEP));
    assert_null(value_of(*state, TIMED, "aa", VARVE__TTL_KEEP));
    assert_null(value_of(*state, PLAIN, "b", 10 * SECOND));
}

static void
keys_and_values_are_bytes(void **state)
{
    struct contract *contract = *state;
    char all[256], key[300];
    size_t prefix = contract_spaces[PLAIN].prefix.size;
    struct got got = {0};
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (char)i;
    memcpy(key, contract_spaces[PLAIN].prefix.text, prefix);
    memcpy(key + prefix, "\0\r\n*$\xFF\0", 7);
    struct varve__cache_item items[] = {
        {.key = {key, prefix + 7}, .value = {all, sizeof all}},
        {.key = {key, prefix + 6}, .value = {"\0", 1}},
    };
    put_items(contract, PLAIN, items, 2);
    get_keys(contract, PLAIN, &items[0].key, 1, VARVE__TTL_KEEP, &got);
    assert_int_equal(got.sizes[0], sizeof all);
    assert_memory_equal(got.last, all, sizeof all);
    get_keys(contract, PLAIN, &items[1].key, 1, VARVE__TTL_KEEP, &got);
    assert_int_equal(got.sizes[0], 1);
    assert_int_equal(got.last[0], 0);
}

static void
a_large_value_comes_back_whole(void **state)
{
    enum {
        SIZE = 1 << 20
    };
    char *bytes = test_malloc(SIZE);
    struct got got = {0};
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 7 + i / 1000);
    struct varve__cache_item item = {.key = key_of(PLAIN, "large"), .value = {bytes, SIZE}};
    put_items(*state, PLAIN, &item, 1);
    get_keys(*state, PLAIN, &item.key, 1, VARVE__TTL_KEEP, &got);
    assert_int_equal(got.sizes[0], SIZE);
    assert_int_equal(got.sum, sum_of(bytes, SIZE));
    test_free(bytes);
}

static void
items_of_a_call_are_put_in_their_order(void **state)
{
    struct varve__cache_item items[] = {
        {.key = key_of(PLAIN, "a"), .value = text_of("first")},
        {.key = key_of(PLAIN, "b"), .value = text_of("second")},
        {.key = key_of(PLAIN, "a"), .value = text_of("third")},
    };
    put_items(*state, PLAIN, items, 3);
    assert_string_equal(value_of(*state, PLAIN, "a", VARVE__TTL_KEEP), "third");
    assert_string_equal(value_of(*state, PLAIN, "b", VARVE__TTL_KEEP), "second");
}

static void
keys_of_a_call_are_got_in_their_order(void **state)
{
    struct varve__cache_text keys[] = {
        key_of(PLAIN, "b"), key_of(PLAIN, "none"), key_of(PLAIN, "a"), key_of(PLAIN, "b"),
        key_of(PLAIN, "nor this")};
    struct got got = {0};
    put_value(*state, PLAIN, "a", "1", 0, 0);
    put_value(*state, PLAIN, "b", "22", 0, 0);
    get_keys(*state, PLAIN, keys, 5, VARVE__TTL_KEEP, &got);
    assert_string_equal(got.order, "0 2 3 ");
    assert_int_equal(got.sizes[0], 2);
    assert_int_equal(got.sizes[2], 1);
    assert_int_equal(got.sizes[3], 2);
}

static void
thousands_are_put_and_got_in_one_call(void **state)
{
    struct contract *contract = *state;
    static struct varve__cache_text keys[3001];
    static char texts[3001][40];
    struct got got = {0};
    put_numbered(contract, PLAIN, 3000);
    for (size_t i = 0; i < 3001; i++) {
        int size = snprintf(
            texts[i], sizeof texts[i], "%sname%04zu", contract_spaces[PLAIN].prefix.text, i);
        keys[i] = (struct varve__cache_text){texts[i], (size_t)size};
    }
    get_keys(contract, PLAIN, keys, 3001, VARVE__TTL_KEEP, &got);
    assert_int_equal(got.count, 3000);
    assert_string_equal(got.last, "value2999");
}

static void
nothing_at_all_is_put_and_got(void **state)
{
    struct got got = {0};
    put_items(*state, PLAIN, NULL, 0);
    get_keys(*state, PLAIN, NULL, 0, VARVE__TTL_KEEP, &got);
    assert_int_equal(got.count, 0);
}

static void
what_take_fails_with_ends_the_get(void **state)
{
    struct contract *contract = *state;
    struct varve__cache_text keys[] = {key_of(PLAIN, "a"), key_of(PLAIN, "b"), key_of(PLAIN, "a")};
    struct got got = {.fail_at = 2};
    put_value(contract, PLAIN, "a", "1", 0, 0);
    put_value(contract, PLAIN, "b", "2", 0, 0);
    enum varve_status status = contract->cache->engine->get(
        contract->cache, &contract->watch, &contract_spaces[PLAIN], keys, 3, VARVE__TTL_KEEP,
        take_value, &got);
    assert_int_equal(status, VARVE_CORRUPT);
    assert_int_equal(got.count, 2);
    assert_string_equal(value_of(contract, PLAIN, "b", VARVE__TTL_KEEP), "2");
}

/* -------------------------------------------------------------------- lives */

static void
a_value_is_gone_when_its_life_is_over(void **state)
{
    put_value(*state, PLAIN, "short", "1", 80, 0);
    put_value(*state, PLAIN, "long", "2", 60 * SECOND, 0);
    put_value(*state, PLAIN, "ever", "3", 0, 0);
    assert_string_equal(value_of(*state, PLAIN, "short", VARVE__TTL_KEEP), "1");
    let_pass(100);
    assert_null(value_of(*state, PLAIN, "short", VARVE__TTL_KEEP));
    assert_string_equal(value_of(*state, PLAIN, "long", VARVE__TTL_KEEP), "2");
    assert_string_equal(value_of(*state, PLAIN, "ever", VARVE__TTL_KEEP), "3");
}

static void
a_put_gives_a_new_life(void **state)
{
    put_value(*state, PLAIN, "a", "1", 80, 0);
    put_value(*state, PLAIN, "b", "1", 80, 0);
    put_value(*state, PLAIN, "c", "1", 0, 0);
    put_value(*state, PLAIN, "a", "2", 0, 0);
    put_value(*state, PLAIN, "b", "2", 60 * SECOND, 0);
    put_value(*state, PLAIN, "c", "2", 80, 0);
    let_pass(100);
    assert_string_equal(value_of(*state, PLAIN, "a", VARVE__TTL_KEEP), "2");
    assert_string_equal(value_of(*state, PLAIN, "b", VARVE__TTL_KEEP), "2");
    assert_null(value_of(*state, PLAIN, "c", VARVE__TTL_KEEP));
    put_value(*state, PLAIN, "c", "3", 0, 0);
    assert_string_equal(value_of(*state, PLAIN, "c", VARVE__TTL_KEEP), "3");
}

static void
a_get_keeps_the_life_or_gives_one(void **state)
{
    put_value(*state, PLAIN, "kept", "1", 150, 0);
    put_value(*state, PLAIN, "longer", "2", 150, 0);
    put_value(*state, PLAIN, "for ever", "3", 150, 0);
    put_value(*state, PLAIN, "shorter", "4", 0, 0);
    assert_non_null(value_of(*state, PLAIN, "kept", VARVE__TTL_KEEP));
    assert_non_null(value_of(*state, PLAIN, "longer", 60 * SECOND));
    assert_non_null(value_of(*state, PLAIN, "for ever", VARVE__TTL_NONE));
    assert_non_null(value_of(*state, PLAIN, "shorter", 150));
    let_pass(180);
    assert_null(value_of(*state, PLAIN, "kept", VARVE__TTL_KEEP));
    assert_non_null(value_of(*state, PLAIN, "longer", VARVE__TTL_KEEP));
    assert_non_null(value_of(*state, PLAIN, "for ever", VARVE__TTL_KEEP));
    assert_null(value_of(*state, PLAIN, "shorter", VARVE__TTL_KEEP));
}

static void
a_touch_gives_a_life_to_what_is_there(void **state)
{
    put_value(*state, PLAIN, "longer", "1", 150, 0);
    put_value(*state, PLAIN, "for ever", "2", 150, 0);
    put_value(*state, PLAIN, "shorter", "3", 0, 0);
    assert_true(touch_value(*state, PLAIN, "longer", 60 * SECOND));
    assert_true(touch_value(*state, PLAIN, "for ever", VARVE__TTL_NONE));
    assert_true(touch_value(*state, PLAIN, "shorter", 150));
    assert_false(touch_value(*state, PLAIN, "none", 60 * SECOND));
    assert_false(touch_value(*state, PLAIN, "none", VARVE__TTL_NONE));
    let_pass(180);
    assert_string_equal(value_of(*state, PLAIN, "longer", VARVE__TTL_KEEP), "1");
    assert_string_equal(value_of(*state, PLAIN, "for ever", VARVE__TTL_KEEP), "2");
    assert_false(touch_value(*state, PLAIN, "shorter", 60 * SECOND));
    assert_null(value_of(*state, PLAIN, "shorter", VARVE__TTL_KEEP));
    assert_null(value_of(*state, PLAIN, "none", VARVE__TTL_KEEP));
}

static void
a_touch_without_a_life_is_found_where_there_was_none(void **state)
{
    put_value(*state, PLAIN, "a", "1", VARVE__TTL_NONE, 0);
    assert_true(touch_value(*state, PLAIN, "a", VARVE__TTL_NONE));
    assert_string_equal(value_of(*state, PLAIN, "a", VARVE__TTL_NONE), "1");
    assert_string_equal(value_of(*state, PLAIN, "a", VARVE__TTL_KEEP), "1");
}

static void
the_longest_life_is_taken(void **state)
{
    put_value(*state, PLAIN, "a", "1", VARVE__TTL_MAX_MS, 0);
    assert_true(touch_value(*state, PLAIN, "a", VARVE__TTL_MAX_MS));
    assert_string_equal(value_of(*state, PLAIN, "a", VARVE__TTL_MAX_MS), "1");
}

static void
a_removed_value_is_gone(void **state)
{
    put_value(*state, PLAIN, "a", "1", 0, 0);
    put_value(*state, PLAIN, "short", "2", 50, 0);
    assert_true(remove_value(*state, PLAIN, "a"));
    assert_null(value_of(*state, PLAIN, "a", VARVE__TTL_KEEP));
    assert_false(remove_value(*state, PLAIN, "a"));
    let_pass(80);
    assert_false(remove_value(*state, PLAIN, "short"));
    put_value(*state, PLAIN, "a", "3", 0, 0);
    assert_string_equal(value_of(*state, PLAIN, "a", VARVE__TTL_KEEP), "3");
}

/* -------------------------------------------------------------------- walk, health */

static void
a_walk_counts_values_by_their_space(void **state)
{
    struct counted counted = {0};
    struct varve__cache_walk walk = {.count = count_value, .context = &counted};
    put_numbered(*state, PLAIN, 500); /* each of nine bytes */
    put_value(*state, TIMED, "a", "12345", 0, 1);
    put_value(*state, TIMED, "b", "", 60 * SECOND, 2);
    put_value(*state, FOREIGN, "c", "12345", 0, 0);
    put_value(*state, PLAIN, "short", "12345", 40, 0);
    let_pass(60);
    walk_package(*state, &walk);
    assert_int_equal(counted.keys[PLAIN], 500);
    assert_int_equal(counted.bytes[PLAIN], 500 * 9);
    assert_int_equal(counted.keys[TIMED], 2);
    assert_int_equal(counted.bytes[TIMED], 5);
    assert_int_equal(counted.keys[TIMED_TOO], 0);
    assert_int_equal(walk.keys_removed, 0);
}

static void
a_walk_removes_what_is_not_wanted(void **state)
{
    struct counted counted = {.unwanted = "name00"};
    struct varve__cache_walk walk = {.wanted = is_wanted, .context = &counted};
    put_numbered(*state, PLAIN, 300);
    put_value(*state, FOREIGN, "name0000", "1", 0, 0);
    walk_package(*state, &walk);
    assert_int_equal(walk.keys_removed, 100);
    assert_null(value_of(*state, PLAIN, "name0000", VARVE__TTL_KEEP));
    assert_null(value_of(*state, PLAIN, "name0099", VARVE__TTL_KEEP));
    assert_string_equal(value_of(*state, PLAIN, "name0100", VARVE__TTL_KEEP), "value0100");
    assert_string_equal(value_of(*state, FOREIGN, "name0000", VARVE__TTL_KEEP), "1");
    walk.keys_removed = 0;
    walk_package(*state, &walk);
    assert_int_equal(walk.keys_removed, 0);
}

static void
a_walk_leaves_no_entries_without_values(void **state)
{
    struct counted all = {0};
    struct varve__cache_walk walk = {.wanted = is_wanted, .context = &all};
    put_value(*state, TIMED, "a", "", 40, 1);
    put_value(*state, TIMED, "b", "", 0, 2);
    put_value(*state, TIMED, "c", "", 40, 3);
    let_pass(60);
    walk_package(*state, &walk);
    assert_int_equal(walk.entries_removed + walk.expired_removed, 2);
    assert_int_equal(walk.keys_removed, 0);
    walk.entries_removed = walk.expired_removed = 0;
    walk_package(*state, &walk);
    assert_int_equal(walk.entries_removed + walk.expired_removed, 0);
    assert_string_equal(recent_names(*state, TIMED, INT64_MIN, 10), "b");
}

static void
health_tells_the_memory(void **state)
{
    struct contract *contract = *state;
    struct varve_cache_health health = {0};
    put_numbered(contract, PLAIN, 100);
    enum varve_status status =
        contract->cache->engine->health(contract->cache, &contract->watch, &health);
    assert_int_equal(status, VARVE_OK);
    assert_true(health.used_bytes >= 100 * 9);
    assert_true(health.max_bytes >= 0);
    assert_int_equal(health.evictions, 0);
    assert_int_equal(health.breaker, VARVE_BREAKER_CLOSED);
    assert_int_equal(health.failures, 0);
    assert_string_equal(contract->cache->engine->name, engine_name());
}

/* -------------------------------------------------------------------- watch */

static void
a_call_that_is_interrupted_ends(void **state)
{
    struct contract *contract = *state;
    static struct varve__cache_text keys[2000];
    struct got got = {0};
    put_numbered(contract, PLAIN, 1);
    for (size_t i = 0; i < 2000; i++)
        keys[i] = key_of(PLAIN, "name0000");
    atomic_store(&contract->watch.interrupted, true);
    enum varve_status status = contract->cache->engine->get(
        contract->cache, &contract->watch, &contract_spaces[PLAIN], keys, 2000, VARVE__TTL_KEEP,
        take_value, &got);
    assert_int_equal(status, VARVE_INTERRUPTED);
    assert_true(got.count < 2000);
    atomic_store(&contract->watch.interrupted, false);
    assert_non_null(value_of(contract, PLAIN, "name0000", VARVE__TTL_KEEP));
}

static void
a_call_ends_when_its_time_is_over(void **state)
{
    struct contract *contract = *state;
    struct varve__cache_walk walk = {0};
    put_numbered(contract, PLAIN, 3000);
    contract->watch.call_timeout_ms = 1;
    contract->watch.call_end = varve__monotonic_now() - 1;
    static const char *packages[] = {"contract"};
    const struct varve__spaces spaces = {.packages = packages, .package_count = 1};
    enum varve_status status =
        contract->cache->engine->walk(contract->cache, &contract->watch, &spaces, &walk);
    assert_int_equal(status, VARVE_TIMEOUT);
    contract->watch = (struct varve__watch){0};
    assert_non_null(value_of(contract, PLAIN, "name2999", VARVE__TTL_KEEP));
}

int
contract_run(const struct contract_factory *factory)
{
#define BEHAVIOUR(test) cmocka_unit_test_setup_teardown(test, open_contract, close_contract)
    const struct CMUnitTest tests[] = {
        BEHAVIOUR(a_value_that_is_put_is_got),
        BEHAVIOUR(a_value_is_replaced),
        BEHAVIOUR(what_is_not_there_is_not_taken),
        BEHAVIOUR(keys_and_values_are_bytes),
        BEHAVIOUR(a_large_value_comes_back_whole),
        BEHAVIOUR(items_of_a_call_are_put_in_their_order),
        BEHAVIOUR(keys_of_a_call_are_got_in_their_order),
        BEHAVIOUR(thousands_are_put_and_got_in_one_call),
        BEHAVIOUR(nothing_at_all_is_put_and_got),
        BEHAVIOUR(what_take_fails_with_ends_the_get),
        BEHAVIOUR(a_value_is_gone_when_its_life_is_over),
        BEHAVIOUR(a_put_gives_a_new_life),
        BEHAVIOUR(a_get_keeps_the_life_or_gives_one),
        BEHAVIOUR(a_touch_gives_a_life_to_what_is_there),
        BEHAVIOUR(a_touch_without_a_life_is_found_where_there_was_none),
        BEHAVIOUR(the_longest_life_is_taken),
        BEHAVIOUR(a_removed_value_is_gone),
        BEHAVIOUR(the_newest_come_first),
        BEHAVIOUR(of_one_time_the_greater_key_comes_first),
        BEHAVIOUR(times_are_exact_to_the_nanosecond),
        BEHAVIOUR(times_before_1970_are_in_order),
        BEHAVIOUR(a_long_order_is_read_in_pages),
        BEHAVIOUR(a_page_is_about_as_long_as_asked_for),
        BEHAVIOUR(a_put_moves_the_value_in_the_order),
        BEHAVIOUR(removed_and_expired_values_leave_the_order),
        BEHAVIOUR(recent_gives_lives),
        BEHAVIOUR(what_take_fails_with_ends_the_reading),
        BEHAVIOUR(a_walk_counts_values_by_their_space),
        BEHAVIOUR(a_walk_removes_what_is_not_wanted),
        BEHAVIOUR(a_walk_leaves_no_entries_without_values),
        BEHAVIOUR(health_tells_the_memory),
        BEHAVIOUR(a_call_that_is_interrupted_ends),
        BEHAVIOUR(a_call_ends_when_its_time_is_over),
        BEHAVIOUR(eight_threads_never_see_a_value_in_pieces),
    };
    use_factory(factory);
    return cmocka_run_group_tests_name(factory->name, tests, NULL, NULL);
}
