/* Many small records: flushed, deleted by half, compacted, and read in every way. */
#include "tensor_lab.h"

#include <stdlib.h>

#include <varve/health.h>

#include "checked.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum {
    SMALL_RECORDS = 10000
};
#else
enum {
    SMALL_RECORDS = 100000
};
#endif

enum {
    BATCH = 5000,   /* records in a call */
    SMALL_MOST = 60 /* elements of a small tensor */
};

/* A version whose tensors are small. */
static int64_t
small_version(struct random *random, int64_t id)
{
    struct checked record = {.kind = CHECKED_SPOOL, .id = id};
    do
        record.version = 1 + (int64_t)random_below(random, 1000000);
    while (checked_size(&record) > SMALL_MOST);
    return record.version;
}

static void
insert_small(struct tensor_lab *lab, int64_t parent, struct checked *records)
{
    struct random random = {5};
    for (size_t i = 0; i < SMALL_RECORDS; i++)
        records[i] = (struct checked){
            CHECKED_SPOOL, (int64_t)i + 1, parent, small_version(&random, (int64_t)i + 1),
            (int64_t)i};
    for (size_t i = 0; i < SMALL_RECORDS; i += BATCH)
        lab_must(lab, checked_insert(lab->session, records + i, BATCH));
}

/* All by find, some by themselves; those of version 0 are not there. */
static void
compare_small(const struct tensor_lab *lab, const struct checked *records)
{
    size_t listed, there = 0;
    struct random random = {6};
    struct checked *rows = calloc(SMALL_RECORDS, sizeof *rows);
    assert_non_null(rows);
    lab_must(lab, checked_list(lab->session, CHECKED_SPOOL, rows, SMALL_RECORDS, &listed));
    for (size_t i = 0; i < SMALL_RECORDS; i++) {
        if (records[i].version == 0)
            continue;
        assert_true(there < listed);
        assert_int_equal(rows[there].id, records[i].id);
        assert_int_equal(rows[there].version, records[i].version);
        there++;
    }
    assert_int_equal(there, listed);
    free(rows);
    for (size_t i = 0; i < SMALL_RECORDS / 50; i++) {
        const char *wrong;
        struct checked got;
        const struct checked *record = &records[random_below(&random, SMALL_RECORDS)];
        enum varve_status status =
            checked_get(lab->session, CHECKED_SPOOL, record->id, &got, &wrong);
        assert_int_equal(status, record->version == 0 ? VARVE_NOT_FOUND : VARVE_OK);
        assert_null(wrong);
        assert_true(record->version == 0 || got.version == record->version);
    }
}

static void
compare_all_small(const struct tensor_lab *lab, const struct checked *records)
{
    int64_t ids[BATCH];
    for (size_t begin = 0; begin < SMALL_RECORDS; begin += BATCH) {
        void **found;
        for (size_t i = 0; i < BATCH; i++)
            ids[i] = records[begin + i].id;
        lab_must(
            lab, varve_record_get_many(
                     lab->session, checked_records[CHECKED_SPOOL], ids, BATCH, &found));
        for (size_t i = 0; i < BATCH; i++) {
            bool is_there = records[begin + i].version != 0;
            assert_int_equal(found[i] != NULL, is_there);
            if (is_there)
                assert_null(checked_compare(CHECKED_SPOOL, found[i]));
        }
        varve_record_free_many(found);
    }
}

static void
delete_half(const struct tensor_lab *lab, struct checked *records)
{
    struct random random = {7};
    lab_must(lab, varve_begin(lab->session));
    for (size_t i = 0; i < SMALL_RECORDS; i++) {
        if (random_below(&random, 100) >= 55) /* so that a segment is half dead */
            continue;
        lab_must(lab, checked_delete(lab->session, CHECKED_SPOOL, records[i].id));
        records[i].version = 0;
    }
    lab_must(lab, varve_commit(lab->session));
}

static void
test_many_small_records_are_flushed_deleted_and_compacted(void **state)
{
    struct tensor_lab *lab = *state;
    struct varve_maintenance_report report;
    const struct varve_config config = {
        .durability = VARVE_DURABILITY_NORMAL,
        .stage_max_bytes = 900000000,
        .chunk_cache_bytes = 1 << 18,
        .archive_threads = 2};
    struct checked *records = calloc(SMALL_RECORDS, sizeof *records);
    assert_non_null(records);
    struct lab_tensors_session parent = LAB_TENSORS_SESSION_INIT;
    lab_open(lab, config);
    lab_must(lab, lab_tensors_session_insert(lab->session, &parent));
    insert_small(lab, parent.id, records);
    lab_must(lab, varve_flush(lab->store));
    compare_small(lab, records);
    compare_all_small(lab, records);
    delete_half(lab, records);
    compare_small(lab, records);
    lab_must(lab, varve_maintain(lab->store, &report));
    assert_int_equal(report.tensors_damaged, 0);
    assert_true(report.tensors_moved > 0);
    compare_small(lab, records);
    compare_all_small(lab, records);
    free(records);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LAB_TEST(test_many_small_records_are_flushed_deleted_and_compacted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
