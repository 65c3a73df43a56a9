/* Arrays of records as a table: INSERT .. SELECT takes them all, and tells which one it cannot take. */
#include "table_fixture.h"

#include <math.h>
#include <string.h>

#include <varve/record.h>

#include "base/error.h"
#include "table/feed.h"
#include "table/row.h"

static sqlite3_stmt *
feed_statement(const struct varve__plan *plan)
{
    assert_int_equal(varve__feed_register(tables.database, plan), VARVE_OK);
    char *tail = sqlite3_mprintf("SELECT * FROM \"varve_feed_%d\"(?1)", (int)plan->index);
    char *sql = insert_sql(plan, tail);
    sqlite3_stmt *statement = prepare(sql);
    sqlite3_free(sql);
    sqlite3_free(tail);
    return statement;
}

static int
run(sqlite3_stmt *statement, struct varve__feed *feed)
{
    assert_int_equal(sqlite3_bind_pointer(statement, 1, feed, VARVE__FEED_TYPE, NULL), SQLITE_OK);
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code;
}

static int
insert_many(const struct varve__plan *plan, struct varve__feed *feed)
{
    sqlite3_stmt *statement = feed_statement(plan);
    feed->arena = tables.arena;
    int code = run(statement, feed);
    sqlite3_finalize(statement);
    return code;
}

/* -------------------------------------------------------------------- what arrives */

/* One by one and through the feed, records make the same rows. */
static void
a_feed_gives_what_bindings_give(void **state)
{
    (void)state;
    const struct varve__plan *plan = plan_of(&sample_table);
    uint8_t bytes[] = {7};
    ProtobufCMessageUnknownField unknown = {
        .tag = 900, .wire_type = PROTOBUF_C_WIRE_TYPE_VARINT, .len = 1, .data = bytes};
    double weights[6] = {0};
    struct lab_sample samples[] = {LAB_SAMPLE_INIT, stored_sample(), LAB_SAMPLE_INIT};
    samples[0].id = 1;
    samples[0].shift = 1;
    samples[1].shift = 1; /* a version: that of a new record */
    samples[1].weights.data = weights;
    samples[1].base.n_unknown_fields = 1;
    samples[1].base.unknown_fields = &unknown;
    samples[2].id = 3;
    samples[2].shift = 1;
    samples[2].choice_case = LAB_SAMPLE_CHOICE_NODE;
    samples[2].node = node_chain(3);
    for (size_t i = 0; i < 3; i++)
        store(plan, &samples[i]);
    execute("CREATE TABLE bound AS SELECT * FROM sample; DELETE FROM sample");
    for (size_t i = 0; i < 3; i++)
        samples[i].shift = 77; /* the feed gives 1 whatever it is */
    struct varve__feed feed = {.records = samples, .count = 3};
    assert_int_equal(insert_many(plan, &feed), SQLITE_DONE);
    assert_int_equal(feed.status, VARVE_OK);
    assert_int_equal(query("SELECT count(*) FROM sample"), 3);
    assert_int_equal(
        query("SELECT count(*) FROM (SELECT * FROM bound EXCEPT SELECT * FROM sample)"), 0);
    assert_int_equal(query("SELECT count(*) FROM sample WHERE varve_unknown IS NOT NULL"), 1);
    assert_int_equal(
        query("SELECT count(*) FROM sample WHERE json_extract(root_json, '$.value') = 1"), 1);
}

static void
keys_of_zero_are_assigned_by_the_database(void **state)
{
    (void)state;
    struct lab_sample samples[3] = {LAB_SAMPLE_INIT, LAB_SAMPLE_INIT, LAB_SAMPLE_INIT};
    samples[1].id = 40;
    struct varve__feed feed = {.records = samples, .count = 3};
    assert_int_equal(insert_many(plan_of(&sample_table), &feed), SQLITE_DONE);
    assert_int_equal(query("SELECT count(*) FROM sample WHERE id IN (1, 40, 41)"), 3);
    assert_int_equal(samples[0].id, 0);
}

