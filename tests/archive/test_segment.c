/* Segments that are written and read back, in every layout, compression and portion. */
#define _GNU_SOURCE /* flock */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <hdf5.h>

#include "base/error.h"
#include "segment_support.h"

/* Every chunk's address comes from one write that the driver sees; with this on there are two of each, and
 * libhdf5 has to be asked. */
static bool writes_twice;

herr_t
__real_H5Dwrite_chunk(
    hid_t dataset,
    hid_t transfer,
    uint32_t mask,
    const hsize_t *offset,
    size_t size,
    const void *data);
herr_t
__wrap_H5Dwrite_chunk(
    hid_t dataset,
    hid_t transfer,
    uint32_t mask,
    const hsize_t *offset,
    size_t size,
    const void *data);

herr_t
__wrap_H5Dwrite_chunk(
    hid_t dataset,
    hid_t transfer,
    uint32_t mask,
    const hsize_t *offset,
    size_t size,
    const void *data)
{
    if (writes_twice && __real_H5Dwrite_chunk(dataset, transfer, mask, offset, size, data) < 0)
        return -1;
    return __real_H5Dwrite_chunk(dataset, transfer, mask, offset, size, data);
}

static int
setup(void **state)
{
    *state = lab_folder_make();
    return 0;
}

static int
teardown(void **state)
{
    writes_twice = false;
    lab_folder_delete(*state);
    return 0;
}

/* Writes, compares, and sees that the file is there under its name alone. */
static void
write_and_check(struct lab *lab, const struct lab_data *data, size_t portion)
{
    struct varve__segment *segment;
    size_t before = lab_count_files(lab->options.folder, ".h5");
    assert_int_equal(lab_write(lab, data, portion, &segment), VARVE_OK);
    lab_check(lab, data, segment);
    varve__segment_release(segment);
    assert_int_equal(lab_count_files(lab->options.folder, ".h5"), before + 1);
    assert_int_equal(lab_count_files(lab->options.folder, ".tmp"), 0);
}

/* -------------------------------------------------------------------- contents */

static void
every_compression_reads_back_in_both_layouts(void **state)
{
    struct lab lab;
    struct lab_data data;
    lab_init(&lab, *state);
    lab_data_make(&data, 23, 12, 1);
    for (int compression = VARVE_ARCHIVE_NONE; compression <= VARVE_ARCHIVE_ZSTD; compression++)
        for (int flags = 0; flags < 8; flags++) {
            lab.archive.compression = (enum varve_archive_compression)compression;
            lab.archive.shuffle = flags & 1;
            lab.archive.checksum = flags & 2;
            lab.archive.layout = flags & 4 ? VARVE_ARCHIVE_OBJECT : VARVE_ARCHIVE_COLUMN;
            write_and_check(&lab, &data, SIZE_MAX);
        }
    lab_data_free(&data);
}

static void
portions_of_any_size_make_the_same_segment(void **state)
{
    static const size_t portions[] = {1, 7, 64, 333, 5000, SIZE_MAX};
    struct lab lab;
    struct lab_data data;
    struct varve__workers *workers;
    assert_int_equal(varve__workers_create(2, &workers), VARVE_OK);
    lab_init(&lab, *state);
    lab_data_make(&data, 40, 20, 2);
    for (size_t i = 0; i < sizeof portions / sizeof *portions; i++)
        for (int flags = 0; flags < 8; flags++) {
            lab.archive.layout = flags & 1 ? VARVE_ARCHIVE_OBJECT : VARVE_ARCHIVE_COLUMN;
            lab.archive.compression = flags & 2 ? VARVE_ARCHIVE_NONE : VARVE_ARCHIVE_DEFLATE;
            lab.options.workers = flags & 4 ? workers : NULL;
            write_and_check(&lab, &data, portions[i]);
        }
    varve__workers_release(workers);
    lab_data_free(&data);
}

static void
chunks_end_where_bands_do(void **state)
{
    static const int64_t sizes[] = {1, 2, 8, 100, 160, 720, 7200, 7208, 1 << 20, 0};
    struct lab lab;
    struct lab_data data;
    lab_init(&lab, *state);
    lab_data_make(&data, 9, 30, 3);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int layout = VARVE_ARCHIVE_COLUMN; layout <= VARVE_ARCHIVE_OBJECT; layout++) {
            lab.options.chunk_bytes = sizes[i];
            lab.archive.layout = (enum varve_archive_layout)layout;
            write_and_check(&lab, &data, i % 2 ? 101 : SIZE_MAX);
        }
    lab_data_free(&data);
}

