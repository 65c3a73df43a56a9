/* libFuzzer's target for unknown fields: bytes as the column varve_unknown has them, and bytes that a
 * record brings. The merge is held to one that looks at each field with each; the value of a number to
 * what a message that knows it unpacks; and a row with these bytes is read and written through the
 * API. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <sqlite3.h>

#include "base/error.h"
#include "base/memory.h"
#include "codec/field.h"
#include "codec/json.h"
#include "codec/map.h"
#include "codec/unknown.h"
#include "codec/unknown_value.h"
#include "everything.varve.h"
#include "fuzz.varve.h"

#include "input.h"
#include "wire_pieces.h"

enum {
    SIZE_MOST = 1200, /* of an input; it has fewer fields than PIECES_MAX */
    ARENA_SIZE = 64,
    KNOWN = 3 /* numbers of fuzz.Known's fields: up to that one */
};

/* An input is a byte of choices, a field's number, and the bytes of both runs, so that seeds of
 * wire_peer are inputs. */
enum {
    HEAD_SIZE = 2,
    AS_NULL = 1, /* an empty column is NULL, else empty bytes */
    UPSERT = 2,  /* what brings fields does so by upsert */
    CLEAR = 4,   /* what clears them likewise */
    WORDS = 8,   /* words for a type follow the head */
    ROW = 16,    /* through the store too */
    GIVEN = 32   /* from here on: sevenths of the bytes that are of the record */
};

struct run {
    const uint8_t *bytes;
    size_t size;
    struct pieces pieces;
};

static struct varve_store *store;
static struct varve_session *session;
static sqlite3_stmt *damage; /* puts bytes into the row */
static sqlite3_stmt *stored; /* takes them out */
static sqlite3_stmt *is_valid;

/* -------------------------------------------------------------------- merging */

static bool
is_same(const void *a, size_t a_size, const void *b, size_t b_size)
{
    return a_size == b_size && (a_size == 0 || memcmp(a, b, a_size) == 0);
}

/* The merge by its definition, to memory of the input. */
static struct run
merge_slowly(struct input *input, const struct run *a, const struct run *b)
{
    uint8_t *merged = input_block(input, a->size + b->size + 1);
    size_t size = pieces_copy(&a->pieces, &b->pieces, merged);
    if (b->size > 0)
        memcpy(merged + size, b->bytes, b->size);
    struct run run = {.bytes = merged, .size = size + b->size};
    pieces_read(run.bytes, run.size, &run.pieces);
    return run;
}

static void
require_merged(const struct run *a, const struct run *b, const struct run *expected)
{
    uint8_t *merged;
    size_t size;
    REQUIRE(varve__unknown_merge(a->bytes, a->size, b->bytes, b->size, &merged, &size) == VARVE_OK);
    REQUIRE(merged && is_same(merged, size, expected->bytes, expected->size));
    varve__release(merged);
}

static void
check_merge(struct input *input, const struct run *a, const struct run *b)
{
    static struct run nothing = {.pieces.are_whole = true};
    uint8_t *merged;
    size_t size;
    if (!a->pieces.are_whole || !b->pieces.are_whole) {
        enum varve_status expected = a->pieces.are_whole ? VARVE_INVALID : VARVE_TYPE;
        REQUIRE(
            varve__unknown_merge(a->bytes, a->size, b->bytes, b->size, &merged, &size) == expected);
        REQUIRE(!merged && size == 0 && strstr(varve__thread_error(), "no fields (byte "));
        return;
    }
    struct run both = merge_slowly(input, a, b);
    REQUIRE(both.pieces.are_whole);
    for (size_t i = 0; i < a->pieces.count; i++)
        REQUIRE(pieces_have(&both.pieces, a->pieces.at[i].number));
    require_merged(a, b, &both);
    require_merged(&both, b, &both);
    require_merged(&both, &nothing, &both);
    require_merged(&nothing, &both, &both);
}

