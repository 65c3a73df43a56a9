/* varve's side of bench_table. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lab.varve.h>

#include "common/folder.h"
#include "table/sides.h"

struct ours {
    struct setting setting;
    char *folder;
    struct varve_store *store;
    struct varve_session *session;
    struct lab_episode *batch; /* setting.rows->batch of them */
    struct progress progress;
};

static void
must(const struct ours *ours, enum varve_status status, const char *what)
{
    if (status != VARVE_OK)
        bench_fail("varve: %s: %s", what, varve_session_error(ours->session));
}

static struct lab_episode
record_of(const struct episode *episode)
{
    return (struct lab_episode){
        .base = PROTOBUF_C_MESSAGE_INIT(&lab_episode_descriptor),
        .id = episode->id,
        .occurred_at = episode->occurred_at,
        .experience = {episode->experience_size, (uint8_t *)(uintptr_t)episode->experience},
        .performance_score = episode->performance_score,
        .context_hash = episode->context_hash,
        .metadata = episode->metadata,
    };
}

static void
connect(struct ours *ours)
{
    const struct varve_config config = {
        .data_dir = ours->folder,
        .durability = ours->setting.full ? VARVE_DURABILITY_FULL : VARVE_DURABILITY_NORMAL,
    };
    struct varve_error error;
    if (varve_open(&lab_schema, &config, &ours->store, &error) != VARVE_OK)
        bench_fail("varve: open: %s", error.message);
    must(ours, varve_session_open(ours->store, &ours->session), "open a session");
}

static void
disconnect(struct ours *ours)
{
    varve_session_close(ours->session);
    varve_close(ours->store);
    bench_folder_remove(ours->folder);
}

/* ------------------------------------------------------------------ writing */

static uint64_t
insert_batch(struct ours *ours)
{
    struct progress *progress = &ours->progress;
    const struct rows *rows = ours->setting.rows;
    if (progress->inserted >= rows->count) {
        disconnect(ours);
        connect(ours);
        *progress = (struct progress){0};
    }
    for (size_t i = 0; i < rows->batch; i++) {
        struct episode episode = rows_episode(rows, progress->inserted++);
        ours->batch[i] = record_of(&episode);
    }
    uint64_t start = bench_now();
    must(
        ours, lab_episode_insert_many(ours->session, ours->batch, (int64_t)rows->batch),
        "insert_many");
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

static void
insert_one(struct ours *ours)
{
    struct episode episode = rows_episode(ours->setting.rows, ours->progress.inserted++);
    struct lab_episode record = record_of(&episode);
    must(ours, lab_episode_insert(ours->session, &record), "insert");
}

static uint64_t
insert(void *context, size_t operations)
{
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++)
        insert_one(context);
    return bench_now() - start;
}

static uint64_t
insert_in_begin(void *context, size_t operations)
{
    const struct ours *ours = context;
    uint64_t start = bench_now();
    must(ours, varve_begin(ours->session), "begin");
    insert(context, operations);
    must(ours, varve_commit(ours->session), "commit");
    return bench_now() - start;
}

static uint64_t
update(void *context, size_t operations)
{
    struct ours *ours = context;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        struct episode episode = rows_updated(ours->setting.rows, ours->progress.updated++);
        struct lab_episode record = record_of(&episode);
        must(ours, lab_episode_update(ours->session, &record), "update");
    }
    return bench_now() - start;
}

static uint64_t
update_fields(void *context, size_t operations)
{
    static const enum lab_episode_field fields[] = {
        LAB_EPISODE_FIELD_PERFORMANCE_SCORE, LAB_EPISODE_FIELD_METADATA};
    struct ours *ours = context;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        struct episode episode = rows_updated(ours->setting.rows, ours->progress.updated++);
        struct lab_episode record = record_of(&episode);
        must(
            ours, lab_episode_update_fields(ours->session, &record, fields, UPDATED_FIELDS),
            "update_fields");
    }
    return bench_now() - start;
}

