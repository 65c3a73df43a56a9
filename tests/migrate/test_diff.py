"""Golden tests of migrations: every folder under cases/ is one change of a schema.

    test_diff.py                     all cases
    test_diff.py swap drop_column    these
    test_diff.py --regen [CASE..]    write what is made now as what is expected: read it

A case has before.proto and after.proto, and between.proto where history matters (after_x.proto is x.proto beside
after.proto); `drops.txt` with the messages that may go; and what is expected:

    expected.txt   the changes with the verdict on programs of the version before (reads/writes) and what
                   happens in each tier; or the errors, when there can be no migration
    expected.sql   the migration

Every migration is then run on the tables of before.proto, as the runtime does it, and the tables must be
those of after.proto; and again with synthetic rows, of which no value may be lost. `rows.sql` puts rows and
views of its own there first; `expected.rows` is what all tables, views and sqlite_sequence hold afterwards.
"""

import argparse
import difflib
import os
import sqlite3
import sys
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "codegen"))
sys.dont_write_bytecode = True

from varve_cli import schemas  # noqa: E402
from varve_codegen import lock, state  # noqa: E402
from varve_migrate import change, diff, replay, sql_functions, steps, verify  # noqa: E402



class Failure(Exception):
    """Why a case fails."""


@dataclass
class Migration:
    name: str
    sql: str
    changes: list = field(default_factory=list)


def main():
    parser = argparse.ArgumentParser(description="Golden tests of migrations.")
    parser.add_argument("--regen", action="store_true", help="rewrite what is expected")
    parser.add_argument("case", nargs="*")
    arguments = parser.parse_args()
    every = sorted(path for path in (HERE / "cases").iterdir() if path.is_dir())
    cases = [HERE / "cases" / name for name in arguments.case] or every
    runs = [(case, partial(run, case, arguments.regen)) for case in cases]
    if not arguments.case:
        runs += [(HERE / "foreign_keys_on", check_guard), (HERE / "kinds", check_kinds)]
    failed = sum(not passes(*entry) for entry in runs)
    print(f"{len(runs) - failed} passed, {failed} failed")
    return 1 if failed or not cases else 0


def passes(case, check):
    try:
        check()
    except (Failure, replay.ReplayError, schemas.SchemaError) as failure:
        print(f"FAILED {case.name}\n    " + str(failure).rstrip().replace("\n", "\n    "))
        return False
    return True


def run(case, regen):
    before = captured(case, "before.proto")
    first = diff.compare(state.empty(before.package), before)
    if first.errors:
        raise Failure(f"before.proto: {first.errors}")
    if (case / "between.proto").is_file():
        first = diff.compare(first.state, captured(case, "between.proto"), drops_of(case))
    after = captured(case, "after.proto")
    found = diff.compare(first.state, after, set() if (case / "between.proto").is_file() else drops_of(case))
    expect(case, "expected.txt", described(found), regen)
    if found.errors:
        expect(case, "expected.sql", None, regen)
        return
    check_lock(first.state, found)
    sql = steps.sql(first.state, found.state, found.changes)
    expect(case, "expected.sql", sql, regen)
    check_sentences(sql, found.changes)
    created = diff.compare(state.empty("lab"), first.state)
    made = Migration("0001_first", steps.sql(state.empty("lab"), first.state, created.changes))
    migration = Migration("0002_case", sql)
    check_rows(case, (first.state, made), (found.state, migration), regen)
    check_proof((first.state, made), (found.state, migration))


def drops_of(case):
    path = case / "drops.txt"
    return set(path.read_text().split()) if path.is_file() else set()


def captured(case, name):
    with tempfile.TemporaryDirectory() as work:
        (Path(work) / "lab.proto").write_text((case / name).read_text())
        for part in case.glob(name.replace(".proto", "_*.proto")):
            (Path(work) / part.name.partition("_")[2]).write_text(part.read_text())
        loaded = schemas.load(sorted(map(str, Path(work).glob("*.proto"))), [])
    return state.capture(loaded.schema, "lab")


# -------------------------------------------------------------------- texts


def described(found):
    if found.errors:
        return "".join(f"error {e.message} {e.number}: {e.text}\n" for e in found.errors)
    lines = []
    for told in found.changes:
        verdict = "/".join("yes" if ok else "no" for ok in (told.reads_ok, told.writes_ok))
        lines.append(f"{told.kind} ({verdict}) {told.sentence}")
        lines += [f"    {tier}: {text}" for tier, text in told.tiers.items() if text]
    lines += [f"lock: {line}" for line in lock.lines(found.state) if line.startswith(("retired ", "gone "))]
    return "".join(f"{line}\n" for line in lines) or "no change\n"


