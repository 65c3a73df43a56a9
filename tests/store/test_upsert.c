/* Upsert and upsert_by: what finds the record, what the row keeps; and the reads by key and by unique
 * value. */
#include "shop_support.h"

#include <string.h>

static struct varve_session *
session_of(void **state)
{
    return ((struct shop *)*state)->session;
}

/* -------------------------------------------------------------------- what finds the record */

static void
test_an_upsert_without_a_key_goes_by_the_only_unique_field(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_maker maker = SHOP_MAKER_INIT;
    struct shop_maker again = SHOP_MAKER_INIT;
    struct shop_maker *read;
    maker.name = "m";
    expect_ok(session, shop_maker_upsert(session, &maker));
    assert_int_equal(maker.id, 1);
    again.name = "m";
    again.founded = 1846;
    expect_ok(session, shop_maker_upsert(session, &again));
    assert_int_equal(again.id, 1);
    assert_int_equal(varve_changes(session), 1);
    expect_ok(session, shop_maker_get(session, 1, &read));
    assert_true(shop_maker_equal(&again, read));
    shop_maker_free(read);
    again.id = 0;
    again.name = "other";
    expect_ok(session, shop_maker_upsert(session, &again));
    assert_true(again.id > 1);
    assert_int_equal(query_int64(session, "SELECT count(*) FROM maker"), 2);
}

static void
test_an_upsert_with_a_key_goes_by_the_key(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_maker maker = SHOP_MAKER_INIT;
    struct shop_maker *read;
    maker.id = 9;
    maker.name = "m";
    expect_ok(session, shop_maker_upsert(session, &maker));
    maker.name = "renamed";
    expect_ok(session, shop_maker_upsert(session, &maker));
    expect_ok(session, shop_maker_get_by_name(session, "renamed", &read));
    assert_int_equal(read->id, 9);
    shop_maker_free(read);
    add_maker(session, "taken");
    maker.name = "taken";
    assert_int_equal(shop_maker_upsert(session, &maker), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_UNIQUE, SHOP_MAKER_FIELD_NAME, "name \"taken\"");
    assert_int_equal(maker.id, 9);
    assert_int_equal(query_int64(session, "SELECT count(*) FROM maker"), 2);
}

static void
test_several_unique_fields_need_the_one_that_is_meant(void **state)
{
    struct varve_session *session = session_of(state);
    uint8_t tag[] = {1};
    struct shop_item item = SHOP_ITEM_INIT;
    item.code = "c";
    item.has_tag = 1;
    item.tag = (struct varve_bytes){1, tag};
    expect_ok(session, shop_item_insert(session, &item));
    int64_t id = item.id;
    item.id = 0;
    assert_int_equal(shop_item_upsert(session, &item), VARVE_MISUSE);
    expect_failure(session, VARVE_FAILURE_OTHER, 0, "upsert_by");
    item.price = 3;
    expect_ok(session, shop_item_upsert_by(session, &item, SHOP_ITEM_FIELD_CODE));
    assert_int_equal(item.id, id);
    item.id = 0;
    item.code = "d";
    expect_ok(session, shop_item_upsert_by(session, &item, SHOP_ITEM_FIELD_TAG));
    assert_int_equal(item.id, id);
    expect_ok(session, shop_item_upsert_by(session, &item, SHOP_ITEM_FIELD_ID));
    assert_int_equal(query_int64(session, "SELECT count(*) FROM item WHERE code = 'd'"), 1);
    item.id = 0;
    item.code = "new";
    assert_int_equal(shop_item_upsert_by(session, &item, SHOP_ITEM_FIELD_CODE), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_UNIQUE, SHOP_ITEM_FIELD_TAG, "tag");
}

