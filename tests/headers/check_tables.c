/* The rules of check_tables.h. Sizes are libprotobuf-c's own: what it reads and writes at an offset. */
#include "check_tables.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ------------------------------------------------------------------ fields */

static void
check_field_index(const ProtobufCMessageDescriptor *message)
{
    for (unsigned i = 0; i < message->n_fields; i++) {
        unsigned index = message->fields_sorted_by_name[i];
        assert_true(index < message->n_fields);
        if (i == 0)
            continue;
        const char *before = message->fields[message->fields_sorted_by_name[i - 1]].name;
        assert_true(strcmp(before, message->fields[index].name) < 0);
    }
}

static void
check_field_ranges(const ProtobufCMessageDescriptor *message)
{
    unsigned covered = 0;
    for (unsigned i = 0; i < message->n_field_ranges; i++) {
        const ProtobufCIntRange *range = &message->field_ranges[i];
        assert_int_equal(range->orig_index, covered);
        unsigned end = message->field_ranges[i + 1].orig_index;
        for (int number = range->start_value; covered < end; covered++, number++)
            assert_int_equal(message->fields[covered].id, number);
    }
    assert_int_equal(covered, message->n_fields);
}

void
check_fields(const struct varve_record *record)
{
    const ProtobufCMessageDescriptor *message = record->descriptor;
    assert_int_equal(message->magic, PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC);
    assert_non_null(message->package_name);
    if (message->n_fields == 0) {
        assert_int_equal(message->n_field_ranges, 0);
        assert_null(protobuf_c_message_descriptor_get_field(message, 1));
        return;
    }
    check_field_index(message);
    check_field_ranges(message);
    for (unsigned i = 0; i < message->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->fields[i];
        assert_true(field->id >= 1 && field->id <= 536870911);
        assert_true(i == 0 || message->fields[i - 1].id < field->id);
        assert_ptr_equal(protobuf_c_message_descriptor_get_field(message, field->id), field);
        assert_ptr_equal(
            protobuf_c_message_descriptor_get_field_by_name(message, field->name), field);
        bool is_next = i + 1 < message->n_fields && message->fields[i + 1].id == field->id + 1;
        if (!is_next)
            assert_null(protobuf_c_message_descriptor_get_field(message, field->id + 1));
    }
    assert_null(protobuf_c_message_descriptor_get_field(message, 0));
    assert_null(protobuf_c_message_descriptor_get_field_by_name(message, ""));
    assert_null(protobuf_c_message_descriptor_get_field_by_name(message, "no such field"));
}

/* ------------------------------------------------------------------ layout */

struct extent {
    size_t size;
    size_t alignment;
};

/* What libprotobuf-c reads at the offset of a field that is not repeated. */
static struct extent
single_extent(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return (struct extent){sizeof(int32_t), alignof(int32_t)};
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return (struct extent){sizeof(int64_t), alignof(int64_t)};
    case PROTOBUF_C_TYPE_FLOAT:
        return (struct extent){sizeof(float), alignof(float)};
    case PROTOBUF_C_TYPE_DOUBLE:
        return (struct extent){sizeof(double), alignof(double)};
    case PROTOBUF_C_TYPE_BOOL:
        return (struct extent){sizeof(protobuf_c_boolean), alignof(protobuf_c_boolean)};
    case PROTOBUF_C_TYPE_ENUM:
        return (struct extent){sizeof(int), alignof(int)};
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return (struct extent){sizeof(void *), alignof(void *)};
    case PROTOBUF_C_TYPE_BYTES:
        return (struct extent){sizeof(ProtobufCBinaryData), alignof(ProtobufCBinaryData)};
    }
    fail_msg("type %d", (int)type);
    return (struct extent){0, 0};
}

static bool
is_oneof(const ProtobufCFieldDescriptor *field)
{
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

/* The count, has_ flag or case that belongs to a field. Size 0: it has none. */
static struct extent
quantifier_extent(const ProtobufCFieldDescriptor *field)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return (struct extent){sizeof(size_t), alignof(size_t)};
    if (is_oneof(field))
        return (struct extent){sizeof(uint32_t), alignof(uint32_t)};
    bool is_pointer =
        field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE;
    if (field->label == PROTOBUF_C_LABEL_OPTIONAL && !is_pointer)
        return (struct extent){sizeof(protobuf_c_boolean), alignof(protobuf_c_boolean)};
    return (struct extent){0, 1};
}

/* Enters the owner of each byte. Members of one oneof share an owner: the offset of its case. */
static void
claim(unsigned *owners, size_t total, size_t offset, struct extent extent, unsigned owner)
{
    assert_true(offset >= sizeof(ProtobufCMessage));
    assert_true(extent.size <= total && offset <= total - extent.size);
    assert_int_equal(offset % extent.alignment, 0);
    for (size_t i = offset; i < offset + extent.size; i++) {
        assert_true(owners[i] == 0 || owners[i] == owner);
        owners[i] = owner;
    }
}

