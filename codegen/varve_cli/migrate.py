"""varve migrate: status, new and verify of a package's migrations. Nothing asks; --json is for programs."""

import json
import re
import shlex
import sys
from dataclasses import dataclass

from varve_cli import schemas
from varve_cli.arguments import Parser
from varve_cli.failure import Failure
from varve_codegen.errors import Errors
from varve_migrate import due, folder as folders

USAGE = "varve migrate status|new|verify"
BRIEF = "what changed in schemas, the SQL for it, the proof of it"

_HELP = """Usage:
    varve migrate status PROTO.. --migrations DIR      says what changed since the last migration
    varve migrate new NAME PROTO.. --migrations DIR    writes DIR/NNNN_NAME.sql and DIR/schema.lock for it
    varve migrate verify PROTO.. --migrations DIR      proves that every version's data survives all steps
    varve migrate verify --queries PROTO.. --migrations DIR    and that queries of the versions that may still run suit
                                                       today's tables; writes DIR/NNNN_NAME.queries.json

PROTO.. are all files of one package. -I DIR says where imports are, --json prints one object for programs,
--drop MESSAGE lets `new` drop the table of a message that is gone from the schema.

Exit status: 0 current (new: written; verify: proven), 1 a migration is due (status, verify), 2 an error.

The object of --json. Members that the command does not come to, since there are errors, are left out; wrong usage
is said on stderr alone.
    "command"      "status", "new" or "verify"
    "package"      "lab"
    "migrations"   [{"number": 1, "name": "0001_initial", "reads_ok": false, "writes_ok": false}, ..]
    "current"      true: no migration is due
    "changes"      since the last migration (new: what it has written): [{"kind", "message", "number", "sentence",
                   "reads_ok", "writes_ok", "tiers": {"table", "cache", "archive", "c"}}, ..]; a tier's text is ""
                   where nothing happens
    "reads_ok", "writes_ok"   of all changes together: what programs of the version before may go on doing
    "written"      (new) paths of the files; (verify) of a schema.lock that was missing
    "verified"     (verify) {"versions", "rows", "values", "children", "copies": counts of what was compared,
                   "findings": ["..", ..], "notes": ["..", ..]}
    "queries"      (verify --queries) {"versions", "tried": counts, "findings": ["..", ..], "notes": ["..", ..]}
    "errors"       [{"file", "line", "column", "text"}, ..]; what has no place has only "text"
"""

_TIERS = {"table": "table", "cache": "cache", "archive": "archive", "c": "C source"}
_PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d+):(?:(?P<column>\d+):)? (?:error: )?(?P<text>.*)\Z")


class _Errors(Exception):
    """Lines that say what is wrong, with their places."""


@dataclass
class _Call:
    """One call of the command: what it was given, and what it finds on the way."""

    arguments: object
    loaded: object = None
    package: str = ""
    folder: object = None
    result: object = None  # of due.compare()

    def load(self, may_lack_lock=False):
        """The schema, its folder, and what is between them."""
        given = self.arguments
        self.loaded = schemas.load(given.protos, given.folders)
        self.package = self._one_package()
        self.folder = folders.read(given.migrations, may_lack_lock)
        if self.folder.package not in ("", self.package):
            raise Failure(f"the migrations in {given.migrations} are of package {self.folder.package}, and the schema "
                          f"is of {self.package}; give each package a folder of its own")
        self.result = due.compare(self.folder, self.loaded.schema, self.package, getattr(given, "drops", ()))
        if self.result.errors:
            raise _Errors(self._placed(self.result.errors))

    def _one_package(self):
        packages = list(self.loaded.schema.packages())
        if len(packages) > 1:
            raise Failure(f"the files are of the packages {', '.join(packages)}; name those of one, whose migrations "
                          "these are")
        if not packages[0]:
            raise Failure("the files say no package; add a line such as \"package lab;\"")
        return packages[0]

    def _placed(self, problems):
        errors = Errors(self.loaded.positions)
        for problem in problems:
            at = due.place(self.loaded.schema, self.package, problem.message, problem.number)
            errors.add(at, problem.text)
        lines = errors.lines(self.loaded.schema.to_generate)
        known = {**self.loaded.schema.messages, **self.loaded.schema.enums}
        gone = [problem.message for problem in problems if problem.message not in known]
        if gone:
            lines.append(f"varve: {gone[0]} is in none of the files given; these must be all files of {self.package}")
        return self.loaded.sources.as_given("".join(line + "\n" for line in lines))

    @property
    def is_due(self):
        return due.is_due(self.folder, self.result)

    @property
    def verdict(self):
        """(reads_ok, writes_ok) of all changes together."""
        changes = self.result.changes
        return all(c.reads_ok for c in changes), all(c.writes_ok for c in changes)

    def advice(self):
        """The command that makes the migration that is due, for these files."""
        given = self.arguments
        imports = "".join(f" -I {shlex.quote(folder)}" for folder in given.folders)
        return (f"varve migrate new NAME {shlex.join(given.protos)}{imports} "
                f"--migrations {shlex.quote(given.migrations)}")

    def report(self, command):
        """What --json prints of it."""
        found = {"command": command, **({"package": self.package} if self.package else {})}
        if self.folder is not None:
            names = ("number", "name", "reads_ok", "writes_ok")
            found["migrations"] = [{n: getattr(m, n) for n in names} for m in self.folder.migrations]
        if self.result is not None and not self.result.errors:
            names = ("kind", "message", "number", "sentence", "reads_ok", "writes_ok", "tiers")
            found["current"] = not self.is_due
            found["changes"] = [{n: getattr(c, n) for n in names} for c in self.result.changes]
            found["reads_ok"], found["writes_ok"] = self.verdict
        return found


