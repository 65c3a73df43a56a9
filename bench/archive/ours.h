/* What varve's two sides share: a store that is made anew now and then. */
#ifndef VARVE_BENCH_ARCHIVE_OURS_H
#define VARVE_BENCH_ARCHIVE_OURS_H

#include <stdint.h>

#include <varve/store.h>

struct ours_store {
    char *folder;
    struct varve_store *store;
    struct varve_session *session;
};

/* Opens a store in folder/name. */
void
ours_store_open(struct ours_store *ours, const char *folder, const char *name);

/* Closes it, and removes all that it holds. */
void
ours_store_remove(struct ours_store *ours);

/* The same, and opens an empty one in its place. */
void
ours_store_renew(struct ours_store *ours);

/* Moves all tensors that are staged into segments. */
void
ours_store_flush(struct ours_store *ours);

/* Bytes of its segments. */
uint64_t
ours_store_size(const struct ours_store *ours);

/* Ends the program unless the call of this session was fine. */
void
ours_must(const struct ours_store *ours, enum varve_status status, const char *what);

#endif
