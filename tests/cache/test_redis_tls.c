/* TLS to a real server: who it is must be proved, and what goes through is what went through without. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "dialogue.h"
#include "server.h"

static char folder[] = "/tmp/varve-tls-XXXXXX";
static struct test_server *server;
static int port;

/* -------------------------------------------------------------------- certificates and the server */

/* Runs openssl in the folder. */
static void
run_openssl(const char *format, const char *name, const char *also)
{
    char arguments[400], command[600];
    snprintf(arguments, sizeof arguments, format, name, name, also);
    snprintf(command, sizeof command, "cd %s && openssl %s >log 2>&1", folder, arguments);
    if (system(command) != 0)
        fail_msg("%s", command);
}

static void
make_authority(const char *name)
{
    run_openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout %s.key "
        "-out %s.crt -subj /CN=%s",
        name, name);
}

/* A certificate for the names, signed by the authority "ca". */
static void
make_certificate(const char *name, const char *names)
{
    char path[64];
    snprintf(path, sizeof path, "%s/names", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "subjectAltName=%s\n", names);
    fclose(file);
    run_openssl(
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout %s.key -out %s.csr "
        "-subj /CN=%s",
        name, "varve");
    run_openssl(
        "x509 -req -in %s.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out %s.crt "
        "-extfile %s",
        name, "names");
}

/* A port that nobody listens on now. */
static int
find_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    close(listener);
    return ntohs(address.sin_port);
}

