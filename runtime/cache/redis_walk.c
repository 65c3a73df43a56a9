/* The walk through all keys of some packages, by SCAN: a step's keys are listed, judged, and then counted or
 * removed by one exchange. A key that is moved while Redis grows its table may come twice: what is counted is
 * exact while nobody writes. */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "cache/redis_engine.h"

enum {
    SCAN_COUNT = 1000, /* keys that a step looks at: below a millisecond of the server's time */
    RUN_SIZE = VARVE__REDIS_RUN_SIZE
};

struct walk {
    struct varve__redis *redis;
    struct varve__watch *watch;
    const struct varve__spaces *spaces;
    struct varve__cache_walk *walk;
    char run[RUN_SIZE + 1]; /* of the server that listed the keys */

    struct varve__redis_list keys;    /* of the step under way */
    struct varve__redis_list orders;  /* of them, the parts of orders to be swept */
    struct varve__redis_list members; /* of an order */
};

static bool
ends_with(struct varve__cache_text text, const char *ending)
{
    size_t size = strlen(ending);
    return text.size > size && memcmp(text.text + text.size - size, ending, size) == 0;
}

static struct varve__cache_text
without(struct varve__cache_text text, size_t size)
{
    return (struct varve__cache_text){text.text, text.size - size};
}

/* -------------------------------------------------------------------- a step of a SCAN */

struct scan {
    struct walk *walk;
    const char *command;         /* SCAN, HSCAN, ZSCAN */
    struct varve__cache_text of; /* key of what is scanned; size 0: all keys */
    const char *match;           /* NULL: everything */
    struct varve__redis_list *list;
    bool fed;
    bool second; /* of a pair comes next */
    uint64_t cursor;
    uint64_t next_cursor;
    struct varve__redis_list field; /* one: of a hash, until its value comes */
};

static void
restart_scan(void *context)
{
    struct scan *scan = context;
    scan->fed = scan->second = false;
    varve__redis_list_clear(scan->list);
    varve__redis_list_clear(&scan->field);
}

static enum varve_status
feed_scan(void *context, struct varve__redis_connection *connection, size_t *replies)
{
    struct scan *scan = context;
    char cursor[24];
    if (scan->fed)
        return VARVE_OK;
    scan->fed = true;
    memcpy(scan->walk->run, connection->run, sizeof scan->walk->run);
    int size = snprintf(cursor, sizeof cursor, "%llu", (unsigned long long)scan->cursor);
    varve__redis_command(
        connection, 4 + (size_t)(scan->of.size > 0 ? 1 : 0) + (size_t)(scan->match ? 2 : 0));
    varve__redis_word(connection, scan->command);
    if (scan->of.size > 0)
        varve__redis_argument(connection, scan->of.text, scan->of.size);
    varve__redis_argument(connection, cursor, (size_t)size);
    if (scan->match) {
        varve__redis_word(connection, "MATCH");
        varve__redis_word(connection, scan->match);
    }
    varve__redis_word(connection, "COUNT");
    varve__redis_number(connection, SCAN_COUNT);
    *replies = 1;
    return VARVE_OK;
}

static void
take_cursor(struct scan *scan, const struct varve__redis_piece *piece)
{
    char digits[24] = "0";
    if (piece->size < sizeof digits) {
        memcpy(digits, piece->text, piece->size);
        digits[piece->size] = '\0';
    }
    scan->next_cursor = strtoull(digits, NULL, 10);
}

/* Of a sorted set: a member, then its score. Of a hash: a key, then the time that stands before it in the
 * member. */
static enum varve_status
take_pair(struct scan *scan, struct varve__cache_text text)
{
    const struct varve__cache_text nothing = {"", 0};
    bool second = scan->second;
    scan->second = !second;
    if (scan->command[0] == 'Z')
        return second ? VARVE_OK : varve__redis_list_add(scan->list, text, nothing);
    if (!second) {
        varve__redis_list_clear(&scan->field);
        return varve__redis_list_add(&scan->field, text, nothing);
    }
    return varve__redis_list_add(scan->list, text, varve__redis_list_text(&scan->field, 0));
}

static enum varve_status
take_scan(void *context, const struct varve__redis_piece *piece)
{
    struct scan *scan = context;
    const struct varve__cache_text text = {piece->text, piece->size}, nothing = {"", 0};
    if (piece->kind != VARVE__REDIS_STRING)
        return VARVE_OK;
    if (piece->depth == 1)
        take_cursor(scan, piece);
    else if (scan->of.size > 0)
        return take_pair(scan, text);
    else
        return varve__redis_list_add(scan->list, text, nothing);
    return VARVE_OK;
}

