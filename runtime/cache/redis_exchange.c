/* The loop that sends commands while the replies to the last come in. The server always has work, and
 * neither of the two ever waits for the other with both sockets full: what comes in is read whenever
 * nothing more goes out. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cache/redis_connection.h"
#include "cache/redis_socket.h"
#include "cache/redis_tls.h"

enum {
    FEED_SIZE = 8 * 1024,     /* unsent bytes at which no more are asked for */
    READ_SIZE = 256 * 1024,   /* of the reader's buffer, but for a large string */
    ROOM_LEAST = 16 * 1024,   /* that is offered to a receive */
    BUFFER_KEPT = 256 * 1024, /* a larger buffer is released when the exchange is over */
    BEGINNING_SIZE = 32       /* of what is no reply, in the message */
};

struct exchange {
    struct varve__redis_connection *connection;
    struct varve__watch *watch;
    varve__redis_feed *feed;
    varve__redis_take *take;
    void *context;
    bool fed;             /* there are no more commands */
    int64_t silent_since; /* monotonic ns; 0: the server has just been heard */
    size_t wanted;        /* bytes that the next piece lacks */
};

/* -------------------------------------------------------------------- failures */

static enum varve_status
fail_broken(struct varve__redis_connection *connection, int error)
{
    const char *reason = connection->session ? varve__redis_tls_reason(connection->session) : NULL;
    connection->broken = true;
    varve__fail(
        VARVE_UNAVAILABLE, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, NULL,
        "the connection to Redis at %s broke: %s; see whether the server still runs",
        connection->server, reason ? reason : strerror(error));
    varve__failure_set_errno(error);
    return VARVE_UNAVAILABLE;
}

static enum varve_status
fail_closed(struct varve__redis_connection *connection)
{
    connection->broken = true;
    return varve__fail(
        VARVE_UNAVAILABLE, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, NULL,
        "Redis at %s closed the connection before it had replied; it was stopped, or its log says "
        "why",
        connection->server);
}

static enum varve_status
fail_silent(struct varve__redis_connection *connection)
{
    connection->broken = true;
    return varve__fail(
        VARVE_UNAVAILABLE, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, NULL,
        "Redis at %s does not answer: not a byte came within redis_timeout_ms, %lld ms; see "
        "whether it hangs, or raise that",
        connection->server, (long long)connection->timeout_ms);
}

static enum varve_status
fail_late(struct varve__redis_connection *connection)
{
    connection->broken = true;
    return varve__redis_fail_reach(
        connection->server, "it did not answer within redis_connect_timeout_ms",
        "see whether it hangs, or raise that");
}

static enum varve_status
fail_nonsense(struct varve__redis_connection *connection)
{
    const struct varve__redis_reader *reader = &connection->reader;
    char beginning[BEGINNING_SIZE + 1] = "";
    size_t size = reader->end - reader->begin;
    size = size < BEGINNING_SIZE ? size : BEGINNING_SIZE;
    for (size_t i = 0; i < size; i++) {
        char c = reader->buffer[reader->begin + i];
        beginning[i] = c >= ' ' && c <= '~' ? c : '?';
    }
    connection->broken = true;
    return varve__fail(
        VARVE_UNAVAILABLE, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, NULL,
        "what came from %s is no reply of Redis: \"%s\"; does another program listen there?",
        connection->server, beginning);
}

static enum varve_status
fail_large(struct varve__redis_connection *connection)
{
    connection->broken = true;
    return varve__fail(
        VARVE_UNAVAILABLE, VARVE_FAILURE_SIZE, VARVE_TIER_CACHE, NULL,
        "Redis at %s replied with a string of more than %zu bytes, which no value of varve has; "
        "does another program write these keys?",
        connection->server, connection->reader.most);
}

/* -------------------------------------------------------------------- sending */

static inline size_t
unsent(const struct varve__redis_connection *connection)
{
    return connection->out_end - connection->out_begin;
}

