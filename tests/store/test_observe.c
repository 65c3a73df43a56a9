/* What varve_health() says of the calls of table and archive, of sessions and of cursors. */
#include "observe_support.h"

#include <stdbool.h>
#include <string.h>

#include <sqlite3.h>

#define OPERATION(name) [VARVE_OPERATION_##name]

static const struct varve_latency *
latency_of(const struct varve_health_report *health, enum varve_operation operation)
{
    return &health->latency[operation];
}

static int64_t
sum_of_buckets(const struct varve_latency *latency)
{
    int64_t sum = 0;
    for (size_t i = 0; i < VARVE_LATENCY_BUCKETS; i++)
        sum += latency->buckets[i];
    return sum;
}

/* Asserts these numbers of calls, and of failed ones, of every operation. */
static void
expect_counts(
    const struct watched *watched,
    const int64_t counts[VARVE_OPERATION_COUNT],
    const int64_t failures[VARVE_OPERATION_COUNT])
{
    struct varve_health_report health = health_of(watched);
    for (int i = 0; i < VARVE_OPERATION_COUNT; i++) {
        const struct varve_latency *latency = &health.latency[i];
        if (latency->count != counts[i] || latency->failures != failures[i])
            fail_msg(
                "%s: %lld calls, %lld failed, not %lld and %lld",
                varve_operation_name((enum varve_operation)i), (long long)latency->count,
                (long long)latency->failures, (long long)counts[i], (long long)failures[i]);
        assert_int_equal(latency->timed, sum_of_buckets(latency));
        assert_in_range(latency->timed, latency->count > 0, latency->count);
        assert_true(latency->total_ns >= latency->longest_ns);
        assert_true((latency->longest_ns > 0) == (latency->timed > 0));
        assert_true(varve_latency_quantile(latency, 1.0) >= latency->longest_ns);
    }
}

/* -------------------------------------------------------------------- calls */

static void
read_in_every_way(const struct watched *watched, int64_t id)
{
    int64_t count;
    struct varve_cursor *cursor;
    struct shop_maker *maker, **makers;
    const struct shop_maker *row;
    struct varve_session *session = watched->session;
    must(watched, shop_maker_get(session, id, &maker));
    shop_maker_free(maker);
    must(watched, shop_maker_get_by_name(session, "a", &maker));
    shop_maker_free(maker);
    must(watched, shop_maker_get_many(session, &id, 1, &makers));
    shop_maker_free_many(makers);
    must(watched, shop_maker_find_one(session, NULL, &maker));
    shop_maker_free(maker);
    must(watched, shop_maker_count(session, NULL, &count));
    must(watched, shop_maker_find(session, NULL, &cursor));
    while (shop_maker_next(cursor, &row) == VARVE_ROW)
        continue;
    varve_cursor_close(cursor);
}

static void
write_in_every_way(const struct watched *watched)
{
    static const enum shop_maker_field fields[] = {SHOP_MAKER_FIELD_FOUNDED};
    struct shop_maker makers[2] = {SHOP_MAKER_INIT, SHOP_MAKER_INIT};
    const struct shop_maker_filter none = {.id = varve_int64_equals(-1)};
    struct varve_session *session = watched->session;
    makers[0].name = "c";
    makers[1].name = "d";
    must(watched, shop_maker_insert_many(session, makers, 2));
    must(watched, shop_maker_update(session, &makers[0]));
    must(watched, shop_maker_update_fields(session, &makers[0], fields, 1));
    must(watched, shop_maker_upsert(session, &makers[1]));
    must(watched, shop_maker_upsert_by(session, &makers[1], SHOP_MAKER_FIELD_NAME));
    must(watched, shop_maker_delete(session, makers[0].id));
    must(watched, shop_maker_delete_where(session, &none));
}

static void
use_tensors(const struct watched *watched)
{
    float row[3];
    struct varve_tensor_writer *writer;
    const int64_t dims[] = {2, 3};
    const struct varve_range range = {.start = {1, 0}, .count = {1, 3}};
    int64_t id = add_scan(watched, "s");
    struct varve_session *session = watched->session;
    must(watched, shop_scan_read_image(session, id, &range, row, sizeof row));
    must(watched, shop_scan_write_image_begin(session, id, dims, &writer));
    must(watched, shop_scan_write_image_rows(writer, row, 1));
    must(watched, shop_scan_write_image_rows(writer, row, 1));
    must(watched, shop_scan_write_image_finish(writer));
    must(watched, shop_scan_write_image_begin(session, id, dims, &writer));
    shop_scan_write_image_cancel(writer);
}

