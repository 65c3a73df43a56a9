#define _POSIX_C_SOURCE 200809L /* mkdtemp */

#include "observe_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void
hear(void *context, enum varve_log_level level, enum varve_tier tier, const char *message)
{
    struct varve_session *none;
    struct heard *heard = context;
    /* What a log must not do; the failure of the call that is told survives it. */
    if (varve_session_open(NULL, &none) == VARVE_OK)
        return;
    if (level > VARVE_LOG_WARNING)
        return;
    pthread_mutex_lock(&heard->lock);
    if (heard->count < LINES_MOST) {
        heard->tiers[heard->count] = tier;
        snprintf(heard->lines[heard->count++], LINE_SIZE, "%s", message);
    }
    pthread_mutex_unlock(&heard->lock);
}

void
watched_open(struct watched *watched, struct varve_config config)
{
    struct varve_error error;
    varve_session_close(watched->session);
    varve_close(watched->store);
    watched->session = NULL;
    config.data_dir = watched->folder;
    config.log = hear;
    config.log_context = &watched->heard;
    if (varve_open(&shop_schema, &config, &watched->store, &error) != VARVE_OK)
        fail_msg("%s", error.message);
    must(watched, varve_session_open(watched->store, &watched->session));
    watched_forget(watched);
}

int
watched_set_up(void **state)
{
    struct watched *watched = calloc(1, sizeof *watched);
    assert_non_null(watched);
    pthread_mutex_init(&watched->heard.lock, NULL);
    strcpy(watched->folder, "/tmp/varve-observe-XXXXXX");
    assert_non_null(mkdtemp(watched->folder));
    watched_open(watched, (struct varve_config){0});
    *state = watched;
    return 0;
}

int
watched_tear_down(void **state)
{
    char command[100];
    struct watched *watched = *state;
    varve_session_close(watched->session);
    varve_close(watched->store);
    snprintf(command, sizeof command, "rm -r %s", watched->folder);
    int code = system(command);
    pthread_mutex_destroy(&watched->heard.lock);
    free(watched);
    return code;
}

void
watched_forget(struct watched *watched)
{
    pthread_mutex_lock(&watched->heard.lock);
    watched->heard.count = 0;
    pthread_mutex_unlock(&watched->heard.lock);
}

void
must(const struct watched *watched, enum varve_status status)
{
    if (status != VARVE_OK)
        fail_msg("%s: %s", varve_status_name(status), varve_session_error(watched->session));
}

struct varve_health_report
health_of(const struct watched *watched)
{
    struct varve_health_report health;
    if (varve_health(watched->store, &health) != VARVE_OK)
        fail_msg("%s", varve_session_error(NULL));
    struct varve_health_report copy = health;
    varve_health_free(&health);
    return copy;
}

size_t
count_lines(const struct watched *watched, const char *beginning, const char *part)
{
    size_t count = 0;
    for (size_t i = 0; i < watched->heard.count; i++) {
        const char *line = watched->heard.lines[i];
        count += strncmp(line, beginning, strlen(beginning)) == 0 && strstr(line, part);
    }
    return count;
}

const char *
one_line(const struct watched *watched, const char *beginning, const char *part)
{
    const char *found = NULL;
    for (size_t i = 0; i < watched->heard.count; i++) {
        const char *line = watched->heard.lines[i];
        if (strncmp(line, beginning, strlen(beginning)) == 0 && strstr(line, part))
            found = line;
    }
    if (count_lines(watched, beginning, part) != 1)
        fail_msg(
            "%zu lines \"%s .. %s\" of %zu, such as \"%s\"", count_lines(watched, beginning, part),
            beginning, part, watched->heard.count,
            watched->heard.count > 0 ? watched->heard.lines[0] : "");
    return found;
}

int64_t
add_maker(const struct watched *watched, const char *name, int32_t founded)
{
    struct shop_maker maker = SHOP_MAKER_INIT;
    maker.name = name;
    maker.founded = founded;
    must(watched, shop_maker_insert(watched->session, &maker));
    return maker.id;
}

int64_t
add_scan(const struct watched *watched, const char *name)
{
    static float image[] = {1, 2, 3, 4, 5, 6};
    struct shop_scan scan = SHOP_SCAN_INIT;
    scan.name = name;
    scan.rows = 2;
    scan.columns = 3;
    scan.image = (struct varve_floats){6, image};
    must(watched, shop_scan_insert(watched->session, &scan));
    return scan.id;
}

void
wait_a_moment(void)
{
    const struct timespec time = {.tv_nsec = 20000000};
    nanosleep(&time, NULL);
}
