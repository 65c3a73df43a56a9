/* Numbers as text, and how its length is counted. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/text.h"

/* As few digits as read back, and those that printf writes; 2^-79 lies beside the middle of two. */
static void
the_last_digit_is_rounded_once(void **state)
{
    (void)state;
    for (int exponent = -1074; exponent < 1024; exponent++) {
        double power = ldexp(1, exponent);
        const double values[] = {power, 5 * power, 3 * power, 0x1p-79};
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            char number[64];
            char expected[64];
            struct varve__text text = {number, sizeof number, 0};
            varve__text_add_double(&text, values[i]);
            assert_true(varve__text_end(&text));
            for (int precision = 15; precision <= 17; precision++) {
                snprintf(expected, sizeof expected, "%.*g", precision, values[i]);
                if (strtod(expected, NULL) == values[i])
                    break;
            }
            if (values[i] >= 1 && values[i] < 1e15 && (double)(int64_t)values[i] == values[i])
                snprintf(expected, sizeof expected, "%.0f", values[i]);
            assert_true(strtod(number, NULL) == values[i]);
            assert_string_equal(number, expected);
        }
    }
}

static void
a_length_that_is_no_size_stays_so(void **state)
{
    (void)state;
    struct varve__text text = {NULL, 0, 0};
    varve__text_add(&text, NULL, SIZE_MAX - 1);
    assert_true(text.length == SIZE_MAX - 1);
    varve__text_add_string(&text, "abc");
    assert_true(text.length == SIZE_MAX);
    varve__text_add_string(&text, "d");
    assert_true(text.length == SIZE_MAX);
    assert_false(varve__text_end(&text));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_digit_is_rounded_once),
        cmocka_unit_test(a_length_that_is_no_size_stays_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
