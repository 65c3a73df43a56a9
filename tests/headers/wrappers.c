/* Every wrapper of the table tier makes its call with its own table, key and field: each is used once on
 * a real store. What the calls do beyond that is tested in tests/store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cortex/cortex.varve.h"
#include "shapes.varve.h"

static struct varve_store *store;
static struct varve_session *session;

static int
open_store(void **state)
{
    (void)state;
    static const struct varve_schema *const schemas[] = {&shapes_schema, &cortex_schema};
    const struct varve_config config = {.data_dir = ":memory:"};
    struct varve_error error;
    if (varve_open_many(schemas, 2, &config, &store, &error) != VARVE_OK) {
        print_error("%s\n", error.message);
        return -1;
    }
    return varve_session_open(store, &session) == VARVE_OK ? 0 : -1;
}

static int
close_store(void **state)
{
    (void)state;
    varve_session_close(session);
    varve_close(store);
    return 0;
}

static void
expect(enum varve_status expected, enum varve_status status)
{
    if (status != expected)
        fail_msg(
            "%s: %s", varve_status_name(status),
            status > VARVE_DONE ? varve_session_error(session) : "");
}

/* A record whose unique fields are made of the number. Its payload is valid until the next call. */
static struct shapes_families
family(int32_t number)
{
    static uint8_t byte;
    static char label[8];
    struct shapes_families record = SHAPES_FAMILIES_INIT;
    byte = (uint8_t)number;
    label[0] = (char)('a' + number);
    record.i32 = number;
    record.f64 = UINT64_MAX - (uint64_t)number;
    record.blob = (struct varve_bytes){.size = 1, .data = &byte};
    record.has_colour = 1;
    record.colour = (enum shapes_colour)(100 + number);
    record.label = label;
    return record;
}

static void
insert_families(int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        struct shapes_families record = family(i);
        expect(VARVE_OK, shapes_families_insert(session, &record));
        assert_int_equal(record.id, i + 1);
    }
}

static void
expect_family(struct shapes_families *record, int64_t id)
{
    assert_non_null(record);
    assert_int_equal(record->id, id);
    shapes_families_free(record);
}

static void
expect_count(const struct shapes_families_filter *filter, int64_t expected)
{
    int64_t count = -1;
    expect(VARVE_OK, shapes_families_count(session, filter, &count));
    assert_int_equal(count, expected);
}

/* ------------------------------------------------------------------ one int64 key */

static void
records_are_read_by_key_and_by_each_unique_field(void **state)
{
    (void)state;
    insert_families(3);
    struct shapes_families *found;
    expect(VARVE_OK, shapes_families_get(session, 2, &found));
    expect_family(found, 2);
    expect(VARVE_OK, shapes_families_get_by_f64(session, UINT64_MAX - 1, &found));
    expect_family(found, 2);
    const struct varve_bytes blob = {.size = 1, .data = (uint8_t[]){2}};
    expect(VARVE_OK, shapes_families_get_by_blob(session, blob, &found));
    expect_family(found, 3);
    expect(VARVE_OK, shapes_families_get_by_colour(session, (enum shapes_colour)100, &found));
    expect_family(found, 1);
    expect(VARVE_OK, shapes_families_get_by_label(session, "c", &found));
    expect_family(found, 3);
    expect(VARVE_NOT_FOUND, shapes_families_get_by_label(session, "z", &found));
    assert_null(found);
}

static void
arrays_are_inserted_and_read(void **state)
{
    (void)state;
    struct shapes_coloured many[] = {SHAPES_COLOURED_INIT, SHAPES_COLOURED_INIT};
    many[0].colour = SHAPES_RED;
    many[1].colour = SHAPES_GREEN;
    expect(VARVE_OK, shapes_coloured_insert_many(session, many, 2));
    const enum shapes_colour ids[] = {SHAPES_GREEN, SHAPES_HIGHEST, SHAPES_RED};
    struct shapes_coloured **records;
    expect(VARVE_OK, shapes_coloured_get_many(session, ids, 3, &records));
    assert_int_equal(records[0]->colour, SHAPES_GREEN);
    assert_null(records[1]);
    assert_int_equal(records[2]->colour, SHAPES_RED);
    shapes_coloured_free_many(records);
    shapes_coloured_free_many(NULL);
}

