"""Rules on whole files and on what fields may be: syntax, package, types that varve has no C for."""

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


def check(context):
    for file in context.schema.generated_files():
        _check_file(context, file)
    for message in context.messages():
        for field in message.fields:
            _check_type(context, message, field)


def _check_file(context, file):
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
    elif file.package.split(".")[0] == "varve":
        context.error(
            file.at,
            f'the package "{file.package}" is varve\'s own; choose another name',
        )
    elif any(part.strip("_") != part for part in file.package.split(".")):
        context.error(
            file.at,
            f'the package "{file.package}" has a part that begins or ends with an underscore, which C '
            "reserves; rename it",
        )


def _check_type(context, message, field):
    if field.type == "group":
        context.error(field.at, f"{field.name} is a group; use a nested message")
        return
    target = field.target
    if field.is_map:
        value = context.schema.messages[target].field_named("value")
        target = value.target
    package, _, name = target.rpartition(".")
    if package == "google.protobuf" or package.startswith("google.protobuf."):
        advice = _ADVICE.get(name)
        if advice is None:
            wrapped = name.endswith("Value") and name[:-5].lower() in _SCALARS
            advice = (
                f"use `optional {name[:-5].lower()}`" if wrapped else "use a message of your own"
            )
        context.error(
            field.at, f"{field.name} is of the type {target}, which varve does not keep; {advice}"
        )
    elif target.split(".")[0] == "varve":
        context.error(
            field.at,
            f"{field.name} is of the type {target}, one of varve's options; use a message of your own",
        )


_SCALARS = ("double", "float", "int64", "uint64", "int32", "uint32", "bool", "string", "bytes")
