/* The sentences of failed checks: what is wrong, and how to mend it. */
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "codec/check.h"

static enum varve_status
fail_base(const struct varve__check *check, const struct varve_record *table)
{
    const char *what = check->problem == VARVE__CHECK_NOT_INITIALISED
                           ? ": the struct was not initialised; begin with its _INIT or _init()"
                           : ": the struct is of another message; look at its first member, base";
    varve__path_fail(&check->path, table, VARVE_FAILURE_OTHER, "%s", what);
    return varve__fail_as(VARVE_MISUSE);
}

/* "neuron_count * 4" */
static void
describe_dims(const struct varve_tensor *tensor, char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < tensor->dim_count && length < size; i++) {
        const struct varve_dim *dim = &tensor->dims[i];
        const char *times = i > 0 ? " * " : "";
        int written = dim->field
                          ? snprintf(text + length, size - length, "%s%s", times, dim->field->name)
                          : snprintf(text + length, size - length, "%s%" PRId64, times, dim->size);
        length += written > 0 ? (size_t)written : 0;
    }
}

static enum varve_status
fail_dims(const struct varve__check *check, const struct varve_record *table)
{
    const struct varve_tensor *tensor = check->column->tensor;
    char dims[160];
    describe_dims(tensor, dims, sizeof dims);
    if (check->problem == VARVE__CHECK_DIM_OVERFLOW)
        return varve__path_fail(
            &check->path, table, VARVE_FAILURE_DIMS,
            "cannot have %s elements: that is more than memory can hold; set smaller dims", dims);
    if (check->problem == VARVE__CHECK_DIM_NEGATIVE) {
        const struct varve_dim *dim = &tensor->dims[check->detail];
        int64_t size = 0;
        (void)varve__dim_size(dim, check->record, &size);
        return varve__path_fail(
            &check->path, table, VARVE_FAILURE_DIMS,
            "cannot have a dim of %" PRId64 "; set %s to 0 or more", size,
            dim->field ? dim->field->name : "the constant");
    }
    return varve__path_fail(
        &check->path, table, VARVE_FAILURE_DIMS,
        "has %zu element%s, but %s = %zu are expected; set the dims or the count", check->detail,
        check->detail == 1 ? "" : "s", dims, check->expected);
}

enum varve_status
varve__check_fail(const struct varve__check *check, const struct varve_record *table)
{
    const struct varve__path *path = &check->path;
    switch (check->problem) {
    case VARVE__CHECK_NULL:
        return varve__path_fail(
            path, table, VARVE_FAILURE_NOT_NULL, "is NULL; %s",
            path->steps[0].field->type == PROTOBUF_C_TYPE_STRING
                ? "set a string, \"\" for an empty one"
                : "set a message, or leave it out");
    case VARVE__CHECK_NO_DATA:
        return varve__path_fail(
            path, table, VARVE_FAILURE_NOT_NULL,
            "has a count of %zu, but its data is NULL; set data, or a count of 0", check->detail);
    case VARVE__CHECK_NOT_LOADED:
        return varve__path_fail(
            path, table, VARVE_FAILURE_NOT_LOADED,
            "has %zu elements that are not loaded; read them first, or set the count to 0",
            check->detail);
    case VARVE__CHECK_UTF8:
        return varve__path_fail(
            path, table, VARVE_FAILURE_UTF8,
            "is no UTF-8 (byte %zu); convert the text, or make the field bytes", check->detail);
    case VARVE__CHECK_SIZE:
        return varve__path_fail(
            path, table, VARVE_FAILURE_SIZE, "is too large (%zu); messages stay below 2 GiB",
            check->detail);
    case VARVE__CHECK_UNKNOWN:
        return varve__path_fail(
            path, table, VARVE_FAILURE_NOT_NULL,
            "has an unknown field whose data is NULL or no value of its wire type (%zu bytes); set "
            "it right, or call clear_unknown",
            check->detail);
    case VARVE__CHECK_DEPTH:
        return varve__path_fail(
            path, table, VARVE_FAILURE_DEPTH,
            "is nested more than %d levels deep; look for a cycle, or flatten the record",
            VARVE__DEPTH_MAX);
    case VARVE__CHECK_DIM_NEGATIVE:
    case VARVE__CHECK_DIM_OVERFLOW:
    case VARVE__CHECK_DIMS:
        return fail_dims(check, table);
    default:
        return fail_base(check, table);
    }
}
