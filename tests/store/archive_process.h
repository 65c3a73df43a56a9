/* A process of test_archive_processes.c: what it and the others know of the records, and its steps. */
#ifndef VARVE_TESTS_STORE_ARCHIVE_PROCESS_H
#define VARVE_TESTS_STORE_ARCHIVE_PROCESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "checked.h"

enum {
    PROCESSES = 4,
    IDS = 320,         /* of each kind, 1 to IDS; those of a process are equal modulo PROCESSES */
    COUNTER = IDS + 1, /* a plate that all of them write */
    PARENTS = 8,       /* sessions at a time */
    GONE_MOST = 1 << 20,
    TOUCHED_MOST = 64, /* entries in one transaction */
    MANY = 12,
    SECONDS = 4,
    STEPS_LEAST = 300, /* of each process, however slow it is */
};

enum count {
    INSERTS,
    UPDATES,
    DELETES,
    CASCADES,
    ROLLBACKS,
    FLUSHES,
    MAINTENANCES,
    BUSY,
    MOVED,
    UNLINKED,
    SNAPSHOTS,
    READS,
    COUNTS,
};

enum state {
    NONE,
    CHANGING, /* by its owner, whose call has not returned */
    THERE,
};

/* What the owner of a record knows. Others look at it before and after a read. */
struct entry {
    atomic_int state;
    atomic_llong
        version; /* acknowledged; never one twice, not even where a record was deleted between */
    atomic_llong begun; /* the highest that a call was made with */
    atomic_llong parent;
    atomic_llong remark;
};

/* In memory that the processes share. */
struct ledger {
    atomic_bool is_over;
    atomic_llong parents[PARENTS];
    atomic_bool gone[GONE_MOST]; /* sessions that are deleted, or about to be */
    struct entry entries[CHECKED_KINDS][IDS + 1];
    atomic_llong counter;
    atomic_llong counts[COUNTS];
};

/* An entry that a transaction changes, as it was and as it will be. */
struct touched {
    struct entry *entry;
    enum state state;
    struct checked before, after;
    enum state state_before;
};

struct process {
    size_t index;
    const char *folder;
    struct ledger *ledger;
    struct random random;
    struct varve_store *store;
    struct varve_session *session;
    bool in_transaction;
    bool will_roll_back;
    struct touched touched[TOUCHED_MOST];
    size_t touched_count;
    struct varve_session *old; /* a snapshot, or NULL */
    int old_steps;             /* until it is read */
    struct checked listed[CHECKED_KINDS][COUNTER];
    size_t listed_count[CHECKED_KINDS];
};

/* Processes cannot use cmocka's assertions: a child ends with 1, and says why. */
void
expect(struct process *process, bool holds, const char *what);

void
must(struct process *process, enum varve_status status, const char *what);

void
count(struct process *process, enum count which, int64_t number);

void
open_store(struct process *process);

void
close_store(struct process *process);

/* -------------------------------------------------------------------- what it knows of its records */

enum checked_kind
any_kind(struct process *process);

int64_t
own_id(struct process *process);

int64_t
any_parent(struct process *process);

bool
is_gone(struct process *process, int64_t parent);

/* A version that no record had: less than 0 where it must never be seen by others. */
int64_t
begin_version(struct process *process, struct entry *entry);

/* The entry is the call's from here on. */
struct touched *
touch(struct process *process, enum checked_kind kind, int64_t id);

/* Makes known what the calls since the last time have done, or were undone. */
void
settle(struct process *process, bool is_undone);

/* The same of a call that is no part of a transaction. */
void
settle_alone(struct process *process);

/* -------------------------------------------------------------------- steps: writing */

void
insert(struct process *process, size_t many);

/* Writes one of its own. */
void
write_own(struct process *process);

void
transact(struct process *process);

/* A session of its own goes, with all that belongs to it, and another comes. */
void
cascade(struct process *process);

/* A record that all of them write: none of their versions is lost. */
void
count_up(struct process *process);

/* -------------------------------------------------------------------- steps: reading */

void
look(struct process *process);

void
look_at_part(struct process *process);

/* A snapshot, and the look at all that it holds when it ends. */
void
begin_old(struct process *process);

void
end_old(struct process *process);

#endif
