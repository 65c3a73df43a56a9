/* The side of bench_table that is written by hand in C on SQLite's own functions, the way one would
 * write it for speed: a connection without mutex, every statement prepared once, values bound and
 * read in place, one block for a record that is got. */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include <lab.varve.h> /* the DDL alone */

#include "common/folder.h"
#include "table/sides.h"

#define COLUMNS "id, occurred_at, experience, performance_score, context_hash, metadata"

enum statement {
    BEGIN,
    BEGIN_IMMEDIATE,
    COMMIT,
    INSERT,
    GET,
    UPDATE,
    UPDATE_FIELDS,
    SCAN,
    FIND,
    COUNT,
    ALL,
    STATEMENT_COUNT,
};

static const char *const texts[] = {
    [BEGIN] = "BEGIN",
    [BEGIN_IMMEDIATE] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [INSERT] = "INSERT INTO episode (occurred_at, experience, performance_score, context_hash,"
               " metadata) VALUES (?, ?, ?, ?, ?)",
    [GET] = "SELECT " COLUMNS " FROM episode WHERE id = ?",
    [UPDATE] = "UPDATE episode SET occurred_at = ?, experience = ?, performance_score = ?,"
               " context_hash = ?, metadata = ? WHERE id = ?",
    [UPDATE_FIELDS] = "UPDATE episode SET performance_score = ?, metadata = ? WHERE id = ?",
    [SCAN] = "SELECT " COLUMNS " FROM episode WHERE occurred_at BETWEEN ? AND ?"
             " ORDER BY occurred_at",
    [FIND] = "SELECT " COLUMNS " FROM episode WHERE context_hash = ? ORDER BY id",
    [COUNT] = "SELECT count(*) FROM episode WHERE performance_score >= ?",
    [ALL] = "SELECT " COLUMNS " FROM episode ORDER BY id",
};

struct hand {
    struct setting setting;
    const char *name;
    char *pragmas; /* NULL: SQLite's own */
    sqlite3 *database;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    struct episode *batch;
    struct progress progress;
};

static _Noreturn void
fail(const struct hand *hand, const char *what)
{
    bench_fail("%s: %s: %s", hand->name, what, sqlite3_errmsg(hand->database));
}

static void
execute(struct hand *hand, const char *sql)
{
    if (sqlite3_exec(hand->database, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail(hand, sql);
}

/* Runs a statement that gives no rows. */
static void
run(struct hand *hand, enum statement which)
{
    sqlite3_stmt *statement = hand->statements[which];
    if (sqlite3_step(statement) != SQLITE_DONE)
        fail(hand, texts[which]);
    sqlite3_reset(statement);
}

static void
connect(struct hand *hand)
{
    char *path = bench_folder_path(hand->setting.folder, "by_hand.db");
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    bench_folder_remove(path);
    if (sqlite3_open_v2(path, &hand->database, flags, NULL) != SQLITE_OK)
        fail(hand, path);
    free(path);
    if (hand->pragmas)
        execute(hand, hand->pragmas);
    execute(hand, "PRAGMA journal_mode = WAL");
    execute(hand, hand->setting.full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    execute(hand, lab_episode_record.table->ddl);
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        if (sqlite3_prepare_v3(
                hand->database, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &hand->statements[i],
                NULL) != SQLITE_OK)
            fail(hand, texts[i]);
    }
}

static void
disconnect(struct hand *hand)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(hand->statements[i]);
    if (sqlite3_close(hand->database) != SQLITE_OK)
        fail(hand, "close");
}

/* ------------------------------------------------------------------ writing */

/* Binds all columns but the id to the parameters from 1. */
static void
bind_episode(sqlite3_stmt *statement, const struct episode *episode)
{
    sqlite3_bind_int64(statement, 1, episode->occurred_at);
    sqlite3_bind_blob64(statement, 2, episode->experience, episode->experience_size, SQLITE_STATIC);
    sqlite3_bind_double(statement, 3, episode->performance_score);
    sqlite3_bind_text(statement, 4, episode->context_hash, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 5, episode->metadata, -1, SQLITE_STATIC);
}

static void
insert_episode(struct hand *hand, struct episode *episode)
{
    bind_episode(hand->statements[INSERT], episode);
    run(hand, INSERT);
    episode->id = sqlite3_last_insert_rowid(hand->database);
}

static void
update_episode(struct hand *hand, const struct episode *episode)
{
    bind_episode(hand->statements[UPDATE], episode);
    sqlite3_bind_int64(hand->statements[UPDATE], 6, episode->id);
    run(hand, UPDATE);
    if (sqlite3_changes(hand->database) != 1)
        fail(hand, "no such episode");
}

static void
update_some_fields(struct hand *hand, const struct episode *episode)
{
    sqlite3_stmt *statement = hand->statements[UPDATE_FIELDS];
    sqlite3_bind_double(statement, 1, episode->performance_score);
    sqlite3_bind_text(statement, 2, episode->metadata, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, episode->id);
    run(hand, UPDATE_FIELDS);
    if (sqlite3_changes(hand->database) != 1)
        fail(hand, "no such episode");
}

static uint64_t
insert_batch(struct hand *hand)
{
    struct progress *progress = &hand->progress;
    const struct rows *rows = hand->setting.rows;
    if (progress->inserted >= rows->count) {
        disconnect(hand);
        connect(hand);
        *progress = (struct progress){0};
    }
    for (size_t i = 0; i < rows->batch; i++)
        hand->batch[i] = rows_episode(rows, progress->inserted++);
    uint64_t start = bench_now();
    run(hand, BEGIN_IMMEDIATE);
    for (size_t i = 0; i < rows->batch; i++)
        insert_episode(hand, &hand->batch[i]);
    run(hand, COMMIT);
    return bench_now() - start;
}

static uint64_t
insert_many(void *context, size_t operations)
{
    uint64_t time = 0;
    for (size_t i = 0; i < operations; i++)
        time += insert_batch(context);
    return time;
}

static uint64_t
insert(void *context, size_t operations)
{
    struct hand *hand = context;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        struct episode episode = rows_episode(hand->setting.rows, hand->progress.inserted++);
        insert_episode(hand, &episode);
    }
    return bench_now() - start;
}

