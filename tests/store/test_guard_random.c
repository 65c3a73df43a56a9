/* Threads read and write a store while another process migrates it, again and again: compatible steps
 * first, then two that swap names. Every value betrays the column it stands in, so whatever a call gives is
 * right, or it is VARVE_SCHEMA; and after the second swap all that was written is right.
 * VARVE_TEST_SECONDS lengthens the run; VARVE_TEST_SEED repeats one. */
#define _POSIX_C_SOURCE 200809L /* nanosleep */

#include "moved_support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "random.h"

enum {
    THREADS = 4,
    SECONDS = 3,
    RECORDS = 20,
};

static void
pause_us(long duration)
{
    struct timespec time = {.tv_nsec = duration * 1000};
    nanosleep(&time, NULL);
}

/* -------------------------------------------------------------------- the other process */

/* The steps it takes on command. */
static const struct {
    char command;
    const struct moved_step *step;
} orders[] = {{'n', &moved_nothing}, {'r', &moved_reads_nothing}, {'s', &moved_swap}};

struct other {
    pid_t process;
    int commands, answers;
};

/* Reads the path of a database, then a command at a time; 'q' closes it. */
static void
obey(int commands, int answers)
{
    char path[96], command;
    while (read(commands, path, sizeof path) == (ssize_t)sizeof path) {
        struct moved moved = {.steps = 1};
        bool fine = sqlite3_open(path, &moved.other) == SQLITE_OK;
        sqlite3_busy_timeout(moved.other, 60000);
        while (fine && read(commands, &command, 1) == 1 && command != 'q') {
            for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
                if (orders[i].command == command)
                    moved_migrate(&moved, orders[i].step);
            }
            fine = write(answers, &command, 1) == 1;
        }
        sqlite3_close(moved.other);
        if (!fine || write(answers, &command, 1) != 1)
            return;
    }
}

static void
start_other(struct other *other)
{
    int commands[2], answers[2];
    assert_int_equal(pipe(commands), 0);
    assert_int_equal(pipe(answers), 0);
    other->process = fork();
    assert_true(other->process >= 0);
    if (other->process == 0) {
        close(commands[1]);
        close(answers[0]);
        obey(commands[0], answers[1]);
        _exit(0);
    }
    close(commands[0]);
    close(answers[1]);
    other->commands = commands[1];
    other->answers = answers[0];
}

static void
tell(const struct other *other, char command)
{
    char answer = 0;
    assert_int_equal(write(other->commands, &command, 1), 1);
    assert_int_equal(read(other->answers, &answer, 1), 1);
    assert_int_equal(answer, command);
}

static void
end_other(const struct other *other)
{
    int status;
    close(other->commands);
    close(other->answers);
    assert_int_equal(waitpid(other->process, &status, 0), other->process);
    assert_int_equal(status, 0);
}

/* -------------------------------------------------------------------- this one's threads */

struct round {
    struct moved *moved;
    atomic_bool is_over;
    atomic_int ready; /* workers */
    atomic_llong done, refused;
    pthread_mutex_t lock; /* of what follows */
    char problem[600];    /* the first one */
};

struct worker {
    struct round *round;
    struct random random;
    struct varve_session *session;
    bool only_reads; /* one that writes waits for the migration, and meets it with the write */
    bool refused;    /* a read of this session was */
};

/* Threads cannot use cmocka's assertions. */
static void
expect(struct worker *worker, bool holds, const char *what)
{
    struct round *round = worker->round;
    if (holds)
        return;
    pthread_mutex_lock(&round->lock);
    if (!*round->problem)
        snprintf(
            round->problem, sizeof round->problem, "%s: %s", what,
            varve_session_error(worker->session));
    pthread_mutex_unlock(&round->lock);
    round->is_over = true;
}

static void
expect_item(struct worker *worker, const struct moved_item *item, const char *what)
{
    expect(worker, moved_item_is_right(item), what);
}

/* Fills an item with values that no other has; the texts have 32 bytes each. */
static void
make_item(struct moved_item *item, char *code, char *title)
{
    static atomic_llong last = 1000;
    int64_t number = ++last;
    moved_item_init(item);
    snprintf(code, 32, "code w%lld", (long long)number);
    snprintf(title, 32, "title w%lld", (long long)number);
    item->code = code;
    item->title = title;
    item->even = number * 2;
    item->odd = number * 2 + 1;
}

