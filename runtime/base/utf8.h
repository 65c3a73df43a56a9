/* Strict UTF-8: no surrogates, no overlong forms, nothing above U+10FFFF, and no NUL. */
#ifndef VARVE_BASE_UTF8_H
#define VARVE_BASE_UTF8_H

#include <stddef.h>

/* The offset of the first byte that begins no character, or is a NUL; `size` when all is well. */
size_t
varve__utf8_check(const char *text, size_t size);

/* `length` without the bytes of a character that was cut there: where UTF-8 text that lost its end
 * must stop. */
size_t
varve__utf8_whole(const char *text, size_t length);

#endif
