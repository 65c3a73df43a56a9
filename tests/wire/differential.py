#!/usr/bin/env python3
"""Compares varve's packing, unpacking, cloning, comparing and printing with Python's protobuf.

    differential.py --peer build/dev/tests/wire/wire_peer [--protoc PROTOC] [--seed N] [--count N]
                    [--only PART] [--show N]

A case is made of a seed; the peer (peer.c) answers what the C library makes of its bytes, and Python
says what it should be. A difference is printed with the smallest bytes that still show it. --count
multiplies the cases of the random parts.
"""

import argparse
import collections
import os
import random
import struct
import sys

from google.protobuf import descriptor_pb2
from google.protobuf.internal import api_implementation
from google.protobuf.message import DecodeError

from comparison import Comparison, Peer, PeerDied, PeerError, parse, shown
from meaning import meaning, without_signs_of_zero
from schemas import Schema, compile_schema, is_map, is_packable, is_repeated, newer
from values import Values, edges
from wireforms import MAX_DEPTH, Writer, mutated, prefixed, tag, varint

sys.setrecursionlimit(20000)


# -------------------------------------------------------------------- parts


def test_descriptor_set(test):
    """The descriptor set in the program is protoc's, but for descriptor.proto, which libraries have."""
    embedded = descriptor_pb2.FileDescriptorSet.FromString(test.peer.ask("D", 0)[0])
    theirs = {file.name: file for file in test.options.descriptor_set.file}
    del theirs["google/protobuf/descriptor.proto"]
    mine = {file.name: file for file in embedded.file}
    for name in theirs.keys() | mine.keys():
        if mine.get(name) != theirs.get(name):
            test.differences.append(("descriptor set", "descriptor set", name))
            print(f"DIFFERENCE: {name} in the program's descriptor set")
    names = set()

    def add(messages, prefix):
        for message in messages:
            if not message.options.map_entry:
                names.add(f"{prefix}.{message.name}")
            add(message.nested_type, f"{prefix}.{message.name}")

    add(theirs["everything.proto"].message_type, "wiretest")
    if names != set(test.peer.names):
        test.differences.append(("descriptor set", "names", str(names ^ set(test.peer.names))))
        print(f"DIFFERENCE: messages {names ^ set(test.peer.names)}")
    test.compared[test.part] += len(mine)


def test_edges(test):
    """Every field alone, with every edge value; in arrays packed and not, as key and as value."""
    for descriptor in test.messages():
        for field in descriptor.fields:
            if test.schema.tensor(field) is not None:
                continue
            for i, data in enumerate(single_fields(field)):
                test.check(descriptor, data, f"{field.name} {i}")


def single_fields(field):
    writer = Writer(random.Random(0), None)
    writer._wild = -1
    if is_map(field):
        key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
        for edge in edges(key):
            yield prefixed(field.number, writer._scalar(key, edge))
        if value.message_type is None:
            for edge in edges(value):
                yield prefixed(field.number, writer._scalar(value, edge))
        yield prefixed(field.number, b"")
    elif field.message_type is not None:
        yield prefixed(field.number, b"")
        yield prefixed(field.number, b"") * 3
    else:
        for edge in edges(field):
            yield writer._scalar(field, edge)
        if is_packable(field):
            yield prefixed(field.number, b"".join(writer._number(field, edge) for edge in edges(field)))
            yield prefixed(field.number, b"")
            yield writer._scalar(field, edges(field)[0]) * 1000
        elif is_repeated(field):
            yield b"".join(writer._scalar(field, edge) for edge in edges(field))


def test_serialized(test):
    """As Python serializes."""
    for descriptor, number, rng in test.cases(25):
        message = Values(rng, test.schema).message(descriptor)
        test.check(descriptor, message.SerializeToString(deterministic=True), number)


def test_forms(test):
    """Other legal forms of the same message."""
    for descriptor, number, rng in test.cases(60):
        values = Values(rng, test.schema)
        message = values.message(descriptor)
        data = Writer(rng, values).write(message)
        again = parse(test.schema.cls(descriptor), data)
        if again is None or meaning(again, unknown=False) != meaning(message, unknown=False):
            test.report(descriptor, data, number, ("form", "Python itself reads another message than was written"))
        test.check(descriptor, data, number)


