/* Records whose tensors are made from kind, id and version, so that any reader can tell a wrong one. */
#ifndef VARVE_TESTS_STORE_CHECKED_H
#define VARVE_TESTS_STORE_CHECKED_H

#include <stddef.h>
#include <stdint.h>

#include <lab_tensors.varve.h>

#include "random.h"

enum checked_kind {
    CHECKED_SPOOL, /* in columns, ragged */
    CHECKED_PLATE, /* a dataset each */
    CHECKED_KINDS,
};

/* All of a record but what follows from it. */
struct checked {
    enum checked_kind kind;
    int64_t id;
    int64_t session_id;
    int64_t version; /* of the tensors */
    int64_t remark;  /* changes without them */
};

extern const struct varve_record *const checked_records[CHECKED_KINDS];

/* A record of this kind as the library gives it, without a look at its tensors. */
struct checked
checked_of(enum checked_kind kind, const void *record);

/* Elements of the record's first tensor. */
size_t
checked_size(const struct checked *record);

/* Inserts records of one kind, all or none; keys that are 0 are assigned and stored in them. */
enum varve_status
checked_insert(struct varve_session *session, struct checked *records, size_t count);

/* Writes the record with the tensors of its version. */
enum varve_status
checked_update(struct varve_session *session, const struct checked *record);

/* The same without its tensors, which stay as they are stored; what is stored must be of this version. */
enum varve_status
checked_update_without(struct varve_session *session, const struct checked *record);

/* Writes the remark and nothing else. */
enum varve_status
checked_update_remark(struct varve_session *session, const struct checked *record);

enum varve_status
checked_delete(struct varve_session *session, enum checked_kind kind, int64_t id);

/* NULL, or what of the record is not as its version says: a static string. */
const char *
checked_compare(enum checked_kind kind, const void *record);

/* Reads a record with its tensors. *wrong as checked_compare() says it, also when there is none. */
enum varve_status
checked_get(
    struct varve_session *session,
    enum checked_kind kind,
    int64_t id,
    struct checked *record,
    const char **wrong);

/* Reads a part of the record's first tensor, in a snapshot with the record. */
enum varve_status
checked_slice(
    struct varve_session *session,
    struct random *random,
    enum checked_kind kind,
    int64_t id,
    const char **wrong);

/* Lists records by their keys, without tensors, at most `most`; *count is how many there are. */
enum varve_status
checked_list(
    struct varve_session *session,
    enum checked_kind kind,
    struct checked *records,
    size_t most,
    size_t *count);

#endif
