/* Four processes on one archive, each at a walk of its own: they write, delete, cascade, flush, compact, read and
 * hold old snapshots. What was acknowledged is there in every later snapshot, no snapshot changes, and at the end
 * the folder has the files that the catalog names and no others.
 *
 * A record is written by the process that owns its id alone; others read it, and take it away with its session.
 * VARVE_ARCHIVE_SECONDS lengthens the run, VARVE_ARCHIVE_SEED chooses another. */
#define _DEFAULT_SOURCE /* mkdtemp, MAP_ANONYMOUS */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <varve/health.h>

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

static const char *const count_names[COUNTS] = {
    "inserts", "updates",      "deletes", "cascades",       "rollbacks",     "flushes",
    "upkeeps", "busy with it", "moved",   "files unlinked", "old snapshots", "reads"};

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
static void
expect(struct process *process, bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "process %zu: %s: %s\n", process->index, what, varve_session_error(NULL));
    process->ledger->is_over = true;
    _exit(1);
}

static void
must(struct process *process, enum varve_status status, const char *what)
{
    char text[200];
    snprintf(text, sizeof text, "%s is %s", what, varve_status_name(status));
    expect(process, status == VARVE_OK, text);
}

static void
count(struct process *process, enum count which, int64_t number)
{
    process->ledger->counts[which] += number;
}

/* -------------------------------------------------------------------- the store */

static void
log_problem(void *context, enum varve_log_level level, enum varve_tier tier, const char *message)
{
    (void)context;
    (void)tier;
    if (level == VARVE_LOG_ERROR)
        fprintf(stderr, "process %d: %s\n", (int)getpid(), message);
}

static void
open_store(struct process *process)
{
    struct varve_error error;
    const struct varve_config config = {
        .data_dir = process->folder,
        .durability = VARVE_DURABILITY_NORMAL,
        .busy_timeout_ms = 120000,
        .checkpoint_pages = 200,
        .stage_max_bytes = 4096,
        .segment_bytes = 1 << 16,
        .chunk_cache_bytes = 1 << 18,
        .archive_threads = process->index % 2 == 0 ? 1 : -1,
        .log = log_problem};
    if (varve_open(&lab_tensors_schema, &config, &process->store, &error) != VARVE_OK)
        expect(process, false, error.message);
    must(process, varve_session_open(process->store, &process->session), "session_open");
}

static void
close_store(struct process *process)
{
    varve_session_close(process->old);
    varve_session_close(process->session);
    varve_close(process->store);
    process->old = NULL;
    process->session = NULL;
}

/* -------------------------------------------------------------------- what a process knows of its records */

static enum checked_kind
any_kind(struct process *process)
{
    return (enum checked_kind)random_below(&process->random, CHECKED_KINDS);
}

static int64_t
own_id(struct process *process)
{
    return (
        int64_t)(1 + process->index + PROCESSES * random_below(&process->random, IDS / PROCESSES));
}

static int64_t
any_parent(struct process *process)
{
    return process->ledger->parents[random_below(&process->random, PARENTS)];
}

static bool
is_gone(struct process *process, int64_t parent)
{
    return process->ledger->gone[parent];
}

static struct checked
record_of(enum checked_kind kind, int64_t id, struct entry *entry)
{
    return (struct checked){kind, id, entry->parent, entry->version, entry->remark};
}

/* A version that no record had: less than 0 where it must never be seen by others. */
static int64_t
begin_version(struct process *process, struct entry *entry)
{
    int64_t version = entry->begun + 1;
    entry->begun = version;
    return process->will_roll_back ? -version : version;
}

/* The entry is the call's from here on. */
static struct touched *
touch(struct process *process, enum checked_kind kind, int64_t id)
{
    struct touched *touched = &process->touched[process->touched_count++];
    touched->entry = &process->ledger->entries[kind][id];
    touched->state_before = (enum state)touched->entry->state;
    touched->state = touched->state_before;
    touched->before = touched->after = record_of(kind, id, touched->entry);
    touched->entry->state = CHANGING;
    return touched;
}

/* Makes known what the calls since the last time have done, or were undone. */
static void
settle(struct process *process, bool is_undone)
{
    for (size_t i = process->touched_count; i-- > 0;) {
        struct touched *touched = &process->touched[i];
        const struct checked *known = is_undone ? &touched->before : &touched->after;
        touched->entry->version = known->version;
        touched->entry->parent = known->session_id;
        touched->entry->remark = known->remark;
        touched->entry->state = (int)(is_undone ? touched->state_before : touched->state);
    }
    process->touched_count = 0;
}

