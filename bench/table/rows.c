/* Rows, picks among them, and the checksum of what was read. */
#include "table/rows.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bench.h"
#include "common/folder.h"

static const int64_t FIRST_TIME = 1700000000000000000;
static const int64_t TIME_STEP = 1000000;

enum {
    SCAN_PART = 30 /* a scan reads the 30th part of the rows */
};

/* ------------------------------------------------------------------ checksum */

static uint32_t crc_table[256];

static void
make_crc_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? (value >> 1) ^ 0xEDB88320u : value >> 1;
        crc_table[i] = value;
    }
}

static uint32_t
crc_of(uint32_t crc, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    crc = ~crc;
    for (size_t i = 0; i < size; i++)
        crc = crc_table[(crc ^ bytes[i]) & 0xFF] ^ (crc >> 8);
    return ~crc;
}

void
rows_answer(struct answer *answer, const struct episode *episode)
{
    uint32_t crc = answer->crc;
    crc = crc_of(crc, &episode->id, sizeof episode->id);
    crc = crc_of(crc, &episode->occurred_at, sizeof episode->occurred_at);
    crc = crc_of(crc, &episode->performance_score, sizeof episode->performance_score);
    crc = crc_of(crc, episode->experience, episode->experience_size);
    crc = crc_of(crc, episode->context_hash, strlen(episode->context_hash));
    crc = crc_of(crc, episode->metadata, strlen(episode->metadata));
    answer->crc = crc;
    answer->rows++;
}

/* ------------------------------------------------------------------ rows */

/* Scatters: the finalizer of splitmix64. */
static uint64_t
mix(uint64_t n)
{
    n += 0x9E3779B97F4A7C15u;
    n = (n ^ (n >> 30)) * 0xBF58476D1CE4E5B9u;
    n = (n ^ (n >> 27)) * 0x94D049BB133111EBu;
    return n ^ (n >> 31);
}

static void
fill_row(struct row *row, size_t n, size_t contexts)
{
    uint64_t seed = mix(n), context = mix(seed) % contexts;
    memset(row, 0, sizeof *row);
    for (size_t i = 0; i < EXPERIENCE_BYTES; i += sizeof seed) {
        seed = mix(seed);
        memcpy(row->experience + i, &seed, sizeof seed);
    }
    row->performance_score = (double)(seed >> 11) / 9007199254740992.0; /* 2^53 */
    snprintf(
        row->context_hash, sizeof row->context_hash, "%016llx%016llx",
        (unsigned long long)mix(context), (unsigned long long)mix(~context));
    snprintf(
        row->metadata, sizeof row->metadata,
        "{\"experiment\": \"maze-%02u\", \"operator\": \"jlm\", \"rig\": \"north-%u\"}",
        (unsigned)(n % 97), (unsigned)(n % 7));
}

static void
write_file(const struct rows *rows)
{
    FILE *file = fopen(rows->file, "wb");
    bool written = file && fwrite(rows->rows, sizeof *rows->rows, rows->count, file) == rows->count;
    if (!file || fclose(file) != 0 || !written)
        bench_fail("cannot write %s: %s", rows->file, strerror(errno));
}

void
rows_make(struct rows *rows, size_t count, const char *folder)
{
    *rows = (struct rows){
        .rows = malloc(count * sizeof *rows->rows),
        .count = count,
        .batch = count / ROWS_BATCHES,
        .scan = count / SCAN_PART,
        .file = bench_folder_path(folder, "rows"),
    };
    if (!rows->rows)
        bench_fail("out of memory");
    make_crc_table();
    for (size_t n = 0; n < count; n++)
        fill_row(&rows->rows[n], n, count / ROWS_PER_CONTEXT);
    write_file(rows);
}

void
rows_free(struct rows *rows)
{
    free(rows->rows);
    free(rows->file);
}

int64_t
rows_time(size_t n)
{
    return FIRST_TIME + (int64_t)n * TIME_STEP;
}

struct episode
rows_episode(const struct rows *rows, size_t n)
{
    const struct row *row = &rows->rows[n % rows->count];
    return (struct episode){
        .occurred_at = rows_time(n),
        .experience = row->experience,
        .experience_size = EXPERIENCE_BYTES,
        .performance_score = row->performance_score,
        .context_hash = row->context_hash,
        .metadata = row->metadata,
    };
}

size_t
rows_pick(const struct rows *rows, uint64_t n)
{
    return mix(n) % rows->count;
}

size_t
rows_pick_scan(const struct rows *rows, uint64_t n)
{
    return mix(n) % (rows->count - rows->scan);
}

struct episode
rows_updated(const struct rows *rows, uint64_t n)
{
    size_t target = rows_pick(rows, 2 * n);
    struct episode episode = rows_episode(rows, rows_pick(rows, 2 * n + 1));
    episode.id = (int64_t)target + 1;
    episode.occurred_at = rows_time(target);
    return episode;
}
