/* Records with tensors of every kind, written to segments and read back without libhdf5. */
#ifndef VARVE_TESTS_SEGMENT_SUPPORT_H
#define VARVE_TESTS_SEGMENT_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/segment.h"

enum {
    TENSORS = 17
};

/* lab.Recording: its tensors in the order of these columns. */
extern const struct varve_column lab_columns[TENSORS];

struct lab {
    struct varve_archive archive; /* to be changed before it is written */
    struct varve_record record;
    struct varve_schema schema;
    struct varve__segment_options options;
};

/* DEFLATE 1, shuffle, checksum, COLUMN, small chunks, into this folder. Points into itself: not to be
 * copied. */
void
lab_init(struct lab *lab, const char *folder);

/* Records with random dims; values are small integers, so that they are exact in every type. */
struct lab_data {
    size_t count;
    int64_t *ids;
    int64_t *dims[TENSORS];
    char *elements[TENSORS]; /* of all records */
    size_t element_counts[TENSORS];
    struct varve__segment_tensor tensors[TENSORS];
};

/* Dims that fields give are below `dim_end`. */
void
lab_data_make(struct lab_data *data, size_t count, int64_t dim_end, uint64_t seed);

void
lab_data_free(struct lab_data *data);

/* Writes and finishes a segment: each tensor in portions of at most so many elements, tensors in turn. */
enum varve_status
lab_write(
    struct lab *lab, const struct lab_data *data, size_t portion, struct varve__segment **segment);

/* Compares every tensor of every record with what stands in the file. */
void
lab_check(const struct lab *lab, const struct lab_data *data, const struct varve__segment *segment);

/* Files in a folder; with this end. */
size_t
lab_count_files(const char *folder, const char *end);

/* A new folder in the system's temporary one; released with lab_folder_delete(). */
char *
lab_folder_make(void);

void
lab_folder_delete(char *folder);

#endif
