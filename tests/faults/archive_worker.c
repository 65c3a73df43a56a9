/* Does units of work with tensors, flushes and compacts at random while the shim makes calls fail, and looks
 * afterwards whether every unit is there as it was answered. test_archive_faults.py runs it.
 *
 *     archive_worker MODE FOLDER JOURNAL SEED UNITS
 *
 *     run      the work, then everything closed, then the look
 *     drop     the work, then an end without closing anything
 *     sweep    the same, with a varve_maintain() before each unit, until the outcome of one is unknown: then
 *              one more, and the end
 *     check    the look alone, after a drop, a kill or a loss of power
 *
 * The journal is outside of the store's folder and is written past the shim; each entry is a mark in the
 * trace. All but `check` print how many calls of the watched kind there were. The exit status is 0, or 1 with
 * a line on stderr that says what is wrong. */
#define _GNU_SOURCE /* syscall */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "archive_files.h"
#include "archive_units.h"
#include "judge.h"
#include "shim.h"

#pragma weak fault_arm
#pragma weak fault_disarm
#pragma weak fault_mark

enum {
    REOPEN_EVERY = 23,       /* units */
    CHECKPOINT_PAGES = 60,   /* so that there are checkpoints in the work */
    STAGE_MOST_BYTES = 4096, /* larger tensors are sealed at once */
    SEGMENT_BYTES = 1 << 16,
    STEPS_MOST = 5, /* of a unit */
    CANDIDATES_MOST = 100,
    MORE_UNITS = 12, /* that are done after the look */
};

enum entry_kind {
    ENTRY_TRY = 1, /* a commit is about to be asked for, which makes the vault this one */
    ENTRY_ANSWER,  /* its status, and the vault as it is by it */
    ENTRY_UPKEEP,  /* a flush or a compaction begins */
    ENTRY_UPKEPT,
};

struct entry {
    uint32_t kind;
    int32_t status;
    struct vault vault;
};

/* What may be stored: what the last answer says, and what units of unknown outcome would have made of that: a
 * log that could not be synced has them, and no reader sees them until it is recovered. */
struct candidates {
    struct vault vaults[CANDIDATES_MOST];
    size_t count;
};

struct work {
    const char *folder;
    int journal; /* -1: none */
    uint64_t random;
    uint32_t counter;
    struct varve_store *store;
    struct varve_session *session;
    struct vault now;
    struct candidates candidates;
    bool sweeps;     /* as the mode says */
    bool is_unknown; /* the outcome of the last unit */
};

/* What an entry of the journal makes of them. */
static void
follow(struct candidates *candidates, const struct entry *entry)
{
    if (candidates->count == CANDIDATES_MOST)
        wrong("the journal", "has too many units of which the outcome is unknown");
    if (entry->kind == ENTRY_TRY)
        candidates->vaults[candidates->count++] = entry->vault;
    if (entry->kind != ENTRY_ANSWER || entry->status == VARVE_UNKNOWN_OUTCOME)
        return;
    candidates->count--; /* failed: as if it had not been tried */
    if (entry->status == VARVE_OK)
        *candidates = (struct candidates){{entry->vault}, 1};
}

static void
note(struct work *work, enum entry_kind kind, enum varve_status status, const struct vault *vault)
{
    struct entry entry = {(uint32_t)kind, (int32_t)status, *vault};
    follow(&work->candidates, &entry);
    if (work->journal < 0)
        return;
    if (syscall(SYS_write, work->journal, &entry, sizeof entry) != (long)sizeof entry)
        wrong("the journal", "cannot be written");
    if (fault_mark)
        fault_mark();
}

/* SQLite opens a log for reading that it cannot open for writing, whatever the reason: then the session or the
 * call cannot write, and the next one can. */
static bool
is_log_read_only(enum varve_status status)
{
    const char *call = getenv("FAULT_CALL");
    return status == VARVE_READ_ONLY && call && strcmp(call, "open") == 0;
}

static void
expect_session_told(const struct work *work, const char *what, enum varve_status status)
{
    if (status == VARVE_OK || is_log_read_only(status))
        return;
    expect_told(what, status, varve_session_error(work->session));
    if (varve_session_failure(work->session)->status != status)
        wrong(what, "the failure has another status");
}

/* -------------------------------------------------------------------- the store */

static enum varve_status
try_open(struct work *work, struct varve_error *error)
{
    struct varve_config config = {
        .data_dir = work->folder,
        .checkpoint_pages = CHECKPOINT_PAGES,
        .stage_max_bytes = STAGE_MOST_BYTES,
        .segment_bytes = SEGMENT_BYTES,
        .archive_threads = getenv("FAULTS_THREADS") ? 2 : -1,
    };
    enum varve_status status = varve_open(&vault_schema, &config, &work->store, error);
    if (status != VARVE_OK)
        return status;
    status = varve_session_open(work->store, &work->session);
    if (status == VARVE_OK)
        return status;
    snprintf(error->message, sizeof error->message, "%s", varve_session_error(NULL));
    varve_close(work->store);
    work->store = NULL;
    return status;
}