static int64_t
any_id(struct worker *worker)
{
    return 1 + (int64_t)random_below(&worker->random, RECORDS);
}

enum {
    WRITES = 6, /* kinds */
    READS = 4,
};

static enum varve_status
write_one(struct worker *worker, size_t kind)
{
    static const enum moved_item_field fields[] = {MOVED_ITEM_FIELD_ODD, MOVED_ITEM_FIELD_CODE};
    struct varve_session *session = worker->session;
    struct moved_item items[2];
    char texts[4][32];
    make_item(&items[0], texts[0], texts[1]);
    make_item(&items[1], texts[2], texts[3]);
    switch (kind) {
    case 0:
        return moved_item_insert(session, &items[0]);
    case 1:
        return moved_item_insert_many(session, items, 2);
    case 2:
        items[0].id = any_id(worker);
        return moved_item_update(session, &items[0]);
    case 3:
        items[0].id = any_id(worker);
        return moved_item_update_fields(session, &items[0], fields, 2);
    case 4:
        items[0].id = any_id(worker);
        return moved_item_upsert(session, &items[0]);
    default:
        return moved_item_upsert_by(session, &items[0], MOVED_ITEM_FIELD_CODE);
    }
}

static enum varve_status
read_one(struct worker *worker, bool by_key)
{
    struct moved_item *item = NULL;
    char code[32];
    snprintf(code, sizeof code, "code %lld", (long long)(RECORDS + any_id(worker)));
    enum varve_status status = by_key ? moved_item_get(worker->session, any_id(worker), &item)
                                      : moved_item_get_by_code(worker->session, code, &item);
    if (status == VARVE_OK)
        expect_item(worker, item, "get");
    moved_item_free(item);
    return status;
}

static enum varve_status
read_many(struct worker *worker)
{
    const int64_t ids[] = {any_id(worker), any_id(worker)};
    struct moved_item **items;
    enum varve_status status = moved_item_get_many(worker->session, ids, 2, &items);
    for (size_t i = 0; i < 2 && status == VARVE_OK; i++)
        expect_item(worker, items[i], "get_many");
    moved_item_free_many(items);
    return status;
}

static enum varve_status
walk(struct worker *worker)
{
    struct varve_cursor *cursor;
    const struct moved_item *item;
    struct moved_item_filter filter = {.limit = 30, .order_by = MOVED_ITEM_FIELD_EVEN};
    if (random_one_in(&worker->random, 2))
        filter.odd = varve_int64_equals(4); /* there is none in odd */
    enum varve_status status = moved_item_find(worker->session, &filter, &cursor);
    if (status != VARVE_OK)
        return status;
    while ((status = moved_item_next(cursor, &item)) == VARVE_ROW)
        expect_item(worker, item, "find");
    varve_cursor_close(cursor);
    return status == VARVE_DONE ? VARVE_OK : status;
}

static enum varve_status
read_kind(struct worker *worker, size_t kind)
{
    switch (kind) {
    case 0:
    case 1:
        return read_one(worker, kind == 0);
    case 2:
        return read_many(worker);
    default:
        return walk(worker);
    }
}

static enum varve_status
any_call(struct worker *worker, bool writes)
{
    return writes ? write_one(worker, random_below(&worker->random, WRITES))
                  : read_kind(worker, random_below(&worker->random, READS));
}

static enum varve_status
in_transaction(struct worker *worker, bool writes)
{
    struct varve_session *session = worker->session;
    enum varve_status status = writes ? varve_begin(session) : varve_begin_read(session);
    if (status != VARVE_OK)
        return status;
    for (int i = 0; i < 3; i++) {
        status = any_call(worker, writes && i % 2);
        expect(worker, status == VARVE_OK, "in a transaction");
    }
    expect(worker, varve_commit(session) == VARVE_OK, "commit");
    return status;
}

static void
work_once(struct worker *worker)
{
    struct round *round = worker->round;
    bool writes = !worker->only_reads && random_one_in(&worker->random, 3);
    enum varve_status status;
    if (random_one_in(&worker->random, 4))
        status = in_transaction(worker, writes);
    else
        status = any_call(worker, writes);
    expect(worker, status == VARVE_OK || status == VARVE_SCHEMA, "a call");
    expect(worker, status != VARVE_OK || !worker->refused, "a call after one that was refused");
    if (status == VARVE_OK)
        round->done++;
    else
        round->refused++;
    worker->refused = worker->refused || (status == VARVE_SCHEMA && !writes);
}

