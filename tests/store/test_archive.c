#define _XOPEN_SOURCE 700 /* mkdtemp, popen, truncate */
/* Tensors on their way through the archive: written, flushed, compacted, read whole and in slices, at random and
 * compared with a model; what is left on disk at the end. */
#include <dirent.h>
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
#include <sqlite3.h>

#include <cortex/cortex.varve.h>
#include <lab_tensors.varve.h>
#include <varve/health.h>

enum {
    TRAINS = 60,
    TRAIN_MOST = 3000
};

struct model {
    bool there;
    int64_t id;
    int64_t session;
    uint32_t count;
    bool amplitudes;
    uint64_t seed;
};

struct lab {
    char folder[64];
    struct varve_store *store;
    struct varve_session *session;
    struct model trains[TRAINS];
    int64_t parents[2];
    int64_t times[TRAIN_MOST];
    float amplitudes[TRAIN_MOST];
    uint64_t random;
};

static uint64_t
next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static int64_t
below(struct lab *lab, int64_t bound)
{
    return (int64_t)(next(&lab->random) % (uint64_t)bound);
}

static void
must(const struct lab *lab, enum varve_status status)
{
    if (status != VARVE_OK)
        fail_msg("%s: %s", varve_status_name(status), varve_session_error(lab->session));
}

static void
open_lab(struct lab *lab, int64_t stage)
{
    struct varve_error error;
    struct varve_config config = {
        .data_dir = lab->folder, .stage_max_bytes = stage, .segment_bytes = 1 << 17};
    if (varve_open(&lab_tensors_schema, &config, &lab->store, &error) != VARVE_OK)
        fail_msg("%s", error.message);
    must(lab, varve_session_open(lab->store, &lab->session));
}

static void
close_lab(struct lab *lab)
{
    varve_session_close(lab->session);
    varve_close(lab->store);
    lab->session = NULL;
}

static int
set_up(void **state)
{
    struct lab *lab = calloc(1, sizeof *lab);
    snprintf(lab->folder, sizeof lab->folder, "/tmp/varve-archive-XXXXXX");
    assert_non_null(mkdtemp(lab->folder));
    lab->random = 7;
    *state = lab;
    return 0;
}

static int
tear_down(void **state)
{
    char command[100];
    struct lab *lab = *state;
    if (lab->session)
        close_lab(lab);
    snprintf(command, sizeof command, "rm -r %s", lab->folder);
    int code = system(command);
    free(lab);
    return code;
}

/* -------------------------------------------------------------------- trains and their model */

static void
fill(struct lab *lab, const struct model *model)
{
    uint64_t state = model->seed;
    for (uint32_t i = 0; i < model->count; i++) {
        lab->times[i] = (int64_t)(next(&state) >> 40);
        lab->amplitudes[i] = (float)(next(&state) >> 45);
    }
}

static struct lab_tensors_train
make_train(struct lab *lab, const struct model *model)
{
    struct lab_tensors_train train = LAB_TENSORS_TRAIN_INIT;
    fill(lab, model);
    train.id = model->id;
    train.session_id = model->session;
    train.count = model->count;
    train.times = (struct varve_int64s){model->count, lab->times};
    if (model->amplitudes)
        train.amplitudes = (struct varve_floats){model->count, lab->amplitudes};
    return train;
}

static void
choose(struct lab *lab, struct model *model)
{
    static const int64_t sizes[] = {1, 5, 200, TRAIN_MOST};
    model->count = (uint32_t)below(lab, sizes[below(lab, 4)]);
    model->amplitudes = model->count > 0 && below(lab, 2) == 0;
    model->seed = next(&lab->random);
}

static void
insert(struct lab *lab, struct model *model)
{
    choose(lab, model);
    model->id = 0;
    model->session = lab->parents[below(lab, 2)];
    struct lab_tensors_train train = make_train(lab, model);
    must(lab, lab_tensors_train_insert(lab->session, &train));
    model->id = train.id;
    model->there = true;
}

