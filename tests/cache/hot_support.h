/* A folder and a redis-server for each test of hot copies. */
#ifndef VARVE_TESTS_CACHE_HOT_SUPPORT_H
#define VARVE_TESTS_CACHE_HOT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hot.varve.h"
#include "server.h"

struct hot {
    char folder[64];
    struct test_server *server;
    struct varve_store *store; /* with the server */
    struct varve_session *session;
    struct varve_store *other; /* a second program, as it were */
    struct varve_session *other_session;
};

int
hot_set_up(void **state);

int
hot_tear_down(void **state);

/* Opens the folder as another program would: with the server, or without one. */
void
hot_open_other(struct hot *hot, bool server);

/* Closes the store and opens it again. */
void
hot_reopen(struct hot *hot);

void
hot_expect(
    const struct varve_session *session, enum varve_status expected, enum varve_status status);

/* Executes SQL behind varve's back. */
void
hot_execute(const struct hot *hot, const char *sql);

/* The first value of the first row, valid until the next call; "" when there is none. */
const char *
hot_query(const struct hot *hot, const char *sql);

/* The keys that wait, in their order. */
const char *
hot_waiting(const struct hot *hot);

int64_t
hot_epoch(const struct hot *hot);

/* An item of this value, with an owner unless that is 0. Returns its id. */
int64_t
hot_insert_item(const struct hot *hot, int64_t value, int64_t owner);

/* The value of the item as this session gets it by way of the cache; -1: not found. */
int64_t
hot_value(struct varve_session *session, int64_t id);

/* Gets that a copy answered. */
int64_t
hot_hits(const struct hot *hot);

#define HOT_TEST(name) cmocka_unit_test_setup_teardown(name, hot_set_up, hot_tear_down)

#endif
