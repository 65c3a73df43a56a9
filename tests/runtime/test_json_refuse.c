/* JSON texts that are refused: with their place, and without a change of the field. */
#include "json_fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

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
        fresh_arena();
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

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(malformed_texts_are_refused_with_their_place),
        TEST(a_nul_byte_is_refused_everywhere),
        TEST(a_refused_text_leaves_the_field_as_it_was),
        TEST(a_cut_text_is_refused),
        TEST(random_damage_is_refused_or_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