static void
compare(struct lab *lab, const struct model *model)
{
    struct lab_tensors_train *train;
    enum varve_status status = lab_tensors_train_get(lab->session, model->id, &train);
    if (!model->there) {
        assert_int_equal(status, VARVE_NOT_FOUND);
        return;
    }
    must(lab, status);
    fill(lab, model);
    assert_int_equal(train->times.count, model->count);
    assert_int_equal(train->amplitudes.count, model->amplitudes ? model->count : 0);
    if (model->count > 0)
        assert_memory_equal(train->times.data, lab->times, model->count * sizeof *lab->times);
    if (model->amplitudes)
        assert_memory_equal(
            train->amplitudes.data, lab->amplitudes, model->count * sizeof *lab->amplitudes);
    lab_tensors_train_free(train);
}

static void
slice(struct lab *lab, const struct model *model)
{
    int64_t part[TRAIN_MOST];
    if (!model->there || model->count == 0)
        return;
    int64_t start = below(lab, model->count), count = 1 + below(lab, model->count - start);
    struct varve_range range = {.start = {start}, .count = {count}};
    must(
        lab, lab_tensors_train_read_times(
                 lab->session, model->id, &range, part, (size_t)count * sizeof *part));
    fill(lab, model);
    assert_memory_equal(part, lab->times + start, (size_t)count * sizeof *part);
}

static void
update(struct lab *lab, struct model *model)
{
    choose(lab, model);
    struct lab_tensors_train train = make_train(lab, model);
    must(lab, lab_tensors_train_update(lab->session, &train));
}

/* An update that keeps what is stored: the tensors are not loaded. */
static void
update_without(struct lab *lab, struct model *model)
{
    struct lab_tensors_train train = make_train(lab, model);
    train.times.data = NULL;
    train.amplitudes.data = NULL;
    model->session = lab->parents[below(lab, 2)];
    train.session_id = model->session;
    must(lab, lab_tensors_train_update(lab->session, &train));
}

static void
roll_back(struct lab *lab)
{
    struct model lost = {0};
    must(lab, varve_begin(lab->session));
    insert(lab, &lost);
    compare(lab, &lost);
    must(lab, varve_begin(lab->session));
    struct model nested = {0};
    insert(lab, &nested);
    must(lab, varve_rollback(lab->session));
    must(lab, varve_rollback(lab->session));
    lost.there = false;
    compare(lab, &lost);
}

static void
cascade(struct lab *lab)
{
    int64_t which = below(lab, 2), gone = lab->parents[which];
    struct lab_tensors_session parent = LAB_TENSORS_SESSION_INIT;
    must(lab, lab_tensors_session_delete(lab->session, gone));
    must(lab, lab_tensors_session_insert(lab->session, &parent));
    lab->parents[which] = parent.id;
    for (size_t i = 0; i < TRAINS; i++)
        lab->trains[i].there = lab->trains[i].there && lab->trains[i].session != gone;
}

static void
insert_many(struct lab *lab)
{
    enum {
        MANY = 8
    };
    struct lab_tensors_train trains[MANY];
    struct model *models[MANY];
    size_t count = 0;
    int64_t *times[MANY];
    for (size_t i = 0; i < TRAINS && count < MANY; i++) {
        struct model *model = &lab->trains[i];
        if (model->there)
            continue;
        choose(lab, model);
        model->amplitudes = false;
        model->id = 0;
        model->session = lab->parents[0];
        trains[count] = make_train(lab, model);
        times[count] = malloc(model->count * sizeof **times + 1);
        memcpy(times[count], lab->times, model->count * sizeof **times);
        trains[count].times.data = times[count];
        models[count++] = model;
    }
    must(lab, lab_tensors_train_insert_many(lab->session, trains, (int64_t)count));
    for (size_t i = 0; i < count; i++) {
        models[i]->id = trains[i].id;
        models[i]->there = true;
        free(times[i]);
    }
}

/* -------------------------------------------------------------------- the walk */

