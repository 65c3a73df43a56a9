/* Makes and ends connections. What goes through them is in redis_exchange.c, the bytes' way in
 * redis_socket.c. */
#include "cache/redis_connection.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <hiredis/hiredis.h>

#include "base/error.h"
#include "base/memory.h"
#include "cache/redis_socket.h"
#include "cache/redis_tls.h"

enum {
    RUN_DIGITS = VARVE__REDIS_RUN_SIZE / 2
};

#define STRING_MOST ((size_t)512 << 20) /* the server's own limit, proto-max-bulk-len */

/* What a new connection says first. */
enum step {
    STEP_AUTH,
    STEP_SELECT,
    STEP_INFO, /* the run; it needs a right that a user may lack */
    STEP_PING, /* where nothing else shows that the server will have us */
};

struct greeting {
    const struct varve__redis_options *options;
    struct varve__redis_connection *connection;
    enum step steps[3];
    size_t count;
};

/* -------------------------------------------------------------------- the greeting */

static void
write_step(struct greeting *greeting, enum step step)
{
    static const char *const names[] = {"AUTH", "SELECT", "INFO", "PING"};
    struct varve__redis_connection *connection = greeting->connection;
    const struct varve__redis_options *options = greeting->options;
    bool has_user = step == STEP_AUTH && options->username;
    greeting->steps[greeting->count++] = step;
    varve__redis_command(connection, step >= STEP_INFO ? 1 : has_user ? 3 : 2);
    varve__redis_word(connection, names[step]);
    if (has_user)
        varve__redis_word(connection, options->username);
    if (step == STEP_AUTH)
        varve__redis_word(connection, options->password);
    if (step == STEP_SELECT)
        varve__redis_number(connection, options->database);
}

static enum varve_status
feed_greeting(void *context, struct varve__redis_connection *connection, size_t *replies)
{
    struct greeting *greeting = context;
    (void)connection;
    if (greeting->count > 0)
        return VARVE_OK; /* that was all */
    if (greeting->options->password)
        write_step(greeting, STEP_AUTH);
    if (greeting->options->database != 0)
        write_step(greeting, STEP_SELECT);
    if (greeting->options->needs_run)
        write_step(greeting, STEP_INFO);
    if (greeting->count == 0)
        write_step(greeting, STEP_PING);
    *replies = greeting->count;
    return VARVE_OK;
}

/* The first digits of a member of INFO that is a number in base 16: "" when it is not there. */
static void
read_digits(const struct varve__redis_piece *piece, const char *name, char digits[RUN_DIGITS + 1])
{
    size_t length = strlen(name), needed = length + RUN_DIGITS;
    digits[0] = '\0';
    for (size_t i = 0; piece->size >= needed && i <= piece->size - needed; i++) {
        const char *at = piece->text + i;
        if (memcmp(at, name, length) != 0)
            continue;
        memcpy(digits, at + length, RUN_DIGITS);
        digits[RUN_DIGITS] = '\0';
        if (strspn(digits, "0123456789abcdef") != RUN_DIGITS)
            digits[0] = '\0';
        return;
    }
}

static void
read_run(const struct varve__redis_piece *piece, char run[VARVE__REDIS_RUN_SIZE + 1])
{
    char id[RUN_DIGITS + 1], replication[RUN_DIGITS + 1];
    read_digits(piece, "\nrun_id:", id);
    read_digits(piece, "\nmaster_replid:", replication);
    if (id[0] && replication[0])
        snprintf(run, VARVE__REDIS_RUN_SIZE + 1, "%s%s", id, replication);
}

static bool
begins_with(const struct varve__redis_piece *piece, const char *beginning)
{
    size_t size = strlen(beginning);
    return piece->size >= size && memcmp(piece->text, beginning, size) == 0;
}

static enum varve_status
take_greeting(void *context, const struct varve__redis_piece *piece)
{
    static const char *const what[] = {"AUTH", "SELECT", "INFO", "PING"};
    struct greeting *greeting = context;
    if (piece->reply >= greeting->count)
        return VARVE_OK;
    enum step step = greeting->steps[piece->reply];
    if (step == STEP_INFO && piece->kind == VARVE__REDIS_STRING)
        read_run(piece, greeting->connection->run);
    if (piece->kind != VARVE__REDIS_ERROR)
        return VARVE_OK;
    if ((step == STEP_INFO || step == STEP_PING) &&
        (begins_with(piece, "NOPERM") || begins_with(piece, "ERR unknown command")))
        return VARVE_OK; /* it can do without */
    varve__redis_fail_reply(
        greeting->connection->server, what[step], NULL, piece->text, piece->size, NULL);
    return varve__fail_as(VARVE_UNAVAILABLE);
}

/* -------------------------------------------------------------------- connecting */

static enum varve_status
open_all(
    struct varve__redis_connection *connection,
    const struct varve__redis_options *options,
    struct varve__watch *watch)
{
    struct greeting greeting = {.options = options, .connection = connection};
    enum varve_status status = varve__redis_socket_open(connection, options, watch);
    if (status == VARVE_OK && options->tls)
        status = varve__redis_tls_open(connection, options, watch);
    if (status == VARVE_OK)
        status = varve__redis_exchange(connection, watch, feed_greeting, take_greeting, &greeting);
    if (status == VARVE_OK && connection->broken)
        status = varve__redis_fail_reach(
            connection->server, "it says more than it is asked",
            "does another program listen there?");
    return status;
}

enum varve_status
varve__redis_connect(
    const struct varve__redis_options *options,
    const char *server,
    struct varve__watch *watch,
    struct varve__redis_connection **connection)
{
    *connection = NULL;
    struct varve__redis_connection *made = varve__allocate(sizeof *made);
    if (!made)
        return varve__fail_memory(NULL, sizeof *made);
    *made = (struct varve__redis_connection){
        .socket = -1,
        .server = server,
        .timeout_ms = options->timeout_ms,
        .give_up_at = varve__monotonic_now() + options->connect_timeout_ms * 1000000,
        .reader.most = STRING_MOST,
    };
    enum varve_status status = open_all(made, options, watch);
    made->give_up_at = INT64_MAX;
    if (status == VARVE_OK)
        *connection = made;
    else
        varve__redis_disconnect(made);
    return status;
}

void
varve__redis_disconnect(struct varve__redis_connection *connection)
{
    if (!connection)
        return;
    varve__redis_tls_close(connection->session);
    if (connection->context)
        redisFree(connection->context);
    varve__release(connection->out);
    varve__release(connection->reader.buffer);
    varve__release(connection);
}

bool
varve__redis_is_fit(const struct varve__redis_connection *connection)
{
    char byte;
    return !connection->broken && recv(connection->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}
