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
keys_of_the_cache_are_made_of_fields(void **state)
{
    (void)state;
    check_all(check_cache);
}

static void
who_has_tensors_in_a_table_has_an_archive(void **state)
{
    (void)state;
    check_all(check_archive);
}

/* What nobody says is the default of the options. */
static void
an_archive_without_options_has_all_defaults(void **state)
{
    (void)state;
    const struct varve_archive *archive = shapes_tensors_record.archive;
    assert_int_equal(archive->compression, VARVE_ARCHIVE_DEFLATE);
    assert_int_equal(archive->level, 1);
    assert_true(archive->shuffle);
    assert_true(archive->checksum);
    assert_int_equal(archive->layout, VARVE_ARCHIVE_COLUMN);
    assert_int_equal(archive->chunk_bytes, 0);
    assert_int_equal(archive->segment_bytes, 0);
    assert_int_equal(archive->retention_days, 0);
}

/* Across packages too: what the two are called is no reason for their numbers to be the same. */
static void
no_two_messages_have_the_same_space(void **state)
{
    (void)state;
    uint32_t spaces[32];
    size_t count = 0;
    for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++)
        for (size_t k = 0; k < schemas[i]->record_count; k++) {
            const struct varve_cache *cache = schemas[i]->records[k]->cache;
            if (cache == NULL)
                continue;
            for (size_t other = 0; other < count; other++)
                assert_true(spaces[other] != cache->space);
            assert_true(count < sizeof(spaces) / sizeof(spaces[0]));
            spaces[count++] = cache->space;
        }
    assert_int_equal(count, 7);
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
        cmocka_unit_test(keys_of_the_cache_are_made_of_fields),
        cmocka_unit_test(who_has_tensors_in_a_table_has_an_archive),
        cmocka_unit_test(an_archive_without_options_has_all_defaults),
        cmocka_unit_test(no_two_messages_have_the_same_space),
        cmocka_unit_test(enums_are_found_by_number_and_by_name),
        cmocka_unit_test(registries_list_what_the_schema_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
