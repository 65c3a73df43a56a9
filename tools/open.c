/* The store that a command works on, and the messages in it. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl.h"

/* A data folder is made by the program whose data it holds, never by looking at it. */
static enum varve_status
check_folder(const char *folder, struct varve_error *error)
{
    struct stat found;
    const char *problem = NULL;
    if (stat(folder, &found) != 0)
        problem = strerror(errno);
    else if (!S_ISDIR(found.st_mode))
        problem = "it is no folder; name the one that holds varve.db";
    if (!problem)
        return VARVE_OK;
    error->status = VARVE_NOT_FOUND;
    snprintf(error->message, sizeof error->message, "cannot open %s: %s", folder, problem);
    return error->status;
}

enum varve_status
varvectl_open(struct varvectl *ctl, struct varve_error *error)
{
    enum varve_status status = check_folder(ctl->config.data_dir, error);
    if (status == VARVE_OK)
        status = varve_open_many(
            varvectl_schemas, varvectl_schema_count, &ctl->config, &ctl->store, error);
    if (status != VARVE_OK)
        return status;
    status = varve_session_open(ctl->store, &ctl->session);
    if (status != VARVE_OK) {
        error->status = status;
        snprintf(error->message, sizeof error->message, "%s", varve_session_error(NULL));
    }
    return status;
}

enum varvectl_exit
varvectl_each_table(
    enum varvectl_exit (*visit)(void *context, const struct varve_record *record), void *context)
{
    enum varvectl_exit result = VARVECTL_FINE;
    for (size_t i = 0; i < varvectl_schema_count; i++) {
        const struct varve_schema *schema = varvectl_schemas[i];
        for (size_t j = 0; j < schema->record_count && result == VARVECTL_FINE; j++)
            if (schema->records[j]->table)
                result = visit(context, schema->records[j]);
    }
    return result;
}
