/* The tables of the records for tests. */
#include "fixture.h"

/* clang-format off */
static const ProtobufCEnumValue mode_values[] = {
    { .name = "STOP", .c_name = "LAB_STOP", .value = -1 },
    { .name = "IDLE", .c_name = "LAB_IDLE", .value = 0 },
    { .name = "RUN", .c_name = "LAB_RUN", .value = 1 },
};

static const ProtobufCEnumValueIndex mode_names[] = {
    { .name = "IDLE", .index = 1 },
    { .name = "RUN", .index = 2 },
    { .name = "STOP", .index = 0 },
};

static const ProtobufCIntRange mode_ranges[] = { { -1, 0 }, { 0, 3 } };

const ProtobufCEnumDescriptor lab_mode_descriptor = {
    .magic = PROTOBUF_C__ENUM_DESCRIPTOR_MAGIC,
    .name = "lab.Mode",
    .short_name = "Mode",
    .c_name = "LabMode",
    .package_name = "lab",
    .n_values = 3,
    .values = mode_values,
    .n_value_names = 3,
    .values_by_name = mode_names,
    .n_value_ranges = 1,
    .value_ranges = mode_ranges,
};

static const ProtobufCFieldDescriptor node_fields[] = {
    { .name = "value", .id = 1, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_INT32,
      .offset = offsetof(struct lab_node, value) },
    { .name = "left", .id = 2, .label = PROTOBUF_C_LABEL_OPTIONAL, .type = PROTOBUF_C_TYPE_MESSAGE,
      .offset = offsetof(struct lab_node, left),
      .descriptor = &lab_node_descriptor },
    { .name = "right", .id = 3, .label = PROTOBUF_C_LABEL_OPTIONAL, .type = PROTOBUF_C_TYPE_MESSAGE,
      .offset = offsetof(struct lab_node, right),
      .descriptor = &lab_node_descriptor },
    { .name = "children", .id = 4, .label = PROTOBUF_C_LABEL_REPEATED, .type = PROTOBUF_C_TYPE_MESSAGE,
      .offset = offsetof(struct lab_node, children.data),
      .quantifier_offset = offsetof(struct lab_node, children.count),
      .descriptor = &lab_node_descriptor },
    { .name = "label", .id = 5, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_STRING,
      .offset = offsetof(struct lab_node, label),
      .default_value = "" },
};

static const unsigned node_names[] = { 3, 4, 1, 2, 0 };

static const ProtobufCIntRange node_ranges[] = { { 1, 0 }, { 0, 5 } };

static const struct lab_node node_initial = LAB_NODE_INIT;

const ProtobufCMessageDescriptor lab_node_descriptor = {
    .magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
    .name = "lab.Node",
    .short_name = "Node",
    .c_name = "lab_node",
    .package_name = "lab",
    .sizeof_message = sizeof(struct lab_node),
    .n_fields = 5,
    .fields = node_fields,
    .fields_sorted_by_name = node_names,
    .n_field_ranges = 1,
    .field_ranges = node_ranges,
};

static const struct varve_column node_columns[] = {
    { .field = &node_fields[0], .kind = VARVE_COLUMN_SCALAR },
    { .field = &node_fields[1], .kind = VARVE_COLUMN_WIRE, .record = &lab_node_record },
    { .field = &node_fields[2], .kind = VARVE_COLUMN_WIRE, .record = &lab_node_record },
    { .field = &node_fields[3], .kind = VARVE_COLUMN_WIRE, .record = &lab_node_record },
    { .field = &node_fields[4], .kind = VARVE_COLUMN_SCALAR },
};

const struct varve_record lab_node_record = {
    .descriptor = &lab_node_descriptor,
    .initial = &node_initial,
    .columns = node_columns,
    .column_count = 5,
};

static const ProtobufCFieldDescriptor sample_metadata_entry_fields[] = {
    { .name = "key", .id = 1, .label = PROTOBUF_C_LABEL_REQUIRED, .type = PROTOBUF_C_TYPE_STRING,
      .offset = offsetof(struct lab_sample_metadata_entry, key),
      .default_value = "" },
    { .name = "value", .id = 2, .label = PROTOBUF_C_LABEL_REQUIRED, .type = PROTOBUF_C_TYPE_STRING,
      .offset = offsetof(struct lab_sample_metadata_entry, value),
      .default_value = "" },
};

