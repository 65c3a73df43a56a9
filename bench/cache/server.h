/* A redis-server of the benchmark's own, on a Unix socket in a folder; it keeps nothing on disk. */
#ifndef BENCH_CACHE_SERVER_H
#define BENCH_CACHE_SERVER_H

struct server;

/* Starts it and waits until it answers. */
struct server *
server_start(const char *folder);

/* The path of its socket. */
const char *
server_socket(const struct server *server);

void
server_stop(struct server *server);

#endif
