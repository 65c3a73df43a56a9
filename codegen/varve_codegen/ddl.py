"""The SQL that makes a message's table, from the model alone."""

import struct
import zlib

_REAL = ("float", "double")


def quote(name):
    return '"' + name.replace('"', '""') + '"'


def in_order(schema, messages):
    """The messages that have tables: as given, but those referred to before those that refer, where
    references make no circle."""
    tables = {m.full_name: m for m in messages if m.table is not None}
    ordered, seen = {}, set()
    pending = list(reversed(tables))
    while pending:
        name = pending[-1]
        if name in seen:
            ordered.setdefault(name, tables[name])
            pending.pop()
            continue
        seen.add(name)
        targets = [target.full_name for _, target in schema.referred_tables(tables[name])]
        pending += [n for n in reversed(targets) if n in tables and n not in seen]
    return list(ordered.values())


def statements(schema, message):
    """CREATE TABLE and its indexes, each without the closing semicolon."""
    lines = [_column(schema, message, field) for field in message.fields if field.tensor is None]
    lines += [f"{quote(f.name + '_json')} TEXT" for f in message.fields if f.column.json]
    lines.append('"varve_unknown" BLOB')
    if len(message.primary_key) > 1:
        keys = ", ".join(quote(f.name) for f in message.primary_key)
        lines.append(f"PRIMARY KEY ({keys})")
    body = ",\n".join("  " + line for line in lines)
    return [f"CREATE TABLE {quote(message.table_name)} (\n{body}\n) STRICT"] + _indexes(message)


def _column(schema, message, field):
    parts = [quote(field.name), column_type(schema, field)]
    if field.column.primary_key and len(message.primary_key) == 1:
        parts.append("PRIMARY KEY AUTOINCREMENT" if message.has_generated_key else "PRIMARY KEY NOT NULL")
    elif not is_nullable(field):
        parts.append("NOT NULL")
    name = quote(field.name)
    if field.column.min:
        parts.append(f"CHECK ({name} >= {_bound(field, field.column.min)})")
    if field.column.max:
        parts.append(f"CHECK ({name} <= {_bound(field, field.column.max)})")
    if field.column.check:
        parts.append(f"CHECK ({field.column.check})")
    if field.column.references:
        target, key = schema.resolve_reference(message, field.column.references)
        parts.append(f"REFERENCES {quote(target.table_name)} ({quote(key.name)})")
        if field.column.on_delete != "RESTRICT":
            parts.append(f"ON DELETE {field.column.on_delete.replace('_', ' ')}")
    return " ".join(parts)


def _bound(field, text):
    """A min or max. Of a float it is rounded as the value is, which is a REAL in SQL: else 0.1 as a float
    would be above a max of "0.1"."""
    if field.type != "float":
        return text
    rounded = struct.unpack("f", struct.pack("f", float(text)))[0]
    return text if rounded == float(text) else repr(rounded)


def is_nullable(field):
    """Whether the column is NULL when the field is absent."""
    if field.is_repeated:
        return False
    return field.label == "optional" or bool(field.oneof) or field.type == "message"


def column_type(schema, field):
    if field.is_map:
        value = schema.messages[field.target].field_named("value")
        return "BLOB" if value.type == "message" else "TEXT"
    if field.type in ("message", "bytes"):
        return "BLOB"
    if field.is_repeated or field.type == "string":
        return "TEXT"
    return "REAL" if field.type in _REAL else "INTEGER"


def _indexes(message):
    found = [((field.name,), True, "") for field in message.unique_fields]
    found += [(i.fields, i.unique, i.where) for i in message.table.indexes]
    for field in message.fields:
        if field.column.index and not _leads(field, message, found):
            found.append(((field.name,), False, ""))
    for field in message.fields:
        # A delete of the record referred to looks for its children: never by a scan.
        if field.column.references and not _leads(field, message, found):
            found.append(((field.name,), False, ""))
    return [_index(message.table_name, index) for index in found]


def _leads(field, message, indexes):
    leading = {fields[0] for fields, _, where in indexes if not where}
    return field.name in leading or message.primary_key[:1] == (field,)


def _index(table, index):
    """A name that follows from what the index is, so that it stays when others come and go."""
    fields, unique, where = index
    name = f"{table}.{','.join(fields)}"
    if where:
        name += f".{zlib.crc32(where.encode()):08x}"
    columns = ", ".join(quote(f) for f in fields)
    kind = "UNIQUE INDEX" if unique else "INDEX"
    text = f"CREATE {kind} {quote(name)} ON {quote(table)} ({columns})"
    return f"{text} WHERE {where}" if where else text
