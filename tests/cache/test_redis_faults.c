/* What calls do when the server fails them: clear statuses, no hang, and all well again after. */
#include "redis_support.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"

enum {
    MANY = 10000
};

/* A put or get from another thread. */
struct call {
    struct redis_fixture *fixture;
    enum varve_status status;
    size_t done;
    bool found;
    int64_t elapsed_ms;
    atomic_bool running;
};

static void *
put_many(void *context)
{
    struct call *call = context;
    struct varve__cache *cache = call->fixture->cache;
    struct varve__cache_item *items = calloc(MANY, sizeof *items);
    char(*keys)[32] = calloc(MANY, sizeof *keys);
    struct varve__watch watch = {0};
    int64_t begin = varve__monotonic_now();
    for (size_t i = 0; i < MANY; i++) {
        int size = snprintf(keys[i], sizeof keys[i], "lab:00000001:%zu", i);
        items[i].key = (struct varve__cache_text){keys[i], (size_t)size};
        items[i].value = items[i].key;
    }
    varve__watch_begin(&watch);
    call->running = true;
    call->status =
        cache->engine->put(cache, &watch, &plain_space, items, MANY, NULL, NULL, &call->done);
    call->elapsed_ms = milliseconds_since(begin);
    free(items);
    free(keys);
    return NULL;
}

static void
test_a_server_killed_in_a_pipeline_ends_or_delays_the_call(void **state)
{
    struct redis_fixture *fixture = *state;
    open_engine(fixture);
    for (int64_t round = 0; round < 6; round++) {
        struct call call = {.fixture = fixture};
        pthread_t thread;
        pthread_create(&thread, NULL, put_many, &call);
        while (!call.running)
            ;
        sleep_ms(round);
        server_kill(fixture->server, SIGKILL);
        server_restart(fixture->server);
        pthread_join(thread, NULL);
        assert_true(call.status == VARVE_OK || call.status == VARVE_UNAVAILABLE);
        assert_true((call.done == MANY) == (call.status == VARVE_OK));
        assert_true(call.elapsed_ms < 5000);
        expect_recovery(fixture);
    }
}

static void
test_a_pipeline_goes_on_where_its_connection_broke(void **state)
{
    struct redis_fixture *fixture = *state;
    fixture->options.retries = 1000;
    fixture->options.breaker_failures = 0;
    open_engine(fixture);
    for (int round = 0; round < 10; round++) {
        struct call call = {.fixture = fixture};
        pthread_t thread;
        pthread_create(&thread, NULL, put_many, &call);
        while (!call.running)
            ;
        sleep_ms(1);
        server_command(fixture->server, "CLIENT KILL TYPE normal SKIPME yes");
        pthread_join(thread, NULL);
        assert_int_equal(call.status, VARVE_OK);
        assert_int_equal(call.done, MANY);
        assert_string_equal(server_command(fixture->server, "DBSIZE"), "10000");
        assert_string_equal(
            server_command(fixture->server, "GET lab:00000001:9999"), "lab:00000001:9999");
        server_command(fixture->server, "FLUSHALL");
    }
    assert_true(health_of(fixture).retries > 0);
}

static void
test_a_paused_server_is_waited_for(void **state)
{
    struct redis_fixture *fixture = *state;
    open_engine(fixture);
    assert_int_equal(put_text(fixture, &plain_space, "a", "1", 0), VARVE_OK);
    int64_t begin = varve__monotonic_now();
    server_command(fixture->server, "CLIENT PAUSE 300 ALL");
    expect_text(fixture, &plain_space, "a", "1");
    assert_in_range(milliseconds_since(begin), 250, 1500);
}

static void
test_a_server_that_hangs_is_waited_for_once(void **state)
{
    struct redis_fixture *fixture = *state;
    fixture->options.timeout_ms = 150;
    open_engine(fixture);
    assert_int_equal(put_text(fixture, &plain_space, "a", "1", 0), VARVE_OK);
    server_kill(fixture->server, SIGSTOP);
    int64_t begin = varve__monotonic_now();
    char value[256];
    assert_int_equal(get_text(fixture, &plain_space, "a", value), VARVE_UNAVAILABLE);
    assert_in_range(milliseconds_since(begin), 140, 450);
    expect_failure(VARVE_UNAVAILABLE, "redis_timeout_ms");
    assert_string_equal(varve__thread_failure()->record, "lab.Note");
    server_kill(fixture->server, SIGCONT);
    expect_recovery(fixture);
    assert_int_equal(health_of(fixture).retries, 0);
}

/* -------------------------------------------------------------------- servers that are not ready */

static void *
reload_server(void *context)
{
    server_command(((struct redis_fixture *)context)->server, "DEBUG RELOAD");
    return NULL;
}