static void
no_records_one_record_and_empty_tensors_are_segments(void **state)
{
    struct lab lab;
    lab_init(&lab, *state);
    for (size_t count = 0; count < 3; count++)
        for (int flags = 0; flags < 4; flags++) {
            struct lab_data data;
            lab.archive.layout = flags & 1 ? VARVE_ARCHIVE_OBJECT : VARVE_ARCHIVE_COLUMN;
            lab.archive.compression = flags & 2 ? VARVE_ARCHIVE_NONE : VARVE_ARCHIVE_DEFLATE;
            lab_data_make(&data, count, 1, 4); /* all dims of fields are 0 */
            write_and_check(&lab, &data, SIZE_MAX);
            lab_data_free(&data);
        }
}

static void
a_column_has_one_dataset_an_object_one_for_each_tensor_with_elements(void **state)
{
    struct lab lab;
    struct lab_data data;
    struct varve__segment *segment;
    size_t with_elements = 0, dataset, last = 0;
    int64_t element;
    lab_init(&lab, *state);
    lab_data_make(&data, 12, 5, 5);
    assert_int_equal(lab_write(&lab, &data, SIZE_MAX, &segment), VARVE_OK);
    assert_int_equal(varve__segment_dataset_count(segment), TENSORS);
    varve__segment_release(segment);
    lab.archive.layout = VARVE_ARCHIVE_OBJECT;
    assert_int_equal(lab_write(&lab, &data, SIZE_MAX, &segment), VARVE_OK);
    for (size_t record = 0; record < data.count; record++)
        for (size_t t = 0; t < TENSORS; t++)
            if (varve__segment_place(segment, record, t, &dataset, &element)) {
                assert_int_equal(element, 0);
                assert_int_equal(dataset, with_elements++); /* by record, then by tensor */
                last = dataset;
            }
    assert_true(with_elements > data.count && with_elements < data.count * TENSORS);
    assert_int_equal(varve__segment_dataset_count(segment), last + 1);
    varve__segment_release(segment);
    lab_data_free(&data);
}

static void
uncompressed_objects_are_contiguous_and_aligned(void **state)
{
    struct lab lab;
    struct lab_data data;
    struct varve__segment *segment;
    size_t large = 0;
    lab_init(&lab, *state);
    lab.archive.layout = VARVE_ARCHIVE_OBJECT;
    lab.archive.compression = VARVE_ARCHIVE_NONE;
    lab_data_make(&data, 5, 40, 6);
    assert_int_equal(lab_write(&lab, &data, SIZE_MAX, &segment), VARVE_OK);
    for (size_t i = 0; i < varve__segment_dataset_count(segment); i++) {
        const struct varve__dataset *dataset = varve__segment_dataset(segment, i);
        int64_t first, count;
        for (int64_t chunk = 0; chunk < dataset->grid.chunk_count; chunk++) {
            varve__grid_chunk(&dataset->grid, chunk, &first, &count);
            assert_int_equal(
                dataset->chunks[chunk].address,
                dataset->chunks[0].address + (uint64_t)first * dataset->grid.element);
            assert_int_equal(dataset->chunks[chunk].size, (size_t)count * dataset->grid.element);
        }
        if ((size_t)dataset->grid.count * dataset->grid.element >= 4096) {
            assert_int_equal(dataset->chunks[0].address % 4096, 0);
            large++;
        }
    }
    assert_true(large > 0);
    varve__segment_release(segment);
    lab_data_free(&data);
}

static void
addresses_are_right_where_the_driver_cannot_tell(void **state)
{
    struct lab lab;
    struct lab_data data;
    lab_init(&lab, *state);
    lab_data_make(&data, 20, 12, 7);
    writes_twice = true;
    write_and_check(&lab, &data, SIZE_MAX);
    lab_data_free(&data);
}

static void
little_memory_is_enough(void **state)
{
    struct lab lab;
    struct lab_data data;
    struct varve__workers *workers;
    assert_int_equal(varve__workers_create(3, &workers), VARVE_OK);
    lab_init(&lab, *state);
    lab.options.memory_bytes = 1;
    lab.options.workers = workers;
    lab_data_make(&data, 30, 15, 8);
    write_and_check(&lab, &data, SIZE_MAX);
    write_and_check(&lab, &data, 11);
    varve__workers_release(workers);
    lab_data_free(&data);
}

/* -------------------------------------------------------------------- life */

