"""Moves what newer programs left among the unknown fields of records to where it belongs now."""

from varve_codegen import ddl
from varve_migrate import compatible

_BLOB = ddl.quote(ddl.UNKNOWN)
# Elements whose bytes on the wire are those of memory; the others are varints.
_FIXED = {"float": 4, "double": 8, "fixed32": 4, "sfixed32": 4, "fixed64": 8, "sfixed64": 8}
_DTYPES = {"INT8": 1, "UINT8": 1, "INT16": 2, "UINT16": 2, "FLOAT16": 2}


def _has(field):
    return f"varve_unknown_has({_BLOB}, {field.number})"


def _without(field):
    return f"{_BLOB} = varve_unknown_without({_BLOB}, {field.number})"


def promote(message, field):
    """For the new column of a field. Of a oneof that has another field set, this one was written by a program
    that knew less: the other stays."""
    value = f"varve_unknown_value({_BLOB}, {field.number}, '{compatible.words(field)}')"
    others = [f for f in message.fields if f.oneof and f.oneof == field.oneof and f.number != field.number]
    if others:
        value = f"CASE WHEN {' AND '.join(f'{ddl.quote(f.name)} IS NULL' for f in others)} THEN {value} END"
    return [
        f"UPDATE {ddl.quote(message.table)} SET {ddl.quote(field.name)} = {value},\n"
        f"  {_without(field)}\n"
        f"  WHERE {_has(field)}"
    ]


def promote_tensor(message, field):
    """For a new tensor: only elements that SQL can read, and as many as the dims ask for. Others stay where
    they are."""
    size = _DTYPES.get(field.tensor.dtype) or _FIXED.get(field.type)
    if size is None:
        return []
    table, staged = ddl.quote(message.table), ddl.quote(ddl.staged_name(message))
    key = ddl.quote(message.primary_key[0].name)
    value = f"varve_unknown_value({_BLOB}, {field.number}, 'bytes')"
    dims = [_dim(message, dim) for dim in field.tensor.dims]
    fits = f"length({value}) = {' * '.join([*dims, str(size)])}"
    if field.label != "optional":
        fits += f" AND length({value}) > 0"  # without elements it has no row
    return [
        f'INSERT INTO {staged} ("record", "field", "dims", "bytes")\n'
        f"  SELECT {key}, {field.number}, {_dims_text(dims)}, {value}\n"
        f"  FROM {table} WHERE {_has(field)}\n"
        f"  AND {fits} ORDER BY {key}",
        f"UPDATE {table} SET {_without(field)}\n"
        f'  WHERE {_has(field)} AND {key} IN (SELECT "record" FROM {staged} WHERE "field" = {field.number})',
    ]


def _dims_text(dims):
    return " || ',' || ".join(dims) if len(dims) > 1 else f"CAST({dims[0]} AS TEXT)"


def _dim(message, dim):
    if not dim.startswith("#"):
        return dim
    field = message.field_of(int(dim[1:]))
    name = ddl.quote(field.name)
    return f"coalesce({name}, 0)" if field.is_nullable else name
