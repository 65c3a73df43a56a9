/* Segments compared with what the catalog says of them. */
#ifndef VARVE_TABLE_VERIFY_H
#define VARVE_TABLE_VERIFY_H

#include <varve/archive.h>

#include "table/connection.h"

/* Tells `found` of each segment that is not as the catalog has it. VARVE_OK also where there are findings. */
enum varve_status
varve__verify_segments(
    struct varve__connection *connection, varve_archive_finding *found, void *context);

#endif
