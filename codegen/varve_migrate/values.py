"""What a table holds, by primary key and field number: {key: {number: value}}. A value is what the column
holds, where that is JSON text its meaning (a list or a dict), of a tensor its row in the catalog (dims, bytes,
dataset, place, hash), None where it is absent; number 0 is the blob of unknown fields."""

from varve_codegen import ddl
from varve_migrate import json_text

UNKNOWN = 0
TENSOR = '"dims", "bytes", "dataset", "place", "hash"'  # what a tensor is, of its row


def key_of(message, row):
    return tuple(row[field.number] for field in message.primary_key)


def read(connection, message):
    columns = message.columns
    names = ", ".join(ddl.quote(f.name) for f in columns)
    found = {}
    for *given, unknown in connection.execute(f"SELECT {names}, {ddl.UNKNOWN} FROM {ddl.quote(message.table)}"):
        row = {f.number: _meaning(f, value) for f, value in zip(columns, given)}
        row.update((f.number, None) for f in message.tensors)
        row[UNKNOWN] = unknown
        found[key_of(message, row)] = row
    if message.tensors:
        _read_staged(connection, message, found)
    return found


def _meaning(field, value):
    return json_text.read(field, value) if field.is_json and value is not None else value


def _read_staged(connection, message, found):
    """Rows of fields that are none are kept too, by number: a migration should have removed them."""
    sql = f'SELECT "record", "field", {TENSOR} FROM {ddl.quote(ddl.staged_name(message))}'
    for record, number, *tensor in connection.execute(sql):
        found[(record,)][number] = tuple(tensor)


def staged(dims, data):
    """A tensor that a migration made: its bytes are in the row."""
    return dims, data, 0, 0, None


def read_copies(connection, message):
    """The JSON copies, {key: {number: text}}."""
    fields = [f for f in message.columns if f.json]
    if not fields:
        return {}
    keys = [ddl.quote(f.name) for f in message.primary_key]
    names = ", ".join(keys + [ddl.quote(f.name + "_json") for f in fields])
    rows = connection.execute(f"SELECT {names} FROM {ddl.quote(message.table)}")
    return {row[:len(keys)]: {f.number: text for f, text in zip(fields, row[len(keys):])} for row in rows}


def type_words(field):
    """The field's type as varve_unknown_value() takes it."""
    if field.label == "map":
        return f"map {field.key} {field.type}"
    return f"repeated {field.type}" if field.label == "repeated" else field.type


# -------------------------------------------------------------------- from one version to the next


def zero(field):
    """What a field is that nobody wrote, where it cannot be absent."""
    if field.is_json:
        return {} if field.label == "map" else []
    return 1 if field.version else json_text.zero(field.type)


def convert(value, old, new):
    """The value of a field after a change of its type and presence: what is documented."""
    if old is new or new.tensor is not None or old == new:
        return value
    if value is None:
        return None if new.is_nullable else zero(new)
    if old.type == new.type:
        return value
    if isinstance(value, list):
        return [_of_type(v, new.type) for v in value]
    if isinstance(value, dict):
        return {k: _of_type(v, new.type) for k, v in value.items()}
    return _of_type(value, new.type)


def _of_type(value, kind):
    if kind in ("double", "float"):
        return float(value)
    return value.encode("utf-8") if kind == "bytes" and isinstance(value, str) else value


def canonical(value):
    """For comparing: 1 is not 1.0, and 0.0 is not -0.0."""
    if isinstance(value, float):
        return ("real", value.hex())
    if isinstance(value, (list, tuple)):
        return [canonical(v) for v in value]
    if isinstance(value, dict):
        return {k: canonical(v) for k, v in value.items()}
    return value


def shown(value):
    """For sentences: not too long."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:60]}.. ({len(text)} characters)"
