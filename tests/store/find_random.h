/* Random values, out of small pools with the extremes in them, and random filters of any message.
 * What comes of a seed is always the same. */
#ifndef VARVE_TESTS_STORE_FIND_RANDOM_H
#define VARVE_TESTS_STORE_FIND_RANDOM_H

#include "find_model.h"
#include "random.h"

enum {
    POOL = 12,     /* values in each pool */
    LIST_MAX = 4,  /* values of a random list */
    SLOTS_MAX = 64 /* conditions of a filter */
};

int64_t
some_integer(struct random *random);

double
some_real(struct random *random);

const char *
some_text(struct random *random);

struct varve_bytes
some_bytes(struct random *random);

/* A filter with the memory that its lists point at. */
struct some_filter {
    struct varve_condition conditions[SLOTS_MAX]; /* of the message, then the tail */
    union varve_operand lists[SLOTS_MAX][LIST_MAX];
};

/* Columns that are no tensor have a condition each. */
size_t
slot_count(const struct varve_record *table);

const struct varve_column *
column_of_slot(const struct varve_record *table, size_t slot);

bool
has_operator(const struct varve_column *column, enum varve_operator op);

bool
has_order(const struct varve_column *column);

/* Sets the condition on a column, with the value `which` of its pool. */
void
fill_condition(
    struct some_filter *filter,
    const struct varve_record *table,
    size_t slot,
    enum varve_operator op,
    size_t which,
    struct random *random);

/* Up to two conditions, an order, a limit, an offset, a record to begin behind: some of them. */
void
fill_filter(struct some_filter *filter, const struct model *model, struct random *random);

#endif
