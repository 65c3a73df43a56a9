/* The text of a schema's state: the lines of schema.lock, which a program has as an array (struct varve_schema) and a
 * database as one text, varve_schema.lock.
 *
 *     message lab.Sample table=sample
 *     field lab.Sample 7 note optional string
 *     index lab.Sample 2,4
 */
#ifndef VARVE_TABLE_LOCK_TEXT_H
#define VARVE_TABLE_LOCK_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <varve/schema.h>

/* A line, or a word of one, without its end. */
struct varve__lock_words {
    const char *text; /* NULL: there is none */
    size_t size;
};

/* Takes the next line off the text, which must not be empty. */
struct varve__lock_words
varve__lock_next(const char **text);

/* The lines of the schema as one text; NULL without memory. For sqlite3_free(). */
char *
varve__lock_join(const struct varve_schema *schema);

/* What tables depend on in one state and not in the other; both without text when the tables are the same. */
struct varve__lock_difference {
    struct varve__lock_words stored; /* the first line of the text's that the schema has not */
    struct varve__lock_words own;    /* and the other way round */
};

/* Compares the lines that tables depend on: cache and archive have nothing in them, and neither have the names of
 * enum values and what is retired. */
bool
varve__lock_is_same(
    const struct varve_schema *schema, const char *lock, struct varve__lock_difference *difference);

/* The table of a line `message lab.Sample table=sample`, and the message's name; false of other lines. */
bool
varve__lock_read_message(
    struct varve__lock_words line,
    struct varve__lock_words *message,
    struct varve__lock_words *table);

/* The message, number and name of a line `field lab.Sample 7 note ..`; false of other lines. */
bool
varve__lock_read_field(
    struct varve__lock_words line,
    struct varve__lock_words *message,
    uint32_t *number,
    struct varve__lock_words *name);

/* The line of the field with this number, of the message that has this table; no text when there is none. */
struct varve__lock_words
varve__lock_field(const char *lock, struct varve__lock_words table, uint32_t number);

/* The line of the field of this name, A to Z being a to z. */
struct varve__lock_words
varve__lock_field_named(
    const char *lock, struct varve__lock_words table, struct varve__lock_words name);

#endif
