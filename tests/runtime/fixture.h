/* Records for the runtime's own tests, in the shape that the generator writes: lab.Sample has a
 * field of every kind, lab.Node contains itself, lab.Trace has a dtype tensor.
 *
 *     message Sample { int64 id = 1; string name = 2; optional string note = 3; ..
 *         map<string, string> metadata = 11; oneof choice { int32 number = 13; .. }
 *         repeated double weights = 16 [(varve.tensor) = { dim: "rows" dim: "columns" }]; .. }
 */
#ifndef VARVE_TESTS_FIXTURE_H
#define VARVE_TESTS_FIXTURE_H

#include <varve/varve.h>

/* clang-format off */
enum lab_mode {
    LAB_IDLE = 0,
    LAB_RUN = 1,
    LAB_STOP = -1,
};

struct lab_node {
    ProtobufCMessage base;
    int32_t value;
    struct lab_node *left;
    struct lab_node *right;
    struct {
        size_t count;
        struct lab_node **data;
    } children;
    const char *label;
};

struct lab_sample_metadata_entry {
    ProtobufCMessage base;
    const char *key;
    const char *value;
};

struct lab_sample_nodes_entry {
    ProtobufCMessage base;
    int32_t key;
    struct lab_node *value;
};

enum lab_sample_choice_case {
    LAB_SAMPLE_CHOICE_NOT_SET = 0,
    LAB_SAMPLE_CHOICE_NUMBER = 13,
    LAB_SAMPLE_CHOICE_TEXT = 14,
    LAB_SAMPLE_CHOICE_NODE = 15,
};

struct lab_sample {
    ProtobufCMessage base;
    int64_t id;
    const char *name;
    const char *note;
    struct varve_bytes blob;
    double score;
    protobuf_c_boolean has_rank;
    int32_t rank;
    enum lab_mode mode;
    protobuf_c_boolean ready;
    struct varve_strings tags;
    struct varve_int32s counts;
    struct {
        size_t count;
        struct lab_sample_metadata_entry **data;
    } metadata;
    struct lab_node *root;
    enum lab_sample_choice_case choice_case;
    union {
        int32_t number;
        const char *text;
        struct lab_node *node;
    };
    struct varve_doubles weights; /* tensor [rows, columns] */
    uint32_t rows;
    struct {
        size_t count;
        struct lab_sample_nodes_entry **data;
    } nodes;
    struct varve_blobs blobs;
    protobuf_c_boolean has_raw;
    struct varve_bytes raw;
    float ratio;
    int64_t shift;
    uint64_t hash;
    struct varve_bools flags;
    struct {
        size_t count;
        enum lab_mode *data;
    } modes;
    struct varve_int64s offsets;
    struct varve_floats ratios;
    uint64_t columns;
};

struct lab_trace {
    ProtobufCMessage base;
    int32_t length;
    struct varve_int16s samples; /* tensor [length] */
    const char *title;
};

#define LAB_NODE_INIT \
    { .base = { .descriptor = &lab_node_descriptor }, .label = "" }
#define LAB_SAMPLE_METADATA_ENTRY_INIT \
    { .base = { .descriptor = &lab_sample_metadata_entry_descriptor }, .key = "", .value = "" }
#define LAB_SAMPLE_NODES_ENTRY_INIT \
    { .base = { .descriptor = &lab_sample_nodes_entry_descriptor } }
#define LAB_SAMPLE_INIT \
    { .base = { .descriptor = &lab_sample_descriptor }, .name = "" }
#define LAB_TRACE_INIT \
    { .base = { .descriptor = &lab_trace_descriptor }, .title = "" }

extern const ProtobufCMessageDescriptor lab_node_descriptor;
extern const struct varve_record lab_node_record;
extern const ProtobufCMessageDescriptor lab_sample_metadata_entry_descriptor;
extern const struct varve_record lab_sample_metadata_entry_record;
extern const ProtobufCMessageDescriptor lab_sample_nodes_entry_descriptor;
extern const struct varve_record lab_sample_nodes_entry_record;
extern const ProtobufCMessageDescriptor lab_sample_descriptor;
extern const struct varve_record lab_sample_record;
extern const ProtobufCMessageDescriptor lab_trace_descriptor;
extern const struct varve_record lab_trace_record;
extern const ProtobufCEnumDescriptor lab_mode_descriptor;
/* clang-format on */

#endif
