/* Bad input: values that no row holds, arguments that are none, a session in two threads, text that looks
 * like SQL. Each is refused with a status and a sentence, and the session works again. */
#define _DEFAULT_SOURCE

#include "shop_support.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include <sqlite3.h>

static struct varve_session *
session_of(void **state)
{
    return ((struct shop *)*state)->session;
}

static void
test_a_value_that_no_row_holds_is_refused(void **state)
{
    struct varve_session *session = session_of(state);
    size_t size = 1100000000;
    void *zeros = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    struct shop_giant giant = SHOP_GIANT_INIT;
    assert_ptr_not_equal(zeros, MAP_FAILED);
    giant.size = size / sizeof(double);
    giant.values = (struct varve_doubles){giant.size, zeros};
    double last = 1; /* a tensor is no value of a row: the archive has it */
    struct varve_range range = {.start = {(int64_t)giant.size - 1}, .count = {1}};
    assert_int_equal(shop_giant_insert(session, &giant), VARVE_OK);
    assert_int_equal(
        shop_giant_read_values(session, giant.id, &range, &last, sizeof last), VARVE_OK);
    assert_true(last == 0);
    assert_int_equal(shop_giant_delete(session, giant.id), VARVE_OK);
    giant.id = 0;
    giant.size = giant.values.count = 0;
    giant.blob = (struct varve_bytes){size, zeros};
    assert_int_equal(shop_giant_insert(session, &giant), VARVE_FULL);
    expect_failure(session, VARVE_FAILURE_SIZE, SHOP_GIANT_FIELD_BLOB, "shop.Giant.blob");
    assert_int_equal(shop_giant_insert_many(session, &giant, 1), VARVE_FULL);
    assert_int_equal(varve_session_failure(session)->kind, VARVE_FAILURE_SIZE);
    assert_int_equal(shop_giant_upsert(session, &giant), VARVE_FULL);
    munmap(zeros, size);
    assert_int_equal(query_int64(session, "SELECT count(*) FROM giant"), 0);
    expect_working(session, 0);
}

/* -------------------------------------------------------------------- arguments */

static void
test_records_that_are_none_are_misuse(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_maker zeros;
    struct shop_item item = SHOP_ITEM_INIT;
    struct shop_maker *other = (void *)&item;
    enum shop_maker_field fields[] = {SHOP_MAKER_FIELD_NAME};
    struct shop_maker *const wrong[] = {NULL, &zeros, other};
    memset(&zeros, 0, sizeof zeros);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(shop_maker_insert(session, wrong[i]), VARVE_MISUSE);
        assert_int_equal(shop_maker_insert_many(session, wrong[i], 1), VARVE_MISUSE);
        assert_int_equal(shop_maker_update(session, wrong[i]), VARVE_MISUSE);
        assert_int_equal(shop_maker_update_fields(session, wrong[i], fields, 1), VARVE_MISUSE);
        assert_int_equal(shop_maker_upsert(session, wrong[i]), VARVE_MISUSE);
        assert_int_equal(
            shop_maker_upsert_by(session, wrong[i], SHOP_MAKER_FIELD_NAME), VARVE_MISUSE);
        assert_int_not_equal(varve_session_error(session)[0], '\0');
    }
    expect_working(session, 0);
}

