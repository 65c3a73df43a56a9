"""Tries queries on SQLite: those of a file on the tables of the file and of what it imports, and any query on the
tables of any state."""

import dataclasses
import difflib
import time
from dataclasses import dataclass

from varve_codegen import ddl, sqlite, state
from varve_codegen.query import rows, statement, types

_SECONDS = 1.0  # that a query may take on all its synthetic rows together


@dataclass(frozen=True)
class Query:
    """A typed query without its schema. The fields of messages are state.Field by name, tensors left out."""

    name: str  # as sentences call it: "Episodes.Recent"
    sql: str
    allow_scan: bool
    request: str  # the message's full name
    response: str
    parameters: dict  # fields of the request
    fields: dict  # of the response; empty where that is Empty
    has_optional_tensors: bool  # of the response


def check(context):
    """Runs when the schema has no other errors: the tables can be made."""
    for file in context.schema.generated_files():
        methods = [(service, m) for service in file.services for m in service.methods if m.sql is not None]
        if not methods:
            continue
        tables = _of_file(context.schema, file)
        for service, method in methods:
            query = of_method(context.schema, f"{service.name}.{method.name}", method)
            for text in problems(tables, query):
                context.option_error(method.at, "sql", None, f"{query.name}: {text}")
        tables.database.close()


def of_method(schema, name, method):
    response = schema.messages.get(method.response)
    tensors = response.fields if response is not None else ()
    return Query(
        name=name,
        sql=method.sql,
        allow_scan=method.allow_scan,
        request=method.request,
        response=method.response,
        parameters=_fields(schema, method.request),
        fields=_fields(schema, method.response),
        has_optional_tensors=any(f.tensor is not None and f.may_be_absent for f in tensors),
    )


def _fields(schema, message):
    found = schema.messages.get(message)
    if found is None or found.package.startswith("google.protobuf"):
        return {}
    return {f.name: state.shape(schema, f) for f in found.fields if f.tensor is None}


def problems(tables, query):
    """What is wrong with the query on these tables, sentence by sentence."""
    trial = _Trial(tables, query)
    trial.check()
    return trial.problems


def _of_file(schema, file):
    visible = schema.visible_files(file.name)
    everything = state.capture(schema, file.package)
    hidden, messages = {}, {}
    for name, message in everything.messages.items():
        where = schema.messages[name].file
        if message.table and where not in visible:
            hidden[message.table] = where
        else:
            messages[name] = message
    return Tables(everything, dataclasses.replace(everything, messages=messages), hidden)


class Tables:
    """A database with the empty tables that queries may use: those of `shown`, a part of the whole state. `hidden`
    says in which file another table is that could be imported."""

    def __init__(self, everything, shown=None, hidden=None):
        self.hidden = hidden or {}
        self.state = shown or everything
        self.by_table = {m.table.lower(): m for m in self.state.tables()}
        self.database = sqlite.Database()
        self.database.execute("PRAGMA foreign_keys = OFF")
        for name in ("json_each", "json_tree"):  # their first use writes sqlite_master, as the authorizer sees it
            self.database.rows(f"SELECT 1 FROM {name}('[]')")
        for message in ddl.in_order(self.state):
            self.database.execute(";\n".join(ddl.statements(everything, message)))
        self.rows = rows.Rows(self.database, everything)

    def message(self, table):
        return self.by_table.get(table.lower())


