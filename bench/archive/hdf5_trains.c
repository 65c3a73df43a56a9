/* Spike trains in a file with a group for each, by libhdf5's ordinary calls. */
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
    LEVEL = 1,
    WRITTEN_MOST = 10000 /* trains of a file; with fewer, each takes longer */
};

struct state {
    struct trains_setting setting;
    char *path;
    size_t written; /* trains of a file */
    hid_t access;   /* how files are made */
    hid_t file;     /* kept open for gets; negative: it is not */
    uint64_t got;
};

/* The newer format: small groups and datasets are faster in it, and take a quarter of the space. */
static hid_t
make_access(void)
{
    hid_t access = hdf5_handle(H5Pcreate(H5P_FILE_ACCESS), "H5Pcreate");
    hdf5_must(
        H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110), "H5Pset_libver_bounds");
    return access;
}

/* ------------------------------------------------------------------ writing */

static void
write_dataset(hid_t group, const char *name, hid_t type, const void *data, size_t count)
{
    const hsize_t dims[] = {count};
    hid_t space = hdf5_handle(H5Screate_simple(1, dims, NULL), "H5Screate_simple");
    hid_t properties = hdf5_handle(H5Pcreate(H5P_DATASET_CREATE), "H5Pcreate");
    hdf5_must(H5Pset_chunk(properties, 1, dims), "H5Pset_chunk");
    hdf5_must(H5Pset_shuffle(properties), "H5Pset_shuffle");
    hdf5_must(H5Pset_deflate(properties, LEVEL), "H5Pset_deflate");
    hdf5_must(H5Pset_fletcher32(properties), "H5Pset_fletcher32");
    hid_t dataset = hdf5_handle(
        H5Dcreate2(group, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT), "H5Dcreate2");
    hdf5_must(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), "H5Dwrite");
    hdf5_must(H5Dclose(dataset), "H5Dclose");
    hdf5_must(H5Pclose(properties), "H5Pclose");
    hdf5_must(H5Sclose(space), "H5Sclose");
}

static void
write_train(hid_t file, const struct train *train, size_t n)
{
    char name[32];
    snprintf(name, sizeof name, "%zu", n);
    hid_t group =
        hdf5_handle(H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), "H5Gcreate2");
    write_dataset(group, "times", H5T_NATIVE_INT64, train->times, train->count);
    write_dataset(group, "neurons", H5T_NATIVE_UINT32, train->neurons, train->count);
    write_dataset(group, "amplitudes", H5T_NATIVE_FLOAT, train->amplitudes, train->count);
    hdf5_must(H5Gclose(group), "H5Gclose");
}

static void
close_file(struct state *state)
{
    if (state->file >= 0)
        hdf5_must(H5Fclose(state->file), "H5Fclose");
    state->file = -1;
}

/* A new file with state->written trains; how long that took. */
static uint64_t
write_file(struct state *state)
{
    close_file(state);
    unlink(state->path);
    uint64_t start = bench_now();
    hid_t file =
        hdf5_handle(H5Fcreate(state->path, H5F_ACC_TRUNC, H5P_DEFAULT, state->access), "H5Fcreate");
    for (size_t i = 0; i < state->written; i++)
        write_train(file, &state->setting.trains->trains[i], i);
    hdf5_must(H5Fclose(file), "H5Fclose");
    hdf5_sync(state->path, state->setting.folder);
    return bench_now() - start;
}

static void
fill(void *context)
{
    struct state *state = context;
    write_file(state);
    state->file = hdf5_handle(H5Fopen(state->path, H5F_ACC_RDONLY, H5P_DEFAULT), "H5Fopen");
}

/* Writes the file, and works out from it how long so many trains take. */
static uint64_t
time_of(struct state *state, size_t trains)
{
    return (uint64_t)((double)write_file(state) * (double)trains / (double)state->written);
}

static uint64_t
insert(void *context, size_t operations)
{
    struct state *state = context;
    uint64_t time = 0;
    for (size_t i = 0; i < operations; i++)
        time += time_of(state, state->setting.trains->batch);
    return time;
}

static uint64_t
archive(void *context, size_t operations)
{
    struct state *state = context;
    uint64_t time = 0;
    for (size_t i = 0; i < operations; i++)
        time += time_of(state, state->setting.trains->count);
    return time;
}

