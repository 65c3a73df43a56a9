/* The bytes of a connection: to open its socket, and to send and receive through it, plain or with TLS. */
#ifndef VARVE_CACHE_REDIS_SOCKET_H
#define VARVE_CACHE_REDIS_SOCKET_H

#include "cache/redis_connection.h"

enum {
    VARVE__REDIS_SLICE_MS = 20 /* the longest wait without a look at the watch */
};

enum varve__redis_moved {
    VARVE__REDIS_MOVED,  /* some bytes, at least one */
    VARVE__REDIS_LATER,  /* none: not now */
    VARVE__REDIS_CLOSED, /* the server has closed the connection */
    VARVE__REDIS_FAILED, /* errno says why */
};

/* Opens connection->context and connection->socket, until connection->give_up_at. */
enum varve_status
varve__redis_socket_open(
    struct varve__redis_connection *connection,
    const struct varve__redis_options *options,
    struct varve__watch *watch);

/* Sends as much as fits now. */
enum varve__redis_moved
varve__redis_send(
    struct varve__redis_connection *connection, const char *bytes, size_t size, size_t *moved);

/* Receives what is there; when there is nothing, `wait` has it wait for a slice. */
enum varve__redis_moved
varve__redis_receive(
    struct varve__redis_connection *connection, bool wait, char *bytes, size_t size, size_t *moved);

/* Waits for a slice, until something comes in (`in`), or can go out (`out`). */
void
varve__redis_wait(const struct varve__redis_connection *connection, bool in, bool out);

/* Fails as the watch says that has expired: VARVE_TIMEOUT or VARVE_INTERRUPTED. */
enum varve_status
varve__redis_fail_watch(const char *server, const struct varve__watch *watch);

/* VARVE_UNAVAILABLE: "cannot reach Redis at <server>: <why>; <how to mend it>". */
enum varve_status
varve__redis_fail_reach(const char *server, const char *why, const char *mend);

#endif
