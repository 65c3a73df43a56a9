"""Rules of (varve.column): which option may stand on which field, and what its value may be."""

import re

from varve_codegen.check.context import FLOATS, INTEGERS, is_scalar_column

_ANYWHERE = {"unit", "time"}
_REFERENCE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+\Z")
_INTEGER = re.compile(r"-?[0-9]+\Z", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z", re.ASCII)
_FLOAT_RANGE = {
    "float": (-3.4028234663852886e38, 3.4028234663852886e38),
    "double": (-1.7976931348623157e308, 1.7976931348623157e308),
}
# Types of one C representation may refer to each other.
_SAME = {"sint32": "int32", "sfixed32": "int32", "fixed32": "uint32", "sint64": "int64", "sfixed64": "int64"}
# What a version cannot be as well, and why.
_NO_VERSION = {
    "unique": "is for values that tell records apart",
    "references": "is for a key of another record",
    "time": "is for a point in time",
}


def check(context):
    for message in context.messages():
        for field in message.fields:
            if field.column.given:
                _Column(context, message, field).check()
        _check_one_version(context, message)


class _Column:
    def __init__(self, context, message, field):
        self._context = context
        self._message = message
        self._field = field
        self._options = field.column

    def check(self):
        if self._message.table is None:
            self._check_no_table()
        else:
            self._check_scalar_only()
            self._check_unique()
            self._check_reference()
            self._check_json()
            self._check_version()
        self._check_time()
        self._check_unit()
        self._check_bounds()

    def _refuse(self, member, text):
        self._context.option_error(self._field.at, "column", member, f"{self._field.name}: {text}")

    def _check_no_table(self):
        for member in sorted(self._options.given - _ANYWHERE):
            self._refuse(
                member,
                f"{member} is for the columns of a table, and {self._message.name} has none; remove it, or add "
                "option (varve.table) = {} to the message",
            )

    def _check_scalar_only(self):
        if is_scalar_column(self._field):
            return
        what = "a tensor" if self._field.tensor else "no column of its own"
        for member in ("index", "check", "version", "references"):
            if member in self._options.given:
                self._refuse(member, f"{member} needs one value in a column, and the field is {what}; remove it")

    def _check_unique(self):
        if not self._options.unique:
            return
        if not is_scalar_column(self._field):
            what = "a tensor" if self._field.tensor else "no column of its own"
            self._refuse("unique", f"unique needs one value in a column, and the field is {what}; remove it")
        elif self._field.type in FLOATS:
            self._refuse(
                "unique", f"unique over {self._field.type} compares rounded numbers; use an integer or a string"
            )

    def _check_json(self):
        if not self._options.json:
            return
        field = self._field
        schema = self._context.schema
        if field.type != "message":
            self._refuse("json", "json makes a JSON copy of nested messages, and the field is none; remove it")
            return
        target = schema.messages.get(field.target)
        if target is not None and target.is_map_entry and target.field_named("value").type != "message":
            self._refuse("json", "a map of scalars is kept as JSON already; remove it")
        elif _contains_itself(schema, field.target):
            held = target.field_named("value").target if target and target.is_map_entry else field.target
            self._refuse("json", f"{held} can contain itself, so its JSON copy has no bound; remove json")

    def _check_version(self):
        if not self._options.version or not is_scalar_column(self._field):
            return
        field = self._field
        if field.type != "int64":
            self._refuse("version", f"version counts updates, and the field is {field.type}; make it int64")
        elif field.label == "optional" or field.oneof:
            what = "optional" if field.label == "optional" else f"in the oneof {field.oneof}"
            self._refuse("version", f"version is always there, and the field is {what}; make it plain")
        elif self._options.primary_key:
            self._refuse("version", "version is on the primary key, which never changes; use a field of its own")
        else:
            for member, why in _NO_VERSION.items():
                if getattr(self._options, member) not in (False, "", "NO_TIME"):
                    self._refuse(member, f"{member} {why}, and the field is the version, which is a count; use a field "
                                         "of its own")

    def _check_time(self):
        if self._options.time != "NO_TIME" and self._field.type != "int64":
            self._refuse(
                "time",
                f"time is {self._options.time}, which is an int64, and the field is {self._field.type}; make it "
                "int64",
            )

    def _check_unit(self):
        unit = self._options.unit
        if not unit.isprintable():
            self._refuse("unit", "unit has a line break or another control character; write it on one line")
        elif unit and self._options.time != "NO_TIME":
            self._refuse("unit", f'unit is "{unit}", and time says ns since 1970 already; remove one')

    # ---------------------------------------------------------------- references

    def _check_reference(self):
        options = self._options
        if not options.references:
            if "on_delete" in options.given:
                self._refuse("on_delete", "on_delete says what a reference does, and there is none; remove it, or "
                                          'add references: "Message.field"')
            return
        if is_scalar_column(self._field):
            problem = self._reference_problem()
            if problem:
                self._refuse("references", problem)
        if options.on_delete == "SET_NULL" and self._field.label != "optional":
            mend = f"take it out of the oneof {self._field.oneof}, and " if self._field.oneof else ""
            self._refuse(
                "on_delete", f"SET_NULL makes the field absent by itself, which it cannot be; {mend}make it optional"
            )

    def _reference_problem(self):
        text = self._options.references
        target_name, _, field_name = text.rpartition(".")
        if not _REFERENCE.match(text):
            return f'references is "{text}"; write "Message.field", such as "Concept.id"'
        message, field = self._context.schema.resolve_reference(self._message, text)
        if message is None:
            return (
                f'references "{text}", and there is no message {target_name} in this file or its imports; '
                "correct the name, or import its file"
            )
        if message.package != self._message.package:
            return (
                f'references "{text}", which is in package {message.package}, and tables of another package may '
                "not be in the same store; keep the value without a reference"
            )
        if field is None:
            return f'references "{text}", and {message.name} has no field {field_name}; correct the name'
        if message.table is None:
            return (
                f'references "{text}", and {message.name} has no table; add option (varve.table) = {{}} to it'
            )
        is_key = message.primary_key == (field,) or field.column.unique
        if not is_key:
            return (
                f'references "{text}", which is neither the primary key of {message.name} nor unique; refer to '
                "a key, or make it unique"
            )
        mine, theirs = self._field.type, field.type
        if _SAME.get(mine, mine) != _SAME.get(theirs, theirs) or self._field.target != field.target:
            return f'references "{text}", which is {theirs}, and this field is {mine}; use the same type'
        return ""

    # ---------------------------------------------------------------- min and max

    def _check_bounds(self):
        bounds = {}
        for member in ("min", "max"):
            text = getattr(self._options, member)
            if member not in self._options.given or self._message.table is None:
                continue
            value, problem = self._bound(text)
            if problem:
                self._refuse(member, f'{member} is "{text}"{problem}')
            else:
                bounds[member] = value
        if len(bounds) == 2 and bounds["min"] > bounds["max"]:
            self._refuse("max", f'max is "{self._options.max}", less than min "{self._options.min}"; swap them')

    def _bound(self, text):
        """(value, problem) of a min or max."""
        field = self._field
        if not is_scalar_column(field) or field.type not in INTEGERS and field.type not in FLOATS:
            return None, ", and the field is no single number; remove it"
        if field.type == "fixed64":
            return None, ", and fixed64 is kept as bits, which have no order; use int64, or remove it"
        is_integer = field.type in INTEGERS
        if not (_INTEGER if is_integer else _NUMBER).match(text):
            return None, f', which is no {"integer" if is_integer else "number"}; write one, such as "0"'
        value = int(text) if is_integer else float(text)
        low, high = INTEGERS[field.type] if is_integer else _FLOAT_RANGE[field.type]
        if not low <= value <= high:
            what = "a column" if field.type == "uint64" else field.type
            return None, f", outside what {what} holds ({low} to {high}); correct it"
        return value, ""


def _check_one_version(context, message):
    versions = [f for f in message.fields if f.column.version]
    for field in versions[1:]:
        context.option_error(
            field.at,
            "column",
            "version",
            f"{field.name}: version is on {versions[0].name} already, and a message has one; remove one",
        )


def _contains_itself(schema, name):
    """Whether any message within this one can contain itself."""
    inside, pending = {}, [name]
    while pending:
        name = pending.pop()
        if name not in inside and name in schema.messages:
            inside[name] = set(schema.embeds(schema.messages[name]))
            pending += inside[name]
    holders = {name: [] for name in inside}
    for name, targets in inside.items():
        for target in targets:
            holders[target].append(name)
    # Takes away, from the innermost on, what holds nothing that is left: a cycle stays.
    ready = [name for name, targets in inside.items() if not targets]
    while ready:
        name = ready.pop()
        del inside[name]
        for holder in holders[name]:
            inside[holder].discard(name)
            if not inside[holder]:
                ready.append(holder)
    return bool(inside)