static void
test_without_a_session_every_call_is_misuse(void **state)
{
    struct shop_maker maker = SHOP_MAKER_INIT;
    struct shop_maker *read = &maker;
    struct shop_maker **many;
    struct varve_cursor *cursor;
    int64_t count;
    (void)state;
    assert_int_equal(shop_maker_insert(NULL, &maker), VARVE_MISUSE);
    assert_int_equal(shop_maker_insert_many(NULL, &maker, 1), VARVE_MISUSE);
    assert_int_equal(shop_maker_update(NULL, &maker), VARVE_MISUSE);
    assert_int_equal(shop_maker_update_fields(NULL, &maker, NULL, 0), VARVE_MISUSE);
    assert_int_equal(shop_maker_upsert(NULL, &maker), VARVE_MISUSE);
    assert_int_equal(shop_maker_delete(NULL, 1), VARVE_MISUSE);
    assert_int_equal(shop_maker_delete_where(NULL, NULL), VARVE_MISUSE);
    assert_int_equal(shop_maker_get(NULL, 1, &read), VARVE_MISUSE);
    assert_null(read);
    assert_int_equal(shop_maker_get_by_name(NULL, "m", &read), VARVE_MISUSE);
    assert_int_equal(shop_maker_get_many(NULL, NULL, 0, &many), VARVE_MISUSE);
    assert_int_equal(shop_maker_find(NULL, NULL, &cursor), VARVE_MISUSE);
    assert_int_equal(shop_maker_find_one(NULL, NULL, &read), VARVE_MISUSE);
    assert_int_equal(shop_maker_count(NULL, NULL, &count), VARVE_MISUSE);
    assert_int_equal(varve_begin(NULL), VARVE_MISUSE);
    assert_non_null(strstr(varve_session_error(NULL), "session is NULL"));
}

/* A call in another thread that stops in its middle. */
struct halted {
    struct varve_session *session;
    sem_t inside;
    sem_t go_on;
    enum varve_status status;
};

static void
halt(void *context, int what, const char *database, const char *table, sqlite3_int64 id)
{
    struct halted *halted = context;
    (void)what, (void)database, (void)table, (void)id;
    sem_post(&halted->inside);
    sem_wait(&halted->go_on);
}

static void *
insert_and_halt(void *context)
{
    struct halted *halted = context;
    struct shop_maker maker = SHOP_MAKER_INIT;
    maker.name = "of the other thread";
    halted->status = shop_maker_insert(halted->session, &maker);
    return NULL;
}

static void
test_a_session_in_two_threads_at_once_is_misuse(void **state)
{
    struct halted halted = {.session = session_of(state)};
    struct shop_maker *read;
    pthread_t thread;
    sem_init(&halted.inside, 0, 0);
    sem_init(&halted.go_on, 0, 0);
    sqlite3_update_hook(varve_session_sqlite(halted.session), halt, &halted);
    pthread_create(&thread, NULL, insert_and_halt, &halted);
    sem_wait(&halted.inside);
    enum varve_status got = shop_maker_get(halted.session, 1, &read);
    bool explained = strstr(varve_session_error(NULL), "another thread") != NULL;
    enum varve_status begun = varve_begin(halted.session);
    sem_post(&halted.go_on);
    pthread_join(thread, NULL);
    sqlite3_update_hook(varve_session_sqlite(halted.session), NULL, NULL);
    assert_int_equal(got, VARVE_MISUSE);
    assert_true(explained);
    assert_int_equal(begun, VARVE_MISUSE);
    assert_int_equal(halted.status, VARVE_OK);
    expect_working(halted.session, 1);
    sem_destroy(&halted.inside);
    sem_destroy(&halted.go_on);
}

/* -------------------------------------------------------------------- text that looks like SQL */

static const char *const attacks[] = {
    "'; DROP TABLE maker; --",
    "\"; DELETE FROM item; --",
    "' OR '1'='1",
    "%",
    "_",
    "\\",
    "?1",
    ":a",
    "x' UNION SELECT 1 --",
    "s%n%s",
    "*]})",
    "",
    "/*",
};

static void
expect_only_one_is_found(struct varve_session *session, const char *text)
{
    struct shop_country_filter filters[] = {
        {.code = varve_text_equals(text)},
        {.name = varve_text_equals(text)},
        {.code = varve_text_in(&text, 1)},
        {.code = varve_text_between(text, text)},
    };
    int64_t count;
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        expect_ok(session, shop_country_count(session, &filters[i], &count));
        assert_int_equal(count, 1);
    }
    struct shop_country_filter prefix = {.name = varve_text_prefix(text)};
    expect_ok(session, shop_country_count(session, &prefix, &count));
    assert_int_equal(count, *text ? 1 : sizeof attacks / sizeof *attacks);
}

