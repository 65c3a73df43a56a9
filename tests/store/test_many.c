/* Insert_many: the keys it assigns, that it inserts all or nothing, and which record it blames. */
#include "shop_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MANY = 2000
};

static struct varve_session *
session_of(void **state)
{
    return ((struct shop *)*state)->session;
}

/* `count` items with the codes 0, 1, ..: release with free(). */
static struct shop_item *
make_items(size_t count)
{
    static char codes[MANY][24];
    struct shop_item *items = calloc(count, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        snprintf(codes[i], sizeof codes[i], "%zu", i);
        shop_item_init(&items[i]);
        items[i].code = codes[i];
    }
    return items;
}

/* Tries to insert `items`, expects this failure of the one at `index`, and that nothing was written,
 * in them either. */
static void
expect_refused(
    struct varve_session *session,
    struct shop_item *items,
    int64_t count,
    enum varve_status status,
    int64_t index)
{
    size_t size = (size_t)count * sizeof *items;
    struct shop_item *before = malloc(size);
    memcpy(before, items, size);
    int64_t stored = query_int64(session, "SELECT count(*) FROM item");
    if (shop_item_insert_many(session, items, count) != status)
        fail_msg("%s", varve_session_error(session));
    assert_int_equal(varve_session_failure(session)->index, index);
    assert_memory_equal(before, items, size);
    assert_int_equal(query_int64(session, "SELECT count(*) FROM item"), stored);
    free(before);
}

/* -------------------------------------------------------------------- keys */

static void
test_keys_are_consecutive_in_the_order_of_the_array(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item *items = make_items(MANY);
    struct shop_item *read;
    expect_ok(session, shop_item_insert_many(session, items, MANY / 2));
    expect_ok(session, shop_item_insert_many(session, items + MANY / 2, MANY / 2));
    for (int64_t i = 0; i < MANY; i++)
        assert_int_equal(items[i].id, i + 1);
    expect_ok(session, shop_item_get(session, 1500, &read));
    assert_string_equal(read->code, "1499");
    shop_item_free(read);
    expect_ok(session, shop_item_delete_where(session, NULL));
    items[0].id = 0;
    expect_ok(session, shop_item_insert_many(session, items, 1));
    assert_int_equal(items[0].id, MANY + 1);
    free(items);
}

static void
test_given_keys_and_assigned_ones_go_together(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item *items = make_items(6);
    static const int64_t given[] = {0, 50, 0, -4, 20, 0};
    static const int64_t expected[] = {1, 50, 51, -4, 20, 52};
    for (size_t i = 0; i < 6; i++)
        items[i].id = given[i];
    expect_ok(session, shop_item_insert_many(session, items, 6));
    for (size_t i = 0; i < 6; i++) {
        struct shop_item *read;
        assert_int_equal(items[i].id, expected[i]);
        expect_ok(session, shop_item_get(session, expected[i], &read));
        assert_string_equal(read->code, items[i].code);
        shop_item_free(read);
    }
    assert_int_equal(add_item(session, "next"), 53);
    free(items);
}

static void
test_a_field_named_rowid_has_no_part_in_the_keys(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_node nodes[] = {SHOP_NODE_INIT, SHOP_NODE_INIT, SHOP_NODE_INIT};
    nodes[0].rowid = nodes[1].rowid = 1000;
    expect_ok(session, shop_node_insert(session, &nodes[0]));
    nodes[1].id = 7;
    expect_ok(session, shop_node_insert_many(session, &nodes[1], 2));
    assert_int_equal(nodes[2].id, 8);
}

static void
test_versions_begin_at_one(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_shelf shelves[] = {SHOP_SHELF_INIT, SHOP_SHELF_INIT};
    struct shop_price prices[] = {SHOP_PRICE_INIT, SHOP_PRICE_INIT};
    shelves[0].place = "a";
    shelves[1].place = "b";
    shelves[1].revision = 9;
    expect_ok(session, shop_shelf_insert_many(session, shelves, 2));
    assert_int_equal(shelves[1].revision, 1);
    expect_ok(session, shop_shelf_update(session, &shelves[1]));
    prices[1].day = 1;
    prices[1].revision = 9;
    expect_ok(session, shop_price_insert_many(session, prices, 2));
    assert_int_equal(prices[0].revision, 1);
    assert_int_equal(prices[1].revision, 1);
    expect_ok(session, shop_price_update(session, &prices[1]));
}