static const char *
in_folder(const char *name)
{
    static char paths[64][64]; /* the server keeps its own for a restart */
    static size_t next;
    assert_true(next < sizeof paths / sizeof paths[0]);
    char *path = paths[next++];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static int
start(void **state)
{
    static char number[8]; /* for a restart too */
    (void)state;
    assert_non_null(mkdtemp(folder));
    make_authority("ca");
    make_authority("other");
    make_certificate("server", "DNS:cache.test,IP:127.0.0.1");
    make_certificate("client", "DNS:client.test");
    port = find_port();
    snprintf(number, sizeof number, "%d", port);
    server = server_start((const char *const[]){
        "--tls-port", number, "--bind", "127.0.0.1", "--tls-cert-file", in_folder("server.crt"),
        "--tls-key-file", in_folder("server.key"), "--tls-ca-cert-file", in_folder("ca.crt"),
        "--tls-auth-clients", "optional", NULL});
    return 0;
}

static int
stop(void **state)
{
    char command[64];
    (void)state;
    server_stop(server);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static void
begin(struct dialogue *dialogue)
{
    dialogue_begin(dialogue, NULL);
    dialogue->options.host = "127.0.0.1";
    dialogue->options.port = port;
    dialogue->options.tls = true;
    dialogue->options.tls_ca = in_folder("ca.crt");
}

/* -------------------------------------------------------------------- who the server is */

static void
test_a_trusted_server_is_taken(void **state)
{
    struct dialogue dialogue;
    (void)state;
    begin(&dialogue);
    dialogue.options.needs_run = true;
    assert_int_equal(dialogue_connect(&dialogue), VARVE_OK);
    assert_int_equal(strlen(dialogue.connection->run), VARVE__REDIS_RUN_SIZE);
    assert_int_equal(dialogue_say(&dialogue, "ECHO a"), VARVE_OK);
    assert_string_equal(dialogue.replies, "$a ");
    assert_true(varve__redis_is_fit(dialogue.connection));
    dialogue_end(&dialogue);
}

static void
test_a_server_of_another_authority_is_refused(void **state)
{
    struct dialogue dialogue;
    (void)state;
    begin(&dialogue);
    dialogue.options.tls_ca = in_folder("other.crt");
    assert_int_equal(dialogue_connect(&dialogue), VARVE_UNAVAILABLE);
    assert_says("its certificate must be signed by one of redis_tls_ca");
    dialogue.options.tls_ca = NULL; /* the system's know it neither */
    assert_int_equal(dialogue_connect(&dialogue), VARVE_UNAVAILABLE);
    assert_says("its certificate must be signed by one of redis_tls_ca");
}

static void
test_the_server_must_have_the_name(void **state)
{
    struct dialogue dialogue;
    (void)state;
    begin(&dialogue);
    dialogue.options.tls_server_name = "cache.test";
    assert_int_equal(dialogue_connect(&dialogue), VARVE_OK);
    dialogue_end(&dialogue);
    static const char *const others[] = {"other.test", "127.0.0.2", "test", "cache.test.example"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        dialogue.options.tls_server_name = others[i];
        assert_int_equal(dialogue_connect(&dialogue), VARVE_UNAVAILABLE);
        assert_says("its certificate must be for redis_tls_server_name, or else for redis_host");
    }
}

static void
test_a_client_may_have_to_show_a_certificate(void **state)
{
    struct dialogue dialogue;
    (void)state;
    server_command(server, "CONFIG SET tls-auth-clients yes");
    begin(&dialogue);
    assert_int_equal(dialogue_connect(&dialogue), VARVE_UNAVAILABLE);
    assert_says("certificate required");
    dialogue.options.tls_cert = in_folder("client.crt");
    dialogue.options.tls_key = in_folder("client.key");
    assert_int_equal(dialogue_connect(&dialogue), VARVE_OK);
    dialogue_end(&dialogue);
    server_command(server, "CONFIG SET tls-auth-clients optional");
}

static void
test_files_that_are_none_are_named(void **state)
{
    struct dialogue dialogue;
    (void)state;
    begin(&dialogue);
    dialogue.options.tls_ca = "/nowhere/ca.crt";
    assert_int_equal(dialogue_connect(&dialogue), VARVE_UNAVAILABLE);
    assert_says("correct redis_tls_ca, /nowhere/ca.crt");
    begin(&dialogue);
    dialogue.options.tls_cert = in_folder("client.key");
    assert_int_equal(dialogue_connect(&dialogue), VARVE_UNAVAILABLE);
    assert_says("correct redis_tls_cert, ");
    begin(&dialogue);
    dialogue.options.tls_cert = in_folder("client.crt");
    dialogue.options.tls_key = in_folder("server.key");
    assert_int_equal(dialogue_connect(&dialogue), VARVE_UNAVAILABLE);
    assert_says("correct redis_tls_key, ");
}

static void
test_a_port_without_tls_is_refused(void **state)
{
    struct dialogue dialogue;
    char number[8];
    (void)state;
    begin(&dialogue);
    dialogue.options.port = find_port();
    snprintf(number, sizeof number, "%d", dialogue.options.port);
    struct test_server *plain =
        server_start((const char *const[]){"--port", number, "--bind", "127.0.0.1", NULL});
    dialogue.options.connect_timeout_ms = 300;
    assert_int_equal(dialogue_connect(&dialogue), VARVE_UNAVAILABLE);
    assert_says("is it a port with TLS");
    server_stop(plain);
}

/* -------------------------------------------------------------------- what goes through */

static void
test_large_values_go_through_both_ways(void **state)
{
    struct dialogue dialogue;
    (void)state;
    begin(&dialogue);
    assert_int_equal(dialogue_connect(&dialogue), VARVE_OK);
    dialogue.count = 40;
    dialogue.value_size = 500000;
    dialogue.portion = 1;
    assert_int_equal(dialogue_exchange(&dialogue), VARVE_OK);
    assert_int_equal(dialogue.right, 40);
    dialogue.value_size = 0;
    assert_int_equal(dialogue_exchange(&dialogue), VARVE_OK);
    assert_int_equal(dialogue.right, 40);
    assert_true(varve__redis_is_fit(dialogue.connection));
    dialogue_end(&dialogue);
}

static void
test_a_server_that_stops_is_given_up_on(void **state)
{
    struct dialogue dialogue;
    (void)state;
    begin(&dialogue);
    dialogue.options.timeout_ms = 100;
    assert_int_equal(dialogue_connect(&dialogue), VARVE_OK);
    server_kill(server, SIGSTOP);
    enum varve_status status = dialogue_say(&dialogue, "PING");
    server_kill(server, SIGCONT);
    assert_int_equal(status, VARVE_UNAVAILABLE);
    assert_says("not a byte came within redis_timeout_ms, 100 ms");
    dialogue_end(&dialogue);
}

static void
test_a_server_that_dies_is_no_signal(void **state)
{
    struct dialogue dialogue;
    (void)state;
    begin(&dialogue);
    assert_int_equal(dialogue_connect(&dialogue), VARVE_OK);
    server_kill(server, SIGKILL);
    for (int i = 0; i < 2; i++) { /* the second write is to a socket that is known to be closed */
        assert_int_equal(dialogue_say(&dialogue, "PING"), VARVE_UNAVAILABLE);
        assert_true(dialogue.connection->broken);
    }
    assert_false(varve__redis_is_fit(dialogue.connection));
    dialogue_end(&dialogue);
    server_restart(server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_trusted_server_is_taken),
        cmocka_unit_test(test_a_server_of_another_authority_is_refused),
        cmocka_unit_test(test_the_server_must_have_the_name),
        cmocka_unit_test(test_a_client_may_have_to_show_a_certificate),
        cmocka_unit_test(test_files_that_are_none_are_named),
        cmocka_unit_test(test_a_port_without_tls_is_refused),
        cmocka_unit_test(test_large_values_go_through_both_ways),
        cmocka_unit_test(test_a_server_that_stops_is_given_up_on),
        cmocka_unit_test(test_a_server_that_dies_is_no_signal),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
