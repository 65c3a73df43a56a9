#define _XOPEN_SOURCE 700 /* mkdtemp, truncate */
/* Each change of a segment, and of what the catalog says of it, is found by varve_archive_verify(). */
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
    FLIPS = 300
};

struct lab {
    char folder[64];
    struct varve_store *store;
    struct varve_session *session;
    double cells[CELLS];
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
insert(struct lab *lab)
{
    struct lab_tensors_matrix matrix = LAB_TENSORS_MATRIX_INIT;
    for (size_t i = 0; i < CELLS; i++)
        lab->cells[i] += (double)(i % 100);
    matrix.rows = CELLS;
    matrix.columns = 1;
    matrix.cells = (struct varve_doubles){CELLS, lab->cells};
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
        insert(lab);
    list_files(lab);
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

static void
test_each_flipped_bit_of_a_segment_is_found(void **state)
{
    const struct lab *lab = *state;
    uint64_t random = 11;
    for (size_t i = 0; i < FLIPS; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        int64_t bit = (int64_t)((random >> 16) % (uint64_t)(lab->sizes[1] * 8));
        flip(path_of(lab, 1), bit);
        must_find(lab, 1, "is not what was sealed");
        flip(path_of(lab, 1), bit);
    }
    assert_int_equal(verify(lab).count, 0);
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
        TEST(test_each_flipped_bit_of_a_segment_is_found),
        TEST(test_truncated_swapped_and_missing_segments_are_found),
        TEST(test_a_changed_row_of_the_catalog_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
