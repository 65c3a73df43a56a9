/* Where keys begin. */
#include "support.h"

#include <string.h>

#include "base/error.h"
#include "codec/cache_space.h"
#include "key_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum {
    MANY = 300
};

static const ProtobufCFieldDescriptor time_field = {.name = "seen_at"};
static struct varve_cache caches[MANY];
static struct varve_record records[MANY];
static const struct varve_record *pointers[MANY];

/* A schema of `count` records, of which every third is not cached, and every fifth has an order. */
static struct varve_schema
make_schema(const char *package, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        caches[i] = (struct varve_cache){
            .space = (uint32_t)(0x1A2B3C00 + i),
            .mode = i % 2 ? VARVE_CACHE_READ_THROUGH : VARVE_CACHE_ONLY,
            .index_by = i % 5 == 0 ? &time_field : NULL,
        };
        records[i] = spot_records[SPOT_TEXT];
        records[i].cache = i % 3 == 2 ? NULL : &caches[i];
        pointers[i] = &records[i];
    }
    return (struct varve_schema){
        .package = package, .records = pointers + first, .record_count = count};
}

static void
assert_text(struct varve__cache_text text, const char *expected)
{
    assert_int_equal(text.size, strlen(expected));
    assert_memory_equal(text.text, expected, text.size);
}

static struct varve__spaces *
create(const struct varve_schema *first, const struct varve_schema *second)
{
    const struct varve_schema *schemas[] = {first, second};
    struct varve__spaces *spaces;
    assert_int_equal(varve__spaces_create(schemas, second ? 2 : 1, &spaces), VARVE_OK);
    return spaces;
}

static void
keys_begin_with_package_and_template(void **state)
{
    (void)state;
    struct varve_schema schema = make_schema("cortex", 0, 6);
    struct varve__spaces *spaces = create(&schema, NULL);
    assert_int_equal(spaces->count, 4);
    assert_int_equal(spaces->read_through_count, 2);
    assert_text(spaces->spaces[0].prefix, "cortex:1a2b3c00:");
    assert_text(spaces->spaces[0].index, "cortex:1a2b3c00%index");
    assert_text(spaces->spaces[3].prefix, "cortex:1a2b3c04:");
    assert_int_equal(spaces->spaces[3].index.size, 0);
    assert_int_equal(spaces->package_count, 1);
    assert_string_equal(spaces->packages[0], "cortex");
    varve__spaces_release(spaces);
}

static void
a_hash_has_eight_digits(void **state)
{
    (void)state;
    struct varve_schema schema = make_schema("a", 0, 2);
    caches[0].space = 0;
    caches[1].space = UINT32_MAX;
    struct varve__spaces *spaces = create(&schema, NULL);
    assert_text(spaces->spaces[0].prefix, "a:00000000:");
    assert_text(spaces->spaces[1].prefix, "a:ffffffff:");
    varve__spaces_release(spaces);
}

static void
every_record_is_found_and_no_other(void **state)
{
    (void)state;
    struct varve_schema first = make_schema("lab", 0, MANY / 2);
    struct varve_schema second = make_schema("cortex.v1", MANY / 2, MANY / 2);
    struct varve__spaces *spaces = create(&first, &second);
    assert_int_equal(spaces->count, MANY / 3 * 2);
    for (size_t i = 0; i < MANY; i++) {
        const struct varve__space *space = varve__space_of(spaces, &records[i]);
        assert_int_equal(space == NULL, records[i].cache == NULL);
        if (!space)
            continue;
        assert_ptr_equal(space->record, &records[i]);
        assert_ptr_equal(space, &spaces->spaces[space->number]);
        assert_int_equal(space->index.size > 0, i % 5 == 0);
        assert_int_equal(strncmp(space->prefix.text, i < MANY / 2 ? "lab:" : "cortex.v1:", 4), 0);
    }
    assert_null(varve__space_of(spaces, &spot_records[SPOT_TEXT]));
    assert_string_equal(spaces->packages[1], "cortex.v1");
    varve__spaces_release(spaces);
}

