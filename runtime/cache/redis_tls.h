/* TLS over the socket of a connection to Redis, through OpenSSL itself: hiredis_ssl does not check that the
 * certificate is of the server that was asked for, before its version 1.4. */
#ifndef VARVE_CACHE_REDIS_TLS_H
#define VARVE_CACHE_REDIS_TLS_H

#include "cache/redis_socket.h"

/* Begins connection->session: the server has proved who it is when this returns VARVE_OK. Until
 * connection->give_up_at. VARVE_MISUSE: varve was built without TLS. */
enum varve_status
varve__redis_tls_open(
    struct varve__redis_connection *connection,
    const struct varve__redis_options *options,
    struct varve__watch *watch);

/* NULL is fine. */
void
varve__redis_tls_close(void *session);

/* As varve__redis_send() and varve__redis_receive(); neither waits. */
enum varve__redis_moved
varve__redis_tls_send(void *session, const char *bytes, size_t size, size_t *moved);
enum varve__redis_moved
varve__redis_tls_receive(void *session, char *bytes, size_t size, size_t *moved);

/* Why one of the two has failed, in OpenSSL's words: a static text. NULL: errno says it. */
const char *
varve__redis_tls_reason(void *session);

#endif
