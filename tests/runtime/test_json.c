/* JSON columns: every scalar type as element, key and value; what is refused; SQLite and Python as
 * second opinions. The tables are made here, in the shape that the generator writes, so that each
 * type is one line. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp, popen, setenv */

#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "support.h"

#include "base/arena.h"
#include "base/error.h"
#include "codec/field.h"
#include "codec/json.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ------------------------------------------------------------------ fixture */

union scalar {
    int32_t int32;
    uint32_t uint32;
    int64_t int64;
    uint64_t uint64;
    float real32;
    double real64;
    protobuf_c_boolean boolean;
    const char *string;
};

struct entry {
    ProtobufCMessage base;
    union scalar key;
    union scalar value;
};

struct sample {
    ProtobufCMessage base;
    struct varve__list list;
};

/* The message lab.Sample with the one field "things", 7: repeated, or a map. */
struct schema {
    ProtobufCFieldDescriptor field;
    ProtobufCFieldDescriptor entry_fields[2];
    ProtobufCMessageDescriptor descriptor;
    ProtobufCMessageDescriptor entry_descriptor;
    struct entry entry_initial;
    struct varve_record entry_record;
    struct varve_column column;
    struct varve_record record;
};

enum {
    NO_KEY = -1 /* an array */
};

static struct varve__arena *arena;
static struct schema schema;
static struct sample sample;

/* Makes `schema` and an empty `sample`. */
static void
use(int key_type, ProtobufCType type)
{
    bool map = key_type != NO_KEY;
    memset(&schema, 0, sizeof schema);
    schema.descriptor.name = "lab.Sample";
    schema.field.name = "things";
    schema.field.id = 7;
    schema.field.label = PROTOBUF_C_LABEL_REPEATED;
    schema.field.type = map ? PROTOBUF_C_TYPE_MESSAGE : type;
    schema.field.offset = offsetof(struct sample, list.data);
    schema.field.quantifier_offset = offsetof(struct sample, list.count);
    schema.column.field = &schema.field;
    schema.column.kind = VARVE_COLUMN_JSON;
    schema.record.descriptor = &schema.descriptor;
    schema.record.columns = &schema.column;
    schema.record.column_count = 1;
    sample = (struct sample){.base = {.descriptor = &schema.descriptor}};
    if (!map)
        return;
    schema.column.flags = VARVE_MAP;
    schema.column.record = &schema.entry_record;
    schema.entry_record.descriptor = &schema.entry_descriptor;
    schema.entry_record.initial = &schema.entry_initial;
    schema.entry_descriptor.name = "lab.Sample.ThingsEntry";
    schema.entry_descriptor.sizeof_message = sizeof(struct entry);
    schema.entry_descriptor.fields = schema.entry_fields;
    schema.entry_fields[0].id = 1;
    schema.entry_fields[0].type = (ProtobufCType)key_type;
    schema.entry_fields[0].offset = offsetof(struct entry, key);
    schema.entry_fields[1].id = 2;
    schema.entry_fields[1].type = type;
    schema.entry_fields[1].offset = offsetof(struct entry, value);
    schema.entry_initial.base.descriptor = &schema.entry_descriptor;
}

/* The text of `sample`, with a NUL. */
static const char *
encode(void)
{
    const char *text;
    size_t size;
    enum varve_status status =
        varve__json_encode(&schema.record, &schema.column, &sample, arena, &text, &size);
    if (status != VARVE_OK)
        fail_msg("%s", varve__thread_error());
    char *copy = varve__arena_allocate(arena, size + 1);
    memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

/* Reads a copy of the text that has nothing behind it, so that no byte too many is read unseen. */
static enum varve_status
decode_bytes(const char *text, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);
    memcpy(copy, text, size);
    enum varve_status status =
        varve__json_decode(&schema.record, &schema.column, copy, size, arena, &sample);
    free(copy);
    return status;
}

static void
decode(const char *text)
{
    if (decode_bytes(text, strlen(text)) != VARVE_OK)
        fail_msg("%s: %s", text, varve__thread_error());
}

/* The text is refused, with this in the sentence. */
static void
assert_refused(const char *text, const char *sentence)
{
    if (decode_bytes(text, strlen(text)) != VARVE_TYPE)
        fail_msg("%s was read", text);
    if (!strstr(varve__thread_error(), sentence))
        fail_msg("%s: no \"%s\" in: %s", text, sentence, varve__thread_error());
}

/* Puts one element, or one entry, into `sample`. */
static void
set_element(const union scalar *value)
{
    sample.list = (struct varve__list){1, varve__arena_allocate(arena, sizeof *value)};
    memcpy(sample.list.data, value, sizeof *value);
}

static struct entry *
add_entry(void)
{
    struct entry **entries =
        varve__arena_allocate(arena, (sample.list.count + 1) * sizeof *entries);
    struct entry *entry = varve__arena_allocate(arena, sizeof *entry);
    if (sample.list.count > 0)
        memcpy(entries, sample.list.data, sample.list.count * sizeof *entries);
    *entry = schema.entry_initial;
    entries[sample.list.count++] = entry;
    sample.list.data = entries;
    return entry;
}

static struct entry *
entry_at(size_t index)
{
    assert_true(index < sample.list.count);
    return ((struct entry **)sample.list.data)[index];
}

static const char *
string_at(size_t index)
{
    assert_true(index < sample.list.count);
    return ((const char **)sample.list.data)[index];
}

static int
begin(void **state)
{
    (void)state;
    arena = varve__arena_create(16384);
    return arena ? 0 : -1;
}

static int
end(void **state)
{
    (void)state;
    varve__arena_release(arena);
    return 0;
}

/* For what this machine lacks: an error where everything must be there. */
static void
missing(const char *what)
{
    print_message("%s is missing on this machine\n", what);
    if (getenv("CI"))
        fail();
    skip();
}

/* Deterministic, so that a failure comes again. */
static uint64_t
random_bits(void)
{
    static uint64_t state = UINT64_C(0x9E3779B97F4A7C15);
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * UINT64_C(0x2545F4914F6CDD1D);
}

