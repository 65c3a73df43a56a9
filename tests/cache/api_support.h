/* A store for each test, with the embedded cache or with a redis-server of the group's own, and what the tests
 * of the public calls share. Every test runs with both:
 *
 *     int
 *     main(void)
 *     {
 *         const struct CMUnitTest tests[] = {API_TEST(test_a), API_TEST(test_b)};
 *         return API_RUN("cache", tests);
 *     }
 */
#ifndef VARVE_TESTS_CACHE_API_SUPPORT_H
#define VARVE_TESTS_CACHE_API_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "cache_lab.varve.h"
#include "server.h"

enum {
    API_LOG_SIZE = 32768
};

struct api {
    char folder[64];
    struct test_server *server; /* NULL: the cache is embedded */
    struct varve_store *store;
    struct varve_session *session;
    struct varve_session *second; /* NULL: not opened */
    int64_t passed;               /* ns that the embedded cache's clock is ahead */
    pthread_mutex_t log_lock;
    char log[API_LOG_SIZE]; /* lines, the newest last; what does not fit is left out */
};

int
api_use_embedded(void **state);

int
api_use_redis(void **state);

int
api_stop_redis(void **state);

int
api_set_up(void **state);

int
api_tear_down(void **state);

#define API_TEST(name) cmocka_unit_test_setup_teardown(name, api_set_up, api_tear_down)

#define API_RUN_EMBEDDED(name, tests)                                                              \
    cmocka_run_group_tests_name(name "_embedded", tests, api_use_embedded, NULL)
#define API_RUN_REDIS(name, tests)                                                                 \
    cmocka_run_group_tests_name(name "_redis", tests, api_use_redis, api_stop_redis)
#define API_RUN(name, tests) (API_RUN_EMBEDDED(name, tests) + API_RUN_REDIS(name, tests))

/* The configuration of the test's store, with the engine of the group. */
struct varve_config
api_config(struct api *api);

/* Closes the store, if it is open. */
void
api_close(struct api *api);

/* Closes the store and opens it with this configuration, to which folder and engine are added. */
void
api_open_with(struct api *api, struct varve_config config);

/* One more session on the store, closed with it. */
struct varve_session *
api_second_session(struct api *api);

/* Closes the first session, and takes one from the pool in its place. */
void
api_renew_session(struct api *api);

/* Lets time pass: the clock of the embedded cache is moved, for Redis the test waits. */
void
api_pass_time(struct api *api, int64_t milliseconds);

/* Kills the server, or starts it again: without what it had in memory. */
void
api_kill_server(struct api *api);
void
api_restart_server(struct api *api);

/* -------------------------------------------------------------------- expectations */

/* Fails the test with the session's error text unless the status is VARVE_OK. */
void
expect_ok(const struct varve_session *session, enum varve_status status);

/* Fails the test unless the call failed so, in the cache, and its text says `part`. */
void
expect_failure(
    const struct varve_session *session,
    enum varve_status got,
    enum varve_status wanted,
    const char *part);

/* Whether the log has a line with this text. */
bool
api_logged(struct api *api, const char *part);

/* -------------------------------------------------------------------- records */

/* Puts a value of Stored, which the schema keeps until it is deleted. */
void
put_stored(struct varve_session *session, const char *name, const char *text);

/* Asserts that the session finds this text under the name; NULL: nothing. */
void
expect_stored(struct varve_session *session, const char *name, const char *text);

/* Asserts that the cursor gives readings with these ids, then nothing more, and closes it. */
void
expect_readings(struct varve_cursor *cursor, const int64_t *ids, size_t count);

void
put_reading(struct varve_session *session, int64_t id, int64_t taken_at);

/* Inserts a person with the name "before", and gives its id. */
int64_t
add_person(struct varve_session *session);

/* Asserts that a get by way of the cache finds this name. */
void
expect_person(struct varve_session *session, int64_t id, const char *name);

/* The key under which Redis has the record's value; valid until the next call. */
const char *
redis_key(const struct varve_record *table, const void *record);

#endif
