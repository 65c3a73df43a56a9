/* A Redis engine on a server of the test's own, and what its log says. */
#ifndef VARVE_TESTS_CACHE_REDIS_SUPPORT_H
#define VARVE_TESTS_CACHE_REDIS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "cache/redis.h"
#include "server.h"

enum {
    LOG_SIZE = 16384
};

struct redis_fixture {
    struct test_server *server;
    struct varve__redis_options options;
    struct varve__cache *cache; /* NULL until open_engine() */
    struct varve__watch watch;
    pthread_mutex_t log_lock;
    char log[LOG_SIZE]; /* a line per event */
};

/* Of package "lab": values, values with an order by time, hot copies. */
extern const struct varve__space plain_space, ordered_space, copied_space;
extern const struct varve__spaces all_spaces;

/* A server without arguments and default options; no engine. */
int
set_up_redis(void **state);

int
tear_down_redis(void **state);

/* Starts the server anew with these arguments. */
void
use_server(struct redis_fixture *fixture, const char *const *arguments);

/* Opens the engine with fixture->options. */
struct varve__cache *
open_engine(struct redis_fixture *fixture);

/* One value, its key behind the space's prefix. */
enum varve_status
put_text(
    struct redis_fixture *fixture,
    const struct varve__space *space,
    const char *key,
    const char *value,
    int64_t time);

/* The value into `value`; VARVE_NOT_FOUND when there is none. */
enum varve_status
get_text(
    struct redis_fixture *fixture,
    const struct varve__space *space,
    const char *key,
    char value[256]);

void
expect_text(
    struct redis_fixture *fixture,
    const struct varve__space *space,
    const char *key,
    const char *value);

/* Puts until one does well; fails the test after ten seconds. */
void
expect_recovery(struct redis_fixture *fixture);

/* The thread's last failure has this status and this in its text. */
void
expect_failure(enum varve_status status, const char *part);

/* How often the text is in the log. */
size_t
count_in_log(struct redis_fixture *fixture, const char *text);

struct varve_cache_health
health_of(struct redis_fixture *fixture);

int64_t
milliseconds_since(int64_t begin);

void
sleep_ms(int64_t duration_ms);

#define REDIS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_redis, tear_down_redis)

#endif
