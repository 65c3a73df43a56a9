/* See key_fixture.h. */
#include "key_fixture.h"

/* clang-format off */
static const ProtobufCEnumValue mode_values[] = {
    { .name = "IDLE", .c_name = "SPOT_IDLE", .value = 0 },
    { .name = "RUN", .c_name = "SPOT_RUN", .value = 1 },
};

static const ProtobufCIntRange mode_ranges[] = { { 0, 0 }, { 0, 2 } };

static const ProtobufCEnumDescriptor spot_mode_descriptor = {
    .magic = PROTOBUF_C__ENUM_DESCRIPTOR_MAGIC,
    .name = "lab.SpotMode",
    .short_name = "SpotMode",
    .c_name = "spot_mode",
    .package_name = "lab",
    .n_values = 2,
    .values = mode_values,
    .n_value_ranges = 1,
    .value_ranges = mode_ranges,
};

static const ProtobufCFieldDescriptor spot_fields[] = {
    { .name = "region", .id = 1, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_STRING,
      .offset = offsetof(struct spot, region), .default_value = "" },
    { .name = "name", .id = 2, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_STRING,
      .offset = offsetof(struct spot, name), .default_value = "" },
    { .name = "int32", .id = 3, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_INT32,
      .offset = offsetof(struct spot, int32) },
    { .name = "sint32", .id = 4, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_SINT32,
      .offset = offsetof(struct spot, sint32) },
    { .name = "sfixed32", .id = 5, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_SFIXED32,
      .offset = offsetof(struct spot, sfixed32) },
    { .name = "int64", .id = 6, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_INT64,
      .offset = offsetof(struct spot, int64) },
    { .name = "sint64", .id = 7, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_SINT64,
      .offset = offsetof(struct spot, sint64) },
    { .name = "sfixed64", .id = 8, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_SFIXED64,
      .offset = offsetof(struct spot, sfixed64) },
    { .name = "uint32", .id = 9, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_UINT32,
      .offset = offsetof(struct spot, uint32) },
    { .name = "fixed32", .id = 10, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_FIXED32,
      .offset = offsetof(struct spot, fixed32) },
    { .name = "uint64", .id = 11, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_UINT64,
      .offset = offsetof(struct spot, uint64) },
    { .name = "fixed64", .id = 12, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_FIXED64,
      .offset = offsetof(struct spot, fixed64) },
    { .name = "ready", .id = 13, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_BOOL,
      .offset = offsetof(struct spot, ready) },
    { .name = "mode", .id = 14, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_ENUM,
      .offset = offsetof(struct spot, mode), .descriptor = &spot_mode_descriptor },
    { .name = "score", .id = 15, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_DOUBLE,
      .offset = offsetof(struct spot, score) },
};

static const unsigned spot_names[] = { 9, 11, 2, 5, 13, 1, 12, 0, 14, 4, 7, 3, 6, 8, 10 };

static const ProtobufCIntRange spot_ranges[] = { { 1, 0 }, { 0, 15 } };

static const struct spot spot_initial = SPOT_INIT;

const ProtobufCMessageDescriptor spot_descriptor = {
    .magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
    .name = "lab.Spot",
    .short_name = "Spot",
    .c_name = "spot",
    .package_name = "lab",
    .sizeof_message = sizeof(struct spot),
    .n_fields = 15,
    .fields = spot_fields,
    .fields_sorted_by_name = spot_names,
    .n_field_ranges = 1,
    .field_ranges = spot_ranges,
};

