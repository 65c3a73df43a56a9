/* A store of moved.proto, and another program, played by a connection of SQLite's own, that migrates it. */
#ifndef VARVE_TESTS_STORE_MOVED_SUPPORT_H
#define VARVE_TESTS_STORE_MOVED_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "moved.varve.h"

enum {
    MOVED_ITEMS = 60, /* at first: ids from 1 on, with "code 1", "title 1", .. and a part each */
    MOVED_KNOWN = 3,  /* steps that the program may know */
    MOVED_SESSIONS = 32,
};

/* The program's schema with this many migrations, of which the first makes the tables. */
struct moved_program {
    struct varve_migration migrations[MOVED_KNOWN];
    struct varve_schema schema;
};

void
moved_program_init(struct moved_program *program, size_t migrations);

struct moved {
    char folder[64];
    struct moved_program program;
    struct varve_store *store;
    struct varve_session *session;
    sqlite3 *other;
    int64_t steps;                                /* applied by now */
    struct varve_session *others[MOVED_SESSIONS]; /* of moved_session(), that are open */
};

/* A step of the other program's. */
struct moved_step {
    const char *name; /* without its number */
    bool reads_ok;
    bool writes_ok;
    const char *sql;
    const char *lock; /* a line that the lock gains, or NULL */
};

/* even and odd change names, and so do code and title. */
extern const struct moved_step moved_swap;
extern const struct moved_step moved_rename;
extern const struct moved_step
    moved_reads;                          /* a JSON copy, as it were: programs of before may read */
extern const struct moved_step moved_add; /* columns, for programs that go on as they are */
extern const struct moved_step moved_nothing; /* that goes on as well */
extern const struct moved_step moved_reads_nothing;

int
moved_set_up(void **state);

/* The same for a program that knows so many steps. */
int
moved_set_up_known(void **state, size_t steps);

/* The same for a program whose schema has no migrations. */
int
moved_set_up_without(void **state);

int
moved_tear_down(void **state);

/* Executes SQL as the other program. */
void
moved_execute(struct moved *moved, const char *sql);

/* The number that a query of the other program gives. */
int64_t
moved_query(struct moved *moved, const char *sql);

/* Applies the step as a migration does, in one transaction. */
void
moved_migrate(struct moved *moved, const struct moved_step *step);

/* All rows as text, to be released with free(). */
char *
moved_dump(struct moved *moved);

/* How many values stand in a column that is not theirs. */
int64_t
moved_count_misplaced(struct moved *moved);

/* One more session, and its end; what a test that fails leaves open ends with the fixture. */
struct varve_session *
moved_session(struct moved *moved);

void
moved_session_end(struct moved *moved, struct varve_session *session);

/* The call must have succeeded; the failure is the session's. */
void
moved_expect(struct varve_session *session, enum varve_status expected, enum varve_status status);

/* A new item with values of its own. Its texts are static, for one item. */
struct moved_item
moved_new_item(void);

/* Whether each value stands in the field that it is of. */
bool
moved_item_is_right(const struct moved_item *item);

#define MOVED_TEST(name) cmocka_unit_test_setup_teardown(name, moved_set_up, moved_tear_down)

#endif
