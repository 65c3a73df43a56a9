/* Several programs on one store while it is migrated. */
#define _DEFAULT_SOURCE

#include "migrate_support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zoo.varve.h"

enum {
    OPENERS = 4
};

static const char *zoo_old; /* a program of the schema's first version */

static void
run_old(const struct trial *trial, const char *command)
{
    char text[300];
    snprintf(text, sizeof text, "'%s' '%s' %s", zoo_old, trial->folder, command);
    assert_int_equal(system(text), 0);
}

/* -------------------------------------------------------------------- a program that holds the store */

struct holder {
    pid_t process;
    int input; /* closing it ends the program */
};

/* Starts the old program on the trial's folder, and waits until it has the store open. */
static struct holder
hold(const struct trial *trial)
{
    int input[2];
    int output[2];
    char line[16] = "";
    assert_int_equal(pipe(input), 0);
    assert_int_equal(pipe(output), 0);
    pid_t process = fork();
    assert_true(process >= 0);
    if (process == 0) {
        dup2(input[0], STDIN_FILENO);
        dup2(output[1], STDOUT_FILENO);
        close(input[1]);
        close(output[0]);
        execl(zoo_old, zoo_old, trial->folder, "hold", (char *)NULL);
        _exit(101);
    }
    close(input[0]);
    close(output[1]);
    FILE *said = fdopen(output[0], "r");
    assert_non_null(fgets(line, sizeof line, said));
    assert_string_equal(line, "open\n");
    fclose(said);
    return (struct holder){process, input[1]};
}

static void
let_go(struct holder *holder)
{
    int result;
    close(holder->input);
    assert_int_equal(waitpid(holder->process, &result, 0), holder->process);
    assert_int_equal(result, 0);
}

static void
test_a_migration_that_does_not_suit_names_who_has_the_store_open(void **state)
{
    char words[100];
    struct varve_config config = {.busy_timeout_ms = 50};
    run_old(*state, "fill");
    struct holder holder = hold(*state);
    snprintf(
        words, sizeof words,
        "and process %d has the store open, for more than busy_timeout_ms, 50 ms",
        (int)holder.process);
    trial_refuse(*state, &zoo_schema, config, VARVE_BUSY, words);
    assert_string_equal(trial_query(*state, "SELECT count(*) FROM varve_migration"), "1");
    let_go(&holder);
    trial_open(*state, &zoo_schema);
}

static void
test_a_migration_waits_until_the_store_is_closed(void **state)
{
    run_old(*state, "fill");
    struct holder holder = hold(*state);
    pid_t closer = fork();
    if (closer == 0) {
        usleep(100000);
        close(holder.input);
        _exit(0);
    }
    close(holder.input);
    trial_open(*state, &zoo_schema); /* busy_timeout_ms is 5 s */
    assert_int_equal(waitpid(closer, NULL, 0), closer);
    assert_int_equal(waitpid(holder.process, NULL, 0), holder.process);
}

static void
test_a_killed_program_holds_nothing(void **state)
{
    run_old(*state, "fill");
    struct holder holder = hold(*state);
    assert_int_equal(kill(holder.process, SIGKILL), 0);
    assert_int_equal(waitpid(holder.process, NULL, 0), holder.process);
    close(holder.input);
    trial_open(*state, &zoo_schema);
}

static void
test_the_store_of_this_very_program_is_named_too(void **state)
{
    char words[100];
    struct trial_schema old;
    struct trial_schema made;
    struct trial *trial = *state;
    struct trial_step steps[] = {
        {"0001_first", "CREATE TABLE herd (id INTEGER) STRICT;", false, false},
        {"0002_size", "ALTER TABLE herd ADD COLUMN size INTEGER;", false, false},
        {"0003_note", "ALTER TABLE herd ADD COLUMN note TEXT;", true, true}};
    struct varve_config config = {.data_dir = trial->folder, .busy_timeout_ms = -1};
    struct varve_store *store;
    trial_make(&old, steps, 1);
    assert_int_equal(varve_open(&old.schema, &config, &store, NULL), VARVE_OK);
    trial_make(&made, steps, 2);
    snprintf(words, sizeof words, "process %d has the store open", (int)getpid());
    trial_refuse(trial, &made.schema, config, VARVE_BUSY, words);
    varve_close(store);
    trial_open(trial, &made.schema);
}

static void
test_a_migration_that_suits_runs_beside_an_open_store(void **state)
{
    struct trial_schema old;
    struct trial_schema made;
    struct trial *trial = *state;
    struct trial_step steps[] = {
        {"0001_first", "CREATE TABLE herd (id INTEGER) STRICT;", false, false},
        {"0002_note", "ALTER TABLE herd ADD COLUMN note TEXT;", true, true},
        {"0003_size", "ALTER TABLE herd ADD COLUMN size INTEGER;", true, false}};
    struct varve_config config = {.data_dir = trial->folder, .busy_timeout_ms = -1};
    struct varve_store *store;
    struct varve_session *session;
    trial_make(&old, steps, 1);
    assert_int_equal(varve_open(&old.schema, &config, &store, NULL), VARVE_OK);
    assert_int_equal(varve_session_open(store, &session), VARVE_OK);
    trial_make(&made, steps, 2);
    trial_open(trial, &made.schema);
    assert_string_equal(trial_query(trial, "SELECT count(*) FROM pragma_table_info('herd')"), "2");
    assert_int_equal(varve_begin(session), VARVE_OK); /* goes on */
    assert_int_equal(varve_rollback(session), VARVE_OK);
    trial_make(&made, steps, 3);
    trial_refuse(trial, &made.schema, config, VARVE_BUSY, "has the store open");
    varve_session_close(session);
    varve_close(store);
    trial_open(trial, &made.schema);
    trial_open(trial, &old.schema); /* to read */
}

