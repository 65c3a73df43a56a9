/* A tensor that is written in rows: what its calls refuse, what others do to its record meanwhile, and
 * a file that cannot grow. */
#include "tensor_lab.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

enum {
    ROWS = 400,
    COLUMNS = 100,
    CELLS = ROWS * COLUMNS,
    CELLS_FIELD = LAB_TENSORS_MATRIX_FIELD_CELLS
};

static const int64_t dims[] = {ROWS, COLUMNS};
static double before[CELLS]; /* of zeros */
static double cells[CELLS];

static int64_t id; /* of a matrix that has the cells of `before` */

static int
set_up(void **state)
{
    struct lab_tensors_matrix matrix = LAB_TENSORS_MATRIX_INIT;
    uint32_t bits = 1;
    lab_set_up(state);
    struct tensor_lab *lab = *state;
    for (size_t i = 0; i < CELLS; i++) { /* that compression does nothing for */
        bits = bits * 1664525u + 1013904223u;
        cells[i] = (double)bits / 7;
    }
    matrix.rows = ROWS;
    matrix.columns = COLUMNS;
    matrix.cells = (struct varve_doubles){CELLS, before};
    lab_must(lab, lab_tensors_matrix_insert(lab->session, &matrix));
    lab_must(lab, varve_flush(lab->store));
    id = matrix.id;
    return 0;
}

static void
expect_cells(const struct tensor_lab *lab, const double *expected)
{
    struct lab_tensors_matrix *matrix;
    assert_int_equal(lab_tensors_matrix_get(lab->session, id, &matrix), VARVE_OK);
    assert_int_equal(matrix->cells.count, CELLS);
    assert_memory_equal(matrix->cells.data, expected, sizeof cells);
    lab_tensors_matrix_free(matrix);
}

static struct varve_tensor_writer *
begin(const struct tensor_lab *lab)
{
    struct varve_tensor_writer *writer;
    if (lab_tensors_matrix_write_cells_begin(lab->session, id, dims, &writer) != VARVE_OK)
        fail_msg("%s", varve_session_error(lab->session));
    return writer;
}

static void
write_all(const struct tensor_lab *lab, struct varve_tensor_writer *writer)
{
    if (lab_tensors_matrix_write_cells_rows(writer, cells, ROWS) != VARVE_OK)
        fail_msg("%s", varve_session_error(lab->session));
}

/* -------------------------------------------------------------------- refusing */

static void
test_what_a_call_is_about_must_be_a_tensor_of_the_store(void **state)
{
    struct tensor_lab *lab = *state;
    const struct varve_record elsewhere = lab_tensors_matrix_record; /* at another place */
    struct varve_tensor_writer *writer = (void *)&cells;
    lab_expect(
        lab, varve_tensor_write_begin(lab->session, NULL, id, CELLS_FIELD, dims, &writer),
        VARVE_MISUSE, "the record's table is NULL");
    assert_null(writer);
    lab_expect(
        lab, varve_tensor_write_begin(lab->session, &elsewhere, id, CELLS_FIELD, dims, &writer),
        VARVE_MISUSE, "has no table in this store");
    lab_expect(
        lab,
        varve_tensor_write_begin(
            lab->session, &lab_tensors_matrix_record, id, LAB_TENSORS_MATRIX_FIELD_ROWS, dims,
            &writer),
        VARVE_MISUSE, "the field is no tensor of the message");
    lab_expect(
        lab,
        varve_record_read_tensor(
            lab->session, &lab_tensors_matrix_record, id, 99, NULL, cells, sizeof cells),
        VARVE_MISUSE, "the field is no tensor of the message");
    expect_cells(lab, before);
}

static void
test_places_for_the_results_are_needed(void **state)
{
    struct tensor_lab *lab = *state;
    struct varve_tensor_writer *writer;
    lab_expect(
        lab, lab_tensors_matrix_write_cells_begin(lab->session, id, NULL, &writer), VARVE_MISUSE,
        "dims or the result is NULL");
    assert_null(writer);
    lab_expect(
        lab, lab_tensors_matrix_write_cells_begin(lab->session, id, dims, NULL), VARVE_MISUSE,
        "dims or the result is NULL");
    lab_expect(
        lab, varve_archive_verify(lab->session, NULL, NULL), VARVE_MISUSE, "`found` is NULL");
    assert_int_equal(lab_segments(lab), 1);
}

