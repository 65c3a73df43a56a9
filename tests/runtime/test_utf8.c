/* Validation of UTF-8. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

struct text {
    const char *bytes;
    size_t size;
    size_t bad; /* the offset of the fault, size where there is none */
};

#define TEXT(literal, bad)                                                                         \
    {                                                                                              \
        literal, sizeof(literal) - 1, bad                                                          \
    }

static const struct text texts[] = {
    TEXT("", 0),
    TEXT("a", 1),
    TEXT("\x7F", 1),
    TEXT("\xC2\x80", 2), /* the smallest of two bytes */
    TEXT("\xDF\xBF", 2),
    TEXT("\xE0\xA0\x80", 3),     /* the smallest of three */
    TEXT("\xED\x9F\xBF", 3),     /* the last before the surrogates */
    TEXT("\xEE\x80\x80", 3),     /* the first behind them */
    TEXT("\xF0\x90\x80\x80", 4), /* the smallest of four */
    TEXT("\xF4\x8F\xBF\xBF", 4), /* U+10FFFF */
    TEXT("\0", 0),
    TEXT("abc\0", 3),
    TEXT("\x80", 0),
    TEXT("\xC0\x80", 0),         /* overlong NUL */
    TEXT("\xC1\xBF", 0),         /* overlong */
    TEXT("\xE0\x9F\xBF", 0),     /* overlong */
    TEXT("\xF0\x8F\xBF\xBF", 0), /* overlong */
    TEXT("\xED\xA0\x80", 0),     /* a surrogate */
    TEXT("\xED\xBF\xBF", 0),
    TEXT("\xF4\x90\x80\x80", 0), /* above U+10FFFF */
    TEXT("\xF5\x80\x80\x80", 0),
    TEXT("\xFF", 0),
    TEXT("a\xC2", 1), /* cut */
    TEXT("a\xE2\x82", 1),
    TEXT("a\xF0\x9F\x98", 1),
    TEXT(
        "a\xC2"
        "b",
        1),
};

static void
each_text_of_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(varve__utf8_check(texts[i].bytes, texts[i].size), texts[i].bad);
}

static void
each_text_at_each_place_in_ascii(void **state)
{
    char buffer[100];
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t place = 0; place < 80; place++) {
            size_t size = place + texts[i].size;
            size_t expected = place + texts[i].bad;
            memset(buffer, 'x', sizeof buffer);
            memcpy(buffer + place, texts[i].bytes, texts[i].size);
            assert_int_equal(varve__utf8_check(buffer, size), expected);
        }
    }
}

/* Decodes one character the slow way; its length, or 0. */
static size_t
naive_character(const uint8_t *at, size_t size)
{
    static const uint32_t smallest[] = {0, 1, 0x80, 0x800, 0x10000};
    size_t length = at[0] < 0x80 ? 1 : at[0] >> 5 == 6 ? 2 : at[0] >> 4 == 14 ? 3 : 4;
    uint32_t point = length == 1 ? at[0] : at[0] & (0xFFu >> (length + 1));
    if ((length == 4 && at[0] >> 3 != 30) || length > size)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if (at[i] >> 6 != 2)
            return 0;
        point = point << 6 | (at[i] & 0x3F);
    }
    bool surrogate = point >= 0xD800 && point < 0xE000;
    return point < smallest[length] || point > 0x10FFFF || surrogate ? 0 : length;
}

static void
random_bytes_as_the_naive_reference_says(void **state)
{
    static const uint8_t likely[] = {'a',  0x80, 0xBF, 0xC2, 0xE0, 0xA0,
                                     0xED, 0x9F, 0xF0, 0x90, 0xF4, 0x8F};
    uint8_t bytes[100];
    (void)state;
    srand(1);
    for (int round = 0; round < 300000; round++) {
        size_t size = (size_t)rand() % sizeof bytes;
        size_t expected = 0;
        for (size_t i = 0; i < size; i++) {
            int dice = rand() % 8;
            bytes[i] = dice == 0  ? (uint8_t)rand()
                       : dice < 4 ? 'b'
                                  : likely[(size_t)rand() % sizeof likely];
        }
        while (expected < size) {
            size_t length = naive_character(bytes + expected, size - expected);
            if (length == 0)
                break;
            expected += length;
        }
        assert_int_equal(varve__utf8_check((const char *)bytes, size), expected);
    }
}

/* In blocks of their own, so that sanitizers see a byte that is read outside. */
static void
one_bad_byte_at_each_place_of_each_size(void **state)
{
    (void)state;
    for (size_t size = 1; size < 140; size++) {
        char *bytes = malloc(size);
        memset(bytes, 'x', size);
        assert_int_equal(varve__utf8_check(bytes, size), size);
        for (size_t place = 0; place < size; place++) {
            bytes[place] = '\0';
            assert_int_equal(varve__utf8_check(bytes, size), place);
            bytes[place] = (char)0xC3;
            assert_int_equal(varve__utf8_check(bytes, size), place);
            bytes[place] = 'x';
        }
        free(bytes);
    }
}

static void
a_cut_character_is_left_out(void **state)
{
    (void)state;
    assert_int_equal(varve__utf8_whole("", 0), 0);
    assert_int_equal(varve__utf8_whole("abc", 3), 3);
    assert_int_equal(varve__utf8_whole("a\xE2\x82\xAC", 4), 4);
    assert_int_equal(varve__utf8_whole("a\xE2\x82\xAC", 3), 1);
    assert_int_equal(varve__utf8_whole("a\xE2\x82\xAC", 2), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_text_of_the_table),
        cmocka_unit_test(each_text_at_each_place_in_ascii),
        cmocka_unit_test(random_bytes_as_the_naive_reference_says),
        cmocka_unit_test(one_bad_byte_at_each_place_of_each_size),
        cmocka_unit_test(a_cut_character_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
