/* Which hot copies in a cache a transaction makes stale: the keys of READ_THROUGH records that it updates
 * or deletes, cascades included, collected by SQLite's preupdate hook and made rows of varve_invalidation in
 * the same transaction. While a key has a row there, no program of the folder reads it from the cache; who
 * deletes the copies deletes the rows after.
 *
 *     varve_copied        the tables of which copies are kept, and where the keys of these begin. A program that
 *                         keeps copies enters its own when it opens, which raises the generation, so that
 *                         running programs notice. Until a table is here nothing is collected.
 *     varve_invalidation  keys that wait: prefix of the space, then the record's key.
 *     varve_copies        one row. Its folder, the generation and its epoch are the scope: a part of every copy's
 *                         key. Who raises the epoch puts all copies out of use at once: a transaction that touches
 *                         more than a few keys, and a program that has no server, or knows no such copies of a
 *                         table that it writes, or is older than the database.
 *
 * A copied or restored database file is another file, and gets another folder before copies of it are kept.
 *
 * Nothing here talks to a cache: that is the store's. */
#ifndef VARVE_TABLE_COPIES_H
#define VARVE_TABLE_COPIES_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <varve/schema.h>
#include <varve/status.h>

#include "codec/cache_space.h"

struct varve__connection;
struct varve__copies_table;

enum {
    VARVE__COPIES_KEYS_MAX = 1000,  /* touched in a transaction; more raise the epoch */
    VARVE__COPIES_ROWS_MAX = 50000, /* that wait, about; more raise the epoch */
    VARVE__COPIES_PLACES = 2048,    /* of the hash table of the keys */
    VARVE__COPIES_SCOPE_MAX = 72,   /* of a scope's text, with its NUL */
    /* Bytes of the longest text of a key: prefix and the record's key. */
    VARVE__COPIES_TEXT_MAX = VARVE__SPACE_PREFIX_MAX + VARVE__KEY_MAX_SIZE
};

/* A key that a transaction made stale: a row of varve_invalidation. */
struct varve__copies_key {
    int64_t id; /* of the row, once it is written */
    uint32_t hash;
    size_t prefix; /* bytes of the text that are the space's prefix */
    size_t size;
    char text[]; /* prefix and key, without a NUL */
};

/* The statements on the tables above, prepared when they are first needed. */
enum varve__copies_statement {
    VARVE__COPIES_LOOK,
    VARVE__COPIES_DROP,
    VARVE__COPIES_ADD,
    VARVE__COPIES_OLDEST,
    VARVE__COPIES_DONE,
    VARVE__COPIES_LIST,
    VARVE__COPIES_STATEMENTS,
};

/* One in each connection. */
struct varve__copies {
    const struct varve__spaces *spaces; /* of the program; NULL: it knows of no copies */
    bool keeps;                         /* the program has a server: rows are worth writing */
    bool watching;                      /* the hook is installed */
    bool triggers;  /* the database has some: an insert may change other tables */
    bool overflow;  /* too many keys, or one that is not known: the epoch is to be raised */
    bool same_file; /* the folder's identity is of this very file */
    bool written;   /* what was collected is in the transaction */
    bool refused;   /* a commit was, since what was collected is not in it */
    struct varve__copies_table *tables;
    size_t table_count;
    struct varve__copies_key **keys; /* of the transaction under way */
    uint16_t *places;                /* indexes into keys + 1, by hash */
    size_t count;
    struct varve__copies_key **committed; /* whose copies are still to be deleted: the store's */
    size_t committed_count;
    sqlite3_stmt *statements[VARVE__COPIES_STATEMENTS];
};

/* Sets up a connection's part, with nothing to watch yet. */
void
varve__copies_init(
    struct varve__connection *connection, const struct varve__spaces *spaces, bool keeps);

void
varve__copies_release(struct varve__connection *connection);

/* After the guard has taken over a generation: reads which tables are copied, and watches them. */
enum varve_status
varve__copies_take_over(struct varve__connection *connection);

/* Whether an update or a delete of one statement must be a transaction after all, to have rows beside it. */
static inline bool
varve__copies_watching(const struct varve__copies *copies)
{
    return copies->watching;
}

/* Whether the transaction under way has keys that are not in it yet. */
static inline bool
varve__copies_pending(const struct varve__copies *copies)
{
    return (copies->count > 0 || copies->overflow) && !copies->written;
}

/* In the transaction, before its commit: writes the rows, or raises the epoch. */
enum varve_status
varve__copies_write(struct varve__connection *connection);

/* After the commit: what was collected is `committed`. A rollback, of which SQLite tells, forgets it: also that
 * of a commit whose outcome is unknown, since its rows wait if there are any. */
void
varve__copies_commit(struct varve__copies *copies);

/* Forgets `committed`. */
void
varve__copies_forget(struct varve__copies *copies);

/* For the get of a hot copy, outside a transaction: whether the key, prefix and all, has a row that waits, and
 * the scope of copies as of now ("<folder>.<generation>.<epoch>", hexadecimal), in one read. *usable is false
 * when copies of this space (NULL: of any) must not be used: none are kept, the file has no identity of its own
 * yet, or the database is newer than the program. */
enum varve_status
varve__copies_look(
    struct varve__connection *connection,
    const struct varve__space *space,
    const char *key,
    size_t key_size,
    char scope[VARVE__COPIES_SCOPE_MAX],
    bool *waiting,
    bool *usable);

/* Reads at most `most` rows that wait, the oldest first, into an array of one block each, released by
 * varve__copies_free(). */
enum varve_status
varve__copies_list(
    struct varve__connection *connection,
    size_t most,
    struct varve__copies_key ***keys,
    size_t *count);

void
varve__copies_free(struct varve__copies_key **keys, size_t count);

/* Deletes these rows, in a transaction of its own that does not wait for the disk: one that is lost has the
 * copies deleted once more. Waits for other writers but briefly: rows that stay are deleted by who finds
 * them. Outside a transaction. */
enum varve_status
varve__copies_done(
    struct varve__connection *connection, struct varve__copies_key *const *keys, size_t count);

enum varve_status
varve__copies_count(struct varve__connection *connection, int64_t *count);

/* At opening, by a program that keeps copies: enters its tables in varve_copied, unless they are there, and gives
 * the file an identity, unless it has one, in a transaction of its own. Does nothing in a database that is
 * newer than the program, or with read_only. */
enum varve_status
varve__copies_keep(struct varve__connection *connection);

/* What the files of this share. */

/* As *usable above. */
bool
varve__copies_has(const struct varve__copies *copies, const struct varve__space *space);

/* Whether the folder's identity in the database is of its file. */
enum varve_status
varve__copies_compare_file(struct varve__connection *connection, bool *same);

/* The statement, prepared. The failure's record is none. */
enum varve_status
varve__copies_statement(
    struct varve__connection *connection,
    enum varve__copies_statement which,
    sqlite3_stmt **statement);

/* A key with room for its text; NULL: no memory. */
struct varve__copies_key *
varve__copies_make(const char *text, size_t size);

#endif
