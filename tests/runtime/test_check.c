/* What packing refuses, and how it says so. */
#include "support.h"

#include <string.h>

#include "base/error.h"
#include "codec/check.h"

enum {
    RAW = 19 /* the column of lab.Sample.raw */
};

static void
assert_refused(const struct lab_sample *sample, enum varve_failure_kind kind, const char *words)
{
    struct varve_bytes bytes = {1, (uint8_t *)&bytes};
    assert_int_equal(varve_record_pack(&lab_sample_record, sample, &bytes), VARVE_INVALID);
    assert_null(bytes.data);
    assert_int_equal(bytes.size, 0);
    assert_string_equal(varve__thread_failure()->record, "lab.Sample");
    assert_failure(kind, words);
}

static void
a_null_string(void **state)
{
    (void)state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.name = NULL;
    assert_refused(&sample, VARVE_FAILURE_NOT_NULL, "lab.Sample.name is NULL; set a string");
    assert_int_equal(varve__thread_failure()->fields[0], 2);
}

static void
a_null_optional_string_is_absent(void **state)
{
    (void)state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    struct varve_bytes bytes;
    assert_int_equal(varve_record_pack(&lab_sample_record, &sample, &bytes), VARVE_OK);
    assert_int_equal(bytes.size, 0);
    assert_non_null(bytes.data);
    varve_bytes_free(&bytes);
}

static void
text_that_is_no_utf8(void **state)
{
    (void)state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.note = "abc\xFF";
    assert_refused(&sample, VARVE_FAILURE_UTF8, "lab.Sample.note is no UTF-8 (byte 3)");
}

static void
text_in_a_repeated_field(void **state)
{
    (void)state;
    const char *tags[] = {"good", "\xC0"};
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.tags = (struct varve_strings){2, tags};
    assert_refused(&sample, VARVE_FAILURE_UTF8, "lab.Sample.tags: element 1 is no UTF-8 (byte 0)");
    tags[1] = NULL;
    assert_refused(&sample, VARVE_FAILURE_NOT_NULL, "lab.Sample.tags: element 1 is NULL");
}

static void
text_in_a_map(void **state)
{
    (void)state;
    struct lab_sample_metadata_entry entry = LAB_SAMPLE_METADATA_ENTRY_INIT;
    struct lab_sample_metadata_entry *entries[] = {&entry, NULL};
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.metadata.count = 1;
    sample.metadata.data = entries;
    entry.value = "0123456789abcdefg\x80";
    assert_refused(
        &sample, VARVE_FAILURE_UTF8,
        "lab.Sample.metadata: the value of entry 0 is no UTF-8 (byte 17)");
    assert_int_equal(varve__thread_failure()->field_count, 2);
    assert_int_equal(varve__thread_failure()->fields[0], 11);
    assert_int_equal(varve__thread_failure()->fields[1], 2);
    entry.value = "";
    sample.metadata.count = 2;
    assert_refused(&sample, VARVE_FAILURE_NOT_NULL, "lab.Sample.metadata: entry 1 is NULL");
}

static void
text_deep_inside(void **state)
{
    (void)state;
    struct lab_node inner = LAB_NODE_INIT;
    struct lab_node outer = LAB_NODE_INIT;
    struct lab_node *children[] = {&outer, &inner};
    struct lab_sample sample = LAB_SAMPLE_INIT;
    struct lab_node root = LAB_NODE_INIT;
    inner.label = "\xFF";
    root.children.count = 2;
    root.children.data = children;
    sample.root = &root;
    assert_refused(
        &sample, VARVE_FAILURE_UTF8, "lab.Sample.root.children[1].label is no UTF-8 (byte 0)");
    assert_int_equal(varve__thread_failure()->field_count, 3);
}

