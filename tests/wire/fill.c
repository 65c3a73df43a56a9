/* Records made of a seed. Only the public tables are used, none of the runtime's code. */
#include "fill.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUDGET = 60, /* messages in one record */
    DEPTH = 8,
    MANY = 300
};

struct fill_block {
    struct fill_block *next;
    _Alignas(16) char data[];
};

static void *
allocate(struct fill *fill, size_t size)
{
    struct fill_block *block = calloc(1, sizeof *block + size);
    if (!block)
        abort();
    block->next = fill->blocks;
    fill->blocks = block;
    return block->data;
}

void
fill_free(struct fill *fill)
{
    while (fill->blocks) {
        struct fill_block *next = fill->blocks->next;
        free(fill->blocks);
        fill->blocks = next;
    }
}

/* splitmix64 */
static uint64_t
draw(struct fill *fill)
{
    uint64_t z = (fill->state += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

static uint64_t
below(struct fill *fill, uint64_t limit)
{
    return draw(fill) % limit;
}

/* ---------------------------------------------------------------------------- values */

static uint64_t
draw_bits(struct fill *fill)
{
    static const uint64_t edges[] = {
        0,
        1,
        2,
        0x7F,
        0x80,
        0x3FFF,
        0x4000,
        0x7FFFFFFF,
        0x80000000,
        0xFFFFFFFF,
        0x100000000,
        INT64_MAX,
        (uint64_t)INT64_MIN,
        UINT64_MAX,
        UINT64_MAX - 1,
        0xFFFFFFFF80000000,
    };
    uint64_t choice = below(fill, 24);
    if (choice < sizeof edges / sizeof edges[0])
        return edges[choice];
    return draw(fill) >> below(fill, 64);
}

static double
draw_double(struct fill *fill)
{
    static const double edges[] = {
        0.0,
        -0.0,
        1.0,
        -1.5,
        0.1,
        INFINITY,
        -INFINITY,
        NAN,
        5e-324,
        2.2250738585072014e-308,
        1.7976931348623157e308,
        1e15,
        123456789.123456789,
    };
    uint64_t choice = below(fill, 20);
    double value;
    if (choice < sizeof edges / sizeof edges[0])
        return edges[choice];
    uint64_t bits = draw(fill);
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float
draw_float(struct fill *fill)
{
    static const float edges[] = {
        0.0f,      -0.0f, 1.0f,   -1.5f,           0.1f,           INFINITY,
        -INFINITY, NAN,   1e-45f, 1.17549435e-38f, 3.40282347e38f, 16777216.0f,
    };
    uint64_t choice = below(fill, 20);
    float value;
    if (choice < sizeof edges / sizeof edges[0])
        return edges[choice];
    uint32_t bits = (uint32_t)draw(fill);
    memcpy(&value, &bits, sizeof value);
    return value;
}

static const char *
draw_text(struct fill *fill)
{
    static const char *const texts[] = {
        "",
        "a",
        "Gr\303\274\303\237e",
        "\xE2\x82\xAC",
        "\xF0\x9F\xA7\xA0",
        "\xF4\x8F\xBF\xBF",
        "\"quoted\" \\ 'single'",
        "line\nline\r\n\ttab",
        "\x01\x1F\x7F",
        "\357\273\277bom",
        "\xED\x9F\xBF\xEE\x80\x80",
        "?\?=",
    };
    uint64_t choice = below(fill, 16);
    if (choice < sizeof texts / sizeof texts[0])
        return texts[choice];
    size_t size = below(fill, choice == 15 ? 3000 : 40);
    char *text = allocate(fill, size + 1);
    for (size_t i = 0; i < size; i++)
        text[i] = (char)(' ' + below(fill, 95));
    return text;
}

static struct varve_bytes
draw_bytes(struct fill *fill, size_t size)
{
    struct varve_bytes bytes = {.size = size};
    if (size > 0)
        bytes.data = allocate(fill, size);
    for (size_t i = 0; i < size; i++)
        bytes.data[i] = (uint8_t)draw(fill);
    return bytes;
}

static int
draw_enum(struct fill *fill, const ProtobufCEnumDescriptor *descriptor)
{
    if (below(fill, 4) == 0)
        return (int)(int32_t)(uint32_t)draw_bits(fill);
    return descriptor->values[below(fill, descriptor->n_values)].value;
}

static size_t
size_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_STRING:
        return sizeof(char *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(struct varve_bytes);
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    default:
        return 4;
    }
}

/* ---------------------------------------------------------------------------- fields */

static void *
make_record(struct fill *fill, const struct varve_record *table, unsigned depth);

static bool
may_nest(const struct fill *fill, unsigned depth)
{
    return depth < DEPTH && fill->budget > 0;
}

/* One value: a singular member or an element of an array. */
static void
put_value(struct fill *fill, const struct varve_column *column, void *member, unsigned depth)
{
    const ProtobufCFieldDescriptor *field = column->field;
    uint64_t bits;
    switch (field->type) {
    case PROTOBUF_C_TYPE_FLOAT:
        *(float *)member = draw_float(fill);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        *(double *)member = draw_double(fill);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)member = (protobuf_c_boolean)below(fill, 3); /* 2 is true as well */
        break;
    case PROTOBUF_C_TYPE_ENUM:
        *(int *)member = draw_enum(fill, field->descriptor);
        break;
    case PROTOBUF_C_TYPE_STRING:
        *(const char **)member = draw_text(fill);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        *(struct varve_bytes *)member =
            draw_bytes(fill, below(fill, below(fill, 16) == 0 ? 2000 : 9));
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        *(void **)member = make_record(fill, column->record, depth + 1);
        break;
    default:
        bits = draw_bits(fill);
        memcpy(member, &bits, size_of(field->type)); /* little-endian: the low half of 64 bits */
        break;
    }
}

static bool
same_key(const struct varve_record *entry, const char *a, const char *b)
{
    const ProtobufCFieldDescriptor *key = entry->descriptor->fields;
    const void *left = a + key->offset;
    const void *right = b + key->offset;
    if (key->type == PROTOBUF_C_TYPE_STRING)
        return strcmp(*(const char *const *)left, *(const char *const *)right) == 0;
    if (key->type == PROTOBUF_C_TYPE_BOOL)
        return !*(const protobuf_c_boolean *)left == !*(const protobuf_c_boolean *)right;
    return memcmp(left, right, size_of(key->type)) == 0;
}

/* Drops entries whose key an earlier one has. */
static size_t
unique_entries(const struct varve_record *entry, void **entries, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        size_t same = 0;
        while (same < kept && !same_key(entry, entries[same], entries[i]))
            same++;
        if (same == kept)
            entries[kept++] = entries[i];
    }
    return kept;
}