/* One more portion of commands. */
static enum varve_status
feed_once(struct exchange *exchange)
{
    struct varve__redis_connection *connection = exchange->connection;
    size_t replies = 0;
    if (unsent(connection) == 0)
        connection->out_begin = connection->out_end = 0;
    enum varve_status status = exchange->feed(exchange->context, connection, &replies);
    if (status == VARVE_OK && connection->no_memory)
        status = varve__fail_memory(NULL, connection->out_size);
    exchange->fed = replies == 0;
    if (status == VARVE_OK)
        connection->awaited += replies;
    return status;
}

/* What a server that has gone said last, such as why, is read before the failure is told. */
static enum varve_status
give_up_sending(struct exchange *exchange, int error)
{
    struct varve__redis_connection *connection = exchange->connection;
    if (error != EPIPE && error != ECONNRESET)
        return fail_broken(connection, error);
    connection->broken = true;
    connection->out_begin = connection->out_end;
    exchange->fed = true;
    return VARVE_OK;
}

/* Has commands written and sends them, until there are no more or nothing more goes out. */
static enum varve_status
send_commands(struct exchange *exchange)
{
    struct varve__redis_connection *connection = exchange->connection;
    while (!exchange->fed && unsent(connection) < FEED_SIZE) {
        enum varve_status status = feed_once(exchange);
        if (status != VARVE_OK)
            return status;
    }
    if (unsent(connection) == 0)
        return VARVE_OK;
    size_t moved;
    enum varve__redis_moved result = varve__redis_send(
        connection, connection->out + connection->out_begin, unsent(connection), &moved);
    if (result == VARVE__REDIS_FAILED || result == VARVE__REDIS_CLOSED)
        return give_up_sending(exchange, result == VARVE__REDIS_CLOSED ? EPIPE : errno);
    connection->out_begin += moved;
    connection->sent |= moved > 0;
    if (moved > 0)
        exchange->silent_since = 0;
    return VARVE_OK;
}

/* -------------------------------------------------------------------- receiving */

/* Makes room for what the next piece lacks, and for more. */
static bool
make_room(struct varve__redis_reader *reader, size_t wanted)
{
    size_t used = reader->end - reader->begin, needed;
    size_t least = wanted < ROOM_LEAST ? ROOM_LEAST : wanted;
    if (used == 0)
        reader->begin = reader->end = 0;
    if (reader->size - reader->end >= least)
        return true;
    if (!varve__size_add(used, least, &needed))
        return false;
    char *buffer = reader->buffer;
    if (needed > reader->size) {
        size_t size = needed < READ_SIZE ? READ_SIZE : needed;
        buffer = varve__allocate(size);
        if (!buffer)
            return false;
        reader->size = size;
    }
    if (used > 0)
        memmove(buffer, reader->buffer + reader->begin, used);
    if (buffer != reader->buffer)
        varve__release(reader->buffer);
    reader->buffer = buffer;
    reader->begin = 0;
    reader->end = used;
    return true;
}

/* Gives what came to `take`, as far as it goes. */
static enum varve_status
take_pieces(struct exchange *exchange)
{
    struct varve__redis_connection *connection = exchange->connection;
    struct varve__redis_piece piece;
    bool last;
    while (connection->awaited > 0) {
        enum varve__redis_reading reading =
            varve__redis_read(&connection->reader, &piece, &last, &exchange->wanted);
        if (reading == VARVE__REDIS_MORE)
            return VARVE_OK;
        if (reading == VARVE__REDIS_NONSENSE)
            return fail_nonsense(connection);
        if (reading == VARVE__REDIS_TOO_LARGE)
            return fail_large(connection);
        connection->awaited -= last;
        enum varve_status status = exchange->take(exchange->context, &piece);
        if (status != VARVE_OK)
            return status;
    }
    return VARVE_OK;
}

/* The server was not heard for a slice. */
static enum varve_status
check_silence(struct exchange *exchange)
{
    struct varve__redis_connection *connection = exchange->connection;
    int64_t now = varve__monotonic_now();
    if (exchange->silent_since == 0) /* the slice that is over is not much of it */
        exchange->silent_since = now;
    if (now >= connection->give_up_at)
        return fail_late(connection);
    if (now - exchange->silent_since >= connection->timeout_ms * 1000000)
        return fail_silent(connection);
    return VARVE_OK;
}

