/* Collecting the keys that a transaction makes stale. The rows are read and written in copies_rows.c. */
#define SQLITE_ENABLE_PREUPDATE_HOOK

#include "table/copies.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "codec/field.h"
#include "table/connection.h"
#include "table/sqlite.h"

enum {
    FIELDS_MAX = 16,       /* of a key: those of more parts raise the epoch */
    COMMITTED_MAX = 10000, /* keys that wait for the store to send them; the rest is drained */
};

/* A table that is copied. */
struct varve__copies_table {
    char *name;
    const struct varve__space *space; /* NULL: not one that the program keeps copies of */
    void *record; /* a struct of it, of which only the key's fields are ever set */
    const ProtobufCFieldDescriptor *fields[FIELDS_MAX]; /* of the key */
    int columns[FIELDS_MAX];                            /* theirs, as the database counts them */
    size_t field_count;
};

/* -------------------------------------------------------------------- keys */

struct varve__copies_key *
varve__copies_make(const char *text, size_t size)
{
    struct varve__copies_key *key = varve__allocate(sizeof *key + size);
    if (!key)
        return NULL;
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (uint8_t)text[i]) * 16777619u;
    *key = (struct varve__copies_key){.hash = hash, .size = size};
    memcpy(key->text, text, size);
    return key;
}

void
varve__copies_free(struct varve__copies_key **keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        varve__release(keys[i]);
    varve__release(keys);
}

/* Forgets the keys of the transaction; their arrays serve the next. */
static void
clear(struct varve__copies *copies)
{
    for (size_t i = 0; i < copies->count; i++)
        varve__release(copies->keys[i]);
    if (copies->count > 0)
        memset(copies->places, 0, VARVE__COPIES_PLACES * sizeof *copies->places);
    copies->count = 0;
}

static void
overflow(struct varve__copies *copies)
{
    clear(copies);
    copies->overflow = true;
}

static bool
has_arrays(struct varve__copies *copies)
{
    size_t size = VARVE__COPIES_PLACES * sizeof *copies->places;
    if (!copies->keys)
        copies->keys = varve__allocate(VARVE__COPIES_KEYS_MAX * sizeof(void *));
    if (copies->keys && !copies->places) {
        copies->places = varve__allocate(size);
        if (copies->places)
            memset(copies->places, 0, size);
    }
    return copies->keys && copies->places;
}

/* The key's place in the hash table: taken when the key is there already. */
static uint16_t *
place_of(const struct varve__copies *copies, const struct varve__copies_key *key)
{
    size_t at = key->hash % VARVE__COPIES_PLACES;
    for (; copies->places[at]; at = (at + 1) % VARVE__COPIES_PLACES) {
        const struct varve__copies_key *other = copies->keys[copies->places[at] - 1];
        if (other->hash == key->hash && other->size == key->size &&
            memcmp(other->text, key->text, key->size) == 0)
            break;
    }
    return &copies->places[at];
}

static void
add(struct varve__copies *copies, size_t prefix, const char *text, size_t size)
{
    struct varve__copies_key *key = has_arrays(copies) ? varve__copies_make(text, size) : NULL;
    if (!key) {
        overflow(copies);
        return;
    }
    uint16_t *place = place_of(copies, key);
    key->prefix = prefix;
    if (*place) {
        varve__release(key);
    } else if (copies->count == VARVE__COPIES_KEYS_MAX) {
        varve__release(key);
        overflow(copies);
    } else {
        copies->keys[copies->count++] = key;
        *place = (uint16_t)copies->count;
    }
}

/* -------------------------------------------------------------------- the hook */

typedef int
take_value(sqlite3 *database, int column, sqlite3_value **value);

