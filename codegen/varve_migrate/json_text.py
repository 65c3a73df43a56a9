"""JSON text as the runtime writes it: the columns of repeated scalars and of maps of scalars, and the copies
beside nested messages (runtime/codec/json.h and json_copy.h say it in full)."""

import base64
import json
import math
import struct

from varve_migrate import wire

_QUOTED = ("int64", "sint64", "sfixed64", "uint64", "fixed64")
_FLOATS = ("float", "double")


# -------------------------------------------------------------------- single values


def value(kind, given):
    """The text of a value of proto's type `kind`."""
    if kind == "string":
        return json.dumps(given, ensure_ascii=False)
    if kind == "bytes":
        return f'"{base64.b64encode(given).decode()}"'
    if kind == "bool":
        return "true" if given else "false"
    if kind in _FLOATS:
        return _real(kind, given)
    return f'"{given}"' if kind in _QUOTED else str(given)


def key(kind, given):
    text = value(kind, given)
    return text if text.startswith('"') else f'"{text}"'


def _real(kind, given):
    if math.isnan(given):
        return '"NaN"'
    if math.isinf(given):
        return "9e999" if given > 0 else "-9e999"
    text = _digits(kind, given)
    return text if "." in text or "e" in text else text + ".0"


def _digits(kind, given):
    """The shortest of the precisions that read back as the same number."""
    least, most, limit = (6, 9, 1e6) if kind == "float" else (15, 17, 1e15)
    if abs(given) < limit and given == int(given):
        return f"{'-' if math.copysign(1, given) < 0 else ''}{abs(int(given))}"
    texts = (f"{given:.{precision}g}" for precision in range(least, most + 1))
    return next((text for text in texts if _as_float(kind, float(text)) == given), f"{given:.{most}g}")


def _as_float(kind, given):
    if kind == "double":
        return given
    try:
        return struct.unpack("f", struct.pack("f", given))[0]
    except OverflowError:
        return math.inf


def array(kind, values):
    return "[" + ",".join(value(kind, element) for element in values) + "]"


def entries(key_kind, kind, pairs):
    """A map's text; of repeated keys the last stays, at its place."""
    return "{" + ",".join(f"{key(key_kind, k)}:{value(kind, v)}" for k, v in last(pairs)) + "}"


def last(pairs):
    """The pairs without those whose key comes again."""
    place = {k: i for i, (k, _) in enumerate(pairs)}
    return [pair for i, pair in enumerate(pairs) if place[pair[0]] == i]


# -------------------------------------------------------------------- columns, read


def read(field, text):
    """The list or the dict of typed values that a JSON column of the field holds."""
    content = json.loads(text)
    if field.label == "map":
        return {_from_key(field.key, k): _from_json(field.type, v) for k, v in content.items()}
    return [_from_json(field.type, element) for element in content]


def _from_json(kind, given):
    if kind == "bool":
        return int(given)
    if kind == "string":
        return given
    return _as_float(kind, float(given)) if kind in _FLOATS else int(given)


def _from_key(kind, text):
    if kind == "bool":
        return int(text == "true")
    return text if kind == "string" else int(text)


def parsed(text):
    """The meaning of any JSON text, for comparing: numbers with a point or an exponent are floats."""
    return None if text is None else json.loads(text)


# -------------------------------------------------------------------- copies


def copy(state, field, data):
    """The copy of a column of messages; None for None. The bytes are the column's: tagged fields."""
    if data is None:
        return None
    return _of_field(state, field, [(kind, content) for n, kind, content, _ in wire.fields(data) if n == field.number])


def _of_message(state, message, data):
    found = {}
    for number, kind, content, _ in wire.fields(data):
        found.setdefault(number, []).append((kind, content))
    chosen = _chosen(message, data)
    parts = []
    for field in message.fields:
        given = found.get(field.number, [])
        absent = not given and (field.label in ("optional", "oneof"))
        if absent or field.oneof and chosen.get(field.oneof) != field.number:
            continue
        parts.append(f"{json.dumps(field.name)}:{_of_field(state, field, given)}")
    return "{" + ",".join(parts) + "}"


def _chosen(message, data):
    """Which member of each oneof comes last."""
    oneofs = {f.number: f.oneof for f in message.fields if f.oneof}
    return {oneofs[number]: number for number, *_ in wire.fields(data) if number in oneofs}


def _of_field(state, field, given):
    """`given` are (wire type, value) of the field's occurrences."""
    if field.label == "map":
        texts = (_entry(state, field, content) for _, content in given)
        return "{" + ",".join(f"{k}:{v}" for k, v in last(list(texts))) + "}"
    if field.label == "repeated":
        if field.type == "message":
            target = state.messages[field.target]
            return "[" + ",".join(_of_message(state, target, content) for _, content in given) + "]"
        return array(field.type, [v for kind, content in given for v in wire.scalars(field.type, kind, content)])
    if field.type == "message":  # several are merged
        return _of_message(state, state.messages[field.target], b"".join(content for _, content in given))
    return value(field.type, wire.scalar(field.type, *given[-1]) if given else zero(field.type))


def _entry(state, field, data):
    """(text of the key, text of the value)"""
    found = {}
    for number, kind, content, _ in wire.fields(data):
        found.setdefault(number, []).append((kind, content))
    name = wire.scalar(field.key, *found[1][-1]) if 1 in found else zero(field.key)
    if field.type == "message":
        content = b"".join(content for _, content in found.get(2, []))
        return key(field.key, name), _of_message(state, state.messages[field.target], content)
    return key(field.key, name), value(field.type, wire.scalar(field.type, *found[2][-1]) if 2 in found
                                       else zero(field.type))


def zero(kind):
    """Proto's zero."""
    if kind == "string":
        return ""
    if kind in ("bytes", "message"):
        return b""
    return 0.0 if kind in _FLOATS else 0
