/* The embedded engine: the contract, and what only it does: a budget in bytes, and eviction. */
#include "contract_support.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cache/embedded_sql.h"

#define SECOND INT64_C(1000) /* ms */

static int64_t now = INT64_C(1764000000000000000);
static int64_t budget = 64 << 20;

static int64_t
tell_time(void *context)
{
    (void)context;
    return now;
}

static void
advance(int64_t ms)
{
    now += ms * 1000000;
}

static struct varve__cache *
open_engine(void)
{
    const struct varve__embedded_options options = {.max_bytes = budget, .clock = tell_time};
    struct varve__cache *cache;
    assert_int_equal(varve__embedded_open(&options, &cache), VARVE_OK);
    return cache;
}

static struct varve_cache_health
health_of(struct contract *contract)
{
    struct varve_cache_health health = {0};
    enum varve_status status =
        contract->cache->engine->health(contract->cache, &contract->watch, &health);
    assert_int_equal(status, VARVE_OK);
    return health;
}

/* An engine for five values with a name of one letter and a value of ten bytes. */
static int
open_small(void **state)
{
    int64_t each = (int64_t)contract_spaces[PLAIN].prefix.size + 1 + 10 + VARVE__EMBEDDED_ROW_SIZE;
    budget = 5 * each;
    return open_contract(state);
}

static int
close_small(void **state)
{
    budget = 64 << 20;
    return close_contract(state);
}

static void
put_letters(struct contract *contract, const char *letters)
{
    for (; *letters; letters++) {
        char name[] = {*letters, '\0'};
        put_value(contract, PLAIN, name, "0123456789", 0, 0);
    }
}

/* Which of the letters a .. h are there, found without using them: by a walk. */
static bool
note_key(void *context, struct varve__cache_text key)
{
    char *present = context;
    present[key.text[key.size - 1] - 'a'] = key.text[key.size - 1];
    return true;
}

static void
assert_letters(struct contract *contract, const char *letters)
{
    char present[27] = "                          ", found[27] = "";
    struct varve__cache_walk walk = {.wanted = note_key, .context = present};
    walk_package(contract, &walk);
    for (size_t i = 0, n = 0; i < 26; i++) {
        if (present[i] != ' ')
            found[n++] = present[i];
    }
    assert_string_equal(found, letters);
}

/* -------------------------------------------------------------------- eviction */

static void
what_was_put_first_goes_first(void **state)
{
    put_letters(*state, "abcde");
    assert_letters(*state, "abcde");
    assert_int_equal(health_of(*state).evictions, 0);
    put_letters(*state, "f");
    assert_letters(*state, "bcdef");
    put_letters(*state, "gh");
    assert_letters(*state, "defgh");
    assert_int_equal(health_of(*state).evictions, 3);
}

static void
what_was_used_stays(void **state)
{
    struct varve__cache_walk walk = {0};
    put_letters(*state, "abcde");
    assert_non_null(value_of(*state, PLAIN, "a", VARVE__TTL_KEEP));
    assert_true(touch_value(*state, PLAIN, "c", 0));
    put_letters(*state, "b"); /* in place of itself */
    assert_null(value_of(*state, PLAIN, "x", VARVE__TTL_KEEP));
    walk_package(*state, &walk); /* uses nothing */
    put_letters(*state, "fg");
    assert_letters(*state, "abcfg"); /* used last: d e a c b f g */
    put_letters(*state, "h");
    assert_letters(*state, "bcfgh");
    put_letters(*state, "d");
    assert_letters(*state, "bdfgh");
}

static void
reading_an_order_uses_its_values(void **state)
{
    for (int i = 0; i < 4; i++) {
        char name[] = {(char)('a' + i), '\0'};
        put_value(*state, TIMED, name, "0123456789", 0, i);
    }
    put_letters(*state, "e");
    assert_string_equal(recent_names(*state, TIMED, 1, 2), "d c b");
    put_letters(*state, "fg");
    assert_letters(*state, "bcdfg");
    assert_string_equal(recent_names(*state, TIMED, INT64_MIN, 2), "d c b");
}