/* Sets a member to what the column holds. False: it holds nothing that is known, or there is no memory. */
static bool
set_member(const ProtobufCFieldDescriptor *field, void *record, sqlite3_value *value)
{
    void *member = varve__member_of(record, field->offset);
    int64_t number = sqlite3_value_int64(value);
    if (sqlite3_value_type(value) == SQLITE_NULL)
        return false; /* of a column that was added to the row's table: SQLite gives no default */
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        *(const char **)member = (const char *)sqlite3_value_text(value);
        return *(const char **)member != NULL;
    }
    if (field->type == PROTOBUF_C_TYPE_BOOL)
        *(protobuf_c_boolean *)member = number != 0;
    else if (varve__element_size(field->type) == sizeof(int32_t))
        *(int32_t *)member = (int32_t)(uint32_t)(uint64_t)number;
    else
        *(int64_t *)member = number;
    return true;
}

/* Collects the key of the row before or after its change. */
static void
collect(
    struct varve__copies *copies,
    const struct varve__copies_table *table,
    sqlite3 *database,
    take_value *take)
{
    char text[VARVE__COPIES_TEXT_MAX];
    size_t size = 0;
    const struct varve__cache_text prefix = table->space->prefix;
    for (size_t i = 0; i < table->field_count; i++) {
        sqlite3_value *value = NULL;
        if (take(database, table->columns[i], &value) != SQLITE_OK || !value ||
            !set_member(table->fields[i], table->record, value)) {
            overflow(copies);
            return;
        }
    }
    memcpy(text, prefix.text, prefix.size);
    /* A key that is too long, or text that cannot be read, has no copy. */
    if (varve__cache_key_encode(table->space->record, table->record, text + prefix.size, &size) ==
        VARVE_OK)
        add(copies, prefix.size, text, prefix.size + size);
}

static const struct varve__copies_table *
table_named(const struct varve__copies *copies, const char *name)
{
    for (size_t i = 0; i < copies->table_count; i++) {
        if (sqlite3_stricmp(copies->tables[i].name, name) == 0)
            return &copies->tables[i];
    }
    return NULL;
}

bool
varve__copies_has(const struct varve__copies *copies, const struct varve__space *space)
{
    for (size_t i = 0; i < copies->table_count && copies->same_file; i++) {
        if (copies->tables[i].space && (!space || copies->tables[i].space == space))
            return true;
    }
    return false;
}

/* SQLite's preupdate hook: a row of any table is about to change, be it by a statement, a cascade or a trigger.
 * An insert makes no copy stale: that there is no record is never copied. Knows no SQL, which a hook must not
 * run. */
static void
note_change(
    void *context,
    sqlite3 *database,
    int operation,
    const char *schema,
    const char *name,
    sqlite3_int64 old_row,
    sqlite3_int64 new_row)
{
    struct varve__copies *copies = context;
    (void)old_row, (void)new_row;
    if (operation == SQLITE_INSERT || copies->overflow || strcmp(schema, "main") != 0)
        return;
    const struct varve__copies_table *table = table_named(copies, name);
    if (!table)
        return;
    copies->written = false;
    if (!table->space || !copies->keeps) {
        overflow(copies);
        return;
    }
    collect(copies, table, database, sqlite3_preupdate_old);
    if (operation == SQLITE_UPDATE && !copies->overflow)
        collect(copies, table, database, sqlite3_preupdate_new);
}

static void
note_rollback(void *context)
{
    struct varve__copies *copies = context;
    clear(copies);
    copies->overflow = false;
    copies->written = false;
}

/* -------------------------------------------------------------------- what is watched */

static void
release_tables(struct varve__copies *copies)
{
    for (size_t i = 0; i < copies->table_count; i++) {
        varve__release(copies->tables[i].name);
        varve__release(copies->tables[i].record);
    }
    varve__release(copies->tables);
    copies->tables = NULL;
    copies->table_count = 0;
}

static const struct varve__space *
space_with_prefix(const struct varve__copies *copies, const char *name, const char *prefix)
{
    for (size_t i = 0; copies->spaces && i < copies->spaces->count; i++) {
        const struct varve__space *space = &copies->spaces->spaces[i];
        if (space->record->cache->mode == VARVE_CACHE_READ_THROUGH &&
            strlen(prefix) == space->prefix.size &&
            memcmp(prefix, space->prefix.text, space->prefix.size) == 0 &&
            strcmp(name, space->record->table->name) == 0)
            return space;
    }
    return NULL;
}

