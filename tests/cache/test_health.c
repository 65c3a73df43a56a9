/* What varve_health() says of a cache. */
#include "api_support.h"

#include <string.h>

enum {
    SMALL_CACHE = 64 << 10 /* bytes */
};

static struct varve_health_report
health_of(const struct api *api)
{
    struct varve_health_report health;
    expect_ok(NULL, varve_health(api->store, &health));
    return health;
}

/* What the report has of this message; it stands there once. */
static struct varve_cache_message
message_of(const struct varve_health_report *health, const struct varve_record *table)
{
    struct varve_cache_message found = {0};
    for (size_t i = 0; i < health->cache.message_count; i++) {
        if (strcmp(health->cache.messages[i].record, table->descriptor->name) != 0)
            continue;
        assert_null(found.record);
        found = health->cache.messages[i];
    }
    assert_non_null(found.record);
    return found;
}

/* -------------------------------------------------------------------- figures */

static void
test_shares_and_quantiles_are_of_the_counts(void **state)
{
    (void)state;
    struct varve_cache_health cache = {.hits = 3, .misses = 1};
    struct varve_latency latency = {0};
    assert_true(varve_cache_hit_rate(&cache) == 0.75);
    cache = (struct varve_cache_health){0};
    assert_true(varve_cache_hit_rate(&cache) == 0.0);
    assert_int_equal(varve_latency_quantile(&latency, 0.5), 0);
    latency.count = 100;
    latency.longest_ns = 5000;
    latency.buckets[10] = 98;
    latency.buckets[12] = 1;
    latency.buckets[13] = 1;
    assert_int_equal(varve_latency_quantile(&latency, 0.0), 1024);
    assert_int_equal(varve_latency_quantile(&latency, 0.5), 1024);
    assert_int_equal(varve_latency_quantile(&latency, 0.98), 1024);
    assert_int_equal(varve_latency_quantile(&latency, 0.99), 4096);
    assert_int_equal(varve_latency_quantile(&latency, 1.0), 8192);
}

static void
test_every_operation_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < VARVE_OPERATION_COUNT; i++) {
        const char *name = varve_operation_name((enum varve_operation)i);
        bool cached = i < VARVE_OPERATION_RECORD_INSERT;
        assert_non_null(name);
        assert_string_not_equal(name, "?");
        assert_true((strncmp(name, "cache_", 6) == 0) == cached);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(name, varve_operation_name((enum varve_operation)k));
    }
    assert_string_equal(varve_operation_name(VARVE_OPERATION_CACHE_GET_MANY), "cache_get_many");
    assert_string_equal(varve_operation_name(VARVE_OPERATION_RECORD_UPDATE), "record_update");
    assert_string_equal(varve_operation_name(VARVE_OPERATION_COUNT), "?");
}

static void
test_missing_arguments_are_misuse(void **state)
{
    struct api *api = *state;
    struct varve_health_report health;
    struct varve_maintenance_report report;
    assert_int_equal(varve_health(NULL, &health), VARVE_MISUSE);
    assert_non_null(strstr(varve_session_error(NULL), "varve_health: the store is NULL"));
    varve_health_free(&health); /* empty */
    assert_int_equal(varve_health(api->store, NULL), VARVE_MISUSE);
    assert_int_equal(varve_maintain(NULL, &report), VARVE_MISUSE);
    assert_non_null(strstr(varve_session_error(NULL), "varve_maintain: the store is NULL"));
    expect_ok(NULL, varve_maintain(api->store, NULL)); /* the report may be */
    varve_health_free(NULL);
}

/* -------------------------------------------------------------------- counters */

