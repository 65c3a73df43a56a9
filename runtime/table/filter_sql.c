/* The text of a filter's statement, written from its shape alone.
 *
 *     SELECT "id", "name" FROM "sample" WHERE "name" >= ?1 AND ("score", "id") > (?2, ?3 ..)
 *         ORDER BY "score", "id" LIMIT ?4
 *
 * Names are quoted, and nothing that a caller gives stands in the text. */
#include "table/filter.h"
#include "table/sql.h"

enum {
    GROUP = 64 /* conditions in parentheses: SQLite refuses a chain of 1000 ANDs as too deep */
};

struct writer {
    const struct varve__plan *plan;
    const uint32_t *shape;
    size_t shape_count;
    sqlite3_str *sql;
    int parameter; /* the last one in the text */
};

/* What stands behind the record `after` in the order is one range of it, or two when the order's
 * column may be NULL: the rest of the values or of the NULLs, and all of the others. */
enum part {
    PART_BOTH,
    PART_NEAR,
    PART_FAR,
};

static bool
has(const struct writer *writer, uint32_t flag)
{
    return (writer->shape[VARVE__SHAPE_FLAGS] & flag) != 0;
}

static enum varve__filter_verb
verb_of(const struct writer *writer)
{
    return (enum varve__filter_verb)(writer->shape[VARVE__SHAPE_FLAGS] & 0xFF);
}

static const char *
name_of(const struct writer *writer, size_t slot)
{
    return writer->plan->slots[slot].column->field->name;
}

static const char *
table_of(const struct writer *writer)
{
    return writer->plan->record->table->name;
}

static void
add(struct writer *writer, const char *text)
{
    sqlite3_str_appendall(writer->sql, text);
}

/* "a" DESC, "b" DESC: the columns with this behind each. */
static void
add_columns(struct writer *writer, const size_t *slots, size_t count, const char *behind)
{
    for (size_t i = 0; i < count; i++)
        sqlite3_str_appendf(
            writer->sql, "%s\"%w\"%s", i > 0 ? ", " : "", name_of(writer, slots[i]), behind);
}

/* -------------------------------------------------------------------- conditions */

/* One side of a range. Without a hint SQLite takes such a one to hold for every fourth row, and then
 * prefers to read the whole table in the order of its key to reading the column's index and
 * sorting. An index is there to be used, as SQLite does of itself for ranges with two sides. */
static bool
needs_hint(const struct writer *writer, uint32_t op)
{
    return op >= VARVE_LESS_THAN && op <= VARVE_AT_LEAST &&
           verb_of(writer) <= VARVE__FILTER_FIND_ONE && writer->shape[VARVE__SHAPE_ORDER] == 0 &&
           !has(writer, VARVE__SHAPE_AFTER);
}

static void
add_comparison(struct writer *writer, const char *name, uint32_t op)
{
    static const char *const signs[] = {
        [VARVE_EQUALS] = "=",        [VARVE_NOT_EQUALS] = "<>",  [VARVE_LESS_THAN] = "<",
        [VARVE_AT_MOST] = "<=",      [VARVE_GREATER_THAN] = ">", [VARVE_AT_LEAST] = ">=",
        [VARVE__OPEN_PREFIX] = ">=",
    };
    const char *format =
        needs_hint(writer, op) ? "likelihood(\"%w\" %s ?%d, 0.01)" : "\"%w\" %s ?%d";
    sqlite3_str_appendf(writer->sql, format, name, signs[op], ++writer->parameter);
}

static void
add_condition(struct writer *writer, size_t slot, uint32_t op)
{
    const char *name = name_of(writer, slot);
    sqlite3_str *sql = writer->sql;
    int first = writer->parameter + 1;
    switch (op) {
    case VARVE_IS_NULL:
        sqlite3_str_appendf(sql, "\"%w\" IS NULL", name);
        break;
    case VARVE_IS_NOT_NULL:
        sqlite3_str_appendf(sql, "\"%w\" IS NOT NULL", name);
        break;
    case VARVE_IN:
        sqlite3_str_appendf(sql, "\"%w\" IN \"varve_list\"(?%d)", name, first);
        writer->parameter++;
        break;
    case VARVE_LIKE: /* with the + SQLite does not prepare anew for each pattern */
        sqlite3_str_appendf(sql, "\"%w\" LIKE +?%d ESCAPE '\\'", name, first);
        writer->parameter++;
        break;
    case VARVE_BETWEEN:
        sqlite3_str_appendf(sql, "\"%w\" BETWEEN ?%d AND ?%d", name, first, first + 1);
        writer->parameter += 2;
        break;
    case VARVE_PREFIX:
        sqlite3_str_appendf(sql, "\"%w\" >= ?%d AND \"%w\" < ?%d", name, first, name, first + 1);
        writer->parameter += 2;
        break;
    default:
        add_comparison(writer, name, op);
        break;
    }
}

