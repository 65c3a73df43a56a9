/* Damaged bytes: what unpacking refuses, and how it says so. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

struct damage {
    const char *bytes;
    size_t size;
    enum varve_failure_kind kind;
    const char *words;
};

#define DAMAGE(literal, kind, words)                                                               \
    {                                                                                              \
        literal, sizeof(literal) - 1, VARVE_FAILURE_##kind, words                                  \
    }

static const struct damage damages[] = {
    DAMAGE("\x80", WIRE, "lab.Sample has no valid tag at byte 0"),
    DAMAGE("\x00\x01", WIRE, "no valid tag at byte 0"),
    DAMAGE("\x80\x00\x01", WIRE, "no valid tag at byte 0"),
    DAMAGE("\x08\x01\xFF\xFF\xFF\xFF\x7F\x01", WIRE, "no valid tag at byte 2"),
    DAMAGE("\x08", WIRE, "lab.Sample.id has a number that is cut or too long at byte 1"),
    DAMAGE("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", WIRE, "too long at byte 1"),
    DAMAGE(
        "\x12\x05"
        "abc",
        WIRE,
        "lab.Sample.name goes beyond the end of the data at byte 1"),
    DAMAGE("\x12\xFF\xFF\xFF\xFF\x0F", WIRE, "goes beyond the end"),
    DAMAGE("\x12\xFF\xFF\xFF\xFF\xFF\x01", WIRE, "goes beyond the end"),
    DAMAGE("\x29\x01\x02", WIRE, "lab.Sample.score goes beyond the end"),
    DAMAGE("\xAD\x01\x01\x02", WIRE, "lab.Sample.ratio goes beyond the end"),
    DAMAGE("\x0B\x0C", WIRE, "lab.Sample.id is sent as a group"),
    DAMAGE("\xEB\x01\xEC\x01", WIRE, "has a group at byte 1"),
    DAMAGE("\xEF\x01", WIRE, "has an unknown wire type at byte 1"),
    DAMAGE("\x0F", WIRE, "lab.Sample.id is sent as an unknown wire type"),
    DAMAGE(
        "\x0A\x01\x01",
        WIRE,
        "id is sent as bytes with a length (byte 0), but its type needs a varint"),
    DAMAGE(
        "\x10\x01",
        WIRE,
        "name is sent as a varint (byte 0), but its type needs bytes with a length"),
    DAMAGE("\x42\x01\x01", WIRE, "lab.Sample.ready is sent as bytes"),
    DAMAGE(
        "\x52\x02\x01\x80",
        WIRE,
        "lab.Sample.counts has a number that is cut or too long at byte 3"),
    DAMAGE(
        "\x82\x01\x07"
        "1234567",
        WIRE,
        "lab.Sample.weights holds no whole number of elements"),
    DAMAGE(
        "\x12\x03"
        "ab\xFF",
        UTF8,
        "lab.Sample.name is no UTF-8 or holds a NUL (byte 4 of the data)"),
    DAMAGE(
        "\x12\x03"
        "a\0b",
        UTF8,
        "lab.Sample.name is no UTF-8 or holds a NUL (byte 3 of"),
    DAMAGE(
        "\x4A\x01"
        "a\x4A\x01\xC2",
        UTF8,
        "lab.Sample.tags: element 1 is no UTF-8"),
    DAMAGE(
        "\x5A\x00\x5A\x03\x12\x01\xC2",
        UTF8,
        "lab.Sample.metadata: the value of entry 1 is no UTF-8"),
    DAMAGE("\x5A\x03\x0A\x01\0", UTF8, "lab.Sample.metadata: the key of entry 0 is no UTF-8"),
    DAMAGE(
        "\x62\x07\x22\x00\x22\x03\x2A\x01\x80",
        UTF8,
        "lab.Sample.root.children[1].label is no UTF-8"),
    DAMAGE("\x62\x02\x08\x80", WIRE, "lab.Sample.root.value has a number that is cut"),
};

static void
each_damage_of_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        /* in a block of its own, so that a read behind the end is seen */
        uint8_t *data = test_malloc(damages[i].size);
        void *record = &record;
        memcpy(data, damages[i].bytes, damages[i].size);
        assert_int_equal(
            varve_record_unpack(&lab_sample_record, data, damages[i].size, &record), VARVE_INVALID);
        assert_null(record);
        assert_failure(damages[i].kind, damages[i].words);
        test_free(data);
    }
}

