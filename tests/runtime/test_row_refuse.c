/* Rows that somebody has changed: what no record can hold is refused, copied and borrowed alike. */
#include "table_fixture.h"

#include <varve/record.h>

#include "base/error.h"
#include "table/row.h"

/* After "UPDATE sample SET <damage>" the row is refused with this sentence, copied and borrowed. */
static void
expect_refused(
    const char *damage, uint32_t field, enum varve_failure_kind kind, const char *sentence)
{
    const struct varve__plan *plan = plan_of(&sample_table);
    struct lab_sample sample = LAB_SAMPLE_INIT;
    struct lab_sample row = LAB_SAMPLE_INIT;
    void *read;
    execute("DELETE FROM sample");
    sample.id = 1;
    store(plan, &sample);
    char *sql = sqlite3_mprintf("UPDATE sample SET %s", damage);
    execute(sql);
    sqlite3_free(sql);
    sqlite3_stmt *statement = get_statement(plan);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    if (varve__row_borrow(plan, statement, tables.arena, &row) != VARVE_TYPE)
        fail_msg("%s: borrowed", damage);
    if (varve__row_read(plan, statement, &read) != VARVE_TYPE)
        fail_msg("%s: read", damage);
    assert_null(read);
    assert_failure(kind, sentence);
    assert_int_equal(varve__thread_failure()->field_count, 1);
    assert_int_equal(varve__thread_failure()->fields[0], field);
    assert_string_equal(varve__thread_failure()->record, "lab.Sample");
    sqlite3_reset(statement);
    varve__arena_reset(tables.arena);
}

static void
a_value_of_another_type_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *damage;
        uint32_t field;
        const char *sentence;
    } cases[] = {
        {"note = x'61'", 3, "note: the column holds bytes where the schema says text"},
        {"rank = 0.5", 6, "rank: the column holds a number where the schema says an integer"},
        {"tags = x'5b5d'", 9, "tags: the column holds bytes where the schema says text"},
        {"metadata = 1", 11, "metadata: the column holds an integer where the schema says text"},
        {"root = 'a'", 12, "root: the column holds text where the schema says bytes"},
        {"number = 'a'", 13, "number: the column holds text where the schema says an integer"},
        {"nodes = '{}'", 18, "nodes: the column holds text where the schema says bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refused(cases[i].damage, cases[i].field, VARVE_FAILURE_OTHER, cases[i].sentence);
    expect_refused(
        "tags = 5", 9, VARVE_FAILURE_OTHER,
        "; the table was changed by hand: write the value again");
}

/* After "UPDATE sample SET <damage>" the row is read, copied and borrowed alike; release the copy with
 * varve_record_free(). */
static struct lab_sample *
read_damaged(const char *damage, struct lab_sample *row)
{
    const struct varve__plan *plan = plan_of(&sample_table);
    struct lab_sample sample = LAB_SAMPLE_INIT;
    void *read;
    execute("DELETE FROM sample");
    sample.id = 1;
    store(plan, &sample);
    char *sql = sqlite3_mprintf("UPDATE sample SET %s", damage);
    execute(sql);
    sqlite3_free(sql);
    sqlite3_stmt *statement = get_statement(plan);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    if (varve__row_borrow(plan, statement, tables.arena, row) != VARVE_OK ||
        varve__row_read(plan, statement, &read) != VARVE_OK)
        fail_msg("%s: %s", damage, varve__thread_error());
    assert_true(varve_record_equal(&sample_table, row, read));
    return read;
}

/* STRICT tables allow no such values: only a damaged file has them. */
static void
a_plain_value_of_another_type_is_converted(void **state)
{
    (void)state;
    struct lab_sample row = LAB_SAMPLE_INIT;
    struct lab_sample *read = read_damaged("name = 5, blob = 'ab', score = 2, shift = 3.5", &row);
    assert_string_equal(read->name, "5");
    assert_int_equal(read->blob.size, 2);
    assert_memory_equal(read->blob.data, "ab", 2);
    assert_true(read->score == 2);
    assert_int_equal(read->shift, 3);
    varve_record_free(read);
    read = read_damaged("name = x'61', blob = 12, score = 'a', ready = 'a', mode = 'RUN'", &row);
    assert_string_equal(read->name, "a");
    assert_int_equal(read->blob.size, 2);
    assert_true(read->score == 0);
    assert_int_equal(read->ready, 0);
    assert_int_equal(read->mode, 0);
    varve_record_free(read);
    read = read_damaged("blob = NULL, score = NULL, hash = NULL, ratio = x'ff', rows = ''", &row);
    assert_int_equal(read->blob.size, 0);
    assert_true(read->score == 0);
    assert_int_equal(read->hash, 0);
    assert_int_equal(read->rows, 0);
    varve_record_free(read);
}

/* What is converted is checked like any other value. */
static void
a_plain_value_that_cannot_be_converted_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *damage;
        uint32_t field;
        const char *sentence;
    } cases[] = {
        {"name = NULL", 2, "lab.Sample.name: the column holds NULL where the schema says text"},
        {"name = x'ff'", 2, "lab.Sample.name: the column holds"},
        {"mode = 1e300", 7, "mode: the column holds a number where the schema says an integer"},
        {"rows = '-1'", 17, "rows: the column holds text where the schema says an integer"},
        {"columns = -0.5e9", 28,
         "columns: the column holds a number where the schema says an inte"},
        {"ratio = '1e300'", 21, "ratio: the column holds text where the schema says a number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum varve_failure_kind kind = i == 1 ? VARVE_FAILURE_UTF8 : VARVE_FAILURE_OTHER;
        expect_refused(cases[i].damage, cases[i].field, kind, cases[i].sentence);
    }
}

