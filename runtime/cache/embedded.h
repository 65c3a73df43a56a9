/* The embedded engine: values in an SQLite database in memory, shared by the threads of a store, with an index
 * over what expires, a budget in bytes, and eviction of what was not used for longest. */
#ifndef VARVE_CACHE_EMBEDDED_H
#define VARVE_CACHE_EMBEDDED_H

#include "cache/engine.h"

struct varve__embedded_options {
    int64_t max_bytes;               /* of keys and values together; > 0 */
    int64_t (*clock)(void *context); /* ns since 1970 */
    void *clock_context;
};

enum varve_status
varve__embedded_open(const struct varve__embedded_options *options, struct varve__cache **cache);

#endif