static void
given_ids_stand_for_the_records_own(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b"};
    const int64_t ids[] = {7, -8};
    struct lab_sample samples[2] = {LAB_SAMPLE_INIT, LAB_SAMPLE_INIT};
    samples[0].id = 99;
    for (size_t i = 0; i < 2; i++)
        samples[i].name = names[i];
    struct varve__feed feed = {.records = samples, .count = 2, .ids = ids};
    assert_int_equal(insert_many(plan_of(&sample_table), &feed), SQLITE_DONE);
    assert_int_equal(query("SELECT id FROM sample WHERE name = 'a'"), 7);
    assert_int_equal(query("SELECT id FROM sample WHERE name = 'b'"), -8);
}

static void
an_empty_feed_gives_nothing(void **state)
{
    (void)state;
    struct varve__feed feed = {.records = NULL, .count = 0};
    assert_int_equal(insert_many(plan_of(&sample_table), &feed), SQLITE_DONE);
    assert_int_equal(feed.status, VARVE_OK);
    assert_int_equal(query("SELECT count(*) FROM sample"), 0);
}

static void
a_statement_takes_one_feed_after_the_other(void **state)
{
    (void)state;
    struct lab_trace traces[2] = {LAB_TRACE_INIT, LAB_TRACE_INIT};
    const struct varve__plan *plan = plan_of(&trace_table);
    sqlite3_stmt *statement = feed_statement(plan);
    for (size_t round = 0; round < 3; round++) {
        struct varve__feed feed = {.records = traces, .count = 2, .arena = tables.arena};
        assert_int_equal(run(statement, &feed), SQLITE_DONE);
    }
    sqlite3_finalize(statement);
    assert_int_equal(query("SELECT count(*) FROM trace"), 6);
}

/* JSON and wire bytes of a thousand records take the memory of one. */
static void
the_arena_serves_one_record_after_the_other(void **state)
{
    (void)state;
    static struct lab_sample samples[1000];
    for (size_t i = 0; i < 1000; i++) {
        samples[i] = stored_sample();
        samples[i].id = 0;
        samples[i].weights.count = 0;
        samples[i].rows = 0;
    }
    sqlite3_stmt *statement = feed_statement(plan_of(&sample_table));
    count_allocations(0);
    struct varve__feed feed = {.records = samples, .count = 1000, .arena = varve__arena_create(16)};
    assert_int_equal(run(statement, &feed), SQLITE_DONE);
    varve__arena_release(feed.arena);
    assert_in_range(stop_counting(), 1, 6);
    sqlite3_finalize(statement);
    assert_int_equal(query("SELECT count(*) FROM sample"), 1000);
}

/* -------------------------------------------------------------------- what does not */

/* Inserts five samples, the fourth of which is this one: it is told, and nothing is left of the
 * others, in a transaction that goes on. */
static void
expect_refused(
    const struct lab_sample *bad,
    enum varve_status status,
    enum varve_failure_kind kind,
    const char *sentence)
{
    const struct varve__plan *plan = plan_of(&sample_table);
    struct lab_sample samples[5];
    for (size_t i = 0; i < 5; i++)
        samples[i] = i == 3 ? *bad : (struct lab_sample)LAB_SAMPLE_INIT;
    execute("DELETE FROM sample; BEGIN");
    struct lab_sample before = LAB_SAMPLE_INIT;
    store(plan, &before);
    struct varve__feed feed = {.records = samples, .count = 5};
    assert_int_equal(insert_many(plan, &feed), SQLITE_ABORT);
    assert_int_equal(feed.status, status);
    assert_int_equal(feed.index, 3);
    assert_failure(kind, sentence);
    assert_int_equal(query("SELECT count(*) FROM sample"), 1);
    execute("COMMIT");
    assert_int_equal(query("SELECT count(*) FROM sample"), 1);
}

