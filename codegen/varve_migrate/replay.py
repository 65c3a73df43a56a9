"""Applies migrations to a database of Python's sqlite3, by the same steps as the runtime:

foreign keys off before the one transaction (a rebuilt parent would take its children along); views and
triggers away; every file, statement by statement; JSON copies anew where the statements asked for it;
views and triggers made again; foreign keys checked; tables and indexes compared with those of the schema.

Whatever fails undoes all of it. The system tables are the runtime's alone.
"""

import functools
import sqlite3

from varve_codegen import ddl
from varve_migrate import json_text, normal, sql_functions, wire


class ReplayError(Exception):
    """A sentence. `file` and `statement` say where, when a statement of a migration is to blame."""

    def __init__(self, text, file="", statement=""):
        super().__init__(text)
        self.file, self.statement = file, statement


def apply(connection, migrations, state_after):
    """`migrations` have a name and sql; None for state_after leaves out the comparison and JSON copies."""
    enforced = connection.execute("PRAGMA foreign_keys").fetchone()[0]
    isolation, connection.isolation_level = connection.isolation_level, None
    functions = sql_functions.register(connection)
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            _migrate(connection, functions, migrations, state_after)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    finally:
        connection.execute(f"PRAGMA foreign_keys = {enforced}")
        connection.isolation_level = isolation


def _migrate(connection, functions, migrations, state_after):
    set_aside = _set_aside(connection)
    for migration in migrations:
        _run(connection, functions, migration)
    if state_after is not None:
        rebuild_copies(connection, state_after, functions.marks)
    _put_back(connection, set_aside)
    check_references(connection)
    if state_after is not None:
        check_tables(connection, state_after)


def _run(connection, functions, migration):
    for statement in statements(migration.sql):
        if _ends_transaction(normal.words(statement)):
            raise ReplayError(f"{migration.name}.sql: all migrations are one transaction, and a statement would begin "
                              f"or end one: {_bare(statement)}; remove it", migration.name, statement)
        try:
            connection.execute(statement).fetchall()
        except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
            raise ReplayError(f"{migration.name}.sql: {functions.words_of(error)}; the statement is: "
                              f"{_bare(statement)}", migration.name, statement) from None


@functools.lru_cache(maxsize=1024)
def statements(sql):
    """The statements of a text, each with its semicolon; comments between them come along."""
    found, start, at = [], 0, 0
    while (end := sql.find(";", at) + 1) > 0:
        at = end
        if sqlite3.complete_statement(sql[start:end]):
            found.append(sql[start:end].strip())
            start = end
    if normal.words(sql[start:]):
        found.append(sql[start:].strip())
    return tuple(statement for statement in found if normal.words(statement) != [";"])


def _ends_transaction(words):
    return words[0] in ("begin", "commit", "end") or words[0] == "rollback" and "to" not in words


def _bare(statement):
    lines = (line for line in statement.split("\n") if not line.lstrip().startswith("--"))
    return " ".join(" ".join(lines).split())


# -------------------------------------------------------------------- views and triggers


def _set_aside(connection):
    """Drops views and triggers, of users all of them; what makes them again."""
    found = connection.execute(
        "SELECT type, name, sql FROM sqlite_schema WHERE type IN ('view', 'trigger') ORDER BY type = 'trigger', rowid"
    ).fetchall()
    for kind, name, _ in reversed(found):
        connection.execute(f"DROP {kind.upper()} IF EXISTS {ddl.quote(name)}")
    return found


def _put_back(connection, found):
    for kind, name, sql in found:
        try:
            connection.execute(sql)
        except sqlite3.Error as error:
            raise ReplayError(_cannot_stand(kind, name, error)) from None
    for kind, name, _ in found:
        if kind == "view":
            try:
                connection.execute(f"SELECT * FROM {ddl.quote(name)} LIMIT 0")
            except sqlite3.Error as error:
                raise ReplayError(_cannot_stand(kind, name, error)) from None


def _cannot_stand(kind, name, error):
    return (f'the {kind} "{name}" does not fit the tables after the migration ({error}); drop it before, and make it '
            "anew for them")


# -------------------------------------------------------------------- JSON copies


def rebuild_copies(connection, state, marks):
    """Writes the JSON copies of (message, number) anew, of those that are still there."""
    for name, number in marks:
        message = state.messages.get(name)
        field = message.field_of(number) if message is not None and message.table else None
        if field is not None and field.json:
            _rebuild(connection, state, message, field)


def _rebuild(connection, state, message, field):
    keys = [ddl.quote(f.name) for f in message.primary_key]
    table = ddl.quote(message.table)
    rows = connection.execute(f"SELECT {', '.join([*keys, ddl.quote(field.name)])} FROM {table}").fetchall()
    where = " AND ".join(f"{key} IS ?" for key in keys)
    for *key, data in rows:
        try:
            text = json_text.copy(state, field, data)
        except wire.WireError as error:
            raise ReplayError(f"{message.name} {tuple(key)}: field {field.number} ({field.name}) holds bytes that are "
                              f"no {field.target}, so it has no JSON copy: {error}") from None
        connection.execute(f"UPDATE {table} SET {ddl.quote(field.name + '_json')} = ? WHERE {where}", (text, *key))


# -------------------------------------------------------------------- checks


def check_references(connection):
    found = connection.execute("PRAGMA foreign_key_check").fetchall()
    if found:
        table, row, parent, _ = found[0]
        raise ReplayError(f'{len(found)} references of the tables lead nowhere after the migration: first that of row '
                          f'{row} of "{table}" to "{parent}"; remove or mend such rows in the migration')


def expected_objects(state):
    """Normal forms of all tables and indexes of the state."""
    return normal.of_statements(sql for message in state.tables() for sql in ddl.statements(state, message))


def tables_of(state):
    staged = [ddl.staged_name(m) for m in state.tables() if m.tensors]
    return [m.table for m in state.tables()] + staged


def check_tables(connection, state):
    found = normal.differences(expected_objects(state), normal.of_database(connection, tables_of(state)))
    if found:
        raise ReplayError("the tables are not those of the schema after the migration: " + "; ".join(found))