/* -------------------------------------------------------------------- values by number */

static void
check_number(struct input *input, const struct run *run, uint32_t number)
{
    static struct pieces one = {.count = 1};
    bool has;
    size_t rest_size;
    uint8_t *rest = input_block(input, run->size + 1);
    uint8_t *expected = input_block(input, run->size + 1);
    enum varve_status status = run->pieces.are_whole ? VARVE_OK : VARVE_INVALID;
    one.at[0].number = number;
    size_t expected_size = pieces_copy(&run->pieces, &one, expected);
    REQUIRE(varve__unknown_has(run->bytes, run->size, number, &has) == status);
    REQUIRE(status != VARVE_OK || has == pieces_have(&run->pieces, number));
    REQUIRE(varve__unknown_without(run->bytes, run->size, number, rest, &rest_size) == status);
    REQUIRE(status != VARVE_OK || is_same(rest, rest_size, expected, expected_size));
}

static void
require_json(const struct varve__unknown_value *value)
{
    sqlite3_bind_text(is_valid, 1, value->data, (int)value->size, SQLITE_STATIC);
    REQUIRE(sqlite3_step(is_valid) == SQLITE_ROW && sqlite3_column_int(is_valid, 0) == 1);
    sqlite3_reset(is_valid);
}

/* Of any type that words say, a value is one that a column may hold. */
static void
check_words(const struct run *run, uint32_t number, const char *words)
{
    struct varve__unknown_type type;
    struct varve__unknown_value value;
    if (!varve__unknown_type_parse(words, &type))
        return;
    struct varve__arena *arena = varve__arena_create(ARENA_SIZE);
    REQUIRE(arena);
    enum varve_status status =
        varve__unknown_find(run->bytes, run->size, number, &type, arena, &value);
    REQUIRE(status == VARVE_OK || status == VARVE_INVALID);
    REQUIRE(run->pieces.are_whole || status == VARVE_INVALID);
    if (status == VARVE_OK) {
        REQUIRE((value.kind != VARVE__UNKNOWN_ABSENT) == pieces_have(&run->pieces, number));
        if (value.kind == VARVE__UNKNOWN_TEXT && (type.repeated || type.map))
            require_json(&value);
    }
    varve__arena_release(arena);
}

/* -------------------------------------------------------------------- the same, unpacked */

/* The JSON text is what a table would hold of the list that was unpacked. Entries of maps may have unknown
 * fields of their own, which none holds. */
static void
require_same_list(
    const struct varve_column *column,
    const struct varve__unknown_value *value,
    const struct fuzz_lists *unpacked,
    struct varve__arena *arena)
{
    const char *text;
    size_t size;
    if (value->kind == VARVE__UNKNOWN_ABSENT) {
        REQUIRE(varve__list_at(unpacked, column->field).count == 0);
        return;
    }
    REQUIRE(value->kind == VARVE__UNKNOWN_TEXT);
    REQUIRE(
        varve__json_encode(&fuzz_lists_record, column, unpacked, arena, &text, &size) == VARVE_OK);
    REQUIRE(is_same(value->data, value->size, text, size));
}

static void
require_same_scalar(
    ProtobufCType type, const struct varve__unknown_value *value, const void *member)
{
    const struct varve_bytes *bytes = member;
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
        REQUIRE(value->kind == VARVE__UNKNOWN_TEXT);
        REQUIRE(is_same(
            value->data, value->size, *(char *const *)member, strlen(*(char *const *)member)));
        break;
    case PROTOBUF_C_TYPE_BYTES:
        REQUIRE(value->kind == VARVE__UNKNOWN_BLOB);
        REQUIRE(is_same(value->data, value->size, bytes->data, bytes->size));
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        REQUIRE(value->kind == VARVE__UNKNOWN_REAL);
        REQUIRE(value->real == (double)*(const float *)member);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        REQUIRE(value->kind == VARVE__UNKNOWN_REAL && value->real == *(const double *)member);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        REQUIRE(value->kind == VARVE__UNKNOWN_BLOB);
        break;
    default:
        REQUIRE(value->kind == VARVE__UNKNOWN_INTEGER);
        REQUIRE(
            varve__element_size(type) == 8 ? value->integer == *(const int64_t *)member
            : type == PROTOBUF_C_TYPE_BOOL ? value->integer == *(const protobuf_c_boolean *)member
            : type == PROTOBUF_C_TYPE_UINT32 || type == PROTOBUF_C_TYPE_FIXED32
                ? value->integer == *(const uint32_t *)member
                : value->integer == *(const int32_t *)member);
    }
}