static void
counts_without_data(void **state)
{
    (void)state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.counts.count = 3;
    assert_refused(&sample, VARVE_FAILURE_NOT_NULL, "lab.Sample.counts has a count of 3");
    sample.counts.count = 0;
    sample.blob.size = 4;
    assert_refused(&sample, VARVE_FAILURE_NOT_NULL, "lab.Sample.blob has a count of 4");
    sample.blob.size = 0;
    struct varve_bytes blobs[] = {{1, NULL}};
    sample.blobs = (struct varve_blobs){1, blobs};
    assert_refused(&sample, VARVE_FAILURE_NOT_NULL, "lab.Sample.blobs: element 0 has a count of 1");
}

static void
counts_that_no_message_holds(void **state)
{
    (void)state;
    int32_t number = 0;
    uint8_t byte = 0;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.counts = (struct varve_int32s){(size_t)1 << 31, &number};
    assert_refused(&sample, VARVE_FAILURE_SIZE, "lab.Sample.counts is too large (2147483648)");
    sample.counts.count = 0;
    sample.blob = (struct varve_bytes){SIZE_MAX, &byte};
    assert_refused(&sample, VARVE_FAILURE_SIZE, "lab.Sample.blob is too large");
}

static void
a_record_that_becomes_too_large_names_the_field(void **state)
{
    (void)state;
    uint8_t byte = 0; /* no byte is looked at */
    struct varve_bytes blobs[] = {
        {INT32_MAX, &byte}, {INT32_MAX, &byte}, {INT32_MAX, &byte}, {0, NULL}};
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.blob = (struct varve_bytes){(size_t)3 << 29, &byte};
    sample.blobs = (struct varve_blobs){1, blobs};
    assert_refused(&sample, VARVE_FAILURE_SIZE, "lab.Sample.blobs is too large");
    sample.blob.size = 0;
    sample.blobs.count = 4;
    assert_refused(&sample, VARVE_FAILURE_SIZE, "lab.Sample.blobs is too large (64424");
    assert_int_equal(varve__thread_failure()->fields[0], 19);
}

static void
unknown_fields_without_data(void **state)
{
    (void)state;
    ProtobufCMessageUnknownField unknown = {
        .tag = 100, .wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, .len = 3};
    struct lab_sample sample = LAB_SAMPLE_INIT;
    struct lab_sample same = LAB_SAMPLE_INIT;
    uint8_t bytes[] = {2, 'a', 'b'};
    void *copy;
    sample.base.n_unknown_fields = same.base.n_unknown_fields = 1;
    assert_refused(&sample, VARVE_FAILURE_NOT_NULL, "lab.Sample has an unknown field whose data");
    sample.base.unknown_fields = &unknown;
    assert_refused(&sample, VARVE_FAILURE_NOT_NULL, "lab.Sample has an unknown field whose data");
    assert_int_equal(varve_record_clone(&lab_sample_record, &sample, &copy), VARVE_INVALID);
    ProtobufCMessageUnknownField whole = unknown;
    whole.data = bytes;
    same.base.unknown_fields = &whole;
    assert_false(varve_record_equal(&lab_sample_record, &sample, &same));
    whole.len = SIZE_MAX;
    assert_refused(&same, VARVE_FAILURE_SIZE, "lab.Sample is too large");
    whole.len = 2; /* says that two bytes follow, and one does */
    assert_refused(&same, VARVE_FAILURE_NOT_NULL, "no value of its wire type (2 bytes)");
    whole.len = 3;
    whole.wire_type = 3; /* a group */
    assert_refused(&same, VARVE_FAILURE_NOT_NULL, "no value of its wire type");
}

static void
a_chosen_member_that_is_null(void **state)
{
    (void)state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.choice_case = LAB_SAMPLE_CHOICE_TEXT;
    assert_refused(&sample, VARVE_FAILURE_NOT_NULL, "lab.Sample.text is NULL");
    sample.choice_case = LAB_SAMPLE_CHOICE_NODE;
    assert_refused(&sample, VARVE_FAILURE_NOT_NULL, "lab.Sample.node is NULL; set a message");
}

