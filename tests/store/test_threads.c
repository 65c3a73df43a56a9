/* Eight threads on one store: money moves between teams in transactions, others read, come and go, and
 * are interrupted. No snapshot may ever show another sum, and every transfer that was answered with
 * VARVE_OK has its task. VARVE_TEST_SECONDS lengthens the run. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "club.varve.h"
#include "random.h"

enum {
    THREADS = 8,
    TEAMS = 20,
    BALANCE = 100, /* of each team at first, kept in its level */
    SECONDS = 2,
};

struct town {
    char folder[64];
    struct varve_store *store;
    atomic_bool is_over;
    atomic_llong transfers;                  /* committed */
    atomic_llong snapshots;                  /* summed */
    atomic_llong interrupts;                 /* that ended a call */
    pthread_mutex_t lock;                    /* of what follows */
    struct varve_session *sessions[THREADS]; /* to be interrupted */
    char problem[600];                       /* the first one */
};

struct person {
    struct town *town;
    size_t index;
    struct random random;
    struct varve_session *session;
};

/* Threads cannot use cmocka's assertions. */
static bool
expect(struct person *person, bool holds, const char *what)
{
    struct town *town = person->town;
    if (holds)
        return true;
    pthread_mutex_lock(&town->lock);
    if (!*town->problem)
        snprintf(
            town->problem, sizeof town->problem, "thread %zu: %s: %s", person->index, what,
            varve_session_error(NULL));
    pthread_mutex_unlock(&town->lock);
    town->is_over = true;
    return false;
}

/* The answers that a call may get here. */
static bool
is_well(struct person *person, enum varve_status status, const char *what)
{
    if (status == VARVE_INTERRUPTED)
        person->town->interrupts++;
    else
        expect(person, status == VARVE_OK, what);
    return status == VARVE_OK;
}

static void
publish(struct person *person, struct varve_session *session)
{
    pthread_mutex_lock(&person->town->lock);
    person->town->sessions[person->index] = session;
    pthread_mutex_unlock(&person->town->lock);
}

/* -------------------------------------------------------------------- writers */

static enum varve_status
change(struct person *person, int64_t id, int64_t difference)
{
    static const enum club_team_field fields[] = {CLUB_TEAM_FIELD_LEVEL};
    struct club_team *team;
    enum varve_status status = club_team_get(person->session, id, &team);
    if (status != VARVE_OK)
        return status;
    team->level += difference;
    status = club_team_update_fields(person->session, team, fields, 1);
    club_team_free(team);
    return status;
}

static enum varve_status
note_transfer(struct person *person)
{
    struct club_task task = CLUB_TASK_INIT;
    task.name = "transfer";
    return club_task_insert(person->session, &task);
}

/* A nested transaction that is always taken back. */
static enum varve_status
try_something(struct person *person, int64_t id)
{
    enum varve_status status = varve_begin(person->session);
    if (status != VARVE_OK)
        return status;
    status = change(person, id, 1000);
    enum varve_status undone = varve_rollback(person->session);
    return status == VARVE_OK ? undone : status;
}

static enum varve_status
move_money(struct person *person)
{
    int64_t from = 1 + (int64_t)random_below(&person->random, TEAMS);
    int64_t to = 1 + (int64_t)random_below(&person->random, TEAMS);
    int64_t amount = (int64_t)random_below(&person->random, 10);
    enum varve_status status = change(person, from, -amount);
    if (status == VARVE_OK && random_one_in(&person->random, 4))
        status = try_something(person, to);
    if (status == VARVE_OK)
        status = change(person, to, amount);
    return status == VARVE_OK ? note_transfer(person) : status;
}

static void
transfer(struct person *person)
{
    enum varve_status status = varve_begin(person->session);
    if (!is_well(person, status, "begin"))
        return;
    if (is_well(person, move_money(person), "transfer") && !random_one_in(&person->random, 8)) {
        if (is_well(person, varve_commit(person->session), "commit"))
            person->town->transfers++;
        return;
    }
    status = varve_rollback(person->session);
    expect(person, status == VARVE_OK, "rollback");
}

/* Writes of single statements, which have a commit of their own. */
static void
write_alone(struct person *person)
{
    char name[32];
    struct club_member member = CLUB_MEMBER_INIT;
    snprintf(name, sizeof name, "member %zu", random_below(&person->random, 30));
    member.name = name;
    member.has_team = true;
    member.team = 1 + (int64_t)random_below(&person->random, TEAMS);
    enum varve_status status = club_member_upsert(person->session, &member);
    if (!is_well(person, status, "upsert") || random_one_in(&person->random, 2))
        return;
    status = club_member_delete(person->session, member.id);
    if (status != VARVE_NOT_FOUND) /* another thread's delete */
        is_well(person, status, "delete");
}

/* -------------------------------------------------------------------- readers */

/* The money of all teams, or -1. */
static int64_t
sum(struct person *person)
{
    struct varve_cursor *cursor;
    const struct club_team *team;
    int64_t total = 0;
    enum varve_status status = club_team_find(person->session, NULL, &cursor);
    if (!is_well(person, status, "find"))
        return -1;
    while ((status = club_team_next(cursor, &team)) == VARVE_ROW)
        total += team->level;
    varve_cursor_close(cursor);
    return is_well(person, status == VARVE_DONE ? VARVE_OK : status, "next") ? total : -1;
}

static void
look(struct person *person)
{
    int64_t total = sum(person);
    if (total < 0)
        return;
    expect(person, total == TEAMS * BALANCE, "a cursor saw another sum");
    person->town->snapshots++;
}

