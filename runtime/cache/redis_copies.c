/* Hot copies of table records. What the engine adds to a key is the run of the server, so that what a server
 * has in memory after a restart, which may be older than its end, is not taken for a copy:
 *
 *     <key>@1f0a22c7          the copy
 *     <key>@1f0a22c7%lease    the token of who may fill it
 *
 * The run is that of the connection, and so is known when the command is written: a call that is made again
 * on another may speak of another run. Where the server does not tell its run (the user may not use INFO)
 * there are no copies; and those of other programs, whose run it is not told, cannot be deleted: that fails,
 * so that they stay out of use. */
#include <stdio.h>

#include "cache/redis_engine.h"

enum {
    ENDING_SIZE = VARVE__REDIS_RUN_SIZE + 8 /* of "@" and "%lease" around it, with the NUL */
};

#define LEASE_ENDING "%lease"

static void
write_name(
    struct varve__redis_connection *connection, struct varve__cache_text key, const char *ending)
{
    char text[ENDING_SIZE];
    int size = snprintf(text, sizeof text, "@%s%s", connection->run, ending);
    varve__redis_argument_of_two(connection, key.text, key.size, text, (size_t)size);
}

static void
warn_of_run(struct varve__redis *redis)
{
    const struct varve__redis_options *options = &redis->options;
    char text[VARVE__ERROR_SIZE];
    if (!options->needs_run || !options->log || atomic_exchange(&redis->warned, true))
        return;
    snprintf(
        text, sizeof text,
        "Redis at %s does not tell its run_id: no hot copies are kept there; let the user run INFO "
        "(ACL SETUSER %s +info)",
        redis->server, options->username ? options->username : "default");
    options->log(options->log_context, VARVE_LOG_WARNING, VARVE_TIER_CACHE, text);
}

/* -------------------------------------------------------------------- get */

struct get_copy {
    struct varve__redis *redis;
    struct varve__cache_text key;
    int64_t ttl_ms;
    const char *token;
    varve__cache_take *take;
    void *context;
    bool fed;
    bool unknown; /* the run */
    bool found;
    bool granted;
};

static void
restart_get(void *context)
{
    struct get_copy *get = context;
    get->fed = get->unknown = false;
}

/* False when there is nothing to be done: it was, or the run is unknown. */
static bool
begin_get(struct get_copy *get, const struct varve__redis_connection *connection)
{
    bool begins = !get->fed && connection->run[0];
    get->unknown = !connection->run[0];
    get->fed = true;
    return begins;
}

static enum varve_status
feed_copy(void *context, struct varve__redis_connection *connection, size_t *replies)
{
    struct get_copy *get = context;
    if (!begin_get(get, connection))
        return VARVE_OK;
    bool keeps = get->ttl_ms == VARVE__TTL_KEEP, limited = get->ttl_ms > 0;
    varve__redis_command(connection, keeps ? 2 : limited ? 4 : 3);
    varve__redis_word(connection, keeps ? "GET" : "GETEX");
    write_name(connection, get->key, "");
    if (limited) {
        varve__redis_word(connection, "PX");
        varve__redis_number(connection, get->ttl_ms);
    } else if (!keeps) {
        varve__redis_word(connection, "PERSIST");
    }
    *replies = 1;
    return VARVE_OK;
}

static enum varve_status
take_copy(void *context, const struct varve__redis_piece *piece)
{
    struct get_copy *get = context;
    if (piece->kind != VARVE__REDIS_STRING)
        return VARVE_OK;
    get->found = true;
    return get->take(get->context, 0, (struct varve__cache_text){piece->text, piece->size});
}

/* Whose token is there is asked too: the reply to a SET that took it may have been lost. */
static enum varve_status
feed_lease(void *context, struct varve__redis_connection *connection, size_t *replies)
{
    struct get_copy *get = context;
    if (!begin_get(get, connection))
        return VARVE_OK;
    varve__redis_command(connection, 6);
    varve__redis_word(connection, "SET");
    write_name(connection, get->key, LEASE_ENDING);
    varve__redis_argument(connection, get->token, 16);
    varve__redis_word(connection, "NX");
    varve__redis_word(connection, "PX");
    varve__redis_number(connection, VARVE__LEASE_MS);
    varve__redis_command(connection, 2);
    varve__redis_word(connection, "GET");
    write_name(connection, get->key, LEASE_ENDING);
    *replies = 2;
    return VARVE_OK;
}

static enum varve_status
take_lease(void *context, const struct varve__redis_piece *piece)
{
    struct get_copy *get = context;
    if (piece->reply == 1)
        get->granted = piece->kind == VARVE__REDIS_STRING && piece->size == 16 &&
                       memcmp(piece->text, get->token, 16) == 0;
    return VARVE_OK;
}