void
check_layout(const struct varve_record *record)
{
    const ProtobufCMessageDescriptor *message = record->descriptor;
    size_t total = message->sizeof_message;
    assert_true(total >= sizeof(ProtobufCMessage));
    const ProtobufCMessage *initial = record->initial;
    assert_non_null(initial);
    assert_ptr_equal(initial->descriptor, message);

    unsigned *owners = calloc(total, sizeof(*owners));
    assert_non_null(owners);
    for (unsigned i = 0; i < message->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->fields[i];
        struct extent quantifier = quantifier_extent(field);
        struct extent value = single_extent(field->type);
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            value = (struct extent){sizeof(void *), alignof(void *)};
        unsigned own = 2 * i + 1;
        unsigned shared = 2 * (message->n_fields + field->quantifier_offset);
        claim(owners, total, field->offset, value, is_oneof(field) ? shared : own);
        if (quantifier.size == 0)
            assert_int_equal(field->quantifier_offset, 0);
        else
            claim(
                owners, total, field->quantifier_offset, quantifier,
                is_oneof(field) ? shared + 1 : own + 1);
    }
    free(owners);
}

/* ------------------------------------------------------------------ columns */

static void
check_tensor(const struct varve_record *record, const struct varve_column *column)
{
    const struct varve_tensor *tensor = column->tensor;
    assert_int_equal(column->kind, VARVE_COLUMN_TENSOR);
    assert_true(varve_dtype_size(tensor->dtype) > 0);
    assert_true(tensor->dim_count >= 1 && tensor->dim_count <= 8);
    bool is_bytes = column->field->label != PROTOBUF_C_LABEL_REPEATED;
    assert_int_equal(is_bytes, tensor->dtype >= VARVE_DTYPE_INT8);
    assert_true(!is_bytes || (record->flags & VARVE_RECORD_SCALED) != 0);
    for (size_t i = 0; i < tensor->dim_count; i++) {
        const struct varve_dim *dim = &tensor->dims[i];
        if (dim->field == NULL) {
            assert_true(dim->size > 0);
            continue;
        }
        assert_ptr_equal(
            dim->field,
            protobuf_c_message_descriptor_get_field(record->descriptor, dim->field->id));
        assert_int_equal(dim->field->label, PROTOBUF_C_LABEL_NONE);
        assert_true(dim->field->type <= PROTOBUF_C_TYPE_FIXED64);
    }
}

static void
check_reference(const struct varve_reference *reference)
{
    assert_non_null(reference->record->table);
    assert_true(reference->column < reference->record->column_count);
}

static void
check_column(const struct varve_record *record, const struct varve_column *column)
{
    const ProtobufCFieldDescriptor *field = column->field;
    assert_ptr_equal(protobuf_c_message_descriptor_get_field(record->descriptor, field->id), field);
    assert_int_equal(field->type == PROTOBUF_C_TYPE_MESSAGE, column->record != NULL);
    if (column->record != NULL)
        assert_ptr_equal(column->record->descriptor, field->descriptor);
    if (field->type == PROTOBUF_C_TYPE_ENUM)
        check_enum(field->descriptor);
    if (column->tensor != NULL)
        check_tensor(record, column);
    if (column->reference != NULL)
        check_reference(column->reference);
    if ((column->flags & VARVE_MAP) != 0)
        assert_true((column->record->flags & VARVE_RECORD_MAP_ENTRY) != 0);
}

void
check_columns(const struct varve_record *record)
{
    assert_int_equal(record->column_count, record->descriptor->n_fields);
    for (size_t i = 0; i < record->column_count; i++) {
        check_column(record, &record->columns[i]);
        for (size_t k = 0; k < i; k++)
            assert_ptr_not_equal(record->columns[i].field, record->columns[k].field);
    }
    if (record->table == NULL)
        return;
    assert_true(record->table->primary_key_count > 0);
    for (size_t i = 0; i < record->table->primary_key_count; i++) {
        assert_true(record->table->primary_key[i] < record->column_count);
        const struct varve_column *key = &record->columns[record->table->primary_key[i]];
        assert_true((key->flags & VARVE_PRIMARY_KEY) != 0);
    }
}

/* ------------------------------------------------------------------ cache */

static bool
is_of(const struct varve_record *record, const ProtobufCFieldDescriptor *field)
{
    return field == protobuf_c_message_descriptor_get_field(record->descriptor, field->id);
}

static void
check_part(const struct varve_record *record, const struct varve_key_part *part)
{
    assert_non_null(part->before);
    assert_non_null(part->after);
    assert_null(strpbrk(part->before, ":{}%"));
    assert_null(strpbrk(part->after, ":{}%"));
    if (part->field == NULL) {
        assert_true(part->before[0] != '\0');
        assert_string_equal(part->after, "");
        assert_false(part->hash_tag);
        return;
    }
    assert_true(is_of(record, part->field));
    assert_int_equal(part->field->label, PROTOBUF_C_LABEL_NONE);
    assert_false(is_oneof(part->field));
    assert_true(
        part->field->type != PROTOBUF_C_TYPE_FLOAT && part->field->type != PROTOBUF_C_TYPE_DOUBLE);
    assert_true(
        part->field->type <= PROTOBUF_C_TYPE_ENUM || part->field->type == PROTOBUF_C_TYPE_STRING);
}

