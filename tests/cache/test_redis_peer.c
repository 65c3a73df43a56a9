/* What no Redis would do, from a peer of our own: each is a clear failure, and none hangs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "dialogue.h"
#include "peer.h"

#define PONG "+PONG\r\n"

static void
send_text(int socket, const char *text)
{
    peer_send(socket, text, strlen(text));
}

/* The greeting that every part begins with. */
static void
greet(int socket)
{
    peer_expect(socket, "PING\r\n");
    send_text(socket, PONG);
}

/* Says ECHO to a peer that plays this part, which waits no longer than 150 ms. */
static enum varve_status
say_to(peer_part *part, struct dialogue *dialogue)
{
    struct peer *peer = peer_start(part);
    dialogue_begin(dialogue, peer_socket(peer));
    dialogue->options.timeout_ms = 150;
    dialogue->options.connect_timeout_ms = 300;
    int64_t begin = varve__monotonic_now();
    enum varve_status status = dialogue_connect(dialogue);
    if (status == VARVE_OK)
        status = dialogue_say(dialogue, "ECHO");
    assert_in_range((varve__monotonic_now() - begin) / 1000000, 0, 3000);
    bool broken = dialogue->connection && dialogue->connection->broken;
    dialogue_end(dialogue);
    peer_stop(peer);
    assert_int_equal(broken, status != VARVE_OK && dialogue->written > 0);
    return status;
}

/* -------------------------------------------------------------------- replies cut short */

static void
reply_by_half(struct peer *peer, int socket)
{
    (void)peer;
    greet(socket);
    peer_expect(socket, "ECHO\r\n");
    send_text(socket, "*2\r\n$3\r\nfoo\r\n$5\r\nba");
}

static void
test_half_a_reply_is_a_lost_connection(void **state)
{
    struct dialogue dialogue;
    (void)state;
    assert_int_equal(say_to(reply_by_half, &dialogue), VARVE_UNAVAILABLE);
    assert_says("closed the connection before it had replied");
    assert_string_equal(dialogue.replies, "*2 $foo ");
}

static void
reply_in_bytes(struct peer *peer, int socket)
{
    static const char reply[] = "*3\r\n$3\r\nfoo\r\n$-1\r\n*2\r\n:-12\r\n+a\r\n";
    greet(socket);
    peer_expect(socket, "ECHO\r\n");
    for (size_t i = 0; i < sizeof reply - 1; i++) {
        peer_send(socket, reply + i, 1);
        peer_pause(2);
    }
    peer_wait_for_stop(peer);
}

static void
test_a_reply_may_come_byte_by_byte(void **state)
{
    struct dialogue dialogue;
    (void)state;
    assert_int_equal(say_to(reply_in_bytes, &dialogue), VARVE_OK);
    assert_string_equal(dialogue.replies, "*3 $foo _ *2 :-12 +a ");
}

/* -------------------------------------------------------------------- nonsense */

static void
reply_nonsense(struct peer *peer, int socket)
{
    greet(socket);
    peer_expect(socket, "ECHO\r\n");
    send_text(socket, "HTTP/1.1 400 Bad Request\r\n\r\n");
    peer_wait_for_stop(peer);
}

static void
test_nonsense_is_quoted(void **state)
{
    struct dialogue dialogue;
    (void)state;
    assert_int_equal(say_to(reply_nonsense, &dialogue), VARVE_UNAVAILABLE);
    assert_says("is no reply of Redis: \"HTTP/1.1 400 Bad Request?");
}

static void
greet_in_http(struct peer *peer, int socket)
{
    send_text(socket, "HTTP/1.1 400 Bad Request\r\n\r\n");
    peer_wait_for_stop(peer);
}

static void
test_nonsense_fails_the_connecting(void **state)
{
    struct dialogue dialogue;
    (void)state;
    assert_int_equal(say_to(greet_in_http, &dialogue), VARVE_UNAVAILABLE);
    assert_says("does another program listen there?");
}

static void
reply_too_large(struct peer *peer, int socket)
{
    greet(socket);
    peer_expect(socket, "ECHO\r\n");
    send_text(socket, "$9223372036854775807\r\n");
    peer_wait_for_stop(peer);
}

static void
test_a_string_without_measure_is_refused(void **state)
{
    struct dialogue dialogue;
    (void)state;
    assert_int_equal(say_to(reply_too_large, &dialogue), VARVE_UNAVAILABLE);
    assert_says("a string of more than 536870912 bytes");
}

static void
reply_twice(struct peer *peer, int socket)
{
    greet(socket);
    peer_expect(socket, "ECHO\r\n");
    send_text(socket, "+a\r\n+b\r\n");
    peer_wait_for_stop(peer);
}

static void
test_a_reply_too_many_breaks_the_connection(void **state)
{
    struct dialogue dialogue;
    (void)state;
    struct peer *peer = peer_start(reply_twice);
    dialogue_begin(&dialogue, peer_socket(peer));
    assert_int_equal(dialogue_connect(&dialogue), VARVE_OK);
    assert_int_equal(dialogue_say(&dialogue, "ECHO"), VARVE_OK);
    assert_string_equal(dialogue.replies, "+a ");
    assert_false(varve__redis_is_fit(dialogue.connection));
    dialogue_end(&dialogue);
    peer_stop(peer);
}

