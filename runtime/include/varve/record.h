/* Records in memory and on the wire, for any message. The generated functions (P_M_pack and so on)
 * are typed one-line wrappers of these; programs that handle messages they do not know at compile
 * time call them directly.
 *
 *     struct varve_bytes bytes;
 *     if (varve_record_pack(&cortex_episode_record, &episode, &bytes) == VARVE_OK) {
 *         send(socket, bytes.data, bytes.size, 0);
 *         varve_bytes_free(&bytes);
 *     }
 *
 * Fields that the schema does not know, since a newer one wrote them, stay with the record: they are
 * packed, cloned and stored with it. A record that carries none (a fresh one, a row of a find) leaves
 * those alone that a table holds; only varve_record_clear_unknown() drops them.
 *
 * `record` always points at a struct of the message that the table describes; its first member is
 * the ProtobufCMessage. None of these functions keeps a pointer to its arguments, and all of them
 * may be called from any thread.
 */
#ifndef VARVE_RECORD_H
#define VARVE_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include <varve/schema.h>
#include <varve/status.h>
#include <varve/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Makes *record an empty record: zeros, and "" in every string that is not optional. It owns
 * nothing, so there is nothing to free. */
VARVE_EXPORT void
varve_record_init(const struct varve_record *table, void *record);

/* Releases a record that varve returned, with everything it points into. NULL is fine. Not for
 * records that were only initialised. */
VARVE_EXPORT void
varve_record_free(void *record);

/* Packs the record into plain protobuf bytes. *bytes is new memory: release it with
 * varve_bytes_free(). Checked first: strings (not NULL, UTF-8), dims of tensors, nesting of at most
 * 100 levels below the record, less than 2 GiB. VARVE_INVALID names the field; VARVE_MISUSE: a
 * struct that was not initialised, or is of another message. *bytes is then empty. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_pack(const struct varve_record *table, const void *record, struct varve_bytes *bytes);

/* Releases what varve_record_pack() made, and empties it. NULL and empty are fine. */
VARVE_EXPORT void
varve_bytes_free(struct varve_bytes *bytes);

/* Reads `size` bytes of wire data into a new record, *record, which one varve_record_free()
 * releases with all that it points at. The data may come from anywhere: damaged bytes, text that is
 * no UTF-8 or holds a NUL, more than 100 levels of nesting, groups, and a field sent as another
 * wire type than the schema's are VARVE_INVALID, which says at which byte. A message field sent in
 * parts is merged, as the format has it. Fields that the schema does not know are kept and packed
 * again. Of a map's repeated keys the last wins. *record is NULL when the call fails. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_unpack(const struct varve_record *table, const void *data, size_t size, void **record);

/* A deep copy, unknown fields included, released with one varve_record_free(). The same checks as
 * of varve_record_pack(), but for the size of the whole, and for a tensor that is not loaded: it
 * stays so. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_clone(const struct varve_record *table, const void *record, void **copy);

/* Whether two records hold the same values: maps in any order (of repeated keys
 * the last counts), NaN equal to NaN, 0.0 to -0.0,
 * unknown fields byte for byte. */
VARVE_MUST_CHECK VARVE_EXPORT bool
varve_record_equal(const struct varve_record *table, const void *a, const void *b);

/* Writes the record as protobuf text format (a line per field) into buffer, always NUL-terminated.
 * When it does not fit the text is cut at a whole character and the status is VARVE_INVALID; the
 * error text says how many bytes are needed. Unknown fields are printed by number. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_print(const struct varve_record *table, const void *record, char *buffer, size_t size);

/* Forgets the fields that the schema does not know, in nested messages too, and marks the record, and
 * clones of it, as cleared: when it is written over one in a table, what that holds is forgotten too.
 * Not for a record that protobuf_c_message_free_unpacked() will free: it would free the mark. */
VARVE_EXPORT void
varve_record_clear_unknown(const struct varve_record *table, void *record);

/* The schema's name of an enum value, NULL for a number it does not name. A static string. */
VARVE_EXPORT const char *
varve_enum_name(const ProtobufCEnumDescriptor *descriptor, int value);

/* The number of the value with this name. False, and *value untouched, when there is none. */
VARVE_EXPORT bool
varve_enum_parse(const ProtobufCEnumDescriptor *descriptor, const char *text, int *value);

#ifdef __cplusplus
}
#endif

#endif
