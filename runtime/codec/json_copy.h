/* The JSON copy of a field that holds messages: written beside its wire bytes, so that SQL can ask
 * for what is in them (json_extract, json_each), and never read back.
 *
 *     Point start          {"x":0,"y":-2}
 *     repeated Point path  [{"x":0,"y":0},{"x":1,"y":2,"label":"end"}]
 *     map<string, Point>   {"home":{"x":4,"y":0}}
 *
 * A message is an object of its fields by name, in schema order: those that have a value and those
 * that cannot be absent, so that a query finds zeros too. Left out are absent optional fields and
 * messages, the members of a oneof that are not chosen, and unknown fields, which have no name.
 * Repeated fields, tensors among them, are arrays, maps are objects. Values are written as json.h
 * has them; bytes are base64, and a NaN, which JSON has no number for, is the string "NaN". */
#ifndef VARVE_CODEC_JSON_COPY_H
#define VARVE_CODEC_JSON_COPY_H

#include <stddef.h>

#include <varve/schema.h>
#include <varve/status.h>

#include "base/arena.h"

/* Writes the column's field of the record into the arena: *size bytes of UTF-8, without a NUL. The
 * same record gives the same text; a map keeps its order, and of repeated keys the last. A singular
 * field must be present (varve__is_present()), and the record have passed varve__record_check(),
 * with all tensors of its messages loaded. Fails without memory only; *text is then NULL. */
enum varve_status
varve__json_encode_copy(
    const struct varve_record *table,
    const struct varve_column *column,
    const void *record,
    struct varve__arena *arena,
    const char **text,
    size_t *size);

#endif