static void
a_record_that_breaks_a_rule_is_told(void **state)
{
    (void)state;
    struct lab_sample bad = LAB_SAMPLE_INIT;
    bad.name = "\xFF";
    expect_refused(&bad, VARVE_INVALID, VARVE_FAILURE_UTF8, "lab.Sample.name");
    bad.name = NULL;
    expect_refused(&bad, VARVE_INVALID, VARVE_FAILURE_NOT_NULL, "lab.Sample.name is NULL");
    bad = stored_sample();
    expect_refused(
        &bad, VARVE_INVALID, VARVE_FAILURE_NOT_LOADED,
        "lab.Sample.weights has 6 elements that are not loaded");
    memset(&bad, 0, sizeof bad);
    expect_refused(&bad, VARVE_MISUSE, VARVE_FAILURE_OTHER, "was not initialised");
}

static void
a_value_that_no_column_holds_is_told(void **state)
{
    (void)state;
    double nan_value = NAN;
    struct lab_sample bad = LAB_SAMPLE_INIT;
    bad.score = NAN;
    expect_refused(&bad, VARVE_INVALID, VARVE_FAILURE_NAN, "lab.Sample.score is NaN");
    bad.score = 0;
    bad.columns = UINT64_MAX;
    expect_refused(&bad, VARVE_INVALID, VARVE_FAILURE_RANGE, "lab.Sample.columns is over");
    bad.columns = 0;
    float ratios[] = {(float)nan_value};
    bad.ratios = (struct varve_floats){1, ratios};
    expect_refused(&bad, VARVE_INVALID, VARVE_FAILURE_NAN, "lab.Sample.ratios: element 0 is NaN");
}

static void
the_first_record_may_be_the_bad_one(void **state)
{
    (void)state;
    struct lab_trace traces[2] = {LAB_TRACE_INIT, LAB_TRACE_INIT};
    traces[0].title = NULL;
    struct varve__feed feed = {.records = traces, .count = 2};
    assert_int_equal(insert_many(plan_of(&trace_table), &feed), SQLITE_ABORT);
    assert_int_equal(feed.status, VARVE_INVALID);
    assert_int_equal(feed.index, 0);
    traces[0].title = "good again";
    assert_int_equal(insert_many(plan_of(&trace_table), &feed), SQLITE_DONE);
    assert_int_equal(feed.status, VARVE_OK);
}

/* What the table refuses is not the feed's failure, but its index tells the record. */
static void
a_conflict_leaves_the_index_of_its_record(void **state)
{
    (void)state;
    struct lab_sample samples[4] = {
        LAB_SAMPLE_INIT, LAB_SAMPLE_INIT, LAB_SAMPLE_INIT, LAB_SAMPLE_INIT};
    samples[0].id = 5;
    samples[2].id = 5;
    struct varve__feed feed = {.records = samples, .count = 4};
    assert_int_equal(insert_many(plan_of(&sample_table), &feed), SQLITE_CONSTRAINT);
    assert_int_equal(feed.status, VARVE_OK);
    assert_int_equal(feed.index, 2);
    assert_int_equal(query("SELECT count(*) FROM sample"), 0);
}

static void
memory_that_runs_out_is_told(void **state)
{
    (void)state;
    struct lab_sample samples[3] = {LAB_SAMPLE_INIT, LAB_SAMPLE_INIT, LAB_SAMPLE_INIT};
    samples[1].root = node_chain(90);
    struct varve__arena *small = varve__arena_create(8);
    sqlite3_stmt *statement = feed_statement(plan_of(&sample_table));
    struct varve__feed feed = {.records = samples, .count = 3, .arena = small};
    count_allocations(1);
    int code = run(statement, &feed);
    stop_counting();
    assert_int_equal(code, SQLITE_ABORT);
    assert_int_equal(feed.status, VARVE_NO_MEMORY);
    assert_int_equal(feed.index, 1);
    sqlite3_finalize(statement);
    varve__arena_release(small);
}

/* -------------------------------------------------------------------- the table itself */