static void
dims_that_do_not_match(void **state)
{
    (void)state;
    double weights[12] = {0};
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.weights = (struct varve_doubles){12, weights};
    sample.rows = 4;
    sample.columns = 4;
    assert_refused(
        &sample, VARVE_FAILURE_DIMS,
        "lab.Sample.weights has 12 elements, but rows * columns = 16 are expected; "
        "set the dims or the count");
    sample.columns = UINT64_MAX;
    assert_refused(&sample, VARVE_FAILURE_DIMS, "cannot have rows * columns elements");
    sample.columns = UINT64_C(1) << 62;
    assert_refused(&sample, VARVE_FAILURE_DIMS, "cannot have rows * columns elements");
    sample.rows = 0;
    sample.weights.count = 0;
    struct varve_bytes bytes;
    assert_int_equal(varve_record_pack(&lab_sample_record, &sample, &bytes), VARVE_OK);
    varve_bytes_free(&bytes);
}

static void
a_negative_dim(void **state)
{
    (void)state;
    int16_t samples[] = {1};
    struct lab_trace trace = LAB_TRACE_INIT;
    struct varve_bytes bytes;
    trace.length = -1;
    trace.samples = (struct varve_int16s){1, samples};
    assert_int_equal(varve_record_pack(&lab_trace_record, &trace, &bytes), VARVE_INVALID);
    assert_failure(VARVE_FAILURE_DIMS, "lab.Trace.samples cannot have a dim of -1; set length");
}

static void
a_tensor_that_is_not_loaded(void **state)
{
    (void)state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.weights.count = 4;
    sample.rows = 2;
    sample.columns = 2;
    assert_refused(
        &sample, VARVE_FAILURE_NOT_LOADED, "lab.Sample.weights has 4 elements that are not loaded");
    assert_int_equal(
        varve__record_check(&lab_sample_record, &sample, VARVE__CHECK_UNLOADED, NULL), VARVE_OK);
}

/* lab.Sample.raw, which is optional, as a tensor of two INT16. */
static struct varve_record
table_with_optional_tensor(struct varve_column *columns, struct varve_tensor *tensor)
{
    static const struct varve_dim dims[] = {{.size = 2}};
    struct varve_record table = lab_sample_record;
    *tensor = (struct varve_tensor){
        .dtype = VARVE_DTYPE_INT16, .optional = true, .dims = dims, .dim_count = 1};
    memcpy(columns, table.columns, table.column_count * sizeof *columns);
    columns[RAW].tensor = tensor;
    columns[RAW].kind = VARVE_COLUMN_TENSOR;
    table.columns = columns;
    table.flags |= VARVE_RECORD_SCALED;
    return table;
}

static void
an_optional_tensor_is_absent_whatever_its_count(void **state)
{
    (void)state;
    struct varve_column columns[64];
    struct varve_tensor tensor;
    struct varve_record table = table_with_optional_tensor(columns, &tensor);
    struct varve__sizes sizes;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.raw.size = 7;
    assert_int_equal(varve__record_check(&table, &sample, VARVE__CHECK_LOADED, &sizes), VARVE_OK);
    assert_int_equal(sizes.wire, 0);
    sample.has_raw = 1;
    assert_int_equal(
        varve__record_check(&table, &sample, VARVE__CHECK_LOADED, &sizes), VARVE_INVALID);
    assert_failure(VARVE_FAILURE_NOT_LOADED, "lab.Sample.raw has 7 elements");
}

static void
an_empty_optional_tensor_takes_its_bytes(void **state)
{
    (void)state;
    struct varve_column columns[64];
    struct varve_tensor tensor;
    struct varve_record table = table_with_optional_tensor(columns, &tensor);
    struct varve__sizes sizes;
    struct varve_bytes bytes;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.has_raw = 1;
    assert_int_equal(varve__record_check(&table, &sample, VARVE__CHECK_LOADED, &sizes), VARVE_OK);
    assert_int_equal(varve_record_pack(&table, &sample, &bytes), VARVE_OK);
    assert_int_equal(sizes.wire, bytes.size);
    assert_memory_equal(bytes.data, "\xA2\x01\x00", 3);
    varve_bytes_free(&bytes);
}