static void
a_null_where_a_value_must_be_is_refused(void **state)
{
    (void)state;
    expect_refused(
        "counts = NULL", 10, VARVE_FAILURE_OTHER,
        "counts: the column holds NULL where the schema says text");
    expect_refused(
        "nodes = NULL", 18, VARVE_FAILURE_OTHER,
        "nodes: the column holds NULL where the schema says bytes");
}

static void
numbers_out_of_range_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *damage;
        uint32_t field;
        const char *sentence;
    } cases[] = {
        {"rank = 4294967297", 6, "rank: the column holds 4294967297, which int32 cannot"},
        {"number = -2147483649", 13, "number: the column holds -2147483649, which int32 cannot"},
        {"mode = 2147483648", 7, "mode: the column holds 2147483648, which an enum cannot"},
        {"rows = -1", 17, "rows: the column holds -1, which uint32 cannot"},
        {"rows = 4294967296", 17, "rows: the column holds 4294967296, which uint32 cannot"},
        {"columns = -1", 28, "columns: the column holds -1, which uint64 cannot"},
        {"ratio = 1e300", 21, "ratio: the column holds 1e+300, which float cannot"},
        {"ratio = -3.5e38", 21, "ratio: the column holds -3.5e+38, which float cannot"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refused(cases[i].damage, cases[i].field, VARVE_FAILURE_RANGE, cases[i].sentence);
}

static void
text_that_no_string_holds_is_refused(void **state)
{
    (void)state;
    expect_refused(
        "name = 'a' || char(0) || 'b'", 2, VARVE_FAILURE_UTF8,
        "lab.Sample.name: the column holds text that is no UTF-8 or holds a NUL (byte 1)");
    expect_refused(
        "note = CAST(x'6161ff' AS TEXT)", 3, VARVE_FAILURE_UTF8,
        "lab.Sample.note: the column holds text that is no UTF-8 or holds a NUL (byte 2)");
    expect_refused(
        "text = CAST(x'ed9f' AS TEXT)", 14, VARVE_FAILURE_UTF8, "UTF-8 or holds a NUL (byte 0)");
}

static void
damaged_json_and_messages_are_refused(void **state)
{
    (void)state;
    expect_refused("counts = '[1'", 10, VARVE_FAILURE_OTHER, "lab.Sample.counts: its JSON text");
    expect_refused("counts = '{}'", 10, VARVE_FAILURE_OTHER, "expected an array");
    expect_refused("metadata = '[]'", 11, VARVE_FAILURE_OTHER, "expected an object");
    expect_refused("tags = '[]' || char(0)", 9, VARVE_FAILURE_OTHER, "expected the end");
    expect_refused("tags = ''", 9, VARVE_FAILURE_OTHER, "expected an array");
    expect_refused(
        "node = x'6805'", 15, VARVE_FAILURE_OTHER, /* number = 5 */
        "lab.Sample.node: the column holds bytes without this field");
    expect_refused("root = x''", 12, VARVE_FAILURE_OTHER, "bytes without this field");
}

static void
bytes_that_are_no_message_are_refused(void **state)
{
    (void)state;
    const struct varve__plan *plan = plan_of(&sample_table);
    static const char *const damages[] = {"root = x'ffff'", "varve_unknown = x'ff'"};
    for (size_t i = 0; i < 2; i++) {
        struct lab_sample sample = LAB_SAMPLE_INIT;
        void *read;
        execute("DELETE FROM sample");
        store(plan, &sample);
        char *sql = sqlite3_mprintf("UPDATE sample SET %s", damages[i]);
        execute(sql);
        sqlite3_free(sql);
        sqlite3_stmt *statement = get_statement(plan);
        assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
        assert_int_equal(varve__row_read(plan, statement, &read), VARVE_TYPE);
        assert_null(read);
        sqlite3_reset(statement);
    }
}

static void
dims_that_no_tensor_has_are_refused(void **state)
{
    (void)state;
    expect_refused(
        "rows = 4294967295, columns = 9223372036854775807", 28, VARVE_FAILURE_DIMS,
        "lab.Sample.columns: the column holds a dim of weights that is too large");
    const struct varve__plan *plan = plan_of(&trace_table);
    struct lab_trace trace = LAB_TRACE_INIT;
    struct lab_trace row = LAB_TRACE_INIT;
    store(plan, &trace);
    execute("UPDATE trace SET length = -1");
    sqlite3_stmt *statement = find_statement(plan);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(varve__row_borrow(plan, statement, NULL, &row), VARVE_TYPE);
    assert_failure(
        VARVE_FAILURE_DIMS, "lab.Trace.length: the column holds a dim of samples that is negative");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_value_of_another_type_is_refused),
        TEST(a_plain_value_of_another_type_is_converted),
        TEST(a_plain_value_that_cannot_be_converted_is_refused),
        TEST(a_null_where_a_value_must_be_is_refused),
        TEST(numbers_out_of_range_are_refused),
        TEST(text_that_no_string_holds_is_refused),
        TEST(damaged_json_and_messages_are_refused),
        TEST(bytes_that_are_no_message_are_refused),
        TEST(dims_that_no_tensor_has_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
