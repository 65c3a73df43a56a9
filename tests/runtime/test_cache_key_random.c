/* Properties of keys on random values: both ways are exact inverses, no two values share a key, numbers sort
 * by their bytes, damaged texts are refused or are keys themselves. VARVE_TEST_SEED gives others. */
#include "support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../store/random.h"
#include "base/error.h"
#include "codec/cache_key.h"
#include "codec/field.h"
#include "key_fixture.h"

enum {
    VALUES = 1000000,
    SAMPLE = 400000, /* keys that are compared with each other */
    PAIRS = 500000,
    MUTATIONS = 500000,
    STRING_SIZE = 160
};

static struct random source;

static int
begin(void **state)
{
    (void)state;
    source.state = number_from_env("VARVE_TEST_SEED", 5);
    return 0;
}

/* ------------------------------------------------------------------ values */

struct texts {
    char region[STRING_SIZE];
    char name[STRING_SIZE];
};

/* Appends a character of any length; of a tiny alphabet, in which fixed texts of keys are likely, half of
 * the time. */
static size_t
add_character(char *text, bool tiny)
{
    static const char alphabet[] = "a:z-%{}01A";
    uint32_t code = 1 + (uint32_t)random_below(&source, 0x7F);
    if (tiny) {
        *text = alphabet[random_below(&source, sizeof alphabet - 1)];
        return 1;
    }
    switch (random_below(&source, 6)) {
    case 0:
        code = 0x80 + (uint32_t)random_below(&source, 0x800 - 0x80);
        text[0] = (char)(0xC0 | code >> 6);
        text[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    case 1:
        code = 0xE000 + (uint32_t)random_below(&source, 0x2000);
        text[0] = (char)(0xE0 | code >> 12);
        text[1] = (char)(0x80 | (code >> 6 & 0x3F));
        text[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    case 2:
        code = 0x10000 + (uint32_t)random_below(&source, 0x100000);
        text[0] = (char)(0xF0 | code >> 18);
        text[1] = (char)(0x80 | (code >> 12 & 0x3F));
        text[2] = (char)(0x80 | (code >> 6 & 0x3F));
        text[3] = (char)(0x80 | (code & 0x3F));
        return 4;
    default:
        *text = (char)code;
        return 1;
    }
}

static void
random_string(char text[STRING_SIZE], size_t most)
{
    size_t size = 0;
    bool tiny = random_one_in(&source, 2);
    for (size_t left = random_below(&source, most + 1); left > 0; left--)
        size += add_character(text + size, tiny);
    text[size] = '\0';
}

/* Numbers of any length, and those beside powers of ten and of two. */
static uint64_t
random_number(void)
{
    uint64_t bits = random_bits(&source);
    uint64_t power = 1;
    switch (random_below(&source, 4)) {
    case 0:
        for (size_t i = random_below(&source, 20); i > 0; i--)
            power *= 10;
        power += bits % 3 - 1;
        return bits & 64 ? power : 0 - power;
    case 1:
        power = (UINT64_C(1) << (bits % 64)) + (bits >> 32) % 3 - 1;
        return bits & 64 ? power : 0 - power;
    case 2:
        return bits >> (random_bits(&source) % 64);
    default:
        return 0 - (bits >> (random_bits(&source) % 64));
    }
}

/* A number that fits the 32 bits by more than luck. */
static uint32_t
random_number32(void)
{
    uint64_t number = random_number();
    return (uint32_t)(random_one_in(&source, 2) ? number : number >> 32);
}

static struct spot
random_spot(struct texts *texts, size_t most)
{
    struct spot spot = SPOT_INIT;
    random_string(texts->region, most);
    random_string(texts->name, most);
    spot.region = texts->region;
    spot.name = texts->name;
    spot.int32 = (int32_t)random_number32();
    spot.sint32 = (int32_t)random_number32();
    spot.sfixed32 = (int32_t)random_number32();
    spot.int64 = (int64_t)random_number();
    spot.sint64 = (int64_t)random_number();
    spot.sfixed64 = (int64_t)random_number();
    spot.uint32 = random_number32();
    spot.fixed32 = random_number32();
    spot.uint64 = random_number();
    spot.fixed64 = random_number();
    spot.ready = (protobuf_c_boolean)random_below(&source, 2);
    spot.mode = (enum spot_mode)random_number32();
    return spot;
}

/* Whether the fields of the key are the same, by their bytes. */
static bool
same_fields(const struct varve_record *table, const struct spot *a, const struct spot *b)
{
    for (size_t i = 0; i < table->cache->part_count; i++) {
        const ProtobufCFieldDescriptor *field = table->cache->parts[i].field;
        if (!field)
            continue;
        const void *left = varve__member(a, field->offset);
        const void *right = varve__member(b, field->offset);
        if (field->type == PROTOBUF_C_TYPE_STRING
                ? strcmp(*(char *const *)left, *(char *const *)right) != 0
                : memcmp(left, right, varve__element_size(field->type)) != 0)
            return false;
    }
    return true;
}

/* ------------------------------------------------------------------ properties */

/* Of a good key: back to the value and to the same text. */
static void
check_value(const struct varve_record *table, const struct spot *spot)
{
    char text[VARVE__KEY_MAX_SIZE];
    char again[VARVE__KEY_MAX_SIZE];
    char strings[VARVE__KEY_MAX_SIZE + 16];
    struct spot back = SPOT_INIT;
    size_t size, again_size, where;
    if (varve__cache_key_encode(table, spot, text, &size) != VARVE_OK)
        fail_msg("%s: a key is refused: %s", table->cache->key, varve__thread_error());
    bool good = varve__cache_key_decode(table, text, size, &back, strings, &where);
    if (!good || !same_fields(table, spot, &back))
        fail_msg("%s: \"%.*s\" is read as another value", table->cache->key, (int)size, text);
    if (!varve__cache_key_equal(table, spot, &back))
        fail_msg("%s: \"%.*s\" differs from itself", table->cache->key, (int)size, text);
    assert_int_equal(where, size);
    assert_int_equal(varve__cache_key_encode(table, &back, again, &again_size), VARVE_OK);
    assert_int_equal(again_size, size);
    assert_memory_equal(again, text, size);
}

static void
a_million_values_come_back(void **state)
{
    (void)state;
    struct texts texts;
    for (size_t i = 0; i < VALUES; i++) {
        struct spot spot = random_spot(&texts, i % 8 == 0 ? 38 : 8);
        check_value(&spot_records[i % SPOT_KEY_COUNT], &spot);
    }
}

/* A key, and the value that it is of in a form that does not depend on keys: 0xFF ends each string. */
struct pair {
    char *key;
    char *value;
    size_t size; /* of the value */
};

static struct pair
make_pair(const struct varve_record *table, const struct spot *spot)
{
    char key[VARVE_KEY_SIZE];
    char value[4096];
    size_t size = 0;
    struct pair pair;
    assert_int_equal(varve_record_key(table, spot, key, sizeof key), VARVE_OK);
    for (size_t i = 0; i < table->cache->part_count; i++) {
        const ProtobufCFieldDescriptor *field = table->cache->parts[i].field;
        if (field && field->type == PROTOBUF_C_TYPE_STRING)
            size += (size_t)sprintf(
                value + size, "%s\xFF", *(char *const *)varve__member(spot, field->offset));
        else if (field) {
            size_t width = varve__element_size(field->type);
            memcpy(value + size, varve__member(spot, field->offset), width);
            size += width;
        }
    }
    pair = (struct pair){malloc(strlen(key) + 1), malloc(size + 1), size};
    assert_true(pair.key && pair.value);
    memcpy(pair.key, key, strlen(key) + 1);
    memcpy(pair.value, value, size);
    return pair;
}

static int
compare_pairs(const void *a, const void *b)
{
    return strcmp(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

/* Values of few characters and digits, so that many are alike and some the same. */
static size_t
check_sample(const struct varve_record *table, struct pair *pairs, size_t count)
{
    struct texts texts;
    size_t equal = 0;
    for (size_t i = 0; i < count; i++) {
        struct spot spot = random_spot(&texts, 3);
        spot.int64 %= 20;
        spot.int32 %= 20;
        pairs[i] = make_pair(table, &spot);
    }
    qsort(pairs, count, sizeof *pairs, compare_pairs);
    for (size_t i = 1; i < count; i++) {
        const struct pair *a = &pairs[i - 1], *b = &pairs[i];
        if (strcmp(a->key, b->key) != 0)
            continue;
        equal++;
        if (a->size != b->size || memcmp(a->value, b->value, a->size) != 0)
            fail_msg("%s: two values share \"%s\"", table->cache->key, a->key);
    }
    for (size_t i = 0; i < count; i++) {
        free(pairs[i].key);
        free(pairs[i].value);
    }
    return equal;
}

static void
no_two_values_share_a_key(void **state)
{
    (void)state;
    static const enum spot_key keys[] = {SPOT_TEXT, SPOT_BINS,       SPOT_TEXTS,      SPOT_AROUND,
                                         SPOT_TAG,  SPOT_TAG_AROUND, SPOT_TAG_NUMBER, SPOT_NUMBERS};
    size_t count = SAMPLE / (sizeof keys / sizeof keys[0]);
    struct pair *pairs = test_malloc(count * sizeof *pairs);
    size_t equal = 0;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        equal += check_sample(&spot_records[keys[i]], pairs, count);
    assert_true(equal > 1000); /* the same values did meet */
    test_free(pairs);
}

/* The order of the bytes of two keys: less than, equal to, or greater than 0. */
static int
key_order(enum spot_key key, const struct spot *a, const struct spot *b)
{
    char left[VARVE_KEY_SIZE], right[VARVE_KEY_SIZE];
    assert_int_equal(varve_record_key(&spot_records[key], a, left, sizeof left), VARVE_OK);
    assert_int_equal(varve_record_key(&spot_records[key], b, right, sizeof right), VARVE_OK);
    return strcmp(left, right);
}

static int
sign(int value)
{
    return (value > 0) - (value < 0);
}

static void
numbers_sort_by_their_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < PAIRS; i++) {
        struct spot a = SPOT_INIT, b = SPOT_INIT;
        a.uint64 = random_number();
        b.uint64 =
            random_one_in(&source, 3) ? a.uint64 + random_below(&source, 12) : random_number();
        a.int64 = (int64_t)a.uint64;
        b.int64 = (int64_t)b.uint64;
        int whole = (a.uint64 > b.uint64) - (a.uint64 < b.uint64);
        int either = (a.int64 > b.int64) - (a.int64 < b.int64);
        if (sign(key_order(SPOT_WHOLE, &a, &b)) != whole)
            fail_msg("keys of %" PRIu64 " and %" PRIu64 " sort wrongly", a.uint64, b.uint64);
        if (sign(key_order(SPOT_BINS, &a, &b)) != either)
            fail_msg("keys of %" PRId64 " and %" PRId64 " sort wrongly", a.int64, b.int64);
    }
}

/* ------------------------------------------------------------------ damage */

static size_t
mutate(char *text, size_t size)
{
    static const char bytes[] = "aZbY019:%{}AFf<>-z\x80\xC3\xFF\x01\x7F";
    size_t at = random_below(&source, size + 1);
    char byte = bytes[random_below(&source, sizeof bytes)]; /* the NUL too */
    switch (random_below(&source, 4)) {
    case 0: /* one more */
        memmove(text + at + 1, text + at, size - at);
        text[at] = byte;
        return size + 1;
    case 1: /* one less */
        if (at == size)
            return size;
        memmove(text + at, text + at + 1, size - at - 1);
        return size - 1;
    case 2: /* the end is lost */
        return random_one_in(&source, 8) ? at : size;
    default:
        if (at < size)
            text[at] = random_one_in(&source, 2) ? byte : (char)(text[at] ^ 1);
        return size;
    }
}

/* Whether the text is a key; if so it is what its value is written as. */
static bool
check_text(const struct varve_record *table, const char *text, size_t size)
{
    char again[VARVE__KEY_MAX_SIZE];
    char strings[VARVE__KEY_MAX_SIZE + 16];
    struct spot spot = SPOT_INIT;
    size_t where, again_size;
    char *copy = test_malloc(size + !size); /* with nothing behind */
    memcpy(copy, text, size);
    bool good = varve__cache_key_decode(table, copy, size, &spot, strings, &where);
    test_free(copy);
    assert_true(where <= size);
    if (!good)
        return false;
    assert_int_equal(varve__cache_key_encode(table, &spot, again, &again_size), VARVE_OK);
    if (again_size != size || memcmp(again, text, size) != 0)
        fail_msg(
            "%s: \"%.*s\" is written as \"%.*s\"", table->cache->key, (int)size, text,
            (int)again_size, again);
    return true;
}

static void
a_damaged_text_is_refused_or_a_key(void **state)
{
    (void)state;
    size_t good = 0;
    for (size_t i = 0; i < MUTATIONS; i++) {
        const struct varve_record *table = &spot_records[i % SPOT_KEY_COUNT];
        char text[VARVE__KEY_MAX_SIZE + 8];
        struct texts texts;
        struct spot spot = random_spot(&texts, 5);
        size_t size;
        assert_int_equal(varve__cache_key_encode(table, &spot, text, &size), VARVE_OK);
        for (size_t left = 1 + random_below(&source, 3); left > 0; left--)
            size = mutate(text, size);
        good += check_text(table, text, size);
    }
    assert_true(good > MUTATIONS / 20 && good < MUTATIONS - MUTATIONS / 20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_million_values_come_back, begin),
        cmocka_unit_test_setup(no_two_values_share_a_key, begin),
        cmocka_unit_test_setup(numbers_sort_by_their_bytes, begin),
        cmocka_unit_test_setup(a_damaged_text_is_refused_or_a_key, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
