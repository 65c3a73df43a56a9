/* How a call goes to the server: through the breaker, on a connection of the pool, and again after a pause
 * when the server failed it.
 *
 * Made again are calls that could not connect, whose connection broke, or that the server put off (LOADING,
 * BUSY, READONLY ..), at most `retries` times, and none that took timeout_ms already: a server that hangs is
 * not waited for several times over. */
#include <time.h>

#include "cache/redis_engine.h"
#include "cache/redis_random.h"
#include "cache/redis_socket.h"

enum {
    PAUSE_FIRST_MS = 10, /* the most that is slept before the first repeat; doubles */
    PAUSE_MAX_MS = 2000,
    LOOK_NS = 20000000, /* a pause looks at its watch so often */
};

/* What an attempt says of the server. */
enum outcome {
    ANSWERED, /* if only that it refuses */
    FAILED,
    UNKNOWN, /* the attempt ended before that */
};

/* -------------------------------------------------------------------- one attempt */

static enum varve_status
feed_call(void *context, struct varve__redis_connection *connection, size_t *replies)
{
    struct varve__redis_call *call = context;
    *replies = 0;
    if (call->status == VARVE_OK)
        call->status = call->feed(call->context, connection, replies);
    return VARVE_OK;
}

static bool
is_wrong_type(const struct varve__redis_piece *piece)
{
    static const char word[] = "WRONGTYPE";
    return piece->size >= sizeof word - 1 && memcmp(piece->text, word, sizeof word - 1) == 0;
}

static enum varve_status
take_call(void *context, const struct varve__redis_piece *piece)
{
    struct varve__redis_call *call = context;
    if (call->status != VARVE_OK)
        return VARVE_OK; /* failed already: what is left is read past */
    if (piece->kind != VARVE__REDIS_ERROR || (call->skips_wrong_types && is_wrong_type(piece))) {
        call->status = call->take(call->context, piece);
        return VARVE_OK;
    }
    call->refused = true;
    call->status = varve__redis_fail_reply(
        call->server, call->what, call->record, piece->text, piece->size, &call->error);
    return VARVE_OK;
}

static enum varve_status
exchange(
    struct varve__redis *redis,
    struct varve__redis_call *call,
    struct varve__redis_connection *connection,
    enum outcome *outcome)
{
    call->server = redis->server;
    call->status = VARVE_OK;
    call->refused = false;
    if (call->restart)
        call->restart(call->context);
    enum varve_status status =
        varve__redis_exchange(connection, call->watch, feed_call, take_call, call);
    *outcome = status == VARVE_OK ? ANSWERED : status == VARVE_UNAVAILABLE ? FAILED : UNKNOWN;
    if (status != VARVE_OK) {
        call->perhaps = call->perhaps || connection->sent;
        return status;
    }
    if (call->refused && call->error == VARVE__REDIS_RECONNECT)
        connection->broken = true;
    if (call->refused && (call->error == VARVE__REDIS_RETRY || connection->broken))
        *outcome = FAILED;
    return call->status;
}

/* -------------------------------------------------------------------- scripts */

struct loading {
    struct varve__redis *redis;
    enum varve__redis_script script;
    bool fed;
};

static void
restart_loading(void *context)
{
    ((struct loading *)context)->fed = false;
}

static enum varve_status
feed_loading(void *context, struct varve__redis_connection *connection, size_t *replies)
{
    struct loading *loading = context;
    if (!loading->fed) {
        varve__redis_script_load(connection, loading->script);
        *replies = 1;
    }
    loading->fed = true;
    return VARVE_OK;
}

static enum varve_status
take_loading(void *context, const struct varve__redis_piece *piece)
{
    struct loading *loading = context;
    varve__redis_script_loaded(&loading->redis->scripts, loading->script, piece);
    return VARVE_OK;
}

static enum varve_status
load_script(
    struct varve__redis *redis,
    struct varve__redis_call *call,
    struct varve__redis_connection *connection,
    enum outcome *outcome)
{
    struct loading loading = {.redis = redis, .script = call->script};
    struct varve__redis_call load = {
        .watch = call->watch,
        .record = call->record,
        .what = "the loading of a script",
        .feed = feed_loading,
        .take = take_loading,
        .restart = restart_loading,
        .context = &loading,
    };
    return exchange(redis, &load, connection, outcome);
}

