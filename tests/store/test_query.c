/* Typed queries that read: every type of column and parameter, NULLs, rows and single rows. */
#include "query_support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Items that have all values, and none. */
static void
fill_item(struct ask_item *item, int64_t box)
{
    static uint8_t data[] = {1, 0, 255};
    static int64_t numbers[] = {INT64_MIN, 0, INT64_MAX};
    static const char *words[] = {"a", "", "\xc3\xa9"};
    static struct ask_item_part part = ASK_ITEM_PART_INIT;
    static struct ask_item_part *parts[] = {&part, &part};
    static struct ask_item_scores_entry entry = ASK_ITEM_SCORES_ENTRY_INIT;
    static struct ask_item_scores_entry *entries[] = {&entry};
    part.name = "leg";
    part.count = 4;
    entry.key = "speed";
    entry.value = 0.25;
    item->box_id = box;
    item->i32 = INT32_MIN;
    item->s64 = INT64_MIN;
    item->u32 = UINT32_MAX;
    item->u64 = INT64_MAX;
    item->bits = UINT64_MAX;
    item->flag = 1;
    item->single = 0.1f;
    item->real = 1e300;
    item->text = "it's \"quoted\" \xf0\x9f\xa7\xa0";
    item->data = (struct varve_bytes){sizeof data, data};
    item->kind = ASK_ITEM_FLAT;
    item->has_maybe = 1;
    item->maybe = 7;
    item->remark = "";
    item->has_blob = 1;
    item->blob = (struct varve_bytes){sizeof data, data};
    item->numbers.count = 3;
    item->numbers.data = numbers;
    item->words.count = 3;
    item->words.data = words;
    item->scores.count = 1;
    item->scores.data = entries;
    item->part = &part;
    item->parts.count = 2;
    item->parts.data = parts;
    item->has_open = 1;
    item->open = 0;
}

static void
every_type_of_column_comes_back_as_it_was_stored(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_item full = ASK_ITEM_INIT;
    struct ask_item empty = ASK_ITEM_INIT;
    struct ask_id request = ASK_ID_INIT;
    const struct ask_item *row;
    struct varve_cursor *cursor;
    request.id = add_box(session, "box", 1);
    fill_item(&full, request.id);
    empty.box_id = request.id;
    expect_ok(session, ask_item_insert(session, &full));
    expect_ok(session, ask_item_insert(session, &empty));
    expect_ok(session, ask_q_items_of(session, &request, &cursor));
    assert_int_equal(ask_item_next(cursor, &row), VARVE_ROW);
    assert_true(ask_item_equal(row, &full));
    assert_int_equal(ask_item_next(cursor, &row), VARVE_ROW);
    assert_true(ask_item_equal(row, &empty));
    assert_null(row->remark);
    assert_int_equal(row->has_maybe, 0);
    assert_int_equal(ask_item_next(cursor, &row), VARVE_DONE);
    assert_int_equal(ask_item_next(cursor, &row), VARVE_DONE);
    varve_cursor_close(cursor);
}

static void
a_single_row_is_a_record_of_its_own_whatever_the_order_of_its_columns(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_label request = ASK_LABEL_INIT;
    struct ask_box *box;
    int64_t id = add_box(session, "second", 2.5);
    request.label = "second";
    expect_ok(session, ask_q_box_of(session, &request, &box));
    assert_int_equal(box->id, id);
    assert_string_equal(box->label, "second");
    assert_int_equal(box->version, 1);
    assert_true(box->weight == 2.5);
    box->weight = 3;
    expect_ok(session, ask_box_update(session, box));
    ask_box_free(box);
}

static void
a_query_of_one_row_that_finds_none_is_not_found(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_label request = ASK_LABEL_INIT;
    struct ask_box *box = (struct ask_box *)1;
    request.label = "none";
    assert_int_equal(ask_q_box_of(session, &request, &box), VARVE_NOT_FOUND);
    assert_null(box);
    expect_error(session, "ask.Q.BoxOf gives no row");
}

static void
a_query_of_one_row_that_finds_several_is_invalid(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_label request = ASK_LABEL_INIT;
    struct ask_box *box = (struct ask_box *)1;
    add_box(session, "a", 1);
    add_box(session, "b", 1);
    assert_int_equal(ask_q_box_like(session, &request, &box), VARVE_INVALID);
    assert_null(box);
    expect_error(session, "several rows");
    request.label = "b";
    expect_ok(session, ask_q_box_like(session, &request, &box));
    assert_string_equal(box->label, "b");
    ask_box_free(box);
}