static const struct varve_column spot_columns[] = {
    { .field = &spot_fields[0], .kind = VARVE_COLUMN_SCALAR },
    { .field = &spot_fields[1], .kind = VARVE_COLUMN_SCALAR },
    { .field = &spot_fields[2], .kind = VARVE_COLUMN_SCALAR },
    { .field = &spot_fields[3], .kind = VARVE_COLUMN_SCALAR },
    { .field = &spot_fields[4], .kind = VARVE_COLUMN_SCALAR },
    { .field = &spot_fields[5], .kind = VARVE_COLUMN_SCALAR },
    { .field = &spot_fields[6], .kind = VARVE_COLUMN_SCALAR },
    { .field = &spot_fields[7], .kind = VARVE_COLUMN_SCALAR },
    { .field = &spot_fields[8], .kind = VARVE_COLUMN_SCALAR },
    { .field = &spot_fields[9], .kind = VARVE_COLUMN_SCALAR },
    { .field = &spot_fields[10], .kind = VARVE_COLUMN_SCALAR },
    { .field = &spot_fields[11], .kind = VARVE_COLUMN_SCALAR },
    { .field = &spot_fields[12], .kind = VARVE_COLUMN_SCALAR },
    { .field = &spot_fields[13], .kind = VARVE_COLUMN_SCALAR },
    { .field = &spot_fields[14], .kind = VARVE_COLUMN_SCALAR },
};

static const struct varve_key_part text_parts[] = {
    { .before = "wm", .after = "" },
    { .before = "", .field = &spot_fields[0], .after = "" },
};

static const struct varve_cache text_cache = {
    .key = "wm:{region}",
    .parts = text_parts,
    .part_count = 2,
    .space = 0x0a11355c,
    .mode = VARVE_CACHE_ONLY,
    .compression = VARVE_CACHE_ZSTD,
    .compress_above_bytes = -1,
};

static const struct varve_key_part bins_parts[] = {
    { .before = "spikes", .after = "" },
    { .before = "", .field = &spot_fields[0], .after = "" },
    { .before = "", .field = &spot_fields[5], .after = "" },
};

static const struct varve_cache bins_cache = {
    .key = "spikes:{region}:{int64}",
    .parts = bins_parts,
    .part_count = 3,
    .space = 0x1a4d30b6,
    .mode = VARVE_CACHE_ONLY,
    .compression = VARVE_CACHE_ZSTD,
    .compress_above_bytes = -1,
};

static const struct varve_key_part texts_parts[] = {
    { .before = "", .field = &spot_fields[0], .after = "" },
    { .before = "", .field = &spot_fields[1], .after = "" },
};

static const struct varve_cache texts_cache = {
    .key = "{region}:{name}",
    .parts = texts_parts,
    .part_count = 2,
    .space = 0x5db259e4,
    .mode = VARVE_CACHE_ONLY,
    .compression = VARVE_CACHE_ZSTD,
    .compress_above_bytes = -1,
};

static const struct varve_key_part around_parts[] = {
    { .before = "a-", .field = &spot_fields[0], .after = "-z" },
    { .before = "n", .field = &spot_fields[2], .after = "m" },
    { .before = "", .field = &spot_fields[1], .after = "z" },
};

static const struct varve_cache around_cache = {
    .key = "a-{region}-z:n{int32}m:{name}z",
    .parts = around_parts,
    .part_count = 3,
    .space = 0xe19fb7cc,
    .mode = VARVE_CACHE_ONLY,
    .compression = VARVE_CACHE_ZSTD,
    .compress_above_bytes = -1,
};

static const struct varve_key_part numbers_parts[] = {
    { .before = "", .field = &spot_fields[2], .after = "" },
    { .before = "", .field = &spot_fields[3], .after = "" },
    { .before = "", .field = &spot_fields[4], .after = "" },
    { .before = "", .field = &spot_fields[5], .after = "" },
    { .before = "", .field = &spot_fields[6], .after = "" },
    { .before = "", .field = &spot_fields[7], .after = "" },
    { .before = "", .field = &spot_fields[8], .after = "" },
    { .before = "", .field = &spot_fields[9], .after = "" },
    { .before = "", .field = &spot_fields[10], .after = "" },
    { .before = "", .field = &spot_fields[11], .after = "" },
    { .before = "", .field = &spot_fields[12], .after = "" },
    { .before = "", .field = &spot_fields[13], .after = "" },
};

