/* The circuit breaker: when it keeps calls from the server, and when it lets them try. */
#include "redis_support.h"

#include <stdatomic.h>

#include "base/error.h"
#include "cache/redis_breaker.h"

struct breaker_fixture {
    struct varve__redis_options options;
    struct varve__redis_breaker breaker;
    int opened; /* events of the log */
    int closed;
    char last[1200];
};

static void
note_event(void *context, enum varve_log_level level, enum varve_tier tier, const char *message)
{
    struct breaker_fixture *fixture = context;
    assert_int_equal(tier, VARVE_TIER_CACHE);
    fixture->opened += level == VARVE_LOG_WARNING;
    fixture->closed += level == VARVE_LOG_INFO;
    strncpy(fixture->last, message, sizeof fixture->last - 1);
}

static int
set_up(void **state)
{
    static struct breaker_fixture fixture;
    memset(&fixture, 0, sizeof fixture);
    fixture.options = (struct varve__redis_options){
        .breaker_failures = 3,
        .breaker_ms = 30,
        .log = note_event,
        .log_context = &fixture,
    };
    varve__redis_breaker_init(&fixture.breaker, &fixture.options, "/x.sock");
    *state = &fixture;
    return 0;
}

static int
tear_down(void **state)
{
    varve__redis_breaker_destroy(&((struct breaker_fixture *)*state)->breaker);
    return 0;
}

static enum varve_status
enter(struct breaker_fixture *fixture, bool *probe)
{
    return varve__redis_breaker_enter(&fixture->breaker, NULL, probe);
}

/* A call that fails; whether calls still go to the server. */
static bool
fail_once(struct breaker_fixture *fixture)
{
    bool probe;
    assert_int_equal(enter(fixture, &probe), VARVE_OK);
    varve__fail(VARVE_UNAVAILABLE, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, NULL, "no cable");
    return varve__redis_breaker_fail(&fixture->breaker, probe);
}

static void
open_breaker(struct breaker_fixture *fixture)
{
    for (int64_t i = 0; i < fixture->options.breaker_failures; i++)
        fail_once(fixture);
    assert_int_equal(fixture->breaker.state, VARVE_BREAKER_OPEN);
}

/* Waits until a call may try; how long that took. */
static int64_t
wait_for_probe(struct breaker_fixture *fixture)
{
    int64_t begin = varve__monotonic_now();
    bool probe;
    while (enter(fixture, &probe) != VARVE_OK)
        sleep_ms(1);
    assert_true(probe);
    return milliseconds_since(begin);
}

static void
test_it_opens_at_the_last_of_so_many_failures_in_a_row(void **state)
{
    struct breaker_fixture *fixture = *state;
    bool probe;
    assert_true(fail_once(fixture));
    assert_true(fail_once(fixture));
    assert_false(fail_once(fixture));
    assert_int_equal(enter(fixture, &probe), VARVE_UNAVAILABLE);
    assert_false(probe);
    expect_failure(VARVE_UNAVAILABLE, "/x.sock failed 3 times in a row and is tried again in ");
    expect_failure(VARVE_UNAVAILABLE, "no cable");
    assert_int_equal(fixture->opened, 1);
    assert_non_null(strstr(fixture->last, "no cable"));
}

static void
test_an_answer_between_failures_begins_the_count_anew(void **state)
{
    struct breaker_fixture *fixture = *state;
    bool probe;
    for (int i = 0; i < 5; i++) {
        assert_true(fail_once(fixture));
        assert_true(fail_once(fixture));
        assert_int_equal(enter(fixture, &probe), VARVE_OK);
        varve__redis_breaker_succeed(&fixture->breaker, probe);
    }
    assert_int_equal(fixture->opened, 0);
}

static void
test_after_the_pause_one_call_tries_and_the_others_fail(void **state)
{
    struct breaker_fixture *fixture = *state;
    bool probe;
    open_breaker(fixture);
    int64_t waited = wait_for_probe(fixture);
    assert_in_range(waited, 25, 300);
    assert_int_equal(fixture->breaker.state, VARVE_BREAKER_PROBING);
    assert_int_equal(enter(fixture, &probe), VARVE_UNAVAILABLE);
    expect_failure(VARVE_UNAVAILABLE, "is being tried by another call");
}

static void
test_an_answer_to_the_try_closes_it(void **state)
{
    struct breaker_fixture *fixture = *state;
    bool probe;
    int64_t opened;
    open_breaker(fixture);
    wait_for_probe(fixture);
    varve__redis_breaker_succeed(&fixture->breaker, true);
    assert_int_equal(enter(fixture, &probe), VARVE_OK);
    assert_false(probe);
    assert_int_equal(varve__redis_breaker_state(&fixture->breaker, &opened), VARVE_BREAKER_CLOSED);
    assert_int_equal(opened, 1);
    assert_int_equal(fixture->closed, 1);
    assert_non_null(strstr(fixture->last, "answers again"));
    assert_true(fail_once(fixture)); /* the count began anew */
}

