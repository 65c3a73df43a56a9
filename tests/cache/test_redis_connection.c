/* Connections to a real server: how they are made, and what goes through them. */
#define _POSIX_C_SOURCE 200809L /* nanosleep */

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/error.h"
#include "dialogue.h"
#include "server.h"

static struct test_server *server;

static int
start(void **state)
{
    (void)state;
    server = server_start((const char *const[]){"--databases", "4", NULL});
    return 0;
}

static int
stop(void **state)
{
    (void)state;
    server_stop(server);
    return 0;
}

static int
connect_to_server(void **state)
{
    static struct dialogue dialogue;
    dialogue_begin(&dialogue, server_socket(server));
    *state = &dialogue;
    return dialogue_connect(&dialogue) == VARVE_OK ? 0 : -1;
}

static int
disconnect(void **state)
{
    dialogue_end(*state);
    return 0;
}

/* -------------------------------------------------------------------- connecting */

static void
test_the_run_is_known_when_it_is_asked_for(void **state)
{
    struct dialogue dialogue;
    char line[] = "run_id:........", replication[] = "master_replid:........";
    (void)state;
    dialogue_begin(&dialogue, server_socket(server));
    dialogue.options.needs_run = true;
    assert_int_equal(dialogue_connect(&dialogue), VARVE_OK);
    assert_int_equal(strlen(dialogue.connection->run), 16);
    memcpy(line + 7, dialogue.connection->run, 8);
    memcpy(replication + 14, dialogue.connection->run + 8, 8);
    assert_non_null(strstr(server_command(server, "INFO"), line));
    assert_non_null(strstr(server_command(server, "INFO"), replication));
    dialogue_end(&dialogue);
}

static void
test_the_database_is_selected(void **state)
{
    struct dialogue dialogue;
    (void)state;
    dialogue_begin(&dialogue, server_socket(server));
    dialogue.options.database = 3;
    assert_int_equal(dialogue_connect(&dialogue), VARVE_OK);
    assert_int_equal(dialogue_say(&dialogue, "CLIENT INFO"), VARVE_OK);
    assert_non_null(strstr(dialogue.replies, " db=3 "));
    dialogue_end(&dialogue);
}

static void
test_a_database_that_there_is_not_is_named(void **state)
{
    struct dialogue dialogue;
    (void)state;
    dialogue_begin(&dialogue, server_socket(server));
    dialogue.options.database = 4;
    assert_int_equal(dialogue_connect(&dialogue), VARVE_UNAVAILABLE);
    assert_null(dialogue.connection);
    assert_says("SELECT was refused by Redis at ");
    assert_says("correct redis_db");
}

static void
test_a_user_has_a_password(void **state)
{
    struct dialogue dialogue;
    (void)state;
    server_command(server, "ACL SETUSER ann on >first ~* +@all");
    dialogue_begin(&dialogue, server_socket(server));
    dialogue.options.username = "ann";
    dialogue.options.password = "first";
    assert_int_equal(dialogue_connect(&dialogue), VARVE_OK);
    assert_int_equal(dialogue_say(&dialogue, "ACL WHOAMI"), VARVE_OK);
    assert_string_equal(dialogue.replies, "$ann ");
    dialogue_end(&dialogue);
    dialogue.options.password = "second";
    assert_int_equal(dialogue_connect(&dialogue), VARVE_UNAVAILABLE);
    assert_says("correct redis_username and redis_password");
    assert_null(strstr(varve__thread_error(), "second"));
}

static void
test_a_user_without_the_right_to_ask_for_the_run_is_let_in(void **state)
{
    struct dialogue dialogue;
    (void)state;
    server_command(server, "ACL SETUSER bob on >word ~* +get");
    dialogue_begin(&dialogue, server_socket(server));
    dialogue.options.username = "bob";
    dialogue.options.password = "word";
    dialogue.options.needs_run = true;
    assert_int_equal(dialogue_connect(&dialogue), VARVE_OK);
    assert_string_equal(dialogue.connection->run, "");
    assert_int_equal(dialogue_say(&dialogue, "GET none"), VARVE_OK);
    dialogue_end(&dialogue);
    dialogue.options.database = 1;
    assert_int_equal(dialogue_connect(&dialogue), VARVE_UNAVAILABLE);
    assert_says("ACL SETUSER ");
    assert_says(" +select (it says: NOPERM"); /* newer servers name the user before it */
}

