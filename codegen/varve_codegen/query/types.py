"""Whether what a query gives fits the fields that it goes to."""

import math

from varve_codegen import ddl, sqlite
from varve_codegen.check.context import INTEGERS

# As SQL has them: a fixed64 by its bits.
RANGES = {**INTEGERS, "fixed64": INTEGERS["int64"], "enum": INTEGERS["int32"], "bool": (0, 1)}
_STORED = {"INTEGER": sqlite.INTEGER, "REAL": sqlite.FLOAT, "TEXT": sqlite.TEXT, "BLOB": sqlite.BLOB}
_WORDS = {sqlite.INTEGER: "an integer", sqlite.FLOAT: "a number", sqlite.TEXT: "text", sqlite.BLOB: "bytes"}


def shown(field):
    """A field's type as the schema writes it."""
    kind = field.target.rpartition(".")[2] if field.type in ("message", "enum") else field.type
    if field.label == "map":
        return f"map<{field.key}, {kind}>"
    prefix = {"repeated": "repeated ", "optional": "optional "}.get(field.label, "")
    return prefix + kind


def is_scalar(field):
    return field.label not in ("repeated", "map") and field.type != "message"


def misfit(column, field):
    """Why a column of a table does not fit a field, as the mending: "" when it does. Both are of a state."""
    wanted = shown(column)
    if column.is_nullable and not field.is_nullable:
        return f"it may be absent: make the field {wanted if column.label == 'optional' else 'optional ' + wanted}"
    if not is_scalar(column):
        same = (column.label in ("repeated", "map")) == (field.label in ("repeated", "map"))
        alike = (column.label == "map", column.key, column.type, column.target)
        is_same = same and alike == (field.label == "map", field.key, field.type, field.target)
        raw = "string" if column.is_json else "bytes"
        return "" if is_same or is_scalar(field) and field.type == raw else f"make the field {wanted}"
    if not is_scalar(field) or not _fits(column, field):
        optional = "optional " if field.label == "optional" and column.label != "optional" else ""
        return f"make the field {optional}{wanted}"
    return ""


def _fits(column, field):
    a, b = column.type, field.type
    if "fixed64" in (a, b) or "bool" == b:
        return a == b
    if a in RANGES and b in RANGES:
        if a == b == "enum":
            return column.target == field.target
        return RANGES[b][0] <= RANGES[a][0] and RANGES[a][1] <= RANGES[b][1]
    return a == b or (a, b) == ("float", "double")


def problem(field, kind, value):
    """Why a value of a result does not fit the field: "" when it does."""
    if kind == sqlite.NULL:
        return "" if field.is_nullable else "NULL; make the field optional, or write coalesce(.., ..)"
    wanted = _STORED[ddl.column_type(field)]
    if (kind, wanted) == (sqlite.INTEGER, sqlite.FLOAT) and abs(value) <= 2**53:
        return ""  # exact; RETURNING gives the whole numbers of a REAL column so
    if kind != wanted:
        if kind == sqlite.FLOAT and field.type in RANGES and abs(value) >= 2.0**63:
            return ""  # an integer that has overflown: no type would hold it
        return f"{_value(kind, value)}; {_mend(field, kind, wanted)}"
    if kind == sqlite.INTEGER:
        low, high = RANGES[field.type]
        if field.type != "bool" and not low <= value <= high:
            return f"{value}, which {field.type} cannot hold; make the field int64"
    if kind == sqlite.FLOAT and field.type == "float" and math.isfinite(value) and abs(value) > 3.4028234663852886e38:
        return f"{value}, which float cannot hold; make the field double"
    return ""


def _mend(field, kind, wanted):
    if (kind, wanted) == (sqlite.INTEGER, sqlite.FLOAT):
        return "make the field int64, or write CAST(.. AS REAL)"
    if (kind, wanted) == (sqlite.FLOAT, sqlite.INTEGER):
        return "make the field double, or write CAST(.. AS INTEGER)"
    proto = {sqlite.INTEGER: "int64", sqlite.FLOAT: "double", sqlite.TEXT: "string", sqlite.BLOB: "bytes"}[kind]
    return f"make the field {proto}, or write a CAST"


def _value(kind, value):
    if kind in (sqlite.INTEGER, sqlite.FLOAT):
        return f"{_WORDS[kind]}, {value}"
    return f"{_WORDS[kind]}, {value[:20]!r}" if kind == sqlite.TEXT else _WORDS[kind]