/* ------------------------------------------------------------------ every type */

struct value {
    ProtobufCType type;
    const char *json;
    union scalar value;
};

static const struct value values[] = {
    {PROTOBUF_C_TYPE_INT32, "0", {.int32 = 0}},
    {PROTOBUF_C_TYPE_INT32, "-2147483648", {.int32 = INT32_MIN}},
    {PROTOBUF_C_TYPE_SINT32, "2147483647", {.int32 = INT32_MAX}},
    {PROTOBUF_C_TYPE_SFIXED32, "-2147483648", {.int32 = INT32_MIN}},
    {PROTOBUF_C_TYPE_ENUM, "-1", {.int32 = -1}},
    {PROTOBUF_C_TYPE_ENUM, "2147483647", {.int32 = INT32_MAX}},
    {PROTOBUF_C_TYPE_UINT32, "4294967295", {.uint32 = UINT32_MAX}},
    {PROTOBUF_C_TYPE_FIXED32, "4294967295", {.uint32 = UINT32_MAX}},
    {PROTOBUF_C_TYPE_INT64, "\"-9223372036854775808\"", {.int64 = INT64_MIN}},
    {PROTOBUF_C_TYPE_SINT64, "\"9223372036854775807\"", {.int64 = INT64_MAX}},
    {PROTOBUF_C_TYPE_SFIXED64, "\"-1\"", {.int64 = -1}},
    {PROTOBUF_C_TYPE_UINT64, "\"18446744073709551615\"", {.uint64 = UINT64_MAX}},
    {PROTOBUF_C_TYPE_FIXED64, "\"9223372036854775808\"", {.uint64 = UINT64_C(1) << 63}},
    {PROTOBUF_C_TYPE_BOOL, "true", {.boolean = 1}},
    {PROTOBUF_C_TYPE_BOOL, "false", {.boolean = 0}},
    {PROTOBUF_C_TYPE_FLOAT, "0", {.real32 = 0.0f}},
    {PROTOBUF_C_TYPE_FLOAT, "-0.0", {.real32 = -0.0f}},
    {PROTOBUF_C_TYPE_FLOAT, "0.1", {.real32 = 0.1f}},
    {PROTOBUF_C_TYPE_FLOAT, "16777216", {.real32 = 16777216.0f}},
    {PROTOBUF_C_TYPE_FLOAT, "0.33333334", {.real32 = 1.0f / 3.0f}},
    {PROTOBUF_C_TYPE_FLOAT, "15673.1045", {.real32 = 15673.1045f}},
    {PROTOBUF_C_TYPE_FLOAT, "3.4028235e+38", {.real32 = FLT_MAX}},
    {PROTOBUF_C_TYPE_FLOAT, "1.1754944e-38", {.real32 = FLT_MIN}},
    {PROTOBUF_C_TYPE_FLOAT, "1.4013e-45", {.real32 = FLT_TRUE_MIN}},
    {PROTOBUF_C_TYPE_FLOAT, "9e999", {.real32 = INFINITY}},
    {PROTOBUF_C_TYPE_DOUBLE, "-0.0", {.real64 = -0.0}},
    {PROTOBUF_C_TYPE_DOUBLE, "0.1", {.real64 = 0.1}},
    {PROTOBUF_C_TYPE_DOUBLE, "0.3333333333333333", {.real64 = 1.0 / 3.0}},
    {PROTOBUF_C_TYPE_DOUBLE, "0.30000000000000004", {.real64 = 0.1 + 0.2}},
    {PROTOBUF_C_TYPE_DOUBLE, "1.7976931348623157e+308", {.real64 = DBL_MAX}},
    {PROTOBUF_C_TYPE_DOUBLE, "2.2250738585072014e-308", {.real64 = DBL_MIN}},
    {PROTOBUF_C_TYPE_DOUBLE, "4.94065645841247e-324", {.real64 = DBL_TRUE_MIN}},
    {PROTOBUF_C_TYPE_DOUBLE, "-1e+300", {.real64 = -1e300}},
    {PROTOBUF_C_TYPE_DOUBLE, "-9e999", {.real64 = -INFINITY}},
    {PROTOBUF_C_TYPE_STRING, "\"\"", {.string = ""}},
    {PROTOBUF_C_TYPE_STRING, "\"plain\"", {.string = "plain"}},
    {PROTOBUF_C_TYPE_STRING,
     "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7F\"",
     {.string = "\"\\/\b\f\n\r\t\x01\x1F\x7F"}},
    {PROTOBUF_C_TYPE_STRING,
     "\"\u00E9\u4E2D\U0001F600\U0010FFFF\"",
     {.string = "\u00E9\u4E2D\U0001F600\U0010FFFF"}},
};

static bool
may_be_key(ProtobufCType type)
{
    return type != PROTOBUF_C_TYPE_FLOAT && type != PROTOBUF_C_TYPE_DOUBLE &&
           type != PROTOBUF_C_TYPE_ENUM;
}

static void
assert_value(const struct value *expected, const union scalar *value)
{
    if (expected->type == PROTOBUF_C_TYPE_STRING)
        assert_string_equal(value->string, expected->value.string);
    else
        assert_memory_equal(value, &expected->value, varve__element_size(expected->type));
}

static void
elements_of_every_type_go_there_and_back(void **state)
{
    (void)state;
    for (const struct value *value = values; value < values + COUNT(values); value++) {
        char text[160];
        snprintf(text, sizeof text, "[%s]", value->json);
        use(NO_KEY, value->type);
        set_element(&value->value);
        assert_string_equal(encode(), text);
        snprintf(text, sizeof text, " [\t%s\r,\n%s ] ", value->json, value->json);
        decode(text);
        assert_int_equal(sample.list.count, 2);
        const char *second = (char *)sample.list.data + varve__element_size(value->type);
        union scalar read = {0};
        memcpy(&read, second, varve__element_size(value->type));
        assert_value(value, &read);
    }
}

