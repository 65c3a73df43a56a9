#define _GNU_SOURCE /* mkdtemp */

#include "segment_support.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <xxhash.h>

#include "base/error.h"

/* clang-format off */
static const ProtobufCFieldDescriptor rows = { .name = "rows", .id = 90 };
static const ProtobufCFieldDescriptor columns = { .name = "columns", .id = 91 };

#define TENSOR(number, title, type, may_be_absent, ...)                                            \
    { .field = &(const ProtobufCFieldDescriptor){ .name = #title, .id = number },                  \
      .kind = VARVE_COLUMN_TENSOR,                                                                 \
      .tensor = &(const struct varve_tensor){                                                      \
          .dtype = VARVE_DTYPE_##type, .optional = may_be_absent,                                  \
          .unit = (number) % 2 == 0 ? "mV" : NULL,                                                 \
          .dims = (const struct varve_dim[]){ __VA_ARGS__ },                                       \
          .dim_count = sizeof((const struct varve_dim[]){ __VA_ARGS__ }) / sizeof(struct varve_dim) } }

const struct varve_column lab_columns[TENSORS] = {
    TENSOR(2, bytes, INT8, false, { .size = 7 }),
    TENSOR(3, image, UINT8, false, { .size = 3 }, { .size = 50 }),
    TENSOR(4, cube, INT16, false, { .size = 2 }, { .size = 3 }, { .size = 4 }),
    TENSOR(5, one, UINT16, false, { .size = 1 }),
    TENSOR(6, halves, FLOAT16, false, { .size = 2 }, { .size = 2 }, { .size = 2 }, { .size = 2 }),
    TENSOR(7, weights, FLOAT32, false, { .size = 20 }, { .size = 90 }),
    TENSOR(8, exact, FLOAT64, false, { .size = 5 }),
    TENSOR(9, int32s, INT32, false, { .size = 5 }),
    TENSOR(10, int64s, INT64, false, { .size = 5 }),
    TENSOR(11, uint32s, UINT32, false, { .size = 5 }),
    TENSOR(12, uint64s, UINT64, true, { .size = 5 }, { .size = 2 }),
    TENSOR(13, spikes, FLOAT32, false, { .field = &rows }),
    TENSOR(14, matrix, FLOAT64, false, { .field = &rows }, { .field = &columns }),
    TENSOR(15, trace, FLOAT16, true, { .field = &columns }),
    TENSOR(16, marks, INT8, true, { .field = &rows }, { .size = 3 }, { .field = &columns }),
    TENSOR(17, id, INT32, false, { .field = &rows }),
    TENSOR(18, trace_index, UINT8, false, { .size = 2 }),
};
/* clang-format on */

static const ProtobufCMessageDescriptor descriptor = {.name = "lab.Recording"};

/* Long enough for a chunk; a FileDescriptorSet in all but its meaning. */
static uint8_t descriptor_set[9000];

void
lab_init(struct lab *lab, const char *folder)
{
    for (size_t i = 0; i < sizeof descriptor_set; i++)
        descriptor_set[i] = (uint8_t)(i * i / 100);
    *lab = (struct lab){
        .archive =
            {.compression = VARVE_ARCHIVE_DEFLATE, .level = 1, .shuffle = true, .checksum = true},
        .schema =
            {.package = "lab",
             .descriptor_set = descriptor_set,
             .descriptor_set_size = sizeof descriptor_set},
    };
    lab->record = (struct varve_record){
        .descriptor = &descriptor,
        .columns = lab_columns,
        .column_count = TENSORS,
        .archive = &lab->archive};
    lab->options = (struct varve__segment_options){
        .folder = folder,
        .schema = &lab->schema,
        .record = &lab->record,
        .chunk_bytes = 1000,
        .memory_bytes = 1 << 20};
}

/* -------------------------------------------------------------------- data */

static uint64_t
next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state >> 11;
}

/* The bits of a small integer as IEEE half. */
static uint16_t
half_of(int value)
{
    unsigned magnitude = (unsigned)abs(value);
    unsigned exponent = 0;
    if (magnitude == 0)
        return 0;
    while (magnitude >> (exponent + 1))
        exponent++;
    unsigned bits = (exponent + 15) << 10 | (((magnitude << 10) >> exponent) & 0x3ff);
    return (uint16_t)(bits | (value < 0 ? 0x8000u : 0u));
}

#define PUT(type, value)                                                                           \
    do {                                                                                           \
        type put = (type)(value);                                                                  \
        memcpy(to, &put, sizeof put);                                                              \
    } while (0)

