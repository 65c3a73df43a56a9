/* Before the file: names, filters, grids, and where each tensor of each record will stand. */
#include <string.h>

#include "archive/segment_parts.h"
#include "base/error.h"
#include "base/memory.h"

enum {
    AXES_MOST = 3,         /* of an N-dimensional column's tensors */
    CHUNK_LARGE = 1 << 20, /* bytes, where a record has many of them */
    CHUNK_SMALL = 16 << 10 /* where it has few: reading one decodes a chunk */
};

static const int64_t record_large = 256 << 10; /* bytes of a record's tensor */

/* Zeroed memory; NULL: none is left, or too much is asked for. */
static void *
allocate(const struct varve__segment *segment, size_t count, size_t size, enum varve_status *status)
{
    size_t bytes;
    void *memory = NULL;
    if (varve__size_multiply(count, size, &bytes))
        memory = varve__allocate(bytes);
    else
        bytes = SIZE_MAX;
    if (memory)
        memset(memory, 0, bytes);
    else
        *status = varve__fail_memory(segment->name, bytes);
    return memory;
}

/* -------------------------------------------------------------------- names */

static bool
is_taken(const struct varve__segment *segment, const char *name)
{
    if (segment->archive->layout == VARVE_ARCHIVE_OBJECT)
        return false; /* a record's group has nothing but fields */
    if (strcmp(name, "id") == 0 || strcmp(name, "varve_schema") == 0)
        return true;
    for (size_t i = 0; i < segment->column_count; i++) {
        const struct varve__segment_column *column = &segment->columns[i];
        if ((column->name && strcmp(column->name, name) == 0) ||
            (column->index && strcmp(column->index, name) == 0) ||
            (column->shape && strcmp(column->shape, name) == 0))
            return true;
    }
    return false;
}

/* The field's name with this end; a name that another dataset has gets "_" behind it. */
static char *
name_of(
    const struct varve__segment *segment,
    const struct varve__segment_column *column,
    const char *end,
    enum varve_status *status)
{
    const char *field = column->column->field->name;
    size_t spare =
        3 * segment->column_count + 3; /* so many names may be taken, id and varve_schema too */
    size_t length = strlen(field);
    char *name = allocate(segment, length + strlen(end) + spare, 1, status);
    if (!name)
        return NULL;
    memcpy(name, field, length);
    memcpy(name + length, end, strlen(end));
    while (is_taken(segment, name))
        name[strlen(name)] = '_';
    return name;
}

/* Fields' own names first: theirs are unique, so that only the others give way. */
static enum varve_status
name_columns(struct varve__segment *segment)
{
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < segment->column_count && !status; i++)
        segment->columns[i].name = name_of(segment, &segment->columns[i], "", &status);
    for (size_t i = 0; i < segment->column_count && !status; i++) {
        struct varve__segment_column *column = &segment->columns[i];
        if (column->ragged)
            column->index = name_of(segment, column, "_index", &status);
        if (!status && column->ragged && column->column->tensor->dim_count > 1)
            column->shape = name_of(segment, column, "_shape", &status);
    }
    return status;
}

/* -------------------------------------------------------------------- sizes */

static enum varve_status
fail_dims(const struct varve__segment *segment, const struct varve_column *column, size_t record)
{
    enum varve_status status = varve__fail(
        VARVE_INVALID, VARVE_FAILURE_DIMS, VARVE_TIER_ARCHIVE, segment->name,
        "%s.%s of record %lld has dims that are not those of the schema, or too large; one "
        "segment holds less than 2^63 bytes of a tensor",
        segment->name, column->field->name, (long long)segment->records.ids[record]);
    varve__failure_add_field(column->field->id);
    return status;
}

/* Whether its dims are fields' or it is optional: then they differ from record to record. */
static bool
may_be_absent(const struct varve_tensor *tensor)
{
    if (tensor->optional)
        return true;
    for (size_t i = 0; i < tensor->dim_count; i++)
        if (tensor->dims[i].field)
            return true;
    return false;
}

