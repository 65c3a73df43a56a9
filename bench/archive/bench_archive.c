/* bench_archive: tensors in the archive, against C on libhdf5 and against h5py in the manner of the
 * program that varve replaces.
 *
 * For each counterpart both sides store the same matrix, or the same spike trains, in folders on the same
 * disk, and must read back what was stored before anything is measured.
 */
#include <stdio.h>
#include <string.h>

#include "archive/sides.h"
#include "common/folder.h"

enum {
    SIDE_MOST = 16384,
    TRAINS_MOST = 10000000,
    TRAINS_FILED = 2000, /* at most, for Python */
    NAME_SIZE = 48,
    NAMES_MOST = 64
};

enum counterpart {
    HDF5_IN_C,
    H5PY,
    COUNTERPART_COUNT,
};

static const char *const counterpart_names[] = {[HDF5_IN_C] = "HDF5 in C", [H5PY] = "h5py"};

/* What the command line says. */
struct options {
    const char *folder;
    const char *against; /* only counterparts whose name begins so */
    size_t side;         /* of the matrices */
    size_t trains;
};

static bool
wants_counterpart(const struct options *options, enum counterpart counterpart)
{
    return strncmp(counterpart_names[counterpart], options->against, strlen(options->against)) == 0;
}

/* ------------------------------------------------------------------ matrices */

enum matrix_work {
    WORK_WRITE,
    WORK_GET,
    WORK_READ,
    WORK_SLICE,
    WORK_SIZE,
    WORK_COUNT_OF,
};

static const char *const verbs[] = {
    [WORK_WRITE] = "write", [WORK_GET] = "get",      [WORK_READ] = "read",
    [WORK_SLICE] = "slice", [WORK_SIZE] = "file of",
};
static const char *const kinds[] = {
    [MATRIX_NOISE] = "noise", [MATRIX_SAMPLES] = "samples", [MATRIX_SPARSE] = "sparse"};
static const char *const filters[] = {
    [FILTER_LEVEL_1] = "level 1", [FILTER_LEVEL_4] = "level 4", [FILTER_PLAIN] = "plain"};

/* What is measured of a matrix, and how far varve is to come. */
struct plan {
    enum counterpart counterpart;
    enum filter filter;
    bool works[WORK_COUNT_OF];
    double bars[WORK_COUNT_OF];
    unsigned writes; /* rounds of it, at most: they are slow */
    bool noise_only;
};

static const struct plan plans[] = {
    {.counterpart = HDF5_IN_C,
     .filter = FILTER_LEVEL_1,
     .works = {[WORK_WRITE] = true, [WORK_GET] = true, [WORK_READ] = true},
     .bars = {[WORK_WRITE] = 3.2, [WORK_GET] = 4, [WORK_READ] = 4},
     .writes = 9},
    {.counterpart = HDF5_IN_C,
     .filter = FILTER_LEVEL_4,
     .works = {true, true, true, true, true},
     .bars = {[WORK_WRITE] = 3.2, [WORK_GET] = 4, [WORK_READ] = 4},
     .writes = 9},
    {.counterpart = HDF5_IN_C,
     .filter = FILTER_PLAIN,
     .works = {true, true, true, true},
     .bars = {[WORK_WRITE] = 0.8},
     .writes = 25,
     .noise_only = true},
    {.counterpart = H5PY,
     .filter = FILTER_LEVEL_1,
     .works = {[WORK_WRITE] = true, [WORK_GET] = true, [WORK_SLICE] = true, [WORK_SIZE] = true},
     .bars = {[WORK_WRITE] = 15, [WORK_SIZE] = 1 / 1.05},
     .writes = 5},
};

enum {
    PLANS = sizeof plans / sizeof *plans
};

/* A plan with one matrix: its names live until the run ends. */
struct pair {
    const struct plan *plan;
    const struct matrix *matrix;
    struct matrix_side ours;
    struct matrix_side theirs;
};

static const char *
make_name(enum matrix_work work, enum matrix_kind kind, enum filter filter)
{
    static char names[NAMES_MOST][NAME_SIZE];
    static size_t count;
    if (count == NAMES_MOST)
        bench_fail("too many works");
    snprintf(names[count], NAME_SIZE, "%s %s %s", verbs[work], kinds[kind], filters[filter]);
    return names[count++];
}

static bool
wants(const struct bench_run *run, const struct plan *plan, enum matrix_kind kind)
{
    char name[NAME_SIZE];
    bool any = false;
    for (size_t i = 0; i < WORK_COUNT_OF; i++) {
        snprintf(name, sizeof name, "%s %s %s", verbs[i], kinds[kind], filters[plan->filter]);
        any = any || (plan->works[i] && bench_run_wants(run, name));
    }
    return any && !(plan->noise_only && kind != MATRIX_NOISE);
}

