/* The fields of newer schemas in records that are written over. */
#include "shop_support.h"

static struct varve_session *
session_of(void **state)
{
    return ((struct shop *)*state)->session;
}

/* A maker as a newer program sends it, with this city. */
static struct shop_maker *
from_newer(const char *city)
{
    static int32_t awards[] = {1999, 2001};
    struct shop_newer_maker newer = SHOP_NEWER_MAKER_INIT;
    struct varve_bytes bytes;
    struct shop_maker *maker;
    newer.name = "newer";
    newer.city = city;
    newer.awards = (struct varve_int32s){2, awards};
    assert_int_equal(shop_newer_maker_pack(&newer, &bytes), VARVE_OK);
    assert_int_equal(shop_maker_unpack(bytes.data, bytes.size, &maker), VARVE_OK);
    varve_bytes_free(&bytes);
    return maker;
}

/* What a newer program reads from the stored maker: its city, and how many awards. */
static void
expect_newer(struct varve_session *session, int64_t id, const char *city, size_t awards)
{
    struct shop_maker *maker;
    struct shop_newer_maker *newer;
    struct varve_bytes bytes;
    expect_ok(session, shop_maker_get(session, id, &maker));
    assert_int_equal(shop_maker_pack(maker, &bytes), VARVE_OK);
    assert_int_equal(shop_newer_maker_unpack(bytes.data, bytes.size, &newer), VARVE_OK);
    assert_string_equal(newer->city, city);
    assert_int_equal(newer->awards.count, awards);
    shop_newer_maker_free(newer);
    varve_bytes_free(&bytes);
    shop_maker_free(maker);
}

static void
test_unknown_fields_stay_when_a_record_without_them_is_written(void **state)
{
    struct varve_session *session = session_of(state);
    enum shop_maker_field fields[] = {SHOP_MAKER_FIELD_FOUNDED};
    struct shop_maker *maker = from_newer("Jena");
    struct varve_cursor *cursor;
    const struct shop_maker *row;
    expect_ok(session, shop_maker_insert(session, maker));
    expect_ok(session, shop_maker_find(session, NULL, &cursor));
    assert_int_equal(shop_maker_next(cursor, &row), VARVE_ROW);
    assert_int_equal(row->base.n_unknown_fields, 0);
    struct shop_maker own = *row;
    own.name = "renamed";
    varve_cursor_close(cursor);
    expect_ok(session, shop_maker_update(session, &own));
    expect_newer(session, maker->id, "Jena", 2);
    expect_ok(session, shop_maker_update_fields(session, &own, fields, 1));
    expect_ok(session, shop_maker_upsert(session, &own));
    expect_newer(session, maker->id, "Jena", 2);
    shop_maker_free(maker);
}

static void
test_unknown_fields_of_a_record_replace_those_of_their_number(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_maker *first = from_newer("Jena");
    struct shop_maker *second = from_newer("Wetzlar");
    expect_ok(session, shop_maker_insert(session, first));
    second->id = first->id;
    expect_ok(session, shop_maker_update(session, second));
    expect_newer(session, first->id, "Wetzlar", 2);
    expect_ok(session, shop_maker_upsert(session, first));
    expect_newer(session, first->id, "Jena", 2);
    shop_maker_free(first);
    shop_maker_free(second);
}

static void
test_unknown_fields_are_dropped_only_after_they_were_cleared(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_maker *maker = from_newer("Jena");
    expect_ok(session, shop_maker_insert(session, maker));
    shop_maker_clear_unknown(maker);
    expect_newer(session, maker->id, "Jena", 2);
    expect_ok(session, shop_maker_update(session, maker));
    expect_newer(session, maker->id, "", 0);
    assert_string_equal(query_text(session, "SELECT varve_unknown FROM maker"), "NULL");
    shop_maker_free(maker);
    maker = from_newer("Wetzlar");
    expect_ok(session, shop_maker_upsert(session, maker)); /* by name */
    expect_newer(session, maker->id, "Wetzlar", 2);
    shop_maker_clear_unknown(maker);
    expect_ok(session, shop_maker_upsert(session, maker));
    expect_newer(session, maker->id, "", 0);
    maker->name = "cleared and new";
    maker->id = 0;
    expect_ok(session, shop_maker_insert(session, maker));
    expect_newer(session, maker->id, "", 0);
    shop_maker_free(maker);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_unknown_fields_stay_when_a_record_without_them_is_written),
        SHOP_TEST(test_unknown_fields_of_a_record_replace_those_of_their_number),
        SHOP_TEST(test_unknown_fields_are_dropped_only_after_they_were_cleared),
    };
    return cmocka_run_group_tests_name("unknown_fields", tests, NULL, NULL);
}
