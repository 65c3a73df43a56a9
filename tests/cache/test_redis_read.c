/* Replies of Redis: what they are read as, and that it does not matter in which portions they come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache/redis_read.h"

enum {
    ROUNDS = 20000,
};

/* What a reader told of some bytes: its pieces in one line each, and how it ended. */
struct told {
    char text[64 * 1024];
    size_t size;
    enum varve__redis_reading end;
    size_t wanted;
};

static void
tell(struct told *told, const struct varve__redis_piece *piece, bool last)
{
    static const char kinds[] = "$+-:_*";
    told->size += (size_t)snprintf(
        told->text + told->size, sizeof told->text - told->size, "%c%zu.%zu.%zu %lld %.*s%s\n",
        kinds[piece->kind], piece->reply, piece->depth, piece->index, (long long)piece->number,
        (int)piece->size, piece->text ? piece->text : "", last ? " ." : "");
    assert_true(told->size < sizeof told->text);
}

/* Reads on with the bytes up to `end`, which are in a block of their own: a read behind it is noticed. */
static void
read_on(struct varve__redis_reader *reader, const char *bytes, size_t end, struct told *told)
{
    struct varve__redis_piece piece;
    bool last;
    char *block = malloc(end + 1);
    assert_non_null(block);
    block = realloc(block, end ? end : 1);
    memcpy(block, bytes, end);
    reader->buffer = block;
    reader->end = end;
    while ((told->end = varve__redis_read(reader, &piece, &last, &told->wanted)) ==
           VARVE__REDIS_PIECE)
        tell(told, &piece, last);
    free(block);
    reader->buffer = NULL;
}

static struct told *
read_all(const char *bytes, size_t size)
{
    static struct told told;
    struct varve__redis_reader reader = {.most = 1 << 20};
    told.size = 0;
    told.text[0] = '\0';
    read_on(&reader, bytes, size, &told);
    return &told;
}

#define READ(literal) read_all(literal, sizeof(literal) - 1)

static void
assert_nonsense(const char *bytes)
{
    struct told *told = read_all(bytes, strlen(bytes));
    if (told->end != VARVE__REDIS_NONSENSE)
        fail_msg("\"%s\" is taken: %d, %s", bytes, told->end, told->text);
}

/* -------------------------------------------------------------------- one kind each */

static void
test_every_kind_is_told(void **state)
{
    (void)state;
    assert_string_equal(READ("+OK\r\n")->text, "+0.0.0 0 OK .\n");
    assert_string_equal(READ("-OOM no\r\n")->text, "-0.0.0 0 OOM no .\n");
    assert_string_equal(READ(":-42\r\n")->text, ":0.0.0 -42  .\n");
    assert_string_equal(READ("$3\r\nfoo\r\n")->text, "$0.0.0 0 foo .\n");
    assert_string_equal(READ("$0\r\n\r\n")->text, "$0.0.0 0  .\n");
    assert_string_equal(READ("$-1\r\n")->text, "_0.0.0 0  .\n");
    assert_string_equal(READ("*-1\r\n")->text, "_0.0.0 0  .\n");
    assert_string_equal(READ("*0\r\n")->text, "*0.0.0 0  .\n");
    assert_string_equal(READ("+\r\n")->text, "+0.0.0 0  .\n");
}

static void
test_a_string_may_hold_any_bytes(void **state)
{
    (void)state;
    struct varve__redis_reader reader = {.most = 10};
    struct varve__redis_piece piece;
    bool last;
    size_t wanted;
    char bytes[] = "$6\r\n\r\n\0$1\r\r\n";
    reader.buffer = bytes;
    reader.end = sizeof bytes - 1;
    assert_int_equal(varve__redis_read(&reader, &piece, &last, &wanted), VARVE__REDIS_PIECE);
    assert_int_equal(piece.size, 6);
    assert_memory_equal(piece.text, "\r\n\0$1\r", 6);
    assert_true(last);
}

static void
test_elements_are_numbered_in_each_array(void **state)
{
    (void)state;
    assert_string_equal(
        READ("*3\r\n*2\r\n:1\r\n:2\r\n$-1\r\n*1\r\n*1\r\n+a\r\n:9\r\n")->text,
        "*0.0.0 3 \n*0.1.0 2 \n:0.2.0 1 \n:0.2.1 2 \n_0.1.1 0 \n*0.1.2 1 \n*0.2.0 1 \n"
        "+0.3.0 0 a .\n:1.0.0 9  .\n");
}

static void
test_an_empty_array_may_end_others(void **state)
{
    (void)state;
    assert_string_equal(
        READ("*1\r\n*2\r\n*0\r\n*0\r\n+b\r\n")->text,
        "*0.0.0 1 \n*0.1.0 2 \n*0.2.0 0 \n*0.2.1 0  .\n+1.0.0 0 b .\n");
}

/* -------------------------------------------------------------------- limits */

static void
test_numbers_reach_to_their_ends_and_no_further(void **state)
{
    (void)state;
    assert_string_equal(READ(":9223372036854775807\r\n")->text, ":0.0.0 9223372036854775807  .\n");
    assert_string_equal(
        READ(":-9223372036854775808\r\n")->text, ":0.0.0 -9223372036854775808  .\n");
    assert_nonsense(":9223372036854775808\r\n");
    assert_nonsense(":-9223372036854775809\r\n");
    assert_nonsense(":18446744073709551617\r\n");
    assert_nonsense(":00000000000000000001\r\n");
}

