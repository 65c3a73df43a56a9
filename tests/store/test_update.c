/* Update, update_fields and versions. */
#include "shop_support.h"

#include <math.h>
#include <string.h>

static struct varve_session *
session_of(void **state)
{
    return ((struct shop *)*state)->session;
}

static struct shop_item *
get_item(struct varve_session *session, int64_t id)
{
    struct shop_item *item;
    expect_ok(session, shop_item_get(session, id, &item));
    return item;
}

/* An item with a value in most fields, of static memory. */
static struct shop_item
full_item(void)
{
    static uint8_t tag[] = {7, 0, 7};
    static uint64_t numbers[] = {3, 2, 1};
    static struct shop_size size = SHOP_SIZE_INIT;
    static struct shop_item_counts_entry count = SHOP_ITEM_COUNTS_ENTRY_INIT;
    static struct shop_item_counts_entry *counts[] = {&count};
    struct shop_item item = SHOP_ITEM_INIT;
    size.width = 5;
    count.key = "k";
    count.value = 9;
    item.code = "full";
    item.has_tag = 1;
    item.tag = (struct varve_bytes){sizeof tag, tag};
    item.price = 100;
    item.weight = 0.25;
    item.stock = 8;
    item.kind = SHOP_RARE;
    item.label_case = SHOP_ITEM_LABEL_CASE_TEXT;
    item.text = "a label";
    item.size = &size;
    item.counts.count = 1;
    item.counts.data = counts;
    item.numbers = (struct varve_uint64s){3, numbers};
    item.note = "noted";
    return item;
}

static void
expect_stored(struct varve_session *session, const struct shop_item *item)
{
    struct shop_item *read = get_item(session, item->id);
    if (!shop_item_equal(item, read)) {
        char text[1000];
        assert_int_equal(shop_item_print(read, text, sizeof text), VARVE_OK);
        shop_item_free(read);
        fail_msg("%s", text);
    }
    shop_item_free(read);
}

/* -------------------------------------------------------------------- update */

static void
test_an_update_replaces_the_whole_record_and_no_other(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item other = full_item();
    struct shop_item item = SHOP_ITEM_INIT;
    expect_ok(session, shop_item_insert(session, &other));
    item.id = add_item(session, "before");
    int64_t id = item.id;
    uint8_t tag[] = {1};
    item = full_item();
    item.id = id;
    item.code = "after";
    item.tag = (struct varve_bytes){1, tag};
    expect_ok(session, shop_item_update(session, &item));
    assert_int_equal(item.id, id);
    assert_int_equal(varve_changes(session), 1);
    expect_stored(session, &item);
    struct shop_item empty = SHOP_ITEM_INIT;
    empty.id = id;
    expect_ok(session, shop_item_update(session, &empty));
    expect_stored(session, &empty);
    expect_stored(session, &other);
}

static void
test_an_update_of_what_is_not_there_is_not_found(void **state)
{
    struct varve_session *session = session_of(state);
    enum shop_item_field fields[] = {SHOP_ITEM_FIELD_CODE};
    struct shop_item item = SHOP_ITEM_INIT;
    struct shop_shelf shelf = SHOP_SHELF_INIT;
    item.code = "new";
    assert_int_equal(shop_item_update(session, &item), VARVE_NOT_FOUND);
    expect_failure(session, VARVE_FAILURE_OTHER, 0, "there is no shop.Item with id 0");
    item.id = 5;
    assert_int_equal(shop_item_update_fields(session, &item, fields, 1), VARVE_NOT_FOUND);
    expect_failure(session, VARVE_FAILURE_OTHER, 0, "there is no shop.Item with id 5");
    shelf.id = 6;
    assert_int_equal(shop_shelf_update(session, &shelf), VARVE_NOT_FOUND);
    expect_failure(session, VARVE_FAILURE_OTHER, 0, "there is no shop.Shelf with id 6");
    assert_int_equal(query_int64(session, "SELECT count(*) FROM item"), 0);
}

static void
test_an_update_breaks_no_rule_of_the_schema(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item item = full_item();
    add_item(session, "taken");
    expect_ok(session, shop_item_insert(session, &item));
    struct shop_item bad = item;
    bad.code = "taken";
    assert_int_equal(shop_item_update(session, &bad), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_UNIQUE, SHOP_ITEM_FIELD_CODE, "code \"taken\"");
    bad = item;
    bad.price = -5;
    assert_int_equal(shop_item_update(session, &bad), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_CHECK, SHOP_ITEM_FIELD_PRICE, "price");
    bad = item;
    bad.has_parent_id = 1;
    bad.parent_id = 99;
    assert_int_equal(shop_item_update(session, &bad), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, SHOP_ITEM_FIELD_PARENT_ID, "99");
    bad = item;
    bad.weight = NAN;
    assert_int_equal(shop_item_update(session, &bad), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_NAN, SHOP_ITEM_FIELD_WEIGHT, "NaN");
    expect_stored(session, &item);
}

