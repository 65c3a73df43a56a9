/* Insert and delete: keys, what is refused and how it is named, what follows a delete, the columns that
 * are JSON, and varve_changes(). */
#include "shop_support.h"

#include <math.h>
#include <string.h>

static struct varve_session *
session_of(void **state)
{
    return ((struct shop *)*state)->session;
}

static int64_t
count_items(struct varve_session *session)
{
    int64_t count = -1;
    expect_ok(session, shop_item_count(session, NULL, &count));
    return count;
}

static struct shop_item *
get_item(struct varve_session *session, int64_t id)
{
    struct shop_item *item;
    expect_ok(session, shop_item_get(session, id, &item));
    return item;
}

/* -------------------------------------------------------------------- keys */

static void
test_a_key_of_zero_is_assigned_and_a_given_one_is_used(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item item = SHOP_ITEM_INIT;
    item.id = 40;
    item.code = "given";
    expect_ok(session, shop_item_insert(session, &item));
    assert_int_equal(item.id, 40);
    assert_int_equal(add_item(session, "next"), 41);
    item.id = -7;
    item.code = "negative";
    expect_ok(session, shop_item_insert(session, &item));
    assert_int_equal(item.id, -7);
    assert_int_equal(add_item(session, "after"), 42);
    assert_int_equal(varve_changes(session), 1);
}

static void
test_the_key_of_a_deleted_record_is_never_assigned_again(void **state)
{
    struct shop *shop = *state;
    int64_t last = 0;
    add_item(shop->session, "a");
    last = add_item(shop->session, "b");
    expect_ok(shop->session, shop_item_delete(shop->session, last));
    shop_reopen(shop);
    assert_int_equal(add_item(shop->session, "c"), last + 1);
    expect_ok(shop->session, shop_item_delete_where(shop->session, NULL));
    assert_int_equal(varve_changes(shop->session), 2);
    shop_reopen(shop);
    assert_int_equal(add_item(shop->session, "d"), last + 2);
}

static void
test_a_failed_insert_assigns_no_key(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item item = SHOP_ITEM_INIT;
    int64_t first = add_item(session, "taken");
    item.code = "taken";
    assert_int_equal(shop_item_insert(session, &item), VARVE_CONFLICT);
    assert_int_equal(item.id, 0);
    item.code = "free";
    expect_ok(session, shop_item_insert(session, &item));
    assert_int_equal(item.id, first + 1);
}

static void
test_when_the_greatest_key_is_used_none_can_be_assigned(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_token token = SHOP_TOKEN_INIT;
    token.id = INT64_MAX;
    expect_ok(session, shop_token_insert(session, &token));
    token.id = 0;
    assert_int_equal(shop_token_insert(session, &token), VARVE_FULL);
    expect_failure(session, VARVE_FAILURE_RANGE, 0, "the greatest key is used");
    struct shop_token tokens[] = {SHOP_TOKEN_INIT, SHOP_TOKEN_INIT};
    assert_int_equal(shop_token_insert_many(session, tokens, 2), VARVE_FULL);
    expect_failure(session, VARVE_FAILURE_RANGE, 0, "the greatest key is used");
    token.id = 5;
    expect_ok(session, shop_token_insert(session, &token));
}

static void
test_a_given_key_that_is_taken_is_a_conflict(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_token token = SHOP_TOKEN_INIT;
    token.id = 12;
    expect_ok(session, shop_token_insert(session, &token));
    assert_int_equal(shop_token_insert(session, &token), VARVE_CONFLICT);
    expect_failure(
        session, VARVE_FAILURE_UNIQUE, SHOP_TOKEN_FIELD_ID, "another shop.Token has id 12 already");
    struct shop_country country = SHOP_COUNTRY_INIT;
    country.code = "at";
    expect_ok(session, shop_country_insert(session, &country));
    assert_int_equal(shop_country_insert(session, &country), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_UNIQUE, SHOP_COUNTRY_FIELD_CODE, "code \"at\" already");
}