/* What a message says a field is. */
static struct varve__unknown_type
type_of(const ProtobufCFieldDescriptor *field, const struct varve_column *column)
{
    struct varve__unknown_type type = {.type = field->type};
    type.repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    if (!column || !(column->flags & VARVE_MAP))
        return type;
    const ProtobufCFieldDescriptor *key = varve__entry_key(column->record);
    return (struct varve__unknown_type){.map = true, .key = key[0].type, .type = key[1].type};
}

/* Refused although the message unpacks: there must be a reason in what a column can hold. */
static bool
may_refuse(enum varve_status status)
{
    const char *text = varve__thread_error();
    return status == VARVE_INVALID && (strstr(text, "is NaN") || strstr(text, "2^63 - 1"));
}

/* One field of a message that knows it, by its unknown bytes and by unpacking. */
static void
check_field(const struct run *run, const struct varve_record *table, unsigned choice)
{
    size_t index = choice % table->column_count;
    const struct varve_column *column = &table->columns[index];
    struct varve__unknown_type type = type_of(column->field, column);
    struct varve__unknown_value value;
    void *record;
    if (varve_record_unpack(table, run->bytes, run->size, &record) != VARVE_OK)
        return;
    struct varve__arena *arena = varve__arena_create(ARENA_SIZE);
    REQUIRE(arena);
    enum varve_status status =
        varve__unknown_find(run->bytes, run->size, column->field->id, &type, arena, &value);
    REQUIRE(status == VARVE_OK || may_refuse(status));
    if (status == VARVE_OK && column->kind == VARVE_COLUMN_JSON)
        require_same_list(column, &value, record, arena);
    else if (status == VARVE_OK && value.kind != VARVE__UNKNOWN_ABSENT)
        require_same_scalar(type.type, &value, varve__member(record, column->field->offset));
    varve__arena_release(arena);
    varve_record_free(record);
}

/* A tensor's elements as memory has them. */
static void
check_tensor(const struct run *run, unsigned choice)
{
    const ProtobufCMessageDescriptor *message = wiretest_packed_record.descriptor;
    const ProtobufCFieldDescriptor *field = &message->fields[choice % 12]; /* numbers */
    struct varve__unknown_type type = {.type = field->type, .tensor = true};
    struct varve__unknown_value value;
    struct wiretest_packed *record;
    if (wiretest_packed_unpack(run->bytes, run->size, &record) != VARVE_OK)
        return;
    struct varve__list list = varve__list_at(record, field);
    struct varve__arena *arena = varve__arena_create(ARENA_SIZE);
    REQUIRE(arena);
    REQUIRE(
        varve__unknown_find(run->bytes, run->size, field->id, &type, arena, &value) == VARVE_OK);
    if (value.kind == VARVE__UNKNOWN_ABSENT)
        REQUIRE(list.count == 0);
    else
        REQUIRE(is_same(
            value.data, value.size, list.data, list.count * varve__element_size(field->type)));
    varve__arena_release(arena);
    wiretest_packed_free(record);
}

/* -------------------------------------------------------------------- the store */

