#define _POSIX_C_SOURCE 200809L /* dprintf */
/* The archive in the midst of its life: records that lack a tensor, records that others keep, upkeep
 * that others are at, and damage that is met when it is read. */
#include "tensor_lab.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <varve/health.h>

enum {
    PAIRS = 60,
    LEFT = 40,
    RIGHT = 40,
    SHAPE = 8 * 6 /* elements of a frame's tensors */
};

/* Each pair has values of its own; of six, one has none of both. */
static bool
has_left(int64_t number)
{
    return number % 2 == 0;
}

static bool
has_right(int64_t number)
{
    return number % 3 == 0;
}

static void
fill_values(int64_t number, float *left, int32_t *right)
{
    for (int i = 0; i < LEFT; i++)
        left[i] = (float)(number * 100 + i) / 4;
    for (int i = 0; i < RIGHT; i++)
        right[i] = (int32_t)(number * 1000 - i);
}

static int64_t
insert_pair(const struct tensor_lab *lab, int64_t number, int64_t taken_at)
{
    float left[LEFT];
    int32_t right[RIGHT];
    struct lab_tensors_pair pair = LAB_TENSORS_PAIR_INIT;
    fill_values(number, left, right);
    pair.taken_at = taken_at;
    if (has_left(number))
        pair.left = (struct varve_floats){LEFT, left};
    if (has_right(number))
        pair.right = (struct varve_int32s){RIGHT, right};
    lab_must(lab, lab_tensors_pair_insert(lab->session, &pair));
    return pair.id;
}

static void
expect_pair(const struct tensor_lab *lab, int64_t id, int64_t number)
{
    float left[LEFT];
    int32_t right[RIGHT];
    struct lab_tensors_pair *pair;
    fill_values(number, left, right);
    lab_must(lab, lab_tensors_pair_get(lab->session, id, &pair));
    assert_int_equal(pair->left.count, has_left(number) ? LEFT : 0);
    assert_int_equal(pair->right.count, has_right(number) ? RIGHT : 0);
    if (has_left(number))
        assert_memory_equal(pair->left.data, left, sizeof left);
    if (has_right(number))
        assert_memory_equal(pair->right.data, right, sizeof right);
    lab_tensors_pair_free(pair);
}

/* A slice of the second tensor, where there is one. */
static void
expect_slice(const struct tensor_lab *lab, int64_t id, int64_t number)
{
    float left[LEFT];
    int32_t right[RIGHT];
    int32_t got[2][3];
    const struct varve_range range = {.start = {2, 7}, .count = {2, 3}};
    fill_values(number, left, right);
    enum varve_status status =
        lab_tensors_pair_read_right(lab->session, id, &range, &got[0][0], sizeof got);
    assert_int_equal(status, has_right(number) ? VARVE_OK : VARVE_NOT_FOUND);
    for (int row = 0; has_right(number) && row < 2; row++)
        assert_memory_equal(got[row], right + (2 + row) * 10 + 7, sizeof got[row]);
}

/* -------------------------------------------------------------------- records that lack a tensor */

static void
test_tensors_beside_missing_ones_come_back(void **state)
{
    int64_t ids[PAIRS];
    struct tensor_lab *lab = *state;
    struct varve_maintenance_report report;
    for (int64_t i = 0; i < PAIRS; i++)
        ids[i] = insert_pair(lab, i, varve_now());
    lab_must(lab, varve_flush(lab->store));
    assert_true(lab_segments(lab) > 0);
    lab_open(lab, (struct varve_config){0}); /* nothing is cached */
    for (int64_t i = 0; i < PAIRS; i++) {
        expect_slice(lab, ids[i], i);
        expect_pair(lab, ids[i], i);
    }
    for (int64_t i = 0; i < PAIRS - 10; i++)
        lab_must(lab, lab_tensors_pair_delete(lab->session, ids[i]));
    lab_must(lab, varve_maintain(lab->store, &report));
    assert_true(report.tensors_moved > 0);
    lab_open(lab, (struct varve_config){0});
    for (int64_t i = PAIRS - 10; i < PAIRS; i++)
        expect_pair(lab, ids[i], i);
}

