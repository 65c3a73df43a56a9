"""Names in C: words that cannot be used, and names that meet.

Every identifier of the naming table is entered here, those of wrappers that a later version
generates too, so that a schema that is accepted once stays accepted.
"""

from varve_codegen import names, reserved

_ALWAYS = ("init", "free", "record", "descriptor", "pack", "unpack", "clone", "equal", "print")
_ALWAYS += ("clear_unknown", "field")
_TABLE = ("insert", "insert_many", "get", "get_many", "free_many", "update", "update_fields")
_TABLE += ("upsert", "upsert_by", "delete", "find", "next", "count", "find_one", "delete_where")
_TABLE += ("filter", "write", "submit")
_CACHE = ("put", "put_many", "get", "get_many", "touch", "delete", "recent")
_FILTER_MEMBERS = ("order_by", "descending", "limit", "offset", "after")

_MEND = {
    "message": "message_c_name",
    "field": "c_name",
    "enum": "enum_c_name",
    "value": "value_c_name",
    "service": "service_c_name",
    "method": "method_c_name",
}


def check(context):
    _check_spelling(context)
    for message in context.messages():
        _check_members(context, message)
    _Identifiers(context).check()


# -------------------------------------------------------------------- single names


def _check_spelling(context):
    for file in context.schema.generated_files():
        for name in file.enums:
            enum = context.schema.enums[name]
            _check_name(context, enum, "enum")
            for value in enum.values:
                _check_name(context, value, "value")
        for service in file.services:
            _check_name(context, service, "service")
            for method in service.methods:
                _check_name(context, method, "method")
    for message in context.messages():
        _check_name(context, message, "message")
        for field in message.fields:
            _check_name(context, field, "field")
            _check_word(context, field)
        for oneof in message.oneofs:
            _check_underscores(context, oneof, "oneof")


def _check_name(context, element, kind):
    c_name = element.c_name_option
    # A field's own name is a column's, too: a c_name does not mend it.
    if c_name is None or kind == "field":
        _check_underscores(context, element, kind)
    if c_name is not None and not names.is_c_name(c_name):
        option = _MEND[kind]
        context.option_error(
            element.at,
            option,
            None,
            f'(varve.{option}) = "{c_name}" is no name for C; use lower-case letters, digits and single '
            "underscores between them, beginning with a letter",
        )


def _check_underscores(context, element, kind):
    bare = element.name.strip("_")
    if element.name != bare:
        noun = {"value": "enum value"}.get(kind, kind)
        mend = f'rename it to "{bare}"' if bare else "use letters and digits"
        context.name_error(
            element.at, f'the {noun} "{element.name}" begins or ends with an underscore; {mend}'
        )


def _what_word(word):
    if word in reserved.KEYWORDS:
        return "a keyword of C or C++"
    if word in reserved.TYPES or word in reserved.POSIX_TYPES:
        return "a type of the C or POSIX headers"
    return "a macro of the C or POSIX headers"


def _check_word(context, field):
    if field.c in reserved.MEMBER_WORDS:
        context.name_error(
            field.at,
            f'"{field.c}" is {_what_word(field.c)}, so it cannot be a member of a struct; rename the field, or '
            f'add [(varve.c_name) = "{_other_name(field)}"]',
        )


def _other_name(field):
    return f"{field.c}_field" if field.c.endswith("_value") else f"{field.c}_value"


# -------------------------------------------------------------------- members of one struct


def _check_members(context, message):
    taken = {"base": (None, "the first member of every struct")}
    if message.table is not None:
        for name in _FILTER_MEMBERS:
            taken[name] = (None, f"a member of the filter of {message.name}")
    for oneof in message.oneofs:
        taken[f"{oneof.c}_case"] = (oneof.at, f"the case of oneof {oneof.name}")
    for field in message.fields:
        if field.has_flag:
            taken.setdefault(f"has_{field.c}", (field.at, f"the presence of field {field.name}"))
    for field in message.fields:
        other = taken.get(field.c)
        if other is None:
            taken[field.c] = (field.at, f"field {field.name}")
            continue
        at, what = other
        where = f" ({context.errors.where(at)})" if at else ""
        context.name_error(
            field.at,
            f'field {field.name} and {what}{where} are both the member "{field.c}" in C; rename the field, or '
            f'add [(varve.c_name) = "{_other_name(field)}"]',
        )


# -------------------------------------------------------------------- identifiers of a program


