"""The folder of migrations: NNNN_name.sql for each step from one version of a schema to the next, and
schema.lock, the state that they lead to.

A migration opens with its head, a block of comments:

    -- 0003_add_mood: written by `varve migrate new`. Statements added at the end are kept and run too.
    -- package: lab
    -- reads_ok: yes
    -- writes_ok: no
    -- lock - field lab.Sample 2 name string unique
    -- lock + field lab.Sample 2 title string unique

Who adds statements that change values says so in the head, once for each field: "-- changes: lab.Sample 5".
`varve migrate verify` does not compare these.

Its lock lines are the difference of the schema's state (lock.lines) before and after. They are the only
copy of past versions: states() replays them from nothing. schema.lock repeats where they end, so that
two branches that use one number meet in it when they are merged; it can be written anew at any time.
"""

import hashlib
import os
import re
import sqlite3
from dataclasses import dataclass

from varve_codegen import expression, lock, state
from varve_migrate import files

LOCK = "schema.lock"

_FILE = re.compile(r"(\d{4,})_([a-z0-9_]+)\.sql\Z")
_NAME = re.compile(r"[a-z0-9_]+\Z")
_HEAD = re.compile(r"-- (package|reads_ok|writes_ok): *(.*?) *\Z")
_CHANGES = re.compile(r"-- changes: *([\w.]+) +([0-9]{1,9}) *\Z")
_LIKE_CHANGES = re.compile(r"-- changes\b")
_LOCK_LINE = re.compile(r"-- lock ([-+]) (.+)\Z")
_LIKE_LOCK_LINE = re.compile(r"\s*--\s*lock\s*[-+]")
_NUMBER = re.compile(r"(?:\{|\A#)([0-9]+)(?:\}|\Z)")  # of a field, in an option of cache or archive
_CONFLICT = re.compile(r"(<{7}|>{7}|\|{7})( |\Z)|={7}\Z")
_AGAIN = "take the file from version control again"
_LOCK_ANEW = f"delete {LOCK} and run `varve migrate verify`, which writes it anew from the migrations"


@dataclass(frozen=True)
class Migration:
    number: int
    name: str  # "0003_add_mood"
    sql: str  # the file without its lock lines
    lock_minus: tuple
    lock_plus: tuple
    reads_ok: bool
    writes_ok: bool
    package: str
    checksum: str  # SHA-256 of the file's bytes, hexadecimal
    changes: dict  # line of the file by (message, number): values that statements by hand change
    lock_at: dict  # line of the file by (sign, lock line)

    @property
    def file(self):
        return f"{self.name}.sql"


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: error: {self.text}"


class FolderError(Exception):
    """What is wrong with a folder: findings, each a sentence with its place."""

    def __init__(self, findings):
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


@dataclass(frozen=True)
class Folder:
    path: str
    package: str  # "" while there are no migrations
    migrations: tuple
    lacks_lock: bool  # there are migrations, but no schema.lock

    def states(self):
        """The state after each migration."""
        found, current = [], ()
        for migration in self.migrations:
            gone = set(migration.lock_minus)
            current = [line for line in current if line not in gone] + list(migration.lock_plus)
            found.append(lock.parse_lines(current, self.package))
        return found

    def state(self, package=""):
        """The state after the last one."""
        return self.states()[-1] if self.migrations else state.empty(package)

    def lock_text(self):
        return lock.text(self.state())

    def next_number(self):
        return len(self.migrations) + 1


# -------------------------------------------------------------------- reading


def read(path, may_lack_lock=False):
    """The folder, checked: FolderError says what is wrong with it. One that is not there has no migrations."""
    return _Reader(str(path)).read(may_lack_lock)


