/* What a database has that the program's schemas do not know: the steps of migrations that another
 * program has applied to it. */
#ifndef VARVE_TABLE_NEWER_H
#define VARVE_TABLE_NEWER_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <varve/schema.h>
#include <varve/status.h>

enum {
    VARVE__NEWER_NAME = 128 /* bytes of a name that is told; longer ones are cut */
};

struct varve__newer {
    /* The database has a step that a schema lacks, or, of a schema without migrations, another lock; or
     * its system tables are a newer varve's. */
    bool found;
    /* What the program may do all the same: every step that it lacks allows it. Both true where nothing
     * was found. */
    bool reads_ok;
    bool writes_ok; /* only with reads_ok */
    /* A schema has a step that the database lacks. */
    bool older;
    /* The schema that the name is of, or that has the other lock; else the first that `older` is about;
     * NULL: none, or `found` is about the system tables. */
    const char *package;
    /* Of the steps that the schemas lack, the first that forbids reads, else the first that forbids
     * writes, else the first: "0007_rename_note". "" without one. */
    char name[VARVE__NEWER_NAME];
};

/* Compares in the snapshot of the transaction or statement under way, or in one of its own. A package
 * that the database has not got is passed over: it is to be made. */
enum varve_status
varve__newer_check(
    sqlite3 *database,
    const struct varve_schema *const *schemas,
    size_t count,
    struct varve__newer *newer);

/* The line of varve_schema.lock in `lock` of the field with this number, of the message that has this
 * table in the database: "field lab.Sample 7 note string". NULL when it has none. *size without the end
 * of the line. */
const char *
varve__newer_field(const char *lock, const char *table, uint32_t number, size_t *size);

#endif
