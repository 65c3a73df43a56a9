/* Values of unknown fields as columns hold them, and bytes that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "codec/unknown_value.h"

enum {
    FIELD = 5
};

struct wire {
    uint8_t data[256];
    size_t size;
};

/* Bytes of hexadecimal digits, with spaces between them. */
static struct wire
bytes_of(const char *hex)
{
    struct wire wire = {.size = 0};
    unsigned byte;
    for (; sscanf(hex, "%2x", &byte) == 1; hex += 2 + (hex[2] == ' '))
        wire.data[wire.size++] = (uint8_t)byte;
    return wire;
}

/* The value in words: "7", "0.5", "'text'", "x6162", "NULL", or the failure. */
static void
describe(const struct wire *wire, const char *words, char *text, size_t room)
{
    struct varve__unknown_type type;
    struct varve__unknown_value value;
    struct varve__arena *arena = varve__arena_create(64);
    assert_true(varve__unknown_type_parse(words, &type));
    int size = 0;
    if (varve__unknown_find(wire->data, wire->size, FIELD, &type, arena, &value) != VARVE_OK)
        snprintf(text, room, "%s", varve__thread_error());
    else if (value.kind == VARVE__UNKNOWN_ABSENT)
        snprintf(text, room, "NULL");
    else if (value.kind == VARVE__UNKNOWN_INTEGER)
        snprintf(text, room, "%lld", (long long)value.integer);
    else if (value.kind == VARVE__UNKNOWN_REAL)
        snprintf(text, room, "%g", value.real);
    else if (value.kind == VARVE__UNKNOWN_TEXT)
        snprintf(text, room, "'%.*s'", (int)value.size, (const char *)value.data);
    else
        size = snprintf(text, room, "x");
    for (size_t i = 0; value.kind == VARVE__UNKNOWN_BLOB && i < value.size; i++)
        size +=
            snprintf(text + size, room - (size_t)size, "%02x", ((const uint8_t *)value.data)[i]);
    varve__arena_release(arena);
}

static void
expect(const char *hex, const char *words, const char *expected)
{
    char text[400] = "";
    struct wire wire = bytes_of(hex);
    describe(&wire, words, text, sizeof text);
    if (strcmp(text, expected) != 0)
        fail_msg("%s as %s is %s, expected %s", hex, words, text, expected);
}

/* -------------------------------------------------------------------- values */

static void
test_scalars_of_every_type(void **state)
{
    (void)state;
    expect("28 07", "int32", "7");
    expect("28 ff ff ff ff ff ff ff ff ff 01", "int64", "-1");
    expect("28 ff ff ff ff ff ff ff ff ff 01", "int32", "-1");
    expect("28 ff ff ff ff ff ff ff ff ff 01", "uint32", "4294967295");
    expect("28 03", "sint32", "-2");
    expect("28 ff ff ff ff ff ff ff ff ff 01", "sint64", "-9223372036854775808");
    expect("28 05", "bool", "1");
    expect("28 02", "enum lab.Mood", "2");
    expect("28 02", "optional enum lab.Mood", "2");
    expect("2d ff ff ff ff", "sfixed32", "-1");
    expect("2d ff ff ff ff", "fixed32", "4294967295");
    expect("29 ff ff ff ff ff ff ff ff", "fixed64", "-1"); /* its bits */
    expect("29 fe ff ff ff ff ff ff ff", "sfixed64", "-2");
    expect("2d 00 00 00 3f", "float", "0.5");
    expect("29 00 00 00 00 00 00 e0 bf", "double", "-0.5");
    expect("2a 02 68 69", "string", "'hi'");
    expect("2a 00", "string", "''");
    expect("2a 02 00 ff", "oneof result bytes", "x00ff");
    expect("2a 00", "bytes", "x");
    expect("", "int64", "NULL");
    expect("30 01", "int64", "NULL"); /* another's */
}

static void
test_of_several_the_last_counts(void **state)
{
    (void)state;
    expect("28 01 30 09 28 02", "int32", "2");
    expect("2a 01 61 2a 01 62", "optional string", "'b'");
}

static void
test_repeated_fields_are_arrays(void **state)
{
    (void)state;
    expect("28 01 28 02", "repeated int32", "'[1,2]'");
    expect("2a 02 01 02 28 03", "repeated int32", "'[1,2,3]'"); /* packed, then not */
    expect("2a 00", "repeated int32", "'[]'");
    expect("2a 02 01 ff", "repeated int64", "unknown field 5: its packed bytes are cut");
    expect("28 01", "repeated int64", "'[\"1\"]'");
    expect("2a 08 00 00 00 3f 00 00 80 3f", "repeated float", "'[0.5,1.0]'");
    expect("2a 01 61 2a 02 22 0a", "repeated string", "'[\"a\",\"\\\"\\n\"]'");
    expect("2a 02 61 62", "repeated bytes", "'[\"YWI=\"]'");
    expect("2a 02 01 00", "repeated bool", "'[true,false]'");
    expect("28 01 28 03", "repeated enum lab.Mood", "'[1,3]'");
}