static void
structs_that_were_not_initialised(void **state)
{
    (void)state;
    struct lab_sample sample = {.name = ""};
    struct lab_node node = LAB_NODE_INIT;
    struct lab_trace trace = LAB_TRACE_INIT;
    struct varve_bytes bytes;
    assert_int_equal(varve_record_pack(&lab_sample_record, &sample, &bytes), VARVE_MISUSE);
    assert_failure(VARVE_FAILURE_OTHER, "lab.Sample: the struct was not initialised");
    assert_int_equal(varve_record_pack(&lab_sample_record, &trace, &bytes), VARVE_MISUSE);
    assert_failure(VARVE_FAILURE_OTHER, "lab.Sample: the struct is of another message");
    varve_record_init(&lab_sample_record, &sample);
    sample.root = &node;
    node.base.descriptor = NULL;
    assert_int_equal(varve_record_pack(&lab_sample_record, &sample, &bytes), VARVE_MISUSE);
    assert_failure(VARVE_FAILURE_OTHER, "lab.Sample.root: the struct was not initialised");
}

static void
a_hundred_levels_and_not_one_more(void **state)
{
    (void)state;
    struct varve_bytes bytes;
    void *copy;
    assert_int_equal(varve_record_pack(&lab_node_record, node_chain(100), &bytes), VARVE_OK);
    varve_bytes_free(&bytes);
    assert_int_equal(varve_record_pack(&lab_node_record, node_chain(101), &bytes), VARVE_INVALID);
    assert_failure(VARVE_FAILURE_DEPTH, "nested more than 100 levels");
    assert_int_equal(varve_record_clone(&lab_node_record, node_chain(101), &copy), VARVE_INVALID);
    assert_failure(VARVE_FAILURE_DEPTH, "lab.Node.left.left.left.left.left.left...left is nested");
}

static void
a_cycle(void **state)
{
    (void)state;
    char buffer[64];
    struct varve_bytes bytes;
    void *copy;
    struct lab_node node = LAB_NODE_INIT;
    struct lab_node same = LAB_NODE_INIT;
    node.left = node.right = &node;
    same.left = same.right = &same;
    assert_int_equal(varve_record_pack(&lab_node_record, &node, &bytes), VARVE_INVALID);
    assert_int_equal(varve_record_clone(&lab_node_record, &node, &copy), VARVE_INVALID);
    assert_int_equal(
        varve_record_print(&lab_node_record, &node, buffer, sizeof buffer), VARVE_INVALID);
    assert_failure(VARVE_FAILURE_DEPTH, "look for a cycle");
    assert_false(varve_record_equal(&lab_node_record, &node, &same));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_null_string),
        cmocka_unit_test(a_null_optional_string_is_absent),
        cmocka_unit_test(text_that_is_no_utf8),
        cmocka_unit_test(text_in_a_repeated_field),
        cmocka_unit_test(text_in_a_map),
        cmocka_unit_test(text_deep_inside),
        cmocka_unit_test(counts_without_data),
        cmocka_unit_test(counts_that_no_message_holds),
        cmocka_unit_test(a_record_that_becomes_too_large_names_the_field),
        cmocka_unit_test(unknown_fields_without_data),
        cmocka_unit_test(a_chosen_member_that_is_null),
        cmocka_unit_test(dims_that_do_not_match),
        cmocka_unit_test(a_negative_dim),
        cmocka_unit_test(a_tensor_that_is_not_loaded),
        cmocka_unit_test(an_optional_tensor_is_absent_whatever_its_count),
        cmocka_unit_test(an_empty_optional_tensor_takes_its_bytes),
        cmocka_unit_test(structs_that_were_not_initialised),
        cmocka_unit_test(a_hundred_levels_and_not_one_more),
        cmocka_unit_test(a_cycle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