static void
test_text_is_never_taken_for_sql(void **state)
{
    struct varve_session *session = session_of(state);
    size_t count = sizeof attacks / sizeof *attacks;
    enum shop_country_field name[] = {SHOP_COUNTRY_FIELD_NAME};
    struct shop_country *read;
    struct shop_country **many;
    add_maker(session, "m");
    for (size_t i = 0; i < count; i++) {
        struct shop_country country = SHOP_COUNTRY_INIT;
        country.code = attacks[i];
        expect_ok(session, shop_country_insert(session, &country));
        assert_int_equal(shop_country_insert(session, &country), VARVE_CONFLICT);
        country.name = attacks[i];
        expect_ok(session, shop_country_update_fields(session, &country, name, 1));
        expect_ok(session, shop_country_upsert(session, &country));
        expect_ok(session, shop_country_get(session, attacks[i], &read));
        assert_true(shop_country_equal(&country, read));
        shop_country_free(read);
        assert_int_equal(
            shop_maker_get_by_name(session, attacks[i], &(struct shop_maker *){NULL}),
            VARVE_NOT_FOUND);
    }
    expect_ok(session, shop_country_get_many(session, attacks, (int64_t)count, &many));
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(many[i]->name, attacks[i]);
        expect_only_one_is_found(session, attacks[i]);
    }
    shop_country_free_many(many);
    for (size_t i = 0; i < count; i++)
        expect_ok(session, shop_country_delete(session, attacks[i]));
    expect_working(session, 1);
}

static void
test_a_null_as_result_or_key_is_misuse(void **state)
{
    struct shop *shop = *state;
    struct varve_config config = {.data_dir = shop->folder};
    struct varve_error error;
    void *found;
    assert_int_equal(varve_session_open(shop->store, NULL), VARVE_MISUSE);
    assert_non_null(strstr(varve_session_error(NULL), "the result is NULL"));
    assert_int_equal(varve_open(&shop_schema, &config, NULL, &error), VARVE_MISUSE);
    assert_non_null(strstr(error.message, "the result is NULL"));
    assert_int_equal(varve_record_delete(shop->session, &shop_maker_record, NULL), VARVE_MISUSE);
    expect_failure(shop->session, VARVE_FAILURE_OTHER, 0, "the key of a shop.Maker is NULL");
    assert_int_equal(
        varve_record_get(shop->session, &shop_maker_record, NULL, &found), VARVE_MISUSE);
    assert_null(found);
    expect_working(shop->session, 0);
}

static void
test_a_null_in_a_call_about_records_is_misuse(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_maker maker = SHOP_MAKER_INIT;
    const struct varve_record *table = &shop_maker_record;
    const void *const key[] = {&maker.id};
    const enum varve_status answers[] = {
        varve_record_get(session, table, key, NULL),
        varve_record_get_by(session, table, SHOP_MAKER_FIELD_NAME, "m", NULL),
        varve_record_get_many(session, table, NULL, 0, NULL),
        varve_record_find(session, table, NULL, NULL),
        varve_record_find_one(session, table, NULL, NULL),
        varve_record_count(session, table, NULL, NULL),
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        assert_int_equal(answers[i], VARVE_MISUSE);
    expect_failure(session, VARVE_FAILURE_OTHER, 0, "the result is NULL");
    assert_int_equal(varve_record_insert(session, NULL, &maker), VARVE_MISUSE);
    expect_failure(session, VARVE_FAILURE_OTHER, 0, "the table is NULL");
    assert_int_equal(varve_cursor_next(NULL, NULL, &(const void *){NULL}), VARVE_MISUSE);
    expect_working(session, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_a_value_that_no_row_holds_is_refused),
        SHOP_TEST(test_records_that_are_none_are_misuse),
        SHOP_TEST(test_without_a_session_every_call_is_misuse),
        SHOP_TEST(test_a_null_as_result_or_key_is_misuse),
        SHOP_TEST(test_a_null_in_a_call_about_records_is_misuse),
        SHOP_TEST(test_a_session_in_two_threads_at_once_is_misuse),
        SHOP_TEST(test_text_is_never_taken_for_sql),
    };
    return cmocka_run_group_tests_name("refused", tests, NULL, NULL);
}
