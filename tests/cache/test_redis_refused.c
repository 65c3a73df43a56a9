/* What the server refuses, for want of memory, of a password, a command or a right; and who may fill copies. */
#include "redis_support.h"

#include <signal.h>

#include "base/error.h"

static void
test_a_full_server_refuses_puts_and_serves_gets(void **state)
{
    struct redis_fixture *fixture = *state;
    open_engine(fixture);
    assert_int_equal(put_text(fixture, &plain_space, "a", "1", 0), VARVE_OK);
    assert_int_equal(put_text(fixture, &ordered_space, "o", "1", 1), VARVE_OK);
    server_command(fixture->server, "CONFIG SET maxmemory 1");
    for (int i = 0; i < 10; i++)
        assert_int_equal(put_text(fixture, &plain_space, "b", "2", 0), VARVE_FULL);
    expect_failure(VARVE_FULL, "maxmemory");
    assert_int_equal(varve__thread_failure()->index, 0);
    assert_int_equal(put_text(fixture, &ordered_space, "o", "2", 2), VARVE_FULL);
    assert_int_equal(put_text(fixture, &ordered_space, "p", "2", 2), VARVE_FULL);
    expect_text(fixture, &plain_space, "a", "1");
    expect_text(fixture, &ordered_space, "o", "1");
    assert_string_equal(server_command(fixture->server, "ZCARD lab:00000002%%index"), "1");
    assert_int_equal(health_of(fixture).breaker_opened, 0);
    assert_int_equal(health_of(fixture).retries, 0);
    server_command(fixture->server, "CONFIG SET maxmemory 0");
    expect_recovery(fixture);
}

static void
test_a_wrong_password_is_told_but_not_written_down(void **state)
{
    struct redis_fixture *fixture = *state;
    use_server(fixture, (const char *const[]){"--requirepass", "open sesame", NULL});
    fixture->options.password = "abracadabra";
    open_engine(fixture);
    for (int i = 0; i < 3; i++)
        assert_int_equal(put_text(fixture, &plain_space, "a", "1", 0), VARVE_UNAVAILABLE);
    expect_failure(VARVE_UNAVAILABLE, "redis_password");
    assert_null(strstr(varve__thread_error(), "abracadabra"));
    assert_int_equal(count_in_log(fixture, "abracadabra"), 0);
    assert_int_equal(count_in_log(fixture, "redis_password"), 1);
    fixture->options.password = "open sesame";
    open_engine(fixture);
    expect_recovery(fixture);
}

static void
test_a_password_is_not_written_down_where_auth_was_renamed(void **state)
{
    struct redis_fixture *fixture = *state;
    use_server(fixture, (const char *const[]){"--rename-command", "AUTH", "KNOCK", NULL});
    fixture->options.password = "abracadabra";
    open_engine(fixture);
    for (int i = 0; i < 3; i++)
        assert_int_equal(put_text(fixture, &plain_space, "a", "1", 0), VARVE_UNAVAILABLE);
    assert_null(strstr(varve__thread_error(), "abracadabra"));
    assert_int_equal(count_in_log(fixture, "abracadabra"), 0);
}

static void
test_a_command_that_the_server_lacks_is_told(void **state)
{
    struct redis_fixture *fixture = *state;
    use_server(fixture, (const char *const[]){"--rename-command", "ZADD", "", NULL});
    open_engine(fixture);
    assert_int_equal(put_text(fixture, &ordered_space, "a", "1", 1), VARVE_UNAVAILABLE);
    expect_failure(VARVE_UNAVAILABLE, "no command renamed");
    assert_int_equal(put_text(fixture, &plain_space, "a", "1", 0), VARVE_OK);
}

/* -------------------------------------------------------------------- rights */

/* Makes the engine a user's who may do everything but this. */
static void
use_rights(struct redis_fixture *fixture, const char *without)
{
    server_command(fixture->server, "ACL SETUSER ann reset on >pw ~* &* +@all %s", without);
    fixture->options.username = "ann";
    fixture->options.password = "pw";
    open_engine(fixture);
}

static void
test_a_user_who_may_not_set_may_get(void **state)
{
    struct redis_fixture *fixture = *state;
    use_rights(fixture, "-set");
    server_command(fixture->server, "SET lab:00000001:a 1");
    assert_int_equal(put_text(fixture, &plain_space, "a", "2", 0), VARVE_UNAVAILABLE);
    expect_failure(VARVE_UNAVAILABLE, "ACL SETUSER");
    expect_text(fixture, &plain_space, "a", "1");
    assert_int_equal(health_of(fixture).retries, 0);
}

