/* Text written into a buffer of a fixed size: what does not fit is counted, not written. */
#ifndef VARVE_CODEC_TEXT_H
#define VARVE_CODEC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct varve__text {
    char *buffer;  /* may be NULL when size is 0 */
    size_t size;   /* of the buffer, with room for the NUL */
    size_t length; /* of the whole text, written or not; SIZE_MAX when that is no size */
};

void
varve__text_add(struct varve__text *text, const char *bytes, size_t size);

void
varve__text_add_string(struct varve__text *text, const char *string);

void
varve__text_add_spaces(struct varve__text *text, size_t count);

void
varve__text_add_int64(struct varve__text *text, int64_t value);

void
varve__text_add_uint64(struct varve__text *text, uint64_t value);

/* The shortest of a few lengths that reads back as the same number; nan, inf, -inf. The decimal
 * point is a point in every locale. */
void
varve__text_add_float(struct varve__text *text, float value);

void
varve__text_add_double(struct varve__text *text, double value);

/* In double quotes, with escapes as protobuf's text format has them: control characters and quotes,
 * and when the bytes are not UTF-8 everything that is not ASCII. */
void
varve__text_add_quoted(struct varve__text *text, const void *bytes, size_t size, bool utf8);

/* Ends the text with a NUL, at a whole character when it was cut. Whether all of it fits. */
bool
varve__text_end(struct varve__text *text);

#endif
