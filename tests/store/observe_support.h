/* A store that tells a test what its log is told. */
#ifndef VARVE_TESTS_STORE_OBSERVE_SUPPORT_H
#define VARVE_TESTS_STORE_OBSERVE_SUPPORT_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shop.varve.h"
#include <varve/health.h>

enum {
    LINES_MOST = 64,
    LINE_SIZE = 512
};

/* Warnings alone; from any thread. */
struct heard {
    pthread_mutex_t lock;
    size_t count;
    enum varve_tier tiers[LINES_MOST];
    char lines[LINES_MOST][LINE_SIZE];
};

struct watched {
    char folder[64];
    struct varve_store *store;
    struct varve_session *session;
    struct heard heard;
};

int
watched_set_up(void **state);

int
watched_tear_down(void **state);

/* Closes the store and opens it again, with the test's folder and log; what was heard is forgotten. */
void
watched_open(struct watched *watched, struct varve_config config);

void
watched_forget(struct watched *watched);

/* Fails the test unless the status is VARVE_OK. */
void
must(const struct watched *watched, enum varve_status status);

/* The report; its lists are released already. */
struct varve_health_report
health_of(const struct watched *watched);

/* How many lines begin so and have the part. */
size_t
count_lines(const struct watched *watched, const char *beginning, const char *part);

/* Fails the test unless there is just one such line, which it gives. */
const char *
one_line(const struct watched *watched, const char *beginning, const char *part);

int64_t
add_maker(const struct watched *watched, const char *name, int32_t founded);

/* A scan of 2 by 3 elements. */
int64_t
add_scan(const struct watched *watched, const char *name);

/* Lets 20 ms go by: more than a tick of the coarse clock. */
void
wait_a_moment(void);

#define WATCHED_TEST(name) cmocka_unit_test_setup_teardown(name, watched_set_up, watched_tear_down)

#endif
