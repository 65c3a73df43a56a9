/* The scripts, and the order by time that they keep. For a space with an index there are beside its values:
 *
 *     cortex:1a2b3c4d%index          a sorted set; members are a time and a key, all scores are 0
 *                                        9a3f51c08e6d2b10cortex:1a2b3c4d:wm:a7f3
 *     cortex:1a2b3c4d%index%times    a hash: the time of each key that has a member
 *
 * Members of one score are in the order of their bytes, and the time is 16 hexadecimal digits of its
 * nanoseconds plus 2^63: so ZREVRANGEBYLEX gives times exactly, the newest first, and of one time the greater
 * key first. A score could not: a double holds 53 bits, a time needs 63.
 *
 * The hash is there to find the member that a put replaces: a key has one member only. Its values cost about
 * 250 bytes and twice their key more than others.
 *
 * - A put, touch or delete changes value, set and hash in one step. Of many puts up to 32 are one step.
 * - Values that expire or are evicted leave their entry behind. Every eighth put looks at 24 random entries and
 *   removes those without a value (the puts of one step look together, at as many), so that in the long run at
 *   most a third of the entries is dead; reading removes what it finds dead, a walk all.
 * - Either may be evicted. Without the hash a put could not find the member that it replaces, so it begins
 *   both anew: values that were put before are no longer in the order, as after any eviction. Without the set
 *   the hash does no harm.
 * - Set and hash live as long as the value that lives longest, and up to a quarter more, so that not every
 *   put has to lengthen their lives. */
#include "cache/redis_scripts.h"

/* life is 0 of values that do not expire. */
#define LENGTHEN                                                                                   \
    "local call = redis.call\n"                                                                    \
    "local function lengthen(index, times, life, fresh)\n"                                         \
    "  local left = call('PTTL', times)\n"                                                         \
    "  if life == 0 then\n"                                                                        \
    "    if left >= 0 then\n"                                                                      \
    "      call('PERSIST', index)\n"                                                               \
    "      call('PERSIST', times)\n"                                                               \
    "    end\n"                                                                                    \
    "  elseif fresh or (left >= 0 and left < life) then\n"                                         \
    "    local longer = string.format('%.0f', math.floor(life * 1.25))\n"                          \
    "    call('PEXPIRE', index, longer)\n"                                                         \
    "    call('PEXPIRE', times, longer)\n"                                                         \
    "  end\n"                                                                                      \
    "end\n"

/* Several items at once. Of a key that comes twice the last counts: `last` says where in ARGV its time stands.
 * The order lives as long as the item that lives longest. ZADD is the first write: it fails before anything is
 * done when there is no room, or when the key of the index is no sorted set. */
static const char put[] = LENGTHEN
    "local index, times, count = KEYS[1], KEYS[2], tonumber(ARGV[#ARGV - 1])\n"
    "local last, members, fields, replaced, fresh = {}, {}, {}, {}, true\n"
    "for i = 1, count do last[KEYS[i + 2]] = 3 * i end\n"
    "local n, longest, forever = 0, 0, false\n"
    "for key, at in pairs(last) do\n"
    "  local old, life, time = call('HGET', times, key), tonumber(ARGV[at - 1]), ARGV[at]\n"
    "  members[n + 1] = 0\n"
    "  members[n + 2] = time .. key\n"
    "  fields[n + 1] = key\n"
    "  fields[n + 2] = time\n"
    "  n = n + 2\n"
    "  if old then fresh = false end\n"
    "  if old and old ~= time then replaced[#replaced + 1] = old .. key end\n"
    "  if life == 0 then forever = true elseif life > longest then longest = life end\n"
    "end\n"
    "fresh = fresh and call('EXISTS', times) == 0\n"
    "if fresh and call('EXISTS', index) == 1 then call('UNLINK', index) end\n"
    "call('ZADD', index, unpack(members))\n"
    "call('HSET', times, unpack(fields))\n"
    "for key, at in pairs(last) do\n"
    "  if ARGV[at - 1] ~= '0' then\n"
    "    call('SET', key, ARGV[at - 2], 'PX', ARGV[at - 1])\n"
    "  else\n"
    "    call('SET', key, ARGV[at - 2])\n"
    "  end\n"
    "end\n"
    "if #replaced > 0 then call('ZREM', index, unpack(replaced)) end\n"
    "if ARGV[#ARGV] ~= '0' then\n"
    "  local some = call('HRANDFIELD', times, ARGV[#ARGV])\n"
    "  local all_live = call('EXISTS', unpack(some)) == #some\n"
    "  for i = 1, all_live and 0 or #some do\n"
    "    if call('EXISTS', some[i]) == 0 then\n"
    "      call('ZREM', index, call('HGET', times, some[i]) .. some[i])\n"
    "      call('HDEL', times, some[i])\n"
    "    end\n"
    "  end\n"
    "end\n"
    "lengthen(index, times, forever and 0 or longest, fresh)\n"
    "return count\n";

static const char touch[] =
    LENGTHEN "local life, found = tonumber(ARGV[1]), 0\n"
             "if life > 0 then\n"
             "  found = redis.call('PEXPIRE', KEYS[1], ARGV[1])\n"
             "else\n"
             "  found = redis.call('EXISTS', KEYS[1])\n"
             "  redis.call('PERSIST', KEYS[1])\n"
             "end\n"
             "if found == 1 then lengthen(KEYS[2], KEYS[3], life, false) end\n"
             "return found\n";

static const char live[] = LENGTHEN "lengthen(KEYS[1], KEYS[2], tonumber(ARGV[1]), false)\n"
                                    "return 1\n";

