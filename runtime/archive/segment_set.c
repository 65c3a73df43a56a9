/* One dataset of a segment: its type, its filters, its chunks, and what says whose it is. */
#include <stdio.h>

#include "archive/hdmf.h"
#include "archive/segment_parts.h"

enum {
    TEXT_SIZE = 512,
    FILTER_LZF = 32000, /* as registered with the HDF Group */
    FILTER_ZSTD = 32015,
    LZF_FILTER_VERSION = 4, /* of h5py's filter, and .. */
    LZF_VERSION = 0x0105    /* .. of the library: what it checks its own chunks by */
};

/* -------------------------------------------------------------------- types and filters */

static hid_t
half_type(void)
{
    hid_t type = H5Tcopy(H5T_IEEE_F32LE);
    if (type >= 0 && (H5Tset_fields(type, 15, 10, 5, 0, 10) < 0 || H5Tset_size(type, 2) < 0 ||
                      H5Tset_ebias(type, 15) < 0)) {
        H5Tclose(type);
        type = H5I_INVALID_HID;
    }
    return type;
}

/* The elements as they are in the file and in our memory: the CPUs that varve knows are little-endian. */
static hid_t
type_of(enum varve_dtype dtype)
{
    switch (dtype) {
    case VARVE_DTYPE_FLOAT32:
        return H5Tcopy(H5T_IEEE_F32LE);
    case VARVE_DTYPE_FLOAT64:
        return H5Tcopy(H5T_IEEE_F64LE);
    case VARVE_DTYPE_INT32:
        return H5Tcopy(H5T_STD_I32LE);
    case VARVE_DTYPE_INT64:
        return H5Tcopy(H5T_STD_I64LE);
    case VARVE_DTYPE_UINT32:
        return H5Tcopy(H5T_STD_U32LE);
    case VARVE_DTYPE_UINT64:
        return H5Tcopy(H5T_STD_U64LE);
    case VARVE_DTYPE_INT8:
        return H5Tcopy(H5T_STD_I8LE);
    case VARVE_DTYPE_UINT8:
        return H5Tcopy(H5T_STD_U8LE);
    case VARVE_DTYPE_INT16:
        return H5Tcopy(H5T_STD_I16LE);
    case VARVE_DTYPE_UINT16:
        return H5Tcopy(H5T_STD_U16LE);
    case VARVE_DTYPE_FLOAT16:
        return half_type();
    }
    return H5I_INVALID_HID;
}

/* LZF and Zstandard are no part of libhdf5: optional filters may be named without being there. */
static bool
set_compression(hid_t properties, const struct varve__dataset *dataset)
{
    const struct varve__chunk_filter *filter = &dataset->filter;
    const unsigned size = (unsigned)varve__grid_chunk_size(&dataset->grid);
    const unsigned lzf[] = {LZF_FILTER_VERSION, LZF_VERSION, size};
    const unsigned level[] = {(unsigned)filter->level};
    switch (filter->compression) {
    case VARVE_ARCHIVE_NONE:
        return true;
    case VARVE_ARCHIVE_DEFLATE:
        return H5Pset_deflate(properties, level[0]) >= 0;
    case VARVE_ARCHIVE_LZF:
        return H5Pset_filter(properties, FILTER_LZF, H5Z_FLAG_OPTIONAL, 3, lzf) >= 0;
    case VARVE_ARCHIVE_SZIP:
        return H5Pset_szip(properties, VARVE__SZIP_OPTIONS, VARVE__SZIP_BLOCK) >= 0;
    case VARVE_ARCHIVE_ZSTD:
        return H5Pset_filter(properties, FILTER_ZSTD, H5Z_FLAG_OPTIONAL, 1, level) >= 0;
    }
    return false;
}

static bool
set_chunks(hid_t properties, const struct varve__dataset *dataset)
{
    const struct varve__grid *grid = &dataset->grid;
    hsize_t chunk[VARVE__RANK_MAX];
    for (size_t i = 0; i < grid->rank; i++)
        chunk[i] = i < grid->axis ? 1 : (hsize_t)grid->dims[i];
    chunk[grid->axis] = (hsize_t)grid->band;
    return H5Pset_chunk(properties, (int)grid->rank, chunk) >= 0 &&
           (!dataset->filter.shuffle || H5Pset_shuffle(properties) >= 0) &&
           set_compression(properties, dataset) &&
           (!dataset->filter.checksum || H5Pset_fletcher32(properties) >= 0);
}

static bool
set_layout(hid_t properties, const struct varve__segment_set *set)
{
    if (properties < 0 || H5Pset_obj_track_times(properties, false) < 0 ||
        H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER) < 0)
        return false;
    if (!set->contiguous)
        return set_chunks(properties, set->dataset);
    /* Space at once: then its address is known, and all threads write to it. */
    return set->dataset->grid.count == 0 ||
           H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY) >= 0;
}

/* -------------------------------------------------------------------- datasets */

bool
varve__segment_make_set(hid_t group, const char *name, struct varve__segment_set *set)
{
    const struct varve__grid *grid = &set->dataset->grid;
    hsize_t dims[VARVE__RANK_MAX];
    for (size_t i = 0; i < grid->rank; i++)
        dims[i] = (hsize_t)grid->dims[i];
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    hid_t type = type_of(set->dataset->dtype);
    hid_t space = H5Screate_simple((int)grid->rank, dims, NULL);
    if (type >= 0 && space >= 0 && set_layout(properties, set))
        set->id = H5Dcreate2(group, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    bool good = set->made = set->id >= 0;
    if (good && set->contiguous && grid->count > 0) {
        set->address = H5Dget_offset(set->id);
        good = set->address != HADDR_UNDEF;
    }
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    if (properties >= 0)
        H5Pclose(properties);
    return good;
}

bool
varve__segment_close_set(struct varve__segment_set *set)
{
    bool good = set->id < 0 || H5Dclose(set->id) >= 0;
    set->id = H5I_INVALID_HID;
    return good;
}

/* The dims as the schema says them: "neuron_count, 200". */
static void
write_dims(const struct varve_tensor *tensor, char text[TEXT_SIZE])
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < tensor->dim_count && length < TEXT_SIZE; i++) {
        const struct varve_dim *dim = &tensor->dims[i];
        const char *comma = i > 0 ? ", " : "";
        int more =
            dim->field
                ? snprintf(text + length, TEXT_SIZE - length, "%s%s", comma, dim->field->name)
                : snprintf(
                      text + length, TEXT_SIZE - length, "%s%lld", comma, (long long)dim->size);
        length += more > 0 ? (size_t)more : 0;
    }
}

bool
varve__segment_describe_field(hid_t dataset, const struct varve_column *column)
{
    char dims[TEXT_SIZE];
    write_dims(column->tensor, dims);
    const char *unit = column->tensor->unit;
    return varve__hdf5_number(dataset, "field_number", column->field->id) &&
           varve__hdf5_text(dataset, "dims", dims) &&
           (!unit || varve__hdf5_text(dataset, "unit", unit));
}