static struct bench_side
side_of(const struct matrix_side *side, enum matrix_work work)
{
    bench_function *const functions[] = {
        [WORK_WRITE] = side->write, [WORK_GET] = side->get,   [WORK_READ] = side->read,
        [WORK_SLICE] = side->slice, [WORK_SIZE] = side->size,
    };
    return (struct bench_side){functions[work], side->state};
}

static void
measure(struct bench_run *run, const struct pair *pair, enum matrix_work which)
{
    const struct plan *plan = pair->plan;
    bool slice = which == WORK_SLICE, size = which == WORK_SIZE;
    size_t bytes = slice ? matrix_band_size(pair->matrix) : matrix_size(pair->matrix);
    const struct bench_work work = {
        .name = make_name(which, pair->matrix->kind, plan->filter),
        .counterpart = pair->theirs.name,
        .ours = side_of(&pair->ours, which),
        .theirs = side_of(&pair->theirs, which),
        .bar = plan->bars[which],
        .rate = size ? NULL : "MiB/s",
        .unit = size ? "bytes" : NULL,
        .amount = (double)bytes / (1024 * 1024),
        .operations = slice ? 0 : 1,
        .rounds_max = size                  ? 1
                      : which == WORK_WRITE ? plan->writes
                                            : 0,
    };
    bench_run_compare(run, &work);
}

static void
must_hold(const struct matrix_side *side, const struct matrix *matrix)
{
    enum {
        SAMPLES = 5
    };
    if (side->crc(side->state) != matrix->crc)
        bench_fail("%s reads another matrix than was stored", side->name);
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t first = matrix_band(matrix, ~(uint64_t)i);
        if (side->band_crc(side->state, first) != matrix_band_crc(matrix, first))
            bench_fail("%s reads another band from row %zu than was stored", side->name, first);
    }
}

static void
compare(
    struct bench_run *run, const struct plan *plan, const struct matrix *matrix, const char *folder)
{
    const struct matrix_setting setting = {matrix, plan->filter, folder};
    struct pair pair = {.plan = plan, .matrix = matrix};
    ours_open_matrix(&setting, &pair.ours);
    if (plan->counterpart == HDF5_IN_C)
        hdf5_open_matrix(&setting, &pair.theirs);
    else
        python_open_matrix(&setting, &pair.theirs);
    pair.ours.write(pair.ours.state, 1);
    pair.theirs.write(pair.theirs.state, 1);
    must_hold(&pair.ours, matrix);
    must_hold(&pair.theirs, matrix);
    for (size_t i = 0; i < WORK_COUNT_OF; i++) {
        if (plan->works[i])
            measure(run, &pair, (enum matrix_work)i);
    }
    pair.theirs.close(pair.theirs.state);
    pair.ours.close(pair.ours.state);
}

static void
measure_matrices(struct bench_run *run, const struct options *options, enum matrix_kind kind)
{
    struct matrix matrix = {0};
    for (size_t i = 0; i < PLANS; i++) {
        const struct plan *plan = &plans[i];
        if (!wants(run, plan, kind) || !wants_counterpart(options, plan->counterpart))
            continue;
        if (!matrix.values)
            matrix_make(&matrix, kind, options->side, options->folder);
        compare(run, plan, &matrix, options->folder);
    }
    if (matrix.values)
        matrix_free(&matrix);
}

/* ------------------------------------------------------------------ spike trains */

enum trains_work {
    TRAINS_INSERT,
    TRAINS_ARCHIVE,
    TRAINS_COMPACT,
    TRAINS_GET,
    TRAINS_SIZE,
    TRAINS_COUNT_OF,
};

static const char *const trains_names[] = {
    [TRAINS_INSERT] = "insert_many trains", [TRAINS_ARCHIVE] = "insert and flush trains",
    [TRAINS_COMPACT] = "compact trains",    [TRAINS_GET] = "get train",
    [TRAINS_SIZE] = "size of a train",
};

static const double trains_bars[TRAINS_COUNT_OF][COUNTERPART_COUNT] = {
    [TRAINS_INSERT] = {[HDF5_IN_C] = 9, [H5PY] = 40},
    [TRAINS_GET] = {[H5PY] = 5},
};

static void
trains_must_hold(const struct trains_side *side, const struct trains *trains)
{
    enum {
        SAMPLES = 200
    };
    side->fill(side->state);
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t n = i == 0 ? side->held - 1 : trains_pick(side->held, ~(uint64_t)i);
        if (side->crc(side->state, n) != train_crc(&trains->trains[n]))
            bench_fail("%s reads another train %zu than was stored", side->name, n);
    }
}