static void
test_without_a_writer_nothing_is_written(void **state)
{
    (void)state;
    assert_int_equal(lab_tensors_matrix_write_cells_rows(NULL, cells, 1), VARVE_MISUSE);
    assert_non_null(strstr(varve_session_error(NULL), "the writer is NULL"));
    assert_int_equal(lab_tensors_matrix_write_cells_finish(NULL), VARVE_MISUSE);
    assert_non_null(strstr(varve_session_error(NULL), "the writer is NULL"));
    lab_tensors_matrix_write_cells_cancel(NULL);
}

static void
test_dims_that_no_tensor_has_are_refused(void **state)
{
    static const int64_t bad[][2] = {
        {0, COLUMNS}, {ROWS, 0}, {-1, COLUMNS}, {INT64_MAX, 2}, {INT64_MAX / 4, INT64_MAX / 4}};
    struct tensor_lab *lab = *state;
    struct varve_tensor_writer *writer;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        lab_expect(
            lab, lab_tensors_matrix_write_cells_begin(lab->session, id, bad[i], &writer),
            VARVE_INVALID, "has dims that are not positive, or too large");
        assert_int_equal(varve_session_failure(lab->session)->kind, VARVE_FAILURE_DIMS);
        assert_null(writer);
    }
    assert_int_equal(
        lab_tensors_matrix_write_cells_begin(lab->session, id + 1, dims, &writer), VARVE_NOT_FOUND);
    assert_null(writer);
    assert_int_equal(lab_segments(lab), 1);
}

static void
test_a_store_that_only_reads_refuses(void **state)
{
    struct tensor_lab *lab = *state;
    struct varve_tensor_writer *writer;
    lab_open(lab, (struct varve_config){.read_only = true});
    lab_expect(
        lab, lab_tensors_matrix_write_cells_begin(lab->session, id, dims, &writer), VARVE_READ_ONLY,
        "read_only");
    assert_null(writer);
    expect_cells(lab, before);
}

/* They cost nothing: the writer goes on. */
static void
test_rows_that_are_none_are_refused_and_the_writer_goes_on(void **state)
{
    struct tensor_lab *lab = *state;
    struct varve_tensor_writer *writer = begin(lab);
    lab_expect(
        lab, lab_tensors_matrix_write_cells_rows(writer, cells, -1), VARVE_MISUSE,
        "the count is negative");
    lab_expect(
        lab, lab_tensors_matrix_write_cells_rows(writer, NULL, 1), VARVE_MISUSE, "data is NULL");
    lab_expect(
        lab, lab_tensors_matrix_write_cells_rows(writer, cells, ROWS + 1), VARVE_INVALID,
        "gets more rows than its dims say");
    assert_int_equal(lab_tensors_matrix_write_cells_rows(writer, NULL, 0), VARVE_OK);
    write_all(lab, writer);
    assert_int_equal(lab_tensors_matrix_write_cells_finish(writer), VARVE_OK);
    expect_cells(lab, cells);
}

/* -------------------------------------------------------------------- ends */

static void
test_a_cancelled_tensor_leaves_no_trace(void **state)
{
    struct tensor_lab *lab = *state;
    struct varve_tensor_writer *writer = begin(lab);
    write_all(lab, writer);
    assert_int_equal(lab_segments(lab), 2);
    lab_tensors_matrix_write_cells_cancel(writer);
    assert_int_equal(lab_segments(lab), 1);
    expect_cells(lab, before);
}

static void
test_a_record_that_goes_meanwhile_is_a_conflict(void **state)
{
    struct tensor_lab *lab = *state;
    struct varve_tensor_writer *writer = begin(lab);
    write_all(lab, writer);
    assert_int_equal(lab_tensors_matrix_delete(lab->session, id), VARVE_OK);
    assert_int_equal(lab_tensors_matrix_write_cells_finish(writer), VARVE_CONFLICT);
    int64_t count;
    assert_int_equal(lab_tensors_matrix_count(lab->session, NULL, &count), VARVE_OK);
    assert_int_equal(count, 0);
}