static void
values_of_every_type_go_there_and_back(void **state)
{
    (void)state;
    for (const struct value *value = values; value < values + COUNT(values); value++) {
        char text[160];
        snprintf(text, sizeof text, "{\"a \\\"key\\\"\":%s}", value->json);
        use(PROTOBUF_C_TYPE_STRING, value->type);
        add_entry()->key.string = "a \"key\"";
        entry_at(0)->value = value->value;
        assert_string_equal(encode(), text);
        snprintf(text, sizeof text, " { \"a\" : %s ,\"b\":%s }\n", value->json, value->json);
        decode(text);
        assert_int_equal(sample.list.count, 2);
        assert_string_equal(entry_at(1)->key.string, "b");
        assert_value(value, &entry_at(1)->value);
        assert_ptr_equal(entry_at(1)->base.descriptor, &schema.entry_descriptor);
    }
}

static void
keys_of_every_type_go_there_and_back(void **state)
{
    (void)state;
    for (const struct value *value = values; value < values + COUNT(values); value++) {
        char text[160];
        if (!may_be_key(value->type))
            continue;
        const char *quote = value->json[0] == '"' ? "" : "\"";
        snprintf(text, sizeof text, "{%s%s%s:1}", quote, value->json, quote);
        use((int)value->type, PROTOBUF_C_TYPE_INT32);
        add_entry()->key = value->value;
        entry_at(0)->value.int32 = 1;
        assert_string_equal(encode(), text);
        decode(text);
        assert_int_equal(sample.list.count, 1);
        assert_value(value, &entry_at(0)->key);
        assert_int_equal(entry_at(0)->value.int32, 1);
    }
}

static void
empty_fields_are_empty_texts(void **state)
{
    (void)state;
    use(NO_KEY, PROTOBUF_C_TYPE_STRING);
    assert_string_equal(encode(), "[]");
    decode("[\"a\"]");
    decode(" [ ] ");
    assert_int_equal(sample.list.count, 0);
    assert_null(sample.list.data);
    use(PROTOBUF_C_TYPE_BOOL, PROTOBUF_C_TYPE_STRING);
    assert_string_equal(encode(), "{}");
    decode("{\"true\":\"a\"}");
    decode("\n{ }\n");
    assert_int_equal(sample.list.count, 0);
    assert_null(sample.list.data);
}

static void
any_bool_that_is_not_0_is_true(void **state)
{
    (void)state;
    use(PROTOBUF_C_TYPE_BOOL, PROTOBUF_C_TYPE_BOOL);
    add_entry()->key.boolean = 2;
    entry_at(0)->value.boolean = -1;
    assert_string_equal(encode(), "{\"true\":true}");
}

static void
random_floats_go_there_and_back(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        union scalar value = {.uint64 = random_bits()};
        ProtobufCType type = i % 2 ? PROTOBUF_C_TYPE_FLOAT : PROTOBUF_C_TYPE_DOUBLE;
        if (i % 2 ? isnan(value.real32) : isnan(value.real64))
            continue;
        varve__arena_reset(arena);
        use(NO_KEY, type);
        set_element(&value);
        const char *text = encode();
        decode(text);
        assert_memory_equal(sample.list.data, &value, varve__element_size(type));
    }
}

/* ------------------------------------------------------------------ writing */

/* Writing fails for a NaN, and the sentence tells the place. */
static void
assert_nan(const char *place)
{
    const char *text = "";
    size_t size = 1;
    assert_int_equal(
        varve__json_encode(&schema.record, &schema.column, &sample, arena, &text, &size),
        VARVE_INVALID);
    assert_null(text);
    assert_int_equal(size, 0);
    assert_failure(VARVE_FAILURE_NAN, place);
    assert_string_equal(varve__thread_failure()->record, "lab.Sample");
    assert_int_equal(varve__thread_failure()->fields[0], 7);
}

static void
nan_elements_are_refused(void **state)
{
    (void)state;
    float floats[] = {1, NAN};
    use(NO_KEY, PROTOBUF_C_TYPE_FLOAT);
    sample.list = (struct varve__list){2, floats};
    assert_nan("lab.Sample.things: element 1 is NaN");
    assert_int_equal(varve__thread_failure()->field_count, 1);
}

static void
nan_values_are_refused_by_key(void **state)
{
    (void)state;
    use(PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_DOUBLE);
    add_entry()->key.string = "fine";
    add_entry()->key.string = "lo\"ss";
    entry_at(1)->value.real64 = NAN;
    assert_nan("lab.Sample.things: the value of key \"lo\\\"ss\" is NaN");
    assert_int_equal(varve__thread_failure()->field_count, 2);
    assert_int_equal(varve__thread_failure()->fields[1], 2);
    char key[1000];
    memset(key, 'k', sizeof key);
    key[sizeof key - 1] = '\0';
    entry_at(1)->key.string = key;
    assert_nan("kkk is NaN, which a column cannot hold"); /* what it says stands behind the key */
}

static void
of_repeated_keys_the_last_is_written(void **state)
{
    (void)state;
    static const char *const keys[] = {"b", "a", "b", "c", "a"};
    use(PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_INT32);
    for (size_t i = 0; i < COUNT(keys); i++) {
        add_entry()->key.string = keys[i];
        entry_at(i)->value.int32 = (int)i;
    }
    assert_string_equal(encode(), "{\"b\":2,\"c\":3,\"a\":4}");
    assert_int_equal(sample.list.count, 5);
    assert_string_equal(entry_at(0)->key.string, "b");
}

static void
a_nan_under_a_dropped_key_is_no_failure(void **state)
{
    (void)state;
    use(PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_DOUBLE);
    add_entry()->value.real64 = NAN;
    add_entry()->value.real64 = 1;
    assert_string_equal(encode(), "{\"0\":1}");
}

