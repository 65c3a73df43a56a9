"""Random edits of a schema's state, for walk.py: every kind of change that a migration can carry out. An edit
takes (random, draft) and changes the draft; it returns False where it has nothing to work on. What comes out
may be one that diff.compare() refuses, or that is no valid schema (rules.problems()); then it does not count.
"""

from dataclasses import replace

from draft import (
    INTEGERS, SCALARS, any_enum, any_field, any_message, any_table, is_scalar, new_field, new_name, new_number,
)
from varve_codegen.state import Field, Index, Message, Reference, Tensor

_TENSORS = ("float", "double", "int32", "uint64", "fixed32", "sint64")
# Every type that may take another's place, of which diff.py allows some.
_WIDER = {
    "bool": ("int32", "int64", "uint32", "double"), "enum": ("int32", "int64"),
    "int32": ("int64", "sint32", "double", "enum"),
    "sint32": ("int32", "sint64"), "sfixed32": ("int64", "fixed32"), "uint32": ("uint64", "fixed32", "int64", "double"),
    "fixed32": ("uint32", "sfixed32", "uint64"), "int64": ("sint64", "sfixed64"), "sint64": ("int64",),
    "sfixed64": ("int64", "fixed64"), "float": ("double",), "string": ("bytes",), "fixed64": ("sfixed64",),
}
_CHECKS = {
    "string": ("length ( {%d} ) < 4000", "{%d} <> 'x'", "{%d} NOT LIKE '%%;;%%'"),
    "bytes": ("length ( {%d} ) < 200000", "{%d} <> x'00ff'"),
    "number": ("{%d} <> 55", "{%d} % 7 < 7", "{%d} >= - 1e300 OR {%d} < 5"),
}


# -------------------------------------------------------------------- fields come and go


def add_field(random, draft):
    message = any_message(random, draft)
    field = new_field(random, draft, message)
    if message.table and is_scalar(field) and random.random() < 0.3:
        field = replace(field, label="optional", unique=field.type not in ("float", "double", "bool"))
    draft.add(message, field)
    return True


def drop_field(random, draft):
    message = any_message(random, draft)
    if len(message.fields) < (3 if message.table else 2):
        return False
    field = any_field(random, message, lambda f: not draft.is_used(message, f.number))
    if field is None:
        return False
    drop(draft, message, field)
    return True


def drop(draft, message, field):
    message = draft.messages[message.name]
    draft.put(replace(message, fields=tuple(f for f in message.fields if f.number != field.number),
                      reserved=message.reserved + ((field.number, field.number),)))


def add_oneof(random, draft):
    message = any_message(random, draft)
    one, other = (replace(new_field(random, draft, message), label="oneof", key="", json=False, type="string",
                          target="")
                  for _ in range(2))
    other = replace(other, number=one.number + 1, type=random.choice(SCALARS), name=f"{one.name}_or")
    name = f"choice{one.number}"
    draft.add(message, replace(one, oneof=name), replace(other, oneof=name))
    return True


def grow_oneof(random, draft):
    message = any_message(random, draft)
    member = any_field(random, message, lambda f: f.oneof)
    if member is None:
        return False
    field = new_field(random, draft, message)
    draft.add(message, replace(field, label="oneof", oneof=member.oneof, key="", json=False, type="int32", target=""))
    return True


# -------------------------------------------------------------------- names


def rename_field(random, draft):
    message = any_message(random, draft)
    field = any_field(random, message)
    if field is None:
        return False
    draft.change(message, field.number, name=new_name(random, message))
    return True


def swap_names(random, draft):
    message = any_message(random, draft)
    if len(message.fields) < 2:
        return False
    one, other = random.sample(message.fields, 2)
    draft.change(message, one.number, name=other.name)
    draft.change(message, other.number, name=one.name)
    return True


def chain_names(random, draft):
    """a takes b's name, b takes c's, c a new one."""
    message = any_message(random, draft)
    if len(message.fields) < 3:
        return False
    first, second, third = random.sample(message.fields, 3)
    last = new_name(random, message)
    for field, name in ((first, second.name), (second, third.name), (third, last)):
        draft.change(message, field.number, name=name)
    return True


def reuse_name(random, draft):
    """A field is renamed, and a new one takes its name."""
    message = any_message(random, draft)
    field = any_field(random, message)
    if field is None:
        return False
    added = new_field(random, draft, message)
    draft.change(message, field.number, name=added.name)
    draft.add(message, replace(added, name=field.name))
    return True