void
check_cache(const struct varve_record *record)
{
    const struct varve_cache *cache = record->cache;
    if (cache == NULL)
        return;
    size_t fields = 0, tags = 0;
    for (size_t i = 0; i < cache->part_count; i++) {
        check_part(record, &cache->parts[i]);
        fields += cache->parts[i].field != NULL;
        tags += cache->parts[i].hash_tag;
    }
    assert_true(fields > 0);
    assert_true(tags <= 1);
    if (cache->mode == VARVE_CACHE_READ_THROUGH)
        assert_non_null(record->table);
    if (cache->index_by == NULL)
        return;
    assert_true(is_of(record, cache->index_by));
    assert_int_equal(cache->index_by->type, PROTOBUF_C_TYPE_INT64);
    assert_int_equal(cache->index_by->label, PROTOBUF_C_LABEL_NONE);
    assert_false(is_oneof(cache->index_by));
}

/* ------------------------------------------------------------------ archive */

static bool
has_tensors(const struct varve_record *record)
{
    for (size_t i = 0; i < record->column_count; i++)
        if (record->columns[i].tensor != NULL)
            return true;
    return false;
}

void
check_archive(const struct varve_record *record)
{
    static const int highest[] = {
        [VARVE_ARCHIVE_NONE] = 0, [VARVE_ARCHIVE_DEFLATE] = 9, [VARVE_ARCHIVE_LZF] = 0,
        [VARVE_ARCHIVE_SZIP] = 0, [VARVE_ARCHIVE_ZSTD] = 22,
    };
    const struct varve_archive *archive = record->archive;
    assert_int_equal(archive != NULL, record->table != NULL && has_tensors(record));
    if (archive == NULL)
        return;
    assert_in_range(archive->compression, VARVE_ARCHIVE_NONE, VARVE_ARCHIVE_ZSTD);
    assert_in_range(
        archive->level, highest[archive->compression] > 0, highest[archive->compression]);
    assert_in_range(archive->layout, VARVE_ARCHIVE_COLUMN, VARVE_ARCHIVE_OBJECT);
    if (archive->compression == VARVE_ARCHIVE_NONE || archive->compression == VARVE_ARCHIVE_SZIP)
        assert_false(archive->shuffle);
    if (archive->retention_days > 0)
        assert_non_null(archive->retention_by);
    if (archive->retention_by == NULL)
        return;
    assert_true(is_of(record, archive->retention_by));
    assert_int_equal(archive->retention_by->type, PROTOBUF_C_TYPE_INT64);
}

/* ------------------------------------------------------------------ enums */

static void
check_enum_ranges(const ProtobufCEnumDescriptor *descriptor)
{
    unsigned covered = 0;
    for (unsigned i = 0; i < descriptor->n_value_ranges; i++) {
        assert_int_equal(descriptor->value_ranges[i].orig_index, covered);
        unsigned end = descriptor->value_ranges[i + 1].orig_index;
        int64_t number = descriptor->value_ranges[i].start_value;
        for (; covered < end; covered++, number++)
            assert_int_equal(descriptor->values[covered].value, number);
    }
    assert_int_equal(covered, descriptor->n_values);
}

void
check_enum(const ProtobufCEnumDescriptor *descriptor)
{
    assert_int_equal(descriptor->magic, PROTOBUF_C__ENUM_DESCRIPTOR_MAGIC);
    check_enum_ranges(descriptor);
    for (unsigned i = 0; i < descriptor->n_values; i++) {
        const ProtobufCEnumValue *value = &descriptor->values[i];
        assert_true(i == 0 || descriptor->values[i - 1].value < value->value);
        const char *name = varve_enum_name(descriptor, value->value);
        assert_non_null(name);
        assert_string_equal(name, value->name);
        bool is_next = i + 1 < descriptor->n_values && value->value < INT32_MAX &&
                       descriptor->values[i + 1].value == value->value + 1;
        if (!is_next && value->value < INT32_MAX)
            assert_null(varve_enum_name(descriptor, value->value + 1));
    }
    for (unsigned i = 0; i < descriptor->n_value_names; i++) {
        const ProtobufCEnumValueIndex *entry = &descriptor->values_by_name[i];
        assert_true(i == 0 || strcmp(descriptor->values_by_name[i - 1].name, entry->name) < 0);
        assert_true(entry->index < descriptor->n_values);
        int number = 0;
        assert_true(varve_enum_parse(descriptor, entry->name, &number));
        assert_int_equal(number, descriptor->values[entry->index].value);
    }
}

/* ------------------------------------------------------------------ all of a schema */

void
for_each_record(const struct varve_schema *schema, void (*check)(const struct varve_record *record))
{
    for (size_t i = 0; i < schema->record_count; i++) {
        const struct varve_record *record = schema->records[i];
        check(record);
        for (size_t k = 0; k < record->column_count; k++)
            if ((record->columns[k].flags & VARVE_MAP) != 0)
                check(record->columns[k].record);
    }
}
