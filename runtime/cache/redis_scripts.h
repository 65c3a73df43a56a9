/* Scripts: what must be done in one step and takes more than one command. See redis_scripts.c for what the
 * order by time is made of. */
#ifndef VARVE_CACHE_REDIS_SCRIPTS_H
#define VARVE_CACHE_REDIS_SCRIPTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "cache/redis_connection.h"

enum varve__redis_script {
    /* keys: index, times, values; arguments: value, life and time of each, how many of these are put (the
     * first; the others have empty arguments), entries to check. How many were put */
    VARVE__SCRIPT_PUT,
    VARVE__SCRIPT_TOUCH, /* keys: value, index, times; argument: life. 1: found */
    VARVE__SCRIPT_LIVE,  /* keys: index, times; argument: life that some of its values were given */
    VARVE__SCRIPT_REMOVE, /* keys: value, index, times. 1: found */
    VARVE__SCRIPT_SWEEP,  /* keys: index, times; arguments: members. How many were removed */
    VARVE__SCRIPT_FILL,   /* keys: copy, lease; arguments: value, life, token */
    VARVE__SCRIPT_COUNT,
    VARVE__SCRIPT_NONE = VARVE__SCRIPT_COUNT
};

enum {
    VARVE__SCRIPT_HASH_SIZE = 40, /* of a SHA-1 in hexadecimal digits */
    VARVE__REDIS_TIME_SIZE = 16   /* bytes of a time in the order: see redis_scripts.c */
};

#define VARVE__REDIS_INDEX_ENDING "%index"
#define VARVE__REDIS_TIMES_ENDING "%times" /* behind the key of the index */

/* What the server calls each script, once it was loaded. */
struct varve__redis_scripts {
    pthread_mutex_t lock; /* of writing a hash */
    struct {
        atomic_bool known;
        char hash[VARVE__SCRIPT_HASH_SIZE];
    } scripts[VARVE__SCRIPT_COUNT];
};

void
varve__redis_scripts_init(struct varve__redis_scripts *scripts);

void
varve__redis_scripts_destroy(struct varve__redis_scripts *scripts);

/* Whether the script was loaded by this engine; the server may have lost it since. */
bool
varve__redis_script_known(struct varve__redis_scripts *scripts, enum varve__redis_script script);

/* Begins a command that loads the script; its reply is for the second. */
void
varve__redis_script_load(
    struct varve__redis_connection *connection, enum varve__redis_script script);
void
varve__redis_script_loaded(
    struct varve__redis_scripts *scripts,
    enum varve__redis_script script,
    const struct varve__redis_piece *piece);

/* Begins a command that runs the script, whose keys and arguments follow, the keys first. */
void
varve__redis_script_run(
    struct varve__redis_connection *connection,
    const struct varve__redis_scripts *scripts,
    enum varve__redis_script script,
    size_t keys,
    size_t arguments);

/* The keys of a space's order, as arguments. */
void
varve__redis_write_order(
    struct varve__redis_connection *connection, struct varve__cache_text index);

/* A time as it stands in members of the order, and back again. */
void
varve__redis_time_write(char text[VARVE__REDIS_TIME_SIZE], int64_t time);

int64_t
varve__redis_time_read(const char text[VARVE__REDIS_TIME_SIZE]);

#endif