class _Trial:
    def __init__(self, tables, query):
        self._tables, self._query = tables, query
        self._database = tables.database
        self.problems = []

    def _error(self, text):
        self.problems.append(text)

    # ---------------------------------------------------------------- the statement

    def check(self):
        if not statement.is_query(self._query.sql):
            self._error("it is no SELECT, INSERT, UPDATE or DELETE; tables are made by the schema, transactions by calls")
            return
        conflict = statement.bad_conflict(self._query.sql)
        if conflict:
            self._error(f"{conflict[0]} {conflict[1]}")
            return
        try:
            prepared, uses = statement.prepare(self._database, self._query.sql)
        except sqlite.Failure as failure:
            self._error(f"SQLite says {failure}; {self._mend(str(failure))}")
            return
        if prepared is None:
            self._error(f"{uses.refused}; a query reads or writes records of the schema's tables")
            return
        try:
            self._check_statement(prepared, uses)
        finally:
            prepared.close()

    def _mend(self, failure):
        table = failure.partition("no such table: ")[2]
        if not table:
            return "correct the statement"
        if table in self._tables.hidden:
            return f'import "{self._tables.hidden[table]}"'
        known = sorted(m.table for m in self._tables.by_table.values())
        close = difflib.get_close_matches(table, known, 1)
        return f"did you mean {close[0]}?" if close else f"the tables here are {', '.join(known)}"

    def _check_statement(self, prepared, uses):
        if statement.has_more(prepared.tail):
            self._error("there is a second statement behind the first; make it a method of its own")
        self._check_parameters(prepared)
        self._check_result(prepared)
        self._check_writes(uses)
        self._check_scans()
        if not self.problems:
            self._run(prepared, uses)

    def _check_parameters(self, prepared):
        message = self._query.request
        for name in prepared.parameters:
            if name is None or not name.startswith(":"):
                self._error(f"the parameter {name or '?'} has no name of a field; write it as :name")
            elif name[1:] not in self._query.parameters:
                self._error(f"the parameter {name} is no field of {message}; add the field, or correct the name")

    # ---------------------------------------------------------------- its result

    def _check_result(self, prepared):
        response = self._query.response
        returns_rows = response != "google.protobuf.Empty"
        columns = [c for c in prepared.columns if not self._is_ignored(c)]
        if returns_rows and not columns:
            self._error(f"it gives no rows for {response}; add RETURNING, or return google.protobuf.Empty")
            return
        if not returns_rows:
            if prepared.columns and prepared.is_readonly:
                self._error("it reads, and returns nothing; return a message with its columns")
            elif prepared.columns:
                self._error("it returns google.protobuf.Empty; remove RETURNING, or return a message with its columns")
            return
        names = [c.name for c in columns]
        for name in dict.fromkeys(names):
            if names.count(name) > 1:
                self._error(f"two columns of the result are {name}; name one of them with AS")
            elif name not in self._query.fields:
                self._error(
                    f"the result's column {name} is no field of {response}; add the field, or name the "
                    "column with AS"
                )
        for name in self._query.fields:
            if name not in names:
                self._error(f"field {name} of {response} is no column of the result; select it, or remove it")
        for column in columns:
            self._check_origin(column)
        self._check_optional_tensors()

    def _is_ignored(self, column):
        """What SELECT * gives beside the fields: varve's own columns, and JSON copies that nobody asks for."""
        message = self._tables.message(column.table) if column.table else None
        copies = {f"{f.name}_json" for f in message.columns if f.json} if message else ()
        is_copy = column.origin in copies and column.name not in self._query.fields
        return is_copy or column.name.lower().startswith("varve_")

    def _check_origin(self, column):
        """A column that is one of a table has its type."""
        field = self._query.fields.get(column.name)
        message = self._tables.message(column.table) if column.table else None
        origin = next((f for f in message.columns if f.name == column.origin), None) if message else None
        if field is None or origin is None:
            return
        mend = types.misfit(origin, field)
        if mend:
            self._error(
                f"the result's column {column.name} is {types.shown(origin)} in table {message.table}, and field "
                f"{field.name} of {self._query.response} is {types.shown(field)}; {mend}"
            )

    def _check_optional_tensors(self):
        if self._query.has_optional_tensors:
            self._error(
                f"{self._query.response} has optional tensors, and a query does not tell whether they are there; "
                "return a message of your own"
            )

    # ---------------------------------------------------------------- what it writes

    def _check_writes(self, uses):
        if {t.lower() for t in uses.written} != {t for t in [statement.written_table(self._query.sql).lower()] if t}:
            self._error("it is not clear which table it changes; write the name of one table behind INTO, UPDATE or FROM")
        for table in sorted(uses.written):
            message = self._tables.message(table)
            if message is None:
                continue
            name = message.name.rpartition(".")[2]
            if table in uses.inserted and any(not f.tensor.optional for f in message.tensors):
                self._error(f"{name} has tensors, which SQL cannot insert; call the generated insert")
            if table in uses.updated:
                self._check_updated(message, name, uses.updated[table])

    def _check_updated(self, message, name, columns):
        dims = {int(d[1:]) for f in message.tensors for d in f.tensor.dims if d.startswith("#")}
        for field in message.columns:
            if field.version and field.name not in columns:
                self._error(
                    f"an update of {name} raises its version, so that others notice; "
                    f"add {field.name} = {field.name} + 1"
                )
            if {field.name, f"{field.name}_json"} & columns and field.type == "message":
                self._error(f"{field.name} of {name} is a message, which SQL cannot write; call the generated update")
            if field.name in columns and field.number in dims:
                self._error(f"{field.name} of {name} is a dim of its tensors; write it with them")
        if any(c.startswith("varve_") for c in columns):
            self._error("columns named varve_.. are varve's own; leave them out")

    def _check_scans(self):
        if self._query.allow_scan or self.problems:
            return
        found = statement.scans(self._database, self._query.sql)
        if found:
            self._error(
                f"it reads all of {' and '.join(found)}, which takes the longer the more there is; add an index, or "
                "option (varve.allow_scan) = true"
            )

    # ---------------------------------------------------------------- on rows

    def _run(self, prepared, uses):
        """On tables that are empty, filled, filled with extremes, filled but for one."""
        touched = [m.table for m in self._tables.by_table.values() if m.table in uses.tables]
        fields = [self._query.parameters[name[1:]] for name in prepared.parameters]
        values = rows.parameters(fields, statement.limits(self._query.sql))
        problems = {}
        end = time.process_time() + _SECONDS
        try:
            for tables, kind in _fillings(touched):
                self._run_filled(prepared, (tables, kind), values, end, problems)
        except sqlite.Failure as failure:
            problems[""] = self._failure(failure)
        for name, problem in problems.items():
            self._error(problem if not name else f"the result's column {name} may be {problem}")

    def _run_filled(self, prepared, filling, values, end, problems):
        database = self._database
        database.execute("SAVEPOINT filled")
        try:
            self._tables.rows.fill(*filling)
            for given in values:
                database.execute("SAVEPOINT run")
                database.end_at(end)
                self._run_once(prepared, given, problems)
                database.end_at(None)
                database.execute("ROLLBACK TO run; RELEASE run")
        finally:
            database.end_at(None)
            database.execute("ROLLBACK TO filled; RELEASE filled")

    def _run_once(self, prepared, given, problems):
        fields = [self._query.fields.get(c.name) for c in prepared.columns]
        try:
            for row in prepared.run(given):
                for field, (kind, value) in zip(fields, row):
                    problem = types.problem(field, kind, value) if field is not None else ""
                    if problem:
                        problems.setdefault(field.name, problem)
        except sqlite.Failure as failure:
            if not _depends_on_data(failure):
                raise

    @staticmethod
    def _failure(failure):
        if failure.code == sqlite.INTERRUPT:
            return (
                "it ran for over a second on a few synthetic rows; if it recurses, bound that, such as with "
                "WHERE depth < :depth"
            )
        return f"SQLite says {failure}, when it runs; correct the statement"


def _fillings(tables):
    """(tables to fill, kind of rows) of each run."""
    found = [((), rows.TYPICAL), (tables, rows.TYPICAL), (tables, rows.NUMBERS), (tables, rows.TEXTS)]
    if len(tables) > 1:
        found += [([t for t in tables if t != left_out], rows.TYPICAL) for left_out in tables]
    if len(tables) > 2:
        found += [([t], rows.TYPICAL) for t in tables]
    return found


def _depends_on_data(failure):
    """Whether other rows, or other values, would not have it: constraints and overflows."""
    primary = failure.code & 0xFF
    if primary == sqlite.CONSTRAINT:
        return failure.code != sqlite.CONSTRAINT_DATATYPE
    return primary == sqlite.TOOBIG or "overflow" in str(failure)