static void
test_a_password_is_wanted(void **state)
{
    struct dialogue dialogue;
    (void)state;
    struct test_server *locked = server_start((const char *const[]){"--requirepass", "pw", NULL});
    dialogue_begin(&dialogue, server_socket(locked));
    for (int needs_run = 0; needs_run < 2; needs_run++) {
        dialogue.options.needs_run = needs_run == 1;
        assert_int_equal(dialogue_connect(&dialogue), VARVE_UNAVAILABLE);
        assert_says("set redis_password");
    }
    dialogue.options.password = "pw";
    assert_int_equal(dialogue_connect(&dialogue), VARVE_OK);
    dialogue_end(&dialogue);
    server_stop(locked);
}

static void
test_a_password_that_is_not_wanted_is_told(void **state)
{
    struct dialogue dialogue;
    (void)state;
    dialogue_begin(&dialogue, server_socket(server));
    dialogue.options.password = "pw";
    assert_int_equal(dialogue_connect(&dialogue), VARVE_UNAVAILABLE);
    assert_says("leave redis_password out");
}

static void
test_a_server_that_is_not_there_is_named(void **state)
{
    struct dialogue dialogue;
    (void)state;
    dialogue_begin(&dialogue, "/nowhere/redis.sock");
    assert_int_equal(dialogue_connect(&dialogue), VARVE_UNAVAILABLE);
    assert_string_equal(
        varve__thread_error(), "cannot reach Redis at /nowhere/redis.sock: No such file or "
                               "directory; start the server, or correct redis_unix_socket");
    dialogue.options.unix_socket = NULL;
    dialogue.options.host = "127.0.0.1";
    dialogue.options.port = 1;
    assert_int_equal(dialogue_connect(&dialogue), VARVE_UNAVAILABLE);
    assert_says("Connection refused; start the server, or correct redis_host and redis_port");
    dialogue.options.host = "no.such.host.invalid";
    assert_int_equal(dialogue_connect(&dialogue), VARVE_UNAVAILABLE);
    assert_says("cannot reach Redis at no.such.host.invalid: ");
}

/* -------------------------------------------------------------------- exchanging */

static void
test_replies_come_in_the_order_of_the_commands(void **state)
{
    struct dialogue *dialogue = *state;
    dialogue->count = 5000;
    dialogue->value_size = 200;
    assert_int_equal(dialogue_exchange(dialogue), VARVE_OK);
    assert_int_equal(dialogue->right, 5000);
    dialogue->value_size = 0;
    assert_int_equal(dialogue_exchange(dialogue), VARVE_OK);
    assert_int_equal(dialogue->pieces, 5000);
    assert_int_equal(dialogue->right, 5000);
    assert_false(dialogue->connection->broken);
    assert_true(varve__redis_is_fit(dialogue->connection));
}

static void
test_full_sockets_on_both_sides_are_no_deadlock(void **state)
{
    struct dialogue *dialogue = *state;
    dialogue->count = 64;
    dialogue->value_size = 1 << 20;
    dialogue->portion = 1;
    assert_int_equal(dialogue_exchange(dialogue), VARVE_OK);
    assert_int_equal(dialogue->right, 64);
    dialogue->value_size = 0;
    dialogue->portion = 64;
    assert_int_equal(dialogue_exchange(dialogue), VARVE_OK);
    assert_int_equal(dialogue->right, 64);
    assert_in_range(dialogue->connection->reader.size, 0, 256 * 1024);
    assert_in_range(dialogue->connection->out_size, 0, 256 * 1024);
}

static void
test_arguments_of_every_length_arrive(void **state)
{
    struct dialogue *dialogue = *state;
    static const size_t sizes[] = {1, 9, 10, 99, 100, 999, 1000, 65535, 65536, 123456};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char expected[32];
        dialogue->count = 1;
        dialogue->value_size = sizes[i];
        assert_int_equal(dialogue_exchange(dialogue), VARVE_OK);
        assert_int_equal(dialogue_say(dialogue, "STRLEN key:0"), VARVE_OK);
        snprintf(expected, sizeof expected, ":%zu ", sizes[i]);
        assert_string_equal(dialogue->replies, expected);
    }
}

static void
test_nested_replies_are_taken(void **state)
{
    struct dialogue *dialogue = *state;
    assert_int_equal(dialogue_say(dialogue, "EVAL return{1,{'a',{}},false,{{2}}} 0"), VARVE_OK);
    assert_string_equal(dialogue->replies, "*4 :1 *2 $a *0 _ *1 *1 :2 ");
}