/* Elements of record i; an absent tensor has none. False: dims that cannot be. */
static bool
count_of(const struct varve__segment_column *column, size_t record, int64_t *count)
{
    const struct varve_tensor *tensor = column->column->tensor;
    const int64_t *dims = &column->dims[record * tensor->dim_count];
    *count = 0;
    if (dims[0] == -1)
        return may_be_absent(tensor);
    for (size_t i = 0; i < tensor->dim_count; i++)
        if (dims[i] < 0 || (!tensor->dims[i].field && dims[i] != tensor->dims[i].size))
            return false;
    for (size_t i = 0; i < tensor->dim_count; i++)
        if (dims[i] == 0)
            return true;
    *count = 1;
    for (size_t i = 0; i < tensor->dim_count; i++)
        if (__builtin_mul_overflow(*count, dims[i], count))
            return false;
    return true;
}

static enum varve_status
measure(struct varve__segment *segment, struct varve__segment_column *column)
{
    enum varve_status status = VARVE_OK;
    int64_t bytes;
    column->ends = allocate(segment, segment->records.count, sizeof *column->ends, &status);
    for (size_t i = 0; i < segment->records.count && !status; i++) {
        int64_t count;
        if (!count_of(column, i, &count) ||
            __builtin_add_overflow(column->total, count, &column->total) ||
            __builtin_mul_overflow(column->total, (int64_t)column->element, &bytes))
            status = fail_dims(segment, column->column, i);
        else
            column->ends[i] = (uint64_t)column->total;
    }
    return status;
}

/* HDMF allows a column four axes, the records among them. */
static bool
is_ragged(const struct varve_tensor *tensor)
{
    return may_be_absent(tensor) || tensor->dim_count > AXES_MOST;
}

static enum varve_status
plan_columns(struct varve__segment *segment, const struct varve__segment_tensor *tensors)
{
    enum varve_status status = VARVE_OK;
    segment->columns = allocate(segment, segment->column_count, sizeof *segment->columns, &status);
    for (size_t i = 0; i < segment->column_count && !status; i++) {
        struct varve__segment_column *column = &segment->columns[i];
        column->column = tensors[i].column;
        column->dims = tensors[i].dims;
        column->element = varve_dtype_size(tensors[i].column->tensor->dtype);
        column->ragged = segment->archive->layout == VARVE_ARCHIVE_OBJECT ||
                         is_ragged(tensors[i].column->tensor);
        status = measure(segment, column);
    }
    return status ? status : name_columns(segment);
}

/* -------------------------------------------------------------------- datasets */

static int64_t
chunk_bytes(const struct varve__segment *segment, const struct varve__segment_column *column)
{
    if (segment->options.chunk_bytes > 0)
        return segment->options.chunk_bytes;
    int64_t records = (int64_t)segment->records.count;
    bool large =
        segment->archive->layout == VARVE_ARCHIVE_OBJECT ||
        column->total / (records > 0 ? records : 1) >= record_large / (int64_t)column->element;
    return large ? CHUNK_LARGE : CHUNK_SMALL;
}

/* Filters that do something. Without chunks there are none; HDF5 has no SZIP for the smallest chunks. */
static void
choose_filter(const struct varve_archive *archive, bool contiguous, struct varve__dataset *dataset)
{
    struct varve__chunk_filter *filter = &dataset->filter;
    *filter = (struct varve__chunk_filter){.element = dataset->grid.element};
    if (contiguous)
        return;
    filter->checksum = archive->checksum;
    filter->compression = archive->compression;
    if (filter->compression == VARVE_ARCHIVE_SZIP) {
        filter->scanline = varve__grid_scanline(&dataset->grid);
        if (filter->scanline == 0)
            filter->compression = VARVE_ARCHIVE_NONE;
    }
    if (filter->compression == VARVE_ARCHIVE_NONE)
        return;
    filter->level = archive->level;
    filter->shuffle = archive->shuffle && dataset->grid.element > 1;
}