static const unsigned sample_metadata_entry_names[] = { 0, 1 };

static const ProtobufCIntRange sample_metadata_entry_ranges[] = { { 1, 0 }, { 0, 2 } };

static const struct lab_sample_metadata_entry sample_metadata_entry_initial = LAB_SAMPLE_METADATA_ENTRY_INIT;

const ProtobufCMessageDescriptor lab_sample_metadata_entry_descriptor = {
    .magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
    .name = "lab.Sample.MetadataEntry",
    .short_name = "MetadataEntry",
    .c_name = "lab_sample_metadata_entry",
    .package_name = "lab",
    .sizeof_message = sizeof(struct lab_sample_metadata_entry),
    .n_fields = 2,
    .fields = sample_metadata_entry_fields,
    .fields_sorted_by_name = sample_metadata_entry_names,
    .n_field_ranges = 1,
    .field_ranges = sample_metadata_entry_ranges,
};

static const struct varve_column sample_metadata_entry_columns[] = {
    { .field = &sample_metadata_entry_fields[0], .kind = VARVE_COLUMN_SCALAR },
    { .field = &sample_metadata_entry_fields[1], .kind = VARVE_COLUMN_SCALAR },
};

const struct varve_record lab_sample_metadata_entry_record = {
    .descriptor = &lab_sample_metadata_entry_descriptor,
    .initial = &sample_metadata_entry_initial,
    .columns = sample_metadata_entry_columns,
    .column_count = 2,
    .flags = VARVE_RECORD_MAP_ENTRY,
};

static const ProtobufCFieldDescriptor sample_nodes_entry_fields[] = {
    { .name = "key", .id = 1, .label = PROTOBUF_C_LABEL_REQUIRED, .type = PROTOBUF_C_TYPE_INT32,
      .offset = offsetof(struct lab_sample_nodes_entry, key) },
    { .name = "value", .id = 2, .label = PROTOBUF_C_LABEL_OPTIONAL, .type = PROTOBUF_C_TYPE_MESSAGE,
      .offset = offsetof(struct lab_sample_nodes_entry, value),
      .descriptor = &lab_node_descriptor },
};

static const unsigned sample_nodes_entry_names[] = { 0, 1 };

static const ProtobufCIntRange sample_nodes_entry_ranges[] = { { 1, 0 }, { 0, 2 } };

static const struct lab_sample_nodes_entry sample_nodes_entry_initial = LAB_SAMPLE_NODES_ENTRY_INIT;

const ProtobufCMessageDescriptor lab_sample_nodes_entry_descriptor = {
    .magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
    .name = "lab.Sample.NodesEntry",
    .short_name = "NodesEntry",
    .c_name = "lab_sample_nodes_entry",
    .package_name = "lab",
    .sizeof_message = sizeof(struct lab_sample_nodes_entry),
    .n_fields = 2,
    .fields = sample_nodes_entry_fields,
    .fields_sorted_by_name = sample_nodes_entry_names,
    .n_field_ranges = 1,
    .field_ranges = sample_nodes_entry_ranges,
};

static const struct varve_column sample_nodes_entry_columns[] = {
    { .field = &sample_nodes_entry_fields[0], .kind = VARVE_COLUMN_SCALAR },
    { .field = &sample_nodes_entry_fields[1], .kind = VARVE_COLUMN_WIRE, .record = &lab_node_record },
};

const struct varve_record lab_sample_nodes_entry_record = {
    .descriptor = &lab_sample_nodes_entry_descriptor,
    .initial = &sample_nodes_entry_initial,
    .columns = sample_nodes_entry_columns,
    .column_count = 2,
    .flags = VARVE_RECORD_MAP_ENTRY,
};

