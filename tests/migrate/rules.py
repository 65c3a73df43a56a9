"""What the generator would refuse of a state, as far as the edits of a random walk can get there."""

from draft import INTEGERS, is_scalar
from varve_codegen import ddl


def problems(state):
    """Reasons why it is no valid schema."""
    found = _table_names(state) + _circles(state)
    for message in state.messages.values():
        found += _columns(message)
        if message.table:
            found += _options(state, message) + _indexes(message)
    return found


def _table_names(state):
    names = [n.lower() for m in state.tables() for n in (m.table, *([ddl.staged_name(m)] * bool(m.tensors)))]
    return ["two tables of one name"] * (len(set(names)) < len(names))


def _columns(message):
    names = [n.lower() for f in message.fields for n in (f.name, *([f"{f.name}_json"] * f.json))]
    return ["two columns of one name"] * (len(set(names)) < len(names))


def _options(state, message):
    found, key = [], message.primary_key
    if sum(f.version for f in message.fields) > 1:
        found.append("two versions")
    if message.tensors and (len(key) != 1 or key[0].type not in ("int64", "sint64", "sfixed64")):
        found.append("tensors without an int64 key")
    for field in message.fields:
        if field.is_json and field.type == "bytes":
            found.append("bytes in JSON")
        if field.version and (field.label != "implicit" or field.type != "int64" or _is_dim(message, field)):
            found.append("a version that is none")
        if field.time and field.type != "int64" or field.time and field.version:
            found.append("a time that is none")
        if field.primary_key and (field.label != "implicit" or field.type not in (*INTEGERS, "string", "enum")):
            found.append("a key that is none")
        if (field.min or field.max) and (field.type not in (*INTEGERS, "float", "double") or field.type == "fixed64"):
            found.append("a bound of no number")
        if field.min.startswith("-") and field.type in ("uint32", "fixed32", "uint64"):
            found.append("a bound that its type has not")
        if field.unique and (field.type in ("float", "double") or not is_scalar(field) or field.version):
            found.append("a unique field that cannot be")
        if _is_dim(message, field) and (field.label != "implicit" or field.type not in INTEGERS):
            found.append("a dim that is none")
        if field.reference is not None:
            found += _reference(state, field)
    return found


def _is_dim(message, field):
    return any(f"#{field.number}" in t.tensor.dims for t in message.tensors)


_SAME = {"sint32": "int32", "sfixed32": "int32", "fixed32": "uint32", "sint64": "int64", "sfixed64": "int64"}


def _reference(state, field):
    target = state.messages.get(field.reference.message)
    key = target.field_of(field.reference.number) if target is not None and target.table else None
    if key is None or not (key.unique or target.primary_key == (key,)) or field.version:
        return ["a reference to no key"]
    if field.reference.on_delete == "SET_NULL" and field.label != "optional":
        return ["SET_NULL of what cannot be absent"]
    same = _SAME.get(field.type, field.type) == _SAME.get(key.type, key.type) and field.target == key.target
    return [] if same else ["a reference of another type"]


def _indexes(message):
    found, key = [], tuple(f.number for f in message.primary_key)
    seen = {((f.number,), "") for f in message.fields if f.unique}
    for index in message.indexes:
        fields = [message.field_of(n) for n in index.numbers]
        if not all(map(is_scalar, fields)) or (index.numbers, index.where) in {*seen, (key, "")}:
            found.append("an index that cannot be")
        if index.unique and any(f.version for f in fields):
            found.append("a unique version")
        seen.add((index.numbers, index.where))
    return found


def _circles(state):
    edges = {m.name: {f.reference.message for f in m.fields if f.reference and f.label == "implicit"} - {m.name}
             for m in state.tables()}
    while ready := [name for name, targets in edges.items() if not targets & edges.keys()]:
        for name in ready:
            del edges[name]
    return ["references in a circle"] * bool(edges)
