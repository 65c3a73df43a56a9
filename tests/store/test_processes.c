/* Three processes on one store, which they also make at the same time: a counter in a team's level
 * goes up by one for each task, in one transaction, and no snapshot shows it otherwise. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "club.varve.h"

enum {
    PROCESSES = 3,
    STEPS = 150, /* of each */
};

/* Processes cannot use cmocka's assertions: a child ends with 1, and says why. */
static void
expect(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "process %d: %s: %s\n", (int)getpid(), what, varve_session_error(NULL));
    _exit(1);
}

static void
count_up(struct varve_session *session)
{
    struct club_team *team;
    struct club_task task = CLUB_TASK_INIT;
    expect(varve_begin(session) == VARVE_OK, "begin");
    expect(club_team_get(session, 1, &team) == VARVE_OK, "get");
    team->level++;
    expect(club_team_update(session, team) == VARVE_OK, "update");
    club_team_free(team);
    expect(club_task_insert(session, &task) == VARVE_OK, "insert");
    expect(varve_commit(session) == VARVE_OK, "commit");
}

/* A write with a commit of its own, as others hold the lock. */
static void
insert_alone(struct varve_session *session)
{
    struct club_member member = CLUB_MEMBER_INIT;
    char name[32];
    snprintf(name, sizeof name, "process %d", (int)getpid());
    member.name = name;
    expect(club_member_upsert(session, &member) == VARVE_OK, "upsert");
}

static void
compare_in_snapshot(struct varve_session *session)
{
    struct club_team *team;
    int64_t count;
    expect(varve_begin_read(session) == VARVE_OK, "begin_read");
    expect(club_team_get(session, 1, &team) == VARVE_OK, "get");
    expect(club_task_count(session, NULL, &count) == VARVE_OK, "count");
    expect(team->level == count, "the snapshot has part of a transaction");
    club_team_free(team);
    expect(varve_commit(session) == VARVE_OK, "commit");
}

/* Opens the store with a checkpoint at nearly every commit: that is when processes meet. */
static void
open_store(const char *folder, struct varve_store **store, struct varve_session **session)
{
    struct varve_config config = {
        .data_dir = folder,
        .durability = VARVE_DURABILITY_NORMAL,
        .checkpoint_pages = 10,
        .busy_timeout_ms = 60000};
    struct varve_error error;
    if (varve_open(&club_schema, &config, store, &error) != VARVE_OK)
        expect(false, error.message);
    expect(varve_session_open(*store, session) == VARVE_OK, "session_open");
}

static void
work(const char *folder)
{
    struct varve_store *store;
    struct varve_session *session;
    struct club_team team = CLUB_TEAM_INIT;
    open_store(folder, &store, &session);
    team.id = 1;
    team.name = "counter";
    team.has_level = true;
    enum varve_status status = club_team_insert(session, &team);
    expect(status == VARVE_OK || status == VARVE_CONFLICT, "insert");
    for (int i = 0; i < STEPS; i++) {
        count_up(session);
        insert_alone(session);
        compare_in_snapshot(session);
        if (i % 50 != 49)
            continue;
        varve_session_close(session);
        varve_close(store);
        open_store(folder, &store, &session);
    }
    varve_session_close(session);
    varve_close(store);
}

static void
check(const char *folder)
{
    struct varve_store *store;
    struct varve_session *session;
    struct club_team *team;
    int64_t count;
    open_store(folder, &store, &session);
    compare_in_snapshot(session);
    assert_int_equal(club_team_get(session, 1, &team), VARVE_OK);
    assert_int_equal(team->level, PROCESSES * STEPS);
    club_team_free(team);
    assert_int_equal(club_member_count(session, NULL, &count), VARVE_OK);
    assert_int_equal(count, PROCESSES);
    varve_session_close(session);
    varve_close(store);
}

static void
test_processes_see_whole_transactions_and_lose_none(void **state)
{
    (void)state;
    char folder[] = "/tmp/varve-test-XXXXXX";
    char store[64];
    pid_t processes[PROCESSES];
    assert_non_null(mkdtemp(folder));
    snprintf(store, sizeof store, "%s/store", folder);
    for (size_t i = 0; i < PROCESSES; i++) {
        processes[i] = fork();
        assert_true(processes[i] >= 0);
        if (processes[i] == 0) {
            work(store);
            _exit(0);
        }
    }
    for (size_t i = 0; i < PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(processes[i], &status, 0), processes[i]);
        assert_int_equal(status, 0);
    }
    check(store);
    static const char *const files[] = {
        "varve.db", "varve.db-wal", "varve.db-shm", "varve.lock", ""};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[96];
        snprintf(path, sizeof path, "%s/%s", store, files[i]);
        remove(path);
    }
    remove(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_processes_see_whole_transactions_and_lose_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
