"""Rules of (varve.column): which option may stand on which field, and what its value may be."""

import math

from varve_codegen.check.context import FLOATS, INTEGERS, is_scalar_column

_ANYWHERE = {"unit", "time"}
# Types of one C representation may refer to each other.
_SAME = {"sint32": "int32", "sfixed32": "int32", "fixed32": "uint32", "sint64": "int64", "sfixed64": "int64"}


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
            self._refuse(
                "json", f"{field.target} can contain itself, so its JSON copy has no bound; remove json"
            )

    def _check_version(self):
        if not self._options.version or not is_scalar_column(self._field):
            return
        field = self._field
        if field.type != "int64" or field.label == "optional" or field.oneof:
            self._refuse("version", "version counts updates in a plain int64; change the type")
        elif self._options.primary_key:
            self._refuse("version", "version is on the primary key, which never changes; use a field of its own")

    def _check_time(self):
        if self._options.time != "NO_TIME" and self._field.type != "int64":
            self._refuse(
                "time",
                f"time is {self._options.time}, which needs 64 bits, and the field is {self._field.type}; make "
                "it int64",
            )

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
            self._refuse("on_delete", "SET_NULL makes the field absent, which it cannot be; make it optional")

    def _reference_problem(self):
        text = self._options.references
        target_name, _, field_name = text.rpartition(".")
        if not target_name or not field_name:
            return f'references is "{text}"; write "Message.field", such as "Concept.id"'
        message, field = self._context.schema.resolve_reference(self._message, text)
        if message is None:
            return (
                f'references "{text}", and there is no message {target_name} in this file or its imports; '
                "correct the name, or import its file"
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
        try:
            value = int(text) if field.type in INTEGERS else float(text)
        except ValueError:
            return None, f', which is no {"integer" if field.type in INTEGERS else "number"}; write one, such as "0"'
        if field.type in INTEGERS:
            low, high = INTEGERS[field.type]
            if not low <= value <= high:
                return None, f", outside what {field.type} holds ({low} to {high}); correct it"
        elif not math.isfinite(value):
            return None, ", which bounds nothing; remove it"
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
    done, on_path = set(), set()

    def walk(name):
        if name in on_path:
            return True
        if name in done or name not in schema.messages:
            return False
        on_path.add(name)
        found = any(walk(target) for target in schema.embeds(schema.messages[name]))
        on_path.discard(name)
        done.add(name)
        return found

    return walk(name)