/* Opens a session and has all its statements prepared, unless it is refused already. */
static void
open_session(struct worker *worker)
{
    enum varve_status status = varve_session_open(worker->round->moved->store, &worker->session);
    worker->refused = false;
    for (size_t i = 0; i < WRITES && status == VARVE_OK; i++)
        status = write_one(worker, i);
    for (size_t i = 0; i < READS && status == VARVE_OK; i++)
        status = read_kind(worker, i);
    expect(worker, status == VARVE_OK || status == VARVE_SCHEMA, "the first calls");
}

static void *
work(void *context)
{
    struct worker *worker = context;
    open_session(worker);
    worker->round->ready++;
    while (!worker->round->is_over) {
        work_once(worker);
        if (random_one_in(&worker->random, 2))
            pause_us(100);
        if (random_one_in(&worker->random, 50)) {
            varve_session_close(worker->session);
            open_session(worker);
        }
    }
    varve_session_close(worker->session);
    return NULL;
}

/* -------------------------------------------------------------------- rounds */

/* Waits until the workers have made up to so many calls, and some microseconds. */
static void
let_work(struct round *round, struct random *random, size_t calls)
{
    long long end = round->done + round->refused + (long long)random_below(random, calls);
    while (round->done + round->refused < end && !round->is_over)
        pause_us(50);
    pause_us((long)random_below(random, 500));
}

/* Compatible steps, perhaps one that only readers bear, and two swaps. */
static void
migrate(const struct other *other, struct round *round, struct random *random)
{
    for (size_t i = random_below(random, 4); i > 0; i--) {
        let_work(round, random, 60);
        tell(other, 'n');
    }
    if (random_one_in(random, 3))
        tell(other, 'r');
    for (int i = 0; i < 2; i++) {
        let_work(round, random, 60);
        tell(other, 's');
    }
    let_work(round, random, 30);
}

static void
run_round(const struct other *other, struct moved *moved, struct random *random, int64_t counts[2])
{
    struct round round = {.moved = moved, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){
            .round = &round, .random = {random_bits(random)}, .only_reads = i % 2 == 0};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    while (round.ready < THREADS && !round.is_over)
        pause_us(100);
    migrate(other, &round, random);
    round.is_over = true;
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    if (*round.problem)
        fail_msg("%s", round.problem);
    assert_int_equal(moved_count_misplaced(moved), 0);
    counts[0] += round.done;
    counts[1] += round.refused;
    /* The names are as at first, and with this sessions that are opened take the schema for theirs. */
    moved_execute(
        moved, "DELETE FROM varve_migration WHERE number > 1; DELETE FROM item WHERE id > 60");
}

static void
start(const struct other *other, struct moved *moved)
{
    char path[96] = "";
    struct varve_config config = {
        .data_dir = moved->folder, .durability = VARVE_DURABILITY_NORMAL, .pooled_sessions = -1};
    varve_session_close(moved->session);
    varve_close(moved->store);
    assert_int_equal(varve_open(&moved->program.schema, &config, &moved->store, NULL), VARVE_OK);
    moved->session = NULL;
    sqlite3_busy_timeout(moved->other, 60000);
    snprintf(path, sizeof path, "%s/varve.db", moved->folder);
    assert_int_equal(write(other->commands, path, sizeof path), sizeof path);
}

static void
test_threads_never_misread_or_miswrite_while_another_process_swaps_names(void **state)
{
    (void)state;
    void *moved;
    struct other other;
    int64_t counts[2] = {0};
    uint64_t seed = number_from_env("VARVE_TEST_SEED", (uint64_t)time(NULL));
    time_t end = time(NULL) + (time_t)number_from_env("VARVE_TEST_SECONDS", SECONDS);
    struct random random = {seed};
    printf("seed %llu\n", (unsigned long long)seed);
    start_other(&other);
    assert_int_equal(moved_set_up(&moved), 0);
    start(&other, moved);
    do {
        run_round(&other, moved, &random, counts);
    } while (time(NULL) < end);
    tell(&other, 'q');
    end_other(&other);
    moved_tear_down(&moved);
    printf("%lld calls were done, %lld refused\n", (long long)counts[0], (long long)counts[1]);
    assert_true(counts[0] > 0 && counts[1] > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_never_misread_or_miswrite_while_another_process_swaps_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