static void
put_unknown(const struct run *run, bool as_null)
{
    if (as_null && run->size == 0)
        sqlite3_bind_null(damage, 1);
    else if (run->size == 0)
        sqlite3_bind_zeroblob(damage, 1, 0);
    else
        sqlite3_bind_blob(damage, 1, run->bytes, (int)run->size, SQLITE_STATIC);
    REQUIRE(sqlite3_step(damage) == SQLITE_DONE);
    sqlite3_reset(damage);
}

static void
require_stored(const void *bytes, size_t size)
{
    REQUIRE(sqlite3_step(stored) == SQLITE_ROW);
    const void *data = sqlite3_column_blob(stored, 0);
    REQUIRE(is_same(data, (size_t)sqlite3_column_bytes(stored, 0), bytes, size));
    sqlite3_reset(stored);
}

/* A find leaves them out, whatever they are. */
static void
check_find(void)
{
    struct varve_cursor *cursor;
    const struct fuzz_known *row;
    REQUIRE(fuzz_known_find(session, NULL, &cursor) == VARVE_OK);
    REQUIRE(fuzz_known_next(cursor, &row) == VARVE_ROW && row->id == 1);
    REQUIRE(row->base.n_unknown_fields == 0);
    REQUIRE(fuzz_known_next(cursor, &row) == VARVE_DONE);
    varve_cursor_close(cursor);
}

static void
check_get(struct input *input, const struct run *run)
{
    struct fuzz_known *unpacked;
    struct fuzz_known *record;
    enum varve_status expected = fuzz_known_unpack(run->bytes, run->size, &unpacked);
    REQUIRE(fuzz_known_get(session, 1, &record) == (expected == VARVE_OK ? VARVE_OK : VARVE_TYPE));
    REQUIRE((expected == VARVE_OK) == (record != NULL));
    REQUIRE(expected != VARVE_OK || run->pieces.are_whole);
    if (record) {
        struct varve_bytes packed;
        uint8_t *above = input_block(input, run->size + 1);
        size_t size = pieces_pack_above(&run->pieces, KNOWN, above);
        record->id = 0;
        record->name = "";
        REQUIRE(fuzz_known_pack(record, &packed) == VARVE_OK);
        REQUIRE(is_same(packed.data, packed.size, above, size));
        varve_bytes_free(&packed);
    }
    fuzz_known_free(unpacked);
    fuzz_known_free(record);
}

/* Writes a record that brings unknown fields: they are merged, or the row's are refused. */
static void
check_given(struct input *input, const struct run *a, const struct run *b, bool upserts)
{
    struct fuzz_known *given;
    struct run above = {.bytes = input_block(input, b->size + 1)};
    if (fuzz_known_unpack(b->bytes, b->size, &given) != VARVE_OK)
        return;
    above.size = pieces_pack_above(&b->pieces, KNOWN, (uint8_t *)(uintptr_t)above.bytes);
    pieces_read(above.bytes, above.size, &above.pieces);
    given->id = 1;
    bool fails = above.size > 0 && !a->pieces.are_whole;
    struct run both = fails || above.size == 0 ? *a : merge_slowly(input, a, &above);
    for (int i = 0; i < 2; i++) { /* the second time nothing changes */
        enum varve_status status =
            upserts ? fuzz_known_upsert(session, given) : fuzz_known_update(session, given);
        REQUIRE(status == (fails ? VARVE_TYPE : VARVE_OK));
        REQUIRE(!fails || strstr(varve_session_error(session), "varve_unknown"));
        require_stored(both.bytes, both.size);
    }
    fuzz_known_free(given);
}

static void
check_row(struct input *input, const struct run *a, const struct run *b, unsigned choice)
{
    struct fuzz_known fresh = FUZZ_KNOWN_INIT;
    fresh.id = 1;
    REQUIRE(varve_begin(session) == VARVE_OK);
    put_unknown(a, choice & AS_NULL);
    check_get(input, a);
    check_find();
    REQUIRE(fuzz_known_update(session, &fresh) == VARVE_OK);
    require_stored(a->bytes, a->size);
    check_given(input, a, b, choice & UPSERT);
    fuzz_known_clear_unknown(&fresh);
    if (choice & CLEAR)
        REQUIRE(fuzz_known_upsert(session, &fresh) == VARVE_OK);
    else
        REQUIRE(fuzz_known_update(session, &fresh) == VARVE_OK);
    require_stored(NULL, 0);
    REQUIRE(varve_rollback(session) == VARVE_OK);
}

