"""What is in a database of the survey schema, read without varve: so that two can be compared whole."""

import contextlib
import hashlib
import pathlib
import sqlite3


class Broken(Exception):
    """Says how a database is damaged."""


def _check(database: sqlite3.Connection) -> None:
    found = database.execute("PRAGMA integrity_check").fetchall()
    if found != [("ok",)]:
        raise Broken(f"integrity_check says {found[:3]}")
    found = database.execute("PRAGMA foreign_key_check").fetchall()
    if found:
        raise Broken(f"foreign_key_check says {found[:3]}")


def _digest(rows) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr(row).encode())
    return digest.hexdigest()


def _rows(database: sqlite3.Connection, table: str):
    """A table's rows in the order of their rowids; when a migration was applied is another time in each trial."""
    if table == "varve_migration":
        return database.execute("SELECT package, number, name, checksum, reads_ok, writes_ok, applied_at > 0 "
                                "FROM varve_migration ORDER BY package, number")
    if table == "varve_copies":  # the folder is random, too
        return database.execute("SELECT length(folder), file, epoch FROM varve_copies")
    if table == "varve_archive":  # random as well
        return database.execute("SELECT length(identity) FROM varve_archive")
    if table == "sqlite_sequence":
        return database.execute("SELECT name, seq FROM sqlite_sequence ORDER BY name")
    return database.execute(f'SELECT rowid, * FROM "{table}" ORDER BY rowid')


def contents(path: pathlib.Path) -> dict[str, str]:
    """Digests of the rows of every table and view, and the text of every object; {} of a database that is empty or not
    there. Broken says what is wrong with it."""
    if not path.exists():
        return {}
    try:
        with contextlib.closing(sqlite3.connect(path)) as database:
            _check(database)
            objects = database.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema").fetchall()
            found = {f"{kind} {name}": f"{table}: {sql}" for kind, name, table, sql in objects}
            for kind, name, _, _ in objects:
                if kind == "table":
                    found[f"rows of {name}"] = _digest(_rows(database, name))
                elif kind == "view":
                    found[f"rows of {name}"] = _digest(database.execute(f'SELECT * FROM "{name}"'))
            version = database.execute("PRAGMA user_version").fetchone()[0]
            return {**found, "user_version": str(version)} if objects else {}
    except sqlite3.Error as error:
        raise Broken(f"reading {path.name}: {error}") from error


def difference(found: dict[str, str], expected: dict[str, str]) -> str:
    """The names of what differs; "" when nothing does."""
    names = sorted(found.keys() | expected.keys())
    return ", ".join(name for name in names if found.get(name) != expected.get(name))