/* The number of the column in the database's table; *column is -1 when it has none of this name. */
static enum varve_status
find_column(
    sqlite3 *database, const struct varve__copies_table *table, const char *name, int *column)
{
    sqlite3_stmt *statement;
    enum varve_status status = varve__sqlite_prepare(
        database, NULL, "SELECT cid FROM pragma_table_xinfo(?1) WHERE name = ?2 COLLATE NOCASE",
        &statement);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_text(statement, 1, table->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, name, -1, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    *column = code == SQLITE_ROW ? sqlite3_column_int(statement, 0) : -1;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        status = varve__sqlite_fail(database, code, NULL, "reading the columns");
    sqlite3_finalize(statement);
    return status;
}

/* Finds the fields of the key and their columns. Where one is missing the space is not known. */
static enum varve_status
find_fields(sqlite3 *database, struct varve__copies_table *table)
{
    const struct varve_cache *cache = table->space->record->cache;
    enum varve_status status = VARVE_OK;
    bool known = true;
    for (size_t i = 0; i < cache->part_count && known && status == VARVE_OK; i++) {
        const ProtobufCFieldDescriptor *field = cache->parts[i].field;
        size_t at = table->field_count;
        if (!field)
            continue;
        known = at < FIELDS_MAX && varve__element_size(field->type) > 0;
        if (!known)
            break;
        status = find_column(database, table, field->name, &table->columns[at]);
        known = table->columns[at] >= 0;
        table->fields[table->field_count++] = field;
    }
    if (!known)
        table->space = NULL;
    return status;
}

/* A struct of the table's record, empty but for what the hook sets. */
static bool
make_record(struct varve__copies_table *table)
{
    const struct varve_record *record = table->space->record;
    size_t size = record->descriptor->sizeof_message;
    table->record = varve__allocate(size);
    if (table->record)
        memcpy(table->record, record->initial, size);
    return table->record != NULL;
}

static enum varve_status
add_table(
    struct varve__connection *connection,
    const char *name,
    const char *prefix,
    struct varve__copies_table *table)
{
    struct varve__copies *copies = &connection->copies;
    size_t size = strlen(name) + 1;
    *table = (struct varve__copies_table){.name = varve__allocate(size)};
    copies->table_count++;
    if (!table->name)
        return varve__fail_memory(NULL, size);
    memcpy(table->name, name, size);
    if (!connection->guard.newer.found)
        table->space = space_with_prefix(copies, name, prefix);
    if (!table->space)
        return VARVE_OK;
    if (!make_record(table))
        return varve__fail_memory(NULL, 0);
    return find_fields(connection->database, table);
}

/* Steps through the rows of varve_copied. */
static enum varve_status
add_tables(struct varve__connection *connection, sqlite3_stmt *rows)
{
    int code;
    struct varve__copies *copies = &connection->copies;
    enum varve_status status = VARVE_OK;
    while (status == VARVE_OK && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(rows, 0);
        const char *prefix = (const char *)sqlite3_column_text(rows, 1);
        size_t size = (copies->table_count + 1) * sizeof *copies->tables;
        struct varve__copies_table *grown = varve__allocate(size);
        if (!grown || !name || !prefix) {
            varve__release(grown);
            return varve__fail_memory(NULL, size);
        }
        if (copies->table_count > 0)
            memcpy(grown, copies->tables, size - sizeof *grown);
        varve__release(copies->tables);
        copies->tables = grown;
        status = add_table(connection, name, prefix, &grown[copies->table_count]);
    }
    if (status == VARVE_OK && code != SQLITE_DONE)
        status = varve__connection_fail(connection, code, NULL, "reading what is copied");
    return status;
}

/* Reads whether there are triggers, then which tables are copied. */
static enum varve_status
read_tables(struct varve__connection *connection)
{
    sqlite3_stmt *statement;
    enum varve_status status = varve__sqlite_prepare(
        connection->database, NULL, "SELECT name, prefix FROM varve_copied", &statement);
    if (status == VARVE_OK)
        status = add_tables(connection, statement);
    sqlite3_finalize(statement);
    if (status == VARVE_OK && connection->copies.table_count > 0)
        status = varve__copies_compare_file(connection, &connection->copies.same_file);
    if (status != VARVE_OK || connection->copies.table_count == 0)
        return status;
    status = varve__sqlite_prepare(
        connection->database, NULL, "SELECT 1 FROM sqlite_schema WHERE type = 'trigger'",
        &statement);
    if (status != VARVE_OK)
        return status;
    int code = sqlite3_step(statement);
    connection->copies.triggers = code == SQLITE_ROW;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        status = varve__connection_fail(connection, code, NULL, "reading the schema");
    sqlite3_finalize(statement);
    return status;
}

static int
allow(void *context, int action, const char *a, const char *b, const char *c, const char *d)
{
    (void)context, (void)action, (void)a, (void)b, (void)c, (void)d;
    return SQLITE_OK;
}

/* Has every statement prepared anew. What was prepared without the hook empties a table without telling of its
 * rows; an authorizer that changes is SQLite's reason to prepare again. */
static void
expire_statements(sqlite3 *database)
{
    sqlite3_set_authorizer(database, allow, NULL);
    sqlite3_set_authorizer(database, NULL, NULL);
}

enum varve_status
varve__copies_take_over(struct varve__connection *connection)
{
    struct varve__copies *copies = &connection->copies;
    bool watched = copies->watching;
    release_tables(copies);
    enum varve_status status = VARVE_OK;
    if (!connection->guard.no_reads) /* else nothing is done, and the tables may be others */
        status = read_tables(connection);
    if (status != VARVE_OK)
        release_tables(copies);
    copies->watching = copies->table_count > 0 && !connection->read_only;
    sqlite3_preupdate_hook(connection->database, copies->watching ? note_change : NULL, copies);
    if (copies->watching && !watched)
        expire_statements(connection->database);
    return status;
}

void
varve__copies_init(
    struct varve__connection *connection, const struct varve__spaces *spaces, bool keeps)
{
    connection->copies = (struct varve__copies){.spaces = spaces, .keeps = keeps};
    sqlite3_rollback_hook(connection->database, note_rollback, &connection->copies);
}

void
varve__copies_release(struct varve__connection *connection)
{
    struct varve__copies *copies = &connection->copies;
    for (size_t i = 0; i < VARVE__COPIES_STATEMENTS; i++)
        sqlite3_finalize(copies->statements[i]);
    if (connection->database) {
        sqlite3_preupdate_hook(connection->database, NULL, NULL);
        sqlite3_rollback_hook(connection->database, NULL, NULL);
    }
    clear(copies);
    varve__release(copies->keys);
    varve__release(copies->places);
    varve__copies_forget(copies);
    release_tables(copies);
}

/* -------------------------------------------------------------------- after the commit */

/* Appends the keys to those that are to be sent. Without memory, or when nobody sends them, their rows wait. */
static void
keep_committed(struct varve__copies *copies)
{
    size_t count = copies->committed_count + copies->count;
    struct varve__copies_key **all = NULL;
    if (count <= COMMITTED_MAX)
        all = varve__allocate(count * sizeof(void *));
    if (!all)
        return;
    if (copies->committed_count > 0)
        memcpy(all, copies->committed, copies->committed_count * sizeof(void *));
    memcpy(all + copies->committed_count, copies->keys, copies->count * sizeof(void *));
    varve__release(copies->committed);
    copies->committed = all;
    copies->committed_count = count;
    memset(copies->places, 0, VARVE__COPIES_PLACES * sizeof *copies->places);
    copies->count = 0;
}

void
varve__copies_commit(struct varve__copies *copies)
{
    if (copies->count > 0)
        keep_committed(copies);
    note_rollback(copies);
}

void
varve__copies_forget(struct varve__copies *copies)
{
    varve__copies_free(copies->committed, copies->committed_count);
    copies->committed = NULL;
    copies->committed_count = 0;
}
