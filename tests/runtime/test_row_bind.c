/* Binding: what goes into a statement's parameters, and what is refused before. */
#include "table_fixture.h"

#include <math.h>
#include <string.h>

#include <varve/record.h>

#include "base/error.h"
#include "table/row.h"

/* -------------------------------------------------------------------- values */

/* SQL's view of the one row that was stored: quote() of its columns, but for the slots' JSON. */
static void
expect_column(const char *expression, const char *expected)
{
    char *sql = sqlite3_mprintf("SELECT %s FROM sample", expression);
    sqlite3_stmt *statement = prepare(sql);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal(sqlite3_column_text(statement, 0), expected);
    sqlite3_finalize(statement);
    sqlite3_free(sql);
}

static void
each_kind_of_field_is_bound_as_its_type(void **state)
{
    (void)state;
    struct lab_sample sample = stored_sample();
    store(plan_of(&sample_table), &sample);
    expect_column("id", "1234567890123");
    expect_column("quote(name)", "'name \"quoted\"\n\x01'");
    expect_column("quote(note)", "''");
    expect_column("quote(blob)", "X'0001FF225C'");
    expect_column("typeof(score)", "real");
    expect_column("quote(rank)", "0");
    expect_column("quote(mode)", "-1");
    expect_column("quote(ready)", "1");
    expect_column("tags", "[\"\",\"two\",\"dr\xC3\xA9i\"]");
    expect_column("counts", "[0,-1,300,-2147483648]");
    expect_column("metadata", "{\"source\":\"sensor\",\"empty\":\"\"}");
    expect_column("typeof(root)", "blob");
    expect_column("json_extract(root_json, '$.left.label')", "leaf");
    expect_column("quote(number)", "NULL");
    expect_column("text", "chosen");
    expect_column("quote(node)", "NULL");
    expect_column("quote(rows)", "2");
    expect_column("json_extract(nodes_json, '$.\"-5\".value')", "-7");
    expect_column("quote(raw)", "X''");
    expect_column("typeof(ratio)", "real");
    expect_column("quote(shift)", "-64");
    expect_column("quote(hash)", "-1"); /* all bits */
    expect_column("quote(columns)", "3");
    expect_column("quote(varve_unknown)", "NULL");
}

static void
what_is_absent_or_empty_is_bound_so(void **state)
{
    (void)state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    store(plan_of(&sample_table), &sample);
    expect_column("id", "1"); /* assigned */
    expect_column("quote(name)", "''");
    expect_column("quote(note)", "NULL");
    expect_column("quote(blob)", "X''");
    expect_column("quote(rank)", "NULL");
    expect_column("quote(tags)", "'[]'");
    expect_column("quote(metadata)", "'{}'");
    expect_column("quote(root)", "NULL");
    expect_column("quote(root_json)", "NULL");
    expect_column("quote(number)", "NULL");
    expect_column("quote(text)", "NULL");
    expect_column("quote(nodes)", "X''");
    expect_column("quote(nodes_json)", "'{}'");
    expect_column("quote(raw)", "NULL");
}

/* Of a field that may not be absent, an empty optional value and a zero are something. */
static void
present_zeros_are_no_nulls(void **state)
{
    (void)state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.has_rank = 1;
    sample.has_raw = 1;
    sample.note = "";
    sample.choice_case = LAB_SAMPLE_CHOICE_NUMBER;
    store(plan_of(&sample_table), &sample);
    expect_column("quote(rank)", "0");
    expect_column("quote(raw)", "X''");
    expect_column("quote(note)", "''");
    expect_column("quote(number)", "0");
    expect_column("quote(text)", "NULL");
}

/* -------------------------------------------------------------------- refusals */

static enum varve_status
bind_sample(const struct lab_sample *sample)
{
    const struct varve__plan *plan = plan_of(&sample_table);
    varve__arena_reset(tables.arena);
    return varve__row_bind(plan, sample, tables.arena, insert_statement(plan));
}

static void
expect_field(uint32_t number)
{
    const struct varve_failure *failure = varve__thread_failure();
    assert_int_equal(failure->field_count, 1);
    assert_int_equal(failure->fields[0], number);
    assert_string_equal(failure->record, "lab.Sample");
    assert_int_equal(failure->tier, VARVE_TIER_TABLE);
}