static void
test_a_field_that_finds_nothing_by_itself_is_misuse(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item item = SHOP_ITEM_INIT;
    struct shop_price price = SHOP_PRICE_INIT;
    assert_int_equal(shop_item_upsert_by(session, &item, SHOP_ITEM_FIELD_PRICE), VARVE_MISUSE);
    assert_int_equal(shop_item_upsert_by(session, &item, (enum shop_item_field)0), VARVE_MISUSE);
    assert_int_equal(shop_item_upsert_by(session, &item, (enum shop_item_field)99), VARVE_MISUSE);
    assert_int_equal(shop_price_upsert_by(session, &price, SHOP_PRICE_FIELD_CODE), VARVE_MISUSE);
    expect_failure(session, VARVE_FAILURE_OTHER, 0, "unique by itself");
    struct shop_seat seat = SHOP_SEAT_INIT; /* its name is unique only while it is taken */
    assert_int_equal(shop_seat_upsert_by(session, &seat, SHOP_SEAT_FIELD_NAME), VARVE_MISUSE);
    expect_failure(session, VARVE_FAILURE_OTHER, SHOP_SEAT_FIELD_NAME, "only where taken = 1");
    assert_int_equal(query_int64(session, "SELECT count(*) FROM item"), 0);
    assert_int_equal(query_int64(session, "SELECT count(*) FROM seat"), 0);
}

static void
test_an_upsert_by_another_field_keeps_the_key_of_the_row(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_maker maker = SHOP_MAKER_INIT;
    int64_t id = add_maker(session, "m");
    maker.id = id + 70; /* given, but the name finds another */
    maker.name = "m";
    expect_ok(session, shop_maker_upsert_by(session, &maker, SHOP_MAKER_FIELD_NAME));
    assert_int_equal(maker.id, id);
    maker.id = id + 70;
    maker.name = "n";
    expect_ok(session, shop_maker_upsert_by(session, &maker, SHOP_MAKER_FIELD_NAME));
    assert_int_equal(maker.id, id + 70);
}

static void
test_a_key_that_is_given_is_written_back_too(void **state)
{
    struct varve_session *session = session_of(state);
    float point = 0.5f;
    struct shop_label label = SHOP_LABEL_INIT;
    struct shop_label *read;
    label.item_id = add_item(session, "a");
    label.text = "the only one";
    expect_ok(session, shop_label_insert(session, &label));
    label.item_id = add_item(session, "b");
    label.size = 1;
    label.points = (struct varve_floats){1, &point};
    expect_ok(session, shop_label_upsert_by(session, &label, SHOP_LABEL_FIELD_TEXT));
    assert_int_equal(label.item_id, 1); /* that of the row, which has the tensor now */
    expect_ok(session, shop_label_get(session, 1, &read));
    assert_true(shop_label_equal(&label, read));
    shop_label_free(read);
    label.item_id = 2;
    label.text = NULL;
    expect_ok(session, shop_label_upsert(session, &label));
    assert_int_equal(label.item_id, 2);
    expect_sound(session);
}

static void
test_a_partial_unique_index_finds_only_what_is_in_it(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_seat seat = SHOP_SEAT_INIT;
    seat.name = "window";
    expect_ok(session, shop_seat_upsert(session, &seat)); /* not taken, so in no index */
    seat.id = 0;
    expect_ok(session, shop_seat_upsert(session, &seat));
    assert_int_equal(seat.id, 2);
    seat.id = 0;
    seat.taken = 1;
    expect_ok(session, shop_seat_upsert(session, &seat));
    int64_t id = seat.id;
    seat.id = 0;
    seat.uses = 5;
    expect_ok(session, shop_seat_upsert(session, &seat));
    assert_int_equal(seat.id, id);
    assert_int_equal(query_int64(session, "SELECT count(*) FROM seat"), 3);
    seat.id = 0;
    assert_int_equal(shop_seat_insert(session, &seat), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_UNIQUE, SHOP_SEAT_FIELD_NAME, "name \"window\"");
}

static void
test_keys_that_are_not_generated_are_upserted(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_country country = SHOP_COUNTRY_INIT;
    struct shop_kind_text text = SHOP_KIND_TEXT_INIT;
    struct shop_price price = SHOP_PRICE_INIT;
    struct shop_token token = SHOP_TOKEN_INIT;
    price.code = country.code = "x";
    for (int i = 1; i <= 3; i++) {
        country.name = text.text = i == 3 ? "third" : "earlier";
        price.cents = i;
        expect_ok(session, shop_country_upsert(session, &country));
        expect_ok(session, shop_kind_text_upsert(session, &text));
        expect_ok(session, shop_price_upsert(session, &price));
        assert_int_equal(price.revision, i);
        token.id = 4;
        expect_ok(session, shop_token_upsert(session, &token));
    }
    assert_string_equal(query_text(session, "SELECT name FROM country"), "third");
    assert_string_equal(query_text(session, "SELECT \"text\" FROM kind_text"), "third");
    assert_int_equal(query_int64(session, "SELECT sum(cents) FROM price"), 3);
    token.id = 0;
    expect_ok(session, shop_token_upsert(session, &token)); /* nothing to find it by: a new one */
    assert_int_equal(token.id, 5);
}