def take_dropped_name(random, draft):
    """A field is dropped, and another takes its name."""
    message = any_message(random, draft)
    field = any_field(random, message, lambda f: not draft.is_used(message, f.number))
    other = any_field(random, message, lambda f: f is not field)
    if field is None or other is None or len(message.fields) < 3:
        return False
    drop(draft, message, field)
    draft.change(message, other.number, name=field.name)
    return True


def rename_case(random, draft):
    message = any_message(random, draft)
    field = any_field(random, message)
    if field is None:
        return False
    draft.change(message, field.number, name=field.name.swapcase())
    return True


# -------------------------------------------------------------------- types and presence


def change_type(random, draft):
    message = any_message(random, draft)
    field = any_field(random, message, lambda f: f.type in _WIDER and f.tensor is None and f.reference is None and
                      not f.version)
    if field is None or draft.is_used(message, field.number) and not field.primary_key:
        return False
    kind = random.choice(_WIDER[field.type])
    target = any_enum(random, draft) if kind == "enum" else ""
    if any(f.reference and f.reference.message == message.name and f.reference.number == field.number
           for m in draft.tables() for f in m.fields):
        return False
    draft.change(message, field.number, type=kind, target=target, check="", time="")
    return True


def widen_key(random, draft):
    """A key changes its type, and all that refers to it too."""
    message = any_table(random, draft)
    key = message.primary_key
    if len(key) != 1 or key[0].type not in _WIDER or key[0].reference is not None:
        return False
    kind = random.choice([k for k in _WIDER[key[0].type] if k in INTEGERS] or [key[0].type])
    for other in list(draft.messages.values()):
        for field in other.fields:
            if field.reference and (field.reference.message, field.reference.number) == (message.name, key[0].number):
                draft.change(other, field.number, type=kind)
    draft.change(message, key[0].number, type=kind, time="")
    return True


def change_presence(random, draft):
    message = any_message(random, draft)
    field = any_field(random, message, lambda f: is_scalar(f) and not f.primary_key and not f.version)
    if field is None:
        return False
    if field.label == "optional" and random.random() < 0.3:
        draft.change(message, field.number, label="oneof", oneof=f"only{field.number}")
    else:
        draft.change(message, field.number, label="optional" if field.label != "optional" else "implicit", oneof="")
    return True


# -------------------------------------------------------------------- options of columns


def toggle_unique(random, draft):
    message = any_table(random, draft)
    field = any_field(random, message, lambda f: is_scalar(f) and f.type not in ("float", "double", "bool", "enum")
                   and not f.primary_key and not f.version)
    if field is None or field.unique and draft.is_used(message, field.number):
        return False
    draft.change(message, field.number, unique=not field.unique)
    return True


def toggle_index(random, draft):
    message = any_table(random, draft)
    if message.indexes and random.random() < 0.4:
        gone = random.choice(message.indexes)
        draft.put(replace(message, indexes=tuple(i for i in message.indexes if i != gone)))
        return True
    fields = [f for f in message.fields if is_scalar(f) and f.type not in ("bool", "enum")]
    if random.random() < 0.4 or len(fields) < 2:
        field = any_field(random, message, lambda f: is_scalar(f) and not f.primary_key)
        if field is None:
            return False
        draft.change(message, field.number, index=not field.index)
        return True
    chosen = random.sample(fields, 2)
    unique = random.random() < 0.5 and not any(f.version for f in chosen)
    where = f"{{{random.choice(fields).number}}} IS NOT NULL" if random.random() < 0.4 else ""
    draft.put(replace(message, indexes=message.indexes + (Index(tuple(f.number for f in chosen), unique, where),)))
    return True


def change_condition(random, draft):
    message = any_table(random, draft)
    field = any_field(random, message, lambda f: is_scalar(f) and f.type not in ("bool", "enum") and not f.primary_key
                   and f.reference is None)
    if field is None:
        return False
    number = field.type not in ("string", "bytes")
    option = random.choice(("min", "max", "check") if number and field.type != "fixed64" else ("check",))
    value = ""
    if not getattr(field, option):
        checks = _CHECKS["number" if number else field.type]
        value = {"min": "0" if field.type.startswith(("u", "f")) else "-1000000", "max": "2000000000"}.get(option) or \
            random.choice(checks).replace("%d", str(field.number)).replace("%%", "%")
        value = f"{value}.5" if option == "max" and field.type in ("float", "double") else value
    draft.change(message, field.number, **{option: value})
    return True