static void
greet_twice(struct peer *peer, int socket)
{
    peer_expect(socket, "PING\r\n");
    send_text(socket, PONG PONG);
    peer_wait_for_stop(peer);
}

static void
test_a_greeting_too_many_is_refused(void **state)
{
    struct dialogue dialogue;
    (void)state;
    assert_int_equal(say_to(greet_twice, &dialogue), VARVE_UNAVAILABLE);
    assert_says("it says more than it is asked");
}

/* -------------------------------------------------------------------- silence */

static void
stay_silent(struct peer *peer, int socket)
{
    greet(socket);
    peer_wait_for_stop(peer);
}

static void
test_no_reply_is_given_up_on(void **state)
{
    struct dialogue dialogue;
    (void)state;
    assert_int_equal(say_to(stay_silent, &dialogue), VARVE_UNAVAILABLE);
    assert_says("not a byte came within redis_timeout_ms, 150 ms");
}

static void
never_greet(struct peer *peer, int socket)
{
    for (int i = 0; i < 2000 && !peer_is_stopped(peer);
         i++) { /* bytes, but never a reply: the time of connecting ends it */
        send_text(socket, i == 0 ? "+" : "x");
        peer_pause(3);
    }
    peer_wait_for_stop(peer);
}

static void
test_the_time_to_connect_includes_the_greeting(void **state)
{
    struct dialogue dialogue;
    (void)state;
    assert_int_equal(say_to(never_greet, &dialogue), VARVE_UNAVAILABLE);
    assert_says("it did not answer within redis_connect_timeout_ms");
}

static void
test_a_peer_that_never_reads_is_given_up_on(void **state)
{
    struct dialogue dialogue;
    (void)state;
    struct peer *peer = peer_start(stay_silent);
    dialogue_begin(&dialogue, peer_socket(peer));
    dialogue.options.timeout_ms = 150;
    assert_int_equal(dialogue_connect(&dialogue), VARVE_OK);
    dialogue.count = 8 << 6;
    dialogue.value_size = 16 << 10;
    dialogue.portion = 2;
    assert_int_equal(dialogue_exchange(&dialogue), VARVE_UNAVAILABLE);
    assert_says("not a byte came");
    assert_in_range(dialogue.written, 1, 100); /* of 512: what is unsent is bounded */
    assert_in_range(dialogue.connection->out_size, 0, 256 * 1024);
    dialogue_end(&dialogue);
    peer_stop(peer);
}

/* -------------------------------------------------------------------- a last word */

static void
refuse(struct peer *peer, int socket)
{
    (void)peer;
    send_text(socket, "-ERR max number of clients reached\r\n");
}

static void
test_why_a_server_closes_at_once_is_told(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) { /* before and after what we say to it */
        struct dialogue dialogue;
        assert_int_equal(say_to(refuse, &dialogue), VARVE_UNAVAILABLE);
        assert_says("raise its maxclients");
    }
}

static void
greet_and_refuse(struct peer *peer, int socket)
{
    (void)peer;
    greet(socket);
    peer_pause(50); /* until the client has read that */
    send_text(socket, "-ERR idle for too long\r\n");
}

static void
test_the_last_word_is_read_where_nothing_can_be_sent(void **state)
{
    struct dialogue dialogue;
    (void)state;
    struct peer *peer = peer_start(greet_and_refuse);
    dialogue_begin(&dialogue, peer_socket(peer));
    assert_int_equal(dialogue_connect(&dialogue), VARVE_OK);
    peer_stop(peer); /* which has closed the connection now */
    assert_int_equal(dialogue_say(&dialogue, "ECHO"), VARVE_OK);
    assert_string_equal(dialogue.replies, "-ERR idle for too long ");
    assert_true(dialogue.connection->broken);
    assert_false(dialogue.connection->sent);
    dialogue_end(&dialogue);
}

static void
close_at_once(struct peer *peer, int socket)
{
    (void)peer;
    (void)socket;
}

static void
test_a_server_that_closes_at_once_is_told(void **state)
{
    struct dialogue dialogue;
    (void)state;
    assert_int_equal(say_to(close_at_once, &dialogue), VARVE_UNAVAILABLE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half_a_reply_is_a_lost_connection),
        cmocka_unit_test(test_a_reply_may_come_byte_by_byte),
        cmocka_unit_test(test_nonsense_is_quoted),
        cmocka_unit_test(test_nonsense_fails_the_connecting),
        cmocka_unit_test(test_a_string_without_measure_is_refused),
        cmocka_unit_test(test_a_reply_too_many_breaks_the_connection),
        cmocka_unit_test(test_a_greeting_too_many_is_refused),
        cmocka_unit_test(test_no_reply_is_given_up_on),
        cmocka_unit_test(test_the_time_to_connect_includes_the_greeting),
        cmocka_unit_test(test_a_peer_that_never_reads_is_given_up_on),
        cmocka_unit_test(test_why_a_server_closes_at_once_is_told),
        cmocka_unit_test(test_the_last_word_is_read_where_nothing_can_be_sent),
        cmocka_unit_test(test_a_server_that_closes_at_once_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
