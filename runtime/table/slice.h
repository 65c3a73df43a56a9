/* A part of one tensor of a record. */
#ifndef VARVE_TABLE_SLICE_H
#define VARVE_TABLE_SLICE_H

#include <varve/archive.h>

#include "table/connection.h"

/* Reads a range of the tensor, all of it where `range` is NULL, into `buffer` of `size` bytes. */
enum varve_status
varve__slice_read(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve_column *tensor,
    int64_t id,
    const struct varve_range *range,
    void *buffer,
    size_t size);

#endif
