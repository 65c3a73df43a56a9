/* Databases with damage anywhere: a bit that flipped, a file cut short, a page of zeros, a log of
 * garbage. All is read through the API and something is written; every call must give values or a
 * status with a sentence, and end.
 *
 * SQLite keeps no checksums of its pages. It finds damage of a page's structure when it reads the page,
 * and of a row's header; the runtime finds text that is no UTF-8 and wire bytes that do not parse. A
 * bit that flips in a number, in bytes, inside a text's ASCII or in the type that a row's header gives
 * to one of these is a value like any other: it is counted here as "changed" and cannot be found. The
 * log has checksums: what is not whole of it is left out.
 *
 * VARVE_TEST_FLIPS (500) and VARVE_TEST_SEED vary the run; a failure names its damage. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp, alarm */

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "random.h"

enum {
    SAMPLES = 12,
    SPIKES = 4,
    SPIKE_COUNT = 300,
    FLIPS = 500,
    PAGE = 4096,
    LONGEST_SECONDS = 20, /* of one damaged database: more is a hang */
};

/* A whole database, and a folder for the damaged copies. */
struct patient {
    char folder[64];
    char path[96];
    uint8_t *bytes;
    size_t size;
    char *text; /* all records, as they are when nothing is damaged */
    size_t text_size;
    struct random random;
    size_t outcomes[3];
};

enum outcome {
    REFUSED,   /* some call failed */
    UNCHANGED, /* every value is as it was */
    CHANGED,   /* some value is another, and nothing said so */
};

/* -------------------------------------------------------------------- a database */

static void
insert_samples(struct varve_session *session)
{
    char names[SAMPLES][24];
    struct lab_place place = LAB_PLACE_INIT;
    place.room = (char *)"a room of some length";
    for (int i = 0; i < SAMPLES; i++) {
        struct lab_sample sample = LAB_SAMPLE_INIT;
        uint32_t numbers[] = {1, 20, 300};
        snprintf(names[i], sizeof names[i], "sample %d \xc3\xa4", i);
        sample.name = names[i];
        sample.score = 0.1 * (i % 10);
        sample.blob = (struct varve_bytes){sizeof names[i], (uint8_t *)names[i]};
        sample.place = &place;
        sample.numbers = (struct varve_uint32s){3, numbers};
        sample.has_parent = i > 0;
        sample.parent = i;
        assert_int_equal(lab_sample_insert(session, &sample), VARVE_OK);
    }
}

static void
insert_spikes(struct varve_session *session)
{
    float times[SPIKE_COUNT];
    for (size_t i = 0; i < SPIKE_COUNT; i++)
        times[i] = (float)i;
    for (int i = 0; i < SPIKES; i++) {
        struct lab_spikes spikes = LAB_SPIKES_INIT;
        struct lab_reading reading = LAB_READING_INIT;
        spikes.times = (struct varve_floats){SPIKE_COUNT, times};
        spikes.count = SPIKE_COUNT;
        reading.site = "north";
        reading.day = i;
        assert_int_equal(lab_spikes_insert(session, &spikes), VARVE_OK);
        assert_int_equal(lab_reading_insert(session, &reading), VARVE_OK);
    }
}

static uint8_t *
read_file(const char *path, size_t *size)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    *size = (size_t)status.st_size;
    uint8_t *bytes = malloc(*size);
    FILE *file = fopen(path, "rb");
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

static void
write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* -------------------------------------------------------------------- reading all of it */

/* What is read is written into a text, so that two readings can be compared. */
struct reading {
    struct varve_session *session;
    FILE *text;
    bool has_failed;
    const char *damage;
};

static void
expect_sentence(const struct reading *reading, enum varve_status status, const char *sentence)
{
    if (strlen(sentence) < 10 || status == VARVE_MISUSE)
        fail_msg("%s: %s with \"%s\"", reading->damage, varve_status_name(status), sentence);
}

/* Whether a call succeeded; a failure must be told well. */
static bool
went_well(struct reading *reading, enum varve_status status)
{
    if (status == VARVE_OK || status == VARVE_ROW)
        return true;
    if (status == VARVE_DONE)
        return false;
    expect_sentence(reading, status, varve_session_error(reading->session));
    reading->has_failed = true;
    return false;
}

static void
print(struct reading *reading, const struct varve_record *table, const void *record)
{
    static char text[100000];
    enum varve_status status = varve_record_print(table, record, text, sizeof text);
    fprintf(reading->text, "%s\n", status == VARVE_OK ? text : varve_status_name(status));
}

static void
find_all(struct reading *reading, const struct varve_record *table)
{
    struct varve_cursor *cursor;
    const void *row;
    int64_t count;
    if (went_well(reading, varve_record_count(reading->session, table, NULL, &count)))
        fprintf(reading->text, "%lld\n", (long long)count);
    if (!went_well(reading, varve_record_find(reading->session, table, NULL, &cursor)))
        return;
    for (int i = 0; i < 1000 && went_well(reading, varve_cursor_next(cursor, table, &row)); i++)
        print(reading, table, row);
    varve_cursor_close(cursor);
}