/* Addresses that differ by a power of two have one place in the table. */
static void
records_that_meet_in_the_table_are_all_found(void **state)
{
    (void)state;
    static union {
        struct varve_record record;
        char apart[4096];
    } slots[20];
    static const struct varve_record *list[COUNT(slots)];
    struct varve_schema schema = {.package = "lab", .records = list, .record_count = COUNT(slots)};
    for (size_t i = 0; i < COUNT(slots); i++) {
        slots[i].record = spot_records[SPOT_TEXT];
        list[i] = &slots[i].record;
    }
    struct varve__spaces *spaces = create(&schema, NULL);
    for (size_t i = 0; i < COUNT(slots); i++)
        assert_ptr_equal(varve__space_of(spaces, list[i]), &spaces->spaces[i]);
    assert_null(varve__space_of(spaces, &spot_records[SPOT_TEXT]));
    varve__spaces_release(spaces);
}

static void
nothing_cached_is_no_space(void **state)
{
    (void)state;
    struct varve_schema none = {.package = "lab"};
    struct varve__spaces *spaces = create(&none, NULL);
    assert_int_equal(spaces->count, 0);
    assert_null(varve__space_of(spaces, &records[0]));
    varve__spaces_release(spaces);
    assert_int_equal(varve__spaces_create(NULL, 0, &spaces), VARVE_OK);
    assert_null(varve__space_of(spaces, &records[0]));
    varve__spaces_release(spaces);
    varve__spaces_release(NULL);
}

/* What follows the ~ is the CRC-32 of 81 p, as zlib has it. */
static void
a_long_package_is_cut_by_its_hash(void **state)
{
    (void)state;
    char package[200] = {0};
    memset(package, 'p', 80);
    struct varve_schema schema = make_schema(package, 0, 1);
    struct varve__spaces *spaces = create(&schema, NULL);
    assert_string_equal(spaces->packages[0], package); /* 80 bytes stay */
    assert_int_equal(spaces->spaces[0].prefix.size, 90);
    assert_int_equal(spaces->spaces[0].index.size, 95);
    assert_true(spaces->spaces[0].index.size < VARVE__SPACE_PREFIX_MAX);
    varve__spaces_release(spaces);
    package[80] = 'p';
    spaces = create(&schema, NULL);
    assert_int_equal(strlen(spaces->packages[0]), 63 + 1 + 8);
    assert_memory_equal(spaces->packages[0], package, 63);
    assert_string_equal(spaces->packages[0] + 63, "~898e27fb");
    assert_memory_equal(spaces->spaces[0].prefix.text, spaces->packages[0], 72);
    assert_memory_equal(spaces->spaces[0].prefix.text + 72, ":1a2b3c00:", 10);
    varve__spaces_release(spaces);
}

static void
long_packages_that_begin_alike_differ(void **state)
{
    (void)state;
    char left[200] = {0};
    char right[200] = {0};
    memset(left, 'p', 150);
    memset(right, 'p', 150);
    right[149] = 'q';
    struct varve_schema first = make_schema(left, 0, 1);
    struct varve_schema second = make_schema(right, 1, 1);
    struct varve__spaces *spaces = create(&first, &second);
    assert_string_not_equal(spaces->packages[0], spaces->packages[1]);
    varve__spaces_release(spaces);
}

static void
no_memory_is_told(void **state)
{
    (void)state;
    struct varve_schema schema = make_schema("lab", 0, 9);
    const struct varve_schema *schemas[] = {&schema};
    struct varve__spaces *spaces = (void *)&schema;
    count_allocations(1);
    assert_int_equal(varve__spaces_create(schemas, 1, &spaces), VARVE_NO_MEMORY);
    stop_counting();
    assert_null(spaces);
    assert_failure(VARVE_FAILURE_OTHER, "out of memory");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_begin_with_package_and_template),
        cmocka_unit_test(a_hash_has_eight_digits),
        cmocka_unit_test(every_record_is_found_and_no_other),
        cmocka_unit_test(records_that_meet_in_the_table_are_all_found),
        cmocka_unit_test(nothing_cached_is_no_space),
        cmocka_unit_test(a_long_package_is_cut_by_its_hash),
        cmocka_unit_test(long_packages_that_begin_alike_differ),
        cmocka_unit_test(no_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