static void
test_an_error_of_the_server_leaves_the_connection_whole(void **state)
{
    struct dialogue *dialogue = *state;
    assert_int_equal(dialogue_say(dialogue, "NOSUCH"), VARVE_OK);
    assert_true(strncmp(dialogue->replies, "-ERR unknown command", 20) == 0);
    assert_true(varve__redis_is_fit(dialogue->connection));
    assert_int_equal(dialogue_say(dialogue, "PING"), VARVE_OK);
    assert_string_equal(dialogue->replies, "+PONG ");
}

static void
test_numbers_arrive(void **state)
{
    static const int64_t numbers[] = {0, 7, -1, 10, 99, 100, -12345, INT64_MAX, INT64_MIN};
    struct dialogue *dialogue = *state;
    struct varve__redis_connection *connection = dialogue->connection;
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char expected[64], digits[32];
        int size = snprintf(digits, sizeof digits, "%lld", (long long)numbers[i]);
        snprintf(expected, sizeof expected, "$%d\r\n%s\r\n", size, digits);
        varve__redis_number(connection, numbers[i]);
        size_t written = connection->out_end - connection->out_begin;
        assert_int_equal(written, strlen(expected));
        assert_memory_equal(connection->out + connection->out_begin, expected, written);
        connection->out_begin = connection->out_end = 0;
    }
}

/* -------------------------------------------------------------------- failures of the callers */

static void
test_a_failed_take_of_the_last_reply_leaves_the_connection_whole(void **state)
{
    struct dialogue *dialogue = *state;
    dialogue->take_status = VARVE_INVALID;
    dialogue->take_fails_at = 1;
    assert_int_equal(dialogue_say(dialogue, "PING"), VARVE_INVALID);
    assert_false(dialogue->connection->broken);
    dialogue->take_fails_at = 0;
    assert_int_equal(dialogue_say(dialogue, "ECHO b"), VARVE_OK);
    assert_string_equal(dialogue->replies, "$b ");
}

static void
test_a_failed_take_amid_replies_breaks_the_connection(void **state)
{
    struct dialogue *dialogue = *state;
    dialogue->take_status = VARVE_INVALID;
    dialogue->take_fails_at = 2;
    dialogue->count = 3;
    assert_int_equal(dialogue_exchange(dialogue), VARVE_INVALID);
    assert_int_equal(dialogue->pieces, 2);
    assert_true(dialogue->connection->broken);
    assert_false(varve__redis_is_fit(dialogue->connection));
}

static void
test_a_failed_take_within_a_reply_breaks_the_connection(void **state)
{
    struct dialogue *dialogue = *state;
    dialogue->take_status = VARVE_INVALID;
    dialogue->take_fails_at = 2;
    assert_int_equal(dialogue_say(dialogue, "EVAL return{1,2} 0"), VARVE_INVALID);
    assert_true(dialogue->connection->broken);
}

static void
test_a_feed_that_fails_before_anything_is_sent_breaks_nothing(void **state)
{
    struct dialogue *dialogue = *state;
    dialogue->count = 3;
    dialogue->portion = 1;
    dialogue->feed_status = VARVE_INVALID;
    assert_int_equal(dialogue_exchange(dialogue), VARVE_INVALID);
    assert_false(dialogue->connection->sent);
    assert_true(varve__redis_is_fit(dialogue->connection));
    dialogue->feed_status = VARVE_OK;
    assert_int_equal(dialogue_say(dialogue, "ECHO c"), VARVE_OK);
    assert_string_equal(dialogue->replies, "$c ");
}

static void
test_a_feed_that_fails_later_breaks_the_connection(void **state)
{
    struct dialogue *dialogue = *state;
    dialogue->count = 3;
    dialogue->portion = 1;
    dialogue->value_size = 100000; /* enough to be sent at once */
    dialogue->feed_status = VARVE_INVALID;
    server_kill(server, SIGSTOP); /* so that the first is not replied to meanwhile */
    enum varve_status status = dialogue_exchange(dialogue);
    server_kill(server, SIGCONT);
    assert_int_equal(status, VARVE_INVALID);
    assert_true(dialogue->connection->sent);
    assert_true(dialogue->connection->broken);
}

/* -------------------------------------------------------------------- the server, gone or slow */

