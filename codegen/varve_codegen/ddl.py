"""The SQL that makes a message's tables, from the state of the schema alone.

What is not said in SQL by a name is by a field's number: the names of indexes, so that they stay when a
field is renamed. A column that cannot be NULL has proto's zero as its default: a program of the version
before, which does not know it, goes on writing.
"""

import struct
import zlib

from varve_codegen import expression

UNKNOWN = "varve_unknown"  # the hidden column of unknown fields

_REAL = ("float", "double")
_ZEROS = {"INTEGER": "0", "REAL": "0", "TEXT": "''", "BLOB": "x''"}


def quote(name):
    return '"' + name.replace('"', '""') + '"'


def in_order(state):
    """The messages that have tables: as given, but those referred to before those that refer, where
    references make no circle."""
    tables = {m.name: m for m in state.tables()}
    ordered, seen = {}, set()
    pending = list(reversed(tables))
    while pending:
        name = pending[-1]
        if name in seen:
            ordered.setdefault(name, tables[name])
            pending.pop()
            continue
        seen.add(name)
        targets = [f.reference.message for f in tables[name].fields if f.reference is not None]
        pending += [n for n in reversed(targets) if n in tables and n not in seen]
    return list(ordered.values())


def statements(state, message):
    """CREATE TABLE, its indexes, and the catalog of its tensors; each without the closing
    semicolon."""
    found = [create_table(state, message, message.table), *indexes(message)]
    return found + staged(message) if message.tensors else found


def create_table(state, message, name):
    """CREATE TABLE of the message under this name."""
    body = ",\n".join("  " + definition for definition in definitions(state, message).values())
    return f"CREATE TABLE {quote(name)} (\n{body}\n) STRICT"


def definitions(state, message):
    """The parts of CREATE TABLE by column name, "" for the primary key of several columns."""
    found = {f.name: _column(state, message, f) for f in message.columns}
    found.update({f"{f.name}_json": f"{quote(f.name + '_json')} TEXT" for f in message.columns if f.json})
    found[UNKNOWN] = f"{quote(UNKNOWN)} BLOB"
    if len(message.primary_key) > 1:
        found[""] = f"PRIMARY KEY ({', '.join(quote(f.name) for f in message.primary_key)})"
    return found


def _column(state, message, field):
    name = quote(field.name)
    parts = [name, column_type(field)]
    if field.primary_key and len(message.primary_key) == 1:
        parts.append("PRIMARY KEY AUTOINCREMENT" if message.has_generated_key else "PRIMARY KEY NOT NULL")
    elif not field.is_nullable:
        parts.append("NOT NULL")
        if has_default(field):
            parts.append(f"DEFAULT {zero(field)}")
    if field.min:
        parts.append(f"CHECK ({name} >= {_bound(field, field.min)})")
    if field.max:
        parts.append(f"CHECK ({name} <= {_bound(field, field.max)})")
    if field.check:
        parts.append(f"CHECK ({expression.by_name(field.check, message.names)})")
    if field.reference is not None:
        target = state.messages[field.reference.message]
        key = target.field_of(field.reference.number)
        parts.append(f"REFERENCES {quote(target.table)} ({quote(key.name)})")
        if field.reference.on_delete != "RESTRICT":
            parts.append(f"ON DELETE {field.reference.on_delete.replace('_', ' ')}")
    return " ".join(parts)


def has_default(field):
    """Keys and references are given by every writer: a zero would be another record's."""
    return not field.is_nullable and not field.primary_key and field.reference is None


def zero(field):
    """The SQL of the value that a field has which nobody wrote."""
    if field.version:
        return "1"
    if field.is_json:
        return "'{}'" if field.label == "map" else "'[]'"
    return _ZEROS[column_type(field)]


def _bound(field, text):
    """A min or max. Of a float it is rounded as the value is, which is a REAL in SQL: else 0.1 as a float
    would be above a max of "0.1"."""
    if field.type != "float":
        return text
    rounded = struct.unpack("f", struct.pack("f", float(text)))[0]
    return text if rounded == float(text) else repr(rounded)


def column_type(field):
    if field.is_json:
        return "TEXT"
    if field.type in ("message", "bytes"):
        return "BLOB"
    if field.type == "string":
        return "TEXT"
    return "REAL" if field.type in _REAL else "INTEGER"


# -------------------------------------------------------------------- indexes


def indexes(message):
    """CREATE INDEX of each index, those of single unique fields first."""
    return [create_index(message, *index) for index in index_keys(message)]


def index_keys(message):
    """(field numbers, unique, where by number) of each index."""
    key = message.primary_key
    found = [((f.number,), True, "") for f in message.fields if f.unique and key != (f,)]
    found += [(i.numbers, i.unique, i.where) for i in message.indexes]
    for field in message.fields:
        if field.index and not _leads(field, message, found):
            found.append(((field.number,), False, ""))
    for field in message.fields:
        # A delete of the record referred to looks for its children: never by a scan.
        if field.reference is not None and not _leads(field, message, found):
            found.append(((field.number,), False, ""))
    return found


def _leads(field, message, found):
    leading = {numbers[0] for numbers, _, where in found if not where}
    return field.number in leading or message.primary_key[:1] == (field,)


def index_name(table, numbers, where):
    """A name that follows from what the index is, so that it stays when others come and go."""
    name = f"{table}.{','.join(map(str, numbers))}"
    return f"{name}.{zlib.crc32(where.encode()):08x}" if where else name


def create_index(message, numbers, unique, where):
    names = message.names
    columns = ", ".join(quote(names[n]) for n in numbers)
    kind = "UNIQUE INDEX" if unique else "INDEX"
    name = index_name(message.table, numbers, where)
    text = f"CREATE {kind} {quote(name)} ON {quote(message.table)} ({columns})"
    return f"{text} WHERE {expression.by_name(where, names)}" if where else text


# -------------------------------------------------------------------- tensors


def staged_name(message):
    return f"varve_staged_{message.table}"


def staged(message):
    """The catalog of a message's tensors, and its index: a row for each tensor of a record that has elements.
    Where "dataset" is 0 the elements are staged in "bytes"; else that is empty, and they stand in the dataset of
    the archive that has this number, from the element "place" on. "hash" is that of the row, NULL where a
    migration wrote it."""
    name, (key,) = staged_name(message), message.primary_key
    return [
        f"CREATE TABLE {quote(name)} (\n"
        f'  "id" INTEGER PRIMARY KEY AUTOINCREMENT,\n'
        f'  "record" INTEGER NOT NULL REFERENCES {quote(message.table)} ({quote(key.name)}) ON DELETE CASCADE,\n'
        f'  "field" INTEGER NOT NULL,\n'
        f'  "dataset" INTEGER NOT NULL DEFAULT 0,\n'
        f'  "place" INTEGER NOT NULL DEFAULT 0,\n'
        f'  "hash" INTEGER,\n'
        f'  "dims" TEXT NOT NULL,\n'
        f'  "bytes" BLOB NOT NULL\n'
        f") STRICT",
        f"CREATE UNIQUE INDEX {quote(name + '.record,field')} ON {quote(name)} (\"record\", \"field\")",
    ]
