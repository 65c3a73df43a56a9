/* Typed queries that fail: values that fit nowhere, misuse, endless statements. */
#define _POSIX_C_SOURCE 200809L /* nanosleep */

#include "query_support.h"

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

/* Runs Q.Value, whose result is what this JSON says. */
static enum varve_status
value_of(struct varve_session *session, const char *json, int64_t *value)
{
    struct ask_text request = ASK_TEXT_INIT;
    struct ask_loose *loose;
    request.text = json;
    enum varve_status status = ask_q_value(session, &request, &loose);
    if (status == VARVE_OK)
        *value = loose->value;
    ask_loose_free(loose);
    return status;
}

static void
a_result_of_another_type_is_refused_with_column_and_value(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    int64_t value = 0;
    expect_ok(session, value_of(session, "{\"value\": 12}", &value));
    assert_int_equal(value, 12);
    assert_int_equal(value_of(session, "{\"value\": 1.5}", &value), VARVE_TYPE);
    expect_error(session, "ask.Q.Value: the result's column value is the number 1.5 where");
    assert_int_equal(value_of(session, "{\"value\": \"abc\"}", &value), VARVE_TYPE);
    expect_error(session, "the text \"abc\"");
    assert_int_equal(value_of(session, "{}", &value), VARVE_TYPE);
    expect_error(session, "NULL");
    assert_int_equal(varve_session_failure(session)->fields[0], ASK_LOOSE_FIELD_VALUE);
    assert_string_equal(varve_session_failure(session)->record, "ask.Loose");
}

static void
a_long_text_of_another_type_is_cut_at_a_character(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    int64_t value;
    char json[300] = "{\"value\": \"x";
    for (int i = 0; i < 100; i++)
        strcat(json, "\xc3\xa9");
    strcat(json, "\"}");
    assert_int_equal(value_of(session, json, &value), VARVE_TYPE);
    expect_error(session, "\xc3\xa9\"..");
}

static void
an_overflow_that_sqlite_makes_a_number_is_a_type_error(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_everything request = ASK_EVERYTHING_INIT;
    struct ask_loose *loose;
    request.has_i = 1;
    request.i = INT64_MAX;
    assert_int_equal(ask_q_twice(session, &request, &loose), VARVE_TYPE);
    assert_null(loose);
}

static void
what_sqlite_refuses_at_run_time_is_invalid(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    int64_t value;
    assert_int_equal(value_of(session, "{no json", &value), VARVE_INVALID);
    expect_error(session, "ask.Q.Value: SQLite says: malformed JSON");
}

static void
bad_parameters_are_refused_with_their_field(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_everything request = ASK_EVERYTHING_INIT;
    struct ask_everything *echo;
    struct ask_lists lists = ASK_LISTS_INIT;
    struct varve_cursor *cursor;
    uint64_t large[] = {1, UINT64_MAX};
    double reals[] = {NAN};
    request.has_d = 1;
    request.d = NAN;
    assert_int_equal(ask_q_echo(session, &request, &echo), VARVE_INVALID);
    assert_int_equal(varve_session_failure(session)->kind, VARVE_FAILURE_NAN);
    assert_int_equal(varve_session_failure(session)->fields[0], ASK_EVERYTHING_FIELD_D);
    request.d = 1;
    request.s = "\xff";
    assert_int_equal(ask_q_echo(session, &request, &echo), VARVE_INVALID);
    assert_int_equal(varve_session_failure(session)->kind, VARVE_FAILURE_UTF8);
    lists.naturals.count = 2;
    lists.naturals.data = large;
    assert_int_equal(ask_q_elements(session, &lists, &cursor), VARVE_INVALID);
    assert_null(cursor);
    expect_error(session, "element 1 is over 9223372036854775807");
    lists.naturals.count = 0;
    lists.reals.count = 1;
    lists.reals.data = reals;
    assert_int_equal(ask_q_elements(session, &lists, &cursor), VARVE_INVALID);
    expect_error(session, "element 0 is NaN");
}

