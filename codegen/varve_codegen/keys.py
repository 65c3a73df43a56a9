"""Cache key templates: "spikes:{region}:{bin}" as parts between colons.

Field values are escaped so that they hold no colon, brace, percent sign or control byte. With at most
one field in a part, a key can be read back in one way only.
"""

import re
from dataclasses import dataclass

_TEXT = re.compile(r"[!-$&-9;-z|~]*\Z")  # printable ASCII without space, % : { }


@dataclass(frozen=True)
class Part:
    before: str  # fixed text before the field, or the whole part
    field: str  # "" in a part of fixed text alone
    after: str


class KeyTemplateError(ValueError):
    pass


def parse(template):
    """The parts of a template; KeyTemplateError says what is wrong with it."""
    return tuple(_part(text, template) for text in _split(template))


def _split(template):
    if not template:
        raise KeyTemplateError('the key is empty; write a template such as "episode:{id}"')
    return template.split(":")


def _part(text, template):
    before, brace, rest = text.partition("{")
    if not brace:
        if not text:
            raise KeyTemplateError(f'the key "{template}" has an empty part; remove a colon')
        return Part(_fixed(text, template), "", "")
    name, brace, after = rest.partition("}")
    if not brace or "{" in name:
        raise KeyTemplateError(f'the key "{template}" has a {{ without its }}; write {{field}}')
    if not name:
        raise KeyTemplateError(f'the key "{template}" has empty braces; write the name of a field in them')
    if "{" in after:
        raise KeyTemplateError(
            f'the key "{template}" has two fields in one part, so it could be read in two ways; '
            "put a colon between them"
        )
    return Part(_fixed(before, template), name, _fixed(after, template))


def _fixed(text, template):
    if "}" in text:
        raise KeyTemplateError(f'the key "{template}" has a }} without its {{; write {{field}}')
    if not _TEXT.match(text):
        raise KeyTemplateError(
            f'the fixed text of the key "{template}" has a space, a %, a control or a non-ASCII '
            "character; use letters, digits and punctuation"
        )
    return text


def fields(parts):
    return [part.field for part in parts if part.field]


def fixed_size(parts):
    """How many bytes of every key are the template's: all but the fields, colons included."""
    return sum(len(part.before) + len(part.after) for part in parts) + len(parts) - 1


def by_number(parts, numbers):
    """The template with its fields by number: a field's new name leaves it as it is."""
    return ":".join(
        f"{part.before}{{{numbers[part.field]}}}{part.after}" if part.field else part.before for part in parts
    )


def can_meet(a, b):
    """Whether two templates could make the same key."""
    return len(a) == len(b) and all(_parts_meet(x, y) for x, y in zip(a, b))


def _parts_meet(a, b):
    if not a.field and not b.field:
        return a.before == b.before
    if not a.field:
        a, b = b, a
    if not b.field:
        room = len(b.before) - len(a.before) - len(a.after)
        return room >= 0 and b.before.startswith(a.before) and b.before.endswith(a.after)
    starts = a.before.startswith(b.before) or b.before.startswith(a.before)
    ends = a.after.endswith(b.after) or b.after.endswith(a.after)
    return starts and ends
