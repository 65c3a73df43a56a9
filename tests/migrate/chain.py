"""A proof for long histories: one database goes through all versions, one migration after the other, and gets
new rows at each. So the rows of every version come to the newest one, at the cost of one run; verify.verify()
makes a run of its own for each version, which is what a program of that version does.
"""

import random
import sqlite3

import lab  # noqa: F401 (the path of what follows)
from varve_migrate import fill, line, replay, values, verify


def verify_chain(history, seed=1, rows=1, window=0):
    """Like verify.verify(), of the same history. With a window only so many versions are one run, of which the
    next one begins with the last: a history of thousands would take too long."""
    report = verify.Report()
    base = sqlite3.connect(":memory:", isolation_level=None)
    try:
        replay.apply(base, [history[0][1]], history[0][0])
        for start in range(0, max(len(history) - 1, 1), window or len(history)):
            part = history[start:start + window + 1] if window else history
            _run(part, report, base, random.Random(f"{seed} {start}"), rows, start + 1)
            replay.apply(base, [migration for _, migration in part[1:]], None)
    except replay.ReplayError as error:
        report.failures.append(str(error))
    finally:
        base.close()
    if report.values == 0 and not report.failures:
        report.failures.append("no value was compared, so nothing is proven")
    return report


def _run(history, report, base, source, rows, first):
    database = verify.copy_of(base)
    try:
        _Chain(verify.History(history), report, database, source, rows, first).run()
    finally:
        database.close()


class _Chain:
    """One run. The database is at the first version, the number `first` of all, and empty."""

    def __init__(self, history, report, database, source, rows, first):
        self._history = history
        self._report = report
        self._database = database
        self._random = source
        self._rows = rows
        self._first = first
        self._written = fill.Written()

    def run(self):
        for number, state in enumerate(self._history.states, 1):
            if number > 1:
                before = verify.sequences_of(self._database)
                replay.apply(self._database, [self._history.migrations[number - 1]], state, not self._written.forced)
                self._advance(number, before)
            self._fill(number)
        self._compare(number)

    def _fill(self, number):
        """Rows that all later versions take."""
        states, renames = self._history.states[number - 1:], self._history.renames[number:]
        lines = {name: line.of_message(states, renames, name) for name in states[0].messages}
        there = self._written.count
        forced = self._written.forced
        self._written = fill.fill(self._database, states[0], self._random, self._rows, lines, 0, self._written)
        self._written.forced |= forced
        self._report.versions += 1
        self._report.rows += self._written.count - there
        self._report.notes += [f"version {self._first + number - 1}: {note}" for note in self._written.notes]

    def _advance(self, number, sequences):
        """What is expected, taken to this version."""
        states = self._history.states[number - 2:number]
        renames = self._history.renames[number - 1:number]
        lines = {name: line.of_message(states, renames, name) for name in states[0].messages}
        result = fill.Written(scratch=self._written.scratch)
        for name, rows in self._written.rows.items():
            if len(lines[name].steps) < 2:
                continue
            (_, old), (_, new) = lines[name].steps
            later = self._written.later[name]
            if old is not new:
                moved = {key: verify.advance(row, old, new) for key, row in rows.items()}
                later = {values.key_of(new, moved[key]): _later(row, old, new) for key, row in later.items()}
                rows = {values.key_of(new, row): row for row in moved.values()}
            result.rows[new.name], result.later[new.name] = rows, later
            result.forced |= {new.name} if name in self._written.forced else set()
            keys, version = self._written.keys[name]
            result.keys[new.name] = keys, version + 1
        self._written = result
        self._check(number, states, lines).sequences(sequences)

    def _check(self, number, states, lines):
        forced = self._written.forced & lines.keys()
        return verify.Check(self._report, self._database, states, lines, self._first + number - len(states), [], None,
                            forced)

    def _compare(self, number):
        state = self._history.states[-1]
        lines = {name: line.Line(((state, message),)) for name, message in state.messages.items()}
        check = self._check(number, [state], lines)
        check.compare(self._written.rows)


def _later(row, old, new):
    """The values of a row, with those that later versions find, for the next version."""
    result = dict(row)
    known, wanted = ({f.number: f for f in message.fields} for message in (old, new))
    for number in known.keys() | wanted.keys():
        before, after = known.get(number), wanted.get(number)
        if after is None:
            result.pop(number, None)
        elif before is not None:
            result[number] = values.convert(row.get(number), before, after)
        elif row.get(number) is None and not after.is_nullable and after.tensor is None:
            result[number] = values.zero(after)
    return result
