/* Cutting SQL into tokens, and CREATE statements into what they define. */
#include "migrate/normal.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum token_kind {
    TOKEN_END,
    TOKEN_STRING, /* '..', x'..' too */
    TOKEN_QUOTED,
    TOKEN_WORD, /* numbers too */
    TOKEN_OTHER,
};

struct token {
    enum token_kind kind;
    const char *text;
    size_t size;
};

/* -------------------------------------------------------------------- tokens */

static bool
is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool
begins_word(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
           (unsigned char)byte >= 0x80;
}

static bool
is_space(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* Behind what begins with this quote; of quotes that do not end, the end. */
static const char *
skip_quoted(const char *at, const char *end)
{
    char close = *at == '[' ? ']' : *at;
    for (at++; at < end; at++) {
        if (*at != close)
            continue;
        if (close == ']' || at + 1 >= end || at[1] != close)
            return at + 1;
        at++;
    }
    return end;
}

static const char *
skip_space(const char *at, const char *end)
{
    while (at < end) {
        if (is_space(*at)) {
            at++;
        } else if (end - at >= 2 && at[0] == '-' && at[1] == '-') {
            const char *line = memchr(at, '\n', (size_t)(end - at));
            at = line ? line : end;
        } else if (end - at >= 2 && at[0] == '/' && at[1] == '*') {
            for (at += 2; at < end && (end - at < 2 || at[0] != '*' || at[1] != '/'); at++)
                continue;
            at = end - at >= 2 ? at + 2 : end;
        } else {
            break;
        }
    }
    return at;
}

/* Behind a number: digits, letters and points, and the sign of an exponent. */
static const char *
skip_number(const char *at, const char *end)
{
    const char *start = at;
    while (at < end && (begins_word(*at) || is_digit(*at) || *at == '.'))
        at++;
    bool exponent = (at[-1] == 'e' || at[-1] == 'E') && at - start > 1;
    if (exponent && end - at >= 2 && (*at == '+' || *at == '-') && is_digit(at[1])) {
        for (at++; at < end && is_digit(*at); at++)
            continue;
    }
    return at;
}

static const char *
skip_word(const char *at, const char *end)
{
    while (at < end && (begins_word(*at) || is_digit(*at) || *at == '$'))
        at++;
    return at;
}

static size_t
operator_size(const char *at, const char *end)
{
    static const char *const operators[] = {
        "->>", "<<", ">>", "<=", ">=", "<>", "!=", "==", "||", "->"};
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        size_t size = strlen(operators[i]);
        if ((size_t)(end - at) >= size && memcmp(at, operators[i], size) == 0)
            return size;
    }
    return 1;
}

static struct token
next_token(const char *at, const char *end)
{
    at = skip_space(at, end);
    const char *start = at;
    enum token_kind kind = TOKEN_OTHER;
    if (at == end)
        return (struct token){TOKEN_END, at, 0};
    if (*at == '\'' || ((*at == 'x' || *at == 'X') && end - at >= 2 && at[1] == '\'')) {
        kind = TOKEN_STRING;
        at = skip_quoted(*at == '\'' ? at : at + 1, end);
    } else if (*at == '"' || *at == '`' || *at == '[') {
        kind = TOKEN_QUOTED;
        at = skip_quoted(at, end);
    } else if (begins_word(*at)) {
        kind = TOKEN_WORD;
        at = skip_word(at, end);
    } else if (is_digit(*at) || (*at == '.' && end - at >= 2 && is_digit(at[1]))) {
        kind = TOKEN_WORD;
        at = skip_number(at, end);
    } else {
        at += operator_size(at, end);
    }
    return (struct token){kind, start, (size_t)(at - start)};
}

/* -------------------------------------------------------------------- normal tokens */

