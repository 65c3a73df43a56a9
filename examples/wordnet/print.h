/* Text for people: numbers with their thousands parted, and lines that end in time. */
#ifndef WORDNET_PRINT_H
#define WORDNET_PRINT_H

#include <stddef.h>
#include <stdint.h>

enum {
    PRINT_WIDTH = 96 /* columns of a line */
};

/* A number as "117,659". */
struct count_text {
    char text[32];
};
struct count_text
count_text(int64_t number);

/* Printing word by word, with a new line where the next word would not fit. */
struct wrap {
    size_t indent; /* columns before the lines after the first */
    size_t column; /* where it stands; at the beginning what the caller has printed */
};
/* `mark` is what must follow the word at once, such as a comma. */
void
wrap_word(struct wrap *wrap, const char *word, size_t length, const char *mark);

/* The words of a text, from this indent to the end of the line. */
void
wrap_text(size_t indent, const char *text);

#endif