static void
test_maps_are_objects(void **state)
{
    (void)state;
    expect("2a 05 0a 01 61 10 07", "map string int32", "'{\"a\":7}'");
    expect("2a 00", "map string int32", "'{\"\":0}'");
    expect("2a 00", "map int64 string", "'{\"0\":\"\"}'");
    expect("2a 04 10 07 08 02", "map int32 int32", "'{\"2\":7}'"); /* in any order */
    expect(
        "2a 05 0a 01 61 10 01 2a 05 0a 01 62 10 02 2a 05 0a 01 61 10 03", "map string int32",
        "'{\"b\":2,\"a\":3}'"); /* of repeated keys the last */
}

static void
test_messages_stay_as_they_are(void **state)
{
    (void)state;
    expect("2a 02 08 01 30 01 2a 00", "message lab.Place", "x2a0208012a00");
    expect("2a 02 08 01", "repeated message", "x2a020801");
    expect("2a 02 08 01", "map string message lab.Place", "x2a020801");
}

static void
test_tensors_are_their_elements(void **state)
{
    (void)state;
    expect("2a 03 01 ac 02", "tensor int32", "x010000002c010000");
    expect("28 01 30 07 28 ac 02", "tensor int32", "x010000002c010000"); /* not packed */
    expect("28 01 2a 02 02 03", "tensor uint32", "x010000000200000003000000");
    expect("28 ff ff ff ff ff ff ff ff ff 01", "tensor int32", "xffffffff");
    expect("28 83 80 80 80 80 20", "tensor int32", "x03000000"); /* cut to the type */
    expect("2a 01 03", "tensor sint32", "xfeffffff");
    expect("2a 01 03", "tensor sint64", "xfeffffffffffffff");
    expect("2a 0a ff ff ff ff ff ff ff ff ff 01", "tensor uint64", "xffffffffffffffff");
    expect("28 01", "tensor int64", "x0100000000000000");
    expect("2a 04 01 00 a0 7f", "tensor float", "x0100a07f"); /* a NaN, every bit of it */
    expect("2d 01 00 a0 7f", "tensor float", "x0100a07f");
    expect("2d 00 00 00 3f 2a 04 00 00 80 3f", "tensor float", "x0000003f0000803f");
    expect("29 01 02 03 04 05 06 07 08", "tensor double", "x0102030405060708");
    expect("29 01 02 03 04 05 06 07 08", "tensor sfixed64", "x0102030405060708");
    expect("2d 01 02 03 04", "tensor fixed32", "x01020304");
    expect("2a 00", "tensor int32", "x");
    expect("30 01", "tensor int32", "NULL");
}

/* -------------------------------------------------------------------- bytes that are none */

static void
test_malformed_bytes_are_refused(void **state)
{
    static const char *const malformed[] = {
        "28",
        "2a 05 61",
        "2b",
        "00 01",
        "2d 00",
        "ff ff ff ff ff 01",
        "28 ff ff ff ff ff ff ff ff ff ff 01"};
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        expect(malformed[i], "int32", "the unknown fields hold bytes that are no fields");
}

static void
test_values_that_no_column_holds_are_refused(void **state)
{
    static const char other[] =
        "unknown field 5: its bytes are of another type than the schema says";
    (void)state;
    expect("2a 01 61", "int32", other);
    expect("28 01", "string", other);
    expect("28 01", "message", other);
    expect("28 01", "map string int32", other);
    expect("2a 02 c3 28", "string", "unknown field 5: a string in it is no UTF-8, or holds a NUL");
    expect("2a 01 00", "string", "unknown field 5: a string in it is no UTF-8, or holds a NUL");
    expect(
        "2a 02 08 ff", "message",
        "unknown field 5: a message in it holds bytes that are no fields");
    expect(
        "2a 01 08", "map string int32",
        "unknown field 5: an entry of it holds bytes that are no fields");
    expect("2d 00 00 c0 7f", "float", "unknown field 5: it is NaN, which a column cannot hold");
    expect(
        "2a 04 00 00 c0 7f", "repeated float",
        "unknown field 5: a value in it is NaN, which a column cannot hold");
    expect(
        "28 ff ff ff ff ff ff ff ff ff 01", "uint64",
        "unknown field 5: it is larger than a column can hold, 2^63 - 1");
}