static void
test_each_call_counts_once(void **state)
{
    struct watched *watched = *state;
    static const int64_t failures[VARVE_OPERATION_COUNT];
    static const int64_t counts[VARVE_OPERATION_COUNT] = {
        OPERATION(RECORD_INSERT) = 2, OPERATION(RECORD_INSERT_MANY) = 1,
        OPERATION(RECORD_GET) = 2,    OPERATION(RECORD_GET_MANY) = 1,
        OPERATION(RECORD_UPDATE) = 2, OPERATION(RECORD_UPSERT) = 2,
        OPERATION(RECORD_DELETE) = 2, OPERATION(RECORD_FIND) = 2,
        OPERATION(RECORD_COUNT) = 1,  OPERATION(TENSOR_READ) = 1,
        OPERATION(TENSOR_WRITE) = 2,  OPERATION(BEGIN) = 3,
        OPERATION(COMMIT) = 2,        OPERATION(FLUSH) = 1,
        OPERATION(COMPACT) = 1,
    };
    read_in_every_way(watched, add_maker(watched, "a", 1));
    write_in_every_way(watched);
    use_tensors(watched);
    must(watched, varve_begin(watched->session));
    must(watched, varve_begin(watched->session));
    must(watched, varve_commit(watched->session));
    must(watched, varve_commit(watched->session));
    must(watched, varve_begin(watched->session));
    must(watched, varve_rollback(watched->session));
    must(watched, varve_begin_read(watched->session)); /* neither this .. */
    must(watched, varve_commit(watched->session));     /* .. nor its end is counted */
    must(watched, varve_flush(watched->store));
    must(watched, varve_maintain(watched->store, NULL));
    expect_counts(watched, counts, failures);
}

static void
fail_to_write(const struct watched *watched)
{
    struct varve_session *session = watched->session;
    struct shop_maker maker = SHOP_MAKER_INIT, many[2] = {SHOP_MAKER_INIT, SHOP_MAKER_INIT};
    maker.name = many[0].name = many[1].name = "a";
    assert_int_equal(shop_maker_insert(session, &maker), VARVE_CONFLICT);
    assert_int_equal(shop_maker_insert_many(session, many, 2), VARVE_CONFLICT);
    assert_int_equal(shop_maker_insert_many(session, NULL, 1), VARVE_MISUSE);
    maker.id = 1000;
    maker.name = "z";
    assert_int_equal(shop_maker_update(session, &maker), VARVE_NOT_FOUND);
    assert_int_equal(shop_maker_delete(session, 1000), VARVE_NOT_FOUND);
    maker.name = NULL;
    assert_int_equal(shop_maker_upsert(session, &maker), VARVE_INVALID);
    must(watched, varve_begin_read(session));
    assert_int_equal(varve_begin(session), VARVE_MISUSE);
    must(watched, varve_rollback(session));
    assert_int_equal(varve_commit(session), VARVE_MISUSE);
}

static void
fail_to_read(const struct watched *watched, int64_t scan)
{
    int64_t count = 0;
    float image[6];
    struct shop_maker *maker;
    struct varve_tensor_writer *writer;
    const int64_t dims[] = {2, 4};
    struct varve_session *session = watched->session;
    assert_int_equal(shop_maker_get(session, 1000, &maker), VARVE_NOT_FOUND);
    assert_int_equal(varve_record_get(session, NULL, NULL, (void **)&maker), VARVE_MISUSE);
    assert_int_equal(varve_record_get_many(session, NULL, NULL, 0, NULL), VARVE_MISUSE);
    assert_int_equal(shop_maker_find(session, NULL, NULL), VARVE_MISUSE);
    assert_int_equal(varve_record_count(session, NULL, NULL, &count), VARVE_MISUSE);
    assert_int_equal(shop_scan_read_image(session, scan, NULL, image, 1), VARVE_INVALID);
    assert_int_equal(shop_scan_write_image_begin(session, scan, dims, &writer), VARVE_INVALID);
}

