/* The verbs that read records by a key. */
#ifndef VARVE_TABLE_READ_H
#define VARVE_TABLE_READ_H

#include "table/connection.h"

/* *record is a block of its own, tensors included: release it with varve_record_free(). */
enum varve_status
varve__get(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *const *key,
    void **record);

enum varve_status
varve__get_by(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    uint32_t field,
    const void *value,
    void **record);

/* As varve_record_get_many(). */
enum varve_status
varve__get_many(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *keys,
    size_t count,
    void ***records);

/* The record's row, its tensors not loaded: release it with varve_record_free(). Only where the key is one int64. */
enum varve_status
varve__read_row(
    struct varve__connection *connection, const struct varve__plan *plan, int64_t id, void **row);

#endif
