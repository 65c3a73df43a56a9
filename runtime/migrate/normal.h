/* The normal form of CREATE TABLE and CREATE INDEX, by which a database is compared with what the schema
 * asks for. The texts differ after ALTER TABLE where the tables do not: RENAME quotes names anew, ADD COLUMN
 * appends its text as it was written, and columns that were added stand last.
 *
 * 1. Comments and white space go; what is left are tokens.
 * 2. A quoted name ("a", `a`, [a]) that is a plain one (letters, digits, underscores and what is not ASCII; no
 *    digit first) loses its quotes; another is written in double quotes. A to Z become a to z in all
 *    tokens but strings ('..'). Tokens are joined by one space.
 * 3. A table is the set of its definitions, which are what stands in the outermost parentheses, split at the
 *    commas that are in no inner ones; and the set of its options, behind these parentheses. Its own name is
 *    left out: it is the object's.
 * 4. An index is its table, its columns in their order, whether it is unique, and its WHERE.
 *
 * `varve migrate verify` compares by the same rules.
 */
#ifndef VARVE_MIGRATE_NORMAL_H
#define VARVE_MIGRATE_NORMAL_H

#include <stdbool.h>
#include <stddef.h>

#include <varve/status.h>

#include "base/arena.h"

struct varve__texts {
    const char **data;
    size_t count;
};

struct varve__normal {
    bool is_table;             /* else an index */
    const char *name;          /* A to Z as a to z */
    struct varve__texts parts; /* a table's definitions, sorted; an index' columns */
    struct varve__texts rest;  /* a table's options, sorted; of an index the WHERE, if it has one */
    const char *table;         /* of an index */
    bool unique;
};

/* A statement of a text, with its semicolon. */
struct varve__sql_piece {
    const char *text;
    size_t size;
};

/* Takes the next statement off the text; false when nothing but space and comments is left. */
bool
varve__normal_next(const char **text, struct varve__sql_piece *piece);

/* All that *normal points at lies in the arena. VARVE_NOT_FOUND: the statement makes neither table nor
 * index. */
enum varve_status
varve__normal_read(
    struct varve__arena *arena, const struct varve__sql_piece *piece, struct varve__normal *normal);

/* Whether both say the same, their own names left out. */
bool
varve__normal_equal(const struct varve__normal *a, const struct varve__normal *b);

/* The name of what a CREATE statement makes, unquoted and with A to Z as a to z, cut to size. */
void
varve__normal_name(const struct varve__sql_piece *piece, char *name, size_t size);

/* The tokens of a statement, each a text in its normal form. */
enum varve_status
varve__normal_tokens(
    struct varve__arena *arena, const struct varve__sql_piece *piece, struct varve__texts *tokens);

#endif
