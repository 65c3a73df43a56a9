/* What a call answers, and what is known of a call that failed.
 *
 *     enum varve_status status = cortex_episode_unpack(data, size, &episode);
 *     if (status != VARVE_OK)
 *         fprintf(stderr, "%s: %s\n", varve_status_name(status), varve_session_error(NULL));
 *
 * Every fallible function returns enum varve_status and must be checked. The text of a failure says
 * what happened, where, and how to mend it; it belongs to the thread (and to the session, where the
 * call had one) and is replaced by the next failing call. Success leaves it as it is.
 */
#ifndef VARVE_STATUS_H
#define VARVE_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <varve/version.h>

#ifdef __cplusplus
extern "C" {
#endif

enum varve_status {
    VARVE_OK = 0,          /* done */
    VARVE_ROW,             /* a cursor stands on a row */
    VARVE_DONE,            /* a cursor has no more rows */
    VARVE_NOT_FOUND,       /* no such record, key or row */
    VARVE_INVALID,         /* the data break a rule: CHECK, NULL, dims, UTF-8, NaN, damage */
    VARVE_CONFLICT,        /* UNIQUE, FOREIGN KEY, or a stale version */
    VARVE_BUSY,            /* another writer held its place for longer than busy_timeout_ms */
    VARVE_MISUSE,          /* a wrong argument, a struct not initialised, a call out of order */
    VARVE_INTERRUPTED,     /* varve_interrupt ended the call */
    VARVE_TIMEOUT,         /* call_timeout_ms ended the call */
    VARVE_UNAVAILABLE,     /* a server does not answer */
    VARVE_SCHEMA,          /* the data are of another schema, or of a newer one */
    VARVE_TYPE,            /* a column holds a value of another type than the schema says */
    VARVE_READ_ONLY,       /* opened read-only, or the file system is */
    VARVE_FULL,            /* no space left: on disk, or a value over the engine's limit */
    VARVE_IO,              /* the operating system refused a read or write: see system_errno */
    VARVE_CORRUPT,         /* a file is damaged, or no varve file */
    VARVE_NO_MEMORY,       /* an allocation failed */
    VARVE_UNKNOWN_OUTCOME, /* a commit whose I/O or memory failed: it may or may not be on disk */
};

/* What exactly broke, finer than the status. */
enum varve_failure_kind {
    VARVE_FAILURE_OTHER = 0,
    VARVE_FAILURE_UNIQUE,      /* VARVE_CONFLICT: another record has this value */
    VARVE_FAILURE_FOREIGN_KEY, /* VARVE_CONFLICT: the record referred to is missing, or in use */
    VARVE_FAILURE_VERSION,     /* VARVE_CONFLICT: the record was changed since it was read */
    VARVE_FAILURE_CHECK,       /* VARVE_INVALID: min, max or check of the schema */
    VARVE_FAILURE_NOT_NULL,    /* VARVE_INVALID: a NULL where a value is needed */
    VARVE_FAILURE_DIMS,        /* VARVE_INVALID: a tensor's count is not the product of its dims */
    VARVE_FAILURE_NOT_LOADED,  /* VARVE_INVALID: a tensor with count > 0 and data NULL */
    VARVE_FAILURE_UTF8,        /* VARVE_INVALID: text that is no UTF-8, or holds a NUL */
    VARVE_FAILURE_NAN,         /* VARVE_INVALID: a NaN in a column */
    VARVE_FAILURE_RANGE,       /* VARVE_INVALID: a number that the engine cannot hold */
    VARVE_FAILURE_WIRE,        /* VARVE_INVALID: bytes that are no such message */
    VARVE_FAILURE_DEPTH,       /* VARVE_INVALID: messages nested too deep */
    VARVE_FAILURE_SIZE,        /* VARVE_INVALID: too large, or a buffer too small */
};

/* The tier that a failure comes from. */
enum varve_tier {
    VARVE_TIER_NONE = 0, /* memory and wire */
    VARVE_TIER_TABLE,
    VARVE_TIER_CACHE,
    VARVE_TIER_ARCHIVE,
};

enum {
    VARVE_FAILURE_FIELDS_MAX = 8
};

/* The details of a failed call. Strings in it are static. */
struct varve_failure {
    enum varve_status status;
    enum varve_failure_kind kind;
    enum varve_tier tier;
    const char *record; /* full name of the message ("cortex.Episode"), or NULL */
    /* Numbers of the fields at fault: of a UNIQUE or CHECK the fields it is about, else the way
     * from the record to the field, the outermost first. */
    uint32_t fields[VARVE_FAILURE_FIELDS_MAX];
    size_t field_count; /* 0 where no field is to blame, or the engine names none */
    int64_t index;      /* the element of an insert_many that failed, else -1 */
    int system_errno;   /* errno of the operating system's refusal, else 0 */
    bool retryable;     /* the same call may succeed later, unchanged */
};

/* What a store call reports where there is no session to keep the text. */
struct varve_error {
    enum varve_status status;
    char message[512];
};

/* The status as written in C ("VARVE_INVALID"), and in a few words ("invalid data"). Static
 * strings; a number that is no status gives "VARVE_?" and "unknown status". */
VARVE_EXPORT const char *
varve_status_name(enum varve_status status);
VARVE_EXPORT const char *
varve_status_text(enum varve_status status);

/* The failure kind as written in C ("VARVE_FAILURE_DIMS"). A static string. */
VARVE_EXPORT const char *
varve_failure_kind_name(enum varve_failure_kind kind);

struct varve_session;

/* The text of this session's last failed call, or with NULL of this thread's last failed call of
 * any kind. "" when nothing failed. Valid until the session's (or thread's) next failing call or
 * its end. */
VARVE_EXPORT const char *
varve_session_error(const struct varve_session *session);

/* The details of the same failure; NULL when nothing failed. Valid as long as its text. */
VARVE_EXPORT const struct varve_failure *
varve_session_failure(const struct varve_session *session);

#ifdef __cplusplus
}
#endif

#endif