/* Descending keys with each twice; comparing pair by pair would take minutes. */
static void
large_maps_are_unique_in_good_time(void **state)
{
    (void)state;
    enum {
        KEYS = 200000
    };
    use(PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_BOOL);
    char *text = malloc(2 * KEYS * 20 + 3);
    size_t length = 0;
    for (int i = 0; i < 2 * KEYS; i++)
        length += (size_t)sprintf(
            text + length, "%c\"%d\":%s", i > 0 ? ',' : '{', KEYS - i % KEYS,
            i < KEYS ? "false" : "true");
    strcpy(text + length, "}");
    decode(text);
    free(text);
    assert_int_equal(sample.list.count, KEYS);
    for (int i = 0; i < KEYS; i++) {
        assert_int_equal(entry_at((size_t)i)->key.int64, KEYS - i);
        assert_true(entry_at((size_t)i)->value.boolean);
    }
    const char *again = encode();
    assert_memory_equal(again, "{\"200000\":true,\"199999\":true,", 29);
}

static void
repeated_neighbours_in_a_large_map_count_once(void **state)
{
    (void)state;
    use(PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_TYPE_INT32);
    for (size_t i = 0; i < 40; i++) {
        add_entry()->key.uint32 = (uint32_t)i / 2;
        entry_at(i)->value.int32 = (int32_t)i;
    }
    decode(encode());
    assert_int_equal(sample.list.count, 20);
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(entry_at(i)->value.int32, 2 * i + 1);
}

static void
a_text_takes_only_its_size_of_the_arena(void **state)
{
    (void)state;
    const char *text;
    size_t size;
    use(PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_DOUBLE);
    for (int32_t i = 0; i < 20; i++)
        add_entry()->key.int32 = -i;
    assert_int_equal(
        varve__json_encode(&schema.record, &schema.column, &sample, arena, &text, &size), VARVE_OK);
    assert_ptr_equal(arena->next, text + varve__arena_round(size));
}

/* ------------------------------------------------------------------ reading */

static void
integers_are_read_from_any_number_that_is_whole(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {
        {"[12]", 12},
        {"[\"12\"]", 12},
        {"[-0]", 0},
        {"[5.0]", 5},
        {"[\"5.0\"]", 5},
        {"[1e3]", 1000},
        {"[-1E+3]", -1000},
        {"[1200e-2]", 12},
        {"[0.05e2]", 5},
        {"[1.50e1]", 15},
        {"[0e99999999999999999999]", 0},
        {"[0.000]", 0},
        {"[9223372036854775807]", INT64_MAX},
        {"[-9223372036854775808]", INT64_MIN},
        {"[922337203685477580.7e1]", INT64_MAX},
        {"[9223372036854775807.000000000000000000000]", INT64_MAX},
        {"[1000000000000000000000000000e-27]", 1},
        {"[0.000000000000000000000000000001e30]", 1},
    };
    use(NO_KEY, PROTOBUF_C_TYPE_INT64);
    for (size_t i = 0; i < COUNT(cases); i++) {
        decode(cases[i].text);
        assert_int_equal(sample.list.count, 1);
        assert_int_equal(*(int64_t *)sample.list.data, cases[i].value);
    }
    use(NO_KEY, PROTOBUF_C_TYPE_UINT64);
    decode("[18446744073709551615.0]");
    assert_true(*(uint64_t *)sample.list.data == UINT64_MAX);
}

