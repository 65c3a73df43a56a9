/* Reading of an order by time (redis_scripts.c): a page of its members, then their values, then those whose
 * values are gone are removed.
 *
 * A page ends where the time changes, so that the next begins at a time and not at a member that others may
 * have removed meanwhile. Where so many have one time that it would grow beyond GROUP_MAX it ends within them,
 * and the next counts them off. */
#include "cache/redis_engine.h"

enum {
    GROUP_MAX = 16384 /* members that a page grows to, to hold all of one time */
};

struct page {
    struct varve__redis *redis;
    const struct varve__space *space;
    int64_t since;
    int64_t ttl_ms;
    struct varve__cache_place *place;
    varve__cache_take_row *take;
    void *context;

    struct varve__redis_list members;
    size_t wanted; /* members that are asked for: at least one more than the page is to have */
    size_t count;  /* members of the page */
    bool fed;
    size_t fed_values;
    size_t taken_values;
    bool lengthened;
    struct varve__redis_list gone; /* members without a value */
};

static struct varve__cache_text
key_of(struct varve__cache_text member)
{
    return (struct varve__cache_text){
        member.text + VARVE__REDIS_TIME_SIZE, member.size - VARVE__REDIS_TIME_SIZE};
}

static int64_t
time_of(const struct page *page, size_t i)
{
    return varve__redis_time_read(varve__redis_list_text(&page->members, i).text);
}

static enum varve_status
run_page(
    struct page *page,
    struct varve__watch *watch,
    enum varve__redis_script script,
    varve__redis_feed *feed,
    varve__redis_take *take,
    void (*restart)(void *))
{
    struct varve__redis_call call = {
        .watch = watch,
        .record = page->space->record,
        .what = "a read of the newest",
        .script = script,
        .feed = feed,
        .take = take,
        .restart = restart,
        .context = page,
    };
    return varve__redis_run(page->redis, &call);
}

/* -------------------------------------------------------------------- members */

/* The greatest time of the page, as ZREVRANGEBYLEX takes it: all members of it are less than the next one. */
static size_t
write_bound(const struct varve__cache_place *place, char text[1 + VARVE__REDIS_TIME_SIZE])
{
    bool open = !place->begun || place->bound == INT64_MAX;
    text[0] = open ? '+' : '(';
    if (!open)
        varve__redis_time_write(text + 1, place->bound + 1);
    return open ? 1 : 1 + VARVE__REDIS_TIME_SIZE;
}

static enum varve_status
feed_members(void *context, struct varve__redis_connection *connection, size_t *replies)
{
    struct page *page = context;
    char newest[1 + VARVE__REDIS_TIME_SIZE], oldest[1 + VARVE__REDIS_TIME_SIZE] = "[";
    if (page->fed)
        return VARVE_OK;
    page->fed = true;
    size_t newest_size = write_bound(page->place, newest);
    varve__redis_time_write(oldest + 1, page->since);
    varve__redis_command(connection, 7);
    varve__redis_word(connection, "ZREVRANGEBYLEX");
    varve__redis_argument(connection, page->space->index.text, page->space->index.size);
    varve__redis_argument(connection, newest, newest_size);
    varve__redis_argument(connection, oldest, sizeof oldest);
    varve__redis_word(connection, "LIMIT");
    varve__redis_number(connection, page->place->offset);
    varve__redis_number(connection, (int64_t)page->wanted);
    *replies = 1;
    return VARVE_OK;
}

/* What is shorter than a time was not written by varve. */
static enum varve_status
take_member(void *context, const struct varve__redis_piece *piece)
{
    struct page *page = context;
    const struct varve__cache_text member = {piece->text, piece->size}, nothing = {"", 0};
    if (piece->kind != VARVE__REDIS_STRING || piece->size < VARVE__REDIS_TIME_SIZE)
        return VARVE_OK;
    return varve__redis_list_add(&page->members, member, nothing);
}

static void
restart_members(void *context)
{
    struct page *page = context;
    page->fed = false;
    varve__redis_list_clear(&page->members);
}

/* The place behind a page that ends within the members of one time, which begin at `group`. */
static void
count_off(struct varve__cache_place *place, int64_t time, size_t group, size_t count)
{
    bool goes_on = group == 0 && place->begun && place->bound == time;
    place->offset = (goes_on ? place->offset : 0) + (int64_t)(count - group);
    place->bound = time;
    place->begun = true;
}

/* Sets the page's end, behind the members that have the time of its last, and the place behind it. False:
 * there may be more of them. */