/* What h5repack does with groups: their datasets are copied as they are, not decompressed. */
static uint64_t
copy_kept(struct state *state)
{
    char name[32];
    if (state->file < 0)
        fill(state);
    char *path = bench_folder_path(state->setting.folder, "kept.h5");
    uint64_t start = bench_now();
    hid_t file =
        hdf5_handle(H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, state->access), "H5Fcreate");
    for (size_t i = 0; i < state->written; i += TRAINS_KEPT) {
        snprintf(name, sizeof name, "%zu", i);
        hdf5_must(H5Ocopy(state->file, name, file, name, H5P_DEFAULT, H5P_DEFAULT), "H5Ocopy");
    }
    hdf5_must(H5Fclose(file), "H5Fclose");
    hdf5_sync(path, state->setting.folder);
    uint64_t time = bench_now() - start;
    unlink(path);
    free(path);
    return time;
}

/* Works out from those of the file how long all take. */
static uint64_t
compact(void *context, size_t operations)
{
    struct state *state = context;
    uint64_t time = 0;
    for (size_t i = 0; i < operations; i++)
        time += copy_kept(state);
    return (uint64_t)((double)time * (double)state->setting.trains->count / (double)state->written);
}

/* ------------------------------------------------------------------ reading */

/* The dataset's values in new memory. */
static void *
read_dataset(hid_t group, const char *name, hid_t type, size_t *count)
{
    hid_t dataset = hdf5_handle(H5Dopen2(group, name, H5P_DEFAULT), "H5Dopen2");
    hid_t space = hdf5_handle(H5Dget_space(dataset), "H5Dget_space");
    *count = (size_t)H5Sget_simple_extent_npoints(space);
    void *values = malloc(*count * H5Tget_size(type));
    if (!values)
        bench_fail("out of memory");
    hdf5_must(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), "H5Dread");
    hdf5_must(H5Sclose(space), "H5Sclose");
    hdf5_must(H5Dclose(dataset), "H5Dclose");
    return values;
}

static struct train
read_train(const struct state *state, size_t n)
{
    struct train train;
    char name[32];
    snprintf(name, sizeof name, "%zu", n);
    hid_t group = hdf5_handle(H5Gopen2(state->file, name, H5P_DEFAULT), "H5Gopen2");
    train.times = read_dataset(group, "times", H5T_NATIVE_INT64, &train.count);
    train.neurons = read_dataset(group, "neurons", H5T_NATIVE_UINT32, &train.count);
    train.amplitudes = read_dataset(group, "amplitudes", H5T_NATIVE_FLOAT, &train.count);
    hdf5_must(H5Gclose(group), "H5Gclose");
    return train;
}

static void
free_train(struct train *train)
{
    free(train->times);
    free(train->neurons);
    free(train->amplitudes);
}

static uint64_t
get(void *context, size_t operations)
{
    struct state *state = context;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        struct train train = read_train(state, trains_pick(state->written, state->got++));
        free_train(&train);
    }
    return bench_now() - start;
}

static uint32_t
crc(void *context, size_t n)
{
    struct train train = read_train(context, n);
    uint32_t crc = train_crc(&train);
    free_train(&train);
    return crc;
}

/* ------------------------------------------------------------------ the side */

static uint64_t
size(void *context, size_t operations)
{
    const struct state *state = context;
    struct stat status;
    if (stat(state->path, &status) != 0)
        bench_fail("cannot read %s: %s", state->path, strerror(errno));
    return (uint64_t)status.st_size * operations / state->written;
}

static void
close_side(void *context)
{
    struct state *state = context;
    close_file(state);
    H5Pclose(state->access);
    unlink(state->path);
    free(state->path);
    free(state);
}

void
hdf5_open_trains(const struct trains_setting *setting, struct trains_side *side)
{
    struct state *state = calloc(1, sizeof *state);
    if (!state)
        bench_fail("out of memory");
    size_t count = setting->trains->count;
    *state = (struct state){
        .setting = *setting,
        .path = bench_folder_path(setting->folder, "trains.h5"),
        .written = count < WRITTEN_MOST ? count : WRITTEN_MOST,
        .access = make_access(),
        .file = -1,
    };
    *side = (struct trains_side){
        .name = "HDF5 in C",
        .insert = insert,
        .archive = archive,
        .compact = compact,
        .fill = fill,
        .get = get,
        .held = state->written,
        .crc = crc,
        .size = size,
        .close = close_side,
        .state = state,
    };
}
