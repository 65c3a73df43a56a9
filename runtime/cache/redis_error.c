/* What an error of the server means, and how to mend it. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cache/redis_connection.h"

enum {
    TEXT_SIZE = 160, /* of the server's words in a message, with the NUL */
    NAME_SIZE = 64   /* of a user or a command in it */
};

/* An error begins with these words, the first that fit count. */
struct meaning {
    const char *words;
    enum varve__redis_error kind;
    enum varve_status status;
    const char *mend;
};

static const struct meaning meanings[] = {
    {"OOM", VARVE__REDIS_REFUSED, VARVE_FULL,
     "its memory is full: raise its maxmemory, or set a maxmemory-policy that evicts"},
    {"NOAUTH", VARVE__REDIS_REFUSED, VARVE_UNAVAILABLE, "it wants a password: set redis_password"},
    {"WRONGPASS", VARVE__REDIS_REFUSED, VARVE_UNAVAILABLE,
     "correct redis_username and redis_password"},
    {"READONLY", VARVE__REDIS_RECONNECT, VARVE_UNAVAILABLE,
     "it is a replica: connect to its primary"},
    {"UNBLOCKED", VARVE__REDIS_RECONNECT, VARVE_UNAVAILABLE,
     "it became a replica: connect to its primary"},
    {"LOADING", VARVE__REDIS_RETRY, VARVE_UNAVAILABLE,
     "it has just been started and reads its data: try again soon"},
    {"BUSY", VARVE__REDIS_RETRY, VARVE_UNAVAILABLE,
     "a script keeps it busy: try again, or end that with SCRIPT KILL"},
    {"MASTERDOWN", VARVE__REDIS_RETRY, VARVE_UNAVAILABLE,
     "it is a replica without its primary: connect to the primary"},
    {"TRYAGAIN", VARVE__REDIS_RETRY, VARVE_UNAVAILABLE, "try again soon"},
    {"NOREPLICAS", VARVE__REDIS_RETRY, VARVE_UNAVAILABLE,
     "it lacks replicas: start them, or lower its min-replicas-to-write"},
    {"MISCONF", VARVE__REDIS_REFUSED, VARVE_UNAVAILABLE,
     "it cannot save to its disk: its log says why; or set its stop-writes-on-bgsave-error to no"},
    {"WRONGTYPE", VARVE__REDIS_REFUSED, VARVE_CORRUPT,
     "another program uses this key: delete it, or give varve a database of its own (redis_db)"},
    {"MOVED", VARVE__REDIS_REFUSED, VARVE_UNAVAILABLE,
     "it is of a cluster, which varve cannot use yet: connect to a server of its own"},
    {"ASK", VARVE__REDIS_REFUSED, VARVE_UNAVAILABLE,
     "it is of a cluster, which varve cannot use yet: connect to a server of its own"},
    {"CLUSTERDOWN", VARVE__REDIS_REFUSED, VARVE_UNAVAILABLE,
     "it is of a cluster, which varve cannot use yet: connect to a server of its own"},
    {"CROSSSLOT", VARVE__REDIS_REFUSED, VARVE_UNAVAILABLE,
     "it is of a cluster, which varve cannot use yet: connect to a server of its own"},
    {"ERR SELECT is not allowed in cluster mode", VARVE__REDIS_REFUSED, VARVE_UNAVAILABLE,
     "it is of a cluster, which varve cannot use yet: connect to a server of its own"},
    {"NOSCRIPT", VARVE__REDIS_NO_SCRIPT, VARVE_UNAVAILABLE, "its scripts were flushed: try again"},
    {"NOPROTO", VARVE__REDIS_REFUSED, VARVE_UNAVAILABLE, "varve needs Redis 6.2 or newer"},
    {"DENIED", VARVE__REDIS_REFUSED, VARVE_UNAVAILABLE,
     "it is in protected mode: give it a password, and set redis_password"},
    {"ERR max number of clients", VARVE__REDIS_RETRY, VARVE_UNAVAILABLE,
     "raise its maxclients, or lower redis_pool_size"},
    {"ERR unknown command", VARVE__REDIS_REFUSED, VARVE_UNAVAILABLE,
     "varve needs Redis 6.2 or newer, and no command renamed"},
    {"ERR Unknown Redis command called", VARVE__REDIS_REFUSED, VARVE_UNAVAILABLE,
     "varve needs Redis 6.2 or newer, and no command renamed"},
    {"Unknown Redis command called", VARVE__REDIS_REFUSED, VARVE_UNAVAILABLE,
     "varve needs Redis 6.2 or newer, and no command renamed"},
    {"ERR Unknown command called", VARVE__REDIS_REFUSED, VARVE_UNAVAILABLE,
     "varve needs Redis 6.2 or newer, and no command renamed"},
    {"Write commands not allowed after non deterministic commands", VARVE__REDIS_REFUSED,
     VARVE_UNAVAILABLE, "set its lua-replicate-commands to yes"},
    {"ERR DB index is out of range", VARVE__REDIS_REFUSED, VARVE_UNAVAILABLE,
     "correct redis_db, or raise its setting databases"},
    {"ERR invalid DB index", VARVE__REDIS_REFUSED, VARVE_UNAVAILABLE, "correct redis_db"},
    {"ERR value is out of range", VARVE__REDIS_REFUSED, VARVE_UNAVAILABLE,
     "is one of its settings too small?"},
    {"ERR AUTH <password> called without any password configured", VARVE__REDIS_REFUSED,
     VARVE_UNAVAILABLE, "it has no password: leave redis_password out, or set its requirepass"},
    {"ERR Client sent AUTH, but no password is set", VARVE__REDIS_REFUSED, VARVE_UNAVAILABLE,
     "it has no password: leave redis_password out, or set its requirepass"},
};

