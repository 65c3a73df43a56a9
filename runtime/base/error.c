/* The last failure of this thread, its text and its details. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "base/utf8.h"

static _Thread_local struct varve__kept_failure last;

void
varve__failure_keep(struct varve__kept_failure *kept)
{
    *kept = last;
}

void
varve__failure_restore(const struct varve__kept_failure *kept)
{
    last = *kept;
}

enum varve_status
varve__fail(
    enum varve_status status,
    enum varve_failure_kind kind,
    enum varve_tier tier,
    const char *record,
    const char *format,
    ...)
{
    char text[VARVE__ERROR_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int needed = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (needed < 0)
        text[0] = '\0';
    if (needed >= (int)sizeof text)
        text[varve__utf8_whole(text, sizeof text - 1)] = '\0';
    memcpy(last.text, text, sizeof text);
    last.failure = (struct varve_failure){
        .status = status,
        .kind = kind,
        .tier = tier,
        .record = record,
        .index = -1,
        .retryable = varve__status_entry(status)->retryable,
    };
    last.failed = true;
    return status;
}

enum varve_status
varve__fail_memory(const char *record, size_t size)
{
    return varve__fail(
        VARVE_NO_MEMORY, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, record,
        "%s%sout of memory: %zu bytes were refused", record ? record : "", record ? ": " : "",
        size);
}

enum varve_status
varve__fail_as(enum varve_status status)
{
    last.failure.status = status;
    last.failure.retryable = varve__status_entry(status)->retryable;
    return status;
}

void
varve__failure_add_field(uint32_t number)
{
    if (last.failure.field_count < VARVE_FAILURE_FIELDS_MAX)
        last.failure.fields[last.failure.field_count++] = number;
}

void
varve__failure_set_index(int64_t index)
{
    last.failure.index = index;
}

void
varve__failure_set_tier(enum varve_tier tier)
{
    if (last.failure.tier == VARVE_TIER_NONE)
        last.failure.tier = tier;
}

void
varve__failure_set_errno(int system_errno)
{
    last.failure.system_errno = system_errno;
}

const char *
varve__thread_error(void)
{
    return last.text;
}

const struct varve_failure *
varve__thread_failure(void)
{
    return last.failed ? &last.failure : NULL;
}
