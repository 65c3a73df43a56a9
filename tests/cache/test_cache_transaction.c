/* Cache writes of a transaction: they wait for the commit, and what becomes of them when there is none. */
#include "api_support.h"

#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

static struct varve_session *
session_of(void **state)
{
    return ((struct api *)*state)->session;
}

static enum varve_status
delete_stored(struct varve_session *session, const char *name)
{
    struct cache_lab_stored key = CACHE_LAB_STORED_INIT;
    key.name = name;
    return cache_lab_stored_cache_delete(session, &key);
}

static enum varve_status
touch_stored(struct varve_session *session, const char *name, int64_t ttl_seconds)
{
    struct cache_lab_stored key = CACHE_LAB_STORED_INIT;
    key.name = name;
    return cache_lab_stored_cache_touch_with(
        session, &key, &(struct varve_cache_options){ttl_seconds});
}

static int64_t
dropped(const struct api *api)
{
    struct varve_health_report health;
    expect_ok(NULL, varve_health(api->store, &health));
    int64_t count = health.cache.dropped;
    varve_health_free(&health);
    return count;
}

/* -------------------------------------------------------------------- commit */

static void
test_puts_wait_for_the_commit(void **state)
{
    struct api *api = *state;
    struct varve_session *other = api_second_session(api);
    put_stored(api->session, "old", "before");
    expect_ok(api->session, varve_begin(api->session));
    put_stored(api->session, "new", "one");
    put_stored(api->session, "old", "after");
    put_stored(api->session, "new", "two");
    expect_stored(api->session, "new", "two"); /* its own */
    expect_stored(api->session, "old", "after");
    expect_stored(other, "new", NULL);
    expect_stored(other, "old", "before");
    expect_ok(api->session, varve_commit(api->session));
    expect_stored(other, "new", "two");
    expect_stored(other, "old", "after");
}

static void
test_deletes_wait_for_the_commit(void **state)
{
    struct api *api = *state;
    struct varve_session *other = api_second_session(api);
    put_stored(api->session, "a", "one");
    expect_ok(api->session, varve_begin(api->session));
    expect_ok(api->session, delete_stored(api->session, "a"));
    expect_stored(api->session, "a", NULL);
    expect_failure(api->session, delete_stored(api->session, "a"), VARVE_NOT_FOUND, "key stored:a");
    expect_failure(
        api->session, touch_stored(api->session, "a", 0), VARVE_NOT_FOUND, "key stored:a");
    expect_stored(other, "a", "one");
    expect_ok(api->session, varve_commit(api->session));
    expect_stored(other, "a", NULL);
}

static void
test_touches_wait_for_the_commit(void **state)
{
    struct api *api = *state;
    put_stored(api->session, "shorter", "x");
    put_stored(api->session, "kept", "x");
    expect_ok(api->session, varve_begin(api->session));
    expect_ok(api->session, touch_stored(api->session, "shorter", 1));
    put_stored(api->session, "new", "x");
    expect_ok(api->session, touch_stored(api->session, "new", 1)); /* what is only waiting */
    expect_failure(
        api->session, touch_stored(api->session, "absent", 1), VARVE_NOT_FOUND, "stored:absent");
    api_pass_time(api, 1100);
    expect_stored(api->session, "shorter", "x"); /* not yet */
    expect_ok(api->session, varve_commit(api->session));
    expect_stored(api->session, "shorter", "x"); /* from now on */
    expect_stored(api->session, "new", "x");
    api_pass_time(api, 1100);
    expect_stored(api->session, "shorter", NULL);
    expect_stored(api->session, "new", NULL);
    expect_stored(api->session, "kept", "x");
}

static void
test_writes_go_out_in_their_order(void **state)
{
    struct varve_session *session = session_of(state);
    struct cache_lab_reading reading = CACHE_LAB_READING_INIT;
    reading.id = 7;
    put_stored(session, "gone", "x");
    expect_ok(session, varve_begin(session));
    put_stored(session, "back", "first");
    expect_ok(session, delete_stored(session, "back"));
    put_reading(session, 7, 100);
    put_stored(session, "back", "again");
    expect_ok(session, delete_stored(session, "gone"));
    put_stored(session, "gone", "x");
    expect_ok(session, delete_stored(session, "gone"));
    expect_ok(session, cache_lab_reading_cache_delete(session, &reading));
    expect_ok(session, varve_commit(session));
    expect_stored(session, "back", "again");
    expect_stored(session, "gone", NULL);
    assert_int_equal(cache_lab_reading_cache_delete(session, &reading), VARVE_NOT_FOUND);
}