class _Identifiers:
    """Everything with a name of its own in C, and who brought it in."""

    def __init__(self, context):
        self._context = context
        self._generated = set(context.schema.to_generate)
        self._taken = {}  # identifier: (source, kind of the element, description)
        self._owner = None  # the message, enum, .. whose identifiers are being entered
        self._met = set()  # pairs of owners that are reported: their other identifiers meet as well
        self._streamed = {
            method.response
            for file in context.schema.files.values()
            for service in file.services
            for method in service.methods
            if method.server_streaming and method.sql is not None
        }

    def check(self):
        schema = self._context.schema
        files = [f for f in schema.files.values() if f.package and not _is_foreign(f)]
        for package in sorted({f.package for f in files}):
            members = [f for f in files if f.package == package]
            self._enter_package(package, members)
        for file in files:
            for name in file.messages:
                self._enter_message(schema.messages[name])
            for name in file.enums:
                self._enter_enum(schema.enums[name])
            for service in file.services:
                for method in service.methods:
                    if method.sql is not None:
                        self._owner = method.c, method.at
                        label = f"method {service.name}.{method.name}"
                        self._enter(method.c, method.at, "method", label)
                        self._enter(f"{method.c}_query", method.at, "method", f"the table of {label}")

    def _enter_package(self, package, files):
        prefix = names.package_prefix(package)
        first = files[0].at
        self._owner = f"package {package}"
        self._enter(f"{prefix}_schema", first, "package", f"the schema of package {package}")
        umbrella = names.umbrella_stem(package, [f.name for f in files])
        headers = {umbrella: (first, f"package {package}")}
        for file in files:
            headers[names.output_stem(file.name)] = (file.at, file.name)
        for stem, (at, self._owner) in headers.items():
            what = f"the header of {self._owner}"
            self._enter(f"{stem}.varve.h", at, "file", what, "as a file")
            self._enter(names.include_guard(stem + ".varve.h"), at, "file", what, "as include guard")

    def _enter_message(self, message):
        at, c, label = message.at, message.c, f"message {message.full_name}"
        self._owner = message.full_name
        if message.is_map_entry:
            parent = self._context.schema.messages[message.parent]
            field = next(f for f in parent.fields if f.target == message.full_name)
            at, label = field.at, f"the entry of map {parent.full_name}.{field.name}"
            suffixes = ("init", "record", "descriptor", "field")
        else:
            suffixes = _ALWAYS + (_TABLE if message.table is not None else ())
        self._enter(c, at, "message", label)
        for suffix in suffixes:
            self._enter(f"{c}_{suffix}", at, "message", f"{c}_{suffix} of {label}")
        self._enter(f"{c}_init".upper(), at, "message", f"the initialiser of {label}")
        is_ordered = message.cache is not None and message.cache.index_by
        if message.table is None and (is_ordered or message.full_name in self._streamed):
            self._enter(f"{c}_next", at, "message", f"{c}_next of {label}")
        if message.table is None and not is_ordered and message.full_name in self._streamed:
            self._enter(f"{c}_next".upper(), at, "message", f"the guard of {c}_next of {label}")
        if message.cache is not None:
            self._enter_cache(message, label)
        for field in message.fields:
            self._enter_field(message, field)
        for oneof in message.oneofs:
            self._enter_oneof(message, oneof)

    def _enter_cache(self, message, label):
        suffixes = [f"cache_{verb}{w}" for verb in _CACHE for w in ("", "_with")] + ["key", "key_parse"]
        if message.table is None:
            suffixes.append("free_many")
        for suffix in suffixes:
            c = f"{message.c}_{suffix}"
            self._enter(c, message.at, "message", f"{c} of {label}")

    def _enter_field(self, message, field):
        label = f"field {message.name}.{field.name}"
        if not message.is_map_entry:
            number = f"{message.c}_field_{field.c}".upper()
            self._enter(number, field.at, "field", f"the number of {label}")
        if message.table is None:
            return
        if field.column.unique:
            self._enter(f"{message.c}_get_by_{field.c}", field.at, "field", f"the look-up by {label}")
        if field.tensor is not None:
            for pattern in ("read_{}", "write_{}_begin", "write_{}_rows", "write_{}_finish", "write_{}_cancel"):
                c = f"{message.c}_{pattern.format(field.c)}"
                self._enter(c, field.at, "field", f"{c} of {label}")

    def _enter_oneof(self, message, oneof):
        c = f"{message.c}_{oneof.c}_case"
        label = f"oneof {message.name}.{oneof.name}"
        self._enter(c, oneof.at, "oneof", f"the cases of {label}")
        self._enter(f"{c}_not_set".upper(), oneof.at, "oneof", f"the empty case of {label}")
        for name in oneof.fields:
            field = message.field_named(name)
            case = f"{c}_{field.c}".upper()
            self._enter(case, field.at, "field", f"the case {name} of {label}")

    def _enter_enum(self, enum):
        label = f"enum {enum.full_name}"
        self._owner = enum.full_name
        self._enter(enum.c, enum.at, "enum", label)
        for suffix in ("name", "parse", "descriptor"):
            c = f"{enum.c}_{suffix}"
            self._enter(c, enum.at, "enum", f"{c} of {label}")
        for value in enum.values:
            self._enter(value.c, value.at, "value", f"value {value.name} of {label}")

    def _enter(self, identifier, at, kind, what, role="in C"):
        if identifier in reserved.IDENTIFIER_WORDS and at.file in self._generated:
            self._context.name_error(
                at,
                f'{what} would be "{identifier}" in C, {_what_word(identifier)}; {_mend(kind, "it")}',
            )
        other = self._taken.get(identifier)
        if other is None:
            self._taken[identifier] = (at, kind, what, self._owner)
        else:
            self._report(identifier, (at, kind, what, self._owner), other, role)

    def _report(self, identifier, new, old, role):
        if new[0].file not in self._generated:
            new, old = old, new
        at, kind, what, owner = new
        pair = (owner, old[3]) if owner != old[3] else (at, old[0])
        if at.file not in self._generated or pair in self._met:
            return
        if owner == old[3] and kind == old[1] == "field":
            return  # they meet as members, which is reported
        self._met.add(pair)
        where = self._context.errors.where(old[0])
        self._context.name_error(
            at,
            f'{what} and {old[2]} ({where}) are both "{identifier}" {role}; {_mend(kind, "one")}',
        )


def _mend(kind, which):
    if kind in _MEND:
        return f"rename {which}, or give {which} the option (varve.{_MEND[kind]})"
    return f"rename {which}" if kind != "package" else "rename a package"


def _is_foreign(file):
    """protobuf's own files and varve's options: no C is made from them."""
    return file.package.split(".")[0] == "varve" or file.package.startswith("google.protobuf")