static void
put_value(char *to, enum varve_dtype dtype, int value)
{
    switch (dtype) {
    case VARVE_DTYPE_FLOAT32:
        PUT(float, value);
        break;
    case VARVE_DTYPE_FLOAT64:
        PUT(double, value);
        break;
    case VARVE_DTYPE_FLOAT16:
        PUT(uint16_t, half_of(value));
        break;
    case VARVE_DTYPE_INT8:
    case VARVE_DTYPE_UINT8:
        PUT(int8_t, value);
        break;
    case VARVE_DTYPE_INT16:
    case VARVE_DTYPE_UINT16:
        PUT(int16_t, value);
        break;
    case VARVE_DTYPE_INT32:
    case VARVE_DTYPE_UINT32:
        PUT(int32_t, value);
        break;
    default:
        PUT(int64_t, value);
    }
}

static size_t
make_dims(
    const struct varve_tensor *tensor, int64_t *dims, const int64_t of_fields[2], bool is_absent)
{
    size_t count = 1;
    for (size_t i = 0; i < tensor->dim_count; i++) {
        const ProtobufCFieldDescriptor *field = tensor->dims[i].field;
        dims[i] = !field ? tensor->dims[i].size : of_fields[field == &columns];
        count *= (size_t)dims[i];
    }
    for (size_t i = 0; is_absent && i < tensor->dim_count; i++)
        dims[i] = -1;
    return is_absent ? 0 : count;
}

static void
make_tensor(struct lab_data *data, size_t t, const int64_t (*of_fields)[2], uint64_t *random)
{
    const struct varve_tensor *tensor = lab_columns[t].tensor;
    size_t size = varve_dtype_size(tensor->dtype);
    data->dims[t] = calloc(data->count * tensor->dim_count + 1, sizeof(int64_t));
    assert_non_null(data->dims[t]);
    for (size_t i = 0; i < data->count; i++)
        data->element_counts[t] += make_dims(
            tensor, &data->dims[t][i * tensor->dim_count], of_fields[i],
            tensor->optional && next_random(random) % 4 == 0);
    data->elements[t] = malloc(data->element_counts[t] * size + 1);
    assert_non_null(data->elements[t]);
    for (size_t i = 0; i < data->element_counts[t]; i++)
        put_value(
            data->elements[t] + i * size, tensor->dtype,
            next_random(random) % 3 ? 0 : (int)(next_random(random) % 201) - 100);
    data->tensors[t] =
        (struct varve__segment_tensor){.column = &lab_columns[t], .dims = data->dims[t]};
}

void
lab_data_make(struct lab_data *data, size_t count, int64_t dim_end, uint64_t seed)
{
    uint64_t random = seed * 2654435761u + 88172645463325252u;
    int64_t(*of_fields)[2] = calloc(count + 1, sizeof *of_fields);
    *data = (struct lab_data){.count = count, .ids = calloc(count + 1, sizeof(int64_t))};
    assert_non_null(of_fields);
    assert_non_null(data->ids);
    for (size_t i = 0; i < count; i++) {
        data->ids[i] = (int64_t)(i * 3) - 4; /* negative ones too */
        of_fields[i][0] = (int64_t)next_random(&random) % dim_end;
        of_fields[i][1] = (int64_t)next_random(&random) % dim_end;
    }
    for (size_t t = 0; t < TENSORS; t++)
        make_tensor(data, t, (const int64_t(*)[2])of_fields, &random);
    free(of_fields);
}

void
lab_data_free(struct lab_data *data)
{
    free(data->ids);
    for (size_t t = 0; t < TENSORS; t++) {
        free(data->dims[t]);
        free(data->elements[t]);
    }
}

/* -------------------------------------------------------------------- writing */

static enum varve_status
append_all(struct varve__segment *segment, const struct lab_data *data, size_t portion)
{
    size_t done[TENSORS] = {0};
    bool any = true;
    while (any) {
        any = false;
        for (size_t t = 0; t < TENSORS; t++) {
            size_t size = varve_dtype_size(lab_columns[t].tensor->dtype);
            size_t left = data->element_counts[t] - done[t];
            size_t count = left < portion ? left : portion;
            /* A block of its own: the segment must not look at it after the call, nor behind it. */
            char *copy = malloc(count * size + 1);
            assert_non_null(copy);
            memcpy(copy, data->elements[t] + done[t] * size, count * size);
            enum varve_status status = varve__segment_append(segment, t, copy, count);
            memset(copy, 0x5a, count * size);
            free(copy);
            if (status)
                return status;
            done[t] += count;
            any = any || done[t] < data->element_counts[t];
        }
    }
    return VARVE_OK;
}

enum varve_status
lab_write(
    struct lab *lab, const struct lab_data *data, size_t portion, struct varve__segment **segment)
{
    const struct varve__segment_records records = {.count = data->count, .ids = data->ids};
    enum varve_status status =
        varve__segment_create(&lab->options, &records, data->tensors, TENSORS, segment);
    if (!status)
        status = append_all(*segment, data, portion);
    if (!status)
        status = varve__segment_finish(*segment);
    if (status) {
        varve__segment_release(*segment);
        *segment = NULL;
    }
    return status;
}

/* -------------------------------------------------------------------- reading */

