#include "query_support.h"

#include <stdlib.h>
#include <string.h>

void
asked_open_with(struct asked *asked, struct varve_config config)
{
    struct varve_error error;
    varve_session_close(asked->session);
    varve_close(asked->store);
    if (varve_open(&ask_schema, &config, &asked->store, &error) != VARVE_OK)
        fail_msg("%s", error.message);
    assert_int_equal(varve_session_open(asked->store, &asked->session), VARVE_OK);
}

int
asked_set_up(void **state)
{
    struct asked *asked = calloc(1, sizeof *asked);
    asked_open_with(asked, (struct varve_config){.data_dir = ":memory:"});
    *state = asked;
    return 0;
}

int
asked_tear_down(void **state)
{
    struct asked *asked = *state;
    varve_session_close(asked->session);
    varve_close(asked->store);
    free(asked);
    return 0;
}

void
expect_ok(struct varve_session *session, enum varve_status status)
{
    if (status != VARVE_OK)
        fail_msg("%s: %s", varve_status_name(status), varve_session_error(session));
}

void
expect_error(struct varve_session *session, const char *part)
{
    if (!strstr(varve_session_error(session), part))
        fail_msg("\"%s\" does not say \"%s\"", varve_session_error(session), part);
}

int64_t
add_box(struct varve_session *session, const char *label, double weight)
{
    struct ask_box box = ASK_BOX_INIT;
    box.label = label;
    box.weight = weight;
    expect_ok(session, ask_box_insert(session, &box));
    return box.id;
}

int64_t
add_item(struct varve_session *session, int64_t box, const char *text)
{
    struct ask_item item = ASK_ITEM_INIT;
    item.box_id = box;
    item.text = text;
    expect_ok(session, ask_item_insert(session, &item));
    return item.id;
}

int64_t
count_boxes(struct varve_session *session)
{
    int64_t count = -1;
    expect_ok(session, ask_box_count(session, NULL, &count));
    return count;
}
