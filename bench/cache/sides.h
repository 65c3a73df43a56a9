/* The sides of bench_cache: each puts and gets values of one size under the same numbers, with keys of its
 * own, from one thread or several. */
#ifndef BENCH_CACHE_SIDES_H
#define BENCH_CACHE_SIDES_H

#include <stddef.h>
#include <stdint.h>

#include "common/bench.h"

enum {
    THREADS_MOST = 4,
    KEYS = 4096,      /* of each thread, gone through in a scattered order */
    PIPELINE = 256,   /* of a put_many and its like */
    STORED_FOR = 3600 /* seconds */
};

enum cache_work {
    WORK_PUT,
    WORK_GET,
    WORK_PUT_MANY, /* an operation is PIPELINE values */
    WORK_GET_MANY,
    WORK_PUT_DATED, /* in an order by time: varve alone has it */
    WORK_COUNT_OF,
};

/* One thread's part of a side. */
struct worker {
    void *state; /* the side's own */
    size_t number;
    size_t size; /* of a value, packed */
    enum cache_work work;
    size_t operations;
};

struct cache_side {
    const char *name;
    void *(*open)(void *side, size_t thread, size_t size); /* state of one thread */
    void (*close)(void *state);
    void (*run)(const struct worker *worker);
    void *context;
};

/* Number `i` of a thread's scattered order. */
static inline int64_t
key_number(size_t thread, size_t i)
{
    return (int64_t)(thread * KEYS + i * 2654435761u % KEYS);
}

/* `size` bytes that do not compress, the same for the same number. */
void
fill_payload(uint8_t *bytes, size_t size, int64_t number);

/* Bytes of payload that make a packed Value of this size. */
size_t
payload_size(size_t packed);

/* varve on this socket; NULL: on the embedded cache. */
void
ours_open(struct cache_side *side, const char *socket, const char *folder);
void
ours_close(struct cache_side *side);

/* hiredis as its documentation has it: a context each thread, redisCommandArgv, and for the works that are many
 * redisAppendCommandArgv and redisGetReply. Values are packed before anything is measured. */
void
hiredis_open(struct cache_side *side, const char *socket);

#endif