/* Unpacks what may be damaged; what comes out must be a record that can be packed again. */
static void
unpack_anything(const uint8_t *data, size_t size)
{
    uint8_t *exact = test_malloc(size);
    void *record;
    struct varve_bytes bytes;
    memcpy(exact, data, size);
    enum varve_status status = varve_record_unpack(&lab_sample_record, exact, size, &record);
    test_free(exact);
    if (status == VARVE_OK) {
        struct lab_sample *sample = record;
        sample->rows = 1; /* dims are no matter of the wire */
        sample->columns = sample->weights.count;
        assert_int_equal(varve_record_pack(&lab_sample_record, record, &bytes), VARVE_OK);
        assert_int_equal(bytes.size, protobuf_c_message_get_packed_size(record));
        varve_bytes_free(&bytes);
        varve_record_free(record);
    } else {
        assert_int_equal(status, VARVE_INVALID);
        assert_null(record);
    }
}

static void
a_message_cut_at_every_byte(void **state)
{
    (void)state;
    struct lab_sample sample = full_sample();
    struct varve_bytes bytes;
    assert_int_equal(varve_record_pack(&lab_sample_record, &sample, &bytes), VARVE_OK);
    for (size_t size = 0; size < bytes.size; size++)
        unpack_anything(bytes.data, size);
    varve_bytes_free(&bytes);
}

static void
a_message_with_every_byte_changed(void **state)
{
    (void)state;
    struct lab_sample sample = full_sample();
    struct varve_bytes bytes;
    assert_int_equal(varve_record_pack(&lab_sample_record, &sample, &bytes), VARVE_OK);
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t right = bytes.data[i];
        for (unsigned wrong = 0; wrong < 256; wrong += 5) {
            bytes.data[i] = (uint8_t)wrong;
            unpack_anything(bytes.data, bytes.size);
        }
        bytes.data[i] = right;
    }
    varve_bytes_free(&bytes);
}

static void
a_hundred_levels_and_not_one_more(void **state)
{
    (void)state;
    static const size_t levels[] = {100, 101, 100000};
    for (size_t i = 0; i < 3; i++) {
        void *record;
        size_t size;
        uint8_t *data = packed_chain(levels[i], &size);
        enum varve_status status = varve_record_unpack(&lab_node_record, data, size, &record);
        assert_int_equal(status, i == 0 ? VARVE_OK : VARVE_INVALID);
        if (i > 0)
            assert_failure(VARVE_FAILURE_DEPTH, "is nested more than 100 levels deep");
        varve_record_free(record);
        test_free(data);
    }
}

static void
more_than_two_gibibytes(void **state)
{
    (void)state;
    void *record;
    assert_int_equal(
        varve_record_unpack(&lab_sample_record, "", (size_t)1 << 31, &record), VARVE_INVALID);
    assert_failure(VARVE_FAILURE_SIZE, "messages stay below 2 GiB");
}

static void
half_an_element_of_a_dtype_tensor(void **state)
{
    (void)state;
    void *record;
    assert_int_equal(
        varve_record_unpack(
            &lab_trace_record,
            "\x12\x03"
            "abc",
            5, &record),
        VARVE_INVALID);
    assert_null(record);
    assert_failure(VARVE_FAILURE_WIRE, "lab.Trace.samples has 3 bytes, which is no whole number");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_damage_of_the_table),
        cmocka_unit_test(a_message_cut_at_every_byte),
        cmocka_unit_test(a_message_with_every_byte_changed),
        cmocka_unit_test(a_hundred_levels_and_not_one_more),
        cmocka_unit_test(more_than_two_gibibytes),
        cmocka_unit_test(half_an_element_of_a_dtype_tensor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