static bool
end_page(struct page *page, size_t least, size_t most)
{
    struct varve__cache_place *place = page->place;
    size_t count = page->members.count, end = least < count ? least : count, group = end;
    int64_t last = end > 0 ? time_of(page, end - 1) : 0;
    while (end < count && time_of(page, end) == last)
        end++;
    page->count = end;
    if (end < count) {
        *place = (struct varve__cache_place){.begun = true, .bound = time_of(page, end)};
        return true;
    }
    place->done = count < page->wanted;
    if (place->done || page->wanted < most)
        return place->done;
    while (group > 0 && time_of(page, group - 1) == last)
        group--;
    count_off(place, last, group, count);
    return true;
}

static enum varve_status
read_members(struct page *page, struct varve__watch *watch, size_t count)
{
    const size_t most = count < GROUP_MAX ? GROUP_MAX : count + 1;
    for (page->wanted = count + 1;;
         page->wanted = 4 * page->wanted < most ? 4 * page->wanted : most) {
        enum varve_status status =
            run_page(page, watch, VARVE__SCRIPT_NONE, feed_members, take_member, restart_members);
        if (status != VARVE_OK || end_page(page, count, most))
            return status;
    }
}

/* -------------------------------------------------------------------- values */

static void
feed_values_at_once(struct page *page, struct varve__redis_connection *connection)
{
    size_t end = page->fed_values + VARVE__REDIS_KEYS_AT_ONCE;
    if (end > page->count)
        end = page->count;
    varve__redis_command(connection, 1 + end - page->fed_values);
    varve__redis_word(connection, "MGET");
    for (; page->fed_values < end; page->fed_values++) {
        struct varve__cache_text key =
            key_of(varve__redis_list_text(&page->members, page->fed_values));
        varve__redis_argument(connection, key.text, key.size);
    }
}

static enum varve_status
feed_values(void *context, struct varve__redis_connection *connection, size_t *replies)
{
    struct page *page = context;
    size_t before = varve__redis_unsent(connection);
    if (page->ttl_ms == VARVE__TTL_KEEP && page->fed_values < page->count) {
        feed_values_at_once(page, connection);
        *replies = 1;
        return VARVE_OK;
    }
    for (; page->fed_values < page->count; page->fed_values++, ++*replies) {
        if (varve__redis_unsent(connection) - before >= VARVE__REDIS_FEED_SIZE)
            return VARVE_OK;
        struct varve__cache_text member = varve__redis_list_text(&page->members, page->fed_values);
        varve__redis_write_get(connection, key_of(member), page->ttl_ms);
    }
    if (page->ttl_ms != VARVE__TTL_KEEP && !page->lengthened) {
        varve__redis_write_lengthening(
            connection, &page->redis->scripts, page->space->index, page->ttl_ms);
        page->lengthened = true;
        ++*replies;
    }
    return VARVE_OK;
}

static enum varve_status
take_value(void *context, const struct varve__redis_piece *piece)
{
    struct page *page = context;
    if (piece->kind == VARVE__REDIS_ARRAY || page->taken_values == page->count)
        return VARVE_OK; /* the head of an MGET; the lengthening */
    const struct varve__cache_text value = {piece->text, piece->size}, nothing = {"", 0};
    struct varve__cache_text member = varve__redis_list_text(&page->members, page->taken_values);
    enum varve_status status = piece->kind == VARVE__REDIS_STRING
                                   ? page->take(page->context, key_of(member), value)
                                   : varve__redis_list_add(&page->gone, member, nothing);
    page->taken_values++;
    return status;
}

static void
restart_values(void *context)
{
    struct page *page = context;
    page->fed_values = page->taken_values;
    page->lengthened = false;
}

static enum varve_status
read_values(struct page *page, struct varve__watch *watch)
{
    if (page->count == 0)
        return VARVE_OK;
    enum varve__redis_script script =
        page->ttl_ms == VARVE__TTL_KEEP ? VARVE__SCRIPT_NONE : VARVE__SCRIPT_LIVE;
    return run_page(page, watch, script, feed_values, take_value, restart_values);
}

/* -------------------------------------------------------------------- a page */

enum varve_status
varve__redis_recent(
    struct varve__cache *cache,
    struct varve__watch *watch,
    const struct varve__space *space,
    int64_t since,
    size_t count,
    int64_t ttl_ms,
    struct varve__cache_place *place,
    varve__cache_take_row *take,
    void *context)
{
    struct varve__cache_place after = *place;
    struct page page = {
        .redis = varve__redis_of(cache),
        .space = space,
        .since = since,
        .ttl_ms = ttl_ms,
        .place = &after,
        .take = take,
        .context = context,
    };
    enum varve_status status = VARVE_OK;
    if (!place->done && count > 0)
        status = read_members(&page, watch, count);
    if (status == VARVE_OK)
        status = read_values(&page, watch);
    if (status == VARVE_OK && page.gone.count > 0)
        status = varve__redis_sweep(page.redis, watch, space, space->index, &page.gone, NULL);
    if (status == VARVE_OK)
        *place = after;
    varve__redis_list_release(&page.members);
    varve__redis_list_release(&page.gone);
    return status;
}
