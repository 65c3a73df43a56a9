/* A matrix in a file of its own, by libhdf5's ordinary calls. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/hdf5.h"
#include "archive/sides.h"
#include "common/folder.h"

enum {
    CHUNK_BYTES = 1024 * 1024
};

struct state {
    struct matrix_setting setting;
    char *path;
    hid_t properties; /* of the dataset */
    float *band;
    float *whole; /* all of a matrix */
    hid_t file;   /* kept open for slices; negative: it is not */
    hid_t dataset;
    uint64_t sliced;
};

/* Bands of rows, so that a chunk is one piece of the memory: for whole matrices other shapes, and larger
 * caches of chunks, made no difference beyond the noise. */
static hid_t
make_properties(const struct matrix_setting *setting)
{
    size_t side = setting->matrix->side, rows = CHUNK_BYTES / (side * sizeof(float));
    const hsize_t chunk[] = {rows < side ? rows : side, side};
    hid_t properties = hdf5_handle(H5Pcreate(H5P_DATASET_CREATE), "H5Pcreate");
    if (setting->filter == FILTER_PLAIN)
        return properties;
    hdf5_must(H5Pset_chunk(properties, 2, chunk), "H5Pset_chunk");
    hdf5_must(H5Pset_shuffle(properties), "H5Pset_shuffle");
    hdf5_must(
        H5Pset_deflate(properties, setting->filter == FILTER_LEVEL_1 ? 1 : 4), "H5Pset_deflate");
    hdf5_must(H5Pset_fletcher32(properties), "H5Pset_fletcher32");
    return properties;
}

static void
open_dataset(struct state *state)
{
    state->file = hdf5_handle(H5Fopen(state->path, H5F_ACC_RDONLY, H5P_DEFAULT), "H5Fopen");
    state->dataset = hdf5_handle(H5Dopen2(state->file, "weights", H5P_DEFAULT), "H5Dopen2");
}

static void
close_dataset(struct state *state)
{
    if (state->file < 0)
        return;
    hdf5_must(H5Dclose(state->dataset), "H5Dclose");
    hdf5_must(H5Fclose(state->file), "H5Fclose");
    state->file = -1;
}

/* ------------------------------------------------------------------ writing */

static void
write_file(const struct state *state)
{
    const struct matrix *matrix = state->setting.matrix;
    const hsize_t dims[] = {matrix->side, matrix->side};
    hid_t file =
        hdf5_handle(H5Fcreate(state->path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), "H5Fcreate");
    hid_t space = hdf5_handle(H5Screate_simple(2, dims, NULL), "H5Screate_simple");
    hid_t dataset = hdf5_handle(
        H5Dcreate2(
            file, "weights", H5T_IEEE_F32LE, space, H5P_DEFAULT, state->properties, H5P_DEFAULT),
        "H5Dcreate2");
    hdf5_must(
        H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, matrix->values),
        "H5Dwrite");
    hdf5_must(H5Dclose(dataset), "H5Dclose");
    hdf5_must(H5Sclose(space), "H5Sclose");
    hdf5_must(H5Fclose(file), "H5Fclose");
    hdf5_sync(state->path, state->setting.folder);
}

static uint64_t
write_matrix(void *context, size_t operations)
{
    struct state *state = context;
    uint64_t time = 0;
    close_dataset(state);
    for (size_t i = 0; i < operations; i++) {
        unlink(state->path);
        uint64_t start = bench_now();
        write_file(state);
        time += bench_now() - start;
    }
    return time;
}

/* ------------------------------------------------------------------ reading */

static void
read_file(struct state *state, float *values)
{
    open_dataset(state);
    hdf5_must(
        H5Dread(state->dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values),
        "H5Dread");
    close_dataset(state);
}

/* All values, in new memory. */
static float *
get_file(struct state *state)
{
    float *values = malloc(matrix_size(state->setting.matrix));
    if (!values)
        bench_fail("out of memory");
    read_file(state, values);
    return values;
}

static uint64_t
get_matrix(void *context, size_t operations)
{
    struct state *state = context;
    close_dataset(state);
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++)
        free(get_file(state));
    return bench_now() - start;
}

static uint64_t
read_matrix(void *context, size_t operations)
{
    struct state *state = context;
    close_dataset(state);
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++)
        read_file(state, state->whole);
    return bench_now() - start;
}

static uint32_t
crc(void *context)
{
    struct state *state = context;
    close_dataset(state);
    float *values = get_file(state);
    uint32_t crc = data_crc(0, values, matrix_size(state->setting.matrix));
    free(values);
    return crc;
}

/* Into state->band. */
static void
read_band(struct state *state, size_t first_row)
{
    const struct matrix *matrix = state->setting.matrix;
    const hsize_t start[] = {first_row, 0}, count[] = {matrix->band_rows, matrix->side};
    hid_t space = hdf5_handle(H5Dget_space(state->dataset), "H5Dget_space");
    hid_t memory = hdf5_handle(H5Screate_simple(2, count, NULL), "H5Screate_simple");
    hdf5_must(
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL),
        "H5Sselect_hyperslab");
    hdf5_must(
        H5Dread(state->dataset, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, state->band),
        "H5Dread");
    hdf5_must(H5Sclose(memory), "H5Sclose");
    hdf5_must(H5Sclose(space), "H5Sclose");
}

static uint64_t
slice(void *context, size_t operations)
{
    struct state *state = context;
    if (state->file < 0)
        open_dataset(state);
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++)
        read_band(state, matrix_band(state->setting.matrix, state->sliced++));
    return bench_now() - start;
}

static uint32_t
band_crc(void *context, size_t first_row)
{
    struct state *state = context;
    if (state->file < 0)
        open_dataset(state);
    read_band(state, first_row);
    return data_crc(0, state->band, matrix_band_size(state->setting.matrix));
}

/* ------------------------------------------------------------------ the side */

static uint64_t
size(void *context, size_t operations)
{
    const struct state *state = context;
    struct stat status;
    if (stat(state->path, &status) != 0)
        bench_fail("cannot read %s: %s", state->path, strerror(errno));
    return (uint64_t)status.st_size * operations;
}

static void
close_side(void *context)
{
    struct state *state = context;
    close_dataset(state);
    H5Pclose(state->properties);
    unlink(state->path);
    free(state->band);
    free(state->whole);
    free(state->path);
    free(state);
}

void
hdf5_open_matrix(const struct matrix_setting *setting, struct matrix_side *side)
{
    struct state *state = calloc(1, sizeof *state);
    float *band = malloc(matrix_band_size(setting->matrix));
    float *whole = calloc(1, matrix_size(setting->matrix));
    if (!state || !band || !whole)
        bench_fail("out of memory");
    *state = (struct state){
        .setting = *setting,
        .path = bench_folder_path(setting->folder, "hdf5.h5"),
        .properties = make_properties(setting),
        .band = band,
        .whole = whole,
        .file = -1,
    };
    *side = (struct matrix_side){
        .name = "HDF5 in C",
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