static void
test_a_connection_that_the_server_closed_is_not_fit(void **state)
{
    struct dialogue *dialogue = *state;
    assert_true(varve__redis_is_fit(dialogue->connection));
    server_command(server, "CLIENT KILL TYPE normal SKIPME yes");
    assert_false(varve__redis_is_fit(dialogue->connection));
    assert_int_equal(dialogue_say(dialogue, "PING"), VARVE_UNAVAILABLE);
    assert_says("closed the connection before it had replied");
    assert_true(dialogue->connection->broken);
}

static void
test_a_silent_server_is_given_up_on(void **state)
{
    struct dialogue *dialogue = *state;
    dialogue->connection->timeout_ms = 100;
    server_kill(server, SIGSTOP);
    int64_t begin = varve__monotonic_now();
    enum varve_status status = dialogue_say(dialogue, "PING");
    int64_t passed = varve__monotonic_now() - begin;
    server_kill(server, SIGCONT);
    assert_int_equal(status, VARVE_UNAVAILABLE);
    assert_says("not a byte came within redis_timeout_ms, 100 ms");
    assert_in_range(passed / 1000000, 95, 1500);
    assert_true(dialogue->connection->sent);
}

static void
test_the_time_of_a_call_ends_the_waiting(void **state)
{
    struct dialogue *dialogue = *state;
    dialogue->watch.call_timeout_ms = 60;
    server_kill(server, SIGSTOP);
    enum varve_status status = dialogue_say(dialogue, "PING");
    server_kill(server, SIGCONT);
    assert_int_equal(status, VARVE_TIMEOUT);
    assert_says("longer than call_timeout_ms, 60 ms");
    assert_true(dialogue->connection->broken);
}

static void *
interrupt(void *watch)
{
    struct varve__watch *interrupted = watch;
    struct timespec pause = {.tv_nsec = 50000000};
    nanosleep(&pause, NULL);
    atomic_store(&interrupted->interrupted, true);
    return NULL;
}

static void
test_an_interrupt_ends_the_waiting(void **state)
{
    struct dialogue *dialogue = *state;
    pthread_t thread;
    server_kill(server, SIGSTOP);
    pthread_create(&thread, NULL, interrupt, &dialogue->watch);
    int64_t begin = varve__monotonic_now();
    enum varve_status status = dialogue_say(dialogue, "PING");
    int64_t passed = varve__monotonic_now() - begin;
    pthread_join(thread, NULL);
    server_kill(server, SIGCONT);
    assert_int_equal(status, VARVE_INTERRUPTED);
    assert_in_range(passed / 1000000, 45, 1000);
    assert_says("ended by varve_interrupt()");
}

#define CONNECTED(test) cmocka_unit_test_setup_teardown(test, connect_to_server, disconnect)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_run_is_known_when_it_is_asked_for),
        cmocka_unit_test(test_the_database_is_selected),
        cmocka_unit_test(test_a_database_that_there_is_not_is_named),
        cmocka_unit_test(test_a_user_has_a_password),
        cmocka_unit_test(test_a_user_without_the_right_to_ask_for_the_run_is_let_in),
        cmocka_unit_test(test_a_password_is_wanted),
        cmocka_unit_test(test_a_password_that_is_not_wanted_is_told),
        cmocka_unit_test(test_a_server_that_is_not_there_is_named),
        CONNECTED(test_replies_come_in_the_order_of_the_commands),
        CONNECTED(test_full_sockets_on_both_sides_are_no_deadlock),
        CONNECTED(test_arguments_of_every_length_arrive),
        CONNECTED(test_nested_replies_are_taken),
        CONNECTED(test_an_error_of_the_server_leaves_the_connection_whole),
        CONNECTED(test_numbers_arrive),
        CONNECTED(test_a_failed_take_of_the_last_reply_leaves_the_connection_whole),
        CONNECTED(test_a_failed_take_amid_replies_breaks_the_connection),
        CONNECTED(test_a_failed_take_within_a_reply_breaks_the_connection),
        CONNECTED(test_a_feed_that_fails_before_anything_is_sent_breaks_nothing),
        CONNECTED(test_a_feed_that_fails_later_breaks_the_connection),
        CONNECTED(test_a_connection_that_the_server_closed_is_not_fit),
        CONNECTED(test_a_silent_server_is_given_up_on),
        CONNECTED(test_the_time_of_a_call_ends_the_waiting),
        CONNECTED(test_an_interrupt_ends_the_waiting),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