static void
integers_out_of_range_are_refused(void **state)
{
    (void)state;
    static const struct {
        ProtobufCType type;
        const char *text;
    } cases[] = {
        {PROTOBUF_C_TYPE_INT32, "[2147483648]"},
        {PROTOBUF_C_TYPE_SINT32, "[-2147483649]"},
        {PROTOBUF_C_TYPE_SFIXED32, "[\"2147483648\"]"},
        {PROTOBUF_C_TYPE_ENUM, "[1e10]"},
        {PROTOBUF_C_TYPE_UINT32, "[4294967296]"},
        {PROTOBUF_C_TYPE_UINT32, "[-1]"},
        {PROTOBUF_C_TYPE_FIXED32, "[42949672950e-1,4294967296]"},
        {PROTOBUF_C_TYPE_INT64, "[9223372036854775808]"},
        {PROTOBUF_C_TYPE_SINT64, "[\"-9223372036854775809\"]"},
        {PROTOBUF_C_TYPE_SFIXED64, "[1e19]"},
        {PROTOBUF_C_TYPE_UINT64, "[18446744073709551616]"},
        {PROTOBUF_C_TYPE_UINT64, "[-1]"},
        {PROTOBUF_C_TYPE_FIXED64, "[1e999999999999999999999]"},
        {PROTOBUF_C_TYPE_INT64, "[1e-1]"},
        {PROTOBUF_C_TYPE_INT64, "[0.5]"},
        {PROTOBUF_C_TYPE_INT64, "[1e-99999999999999999999]"},
        {PROTOBUF_C_TYPE_INT64, "[10000000000000000000000000000001]"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        use(NO_KEY, cases[i].type);
        assert_refused(cases[i].text, "expected an integer from ");
    }
}

static void
long_numbers_are_read_exactly(void **state)
{
    (void)state;
    char text[3000] = "[0.1";
    use(NO_KEY, PROTOBUF_C_TYPE_DOUBLE);
    memset(text + 4, '0', 2000);
    strcpy(text + 2004, "1e1]");
    decode(text);
    assert_true(*(double *)sample.list.data == 1.0);
    /* Halfway between 1 and the next double: a later digit decides. */
    decode("[1.00000000000000011102230246251565404236316680908203125]");
    assert_true(*(double *)sample.list.data == 1.0);
    decode("[1.00000000000000011102230246251565404236316680908203125000000000000000000001]");
    assert_true(*(double *)sample.list.data == 1.0 + DBL_EPSILON);
    char digits[24003];
    memset(digits, '9', sizeof digits);
    digits[0] = '[';
    memcpy(digits + 24001, "]", 2); /* 24000 digits, in memory of their own */
    decode(digits);
    assert_true(*(double *)sample.list.data == INFINITY);
    use(NO_KEY, PROTOBUF_C_TYPE_FLOAT);
    decode("[1.000000059604644775390625000000000000000000000000000001]"); /* not rounded twice */
    assert_true(*(float *)sample.list.data == 1.0f + FLT_EPSILON);
}

static void
numbers_beyond_a_double_are_infinities(void **state)
{
    (void)state;
    use(NO_KEY, PROTOBUF_C_TYPE_DOUBLE);
    decode("[9e999,-9.0e+999,1e-999]");
    const double *doubles = sample.list.data;
    assert_true(doubles[0] == INFINITY && doubles[1] == -INFINITY && doubles[2] == 0);
    use(NO_KEY, PROTOBUF_C_TYPE_FLOAT);
    decode("[9e999,-9e999]");
    const float *floats = sample.list.data;
    assert_true(floats[0] == INFINITY && floats[1] == -INFINITY);
    assert_refused("[1,1e39]", "at byte 3: expected a number in the range of a 32-bit float");
}

static void
every_escape_is_read(void **state)
{
    (void)state;
    use(NO_KEY, PROTOBUF_C_TYPE_STRING);
    decode("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u0041\\u00e9\\u4E2d\\uD83D\\uDE00\\uDBFF\\uDFFFz\","
           "\"a\\u000Ab\\u0001\"]");
    assert_int_equal(sample.list.count, 3);
    assert_string_equal(string_at(0), "\"\\/\b\f\n\r\t");
    assert_string_equal(string_at(1), "A\u00E9\u4E2D\U0001F600\U0010FFFFz");
    assert_string_equal(string_at(2), "a\nb\x01");
}

static void
commas_and_brackets_in_strings_are_text(void **state)
{
    (void)state;
    use(PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_STRING);
    decode("{\",\\\",]}\":\"{[,\\\\\",\"\":\"\"}");
    assert_int_equal(sample.list.count, 2);
    assert_string_equal(entry_at(0)->key.string, ",\",]}");
    assert_string_equal(entry_at(0)->value.string, "{[,\\");
    assert_string_equal(entry_at(1)->key.string, "");
}

static void
commas_in_strings_take_no_elements(void **state)
{
    (void)state;
    char text[305];
    snprintf(text, sizeof text, "[\"%0300d\"]", 0);
    memset(text + 2, ',', 300);
    use(NO_KEY, PROTOBUF_C_TYPE_STRING);
    const uint8_t *before = arena->next;
    decode(text);
    assert_int_equal(strlen(string_at(0)), 300);
    assert_in_range(arena->next - before, 300, 320);
}

static void
of_repeated_keys_the_last_is_read(void **state)
{
    (void)state;
    use(PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_STRING);
    decode("{\"1\":\"a\",\"2\":\"b\",\"1.0\":\"c\"}");
    assert_int_equal(sample.list.count, 2);
    assert_int_equal(entry_at(0)->key.int32, 2);
    assert_string_equal(entry_at(1)->value.string, "c");
}

/* ------------------------------------------------------------------ refusals */

enum shape {
    INTS,
    BIGS,
    DOUBLES,
    BOOLS,
    STRINGS,
    TEXTS,   /* map<string, string> */
    BY_INT,  /* map<int32, int32> */
    BY_BOOL, /* map<bool, int32> */
};

static void
use_shape(enum shape shape)
{
    static const struct {
        int key;
        ProtobufCType type;
    } shapes[] = {
        [INTS] = {NO_KEY, PROTOBUF_C_TYPE_INT32},
        [BIGS] = {NO_KEY, PROTOBUF_C_TYPE_INT64},
        [DOUBLES] = {NO_KEY, PROTOBUF_C_TYPE_DOUBLE},
        [BOOLS] = {NO_KEY, PROTOBUF_C_TYPE_BOOL},
        [STRINGS] = {NO_KEY, PROTOBUF_C_TYPE_STRING},
        [TEXTS] = {PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_STRING},
        [BY_INT] = {PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_INT32},
        [BY_BOOL] = {PROTOBUF_C_TYPE_BOOL, PROTOBUF_C_TYPE_INT32},
    };
    use(shapes[shape].key, shapes[shape].type);
}

static const struct {
    enum shape shape;
    const char *text;
    int byte;
    const char *expected;
} malformed[] = {
    {INTS, "", 0, "an array, [..], found the end;"},
    {INTS, " \n", 2, "an array, [..], found the end;"},
    {INTS, "{}", 0, "an array, [..], found '{';"},
    {INTS, "null", 0, "an array, [..], found 'n';"},
    {INTS, "7", 0, "an array, [..]"},
    {INTS, "\xEF\xBB\xBF[]", 0, "an array, [..], found byte 0xEF;"},
    {INTS, "[", 1, "an integer"},
    {INTS, "[1", 2, "a comma or ]"},
    {INTS, "[1,", 3, "an integer"},
    {INTS, "[1,]", 3, "an integer"},
    {INTS, "[,1]", 1, "an integer"},
    {INTS, "[1 2]", 3, "a comma or ], found '2'"},
    {INTS, "[1}", 2, "a comma or ]"},
    {INTS, "[1]]", 3, "the end of the text"},
    {INTS, "[1] x", 4, "the end of the text, found 'x'"},
    {INTS, "[null]", 1, "an integer from -2147483648 to 2147483647, found 'n'"},
    {INTS, "[[1]]", 1, "an integer"},
    {INTS, "[{}]", 1, "an integer"},
    {INTS, "[true]", 1, "an integer"},
    {INTS, "[01]", 1, "an integer"},
    {INTS, "[-]", 1, "an integer"},
    {INTS, "[+1]", 1, "an integer"},
    {INTS, "[.5]", 1, "an integer"},
    {INTS, "[1.]", 1, "an integer"},
    {INTS, "[1e]", 1, "an integer"},
    {INTS, "[1e+]", 1, "an integer"},
    {INTS, "[0x10]", 2, "a comma or ]"},
    {INTS, "[\"\"]", 2, "an integer"},
    {INTS, "[\" 1\"]", 2, "an integer"},
    {INTS, "[\"1 \"]", 3, "the quote that ends the value"},
    {INTS, "[\"1]", 3, "the quote that ends the value"},
    {INTS, "[1\v]", 2, "a comma or ], found byte 0x0B"},
    {INTS, "[1]\xC2\xA0", 3, "the end of the text, found byte 0xC2"},
    {BIGS, "[\"1\",\"x\"]", 6, "an integer from -9223372036854775808 to"},
    {DOUBLES, "[\"1.5\"]", 1, "a number"},
    {DOUBLES, "[NaN]", 1, "a number"},
    {DOUBLES, "[Infinity]", 1, "a number"},
    {DOUBLES, "[1,5.]", 3, "a number"},
    {DOUBLES, "[-.5]", 1, "a number"},
    {DOUBLES, "[00.5]", 1, "a number"},
    {DOUBLES, "[1e5e5]", 4, "a comma or ]"},
    {DOUBLES, "[1f]", 2, "a comma or ]"},
    {DOUBLES, "[0x1p3]", 2, "a comma or ]"},
    {BOOLS, "[1]", 1, "true or false"},
    {BOOLS, "[True]", 1, "true or false"},
    {BOOLS, "[\"true\"]", 1, "true or false"},
    {BOOLS, "[truex]", 5, "a comma or ]"},
    {BOOLS, "[tru", 1, "true or false"},
    {STRINGS, "[1]", 1, "a string in quotes"},
    {STRINGS, "[null]", 1, "a string in quotes"},
    {STRINGS, "['a']", 1, "a string in quotes"},
    {STRINGS, "[\"a]", 4, "the quote that ends the string"},
    {STRINGS, "[\"a\nb\"]", 3, "control characters as escapes"},
    {STRINGS, "[\"\\x\"]", 2, "an escape such as"},
    {STRINGS, "[\"\\", 2, "an escape such as"},
    {STRINGS, "[\"\\u12\"]", 2, "four hexadecimal digits"},
    {STRINGS, "[\"\\u12g4\"]", 2, "four hexadecimal digits"},
    {STRINGS, "[\"\\u+123\"]", 2, "four hexadecimal digits"},
    {STRINGS, "[\"ab\\u0000\"]", 4, "a string without \\u0000"},
    {STRINGS, "[\"\\ud83d\"]", 2, "both halves of a surrogate pair"},
    {STRINGS, "[\"\\ud83d\\n\"]", 2, "both halves of a surrogate pair"},
    {STRINGS, "[\"\\ud83d\\u0041\"]", 2, "both halves of a surrogate pair"},
    {STRINGS, "[\"\\ud83d\\ud83d\"]", 2, "both halves of a surrogate pair"},
    {STRINGS, "[\"\\ud83d\\ue000\"]", 2, "both halves of a surrogate pair"},
    {STRINGS, "[\"\\ude00\\ud83d\"]", 2, "both halves of a surrogate pair"},
    {STRINGS, "[\"ab\xFF\"]", 4, "a string in UTF-8, found byte 0xFF"},
    {STRINGS, "[\"\xC0\x80\"]", 2, "a string in UTF-8"},
    {STRINGS, "[\"\xED\xA0\x80\"]", 2, "a string in UTF-8"},
    {STRINGS, "[\"\xE4\xB8\"]", 2, "a string in UTF-8"},
    {TEXTS, "[]", 0, "an object, {..}"},
    {TEXTS, "{\"a\"}", 4, "a colon behind the key"},
    {TEXTS, "{\"a\" \"b\"}", 5, "a colon behind the key"},
    {TEXTS, "{\"a\":}", 5, "a string in quotes"},
    {TEXTS, "{\"a\":null}", 5, "a string in quotes"},
    {TEXTS, "{\"a\":\"b\",}", 9, "a key in quotes"},
    {TEXTS, "{a:\"b\"}", 1, "a key in quotes"},
    {TEXTS, "{\"a\":\"b\"]", 8, "a comma or }"},
    {TEXTS, "{\"a\":{\"b\":\"c\"}}", 5, "a string in quotes"},
    {BY_INT, "{1:1}", 1, "a key in quotes"},
    {BY_INT, "{\"x\":1}", 2, "an integer"},
    {BY_INT, "{\"1x\":1}", 3, "the quote that ends the value"},
    {BY_INT, "{\"0.5\":1}", 2, "an integer"},
    {BY_BOOL, "{\"1\":1}", 2, "true or false"},
    {BY_BOOL, "{\"true:1}", 6, "the quote that ends the value"},
};

static void
malformed_texts_are_refused_with_their_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(malformed); i++) {
        char sentence[200];
        snprintf(
            sentence, sizeof sentence,
            "lab.Sample.things: its JSON text cannot be read at byte %d: expected %s",
            malformed[i].byte, malformed[i].expected);
        use_shape(malformed[i].shape);
        assert_refused(malformed[i].text, sentence);
        assert_int_equal(varve__thread_failure()->fields[0], 7);
    }
}

