#define _DEFAULT_SOURCE /* mkdtemp, usleep */
/* Large tensors are in their segments before the write begins that names them. */
#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <lab_tensors.varve.h>
#include <varve/health.h>

enum {
    ROWS = 1024,
    COLUMNS = 1024, /* of doubles: 8 MiB */
    CELLS = ROWS * COLUMNS,
    SPIKES = 50000,
    TRAINS = 20, /* of 8 bytes a spike: 8 MB */
    POLLS_MOST = 60000
};

struct lab {
    char folder[64];
    struct varve_store *store;
    struct varve_session *session;
    double *cells;
    int64_t *times;
    struct lab_tensors_train trains[TRAINS];
};

static void
must(const struct lab *lab, enum varve_status status)
{
    if (status != VARVE_OK)
        fail_msg("%s: %s", varve_status_name(status), varve_session_error(lab->session));
}

static int
set_up(void **state)
{
    struct varve_error error;
    struct lab *lab = calloc(1, sizeof *lab);
    assert_non_null(lab);
    strcpy(lab->folder, "/tmp/varve-ahead-XXXXXX");
    assert_non_null(mkdtemp(lab->folder));
    const struct varve_config config = {.data_dir = lab->folder};
    if (varve_open(&lab_tensors_schema, &config, &lab->store, &error) != VARVE_OK)
        fail_msg("%s", error.message);
    must(lab, varve_session_open(lab->store, &lab->session));
    lab->cells = malloc(CELLS * sizeof *lab->cells);
    lab->times = malloc(SPIKES * sizeof *lab->times);
    assert_true(lab->cells && lab->times);
    for (size_t i = 0; i < CELLS; i++)
        lab->cells[i] = (double)(i % 1000);
    for (size_t i = 0; i < SPIKES; i++)
        lab->times[i] = (int64_t)(i * i);
    *state = lab;
    return 0;
}

static int
tear_down(void **state)
{
    char command[100];
    struct lab *lab = *state;
    varve_session_close(lab->session);
    varve_close(lab->store);
    snprintf(command, sizeof command, "rm -r %s", lab->folder);
    int code = system(command);
    free(lab->cells);
    free(lab->times);
    free(lab);
    return code;
}

/* Finished segments of a message, or with another end others. */
static size_t
count_files(const struct lab *lab, const char *message, const char *end)
{
    char path[200];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/archive/%s", lab->folder, message);
    DIR *folder = opendir(path);
    if (!folder)
        return 0;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        const char *dot = strchr(entry->d_name, '.');
        count += dot != entry->d_name && strcmp(dot, end) == 0;
    }
    closedir(folder);
    return count;
}

static void
must_have_no_files(const struct lab *lab, const char *message)
{
    assert_int_equal(count_files(lab, message, ".h5"), 0);
    assert_int_equal(count_files(lab, message, ".h5.tmp"), 0);
}

static struct lab_tensors_matrix
matrix_of(const struct lab *lab, int64_t id)
{
    struct lab_tensors_matrix matrix = LAB_TENSORS_MATRIX_INIT;
    matrix.id = id;
    matrix.rows = ROWS;
    matrix.columns = COLUMNS;
    matrix.cells = (struct varve_doubles){CELLS, lab->cells};
    return matrix;
}

static void
must_hold(const struct lab *lab, int64_t id)
{
    struct lab_tensors_matrix *matrix;
    must(lab, lab_tensors_matrix_get(lab->session, id, &matrix));
    assert_int_equal(matrix->cells.count, CELLS);
    assert_memory_equal(matrix->cells.data, lab->cells, CELLS * sizeof *lab->cells);
    lab_tensors_matrix_free(matrix);
}

static void
fill_trains(struct lab *lab, int64_t parent)
{
    for (size_t i = 0; i < TRAINS; i++) {
        lab->trains[i] = (struct lab_tensors_train)LAB_TENSORS_TRAIN_INIT;
        lab->trains[i].session_id = parent;
        lab->trains[i].count = SPIKES - (uint32_t)i;
        lab->trains[i].times = (struct varve_int64s){SPIKES - i, lab->times};
    }
}

