/* Typed queries that write: what they change, what they return, and that all of it is one write. */
#include "query_support.h"

#include <string.h>

static struct ask_change
change_of(int64_t id, const char *label, double weight)
{
    struct ask_change change = ASK_CHANGE_INIT;
    change.id = id;
    change.label = label;
    change.weight = weight;
    return change;
}

static double
weight_of(struct varve_session *session, int64_t id)
{
    struct ask_box *box;
    expect_ok(session, ask_box_get(session, id, &box));
    double weight = box->weight;
    ask_box_free(box);
    return weight;
}

static void
an_update_changes_its_rows_and_counts_them(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    int64_t id = add_box(session, "a", 1);
    struct ask_change change = change_of(id, "b", 4);
    expect_ok(session, ask_q_relabel(session, &change));
    assert_int_equal(varve_changes(session), 1);
    assert_true(weight_of(session, id) == 4);
    change.id = 99;
    expect_ok(session, ask_q_relabel(session, &change));
    assert_int_equal(varve_changes(session), 0);
}

static void
a_version_that_a_query_raises_makes_older_copies_stale(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_box *box;
    int64_t id = add_box(session, "a", 1);
    struct ask_change change = change_of(id, "b", 4);
    expect_ok(session, ask_box_get(session, id, &box));
    expect_ok(session, ask_q_relabel(session, &change));
    assert_int_equal(ask_box_update(session, box), VARVE_CONFLICT);
    ask_box_free(box);
}

static void
rows_that_a_write_returns_are_there_when_it_is_committed(void **state)
{
    struct asked *asked = *state;
    struct varve_session *session = asked->session;
    struct varve_session *other;
    struct varve_cursor *cursor;
    const struct ask_box *row;
    int64_t id = add_box(session, "a", 1);
    add_box(session, "b", 2);
    struct ask_change change = change_of(id, "a", 0.5);
    expect_ok(session, ask_q_heavier(session, &change, &cursor));
    assert_int_equal(varve_changes(session), 2);
    expect_ok(session, varve_session_open(asked->store, &other));
    assert_true(weight_of(other, id) == 1.5); /* committed, with the cursor open */
    varve_session_close(other);
    add_box(session, "c", 3); /* the cursor is in nobody's way */
    double sum = 0;
    int64_t count = 0;
    enum varve_status status;
    while ((status = ask_box_next(cursor, &row)) == VARVE_ROW) {
        sum += row->weight; /* 1.5 and 2.5 */
        count += row->version == 2;
    }
    assert_int_equal(status, VARVE_DONE);
    assert_true(sum == 4 && count == 2);
    varve_cursor_close(cursor);
}

static void
a_whole_number_that_returning_gives_is_a_double(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct varve_cursor *cursor;
    const struct ask_box *row;
    struct ask_change change = change_of(add_box(session, "a", 1), "a", 1);
    expect_ok(session, ask_q_heavier(session, &change, &cursor));
    assert_int_equal(ask_box_next(cursor, &row), VARVE_ROW);
    assert_true(row->weight == 2);
    varve_cursor_close(cursor);
}

static void
many_returned_rows_are_all_kept(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct varve_cursor *cursor;
    const struct ask_box *row;
    enum {
        COUNT = 1000
    };
    for (int i = 0; i < COUNT; i++) {
        char label[8] = {(char)('a' + i / 100), (char)('a' + i / 10 % 10), (char)('a' + i % 10)};
        add_box(session, label, i);
    }
    struct ask_change change = change_of(1, "", 1);
    bool seen[COUNT + 2] = {false};
    expect_ok(session, ask_q_heavier(session, &change, &cursor));
    while (ask_box_next(cursor, &row) == VARVE_ROW) {
        assert_true(row->weight >= 1 && row->weight <= COUNT && !seen[(int)row->weight]);
        seen[(int)row->weight] = true;
    }
    varve_cursor_close(cursor);
    for (int i = 1; i <= COUNT; i++)
        assert_true(seen[i]);
}

static void
a_write_of_one_row_gives_it(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_change change = change_of(0, "new", 1);
    struct ask_id *id;
    expect_ok(session, ask_q_put(session, &change, &id));
    int64_t first = id->id;
    ask_id_free(id);
    change.weight = 2;
    expect_ok(session, ask_q_put(session, &change, &id));
    assert_int_equal(id->id, first); /* updated in its place */
    ask_id_free(id);
    assert_true(weight_of(session, first) == 2);
}

static void
a_write_of_one_row_that_changes_none_is_not_found(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_id request = ASK_ID_INIT;
    struct ask_label *label;
    request.id = 5;
    assert_int_equal(ask_q_take(session, &request, &label), VARVE_NOT_FOUND);
    assert_null(label);
}

static void
a_write_of_one_row_that_gives_several_is_undone(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_id request = ASK_ID_INIT;
    struct ask_label *label;
    request.id = add_box(session, "a", 1);
    add_box(session, "b", 1);
    assert_int_equal(ask_q_take_one_from(session, &request, &label), VARVE_INVALID);
    assert_null(label);
    assert_int_equal(count_boxes(session), 2);
    expect_ok(session, varve_begin(session)); /* the same in a transaction, which goes on */
    add_box(session, "c", 1);
    assert_int_equal(ask_q_take_one_from(session, &request, &label), VARVE_INVALID);
    expect_ok(session, varve_commit(session));
    assert_int_equal(count_boxes(session), 3);
}

