"""Rules on whole files and on what fields may be: syntax, package, types that varve has no C for."""

import re

from varve_codegen import names
from varve_codegen.model import Source

_ADVICE = {
    "Timestamp": "use an int64 with (varve.column).time = UNIX_NANOSECONDS",
    "Duration": 'use an int64 with (varve.column).unit = "ns"',
    "Any": "use bytes, and an enum that says what they hold",
    "Struct": "use a map, or a message of your own",
    "Value": "use a oneof",
    "ListValue": "use a repeated field",
    "NullValue": "use `optional`",
    "FieldMask": "use a repeated string",
    "Empty": "use a bool, or an empty message of your own",
}


_OWNERS = ("varve", "protobuf_c", "sqlite3", "pthread")
_FILE_NAME = re.compile(r'[^"*\\\x00-\x1f\x7f]+\Z')  # what an #include and a comment can hold


def check(context):
    for file in context.schema.generated_files():
        _check_file(context, file)
    for message in context.messages():
        for field in message.fields:
            _check_type(context, message, field)


def _check_file(context, file):
    if not _FILE_NAME.match(file.name):
        context.error(
            Source(file.name, ()),
            "the file's name has a quote, an asterisk, a backslash or a control character, which cannot stand in an "
            "#include; rename it",
        )
    if file.syntax != "proto3":
        context.error(
            Source(file.name, (12,)),
            f'the file is in {file.syntax}, varve reads proto3; write syntax = "proto3"; as its first line',
        )
    if not file.package:
        context.error(
            Source(file.name, ()),
            "the file has no package, and every name in C begins with it; add one, such as `package lab;`",
        )
    elif _owner_of(file.package):
        context.error(
            file.at,
            f'the package "{file.package}" would meet the names of {_owner_of(file.package)}; choose another name',
        )
    elif any(part.strip("_") != part or "__" in part for part in file.package.split(".")):
        context.error(
            file.at,
            f'the package "{file.package}" has a part that begins or ends with an underscore, or two in a row, '
            "which C++ reserves; rename it",
        )


def _owner_of(package):
    """The library whose identifiers begin as the package's would, "" where there is none."""
    prefix = names.package_prefix(package) + "_"
    return next((owner for owner in _OWNERS if prefix.startswith(owner + "_")), "")


def _check_type(context, message, field):
    if field.type == "group":
        context.error(field.at, f"{field.name} is a group; use a nested message")
        return
    target = field.target
    if field.is_map:
        value = context.schema.messages[target].field_named("value")
        target = value.target
    schema = context.schema
    definition = schema.messages.get(target) or schema.enums.get(target)
    if definition is None:
        return
    own = "an enum" if target in schema.enums else "a message"
    if definition.package == "google.protobuf":
        context.error(
            field.at,
            f"{field.name} is of the type {target}, which varve does not keep; {_advice(definition.name, own)}",
        )
    elif definition.package == "varve":
        context.error(
            field.at, f"{field.name} is of the type {target}, one of varve's options; use {own} of your own"
        )
    elif schema.files[definition.file].syntax != "proto3":
        context.error(
            field.at,
            f"{field.name} is of the type {target}, and {definition.file} is not proto3; make it proto3, or use "
            f"{own} of your own",
        )


def _advice(name, own):
    wrapped = name[:-5].lower() if name.endswith("Value") else ""
    if wrapped in _SCALARS:
        return f"use `optional {wrapped}`"
    return _ADVICE.get(name, f"use {own} of your own")


_SCALARS = ("double", "float", "int64", "uint64", "int32", "uint32", "bool", "string", "bytes")
