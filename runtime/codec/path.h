/* The way from a record to the field that failed. It is built only after a failure, while the
 * functions that walked there return, so that a walk without failures pays nothing for it. */
#ifndef VARVE_CODEC_PATH_H
#define VARVE_CODEC_PATH_H

#include <varve/schema.h>
#include <varve/status.h>

#include "codec/field.h"

#define VARVE__NO_INDEX SIZE_MAX

struct varve__step {
    const ProtobufCFieldDescriptor *field;
    size_t index; /* of the element, or VARVE__NO_INDEX */
};

/* count = 0 is the empty path; the innermost step stands first. */
struct varve__path {
    size_t count;
    struct varve__step steps[VARVE__DEPTH_MAX + 2];
};

void
varve__path_add(struct varve__path *path, const ProtobufCFieldDescriptor *field, size_t index);

/* Fails with VARVE_INVALID and "<message>.<path> <what>", such as
 * "cortex.Episode.metadata: the value of entry 3 is no UTF-8 (byte 17)", and records the field
 * numbers. An empty path names the message alone. Always returns VARVE_INVALID. */
enum varve_status
varve__path_fail(
    const struct varve__path *path,
    const struct varve_record *table,
    enum varve_failure_kind kind,
    const char *what,
    ...) VARVE_PRINTF(4, 5);

#endif
