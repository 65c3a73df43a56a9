/* The pool of connections, on a real server. */
#include "redis_support.h"

#include <stdatomic.h>

#include "base/error.h"
#include "cache/redis_pool.h"

static struct varve__redis_pool *
open_pool(struct redis_fixture *fixture, struct varve__redis_pool *pool, size_t size, int64_t ms)
{
    varve__redis_pool_init(pool, fixture->options.unix_socket, size, ms);
    return pool;
}

/* A connection of the pool, made if there was none. */
static enum varve_status
take(
    struct redis_fixture *fixture,
    struct varve__redis_pool *pool,
    struct varve__watch *watch,
    struct varve__redis_connection **connection)
{
    enum varve_status status = varve__redis_pool_take(pool, watch, NULL, connection);
    if (status == VARVE_OK && !*connection)
        status = varve__redis_connect(&fixture->options, pool->server, watch, connection);
    return status;
}

static struct varve__redis_connection *
must_take(struct redis_fixture *fixture, struct varve__redis_pool *pool)
{
    struct varve__redis_connection *connection;
    struct varve__watch watch = {0};
    varve__watch_begin(&watch);
    assert_int_equal(take(fixture, pool, &watch, &connection), VARVE_OK);
    return connection;
}

static void
test_the_connection_used_last_is_used_first(void **state)
{
    struct redis_fixture *fixture = *state;
    struct varve__redis_pool pool;
    open_pool(fixture, &pool, 3, 1000);
    struct varve__redis_connection *first = must_take(fixture, &pool);
    struct varve__redis_connection *second = must_take(fixture, &pool);
    varve__redis_pool_give(&pool, first);
    varve__redis_pool_give(&pool, second);
    assert_ptr_equal(must_take(fixture, &pool), second);
    assert_ptr_equal(must_take(fixture, &pool), first);
    assert_int_equal(varve__redis_pool_state(&pool).open, 2);
    varve__redis_pool_give(&pool, first);
    varve__redis_pool_give(&pool, second);
    assert_int_equal(varve__redis_pool_state(&pool).idle, 2);
    varve__redis_pool_destroy(&pool);
}

static void
test_who_finds_none_free_waits_so_long_and_fails(void **state)
{
    struct redis_fixture *fixture = *state;
    struct varve__redis_pool pool;
    struct varve__redis_connection *other;
    open_pool(fixture, &pool, 1, 60);
    struct varve__redis_connection *only = must_take(fixture, &pool);
    varve__watch_begin(&fixture->watch);
    int64_t begin = varve__monotonic_now();
    assert_int_equal(take(fixture, &pool, &fixture->watch, &other), VARVE_UNAVAILABLE);
    assert_in_range(milliseconds_since(begin), 60, 400);
    expect_failure(VARVE_UNAVAILABLE, "all 1 connections");
    expect_failure(VARVE_UNAVAILABLE, "raise redis_pool_size");
    varve__redis_pool_give(&pool, only);
    assert_ptr_equal(must_take(fixture, &pool), only); /* nobody is left in the queue */
    assert_int_equal(varve__redis_pool_state(&pool).waits, 1);
    varve__redis_pool_give(&pool, only);
    varve__redis_pool_destroy(&pool);
}

static void
test_without_a_time_to_wait_it_fails_at_once(void **state)
{
    struct redis_fixture *fixture = *state;
    struct varve__redis_pool pool;
    struct varve__redis_connection *other;
    open_pool(fixture, &pool, 1, 0);
    struct varve__redis_connection *only = must_take(fixture, &pool);
    varve__watch_begin(&fixture->watch);
    int64_t begin = varve__monotonic_now();
    assert_int_equal(take(fixture, &pool, &fixture->watch, &other), VARVE_UNAVAILABLE);
    assert_true(milliseconds_since(begin) < 15);
    varve__redis_pool_give(&pool, only);
    varve__redis_pool_destroy(&pool);
}

static void
test_a_call_timeout_ends_the_wait(void **state)
{
    struct redis_fixture *fixture = *state;
    struct varve__redis_pool pool;
    struct varve__redis_connection *other;
    open_pool(fixture, &pool, 1, 5000);
    struct varve__redis_connection *only = must_take(fixture, &pool);
    fixture->watch.call_timeout_ms = 50;
    varve__watch_begin(&fixture->watch);
    int64_t begin = varve__monotonic_now();
    assert_int_equal(take(fixture, &pool, &fixture->watch, &other), VARVE_TIMEOUT);
    assert_in_range(milliseconds_since(begin), 50, 250);
    expect_failure(VARVE_TIMEOUT, "call_timeout_ms, 50 ms");
    varve__redis_pool_give(&pool, only);
    varve__redis_pool_destroy(&pool);
}

static void *
interrupt_soon(void *watch)
{
    sleep_ms(50);
    atomic_store(&((struct varve__watch *)watch)->interrupted, true);
    return NULL;
}

