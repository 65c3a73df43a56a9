/* What a find should give, worked out by looking at every record: the model that test_find_model.c
 * holds the store to. */
#ifndef VARVE_TESTS_STORE_FIND_MODEL_H
#define VARVE_TESTS_STORE_FIND_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <varve/varve.h>

/* Records as they are stored: an array of structs, each field of which may be compared. */
struct model {
    const struct varve_record *table;
    const char *records;
    size_t count;
};

/* The conditions of a filter of any message, and its end. */
struct varve_condition *
filter_conditions(void *filter);

struct varve_filter_tail *
filter_tail(const struct varve_record *table, void *filter);

/* Size in bytes of the message's filter. */
size_t
filter_size(const struct varve_record *table);

/* Size in bytes of a value of a field's family, as the list of VARVE_IN has it. */
size_t
model_operand_size(ProtobufCType type);

/* Indexes of the records that the filter finds, in their order, into found[model->count]; returns
 * how many. */
size_t
model_find(const struct model *model, void *filter, size_t *found);

const void *
model_record(const struct model *model, size_t index);

/* Whether two records have the same primary key. */
bool
model_same_key(const struct model *model, const void *a, const void *b);

#endif