static void
test_json_copies_and_unknown_fields_come_along(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item *items = make_items(3);
    struct shop_size size = SHOP_SIZE_INIT;
    struct shop_newer_maker newer = SHOP_NEWER_MAKER_INIT;
    struct varve_bytes bytes;
    struct shop_maker *maker;
    size.width = 31;
    items[1].size = &size;
    expect_ok(session, shop_item_insert_many(session, items, 3));
    assert_int_equal(
        query_int64(session, "SELECT id FROM item WHERE size_json ->> 'width' = 31"), 2);
    assert_int_equal(query_int64(session, "SELECT count(size_json) FROM item"), 1);
    newer.city = "Jena";
    assert_int_equal(shop_newer_maker_pack(&newer, &bytes), VARVE_OK);
    assert_int_equal(shop_maker_unpack(bytes.data, bytes.size, &maker), VARVE_OK);
    expect_ok(session, shop_maker_insert_many(session, maker, 1));
    assert_int_equal(query_int64(session, "SELECT count(varve_unknown) FROM maker"), 1);
    shop_maker_clear_unknown(maker);
    maker->id = 0;
    maker->name = "many";
    expect_ok(session, shop_maker_insert_many(session, maker, 1));
    maker->id = 0;
    maker->name = "one";
    expect_ok(session, shop_maker_insert(session, maker));
    assert_int_equal(query_int64(session, "SELECT count(varve_unknown) FROM maker"), 1);
    shop_maker_free(maker);
    varve_bytes_free(&bytes);
    free(items);
}

static void
test_of_no_records_nothing_is_inserted(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item item = SHOP_ITEM_INIT;
    expect_ok(session, shop_item_insert_many(session, &item, 0));
    expect_ok(session, shop_item_insert_many(session, NULL, 0));
    assert_int_equal(shop_item_insert_many(session, &item, -1), VARVE_MISUSE);
    expect_failure(session, VARVE_FAILURE_OTHER, 0, "negative");
    assert_int_equal(shop_item_insert_many(session, NULL, 2), VARVE_MISUSE);
    expect_failure(session, VARVE_FAILURE_OTHER, 0, "NULL");
    assert_int_equal(query_int64(session, "SELECT count(*) FROM item"), 0);
}

/* -------------------------------------------------------------------- all or nothing */

static void
test_the_record_that_breaks_a_rule_is_known_by_its_index(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item *items = make_items(5);
    add_item(session, "stored");
    items[3].weight = NAN;
    expect_refused(session, items, 5, VARVE_INVALID, 3);
    expect_failure(session, VARVE_FAILURE_NAN, SHOP_ITEM_FIELD_WEIGHT, "NaN");
    items[3].weight = 0;
    items[4].price = -1;
    expect_refused(session, items, 5, VARVE_INVALID, 4);
    expect_failure(session, VARVE_FAILURE_CHECK, SHOP_ITEM_FIELD_PRICE, "price");
    items[4].price = 0;
    items[0].note = "\xff";
    expect_refused(session, items, 5, VARVE_INVALID, 0);
    expect_failure(session, VARVE_FAILURE_UTF8, SHOP_ITEM_FIELD_NOTE, "UTF-8");
    items[0].note = NULL;
    items[1].stock = UINT64_MAX;
    expect_refused(session, items, 5, VARVE_INVALID, 1);
    expect_failure(session, VARVE_FAILURE_RANGE, SHOP_ITEM_FIELD_STOCK, "stock");
    items[1].stock = 0;
    memset(&items[2].base, 0, sizeof items[2].base);
    expect_refused(session, items, 5, VARVE_MISUSE, 2);
    free(items);
}