static int64_t
insert_parent(struct lab *lab)
{
    struct lab_tensors_session parent = LAB_TENSORS_SESSION_INIT;
    must(lab, lab_tensors_session_insert(lab->session, &parent));
    return parent.id;
}

/* -------------------------------------------------------------------- beside another writer */

struct writer {
    struct lab *lab;
    enum varve_status status;
};

static void *
insert_matrix(void *argument)
{
    struct writer *writer = argument;
    struct varve_session *session;
    struct lab_tensors_matrix matrix = matrix_of(writer->lab, 7);
    writer->status = varve_session_open(writer->lab->store, &session);
    if (writer->status != VARVE_OK)
        return NULL;
    writer->status = lab_tensors_matrix_insert(session, &matrix);
    varve_session_close(session);
    return NULL;
}

static void
test_a_large_record_is_encoded_while_another_session_writes(void **state)
{
    pthread_t thread;
    struct lab *lab = *state;
    struct writer writer = {.lab = lab};
    size_t polls = 0;
    must(lab, varve_begin(lab->session));
    assert_int_equal(pthread_create(&thread, NULL, insert_matrix, &writer), 0);
    while (count_files(lab, "lab.tensors.Matrix", ".h5") == 0 && polls++ < POLLS_MOST)
        usleep(1000);
    size_t files = count_files(lab, "lab.tensors.Matrix", ".h5");
    must(lab, varve_commit(lab->session));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(files, 1);
    assert_int_equal(writer.status, VARVE_OK);
    must_hold(lab, 7);
}

/* -------------------------------------------------------------------- keys */

static void
test_keys_of_many_large_records_follow_one_another(void **state)
{
    struct lab *lab = *state;
    struct lab_tensors_train *train;
    int64_t parent = insert_parent(lab);
    for (int64_t round = 0; round < 2; round++) {
        fill_trains(lab, parent);
        must(lab, lab_tensors_train_insert_many(lab->session, lab->trains, TRAINS));
        for (int64_t i = 0; i < TRAINS; i++)
            assert_int_equal(lab->trains[i].id, round * TRAINS + i + 1);
    }
    for (int64_t i = 0; i < TRAINS; i++) {
        must(lab, lab_tensors_train_get(lab->session, TRAINS + i + 1, &train));
        assert_int_equal(train->times.count, SPIKES - i);
        assert_memory_equal(train->times.data, lab->times, train->times.count * sizeof *lab->times);
        lab_tensors_train_free(train);
    }
    assert_int_equal(count_files(lab, "lab.tensors.Train", ".h5") > 0, true);
}

static void
test_keys_that_are_given_are_kept_and_mixed_ones_assigned(void **state)
{
    struct lab *lab = *state;
    fill_trains(lab, insert_parent(lab));
    for (size_t i = 0; i < TRAINS; i++)
        lab->trains[i].id = 1000 - (int64_t)i;
    must(lab, lab_tensors_train_insert_many(lab->session, lab->trains, TRAINS));
    assert_int_equal(lab->trains[3].id, 997);
    fill_trains(lab, lab->trains[0].session_id);
    lab->trains[4].id = 5000;
    must(lab, lab_tensors_train_insert_many(lab->session, lab->trains, TRAINS));
    assert_int_equal(lab->trains[3].id, 1004);
    assert_int_equal(lab->trains[4].id, 5000);
    assert_int_equal(lab->trains[5].id, 5001);
}

/* -------------------------------------------------------------------- what fails */

