/* Connecting to a server that listens, and whose queue of new connections is full: it is waited for, as
 * long as the configuration says. */
#define _GNU_SOURCE /* mkdtemp, SOCK_NONBLOCK */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "dialogue.h"

enum {
    MOST = 64 /* connections until a queue is full */
};

/* A server that accepts nobody by itself. */
struct crowd {
    char folder[64];
    char path[96]; /* of a Unix socket; "": TCP */
    struct sockaddr_storage address;
    socklen_t address_size;
    int listening;
    int waiting[MOST]; /* connections that nobody has accepted */
    size_t waiting_count;
    struct dialogue dialogue;
    atomic_bool is_over;
};

/* -------------------------------------------------------------------- a full queue */

static void
use_unix(struct crowd *crowd)
{
    struct sockaddr_un *address = (void *)&crowd->address;
    strcpy(crowd->folder, "/tmp/varve-crowd-XXXXXX");
    assert_non_null(mkdtemp(crowd->folder));
    snprintf(crowd->path, sizeof crowd->path, "%s/socket", crowd->folder);
    address->sun_family = AF_UNIX;
    snprintf(address->sun_path, sizeof address->sun_path, "%s", crowd->path);
    crowd->address_size = sizeof *address;
}

static void
use_tcp(struct crowd *crowd)
{
    struct sockaddr_in *address = (void *)&crowd->address;
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    crowd->address_size = sizeof *address;
}

static void
listen_to(struct crowd *crowd)
{
    crowd->listening = socket(crowd->address.ss_family, SOCK_STREAM, 0);
    struct sockaddr *address = (void *)&crowd->address;
    assert_int_equal(bind(crowd->listening, address, crowd->address_size), 0);
    assert_int_equal(listen(crowd->listening, 0), 0);
    assert_int_equal(getsockname(crowd->listening, address, &crowd->address_size), 0);
}

/* Connects until no more are taken: a Unix socket says so, one of TCP leaves them waiting. */
static void
crowd_in(struct crowd *crowd)
{
    int full = 0;
    while (!full && crowd->waiting_count < MOST / 2) {
        int socket_now = socket(crowd->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
        full = connect(socket_now, (void *)&crowd->address, crowd->address_size) != 0 &&
               errno == EAGAIN;
        crowd->waiting[crowd->waiting_count++] = socket_now;
    }
    assert_true(full || !*crowd->path);
}

static int
set_up(void **state, void (*use)(struct crowd *crowd))
{
    struct crowd *crowd = calloc(1, sizeof *crowd);
    assert_non_null(crowd);
    use(crowd);
    listen_to(crowd);
    crowd_in(crowd);
    dialogue_begin(&crowd->dialogue, crowd->path);
    if (!*crowd->path) {
        crowd->dialogue.options.unix_socket = NULL;
        crowd->dialogue.options.host = "127.0.0.1";
        crowd->dialogue.options.port =
            ntohs(((const struct sockaddr_in *)(const void *)&crowd->address)->sin_port);
    }
    crowd->dialogue.options.connect_timeout_ms = 120;
    *state = crowd;
    return 0;
}

static int
set_up_unix(void **state)
{
    return set_up(state, use_unix);
}

static int
set_up_tcp(void **state)
{
    return set_up(state, use_tcp);
}

static int
tear_down(void **state)
{
    struct crowd *crowd = *state;
    dialogue_end(&crowd->dialogue);
    for (size_t i = 0; i < crowd->waiting_count; i++)
        close(crowd->waiting[i]);
    close(crowd->listening);
    if (*crowd->path) {
        unlink(crowd->path);
        rmdir(crowd->folder);
    }
    free(crowd);
    return 0;
}

/* -------------------------------------------------------------------- tests */

static void
test_a_full_queue_is_waited_for_so_long(void **state)
{
    struct crowd *crowd = *state;
    assert_int_equal(dialogue_connect(&crowd->dialogue), VARVE_UNAVAILABLE);
    assert_says("no connection within redis_connect_timeout_ms, 120 ms; start the server");
    assert_int_equal(varve__thread_failure()->system_errno, ETIMEDOUT);
    assert_null(crowd->dialogue.connection);
}

static void
test_the_time_of_a_call_ends_the_wait(void **state)
{
    struct crowd *crowd = *state;
    crowd->dialogue.options.connect_timeout_ms = 60000;
    crowd->dialogue.watch.call_timeout_ms = 50;
    assert_int_equal(dialogue_connect(&crowd->dialogue), VARVE_TIMEOUT);
    assert_says("longer than call_timeout_ms, 50 ms");
}

/* Again and again, since one that comes before the call is none. */
static void *
interrupt(void *context)
{
    struct crowd *crowd = context;
    const struct timespec pause = {.tv_nsec = 5000000};
    while (!atomic_load(&crowd->is_over)) {
        nanosleep(&pause, NULL);
        atomic_store(&crowd->dialogue.watch.interrupted, true);
    }
    return NULL;
}

static void
test_an_interrupt_ends_the_wait(void **state)
{
    struct crowd *crowd = *state;
    pthread_t thread;
    crowd->dialogue.options.connect_timeout_ms = 60000;
    assert_int_equal(pthread_create(&thread, NULL, interrupt, crowd), 0);
    enum varve_status status = dialogue_connect(&crowd->dialogue);
    atomic_store(&crowd->is_over, true);
    pthread_join(thread, NULL);
    assert_int_equal(status, VARVE_INTERRUPTED);
    assert_says("ended by varve_interrupt()");
}

/* Accepts all that wait, and the one behind them, whom it greets as Redis does. */
static void *
serve(void *context)
{
    struct crowd *crowd = context;
    char words[64];
    ssize_t got = 0;
    while (got <= 0) {
        int accepted = accept(crowd->listening, NULL, NULL);
        struct timeval patience = {.tv_usec = 20000};
        setsockopt(accepted, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        got = recv(accepted, words, sizeof words, 0);
        if (got > 0 && send(accepted, "+PONG\r\n", 7, MSG_NOSIGNAL) != 7)
            break;
        crowd->waiting[crowd->waiting_count++] = accepted;
    }
    return NULL;
}

static void
test_a_queue_that_gets_room_lets_it_in(void **state)
{
    struct crowd *crowd = *state;
    pthread_t thread;
    crowd->dialogue.options.connect_timeout_ms = 60000;
    crowd->dialogue.options.timeout_ms = 60000;
    assert_int_equal(pthread_create(&thread, NULL, serve, crowd), 0);
    enum varve_status status = dialogue_connect(&crowd->dialogue);
    pthread_join(thread, NULL);
    if (status != VARVE_OK)
        fail_msg("%s", varve__thread_error());
}

int
main(void)
{
#define UNIX_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_unix, tear_down)
#define TCP_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_tcp, tear_down)
    const struct CMUnitTest tests[] = {
        UNIX_TEST(test_a_full_queue_is_waited_for_so_long),
        UNIX_TEST(test_the_time_of_a_call_ends_the_wait),
        UNIX_TEST(test_an_interrupt_ends_the_wait),
        UNIX_TEST(test_a_queue_that_gets_room_lets_it_in),
        TCP_TEST(test_a_full_queue_is_waited_for_so_long),
        TCP_TEST(test_the_time_of_a_call_ends_the_wait),
        TCP_TEST(test_an_interrupt_ends_the_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
