"""What a comparison of two states finds: changes, and reasons why there can be no migration."""

from dataclasses import dataclass, field

TIERS = ("table", "cache", "archive", "c")
KINDS = (
    "message_added", "message_dropped", "message_renamed", "table_added", "table_dropped", "table_renamed",
    "field_added", "field_dropped", "renamed", "type", "presence", "oneof_renamed",
    "tensor_added", "tensor_dropped", "tensor_may_be_absent",
    "json_added", "json_dropped", "min", "max", "check", "unit", "time", "version",
    "index_added", "index_dropped", "unique_added", "unique_dropped",
    "reference_added", "reference_dropped", "reference_changed", "on_delete",
    "cache_added", "cache_dropped", "cache_key", "cache_mode", "cache_index_by", "cache_hash_tag", "cache", "archive",
    "enum_renamed", "value_added", "value_removed", "value_renamed",
)


@dataclass(frozen=True)
class Change:
    kind: str  # of KINDS
    message: str  # full name of the message or enum, after the change where it is still there
    number: int  # of the field or of the enum's value; 0: the whole
    sentence: str
    reads_ok: bool  # whether programs of the version before may go on reading
    writes_ok: bool
    tiers: dict = field(compare=False)  # tier: what happens there, "" when nothing
    was: str = ""  # the name before, of what is renamed


@dataclass(frozen=True)
class Problem:
    message: str  # where to look for it in the schema: the message or enum, and the field's number
    number: int
    text: str


YES = (True, True)
READS = (True, False)
NO = (False, False)


class Findings:
    """Changes and problems, in the order in which they are found."""

    def __init__(self):
        self.changes = []
        self.errors = []

    def change(self, kind, message, number, text, verdict, was="", **tiers):
        sentence = "".join(c if c.isprintable() else " " for c in f"{message}: {text}.")  # one line: an SQL comment
        every = {tier: tiers.get(tier, "") for tier in TIERS}
        self.changes.append(Change(kind, message, number, sentence, *verdict, every, was))

    def problem(self, message, number, text):
        self.errors.append(Problem(message, number, text))