static void
a_nul_byte_is_refused_everywhere(void **state)
{
    (void)state;
    static const char text[] = "[\"ab\"] ";
    use_shape(STRINGS);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        char damaged[sizeof text];
        memcpy(damaged, text, sizeof text);
        damaged[i] = '\0';
        assert_int_equal(decode_bytes(damaged, sizeof text - 1), VARVE_TYPE);
    }
}

static void
a_refused_text_leaves_the_field_as_it_was(void **state)
{
    (void)state;
    use_shape(INTS);
    decode("[4,5]");
    struct varve__list before = sample.list;
    assert_refused("[1,2,3", "a comma or ]");
    assert_int_equal(sample.list.count, 2);
    assert_ptr_equal(sample.list.data, before.data);
    assert_int_equal(((int32_t *)before.data)[1], 5);
}

static const struct {
    enum shape shape;
    const char *text;
} valid[] = {
    {INTS, "[1,-2,\"3\",40e-1,5.0]"},
    {BIGS, "[\"9223372036854775807\",-1]"},
    {DOUBLES, "[0.1,-1e+300,9e999,123456789012345678901234567890]"},
    {BOOLS, "[true,false]"},
    {STRINGS, "[\"\\ud83d\\ude00\\n\",\"\xC3\xA9\xF0\x9F\x98\x80\",\"\"]"},
    {TEXTS, "{\"a\":\"b\",\"c\\\"\":\"\\u0041\"}"},
    {BY_INT, "{\"1\":2,\"-3\":\"4\"}"},
    {BY_BOOL, "{\"true\":1,\"false\":2}"},
};

