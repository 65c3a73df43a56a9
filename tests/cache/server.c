/* See server.h. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp, kill, nanosleep, popen */

#include "server.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

enum {
    ARGUMENTS_MAX = 64,
    WAIT_MS =
        30000, /* for the server to answer, or to end: it is slow under valgrind and on a busy machine */
    STEP_MS = 2
};

struct test_server {
    char folder[32];
    char socket[48];
    const char *arguments[ARGUMENTS_MAX];
    const char *password; /* NULL: none */
    pid_t process;        /* 0: it does not run */
};

static void
wait_a_step(void)
{
    struct timespec step = {.tv_nsec = STEP_MS * 1000000};
    nanosleep(&step, NULL);
}

/* -------------------------------------------------------------------- the process */

/* Whether the server is older than 7.0: it knows no --enable-debug-command, and allows DEBUG to all. */
static bool
is_before_7(void)
{
    char line[128] = "";
    FILE *output = popen("redis-server --version", "r");
    assert_non_null(output);
    const char *version = fgets(line, sizeof line, output) ? strstr(line, "v=") : NULL;
    pclose(output);
    return version && atoi(version + 2) < 7;
}

static void
list_arguments(struct test_server *server, const char *const *extra)
{
    const char *const own[] = {"redis-server", "--port",    "0",  "--unixsocket",
                               server->socket, "--save",    "",   "--dir",
                               server->folder, "--logfile", "log"};
    size_t count = sizeof own / sizeof *own;
    memcpy(server->arguments, own, sizeof own);
    for (; extra && *extra; extra++) {
        if (strcmp(*extra, "--enable-debug-command") == 0 && is_before_7()) {
            extra++;
            continue;
        }
        assert_true(count + 1 < ARGUMENTS_MAX);
        server->arguments[count++] = *extra;
        if (strcmp(*extra, "--requirepass") == 0)
            server->password = extra[1];
    }
    server->arguments[count] = NULL;
}

/* In the child: becomes the server, which ends with the test program. */
static void
become_server(const struct test_server *server)
{
    char *arguments[ARGUMENTS_MAX];
    memcpy(arguments, server->arguments, sizeof arguments);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp("redis-server", arguments);
    _exit(errno == ENOENT ? 127 : 126);
}

static void
fail_not_started(const struct test_server *server, int status)
{
    char line[512] = "", path[64];
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        fail_msg("redis-server is not installed. On Debian: apt-get install redis-server");
    snprintf(path, sizeof path, "%s/log", server->folder);
    FILE *log = fopen(path, "r");
    while (log && fgets(line, sizeof line, log))
        print_message("%s", line);
    if (log)
        fclose(log);
    fail_msg("redis-server did not start (status %d); its log is above", status);
}

/* Whether the process has ended; then *status is how. */
static bool
has_ended(struct test_server *server, int *status)
{
    pid_t process = waitpid(server->process, status, WNOHANG);
    assert_true(process >= 0);
    if (process > 0)
        server->process = 0;
    return process > 0;
}

static void
wait_for_end(struct test_server *server)
{
    int status;
    for (int waited = 0; !has_ended(server, &status); waited += STEP_MS) {
        if (waited == WAIT_MS)
            kill(server->process, SIGKILL);
        wait_a_step();
    }
}

/* -------------------------------------------------------------------- talking to it */

/* NULL when nobody listens. */
static redisContext *
connect_to(const struct test_server *server)
{
    redisContext *context = redisConnectUnix(server->socket);
    assert_non_null(context);
    if (context->err) {
        redisFree(context);
        return NULL;
    }
    if (server->password)
        freeReplyObject(redisCommand(context, "AUTH %s", server->password));
    return context;
}

/* Whether it replies, if only that it is still loading its files. */
static bool
replies(const struct test_server *server, bool *loading)
{
    *loading = false;
    redisContext *context = connect_to(server);
    if (!context)
        return false;
    redisReply *reply = redisCommand(context, "PING");
    bool replied = reply != NULL;
    *loading =
        replied && reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "LOADING", 7) == 0;
    freeReplyObject(reply);
    redisFree(context);
    return replied;
}

bool
server_is_loading(const struct test_server *server)
{
    bool loading;
    return replies(server, &loading) && loading;
}

/* Whether it does what it is asked to. */
static bool
answers(const struct test_server *server)
{
    bool loading;
    return replies(server, &loading) && !loading;
}

/* Appends the reply to the text, an array's elements with line feeds between. */
static void
print_reply(const redisReply *reply, char *text, size_t room)
{
    size_t used = strlen(text);
    if (reply->type == REDIS_REPLY_INTEGER)
        snprintf(text + used, room - used, "%lld", reply->integer);
    else if (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS)
        snprintf(text + used, room - used, "%s", reply->str);
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
        print_reply(reply->element[i], text, room);
        used = strlen(text);
        if (i + 1 < reply->elements)
            snprintf(text + used, room - used, "\n");
    }
}

const char *
server_command(const struct test_server *server, const char *format, ...)
{
    static char text[65536];
    va_list arguments;
    redisContext *context = connect_to(server);
    if (!context)
        fail_msg("%s: redis-server does not answer", format);
    va_start(arguments, format);
    redisReply *reply = redisvCommand(context, format, arguments);
    va_end(arguments);
    if (!reply)
        fail_msg("%s: %s", format, context->errstr);
    if (reply->type == REDIS_REPLY_ERROR)
        fail_msg("%s: %s", format, reply->str);
    text[0] = '\0';
    print_reply(reply, text, sizeof text);
    freeReplyObject(reply);
    redisFree(context);
    return text;
}

/* -------------------------------------------------------------------- its life */

static void
run(struct test_server *server)
{
    int status;
    server->process = fork();
    assert_true(server->process >= 0);
    if (server->process == 0)
        become_server(server);
    for (int waited = 0; !answers(server); waited += STEP_MS) {
        if (has_ended(server, &status) || waited >= WAIT_MS)
            fail_not_started(server, server->process ? -1 : status);
        wait_a_step();
    }
}

struct test_server *
server_start(const char *const *extra_arguments)
{
    struct test_server *server = calloc(1, sizeof *server);
    assert_non_null(server);
    snprintf(server->folder, sizeof server->folder, "/tmp/varve-redis-XXXXXX");
    assert_non_null(mkdtemp(server->folder));
    snprintf(server->socket, sizeof server->socket, "%s/socket", server->folder);
    list_arguments(server, extra_arguments);
    run(server);
    return server;
}

const char *
server_socket(const struct test_server *server)
{
    return server->socket;
}

pid_t
server_process(const struct test_server *server)
{
    return server->process;
}

void
server_kill(struct test_server *server, int signal)
{
    assert_true(server->process > 0);
    assert_int_equal(kill(server->process, signal), 0);
    if (signal == SIGKILL || signal == SIGTERM || signal == SIGINT)
        wait_for_end(server);
}

void
server_restart(struct test_server *server)
{
    if (server->process)
        server_kill(server, SIGTERM);
    run(server);
}

void
server_stop(struct test_server *server)
{
    char command[64];
    if (!server)
        return;
    if (server->process)
        server_kill(server, SIGKILL);
    snprintf(command, sizeof command, "rm -r %s", server->folder);
    assert_int_equal(system(command), 0);
    free(server);
}
