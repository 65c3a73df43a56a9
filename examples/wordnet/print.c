/* Numbers and lines. */
#include "print.h"

#include <stdio.h>
#include <string.h>

struct count_text
count_text(int64_t number)
{
    struct count_text parted = {.text = ""};
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)number);
    size_t at = 0;
    for (int i = 0; i < length; i++) {
        parted.text[at++] = digits[i];
        if ((length - i) % 3 == 1 && i + 1 < length && digits[i] != '-')
            parted.text[at++] = ',';
    }
    return parted;
}

void
wrap_word(struct wrap *wrap, const char *word, size_t length, const char *mark)
{
    size_t width = length + strlen(mark);
    if (wrap->column > wrap->indent && wrap->column + 1 + width > PRINT_WIDTH) {
        printf("\n%*s", (int)wrap->indent, "");
        wrap->column = wrap->indent;
    }
    if (wrap->column > wrap->indent) {
        putchar(' ');
        wrap->column++;
    }
    printf("%.*s%s", (int)length, word, mark);
    wrap->column += width;
}

void
wrap_text(size_t indent, const char *text)
{
    struct wrap wrap = {.indent = indent, .column = indent};
    printf("%*s", (int)indent, "");
    while (*text) {
        size_t length = strcspn(text, " ");
        if (length > 0)
            wrap_word(&wrap, text, length, "");
        text += length;
        text += strspn(text, " ");
    }
    putchar('\n');
}
