"""Rules of (varve.cache): key templates that say one thing only, and modes that a tier can keep."""

from varve_codegen import keys, spaces
from varve_codegen.check.context import INTEGERS, is_scalar_column

_KEY_TYPES = tuple(INTEGERS) + ("string", "bool", "enum")
_FIXED_BYTES = 200  # of a template, so that there is room for values in VARVE_KEY_SIZE
_TTL_SECONDS = 3155760000  # a hundred years: what is longer meets the end of the clock


def check(context):
    templates = []
    for message in context.messages():
        if message.cache is not None:
            parts = _check_key(context, message)
            if parts is not None:
                _check_meets(context, message, parts, templates)
                templates.append((message, parts))
            _check_options(context, message, parts)
    if not context.errors:
        _check_spaces(context)


def _refuse(context, message, member, text):
    context.option_error(message.at, "cache", member, text)


def _check_key(context, message):
    """The parsed template, None where it cannot be parsed."""
    template = message.cache.key
    try:
        parts = keys.parse(template)
    except keys.KeyTemplateError as problem:
        _refuse(context, message, "key", str(problem))
        return None
    if keys.fixed_size(parts) > _FIXED_BYTES:
        _refuse(context, message, "key", f'the fixed text of the key "{template}" is {keys.fixed_size(parts)} bytes '
                                         f"long with its colons, and {_FIXED_BYTES} are allowed; shorten it")
    names = keys.fields(parts)
    if not names:
        _refuse(context, message, "key", f'the key "{template}" names no field, so all records would share it; add '
                                         "one, such as {id}")
    for name in sorted(set(names), key=names.index):
        problem = _key_field_problem(message, name)
        if not problem and names.count(name) > 1:
            problem = f"names {name} twice; remove one"
        if problem:
            _refuse(context, message, "key", f'the key "{template}" {problem}')
    return parts


def _key_field_problem(message, name):
    field = message.field_named(name)
    if field is None:
        return f'names "{name}", and {message.name} has no such field; correct the name'
    if not is_scalar_column(field) or field.type not in _KEY_TYPES:
        return f"names {name}, which is {_kind(field)}; use strings, integers, bools and enums"
    if field.label == "optional" or field.oneof:
        return f"names {name}, which can be absent; use a field that is always there"
    if field.column.version:
        return f"names {name}, which is the version: every update changes it; use a field that stays"
    return ""


def _kind(field):
    if field.tensor:
        return "a tensor"
    if field.is_map:
        return "a map"
    if field.type == "message":
        return "repeated messages" if field.is_repeated else "a message"
    return f"repeated {field.type}" if field.is_repeated else f"of the type {field.type}"


def _check_meets(context, message, parts, templates):
    for other, other_parts in templates:
        if other.package == message.package and keys.can_meet(parts, other_parts):
            _refuse(
                context,
                message,
                "key",
                f'the key "{message.cache.key}" can meet the keys "{other.cache.key}" of {other.name} '
                f"({context.errors.where(other.at)}); begin each with a text of its own",
            )


def _check_spaces(context):
    """No two messages of a package have the same number before their keys. It is a hash of 32 bits."""
    taken = {}
    for message in context.messages():
        if message.cache is None:
            continue
        beginning = spaces.beginning(message)
        other = taken.setdefault(beginning, message)
        if other is not message:
            _refuse(context, message, "key", f'the keys "{message.cache.key}" and "{other.cache.key}" of {other.name} '
                                             f"({context.errors.where(other.at)}) have the same hash, {beginning}; "
                                             "rename one part")


def _check_options(context, message, parts):
    cache = message.cache
    if cache.ttl_seconds > _TTL_SECONDS:
        _refuse(context, message, "ttl_seconds", f"ttl_seconds is {cache.ttl_seconds}, and at most {_TTL_SECONDS} are "
                                                 "allowed, which is a hundred years; use 0 to keep values until they "
                                                 "are deleted or evicted")
    if cache.mode == "READ_THROUGH" and message.table is None:
        _refuse(context, message, "mode", f"READ_THROUGH copies table records, and {message.name} has no table; add "
                                          "option (varve.table) = {}, or use mode: ONLY")
    if message.table is not None and cache.mode != "ONLY" and parts is not None:
        names = set(keys.fields(parts))
        primary = {f.name for f in message.primary_key}
        holds_key = primary and primary <= names
        if not holds_key and not any(f.column.unique and f.name in names for f in message.fields):
            _refuse(context, message, "key", f'the key "{cache.key}" of a hot copy must hold the primary key or a '
                                             "unique field, else two records share it; add it, or use mode: ONLY")
    if cache.index_by:
        field = message.field_named(cache.index_by)
        if field is None:
            _refuse(context, message, "index_by", f'index_by names "{cache.index_by}", and {message.name} has no '
                                                  "such field; correct the name")
        elif field.column.time != "UNIX_NANOSECONDS" or not is_scalar_column(field):
            _refuse(context, message, "index_by", f"index_by names {field.name}, which is no time; add "
                                                  "(varve.column).time = UNIX_NANOSECONDS to an int64 field, or "
                                                  "name another")
        elif field.label == "optional" or field.oneof:
            _refuse(context, message, "index_by", f"index_by names {field.name}, which can be absent; use a field that "
                                                  "is always there")
    if cache.hash_tag and parts is not None and cache.hash_tag not in keys.fields(parts):
        _refuse(context, message, "hash_tag", f'hash_tag names "{cache.hash_tag}", which is no field of the key '
                                              f'"{cache.key}"; use one of its fields')