def test_tensors(test):
    """Tensors in bytes of every length, with dims that do and do not agree."""
    for descriptor in test.messages():
        numbers = [field for field in descriptor.fields if field.name in ("rows", "columns")]
        for tensor in test.schema.tensors(descriptor):
            if not tensor.element_size:
                continue
            for size in range(13):
                for dim in range(5):
                    message = test.schema.new(descriptor)
                    for field in numbers:
                        setattr(message, field.name, dim)
                    for other in test.schema.tensors(descriptor):
                        fill_tensor(message, other)
                    setattr(message, tensor.field.name, bytes(range(size)))
                    test.check(descriptor, message.SerializeToString(deterministic=True),
                               f"{tensor.field.name} {size} {dim}")


def fill_tensor(message, tensor):
    count = tensor.count(message)
    if tensor.element_size:
        setattr(message, tensor.field.name, b"\1" * (count * tensor.element_size))
    else:
        getattr(message, tensor.field.name).extend([1] * count)


def test_equal(test):
    """varve_record_equal() and Python agree, on forms of one message and on neighbours."""
    for descriptor in test.messages():
        for field in descriptor.fields:
            forms = list(single_fields(field)) if test.schema.tensor(field) is None else []
            for i in range(len(forms) - 1):
                compare(test, descriptor, forms[i:i + 2], f"{field.name} {i}")
    for descriptor, number, rng in test.cases(30):
        values = Values(rng, test.schema)
        message = values.message(descriptor)
        other = test.schema.new(descriptor)
        other.CopyFrom(message)
        if rng.random() < 0.7:
            change(rng, values, other)
        pair = [Writer(rng, values, unknown=False).write(m) for m in (message, other)]
        compare(test, descriptor, pair, number)


def compare(test, descriptor, pair, case):
    cls = test.schema.cls(descriptor)
    means = [without_signs_of_zero(meaning(cls.FromString(data))) for data in pair]
    expected = means[0] == means[1]
    data = struct.pack("<I", len(pair[0])) + pair[0] + pair[1]
    try:
        equal = test.peer.ask("E", descriptor.full_name, data)[0] == b"1"
    except (PeerError, PeerDied) as error:
        test.report(descriptor, data, case, ("equal failed", str(error)))
        return
    test.compared[test.part] += 1
    if equal != expected:
        test.report(descriptor, data, case, ("compared", f"equal is {equal}, Python says {expected}"))
        for half in pair:
            test.check(descriptor, half, case)


def change(rng, values, message):
    """Changes one field a little, in a nested message perhaps."""
    bound = {name for tensor in values.schema.tensors(message.DESCRIPTOR) for name in (tensor.field.name, *tensor.dims)}
    field = rng.choice([field for field in message.DESCRIPTOR.fields if field.name not in bound] or [None])
    there = [field for field, _ in message.ListFields() if field.name not in bound]
    if there and rng.random() < 0.7:
        field = rng.choice(there)
    if field is None:
        return
    if is_map(field):
        change_map(rng, values, field, getattr(message, field.name))
    elif is_repeated(field):
        change_elements(rng, values, field, getattr(message, field.name))
    elif field.message_type is None:
        setattr(message, field.name, neighbour(rng, values, field, getattr(message, field.name)))
    elif not message.HasField(field.name):
        getattr(message, field.name).SetInParent()
    elif rng.random() < 0.8:
        change(rng, values, getattr(message, field.name))
    else:
        message.ClearField(field.name)


def change_map(rng, values, field, entries):
    key_field, value_field = (field.message_type.fields_by_name[name] for name in ("key", "value"))
    key = rng.choice(sorted(entries)) if entries else values.scalar(key_field)
    if key in entries and rng.random() < 0.3:
        del entries[key]
    elif value_field.message_type is not None:
        change(rng, values, entries[key])
    else:
        entries[key] = neighbour(rng, values, value_field, entries[key])


def change_elements(rng, values, field, elements):
    at = rng.randrange(len(elements)) if elements else None
    if at is None and field.message_type is not None:
        elements.add()
    elif at is None:
        elements.append(values.scalar(field))
    elif rng.random() < 0.3:
        del elements[at]
    elif field.message_type is not None:
        change(rng, values, elements[at])
    else:
        elements[at] = neighbour(rng, values, field, elements[at])


