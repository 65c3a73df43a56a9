/* Schemas made at run time, of migrations alone, and a folder for their store. */
#ifndef VARVE_TESTS_STORE_MIGRATE_SUPPORT_H
#define VARVE_TESTS_STORE_MIGRATE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>

#include <varve/varve.h>

enum {
    TRIAL_STEPS = 8
};

/* A migration: its SQL is one text, of lines. */
struct trial_step {
    const char *name;
    const char *sql;
    bool reads_ok;
    bool writes_ok;
};

/* A schema whose tables only its migrations know. */
struct trial_schema {
    struct varve_schema schema;
    struct varve_migration migrations[TRIAL_STEPS];
    const char *texts[TRIAL_STEPS];
    char checksums[TRIAL_STEPS][65];
};

struct trial {
    char folder[64];
};

#define TRIAL_TEST(name) cmocka_unit_test_setup_teardown(name, trial_set_up, trial_tear_down)

int
trial_set_up(void **state);

/* Removes the folder with all that is in it. */
int
trial_tear_down(void **state);

/* The package "zoo" with the first `count` of these steps. */
void
trial_make(struct trial_schema *made, const struct trial_step *steps, size_t count);

/* Puts migrations into a schema that was generated. */
void
trial_attach(
    struct trial_schema *made,
    const struct varve_schema *schema,
    const struct trial_step *steps,
    size_t count);

/* Opens the trial's folder, which must succeed, and closes it. */
void
trial_open(const struct trial *trial, const struct varve_schema *schema);

/* Opening must fail so, and say these words. */
void
trial_refuse(
    const struct trial *trial,
    const struct varve_schema *schema,
    struct varve_config config,
    enum varve_status status,
    const char *words);

/* Runs SQL on the folder's database behind varve's back. */
void
trial_execute(const struct trial *trial, const char *sql);

/* The first value that a query on a file of the folder gives, as text; "NULL" for NULL, "" for no row. In
 * memory that the next call uses again. */
const char *
trial_query_file(const struct trial *trial, const char *file, const char *sql);

/* The same of varve.db. */
const char *
trial_query(const struct trial *trial, const char *sql);

#endif
