/* Does a cycle of all operations on a store while the shim makes calls fail, and looks afterwards
 * whether every unit is there as it was answered. test_faults.py runs it once for each point of
 * failure.
 *
 *     worker run FOLDER JOURNAL     the cycle, then everything closed, then the look
 *     worker drop FOLDER JOURNAL    the cycle, then an end without closing anything
 *     worker check FOLDER JOURNAL   the look alone, after a drop or a kill
 *
 * The journal has what was begun and what was answered; it is written past the shim. `run` and `drop`
 * print how many calls of the watched kind there were. The exit status is 0, or 1 with a line on stderr
 * that says what is wrong. */
#define _GNU_SOURCE /* syscall */

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sqlite3.h>

#include "judge.h"
#include "shim.h"
#include "units.h"

#pragma weak fault_arm
#pragma weak fault_disarm

enum {
    REOPEN_EVERY = 6,      /* units */
    NEW_SESSION_EVERY = 4, /* units */
    CHECKPOINT_PAGES = 40, /* so that there are checkpoints in the cycle */
    PENDING = 255,         /* in the journal: begun, and no answer */
};

/* One line of the journal. */
struct entry {
    uint8_t unit;
    uint8_t is_act; /* else the preparation */
    uint8_t answer; /* enum varve_status, or PENDING */
};

struct cycle {
    const char *folder;
    int journal;
    struct varve_store *store;
    struct varve_session *session;
};

/* -------------------------------------------------------------------- answers */

static void
expect_session_told(const struct cycle *cycle, const char *what, enum varve_status status)
{
    expect_told(what, status, varve_session_error(cycle->session));
    if (varve_session_failure(cycle->session)->status != status)
        wrong(what, "the failure has another status");
}

static void
note(const struct cycle *cycle, size_t unit, bool is_act, int answer)
{
    struct entry entry = {(uint8_t)unit, is_act, (uint8_t)answer};
    if (syscall(SYS_write, cycle->journal, &entry, sizeof entry) != (long)sizeof entry)
        wrong("the journal", "cannot be written");
}

/* -------------------------------------------------------------------- the cycle */

static enum varve_status
try_open(struct cycle *cycle, struct varve_error *error)
{
    struct varve_config config = {
        .data_dir = cycle->folder, .checkpoint_pages = CHECKPOINT_PAGES, .cached_statements = 2};
    enum varve_status status = varve_open(&bank_schema, &config, &cycle->store, error);
    if (status != VARVE_OK)
        return status;
    status = varve_session_open(cycle->store, &cycle->session);
    if (status == VARVE_OK)
        return status;
    snprintf(error->message, sizeof error->message, "%s", varve_session_error(NULL));
    varve_close(cycle->store);
    cycle->store = NULL;
    return status;
}

/* A second try is for the fault that comes once. */
static void
open_store(struct cycle *cycle)
{
    struct varve_error error;
    for (int tries = 0; tries < 2 && !cycle->session; tries++) {
        enum varve_status status = try_open(cycle, &error);
        if (status != VARVE_OK)
            expect_told("open", status, error.message);
    }
}

static void
close_store(struct cycle *cycle)
{
    varve_session_close(cycle->session);
    varve_close(cycle->store);
    cycle->session = NULL;
    cycle->store = NULL;
}

static void
renew_session(struct cycle *cycle)
{
    varve_session_close(cycle->session);
    if (varve_session_open(cycle->store, &cycle->session) != VARVE_OK)
        close_store(cycle);
}

static enum varve_status
do_part(struct cycle *cycle, size_t index, bool is_act)
{
    const struct unit *unit = &units[index];
    int64_t id = (int64_t)(index + 1) * UNIT_STEP;
    note(cycle, index, is_act, PENDING);
    enum varve_status status =
        is_act ? unit->act(cycle->session, unit, id) : unit_prepare(cycle->session, unit, id);
    if (status != VARVE_OK)
        expect_session_told(cycle, unit->name, status);
    note(cycle, index, is_act, (int)status);
    return status;
}