static void
step(struct lab *lab)
{
    struct model *model = &lab->trains[below(lab, TRAINS)];
    int64_t what = below(lab, 100);
    if (what < 4)
        must(lab, varve_flush(lab->store));
    else if (what < 7)
        must(lab, varve_maintain(lab->store, NULL));
    else if (what < 9)
        cascade(lab);
    else if (what < 13)
        roll_back(lab);
    else if (what < 16)
        insert_many(lab);
    else if (what < 30)
        compare(lab, model);
    else if (what < 45)
        slice(lab, model);
    else if (!model->there)
        insert(lab, model);
    else if (what < 70)
        update(lab, model);
    else if (what < 85)
        update_without(lab, model);
    else {
        must(lab, lab_tensors_train_delete(lab->session, model->id));
        model->there = false;
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

static int64_t
count_files(const struct lab *lab, const char *message)
{
    char path[200];
    int64_t count = 0;
    snprintf(path, sizeof path, "%s/archive/%s", lab->folder, message);
    DIR *folder = opendir(path);
    if (!folder)
        return 0;
    for (const struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static void
walk(struct lab *lab, int64_t stage, size_t steps)
{
    open_lab(lab, stage);
    for (size_t i = 0; i < 2; i++) {
        struct lab_tensors_session parent = LAB_TENSORS_SESSION_INIT;
        must(lab, lab_tensors_session_insert(lab->session, &parent));
        lab->parents[i] = parent.id;
    }
    for (size_t i = 0; i < steps; i++) {
        step(lab);
        if (i % 200 == 199) {
            close_lab(lab);
            open_lab(lab, stage);
        }
    }
    for (size_t i = 0; i < TRAINS; i++)
        compare(lab, &lab->trains[i]);
    must(lab, varve_maintain(lab->store, NULL));
    for (size_t i = 0; i < TRAINS; i++)
        compare(lab, &lab->trains[i]);
    assert_int_equal(
        count_files(lab, "lab.tensors.Train"), ask(lab, "SELECT count(*) FROM varve_segment"));
    assert_int_equal(ask(lab, "SELECT count(*) FROM varve_dropped"), 0);
}

static void
test_what_is_staged_flushed_and_compacted_at_random_is_what_was_written(void **state)
{
    walk(*state, 0, 3000);
}

static void
test_what_goes_to_segments_at_once_is_what_was_written(void **state)
{
    walk(*state, -1, 1500);
}

static void
test_some_large_and_some_small_tensors_are_what_was_written(void **state)
{
    walk(*state, 5000, 3000);
}

/* -------------------------------------------------------------------- shapes */

static void
test_a_slice_of_a_matrix_is_its_rows_and_columns(void **state)
{
    enum {
        ROWS = 300,
        COLUMNS = 70
    };
    static double cells[ROWS * COLUMNS], part[ROWS * COLUMNS];
    struct lab *lab = *state;
    struct lab_tensors_matrix matrix = LAB_TENSORS_MATRIX_INIT, *got;
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        cells[i] = (double)i;
    open_lab(lab, 0);
    matrix.rows = ROWS;
    matrix.columns = COLUMNS;
    matrix.cells = (struct varve_doubles){ROWS * COLUMNS, cells};
    must(lab, lab_tensors_matrix_insert(lab->session, &matrix));
    for (int round = 0; round < 2; round++) {
        must(lab, lab_tensors_matrix_get(lab->session, matrix.id, &got));
        assert_memory_equal(got->cells.data, cells, sizeof cells);
        lab_tensors_matrix_free(got);
        for (int i = 0; i < 200; i++) {
            int64_t row = below(lab, ROWS), column = below(lab, COLUMNS);
            int64_t rows = 1 + below(lab, ROWS - row), columns = 1 + below(lab, COLUMNS - column);
            struct varve_range range = {.start = {row, column}, .count = {rows, columns}};
            must(
                lab, lab_tensors_matrix_read_cells(
                         lab->session, matrix.id, &range, part,
                         (size_t)(rows * columns) * sizeof *part));
            for (int64_t r = 0; r < rows; r++)
                assert_memory_equal(
                    part + r * columns, cells + (row + r) * COLUMNS + column,
                    (size_t)columns * sizeof *part);
        }
        must(lab, varve_flush(lab->store));
    }
    assert_int_equal(count_files(lab, "lab.tensors.Matrix"), 1);
    struct varve_range outside = {.start = {299, 0}, .count = {2, 70}};
    assert_int_equal(
        lab_tensors_matrix_read_cells(lab->session, matrix.id, &outside, part, 140 * sizeof *part),
        VARVE_INVALID);
    struct varve_range inside = {.start = {298, 0}, .count = {2, 70}};
    assert_int_equal(
        lab_tensors_matrix_read_cells(lab->session, matrix.id, &inside, part, 8), VARVE_INVALID);
    assert_int_equal(
        lab_tensors_matrix_read_cells(lab->session, 99, NULL, part, sizeof part), VARVE_NOT_FOUND);
}

static void
test_a_tensor_written_in_rows_is_whole_or_not_there(void **state)
{
    enum {
        ROWS = 1000,
        COLUMNS = 50
    };
    static double cells[ROWS * COLUMNS];
    struct lab *lab = *state;
    struct varve_tensor_writer *writer;
    struct lab_tensors_matrix matrix = LAB_TENSORS_MATRIX_INIT, *got;
    const int64_t dims[] = {ROWS, COLUMNS}, others[] = {ROWS, COLUMNS + 1};
    open_lab(lab, 0);
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        cells[i] = (double)i / 3;
    double first[ROWS * COLUMNS / 500] = {1};
    matrix.rows = 2;
    matrix.columns = COLUMNS;
    matrix.cells = (struct varve_doubles){2 * COLUMNS, first};
    must(lab, lab_tensors_matrix_insert(lab->session, &matrix));
    assert_int_equal(
        lab_tensors_matrix_write_cells_begin(lab->session, matrix.id, dims, &writer),
        VARVE_INVALID);
    assert_null(writer);
    static double zeros[ROWS * COLUMNS];
    matrix.rows = ROWS;
    matrix.cells = (struct varve_doubles){ROWS * COLUMNS, zeros};
    must(lab, lab_tensors_matrix_update(lab->session, &matrix));
    assert_int_equal(
        lab_tensors_matrix_write_cells_begin(lab->session, matrix.id, others, &writer),
        VARVE_INVALID);
    must(lab, lab_tensors_matrix_write_cells_begin(lab->session, matrix.id, dims, &writer));
    must(lab, lab_tensors_matrix_write_cells_rows(writer, cells, 10));
    assert_int_equal(lab_tensors_matrix_write_cells_finish(writer), VARVE_INVALID);
    must(lab, lab_tensors_matrix_write_cells_begin(lab->session, matrix.id, dims, &writer));
    for (int64_t row = 0; row < ROWS; row += 40)
        must(lab, lab_tensors_matrix_write_cells_rows(writer, cells + row * COLUMNS, 40));
    assert_int_equal(lab_tensors_matrix_write_cells_rows(writer, cells, 1), VARVE_INVALID);
    must(lab, lab_tensors_matrix_get(lab->session, matrix.id, &got));
    assert_memory_equal(got->cells.data, zeros, sizeof zeros);
    lab_tensors_matrix_free(got);
    must(lab, lab_tensors_matrix_write_cells_finish(writer));
    must(lab, lab_tensors_matrix_get(lab->session, matrix.id, &got));
    assert_memory_equal(got->cells.data, cells, sizeof cells);
    lab_tensors_matrix_free(got);
}

static void
test_records_of_one_shape_and_records_without_compression_come_back(void **state)
{
    enum {
        FRAMES = 200,
        NUMBERS = 100000
    };
    static uint8_t pixels[FRAMES][48];
    static uint16_t depths[FRAMES][48];
    static uint32_t numbers[NUMBERS];
    static struct lab_tensors_frame frames[FRAMES];
    struct lab *lab = *state;
    open_lab(lab, 0);
    for (size_t i = 0; i < FRAMES; i++) {
        for (size_t k = 0; k < 48; k++) {
            pixels[i][k] = (uint8_t)next(&lab->random);
            depths[i][k] = (uint16_t)next(&lab->random);
        }
        lab_tensors_frame_init(&frames[i]);
        frames[i].taken_at = varve_now();
        frames[i].pixels = (struct varve_uint8s){48, pixels[i]};
        frames[i].depths = (struct varve_uint16s){48, depths[i]};
    }
    must(lab, lab_tensors_frame_insert_many(lab->session, frames, FRAMES));
    struct lab_tensors_plain plain = LAB_TENSORS_PLAIN_INIT, *got;
    for (size_t i = 0; i < NUMBERS; i++)
        numbers[i] = (uint32_t)next(&lab->random);
    plain.size = NUMBERS;
    plain.numbers = (struct varve_uint32s){NUMBERS, numbers};
    must(lab, lab_tensors_plain_insert(lab->session, &plain));
    must(lab, varve_flush(lab->store));
    close_lab(lab);
    open_lab(lab, 0);
    for (size_t i = 0; i < FRAMES; i++) {
        struct lab_tensors_frame *frame;
        must(lab, lab_tensors_frame_get(lab->session, frames[i].id, &frame));
        assert_memory_equal(frame->pixels.data, pixels[i], 48);
        assert_memory_equal(frame->depths.data, depths[i], 96);
        lab_tensors_frame_free(frame);
    }
    must(lab, lab_tensors_plain_get(lab->session, plain.id, &got));
    assert_memory_equal(got->numbers.data, numbers, sizeof numbers);
    lab_tensors_plain_free(got);
}

/* -------------------------------------------------------------------- upkeep */

static void
test_retention_deletes_what_is_too_old_and_its_files(void **state)
{
    static uint8_t pixels[48];
    static uint16_t depths[48];
    struct lab *lab = *state;
    struct varve_maintenance_report report;
    open_lab(lab, -1);
    for (int64_t i = 0; i < 10; i++) {
        struct lab_tensors_frame frame = LAB_TENSORS_FRAME_INIT;
        frame.taken_at = varve_now() - (i < 6 ? INT64_C(8) : INT64_C(6)) * INT64_C(86400000000000);
        frame.pixels = (struct varve_uint8s){48, pixels};
        frame.depths = (struct varve_uint16s){48, depths};
        must(lab, lab_tensors_frame_insert(lab->session, &frame));
    }
    must(lab, varve_maintain(lab->store, &report));
    assert_int_equal(report.records_retired, 6);
    int64_t count;
    must(lab, lab_tensors_frame_count(lab->session, NULL, &count));
    assert_int_equal(count, 4);
    assert_int_equal(
        count_files(lab, "lab.tensors.Frame"), ask(lab, "SELECT count(*) FROM varve_segment"));
}

static void
test_a_file_that_a_snapshot_may_name_stays_until_it_ends(void **state)
{
    static uint32_t numbers[100000];
    struct lab *lab = *state;
    struct varve_session *reader;
    struct lab_tensors_plain plain = LAB_TENSORS_PLAIN_INIT, *got;
    open_lab(lab, 0);
    plain.size = 100000;
    plain.numbers = (struct varve_uint32s){100000, numbers};
    must(lab, lab_tensors_plain_insert(lab->session, &plain));
    must(lab, varve_session_open(lab->store, &reader));
    must(lab, varve_begin_read(reader));
    int64_t count;
    must(lab, lab_tensors_plain_count(reader, NULL, &count));
    must(lab, lab_tensors_plain_delete(lab->session, plain.id));
    must(lab, varve_maintain(lab->store, NULL));
    assert_int_equal(ask(lab, "SELECT count(*) FROM varve_segment"), 0);
    assert_int_equal(count_files(lab, "lab.tensors.Plain"), 1);
    must(lab, lab_tensors_plain_get(reader, plain.id, &got));
    assert_memory_equal(got->numbers.data, numbers, sizeof numbers);
    lab_tensors_plain_free(got);
    must(lab, varve_commit(reader));
    varve_session_close(reader);
    must(lab, varve_maintain(lab->store, NULL));
    assert_int_equal(count_files(lab, "lab.tensors.Plain"), 0);
}

static void
test_what_a_crash_left_is_swept_and_what_others_put_there_is_not(void **state)
{
    static const char *const names[] = {
        "0123456789abcdef.h5", "0123456789abcdee.h5.tmp", "mine.h5"};
    static uint32_t numbers[100000];
    char path[200];
    struct lab *lab = *state;
    struct lab_tensors_plain plain = LAB_TENSORS_PLAIN_INIT;
    open_lab(lab, 0);
    plain.size = 100000;
    plain.numbers = (struct varve_uint32s){100000, numbers};
    must(lab, lab_tensors_plain_insert(lab->session, &plain));
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/archive/lab.tensors.Plain/%s", lab->folder, names[i]);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fclose(file);
    }
    must(lab, varve_maintain(lab->store, NULL));
    assert_int_equal(count_files(lab, "lab.tensors.Plain"), 2);
    assert_int_equal(access(path, F_OK), 0);
}

/* -------------------------------------------------------------------- damage */

static void
test_a_changed_byte_of_a_segment_is_found(void **state)
{
    enum {
        FLIPS = 300
    };
    static double cells[20000];
    char command[200], path[300] = "";
    struct lab *lab = *state;
    struct lab_tensors_matrix matrix = LAB_TENSORS_MATRIX_INIT, *got;
    for (size_t i = 0; i < 20000; i++)
        cells[i] = (double)(next(&lab->random) >> 40);
    open_lab(lab, -1);
    matrix.rows = 100;
    matrix.columns = 200;
    matrix.cells = (struct varve_doubles){20000, cells};
    must(lab, lab_tensors_matrix_insert(lab->session, &matrix));
    snprintf(command, sizeof command, "ls %s/archive/lab.tensors.Matrix/*.h5", lab->folder);
    FILE *list = popen(command, "r");
    assert_int_equal(fscanf(list, "%299s", path), 1);
    pclose(list);
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    size_t noticed = 0;
    FILE *file = fopen(path, "r+b");
    for (int i = 0; i < FLIPS; i++) {
        long place = (long)below(lab, found.st_size);
        fseek(file, place, SEEK_SET);
        int byte = fgetc(file);
        fseek(file, place, SEEK_SET);
        fputc(byte ^ (1 << below(lab, 8)), file);
        fflush(file);
        enum varve_status status = lab_tensors_matrix_get(lab->session, matrix.id, &got);
        if (status == VARVE_OK) {
            assert_memory_equal(got->cells.data, cells, sizeof cells);
            lab_tensors_matrix_free(got);
        } else {
            assert_int_equal(status, VARVE_CORRUPT);
            noticed++;
        }
        fseek(file, place, SEEK_SET);
        fputc(byte, file);
        fflush(file);
    }
    fclose(file);
    assert_true(noticed > FLIPS / 2);
    assert_int_equal(truncate(path, found.st_size - 1), 0);
    close_lab(lab);
    open_lab(lab, -1);
    assert_int_equal(lab_tensors_matrix_get(lab->session, matrix.id, &got), VARVE_CORRUPT);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(lab_tensors_matrix_get(lab->session, matrix.id, &got), VARVE_CORRUPT);
}

static void
test_a_changed_row_of_the_catalog_is_found(void **state)
{
    static const char *const changes[] = {
        "UPDATE varve_staged_plain SET place = place + 1 WHERE record = 1",
        "UPDATE varve_staged_plain SET dataset = 2 WHERE record = 1",
        "UPDATE varve_staged_plain SET dataset = 77 WHERE record = 1",
        "UPDATE varve_staged_plain SET hash = hash + 1 WHERE record = 1",
        "UPDATE varve_dataset SET segment = 2 WHERE id = 1",
        "UPDATE varve_dataset SET layout = substr(layout, 1, length(layout) - 1) WHERE id = 1",
        "UPDATE varve_dataset SET layout = zeroblob(length(layout)) WHERE id = 1",
        "UPDATE varve_segment SET size = size + 1 WHERE id = 1",
        "UPDATE varve_segment SET file = 'lab.tensors.Plain/none.h5' WHERE id = 1",
    };
    static uint32_t numbers[1000];
    struct lab *lab = *state;
    struct lab_tensors_plain *got;
    open_lab(lab, -1);
    for (uint32_t i = 0; i < 2; i++) {
        struct lab_tensors_plain plain = LAB_TENSORS_PLAIN_INIT;
        numbers[0] = i;
        plain.size = 1000;
        plain.numbers = (struct varve_uint32s){1000, numbers};
        must(lab, lab_tensors_plain_insert(lab->session, &plain));
    }
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        close_lab(lab);
        open_lab(lab, -1);
        must(lab, varve_begin(lab->session));
        sqlite3 *database = varve_session_sqlite(lab->session);
        assert_int_equal(sqlite3_exec(database, changes[i], NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(lab_tensors_plain_get(lab->session, 1, &got), VARVE_CORRUPT);
        must(lab, varve_rollback(lab->session));
        must(lab, lab_tensors_plain_get(lab->session, 1, &got));
        lab_tensors_plain_free(got);
    }
}

static void
test_segments_of_another_package_are_left_alone(void **state)
{
    static uint32_t numbers[1000] = {7};
    struct lab *lab = *state;
    struct varve_error error;
    const struct varve_schema *const both[] = {&lab_tensors_schema, &cortex_schema};
    struct varve_config config = {.data_dir = lab->folder, .stage_max_bytes = -1};
    assert_int_equal(varve_open_many(both, 2, &config, &lab->store, &error), VARVE_OK);
    must(lab, varve_session_open(lab->store, &lab->session));
    struct lab_tensors_plain plain = LAB_TENSORS_PLAIN_INIT, *got;
    plain.size = 1000;
    plain.numbers = (struct varve_uint32s){1000, numbers};
    must(lab, lab_tensors_plain_insert(lab->session, &plain));
    close_lab(lab);
    struct varve_store *other;
    assert_int_equal(varve_open(&cortex_schema, &config, &other, &error), VARVE_OK);
    assert_int_equal(varve_maintain(other, NULL), VARVE_OK);
    varve_close(other);
    assert_int_equal(varve_open_many(both, 2, &config, &lab->store, &error), VARVE_OK);
    must(lab, varve_session_open(lab->store, &lab->session));
    must(lab, lab_tensors_plain_get(lab->session, plain.id, &got));
    assert_memory_equal(got->numbers.data, numbers, sizeof numbers);
    lab_tensors_plain_free(got);
}

/* As a newer schema has them. */
static void
test_a_segment_with_fields_that_the_program_does_not_know_is_not_compacted(void **state)
{
    static uint8_t pixels[48];
    static uint16_t depths[48];
    struct lab *lab = *state;
    struct lab_tensors_frame frames[10];
    open_lab(lab, -1);
    for (size_t i = 0; i < 10; i++) {
        lab_tensors_frame_init(&frames[i]);
        frames[i].taken_at = varve_now();
        frames[i].pixels = (struct varve_uint8s){48, pixels};
        frames[i].depths = (struct varve_uint16s){48, depths};
    }
    must(lab, lab_tensors_frame_insert_many(lab->session, frames, 10));
    sqlite3 *database = varve_session_sqlite(lab->session);
    assert_int_equal(
        sqlite3_exec(
            database, "UPDATE varve_staged_frame SET field = 99 WHERE record = 1 AND field = 3",
            NULL, NULL, NULL),
        SQLITE_OK);
    for (size_t i = 1; i < 9; i++)
        must(lab, lab_tensors_frame_delete(lab->session, frames[i].id));
    must(lab, varve_maintain(lab->store, NULL));
    assert_int_equal(
        ask(lab, "SELECT count(*) FROM varve_staged_frame JOIN varve_dataset ON dataset = "
                 "varve_dataset.id WHERE field = 99"),
        1);
    assert_int_equal(count_files(lab, "lab.tensors.Frame"), 1);
}

static void
test_compaction_comes_to_an_end_where_records_have_a_part_of_their_tensors_elsewhere(void **state)
{
    static uint8_t pixels[48];
    static uint16_t depths[48];
    struct lab *lab = *state;
    struct varve_maintenance_report report;
    struct lab_tensors_frame frames[20];
    open_lab(lab, -1);
    for (size_t i = 0; i < 20; i++) {
        lab_tensors_frame_init(&frames[i]);
        frames[i].taken_at = varve_now();
        frames[i].pixels = (struct varve_uint8s){48, pixels};
        frames[i].depths = (struct varve_uint16s){48, depths};
    }
    must(lab, lab_tensors_frame_insert_many(lab->session, frames, 20));
    for (size_t i = 0; i < 20; i++) {
        frames[i].depths.data = NULL;
        must(lab, lab_tensors_frame_update(lab->session, &frames[i]));
    }
    for (int i = 0; i < 4; i++)
        must(lab, varve_maintain(lab->store, &report));
    assert_int_equal(report.tensors_moved, 0);
}

static void
test_a_session_opens_beside_a_writer(void **state)
{
    struct lab *lab = *state;
    struct varve_session *other;
    open_lab(lab, 0);
    must(lab, varve_begin(lab->session));
    must(lab, varve_session_open(lab->store, &other));
    varve_session_close(other);
    must(lab, varve_rollback(lab->session));
}

static void
test_dims_that_no_memory_holds_are_damage(void **state)
{
    static double cells[4];
    struct lab *lab = *state;
    struct lab_tensors_matrix matrix = LAB_TENSORS_MATRIX_INIT;
    struct varve_range range = {.start = {0, 0}, .count = {1, 4}};
    open_lab(lab, 0);
    matrix.rows = 1;
    matrix.columns = 4;
    matrix.cells = (struct varve_doubles){4, cells};
    must(lab, lab_tensors_matrix_insert(lab->session, &matrix));
    sqlite3 *database = varve_session_sqlite(lab->session);
    assert_int_equal(
        sqlite3_exec(
            database,
            "UPDATE varve_staged_matrix SET dims = '4611686018427387904,4', hash = NULL, bytes = "
            "x''",
            NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(
        lab_tensors_matrix_read_cells(lab->session, matrix.id, &range, cells, sizeof cells),
        VARVE_CORRUPT);
    must(lab, varve_flush(lab->store));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_staged_flushed_and_compacted_at_random_is_what_was_written),
        TEST(test_what_goes_to_segments_at_once_is_what_was_written),
        TEST(test_some_large_and_some_small_tensors_are_what_was_written),
        TEST(test_a_slice_of_a_matrix_is_its_rows_and_columns),
        TEST(test_a_tensor_written_in_rows_is_whole_or_not_there),
        TEST(test_records_of_one_shape_and_records_without_compression_come_back),
        TEST(test_retention_deletes_what_is_too_old_and_its_files),
        TEST(test_a_file_that_a_snapshot_may_name_stays_until_it_ends),
        TEST(test_what_a_crash_left_is_swept_and_what_others_put_there_is_not),
        TEST(test_a_changed_byte_of_a_segment_is_found),
        TEST(test_a_changed_row_of_the_catalog_is_found),
        TEST(test_segments_of_another_package_are_left_alone),
        TEST(test_a_segment_with_fields_that_the_program_does_not_know_is_not_compacted),
        TEST(test_compaction_comes_to_an_end_where_records_have_a_part_of_their_tensors_elsewhere),
        TEST(test_a_session_opens_beside_a_writer),
        TEST(test_dims_that_no_memory_holds_are_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
