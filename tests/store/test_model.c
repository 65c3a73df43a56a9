/* Random work on a store and on a club in memory (club.h): every call must answer what the club says,
 * and after each step both must hold the same records. A failure names the seed and the step;
 * VARVE_TEST_SEED and VARVE_TEST_STEPS repeat or lengthen a run. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "model_run.h"

enum {
    STEPS = 2500,
    MANY = 6, /* records of an insert_many, keys of a get_many */
};

#define FAIL(run, format, ...)                                                                     \
    fail_msg(                                                                                      \
        "seed %llu, step %llu: " format, (unsigned long long)(run)->seed,                          \
        (unsigned long long)(run)->step, __VA_ARGS__)

/* -------------------------------------------------------------------- opening */

static void
open_store(struct run *run)
{
    struct varve_config config = {
        .data_dir = run->folder, .durability = VARVE_DURABILITY_NORMAL, .cached_statements = 8};
    struct varve_error error;
    if (varve_open(&club_schema, &config, &run->store, &error) != VARVE_OK)
        FAIL(run, "%s", error.message);
    assert_int_equal(varve_session_open(run->store, &run->session), VARVE_OK);
}

/* Open transactions are rolled back. */
static void
close_session(struct run *run)
{
    varve_session_close(run->session);
    run->depth = 0;
}

static void
reopen(struct run *run)
{
    close_session(run);
    varve_close(run->store);
    open_store(run);
}

static void
renew_session(struct run *run)
{
    close_session(run);
    assert_int_equal(varve_session_open(run->store, &run->session), VARVE_OK);
}

/* -------------------------------------------------------------------- comparing */

/* The answer of a write and what it left in the record. */
static void
expect_answer(
    struct run *run, const char *what, enum varve_status status, struct club_answer expected)
{
    const struct varve_failure *failure = varve_session_failure(run->session);
    run->answers[expected.status]++;
    if (status != expected.status)
        FAIL(
            run, "%s answers %s (%s) instead of %s", what, varve_status_name(status),
            varve_session_error(run->session), varve_status_name(expected.status));
    if (status == VARVE_OK && varve_changes(run->session) != expected.changes)
        FAIL(
            run, "%s changed %lld instead of %lld", what, (long long)varve_changes(run->session),
            (long long)expected.changes);
    if (status == VARVE_OK)
        return;
    if (failure->kind != expected.kind || failure->index != expected.index)
        FAIL(
            run, "%s fails with %s at %lld instead of %s at %lld: %s", what,
            varve_failure_kind_name(failure->kind), (long long)failure->index,
            varve_failure_kind_name(expected.kind), (long long)expected.index,
            varve_session_error(run->session));
}

static void
print(enum club_kind kind, const void *record, char *text, size_t size)
{
    assert_int_equal(varve_record_print(club_table(kind), record, text, size), VARVE_OK);
}

static void
expect_record(struct run *run, enum club_kind kind, const void *record, const void *expected)
{
    char text[2][500];
    if (varve_record_equal(club_table(kind), record, expected))
        return;
    print(kind, record, text[0], sizeof text[0]);
    print(kind, expected, text[1], sizeof text[1]);
    FAIL(run, "%s instead of %s", text[0], text[1]);
}

static void
expect_found(struct run *run, enum club_kind kind, void *filter)
{
    struct model model = club_model(now(run), kind);
    size_t expected[CLUB_MOST];
    size_t count = model_find(&model, filter, expected);
    struct varve_cursor *cursor;
    const void *row;
    int64_t counted;
    assert_int_equal(varve_record_find(run->session, club_table(kind), filter, &cursor), VARVE_OK);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(varve_cursor_next(cursor, club_table(kind), &row), VARVE_ROW);
        expect_record(run, kind, row, model_record(&model, expected[i]));
    }
    assert_int_equal(varve_cursor_next(cursor, club_table(kind), &row), VARVE_DONE);
    varve_cursor_close(cursor);
    assert_int_equal(
        varve_record_count(run->session, club_table(kind), filter, &counted), VARVE_OK);
    assert_int_equal(counted, count);
}

static void
expect_same(struct run *run)
{
    struct filter all;
    memset(&all, 0, sizeof all);
    for (int kind = 0; kind < CLUB_KINDS; kind++)
        expect_found(run, (enum club_kind)kind, &all.any);
}

/* -------------------------------------------------------------------- steps */

static void
insert(struct run *run)
{
    union club_any record, expected;
    enum club_kind kind = some_kind(run);
    fill(run, kind, &record, random_one_in(&run->random, 3) ? some_id(run, kind) : 0);
    expected = record;
    struct club_answer answer = club_insert(now(run), kind, &expected);
    expect_answer(
        run, "insert", varve_record_insert(run->session, club_table(kind), &record), answer);
    if (answer.status == VARVE_OK)
        expect_record(run, kind, &record, &expected);
}

