/* Element sizes, dims, and the number of elements they ask for. */
#include "codec/check.h"

#include "base/memory.h"

size_t
varve_dtype_size(enum varve_dtype dtype)
{
    static const uint8_t sizes[] = {
        [VARVE_DTYPE_FLOAT32] = 4, [VARVE_DTYPE_FLOAT64] = 8, [VARVE_DTYPE_INT32] = 4,
        [VARVE_DTYPE_INT64] = 8,   [VARVE_DTYPE_UINT32] = 4,  [VARVE_DTYPE_UINT64] = 8,
        [VARVE_DTYPE_INT8] = 1,    [VARVE_DTYPE_UINT8] = 1,   [VARVE_DTYPE_INT16] = 2,
        [VARVE_DTYPE_UINT16] = 2,  [VARVE_DTYPE_FLOAT16] = 2,
    };
    return (size_t)dtype < sizeof sizes ? sizes[dtype] : 0;
}

bool
varve__dim_size(const struct varve_dim *dim, const void *record, int64_t *size)
{
    *size = dim->size;
    if (!dim->field)
        return true;
    const void *member = varve__member(record, dim->field->offset);
    switch (dim->field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        *size = *(const int32_t *)member;
        return true;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        *size = *(const uint32_t *)member;
        return true;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        if (*(const uint64_t *)member > INT64_MAX)
            return false;
        *size = (int64_t) * (const uint64_t *)member;
        return true;
    default:
        *size = *(const int64_t *)member;
        return true;
    }
}

enum varve__check_problem
varve__tensor_count(
    const struct varve_tensor *tensor, const void *record, size_t *count, size_t *which)
{
    size_t product = 1;
    bool overflow = false;
    bool empty = false;
    size_t overflow_at = 0;
    for (size_t i = 0; i < tensor->dim_count; i++) {
        int64_t size;
        bool fits = varve__dim_size(&tensor->dims[i], record, &size);
        *which = i;
        if (fits && size < 0)
            return VARVE__CHECK_DIM_NEGATIVE;
        if (fits && size == 0)
            empty = true;
        if (!overflow && (!fits || !varve__size_multiply(product, (size_t)size, &product))) {
            overflow = true;
            overflow_at = i;
        }
    }
    /* A dim of 0 makes the tensor empty, however large the others are. */
    *count = empty ? 0 : product;
    *which = overflow_at;
    return overflow && !empty ? VARVE__CHECK_DIM_OVERFLOW : VARVE__CHECK_FINE;
}
