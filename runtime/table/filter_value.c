/* Which conditions a column can have, and which values they cannot. */
#include "table/filter_value.h"

#include <math.h>
#include <sqlite3.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"

/* -------------------------------------------------------------------- families */

enum varve__family
varve__filter_family(const struct varve_column *column)
{
    if (column->kind != VARVE_COLUMN_SCALAR)
        return VARVE__FAMILY_NULL;
    switch (column->field->type) {
    case PROTOBUF_C_TYPE_FIXED64:
        return VARVE__FAMILY_FIXED64;
    case PROTOBUF_C_TYPE_BOOL:
        return VARVE__FAMILY_BOOL;
    case PROTOBUF_C_TYPE_ENUM:
        return VARVE__FAMILY_ENUM;
    case PROTOBUF_C_TYPE_DOUBLE:
        return VARVE__FAMILY_DOUBLE;
    case PROTOBUF_C_TYPE_FLOAT:
        return VARVE__FAMILY_FLOAT;
    case PROTOBUF_C_TYPE_STRING:
        return VARVE__FAMILY_TEXT;
    case PROTOBUF_C_TYPE_BYTES:
        return VARVE__FAMILY_BYTES;
    default:
        return VARVE__FAMILY_INT64;
    }
}

#define BIT(op) (1u << (op))
#define NULLS (BIT(VARVE_IS_NULL) | BIT(VARVE_IS_NOT_NULL))
#define EQUALITY (NULLS | BIT(VARVE_EQUALS) | BIT(VARVE_NOT_EQUALS) | BIT(VARVE_IN))
#define ORDER                                                                                      \
    (EQUALITY | BIT(VARVE_LESS_THAN) | BIT(VARVE_AT_MOST) | BIT(VARVE_GREATER_THAN) |              \
     BIT(VARVE_AT_LEAST) | BIT(VARVE_BETWEEN))

static const struct family {
    uint32_t operators;
    size_t size;              /* of a value in C */
    const char *constructors; /* what makes its conditions */
    const char *null;         /* the one that finds records without a value */
} families[] = {
    [VARVE__FAMILY_INT64] =
        {ORDER, sizeof(int64_t), "a varve_int64_ function", "varve_int64_is_null()"},
    [VARVE__FAMILY_FIXED64] =
        {EQUALITY, sizeof(uint64_t), "a varve_fixed64_ function", "varve_fixed64_is_null()"},
    [VARVE__FAMILY_BOOL] =
        {EQUALITY, sizeof(bool), "a varve_bool_ function", "varve_bool_is_null()"},
    [VARVE__FAMILY_ENUM] = {ORDER, sizeof(int), "a varve_enum_ function", "varve_enum_is_null()"},
    [VARVE__FAMILY_DOUBLE] =
        {ORDER, sizeof(double), "a varve_double_ function", "varve_double_is_null()"},
    [VARVE__FAMILY_FLOAT] =
        {ORDER, sizeof(float), "a varve_float_ function", "varve_float_is_null()"},
    [VARVE__FAMILY_TEXT] =
        {ORDER | BIT(VARVE_PREFIX) | BIT(VARVE_LIKE), sizeof(char *), "a varve_text_ function",
         "varve_text_is_null()"},
    [VARVE__FAMILY_BYTES] =
        {ORDER | BIT(VARVE_PREFIX), sizeof(struct varve_bytes), "a varve_bytes_ function",
         "varve_bytes_is_null()"},
    [VARVE__FAMILY_NULL] = {NULLS, 0, "varve_is_null() or varve_is_not_null()", "varve_is_null()"},
};

size_t
varve__filter_value_size(enum varve__family family)
{
    return families[family].size;
}

/* -------------------------------------------------------------------- refusals */

static const char *
message_of(const struct varve__plan *plan)
{
    return plan->record->descriptor->name;
}

enum varve_status
varve__filter_refuse(
    const struct varve__filter_place *place,
    enum varve_failure_kind kind,
    const char *wrong,
    const char *mend)
{
    char subject[64];
    const ProtobufCFieldDescriptor *field = place->plan->slots[place->slot].column->field;
    if (place->where == VARVE__IN_LIST)
        sqlite3_snprintf(
            sizeof subject, subject, "value %lld of the condition's list", place->element);
    else
        sqlite3_snprintf(
            sizeof subject, subject, "%s",
            place->where == VARVE__IN_AFTER ? "the value in the record `after`"
                                            : "the condition's value");
    enum varve_status status = varve__fail(
        VARVE_INVALID, kind, VARVE_TIER_TABLE, message_of(place->plan), "%s.%s: %s is %s; %s",
        message_of(place->plan), field->name, subject, wrong, mend);
    varve__failure_add_field(field->id);
    return status;
}

static enum varve_status
refuse_null(const struct varve__filter_place *place)
{
    char mend[96];
    enum varve__family family = varve__filter_family(place->plan->slots[place->slot].column);
    if (place->where == VARVE__IN_AFTER)
        return varve__filter_refuse(
            place, VARVE_FAILURE_NOT_NULL, "NULL", "use a record that a find gave");
    sqlite3_snprintf(
        sizeof mend, mend, "use %s to find records without one", families[family].null);
    return varve__filter_refuse(place, VARVE_FAILURE_NOT_NULL, "NULL", mend);
}

enum varve_status
varve__filter_check_operator(
    const struct varve__filter_place *place, enum varve__family family, enum varve_operator op)
{
    if ((uint32_t)op <= VARVE_IS_NOT_NULL && (families[family].operators & BIT(op)))
        return VARVE_OK;
    const ProtobufCFieldDescriptor *field = place->plan->slots[place->slot].column->field;
    enum varve_status status = varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, message_of(place->plan),
        "%s.%s: the condition has operator %d, which this field has not; make it with %s",
        message_of(place->plan), field->name, (int)op, families[family].constructors);
    varve__failure_add_field(field->id);
    return status;
}

/* -------------------------------------------------------------------- values */

static enum varve_status
check_text(const struct varve__filter_place *place, const char *text, size_t *size)
{
    if (!text)
        return refuse_null(place);
    *size = strlen(text);
    if (varve__utf8_check(text, *size) < *size)
        return varve__filter_refuse(place, VARVE_FAILURE_UTF8, "no UTF-8", "convert it to UTF-8");
    return VARVE_OK;
}

static enum varve_status
check_bytes(const struct varve__filter_place *place, const struct varve_bytes *bytes, size_t *size)
{
    *size = bytes->size;
    if (bytes->size > 0 && !bytes->data)
        return varve__filter_refuse(
            place, VARVE_FAILURE_NOT_NULL, "bytes of a size above 0 with data NULL",
            "point data at them");
    return VARVE_OK;
}

static enum varve_status
check_real(const struct varve__filter_place *place, double value)
{
    if (isnan(value))
        return varve__filter_refuse(
            place, VARVE_FAILURE_NAN, "NaN, which no column holds and nothing is compared with",
            "use a number");
    return VARVE_OK;
}

enum varve_status
varve__filter_check_value(
    const struct varve__filter_place *place,
    enum varve__family family,
    const void *value,
    size_t *size)
{
    *size = 0;
    switch (family) {
    case VARVE__FAMILY_TEXT:
        return check_text(place, *(const char *const *)value, size);
    case VARVE__FAMILY_BYTES:
        return check_bytes(place, value, size);
    case VARVE__FAMILY_DOUBLE:
        return check_real(place, *(const double *)value);
    case VARVE__FAMILY_FLOAT:
        return check_real(place, (double)*(const float *)value);
    default:
        return VARVE_OK;
    }
}