class _Reader:
    def __init__(self, path):
        self._path = path
        self._findings = []

    def read(self, may_lack_lock):
        migrations = self._migrations()
        text = self._text(LOCK, _AGAIN) if LOCK in self._files() else None
        if text is not None:
            self._check_conflicts(LOCK, text.split("\n"), _LOCK_ANEW)
        self._stop()
        package = migrations[0].package if migrations else ""
        for migration in migrations:
            if migration.package != package:
                self._add(migration.file, 2, f"the migration is of package {migration.package}, the first one of "
                                             f"{package}; give each package a folder of its own")
        self._stop()
        lines = self._replay(migrations, package)
        self._stop()
        if text is not None:
            self._check_lock(text, lines, migrations)
        elif migrations and not may_lack_lock:
            self._add(LOCK, 1, f"the file is missing; {_AGAIN}, or run `varve migrate verify`, which writes it anew "
                               "from the migrations")
        self._stop()
        return Folder(self._path, package, tuple(migrations), bool(migrations) and text is None)

    def _add(self, file, line, text):
        self._findings.append(Finding(os.path.join(self._path, file), line, text))

    def _stop(self):
        if self._findings:
            raise FolderError(self._findings)

    # ---------------------------------------------------------------- files and numbers

    def _files(self):
        try:
            return sorted(name for name in os.listdir(self._path) if not name.startswith("."))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise FolderError([Finding(self._path, 1, f"this cannot be read as a folder of migrations "
                                                      f"({error.strerror}); name another one")]) from None

    def _migrations(self):
        numbered = []
        for name in self._files():
            match = _FILE.match(name)
            if match and match[1] == f"{int(match[1]):04d}" and int(match[1]) > 0:
                numbered.append((int(match[1]), name))
            elif name.endswith(".sql"):
                self._add(name, 1, "this is no name of a migration; name it like 0001_initial.sql, with a number "
                                   "of four digits and lower-case letters, digits and underscores")
        numbered.sort()
        self._check_numbers(numbered)
        found = [self._migration(number, name) for number, name in numbered]
        return [migration for migration in found if migration is not None]

    def _check_numbers(self, numbered):
        """Each number from 1 on stands once. Of two files of one number the later one gets the next free one."""
        expected, free = 1, (numbered[-1][0] if numbered else 0) + 1
        for i, (number, name) in enumerate(numbered):
            if i and number == numbered[i - 1][0]:
                other, new = numbered[i - 1][1], f"{free:04d}{name[name.index('_'):]}"
                self._add(name, 1, f"two branches each made a migration {number:04d}: {other} and {name}; give the one "
                                   f"that came later the number {free:04d} (such as git mv {name} {new}) and run "
                                   "`varve migrate verify`")
                free += 1
                continue
            if number != expected:
                missing = f"{expected:04d}" if number == expected + 1 else f"{expected:04d} to {number - 1:04d}"
                self._add(name, 1, f"migration {missing} is missing before it; take it from version control, or give "
                                   "this one the number that follows")
            expected = number + 1

    def _text(self, name, advice):
        """What the file says; None and a finding when it is no text."""
        data = self._bytes(name)
        if data is None:
            return None
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            self._add(name, line, f"the line is not UTF-8; {advice}")
            return None

    def _bytes(self, name):
        try:
            with open(os.path.join(self._path, name), "rb") as file:
                return file.read()
        except OSError as error:
            self._add(name, 1, f"the file cannot be read ({error.strerror}); {_AGAIN}")
            return None

    def _check_conflicts(self, name, lines, advice):
        """Whether there were markers of a merge."""
        for number, line in enumerate(lines, 1):
            if _CONFLICT.match(line):
                self._add(name, number, f"a merge left its conflict here; {advice}")
                return True
        return False

    # ---------------------------------------------------------------- one migration

    def _migration(self, number, name):
        data, text = self._bytes(name), self._text(name, "save it as UTF-8")
        if data is None or text is None:
            return None
        lines = text.split("\n")
        before = len(self._findings)
        if not self._check_conflicts(name, lines, "keep one of the two versions whole: a migration is never changed "
                                                  "once it is used, and what is new belongs into one of its own"):
            self._check_characters(name, lines)
        if len(self._findings) > before:
            return None
        end = next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))
        values, locks, changes = self._head(name, lines[:end])
        self._check_body(name, lines, end)
        if len(self._findings) > before:
            return None
        return Migration(
            number=number,
            name=name[: -len(".sql")],
            sql="\n".join([line for line in lines[:end] if not _LOCK_LINE.match(line)] + lines[end:]),
            lock_minus=tuple(line for sign, line in locks if sign == "-"),
            lock_plus=tuple(line for sign, line in locks if sign == "+"),
            reads_ok=values["reads_ok"] == "yes",
            writes_ok=values["writes_ok"] == "yes",
            package=values["package"],
            checksum=hashlib.sha256(data).hexdigest(),
            changes=changes,
            lock_at=locks,
        )

    def _check_characters(self, name, lines):
        for number, line in enumerate(lines, 1):
            if line.endswith("\r"):
                self._add(name, number, "the line ends with CR LF, so the checksum depends on the machine; write it "
                                        "with LF, and say so to git (.gitattributes: *.sql text eol=lf)")
                return
            if "\0" in line:
                self._add(name, number, "the line has a NUL character, where SQL ends; remove it")
                return

    def _head(self, name, lines):
        """(values by name, line of the file by (sign, lock line), line by (message, number))"""
        values, locks, changes = {}, {}, {}
        for number, line in enumerate(lines, 1):
            head, entry, changed = _HEAD.match(line), _LOCK_LINE.match(line), _CHANGES.match(line)
            if head and head[1] in values:
                self._add(name, number, f"{head[1]} stands there twice; remove one of the two lines")
            elif head:
                values[head[1]] = head[2]
                if head[1] != "package" and head[2] not in ("yes", "no"):
                    self._add(name, number, f'{head[1]} is "{head[2]}"; write yes or no')
            elif entry and entry.groups() in locks:
                self._add(name, number, f'"{line}" stands there twice; {_AGAIN}')
            elif entry:
                locks[entry.groups()] = number
            elif changed:
                changes.setdefault((changed[1], int(changed[2])), number)
            elif _LIKE_CHANGES.match(line):
                self._add(name, number, f'"{line}" says no field; write its message and number, such as "-- changes: '
                                        'lab.Sample 5"')
            elif _LIKE_LOCK_LINE.match(line):
                self._add(name, number, f'"{line}" is not a line that varve writes; {_AGAIN}')
        for wanted, example in (("package", "lab"), ("reads_ok", "no"), ("writes_ok", "no")):
            if wanted not in values:
                self._add(name, 1, f"the head, which is the comments that the file begins with, does not say {wanted}; "
                                   f'add a line such as "-- {wanted}: {example}", or {_AGAIN}')
        if values.get("writes_ok") == "yes" and values.get("reads_ok") == "no":
            self._add(name, 1, "writes_ok is yes and reads_ok is no, but who writes reads as well; make them agree")
        return values, locks, changes

    def _check_body(self, name, lines, end):
        for number, line in enumerate(lines[end:], end + 1):
            if _LIKE_LOCK_LINE.match(line):
                self._add(name, number, f"a lock line stands behind the head, where it has no effect; {_AGAIN}")
        body = "\n".join(lines[end:])
        if not sqlite3.complete_statement(f";{body}\n"):
            last = max(i for i, line in enumerate(lines, 1) if line.strip())
            self._add(name, last, "the last statement does not end; close it with ; and its quotes and comments too")

    # ---------------------------------------------------------------- the states

    def _replay(self, migrations, package):
        """The lock lines that the migrations lead to, and the file that each is of."""
        lines = {}
        for migration in migrations:
            before = len(self._findings)
            self._apply(migration, lines)
            if len(self._findings) == before:
                self._check_state(migration, lines, package)
            if len(self._findings) > before:
                break  # what follows builds on it
        return lines

    def _apply(self, migration, lines):
        unknown = [line for line in migration.lock_minus if line not in lines]
        for line in unknown:
            self._add(migration.file, migration.lock_at["-", line], _not_there(migration, line, lines))
        if unknown:
            return
        for line in migration.lock_minus:
            del lines[line]
        for line in migration.lock_plus:
            other = next((known for known in lines if _thing(known) == _thing(line)), None)
            if other is not None:
                self._add(migration.file, migration.lock_at["+", line], _there_already(migration, line, other, lines))
            lines[line] = migration.file

    def _check_state(self, migration, lines, package):
        try:
            reached = lock.parse_lines(list(lines), package)
        except lock.LockError as error:
            self._add(migration.file, 1, f"the lock lines up to here make no schema: {error}")
            return
        for text in _dangling(reached):
            self._add(migration.file, 1, f"the lock lines up to here say that {text}; {_mend(migration)}")
        for (name, number), line in migration.changes.items():
            if name not in reached.messages or reached.messages[name].field_of(number) is None:
                self._add(migration.file, line, f"there is no field {number} of {name} after this migration; correct "
                                                "the line")
        written = lock.lines(reached)
        for line in migration.lock_plus:
            if line not in written:
                self._add(migration.file, migration.lock_at["+", line], f'"{line}" is not a line that varve writes; '
                                                                        f"{_AGAIN}")

    def _check_lock(self, text, lines, migrations):
        where, seen = {}, []
        for number, line in enumerate(text.split("\n"), 1):
            line = line.rstrip("\r")
            if line.strip() and not line.startswith("#"):
                seen.append(line)
                where.setdefault(line, number)
        extra = next((line for i, line in enumerate(seen) if line not in lines or line in seen[:i]), None)
        missing = next((line for line in lines if line not in where), None)
        if extra is not None and not migrations:
            self._add(LOCK, where[extra], f"there are no migrations that this could be the end of; take them from "
                                          f"version control, or delete {LOCK}")
        elif extra is not None and extra in lines:
            self._add(LOCK, where[extra], f'"{extra}" stands there twice, as after a merge; {_LOCK_ANEW}')
        elif extra is not None:
            self._add(LOCK, where[extra], f'"{extra}" is what no migration leads to: one is missing in the folder, or '
                                          f"this file was edited or merged; take the folder from version control "
                                          f"again, or {_LOCK_ANEW}")
        elif missing is not None:
            self._add(LOCK, 1, f'"{missing}" is missing, which {lines[missing]} adds; {_AGAIN}, or {_LOCK_ANEW}')