def neighbour(rng, values, field, value):
    """A value that differs in its last place, or a random one."""
    if rng.random() < 0.3 or field.type == field.TYPE_ENUM:
        return values.scalar(field)
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return rng.choice([value + "x", value[:-1], value[:-1] + "y"])
    if isinstance(value, bytes):
        return rng.choice([value + b"x", value[:-1], value[:-1] + b"y"])
    return value / 2 if isinstance(value, float) else value - 1 if value > 0 else value + 1


def test_made_in_c(test):
    """Records filled in C, read by Python, written by Python, read in C."""
    for descriptor, number, rng in test.cases(20):
        seed = struct.pack("<Q", rng.getrandbits(64))
        try:
            packed, text = test.peer.ask("S", descriptor.full_name, seed)
            message = test.schema.cls(descriptor).FromString(packed)
            again = message.SerializeToString(deterministic=True)
            equal = test.peer.ask("Q", descriptor.full_name, seed + again)[0] == b"1"
        except (PeerError, PeerDied, DecodeError) as error:
            test.report(descriptor, seed, number, ("made in C", f"seed {seed.hex()}: {error}"))
            continue
        test.compared[test.part] += 1
        if not equal:
            test.report(descriptor, seed, number, ("made in C", f"seed {seed.hex()}: not equal after Python"))
        problem = test.differ_text(test.schema.cls(descriptor), text, meaning(message), False)
        if problem:
            test.report(descriptor, seed, number, ("made in C, text", f"seed {seed.hex()}: {problem}"))


def test_newer(test):
    """What a newer program wrote survives an older C program."""
    for descriptor, number, rng in test.cases(20):
        newest = test.newer.message(descriptor.full_name)
        values = Values(rng, test.newer)
        message = values.message(newest)
        data = message.SerializeToString(deterministic=True)
        if rng.random() < 0.7:  # a rival in a oneof would be sorted behind the member that replaced it
            data = Writer(rng, values, rival_oneofs=False).write(message)

        def differ(_, data):
            expected = parse(test.newer.cls(newest), data)
            if expected is None:
                return None
            try:
                answer = test.peer.ask("A", descriptor.full_name, data)
            except (PeerError, PeerDied) as error:
                return f"newer refused {getattr(error, 'kind', '')}", str(error)
            for what, data in (("packed", answer[0]), ("clone", answer[4])):
                got = test.newer.cls(newest).FromString(data)
                if meaning(got) != meaning(expected):
                    return "newer lost", f"from the {what} record\n{shown(got)}instead of\n{shown(expected)}"
            return None

        found = differ(None, data)
        test.compared[test.part] += 1
        if found:
            test.report(descriptor, data, number, found, differ)


def test_wire_types(test):
    """Every field with every wire type that is not its own, alone and behind a good field."""
    bodies = {0: varint(1), 1: b"\1" * 8, 2: b"\2\x08\1", 3: b"\x08\1", 4: b"", 5: b"\1" * 4, 6: b"", 7: b""}
    for descriptor in test.messages():
        for field in descriptor.fields:
            for kind, body in bodies.items():
                data = tag(field.number, kind) + body
                end = tag(field.number, 4) if kind == 3 else b""
                test.check(descriptor, data + end, f"{field.name} as {kind}")
                if kind == 3:
                    test.check(descriptor, data, f"{field.name} as an open group")
                if is_map(field):
                    for inner in (1, 2, 3):
                        entry = prefixed(field.number, tag(inner, kind) + body + (tag(inner, 4) if end else b""))
                        test.check(descriptor, entry, f"{field.name}'s {inner} as {kind}")


