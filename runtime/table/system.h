/* The tables in which a database says what it is: of which schemas, by which migrations, and how often
 * they have changed. They have a version of their own, SQLite's user_version, and move from one to the next
 * as the schemas' tables do:
 *
 *     1   varve_schema (package, descriptor_set); user_version was not set
 *     2   varve_schema with the lock's lines, varve_migration, varve_generation
 *     3   varve_copies, varve_copied, varve_invalidation: copies.h
 *     4   varve_segment, varve_dataset, varve_dropped, varve_sealed, varve_archive: catalog.h
 */
#ifndef VARVE_TABLE_SYSTEM_H
#define VARVE_TABLE_SYSTEM_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include <varve/status.h>

enum {
    VARVE__SYSTEM_VERSION = 4
};

/* The version of the database's system tables, 0 when it has no tables at all. VARVE_SCHEMA: it is not one
 * of varve's, or it is of a newer varve. */
enum varve_status
varve__system_version(sqlite3 *database, int *version);

/* SQLite's user_version: what the database says of itself. */
enum varve_status
varve__system_user_version(sqlite3 *database, int *version);

/* Makes the tables, or moves them from this version to the newest. In a transaction that writes. */
enum varve_status
varve__system_move(sqlite3 *database, int version);

/* Raises the generation, and changes what SQLite looks at before it uses a prepared statement: for other
 * connections their statements are old from the commit on. VARVE_SCHEMA: there is no generation, or several. */
enum varve_status
varve__system_raise(sqlite3 *database);

/* The newest version's CREATE TABLE and CREATE INDEX statements, each with its semicolon. */
extern const char *const varve__system_ddl;

/* Whether a table of this name is one of them. */
bool
varve__system_has(const char *table);

#endif
