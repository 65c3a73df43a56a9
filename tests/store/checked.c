#include "checked.h"

#include <stdbool.h>
#include <stdlib.h>

enum {
    FIELD_REMARK = 4, /* of both kinds */
    FIELD_FIRST = 6,  /* tensors */
    FIELD_SECOND = 7,
};

const struct varve_record *const checked_records[CHECKED_KINDS] = {
    &lab_tensors_spool_record, &lab_tensors_plate_record};

union any {
    struct lab_tensors_spool spool;
    struct lab_tensors_plate plate;
};

/* What follows from a record. */
struct contents {
    uint32_t dims[2]; /* the second is 1 for a spool */
    bool has_second;
    uint64_t first; /* what elements begin from */
    uint64_t second;
};

/* -------------------------------------------------------------------- contents */

static uint64_t
mix(const struct checked *record, uint64_t field)
{
    struct random random = {(uint64_t)record->id * 2 + (uint64_t)record->kind};
    random.state = random_bits(&random) + (uint64_t)record->version;
    random.state = random_bits(&random) + field;
    return random_bits(&random);
}

static uint64_t
element(uint64_t begin, size_t index)
{
    struct random random = {begin + index};
    return random_bits(&random);
}

/* One of eight is larger than what is staged in the tests. */
static struct contents
contents_of(const struct checked *record)
{
    static const uint32_t counts[] = {3, 60, 60, 60, 60, 300, 300, 3000};
    struct random random = {mix(record, 0)};
    struct contents contents = {
        .dims = {0, 1}, .first = mix(record, FIELD_FIRST), .second = mix(record, FIELD_SECOND)};
    size_t size = random_below(&random, 8);
    if (record->kind == CHECKED_SPOOL) {
        contents.dims[0] = (uint32_t)random_below(&random, counts[size]);
        contents.has_second = contents.dims[0] > 0 && random_one_in(&random, 2);
        return contents;
    }
    contents.dims[0] = 1 + (uint32_t)random_below(&random, size < 6 ? 8 : 48);
    contents.dims[1] = 1 + (uint32_t)random_below(&random, size < 6 ? 8 : 40);
    return contents;
}

size_t
checked_size(const struct checked *record)
{
    struct contents contents = contents_of(record);
    return (size_t)contents.dims[0] * contents.dims[1];
}

static int64_t
time_of(const struct contents *contents, size_t index)
{
    return (int64_t)(element(contents->first, index) >> 36);
}

static float
amplitude_of(const struct contents *contents, size_t index)
{
    return (float)(element(contents->second, index) >> 45);
}

static double
cell_of(const struct contents *contents, size_t index)
{
    return (double)(element(contents->first, index) >> 40);
}

/* -------------------------------------------------------------------- making */

static void *
must_allocate(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    if (!memory)
        abort();
    return memory;
}

static void
make_spool(const struct checked *record, struct lab_tensors_spool *spool)
{
    struct contents contents = contents_of(record);
    size_t count = contents.dims[0];
    lab_tensors_spool_init(spool);
    spool->id = record->id;
    spool->session_id = record->session_id;
    spool->version = record->version;
    spool->remark = record->remark;
    spool->count = contents.dims[0];
    spool->times.count = count;
    spool->times.data = must_allocate(count, sizeof *spool->times.data);
    for (size_t i = 0; i < count; i++)
        spool->times.data[i] = time_of(&contents, i);
    if (!contents.has_second)
        return;
    spool->amplitudes.count = count;
    spool->amplitudes.data = must_allocate(count, sizeof *spool->amplitudes.data);
    for (size_t i = 0; i < count; i++)
        spool->amplitudes.data[i] = amplitude_of(&contents, i);
}

static void
make_plate(const struct checked *record, struct lab_tensors_plate *plate)
{
    struct contents contents = contents_of(record);
    size_t count = (size_t)contents.dims[0] * contents.dims[1];
    lab_tensors_plate_init(plate);
    plate->id = record->id;
    plate->session_id = record->session_id;
    plate->version = record->version;
    plate->remark = record->remark;
    plate->rows = contents.dims[0];
    plate->columns = contents.dims[1];
    plate->cells.count = count;
    plate->cells.data = must_allocate(count, sizeof *plate->cells.data);
    for (size_t i = 0; i < count; i++)
        plate->cells.data[i] = cell_of(&contents, i);
}

/* Ends with release(). */
static void
make(const struct checked *record, union any *made)
{
    if (record->kind == CHECKED_SPOOL)
        make_spool(record, &made->spool);
    else
        make_plate(record, &made->plate);
}