/* A server that takes two milliseconds for each of 300 keys as it reads its data, and replies once for each two
 * megabytes of it. */
static void
begin_loading(struct redis_fixture *fixture, pthread_t *thread)
{
    use_server(fixture, (const char *const[]){"--enable-debug-command", "yes", NULL});
    open_engine(fixture);
    assert_int_equal(put_text(fixture, &plain_space, "small", "1", 0), VARVE_OK);
    for (int i = 0; i < 300; i++) {
        char key[16], value[40001];
        snprintf(key, sizeof key, "%d", i);
        snprintf(value, sizeof value, "%040000d", i);
        assert_int_equal(put_text(fixture, &plain_space, key, value, 0), VARVE_OK);
    }
    server_command(fixture->server, "CONFIG SET rdbcompression no");
    server_command(fixture->server, "CONFIG SET key-load-delay 2000");
    pthread_create(thread, NULL, reload_server, fixture);
    for (int64_t begin = varve__monotonic_now(); !server_is_loading(fixture->server);) {
        assert_true(milliseconds_since(begin) < 10000);
        sleep_ms(1);
    }
}

static void
test_a_server_that_loads_is_tried_again(void **state)
{
    struct redis_fixture *fixture = *state;
    pthread_t thread;
    char value[256];
    fixture->options.retries = 100;
    fixture->options.breaker_failures = 0;
    begin_loading(fixture, &thread);
    assert_int_equal(get_text(fixture, &plain_space, "small", value), VARVE_OK);
    assert_true(health_of(fixture).retries > 0);
    pthread_join(thread, NULL);
}

static void
test_a_server_that_loads_for_long_fails_the_call(void **state)
{
    struct redis_fixture *fixture = *state;
    pthread_t thread;
    char value[256];
    fixture->options.retries = 0;
    begin_loading(fixture, &thread);
    assert_int_equal(get_text(fixture, &plain_space, "small", value), VARVE_UNAVAILABLE);
    expect_failure(VARVE_UNAVAILABLE, "LOADING");
    assert_int_equal(health_of(fixture).reconnects, 0); /* the connection stays of use */
    pthread_join(thread, NULL);
    expect_text(fixture, &plain_space, "small", "1");
}

static void
test_a_replica_refuses_puts_until_it_is_a_primary_again(void **state)
{
    struct redis_fixture *fixture = *state;
    fixture->options.breaker_failures = 0;
    open_engine(fixture);
    assert_int_equal(put_text(fixture, &plain_space, "a", "1", 0), VARVE_OK);
    assert_int_equal(put_text(fixture, &ordered_space, "a", "1", 0), VARVE_OK);
    server_command(fixture->server, "REPLICAOF 127.0.0.1 1");
    assert_int_equal(put_text(fixture, &plain_space, "a", "2", 0), VARVE_UNAVAILABLE);
    expect_failure(VARVE_UNAVAILABLE, "replica");
    assert_int_equal(put_text(fixture, &ordered_space, "a", "2", 0), VARVE_UNAVAILABLE);
    expect_text(fixture, &plain_space, "a", "1");
    assert_true(health_of(fixture).reconnects >= 2);
    server_command(fixture->server, "REPLICAOF NO ONE");
    expect_recovery(fixture);
}

static void
test_calls_fail_fast_while_the_server_is_gone_and_it_comes_back_by_itself(void **state)
{
    struct redis_fixture *fixture = *state;
    char value[256];
    open_engine(fixture);
    assert_int_equal(put_text(fixture, &plain_space, "a", "1", 0), VARVE_OK);
    server_kill(fixture->server, SIGKILL);
    for (int i = 0; i < 2; i++) { /* four tries and one make five failures */
        int64_t begin = varve__monotonic_now();
        assert_int_equal(get_text(fixture, &plain_space, "a", value), VARVE_UNAVAILABLE);
        assert_true(milliseconds_since(begin) < 500);
    }
    assert_int_equal(health_of(fixture).breaker, VARVE_BREAKER_OPEN);
    assert_int_equal(health_of(fixture).retries, 3);
    int64_t begin = varve__monotonic_now();
    for (int i = 0; i < 100; i++)
        assert_int_equal(get_text(fixture, &plain_space, "a", value), VARVE_UNAVAILABLE);
    assert_true(milliseconds_since(begin) < 50);
    expect_failure(VARVE_UNAVAILABLE, "failed 5 times in a row");
    server_restart(fixture->server);
    expect_recovery(fixture);
    assert_int_equal(health_of(fixture).breaker, VARVE_BREAKER_CLOSED);
    assert_int_equal(count_in_log(fixture, "failed 5 times in a row"), 1);
    assert_int_equal(count_in_log(fixture, "answers again"), 1);
}

