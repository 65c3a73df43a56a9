/* What the files of the ctl program share. varve_generate(.. TOOL name) makes the program for the
 * schemas of a target; it uses the runtime's public API alone, and SQLite for reading.
 *
 * A new command is a row of the table in ctl.c, and a function in a file of its own:
 *
 *     enum varvectl_exit
 *     varvectl_status(struct varvectl *ctl)
 *     {
 *         struct varve_error error;
 *         if (varvectl_open(ctl, &error) != VARVE_OK)
 *             return varvectl_fail("%s", error.message);
 *         ...                                         main() closes
 *     }
 *
 * Names begin with varvectl_, so that they meet none that is generated from a schema.
 */
#ifndef VARVE_TOOLS_CTL_H
#define VARVE_TOOLS_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <varve/varve.h>

/* Of schemas.c, which the build makes. */
extern const char *const varvectl_name; /* of the program */
extern const struct varve_schema *const varvectl_schemas[];
extern const size_t varvectl_schema_count;

/* What the program tells its caller. */
enum varvectl_exit {
    VARVECTL_FINE = 0,
    VARVECTL_FINDINGS = 1,
    VARVECTL_FAILED = 2, /* wrong usage, or what kept the command from its work; said on stderr */
};

enum {
    VARVECTL_OPERANDS_MAX = 4
};

/* One run of the program. */
struct varvectl {
    const struct varvectl_command *command;
    struct varve_config config; /* from the environment and the command line */
    bool json;
    bool dry_run;
    bool wants_usage;                            /* no command was named, or none that there is */
    const char *operands[VARVECTL_OPERANDS_MAX]; /* the command's own, without DATA_DIR */
    int operand_count;
    struct varve_store *store;
    struct varve_session *session;
};

struct varvectl_command {
    const char *name;
    const char *operands; /* its own, as the usage says them: "", " FILE" */
    int operand_count;
    bool writes;  /* whether it opens the store for writing */
    bool dry_run; /* whether it knows --dry-run */
    const char *brief;
    enum varvectl_exit (*run)(struct varvectl *ctl);
};

/* The commands, one a file. */
enum varvectl_exit
varvectl_status(struct varvectl *ctl);
enum varvectl_exit
varvectl_verify(struct varvectl *ctl);
enum varvectl_exit
varvectl_migrate(struct varvectl *ctl);

/* arguments.c: fills *ctl from the command line and the environment. False: it has said why not. */
bool
varvectl_read_arguments(
    struct varvectl *ctl, int argc, char **argv, const struct varvectl_command *commands);

/* open.c: opens the data folder, which must be there, and a session. main() closes both. */
enum varve_status
varvectl_open(struct varvectl *ctl, struct varve_error *error);

/* Calls `visit` with each message that has a table, until one returns other than VARVECTL_FINE,
 * which is the result. */
enum varvectl_exit
varvectl_each_table(
    enum varvectl_exit (*visit)(void *context, const struct varve_record *record), void *context);

/* text.c */

/* Says "name: text" on stderr, a line. Returns VARVECTL_FAILED. */
VARVE_PRINTF(1, 2)
enum varvectl_exit
varvectl_fail(const char *format, ...);

/* Writes text that stays on one line: control characters become spaces. */
void
varvectl_print_line(FILE *file, const char *text);

/* "17 B", "1.5 MiB": the size for people, in `buffer`, which is returned. */
const char *
varvectl_size_text(int64_t size_bytes, char buffer[32]);

#endif
