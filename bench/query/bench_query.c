/* Typed queries against the same SQL in a hand-written loop: a statement prepared once, bound, stepped,
 * its columns read as they are, nothing checked, nothing copied but what a single row must keep. Both sides
 * use one database file, with the same pragmas, read from varve's connection. */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bench.h"
#include "common/folder.h"
#include "library.varve.h"

enum {
    BOOKS = 100000,
    TOPICS = 1000, /* of 100 books each */
    LINKS = 8,     /* of each book */
};

struct fixture {
    struct varve_store *store;
    struct varve_session *session;
    sqlite3 *database;
    sqlite3_stmt *statement; /* theirs, of the work under way */
    uint64_t next;           /* of the random numbers */
    double sum;              /* of what was read, for both to agree on */
    int64_t rows;
};

static void
must(struct fixture *fixture, enum varve_status status)
{
    if (status != VARVE_OK)
        bench_fail("%s", varve_session_error(fixture->session));
}

static void
must_raw(const struct fixture *fixture, bool fine)
{
    if (!fine)
        bench_fail("%s", sqlite3_errmsg(fixture->database));
}

static int64_t
random_below(struct fixture *fixture, int64_t limit)
{
    fixture->next = fixture->next * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((fixture->next >> 33) % (uint64_t)limit);
}

/* -------------------------------------------------------------------- the data */

static void
fill_books(struct fixture *fixture)
{
    uint8_t cover[64] = {1, 2, 3};
    for (int i = 0; i < BOOKS; i++) {
        char title[40], topic[24];
        struct library_book book = LIBRARY_BOOK_INIT;
        snprintf(title, sizeof title, "The %d. book of this library", i + 1);
        snprintf(topic, sizeof topic, "topic/%d", i % TOPICS);
        book.title = title;
        book.topic = topic;
        book.year = 1900 + i / TOPICS;
        book.score = (double)(i % 997) / 997;
        book.cover = (struct varve_bytes){sizeof cover, cover};
        book.has_part_of = i % 3 == 0 && i > 0;
        book.part_of = i;
        must(fixture, library_book_insert(fixture->session, &book));
    }
}

static void
fill_links(struct fixture *fixture)
{
    for (int i = 0; i < BOOKS * LINKS; i++) {
        struct library_link link = LIBRARY_LINK_INIT;
        link.source = i / LINKS + 1;
        link.target = random_below(fixture, BOOKS) + 1;
        link.strength = (double)(i % 101) / 101;
        must(fixture, library_link_insert(fixture->session, &link));
    }
}