static void
a_constraint_is_told_with_its_field_and_nothing_is_changed(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    int64_t id = add_box(session, "a", 1);
    add_box(session, "b", 1);
    struct ask_change change = change_of(id, "b", 4);
    assert_int_equal(ask_q_relabel(session, &change), VARVE_CONFLICT);
    expect_error(session, "ask.Q.Relabel of ask.Box");
    assert_int_equal(varve_session_failure(session)->kind, VARVE_FAILURE_UNIQUE);
    assert_int_equal(varve_session_failure(session)->fields[0], ASK_BOX_FIELD_LABEL);
    change.label = "c";
    change.weight = -1;
    assert_int_equal(ask_q_relabel(session, &change), VARVE_INVALID);
    assert_int_equal(varve_session_failure(session)->kind, VARVE_FAILURE_CHECK);
    assert_true(weight_of(session, id) == 1);
}

static void
a_missing_reference_is_a_conflict(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_hops_request request = ASK_HOPS_REQUEST_INIT;
    request.from = 1;
    request.most = 2;
    assert_int_equal(ask_q_link(session, &request), VARVE_CONFLICT);
    assert_int_equal(varve_session_failure(session)->kind, VARVE_FAILURE_FOREIGN_KEY);
    expect_error(session, "ask.Q.Link: a record refers to one that is not there");
}

static void
cascades_of_a_query_are_not_counted(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_id request = ASK_ID_INIT;
    struct ask_label *label;
    struct ask_count *left;
    request.id = add_box(session, "a", 1);
    add_item(session, request.id, "x");
    add_item(session, request.id, "y");
    expect_ok(session, ask_q_take(session, &request, &label));
    assert_string_equal(label->label, "a");
    ask_label_free(label);
    assert_int_equal(varve_changes(session), 1);
    expect_ok(session, ask_q_count_items(session, &left));
    assert_int_equal(left->count, 0);
    ask_count_free(left);
}

static void
tensors_go_with_the_records_that_a_query_deletes(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_trace trace = ASK_TRACE_INIT;
    struct ask_id request = ASK_ID_INIT;
    struct ask_trace *read;
    struct varve_health_report health;
    float samples[] = {1, 2};
    request.id = add_box(session, "a", 1);
    trace.has_box_id = 1;
    trace.box_id = request.id;
    trace.size = 2;
    trace.samples.count = 2;
    trace.samples.data = samples;
    for (int i = 0; i < 2; i++) { /* one in a segment, one staged */
        trace.id = 0;
        expect_ok(session, ask_trace_insert(session, &trace));
        if (i == 0)
            expect_ok(session, varve_flush(((struct asked *)*state)->store));
    }
    expect_ok(session, ask_q_drop_traces(session, &request));
    assert_int_equal(varve_changes(session), 2);
    assert_int_equal(ask_trace_get(session, trace.id, &read), VARVE_NOT_FOUND);
    expect_ok(session, varve_maintain(((struct asked *)*state)->store, NULL));
    expect_ok(session, varve_health(((struct asked *)*state)->store, &health));
    assert_int_equal(health.archive.messages[0].staged, 0);
    assert_int_equal(health.archive.messages[0].segments, 0);
    varve_health_free(&health);
}

static void
a_rollback_undoes_a_query_and_ends_its_rows(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct varve_cursor *cursor;
    const struct ask_box *row;
    int64_t id = add_box(session, "a", 1);
    struct ask_change change = change_of(id, "a", 1);
    expect_ok(session, varve_begin(session));
    expect_ok(session, ask_q_heavier(session, &change, &cursor));
    expect_ok(session, varve_rollback(session));
    assert_int_equal(ask_box_next(cursor, &row), VARVE_MISUSE);
    assert_null(row);
    varve_cursor_close(cursor);
    assert_true(weight_of(session, id) == 1);
}

static void
writing_is_refused_where_other_writes_are(void **state)
{
    struct varve_session *session = ((struct asked *)*state)->session;
    struct ask_id request = ASK_ID_INIT;
    struct varve_cursor *cursor;
    int64_t id = add_box(session, "a", 1);
    struct ask_change change = change_of(id, "b", 1);
    expect_ok(session, varve_begin_read(session));
    assert_int_equal(ask_q_relabel(session, &change), VARVE_MISUSE);
    expect_error(session, "varve_begin_read()");
    expect_ok(session, varve_commit(session));
    request.id = id;
    expect_ok(session, ask_q_items_of(session, &request, &cursor));
    assert_int_equal(ask_q_relabel(session, &change), VARVE_MISUSE);
    expect_error(session, "cursor");
    varve_cursor_close(cursor);
    expect_ok(session, ask_q_relabel(session, &change));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_update_changes_its_rows_and_counts_them),
        TEST(a_version_that_a_query_raises_makes_older_copies_stale),
        TEST(rows_that_a_write_returns_are_there_when_it_is_committed),
        TEST(a_whole_number_that_returning_gives_is_a_double),
        TEST(many_returned_rows_are_all_kept),
        TEST(a_write_of_one_row_gives_it),
        TEST(a_write_of_one_row_that_changes_none_is_not_found),
        TEST(a_write_of_one_row_that_gives_several_is_undone),
        TEST(a_constraint_is_told_with_its_field_and_nothing_is_changed),
        TEST(a_missing_reference_is_a_conflict),
        TEST(cascades_of_a_query_are_not_counted),
        TEST(tensors_go_with_the_records_that_a_query_deletes),
        TEST(a_rollback_undoes_a_query_and_ends_its_rows),
        TEST(writing_is_refused_where_other_writes_are),
    };
    return cmocka_run_group_tests_name("typed queries that write", tests, NULL, NULL);
}
