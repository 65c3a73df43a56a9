"""The normal form of CREATE TABLE and CREATE INDEX, by which a database is compared with what the schema
asks for. The texts differ after ALTER TABLE where the tables do not: RENAME quotes names anew, ADD COLUMN
appends its text as it was written, and columns that were added stand last.

The algorithm, which the runtime has in C as well:

1. Comments and white space go; what is left are tokens, as expression.tokens() cuts them.
2. A quoted name ("a", `a`, [a]) that is a plain one (letters, digits, underscores and what is not ASCII; no
   digit first) loses its quotes; another is written in double quotes. A to Z become a to z in all tokens
   but strings ('..'). Tokens are joined by one space.
3. A table is the set of its definitions, which are what stands in the outermost parentheses, split at the
   commas that are in no inner ones; and the set of its options, behind these parentheses, split at commas.
   Its own name is left out: it is the object's.
4. An index is its table, its columns in their order, whether it is unique, and its WHERE.

Names of objects are compared without regard to the case of A to Z. What SQLite and varve make for
themselves is left out (LEFT_OUT), and so are views and triggers.
"""

import functools
import re
from dataclasses import dataclass

from varve_codegen import expression

LEFT_OUT = ("varve_schema", "varve_migration", "varve_generation", "varve_copies", "varve_copied",
            "varve_invalidation", "varve_segment", "varve_dataset", "varve_dropped", "varve_sealed",
            "varve_archive")

_COMMENT = re.compile(
    r"""('(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\]) | --[^\n]* | /\*.*?(?:\*/|\Z)""",
    re.VERBOSE | re.DOTALL,
)
_PLAIN = re.compile(r"[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*\Z")
_FOLD = {c: c + 32 for c in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True)
class Table:
    definitions: frozenset  # texts of columns and of constraints
    options: frozenset


@dataclass(frozen=True)
class Index:
    table: str
    columns: tuple
    unique: bool
    where: str


# -------------------------------------------------------------------- one statement


def words(sql):
    """The tokens in their normal form."""
    bare = _COMMENT.sub(lambda m: m.group(1) or " ", sql)
    return [_word(kind, text) for kind, text in expression.tokens(bare)]


def _word(kind, text):
    if kind == "string" and text.startswith("'"):
        return text
    if kind == "quoted":
        name = expression.unquoted(text)
        text = name if _PLAIN.match(name) else '"' + name.replace('"', '""') + '"'
    return fold(text)


def fold(name):
    return name.translate(_FOLD)


@functools.lru_cache(maxsize=4096)
def of_statement(sql):
    """(name, Table or Index) of a CREATE statement, None of any other."""
    found = words(sql)
    kind = found[1:2] if found[1:2] != ["unique"] else found[2:3]
    start = next((i for i, word in enumerate(found) if word == "("), None)
    if found[:1] != ["create"] or start is None:
        return None
    if kind == ["table"]:
        return _bare(found[start - 1]), _table(found, start)
    return (_bare(found[found.index("index") + 1]), _index(found, start)) if kind == ["index"] else None


def _bare(name):
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _table(found, start):
    body, rest = _parentheses(found, start)
    return Table(frozenset(_split(body)), frozenset(_split(_without_end(rest))))


def _index(found, start):
    body, rest = _parentheses(found, start)
    rest = _without_end(rest)
    where = " ".join(rest[1:]) if rest[:1] == ["where"] else ""
    return Index(_bare(found[start - 1]), tuple(_split(body)), "unique" in found[:2], where)


def _without_end(found):
    return found[:-1] if found[-1:] == [";"] else found


def _parentheses(found, start):
    """What stands between the parenthesis at `start` and its end, and what stands behind it."""
    depth = 0
    for i in range(start, len(found)):
        depth += {"(": 1, ")": -1}.get(found[i], 0)
        if depth == 0:
            return found[start + 1:i], found[i + 1:]
    return found[start + 1:], []