static void
test_get_many_sees_what_waits(void **state)
{
    struct varve_session *session = session_of(state);
    struct cache_lab_stored keys[4];
    struct cache_lab_stored **found;
    static const char *const names[] = {"kept", "deleted", "new", "absent"};
    for (size_t i = 0; i < 4; i++) {
        keys[i] = (struct cache_lab_stored)CACHE_LAB_STORED_INIT;
        keys[i].name = names[i];
    }
    put_stored(session, "kept", "k");
    put_stored(session, "deleted", "d");
    expect_ok(session, varve_begin(session));
    expect_ok(session, delete_stored(session, "deleted"));
    put_stored(session, "new", "n");
    expect_ok(session, cache_lab_stored_cache_get_many(session, keys, 4, &found));
    assert_string_equal(found[0]->text, "k");
    assert_null(found[1]);
    assert_string_equal(found[2]->text, "n");
    assert_null(found[3]);
    cache_lab_stored_free_many(found);
    expect_ok(session, varve_rollback(session));
}

static void
test_put_many_waits_and_is_refused_at_once(void **state)
{
    struct api *api = *state;
    struct varve_session *other = api_second_session(api);
    struct cache_lab_stored records[] = {CACHE_LAB_STORED_INIT, CACHE_LAB_STORED_INIT};
    records[0].name = "a";
    records[1].name = "b";
    expect_ok(api->session, varve_begin(api->session));
    records[1].text = "\xff";
    expect_failure(
        api->session, cache_lab_stored_cache_put_many(api->session, records, 2), VARVE_INVALID,
        "UTF-8");
    expect_stored(api->session, "a", NULL);
    records[1].text = "fine";
    expect_ok(api->session, cache_lab_stored_cache_put_many(api->session, records, 2));
    expect_stored(other, "b", NULL);
    expect_ok(api->session, varve_commit(api->session));
    expect_stored(other, "a", "");
    expect_stored(other, "b", "fine");
}

static void
test_a_transaction_that_reads_sends_at_once(void **state)
{
    struct api *api = *state;
    struct varve_session *other = api_second_session(api);
    expect_ok(api->session, varve_begin_read(api->session));
    put_stored(api->session, "a", "one");
    expect_stored(other, "a", "one");
    expect_ok(api->session, varve_rollback(api->session));
    expect_stored(other, "a", "one");
}

/* -------------------------------------------------------------------- rollback */

static void
test_a_rollback_forgets(void **state)
{
    struct varve_session *session = session_of(state);
    put_stored(session, "a", "before");
    put_stored(session, "b", "before");
    expect_ok(session, varve_begin(session));
    put_stored(session, "a", "after");
    put_stored(session, "new", "x");
    expect_ok(session, delete_stored(session, "b"));
    expect_ok(session, varve_rollback(session));
    expect_stored(session, "a", "before");
    expect_stored(session, "b", "before");
    expect_stored(session, "new", NULL);
    expect_ok(session, varve_begin(session)); /* nor are they sent by the next commit */
    expect_ok(session, varve_commit(session));
    expect_stored(session, "a", "before");
    expect_stored(session, "new", NULL);
}

static void
test_a_nested_rollback_forgets_only_its_own(void **state)
{
    struct varve_session *session = session_of(state);
    expect_ok(session, varve_begin(session));
    put_stored(session, "outer", "one");
    expect_ok(session, varve_begin(session));
    put_stored(session, "outer", "two");
    put_stored(session, "inner", "x");
    expect_stored(session, "outer", "two");
    expect_ok(session, varve_rollback(session));
    expect_stored(session, "outer", "one");
    expect_stored(session, "inner", NULL);
    put_stored(session, "after", "x");
    expect_ok(session, varve_commit(session));
    expect_stored(session, "outer", "one");
    expect_stored(session, "inner", NULL);
    expect_stored(session, "after", "x");
}

