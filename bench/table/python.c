/* The sides of bench_table that are processes of Python: see python_table.py. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lab.varve.h> /* the DDL alone */

#include "common/folder.h"
#include "common/peer.h"
#include "table/sides.h"

/* NULL: a work that the reference class has no call for. */
struct verb {
    const char *module;
    const char *class_;
};

static const struct verb verbs[] = {
    [WORK_INSERT_MANY] = {"insert_many", NULL},
    [WORK_GET] = {"get", "get"},
    [WORK_GET_IN_READ] = {"get_in_read", NULL},
    [WORK_GET_READ_OURS] = {"get", "get"},
    [WORK_SCAN] = {"scan", "scan"},
    [WORK_FIND] = {"find", "find"},
    [WORK_COUNT] = {"count", "count"},
    [WORK_UPDATE] = {"update", "update"},
    [WORK_UPDATE_FIELDS] = {"update_fields", "update_fields"},
    [WORK_UPDATE_IN_BEGIN] = {"update_in_begin", NULL},
    [WORK_INSERT] = {"insert", "insert"},
    [WORK_INSERT_IN_BEGIN] = {"insert_in_begin", NULL},
};

static const char *const questions[] = {
    [QUESTION_ALL] = "all",   [QUESTION_GET] = "get",     [QUESTION_SCAN] = "scan",
    [QUESTION_FIND] = "find", [QUESTION_COUNT] = "count",
};

struct python {
    struct bench_peer *peer;
    struct bench_peer_work works[WORK_COUNT_OF];
    struct bench_peer_work fill;
};

static struct answer
ask(void *state, enum question question, size_t n)
{
    const struct python *python = state;
    struct answer answer;
    char line[64];
    snprintf(line, sizeof line, "ask_%s %zu", questions[question], n);
    const char *text = bench_peer_ask(python->peer, line);
    if (sscanf(text, "%" SCNu32 " %zu", &answer.crc, &answer.rows) != 2)
        bench_fail("Python answered \"%s\" to \"%s\"", text, line);
    return answer;
}

static void
close_python(void *state)
{
    struct python *python = state;
    bench_peer_stop(python->peer);
    free(python);
}

static struct bench_peer *
start(const struct setting *setting, const char *kind)
{
    char count[32], good[32];
    char *database = bench_folder_path(setting->folder, "python.db");
    const struct rows *rows = setting->rows;
    snprintf(count, sizeof count, "%zu,%zu,%zu", rows->count, rows->batch, rows->scan);
    snprintf(good, sizeof good, "%.17g", ROWS_GOOD_SCORE);
    const char *const command[] = {
        BENCH_PYTHON,
        BENCH_PYTHON_SCRIPT,
        kind,
        database,
        setting->full ? "FULL" : "NORMAL",
        rows->file,
        count,
        good,
        lab_episode_record.table->ddl,
        NULL,
    };
    struct bench_peer *peer = bench_peer_start(command);
    free(database);
    return peer;
}

void
python_open(const struct setting *setting, const char *name, const char *kind, struct side *side)
{
    struct python *python = calloc(1, sizeof *python);
    if (!python)
        bench_fail("out of memory");
    python->peer = start(setting, kind);
    python->fill = (struct bench_peer_work){python->peer, "fill"};
    *side = (struct side){
        .name = name,
        .ask = ask,
        .close = close_python,
        .state = python,
        .fill = {bench_peer_time, &python->fill},
    };
    for (size_t i = 0; i < WORK_COUNT_OF; i++) {
        bool module = strcmp(kind, "module") == 0;
        struct bench_peer_work *work = &python->works[i];
        *work = (struct bench_peer_work){python->peer, module ? verbs[i].module : verbs[i].class_};
        if (work->name)
            side->works[i] = (struct bench_side){bench_peer_time, work};
    }
}