def _split(found):
    """The texts between the commas that are in no parentheses."""
    parts, depth = [[]], 0
    for word in found:
        depth += {"(": 1, ")": -1}.get(word, 0)
        if word == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(word)
    return [" ".join(part) for part in parts if part]


# -------------------------------------------------------------------- many


def of_statements(statements):
    """Normal forms by object name, of the CREATE TABLE and CREATE INDEX among the statements."""
    found = (of_statement(sql) for sql in statements)
    return {fold(entry[0]): entry[1] for entry in found if entry is not None}


def of_database(connection, tables=None):
    """Normal forms by object name. With `tables` only these and their indexes, of which those of a user are
    left out: varve's begin with the table's name and a point."""
    wanted = None if tables is None else {fold(name) for name in tables}
    rows = connection.execute("SELECT name, tbl_name, sql FROM sqlite_schema WHERE type IN ('table', 'index')")
    statements = {}
    for name, table, sql in rows:
        name, table = fold(name), fold(table)
        if sql is None or name.startswith("sqlite_") or table in LEFT_OUT:
            continue
        if wanted is None or (table in wanted and (name == table or name.startswith(table + "."))):
            statements[name] = sql
    found = {name: of_statement(sql) for name, sql in statements.items()}
    return {name: entry[1] for name, entry in found.items() if entry is not None}


# -------------------------------------------------------------------- comparing


def differences(expected, found):
    """Sentences, object by object: what was expected, and what is there. Empty: they are the same."""
    sentences = []
    for name in sorted(expected.keys() | found.keys()):
        wanted, given = expected.get(name), found.get(name)
        if wanted == given:
            continue
        if given is None:
            sentences.append(f'the {_kind(wanted)} "{name}" is missing; expected {_text(wanted)}')
        elif wanted is None:
            sentences.append(f'the {_kind(given)} "{name}" was not expected; there is {_text(given)}')
        elif isinstance(wanted, Table) and isinstance(given, Table):
            sentences += _of_tables(name, wanted, given)
        else:
            sentences.append(f'the {_kind(wanted)} "{name}" is another: expected {_text(wanted)}; there is '
                             f'{_kind(given)} {_text(given)}')
    return sentences


def _kind(form):
    return "table" if isinstance(form, Table) else "index"


def _text(form):
    if isinstance(form, Table):
        options = ", ".join(sorted(form.options))
        return f"({', '.join(sorted(form.definitions))})" + (f" {options}" if options else "")
    unique = "unique " if form.unique else ""
    where = f" where {form.where}" if form.where else ""
    return f"{unique}on {form.table} ({', '.join(form.columns)}){where}"


def _of_tables(name, wanted, given):
    """A sentence for each column or constraint that differs."""
    missing, extra = _by_name(wanted.definitions - given.definitions), _by_name(given.definitions - wanted.definitions)
    sentences = []
    for part in sorted(missing.keys() | extra.keys()):
        if part not in extra:
            sentences.append(f'the table "{name}" lacks {part}; expected {missing[part]}')
        elif part not in missing:
            sentences.append(f'the table "{name}" has {part}, which was not expected; there is {extra[part]}')
        else:
            sentences.append(f'in the table "{name}" {part} is another: expected {missing[part]}; there is '
                             f"{extra[part]}")
    if wanted.options != given.options:
        sentences.append(f'the table "{name}" is another kind: expected '
                         f'{", ".join(sorted(wanted.options)) or "no options"}; there is '
                         f'{", ".join(sorted(given.options)) or "no option"}')
    return sentences


_CONSTRAINTS = ("primary key", "unique", "check", "foreign key", "constraint")


def _by_name(definitions):
    """Definitions by what they define: a column, or a constraint by its own text."""
    found = {}
    for text in sorted(definitions):
        is_constraint = text.startswith(tuple(f"{word} (" for word in _CONSTRAINTS)) or text.startswith("constraint ")
        name = text if is_constraint else f'column "{text.split(" ")[0]}"'
        found[name] = text
    return found
