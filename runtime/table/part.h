/* The wire bytes of a part of a record, which a column keeps: a message field, or the unknown fields.
 * They are those of a record that has nothing else, so reading them is unpacking it. */
#ifndef VARVE_TABLE_PART_H
#define VARVE_TABLE_PART_H

#include <varve/schema.h>
#include <varve/status.h>

#include "base/arena.h"

/* Packs this field, of a kind VARVE_COLUMN_WIRE, or with NULL the unknown fields, into the arena. The
 * record must have passed varve__record_check(), and a singular field be present. */
enum varve_status
varve__part_write(
    const struct varve_record *table,
    const ProtobufCFieldDescriptor *field,
    const void *record,
    struct varve__arena *arena,
    const void **data,
    size_t *size);

/* Reads such bytes, of any origin, into the record; what they hold beside the part is dropped. *missing
 * is set when a singular field is not in them. VARVE_TYPE: they are no such message. */
enum varve_status
varve__part_read(
    const struct varve_record *table,
    const ProtobufCFieldDescriptor *field,
    const void *data,
    size_t size,
    struct varve__arena *arena,
    void *record,
    bool *missing);

#endif