static void
test_a_taken_value_is_known_by_its_index_stored_or_in_the_array(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item *items = make_items(5);
    add_item(session, "stored");
    items[2].code = "stored";
    expect_refused(session, items, 5, VARVE_CONFLICT, 2);
    expect_failure(session, VARVE_FAILURE_UNIQUE, SHOP_ITEM_FIELD_CODE, "\"stored\"");
    items[2].code = items[0].code;
    expect_refused(session, items, 5, VARVE_CONFLICT, 2);
    expect_failure(session, VARVE_FAILURE_UNIQUE, SHOP_ITEM_FIELD_CODE, "code \"0\"");
    items[2].code = "2";
    items[4].id = 1;
    expect_refused(session, items, 5, VARVE_CONFLICT, 4);
    expect_failure(session, VARVE_FAILURE_UNIQUE, SHOP_ITEM_FIELD_ID, "id 1 already");
    items[4].id = 0;
    expect_ok(session, shop_item_insert_many(session, items, 5));
    assert_int_equal(items[4].id, 6);
    free(items);
}

static void
test_a_reference_to_nothing_is_known_by_its_index(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item *items = make_items(MANY);
    for (int64_t i = 0; i < MANY; i++) { /* each refers to the next, whose key will be i + 2 */
        items[i].has_parent_id = i < MANY - 1;
        items[i].parent_id = i + 2;
    }
    items[700].has_maker_id = 1;
    items[700].maker_id = 5;
    expect_refused(session, items, MANY, VARVE_CONFLICT, 700);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, SHOP_ITEM_FIELD_MAKER_ID, "id 5");
    items[700].has_maker_id = 0;
    items[MANY - 1].has_parent_id = 1; /* one too far */
    expect_refused(session, items, MANY, VARVE_CONFLICT, MANY - 1);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, SHOP_ITEM_FIELD_PARENT_ID, "id 2001");
    items[MANY - 1].parent_id = MANY; /* itself */
    expect_ok(session, shop_item_insert_many(session, items, MANY));
    expect_sound(session);
    free(items);
}

static void
test_records_refer_to_later_ones_by_given_keys(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item *items = make_items(3);
    items[0].has_parent_id = 1;
    items[0].parent_id = 70;
    items[2].id = 70;
    items[1].has_parent_id = 1;
    items[1].parent_id = 71;
    expect_refused(session, items, 3, VARVE_CONFLICT, 1);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, SHOP_ITEM_FIELD_PARENT_ID, "id 71");
    items[1].parent_id = 70;
    expect_ok(session, shop_item_insert_many(session, items, 3));
    expect_sound(session);
    free(items);
}

static void
test_fields_that_are_absent_are_referred_to_by_none(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_node nodes[] = {SHOP_NODE_INIT, SHOP_NODE_INIT, SHOP_NODE_INIT};
    nodes[1].has_before = 1; /* 0, as the absent numbers are in memory */
    nodes[2].has_maker_id = 1;
    nodes[2].maker_id = 5;
    assert_int_equal(shop_node_insert_many(session, nodes, 3), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, SHOP_NODE_FIELD_BEFORE, "with number 0");
    assert_int_equal(varve_session_failure(session)->index, 1);
    nodes[0].has_number = 1;
    nodes[1].above = "a"; /* the names are NULL */
    assert_int_equal(shop_node_insert_many(session, nodes, 3), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, SHOP_NODE_FIELD_ABOVE, "name \"a\"");
    assert_int_equal(varve_session_failure(session)->index, 1);
    nodes[2].name = "a";
    assert_int_equal(shop_node_insert_many(session, nodes, 3), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, SHOP_NODE_FIELD_MAKER_ID, "id 5");
    assert_int_equal(varve_session_failure(session)->index, 2);
    nodes[2].has_maker_id = 0;
    expect_ok(session, shop_node_insert_many(session, nodes, 3));
    expect_sound(session);
}

