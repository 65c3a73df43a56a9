/* JSON copies of messages: what is written and what is left out, maps, values that columns refuse,
 * memory; what SQLite finds in the texts. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/arena.h"
#include "base/error.h"
#include "codec/check.h"
#include "codec/json_copy.h"

/* ------------------------------------------------------------------ a record that embeds Sample */

/* message Batch { Sample sample = 1; repeated Sample samples = 2; map<string, Sample> named = 3; } */
struct named_entry {
    ProtobufCMessage base;
    const char *key;
    struct lab_sample *value;
};

struct batch {
    ProtobufCMessage base;
    struct lab_sample *sample;
    struct {
        size_t count;
        struct lab_sample **data;
    } samples;
    struct {
        size_t count;
        struct named_entry **data;
    } named;
};

/* clang-format off */
static const ProtobufCFieldDescriptor entry_fields[] = {
    { .name = "key", .id = 1, .label = PROTOBUF_C_LABEL_REQUIRED, .type = PROTOBUF_C_TYPE_STRING,
      .offset = offsetof(struct named_entry, key),
      .default_value = "" },
    { .name = "value", .id = 2, .label = PROTOBUF_C_LABEL_OPTIONAL, .type = PROTOBUF_C_TYPE_MESSAGE,
      .offset = offsetof(struct named_entry, value),
      .descriptor = &lab_sample_descriptor },
};

static const ProtobufCMessageDescriptor entry_descriptor = {
    .magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
    .name = "lab.Batch.NamedEntry",
    .sizeof_message = sizeof(struct named_entry),
    .n_fields = 2,
    .fields = entry_fields,
};

static const struct varve_column entry_columns[] = {
    { .field = &entry_fields[0], .kind = VARVE_COLUMN_SCALAR },
    { .field = &entry_fields[1], .kind = VARVE_COLUMN_WIRE, .record = &lab_sample_record },
};

static const struct named_entry entry_initial = { .base = { .descriptor = &entry_descriptor }, .key = "" };

static const struct varve_record entry_record = {
    .descriptor = &entry_descriptor,
    .initial = &entry_initial,
    .columns = entry_columns,
    .column_count = 2,
    .flags = VARVE_RECORD_MAP_ENTRY | VARVE_RECORD_MAPS,
};

static const ProtobufCFieldDescriptor batch_fields[] = {
    { .name = "sample", .id = 1, .label = PROTOBUF_C_LABEL_OPTIONAL, .type = PROTOBUF_C_TYPE_MESSAGE,
      .offset = offsetof(struct batch, sample),
      .descriptor = &lab_sample_descriptor },
    { .name = "samples", .id = 2, .label = PROTOBUF_C_LABEL_REPEATED, .type = PROTOBUF_C_TYPE_MESSAGE,
      .offset = offsetof(struct batch, samples.data),
      .quantifier_offset = offsetof(struct batch, samples.count),
      .descriptor = &lab_sample_descriptor },
    { .name = "named", .id = 3, .label = PROTOBUF_C_LABEL_REPEATED, .type = PROTOBUF_C_TYPE_MESSAGE,
      .offset = offsetof(struct batch, named.data),
      .quantifier_offset = offsetof(struct batch, named.count),
      .descriptor = &entry_descriptor },
};

static const ProtobufCMessageDescriptor batch_descriptor = {
    .magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
    .name = "lab.Batch",
    .sizeof_message = sizeof(struct batch),
    .n_fields = 3,
    .fields = batch_fields,
};

static const struct varve_column batch_columns[] = {
    { .field = &batch_fields[0], .kind = VARVE_COLUMN_WIRE, .flags = VARVE_JSON_COPY, .record = &lab_sample_record },
    { .field = &batch_fields[1], .kind = VARVE_COLUMN_WIRE, .flags = VARVE_JSON_COPY, .record = &lab_sample_record },
    { .field = &batch_fields[2], .kind = VARVE_COLUMN_WIRE, .flags = VARVE_JSON_COPY | VARVE_MAP, .record = &entry_record },
};

