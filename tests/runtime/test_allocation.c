/* Every allocation fails once: the call says so, and nothing leaks. */
#include "support.h"

#include <string.h>

#include "base/error.h"

static enum varve_status
pack(const void *input)
{
    struct varve_bytes bytes = {0};
    enum varve_status status = varve_record_pack(&lab_sample_record, input, &bytes);
    assert_int_equal(bytes.data == NULL, status != VARVE_OK);
    varve_bytes_free(&bytes);
    return status;
}

static enum varve_status
unpack(const void *input)
{
    const struct varve_bytes *bytes = input;
    void *record = &record;
    enum varve_status status =
        varve_record_unpack(&lab_sample_record, bytes->data, bytes->size, &record);
    assert_int_equal(record == NULL, status != VARVE_OK);
    varve_record_free(record);
    return status;
}

static enum varve_status
clone(const void *input)
{
    void *copy = &copy;
    enum varve_status status = varve_record_clone(&lab_sample_record, input, &copy);
    assert_int_equal(copy == NULL, status != VARVE_OK);
    varve_record_free(copy);
    return status;
}

static enum varve_status
print(const void *input)
{
    char buffer[4096];
    return varve_record_print(&lab_sample_record, input, buffer, sizeof buffer);
}

/* Runs the call with its first allocation failing, then its second, until it succeeds. */
static void
fail_each(enum varve_status (*call)(const void *input), const void *input, size_t expected)
{
    for (size_t n = 1;; n++) {
        count_allocations(n);
        enum varve_status status = call(input);
        size_t asked = stop_counting();
        if (asked < n) {
            assert_int_equal(status, VARVE_OK);
            assert_int_equal(asked, expected);
            return;
        }
        assert_int_equal(status, VARVE_NO_MEMORY);
        assert_int_equal(varve__thread_failure()->status, VARVE_NO_MEMORY);
        assert_non_null(strstr(varve__thread_error(), "out of memory"));
    }
}

static void
packing(void **state)
{
    (void)state;
    struct lab_sample sample = full_sample();
    fail_each(pack, &sample, 1);
}

static void
unpacking(void **state)
{
    (void)state;
    struct lab_sample sample = full_sample();
    struct varve_bytes bytes;
    assert_int_equal(varve_record_pack(&lab_sample_record, &sample, &bytes), VARVE_OK);
    fail_each(unpack, &bytes, 1);
    varve_bytes_free(&bytes);
}

static void
unpacking_that_needs_several_blocks(void **state)
{
    (void)state;
    enum {
        RUNS = 65, /* of tags: just over 64, where the array has doubled for one more */
        ENTRIES = 17
    };
    uint8_t wire[RUNS * 4 + ENTRIES * 5];
    struct varve_bytes bytes = {sizeof wire, wire};
    for (size_t i = 0; i < RUNS; i++)
        memcpy(wire + i * 4, "\x4A\x00\x08\x07", 4);
    for (size_t i = 0; i < ENTRIES; i++) /* of nodes, all with key 7 */
        memcpy(wire + RUNS * 4 + i * 5, "\x92\x01\x02\x08\x07", 5);
    fail_each(unpack, &bytes, 3);
}

static void
cloning(void **state)
{
    (void)state;
    struct lab_sample sample = full_sample();
    fail_each(clone, &sample, 1);
}

static void
printing_allocates_nothing(void **state)
{
    (void)state;
    struct lab_sample sample = full_sample();
    fail_each(print, &sample, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packing),
        cmocka_unit_test(unpacking),
        cmocka_unit_test(unpacking_that_needs_several_blocks),
        cmocka_unit_test(cloning),
        cmocka_unit_test(printing_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