static struct varve__segment *
begin(struct lab *lab, const struct lab_data *data)
{
    struct varve__segment *segment;
    const struct varve__segment_records records = {.count = data->count, .ids = data->ids};
    assert_int_equal(
        varve__segment_create(&lab->options, &records, data->tensors, TENSORS, &segment), VARVE_OK);
    return segment;
}

static void
a_segment_that_is_not_finished_leaves_nothing(void **state)
{
    struct lab lab;
    struct lab_data data;
    lab_init(&lab, *state);
    lab_data_make(&data, 8, 12, 9);
    for (int layout = VARVE_ARCHIVE_COLUMN; layout <= VARVE_ARCHIVE_OBJECT; layout++) {
        lab.archive.layout = (enum varve_archive_layout)layout;
        struct varve__segment *segment = begin(&lab, &data);
        assert_int_equal(lab_count_files(*state, ".h5.tmp"), 1);
        assert_int_equal(varve__segment_append(segment, 5, data.elements[5], 1000), VARVE_OK);
        varve__segment_release(segment);
        assert_int_equal(lab_count_files(*state, ""), 0);
    }
    varve__segment_release(NULL);
    lab_data_free(&data);
}

static void
missing_and_surplus_elements_are_refused(void **state)
{
    struct lab lab;
    struct lab_data data;
    lab_init(&lab, *state);
    lab_data_make(&data, 8, 12, 10);
    struct varve__segment *segment = begin(&lab, &data);
    size_t count = data.element_counts[5];
    assert_int_equal(varve__segment_append(segment, 5, data.elements[5], count - 1), VARVE_OK);
    assert_int_equal(varve__segment_append(segment, 5, data.elements[5], 2), VARVE_MISUSE);
    assert_non_null(strstr(varve__thread_error(), "lab.Recording.weights"));
    assert_int_equal(varve__segment_finish(segment), VARVE_MISUSE);
    assert_non_null(strstr(varve__thread_error(), "0 elements were written of the 56"));
    assert_int_equal(varve__segment_append(segment, 0, data.elements[0], 1), VARVE_MISUSE);
    varve__segment_release(segment);
    assert_int_equal(lab_count_files(*state, ""), 0);
    lab_data_free(&data);
}

static void
dims_that_are_not_the_schemas_are_refused(void **state)
{
    struct lab lab;
    struct lab_data data;
    struct varve__segment *segment;
    lab_init(&lab, *state);
    lab_data_make(&data, 3, 12, 11);
    const struct varve__segment_records records = {.count = data.count, .ids = data.ids};
    data.dims[0][1] = 8; /* the constant is 7 */
    assert_int_equal(
        varve__segment_create(&lab.options, &records, data.tensors, TENSORS, &segment),
        VARVE_INVALID);
    assert_null(segment);
    assert_int_equal(varve__thread_failure()->kind, VARVE_FAILURE_DIMS);
    assert_int_equal(varve__thread_failure()->fields[0], 2);
    data.dims[0][1] = -1; /* it may not be absent */
    assert_int_equal(
        varve__segment_create(&lab.options, &records, data.tensors, TENSORS, &segment),
        VARVE_INVALID);
    data.dims[0][1] = 7;
    data.dims[12][2] = INT64_MAX;
    data.dims[12][3] = 2;
    assert_int_equal(
        varve__segment_create(&lab.options, &records, data.tensors, TENSORS, &segment),
        VARVE_INVALID);
    assert_int_equal(lab_count_files(*state, ""), 0);
    lab_data_free(&data);
}

static bool
can_lock(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0);
    bool locked = flock(file, LOCK_EX | LOCK_NB) == 0;
    close(file);
    return locked;
}

static void
a_sweeper_cannot_lock_it_before_it_is_released(void **state)
{
    struct lab lab;
    struct lab_data data;
    struct varve__segment *segment;
    char name[64];
    lab_init(&lab, *state);
    lab_data_make(&data, 3, 12, 12);
    assert_int_equal(lab_write(&lab, &data, SIZE_MAX, &segment), VARVE_OK);
    snprintf(name, sizeof name, "%s", varve__segment_file(segment));
    assert_int_equal(strlen(name), 19);
    assert_false(can_lock(*state, name));
    varve__segment_release(segment);
    assert_true(can_lock(*state, name));
    lab_data_free(&data);
}