static void
test_the_first_record_at_fault_is_blamed_whichever_its_field(void **state)
{
    struct varve_session *session = session_of(state);
    static struct shop_node nodes[MANY];
    static char names[MANY][24];
    for (size_t i = 0; i < MANY; i++) {
        shop_node_init(&nodes[i]);
        snprintf(names[i], sizeof names[i], "%zu", i);
        nodes[i].name = names[i];
        nodes[i].above = names[MANY - 1 - i];
    }
    nodes[1800].above = "none";
    nodes[1500].has_maker_id = 1;
    nodes[1500].maker_id = 5;
    assert_int_equal(shop_node_insert_many(session, nodes, MANY), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, SHOP_NODE_FIELD_MAKER_ID, "id 5");
    assert_int_equal(varve_session_failure(session)->index, 1500);
    nodes[1500].above = "neither";
    assert_int_equal(shop_node_insert_many(session, nodes, MANY), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, SHOP_NODE_FIELD_ABOVE, "\"neither\"");
    assert_int_equal(varve_session_failure(session)->index, 1500);
    nodes[1500].above = nodes[1800].above = nodes[0].name;
    nodes[1500].has_maker_id = 0;
    expect_ok(session, shop_node_insert_many(session, nodes, MANY));
}

static void
test_in_a_transaction_a_refused_array_undoes_only_itself(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item *items = make_items(4);
    expect_ok(session, varve_begin(session));
    add_item(session, "before");
    items[3].price = -1;
    expect_refused(session, items, 4, VARVE_INVALID, 3);
    items[3].price = 0;
    items[1].has_maker_id = 1;
    expect_refused(session, items, 4, VARVE_CONFLICT, 1);
    items[1].has_maker_id = 0;
    expect_ok(session, shop_item_insert_many(session, items, 4));
    assert_int_equal(items[0].id, 2);
    expect_ok(session, varve_commit(session));
    assert_int_equal(query_int64(session, "SELECT count(*) FROM item"), 5);
    free(items);
}

static void
test_wrong_dims_are_known_by_their_index(void **state)
{
    struct varve_session *session = session_of(state);
    float image[] = {1, 2, 3, 4};
    struct shop_scan scans[] = {SHOP_SCAN_INIT, SHOP_SCAN_INIT, SHOP_SCAN_INIT};
    for (size_t i = 0; i < 3; i++) {
        scans[i].name = (const char *[]){"a", "b", "c"}[i];
        scans[i].rows = scans[i].columns = 2;
        scans[i].image = (struct varve_floats){4, image};
    }
    scans[1].columns = 3;
    assert_int_equal(shop_scan_insert_many(session, scans, 3), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_DIMS, SHOP_SCAN_FIELD_IMAGE, "image");
    assert_int_equal(varve_session_failure(session)->index, 1);
    scans[1].columns = 2;
    scans[2].image.data = NULL;
    assert_int_equal(shop_scan_insert_many(session, scans, 3), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_NOT_LOADED, SHOP_SCAN_FIELD_IMAGE, "image");
    assert_int_equal(varve_session_failure(session)->index, 2);
    assert_int_equal(scans[0].id, 0);
    assert_int_equal(query_int64(session, "SELECT count(*) FROM varve_staged_scan"), 0);
    scans[2].image.data = image;
    expect_ok(session, shop_scan_insert_many(session, scans, 3));
    assert_int_equal(query_int64(session, "SELECT count(*) FROM varve_staged_scan"), 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_keys_are_consecutive_in_the_order_of_the_array),
        SHOP_TEST(test_given_keys_and_assigned_ones_go_together),
        SHOP_TEST(test_a_field_named_rowid_has_no_part_in_the_keys),
        SHOP_TEST(test_versions_begin_at_one),
        SHOP_TEST(test_json_copies_and_unknown_fields_come_along),
        SHOP_TEST(test_of_no_records_nothing_is_inserted),
        SHOP_TEST(test_the_record_that_breaks_a_rule_is_known_by_its_index),
        SHOP_TEST(test_a_taken_value_is_known_by_its_index_stored_or_in_the_array),
        SHOP_TEST(test_a_reference_to_nothing_is_known_by_its_index),
        SHOP_TEST(test_records_refer_to_later_ones_by_given_keys),
        SHOP_TEST(test_fields_that_are_absent_are_referred_to_by_none),
        SHOP_TEST(test_the_first_record_at_fault_is_blamed_whichever_its_field),
        SHOP_TEST(test_in_a_transaction_a_refused_array_undoes_only_itself),
        SHOP_TEST(test_wrong_dims_are_known_by_their_index),
    };
    return cmocka_run_group_tests_name("many", tests, NULL, NULL);
}
