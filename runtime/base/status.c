/* The one table of status codes and the one of failure kinds: name, text, and whether the same call
 * may succeed later. tests/runtime/test_status.c holds the public enums against it. */
#include "base/status.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct varve__status_entry statuses[] = {
    [VARVE_OK] = {"VARVE_OK", "ok", false},
    [VARVE_ROW] = {"VARVE_ROW", "a row is there", false},
    [VARVE_DONE] = {"VARVE_DONE", "no more rows", false},
    [VARVE_NOT_FOUND] = {"VARVE_NOT_FOUND", "not found", false},
    [VARVE_INVALID] = {"VARVE_INVALID", "invalid data", false},
    [VARVE_CONFLICT] = {"VARVE_CONFLICT", "conflict with another record", false},
    [VARVE_BUSY] = {"VARVE_BUSY", "another writer is at work", true},
    [VARVE_MISUSE] = {"VARVE_MISUSE", "a call out of order", false},
    [VARVE_INTERRUPTED] = {"VARVE_INTERRUPTED", "interrupted", true},
    [VARVE_TIMEOUT] = {"VARVE_TIMEOUT", "timed out", true},
    [VARVE_UNAVAILABLE] = {"VARVE_UNAVAILABLE", "the server does not answer", true},
    [VARVE_SCHEMA] = {"VARVE_SCHEMA", "another or a newer schema", false},
    [VARVE_TYPE] = {"VARVE_TYPE", "a value of another type", false},
    [VARVE_READ_ONLY] = {"VARVE_READ_ONLY", "read-only", false},
    [VARVE_FULL] = {"VARVE_FULL", "no space left", false},
    [VARVE_IO] = {"VARVE_IO", "input or output failed", false},
    [VARVE_CORRUPT] = {"VARVE_CORRUPT", "a damaged file", false},
    [VARVE_NO_MEMORY] = {"VARVE_NO_MEMORY", "out of memory", true},
    [VARVE_UNKNOWN_OUTCOME] = {"VARVE_UNKNOWN_OUTCOME", "committed or not: unknown", false},
};

static const char *const kinds[] = {
    [VARVE_FAILURE_OTHER] = "VARVE_FAILURE_OTHER",
    [VARVE_FAILURE_UNIQUE] = "VARVE_FAILURE_UNIQUE",
    [VARVE_FAILURE_FOREIGN_KEY] = "VARVE_FAILURE_FOREIGN_KEY",
    [VARVE_FAILURE_VERSION] = "VARVE_FAILURE_VERSION",
    [VARVE_FAILURE_CHECK] = "VARVE_FAILURE_CHECK",
    [VARVE_FAILURE_NOT_NULL] = "VARVE_FAILURE_NOT_NULL",
    [VARVE_FAILURE_DIMS] = "VARVE_FAILURE_DIMS",
    [VARVE_FAILURE_NOT_LOADED] = "VARVE_FAILURE_NOT_LOADED",
    [VARVE_FAILURE_UTF8] = "VARVE_FAILURE_UTF8",
    [VARVE_FAILURE_NAN] = "VARVE_FAILURE_NAN",
    [VARVE_FAILURE_RANGE] = "VARVE_FAILURE_RANGE",
    [VARVE_FAILURE_WIRE] = "VARVE_FAILURE_WIRE",
    [VARVE_FAILURE_DEPTH] = "VARVE_FAILURE_DEPTH",
    [VARVE_FAILURE_SIZE] = "VARVE_FAILURE_SIZE",
};

const struct varve__status_entry *
varve__status_entry(enum varve_status status)
{
    static const struct varve__status_entry unknown = {"VARVE_?", "unknown status", false};
    size_t index = (size_t)status;
    return index < COUNT(statuses) ? &statuses[index] : &unknown;
}

const char *
varve_status_name(enum varve_status status)
{
    return varve__status_entry(status)->name;
}

const char *
varve_status_text(enum varve_status status)
{
    return varve__status_entry(status)->text;
}

const char *
varve_failure_kind_name(enum varve_failure_kind kind)
{
    size_t index = (size_t)kind;
    return index < COUNT(kinds) ? kinds[index] : "VARVE_FAILURE_?";
}