static int64_t
pragma(struct fixture *fixture, const char *name)
{
    char sql[64];
    sqlite3_stmt *statement;
    snprintf(sql, sizeof sql, "PRAGMA %s", name);
    sqlite3 *ours = varve_session_sqlite(fixture->session);
    if (sqlite3_prepare_v2(ours, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        bench_fail("%s", sqlite3_errmsg(ours));
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static void
open_raw(struct fixture *fixture, const char *folder)
{
    static const char *const names[] = {
        "cache_size", "synchronous", "foreign_keys", "wal_autocheckpoint"};
    char *path = bench_folder_path(folder, "varve.db");
    if (sqlite3_open_v2(
            path, &fixture->database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        bench_fail("%s: %s", path, sqlite3_errmsg(fixture->database));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char sql[96];
        snprintf(
            sql, sizeof sql, "PRAGMA %s = %lld", names[i], (long long)pragma(fixture, names[i]));
        must_raw(fixture, sqlite3_exec(fixture->database, sql, NULL, NULL, NULL) == SQLITE_OK);
    }
    free(path);
}

static void
open_ours(struct fixture *fixture, const char *folder)
{
    struct varve_config config = {.data_dir = folder, .durability = VARVE_DURABILITY_NORMAL};
    struct varve_error error;
    if (varve_open(&library_schema, &config, &fixture->store, &error) != VARVE_OK)
        bench_fail("%s", error.message);
    must(fixture, varve_session_open(fixture->store, &fixture->session));
}

static void
close_ours(struct fixture *fixture)
{
    varve_session_close(fixture->session);
    varve_close(fixture->store);
}

/* The connection that fills the tables has all of them in its cache: both sides begin with none. */
static void
set_up(struct fixture *fixture, const char *folder)
{
    open_ours(fixture, folder);
    must(fixture, varve_begin(fixture->session));
    fill_books(fixture);
    fill_links(fixture);
    must(fixture, varve_commit(fixture->session));
    close_ours(fixture);
    open_ours(fixture, folder);
    must(fixture, varve_begin_read(fixture->session)); /* the first call sizes its page cache */
    must(fixture, varve_commit(fixture->session));
    open_raw(fixture, folder);
}

/* -------------------------------------------------------------------- ours */

static void
topic_name(struct fixture *fixture, char topic[24])
{
    snprintf(topic, 24, "topic/%d", (int)random_below(fixture, TOPICS));
}

static uint64_t
ours_of_topic(void *context, size_t operations)
{
    struct fixture *fixture = context;
    struct library_topic request = LIBRARY_TOPIC_INIT;
    char topic[24];
    request.topic = topic;
    request.limit = 50;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        struct varve_cursor *cursor;
        const struct library_book *row;
        topic_name(fixture, topic);
        must(fixture, library_books_of_topic(fixture->session, &request, &cursor));
        while (library_book_next(cursor, &row) == VARVE_ROW) {
            fixture->sum += row->score + (double)row->year + (double)row->title[4] +
                            (double)row->cover.size + (double)(row->has_part_of ? row->part_of : 0);
            fixture->rows++;
        }
        varve_cursor_close(cursor);
    }
    return bench_now() - start;
}

static uint64_t
ours_one(void *context, size_t operations)
{
    struct fixture *fixture = context;
    struct library_book_id request = LIBRARY_BOOK_ID_INIT;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        struct library_book *book;
        request.id = random_below(fixture, BOOKS) + 1;
        must(fixture, library_books_one(fixture->session, &request, &book));
        fixture->sum += book->score + (double)book->title[4];
        fixture->rows++;
        library_book_free(book);
    }
    return bench_now() - start;
}

static uint64_t
ours_scores(void *context, size_t operations)
{
    struct fixture *fixture = context;
    struct library_topic request = LIBRARY_TOPIC_INIT;
    char topic[24];
    request.topic = topic;
    request.limit = 1910;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        struct library_topic_scores *scores;
        topic_name(fixture, topic);
        must(fixture, library_books_scores(fixture->session, &request, &scores));
        fixture->sum += scores->mean + scores->best;
        fixture->rows += scores->books;
        library_topic_scores_free(scores);
    }
    return bench_now() - start;
}

static uint64_t
ours_linked(void *context, size_t operations)
{
    struct fixture *fixture = context;
    struct library_book_id request = LIBRARY_BOOK_ID_INIT;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        struct varve_cursor *cursor;
        const struct library_title *row;
        request.id = random_below(fixture, BOOKS) + 1;
        must(fixture, library_books_linked(fixture->session, &request, &cursor));
        while (library_title_next(cursor, &row) == VARVE_ROW) {
            fixture->sum += row->strength + (double)row->title[4];
            fixture->rows++;
        }
        varve_cursor_close(cursor);
    }
    return bench_now() - start;
}

static uint64_t
ours_two_hops(void *context, size_t operations)
{
    struct fixture *fixture = context;
    struct library_book_id request = LIBRARY_BOOK_ID_INIT;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        struct varve_cursor *cursor;
        const struct library_reached *row;
        request.id = random_below(fixture, BOOKS) + 1;
        must(fixture, library_books_two_hops(fixture->session, &request, &cursor));
        while (library_reached_next(cursor, &row) == VARVE_ROW) {
            fixture->sum += (double)row->distance;
            fixture->rows++;
        }
        varve_cursor_close(cursor);
    }
    return bench_now() - start;
}

static uint64_t
ours_set_score(void *context, size_t operations)
{
    struct fixture *fixture = context;
    struct library_change request = LIBRARY_CHANGE_INIT;
    must(fixture, varve_begin(fixture->session));
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        request.id = random_below(fixture, BOOKS) + 1;
        request.score = 0.5;
        must(fixture, library_books_set_score(fixture->session, &request));
        fixture->rows += varve_changes(fixture->session);
    }
    uint64_t taken = bench_now() - start;
    must(fixture, varve_commit(fixture->session));
    return taken;
}

/* -------------------------------------------------------------------- theirs */

static void
bind_topic(struct fixture *fixture, int64_t limit, char topic[24])
{
    topic_name(fixture, topic);
    sqlite3_bind_text(fixture->statement, 1, topic, -1, SQLITE_STATIC);
    sqlite3_bind_int64(fixture->statement, 2, limit);
}

