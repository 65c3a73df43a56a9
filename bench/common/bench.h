/* What the benchmarks share: timing, alternating rounds, medians, the table and the JSON file.
 *
 * A benchmark is a program that compares two ways to do the same work, "ours" and "theirs":
 *
 *     static uint64_t
 *     insert_ours(void *context, size_t operations)
 *     {
 *         prepare(context);                        // what is before bench_now() is not measured
 *         uint64_t start = bench_now();
 *         for (size_t i = 0; i < operations; i++)
 *             insert(context, i);
 *         return bench_now() - start;
 *     }
 *
 *     int
 *     main(int argc, char **argv)
 *     {
 *         struct bench_run run;
 *         bench_run_begin(&run, argc, argv);       // --json FILE, --rounds N, --only TEXT
 *         bench_run_compare(&run, &(struct bench_work){
 *             .name = "insert", .counterpart = "sqlite3", .bar = 0.95,
 *             .ours = {insert_ours, &fixture}, .theirs = {insert_theirs, &fixture},
 *         });
 *         return bench_run_end(&run);
 *     }
 *
 * A program with options of its own begins with bench_run_begin_options().
 *
 * Each round times both sides alternately, in random order, so that what disturbs the machine for
 * longer than a moment disturbs both. Reported are the medians of the sides, and the median of the
 * rounds' ratios.
 * A program that cannot measure says why and exits with 1; a missed bar is printed and is no
 * failure. Nothing here is thread-safe.
 */
#ifndef VARVE_BENCH_H
#define VARVE_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Does the work `operations` times and returns the nanoseconds it took. */
typedef uint64_t
bench_function(void *context, size_t operations);

struct bench_side {
    bench_function *function; /* NULL in theirs: there is no counterpart */
    void *context;            /* passed to function */
};

enum {
    BENCH_SLICES_MAX = 16
};

struct bench_work {
    const char *name;        /* "pack episode": lower case, verb first */
    const char *counterpart; /* what theirs is: "protobuf-c" */
    struct bench_side ours;
    struct bench_side theirs;
    double bar;        /* the ratio that is to be reached; 0: for information */
    const char *rate;  /* NULL: reported in ns/op; else what is counted per second: "rows/s" */
    double amount;     /* with rate: how many of it one operation makes; 0 is 1 */
    const char *unit;  /* of what the functions return where it is no time: "bytes" */
    size_t operations; /* of a round; 0: as many as take about 20 ms, found out for each side */
    size_t slices;     /* of a round, up to BENCH_SLICES_MAX; 0: ten where operations is 0, too, and
                          leaves several operations in each, else one */
    bool uneven;       /* slices differ, as when a table grows: take their mean, not the median */
    unsigned rounds_max; /* at most so many rounds, for slow work; 0: as the command line says */
};

struct bench_run {
    const char *json; /* file to write, or NULL */
    const char *only; /* measure works whose name begins with this; NULL: all */
    unsigned rounds;
    struct bench_result *results;
    size_t count;
};

/* An option of one program's own: "--dir FOLDER". */
struct bench_option {
    const char *name;  /* "--dir" */
    const char *value; /* what stands for its value in the usage: "FOLDER" */
    const char *help;
    const char **text; /* where the value goes; left alone when the option is not given */
};

/* Reads the command line and prints the table's head. Ends the program on --help and on errors. */
void
bench_run_begin(struct bench_run *run, int argc, char **argv);

/* The same, for a program that has further options. */
void
bench_run_begin_options(
    struct bench_run *run, int argc, char **argv, const struct bench_option *options, size_t count);

/* The number in an option's value, from 1 to `most`. Ends the program when it is none. */
unsigned long
bench_parse_number(const char *option, const char *text, unsigned long most);

/* Whether the command line asks for this work: to spare the preparation of others. */
bool
bench_run_wants(const struct bench_run *run, const char *name);

/* Measures a work, prints its row and keeps it for the JSON file. The names must live until
 * bench_run_end(). The ratio is theirs' time / ours' time: above 1 varve is faster. */
void
bench_run_compare(struct bench_run *run, const struct bench_work *work);

/* Writes the JSON file, releases everything, and gives main's result. Each row is
 * {"work", "ours", "theirs", "counterpart", "unit", "ratio", "runs"}; runs are rounds, and theirs,
 * counterpart and ratio are null where there is no counterpart. */
int
bench_run_end(struct bench_run *run);

/* Nanoseconds of a clock that only goes forward. */
uint64_t
bench_now(void);

/* The median; sorts the values. 0 of none. */
double
bench_median(double *values, size_t count);

/* The quantile, from 0 to 1, of sorted values, interpolated between neighbours. 0 of none. */
double
bench_quantile(const double *sorted, size_t count, double quantile);

/* Prints "error: ..." to stderr and ends the program with 1. */
_Noreturn void
bench_fail(const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 1, 2)))
#endif
    ;

#endif
