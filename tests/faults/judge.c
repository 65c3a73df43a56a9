#define _GNU_SOURCE /* syscall */

#include "judge.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sqlite3.h>

#include <varve/varve.h>

_Noreturn void
wrong(const char *what, const char *detail)
{
    char line[1000];
    int size = snprintf(line, sizeof line, "%s: %s\n", what, detail);
    syscall(SYS_write, STDERR_FILENO, line, (size_t)size);
    _exit(1);
}

/* -------------------------------------------------------------------- memory */

static atomic_long blocks;

static void *
allocate(void *context, size_t size)
{
    (void)context;
    void *memory = malloc(size);
    blocks += memory != NULL;
    return memory;
}

static void
release(void *context, void *memory)
{
    (void)context;
    blocks--;
    free(memory);
}

void
count_memory(void)
{
    static const struct varve_allocator counting = {.allocate = allocate, .release = release};
    varve_set_allocator(&counting);
}

void
expect_no_leak(void)
{
    char text[100];
    snprintf(
        text, sizeof text, "%ld blocks of varve, %lld bytes of SQLite", (long)blocks,
        (long long)sqlite3_memory_used());
    if (blocks != 0 || sqlite3_memory_used() != 0)
        wrong("memory is left", text);
}

/* -------------------------------------------------------------------- answers */

void
expect_told(const char *what, enum varve_status status, const char *message)
{
    char text[700];
    bool fits = status == VARVE_NO_MEMORY || status == VARVE_IO || status == VARVE_FULL ||
                status == VARVE_UNKNOWN_OUTCOME;
    snprintf(text, sizeof text, "%s \"%s\"", varve_status_name(status), message);
    if (!fits)
        wrong(what, text);
    if (strlen(message) < 10 || strlen(message) > 500)
        wrong("no sentence", text);
    if (getenv("FAULT_VERBOSE"))
        fprintf(stderr, "%s: %s\n", what, text);
}

/* -------------------------------------------------------------------- the database */

static int
expect_ok_row(void *context, int count, char **values, char **names)
{
    (void)names;
    if (count != 1 || strcmp(values[0], "ok") != 0)
        wrong(context, values[0]);
    return 0;
}

static int
expect_no_row(void *context, int count, char **values, char **names)
{
    (void)count;
    (void)names;
    wrong(context, values[0]);
}

void
expect_sound_database(sqlite3 *database)
{
    static char integrity[] = "integrity_check", keys[] = "foreign_key_check";
    if (sqlite3_exec(database, "PRAGMA integrity_check", expect_ok_row, integrity, NULL) ||
        sqlite3_exec(database, "PRAGMA foreign_key_check", expect_no_row, keys, NULL))
        wrong("the database", sqlite3_errmsg(database));
}