/* What is missing can be added, and what is there taken away. */
static void
test_missing_tensors_can_be_added_and_others_go(void **state)
{
    int64_t ids[12];
    float left[LEFT];
    int32_t right[RIGHT];
    struct tensor_lab *lab = *state;
    for (int64_t i = 0; i < 12; i++)
        ids[i] = insert_pair(lab, i, varve_now());
    lab_must(lab, varve_flush(lab->store));
    for (int64_t i = 0; i < 12; i++) { /* each becomes its next, of other parts */
        struct lab_tensors_pair pair = LAB_TENSORS_PAIR_INIT;
        fill_values(i + 1, left, right);
        pair.id = ids[i];
        pair.taken_at = varve_now();
        if (has_left(i + 1))
            pair.left = (struct varve_floats){LEFT, left};
        if (has_right(i + 1))
            pair.right = (struct varve_int32s){RIGHT, right};
        lab_must(lab, lab_tensors_pair_update(lab->session, &pair));
    }
    lab_must(lab, varve_flush(lab->store));
    for (int64_t i = 0; i < 12; i++)
        expect_pair(lab, ids[i], i + 1);
}

static void
fill_frame(struct lab_tensors_frame *frame, uint8_t *pixels, uint16_t *depths, int value)
{
    for (int i = 0; i < SHAPE; i++) {
        pixels[i] = (uint8_t)(value + i);
        depths[i] = (uint16_t)(value * 64 + i);
    }
    *frame = (struct lab_tensors_frame)LAB_TENSORS_FRAME_INIT;
    frame->taken_at = varve_now();
    frame->pixels = (struct varve_uint8s){SHAPE, pixels};
    frame->depths = (struct varve_uint16s){SHAPE, depths};
}

/* The pixels are of one value, the depths of another. */
static void
expect_frame(const struct tensor_lab *lab, int64_t id, int value, int other)
{
    uint8_t pixels[SHAPE], skipped[SHAPE];
    uint16_t depths[SHAPE], unused[SHAPE];
    struct lab_tensors_frame *frame, expected;
    fill_frame(&expected, pixels, unused, value);
    fill_frame(&expected, skipped, depths, other);
    lab_must(lab, lab_tensors_frame_get(lab->session, id, &frame));
    assert_memory_equal(frame->pixels.data, pixels, sizeof pixels);
    assert_memory_equal(frame->depths.data, depths, sizeof depths);
    lab_tensors_frame_free(frame);
}

/* Tensors of one shape lie in a row for each record of the segment, those that lie elsewhere too. */
static void
test_a_tensor_of_one_shape_moves_without_the_other(void **state)
{
    static enum lab_tensors_frame_field fields[] = {LAB_TENSORS_FRAME_FIELD_DEPTHS};
    struct tensor_lab *lab = *state;
    struct lab_tensors_frame frame;
    uint8_t pixels[SHAPE];
    uint16_t depths[SHAPE];
    int64_t ids[20];
    for (int i = 0; i < 20; i++) {
        fill_frame(&frame, pixels, depths, i);
        lab_must(lab, lab_tensors_frame_insert(lab->session, &frame));
        ids[i] = frame.id;
    }
    lab_must(lab, varve_flush(lab->store));
    for (int i = 0; i < 20; i++) {
        fill_frame(&frame, pixels, depths, 100 + i);
        frame.id = ids[i];
        if (i % 4 == 0)
            lab_must(lab, lab_tensors_frame_update(lab->session, &frame));
        else
            lab_must(lab, lab_tensors_frame_update_fields(lab->session, &frame, fields, 1));
    }
    lab_must(lab, varve_flush(lab->store));
    lab_open(lab, (struct varve_config){0}); /* nothing is cached */
    for (int i = 0; i < 20; i++)
        expect_frame(lab, ids[i], i % 4 == 0 ? 100 + i : i, 100 + i);
}

/* -------------------------------------------------------------------- upkeep */

static void
test_retention_leaves_what_others_refer_to(void **state)
{
    struct tensor_lab *lab = *state;
    struct varve_maintenance_report report;
    struct lab_tensors_note note = LAB_TENSORS_NOTE_INIT;
    int64_t ids[5];
    for (int64_t i = 0; i < 5; i++)
        ids[i] = insert_pair(lab, 6 * i, varve_now() - INT64_C(8) * 86400 * 1000000000);
    note.pair_id = ids[2];
    lab_must(lab, lab_tensors_note_insert(lab->session, &note));
    lab_must(lab, varve_maintain(lab->store, &report));
    assert_int_equal(report.records_retired, 4);
    assert_int_equal(report.records_kept, 1);
    expect_pair(lab, ids[2], 12);
    lab_must(lab, lab_tensors_note_delete(lab->session, note.id));
    lab_must(lab, varve_maintain(lab->store, &report));
    assert_int_equal(report.records_retired, 1);
    assert_int_equal(report.records_kept, 0);
}

