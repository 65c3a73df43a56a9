/* Command line, rounds, table and JSON of a benchmark program. */
#include "common/bench.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    ROUNDS_DEFAULT = 25,
    ROUNDS_MAX = 10000,
    ROUND_NS = 20 * 1000 * 1000,
    SLICES = 10,    /* of a round, when that leaves several operations in each */
    NAME_WIDTH = 24 /* of the table's first column */
};

struct bench_result {
    const char *name;
    const char *counterpart;
    const char *unit;
    double ours;   /* in the unit */
    double theirs; /* in the unit */
    double ratio;  /* theirs' time / ours' time */
    unsigned rounds;
};

uint64_t
bench_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void
bench_fail(const char *format, ...)
{
    va_list arguments;
    fputs("error: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(EXIT_FAILURE);
}

/* ------------------------------------------------------------------ numbers */

static int
compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

double
bench_quantile(const double *sorted, size_t count, double quantile)
{
    if (count == 0)
        return 0;
    double place = quantile * (double)(count - 1);
    size_t below = (size_t)place;
    size_t above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (sorted[above] - sorted[below]) * (place - (double)below);
}

double
bench_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_doubles);
    return bench_quantile(values, count, 0.5);
}

static int
decimals(double value)
{
    return value < 10 ? 2 : value < 1000 ? 1 : 0;
}

/* ------------------------------------------------------------------ command line */

/* What the command line may say: the options of every program, and this one's own. */
struct command_line {
    const char *program;
    const struct bench_option *options;
    size_t count;
};

static _Noreturn void
usage(FILE *stream, const struct command_line *line, int status)
{
    fprintf(stream, "usage: %s [--json FILE] [--rounds N] [--only TEXT]", line->program);
    for (size_t i = 0; i < line->count; i++)
        fprintf(stream, " [%s %s]", line->options[i].name, line->options[i].value);
    fprintf(
        stream,
        "\n"
        "  --json FILE       write the results there\n"
        "  --rounds N        rounds of each work, 1 to %d (default %d)\n"
        "  --only TEXT       measure only works whose name begins with TEXT\n",
        ROUNDS_MAX, ROUNDS_DEFAULT);
    for (size_t i = 0; i < line->count; i++) {
        const struct bench_option *option = &line->options[i];
        int width = 15 - (int)strlen(option->name);
        fprintf(stream, "  %s %-*s  %s\n", option->name, width, option->value, option->help);
    }
    exit(status);
}

unsigned long
bench_parse_number(const char *option, const char *text, unsigned long most)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (errno != 0 || *text == '-' || *end != '\0' || number < 1 || number > most)
        bench_fail("%s takes a number from 1 to %lu, not \"%s\"", option, most, text);
    return number;
}

/* Whether it is an option of the program's own. */
static bool
take_option(const struct command_line *line, const char *name, const char *value)
{
    for (size_t i = 0; i < line->count; i++) {
        if (strcmp(line->options[i].name, name) == 0) {
            *line->options[i].text = value;
            return true;
        }
    }
    return false;
}

void
bench_run_begin_options(
    struct bench_run *run, int argc, char **argv, const struct bench_option *options, size_t count)
{
    const struct command_line line = {argv[0], options, count};
    *run = (struct bench_run){.rounds = ROUNDS_DEFAULT};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--help") == 0)
            usage(stdout, &line, EXIT_SUCCESS);
        else if (strcmp(argv[i], "--json") == 0 && value)
            run->json = value;
        else if (strcmp(argv[i], "--rounds") == 0 && value)
            run->rounds = (unsigned)bench_parse_number(argv[i], value, ROUNDS_MAX);
        else if (strcmp(argv[i], "--only") == 0 && value)
            run->only = value;
        else if (!value || !take_option(&line, argv[i], value))
            usage(stderr, &line, EXIT_FAILURE);
        i++;
    }
    srand((unsigned)bench_now());
    printf(
        "%-*s %16s %16s %7s  %-13s %-12s %s\n", NAME_WIDTH, "work", "ours", "theirs", "ratio",
        "quartiles", "bar", "counterpart");
}

