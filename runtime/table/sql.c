/* SQL text from the plans. */
#include "table/sql.h"

#include <sqlite3.h>

static const char *
name_of(const struct varve__plan *plan, size_t slot)
{
    return plan->slots[slot].column->field->name;
}

static const char *
table_of(const struct varve__plan *plan)
{
    return plan->record->table->name;
}

static int
copy_parameter(const struct varve__plan *plan, size_t copy)
{
    return (int)(plan->slot_count + copy) + 1;
}

static bool
is_key(const struct varve__plan *plan, size_t slot)
{
    return (plan->slots[slot].column->flags & VARVE_PRIMARY_KEY) != 0;
}

/* Every column, the unknown fields last. */
static void
append_columns(sqlite3_str *sql, const struct varve__plan *plan, bool copies)
{
    for (size_t i = 0; i < plan->slot_count; i++)
        sqlite3_str_appendf(sql, "\"%w\", ", name_of(plan, i));
    for (size_t i = 0; copies && i < plan->copy_count; i++)
        sqlite3_str_appendf(sql, "\"%w_json\", ", name_of(plan, plan->copies[i]));
    sqlite3_str_appendall(sql, "\"varve_unknown\"");
}

/* " WHERE key = ?": the parameters are the slots', or ?1 and on. */
static void
append_key(sqlite3_str *sql, const struct varve__plan *plan, bool numbered_by_slot)
{
    for (size_t i = 0; i < plan->key_count; i++) {
        size_t parameter = (numbered_by_slot ? plan->keys[i] : i) + 1;
        sqlite3_str_appendf(
            sql, "%s \"%w\" = ?%d", i == 0 ? " WHERE" : " AND", name_of(plan, plan->keys[i]),
            (int)parameter);
    }
}

static void
append_insert(sqlite3_str *sql, const struct varve__plan *plan)
{
    sqlite3_str_appendf(sql, "INSERT INTO \"%w\" (", table_of(plan));
    append_columns(sql, plan, true);
    sqlite3_str_appendall(sql, ")");
}

/* Empty bytes as unknown fields are ones that were cleared; only an upsert may get them. */
static void
append_values(sqlite3_str *sql, const struct varve__plan *plan, bool cleared)
{
    sqlite3_str_appendall(sql, " VALUES (");
    for (size_t i = 0; i < plan->slot_count; i++) {
        if (i == plan->version)
            sqlite3_str_appendall(sql, "1, ");
        else
            sqlite3_str_appendf(sql, "?%d, ", (int)i + 1);
    }
    for (size_t i = 0; i < plan->copy_count; i++)
        sqlite3_str_appendf(sql, "?%d, ", copy_parameter(plan, i));
    const char *unknown = cleared ? "nullif(?%d, x''))" : "?%d)";
    sqlite3_str_appendf(sql, unknown, varve__plan_unknown(plan));
}

static char *
insert(const struct varve__plan *plan)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);
    append_insert(sql, plan);
    append_values(sql, plan, false);
    return sqlite3_str_finish(sql);
}

static char *
insert_feed(const struct varve__plan *plan)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);
    append_insert(sql, plan);
    sqlite3_str_appendf(sql, " SELECT * FROM \"varve_feed_%d\"(?1)", (int)plan->index);
    return sqlite3_str_finish(sql);
}

static char *
get(const struct varve__plan *plan)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);
    sqlite3_str_appendall(sql, "SELECT ");
    append_columns(sql, plan, false);
    sqlite3_str_appendf(sql, " FROM \"%w\"", table_of(plan));
    append_key(sql, plan, false);
    return sqlite3_str_finish(sql);
}

char *
varve__sql_get_by(const struct varve__plan *plan, const void *slot)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);
    sqlite3_str_appendall(sql, "SELECT ");
    append_columns(sql, plan, false);
    const char *name = name_of(plan, *(const size_t *)slot);
    sqlite3_str_appendf(sql, " FROM \"%w\" WHERE \"%w\" = ?1", table_of(plan), name);
    return sqlite3_str_finish(sql);
}

/* For each tensor that may be absent whether it is there. */
static void
append_presence(sqlite3_str *sql, const struct varve__plan *plan)
{
    const char *table = table_of(plan);
    for (size_t i = 0; i < plan->tensor_count; i++) {
        if (plan->tensors[i]->tensor->optional)
            sqlite3_str_appendf(
                sql,
                ", EXISTS (SELECT 1 FROM \"varve_staged_%w\" WHERE \"record\" = \"%w\".\"%w\" AND "
                "\"field\" = %u)",
                table, table, name_of(plan, plan->keys[0]), plan->tensors[i]->field->id);
    }
}

