/* Replies of Redis (RESP2), read in place as they come: a reply is told piece by piece, so that an array of
 * megabytes needs no more memory than its largest element, and nothing is copied.
 *
 *     *2 $3 foo :7      ARRAY number 2 depth 0, STRING "foo" depth 1, INTEGER 7 depth 1
 */
#ifndef VARVE_CACHE_REDIS_READ_H
#define VARVE_CACHE_REDIS_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum varve__redis_kind {
    VARVE__REDIS_STRING,  /* text, size: bytes */
    VARVE__REDIS_STATUS,  /* text, size: "OK" */
    VARVE__REDIS_ERROR,   /* text, size: "OOM command not allowed .." */
    VARVE__REDIS_INTEGER, /* number */
    VARVE__REDIS_NIL,     /* of a string or an array */
    VARVE__REDIS_ARRAY,   /* number of elements, which follow one deeper */
};

enum {
    VARVE__REDIS_DEPTH_MAX = 4,       /* arrays in one another */
    VARVE__REDIS_LINE_MAX = 64 * 1024 /* bytes of a status or an error; a longer one is NONSENSE */
};

struct varve__redis_piece {
    enum varve__redis_kind kind;
    const char *text; /* borrowed until the next piece; without a NUL */
    size_t size;
    int64_t number;
    size_t reply; /* that it is of, counted from 0 by the exchange */
    size_t index; /* among its siblings, from 0; of a reply itself 0 */
    size_t depth; /* arrays that it is in */
};

struct varve__redis_reader {
    char *buffer; /* bytes that came and were not read yet: [begin, end) */
    size_t begin, end, size;
    size_t most;  /* bytes of the largest string that is taken */
    size_t reply; /* that the next piece is of */
    size_t depth; /* of the next piece */
    size_t
        left[VARVE__REDIS_DEPTH_MAX]; /* elements of the arrays that it is in, which are to come */
    size_t count[VARVE__REDIS_DEPTH_MAX]; /* .. and that came */
};

enum varve__redis_reading {
    VARVE__REDIS_PIECE,     /* *piece is the next; *last says whether a reply ends with it */
    VARVE__REDIS_MORE,      /* more bytes must come: `wanted` of them would do */
    VARVE__REDIS_NONSENSE,  /* these bytes are no reply */
    VARVE__REDIS_TOO_LARGE, /* a string is larger than `most` */
};

/* The next piece of what is in the buffer. Once it is not PIECE or MORE it stays so. */
enum varve__redis_reading
varve__redis_read(
    struct varve__redis_reader *reader,
    struct varve__redis_piece *piece,
    bool *last,
    size_t *wanted);

#endif