static void
get_all(struct reading *reading, const struct varve_record *table, int64_t count)
{
    for (int64_t id = 1; id <= count; id++) {
        void *record;
        const void *key[] = {&id};
        if (went_well(reading, varve_record_get(reading->session, table, key, &record)))
            print(reading, table, record);
        varve_record_free(record);
    }
}

/* Through an index, whose entries are in other places than the rows. */
static void
get_by_names(struct reading *reading)
{
    for (int i = 0; i < SAMPLES; i++) {
        char name[24];
        struct lab_sample *sample;
        snprintf(name, sizeof name, "sample %d \xc3\xa4", i);
        if (went_well(reading, lab_sample_get_by_name(reading->session, name, &sample)))
            print(reading, &lab_sample_record, sample);
        lab_sample_free(sample);
    }
}

static void
read_all(struct reading *reading)
{
    find_all(reading, &lab_sample_record);
    find_all(reading, &lab_reading_record);
    get_all(reading, &lab_sample_record, SAMPLES);
    get_all(reading, &lab_spikes_record, SPIKES);
    get_by_names(reading);
}

/* Its failures are told, but do not count: there may be no damage in what has been read. */
static void
write_something(struct reading *reading)
{
    bool has_failed = reading->has_failed;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    struct lab_reading changed = LAB_READING_INIT;
    sample.name = "a new one";
    changed.site = "north";
    changed.day = 2;
    went_well(reading, lab_sample_insert(reading->session, &sample));
    went_well(reading, lab_reading_upsert(reading->session, &changed));
    went_well(reading, lab_sample_delete(reading->session, 3));
    went_well(reading, lab_spikes_delete_where(reading->session, NULL));
    reading->has_failed = has_failed;
}

/* Opens the store and does all that; *text is what was read, to be freed. */
static bool
examine(const struct patient *patient, const char *damage, char **text, size_t *text_size)
{
    struct varve_config config = {
        .data_dir = patient->folder, .durability = VARVE_DURABILITY_NORMAL};
    struct reading reading = {.damage = damage, .text = open_memstream(text, text_size)};
    struct varve_store *store;
    struct varve_error error;
    enum varve_status status = varve_open(&lab_schema, &config, &store, &error);
    if (status != VARVE_OK) {
        expect_sentence(&reading, status, error.message);
        reading.has_failed = true;
    } else if (went_well(&reading, varve_session_open(store, &reading.session))) {
        read_all(&reading);
        write_something(&reading);
        varve_session_close(reading.session);
    }
    varve_close(store);
    fclose(reading.text);
    return !reading.has_failed;
}

/* -------------------------------------------------------------------- damage */

static void
remove_logs(const struct patient *patient)
{
    static const char *const ends[] = {"-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s%s", patient->path, ends[i]);
        remove(path);
    }
}

/* Examines a database of these bytes, and counts what came of it. */
static enum outcome
operate(struct patient *patient, const uint8_t *bytes, size_t size, const char *damage)
{
    char *text;
    size_t text_size;
    write_file(patient->path, bytes, size);
    alarm(LONGEST_SECONDS);
    bool is_well = examine(patient, damage, &text, &text_size);
    alarm(0);
    enum outcome outcome = REFUSED;
    if (is_well)
        outcome = text_size == patient->text_size && memcmp(text, patient->text, text_size) == 0
                      ? UNCHANGED
                      : CHANGED;
    free(text);
    remove_logs(patient);
    patient->outcomes[outcome]++;
    return outcome;
}

static void
print_outcomes(const struct patient *patient)
{
    print_message(
        "%zu refused, %zu unchanged, %zu changed\n", patient->outcomes[REFUSED],
        patient->outcomes[UNCHANGED], patient->outcomes[CHANGED]);
}

/* In memory where that is possible: hundreds of databases are written. */
static int
make_folder(struct patient *patient)
{
    const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(patient->folder, sizeof patient->folder, "%s/varve-test-XXXXXX", parent);
    if (!mkdtemp(patient->folder))
        return -1;
    snprintf(patient->path, sizeof patient->path, "%s/varve.db", patient->folder);
    return 0;
}

static int
set_up_patient(void **state)
{
    struct fixture *fixture;
    if (set_up((void **)&fixture) != 0)
        return -1;
    struct patient *patient = calloc(1, sizeof *patient);
    insert_samples(fixture->session);
    insert_spikes(fixture->session);
    varve_session_close(fixture->session);
    varve_close(fixture->store);
    snprintf(patient->path, sizeof patient->path, "%s/varve.db", fixture->folder);
    remove_logs(patient);
    patient->bytes = read_file(patient->path, &patient->size);
    remove(patient->path);
    remove(fixture->folder);
    free(fixture);
    if (make_folder(patient) != 0)
        return -1;
    patient->random.state = number_from_env("VARVE_TEST_SEED", 1);
    write_file(patient->path, patient->bytes, patient->size);
    assert_true(examine(patient, "none", &patient->text, &patient->text_size));
    *state = patient;
    return 0;
}