static void
test_upkeep_that_another_program_is_at_is_busy(void **state)
{
    char path[96];
    struct tensor_lab *lab = *state;
    int64_t id = insert_pair(lab, 6, varve_now());
    lab_must(lab, varve_flush(lab->store));
    snprintf(path, sizeof path, "%s/archive.lock", lab->folder);
    int file = open(path, O_RDWR);
    assert_true(file >= 0);
    assert_int_equal(flock(file, LOCK_EX), 0);
    assert_int_equal(varve_flush(lab->store), VARVE_BUSY);
    assert_non_null(strstr(varve_session_error(NULL), "flushes or compacts the archive of"));
    assert_int_equal(varve_maintain(lab->store, NULL), VARVE_BUSY);
    expect_pair(lab, id, 6); /* reading waits for nobody */
    close(file);
    lab_must(lab, varve_flush(lab->store));
}

static void
test_what_only_reads_does_not_flush(void **state)
{
    struct tensor_lab *lab = *state;
    int64_t id = insert_pair(lab, 6, varve_now());
    assert_int_equal(varve_flush(NULL), VARVE_MISUSE);
    assert_non_null(strstr(varve_session_error(NULL), "varve_flush: the store is NULL"));
    lab_open(lab, (struct varve_config){.read_only = true});
    assert_int_equal(varve_flush(lab->store), VARVE_READ_ONLY);
    assert_non_null(strstr(varve_session_error(NULL), "was opened with read_only"));
    expect_pair(lab, id, 6);
    assert_int_equal(lab_segments(lab), 0);
}

/* Something that is no folder is in the archive's place, or something that is no file in a segment's. */
static void
test_what_cannot_be_deleted_is_named(void **state)
{
    struct tensor_lab *lab = *state;
    insert_pair(lab, 6, varve_now());
    lab_must(lab, varve_flush(lab->store));
    lab_run(lab, "mkdir archive/lab.tensors.Pair/0123456789abcdef.h5");
    assert_int_equal(varve_maintain(lab->store, NULL), VARVE_IO);
    assert_non_null(strstr(varve_session_error(NULL), "0123456789abcdef.h5: Is a directory"));
    lab_run(lab, "rmdir archive/lab.tensors.Pair/0123456789abcdef.h5");
    lab_must(lab, varve_maintain(lab->store, NULL));
    lab_run(lab, "mv archive aside; touch archive");
    assert_int_equal(varve_maintain(lab->store, NULL), VARVE_IO);
    assert_non_null(strstr(varve_session_error(NULL), "archive: Not a directory"));
    lab_run(lab, "rm archive; mv aside archive");
    lab_must(lab, varve_maintain(lab->store, NULL));
}

static struct tensor_lab late; /* whose store is open when its process ends */
static int told = 2;           /* where it says what it was told */

/* Registered before libhdf5 begins, so that it has ended by now. */
static void
flush_late(void)
{
    if (!late.store)
        return;
    enum varve_status status = varve_flush(late.store);
    const char *text = varve_session_error(NULL);
    dprintf(told, "%s: %s", varve_status_name(status), text);
}

static void
end_with_an_open_store(const struct tensor_lab *lab, int end)
{
    told = end;
    snprintf(late.folder, sizeof late.folder, "%.50s/late", lab->folder);
    lab_open(&late, (struct varve_config){0});
    insert_pair(&late, 6, varve_now());
    lab_must(&late, varve_flush(late.store));
    insert_pair(&late, 12, varve_now());
    exit(0);
}

/* A store that is used while its process ends is told so, and what is staged stays there. */
static void
test_a_flush_while_the_process_ends_is_refused(void **state)
{
    int ends[2], status;
    char text[400] = "";
    struct tensor_lab *lab = *state;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        end_with_an_open_store(lab, ends[1]);
    close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(read(ends[0], text, sizeof text - 1) > 0);
    close(ends[0]);
    if (strncmp(text, "VARVE_MISUSE: ", 14) != 0 || !strstr(text, "close stores before exit()"))
        fail_msg("%s", text);
    snprintf(late.folder, sizeof late.folder, "%.50s/late", lab->folder);
    lab_open(&late, (struct varve_config){0});
    expect_pair(&late, 1, 6);
    expect_pair(&late, 2, 12);
    lab_must(&late, varve_maintain(late.store, NULL));
    assert_int_equal(lab_segments(&late), 2);
    lab_close(&late);
}

/* -------------------------------------------------------------------- damage */

