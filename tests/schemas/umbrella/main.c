/* The umbrella of package lab is lab/lab.varve.h, which is the header of lab/lab.proto too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#include <cmocka.h>
#ifdef __cplusplus
}
#endif

#include "lab/lab.varve.h"

#include "check_tables.h"

static void
one_header_has_all(void **state)
{
    (void)state;
    struct lab_last last;
    struct lab_lab lab;
    struct lab_other other;
    lab_last_init(&last);
    lab_lab_init(&lab);
    lab_other_init(&other);
    last.lab = &lab;
    lab.other = &other;
    other.has_number = 1;
    struct lab_last *copy;
    assert_int_equal(lab_last_clone(&last, &copy), VARVE_OK);
    assert_true(copy->lab->other->has_number);
    lab_last_free(copy);
}

static void
registry_has_the_files_of_every_folder(void **state)
{
    (void)state;
    assert_int_equal(lab_schema.record_count, 3);
    check_registry(&lab_schema);
    for_each_record(&lab_schema, check_fields);
    for_each_record(&lab_schema, check_layout);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_header_has_all),
        cmocka_unit_test(registry_has_the_files_of_every_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