static void
test_what_is_no_reply_is_refused(void **state)
{
    static const char *const bytes[] = {
        "HTTP/1.1 400 Bad Request\r\n",
        ":\r\n",
        ":-\r\n",
        ":+1\r\n",
        ": 1\r\n",
        ":1 \r\n",
        ":1\n",
        ":1\rx",
        ":--1\r\n",
        "$-2\r\n",
        "*-2\r\n",
        "$3\r\nfoobar",
        "$3\r\nfoo\n\n",
        "$3\r\nfoo\rx",
        "$x\r\n",
        "+a\rb\r\n",
        "%1\r\n",
        "_\r\n",
        "#t\r\n",
        ",1.5\r\n",
        "(1\r\n",
        "~1\r\n",
        ">1\r\n",
        "=3\r\ntxt\r\n",
        "*1\r\n\r\n",
        "\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++)
        assert_nonsense(bytes[i]);
}

static void
test_arrays_are_nested_so_deep_and_no_deeper(void **state)
{
    (void)state;
    assert_int_equal(READ("*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n")->end, VARVE__REDIS_MORE);
    assert_non_null(strstr(READ("*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n")->text, ":0.4.0 1  .\n"));
    assert_non_null(strstr(READ("*1\r\n*1\r\n*1\r\n*1\r\n*0\r\n")->text, "*0.4.0 0  .\n"));
    assert_nonsense("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n");
}

static void
test_a_string_over_the_limit_is_refused_at_once(void **state)
{
    (void)state;
    assert_int_equal(READ("$1048577\r\n")->end, VARVE__REDIS_TOO_LARGE);
    assert_int_equal(READ("$9223372036854775807\r\n")->end, VARVE__REDIS_TOO_LARGE);
    assert_int_equal(READ("$1048576\r\n")->end, VARVE__REDIS_MORE);
    assert_int_equal(READ("$1048576\r\n")->wanted, 1048576 + 2);
}

static void
test_a_line_without_end_is_refused(void **state)
{
    (void)state;
    static char bytes[VARVE__REDIS_LINE_MAX + 2];
    memset(bytes, 'x', sizeof bytes);
    bytes[0] = '-';
    assert_int_equal(read_all(bytes, sizeof bytes - 1)->end, VARVE__REDIS_MORE);
    assert_int_equal(read_all(bytes, sizeof bytes)->end, VARVE__REDIS_NONSENSE);
}

static void
test_what_is_wanted_would_do(void **state)
{
    (void)state;
    assert_int_equal(READ("")->wanted, 1);
    assert_int_equal(READ("$1")->wanted, 1);
    assert_int_equal(READ("$5\r\n")->wanted, 7);
    assert_int_equal(READ("$5\r\nabc")->wanted, 4);
    assert_int_equal(READ("$5\r\nabcde")->wanted, 2);
    assert_int_equal(READ("$5\r\nabcde\r")->wanted, 1);
    assert_string_equal(READ("$5\r\nabcde\r")->text, "");
}

/* -------------------------------------------------------------------- any portions */

static uint64_t seed = 20240917;

static size_t
random_below(size_t limit)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(seed >> 33) % limit;
}

static size_t
write_random(char *at, size_t depth)
{
    size_t size = random_below(40), count = random_below(4), used;
    switch (random_below(depth < VARVE__REDIS_DEPTH_MAX ? 8 : 6)) {
    case 0:
        return (size_t)sprintf(at, ":%lld\r\n", (long long)random_below(1 << 20) - 1000);
    case 1:
        return (size_t)sprintf(at, "$-1\r\n");
    case 2:
        return (size_t)sprintf(at, "-ERR %zu\r\n", size);
    case 3:
        return (size_t)sprintf(at, "+%.*s\r\n", (int)count, "abc");
    case 4:
    case 5:
        used = (size_t)sprintf(at, "$%zu\r\n", size);
        for (size_t i = 0; i < size; i++)
            at[used++] = "\r\n$*:a1"[random_below(7)];
        return used + (size_t)sprintf(at + used, "\r\n");
    default:
        used = (size_t)sprintf(at, "*%zu\r\n", count);
        for (size_t i = 0; i < count; i++)
            used += write_random(at + used, depth + 1);
        return used;
    }
}

/* Half of them with a byte that is changed. */
static size_t
write_replies(char *bytes)
{
    size_t size = 0;
    for (size_t i = random_below(5) + 1; i > 0; i--)
        size += write_random(bytes + size, 0);
    if (random_below(2) == 0)
        bytes[random_below(size)] = "\r\n$*:+-09\xFF"[random_below(10)];
    return size;
}

static void
test_portions_of_any_size_tell_the_same(void **state)
{
    static char bytes[64 * 1024];
    static struct told whole, cut;
    (void)state;
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t size = write_replies(bytes);
        struct varve__redis_reader reader = {.most = 1 << 20};
        whole = *read_all(bytes, size);
        cut.size = 0;
        cut.text[0] = '\0';
        for (size_t end = 0; end < size;) {
            end += 1 + random_below(random_below(2) ? 3 : size - end);
            end = end < size ? end : size;
            read_on(&reader, bytes, end, &cut);
        }
        assert_string_equal(cut.text, whole.text);
        assert_int_equal(cut.end, whole.end);
        assert_int_equal(cut.wanted, whole.wanted);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_is_told),
        cmocka_unit_test(test_a_string_may_hold_any_bytes),
        cmocka_unit_test(test_elements_are_numbered_in_each_array),
        cmocka_unit_test(test_an_empty_array_may_end_others),
        cmocka_unit_test(test_numbers_reach_to_their_ends_and_no_further),
        cmocka_unit_test(test_what_is_no_reply_is_refused),
        cmocka_unit_test(test_arrays_are_nested_so_deep_and_no_deeper),
        cmocka_unit_test(test_a_string_over_the_limit_is_refused_at_once),
        cmocka_unit_test(test_a_line_without_end_is_refused),
        cmocka_unit_test(test_what_is_wanted_would_do),
        cmocka_unit_test(test_portions_of_any_size_tell_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