static const ProtobufCFieldDescriptor sample_fields[] = {
    { .name = "id", .id = 1, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_INT64,
      .offset = offsetof(struct lab_sample, id) },
    { .name = "name", .id = 2, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_STRING,
      .offset = offsetof(struct lab_sample, name),
      .default_value = "" },
    { .name = "note", .id = 3, .label = PROTOBUF_C_LABEL_OPTIONAL, .type = PROTOBUF_C_TYPE_STRING,
      .offset = offsetof(struct lab_sample, note) },
    { .name = "blob", .id = 4, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_BYTES,
      .offset = offsetof(struct lab_sample, blob) },
    { .name = "score", .id = 5, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_DOUBLE,
      .offset = offsetof(struct lab_sample, score) },
    { .name = "rank", .id = 6, .label = PROTOBUF_C_LABEL_OPTIONAL, .type = PROTOBUF_C_TYPE_INT32,
      .offset = offsetof(struct lab_sample, rank),
      .quantifier_offset = offsetof(struct lab_sample, has_rank) },
    { .name = "mode", .id = 7, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_ENUM,
      .offset = offsetof(struct lab_sample, mode),
      .descriptor = &lab_mode_descriptor },
    { .name = "ready", .id = 8, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_BOOL,
      .offset = offsetof(struct lab_sample, ready) },
    { .name = "tags", .id = 9, .label = PROTOBUF_C_LABEL_REPEATED, .type = PROTOBUF_C_TYPE_STRING,
      .offset = offsetof(struct lab_sample, tags.data),
      .quantifier_offset = offsetof(struct lab_sample, tags.count) },
    { .name = "counts", .id = 10, .label = PROTOBUF_C_LABEL_REPEATED, .type = PROTOBUF_C_TYPE_INT32,
      .offset = offsetof(struct lab_sample, counts.data),
      .quantifier_offset = offsetof(struct lab_sample, counts.count),
      .flags = PROTOBUF_C_FIELD_FLAG_PACKED },
    { .name = "metadata", .id = 11, .label = PROTOBUF_C_LABEL_REPEATED, .type = PROTOBUF_C_TYPE_MESSAGE,
      .offset = offsetof(struct lab_sample, metadata.data),
      .quantifier_offset = offsetof(struct lab_sample, metadata.count),
      .descriptor = &lab_sample_metadata_entry_descriptor },
    { .name = "root", .id = 12, .label = PROTOBUF_C_LABEL_OPTIONAL, .type = PROTOBUF_C_TYPE_MESSAGE,
      .offset = offsetof(struct lab_sample, root),
      .descriptor = &lab_node_descriptor },
    { .name = "number", .id = 13, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_INT32,
      .offset = offsetof(struct lab_sample, number),
      .quantifier_offset = offsetof(struct lab_sample, choice_case),
      .flags = PROTOBUF_C_FIELD_FLAG_ONEOF },
    { .name = "text", .id = 14, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_STRING,
      .offset = offsetof(struct lab_sample, text),
      .quantifier_offset = offsetof(struct lab_sample, choice_case),
      .flags = PROTOBUF_C_FIELD_FLAG_ONEOF },
    { .name = "node", .id = 15, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_MESSAGE,
      .offset = offsetof(struct lab_sample, node),
      .quantifier_offset = offsetof(struct lab_sample, choice_case),
      .descriptor = &lab_node_descriptor,
      .flags = PROTOBUF_C_FIELD_FLAG_ONEOF },
    { .name = "weights", .id = 16, .label = PROTOBUF_C_LABEL_REPEATED, .type = PROTOBUF_C_TYPE_DOUBLE,
      .offset = offsetof(struct lab_sample, weights.data),
      .quantifier_offset = offsetof(struct lab_sample, weights.count),
      .flags = PROTOBUF_C_FIELD_FLAG_PACKED },
    { .name = "rows", .id = 17, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_UINT32,
      .offset = offsetof(struct lab_sample, rows) },
    { .name = "nodes", .id = 18, .label = PROTOBUF_C_LABEL_REPEATED, .type = PROTOBUF_C_TYPE_MESSAGE,
      .offset = offsetof(struct lab_sample, nodes.data),
      .quantifier_offset = offsetof(struct lab_sample, nodes.count),
      .descriptor = &lab_sample_nodes_entry_descriptor },
    { .name = "blobs", .id = 19, .label = PROTOBUF_C_LABEL_REPEATED, .type = PROTOBUF_C_TYPE_BYTES,
      .offset = offsetof(struct lab_sample, blobs.data),
      .quantifier_offset = offsetof(struct lab_sample, blobs.count) },
    { .name = "raw", .id = 20, .label = PROTOBUF_C_LABEL_OPTIONAL, .type = PROTOBUF_C_TYPE_BYTES,
      .offset = offsetof(struct lab_sample, raw),
      .quantifier_offset = offsetof(struct lab_sample, has_raw) },
    { .name = "ratio", .id = 21, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_FLOAT,
      .offset = offsetof(struct lab_sample, ratio) },
    { .name = "shift", .id = 22, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_SINT64,
      .offset = offsetof(struct lab_sample, shift) },
    { .name = "hash", .id = 23, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_FIXED64,
      .offset = offsetof(struct lab_sample, hash) },
    { .name = "flags", .id = 24, .label = PROTOBUF_C_LABEL_REPEATED, .type = PROTOBUF_C_TYPE_BOOL,
      .offset = offsetof(struct lab_sample, flags.data),
      .quantifier_offset = offsetof(struct lab_sample, flags.count),
      .flags = PROTOBUF_C_FIELD_FLAG_PACKED },
    { .name = "modes", .id = 25, .label = PROTOBUF_C_LABEL_REPEATED, .type = PROTOBUF_C_TYPE_ENUM,
      .offset = offsetof(struct lab_sample, modes.data),
      .quantifier_offset = offsetof(struct lab_sample, modes.count),
      .descriptor = &lab_mode_descriptor,
      .flags = PROTOBUF_C_FIELD_FLAG_PACKED },
    { .name = "offsets", .id = 26, .label = PROTOBUF_C_LABEL_REPEATED, .type = PROTOBUF_C_TYPE_SINT64,
      .offset = offsetof(struct lab_sample, offsets.data),
      .quantifier_offset = offsetof(struct lab_sample, offsets.count),
      .flags = PROTOBUF_C_FIELD_FLAG_PACKED },
    { .name = "ratios", .id = 27, .label = PROTOBUF_C_LABEL_REPEATED, .type = PROTOBUF_C_TYPE_FLOAT,
      .offset = offsetof(struct lab_sample, ratios.data),
      .quantifier_offset = offsetof(struct lab_sample, ratios.count),
      .flags = PROTOBUF_C_FIELD_FLAG_PACKED },
    { .name = "columns", .id = 28, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_UINT64,
      .offset = offsetof(struct lab_sample, columns) },
};