/* Receives once and gives it to `take`. *came: whether there was anything. */
static enum varve_status
receive(struct exchange *exchange, bool wait, bool *came)
{
    struct varve__redis_connection *connection = exchange->connection;
    struct varve__redis_reader *reader = &connection->reader;
    size_t moved;
    if (!make_room(reader, exchange->wanted)) {
        connection->broken = true;
        return varve__fail_memory(NULL, exchange->wanted);
    }
    enum varve__redis_moved result = varve__redis_receive(
        connection, wait, reader->buffer + reader->end, reader->size - reader->end, &moved);
    *came = result == VARVE__REDIS_MOVED;
    if (result == VARVE__REDIS_CLOSED)
        return fail_closed(connection);
    if (result == VARVE__REDIS_FAILED)
        return fail_broken(connection, errno);
    if (!*came)
        return VARVE_OK;
    if (connection->give_up_at < INT64_MAX && varve__monotonic_now() >= connection->give_up_at)
        return fail_late(connection);
    exchange->silent_since = 0;
    reader->end += moved;
    return take_pieces(exchange);
}

/* Receives what there is, and waits only where there is nothing else to do. */
static enum varve_status
receive_replies(struct exchange *exchange)
{
    struct varve__redis_connection *connection = exchange->connection;
    bool came = false, stuck = unsent(connection) > 0;
    bool idle = exchange->fed && !stuck;
    enum varve_status status = receive(exchange, idle, &came);
    if (status != VARVE_OK || came)
        return status;
    if (stuck)
        varve__redis_wait(connection, true, true);
    return idle || stuck ? check_silence(exchange) : VARVE_OK;
}

/* -------------------------------------------------------------------- the exchange */

/* What is done is not ended: the watch is looked at where something is still to come. */
static enum varve_status
exchange_all(struct exchange *exchange)
{
    struct varve__redis_connection *connection = exchange->connection;
    bool expired = varve__watch_expired(exchange->watch);
    while (!expired) {
        enum varve_status status = send_commands(exchange);
        if (status != VARVE_OK)
            return status;
        if (exchange->fed && unsent(connection) == 0 && connection->awaited == 0)
            return VARVE_OK;
        expired = varve__watch_expired(exchange->watch);
        if (!expired)
            status = receive_replies(exchange);
        if (status != VARVE_OK)
            return status;
    }
    return varve__redis_fail_watch(connection->server, exchange->watch);
}

/* Leaves the connection to the next exchange, or broken where something of this one is still under way. */
static void
finish(struct varve__redis_connection *connection)
{
    struct varve__redis_reader *reader = &connection->reader;
    if (!connection->sent)
        connection->awaited = 0;
    bool under_way = connection->sent && (connection->awaited > 0 || unsent(connection) > 0);
    connection->broken |= under_way || reader->begin != reader->end;
    connection->out_begin = connection->out_end = 0;
    if (connection->out_size > BUFFER_KEPT) {
        varve__release(connection->out);
        connection->out = NULL;
        connection->out_size = 0;
    }
    if (reader->size > BUFFER_KEPT && reader->begin == reader->end) {
        varve__release(reader->buffer);
        reader->buffer = NULL;
        reader->begin = reader->end = reader->size = 0;
    }
}

enum varve_status
varve__redis_exchange(
    struct varve__redis_connection *connection,
    struct varve__watch *watch,
    varve__redis_feed *feed,
    varve__redis_take *take,
    void *context)
{
    struct exchange exchange = {
        .connection = connection,
        .watch = watch,
        .feed = feed,
        .take = take,
        .context = context,
    };
    connection->sent = false;
    connection->no_memory = false;
    connection->reader.reply = 0;
    enum varve_status status = exchange_all(&exchange);
    finish(connection);
    return status;
}