static void
test_the_pause_doubles_with_each_try_in_vain_and_is_logged_once(void **state)
{
    struct breaker_fixture *fixture = *state;
    open_breaker(fixture);
    wait_for_probe(fixture);
    assert_false(varve__redis_breaker_fail(&fixture->breaker, true));
    int64_t waited = wait_for_probe(fixture);
    assert_in_range(waited, 55, 500);
    assert_int_equal(fixture->breaker.pause_ms, 60);
    assert_int_equal(fixture->opened, 1);
    assert_int_equal(fixture->breaker.opened, 1);
}

static void
test_the_pause_ends_growing_at_32_times_the_first(void **state)
{
    struct breaker_fixture *fixture = *state;
    fixture->options.breaker_ms = 1;
    open_breaker(fixture);
    for (int i = 0; i < 8; i++) {
        wait_for_probe(fixture);
        varve__redis_breaker_fail(&fixture->breaker, true);
        assert_true(fixture->breaker.pause_ms <= 32);
    }
    assert_int_equal(fixture->breaker.pause_ms, 32);
}

static void
test_pauses_differ_at_random(void **state)
{
    struct breaker_fixture *fixture = *state;
    fixture->options.breaker_ms = 100000;
    fixture->options.breaker_failures = 1;
    int64_t least = INT64_MAX, most = 0;
    for (int i = 0; i < 20; i++) {
        open_breaker(fixture);
        int64_t pause = fixture->breaker.next_try - varve__monotonic_now();
        least = pause < least ? pause : least;
        most = pause > most ? pause : most;
        varve__redis_breaker_succeed(&fixture->breaker, true);
    }
    assert_true(least > INT64_C(99000000000));
    assert_true(most <= INT64_C(125000000000));
    assert_true(most - least > INT64_C(1000000000));
}

static void
test_a_try_that_ends_unknown_leaves_the_next_to_try_at_once(void **state)
{
    struct breaker_fixture *fixture = *state;
    bool probe;
    open_breaker(fixture);
    wait_for_probe(fixture);
    varve__redis_breaker_leave(&fixture->breaker, true);
    assert_int_equal(fixture->breaker.state, VARVE_BREAKER_OPEN);
    assert_int_equal(enter(fixture, &probe), VARVE_OK);
    assert_true(probe);
}

static void
test_a_late_answer_to_an_older_call_does_not_close_it(void **state)
{
    struct breaker_fixture *fixture = *state;
    bool late, probe;
    assert_int_equal(enter(fixture, &late), VARVE_OK);
    open_breaker(fixture);
    varve__redis_breaker_succeed(&fixture->breaker, late);
    assert_int_equal(enter(fixture, &probe), VARVE_UNAVAILABLE);
    assert_int_equal(fixture->closed, 0);
}

static void
test_without_a_limit_of_failures_it_never_opens(void **state)
{
    struct breaker_fixture *fixture = *state;
    fixture->options.breaker_failures = 0;
    for (int i = 0; i < 100; i++)
        assert_true(fail_once(fixture));
    assert_int_equal(fixture->opened, 0);
}

/* -------------------------------------------------------------------- threads */

struct crowd {
    struct breaker_fixture *fixture;
    atomic_int probing; /* at this moment */
    atomic_int most;
    atomic_int probes;
};

static void *
call_often(void *context)
{
    struct crowd *crowd = context;
    for (int i = 0; i < 3000; i++) {
        bool probe;
        if (enter(crowd->fixture, &probe) != VARVE_OK)
            continue;
        if (probe) {
            int now = ++crowd->probing;
            if (now > crowd->most)
                crowd->most = now;
            crowd->probes++;
            sleep_ms(1);
            crowd->probing--;
        }
        varve__fail(VARVE_UNAVAILABLE, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, NULL, "no cable");
        varve__redis_breaker_fail(&crowd->fixture->breaker, probe);
    }
    return NULL;
}

static void
test_of_eight_threads_one_tries_at_a_time(void **state)
{
    struct crowd crowd = {.fixture = *state};
    pthread_t threads[8];
    crowd.fixture->options.breaker_ms = 1;
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, &crowd), 0);
    for (size_t i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    wait_for_probe(crowd.fixture);
    assert_true(crowd.most <= 1);
    assert_int_equal(crowd.fixture->opened, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_it_opens_at_the_last_of_so_many_failures_in_a_row),
        TEST(test_an_answer_between_failures_begins_the_count_anew),
        TEST(test_after_the_pause_one_call_tries_and_the_others_fail),
        TEST(test_an_answer_to_the_try_closes_it),
        TEST(test_the_pause_doubles_with_each_try_in_vain_and_is_logged_once),
        TEST(test_the_pause_ends_growing_at_32_times_the_first),
        TEST(test_pauses_differ_at_random),
        TEST(test_a_try_that_ends_unknown_leaves_the_next_to_try_at_once),
        TEST(test_a_late_answer_to_an_older_call_does_not_close_it),
        TEST(test_without_a_limit_of_failures_it_never_opens),
        TEST(test_of_eight_threads_one_tries_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
