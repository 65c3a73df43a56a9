/* Records without their tensors, as a hot copy has them: read by the fields of their key, and as bytes. */
#ifndef VARVE_TABLE_BARE_H
#define VARVE_TABLE_BARE_H

#include <varve/types.h>

#include "base/arena.h"
#include "table/connection.h"

/* Reads the record whose key (of the cache) is that of `key`, a record: in `arena`, or in a block of its own
 * where that is NULL. It is like a row of a find, tensors not loaded, but has its unknown fields.
 * VARVE_NOT_FOUND: there is none. */
enum varve_status
varve__bare_get(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *key,
    struct varve__arena *arena,
    void **record);

/* Packs such a record. Of tensors nothing is packed, but for those that may be absent and are not: these are
 * there without elements. So the bytes are a message that anything reads, and an update with the record that
 * varve__bare_build() makes of them loses no tensor. *bytes is released with varve_bytes_free(). */
enum varve_status
varve__bare_pack(const struct varve__plan *plan, const void *record, struct varve_bytes *bytes);

/* The reverse, in `arena`, or in a block of its own where that is NULL. The bytes may come from anywhere:
 * VARVE_INVALID. */
enum varve_status
varve__bare_build(
    const struct varve__plan *plan,
    const uint8_t *bytes,
    size_t size,
    struct varve__arena *arena,
    void **record);

#endif
