"""What a statement of a query is, as SQLite sees it: what it reads and writes, and where it scans a table."""

import re

from varve_codegen import expression, sqlite

_INSERT, _DELETE, _UPDATE, _READ, _SELECT, _FUNCTION, _RECURSIVE = 18, 9, 23, 20, 21, 31, 33
_OWN = ("sqlite_", "varve_", "pragma_")
_CONFLICTS = {
    "REPLACE": "deletes other records without a word; write INSERT .. ON CONFLICT .. DO UPDATE",
    "ROLLBACK": "ends the caller's transaction; leave it out",
    "FAIL": "leaves what it has done when it fails; leave it out",
}


class Uses:
    """What a statement does, filled while it is prepared."""

    def __init__(self):
        self.read = set()  # names of tables
        self.inserted, self.deleted = set(), set()
        self.updated = {}  # table: names of columns
        self.refused = ""  # what it may not do

    @property
    def written(self):
        return self.inserted | self.deleted | set(self.updated)

    @property
    def tables(self):
        return self.read | self.written

    def allow(self, action, name, second):
        if action in (_SELECT, _RECURSIVE):
            return True
        if action == _FUNCTION:
            return self._judge(second != "load_extension", f"it calls {second}()")
        if action not in (_INSERT, _DELETE, _UPDATE, _READ):
            return self._judge(False, "it is no SELECT, INSERT, UPDATE or DELETE of records")
        if not self._judge(not name.lower().startswith(_OWN), f"{name} is no table of the schema"):
            return False
        if action == _UPDATE:
            self.updated.setdefault(name, set()).add(second)
        else:
            {_INSERT: self.inserted, _DELETE: self.deleted, _READ: self.read}[action].add(name)
        return True

    def _judge(self, fine, problem):
        if not fine and not self.refused:
            self.refused = problem
        return fine


def prepare(database, sql):
    """(statement, Uses); the statement is None where it is refused."""
    uses = Uses()
    database.authorize(uses.allow)
    try:
        return database.prepare(sql), uses
    except sqlite.Failure:
        if not uses.refused:
            raise
        return None, uses
    finally:
        database.authorize(None)


def is_query(sql):
    """Whether it begins as a statement that reads or writes rows."""
    words = [text.upper() for _, text in _top(sql)]
    return words[:1] and words[0] in ("SELECT", "VALUES", "WITH", "INSERT", "REPLACE", "UPDATE", "DELETE")


def has_more(tail):
    """Whether something but comments and semicolons follows a statement."""
    bare = re.sub(r"--[^\n]*(\n|$)|/\*.*?(\*/|$)", " ", tail, flags=re.DOTALL)
    return bare.strip(" \t\r\n;") != ""


def bad_conflict(sql):
    """(words, mending) of a conflict clause that breaks a guarantee, or None."""
    words = [text.upper() for kind, text in _top(sql) if kind != "string"]
    for before, word in zip([""] + words, words):
        if before == "OR" and word in _CONFLICTS:
            return f"OR {word}", _CONFLICTS[word]
    for word, after in zip(words, words[1:]):
        if (word, after) == ("REPLACE", "INTO"):
            return "REPLACE", _CONFLICTS[word]
    return None


def written_table(sql):
    """The name of the table that a statement changes, by its words; "" where it reads."""
    depth, verb, words = 0, "", []
    for kind, text in _top(sql):
        depth += {"(": 1, ")": -1}.get(text, 0) if kind == "other" else 0
        if depth == 0 and kind in ("word", "quoted"):
            words.append((kind, text))
    for i, (kind, text) in enumerate(words):
        if kind == "word" and text.upper() in ("SELECT", "VALUES"):
            return ""
        if kind == "word" and text.upper() in ("INSERT", "UPDATE", "DELETE", "REPLACE"):
            verb, words = text.upper(), words[i + 1 :]
            break
    if not verb:
        return ""
    if verb == "UPDATE" and words and words[0][1].upper() == "OR":
        words = words[2:]
    if verb != "UPDATE":
        into = [i for i, (kind, text) in enumerate(words) if kind == "word" and text.upper() in ("INTO", "FROM")]
        words = words[into[0] + 1 :] if into else []
    names = [expression.unquoted(text) if kind == "quoted" else text for kind, text in words]
    return next((name for name in names if name.lower() != "main"), "")


