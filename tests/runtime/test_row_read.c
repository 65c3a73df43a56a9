/* Reading: rows become records, copied or borrowed. */
#include "table_fixture.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <varve/record.h>

#include "base/error.h"
#include "table/row.h"

/* -------------------------------------------------------------------- round trips */

static void
expect_sample(const struct lab_sample *expected, const struct lab_sample *read)
{
    char text[4000];
    if (varve_record_equal(&sample_table, expected, read))
        return;
    assert_int_equal(varve_record_print(&sample_table, read, text, sizeof text), VARVE_OK);
    fail_msg("read: %s", text);
}

/* Stores the sample as the only one and expects it back, copied and borrowed. */
static void
expect_round_trip(const struct lab_sample *sample)
{
    const struct varve__plan *plan = plan_of(&sample_table);
    struct lab_sample row = LAB_SAMPLE_INIT;
    execute("DELETE FROM sample");
    store(plan, sample);
    struct lab_sample *read = load(plan);
    expect_sample(sample, read);
    assert_int_equal(read->choice_case, sample->choice_case);
    sqlite3_stmt *statement = find_statement(plan);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(varve__row_borrow(plan, statement, tables.arena, &row), VARVE_OK);
    row.base.n_unknown_fields = read->base.n_unknown_fields; /* a find has none */
    row.base.unknown_fields = read->base.unknown_fields;
    expect_sample(read, &row);
    assert_int_equal(row.choice_case, sample->choice_case);
    sqlite3_reset(statement);
    varve__arena_reset(tables.arena);
    varve_record_free(read);
}

static void
a_full_record_comes_back(void **state)
{
    (void)state;
    struct lab_sample sample = stored_sample();
    expect_round_trip(&sample);
}

static void
an_empty_record_comes_back(void **state)
{
    (void)state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.id = 1;
    expect_round_trip(&sample);
}

static void
each_case_of_a_oneof_comes_back(void **state)
{
    (void)state;
    struct lab_node leaf = LAB_NODE_INIT;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.id = 1;
    sample.choice_case = LAB_SAMPLE_CHOICE_NUMBER;
    expect_round_trip(&sample);
    sample.number = INT32_MIN;
    expect_round_trip(&sample);
    sample.choice_case = LAB_SAMPLE_CHOICE_TEXT;
    sample.text = "";
    expect_round_trip(&sample);
    sample.choice_case = LAB_SAMPLE_CHOICE_NODE;
    sample.node = &leaf;
    expect_round_trip(&sample);
}

static void
numbers_at_the_ends_of_their_range_come_back(void **state)
{
    (void)state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.id = INT64_MIN;
    sample.has_rank = 1;
    sample.rank = INT32_MIN;
    sample.mode = (enum lab_mode)INT32_MAX; /* enums are open */
    sample.ready = 1;
    sample.score = -DBL_MAX;
    sample.rows = UINT32_MAX; /* an empty tensor, as columns is 0 */
    sample.ratio = -FLT_MAX;
    sample.shift = INT64_MAX;
    sample.hash = UINT64_C(0x8000000000000001);
    expect_round_trip(&sample);
    sample.rows = 0;
    sample.columns = INT64_MAX;
    sample.score = INFINITY;
    sample.ratio = -INFINITY;
    sample.mode = (enum lab_mode)INT32_MIN;
    sample.rank = INT32_MAX;
    expect_round_trip(&sample);
}

static void
unknown_fields_come_back(void **state)
{
    (void)state;
    uint8_t bytes[] = {0x05, 'h', 'e', 'l', 'l', 'o'};
    ProtobufCMessageUnknownField fields[] = {
        {.tag = 900, .wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, .len = 6, .data = bytes},
        {.tag = 901, .wire_type = PROTOBUF_C_WIRE_TYPE_VARINT, .len = 1, .data = bytes},
    };
    struct lab_sample sample = stored_sample();
    sample.base.n_unknown_fields = 2;
    sample.base.unknown_fields = fields;
    expect_round_trip(&sample);
    struct lab_sample *read = load(plan_of(&sample_table));
    assert_int_equal(read->base.n_unknown_fields, 2);
    assert_int_equal(read->base.unknown_fields[1].tag, 901);
    varve_record_free(read);
}

/* Longer than what is guessed for it. */
static void
large_json_and_messages_come_back(void **state)
{
    (void)state;
    static int32_t counts[5000];
    static const char *tags[300];
    for (size_t i = 0; i < 5000; i++)
        counts[i] = (int32_t)i;
    for (size_t i = 0; i < 300; i++)
        tags[i] = "a tag";
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.id = 1;
    sample.counts = (struct varve_int32s){5000, counts};
    sample.tags = (struct varve_strings){300, tags};
    sample.root = node_chain(50);
    expect_round_trip(&sample);
}

/* -------------------------------------------------------------------- memory */

