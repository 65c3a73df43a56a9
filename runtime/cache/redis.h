/* The Redis engine: Redis 6.2 and newer, Valkey. Opening it makes no connection; calls do. */
#ifndef VARVE_CACHE_REDIS_H
#define VARVE_CACHE_REDIS_H

#include <varve/store.h>

#include "cache/engine.h"

/* Resolved, no defaults left. The texts live as long as the engine. */
struct varve__redis_options {
    const char *host;        /* NULL where there is a socket */
    const char *unix_socket; /* path; NULL: TCP */
    const char *username;    /* NULL: the default user */
    const char *password;    /* NULL: no AUTH */
    const char *tls_ca;
    const char *tls_cert;
    const char *tls_key;
    const char *tls_server_name;
    int port;
    int64_t database;
    bool tls;
    bool needs_run; /* hot copies are kept: the server's run must be known */
    int64_t connect_timeout_ms;
    int64_t timeout_ms;
    size_t pool_size;
    int64_t pool_timeout_ms; /* 0: no wait */
    int64_t retries;
    int64_t breaker_failures; /* 0: no breaker */
    int64_t breaker_ms;
    void (*log)(void *, enum varve_log_level, enum varve_tier, const char *); /* NULL: none */
    void *log_context;
};

/* VARVE_MISUSE: TLS is asked for, and varve was built without it. */
enum varve_status
varve__redis_open(const struct varve__redis_options *options, struct varve__cache **cache);

#endif
