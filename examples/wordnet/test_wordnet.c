/* Reading and storing a WordNet of five synsets, whole and damaged. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "load.h"
#include "wordnet.h"

enum {
    LINE = 200 /* bytes of a line here, so that offsets are round */
};

enum {
    DATA_NOUN,
    DATA_VERB,
    DATA_ADJ,
    DATA_ADV,
    INDEX_NOUN,
    INDEX_VERB,
    INDEX_ADJ,
    INDEX_ADV,
    FILES,
    LINES = 4, /* of a file at most */
};

static const char *const names[FILES] = {
    "data.noun",  "data.verb",  "data.adj",  "data.adv",
    "index.noun", "index.verb", "index.adj", "index.adv",
};

static const char *const good[FILES][LINES] = {
    {
        "  1 This software and database is being provided to you",
        "00000200 05 n 02 Dog 0 domestic_dog 0 004 @ 00000400 n 0000 ! 00000400 n 0101 "
        "! 00000400 n 0201 ! 00000400 n 0201 | an animal; \"it barks\"  ",
        "00000400 03 n 02 animal 0 beast 1 001 ~ 00000200 n 0000 | a being",
    },
    {"00000000 38 v 01 dog 0 001 + 00000200 n 0101 02 + 02 00 + 08 01 | go after"},
    {"00000000 00 s 01 doggy(a) 0 000 | like a dog"},
    {"00000000 02 r 01 doggily 0 001 \\ 00000000 a 0101 | as a dog does"},
    {
        "animal n 1 1 ~ 1 0 00000400",
        "beast n 1 1 ~ 1 0 00000400",
        "dog n 1 2 @ ! 1 1 00000200",
        "domestic_dog n 1 0 1 0 00000200",
    },
    {"dog v 1 1 + 1 1 00000000"},
    {"doggy a 1 0 1 0 00000000"},
    {"doggily r 1 1 \\ 1 0 00000000"},
};

struct fixture {
    char folder[64];
    struct wordnet wordnet;
    struct wordnet_error error;
    struct varve_store *store;
    struct varve_session *session;
};

static void
path_of(const struct fixture *fixture, const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", fixture->folder, name);
}