static enum varve_status
get_copy(
    struct varve__cache *cache,
    struct varve__watch *watch,
    const struct varve__space *space,
    struct varve__cache_text key,
    int64_t ttl_ms,
    const char token[16],
    bool *granted,
    varve__cache_take *take,
    void *context)
{
    struct get_copy get = {
        varve__redis_of(cache), key, ttl_ms, token, take, context, false, false, false, false};
    struct varve__redis_call call = {
        .watch = watch,
        .record = space->record,
        .what = "a get of a hot copy",
        .script = VARVE__SCRIPT_NONE,
        .feed = feed_copy,
        .take = take_copy,
        .restart = restart_get,
        .context = &get,
    };
    *granted = false;
    enum varve_status status = varve__redis_run(get.redis, &call);
    if (get.unknown)
        warn_of_run(get.redis);
    if (status != VARVE_OK || get.found || get.unknown)
        return status;
    call.feed = feed_lease;
    call.take = take_lease;
    status = varve__redis_run(get.redis, &call);
    *granted = status == VARVE_OK && get.granted;
    return status;
}

/* -------------------------------------------------------------------- fill */

struct fill {
    struct varve__redis *redis;
    const struct varve__cache_item *item;
    const char *token;
    bool fed;
};

static void
restart_fill(void *context)
{
    ((struct fill *)context)->fed = false;
}

static enum varve_status
feed_fill(void *context, struct varve__redis_connection *connection, size_t *replies)
{
    struct fill *fill = context;
    if (fill->fed || !connection->run[0])
        return VARVE_OK;
    fill->fed = true;
    varve__redis_script_run(connection, &fill->redis->scripts, VARVE__SCRIPT_FILL, 2, 3);
    write_name(connection, fill->item->key, "");
    write_name(connection, fill->item->key, LEASE_ENDING);
    varve__redis_argument(connection, fill->item->value.text, fill->item->value.size);
    varve__redis_number(connection, fill->item->ttl_ms);
    varve__redis_argument(connection, fill->token, 16);
    *replies = 1;
    return VARVE_OK;
}

static enum varve_status
take_nothing(void *context, const struct varve__redis_piece *piece)
{
    (void)context;
    (void)piece;
    return VARVE_OK;
}

static enum varve_status
fill_copy(
    struct varve__cache *cache,
    struct varve__watch *watch,
    const struct varve__space *space,
    const struct varve__cache_item *item,
    const char token[16])
{
    struct fill fill = {varve__redis_of(cache), item, token, false};
    struct varve__redis_call call = {
        .watch = watch,
        .record = space->record,
        .what = "the fill of a hot copy",
        .script = VARVE__SCRIPT_FILL,
        .feed = feed_fill,
        .take = take_nothing,
        .restart = restart_fill,
        .context = &fill,
    };
    return varve__redis_run(fill.redis, &call);
}

/* -------------------------------------------------------------------- invalidate */

struct invalidation {
    struct varve__redis *redis;
    const struct varve__cache_text *keys;
    size_t count;
    size_t fed;
    bool unknown; /* the run */
};

static enum varve_status
fail_unknown_run(struct invalidation *invalidation)
{
    invalidation->unknown = true;
    if (!invalidation->redis->options.needs_run)
        return VARVE_OK; /* then there are no copies */
    return varve__fail(
        VARVE_UNAVAILABLE, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, NULL,
        "Redis at %s does not tell its run_id, so hot copies cannot be deleted there; let the user "
        "run INFO (ACL SETUSER .. +info)",
        invalidation->redis->server);
}

/* One command deletes both, so nobody can take the right between them. */
static enum varve_status
feed_invalidation(void *context, struct varve__redis_connection *connection, size_t *replies)
{
    struct invalidation *invalidation = context;
    size_t before = varve__redis_unsent(connection);
    if (!connection->run[0])
        return fail_unknown_run(invalidation);
    for (; invalidation->fed < invalidation->count; invalidation->fed++, ++*replies) {
        if (varve__redis_unsent(connection) - before >= VARVE__REDIS_FEED_SIZE)
            break;
        varve__redis_command(connection, 3);
        varve__redis_word(connection, "DEL");
        write_name(connection, invalidation->keys[invalidation->fed], "");
        write_name(connection, invalidation->keys[invalidation->fed], LEASE_ENDING);
    }
    return VARVE_OK;
}

static enum varve_status
invalidate_copies(
    struct varve__cache *cache,
    struct varve__watch *watch,
    const struct varve__cache_text *keys,
    size_t count)
{
    struct invalidation invalidation = {varve__redis_of(cache), keys, count, 0, false};
    struct varve__redis_call call = {
        .watch = watch,
        .what = "the deletion of hot copies",
        .script = VARVE__SCRIPT_NONE,
        .once = true,
        .feed = feed_invalidation,
        .take = take_nothing,
        .context = &invalidation,
    };
    enum varve_status status = count == 0 ? VARVE_OK : varve__redis_run(invalidation.redis, &call);
    if (invalidation.unknown)
        warn_of_run(invalidation.redis);
    return status;
}

const struct varve__cache_copies varve__redis_copies = {
    .get = get_copy,
    .fill = fill_copy,
    .invalidate = invalidate_copies,
};