static enum varve_status
run_scan(struct scan *scan)
{
    struct varve__redis_call call = {
        .watch = scan->walk->watch,
        .what = "a walk through the keys",
        .script = VARVE__SCRIPT_NONE,
        .skips_wrong_types = scan->of.size > 0, /* a key of this name that is no order */
        .feed = feed_scan,
        .take = take_scan,
        .restart = restart_scan,
        .context = scan,
    };
    scan->next_cursor = 0;
    enum varve_status status = varve__redis_run(scan->walk->redis, &call);
    scan->cursor = scan->next_cursor;
    return status;
}

/* -------------------------------------------------------------------- judging */

/* The space whose prefix the key has; NULL: none of the schemas'. */
static const struct varve__space *
space_of(const struct walk *walk, struct varve__cache_text key)
{
    for (size_t i = 0; i < walk->spaces->count; i++) {
        const struct varve__space *space = &walk->spaces->spaces[i];
        if (key.size >= space->prefix.size &&
            memcmp(key.text, space->prefix.text, space->prefix.size) == 0)
            return space;
    }
    return NULL;
}

/* What is to be done with a key. */
enum verdict {
    LEAVE,
    COUNT,
    REMOVE,
    SWEEP, /* an order, or its times */
};

struct judgement {
    enum verdict verdict;
    const struct varve__space *space; /* of COUNT */
};

static bool
is_wanted(const struct walk *walk, struct varve__cache_text key)
{
    const struct varve__cache_walk *asked = walk->walk;
    return !asked->wanted || asked->wanted(asked->context, key);
}

/* A walk that only counts leaves orders alone. */
static bool
sweeps(const struct walk *walk)
{
    return walk->walk->wanted || !walk->walk->count;
}

/* A copy is of no use when its server's run is over. */
static struct judgement
judge_copy(const struct walk *walk, const struct varve__space *space, struct varve__cache_text key)
{
    bool ended = key.size > RUN_SIZE && key.text[key.size - RUN_SIZE - 1] == '@';
    if (!ended)
        return (struct judgement){LEAVE, NULL};
    const char *run = key.text + key.size - RUN_SIZE;
    bool over = walk->run[0] && memcmp(run, walk->run, RUN_SIZE) != 0;
    if ((over && sweeps(walk)) || !is_wanted(walk, without(key, RUN_SIZE + 1)))
        return (struct judgement){REMOVE, NULL};
    return (struct judgement){over ? LEAVE : COUNT, space};
}

static struct judgement
judge(const struct walk *walk, struct varve__cache_text key)
{
    const struct varve__space *space = space_of(walk, key);
    bool times = ends_with(key, VARVE__REDIS_INDEX_ENDING VARVE__REDIS_TIMES_ENDING);
    if (times || ends_with(key, VARVE__REDIS_INDEX_ENDING)) {
        size_t added = times ? sizeof VARVE__REDIS_TIMES_ENDING - 1 : 0;
        bool wanted = is_wanted(walk, without(key, added));
        return (struct judgement){!wanted ? REMOVE : sweeps(walk) ? SWEEP : LEAVE, NULL};
    }
    if (space && space->record->cache->mode == VARVE_CACHE_READ_THROUGH) {
        if (ends_with(key, "%lease"))
            return (struct judgement){LEAVE, NULL}; /* it ends by itself */
        return judge_copy(walk, space, key);
    }
    if (!is_wanted(walk, key))
        return (struct judgement){REMOVE, NULL};
    return (struct judgement){space && walk->walk->count ? COUNT : LEAVE, space};
}

/* -------------------------------------------------------------------- counting and removing */

/* What is done with the keys of a step, in their order. */
struct handling {
    struct walk *walk;
    struct judgement *judgements; /* of keys */
    size_t fed;
    size_t replied; /* keys that need no more */
};

static void
restart_handling(void *context)
{
    struct handling *handling = context;
    handling->fed = handling->replied;
}

static enum varve_status
feed_handling(void *context, struct varve__redis_connection *connection, size_t *replies)
{
    struct handling *handling = context;
    const struct varve__redis_list *keys = &handling->walk->keys;
    size_t before = varve__redis_unsent(connection);
    for (; handling->fed < keys->count; handling->fed++) {
        enum verdict verdict = handling->judgements[handling->fed].verdict;
        struct varve__cache_text key = varve__redis_list_text(keys, handling->fed);
        if (verdict != COUNT && verdict != REMOVE)
            continue;
        if (varve__redis_unsent(connection) - before >= VARVE__REDIS_FEED_SIZE)
            break;
        varve__redis_command(connection, 2);
        varve__redis_word(connection, verdict == COUNT ? "STRLEN" : "UNLINK");
        varve__redis_argument(connection, key.text, key.size);
        ++*replies;
    }
    return VARVE_OK;
}

