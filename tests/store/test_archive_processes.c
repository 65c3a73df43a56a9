/* Four processes on one archive, each at a walk of its own: they write, delete, cascade, flush, compact, read and
 * hold old snapshots. What was acknowledged is there in every later snapshot, no snapshot changes, and at the end
 * the folder has the files that the catalog names and no others.
 *
 * A record is written by the process that owns its id alone; others read it, and take it away with its session.
 * VARVE_ARCHIVE_SECONDS lengthens the run, VARVE_ARCHIVE_SEED chooses another. */
#define _DEFAULT_SOURCE /* mkdtemp, MAP_ANONYMOUS */

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <varve/health.h>

#include "archive_process.h"

static const char *const count_names[COUNTS] = {
    "inserts", "updates",      "deletes", "cascades",       "rollbacks",     "flushes",
    "upkeeps", "busy with it", "moved",   "files unlinked", "old snapshots", "reads"};

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
