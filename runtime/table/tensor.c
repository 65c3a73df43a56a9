/* Tensors in records. */
#include "table/tensor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/check.h"

struct varve__list
varve__tensor_list(const struct varve_column *tensor, const void *record)
{
    if (varve__is_repeated(tensor->field))
        return varve__list_at(record, tensor->field);
    return *(const struct varve__list *)varve__member(record, tensor->field->offset);
}

static bool
has_flag(const struct varve_column *tensor)
{
    return !varve__is_repeated(tensor->field) && varve__is_explicit(tensor->field);
}

void
varve__tensor_set(
    const struct varve_column *tensor, void *record, struct varve__list list, bool present)
{
    const ProtobufCFieldDescriptor *field = tensor->field;
    if (varve__is_repeated(field)) {
        memcpy(varve__member_of(record, field->quantifier_offset), &list.count, sizeof list.count);
        memcpy(varve__member_of(record, field->offset), &list.data, sizeof list.data);
        return;
    }
    memcpy(varve__member_of(record, field->offset), &list, sizeof list);
    if (present && has_flag(tensor))
        *(protobuf_c_boolean *)varve__member_of(record, field->quantifier_offset) = 1;
}

bool
varve__tensor_is_stored(const struct varve_column *tensor, const void *record)
{
    if (has_flag(tensor))
        return varve__is_present(tensor->field, record);
    return varve__tensor_list(tensor, record).count > 0;
}

bool
varve__tensor_is_loaded(const struct varve_column *tensor, const void *record)
{
    struct varve__list list = varve__tensor_list(tensor, record);
    return list.count == 0 || list.data != NULL ||
           (has_flag(tensor) && !varve__is_present(tensor->field, record));
}

size_t
varve__tensor_expected(const struct varve_column *tensor, const void *record)
{
    size_t count = 0;
    size_t which;
    if (varve__tensor_count(tensor->tensor, record, &count, &which) != VARVE__CHECK_FINE)
        return 0;
    return count;
}

size_t
varve__tensor_bytes(const struct varve_column *tensor, const void *record)
{
    return varve__tensor_list(tensor, record).count * varve_dtype_size(tensor->tensor->dtype);
}

void
varve__tensor_dims(const struct varve_tensor *tensor, const void *record, int64_t *dims)
{
    for (size_t i = 0; i < tensor->dim_count; i++) {
        dims[i] = 0;
        varve__dim_size(&tensor->dims[i], record, &dims[i]); /* the check has seen that it fits */
    }
}

void
varve__tensor_dims_text(const int64_t *dims, size_t count, char text[VARVE__DIMS_TEXT])
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        length += (size_t)snprintf(
            text + length, VARVE__DIMS_TEXT - length, "%s%lld", i > 0 ? "," : "",
            (long long)dims[i]);
}

/* Whether so many elements, of up to 8 bytes, can be counted. */
static bool
fits(const int64_t *dims, size_t count)
{
    int64_t bytes = 8;
    for (size_t i = 0; i < count; i++) {
        if (__builtin_mul_overflow(bytes, dims[i], &bytes))
            return false;
    }
    return true;
}

bool
varve__tensor_read_dims(const char *text, size_t count, int64_t *dims)
{
    for (size_t i = 0; i < count; i++) {
        char *end;
        if (!text || *text < '0' || *text > '9')
            return false;
        errno = 0;
        dims[i] = strtoll(text, &end, 10);
        if (errno != 0 || *end != (i + 1 < count ? ',' : '\0'))
            return false;
        text = end + 1;
    }
    return fits(dims, count);
}

bool
varve__tensor_is_fixed(const struct varve_column *tensor)
{
    for (size_t i = 0; i < tensor->tensor->dim_count; i++) {
        if (tensor->tensor->dims[i].field)
            return false;
    }
    return !tensor->tensor->optional && !has_flag(tensor);
}