static void
a_crash_leaves_a_temporary_file_alone(void **state)
{
    struct lab lab;
    struct lab_data data;
    lab_init(&lab, *state);
    lab_data_make(&data, 8, 12, 13);
    pid_t child = fork();
    if (child == 0) {
        struct varve__segment *segment = begin(&lab, &data);
        for (size_t t = 0; t < TENSORS; t++)
            (void)!varve__segment_append(segment, t, data.elements[t], data.element_counts[t]);
        _exit(7);
    }
    int code;
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_true(WIFEXITED(code) && WEXITSTATUS(code) == 7);
    assert_int_equal(lab_count_files(*state, ".h5.tmp"), 1);
    assert_int_equal(lab_count_files(*state, ".h5"), 0);
    lab_data_free(&data);
}

static void
a_forked_child_that_exits_does_no_harm(void **state)
{
    struct lab lab;
    struct lab_data data;
    lab_init(&lab, *state);
    lab_data_make(&data, 8, 12, 14);
    for (int releases = 0; releases < 2; releases++) {
        struct varve__segment *segment = begin(&lab, &data);
        assert_int_equal(varve__segment_append(segment, 0, data.elements[0], 3), VARVE_OK);
        pid_t child = fork();
        if (child == 0) {
            if (releases)
                varve__segment_release(segment);
            exit(7); /* libhdf5 ends itself, and closes the file in its way */
        }
        int code;
        assert_int_equal(waitpid(child, &code, 0), child);
        assert_true(WIFEXITED(code) && WEXITSTATUS(code) == 7);
        size_t rest = data.element_counts[0] - 3;
        assert_int_equal(varve__segment_append(segment, 0, data.elements[0] + 3, rest), VARVE_OK);
        for (size_t t = 1; t < TENSORS; t++)
            assert_int_equal(
                varve__segment_append(segment, t, data.elements[t], data.element_counts[t]),
                VARVE_OK);
        assert_int_equal(varve__segment_finish(segment), VARVE_OK);
        lab_check(&lab, &data, segment);
        varve__segment_release(segment);
    }
    lab_data_free(&data);
}

static void
segments_of_several_threads_of_work_do_not_meet(void **state)
{
    struct lab lab;
    struct lab_data data;
    struct varve__segment *segments[4];
    lab_init(&lab, *state);
    lab_data_make(&data, 8, 12, 15);
    for (size_t i = 0; i < 4; i++)
        segments[i] = begin(&lab, &data);
    for (size_t t = 0; t < TENSORS; t++)
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(
                varve__segment_append(segments[i], t, data.elements[t], data.element_counts[t]),
                VARVE_OK);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(varve__segment_finish(segments[i]), VARVE_OK);
        lab_check(&lab, &data, segments[i]);
        varve__segment_release(segments[i]);
    }
    assert_int_equal(lab_count_files(*state, ".h5"), 4);
    lab_data_free(&data);
}

static void
an_interrupted_call_ends_and_leaves_nothing(void **state)
{
    struct lab lab;
    struct lab_data data;
    struct varve__watch watch = {0};
    struct varve__segment *segment;
    lab_init(&lab, *state);
    lab.options.watch = &watch;
    lab_data_make(&data, 8, 12, 16);
    atomic_store(&watch.interrupted, true);
    assert_int_equal(lab_write(&lab, &data, SIZE_MAX, &segment), VARVE_INTERRUPTED);
    atomic_store(&watch.interrupted, false);
    watch.call_timeout_ms = 1; /* which ended long ago: at 0 */
    assert_int_equal(lab_write(&lab, &data, SIZE_MAX, &segment), VARVE_TIMEOUT);
    assert_int_equal(lab_count_files(*state, ""), 0);
    lab_data_free(&data);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_compression_reads_back_in_both_layouts),
        TEST(portions_of_any_size_make_the_same_segment),
        TEST(chunks_end_where_bands_do),
        TEST(no_records_one_record_and_empty_tensors_are_segments),
        TEST(a_column_has_one_dataset_an_object_one_for_each_tensor_with_elements),
        TEST(uncompressed_objects_are_contiguous_and_aligned),
        TEST(addresses_are_right_where_the_driver_cannot_tell),
        TEST(little_memory_is_enough),
        TEST(a_segment_that_is_not_finished_leaves_nothing),
        TEST(missing_and_surplus_elements_are_refused),
        TEST(dims_that_are_not_the_schemas_are_refused),
        TEST(a_sweeper_cannot_lock_it_before_it_is_released),
        TEST(a_crash_leaves_a_temporary_file_alone),
        TEST(a_forked_child_that_exits_does_no_harm),
        TEST(segments_of_several_threads_of_work_do_not_meet),
        TEST(an_interrupted_call_ends_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