/* -------------------------------------------------------------------- after */

/* ("a", "b") > (?3, ?4). Without a collation SQLite would not search an index as far as the rowid,
 * and a page in the middle of many equal values would read them all. */
static void
add_behind(struct writer *writer, const size_t *slots, size_t count)
{
    const char *sign = has(writer, VARVE__SHAPE_DESCENDING) ? "<" : ">";
    if (count == 1) {
        sqlite3_str_appendf(
            writer->sql, "\"%w\" %s ?%d", name_of(writer, slots[0]), sign, ++writer->parameter);
        return;
    }
    add(writer, "(");
    add_columns(writer, slots, count, "");
    sqlite3_str_appendf(writer->sql, ") %s (", sign);
    for (size_t i = 0; i < count; i++)
        sqlite3_str_appendf(
            writer->sql, "%s?%d COLLATE BINARY", i > 0 ? ", " : "", ++writer->parameter);
    add(writer, ")");
}

/* Whether rows behind `after` are in both ranges: the NULLs, which stand first, and the values. */
static bool
has_far_part(const struct writer *writer)
{
    size_t order = writer->shape[VARVE__SHAPE_ORDER];
    return has(writer, VARVE__SHAPE_AFTER) && order != 0 &&
           writer->plan->slots[order - 1].nullable &&
           has(writer, VARVE__SHAPE_DESCENDING) != has(writer, VARVE__SHAPE_AFTER_NULL);
}

static void
add_near(struct writer *writer)
{
    size_t slots[VARVE__KEY_MAX + 1];
    size_t count = varve__filter_order(writer->plan, writer->shape, slots);
    if (has(writer, VARVE__SHAPE_AFTER_NULL)) {
        sqlite3_str_appendf(writer->sql, "\"%w\" IS NULL AND ", name_of(writer, slots[0]));
        add_behind(writer, slots + 1, count - 1);
    } else {
        add_behind(writer, slots, count);
    }
}

static void
add_far(struct writer *writer)
{
    const char *name = name_of(writer, writer->shape[VARVE__SHAPE_ORDER] - 1);
    const char *what = has(writer, VARVE__SHAPE_AFTER_NULL) ? "NOT NULL" : "NULL";
    sqlite3_str_appendf(writer->sql, "\"%w\" IS %s", name, what);
}

static void
add_after(struct writer *writer, enum part part)
{
    bool both = part == PART_BOTH && has_far_part(writer);
    if (both)
        add(writer, "((");
    if (part != PART_FAR)
        add_near(writer);
    if (both)
        add(writer, ") OR ");
    if (both || part == PART_FAR)
        add_far(writer);
    if (both)
        add(writer, ")");
}

/* -------------------------------------------------------------------- clauses */

/* All of them, in groups when they are many. */
static void
add_conditions(struct writer *writer, const uint32_t *words, size_t count)
{
    bool grouped = count > GROUP;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            add(writer, " AND ");
        if (grouped && i % GROUP == 0)
            add(writer, "(");
        add_condition(writer, words[i] >> 8, words[i] & 0xFF);
        if (grouped && (i % GROUP == GROUP - 1 || i == count - 1))
            add(writer, ")");
    }
}

/* FROM and WHERE; the parameters begin anew. */
static void
add_where(struct writer *writer, enum part part)
{
    size_t count = writer->shape_count - VARVE__SHAPE_HEAD;
    writer->parameter = 0;
    sqlite3_str_appendf(writer->sql, " FROM \"%w\"", table_of(writer));
    if (count > 0)
        add(writer, " WHERE ");
    add_conditions(writer, writer->shape + VARVE__SHAPE_HEAD, count);
    if (has(writer, VARVE__SHAPE_AFTER)) {
        add(writer, count > 0 ? " AND " : " WHERE ");
        add_after(writer, part);
    }
}

static void
add_order(struct writer *writer)
{
    size_t slots[VARVE__KEY_MAX + 1];
    size_t count = varve__filter_order(writer->plan, writer->shape, slots);
    add(writer, " ORDER BY ");
    add_columns(writer, slots, count, has(writer, VARVE__SHAPE_DESCENDING) ? " DESC" : "");
}

