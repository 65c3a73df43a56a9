/* What keeps records from being deleted, and how it is told. */
#include "shop_support.h"

static struct varve_session *
session_of(void **state)
{
    return ((struct shop *)*state)->session;
}

static int64_t
add_node(struct varve_session *session, const char *name)
{
    struct shop_node node = SHOP_NODE_INIT;
    node.name = name;
    expect_ok(session, shop_node_insert(session, &node));
    return node.id;
}

static int64_t
add_leaf(struct varve_session *session, int64_t node_id, const char *node_name)
{
    struct shop_leaf leaf = SHOP_LEAF_INIT;
    leaf.node_id = node_id;
    leaf.node_name = node_name;
    expect_ok(session, shop_leaf_insert(session, &leaf));
    return leaf.id;
}

/* -------------------------------------------------------------------- by key */

static void
test_of_a_composite_key_the_child_is_named_that_refers(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_stand stand = SHOP_STAND_INIT;
    struct shop_pin pin = SHOP_PIN_INIT;
    stand.hall = "north";
    for (stand.row = 1; stand.row <= 3; stand.row++) {
        stand.number = 10 * stand.row;
        expect_ok(session, shop_stand_insert(session, &stand));
    }
    pin.has_first_stand = pin.has_last_stand = 1;
    pin.first_stand = 10;
    pin.last_stand = 30;
    expect_ok(session, shop_pin_insert(session, &pin));
    assert_int_equal(shop_stand_delete(session, "north", 3), VARVE_CONFLICT);
    expect_failure(
        session, VARVE_FAILURE_FOREIGN_KEY, 0,
        "the shop.Stand with hall \"north\", row 3 is still referred to by shop.Pin.last_stand");
    assert_int_equal(shop_stand_delete(session, "north", 1), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, 0, "shop.Pin.first_stand");
    expect_ok(session, shop_stand_delete(session, "north", 2));
}

static void
test_what_is_deleted_too_keeps_nothing(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_node loop = SHOP_NODE_INIT;
    struct shop_pin pin = SHOP_PIN_INIT;
    pin.node_id = add_node(session, "n");
    pin.has_node_id = 1;
    add_leaf(session, pin.node_id, "n");
    expect_ok(session, shop_pin_insert(session, &pin));
    assert_int_equal(shop_node_delete(session, pin.node_id), VARVE_CONFLICT);
    expect_failure(
        session, VARVE_FAILURE_FOREIGN_KEY, 0,
        "the shop.Node with id 1 is still referred to by shop.Pin.node_id");
    expect_ok(session, shop_pin_delete(session, pin.id));
    expect_ok(session, shop_node_delete(session, pin.node_id));
    loop.name = loop.above = "loop"; /* refers to itself */
    expect_ok(session, shop_node_insert(session, &loop));
    pin.id = 0;
    pin.node_id = loop.id;
    expect_ok(session, shop_pin_insert(session, &pin));
    assert_int_equal(shop_node_delete(session, loop.id), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, 0, "shop.Pin.node_id");
    expect_ok(session, shop_pin_delete(session, pin.id));
    expect_ok(session, shop_node_delete(session, loop.id));
}

static void
test_of_a_cascade_the_record_is_named_that_is_kept(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_pin pin = SHOP_PIN_INIT;
    int64_t node = add_node(session, "n");
    add_leaf(session, node, NULL);
    pin.has_leaf_id = 1;
    pin.leaf_id = add_leaf(session, node, "n");
    expect_ok(session, shop_pin_insert(session, &pin));
    assert_int_equal(shop_node_delete(session, node), VARVE_CONFLICT);
    expect_failure(
        session, VARVE_FAILURE_FOREIGN_KEY, 0,
        "the shop.Leaf with id 2, which would be deleted with its shop.Node (on_delete CASCADE), "
        "is "
        "still referred to by shop.Pin.leaf_id; delete or change");
    assert_int_equal(query_int64(session, "SELECT count(*) FROM leaf"), 2);
}

/* -------------------------------------------------------------------- by filter */

static void
test_of_many_the_record_is_named_that_is_kept(void **state)
{
    struct varve_session *session = session_of(state);
    static const char *const names[] = {"b", "c", "d"};
    struct shop_seal seal = SHOP_SEAL_INIT;
    for (size_t i = 0; i < 3; i++)
        add_maker(session, names[i]);
    seal.maker_name = "c";
    expect_ok(session, shop_seal_insert(session, &seal));
    const struct shop_maker_filter filters[] = {
        {.name = varve_text_in(names, 3)},
        {.name = varve_text_at_least("a"), .id = varve_int64_between(1, 2)},
        {.name = varve_text_prefix("c")},
        {.order_by = SHOP_MAKER_FIELD_NAME, .descending = true, .offset = 1, .limit = 1},
    };
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        assert_int_equal(shop_maker_delete_where(session, &filters[i]), VARVE_CONFLICT);
        expect_failure(
            session, VARVE_FAILURE_FOREIGN_KEY, 0,
            "the shop.Maker with id 2 is still referred to by shop.Seal.maker_name; delete or");
    }
    assert_int_equal(shop_maker_delete_where(session, NULL), VARVE_CONFLICT);
    expect_failure(session, VARVE_FAILURE_FOREIGN_KEY, 0, "shop.Seal.maker_name");
    assert_int_equal(query_int64(session, "SELECT count(*) FROM maker"), 3);
}

static void
test_of_many_those_that_go_keep_nothing(void **state)
{
    struct varve_session *session = session_of(state);
    struct shop_node nodes[] = {SHOP_NODE_INIT, SHOP_NODE_INIT, SHOP_NODE_INIT};
    nodes[0].name = "a";
    nodes[1].above = nodes[2].above = "a"; /* the second goes, the third stays */
    expect_ok(session, shop_node_insert_many(session, nodes, 3));
    add_leaf(session, 1, "a");
    struct shop_node_filter filter = {.id = varve_int64_at_most(2)};
    assert_int_equal(shop_node_delete_where(session, &filter), VARVE_CONFLICT);
    expect_failure(
        session, VARVE_FAILURE_FOREIGN_KEY, 0,
        "the shop.Node with id 1 is still referred to by shop.Node.above");
    expect_ok(session, shop_node_delete(session, 3));
    expect_ok(session, shop_node_delete_where(session, &filter));
    assert_int_equal(query_int64(session, "SELECT count(*) FROM leaf"), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_of_a_composite_key_the_child_is_named_that_refers),
        SHOP_TEST(test_what_is_deleted_too_keeps_nothing),
        SHOP_TEST(test_of_a_cascade_the_record_is_named_that_is_kept),
        SHOP_TEST(test_of_many_the_record_is_named_that_is_kept),
        SHOP_TEST(test_of_many_those_that_go_keep_nothing),
    };
    return cmocka_run_group_tests_name("delete", tests, NULL, NULL);
}
