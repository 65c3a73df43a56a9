"""What the runtime refuses of a migration's statements (runtime/migrate/script.c), refused by the replay as well: what
would end the transaction, reach out of the database, set the connection otherwise, write the system tables, or hide a
table behind a temporary one."""

import sqlite3
import sys

from varve_migrate import normal

_REACHES = "a migration is of one database, and the statement would reach another; remove it"
_SYSTEM = 'the table "{}" is varve\'s own, which no migration writes; remove the statement'
_SHADOWS = ("SELECT m.name FROM main.sqlite_schema m JOIN sqlite_temp_schema t ON t.name = m.name COLLATE NOCASE WHERE "
            "m.type IN ('table', 'view') AND t.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
# Of each action: which of the two arguments is the table.
_WRITES = {sqlite3.SQLITE_INSERT: 0, sqlite3.SQLITE_UPDATE: 0, sqlite3.SQLITE_DELETE: 0, sqlite3.SQLITE_DROP_TABLE: 0,
           sqlite3.SQLITE_ALTER_TABLE: 1, sqlite3.SQLITE_CREATE_INDEX: 1, sqlite3.SQLITE_CREATE_TRIGGER: 1,
           sqlite3.SQLITE_CREATE_TEMP_TRIGGER: 1}
_TEMPORARY = (sqlite3.SQLITE_CREATE_TEMP_TABLE, sqlite3.SQLITE_CREATE_TEMP_VIEW)


class Forbidden:
    """While it is entered, the connection refuses such statements."""

    def __init__(self, connection):
        self._connection = connection
        self._reason = ""
        self._has_temporary = False
        self._is_pragma = False

    def __enter__(self):
        self._connection.set_authorizer(self._authorize)
        return self

    def __exit__(self, *_):
        # Python before 3.11 cannot take it away.
        self._connection.set_authorizer(None if sys.version_info >= (3, 11) else lambda *_: sqlite3.SQLITE_OK)

    def expect(self, words):
        """The statement that is next. SELECT .. FROM pragma_x() and ALTER TABLE run PRAGMAs too, which only read."""
        self._is_pragma = words[0] == "pragma" or words[0] == "explain" and "pragma" in words[1:4]

    def reason(self):
        """Why a statement was refused, "" when none was: the first one ends the migration."""
        return self._reason

    def shadows(self):
        """A sentence when a temporary table or view has the name of a table: statements would meet that one."""
        if not self._has_temporary:
            return ""
        found = self._connection.execute(_SHADOWS).fetchone()
        return found and f'the temporary table "{found[0]}" hides a table of this name; give it another name'

    def _authorize(self, action, first, second, *_):
        why = self._why_not(action, (first, second))
        self._reason = self._reason or why
        self._has_temporary = self._has_temporary or action in _TEMPORARY
        return sqlite3.SQLITE_DENY if why else sqlite3.SQLITE_OK

    def _why_not(self, action, names):
        if action == sqlite3.SQLITE_TRANSACTION:
            return "all migrations are one transaction, and the statement would begin or end one; remove it"
        if action in (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH):
            return _REACHES
        if action == sqlite3.SQLITE_PRAGMA and self._is_pragma:
            return f"PRAGMA {names[0]} is the runtime's to set, not a migration's; remove it"
        table = names[_WRITES[action]] if action in _WRITES else None
        return _SYSTEM.format(table) if table is not None and normal.fold(table) in normal.LEFT_OUT else ""
