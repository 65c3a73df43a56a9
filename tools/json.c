/* The JSON writer. */
#include "json.h"

#include <inttypes.h>
#include <stddef.h>

/* The size in bytes of the UTF-8 character at the start of the text, 0 when there is none. */
static size_t
character_size(const unsigned char *text)
{
    static const struct {
        unsigned char first, last; /* the first byte's range */
        unsigned char low, high; /* the second's: no overlong forms, surrogates, or over U+10FFFF */
        size_t size;
    } forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    if (text[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (text[0] < forms[i].first || text[0] > forms[i].last)
            continue;
        if (text[1] < forms[i].low || text[1] > forms[i].high)
            return 0;
        for (size_t j = 2; j < forms[i].size; j++)
            if ((text[j] & 0xc0) != 0x80)
                return 0;
        return forms[i].size;
    }
    return 0;
}

static void
write_string(FILE *file, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    putc('"', file);
    while (*at) {
        size_t size = character_size(at);
        if (size == 0) {
            fputs("\\ufffd", file);
            size = 1;
        } else if (*at < 0x20 || *at == 0x7f) {
            fprintf(file, "\\u%04x", (unsigned)*at);
        } else {
            if (*at == '"' || *at == '\\')
                putc('\\', file);
            fwrite(at, 1, size, file);
        }
        at += size;
    }
    putc('"', file);
}

/* What comes before a value. */
static void
begin_value(struct varvectl_json *json, const char *name)
{
    if (json->follows)
        fputs(", ", json->file);
    json->follows = true;
    if (name) {
        write_string(json->file, name);
        fputs(": ", json->file);
    }
}

void
varvectl_json_open(struct varvectl_json *json, const char *name, char bracket)
{
    begin_value(json, name);
    putc(bracket, json->file);
    json->follows = false;
}

void
varvectl_json_close(struct varvectl_json *json, char bracket)
{
    putc(bracket, json->file);
    json->follows = true;
}

void
varvectl_json_integer(struct varvectl_json *json, const char *name, int64_t value)
{
    begin_value(json, name);
    fprintf(json->file, "%" PRId64, value);
}

void
varvectl_json_bool(struct varvectl_json *json, const char *name, bool value)
{
    begin_value(json, name);
    fputs(value ? "true" : "false", json->file);
}

void
varvectl_json_text(struct varvectl_json *json, const char *name, const char *value)
{
    begin_value(json, name);
    if (value)
        write_string(json->file, value);
    else
        fputs("null", json->file);
}
