"""What changed in the fields of one message."""

import sqlite3
import struct
from dataclasses import replace

from varve_codegen import ddl
from varve_migrate import compatible
from varve_migrate.change import NO, READS, YES
from varve_migrate.match import is_reserved, pairs

_ADD = "leave the field as it was, and add one with a new number"


class Fields:
    """One message before and after. `shown` are (message, field) of the JSON copies that show it, `on_wire`
    says whether values of it are kept as wire bytes."""

    def __init__(self, findings, match, before, after, shown, on_wire):
        self._found, self._match = findings, match
        self._before, self._after = before, after
        self._shown, self._on_wire = shown, on_wire
        self._in_table = bool(before.table and after.table)
        self._common = {f.number for _, f in pairs(before, after)}

    def compare(self):
        for was in self._before.fields:
            if was.number not in self._common:
                self._dropped(was)
        for field in self._after.fields:
            if field.number not in self._common:
                self._added(field)
        for was, now in pairs(self._before, self._after):
            self._both(was, now)
        self._oneofs()

    # ---------------------------------------------------------------- words

    def _change(self, kind, field, text, verdict, was="", **tiers):
        self._found.change(kind, self._after.name, field.number, text, verdict, was, **tiers)

    def _problem(self, field, text):
        self._found.problem(self._after.name, field.number, f"field {field.number} ({field.name}) {text}")

    def _nested(self, text):
        """What a change of the record's own bytes means for the JSON copies around it, behind other text."""
        copies = ", ".join(f"{m.name}.{f.name}" for m, f in self._shown)
        return "; ".join(filter(None, (text, copies and f"the JSON copies of {copies} are written anew")))

    def _column(self, text):
        return text if self._in_table else ""

    def _cached(self, text):
        return text if self._after.cache is not None and self._before.cache is not None else ""

    def _archived(self, field, text):
        return text if field.tensor is not None and self._after.table else ""

    # ---------------------------------------------------------------- added and dropped

    def _dropped(self, was):
        if not is_reserved(self._after, was.number):
            self._problem(
                was,
                "is gone, and its number is not reserved, which is the permission to drop its values; write "
                f'`reserved {was.number}; reserved "{was.name}";` in the message, or put the field back',
            )
            return
        what = "tensor" if was.tensor is not None else "field"
        self._change(
            f"{what}_dropped", was, f"field {was.number} ({was.name}) is dropped, with its values", NO, was.name,
            table=self._nested(self._column("its tensors are deleted" if was.tensor is not None
                                            else f'column "{was.name}" is dropped')),
            cache=self._cached("values of before may still hold it, and nothing reads it"),
            archive=self._archived(was, "segments of before keep it until they are compacted"),
            c=f"the member {was.name} is gone",
        )

    def _added(self, now):
        retired = dict(self._before.retired).get(now.number)
        if retired is not None:
            self._problem(now, f"has the number of {retired}, which was dropped; a number is never used again, since "
                               "values of before may be about: take another one")
            return
        if self._in_table and self._cannot_be_added(now):
            return
        what = "tensor" if now.tensor is not None else "field"
        self._change(
            f"{what}_added", now, f"field {now.number} ({now.name}, {compatible.described(now)}) is new",
            READS if self._shown or self._needs_new_writers(now) else YES,
            table=self._nested(self._column(_column_added(now))),
            cache=self._cached("values of before have none"),
            archive=self._archived(now, "segments of before have none"),
            c=f"the struct has a member {now.name}",
        )

    def _needs_new_writers(self, now):
        """Whether a program that does not know the field would leave it wrong: it counts no version, clears no
        other member of the oneof, and changes dims without the tensor."""
        known = {f.number: f for _, f in pairs(self._before, self._after)}
        joins = bool(now.oneof) and any(f.oneof == now.oneof for f in known.values())
        dims = now.tensor.dims if now.tensor is not None else ()
        return now.version or joins or any(d.startswith("#") and int(d[1:]) in known for d in dims)

    def _cannot_be_added(self, now):
        """Whether the records that exist cannot have the field; says so."""
        reason = ""
        if now.tensor is not None:
            reason = self._tensor_missing(now)
        elif now.primary_key:
            return True  # the key as a whole is looked at elsewhere
        elif now.label == "implicit" and now.reference is not None:
            reason = "is a new reference, and the records that exist refer to nothing: make it optional"
        elif now.label == "implicit" and now.unique:
            reason = "is new and unique, and the records that exist would all have the same value: make it optional"
        elif not now.is_nullable and self._zero_is_refused(now):
            reason = (f"is new, and the records that exist would have {ddl.zero(now)}, which its own check, min or "
                      "max refuses: make it optional, or let that value pass")
        if reason:
            self._problem(now, reason)
        return bool(reason)

    def _tensor_missing(self, now):
        """Records without elements are right only when a dim of theirs is 0."""
        new = {f"#{f.number}" for f in self._after.fields if f.number not in self._common}
        if now.tensor.optional or new & set(now.tensor.dims) or "0" in now.tensor.dims:
            return ""
        return ("is a new tensor, and the records that exist have none, though their dims ask for it: add "
                "(varve.tensor).optional = true, or give it a dim that is a new field")

    def _zero_is_refused(self, now):
        plain = replace(now, reference=None, primary_key=0)
        message = replace(self._after, fields=(plain,), indexes=())
        database = sqlite3.connect(":memory:")
        try:
            database.execute(ddl.create_table(self._match.new, message, "t"))
            database.execute(f"INSERT INTO t ({ddl.quote(now.name)}) VALUES ({ddl.zero(now)})")
        except sqlite3.IntegrityError:
            return True
        finally:
            database.close()
        return False

    # ---------------------------------------------------------------- of one number

    def _both(self, was, now):
        if was.name != now.name:
            self._renamed(was, now)
        if (was.tensor is None) != (now.tensor is None):
            what = "a tensor" if was.tensor is not None else "no tensor"
            self._problem(now, f"was {what}, and is {'none' if was.tensor is not None else 'one'}; {_ADD}")
        elif now.tensor is not None:
            self._tensor(was, now)
        elif self._presence(was, now):
            self._type(was, now)
        self._options(was, now)

    def _renamed(self, was, now):
        is_column = self._in_table and now.tensor is None
        table = f'column "{was.name}" is renamed to "{now.name}"' if is_column else ""
        self._change(
            "renamed", now, f"field {now.number} is renamed from {was.name} to {now.name}",
            NO if is_column else READS if self._shown else YES, was.name,
            table=self._nested(table),
            archive=self._archived(now, f"new segments name it {now.name}; those of before are found by the number"),
            c=f"the member {was.name} is now {now.name}",
        )

    def _presence(self, was, now):
        """Whether one can become the other; the oneofs that both are in come later, together."""
        labels = (was.label, now.label)
        if was.label == now.label:
            return True
        is_alone = set(labels) == {"optional", "oneof"} and self._is_alone(was, now)
        if is_alone or set(labels) == {"implicit", "optional"}:
            return self._presence_changed(was, now)
        if set(labels) <= {"implicit", "optional", "oneof"}:
            advice = ("moves between plain, optional and a oneof, which only an optional field can, into a oneof of "
                      f"its own or out of one: {_ADD}")
        else:
            advice = f"was {compatible.described(was)}, and is {compatible.described(now)}; {_ADD}"
        self._problem(now, advice)
        return False

    def _is_alone(self, was, now):
        before = {f.number for f in self._before.fields if f.oneof == was.oneof} if was.oneof else {was.number}
        after = {f.number for f in self._after.fields if f.oneof == now.oneof} if now.oneof else {now.number}
        return before == {was.number} and after & self._common == {now.number}

    def _presence_changed(self, was, now):
        if self._in_table and now.label == "implicit" and self._cannot_be_plain(now):
            return False
        texts = {
            "implicit": f"is plain now; where it was absent it is {ddl.zero(now)}",
            "optional": "is optional now" if was.label == "implicit" else f"is no longer in the oneof {was.oneof}",
            "oneof": f"is in a oneof of its own now, {now.oneof}",
        }
        rebuilt = "implicit" in (was.label, now.label)
        self._change(
            "presence", now, f"field {now.number} ({now.name}) {texts[now.label]}", NO,
            table=self._nested(self._column("the table is written anew" if rebuilt else "")),
            cache=self._cached("values of before are read with the presence of now"),
            c=f"the presence of the member {now.name} is another",
        )
        return True

    def _cannot_be_plain(self, now):
        uniques = {n for i in self._after.indexes if i.unique for n in i.numbers}
        reason = ""
        if now.reference is not None:
            reason = "is a reference that records may lack, and cannot be made plain: they have none to refer to"
        elif now.unique or now.number in uniques:
            reason = f"is unique, and cannot be made plain: all that lack it would have the value {ddl.zero(now)}"
        elif self._zero_is_refused(now):
            reason = (f"cannot be made plain: records that lack it would have {ddl.zero(now)}, which its own check, "
                      "min or max refuses")
        if reason:
            self._problem(now, f"{reason}; leave it optional")
        return bool(reason)

    def _oneofs(self):
        """Fields that are in a oneof before and after stay together; the oneof's name is free."""
        seen = set()
        both = [(was, now) for was, now in pairs(self._before, self._after) if was.label == now.label == "oneof"]
        for was, now in both:
            before = {new.number for old, new in both if old.oneof == was.oneof}
            after = {new.number for _, new in both if new.oneof == now.oneof}
            if before != after:
                self._problem(now, f"was in the oneof {was.oneof} with other fields than it is in {now.oneof} now; "
                                   "fields of a oneof stay together: leave it there, and add one with a new number")
            elif was.oneof != now.oneof and now.oneof not in seen:
                seen.add(now.oneof)
                self._change("oneof_renamed", now, f"the oneof {was.oneof} is renamed to {now.oneof}", YES, was.oneof,
                             c=f"the members of the oneof {was.oneof} have names with {now.oneof}")

    # ---------------------------------------------------------------- type

    def _type(self, was, now):
        is_named = was.type == now.type and now.type in ("message", "enum")
        if (was.type, was.key) == (now.type, now.key) and (not is_named or self._match.is_same(was, now)):
            return
        reason = self._why_not(was, now, is_named)
        if reason:
            old, new = compatible.described(was), compatible.described(now)
            self._problem(now, f"was {old}, and is {new}{reason}: {_ADD}")
            return
        converts = self._in_table and ddl.column_type(was) != ddl.column_type(now)
        self._change(
            "type", now,
            f"field {now.number} ({now.name}) is {compatible.described(now)} now, and was {compatible.described(was)}",
            NO,
            table=self._nested(self._column("the table is written anew, and values converted" if converts
                                            else "values stay as they are")),
            cache=self._cached("values of before are read as the new type"),
            c=f"the member {now.name} has another type",
        )

    def _why_not(self, was, now, is_named):
        """Why values of one are none of the other, "" when they are."""
        if is_named and was.key == now.key:
            if now.type == "message":
                return "" if self._match.fits(was.target, now.target) else ", whose fields differ"
            return "" if self._match.fits_enum(was.target, now.target) else ", which lacks values that the other has"
        if self._in_table and "message" not in (was.type, now.type) and not compatible.in_column(was, now):
            return ", which cannot take all of its values"
        if self._in_table and was.type == "float" and was.label != "repeated" and _is_narrower(was, now):
            return ("; min and max of a float are rounded as its values are, and a value that was allowed would be "
                    "beyond them now; take bounds that a float holds")
        in_bytes = self._on_wire or not self._in_table or "message" in (was.type, now.type)
        if in_bytes and not compatible.on_wire(was, now):
            return ", which does not read the bytes of the other"
        return ""

    def _tensor(self, was, now):
        one, other = was.tensor, now.tensor
        if (was.type, was.label == "repeated", one.dtype) != (now.type, now.label == "repeated", other.dtype):
            self._problem(now, f"is a tensor of other elements than it was; {_ADD}")
        elif one.dims != other.dims:
            self._problem(now, f"is a tensor with other dims than it had; {_ADD}")
        elif one.optional and not other.optional:
            self._problem(now, "is a tensor that may be absent, and records without it are there; leave it optional")
        elif other.optional and not one.optional:
            self._change("tensor_may_be_absent", now,
                         f"the tensor in field {now.number} ({now.name}) may be absent now", NO,
                         c=f"the member {now.name} may be absent")
        elif was.label != now.label:
            self._change("presence", now,
                         f"the presence of the tensor in field {now.number} ({now.name}) is another", NO,
                         c=f"the presence of the member {now.name} is another")

    # ---------------------------------------------------------------- options

    def _options(self, was, now):
        who = f"field {now.number} ({now.name})"
        for name, what in (("unit", "unit"), ("time", "meaning as a time")):
            before, after = getattr(was, name), getattr(now, name)
            if before != after:
                self._change(
                    name, now,
                    f"the {what} of {who} is {after or 'none'} now, and was {before or 'none'}; values are not "
                    "converted: where they have to be, add statements at the end of the migration",
                    NO,
                    archive=self._archived(now, "new segments say so; those of before keep what they say"),
                    c=f"the comment of the member {now.name} says it",
                )
        if self._in_table:
            self._table_options(was, now, who)

    def _condition(self, name, before, after, now):
        if before == after:
            return
        text = f"the {name} of field {now.number} ({now.name}) is "
        text += f"{_named(after, self._after)} now" if after else "no more"
        text += f", and was {_named(before, self._before)}" if before else ", and there was none"
        self._change(name, now, text, YES, table=self._column("the table is written anew"), c="")

    def _table_options(self, was, now, who):
        for name in ("min", "max", "check"):
            self._condition(name, getattr(was, name), getattr(now, name), now)
        if was.version != now.version:
            self._change(
                "version", now, f"{who} {'counts' if now.version else 'no longer counts'} the record's updates", NO,
                table="the table is written anew, for another default",
                c="updates check it" if now.version else "updates no longer check it",
            )
        if was.json != now.json:
            column = f'column "{now.name}_json" is {"added, and filled" if now.json else "dropped"}'
            self._change(f"json_{'added' if now.json else 'dropped'}", now,
                         f"{who} has {'a' if now.json else 'no'} JSON copy now", READS if now.json else NO,
                         table=column)
        if was.unique != now.unique:
            self._change(f"unique_{'added' if now.unique else 'dropped'}", now,
                         f"{who} is {'unique now' if now.unique else 'no longer unique'}", YES if now.unique else NO,
                         table=f"its unique index is {'made' if now.unique else 'dropped'}",
                         c=f"calls that look up by {now.name} {'come' if now.unique else 'go'}")
        if was.index != now.index:
            self._change(f"index_{'added' if now.index else 'dropped'}", now,
                         f"{who} {'has an index now' if now.index else 'has no index of its own any more'}", YES,
                         table=f"its index is {'made' if now.index else 'dropped, unless something else needs it'}")
        self._reference(was.reference, now.reference, now, who)

    def _reference(self, was, now, field, who):
        rebuilt = "the table is written anew"
        if was is None or now is None:
            if was is not now:
                kind = "dropped" if now is None else "added"
                text = "refers to nothing any more" if now is None else f"refers to {self._target(now)} now"
                self._change(f"reference_{kind}", field, f"{who} {text}", YES,
                             table=f"{rebuilt}, and references are checked" if now else rebuilt)
            return
        if (self._match.now(was.message), was.number) != (now.message, now.number):
            self._change("reference_changed", field, f"{who} refers to {self._target(now)} now", YES,
                         table=f"{rebuilt}, and references are checked")
        if was.on_delete != now.on_delete:
            # A program that counts on the refusal of a delete must not lose what it did not mean to.
            self._change("on_delete", field, f"on_delete of {who} is {now.on_delete} now, and was {was.on_delete}",
                         READS, table=rebuilt)

    def _target(self, reference):
        return f"{reference.message}.{self._match.new.messages[reference.message].field_of(reference.number).name}"


def _is_narrower(was, now):
    """Whether a bound of the float was rounded away from what it is for the double."""
    def rounded(text):
        return struct.unpack("f", struct.pack("f", float(text)))[0]

    return bool((was.max and was.max == now.max and rounded(was.max) > float(now.max)) or
                (was.min and was.min == now.min and rounded(was.min) < float(now.min)))


def _column_added(now):
    if now.tensor is not None:
        return "records of before have none"
    value = "NULL" if now.is_nullable else ddl.zero(now)
    return f'column "{now.name}" is added; records of before have {value}, or what was among their unknown fields'


def _named(condition, message):
    names = message.names
    for number, name in names.items():
        condition = condition.replace(f"{{{number}}}", name)
    return f'"{condition}"'
