/* The scan of wire bytes before they are read: nothing that comes from outside is trusted. */
#ifndef VARVE_CODEC_SCAN_H
#define VARVE_CODEC_SCAN_H

#include <varve/schema.h>
#include <varve/status.h>

/* Checks `size` bytes as a message of this table: tags, varints, lengths, wire types, nesting of at
 * most 100 levels, UTF-8 without NUL in strings, no groups; that dtype tensors have whole
 * elements is found while reading.
 * VARVE_INVALID names the field and the byte. *memory is what the record and everything in it need
 * in an arena, in bytes; a message field that is sent in parts may need more. */
enum varve_status
varve__wire_scan(
    const struct varve_record *table, const uint8_t *data, size_t size, size_t *memory);

#endif
