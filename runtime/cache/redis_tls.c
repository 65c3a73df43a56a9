/* TLS through OpenSSL 1.1.1 and newer. */
#include "cache/redis_tls.h"

#include <errno.h>

#include "base/error.h"

#ifdef VARVE_TLS

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* -------------------------------------------------------------------- the socket, to OpenSSL */

/* OpenSSL's own writes with write(), which a closed connection answers with a signal that ends the
 * program. */
static BIO_METHOD *socket_method;

static int
socket_write(BIO *bio, const char *bytes, int size)
{
    int socket = (int)(intptr_t)BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t count = send(socket, bytes, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        BIO_set_retry_write(bio);
    return (int)count;
}

static int
socket_read(BIO *bio, char *bytes, int size)
{
    int socket = (int)(intptr_t)BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t count = recv(socket, bytes, (size_t)size, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        BIO_set_retry_read(bio);
    if (count == 0)
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return (int)count;
}

static long
socket_control(BIO *bio, int command, long number, void *pointer)
{
    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_EOF)
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP;
}

static void
make_socket_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "varve");
    if (!method)
        return;
    BIO_meth_set_write(method, socket_write);
    BIO_meth_set_read(method, socket_read);
    BIO_meth_set_ctrl(method, socket_control);
    socket_method = method; /* for as long as the program runs */
}

static BIO *
make_socket(int socket)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_socket_method);
    BIO *bio = socket_method ? BIO_new(socket_method) : NULL;
    if (!bio)
        return NULL;
    BIO_set_data(bio, (void *)(intptr_t)socket);
    BIO_set_init(bio, 1);
    return bio;
}

/* -------------------------------------------------------------------- what is trusted */

/* The reason of OpenSSL's last error, and no error left. */
static const char *
take_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return reason ? reason : "OpenSSL does not say why";
}

static enum varve_status
fail_file(const char *server, const char *setting, const char *path)
{
    char mend[400];
    snprintf(mend, sizeof mend, "correct %s, %s", setting, path);
    return varve__redis_fail_reach(server, take_reason(), mend);
}

static enum varve_status
load_files(SSL_CTX *context, const char *server, const struct varve__redis_options *options)
{
    const char *cert = options->tls_cert, *key = options->tls_key ? options->tls_key : cert;
    if (options->tls_ca && SSL_CTX_load_verify_locations(context, options->tls_ca, NULL) != 1)
        return fail_file(server, "redis_tls_ca", options->tls_ca);
    if (!options->tls_ca && SSL_CTX_set_default_verify_paths(context) != 1)
        return fail_file(server, "redis_tls_ca", "which is not set");
    if (cert && SSL_CTX_use_certificate_chain_file(context, cert) != 1)
        return fail_file(server, "redis_tls_cert", cert);
    if (key && SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        return fail_file(server, "redis_tls_key", key);
    return VARVE_OK;
}

/* The name that the certificate must have: a host's, or a number of the network. */
static bool
set_name(SSL *session, const char *name)
{
    X509_VERIFY_PARAM *rules = SSL_get0_param(session);
    if (X509_VERIFY_PARAM_set1_ip_asc(rules, name) == 1)
        return true; /* which is no name to ask for */
    ERR_clear_error();
    return X509_VERIFY_PARAM_set1_host(rules, name, 0) == 1 &&
           SSL_set_tlsext_host_name(session, name) == 1;
}

static enum varve_status
make_session(
    struct varve__redis_connection *connection,
    const struct varve__redis_options *options,
    SSL_CTX *context)
{
    const char *name = options->tls_server_name ? options->tls_server_name : options->host;
    SSL *session = SSL_new(context);
    BIO *bio = session ? make_socket(connection->socket) : NULL;
    connection->session = session;
    if (!bio) {
        ERR_clear_error();
        return varve__fail_memory(NULL, sizeof(void *));
    }
    SSL_set_bio(session, bio, bio); /* which owns it from here */
    SSL_set_connect_state(session);
    if (!name || !set_name(session, name))
        return varve__redis_fail_reach(
            connection->server, "there is no name that its certificate could prove",
            "set redis_tls_server_name");
    return VARVE_OK;
}

static enum varve_status
begin(struct varve__redis_connection *connection, const struct varve__redis_options *options)
{
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
        ERR_clear_error();
        SSL_CTX_free(context);
        return varve__fail_memory(NULL, sizeof(void *));
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION); /* so a write never waits for a read */
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    enum varve_status status = load_files(context, connection->server, options);
    if (status == VARVE_OK)
        status = make_session(connection, options, context);
    SSL_CTX_free(context); /* the session has its own hold of it */
    return status;
}

/* -------------------------------------------------------------------- the handshake */

