/* The row of the status table, for the rest of the runtime. */
#ifndef VARVE_BASE_STATUS_H
#define VARVE_BASE_STATUS_H

#include <varve/status.h>

struct varve__status_entry {
    const char *name; /* as written in C */
    const char *text; /* a few words, lower case */
    bool retryable;   /* the same call may succeed later, unchanged */
};

/* Never NULL: an unknown number has an entry that says so. */
const struct varve__status_entry *
varve__status_entry(enum varve_status status);

#endif