static void
records_are_changed_and_deleted(void **state)
{
    (void)state;
    insert_families(2);
    struct shapes_families record = family(0);
    record.id = 1;
    record.i64 = 5;
    record.text = "x";
    expect(VARVE_OK, shapes_families_update(session, &record));
    expect_count(&(struct shapes_families_filter){.i64 = varve_int64_equals(5)}, 1);

    const enum shapes_families_field fields[] = {SHAPES_FAMILIES_FIELD_I64};
    record.i64 = 6;
    record.text = "not looked at";
    expect(VARVE_OK, shapes_families_update_fields(session, &record, fields, 1));
    expect_count(
        &(struct shapes_families_filter){
            .i64 = varve_int64_equals(6), .text = varve_text_equals("x")},
        1);

    record.i64 = 7;
    expect(VARVE_OK, shapes_families_upsert(session, &record));
    record.id = 0;
    record.d = 0.5;
    expect(VARVE_OK, shapes_families_upsert_by(session, &record, SHAPES_FAMILIES_FIELD_LABEL));
    assert_int_equal(record.id, 1);
    expect_count(&(struct shapes_families_filter){.d = varve_double_equals(0.5)}, 1);
    expect_count(NULL, 2);

    expect(VARVE_OK, shapes_families_delete(session, 1));
    expect(VARVE_NOT_FOUND, shapes_families_delete(session, 1));
    expect(VARVE_OK, shapes_families_delete_where(session, NULL));
    expect_count(NULL, 0);
}

static void
rows_are_found_in_order(void **state)
{
    (void)state;
    insert_families(4);
    struct varve_cursor *cursor;
    const struct shapes_families *row;
    expect(
        VARVE_OK, shapes_families_find(
                      session,
                      &(struct shapes_families_filter){
                          .i32 = varve_int64_at_least(1),
                          .order_by = SHAPES_FAMILIES_FIELD_LABEL,
                          .descending = true,
                          .offset = 1,
                          .limit = 2,
                      },
                      &cursor));
    for (int64_t id = 3; id >= 2; id--) {
        expect(VARVE_ROW, shapes_families_next(cursor, &row));
        assert_int_equal(row->id, id);
    }
    expect(VARVE_DONE, shapes_families_next(cursor, &row));
    assert_null(row);
    varve_cursor_close(cursor);

    struct shapes_families last = family(1);
    last.id = 2;
    struct shapes_families_filter behind = {
        .order_by = SHAPES_FAMILIES_FIELD_LABEL, .after = &last};
    struct shapes_families *found;
    expect(VARVE_OK, shapes_families_find_one(session, &behind, &found));
    expect_family(found, 3);
}

/* The example of filter.h. */
static void
the_documented_find_finds(void **state)
{
    (void)state;
    struct cortex_episode episode = CORTEX_EPISODE_INIT;
    episode.context_hash = "maze/7";
    episode.performance_score = 0.75;
    expect(VARVE_OK, cortex_episode_insert(session, &episode));
    struct varve_cursor *cursor;
    const struct cortex_episode *row;
    enum varve_status status = cortex_episode_find(
        session,
        &(struct cortex_episode_filter){
            .context_hash = varve_text_equals("maze/7"),
            .performance_score = varve_double_at_least(0.5),
            .order_by = CORTEX_EPISODE_FIELD_OCCURRED_AT,
            .descending = true,
            .limit = 100},
        &cursor);
    expect(VARVE_OK, status);
    expect(VARVE_ROW, cortex_episode_next(cursor, &row));
    assert_int_equal(row->id, episode.id);
    expect(VARVE_DONE, cortex_episode_next(cursor, &row));
    varve_cursor_close(cursor);
}

static void
rows_of_another_message_are_refused(void **state)
{
    (void)state;
    struct varve_cursor *cursor;
    const struct shapes_named *row;
    expect(VARVE_OK, shapes_families_find(session, NULL, &cursor));
    expect(VARVE_MISUSE, shapes_named_next(cursor, &row));
    assert_null(row);
    varve_cursor_close(cursor);
}

/* ------------------------------------------------------------------ conditions */

/* The one record is found by a condition that holds for it, and by none that does not. */
#define FINDS(member, holds, fails)                                                                \
    do {                                                                                           \
        expect_count(&(struct shapes_families_filter){.member = holds}, 1);                        \
        expect_count(&(struct shapes_families_filter){.member = fails}, 0);                        \
    } while (0)
