/* Repeated scalars and maps of scalars as JSON text: what a VARVE_COLUMN_JSON column holds.
 *
 *     repeated int32    [1,-2]               map<string, double>    {"loss":0.5}
 *     repeated fixed64  ["1","2"]            map<int32, bool>       {"12":true,"-1":false}
 *     repeated float    [5.0,1e+22]          map<string, uint32>    {}
 *
 * 64-bit integers are strings, because most readers of JSON keep numbers as doubles; enums are
 * numbers, so that unknown ones survive. A float or double has a point or an exponent, so that it
 * is a REAL in SQLite; an infinity is 9e999, which SQLite reads as one. */
#ifndef VARVE_CODEC_JSON_H
#define VARVE_CODEC_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <varve/schema.h>
#include <varve/status.h>

#include "base/arena.h"

/* Writes the column's field of the record into the arena: *size bytes of UTF-8, without a NUL. The
 * same record gives the same text; a map keeps its order, and of repeated keys the last.
 * The record must have passed varve__record_check(): strings, entries and data are not looked at
 * again. VARVE_INVALID: a NaN. *text is NULL when the call fails. */
enum varve_status
varve__json_encode(
    const struct varve_record *table,
    const struct varve_column *column,
    const void *record,
    struct varve__arena *arena,
    const char **text,
    size_t *size);

/* The same of repeated scalars for SQL that reads them with json_each(): every number is a number there,
 * 64-bit ones too (a fixed64 by its bits, with a sign), and a bool 0 or 1. VARVE_INVALID: a NaN, or a uint64
 * over INT64_MAX. */
enum varve_status
varve__json_encode_for_sql(
    const struct varve_record *table,
    const struct varve_column *column,
    const void *record,
    struct varve__arena *arena,
    const char **text,
    size_t *size);

/* Reads `size` bytes of text, which may come from anywhere, into the column's field; all that it
 * points at lies in the arena. Other JSON of the same meaning is read too: white space, escapes,
 * integers as numbers or as strings, with fraction or exponent when they are whole (5.0, 1e3); of
 * repeated keys the last wins. VARVE_TYPE names the byte and what was expected there; the field is
 * then as it was before, and what was taken of the arena stays taken. */
enum varve_status
varve__json_decode(
    const struct varve_record *table,
    const struct varve_column *column,
    const char *text,
    size_t size,
    struct varve__arena *arena,
    void *record);

/* Whether the byte stands for itself in a JSON string. */
static inline bool
varve__json_is_plain(char byte)
{
    return (uint8_t)byte >= ' ' && byte != '"' && byte != '\\';
}

#endif