static void
test_a_taken_composite_key_names_all_its_parts(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_price price = SHOP_PRICE_INIT;
    struct shop_chip chip = SHOP_CHIP_INIT;
    price.code = "a";
    price.day = UINT32_MAX;
    price.kind = SHOP_SOLD;
    expect_ok(session, shop_price_insert(session, &price));
    assert_int_equal(shop_price_insert(session, &price), VARVE_CONFLICT);
    const struct varve_failure *failure = varve_session_failure(session);
    assert_int_equal(failure->kind, VARVE_FAILURE_UNIQUE);
    assert_int_equal(failure->field_count, 3);
    assert_int_equal(failure->fields[1], SHOP_PRICE_FIELD_DAY);
    assert_non_null(
        strstr(varve_session_error(session), "code \"a\", day 4294967295, kind 2 already"));
    chip.serial = UINT64_MAX;
    expect_ok(session, shop_chip_insert(session, &chip));
    assert_int_equal(shop_chip_insert(session, &chip), VARVE_CONFLICT);
    expect_failure(
        session, VARVE_FAILURE_UNIQUE, SHOP_CHIP_FIELD_SERIAL, "serial 18446744073709551615");
    assert_int_equal(shop_chip_delete(session, UINT64_MAX - 1), VARVE_NOT_FOUND);
    expect_failure(session, VARVE_FAILURE_OTHER, 0, "serial 18446744073709551614");
    expect_ok(session, shop_chip_delete(session, UINT64_MAX));
}

/* -------------------------------------------------------------------- what insert refuses */

static void
test_a_taken_unique_value_is_named_with_its_field(void **state)
{
    struct varve_session *session = session_of(state);
    uint8_t seal[] = {1, 2, 3};
    struct shop_item item = SHOP_ITEM_INIT;
    item.code = "it's";
    item.has_tag = 1;
    item.tag = (struct varve_bytes){sizeof seal, seal};
    expect_ok(session, shop_item_insert(session, &item));
    item.id = 0;
    item.has_tag = 0;
    assert_int_equal(shop_item_insert(session, &item), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_UNIQUE, SHOP_ITEM_FIELD_CODE, "code \"it's\"");
    assert_string_equal(varve_session_failure(session)->record, "shop.Item");
    assert_int_equal(varve_session_failure(session)->tier, VARVE_TIER_TABLE);
    assert_int_equal(varve_session_failure(session)->index, -1);
    item.code = "other";
    item.has_tag = 1;
    assert_int_equal(shop_item_insert(session, &item), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_UNIQUE, SHOP_ITEM_FIELD_TAG, "tag of 3 bytes");
    item.has_tag = 0; /* NULLs are never equal */
    expect_ok(session, shop_item_insert(session, &item));
    assert_int_equal(count_items(session), 2);
}

static void
test_a_broken_check_names_its_field(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item item = SHOP_ITEM_INIT;
    item.price = -1;
    assert_int_equal(shop_item_insert(session, &item), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_CHECK, SHOP_ITEM_FIELD_PRICE, "price");
    item.price = 0;
    item.code = "a code of far more than the forty characters that are allowed";
    assert_int_equal(shop_item_insert(session, &item), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_CHECK, SHOP_ITEM_FIELD_CODE, "length(\"code\") < 40");
    struct shop_shelf shelf = SHOP_SHELF_INIT;
    shelf.width = 101;
    assert_int_equal(shop_shelf_insert(session, &shelf), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_CHECK, SHOP_SHELF_FIELD_WIDTH, "width");
    assert_int_equal(count_items(session), 0);
}

static void
test_a_reference_to_nothing_names_field_and_key(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item item = SHOP_ITEM_INIT;
    item.has_maker_id = 1;
    item.maker_id = add_maker(session, "m");
    item.has_parent_id = 1;
    item.parent_id = 4711;
    assert_int_equal(shop_item_insert(session, &item), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, SHOP_ITEM_FIELD_PARENT_ID, "4711");
    struct shop_box box = SHOP_BOX_INIT; /* a reference that is not optional: 0 is no parent */
    assert_int_equal(shop_box_insert(session, &box), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, SHOP_BOX_FIELD_SHELF_ID, "shop.Shelf");
    struct shop_seal seal = SHOP_SEAL_INIT;
    seal.maker_name = "nobody";
    assert_int_equal(shop_seal_insert(session, &seal), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, SHOP_SEAL_FIELD_MAKER_NAME, "\"nobody\"");
    seal.maker_name = "m";
    expect_ok(session, shop_seal_insert(session, &seal));
}

