/* What stores and sessions are made of. */
#ifndef VARVE_STORE_HANDLES_H
#define VARVE_STORE_HANDLES_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>

#include <varve/store.h>

#include "base/error.h"

struct varve_store {
    const struct varve_schema *schema;
    char *folder;   /* the store's own folder */
    char *database; /* path of varve.db in it */
    bool in_memory; /* the folder goes away at close */
    int64_t busy_timeout_ms;
    void (*log)(void *, enum varve_log_level, enum varve_tier, const char *);
    void *log_context;

    pthread_mutex_t lock; /* of session_count */
    pthread_cond_t closed;
    size_t session_count;
};

enum varve__verb {
    VARVE__VERB_INSERT,
    VARVE__VERB_GET,
    VARVE__VERB_COUNT,
};

struct varve_session {
    struct varve_store *store;
    sqlite3 *database;
    sqlite3_stmt **statements; /* [record of the schema][verb], prepared at first use */
    bool failed;
    struct varve_failure failure;
    char error[VARVE__ERROR_SIZE];
};

/* Ends a call on a session: keeps the thread's failure in it when the call failed. Returns status. */
enum varve_status
varve__session_leave(struct varve_session *session, enum varve_status status);

/* The session's statement for this record and verb. *statement is NULL when the call fails. */
enum varve_status
varve__session_statement(
    struct varve_session *session,
    const struct varve_record *table,
    enum varve__verb verb,
    sqlite3_stmt **statement);

#endif