static void
a_feed_is_not_read_without_its_array(void **state)
{
    (void)state;
    sqlite3_stmt *statement;
    const struct varve__plan *plan = plan_of(&trace_table);
    assert_int_equal(varve__feed_register(tables.database, plan), VARVE_OK);
    char *sql = sqlite3_mprintf("SELECT * FROM varve_feed_%d", (int)plan->index);
    assert_true(sqlite3_prepare_v2(tables.database, sql, -1, &statement, NULL) != SQLITE_OK);
    sqlite3_free(sql);
    sql = sqlite3_mprintf("SELECT * FROM varve_feed_%d(?1)", (int)plan->index);
    statement = prepare(sql);
    assert_int_equal(sqlite3_step(statement), SQLITE_MISUSE); /* NULL */
    sqlite3_reset(statement);
    assert_int_equal(sqlite3_bind_int64(statement, 1, 12345), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_MISUSE);
    sqlite3_reset(statement);
    struct varve__feed feed = {0};
    assert_int_equal(sqlite3_bind_pointer(statement, 1, &feed, "other", NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_MISUSE);
    sqlite3_finalize(statement);
    sqlite3_free(sql);
}

/* The database cannot smuggle it into a view, and nobody can make or change such a table. */
static void
a_feed_is_for_statements_of_the_program_only(void **state)
{
    (void)state;
    const struct varve__plan *plan = plan_of(&trace_table);
    sqlite3_stmt *statement;
    assert_int_equal(varve__feed_register(tables.database, plan), VARVE_OK);
    char *view =
        sqlite3_mprintf("CREATE VIEW v AS SELECT * FROM varve_feed_%d(1);", (int)plan->index);
    execute(view);
    sqlite3_free(view);
    assert_true(
        sqlite3_prepare_v2(tables.database, "SELECT * FROM v", -1, &statement, NULL) != SQLITE_OK);
    char *table = sqlite3_mprintf("CREATE VIRTUAL TABLE t USING varve_feed_%d", (int)plan->index);
    assert_true(sqlite3_exec(tables.database, table, NULL, NULL, NULL) != SQLITE_OK);
    sqlite3_free(table);
    char *change = sqlite3_mprintf("DELETE FROM varve_feed_%d", (int)plan->index);
    assert_true(sqlite3_exec(tables.database, change, NULL, NULL, NULL) != SQLITE_OK);
    sqlite3_free(change);
}

static void
rows_of_a_feed_are_numbered(void **state)
{
    (void)state;
    struct lab_trace traces[3] = {LAB_TRACE_INIT, LAB_TRACE_INIT, LAB_TRACE_INIT};
    traces[2].title = "last";
    uint8_t bytes[] = {7};
    ProtobufCMessageUnknownField unknown = {
        .tag = 900, .wire_type = PROTOBUF_C_WIRE_TYPE_VARINT, .len = 1, .data = bytes};
    traces[2].base.n_unknown_fields = 1;
    traces[2].base.unknown_fields = &unknown;
    const struct varve__plan *plan = plan_of(&trace_table);
    assert_int_equal(varve__feed_register(tables.database, plan), VARVE_OK);
    char *sql = sqlite3_mprintf(
        "SELECT rowid, argument FROM varve_feed_%d(?1) WHERE c1 = 'last'", (int)plan->index);
    sqlite3_stmt *statement = prepare(sql);
    struct varve__feed feed = {.records = traces, .count = 3, .arena = tables.arena};
    assert_int_equal(sqlite3_bind_pointer(statement, 1, &feed, VARVE__FEED_TYPE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int64(statement, 0), 2);
    assert_int_equal(sqlite3_column_type(statement, 1), SQLITE_NULL);
    assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_finalize(statement);
    sqlite3_free(sql);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_feed_gives_what_bindings_give),
        TEST(keys_of_zero_are_assigned_by_the_database),
        TEST(given_ids_stand_for_the_records_own),
        TEST(an_empty_feed_gives_nothing),
        TEST(a_statement_takes_one_feed_after_the_other),
        TEST(the_arena_serves_one_record_after_the_other),
        TEST(a_record_that_breaks_a_rule_is_told),
        TEST(a_value_that_no_column_holds_is_told),
        TEST(the_first_record_may_be_the_bad_one),
        TEST(a_conflict_leaves_the_index_of_its_record),
        TEST(memory_that_runs_out_is_told),
        TEST(a_feed_is_not_read_without_its_array),
        TEST(a_feed_is_for_statements_of_the_program_only),
        TEST(rows_of_a_feed_are_numbered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
