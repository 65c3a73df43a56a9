/* What a segment has beside its elements: the HDF5 file, groups, datasets, attributes. Small arrays of the
 * table (ids, indexes, shapes) and the schema go through the same chunks as tensors. */
#include <stdio.h>
#include <string.h>

#include "archive/hdmf.h"
#include "archive/segment_parts.h"
#include "base/error.h"
#include "base/memory.h"

enum {
    FORMAT_VERSION = 1,   /* of what a segment has, attribute varve_format; docs/format.md */
    ALIGNMENT = 4096,     /* of what is mapped */
    PLAIN_MOST = 4096,    /* bytes of an array that is not worth a chunk */
    SIDE_CHUNK = 1 << 20, /* bytes of a larger one's chunks */
    SIDE_LEVEL = 1,
    TEXT_SIZE = 512,
};

/* -------------------------------------------------------------------- arrays beside the tensors */

/* An array that is written at once. */
struct side {
    const char *name;
    const void *data;
    int64_t dims[2];
    size_t rank;
    enum varve_dtype dtype;
};

/* Adds the attributes of a side array; NULL: it has none. */
typedef bool
describe_side(
    const struct varve__segment *segment,
    hid_t dataset,
    const struct varve__segment_column *column);

static bool
plan_side(const struct side *side, struct varve__segment_set *set)
{
    struct varve__dataset *dataset = set->dataset;
    size_t element = varve_dtype_size(side->dtype);
    if (!varve__grid_make(&dataset->grid, side->dims, side->rank, element, SIDE_CHUNK))
        return false;
    dataset->dtype = side->dtype;
    dataset->filter = (struct varve__chunk_filter){.element = element};
    set->left = dataset->grid.chunk_count;
    set->contiguous = dataset->grid.count <= PLAIN_MOST / (int64_t)element;
    if (!set->contiguous) {
        dataset->filter.compression = VARVE_ARCHIVE_DEFLATE;
        dataset->filter.level = SIDE_LEVEL;
        dataset->filter.shuffle = element > 1;
        dataset->filter.checksum = true;
    }
    size_t bytes;
    if (!varve__size_multiply((size_t)set->left, sizeof *dataset->chunks, &bytes))
        return false;
    dataset->chunks = varve__allocate(bytes);
    return dataset->chunks != NULL;
}

static enum varve_status
fail(const struct varve__segment *segment, const char *what)
{
    return varve__hdf5_fail(&segment->hdf5, segment->name, what, segment->file.temporary);
}

static enum varve_status
fail_ended(const struct varve__segment *segment)
{
    return varve__hdf5_fail_ended(segment->name, segment->file.temporary);
}

static enum varve_status
write_side(
    struct varve__segment *segment, const struct side *side, const struct varve__segment_set *set)
{
    const struct varve__grid *grid = &set->dataset->grid;
    enum varve_status status = VARVE_OK;
    for (int64_t i = 0; i < grid->chunk_count && !status; i++) {
        int64_t first, count;
        varve__grid_chunk(grid, i, &first, &count);
        const struct varve__segment_piece piece = {
            .set = (struct varve__segment_set *)(uintptr_t)set,
            .chunk = i,
            .raw = (const char *)side->data + (size_t)first * grid->element,
            .size = (size_t)count * grid->element,
        };
        status = varve__segment_write(segment, &piece, 1);
    }
    return status;
}

static enum varve_status
make_side(
    struct varve__segment *segment,
    const struct side *side,
    describe_side *describe,
    const struct varve__segment_column *column)
{
    struct varve__hdf5_call call;
    struct varve__dataset dataset = {0};
    struct varve__segment_set set = {.dataset = &dataset, .id = H5I_INVALID_HID};
    if (!plan_side(side, &set))
        return varve__fail_memory(segment->name, (size_t)set.left * sizeof *dataset.chunks);
    enum varve_status status = VARVE_OK;
    if (!varve__hdf5_enter(&call)) {
        varve__dataset_release(&dataset);
        return fail_ended(segment);
    }
    if (!varve__segment_make_set(segment->id, side->name, &set) ||
        (describe && !describe(segment, set.id, column)))
        status = fail(segment, "make");
    varve__hdf5_leave(&call);
    if (!status)
        status = write_side(segment, side, &set);
    if (varve__hdf5_enter(&call)) {
        if (!varve__segment_close_set(&set) && !status)
            status = fail(segment, "write");
        varve__hdf5_leave(&call);
    }
    varve__dataset_release(&dataset);
    return status;
}

/* -------------------------------------------------------------------- the table of COLUMN */

static bool
describe_ids(
    const struct varve__segment *segment, hid_t dataset, const struct varve__segment_column *column)
{
    (void)segment;
    (void)column;
    return varve__hdmf_object(dataset, "ElementIdentifiers", NULL);
}

