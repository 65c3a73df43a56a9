/* The same calls on a table of many rows (ours) and on one of a tenth as many (theirs), alternately: at 0.5 a call
 * takes twice as long. Both are far larger than the page cache, and lie in the system's. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bench.h"
#include "common/folder.h"
#include "lab.varve.h"

enum {
    ROWS = 10000000,
    BATCH = 10000,     /* of the filling */
    TRANSACTION = 100, /* inserts that are measured */
    EXPERIENCE = 128,
    WARM =
        200000, /* gets before anything is measured: until the page cache holds what they need most */
};

struct table {
    struct varve_store *store;
    struct varve_session *session;
    char *folder;
    int64_t rows;
    uint64_t next; /* of the random numbers */
};

static void
must(struct table *table, enum varve_status status)
{
    if (status != VARVE_OK)
        bench_fail("%s", varve_session_error(table->session));
}

static int64_t
random_below(struct table *table, int64_t limit)
{
    table->next = table->next * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((table->next >> 16) % (uint64_t)limit);
}

/* -------------------------------------------------------------------- filling */

struct row {
    char context_hash[24];
    uint8_t experience[EXPERIENCE];
};

static void
make_row(struct table *table, int64_t number, struct row *row, struct lab_episode *episode)
{
    *episode = (struct lab_episode)LAB_EPISODE_INIT;
    snprintf(
        row->context_hash, sizeof row->context_hash, "maze/%d",
        (int)random_below(table, table->rows / 20 + 1));
    memset(row->experience, (int)(number % 251), sizeof row->experience);
    episode->occurred_at = 1700000000000000000 + number * 1000;
    episode->experience = (struct varve_bytes){sizeof row->experience, row->experience};
    episode->performance_score = (double)(number % 1000) / 1000;
    episode->context_hash = row->context_hash;
}

static void
fill(struct table *table)
{
    static struct row rows[BATCH];
    static struct lab_episode episodes[BATCH];
    for (int64_t done = 0; done < table->rows; done += BATCH) {
        int64_t count = table->rows - done < BATCH ? table->rows - done : BATCH;
        for (int64_t i = 0; i < count; i++)
            make_row(table, done + i, &rows[i], &episodes[i]);
        must(table, lab_episode_insert_many(table->session, episodes, count));
    }
}

static struct table *
make_table(const char *parent, const char *name, int64_t rows)
{
    struct table *table = calloc(1, sizeof *table);
    struct varve_error error;
    if (!table)
        bench_fail("out of memory");
    table->folder = bench_folder_path(parent, name);
    table->rows = rows;
    table->next = 42;
    struct varve_config config = {.data_dir = table->folder, .durability = VARVE_DURABILITY_NORMAL};
    if (varve_open(&lab_schema, &config, &table->store, &error) != VARVE_OK)
        bench_fail("%s", error.message);
    must(table, varve_session_open(table->store, &table->session));
    fill(table);
    return table;
}

static void
close_table(struct table *table)
{
    int64_t count;
    must(table, lab_episode_count(table->session, NULL, &count));
    if (count != table->rows)
        bench_fail("%lld rows, and there should be %lld", (long long)count, (long long)table->rows);
    varve_session_close(table->session);
    varve_close(table->store);
    free(table->folder);
    free(table);
}

/* -------------------------------------------------------------------- works */

static uint64_t
insert(void *context, size_t operations)
{
    struct table *table = context;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        struct row row;
        struct lab_episode episode;
        if (i % TRANSACTION == 0)
            must(table, varve_begin(table->session));
        make_row(table, table->rows, &row, &episode);
        must(table, lab_episode_insert(table->session, &episode));
        table->rows++;
        if (i % TRANSACTION == TRANSACTION - 1 || i + 1 == operations)
            must(table, varve_commit(table->session));
    }
    return bench_now() - start;
}

static uint64_t
get(void *context, size_t operations)
{
    struct table *table = context;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        struct lab_episode *episode;
        int64_t id = random_below(table, table->rows) + 1;
        must(table, lab_episode_get(table->session, id, &episode));
        if (episode->id != id)
            bench_fail("another row");
        lab_episode_free(episode);
    }
    return bench_now() - start;
}

int
main(int argc, char **argv)
{
    const char *parent = BENCH_FOLDER, *given = NULL;
    int64_t rows = ROWS;
    const struct bench_option options[] = {
        {"--dir", "FOLDER", "where the databases are made (default: in the build tree)", &parent},
        {"--rows", "N", "of the large table (default 10000000)", &given},
    };
    struct bench_run run;
    bench_run_begin_options(&run, argc, argv, options, 2);
    if (given)
        rows = (int64_t)bench_parse_number("--rows", given, 1000000000);
    const char *folder = bench_folder_make(parent);
    struct table *small = make_table(folder, "small", rows / 10);
    struct table *large = make_table(folder, "large", rows);
    get(small, WARM);
    get(large, WARM);
    const struct {
        const char *name;
        bench_function *function;
    } works[] = {{"get by id", get}, {"insert, 100 a commit", insert}};
    for (size_t i = 0; i < sizeof works / sizeof *works; i++)
        bench_run_compare(
            &run, &(struct bench_work){
                      .name = works[i].name,
                      .counterpart = "a tenth of the rows",
                      .ours = {works[i].function, large},
                      .theirs = {works[i].function, small},
                      .bar = 0.5,
                      .operations = 2000,
                      .slices = 1,
                      .uneven = true,
                  });
    close_table(small);
    close_table(large);
    return bench_run_end(&run);
}
