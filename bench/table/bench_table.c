/* bench_table: records in a table, against C on SQLite's own functions and against Python.
 *
 * For every counterpart and durability both sides start with a database of their own on the same
 * disk, fill it with the same rows, and must read back the same before anything but the fill is
 * measured, and again at the end, when both have done the same writes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/folder.h"
#include "table/sides.h"

enum counterpart {
    C_SAME_PRAGMAS,
    C_DEFAULT_PRAGMAS,
    PYTHON_MODULE,
    PYTHON_CLASS,
    COUNTERPART_COUNT,
};

static const char *const counterpart_names[] = {
    [C_SAME_PRAGMAS] = "C, same pragmas",
    [C_DEFAULT_PRAGMAS] = "C, default pragmas",
    [PYTHON_MODULE] = "Python sqlite3",
    [PYTHON_CLASS] = "Python class",
};

enum durability {
    FULL,
    NORMAL,
    DURABILITY_COUNT,
};

enum {
    ROWS_MOST = 10000000,
    ROUNDS_OF_WRITES = 11, /* long ones, with several checkpoints of each side */
};

/* How a work is measured. Both sides of a work that writes do it as often as the other. */
struct plan {
    const char *names[DURABILITY_COUNT]; /* NULL: not measured, it does not differ from FULL */
    double bars[COUNTERPART_COUNT];
    size_t operations[DURABILITY_COUNT]; /* of a round; 0: as many as take 20 ms */
    size_t slices;
    bool writes; /* commits and checkpoints make slices uneven */
};

static const struct plan plans[] = {
    [WORK_INSERT_MANY] =
        {.names = {"insert_many", "insert_many NORMAL"},
         .bars = {1.1},
         .operations = {ROWS_BATCHES, ROWS_BATCHES},
         .slices = ROWS_BATCHES,
         .writes = true},
    [WORK_GET] = {.names = {"get"}, .bars = {0.95, 1.3}},
    [WORK_GET_IN_READ] = {.names = {"get in begin_read"}, .bars = {0.95, 2}},
    [WORK_GET_READ_OURS] = {.names = {"get, ours in begin_read"}},
    [WORK_SCAN] = {.names = {"indexed scan"}, .bars = {0.95, 1.1}, .slices = 5},
    [WORK_FIND] = {.names = {"filtered find"}, .bars = {0.95}},
    [WORK_COUNT] = {.names = {"count"}},
    [WORK_UPDATE] =
        {.names = {"update", "update NORMAL"},
         .bars = {0.95},
         .operations = {1600, 4000},
         .slices = 10,
         .writes = true},
    [WORK_UPDATE_FIELDS] =
        {.names = {"update_fields", "update_fields NORMAL"},
         .operations = {1600, 4000},
         .slices = 10,
         .writes = true},
    [WORK_UPDATE_IN_BEGIN] =
        {.names = {"update in begin"}, .operations = {4000}, .slices = 10, .writes = true},
    [WORK_INSERT] =
        {.names = {"insert", "insert NORMAL"},
         .bars = {0.95},
         .operations = {1600, 4000},
         .slices = 10,
         .writes = true},
    [WORK_INSERT_IN_BEGIN] =
        {.names = {"insert in begin"}, .operations = {4000}, .slices = 10, .writes = true},
};

/* ------------------------------------------------------------------ both sides agree */

static struct answer
must_agree(const struct side *ours, const struct side *theirs, enum question question, size_t n)
{
    static const char *const whats[] = {
        [QUESTION_ALL] = "reading all", [QUESTION_GET] = "a get",     [QUESTION_SCAN] = "a scan",
        [QUESTION_FIND] = "a find",     [QUESTION_COUNT] = "a count",
    };
    struct answer left = ours->ask(ours->state, question, n);
    struct answer right = theirs->ask(theirs->state, question, n);
    if (left.crc != right.crc || left.rows != right.rows)
        bench_fail(
            "varve and %s differ in %s (%zu): %zu rows with checksum %08x, %zu with %08x",
            theirs->name, whats[question], n, left.rows, (unsigned)left.crc, right.rows,
            (unsigned)right.crc);
    return left;
}

static void
sides_must_agree(const struct rows *rows, const struct side *ours, const struct side *theirs)
{
    enum {
        SAMPLES = 20
    };
    struct answer all = must_agree(ours, theirs, QUESTION_ALL, 0);
    if (all.rows < rows->count)
        bench_fail("the tables have %zu rows, not %zu", all.rows, rows->count);
    must_agree(ours, theirs, QUESTION_COUNT, 0);
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t n = rows_pick(rows, i);
        must_agree(ours, theirs, QUESTION_GET, n);
        if (must_agree(ours, theirs, QUESTION_FIND, n).rows == 0)
            bench_fail("a find gives nothing");
        if (must_agree(ours, theirs, QUESTION_SCAN, rows_pick_scan(rows, i)).rows != rows->scan)
            bench_fail("a scan gives another number of rows than %zu", rows->scan);
    }
}

/* ------------------------------------------------------------------ measuring */

struct pair {
    struct bench_run *run;
    const struct rows *rows;
    enum counterpart counterpart;
    enum durability durability;
    struct side ours;
    struct side theirs;
};

