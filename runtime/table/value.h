/* The value of one column that is a scalar: read with distrust, since anybody can change a table. */
#ifndef VARVE_TABLE_VALUE_H
#define VARVE_TABLE_VALUE_H

#include <sqlite3.h>

#include <varve/schema.h>
#include <varve/status.h>

#include "base/arena.h"

/* Reads the column at `index`, of the type that the field asks for, into *member. VARVE_TYPE when
 * it is text that is no UTF-8 or holds a NUL, or a number out of the field's range. */
enum varve_status
varve__value_read(
    const struct varve_record *table,
    const ProtobufCFieldDescriptor *field,
    sqlite3_stmt *statement,
    int index,
    struct varve__arena *arena,
    void *member);

/* VARVE_TYPE: the column holds something that varve has not written. `what` says what it is. */
enum varve_status
varve__value_refuse(
    const struct varve_record *table,
    const ProtobufCFieldDescriptor *field,
    enum varve_failure_kind kind,
    const char *what,
    ...) VARVE_PRINTF(4, 5);

#endif
