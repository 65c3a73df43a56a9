/* A store in a folder of its own for each test. */
#ifndef VARVE_TESTS_STORE_SUPPORT_H
#define VARVE_TESTS_STORE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab.varve.h"

struct fixture {
    char folder[64];
    struct varve_store *store;
    struct varve_session *session;
};

/* Closes the store and opens it again. */
void
reopen(struct fixture *fixture);

int
set_up(void **state);

int
tear_down(void **state);

void
expect_error(const struct varve_session *session, const char *part);

/* Executes SQL on the fixture's database behind varve's back. */
void
execute(const struct fixture *fixture, const char *sql);

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