def toggle_json(random, draft):
    message = any_table(random, draft)
    field = any_field(random, message, lambda f: f.type == "message")
    if field is None:
        return False
    draft.change(message, field.number, json=not field.json)
    return True


def change_meaning(random, draft):
    message = any_message(random, draft)
    field = any_field(random, message, lambda f: f.type == "int64" and f.tensor is None and not f.version)
    if field is None:
        return False
    if field.label in ("implicit", "optional") and random.random() < 0.5:
        draft.change(message, field.number, time="" if field.time else "UNIX_NANOSECONDS", unit="")
    else:
        draft.change(message, field.number, unit="mV" if not field.unit else "", time="")
    return True


def toggle_version(random, draft):
    message = any_table(random, draft)
    field = any_field(random, message, lambda f: f.version)
    if field is not None:
        draft.change(message, field.number, version=False)
    else:
        draft.add(message, Field(new_number(random, message), new_name(random, message), "implicit", "int64",
                                 version=True))
    return True


# -------------------------------------------------------------------- references


def add_reference(random, draft):
    """A new optional field that refers to a key, or to a unique field; now and then to its own table."""
    message, target = any_table(random, draft), any_table(random, draft)
    key = any_field(random, target, lambda f: f.unique or target.primary_key == (f,))
    if key is None:
        return False
    draft.add(message, Field(new_number(random, message), new_name(random, message), "optional", key.type, key.target,
                             reference=Reference(target.name, key.number,
                                                 random.choice(("RESTRICT", "CASCADE", "SET_NULL")))))
    return True


def change_reference(random, draft):
    message = any_table(random, draft)
    field = any_field(random, message, lambda f: f.reference is not None)
    if field is None:
        return False
    actions = ("RESTRICT", "CASCADE", "SET_NULL")[: 3 if field.label == "optional" else 2]
    reference = replace(field.reference, on_delete=random.choice(actions)) if random.random() < 0.6 else None
    others = [m for m in draft.tables() if [f.type for f in m.primary_key] == [field.type]]
    if others and random.random() < 0.2:
        other = random.choice(others)
        reference = Reference(other.name, other.primary_key[0].number, "RESTRICT")
    draft.change(message, field.number, reference=reference)
    return True


def refer_by_old_field(random, draft):
    """A field that was plain becomes a reference."""
    message, target = any_table(random, draft), any_table(random, draft)
    key = target.primary_key
    if len(key) != 1:
        return False
    field = any_field(random, message, lambda f: f.label == "optional" and f.type == key[0].type
                      and f.target == key[0].target
                   and f.reference is None and f.tensor is None and not f.time)
    if field is None:
        return False
    draft.change(message, field.number, reference=Reference(target.name, key[0].number, "CASCADE"), min="", max="",
                 check="")
    return True


# -------------------------------------------------------------------- tensors


def add_tensor(random, draft):
    message = any_table(random, draft)
    key = message.primary_key
    if len(key) != 1 or key[0].type not in ("int64", "sint64", "sfixed64"):
        return False
    number, name = new_number(random, message), new_name(random, message)
    dims, fields = (f"#{number + 1}", "2"), ()
    if random.random() < 0.6:
        fields = (Field(number + 1, f"{name}_count", "implicit", random.choice(("uint32", "int32", "uint64"))),)
    else:
        dims = ("3",)
    if random.random() < 0.3:
        tensor = Field(number, name, "optional", "bytes", tensor=Tensor(dims, "INT16", True))
    else:
        tensor = Field(number, name, "repeated", random.choice(_TENSORS),
                       tensor=Tensor(dims, "PROTO", random.random() < 0.6))
    draft.add(message, tensor, *fields)
    return True


def change_tensor(random, draft):
    message = any_table(random, draft)
    field = any_field(random, message, lambda f: f.tensor is not None)
    if field is None:
        return False
    if random.random() < 0.5:
        drop(draft, message, field)
    else:
        draft.change(message, field.number, tensor=replace(field.tensor, optional=True))
    return True


# -------------------------------------------------------------------- messages, tables and enums


def _new_table_name(random, draft):
    taken = {m.table.lower() for m in draft.tables()} | {t.lower() for _, t in draft.retired}
    while True:
        name = random.choice(("order", "sample", "Trial", "event", "index")) + str(random.randint(1, 10**6))
        if name.lower() not in taken:
            return name