static void
test_elements_that_are_none_are_refused(void **state)
{
    static const char other[] =
        "unknown field 5: its bytes are of another type than the schema says";
    static const char cut[] = "unknown field 5: its packed bytes are cut";
    (void)state;
    expect("2d 01 00 00 00", "tensor int32", other);
    expect("29 00 00 00 00 00 00 e0 bf", "tensor float", other);
    expect("28 01", "tensor fixed64", other);
    expect("2a 02 01 80", "tensor int32", cut);
    expect("2a 01 80", "tensor int64", cut);
    expect("2a 0b ff ff ff ff ff ff ff ff ff ff 01", "tensor int64", cut);
    expect("2a 05 00 00 80 3f 00", "tensor float", cut);
    expect("2a 03 00 00 80", "tensor double", cut);
}

static void
test_words_that_are_no_type_are_told(void **state)
{
    static const char *const bad[] = {
        "",
        "int",
        "repeated",
        "map string",
        "map",
        "map message string",
        "map bytes string",
        "map float int32",
        "map double int32",
        "map enum int32",
        "int32 x",
        "string lab.A",
        "optional",
        "repeated  int32",
        "tensor",
        "tensor bool",
        "tensor ",
        "tensor string",
        "tensor enum lab.Mood",
        "tensor bytes",
        "tensor message",
        "tensor repeated int32",
        "repeated tensor int32",
        "tensor int32 x"};
    struct varve__unknown_type type;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (varve__unknown_type_parse(bad[i], &type))
            fail_msg("\"%s\" is no type", bad[i]);
    }
}

/* -------------------------------------------------------------------- the others */

static void
test_a_field_can_be_taken_out(void **state)
{
    uint8_t rest[16];
    size_t size;
    bool has;
    struct wire wire = bytes_of("28 01 30 02 2a 01 61 38 03");
    (void)state;
    assert_int_equal(varve__unknown_has(wire.data, wire.size, FIELD, &has), VARVE_OK);
    assert_true(has);
    assert_int_equal(varve__unknown_without(wire.data, wire.size, FIELD, rest, &size), VARVE_OK);
    assert_int_equal(size, 4);
    assert_memory_equal(rest, "\x30\x02\x38\x03", 4);
    assert_int_equal(varve__unknown_has(rest, size, FIELD, &has), VARVE_OK);
    assert_false(has);
    assert_int_equal(varve__unknown_has(NULL, 0, FIELD, &has), VARVE_OK);
    assert_false(has);
    assert_int_equal(varve__unknown_has(wire.data, 3, FIELD, &has), VARVE_INVALID);
    assert_int_equal(varve__unknown_without(wire.data, 3, FIELD, rest, &size), VARVE_INVALID);
}

static void
test_no_bytes_are_trusted(void **state)
{
    static const char *const words[] = {
        "int32",
        "sint64",
        "uint64",
        "double",
        "string",
        "bytes",
        "message",
        "repeated sint32",
        "repeated string",
        "repeated fixed32",
        "map string int64",
        "map int32 string",
        "map bool double",
        "repeated bool",
        "tensor sint32",
        "tensor uint64",
        "tensor float"};
    char text[4000];
    size_t values = 0;
    unsigned seed = 7;
    (void)state;
    for (int i = 0; i < 30000; i++) {
        struct wire wire;
        seed = seed * 1103515245 + 12345;
        wire.size = seed >> 16 & 15;
        for (size_t j = 0; j < wire.size; j++) {
            seed = seed * 1103515245 + 12345;
            wire.data[j] = (uint8_t)(seed >> 16);
        }
        if (wire.size > 1) { /* mostly a field of the number, with a length that fits */
            static const uint8_t tags[] = {0x28, 0x29, 0x2a, 0x2d, 0x2a};
            wire.data[0] = tags[(seed >> 20) % sizeof tags];
            if (wire.data[0] == 0x2a)
                wire.data[1] = (uint8_t)(wire.size - 2 - (seed >> 24 & 1));
        }
        const char *type = words[(unsigned)i % (sizeof words / sizeof *words)];
        describe(&wire, type, text, sizeof text);
        values += strstr(text, "unknown field") == NULL && strcmp(text, "NULL") != 0;
    }
    assert_true(values > 500); /* some bytes are good */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars_of_every_type),
        cmocka_unit_test(test_of_several_the_last_counts),
        cmocka_unit_test(test_repeated_fields_are_arrays),
        cmocka_unit_test(test_maps_are_objects),
        cmocka_unit_test(test_messages_stay_as_they_are),
        cmocka_unit_test(test_tensors_are_their_elements),
        cmocka_unit_test(test_malformed_bytes_are_refused),
        cmocka_unit_test(test_values_that_no_column_holds_are_refused),
        cmocka_unit_test(test_elements_that_are_none_are_refused),
        cmocka_unit_test(test_words_that_are_no_type_are_told),
        cmocka_unit_test(test_a_field_can_be_taken_out),
        cmocka_unit_test(test_no_bytes_are_trusted),
    };
    return cmocka_run_group_tests_name("unknown value", tests, NULL, NULL);
}
