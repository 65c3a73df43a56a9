/* Tensors of table records: written, read, kept where they are not loaded, refused with other dims, and
 * gone with their record. */
#include "shop_support.h"

#include <math.h>
#include <string.h>

static struct varve_session *
session_of(void **state)
{
    return ((struct shop *)*state)->session;
}

/* A scan of rows x 3 with all its tensors, of static memory. rows <= 4. */
static struct shop_scan
full_scan(uint32_t rows)
{
    static float image[] = {0.5f, -1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    static int64_t times[] = {INT64_MIN, 0, INT64_MAX, 1};
    static uint8_t mask[] = {1, 0, 255, 7};
    struct shop_scan scan = SHOP_SCAN_INIT;
    image[11] = NAN; /* no column's, but a tensor's */
    scan.name = "scan";
    scan.rows = rows;
    scan.columns = 3;
    scan.image = (struct varve_floats){(size_t)rows * 3, image};
    scan.times = (struct varve_int64s){rows, times};
    scan.has_mask = 1;
    scan.mask = (struct varve_uint8s){rows, mask};
    return scan;
}

static void
expect_stored(struct varve_session *session, const struct shop_scan *scan)
{
    struct shop_scan *read;
    expect_ok(session, shop_scan_get(session, scan->id, &read));
    if (!shop_scan_equal(scan, read)) {
        char text[1000];
        assert_int_equal(shop_scan_print(read, text, sizeof text), VARVE_OK);
        shop_scan_free(read);
        fail_msg("stored is: %s", text);
    }
    assert_int_equal(scan->has_mask, read->has_mask);
    shop_scan_free(read);
}

static int64_t
count_staged(struct varve_session *session)
{
    return query_int64(session, "SELECT count(*) FROM varve_staged_scan");
}

/* -------------------------------------------------------------------- round trips */

static void
test_tensors_come_back_from_every_read(void **state)
{
    struct shop *shop = *state;
    struct varve_session *session = shop->session;
    struct shop_scan scan = full_scan(4);
    struct shop_scan *read;
    struct shop_scan **many;
    expect_ok(session, shop_scan_insert(session, &scan));
    expect_stored(session, &scan);
    expect_ok(session, shop_scan_get_by_name(session, "scan", &read));
    assert_true(shop_scan_equal(&scan, read));
    shop_scan_free(read);
    expect_ok(session, shop_scan_find_one(session, NULL, &read));
    assert_true(shop_scan_equal(&scan, read));
    shop_scan_free(read);
    int64_t ids[] = {scan.id, scan.id};
    expect_ok(session, shop_scan_get_many(session, ids, 2, &many));
    assert_true(shop_scan_equal(&scan, many[0]));
    assert_true(shop_scan_equal(&scan, many[1]));
    shop_scan_free_many(many);
    shop_reopen(shop);
    expect_stored(shop->session, &scan);
}

static void
test_every_element_type_comes_back(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_numbers numbers = SHOP_NUMBERS_INIT;
    struct shop_numbers *read;
    numbers.int32s = (struct varve_int32s){3, (int32_t[]){INT32_MIN, 0, INT32_MAX}};
    numbers.int64s = (struct varve_int64s){3, (int64_t[]){INT64_MIN, 0, INT64_MAX}};
    numbers.uint32s = (struct varve_uint32s){3, (uint32_t[]){0, 1, UINT32_MAX}};
    numbers.uint64s = (struct varve_uint64s){3, (uint64_t[]){0, 1, UINT64_MAX}};
    numbers.floats = (struct varve_floats){3, (float[]){-0.0f, INFINITY, NAN}};
    numbers.doubles = (struct varve_doubles){3, (double[]){-0.0, -INFINITY, NAN}};
    numbers.int8s = (struct varve_int8s){3, (int8_t[]){INT8_MIN, 0, INT8_MAX}};
    numbers.uint8s = (struct varve_uint8s){3, (uint8_t[]){0, 1, UINT8_MAX}};
    numbers.int16s = (struct varve_int16s){3, (int16_t[]){INT16_MIN, 0, INT16_MAX}};
    numbers.uint16s = (struct varve_uint16s){3, (uint16_t[]){0, 1, UINT16_MAX}};
    numbers.halves = (struct varve_uint16s){3, (uint16_t[]){0x7e00, 0x3c00, 0x8000}};
    expect_ok(session, shop_numbers_insert(session, &numbers));
    expect_ok(session, shop_numbers_get(session, numbers.id, &read));
    assert_true(shop_numbers_equal(&numbers, read));
    assert_memory_equal(numbers.floats.data, read->floats.data, 12); /* the sign of zero too */
    shop_numbers_free(read);
    numbers.halves.count = 2;
    assert_int_equal(shop_numbers_update(session, &numbers), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_DIMS, SHOP_NUMBERS_FIELD_HALVES, "halves");
}

static void
test_a_dim_of_zero_is_an_empty_tensor(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_scan scan = full_scan(0);
    expect_ok(session, shop_scan_insert(session, &scan));
    expect_stored(session, &scan);
    struct shop_scan larger = full_scan(2);
    larger.id = scan.id;
    expect_ok(session, shop_scan_update(session, &larger));
    expect_stored(session, &larger);
    expect_ok(session, shop_scan_update(session, &scan));
    expect_stored(session, &scan);
}

static void
test_optional_tensors_may_be_absent(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_scan scan = full_scan(2);
    struct shop_scan bare = full_scan(2);
    bare.times.count = 0;
    bare.has_mask = 0;
    bare.mask.count = 0;
    expect_ok(session, shop_scan_insert(session, &bare));
    expect_stored(session, &bare);
    assert_int_equal(count_staged(session), 1);
    scan.id = bare.id;
    expect_ok(session, shop_scan_update(session, &scan));
    expect_stored(session, &scan);
    assert_int_equal(count_staged(session), 3);
    expect_ok(session, shop_scan_update(session, &bare));
    expect_stored(session, &bare);
    assert_int_equal(count_staged(session), 1);
}

static void
expect_label(struct varve_session *session, const struct shop_label *label)
{
    struct shop_label *read;
    expect_ok(session, shop_label_get(session, label->item_id, &read));
    assert_true(shop_label_equal(label, read));
    shop_label_free(read);
}

static void
test_a_key_that_is_a_reference_has_tensors_too(void **state)
{
    struct varve_session *session = session_of(state);
    float points[] = {1, 2, 3};
    struct shop_label labels[3] = {SHOP_LABEL_INIT, SHOP_LABEL_INIT, SHOP_LABEL_INIT};
    for (size_t i = 0; i < 3; i++) {
        labels[i].item_id = add_item(session, (const char *[]){"a", "b", "c"}[i]);
        labels[i].size = 3;
        labels[i].points = (struct varve_floats){3, points};
    }
    expect_ok(session, shop_label_insert_many(session, labels, 2));
    expect_ok(session, shop_label_insert(session, &labels[2]));
    for (size_t i = 0; i < 3; i++)
        expect_label(session, &labels[i]);
    enum shop_label_field fields[] = {SHOP_LABEL_FIELD_POINTS, SHOP_LABEL_FIELD_SIZE};
    labels[0].size = labels[1].size = labels[2].size = 2;
    labels[0].points.count = labels[1].points.count = labels[2].points.count = 2;
    expect_ok(session, shop_label_update(session, &labels[0]));
    expect_ok(session, shop_label_upsert(session, &labels[1]));
    expect_ok(session, shop_label_update_fields(session, &labels[2], fields, 2));
    for (size_t i = 0; i < 3; i++)
        expect_label(session, &labels[i]);
    struct shop_label none = SHOP_LABEL_INIT;
    assert_int_equal(shop_label_insert(session, &none), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, SHOP_LABEL_FIELD_ITEM_ID, "id 0");
    expect_ok(session, shop_item_delete(session, labels[0].item_id));
    assert_int_equal(query_int64(session, "SELECT count(*) FROM varve_staged_label"), 2);
    expect_sound(session);
}

/* -------------------------------------------------------------------- not loaded */

static void
test_rows_of_a_find_have_tensors_that_are_not_loaded(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_scan scans[] = {full_scan(2), full_scan(3)};
    struct varve_cursor *cursor;
    const struct shop_scan *row;
    scans[1].name = "bare";
    scans[1].times.count = 0;
    scans[1].has_mask = 0;
    scans[1].mask.count = 0;
    expect_ok(session, shop_scan_insert_many(session, scans, 2));
    expect_ok(session, shop_scan_find(session, NULL, &cursor));
    assert_int_equal(shop_scan_next(cursor, &row), VARVE_ROW);
    assert_int_equal(row->image.count, 6);
    assert_null(row->image.data);
    assert_int_equal(row->times.count, 2);
    assert_null(row->times.data);
    assert_true(row->has_mask);
    assert_int_equal(row->mask.count, 2);
    assert_int_equal(shop_scan_next(cursor, &row), VARVE_ROW);
    assert_int_equal(row->image.count, 9);
    assert_int_equal(row->times.count, 0);
    assert_false(row->has_mask);
    assert_int_equal(shop_scan_next(cursor, &row), VARVE_DONE);
    varve_cursor_close(cursor);
}

static void
test_an_update_keeps_what_is_not_loaded(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_scan scan = full_scan(2);
    struct shop_scan absent = full_scan(2);
    struct shop_scan *inserted[] = {&scan, &absent};
    absent.name = "absent";
    absent.times.count = 0;
    absent.has_mask = 0;
    absent.mask.count = 0;
    for (size_t i = 0; i < 2; i++) {
        struct varve_cursor *cursor;
        const struct shop_scan *row;
        expect_ok(session, shop_scan_insert(session, inserted[i]));
        expect_ok(session, varve_begin(session));
        struct shop_scan_filter filter = {.id = varve_int64_equals(inserted[i]->id)};
        expect_ok(session, shop_scan_find(session, &filter, &cursor));
        assert_int_equal(shop_scan_next(cursor, &row), VARVE_ROW);
        struct shop_scan copy = *row;
        copy.name = inserted[i]->name = i == 0 ? "renamed" : "renamed too";
        expect_ok(session, shop_scan_update(session, &copy));
        expect_ok(session, shop_scan_upsert(session, &copy));
        varve_cursor_close(cursor);
        expect_ok(session, varve_commit(session));
        expect_stored(session, inserted[i]);
    }
}

static void
test_an_update_writes_what_is_loaded_and_keeps_the_rest(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_scan scan = full_scan(2);
    int64_t times[] = {8, 9};
    expect_ok(session, shop_scan_insert(session, &scan));
    struct shop_scan part = scan;
    part.image.data = NULL;
    part.mask.data = NULL;
    part.times.data = times;
    expect_ok(session, shop_scan_update(session, &part));
    scan.times.data = times;
    expect_stored(session, &scan);
    part.times.count = 0; /* absent from now on */
    expect_ok(session, shop_scan_update(session, &part));
    scan.times.count = 0;
    expect_stored(session, &scan);
    part.times.count = 2;
    part.times.data = NULL; /* there is none to be kept */
    assert_int_equal(shop_scan_update(session, &part), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_NOT_LOADED, SHOP_SCAN_FIELD_TIMES, "not loaded");
    expect_stored(session, &scan);
}

static void
test_dims_change_only_with_their_tensors(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_scan scan = full_scan(2);
    expect_ok(session, shop_scan_insert(session, &scan));
    struct shop_scan changed = full_scan(3);
    changed.id = scan.id;
    changed.image.data = NULL;
    assert_int_equal(shop_scan_update(session, &changed), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_DIMS, SHOP_SCAN_FIELD_IMAGE, "other dims");
    expect_stored(session, &scan);
    changed.rows = 2; /* and now the counts are wrong */
    assert_int_equal(shop_scan_update(session, &changed), VARVE_INVALID);
    assert_int_equal(varve_session_failure(session)->kind, VARVE_FAILURE_DIMS);
    changed.image.count = 6;
    changed.columns = 3;
    changed.times.count = 0;
    assert_int_equal(shop_scan_update(session, &changed), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_DIMS, SHOP_SCAN_FIELD_MASK, "mask");
    changed.rows = 3; /* the same count in another shape */
    changed.columns = 2;
    assert_int_equal(shop_scan_update(session, &changed), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_DIMS, SHOP_SCAN_FIELD_IMAGE, "other dims");
    expect_stored(session, &scan);
    changed = full_scan(4);
    changed.id = scan.id;
    expect_ok(session, shop_scan_update(session, &changed));
    expect_stored(session, &changed);
}

static void
test_what_is_not_loaded_cannot_be_inserted(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_scan scan = full_scan(2);
    scan.image.data = NULL;
    assert_int_equal(shop_scan_insert(session, &scan), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_NOT_LOADED, SHOP_SCAN_FIELD_IMAGE, "image");
    assert_int_equal(shop_scan_upsert(session, &scan), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_NOT_LOADED, SHOP_SCAN_FIELD_IMAGE, "image");
    scan = full_scan(2);
    scan.image.count = 5;
    assert_int_equal(shop_scan_insert(session, &scan), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_DIMS, SHOP_SCAN_FIELD_IMAGE, "image");
    scan = full_scan(2);
    scan.has_mask = 0; /* but a count */
    scan.mask.count = 1;
    scan.mask.data = NULL;
    expect_ok(session, shop_scan_insert(session, &scan)); /* what is absent is not looked at */
    assert_int_equal(query_int64(session, "SELECT count(*) FROM scan"), 1);
    assert_int_equal(count_staged(session), 2);
}

/* -------------------------------------------------------------------- update_fields, upsert */

static void
test_update_fields_writes_one_tensor_and_leaves_the_others(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_scan scan = full_scan(2);
    uint8_t mask[] = {3, 4};
    enum shop_scan_field fields[] = {SHOP_SCAN_FIELD_MASK, SHOP_SCAN_FIELD_NAME};
    expect_ok(session, shop_scan_insert(session, &scan));
    struct shop_scan part = SHOP_SCAN_INIT;
    part.id = scan.id;
    part.rows = 2;
    part.name = "new name";
    part.has_mask = 1;
    part.mask = (struct varve_uint8s){2, mask};
    expect_ok(session, shop_scan_update_fields(session, &part, fields, 2));
    scan.name = "new name";
    scan.mask.data = mask;
    expect_stored(session, &scan);
    part.has_mask = 0;
    part.mask.count = 0;
    expect_ok(session, shop_scan_update_fields(session, &part, fields, 1));
    scan.has_mask = 0;
    scan.mask.count = 0;
    expect_stored(session, &scan);
}

static void
test_update_fields_changes_no_dim_alone(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_scan scan = full_scan(2);
    enum shop_scan_field rows[] = {SHOP_SCAN_FIELD_ROWS};
    enum shop_scan_field all[] = {
        SHOP_SCAN_FIELD_IMAGE, SHOP_SCAN_FIELD_ROWS, SHOP_SCAN_FIELD_MASK, SHOP_SCAN_FIELD_TIMES};
    expect_ok(session, shop_scan_insert(session, &scan));
    struct shop_scan larger = full_scan(4);
    larger.id = scan.id;
    assert_int_equal(shop_scan_update_fields(session, &larger, rows, 1), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_DIMS, SHOP_SCAN_FIELD_IMAGE, "other dims");
    assert_int_equal(shop_scan_update_fields(session, &larger, all, 1), VARVE_INVALID);
    expect_stored(session, &scan);
    assert_int_equal(shop_scan_update_fields(session, &larger, all, 2), VARVE_INVALID);
    expect_stored(session, &scan);
    expect_ok(session, shop_scan_update_fields(session, &larger, all, 4));
    expect_stored(session, &larger);
    expect_ok(session, shop_scan_update_fields(session, &larger, rows, 1)); /* as it is */
    larger.image.count = 11;
    assert_int_equal(shop_scan_update_fields(session, &larger, all, 1), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_DIMS, SHOP_SCAN_FIELD_IMAGE, "image");
}

static void
test_update_fields_leaves_tensors_that_are_not_its_own(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_scan scan = full_scan(3);
    enum shop_scan_field image[] = {SHOP_SCAN_FIELD_IMAGE, SHOP_SCAN_FIELD_COLUMNS};
    float pixels[] = {1, 2, 3};
    expect_ok(session, shop_scan_insert(session, &scan));
    scan.columns = 1;
    scan.image = (struct varve_floats){3, pixels};
    struct shop_scan part = scan;
    part.times = (struct varve_int64s){77, NULL};
    part.mask = (struct varve_uint8s){78, NULL};
    expect_ok(session, shop_scan_update_fields(session, &part, image, 2));
    expect_stored(session, &scan);
    part.image.data = NULL; /* not loaded: stays */
    expect_ok(session, shop_scan_update_fields(session, &part, image, 2));
    expect_stored(session, &scan);
    scan.times.count = 0;
    expect_ok(session, shop_scan_update(session, &scan));
    enum shop_scan_field times[] = {SHOP_SCAN_FIELD_TIMES};
    part.times.count = 3; /* not loaded, and there is none to stay */
    assert_int_equal(shop_scan_update_fields(session, &part, times, 1), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_NOT_LOADED, SHOP_SCAN_FIELD_TIMES, "not loaded");
    expect_stored(session, &scan);
}

static void
test_an_upsert_inserts_and_replaces_tensors(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_scan scan = full_scan(2);
    expect_ok(session, shop_scan_upsert(session, &scan));
    expect_stored(session, &scan);
    struct shop_scan other = full_scan(4);
    other.times.count = 0;
    expect_ok(session, shop_scan_upsert(session, &other)); /* by its name */
    assert_int_equal(other.id, scan.id);
    expect_stored(session, &other);
    assert_int_equal(count_staged(session), 2);
    other.rows = 3;
    other.image.count = 9;
    other.image.data = NULL;
    other.mask.count = 3;
    assert_int_equal(shop_scan_upsert(session, &other), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_DIMS, SHOP_SCAN_FIELD_IMAGE, "other dims");
    other = full_scan(4);
    other.times.count = 0;
    other.id = scan.id;
    expect_stored(session, &other);
}

/* -------------------------------------------------------------------- deletion */

static void
test_tensors_go_with_their_record(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_scan scans[] = {full_scan(1), full_scan(2), full_scan(3)};
    scans[1].name = "b";
    scans[2].name = "c";
    scans[2].has_shelf_id = 1;
    scans[2].shelf_id = add_shelf(session, "s");
    expect_ok(session, shop_scan_insert_many(session, scans, 3));
    assert_int_equal(count_staged(session), 9);
    expect_ok(session, shop_scan_delete(session, scans[0].id));
    assert_int_equal(varve_changes(session), 1);
    assert_int_equal(count_staged(session), 6);
    expect_ok(session, shop_shelf_delete(session, scans[2].shelf_id));
    assert_int_equal(count_staged(session), 3);
    expect_stored(session, &scans[1]);
    expect_ok(session, shop_scan_delete_where(session, NULL));
    assert_int_equal(varve_changes(session), 1);
    assert_int_equal(count_staged(session), 0);
    expect_sound(session);
}

static void
test_a_refused_write_leaves_no_tensor_behind(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_scan scan = full_scan(2);
    struct shop_scan again = full_scan(4);
    expect_ok(session, shop_scan_insert(session, &scan));
    assert_int_equal(shop_scan_insert(session, &again), VARVE_CONFLICT);
    expect_ok(session, varve_begin(session));
    assert_int_equal(shop_scan_insert(session, &again), VARVE_CONFLICT);
    again.id = 99;
    assert_int_equal(shop_scan_update(session, &again), VARVE_NOT_FOUND);
    again.id = scan.id;
    again.has_shelf_id = 1;
    assert_int_equal(shop_scan_update(session, &again), VARVE_CONFLICT);
    expect_ok(session, varve_commit(session));
    expect_stored(session, &scan);
    assert_int_equal(count_staged(session), 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_tensors_come_back_from_every_read),
        SHOP_TEST(test_every_element_type_comes_back),
        SHOP_TEST(test_a_dim_of_zero_is_an_empty_tensor),
        SHOP_TEST(test_optional_tensors_may_be_absent),
        SHOP_TEST(test_a_key_that_is_a_reference_has_tensors_too),
        SHOP_TEST(test_rows_of_a_find_have_tensors_that_are_not_loaded),
        SHOP_TEST(test_an_update_keeps_what_is_not_loaded),
        SHOP_TEST(test_an_update_writes_what_is_loaded_and_keeps_the_rest),
        SHOP_TEST(test_dims_change_only_with_their_tensors),
        SHOP_TEST(test_what_is_not_loaded_cannot_be_inserted),
        SHOP_TEST(test_update_fields_writes_one_tensor_and_leaves_the_others),
        SHOP_TEST(test_update_fields_changes_no_dim_alone),
        SHOP_TEST(test_update_fields_leaves_tensors_that_are_not_its_own),
        SHOP_TEST(test_an_upsert_inserts_and_replaces_tensors),
        SHOP_TEST(test_tensors_go_with_their_record),
        SHOP_TEST(test_a_refused_write_leaves_no_tensor_behind),
    };
    return cmocka_run_group_tests_name("tensor", tests, NULL, NULL);
}
