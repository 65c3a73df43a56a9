/* Values and keys as text, for the sentences of failures: `id 7`, `site "a", day 3`. */
#ifndef VARVE_TABLE_KEY_TEXT_H
#define VARVE_TABLE_KEY_TEXT_H

#include <sqlite3.h>

#include <varve/status.h>

#include "table/plan.h"

/* Room for a key as text. */
enum {
    VARVE__KEY_TEXT = 200
};

/* Appends `name "dog"` for a value of the field, which is a scalar that moves so, given by a pointer to
 * its C type, behind the first `length` bytes of the text and a comma if there are any. Gives the new
 * length; what does not fit is cut at a whole character. */
size_t
varve__key_text_append(
    const ProtobufCFieldDescriptor *field,
    enum varve__move move,
    const void *value,
    char text[VARVE__KEY_TEXT],
    size_t length);

/* Writes the parts of a key, given as varve_record_get() takes it. */
void
varve__key_text(const struct varve__plan *plan, const void *const *key, char text[VARVE__KEY_TEXT]);

/* The same of a key that stands in the first columns of a statement's row. */
void
varve__key_text_of_row(
    const struct varve__plan *plan, sqlite3_stmt *statement, char text[VARVE__KEY_TEXT]);

/* VARVE_NOT_FOUND: there is no record with this key. */
enum varve_status
varve__not_found(const struct varve__plan *plan, const void *const *key);

/* The same with this value, given as varve__row_bind_value() takes it, in a unique field. */
enum varve_status
varve__not_found_by(const struct varve__plan *plan, size_t slot, const void *value);

#endif