static void
insert_many(struct run *run)
{
    union club_any room[MANY], expected[MANY];
    enum club_kind kind = some_kind(run);
    size_t size = club_table(kind)->descriptor->sizeof_message;
    size_t count = random_below(&run->random, MANY + 1);
    bool mixed = random_one_in(&run->random, 3);
    for (size_t i = 0; i < count; i++) {
        int64_t id = mixed && random_one_in(&run->random, 2) ? some_id(run, kind) : 0;
        fill(run, kind, (char *)room + i * size, id);
    }
    memcpy(expected, room, sizeof room);
    struct club_answer answer = club_insert_many(now(run), kind, expected, count);
    enum varve_status status =
        varve_record_insert_many(run->session, club_table(kind), room, (int64_t)count);
    expect_answer(run, "insert_many", status, answer);
    for (size_t i = 0; i < count && answer.status == VARVE_OK; i++)
        expect_record(run, kind, (char *)room + i * size, (char *)expected + i * size);
}

static void
update(struct run *run)
{
    union club_any record;
    enum club_kind kind = some_kind(run);
    fill(run, kind, &record, some_id(run, kind));
    struct club_answer answer = club_update(now(run), kind, &record);
    expect_answer(
        run, "update", varve_record_update(run->session, club_table(kind), &record), answer);
}

static void
update_fields(struct run *run)
{
    union club_any record;
    uint32_t fields[CLUB_SECOND_REFERENCE + 1];
    size_t count = 0;
    enum club_kind kind = some_kind(run);
    fill(run, kind, &record, some_id(run, kind));
    for (uint32_t column = CLUB_NAME; column < club_column_count(kind); column++) {
        if (random_one_in(&run->random, 2))
            fields[count++] = column + 1;
    }
    if (count == 0)
        fields[count++] = CLUB_LEVEL + 1;
    struct club_answer answer = club_update_fields(now(run), kind, &record, fields, count);
    enum varve_status status =
        varve_record_update_fields(run->session, club_table(kind), &record, fields, (int64_t)count);
    expect_answer(run, "update_fields", status, answer);
}

static void
upsert(struct run *run)
{
    union club_any record, expected;
    enum varve_status status;
    enum club_kind kind = some_kind(run);
    uint32_t field = (uint32_t)random_below(&run->random, club_name_is_unique(kind) ? 3 : 2);
    fill(run, kind, &record, random_one_in(&run->random, 2) ? some_id(run, kind) : 0);
    expected = record;
    struct club_answer answer = club_upsert(now(run), kind, &expected, field);
    if (field == 0)
        status = varve_record_upsert(run->session, club_table(kind), &record);
    else
        status = varve_record_upsert_by(run->session, club_table(kind), &record, field);
    expect_answer(run, field == 0 ? "upsert" : "upsert_by", status, answer);
    if (answer.status == VARVE_OK)
        expect_record(run, kind, &record, &expected);
}

static void
delete_one(struct run *run)
{
    enum club_kind kind = some_kind(run);
    int64_t id = some_id(run, kind);
    const void *key[] = {&id};
    struct club_answer answer = club_delete(now(run), kind, id);
    expect_answer(run, "delete", varve_record_delete(run->session, club_table(kind), key), answer);
}

static void
delete_where(struct run *run)
{
    struct filter filter;
    enum club_kind kind = some_kind(run);
    fill_filter(run, kind, &filter);
    struct club_answer answer = club_delete_where(now(run), kind, &filter.any);
    enum varve_status status =
        varve_record_delete_where(run->session, club_table(kind), &filter.any);
    expect_answer(run, "delete_where", status, answer);
}

/* Makes room: the tables of a club are small. */
static void
delete_all(struct run *run)
{
    static const enum club_kind order[] = {CLUB_TASK, CLUB_MEMBER, CLUB_TEAM};
    for (size_t i = 0; i < CLUB_KINDS; i++) {
        struct filter all;
        memset(&all, 0, sizeof all);
        struct club_answer answer = club_delete_where(now(run), order[i], &all.any);
        enum varve_status status =
            varve_record_delete_where(run->session, club_table(order[i]), NULL);
        expect_answer(run, "delete_where", status, answer);
    }
}

static void
get(struct run *run)
{
    enum club_kind kind = some_kind(run);
    int64_t id = some_id(run, kind);
    const void *key[] = {&id};
    const void *expected = club_find_id(now(run), kind, id);
    void *record;
    enum varve_status status = varve_record_get(run->session, club_table(kind), key, &record);
    assert_int_equal(status, expected ? VARVE_OK : VARVE_NOT_FOUND);
    if (expected)
        expect_record(run, kind, record, expected);
    varve_record_free(record);
}