static void
do_cycle(struct cycle *cycle)
{
    open_store(cycle);
    for (size_t i = 0; i < unit_count; i++) {
        if (cycle->session && i % REOPEN_EVERY == REOPEN_EVERY - 1)
            close_store(cycle);
        else if (cycle->session && i % NEW_SESSION_EVERY == NEW_SESSION_EVERY - 1)
            renew_session(cycle);
        if (!cycle->session)
            open_store(cycle);
        if (!cycle->session)
            continue;
        if (units[i].before[0].kind == 0 || do_part(cycle, i, false) == VARVE_OK) {
            enum varve_status ignored = do_part(cycle, i, true);
            (void)ignored; /* it is in the journal */
        }
    }
}

/* -------------------------------------------------------------------- the look */

/* The states that a part's answer allows, where it began with `from` and succeeds with `to`. */
static unsigned
after_answer(int answer, unsigned from, unsigned to)
{
    if (answer == VARVE_OK)
        return to;
    return answer == PENDING || answer == VARVE_UNKNOWN_OUTCOME ? from | to : from;
}

static void
read_journal(const char *path, unsigned allowed[])
{
    struct entry entry;
    FILE *file = fopen(path, "rb");
    for (size_t i = 0; i < unit_count; i++)
        allowed[i] = STATE_ABSENT;
    while (file && fread(&entry, sizeof entry, 1, file) == 1) {
        unsigned from = units[entry.unit].before[0].kind == 0 ? STATE_ABSENT : STATE_BEFORE;
        allowed[entry.unit] = entry.is_act ? after_answer(entry.answer, from, STATE_AFTER)
                                           : after_answer(entry.answer, STATE_ABSENT, STATE_BEFORE);
    }
    if (file)
        fclose(file);
}

static void
check_units(struct cycle *cycle, const char *journal)
{
    unsigned allowed[256];
    read_journal(journal, allowed);
    for (size_t i = 0; i < unit_count; i++) {
        unsigned states;
        char text[100];
        enum varve_status status =
            unit_look(cycle->session, &units[i], (int64_t)(i + 1) * UNIT_STEP, &states);
        if (status != VARVE_OK)
            wrong(units[i].name, varve_session_error(cycle->session));
        snprintf(text, sizeof text, "is in states %u where %u are allowed", states, allowed[i]);
        if (!(states & allowed[i]))
            wrong(units[i].name, text);
    }
}

/* The store works, also for units that could not be done before. */
static void
check_work(struct cycle *cycle)
{
    for (size_t i = 0; i < unit_count; i++) {
        const struct unit *unit = &units[i];
        int64_t id = (int64_t)(i + 1 + unit_count) * UNIT_STEP;
        if (unit_prepare(cycle->session, unit, id) != VARVE_OK ||
            unit->act(cycle->session, unit, id) != VARVE_OK)
            wrong(unit->name, varve_session_error(cycle->session));
    }
}

static void
check(const char *folder, const char *journal)
{
    struct cycle cycle = {.folder = folder};
    struct varve_error error;
    if (try_open(&cycle, &error) != VARVE_OK)
        wrong("cannot be opened afterwards", error.message);
    expect_sound_database(varve_session_sqlite(cycle.session));
    check_units(&cycle, journal);
    check_work(&cycle);
    close_store(&cycle);
    expect_no_leak();
}

int
main(int count, char **arguments)
{
    if (count != 4)
        wrong("usage", "worker run|drop|check FOLDER JOURNAL");
    count_memory();
    if (strcmp(arguments[1], "check") == 0) {
        check(arguments[2], arguments[3]);
        return 0;
    }
    struct cycle cycle = {.folder = arguments[2]};
    cycle.journal = open(arguments[3], O_CREAT | O_WRONLY | O_APPEND, 0600);
    if (fault_arm)
        fault_arm();
    do_cycle(&cycle);
    bool drops = strcmp(arguments[1], "drop") == 0;
    if (!drops)
        close_store(&cycle);
    printf("%ld\n", fault_disarm ? fault_disarm() : 0);
    fflush(stdout);
    if (drops)
        _exit(0);
    expect_no_leak();
    check(arguments[2], arguments[3]);
    return 0;
}