static void
parameters_keep_their_values(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_everything request = ASK_EVERYTHING_INIT;
    struct ask_everything *echo;
    uint8_t bytes[] = {0, 1};
    request.has_i = request.has_d = request.has_b = request.has_f = request.has_bits = 1;
    request.has_kind = 1;
    request.i = INT64_MIN;
    request.d = -INFINITY;
    request.s = "";
    request.b = (struct varve_bytes){2, bytes};
    request.f = 7;
    request.bits = UINT64_MAX - 1;
    request.kind = (enum ask_item_kind)77;
    expect_ok(session, ask_q_echo(session, &request, &echo));
    request.f = 1;
    assert_true(ask_everything_equal(echo, &request));
    ask_everything_free(echo);
}

static void
absent_parameters_are_null_and_null_is_absent(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_everything request = ASK_EVERYTHING_INIT;
    struct ask_everything *echo;
    expect_ok(session, ask_q_echo(session, &request, &echo));
    assert_true(ask_everything_equal(echo, &request));
    assert_null(echo->s);
    ask_everything_free(echo);
}

static void
expect_element(
    struct varve_cursor *cursor,
    const char *list,
    int64_t place,
    const char *type,
    const char *value)
{
    const struct ask_element *row;
    assert_int_equal(ask_element_next(cursor, &row), VARVE_ROW);
    assert_string_equal(row->list, list);
    assert_int_equal(row->place, place);
    assert_string_equal(row->type, type);
    assert_string_equal(row->value, value);
}

static void
repeated_parameters_are_json_of_numbers(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_lists request = ASK_LISTS_INIT;
    const struct ask_element *row;
    struct varve_cursor *cursor;
    int64_t integers[] = {INT64_MIN, INT64_MAX};
    uint64_t bits[] = {UINT64_MAX};
    double reals[] = {1, -INFINITY};
    const char *texts[] = {"\"\\\n", ""};
    protobuf_c_boolean flags[] = {0, 5};
    request.integers.count = 2;
    request.integers.data = integers;
    request.bits.count = 1;
    request.bits.data = bits;
    request.reals.count = 2;
    request.reals.data = reals;
    request.texts.count = 2;
    request.texts.data = texts;
    request.flags.count = 2;
    request.flags.data = flags;
    expect_ok(session, ask_q_elements(session, &request, &cursor));
    expect_element(cursor, "integers", 0, "integer", "-9223372036854775808");
    expect_element(cursor, "integers", 1, "integer", "9223372036854775807");
    expect_element(cursor, "bits", 0, "integer", "-1");
    expect_element(cursor, "reals", 0, "real", "1.0");
    expect_element(cursor, "reals", 1, "real", "-Inf");
    expect_element(cursor, "texts", 0, "text", "\"\\\n");
    expect_element(cursor, "texts", 1, "text", "");
    expect_element(cursor, "flags", 0, "integer", "0");
    expect_element(cursor, "flags", 1, "integer", "1");
    assert_int_equal(ask_element_next(cursor, &row), VARVE_DONE);
    varve_cursor_close(cursor);
}

static void
a_repeated_parameter_finds_stored_values(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_item item = ASK_ITEM_INIT;
    struct ask_lists request = ASK_LISTS_INIT;
    struct varve_cursor *cursor;
    const struct ask_item *row;
    uint64_t wanted[] = {UINT64_MAX, 3};
    item.box_id = add_box(session, "box", 1);
    item.bits = UINT64_MAX;
    expect_ok(session, ask_item_insert(session, &item));
    request.bits.count = 2;
    request.bits.data = wanted;
    expect_ok(session, ask_q_by_bits(session, &request, &cursor));
    assert_int_equal(ask_item_next(cursor, &row), VARVE_ROW);
    assert_int_equal(row->id, item.id);
    assert_int_equal(ask_item_next(cursor, &row), VARVE_DONE);
    varve_cursor_close(cursor);
}

static void
aggregates_of_empty_tables(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_count *count;
    struct ask_weight *weight;
    expect_ok(session, ask_q_count_items(session, &count));
    assert_int_equal(count->count, 0);
    ask_count_free(count);
    expect_ok(session, ask_q_weight_of_all(session, &weight));
    assert_int_equal(weight->has_total, 0);
    ask_weight_free(weight);
    add_box(session, "box", 2);
    expect_ok(session, ask_q_weight_of_all(session, &weight));
    assert_true(weight->has_total && weight->total == 2);
    ask_weight_free(weight);
}