static void
write_description(
    const struct varve__segment *segment,
    const struct varve__segment_column *column,
    const char *what,
    char text[TEXT_SIZE])
{
    snprintf(
        text, TEXT_SIZE, "%sfield %u of %s", what, (unsigned)column->column->field->id,
        segment->name);
}

static bool
describe_index(
    const struct varve__segment *segment, hid_t dataset, const struct varve__segment_column *column)
{
    char text[TEXT_SIZE];
    write_description(segment, column, "where records end in ", text);
    return varve__hdmf_index(dataset, text, segment->id, column->name);
}

static bool
describe_shape(
    const struct varve__segment *segment, hid_t dataset, const struct varve__segment_column *column)
{
    char text[TEXT_SIZE];
    write_description(segment, column, "dims, -1 where it is absent, of ", text);
    return varve__hdmf_object(dataset, "VectorData", text);
}

static bool
describe_column(
    const struct varve__segment *segment, hid_t dataset, const struct varve__segment_column *column)
{
    char text[TEXT_SIZE];
    write_description(segment, column, "", text);
    return varve__hdmf_object(dataset, "VectorData", text) &&
           varve__segment_describe_field(dataset, column->column);
}

static enum varve_status
make_column(struct varve__segment *segment, size_t tensor)
{
    const struct varve__segment_column *column = &segment->columns[tensor];
    struct varve__segment_set *set = &segment->sets[tensor];
    const int64_t records = (int64_t)segment->records.count;
    const struct side index = {column->index, column->ends, {records}, 1, VARVE_DTYPE_UINT64};
    const struct side shape = {
        column->shape,
        column->dims,
        {records, (int64_t)column->column->tensor->dim_count},
        2,
        VARVE_DTYPE_INT64};
    struct varve__hdf5_call call;
    enum varve_status status = VARVE_OK;
    if (!varve__hdf5_enter(&call))
        return fail_ended(segment);
    if (!varve__segment_make_set(segment->id, column->name, set) ||
        !describe_column(segment, set->id, column))
        status = fail(segment, "make");
    varve__hdf5_leave(&call);
    if (!status && column->index)
        status = make_side(segment, &index, describe_index, column);
    if (!status && column->shape)
        status = make_side(segment, &shape, describe_shape, column);
    return status;
}

/* The names of all columns, and the attributes of the table. */
static bool
describe_table(const struct varve__segment *segment)
{
    char text[TEXT_SIZE];
    size_t count = 0, bytes;
    if (!varve__size_multiply(2 * segment->column_count, sizeof(char *), &bytes))
        return false;
    const char **names = varve__allocate(bytes);
    if (!names)
        return false;
    for (size_t i = 0; i < segment->column_count; i++) {
        names[count++] = segment->columns[i].name;
        if (segment->columns[i].shape)
            names[count++] = segment->columns[i].shape;
    }
    snprintf(text, sizeof text, "tensors of records of %s", segment->name);
    bool good = varve__hdmf_table(segment->id, text, names, count);
    varve__release(names);
    return good;
}

static enum varve_status
make_table(struct varve__segment *segment)
{
    const struct side ids = {
        "id", segment->records.ids, {(int64_t)segment->records.count}, 1, VARVE_DTYPE_INT64};
    struct varve__hdf5_call call;
    enum varve_status status = VARVE_OK;
    if (!varve__hdf5_enter(&call))
        return fail_ended(segment);
    if (!describe_table(segment))
        status = fail(segment, "make");
    varve__hdf5_leave(&call);
    if (!status)
        status = make_side(segment, &ids, describe_ids, NULL);
    for (size_t i = 0; i < segment->column_count && !status; i++)
        status = make_column(segment, i);
    return status;
}

/* -------------------------------------------------------------------- the groups of OBJECT */

static hid_t
open_group(const struct varve__segment *segment, size_t record, bool create)
{
    char name[24];
    snprintf(name, sizeof name, "%lld", (long long)segment->records.ids[record]);
    return create ? H5Gcreate2(segment->id, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)
                  : H5Gopen2(segment->id, name, H5P_DEFAULT);
}

/* A dataset without elements, which no call will write to: an empty tensor is not an absent one. */
static bool
make_empty(const struct varve__segment *segment, hid_t group, size_t tensor, size_t record)
{
    const struct varve__segment_column *column = &segment->columns[tensor];
    size_t rank = column->column->tensor->dim_count;
    const int64_t *dims = &column->dims[record * rank];
    struct varve__dataset dataset = {.dtype = column->column->tensor->dtype};
    struct varve__segment_set set = {
        .dataset = &dataset, .id = H5I_INVALID_HID, .contiguous = true};
    bool good = varve__grid_make(&dataset.grid, dims, rank, column->element, 1) &&
                varve__segment_make_set(group, column->name, &set) &&
                varve__segment_describe_field(set.id, column->column);
    return varve__segment_close_set(&set) && good;
}