static void
release(enum checked_kind kind, union any *made)
{
    if (kind == CHECKED_PLATE) {
        free(made->plate.cells.data);
        made->plate.cells.data = NULL;
        return;
    }
    free(made->spool.times.data);
    free(made->spool.amplitudes.data);
    made->spool.times.data = NULL;
    made->spool.amplitudes.data = NULL;
}

struct checked
checked_of(enum checked_kind kind, const void *record)
{
    const struct lab_tensors_spool *spool = record;
    const struct lab_tensors_plate *plate = record;
    if (kind == CHECKED_SPOOL)
        return (struct checked){kind, spool->id, spool->session_id, spool->version, spool->remark};
    return (struct checked){kind, plate->id, plate->session_id, plate->version, plate->remark};
}

/* -------------------------------------------------------------------- writing */

static enum varve_status
insert_spools(struct varve_session *session, struct checked *records, size_t count)
{
    struct lab_tensors_spool *spools = must_allocate(count, sizeof *spools);
    for (size_t i = 0; i < count; i++)
        make_spool(&records[i], &spools[i]);
    enum varve_status status = lab_tensors_spool_insert_many(session, spools, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        records[i].id = spools[i].id;
        free(spools[i].times.data);
        free(spools[i].amplitudes.data);
    }
    free(spools);
    return status;
}

static enum varve_status
insert_plates(struct varve_session *session, struct checked *records, size_t count)
{
    struct lab_tensors_plate *plates = must_allocate(count, sizeof *plates);
    for (size_t i = 0; i < count; i++)
        make_plate(&records[i], &plates[i]);
    enum varve_status status = lab_tensors_plate_insert_many(session, plates, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        records[i].id = plates[i].id;
        free(plates[i].cells.data);
    }
    free(plates);
    return status;
}

enum varve_status
checked_insert(struct varve_session *session, struct checked *records, size_t count)
{
    union any made;
    if (count != 1)
        return records->kind == CHECKED_SPOOL ? insert_spools(session, records, count)
                                              : insert_plates(session, records, count);
    make(records, &made);
    enum varve_status status = varve_record_insert(session, checked_records[records->kind], &made);
    release(records->kind, &made);
    return status;
}

enum varve_status
checked_update(struct varve_session *session, const struct checked *record)
{
    union any made;
    make(record, &made);
    enum varve_status status = varve_record_update(session, checked_records[record->kind], &made);
    release(record->kind, &made);
    return status;
}

enum varve_status
checked_update_without(struct varve_session *session, const struct checked *record)
{
    union any made;
    make(record, &made);
    release(record->kind, &made);
    return varve_record_update(session, checked_records[record->kind], &made);
}

enum varve_status
checked_update_remark(struct varve_session *session, const struct checked *record)
{
    union any made;
    const uint32_t fields[] = {FIELD_REMARK};
    make(record, &made);
    enum varve_status status =
        varve_record_update_fields(session, checked_records[record->kind], &made, fields, 1);
    release(record->kind, &made);
    return status;
}

enum varve_status
checked_delete(struct varve_session *session, enum checked_kind kind, int64_t id)
{
    const void *const key[] = {&id};
    return varve_record_delete(session, checked_records[kind], key);
}

/* -------------------------------------------------------------------- reading */

static const char *
compare_spool(const struct lab_tensors_spool *spool)
{
    struct checked record = checked_of(CHECKED_SPOOL, spool);
    struct contents contents = contents_of(&record);
    if (spool->count != contents.dims[0])
        return "a spool's count is of another version";
    if (spool->times.count != contents.dims[0])
        return "a spool has another number of times";
    if (spool->amplitudes.count != (contents.has_second ? contents.dims[0] : 0))
        return "a spool has another number of amplitudes";
    for (size_t i = 0; i < spool->times.count; i++)
        if (spool->times.data[i] != time_of(&contents, i))
            return "a spool's times are wrong";
    for (size_t i = 0; i < spool->amplitudes.count; i++)
        if (spool->amplitudes.data[i] != amplitude_of(&contents, i))
            return "a spool's amplitudes are wrong";
    return NULL;
}

static const char *
compare_plate(const struct lab_tensors_plate *plate)
{
    struct checked record = checked_of(CHECKED_PLATE, plate);
    struct contents contents = contents_of(&record);
    if (plate->rows != contents.dims[0] || plate->columns != contents.dims[1])
        return "a plate's dims are of another version";
    if (plate->cells.count != (size_t)plate->rows * plate->columns)
        return "a plate has another number of cells";
    for (size_t i = 0; i < plate->cells.count; i++)
        if (plate->cells.data[i] != cell_of(&contents, i))
            return "a plate's cells are wrong";
    return NULL;
}

