/* The values of a filter: which family a column is of, and what may be compared with it. */
#ifndef VARVE_TABLE_FILTER_VALUE_H
#define VARVE_TABLE_FILTER_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include <varve/filter.h>
#include <varve/status.h>

#include "table/list.h"
#include "table/plan.h"

/* Where a value stands, for the sentence that refuses it. */
struct varve__filter_place {
    const struct varve__plan *plan;
    size_t slot;
    enum {
        VARVE__IN_CONDITION,
        VARVE__IN_LIST,
        VARVE__IN_AFTER,
    } where;
    int64_t element; /* of a list */
};

enum varve__family
varve__filter_family(const struct varve_column *column);

/* Size in bytes of one value of the family, in C. */
size_t
varve__filter_value_size(enum varve__family family);

/* VARVE_MISUSE unless the family has this operator. */
enum varve_status
varve__filter_check_operator(
    const struct varve__filter_place *place, enum varve__family family, enum varve_operator op);

/* Checks a value, given by a pointer to its C type: NULL, NaN, no UTF-8. *size is that of its text
 * or bytes, 0 of numbers. */
enum varve_status
varve__filter_check_value(
    const struct varve__filter_place *place,
    enum varve__family family,
    const void *value,
    size_t *size);

/* VARVE_INVALID: "lab.Sample.name: the condition's value is <wrong>; <mend>". */
enum varve_status
varve__filter_refuse(
    const struct varve__filter_place *place,
    enum varve_failure_kind kind,
    const char *wrong,
    const char *mend);

#endif
