/* A tensor as it stands in a record: its {count, data} member, its dims as text. */
#ifndef VARVE_TABLE_TENSOR_H
#define VARVE_TABLE_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/field.h"
#include "table/plan.h"

enum {
    VARVE__DIMS_TEXT = 8 * 21 /* eight numbers of 64 bits, commas, NUL */
};

/* The member, a repeated field's or that of a dtype tensor in a bytes field. */
struct varve__list
varve__tensor_list(const struct varve_column *tensor, const void *record);

/* Makes the tensor these elements; an explicit presence is set where `present`. */
void
varve__tensor_set(
    const struct varve_column *tensor, void *record, struct varve__list list, bool present);

/* Whether the record has a value that must have a row. */
bool
varve__tensor_is_stored(const struct varve_column *tensor, const void *record);

/* Whether the record says what the tensor is to be; what is absent is said to be so. */
bool
varve__tensor_is_loaded(const struct varve_column *tensor, const void *record);

/* The number of elements that the record's dims ask for; 0 where they ask for what no memory holds. */
size_t
varve__tensor_expected(const struct varve_column *tensor, const void *record);

/* The bytes that the record has of it. */
size_t
varve__tensor_bytes(const struct varve_column *tensor, const void *record);

/* The dims that the record says. */
void
varve__tensor_dims(const struct varve_tensor *tensor, const void *record, int64_t *dims);

/* "200,3". */
void
varve__tensor_dims_text(const int64_t *dims, size_t count, char text[VARVE__DIMS_TEXT]);

/* The reverse: false when the text is no `count` numbers, one is negative, or they are too many elements. */
bool
varve__tensor_read_dims(const char *text, size_t count, int64_t *dims);

/* Whether all its dims are constants and it may not be absent: each record has the same shape. */
bool
varve__tensor_is_fixed(const struct varve_column *tensor);

#endif
