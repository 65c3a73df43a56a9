/* bench_wordnet: WordNet 3.0 into a store, against Python's sqlite3.
 *
 * examples/wordnet reads the files and stores what they hold; this times both. The counterpart is
 * given the parsed arrays, makes the same tables and fills them with executemany. Each load is one
 * transaction into an empty database; what opens and makes it is not timed.
 */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cortex/cortex.varve.h>

#include "common/bench.h"
#include "common/folder.h"
#include "common/peer.h"
#include "load.h"

enum {
    ROUNDS_OF_LOADS = 7 /* each some seconds */
};

struct fixture {
    const char *wordnet_folder;
    struct wordnet wordnet;
    char *store; /* folder of varve's */
    char *database;
    char *python_database;
    char *concepts; /* the parsed arrays as files */
    char *relationships;
};

/* ------------------------------------------------------------------ works */

static uint64_t
parse(void *context, size_t operations)
{
    const struct fixture *fixture = context;
    uint64_t time = 0;
    for (size_t i = 0; i < operations; i++) {
        struct wordnet wordnet;
        struct wordnet_error error;
        uint64_t start = bench_now();
        if (!wordnet_parse(fixture->wordnet_folder, &wordnet, &error))
            bench_fail("%s", error.message);
        time += bench_now() - start;
        wordnet_free(&wordnet);
    }
    return time;
}

static uint64_t
load_once(struct fixture *fixture)
{
    const struct varve_config config = {.data_dir = fixture->store};
    struct varve_store *store;
    struct varve_session *session;
    struct varve_error error;
    bench_folder_remove(fixture->store);
    if (varve_open(&cortex_schema, &config, &store, &error) != VARVE_OK)
        bench_fail("varve: open: %s", error.message);
    if (varve_session_open(store, &session) != VARVE_OK)
        bench_fail("varve: open a session: %s", varve_session_error(NULL));
    uint64_t start = bench_now();
    if (wordnet_load(session, &fixture->wordnet, NULL, NULL) != VARVE_OK)
        bench_fail("varve: load: %s", varve_session_error(session));
    uint64_t time = bench_now() - start;
    varve_session_close(session);
    varve_close(store);
    return time;
}

static uint64_t
load(void *context, size_t operations)
{
    uint64_t time = 0;
    for (size_t i = 0; i < operations; i++)
        time += load_once(context);
    return time;
}

/* ------------------------------------------------------------------ the parsed arrays */

/* Only the first synsets, and the pointers among them. */
static void
shorten(struct wordnet *wordnet, size_t synsets)
{
    size_t kept = 0;
    if (synsets >= wordnet->synset_count)
        return;
    wordnet->synset_count = synsets;
    for (size_t i = 0; i < wordnet->pointer_count; i++) {
        const struct wordnet_pointer *pointer = &wordnet->pointers[i];
        if (pointer->source < synsets && pointer->target < synsets)
            wordnet->pointers[kept++] = *pointer;
    }
    wordnet->pointer_count = kept;
}

static FILE *
open_file(const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file)
        bench_fail("cannot write %s: %s", path, strerror(errno));
    return file;
}

static void
close_file(FILE *file, const char *path)
{
    bool failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed)
        bench_fail("cannot write %s: %s", path, strerror(errno));
}

/* Writes the arrays for Python: lines, their values between tabs. WordNet's texts have neither. */
static void
write_arrays(const struct fixture *fixture)
{
    const struct wordnet *wordnet = &fixture->wordnet;
    FILE *file = open_file(fixture->concepts);
    for (size_t i = 0; i < wordnet->synset_count; i++) {
        const struct wordnet_synset *synset = &wordnet->synsets[i];
        fprintf(
            file, "%s\t%s\t%s\t%s\t%s\n", synset->name, synset->words, synset->senses,
            synset->lexfile, synset->gloss);
    }
    close_file(file, fixture->concepts);
    file = open_file(fixture->relationships);
    for (size_t i = 0; i < wordnet->pointer_count; i++) {
        const struct wordnet_pointer *pointer = &wordnet->pointers[i];
        fprintf(
            file, "%u\t%u\t%s\t%.17g\n", (unsigned)pointer->source, (unsigned)pointer->target,
            pointer->type, pointer->strength);
    }
    close_file(file, fixture->relationships);
}

/* ------------------------------------------------------------------ both sides agree */

static int64_t
number(sqlite3 *database, const char *sql)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        bench_fail("%s: %s", sql, sqlite3_errmsg(database));
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static void
must_count(sqlite3 *database, const char *sql, size_t expected)
{
    int64_t count = number(database, sql);
    if (count != (int64_t)expected)
        bench_fail("%lld rows instead of %zu: %s", (long long)count, expected, sql);
}

