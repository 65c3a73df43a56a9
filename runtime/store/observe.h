/* Looking at all sessions of a store, from any thread. */
#ifndef VARVE_STORE_OBSERVE_H
#define VARVE_STORE_OBSERVE_H

#include "base/cursor.h"
#include "store/handles.h"

/* Adds up what all sessions have counted, those that are closed too. */
void
varve__observe_figures(struct varve_store *store, struct varve_health_report *health);

/* What the sessions of users do now: before the report has one of its own. */
void
varve__observe_sessions(struct varve_store *store, struct varve_table_health *health);

/* The sizes of the session's database. */
void
varve__observe_files(const struct varve_session *session, struct varve_table_health *health);

/* Tells the log of cursors that are open for long, unless that was done. */
void
varve__observe_cursors(struct varve_store *store);

/* The same of one cursor, which its own thread looks at; opened_at: as it was before the call. */
void
varve__observe_cursor(
    const struct varve_session *session, struct varve_cursor *cursor, int64_t opened_at);

#endif