static const char remove_value[] = "local old = redis.call('HGET', KEYS[3], KEYS[1])\n"
                                   "if old then\n"
                                   "  redis.call('ZREM', KEYS[2], old .. KEYS[1])\n"
                                   "  redis.call('HDEL', KEYS[3], KEYS[1])\n"
                                   "end\n"
                                   "return redis.call('DEL', KEYS[1])\n";

/* That the value is gone is looked at again: it may have been put since. */
static const char sweep[] =
    "local removed = 0\n"
    "for _, member in ipairs(ARGV) do\n"
    "  local key = string.sub(member, 17)\n"
    "  if redis.call('EXISTS', key) == 0 then\n"
    "    local gone = redis.call('ZREM', KEYS[1], member)\n"
    "    if redis.call('HGET', KEYS[2], key) == string.sub(member, 1, 16) then\n"
    "      gone = redis.call('HDEL', KEYS[2], key)\n"
    "    end\n"
    "    removed = removed + gone\n"
    "  end\n"
    "end\n"
    "return removed\n";

static const char fill[] = "if redis.call('GET', KEYS[2]) ~= ARGV[3] then return 0 end\n"
                           "if tonumber(ARGV[2]) > 0 then\n"
                           "  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\n"
                           "else\n"
                           "  redis.call('SET', KEYS[1], ARGV[1])\n"
                           "end\n"
                           "redis.call('DEL', KEYS[2])\n"
                           "return 1\n";

static const struct {
    const char *text;
    size_t size;
} texts[VARVE__SCRIPT_COUNT] = {
    [VARVE__SCRIPT_PUT] = {put, sizeof put - 1},
    [VARVE__SCRIPT_TOUCH] = {touch, sizeof touch - 1},
    [VARVE__SCRIPT_LIVE] = {live, sizeof live - 1},
    [VARVE__SCRIPT_REMOVE] = {remove_value, sizeof remove_value - 1},
    [VARVE__SCRIPT_SWEEP] = {sweep, sizeof sweep - 1},
    [VARVE__SCRIPT_FILL] = {fill, sizeof fill - 1},
};

/* -------------------------------------------------------------------- loading and running */

void
varve__redis_scripts_init(struct varve__redis_scripts *scripts)
{
    memset(scripts, 0, sizeof *scripts);
    for (size_t i = 0; i < VARVE__SCRIPT_COUNT; i++)
        atomic_init(&scripts->scripts[i].known, false);
    pthread_mutex_init(&scripts->lock, NULL);
}

void
varve__redis_scripts_destroy(struct varve__redis_scripts *scripts)
{
    pthread_mutex_destroy(&scripts->lock);
}

bool
varve__redis_script_known(struct varve__redis_scripts *scripts, enum varve__redis_script script)
{
    return atomic_load_explicit(&scripts->scripts[script].known, memory_order_acquire);
}

void
varve__redis_script_load(
    struct varve__redis_connection *connection, enum varve__redis_script script)
{
    varve__redis_command(connection, 3);
    varve__redis_word(connection, "SCRIPT");
    varve__redis_word(connection, "LOAD");
    varve__redis_argument(connection, texts[script].text, texts[script].size);
}

void
varve__redis_script_loaded(
    struct varve__redis_scripts *scripts,
    enum varve__redis_script script,
    const struct varve__redis_piece *piece)
{
    if (piece->kind != VARVE__REDIS_STRING || piece->size != VARVE__SCRIPT_HASH_SIZE)
        return;
    /* A hash never changes: whoever sees `known` may read it without the lock. */
    pthread_mutex_lock(&scripts->lock);
    if (!varve__redis_script_known(scripts, script)) {
        memcpy(scripts->scripts[script].hash, piece->text, VARVE__SCRIPT_HASH_SIZE);
        atomic_store_explicit(&scripts->scripts[script].known, true, memory_order_release);
    }
    pthread_mutex_unlock(&scripts->lock);
}

void
varve__redis_script_run(
    struct varve__redis_connection *connection,
    const struct varve__redis_scripts *scripts,
    enum varve__redis_script script,
    size_t keys,
    size_t arguments)
{
    varve__redis_command(connection, 3 + keys + arguments);
    varve__redis_word(connection, "EVALSHA");
    varve__redis_argument(connection, scripts->scripts[script].hash, VARVE__SCRIPT_HASH_SIZE);
    varve__redis_number(connection, (int64_t)keys);
}

void
varve__redis_write_order(struct varve__redis_connection *connection, struct varve__cache_text index)
{
    varve__redis_argument(connection, index.text, index.size);
    varve__redis_argument_of_two(
        connection, index.text, index.size, VARVE__REDIS_TIMES_ENDING,
        sizeof VARVE__REDIS_TIMES_ENDING - 1);
}

/* -------------------------------------------------------------------- times */

void
varve__redis_time_write(char text[VARVE__REDIS_TIME_SIZE], int64_t time)
{
    uint64_t bits = (uint64_t)time ^ (UINT64_C(1) << 63);
    for (size_t i = VARVE__REDIS_TIME_SIZE; i-- > 0; bits >>= 4)
        text[i] = "0123456789abcdef"[bits & 15];
}

int64_t
varve__redis_time_read(const char text[VARVE__REDIS_TIME_SIZE])
{
    uint64_t bits = 0;
    for (size_t i = 0; i < VARVE__REDIS_TIME_SIZE; i++)
        bits = bits << 4 | (uint64_t)(text[i] <= '9' ? text[i] - '0' : text[i] - 'a' + 10);
    return (int64_t)(bits ^ (UINT64_C(1) << 63));
}