def _thing(line):
    """What a line is about: two lines about one thing are two versions of it."""
    words = line.split(" ")
    if words[0] in ("field", "value"):
        return tuple(words[:3])
    return tuple(words[:2]) if words[0] in ("message", "cache", "archive", "gone") else (line,)


def _dangling(reached):
    """What the state names that is not in it, as after a merge: sentences."""
    for message in reached.messages.values():
        used = {number for index in message.indexes for number in (*index.numbers, *expression.columns(index.where))}
        for field in message.fields:
            used |= expression.columns(field.check) | _numbers(field.tensor.dims if field.tensor else ())
            yield from _dangling_targets(reached, message, field)
        for options in filter(None, (message.cache, message.archive)):
            used |= _numbers(value for _, value in options.values)
        for number in sorted(used - {field.number for field in message.fields}):
            yield f"field {number} of {message.name} is used, which is not there"


def _numbers(texts):
    return {int(number) for text in texts for number in _NUMBER.findall(text)}


def _dangling_targets(reached, message, field):
    known = reached.enums if field.type == "enum" else reached.messages
    if field.target and field.target not in known:
        yield f"field {field.number} of {message.name} is of {field.target}, which is not there"
    if field.reference is not None:
        target = reached.messages.get(field.reference.message)
        if target is None or not target.table or target.field_of(field.reference.number) is None:
            yield (f"field {field.number} of {message.name} refers to field {field.reference.number} of "
                   f"{field.reference.message}, which is not there")


