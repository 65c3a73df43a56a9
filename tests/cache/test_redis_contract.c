/* The Redis engine: the contract, and hot copies. */
#define _POSIX_C_SOURCE 200809L /* nanosleep */

#include "contract_support.h"

#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "cache/redis.h"
#include "server.h"

static struct test_server *server;

static struct varve__cache *
open_engine(void)
{
    const struct varve__redis_options options = {
        .unix_socket = server_socket(server),
        .needs_run = true,
        .connect_timeout_ms = 5000,
        .timeout_ms = 5000,
        .pool_size = 8,
        .pool_timeout_ms = 5000,
        .retries = 3,
    };
    struct varve__cache *cache;
    server_command(server, "FLUSHALL");
    assert_int_equal(varve__redis_open(&options, &cache), VARVE_OK);
    return cache;
}

static void
sleep_for(int64_t ms)
{
    struct timespec duration = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&duration, NULL);
}

/* -------------------------------------------------------------------- hot copies */

/* Sixteen bytes: the token of a call. */
#define TOKEN_A "token of call A "
#define TOKEN_B "token of call B "

/* The copy as a string, NULL when there is none; *granted: the right to fill it. */
static const char *
copy_of(struct contract *contract, const char *name, const char *token, bool *granted)
{
    static struct got got;
    bool unused;
    got = (struct got){0};
    enum varve_status status = contract->cache->engine->copies->get(
        contract->cache, &contract->watch, &contract_spaces[COPIED], key_of(COPIED, name),
        VARVE__TTL_KEEP, token, granted ? granted : &unused, take_value, &got);
    if (status != VARVE_OK)
        fail_msg("%s", varve__thread_error());
    return got.count > 0 ? got.last : NULL;
}

static void
fill(struct contract *contract, const char *name, const char *value, const char *token)
{
    struct varve__cache_item item = {key_of(COPIED, name), text_of(value), 60000, 0};
    enum varve_status status = contract->cache->engine->copies->fill(
        contract->cache, &contract->watch, &contract_spaces[COPIED], &item, token);
    if (status != VARVE_OK)
        fail_msg("%s", varve__thread_error());
}

static void
invalidate(struct contract *contract, const char *first, const char *second)
{
    struct varve__cache_text keys[] = {key_of(COPIED, first), key_of(COPIED, second)};
    enum varve_status status =
        contract->cache->engine->copies->invalidate(contract->cache, &contract->watch, keys, 2);
    if (status != VARVE_OK)
        fail_msg("%s", varve__thread_error());
}

static void
one_asker_is_granted_the_right_to_fill(void **state)
{
    bool first = false, second = true;
    assert_null(copy_of(*state, "a", TOKEN_A, &first));
    assert_null(copy_of(*state, "a", TOKEN_B, &second));
    assert_true(first);
    assert_false(second);
    fill(*state, "a", "refused", TOKEN_B);
    assert_null(copy_of(*state, "a", TOKEN_B, NULL));
    fill(*state, "a", "one", TOKEN_A);
    assert_string_equal(copy_of(*state, "a", TOKEN_B, NULL), "one");
}

static void
a_right_to_fill_is_used_once(void **state)
{
    assert_null(copy_of(*state, "a", TOKEN_A, NULL));
    fill(*state, "a", "one", TOKEN_A);
    fill(*state, "a", "two", TOKEN_A);
    assert_string_equal(copy_of(*state, "a", TOKEN_A, NULL), "one");
}

static void
nothing_is_filled_that_nobody_asked_for(void **state)
{
    fill(*state, "a", "one", TOKEN_A);
    assert_null(copy_of(*state, "a", TOKEN_B, NULL));
}

static void
an_invalidation_deletes_copies_and_ends_rights(void **state)
{
    bool granted = false;
    assert_null(copy_of(*state, "a", TOKEN_A, NULL));
    fill(*state, "a", "old", TOKEN_A);
    assert_null(copy_of(*state, "b", TOKEN_A, NULL));
    assert_null(copy_of(*state, "c", TOKEN_A, NULL));
    fill(*state, "c", "kept", TOKEN_A);
    invalidate(*state, "a", "b");
    assert_null(copy_of(*state, "a", TOKEN_B, &granted));
    assert_true(granted);
    fill(*state, "b", "old", TOKEN_A);
    assert_null(copy_of(*state, "b", TOKEN_B, &granted));
    assert_true(granted);
    fill(*state, "b", "new", TOKEN_B);
    assert_string_equal(copy_of(*state, "b", TOKEN_A, NULL), "new");
    assert_string_equal(copy_of(*state, "c", TOKEN_A, NULL), "kept");
}

static void
an_invalidation_of_nothing_is_fine(void **state)
{
    struct contract *contract = *state;
    invalidate(contract, "a", "b");
    assert_int_equal(
        contract->cache->engine->copies->invalidate(contract->cache, &contract->watch, NULL, 0),
        VARVE_OK);
}

/* The server's file has an older copy, which was deleted after the file was written. */
static void
another_run_of_the_server_has_no_older_copies(void **state)
{
    bool granted = false;
    assert_null(copy_of(*state, "a", TOKEN_A, NULL));
    fill(*state, "a", "old", TOKEN_A);
    server_command(server, "SAVE");
    invalidate(*state, "a", "b");
    server_kill(server, SIGKILL);
    server_restart(server);
    assert_string_not_equal(server_command(server, "DBSIZE"), "0");
    assert_null(copy_of(*state, "a", TOKEN_B, &granted));
    assert_true(granted);
    fill(*state, "a", "new", TOKEN_B);
    assert_string_equal(copy_of(*state, "a", TOKEN_A, NULL), "new");
}

int
main(void)
{
    static const struct contract_factory factory = {"redis", open_engine, sleep_for};
#define COPIES(test) cmocka_unit_test_setup_teardown(test, open_contract, close_contract)
    const struct CMUnitTest tests[] = {
        COPIES(one_asker_is_granted_the_right_to_fill),
        COPIES(a_right_to_fill_is_used_once),
        COPIES(nothing_is_filled_that_nobody_asked_for),
        COPIES(an_invalidation_deletes_copies_and_ends_rights),
        COPIES(an_invalidation_of_nothing_is_fine),
        COPIES(another_run_of_the_server_has_no_older_copies),
    };
    server = server_start(NULL);
    int failed = contract_run(&factory);
    failed += cmocka_run_group_tests(tests, NULL, NULL);
    server_stop(server);
    return failed;
}