void
bench_run_begin(struct bench_run *run, int argc, char **argv)
{
    bench_run_begin_options(run, argc, argv, NULL, 0);
}

bool
bench_run_wants(const struct bench_run *run, const char *name)
{
    return !run->only || strncmp(name, run->only, strlen(run->only)) == 0;
}

/* ------------------------------------------------------------------ rounds */

/* How many operations take about `target` nanoseconds. Warms up as well. */
static size_t
find_operations(const struct bench_side *side, uint64_t target)
{
    size_t operations = 1;
    for (;;) {
        uint64_t time = side->function(side->context, operations);
        if (time >= target / 2)
            return operations * target / time + 1;
        operations *= time > target / 16 ? 2 : 8;
    }
}

struct rounds {
    size_t operations_ours; /* of a slice */
    size_t operations_theirs;
    size_t slices;
    double *ours;   /* nanoseconds an operation, per round */
    double *theirs; /* the same */
    double *ratios;
};

static void
plan_rounds(const struct bench_work *work, struct rounds *rounds)
{
    bool compared = work->theirs.function != NULL;
    size_t ours = work->operations, theirs = work->operations, slices = work->slices;
    if (work->operations == 0) {
        ours = find_operations(&work->ours, ROUND_NS);
        theirs = compared ? find_operations(&work->theirs, ROUND_NS) : ours;
        bool several = ours >= 4 * SLICES && theirs >= 4 * SLICES;
        slices = slices > 0 ? slices : several ? SLICES : 1;
    }
    rounds->slices = slices > 0 ? slices : 1;
    rounds->operations_ours = (ours + rounds->slices - 1) / rounds->slices;
    rounds->operations_theirs = (theirs + rounds->slices - 1) / rounds->slices;
}

static double
time_side(const struct bench_side *side, size_t operations)
{
    return (double)side->function(side->context, operations) / (double)operations;
}

/* What a round's slices come to. */
static double
middle(const struct bench_work *work, double *values, size_t count)
{
    if (!work->uneven)
        return bench_median(values, count);
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    return sum / (double)count;
}

/* A round alternates in slices and takes their median: another program that gets the processor for
 * a while spoils some slices, not the round. */
static void
measure_round(const struct bench_work *work, struct rounds *rounds, size_t i)
{
    double ours[BENCH_SLICES_MAX], theirs[BENCH_SLICES_MAX] = {0};
    for (size_t slice = 0; slice < rounds->slices; slice++) {
        bool ours_first = rand() % 2 == 0;
        if (ours_first)
            ours[slice] = time_side(&work->ours, rounds->operations_ours);
        if (work->theirs.function)
            theirs[slice] = time_side(&work->theirs, rounds->operations_theirs);
        if (!ours_first)
            ours[slice] = time_side(&work->ours, rounds->operations_ours);
    }
    rounds->ours[i] = middle(work, ours, rounds->slices);
    rounds->theirs[i] = middle(work, theirs, rounds->slices);
    rounds->ratios[i] = rounds->ours[i] > 0 ? rounds->theirs[i] / rounds->ours[i] : 0;
}

/* From nanoseconds an operation to the unit that is reported. */
static double
in_unit(const struct bench_work *work, double time)
{
    double amount = work->amount > 0 ? work->amount : 1;
    return work->rate && time > 0 ? amount * 1e9 / time : time;
}

