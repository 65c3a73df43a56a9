/* Filters: what a P_M_filter asks for, as the text of a statement and its parameters.
 *
 *     struct varve__filter filter;
 *     status = varve__filter_read(plan, given, VARVE__FILTER_COUNT, &filter);
 *     status = varve__statement_take(
 *         connection, plan, filter.shape, varve__filter_key_size(&filter), varve__filter_sql,
 *         &filter, &statement);
 *     code = varve__filter_bind(&filter, statement, memory);      filter.memory_size bytes
 *     varve__filter_release(&filter);
 *
 * The text is written from the shape alone, so the shape is a sufficient key for the statement. */
#ifndef VARVE_TABLE_FILTER_H
#define VARVE_TABLE_FILTER_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <varve/filter.h>

#include "table/list.h"
#include "table/plan.h"

enum varve__filter_verb {
    VARVE__FILTER_FIND,     /* slots, then for each optional tensor whether it is there */
    VARVE__FILTER_FIND_ONE, /* slots, unknown fields */
    VARVE__FILTER_COUNT,
    VARVE__FILTER_DELETE,
};

/* Words of a shape: these, then slot << 8 | operator for each condition. */
enum {
    VARVE__SHAPE_FLAGS, /* the verb in the lowest byte, and the flags below */
    VARVE__SHAPE_PLAN,
    VARVE__SHAPE_ORDER,    /* slot of order_by + 1; 0: none */
    VARVE__SHAPE_HEAD,     /* words before the conditions */
    VARVE__SHAPE_FEW = 16, /* words that need no memory of their own */
};

enum {
    VARVE__SHAPE_DESCENDING = 1 << 8,
    VARVE__SHAPE_LIMIT = 1 << 9,
    VARVE__SHAPE_OFFSET = 1 << 10,
    VARVE__SHAPE_AFTER = 1 << 11,
    VARVE__SHAPE_AFTER_NULL = 1 << 12, /* `after` has no value in its order_by field */
};

enum {
    /* Beside enum varve_operator: a prefix that nothing with these first bytes lies above. */
    VARVE__OPEN_PREFIX = VARVE_IS_NOT_NULL + 1,
};

struct varve__filter {
    const struct varve__plan *plan;
    const struct varve_condition *conditions; /* one for each slot; NULL: none */
    const struct varve_filter_tail *tail;
    bool copies;        /* values go to the memory, since the caller's may be gone */
    size_t memory_size; /* what varve__filter_bind() needs, in bytes */
    size_t shape_count; /* in words */
    uint32_t *shape;
    uint32_t few[VARVE__SHAPE_FEW];
};

/* Checks the filter, which may be NULL, and works out its shape. Release it when VARVE_OK. Keeps
 * pointing at `given`. */
enum varve_status
varve__filter_read(
    const struct varve__plan *plan,
    const void *given,
    enum varve__filter_verb verb,
    struct varve__filter *filter);

void
varve__filter_release(struct varve__filter *filter);

static inline size_t
varve__filter_key_size(const struct varve__filter *filter)
{
    return filter->shape_count * sizeof *filter->shape;
}

/* The text of the statement; for varve__statement_take(). `filter` is a struct varve__filter. */
char *
varve__filter_sql(const struct varve__plan *plan, const void *filter);

/* SELECT of the rows that the statement of a VARVE__FILTER_DELETE deletes, as the column "k"; its
 * parameters are the same. Release it with sqlite3_free(). */
char *
varve__filter_sql_rows(const struct varve__filter *filter);

/* Binds all parameters. The memory, aligned to 8 bytes, must stay until the statement is reset, and
 * so must what the filter points at, unless it copies. Returns SQLite's result code. */
int
varve__filter_bind(const struct varve__filter *filter, sqlite3_stmt *statement, void *memory);

/* ------------------------------------------------------------------ what the files of it share */

/* The slots that order the rows: that of order_by, then those of the primary key that it is not. */
size_t
varve__filter_order(
    const struct varve__plan *plan, const uint32_t *shape, size_t slots[VARVE__KEY_MAX + 1]);

#endif