static enum varve_status
plan_set(
    struct varve__segment *segment,
    struct varve__segment_column *column,
    size_t record,
    const int64_t *dims,
    size_t rank)
{
    enum varve_status status = VARVE_OK;
    struct varve__dataset *dataset = &segment->datasets[segment->dataset_count];
    struct varve__segment_set *set = &segment->sets[segment->dataset_count];
    if (!varve__grid_make(
            &dataset->grid, dims, rank, column->element, chunk_bytes(segment, column)))
        return fail_dims(segment, column->column, record);
    *set = (struct varve__segment_set){
        .dataset = dataset,
        .id = H5I_INVALID_HID,
        .record = record,
        .left = dataset->grid.chunk_count};
    set->contiguous =
        dataset->grid.count == 0 || (segment->archive->layout == VARVE_ARCHIVE_OBJECT &&
                                     segment->archive->compression == VARVE_ARCHIVE_NONE);
    dataset->dtype = column->column->tensor->dtype;
    choose_filter(segment->archive, set->contiguous, dataset);
    if (varve__grid_chunk_size(&dataset->grid) > column->largest)
        column->largest = varve__grid_chunk_size(&dataset->grid);
    segment->dataset_count++; /* from here on it is released */
    dataset->chunks =
        allocate(segment, (size_t)dataset->grid.chunk_count, sizeof *dataset->chunks, &status);
    return status;
}

static enum varve_status
plan_table(struct varve__segment *segment)
{
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < segment->column_count && !status; i++) {
        struct varve__segment_column *column = &segment->columns[i];
        const struct varve_tensor *tensor = column->column->tensor;
        int64_t dims[VARVE__RANK_MAX] = {column->total};
        if (!column->ragged) {
            dims[0] = (int64_t)segment->records.count;
            for (size_t axis = 0; axis < tensor->dim_count; axis++)
                dims[axis + 1] = tensor->dims[axis].size;
        }
        status = plan_set(segment, column, 0, dims, column->ragged ? 1 : 1 + tensor->dim_count);
    }
    return status;
}

static uint64_t
count_in(const struct varve__segment_column *column, size_t record)
{
    return column->ends[record] - (record > 0 ? column->ends[record - 1] : 0);
}

static enum varve_status
plan_objects(struct varve__segment *segment)
{
    enum varve_status status = VARVE_OK;
    for (size_t record = 0; record < segment->records.count; record++)
        for (size_t i = 0; i < segment->column_count && !status; i++) {
            struct varve__segment_column *column = &segment->columns[i];
            size_t rank = column->column->tensor->dim_count;
            bool any = count_in(column, record) > 0;
            segment->places[record * segment->column_count + i] =
                any ? segment->dataset_count : SIZE_MAX;
            if (any)
                status = plan_set(segment, column, record, &column->dims[record * rank], rank);
        }
    return status;
}

static size_t
count_sets(const struct varve__segment *segment)
{
    size_t count = 0;
    if (segment->archive->layout != VARVE_ARCHIVE_OBJECT)
        return segment->column_count;
    for (size_t i = 0; i < segment->column_count; i++)
        for (size_t record = 0; record < segment->records.count; record++)
            count += count_in(&segment->columns[i], record) > 0;
    return count;
}

enum varve_status
varve__segment_plan(struct varve__segment *segment, const struct varve__segment_tensor *tensors)
{
    enum varve_status status = plan_columns(segment, tensors);
    if (status)
        return status;
    size_t sets = count_sets(segment);
    bool is_object = segment->archive->layout == VARVE_ARCHIVE_OBJECT;
    segment->datasets = allocate(segment, sets, sizeof *segment->datasets, &status);
    if (!status)
        segment->sets = allocate(segment, sets, sizeof *segment->sets, &status);
    if (!status && is_object)
        segment->places = allocate(
            segment, segment->records.count * segment->column_count, sizeof *segment->places,
            &status);
    if (status)
        return status;
    return is_object ? plan_objects(segment) : plan_table(segment);
}

size_t
varve__segment_next_set(const struct varve__segment *segment, size_t tensor, size_t record)
{
    for (; record < segment->records.count; record++) {
        size_t set = segment->places[record * segment->column_count + tensor];
        if (set != SIZE_MAX)
            return set;
    }
    return SIZE_MAX;
}

void
varve__segment_plan_release(struct varve__segment *segment)
{
    for (size_t i = 0; i < segment->dataset_count; i++)
        varve__dataset_release(&segment->datasets[i]);
    for (size_t i = 0; segment->columns && i < segment->column_count; i++) {
        struct varve__segment_column *column = &segment->columns[i];
        varve__release(column->name);
        varve__release(column->index);
        varve__release(column->shape);
        varve__release(column->ends);
        varve__release(column->buffer);
        varve__release(column->pieces);
    }
    varve__release(segment->columns);
    varve__release(segment->datasets);
    varve__release(segment->sets);
    varve__release(segment->places);
}
