/* verify: SQLite's own checks (checks.c), segments against the catalog, then every record of every message is read,
 * tensors included, in one reading transaction: programs may go on writing. */
#include "verify.h"

#include <inttypes.h>
#include <sqlite3.h>

#include <varve/archive.h>

#include "keys.h"

void
varvectl_report(
    struct varvectl_verify *verify, const char *record, const char *key, const char *text)
{
    verify->findings++;
    varvectl_progress_clear(&verify->progress);
    if (verify->ctl->json) {
        varvectl_json_open(&verify->json, NULL, '{');
        varvectl_json_text(&verify->json, "record", record);
        varvectl_json_text(&verify->json, "key", key);
        varvectl_json_text(&verify->json, "text", text);
        varvectl_json_close(&verify->json, '}');
        return;
    }
    varvectl_print_line(stdout, record ? record : "database");
    if (key) {
        putchar(' ');
        varvectl_print_line(stdout, key);
    }
    fputs(": ", stdout);
    varvectl_print_line(stdout, text);
    putchar('\n');
}

/* ------------------------------------------------------------------ records */

static bool
read_record(struct varvectl_verify *verify, const struct varvectl_key *key)
{
    void *found;
    if (varve_record_get(verify->ctl->session, key->record, key->pointers, &found) != VARVE_OK)
        return false;
    varve_record_free(found);
    verify->records++;
    varvectl_progress_step(&verify->progress);
    return true;
}

/* Finds all records, and gets each. False at the first damaged one, with the reason in `error`. */
static bool
read_by_find(
    struct varvectl_verify *verify, struct varvectl_key *key, char error[VARVECTL_FINDING_SIZE])
{
    struct varve_cursor *cursor;
    struct varve_session *session = verify->ctl->session;
    enum varve_status status = varve_record_find(session, key->record, NULL, &cursor);
    bool good = status == VARVE_OK;
    while (good && status != VARVE_DONE) {
        const void *row;
        status = varve_cursor_next(cursor, key->record, &row);
        good = status == VARVE_ROW || status == VARVE_DONE;
        if (status == VARVE_ROW) {
            varvectl_key_of(key, row);
            good = read_record(verify, key);
        }
    }
    if (!good)
        snprintf(error, VARVECTL_FINDING_SIZE, "%s", varve_session_error(session));
    varve_cursor_close(cursor);
    return good;
}

/* Gets each record whose key SQL gives, and reports those that cannot be read: a find ends at the
 * first of them. */
static void
read_by_keys(struct varvectl_verify *verify, struct varvectl_key *key)
{
    const char *name = key->record->descriptor->name;
    sqlite3_stmt *row = NULL;
    int code =
        varvectl_key_select(varve_session_sqlite(verify->ctl->session), key->record, "", &row);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(row);
        if (code != SQLITE_ROW)
            break;
        varvectl_key_of_row(key, row);
        if (!read_record(verify, key)) {
            char text[VARVECTL_KEY_TEXT_SIZE];
            varvectl_key_text(key->record, row, text);
            varvectl_report(verify, name, text, varve_session_error(verify->ctl->session));
        }
    }
    if (code != SQLITE_DONE)
        varvectl_report(
            verify, name, NULL, sqlite3_errmsg(varve_session_sqlite(verify->ctl->session)));
    sqlite3_finalize(row);
}

static enum varvectl_exit
read_table(void *context, const struct varve_record *record)
{
    struct varvectl_verify *verify = context;
    struct varvectl_key *key = varvectl_key_create(record);
    char error[VARVECTL_FINDING_SIZE];
    int64_t records_before = verify->records, findings_before = verify->findings, total = 0;
    if (!key)
        return varvectl_fail("no memory");
    if (varvectl_progress_possible() &&
        varve_record_count(verify->ctl->session, record, NULL, &total) != VARVE_OK)
        total = 0; /* the finds below will say why */
    varvectl_progress_begin(&verify->progress, record->descriptor->name, total);
    if (!read_by_find(verify, key, error)) {
        verify->records = records_before;
        read_by_keys(verify, key);
        if (verify->findings == findings_before)
            varvectl_report(verify, record->descriptor->name, NULL, error);
    }
    varvectl_progress_clear(&verify->progress);
    varvectl_key_free(key);
    return VARVECTL_FINE;
}

/* ------------------------------------------------------------------ segments */

static void
report_segment(void *context, const char *file, const char *text)
{
    varvectl_report(context, "archive", file, text);
}

static void
check_archive(struct varvectl_verify *verify)
{
    struct varve_session *session = verify->ctl->session;
    varvectl_progress_begin(&verify->progress, "archive", 0);
    if (varve_archive_verify(session, report_segment, verify) != VARVE_OK)
        varvectl_report(verify, "archive", NULL, varve_session_error(session));
    varvectl_progress_clear(&verify->progress);
}

/* ------------------------------------------------------------------ the command */

static enum varvectl_exit
check_store(struct varvectl_verify *verify)
{
    struct varve_session *session = verify->ctl->session;
    if (varve_begin_read(session) != VARVE_OK)
        return varvectl_fail("%s", varve_session_error(session));
    varvectl_check_integrity(verify);
    varvectl_check_references(verify);
    check_archive(verify);
    enum varvectl_exit result = varvectl_each_table(read_table, verify);
    if (varve_rollback(session) != VARVE_OK && result == VARVECTL_FINE)
        result = varvectl_fail("%s", varve_session_error(session));
    return result;
}

static void
print_summary(struct varvectl_verify *verify)
{
    if (verify->ctl->json) {
        varvectl_json_close(&verify->json, ']');
        varvectl_json_integer(&verify->json, "findings_count", verify->findings);
        varvectl_json_integer(&verify->json, "records_read", verify->records);
        varvectl_json_close(&verify->json, '}');
        putchar('\n');
        return;
    }
    printf(
        "%" PRId64 " records read, %" PRId64 " finding%s\n", verify->records, verify->findings,
        verify->findings == 1 ? "" : "s");
}

enum varvectl_exit
varvectl_verify(struct varvectl *ctl)
{
    struct varvectl_verify verify = {.ctl = ctl, .json = {.file = stdout}};
    struct varve_error error;
    enum varvectl_exit result = VARVECTL_FINE;
    enum varve_status status = varvectl_open(ctl, &error);
    if (status != VARVE_OK && status != VARVE_CORRUPT)
        return varvectl_fail("%s", error.message);
    if (ctl->json) {
        varvectl_json_open(&verify.json, NULL, '{');
        varvectl_json_open(&verify.json, "findings", '[');
    }
    if (status == VARVE_CORRUPT)
        varvectl_report(&verify, NULL, NULL, error.message);
    else
        result = check_store(&verify);
    print_summary(&verify);
    if (result == VARVECTL_FINE && verify.findings > 0)
        result = VARVECTL_FINDINGS;
    return result;
}
