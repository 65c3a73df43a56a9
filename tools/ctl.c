/* The ctl program: its commands, its help, and main(). */
#include <sqlite3.h>
#include <string.h>

#include "ctl.h"

/* Ends with a row without a name. */
static const struct varvectl_command commands[] = {
    {.name = "status",
     .operands = "",
     .brief = "what is in the store: records, sizes, versions",
     .run = varvectl_status},
    {.name = "verify",
     .operands = "",
     .brief = "reads every record and reports what is damaged",
     .run = varvectl_verify},
    {.name = "migrate",
     .operands = "",
     .writes = true,
     .dry_run = true,
     .brief = "brings the store to the program's schema; --dry-run only says how",
     .run = varvectl_migrate},
    {.name = NULL},
};

static void
print_packages(FILE *file)
{
    for (size_t i = 0; i < varvectl_schema_count; i++)
        fprintf(file, "%s%s", i > 0 ? ", " : "", varvectl_schemas[i]->package);
}

static void
print_help(FILE *file)
{
    fprintf(file, "%s looks after the data of ", varvectl_name);
    print_packages(file);
    fputs(".\n\n", file);
    for (const struct varvectl_command *command = commands; command->name; command++)
        fprintf(
            file, "    %s %s [--json] [DATA_DIR]%s   %s\n", varvectl_name, command->name,
            command->operands, command->brief);
    fputs(
        "\n"
        "    -d, --data-dir DIR   the data folder, another way to say DATA_DIR\n"
        "    --json               the answer as one JSON object on stdout\n"
        "    --dry-run            (migrate) lists the migrations that are due, which are findings\n"
        "    -h, --help           this text\n"
        "    --version            versions of varve and SQLite\n"
        "\n"
        "Without DATA_DIR the environment says it, in VARVE_DATA_DIR; other VARVE_ variables and\n"
        "SQLITE_DB_PATH (only without DATA_DIR) count as in every program of varve's.\n"
        "Exit status: 0 fine, 1 findings, 2 wrong usage or a failure, said on stderr.\n",
        file);
}

static void
print_version(void)
{
    printf(
        "%s: varve %s, SQLite %s, schemas: ", varvectl_name, VARVE_VERSION, sqlite3_libversion());
    print_packages(stdout);
    putchar('\n');
}

/* Whether an argument before any "--" is one of these two. */
static bool
asks_for(int argc, char **argv, const char *option, const char *short_option)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], option) == 0 || strcmp(argv[i], short_option) == 0)
            return true;
    return false;
}

static enum varvectl_exit
run(int argc, char **argv)
{
    struct varvectl ctl = {.command = NULL};
    if (!varvectl_read_arguments(&ctl, argc, argv, commands)) {
        if (ctl.wants_usage)
            print_help(stderr);
        return VARVECTL_FAILED;
    }
    enum varvectl_exit result = ctl.command->run(&ctl);
    varve_session_close(ctl.session);
    varve_close(ctl.store);
    return result;
}

int
main(int argc, char **argv)
{
    enum varvectl_exit result = VARVECTL_FINE;
    if (asks_for(argc, argv, "--help", "-h"))
        print_help(stdout);
    else if (asks_for(argc, argv, "--version", "--version"))
        print_version();
    else
        result = run(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout))
        result = varvectl_fail("the output could not be written");
    return (int)result;
}
