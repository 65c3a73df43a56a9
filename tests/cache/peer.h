/* A peer that does what no Redis would: a thread that listens on a Unix socket and plays a part on the first
 * connection that comes. */
#ifndef VARVE_TESTS_CACHE_PEER_H
#define VARVE_TESTS_CACHE_PEER_H

#include <stdbool.h>
#include <stddef.h>

struct peer;

/* Plays the part on the socket of the connection, which is closed when it returns. */
typedef void
peer_part(struct peer *peer, int socket);

struct peer *
peer_start(peer_part *part);

/* The socket's path, until peer_stop(). */
const char *
peer_socket(const struct peer *peer);

/* What a part is made of. Sends the bytes; reads until the bytes that came end with these words; waits for
 * peer_stop(); waits for a number of milliseconds; asks whether
 * peer_stop() was called. */
void
peer_send(int socket, const char *bytes, size_t size);
void
peer_expect(int socket, const char *words);
void
peer_wait_for_stop(struct peer *peer);
void
peer_pause(int milliseconds);
bool
peer_is_stopped(struct peer *peer);

/* Waits until the part is over. NULL is fine. */
void
peer_stop(struct peer *peer);

#endif