static void
test_hits_and_misses_are_counted(void **state)
{
    struct api *api = *state;
    struct cache_lab_reading keys[3] = {
        CACHE_LAB_READING_INIT, CACHE_LAB_READING_INIT, CACHE_LAB_READING_INIT};
    struct cache_lab_reading **found;
    put_stored(api->session, "a", "x");
    expect_stored(api->session, "a", "x");
    expect_stored(api->session, "a", "x");
    expect_stored(api->session, "b", NULL);
    put_reading(api->session, 2, 1);
    keys[1].id = keys[2].id = 2;
    expect_ok(api->session, cache_lab_reading_cache_get_many(api->session, keys, 3, &found));
    cache_lab_reading_free_many(found);
    struct varve_health_report health = health_of(api);
    assert_string_equal(health.cache.engine, api->server ? "redis" : "embedded");
    assert_true(health.cache.available);
    assert_int_equal(health.cache.hits, 4);
    assert_int_equal(health.cache.misses, 2);
    varve_health_free(&health);
    assert_null(health.cache.messages);
}

static void
test_calls_are_timed(void **state)
{
    struct api *api = *state;
    struct varve_session *session = api->session;
    struct cache_lab_stored key = CACHE_LAB_STORED_INIT;
    struct varve_cursor *cursor;
    put_stored(session, "", "x");
    for (int i = 0; i < 3; i++)
        expect_stored(session, "", "x");
    expect_ok(session, cache_lab_stored_cache_touch(session, &key));
    expect_ok(session, cache_lab_stored_cache_delete(session, &key));
    expect_stored(session, "", NULL); /* that there is none is an answer */
    assert_int_equal(varve_cache_put(session, &cache_lab_stored_record, NULL, NULL), VARVE_MISUSE);
    expect_ok(session, cache_lab_reading_cache_recent(session, 0, 0, &cursor));
    expect_readings(cursor, NULL, 0);
    struct varve_health_report health = health_of(api);
    static const int64_t counts[VARVE_OPERATION_COUNT] = {
        [VARVE_OPERATION_CACHE_PUT] = 2,    [VARVE_OPERATION_CACHE_GET] = 4,
        [VARVE_OPERATION_CACHE_TOUCH] = 1,  [VARVE_OPERATION_CACHE_DELETE] = 1,
        [VARVE_OPERATION_CACHE_RECENT] = 1,
    };
    for (size_t i = 0; i < VARVE_OPERATION_COUNT; i++) {
        const struct varve_latency *latency = &health.latency[i];
        assert_int_equal(latency->count, counts[i]);
        assert_int_equal(latency->timed, counts[i]);
        assert_int_equal(latency->failures, i == VARVE_OPERATION_CACHE_PUT);
        assert_true(latency->total_ns >= latency->longest_ns);
        assert_true((latency->longest_ns > 0) == (counts[i] > 0));
        assert_true(varve_latency_quantile(latency, 1.0) >= latency->longest_ns);
    }
    varve_health_free(&health);
}

static void
test_values_are_counted_by_message(void **state)
{
    struct api *api = *state;
    for (int64_t i = 0; i < 50; i++)
        put_reading(api->session, i, i);
    put_stored(api->session, "a", "0123456789");
    put_stored(api->session, "b", "0123456789");
    struct varve_health_report health = health_of(api);
    assert_int_equal(health.cache.message_count, 11);
    assert_string_equal(health.cache.messages[0].record, "cache_lab.Sample"); /* schema order */
    assert_int_equal(message_of(&health, &cache_lab_reading_record).keys, 50);
    assert_int_equal(message_of(&health, &cache_lab_stored_record).keys, 2);
    /* the codec's byte, and both fields with two bytes before each */
    assert_int_equal(message_of(&health, &cache_lab_stored_record).bytes, 2 * (1 + 3 + 12));
    assert_int_equal(message_of(&health, &cache_lab_sample_record).keys, 0);
    assert_true(health.cache.used_bytes > 0);
    assert_true(health.cache.counted_at > 0 && health.cache.counted_at <= varve_now());
    varve_health_free(&health);
}

static void
test_redis_is_walked_through_once_a_minute(void **state)
{
    struct api *api = *state;
    put_stored(api->session, "a", "x");
    struct varve_health_report first = health_of(api);
    put_stored(api->session, "b", "x");
    struct varve_health_report second = health_of(api);
    bool again = !api->server;
    assert_int_equal(message_of(&first, &cache_lab_stored_record).keys, 1);
    assert_int_equal(message_of(&second, &cache_lab_stored_record).keys, again ? 2 : 1);
    assert_int_equal(second.cache.counted_at > first.cache.counted_at, again);
    varve_health_free(&first);
    varve_health_free(&second);
}

