/* Removal of what is in an order by time and has no value any more. */
#include "cache/redis_engine.h"

struct sweep {
    struct varve__redis *redis;
    struct varve__cache_text index;
    const struct varve__redis_list *members;
    size_t fed;     /* members */
    size_t replied; /* .. of commands that were replied to */
    int64_t removed;
};

enum {
    AT_ONCE = 256 /* members of one run of the script: some 0.1 ms of the server's time */
};

static enum varve_status
feed_sweep(void *context, struct varve__redis_connection *connection, size_t *replies)
{
    struct sweep *sweep = context;
    size_t left = sweep->members->count - sweep->fed;
    if (left == 0)
        return VARVE_OK;
    size_t end = sweep->fed + (left < AT_ONCE ? left : AT_ONCE);
    varve__redis_script_run(
        connection, &sweep->redis->scripts, VARVE__SCRIPT_SWEEP, 2, end - sweep->fed);
    varve__redis_write_order(connection, sweep->index);
    for (; sweep->fed < end; sweep->fed++) {
        struct varve__cache_text member = varve__redis_list_text(sweep->members, sweep->fed);
        varve__redis_argument(connection, member.text, member.size);
    }
    *replies = 1;
    return VARVE_OK;
}

static enum varve_status
take_sweep(void *context, const struct varve__redis_piece *piece)
{
    struct sweep *sweep = context;
    size_t left = sweep->members->count - sweep->replied;
    sweep->replied += left < AT_ONCE ? left : AT_ONCE;
    sweep->removed += piece->kind == VARVE__REDIS_INTEGER ? piece->number : 0;
    return VARVE_OK;
}

static void
restart_sweep(void *context)
{
    struct sweep *sweep = context;
    sweep->fed = sweep->replied;
}

enum varve_status
varve__redis_sweep(
    struct varve__redis *redis,
    struct varve__watch *watch,
    const struct varve__space *space,
    struct varve__cache_text index,
    const struct varve__redis_list *members,
    int64_t *removed)
{
    struct sweep sweep = {redis, index, members, 0, 0, 0};
    struct varve__redis_call call = {
        .watch = watch,
        .record = space ? space->record : NULL,
        .what = "the removal of entries without values",
        .script = VARVE__SCRIPT_SWEEP,
        .feed = feed_sweep,
        .take = take_sweep,
        .restart = restart_sweep,
        .context = &sweep,
    };
    enum varve_status status = members->count == 0 ? VARVE_OK : varve__redis_run(redis, &call);
    if (removed)
        *removed += sweep.removed;
    return status;
}