def expect(case, name, text, regen):
    path = case / name
    known = path.read_text() if path.is_file() else None
    if regen and text != known:
        if text is None:
            path.unlink()
        else:
            path.write_text(text)
    elif text != known:
        lines = difflib.unified_diff((known or "").splitlines(), (text or "").splitlines(), name, "now", lineterm="")
        raise Failure("\n".join(lines))


def check_lock(before, found):
    """Whatever the lock says of two states is a change, and no change is nothing."""
    old, new = ([li for li in lock.lines(s) if not li.startswith(("retired ", "gone "))] for s in (before, found.state))
    if (old != new) != bool(found.changes):
        raise Failure(f"{len(found.changes)} changes, and the locks are {'other' if old != new else 'the same'}")
    if lock.lines(lock.parse_lines(lock.lines(found.state), "lab")) != lock.lines(found.state):
        raise Failure("the lock of the new state is read as another")


def check_sentences(sql, changes):
    """Each change is told once, and statements stand below comments."""
    for told in changes:
        if sql.count(f"-- {told.sentence}\n") != sum(c.sentence == told.sentence for c in changes):
            raise Failure(f"not told once: {told.sentence}")
    for part in filter(None, sql.split("\n\n")):
        if not part.startswith("-- "):
            raise Failure(f"no comment above: {part}")


# -------------------------------------------------------------------- running


def check_rows(case, first, second, regen):
    """The migration over the rows of the case, in tables made by before.proto."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.execute("PRAGMA foreign_keys = ON")
    try:
        replay.apply(database, [first[1]], first[0])
        rows = case / "rows.sql"
        if rows.is_file():
            database.executescript(rows.read_text())
        replay.apply(database, [second[1]], second[0])
        expect(case, "expected.rows", contents(database) if rows.is_file() else None, regen)
    finally:
        database.close()


def contents(database):
    """All rows, with columns by name, whatever their order in the table."""
    lines = []
    wanted = "type IN ('table', 'view') AND (name NOT LIKE 'sqlite_%' OR name = 'sqlite_sequence')"
    found = database.execute(f"SELECT name FROM sqlite_schema WHERE {wanted} ORDER BY name").fetchall()
    for (name,) in found:
        cursor = database.execute(f'SELECT * FROM "{name}" ORDER BY 1')
        names = [column[0] for column in cursor.description]
        for row in cursor:
            values = sorted((n, v) for n, v in zip(names, row) if n != "varve_unknown" or v is not None)
            lines.append(f"{name}: " + " ".join(f"{n}={v!r}" for n, v in values))
    return "".join(f"{line}\n" for line in lines)


def check_kinds():
    """Every kind of change is in a case, and no other."""
    texts = (path.read_text() for path in (HERE / "cases").glob("*/expected.txt"))
    told = {line.split(" ")[0] for text in texts for line in text.splitlines() if " (yes/" in line or " (no/" in line}
    if told != set(change.KINDS):
        raise Failure(f"in no case, or unknown: {sorted(told ^ set(change.KINDS))}")


def check_guard():
    """Where foreign keys are on after all, the children of a table that is written anew would go with it: the
    migration sees it, and fails."""
    case = HERE / "cases" / "rebuild_cascading_parent"
    before = diff.compare(state.empty("lab"), captured(case, "before.proto"))
    database = sqlite3.connect(":memory:", isolation_level=None)
    functions = sql_functions.register(database)
    try:
        database.executescript(steps.sql(state.empty("lab"), before.state, before.changes))
        database.executescript((case / "rows.sql").read_text())
        database.execute("PRAGMA foreign_keys = ON")
        for statement in replay.statements((case / "expected.sql").read_text()):
            database.execute(statement).fetchall()
    except sqlite3.Error as error:
        if "records of the table visit went" not in functions.words_of(error):
            raise Failure(f"with foreign keys on: {functions.words_of(error)}") from None
        return
    finally:
        database.close()
    raise Failure("with foreign keys on the children went, and nobody noticed")


def check_proof(first, second):
    report = verify.verify([first, second], versions=[1])
    if not report.ok:
        raise Failure("\n".join(report.failures[:5]))


if __name__ == "__main__":
    os.environ.setdefault("VARVE_PYTHON", sys.executable)
    sys.exit(main())