def run(arguments):
    command = arguments[0] if arguments else ""
    if command in ("--help", "-h", "help"):
        print(_HELP, end="")
        return 0
    if command not in _COMMANDS:
        raise Failure(f'varve migrate has no command "{command}"; it has status, new and verify, see '
                      "varve migrate --help" if command else "varve migrate needs a command: status, new or verify; "
                                                             "see varve migrate --help")
    call = _Call(_parse(command, arguments[1:]))
    found = {"errors": []}
    try:
        status, more = _COMMANDS[command](call, _Printer(call.arguments.json))
        found = {**more, **found}
    except (schemas.SchemaError, folders.FolderError, _Errors, Failure) as error:
        if not call.arguments.json and isinstance(error, Failure):
            raise
        text = str(error).rstrip("\n")
        print(f"varve: {text}" if isinstance(error, Failure) else text, file=sys.stderr)
        status, found = 2, {"errors": [_json_error(line) for line in str(error).splitlines()]}
    if call.arguments.json:
        json.dump({**call.report(command), **found}, sys.stdout, indent=2, ensure_ascii=False)
        print()
    return status


def _parse(command, arguments):
    parser = Parser(prog=f"varve migrate {command}", description=_COMMANDS[command].__doc__,
                    epilog=f"{schemas.IMPORTS} More: varve migrate --help.")
    if command == "new":
        parser.add_argument("name", metavar="NAME", help="of the migration: what it does, such as add_mood")
        parser.add_argument("--drop", dest="drops", metavar="MESSAGE", action="append", default=[],
                            help="let the table of this message go with all its rows, such as lab.Old")
    if command == "verify":
        parser.add_argument("--queries", action="store_true",
                            help="try the queries of older versions on today's tables, and today's on theirs")
    schemas.add_arguments(parser)
    parser.add_argument("--migrations", metavar="DIR", required=True, help="the folder of the migrations")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_intermixed_args(arguments)


def _json_error(line):
    match = _PLACE.match(line)
    if not match:
        return {"text": line.removeprefix("varve: ")}
    found = {**match.groupdict(), "line": int(match["line"])}
    if match["column"]:
        return {**found, "column": int(match["column"])}
    del found["column"]
    return found


class _Printer:
    """Lines for people; none where --json is wanted."""

    def __init__(self, is_json):
        self._is_json = is_json

    def __call__(self, *lines):
        if not self._is_json:
            for line in lines:
                print(line)


# -------------------------------------------------------------------- the commands


def _status(call, say):
    """Says what changed in the schema since the last migration. Exit status: 0 nothing, 1 a migration is due, 2 an
    error."""
    call.load()
    say(_summary(call))
    if not call.is_due:
        say("the schema is where the last migration leaves it")
        return 0, {}
    say("", *_changes(call), f"A migration is due: {call.advice()}")
    return 1, {}


def _new(call, say):
    """Writes the migration that brings data to the schema as it is now."""
    given = call.arguments
    if not folders.is_name(given.name):
        raise Failure(f'"{given.name}" cannot be the name of a migration; use lower-case letters, digits and '
                      "underscores, such as add_mood")
    from varve_migrate import queries, steps

    call.load(may_lack_lock=True)
    if not call.is_due:
        raise Failure(f"nothing changed since the last migration; {given.migrations} needs no new one")
    name = f"{call.folder.next_number():04d}_{given.name}"
    before, changes = call.folder.state(call.package), call.result.changes
    sql = steps.sql(before, call.result.state, changes)
    text = folders.text_of(name, call.package, *call.verdict, before, call.result.state, sql)
    asked = queries.text(queries.of_schema(call.loaded.schema, call.package).values())
    written = _written(
        lambda: folders.write(given.migrations, name, text, call.result.state, asked if asked != "[]\n" else ""),
        given.migrations)
    say(*_changes(call), *(f"wrote {path}" for path in written), _look_at(changes))
    return 0, {"written": written, "current": True}


def _written(write, path):
    """What `write` says that it wrote."""
    try:
        return write()
    except OSError as error:
        raise Failure(f"{error.filename or path} cannot be written: {error.strerror}; nothing was changed") from error


