"""The queries of every version of a package, kept beside its migrations, and whether programs of one version can run
on the tables of another.

    NNNN_name.queries.json    what was asked by programs of version NNNN: SQL, parameters, columns

Programs of an older version go on while the newer one's steps are reads_ok or writes_ok: their queries must then fit
today's tables. Today's queries are tried on the tables of those versions as well: what they need that is not there.
"""

import dataclasses
import json
import os

from varve_codegen import state
from varve_codegen.query import check, statement

_SHAPE = ("number", "name", "label", "type", "target", "key", "oneof")


class RecordError(Exception):
    """A sentence about a file of queries, with its place."""


def of_schema(schema, package):
    """The queries of a package, by name."""
    found = {}
    for file in schema.packages().get(package, ()):
        for service in file.services:
            for method in service.methods:
                if method.sql is not None:
                    name = f"{service.full_name}.{method.name}"
                    found[name] = check.of_method(schema, name, method)
    return found


# -------------------------------------------------------------------- the record


def path_of(folder, migration):
    return os.path.join(folder.path, f"{migration.name}.queries.json")


def read(folder, migration):
    """The queries of this version, () where none are recorded. One whose SQL has changed while the schema stood still is
    there in each form: programs of all of them may run."""
    path = path_of(folder, migration)
    try:
        with open(path, encoding="utf-8") as file:
            return tuple(_query(entry) for entry in json.load(file))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordError(
            f"{path}:1: error: the file is no record of queries ({error}); take it from version control again, or "
            "delete it and run `varve migrate verify --queries`"
        ) from None


def missing(folder, migration, queries):
    """Those that are not recorded in this form."""
    known = set(map(_text, read(folder, migration)))
    return [query for query in queries if _text(query) not in known]


def text(queries):
    """The file with these queries."""
    return json.dumps([json.loads(line) for line in sorted(map(_text, queries))], indent=2, ensure_ascii=False) + "\n"


def _text(query):
    entry = dataclasses.asdict(query)
    for part in ("parameters", "fields"):
        entry[part] = [{n: getattr(f, n) for n in _SHAPE if getattr(f, n)} for f in getattr(query, part).values()]
    return json.dumps(entry, sort_keys=False, ensure_ascii=False)


def _query(entry):
    fields = {part: {f["name"]: state.Field(**f) for f in entry[part]} for part in ("parameters", "fields")}
    return check.Query(**{**entry, **fields})


# -------------------------------------------------------------------- one version on another


@dataclasses.dataclass
class Report:
    versions: int = 0  # older ones whose programs may still run
    tried: int = 0  # queries, each on another version's tables
    findings: list = dataclasses.field(default_factory=list)  # older queries that fail on today's tables
    notes: list = dataclasses.field(default_factory=list)  # the rest


def compare(folder, today, queries):
    """`today` is the state of the schema and `queries` are its own."""
    report = Report()
    tables = check.Tables(today)
    for number, (migration, then) in enumerate(zip(folder.migrations, folder.states())):
        later = folder.migrations[number + 1 :]
        reads = all(m.reads_ok for m in later)
        writes = all(m.writes_ok for m in later)
        if not later or not reads:
            continue
        report.versions += 1
        _compare_old(report, tables, migration, read(folder, migration), writes)
        _compare_new(report, check.Tables(then), migration, queries)
    return report


def _compare_old(report, tables, migration, queries, writes):
    """What programs of an older version ask of today's tables. Those that may only read are not let to write."""
    for query in queries:
        if statement.written_table(query.sql) and not writes:
            continue
        report.tried += 1
        for problem in check.problems(tables, query):
            text = f"{query.name} of {migration.name} on today's tables: {problem}"
            (report.notes if "it reads all of" in problem else report.findings).append(text)


def _compare_new(report, tables, migration, queries):
    """What today's programs could not ask of the tables of an older version."""
    for query in queries:
        report.tried += 1
        report.notes += [
            f"{query.name} on the tables of {migration.name}: {problem}" for problem in check.problems(tables, query)
        ]