const char *
checked_compare(enum checked_kind kind, const void *record)
{
    return kind == CHECKED_SPOOL ? compare_spool(record) : compare_plate(record);
}

enum varve_status
checked_get(
    struct varve_session *session,
    enum checked_kind kind,
    int64_t id,
    struct checked *record,
    const char **wrong)
{
    void *found;
    const void *const key[] = {&id};
    *wrong = NULL;
    enum varve_status status = varve_record_get(session, checked_records[kind], key, &found);
    if (status != VARVE_OK)
        return status;
    *record = checked_of(kind, found);
    *wrong = record->id == id ? checked_compare(kind, found) : "a get gave another record";
    varve_record_free(found);
    return VARVE_OK;
}

static enum varve_status
slice_times(
    struct varve_session *session,
    struct random *random,
    const struct checked *record,
    const char **wrong)
{
    struct contents contents = contents_of(record);
    if (contents.dims[0] == 0)
        return VARVE_OK;
    size_t start = random_below(random, contents.dims[0]);
    size_t count = 1 + random_below(random, contents.dims[0] - start);
    struct varve_range range = {.start = {(int64_t)start}, .count = {(int64_t)count}};
    int64_t *times = must_allocate(count, sizeof *times);
    enum varve_status status =
        lab_tensors_spool_read_times(session, record->id, &range, times, count * sizeof *times);
    for (size_t i = 0; status == VARVE_OK && i < count; i++)
        if (times[i] != time_of(&contents, start + i))
            *wrong = "a part of a spool's times is wrong";
    free(times);
    return status;
}

static enum varve_status
slice_cells(
    struct varve_session *session,
    struct random *random,
    const struct checked *record,
    const char **wrong)
{
    struct contents contents = contents_of(record);
    size_t row = random_below(random, contents.dims[0]);
    size_t column = random_below(random, contents.dims[1]);
    size_t rows = 1 + random_below(random, contents.dims[0] - row);
    size_t columns = 1 + random_below(random, contents.dims[1] - column);
    struct varve_range range = {
        .start = {(int64_t)row, (int64_t)column}, .count = {(int64_t)rows, (int64_t)columns}};
    double *cells = must_allocate(rows * columns, sizeof *cells);
    enum varve_status status = lab_tensors_plate_read_cells(
        session, record->id, &range, cells, rows * columns * sizeof *cells);
    for (size_t i = 0; status == VARVE_OK && i < rows * columns; i++) {
        size_t index = (row + i / columns) * contents.dims[1] + column + i % columns;
        if (cells[i] != cell_of(&contents, index))
            *wrong = "a part of a plate's cells is wrong";
    }
    free(cells);
    return status;
}

/* Without tensors, as a find gives it. */
static enum varve_status
find(struct varve_session *session, enum checked_kind kind, int64_t id, struct checked *record)
{
    void *found;
    const struct lab_tensors_spool_filter spools = {.id = varve_int64_equals(id)};
    const struct lab_tensors_plate_filter plates = {.id = varve_int64_equals(id)};
    enum varve_status status = varve_record_find_one(
        session, checked_records[kind],
        kind == CHECKED_SPOOL ? (const void *)&spools : (const void *)&plates, &found);
    if (status != VARVE_OK)
        return status;
    *record = checked_of(kind, found);
    varve_record_free(found);
    return VARVE_OK;
}

enum varve_status
checked_slice(
    struct varve_session *session,
    struct random *random,
    enum checked_kind kind,
    int64_t id,
    const char **wrong)
{
    struct checked record;
    *wrong = NULL;
    enum varve_status status = varve_begin_read(session);
    if (status != VARVE_OK)
        return status;
    status = find(session, kind, id, &record);
    if (status == VARVE_OK) {
        status = kind == CHECKED_SPOOL ? slice_times(session, random, &record, wrong)
                                       : slice_cells(session, random, &record, wrong);
        if (status == VARVE_NOT_FOUND)
            *wrong = "the tensor of a record that is there was not found";
    }
    enum varve_status ended = varve_commit(session);
    return status == VARVE_OK ? ended : status;
}

enum varve_status
checked_list(
    struct varve_session *session,
    enum checked_kind kind,
    struct checked *records,
    size_t most,
    size_t *count)
{
    const void *row;
    struct varve_cursor *cursor;
    *count = 0;
    enum varve_status status = varve_record_find(session, checked_records[kind], NULL, &cursor);
    if (status != VARVE_OK)
        return status;
    while ((status = varve_cursor_next(cursor, checked_records[kind], &row)) == VARVE_ROW) {
        if (*count < most)
            records[*count] = checked_of(kind, row);
        ++*count;
    }
    varve_cursor_close(cursor);
    return status == VARVE_DONE ? VARVE_OK : status;
}