/* Exchanges, and once more when the server has lost the script: with a restart, or a SCRIPT FLUSH. */
static enum varve_status
exchange_with_script(
    struct varve__redis *redis,
    struct varve__redis_call *call,
    struct varve__redis_connection *connection,
    enum outcome *outcome)
{
    bool scripted = call->script != VARVE__SCRIPT_NONE;
    enum varve_status status = VARVE_OK;
    if (scripted && !varve__redis_script_known(&redis->scripts, call->script))
        status = load_script(redis, call, connection, outcome);
    if (status != VARVE_OK)
        return status;
    status = exchange(redis, call, connection, outcome);
    if (!scripted || !call->refused || call->error != VARVE__REDIS_NO_SCRIPT)
        return status;
    status = load_script(redis, call, connection, outcome);
    return status != VARVE_OK ? status : exchange(redis, call, connection, outcome);
}

static enum varve_status
attempt_call(struct varve__redis *redis, struct varve__redis_call *call, enum outcome *outcome)
{
    *outcome = UNKNOWN;
    struct varve__redis_connection *connection;
    enum varve_status status =
        varve__redis_pool_take(&redis->pool, call->watch, call->record, &connection);
    if (status != VARVE_OK)
        return status;
    if (!connection) {
        status = varve__redis_connect(&redis->options, redis->server, call->watch, &connection);
        *outcome = status == VARVE_UNAVAILABLE ? FAILED : UNKNOWN;
    }
    if (status == VARVE_OK)
        status = exchange_with_script(redis, call, connection, outcome);
    if (connection && connection->broken && *outcome == FAILED)
        redis->reconnects++;
    varve__redis_pool_give(&redis->pool, connection);
    return status;
}

/* -------------------------------------------------------------------- again */

/* Tells the breaker; true when the call may be made again. */
static bool
settle(struct varve__redis *redis, enum outcome outcome, bool probe)
{
    if (outcome == FAILED)
        return varve__redis_breaker_fail(&redis->breaker, probe);
    if (outcome == ANSWERED)
        varve__redis_breaker_succeed(&redis->breaker, probe);
    else
        varve__redis_breaker_leave(&redis->breaker, probe);
    return false;
}

/* Sleeps from 0 to 10, 20, 40 .. ms at random. */
static enum varve_status
sleep_before(struct varve__redis *redis, const struct varve__redis_call *call, int64_t repeat)
{
    int64_t most = repeat > 7 ? PAUSE_MAX_MS : (int64_t)PAUSE_FIRST_MS << repeat;
    uint64_t state =
        atomic_fetch_add_explicit(&redis->random, VARVE__RANDOM_STEP, memory_order_relaxed);
    int64_t now = varve__monotonic_now();
    int64_t end = now + varve__random_up_to(state, most * 1000000);
    for (; now < end; now = varve__monotonic_now()) {
        if (varve__watch_expired(call->watch))
            return varve__redis_fail_watch(redis->server, call->watch);
        struct timespec pause = {.tv_nsec = end - now > LOOK_NS ? LOOK_NS : end - now};
        nanosleep(&pause, NULL);
    }
    return VARVE_OK;
}

static enum varve_status
run_until_settled(struct varve__redis *redis, struct varve__redis_call *call)
{
    int64_t begin = varve__monotonic_now();
    int64_t give_up = begin + redis->options.timeout_ms * 1000000;
    for (int64_t repeat = 0;; repeat++) {
        bool probe;
        enum outcome outcome;
        enum varve_status status =
            varve__redis_breaker_enter(&redis->breaker, call->record, &probe);
        if (status != VARVE_OK)
            return status;
        status = attempt_call(redis, call, &outcome);
        if (!settle(redis, outcome, probe) || call->once || repeat >= redis->options.retries ||
            varve__monotonic_now() >= give_up)
            return status;
        redis->retries++;
        status = sleep_before(redis, call, repeat);
        if (status != VARVE_OK)
            return status;
    }
}

/* A failure of the connection knows of no record: adds the call's. */
static void
name_record(const struct varve_record *record, enum varve_status status)
{
    const struct varve_failure *failure = varve__thread_failure();
    if (!record || failure->status != status || failure->record)
        return;
    int system_errno = failure->system_errno;
    varve__fail(
        status, failure->kind, failure->tier, record->descriptor->name, "%s",
        varve__thread_error());
    varve__failure_set_errno(system_errno);
}

enum varve_status
varve__redis_run(struct varve__redis *redis, struct varve__redis_call *call)
{
    enum varve_status status = run_until_settled(redis, call);
    if (status != VARVE_OK)
        name_record(call->record, status);
    if (status == VARVE_UNAVAILABLE)
        redis->failures++;
    return status;
}