static const struct batch batch_initial = { .base = { .descriptor = &batch_descriptor } };

static const struct varve_record batch_record = {
    .descriptor = &batch_descriptor,
    .initial = &batch_initial,
    .columns = batch_columns,
    .column_count = 3,
    .flags = VARVE_RECORD_MAPS,
};
/* clang-format on */

/* ------------------------------------------------------------------ a text, and what is asked of it */

static struct {
    struct varve__arena *arena;
    sqlite3 *database;
    struct lab_sample sample;
    struct batch batch;
} test;

static int
begin(void **state)
{
    (void)state;
    test.arena = varve__arena_create(16384);
    varve_record_init(&lab_sample_record, &test.sample);
    varve_record_init(&batch_record, &test.batch);
    test.batch.sample = &test.sample;
    return test.arena && sqlite3_open(":memory:", &test.database) == SQLITE_OK ? 0 : -1;
}

static int
end(void **state)
{
    (void)state;
    varve__arena_release(test.arena);
    return sqlite3_close(test.database) == SQLITE_OK ? 0 : -1;
}

static const struct varve_column *
column_of(const struct varve_record *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (strcmp(table->columns[i].field->name, name) == 0)
            return &table->columns[i];
    }
    fail_msg("no column %s", name);
    return NULL;
}