static uint64_t
update_in_begin(void *context, size_t operations)
{
    const struct ours *ours = context;
    uint64_t start = bench_now();
    must(ours, varve_begin(ours->session), "begin");
    update(context, operations);
    must(ours, varve_commit(ours->session), "commit");
    return bench_now() - start;
}

/* ------------------------------------------------------------------ reading */

static struct episode
episode_of(const struct lab_episode *record)
{
    return (struct episode){
        .id = record->id,
        .occurred_at = record->occurred_at,
        .experience = record->experience.data,
        .experience_size = record->experience.size,
        .performance_score = record->performance_score,
        .context_hash = record->context_hash,
        .metadata = record->metadata,
    };
}

static struct lab_episode_filter
scan_filter(const struct rows *rows, size_t first)
{
    return (struct lab_episode_filter){
        .occurred_at = varve_int64_between(rows_time(first), rows_time(first + rows->scan - 1)),
        .order_by = LAB_EPISODE_FIELD_OCCURRED_AT,
    };
}

static struct lab_episode_filter
context_filter(const struct rows *rows, size_t row)
{
    return (struct lab_episode_filter){
        .context_hash = varve_text_equals(rows->rows[row].context_hash),
    };
}

static int64_t
count_good(struct ours *ours)
{
    const struct lab_episode_filter filter = {
        .performance_score = varve_double_at_least(ROWS_GOOD_SCORE),
    };
    int64_t count;
    must(ours, lab_episode_count(ours->session, &filter, &count), "count");
    return count;
}

static uint64_t
get(void *context, size_t operations)
{
    struct ours *ours = context;
    struct progress *progress = &ours->progress;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        struct lab_episode *record;
        int64_t id = (int64_t)rows_pick(ours->setting.rows, progress->picked++) + 1;
        must(ours, lab_episode_get(ours->session, id, &record), "get");
        progress->sum += record->id + record->context_hash[0];
        lab_episode_free(record);
    }
    return bench_now() - start;
}

static uint64_t
get_in_read(void *context, size_t operations)
{
    const struct ours *ours = context;
    uint64_t start = bench_now();
    must(ours, varve_begin_read(ours->session), "begin_read");
    get(context, operations);
    must(ours, varve_commit(ours->session), "commit");
    return bench_now() - start;
}

/* Adds what the filter finds to the progress' sum. */
static void
sum_up(struct ours *ours, const struct lab_episode_filter *filter)
{
    struct varve_cursor *cursor;
    const struct lab_episode *row;
    int64_t sum = 0;
    enum varve_status status;
    must(ours, lab_episode_find(ours->session, filter, &cursor), "find");
    while ((status = lab_episode_next(cursor, &row)) == VARVE_ROW)
        sum += row->id + row->context_hash[0];
    if (status != VARVE_DONE)
        must(ours, status, "next");
    varve_cursor_close(cursor);
    ours->progress.sum += sum;
}

static uint64_t
scan(void *context, size_t operations)
{
    struct ours *ours = context;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        const struct rows *rows = ours->setting.rows;
        size_t first = rows_pick_scan(rows, ours->progress.picked++);
        const struct lab_episode_filter filter = scan_filter(rows, first);
        sum_up(ours, &filter);
    }
    return bench_now() - start;
}

static uint64_t
find(void *context, size_t operations)
{
    struct ours *ours = context;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        const struct rows *rows = ours->setting.rows;
        size_t row = rows_pick(rows, ours->progress.picked++);
        const struct lab_episode_filter filter = context_filter(rows, row);
        sum_up(ours, &filter);
    }
    return bench_now() - start;
}

static uint64_t
count(void *context, size_t operations)
{
    struct ours *ours = context;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++)
        ours->progress.sum += count_good(ours);
    return bench_now() - start;
}

/* ------------------------------------------------------------------ answers */

static struct answer
answer_find(struct ours *ours, const struct lab_episode_filter *filter)
{
    struct answer answer = {0};
    struct varve_cursor *cursor;
    const struct lab_episode *row;
    must(ours, lab_episode_find(ours->session, filter, &cursor), "find");
    while (lab_episode_next(cursor, &row) == VARVE_ROW) {
        struct episode episode = episode_of(row);
        rows_answer(&answer, &episode);
    }
    varve_cursor_close(cursor);
    return answer;
}

