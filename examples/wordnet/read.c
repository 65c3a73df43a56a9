/* Files, lines, words and numbers. What they mean is parse.c's. */
#include "read.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILE_SIZE_MAX = 1 << 28 /* bytes; data.noun has 15 million */
};

/* The whole file with a NUL behind it, or NULL with errno set. */
static char *
read_file(const char *path, size_t *size)
{
    char *text = NULL;
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    long end = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (end > FILE_SIZE_MAX) /* a folder says so too */
        errno = EFBIG;
    if (end < 0 || end > FILE_SIZE_MAX || fseek(file, 0, SEEK_SET) != 0)
        goto cleanup;
    text = malloc((size_t)end + 1);
    if (!text)
        goto cleanup;
    *size = fread(text, 1, (size_t)end, file);
    text[*size] = '\0';
    if (*size != (size_t)end) {
        free(text);
        text = NULL;
    }
cleanup:
    fclose(file);
    return text;
}

bool
reader_open(
    struct reader *reader,
    const char *folder,
    const char *kind,
    const char *part,
    struct wordnet_error *error)
{
    char path[4096];
    *reader = (struct reader){.folder = folder, .error = error};
    snprintf(reader->name, sizeof reader->name, "%s.%s", kind, part);
    snprintf(path, sizeof path, "%s/%s", folder, reader->name);
    errno = 0;
    reader->text = read_file(path, &reader->size);
    int reason = errno;
    reader->next = reader->text;
    if (reader->text)
        return true;
    reader->failed = true;
    snprintf(
        error->message, sizeof error->message, "%.300s/%s cannot be read: %s%s", folder,
        reader->name, reason ? strerror(reason) : "it is no file",
        reason == ENOENT ? "; WordNet is in Debian's package wordnet-base: "
                           "apt-get install wordnet-base"
                         : "");
    return false;
}

void
reader_close(struct reader *reader)
{
    free(reader->text);
    reader->text = NULL;
}

void
reader_fail(struct reader *reader, const char *format, ...)
{
    if (reader->failed)
        return;
    reader->failed = true;
    char *message = reader->error->message;
    size_t size = sizeof reader->error->message;
    int length =
        snprintf(message, size, "%s/%s:%zu: ", reader->folder, reader->name, reader->line_number);
    if (length < 0 || (size_t)length >= size)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message + length, size - (size_t)length, format, arguments);
    va_end(arguments);
}

bool
reader_line(struct reader *reader)
{
    const char *end = reader->text + reader->size;
    do {
        if (reader->failed || reader->next == end)
            return false;
        reader->line_number++;
        reader->line = reader->next;
        char *newline = memchr(reader->line, '\n', (size_t)(end - reader->line));
        if (!newline) {
            reader_fail(reader, "the file ends in the middle of a line; is it cut off?");
            return false;
        }
        *newline = '\0';
        reader->next = newline + 1;
        if (memchr(reader->line, '\0', (size_t)(newline - reader->line))) {
            reader_fail(reader, "there is a NUL byte in the line; is the file damaged?");
            return false;
        }
    } while (strncmp(reader->line, "  ", 2) == 0);
    reader->at = reader->line;
    return true;
}

char *
reader_word(struct reader *reader)
{
    static char none[1];
    if (!reader->failed && *reader->at == '\0')
        reader_fail(reader, "the line ends too early");
    if (reader->failed)
        return none;
    char *word = reader->at;
    reader->at += strcspn(word, " ");
    if (*reader->at)
        *reader->at++ = '\0';
    return word;
}

uint32_t
reader_number(struct reader *reader, int base, size_t digits)
{
    const char *word = reader_word(reader);
    char *end = NULL;
    unsigned long number = strtoul(word, &end, base);
    bool good = isxdigit((unsigned char)*word) && *end == '\0' && strlen(word) <= digits;
    if (!good)
        reader_fail(
            reader, "\"%.40s\" stands where a number of at most %zu %s digits is due", word, digits,
            base == 16 ? "hexadecimal" : "decimal");
    return good ? (uint32_t)number : 0;
}
