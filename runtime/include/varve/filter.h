/* Conditions of a find: what the members of a P_M_filter hold.
 *
 *     cortex_episode_find(session, &(struct cortex_episode_filter){
 *         .context_hash = varve_text_equals("maze/7"),
 *         .performance_score = varve_double_at_least(0.5),
 *         .order_by = CORTEX_EPISODE_FIELD_OCCURRED_AT, .descending = true, .limit = 100 }, &cursor);
 *
 * A member that is zero is no condition; a filter that is NULL finds all. Conditions are ANDed. None
 * but is_null holds for a field that is absent, as in SQL. There is a type for each family of fields,
 * so that a wrong one does not compile:
 *
 *     int64    every integer that is not below: int32, uint32, int64, uint64, ..
 *     fixed64  fixed64: bits without an order, so equality only
 *     bool, enum, double, float (the value is rounded to float first), text, bytes
 *     null     maps, messages and repeated fields: only whether they are absent
 *
 * The constructors are varve_<family>_<condition>:
 *
 *     equals(value), not_equals(value)            all families but null
 *     in(values, int64_t count)                   all families but null
 *     less_than, at_most, greater_than, at_least(value), between(low, high)
 *                                                 int64, enum, double, float, text, bytes
 *     prefix(value)                               text, bytes
 *     like(pattern)                               text
 *     is_null(), is_not_null()                    all: varve_int64_is_null(), .. varve_is_null()
 *
 * Constructors keep pointers to text, bytes and arrays; the call that takes the filter copies what
 * they point at. A NULL or a NaN given as a value is VARVE_INVALID, said by that call.
 */
#ifndef VARVE_FILTER_H
#define VARVE_FILTER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <varve/types.h>

enum varve_operator {
    VARVE_ANY = 0, /* no condition */
    VARVE_EQUALS,
    VARVE_NOT_EQUALS,
    VARVE_LESS_THAN,
    VARVE_AT_MOST,
    VARVE_GREATER_THAN,
    VARVE_AT_LEAST,
    VARVE_BETWEEN, /* value to high, both ends included */
    VARVE_IN,      /* one of values[count]; of none when count is 0 */
    VARVE_PREFIX,  /* begins with value, byte for byte */
    VARVE_LIKE,    /* SQL's LIKE: % and _, escaped by \; ignores the case of ASCII letters */
    VARVE_IS_NULL,
    VARVE_IS_NOT_NULL,
};

/* A value of a condition, in the member of its family. */
union varve_operand {
    int64_t integer;
    uint64_t bits; /* fixed64 */
    bool flag;
    int number; /* enum */
    double real;
    float single;
    const char *text; /* NUL-terminated UTF-8 */
    struct varve_bytes bytes;
    const void *values; /* VARVE_IN: an array of the family's C type */
};

/* What every condition is made of; the typed ones below wrap it. */
struct varve_condition {
    enum varve_operator op;
    int64_t count; /* of VARVE_IN */
    union varve_operand value;
    union varve_operand high; /* VARVE_BETWEEN */
};

/* A filter ends in these members, behind one condition for each field that is no tensor. */
struct varve_filter_tail {
    int order_by; /* a field's number; 0: by primary key */
    bool descending;
    int64_t limit;     /* 0: all */
    int64_t offset;    /* rows to leave out */
    const void *after; /* continue behind this record (its order_by field and its key count) */
};

/* clang-format off */
/* The functions below are all of one kind, so they are made by macros: _MAKE the type of a family
 * and its is_null, _EQUALITY and _ORDER the groups of the list above. */
