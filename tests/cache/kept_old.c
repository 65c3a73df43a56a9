/* A program of the kept schema's first version:
 *
 *     kept_old FOLDER DATABASE SOCKET
 *
 * puts one value of each message, and has a hot copy made of each table record.
 *
 * It ends with 0, or with the status of what failed, which it says.
 */
#include <stdio.h>
#include <string.h>

#include "kept.varve.h"

static enum varve_status
put_values(struct varve_session *session)
{
    struct kept_note note = KEPT_NOTE_INIT;
    struct kept_tune tune = KEPT_TUNE_INIT;
    struct kept_draft draft = KEPT_DRAFT_INIT;
    note.author = "ada";
    note.title = "bob";
    note.written_at = 1;
    tune.name = "air";
    tune.played_at = 1;
    draft.id = 7;
    draft.written_at = 1;
    enum varve_status status = kept_note_cache_put(session, &note);
    if (status == VARVE_OK)
        status = kept_tune_cache_put(session, &tune);
    return status == VARVE_OK ? kept_draft_cache_put(session, &draft) : status;
}

/* The page's name is the key of another page: each would be found under the other's. */
static enum varve_status
add_page(struct varve_session *session, const char *name, const char *text)
{
    struct kept_page *found = NULL;
    struct kept_page page = KEPT_PAGE_INIT;
    page.name = name;
    page.text = text;
    enum varve_status status = kept_page_insert(session, &page);
    if (status == VARVE_OK)
        status = kept_page_cache_get(session, &page, &found);
    kept_page_free(found);
    return status;
}

static enum varve_status
add_book(struct varve_session *session)
{
    struct kept_book *found = NULL;
    struct kept_book book = KEPT_BOOK_INIT;
    book.name = "atlas";
    book.text = "maps";
    enum varve_status status = kept_book_insert(session, &book);
    if (status == VARVE_OK)
        status = kept_book_cache_get(session, &book, &found);
    kept_book_free(found);
    return status;
}

static enum varve_status
fill(struct varve_store *store)
{
    struct varve_session *session;
    enum varve_status status = varve_session_open(store, &session);
    if (status == VARVE_OK)
        status = put_values(session);
    if (status == VARVE_OK)
        status = add_page(session, "a2", "one");
    if (status == VARVE_OK)
        status = add_page(session, "a1", "two");
    if (status == VARVE_OK)
        status = add_book(session);
    varve_session_close(session);
    return status;
}

int
main(int argc, char **argv)
{
    struct varve_store *store;
    if (argc != 4)
        return VARVE_MISUSE;
    struct varve_config config = {
        .data_dir = argv[1], .database_path = argv[2], .redis_unix_socket = argv[3]};
    enum varve_status status = varve_open(&kept_schema, &config, &store, NULL);
    if (status == VARVE_OK)
        status = fill(store);
    if (status != VARVE_OK)
        fprintf(stderr, "%s: %s\n", varve_status_name(status), varve_session_error(NULL));
    varve_close(store);
    return (int)status;
}