static void
note_finding(void *context, const char *file, const char *text)
{
    char *found = context;
    assert_non_null(strstr(file, ".h5"));
    strcat(strncat(found, text, 150), "\n");
}

static void
test_a_folder_in_the_place_of_a_segment_is_a_finding(void **state)
{
    struct tensor_lab *lab = *state;
    char found[1000] = "";
    insert_pair(lab, 6, varve_now());
    lab_must(lab, varve_flush(lab->store));
    lab_must(lab, varve_archive_verify(lab->session, note_finding, found));
    assert_string_equal(found, "");
    lab_run(lab, "f=$(find . -name '*.h5'); rm $f; mkdir $f");
    lab_open(lab, (struct varve_config){0});
    lab_must(lab, varve_archive_verify(lab->session, note_finding, found));
    assert_non_null(strstr(found, "cannot be read: Is a directory"));
}

/* Whether it is open already, or not. */
static void
test_a_segment_that_was_cut_is_damage_when_it_is_read(void **state)
{
    struct tensor_lab *lab = *state;
    struct lab_tensors_pair *pair;
    int32_t right[RIGHT];
    int64_t id = insert_pair(lab, 6, varve_now());
    lab_must(lab, varve_flush(lab->store));
    lab_open(lab, (struct varve_config){.chunk_cache_bytes = -1});
    expect_pair(lab, id, 6);
    assert_int_equal(lab_run(lab, "truncate -s 100 $(find . -name '*.h5') && echo 1"), 1);
    lab_expect(
        lab, lab_tensors_pair_get(lab->session, id, &pair), VARVE_CORRUPT,
        "is not what was sealed: the file is damaged; restore it from a backup");
    assert_null(pair);
    lab_open(lab, (struct varve_config){0});
    lab_expect(
        lab, lab_tensors_pair_read_right(lab->session, id, NULL, right, sizeof right),
        VARVE_CORRUPT, "has 100 bytes and not the ");
}

static void
test_a_place_that_was_changed_is_damage(void **state)
{
    struct tensor_lab *lab = *state;
    struct lab_tensors_pair *pair;
    int64_t id = insert_pair(lab, 6, varve_now());
    lab_must(lab, varve_flush(lab->store));
    lab_execute(lab, "UPDATE varve_staged_pair SET place = 1000000000");
    lab_expect(
        lab, lab_tensors_pair_get(lab->session, id, &pair), VARVE_CORRUPT,
        "is not what was written: the database was changed by hand or damaged");
    assert_null(pair);
}

/* Without it nobody knows whose the folder is. */
static void
test_an_archive_without_its_identity_is_damage(void **state)
{
    static const char *const damages[] = {
        "DELETE FROM varve_archive", "UPDATE varve_archive SET identity = x'00'"};
    struct tensor_lab *lab = *state;
    int64_t id = insert_pair(lab, 6, varve_now());
    for (size_t i = 0; i < 2; i++) {
        lab_execute(lab, damages[i]);
        lab_open(lab, (struct varve_config){0});
        assert_int_equal(varve_flush(lab->store), VARVE_CORRUPT);
        assert_non_null(
            strstr(varve_session_error(NULL), "the table varve_archive does not have its one row"));
        expect_pair(lab, id, 6);
        assert_int_equal(lab_segments(lab), 0);
        lab_execute(lab, "DELETE FROM varve_archive; INSERT INTO varve_archive VALUES (x'00')");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LAB_TEST(test_tensors_beside_missing_ones_come_back),
        LAB_TEST(test_missing_tensors_can_be_added_and_others_go),
        LAB_TEST(test_a_tensor_of_one_shape_moves_without_the_other),
        LAB_TEST(test_retention_leaves_what_others_refer_to),
        LAB_TEST(test_upkeep_that_another_program_is_at_is_busy),
        LAB_TEST(test_what_only_reads_does_not_flush),
        LAB_TEST(test_what_cannot_be_deleted_is_named),
        LAB_TEST(test_a_flush_while_the_process_ends_is_refused),
        LAB_TEST(test_a_folder_in_the_place_of_a_segment_is_a_finding),
        LAB_TEST(test_a_segment_that_was_cut_is_damage_when_it_is_read),
        LAB_TEST(test_a_place_that_was_changed_is_damage),
        LAB_TEST(test_an_archive_without_its_identity_is_damage),
    };
    if (atexit(flush_late) != 0)
        return 100;
    return cmocka_run_group_tests_name("archive upkeep", tests, NULL, NULL);
}
