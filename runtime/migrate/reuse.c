/* The fields of the two locks, compared by table and name, and the objects' words. */
#include "migrate/reuse.h"

#include <string.h>

#include "base/error.h"
#include "migrate/normal.h"
#include "table/lock_text.h"
#include "table/sqlite.h"

/* What is looked for in the objects. */
struct reuse {
    sqlite3 *database;
    struct varve__objects *objects;
    const char *before; /* the locks */
    const char *after;
    char *table; /* at which it is */
    char *name;  /* of a column */
    char *copy;  /* of its JSON copy */
};

/* -------------------------------------------------------------------- objects */

struct sight {
    const char *table;
    bool seen;
};

/* Which tables a statement touches, SQLite says as it prepares it: through views of views, too. */
static int
see(void *context, int action, const char *a, const char *b, const char *c, const char *d)
{
    struct sight *sight = context;
    (void)action;
    (void)b;
    (void)c;
    (void)d;
    sight->seen = sight->seen || (a && sqlite3_stricmp(a, sight->table) == 0);
    return SQLITE_OK;
}

static bool
names(const struct varve__texts *tokens, const char *name)
{
    for (size_t i = 0; i < tokens->count; i++) {
        if (sqlite3_stricmp(tokens->data[i], name) == 0)
            return true;
    }
    return false;
}

/* One that does not work is looked at by its words alone. */
static enum varve_status
touches(
    const struct reuse *reuse,
    const struct varve__object *object,
    const struct varve__texts *tokens,
    bool *yes)
{
    bool works;
    struct sight sight = {.table = reuse->table};
    *yes = sqlite3_stricmp(object->table, reuse->table) == 0 || names(tokens, reuse->table);
    if (*yes || object->kind == VARVE__OBJECT_INDEX)
        return VARVE_OK;
    sqlite3_set_authorizer(reuse->database, see, &sight);
    enum varve_status status =
        varve__objects_try(reuse->database, reuse->objects->arena, object, &works);
    sqlite3_set_authorizer(reuse->database, NULL, NULL);
    *yes = sight.seen;
    return status;
}

static enum varve_status
note_object(const struct reuse *reuse, struct varve__object *object)
{
    bool yes = false;
    struct varve__texts tokens;
    struct varve__sql_piece piece = {object->sql, strlen(object->sql)};
    enum varve_status status = varve__normal_tokens(reuse->objects->arena, &piece, &tokens);
    if (status != VARVE_OK)
        return status;
    bool plain = names(&tokens, reuse->name);
    if (plain || names(&tokens, reuse->copy))
        status = touches(reuse, object, &tokens, &yes);
    if (status != VARVE_OK || !yes)
        return status;
    const char *name = plain ? reuse->name : reuse->copy;
    char *kept = varve__arena_allocate(reuse->objects->arena, strlen(name) + 1);
    if (!kept)
        return varve__fail_memory(NULL, strlen(name));
    object->reused = memcpy(kept, name, strlen(name) + 1);
    return VARVE_OK;
}

/* -------------------------------------------------------------------- fields */

static enum varve_status
note_name(struct reuse *reuse, struct varve__lock_words table, struct varve__lock_words name)
{
    enum varve_status status = VARVE_OK;
    reuse->table = sqlite3_mprintf("%.*s", (int)table.size, table.text);
    reuse->name = sqlite3_mprintf("%.*s", (int)name.size, name.text);
    reuse->copy = sqlite3_mprintf("%.*s_json", (int)name.size, name.text);
    if (!reuse->table || !reuse->name || !reuse->copy)
        status = varve__fail_memory(NULL, 0);
    for (struct varve__object *object = reuse->objects->first; object && status == VARVE_OK;
         object = object->next) {
        if (!object->reused)
            status = note_object(reuse, object);
    }
    sqlite3_free(reuse->table);
    sqlite3_free(reuse->name);
    sqlite3_free(reuse->copy);
    return status;
}

/* Goes through the fields that this table had. */
static enum varve_status
note_table(struct reuse *reuse, struct varve__lock_words message, struct varve__lock_words table)
{
    struct varve__lock_words of, name;
    uint32_t before, after;
    enum varve_status status = VARVE_OK;
    for (const char *text = reuse->before; *text && status == VARVE_OK;) {
        struct varve__lock_words line = varve__lock_next(&text);
        if (!varve__lock_read_field(line, &of, &before, &name) || of.size != message.size ||
            memcmp(of.text, message.text, of.size) != 0)
            continue;
        struct varve__lock_words taken = varve__lock_field_named(reuse->after, table, name),
                                 ignored;
        if (taken.text && varve__lock_read_field(taken, &of, &after, &ignored) && after != before)
            status = note_name(reuse, table, name);
    }
    return status;
}

static enum varve_status
note_tables(struct reuse *reuse)
{
    struct varve__lock_words message, table;
    enum varve_status status = VARVE_OK;
    for (const char *text = reuse->before; *text && status == VARVE_OK;) {
        if (varve__lock_read_message(varve__lock_next(&text), &message, &table))
            status = note_table(reuse, message, table);
    }
    return status;
}

enum varve_status
varve__reuse_note(
    sqlite3 *database, const struct varve_schema *schema, struct varve__objects *objects)
{
    sqlite3_stmt *row = NULL;
    if (!objects->first)
        return VARVE_OK;
    enum varve_status status = varve__sqlite_prepare(
        database, NULL, "SELECT lock FROM varve_schema WHERE package = ? AND lock IS NOT NULL",
        &row);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_text(row, 1, schema->package, -1, SQLITE_STATIC);
    int code = sqlite3_step(row);
    char *after = varve__lock_join(schema);
    if (!after) {
        status = varve__fail_memory(NULL, 0);
    } else if (code == SQLITE_ROW) {
        const char *before = (const char *)sqlite3_column_text(row, 0);
        struct reuse reuse = {
            .database = database, .objects = objects, .before = before, .after = after};
        status = before ? note_tables(&reuse) : varve__fail_memory(NULL, 0);
    } else if (code != SQLITE_DONE) {
        status = varve__sqlite_fail(database, code, NULL, "reading the schema");
    }
    sqlite3_free(after);
    sqlite3_finalize(row);
    return status;
}