/* -------------------------------------------------------------------- the embedded cache */

static void
test_a_small_cache_evicts_what_was_not_used(void **state)
{
    struct api *api = *state;
    char text[1001];
    memset(text, 'x', 1000);
    text[1000] = '\0';
    api_open_with(api, (struct varve_config){.cache_bytes = SMALL_CACHE});
    put_stored(api->session, "used", text);
    for (int i = 0; i < 500; i++) {
        char name[] = {(char)('a' + i / 26), (char)('a' + i % 26), '\0'};
        put_stored(api->session, name, text);
        expect_stored(api->session, "used", text);
    }
    expect_stored(api->session, "aa", NULL);
    struct varve_health_report health = health_of(api);
    int64_t keys = message_of(&health, &cache_lab_stored_record).keys;
    assert_true(keys >= 50 && keys <= 64);
    assert_int_equal(health.cache.evictions, 501 - keys);
    assert_int_equal(health.cache.max_bytes, SMALL_CACHE);
    assert_true(health.cache.used_bytes > SMALL_CACHE / 2);
    assert_true(health.cache.used_bytes <= SMALL_CACHE);
    assert_int_equal(health.cache.expired, 0);
    varve_health_free(&health);
}

static void
test_a_value_that_has_no_room_at_all_is_refused(void **state)
{
    struct api *api = *state;
    static char text[SMALL_CACHE + 1];
    struct cache_lab_stored record = CACHE_LAB_STORED_INIT;
    memset(text, 'x', SMALL_CACHE);
    api_open_with(api, (struct varve_config){.cache_bytes = SMALL_CACHE});
    put_stored(api->session, "kept", "x");
    record.text = text;
    expect_failure(
        api->session, cache_lab_stored_cache_put(api->session, &record), VARVE_FULL, "cache_bytes");
    expect_stored(api->session, "kept", "x");
}

/* -------------------------------------------------------------------- Redis */

static void
test_a_server_that_is_gone_is_part_of_the_report(void **state)
{
    struct api *api = *state;
    api_open_with(api, (struct varve_config){.redis_retries = -1, .redis_breaker_failures = 2});
    put_stored(api->session, "a", "x");
    expect_stored(api->session, "absent", NULL); /* the last failure, which stays */
    api_kill_server(api);
    struct varve_health_report health = health_of(api);
    assert_non_null(strstr(varve_session_error(NULL), "stored:absent"));
    assert_false(health.cache.available);
    assert_int_equal(health.cache.used_bytes, -1);
    assert_int_equal(health.cache.counted_at, 0);
    assert_int_equal(health.cache.message_count, 11);
    assert_int_equal(health.cache.misses, 1);
    varve_health_free(&health);
    struct cache_lab_stored key = CACHE_LAB_STORED_INIT;
    struct cache_lab_stored *found;
    for (int i = 0; i < 2; i++)
        assert_int_equal(cache_lab_stored_cache_get(api->session, &key, &found), VARVE_UNAVAILABLE);
    health = health_of(api);
    assert_int_equal(health.cache.breaker, VARVE_BREAKER_OPEN);
    assert_int_equal(health.cache.breaker_opened, 1);
    assert_true(health.cache.failures >= 2);
    varve_health_free(&health);
    assert_int_equal(varve_maintain(api->store, NULL), VARVE_UNAVAILABLE);
}

static void
test_a_server_that_hangs_longer_than_a_call_is_part_of_the_report(void **state)
{
    struct api *api = *state;
    api_open_with(api, (struct varve_config){.call_timeout_ms = 100});
    put_stored(api->session, "a", "x");
    server_command(api->server, "CLIENT PAUSE 400");
    struct varve_health_report health = health_of(api);
    assert_false(health.cache.available);
    assert_int_equal(health.cache.used_bytes, -1);
    varve_health_free(&health);
    api_pass_time(api, 500);
    health = health_of(api);
    assert_true(health.cache.available);
    assert_int_equal(message_of(&health, &cache_lab_stored_record).keys, 1);
    varve_health_free(&health);
}