static char
fold(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

/* What a quoted name means, folded; the copy is not longer. Returns its size. */
static size_t
unquote(const struct token *token, char *copy)
{
    size_t size = 0;
    char close = *token->text == '[' ? ']' : *token->text;
    for (size_t i = 1; i + 1 < token->size; i++) {
        copy[size++] = fold(token->text[i]);
        if (token->text[i] == close && token->text[i + 1] == close && i + 2 < token->size)
            i++;
    }
    return size;
}

static bool
is_plain(const char *name, size_t size)
{
    bool plain = size > 0 && begins_word(*name);
    for (size_t i = 0; i < size && plain; i++)
        plain = begins_word(name[i]) || is_digit(name[i]);
    return plain;
}

/* Writes the token's normal form and a NUL; it takes at most twice the token's size and 3. */
static size_t
write_token(const struct token *token, char *text)
{
    size_t size = 0;
    if (token->kind == TOKEN_QUOTED) {
        size_t length = unquote(token, text + token->size + 1);
        const char *name = text + token->size + 1;
        if (is_plain(name, length)) {
            memmove(text, name, length);
            text[length] = '\0';
            return length;
        }
        text[size++] = '"';
        for (size_t i = 0; i < length; i++) {
            char byte = name[i];
            if (byte == '"')
                text[size++] = '"';
            text[size++] = byte;
        }
        text[size++] = '"';
    } else {
        for (; size < token->size; size++)
            text[size] = *token->text == '\'' ? token->text[size] : fold(token->text[size]);
    }
    text[size] = '\0';
    return size;
}

enum varve_status
varve__normal_tokens(
    struct varve__arena *arena, const struct varve__sql_piece *piece, struct varve__texts *tokens)
{
    const char *end = piece->text + piece->size;
    size_t count = 0;
    for (struct token token = next_token(piece->text, end); token.kind != TOKEN_END;
         token = next_token(token.text + token.size, end))
        count++;
    tokens->count = 0;
    tokens->data = varve__arena_allocate(arena, (count + 1) * sizeof *tokens->data);
    if (!tokens->data)
        return varve__fail_memory(NULL, count);
    for (struct token token = next_token(piece->text, end); token.kind != TOKEN_END;
         token = next_token(token.text + token.size, end)) {
        size_t room = token.size * 3 + 3;
        char *text = varve__arena_allocate(arena, room);
        if (!text)
            return varve__fail_memory(NULL, room);
        varve__arena_shrink(arena, text, room, write_token(&token, text) + 1);
        tokens->data[tokens->count++] = text;
    }
    return VARVE_OK;
}

/* -------------------------------------------------------------------- statements */

bool
varve__normal_next(const char **text, struct varve__sql_piece *piece)
{
    const char *end = *text + strlen(*text);
    const char *start = skip_space(*text, end);
    struct token token = {.text = start};
    *piece = (struct varve__sql_piece){start, 0};
    do {
        token = next_token(token.text + token.size, end);
    } while (token.kind != TOKEN_END && *token.text != ';');
    *text = token.text + token.size;
    piece->size = (size_t)(*text - start);
    return piece->size > 0;
}

void
varve__normal_name(const struct varve__sql_piece *piece, char *name, size_t size)
{
    const char *end = piece->text + piece->size;
    struct token token = next_token(piece->text, end);
    while (token.kind != TOKEN_END && token.kind != TOKEN_QUOTED) { /* CREATE UNIQUE INDEX */
        struct token next = next_token(token.text + token.size, end);
        if (next.kind == TOKEN_OTHER || next.kind == TOKEN_END ||
            (next.kind == TOKEN_WORD && next.size == 2 && fold(*next.text) == 'o'))
            break; /* behind a name without quotes: a parenthesis, ON */
        token = next;
    }
    size_t length = token.size;
    char *copy = name;
    if (token.size + 1 > size) {
        *name = '\0'; /* no object of ours */
        return;
    }
    if (token.kind == TOKEN_QUOTED)
        length = unquote(&token, copy);
    else
        for (size_t i = 0; i < length; i++)
            copy[i] = fold(token.text[i]);
    copy[length] = '\0';
}

static bool
is(const struct varve__texts *tokens, size_t at, const char *word)
{
    return at < tokens->count && strcmp(tokens->data[at], word) == 0;
}

/* The first token from `at` on that is this word; the count when there is none. */
static size_t
find_token(const struct varve__texts *tokens, size_t at, const char *word)
{
    while (at < tokens->count && !is(tokens, at, word))
        at++;
    return at;
}

/* The token that closes the parenthesis at `at`. */
static size_t
find_close(const struct varve__texts *tokens, size_t at)
{
    size_t depth = 0;
    for (; at < tokens->count; at++) {
        depth += is(tokens, at, "(");
        if (is(tokens, at, ")") && --depth == 0)
            break;
    }
    return at;
}

/* The tokens [from, to) joined by spaces; NULL without memory. */
static const char *
join(struct varve__arena *arena, const struct varve__texts *tokens, size_t from, size_t to)
{
    size_t size = 1;
    for (size_t i = from; i < to; i++)
        size += strlen(tokens->data[i]) + 1;
    char *text = varve__arena_allocate(arena, size);
    char *at = text;
    for (size_t i = from; i < to && text; i++) {
        size_t length = strlen(tokens->data[i]);
        if (i > from)
            *at++ = ' ';
        memcpy(at, tokens->data[i], length);
        at += length;
    }
    if (text)
        *at = '\0';
    return text;
}

/* The texts between the commas of [from, to) that are in no parentheses. */
static enum varve_status
split(
    struct varve__arena *arena,
    const struct varve__texts *tokens,
    size_t from,
    size_t to,
    struct varve__texts *parts)
{
    size_t depth = 0;
    parts->count = 0;
    parts->data = varve__arena_allocate(arena, (to - from + 1) * sizeof *parts->data);
    if (!parts->data)
        return varve__fail_memory(NULL, to - from);
    for (size_t i = from, start = from; i <= to; i++) {
        bool ends = i == to || (depth == 0 && is(tokens, i, ","));
        if (ends && i > start) {
            const char *part = join(arena, tokens, start, i);
            if (!part)
                return varve__fail_memory(NULL, 0);
            parts->data[parts->count++] = part;
        }
        if (ends)
            start = i + 1;
        else if (is(tokens, i, "("))
            depth++;
        else if (is(tokens, i, ")") && depth > 0)
            depth--;
    }
    return VARVE_OK;
}

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
sort(struct varve__texts *texts)
{
    if (texts->count > 1)
        qsort(texts->data, texts->count, sizeof *texts->data, compare_texts);
}

enum varve_status
varve__normal_read(
    struct varve__arena *arena, const struct varve__sql_piece *piece, struct varve__normal *normal)
{
    struct varve__texts tokens;
    *normal = (struct varve__normal){.is_table = false};
    enum varve_status status = varve__normal_tokens(arena, piece, &tokens);
    if (status != VARVE_OK)
        return status;
    size_t open = find_token(&tokens, 0, "(");
    size_t close = find_close(&tokens, open);
    size_t end = tokens.count - is(&tokens, tokens.count - 1, ";");
    normal->is_table = find_token(&tokens, 0, "table") < open;
    size_t index = find_token(&tokens, 0, "index");
    size_t on = find_token(&tokens, index, "on");
    if (!is(&tokens, 0, "create") || close >= end || (!normal->is_table && on + 2 != open))
        return VARVE_NOT_FOUND;
    normal->name = tokens.data[normal->is_table ? open - 1 : on - 1];
    normal->table = normal->is_table ? "" : tokens.data[open - 1];
    normal->unique = is(&tokens, 1, "unique");
    status = split(arena, &tokens, open + 1, close, &normal->parts);
    if (status == VARVE_OK)
        status = split(arena, &tokens, close + 1, end, &normal->rest);
    if (status == VARVE_OK && normal->is_table) {
        sort(&normal->parts);
        sort(&normal->rest);
    }
    return status;
}

static bool
texts_equal(const struct varve__texts *a, const struct varve__texts *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; i < a->count && equal; i++)
        equal = strcmp(a->data[i], b->data[i]) == 0;
    return equal;
}

bool
varve__normal_equal(const struct varve__normal *a, const struct varve__normal *b)
{
    return a->is_table == b->is_table && a->unique == b->unique &&
           strcmp(a->table, b->table) == 0 && texts_equal(&a->parts, &b->parts) &&
           texts_equal(&a->rest, &b->rest);
}
