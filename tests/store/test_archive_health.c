#define _XOPEN_SOURCE 700 /* mkdtemp */
/* What varve_health() says of the archive, along the way of tensors through it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <lab_tensors.varve.h>
#include <varve/health.h>

enum {
    COUNT = 1000, /* elements of a train: int64 */
    TRAINS = 30
};

struct lab {
    char folder[64];
    struct varve_store *store;
    struct varve_session *session;
    int64_t times[COUNT];
};

static void
must(const struct lab *lab, enum varve_status status)
{
    if (status != VARVE_OK)
        fail_msg("%s: %s", varve_status_name(status), varve_session_error(lab->session));
}

static int
set_up(void **state)
{
    struct varve_error error;
    struct lab *lab = calloc(1, sizeof *lab);
    assert_non_null(lab);
    strcpy(lab->folder, "/tmp/varve-health-XXXXXX");
    assert_non_null(mkdtemp(lab->folder));
    for (size_t i = 0; i < COUNT; i++)
        lab->times[i] = (int64_t)i * 17;
    const struct varve_config config = {.data_dir = lab->folder, .stage_max_bytes = 1 << 20};
    if (varve_open(&lab_tensors_schema, &config, &lab->store, &error) != VARVE_OK)
        fail_msg("%s", error.message);
    must(lab, varve_session_open(lab->store, &lab->session));
    *state = lab;
    return 0;
}

static int
tear_down(void **state)
{
    char command[100];
    struct lab *lab = *state;
    varve_session_close(lab->session);
    varve_close(lab->store);
    snprintf(command, sizeof command, "rm -r %s", lab->folder);
    int code = system(command);
    free(lab);
    return code;
}

static void
put_trains(struct lab *lab, int64_t first)
{
    for (int64_t id = first; id < first + TRAINS; id++) {
        struct lab_tensors_train train = LAB_TENSORS_TRAIN_INIT;
        train.id = id;
        train.session_id = 1;
        train.count = COUNT;
        train.times = (struct varve_int64s){COUNT, lab->times};
        must(lab, lab_tensors_train_upsert(lab->session, &train));
    }
}

static struct varve_archive_health
ask(const struct lab *lab, struct varve_archive_message *train)
{
    struct varve_health_report health;
    must(lab, varve_health(lab->store, &health));
    struct varve_archive_health archive = health.archive;
    *train = (struct varve_archive_message){0};
    for (size_t i = 0; i < archive.message_count; i++)
        if (strcmp(archive.messages[i].record, "lab.tensors.Train") == 0)
            *train = archive.messages[i];
    assert_non_null(train->record);
    varve_health_free(&health);
    assert_null(health.archive.messages);
    return archive;
}

static void
insert_session(const struct lab *lab)
{
    struct lab_tensors_session session = LAB_TENSORS_SESSION_INIT;
    session.id = 1;
    must(lab, lab_tensors_session_insert(lab->session, &session));
}

static void
test_staged_tensors_become_segments(void **state)
{
    struct varve_archive_message train;
    struct lab *lab = *state;
    insert_session(lab);
    put_trains(lab, 1);
    struct varve_archive_health archive = ask(lab, &train);
    assert_true(archive.message_count >= 5);
    assert_int_equal(train.staged, TRAINS);
    assert_int_equal(train.staged_bytes, TRAINS * sizeof lab->times);
    assert_int_equal(train.segments, 0);
    must(lab, varve_flush(lab->store));
    ask(lab, &train);
    assert_int_equal(train.staged, 0);
    assert_int_equal(train.staged_bytes, 0);
    assert_int_equal(train.segments, 1);
    assert_int_equal(train.element_bytes, TRAINS * sizeof lab->times);
    assert_in_range(train.file_bytes, 1000, TRAINS * sizeof lab->times);
}

static void
test_small_reads_are_counted(void **state)
{
    int64_t times[2];
    struct varve_archive_message train;
    struct lab *lab = *state;
    insert_session(lab);
    put_trains(lab, 1);
    must(lab, varve_flush(lab->store));
    const struct varve_range range = {.start = {10}, .count = {2}};
    for (int64_t id = 1; id <= 3; id++)
        must(lab, lab_tensors_train_read_times(lab->session, 2, &range, times, sizeof times));
    assert_int_equal(times[1], lab->times[11]);
    struct varve_archive_health archive = ask(lab, &train);
    assert_int_equal(archive.chunk_misses, 1);
    assert_int_equal(archive.chunk_hits, 2);
    assert_in_range(archive.chunk_cache_bytes, 1000, archive.chunk_cache_max_bytes);
}

static void
test_files_that_a_reader_may_need_wait(void **state)
{
    struct varve_session *reader;
    struct varve_archive_message train;
    struct lab *lab = *state;
    insert_session(lab);
    put_trains(lab, 1);
    must(lab, varve_flush(lab->store));
    must(lab, varve_session_open(lab->store, &reader));
    must(lab, varve_begin_read(reader));
    put_trains(lab, 1); /* all of the segment is dead */
    must(lab, varve_maintain(lab->store, NULL));
    assert_int_equal(ask(lab, &train).files_waiting, 1);
    assert_int_equal(train.segments, 1);
    must(lab, varve_rollback(reader));
    varve_session_close(reader);
    must(lab, varve_maintain(lab->store, NULL));
    assert_int_equal(ask(lab, &train).files_waiting, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_staged_tensors_become_segments),
        TEST(test_small_reads_are_counted),
        TEST(test_files_that_a_reader_may_need_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