static bool
wants(const struct bench_run *run, enum work work, enum durability durability)
{
    const char *name = plans[work].names[durability];
    return name && bench_run_wants(run, name);
}

static bool
wants_any(const struct bench_run *run, enum durability durability)
{
    bool any = false;
    for (size_t i = 0; i < WORK_COUNT_OF; i++)
        any = any || wants(run, (enum work)i, durability);
    return any;
}

/* With fewer rows fewer operations, for a quick run; some in each slice. */
static size_t
scaled(size_t operations, size_t rows, size_t slices)
{
    if (operations == 0 || operations == ROWS_BATCHES || rows >= ROWS_DEFAULT)
        return operations;
    size_t fewer = operations * rows / ROWS_DEFAULT;
    return fewer > slices ? fewer : slices;
}

static bool
measure(struct pair *pair, enum work which)
{
    const struct plan *plan = &plans[which];
    if (!wants(pair->run, which, pair->durability) || !pair->theirs.works[which].function)
        return false;
    bool many = which == WORK_INSERT_MANY, rows = many || which == WORK_SCAN;
    const struct bench_work work = {
        .name = plan->names[pair->durability],
        .counterpart = pair->theirs.name,
        .ours = pair->ours.works[which],
        .theirs = pair->theirs.works[which],
        .bar = plan->bars[pair->counterpart],
        .rate = rows ? "rows/s" : NULL,
        .amount = (double)(many ? pair->rows->batch : pair->rows->scan),
        .operations = scaled(plan->operations[pair->durability], pair->rows->count, plan->slices),
        .slices = plan->slices,
        .uneven = plan->writes,
        .rounds_max = plan->writes ? ROUNDS_OF_WRITES : 0,
    };
    bench_run_compare(pair->run, &work);
    return true;
}

/* Batch by batch, as insert_many is measured: so neither side is before the other on disk. */
static void
fill(const struct pair *pair)
{
    for (size_t i = 0; i < ROWS_BATCHES; i++) {
        pair->ours.fill.function(pair->ours.fill.context, 1);
        pair->theirs.fill.function(pair->theirs.fill.context, 1);
    }
}

static void
open_sides(struct pair *pair, const struct setting *setting)
{
    const char *name = counterpart_names[pair->counterpart];
    ours_open(setting, &pair->ours);
    char *pragmas = ours_pragmas(&pair->ours);
    if (pair->counterpart == C_SAME_PRAGMAS)
        hand_open(setting, name, pragmas, &pair->theirs);
    else if (pair->counterpart == C_DEFAULT_PRAGMAS)
        hand_open(setting, name, NULL, &pair->theirs);
    else if (pair->counterpart == PYTHON_MODULE)
        python_open(setting, name, "module", &pair->theirs);
    else
        python_open(setting, name, "class", &pair->theirs);
    free(pragmas);
}

/* All works against one counterpart, in a folder that is removed at the end. */
static void
compare(struct pair *pair, const char *parent)
{
    char *folder = bench_folder_path(parent, "pair");
    if (mkdir(folder, 0700) != 0)
        bench_fail("cannot make %s: %s", folder, strerror(errno));
    const struct setting setting = {pair->rows, folder, pair->durability == FULL};
    open_sides(pair, &setting);
    if (!measure(pair, WORK_INSERT_MANY))
        fill(pair);
    sides_must_agree(pair->rows, &pair->ours, &pair->theirs);
    for (size_t i = WORK_INSERT_MANY + 1; i < WORK_COUNT_OF; i++)
        measure(pair, (enum work)i);
    sides_must_agree(pair->rows, &pair->ours, &pair->theirs);
    side_close(&pair->theirs);
    side_close(&pair->ours);
    bench_folder_remove(folder);
    free(folder);
}

int
main(int argc, char **argv)
{
    const char *parent = BENCH_FOLDER, *count = NULL, *against = "";
    const struct bench_option options[] = {
        {"--dir", "FOLDER", "where the databases are made (default: in the build tree)", &parent},
        {"--rows", "N", "rows of the table (default 120000)", &count},
        {"--against", "TEXT", "only counterparts whose name begins with TEXT", &against},
    };
    struct bench_run run;
    struct rows rows;
    bench_run_begin_options(&run, argc, argv, options, sizeof options / sizeof *options);
    size_t number = count ? bench_parse_number("--rows", count, ROWS_MOST) : ROWS_DEFAULT;
    number = number < ROWS_LEAST ? ROWS_LEAST : number - number % ROWS_BATCHES;
    const char *folder = bench_folder_make(parent);
    rows_make(&rows, number, folder);
    for (size_t i = 0; i < DURABILITY_COUNT; i++) {
        for (size_t j = 0; j < COUNTERPART_COUNT; j++) {
            struct pair pair = {
                .run = &run,
                .rows = &rows,
                .counterpart = (enum counterpart)j,
                .durability = (enum durability)i,
            };
            bool chosen = strncmp(counterpart_names[j], against, strlen(against)) == 0;
            if (chosen && wants_any(&run, pair.durability))
                compare(&pair, folder);
        }
    }
    rows_free(&rows);
    return bench_run_end(&run);
}