static void
print_row(const struct bench_work *work, const struct bench_result *result, const double *ratios)
{
    char ours[64], theirs[64] = "", ratio[64] = "", quartiles[64] = "", bar[64] = "";
    snprintf(ours, sizeof ours, "%.*f %s", decimals(result->ours), result->ours, result->unit);
    if (work->theirs.function) {
        snprintf(
            theirs, sizeof theirs, "%.*f %s", decimals(result->theirs), result->theirs,
            result->unit);
        snprintf(ratio, sizeof ratio, "%.2fx", result->ratio);
        snprintf(
            quartiles, sizeof quartiles, "%.2f to %.2f",
            bench_quantile(ratios, result->rounds, 0.25),
            bench_quantile(ratios, result->rounds, 0.75));
        if (work->bar > 0)
            snprintf(
                bar, sizeof bar, "%.2f %s", work->bar,
                result->ratio >= work->bar ? "met" : "MISSED");
    }
    printf(
        "%-*s %16s %16s %7s  %-13s %-12s %s\n", NAME_WIDTH, work->name, ours, theirs, ratio,
        quartiles, bar, work->theirs.function ? work->counterpart : "");
    fflush(stdout);
}

static void
keep(struct bench_run *run, const struct bench_result *result)
{
    struct bench_result *results = realloc(run->results, (run->count + 1) * sizeof *results);
    if (!results)
        bench_fail("out of memory");
    run->results = results;
    run->results[run->count++] = *result;
}

void
bench_run_compare(struct bench_run *run, const struct bench_work *work)
{
    if (!bench_run_wants(run, work->name))
        return;
    unsigned count = run->rounds;
    if (work->rounds_max > 0 && count > work->rounds_max)
        count = work->rounds_max;
    double *values = calloc(3 * (size_t)count, sizeof *values);
    if (!values)
        bench_fail("out of memory");
    struct rounds rounds = {
        .ours = values,
        .theirs = values + count,
        .ratios = values + 2 * (size_t)count,
    };
    plan_rounds(work, &rounds);
    for (size_t i = 0; i < count; i++)
        measure_round(work, &rounds, i);

    struct bench_result result = {
        .name = work->name,
        .counterpart = work->theirs.function ? work->counterpart : NULL,
        .unit = work->rate   ? work->rate
                : work->unit ? work->unit
                             : "ns/op",
        .ours = in_unit(work, bench_median(rounds.ours, count)),
        .theirs = in_unit(work, bench_median(rounds.theirs, count)),
        .ratio = bench_median(rounds.ratios, count),
        .rounds = count,
    };
    print_row(work, &result, rounds.ratios);
    keep(run, &result);
    free(values);
}

/* ------------------------------------------------------------------ JSON */

static void
write_text(FILE *file, const char *text)
{
    fputc('"', file);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', file);
        fputc((unsigned char)*text < ' ' ? ' ' : *text, file);
    }
    fputc('"', file);
}

static void
write_row(FILE *file, const struct bench_result *result)
{
    fputs("  {\"work\": ", file);
    write_text(file, result->name);
    fprintf(file, ", \"ours\": %.*f, \"theirs\": ", decimals(result->ours), result->ours);
    if (result->counterpart) {
        fprintf(file, "%.*f, \"counterpart\": ", decimals(result->theirs), result->theirs);
        write_text(file, result->counterpart);
    } else {
        fputs("null, \"counterpart\": null", file);
    }
    fputs(", \"unit\": ", file);
    write_text(file, result->unit);
    if (result->counterpart)
        fprintf(file, ", \"ratio\": %.3f", result->ratio);
    else
        fputs(", \"ratio\": null", file);
    fprintf(file, ", \"runs\": %u}", result->rounds);
}

static void
write_json(const struct bench_run *run)
{
    FILE *file = fopen(run->json, "w");
    if (!file)
        bench_fail("cannot write %s: %s", run->json, strerror(errno));
    fputs("[\n", file);
    for (size_t i = 0; i < run->count; i++) {
        write_row(file, &run->results[i]);
        fputs(i + 1 < run->count ? ",\n" : "\n", file);
    }
    fputs("]\n", file);
    bool failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed)
        bench_fail("cannot write %s: %s", run->json, strerror(errno));
}

int
bench_run_end(struct bench_run *run)
{
    size_t count = run->count;
    if (run->json)
        write_json(run);
    free(run->results);
    *run = (struct bench_run){0};
    if (count == 0)
        bench_fail("nothing was measured: no work has a name that begins so");
    return EXIT_SUCCESS;
}
