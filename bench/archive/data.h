/* What all sides of bench_archive store: matrices and spike trains. They follow from their kind and index,
 * and so does what a side picks among them. A process of Python reads them from files.
 *
 *     struct matrix matrix;
 *     matrix_make(&matrix, MATRIX_NOISE, 4096, folder);
 *     size_t first = matrix_band(&matrix, 7);         // row with which the 7th band begins
 *     matrix_free(&matrix);
 */
#ifndef VARVE_BENCH_DATA_H
#define VARVE_BENCH_DATA_H

#include <stddef.h>
#include <stdint.h>

enum {
    SIDE_DEFAULT = 4096,
    SIDE_LEAST = 512, /* 1 MiB: what is smaller is no large tensor */
    BANDS = 64,       /* of a matrix: of the default's 64 MiB each has 1 MiB */
    TRAINS_DEFAULT = 100000,
    TRAINS_LEAST = 100,
    BATCHES = 10, /* of insert_many, until all trains are there */
    SPIKES_LEAST = 20,
    SPIKES_MOST = 200
};

enum matrix_kind {
    MATRIX_NOISE,   /* about normal, every bit of the mantissa random: compresses to 86% */
    MATRIX_SAMPLES, /* the same in steps, as of a converter with 16 bits: to about a half */
    MATRIX_SPARSE,  /* the noise in one of ten, the others 0: to about a fifth */
    MATRIX_KINDS,
};

struct matrix {
    enum matrix_kind kind;
    size_t side;
    size_t band_rows;
    float *values; /* side x side */
    char *file;    /* the values as they lie in memory */
    uint32_t crc;
};

/* Makes the matrix and its file in this folder. `side` is a multiple of BANDS. */
void
matrix_make(struct matrix *matrix, enum matrix_kind kind, size_t side, const char *folder);

void
matrix_free(struct matrix *matrix);

/* Bytes of all, and of a band. */
size_t
matrix_size(const struct matrix *matrix);
size_t
matrix_band_size(const struct matrix *matrix);

/* The first row of the n-th band, anywhere: chunks do not begin there. */
size_t
matrix_band(const struct matrix *matrix, uint64_t n);

/* Checksum of the band that begins with this row. */
uint32_t
matrix_band_crc(const struct matrix *matrix, size_t first_row);

struct train {
    size_t count;
    int64_t *times; /* ns */
    uint32_t *neurons;
    float *amplitudes;
};

struct trains {
    size_t count;
    size_t batch;         /* trains of an insert_many */
    struct train *trains; /* `count` of them, in the arrays below */
    size_t spikes;
    int64_t *times;
    uint32_t *neurons;
    float *amplitudes;
    size_t filed; /* trains in the file, the first ones */
    char *file;   /* their counts as uint32, then all their times, neurons, amplitudes */
};

/* Makes the trains, and in this folder a file with the first `filed`. `count` is a multiple of BATCHES. */
void
trains_make(struct trains *trains, size_t count, size_t filed, const char *folder);

void
trains_free(struct trains *trains);

/* The n-th pick among the first `held` trains, as if by chance. */
size_t
trains_pick(size_t held, uint64_t n);

/* Checksum of a train: its times, neurons and amplitudes. */
uint32_t
train_crc(const struct train *train);

/* Checksum of these bytes behind others, as zlib's crc32. */
uint32_t
data_crc(uint32_t crc, const void *bytes, size_t size);

#endif
