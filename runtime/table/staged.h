/* Tensors of a record, in the rows of "varve_staged_<table>": with their bytes until the archive takes them, then
 * with their place in a segment (catalog.h). A tensor that is absent or has no elements has no row. Every call works inside the write or
 * read that its caller has begun. */
#ifndef VARVE_TABLE_STAGED_H
#define VARVE_TABLE_STAGED_H

#include "table/connection.h"

/* Which tensors of a record a write is about. */
enum varve__staged_mode {
    VARVE__STAGED_INSERT, /* all of a new record: there are no rows of it */
    VARVE__STAGED_UPDATE, /* all that are loaded; the others must be stored with the same dims */
};

/* Writes the tensors of the record whose key is `id`. VARVE_INVALID with VARVE_FAILURE_NOT_LOADED or
 * _DIMS: one that is not loaded is not stored, or has other dims than the record says. */
enum varve_status
varve__staged_write(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *record,
    int64_t id,
    enum varve__staged_mode mode);

/* Inserts the row of one tensor, with its bytes, or with its place in a dataset of the archive. */
enum varve_status
varve__staged_insert(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve_column *tensor,
    const void *record,
    int64_t id);

enum varve_status
varve__staged_insert_place(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve_column *tensor,
    const void *record,
    int64_t id,
    int64_t dataset,
    int64_t place);

/* The same with dims that are known otherwise. */
enum varve_status
varve__staged_insert_dims(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve_column *tensor,
    const int64_t *dims,
    int64_t id,
    int64_t dataset,
    int64_t place);

/* Deletes the row of one tensor, if there is one. */
enum varve_status
varve__staged_remove(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve_column *tensor,
    int64_t id);

/* Writes those of these tensors that are loaded in the record; the others stay as they are. */
enum varve_status
varve__staged_replace(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve_column *const *tensors,
    size_t count,
    const void *record,
    int64_t id);

/* Checks that what is stored has the dims of this record, a row as it is in the table now, and that no
 * tensor is missing that may not be, or that `kept`, a record, has unloaded. */
enum varve_status
varve__staged_verify(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *row,
    const void *kept,
    int64_t id);

/* Makes all tensors of the record absent where they may be, else not loaded, with the counts that its
 * dims ask for. */
void
varve__staged_unload(const struct varve__plan *plan, void *record);

/* Reads all tensors of a record that varve__row_read() has made, into its arena. */
enum varve_status
varve__staged_load(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    void *record,
    struct varve__arena *arena);

/* varve__row_read() with the tensors: the statement, which stays on its row, keeps the snapshot that
 * both are of. */
enum varve_status
varve__staged_read_row(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    sqlite3_stmt *statement,
    void **record);

#endif