static const unsigned sample_names[] = { 3, 18, 27, 9, 23, 22, 0, 10, 6, 24, 1, 14, 17, 2, 12, 25, 5, 20, 26, 19, 7, 11, 16, 4, 21, 8, 13, 15 };

static const ProtobufCIntRange sample_ranges[] = { { 1, 0 }, { 0, 28 } };

static const struct lab_sample sample_initial = LAB_SAMPLE_INIT;

const ProtobufCMessageDescriptor lab_sample_descriptor = {
    .magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
    .name = "lab.Sample",
    .short_name = "Sample",
    .c_name = "lab_sample",
    .package_name = "lab",
    .sizeof_message = sizeof(struct lab_sample),
    .n_fields = 28,
    .fields = sample_fields,
    .fields_sorted_by_name = sample_names,
    .n_field_ranges = 1,
    .field_ranges = sample_ranges,
};

static const struct varve_dim sample_weights_dims[] = {
    { .field = &sample_fields[16] },
    { .field = &sample_fields[27] },
};

static const struct varve_tensor sample_weights_tensor = {
    .dtype = VARVE_DTYPE_FLOAT64, .dims = sample_weights_dims, .dim_count = 2,
};

static const struct varve_column sample_columns[] = {
    { .field = &sample_fields[0], .kind = VARVE_COLUMN_SCALAR },
    { .field = &sample_fields[1], .kind = VARVE_COLUMN_SCALAR },
    { .field = &sample_fields[2], .kind = VARVE_COLUMN_SCALAR },
    { .field = &sample_fields[3], .kind = VARVE_COLUMN_SCALAR },
    { .field = &sample_fields[4], .kind = VARVE_COLUMN_SCALAR },
    { .field = &sample_fields[5], .kind = VARVE_COLUMN_SCALAR },
    { .field = &sample_fields[6], .kind = VARVE_COLUMN_SCALAR },
    { .field = &sample_fields[7], .kind = VARVE_COLUMN_SCALAR },
    { .field = &sample_fields[8], .kind = VARVE_COLUMN_JSON },
    { .field = &sample_fields[9], .kind = VARVE_COLUMN_JSON },
    { .field = &sample_fields[10], .kind = VARVE_COLUMN_JSON, .flags = VARVE_MAP, .record = &lab_sample_metadata_entry_record },
    { .field = &sample_fields[11], .kind = VARVE_COLUMN_WIRE, .record = &lab_node_record },
    { .field = &sample_fields[12], .kind = VARVE_COLUMN_SCALAR },
    { .field = &sample_fields[13], .kind = VARVE_COLUMN_SCALAR },
    { .field = &sample_fields[14], .kind = VARVE_COLUMN_WIRE, .record = &lab_node_record },
    { .field = &sample_fields[15], .kind = VARVE_COLUMN_TENSOR, .tensor = &sample_weights_tensor },
    { .field = &sample_fields[16], .kind = VARVE_COLUMN_SCALAR },
    { .field = &sample_fields[17], .kind = VARVE_COLUMN_WIRE, .flags = VARVE_MAP, .record = &lab_sample_nodes_entry_record },
    { .field = &sample_fields[18], .kind = VARVE_COLUMN_JSON },
    { .field = &sample_fields[19], .kind = VARVE_COLUMN_SCALAR },
    { .field = &sample_fields[20], .kind = VARVE_COLUMN_SCALAR },
    { .field = &sample_fields[21], .kind = VARVE_COLUMN_SCALAR },
    { .field = &sample_fields[22], .kind = VARVE_COLUMN_SCALAR },
    { .field = &sample_fields[23], .kind = VARVE_COLUMN_JSON },
    { .field = &sample_fields[24], .kind = VARVE_COLUMN_JSON },
    { .field = &sample_fields[25], .kind = VARVE_COLUMN_JSON },
    { .field = &sample_fields[26], .kind = VARVE_COLUMN_JSON },
    { .field = &sample_fields[27], .kind = VARVE_COLUMN_SCALAR },
};

