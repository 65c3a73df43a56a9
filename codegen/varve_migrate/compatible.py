"""Which types may become which, so that every value that is stored stays what it is."""

from varve_codegen import ddl

_INT32 = {"int32", "sint32", "sfixed32"}
_UINT32 = {"uint32", "fixed32"}
_INT64 = {"int64", "sint64", "sfixed64"}

# Of columns: SQLite keeps the number or the text, not its coding.
_COLUMN = {
    "bool": _INT32 | _UINT32 | _INT64 | {"uint64", "double"},
    "enum": _INT32 | _INT64,
    **{kind: _INT32 | _INT64 | {"enum", "double"} for kind in _INT32},
    **{kind: _UINT32 | _INT64 | {"uint64", "double"} for kind in _UINT32},
    **{kind: _INT64 for kind in _INT64},
    "float": {"double"},
    "string": {"bytes"},
}
# Of JSON texts: bools are words there, and a float's digits are another double.
_JSON = {
    "enum": _INT32 | _INT64,
    **{kind: _INT32 | _INT64 | {"enum"} for kind in _INT32},
    **{kind: _UINT32 | _INT64 | {"uint64"} for kind in _UINT32},
    **{kind: _INT64 for kind in _INT64},
}
# Of wire bytes: what one coding writes, the other reads.
_WIRE = {
    "bool": {"int32", "int64", "uint32", "uint64"},
    "enum": {"int32", "int64"},
    "int32": {"int64"},
    "uint32": {"uint64"},
    "sint32": {"sint64"},
    "fixed32": {"sfixed32"},
    "sfixed32": {"fixed32"},
    "fixed64": {"sfixed64"},
    "sfixed64": {"fixed64"},
    "string": {"bytes"},
}


def in_column(old, new):
    """Whether a column that holds values of the field `old` holds those of `new`; types alone."""
    table = _JSON if old.is_json else _COLUMN
    return _fits(table, old.type, new.type) and _fits(_JSON, old.key, new.key)


def on_wire(old, new):
    return _fits(_WIRE, old.type, new.type) and _fits(_WIRE, old.key, new.key)


def _fits(table, old, new):
    return old == new or new in table.get(old, ())


def converted(old, new, text):
    """The SQL expression of a column's value as the new column's type."""
    before, after = ddl.column_type(old), ddl.column_type(new)
    return text if before == after else f"CAST({text} AS {after})"


def words(field):
    """The type in the lock's words, without presence: "map string int64"."""
    label = {"repeated": "repeated ", "map": f"map {field.key} "}.get(field.label, "")
    return label + field.type


def described(field):
    """The type and presence for people: "optional int64", "repeated lab.Place"."""
    label = {"optional": "optional ", "oneof": "optional "}.get(field.label, "")
    if field.type == "message":
        label = ""
    return label + words(field).replace(field.type, field.target or field.type, 1)