static void
test_failed_calls_are_counted(void **state)
{
    struct watched *watched = *state;
    static const int64_t counts[VARVE_OPERATION_COUNT] = {
        OPERATION(RECORD_INSERT) = 3, OPERATION(RECORD_INSERT_MANY) = 2,
        OPERATION(RECORD_GET) = 2,    OPERATION(RECORD_GET_MANY) = 1,
        OPERATION(RECORD_UPDATE) = 1, OPERATION(RECORD_UPSERT) = 1,
        OPERATION(RECORD_DELETE) = 1, OPERATION(RECORD_FIND) = 1,
        OPERATION(RECORD_COUNT) = 1,  OPERATION(TENSOR_READ) = 1,
        OPERATION(TENSOR_WRITE) = 1,  OPERATION(BEGIN) = 1,
        OPERATION(COMMIT) = 1,
    };
    static const int64_t failures[VARVE_OPERATION_COUNT] = {
        OPERATION(RECORD_INSERT) = 1,   OPERATION(RECORD_INSERT_MANY) = 2,
        OPERATION(RECORD_GET) = 1, /* that there is none is an answer */
        OPERATION(RECORD_GET_MANY) = 1, OPERATION(RECORD_UPSERT) = 1,
        OPERATION(RECORD_FIND) = 1,     OPERATION(RECORD_COUNT) = 1,
        OPERATION(TENSOR_READ) = 1,     OPERATION(TENSOR_WRITE) = 1,
        OPERATION(BEGIN) = 1,           OPERATION(COMMIT) = 1,
    };
    int64_t scan = add_scan(watched, "s");
    add_maker(watched, "a", 1);
    fail_to_write(watched);
    fail_to_read(watched, scan);
    assert_int_equal(shop_maker_delete(NULL, 1), VARVE_MISUSE); /* is counted nowhere */
    expect_counts(watched, counts, failures);
}

static void
expect_finds(const struct watched *watched, int64_t count, int64_t failures)
{
    struct varve_health_report health = health_of(watched);
    const struct varve_latency *find = latency_of(&health, VARVE_OPERATION_RECORD_FIND);
    assert_int_equal(find->count, count);
    assert_int_equal(find->failures, failures);
}