static void
test_a_put_is_neither_a_hit_nor_a_miss(void **state)
{
    struct api *api = *state;
    struct cache_lab_person person = CACHE_LAB_PERSON_INIT;
    person.id = add_person(api->session);
    expect_ok(api->session, cache_lab_person_cache_put(api->session, &person));
    struct varve_health_report health = health_of(api);
    assert_int_equal(health.cache.hits, 0);
    assert_int_equal(health.cache.misses, 0);
    varve_health_free(&health);
    expect_person(api->session, person.id, "before");
    health = health_of(api);
    assert_int_equal(health.cache.hits, 1);
    varve_health_free(&health);
}

static void
test_connections_are_reported(void **state)
{
    struct api *api = *state;
    api_open_with(api, (struct varve_config){.redis_pool_size = 3});
    put_stored(api->session, "a", "x");
    struct varve_health_report health = health_of(api);
    assert_int_equal(health.cache.connections_max, 3);
    assert_int_equal(health.cache.connections_open, 1);
    assert_int_equal(health.cache.breaker, VARVE_BREAKER_CLOSED);
    assert_int_equal(health.cache.failures, 0);
    varve_health_free(&health);
    api_kill_server(api);
    api_restart_server(api);
    put_stored(api->session, "a", "x"); /* a lost connection is replaced unseen */
    health = health_of(api);
    assert_true(health.cache.available);
    assert_true(health.cache.reconnects >= 1);
    varve_health_free(&health);
}

static void
test_invalidations_that_wait_are_reported_and_sent(void **state)
{
    struct api *api = *state;
    api_open_with(api, (struct varve_config){.redis_retries = -1});
    struct cache_lab_person person = CACHE_LAB_PERSON_INIT;
    person.id = add_person(api->session);
    person.name = "after";
    expect_person(api->session, person.id, "before");
    expect_person(api->session, person.id, "before"); /* of its copy */
    api_kill_server(api);
    expect_ok(api->session, cache_lab_person_update(api->session, &person));
    struct varve_health_report health = health_of(api);
    assert_int_equal(health.cache.waiting_invalidations, 1);
    assert_int_equal(health.cache.dropped, 1);
    varve_health_free(&health);
    expect_person(api->session, person.id, "after");
    api_restart_server(api);
    api_open_with(
        api, (struct varve_config){0}); /* without the breaker's pause; it sends them too */
    health = health_of(api);
    assert_int_equal(health.cache.waiting_invalidations, 0);
    varve_health_free(&health);
    expect_person(api->session, person.id, "after");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        API_TEST(test_shares_and_quantiles_are_of_the_counts),
        API_TEST(test_every_operation_has_a_name_of_its_own),
        API_TEST(test_missing_arguments_are_misuse),
        API_TEST(test_hits_and_misses_are_counted),
        API_TEST(test_calls_are_timed),
        API_TEST(test_values_are_counted_by_message),
        API_TEST(test_redis_is_walked_through_once_a_minute),
    };
    const struct CMUnitTest embedded[] = {
        API_TEST(test_a_small_cache_evicts_what_was_not_used),
        API_TEST(test_a_value_that_has_no_room_at_all_is_refused),
    };
    const struct CMUnitTest redis[] = {
        API_TEST(test_a_server_that_is_gone_is_part_of_the_report),
        API_TEST(test_a_server_that_hangs_longer_than_a_call_is_part_of_the_report),
        API_TEST(test_a_put_is_neither_a_hit_nor_a_miss),
        API_TEST(test_connections_are_reported),
        API_TEST(test_invalidations_that_wait_are_reported_and_sent),
    };
    return API_RUN("health", tests) + API_RUN_EMBEDDED("health_of", embedded) +
           API_RUN_REDIS("health_of", redis);
}