static const char *
terminated(const char *text, size_t size)
{
    char *copy = varve__arena_allocate(test.arena, size + 1);
    memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

/* The copy of this field, with a NUL. */
static const char *
copy_of(const struct varve_record *table, const void *record, const char *name)
{
    const char *text;
    size_t size;
    assert_int_equal(varve__record_check(table, record, VARVE__CHECK_LOADED, NULL), VARVE_OK);
    assert_int_equal(
        varve__json_encode_copy(table, column_of(table, name), record, test.arena, &text, &size),
        VARVE_OK);
    assert_ptr_equal(test.arena->next, text + varve__arena_round(size));
    return terminated(text, size);
}

static const char *
sample_copy(void)
{
    return copy_of(&batch_record, &test.batch, "sample");
}

/* The sample's copy as if its message had only these columns. */
static const char *
copy_with(const struct varve_column *columns, size_t count)
{
    const char *text;
    size_t size;
    struct varve_record part = lab_sample_record;
    struct varve_column column = batch_columns[0];
    part.columns = columns;
    part.column_count = count;
    column.record = &part;
    assert_int_equal(
        varve__json_encode_copy(&batch_record, &column, &test.batch, test.arena, &text, &size),
        VARVE_OK);
    return terminated(text, size);
}

/* The value of the SQL with `json` as ?1, as text; NULL for an SQL NULL. */
static const char *
ask(const char *sql, const char *json)
{
    sqlite3_stmt *statement;
    const char *copy = NULL;
    assert_int_equal(sqlite3_prepare_v2(test.database, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_bind_text(statement, 1, json, -1, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    const char *value = (const char *)sqlite3_column_text(statement, 0);
    if (value)
        copy = terminated(value, strlen(value));
    sqlite3_finalize(statement);
    return copy;
}

/* What json_extract finds at `path` of the sample's copy is `expected` (NULL: nothing, or null). */
static void
assert_found(const char *path, const char *expected)
{
    char sql[100];
    snprintf(sql, sizeof sql, "SELECT json_extract(?1, '$%s')", path);
    const char *found = ask(sql, sample_copy());
    if (found && expected)
        assert_string_equal(found, expected);
    else if (found || expected)
        fail_msg("%s: found %s", path, found ? found : "nothing");
}

/* ------------------------------------------------------------------ what is written */

static void
an_empty_message_shows_what_cannot_be_absent(void **state)
{
    (void)state;
    assert_string_equal(
        sample_copy(),
        "{\"id\":\"0\",\"name\":\"\",\"blob\":\"\",\"score\":0.0,\"mode\":0,\"ready\":false,"
        "\"tags\":[],\"counts\":[],\"metadata\":{},\"weights\":[],\"rows\":0,\"nodes\":{},"
        "\"blobs\":[],\"ratio\":0.0,\"shift\":\"0\",\"hash\":\"0\",\"flags\":[],\"modes\":[],"
        "\"offsets\":[],\"ratios\":[],\"columns\":\"0\"}");
}

static void
a_message_without_fields_is_an_empty_object(void **state)
{
    (void)state;
    assert_string_equal(copy_with(NULL, 0), "{}");
    assert_string_equal(copy_with(column_of(&lab_sample_record, "note"), 1), "{}");
}

static void
a_full_message_has_every_field_in_schema_order(void **state)
{
    (void)state;
    test.sample = full_sample();
    assert_string_equal(
        sample_copy(),
        "{\"id\":\"1234567890123\",\"name\":\"name \\\"quoted\\\"\\n\\u0001\",\"note\":\"\","
        "\"blob\":\"AAH/Ilw=\",\"score\":0.1,\"rank\":0,\"mode\":-1,\"ready\":true,"
        "\"tags\":[\"\",\"two\",\"dr\u00E9i\"],\"counts\":[0,-1,300,-2147483648],"
        "\"metadata\":{\"source\":\"sensor\",\"empty\":\"\"},"
        "\"root\":{\"value\":1,\"left\":{\"value\":-7,\"children\":[],\"label\":\"leaf\"},"
        "\"children\":[{\"value\":-7,\"children\":[],\"label\":\"leaf\"},"
        "{\"value\":-7,\"children\":[],\"label\":\"leaf\"}],\"label\":\"\"},"
        "\"text\":\"chosen\",\"weights\":[0.5,-0.25,1e+300,0.0,5.0,6.0],\"rows\":2,"
        "\"nodes\":{\"-5\":{\"value\":-7,\"children\":[],\"label\":\"leaf\"},"
        "\"6\":{\"value\":0,\"children\":[],\"label\":\"\"}},"
        "\"blobs\":[\"AAE=\",\"\"],\"raw\":\"\",\"ratio\":0.1,\"shift\":\"-64\","
        "\"hash\":\"18446744073709551615\",\"flags\":[true,false,true],\"modes\":[1,-1,77],"
        "\"offsets\":[\"-9223372036854775808\",\"-1\",\"9223372036854775807\"],"
        "\"ratios\":[0.1,-3.5],\"columns\":\"3\"}");
    assert_string_equal(ask("SELECT json_valid(?1)", sample_copy()), "1");
}

static void
only_the_chosen_member_of_a_oneof_is_written(void **state)
{
    (void)state;
    struct lab_node node = LAB_NODE_INIT;
    test.sample.choice_case = LAB_SAMPLE_CHOICE_NUMBER;
    assert_found(".number", "0");
    assert_found(".text", NULL);
    test.sample.choice_case = LAB_SAMPLE_CHOICE_NODE;
    test.sample.node = &node;
    assert_found(".number", NULL);
    assert_found(".node.value", "0");
    test.sample.choice_case = LAB_SAMPLE_CHOICE_NOT_SET;
    assert_found(".node", NULL);
}

static void
optional_fields_are_written_when_they_are_set(void **state)
{
    (void)state;
    uint8_t bytes[] = {1};
    test.sample.rank = 5; /* without has_rank: no value */
    test.sample.raw = (struct varve_bytes){1, bytes};
    assert_found(".rank", NULL);
    assert_found(".raw", NULL);
    assert_found(".note", NULL);
    test.sample.has_rank = 1;
    test.sample.has_raw = 1;
    test.sample.note = "";
    assert_found(".rank", "5");
    assert_found(".raw", "AQ==");
    assert_found(".note", "");
}

static void
unknown_fields_are_left_out(void **state)
{
    (void)state;
    uint8_t one = 1;
    struct lab_node node = LAB_NODE_INIT;
    ProtobufCMessageUnknownField unknown = {100, PROTOBUF_C_WIRE_TYPE_VARINT, 1, &one};
    node.base.n_unknown_fields = 1;
    node.base.unknown_fields = &unknown;
    test.sample.root = &node;
    assert_string_equal(
        copy_of(&lab_sample_record, &test.sample, "root"),
        "{\"value\":0,\"children\":[],\"label\":\"\"}");
}

static void
repeated_messages_are_an_array(void **state)
{
    (void)state;
    struct lab_sample full = full_sample();
    struct lab_sample *samples[] = {&full, &test.sample};
    assert_string_equal(copy_of(&batch_record, &test.batch, "samples"), "[]");
    test.batch.samples.count = 2;
    test.batch.samples.data = samples;
    const char *text = copy_of(&batch_record, &test.batch, "samples");
    assert_string_equal(ask("SELECT count(*) FROM json_each(?1)", text), "2");
    assert_string_equal(ask("SELECT json_extract(?1, '$[0].root.left.label')", text), "leaf");
    assert_string_equal(ask("SELECT json_extract(?1, '$[1].ready')", text), "0");
}

/* ------------------------------------------------------------------ maps */

static void
maps_of_messages_are_objects(void **state)
{
    (void)state;
    struct lab_sample full = full_sample();
    struct named_entry entries[] = {entry_initial, entry_initial};
    struct named_entry *pointers[] = {&entries[0], &entries[1]};
    assert_string_equal(copy_of(&batch_record, &test.batch, "named"), "{}");
    entries[0].key = "a \"key\"\n";
    entries[0].value = &full;
    /* key and value of the other are as they begin: "" and NULL, an empty sample */
    test.batch.named.count = 2;
    test.batch.named.data = pointers;
    const char *text = copy_of(&batch_record, &test.batch, "named");
    assert_string_equal(
        ask("SELECT key FROM json_each(?1) WHERE json_extract(value, '$.root.value') = 1", text),
        "a \"key\"\n");
    assert_string_equal(
        ask("SELECT json_extract(value, '$.score') FROM json_each(?1) WHERE key = ''", text),
        "0.0");
}

static void
of_repeated_keys_the_last_is_written(void **state)
{
    (void)state;
    static const int32_t keys[] = {3, 1, 3, 2, 1};
    struct lab_node nodes[5];
    struct lab_sample_nodes_entry entries[5];
    struct lab_sample_nodes_entry *pointers[5];
    for (size_t i = 0; i < 5; i++) {
        nodes[i] = (struct lab_node)LAB_NODE_INIT;
        entries[i] = (struct lab_sample_nodes_entry)LAB_SAMPLE_NODES_ENTRY_INIT;
        nodes[i].value = (int32_t)i;
        entries[i].key = keys[i];
        entries[i].value = &nodes[i];
        pointers[i] = &entries[i];
    }
    test.sample.nodes.count = 5;
    test.sample.nodes.data = pointers;
    assert_string_equal(
        copy_of(&lab_sample_record, &test.sample, "nodes"),
        "{\"3\":{\"value\":2,\"children\":[],\"label\":\"\"},"
        "\"2\":{\"value\":3,\"children\":[],\"label\":\"\"},"
        "\"1\":{\"value\":4,\"children\":[],\"label\":\"\"}}");
    assert_ptr_equal(pointers[0], &entries[0]);
    assert_found(".nodes.3.value", "2"); /* the same in a map of an embedded message */
}

/* ------------------------------------------------------------------ values */

static void
numbers_that_json_does_not_have(void **state)
{
    (void)state;
    double weights[] = {NAN, INFINITY, -INFINITY, -0.0};
    float ratios[] = {NAN, -INFINITY};
    test.sample.score = NAN;
    test.sample.ratio = INFINITY;
    test.sample.rows = 2;
    test.sample.columns = 2;
    test.sample.weights = (struct varve_doubles){4, weights};
    test.sample.ratios = (struct varve_floats){2, ratios};
    assert_non_null(strstr(sample_copy(), "\"weights\":[\"NaN\",9e999,-9e999,-0.0]"));
    assert_non_null(strstr(sample_copy(), "\"ratios\":[\"NaN\",-9e999]"));
    assert_string_equal(ask("SELECT json_valid(?1)", sample_copy()), "1");
    assert_found(".score", "NaN");
    assert_found(".ratio", "Inf");
    assert_found(".weights[2]", "-Inf");
}

/* The test vectors of RFC 4648, and every digit. The blob is the message's only field, so that a
 * bound which is too small cuts the text. */
static void
bytes_are_base64(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\x00\x10\x83\x10\x51\x87\x20\x92\x8B\x30\xD3\x8F\x41\x14\x93\x51\x55\x97\x61\x96\x9B\x71"
         "\xD7\x9F\x82\x18\xA3\x92\x59\xA7\xA2\x9A\xAB\xB2\xDB\xAF\xC3\x1C\xB3\xD3\x5D\xB7\xE3\x9E"
         "\xBB\xF3\xDF\xBF",
         "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char expected[100];
        size_t size = i == 7 ? 48 : strlen(texts[i][0]);
        uint8_t *bytes = malloc(size); /* nothing behind it is read */
        memcpy(bytes, texts[i][0], size);
        test.sample.blob = (struct varve_bytes){size, bytes};
        snprintf(expected, sizeof expected, "{\"blob\":\"%s\"}", texts[i][1]);
        assert_string_equal(copy_with(column_of(&lab_sample_record, "blob"), 1), expected);
        free(bytes);
    }
}

static void
the_deepest_nesting_that_is_allowed_is_written(void **state)
{
    (void)state;
    char path[600] = "$";
    char sql[700];
    struct lab_node *chain = node_chain(100);
    const char *text = copy_of(&lab_node_record, chain, "left");
    for (size_t i = 1; i < 100; i++)
        memcpy(path + strlen(path), ".left", 6);
    snprintf(sql, sizeof sql, "SELECT json_extract(?1, '%s.value')", path);
    assert_string_equal(ask(sql, text), "0");
    snprintf(sql, sizeof sql, "SELECT json_extract(?1, '%s.left')", path);
    assert_null(ask(sql, text));
}

static void
writing_without_memory_is_a_failure(void **state)
{
    (void)state;
    const char *text = "";
    size_t size = 1;
    enum varve_status status = VARVE_NO_MEMORY;
    struct lab_sample full = full_sample();
    test.batch.sample = &full;
    for (size_t fail_at = 2; status != VARVE_OK; fail_at++) {
        count_allocations(fail_at);
        struct varve__arena *small = varve__arena_create(0);
        status = varve__json_encode_copy(
            &batch_record, &batch_columns[0], &test.batch, small, &text, &size);
        varve__arena_release(small);
        bool failed = stop_counting() >= fail_at;
        assert_int_equal(status, failed ? VARVE_NO_MEMORY : VARVE_OK);
        assert_int_equal(text == NULL, failed);
        assert_int_equal(size == 0, failed);
        assert_in_range(fail_at, 2, 10);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(an_empty_message_shows_what_cannot_be_absent),
        TEST(a_message_without_fields_is_an_empty_object),
        TEST(a_full_message_has_every_field_in_schema_order),
        TEST(only_the_chosen_member_of_a_oneof_is_written),
        TEST(optional_fields_are_written_when_they_are_set),
        TEST(unknown_fields_are_left_out),
        TEST(repeated_messages_are_an_array),
        TEST(maps_of_messages_are_objects),
        TEST(of_repeated_keys_the_last_is_written),
        TEST(numbers_that_json_does_not_have),
        TEST(bytes_are_base64),
        TEST(the_deepest_nesting_that_is_allowed_is_written),
        TEST(writing_without_memory_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
