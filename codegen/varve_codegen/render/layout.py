"""How text is laid out: comments, aligned members, function heads, tables. All of it is a fixed point
of the project's .clang-format, so that nothing needs formatting after generation."""

import re

WIDTH = 100

_PLAIN = re.compile(r"[A-Za-z0-9_. ,;()<>=-]*\Z")  # needs no escape in a C string
_WORD = re.compile(r"( *)([^ ]+)")
_SPECIAL = re.compile(r"\*/|/\*|\t|\\\Z")  # what cannot stand inside a C comment


def plain(text):
    """Text that can stand inside a C comment."""
    if not _SPECIAL.search(text):
        return text
    return text.replace("*/", "* /").replace("/*", "/ *").replace("\t", "    ").rstrip("\\")


def comment(text, indent=""):
    """A block comment as lines. The author's line breaks are kept, but in a paragraph that has a line
    too long for C: that is filled anew."""
    room = WIDTH - len(indent) - len(" * ") - len(" */")
    lines = []
    for paragraph in _paragraphs(plain(text).split("\n")):
        if all(len(line) <= room for line in paragraph):
            lines += paragraph
        else:
            lines += _wrapped(" ".join(paragraph), room)
    lines = [f"{indent}/* {lines[0]}"] + [f"{indent} * {line}".rstrip() for line in lines[1:]]
    lines[-1] += " */"
    return lines


def _wrapped(text, room):
    """textwrap.wrap() for text that breaks at spaces alone, in a fraction of its time."""
    lines = []
    for gap, word in _WORD.findall(text):
        if lines and len(lines[-1]) + len(gap) + len(word) <= room:
            lines[-1] += gap + word
        else:
            lines.append(word if lines else gap + word)
    return lines


def _paragraphs(lines):
    """Runs of lines that can be filled together: not across blank lines, nor into indented ones and
    items of a list."""
    paragraphs = []
    for line in lines:
        alone = not line.strip() or line[0] in " -*(" or line[:1].isdigit()
        if alone or not paragraphs or not paragraphs[-1][-1].strip():
            paragraphs.append([line])
        else:
            paragraphs[-1].append(line)
    return paragraphs


def is_too_wide(text):
    """Whether names are so long that lines of code do not fit. There clang-format breaks lines within
    declarations, which is worse to read than long lines: such a file is not for it."""
    on = True
    for line in text.split("\n"):
        if line.startswith("/* clang-format "):
            on = line == "/* clang-format on */"
        elif on and len(line) > WIDTH and line.lstrip()[:2] not in ("/*", "* "):
            return True
    return False


class Member:
    """A line of code with what is said about it. `text` is the schema's comment and `facts` is what the
    options say. One of the two stands behind the code where there is room; where there are both, the
    text goes above."""

    def __init__(self, code, text="", facts=""):
        self.code = code
        text, facts = plain(text), plain(facts).replace("\n", " ")
        self.above, self.behind = (text, facts) if facts or "\n" in text else ("", text)
        if self.behind.endswith(".") and ". " not in self.behind:
            self.behind = self.behind[:-1]

    def move_up(self):
        """Moves what is behind the line above it."""
        self.above = f"{self.above}\n{self.behind}" if self.above else self.behind
        self.behind = ""


def aligned(members, indent="    "):
    """Members as lines, comments behind them aligned in runs; one that does not fit goes above."""
    while _move_one_up(members, indent):
        pass
    lines = []
    for run in _runs(members):
        column = _column(run, indent)
        for member in run:
            lines += comment(member.above, indent) if member.above else []
            code = (indent + member.code).rstrip()
            lines.append(f"{code.ljust(column)}/* {member.behind} */" if member.behind else code)
    return lines


def _runs(members):
    """clang-format aligns the comments of consecutive lines; any other line ends the run."""
    runs = []
    for member in members:
        continues = runs and member.behind and not member.above and runs[-1][-1].behind
        if continues:
            runs[-1].append(member)
        else:
            runs.append([member])
    return runs


