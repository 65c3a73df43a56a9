#define _XOPEN_SOURCE 700 /* mkdtemp, truncate */
/* Each change of a segment, and of what the catalog says of it, is found by varve_archive_verify(), and never makes a
 * wrong value. */
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
#include <varve/archive.h>

enum {
    CELLS = 2000,
    SEGMENTS = 2,
    FLIPS_OF_FILES = 700,
    FLIPS_OF_ROWS = 300
};

struct lab {
    char folder[64];
    struct varve_store *store;
    struct varve_session *session;
    double cells[SEGMENTS][CELLS];
    uint64_t random;
    char files[SEGMENTS][100]; /* from the archive's folder on */
    int64_t sizes[SEGMENTS];
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

static void
insert(struct lab *lab, size_t number)
{
    struct lab_tensors_matrix matrix = LAB_TENSORS_MATRIX_INIT;
    for (size_t i = 0; i < CELLS; i++)
        lab->cells[number][i] = (double)((i + number * 7) % 100);
    matrix.rows = CELLS;
    matrix.columns = 1;
    matrix.cells = (struct varve_doubles){CELLS, lab->cells[number]};
    must(lab, lab_tensors_matrix_insert(lab->session, &matrix));
}

static void
list_files(struct lab *lab)
{
    sqlite3_stmt *statement;
    sqlite3 *database = varve_session_sqlite(lab->session);
    const char *text = "SELECT file, size FROM varve_segment ORDER BY id";
    assert_int_equal(sqlite3_prepare_v2(database, text, -1, &statement, NULL), SQLITE_OK);
    for (size_t i = 0; i < SEGMENTS; i++) {
        assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
        snprintf(
            lab->files[i], sizeof lab->files[i], "%s",
            (const char *)sqlite3_column_text(statement, 0));
        lab->sizes[i] = sqlite3_column_int64(statement, 1);
    }
    sqlite3_finalize(statement);
}

static int
set_up(void **state)
{
    struct lab *lab = calloc(1, sizeof *lab);
    assert_non_null(lab);
    strcpy(lab->folder, "/tmp/varve-verify-XXXXXX");
    assert_non_null(mkdtemp(lab->folder));
    open_lab(lab);
    for (size_t i = 0; i < SEGMENTS; i++)
        insert(lab, i);
    list_files(lab);
    lab->random = 11;
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

static const char *
path_of(const struct lab *lab, size_t segment)
{
    static char path[2][200];
    snprintf(path[segment], sizeof path[0], "%s/archive/%s", lab->folder, lab->files[segment]);
    return path[segment];
}

struct findings {
    size_t count;
    char file[200]; /* of the first one */
    char text[600];
};

static void
note(void *context, const char *file, const char *text)
{
    struct findings *findings = context;
    if (findings->count++ > 0)
        return;
    snprintf(findings->file, sizeof findings->file, "%s", file);
    snprintf(findings->text, sizeof findings->text, "%s", text);
}

static struct findings
verify(const struct lab *lab)
{
    struct findings findings = {0};
    must(lab, varve_archive_verify(lab->session, note, &findings));
    return findings;
}

static void
must_find(const struct lab *lab, size_t segment, const char *words)
{
    struct findings findings = verify(lab);
    assert_true(findings.count > 0);
    assert_string_equal(findings.file, lab->files[segment]);
    if (!strstr(findings.text, words))
        fail_msg("\"%s\" does not say \"%s\"", findings.text, words);
}

static void
flip(const char *path, int64_t bit)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)(bit / 8), SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, (long)(bit / 8), SEEK_SET), 0);
    fputc(byte ^ 1 << bit % 8, file);
    assert_int_equal(fclose(file), 0);
}

static void
test_a_whole_archive_has_no_findings(void **state)
{
    const struct lab *lab = *state;
    assert_int_equal(verify(lab).count, 0);
    must(lab, varve_begin_read(lab->session));
    assert_int_equal(verify(lab).count, 0);
    must(lab, varve_rollback(lab->session));
    assert_int_equal(varve_archive_verify(lab->session, NULL, NULL), VARVE_MISUSE);
}

