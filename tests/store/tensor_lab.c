#define _XOPEN_SOURCE 700 /* mkdtemp */

#include "tensor_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

void
lab_close(struct tensor_lab *lab)
{
    varve_session_close(lab->session);
    varve_close(lab->store);
    lab->session = NULL;
    lab->store = NULL;
}

void
lab_open(struct tensor_lab *lab, struct varve_config config)
{
    struct varve_error error;
    lab_close(lab);
    config.data_dir = lab->folder;
    if (varve_open(&lab_tensors_schema, &config, &lab->store, &error) != VARVE_OK)
        fail_msg("%s", error.message);
    assert_int_equal(varve_session_open(lab->store, &lab->session), VARVE_OK);
}

int
lab_run(const struct tensor_lab *lab, const char *text)
{
    char command[300];
    int number = -1;
    snprintf(command, sizeof command, "cd %s && %s", lab->folder, text);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    if (fscanf(pipe, "%d", &number) != 1)
        number = -1;
    pclose(pipe);
    return number;
}

int
lab_segments(const struct tensor_lab *lab)
{
    return lab_run(lab, "find . -name '*.h5*' | wc -l");
}

void
lab_execute(const struct tensor_lab *lab, const char *sql)
{
    char path[96];
    char *text = NULL;
    sqlite3 *database;
    snprintf(path, sizeof path, "%s/varve.db", lab->folder);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    if (sqlite3_exec(database, sql, NULL, NULL, &text) != SQLITE_OK)
        fail_msg("%s: %s", sql, text);
    sqlite3_close(database);
}

void
lab_must(const struct tensor_lab *lab, enum varve_status status)
{
    if (status != VARVE_OK)
        fail_msg("%s: %s", varve_status_name(status), varve_session_error(lab->session));
}

void
lab_expect(
    const struct tensor_lab *lab,
    enum varve_status got,
    enum varve_status status,
    const char *words)
{
    const char *text = varve_session_error(lab->session);
    if (got != status || !strstr(text, words))
        fail_msg("%s: \"%s\" does not say \"%s\"", varve_status_name(got), text, words);
}

int
lab_set_up(void **state)
{
    struct tensor_lab *lab = calloc(1, sizeof *lab);
    assert_non_null(lab);
    strcpy(lab->folder, "/tmp/varve-tensors-XXXXXX");
    assert_non_null(mkdtemp(lab->folder));
    lab_open(lab, (struct varve_config){0});
    *state = lab;
    return 0;
}

int
lab_tear_down(void **state)
{
    struct tensor_lab *lab = *state;
    lab_close(lab);
    lab_run(lab, "rm -rf \"$PWD\"");
    free(lab);
    return 0;
}
