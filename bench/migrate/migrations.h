/* A folder of migrations as a schema without messages: what the generator embeds, read at run time. */
#ifndef VARVE_BENCH_MIGRATIONS_H
#define VARVE_BENCH_MIGRATIONS_H

#include <stddef.h>

#include <varve/schema.h>

enum {
    MIGRATIONS_MAX = 8
};

struct migrations {
    struct varve_migration rows[MIGRATIONS_MAX];
    size_t count;
};

/* Reads a folder's files in the order of their numbers. Release them with migrations_release(). */
void
migrations_read(const char *folder, struct migrations *migrations);

void
migrations_release(struct migrations *migrations);

/* The schema of the package lab with the first `count` migrations. */
struct varve_schema
migrations_schema(const struct migrations *migrations, size_t count);

#endif