static int
tear_down_patient(void **state)
{
    struct patient *patient = *state;
    print_outcomes(patient);
    remove_logs(patient);
    remove(patient->path);
    remove(patient->folder);
    free(patient->bytes);
    free(patient->text);
    free(patient);
    return 0;
}

/* -------------------------------------------------------------------- tests */

/* Anywhere, or only where something is: pages are mostly empty. */
static size_t
some_place(struct patient *patient, bool is_anywhere)
{
    size_t at = random_below(&patient->random, patient->size);
    while (!is_anywhere && patient->bytes[at] == 0)
        at = random_below(&patient->random, patient->size);
    return at;
}

static void
test_a_bit_that_flips_gives_an_error_or_values(void **state)
{
    struct patient *patient = *state;
    size_t flips = (size_t)number_from_env("VARVE_TEST_FLIPS", FLIPS);
    uint8_t *bytes = malloc(patient->size);
    memcpy(bytes, patient->bytes, patient->size);
    for (size_t i = 0; i < flips; i++) {
        char damage[64];
        size_t at = some_place(patient, i % 2 == 0);
        uint8_t bit = (uint8_t)(1u << random_below(&patient->random, 8));
        snprintf(damage, sizeof damage, "byte %zu with bit %u flipped", at, (unsigned)bit);
        bytes[at] ^= bit;
        operate(patient, bytes, patient->size, damage);
        bytes[at] ^= bit;
    }
    free(bytes);
    assert_true(patient->outcomes[UNCHANGED] > 0);
    assert_true(patient->outcomes[REFUSED] > 0);
}

/* The first hundred bytes are the file's header, and the page that follows has the schema. */
static void
test_a_bit_that_flips_at_the_beginning_gives_an_error_or_values(void **state)
{
    struct patient *patient = *state;
    uint8_t *bytes = malloc(patient->size);
    memcpy(bytes, patient->bytes, patient->size);
    for (size_t bit = 0; bit < 120 * 8; bit += 3) {
        char damage[64];
        snprintf(damage, sizeof damage, "bit %zu flipped", bit);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        operate(patient, bytes, patient->size, damage);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(bytes);
}

/* SQLite knows how many pages there should be, but fills up the last one with zeros. */
static void
test_a_file_that_is_cut_short_is_never_read_as_whole(void **state)
{
    struct patient *patient = *state;
    for (size_t page = 1; page < patient->size / PAGE; page++) {
        char damage[64];
        snprintf(damage, sizeof damage, "cut after %zu pages", page);
        assert_int_equal(operate(patient, patient->bytes, page * PAGE, damage), REFUSED);
    }
    for (size_t i = 0; i < 40; i++) {
        char damage[64];
        size_t size = 1 + random_below(&patient->random, patient->size - 1);
        snprintf(damage, sizeof damage, "cut after %zu bytes", size);
        enum outcome outcome = operate(patient, patient->bytes, size, damage);
        assert_true(outcome != CHANGED || size > patient->size - PAGE);
    }
}

static void
test_a_page_of_zeros_gives_an_error_or_values(void **state)
{
    struct patient *patient = *state;
    uint8_t *bytes = malloc(patient->size);
    for (size_t page = 0; page < patient->size / PAGE; page++) {
        char damage[64];
        snprintf(damage, sizeof damage, "page %zu zeroed", page);
        memcpy(bytes, patient->bytes, patient->size);
        memset(bytes + page * PAGE, 0, PAGE);
        operate(patient, bytes, patient->size, damage);
    }
    free(bytes);
    assert_true(patient->outcomes[REFUSED] > 0);
}

/* A log of a page and a bit, random but for the beginning that makes it a log. */
static void
test_a_log_of_garbage_is_left_out(void **state)
{
    static const uint8_t magic[] = {0x37, 0x7f, 0x06, 0x82, 0x00, 0x2d, 0xe2, 0x18, 0, 0, 0x10, 0};
    struct patient *patient = *state;
    char path[128];
    uint8_t garbage[PAGE + 100];
    snprintf(path, sizeof path, "%s-wal", patient->path);
    for (size_t i = 0; i < 40; i++) {
        for (size_t at = 0; at < sizeof garbage; at++)
            garbage[at] = (uint8_t)random_bits(&patient->random);
        if (i % 2 == 0)
            memcpy(garbage, magic, sizeof magic);
        write_file(path, garbage, 1 + random_below(&patient->random, sizeof garbage));
        operate(patient, patient->bytes, patient->size, "a log of garbage");
    }
    assert_int_equal(patient->outcomes[UNCHANGED], 40);
}

int
main(void)
{
#define PATIENT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_patient, tear_down_patient)
    const struct CMUnitTest tests[] = {
        PATIENT_TEST(test_a_bit_that_flips_gives_an_error_or_values),
        PATIENT_TEST(test_a_bit_that_flips_at_the_beginning_gives_an_error_or_values),
        PATIENT_TEST(test_a_file_that_is_cut_short_is_never_read_as_whole),
        PATIENT_TEST(test_a_page_of_zeros_gives_an_error_or_values),
        PATIENT_TEST(test_a_log_of_garbage_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