/* In one snapshot nothing changes, however it is read. */
static void
look_twice(struct person *person)
{
    int64_t counts[2] = {0, 0};
    struct varve_session *session = person->session;
    const struct club_task_filter filter = {.name = varve_text_equals("transfer")};
    if (!is_well(person, varve_begin_read(session), "begin_read"))
        return;
    bool is_counted = is_well(person, club_task_count(session, &filter, &counts[0]), "count");
    look(person);
    is_counted &= is_well(person, club_task_count(session, NULL, &counts[1]), "count");
    if (is_counted)
        expect(person, counts[0] == counts[1], "a snapshot changed");
    enum varve_status status = varve_commit(session);
    expect(person, status == VARVE_OK || status == VARVE_INTERRUPTED, "commit");
    if (status != VARVE_OK && varve_rollback(session) != VARVE_MISUSE)
        expect(person, false, "a commit that failed left its transaction open");
}

/* A session for a moment; what it leaves open its closing must end. */
static void
visit(struct person *person)
{
    struct varve_cursor *cursor = NULL;
    const struct club_team *team;
    publish(person, NULL);
    varve_session_close(person->session);
    enum varve_status status = varve_session_open(person->town->store, &person->session);
    if (!expect(person, status == VARVE_OK, "session_open"))
        return;
    if (random_one_in(&person->random, 3) && is_well(person, varve_begin(person->session), "begin"))
        is_well(person, change(person, 1, 1000), "change");
    if (is_well(person, club_team_find(person->session, NULL, &cursor), "find")) {
        status = club_team_next(cursor, &team);
        is_well(person, status == VARVE_ROW ? VARVE_OK : status, "next");
    }
    varve_session_close(person->session);
    varve_cursor_close(cursor);
    status = varve_session_open(person->town->store, &person->session);
    expect(person, status == VARVE_OK, "session_open");
}

static void
interrupt(struct person *person)
{
    struct town *town = person->town;
    struct timespec pause = {.tv_nsec = 2000000};
    nanosleep(&pause, NULL);
    pthread_mutex_lock(&town->lock); /* so that nobody closes it */
    varve_interrupt(town->sessions[random_below(&person->random, THREADS)]);
    pthread_mutex_unlock(&town->lock);
}

/* -------------------------------------------------------------------- threads */

static void *
live(void *context)
{
    static void (*const works[THREADS])(struct person * person) = {
        transfer, transfer, transfer, write_alone, look, look_twice, visit, interrupt,
    };
    struct person *person = context;
    enum varve_status status = varve_session_open(person->town->store, &person->session);
    if (!expect(person, status == VARVE_OK, "session_open"))
        return NULL;
    if (works[person->index] != visit)
        publish(person, person->session);
    while (!person->town->is_over)
        works[person->index](person);
    publish(person, NULL);
    varve_session_close(person->session);
    return NULL;
}

static void
found_town(struct town *town)
{
    struct varve_config config = {.data_dir = town->folder, .durability = VARVE_DURABILITY_NORMAL};
    struct varve_session *session;
    struct club_team teams[TEAMS];
    char names[TEAMS][16];
    for (size_t i = 0; i < TEAMS; i++) {
        teams[i] = (struct club_team)CLUB_TEAM_INIT;
        snprintf(names[i], sizeof names[i], "team %zu", i);
        teams[i].name = names[i];
        teams[i].has_level = true;
        teams[i].level = BALANCE;
    }
    assert_int_equal(varve_open(&club_schema, &config, &town->store, NULL), VARVE_OK);
    assert_int_equal(varve_session_open(town->store, &session), VARVE_OK);
    assert_int_equal(club_team_insert_many(session, teams, TEAMS), VARVE_OK);
    varve_session_close(session);
}

static void
check_town(struct town *town)
{
    int64_t count;
    struct person person = {.town = town};
    if (*town->problem)
        fail_msg("%s", town->problem);
    assert_int_equal(varve_session_open(town->store, &person.session), VARVE_OK);
    assert_int_equal(sum(&person), TEAMS * BALANCE);
    assert_int_equal(club_task_count(person.session, NULL, &count), VARVE_OK);
    assert_int_equal(count, town->transfers);
    varve_session_close(person.session);
    print_message(
        "%lld transfers, %lld snapshots, %lld interrupted calls\n", town->transfers,
        town->snapshots, town->interrupts);
    assert_true(town->transfers > 10 && town->snapshots > 10 && town->interrupts > 0);
}

static void
remove_town(struct town *town)
{
    static const char *const files[] = {
        "/varve.db", "/varve.db-wal", "/varve.db-shm", "/varve.lock", ""};
    varve_close(town->store);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[96];
        snprintf(path, sizeof path, "%s%s", town->folder, files[i]);
        remove(path);
    }
}

static void
test_threads_with_sessions_of_their_own_see_whole_transactions(void **state)
{
    (void)state;
    static struct town town = {
        .folder = "/tmp/varve-test-XXXXXX", .lock = PTHREAD_MUTEX_INITIALIZER};
    struct person people[THREADS];
    pthread_t threads[THREADS];
    struct timespec duration = {.tv_sec = (time_t)number_from_env("VARVE_TEST_SECONDS", SECONDS)};
    assert_non_null(mkdtemp(town.folder));
    found_town(&town);
    for (size_t i = 0; i < THREADS; i++) {
        people[i] = (struct person){.town = &town, .index = i, .random = {i}};
        assert_int_equal(pthread_create(&threads[i], NULL, live, &people[i]), 0);
    }
    nanosleep(&duration, NULL);
    town.is_over = true;
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    check_town(&town);
    remove_town(&town);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_with_sessions_of_their_own_see_whole_transactions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
