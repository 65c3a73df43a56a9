/* Writing JSON columns: every scalar type as element, key and value, there and back; NaN, repeated
 * keys; what SQLite makes of the texts. */
#include "json_fixture.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/error.h"

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
    {PROTOBUF_C_TYPE_FLOAT, "0.0", {.real32 = 0.0f}},
    {PROTOBUF_C_TYPE_FLOAT, "-0.0", {.real32 = -0.0f}},
    {PROTOBUF_C_TYPE_FLOAT, "0.1", {.real32 = 0.1f}},
    {PROTOBUF_C_TYPE_FLOAT, "16777216.0", {.real32 = 16777216.0f}},
    {PROTOBUF_C_TYPE_FLOAT, "0.33333334", {.real32 = 1.0f / 3.0f}},
    {PROTOBUF_C_TYPE_FLOAT, "15673.1045", {.real32 = 15673.1045f}},
    {PROTOBUF_C_TYPE_FLOAT, "3.4028235e+38", {.real32 = FLT_MAX}},
    {PROTOBUF_C_TYPE_FLOAT, "1.1754944e-38", {.real32 = FLT_MIN}},
    {PROTOBUF_C_TYPE_FLOAT, "1.4013e-45", {.real32 = FLT_TRUE_MIN}},
    {PROTOBUF_C_TYPE_FLOAT, "9e999", {.real32 = INFINITY}},
    {PROTOBUF_C_TYPE_FLOAT, "1e+06", {.real32 = 1e6f}},
    {PROTOBUF_C_TYPE_FLOAT, "-318180.12", {.real32 = -318180.125f}},
    {PROTOBUF_C_TYPE_DOUBLE, "0.0", {.real64 = 0.0}},
    {PROTOBUF_C_TYPE_DOUBLE, "-0.0", {.real64 = -0.0}},
    {PROTOBUF_C_TYPE_DOUBLE, "5.0", {.real64 = 5}},
    {PROTOBUF_C_TYPE_DOUBLE, "-999999999999999.0", {.real64 = -999999999999999}},
    {PROTOBUF_C_TYPE_DOUBLE, "1e+15", {.real64 = 1e15}},
    {PROTOBUF_C_TYPE_DOUBLE, "12345678901234568.0", {.real64 = 12345678901234568}},
    {PROTOBUF_C_TYPE_DOUBLE, "1e+22", {.real64 = 1e22}},
    {PROTOBUF_C_TYPE_DOUBLE, "1000.5", {.real64 = 1000.5}},
    {PROTOBUF_C_TYPE_DOUBLE, "0.0001", {.real64 = 0.0001}},
    {PROTOBUF_C_TYPE_DOUBLE, "1.5e-05", {.real64 = 1.5e-5}},
    {PROTOBUF_C_TYPE_DOUBLE, "0.9999999999999999", {.real64 = 1 - DBL_EPSILON / 2}},
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

/* Any bits; or of a size that people use, where the digits are found in another way. */
static union scalar
random_real(bool single)
{
    union scalar value = {.uint64 = random_bits()};
    if (random_bits() % 2) {
        double everyday = ldexp((double)(value.uint64 >> 11), (int)(random_bits() % 100) - 100);
        if (single)
            value.real32 = (float)everyday;
        else
            value.real64 = everyday;
    }
    return value;
}

static void
random_floats_go_there_and_back(void **state)
{
    (void)state;
    for (int i = 0; i < 40000; i++) {
        bool single = i % 2;
        ProtobufCType type = single ? PROTOBUF_C_TYPE_FLOAT : PROTOBUF_C_TYPE_DOUBLE;
        union scalar value = random_real(single);
        if (single ? isnan(value.real32) : isnan(value.real64))
            continue;
        fresh_arena();
        use(NO_KEY, type);
        set_element(&value);
        const char *text = encode();
        decode(text);
        assert_memory_equal(sample.list.data, &value, varve__element_size(type));
    }
}

/* As many digits as printf needs until strtod gives the number again. */
static void
reals_have_no_more_digits_than_they_need(void **state)
{
    (void)state;
    static const double tens[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7};
    for (int i = 0; i < 20000; i++) {
        char digits[40];
        char text[48];
        int precision = DBL_DIG;
        union scalar value = random_real(false);
        if (i % 2)
            value.real64 = (double)(random_bits() % 100000000) / tens[i % 8];
        if (!isfinite(value.real64))
            continue;
        do
            snprintf(digits, sizeof digits, "%.*g", precision, value.real64);
        while (strtod(digits, NULL) != value.real64 && precision++ < DBL_DECIMAL_DIG);
        snprintf(text, sizeof text, "[%s%s]", digits, strpbrk(digits, ".e") ? "" : ".0");
        fresh_arena();
        use(NO_KEY, PROTOBUF_C_TYPE_DOUBLE);
        set_element(&value);
        assert_int_equal(strlen(encode()), strlen(text));
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
    assert_string_equal(encode(), "{\"0\":1.0}");
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

/* ------------------------------------------------------------------ SQLite */

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
        assert_int_equal(sqlite3_column_type(statement, 0), SQLITE_FLOAT);
        assert_memory_equal(&real, &value->value.real64, sizeof real);
        break;
    }
    case PROTOBUF_C_TYPE_FLOAT: {
        float real = (float)sqlite3_column_double(statement, 0);
        assert_int_equal(sqlite3_column_type(statement, 0), SQLITE_FLOAT);
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
        TEST(reals_have_no_more_digits_than_they_need),
        TEST(nan_elements_are_refused),
        TEST(nan_values_are_refused_by_key),
        TEST(of_repeated_keys_the_last_is_written),
        TEST(a_nan_under_a_dropped_key_is_no_failure),
        TEST(a_text_takes_only_its_size_of_the_arena),
        TEST(writing_without_memory_is_a_failure),
        TEST(sqlite_reads_the_same_values),
        TEST(what_sqlite_rewrites_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