static char *
read_file(const struct lab *lab, const struct varve__segment *segment)
{
    char path[4096];
    size_t size = (size_t)varve__segment_size(segment);
    char *bytes = malloc(size + 1);
    snprintf(path, sizeof path, "%s/%s", lab->options.folder, varve__segment_file(segment));
    FILE *file = fopen(path, "rb");
    assert_non_null(bytes);
    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, size + 1, file), size);
    fclose(file);
    return bytes;
}

/* All elements of a dataset; every chunk must be where the segment says, with the hash that it says. */
static char *
decode(const struct varve__dataset *dataset, const char *bytes, size_t size)
{
    const struct varve__grid *grid = &dataset->grid;
    size_t whole = varve__grid_chunk_size(grid);
    struct varve__chunk_codec *codec = varve__chunk_codec_create();
    char *all = malloc((size_t)grid->count * grid->element + 1);
    char *raw = malloc(whole + 1);
    assert_true(codec && all && raw);
    for (int64_t i = 0; i < grid->chunk_count; i++) {
        const struct varve__chunk *chunk = &dataset->chunks[i];
        int64_t first, count;
        varve__grid_chunk(grid, i, &first, &count);
        size_t used = (size_t)count * grid->element;
        bool is_plain = dataset->filter.compression == VARVE_ARCHIVE_NONE &&
                        !dataset->filter.checksum && chunk->size == used;
        assert_true(chunk->address <= size && chunk->size <= size - chunk->address);
        assert_true(XXH3_64bits(bytes + chunk->address, chunk->size) == chunk->hash);
        assert_int_equal(
            varve__chunk_decode(
                codec, &dataset->filter, chunk->mask, true, bytes + chunk->address, chunk->size,
                raw, is_plain ? used : whole),
            VARVE_OK);
        memcpy(all + (size_t)first * grid->element, raw, used);
    }
    free(raw);
    varve__chunk_codec_release(codec);
    return all;
}

/* Elements of a record's tensor, from its dims. */
static size_t
count_of(const struct lab_data *data, size_t record, size_t t)
{
    const struct varve_tensor *tensor = lab_columns[t].tensor;
    const int64_t *dims = &data->dims[t][record * tensor->dim_count];
    size_t count = 1;
    for (size_t i = 0; i < tensor->dim_count; i++)
        count *= dims[i] > 0 ? (size_t)dims[i] : 0;
    return count;
}

static void
check_tensor(
    const struct lab_data *data,
    const struct varve__segment *segment,
    char *const *decoded,
    size_t t)
{
    const char *expected = data->elements[t];
    size_t size = varve_dtype_size(lab_columns[t].tensor->dtype);
    for (size_t i = 0; i < data->count; i++) {
        size_t dataset, count = count_of(data, i, t);
        int64_t element;
        bool any = varve__segment_place(segment, i, t, &dataset, &element);
        assert_int_equal(any, count > 0);
        if (any) {
            assert_int_equal(
                varve__segment_dataset(segment, dataset)->dtype, lab_columns[t].tensor->dtype);
            assert_memory_equal(decoded[dataset] + (size_t)element * size, expected, count * size);
        }
        expected += count * size;
    }
}

void
lab_check(const struct lab *lab, const struct lab_data *data, const struct varve__segment *segment)
{
    size_t count = varve__segment_dataset_count(segment);
    size_t size = (size_t)varve__segment_size(segment);
    char *bytes = read_file(lab, segment);
    char **decoded = calloc(count + 1, sizeof *decoded);
    assert_non_null(decoded);
    assert_true(XXH3_64bits(bytes, size) == varve__segment_hash(segment));
    for (size_t i = 0; i < count; i++)
        decoded[i] = decode(varve__segment_dataset(segment, i), bytes, size);
    for (size_t t = 0; t < TENSORS; t++)
        check_tensor(data, segment, decoded, t);
    for (size_t i = 0; i < count; i++)
        free(decoded[i]);
    free(decoded);
    free(bytes);
}

/* -------------------------------------------------------------------- folders */

size_t
lab_count_files(const char *folder, const char *end)
{
    size_t count = 0;
    DIR *files = opendir(folder);
    assert_non_null(files);
    for (const struct dirent *file; (file = readdir(files));) {
        size_t length = strlen(file->d_name);
        count += file->d_name[0] != '.' && length >= strlen(end) &&
                 strcmp(file->d_name + length - strlen(end), end) == 0;
    }
    closedir(files);
    return count;
}

char *
lab_folder_make(void)
{
    char *folder = strdup("/tmp/varve-segment-XXXXXX");
    assert_non_null(folder);
    assert_non_null(mkdtemp(folder));
    return folder;
}

void
lab_folder_delete(char *folder)
{
    DIR *files = opendir(folder);
    for (const struct dirent *file; files && (file = readdir(files));)
        unlinkat(dirfd(files), file->d_name, 0);
    if (files)
        closedir(files);
    rmdir(folder);
    free(folder);
}