static void
add_limit(struct writer *writer)
{
    if (verb_of(writer) == VARVE__FILTER_FIND_ONE)
        add(writer, " LIMIT 1");
    else if (has(writer, VARVE__SHAPE_LIMIT))
        sqlite3_str_appendf(writer->sql, " LIMIT ?%d", ++writer->parameter);
    else if (has(writer, VARVE__SHAPE_OFFSET))
        add(writer, " LIMIT -1");
    if (has(writer, VARVE__SHAPE_OFFSET))
        sqlite3_str_appendf(writer->sql, " OFFSET ?%d", ++writer->parameter);
}

/* -------------------------------------------------------------------- statements */

/* The columns that a row is read from. */
static void
add_result(struct writer *writer)
{
    const struct varve__plan *plan = writer->plan;
    const char *key = name_of(writer, plan->keys[0]);
    for (size_t i = 0; i < plan->slot_count; i++)
        sqlite3_str_appendf(writer->sql, "%s\"%w\"", i > 0 ? ", " : "", name_of(writer, i));
    if (verb_of(writer) == VARVE__FILTER_FIND_ONE) {
        add(writer, ", \"varve_unknown\"");
        return;
    }
    for (size_t i = 0; i < plan->tensor_count; i++) {
        if (!plan->tensors[i]->tensor->optional)
            continue;
        sqlite3_str_appendf(
            writer->sql,
            ", EXISTS (SELECT 1 FROM \"varve_staged_%w\" WHERE \"record\" = \"%w\".\"%w\" AND "
            "\"field\" = %u)",
            table_of(writer), table_of(writer), key, plan->tensors[i]->field->id);
    }
}

/* The columns that a delete chooses its rows by: the key, and what it is ordered by. */
static void
add_key_result(struct writer *writer)
{
    size_t slots[VARVE__KEY_MAX + 1];
    size_t count = varve__filter_order(writer->plan, writer->shape, slots);
    add_columns(writer, slots, count, "");
}

/* A SELECT in the filter's order. Where two ranges stand behind `after` they are merged: one
 * condition for both would make SQLite sort them. */
static void
add_select(struct writer *writer, void (*add_results)(struct writer *))
{
    bool parts = has_far_part(writer);
    if (parts) {
        add(writer, "SELECT ");
        add_results(writer);
        add_where(writer, PART_FAR);
        add(writer, " UNION ALL ");
    }
    add(writer, "SELECT ");
    add_results(writer);
    add_where(writer, parts ? PART_NEAR : PART_BOTH);
    add_order(writer);
    add_limit(writer);
}

/* The order of the rows says nothing here. */
static void
add_count(struct writer *writer)
{
    bool limited = has(writer, VARVE__SHAPE_LIMIT | VARVE__SHAPE_OFFSET);
    add(writer, limited ? "SELECT COUNT(*) FROM (SELECT 1" : "SELECT COUNT(*)");
    add_where(writer, PART_BOTH);
    add_limit(writer);
    add(writer, limited ? ")" : "");
}

/* What a delete deletes: the text behind DELETE, or behind the columns of a SELECT. */
static void
add_deleted(struct writer *writer)
{
    const struct varve__plan *plan = writer->plan;
    if (!has(writer, VARVE__SHAPE_LIMIT | VARVE__SHAPE_OFFSET)) {
        add_where(writer, PART_BOTH);
        return;
    }
    sqlite3_str_appendf(writer->sql, " FROM \"%w\" WHERE (", table_of(writer));
    add_columns(writer, plan->keys, plan->key_count, "");
    add(writer, ") IN (SELECT ");
    add_columns(writer, plan->keys, plan->key_count, "");
    add(writer, " FROM (");
    add_select(writer, add_key_result);
    add(writer, "))");
}

static struct writer
begin_text(const struct varve__filter *filter)
{
    return (struct writer){
        .plan = filter->plan,
        .shape = filter->shape,
        .shape_count = filter->shape_count,
        .sql = sqlite3_str_new(NULL),
    };
}

char *
varve__filter_sql(const struct varve__plan *plan, const void *context)
{
    (void)plan;
    struct writer writer = begin_text(context);
    if (verb_of(&writer) == VARVE__FILTER_COUNT) {
        add_count(&writer);
    } else if (verb_of(&writer) == VARVE__FILTER_DELETE) {
        add(&writer, "DELETE");
        add_deleted(&writer);
    } else {
        add_select(&writer, add_result);
    }
    return sqlite3_str_finish(writer.sql);
}

char *
varve__filter_sql_rows(const struct varve__filter *filter)
{
    struct writer writer = begin_text(filter);
    sqlite3_str_appendf(writer.sql, "SELECT %s AS k", varve__sql_rowid(filter->plan));
    add_deleted(&writer);
    return sqlite3_str_finish(writer.sql);
}