static void
a_row_without_partner_in_an_outer_join_is_absent(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct varve_cursor *cursor;
    const struct ask_named *row;
    int64_t full = add_box(session, "full", 1);
    add_box(session, "empty", 1);
    int64_t item = add_item(session, full, "item");
    expect_ok(session, ask_q_boxes_and_items(session, &cursor));
    assert_int_equal(ask_named_next(cursor, &row), VARVE_ROW);
    assert_true(row->has_item && row->item == item);
    assert_int_equal(ask_named_next(cursor, &row), VARVE_ROW);
    assert_string_equal(row->label, "empty");
    assert_int_equal(row->has_item, 0);
    varve_cursor_close(cursor);
}

static void
a_recursive_query_walks_references_once(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_hops_request request = ASK_HOPS_REQUEST_INIT;
    struct varve_cursor *cursor;
    const struct ask_hop *row;
    int64_t box[4];
    for (int i = 0; i < 4; i++) {
        char label[] = {(char)('a' + i), 0};
        box[i] = add_box(session, label, 1);
    }
    for (int i = 0; i < 4; i++) { /* a circle */
        request.from = box[i];
        request.most = box[(i + 1) % 4];
        expect_ok(session, ask_q_link(session, &request));
    }
    request.from = box[0];
    request.most = 2;
    expect_ok(session, ask_q_hops(session, &request, &cursor));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask_hop_next(cursor, &row), VARVE_ROW);
        assert_int_equal(row->id, box[i]);
        assert_int_equal(row->distance, i);
    }
    assert_int_equal(ask_hop_next(cursor, &row), VARVE_DONE);
    varve_cursor_close(cursor);
}

static void
json_that_sql_made_goes_into_repeated_fields(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_item item = ASK_ITEM_INIT;
    struct ask_id request = ASK_ID_INIT;
    struct ask_lists *lists;
    request.id = item.box_id = add_box(session, "box", 1);
    for (int i = 0; i < 2; i++) {
        item.id = 0;
        item.s64 = i ? INT64_MAX : INT64_MIN;
        item.bits = 5;
        item.real = i;
        item.text = "x\n";
        expect_ok(session, ask_item_insert(session, &item));
    }
    expect_ok(session, ask_q_join(session, &request, &lists));
    assert_int_equal(lists->integers.count, 2);
    assert_true(lists->integers.data[0] == INT64_MIN && lists->integers.data[1] == INT64_MAX);
    assert_int_equal(lists->bits.data[1], 5);
    assert_true(lists->reals.data[1] == 1);
    assert_string_equal(lists->texts.data[1], "x\n");
    assert_true(lists->flags.count == 2 && lists->flags.data[0] && !lists->flags.data[1]);
    assert_int_equal(lists->naturals.count, 0);
    ask_lists_free(lists);
}

static void
rows_with_tensors_say_that_these_are_not_loaded(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_trace trace = ASK_TRACE_INIT;
    struct ask_id request = ASK_ID_INIT;
    struct varve_cursor *cursor;
    const struct ask_trace *row;
    float samples[] = {1, 2, 3};
    request.id = add_box(session, "box", 1);
    trace.has_box_id = 1;
    trace.box_id = request.id;
    trace.size = 3;
    trace.samples.count = 3;
    trace.samples.data = samples;
    expect_ok(session, ask_trace_insert(session, &trace));
    expect_ok(session, varve_begin(session));
    expect_ok(session, ask_q_traces_of(session, &request, &cursor));
    assert_int_equal(ask_trace_next(cursor, &row), VARVE_ROW);
    assert_int_equal(row->samples.count, 3);
    assert_null(row->samples.data);
    struct ask_trace *copy;
    expect_ok(session, ask_trace_clone(row, &copy));
    varve_cursor_close(cursor);
    expect_ok(session, ask_trace_update(session, copy)); /* keeps them */
    expect_ok(session, varve_commit(session));
    ask_trace_free(copy);
    expect_ok(session, ask_trace_get(session, trace.id, &copy));
    assert_true(copy->samples.data[2] == 3);
    ask_trace_free(copy);
}

