/* The tables of model.proto in memory: what test_model.c holds the store to. Each call answers what
 * the store should answer, and changes the club only when that is VARVE_OK. */
#ifndef VARVE_TESTS_STORE_CLUB_H
#define VARVE_TESTS_STORE_CLUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "club.varve.h"
#include "find_model.h"

enum club_kind {
    CLUB_TEAM,
    CLUB_MEMBER,
    CLUB_TASK,
    CLUB_KINDS,
};

/* Columns of all three, in the order of their fields: column i is field i + 1. */
enum club_column {
    CLUB_ID,
    CLUB_NAME,
    CLUB_AMOUNT,
    CLUB_LEVEL,
    CLUB_FIRST_REFERENCE,
    CLUB_SECOND_REFERENCE,
};

enum {
    CLUB_MOST = 64, /* records of a kind */
};

/* Texts of the records are static. */
struct club {
    size_t count[CLUB_KINDS];
    int64_t greatest[CLUB_KINDS]; /* key that there ever was */
    struct club_team teams[CLUB_MOST];
    struct club_member members[CLUB_MOST];
    struct club_task tasks[CLUB_MOST];
};

/* Room for a record of any kind. */
union club_any {
    struct club_team team;
    struct club_member member;
    struct club_task task;
};

struct club_answer {
    enum varve_status status;
    enum varve_failure_kind kind;
    int64_t index;   /* of the record at fault in an insert_many, else -1 */
    int64_t changes; /* rows */
};

const struct varve_record *
club_table(enum club_kind kind);

size_t
club_column_count(enum club_kind kind);

/* A column's member in a record, and whether it is there: NULL where it always is. */
void *
club_member_of(enum club_kind kind, void *record, size_t column);
bool *
club_presence_of(enum club_kind kind, void *record, size_t column);

int64_t *
club_id(enum club_kind kind, void *record);

/* The records of this kind; `model.records` may be written to through club_at(). */
struct model
club_model(const struct club *club, enum club_kind kind);

void *
club_at(struct club *club, enum club_kind kind, size_t index);

/* NULL where there is none. */
void *
club_find_id(struct club *club, enum club_kind kind, int64_t id);
void *
club_find_name(struct club *club, enum club_kind kind, const char *name);

bool
club_name_is_unique(enum club_kind kind);

/* Stores assigned keys in the records, as the store does. */
struct club_answer
club_insert(struct club *club, enum club_kind kind, void *record);
struct club_answer
club_insert_many(struct club *club, enum club_kind kind, void *records, size_t count);

struct club_answer
club_update(struct club *club, enum club_kind kind, void *record);
struct club_answer
club_update_fields(
    struct club *club, enum club_kind kind, void *record, const uint32_t *fields, size_t count);

/* `field` 0: varve_record_upsert(). Stores the key in the record. */
struct club_answer
club_upsert(struct club *club, enum club_kind kind, void *record, uint32_t field);

struct club_answer
club_delete(struct club *club, enum club_kind kind, int64_t id);
struct club_answer
club_delete_where(struct club *club, enum club_kind kind, void *filter);

#endif
