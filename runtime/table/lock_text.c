/* Reading and comparing the lines of a schema's state. */
#include "table/lock_text.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------- lines and words */

struct varve__lock_words
varve__lock_next(const char **text)
{
    struct varve__lock_words line = {*text, strcspn(*text, "\n")};
    *text += line.size + ((*text)[line.size] == '\n');
    return line;
}

static struct varve__lock_words
words_of(const char *text)
{
    return (struct varve__lock_words){text, strlen(text)};
}

static bool
is_equal(struct varve__lock_words a, struct varve__lock_words b)
{
    return a.size == b.size && memcmp(a.text, b.text, a.size) == 0;
}

/* Takes this beginning off the words, if they have it. */
static bool
take(struct varve__lock_words *words, const char *beginning)
{
    size_t size = strlen(beginning);
    if (words->size < size || memcmp(words->text, beginning, size) != 0)
        return false;
    words->text += size;
    words->size -= size;
    return true;
}

/* Takes the next word, and the space behind it. */
static struct varve__lock_words
take_word(struct varve__lock_words *words)
{
    struct varve__lock_words word = {words->text, 0};
    while (word.size < words->size && word.text[word.size] != ' ')
        word.size++;
    size_t taken = word.size + (word.size < words->size);
    words->text += taken;
    words->size -= taken;
    return word;
}

char *
varve__lock_join(const struct varve_schema *schema)
{
    sqlite3_str *text = sqlite3_str_new(NULL);
    for (size_t i = 0; i < schema->lock_count; i++)
        sqlite3_str_appendf(text, "%s%s", i > 0 ? "\n" : "", schema->lock[i]);
    bool empty = sqlite3_str_errcode(text) == SQLITE_OK && sqlite3_str_length(text) == 0;
    char *made = sqlite3_str_finish(text);
    return made || !empty ? made : sqlite3_mprintf("");
}

/* -------------------------------------------------------------------- comparing */

static bool
is_of_tables(struct varve__lock_words line)
{
    return take(&line, "message ") || take(&line, "field ") || take(&line, "index ");
}

static bool
schema_has(const struct varve_schema *schema, struct varve__lock_words line)
{
    for (size_t i = 0; i < schema->lock_count; i++) {
        if (is_equal(words_of(schema->lock[i]), line))
            return true;
    }
    return false;
}

static bool
lock_has(const char *lock, struct varve__lock_words line)
{
    while (*lock) {
        if (is_equal(varve__lock_next(&lock), line))
            return true;
    }
    return false;
}

/* Whether the lock is the schema's very text: the usual case. */
static bool
is_text_of(const struct varve_schema *schema, const char *lock)
{
    for (size_t i = 0; i < schema->lock_count; i++) {
        if (!*lock || !is_equal(varve__lock_next(&lock), words_of(schema->lock[i])))
            return false;
    }
    return *lock == '\0';
}

bool
varve__lock_is_same(
    const struct varve_schema *schema, const char *lock, struct varve__lock_difference *difference)
{
    *difference = (struct varve__lock_difference){0};
    if (is_text_of(schema, lock))
        return true;
    for (size_t i = 0; i < schema->lock_count && !difference->own.text; i++) {
        struct varve__lock_words line = words_of(schema->lock[i]);
        if (is_of_tables(line) && !lock_has(lock, line))
            difference->own = line;
    }
    for (const char *text = lock; *text && !difference->stored.text;) {
        struct varve__lock_words line = varve__lock_next(&text);
        if (is_of_tables(line) && !schema_has(schema, line))
            difference->stored = line;
    }
    return !difference->own.text && !difference->stored.text;
}

/* -------------------------------------------------------------------- messages and fields */

bool
varve__lock_read_message(
    struct varve__lock_words line,
    struct varve__lock_words *message,
    struct varve__lock_words *table)
{
    if (!take(&line, "message "))
        return false;
    *message = take_word(&line);
    *table = line;
    return take(table, "table=");
}

bool
varve__lock_read_field(
    struct varve__lock_words line,
    struct varve__lock_words *message,
    uint32_t *number,
    struct varve__lock_words *name)
{
    if (!take(&line, "field "))
        return false;
    *message = take_word(&line);
    *number = (uint32_t)strtoul(line.text, NULL, 10);
    take_word(&line);
    *name = take_word(&line);
    return true;
}

/* The message that has this table. */
static struct varve__lock_words
message_of(const char *lock, struct varve__lock_words table)
{
    struct varve__lock_words message, own;
    while (*lock) {
        if (varve__lock_read_message(varve__lock_next(&lock), &message, &own) &&
            is_equal(own, table))
            return message;
    }
    return (struct varve__lock_words){0};
}

/* By number, or by name where that has text. */
static struct varve__lock_words
find_field(
    const char *lock,
    struct varve__lock_words table,
    uint32_t wanted,
    struct varve__lock_words called)
{
    struct varve__lock_words of, name, message = message_of(lock, table);
    uint32_t number;
    while (message.text && *lock) {
        struct varve__lock_words line = varve__lock_next(&lock);
        if (!varve__lock_read_field(line, &of, &number, &name) || !is_equal(of, message))
            continue;
        bool same_name = called.text && name.size == called.size &&
                         sqlite3_strnicmp(name.text, called.text, (int)name.size) == 0;
        if (called.text ? same_name : number == wanted)
            return line;
    }
    return (struct varve__lock_words){0};
}

struct varve__lock_words
varve__lock_field(const char *lock, struct varve__lock_words table, uint32_t number)
{
    return find_field(lock, table, number, (struct varve__lock_words){0});
}

struct varve__lock_words
varve__lock_field_named(
    const char *lock, struct varve__lock_words table, struct varve__lock_words name)
{
    return find_field(lock, table, 0, name);
}