static void
a_query_can_be_open_several_times_at_once(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_id request = ASK_ID_INIT;
    struct varve_cursor *cursors[3];
    const struct ask_item *row;
    int64_t boxes[] = {
        add_box(session, "a", 1), add_box(session, "b", 1), add_box(session, "c", 1)};
    for (int i = 0; i < 3; i++) {
        char text[] = {(char)('x' + i), 0};
        add_item(session, boxes[i], text);
        add_item(session, boxes[i], text);
    }
    for (int i = 0; i < 3; i++) {
        request.id = boxes[i];
        expect_ok(session, ask_q_items_of(session, &request, &cursors[i]));
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3; i++) {
            assert_int_equal(ask_item_next(cursors[i], &row), VARVE_ROW);
            assert_int_equal(row->text[0], 'x' + i);
        }
    }
    for (int i = 0; i < 3; i++)
        varve_cursor_close(cursors[i]);
    expect_ok(session, ask_q_items_of(session, &request, &cursors[0]));
    varve_session_close(session); /* first the session, then its cursor */
    varve_cursor_close(cursors[0]);
    ((struct asked *)*state)->session = NULL;
}

static void
the_request_may_go_when_the_call_has_returned(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_lists request = ASK_LISTS_INIT;
    struct varve_cursor *cursor;
    char text[] = "before";
    const char *texts[] = {text};
    request.texts.count = 1;
    request.texts.data = texts;
    expect_ok(session, ask_q_elements(session, &request, &cursor));
    memset(text, 'x', sizeof text - 1);
    struct ask_count *count; /* other parameters take the same memory */
    expect_ok(session, ask_q_count_items(session, &count));
    ask_count_free(count);
    expect_element(cursor, "texts", 0, "text", "before");
    varve_cursor_close(cursor);
}

static void
keep_text(void *context, enum varve_log_level level, enum varve_tier tier, const char *message)
{
    (void)tier;
    if (level == VARVE_LOG_WARNING)
        snprintf(context, 1000, "%s", message);
}

static void
queries_are_counted_and_slow_ones_told_without_their_values(void **state)
{
    struct asked *asked = *state;
    char text[1000] = "";
    struct ask_id request = ASK_ID_INIT;
    struct ask_label label = ASK_LABEL_INIT;
    struct varve_cursor *cursor;
    const struct ask_item *row;
    struct ask_box *box;
    struct varve_health_report health;
    asked_open_with(
        asked,
        (struct varve_config){
            .data_dir = ":memory:", .slow_call_us = 1, .log = keep_text, .log_context = text});
    label.label = "a secret";
    for (int i = 0; i < 2; i++) /* the first looks at the schema, too */
        assert_int_equal(ask_q_box_of(asked->session, &label, &box), VARVE_NOT_FOUND);
    assert_non_null(strstr(text, "slow call: query of ask.Box took "));
    assert_non_null(strstr(text, "FROM box WHERE label = :label"));
    assert_null(strstr(text, "secret"));
    request.id = add_box(asked->session, "box", 1);
    add_item(asked->session, request.id, "item");
    expect_ok(asked->session, ask_q_items_of(asked->session, &request, &cursor));
    while (ask_item_next(cursor, &row) == VARVE_ROW) {
    }
    varve_cursor_close(cursor);
    assert_non_null(strstr(text, "slow call: query of ask.Item took "));
    assert_non_null(strstr(text, "1 row"));
    assert_int_equal(ask_q_box_like(asked->session, NULL, &box), VARVE_MISUSE);
    assert_int_equal(varve_health(asked->store, &health), VARVE_OK);
    assert_int_equal(health.latency[VARVE_OPERATION_QUERY].count, 4);
    assert_int_equal(health.latency[VARVE_OPERATION_QUERY].failures, 1);
    assert_int_equal(health.table.open_cursors, 0);
    varve_health_free(&health);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_type_of_column_comes_back_as_it_was_stored),
        TEST(a_single_row_is_a_record_of_its_own_whatever_the_order_of_its_columns),
        TEST(a_query_of_one_row_that_finds_none_is_not_found),
        TEST(a_query_of_one_row_that_finds_several_is_invalid),
        TEST(parameters_keep_their_values),
        TEST(absent_parameters_are_null_and_null_is_absent),
        TEST(repeated_parameters_are_json_of_numbers),
        TEST(a_repeated_parameter_finds_stored_values),
        TEST(aggregates_of_empty_tables),
        TEST(a_row_without_partner_in_an_outer_join_is_absent),
        TEST(a_recursive_query_walks_references_once),
        TEST(json_that_sql_made_goes_into_repeated_fields),
        TEST(rows_with_tensors_say_that_these_are_not_loaded),
        TEST(a_query_can_be_open_several_times_at_once),
        TEST(the_request_may_go_when_the_call_has_returned),
        TEST(queries_are_counted_and_slow_ones_told_without_their_values),
    };
    return cmocka_run_group_tests_name("typed queries that read", tests, NULL, NULL);
}