static const struct meaning unknown = {
    "", VARVE__REDIS_REFUSED, VARVE_UNAVAILABLE, "its log may say more"};

/* -------------------------------------------------------------------- reading the words */

/* Where the words stand in the text, from `at` on; NULL: nowhere. */
static const char *
find(const char *text, size_t size, const char *words)
{
    size_t length = strlen(words);
    for (size_t i = 0; size >= length && i <= size - length; i++) {
        if (memcmp(text + i, words, length) == 0)
            return text + i;
    }
    return NULL;
}

static bool
begins_with(const char *text, size_t size, const char *words)
{
    size_t length = strlen(words);
    if (size < length || memcmp(text, words, length) != 0)
        return false;
    char next = size > length ? text[length] : ' ';
    return !(next >= 'A' && next <= 'Z') && !(next >= 'a' && next <= 'z');
}

/* Before Redis 7 the error of a command in a script stands behind the last "@user_script: 1: ". */
static void
skip_script(const char **text, size_t *size)
{
    static const char mark[] = "@user_script";
    const char *end = *text + *size, *found = NULL;
    if (!begins_with(*text, *size, "ERR Error running script"))
        return;
    for (const char *next = *text; (next = find(next, (size_t)(end - next), mark)) != NULL;)
        found = next += sizeof mark - 1;
    while (found && found < end && strchr(": -0123456789", *found))
        found++;
    if (!found)
        return;
    *text = found;
    *size = (size_t)(end - found);
}

static const struct meaning *
meaning_of(const char *text, size_t size)
{
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        if (begins_with(text, size, meanings[i].words))
            return &meanings[i];
    }
    return &unknown;
}

/* -------------------------------------------------------------------- rights */

/* The word between two of these; "" when it is not there, or is none. */
static void
read_name(const char *text, size_t size, const char *before, char after, char name[NAME_SIZE])
{
    const char *at = find(text, size, before);
    size_t length = 0;
    name[0] = '\0';
    if (!at)
        return;
    for (at += strlen(before); at + length < text + size && at[length] != after; length++) {
        if (length == NAME_SIZE - 1 || at[length] < '!' || at[length] > '~')
            break;
        name[length] = at[length];
    }
    bool ends = at + length < text + size && at[length] == after;
    name[ends ? length : 0] = '\0';
}

/* Whether the user lacks a right; `mend` then says how to give it. */
static bool
lacks_right(const char *text, size_t size, char *mend, size_t mend_size)
{
    char user[NAME_SIZE], command[NAME_SIZE];
    bool of_keys = find(text, size, "of the keys") || find(text, size, "access a key");
    if (!begins_with(text, size, "NOPERM") && !find(text, size, "The user executing the script") &&
        !find(text, size, "ACL failure in script"))
        return false;
    read_name(text, size, "User ", ' ', user);
    read_name(text, size, "run the '", '\'', command);
    snprintf(
        mend, mend_size, "its user has not the right: ACL SETUSER %s %s%s",
        user[0] ? user : "<user>", of_keys ? "~<package>:" : "+",
        of_keys      ? "*"
        : command[0] ? command
                     : "<command>");
    return true;
}

/* -------------------------------------------------------------------- the failure */

/* The server's words for a message: in one line, and without the arguments that it repeats of a command that
 * it does not know: they may be a password, or what somebody stored. */
static void
quote(const char *text, size_t size, char words[TEXT_SIZE])
{
    const char *arguments = find(text, size, ", with args");
    size_t length = arguments ? (size_t)(arguments - text) : size;
    length = length < TEXT_SIZE - 1 ? length : TEXT_SIZE - 1;
    for (size_t i = 0; i < length; i++)
        words[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    words[length] = '\0';
}

enum varve_status
varve__redis_fail_reply(
    const char *server,
    const char *what,
    const struct varve_record *record,
    const char *text,
    size_t size,
    enum varve__redis_error *kind)
{
    char words[TEXT_SIZE], right[2 * NAME_SIZE + 64];
    const char *name = record ? record->descriptor->name : NULL;
    skip_script(&text, &size);
    quote(text, size, words);
    const struct meaning *meaning = meaning_of(text, size);
    bool lacks = lacks_right(text, size, right, sizeof right);
    if (kind)
        *kind = meaning->kind;
    return varve__fail(
        meaning->status, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, name,
        "%s%s%s was refused by Redis at %s: %s (it says: %s)", what, name ? " of " : "",
        name ? name : "", server, lacks ? right : meaning->mend, words);
}