const struct varve_record lab_sample_record = {
    .descriptor = &lab_sample_descriptor,
    .initial = &sample_initial,
    .columns = sample_columns,
    .column_count = 28,
    .flags = VARVE_RECORD_MAPS,
};

static const ProtobufCFieldDescriptor trace_fields[] = {
    { .name = "length", .id = 1, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_INT32,
      .offset = offsetof(struct lab_trace, length) },
    { .name = "samples", .id = 2, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_BYTES,
      .offset = offsetof(struct lab_trace, samples) },
    { .name = "title", .id = 3, .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_STRING,
      .offset = offsetof(struct lab_trace, title),
      .default_value = "" },
};

static const unsigned trace_names[] = { 0, 1, 2 };

static const ProtobufCIntRange trace_ranges[] = { { 1, 0 }, { 0, 3 } };

static const struct lab_trace trace_initial = LAB_TRACE_INIT;

const ProtobufCMessageDescriptor lab_trace_descriptor = {
    .magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
    .name = "lab.Trace",
    .short_name = "Trace",
    .c_name = "lab_trace",
    .package_name = "lab",
    .sizeof_message = sizeof(struct lab_trace),
    .n_fields = 3,
    .fields = trace_fields,
    .fields_sorted_by_name = trace_names,
    .n_field_ranges = 1,
    .field_ranges = trace_ranges,
};

static const struct varve_dim trace_samples_dims[] = { { .field = &trace_fields[0] } };

static const struct varve_tensor trace_samples_tensor = {
    .dtype = VARVE_DTYPE_INT16, .dims = trace_samples_dims, .dim_count = 1,
};

static const struct varve_column trace_columns[] = {
    { .field = &trace_fields[0], .kind = VARVE_COLUMN_SCALAR },
    { .field = &trace_fields[1], .kind = VARVE_COLUMN_TENSOR, .tensor = &trace_samples_tensor },
    { .field = &trace_fields[2], .kind = VARVE_COLUMN_SCALAR },
};

const struct varve_record lab_trace_record = {
    .descriptor = &lab_trace_descriptor,
    .initial = &trace_initial,
    .columns = trace_columns,
    .column_count = 3,
    .flags = VARVE_RECORD_SCALED,
};

/* clang-format on */