static void
test_a_nested_commit_waits_for_the_outer_one(void **state)
{
    struct api *api = *state;
    struct varve_session *session = api->session;
    struct varve_session *other = api_second_session(api);
    expect_ok(session, varve_begin(session));
    expect_ok(session, varve_begin(session));
    put_stored(session, "a", "x");
    expect_ok(session, varve_commit(session));
    expect_stored(session, "a", "x");
    expect_stored(other, "a", NULL);
    expect_ok(session, varve_begin(session)); /* at the depth of the one before */
    put_stored(session, "b", "x");
    expect_ok(session, varve_rollback(session));
    expect_stored(session, "a", "x");
    expect_ok(session, varve_commit(session));
    expect_stored(other, "a", "x");
    expect_stored(other, "b", NULL);
}

static void
test_a_nested_rollback_brings_back_what_waited_before(void **state)
{
    struct varve_session *session = session_of(state);
    char name[8];
    expect_ok(session, varve_begin(session));
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "%d", i);
        put_stored(session, name, "outer");
    }
    expect_ok(session, varve_begin(session));
    for (int i = 50; i < 150; i++) {
        snprintf(name, sizeof name, "%d", i);
        put_stored(session, name, "inner");
        expect_stored(session, name, "inner");
    }
    expect_ok(session, varve_rollback(session));
    for (int i = 0; i < 150; i++) {
        snprintf(name, sizeof name, "%d", i);
        expect_stored(session, name, i < 100 ? "outer" : NULL);
    }
    expect_ok(session, varve_rollback(session));
    expect_stored(session, "0", NULL);
}

static void
test_of_nested_commits_the_outer_rollback_forgets_all(void **state)
{
    struct varve_session *session = session_of(state);
    expect_ok(session, varve_begin(session));
    for (int i = 0; i < 3; i++) {
        expect_ok(session, varve_begin(session));
        put_stored(session, i == 1 ? "b" : "a", "x");
        expect_ok(session, varve_commit(session));
    }
    expect_ok(session, varve_rollback(session));
    expect_stored(session, "a", NULL);
    expect_stored(session, "b", NULL);
}

static void
test_closing_the_session_forgets(void **state)
{
    struct api *api = *state;
    expect_ok(api->session, varve_begin(api->session));
    put_stored(api->session, "a", "x");
    api_renew_session(api); /* it is the same one, of the pool */
    expect_stored(api->session, "a", NULL);
    expect_ok(api->session, varve_begin(api->session));
    expect_ok(api->session, varve_commit(api->session));
    expect_stored(api->session, "a", NULL);
}

/* -------------------------------------------------------------------- commits that fail */

/* Fills the database until a statement is refused, which undoes the whole transaction. */
static void
fill_database(struct varve_session *session)
{
    static char name[60000];
    struct cache_lab_person person = CACHE_LAB_PERSON_INIT;
    enum varve_status status = VARVE_OK;
    memset(name, 'x', sizeof name - 1);
    person.name = name;
    for (int i = 0; i < 200 && status == VARVE_OK; i++) {
        person.id = 0;
        status = cache_lab_person_insert(session, &person);
    }
    assert_int_equal(status, VARVE_FULL);
}

static void
limit_database(struct varve_session *session, const char *pragma)
{
    assert_int_equal(
        sqlite3_exec(varve_session_sqlite(session), pragma, NULL, NULL, NULL), SQLITE_OK);
}

static void
test_a_failed_commit_sends_nothing(void **state)
{
    struct varve_session *session = session_of(state);
    limit_database(session, "PRAGMA max_page_count = 300");
    expect_ok(session, varve_begin(session));
    put_stored(session, "a", "x");
    fill_database(session);
    assert_int_equal(varve_commit(session), VARVE_FULL);
    expect_stored(session, "a", NULL);
    limit_database(session, "PRAGMA max_page_count = 1000000");
    expect_ok(session, varve_begin(session));
    expect_ok(session, varve_commit(session));
    expect_stored(session, "a", NULL);
}

