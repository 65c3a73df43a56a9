/* Builds records out of wire bytes that varve__wire_scan() has found good. */
#ifndef VARVE_CODEC_READ_H
#define VARVE_CODEC_READ_H

#include <varve/schema.h>
#include <varve/status.h>

#include "base/arena.h"

/* Scans `size` bytes, builds the record in the arena, drops repeated map keys: all that unpacking
 * is but for the arena itself. *record is NULL when the call fails; what it took of the arena stays
 * taken. */
enum varve_status
varve__record_read(
    struct varve__arena *arena,
    const struct varve_record *table,
    const void *data,
    size_t size,
    void **record);

/* The same without the scan: for bytes that varve__wire_scan() has passed. */
enum varve_status
varve__record_build(
    struct varve__arena *arena,
    const struct varve_record *table,
    const uint8_t *data,
    size_t size,
    void **record);

#endif