static void
put_array(
    struct fill *fill,
    const struct varve_column *column,
    void *record,
    size_t count,
    unsigned depth)
{
    const ProtobufCFieldDescriptor *field = column->field;
    size_t size = size_of(field->type);
    char *data = count > 0 ? allocate(fill, count * size) : NULL;
    for (size_t i = 0; i < count; i++)
        put_value(fill, column, data + i * size, depth);
    if (column->flags & VARVE_MAP)
        count = unique_entries(column->record, (void **)data, count);
    *(size_t *)((char *)record + field->quantifier_offset) = count;
    *(void **)((char *)record + field->offset) = data;
}

static size_t
draw_count(struct fill *fill, const struct varve_column *column, unsigned depth)
{
    bool is_message = column->field->type == PROTOBUF_C_TYPE_MESSAGE;
    uint64_t choice = below(fill, 40);
    if (is_message && !may_nest(fill, depth))
        return 0;
    if (choice == 0)
        return below(fill, is_message ? fill->budget : MANY);
    return choice < 20 ? 0 : below(fill, 4);
}

static void
put_singular(
    struct fill *fill,
    const struct varve_record *table,
    const struct varve_column *column,
    char *record,
    unsigned depth)
{
    const ProtobufCFieldDescriptor *field = column->field;
    bool in_oneof = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
    bool is_message = field->type == PROTOBUF_C_TYPE_MESSAGE;
    bool is_entry = (table->flags & VARVE_RECORD_MAP_ENTRY) != 0;
    if ((is_message && !may_nest(fill, depth)) || (!is_entry && below(fill, 3) == 0))
        return;
    put_value(fill, column, record + field->offset, depth);
    if (in_oneof)
        memcpy(record + field->quantifier_offset, &field->id, sizeof field->id);
    else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->quantifier_offset != 0)
        *(protobuf_c_boolean *)(record + field->quantifier_offset) = 1;
}

/* ---------------------------------------------------------------------------- tensors */

static size_t
dim_size(struct fill *fill, const struct varve_dim *dim, char *record)
{
    if (!dim->field)
        return (size_t)dim->size;
    char *member = record + dim->field->offset;
    uint64_t size = 0;
    memcpy(&size, member, size_of(dim->field->type));
    if (size > 6) { /* not one that we chose */
        size = below(fill, 6);
        memcpy(member, &size, size_of(dim->field->type));
    }
    return (size_t)size;
}

static size_t
tensor_count(struct fill *fill, const struct varve_tensor *tensor, char *record)
{
    size_t count = 1;
    if (tensor->optional && below(fill, 2) == 0)
        return 0;
    for (size_t i = 0; i < tensor->dim_count; i++)
        count *= dim_size(fill, &tensor->dims[i], record);
    return count;
}

/* After the other fields, so that no dim changes behind it. */
static void
put_tensors(struct fill *fill, const struct varve_record *table, char *record, unsigned depth)
{
    for (size_t i = 0; i < table->column_count; i++) {
        const struct varve_column *column = &table->columns[i];
        for (size_t d = 0; column->tensor && d < column->tensor->dim_count; d++)
            dim_size(fill, &column->tensor->dims[d], record);
    }
    for (size_t i = 0; i < table->column_count; i++) {
        const struct varve_column *column = &table->columns[i];
        if (!column->tensor)
            continue;
        size_t count = tensor_count(fill, column->tensor, record);
        if (column->field->label == PROTOBUF_C_LABEL_REPEATED) {
            put_array(fill, column, record, count, depth);
        } else {
            struct varve_bytes bytes =
                draw_bytes(fill, count * varve_dtype_size(column->tensor->dtype));
            bytes.size = count; /* in memory elements are counted */
            *(struct varve_bytes *)(record + column->field->offset) = bytes;
        }
    }
}

/* ---------------------------------------------------------------------------- records */

static void *
make_record(struct fill *fill, const struct varve_record *table, unsigned depth)
{
    char *record = allocate(fill, table->descriptor->sizeof_message);
    varve_record_init(table, record);
    if (fill->budget > 0)
        fill->budget--;
    for (size_t i = 0; i < table->column_count; i++) {
        const struct varve_column *column = &table->columns[i];
        if (column->tensor)
            continue;
        if (column->field->label == PROTOBUF_C_LABEL_REPEATED)
            put_array(fill, column, record, draw_count(fill, column, depth), depth);
        else
            put_singular(fill, table, column, record, depth);
    }
    put_tensors(fill, table, record, depth);
    return record;
}

void *
fill_record(struct fill *fill, const struct varve_record *table)
{
    fill->budget = BUDGET;
    return make_record(fill, table, 0);
}
