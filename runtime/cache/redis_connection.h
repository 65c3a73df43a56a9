/* One connection to a Redis server: commands are written straight into one buffer, replies are read in
 * place, and the next commands go out while the replies of the last are read.
 *
 *     static enum varve_status
 *     feed(void *context, struct varve__redis_connection *connection, size_t *replies)
 *     {
 *         varve__redis_command(connection, 2);          "*2"
 *         varve__redis_word(connection, "GET");
 *         varve__redis_argument(connection, key.text, key.size);
 *         *replies = 1;                                  0: that was all
 *         return VARVE_OK;
 *     }
 *     status = varve__redis_exchange(connection, watch, feed, take, context);
 *
 * A failure of the connection leaves it broken: it must be closed. An error that the server replies with
 * does not. */
#ifndef VARVE_CACHE_REDIS_CONNECTION_H
#define VARVE_CACHE_REDIS_CONNECTION_H

#include <string.h>

#include "cache/redis.h"
#include "cache/redis_read.h"

enum {
    VARVE__REDIS_RUN_SIZE = 16
};

struct varve__redis_connection {
    void *context; /* redisContext: hiredis makes the connection */
    void *session; /* SSL, which moves the bytes; NULL: plain */
    int socket;
    bool broken;
    bool sent;      /* by the exchange under way: something may have been carried out */
    size_t awaited; /* replies that are still to come */
    /* Eight digits of the server's run_id and eight of its master_replid: they change when it is started
     * anew, and when it becomes the primary of others again. "" when it does not tell. */
    char run[VARVE__REDIS_RUN_SIZE + 1];
    int64_t timeout_ms;
    int64_t give_up_at; /* monotonic ns: when the exchange must be over; INT64_MAX: whenever */
    const char *server; /* for messages: "/run/redis.sock", "cache:6379" */

    char *out; /* what is to be sent: [out_begin, out_end) */
    size_t out_begin, out_end, out_size;
    bool no_memory; /* a command did not fit; the exchange fails */

    struct varve__redis_reader reader;

    struct varve__redis_connection *next; /* in the pool */
};

/* Connects, with AUTH and SELECT, and asks for the run when it is needed: within connect_timeout_ms, but
 * for the system's look-up of the host's name, which has times of its own. Of a name with several addresses
 * the first is taken. VARVE_UNAVAILABLE says why not and how to mend it: nobody listens there, a wrong
 * password, a user without rights, a database that there is not, a certificate that is not trusted.
 * *connection is NULL when the call fails. `options` and `server` must live as long as it. */
enum varve_status
varve__redis_connect(
    const struct varve__redis_options *options,
    const char *server,
    struct varve__watch *watch,
    struct varve__redis_connection **connection);

/* NULL is fine. */
void
varve__redis_disconnect(struct varve__redis_connection *connection);

/* Whether an idle connection is fit for the next call: nothing came in since the last, and the server has
 * not closed it. */
bool
varve__redis_is_fit(const struct varve__redis_connection *connection);

/* -------------------------------------------------------------------- writing commands */

/* What the two below do when there is no room; NULL: no memory, and no_memory is set. */
char *
varve__redis_grow(struct varve__redis_connection *connection, size_t size);

/* Room for `size` bytes more at the end of the buffer: their place. */
static inline char *
varve__redis_room(struct varve__redis_connection *connection, size_t size)
{
    if (__builtin_expect(connection->out_size - connection->out_end < size, 0))
        return varve__redis_grow(connection, size);
    return connection->out + connection->out_end;
}

/* What follows does nothing once there is no memory: the exchange then fails. */

/* Begins a command of so many words, its name among them. */
void
varve__redis_command(struct varve__redis_connection *connection, size_t words);

/* An argument that is bytes, and one that is two pieces, so that a key and its ending need no copy. */
void
varve__redis_argument(struct varve__redis_connection *connection, const void *bytes, size_t size);
void
varve__redis_argument_of_two(
    struct varve__redis_connection *connection,
    const void *first,
    size_t first_size,
    const void *second,
    size_t second_size);

void
varve__redis_number(struct varve__redis_connection *connection, int64_t number);

/* A word of the protocol. */
static inline void
varve__redis_word(struct varve__redis_connection *connection, const char *word)
{
    varve__redis_argument(connection, word, strlen(word));
}

/* -------------------------------------------------------------------- exchanging */

/* Writes the next commands, best some 64 KiB; *replies: how many replies they will have, 0 when there are no
 * more commands. */
typedef enum varve_status
varve__redis_feed(void *context, struct varve__redis_connection *connection, size_t *replies);

/* Takes a piece of the replies, in their order: see redis_read.h. When it fails the connection is broken,
 * unless the piece is a whole reply and the last that is awaited. */
typedef enum varve_status
varve__redis_take(void *context, const struct varve__redis_piece *piece);

/* Sends what `feed` writes and gives what is replied to `take`, until all is replied to. VARVE_UNAVAILABLE:
 * the connection broke, or nothing came for timeout_ms, or what came is no reply; VARVE_TIMEOUT,
 * VARVE_INTERRUPTED: the watch. connection->sent says whether anything may have been carried out. */
enum varve_status
varve__redis_exchange(
    struct varve__redis_connection *connection,
    struct varve__watch *watch,
    varve__redis_feed *feed,
    varve__redis_take *take,
    void *context);

/* -------------------------------------------------------------------- failures */

/* What an error of the server means for the call. */
enum varve__redis_error {
    VARVE__REDIS_REFUSED, /* doing it again is no use */
    VARVE__REDIS_RETRY,   /* LOADING, BUSY, MASTERDOWN, TRYAGAIN: later */
    VARVE__REDIS_RECONNECT, /* READONLY, UNBLOCKED: this connection is to a server that serves no more */
    VARVE__REDIS_NO_SCRIPT,
};

/* Records the failure that an error reply means ("OOM command not allowed ..", without the minus sign), in a
 * sentence that says how to mend it, and returns its status: VARVE_FULL of OOM, VARVE_CORRUPT of WRONGTYPE,
 * else VARVE_UNAVAILABLE. `what` is what was done, `record` may be NULL. */
enum varve_status
varve__redis_fail_reply(
    const char *server,
    const char *what,
    const struct varve_record *record,
    const char *text,
    size_t size,
    enum varve__redis_error *kind);

#endif