#define VARVE__MAKE(family)                                                                       \
    struct family##_condition { struct varve_condition condition; };                              \
    static inline struct family##_condition                                                       \
    family##__make(enum varve_operator op, union varve_operand value,                             \
                           union varve_operand high, int64_t count)                               \
    {                                                                                             \
        struct family##_condition made;                                                           \
        made.condition.op = op;                                                                   \
        made.condition.count = count;                                                             \
        made.condition.value = value;                                                             \
        made.condition.high = high;                                                               \
        return made;                                                                              \
    }                                                                                             \
    VARVE__IS_NULL(family, family##_is_null, VARVE_IS_NULL)                                       \
    VARVE__IS_NULL(family, family##_is_not_null, VARVE_IS_NOT_NULL)

#define VARVE__IS_NULL(family, name, op)                                                          \
    static inline struct family##_condition name(void)                                            \
    {                                                                                             \
        union varve_operand none;                                                                 \
        memset(&none, 0, sizeof none);                                                            \
        return family##__make(op, none, none, 0);                                                 \
    }

#define VARVE__ONE(family, name, op, type, member)                                                \
    static inline struct family##_condition family##_##name(type value)                           \
    {                                                                                             \
        union varve_operand operand;                                                              \
        memset(&operand, 0, sizeof operand);                                                      \
        operand.member = value;                                                                   \
        return family##__make(op, operand, operand, 0);                                           \
    }

#define VARVE__EQUALITY(family, type, member, element)                                            \
    VARVE__MAKE(family)                                                                           \
    VARVE__ONE(family, equals, VARVE_EQUALS, type, member)                                        \
    VARVE__ONE(family, not_equals, VARVE_NOT_EQUALS, type, member)                                \
    static inline struct family##_condition                                                       \
    family##_in(const element *values, int64_t count)                                             \
    {                                                                                             \
        union varve_operand operand;                                                              \
        memset(&operand, 0, sizeof operand);                                                      \
        operand.values = values;                                                                  \
        return family##__make(VARVE_IN, operand, operand, count);                                 \
    }

#define VARVE__ORDER(family, type, member)                                                        \
    VARVE__ONE(family, less_than, VARVE_LESS_THAN, type, member)                                  \
    VARVE__ONE(family, at_most, VARVE_AT_MOST, type, member)                                      \
    VARVE__ONE(family, greater_than, VARVE_GREATER_THAN, type, member)                            \
    VARVE__ONE(family, at_least, VARVE_AT_LEAST, type, member)                                    \
    static inline struct family##_condition                                                       \
    family##_between(type low, type high)                                                         \
    {                                                                                             \
        union varve_operand first, last;                                                          \
        memset(&first, 0, sizeof first);                                                          \
        memset(&last, 0, sizeof last);                                                            \
        first.member = low;                                                                       \
        last.member = high;                                                                       \
        return family##__make(VARVE_BETWEEN, first, last, 0);                                     \
    }

#ifdef __cplusplus
extern "C" {
#endif

VARVE__EQUALITY(varve_int64, int64_t, integer, int64_t)
VARVE__ORDER(varve_int64, int64_t, integer)

VARVE__EQUALITY(varve_fixed64, uint64_t, bits, uint64_t)

VARVE__EQUALITY(varve_bool, bool, flag, bool)

VARVE__EQUALITY(varve_enum, int, number, int)
VARVE__ORDER(varve_enum, int, number)

VARVE__EQUALITY(varve_double, double, real, double)
VARVE__ORDER(varve_double, double, real)

VARVE__EQUALITY(varve_float, float, single, float)
VARVE__ORDER(varve_float, float, single)

VARVE__EQUALITY(varve_text, const char *, text, char *const)
VARVE__ORDER(varve_text, const char *, text)
VARVE__ONE(varve_text, prefix, VARVE_PREFIX, const char *, text)
VARVE__ONE(varve_text, like, VARVE_LIKE, const char *, text)

VARVE__EQUALITY(varve_bytes, struct varve_bytes, bytes, struct varve_bytes)
VARVE__ORDER(varve_bytes, struct varve_bytes, bytes)
VARVE__ONE(varve_bytes, prefix, VARVE_PREFIX, struct varve_bytes, bytes)

VARVE__MAKE(varve_null)
VARVE__IS_NULL(varve_null, varve_is_null, VARVE_IS_NULL)
VARVE__IS_NULL(varve_null, varve_is_not_null, VARVE_IS_NOT_NULL)

#ifdef __cplusplus
}
#endif

#undef VARVE__MAKE
#undef VARVE__IS_NULL
#undef VARVE__ONE
#undef VARVE__EQUALITY
#undef VARVE__ORDER
/* clang-format on */

#endif