static void
a_nan_is_refused(void **state)
{
    (void)state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    float ratios[] = {0, NAN};
    sample.score = NAN;
    assert_int_equal(bind_sample(&sample), VARVE_INVALID);
    assert_failure(
        VARVE_FAILURE_NAN, "lab.Sample.score is NaN, which a column cannot hold; use a number");
    expect_field(5);
    sample.score = INFINITY;
    sample.ratio = NAN;
    assert_int_equal(bind_sample(&sample), VARVE_INVALID);
    assert_failure(VARVE_FAILURE_NAN, "lab.Sample.ratio is NaN");
    sample.ratio = -INFINITY;
    sample.ratios = (struct varve_floats){2, ratios};
    assert_int_equal(bind_sample(&sample), VARVE_INVALID);
    assert_failure(VARVE_FAILURE_NAN, "lab.Sample.ratios: element 1 is NaN");
    ratios[1] = 0;
    assert_int_equal(bind_sample(&sample), VARVE_OK);
}

static void
a_uint64_over_the_range_of_a_column_is_refused(void **state)
{
    (void)state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.columns = (uint64_t)INT64_MAX + 1;
    assert_int_equal(bind_sample(&sample), VARVE_INVALID);
    assert_failure(
        VARVE_FAILURE_RANGE,
        "lab.Sample.columns is over 9223372036854775807, which a column cannot hold; make the "
        "field fixed64");
    expect_field(28);
    sample.columns = INT64_MAX;
    assert_int_equal(bind_sample(&sample), VARVE_OK);
}

/* SQLite refuses a statement that is under way. */
static void
a_parameter_that_sqlite_refuses_is_reported(void **state)
{
    (void)state;
    const struct varve__plan *plan = plan_of(&sample_table);
    struct lab_sample sample = LAB_SAMPLE_INIT;
    store(plan, &sample);
    sqlite3_stmt *statement = get_statement(plan);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_true(varve__row_bind(plan, &sample, tables.arena, statement) != VARVE_OK);
    assert_non_null(strstr(varve__thread_error(), "binding a value"));
}

static void
wire_bytes_without_memory_are_refused(void **state)
{
    (void)state;
    struct lab_sample sample = stored_sample();
    enum varve_status status = VARVE_NO_MEMORY;
    size_t fail_at = 0;
    while (status != VARVE_OK) {
        count_allocations(++fail_at);
        struct varve__arena *small = varve__arena_create(0);
        status = VARVE_NO_MEMORY;
        if (small)
            status = varve__row_bind(
                plan_of(&sample_table), &sample, small, insert_statement(plan_of(&sample_table)));
        assert_true(status == VARVE_OK || status == VARVE_NO_MEMORY);
        varve__arena_release(small);
        stop_counting();
    }
    assert_true(fail_at > 3);
}

/* -------------------------------------------------------------------- single values and keys */