#define FINDS_VALUE(member, family, value, other)                                                  \
    FINDS(member, varve_##family##_equals(value), varve_##family##_equals(other))

static void
conditions_are_on_their_own_fields(void **state)
{
    (void)state;
    struct shapes_leaf leaf = SHAPES_LEAF_INIT;
    struct shapes_families record = family(1);
    record.d = 2.5;
    record.f = 0.1f;
    record.i64 = 5;
    record.u32 = 6;
    record.u64 = 7;
    record.s32 = -8;
    record.s64 = -9;
    record.f32 = 10;
    record.sf32 = -12;
    record.sf64 = -13;
    record.flag = 1;
    record.text = "fifteen";
    record.leaf = &leaf;
    record.choice_case = SHAPES_FAMILIES_CHOICE_CASE_WORD;
    record.word = "twenty-one";
    expect(VARVE_OK, shapes_families_insert(session, &record));
    const struct varve_bytes blob = {.size = 1, .data = (uint8_t[]){1}};
    const struct varve_bytes other = {.size = 0, .data = (uint8_t[]){0}};

    FINDS_VALUE(id, int64, 1, 2);
    FINDS_VALUE(d, double, 2.5, 0);
    FINDS_VALUE(f, float, 0.1f, 0);
    FINDS_VALUE(i32, int64, 1, 0);
    FINDS_VALUE(i64, int64, 5, 0);
    FINDS_VALUE(u32, int64, 6, 0);
    FINDS_VALUE(u64, int64, 7, 0);
    FINDS_VALUE(s32, int64, -8, 0);
    FINDS_VALUE(s64, int64, -9, 0);
    FINDS_VALUE(f32, int64, 10, 0);
    FINDS_VALUE(f64, fixed64, UINT64_MAX - 1, 0);
    FINDS_VALUE(sf32, int64, -12, 0);
    FINDS_VALUE(sf64, int64, -13, 0);
    FINDS_VALUE(flag, bool, true, false);
    FINDS_VALUE(text, text, "fifteen", "");
    FINDS_VALUE(blob, bytes, blob, other);
    FINDS_VALUE(colour, enum, 101, 0);
    FINDS_VALUE(label, text, "b", "a");
    FINDS(leaf, varve_is_not_null(), varve_is_null());
    FINDS(number, varve_int64_is_null(), varve_int64_is_not_null());
    FINDS_VALUE(word, text, "twenty-one", "");
    FINDS(part, varve_is_null(), varve_is_not_null());
    FINDS(numbers, varve_is_not_null(), varve_is_null());
    FINDS(leaves, varve_is_not_null(), varve_is_null());
    FINDS(counts, varve_is_not_null(), varve_is_null());
}

/* ------------------------------------------------------------------ other keys */

static void
a_string_is_a_key(void **state)
{
    (void)state;
    struct shapes_named records[] = {SHAPES_NAMED_INIT, SHAPES_NAMED_INIT};
    records[0].name = "child";
    records[0].parent = "parent"; /* which comes later: checked at the end */
    records[1].name = "parent";
    expect(VARVE_OK, shapes_named_insert_many(session, records, 2));
    struct shapes_named *found;
    expect(VARVE_OK, shapes_named_get(session, "child", &found));
    assert_string_equal(found->parent, "parent");
    assert_int_equal(found->changes, 1);
    expect(VARVE_OK, shapes_named_update(session, found));
    assert_int_equal(found->changes, 2);
    expect(VARVE_CONFLICT, shapes_named_update(session, &records[0]));
    shapes_named_free(found);
    expect(VARVE_OK, shapes_named_get_by_name(session, "parent", &found));
    assert_null(found->parent);
    shapes_named_free(found);

    const char *const ids[] = {"parent", "nobody"};
    struct shapes_named **many;
    expect(VARVE_OK, shapes_named_get_many(session, ids, 2, &many));
    assert_string_equal(many[0]->name, "parent");
    assert_null(many[1]);
    shapes_named_free_many(many);
    expect(VARVE_OK, shapes_named_delete(session, "parent"));
    expect(VARVE_NOT_FOUND, shapes_named_get(session, "child", &found)); /* deleted with it */
}

static void
several_fields_are_a_key(void **state)
{
    (void)state;
    struct shapes_keyed record = SHAPES_KEYED_INIT;
    record.value = 2.5;
    record.site = "x";
    record.colour = SHAPES_GREEN;
    record.hash = UINT64_MAX;
    expect(VARVE_OK, shapes_keyed_insert(session, &record));
    struct shapes_keyed *found;
    expect(VARVE_OK, shapes_keyed_get(session, "x", SHAPES_GREEN, UINT64_MAX, &found));
    assert_true(shapes_keyed_equal(found, &record));
    shapes_keyed_free(found);
    expect(VARVE_NOT_FOUND, shapes_keyed_get(session, "x", SHAPES_RED, UINT64_MAX, &found));
    expect(VARVE_OK, shapes_keyed_get_by_hash(session, UINT64_MAX, &found));
    assert_string_equal(found->site, "x");
    shapes_keyed_free(found);

    struct shapes_keyed keys[] = {SHAPES_KEYED_INIT, record};
    keys[1].value = 0; /* of a key only its own fields are read */
    struct shapes_keyed **many;
    expect(VARVE_OK, shapes_keyed_get_many(session, keys, 2, &many));
    assert_null(many[0]);
    assert_true(many[1]->value == 2.5);
    shapes_keyed_free_many(many);
    expect(VARVE_OK, shapes_keyed_delete(session, "x", SHAPES_GREEN, UINT64_MAX));
    expect(VARVE_NOT_FOUND, shapes_keyed_delete(session, "x", SHAPES_GREEN, UINT64_MAX));
}

#define ON_A_STORE(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_STORE(records_are_read_by_key_and_by_each_unique_field),
        ON_A_STORE(arrays_are_inserted_and_read),
        ON_A_STORE(records_are_changed_and_deleted),
        ON_A_STORE(rows_are_found_in_order),
        ON_A_STORE(the_documented_find_finds),
        ON_A_STORE(rows_of_another_message_are_refused),
        ON_A_STORE(conditions_are_on_their_own_fields),
        ON_A_STORE(a_string_is_a_key),
        ON_A_STORE(several_fields_are_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