static void
get_by(struct run *run)
{
    enum club_kind kind = random_one_in(&run->random, 2) ? CLUB_TEAM : CLUB_MEMBER;
    const char *name = some_names[random_below(&run->random, NAMES)];
    const void *expected = club_find_name(now(run), kind, name);
    void *record;
    enum varve_status status =
        varve_record_get_by(run->session, club_table(kind), CLUB_NAME + 1, name, &record);
    assert_int_equal(status, expected ? VARVE_OK : VARVE_NOT_FOUND);
    if (expected)
        expect_record(run, kind, record, expected);
    varve_record_free(record);
}

static void
get_many(struct run *run)
{
    int64_t ids[MANY];
    void **records;
    enum club_kind kind = some_kind(run);
    size_t count = random_below(&run->random, MANY + 1);
    for (size_t i = 0; i < count; i++)
        ids[i] = some_id(run, kind);
    assert_int_equal(
        varve_record_get_many(run->session, club_table(kind), ids, (int64_t)count, &records),
        VARVE_OK);
    for (size_t i = 0; i < count; i++) {
        const void *expected = club_find_id(now(run), kind, ids[i]);
        assert_int_equal(!records[i], !expected);
        if (expected)
            expect_record(run, kind, records[i], expected);
    }
    varve_record_free_many(records);
}

static void
find(struct run *run)
{
    struct filter filter;
    enum club_kind kind = some_kind(run);
    fill_filter(run, kind, &filter);
    expect_found(run, kind, &filter.any);
}

static void
begin(struct run *run)
{
    if (run->depth == DEEPEST)
        return;
    assert_int_equal(varve_begin(run->session), VARVE_OK);
    run->clubs[run->depth + 1] = run->clubs[run->depth];
    run->depth++;
}

static void
commit(struct run *run)
{
    enum varve_status status = varve_commit(run->session);
    assert_int_equal(status, run->depth > 0 ? VARVE_OK : VARVE_MISUSE);
    if (run->depth == 0)
        return;
    run->clubs[run->depth - 1] = run->clubs[run->depth];
    run->depth--;
}

static void
roll_back(struct run *run)
{
    enum varve_status status = varve_rollback(run->session);
    assert_int_equal(status, run->depth > 0 ? VARVE_OK : VARVE_MISUSE);
    run->depth -= run->depth > 0;
}

/* -------------------------------------------------------------------- runs */

static void
step(struct run *run)
{
    static void (*const steps[])(struct run *) = {
        insert,   insert, insert,     insert_many,  update,    update_fields,
        upsert,   upsert, delete_one, delete_where, get,       get_by,
        get_many, find,   begin,      commit,       roll_back,
    };
    bool is_full = false;
    for (int kind = 0; kind < CLUB_KINDS; kind++)
        is_full |= now(run)->count[kind] > CLUB_MOST - MANY;
    if (is_full)
        delete_all(run);
    else if (random_one_in(&run->random, 200))
        reopen(run);
    else if (random_one_in(&run->random, 100))
        renew_session(run);
    else
        steps[random_below(&run->random, sizeof steps / sizeof *steps)](run);
    expect_same(run);
}

static void
remove_store(const char *folder)
{
    static const char *const files[] = {
        "/varve.db", "/varve.db-wal", "/varve.db-shm", "/varve.lock", ""};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[96];
        snprintf(path, sizeof path, "%s%s", folder, files[i]);
        remove(path);
    }
}

/* A run in which hardly anything succeeds, or fails, proves little. */
static void
expect_variety(const struct run *run)
{
    static const enum varve_status all[] = {
        VARVE_OK, VARVE_NOT_FOUND, VARVE_CONFLICT, VARVE_INVALID};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        print_message(
            " %s %llu", varve_status_name(all[i]), (unsigned long long)run->answers[all[i]]);
        assert_true(run->answers[all[i]] >= run->step / 100);
    }
    print_message("\n");
}

static void
run_seed(uint64_t seed)
{
    struct run *run = calloc(1, sizeof *run);
    uint64_t steps = number_from_env("VARVE_TEST_STEPS", STEPS);
    run->seed = seed;
    run->random.state = seed;
    print_message("seed %llu, %llu steps:", (unsigned long long)seed, (unsigned long long)steps);
    snprintf(run->folder, sizeof run->folder, "/tmp/varve-test-XXXXXX");
    assert_non_null(mkdtemp(run->folder));
    open_store(run);
    for (run->step = 0; run->step < steps; run->step++)
        step(run);
    expect_variety(run);
    close_session(run);
    varve_close(run->store);
    remove_store(run->folder);
    free(run);
}

static void
test_a_store_does_what_the_model_says(void **state)
{
    (void)state;
    uint64_t seed = number_from_env("VARVE_TEST_SEED", 0);
    if (seed != 0) {
        run_seed(seed);
        return;
    }
    for (seed = 1; seed <= 4; seed++)
        run_seed(seed);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_store_does_what_the_model_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