/* Both databases must hold all that was parsed, and the same. */
static void
sides_must_agree(const struct fixture *fixture)
{
    const struct wordnet *wordnet = &fixture->wordnet;
    sqlite3 *database;
    char *attach = sqlite3_mprintf("ATTACH %Q AS theirs", fixture->python_database);
    if (sqlite3_open(fixture->database, &database) != SQLITE_OK || !attach ||
        sqlite3_exec(database, attach, NULL, NULL, NULL) != SQLITE_OK)
        bench_fail("%s: %s", fixture->database, sqlite3_errmsg(database));
    must_count(database, "SELECT count(*) FROM theirs.concept", wordnet->synset_count);
    must_count(
        database,
        "SELECT count(*) FROM main.concept AS a JOIN theirs.concept AS b USING (id)"
        " WHERE a.name = b.name AND (SELECT json_group_object(key, value) FROM"
        " (SELECT key, value FROM json_each(a.metadata) ORDER BY key)) ="
        " (SELECT json_group_object(key, value) FROM"
        " (SELECT key, value FROM json_each(b.metadata) ORDER BY key))",
        wordnet->synset_count);
    must_count(
        database, "SELECT count(*) FROM theirs.concept_relationship", wordnet->pointer_count);
    must_count(
        database,
        "SELECT count(*) FROM main.concept_relationship AS a"
        " JOIN theirs.concept_relationship AS b USING (id, source_id, target_id, type, strength)",
        wordnet->pointer_count);
    sqlite3_free(attach);
    sqlite3_close(database);
}

/* ------------------------------------------------------------------ comparison */

static struct bench_peer *
start_python(const struct fixture *fixture, const char *foreign_keys)
{
    const char *const command[] = {
        BENCH_PYTHON,
        BENCH_PYTHON_SCRIPT,
        fixture->python_database,
        fixture->concepts,
        fixture->relationships,
        foreign_keys,
        cortex_concept_record.table->ddl,
        cortex_concept_relationship_record.table->ddl,
        NULL,
    };
    return bench_peer_start(command);
}

static void
compare(
    struct bench_run *run,
    struct fixture *fixture,
    const char *counterpart,
    const char *foreign_keys,
    double bar)
{
    static const char name[] = "load WordNet";
    if (!bench_run_wants(run, name))
        return;
    struct bench_peer *peer = start_python(fixture, foreign_keys);
    struct bench_peer_work theirs = {.peer = peer, .name = "load"};
    load_once(fixture);
    bench_peer_time(&theirs, 1);
    sides_must_agree(fixture);
    const struct bench_work work = {
        .name = name,
        .counterpart = counterpart,
        .ours = {load, fixture},
        .theirs = {bench_peer_time, &theirs},
        .bar = bar,
        .rate = "rows/s",
        .amount = (double)(fixture->wordnet.synset_count + fixture->wordnet.pointer_count),
        .operations = 1,
        .rounds_max = ROUNDS_OF_LOADS,
    };
    bench_run_compare(run, &work);
    bench_peer_stop(peer);
}

static void
measure_parsing(struct bench_run *run, struct fixture *fixture)
{
    const struct bench_work work = {
        .name = "parse WordNet",
        .ours = {parse, fixture},
        .rate = "synsets/s",
        .amount = (double)fixture->wordnet.synset_count,
        .operations = 1,
        .rounds_max = ROUNDS_OF_LOADS,
    };
    bench_run_compare(run, &work);
}

static void
prepare(struct fixture *fixture, const char *parent)
{
    struct wordnet_error error;
    const char *folder = bench_folder_make(parent);
    fixture->store = bench_folder_path(folder, "varve");
    fixture->database = bench_folder_path(fixture->store, "varve.db");
    fixture->python_database = bench_folder_path(folder, "python.db");
    fixture->concepts = bench_folder_path(folder, "concepts");
    fixture->relationships = bench_folder_path(folder, "relationships");
    if (!wordnet_parse(fixture->wordnet_folder, &fixture->wordnet, &error))
        bench_fail("%s", error.message);
}

static void
release(struct fixture *fixture)
{
    wordnet_free(&fixture->wordnet);
    free(fixture->store);
    free(fixture->database);
    free(fixture->python_database);
    free(fixture->concepts);
    free(fixture->relationships);
}

int
main(int argc, char **argv)
{
    const char *parent = BENCH_FOLDER, *synsets = NULL;
    struct fixture fixture = {.wordnet_folder = "/usr/share/wordnet"};
    const struct bench_option options[] = {
        {"--dir", "FOLDER", "where the databases are made (default: in the build tree)", &parent},
        {"--wordnet", "FOLDER", "WordNet's files (default /usr/share/wordnet)",
         &fixture.wordnet_folder},
        {"--synsets", "N", "load only the first N, and the pointers among them", &synsets},
    };
    struct bench_run run;
    bench_run_begin_options(&run, argc, argv, options, sizeof options / sizeof *options);
    prepare(&fixture, parent);
    measure_parsing(&run, &fixture);
    if (synsets)
        shorten(&fixture.wordnet, bench_parse_number("--synsets", synsets, WORDNET_SYNSETS));
    write_arrays(&fixture);
    compare(&run, &fixture, "Python sqlite3", "ON", 1.5);
    compare(&run, &fixture, "Python, no references", "OFF", 0);
    release(&fixture);
    return bench_run_end(&run);
}