static void
a_record_is_one_block(void **state)
{
    (void)state;
    static char text[20000];
    const struct varve__plan *plan = plan_of(&sample_table);
    memset(text, 'x', sizeof text - 1);
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.name = text;
    sample.note = text + 1;
    sample.blob = (struct varve_bytes){sizeof text, (uint8_t *)text};
    store(plan, &sample);
    sqlite3_stmt *statement = get_statement(plan);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    void *read;
    count_allocations(0);
    assert_int_equal(varve__row_read(plan, statement, &read), VARVE_OK);
    varve_record_free(read);
    assert_int_equal(stop_counting(), 1);
}

static void
a_borrowed_row_without_json_takes_no_memory(void **state)
{
    (void)state;
    const struct varve__plan *plan = plan_of(&sample_table);
    struct lab_sample sample = LAB_SAMPLE_INIT;
    struct lab_sample row = LAB_SAMPLE_INIT;
    sample.name = "borrowed";
    store(plan, &sample);
    sqlite3_stmt *statement = find_statement(plan);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    count_allocations(0);
    assert_int_equal(varve__row_borrow(plan, statement, NULL, &row), VARVE_OK);
    assert_int_equal(stop_counting(), 0);
    assert_string_equal(row.name, "borrowed");
    assert_ptr_equal(row.name, sqlite3_column_text(statement, 1));
}

static void
a_row_is_read_into_an_arena(void **state)
{
    (void)state;
    const struct varve__plan *plan = plan_of(&sample_table);
    struct lab_sample sample = stored_sample();
    store(plan, &sample);
    sqlite3_stmt *statement = get_statement(plan);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    void *first;
    void *second;
    assert_int_equal(varve__row_read_into(plan, statement, tables.arena, &first), VARVE_OK);
    assert_int_equal(varve__row_read_into(plan, statement, tables.arena, &second), VARVE_OK);
    sqlite3_reset(statement);
    expect_sample(&sample, first);
    expect_sample(&sample, second);
}

static void
each_refused_allocation_is_reported(void **state)
{
    (void)state;
    const struct varve__plan *plan = plan_of(&sample_table);
    struct lab_sample sample = stored_sample();
    sample.root = node_chain(60);
    store(plan, &sample);
    sqlite3_stmt *statement = get_statement(plan);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    enum varve_status status = VARVE_NO_MEMORY;
    size_t fail_at = 0;
    while (status != VARVE_OK) {
        void *read;
        count_allocations(++fail_at);
        status = varve__row_read(plan, statement, &read);
        assert_true(status == VARVE_OK || status == VARVE_NO_MEMORY);
        assert_int_equal(read == NULL, status != VARVE_OK);
        varve_record_free(read);
        stop_counting();
    }
    assert_true(fail_at > 1);
    struct varve__arena *small = varve__arena_create(sizeof sample);
    count_allocations(1);
    void *read;
    status = varve__row_read_into(plan, statement, small, &read); /* no memory for the first text */
    assert_int_equal(stop_counting(), 1);
    assert_int_equal(status, VARVE_NO_MEMORY);
    assert_null(read);
    varve__arena_release(small);
}

/* More texts than are kept between sizing and reading. */
static void
a_record_of_many_texts_comes_back(void **state)
{
    enum {
        TEXTS = 100
    };
    static struct many {
        ProtobufCMessage base;
        const char *texts[TEXTS];
    } initial, many;
    static ProtobufCFieldDescriptor fields[TEXTS];
    static struct varve_column columns[TEXTS];
    static char names[TEXTS][8];
    static ProtobufCMessageDescriptor descriptor = {
        .magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
        .name = "lab.Many",
        .sizeof_message = sizeof many,
        .n_fields = TEXTS,
        .fields = fields,
    };
    static const size_t key[] = {0};
    static const struct varve_table table = {
        .name = "many", .primary_key = key, .primary_key_count = 1};
    static const struct varve_record record = {
        .descriptor = &descriptor,
        .initial = &initial,
        .columns = columns,
        .column_count = TEXTS,
        .table = &table,
    };
    static const struct varve_record *const records[] = {&record};
    static const struct varve_schema schema = {.records = records, .record_count = 1};
    const struct varve_schema *schemas[] = {&schema};
    struct varve__plans *plans;
    (void)state;
    initial.base.descriptor = &descriptor;
    for (unsigned i = 0; i < TEXTS; i++) {
        snprintf(names[i], sizeof names[i], "t%u", i);
        fields[i] = (ProtobufCFieldDescriptor){
            .name = names[i],
            .id = i + 1,
            .label = i % 2 ? PROTOBUF_C_LABEL_OPTIONAL : PROTOBUF_C_LABEL_NONE,
            .type = PROTOBUF_C_TYPE_STRING,
            .offset = (unsigned)(offsetof(struct many, texts) + i * sizeof(char *)),
        };
        columns[i] = (struct varve_column){.field = &fields[i], .kind = VARVE_COLUMN_SCALAR};
    }
    assert_int_equal(varve__plans_create(schemas, 1, &plans), VARVE_OK);
    sqlite3_str *sql = sqlite3_str_new(NULL);
    for (unsigned i = 0; i < TEXTS; i++)
        sqlite3_str_appendf(sql, "%s'text %d'", i > 0 ? ", " : "SELECT ", (int)i);
    sqlite3_str_appendall(sql, ", NULL");
    char *text = sqlite3_str_finish(sql);
    sqlite3_stmt *statement = prepare(text);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    void *read;
    assert_int_equal(varve__row_read(&plans->plans[0], statement, &read), VARVE_OK);
    for (unsigned i = 0; i < TEXTS; i++) {
        char expected[16];
        snprintf(expected, sizeof expected, "text %u", i);
        assert_string_equal(((struct many *)read)->texts[i], expected);
    }
    varve_record_free(read);
    sqlite3_finalize(statement);
    sqlite3_free(text);
    varve__plans_release(plans);
}

