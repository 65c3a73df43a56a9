/* The store through its public API: what is inserted comes back, and what cannot be kept is refused
 * with a sentence. */
#include "support.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cortex/cortex.varve.h"

/* Inserts the sample and reads it back after opening the store anew. */
static struct lab_sample *
through_the_store(struct fixture *fixture, struct lab_sample *sample)
{
    struct lab_sample *read;
    if (lab_sample_insert(fixture->session, sample) != VARVE_OK)
        fail_msg("%s", varve_session_error(fixture->session));
    reopen(fixture);
    if (lab_sample_get(fixture->session, sample->id, &read) != VARVE_OK)
        fail_msg("%s", varve_session_error(fixture->session));
    return read;
}

/* -------------------------------------------------------------------- round trips */

static void
test_an_empty_record_comes_back_empty_and_gets_ids_in_order(void **state)
{
    struct fixture *fixture = *state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    struct lab_sample second = LAB_SAMPLE_INIT;
    second.name = "second";
    struct lab_sample *read = through_the_store(fixture, &sample);
    assert_true(lab_sample_equal(&sample, read));
    assert_int_equal(read->id, 1);
    assert_false(read->has_maybe);
    assert_null(read->note);
    assert_null(read->place);
    assert_int_equal(read->result_case, 0);
    lab_sample_free(read);
    assert_int_equal(lab_sample_insert(fixture->session, &second), VARVE_OK);
    assert_int_equal(second.id, 2);
}

static void
test_every_kind_of_column_comes_back_as_it_was(void **state)
{
    int32_t shelf[] = {3, -1};
    uint32_t numbers[] = {0, UINT32_MAX};
    uint8_t blob[] = {0, 0xff, '\''};
    struct lab_place place = LAB_PLACE_INIT;
    place.room = "B\xc3\xbcro \"7\"";
    place.shelf = (struct varve_int32s){2, shelf};
    struct lab_place bare = LAB_PLACE_INIT;
    struct lab_place *places[] = {&place, &bare};
    struct lab_sample_counts_entry count = LAB_SAMPLE_COUNTS_ENTRY_INIT;
    count.key = "ke\"y";
    count.value = INT64_MIN;
    struct lab_sample_counts_entry *counts[] = {&count};
    struct lab_sample_rooms_entry room = LAB_SAMPLE_ROOMS_ENTRY_INIT;
    room.key = -5;
    room.value = &place;
    struct lab_sample_rooms_entry *rooms[] = {&room};

    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.name = "Robert'); DROP TABLE sample;--";
    sample.score = 1;
    sample.big = INT64_MAX;
    sample.hash = UINT64_MAX;
    sample.flag = 1;
    sample.mood = (enum lab_mood)77; /* enums are open */
    sample.ratio = FLT_MIN;
    sample.blob = (struct varve_bytes){sizeof blob, blob};
    sample.has_maybe = 1;
    sample.maybe = 0;
    sample.note = "";
    sample.result_case = LAB_SAMPLE_RESULT_CASE_WHERE;
    sample.where = &bare;
    sample.place = &place;
    sample.places.count = 2;
    sample.places.data = places;
    sample.counts.count = 1;
    sample.counts.data = counts;
    sample.rooms.count = 1;
    sample.rooms.data = rooms;
    sample.numbers = (struct varve_uint32s){2, numbers};
    sample.has_extra = 1; /* present and empty */

    struct lab_sample *read = through_the_store(*state, &sample);
    assert_true(lab_sample_equal(&sample, read));
    assert_int_equal(read->has_extra, 1);
    assert_string_equal(read->note, "");
    lab_sample_free(read);
}

static void
test_each_case_of_a_oneof_comes_back(void **state)
{
    struct fixture *fixture = *state;
    struct lab_sample zero = LAB_SAMPLE_INIT;
    zero.name = "zero";
    zero.result_case = LAB_SAMPLE_RESULT_CASE_COUNT;
    struct lab_sample word = LAB_SAMPLE_INIT;
    word.name = "word";
    word.result_case = LAB_SAMPLE_RESULT_CASE_WORD;
    word.word = "";
    struct lab_sample *samples[] = {&zero, &word};
    for (size_t i = 0; i < 2; i++) {
        struct lab_sample *read = through_the_store(fixture, samples[i]);
        assert_true(lab_sample_equal(samples[i], read));
        assert_int_equal(read->result_case, samples[i]->result_case);
        lab_sample_free(read);
    }
}

