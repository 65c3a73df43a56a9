#define _XOPEN_SOURCE 700 /* mkdtemp */
/* Whose an archive's folder is: one database's, and no other one writes or deletes there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <lab_tensors.varve.h>
#include <varve/health.h>

enum {
    CELLS = 64
};

struct lab {
    char folder[64];
    double cells[CELLS];
};

struct open_store {
    struct varve_store *store;
    struct varve_session *session;
};

/* In the lab's folder. */
static void
run(const struct lab *lab, const char *text)
{
    char command[300];
    snprintf(command, sizeof command, "cd %s && %s", lab->folder, text);
    assert_int_equal(system(command), 0);
}

static int
set_up(void **state)
{
    struct lab *lab = calloc(1, sizeof *lab);
    assert_non_null(lab);
    strcpy(lab->folder, "/tmp/varve-owner-XXXXXX");
    assert_non_null(mkdtemp(lab->folder));
    for (size_t i = 0; i < CELLS; i++)
        lab->cells[i] = (double)i;
    *state = lab;
    return 0;
}

static int
tear_down(void **state)
{
    struct lab *lab = *state;
    run(lab, "rm -rf \"$PWD\"");
    free(lab);
    return 0;
}

/* The database of this name in the lab; all of them have one archive. */
static void
open_store(const struct lab *lab, const char *name, struct open_store *opened)
{
    char data[100], archive[100];
    struct varve_error error;
    snprintf(data, sizeof data, "%s/%s", lab->folder, name);
    snprintf(archive, sizeof archive, "%s/archive", lab->folder);
    struct varve_config config = {.data_dir = data, .archive_dir = archive, .stage_max_bytes = -1};
    if (varve_open(&lab_tensors_schema, &config, &opened->store, &error) != VARVE_OK)
        fail_msg("%s", error.message);
    assert_int_equal(varve_session_open(opened->store, &opened->session), VARVE_OK);
}

static void
close_store(const struct open_store *opened)
{
    varve_session_close(opened->session);
    varve_close(opened->store);
}

static enum varve_status
insert(struct lab *lab, const struct open_store *opened, int64_t *id)
{
    struct lab_tensors_matrix matrix = LAB_TENSORS_MATRIX_INIT;
    matrix.rows = CELLS;
    matrix.columns = 1;
    matrix.cells = (struct varve_doubles){CELLS, lab->cells};
    enum varve_status status = lab_tensors_matrix_insert(opened->session, &matrix);
    *id = matrix.id;
    return status;
}

static void
must_insert(struct lab *lab, const struct open_store *opened, int64_t *id)
{
    if (insert(lab, opened, id) != VARVE_OK)
        fail_msg("%s", varve_session_error(opened->session));
}

static void
must_read(const struct lab *lab, const struct open_store *opened, int64_t id)
{
    struct lab_tensors_matrix *matrix;
    assert_int_equal(lab_tensors_matrix_get(opened->session, id, &matrix), VARVE_OK);
    assert_int_equal(matrix->cells.count, CELLS);
    assert_memory_equal(matrix->cells.data, lab->cells, sizeof lab->cells);
    lab_tensors_matrix_free(matrix);
}

static void
test_a_second_database_neither_writes_nor_deletes_there(void **state)
{
    int64_t id, other;
    struct lab *lab = *state;
    struct open_store first, second;
    open_store(lab, "first", &first);
    must_insert(lab, &first, &id);
    open_store(lab, "second", &second);
    assert_int_equal(insert(lab, &second, &other), VARVE_MISUSE);
    const char *text = varve_session_error(second.session);
    assert_non_null(strstr(text, lab->folder));
    assert_non_null(strstr(text, "belongs to another database"));
    assert_int_equal(varve_maintain(second.store, NULL), VARVE_MISUSE);
    close_store(&second);
    must_read(lab, &first, id);
    close_store(&first);
}

static void
test_a_database_begun_anew_does_not_delete_the_segments_of_the_lost_one(void **state)
{
    int64_t id, other;
    struct lab *lab = *state;
    struct open_store store;
    open_store(lab, "first", &store);
    must_insert(lab, &store, &id);
    close_store(&store);
    run(lab, "mv first lost");
    open_store(lab, "first", &store);
    assert_int_equal(varve_maintain(store.store, NULL), VARVE_MISUSE);
    assert_int_equal(insert(lab, &store, &other), VARVE_MISUSE);
    close_store(&store);
    run(lab, "rm -r first && mv lost first");
    open_store(lab, "first", &store);
    must_read(lab, &store, id);
    close_store(&store);
}

static void
test_an_archive_that_was_moved_with_its_database_is_its_own(void **state)
{
    int64_t id, other;
    struct lab *lab = *state;
    struct open_store store;
    open_store(lab, "first", &store);
    must_insert(lab, &store, &id);
    close_store(&store);
    run(lab, "cp -r first copy && rm -r first && mv copy first");
    run(lab, "cp -r archive copy && rm -r archive && mv copy archive");
    open_store(lab, "first", &store);
    must_insert(lab, &store, &other);
    assert_int_equal(varve_maintain(store.store, NULL), VARVE_OK);
    must_read(lab, &store, id);
    must_read(lab, &store, other);
    close_store(&store);
}

static void
test_an_owner_that_a_crash_left_unwritten_is_written(void **state)
{
    int64_t id;
    struct stat status;
    char path[100];
    struct lab *lab = *state;
    struct open_store store;
    run(lab, "mkdir archive && printf 0123 > archive/owner");
    open_store(lab, "first", &store);
    must_insert(lab, &store, &id);
    close_store(&store);
    snprintf(path, sizeof path, "%s/archive/owner", lab->folder);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 33);
    open_store(lab, "first", &store);
    assert_int_equal(varve_maintain(store.store, NULL), VARVE_OK);
    must_read(lab, &store, id);
    close_store(&store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_second_database_neither_writes_nor_deletes_there),
        TEST(test_a_database_begun_anew_does_not_delete_the_segments_of_the_lost_one),
        TEST(test_an_archive_that_was_moved_with_its_database_is_its_own),
        TEST(test_an_owner_that_a_crash_left_unwritten_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