/* -------------------------------------------------------------------- many at once */

static void
open_in_children(const struct trial *trial, const struct varve_schema *schema)
{
    struct varve_config config = {.data_dir = trial->folder};
    pid_t children[OPENERS];
    for (size_t i = 0; i < OPENERS; i++) {
        children[i] = fork();
        if (children[i] != 0)
            continue;
        struct varve_store *store;
        struct varve_error error;
        enum varve_status status = varve_open(schema, &config, &store, &error);
        if (status != VARVE_OK)
            fprintf(stderr, "%s\n", error.message);
        usleep(20000);
        varve_close(store);
        _exit((int)status);
    }
    for (size_t i = 0; i < OPENERS; i++) {
        int result;
        assert_int_equal(waitpid(children[i], &result, 0), children[i]);
        assert_int_equal(result, 0);
    }
}

static void
test_programs_that_open_an_old_database_at_once_migrate_it_once(void **state)
{
    run_old(*state, "fill");
    open_in_children(*state, &zoo_schema);
    assert_string_equal(trial_query(*state, "SELECT generation FROM varve_generation"), "2");
    assert_string_equal(trial_query(*state, "SELECT count(*) FROM varve_migration"), "2");
    assert_string_equal(trial_query(*state, "SELECT weight FROM animal"), "12");
}

static void
test_programs_that_make_a_database_at_once_make_it_once(void **state)
{
    open_in_children(*state, &zoo_schema);
    assert_string_equal(trial_query(*state, "SELECT generation FROM varve_generation"), "1");
    assert_string_equal(trial_query(*state, "SELECT count(*) FROM varve_migration"), "2");
}

/* -------------------------------------------------------------------- forks */

/* A child that lives on must not keep the store locked that its parent has closed. */
static void
test_a_forked_child_does_not_hold_the_lock(void **state)
{
    struct trial_schema old;
    struct trial_schema made;
    struct trial *trial = *state;
    struct trial_step steps[] = {
        {"0001_first", "CREATE TABLE herd (id INTEGER) STRICT;", false, false},
        {"0002_size", "ALTER TABLE herd ADD COLUMN size INTEGER;", false, false}};
    struct varve_config config = {.data_dir = trial->folder, .busy_timeout_ms = 2000};
    struct varve_store *store;
    int input[2];
    char byte;
    trial_make(&old, steps, 1);
    assert_int_equal(varve_open(&old.schema, &config, &store, NULL), VARVE_OK);
    assert_int_equal(pipe(input), 0);
    pid_t child = fork();
    if (child == 0) {
        close(input[1]);
        varve_close(store); /* does nothing */
        _exit(read(input[0], &byte, 1) == 0 ? 0 : 1);
    }
    close(input[0]);
    varve_close(store);
    trial_make(&made, steps, 2);
    struct varve_error error;
    enum varve_status status = varve_open(&made.schema, &config, &store, &error);
    close(input[1]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(status, VARVE_OK);
    varve_close(store);
}

/* -------------------------------------------------------------------- several packages */

/* A schema of another package, of one table. */
static void
make_farm(struct trial_schema *made, const struct trial_step *steps, size_t count)
{
    static const char *const lock[] = {"message farm.Cow table=cow"};
    trial_make(made, steps, count);
    made->schema.package = "farm";
    made->schema.lock = lock;
}

static void
test_packages_of_one_store_migrate_together(void **state)
{
    struct trial_schema farm;
    struct trial *trial = *state;
    struct trial_step steps[] = {
        {"0001_first", "CREATE TABLE cow (id INTEGER) STRICT;", false, false},
        {"0002_milk", "ALTER TABLE cow ADD COLUMN milk INTEGER;", false, false}};
    const struct varve_schema *schemas[] = {&zoo_schema, &farm.schema};
    struct varve_config config = {.data_dir = trial->folder};
    struct varve_store *store;
    run_old(trial, "fill");
    make_farm(&farm, steps, 1);
    assert_int_equal(varve_open_many(schemas, 2, &config, &store, NULL), VARVE_OK);
    varve_close(store);
    assert_string_equal(
        trial_query(trial, "SELECT group_concat(package || number) FROM varve_migration"),
        "farm1,zoo1,zoo2");
    trial_open(trial, &zoo_schema); /* which need not know the other */
    make_farm(&farm, steps, 2);
    trial_open(trial, &farm.schema);
    assert_string_equal(
        trial_query(trial, "SELECT group_concat(package || number) FROM varve_migration"),
        "farm1,farm2,zoo1,zoo2");
    assert_int_equal(varve_open_many(schemas, 2, &config, &store, NULL), VARVE_OK);
    varve_close(store);
}

int
main(int argc, char **argv)
{
    if (argc != 2)
        return 100;
    zoo_old = argv[1];
    const struct CMUnitTest tests[] = {
        TRIAL_TEST(test_a_migration_that_does_not_suit_names_who_has_the_store_open),
        TRIAL_TEST(test_a_migration_waits_until_the_store_is_closed),
        TRIAL_TEST(test_a_killed_program_holds_nothing),
        TRIAL_TEST(test_the_store_of_this_very_program_is_named_too),
        TRIAL_TEST(test_a_migration_that_suits_runs_beside_an_open_store),
        TRIAL_TEST(test_programs_that_open_an_old_database_at_once_migrate_it_once),
        TRIAL_TEST(test_programs_that_make_a_database_at_once_make_it_once),
        TRIAL_TEST(test_a_forked_child_does_not_hold_the_lock),
        TRIAL_TEST(test_packages_of_one_store_migrate_together),
    };
    return cmocka_run_group_tests_name("migrate processes", tests, NULL, NULL);
}