static void
bind_id(struct fixture *fixture)
{
    sqlite3_bind_int64(fixture->statement, 1, random_below(fixture, BOOKS) + 1);
}

static uint64_t
theirs_of_topic(void *context, size_t operations)
{
    struct fixture *fixture = context;
    sqlite3_stmt *statement = fixture->statement;
    char topic[24];
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        bind_topic(fixture, 50, topic);
        while (sqlite3_step(statement) == SQLITE_ROW) {
            int64_t id = sqlite3_column_int64(statement, 0);
            const char *title = (const char *)sqlite3_column_text(statement, 1);
            const char *name = (const char *)sqlite3_column_text(statement, 2);
            int64_t year = sqlite3_column_int64(statement, 3);
            double score = sqlite3_column_double(statement, 4);
            const void *cover = sqlite3_column_blob(statement, 5);
            int size = sqlite3_column_bytes(statement, 5);
            bool is_part = sqlite3_column_type(statement, 6) != SQLITE_NULL;
            int64_t part_of = is_part ? sqlite3_column_int64(statement, 6) : 0;
            if (id == 0 || !name || !cover)
                bench_fail("a row has no values");
            fixture->sum +=
                score + (double)year + (double)title[4] + (double)size + (double)part_of;
            fixture->rows++;
        }
        sqlite3_reset(statement);
    }
    return bench_now() - start;
}

/* The row in one malloc, as one who must keep it would copy it. */
struct kept {
    int64_t id, year, part_of;
    double score;
    int size;
    bool is_part;
    char *title, *topic;
    void *cover;
};

static struct kept *
keep_row(sqlite3_stmt *statement)
{
    int title = sqlite3_column_bytes(statement, 1), topic = sqlite3_column_bytes(statement, 2),
        cover = sqlite3_column_bytes(statement, 5);
    struct kept *kept = malloc(sizeof *kept + (size_t)title + (size_t)topic + (size_t)cover + 2);
    if (!kept)
        bench_fail("out of memory");
    char *at = (char *)(kept + 1);
    kept->id = sqlite3_column_int64(statement, 0);
    kept->title = memcpy(at, sqlite3_column_text(statement, 1), (size_t)title + 1);
    kept->topic = memcpy(at + title + 1, sqlite3_column_text(statement, 2), (size_t)topic + 1);
    kept->cover = memcpy(at + title + topic + 2, sqlite3_column_blob(statement, 5), (size_t)cover);
    kept->year = sqlite3_column_int64(statement, 3);
    kept->score = sqlite3_column_double(statement, 4);
    kept->size = cover;
    kept->is_part = sqlite3_column_type(statement, 6) != SQLITE_NULL;
    kept->part_of = kept->is_part ? sqlite3_column_int64(statement, 6) : 0;
    return kept;
}

static uint64_t
theirs_one(void *context, size_t operations)
{
    struct fixture *fixture = context;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        bind_id(fixture);
        must_raw(fixture, sqlite3_step(fixture->statement) == SQLITE_ROW);
        struct kept *kept = keep_row(fixture->statement);
        must_raw(fixture, sqlite3_step(fixture->statement) == SQLITE_DONE);
        sqlite3_reset(fixture->statement);
        fixture->sum += kept->score + (double)kept->title[4];
        fixture->rows++;
        free(kept);
    }
    return bench_now() - start;
}

static uint64_t
theirs_scores(void *context, size_t operations)
{
    struct fixture *fixture = context;
    char topic[24];
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        bind_topic(fixture, 1910, topic);
        must_raw(fixture, sqlite3_step(fixture->statement) == SQLITE_ROW);
        fixture->rows += sqlite3_column_int64(fixture->statement, 0);
        if (sqlite3_column_type(fixture->statement, 1) != SQLITE_NULL)
            fixture->sum += sqlite3_column_double(fixture->statement, 1);
        if (sqlite3_column_type(fixture->statement, 2) != SQLITE_NULL)
            fixture->sum += sqlite3_column_double(fixture->statement, 2);
        must_raw(fixture, sqlite3_step(fixture->statement) == SQLITE_DONE);
        sqlite3_reset(fixture->statement);
    }
    return bench_now() - start;
}

static uint64_t
theirs_linked(void *context, size_t operations)
{
    struct fixture *fixture = context;
    sqlite3_stmt *statement = fixture->statement;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        bind_id(fixture);
        while (sqlite3_step(statement) == SQLITE_ROW) {
            int64_t id = sqlite3_column_int64(statement, 0);
            const char *title = (const char *)sqlite3_column_text(statement, 1);
            fixture->sum += sqlite3_column_double(statement, 2) + (double)title[4];
            fixture->rows += id != 0;
        }
        sqlite3_reset(statement);
    }
    return bench_now() - start;
}

