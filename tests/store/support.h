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

/* Inserts a sample of this name and gives its id. */
int64_t
insert_named(struct varve_session *session, const char *name);

int64_t
count_samples(struct varve_session *session);

/* One more session on the fixture's store, to be closed by the test. */
struct varve_session *
second_session(const struct fixture *fixture);

/* Opens the fixture's folder anew with this configuration. */
void
open_with(struct fixture *fixture, struct varve_config config);

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