def _verify(call, say):
    """Fills every version of the history with rows, migrates them to the last one and compares each value by its
    field's number. Exit status: 0 proven, 1 the schema is ahead of the migrations, 2 an error."""
    call.load(may_lack_lock=True)
    say(_summary(call))
    written = []
    if call.folder.lacks_lock:
        written = _written(lambda: [folders.write_lock(call.folder)], call.folder.path)
        say(f"wrote {written[0]} anew")
    if not call.folder.migrations:
        raise Failure(f"there are no migrations in {call.arguments.migrations} to be proven; run: {call.advice()}")
    proof = _prove(call.folder)
    found = {"written": written, "verified": _verified(proof)}
    say(*proof.notes, f"{proof.versions} version{'s' if proof.versions > 1 else ''}, {proof.rows} rows, {proof.values} "
                      f"values and {proof.children} counts of children compared, {len(proof.failures)} findings")
    if not proof.ok:
        print(*proof.failures, *(text for hint, text in _HINTS.items() if hint in proof.hints), sep="\n",
              file=sys.stderr)
        return 2, found
    if call.arguments.queries:
        found["queries"], more = _verify_queries(call, say)
        written += more
        if found["queries"]["findings"]:
            return 2, found
    if call.is_due:
        say("", *_changes(call), f"The schema is ahead of its migrations: {call.advice()}")
        return 1, found
    return 0, found


def _verify_queries(call, say):
    """(what --json prints, paths of files written). The queries of the last version are recorded as they are, so that
    later versions know them."""
    from varve_migrate import queries

    mine = queries.of_schema(call.loaded.schema, call.package)
    written = []
    try:
        if not call.is_due and queries.missing(call.folder, call.folder.migrations[-1], mine.values()):
            last = call.folder.migrations[-1]
            path = queries.path_of(call.folder, last)
            known = queries.read(call.folder, last)
            asked = queries.text([*known, *queries.missing(call.folder, last, mine.values())])
            written = _written(lambda: [folders.write_file(call.folder, path, asked)], call.folder.path)
            say(f"wrote {path}")
        report = queries.compare(call.folder, call.result.state, mine.values())
    except queries.RecordError as error:
        raise _Errors(str(error)) from None
    say(*(f"note: {note}" for note in report.notes),
        f"{report.tried} trials of queries on the tables of {report.versions} older versions that may still run and "
        f"of today, {len(report.findings)} findings")
    print(*report.findings, sep="\n" if report.findings else "", end="\n" if report.findings else "", file=sys.stderr)
    found = {name: getattr(report, name) for name in ("versions", "tried", "findings", "notes")}
    return found, written


_COMMANDS = {"status": _status, "new": _new, "verify": _verify}


def _prove(folder):
    from varve_migrate import verify  # the other commands need none of it

    return verify.verify(list(zip(folder.states(), folder.migrations)))


def _verified(proof):
    found = {name: getattr(proof, name) for name in ("versions", "rows", "values", "children", "copies")}
    return {**found, "findings": list(proof.failures), "notes": list(proof.notes)}


# By what a proof says that its failures may come from.
_HINTS = {
    "changes": """varve: values that statements by hand change on purpose are named in the file's head, such as
"-- changes: lab.Sample 5" (see docs/migrations.md).""",
    "branch": f"""varve: a migration of another branch does not know what came before it:
delete its file and {folders.LOCK}, and make it again with `varve migrate new`.""",
}


# -------------------------------------------------------------------- words


def _summary(call):
    migrations = call.folder.migrations
    if not migrations:
        return f"package {call.package}: no migrations yet"
    count = len(migrations)
    return f"package {call.package}: {count} migration{'s' if count > 1 else ''}, the last is {migrations[-1].name}"


def _changes(call):
    """Each change with what it does in every tier, then the verdict of all."""
    lines = [] if call.result.changes else ["The lock's lines of the schema are others, and nothing else."]
    for change in call.result.changes:
        lines.append(change.sentence)
        lines += [f"    {_TIERS[tier] + ':':<10}{text}" for tier, text in change.tiers.items() if text]
        if call.folder.migrations:
            lines.append(f"    {_may(change.reads_ok, change.writes_ok)}")
    if len(call.result.changes) > 1 and call.folder.migrations:
        lines.append(f"Together: {_may(*call.verdict)}")
    return [*lines, ""]


def _may(reads_ok, writes_ok):
    if writes_ok:
        return "programs of the version before may go on reading and writing"
    return f"programs of the version before may {'go on reading, not writing' if reads_ok else 'not go on'}"


def _look_at(changes):
    by_hand = any(c.kind in _BY_HAND for c in changes)
    text = "Read it, commit both with the schema, and run `varve migrate verify`."
    if by_hand:
        text += (" Values are not converted where only their unit or time changed: add the UPDATE that does it at the "
                 "end of the file, and say so in its head, such as \"-- changes: lab.Sample 5\".")
    return text


_BY_HAND = ("unit", "time")
