"""Applies migrations to a database of Python's sqlite3, by the same steps as the runtime:

foreign keys off before the one transaction (a rebuilt parent would take its children along); views and
triggers away; every file, statement by statement; JSON copies anew where the statements asked for it;
views and triggers made again; foreign keys checked; tables and indexes compared with those of the schema.

Whatever fails undoes all of it. The system tables are the runtime's alone: they are here so that statements which
would change them are seen, and say nothing.
"""

import functools
import re
import sqlite3

from varve_codegen import ddl
from varve_migrate import json_text, normal, sql_functions, wire
from varve_migrate.forbidden import Forbidden

# As runtime/table/system.c makes them.
_SYSTEM_TABLES = (
    "CREATE TABLE IF NOT EXISTS varve_schema (package TEXT PRIMARY KEY NOT NULL, descriptor_set BLOB NOT NULL, "
    "lock TEXT) STRICT",
    "CREATE TABLE IF NOT EXISTS varve_migration (package TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, "
    "checksum TEXT NOT NULL, reads_ok INTEGER NOT NULL, writes_ok INTEGER NOT NULL, applied_at INTEGER NOT NULL, "
    "PRIMARY KEY (package, number)) STRICT",
    "CREATE TABLE IF NOT EXISTS varve_generation (generation INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS varve_copies (folder BLOB NOT NULL, file TEXT NOT NULL, epoch INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS varve_copied (name TEXT PRIMARY KEY NOT NULL, prefix TEXT NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS varve_invalidation (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS varve_segment (id INTEGER PRIMARY KEY AUTOINCREMENT, message TEXT NOT NULL, "
    "file TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, hash INTEGER NOT NULL, elements INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS varve_dataset (id INTEGER PRIMARY KEY AUTOINCREMENT, segment INTEGER NOT NULL "
    "REFERENCES varve_segment (id) ON DELETE CASCADE, layout BLOB NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS varve_dropped (id INTEGER PRIMARY KEY AUTOINCREMENT, file TEXT NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS varve_sealed (name TEXT PRIMARY KEY NOT NULL, id INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS varve_archive (identity BLOB NOT NULL) STRICT",
)
_DEFINING = ("create", "alter", "drop")  # their texts are kept in the database
_QUOTED = re.compile(
    r"""'(?:[^']|'')*' | `(?:[^`]|``)*` | \[[^\]]*\] | --[^\n]* | /\*.*?(?:\*/|\Z) | "((?:[^"]|"")*)" """,
    re.VERBOSE | re.DOTALL,
)


class ReplayError(Exception):
    """A sentence. `file` and `statement` say where, when a statement of a migration is to blame."""

    def __init__(self, text, file="", statement=""):
        super().__init__(text)
        self.file, self.statement = file, statement


def apply(connection, migrations, state_after, is_checked=True):
    """`migrations` have a name and sql; None for state_after leaves out the comparison and JSON copies. Where rows
    are there that CHECKs do not allow, is_checked is False: the statements run as if there were no CHECKs."""
    enforced = connection.execute("PRAGMA foreign_keys").fetchone()[0]
    isolation, connection.isolation_level = connection.isolation_level, None
    functions = sql_functions.register(connection)
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute(f"PRAGMA ignore_check_constraints = {int(not is_checked)}")
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            _migrate(connection, functions, migrations, state_after)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    except sqlite3.Error as error:
        raise ReplayError(f"after the statements of the migrations SQLite says: {error}") from error
    finally:
        connection.execute(f"PRAGMA foreign_keys = {enforced}")
        connection.execute("PRAGMA ignore_check_constraints = OFF")
        connection.isolation_level = isolation


def _migrate(connection, functions, migrations, state_after):
    for sql in _SYSTEM_TABLES:
        connection.execute(sql)
    set_aside = _set_aside(connection)
    with Forbidden(connection) as forbidden:
        for migration in migrations:
            _run(connection, functions, forbidden, migration)
    if state_after is not None:
        rebuild_copies(connection, state_after, functions.marks)
    _put_back(connection, set_aside)
    check_references(connection)
    if state_after is not None:
        check_tables(connection, state_after)


def _run(connection, functions, forbidden, migration):
    for statement in statements(migration.sql):
        words = normal.words(statement)
        forbidden.expect(words)
        try:
            connection.execute(statement if words[0] in _DEFINING else _strict(statement)).fetchall()
            why = forbidden.shadows()
        except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
            why = forbidden.reason() or functions.words_of(error)
        if why:
            raise ReplayError(f"{migration.name}.sql: {why}; the statement is: {_bare(statement)}", migration.name,
                              statement)


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


def _strict(statement):
    """The statement with its names in backticks. SQLite takes "a" for a string where no column is a; the
    runtime tells it not to (SQLITE_DBCONFIG_DQS_DML), which Python cannot before 3.12."""
    return _QUOTED.sub(lambda match: match[0] if match[1] is None else _backticked(match[1]), statement)


def _backticked(name):
    return "`" + name.replace('""', '"').replace("`", "``") + "`"


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