static uint64_t
draw(struct lab *lab, uint64_t bound)
{
    lab->random = lab->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (lab->random >> 16) % bound;
}

/* A matrix is as it was written, or the get says what is damaged. Returns whether it is whole. */
static bool
is_whole(const struct lab *lab, size_t number)
{
    struct lab_tensors_matrix *matrix;
    enum varve_status status = lab_tensors_matrix_get(lab->session, (int64_t)number + 1, &matrix);
    if (status != VARVE_OK) {
        if (status != VARVE_CORRUPT &&
            status != VARVE_TYPE) /* damaged; not there where one must be */
            fail_msg("%s: %s", varve_status_name(status), varve_session_error(lab->session));
        assert_true(strlen(varve_session_error(lab->session)) > 20);
        return false;
    }
    assert_int_equal(matrix->cells.count, CELLS);
    assert_memory_equal(matrix->cells.data, lab->cells[number], sizeof lab->cells[number]);
    lab_tensors_matrix_free(matrix);
    return true;
}

static void
test_each_flipped_bit_of_a_segment_is_found_and_makes_no_wrong_value(void **state)
{
    struct lab *lab = *state;
    size_t damaged = 0;
    for (size_t i = 0; i < FLIPS_OF_FILES; i++) {
        int64_t bit = (int64_t)draw(lab, (uint64_t)lab->sizes[1] * 8);
        flip(path_of(lab, 1), bit);
        must_find(lab, 1, "is not what was sealed");
        damaged += !is_whole(lab, 1);
        assert_true(is_whole(lab, 0));
        flip(path_of(lab, 1), bit);
    }
    assert_true(damaged > 0);
    assert_int_equal(verify(lab).count, 0);
    assert_true(is_whole(lab, 1));
}

static const char *const columns[][2] = {
    {"varve_segment", "id"},
    {"varve_segment", "message"},
    {"varve_segment", "file"},
    {"varve_segment", "size"},
    {"varve_segment", "hash"},
    {"varve_segment", "elements"},
    {"varve_dataset", "id"},
    {"varve_dataset", "segment"},
    {"varve_dataset", "layout"},
    {"varve_staged_matrix", "id"},
    {"varve_staged_matrix", "record"},
    {"varve_staged_matrix", "field"},
    {"varve_staged_matrix", "dataset"},
    {"varve_staged_matrix", "place"},
    {"varve_staged_matrix", "hash"},
    {"varve_staged_matrix", "dims"},
};

/* Flips a bit of this column's value in row `row` of a database that nobody has open. False: the table's constraints
 * do not allow it, and nothing has changed. */
static bool
flip_in_row(struct lab *lab, sqlite3 *database, const char *const column[2], int64_t row)
{
    char text[300], data[2000];
    sqlite3_stmt *old, *new;
    snprintf(text, sizeof text, "SELECT %s FROM %s WHERE rowid = ?1", column[1], column[0]);
    assert_int_equal(sqlite3_prepare_v2(database, text, -1, &old, NULL), SQLITE_OK);
    snprintf(text, sizeof text, "UPDATE %s SET %s = ?2 WHERE rowid = ?1 ", column[0], column[1]);
    assert_int_equal(sqlite3_prepare_v2(database, text, -1, &new, NULL), SQLITE_OK);
    sqlite3_bind_int64(old, 1, row);
    sqlite3_bind_int64(new, 1, row);
    assert_int_equal(sqlite3_step(old), SQLITE_ROW);
    int type = sqlite3_column_type(old, 0), size = sqlite3_column_bytes(old, 0);
    if (type == SQLITE_INTEGER) {
        int64_t bit = INT64_C(1) << draw(lab, 62);
        sqlite3_bind_int64(new, 2, sqlite3_column_int64(old, 0) ^ bit);
    } else {
        assert_in_range(size, 1, sizeof data);
        memcpy(data, sqlite3_column_blob(old, 0), (size_t)size);
        data[draw(lab, (uint64_t)size)] ^= (char)(1 << draw(lab, 8));
        if (type == SQLITE_TEXT)
            sqlite3_bind_text(new, 2, data, size, SQLITE_STATIC);
        else
            sqlite3_bind_blob(new, 2, data, size, SQLITE_STATIC);
    }
    sqlite3_step(new);
    sqlite3_finalize(old);
    return sqlite3_finalize(new) == SQLITE_OK;
}