char *
varve__sql_bare(const struct varve__plan *plan, const void *context)
{
    const struct varve__sql_bare *bare = context;
    sqlite3_str *sql = sqlite3_str_new(NULL);
    sqlite3_str_appendall(sql, "SELECT ");
    append_columns(sql, plan, false);
    append_presence(sql, plan);
    sqlite3_str_appendf(sql, " FROM \"%w\"", table_of(plan));
    for (size_t i = 0; i < bare->slot_count; i++)
        sqlite3_str_appendf(
            sql, "%s \"%w\" = ?%d", i == 0 ? " WHERE" : " AND", name_of(plan, bare->slots[i]),
            (int)bare->slots[i] + 1);
    return sqlite3_str_finish(sql);
}

/* -------------------------------------------------------------------- updates */

static size_t
copy_of(const struct varve__plan *plan, size_t slot)
{
    size_t copy = 0;
    while (copy < plan->copy_count && plan->copies[copy] != slot)
        copy++;
    return copy;
}

/* "a" = ?1, "a_json" = ?9, of one slot. */
static void
append_set(sqlite3_str *sql, const struct varve__plan *plan, size_t slot, const char **separator)
{
    const char *name = name_of(plan, slot);
    sqlite3_str_appendf(sql, "%s\"%w\" = ?%d", *separator, name, (int)slot + 1);
    *separator = ", ";
    size_t copy = copy_of(plan, slot);
    if (copy < plan->copy_count)
        sqlite3_str_appendf(sql, ", \"%w_json\" = ?%d", name, copy_parameter(plan, copy));
}

static void
append_version(sqlite3_str *sql, const struct varve__plan *plan, const char **separator)
{
    if (plan->version == VARVE__NO_SLOT)
        return;
    const char *name = name_of(plan, plan->version);
    sqlite3_str_appendf(sql, "%s\"%w\" = \"%w\" + 1", *separator, name, name);
    *separator = ", ";
}

static void
append_merge(sqlite3_str *sql, const struct varve__plan *plan, const char **separator)
{
    sqlite3_str_appendf(
        sql, "%s\"varve_unknown\" = varve_merge_unknown(\"varve_unknown\", ?%d)", *separator,
        varve__plan_unknown(plan));
    *separator = ", ";
}

/* What an update sets: never the key. */
static void
append_all_sets(sqlite3_str *sql, const struct varve__plan *plan, const char **separator)
{
    for (size_t i = 0; i < plan->slot_count; i++) {
        if (!is_key(plan, i) && i != plan->version)
            append_set(sql, plan, i, separator);
    }
    append_version(sql, plan, separator);
}

/* The row, which must have the version that the record has. */
static char *
finish_update(sqlite3_str *sql, const struct varve__plan *plan, const char *separator)
{
    if (*separator == '\0') { /* nothing but a key */
        const char *key = name_of(plan, plan->keys[0]);
        sqlite3_str_appendf(sql, "\"%w\" = \"%w\"", key, key);
    }
    append_key(sql, plan, true);
    if (plan->version != VARVE__NO_SLOT)
        sqlite3_str_appendf(
            sql, " AND \"%w\" = ?%d", name_of(plan, plan->version), (int)plan->version + 1);
    return sqlite3_str_finish(sql);
}

static char *
update(const struct varve__plan *plan, bool with_unknown)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);
    const char *separator = "";
    sqlite3_str_appendf(sql, "UPDATE \"%w\" SET ", table_of(plan));
    append_all_sets(sql, plan, &separator);
    if (with_unknown)
        append_merge(sql, plan, &separator);
    return finish_update(sql, plan, separator);
}

char *
varve__sql_update(const struct varve__plan *plan, const void *context)
{
    const struct varve__sql_update *which = context;
    sqlite3_str *sql = sqlite3_str_new(NULL);
    const char *separator = "";
    sqlite3_str_appendf(sql, "UPDATE \"%w\" SET ", table_of(plan));
    for (size_t i = 0; i < which->slot_count; i++)
        append_set(sql, plan, which->slots[i], &separator);
    append_version(sql, plan, &separator);
    return finish_update(sql, plan, separator);
}

static void
append_returning(sqlite3_str *sql, const struct varve__plan *plan)
{
    const char *separator = " RETURNING ";
    if (varve__plan_has_id(plan)) {
        sqlite3_str_appendf(sql, "%s\"%w\"", separator, name_of(plan, plan->keys[0]));
        separator = ", ";
    }
    if (plan->version != VARVE__NO_SLOT)
        sqlite3_str_appendf(sql, "%s\"%w\"", separator, name_of(plan, plan->version));
}