def test_depth(test):
    """Nesting at the limit, through fields, arrays, maps, oneofs and unknown messages."""
    chains = {
        "wiretest.Tree": [[2], [4], [5, 2]],
        "wiretest.Ping": [[1, 2], [3, 1], [1, 4, 2]],
        "wiretest.Choice": [[19]],
        "wiretest.Everything": [[18, 3]],
    }
    for name, cycles in chains.items():
        for cycle in cycles:
            for levels in [*range(30, 36), *range(48, 53), *range(MAX_DEPTH - 2, MAX_DEPTH + 4), 1000]:
                test.check(test.schema.message(name), nested(cycle, levels), f"{levels} times {cycle}")


    test.check(test.schema.message("wiretest.Tree"), nested([900], 1000), "unknown fields")
    for cycle in [2], [5, 2]:  # deep enough to overflow the stack of a program that does not look
        test.check(test.schema.message("wiretest.Tree"), nested(cycle, 120000 // len(cycle)), f"very deep {cycle}")


def nested(cycle, levels):
    """Messages one within the other: the field numbers of `cycle`, `levels` times."""
    heads, size = [], 0
    for number in list(reversed(cycle)) * levels:
        heads.append(tag(number, 2) + varint(size))
        size += len(heads[-1])
    return b"".join(reversed(heads))


def test_truncated(test):
    """Every beginning of a message."""
    for descriptor, number, rng in test.cases(2):
        values = Values(rng, test.schema)
        data = Writer(rng, values).write(values.message(descriptor, 4))
        for size in range(min(len(data), 150)):
            test.check(descriptor, data[:size], f"{number}, {size} bytes")


def test_damaged(test):
    """Random damage."""
    for descriptor, number, rng in test.cases(150):
        values = Values(rng, test.schema)
        data = Writer(rng, values).write(values.message(descriptor, rng.choice([2, 5])))
        other = values.message(descriptor, 3).SerializeToString(deterministic=True)
        test.check(descriptor, mutated(rng, data, other), number)


def test_bad_text(test):
    """Strings that are refused, in every place a string can be."""
    bad = [b"\0", b"a\0b", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80", b"ab\xc3"]
    for descriptor in test.messages():
        for field in descriptor.fields:
            entry = field.message_type.fields if is_map(field) else []
            for text in bad:
                if field.type == field.TYPE_STRING:
                    test.check(descriptor, prefixed(field.number, text), field.name)
                    test.check(descriptor, prefixed(field.number, text) + prefixed(field.number, b"ok"), field.name)
                for inner in entry:
                    if inner.type == inner.TYPE_STRING:
                        test.check(descriptor, prefixed(field.number, prefixed(inner.number, text)), field.name)


PARTS = {
    "descriptor set": test_descriptor_set,
    "edges": test_edges,
    "serialized": test_serialized,
    "forms": test_forms,
    "tensors": test_tensors,
    "equal": test_equal,
    "made in C": test_made_in_c,
    "newer": test_newer,
    "wire types": test_wire_types,
    "bad text": test_bad_text,
    "depth": test_depth,
    "truncated": test_truncated,
    "damaged": test_damaged,
}


def quiet_protobuf():
    """C++ under Python's protobuf writes a line to file 2 for every bad string: away with them."""
    sys.stderr = os.fdopen(os.dup(2), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", required=True)
    parser.add_argument("--protoc", default="protoc")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--show", type=int, default=3, help="differences of one kind that are printed")
    options = parser.parse_args()
    if api_implementation.Type() == "python":
        sys.exit("differential.py: protobuf runs in pure Python, which reads overlong tags wrongly and so cannot "
                 "judge; install the compiled one (Debian: python3-protobuf)")
    quiet_protobuf()
    print(f"seed {options.seed}, count {options.count}", flush=True)
    options.descriptor_set = compile_schema(options.protoc)
    test = Comparison(Peer(options.peer), Schema(options.descriptor_set), Schema(newer(options.descriptor_set)),
                      options)
    test.run(PARTS)
    code = test.peer.close()
    total = sum(test.compared.values())
    alone = ", ".join(f"{count} {reason}" for reason, count in sorted(test.refused.items()))
    print(f"\n{total} messages compared, {sum(test.refused_by_both.values())} refused by both; "
          f"refused by varve alone: {alone or 'none'}")
    for (part, kind, name), count in sorted(collections.Counter(test.differences).items()):
        print(f"{count} differences ({kind}) in {name}, part {part}")
    idle = [name for name in PARTS if options.only in (None, name)
            and test.compared[name] + test.refused_by_both[name] == 0]
    if total == 0:
        idle = ["any part"]
    if idle:
        print(f"nothing was compared in: {', '.join(idle)}")
    if code != 0:
        print(f"the peer ended with {code}")
    return 1 if test.differences or idle or code != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