static void
test_a_value_that_others_refer_to_is_not_changed(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_maker maker = SHOP_MAKER_INIT;
    struct shop_seal seal = SHOP_SEAL_INIT;
    maker.id = add_maker(session, "old");
    seal.maker_name = "old";
    expect_ok(session, shop_seal_insert(session, &seal));
    maker.name = "new";
    assert_int_equal(shop_maker_update(session, &maker), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, 0, "still referred to");
    maker.name = "old";
    maker.founded = 1900;
    expect_ok(session, shop_maker_update(session, &maker));
}

static void
test_records_of_nothing_but_a_key_can_be_updated(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_token token = SHOP_TOKEN_INIT;
    expect_ok(session, shop_token_insert(session, &token));
    expect_ok(session, shop_token_update(session, &token));
    expect_ok(session, shop_token_update_fields(session, &token, NULL, 0));
    token.id++;
    assert_int_equal(shop_token_update(session, &token), VARVE_NOT_FOUND);
    assert_int_equal(shop_token_update_fields(session, &token, NULL, 0), VARVE_NOT_FOUND);
}

static void
test_composite_and_text_keys_are_updated_in_place(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_price price = SHOP_PRICE_INIT;
    struct shop_price *read;
    enum shop_price_field fields[] = {SHOP_PRICE_FIELD_CENTS};
    price.code = "o'clock";
    for (price.day = 0; price.day < 3; price.day++)
        expect_ok(session, shop_price_insert(session, &price));
    price.day = 1;
    price.kind = SHOP_PLAIN;
    price.cents = 5;
    expect_ok(session, shop_price_update(session, &price));
    price.cents = 6;
    expect_ok(session, shop_price_update_fields(session, &price, fields, 1));
    expect_ok(session, shop_price_get(session, "o'clock", 1, SHOP_PLAIN, &read));
    assert_int_equal(read->cents, 6);
    assert_int_equal(read->revision, 3);
    shop_price_free(read);
    assert_int_equal(query_int64(session, "SELECT sum(cents) FROM price"), 6);
    price.kind = SHOP_RARE;
    assert_int_equal(shop_price_update(session, &price), VARVE_NOT_FOUND);
}

/* -------------------------------------------------------------------- update_fields */

static void
test_only_the_given_fields_are_written_and_looked_at(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item item = full_item();
    struct shop_item part = SHOP_ITEM_INIT;
    enum shop_item_field fields[] = {
        SHOP_ITEM_FIELD_NOTE, SHOP_ITEM_FIELD_PRICE, SHOP_ITEM_FIELD_NOTE, SHOP_ITEM_FIELD_NUMBERS};
    expect_ok(session, shop_item_insert(session, &item));
    part.id = item.id;
    part.price = 7;
    part.code = NULL; /* all of these would be refused */
    part.weight = NAN;
    part.text = "\xff";
    part.label_case = SHOP_ITEM_LABEL_CASE_TEXT;
    part.stock = UINT64_MAX;
    part.counts.count = 1;
    expect_ok(session, shop_item_update_fields(session, &part, fields, 4));
    item.note = NULL;
    item.price = 7;
    item.numbers.count = 0;
    expect_stored(session, &item);
    part.price = -1;
    assert_int_equal(shop_item_update_fields(session, &part, fields, 4), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_CHECK, SHOP_ITEM_FIELD_PRICE, "price");
    expect_stored(session, &item);
}

static void
test_a_oneof_is_written_whole(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item item = full_item();
    enum shop_item_field number[] = {SHOP_ITEM_FIELD_NUMBER};
    enum shop_item_field text[] = {SHOP_ITEM_FIELD_TEXT};
    expect_ok(session, shop_item_insert(session, &item));
    item.label_case = SHOP_ITEM_LABEL_CASE_NUMBER;
    item.number = 12;
    expect_ok(session, shop_item_update_fields(session, &item, number, 1));
    expect_stored(session, &item);
    item.label_case = SHOP_ITEM_LABEL_CASE_MEASURED;
    item.measured = item.size;
    expect_ok(session, shop_item_update_fields(session, &item, text, 1));
    expect_stored(session, &item);
    item.label_case = 0;
    expect_ok(session, shop_item_update_fields(session, &item, number, 1));
    expect_stored(session, &item);
}

