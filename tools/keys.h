/* Primary keys: of a record, and as SQL gives them, for tables whose rows varve does not read. */
#ifndef VARVE_TOOLS_KEYS_H
#define VARVE_TOOLS_KEYS_H

#include <stddef.h>

#include <varve/schema.h>

struct sqlite3;
struct sqlite3_stmt;

enum {
    VARVECTL_KEY_TEXT_SIZE = 256
};

/* One key, in the form that varve_record_get() takes: .pointers. Its text parts are borrowed from
 * what it was made of. */
struct varvectl_key {
    const struct varve_record *record;
    const void **pointers;
    union varvectl_key_part *parts;
};

/* Room for keys of this message; free it with varvectl_key_free(). NULL: no memory. */
struct varvectl_key *
varvectl_key_create(const struct varve_record *record);
void
varvectl_key_free(struct varvectl_key *key);

/* The key of a record. */
void
varvectl_key_of(struct varvectl_key *key, const void *record);

/* The key in the first columns of a row. */
void
varvectl_key_of_row(struct varvectl_key *key, struct sqlite3_stmt *row);

/* The same for people: 17, or "maze/7", 3. Cut when it is long. */
void
varvectl_key_text(
    const struct varve_record *record,
    struct sqlite3_stmt *row,
    char buffer[VARVECTL_KEY_TEXT_SIZE]);

/* Prepares "SELECT key columns FROM table" with `rest` behind it. An SQLite code; the statement is
 * to be finalized. */
int
varvectl_key_select(
    struct sqlite3 *database,
    const struct varve_record *record,
    const char *rest,
    struct sqlite3_stmt **statement);

#endif
