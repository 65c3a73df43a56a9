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

#endif
