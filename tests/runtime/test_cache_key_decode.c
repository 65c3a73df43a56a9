/* Keys of the cache, read: what they give, and what is no key. */
#include "support.h"

#include <string.h>

#include "codec/cache_key.h"
#include "key_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct spot empty = SPOT_INIT;

/* Decodes a copy that has nothing behind it; whether it is a key, and else where it is none. */
static bool
decode(enum spot_key key, const char *text, size_t size, struct spot *spot, size_t *where)
{
    static char strings[4096];
    char *copy = test_malloc(size + !size);
    memcpy(copy, text, size);
    *spot = empty;
    bool good = varve__cache_key_decode(&spot_records[key], copy, size, spot, strings, where);
    size_t again;
    assert_int_equal(
        good, varve__cache_key_decode(&spot_records[key], copy, size, NULL, NULL, &again));
    assert_int_equal(*where, again);
    test_free(copy);
    return good;
}

static void
a_key_gives_its_fields(void **state)
{
    (void)state;
    struct spot spot;
    size_t where;
    static const char text[] = "spikes:V1%3Aleft\xC3\xA4:Y57";
    assert_true(decode(SPOT_BINS, text, sizeof text - 1, &spot, &where));
    assert_string_equal(spot.region, "V1:left\xC3\xA4");
    assert_int_equal(spot.int64, -42);
    assert_true(decode(SPOT_TAG, "tag:{%00}:a0", 12, &spot, &where));
    assert_string_equal(spot.region, "");
    assert_true(decode(SPOT_AROUND, "a--z-z:nZ6m:zz", 14, &spot, &where));
    assert_string_equal(spot.region, "-z");
    assert_string_equal(spot.name, "z");
    assert_int_equal(spot.int32, -3);
}

struct refusal {
    enum spot_key key;
    const char *text;
    size_t where; /* the byte that is wrong */
};

static const struct refusal refusals[] = {
    {SPOT_TEXT, "", 0},
    {SPOT_TEXT, "wm", 2},
    {SPOT_TEXT, "wn:a", 1},
    {SPOT_TEXT, "wm:a:b", 4},
    {SPOT_TEXT, "wm:a{b", 4},
    {SPOT_TEXT, "wm:a}b", 4},
    {SPOT_TEXT, "wm:a\nb", 4},
    {SPOT_TEXT, "wm:a\x7F", 4},
    {SPOT_TEXT, "wm:a%", 4},
    {SPOT_TEXT, "wm:a%3", 4},
    {SPOT_TEXT, "wm:a%3a", 4}, /* small digits */
    {SPOT_TEXT, "wm:a%41", 4}, /* an A needs no escape */
    {SPOT_TEXT, "wm:a%20", 4}, /* nor does a space */
    {SPOT_TEXT, "wm:a%00", 4}, /* no string has a NUL */
    {SPOT_TEXT, "wm:%00", 3},  /* the empty string of a tag, and this is none */
    {SPOT_TEXT, "wm:a%C3%A4", 4},
    {SPOT_TEXT, "wm:a\xC3", 4}, /* cut */
    {SPOT_TEXT, "wm:a%3A\xFF", 7},
    {SPOT_BINS, "spikes:a", 8},
    {SPOT_BINS, "spikes:a:", 9},
    {SPOT_BINS, "spikes:a:42", 9},
    {SPOT_BINS, "spikes:a:b4", 11},
    {SPOT_BINS, "spikes:a:a42", 11},
    {SPOT_BINS, "spikes:a:b07", 10}, /* a needless zero */
    {SPOT_BINS, "spikes:a:Z9", 10},  /* minus zero */
    {SPOT_BINS, "spikes:a:Y99", 10},
    {SPOT_BINS, "spikes:a:b4x", 11},
    {SPOT_BINS, "spikes:a:u123456789012345678901", 9},
    {SPOT_BINS, "spikes:a:G0000000000000000000", 9},
    {SPOT_BINS, "spikes:a:s9223372036854775808", 9},
    {SPOT_BINS, "spikes:a:H0776627963145224190", 9},
    {SPOT_BINS, "spikes:a:t10000000000000000000", 9},
    {SPOT_WHOLE, "n:Z8", 2},
    {SPOT_WHOLE, "n:t18446744073709551616", 22},
    {SPOT_WHOLE, "n:t20000000000000000000", 22},
    {SPOT_AROUND, "a-z:na0m:z", 2},
    {SPOT_AROUND, "a--y:na0m:z", 3},
    {SPOT_AROUND, "a--z:na0:z", 8},
    {SPOT_AROUND, "a--z:nj2147483648m:z", 6},
    {SPOT_AROUND, "a--z:nQ7852516350m:z", 6},
    {SPOT_AROUND, "a--z:na0m:", 10},
    {SPOT_AROUND, "a--z:na0m:zx", 11},
    {SPOT_TAG, "tag:V1:a0", 4},
    {SPOT_TAG, "tag:{V1:a0", 7},
    {SPOT_TAG, "tag:{V1", 7},
    {SPOT_TAG, "tag:{}:a0", 5},
    {SPOT_TAG, "tag:{a{b}:a0", 6},
    {SPOT_TAG, "tag:{a}b}:a0", 7},
    {SPOT_TAG, "tag:{a%00}:a0", 6},
    {SPOT_TAG_NUMBER, "tags:a:i{a0", 11},
    {SPOT_TAG_NUMBER, "tags:a:i{a0}x", 12},
    {SPOT_BOOL, "2:ba0:end", 0},
    {SPOT_BOOL, ":ba0:end", 0},
    {SPOT_BOOL, "1:ba0:en", 8},
    {SPOT_BOOL, "1:ba0:end:", 9},
};

static void
what_no_encoding_writes_is_no_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct spot spot;
        size_t where;
        const char *text = refusals[i].text;
        if (decode(refusals[i].key, text, strlen(text), &spot, &where))
            fail_msg("\"%s\" is taken for a key", text);
        if (where != refusals[i].where)
            fail_msg("\"%s\" is refused at byte %zu, not at %zu", text, where, refusals[i].where);
    }
}

static void
a_nul_is_part_of_no_key(void **state)
{
    (void)state;
    struct spot spot;
    size_t where;
    assert_false(decode(SPOT_TEXT, "wm:a\0b", 6, &spot, &where));
    assert_int_equal(where, 4);
    assert_false(decode(SPOT_TEXT, "wm:%3\0", 6, &spot, &where));
    assert_int_equal(where, 3);
}

static void
a_text_that_is_too_long_is_no_key(void **state)
{
    (void)state;
    char text[VARVE__KEY_MAX_SIZE + 1];
    struct spot spot;
    size_t where;
    memset(text, 'x', sizeof text);
    memcpy(text, "wm:", 3);
    assert_true(decode(SPOT_TEXT, text, sizeof text - 1, &spot, &where));
    assert_int_equal(strlen(spot.region), VARVE__KEY_MAX_SIZE - 3);
    assert_false(decode(SPOT_TEXT, text, sizeof text, &spot, &where));
    assert_int_equal(where, VARVE__KEY_MAX_SIZE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_gives_its_fields),
        cmocka_unit_test(what_no_encoding_writes_is_no_key),
        cmocka_unit_test(a_nul_is_part_of_no_key),
        cmocka_unit_test(a_text_that_is_too_long_is_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
