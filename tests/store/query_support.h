/* A store of the queries schema in memory for each test, and what the tests of typed queries share. */
#ifndef VARVE_TESTS_STORE_QUERY_SUPPORT_H
#define VARVE_TESTS_STORE_QUERY_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ask.varve.h"

struct asked {
    struct varve_store *store;
    struct varve_session *session;
};

int
asked_set_up(void **state);

int
asked_tear_down(void **state);

/* Opens a store of this configuration in place of the test's. */
void
asked_open_with(struct asked *asked, struct varve_config config);

/* Fails the test with the session's error text unless the status is VARVE_OK. */
void
expect_ok(struct varve_session *session, enum varve_status status);

/* Fails the test unless the session's last failure says so. */
void
expect_error(struct varve_session *session, const char *part);

/* A box of this label; returns its id. */
int64_t
add_box(struct varve_session *session, const char *label, double weight);

/* An item that has no value but these; returns its id. */
int64_t
add_item(struct varve_session *session, int64_t box, const char *text);

/* How many boxes there are. */
int64_t
count_boxes(struct varve_session *session);

#define TEST(name) cmocka_unit_test_setup_teardown(name, asked_set_up, asked_tear_down)

#endif