static void
one_slot_is_bound_with_its_copy(void **state)
{
    (void)state;
    const struct varve__plan *plan = plan_of(&sample_table);
    struct lab_sample full = stored_sample();
    struct lab_sample empty = LAB_SAMPLE_INIT;
    size_t root = varve__plan_slot(plan, 12);
    sqlite3_stmt *statement = insert_statement(plan);
    assert_int_equal(varve__row_bind(plan, &empty, tables.arena, statement), VARVE_OK);
    assert_int_equal(varve__row_bind_slot(plan, root, &full, tables.arena, statement), VARVE_OK);
    assert_int_equal(
        varve__row_bind_slot(plan, varve__plan_slot(plan, 2), &full, tables.arena, statement),
        VARVE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
    expect_column("json_extract(root_json, '$.value')", "1");
    expect_column("typeof(root)", "blob");
    expect_column("substr(name, 1, 4)", "name");
    expect_column("quote(text)", "NULL");
}

static void
a_value_is_bound_as_its_slot_holds_it(void **state)
{
    (void)state;
    const struct varve__plan *plan = plan_of(&sample_table);
    sqlite3_stmt *statement = prepare("SELECT typeof(?1) || ':' || ?1");
    static const int32_t rank = -3;
    static const double score = 0.5, nan_score = NAN;
    static const char *text = "x", *none = NULL;
    static const struct {
        uint32_t field;
        const void *value;
        const char *expected;
    } cases[] = {
        {6, &rank, "integer:-3"}, /* optional */
        {7, &rank, "integer:-3"}, {5, &score, "real:0.5"},
        {2, &text, "text:x"},     {14, &text, "text:x"}, /* in a oneof */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t slot = varve__plan_slot(plan, cases[i].field);
        assert_int_equal(varve__row_bind_value(plan, slot, cases[i].value, statement, 1), VARVE_OK);
        assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
        assert_string_equal(sqlite3_column_text(statement, 0), cases[i].expected);
        sqlite3_reset(statement);
    }
    size_t slot = varve__plan_slot(plan, 2);
    assert_int_equal(varve__row_bind_value(plan, slot, &none, statement, 1), VARVE_INVALID);
    assert_failure(VARVE_FAILURE_NOT_NULL, "lab.Sample.name is NULL");
    slot = varve__plan_slot(plan, 5);
    assert_int_equal(varve__row_bind_value(plan, slot, &nan_score, statement, 1), VARVE_INVALID);
    assert_failure(VARVE_FAILURE_NAN, "lab.Sample.score is NaN");
    sqlite3_finalize(statement);
}

static void
a_key_of_parts_is_bound_in_its_order(void **state)
{
    (void)state;
    const struct varve__plan *plan = plan_of(&trace_table);
    sqlite3_stmt *statement = prepare("SELECT ?1 || '/' || ?2 || '/' || ?3");
    sqlite3_bind_int(statement, 1, 9);
    struct lab_trace trace = LAB_TRACE_INIT;
    trace.title = "a";
    trace.length = -7;
    const void *key[2];
    varve__row_key(plan, &trace, key);
    assert_ptr_equal(key[0], trace.title);
    assert_ptr_equal(key[1], &trace.length);
    assert_int_equal(varve__row_bind_key(plan, key, statement, 2), VARVE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal(sqlite3_column_text(statement, 0), "9/a/-7");
    sqlite3_finalize(statement);
}

static void
a_part_of_a_key_that_is_null_or_no_utf8_is_refused(void **state)
{
    (void)state;
    const struct varve__plan *plan = plan_of(&trace_table);
    const int32_t length = 1;
    const void *without_title[] = {NULL, &length};
    const void *without_length[] = {"a", NULL};
    const void *broken[] = {"a\xFF", &length};
    sqlite3_stmt *statement = prepare("SELECT ?1, ?2");
    assert_int_equal(varve__row_bind_key(plan, without_title, statement, 1), VARVE_INVALID);
    assert_failure(
        VARVE_FAILURE_NOT_NULL, "lab.Trace.title is NULL as a key; pass a pointer to a value");
    assert_int_equal(varve__row_bind_key(plan, without_length, statement, 1), VARVE_INVALID);
    assert_failure(VARVE_FAILURE_NOT_NULL, "lab.Trace.length is NULL as a key");
    assert_int_equal(varve__row_bind_key(plan, broken, statement, 1), VARVE_INVALID);
    assert_failure(VARVE_FAILURE_UTF8, "lab.Trace.title is no UTF-8 as a key");
    sqlite3_finalize(statement);
}

static void
a_generated_key_of_zero_is_missing(void **state)
{
    (void)state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    struct lab_trace trace = LAB_TRACE_INIT;
    const void *key[1];
    assert_true(varve__row_key_is_missing(plan_of(&sample_table), &sample));
    sample.id = -1;
    assert_false(varve__row_key_is_missing(plan_of(&sample_table), &sample));
    assert_false(varve__row_key_is_missing(plan_of(&trace_table), &trace));
    sample.id = 0;
    varve__row_key(plan_of(&sample_table), &sample, key);
    sqlite3_stmt *statement = prepare("SELECT ?1");
    assert_int_equal(varve__row_bind_key(plan_of(&sample_table), key, statement, 1), VARVE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(sqlite3_column_type(statement, 0), SQLITE_INTEGER); /* a key to look for */
    sqlite3_finalize(statement);
}

static void
integers_are_64_bits_with_their_sign(void **state)
{
    (void)state;
    const int32_t minus = -1;
    const int64_t least = INT64_MIN;
    const protobuf_c_boolean truth = 7;
    assert_int_equal(varve__integer_at(PROTOBUF_C_TYPE_INT32, &minus), -1);
    assert_int_equal(varve__integer_at(PROTOBUF_C_TYPE_ENUM, &minus), -1);
    assert_int_equal(varve__integer_at(PROTOBUF_C_TYPE_UINT32, &minus), UINT32_MAX);
    assert_int_equal(varve__integer_at(PROTOBUF_C_TYPE_FIXED64, &least), INT64_MIN);
    assert_int_equal(varve__integer_at(PROTOBUF_C_TYPE_BOOL, &truth), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_kind_of_field_is_bound_as_its_type),
        TEST(what_is_absent_or_empty_is_bound_so),
        TEST(present_zeros_are_no_nulls),
        TEST(a_nan_is_refused),
        TEST(a_uint64_over_the_range_of_a_column_is_refused),
        TEST(a_parameter_that_sqlite_refuses_is_reported),
        TEST(wire_bytes_without_memory_are_refused),
        TEST(one_slot_is_bound_with_its_copy),
        TEST(a_value_is_bound_as_its_slot_holds_it),
        TEST(a_key_of_parts_is_bound_in_its_order),
        TEST(a_part_of_a_key_that_is_null_or_no_utf8_is_refused),
        TEST(a_generated_key_of_zero_is_missing),
        TEST(integers_are_64_bits_with_their_sign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
