/* Tables for the tests of rows and feeds, in a database in memory: the records of fixture.h with the
 * flags of table columns. Columns have no SQL type, so that a test can put anything into them. */
#ifndef VARVE_TESTS_TABLE_FIXTURE_H
#define VARVE_TESTS_TABLE_FIXTURE_H

#include "support.h"

#include <sqlite3.h>

#include "base/arena.h"
#include "table/plan.h"

/* A test with empty tables. */
#define TEST(name) cmocka_unit_test_setup_teardown(name, tables_begin, tables_end)

/* A lab.Sample without `blobs`, which no table may have: id is a generated key, shift the version;
 * root and nodes have a JSON copy. */
extern struct varve_record sample_table;

/* A lab.Trace with the key (title, length), and the tensor samples [length]. */
extern struct varve_record trace_table;

/* The same tensor, optional. */
extern struct varve_record optional_trace_table;

extern struct tables {
    sqlite3 *database;
    struct varve__plans *plans;
    struct varve__arena *arena;
} tables;

int
tables_begin(void **state);

int
tables_end(void **state);

const struct varve__plan *
plan_of(const struct varve_record *record);

/* The text that varve__feed_register() has no part in: "INSERT INTO .. (columns) <tail>". Release it with
 * sqlite3_free(). */
char *
insert_sql(const struct varve__plan *plan, const char *tail);

void
execute(const char *sql);

sqlite3_stmt *
prepare(const char *sql);

/* INSERT with a parameter for each column, SELECT of all as for a get (with a 1 for each optional
 * tensor) and as for a find: finalized with the tables. */
sqlite3_stmt *
insert_statement(const struct varve__plan *plan);

sqlite3_stmt *
get_statement(const struct varve__plan *plan);

sqlite3_stmt *
find_statement(const struct varve__plan *plan);

/* Stores a record that must be fit for it. */
void
store(const struct varve__plan *plan, const void *record);

/* Reads the only record of the table, which must be well. Release it with varve_record_free(). */
void *
load(const struct varve__plan *plan);

/* Like full_sample(), with blobs and weights as they come back: left out, not loaded. */
struct lab_sample
stored_sample(void);

/* The integer that this query gives. */
int64_t
query(const char *sql);

#endif
