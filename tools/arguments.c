/* The command line: options anywhere, the command, DATA_DIR unless it was said otherwise, and the
 * command's own operands. */
#include <string.h>

#include "ctl.h"

/* What was said, before it is known which command's it is. */
struct words {
    const char *data_dir; /* of -d */
    const char *command;
    const char *operands[VARVECTL_OPERANDS_MAX + 1]; /* DATA_DIR and the command's own */
    int operand_count;
};

static bool
fail_see_help(const char *what, const char *argument)
{
    varvectl_fail("%s %s; see %s --help", what, argument, varvectl_name);
    return false;
}

static bool
set_data_dir(struct words *words, const char *data_dir)
{
    if (words->data_dir)
        return fail_see_help("the data folder is said twice:", data_dir ? data_dir : "");
    if (!data_dir || !*data_dir)
        return fail_see_help("no folder follows", "--data-dir");
    words->data_dir = data_dir;
    return true;
}

/* Reads the option at argv[*i], and its value. */
static bool
read_option(struct varvectl *ctl, struct words *words, char **argv, int *i)
{
    static const char with_value[] = "--data-dir=";
    const char *option = argv[*i];
    if (strcmp(option, "--json") == 0) {
        ctl->json = true;
        return true;
    }
    if (strcmp(option, "--dry-run") == 0) {
        ctl->dry_run = true;
        return true;
    }
    if (strcmp(option, "-d") == 0 || strcmp(option, "--data-dir") == 0)
        return set_data_dir(words, argv[++*i]);
    if (strncmp(option, with_value, sizeof with_value - 1) == 0)
        return set_data_dir(words, option + sizeof with_value - 1);
    return fail_see_help("there is no option", option);
}

static bool
read_words(struct varvectl *ctl, struct words *words, int argc, char **argv)
{
    bool options = true;
    for (int i = 1; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (options && argv[i][0] == '-' && argv[i][1] != '\0') {
            if (!read_option(ctl, words, argv, &i))
                return false;
        } else if (!words->command) {
            words->command = argv[i];
        } else if (words->operand_count <= VARVECTL_OPERANDS_MAX) {
            words->operands[words->operand_count++] = argv[i];
        } else {
            return fail_see_help("too many arguments:", argv[i]);
        }
    }
    return true;
}

static bool
find_command(struct varvectl *ctl, const struct varvectl_command *commands, const char *name)
{
    for (; name && commands->name; commands++) {
        if (strcmp(commands->name, name) == 0) {
            ctl->command = commands;
            return true;
        }
    }
    if (name)
        varvectl_fail("there is no command %s", name);
    ctl->wants_usage = true;
    return false;
}

/* DATA_DIR stands before the command's operands when one argument more is there than these. */
static bool
take_operands(struct varvectl *ctl, struct words *words)
{
    const char **operand = words->operands;
    if (!words->data_dir && words->operand_count > ctl->command->operand_count) {
        words->data_dir = *operand++;
        words->operand_count--;
    }
    if (words->operand_count != ctl->command->operand_count) {
        const char *what = words->operand_count > ctl->command->operand_count
                               ? "too many arguments for"
                               : "arguments are missing for";
        return fail_see_help(what, ctl->command->name);
    }
    memcpy(ctl->operands, operand, (size_t)words->operand_count * sizeof *operand);
    ctl->operand_count = words->operand_count;
    return true;
}

/* The environment first; a folder of the command line is that folder with its own database,
 * whatever database the environment names. */
static bool
configure(struct varvectl *ctl, const char *data_dir)
{
    struct varve_error error;
    if (varve_config_from_env(&ctl->config, &error) != VARVE_OK) {
        varvectl_fail("%s", error.message);
        return false;
    }
    if (data_dir) {
        ctl->config.data_dir = data_dir;
        ctl->config.database_path = NULL;
    }
    if (!ctl->config.data_dir || !*ctl->config.data_dir)
        return fail_see_help("name the data folder, DATA_DIR, for", ctl->command->name);
    if (!ctl->command->writes)
        ctl->config.read_only = true;
    if (ctl->dry_run && !ctl->command->dry_run)
        return fail_see_help("there is no option --dry-run of", ctl->command->name);
    return true;
}

bool
varvectl_read_arguments(
    struct varvectl *ctl, int argc, char **argv, const struct varvectl_command *commands)
{
    struct words words = {.command = NULL};
    return read_words(ctl, &words, argc, argv) && find_command(ctl, commands, words.command) &&
           take_operands(ctl, &words) && configure(ctl, words.data_dir);
}