static void
settle_alone(struct process *process)
{
    if (!process->in_transaction)
        settle(process, false);
}

/* -------------------------------------------------------------------- writing */

static void
insert(struct process *process, size_t many)
{
    size_t number = 0;
    bool may_conflict = false;
    struct checked records[MANY];
    struct touched *touched[MANY];
    enum checked_kind kind = any_kind(process);
    for (size_t tries = 0; tries < 4 * many && number < many; tries++) {
        int64_t id = own_id(process);
        struct entry *entry = &process->ledger->entries[kind][id];
        if (entry->state != NONE || process->touched_count == TOUCHED_MOST)
            continue;
        touched[number] = touch(process, kind, id);
        records[number] =
            (struct checked){kind, id, any_parent(process), begin_version(process, entry), id};
        number++;
    }
    if (number == 0)
        return;
    enum varve_status status = checked_insert(process->session, records, number);
    for (size_t i = 0; i < number; i++) {
        may_conflict |= is_gone(process, records[i].session_id);
        if (status != VARVE_OK)
            continue;
        touched[i]->state = THERE;
        touched[i]->after = records[i];
    }
    if (status != VARVE_CONFLICT || !may_conflict)
        must(process, status, "insert");
    settle_alone(process);
    count(process, INSERTS, status == VARVE_OK ? (int64_t)number : 0);
}

/* Of a record of its own that was there: only its session's end may take it away. */
static void
end_write(struct process *process, struct touched *touched, enum varve_status status)
{
    if (status == VARVE_NOT_FOUND && is_gone(process, touched->before.session_id))
        touched->state = NONE;
    else if (status == VARVE_CONFLICT && is_gone(process, touched->after.session_id))
        touched->after = touched->before;
    else
        must(process, status, "a write of a record that is there");
    settle_alone(process);
}

static void
update(struct process *process, struct touched *touched)
{
    touched->after.version = begin_version(process, touched->entry);
    touched->after.session_id = any_parent(process);
    end_write(process, touched, checked_update(process->session, &touched->after));
    count(process, UPDATES, 1);
}

static void
update_without(struct process *process, struct touched *touched)
{
    enum varve_status status;
    touched->after.remark++;
    if (random_one_in(&process->random, 2)) {
        touched->after.session_id = any_parent(process);
        status = checked_update_without(process->session, &touched->after);
    } else {
        status = checked_update_remark(process->session, &touched->after);
    }
    end_write(process, touched, status);
    count(process, UPDATES, 1);
}

static void
delete_own(struct process *process, struct touched *touched)
{
    touched->state = NONE;
    end_write(
        process, touched,
        checked_delete(process->session, touched->before.kind, touched->before.id));
    count(process, DELETES, 1);
}

/* Writes one of its own. */
static void
write_own(struct process *process)
{
    enum checked_kind kind = any_kind(process);
    int64_t id = own_id(process);
    struct entry *entry = &process->ledger->entries[kind][id];
    if (process->touched_count == TOUCHED_MOST || entry->state == CHANGING)
        return;
    if (entry->state == NONE) {
        insert(process, 1);
        return;
    }
    size_t what = random_below(&process->random, 10);
    struct touched *touched = touch(process, kind, id);
    if (what < 5)
        update(process, touched);
    else if (what < 8)
        update_without(process, touched);
    else
        delete_own(process, touched);
}

static void
transact(struct process *process)
{
    size_t calls = 1 + random_below(&process->random, 6);
    must(process, varve_begin(process->session), "begin");
    process->in_transaction = true;
    process->will_roll_back = random_one_in(&process->random, 3);
    for (size_t i = 0; i < calls; i++)
        write_own(process);
    if (process->will_roll_back)
        must(process, varve_rollback(process->session), "rollback");
    else
        must(process, varve_commit(process->session), "commit");
    settle(process, process->will_roll_back);
    count(process, ROLLBACKS, process->will_roll_back);
    process->in_transaction = false;
    process->will_roll_back = false;
}

/* A session of its own goes, with all that belongs to it, and another comes. */
static void
cascade(struct process *process)
{
    size_t mine = PARENTS / PROCESSES;
    size_t slot = process->index * mine + random_below(&process->random, mine);
    struct ledger *ledger = process->ledger;
    struct lab_tensors_session parent = LAB_TENSORS_SESSION_INIT;
    int64_t gone = ledger->parents[slot];
    must(process, lab_tensors_session_insert(process->session, &parent), "insert of a session");
    expect(process, parent.id < GONE_MOST, "the run is too long for its ledger");
    ledger->parents[slot] = parent.id;
    ledger->gone[gone] = true;
    must(process, lab_tensors_session_delete(process->session, gone), "delete of a session");
    count(process, CASCADES, 1);
}

