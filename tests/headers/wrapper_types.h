/* The types of every wrapper of the tables and the cache in shapes.proto, for C and C++: WRAPPER_IS(name, result,
 * parameters) is defined by the includer and says that the function is of this type, CONDITION_IS(message,
 * field, family) that a filter has a condition of this family. */

#define STATUS_OF(name, ...) WRAPPER_IS(name, enum varve_status, __VA_ARGS__)

/* The wrappers whose types follow from the message's name alone. */
#define WRAPPERS_OF(message)                                                                       \
    STATUS_OF(message##_insert, struct varve_session *, struct message *);                         \
    STATUS_OF(message##_insert_many, struct varve_session *, struct message *, int64_t);           \
    WRAPPER_IS(message##_free_many, void, struct message **);                                      \
    STATUS_OF(message##_update, struct varve_session *, struct message *);                         \
    STATUS_OF(                                                                                     \
        message##_update_fields, struct varve_session *, struct message *,                         \
        const enum message##_field *, int64_t);                                                    \
    STATUS_OF(message##_upsert, struct varve_session *, struct message *);                         \
    STATUS_OF(                                                                                     \
        message##_upsert_by, struct varve_session *, struct message *, enum message##_field);      \
    STATUS_OF(                                                                                     \
        message##_find, struct varve_session *, const struct message##_filter *,                   \
        struct varve_cursor **);                                                                   \
    STATUS_OF(message##_next, struct varve_cursor *, const struct message **);                     \
    STATUS_OF(                                                                                     \
        message##_count, struct varve_session *, const struct message##_filter *, int64_t *);      \
    STATUS_OF(                                                                                     \
        message##_find_one, struct varve_session *, const struct message##_filter *,               \
        struct message **);                                                                        \
    STATUS_OF(message##_delete_where, struct varve_session *, const struct message##_filter *)

WRAPPERS_OF(shapes_families);
WRAPPERS_OF(shapes_named);
WRAPPERS_OF(shapes_keyed);
WRAPPERS_OF(shapes_coloured);
WRAPPERS_OF(shapes_tensors);

/* Those that take the key. */
STATUS_OF(shapes_families_get, struct varve_session *, int64_t, struct shapes_families **);
STATUS_OF(shapes_families_delete, struct varve_session *, int64_t);
STATUS_OF(
    shapes_families_get_many,
    struct varve_session *,
    const int64_t *,
    int64_t,
    struct shapes_families ***);
STATUS_OF(shapes_named_get, struct varve_session *, const char *, struct shapes_named **);
STATUS_OF(shapes_named_delete, struct varve_session *, const char *);
STATUS_OF(
    shapes_named_get_many,
    struct varve_session *,
    const char *const *,
    int64_t,
    struct shapes_named ***);
STATUS_OF(
    shapes_keyed_get,
    struct varve_session *,
    const char *,
    enum shapes_colour,
    uint64_t,
    struct shapes_keyed **);
STATUS_OF(shapes_keyed_delete, struct varve_session *, const char *, enum shapes_colour, uint64_t);
STATUS_OF(
    shapes_keyed_get_many,
    struct varve_session *,
    const struct shapes_keyed *,
    int64_t,
    struct shapes_keyed ***);
STATUS_OF(
    shapes_coloured_get, struct varve_session *, enum shapes_colour, struct shapes_coloured **);
STATUS_OF(shapes_coloured_delete, struct varve_session *, enum shapes_colour);
STATUS_OF(
    shapes_coloured_get_many,
    struct varve_session *,
    const enum shapes_colour *,
    int64_t,
    struct shapes_coloured ***);

/* Those that take a unique field. */
STATUS_OF(shapes_families_get_by_f64, struct varve_session *, uint64_t, struct shapes_families **);
STATUS_OF(
    shapes_families_get_by_blob,
    struct varve_session *,
    struct varve_bytes,
    struct shapes_families **);
STATUS_OF(
    shapes_families_get_by_colour,
    struct varve_session *,
    enum shapes_colour,
    struct shapes_families **);
STATUS_OF(
    shapes_families_get_by_label, struct varve_session *, const char *, struct shapes_families **);
STATUS_OF(shapes_named_get_by_name, struct varve_session *, const char *, struct shapes_named **);
STATUS_OF(shapes_keyed_get_by_hash, struct varve_session *, uint64_t, struct shapes_keyed **);

/* Those of a tensor, by its elements. */
#define TENSOR_WRAPPERS_OF(message, field, element)                                                \
    STATUS_OF(                                                                                     \
        message##_read_##field, struct varve_session *, int64_t, const struct varve_range *,       \
        element *, size_t);                                                                        \
    STATUS_OF(                                                                                     \
        message##_write_##field##_begin, struct varve_session *, int64_t, const int64_t *,         \
        struct varve_tensor_writer **);                                                            \
    STATUS_OF(                                                                                     \
        message##_write_##field##_rows, struct varve_tensor_writer *, const element *, int64_t);   \
    STATUS_OF(message##_write_##field##_finish, struct varve_tensor_writer *);                     \
    WRAPPER_IS(message##_write_##field##_cancel, void, struct varve_tensor_writer *)

TENSOR_WRAPPERS_OF(shapes_tensors, floats, float);
TENSOR_WRAPPERS_OF(shapes_tensors, doubles, double);
TENSOR_WRAPPERS_OF(shapes_tensors, int32s, int32_t);
TENSOR_WRAPPERS_OF(shapes_tensors, fixed64s, uint64_t);
TENSOR_WRAPPERS_OF(shapes_tensors, int8s, int8_t);
TENSOR_WRAPPERS_OF(shapes_tensors, uint8s, uint8_t);
TENSOR_WRAPPERS_OF(shapes_tensors, int16s, int16_t);
TENSOR_WRAPPERS_OF(shapes_tensors, uint16s, uint16_t);
TENSOR_WRAPPERS_OF(shapes_tensors, float16s, uint16_t);

/* Members of filters. */
CONDITION_IS(shapes_families, id, int64);
CONDITION_IS(shapes_families, d, double);
CONDITION_IS(shapes_families, f, float);
CONDITION_IS(shapes_families, i32, int64);
CONDITION_IS(shapes_families, i64, int64);
CONDITION_IS(shapes_families, u32, int64);
CONDITION_IS(shapes_families, u64, int64);
CONDITION_IS(shapes_families, s32, int64);
CONDITION_IS(shapes_families, s64, int64);
CONDITION_IS(shapes_families, f32, int64);
CONDITION_IS(shapes_families, f64, fixed64);
CONDITION_IS(shapes_families, sf32, int64);
CONDITION_IS(shapes_families, sf64, int64);
CONDITION_IS(shapes_families, flag, bool);
CONDITION_IS(shapes_families, text, text);
CONDITION_IS(shapes_families, blob, bytes);
CONDITION_IS(shapes_families, colour, enum);
CONDITION_IS(shapes_families, label, text);
CONDITION_IS(shapes_families, leaf, null);
CONDITION_IS(shapes_families, number, int64);
CONDITION_IS(shapes_families, word, text);
CONDITION_IS(shapes_families, part, null);
CONDITION_IS(shapes_families, numbers, null);
CONDITION_IS(shapes_families, leaves, null);
CONDITION_IS(shapes_families, counts, null);
CONDITION_IS(shapes_tensors, rows, int64);

/* Those of the cache, of which each has a twin that takes options. */
#define CACHE_WRAPPER_OF(name, ...)                                                                \
    STATUS_OF(name, struct varve_session *, __VA_ARGS__);                                          \
    STATUS_OF(name##_with, struct varve_session *, __VA_ARGS__, const struct varve_cache_options *)
#define CACHE_WRAPPERS_OF(message)                                                                 \
    CACHE_WRAPPER_OF(message##_cache_put, const struct message *);                                 \
    CACHE_WRAPPER_OF(message##_cache_put_many, const struct message *, int64_t);                   \
    CACHE_WRAPPER_OF(message##_cache_get, const struct message *, struct message **);              \
    CACHE_WRAPPER_OF(                                                                              \
        message##_cache_get_many, const struct message *, int64_t, struct message ***);            \
    WRAPPER_IS(message##_free_many, void, struct message **);                                      \
    CACHE_WRAPPER_OF(message##_cache_touch, const struct message *);                               \
    CACHE_WRAPPER_OF(message##_cache_delete, const struct message *);                              \
    STATUS_OF(message##_key, const struct message *, char *, size_t);                              \
    STATUS_OF(message##_key_parse, const char *, struct message **)
#define ORDERED_WRAPPERS_OF(message)                                                               \
    CACHE_WRAPPER_OF(message##_cache_recent, int64_t, int64_t, struct varve_cursor **);            \
    STATUS_OF(message##_next, struct varve_cursor *, const struct message **)

CACHE_WRAPPERS_OF(shapes_hot);
CACHE_WRAPPERS_OF(shapes_cold);
CACHE_WRAPPERS_OF(shapes_copied);
CACHE_WRAPPERS_OF(shapes_draft);
ORDERED_WRAPPERS_OF(shapes_hot);
ORDERED_WRAPPERS_OF(shapes_copied);
WRAPPERS_OF(shapes_copied);
