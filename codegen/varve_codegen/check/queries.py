"""Rules of typed queries that need no database: streams, parameters, results."""

from varve_codegen.check.context import is_scalar_column

_EMPTY = "google.protobuf.Empty"


def check(context):
    schema = context.schema
    for file in schema.generated_files():
        tables = any(m.table is not None and m.package == file.package for m in schema.messages.values())
        for service in file.services:
            for method in service.methods:
                if method.sql is not None:
                    _check_query(context, service, method, tables)
                elif method.allow_scan:
                    context.option_error(
                        method.at,
                        "allow_scan",
                        None,
                        f"{service.name}.{method.name} allows a scan and has no query; add option (varve.sql), or "
                        "remove it",
                    )


def _check_query(context, service, method, tables):
    name = f"{service.name}.{method.name}"
    if not method.sql.strip():
        context.option_error(method.at, "sql", None, f"{name} has an empty query; write one SQL statement")
    if not tables:
        context.option_error(
            method.at,
            "sql",
            None,
            f"{name} is a query, and this file and its imports have no table of the package; import the file of "
            "the table",
        )
    if method.client_streaming:
        context.error(
            method.at,
            f"{name} takes a stream, and a query takes one request; remove `stream` before {method.request}",
        )
    if method.server_streaming and method.response == _EMPTY:
        context.error(
            method.at, f"{name} returns a stream of Empty; remove `stream`, or return a message with the columns"
        )
    _check_parameters(context, method, name)
    response = context.schema.messages.get(method.response)
    if method.response != _EMPTY and (response is None or response.package.startswith("google.protobuf")):
        context.error(method.at, f"{name} returns {method.response}; return a message of your own, or Empty")


def _check_parameters(context, method, name):
    if method.request == _EMPTY:
        return
    request = context.schema.messages.get(method.request)
    if request is None or request.package.startswith("google.protobuf"):
        context.error(method.at, f"{name} takes {method.request}; take a message of your own, or Empty")
        return
    for field in request.fields:
        repeated_scalar = field.is_repeated and field.type not in ("message", "bytes") and not field.tensor
        if not is_scalar_column(field) and not repeated_scalar:
            context.error(
                method.at,
                f"{name} takes {method.request}, whose field {field.name} cannot be a parameter; use single and "
                "repeated scalars",
            )
