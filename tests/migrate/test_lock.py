#!/usr/bin/env python3
"""The text of a state: written and read back the same, for every schema of the generator's cases and for
what these do not have."""

import ast
import re
import sys
import unittest
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "codegen"))

from varve_codegen import lock
from varve_codegen.state import Enum, Field, Index, Message, Options, Reference, State, Tensor

EMBEDDED = re.compile(r"static const char \*const lock\[\] = \{\n(.*?)\n\};", re.DOTALL)
ID = Field(1, "id", "implicit", "int64", primary_key=1)


def state(*fields, enums=None, gone=(), **message):
    made = Message("lab.Sample", "sample", (ID, *fields), **message)
    return State("lab", {made.name: made}, enums or {}, gone)


class LockTest(unittest.TestCase):
    def expect(self, given, *lines):
        self.assertEqual(lock.lines(given), list(lines))
        self.assertEqual(lock.parse(lock.text(given), "lab"), given)

    def test_a_field_says_all_that_matters_and_no_default(self):
        message, field = "message lab.Sample table=sample", "field lab.Sample 1 id int64 key=1"
        for made, line in (
            (Field(2, "a", "implicit", "string", unique=True, index=True), "2 a string unique index"),
            (Field(2, "a", "optional", "int64", version=True), "2 a optional int64 version"),
            (Field(2, "a", "oneof", "bytes", oneof="b"), "2 a oneof b bytes"),
            (Field(2, "a", "optional", "message", "lab.B", json=True), "2 a message lab.B json"),
            (Field(2, "a", "repeated", "message", "lab.B"), "2 a repeated message lab.B"),
            (Field(2, "a", "map", "enum", "lab.E", "string"), "2 a map string enum lab.E"),
            (Field(2, "a", "oneof", "message", "lab.B", oneof="map"), "2 a oneof map message lab.B"),
            (Field(2, "a", "implicit", "double", check="{2} > 0", min="-1", max="1e9", unit="m / s"),
             '2 a double check="{2} > 0" min=-1 max=1e9 unit="m / s"'),
            (Field(2, "a", "implicit", "int64", time="UNIX_NANOSECONDS"), "2 a int64 time=UNIX_NANOSECONDS"),
            (Field(2, "a", "implicit", "string", unit='"µ=\n'), '2 a string unit="\\"µ=\\n"'),
            (Field(2, "a", "optional", "int64", reference=Reference("lab.B", 4, "SET_NULL")),
             "2 a optional int64 references=lab.B#4 on_delete=SET_NULL"),
            (Field(2, "a", "repeated", "float", tensor=Tensor(("3", "#1"), "PROTO", True)),
             "2 a repeated float tensor=3,#1 may_be_absent=yes"),
            (Field(2, "a", "optional", "bytes", tensor=Tensor(("3",), "INT8", True)),
             "2 a optional bytes tensor=3 dtype=INT8"),
        ):
            with self.subTest(line):
                self.expect(state(made), message, field, f"field lab.Sample {line}")

    def test_what_stands_beside_fields(self):
        given = state(
            indexes=(Index((1,), False, "{1} > 0"), Index((1, 2), True, "")),
            cache=Options((("key", "s:{1}"), ("ttl_seconds", "60"))),
            archive=Options((("layout", "OBJECT"),)),
            retired=((3, "old"), (20, "older")),
            enums={"lab.E": Enum("lab.E", ((-1, "A"), (0, "B")), ((2, "C"),))},
            gone=(("lab.Gone", "gone"),),
        )
        self.assertEqual(
            lock.lines(given),
            [
                "value lab.E -1 A",
                "value lab.E 0 B",
                "retired lab.E 2 C",
                "gone lab.Gone table=gone",
                "message lab.Sample table=sample",
                "field lab.Sample 1 id int64 key=1",
                'index lab.Sample 1 where="{1} > 0"',
                "index lab.Sample 1,2 unique",
                "cache lab.Sample key=s:{1} ttl_seconds=60",
                "archive lab.Sample layout=OBJECT",
                "retired lab.Sample 3 old",
                "retired lab.Sample 20 older",
            ],
        )
        self.assertEqual(lock.parse(lock.text(given), "lab"), given)

    def test_every_schema_of_the_generators_cases(self):
        sources = sorted(ROOT.glob("tests/codegen/cases/*/expected/**/*.varve.c"))
        texts = [m[1] for m in (EMBEDDED.search(s.read_text(encoding="utf-8")) for s in sources) if m]
        self.assertGreater(len(texts), 30)
        for text in texts:
            lines = ast.literal_eval(f"[{text}]")
            self.assertEqual(lock.lines(lock.parse_lines(lines, "lab")), lines)

    def test_numbers_are_in_their_own_order_not_in_that_of_text(self):
        made = state(*(Field(n, f"f{n}", "implicit", "bool") for n in (10, 9, 100)))
        numbers = [line.split()[2] for line in lock.lines(made) if line.startswith("field")]
        self.assertEqual(numbers, ["1", "9", "10", "100"])

    def test_the_parts_of_a_key_keep_their_order(self):
        fields = (replace(ID, primary_key=2), Field(2, "b", "implicit", "string", primary_key=1))
        made = State("lab", {"lab.Sample": Message("lab.Sample", "sample", fields)}, {})
        again = lock.parse(lock.text(made), "lab")
        self.assertEqual([f.name for f in again.messages["lab.Sample"].primary_key], ["b", "id"])

    def test_the_lines_of_a_branch_merge_with_those_of_another(self):
        ours, theirs = state(Field(2, "a", "implicit", "bool")), state(Field(3, "b", "implicit", "bool"))
        merged = sorted(set(lock.lines(ours)) | set(lock.lines(theirs)))
        both = lock.parse_lines(merged, "lab").messages["lab.Sample"]
        self.assertEqual({f.number: f.name for f in both.fields}, {1: "id", 2: "a", 3: "b"})

    def test_bad_lines_are_named(self):
        whole = lock.text(state())
        for line, words in (
            ("field lab.Sample two name string", "field lab.Sample two name string"),
            ("field lab.Sample 2", "field lab.Sample 2"),
            ("field lab.Sample 1 id int64 key=1", "stands there twice"),
            ("field lab.Other 1 id int64", "no line"),
            ("thing lab.Sample 2", "thing lab.Sample 2"),
            ("<<<<<<< HEAD", "merge conflict"),
        ):
            with self.subTest(line), self.assertRaisesRegex(lock.LockError, words):
                lock.parse(whole + line + "\n", "lab")


if __name__ == "__main__":
    unittest.main()
