/* What the archive's catalog and tables add up to. */
#ifndef VARVE_TABLE_FIGURES_H
#define VARVE_TABLE_FIGURES_H

#include <varve/health.h>

#include "table/connection.h"

/* Fills health->messages, in schema order, and what counts for all; as of one snapshot. The caller releases
 * messages with varve__release(), whatever the status. Reads the rows of all tensors that are staged. */
enum varve_status
varve__figures_archive(struct varve__connection *connection, struct varve_archive_health *health);

#endif
