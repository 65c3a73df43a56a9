/* Values of the Redis engine: put, get, touch, remove. Calls that are made again go on behind the last reply
 * that came, so that a value is taken once. */
#include "cache/redis_engine.h"

enum {
    PORTION_FIRST = 8 * 1024, /* bytes of commands that a put writes at a time; doubles */
    PORTION_LAST = 256 * 1024
};

/* -------------------------------------------------------------------- put */

/* Of a space with an order. Entries without values are looked for: three for each put, but many at once cost
 * the server less. */
enum {
    RUN_MOST = 32,   /* items that one run of the script puts */
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
    size_t run_most; /* items of a run of the script */
    size_t portion;  /* bytes of the next one */
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

/* The item with its value. */
static enum varve_status
make_item(const struct put *put, size_t i, struct varve__cache_item *item)
{
    *item = put->items[i];
    return put->make ? put->make(put->context, i, &item->value) : VARVE_OK;
}

static enum varve_status
write_put(struct put *put, struct varve__redis_connection *connection)
{
    struct varve__cache_item item;
    enum varve_status status = make_item(put, put->fed, &item);
    if (status != VARVE_OK)
        return status;
    varve__redis_write_set(connection, &item);
    put->fed++;
    return VARVE_OK;
}

/* How many entries are to be checked with so many puts. */
static size_t
entries_to_check(struct varve__redis *redis, size_t puts)
{
    uint64_t before = atomic_fetch_add_explicit(&redis->puts, puts, memory_order_relaxed);
    uint64_t last = before + CHECK_EVERY - 1;
    return (size_t)((last + puts) / CHECK_EVERY - last / CHECK_EVERY) * ENTRIES_CHECKED;
}

/* The arguments of the items of a run; *taken: how many of them the portion had room for. The keys of all were
 * written before anybody knew how large the values are, so what is left has empty arguments. */
static enum varve_status
write_run_items(
    const struct put *put, struct varve__redis_connection *connection, size_t named, size_t *taken)
{
    size_t begin = varve__redis_unsent(connection);
    for (*taken = 0; *taken < named; ++*taken) {
        char time[VARVE__REDIS_TIME_SIZE];
        struct varve__cache_item item;
        if (varve__redis_unsent(connection) - begin >= put->portion)
            break;
        enum varve_status status = make_item(put, put->fed + *taken, &item);
        if (status != VARVE_OK)
            return status;
        varve__redis_time_write(time, item.time);
        varve__redis_argument(connection, item.value.text, item.value.size);
        varve__redis_number(connection, item.ttl_ms);
        varve__redis_argument(connection, time, sizeof time);
    }
    for (size_t i = 3 * *taken; i < 3 * named; i++)
        varve__redis_word(connection, "");
    return VARVE_OK;
}

/* Writes a run of the script with the next items, at least one. */
static enum varve_status
write_run(struct put *put, struct varve__redis_connection *connection)
{
    size_t begin = varve__redis_unsent(connection), left = put->count - put->fed, taken;
    size_t named = left < put->run_most ? left : put->run_most;
    varve__redis_script_run(
        connection, &put->redis->scripts, VARVE__SCRIPT_PUT, 2 + named, 3 * named + 2);
    varve__redis_write_order(connection, put->space->index);
    for (size_t i = put->fed; i < put->fed + named; i++)
        varve__redis_argument(connection, put->items[i].key.text, put->items[i].key.size);
    enum varve_status status = write_run_items(put, connection, named, &taken);
    if (status != VARVE_OK) {
        connection->out_end = connection->out_begin + begin; /* half a command is not sent */
        return status;
    }
    varve__redis_number(connection, (int64_t)taken);
    varve__redis_number(connection, (int64_t)entries_to_check(put->redis, taken));
    put->fed += taken;
    return VARVE_OK;
}

/* Writes a portion: the server works on it while the next values are made. The first is small, so that it
 * begins soon, and later ones larger, so that sending costs little. */
static enum varve_status
feed_put(void *context, struct varve__redis_connection *connection, size_t *replies)
{
    struct put *put = context;
    enum varve_status status = VARVE_OK;
    size_t before = varve__redis_unsent(connection);
    while (put->fed < put->count && varve__redis_unsent(connection) - before < put->portion) {
        bool ordered = put->space->index.size > 0;
        status = ordered ? write_run(put, connection) : write_put(put, connection);
        if (status != VARVE_OK)
            break;
        ++*replies;
    }
    if (put->portion < PORTION_LAST)
        put->portion *= 2;
    return status;
}

/* OK of SET; how many items of the script. */
static enum varve_status
take_put(void *context, const struct varve__redis_piece *piece)
{
    struct put *put = context;
    size_t stored = piece->kind == VARVE__REDIS_INTEGER ? (size_t)piece->number : 1;
    size_t awaited = put->fed - put->done;
    put->done += stored < awaited ? stored : awaited;
    return VARVE_OK;
}

static void
restart_put(void *context)
{
    struct put *put = context;
    put->fed = put->done;
    put->portion = PORTION_FIRST;
}

static bool
is_refused(const struct varve__redis_call *call, enum varve_status status)
{
    return status != VARVE_OK && call->refused && call->error == VARVE__REDIS_REFUSED;
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
        .run_most = RUN_MOST,
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
    if (is_refused(&call, status) && space->index.size > 0 && count - put.done > 1) {
        put.run_most = 1; /* so that those before the one to blame are stored, and it is told */
        status = varve__redis_run(put.redis, &call);
    }
    *done = put.done;
    if (is_refused(&call, status))
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