static void
test_a_dead_idle_connection_is_replaced_unseen(void **state)
{
    struct redis_fixture *fixture = *state;
    fixture->options.retries = 0;
    open_engine(fixture);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(put_text(fixture, &plain_space, "a", "1", 0), VARVE_OK);
        server_command(fixture->server, "CLIENT KILL TYPE normal SKIPME yes");
        sleep_ms(5);
    }
    assert_int_equal(put_text(fixture, &plain_space, "a", "1", 0), VARVE_OK);
    assert_int_equal(health_of(fixture).reconnects, 5);
    assert_int_equal(health_of(fixture).failures, 0);
}

static void
test_scripts_that_the_server_forgot_are_loaded_again(void **state)
{
    struct redis_fixture *fixture = *state;
    fixture->options.retries = 0;
    open_engine(fixture);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(put_text(fixture, &ordered_space, "a", "1", i), VARVE_OK);
        server_command(fixture->server, "SCRIPT FLUSH");
    }
    assert_string_equal(server_command(fixture->server, "ZCARD lab:00000002%%index"), "1");
}

/* -------------------------------------------------------------------- lost replies */

static void *
change_missing(void *context)
{
    struct call *call = context;
    struct varve__cache *cache = call->fixture->cache;
    static const struct varve__cache_text key = {"lab:00000001:missing", 20};
    struct varve__watch watch = {0};
    varve__watch_begin(&watch);
    call->running = true;
    call->status = call->done
                       ? cache->engine->touch(cache, &watch, &plain_space, key, 60000, &call->found)
                       : cache->engine->remove(cache, &watch, &plain_space, key, &call->found);
    return NULL;
}

/* A remove (or touch) of nothing, whose connection is cut before the reply. */
static bool
found_after_a_cut(struct redis_fixture *fixture, bool touches)
{
    struct call call = {.fixture = fixture, .done = touches};
    pthread_t thread;
    assert_int_equal(put_text(fixture, &plain_space, "other", "1", 0), VARVE_OK);
    server_command(fixture->server, "CLIENT PAUSE 200 WRITE");
    pthread_create(&thread, NULL, change_missing, &call);
    sleep_ms(80);
    server_command(fixture->server, "CLIENT KILL TYPE normal SKIPME yes");
    pthread_join(thread, NULL);
    assert_int_equal(call.status, VARVE_OK);
    return call.found;
}

static void
test_a_remove_whose_reply_was_lost_counts_as_found(void **state)
{
    struct redis_fixture *fixture = *state;
    open_engine(fixture);
    assert_true(found_after_a_cut(fixture, false));
    assert_int_equal(health_of(fixture).retries, 1);
    assert_false(found_after_a_cut(fixture, true)); /* a touch removes nothing */
    assert_int_equal(health_of(fixture).retries, 2);
}

/* -------------------------------------------------------------------- watches and threads */

static void *
interrupt_soon(void *watch)
{
    sleep_ms(50);
    atomic_store(&((struct varve__watch *)watch)->interrupted, true);
    return NULL;
}

static void
test_an_interrupt_ends_a_call(void **state)
{
    struct redis_fixture *fixture = *state;
    pthread_t thread;
    char value[256];
    open_engine(fixture);
    assert_int_equal(put_text(fixture, &plain_space, "a", "1", 0), VARVE_OK);
    server_command(fixture->server, "CLIENT PAUSE 600 ALL");
    int64_t begin = varve__monotonic_now();
    pthread_create(&thread, NULL, interrupt_soon, &fixture->watch);
    assert_int_equal(get_text(fixture, &plain_space, "a", value), VARVE_INTERRUPTED);
    assert_in_range(milliseconds_since(begin), 45, 250);
    pthread_join(thread, NULL);
    expect_recovery(fixture);
    assert_int_equal(health_of(fixture).retries, 0);
}

static void
test_a_call_timeout_ends_a_call_and_its_pauses(void **state)
{
    struct redis_fixture *fixture = *state;
    char value[256];
    fixture->options.retries = 1000;
    fixture->options.breaker_failures = 0;
    fixture->options.timeout_ms = 60000;
    fixture->watch.call_timeout_ms = 100;
    open_engine(fixture);
    server_command(fixture->server, "CLIENT PAUSE 300 ALL");
    int64_t begin = varve__monotonic_now();
    assert_int_equal(get_text(fixture, &plain_space, "a", value), VARVE_TIMEOUT);
    assert_in_range(milliseconds_since(begin), 95, 250);
    server_kill(fixture->server, SIGKILL);
    begin = varve__monotonic_now();
    assert_int_equal(get_text(fixture, &plain_space, "a", value), VARVE_TIMEOUT);
    assert_in_range(milliseconds_since(begin), 95, 250);
    assert_string_equal(varve__thread_failure()->record, "lab.Note");
}

