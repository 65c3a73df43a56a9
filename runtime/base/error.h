/* The last failure of this thread: what a failing function records before it returns its status.
 *
 *     return varve__fail(VARVE_INVALID, VARVE_FAILURE_NAN, VARVE_TIER_TABLE,
 *         table->descriptor->name, "%s.%s is NaN; a column cannot hold one", message, field);
 *
 * The store layer copies failures into sessions; nothing here knows of sessions.
 */
#ifndef VARVE_BASE_ERROR_H
#define VARVE_BASE_ERROR_H

#include <varve/status.h>

enum {
    VARVE__ERROR_SIZE = 512 /* of a failure's text, with its NUL */
};

/* Replaces this thread's failure and returns `status`, so that it can stand in a return statement.
 * `record` is the message's full name (static) or NULL. `retryable` follows from the status. The
 * text is cut at a whole character. Arguments may point into the previous text. */
enum varve_status
varve__fail(
    enum varve_status status,
    enum varve_failure_kind kind,
    enum varve_tier tier,
    const char *record,
    const char *format,
    ...) VARVE_PRINTF(5, 6);

/* VARVE_NO_MEMORY with its text; `size` is what was asked for, in bytes. */
enum varve_status
varve__fail_memory(const char *record, size_t size);

/* Gives the failure just recorded another status, and returns that. */
enum varve_status
varve__fail_as(enum varve_status status);

/* The four below add to the failure that varve__fail() has just recorded. */

/* Appends a field number, the outermost first; numbers past the eighth are left out. */
void
varve__failure_add_field(uint32_t number);

/* The element of an array of records that failed. */
void
varve__failure_set_index(int64_t index);

/* The tier, where the failure is of none: found by a codec, on the way to it. */
void
varve__failure_set_tier(enum varve_tier tier);

/* errno of the system call that failed. */
void
varve__failure_set_errno(int system_errno);

/* A failure that is put aside while something is tried that may fail and is nobody's business. */
struct varve__kept_failure {
    bool failed;
    struct varve_failure failure;
    char text[VARVE__ERROR_SIZE];
};

void
varve__failure_keep(struct varve__kept_failure *kept);

void
varve__failure_restore(const struct varve__kept_failure *kept);

/* This thread's last failure: "" and NULL when nothing failed. Valid until the next failure. */
const char *
varve__thread_error(void);

const struct varve_failure *
varve__thread_failure(void);

#endif