static bool
make_group(const struct varve__segment *segment, size_t record)
{
    hid_t group = open_group(segment, record, true);
    bool good = group >= 0;
    for (size_t i = 0; i < segment->column_count && good; i++) {
        const struct varve__segment_column *column = &segment->columns[i];
        bool is_absent = column->dims[record * column->column->tensor->dim_count] == -1;
        if (!is_absent && segment->places[record * segment->column_count + i] == SIZE_MAX)
            good = make_empty(segment, group, i, record);
    }
    return group >= 0 && H5Gclose(group) >= 0 && good;
}

static enum varve_status
make_groups(struct varve__segment *segment)
{
    struct varve__hdf5_call call;
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < segment->records.count && !status; i++) {
        if (!varve__hdf5_enter(&call)) /* anew for each: others wait */
            return fail_ended(segment);
        if (!make_group(segment, i))
            status = fail(segment, "make");
        varve__hdf5_leave(&call);
    }
    return status;
}

enum varve_status
varve__segment_make_object(struct varve__segment *segment, size_t tensor, size_t number)
{
    struct varve__segment_set *set = &segment->sets[number];
    const struct varve__segment_column *column = &segment->columns[tensor];
    struct varve__hdf5_call call;
    enum varve_status status = VARVE_OK;
    if (!varve__hdf5_enter(&call))
        return fail_ended(segment);
    hid_t group = open_group(segment, set->record, false);
    if (group < 0 || !varve__segment_make_set(group, column->name, set) ||
        !varve__segment_describe_field(set->id, column->column) ||
        (set->contiguous && !varve__segment_close_set(set)))
        status = fail(segment, "write");
    if (group >= 0)
        H5Gclose(group);
    varve__hdf5_leave(&call);
    return status;
}

/* -------------------------------------------------------------------- the file */

/* Whether what is stored is mapped: then the system's pages begin where it does. */
static bool
is_mapped(const struct varve__segment *segment)
{
    return segment->archive->layout == VARVE_ARCHIVE_OBJECT &&
           segment->archive->compression == VARVE_ARCHIVE_NONE;
}

static bool
make_file(struct varve__segment *segment)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t creation = H5Pcreate(H5P_FILE_CREATE);
    if (access >= 0 && creation >= 0 && varve__hdf5_set_driver(access, &segment->hdf5) &&
        H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110) >= 0 &&
        H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0 &&
        H5Pset_obj_track_times(creation, false) >= 0 &&
        (!is_mapped(segment) || H5Pset_alignment(access, ALIGNMENT, ALIGNMENT) >= 0))
        segment->id = H5Fcreate(segment->file.temporary, H5F_ACC_TRUNC, creation, access);
    if (access >= 0)
        H5Pclose(access);
    if (creation >= 0)
        H5Pclose(creation);
    return segment->id >= 0;
}

static bool
describe_file(const struct varve__segment *segment)
{
    bool is_object = segment->archive->layout == VARVE_ARCHIVE_OBJECT;
    return varve__hdf5_number(segment->id, "varve_format", FORMAT_VERSION) &&
           varve__hdf5_text(segment->id, "varve_message", segment->name) &&
           varve__hdf5_text(segment->id, "varve_package", segment->options.schema->package) &&
           varve__hdf5_text(segment->id, "varve_layout", is_object ? "OBJECT" : "COLUMN");
}

enum varve_status
varve__segment_make(struct varve__segment *segment)
{
    const struct varve_schema *schema = segment->options.schema;
    const struct side files = {
        "varve_schema",
        schema->descriptor_set,
        {(int64_t)schema->descriptor_set_size},
        1,
        VARVE_DTYPE_UINT8};
    struct varve__hdf5_call call;
    enum varve_status status = VARVE_OK;
    if (!varve__hdf5_enter(&call))
        return fail_ended(segment);
    if (!make_file(segment) || !describe_file(segment))
        status = fail(segment, "make");
    varve__hdf5_leave(&call);
    if (!status)
        status = make_side(segment, &files, NULL, NULL);
    if (status)
        return status;
    return segment->archive->layout == VARVE_ARCHIVE_OBJECT ? make_groups(segment)
                                                            : make_table(segment);
}

enum varve_status
varve__segment_unmake(struct varve__segment *segment)
{
    struct varve__hdf5_call call;
    enum varve_status status = VARVE_OK;
    if (segment->id < 0)
        return VARVE_OK;
    if (!varve__hdf5_enter(&call))
        return fail_ended(segment);
    for (size_t i = 0; i < segment->dataset_count; i++)
        if (!varve__segment_close_set(&segment->sets[i]) && !status)
            status = fail(segment, "write");
    if (H5Fclose(segment->id) >= 0)
        segment->id = H5I_INVALID_HID;
    if (!status && (segment->id >= 0 || segment->hdf5.error))
        status = fail(segment, "write");
    varve__hdf5_leave(&call);
    return status;
}
