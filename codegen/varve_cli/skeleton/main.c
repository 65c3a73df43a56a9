/* Keeps a note in a store, reads it back, and finds the notes that matter.
 *
 *     skeleton [DATA_DIR]     the store's folder, made where it is missing; default: data
 */
#include <inttypes.h>
#include <stdio.h>

#include "skeleton/skeleton.varve.h"

/* Inserts a note and gives its id. */
static enum varve_status
write_note(struct varve_session *session, int64_t *id)
{
    struct skeleton_note note = SKELETON_NOTE_INIT;
    note.written_at = varve_now();
    note.text = "varve keeps records in layers";
    note.weight = 0.75;
    enum varve_status status = skeleton_note_insert(session, &note);
    *id = note.id;
    return status;
}

/* Reads it back by its key. What get gives is one block, to be freed. */
static enum varve_status
read_note(struct varve_session *session, int64_t id)
{
    struct skeleton_note *note;
    enum varve_status status = skeleton_note_get(session, id, &note);
    if (status != VARVE_OK)
        return status;
    printf("note %" PRId64 ": %s\n", note->id, note->text);
    skeleton_note_free(note);
    return VARVE_OK;
}

/* Finds the notes that matter, the newest first. A row is borrowed until the next one. */
static enum varve_status
list_notes(struct varve_session *session)
{
    struct skeleton_note_filter filter = {
        .weight = varve_double_at_least(0.5),
        .order_by = SKELETON_NOTE_FIELD_WRITTEN_AT,
        .descending = true,
        .limit = 10,
    };
    struct varve_cursor *cursor;
    const struct skeleton_note *note;
    enum varve_status status = skeleton_note_find(session, &filter, &cursor);
    if (status != VARVE_OK)
        return status;
    while ((status = skeleton_note_next(cursor, &note)) == VARVE_ROW)
        printf("found: note %" PRId64 ", weight %g\n", note->id, note->weight);
    varve_cursor_close(cursor);
    return status == VARVE_DONE ? VARVE_OK : status;
}

static enum varve_status
work(struct varve_session *session)
{
    int64_t id;
    enum varve_status status = write_note(session, &id);
    if (status == VARVE_OK)
        status = read_note(session, id);
    if (status == VARVE_OK)
        status = list_notes(session);
    return status;
}

int
main(int argc, char **argv)
{
    struct varve_config config = {.data_dir = argc > 1 ? argv[1] : "data"};
    struct varve_store *store;
    struct varve_session *session;
    struct varve_error error;
    if (varve_open(&skeleton_schema, &config, &store, &error) != VARVE_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    enum varve_status status = varve_session_open(store, &session);
    if (status == VARVE_OK)
        status = work(session);
    if (status != VARVE_OK)
        fprintf(stderr, "%s: %s\n", varve_status_name(status), varve_session_error(session));
    varve_session_close(session);
    varve_close(store);
    return status == VARVE_OK ? 0 : 1;
}