/* A record that all of them write: none of their versions is lost. */
static void
count_up(struct process *process)
{
    const char *wrong;
    struct checked record;
    must(process, varve_begin(process->session), "begin");
    enum varve_status status =
        checked_get(process->session, CHECKED_PLATE, COUNTER, &record, &wrong);
    must(process, status, "get of the counter");
    expect(process, !wrong, wrong);
    record.version++;
    must(process, checked_update(process->session, &record), "update of the counter");
    must(process, varve_commit(process->session), "commit of the counter");
    process->ledger->counter++;
}

/* -------------------------------------------------------------------- reading */

/* What a get of one that any process may write gave, when its entry was so before. */
static void
judge(
    struct process *process,
    struct entry *entry,
    enum state state,
    int64_t version,
    const struct checked *got)
{
    int64_t parent = entry->parent;
    if (got) {
        expect(process, got->version > 0, "a version was seen that was rolled back");
        expect(process, got->version <= entry->begun, "a version was seen that nobody wrote");
        expect(
            process, state != THERE || got->version >= version,
            "a version was seen that is older than what was acknowledged");
        return;
    }
    bool is_there = state == THERE && entry->state == THERE && entry->version == version;
    expect(process, !is_there || is_gone(process, parent), "an acknowledged record is not there");
}

static void
look(struct process *process)
{
    const char *wrong;
    struct checked record;
    enum checked_kind kind = any_kind(process);
    int64_t id = 1 + (int64_t)random_below(&process->random, IDS);
    struct entry *entry = &process->ledger->entries[kind][id];
    enum state state = (enum state)entry->state;
    int64_t version = entry->version;
    if (entry->state != (int)state || state == CHANGING)
        state = NONE; /* nothing is sure of it */
    enum varve_status status = checked_get(process->session, kind, id, &record, &wrong);
    if (status != VARVE_NOT_FOUND)
        must(process, status, "get");
    expect(process, !wrong, wrong);
    judge(process, entry, state, version, status == VARVE_OK ? &record : NULL);
    count(process, READS, 1);
}

static void
look_at_part(struct process *process)
{
    const char *wrong;
    int64_t id = 1 + (int64_t)random_below(&process->random, IDS);
    enum varve_status status =
        checked_slice(process->session, &process->random, any_kind(process), id, &wrong);
    expect(process, !wrong, wrong);
    if (status != VARVE_NOT_FOUND)
        must(process, status, "read of a part");
    count(process, READS, 1);
}

static void
begin_old(struct process *process)
{
    must(process, varve_session_open(process->store, &process->old), "session_open");
    must(process, varve_begin_read(process->old), "begin_read");
    for (int kind = 0; kind < CHECKED_KINDS; kind++)
        must(
            process,
            checked_list(
                process->old, (enum checked_kind)kind, process->listed[kind], COUNTER,
                &process->listed_count[kind]),
            "find");
    size_t most = process->index == 0 ? 200 : 20; /* one of them lags far behind */
    process->old_steps = 2 + (int)random_below(&process->random, most);
}

/* All of a kind, as it was when the snapshot began, one by one and some at once. */
static void
read_old(struct process *process, enum checked_kind kind)
{
    const char *wrong;
    struct checked record;
    void **found;
    int64_t ids[MANY];
    const struct checked *listed = process->listed[kind];
    size_t number = process->listed_count[kind];
    for (size_t i = 0; i < number; i++) {
        enum varve_status status = checked_get(process->old, kind, listed[i].id, &record, &wrong);
        must(process, status, "get in an old snapshot");
        expect(process, !wrong, wrong);
        expect(
            process,
            record.version == listed[i].version && record.remark == listed[i].remark &&
                record.session_id == listed[i].session_id,
            "a snapshot changed");
    }
    number = number < MANY ? number : MANY;
    for (size_t i = 0; i < number; i++)
        ids[i] = listed[random_below(&process->random, process->listed_count[kind])].id;
    enum varve_status status =
        varve_record_get_many(process->old, checked_records[kind], ids, (int64_t)number, &found);
    must(process, status, "get_many in an old snapshot");
    for (size_t i = 0; i < number; i++) {
        expect(process, found[i], "a record is missing in an old snapshot");
        expect(process, !checked_compare(kind, found[i]), "get_many gave a wrong tensor");
    }
    varve_record_free_many(found);
}