static void
misuse_is_told(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_id request = ASK_ID_INIT;
    struct ask_label label = ASK_LABEL_INIT;
    struct varve_cursor *cursor;
    void *record;
    assert_int_equal(ask_q_items_of(NULL, &request, &cursor), VARVE_MISUSE);
    assert_int_equal(ask_q_items_of(session, NULL, &cursor), VARVE_MISUSE);
    expect_error(session, "the request is NULL");
    assert_int_equal(ask_q_items_of(session, &request, NULL), VARVE_MISUSE);
    expect_error(session, "the result is NULL");
    assert_int_equal(
        varve_query_rows(session, &ask_q_items_of_query, &label, &cursor), VARVE_MISUSE);
    expect_error(session, "ask.Id: the struct is of another message");
    assert_int_equal(varve_query_rows(session, NULL, &request, &cursor), VARVE_MISUSE);
    assert_int_equal(varve_query_run(session, &ask_q_items_of_query, &request), VARVE_MISUSE);
    expect_error(session, "it gives rows");
    assert_int_equal(
        varve_query_one(session, &ask_q_relabel_query, &request, &record), VARVE_MISUSE);
    expect_error(session, "it gives no rows");
    struct varve_query foreign = ask_q_items_of_query;
    assert_int_equal(varve_query_rows(session, &foreign, &request, &cursor), VARVE_MISUSE);
    expect_error(session, "open the store with the schema that has it");
}

static void
a_row_of_another_message_is_refused(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_id request = ASK_ID_INIT;
    struct varve_cursor *cursor;
    const struct ask_hop *row;
    expect_ok(session, ask_q_items_of(session, &request, &cursor));
    assert_int_equal(ask_hop_next(cursor, &row), VARVE_MISUSE);
    varve_cursor_close(cursor);
}

static void
an_endless_query_ends_at_the_time_limit_of_calls(void **state)
{
    struct asked *asked = *state;
    struct ask_id request = ASK_ID_INIT;
    struct ask_count *count;
    asked_open_with(asked, (struct varve_config){.data_dir = ":memory:", .call_timeout_ms = 50});
    request.id = INT64_MAX;
    assert_int_equal(ask_q_count_to(asked->session, &request, &count), VARVE_TIMEOUT);
    expect_error(asked->session, "call_timeout_ms");
    request.id = 3;
    expect_ok(asked->session, ask_q_count_to(asked->session, &request, &count));
    assert_int_equal(count->count, 3);
    ask_count_free(count);
}

static void *
interrupt_until_ended(void *context)
{
    struct timespec pause = {0, 1000000};
    for (int i = 0; i < 60000 && !__atomic_load_n((int *)((void **)context)[1], __ATOMIC_SEQ_CST);
         i++) {
        varve_interrupt(((void **)context)[0]);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static void
an_endless_query_ends_when_it_is_interrupted(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_id request = ASK_ID_INIT;
    struct ask_count *count;
    pthread_t thread;
    int ended = 0;
    void *context[] = {session, &ended};
    request.id = INT64_MAX;
    assert_int_equal(pthread_create(&thread, NULL, interrupt_until_ended, context), 0);
    assert_int_equal(ask_q_count_to(session, &request, &count), VARVE_INTERRUPTED);
    __atomic_store_n(&ended, 1, __ATOMIC_SEQ_CST);
    pthread_join(thread, NULL);
}

/* Failures of a query leave its statement fit for the next call. */
static void
a_query_works_after_each_failure(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    int64_t value = 0;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(value_of(session, "{", &value), VARVE_INVALID);
        assert_int_equal(value_of(session, "{}", &value), VARVE_TYPE);
        expect_ok(session, value_of(session, "{\"value\": 5}", &value));
        assert_int_equal(value, 5);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_result_of_another_type_is_refused_with_column_and_value),
        TEST(a_long_text_of_another_type_is_cut_at_a_character),
        TEST(an_overflow_that_sqlite_makes_a_number_is_a_type_error),
        TEST(what_sqlite_refuses_at_run_time_is_invalid),
        TEST(bad_parameters_are_refused_with_their_field),
        TEST(misuse_is_told),
        TEST(a_row_of_another_message_is_refused),
        TEST(an_endless_query_ends_at_the_time_limit_of_calls),
        TEST(an_endless_query_ends_when_it_is_interrupted),
        TEST(a_query_works_after_each_failure),
    };
    return cmocka_run_group_tests_name("typed queries that fail", tests, NULL, NULL);
}
