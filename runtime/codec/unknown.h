/* Fields that the schema does not know: what becomes of those that a table holds when their record
 * is written again. A record that carries some replaces those of the same numbers and keeps the
 * others; one that carries none keeps all; one that was cleared drops all. */
#ifndef VARVE_CODEC_UNKNOWN_H
#define VARVE_CODEC_UNKNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include <varve/status.h>

/* Merges two runs of wire fields: the fields of `stored` whose numbers `given` does not have, then
 * all of `given`, each in its order. *merged is new memory for varve__release(), never NULL on
 * success. Bytes that are no fields, or a group: VARVE_TYPE for the column's (`stored`),
 * VARVE_INVALID for the record's; the text tells the byte. An empty run may be NULL. */
enum varve_status
varve__unknown_merge(
    const uint8_t *stored,
    size_t stored_size,
    const uint8_t *given,
    size_t given_size,
    uint8_t **merged,
    size_t *merged_size);

/* Leaves the message without unknown fields and marks it as cleared: they point at nothing of
 * varve's but one static place, which copies keep and all others take for an empty array. */
void
varve__unknown_clear(ProtobufCMessage *message);

/* Whether the message was cleared and has been given no unknown fields since. */
bool
varve__unknown_is_cleared(const ProtobufCMessage *message);

#endif