/* A number that the field cannot hold, written behind varve's back. */
static void
spoil(const struct watched *watched, const char *sql)
{
    sqlite3 *database = varve_session_sqlite(watched->session);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void
test_a_find_that_fails_in_its_rows_is_one_failure(void **state)
{
    struct watched *watched = *state;
    struct varve_cursor *cursor;
    const struct shop_maker *row;
    const struct shop_item *item;
    add_maker(watched, "a", 1);
    add_maker(watched, "b", 1);
    spoil(watched, "UPDATE maker SET founded = 99999999999 WHERE name = 'b'");
    must(watched, shop_maker_find(watched->session, NULL, &cursor));
    assert_int_equal(shop_item_next(cursor, &item), VARVE_MISUSE); /* not of the find */
    assert_int_equal(shop_maker_next(cursor, &row), VARVE_ROW);
    expect_finds(watched, 1, 0);
    assert_int_equal(shop_maker_next(cursor, &row), VARVE_TYPE);
    expect_finds(watched, 1, 1);
    assert_int_equal(shop_maker_next(cursor, &row), VARVE_MISUSE); /* it has failed before */
    varve_cursor_close(cursor);
    expect_finds(watched, 1, 1);
    spoil(watched, "UPDATE maker SET founded = 99999999999");
    must(watched, shop_maker_find(watched->session, NULL, &cursor));
    assert_int_equal(shop_maker_next(cursor, &row), VARVE_TYPE);
    varve_cursor_close(cursor);
    expect_finds(watched, 2, 2);
}

static void
test_a_cursor_that_a_rollback_ends_is_no_failure(void **state)
{
    struct watched *watched = *state;
    struct varve_cursor *cursor;
    const struct shop_maker *row;
    must(watched, varve_begin_read(watched->session));
    must(watched, shop_maker_find(watched->session, NULL, &cursor));
    must(watched, varve_rollback(watched->session));
    assert_int_equal(health_of(watched).table.open_cursors, 0);
    assert_int_equal(shop_maker_next(cursor, &row), VARVE_MISUSE);
    varve_cursor_close(cursor);
    expect_finds(watched, 1, 0);
}

static void
get_often(const struct watched *watched, int64_t id, int times)
{
    struct shop_maker *maker;
    for (int i = 0; i < times; i++) {
        must(watched, shop_maker_get(watched->session, id, &maker));
        shop_maker_free(maker);
    }
}

static void
test_one_get_in_sixteen_is_timed(void **state)
{
    struct watched *watched = *state;
    int64_t id = add_maker(watched, "a", 1);
    get_often(watched, id, 33);
    struct varve_health_report health = health_of(watched);
    assert_int_equal(latency_of(&health, VARVE_OPERATION_RECORD_GET)->count, 33);
    assert_int_equal(latency_of(&health, VARVE_OPERATION_RECORD_GET)->timed, 3);
    watched_open(watched, (struct varve_config){.slow_call_us = INT32_MAX});
    get_often(watched, id, 33);
    health = health_of(watched);
    assert_int_equal(latency_of(&health, VARVE_OPERATION_RECORD_GET)->timed, 33);
}

static int64_t
finds_timed(const struct watched *watched)
{
    struct varve_health_report health = health_of(watched);
    return latency_of(&health, VARVE_OPERATION_RECORD_FIND)->timed;
}

static void
test_a_find_is_timed_with_its_first_row(void **state)
{
    struct watched *watched = *state;
    struct varve_cursor *cursor;
    const struct shop_maker *row;
    add_maker(watched, "a", 1);
    add_maker(watched, "b", 2);
    for (int told = 0; told < 2; told++) { /* where slow calls are told all rows are timed */
        watched_open(watched, (struct varve_config){.slow_call_us = told * INT32_MAX});
        must(watched, shop_maker_find(watched->session, NULL, &cursor));
        expect_finds(watched, 1, 0);
        for (int i = 0; i < 4; i++) {
            assert_int_equal(finds_timed(watched), i > 0);
            assert_int_equal(shop_maker_next(cursor, &row), i < 2 ? VARVE_ROW : VARVE_DONE);
        }
        varve_cursor_close(cursor);
        expect_finds(watched, 1, 0);
        assert_int_equal(finds_timed(watched), 1);
        must(watched, shop_maker_find(watched->session, NULL, &cursor));
        varve_cursor_close(cursor); /* without a row */
        assert_int_equal(finds_timed(watched), 2);
    }
}

/* -------------------------------------------------------------------- sessions */

static void
test_sessions_that_are_closed_keep_their_figures(void **state)
{
    struct watched *watched = *state;
    for (int pooled = -1; pooled <= 1; pooled += 2) {
        watched_open(watched, (struct varve_config){.pooled_sessions = pooled});
        for (int i = 0; i < 3; i++) {
            const struct shop_maker_filter all = {.id = varve_int64_at_least(0)};
            must(watched, shop_maker_delete_where(watched->session, &all));
            add_maker(watched, "a", 1);
            varve_session_close(watched->session);
            must(watched, varve_session_open(watched->store, &watched->session));
        }
        struct varve_health_report health = health_of(watched);
        assert_int_equal(latency_of(&health, VARVE_OPERATION_RECORD_INSERT)->count, 3);
        assert_int_equal(latency_of(&health, VARVE_OPERATION_RECORD_INSERT)->timed, 3);
        assert_int_equal(latency_of(&health, VARVE_OPERATION_RECORD_DELETE)->count, 3);
        assert_int_equal(health.table.sessions_open, 1);
        assert_int_equal(health.table.sessions_idle, 0);
        assert_int_equal(health_of(watched).table.sessions_idle, pooled > 0); /* the report's */
    }
}

static void *
insert_one(void *context)
{
    struct watched *watched = context;
    struct varve_session *session;
    struct shop_maker maker = SHOP_MAKER_INIT;
    maker.name = "waited";
    if (varve_session_open(watched->store, &session) != VARVE_OK)
        return watched;
    enum varve_status status = shop_maker_insert(session, &maker);
    varve_session_close(session);
    return status == VARVE_OK ? NULL : watched;
}

static void
test_writers_that_wait_are_reported(void **state)
{
    struct watched *watched = *state;
    pthread_t thread;
    void *failed;
    watched_open(watched, (struct varve_config){.busy_timeout_ms = 60000});
    must(watched, varve_begin(watched->session));
    assert_int_equal(pthread_create(&thread, NULL, insert_one, watched), 0);
    while (health_of(watched).table.writers_waiting != 1)
        wait_a_moment();
    must(watched, varve_commit(watched->session));
    assert_int_equal(pthread_join(thread, &failed), 0);
    assert_null(failed);
    assert_int_equal(health_of(watched).table.writers_waiting, 0);
}

/* -------------------------------------------------------------------- threads */

enum {
    THREADS = 4,
    ROUNDS = 40,
    GETS = 20
};

struct worker {
    const struct watched *watched;
    int64_t id;
    enum varve_status status;
};

/* Sessions come and go; each round is one insert_many of nothing, some gets, and a find that is left in its row. */
static enum varve_status
work(const struct worker *worker)
{
    struct varve_session *session;
    struct varve_cursor *cursor;
    struct shop_maker *maker;
    const struct shop_maker *row;
    enum varve_status status = varve_session_open(worker->watched->store, &session);
    if (status != VARVE_OK)
        return status;
    status = shop_maker_insert_many(session, NULL, 0);
    for (int i = 0; i < GETS && status == VARVE_OK; i++) {
        status = shop_maker_get(session, worker->id, &maker);
        shop_maker_free(maker);
    }
    if (status == VARVE_OK)
        status = shop_maker_find(session, NULL, &cursor);
    if (status == VARVE_OK) {
        status = shop_maker_next(cursor, &row) == VARVE_ROW ? VARVE_OK : VARVE_DONE;
        varve_cursor_close(cursor);
    }
    varve_session_close(session);
    return status;
}

static void *
work_on(void *context)
{
    struct worker *worker = context;
    for (int i = 0; i < ROUNDS && worker->status == VARVE_OK; i++)
        worker->status = work(worker);
    return NULL;
}

/* A report while others work: whole in itself, and never less than the one before. */
static void
look(const struct watched *watched, struct varve_health_report *before)
{
    struct varve_health_report health = health_of(watched);
    for (size_t i = 0; i < VARVE_OPERATION_COUNT; i++) {
        assert_int_equal(health.latency[i].timed, sum_of_buckets(&health.latency[i]));
        assert_true(health.latency[i].count >= before->latency[i].count);
        assert_true(health.latency[i].timed >= before->latency[i].timed);
        assert_true(health.latency[i].total_ns >= before->latency[i].total_ns);
    }
    assert_in_range(health.table.open_cursors, 0, THREADS);
    assert_in_range(health.table.sessions_open, 1, THREADS + 1);
    *before = health;
}

static void
test_reports_are_made_while_sessions_work(void **state)
{
    struct watched *watched = *state;
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    struct varve_health_report health = {0};
    watched_open(watched, (struct varve_config){.pooled_sessions = 1, .cursor_warn_ms = 1});
    int64_t id = add_maker(watched, "a", 1);
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.watched = watched, .id = id};
        assert_int_equal(pthread_create(&threads[i], NULL, work_on, &workers[i]), 0);
    }
    for (int i = 0; i < 100; i++)
        look(watched, &health);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(workers[i].status, VARVE_OK);
    }
    look(watched, &health);
    int64_t rounds = (int64_t)THREADS * ROUNDS;
    assert_int_equal(health.latency[VARVE_OPERATION_RECORD_GET].count, rounds * GETS);
    assert_int_equal(health.latency[VARVE_OPERATION_RECORD_INSERT_MANY].count, rounds);
    assert_int_equal(health.latency[VARVE_OPERATION_RECORD_INSERT_MANY].timed, rounds);
    assert_int_equal(health.latency[VARVE_OPERATION_RECORD_FIND].count, rounds);
    assert_int_equal(health.latency[VARVE_OPERATION_RECORD_FIND].timed, rounds);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WATCHED_TEST(test_each_call_counts_once),
        WATCHED_TEST(test_failed_calls_are_counted),
        WATCHED_TEST(test_a_find_that_fails_in_its_rows_is_one_failure),
        WATCHED_TEST(test_a_cursor_that_a_rollback_ends_is_no_failure),
        WATCHED_TEST(test_one_get_in_sixteen_is_timed),
        WATCHED_TEST(test_a_find_is_timed_with_its_first_row),
        WATCHED_TEST(test_sessions_that_are_closed_keep_their_figures),
        WATCHED_TEST(test_writers_that_wait_are_reported),
        WATCHED_TEST(test_reports_are_made_while_sessions_work),
    };
    return cmocka_run_group_tests_name("observe", tests, NULL, NULL);
}