static void
a_larger_value_makes_room_for_itself(void **state)
{
    put_letters(*state, "abcde");
    put_value(
        *state, PLAIN, "a", "0123456789x", 0, 0); /* the oldest, and does not make room itself */
    assert_letters(*state, "acde");
    assert_string_equal(value_of(*state, PLAIN, "a", VARVE__TTL_KEEP), "0123456789x");
    put_value(*state, PLAIN, "a", "012345678", 0, 0);
    put_letters(*state, "f");
    assert_letters(*state, "acdef");
}

static void
what_has_expired_goes_before_what_is_old(void **state)
{
    put_letters(*state, "abc");
    put_value(*state, PLAIN, "d", "0123456789", 10, 0);
    put_letters(*state, "e");
    advance(10);
    put_letters(*state, "f");
    assert_letters(*state, "abcef");
    assert_int_equal(health_of(*state).evictions, 0);
    assert_int_equal(health_of(*state).expired, 1);
}

static void
a_value_over_the_budget_is_refused(void **state)
{
    struct contract *contract = *state;
    static char large[2000];
    size_t done = 7;
    memset(large, 'x', sizeof large);
    const struct varve__cache_item items[] = {
        {.key = key_of(PLAIN, "a"), .value = text_of("1")},
        {.key = key_of(PLAIN, "b"), .value = {large, sizeof large}},
        {.key = key_of(PLAIN, "c"), .value = text_of("3")},
    };
    enum varve_status status = contract->cache->engine->put(
        contract->cache, &contract->watch, &contract_spaces[PLAIN], items, 3, NULL, NULL, &done);
    assert_int_equal(status, VARVE_FULL);
    assert_int_equal(done, 1);
    assert_int_equal(varve__thread_failure()->tier, VARVE_TIER_CACHE);
    assert_non_null(strstr(varve__thread_error(), "cache_bytes"));
    assert_letters(contract, "a");
    assert_int_equal(health_of(contract).evictions, 0);
}

static void
a_value_of_exactly_the_budget_is_stored(void **state)
{
    char value[1000];
    size_t key = contract_spaces[PLAIN].prefix.size + 1;
    size_t size = (size_t)budget - key - VARVE__EMBEDDED_ROW_SIZE;
    put_letters(*state, "abcde");
    memset(value, 'x', size);
    value[size] = '\0';
    put_value(*state, PLAIN, "f", value, 0, 0);
    assert_letters(*state, "f");
    assert_int_equal(health_of(*state).used_bytes, budget);
    assert_int_equal(health_of(*state).evictions, 5);
}

static void
the_budget_is_kept(void **state)
{
    static char bytes[3000];
    int64_t last = 0;
    unsigned random = 1;
    memset(bytes, 'x', sizeof bytes);
    for (int i = 0; i < 3000; i++) {
        char name[32];
        random = random * 1103515245 + 12345;
        snprintf(name, sizeof name, "%u", random >> 20);
        struct varve__cache_item item = {
            .key = key_of(PLAIN, name), .value = {bytes, random % 600}, .ttl_ms = random % 9};
        put_items(*state, PLAIN, &item, 1);
        advance(1);
        last = health_of(*state).used_bytes;
        assert_true(last > 0 && last <= budget);
    }
    assert_true(last > budget / 4);
    assert_int_equal(health_of(*state).max_bytes, budget);
}

/* -------------------------------------------------------------------- memory */

static void
memory_is_counted_by_value(void **state)
{
    int64_t prefix = (int64_t)contract_spaces[PLAIN].prefix.size;
    assert_int_equal(health_of(*state).used_bytes, 0);
    put_value(*state, PLAIN, "ab", "123", 0, 0);
    int64_t size = prefix + 2 + 3 + VARVE__EMBEDDED_ROW_SIZE;
    assert_int_equal(health_of(*state).used_bytes, size);
    put_value(*state, PLAIN, "ab", "12345", 0, 0);
    assert_int_equal(health_of(*state).used_bytes, size + 2);
    put_value(*state, PLAIN, "c", "", 10, 0);
    assert_true(remove_value(*state, PLAIN, "ab"));
    assert_int_equal(health_of(*state).used_bytes, prefix + 1 + VARVE__EMBEDDED_ROW_SIZE);
    advance(10);
    assert_false(touch_value(*state, PLAIN, "c", 0)); /* finds it expired, and removes it */
    assert_int_equal(health_of(*state).used_bytes, 0);
    assert_int_equal(health_of(*state).expired, 1);
}

