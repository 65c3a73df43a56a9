"""What templates look up of typed queries."""

from varve_codegen.query import statement
from varve_codegen.render import layout

_EMPTY = "google.protobuf.Empty"
_SQL_WIDTH = 84


class QueryView:
    def __init__(self, schema, package, service, method):
        self.c = method.c
        self.name = layout.quoted(f"{service.full_name}.{method.name}")
        self.request = _struct(schema, method.request)
        self.response = _struct(schema, method.response)
        self.is_many = method.server_streaming
        self.written = _written(schema, package, method.sql)
        lines = _lines(method.sql)
        self.sql = [f"        {layout.quoted(line)}" for line in lines]
        self.is_long = len(method.sql) > 4000
        self.text = _text(service, method, lines, self)


def streamed(schema, file):
    """The messages that the file's queries give many of and that have no _next of their own."""
    names = [m.response for s in file.services for m in s.methods if m.sql is not None and m.server_streaming]
    messages = [schema.messages[name] for name in dict.fromkeys(names)]
    return [m for m in messages if m.table is None and not (m.cache is not None and m.cache.index_by)]


def messages(schema, file):
    """The messages that the file's queries take and give."""
    names = [n for s in file.services for m in s.methods if m.sql is not None for n in (m.request, m.response)]
    return [schema.messages[n] for n in dict.fromkeys(names) if n != _EMPTY]


def written(schema, file):
    """The messages that the file's queries change."""
    found = [_written(schema, file.package, m.sql) for s in file.services for m in s.methods if m.sql is not None]
    return [m for m in found if m is not None]


def _struct(schema, name):
    return schema.messages[name].c if name != _EMPTY else ""


def _written(schema, package, sql):
    table = statement.written_table(sql).lower()
    tables = (m for m in schema.messages.values() if m.table is not None and m.package == package)
    return next((m for m in tables if m.table_name.lower() == table), None)


def _lines(sql):
    """The statement in lines, each but the last with its space."""
    lines, line = [], ""
    for part in sql.strip().split(" "):
        if line and len(line) + len(part) > _SQL_WIDTH:
            lines.append(line)
            line = ""
        line += part + " "
    return lines + [line[:-1]]


def _text(service, method, lines, view):
    full_name = f"{service.full_name}.{method.name}"
    text = f"{method.comment}\n({full_name})" if method.comment else full_name
    shown = "\n".join("    " + line.rstrip() for part in lines for line in part.split("\n"))
    return f"{text}\n\n{shown}\n\n{_result(view)}"


def _result(view):
    if not view.response:
        return "varve_changes() says how many records it changed."
    if view.is_many:
        return f"Step with {view.response}_next(), close *cursor with varve_cursor_close()."
    return (
        f"One row: release it with {view.response}_free(). VARVE_NOT_FOUND: there is none; VARVE_INVALID: there are "
        "several."
    )
