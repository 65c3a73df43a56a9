/* Values of the Redis engine: put, get, touch, remove. Calls that are made again go on behind the last reply
 * that came, so that a value is taken once. */
#include "cache/redis_engine.h"

enum {
    PORTION_FIRST = 8 * 1024, /* bytes of commands that a put writes at a time; doubles */
    PORTION_LAST = 256 * 1024
};

/* -------------------------------------------------------------------- put */

/* Of an order, for entries without values: three for each put, but many at once cost the server less. */
enum {
    CHECK_EVERY = 8, /* puts */
    ENTRIES_CHECKED = 24
};

struct put {
    struct varve__redis *redis;
    const struct varve__space *space;
    const struct varve__cache_item *items;
    size_t count;
    varve__cache_make *make; /* NULL: the items have their values */
    void *context;
    size_t portion; /* bytes of the next one */
    size_t fed;
    size_t done;
};

void
varve__redis_write_set(
    struct varve__redis_connection *connection, const struct varve__cache_item *item)
{
    varve__redis_command(connection, item->ttl_ms > 0 ? 5 : 3);
    varve__redis_word(connection, "SET");
    varve__redis_argument(connection, item->key.text, item->key.size);
    varve__redis_argument(connection, item->value.text, item->value.size);
    if (item->ttl_ms > 0) {
        varve__redis_word(connection, "PX");
        varve__redis_number(connection, item->ttl_ms);
    }
}

static void
write_ordered_put(
    struct varve__redis_connection *connection,
    const struct put *put,
    const struct varve__cache_item *item)
{
    char time[VARVE__REDIS_TIME_SIZE];
    uint64_t number = atomic_fetch_add_explicit(&put->redis->puts, 1, memory_order_relaxed);
    varve__redis_time_write(time, item->time);
    varve__redis_script_run(connection, &put->redis->scripts, VARVE__SCRIPT_PUT, 3, 4);
    varve__redis_argument(connection, item->key.text, item->key.size);
    varve__redis_write_order(connection, put->space->index);
    varve__redis_argument(connection, item->value.text, item->value.size);
    varve__redis_number(connection, item->ttl_ms);
    varve__redis_argument(connection, time, sizeof time);
    varve__redis_number(connection, number % CHECK_EVERY == 0 ? ENTRIES_CHECKED : 0);
}

/* Writes a portion: the server works on it while the next values are made. The first is small, so that it
 * begins soon, and later ones larger, so that sending costs little. */
static enum varve_status
feed_put(void *context, struct varve__redis_connection *connection, size_t *replies)
{
    struct put *put = context;
    enum varve_status status = VARVE_OK;
    size_t before = varve__redis_unsent(connection);
    for (; put->fed < put->count; put->fed++, ++*replies) {
        struct varve__cache_item item = put->items[put->fed];
        if (varve__redis_unsent(connection) - before >= put->portion)
            break;
        if (put->make)
            status = put->make(put->context, put->fed, &item.value);
        if (status != VARVE_OK)
            break;
        if (put->space->index.size > 0)
            write_ordered_put(connection, put, &item);
        else
            varve__redis_write_set(connection, &item);
    }
    if (put->portion < PORTION_LAST)
        put->portion *= 2;
    return status;
}

static enum varve_status
take_put(void *context, const struct varve__redis_piece *piece)
{
    (void)piece; /* OK of SET, 1 of the script */
    ((struct put *)context)->done++;
    return VARVE_OK;
}

static void
restart_put(void *context)
{
    struct put *put = context;
    put->fed = put->done;
    put->portion = PORTION_FIRST;
}

enum varve_status
varve__redis_put(
    struct varve__cache *cache,
    struct varve__watch *watch,
    const struct varve__space *space,
    const struct varve__cache_item *items,
    size_t count,
    varve__cache_make *make,
    void *make_context,
    size_t *done)
{
    struct put put = {
        .redis = varve__redis_of(cache),
        .space = space,
        .items = items,
        .count = count,
        .make = make,
        .context = make_context,
    };
    struct varve__redis_call call = {
        .watch = watch,
        .record = space->record,
        .what = "a put",
        .script = space->index.size > 0 ? VARVE__SCRIPT_PUT : VARVE__SCRIPT_NONE,
        .feed = feed_put,
        .take = take_put,
        .restart = restart_put,
        .context = &put,
    };
    enum varve_status status = count == 0 ? VARVE_OK : varve__redis_run(put.redis, &call);
    *done = put.done;
    if (status != VARVE_OK && call.refused && call.error == VARVE__REDIS_REFUSED)
        varve__failure_set_index((int64_t)put.done);
    return status;
}