static void
test_values_that_no_column_holds_are_refused(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item item = SHOP_ITEM_INIT;
    item.weight = NAN;
    assert_int_equal(shop_item_insert(session, &item), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_NAN, SHOP_ITEM_FIELD_WEIGHT, "NaN");
    item.weight = INFINITY;
    item.stock = (uint64_t)INT64_MAX + 1;
    assert_int_equal(shop_item_insert(session, &item), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_RANGE, SHOP_ITEM_FIELD_STOCK, "fixed64");
    item.stock = INT64_MAX;
    item.code = NULL;
    assert_int_equal(shop_item_insert(session, &item), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_NOT_NULL, SHOP_ITEM_FIELD_CODE, "NULL");
    item.code = "latin \xe9";
    assert_int_equal(shop_item_insert(session, &item), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_UTF8, SHOP_ITEM_FIELD_CODE, "UTF-8");
    item.code = "fine";
    item.note = "\xed\xa0\x80"; /* half of a surrogate pair */
    assert_int_equal(shop_item_insert(session, &item), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_UTF8, SHOP_ITEM_FIELD_NOTE, "UTF-8");
    item.note = NULL;
    expect_ok(session, shop_item_insert(session, &item));
    struct shop_item *read = get_item(session, item.id);
    assert_true(shop_item_equal(&item, read));
    shop_item_free(read);
}

static void
test_bad_values_inside_of_maps_and_messages_are_refused(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item item = SHOP_ITEM_INIT;
    struct shop_item_ratios_entry ratio = SHOP_ITEM_RATIOS_ENTRY_INIT;
    struct shop_item_ratios_entry *ratios[] = {&ratio};
    const char *notes[] = {"fine", "\xff"};
    struct shop_size size = SHOP_SIZE_INIT;
    ratio.value = NAN;
    item.ratios.count = 1;
    item.ratios.data = ratios;
    assert_int_equal(shop_item_insert(session, &item), VARVE_INVALID);
    assert_int_equal(varve_session_failure(session)->fields[0], SHOP_ITEM_FIELD_RATIOS);
    item.ratios.count = 0;
    size.notes.count = 2;
    size.notes.data = notes;
    item.size = &size;
    assert_int_equal(shop_item_insert(session, &item), VARVE_INVALID);
    const struct varve_failure *failure = varve_session_failure(session);
    assert_int_equal(failure->kind, VARVE_FAILURE_UTF8);
    assert_int_equal(failure->field_count, 2);
    assert_int_equal(failure->fields[0], SHOP_ITEM_FIELD_SIZE);
    assert_int_equal(failure->fields[1], SHOP_SIZE_FIELD_NOTES);
    assert_int_equal(count_items(session), 0);
}

/* -------------------------------------------------------------------- delete */

static void
test_deleting_what_is_not_there_is_not_found(void **state)
{
    struct varve_session *session = session_of(state);
    assert_int_equal(shop_item_delete(session, 1), VARVE_NOT_FOUND);
    expect_failure(session, VARVE_FAILURE_OTHER, 0, "there is no shop.Item with id 1");
    assert_int_equal(shop_price_delete(session, "a;b", 2, SHOP_SOLD), VARVE_NOT_FOUND);
    expect_failure(session, VARVE_FAILURE_OTHER, 0, "code \"a;b\", day 2, kind 2");
    assert_int_equal(shop_country_delete(session, NULL), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_NOT_NULL, SHOP_COUNTRY_FIELD_CODE, "NULL");
    assert_int_equal(shop_country_delete(session, "\xff"), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_UTF8, SHOP_COUNTRY_FIELD_CODE, "UTF-8");
}

