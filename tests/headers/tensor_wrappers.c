/* Every wrapper of a tensor makes its call with its own table, key and field: the tensors of one record hold
 * different numbers, and each is read, written in pieces and given up on a real store. What the calls do beyond
 * that is tested in tests/store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shapes.varve.h"

enum {
    ROWS = 2,
    COLUMNS = 3,
    ID = 41
};

static struct varve_store *store;
static struct varve_session *session;

static float floats[] = {1, 2, 3, 4, 5, 6};
static double doubles[] = {11, 12};
static int32_t int32s[] = {21, 22, 23};
static uint64_t fixed64s[] = {31, 32, 33, UINT64_MAX};
static int8_t int8s[] = {-41, 42};
static uint8_t uint8s[] = {51, 255};
static int16_t int16s[] = {-61, 62};
static uint16_t uint16s[] = {71, 65535};
static uint16_t float16s[] = {0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600};

static void
expect(enum varve_status expected, enum varve_status status)
{
    if (status != expected)
        fail_msg(
            "%s: %s", varve_status_name(status),
            status > VARVE_DONE ? varve_session_error(session) : "");
}

static int
open_store(void **state)
{
    (void)state;
    const struct varve_config config = {.data_dir = ":memory:"};
    struct varve_error error;
    if (varve_open(&shapes_schema, &config, &store, &error) != VARVE_OK) {
        print_error("%s\n", error.message);
        return -1;
    }
    return varve_session_open(store, &session) == VARVE_OK ? 0 : -1;
}

static int
close_store(void **state)
{
    (void)state;
    varve_session_close(session);
    varve_close(store);
    return 0;
}

static void
insert(void)
{
    struct shapes_tensors record = SHAPES_TENSORS_INIT;
    record.id = ID;
    record.rows = ROWS;
    record.columns = COLUMNS;
    record.floats = (struct varve_floats){.count = 6, .data = floats};
    record.doubles = (struct varve_doubles){.count = 2, .data = doubles};
    record.int32s = (struct varve_int32s){.count = 3, .data = int32s};
    record.fixed64s = (struct varve_uint64s){.count = 4, .data = fixed64s};
    record.int8s = (struct varve_int8s){.count = 2, .data = int8s};
    record.uint8s = (struct varve_uint8s){.count = 2, .data = uint8s};
    record.int16s = (struct varve_int16s){.count = 2, .data = int16s};
    record.uint16s = (struct varve_uint16s){.count = 2, .data = uint16s};
    record.float16s = (struct varve_uint16s){.count = 6, .data = float16s};
    expect(VARVE_OK, shapes_tensors_insert(session, &record));
}

/* The tensor with these numbers, in the order of the message. */
#define EACH_TENSOR(DO)                                                                            \
    DO(floats, float, ROWS, COLUMNS)                                                               \
    DO(doubles, double, ROWS, 1)                                                                   \
    DO(int32s, int32_t, 3, 1)                                                                      \
    DO(fixed64s, uint64_t, ROWS, 2)                                                                \
    DO(int8s, int8_t, ROWS, 1)                                                                     \
    DO(uint8s, uint8_t, ROWS, 1)                                                                   \
    DO(int16s, int16_t, ROWS, 1)                                                                   \
    DO(uint16s, uint16_t, ROWS, 1)                                                                 \
    DO(float16s, uint16_t, ROWS, COLUMNS)

/* All of it, and its last element alone. */
#define READ(field, element, rows, columns)                                                        \
    {                                                                                              \
        element read[(rows) * (columns)];                                                          \
        expect(VARVE_OK, shapes_tensors_read_##field(session, ID, NULL, read, sizeof(read)));      \
        assert_memory_equal(read, field, sizeof(read));                                            \
        const struct varve_range last = {                                                          \
            .start = {(rows)-1, (columns)-1},                                                      \
            .count = {1, 1},                                                                       \
        };                                                                                         \
        element one;                                                                               \
        expect(VARVE_OK, shapes_tensors_read_##field(session, ID, &last, &one, sizeof(one)));      \
        assert_memory_equal(&one, &field[(rows) * (columns)-1], sizeof(one));                      \
    }

static void
read_all(void)
{
    EACH_TENSOR(READ)
}

/* Other elements, row by row: `field` is read again afterwards. */
#define WRITE(field, element, rows, columns)                                                       \
    {                                                                                              \
        const int64_t dims[] = {rows, columns};                                                    \
        struct varve_tensor_writer *writer;                                                        \
        memcpy(field, &field[columns], sizeof(field[0]) * (columns));                              \
        expect(VARVE_OK, shapes_tensors_write_##field##_begin(session, ID, dims, &writer));        \
        for (int row = 0; row < (rows); row++)                                                     \
            expect(                                                                                \
                VARVE_OK,                                                                          \
                shapes_tensors_write_##field##_rows(writer, &field[row * (columns)], 1));          \
        expect(VARVE_OK, shapes_tensors_write_##field##_finish(writer));                           \
        read_all();                                                                                \
    }

#define GIVE_UP(field, element, rows, columns)                                                     \
    {                                                                                              \
        const int64_t dims[] = {rows, columns};                                                    \
        static const element zeros[(rows) * (columns)];                                            \
        struct varve_tensor_writer *writer;                                                        \
        expect(VARVE_OK, shapes_tensors_write_##field##_begin(session, ID, dims, &writer));        \
        expect(VARVE_OK, shapes_tensors_write_##field##_rows(writer, zeros, rows));                \
        shapes_tensors_write_##field##_cancel(writer);                                             \
        shapes_tensors_write_##field##_cancel(NULL);                                               \
        read_all();                                                                                \
    }

static void
each_tensor_is_read_as_a_whole_and_in_part(void **state)
{
    (void)state;
    insert();
    read_all();
}

static void
each_tensor_is_read_in_the_archive(void **state)
{
    (void)state;
    insert();
    expect(VARVE_OK, varve_flush(store));
    read_all();
}

static void
each_tensor_is_written_in_pieces(void **state)
{
    (void)state;
    insert();
    EACH_TENSOR(WRITE)
}

static void
each_tensor_stays_when_writing_is_given_up(void **state)
{
    (void)state;
    insert();
    EACH_TENSOR(GIVE_UP)
}

#define ON_A_STORE(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_STORE(each_tensor_is_read_as_a_whole_and_in_part),
        ON_A_STORE(each_tensor_is_read_in_the_archive),
        ON_A_STORE(each_tensor_is_written_in_pieces),
        ON_A_STORE(each_tensor_stays_when_writing_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
