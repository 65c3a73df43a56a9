#define _XOPEN_SOURCE 700 /* mkdtemp, popen */
/* A damaged segment is no reason to leave all others as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include <lab_tensors.varve.h>
#include <varve/health.h>

enum {
    SIDE = 64,
    CELLS = SIDE * SIDE,
    BATCH = 6, /* matrices of a segment */
    BATCHES = 3
};

struct lab {
    char folder[64];
    struct varve_store *store;
    struct varve_session *session;
    double cells[CELLS];
};

static void
must(const struct lab *lab, enum varve_status status)
{
    if (status != VARVE_OK)
        fail_msg("%s: %s", varve_status_name(status), varve_session_error(lab->session));
}

static void
open_lab(struct lab *lab)
{
    struct varve_error error;
    const struct varve_config config = {.data_dir = lab->folder, .stage_max_bytes = -1};
    if (varve_open(&lab_tensors_schema, &config, &lab->store, &error) != VARVE_OK)
        fail_msg("%s", error.message);
    must(lab, varve_session_open(lab->store, &lab->session));
}

static void
close_lab(const struct lab *lab)
{
    varve_session_close(lab->session);
    varve_close(lab->store);
}

static int
set_up(void **state)
{
    struct lab *lab = calloc(1, sizeof *lab);
    assert_non_null(lab);
    strcpy(lab->folder, "/tmp/varve-compact-XXXXXX");
    assert_non_null(mkdtemp(lab->folder));
    open_lab(lab);
    *state = lab;
    return 0;
}

static int
tear_down(void **state)
{
    char command[100];
    struct lab *lab = *state;
    close_lab(lab);
    snprintf(command, sizeof command, "rm -r %s", lab->folder);
    int code = system(command);
    free(lab);
    return code;
}

static void
fill(struct lab *lab, int64_t id)
{
    for (size_t i = 0; i < CELLS; i++)
        lab->cells[i] = (double)(id * 1000 + (int64_t)(i % 777));
}

/* A segment for each batch, ids from 1 on. */
static void
insert_batches(struct lab *lab)
{
    static double cells[BATCH][CELLS];
    for (int64_t batch = 0; batch < BATCHES; batch++) {
        struct lab_tensors_matrix matrices[BATCH];
        for (int64_t i = 0; i < BATCH; i++) {
            fill(lab, batch * BATCH + i + 1);
            memcpy(cells[i], lab->cells, sizeof lab->cells);
            matrices[i] = (struct lab_tensors_matrix)LAB_TENSORS_MATRIX_INIT;
            matrices[i].rows = matrices[i].columns = SIDE;
            matrices[i].cells = (struct varve_doubles){CELLS, cells[i]};
        }
        must(lab, lab_tensors_matrix_insert_many(lab->session, matrices, BATCH));
    }
}

/* All but the last of each batch. */
static void
delete_most(struct lab *lab)
{
    for (int64_t id = 1; id <= BATCH * BATCHES; id++) {
        if (id % BATCH != 0)
            must(lab, lab_tensors_matrix_delete(lab->session, id));
    }
}

static int64_t
ask(const struct lab *lab, const char *text)
{
    sqlite3_stmt *statement;
    sqlite3 *database = varve_session_sqlite(lab->session);
    assert_int_equal(sqlite3_prepare_v2(database, text, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t answer = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return answer;
}

/* Changes all of the second half of the segment that has this record, with its metadata and chunks. */
static void
damage_segment_of(const struct lab *lab, int64_t id)
{
    char text[300], path[300];
    sqlite3_stmt *statement;
    snprintf(
        text, sizeof text,
        "SELECT s.file, s.size FROM varve_staged_matrix AS m JOIN varve_dataset AS d ON d.id = "
        "m.dataset JOIN varve_segment AS s ON s.id = d.segment WHERE m.record = %lld",
        (long long)id);
    sqlite3 *database = varve_session_sqlite(lab->session);
    assert_int_equal(sqlite3_prepare_v2(database, text, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    snprintf(path, sizeof path, "%s/archive/%s", lab->folder, sqlite3_column_text(statement, 0));
    int64_t size = sqlite3_column_int64(statement, 1);
    sqlite3_finalize(statement);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)(size / 8), SEEK_SET), 0);
    for (int64_t i = size / 8; i < size; i++)
        fputc(0x5a, file);
    assert_int_equal(fclose(file), 0);
}

static void
must_hold(struct lab *lab, int64_t id)
{
    struct lab_tensors_matrix *matrix;
    must(lab, lab_tensors_matrix_get(lab->session, id, &matrix));
    fill(lab, id);
    assert_int_equal(matrix->cells.count, CELLS);
    assert_memory_equal(matrix->cells.data, lab->cells, sizeof lab->cells);
    lab_tensors_matrix_free(matrix);
}

static void
test_a_damaged_segment_stays_and_the_others_are_compacted(void **state)
{
    struct lab *lab = *state;
    struct lab_tensors_matrix *matrix;
    struct varve_maintenance_report report;
    insert_batches(lab);
    assert_int_equal(ask(lab, "SELECT count(*) FROM varve_segment"), BATCHES);
    delete_most(lab);
    damage_segment_of(lab, 2 * BATCH);
    close_lab(lab); /* with its cache of chunks */
    open_lab(lab);
    must(lab, varve_maintain(lab->store, &report));
    assert_int_equal(report.tensors_moved, BATCHES - 1);
    assert_int_equal(report.segments_dropped, BATCHES - 1);
    assert_int_equal(report.tensors_damaged, 1);
    must_hold(lab, BATCH);
    must_hold(lab, 3 * BATCH);
    assert_int_equal(lab_tensors_matrix_get(lab->session, 2 * BATCH, &matrix), VARVE_CORRUPT);
    assert_int_equal(ask(lab, "SELECT count(*) FROM varve_segment"), 2);
}

static void
test_segments_of_which_most_is_dead_become_one(void **state)
{
    struct lab *lab = *state;
    struct varve_maintenance_report report;
    insert_batches(lab);
    delete_most(lab);
    must(lab, varve_maintain(lab->store, &report));
    assert_int_equal(report.tensors_moved, BATCHES);
    assert_int_equal(report.segments_dropped, BATCHES);
    assert_int_equal(report.files_deleted, BATCHES);
    assert_int_equal(report.tensors_damaged, 0);
    assert_int_equal(ask(lab, "SELECT count(*) FROM varve_segment"), 1);
    for (int64_t batch = 1; batch <= BATCHES; batch++)
        must_hold(lab, batch * BATCH);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_damaged_segment_stays_and_the_others_are_compacted),
        TEST(test_segments_of_which_most_is_dead_become_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
