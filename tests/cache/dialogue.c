/* See dialogue.h. */
#include "dialogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

void
dialogue_begin(struct dialogue *dialogue, const char *socket)
{
    *dialogue = (struct dialogue){
        .options = {.unix_socket = socket, .connect_timeout_ms = 2000, .timeout_ms = 2000},
        .portion = 100,
    };
}

enum varve_status
dialogue_connect(struct dialogue *dialogue)
{
    varve__watch_begin(&dialogue->watch);
    return varve__redis_connect(
        &dialogue->options,
        dialogue->options.unix_socket ? dialogue->options.unix_socket : dialogue->options.host,
        &dialogue->watch, &dialogue->connection);
}

void
dialogue_end(struct dialogue *dialogue)
{
    varve__redis_disconnect(dialogue->connection);
    dialogue->connection = NULL;
}

/* The byte of which the value of this number consists. */
static char
byte_of(size_t number)
{
    return (char)('a' + number % 26);
}

static void
write_words(struct varve__redis_connection *connection, const char *words)
{
    size_t count = 1;
    for (const char *at = words; *at; at++)
        count += *at == ' ';
    varve__redis_command(connection, count);
    for (; count > 0; count--) {
        size_t size = strcspn(words, " ");
        varve__redis_argument(connection, words, size);
        words += size + 1;
    }
}

static void
write_one(struct dialogue *dialogue, struct varve__redis_connection *connection)
{
    char number[24];
    int size = snprintf(number, sizeof number, "%zu", dialogue->written);
    varve__redis_command(connection, dialogue->value_size > 0 ? 3 : 2);
    varve__redis_word(connection, dialogue->value_size > 0 ? "SET" : "GET");
    varve__redis_argument_of_two(connection, "key:", 4, number, (size_t)size);
    if (dialogue->value_size > 0) {
        char *value = malloc(dialogue->value_size);
        assert_non_null(value);
        memset(value, byte_of(dialogue->written), dialogue->value_size);
        varve__redis_argument(connection, value, dialogue->value_size);
        free(value);
    }
    dialogue->written++;
}

static enum varve_status
feed(void *context, struct varve__redis_connection *connection, size_t *replies)
{
    struct dialogue *dialogue = context;
    size_t count = dialogue->words ? 1 : dialogue->count;
    if (dialogue->written > 0 && dialogue->feed_status != VARVE_OK)
        return dialogue->feed_status;
    for (; dialogue->written < count && *replies < dialogue->portion; ++*replies) {
        if (!dialogue->words) {
            write_one(dialogue, connection);
            continue;
        }
        write_words(connection, dialogue->words);
        dialogue->written++;
    }
    return VARVE_OK;
}

/* Whether the reply is what the command of its number should have. */
static bool
is_right(const struct dialogue *dialogue, const struct varve__redis_piece *piece)
{
    if (dialogue->value_size > 0)
        return piece->kind == VARVE__REDIS_STATUS && piece->size == 2;
    bool same = piece->kind == VARVE__REDIS_STRING && piece->size > 0;
    for (size_t i = 0; same && i < piece->size; i++)
        same = piece->text[i] == byte_of(piece->reply);
    return same;
}

static enum varve_status
take(void *context, const struct varve__redis_piece *piece)
{
    static const char kinds[] = "$+-:_*";
    struct dialogue *dialogue = context;
    size_t used = strlen(dialogue->replies);
    bool counted = piece->kind == VARVE__REDIS_INTEGER || piece->kind == VARVE__REDIS_ARRAY;
    char number[24] = "";
    if (counted)
        snprintf(number, sizeof number, "%lld", (long long)piece->number);
    snprintf(
        dialogue->replies + used, sizeof dialogue->replies - used, "%c%.*s%s ", kinds[piece->kind],
        (int)piece->size, piece->text ? piece->text : "", number);
    dialogue->pieces++;
    dialogue->right += is_right(dialogue, piece);
    return dialogue->pieces == dialogue->take_fails_at ? dialogue->take_status : VARVE_OK;
}

enum varve_status
dialogue_exchange(struct dialogue *dialogue)
{
    dialogue->replies[0] = '\0';
    dialogue->written = dialogue->pieces = dialogue->right = 0;
    varve__watch_begin(&dialogue->watch);
    return varve__redis_exchange(dialogue->connection, &dialogue->watch, feed, take, dialogue);
}

enum varve_status
dialogue_say(struct dialogue *dialogue, const char *words)
{
    dialogue->words = words;
    enum varve_status status = dialogue_exchange(dialogue);
    dialogue->words = NULL;
    return status;
}

void
assert_says(const char *words)
{
    if (!strstr(varve__thread_error(), words))
        fail_msg("\"%s\" is expected in \"%s\"", words, varve__thread_error());
}
