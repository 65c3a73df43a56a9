/* The tables that the generator writes and the runtime reads. Applications need none of this; it is
 * open so that tools can walk a schema.
 *
 * A fact stands once. Names, numbers, wire types, presence and offsets are in protobuf-c's own
 * descriptors (generated over varve's structs); these tables point at them and add what storage
 * needs to know.
 *
 *     for (size_t i = 0; i < cortex_schema.record_count; i++)
 *         puts(cortex_schema.records[i]->descriptor->name);
 */
#ifndef VARVE_SCHEMA_H
#define VARVE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include <varve/version.h>

#ifdef __cplusplus
extern "C" {
#endif

struct varve_record;

/* How a field is kept in its table. */
enum varve_column_kind {
    VARVE_COLUMN_SCALAR = 1, /* one SQL value, converted by the field's wire type */
    VARVE_COLUMN_JSON,       /* repeated scalars or a map of scalars: JSON text */
    VARVE_COLUMN_WIRE,       /* nested messages: their wire bytes */
    VARVE_COLUMN_TENSOR,     /* no column: an array in the archive */
};

enum varve_column_flag {
    VARVE_PRIMARY_KEY = 1u << 0,
    VARVE_GENERATED_KEY = 1u << 1, /* an integer key that the database assigns when it is 0 */
    VARVE_UNIQUE = 1u << 2,        /* alone, by an index of its own */
    VARVE_ROW_VERSION = 1u << 3,   /* compare-and-set counter */
    VARVE_JSON_COPY = 1u << 4,     /* a VARVE_COLUMN_WIRE with a JSON copy beside it */
    VARVE_MAP = 1u << 5,           /* a map: entries in any order, each key once */
};

/* Element types of tensors. The size of an element is varve_dtype_size(). */
enum varve_dtype {
    VARVE_DTYPE_FLOAT32 = 1,
    VARVE_DTYPE_FLOAT64,
    VARVE_DTYPE_INT32,
    VARVE_DTYPE_INT64,
    VARVE_DTYPE_UINT32,
    VARVE_DTYPE_UINT64,
    VARVE_DTYPE_INT8, /* from here on: carried in a bytes field, little-endian on the wire */
    VARVE_DTYPE_UINT8,
    VARVE_DTYPE_INT16,
    VARVE_DTYPE_UINT16,
    VARVE_DTYPE_FLOAT16,
};

/* One axis of a tensor: a constant, or the value of an integer field of the same record. */
struct varve_dim {
    int64_t size;                          /* the constant, when field is NULL */
    const ProtobufCFieldDescriptor *field; /* singular, integer, not optional */
};

struct varve_tensor {
    enum varve_dtype dtype;
    bool optional;                /* count 0 is allowed whatever the dims say */
    const struct varve_dim *dims; /* slowest axis first; the count is their product */
    size_t dim_count;             /* at most 8 */
    const char *unit;             /* of the elements, as the schema says it; NULL: it does not */
};

enum varve_on_delete {
    VARVE_ON_DELETE_RESTRICT = 0,
    VARVE_ON_DELETE_CASCADE,
    VARVE_ON_DELETE_SET_NULL,
};

/* A foreign key: this column holds a key of another record. */
struct varve_reference {
    const struct varve_record *record;
    size_t column; /* index into record->columns */
    enum varve_on_delete on_delete;
};

/* A field of a message, as storage sees it. The SQL name is field->name. */
struct varve_column {
    const ProtobufCFieldDescriptor *field;
    enum varve_column_kind kind;
    uint32_t flags;                          /* of enum varve_column_flag */
    const struct varve_record *record;       /* of a message or map field: what it holds */
    const struct varve_tensor *tensor;       /* NULL: no tensor */
    const struct varve_reference *reference; /* NULL: no foreign key */
};

enum varve_record_flag {
    /* The entry of a map: fields key and value. */
    VARVE_RECORD_MAP_ENTRY = 1u << 0,
    /* Has a dtype tensor in a bytes field: counts are elements in memory and bytes on the wire. */
    VARVE_RECORD_SCALED = 1u << 1,
    /* It, or what it embeds, has a map: repeated keys are dropped after unpacking. */
    VARVE_RECORD_MAPS = 1u << 2,
};

/* Columns that no two records have the same values in, beside the primary key. */
struct varve_unique {
    const size_t *columns; /* indexes into the record's columns, in the order of the index */
    size_t column_count;
    const char *where; /* SQL: holds only for rows for which this is true; NULL: for all */
};

/* How a record is kept in SQLite. */
struct varve_table {
    const char *name;
    const char *ddl;           /* CREATE TABLE and its indexes, statements ending in ; */
    const size_t *primary_key; /* indexes into the record's columns, in declaration order */
    size_t primary_key_count;
    const struct varve_unique *uniques; /* those of single fields first, in schema order */
    size_t unique_count;
    /* Size in bytes of the conditions at the start of a P_M_filter, one for each column that is no
     * tensor, in schema order; a struct varve_filter_tail follows. */
    size_t conditions_size;
};

/* Where the only copy of a cached record is. */
enum varve_cache_mode {
    VARVE_CACHE_ONLY = 1,     /* in the cache: it may be lost with it */
    VARVE_CACHE_READ_THROUGH, /* in the table: the cache has a hot copy, filled by reads */
};

/* What compresses a value: the first byte of each says which. */
enum varve_cache_compression {
    VARVE_CACHE_NONE = 0,
    VARVE_CACHE_ZSTD,
    VARVE_CACHE_LZ4,
    VARVE_CACHE_DEFLATE,
};

/* The text between two colons of a key: fixed, but for at most one field. */
struct varve_key_part {
    const char *before;                    /* fixed text, "" where there is none */
    const ProtobufCFieldDescriptor *field; /* string, integer, bool or enum; NULL: before is all */
    const char *after;
    bool hash_tag; /* the value stands in braces, by which a Redis cluster chooses the slot */
};

/* How a record is kept in the cache. */
struct varve_cache {
    const char *key;                    /* the key as in the schema, "wm:{pattern_hash}" */
    const struct varve_key_part *parts; /* of the key, between colons */
    size_t part_count;
    uint32_t space; /* of message and template, fields by number: what its keys begin with */
    enum varve_cache_mode mode;
    enum varve_cache_compression compression;
    int64_t compress_above_bytes;             /* -1: the store's */
    int64_t ttl_seconds;                      /* 0: until it is deleted or evicted */
    const ProtobufCFieldDescriptor *index_by; /* int64, ns since 1970; NULL: no order */
};

/* What compresses the chunks of an archive. */
enum varve_archive_compression {
    VARVE_ARCHIVE_NONE = 0, /* not chunked at all where a dataset is one record's: can be mapped */
    VARVE_ARCHIVE_DEFLATE,
    VARVE_ARCHIVE_LZF,
    VARVE_ARCHIVE_SZIP,
    VARVE_ARCHIVE_ZSTD,
};

/* How a segment is laid out. */
enum varve_archive_layout {
    VARVE_ARCHIVE_COLUMN = 0, /* one table a segment, a column a tensor: many small records */
    VARVE_ARCHIVE_OBJECT,     /* a dataset for each record's tensor: few large ones */
};

/* How the tensors of a record are kept in segments. */
struct varve_archive {
    enum varve_archive_compression compression;
    int level;    /* of DEFLATE and ZSTD; 0 for the others */
    bool shuffle; /* before compression */
    bool checksum;
    enum varve_archive_layout layout;
    int64_t chunk_bytes;                          /* 0: chosen by layout and shape */
    int64_t segment_bytes;                        /* 0: the store's */
    int64_t retention_days;                       /* 0: for ever */
    const ProtobufCFieldDescriptor *retention_by; /* int64, ns since 1970; NULL: no retention */
};

/* A message: its wire descriptor and its storage. */
struct varve_record {
    const ProtobufCMessageDescriptor *descriptor; /* full name, struct size, fields by number */
    const void *initial;                          /* an initialised struct, as of P_M_INIT */
    const struct varve_column *columns;           /* in schema order */
    size_t column_count;
    uint32_t flags;                      /* of enum varve_record_flag */
    const struct varve_table *table;     /* NULL: the message has no table */
    const struct varve_cache *cache;     /* NULL: it is not cached */
    const struct varve_archive *archive; /* NULL: it has no table, or no tensors */
};

/* A step from one version of a schema to the next: a file of its migrations folder. */
struct varve_migration {
    uint32_t number;        /* from 1 on, without gaps */
    const char *name;       /* of the file, without .sql: "0003_add_mood" */
    const char *const *sql; /* its text, a line each without their ends */
    size_t sql_count;
    const char *checksum; /* SHA-256 of the file, in hexadecimal digits */
    bool reads_ok;        /* a program of the version before may go on reading */
    bool writes_ok;       /* and reading and writing */
};

/* A typed query: a method of a service with (varve.sql). Parameter :x of its statement is field x of the
 * request, column y of its result is field y of the response. */
struct varve_query {
    const char *name;                    /* "cortex.LearningEvents.BestStrategies" */
    const char *sql;                     /* one statement */
    const struct varve_record *request;  /* NULL: it takes no parameters */
    const struct varve_record *response; /* NULL: it gives no rows */
    const struct varve_record *written;  /* whose table it changes; NULL: it reads */
};

/* A package: everything that was generated from it. */
struct varve_schema {
    uint32_t abi; /* VARVE_ABI of the generator */
    const char *package;
    const struct varve_record *const *records; /* every message, nested ones included */
    size_t record_count;
    const struct varve_query *const *queries; /* every typed query; NULL: there are none */
    size_t query_count;
    /* The state of the schema that storage depends on, in the words of schema.lock, sorted. */
    const char *const *lock;
    size_t lock_count;
    const struct varve_migration *migrations; /* by number; NULL: the tables are made once */
    size_t migration_count;
    /* google.protobuf.FileDescriptorSet with all imports but google/protobuf/descriptor.proto,
     * which every protobuf library has */
    const uint8_t *descriptor_set;
    size_t descriptor_set_size; /* in bytes */
};

/* The size of one element, in bytes; 0 for a number that is no dtype. */
VARVE_EXPORT size_t
varve_dtype_size(enum varve_dtype dtype);

#ifdef __cplusplus
}
#endif

#endif