static struct answer
answer_get(struct ours *ours, size_t n)
{
    struct answer answer = {0};
    struct lab_episode *record;
    must(ours, lab_episode_get(ours->session, (int64_t)n + 1, &record), "get");
    struct episode episode = episode_of(record);
    rows_answer(&answer, &episode);
    lab_episode_free(record);
    return answer;
}

static struct answer
ask(void *state, enum question question, size_t n)
{
    struct ours *ours = state;
    const struct rows *rows = ours->setting.rows;
    const struct lab_episode_filter range = scan_filter(rows, n);
    const struct lab_episode_filter context = context_filter(rows, n);
    switch (question) {
    case QUESTION_GET:
        return answer_get(ours, n);
    case QUESTION_SCAN:
        return answer_find(ours, &range);
    case QUESTION_FIND:
        return answer_find(ours, &context);
    case QUESTION_COUNT:
        return (struct answer){.rows = (size_t)count_good(ours)};
    default:
        return answer_find(ours, NULL);
    }
}

/* ------------------------------------------------------------------ opening */

static void
close_ours(void *state)
{
    struct ours *ours = state;
    disconnect(ours);
    free(ours->batch);
    free(ours->folder);
    free(ours);
}

void
ours_open(const struct setting *setting, struct side *side)
{
    struct ours *ours = calloc(1, sizeof *ours);
    struct lab_episode *batch = calloc(setting->rows->batch, sizeof *batch);
    if (!ours || !batch)
        bench_fail("out of memory");
    *ours = (struct ours){
        .setting = *setting,
        .folder = bench_folder_path(setting->folder, "varve"),
        .batch = batch,
    };
    connect(ours);
    *side = (struct side){
        .name = "varve",
        .ask = ask,
        .close = close_ours,
        .state = ours,
        .fill = {insert_many, ours},
        .works =
            {
                [WORK_INSERT_MANY] = {insert_many, ours},
                [WORK_GET] = {get, ours},
                [WORK_GET_IN_READ] = {get_in_read, ours},
                [WORK_GET_READ_OURS] = {get_in_read, ours},
                [WORK_SCAN] = {scan, ours},
                [WORK_FIND] = {find, ours},
                [WORK_COUNT] = {count, ours},
                [WORK_UPDATE] = {update, ours},
                [WORK_UPDATE_FIELDS] = {update_fields, ours},
                [WORK_UPDATE_IN_BEGIN] = {update_in_begin, ours},
                [WORK_INSERT] = {insert, ours},
                [WORK_INSERT_IN_BEGIN] = {insert_in_begin, ours},
            },
    };
}

/* Adds "PRAGMA name = value;" as the connection has it. */
static void
add_pragma(sqlite3 *database, const char *name, FILE *text)
{
    char sql[64];
    sqlite3_stmt *statement;
    snprintf(sql, sizeof sql, "PRAGMA %s", name);
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK)
        bench_fail("%s: %s", sql, sqlite3_errmsg(database));
    if (sqlite3_step(statement) == SQLITE_ROW)
        fprintf(text, "%s = %s;\n", sql, (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
}

char *
ours_pragmas(const struct side *side)
{
    /* page_size and auto_vacuum must come before the first table and before journal_mode. */
    static const char *const names[] = {
        "page_size",      "auto_vacuum",        "journal_mode",    "synchronous",
        "cache_size",     "cache_spill",        "mmap_size",       "wal_autocheckpoint",
        "foreign_keys",   "journal_size_limit", "temp_store",      "secure_delete",
        "trusted_schema", "cell_size_check",    "automatic_index", "checkpoint_fullfsync",
    };
    struct ours *ours = side->state;
    count_good(ours); /* the first call gives the connection its part of the page cache */
    sqlite3 *database = varve_session_sqlite(ours->session);
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        bench_fail("out of memory");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        add_pragma(database, names[i], stream);
    if (fclose(stream) != 0)
        bench_fail("out of memory");
    return text;
}