static void
test_fields_that_cannot_be_meant_are_misuse(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item item = full_item();
    enum shop_item_field unknown[] = {SHOP_ITEM_FIELD_NOTE, (enum shop_item_field)99};
    enum shop_item_field none[] = {(enum shop_item_field)0};
    enum shop_item_field key[] = {SHOP_ITEM_FIELD_ID};
    expect_ok(session, shop_item_insert(session, &item));
    assert_int_equal(shop_item_update_fields(session, &item, unknown, 2), VARVE_MISUSE);
    expect_failure(session, VARVE_FAILURE_OTHER, 0, "no field with the number 99");
    assert_int_equal(shop_item_update_fields(session, &item, none, 1), VARVE_MISUSE);
    assert_int_equal(shop_item_update_fields(session, &item, key, 1), VARVE_MISUSE);
    expect_failure(session, VARVE_FAILURE_OTHER, 0, "shop.Item.id is the primary key");
    assert_int_equal(shop_item_update_fields(session, &item, NULL, 1), VARVE_MISUSE);
    assert_int_equal(shop_item_update_fields(session, &item, key, -1), VARVE_MISUSE);
    assert_int_equal(shop_item_update_fields(session, NULL, unknown, 1), VARVE_MISUSE);
    expect_ok(session, shop_item_update_fields(session, &item, NULL, 0));
    expect_stored(session, &item);
}

static void
test_a_failure_names_a_field_that_was_to_be_written(void **state)
{
    struct varve_session *session = session_of(state);
    enum shop_box_field maker[] = {SHOP_BOX_FIELD_MAKER_ID};
    struct shop_box box = SHOP_BOX_INIT;
    box.shelf_id = add_shelf(session, "a");
    expect_ok(session, shop_box_insert(session, &box));
    struct shop_box part = SHOP_BOX_INIT; /* its shelf_id is not there either */
    part.id = box.id;
    part.has_maker_id = 1;
    part.maker_id = 55;
    assert_int_equal(shop_box_update_fields(session, &part, maker, 1), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, SHOP_BOX_FIELD_MAKER_ID, "id 55");
    part.maker_id = add_maker(session, "m");
    expect_ok(session, shop_box_update_fields(session, &part, maker, 1));
}

static void
test_a_json_copy_follows_its_field(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item item = full_item();
    struct shop_size size = SHOP_SIZE_INIT;
    enum shop_item_field fields[] = {SHOP_ITEM_FIELD_SIZE};
    expect_ok(session, shop_item_insert(session, &item));
    size.height = 31;
    item.size = &size;
    expect_ok(session, shop_item_update_fields(session, &item, fields, 1));
    assert_int_equal(
        query_int64(session, "SELECT json_extract(size_json, '$.height') FROM item"), 31);
    expect_stored(session, &item);
    item.size = NULL;
    expect_ok(session, shop_item_update_fields(session, &item, fields, 1));
    assert_string_equal(query_text(session, "SELECT size_json FROM item"), "NULL");
    expect_stored(session, &item);
}

static void
test_an_update_of_no_fields_changes_nothing(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_shelf shelf = SHOP_SHELF_INIT;
    struct shop_shelf missing = SHOP_SHELF_INIT;
    shelf.place = "a";
    expect_ok(session, shop_shelf_insert(session, &shelf));
    shelf.width = 1000; /* what it may not be, but it is not looked at */
    expect_ok(session, shop_shelf_update_fields(session, &shelf, NULL, 0));
    assert_int_equal(varve_changes(session), 0);
    assert_int_equal(shelf.revision, 1);
    assert_int_equal(query_int64(session, "SELECT revision FROM shelf"), 1);
    missing.id = shelf.id + 1;
    assert_int_equal(shop_shelf_update_fields(session, &missing, NULL, 0), VARVE_NOT_FOUND);
    expect_failure(session, VARVE_FAILURE_OTHER, 0, "there is no shop.Shelf with id 2");
    expect_ok(session, varve_begin_read(session));
    assert_int_equal(shop_shelf_update_fields(session, &shelf, NULL, 0), VARVE_MISUSE);
    expect_ok(session, varve_rollback(session));
}

static void
test_a_record_that_refers_to_itself_is_not_blamed_for_it(void **state)
{
    struct varve_session *session = session_of(state);
    enum shop_node_field fields[] = {
        SHOP_NODE_FIELD_MAKER_ID, SHOP_NODE_FIELD_NUMBER, SHOP_NODE_FIELD_BEFORE};
    struct shop_node node = SHOP_NODE_INIT;
    node.name = node.above = "n";
    node.has_same = 1;
    node.same = 1; /* the key that it will get */
    node.has_maker_id = 1;
    node.maker_id = 5;
    assert_int_equal(shop_node_insert(session, &node), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, SHOP_NODE_FIELD_MAKER_ID, "id 5");
    node.has_maker_id = 0;
    expect_ok(session, shop_node_insert(session, &node));
    node.has_number = node.has_before = node.has_maker_id = 1;
    node.number = node.before = 7;
    assert_int_equal(shop_node_update_fields(session, &node, fields, 3), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, SHOP_NODE_FIELD_MAKER_ID, "id 5");
    assert_int_equal(shop_node_update(session, &node), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, SHOP_NODE_FIELD_MAKER_ID, "id 5");
    node.before = 8;
    assert_int_equal(shop_node_update(session, &node), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, SHOP_NODE_FIELD_BEFORE, "number 8");
}