char *
varve__sql_upsert(const struct varve__plan *plan, const void *context)
{
    const struct varve_unique *unique = context;
    sqlite3_str *sql = sqlite3_str_new(NULL);
    append_insert(sql, plan);
    append_values(sql, plan, true);
    for (size_t i = 0; i < unique->column_count; i++) {
        const char *name = plan->record->columns[unique->columns[i]].field->name;
        sqlite3_str_appendf(sql, "%s\"%w\"", i == 0 ? " ON CONFLICT (" : ", ", name);
    }
    sqlite3_str_appendall(sql, ")");
    if (unique->where)
        sqlite3_str_appendf(sql, " WHERE %s", unique->where);
    sqlite3_str_appendall(sql, " DO UPDATE SET ");
    const char *separator = "";
    append_all_sets(sql, plan, &separator);
    append_merge(sql, plan, &separator);
    append_returning(sql, plan);
    return sqlite3_str_finish(sql);
}

static char *
upsert(const struct varve__plan *plan)
{
    const struct varve_table *table = plan->record->table;
    const struct varve_unique key = {table->primary_key, table->primary_key_count, NULL};
    return varve__sql_upsert(plan, &key);
}

/* -------------------------------------------------------------------- the rest */

static char *
by_key(const struct varve__plan *plan, const char *start)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);
    sqlite3_str_appendf(sql, "%s \"%w\"", start, table_of(plan));
    append_key(sql, plan, false);
    return sqlite3_str_finish(sql);
}

static bool
has_field(const struct varve__plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->slot_count; i++) {
        if (sqlite3_stricmp(name_of(plan, i), name) == 0)
            return true;
    }
    return false;
}

const char *
varve__sql_rowid(const struct varve__plan *plan)
{
    if (!has_field(plan, "rowid"))
        return "rowid";
    return has_field(plan, "_rowid_") ? "oid" : "_rowid_";
}

char *
varve__sql_rows_by_key(const struct varve__plan *plan)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);
    sqlite3_str_appendf(sql, "SELECT %s AS k FROM \"%w\"", varve__sql_rowid(plan), table_of(plan));
    append_key(sql, plan, false);
    return sqlite3_str_finish(sql);
}

char *
varve__sql_verb(const struct varve__plan *plan, enum varve__verb verb)
{
    const char *table = table_of(plan);
    switch (verb) {
    case VARVE__VERB_INSERT:
        return insert(plan);
    case VARVE__VERB_INSERT_FEED:
        return insert_feed(plan);
    case VARVE__VERB_GET:
        return get(plan);
    case VARVE__VERB_EXISTS:
        return by_key(plan, "SELECT 1 FROM");
    case VARVE__VERB_UPDATE:
        return update(plan, false);
    case VARVE__VERB_UPDATE_UNKNOWN:
        return update(plan, true);
    case VARVE__VERB_UPSERT:
        return upsert(plan);
    case VARVE__VERB_DELETE:
        return by_key(plan, "DELETE FROM");
    case VARVE__VERB_STAGED_INSERT:
        return sqlite3_mprintf(
            "INSERT INTO \"varve_staged_%w\" (\"record\", \"field\", \"dataset\", \"place\", "
            "\"hash\", \"dims\", \"bytes\") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            table);
    case VARVE__VERB_STAGED_READ:
        return sqlite3_mprintf(
            "SELECT \"field\", \"dims\", \"dataset\", \"place\", \"hash\", \"bytes\" "
            "FROM \"varve_staged_%w\" WHERE \"record\" = ?1",
            table);
    case VARVE__VERB_STAGED_DELETE:
        return sqlite3_mprintf(
            "DELETE FROM \"varve_staged_%w\" WHERE \"record\" = ?1 AND \"field\" = ?2", table);
    case VARVE__VERB_STAGED_DIMS:
        return sqlite3_mprintf(
            "SELECT \"field\", \"dims\" FROM \"varve_staged_%w\" WHERE \"record\" = ?1", table);
    case VARVE__VERB_STAGED_SLICE:
        return sqlite3_mprintf(
            "SELECT \"dataset\", \"place\", \"dims\", \"hash\", \"bytes\" FROM \"varve_staged_%w\" "
            "WHERE \"record\" = ?1 AND \"field\" = ?2",
            table);
    case VARVE__VERB_COUNT:
        break;
    }
    return NULL;
}
