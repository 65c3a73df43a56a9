"""Moves what newer programs left among the unknown fields of records to where it belongs now."""

from varve_codegen import ddl
from varve_migrate import compatible

_BLOB = ddl.quote(ddl.UNKNOWN)
_SIZES = {"float": 4, "int32": 4, "sint32": 4, "sfixed32": 4, "uint32": 4, "fixed32": 4}  # 8 of others
_DTYPES = {"INT8": 1, "UINT8": 1, "INT16": 2, "UINT16": 2, "FLOAT16": 2}


def _has(field):
    return f"varve_unknown_has({_BLOB}, {field.number})"


def _without(field):
    return f"{_BLOB} = varve_unknown_without({_BLOB}, {field.number})"


def _value(field, words):
    return f"varve_unknown_value({_BLOB}, {field.number}, '{words}')"


def promote(message, field, later=(), is_kept=False):
    """For the new column of a field. Of a oneof that has another field set, this one was written by a program
    that knew less: the other stays. The columns of the fields in `later` are not there yet. What is kept is among
    the unknown fields until settle_dims()."""
    value = _value(field, compatible.words(field))
    others = [f for f in message.fields
              if f.oneof and f.oneof == field.oneof and f.number != field.number and f not in later]
    if others:
        value = f"CASE WHEN {' AND '.join(f'{ddl.quote(f.name)} IS NULL' for f in others)} THEN {value} END"
    removal = "" if is_kept else f",\n  {_without(field)}"
    return [
        f"UPDATE {ddl.quote(message.table)} SET {ddl.quote(field.name)} = {value}{removal}\n"
        f"  WHERE {_has(field)}"
    ]


# -------------------------------------------------------------------- tensors


def promote_tensor(message, field):
    """For a new tensor: where there are as many elements as the dims ask for. Others stay where they are."""
    table, staged = ddl.quote(message.table), ddl.quote(ddl.staged_name(message))
    key = ddl.quote(message.primary_key[0].name)
    value, wanted = _value(field, element_words(field)), _wanted_bytes(message, field)
    fits = f"length({value}) = {wanted}"
    if field.label != "optional":
        fits += f" AND {wanted} > 0"  # without elements it has no row
    dims = [_dim(message, dim) for dim in field.tensor.dims]
    return [
        f'INSERT INTO {staged} ("record", "field", "dims", "bytes")\n'
        f"  SELECT {key}, {field.number}, {_dims_text(dims)}, {value}\n"
        f"  FROM {table} WHERE {_has(field)}\n"
        f"  AND {fits} ORDER BY {key}",
        f"UPDATE {table} SET {_without(field)}\n"
        f'  WHERE {_has(field)} AND {key} IN (SELECT "record" FROM {staged} WHERE "field" = {field.number})',
    ]


def dims_that_wait(before, after):
    """The fields that are new, and dims of new tensors which may not be absent: the records that have such a dim
    among their unknown fields, and no elements that fit it, could not be read."""
    numbers = {int(d[1:]) for f in _new_tensors(before, after) for d in f.tensor.dims if d.startswith("#")}
    return [f for f in after.columns if f.number in numbers and before.field_of(f.number) is None]


def withdraw_dims(before, after):
    """Where elements do not fit, which happens where an older program changed a dim that it knew, the new dims
    are as if nobody had written them. They, and the elements, stay among the unknown fields."""
    waiting = dims_that_wait(before, after)
    found = []
    for tensor in _new_tensors(before, after):
        dims = [f for f in waiting if f"#{f.number}" in tensor.tensor.dims]
        if not dims:
            continue
        unset = ", ".join(f"{ddl.quote(f.name)} = {ddl.zero(f)}" for f in dims)
        found.append(
            f"UPDATE {ddl.quote(after.table)} SET {unset}\n"
            f"  WHERE ({' OR '.join(map(_has, dims))})\n"
            f"  AND coalesce(length({_value(tensor, element_words(tensor))}), 0) <> {_wanted_bytes(after, tensor)}"
        )
    return found


def settle_dims(before, after):
    """Those that were not withdrawn are no unknown fields any more."""
    return [
        f"UPDATE {ddl.quote(after.table)} SET {_without(f)}\n"
        f"  WHERE {_has(f)} AND {ddl.quote(f.name)} IS {_value(f, compatible.words(f))}"
        for f in dims_that_wait(before, after)
    ]


def _new_tensors(before, after):
    return [f for f in after.tensors if before.field_of(f.number) is None and not f.tensor.optional]


def element_words(field):
    """The type of a tensor's elements for varve_unknown_value()."""
    return "bytes" if field.type == "bytes" else f"tensor {field.type}"


def _wanted_bytes(message, field):
    size = _DTYPES.get(field.tensor.dtype) or _SIZES.get(field.type, 8)
    return " * ".join([*(_dim(message, dim) for dim in field.tensor.dims), str(size)])


def _dims_text(dims):
    return " || ',' || ".join(dims) if len(dims) > 1 else f"CAST({dims[0]} AS TEXT)"


def _dim(message, dim):
    if not dim.startswith("#"):
        return dim
    field = message.field_of(int(dim[1:]))
    name = ddl.quote(field.name)
    return f"coalesce({name}, 0)" if field.is_nullable else name