static void
end_old(struct process *process)
{
    size_t number;
    static struct checked again[COUNTER];
    for (int kind = 0; kind < CHECKED_KINDS; kind++) {
        read_old(process, (enum checked_kind)kind);
        must(
            process, checked_list(process->old, (enum checked_kind)kind, again, COUNTER, &number),
            "find");
        expect(process, number == process->listed_count[kind], "a snapshot has other records");
    }
    must(process, varve_commit(process->old), "commit of a snapshot");
    varve_session_close(process->old);
    process->old = NULL;
    count(process, SNAPSHOTS, 1);
}

/* -------------------------------------------------------------------- the walk */

static void
flush(struct process *process)
{
    enum varve_status status = varve_flush(process->store);
    if (status != VARVE_BUSY)
        must(process, status, "flush");
    count(process, status == VARVE_OK ? FLUSHES : BUSY, 1);
}

static void
maintain(struct process *process)
{
    struct varve_maintenance_report report = {0};
    enum varve_status status = varve_maintain(process->store, &report);
    if (status != VARVE_BUSY)
        must(process, status, "maintain");
    expect(process, report.tensors_damaged == 0, "maintain found damaged tensors");
    count(process, status == VARVE_OK ? MAINTENANCES : BUSY, 1);
    count(process, MOVED, report.tensors_moved);
    count(process, UNLINKED, report.files_deleted);
}

static void
step(struct process *process)
{
    size_t what = random_below(&process->random, 1000);
    if (what < 30)
        flush(process);
    else if (what < 60)
        maintain(process);
    else if (what < 70)
        cascade(process);
    else if (what < 73 && !process->old) {
        close_store(process);
        open_store(process);
    } else if (what < 120)
        transact(process);
    else if (what < 150)
        insert(process, MANY);
    else if (what < 170)
        count_up(process);
    else if (what < 180 && !process->old)
        begin_old(process);
    else if (what < 450)
        look(process);
    else if (what < 600)
        look_at_part(process);
    else
        write_own(process);
    if (process->old && --process->old_steps == 0)
        end_old(process);
}

static void
work(struct process *process, time_t end)
{
    open_store(process);
    for (int i = 0; !process->ledger->is_over && (i < STEPS_LEAST || time(NULL) < end); i++)
        step(process);
    if (process->old)
        end_old(process);
    close_store(process);
}

/* -------------------------------------------------------------------- before and after */

static void
begin(struct process *process)
{
    open_store(process);
    for (size_t i = 0; i <= PARENTS; i++) {
        struct lab_tensors_session parent = LAB_TENSORS_SESSION_INIT;
        must(process, lab_tensors_session_insert(process->session, &parent), "insert");
        if (i < PARENTS) {
            process->ledger->parents[i] = parent.id;
            continue;
        }
        struct checked counter = {CHECKED_PLATE, COUNTER, parent.id, 1, 0};
        must(process, checked_insert(process->session, &counter, 1), "insert of the counter");
    }
    close_store(process);
}

/* Every record is as its owner left it, or gone. */
static void
check_records(struct process *process)
{
    const char *wrong;
    struct checked record;
    for (int kind = 0; kind < CHECKED_KINDS; kind++)
        for (int64_t id = 1; id <= IDS; id++) {
            struct entry *entry = &process->ledger->entries[kind][id];
            enum varve_status status =
                checked_get(process->session, (enum checked_kind)kind, id, &record, &wrong);
            assert_int_not_equal(entry->state, CHANGING);
            if (entry->state == NONE || is_gone(process, entry->parent)) {
                assert_int_equal(status, VARVE_NOT_FOUND);
                continue;
            }
            must(process, status, "get at the end");
            expect(process, !wrong, wrong);
            assert_int_equal(record.version, entry->version);
            assert_int_equal(record.remark, entry->remark);
            assert_int_equal(record.session_id, entry->parent);
        }
    must(
        process, checked_get(process->session, CHECKED_PLATE, COUNTER, &record, &wrong), "counter");
    expect(process, !wrong, wrong);
    assert_int_equal(record.version, 1 + process->ledger->counter);
}