static void
a_cut_text_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(valid); i++) {
        size_t size = strlen(valid[i].text);
        use_shape(valid[i].shape);
        decode(valid[i].text);
        for (size_t cut = 0; cut < size; cut++)
            assert_int_equal(decode_bytes(valid[i].text, cut), VARVE_TYPE);
    }
}

/* Changes, repeats or drops a few bytes; returns the new size, at most twice the old one. */
static size_t
mutate(char *text, size_t size)
{
    static const char bytes[] = "[]{}\",:\\u0d8D19-+.eE tn\n\x01\x80\xC3\xFF";
    for (uint64_t left = 1 + random_bits() % 4; left > 0 && size > 0; left--) {
        size_t at = random_bits() % size;
        size_t run = 1 + random_bits() % 4;
        if (run > size - at)
            run = size - at;
        switch (random_bits() % 3) {
        case 0:
            text[at] = bytes[random_bits() % (sizeof bytes - 1)];
            break;
        case 1:
            memmove(text + at, text + at + run, size - at - run);
            size -= run;
            break;
        default:
            memmove(text + at + run, text + at, size - at);
            size += run;
            break;
        }
    }
    return size;
}

/* What is still read can be written, and that again gives the same. */
static void
random_damage_is_refused_or_read(void **state)
{
    (void)state;
    int read = 0;
    for (int i = 0; i < 200000; i++) {
        char text[160];
        size_t which = random_bits() % COUNT(valid);
        size_t size = strlen(valid[which].text);
        memcpy(text, valid[which].text, size);
        size = mutate(text, size);
        varve__arena_reset(arena);
        use_shape(valid[which].shape);
        enum varve_status status = decode_bytes(text, size);
        if (status == VARVE_TYPE)
            continue;
        assert_int_equal(status, VARVE_OK);
        const char *first = encode();
        decode(first);
        assert_string_equal(encode(), first);
        read++;
    }
    assert_in_range(read, 2000, 150000);
}

/* ------------------------------------------------------------------ memory */

static void
without_memory_nothing_is_changed(void **state)
{
    (void)state;
    char text[20 * 80];
    size_t length = 0;
    enum varve_status status = VARVE_NO_MEMORY;
    for (int i = 20; i > 0; i--)
        length += (size_t)sprintf(text + length, "%c\"%070d\":\"\"", i < 20 ? ',' : '{', i);
    text[length++] = '}';
    use_shape(TEXTS);
    varve__arena_release(arena);
    for (size_t fail_at = 2; status != VARVE_OK; fail_at++) {
        count_allocations(fail_at);
        arena = varve__arena_create(0);
        status = decode_bytes(text, length);
        varve__arena_release(arena);
        bool failed = stop_counting() >= fail_at;
        assert_int_equal(status, failed ? VARVE_NO_MEMORY : VARVE_OK);
        assert_int_equal(sample.list.count, failed ? 0 : 20);
        assert_in_range(fail_at, 2, 10);
    }
    arena = NULL;
}

static void
writing_without_memory_is_a_failure(void **state)
{
    (void)state;
    const char *text = "";
    size_t size;
    enum varve_status status = VARVE_NO_MEMORY;
    use_shape(BY_INT);
    decode("{\"2\":1,\"1\":2}");
    for (size_t fail_at = 2; status != VARVE_OK; fail_at++) {
        count_allocations(fail_at);
        struct varve__arena *small = varve__arena_create(0);
        status = varve__json_encode(&schema.record, &schema.column, &sample, small, &text, &size);
        varve__arena_release(small);
        bool failed = stop_counting() >= fail_at;
        assert_int_equal(status, failed ? VARVE_NO_MEMORY : VARVE_OK);
        assert_int_equal(text == NULL, failed);
        assert_in_range(fail_at, 2, 10);
    }
}

/* ------------------------------------------------------------------ locale */

/* Sets a locale whose decimal mark is a comma: an installed one, or one compiled for the test. */
static bool
set_comma_locale(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8",  "de_DE",
                                        "fr_FR.UTF-8", "nl_NL.UTF-8", "ru_RU.UTF-8"};
    char folder[] = "/tmp/varve-locale-XXXXXX";
    char command[200];
    for (size_t i = 0; i < COUNT(names); i++) {
        if (setlocale(LC_NUMERIC, names[i]))
            return true;
    }
    if (!mkdtemp(folder))
        return false;
    snprintf(
        command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1",
        folder);
    bool made = system(command) >= 0; /* it complains of details and succeeds */
    setenv("LOCPATH", folder, 1);
    made = made && setlocale(LC_NUMERIC, "de_DE.UTF-8");
    unsetenv("LOCPATH");
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) == 0 && made;
}

static void
the_locale_changes_nothing(void **state)
{
    (void)state;
    static const char text[] = "[0.5,-1.25e-07,0.3333333333333333]";
    char probe[8];
    if (!set_comma_locale()) {
        missing("a locale with a decimal comma, or localedef");
        return;
    }
    snprintf(probe, sizeof probe, "%.1f", 0.5);
    use_shape(DOUBLES);
    enum varve_status status = decode_bytes(text, strlen(text));
    const char *again = encode();
    use(NO_KEY, PROTOBUF_C_TYPE_FLOAT);
    enum varve_status float_status = decode_bytes("[0.1]", 5);
    const char *float_again = encode();
    setlocale(LC_NUMERIC, "C");
    assert_string_equal(probe, "0,5");
    assert_int_equal(status, VARVE_OK);
    assert_string_equal(again, text);
    assert_int_equal(float_status, VARVE_OK);
    assert_string_equal(float_again, "[0.1]");
}

/* ------------------------------------------------------------------ second opinions */