static sqlite3 *
open_database(const struct lab *lab)
{
    char path[100];
    sqlite3 *database;
    snprintf(path, sizeof path, "%s/varve.db", lab->folder);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    return database;
}

static void
execute(sqlite3 *database, const char *text)
{
    if (sqlite3_exec(database, text, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", text, sqlite3_errmsg(database));
}

static void
restore(const struct lab *lab)
{
    sqlite3 *database = open_database(lab);
    execute(
        database,
        "DELETE FROM varve_segment; INSERT INTO varve_segment SELECT * FROM kept_segment");
    execute(
        database,
        "DELETE FROM varve_dataset; INSERT INTO varve_dataset SELECT * FROM kept_dataset");
    execute(
        database, "DELETE FROM varve_staged_matrix; INSERT INTO varve_staged_matrix SELECT * FROM "
                  "kept_staged");
    sqlite3_close(database);
}

static void
test_each_flipped_bit_of_the_catalog_is_found_or_harmless(void **state)
{
    struct lab *lab = *state;
    size_t count = sizeof columns / sizeof *columns, found = 0;
    close_lab(lab);
    sqlite3 *database = open_database(lab);
    execute(
        database,
        "CREATE TABLE kept_segment AS SELECT * FROM varve_segment; CREATE TABLE kept_dataset "
        "AS SELECT * FROM varve_dataset; CREATE TABLE kept_staged AS SELECT * FROM "
        "varve_staged_matrix");
    sqlite3_close(database);
    for (size_t i = 0; i < FLIPS_OF_ROWS; i++) {
        const char *const *column = columns[i % count];
        database = open_database(lab);
        while (!flip_in_row(
            lab, database, column, 1 + (int64_t)draw(lab, SEGMENTS))) /* another row, another bit */
            ;
        sqlite3_close(database);
        open_lab(lab);
        bool whole = verify(lab).count == 0;
        for (size_t number = 0; number < SEGMENTS; number++)
            whole &= is_whole(lab, number);
        found += !whole;
        close_lab(lab);
        restore(lab);
    }
    open_lab(lab);
    assert_int_equal(verify(lab).count, 0);
    assert_true(is_whole(lab, 0) && is_whole(lab, 1));
    assert_true(found > FLIPS_OF_ROWS / 2);
}

static void
test_truncated_swapped_and_missing_segments_are_found(void **state)
{
    char spare[220];
    const struct lab *lab = *state;
    snprintf(spare, sizeof spare, "%s/spare", lab->folder);
    assert_int_equal(truncate(path_of(lab, 1), lab->sizes[1] - 1), 0);
    must_find(lab, 1, "was sealed with");
    assert_int_equal(rename(path_of(lab, 0), spare), 0);
    assert_true(verify(lab).count >= 2);
    assert_int_equal(rename(path_of(lab, 1), path_of(lab, 0)), 0);
    assert_int_equal(rename(spare, path_of(lab, 1)), 0);
    assert_true(verify(lab).count >= 2);
    assert_int_equal(unlink(path_of(lab, 0)), 0);
    must_find(lab, 0, "cannot be opened");
}

static void
test_a_changed_row_of_the_catalog_is_found(void **state)
{
    struct lab *lab = *state;
    close_lab(lab);
    open_lab(lab); /* nothing of it was read yet */
    assert_int_equal(
        sqlite3_exec(
            varve_session_sqlite(lab->session),
            "UPDATE varve_dataset SET layout = (SELECT layout FROM varve_dataset WHERE id = 1) "
            "WHERE id = 2",
            NULL, NULL, NULL),
        SQLITE_OK);
    must_find(lab, 1, "is not what the catalog was given");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_whole_archive_has_no_findings),
        TEST(test_each_flipped_bit_of_a_segment_is_found_and_makes_no_wrong_value),
        TEST(test_each_flipped_bit_of_the_catalog_is_found_or_harmless),
        TEST(test_truncated_swapped_and_missing_segments_are_found),
        TEST(test_a_changed_row_of_the_catalog_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
