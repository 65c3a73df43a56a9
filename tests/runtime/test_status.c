/* Every status and every failure kind has a name and a text. */
#include "support.h"

#include <string.h>

static void
every_status_has_a_name_and_a_text(void **state)
{
    (void)state;
    for (int i = VARVE_OK; i <= VARVE_UNKNOWN_OUTCOME; i++) {
        const char *name = varve_status_name((enum varve_status)i);
        assert_int_equal(strncmp(name, "VARVE_", 6), 0);
        assert_string_not_equal(name, "VARVE_?");
        assert_true(strlen(varve_status_text((enum varve_status)i)) > 1);
        for (int j = VARVE_OK; j < i; j++)
            assert_string_not_equal(name, varve_status_name((enum varve_status)j));
    }
    assert_string_equal(varve_status_name(VARVE_NO_MEMORY), "VARVE_NO_MEMORY");
}

static void
every_kind_has_a_name(void **state)
{
    (void)state;
    for (int i = VARVE_FAILURE_OTHER; i <= VARVE_FAILURE_SIZE; i++) {
        const char *name = varve_failure_kind_name((enum varve_failure_kind)i);
        assert_int_equal(strncmp(name, "VARVE_FAILURE_", 14), 0);
        assert_string_not_equal(name, "VARVE_FAILURE_?");
    }
    assert_string_equal(varve_failure_kind_name(VARVE_FAILURE_DIMS), "VARVE_FAILURE_DIMS");
}

static void
numbers_that_are_none_say_so(void **state)
{
    (void)state;
    assert_string_equal(varve_status_name((enum varve_status)999), "VARVE_?");
    assert_string_equal(varve_status_text((enum varve_status) - 1), "unknown status");
    assert_string_equal(varve_failure_kind_name((enum varve_failure_kind)999), "VARVE_FAILURE_?");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_and_a_text),
        cmocka_unit_test(every_kind_has_a_name),
        cmocka_unit_test(numbers_that_are_none_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