/* The value of `sql` with the text as its parameter. */
static sqlite3_stmt *
query(sqlite3 *database, const char *sql, const char *text)
{
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    return statement;
}

static void
assert_sqlite_value(sqlite3_stmt *statement, const struct value *value)
{
    const char *text = (const char *)sqlite3_column_text(statement, 0);
    switch (value->type) {
    case PROTOBUF_C_TYPE_STRING:
        assert_string_equal(text, value->value.string);
        break;
    case PROTOBUF_C_TYPE_DOUBLE: {
        double real = sqlite3_column_double(statement, 0);
        assert_memory_equal(&real, &value->value.real64, sizeof real);
        break;
    }
    case PROTOBUF_C_TYPE_FLOAT: {
        float real = (float)sqlite3_column_double(statement, 0);
        assert_memory_equal(&real, &value->value.real32, sizeof real);
        break;
    }
    case PROTOBUF_C_TYPE_BOOL:
        assert_int_equal(sqlite3_column_int(statement, 0), value->value.boolean);
        break;
    default: {
        size_t quotes = value->json[0] == '"';
        assert_int_equal(strlen(text), strlen(value->json) - 2 * quotes);
        assert_memory_equal(text, value->json + quotes, strlen(text));
        break;
    }
    }
}

static void
sqlite_reads_the_same_values(void **state)
{
    (void)state;
    sqlite3 *database;
    assert_int_equal(sqlite3_open(":memory:", &database), SQLITE_OK);
    for (const struct value *value = values; value < values + COUNT(values); value++) {
        use(PROTOBUF_C_TYPE_STRING, value->type);
        add_entry()->key.string = "\u00E9,\\";
        entry_at(0)->value = value->value;
        const char *text = encode();
        sqlite3_stmt *statement = query(database, "SELECT json_valid(?1)", text);
        assert_int_equal(sqlite3_column_int(statement, 0), 1);
        sqlite3_finalize(statement);
        statement = query(database, "SELECT value, key FROM json_each(?1)", text);
        assert_sqlite_value(statement, value);
        sqlite3_finalize(statement);
        use(NO_KEY, value->type);
        set_element(&value->value);
        statement = query(database, "SELECT json_extract(?1, '$[0]')", encode());
        assert_sqlite_value(statement, value);
        sqlite3_finalize(statement);
    }
    sqlite3_close(database);
}

/* What SQLite's own functions make of a column's text is read. */
static void
what_sqlite_rewrites_is_read(void **state)
{
    (void)state;
    sqlite3 *database;
    assert_int_equal(sqlite3_open(":memory:", &database), SQLITE_OK);
    use(PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_INT64);
    sqlite3_stmt *statement = query(
        database, "SELECT json_set(?1, '$.b', 9007199254740993, '$.c', 5.0)", "{\"a\":\"1\"}");
    decode((const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    sqlite3_close(database);
    assert_int_equal(sample.list.count, 3);
    assert_int_equal(entry_at(0)->value.int64, 1);
    assert_int_equal(entry_at(1)->value.int64, INT64_C(9007199254740993));
    assert_int_equal(entry_at(2)->value.int64, 5);
}

/* Python's json reads what we write, writes it its own way, and we read that. */
static void
python_agrees(void **state)
{
    (void)state;
    char file[] = "/tmp/varve-json-XXXXXX";
    char command[200];
    char back[1000] = "";
    if (system("python3 -c 'import json' 2>/dev/null") != 0) {
        missing("python3");
        return;
    }
    use_shape(TEXTS);
    decode("{\"\\u00e9\\\"\":\"\\ud83d\\ude00\\n\\u001f\x7F/\",\"\":\"\\\\\"}");
    const char *text = encode();
    int descriptor = mkstemp(file);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)), strlen(text));
    close(descriptor);
    snprintf(
        command, sizeof command,
        "python3 -c 'import json; print(json.dumps(json.load(open(\"%s\")), indent=2))'", file);
    FILE *python = popen(command, "r");
    size_t size = fread(back, 1, sizeof back - 1, python);
    int exit_status = pclose(python);
    unlink(file);
    assert_int_equal(exit_status, 0);
    assert_non_null(strstr(back, "\\ud83d\\ude00\\n\\u001f\\u007f/"));
    assert_int_equal(decode_bytes(back, size), VARVE_OK);
    assert_string_equal(encode(), text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(elements_of_every_type_go_there_and_back),
        TEST(values_of_every_type_go_there_and_back),
        TEST(keys_of_every_type_go_there_and_back),
        TEST(empty_fields_are_empty_texts),
        TEST(any_bool_that_is_not_0_is_true),
        TEST(random_floats_go_there_and_back),
        TEST(nan_elements_are_refused),
        TEST(nan_values_are_refused_by_key),
        TEST(of_repeated_keys_the_last_is_written),
        TEST(a_nan_under_a_dropped_key_is_no_failure),
        TEST(large_maps_are_unique_in_good_time),
        TEST(repeated_neighbours_in_a_large_map_count_once),
        TEST(a_text_takes_only_its_size_of_the_arena),
        TEST(integers_are_read_from_any_number_that_is_whole),
        TEST(integers_out_of_range_are_refused),
        TEST(long_numbers_are_read_exactly),
        TEST(numbers_beyond_a_double_are_infinities),
        TEST(every_escape_is_read),
        TEST(commas_and_brackets_in_strings_are_text),
        TEST(commas_in_strings_take_no_elements),
        TEST(of_repeated_keys_the_last_is_read),
        TEST(malformed_texts_are_refused_with_their_place),
        TEST(a_nul_byte_is_refused_everywhere),
        TEST(a_refused_text_leaves_the_field_as_it_was),
        TEST(a_cut_text_is_refused),
        TEST(random_damage_is_refused_or_read),
        TEST(without_memory_nothing_is_changed),
        TEST(writing_without_memory_is_a_failure),
        TEST(the_locale_changes_nothing),
        TEST(sqlite_reads_the_same_values),
        TEST(what_sqlite_rewrites_is_read),
        TEST(python_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
