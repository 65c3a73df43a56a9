/* A WordNet file, line by line and word by word. The first failure stays: after it every call gives
 * nothing, so that a line can be read to its end before `failed` is looked at. */
#ifndef WORDNET_READ_H
#define WORDNET_READ_H

#include "wordnet.h"

struct reader {
    const char *folder;
    char name[16]; /* "data.noun" */
    char *text;    /* the whole file; lines and words are cut out of it in place */
    char *next;    /* the line after this one */
    char *line;
    char *at; /* the rest of the line */
    size_t size;
    size_t line_number;
    bool failed;
    struct wordnet_error *error;
};

/* Reads the file `kind`.`part` ("data", "noun") of `folder`; both must outlive the reader. */
bool
reader_open(
    struct reader *reader,
    const char *folder,
    const char *kind,
    const char *part,
    struct wordnet_error *error);

void
reader_close(struct reader *reader);

/* Goes to the next line that is not of the licence. False at the end and after a failure. */
bool
reader_line(struct reader *reader);

/* The next word of the line; "" and a failure when there is none. */
char *
reader_word(struct reader *reader);

/* The next word as a number of this base, `digits` long at most. */
uint32_t
reader_number(struct reader *reader, int base, size_t digits);

/* Makes the error's message of file, line and this sentence, unless one has failed before. */
void
reader_fail(struct reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