static void
test_a_refused_array_leaves_no_file_and_no_keys(void **state)
{
    struct lab *lab = *state;
    fill_trains(lab, insert_parent(lab));
    lab->trains[9].session_id += 1000;
    assert_int_equal(
        lab_tensors_train_insert_many(lab->session, lab->trains, TRAINS), VARVE_CONFLICT);
    for (size_t i = 0; i < TRAINS; i++)
        assert_int_equal(lab->trains[i].id, 0);
    must_have_no_files(lab, "lab.tensors.Train");
    lab->trains[9].session_id -= 1000;
    must(lab, lab_tensors_train_insert_many(lab->session, lab->trains, TRAINS));
}

static void
test_a_record_with_other_dims_is_refused_before_anything_is_written(void **state)
{
    struct lab *lab = *state;
    fill_trains(lab, insert_parent(lab));
    lab->trains[9].count--;
    assert_int_equal(
        lab_tensors_train_insert_many(lab->session, lab->trains, TRAINS), VARVE_INVALID);
    assert_int_equal(varve_session_failure(lab->session)->index, 9);
    must_have_no_files(lab, "lab.tensors.Train");
}

static void
test_an_insert_that_is_refused_leaves_no_file_and_no_key(void **state)
{
    struct lab *lab = *state;
    struct lab_tensors_train train;
    fill_trains(lab, insert_parent(lab));
    train = lab->trains[0];
    int64_t *times = calloc(1 << 20, sizeof *times);
    assert_non_null(times);
    train.count = 1 << 20;
    train.times = (struct varve_int64s){1 << 20, times};
    train.session_id += 1000;
    assert_int_equal(lab_tensors_train_insert(lab->session, &train), VARVE_CONFLICT);
    assert_int_equal(train.id, 0);
    must_have_no_files(lab, "lab.tensors.Train");
    free(times);
}

/* -------------------------------------------------------------------- updates */

static void
test_a_large_update_replaces_the_tensor(void **state)
{
    struct lab *lab = *state;
    struct lab_tensors_matrix matrix = matrix_of(lab, 0);
    must(lab, lab_tensors_matrix_insert(lab->session, &matrix));
    for (size_t i = 0; i < CELLS; i++)
        lab->cells[i] += 1;
    must(lab, lab_tensors_matrix_update(lab->session, &matrix));
    must_hold(lab, matrix.id);
    must(lab, varve_maintain(lab->store, NULL));
    must_hold(lab, matrix.id);
    assert_int_equal(count_files(lab, "lab.tensors.Matrix", ".h5"), 1);
}

static void
test_an_update_of_no_record_leaves_no_file(void **state)
{
    struct lab *lab = *state;
    struct lab_tensors_matrix matrix = matrix_of(lab, 12);
    assert_int_equal(lab_tensors_matrix_update(lab->session, &matrix), VARVE_NOT_FOUND);
    must_have_no_files(lab, "lab.tensors.Matrix");
}

static void
test_in_a_transaction_they_are_written_by_its_calls(void **state)
{
    struct lab *lab = *state;
    struct lab_tensors_matrix matrix = matrix_of(lab, 0);
    must(lab, varve_begin(lab->session));
    must(lab, lab_tensors_matrix_insert(lab->session, &matrix));
    must(lab, varve_rollback(lab->session));
    must_have_no_files(lab, "lab.tensors.Matrix");
    matrix.id = 0;
    must(lab, varve_begin(lab->session));
    must(lab, lab_tensors_matrix_insert(lab->session, &matrix));
    must(lab, varve_commit(lab->session));
    must_hold(lab, matrix.id);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_large_record_is_encoded_while_another_session_writes),
        TEST(test_keys_of_many_large_records_follow_one_another),
        TEST(test_keys_that_are_given_are_kept_and_mixed_ones_assigned),
        TEST(test_a_refused_array_leaves_no_file_and_no_keys),
        TEST(test_a_record_with_other_dims_is_refused_before_anything_is_written),
        TEST(test_an_insert_that_is_refused_leaves_no_file_and_no_key),
        TEST(test_a_large_update_replaces_the_tensor),
        TEST(test_an_update_of_no_record_leaves_no_file),
        TEST(test_in_a_transaction_they_are_written_by_its_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