def _not_there(migration, line, lines):
    other = next((known for known in lines if _thing(known) == _thing(line)), None)
    if other is None:
        found = "is not in the schema that the migrations before it leave"
    else:
        found = f'is "{other}" when it comes to this migration, since {lines[other]}'
    return f'"{line}" {found}; {_mend(migration)}'


def _there_already(migration, line, other, lines):
    words = line.split(" ")
    if words[0] in ("field", "value"):
        what = f"{'field' if words[0] == 'field' else 'value'} {words[2]} of {words[1]}"
        return (f'{what} is "{other}" already, since {lines[other]}: two branches gave away one number; give one of '
                f"the two another number in the schema, then {_anew(migration)}")
    return f'"{other}" is there already, since {lines[other]}; {_mend(migration)}'


def _mend(migration):
    return f"{_AGAIN}; or, when it comes from another branch, {_anew(migration)}"


def _anew(migration):
    name = migration.name.partition("_")[2]
    return (f"delete this file and {LOCK} and run `varve migrate new {name}`, which writes it for the schema as it is "
            "now (statements that you added by hand: carry them over)")


# -------------------------------------------------------------------- writing


def is_name(text):
    return _NAME.match(text) is not None


def text_of(name, package, reads_ok, writes_ok, before, after, sql):
    """The file of a migration between two states."""
    old, new = lock.lines(before), lock.lines(after)
    head = [
        f"-- {name}: written by `varve migrate new`. Statements added at the end are kept and run too.",
        f"-- package: {package}",
        f"-- reads_ok: {'yes' if reads_ok else 'no'}",
        f"-- writes_ok: {'yes' if writes_ok else 'no'}",
    ]
    kept = set(old) & set(new)
    head += [f"-- lock - {line}" for line in old if line not in kept]
    head += [f"-- lock + {line}" for line in new if line not in kept]
    body = sql.strip("\n")
    return "\n".join(head) + "\n" + (f"\n{body}\n" if body else "")


def write(path, name, text, after, queries=""):
    """Writes the migration NNNN_name.sql, schema.lock and, unless it is empty, the record of queries: all or, with
    OSError, none. Says their paths."""
    path = str(path)
    made = not os.path.isdir(path)
    os.makedirs(path, exist_ok=True)
    sql = os.path.join(path, f"{name}.sql")
    try:
        contents = [(sql, text), (os.path.join(path, LOCK), lock.text(after))]
        if queries:
            contents.append((os.path.join(path, f"{name}.queries.json"), queries))
        files.write_all(path, contents)
    except OSError:
        if made and not os.listdir(path):
            os.rmdir(path)
        raise
    return [target for target, _ in contents]


def write_lock(folder):
    """Writes schema.lock anew from the migrations. Says its path."""
    target = os.path.join(folder.path, LOCK)
    files.write_all(folder.path, [(target, folder.lock_text())])
    return target


def write_file(folder, path, text):
    """Writes one file in the folder. Says its path."""
    files.write_all(folder.path, [(path, text)])
    return path