/* The answer's only row in text. */
static void
ask(const struct process *process, const char *text, const char *wanted)
{
    sqlite3_stmt *statement;
    sqlite3 *database = varve_session_sqlite(process->session);
    assert_int_equal(sqlite3_prepare_v2(database, text, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(statement, 0), wanted);
    sqlite3_finalize(statement);
}

static size_t
count_files(const struct process *process, const char *message)
{
    char path[200];
    size_t number = 0;
    snprintf(path, sizeof path, "%s/archive/%s", process->folder, message);
    DIR *folder = opendir(path);
    for (const struct dirent *entry; folder && (entry = readdir(folder));)
        number += entry->d_name[0] != '.';
    if (folder)
        closedir(folder);
    return number;
}

/* The folder has the segments that the catalog names, of the sizes that it names, and nothing else. */
static void
check_files(const struct process *process)
{
    size_t named = 0;
    sqlite3_stmt *statement;
    sqlite3 *database = varve_session_sqlite(process->session);
    const char *text = "SELECT file, size FROM varve_segment";
    assert_int_equal(sqlite3_prepare_v2(database, text, -1, &statement, NULL), SQLITE_OK);
    for (; sqlite3_step(statement) == SQLITE_ROW; named++) {
        char path[300];
        struct stat found;
        const char *file = (const char *)sqlite3_column_text(statement, 0);
        snprintf(path, sizeof path, "%s/archive/%s", process->folder, file);
        if (stat(path, &found) != 0)
            fail_msg("%s is named and is not there", path);
        assert_int_equal(found.st_size, sqlite3_column_int64(statement, 1));
    }
    sqlite3_finalize(statement);
    size_t there =
        count_files(process, "lab.tensors.Spool") + count_files(process, "lab.tensors.Plate");
    assert_int_equal(there, named);
    assert_true(named > 0);
    ask(process, "SELECT count(*) FROM varve_dropped", "0");
    ask(process, "PRAGMA integrity_check", "ok");
    ask(process, "SELECT count(*) FROM pragma_foreign_key_check", "0");
}

static void
check(struct process *process)
{
    open_store(process);
    check_records(process);
    must(process, varve_maintain(process->store, NULL), "the last maintain");
    check_records(process);
    check_files(process);
    must(process, varve_maintain(process->store, NULL), "one more maintain");
    check_files(process);
    close_store(process);
    open_store(process);
    check_records(process);
    close_store(process);
}

static void
run(struct process *processes, time_t end)
{
    pid_t children[PROCESSES];
    for (size_t i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            work(&processes[i], end);
            _exit(0);
        }
    }
    for (size_t i = 0; i < PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        if (status != 0)
            processes->ledger->is_over = true;
        children[i] = status;
    }
    for (size_t i = 0; i < PROCESSES; i++)
        assert_int_equal(children[i], 0);
}

/* The store is made by a process that ends: SQLite's locks do not survive a fork. */
static void
begin_elsewhere(struct process *process)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        begin(process);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void
say_counts(const struct ledger *ledger)
{
    for (size_t i = 0; i < COUNTS; i++)
        print_message("%s%lld %s", i == 0 ? "" : ", ", ledger->counts[i], count_names[i]);
    print_message("\n");
}

static void
test_processes_lose_nothing_of_an_archive_and_leave_no_garbage(void **state)
{
    (void)state;
    char folder[] = "/tmp/varve-processes-XXXXXX", command[64];
    static struct process processes[PROCESSES];
    uint64_t seed = number_from_env("VARVE_ARCHIVE_SEED", 1);
    time_t seconds = (time_t)number_from_env("VARVE_ARCHIVE_SECONDS", SECONDS);
    struct ledger *ledger =
        mmap(NULL, sizeof *ledger, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(ledger != MAP_FAILED);
    assert_non_null(mkdtemp(folder));
    print_message("VARVE_ARCHIVE_SEED=%llu, in %s\n", (unsigned long long)seed, folder);
    for (size_t i = 0; i < PROCESSES; i++)
        processes[i] = (struct process){
            .index = i, .folder = folder, .ledger = ledger, .random = {seed * PROCESSES + i}};
    begin_elsewhere(&processes[0]);
    run(processes, time(NULL) + seconds);
    say_counts(ledger);
    check(&processes[0]);
    assert_true(ledger->counts[CASCADES] > 0 && ledger->counts[SNAPSHOTS] > 0);
    assert_true(ledger->counts[FLUSHES] > 0 && ledger->counts[MAINTENANCES] > 0);
    assert_true(ledger->counts[MOVED] > 0);
    munmap(ledger, sizeof *ledger);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_processes_lose_nothing_of_an_archive_and_leave_no_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
