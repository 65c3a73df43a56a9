/* The generated tables of both schemas keep the rules of check_tables.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check_tables.h"
#include "cortex/cortex.varve.h"
#include "shapes.varve.h"

static const struct varve_schema *const schemas[] = {&cortex_schema, &shapes_schema};

static void
check_all(void (*check)(const struct varve_record *record))
{
    for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++) {
        assert_true(schemas[i]->record_count > 0);
        for_each_record(schemas[i], check);
    }
}

static void
fields_are_found_by_number_and_by_name(void **state)
{
    (void)state;
    check_all(check_fields);
}

static void
members_lie_inside_and_apart(void **state)
{
    (void)state;
    check_all(check_layout);
}

static void
columns_are_the_fields(void **state)
{
    (void)state;
    check_all(check_columns);
}

static void
enums_are_found_by_number_and_by_name(void **state)
{
    (void)state;
    check_enum(&shapes_colour_descriptor);
    check_enum(&shapes_outer_middle_inner_mood_descriptor);
}

static void
registries_list_what_the_schema_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++)
        check_registry(schemas[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_found_by_number_and_by_name),
        cmocka_unit_test(members_lie_inside_and_apart),
        cmocka_unit_test(columns_are_the_fields),
        cmocka_unit_test(enums_are_found_by_number_and_by_name),
        cmocka_unit_test(registries_list_what_the_schema_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