static void
test_what_is_referred_to_is_not_deleted_and_the_child_is_named(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item item = SHOP_ITEM_INIT;
    struct shop_seal seal = SHOP_SEAL_INIT;
    item.maker_id = add_maker(session, "used");
    item.has_maker_id = 1;
    expect_ok(session, shop_item_insert(session, &item));
    assert_int_equal(shop_maker_delete(session, item.maker_id), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, 0, "shop.Item.maker_id");
    add_maker(session, "named");
    seal.maker_name = "named";
    expect_ok(session, shop_seal_insert(session, &seal));
    assert_int_equal(shop_maker_delete(session, item.maker_id + 1), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, 0, "shop.Seal.maker_name");
    expect_ok(session, shop_item_delete(session, item.id));
    expect_ok(session, shop_maker_delete(session, item.maker_id));
}

static void
test_a_delete_cascades_and_sets_null_as_the_schema_says(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_box box = SHOP_BOX_INIT;
    struct shop_box *read;
    box.shelf_id = add_shelf(session, "a");
    box.has_maker_id = 1;
    box.maker_id = add_maker(session, "m");
    expect_ok(session, shop_box_insert(session, &box));
    expect_ok(session, shop_maker_delete(session, box.maker_id));
    expect_ok(session, shop_box_get(session, box.id, &read));
    assert_false(read->has_maker_id);
    shop_box_free(read);
    expect_ok(session, shop_shelf_delete(session, box.shelf_id));
    assert_int_equal(varve_changes(session), 1);
    assert_int_equal(shop_box_get(session, box.id, &read), VARVE_NOT_FOUND);
}

static void
test_a_cascade_that_a_reference_stops_deletes_nothing(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_box box = SHOP_BOX_INIT;
    struct shop_seal seal = SHOP_SEAL_INIT;
    box.shelf_id = add_shelf(session, "a");
    expect_ok(session, shop_box_insert(session, &box));
    seal.has_box_id = 1;
    seal.box_id = box.id;
    expect_ok(session, shop_seal_insert(session, &seal));
    assert_int_equal(shop_shelf_delete(session, box.shelf_id), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, 0, "still referred to");
    assert_int_equal(query_int64(session, "SELECT count(*) FROM box"), 1);
    assert_int_equal(shop_shelf_delete_where(session, NULL), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, 0, "still referred to");
    expect_ok(session, shop_seal_delete(session, seal.id));
    expect_ok(session, shop_shelf_delete(session, box.shelf_id));
    expect_sound(session);
}

static void
test_a_tree_is_deleted_with_its_root(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item item = SHOP_ITEM_INIT;
    char code[16] = "n";
    item.code = code;
    int64_t root = add_item(session, "root");
    item.parent_id = root;
    for (char i = 'a'; i <= 'z'; i++) {
        item.id = 0;
        code[1] = i;
        item.has_parent_id = 1;
        expect_ok(session, shop_item_insert(session, &item));
        item.parent_id = item.id;
    }
    expect_ok(session, shop_item_delete(session, root));
    assert_int_equal(varve_changes(session), 1);
    assert_int_equal(count_items(session), 0);
}

/* -------------------------------------------------------------------- JSON columns, changes */

static void
test_maps_and_arrays_are_json_with_64_bits_as_text(void **state)
{
    struct varve_session *session = session_of(state);
    uint64_t numbers[] = {1, UINT64_MAX};
    struct shop_item_counts_entry count = SHOP_ITEM_COUNTS_ENTRY_INIT;
    struct shop_item_ratios_entry ratio = SHOP_ITEM_RATIOS_ENTRY_INIT;
    struct shop_item_counts_entry *counts[] = {&count};
    struct shop_item_ratios_entry *ratios[] = {&ratio};
    struct shop_item item = SHOP_ITEM_INIT;
    count.key = "it's \"so\"";
    count.value = INT64_MIN;
    ratio.key = -3;
    ratio.value = 0.5;
    item.counts.count = 1;
    item.counts.data = counts;
    item.ratios.count = 1;
    item.ratios.data = ratios;
    item.numbers = (struct varve_uint64s){2, numbers};
    expect_ok(session, shop_item_insert(session, &item));
    assert_string_equal(
        query_text(session, "SELECT counts FROM item"),
        "{\"it's \\\"so\\\"\":\"-9223372036854775808\"}");
    assert_string_equal(
        query_text(session, "SELECT numbers->>1 FROM item"), "18446744073709551615");
    assert_string_equal(query_text(session, "SELECT json_type(numbers, '$[0]') FROM item"), "text");
    assert_string_equal(query_text(session, "SELECT ratios->>'-3' FROM item"), "0.5");
    struct shop_item *read = get_item(session, item.id);
    assert_true(shop_item_equal(&item, read));
    shop_item_free(read);
}

