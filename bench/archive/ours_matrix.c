/* A matrix as a record of varve. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <lab.varve.h>
#include <varve/archive.h>

#include "archive/ours.h"
#include "archive/sides.h"

enum {
    STORED_MOST = 8 /* matrices of a store, until it is made anew */
};

/* The three messages are alike, so that one of their structs serves for all. */
#define MUST_BE_LIKE_MATRIX(other)                                                                 \
    _Static_assert(                                                                                \
        sizeof(other) == sizeof(struct lab_matrix) &&                                              \
            offsetof(other, weights) == offsetof(struct lab_matrix, weights),                      \
        "structs of the matrices differ")
MUST_BE_LIKE_MATRIX(struct lab_matrix_fast);
MUST_BE_LIKE_MATRIX(struct lab_matrix_plain);

static const struct varve_record *const records[] = {
    [FILTER_LEVEL_1] = &lab_matrix_fast_record,
    [FILTER_LEVEL_4] = &lab_matrix_record,
    [FILTER_PLAIN] = &lab_matrix_plain_record,
};

struct state {
    struct matrix_setting setting;
    const struct varve_record *record;
    struct ours_store store;
    size_t stored; /* in the store */
    int64_t id;    /* of the last one */
    float *band;
    float *whole; /* all of a matrix */
    uint64_t sliced;
};

/* ------------------------------------------------------------------ writing */

static uint64_t
write_one(struct state *state)
{
    const struct matrix *matrix = state->setting.matrix;
    struct lab_matrix record;
    if (state->stored >= STORED_MOST) {
        ours_store_renew(&state->store);
        state->stored = 0;
    }
    varve_record_init(state->record, &record);
    record.rows = (uint32_t)matrix->side;
    record.columns = (uint32_t)matrix->side;
    record.weights = (struct varve_floats){matrix->side * matrix->side, matrix->values};
    uint64_t start = bench_now();
    ours_must(
        &state->store, varve_record_insert(state->store.session, state->record, &record), "insert");
    uint64_t time = bench_now() - start;
    state->stored++;
    state->id = record.id;
    return time;
}

static uint64_t
write_matrix(void *context, size_t operations)
{
    uint64_t time = 0;
    for (size_t i = 0; i < operations; i++)
        time += write_one(context);
    return time;
}

/* ------------------------------------------------------------------ reading */

/* Release it with varve_record_free(). */
static struct lab_matrix *
read_one(const struct state *state)
{
    const struct matrix *matrix = state->setting.matrix;
    const void *const key[] = {&state->id};
    void *found = NULL;
    ours_must(
        &state->store, varve_record_get(state->store.session, state->record, key, &found), "get");
    struct lab_matrix *record = found;
    if (record->weights.count != matrix->side * matrix->side)
        bench_fail("varve: a matrix has %zu elements", record->weights.count);
    return record;
}

static uint64_t
get_matrix(void *context, size_t operations)
{
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++)
        varve_record_free(read_one(context));
    return bench_now() - start;
}

static uint64_t
read_matrix(void *context, size_t operations)
{
    struct state *state = context;
    size_t size = matrix_size(state->setting.matrix);
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++)
        ours_must(
            &state->store,
            varve_record_read_tensor(
                state->store.session, state->record, state->id, LAB_MATRIX_FIELD_WEIGHTS, NULL,
                state->whole, size),
            "read");
    uint64_t time = bench_now() - start;
    if (memcmp(state->whole, state->setting.matrix->values, size) != 0)
        bench_fail("varve reads another matrix than was stored");
    return time;
}

static uint32_t
crc(void *context)
{
    const struct state *state = context;
    struct lab_matrix *record = read_one(state);
    uint32_t crc = data_crc(0, record->weights.data, matrix_size(state->setting.matrix));
    varve_record_free(record);
    return crc;
}

/* Into state->band. */
static void
read_band(struct state *state, size_t first_row)
{
    const struct matrix *matrix = state->setting.matrix;
    const struct varve_range range = {
        .start = {(int64_t)first_row, 0},
        .count = {(int64_t)matrix->band_rows, (int64_t)matrix->side},
    };
    ours_must(
        &state->store,
        varve_record_read_tensor(
            state->store.session, state->record, state->id, LAB_MATRIX_FIELD_WEIGHTS, &range,
            state->band, matrix_band_size(matrix)),
        "read a slice");
}

static uint64_t
slice(void *context, size_t operations)
{
    struct state *state = context;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++)
        read_band(state, matrix_band(state->setting.matrix, state->sliced++));
    return bench_now() - start;
}

static uint32_t
band_crc(void *context, size_t first_row)
{
    struct state *state = context;
    read_band(state, first_row);
    return data_crc(0, state->band, matrix_band_size(state->setting.matrix));
}

/* ------------------------------------------------------------------ the side */

/* Of the segments, so many as the matrices in the store. */
static uint64_t
size(void *context, size_t operations)
{
    struct state *state = context;
    ours_store_flush(&state->store);
    return ours_store_size(&state->store) * operations / state->stored;
}

static void
close_side(void *context)
{
    struct state *state = context;
    ours_store_remove(&state->store);
    free(state->band);
    free(state->whole);
    free(state);
}

void
ours_open_matrix(const struct matrix_setting *setting, struct matrix_side *side)
{
    struct state *state = calloc(1, sizeof *state);
    float *band = malloc(matrix_band_size(setting->matrix));
    float *whole = calloc(1, matrix_size(setting->matrix));
    if (!state || !band || !whole)
        bench_fail("out of memory");
    *state = (struct state){
        .setting = *setting,
        .record = records[setting->filter],
        .band = band,
        .whole = whole,
    };
    ours_store_open(&state->store, setting->folder, "varve");
    *side = (struct matrix_side){
        .name = "varve",
        .write = write_matrix,
        .get = get_matrix,
        .read = read_matrix,
        .slice = slice,
        .crc = crc,
        .band_crc = band_crc,
        .size = size,
        .close = close_side,
        .state = state,
    };
}
