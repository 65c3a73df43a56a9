/* Fills a store of shelf.proto for test_ctl.py.
 *
 *     fill_shelf DATA_DIR     and waits, the store open, until its input ends
 */
#include <stdio.h>

#include "shelf.varve.h"

enum {
    BOXES = 12
};

static enum varve_status
add_box(struct varve_session *session, int number)
{
    char label[32];
    char code[32];
    snprintf(label, sizeof label, "box %d", number);
    snprintf(code, sizeof code, "item \"%d\"\n", number);
    struct shelf_box_notes_entry note = SHELF_BOX_NOTES_ENTRY_INIT;
    note.key = "colour";
    note.value = "grey";
    struct shelf_box_notes_entry *notes[] = {&note};
    struct shelf_size size = SHELF_SIZE_INIT;
    size.width = number;
    size.unit = "cm";

    struct shelf_box box = SHELF_BOX_INIT;
    box.label = label;
    box.notes.count = 1;
    box.notes.data = notes;
    box.size = &size;
    enum varve_status status = shelf_box_insert(session, &box);
    if (status != VARVE_OK)
        return status;
    struct shelf_item item = SHELF_ITEM_INIT;
    item.code = code;
    item.box_id = box.id;
    return shelf_item_insert(session, &item);
}

static enum varve_status
add_reading(struct varve_session *session, int day)
{
    struct shelf_reading reading = SHELF_READING_INIT;
    reading.site = "Köln";
    reading.day = day;
    reading.hash = 0xffffffff00000000u + (uint64_t)day;
    return shelf_reading_insert(session, &reading);
}

static enum varve_status
add_trace(struct varve_session *session)
{
    float samples[] = {0.5f, 0.25f, 0.125f};
    struct shelf_trace trace = SHELF_TRACE_INIT;
    trace.count = 3;
    trace.samples.count = 3;
    trace.samples.data = samples;
    return shelf_trace_insert(session, &trace);
}

static enum varve_status
fill(struct varve_session *session)
{
    enum varve_status status = varve_begin(session);
    if (status != VARVE_OK)
        return status;
    for (int i = 1; i <= BOXES && status == VARVE_OK; i++) {
        status = add_box(session, i);
        if (status == VARVE_OK)
            status = add_reading(session, i);
        if (status == VARVE_OK)
            status = add_trace(session);
    }
    if (status == VARVE_OK)
        return varve_commit(session);
    fprintf(stderr, "%s\n", varve_session_error(session));
    return varve_rollback(session) == VARVE_OK ? status : VARVE_MISUSE;
}

int
main(int argc, char **argv)
{
    struct varve_config config = {.data_dir = argc > 1 ? argv[1] : NULL};
    struct varve_store *store;
    struct varve_session *session;
    struct varve_error error;
    if (varve_open(&shelf_schema, &config, &store, &error) != VARVE_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    enum varve_status status = varve_session_open(store, &session);
    if (status == VARVE_OK)
        status = fill(session);
    if (status != VARVE_OK)
        fprintf(stderr, "%s: %s\n", varve_status_name(status), varve_session_error(NULL));
    puts("filled");
    fflush(stdout);
    while (getchar() != EOF)
        ;
    varve_session_close(session);
    varve_close(store);
    return status == VARVE_OK ? 0 : 1;
}