static void
test_a_message_has_a_json_copy_when_the_schema_says_so(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_size size = SHOP_SIZE_INIT;
    const char *notes[] = {"a'b", "c"};
    struct shop_item item = SHOP_ITEM_INIT;
    expect_ok(session, shop_item_insert(session, &item));
    assert_string_equal(query_text(session, "SELECT size_json FROM item"), "NULL");
    size.width = 7;
    size.notes.count = 2;
    size.notes.data = notes;
    item.size = &size;
    expect_ok(session, shop_item_update(session, &item));
    assert_int_equal(
        query_int64(session, "SELECT json_extract(size_json, '$.width') FROM item"), 7);
    assert_string_equal(
        query_text(session, "SELECT json_extract(size_json, '$.notes[0]') FROM item"), "a'b");
    item.size = NULL;
    expect_ok(session, shop_item_update(session, &item));
    assert_string_equal(query_text(session, "SELECT size_json FROM item"), "NULL");
}

static void
test_changes_are_those_of_the_last_write(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_maker makers[3] = {SHOP_MAKER_INIT, SHOP_MAKER_INIT, SHOP_MAKER_INIT};
    struct shop_maker *read;
    assert_int_equal(varve_changes(session), 0);
    makers[0].name = "a";
    makers[1].name = "b";
    makers[2].name = "c";
    expect_ok(session, shop_maker_insert_many(session, makers, 3));
    assert_int_equal(varve_changes(session), 3);
    expect_ok(session, shop_maker_get(session, 1, &read));
    shop_maker_free(read);
    assert_int_equal(varve_changes(session), 3); /* reading changes nothing */
    expect_ok(session, shop_maker_upsert(session, &makers[0]));
    assert_int_equal(varve_changes(session), 1);
    expect_ok(session, shop_maker_delete_where(session, NULL));
    assert_int_equal(varve_changes(session), 3);
    expect_ok(session, shop_maker_delete_where(session, NULL));
    assert_int_equal(varve_changes(session), 0);
    expect_ok(session, shop_maker_insert_many(session, NULL, 0));
    assert_int_equal(varve_changes(session), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_a_key_of_zero_is_assigned_and_a_given_one_is_used),
        SHOP_TEST(test_the_key_of_a_deleted_record_is_never_assigned_again),
        SHOP_TEST(test_a_failed_insert_assigns_no_key),
        SHOP_TEST(test_when_the_greatest_key_is_used_none_can_be_assigned),
        SHOP_TEST(test_a_given_key_that_is_taken_is_a_conflict),
        SHOP_TEST(test_a_taken_composite_key_names_all_its_parts),
        SHOP_TEST(test_a_taken_unique_value_is_named_with_its_field),
        SHOP_TEST(test_a_broken_check_names_its_field),
        SHOP_TEST(test_a_reference_to_nothing_names_field_and_key),
        SHOP_TEST(test_values_that_no_column_holds_are_refused),
        SHOP_TEST(test_bad_values_inside_of_maps_and_messages_are_refused),
        SHOP_TEST(test_deleting_what_is_not_there_is_not_found),
        SHOP_TEST(test_what_is_referred_to_is_not_deleted_and_the_child_is_named),
        SHOP_TEST(test_a_delete_cascades_and_sets_null_as_the_schema_says),
        SHOP_TEST(test_a_cascade_that_a_reference_stops_deletes_nothing),
        SHOP_TEST(test_a_tree_is_deleted_with_its_root),
        SHOP_TEST(test_maps_and_arrays_are_json_with_64_bits_as_text),
        SHOP_TEST(test_a_message_has_a_json_copy_when_the_schema_says_so),
        SHOP_TEST(test_changes_are_those_of_the_last_write),
    };
    return cmocka_run_group_tests_name("write", tests, NULL, NULL);
}
