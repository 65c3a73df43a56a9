/* Writes JSON as it comes, one value after another. Text of any bytes becomes valid JSON: what is
 * no UTF-8 is replaced by U+FFFD.
 *
 *     struct varvectl_json json = {.file = stdout};
 *     varvectl_json_open(&json, NULL, '{');
 *     varvectl_json_integer(&json, "records", 12);
 *     varvectl_json_close(&json, '}');
 *
 * `name` is the member's in an object, NULL in an array and for the outermost.
 */
#ifndef VARVE_TOOLS_JSON_H
#define VARVE_TOOLS_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct varvectl_json {
    FILE *file;
    bool follows; /* a value stands before in the same object or array */
};

/* An object, '{' and '}', or an array, '[' and ']'. */
void
varvectl_json_open(struct varvectl_json *json, const char *name, char bracket);
void
varvectl_json_close(struct varvectl_json *json, char bracket);

void
varvectl_json_integer(struct varvectl_json *json, const char *name, int64_t value);
void
varvectl_json_bool(struct varvectl_json *json, const char *name, bool value);

/* NULL as value is null. */
void
varvectl_json_text(struct varvectl_json *json, const char *name, const char *value);

#endif