/* -------------------------------------------------------------------- what is kept */

static void
test_an_upsert_keeps_the_children_of_the_row(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_shelf shelf = SHOP_SHELF_INIT;
    struct shop_box box = SHOP_BOX_INIT;
    box.shelf_id = add_shelf(session, "a");
    expect_ok(session, shop_box_insert(session, &box));
    shelf.place = "a";
    shelf.width = 12;
    expect_ok(session, shop_shelf_upsert(session, &shelf));
    assert_int_equal(shelf.id, box.shelf_id);
    assert_int_equal(shelf.revision, 2);
    expect_ok(session, shop_shelf_upsert(session, &shelf));
    assert_int_equal(shelf.revision, 3);
    assert_int_equal(query_int64(session, "SELECT count(*) FROM box"), 1);
    expect_sound(session);
}

static void
test_a_refused_upsert_changes_neither_row_nor_record(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_shelf shelf = SHOP_SHELF_INIT;
    int64_t id = add_shelf(session, "a");
    shelf.place = "a";
    shelf.width = 1000;
    shelf.revision = 8;
    assert_int_equal(shop_shelf_upsert(session, &shelf), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_CHECK, SHOP_SHELF_FIELD_WIDTH, "width");
    assert_int_equal(shelf.id, 0);
    assert_int_equal(shelf.revision, 8);
    struct shop_box box = SHOP_BOX_INIT;
    box.shelf_id = id + 1;
    assert_int_equal(shop_box_upsert(session, &box), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, SHOP_BOX_FIELD_SHELF_ID, "id 2");
    assert_int_equal(query_int64(session, "SELECT width FROM shelf"), 0);
    expect_sound(session);
}

/* -------------------------------------------------------------------- get_by, get_many */

static void
test_a_record_is_read_by_a_unique_value(void **state)
{
    struct varve_session *session = session_of(state);
    uint8_t tag[] = {0, 1};
    struct shop_item item = SHOP_ITEM_INIT;
    struct shop_item *read;
    item.code = "'; --";
    item.has_tag = 1;
    item.tag = (struct varve_bytes){2, tag};
    expect_ok(session, shop_item_insert(session, &item));
    expect_ok(session, shop_item_get_by_code(session, "'; --", &read));
    assert_true(shop_item_equal(&item, read));
    shop_item_free(read);
    expect_ok(session, shop_item_get_by_tag(session, item.tag, &read));
    assert_true(shop_item_equal(&item, read));
    shop_item_free(read);
    item.tag.size = 1;
    assert_int_equal(shop_item_get_by_tag(session, item.tag, &read), VARVE_NOT_FOUND);
    assert_null(read);
    assert_int_equal(shop_item_get_by_code(session, "", &read), VARVE_NOT_FOUND);
    expect_failure(session, VARVE_FAILURE_OTHER, 0, "there is no shop.Item with code \"\"");
    item.id = 0;
    item.code = "empty tag";
    item.tag.size = 0;
    expect_ok(session, shop_item_insert(session, &item));
    expect_ok(session, shop_item_get_by_tag(session, (struct varve_bytes){0, NULL}, &read));
    assert_int_equal(read->id, item.id);
    shop_item_free(read);
}

static void
test_values_that_cannot_be_looked_up_are_refused(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_item *read;
    void *found;
    int64_t price = 0;
    assert_int_equal(shop_item_get_by_code(session, NULL, &read), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_NOT_NULL, SHOP_ITEM_FIELD_CODE, "NULL");
    assert_int_equal(shop_item_get_by_code(session, "\x80", &read), VARVE_INVALID);
    expect_failure(session, VARVE_FAILURE_UTF8, SHOP_ITEM_FIELD_CODE, "UTF-8");
    assert_int_equal(
        shop_item_get_by_tag(session, (struct varve_bytes){5, NULL}, &read), VARVE_INVALID);
    assert_int_equal(
        shop_item_get_by_tag(session, (struct varve_bytes){0, NULL}, &read), VARVE_NOT_FOUND);
    assert_int_equal(
        varve_record_get_by(session, &shop_item_record, SHOP_ITEM_FIELD_PRICE, &price, &found),
        VARVE_MISUSE);
    assert_int_equal(
        varve_record_get_by(session, &shop_item_record, 99, &price, &found), VARVE_MISUSE);
    assert_int_equal(
        varve_record_get_by(
            session, &shop_seat_record, SHOP_SEAT_FIELD_NAME, "unique only in part", &found),
        VARVE_MISUSE);
    assert_null(found);
}

