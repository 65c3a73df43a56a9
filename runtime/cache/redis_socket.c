/* Opens the sockets of connections to Redis, and moves bytes through them. No wait is longer than a slice,
 * so that who loops around it sees the watch in time. */
#include "cache/redis_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "base/error.h"
#include "cache/redis_tls.h"

/* -------------------------------------------------------------------- failures */

enum varve_status
varve__redis_fail_watch(const char *server, const struct varve__watch *watch)
{
    if (watch->timed_out)
        return varve__fail(
            VARVE_TIMEOUT, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, NULL,
            "the wait for Redis at %s was longer than call_timeout_ms, %lld ms; ask for less, or "
            "raise it",
            server, (long long)watch->call_timeout_ms);
    return varve__fail(
        VARVE_INTERRUPTED, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, NULL,
        "the wait for Redis at %s was ended by varve_interrupt()", server);
}

enum varve_status
varve__redis_fail_reach(const char *server, const char *why, const char *mend)
{
    return varve__fail(
        VARVE_UNAVAILABLE, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, NULL,
        "cannot reach Redis at %s: %s; %s", server, why, mend);
}

static enum varve_status
fail_open(
    const struct varve__redis_connection *connection,
    const struct varve__redis_options *options,
    int error,
    const char *why)
{
    enum varve_status status = varve__redis_fail_reach(
        connection->server, why,
        options->unix_socket ? "start the server, or correct redis_unix_socket"
                             : "start the server, or correct redis_host and redis_port");
    varve__failure_set_errno(error);
    return status;
}

/* -------------------------------------------------------------------- opening */

/* A slice in milliseconds, or what is left until the connection gives up. */
static int
slice_of(const struct varve__redis_connection *connection)
{
    int slice = VARVE__REDIS_SLICE_MS;
    if (connection->timeout_ms < slice)
        slice = connection->timeout_ms > 0 ? (int)connection->timeout_ms : 1;
    return slice;
}

/* Begins to connect. *again: the server's queue is full, which only a Unix socket tells at once. */
static enum varve_status
begin(
    struct varve__redis_connection *connection,
    const struct varve__redis_options *options,
    bool *again)
{
    redisContext *context = options->unix_socket
                                ? redisConnectUnixNonBlock(options->unix_socket)
                                : redisConnectNonBlock(options->host, options->port);
    int error = errno;
    *again = false;
    if (!context)
        return varve__fail_memory(NULL, sizeof *context);
    connection->context = context;
    connection->socket = context->fd;
    if (!context->err)
        return VARVE_OK;
    *again = options->unix_socket && context->err == REDIS_ERR_IO && error == EAGAIN;
    enum varve_status status =
        fail_open(connection, options, context->err == REDIS_ERR_IO ? error : 0, context->errstr);
    redisFree(context);
    connection->context = NULL;
    return status;
}

static enum varve_status
check_time(
    const struct varve__redis_connection *connection,
    const struct varve__redis_options *options,
    struct varve__watch *watch)
{
    char why[64];
    if (varve__watch_expired(watch))
        return varve__redis_fail_watch(connection->server, watch);
    if (varve__monotonic_now() < connection->give_up_at)
        return VARVE_OK;
    snprintf(
        why, sizeof why, "no connection within redis_connect_timeout_ms, %lld ms",
        (long long)options->connect_timeout_ms);
    return fail_open(connection, options, ETIMEDOUT, why);
}

static enum varve_status
wait_connected(
    struct varve__redis_connection *connection,
    const struct varve__redis_options *options,
    struct varve__watch *watch)
{
    struct pollfd ready = {.fd = connection->socket, .events = POLLOUT};
    while (poll(&ready, 1, slice_of(connection)) <= 0) {
        enum varve_status status = check_time(connection, options, watch);
        if (status != VARVE_OK)
            return status;
    }
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(connection->socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    return error ? fail_open(connection, options, error, strerror(error)) : VARVE_OK;
}

/* A plain socket blocks, for a slice at a time: a reply then costs one call of the system. */
static enum varve_status
set_options(struct varve__redis_connection *connection, const struct varve__redis_options *options)
{
    struct timeval slice = {.tv_usec = slice_of(connection) * 1000};
    int yes = 1, flags = fcntl(connection->socket, F_GETFL);
    int wanted = options->tls ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    if (flags < 0 || fcntl(connection->socket, F_SETFL, wanted) != 0 ||
        fcntl(connection->socket, F_SETFD, FD_CLOEXEC) != 0 ||
        setsockopt(connection->socket, SOL_SOCKET, SO_RCVTIMEO, &slice, sizeof slice) != 0)
        return fail_open(connection, options, errno, strerror(errno));
    if (!options->unix_socket) { /* without them it works as well, only slower */
        setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        redisEnableKeepAlive(connection->context);
    }
    return VARVE_OK;
}

enum varve_status
varve__redis_socket_open(
    struct varve__redis_connection *connection,
    const struct varve__redis_options *options,
    struct varve__watch *watch)
{
    bool again;
    enum varve_status status = begin(connection, options, &again);
    while (again) {
        const struct timespec pause = {.tv_nsec = 1000000};
        status = check_time(connection, options, watch);
        if (status != VARVE_OK)
            return status;
        nanosleep(&pause, NULL);
        status = begin(connection, options, &again);
    }
    if (status == VARVE_OK)
        status = wait_connected(connection, options, watch);
    if (status == VARVE_OK)
        status = set_options(connection, options);
    return status;
}

/* -------------------------------------------------------------------- moving */

/* What a call of the system came to that moved nothing. */
static enum varve__redis_moved
moved_nothing(void)
{
    bool later = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    return later ? VARVE__REDIS_LATER : VARVE__REDIS_FAILED;
}

enum varve__redis_moved
varve__redis_send(
    struct varve__redis_connection *connection, const char *bytes, size_t size, size_t *moved)
{
    *moved = 0;
    if (connection->session)
        return varve__redis_tls_send(connection->session, bytes, size, moved);
    ssize_t count = send(connection->socket, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0)
        return moved_nothing();
    *moved = (size_t)count;
    return VARVE__REDIS_MOVED;
}

static enum varve__redis_moved
receive_plain(int socket, bool wait, char *bytes, size_t size, size_t *moved)
{
    ssize_t count = recv(socket, bytes, size, wait ? 0 : MSG_DONTWAIT);
    if (count < 0)
        return moved_nothing();
    *moved = (size_t)count;
    return count > 0 ? VARVE__REDIS_MOVED : VARVE__REDIS_CLOSED;
}

enum varve__redis_moved
varve__redis_receive(
    struct varve__redis_connection *connection, bool wait, char *bytes, size_t size, size_t *moved)
{
    *moved = 0;
    if (!connection->session)
        return receive_plain(connection->socket, wait, bytes, size, moved);
    enum varve__redis_moved result =
        varve__redis_tls_receive(connection->session, bytes, size, moved);
    if (result == VARVE__REDIS_LATER && wait)
        varve__redis_wait(connection, true, false);
    return result;
}

void
varve__redis_wait(const struct varve__redis_connection *connection, bool in, bool out)
{
    struct pollfd ready = {
        .fd = connection->socket,
        .events = (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0)),
    };
    poll(&ready, 1, slice_of(connection));
}