static void
test_a_user_who_may_not_run_scripts_may_put_without_an_order(void **state)
{
    struct redis_fixture *fixture = *state;
    use_rights(fixture, "-evalsha");
    assert_int_equal(put_text(fixture, &ordered_space, "a", "1", 1), VARVE_UNAVAILABLE);
    expect_failure(VARVE_UNAVAILABLE, "evalsha");
    assert_int_equal(put_text(fixture, &plain_space, "a", "1", 0), VARVE_OK);
}

static enum varve_status
take_nothing(void *context, size_t i, struct varve__cache_text value)
{
    (void)i;
    (void)value;
    *(bool *)context = true;
    return VARVE_OK;
}

static enum varve_status
get_copy(struct redis_fixture *fixture, const char *token, bool *granted, bool *taken)
{
    static const char key[] = "lab:00000003:a";
    *taken = false;
    varve__watch_begin(&fixture->watch);
    return fixture->cache->engine->copies->get(
        fixture->cache, &fixture->watch, &copied_space,
        (struct varve__cache_text){key, sizeof key - 1}, VARVE__TTL_KEEP, token, granted,
        take_nothing, taken);
}

static enum varve_status
invalidate_copy(struct redis_fixture *fixture)
{
    static const struct varve__cache_text key = {"lab:00000003:a", 14};
    varve__watch_begin(&fixture->watch);
    return fixture->cache->engine->copies->invalidate(fixture->cache, &fixture->watch, &key, 1);
}

static void
test_without_the_right_to_info_there_are_no_copies(void **state)
{
    struct redis_fixture *fixture = *state;
    bool granted, taken;
    use_rights(fixture, "-info");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(get_copy(fixture, "0123456789abcdef", &granted, &taken), VARVE_OK);
        assert_false(granted);
        assert_false(taken);
    }
    assert_int_equal(invalidate_copy(fixture), VARVE_UNAVAILABLE);
    expect_failure(VARVE_UNAVAILABLE, "run_id");
    assert_int_equal(count_in_log(fixture, "+info"), 1);
    assert_string_equal(server_command(fixture->server, "DBSIZE"), "0");
    struct varve_cache_health health = health_of(fixture);
    assert_true(health.available);
    assert_int_equal(health.used_bytes, -1);
}

static void
test_a_lease_that_was_taken_before_its_reply_was_lost_is_granted(void **state)
{
    struct redis_fixture *fixture = *state;
    bool granted, taken;
    open_engine(fixture);
    for (int i = 0; i < 2; i++) { /* the second is as one made again */
        assert_int_equal(get_copy(fixture, "0123456789abcdef", &granted, &taken), VARVE_OK);
        assert_true(granted);
    }
    assert_int_equal(get_copy(fixture, "another token..!", &granted, &taken), VARVE_OK);
    assert_false(granted);
    assert_int_equal(invalidate_copy(fixture), VARVE_OK);
    assert_int_equal(get_copy(fixture, "another token..!", &granted, &taken), VARVE_OK);
    assert_true(granted);
}

static void
test_an_invalidation_is_not_tried_again(void **state)
{
    struct redis_fixture *fixture = *state;
    open_engine(fixture);
    server_kill(fixture->server, SIGKILL);
    assert_int_equal(invalidate_copy(fixture), VARVE_UNAVAILABLE);
    assert_int_equal(health_of(fixture).retries, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        REDIS_TEST(test_a_full_server_refuses_puts_and_serves_gets),
        REDIS_TEST(test_a_wrong_password_is_told_but_not_written_down),
        REDIS_TEST(test_a_password_is_not_written_down_where_auth_was_renamed),
        REDIS_TEST(test_a_command_that_the_server_lacks_is_told),
        REDIS_TEST(test_a_user_who_may_not_set_may_get),
        REDIS_TEST(test_a_user_who_may_not_run_scripts_may_put_without_an_order),
        REDIS_TEST(test_without_the_right_to_info_there_are_no_copies),
        REDIS_TEST(test_a_lease_that_was_taken_before_its_reply_was_lost_is_granted),
        REDIS_TEST(test_an_invalidation_is_not_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
