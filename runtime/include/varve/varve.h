/* varve: typed, durable, fast storage for C programs. This header is all of the runtime; generated
 * headers include it. Start with store.h for stores, sessions and transactions, table.h for records in
 * them, filter.h for finding, archive.h for tensors, cache.h for what is cached, health.h for looking
 * after a store, record.h for records in memory and on the wire, status.h for errors. */
#ifndef VARVE_VARVE_H
#define VARVE_VARVE_H

#include <varve/archive.h>
#include <varve/cache.h>
#include <varve/filter.h>
#include <varve/health.h>
#include <varve/memory.h>
#include <varve/query.h>
#include <varve/record.h>
#include <varve/schema.h>
#include <varve/status.h>
#include <varve/store.h>
#include <varve/table.h>
#include <varve/types.h>
#include <varve/version.h>
#include <varve/writer.h>

#endif