/* Writes a file of these lines, each padded to LINE bytes. */
static void
write_lines(const struct fixture *fixture, const char *name, const char *const lines[LINES])
{
    char path[128];
    path_of(fixture, name, path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (int i = 0; i < LINES && lines[i]; i++)
        fprintf(file, "%-*s\n", LINE - 1, lines[i]);
    assert_int_equal(fclose(file), 0);
}

/* Writes `size` bytes over those that stand at this offset of a file. */
static void
overwrite(
    const struct fixture *fixture, const char *name, long offset, const char *bytes, size_t size)
{
    char path[128];
    path_of(fixture, name, path);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* Puts `damaged`, which is as long, where the `line` (from 0) of a good file first has `whole`. */
static void
replace(const struct fixture *fixture, int file, int line, const char *whole, const char *damaged)
{
    const char *text = good[file][line], *found = strstr(text, whole);
    assert_non_null(found);
    assert_int_equal(strlen(whole), strlen(damaged));
    overwrite(fixture, names[file], line * LINE + (found - text), damaged, strlen(damaged));
}

/* Leaves only the first `size` bytes of a file. */
static void
cut(const struct fixture *fixture, const char *name, off_t size)
{
    char path[128];
    path_of(fixture, name, path);
    assert_int_equal(truncate(path, size), 0);
}

static int
setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct varve_config config = {.data_dir = ":memory:"};
    assert_non_null(fixture);
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/test_wordnet.XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    for (int i = 0; i < FILES; i++)
        write_lines(fixture, names[i], good[i]);
    assert_int_equal(varve_open(&cortex_schema, &config, &fixture->store, NULL), VARVE_OK);
    assert_int_equal(varve_session_open(fixture->store, &fixture->session), VARVE_OK);
    *state = fixture;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *fixture = *state;
    wordnet_free(&fixture->wordnet);
    varve_session_close(fixture->session);
    varve_close(fixture->store);
    for (int i = 0; i < FILES; i++) {
        char path[128];
        path_of(fixture, names[i], path);
        remove(path);
    }
    rmdir(fixture->folder);
    free(fixture);
    return 0;
}

/* Fails to parse, with this text behind the folder's name at the beginning of the message. */
static void
assert_refused(struct fixture *fixture, const char *wanted)
{
    size_t folder = strlen(fixture->folder) + 1;
    assert_false(wordnet_parse(fixture->folder, &fixture->wordnet, &fixture->error));
    assert_memory_equal(fixture->error.message, fixture->folder, folder - 1);
    if (strncmp(fixture->error.message + folder, wanted, strlen(wanted)) != 0)
        fail_msg("\"%s\" is not \"%s\"", fixture->error.message + folder, wanted);
}

static void
parse(struct fixture *fixture)
{
    if (!wordnet_parse(fixture->folder, &fixture->wordnet, &fixture->error))
        fail_msg("%s", fixture->error.message);
}

static void
assert_stored(struct fixture *fixture, int64_t concepts, int64_t relationships)
{
    int64_t count;
    assert_int_equal(cortex_concept_count(fixture->session, NULL, &count), VARVE_OK);
    assert_int_equal(count, concepts);
    assert_int_equal(cortex_concept_relationship_count(fixture->session, NULL, &count), VARVE_OK);
    assert_int_equal(count, relationships);
}

/* ------------------------------------------------------------------ reading */

static void
synsets_have_names_and_words(void **state)
{
    struct fixture *fixture = *state;
    static const char *const wanted[] = {
        "dog.n.01", "animal.n.01", "dog.v.01", "doggy.s.01", "doggily.r.01"};
    parse(fixture);
    assert_int_equal(fixture->wordnet.synset_count, 5);
    for (int i = 0; i < 5; i++)
        assert_string_equal(fixture->wordnet.synsets[i].name, wanted[i]);
    const struct wordnet_synset *dog = &fixture->wordnet.synsets[0];
    assert_string_equal(dog->words, "Dog, domestic dog");
    assert_string_equal(dog->senses, "1, 1");
    assert_string_equal(dog->gloss, "an animal; \"it barks\"");
    assert_string_equal(dog->lexfile, "noun.animal");
    assert_string_equal(fixture->wordnet.synsets[3].words, "doggy");
}

static void
senses_follow_the_index(void **state)
{
    struct fixture *fixture = *state;
    static const char *const data[LINES] = {
        "00000000 05 n 01 dog 0 000 | an animal",
        "00000200 18 n 02 frump 0 dog 1 000 | a person",
    };
    static const char *const index[LINES] = {
        "dog n 2 0 2 1 00000200 00000000",
        "frump n 1 0 1 0 00000200",
    };
    write_lines(fixture, "data.noun", data);
    write_lines(fixture, "index.noun", index);
    cut(fixture, "data.verb", 0);
    cut(fixture, "index.verb", 0);
    parse(fixture);
    assert_string_equal(fixture->wordnet.synsets[0].name, "dog.n.02");
    assert_string_equal(fixture->wordnet.synsets[1].name, "frump.n.01");
    assert_string_equal(fixture->wordnet.synsets[1].senses, "1, 1");
}

static void
repeated_pointers_are_one(void **state)
{
    struct fixture *fixture = *state;
    parse(fixture);
    const struct wordnet_pointer *pointers = fixture->wordnet.pointers;
    assert_int_equal(fixture->wordnet.pointers_read, 7);
    assert_int_equal(fixture->wordnet.pointer_count, 5);
    assert_string_equal(pointers[0].type, "antonym");
    assert_true(pointers[0].strength == 0.5); /* between 2 of 4 pairs of words; one twice */
    assert_string_equal(pointers[1].type, "hypernym");
    assert_true(pointers[1].strength == 1);
    assert_string_equal(pointers[3].type, "derivationally_related");
    assert_string_equal(pointers[4].type, "derived_from_adjective");
    assert_int_equal(pointers[4].source, 4);
    assert_int_equal(pointers[4].target, 3);
}

/* ------------------------------------------------------------------ damage */

static void
missing_file_says_which_package(void **state)
{
    struct fixture *fixture = *state;
    char path[128];
    path_of(fixture, "data.verb", path);
    remove(path);
    assert_refused(fixture, "data.verb cannot be read: ");
    assert_non_null(strstr(fixture->error.message, "apt-get install wordnet-base"));
}

static void
cut_line_is_refused(void **state)
{
    struct fixture *fixture = *state;
    cut(fixture, "data.noun", 3 * LINE - 1);
    assert_refused(fixture, "data.noun:3: the file ends in the middle of a line");
}

static void
cut_file_is_refused(void **state)
{
    struct fixture *fixture = *state;
    cut(fixture, "data.adj", 0);
    assert_refused(
        fixture,
        "index.adj:1: \"doggy\" is to be in synset 00000000, which data.adj does not have");
}

static void
cut_index_is_refused(void **state)
{
    struct fixture *fixture = *state;
    cut(fixture, "index.noun", 3 * LINE);
    assert_refused(fixture, "index.noun does not have \"domestic_dog\" of synset 00000200");
}

static void
wrong_offset_is_refused(void **state)
{
    struct fixture *fixture = *state;
    replace(fixture, DATA_NOUN, 1, "00000200", "00000201");
    assert_refused(fixture, "data.noun:2: the synset is at byte 200 but says 00000201");
}

static void
wrong_count_is_refused(void **state)
{
    struct fixture *fixture = *state;
    replace(fixture, DATA_NOUN, 2, "02 animal", "03 animal"); /* two are there */
    assert_refused(fixture, "data.noun:3: \"~\" stands where a number");
}

static void
garbled_number_is_refused(void **state)
{
    struct fixture *fixture = *state;
    replace(fixture, DATA_VERB, 0, "01 dog", "!! dog");
    assert_refused(
        fixture, "data.verb:1: \"!!\" stands where a number of at most 2 hexadecimal digits");
}

static void
unknown_pointer_is_refused(void **state)
{
    struct fixture *fixture = *state;
    replace(fixture, DATA_ADV, 0, "\\", "?");
    assert_refused(fixture, "data.adv:1: \"?\" is no pointer of WordNet");
}

static void
pointer_to_nothing_is_refused(void **state)
{
    struct fixture *fixture = *state;
    replace(fixture, DATA_ADV, 0, "00000000 a", "00000007 a");
    assert_refused(
        fixture, "data.adv:1: a pointer leads to a word of 00000007 in data.adj, which is not");
}

static void
pointer_between_missing_words_is_refused(void **state)
{
    struct fixture *fixture = *state;
    replace(fixture, DATA_ADV, 0, "a 0101", "a 0102");
    assert_refused(
        fixture, "data.adv:1: a pointer leads to a word of 00000000 in data.adj, between");
}

static void
nul_byte_is_refused(void **state)
{
    struct fixture *fixture = *state;
    overwrite(fixture, "data.noun", LINE + 30, "", 1);
    assert_refused(fixture, "data.noun:2: there is a NUL byte");
}

/* Whatever single byte is damaged, reading ends with an answer. Most damage is refused. */
static void
any_damaged_byte_is_survived(void **state)
{
    struct fixture *fixture = *state;
    for (int file = 0; file < FILES; file++)
        for (long i = 0; i < LINES && good[file][i]; i++)
            for (long at = 0; at < (long)strlen(good[file][i]); at++) {
                write_lines(fixture, names[file], good[file]);
                overwrite(fixture, names[file], i * LINE + at, at % 2 ? "\xff" : "9", 1);
                if (!wordnet_parse(fixture->folder, &fixture->wordnet, &fixture->error))
                    assert_non_null(strstr(fixture->error.message, fixture->folder));
                wordnet_free(&fixture->wordnet);
                write_lines(fixture, names[file], good[file]);
            }
}

/* ------------------------------------------------------------------ storing */

static void
load_stores_all(void **state)
{
    struct fixture *fixture = *state;
    struct cortex_concept *dog;
    struct cortex_concept_relationship *up;
    parse(fixture);
    assert_int_equal(wordnet_load(fixture->session, &fixture->wordnet, NULL, NULL), VARVE_OK);
    assert_stored(fixture, 5, 5);
    assert_int_equal(cortex_concept_get_by_name(fixture->session, "dog.n.01", &dog), VARVE_OK);
    assert_int_equal(dog->metadata.count, 4);
    assert_int_equal(dog->embedding_size, 0);
    const struct cortex_concept_relationship_filter filter = {
        .source_id = varve_int64_equals(dog->id), .type = varve_text_equals("antonym")};
    assert_int_equal(
        cortex_concept_relationship_find_one(fixture->session, &filter, &up), VARVE_OK);
    assert_true(up->strength == 0.5);
    cortex_concept_relationship_free(up);
    cortex_concept_free(dog);
}

static void
failed_concept_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    parse(fixture);
    fixture->wordnet.synsets[4].name = fixture->wordnet.synsets[0].name;
    assert_int_equal(wordnet_load(fixture->session, &fixture->wordnet, NULL, NULL), VARVE_CONFLICT);
    assert_non_null(strstr(varve_session_error(fixture->session), "name"));
    assert_stored(fixture, 0, 0);
}

