/* The verbs that write one record or an array of them. Each is a unit: done whole, or nothing. */
#ifndef VARVE_TABLE_WRITE_H
#define VARVE_TABLE_WRITE_H

#include "table/connection.h"

enum varve_status
varve__insert(struct varve__connection *connection, const struct varve__plan *plan, void *record);

enum varve_status
varve__insert_many(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    void *records,
    size_t count);

enum varve_status
varve__update(struct varve__connection *connection, const struct varve__plan *plan, void *record);

/* Without fields it only looks whether the record is there. */
enum varve_status
varve__update_fields(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    void *record,
    const uint32_t *fields,
    size_t count);

/* `field` 0: by the primary key when it is set, else by the only unique constraint. */
enum varve_status
varve__upsert(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    void *record,
    uint32_t field);

enum varve_status
varve__delete(
    struct varve__connection *connection, const struct varve__plan *plan, const void *const *key);

/* What follows is shared by the files of these verbs. */

/* The record's key where it is one int64; 0 for other kinds of keys. */
int64_t
varve__write_id(const struct varve__plan *plan, const void *record);

/* Stores the row's id, where the key is one int64, and its version, where it has one, in the record. */
void
varve__write_back(const struct varve__plan *plan, void *record, int64_t id, int64_t version);

/* Binds the record with its unknown fields; those that were cleared as empty bytes. */
enum varve_status
varve__write_bind_all(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *record,
    sqlite3_stmt *statement);

/* Whether there is a record with this key; *status says whether it could be asked. */
bool
varve__write_exists(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *const *key,
    enum varve_status *status);

/* VARVE_NOT_FOUND, or VARVE_CONFLICT when the record is there in another version: why an update or a
 * delete changed no row. */
enum varve_status
varve__write_missed(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *const *key,
    const void *record);

#endif
