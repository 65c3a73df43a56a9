/* A test's side of a connection to Redis: some commands, and the replies as text. */
#ifndef VARVE_TESTS_CACHE_DIALOGUE_H
#define VARVE_TESTS_CACHE_DIALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/watch.h"
#include "cache/redis_connection.h"

struct dialogue {
    struct varve__redis_options options;
    struct varve__watch watch;
    struct varve__redis_connection *connection;

    /* The commands of the next exchange: one in words, or `count` times SET (or GET, without a size) of
     * key:0, key:1 .. with a value of `value_size` bytes, in portions of `portion`. */
    const char *words;
    size_t count, value_size, portion;
    enum varve_status feed_status; /* of the second portion */
    enum varve_status take_status; /* of the piece take_fails_at */
    size_t take_fails_at;          /* counted from 1; 0: none does */

    size_t written;     /* commands */
    size_t pieces;      /* that were taken */
    size_t right;       /* of these, as they should be */
    char replies[4096]; /* "+OK ", "$foo ", ":1 ", "_ ", "*2 ", as far as there is room */
};

/* Ready to connect to this socket, with timeouts of 2 s. */
void
dialogue_begin(struct dialogue *dialogue, const char *socket);
enum varve_status
dialogue_connect(struct dialogue *dialogue);
void
dialogue_end(struct dialogue *dialogue);

/* Exchanges one command in words, whose replies are then in `replies`. */
enum varve_status
dialogue_say(struct dialogue *dialogue, const char *words);

/* Exchanges what the members above say. */
enum varve_status
dialogue_exchange(struct dialogue *dialogue);

/* Asserts that the thread's last failure has these words. */
void
assert_says(const char *words);

#endif