static void
test_fields_of_a_newer_schema_are_kept(void **state)
{
    int32_t more[] = {1, 2, 3};
    struct lab_newer_sample newer = LAB_NEWER_SAMPLE_INIT;
    newer.name = "n";
    newer.added = "kept";
    newer.more = (struct varve_int32s){3, more};
    struct varve_bytes sent, sent_on;
    assert_int_equal(lab_newer_sample_pack(&newer, &sent), VARVE_OK);
    struct lab_sample *sample;
    assert_int_equal(lab_sample_unpack(sent.data, sent.size, &sample), VARVE_OK);
    struct lab_sample *read = through_the_store(*state, sample);
    read->id = 0;
    assert_int_equal(lab_sample_pack(read, &sent_on), VARVE_OK);
    struct lab_newer_sample *arrived;
    assert_int_equal(lab_newer_sample_unpack(sent_on.data, sent_on.size, &arrived), VARVE_OK);
    assert_true(lab_newer_sample_equal(&newer, arrived));
    lab_newer_sample_free(arrived);
    lab_sample_free(read);
    lab_sample_free(sample);
    varve_bytes_free(&sent);
    varve_bytes_free(&sent_on);
}

static void
test_composite_keys_find_their_record(void **state)
{
    struct fixture *fixture = *state;
    struct lab_reading reading = LAB_READING_INIT;
    struct lab_reading *read;
    reading.site = "north";
    for (reading.day = -1; reading.day <= 1; reading.day++) {
        reading.value = reading.day * 0.5;
        assert_int_equal(lab_reading_insert(fixture->session, &reading), VARVE_OK);
    }
    assert_int_equal(lab_reading_get(fixture->session, "north", -1, &read), VARVE_OK);
    assert_true(read->value == -0.5);
    lab_reading_free(read);
    assert_int_equal(lab_reading_get(fixture->session, "south", 0, &read), VARVE_NOT_FOUND);
    assert_null(read);
    expect_error(fixture->session, "there is no lab.Reading with site \"south\", day 0");
}

/* -------------------------------------------------------------------- refusals */

static void
test_values_that_a_column_cannot_hold_are_refused_by_name(void **state)
{
    struct fixture *fixture = *state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.score = NAN;
    assert_int_equal(lab_sample_insert(fixture->session, &sample), VARVE_INVALID);
    expect_error(fixture->session, "lab.Sample.score is NaN");
    const struct varve_failure *failure = varve_session_failure(fixture->session);
    assert_int_equal(failure->kind, VARVE_FAILURE_NAN);
    assert_int_equal(failure->fields[0], LAB_SAMPLE_FIELD_SCORE);
    sample.score = 0;
    sample.big = (uint64_t)INT64_MAX + 1;
    assert_int_equal(lab_sample_insert(fixture->session, &sample), VARVE_INVALID);
    expect_error(fixture->session, "lab.Sample.big is over 9223372036854775807");
    sample.big = 0;
    sample.name = NULL;
    assert_int_equal(lab_sample_insert(fixture->session, &sample), VARVE_INVALID);
    expect_error(fixture->session, "lab.Sample.name");
    sample.name = "ok again";
    assert_int_equal(lab_sample_insert(fixture->session, &sample), VARVE_OK);
    assert_int_equal(sample.id, 1);
}

static void
test_a_value_out_of_its_bounds_is_a_failed_check(void **state)
{
    struct fixture *fixture = *state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.score = 1.5;
    assert_int_equal(lab_sample_insert(fixture->session, &sample), VARVE_INVALID);
    const struct varve_failure *failure = varve_session_failure(fixture->session);
    assert_int_equal(failure->kind, VARVE_FAILURE_CHECK);
    assert_int_equal(failure->field_count, 1);
    assert_int_equal(failure->fields[0], LAB_SAMPLE_FIELD_SCORE);
    assert_int_equal(sample.id, 0);
}

static void
test_a_taken_unique_value_is_a_conflict_that_names_the_field(void **state)
{
    struct fixture *fixture = *state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.name = "only one";
    assert_int_equal(lab_sample_insert(fixture->session, &sample), VARVE_OK);
    sample.id = 0;
    assert_int_equal(lab_sample_insert(fixture->session, &sample), VARVE_CONFLICT);
    const struct varve_failure *failure = varve_session_failure(fixture->session);
    assert_int_equal(failure->kind, VARVE_FAILURE_UNIQUE);
    assert_int_equal(failure->field_count, 1);
    assert_int_equal(failure->fields[0], LAB_SAMPLE_FIELD_NAME);
    assert_string_equal(failure->record, "lab.Sample");
}