static enum varve_status
fail_handshake(const struct varve__redis_connection *connection, int error)
{
    long verdict = SSL_get_verify_result(connection->session);
    if (verdict != X509_V_OK) {
        ERR_clear_error();
        return varve__redis_fail_reach(
            connection->server, X509_verify_cert_error_string(verdict),
            verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH
                ? "its certificate must be for redis_tls_server_name, or else for redis_host"
                : "its certificate must be signed by one of redis_tls_ca");
    }
    bool cut = ERR_peek_error() == 0;
    const char *why = cut ? error ? strerror(error) : "it ended the handshake" : take_reason();
    return varve__redis_fail_reach(
        connection->server, why,
        "is it a port with TLS, and does it accept redis_tls_cert where it wants one?");
}

static enum varve_status
shake_hands(
    struct varve__redis_connection *connection,
    const struct varve__redis_options *options,
    struct varve__watch *watch)
{
    char why[80];
    snprintf(
        why, sizeof why, "no TLS within redis_connect_timeout_ms, %lld ms",
        (long long)options->connect_timeout_ms);
    for (;;) {
        ERR_clear_error();
        errno = 0;
        int result = SSL_connect(connection->session), system_error = errno;
        if (result == 1)
            return VARVE_OK;
        int error = SSL_get_error(connection->session, result);
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
            return fail_handshake(connection, system_error);
        varve__redis_wait(connection, error == SSL_ERROR_WANT_READ, error != SSL_ERROR_WANT_READ);
        if (varve__watch_expired(watch))
            return varve__redis_fail_watch(connection->server, watch);
        if (varve__monotonic_now() >= connection->give_up_at)
            return varve__redis_fail_reach(connection->server, why, "is it a port with TLS?");
    }
}

enum varve_status
varve__redis_tls_open(
    struct varve__redis_connection *connection,
    const struct varve__redis_options *options,
    struct varve__watch *watch)
{
    enum varve_status status = begin(connection, options);
    return status == VARVE_OK ? shake_hands(connection, options, watch) : status;
}

void
varve__redis_tls_close(void *session)
{
    SSL_free(session);
}

/* -------------------------------------------------------------------- moving */

/* Whether the connection has ended, which newer versions count among the errors. */
static bool
is_end(int error, unsigned long reason, int system_error)
{
#ifdef SSL_R_UNEXPECTED_EOF_WHILE_READING
    if (ERR_GET_REASON(reason) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        return true;
#endif
    return error == SSL_ERROR_ZERO_RETURN || (reason == 0 && system_error == 0);
}

/* What a call came to that moved nothing. */
static enum varve__redis_moved
moved_nothing(SSL *session, int system_error)
{
    int error = SSL_get_error(session, 0);
    unsigned long reason = ERR_peek_last_error();
    ERR_clear_error();
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return VARVE__REDIS_LATER;
    if (is_end(error, reason, system_error))
        return VARVE__REDIS_CLOSED;
    SSL_set_app_data(session, (void *)(uintptr_t)ERR_reason_error_string(reason));
    errno = error == SSL_ERROR_SSL ? EPROTO : system_error;
    return VARVE__REDIS_FAILED;
}

const char *
varve__redis_tls_reason(void *session)
{
    return SSL_get_app_data(session);
}

enum varve__redis_moved
varve__redis_tls_send(void *session, const char *bytes, size_t size, size_t *moved)
{
    ERR_clear_error(); /* of another user of OpenSSL in this thread */
    errno = 0;
    if (SSL_write_ex(session, bytes, size, moved) == 1)
        return VARVE__REDIS_MOVED;
    return moved_nothing(session, errno);
}

enum varve__redis_moved
varve__redis_tls_receive(void *session, char *bytes, size_t size, size_t *moved)
{
    ERR_clear_error(); /* of another user of OpenSSL in this thread */
    errno = 0;
    if (SSL_read_ex(session, bytes, size, moved) == 1)
        return VARVE__REDIS_MOVED;
    return moved_nothing(session, errno);
}

#else

enum varve_status
varve__redis_tls_open(
    struct varve__redis_connection *connection,
    const struct varve__redis_options *options,
    struct varve__watch *watch)
{
    (void)options;
    (void)watch;
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, NULL,
        "no TLS to Redis at %s: varve was built without it; build it where OpenSSL is installed, "
        "or leave redis_tls out",
        connection->server);
}

void
varve__redis_tls_close(void *session)
{
    (void)session;
}

enum varve__redis_moved
varve__redis_tls_send(void *session, const char *bytes, size_t size, size_t *moved)
{
    (void)session;
    (void)bytes;
    (void)size;
    (void)moved;
    errno = EPROTO;
    return VARVE__REDIS_FAILED;
}

enum varve__redis_moved
varve__redis_tls_receive(void *session, char *bytes, size_t size, size_t *moved)
{
    (void)session;
    (void)bytes;
    (void)size;
    (void)moved;
    errno = EPROTO;
    return VARVE__REDIS_FAILED;
}

const char *
varve__redis_tls_reason(void *session)
{
    (void)session;
    return NULL;
}

#endif
