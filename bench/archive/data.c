/* Matrices, spike trains, picks among them, their files and checksums. */
#include "archive/data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libdeflate.h>

#include "common/bench.h"
#include "common/folder.h"

/* splitmix64. */
static uint64_t
mix(uint64_t n)
{
    n += UINT64_C(0x9E3779B97F4A7C15);
    n = (n ^ (n >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    n = (n ^ (n >> 27)) * UINT64_C(0x94D049BB133111EB);
    return n ^ (n >> 31);
}

static void *
take(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory)
        bench_fail("out of memory");
    return memory;
}

uint32_t
data_crc(uint32_t crc, const void *bytes, size_t size)
{
    return libdeflate_crc32(crc, bytes, size);
}

/* ------------------------------------------------------------------ files */

static FILE *
create(const char *path)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        bench_fail("cannot write %s: %s", path, strerror(errno));
    return file;
}

static void
put(FILE *file, const void *bytes, size_t size, const char *path)
{
    if (fwrite(bytes, 1, size, file) != size)
        bench_fail("cannot write %s: %s", path, strerror(errno));
}

static void
finish(FILE *file, const char *path)
{
    if (fclose(file) != 0)
        bench_fail("cannot write %s: %s", path, strerror(errno));
}

/* ------------------------------------------------------------------ matrices */

/* The sum of four evenly spread numbers: about normal, deviation 0.1. All bits of the mantissa are random. */
static float
about_normal(uint64_t n)
{
    double sum = 0;
    for (uint64_t i = 0; i < 4; i++)
        sum += (double)(mix(4 * n + i) >> 11) * 0x1p-53;
    return (float)((sum - 2) * 0.1732);
}

static float
value_of(enum matrix_kind kind, uint64_t n)
{
    float value = about_normal(n);
    if (kind == MATRIX_SAMPLES)
        return (float)(int)(value * 65536) / 65536;
    if (kind == MATRIX_SPARSE && mix(~n) % 10 != 0)
        return 0;
    return value;
}

void
matrix_make(struct matrix *matrix, enum matrix_kind kind, size_t side, const char *folder)
{
    *matrix = (struct matrix){.kind = kind, .side = side, .band_rows = side / BANDS};
    matrix->values = take(side * side, sizeof *matrix->values);
    for (size_t i = 0; i < side * side; i++)
        matrix->values[i] = value_of(kind, i);
    matrix->crc = data_crc(0, matrix->values, matrix_size(matrix));
    matrix->file = bench_folder_path(folder, "matrix.raw");
    FILE *file = create(matrix->file);
    put(file, matrix->values, matrix_size(matrix), matrix->file);
    finish(file, matrix->file);
}

void
matrix_free(struct matrix *matrix)
{
    remove(matrix->file);
    free(matrix->file);
    free(matrix->values);
}

size_t
matrix_size(const struct matrix *matrix)
{
    return matrix->side * matrix->side * sizeof *matrix->values;
}

size_t
matrix_band_size(const struct matrix *matrix)
{
    return matrix->band_rows * matrix->side * sizeof *matrix->values;
}

size_t
matrix_band(const struct matrix *matrix, uint64_t n)
{
    return mix(n) % (matrix->side - matrix->band_rows + 1);
}

uint32_t
matrix_band_crc(const struct matrix *matrix, size_t first_row)
{
    return data_crc(0, matrix->values + first_row * matrix->side, matrix_band_size(matrix));
}

/* ------------------------------------------------------------------ spike trains */

static size_t
spikes_of(size_t train)
{
    return SPIKES_LEAST + mix(train) % (SPIKES_MOST - SPIKES_LEAST + 1);
}

/* A second a train, in which its spikes follow one another at random distances. */
static void
fill_train(struct train *train, size_t n)
{
    int64_t time = 1700000000000000000 + (int64_t)n * 1000000000;
    for (size_t i = 0; i < train->count; i++) {
        uint64_t random = mix((uint64_t)n * SPIKES_MOST + i);
        time += (int64_t)(random % (2000000000 / train->count));
        train->times[i] = time;
        train->neurons[i] = (uint32_t)(random >> 40) % 1000;
        train->amplitudes[i] = 50 + 100 * about_normal(random >> 3);
    }
}

static size_t
spikes_before(const struct trains *trains, size_t train)
{
    return (size_t)(trains->trains[train].times - trains->times);
}

static void
write_trains(const struct trains *trains)
{
    const char *path = trains->file;
    FILE *file = create(path);
    size_t spikes =
        trains->filed < trains->count ? spikes_before(trains, trains->filed) : trains->spikes;
    for (size_t i = 0; i < trains->filed; i++) {
        uint32_t count = (uint32_t)trains->trains[i].count;
        put(file, &count, sizeof count, path);
    }
    put(file, trains->times, spikes * sizeof *trains->times, path);
    put(file, trains->neurons, spikes * sizeof *trains->neurons, path);
    put(file, trains->amplitudes, spikes * sizeof *trains->amplitudes, path);
    finish(file, path);
}

void
trains_make(struct trains *trains, size_t count, size_t filed, const char *folder)
{
    *trains = (struct trains){.count = count, .batch = count / BATCHES, .filed = filed};
    trains->trains = take(count, sizeof *trains->trains);
    for (size_t i = 0; i < count; i++)
        trains->spikes += spikes_of(i);
    trains->times = take(trains->spikes, sizeof *trains->times);
    trains->neurons = take(trains->spikes, sizeof *trains->neurons);
    trains->amplitudes = take(trains->spikes, sizeof *trains->amplitudes);
    for (size_t i = 0, at = 0; i < count; i++) {
        trains->trains[i] = (struct train){
            spikes_of(i), trains->times + at, trains->neurons + at, trains->amplitudes + at};
        fill_train(&trains->trains[i], i);
        at += trains->trains[i].count;
    }
    trains->file = bench_folder_path(folder, "trains.raw");
    write_trains(trains);
}

void
trains_free(struct trains *trains)
{
    free(trains->file);
    free(trains->trains);
    free(trains->times);
    free(trains->neurons);
    free(trains->amplitudes);
}

size_t
trains_pick(size_t held, uint64_t n)
{
    return mix(n) % held;
}

uint32_t
train_crc(const struct train *train)
{
    uint32_t crc = data_crc(0, train->times, train->count * sizeof *train->times);
    crc = data_crc(crc, train->neurons, train->count * sizeof *train->neurons);
    return data_crc(crc, train->amplitudes, train->count * sizeof *train->amplitudes);
}
