/* Writes segments of every kind into a folder, for test_segments.py, with what they must hold: for each a
 * line of JSON in segments.json, and the elements of all records in <file>.<field number>.raw. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/error.h"
#include "segment_support.h"

static void
write_dims(FILE *list, const int64_t *dims, size_t count)
{
    fputc('[', list);
    for (size_t i = 0; i < count; i++)
        fprintf(list, "%s%lld", i ? "," : "", (long long)dims[i]);
    fputc(']', list);
}

static void
write_tensor(
    FILE *list, const char *folder, const char *file, const struct lab_data *data, size_t t)
{
    char path[4096];
    const struct varve_column *column = &lab_columns[t];
    size_t size = data->element_counts[t] * varve_dtype_size(column->tensor->dtype);
    snprintf(path, sizeof path, "%s/%s.%u.raw", folder, file, column->field->id);
    FILE *raw = fopen(path, "wb");
    if (!raw || fwrite(data->elements[t], 1, size, raw) != size || fclose(raw) != 0)
        abort();
    fprintf(
        list,
        "%s{\"name\":\"%s\",\"number\":%u,\"dtype\":%d,\"axes\":%zu,\"optional\":%s,\"dims\":",
        t ? "," : "", column->field->name, column->field->id, (int)column->tensor->dtype,
        column->tensor->dim_count, column->tensor->optional ? "true" : "false");
    write_dims(list, data->dims[t], data->count * column->tensor->dim_count);
    fputc('}', list);
}

static void
write_segment(FILE *list, struct lab *lab, const struct lab_data *data, size_t portion)
{
    struct varve__segment *segment;
    if (lab_write(lab, data, portion, &segment) != VARVE_OK) {
        fprintf(stderr, "%s\n", varve__thread_error());
        exit(1);
    }
    const char *file = varve__segment_file(segment);
    fprintf(
        list,
        "{\"file\":\"%s\",\"layout\":%d,\"compression\":%d,\"shuffle\":%d,\"checksum\":%d,\"ids\":",
        file, (int)lab->archive.layout, (int)lab->archive.compression, lab->archive.shuffle,
        lab->archive.checksum);
    write_dims(list, data->ids, data->count);
    fputs(",\"tensors\":[", list);
    for (size_t t = 0; t < TENSORS; t++)
        write_tensor(list, lab->options.folder, file, data, t);
    fputs("]}\n", list);
    varve__segment_release(segment);
}

int
main(int count, char **arguments)
{
    static const size_t records[] = {0, 1, 30, 700};
    char path[4096];
    struct lab lab;
    if (count != 2)
        return 2;
    lab_init(&lab, arguments[1]);
    snprintf(path, sizeof path, "%s/segments.json", arguments[1]);
    FILE *list = fopen(path, "w");
    if (!list)
        return 1;
    for (size_t i = 0; i < sizeof records / sizeof *records; i++)
        for (int flags = 0; flags < 20; flags++) {
            struct lab_data data;
            lab.archive.compression = (enum varve_archive_compression)(flags % 5);
            lab.archive.layout = (flags / 5) % 2 ? VARVE_ARCHIVE_OBJECT : VARVE_ARCHIVE_COLUMN;
            lab.archive.shuffle = lab.archive.checksum = flags < 10;
            lab_data_make(&data, records[i], i == 1 ? 1 : 14, (uint64_t)flags + 1);
            if (records[i] < 700 || flags == 1) /* one with many: its indexes have chunks too */
                write_segment(list, &lab, &data, flags % 3 ? SIZE_MAX : 50);
            lab_data_free(&data);
        }
    return fclose(list) == 0 ? 0 : 1;
}
