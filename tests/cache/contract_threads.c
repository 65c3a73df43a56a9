/* Many threads on one engine: each value says by a sum that it is whole, and whose it is. */
#include "contract_support.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum {
    THREADS = 8,
    CALLS = 600,
    KEYS = 40
};

struct worker {
    struct varve__cache *cache;
    unsigned number;
    unsigned random;
    size_t taken;
    const char *problem; /* NULL: none. Threads must not call cmocka */
    char keys[KEYS][40];
};

static unsigned
next(struct worker *worker)
{
    worker->random = worker->random * 1103515245 + 12345;
    return worker->random >> 16;
}

/* Key's number, size, sum, bytes. */
static size_t
fill(struct worker *worker, unsigned key, char *bytes)
{
    unsigned head[2] = {key};
    size_t size = next(worker) % 2000;
    memset(bytes + sizeof head, (int)next(worker), size);
    head[1] = sum_of(bytes + sizeof head, size);
    memcpy(bytes, head, sizeof head);
    return sizeof head + size;
}

static bool
is_whole(struct varve__cache_text value, unsigned key)
{
    unsigned head[2];
    if (value.size < sizeof head)
        return false;
    memcpy(head, value.text, sizeof head);
    return head[0] == key && head[1] == sum_of(value.text + sizeof head, value.size - sizeof head);
}

static enum varve_status
check_value(void *context, size_t i, struct varve__cache_text value)
{
    struct worker *worker = context;
    worker->taken++;
    if (!is_whole(value, (unsigned)i))
        worker->problem = "a value that was got is not whole";
    return VARVE_OK;
}

static enum varve_status
check_row(void *context, struct varve__cache_text key, struct varve__cache_text value)
{
    struct worker *worker = context;
    unsigned number = 0;
    worker->taken++;
    for (size_t i = key.size - 2; i < key.size; i++)
        number = number * 10 + (unsigned)(key.text[i] - '0');
    if (!is_whole(value, number))
        worker->problem = "a value of the order is not whole";
    return VARVE_OK;
}

static enum varve_status
put_some(struct worker *worker, struct varve__watch *watch)
{
    static const int64_t lives[] = {VARVE__TTL_NONE, 20, 60000};
    char bytes[3][2100];
    struct varve__cache_item items[3];
    size_t count = 1 + next(worker) % 3, done;
    for (size_t i = 0; i < count; i++) {
        unsigned key = next(worker) % KEYS;
        items[i] = (struct varve__cache_item){
            .key = {worker->keys[key], strlen(worker->keys[key])},
            .value = {bytes[i], fill(worker, key, bytes[i])},
            .ttl_ms = lives[next(worker) % 3],
            .time = next(worker) % 50,
        };
    }
    return worker->cache->engine->put(
        worker->cache, watch, &contract_spaces[TIMED], items, count, NULL, NULL, &done);
}

static enum varve_status
get_all(struct worker *worker, struct varve__watch *watch)
{
    struct varve__cache_text keys[KEYS];
    for (size_t i = 0; i < KEYS; i++)
        keys[i] = (struct varve__cache_text){worker->keys[i], strlen(worker->keys[i])};
    return worker->cache->engine->get(
        worker->cache, watch, &contract_spaces[TIMED], keys, KEYS, VARVE__TTL_KEEP, check_value,
        worker);
}

static enum varve_status
read_order(struct worker *worker, struct varve__watch *watch)
{
    struct varve__cache_place place = {0};
    enum varve_status status = VARVE_OK;
    while (status == VARVE_OK && !place.done)
        status = worker->cache->engine->recent(
            worker->cache, watch, &contract_spaces[TIMED], 0, 7, VARVE__TTL_KEEP, &place, check_row,
            worker);
    return status;
}

static enum varve_status
call_once(struct worker *worker)
{
    const struct varve__cache_engine *engine = worker->cache->engine;
    struct varve__watch watch = {0};
    const char *name = worker->keys[next(worker) % KEYS];
    struct varve__cache_text key = {name, strlen(name)};
    struct varve_cache_health health;
    bool found;
    switch (next(worker) % 16) {
    case 0:
        return read_order(worker, &watch);
    case 1:
        return engine->remove(worker->cache, &watch, &contract_spaces[TIMED], key, &found);
    case 2:
        return engine->touch(worker->cache, &watch, &contract_spaces[TIMED], key, 60000, &found);
    case 3:
        return engine->health(worker->cache, &watch, &health);
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
        return put_some(worker, &watch);
    default:
        return get_all(worker, &watch);
    }
}

static void *
work(void *context)
{
    struct worker *worker = context;
    for (unsigned i = 0; i < KEYS; i++)
        snprintf(worker->keys[i], 40, "%sname%02u", contract_spaces[TIMED].prefix.text, i);
    for (int i = 0; i < CALLS && !worker->problem; i++) {
        if (call_once(worker) != VARVE_OK)
            worker->problem = "a call failed";
    }
    return NULL;
}

void
eight_threads_never_see_a_value_in_pieces(void **state)
{
    struct contract *contract = *state;
    static struct worker workers[THREADS];
    pthread_t threads[THREADS];
    size_t taken = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.cache = contract->cache, .number = i, .random = i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        if (workers[i].problem)
            fail_msg("thread %zu: %s", i, workers[i].problem);
        taken += workers[i].taken;
    }
    assert_true(taken > CALLS);
}