static const struct varve_cache numbers_cache = {
    .key = "{int32}:{sint32}:{sfixed32}:{int64}:{sint64}:{sfixed64}:{uint32}:{fixed32}:{uint64}:{fixed64}:{ready}:{mode}",
    .parts = numbers_parts,
    .part_count = 12,
    .space = 0x794894eb,
    .mode = VARVE_CACHE_ONLY,
    .compression = VARVE_CACHE_ZSTD,
    .compress_above_bytes = -1,
};

static const struct varve_key_part tag_parts[] = {
    { .before = "tag", .after = "" },
    { .before = "", .field = &spot_fields[0], .after = "", .hash_tag = true },
    { .before = "", .field = &spot_fields[5], .after = "" },
};

static const struct varve_cache tag_cache = {
    .key = "tag:{region}:{int64}",
    .parts = tag_parts,
    .part_count = 3,
    .space = 0x759d61da,
    .mode = VARVE_CACHE_ONLY,
    .compression = VARVE_CACHE_ZSTD,
    .compress_above_bytes = -1,
};

static const struct varve_key_part tag_around_parts[] = {
    { .before = "<", .field = &spot_fields[0], .after = ">", .hash_tag = true },
    { .before = "", .field = &spot_fields[1], .after = "" },
};

static const struct varve_cache tag_around_cache = {
    .key = "<{region}>:{name}",
    .parts = tag_around_parts,
    .part_count = 2,
    .space = 0xa3910d9d,
    .mode = VARVE_CACHE_ONLY,
    .compression = VARVE_CACHE_ZSTD,
    .compress_above_bytes = -1,
};

static const struct varve_key_part tag_number_parts[] = {
    { .before = "tags", .after = "" },
    { .before = "", .field = &spot_fields[1], .after = "" },
    { .before = "i", .field = &spot_fields[5], .after = "", .hash_tag = true },
};

static const struct varve_cache tag_number_cache = {
    .key = "tags:{name}:i{int64}",
    .parts = tag_number_parts,
    .part_count = 3,
    .space = 0x1cbed73c,
    .mode = VARVE_CACHE_ONLY,
    .compression = VARVE_CACHE_ZSTD,
    .compress_above_bytes = -1,
};

static const struct varve_key_part whole_parts[] = {
    { .before = "n", .after = "" },
    { .before = "", .field = &spot_fields[10], .after = "" },
};

static const struct varve_cache whole_cache = {
    .key = "n:{uint64}",
    .parts = whole_parts,
    .part_count = 2,
    .space = 0x800da392,
    .mode = VARVE_CACHE_ONLY,
    .compression = VARVE_CACHE_ZSTD,
    .compress_above_bytes = -1,
};

static const struct varve_key_part bool_parts[] = {
    { .before = "", .field = &spot_fields[12], .after = "" },
    { .before = "b", .field = &spot_fields[13], .after = "" },
    { .before = "end", .after = "" },
};

static const struct varve_cache bool_cache = {
    .key = "{ready}:b{mode}:end",
    .parts = bool_parts,
    .part_count = 3,
    .space = 0xbf0da045,
    .mode = VARVE_CACHE_ONLY,
    .compression = VARVE_CACHE_ZSTD,
    .compress_above_bytes = -1,
};

#define SPOT(cache_) \
    { .descriptor = &spot_descriptor, .initial = &spot_initial, .columns = spot_columns, \
      .column_count = 15, .cache = &cache_ }

const struct varve_record spot_records[SPOT_KEY_COUNT] = {
    [SPOT_TEXT] = SPOT(text_cache),
    [SPOT_BINS] = SPOT(bins_cache),
    [SPOT_TEXTS] = SPOT(texts_cache),
    [SPOT_AROUND] = SPOT(around_cache),
    [SPOT_NUMBERS] = SPOT(numbers_cache),
    [SPOT_TAG] = SPOT(tag_cache),
    [SPOT_TAG_AROUND] = SPOT(tag_around_cache),
    [SPOT_TAG_NUMBER] = SPOT(tag_number_cache),
    [SPOT_WHOLE] = SPOT(whole_cache),
    [SPOT_BOOL] = SPOT(bool_cache),
};
/* clang-format on */
