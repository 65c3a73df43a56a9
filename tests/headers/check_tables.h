/* What the tables of any generated schema must be like, so that libprotobuf-c's binary searches and
 * varve's runtime find everything. Each function stops the cmocka test that calls it. */
#ifndef VARVE_TESTS_CHECK_TABLES_H
#define VARVE_TESTS_CHECK_TABLES_H

#include <varve/varve.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Fields ascend by number, the index by name ascends, ranges cover all, and each is found both ways. */
void
check_fields(const struct varve_record *record);

/* Members lie inside the struct, behind base, aligned, and only members of one oneof overlap. */
void
check_layout(const struct varve_record *record);

/* Columns are the fields, with the records, tensors and references that they need. */
void
check_columns(const struct varve_record *record);

/* Keys are made of fields that a key can hold, with one hash tag at most; the order is by an int64. */
void
check_cache(const struct varve_record *record);

/* Who has a table and tensors has an archive, and nobody else; a level where the codec has some, an age by an
 * int64. */
void
check_archive(const struct varve_record *record);

/* Values ascend, every name is found, aliases and numbers without a name included. */
void
check_enum(const ProtobufCEnumDescriptor *descriptor);

/* The registry lists each message of the embedded descriptor set once, with its fields, and with the
 * primary key, the uniques, the conditions and the cache that its options say. */
void
check_registry(const struct varve_schema *schema);

/* Calls `check` for each record of the schema and for the entries of its maps. */
void
for_each_record(
    const struct varve_schema *schema, void (*check)(const struct varve_record *record));

#ifdef __cplusplus
}
#endif

#endif