static uint64_t
theirs_two_hops(void *context, size_t operations)
{
    struct fixture *fixture = context;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        bind_id(fixture);
        while (sqlite3_step(fixture->statement) == SQLITE_ROW) {
            fixture->rows += sqlite3_column_int64(fixture->statement, 0) != 0;
            fixture->sum += (double)sqlite3_column_int64(fixture->statement, 1);
        }
        sqlite3_reset(fixture->statement);
    }
    return bench_now() - start;
}

static uint64_t
theirs_set_score(void *context, size_t operations)
{
    struct fixture *fixture = context;
    must_raw(
        fixture, sqlite3_exec(fixture->database, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        int64_t id = random_below(fixture, BOOKS) + 1;
        sqlite3_bind_double(fixture->statement, 1, 0.5);
        sqlite3_bind_int64(fixture->statement, 2, id);
        must_raw(fixture, sqlite3_step(fixture->statement) == SQLITE_DONE);
        fixture->rows += sqlite3_changes64(fixture->database);
        sqlite3_reset(fixture->statement);
    }
    uint64_t taken = bench_now() - start;
    must_raw(fixture, sqlite3_exec(fixture->database, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
    return taken;
}

/* -------------------------------------------------------------------- comparing */

struct pair {
    const char *name;
    const struct varve_query *query;
    bench_function *ours, *theirs;
};

/* Both must read the same of the same requests. */
static void
must_agree(struct fixture *fixture, const struct pair *pair)
{
    enum {
        TRIES = 100
    };
    double sums[2];
    int64_t rows[2];
    for (int side = 0; side < 2; side++) {
        fixture->next = 42;
        fixture->sum = 0;
        fixture->rows = 0;
        (side ? pair->theirs : pair->ours)(fixture, TRIES);
        sums[side] = fixture->sum;
        rows[side] = fixture->rows;
    }
    if (rows[0] == 0 || rows[0] != rows[1] || sums[0] != sums[1])
        bench_fail(
            "%s: ours read %lld rows, theirs %lld; sums %g and %g", pair->name, (long long)rows[0],
            (long long)rows[1], sums[0], sums[1]);
}

static void
compare(struct bench_run *run, struct fixture *fixture, const struct pair *pair)
{
    if (!bench_run_wants(run, pair->name))
        return;
    if (sqlite3_prepare_v3(
            fixture->database, pair->query->sql, -1, SQLITE_PREPARE_PERSISTENT, &fixture->statement,
            NULL) != SQLITE_OK)
        bench_fail("%s", sqlite3_errmsg(fixture->database));
    must_agree(fixture, pair);
    bench_run_compare(
        run, &(struct bench_work){
                 .name = pair->name,
                 .counterpart = "C, sqlite3",
                 .ours = {pair->ours, fixture},
                 .theirs = {pair->theirs, fixture},
                 .bar = 0.95,
             });
    sqlite3_finalize(fixture->statement);
}

int
main(int argc, char **argv)
{
    static const struct pair pairs[] = {
        {"query of 50 rows", &library_books_of_topic_query, ours_of_topic, theirs_of_topic},
        {"query of one row by key", &library_books_one_query, ours_one, theirs_one},
        {"query of an aggregate", &library_books_scores_query, ours_scores, theirs_scores},
        {"query of a join, 8 rows", &library_books_linked_query, ours_linked, theirs_linked},
        {"query that recurses, 73 rows", &library_books_two_hops_query, ours_two_hops,
         theirs_two_hops},
        {"query that updates, in a transaction", &library_books_set_score_query, ours_set_score,
         theirs_set_score},
    };
    const char *parent = BENCH_FOLDER;
    const struct bench_option options[] = {
        {"--dir", "FOLDER", "where the database is made (default: in the build tree)", &parent},
    };
    struct fixture fixture = {.next = 1};
    struct bench_run run;
    bench_run_begin_options(&run, argc, argv, options, 1);
    char *folder = bench_folder_path(bench_folder_make(parent), "library");
    set_up(&fixture, folder);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        compare(&run, &fixture, &pairs[i]);
    sqlite3_close(fixture.database);
    close_ours(&fixture);
    free(folder);
    return bench_run_end(&run);
}
