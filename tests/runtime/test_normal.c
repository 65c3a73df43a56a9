/* The normal form of CREATE statements: what is the same, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "migrate/normal.h"

static enum varve_status
read_normal(struct varve__arena *arena, const char *sql, struct varve__normal *normal)
{
    struct varve__sql_piece piece = {sql, strlen(sql)};
    return varve__normal_read(arena, &piece, normal);
}

static bool
are_equal(const char *left, const char *right)
{
    struct varve__normal a;
    struct varve__normal b;
    struct varve__arena *arena = varve__arena_create(64);
    assert_int_equal(read_normal(arena, left, &a), VARVE_OK);
    assert_int_equal(read_normal(arena, right, &b), VARVE_OK);
    bool equal = varve__normal_equal(&a, &b);
    varve__arena_release(arena);
    return equal;
}

static void
test_texts_of_the_same_meaning_are_equal(void **state)
{
    static const char *const same[][2] = {
        {"CREATE TABLE \"a\" (\"x\" TEXT, \"y\" INTEGER) STRICT",
         "create table a(y integer,x text)strict;"},
        {"CREATE TABLE a (x TEXT -- why, (\n, y /* , */ BLOB)", "CREATE TABLE a (x TEXT, y BLOB)"},
        {"CREATE TABLE a (x REAL CHECK (\"x\" >= 1.5e-3))",
         "CREATE TABLE a ([x] REAL CHECK(`x`>=1.5E-3))"},
        {"CREATE TABLE a (x TEXT DEFAULT '', PRIMARY KEY (x, y))",
         "CREATE TABLE b (PRIMARY KEY(x,y), x TEXT DEFAULT '')"},
        {"CREATE INDEX \"a.2\" ON \"a\" (\"x\") WHERE \"x\" > 0",
         "CREATE INDEX \"a.2\" ON a(x) where x>0"},
        {"CREATE TABLE a (\"odd name\" TEXT)", "CREATE TABLE a ([odd name] TEXT)"},
        {"CREATE TABLE a (x BLOB DEFAULT x'AB')", "CREATE TABLE a (x BLOB DEFAULT X'ab')"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        if (!are_equal(same[i][0], same[i][1]))
            fail_msg("%s\n%s", same[i][0], same[i][1]);
    }
}

static void
test_texts_of_another_meaning_are_not(void **state)
{
    static const char *const others[][2] = {
        {"CREATE TABLE a (x TEXT)", "CREATE TABLE a (x TEXT) STRICT"},
        {"CREATE TABLE a (x TEXT)", "CREATE TABLE a (x TEXT, y TEXT)"},
        {"CREATE TABLE a (x TEXT DEFAULT 'A')", "CREATE TABLE a (x TEXT DEFAULT 'a')"},
        {"CREATE TABLE a (x TEXT, PRIMARY KEY (x, y))",
         "CREATE TABLE a (x TEXT, PRIMARY KEY (y, x))"},
        {"CREATE TABLE a (x REAL CHECK (x > 1))", "CREATE TABLE a (x REAL CHECK (x >= 1))"},
        {"CREATE TABLE a (x TEXT)", "CREATE TABLE a (\"x y\" TEXT)"},
        {"CREATE INDEX i ON a (x, y)", "CREATE INDEX i ON a (y, x)"},
        {"CREATE INDEX i ON a (x)", "CREATE UNIQUE INDEX i ON a (x)"},
        {"CREATE INDEX i ON a (x)", "CREATE INDEX i ON a (x) WHERE x > 0"},
        {"CREATE INDEX i ON a (x)", "CREATE INDEX i ON b (x)"},
        {"CREATE TABLE a (x TEXT)", "CREATE INDEX i ON a (x)"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (are_equal(others[i][0], others[i][1]))
            fail_msg("%s\n%s", others[i][0], others[i][1]);
    }
}

static void
test_other_statements_have_no_normal_form(void **state)
{
    static const char *const others[] = {
        "",
        ";",
        "SELECT (1)",
        "CREATE TABLE a",
        "CREATE TABLE a (x TEXT",
        "CREATE INDEX i (x)",
        "CREATE VIEW v AS SELECT (1)",
        "create",
        "(",
        "CREATE TABLE a AS SELECT 1"};
    struct varve__normal normal;
    struct varve__arena *arena = varve__arena_create(64);
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (read_normal(arena, others[i], &normal) != VARVE_NOT_FOUND)
            fail_msg("%s", others[i]);
    }
    varve__arena_release(arena);
}

static void
test_names_are_those_of_the_objects(void **state)
{
    static const char *const names[][2] = {
        {"CREATE TABLE \"Odd \"\"name\" (x)", "odd \"name"},     {"CREATE TABLE Plain(x)", "plain"},
        {"CREATE UNIQUE INDEX \"a.2\" ON \"a\" (\"x\")", "a.2"}, {"CREATE INDEX i ON a (x)", "i"},
        {"CREATE TABLE a_name_that_is_too_long_for_it (x)", ""}, {"", ""}};
    char name[24];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct varve__sql_piece piece = {names[i][0], strlen(names[i][0])};
        varve__normal_name(&piece, name, sizeof name);
        assert_string_equal(name, names[i][1]);
    }
}

static void
test_statements_are_cut_at_their_semicolons(void **state)
{
    static const char *const pieces[] = {"a ';' \"b;\" [;] /* ; */ c;", ";", "d -- ;\n;", "e"};
    const char *text = " -- one; two\n a ';' \"b;\" [;] /* ; */ c; ; d -- ;\n; e";
    struct varve__sql_piece piece;
    (void)state;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        assert_true(varve__normal_next(&text, &piece));
        assert_int_equal(piece.size, strlen(pieces[i]));
        assert_memory_equal(piece.text, pieces[i], piece.size);
    }
    assert_false(varve__normal_next(&text, &piece));
    text = " /* no end";
    assert_false(varve__normal_next(&text, &piece));
}

/* Texts that are cut anywhere do no harm. */
static void
test_cut_texts_are_read_to_their_end(void **state)
{
    static const char sql[] =
        "CREATE TABLE \"a\"\"b\" (`x` TEXT DEFAULT 'it''s', [y] BLOB DEFAULT x'00' /* c */, "
        "z REAL CHECK (z >= -1.5e+3 AND z <> .5)) STRICT -- end";
    char cut[sizeof sql];
    struct varve__normal normal;
    struct varve__arena *arena = varve__arena_create(64);
    (void)state;
    for (size_t size = 0; size < sizeof sql; size++) {
        snprintf(cut, size + 1, "%s", sql);
        enum varve_status status = read_normal(arena, cut, &normal);
        assert_true(status == VARVE_OK || status == VARVE_NOT_FOUND);
    }
    assert_int_equal(normal.parts.count, 3);
    varve__arena_release(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_of_the_same_meaning_are_equal),
        cmocka_unit_test(test_texts_of_another_meaning_are_not),
        cmocka_unit_test(test_other_statements_have_no_normal_form),
        cmocka_unit_test(test_names_are_those_of_the_objects),
        cmocka_unit_test(test_statements_are_cut_at_their_semicolons),
        cmocka_unit_test(test_cut_texts_are_read_to_their_end),
    };
    return cmocka_run_group_tests_name("normal", tests, NULL, NULL);
}
