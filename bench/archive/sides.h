/* The sides of bench_archive: varve, C on libhdf5, Python on h5py. Each stores the same in files of its
 * own, all durable when a write returns: files and folders are synced.
 *
 *     struct matrix_side ours, theirs;
 *     ours_open_matrix(&setting, &ours);
 *     hdf5_open_matrix(&setting, &theirs);
 *     theirs.write(theirs.state, 1);
 *     ..
 *     theirs.close(theirs.state);
 *     ours.close(ours.state);
 */
#ifndef VARVE_BENCH_ARCHIVE_SIDES_H
#define VARVE_BENCH_ARCHIVE_SIDES_H

#include "archive/data.h"
#include "common/bench.h"

/* How a matrix is stored. h5py has one way, the reference class's: shuffle, gzip 6, fletcher32. */
enum filter {
    FILTER_LEVEL_1, /* shuffle, DEFLATE 1, fletcher32 */
    FILTER_LEVEL_4,
    FILTER_PLAIN, /* contiguous, as it is in memory */
};

struct matrix_setting {
    const struct matrix *matrix;
    enum filter filter;
    const char *folder; /* each side makes its own file or folder in it */
};

struct matrix_side {
    const char *name;
    bench_function *write; /* the whole matrix, into a new file or as a new record */
    bench_function *get;   /* all of what was written last, into new memory */
    bench_function *read;  /* the same into memory that is there; NULL: it has no such call */
    bench_function *slice; /* bands of it, one after the other picked by matrix_band() */
    uint32_t (*crc)(void *state);                        /* of all that `get` reads */
    uint32_t (*band_crc)(void *state, size_t first_row); /* of what `slice` reads */
    bench_function *size;                                /* bytes of the file, times operations */
    void (*close)(void *state);
    void *state;
};

struct trains_setting {
    const struct trains *trains;
    const char *folder;
};

enum {
    TRAINS_KEPT = 3 /* of so many trains one is alive when `compact` begins */
};

/* An insert is of setting.trains->batch records. A counterpart that writes fewer into a file works out the
 * time of as many as asked for: it has no batches, each record takes its time. */
struct trains_side {
    const char *name;
    bench_function *insert;  /* a batch, in one transaction; into a new store when all are there */
    bench_function *archive; /* all batches into a new store, and from the staging into segments */
    bench_function *
        compact; /* a store of all, two of three deleted: moves what is alive into new files; NULL: cannot */
    void (*fill)(void *state); /* has all that are to be got, archived; before the two below */
    bench_function *get;       /* records picked by trains_pick(), three arrays in new memory */
    size_t held;               /* after `fill`: records among which they are picked */
    uint32_t (*crc)(void *state, size_t train); /* of what `get` reads */
    bench_function *size; /* after `fill`: bytes of the files for each record, times operations */
    void (*close)(void *state);
    void *state;
};

/* varve, by the functions that its generator made. */
void
ours_open_matrix(const struct matrix_setting *setting, struct matrix_side *side);
void
ours_open_trains(const struct trains_setting *setting, struct trains_side *side);

/* C on libhdf5 as its manual has it: H5Dwrite and H5Dread, chunks of the shape that varve's have. */
void
hdf5_open_matrix(const struct matrix_setting *setting, struct matrix_side *side);
void
hdf5_open_trains(const struct trains_setting *setting, struct trains_side *side);

/* A process with h5py: see python_archive.py. */
void
python_open_matrix(const struct matrix_setting *setting, struct matrix_side *side);
void
python_open_trains(const struct trains_setting *setting, struct trains_side *side);

#endif
