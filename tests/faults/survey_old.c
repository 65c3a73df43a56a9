/* A program of the survey schema's first version: fills a store.
 *
 *     survey_old FOLDER COUNT     COUNT scans, each with a wave and two marks, at every second a field that
 *                                 it does not know; and gaps behind the last ids
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "survey.varve.h"

enum {
    SCANS_OF_A_SITE = 5,
    WAVE_SIZE = 150,
    NOTE_SIZE = 4000,
    NOTE_SIZES = 7, /* a note of n / 7 of it, and every seventh scan without one */
};

/* Field 9 "weight" of the next version, and 50 of a later. */
static const uint8_t unknown[] = {0x48, 77, 0x90, 3, 1};

static enum varve_status
insert_site(struct varve_session *session, int64_t number, int64_t *id)
{
    char name[32];
    struct survey_site site = SURVEY_SITE_INIT;
    snprintf(name, sizeof name, "site %lld", (long long)number);
    site.name = name;
    site.has_level = number % 2 == 0;
    site.level = number;
    enum varve_status status = survey_site_insert(session, &site);
    *id = site.id;
    return status;
}

static void
fill_wave(struct survey_scan *scan, float wave[WAVE_SIZE], int64_t number)
{
    for (int i = 0; i < WAVE_SIZE; i++)
        wave[i] = (float)number + (float)i;
    scan->wave_size = WAVE_SIZE;
    scan->wave.data = wave;
    scan->wave.count = WAVE_SIZE;
}

static enum varve_status
insert_marks(struct varve_session *session, int64_t scan)
{
    struct survey_mark marks[] = {SURVEY_MARK_INIT, SURVEY_MARK_INIT};
    struct survey_mark *const each[] = {&marks[0], &marks[1]};
    enum varve_status status = VARVE_OK;
    for (int64_t i = 0; i < 2 && status == VARVE_OK; i++) {
        each[i]->scan_id = scan;
        each[i]->place = scan * 10 + i;
        status = survey_mark_insert(session, each[i]);
    }
    return status;
}

static enum varve_status
insert_scan(struct varve_session *session, int64_t site, int64_t number, int64_t *id)
{
    static char note[NOTE_SIZE + 1];
    static float wave[WAVE_SIZE];
    char label[32];
    struct survey_scan *scan;
    struct survey_spot spot = SURVEY_SPOT_INIT;
    struct survey_spot *stops[] = {&spot, &spot};
    enum varve_status status =
        survey_scan_unpack(unknown, number % 2 == 0 ? sizeof unknown : 0, &scan);
    if (status != VARVE_OK)
        return status;
    size_t size = (size_t)(number % NOTE_SIZES) * NOTE_SIZE / NOTE_SIZES;
    memset(note, 'a' + (int)(number % 26), size);
    note[size] = '\0';
    snprintf(label, sizeof label, "scan %lld", (long long)number);
    spot.room = label;
    spot.shelf = (int32_t)number;
    scan->site_id = site;
    scan->label = label;
    scan->spot = number % 3 == 0 ? NULL : &spot;
    scan->stops.data = stops;
    scan->stops.count = (size_t)number % 3;
    scan->note = size > 0 ? note : NULL;
    fill_wave(scan, wave, number);
    status = survey_scan_insert(session, scan);
    *id = scan->id;
    survey_scan_free(scan);
    return status == VARVE_OK ? insert_marks(session, *id) : status;
}

static enum varve_status
fill(struct varve_session *session, int64_t count)
{
    int64_t site = 0, scan = 0;
    enum varve_status status = varve_begin(session);
    for (int64_t i = 0; i < count && status == VARVE_OK; i++) {
        if (i % SCANS_OF_A_SITE == 0)
            status = insert_site(session, i, &site);
        if (status == VARVE_OK)
            status = insert_scan(session, site, i, &scan);
    }
    if (status == VARVE_OK)
        status =
            survey_scan_delete(session, scan); /* with its marks: ids that are never given again */
    return status == VARVE_OK ? varve_commit(session) : status;
}

int
main(int argc, char **argv)
{
    struct varve_store *store;
    struct varve_session *session;
    struct varve_error error;
    if (argc != 3)
        return 100;
    struct varve_config config = {.data_dir = argv[1]};
    if (varve_open(&survey_schema, &config, &store, &error) != VARVE_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    enum varve_status status = varve_session_open(store, &session);
    if (status == VARVE_OK)
        status = fill(session, strtoll(argv[2], NULL, 10));
    if (status != VARVE_OK)
        fprintf(stderr, "%s\n", varve_session_error(session));
    varve_session_close(session);
    varve_close(store);
    return status == VARVE_OK ? 0 : 1;
}
