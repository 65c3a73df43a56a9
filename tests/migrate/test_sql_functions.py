#!/usr/bin/env python3
"""The SQL functions of migrations, and the wire format and JSON text below them."""

import math
import sqlite3
import struct
import unittest

import lab
from varve_migrate import json_text, sql_functions, wire
from varve_codegen.state import Field


class FunctionsTest(unittest.TestCase):
    def setUp(self):
        self.database = lab.database()
        self.functions = sql_functions.register(self.database)

    def tearDown(self):
        self.database.close()

    def call(self, sql, *arguments):
        return self.database.execute(f"SELECT {sql}", arguments).fetchone()[0]

    def expect_error(self, text, sql, *arguments):
        with self.assertRaises(sqlite3.OperationalError) as raised:
            self.call(sql, *arguments)
        self.assertIn(text, self.functions.words_of(raised.exception))

    def value(self, blob, number, kind):
        return self.call("varve_unknown_value(?, ?, ?)", blob, number, kind)

    def test_assert_is_1_or_its_text(self):
        for condition in ("1", "2.5", "3 > 2", "'7'", "-1"):
            self.assertEqual(self.call(f"varve_assert({condition}, 'no')"), 1, condition)
        for condition in ("0", "NULL", "3 > 4", "'x'", "0.0"):
            self.expect_error("two rows are lost", f"varve_assert({condition}, 'two rows are lost')")

    def test_words_of_sqlite_itself_stay(self):
        with self.assertRaises(sqlite3.OperationalError) as raised:
            self.database.execute("SELECT * FROM nowhere")
        self.assertIn("no such table", self.functions.words_of(raised.exception))

    def test_has_finds_numbers_and_no_parts_of_others(self):
        blob = wire.record(300, "int64", 5) + wire.record(7, "bytes", wire.record(9, "int64", 1))
        for number, wanted in ((300, 1), (7, 1), (9, 0), (44, 0)):
            self.assertEqual(self.call("varve_unknown_has(?, ?)", blob, number), wanted)
        self.assertEqual(self.call("varve_unknown_has(NULL, 1)"), 0)
        self.assertEqual(self.call("varve_unknown_has(x'', 1)"), 0)

    def test_without_keeps_the_others_as_they_are(self):
        one, other, third = wire.record(3, "string", "a"), wire.record(4, "double", 0.5), wire.record(3, "string", "b")
        self.assertEqual(self.call("varve_unknown_without(?, 3)", one + other + third), other)
        self.assertEqual(self.call("varve_unknown_without(?, 4)", one + other + third), one + third)
        self.assertIsNone(self.call("varve_unknown_without(?, 3)", one + third))
        self.assertIsNone(self.call("varve_unknown_without(NULL, 3)"))

    def test_values_of_every_scalar_type(self):
        for kind, given, wanted in (
            ("int32", -5, -5), ("int64", -(2**63), -(2**63)), ("uint32", 2**32 - 1, 2**32 - 1),
            ("uint64", 2**63 - 1, 2**63 - 1),
            ("sint32", -(2**31), -(2**31)), ("sint64", 2**63 - 1, 2**63 - 1), ("fixed32", 7, 7), ("sfixed32", -7, -7),
            ("fixed64", 2**64 - 1, -1), ("sfixed64", -9, -9), ("bool", 1, 1), ("enum", -3, -3), ("float", 0.5, 0.5),
            ("double", 1e300, 1e300), ("string", "né", "né"), ("bytes", b"\0\xff", b"\0\xff"),
        ):
            with self.subTest(kind=kind):
                blob = wire.record(8, "int64", 1) + wire.record(9, kind, given)
                self.assertEqual(self.value(blob, 9, kind), wanted)
                self.assertIsNone(self.value(blob, 10, kind))

    def test_the_last_of_a_single_field_wins(self):
        self.assertEqual(self.value(wire.record(1, "int32", 4) + wire.record(1, "int32", 5), 1, "int32"), 5)

    def test_a_wide_varint_is_cut_to_the_type(self):
        self.assertEqual(self.value(wire.tag(1, 0) + wire.varint(2**40 + 3), 1, "int32"), 3)
        self.assertEqual(self.value(wire.tag(1, 0) + wire.varint(2**63), 1, "bool"), 1)

    def test_repeated_scalars_are_json_packed_or_not(self):
        packed = wire.packed(1, "int64", [1, -2])
        self.assertEqual(self.value(packed + wire.record(1, "int64", 3), 1, "repeated int64"), '["1","-2","3"]')
        self.assertEqual(self.value(wire.packed(1, "float", [0.1, 5.0, math.inf]), 1, "repeated float"),
                         "[0.1,5.0,9e999]")
        self.assertEqual(self.value(wire.record(1, "string", 'a"\n') * 2, 1, "repeated string"),
                         '["a\\"\\n","a\\"\\n"]')
        self.assertEqual(self.value(wire.packed(1, "bool", [1, 0]), 1, "repeated bool"), "[true,false]")

    def test_tensors_are_their_elements_packed_or_not(self):
        for kind, numbers, wanted in (
            ("int32", [1, -2, -(2**31)], "<3i"), ("sint32", [1, -2, 2**31 - 1], "<3i"),
            ("uint32", [0, 2**32 - 1], "<2I"),
            ("int64", [-1, 2**63 - 1], "<2q"), ("sint64", [-(2**63), 7], "<2q"), ("uint64", [2**64 - 1, 1], "<2Q"),
            ("fixed32", [2**32 - 1, 5], "<2I"), ("sfixed32", [-1, 5], "<2i"), ("fixed64", [2**64 - 1, 5], "<2Q"),
            ("sfixed64", [-(2**63), 5], "<2q"), ("float", [0.5, -math.inf], "<2f"), ("double", [1e300, -0.0], "<2d"),
        ):
            with self.subTest(kind=kind):
                data = struct.pack(wanted, *numbers)
                single = b"".join(wire.record(1, kind, n) for n in numbers)
                both = wire.record(1, kind, numbers[0]) + wire.record(2, "int64", 9) + wire.packed(1, kind, numbers[1:])
                for blob in (wire.packed(1, kind, numbers), single, both):
                    self.assertEqual(self.value(blob, 1, f"tensor {kind}"), data)
                self.assertIsNone(self.value(single, 2, f"tensor {kind}"))
                self.assertEqual(self.value(wire.record(1, "bytes", b""), 1, f"tensor {kind}"), b"")

    def test_a_tensor_keeps_the_bits_of_nan_and_cuts_wide_varints(self):
        odd = b"\x01\x00\xa0\x7f"  # a signalling NaN
        self.assertEqual(self.value(wire.record(1, "bytes", odd) + wire.tag(1, wire.FIXED32) + odd, 1, "tensor float"),
                         odd * 2)
        wide = wire.tag(1, 0) + wire.varint(2**40 + 3)
        self.assertEqual(self.value(wide, 1, "tensor int32"), b"\3\0\0\0")

    def test_what_is_no_tensor_is_an_error(self):
        for kind, blob, text in (
            ("tensor int32", wire.record(1, "fixed32", 1), "wire type"),
            ("tensor float", wire.record(1, "double", 1.0), "wire type"),
            ("tensor int64", wire.record(1, "bytes", b"\x80"), "cut"),
            ("tensor float", wire.record(1, "bytes", b"abcde"), "4 bytes each"),
            ("tensor", wire.record(1, "int64", 1), "the type of a field is said as"),
            *((f"tensor {word}", wire.record(1, "int64", 1), "elements of a number's type")
              for word in ("bool", "enum", "string", "bytes", "message", "int32 int32", "repeated int32")),
        ):
            with self.subTest(kind=kind, text=text):
                self.expect_error(text, "varve_unknown_value(?, 1, ?)", blob, kind)

    def test_maps_are_json_and_the_last_of_a_key_stays(self):
        def entry(key, value):
            return wire.record(2, "message", wire.record(1, "string", key) + wire.record(2, "int64", value))

        blob = entry("a", 1) + entry("b", 2) + entry("a", 3) + wire.record(2, "message", b"")
        self.assertEqual(self.value(blob, 2, "map string int64"), '{"b":"2","a":"3","":"0"}')

    def test_messages_are_their_fields_as_they_stand(self):
        one, other = wire.record(5, "message", wire.record(1, "int64", 1)), wire.record(5, "message", b"")
        blob = one + wire.record(6, "bool", 1) + other
        for kind in ("message", "repeated message", "map string message"):
            self.assertEqual(self.value(blob, 5, kind), one + other)

    def test_bytes_that_are_no_fields_are_an_error(self):
        for blob in (b"\x08", b"\x0a\x05ab", b"\x00\x01", b"\x0b\x0c", b"\xff" * 11):
            with self.subTest(blob=blob):
                self.expect_error("bytes that are no fields", "varve_unknown_has(?, 1)", blob)
                self.expect_error("bytes that are no fields", "varve_unknown_without(?, 1)", blob)

    def test_values_that_are_not_of_the_type_are_an_error(self):
        for kind, blob, text in (
            ("int64", wire.record(1, "string", "x"), "wire type"),
            ("string", wire.record(1, "bytes", b"\xff"), "UTF-8"),
            ("string", wire.record(1, "bytes", b"ab\0"), "NUL at byte 2"),
            ("repeated string", wire.record(1, "bytes", b"\0"), "NUL"),
            ("map string int32", wire.record(1, "message", wire.record(1, "bytes", b"\0")), "NUL"),
            ("double", wire.record(1, "double", math.nan), "NaN"),
            ("repeated float", wire.packed(1, "float", [math.nan]), "NaN"),
            ("uint64", wire.tag(1, 0) + wire.varint(2**63), "column cannot hold"),
            ("message", wire.record(1, "bytes", b"\x08"), "cut"),
            ("repeated fixed32", wire.record(1, "bytes", b"abc"), "4 bytes each"),
            ("message", wire.record(1, "int64", 1), "wire type"),
        ):
            with self.subTest(kind=kind, text=text):
                self.expect_error(text, "varve_unknown_value(?, 1, ?)", blob, kind)

    def test_marks_are_noted_once(self):
        self.database.execute("SELECT varve_rebuild_json('lab.Sample', 4), varve_rebuild_json('lab.Sample', 4), "
                              "varve_rebuild_json('lab.Sample', 11)").fetchall()
        self.assertEqual(self.functions.marks, [("lab.Sample", 4), ("lab.Sample", 11)])