/* -------------------------------------------------------------------- get */

struct get {
    struct varve__redis *redis;
    const struct varve__space *space;
    const struct varve__cache_text *keys;
    size_t count;
    int64_t ttl_ms;
    varve__cache_take *take;
    void *context;
    size_t fed;
    size_t replied;
    bool lengthened; /* the lives of the order, which lives as long as its values */
};

void
varve__redis_write_get(
    struct varve__redis_connection *connection, struct varve__cache_text key, int64_t ttl_ms)
{
    size_t words = ttl_ms == VARVE__TTL_KEEP ? 2 : ttl_ms == VARVE__TTL_NONE ? 3 : 4;
    varve__redis_command(connection, words);
    varve__redis_word(connection, words == 2 ? "GET" : "GETEX");
    varve__redis_argument(connection, key.text, key.size);
    if (words == 3)
        varve__redis_word(connection, "PERSIST");
    if (words == 4) {
        varve__redis_word(connection, "PX");
        varve__redis_number(connection, ttl_ms);
    }
}

void
varve__redis_write_lengthening(
    struct varve__redis_connection *connection,
    const struct varve__redis_scripts *scripts,
    struct varve__cache_text index,
    int64_t ttl_ms)
{
    varve__redis_script_run(connection, scripts, VARVE__SCRIPT_LIVE, 2, 1);
    varve__redis_write_order(connection, index);
    varve__redis_number(connection, ttl_ms);
}

/* One MGET of the next keys. */
static void
feed_many(struct get *get, struct varve__redis_connection *connection)
{
    size_t size = 0, end = get->fed;
    while (end < get->count && end - get->fed < VARVE__REDIS_KEYS_AT_ONCE &&
           size < VARVE__REDIS_FEED_SIZE)
        size += get->keys[end++].size;
    varve__redis_command(connection, 1 + end - get->fed);
    varve__redis_word(connection, "MGET");
    for (; get->fed < end; get->fed++)
        varve__redis_argument(connection, get->keys[get->fed].text, get->keys[get->fed].size);
}

static enum varve_status
feed_get(void *context, struct varve__redis_connection *connection, size_t *replies)
{
    struct get *get = context;
    size_t before = varve__redis_unsent(connection);
    bool gives_life = get->ttl_ms != VARVE__TTL_KEEP;
    if (get->fed < get->count && get->count > 1 && !gives_life) {
        feed_many(get, connection);
        *replies = 1;
        return VARVE_OK;
    }
    for (; get->fed < get->count; get->fed++, ++*replies) {
        if (varve__redis_unsent(connection) - before >= VARVE__REDIS_FEED_SIZE)
            return VARVE_OK;
        varve__redis_write_get(connection, get->keys[get->fed], get->ttl_ms);
    }
    if (gives_life && get->space->index.size > 0 && !get->lengthened) {
        varve__redis_write_lengthening(
            connection, &get->redis->scripts, get->space->index, get->ttl_ms);
        get->lengthened = true;
        ++*replies;
    }
    return VARVE_OK;
}

static enum varve_status
take_get(void *context, const struct varve__redis_piece *piece)
{
    struct get *get = context;
    enum varve_status status = VARVE_OK;
    if (piece->kind == VARVE__REDIS_ARRAY || get->replied == get->count)
        return VARVE_OK; /* the head of an MGET; the lengthening */
    if (piece->kind == VARVE__REDIS_STRING)
        status = get->take(
            get->context, get->replied, (struct varve__cache_text){piece->text, piece->size});
    get->replied++;
    return status;
}

static void
restart_get(void *context)
{
    struct get *get = context;
    get->fed = get->replied;
    get->lengthened = false;
}

enum varve_status
varve__redis_get(
    struct varve__cache *cache,
    struct varve__watch *watch,
    const struct varve__space *space,
    const struct varve__cache_text *keys,
    size_t count,
    int64_t ttl_ms,
    varve__cache_take *take,
    void *context)
{
    struct get get = {
        varve__redis_of(cache), space, keys, count, ttl_ms, take, context, 0, 0, false};
    bool lengthens = space->index.size > 0 && ttl_ms != VARVE__TTL_KEEP;
    struct varve__redis_call call = {
        .watch = watch,
        .record = space->record,
        .what = "a get",
        .script = lengthens ? VARVE__SCRIPT_LIVE : VARVE__SCRIPT_NONE,
        .feed = feed_get,
        .take = take_get,
        .restart = restart_get,
        .context = &get,
    };
    return count == 0 ? VARVE_OK : varve__redis_run(get.redis, &call);
}

