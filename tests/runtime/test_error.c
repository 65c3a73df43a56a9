/* The thread's last failure. */
#include "support.h"

#include <pthread.h>
#include <string.h>

#include "base/error.h"

static void
a_failure_keeps_its_details(void **state)
{
    (void)state;
    assert_int_equal(
        varve__fail(
            VARVE_BUSY, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, "lab.Node", "waited %d ms", 5),
        VARVE_BUSY);
    varve__failure_add_field(3);
    varve__failure_set_index(17);
    varve__failure_set_errno(28);
    const struct varve_failure *failure = varve__thread_failure();
    assert_string_equal(varve__thread_error(), "waited 5 ms");
    assert_string_equal(failure->record, "lab.Node");
    assert_int_equal(failure->tier, VARVE_TIER_TABLE);
    assert_int_equal(failure->field_count, 1);
    assert_int_equal(failure->fields[0], 3);
    assert_int_equal(failure->index, 17);
    assert_int_equal(failure->system_errno, 28);
    assert_true(failure->retryable);
}

static void
the_next_failure_replaces_everything(void **state)
{
    (void)state;
    varve__fail(VARVE_IO, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, "lab.Node", "first");
    varve__failure_add_field(3);
    varve__fail(
        VARVE_INVALID, VARVE_FAILURE_NAN, VARVE_TIER_NONE, NULL, "second, not %s",
        varve__thread_error());
    assert_string_equal(varve__thread_error(), "second, not first");
    assert_int_equal(varve__thread_failure()->field_count, 0);
    assert_int_equal(varve__thread_failure()->index, -1);
    assert_null(varve__thread_failure()->record);
}

static void
a_long_text_is_cut_at_a_whole_character(void **state)
{
    char text[700];
    (void)state;
    for (size_t i = 0; i + 2 < sizeof text; i += 3)
        memcpy(text + i, "\xE2\x82\xAC", 3);
    text[699] = '\0';
    varve__fail(VARVE_INVALID, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, NULL, "%s", text);
    assert_int_equal(strlen(varve__thread_error()), 510);
}

static void
more_than_eight_fields_are_left_out(void **state)
{
    (void)state;
    varve__fail(VARVE_INVALID, VARVE_FAILURE_DEPTH, VARVE_TIER_NONE, NULL, "deep");
    for (uint32_t i = 1; i <= 20; i++)
        varve__failure_add_field(i);
    assert_int_equal(varve__thread_failure()->field_count, VARVE_FAILURE_FIELDS_MAX);
    assert_int_equal(varve__thread_failure()->fields[7], 8);
}

static void *
look_from_another_thread(void *result)
{
    *(bool *)result = !varve__thread_failure() && strcmp(varve__thread_error(), "") == 0;
    return NULL;
}

static void
other_threads_see_nothing(void **state)
{
    bool empty = false;
    pthread_t thread;
    (void)state;
    varve__fail(VARVE_INVALID, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, NULL, "mine");
    assert_int_equal(pthread_create(&thread, NULL, look_from_another_thread, &empty), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(empty);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_keeps_its_details),
        cmocka_unit_test(the_next_failure_replaces_everything),
        cmocka_unit_test(a_long_text_is_cut_at_a_whole_character),
        cmocka_unit_test(more_than_eight_fields_are_left_out),
        cmocka_unit_test(other_threads_see_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