static void
test_dims_that_change_meanwhile_are_a_conflict(void **state)
{
    struct tensor_lab *lab = *state;
    struct varve_tensor_writer *writer = begin(lab);
    struct lab_tensors_matrix *matrix;
    write_all(lab, writer);
    assert_int_equal(lab_tensors_matrix_get(lab->session, id, &matrix), VARVE_OK);
    matrix->rows = COLUMNS;
    matrix->columns = ROWS;
    assert_int_equal(lab_tensors_matrix_update(lab->session, matrix), VARVE_OK);
    lab_tensors_matrix_free(matrix);
    lab_expect(
        lab, lab_tensors_matrix_write_cells_finish(writer), VARVE_CONFLICT,
        "has got other dims in its record meanwhile");
    expect_cells(lab, before);
}

static void
test_a_rollback_takes_the_tensor_back(void **state)
{
    struct tensor_lab *lab = *state;
    struct varve_tensor_writer *writer = begin(lab);
    write_all(lab, writer);
    assert_int_equal(varve_begin(lab->session), VARVE_OK);
    assert_int_equal(lab_tensors_matrix_write_cells_finish(writer), VARVE_OK);
    expect_cells(lab, cells);
    assert_int_equal(varve_rollback(lab->session), VARVE_OK);
    expect_cells(lab, before);
    assert_int_equal(lab_segments(lab), 1);
}

/* A file may be no larger than this; sets what it was into *limit. */
static void
limit_files(rlim_t size, struct rlimit *limit)
{
    struct rlimit small;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, limit), 0);
    small = *limit;
    small.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
}

/* What fails once is over: later calls do not hide it. */
static void
test_a_file_that_cannot_grow_fails_the_writer_for_good(void **state)
{
    struct tensor_lab *lab = *state;
    struct rlimit limit;
    struct varve_tensor_writer *writer = begin(lab);
    enum varve_status status = VARVE_OK;
    limit_files(1 << 16, &limit);
    for (int row = 0; row < ROWS && status == VARVE_OK; row++)
        status = lab_tensors_matrix_write_cells_rows(writer, cells + (size_t)row * COLUMNS, 1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    lab_expect(lab, status, VARVE_FULL, "raise the process's limit on the size of files");
    lab_expect(
        lab, lab_tensors_matrix_write_cells_rows(writer, cells, 1), VARVE_MISUSE,
        "an earlier call on this writer has failed; cancel it");
    lab_expect(
        lab, lab_tensors_matrix_write_cells_finish(writer), VARVE_MISUSE,
        "an earlier call on this writer has failed: nothing was written");
    assert_int_equal(lab_segments(lab), 1);
    expect_cells(lab, before);
    writer = begin(lab);
    write_all(lab, writer);
    assert_int_equal(lab_tensors_matrix_write_cells_finish(writer), VARVE_OK);
    expect_cells(lab, cells);
}

int
main(void)
{
#define WRITER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, lab_tear_down)
    const struct CMUnitTest tests[] = {
        WRITER_TEST(test_what_a_call_is_about_must_be_a_tensor_of_the_store),
        WRITER_TEST(test_places_for_the_results_are_needed),
        WRITER_TEST(test_without_a_writer_nothing_is_written),
        WRITER_TEST(test_dims_that_no_tensor_has_are_refused),
        WRITER_TEST(test_a_store_that_only_reads_refuses),
        WRITER_TEST(test_rows_that_are_none_are_refused_and_the_writer_goes_on),
        WRITER_TEST(test_a_cancelled_tensor_leaves_no_trace),
        WRITER_TEST(test_a_record_that_goes_meanwhile_is_a_conflict),
        WRITER_TEST(test_dims_that_change_meanwhile_are_a_conflict),
        WRITER_TEST(test_a_rollback_takes_the_tensor_back),
        WRITER_TEST(test_a_file_that_cannot_grow_fails_the_writer_for_good),
    };
    return cmocka_run_group_tests_name("tensor writer", tests, NULL, NULL);
}
