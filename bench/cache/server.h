/* A redis-server of the benchmark's own, on a Unix socket in a folder; it keeps nothing on disk. */
#ifndef BENCH_CACHE_SERVER_H
#define BENCH_CACHE_SERVER_H

#include <stdbool.h>

struct server;

/* Starts it and waits until it answers. */
struct server *
server_start(const char *folder);

/* The path of its socket. */
const char *
server_socket(const struct server *server);

/* Gives the server a processor of its own and the others to this process, or one to both: a wake-up on another
 * processor takes as long as several calls, more often or less, and calls that wait for each other then measure that.
 * Does nothing where there is only one. */
void
server_place(const struct server *server, bool together);

void
server_stop(struct server *server);

#endif