static void
test_a_server_that_is_gone_does_not_fail_the_commit(void **state)
{
    struct api *api = *state;
    struct cache_lab_person person = CACHE_LAB_PERSON_INIT;
    struct cache_lab_person *found;
    api_open_with(api, (struct varve_config){.redis_retries = -1});
    expect_stored(api->session, "absent", NULL); /* the last failure */
    expect_ok(api->session, varve_begin(api->session));
    expect_ok(api->session, cache_lab_person_insert(api->session, &person));
    put_stored(api->session, "a", "x");
    put_stored(api->session, "b", "x");
    api_kill_server(api);
    expect_ok(api->session, varve_commit(api->session));
    assert_non_null(strstr(varve_session_error(api->session), "stored:absent")); /* it stays */
    assert_non_null(strstr(varve_session_error(NULL), "stored:absent"));
    assert_int_equal(dropped(api), 2);
    assert_true(api_logged(api, "2 writes to the cache"));
    expect_ok(api->session, cache_lab_person_get(api->session, person.id, &found));
    cache_lab_person_free(found);
    api_restart_server(api);
    api_open_with(api, (struct varve_config){0});
    expect_stored(api->session, "a", NULL);
}

static void
test_a_value_that_is_too_large_drops_no_other(void **state)
{
    struct api *api = *state;
    static char text[8192];
    struct cache_lab_stored large = CACHE_LAB_STORED_INIT;
    memset(text, 'x', sizeof text - 1);
    api_open_with(api, (struct varve_config){.cache_bytes = 4096, .compress_above_bytes = -1});
    expect_ok(api->session, varve_begin(api->session));
    put_stored(api->session, "a", "x");
    large.text = text;
    expect_ok(api->session, cache_lab_stored_cache_put(api->session, &large));
    put_stored(api->session, "b", "x");
    expect_ok(api->session, varve_commit(api->session));
    expect_stored(api->session, "a", "x");
    expect_stored(api->session, "b", "x");
    assert_int_equal(dropped(api), 1);
}

static void
test_what_the_server_refuses_is_dropped_and_the_rest_is_sent(void **state)
{
    struct api *api = *state;
    expect_ok(api->session, varve_begin(api->session));
    put_stored(api->session, "a", "x");
    put_reading(api->session, 1, 10);
    server_command(api->server, "CONFIG SET maxmemory 1");
    expect_ok(api->session, varve_commit(api->session));
    server_command(api->server, "CONFIG SET maxmemory 0");
    assert_int_equal(dropped(api), 2);
    assert_true(api_logged(api, "maxmemory"));
    expect_stored(api->session, "a", NULL);
    put_stored(api->session, "a", "y");
    expect_stored(api->session, "a", "y");
    assert_int_equal(dropped(api), 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        API_TEST(test_puts_wait_for_the_commit),
        API_TEST(test_deletes_wait_for_the_commit),
        API_TEST(test_touches_wait_for_the_commit),
        API_TEST(test_writes_go_out_in_their_order),
        API_TEST(test_get_many_sees_what_waits),
        API_TEST(test_put_many_waits_and_is_refused_at_once),
        API_TEST(test_a_transaction_that_reads_sends_at_once),
        API_TEST(test_a_rollback_forgets),
        API_TEST(test_a_nested_rollback_forgets_only_its_own),
        API_TEST(test_a_nested_commit_waits_for_the_outer_one),
        API_TEST(test_a_nested_rollback_brings_back_what_waited_before),
        API_TEST(test_of_nested_commits_the_outer_rollback_forgets_all),
        API_TEST(test_closing_the_session_forgets),
        API_TEST(test_a_failed_commit_sends_nothing),
    };
    const struct CMUnitTest without_server[] = {
        API_TEST(test_a_server_that_is_gone_does_not_fail_the_commit),
        API_TEST(test_what_the_server_refuses_is_dropped_and_the_rest_is_sent),
    };
    const struct CMUnitTest embedded[] = {
        API_TEST(test_a_value_that_is_too_large_drops_no_other),
    };
    return API_RUN("cache_transaction", tests) +
           API_RUN_EMBEDDED("cache_transaction_of", embedded) +
           API_RUN_REDIS("cache_transaction_without_server", without_server);
}