def rename_table(random, draft):
    message = any_table(random, draft)
    if message.renamed_from:
        return False
    draft.put(replace(message, table=_new_table_name(random, draft), renamed_from=message.table))
    return True


def swap_tables(random, draft):
    if len(draft.tables()) < 2:
        return False
    one, other = random.sample(draft.tables(), 2)
    if one.renamed_from or other.renamed_from:
        return False
    draft.put(replace(one, table=other.table, renamed_from=one.table))
    draft.put(replace(other, table=one.table, renamed_from=other.table))
    return True


def rename_message(random, draft):
    message = any_message(random, draft)
    if message.renamed_from:
        return False
    name = f"{draft.package}.{'N' if not message.table else 'T'}{random.randint(1, 10**9)}"
    if name in draft.messages:
        return False
    table = message.table and random.choice((message.table, _new_table_name(random, draft)))
    draft.put(replace(message, name=name, table=table, renamed_from=message.table), message.name)
    return True


def add_table(random, draft):
    if len(draft.tables()) > 5:
        return False
    name = f"{draft.package}.T{random.randint(1, 10**9)}"
    key = random.choice((("int64",), ("int64",), ("string",), ("int32", "string"), ("uint64",)))
    fields = tuple(Field(i + 1, f"id{i}", "implicit", kind, primary_key=i + 1) for i, kind in enumerate(key))
    draft.messages[name] = Message(name, _new_table_name(random, draft), fields)
    for _ in range(random.randint(1, 4)):
        draft.add(draft.messages[name], new_field(random, draft, draft.messages[name]))
    if random.random() < 0.5:
        target = any_table(random, draft)
        key = target.primary_key
        if len(key) == 1:
            message = draft.messages[name]
            draft.add(message, Field(new_number(random, message), new_name(random, message), "implicit", key[0].type,
                                     reference=Reference(target.name, key[0].number,
                                                         random.choice(("RESTRICT", "CASCADE")))))
    return True


def add_nested(random, draft):
    """A nested message, and a field that holds it."""
    if len(draft.nested()) > 4:
        return False
    name = f"{draft.package}.N{random.randint(1, 10**9)}"
    draft.messages[name] = Message(name, "", ())
    for _ in range(random.randint(1, 3)):
        draft.add(draft.messages[name], new_field(random, draft, draft.messages[name]))
    message = any_table(random, draft)
    draft.add(message, Field(new_number(random, message), new_name(random, message), "optional", "message", name,
                             json=True))
    return True


def drop_table(random, draft):
    if len(draft.tables()) < 3:
        return False
    message = any_table(random, draft)
    if message.renamed_from or any(f.reference and f.reference.message == message.name
                                   for m in draft.tables() if m is not message for f in m.fields):
        return False
    del draft.messages[message.name]
    draft.drops.add(message.name)
    return True


def change_enum(random, draft):
    if not draft.enums:
        return False
    enum = random.choice(list(draft.enums.values()))
    numbers = [n for n, _ in (*enum.values, *enum.retired)] + [n for n, _ in enum.reserved]
    kind = random.choice(("add", "rename", "remove"))
    values = dict(enum.values)
    if kind == "add":
        values[max(numbers) + 1] = f"{enum.name.split('.')[-1].upper()}_{max(numbers) + 1}"
    elif kind == "rename":
        number = random.choice(list(values))
        values[number] += "X"
    else:
        number = random.choice([n for n in values if n] or [0])
        if number == 0:
            return False
        del values[number]
        enum = replace(enum, reserved=enum.reserved + ((number, number),))
    draft.enums[enum.name] = replace(enum, values=tuple(sorted(values.items())))
    return True


EDITS = (
    *[add_field] * 4, *[drop_field] * 3, add_oneof, grow_oneof,
    *[rename_field] * 2, swap_names, chain_names, reuse_name, take_dropped_name, rename_case,
    *[change_type] * 3, widen_key, *[change_presence] * 2,
    toggle_unique, *[toggle_index] * 2, *[change_condition] * 2, toggle_json, change_meaning, toggle_version,
    *[add_reference] * 2, change_reference, refer_by_old_field, *[add_tensor] * 2, *[change_tensor] * 3,
    rename_table, swap_tables, rename_message, add_table, add_nested, drop_table, change_enum,
)
LESS = (*[drop_field] * 6, take_dropped_name, change_tensor, drop_table)