class JsonTextTest(unittest.TestCase):
    def test_numbers_are_written_as_the_runtime_writes_them(self):
        for kind, given, wanted in (
            ("double", 5.0, "5.0"), ("double", 1e22, "1e+22"), ("double", 0.1, "0.1"), ("double", -0.0, "-0.0"),
            ("double", math.inf, "9e999"), ("double", 1 / 3, "0.3333333333333333"),
            ("double", 5e-324, "4.94065645841247e-324"),
            ("double", 1e15, "1e+15"), ("double", 999999999999999.0, "999999999999999.0"), ("float", 1e6, "1e+06"),
            ("float", 0.10000000149011612, "0.1"), ("float", 16777216.0, "16777216.0"), ("int64", -3, '"-3"'),
            ("int32", -3, "-3"),
            ("fixed64", 2**64 - 1, '"18446744073709551615"'), ("enum", 4, "4"), ("bool", 1, "true"),
            ("bytes", b"\0\1", '"AAE="'),
            ("double", math.nan, '"NaN"'), ("string", '\x01"\\\n\u2028é', '"\\u0001\\"\\\\\\n\u2028é"'),
        ):
            with self.subTest(kind=kind, given=given):
                self.assertEqual(json_text.value(kind, given), wanted)
        self.assertEqual(json_text.key("bool", 1), '"true"')
        self.assertEqual(json_text.key("int32", -4), '"-4"')

    def test_a_column_reads_back_what_was_written(self):
        singles = Field(1, "a", "repeated", "float")
        self.assertEqual(json_text.read(singles, "[0.1,9e999,-0.0]"), [0.10000000149011612, math.inf, -0.0])
        longs = Field(1, "a", "map", "fixed64", key="bool")
        self.assertEqual(json_text.read(longs, '{"true":"18446744073709551615","false":1}'), {1: 2**64 - 1, 0: 1})

    def test_copies_have_zeros_and_leave_out_what_is_absent(self):
        given = lab.state()
        place = given.messages["lab.Sample"].field_of(4)
        spot = wire.record(3, "enum", 5)
        inner = wire.record(6, "bytes", b"x") + wire.record(7, "message", spot) + wire.packed(9, "enum", [1, 77])
        inner += wire.record(8, "message", wire.record(1, "string", "k")) + wire.record(4000, "int64", 1)
        text = json_text.copy(given, place, wire.record(4, "message", inner))
        self.assertEqual(text, '{"x":0.0,"pixels":[],"rows":0,"or":{"names":[],"sizes":{},"mood":5},'
                               '"spots":{"k":{"names":[],"sizes":{},"mood":0}},"moods":[1,77]}')
        self.assertIsNone(json_text.copy(given, place, None))
        self.assertEqual(json_text.copy(given, given.messages["lab.Sample"].field_of(11), b""), "[]")


if __name__ == "__main__":
    unittest.main()