static enum varve_status
take_nothing(void *context, size_t i, struct varve__cache_text value)
{
    (void)i;
    (void)value;
    *(bool *)context = true;
    return VARVE_OK;
}

static void *
get_slowly(void *context)
{
    struct call *call = context;
    static const struct varve__cache_text key = {"lab:00000001:a", 14};
    struct varve__watch watch = {0};
    bool taken;
    varve__watch_begin(&watch);
    call->running = true;
    call->status = call->fixture->cache->engine->get(
        call->fixture->cache, &watch, &plain_space, &key, 1, VARVE__TTL_KEEP, take_nothing, &taken);
    return NULL;
}

static void
test_calls_that_find_all_connections_in_use_say_so(void **state)
{
    struct redis_fixture *fixture = *state;
    struct call call = {.fixture = fixture};
    pthread_t thread;
    char value[256];
    fixture->options.pool_size = 1;
    fixture->options.pool_timeout_ms = 60;
    open_engine(fixture);
    server_command(fixture->server, "CLIENT PAUSE 400 ALL");
    pthread_create(&thread, NULL, get_slowly, &call);
    sleep_ms(60);
    assert_int_equal(get_text(fixture, &plain_space, "a", value), VARVE_UNAVAILABLE);
    expect_failure(VARVE_UNAVAILABLE, "redis_pool_size");
    pthread_join(thread, NULL);
    assert_int_equal(call.status, VARVE_OK);
    struct varve_cache_health health = health_of(fixture);
    assert_int_equal(health.pool_waits, 1);
    assert_int_equal(health.retries, 0);
    assert_int_equal(health.breaker_opened, 0);
}

struct worker {
    struct redis_fixture *fixture;
    int number;
    atomic_int *running;
};

static void *
work(void *context)
{
    struct worker *worker = context;
    struct redis_fixture own = *worker->fixture; /* for a watch of its own */
    for (int i = 0; i < 400; i++) {
        const struct varve__space *space = i % 2 ? &ordered_space : &plain_space;
        char key[16], value[32];
        snprintf(key, sizeof key, "%d-%d", worker->number, i % 7);
        snprintf(value, sizeof value, "%d of %d", i, worker->number);
        assert_int_equal(put_text(&own, space, key, value, i), VARVE_OK);
        expect_text(&own, space, key, value);
    }
    --*worker->running;
    return NULL;
}

static void
test_eight_threads_work_while_connections_are_cut(void **state)
{
    struct redis_fixture *fixture = *state;
    struct worker workers[8];
    pthread_t threads[8];
    atomic_int running = 8;
    fixture->options.retries = 1000;
    fixture->options.breaker_failures = 0;
    fixture->options.pool_size = 5;
    fixture->options.pool_timeout_ms = 20000;
    open_engine(fixture);
    for (int i = 0; i < 8; i++) {
        workers[i] = (struct worker){fixture, i, &running};
        pthread_create(&threads[i], NULL, work, &workers[i]);
    }
    while (running > 0) {
        server_command(fixture->server, "CLIENT KILL TYPE normal SKIPME yes");
        sleep_ms(5);
    }
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    struct varve_cache_health health = health_of(fixture);
    assert_true(health.retries + health.reconnects > 0);
    assert_int_equal(health.failures, 0);
    assert_true(health.connections_open <= 5);
    assert_int_equal(health.connections_open, health.connections_idle);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        REDIS_TEST(test_a_server_killed_in_a_pipeline_ends_or_delays_the_call),
        REDIS_TEST(test_a_pipeline_goes_on_where_its_connection_broke),
        REDIS_TEST(test_a_paused_server_is_waited_for),
        REDIS_TEST(test_a_server_that_hangs_is_waited_for_once),
        REDIS_TEST(test_a_server_that_loads_is_tried_again),
        REDIS_TEST(test_a_server_that_loads_for_long_fails_the_call),
        REDIS_TEST(test_a_replica_refuses_puts_until_it_is_a_primary_again),
        REDIS_TEST(test_calls_fail_fast_while_the_server_is_gone_and_it_comes_back_by_itself),
        REDIS_TEST(test_a_dead_idle_connection_is_replaced_unseen),
        REDIS_TEST(test_scripts_that_the_server_forgot_are_loaded_again),
        REDIS_TEST(test_a_remove_whose_reply_was_lost_counts_as_found),
        REDIS_TEST(test_an_interrupt_ends_a_call),
        REDIS_TEST(test_a_call_timeout_ends_a_call_and_its_pauses),
        REDIS_TEST(test_calls_that_find_all_connections_in_use_say_so),
        REDIS_TEST(test_eight_threads_work_while_connections_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