static void
puts_clear_what_has_expired(void **state)
{
    struct varve__cache_walk walk = {0};
    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        put_value(*state, PLAIN, name, "1", 1 + i % 7, 0);
    }
    advance(7);
    for (int i = 0; i < 40; i++)
        put_value(*state, PLAIN, "other", "1", 60 * SECOND, 0);
    assert_int_equal(health_of(*state).expired, 100);
    walk_package(*state, &walk);
    assert_int_equal(walk.expired_removed, 0);
}

static void
an_expiry_that_moves_is_not_forgotten(void **state)
{
    put_value(*state, PLAIN, "a", "1", 60 * SECOND, 0);
    put_value(*state, PLAIN, "b", "1", 0, 0);
    assert_true(touch_value(*state, PLAIN, "b", 10)); /* now the first to expire */
    advance(10);
    put_value(*state, PLAIN, "c", "1", 0, 0);
    assert_int_equal(health_of(*state).expired, 1);
    assert_non_null(value_of(*state, PLAIN, "a", 5));
    advance(5);
    put_value(*state, PLAIN, "d", "1", 0, 0);
    assert_int_equal(health_of(*state).expired, 2);
}

static void
a_life_ends_at_its_nanosecond(void **state)
{
    put_value(*state, PLAIN, "a", "1", 10, 0);
    advance(10);
    now--;
    assert_non_null(value_of(*state, PLAIN, "a", VARVE__TTL_KEEP));
    now++;
    assert_null(value_of(*state, PLAIN, "a", VARVE__TTL_KEEP));
}

/* Among so many keys some have the same 32-bit hash: on the average five pairs. */
static void
keys_with_one_hash_are_told_apart(void **state)
{
    enum {
        COUNT = 200000
    };
    struct contract *contract = *state;
    struct varve__embedded *embedded = (struct varve__embedded *)contract->cache;
    struct got got = {0};
    for (int i = 0; i < COUNT; i++) {
        char name[32];
        snprintf(name, sizeof name, "%d", i);
        put_value(contract, PLAIN, name, name, 0, 0);
    }
    assert_int_equal(embedded->slots.fresh, COUNT + 1);
    for (int i = 0; i < COUNT; i++) {
        char name[32];
        snprintf(name, sizeof name, "%d", i);
        struct varve__cache_text key = key_of(PLAIN, name);
        get_keys(contract, PLAIN, &key, 1, VARVE__TTL_KEEP, &got);
        assert_string_equal(got.last, name);
        got.order[0] = '\0';
    }
}

static void
hot_copies_are_not_kept(void **state)
{
    struct contract *contract = *state;
    assert_null(contract->cache->engine->copies);
}

int
main(void)
{
    static const struct contract_factory factory = {"embedded", open_engine, advance};
#define SMALL(test) cmocka_unit_test_setup_teardown(test, open_small, close_small)
#define LARGE(test) cmocka_unit_test_setup_teardown(test, open_contract, close_contract)
    const struct CMUnitTest tests[] = {
        SMALL(what_was_put_first_goes_first),
        SMALL(what_was_used_stays),
        SMALL(reading_an_order_uses_its_values),
        SMALL(a_larger_value_makes_room_for_itself),
        SMALL(what_has_expired_goes_before_what_is_old),
        SMALL(a_value_over_the_budget_is_refused),
        SMALL(a_value_of_exactly_the_budget_is_stored),
        SMALL(the_budget_is_kept),
        LARGE(memory_is_counted_by_value),
        LARGE(puts_clear_what_has_expired),
        LARGE(an_expiry_that_moves_is_not_forgotten),
        LARGE(a_life_ends_at_its_nanosecond),
        LARGE(keys_with_one_hash_are_told_apart),
        LARGE(hot_copies_are_not_kept),
    };
    int failed = contract_run(&factory);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