def _column(run, indent):
    return len(indent) + max([len(member.code) for member in run]) + 1


def _move_one_up(members, indent):
    for run in _runs(members):
        if not run[0].behind:
            continue
        column = _column(run, indent)
        for member in run:
            if column + len(f"/* {member.behind} */") > WIDTH:
                member.move_up()
                return True
    return False


def head(result, name, parameters):
    """The head of a function as lines: its result on a line of its own, parameters wrapped."""
    one = f"{name}({', '.join(parameters) or 'void'})"
    if len(one) <= WIDTH:
        return [result, one]
    together = "    " + ", ".join(parameters) + ")"
    if len(together) <= WIDTH:
        return [result, f"{name}(", together]
    lines = [f"    {p}," for p in parameters]
    lines[-1] = lines[-1][:-1] + ")"
    return [result, f"{name}("] + lines


def declared(type_, name):
    """A declaration of an object, broken behind its type where it is too long."""
    one = f"{type_} {name};"
    return one if len(one) <= WIDTH else f"{type_}\n    {name};"


def call(start, function, arguments, indent="    "):
    """`start` + a call as a statement: `return f(a);`, `int x = f(a);`."""
    text = f"{function}({', '.join(arguments)});"
    one = f"{indent}{start}{text}"
    if len(one) <= WIDTH:
        return [one]
    inner = indent + "    "
    if start.endswith("= ") and len(inner + text) <= WIDTH:
        return [indent + start.rstrip(), inner + text]
    opening = f"{indent}{start}{function}("
    if start.endswith("= ") and len(opening) > WIDTH:
        return [indent + start.rstrip()] + call("", function, arguments, inner)
    return [opening] + _filled([f"{a}," for a in arguments[:-1]] + [f"{arguments[-1]});"], inner)


def _filled(words, indent):
    lines = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= WIDTH:
            lines[-1] += " " + word
        else:
            lines.append(indent + word)
    return lines


def table(rows, indent="    "):
    """Rows of cells (strings) as initialisers. The leading cells that every row has are aligned; of
    the others, empty ones take no room."""
    if not rows:
        return []
    shared = next((i for i in range(len(rows[0])) if not all(row[i] for row in rows)), len(rows[0]))
    widths = [max(len(row[i]) for row in rows) for i in range(shared)]
    lines = []
    for row in rows:
        cells = [f"{cell},".ljust(width + 1) for cell, width in zip(row, widths)]
        cells += [f"{cell}," for cell in row[shared:] if cell]
        lines.append(f"{indent}{{ {' '.join(cells).rstrip()[:-1]} }},")
    return lines


def numbers(values, indent="    "):
    """Numbers or names in lines of at most WIDTH columns, each followed by a comma."""
    return _filled([f"{v}," for v in values], indent)


def byte_rows(data, indent="    "):
    """Bytes as hexadecimal numbers, sixteen in a line."""
    rows = []
    for start in range(0, len(data), 16):
        row = data[start : start + 16].hex(" ").split(" ")
        rows.append(indent + "0x" + ", 0x".join(row) + ",")
    return rows


def character_rows(text, indent="    "):
    """The characters of a string that is too long for a literal, with its end."""
    characters = text.encode("utf-8").decode("latin-1")
    return _filled([f"'{_CHARACTERS.get(c) or _escape(ord(c))}'," for c in characters] + ["0,"], indent)


def quoted(text):
    """A C string literal."""
    if _PLAIN.match(text):
        return f'"{text}"'
    return '"' + text.encode("utf-8").decode("latin-1").translate(_ESCAPES) + '"'


def _escape(byte):
    if byte in (0x22, 0x5C):
        return "\\" + chr(byte)
    if byte == 0x0A:
        return "\\n"
    if 0x20 <= byte < 0x7F and byte != 0x3F:
        return chr(byte)
    return f"\\{byte:03o}"  # three octal digits end by themselves; ? could make a trigraph


_ESCAPES = {byte: _escape(byte) for byte in range(256)}
_CHARACTERS = {"'": "\\'", '"': '"'}