/* -------------------------------------------------------------------- versions */

static void
test_a_version_begins_at_one_and_counts_updates(void **state)
{
    struct varve_session *session = session_of(state);
    enum shop_shelf_field fields[] = {SHOP_SHELF_FIELD_WIDTH};
    struct shop_shelf shelf = SHOP_SHELF_INIT;
    struct shop_shelf *read;
    shelf.revision = 77; /* what is given does not matter */
    expect_ok(session, shop_shelf_insert(session, &shelf));
    assert_int_equal(shelf.revision, 1);
    expect_ok(session, shop_shelf_update(session, &shelf));
    assert_int_equal(shelf.revision, 2);
    expect_ok(session, shop_shelf_update_fields(session, &shelf, fields, 1));
    assert_int_equal(shelf.revision, 3);
    expect_ok(session, shop_shelf_get(session, shelf.id, &read));
    assert_true(shop_shelf_equal(&shelf, read));
    shop_shelf_free(read);
}

static void
test_a_stale_record_is_a_conflict_of_versions(void **state)
{
    struct varve_session *session = session_of(state);
    enum shop_shelf_field fields[] = {SHOP_SHELF_FIELD_WIDTH};
    struct shop_shelf mine = SHOP_SHELF_INIT;
    expect_ok(session, shop_shelf_insert(session, &mine));
    struct shop_shelf theirs = mine;
    theirs.width = 10;
    expect_ok(session, shop_shelf_update(session, &theirs));
    mine.width = 20;
    assert_int_equal(shop_shelf_update(session, &mine), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_VERSION, SHOP_SHELF_FIELD_REVISION, "version 1");
    assert_int_equal(mine.revision, 1);
    assert_int_equal(shop_shelf_update_fields(session, &mine, fields, 1), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_VERSION, SHOP_SHELF_FIELD_REVISION, "was changed");
    assert_int_equal(query_int64(session, "SELECT width FROM shelf"), 10);
    expect_ok(session, shop_shelf_upsert(session, &mine)); /* does not compare */
    assert_int_equal(mine.revision, 3);
    assert_int_equal(query_int64(session, "SELECT width FROM shelf"), 20);
    expect_ok(session, shop_shelf_update(session, &mine));
    assert_int_equal(mine.revision, 4);
}

static void
test_a_rolled_back_version_is_stale_in_the_record(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_shelf shelf = SHOP_SHELF_INIT;
    expect_ok(session, shop_shelf_insert(session, &shelf));
    expect_ok(session, varve_begin(session));
    expect_ok(session, shop_shelf_update(session, &shelf));
    expect_ok(session, varve_rollback(session));
    assert_int_equal(shelf.revision, 2);
    assert_int_equal(shop_shelf_update(session, &shelf), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_VERSION, SHOP_SHELF_FIELD_REVISION, "version 2");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_an_update_replaces_the_whole_record_and_no_other),
        SHOP_TEST(test_an_update_of_what_is_not_there_is_not_found),
        SHOP_TEST(test_an_update_breaks_no_rule_of_the_schema),
        SHOP_TEST(test_a_value_that_others_refer_to_is_not_changed),
        SHOP_TEST(test_records_of_nothing_but_a_key_can_be_updated),
        SHOP_TEST(test_composite_and_text_keys_are_updated_in_place),
        SHOP_TEST(test_only_the_given_fields_are_written_and_looked_at),
        SHOP_TEST(test_a_oneof_is_written_whole),
        SHOP_TEST(test_fields_that_cannot_be_meant_are_misuse),
        SHOP_TEST(test_a_failure_names_a_field_that_was_to_be_written),
        SHOP_TEST(test_a_json_copy_follows_its_field),
        SHOP_TEST(test_an_update_of_no_fields_changes_nothing),
        SHOP_TEST(test_a_record_that_refers_to_itself_is_not_blamed_for_it),
        SHOP_TEST(test_a_version_begins_at_one_and_counts_updates),
        SHOP_TEST(test_a_stale_record_is_a_conflict_of_versions),
        SHOP_TEST(test_a_rolled_back_version_is_stale_in_the_record),
    };
    return cmocka_run_group_tests_name("update", tests, NULL, NULL);
}
