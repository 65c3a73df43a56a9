/* Packing for callers that have checked the record already. */
#ifndef VARVE_CODEC_PACK_H
#define VARVE_CODEC_PACK_H

#include <varve/schema.h>
#include <varve/status.h>
#include <varve/types.h>

/* varve_record_pack() without its checks: for a record that passed varve__record_check(), for the
 * messages in it, and for a copy of it with some fields left out (whose dims no longer match). */
enum varve_status
varve__record_pack_checked(
    const struct varve_record *table, const void *record, struct varve_bytes *bytes);

/* Writes the packed record to `out`, which holds what varve__record_check() found as sizes.wire. Fails for
 * want of memory alone. */
enum varve_status
varve__record_write(const struct varve_record *table, const void *record, uint8_t *out);

#endif
