/* A record of 1200 fields, and filters with a condition on each; and one of 200 with a tensor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "wide.varve.h"

enum {
    FIELDS = 1200
};

static struct varve_store *store;

static int
set_up(void **state)
{
    struct varve_config config = {.data_dir = ":memory:"};
    struct varve_session *session;
    if (varve_open(&wide_schema, &config, &store, NULL) != VARVE_OK ||
        varve_session_open(store, &session) != VARVE_OK)
        return -1;
    *state = session;
    return 0;
}

static int
tear_down(void **state)
{
    varve_session_close(*state);
    varve_close(store);
    return 0;
}

static void
expect_count(struct varve_session *session, const struct wide_row_filter *filter, int64_t expected)
{
    int64_t count = -1;
    if (wide_row_count(session, filter, &count) != VARVE_OK)
        fail_msg("%s", varve_session_error(session));
    assert_int_equal(count, expected);
}

static void
test_each_of_many_conditions_counts(void **state)
{
    struct varve_session *session = *state;
    static struct wide_row_filter filter;
    struct wide_row *found;
    struct varve_condition *conditions = (void *)&filter;
    struct wide_row row = WIDE_ROW_INIT;
    assert_int_equal(wide_row_insert(session, &row), VARVE_OK);
    assert_int_equal(
        wide_row_record.table->conditions_size, (size_t)FIELDS * sizeof(struct varve_condition));
    conditions[0] = varve_int64_equals(1).condition;
    for (size_t i = 1; i < FIELDS; i++) {
        conditions[i] = varve_int64_between(0, 0).condition;
        if (i % 64 < 2 || i + 1 == FIELDS)
            expect_count(session, &filter, 1);
    }
    for (size_t i = 1; i < FIELDS; i += 61) {
        conditions[i] = varve_int64_between(1, 1).condition;
        expect_count(session, &filter, 0);
        conditions[i] = varve_int64_between(0, 0).condition;
    }
    filter.order_by = WIDE_ROW_FIELD_F1200;
    if (wide_row_find_one(session, &filter, &found) != VARVE_OK)
        fail_msg("%s", varve_session_error(session));
    filter.after = found;
    expect_count(session, &filter, 0);
    filter.after = NULL;
    wide_row_free(found);
    if (wide_row_delete_where(session, &filter) != VARVE_OK)
        fail_msg("%s", varve_session_error(session));
    assert_int_equal(varve_changes(session), 1);
}

/* -------------------------------------------------------------------- a large struct with a tensor */

static uint16_t pixels[] = {1, 500, 0, UINT16_MAX};

static void
fill_strip(struct wide_strip *strip)
{
    *strip = (struct wide_strip)WIDE_STRIP_INIT;
    strip->pixels = (struct varve_uint16s){4, pixels};
    strip->f3 = -3;
    strip->f200 = INT64_MAX;
}

static void
expect_strip(const struct wide_strip *strip)
{
    assert_int_equal(strip->pixels.count, 4);
    assert_memory_equal(strip->pixels.data, pixels, sizeof pixels);
    assert_int_equal(strip->f3, -3);
    assert_int_equal(strip->f4, 0);
    assert_int_equal(strip->f200, INT64_MAX);
}

static void
test_a_large_struct_with_a_tensor_is_packed_and_stored(void **state)
{
    struct varve_session *session = *state;
    struct wide_strip strip, *got;
    struct varve_bytes bytes;
    fill_strip(&strip);
    assert_true(sizeof strip > 1024);
    assert_int_equal(wide_strip_pack(&strip, &bytes), VARVE_OK);
    assert_int_equal(strip.pixels.count, 4); /* not changed by it */
    assert_int_equal(wide_strip_unpack(bytes.data, bytes.size, &got), VARVE_OK);
    expect_strip(got);
    assert_true(wide_strip_equal(got, &strip));
    wide_strip_free(got);
    varve_bytes_free(&bytes);
    assert_int_equal(wide_strip_insert(session, &strip), VARVE_OK);
    assert_int_equal(wide_strip_get(session, strip.id, &got), VARVE_OK);
    expect_strip(got);
    wide_strip_free(got);
}

static int allocations; /* until one fails; less than 0: none does */

static void *
allocate(void *context, size_t size)
{
    (void)context;
    return allocations-- == 0 ? NULL : malloc(size);
}

static void
release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static void
test_without_memory_a_large_struct_is_not_packed(void **state)
{
    static const struct varve_allocator failing = {.allocate = allocate, .release = release};
    struct wide_strip strip;
    struct varve_bytes bytes;
    int failures = 0;
    enum varve_status status;
    (void)state;
    fill_strip(&strip);
    varve_set_allocator(&failing);
    do {
        allocations = failures;
        status = wide_strip_pack(&strip, &bytes);
        assert_true(status == VARVE_OK || (status == VARVE_NO_MEMORY && !bytes.data));
        failures += status == VARVE_NO_MEMORY;
    } while (status == VARVE_NO_MEMORY);
    assert_int_equal(failures, 2); /* the copy of the struct, the bytes */
    varve_bytes_free(&bytes);
    varve_set_allocator(NULL);
    expect_strip(&strip);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_of_many_conditions_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_large_struct_with_a_tensor_is_packed_and_stored, set_up, tear_down),
        cmocka_unit_test(test_without_memory_a_large_struct_is_not_packed),
    };
    return cmocka_run_group_tests_name("wide", tests, NULL, NULL);
}