static void
test_a_reference_to_nothing_is_a_conflict(void **state)
{
    struct fixture *fixture = *state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.has_parent = 1;
    sample.parent = 99;
    assert_int_equal(lab_sample_insert(fixture->session, &sample), VARVE_CONFLICT);
    assert_int_equal(varve_session_failure(fixture->session)->kind, VARVE_FAILURE_FOREIGN_KEY);
}

static void
test_null_handles_and_records_are_misuse(void **state)
{
    struct fixture *fixture = *state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    struct lab_sample *read;
    struct varve_session *session;
    struct varve_bytes bytes;
    char text[8];
    assert_int_equal(varve_session_open(NULL, &session), VARVE_MISUSE);
    assert_int_equal(lab_sample_insert(NULL, &sample), VARVE_MISUSE);
    assert_int_equal(lab_sample_get(NULL, 1, &read), VARVE_MISUSE);
    assert_non_null(strstr(varve_session_error(NULL), "the session is NULL"));
    assert_int_equal(lab_sample_insert(fixture->session, NULL), VARVE_MISUSE);
    assert_int_equal(lab_sample_pack(NULL, &bytes), VARVE_MISUSE);
    assert_int_equal(lab_sample_clone(NULL, &read), VARVE_MISUSE);
    assert_int_equal(lab_sample_unpack(NULL, 5, &read), VARVE_MISUSE);
    assert_int_equal(lab_sample_print(NULL, text, sizeof text), VARVE_MISUSE);
}

static void
test_a_message_of_another_schema_is_misuse(void **state)
{
    struct fixture *fixture = *state;
    struct cortex_episode episode = CORTEX_EPISODE_INIT;
    assert_int_equal(cortex_episode_insert(fixture->session, &episode), VARVE_MISUSE);
    expect_error(fixture->session, "cortex.Episode has no table in this store");
}

/* -------------------------------------------------------------------- opening */

static void
test_a_missing_configuration_is_explained(void **state)
{
    struct varve_config nothing = {.data_dir = NULL};
    struct varve_config nowhere = {.data_dir = "/nonexistent/folder/data"};
    struct varve_store *store;
    struct varve_error error;
    (void)state;
    assert_int_equal(varve_open(&lab_schema, &nothing, &store, &error), VARVE_MISUSE);
    assert_non_null(strstr(error.message, "data_dir"));
    assert_int_equal(varve_open(NULL, &nowhere, &store, NULL), VARVE_MISUSE);
    assert_int_equal(varve_open(&lab_schema, &nowhere, &store, &error), VARVE_IO);
    assert_non_null(strstr(error.message, "/nonexistent/folder/data"));
}

static void
test_the_database_is_for_its_owner_alone(void **state)
{
    char path[96];
    struct fixture *fixture = *state;
    struct stat info;
    snprintf(path, sizeof path, "%s/varve.db", fixture->folder);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void
test_a_store_in_memory_is_gone_when_it_is_closed(void **state)
{
    struct varve_config config = {.data_dir = ":memory:"};
    struct varve_store *store;
    struct varve_session *session, *other;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    struct lab_sample *read;
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(varve_open(&lab_schema, &config, &store, NULL), VARVE_OK);
        assert_int_equal(varve_session_open(store, &session), VARVE_OK);
        assert_int_equal(varve_session_open(store, &other), VARVE_OK);
        assert_int_equal(lab_sample_get(other, 1, &read), VARVE_NOT_FOUND);
        sample.id = 0;
        assert_int_equal(lab_sample_insert(session, &sample), VARVE_OK);
        assert_int_equal(lab_sample_get(other, 1, &read), VARVE_OK);
        lab_sample_free(read);
        varve_session_close(other);
        varve_session_close(session);
        varve_close(store);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_empty_record_comes_back_empty_and_gets_ids_in_order),
        TEST(test_every_kind_of_column_comes_back_as_it_was),
        TEST(test_each_case_of_a_oneof_comes_back),
        TEST(test_fields_of_a_newer_schema_are_kept),
        TEST(test_composite_keys_find_their_record),
        TEST(test_values_that_a_column_cannot_hold_are_refused_by_name),
        TEST(test_a_value_out_of_its_bounds_is_a_failed_check),
        TEST(test_a_taken_unique_value_is_a_conflict_that_names_the_field),
        TEST(test_a_reference_to_nothing_is_a_conflict),
        TEST(test_null_handles_and_records_are_misuse),
        TEST(test_a_message_of_another_schema_is_misuse),
        cmocka_unit_test(test_a_missing_configuration_is_explained),
        TEST(test_the_database_is_for_its_owner_alone),
        cmocka_unit_test(test_a_store_in_memory_is_gone_when_it_is_closed),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