/* A second try is for the fault that comes once. */
static void
open_store(struct work *work)
{
    struct varve_error error;
    for (int tries = 0; tries < 2 && !work->session; tries++) {
        enum varve_status status = try_open(work, &error);
        if (status != VARVE_OK)
            expect_told("open", status, error.message);
    }
}

static void
close_store(struct work *work)
{
    varve_session_close(work->session);
    varve_close(work->store);
    work->session = NULL;
    work->store = NULL;
}

/* -------------------------------------------------------------------- looking */

/* Compares every record with a vault; `problem` gets "" or what differs. */
static enum varve_status
look(const struct work *work, const struct vault *vault, char problem[200])
{
    problem[0] = '\0';
    for (size_t i = 0; i < SLOTS; i++) {
        bool equal;
        enum varve_status status = slot_look(work->session, i, &vault->items[i], &equal);
        if (status != VARVE_OK)
            return status;
        if (!equal) {
            snprintf(
                problem, 200, "record %zu is not version %u with tensors %u", i + 1,
                (unsigned)vault->items[i].version, (unsigned)vault->items[i].tensors);
            return VARVE_OK;
        }
    }
    return VARVE_OK;
}

/* Ends with a failure unless the store is one of these vaults. *which says which. */
static enum varve_status
look_at_all(const struct work *work, const struct candidates *candidates, size_t *which)
{
    char problem[200], text[700];
    size_t length = 0;
    for (*which = 0; *which < candidates->count; ++*which) {
        enum varve_status status = look(work, &candidates->vaults[*which], problem);
        if (status != VARVE_OK || problem[0] == '\0')
            return status;
        if (length < sizeof text)
            length += (size_t)snprintf(text + length, sizeof text - length, "%s; ", problem);
    }
    wrong("a unit is lost, or the last one is there in part", text);
}

static void
expect_vault(const struct work *work, const char *when)
{
    char problem[200];
    if (look(work, &work->now, problem) != VARVE_OK)
        wrong(when, varve_session_error(work->session));
    if (problem[0] != '\0')
        wrong(when, problem);
}

/* -------------------------------------------------------------------- units */

static enum varve_status
do_steps(struct work *work, struct vault *next)
{
    uint64_t steps = 1 + next_random(&work->random) % STEPS_MOST;
    enum varve_status status = VARVE_OK;
    for (uint64_t i = 0; i < steps && status == VARVE_OK; i++) {
        struct step step = step_choose(next, &work->random, &work->counter);
        status = step_do(work->session, &step);
        expect_session_told(work, "a step", status);
        step_apply(&step, next);
    }
    return status;
}

static void
roll_back(const struct work *work)
{
    enum varve_status status = varve_rollback(work->session);
    if (status == VARVE_MISUSE)
        wrong("rollback", varve_session_error(work->session));
    expect_session_told(work, "rollback", status);
}

/* A part of a unit that is taken back, or stays. */
static enum varve_status
do_nested(struct work *work, struct vault *next)
{
    struct vault inner = *next;
    enum varve_status status = varve_begin(work->session);
    expect_session_told(work, "a nested begin", status);
    if (status != VARVE_OK)
        return status;
    status = do_steps(work, &inner);
    if (status != VARVE_OK || next_random(&work->random) % 2 == 0) {
        enum varve_status undone = varve_rollback(work->session);
        return status == VARVE_OK ? undone : status;
    }
    status = varve_commit(work->session);
    expect_session_told(work, "a nested commit", status);
    *next = inner;
    return status;
}

/* What the answer makes of the vault. After an unknown outcome the store is asked; false: it does not say. */
static bool
settle(struct work *work, const struct vault *next, enum varve_status status)
{
    const struct candidates both = {{work->now, *next}, 2};
    size_t which = status == VARVE_OK;
    expect_session_told(work, "a unit", status);
    if (status == VARVE_UNKNOWN_OUTCOME && look_at_all(work, &both, &which) != VARVE_OK)
        return false;
    work->now = both.vaults[which];
    work->is_unknown = status == VARVE_UNKNOWN_OUTCOME;
    note(work, ENTRY_ANSWER, status, &work->now);
    return true;
}

/* One call, which commits by itself. */
static bool
do_single(struct work *work)
{
    struct vault next = work->now;
    struct step step = step_choose(&next, &work->random, &work->counter);
    step_apply(&step, &next);
    note(work, ENTRY_TRY, VARVE_OK, &next);
    return settle(work, &next, step_do(work->session, &step));
}

static bool
do_unit(struct work *work)
{
    uint64_t kind = next_random(&work->random) % 10;
    struct vault next = work->now;
    if (kind < 3)
        return do_single(work);
    enum varve_status status = varve_begin(work->session);
    expect_session_told(work, "begin", status);
    if (status != VARVE_OK)
        return true;
    status = do_steps(work, &next);
    if (status == VARVE_OK && kind < 6)
        status = do_nested(work, &next);
    if (status != VARVE_OK || kind == 9) {
        roll_back(work);
        return true;
    }
    note(work, ENTRY_TRY, VARVE_OK, &next);
    return settle(work, &next, varve_commit(work->session));
}