static void
test_an_interrupt_ends_the_wait(void **state)
{
    struct redis_fixture *fixture = *state;
    struct varve__redis_pool pool;
    struct varve__redis_connection *other;
    pthread_t thread;
    open_pool(fixture, &pool, 1, 5000);
    struct varve__redis_connection *only = must_take(fixture, &pool);
    varve__watch_begin(&fixture->watch);
    int64_t begin = varve__monotonic_now();
    pthread_create(&thread, NULL, interrupt_soon, &fixture->watch);
    assert_int_equal(take(fixture, &pool, &fixture->watch, &other), VARVE_INTERRUPTED);
    assert_in_range(milliseconds_since(begin), 45, 250);
    pthread_join(thread, NULL);
    varve__redis_pool_give(&pool, only);
    varve__redis_pool_destroy(&pool);
}

static void
test_idle_connections_that_died_are_replaced_unseen(void **state)
{
    struct redis_fixture *fixture = *state;
    struct varve__redis_pool pool;
    open_pool(fixture, &pool, 3, 1000);
    struct varve__redis_connection *first = must_take(fixture, &pool);
    struct varve__redis_connection *second = must_take(fixture, &pool);
    varve__redis_pool_give(&pool, first);
    varve__redis_pool_give(&pool, second);
    server_command(fixture->server, "CLIENT KILL TYPE normal SKIPME yes");
    sleep_ms(20);
    struct varve__redis_connection *living = must_take(fixture, &pool);
    assert_true(varve__redis_is_fit(living));
    struct varve__redis_pool_state pool_state = varve__redis_pool_state(&pool);
    assert_int_equal(pool_state.reconnects, 2);
    assert_int_equal(pool_state.open, 1);
    assert_int_equal(pool_state.idle, 0);
    varve__redis_pool_give(&pool, living);
    varve__redis_pool_destroy(&pool);
}

static void
test_a_broken_connection_frees_its_place(void **state)
{
    struct redis_fixture *fixture = *state;
    struct varve__redis_pool pool;
    open_pool(fixture, &pool, 1, 100);
    struct varve__redis_connection *connection = must_take(fixture, &pool);
    connection->broken = true;
    varve__redis_pool_give(&pool, connection);
    assert_int_equal(varve__redis_pool_state(&pool).open, 0);
    connection = must_take(fixture, &pool);
    assert_false(connection->broken);
    varve__redis_pool_give(&pool, connection);
    varve__redis_pool_destroy(&pool);
}

/* -------------------------------------------------------------------- threads */

struct queue {
    struct redis_fixture *fixture;
    struct varve__redis_pool pool;
    atomic_int in_use;
    atomic_int most;
    atomic_int served;
    int order[4];
    atomic_int next;
};

struct waiting {
    struct queue *queue;
    int number;
};

static void *
wait_in_line(void *context)
{
    struct waiting *waiting = context;
    struct queue *queue = waiting->queue;
    struct varve__redis_connection *connection = must_take(queue->fixture, &queue->pool);
    queue->order[queue->served++] = waiting->number;
    connection->broken = waiting->number % 2 == 1; /* a place alone is handed over as well */
    varve__redis_pool_give(&queue->pool, connection);
    return NULL;
}

static void
test_who_waits_is_served_in_the_order_of_coming(void **state)
{
    struct queue queue = {.fixture = *state};
    struct waiting waiting[4];
    pthread_t threads[4];
    open_pool(queue.fixture, &queue.pool, 1, 5000);
    struct varve__redis_connection *only = must_take(queue.fixture, &queue.pool);
    for (int i = 0; i < 4; i++) {
        waiting[i] = (struct waiting){&queue, i};
        pthread_create(&threads[i], NULL, wait_in_line, &waiting[i]);
        while (varve__redis_pool_state(&queue.pool).waits <= i)
            sleep_ms(1);
    }
    varve__redis_pool_give(&queue.pool, only);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 4; i++)
        assert_int_equal(queue.order[i], i);
    varve__redis_pool_destroy(&queue.pool);
}

static void *
use_often(void *context)
{
    struct queue *queue = context;
    for (int i = 0; i < 300; i++) {
        struct varve__redis_connection *connection = must_take(queue->fixture, &queue->pool);
        int now = ++queue->in_use;
        if (now > queue->most)
            queue->most = now;
        connection->broken = i % 50 == 49;
        queue->in_use--;
        varve__redis_pool_give(&queue->pool, connection);
    }
    return NULL;
}

static void
test_eight_threads_share_three_connections(void **state)
{
    struct queue queue = {.fixture = *state};
    pthread_t threads[8];
    open_pool(queue.fixture, &queue.pool, 3, 5000);
    for (int i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, use_often, &queue);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    struct varve__redis_pool_state pool_state = varve__redis_pool_state(&queue.pool);
    assert_in_range(queue.most, 1, 3);
    assert_int_equal(pool_state.open, pool_state.idle);
    assert_true(pool_state.open <= 3);
    varve__redis_pool_destroy(&queue.pool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        REDIS_TEST(test_the_connection_used_last_is_used_first),
        REDIS_TEST(test_who_finds_none_free_waits_so_long_and_fails),
        REDIS_TEST(test_without_a_time_to_wait_it_fails_at_once),
        REDIS_TEST(test_a_call_timeout_ends_the_wait),
        REDIS_TEST(test_an_interrupt_ends_the_wait),
        REDIS_TEST(test_idle_connections_that_died_are_replaced_unseen),
        REDIS_TEST(test_a_broken_connection_frees_its_place),
        REDIS_TEST(test_who_waits_is_served_in_the_order_of_coming),
        REDIS_TEST(test_eight_threads_share_three_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