static void
failed_relationship_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    parse(fixture);
    fixture->wordnet.pointers[4] = fixture->wordnet.pointers[0];
    assert_int_equal(wordnet_load(fixture->session, &fixture->wordnet, NULL, NULL), VARVE_CONFLICT);
    assert_stored(fixture, 0, 0);
    fixture->wordnet.pointer_count = 4;
    assert_int_equal(wordnet_load(fixture->session, &fixture->wordnet, NULL, NULL), VARVE_OK);
    assert_stored(fixture, 5, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(synsets_have_names_and_words),
        TEST(senses_follow_the_index),
        TEST(repeated_pointers_are_one),
        TEST(missing_file_says_which_package),
        TEST(cut_line_is_refused),
        TEST(cut_file_is_refused),
        TEST(cut_index_is_refused),
        TEST(wrong_offset_is_refused),
        TEST(wrong_count_is_refused),
        TEST(garbled_number_is_refused),
        TEST(unknown_pointer_is_refused),
        TEST(pointer_to_nothing_is_refused),
        TEST(pointer_between_missing_words_is_refused),
        TEST(nul_byte_is_refused),
        TEST(any_damaged_byte_is_survived),
        TEST(load_stores_all),
        TEST(failed_concept_leaves_nothing),
        TEST(failed_relationship_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
