/* Records in a store, for any message. The generated functions (P_M_insert and so on) are typed
 * one-line wrappers of these; programs that handle messages they do not know at compile time call
 * them directly.
 *
 *     void *found;
 *     const void *const key[] = {&id};
 *     if (varve_record_get(session, &cortex_episode_record, key, &found) == VARVE_OK) {
 *         ...
 *         varve_record_free(found);
 *     }
 *
 * Inputs are borrowed for the call and never changed, except that the calls which take a record that
 * is not const store assigned keys and new versions in it. A call that gives a record, cursor or array
 * sets it to NULL unless it returns VARVE_OK. A call that fails has changed nothing.
 *
 * A key is an array of pointers, one for each part of the primary key in declaration order, to the
 * field's own C type (int32_t for int32, enum for enums, uint64_t for fixed64 ..), and for strings to
 * its characters (a const char *, not a pointer to one).
 *
 * Statuses of all: VARVE_INVALID (the record breaks a rule of the schema: failure kind and fields say
 * which), VARVE_CONFLICT (unique, foreign key, version), VARVE_BUSY (another writer), VARVE_MISUSE
 * (arguments, or a write while a cursor is open outside a transaction), and those of the engine.
 */
#ifndef VARVE_TABLE_H
#define VARVE_TABLE_H

#include <stdint.h>

#include <varve/filter.h>
#include <varve/record.h>
#include <varve/store.h>

#ifdef __cplusplus
extern "C" {
#endif

struct varve_cursor;

/* ------------------------------------------------------------------ writing */

/* Inserts one record. A generated key that is 0 is assigned and stored in the record, else it is used
 * as given; a version becomes 1. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_insert(struct varve_session *session, const struct varve_record *table, void *record);

/* Inserts `count` records, an array of structs: all or none. Keys that are 0 are assigned; when all
 * are, they are consecutive, in array order. Foreign keys are checked at the end, so records may refer
 * to later ones. The failure's index is that of the record at fault. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_insert_many(
    struct varve_session *session, const struct varve_record *table, void *records, int64_t count);

/* Replaces the record that has this primary key by this one. A tensor that is not loaded is kept as it
 * is stored, and so are unknown fields that the record does not carry. VARVE_NOT_FOUND: there is none;
 * VARVE_CONFLICT with VARVE_FAILURE_VERSION: it was changed since this one was read. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_update(struct varve_session *session, const struct varve_record *table, void *record);

/* The same for these fields alone, given by number: the others keep what is stored, and what the
 * record has in them is not looked at, but for primary key and version. With a count of 0 it changes
 * nothing, a version neither: VARVE_NOT_FOUND when there is no record with this key. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_update_fields(
    struct varve_session *session,
    const struct varve_record *table,
    void *record,
    const uint32_t *fields,
    int64_t count);

/* Inserts the record, or updates the one that is there: found by the primary key, or, when that is to
 * be assigned, by the message's only unique constraint (VARVE_MISUSE when it has several). The row
 * keeps its key and its children. Key and version are stored in the record. Versions are not
 * compared. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_upsert(struct varve_session *session, const struct varve_record *table, void *record);

/* The same, found by this field, which is unique by itself, in all records, or is the primary key. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_upsert_by(
    struct varve_session *session, const struct varve_record *table, void *record, uint32_t field);

/* Deletes the record with this key, and what refers to it with on_delete CASCADE. VARVE_NOT_FOUND
 * when there is none; VARVE_CONFLICT when a record refers to it with RESTRICT. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_delete(
    struct varve_session *session, const struct varve_record *table, const void *const *key);

/* Deletes all that the filter finds (NULL: every record). None is no error; varve_changes() counts. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_delete_where(
    struct varve_session *session, const struct varve_record *table, const void *filter);

/* ------------------------------------------------------------------ reading */

/* Reads the record with this key, tensors included: one block, release it with varve_record_free().
 * VARVE_NOT_FOUND when there is none. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_get(
    struct varve_session *session,
    const struct varve_record *table,
    const void *const *key,
    void **record);

/* The same by another unique field; `value` points at one as a part of a key does. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_get_by(
    struct varve_session *session,
    const struct varve_record *table,
    uint32_t field,
    const void *value,
    void **record);

/* Reads `count` records at once. `keys` is an array of the primary key's C type (const char * for
 * strings), of a composite key an array of records with its fields set. (*records)[i] is the record
 * of key i, NULL where there is none; a key may come twice. One block: release it with
 * varve_record_free_many(). */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_get_many(
    struct varve_session *session,
    const struct varve_record *table,
    const void *keys,
    int64_t count,
    void ***records);

/* NULL is fine. */
VARVE_EXPORT void
varve_record_free_many(void **records);

/* Finds records. `filter` points at a P_M_filter; NULL is all. *cursor stands before the first row:
 * close it with varve_cursor_close(). */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_find(
    struct varve_session *session,
    const struct varve_record *table,
    const void *filter,
    struct varve_cursor **cursor);

/* The first record that the filter finds, as varve_record_get() gives it. VARVE_NOT_FOUND: none. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_find_one(
    struct varve_session *session,
    const struct varve_record *table,
    const void *filter,
    void **record);

/* How many records a find with this filter would give. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_count(
    struct varve_session *session,
    const struct varve_record *table,
    const void *filter,
    int64_t *count);

/* Steps to the next row. VARVE_ROW: *row is it, borrowed until the next step, the cursor's close, a
 * rollback or the session's close; its text and bytes lie in the engine, its tensors are not loaded
 * (count > 0, data NULL) and it has no unknown fields. VARVE_DONE: there are no more, *row is NULL.
 * VARVE_MISUSE: the cursor is of another message, has failed before, or was opened inside a
 * transaction (or nested one) that was rolled back. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_cursor_next(struct varve_cursor *cursor, const struct varve_record *table, const void **row);

/* NULL is fine. */
VARVE_EXPORT void
varve_cursor_close(struct varve_cursor *cursor);

#ifdef __cplusplus
}
#endif

#endif