def limits(sql):
    """The parameters of LIMIT and of OFFSET, by their names without the colon: {name: is an offset}."""
    found = re.findall(r"\b(LIMIT|OFFSET)\s+:(\w+)", sql, flags=re.IGNORECASE)
    return {name: word.upper() == "OFFSET" for word, name in found}


def _top(sql):
    return [(kind, text) for kind, text in expression.tokens(re.sub(r"--[^\n]*|/\*.*?\*/", " ", sql, flags=re.DOTALL))]


# -------------------------------------------------------------------- scans


def scans(database, sql):
    """The tables that the statement reads from end to end, by name; on an empty database without statistics,
    so for any data."""
    walked, emptied, aggregates = _walked(database, sql)
    names = _names(sql, walked)
    found = sorted(emptied)
    plan = [[value for _, value in row] for row in database.rows(f"EXPLAIN QUERY PLAN {sql}")]
    for i, (_, parent, _, detail) in enumerate(plan):
        words = detail.split(" ")
        is_scan = words[0] == "SCAN" or "AUTOMATIC" in words
        table = names.get(words[1].lower()) if is_scan and len(words) > 1 else None
        is_first = i == 0 and parent == 0 and words[0] == "SCAN"
        if table and not (is_first and _is_bounded(sql, plan, aggregates)):
            found.append(table)
    return list(dict.fromkeys(found))


def _walked(database, sql):
    """(tables of which the statement's program walks through all of a b-tree, those that it empties, whether
    it aggregates)."""
    roots = {}
    for (_, root), (_, table) in database.rows("SELECT rootpage, tbl_name FROM sqlite_master WHERE rootpage > 0"):
        roots[root] = table
    walked, emptied, aggregates, cursors = set(), set(), False, {}
    for row in database.rows(f"EXPLAIN {sql}"):
        _, opcode, p1, p2 = (value for _, value in row[:4])
        if opcode in ("OpenRead", "OpenWrite"):
            cursors[p1] = roots.get(p2)
        elif opcode.startswith("Open") or opcode == "VOpen":
            cursors[p1] = None
        elif opcode in ("Rewind", "Last", "Count") and cursors.get(p1):
            walked.add(cursors[p1])
        elif opcode == "Clear" and p2 == 0 and p1 in roots:
            emptied.add(roots[p1])
        aggregates = aggregates or opcode == "AggFinal"
    return walked, emptied, aggregates


def _names(sql, tables):
    """What a plan may call these tables: their names, and the words behind these, which are aliases."""
    folded = {table.lower(): table for table in tables}
    words = [expression.unquoted(text) if kind == "quoted" else text for kind, text in _top(sql)]
    names = dict(folded)
    for i, word in enumerate(words):
        if word.lower() in folded:
            after = words[i + 1 : i + 3]
            alias = after[-1:] if after[:1] and after[0].upper() == "AS" else after[:1]
            names.update({a.lower(): folded[word.lower()] for a in alias if a.lower() not in folded})
    return names


def _is_bounded(sql, plan, aggregates):
    """Whether the outermost loop is in the order asked for and ends with LIMIT: not one that makes one row of
    all."""
    depth, words = 0, []
    for kind, text in _top(sql):
        depth += {"(": 1, ")": -1}.get(text, 0) if kind == "other" else 0
        if depth == 0 and kind == "word":
            words.append(text.upper())
    sorts = any("TEMP B-TREE" in row[3] for row in plan)
    whole = aggregates and "GROUP" not in words
    return "ORDER" in words and "LIMIT" in words and not sorts and not whole