/* In a database that somebody has made with UTF-16, text is turned into UTF-8. */
static void
text_is_utf8_whatever_the_database_holds(void **state)
{
    (void)state;
    const struct varve__plan *plan = plan_of(&trace_table);
    sqlite3 *wide;
    sqlite3_stmt *statement;
    void *read;
    assert_int_equal(sqlite3_open(":memory:", &wide), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(
            wide,
            "PRAGMA encoding = 'UTF-16'; CREATE TABLE t(a); INSERT INTO t VALUES('dr\xC3\xA9i')",
            NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(wide, "SELECT 0, a, NULL FROM t", -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(varve__row_read(plan, statement, &read), VARVE_OK);
    assert_string_equal(((struct lab_trace *)read)->title, "dr\xC3\xA9i");
    varve_record_free(read);
    sqlite3_finalize(statement);
    sqlite3_close(wide);
}

/* -------------------------------------------------------------------- tensors */

static void *
read_trace(const struct varve__plan *plan, sqlite3_stmt *statement)
{
    void *read;
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    if (varve__row_read(plan, statement, &read) != VARVE_OK)
        fail_msg("%s", varve__thread_error());
    assert_int_equal(sqlite3_errcode(tables.database), SQLITE_ROW); /* no column is not there */
    sqlite3_reset(statement);
    return read;
}

static void
a_tensor_has_the_count_of_its_dims_and_no_data(void **state)
{
    (void)state;
    const struct varve__plan *plan = plan_of(&trace_table);
    struct lab_trace trace = LAB_TRACE_INIT;
    trace.length = 1000;
    trace.samples.count = 1000;
    store(plan, &trace);
    struct lab_trace *read = read_trace(plan, get_statement(plan));
    assert_int_equal(read->samples.count, 1000); /* elements, not bytes */
    assert_null(read->samples.data);
    varve_record_free(read);
}

static void
an_optional_tensor_is_there_when_its_column_says_so(void **state)
{
    (void)state;
    const struct varve__plan *plan = plan_of(&optional_trace_table);
    struct lab_trace trace = LAB_TRACE_INIT;
    struct lab_trace row = LAB_TRACE_INIT;
    trace.length = -3; /* of no meaning where the tensor is absent */
    store(plan, &trace);
    sqlite3_stmt *absent = prepare("SELECT length, title, varve_unknown, 0 FROM optional_trace");
    sqlite3_stmt *untold = prepare("SELECT length, title, varve_unknown FROM optional_trace");
    struct lab_trace *read = read_trace(plan, absent);
    assert_int_equal(read->samples.count, 0);
    varve_record_free(read);
    read = read_trace(plan, untold);
    assert_int_equal(read->samples.count, 0);
    assert_int_equal(
        sqlite3_errcode(tables.database), SQLITE_OK); /* no such column was asked for */
    varve_record_free(read);
    execute("UPDATE optional_trace SET length = 5");
    read = read_trace(plan, get_statement(plan));
    assert_int_equal(read->samples.count, 5);
    varve_record_free(read);
    sqlite3_stmt *statement = find_statement(plan);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(varve__row_borrow(plan, statement, NULL, &row), VARVE_OK);
    assert_int_equal(row.samples.count, 5);
    sqlite3_finalize(absent);
    sqlite3_finalize(untold);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_full_record_comes_back),
        TEST(an_empty_record_comes_back),
        TEST(each_case_of_a_oneof_comes_back),
        TEST(numbers_at_the_ends_of_their_range_come_back),
        TEST(unknown_fields_come_back),
        TEST(large_json_and_messages_come_back),
        TEST(a_record_is_one_block),
        TEST(a_borrowed_row_without_json_takes_no_memory),
        TEST(a_row_is_read_into_an_arena),
        TEST(each_refused_allocation_is_reported),
        TEST(a_record_of_many_texts_comes_back),
        TEST(text_is_utf8_whatever_the_database_holds),
        TEST(a_tensor_has_the_count_of_its_dims_and_no_data),
        TEST(an_optional_tensor_is_there_when_its_column_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
