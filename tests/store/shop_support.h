/* A store of the shop schema in a folder of its own for each test, and what the tests of writing share. */
#ifndef VARVE_TESTS_STORE_SHOP_SUPPORT_H
#define VARVE_TESTS_STORE_SHOP_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shop.varve.h"

struct shop {
    char folder[64];
    struct varve_store *store;
    struct varve_session *session;
};

/* Closes the store, if it is open, and opens it again. */
void
shop_reopen(struct shop *shop);

void
shop_close(struct shop *shop);

int
shop_set_up(void **state);

int
shop_tear_down(void **state);

/* Fails the test with the session's error text unless the status is VARVE_OK. */
void
expect_ok(struct varve_session *session, enum varve_status status);

/* Fails the test unless the session's last failure is of this kind, names just this field (0: none) and
 * says `part`. */
void
expect_failure(
    struct varve_session *session, enum varve_failure_kind kind, uint32_t field, const char *part);

/* The first column of the first row that the query gives, through the session's own handle. */
int64_t
query_int64(struct varve_session *session, const char *sql);

/* The same as text, "NULL" for none; valid until the next call. */
const char *
query_text(struct varve_session *session, const char *sql);

/* Asserts that the database is sound: SQLite's own checks and that no reference dangles. */
void
expect_sound(struct varve_session *session);

/* Each inserts a record with a name of its own and returns its id. */
int64_t
add_maker(struct varve_session *session, const char *name);
int64_t
add_shelf(struct varve_session *session, const char *place);
int64_t
add_item(struct varve_session *session, const char *code);

/* Asserts that the store is sound, holds this many makers, and takes and gives up another. */
void
expect_working(struct varve_session *session, int64_t makers);

#define SHOP_TEST(name) cmocka_unit_test_setup_teardown(name, shop_set_up, shop_tear_down)

#endif