/* -------------------------------------------------------------------- touch and remove */

/* A change of one value that replies whether it was there. */
struct change {
    struct varve__redis *redis;
    const struct varve__space *space;
    struct varve__cache_text key;
    int64_t ttl_ms;
    enum varve__redis_script script; /* of a space with an index */
    bool fed;
    bool found;
};

static void
restart_change(void *context)
{
    ((struct change *)context)->fed = false;
}

static void
write_word_and_key(
    struct varve__redis_connection *connection,
    const char *word,
    size_t words,
    const struct change *change)
{
    varve__redis_command(connection, words);
    varve__redis_word(connection, word);
    varve__redis_argument(connection, change->key.text, change->key.size);
}

static void
write_scripted_change(
    struct varve__redis_connection *connection, const struct change *change, size_t arguments)
{
    varve__redis_script_run(connection, &change->redis->scripts, change->script, 3, arguments);
    varve__redis_argument(connection, change->key.text, change->key.size);
    varve__redis_write_order(connection, change->space->index);
    if (arguments > 0)
        varve__redis_number(connection, change->ttl_ms);
}

/* The first reply says whether the value was there; PERSIST's would say whether it had a limited life. */
static enum varve_status
feed_touch(void *context, struct varve__redis_connection *connection, size_t *replies)
{
    struct change *change = context;
    if (change->fed)
        return VARVE_OK;
    change->fed = true;
    *replies = 1;
    if (change->space->index.size > 0) {
        write_scripted_change(connection, change, 1);
    } else if (change->ttl_ms > 0) {
        write_word_and_key(connection, "PEXPIRE", 3, change);
        varve__redis_number(connection, change->ttl_ms);
    } else {
        write_word_and_key(connection, "EXISTS", 2, change);
        write_word_and_key(connection, "PERSIST", 2, change);
        *replies = 2;
    }
    return VARVE_OK;
}

static enum varve_status
feed_remove(void *context, struct varve__redis_connection *connection, size_t *replies)
{
    struct change *change = context;
    if (change->fed)
        return VARVE_OK;
    change->fed = true;
    *replies = 1;
    if (change->space->index.size > 0)
        write_scripted_change(connection, change, 0);
    else
        write_word_and_key(connection, "DEL", 2, change);
    return VARVE_OK;
}

static enum varve_status
take_change(void *context, const struct varve__redis_piece *piece)
{
    struct change *change = context;
    if (piece->reply == 0)
        change->found = piece->kind == VARVE__REDIS_INTEGER && piece->number > 0;
    return VARVE_OK;
}

static enum varve_status
run_change(
    struct change *change, struct varve__watch *watch, const char *what, varve__redis_feed *feed)
{
    struct varve__redis_call call = {
        .watch = watch,
        .record = change->space->record,
        .what = what,
        .script = change->space->index.size > 0 ? change->script : VARVE__SCRIPT_NONE,
        .feed = feed,
        .take = take_change,
        .restart = restart_change,
        .context = change,
    };
    enum varve_status status = varve__redis_run(change->redis, &call);
    /* What is not there now may be what the first attempt found and removed. */
    if (status == VARVE_OK && call.perhaps && change->script == VARVE__SCRIPT_REMOVE)
        change->found = true;
    return status;
}

enum varve_status
varve__redis_touch(
    struct varve__cache *cache,
    struct varve__watch *watch,
    const struct varve__space *space,
    struct varve__cache_text key,
    int64_t ttl_ms,
    bool *found)
{
    struct change change = {varve__redis_of(cache), space, key,  ttl_ms,
                            VARVE__SCRIPT_TOUCH,    false, false};
    enum varve_status status = run_change(&change, watch, "a touch", feed_touch);
    *found = change.found;
    return status;
}

enum varve_status
varve__redis_remove(
    struct varve__cache *cache,
    struct varve__watch *watch,
    const struct varve__space *space,
    struct varve__cache_text key,
    bool *found)
{
    struct change change = {varve__redis_of(cache), space, key,  0,
                            VARVE__SCRIPT_REMOVE,   false, false};
    enum varve_status status = run_change(&change, watch, "a delete", feed_remove);
    *found = change.found;
    return status;
}