static void
test_many_are_read_in_the_order_of_their_keys(void **state)
{
    struct varve_session *session = session_of(state);
    int64_t b = (add_maker(session, "a"), add_maker(session, "b"));
    int64_t ids[] = {b, 99, b - 1, b, 0, INT64_MIN};
    struct shop_maker **makers;
    expect_ok(session, shop_maker_get_many(session, ids, 6, &makers));
    assert_string_equal(makers[0]->name, "b");
    assert_null(makers[1]);
    assert_string_equal(makers[2]->name, "a");
    assert_string_equal(makers[3]->name, "b");
    assert_null(makers[4]);
    assert_null(makers[5]);
    shop_maker_free_many(makers);
    expect_ok(session, shop_maker_get_many(session, NULL, 0, &makers));
    assert_non_null(makers);
    shop_maker_free_many(makers);
    assert_int_equal(shop_maker_get_many(session, ids, -1, &makers), VARVE_MISUSE);
    assert_null(makers);
    assert_int_equal(shop_maker_get_many(session, NULL, 1, &makers), VARVE_MISUSE);
    shop_maker_free_many(NULL);
}

static void
test_many_are_read_by_text_enums_and_composite_keys(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_country country = SHOP_COUNTRY_INIT;
    struct shop_price keys[2] = {SHOP_PRICE_INIT, SHOP_PRICE_INIT};
    struct shop_country **countries;
    struct shop_price **prices;
    country.code = "at";
    expect_ok(session, shop_country_insert(session, &country));
    keys[0].code = keys[1].code = "p";
    keys[1].kind = SHOP_SOLD;
    keys[1].cents = 12;
    expect_ok(session, shop_price_insert(session, &keys[1]));
    const char *codes[] = {"de", "at", "at'--"};
    expect_ok(session, shop_country_get_many(session, codes, 3, &countries));
    assert_null(countries[0]);
    assert_string_equal(countries[1]->code, "at");
    assert_null(countries[2]);
    shop_country_free_many(countries);
    expect_ok(session, shop_price_get_many(session, keys, 2, &prices));
    assert_null(prices[0]);
    assert_int_equal(prices[1]->cents, 12);
    shop_price_free_many(prices);
    codes[1] = NULL;
    assert_int_equal(shop_country_get_many(session, codes, 3, &countries), VARVE_INVALID);
    assert_int_equal(varve_session_failure(session)->index, 1);
    memset(&keys[1], 0, sizeof keys[1]);
    assert_int_equal(shop_price_get_many(session, keys, 2, &prices), VARVE_MISUSE);
    assert_int_equal(varve_session_failure(session)->index, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_an_upsert_without_a_key_goes_by_the_only_unique_field),
        SHOP_TEST(test_an_upsert_with_a_key_goes_by_the_key),
        SHOP_TEST(test_several_unique_fields_need_the_one_that_is_meant),
        SHOP_TEST(test_a_field_that_finds_nothing_by_itself_is_misuse),
        SHOP_TEST(test_an_upsert_by_another_field_keeps_the_key_of_the_row),
        SHOP_TEST(test_a_key_that_is_given_is_written_back_too),
        SHOP_TEST(test_a_partial_unique_index_finds_only_what_is_in_it),
        SHOP_TEST(test_keys_that_are_not_generated_are_upserted),
        SHOP_TEST(test_an_upsert_keeps_the_children_of_the_row),
        SHOP_TEST(test_a_refused_upsert_changes_neither_row_nor_record),
        SHOP_TEST(test_a_record_is_read_by_a_unique_value),
        SHOP_TEST(test_values_that_cannot_be_looked_up_are_refused),
        SHOP_TEST(test_many_are_read_in_the_order_of_their_keys),
        SHOP_TEST(test_many_are_read_by_text_enums_and_composite_keys),
    };
    return cmocka_run_group_tests_name("upsert", tests, NULL, NULL);
}
