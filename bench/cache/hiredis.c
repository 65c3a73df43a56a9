/* The side of bench_cache that uses hiredis as it is. */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache/sides.h"

enum {
    KEY_SIZE = 32
};

struct plain {
    redisContext *context;
    uint8_t *values; /* of PIPELINE, packed */
    size_t size;
};

static void *
open_worker(void *side, size_t thread, size_t size)
{
    struct plain *plain = calloc(1, sizeof *plain);
    if (!plain)
        bench_fail("out of memory");
    plain->size = size;
    plain->values = malloc(PIPELINE * size);
    for (size_t i = 0; i < PIPELINE; i++)
        fill_payload(plain->values + i * size, size, key_number(thread, i));
    plain->context = redisConnectUnix(side);
    if (!plain->context || plain->context->err)
        bench_fail("hiredis: cannot connect");
    return plain;
}

static void
close_worker(void *state)
{
    struct plain *plain = state;
    redisFree(plain->context);
    free(plain->values);
    free(plain);
}

static int
make_set(
    const struct plain *plain,
    const struct worker *worker,
    size_t at,
    char key[KEY_SIZE],
    const char *words[5],
    size_t sizes[5])
{
    words[0] = "SET", sizes[0] = 3;
    words[1] = key;
    sizes[1] =
        (size_t)snprintf(key, KEY_SIZE, "plain:%lld", (long long)key_number(worker->number, at));
    words[2] = (const char *)plain->values + at % PIPELINE * plain->size, sizes[2] = plain->size;
    words[3] = "EX", sizes[3] = 2;
    words[4] = "3600", sizes[4] = 4;
    return 5;
}

static int
make_get(
    const struct worker *worker,
    size_t at,
    char key[KEY_SIZE],
    const char *words[5],
    size_t sizes[5])
{
    words[0] = "GET", sizes[0] = 3;
    words[1] = key;
    sizes[1] =
        (size_t)snprintf(key, KEY_SIZE, "plain:%lld", (long long)key_number(worker->number, at));
    return 2;
}

static void
check(const struct plain *plain, redisReply *reply, bool get)
{
    bool good = reply && (get ? reply->type == REDIS_REPLY_STRING && reply->len == plain->size
                              : reply->type == REDIS_REPLY_STATUS);
    if (!good)
        bench_fail("hiredis: a reply is missing, or another");
    freeReplyObject(reply);
}

static void
one(struct plain *plain, const struct worker *worker, size_t at, bool get)
{
    char key[KEY_SIZE];
    const char *words[5];
    size_t sizes[5];
    int count = get ? make_get(worker, at, key, words, sizes)
                    : make_set(plain, worker, at, key, words, sizes);
    check(plain, redisCommandArgv(plain->context, count, words, sizes), get);
}

static void
many(struct plain *plain, const struct worker *worker, size_t at, bool get)
{
    void *reply;
    char key[KEY_SIZE];
    const char *words[5];
    size_t sizes[5];
    for (size_t i = 0; i < PIPELINE; i++) {
        int count = get ? make_get(worker, at * PIPELINE + i, key, words, sizes)
                        : make_set(plain, worker, at * PIPELINE + i, key, words, sizes);
        redisAppendCommandArgv(plain->context, count, words, sizes);
    }
    for (size_t i = 0; i < PIPELINE; i++) {
        if (redisGetReply(plain->context, &reply) != REDIS_OK)
            bench_fail("hiredis: %s", plain->context->errstr);
        check(plain, reply, get);
    }
}

static void
run(const struct worker *worker)
{
    bool get = worker->work == WORK_GET || worker->work == WORK_GET_MANY;
    bool is_many = worker->work == WORK_PUT_MANY || worker->work == WORK_GET_MANY;
    for (size_t i = 0; i < worker->operations; i++)
        (is_many ? many : one)(worker->state, worker, i, get);
}

void
hiredis_open(struct cache_side *side, const char *socket)
{
    *side =
        (struct cache_side){"hiredis", open_worker, close_worker, run, (void *)(uintptr_t)socket};
}
