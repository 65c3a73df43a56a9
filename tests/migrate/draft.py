"""A state on its way to the next one, for the edits of a random walk, and what they choose from it."""

from dataclasses import replace

from varve_codegen.state import Enum, Field, Message, Reference, State

SCALARS = ("int32", "sint32", "sfixed32", "uint32", "fixed32", "int64", "sint64", "sfixed64", "uint64", "fixed64",
           "bool", "float", "double", "string", "bytes")
INTEGERS = SCALARS[:10]
_MAP_KEYS = ("int32", "uint32", "int64", "uint64", "sint64", "string", "bool")
_TABLE_ELEMENTS = tuple(t for t in SCALARS if t != "bytes")
_WORDS = ("alpha", "beta", "gamma", "delta", "order", "group", "value", "Mixed", "select", "unique", "check", "mass",
          "table")


class Draft:
    """A state on its way to the next one."""

    def __init__(self, state):
        self.package = state.package
        self.messages = dict(state.messages)
        self.enums = dict(state.enums)
        self.retired = state.retired
        self.drops = set()

    def state(self):
        """As the schema would be captured: messages and enums that nothing uses are left out."""
        wanted, pending = {}, [n for n, m in self.messages.items() if m.table]
        while pending:
            name = pending.pop(0)
            if name not in wanted:
                wanted[name] = self.messages[name]
                pending += [f.target for f in wanted[name].fields if f.type == "message"]
        used = {f.target for m in wanted.values() for f in m.fields if f.type == "enum"}
        return State(self.package, wanted, {n: e for n, e in self.enums.items() if n in used})

    def tables(self):
        return [m for m in self.messages.values() if m.table]

    def nested(self):
        return [m for m in self.messages.values() if not m.table]

    def put(self, message, was=""):
        """Puts a message in its place; under another name, everything follows it."""
        was = was or message.name
        self.messages = {message.name if n == was else n: message if n == was else m for n, m in self.messages.items()}
        if was != message.name:
            self.messages = {n: replace(m, fields=tuple(_renamed(f, was, message.name) for f in m.fields))
                             for n, m in self.messages.items()}

    def change(self, message, number, **values):
        message = self.messages[message.name]
        fields = tuple(replace(f, **values) if f.number == number else f for f in message.fields)
        self.put(replace(message, fields=fields))

    def add(self, message, *fields):
        message = self.messages[message.name]
        self.put(replace(message, fields=message.fields + fields))

    def is_used(self, message, number):
        """Whether something else names the field."""
        message = self.messages[message.name]
        dims = any(f"#{number}" in f.tensor.dims for f in message.tensors)
        indexed = any(number in i.numbers or f"{{{number}}}" in i.where for i in message.indexes)
        referred = any(f.reference and (f.reference.message, f.reference.number) == (message.name, number)
                       for m in self.messages.values() for f in m.fields)
        return dims or indexed or referred or message.field_of(number).primary_key > 0


def _renamed(field, was, name):
    if field.reference is not None and field.reference.message == was:
        field = replace(field, reference=replace(field.reference, message=name))
    return replace(field, target=name) if field.type == "message" and field.target == was else field


# -------------------------------------------------------------------- choosing


def any_message(random, draft):
    return random.choice([*draft.tables(), *draft.tables(), *draft.nested()])


def any_table(random, draft):
    return random.choice(draft.tables())


def any_field(random, message, condition=lambda f: True):
    found = [f for f in message.fields if condition(f)]
    return random.choice(found) if found else None


def is_scalar(field):
    return field.label in ("implicit", "optional", "oneof") and field.type != "message" and field.tensor is None


def new_number(random, message):
    taken = [f.number for f in message.fields] + [n for n, _ in message.retired] + [n for pair in message.reserved
                                                                                    for n in pair]
    return max(taken, default=0) + random.choice((1, 1, 1, 2, 9))


def new_name(random, message):
    taken = {f.name.lower() for f in message.fields} | {f"{f.name}_json".lower() for f in message.fields if f.json}
    while True:
        name = random.choice(_WORDS) + random.choice(("", "", str(random.randint(1, 99))))
        if name.lower() not in taken:
            return name


def new_field(random, draft, message):
    """A field of a random kind, of what a message may have; without references and tensors."""
    label = random.choice(("implicit", "implicit", "optional", "optional", "repeated", "map"))
    elements = _TABLE_ELEMENTS if message.table and label in ("repeated", "map") else SCALARS
    kind, target, key = random.choice((*elements, "enum", "message", "message")), "", ""
    if kind == "message":
        held = [m.name for m in draft.nested() if m.name != message.name and not _reaches(draft, m.name, message.name)]
        kind, target = ("message", random.choice(held)) if held else ("string", "")
    elif kind == "enum":
        target = any_enum(random, draft)
    if kind == "message" and label == "implicit":
        label = "optional"
    if label == "map":
        key = random.choice(_MAP_KEYS)
    json = bool(message.table) and kind == "message" and random.random() < 0.6
    return Field(new_number(random, message), new_name(random, message), label, kind, target, key, json=json)


def any_enum(random, draft):
    """The name of an enum, of a new one now and then."""
    if not draft.enums or random.random() < 0.2:
        name = f"{draft.package}.E{random.randint(1, 10**9)}"
        draft.enums[name] = Enum(name, ((-3, "E_3"), (0, "E_0"), (1, "E_1")))
        return name
    return random.choice(list(draft.enums))


def _reaches(draft, name, wanted):
    return name == wanted or any(_reaches(draft, f.target, wanted) for f in draft.messages[name].fields
                                 if f.type == "message")


# -------------------------------------------------------------------- where a walk begins


def first_state(random):
    draft = Draft(State("lab", {}, {"lab.Mood": Enum("lab.Mood", ((0, "MOOD_0"), (1, "MOOD_1"), (4, "MOOD_4")))}))
    for name in ("lab.Place", "lab.Spot"):
        draft.messages[name] = Message(name, "", (Field(1, "x", "implicit", "double"),))
        draft.add(draft.messages[name], new_field(random, draft, draft.messages[name]))
    for name, table in (("lab.Subject", "subject"), ("lab.Sample", "sample")):
        draft.messages[name] = Message(name, table, (Field(1, "id", "implicit", "int64", primary_key=1),))
        for _ in range(4):
            draft.add(draft.messages[name], new_field(random, draft, draft.messages[name]))
    draft.add(draft.messages["lab.Sample"], Field(90, "subject", "implicit", "int64",
                                                  reference=Reference("lab.Subject", 1, "CASCADE")))
    return draft.state()