/* What is measured of both sides' trains. A round of inserts is the whole growth of a store. */
static struct bench_work
trains_work(
    enum trains_work which,
    const struct trains *trains,
    const struct trains_side *ours,
    const struct trains_side *theirs)
{
    struct bench_work work = {.name = trains_names[which], .counterpart = theirs->name};
    bench_function *left = ours->get, *right = theirs->get;
    if (which == TRAINS_INSERT) {
        left = ours->insert, right = theirs->insert;
        work.rate = "records/s", work.amount = (double)trains->batch, work.uneven = true;
        work.operations = BATCHES, work.slices = BATCHES, work.rounds_max = 3;
    } else if (which == TRAINS_ARCHIVE) {
        left = ours->archive, right = theirs->archive;
        work.rate = "records/s", work.amount = (double)trains->count;
        work.operations = 1, work.rounds_max = 5;
    } else if (which == TRAINS_COMPACT) {
        left = ours->compact, right = theirs->compact;
        work.rate = "records/s", work.amount = (double)trains->count / TRAINS_KEPT;
        work.operations = 1, work.rounds_max = 3;
    } else if (which == TRAINS_SIZE) {
        left = ours->size, right = theirs->size;
        work.unit = "bytes", work.operations = 1, work.rounds_max = 1;
    }
    work.ours = (struct bench_side){left, ours->state};
    work.theirs = (struct bench_side){right, theirs->state};
    return work;
}

static void
compare_trains(
    struct bench_run *run,
    const struct trains *trains,
    const char *folder,
    enum counterpart counterpart)
{
    const struct trains_setting setting = {trains, folder};
    struct trains_side ours, theirs;
    ours_open_trains(&setting, &ours);
    if (counterpart == HDF5_IN_C)
        hdf5_open_trains(&setting, &theirs);
    else
        python_open_trains(&setting, &theirs);
    trains_must_hold(&ours, trains);
    trains_must_hold(&theirs, trains);
    for (size_t i = 0; i < TRAINS_COUNT_OF; i++) {
        struct bench_work work = trains_work((enum trains_work)i, trains, &ours, &theirs);
        if (!work.theirs.function || !bench_run_wants(run, work.name))
            continue;
        if (i == TRAINS_GET || i == TRAINS_SIZE) {
            ours.fill(ours.state);
            theirs.fill(theirs.state);
        }
        work.bar = trains_bars[i][counterpart];
        bench_run_compare(run, &work);
    }
    theirs.close(theirs.state);
    ours.close(ours.state);
}

static void
measure_trains(struct bench_run *run, const struct options *options)
{
    struct trains trains;
    bool wanted = false;
    for (size_t i = 0; i < TRAINS_COUNT_OF; i++)
        wanted = wanted || bench_run_wants(run, trains_names[i]);
    if (!wanted)
        return;
    size_t filed = options->trains < TRAINS_FILED ? options->trains : TRAINS_FILED;
    trains_make(&trains, options->trains, filed, options->folder);
    for (size_t i = 0; i < COUNTERPART_COUNT; i++) {
        if (wants_counterpart(options, (enum counterpart)i))
            compare_trains(run, &trains, options->folder, (enum counterpart)i);
    }
    trains_free(&trains);
}

/* ------------------------------------------------------------------ all */

static size_t
number(const char *option, const char *text, size_t least, size_t most, size_t multiple)
{
    size_t number = bench_parse_number(option, text, most);
    number = number < least ? least : number;
    return number - number % multiple;
}

int
main(int argc, char **argv)
{
    const char *parent = BENCH_FOLDER, *side = NULL, *trains = NULL;
    struct options options = {.against = "", .side = SIDE_DEFAULT, .trains = TRAINS_DEFAULT};
    const struct bench_option own[] = {
        {"--dir", "FOLDER", "where files are made (default: in the build tree)", &parent},
        {"--side", "N", "rows and columns of the matrices (default 4096)", &side},
        {"--trains", "N", "spike trains (default 100000)", &trains},
        {"--against", "TEXT", "only counterparts whose name begins with TEXT", &options.against},
    };
    struct bench_run run;
    bench_run_begin_options(&run, argc, argv, own, sizeof own / sizeof *own);
    if (side)
        options.side = number("--side", side, SIDE_LEAST, SIDE_MOST, BANDS);
    if (trains)
        options.trains = number("--trains", trains, TRAINS_LEAST, TRAINS_MOST, BATCHES);
    options.folder = bench_folder_make(parent);
    for (size_t i = 0; i < MATRIX_KINDS; i++)
        measure_matrices(&run, &options, (enum matrix_kind)i);
    measure_trains(&run, &options);
    return bench_run_end(&run);
}