static uint64_t
insert_in_begin(void *context, size_t operations)
{
    uint64_t start = bench_now();
    run(context, BEGIN_IMMEDIATE);
    insert(context, operations);
    run(context, COMMIT);
    return bench_now() - start;
}

static uint64_t
update(void *context, size_t operations)
{
    struct hand *hand = context;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        struct episode episode = rows_updated(hand->setting.rows, hand->progress.updated++);
        update_episode(hand, &episode);
    }
    return bench_now() - start;
}

static uint64_t
update_fields(void *context, size_t operations)
{
    struct hand *hand = context;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        struct episode episode = rows_updated(hand->setting.rows, hand->progress.updated++);
        update_some_fields(hand, &episode);
    }
    return bench_now() - start;
}

static uint64_t
update_in_begin(void *context, size_t operations)
{
    uint64_t start = bench_now();
    run(context, BEGIN_IMMEDIATE);
    update(context, operations);
    run(context, COMMIT);
    return bench_now() - start;
}

/* ------------------------------------------------------------------ reading */

/* Reads the row that the statement stands on. Text and blob are SQLite's, until the next step. */
static void
read_row(sqlite3_stmt *statement, struct episode *episode)
{
    episode->id = sqlite3_column_int64(statement, 0);
    episode->occurred_at = sqlite3_column_int64(statement, 1);
    episode->experience = sqlite3_column_blob(statement, 2);
    episode->experience_size = (size_t)sqlite3_column_bytes(statement, 2);
    episode->performance_score = sqlite3_column_double(statement, 3);
    episode->context_hash = (const char *)sqlite3_column_text(statement, 4);
    episode->metadata = (const char *)sqlite3_column_text(statement, 5);
}

/* A copy of a row in one block: release it with free(). */
static struct episode *
copy_row(sqlite3_stmt *statement)
{
    struct episode row;
    read_row(statement, &row);
    size_t hash_size = (size_t)sqlite3_column_bytes(statement, 4) + 1;
    size_t metadata_size = (size_t)sqlite3_column_bytes(statement, 5) + 1;
    struct episode *copy = malloc(sizeof *copy + row.experience_size + hash_size + metadata_size);
    if (!copy)
        bench_fail("out of memory");
    char *experience = (char *)(copy + 1);
    char *hash = experience + row.experience_size;
    char *metadata = hash + hash_size;
    memcpy(experience, row.experience, row.experience_size);
    memcpy(hash, row.context_hash, hash_size);
    memcpy(metadata, row.metadata, metadata_size);
    *copy = row;
    copy->experience = experience;
    copy->context_hash = hash;
    copy->metadata = metadata;
    return copy;
}

static struct episode *
get_episode(struct hand *hand, int64_t id)
{
    sqlite3_stmt *statement = hand->statements[GET];
    sqlite3_bind_int64(statement, 1, id);
    if (sqlite3_step(statement) != SQLITE_ROW)
        fail(hand, "get");
    struct episode *episode = copy_row(statement);
    sqlite3_reset(statement);
    return episode;
}

/* The next row of a statement; false, and the statement is reset, when there is none. */
static bool
next_row(struct hand *hand, enum statement which, struct episode *row)
{
    sqlite3_stmt *statement = hand->statements[which];
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        read_row(statement, row);
        return true;
    }
    if (code != SQLITE_DONE)
        fail(hand, texts[which]);
    sqlite3_reset(statement);
    return false;
}

static void
bind_scan(struct hand *hand, size_t first)
{
    size_t last = first + hand->setting.rows->scan - 1;
    sqlite3_bind_int64(hand->statements[SCAN], 1, rows_time(first));
    sqlite3_bind_int64(hand->statements[SCAN], 2, rows_time(last));
}