/* -------------------------------------------------------------------- the target */

static sqlite3_stmt *
prepare(const char *sql)
{
    sqlite3_stmt *statement;
    REQUIRE(
        sqlite3_prepare_v2(varve_session_sqlite(session), sql, -1, &statement, NULL) == SQLITE_OK);
    return statement;
}

static void
close_store(void)
{
    sqlite3_finalize(damage);
    sqlite3_finalize(stored);
    sqlite3_finalize(is_valid);
    varve_session_close(session);
    varve_close(store);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv);
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const struct varve_config config = {.data_dir = ":memory:"};
    struct fuzz_known known = FUZZ_KNOWN_INIT;
    (void)argc;
    (void)argv;
    REQUIRE(varve_open(&fuzz_schema, &config, &store, NULL) == VARVE_OK);
    REQUIRE(varve_session_open(store, &session) == VARVE_OK);
    REQUIRE(fuzz_known_insert(session, &known) == VARVE_OK && known.id == 1);
    damage = prepare("UPDATE known SET varve_unknown = ?1 WHERE id = 1");
    stored = prepare("SELECT varve_unknown FROM known WHERE id = 1");
    is_valid = prepare("SELECT json_valid(?1)");
    atexit(close_store);
    return 0;
}

static struct run
take_run(struct input *input, size_t size)
{
    size_t left = (size_t)(input->end - input->at);
    struct run run = {.size = size < left ? size : left};
    uint8_t *bytes = input_block(input, run.size);
    if (run.size > 0)
        input_take(input, bytes, run.size);
    run.bytes = bytes;
    pieces_read(run.bytes, run.size, &run.pieces);
    return run;
}

/* What a field is, in words: of the grammar of schema.lock, or bytes as they come. */
static void
take_words(struct input *input, char *words, size_t size)
{
    static const char *const labels[] = {"",     "optional ", "oneof x ", "repeated ",
                                         "map ", "tensor ",   "map ",     "repeated map "};
    static const char *const types[] = {"int32",    "sint32",  "sfixed32", "int64",  "sint64",
                                        "sfixed64", "uint32",  "fixed32",  "uint64", "fixed64",
                                        "float",    "double",  "bool",     "enum",   "string",
                                        "bytes",    "message", "lab.X"};
    const unsigned type_count = sizeof types / sizeof *types;
    unsigned label = input_byte(input);
    if (label >= 0x80) {
        input_take(input, words, size - 1);
        return;
    }
    const char *first = types[input_byte(input) % type_count];
    const char *second = label & 0x40 ? types[input_byte(input) % type_count] : "";
    snprintf(words, size, "%s%s%s%s", labels[label % 8], first, *second ? " " : "", second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {.at = data, .end = data + size};
    char words[48] = "";
    if (size < HEAD_SIZE || size > SIZE_MOST)
        return -1; /* not for the corpus */
    unsigned choice = input_byte(&input);
    uint32_t number = input_byte(&input);
    if (choice & WORDS)
        take_words(&input, words, sizeof words);
    size_t left = (size_t)(input.end - input.at);
    struct run a = take_run(&input, left - left * (choice / GIVEN) / 7);
    struct run b = take_run(&input, left);
    check_merge(&input, &a, &b);
    check_number(&input, &a, number);
    check_words(&a, number, words);
    check_field(&a, &fuzz_lists_record, number);
    check_field(&a, &wiretest_implicit_record, number);
    check_tensor(&a, number);
    if (choice & ROW)
        check_row(&input, &a, &b, choice);
    input_release(&input);
    return 0;
}
