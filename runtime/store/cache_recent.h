/* Cursors over the newest values of a message in ONLY. */
#ifndef VARVE_STORE_CACHE_RECENT_H
#define VARVE_STORE_CACHE_RECENT_H

struct varve_session;

/* Leaves the session's cursors without it: they are at their end. */
void
varve__recent_detach(struct varve_session *session);

#endif
