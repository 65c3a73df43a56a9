/* The rows that all sides of bench_table store and read. They follow from their index, and so does
 * what a side picks among them, so that every side does the same things to the same rows.
 *
 *     struct rows rows;
 *     rows_make(&rows, 120000, folder);
 *     struct episode episode = rows_episode(&rows, 17);       // borrows from rows
 *     rows_free(&rows);
 */
#ifndef VARVE_BENCH_ROWS_H
#define VARVE_BENCH_ROWS_H

#include <stddef.h>
#include <stdint.h>

enum {
    ROWS_DEFAULT = 120000,
    ROWS_LEAST = 1200,
    ROWS_BATCHES = 12,     /* of insert_many, until the table has all rows */
    ROWS_PER_CONTEXT = 16, /* about: what a filtered find gives */
    EXPERIENCE_BYTES = 256,
    UPDATED_FIELDS = 2 /* score and metadata */
};

/* Those with a score of at least this are counted: about one in a hundred. */
#define ROWS_GOOD_SCORE 0.99

/* A row as it lies in memory and in the file that Python reads; no padding. */
struct row {
    double performance_score;
    uint8_t experience[EXPERIENCE_BYTES];
    char context_hash[40]; /* 32 characters */
    char metadata[72];     /* JSON, about 60 characters */
};

struct rows {
    struct row *rows;
    size_t count;
    size_t batch; /* rows of an insert_many */
    size_t scan;  /* rows of a scan */
    char *file;   /* holds `rows` as they lie in memory */
};

/* An episode as a C program has it without varve. */
struct episode {
    int64_t id;
    int64_t occurred_at; /* ns since 1970-01-01T00:00:00Z */
    const void *experience;
    size_t experience_size;
    double performance_score;
    const char *context_hash;
    const char *metadata;
};

/* What a side says of rows it has read: both sides must say the same. */
struct answer {
    uint32_t crc; /* of all values, as zlib's crc32 */
    size_t rows;
};

/* Makes the rows and their file in this folder. `count` is a multiple of ROWS_BATCHES. */
void
rows_make(struct rows *rows, size_t count, const char *folder);

void
rows_free(struct rows *rows);

/* The n-th row to insert, which becomes the episode n + 1. Beyond the last row the values are those
 * of earlier ones, at a later time. */
struct episode
rows_episode(const struct rows *rows, size_t n);

/* When the n-th row occurred. Later than the one before. */
int64_t
rows_time(size_t n);

/* The n-th pick: an index below rows->count, scattered as if by chance. */
size_t
rows_pick(const struct rows *rows, uint64_t n);

/* The first row of the n-th scan. */
size_t
rows_pick_scan(const struct rows *rows, uint64_t n);

/* The n-th episode to update, with its new values. What update_fields writes is in them, too. */
struct episode
rows_updated(const struct rows *rows, uint64_t n);

/* Adds an episode to the answer. */
void
rows_answer(struct answer *answer, const struct episode *episode);

#endif
