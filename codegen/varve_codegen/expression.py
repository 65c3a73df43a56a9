"""SQL expressions of the schema (check, where) whose columns are field numbers, so that they stay the
same when a field is renamed: weight > 0 is {5} > 0."""

import re

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>[xX]?'(?:[^']|'')*')
      | (?P<quoted>"(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\])
      | (?P<column>\{[0-9]+\})
      | (?P<word>[^\W\d][\w$]*)
      | (?P<number>(?:\d[\w.]*|\.\d\w*)(?:(?<=[eE])[+-]\d+)?)
      | (?P<other><<|>>|<=|>=|<>|!=|==|\|\||->>|->|.)""",
    re.VERBOSE | re.DOTALL,
)
# Words that no expression can mean a column by, unless they are quoted.
_KEYWORDS = frozenset(
    "and as between case cast collate current_date current_time current_timestamp distinct else end escape "
    "exists from glob in is isnull like limit match not notnull null or order regexp select then when where".split()
)


def tokens(sql):
    """(kind, text) of each token; kinds are the names of the groups above, without spaces."""
    return [(m.lastgroup, m.group()) for m in _TOKEN.finditer(sql) if m.lastgroup != "space"]


def unquoted(text):
    """The name that a quoted identifier means."""
    close = {"[": "]"}.get(text[0], text[0])
    return text[1:-1].replace(close * 2, close)


def by_number(sql, numbers):
    """The expression with {5} for the column that is field 5, in one form whatever its spaces. `numbers`
    are field numbers by name."""
    folded = {name.lower(): number for name, number in numbers.items()}
    found = tokens(sql)
    result = []
    for i, (kind, text) in enumerate(found):
        after = found[i + 1][1] if i + 1 < len(found) else ""
        number = None
        if kind == "quoted":
            number = folded.get(unquoted(text).lower())
        elif kind == "word" and text.lower() not in _KEYWORDS and after != "(" and not _is_type(found, i):
            number = folded.get(text.lower())
        result.append((kind, text) if number is None else ("column", f"{{{number}}}"))
    return _spaced(result)


def _spaced(found):
    text, before, unary = "", ("", "("), False
    for kind, token in found:
        if text and not _are_close(before, token) and not unary:
            text += " "
        unary = token in ("-", "+", "~") and _wants_operand(before)
        text += token
        before = (kind, token)
    return text


def _are_close(before, token):
    kind, last = before
    if token == "(":
        return last == "(" or (kind == "word" and last.lower() not in _KEYWORDS)
    return last in ("(", ".") or token in (")", ",", ".")


def _wants_operand(before):
    """Whether what follows is the beginning of a value, so that a minus is a sign."""
    kind, last = before
    return (kind == "word" and last.lower() in _KEYWORDS) or (kind == "other" and last != ")") or last == "("


def _is_type(found, i):
    """Whether a word is the type of CAST(x AS type)."""
    return i > 0 and found[i - 1][1].lower() == "as"


def by_name(sql, names):
    """The expression for SQLite: {5} becomes the quoted name of field 5. `names` are names by number."""
    return "".join(
        '"' + names[int(m.group()[1:-1])].replace('"', '""') + '"' if m.lastgroup == "column" else m.group()
        for m in _TOKEN.finditer(sql)
    )


def columns(sql):
    """The field numbers that an expression by number names."""
    return {int(text[1:-1]) for kind, text in tokens(sql) if kind == "column"}