static void
bind_find(struct hand *hand, size_t row)
{
    const char *hash = hand->setting.rows->rows[row].context_hash;
    sqlite3_bind_text(hand->statements[FIND], 1, hash, -1, SQLITE_STATIC);
}

static int64_t
count_good(struct hand *hand)
{
    sqlite3_stmt *statement = hand->statements[COUNT];
    sqlite3_bind_double(statement, 1, ROWS_GOOD_SCORE);
    if (sqlite3_step(statement) != SQLITE_ROW)
        fail(hand, "count");
    int64_t count = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return count;
}

static uint64_t
get(void *context, size_t operations)
{
    struct hand *hand = context;
    struct progress *progress = &hand->progress;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        size_t row = rows_pick(hand->setting.rows, progress->picked++);
        struct episode *episode = get_episode(hand, (int64_t)row + 1);
        progress->sum += episode->id + episode->context_hash[0];
        free(episode);
    }
    return bench_now() - start;
}

static uint64_t
get_in_read(void *context, size_t operations)
{
    uint64_t start = bench_now();
    run(context, BEGIN);
    get(context, operations);
    run(context, COMMIT);
    return bench_now() - start;
}

/* Adds the rows of a statement to the progress' sum. */
static void
sum_up(struct hand *hand, enum statement which)
{
    struct episode row;
    int64_t sum = 0;
    while (next_row(hand, which, &row))
        sum += row.id + row.context_hash[0];
    hand->progress.sum += sum;
}

static uint64_t
scan(void *context, size_t operations)
{
    struct hand *hand = context;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        bind_scan(hand, rows_pick_scan(hand->setting.rows, hand->progress.picked++));
        sum_up(hand, SCAN);
    }
    return bench_now() - start;
}

static uint64_t
find(void *context, size_t operations)
{
    struct hand *hand = context;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        bind_find(hand, rows_pick(hand->setting.rows, hand->progress.picked++));
        sum_up(hand, FIND);
    }
    return bench_now() - start;
}

static uint64_t
count(void *context, size_t operations)
{
    struct hand *hand = context;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++)
        hand->progress.sum += count_good(hand);
    return bench_now() - start;
}

/* ------------------------------------------------------------------ answers */

static struct answer
answer_rows(struct hand *hand, enum statement which)
{
    struct answer answer = {0};
    struct episode row;
    while (next_row(hand, which, &row))
        rows_answer(&answer, &row);
    return answer;
}

static struct answer
answer_get(struct hand *hand, size_t n)
{
    struct answer answer = {0};
    struct episode *episode = get_episode(hand, (int64_t)n + 1);
    rows_answer(&answer, episode);
    free(episode);
    return answer;
}

static struct answer
ask(void *state, enum question question, size_t n)
{
    struct hand *hand = state;
    switch (question) {
    case QUESTION_GET:
        return answer_get(hand, n);
    case QUESTION_SCAN:
        bind_scan(hand, n);
        return answer_rows(hand, SCAN);
    case QUESTION_FIND:
        bind_find(hand, n);
        return answer_rows(hand, FIND);
    case QUESTION_COUNT:
        return (struct answer){.rows = (size_t)count_good(hand)};
    default:
        return answer_rows(hand, ALL);
    }
}

/* ------------------------------------------------------------------ opening */

static void
close_hand(void *state)
{
    struct hand *hand = state;
    disconnect(hand);
    free(hand->pragmas);
    free(hand->batch);
    free(hand);
}

void
hand_open(const struct setting *setting, const char *name, const char *pragmas, struct side *side)
{
    struct hand *hand = calloc(1, sizeof *hand);
    struct episode *batch = calloc(setting->rows->batch, sizeof *batch);
    char *kept = pragmas ? strdup(pragmas) : NULL;
    if (!hand || !batch || (pragmas && !kept))
        bench_fail("out of memory");
    *hand = (struct hand){.setting = *setting, .name = name, .pragmas = kept, .batch = batch};
    connect(hand);
    *side = (struct side){
        .name = name,
        .ask = ask,
        .close = close_hand,
        .state = hand,
        .fill = {insert_many, hand},
        .works =
            {
                [WORK_INSERT_MANY] = {insert_many, hand},
                [WORK_GET] = {get, hand},
                [WORK_GET_IN_READ] = {get_in_read, hand},
                [WORK_GET_READ_OURS] = {get, hand},
                [WORK_SCAN] = {scan, hand},
                [WORK_FIND] = {find, hand},
                [WORK_COUNT] = {count, hand},
                [WORK_UPDATE] = {update, hand},
                [WORK_UPDATE_FIELDS] = {update_fields, hand},
                [WORK_UPDATE_IN_BEGIN] = {update_in_begin, hand},
                [WORK_INSERT] = {insert, hand},
                [WORK_INSERT_IN_BEGIN] = {insert_in_begin, hand},
            },
    };
}