static void
upkeep(struct work *work, bool all)
{
    note(work, ENTRY_UPKEEP, VARVE_OK, &work->now);
    enum varve_status status = all ? varve_maintain(work->store, NULL) : varve_flush(work->store);
    if (status != VARVE_OK && !is_log_read_only(status))
        expect_told(all ? "maintain" : "flush", status, varve_session_error(NULL));
    note(work, ENTRY_UPKEPT, status, &work->now);
}

/* What is read meanwhile must be right, where it can be read. */
static void
glance(struct work *work)
{
    bool equal;
    size_t slot = next_random(&work->random) % SLOTS;
    enum varve_status status = slot_look(work->session, slot, &work->now.items[slot], &equal);
    expect_session_told(work, "a read", status);
    if (status == VARVE_OK && !equal)
        wrong("a read", "gives another record than what was written last");
}

/* Opening recovers the log, and with it maybe a unit of unknown outcome. False: the store does not say. */
static bool
open_and_settle(struct work *work)
{
    size_t which;
    open_store(work);
    if (!work->session || work->candidates.count == 1)
        return true;
    if (look_at_all(work, &work->candidates, &which) != VARVE_OK)
        return false;
    work->now = work->candidates.vaults[which];
    note(work, ENTRY_ANSWER, VARVE_OK, &work->now);
    return true;
}

static void
do_work(struct work *work, long units)
{
    for (long i = 0; i < units; i++) {
        if (work->session && i % REOPEN_EVERY == REOPEN_EVERY - 1)
            close_store(work);
        if (!work->session && !open_and_settle(work))
            return;
        if (!work->session)
            continue;
        if (work->sweeps)
            upkeep(work, true);
        if (work->sweeps && work->is_unknown)
            return;
        if (!do_unit(work))
            return;
        uint64_t what = next_random(&work->random) % 20;
        if (what < 4)
            upkeep(work, what < 2);
        glance(work);
    }
}

/* -------------------------------------------------------------------- the look */

static void
read_journal(const char *path, struct candidates *candidates)
{
    struct entry entry;
    FILE *file = fopen(path, "rb");
    memset(candidates->vaults, 0, sizeof *candidates->vaults);
    candidates->count = 1;
    while (file && fread(&entry, sizeof entry, 1, file) == 1)
        follow(candidates, &entry);
    if (file)
        fclose(file);
}

static void
expect_maintained(const struct work *work)
{
    struct varve_maintenance_report report;
    if (varve_maintain(work->store, &report) != VARVE_OK)
        wrong("maintain afterwards", varve_session_error(NULL));
    if (report.tensors_damaged != 0)
        wrong("maintain afterwards", "finds damaged tensors");
    expect_vault(work, "after maintain");
    expect_files(varve_session_sqlite(work->session), work->folder);
}

static void
open_again(struct work *work)
{
    struct varve_error error;
    close_store(work);
    if (try_open(work, &error) != VARVE_OK)
        wrong("cannot be opened afterwards", error.message);
}

static void
check(const char *folder, const char *journal, uint64_t seed)
{
    size_t which;
    static struct candidates candidates;
    struct work work = {.folder = folder, .journal = -1, .random = ~seed, .counter = 1u << 20};
    read_journal(journal, &candidates);
    open_again(&work);
    expect_sound_database(varve_session_sqlite(work.session));
    expect_datasets(varve_session_sqlite(work.session));
    if (look_at_all(&work, &candidates, &which) != VARVE_OK)
        wrong("cannot be read afterwards", varve_session_error(work.session));
    work.now = candidates.vaults[which];
    work.candidates = (struct candidates){{work.now}, 1};
    expect_maintained(&work);
    open_again(&work);
    expect_vault(&work, "opened again");
    do_work(&work, MORE_UNITS);
    expect_maintained(&work);
    close_store(&work);
    expect_no_leak();
}

int
main(int count, char **arguments)
{
    if (count != 6)
        wrong("usage", "archive_worker run|drop|sweep|check FOLDER JOURNAL SEED UNITS");
    const char *folder = arguments[2], *journal = arguments[3];
    uint64_t seed = strtoull(arguments[4], NULL, 10);
    count_memory();
    if (strcmp(arguments[1], "check") == 0) {
        check(folder, journal, seed);
        return 0;
    }
    static struct work work;
    work = (struct work){.folder = folder, .random = seed, .candidates.count = 1};
    work.sweeps = strcmp(arguments[1], "sweep") == 0;
    work.journal = open(journal, O_CREAT | O_WRONLY | O_APPEND, 0600);
    if (fault_arm)
        fault_arm();
    do_work(&work, strtol(arguments[5], NULL, 10));
    bool drops = work.sweeps || strcmp(arguments[1], "drop") == 0;
    if (!drops)
        close_store(&work);
    printf("%ld\n", fault_disarm ? fault_disarm() : 0);
    fflush(stdout);
    if (drops)
        _exit(0);
    expect_no_leak();
    check(folder, journal, seed);
    return 0;
}
