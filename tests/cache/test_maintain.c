/* What varve_maintain() removes from a cache, and what it leaves alone. */
#include "api_support.h"

#include <stdio.h>
#include <string.h>

static struct varve_maintenance_report
maintained(const struct api *api)
{
    struct varve_maintenance_report report;
    expect_ok(NULL, varve_maintain(api->store, &report));
    return report;
}

static int64_t
hits_of(const struct api *api)
{
    struct varve_health_report health;
    expect_ok(NULL, varve_health(api->store, &health));
    int64_t hits = health.cache.hits;
    varve_health_free(&health);
    return hits;
}

static void
test_maintenance_does_not_wait_for_its_own_thread(void **state)
{
    struct api *api = *state;
    expect_ok(api->session, varve_begin(api->session));
    assert_int_equal(varve_maintain(api->store, NULL), VARVE_MISUSE);
    assert_non_null(strstr(varve_session_error(NULL), "commit or roll back"));
    expect_ok(api->session, varve_rollback(api->session));
    expect_ok(api->session, varve_begin_read(api->session));
    expect_ok(NULL, varve_maintain(api->store, NULL));
    expect_ok(api->session, varve_commit(api->session));
}

static void
test_maintenance_leaves_alone_what_is_of_use(void **state)
{
    struct api *api = *state;
    struct varve_cursor *cursor;
    int64_t id = add_person(api->session);
    put_stored(api->session, "a:%", "x");
    put_reading(api->session, -5, 5);
    put_reading(api->session, 6, 6);
    expect_person(api->session, id, "before");
    struct varve_maintenance_report report = maintained(api);
    assert_int_equal(report.cache_keys_removed, 0);
    assert_int_equal(report.cache_entries_removed, 0);
    expect_stored(api->session, "a:%", "x");
    expect_ok(api->session, cache_lab_reading_cache_recent(api->session, 0, 0, &cursor));
    expect_readings(cursor, (int64_t[]){6, -5}, 2);
    int64_t hits = hits_of(api);
    expect_person(api->session, id, "before");
    assert_int_equal(hits_of(api), hits + (api->server ? 1 : 0)); /* still its copy */
}

static bool
has_key(struct api *api, const char *key)
{
    return strcmp(server_command(api->server, "EXISTS %s", key), "1") == 0;
}

static void
test_maintenance_removes_what_the_schema_does_not_know(void **state)
{
    struct api *api = *state;
    static const char *const old[] = {
        "cache_lab:00000001:note:a",       /* of a message, or of a template, that is no more */
        "cache_lab:00000001:1f.2.3:x@run", /* a copy of such */
        "cache_lab:note",                  /* what no varve writes */
        "cache_lab:",
    };
    char key[64];
    snprintf(
        key, sizeof key, "cache_lab:%08x:stored", (unsigned)cache_lab_stored_record.cache->space);
    for (size_t i = 0; i < sizeof old / sizeof *old; i++)
        server_command(api->server, "SET %s x", old[i]);
    server_command(api->server, "SET %s x", key); /* no key of its message */
    put_stored(api->session, "a", "x");
    assert_int_equal(maintained(api).cache_keys_removed, 5);
    for (size_t i = 0; i < sizeof old / sizeof *old; i++)
        assert_false(has_key(api, old[i]));
    assert_false(has_key(api, key));
    assert_int_equal(maintained(api).cache_keys_removed, 0);
    expect_stored(api->session, "a", "x");
}

static void
test_maintenance_leaves_the_keys_of_others_alone(void **state)
{
    struct api *api = *state;
    static const char *const others[] = {"cache_lab",   "cache_labor:1", "cache_lab2:00000001:a",
                                         "CACHE_LAB:1", "x:cache_lab:1", "cache_la?:1",
                                         "session:17"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        server_command(api->server, "SET %s x", others[i]);
    server_command(api->server, "LPUSH queue x");
    assert_int_equal(maintained(api).cache_keys_removed, 0);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_true(has_key(api, others[i]));
    assert_true(has_key(api, "queue"));
}

static void
test_maintenance_removes_entries_whose_values_are_gone(void **state)
{
    struct api *api = *state;
    struct varve_cursor *cursor;
    struct cache_lab_reading reading = CACHE_LAB_READING_INIT;
    for (int64_t id = 1; id <= 10; id++)
        put_reading(api->session, id, id);
    for (reading.id = 2; reading.id <= 8; reading.id++)
        server_command(api->server, "DEL %s", redis_key(&cache_lab_reading_record, &reading));
    struct varve_maintenance_report report = maintained(api);
    assert_int_equal(report.cache_entries_removed, 7);
    assert_int_equal(report.cache_keys_removed, 0);
    assert_int_equal(maintained(api).cache_entries_removed, 0);
    expect_ok(api->session, cache_lab_reading_cache_recent(api->session, 0, 0, &cursor));
    expect_readings(cursor, (int64_t[]){10, 9, 1}, 3);
}

static void
test_maintenance_removes_what_has_expired(void **state)
{
    struct api *api = *state;
    struct cache_lab_flash flash = CACHE_LAB_FLASH_INIT;
    for (int i = 0; i < 10; i++) {
        char name[] = {(char)('a' + i), '\0'};
        flash.name = name;
        expect_ok(api->session, cache_lab_flash_cache_put(api->session, &flash));
    }
    put_stored(api->session, "kept", "x");
    assert_int_equal(maintained(api).cache_expired_removed, 0);
    api_pass_time(api, 1001);
    struct varve_maintenance_report report = maintained(api);
    assert_int_equal(report.cache_expired_removed, 10);
    assert_int_equal(report.cache_keys_removed, 0);
    assert_int_equal(maintained(api).cache_expired_removed, 0);
    expect_stored(api->session, "kept", "x");
}

static void
test_maintenance_sends_invalidations_that_wait(void **state)
{
    struct api *api = *state;
    api_open_with(api, (struct varve_config){.redis_retries = -1, .redis_breaker_failures = -1});
    struct cache_lab_person person = CACHE_LAB_PERSON_INIT;
    person.id = add_person(api->session);
    person.name = "after";
    expect_person(api->session, person.id, "before");
    api_kill_server(api);
    expect_ok(api->session, cache_lab_person_update(api->session, &person));
    struct varve_maintenance_report report;
    assert_int_equal(varve_maintain(api->store, &report), VARVE_UNAVAILABLE);
    assert_int_equal(report.invalidations_sent, 0);
    api_restart_server(api);
    assert_int_equal(maintained(api).invalidations_sent, 1);
    assert_int_equal(maintained(api).invalidations_sent, 0);
    expect_person(api->session, person.id, "after");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        API_TEST(test_maintenance_does_not_wait_for_its_own_thread),
        API_TEST(test_maintenance_leaves_alone_what_is_of_use),
    };
    const struct CMUnitTest embedded[] = {
        API_TEST(test_maintenance_removes_what_has_expired),
    };
    const struct CMUnitTest redis[] = {
        API_TEST(test_maintenance_sends_invalidations_that_wait),
        API_TEST(test_maintenance_removes_what_the_schema_does_not_know),
        API_TEST(test_maintenance_leaves_the_keys_of_others_alone),
        API_TEST(test_maintenance_removes_entries_whose_values_are_gone),
    };
    return API_RUN("maintain", tests) + API_RUN_EMBEDDED("maintain_of", embedded) +
           API_RUN_REDIS("maintain_of", redis);
}