static enum varve_status
take_handling(void *context, const struct varve__redis_piece *piece)
{
    struct handling *handling = context;
    struct varve__cache_walk *walk = handling->walk->walk;
    const struct judgement *judgement = &handling->judgements[handling->replied];
    while (judgement->verdict != COUNT && judgement->verdict != REMOVE)
        judgement++;
    handling->replied = (size_t)(judgement - handling->judgements) + 1;
    if (piece->kind != VARVE__REDIS_INTEGER)
        return VARVE_OK; /* no value: of another type */
    if (judgement->verdict == REMOVE)
        walk->keys_removed += piece->number;
    else if (walk->count)
        walk->count(walk->context, judgement->space, (size_t)piece->number);
    return VARVE_OK;
}

static enum varve_status
run_handling(struct handling *handling)
{
    struct varve__redis_call call = {
        .watch = handling->walk->watch,
        .what = "a walk through the keys",
        .script = VARVE__SCRIPT_NONE,
        .skips_wrong_types = true,
        .feed = feed_handling,
        .take = take_handling,
        .restart = restart_handling,
        .context = handling,
    };
    return varve__redis_run(handling->walk->redis, &call);
}

static enum varve_status
handle_keys(struct walk *walk)
{
    size_t count = walk->keys.count;
    const struct varve__cache_text nothing = {"", 0};
    struct handling handling = {.walk = walk};
    size_t size = (count + 1) * sizeof *handling.judgements;
    handling.judgements = varve__allocate(size);
    if (!handling.judgements)
        return varve__fail_memory(NULL, size);
    enum varve_status status = VARVE_OK;
    varve__redis_list_clear(&walk->orders);
    for (size_t i = 0; i < count && status == VARVE_OK; i++) {
        struct varve__cache_text key = varve__redis_list_text(&walk->keys, i);
        handling.judgements[i] = judge(walk, key);
        if (handling.judgements[i].verdict == SWEEP)
            status = varve__redis_list_add(&walk->orders, key, nothing);
    }
    if (status == VARVE_OK && count > 0)
        status = run_handling(&handling);
    varve__release(handling.judgements);
    return status;
}

/* -------------------------------------------------------------------- orders */

static enum varve_status
sweep_order(struct walk *walk, struct varve__cache_text key)
{
    bool times = ends_with(key, VARVE__REDIS_TIMES_ENDING);
    struct varve__cache_text index =
        times ? without(key, sizeof VARVE__REDIS_TIMES_ENDING - 1) : key;
    struct scan scan = {
        .walk = walk, .command = times ? "HSCAN" : "ZSCAN", .of = key, .list = &walk->members};
    enum varve_status status;
    do {
        status = run_scan(&scan);
        if (status == VARVE_OK)
            status = varve__redis_sweep(
                walk->redis, walk->watch, NULL, index, &walk->members,
                &walk->walk->entries_removed);
    } while (status == VARVE_OK && scan.cursor != 0);
    varve__redis_list_release(&scan.field);
    return status;
}

/* -------------------------------------------------------------------- the walk */

/* "<package>:*", with the package's own glob characters escaped; released by varve__release(). */
static char *
make_pattern(const char *package)
{
    size_t size = 2 * strlen(package) + sizeof ":*";
    char *pattern = varve__allocate(size), *next = pattern;
    if (!pattern) {
        varve__fail_memory(NULL, size);
        return NULL;
    }
    for (; *package; package++) {
        if (strchr("*?[]^-\\", *package))
            *next++ = '\\';
        *next++ = *package;
    }
    memcpy(next, ":*", sizeof ":*");
    return pattern;
}

static enum varve_status
walk_pattern(struct walk *walk, const char *pattern)
{
    struct scan scan = {.walk = walk, .command = "SCAN", .match = pattern, .list = &walk->keys};
    enum varve_status status;
    do {
        status = run_scan(&scan);
        if (status == VARVE_OK)
            status = handle_keys(walk);
        for (size_t i = 0; status == VARVE_OK && i < walk->orders.count; i++)
            status = sweep_order(walk, varve__redis_list_text(&walk->orders, i));
    } while (status == VARVE_OK && scan.cursor != 0);
    return status;
}

enum varve_status
varve__redis_walk(
    struct varve__cache *cache,
    struct varve__watch *watch,
    const struct varve__spaces *spaces,
    struct varve__cache_walk *asked)
{
    struct walk walk = {
        .redis = varve__redis_of(cache), .watch = watch, .spaces = spaces, .walk = asked};
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; status == VARVE_OK && i < spaces->package_count; i++) {
        char *pattern = make_pattern(spaces->packages[i]);
        status = pattern ? walk_pattern(&walk, pattern) : VARVE_NO_MEMORY;
        varve__release(pattern);
    }
    varve__redis_list_release(&walk.keys);
    varve__redis_list_release(&walk.orders);
    varve__redis_list_release(&walk.members);
    return status;
}
