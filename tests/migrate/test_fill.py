#!/usr/bin/env python3
"""Synthetic rows: they satisfy the schema, are linked, and hold the values that most often break something."""

import math
import random
import sqlite3
import unittest
from dataclasses import replace

import lab
from varve_codegen import ddl
from varve_migrate import constraints, fill, json_text, samples, values, wire

SAMPLE = "lab.Sample"
A = "message lab.A table=a\nfield lab.A 1 id int64 key=1\n"


def filled(given, seed=1, rows=15, **more):
    database = lab.database(given)
    return database, fill.fill(database, given, random.Random(seed), rows, **more)


class FillTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.state = lab.state()
        cls.database, cls.written = filled(cls.state, rows=150)
        cls.rows = list(cls.written.rows[SAMPLE].values())

    @classmethod
    def tearDownClass(cls):
        cls.database.close()

    def having(self, number):
        return [row[number] for row in self.rows if row[number] is not None]

    # ---------------------------------------------------------------- it is a good database

    def test_every_table_has_rows_and_sqlite_finds_no_fault(self):
        self.assertEqual(self.written.notes, [])
        for name in ("lab.Subject", SAMPLE, "lab.Link", "lab.Extra"):
            self.assertGreater(len(self.written.rows[name]), 20, name)
        self.assertEqual(self.database.execute("PRAGMA foreign_key_check").fetchall(), [])
        self.assertEqual(self.database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])

    def test_other_seeds_are_other_rows_and_good_ones(self):
        seen = set()
        for seed in range(2, 12):
            database, written = filled(self.state, seed)
            self.assertEqual(database.execute("PRAGMA foreign_key_check").fetchall(), [])
            self.assertEqual(written.notes, [])
            seen.add(repr(written.rows))
            again = filled(self.state, seed)[1]
            self.assertEqual(repr(written.rows), repr(again.rows))
        self.assertEqual(len(seen), 10)

    def test_it_says_what_it_wrote(self):
        for name, rows in self.written.rows.items():
            self.assertEqual(values.canonical(values.read(self.database, self.state.messages[name])),
                             values.canonical(rows))

    def test_a_row_that_breaks_a_rule_is_refused_by_the_same_database(self):
        """The rules that the rows satisfy are really there."""
        for sql in ("UPDATE sample SET title = printf('%200s', 'x')", "UPDATE sample SET size = 8, kind = NULL",
                    "UPDATE sample SET ratio = 0.2", "UPDATE sample SET subject = -77777",
                    "UPDATE subject SET name = 'same'",
                    "UPDATE subject SET weight = 501", "UPDATE link SET c = 5", "UPDATE sample SET done = NULL",
                    "UPDATE sample SET title = 'same', count = 5"):
            with self.subTest(sql=sql), self.assertRaises(sqlite3.IntegrityError):
                self.database.execute("PRAGMA foreign_keys = ON")
                self.database.execute(sql)

    # ---------------------------------------------------------------- what is in it

    def test_extremes_are_there(self):
        for number, wanted in (
            (1, {2**63 - 1, -(2**63)}), (7, {0}), (13, {0, -1, -2}), (17, {0, 1}), (20, {0, 2**63 - 1}),
            (26, {-(2**63), 2**63 - 1}),
            (25, {-(2**31), 2**31 - 1}), (18, {b"", b"\0"}), (19, {"", "漢字かな", "\U0001f9e0\U0001f469\u200d\U0001f52c"}),
        ):
            with self.subTest(number=number):
                self.assertEqual(wanted - set(self.having(number)), set())
        doubles, floats = self.having(23), self.having(24)
        for wanted in (math.inf, -math.inf, 1.7976931348623157e308, 5e-324, 0.1):
            self.assertIn(wanted, doubles)
        for wanted in (math.inf, 3.4028234663852886e38, 1.401298464324817e-45):
            self.assertIn(wanted, floats)
        for value in floats:
            self.assertTrue(math.isinf(value) or wire.scalar("float", 5, wire.payload("float", value)) == value)

    def test_null_and_empty_are_there(self):
        for number in (4, 6, 9, 10, 19, 21):
            self.assertTrue(any(row[number] is None for row in self.rows), number)
        self.assertIn([], self.having(15))
        self.assertIn({}, self.having(8))
        self.assertIn(b"", self.having(11))
        self.assertIn(b"", self.having(12))

    def test_some_values_are_long(self):
        long = [value for row in self.rows for value in row.values() if isinstance(value, (str, bytes))
                and len(value) > 5000]
        self.assertGreaterEqual(len(long), 1)

    def test_each_case_of_a_oneof_and_none_is_there(self):
        cases = {(row[9] is not None, row[10] is not None) for row in self.rows}
        self.assertEqual(cases, {(False, False), (True, False), (False, True)})

    def test_enums_have_known_and_unknown_numbers(self):
        moods = {row[5] for row in self.written.rows["lab.Subject"].values()}
        self.assertLess({0, 1, 5}, moods)
        self.assertTrue(moods - {0, 1, 5})

    def test_parents_have_several_children_and_optional_references_go_both_ways(self):
        subjects = [row[3] for row in self.rows]
        self.assertGreaterEqual(max(subjects.count(s) for s in set(subjects)), 3)
        parents = [row[3] for row in self.written.rows["lab.Subject"].values()]
        self.assertIn(None, parents)
        self.assertTrue(any(p is not None for p in parents))
        favourites = [row[6] for row in self.written.rows["lab.Subject"].values()]
        self.assertTrue(any(f is not None for f in favourites), "the circle was never closed")

    def test_versions_count_from_1(self):
        versions = {row[7] for row in self.written.rows["lab.Subject"].values()}
        self.assertGreaterEqual(min(versions), 1)
        self.assertGreater(len(versions), 1)

    def test_tensors_have_the_bytes_that_their_dims_ask_for(self):
        sizes = {5: 4, 6: 2, 21: 8}
        for number, size in sizes.items():
            found = self.having(number)
            self.assertTrue(found, number)
            for dims, data, dataset, *_ in found:
                if not dataset:
                    self.assertEqual(len(data), math.prod(map(int, dims.split(","))) * size)
        for row in self.rows:
            if row[5] is not None:
                self.assertEqual(row[5][0], f"{row[7]},2")
            self.assertEqual(row[5] is None, row[7] == 0, "a tensor that may not be absent is")

    def test_tensors_are_staged_and_archived(self):
        """The bytes of those in the archive are not in the row, and these have a hash."""
        found = [tensor for number in (5, 6, 21) for tensor in self.having(number)]
        archived = [tensor for tensor in found if tensor[2] > 0]
        self.assertTrue(archived)
        self.assertTrue({data for _, data, *_ in archived} == {b""} and None not in {h for *_, h in archived})
        staged = [tensor for tensor in found if tensor[2] == 0]
        self.assertTrue(all(place == 0 for *_, place, _ in staged))
        self.assertLess({None}, {h for *_, h in staged})

    def test_unknown_fields_are_there_and_are_none_of_the_schema(self):
        blobs = [row[values.UNKNOWN] for row in self.rows]
        self.assertIn(None, blobs)
        numbers = {field[0] for blob in blobs if blob for field in wire.fields(blob)}
        self.assertTrue(numbers)
        self.assertFalse(numbers & set(self.state.messages[SAMPLE].names))

    def test_nested_messages_have_tags_and_unknown_fields_inside(self):
        strange = 0
        for number in (4, 11, 12):
            for blob in self.having(number):
                for tag, _, content, _ in wire.fields(blob):
                    self.assertEqual(tag, number)
                    inner = {field[0] for field in wire.fields(content)}
                    strange += bool(inner - set(self.state.messages["lab.Place"].names)) if number != 12 else 0
        self.assertGreater(strange, 3)

    def test_json_columns_and_copies_are_what_sqlite_reads(self):
        found = 0
        for column, kind in (("counts", "object"), ("tags", "array"), ("place_json", "object"),
                             ("places_json", "array")):
            for valid, given in self.database.execute(f"SELECT json_valid({column}), json_type({column}) FROM sample "
                                                      f"WHERE {column} IS NOT NULL"):
                self.assertEqual((valid, given), (1, kind))
                found += 1
        self.assertGreater(found, 300)
        for key, texts in values.read_copies(self.database, self.state.messages[SAMPLE]).items():
            for number, text in texts.items():
                field = self.state.messages[SAMPLE].field_of(number)
                self.assertEqual(text, json_text.copy(self.state, field, self.written.rows[SAMPLE][key][number]))

    def test_ids_were_given_away_that_no_row_has(self):
        last = dict(self.database.execute("SELECT name, seq FROM sqlite_sequence"))
        self.assertTrue(any(last[table] > self.database.execute(f"SELECT max(id) FROM {table}").fetchone()[0] or
                            last[table] == 2**63 - 1 for table in ("subject", "sample")))

    # ---------------------------------------------------------------- what cannot be done

    def test_a_condition_that_nothing_satisfies_is_said(self):
        given = lab.state("message lab.A table=a\nfield lab.A 1 id int64 key=1\nfield lab.A 2 b string "
                          'check="{2} = \'never\' AND length ( {2} ) = 0"\n')
        database, written = filled(given)
        self.assertGreater(written.count, 10)
        self.assertEqual(written.forced, {"lab.A"})
        self.assertIn("no value of lab.A, field 2 (b), satisfies its conditions", written.notes[0])
        with self.assertRaisesRegex(sqlite3.IntegrityError, "CHECK"):
            database.execute("INSERT INTO a (id, b) VALUES (4711, 'x')")  # only while it fills

    def test_narrow_conditions_are_met(self):
        given = lab.state("message lab.A table=a\nfield lab.A 1 id int64 key=1\nfield lab.A 2 b string "
                          'check="{2} IN ( \'left\', \'right\' )"\nfield lab.A 3 c int32 min=123456 max=123459\n'
                          'field lab.A 4 d bytes check="length ( {4} ) = 17"\nfield lab.A 5 e double '
                          'check="{5} > 0.5 AND {5} <= 0.75"\n'
                          'field lab.A 6 f optional uint32 check="{6} = 40"\n')
        _, written = filled(given, rows=20)
        self.assertEqual(written.notes, [])
        rows = written.rows["lab.A"].values()
        self.assertGreaterEqual(len(rows), 20)
        self.assertEqual({row[2] for row in rows}, {"left", "right"})
        self.assertEqual({len(row[4]) for row in rows}, {17})

    def test_few_keys_are_fewer_rows(self):
        given = lab.state("message lab.A table=a\nfield lab.A 1 id enum lab.E key=1\nfield lab.A 2 b bool\n"
                          "index lab.A 2 unique\n"
                          "value lab.E 0 A\n")
        _, written = filled(given)
        self.assertEqual(len(written.rows["lab.A"]), 2)

    def test_a_record_may_refer_to_itself_where_it_must(self):
        given = lab.state(f"{A}field lab.A 2 b int64 references=lab.A#1\n")
        database, written = filled(given)
        self.assertGreater(len(written.rows["lab.A"]), 10)
        self.assertEqual(database.execute("PRAGMA foreign_key_check").fetchall(), [])

    def test_mutations_of_the_filler_are_noticed(self):
        """A filler that ignored a rule would fail at SQLite, not be silent."""
        holds, take = fill.Column.holds, fill.Keys.take
        for name, target in (("holds", fill.Column), ("take", fill.Keys)):
            setattr(target, name, lambda *_: True)
            try:
                with self.subTest(name=name), self.assertRaises(fill.FillError):
                    for seed in range(20):
                        filled(self.state, seed)
            finally:
                fill.Column.holds, fill.Keys.take = holds, take

    def test_every_unique_key_is_one_that_sqlite_knows(self):
        """What constraints.py takes for unique is all that there is."""
        for message in self.state.tables():
            known = {tuple(message.names[n] for n in numbers) for numbers, _ in constraints.unique_keys(message)}
            found = set()
            for _, name, unique, *_ in self.database.execute(f"PRAGMA index_list({ddl.quote(message.table)})"):
                if unique:
                    found.add(tuple(row[2] for row in self.database.execute(f"PRAGMA index_info({ddl.quote(name)})")))
            self.assertLessEqual(found, known)

    def test_samples_are_of_their_type(self):
        source = samples.Samples(random.Random(3), 2)
        for kind in samples.INTEGERS:
            low, high = samples.extremes(kind)[0], samples.extremes(kind)[-1]
            found = [source.of_type(kind) for _ in range(300)]
            self.assertTrue(all(low <= value <= high for value in found), kind)
        for _ in range(300):
            source.of_type("string").encode("utf-8")
            self.assertNotIn("\0", source.of_type("string"))


class LaterTest(unittest.TestCase):
    """Rows that also satisfy what later versions ask for."""

    def test_conditions_of_later_versions_hold_already(self):
        before = lab.state(f"{A}field lab.A 2 b int32\nfield lab.A 3 c optional string\n")
        a = before.messages["lab.A"]
        number, text = a.fields[1], a.fields[2]
        number = replace(number, type="double", min="10", max="1000")
        after = replace(a, fields=(a.fields[0], number, replace(text, unique=True)))
        versions = [before, replace(before, messages={"lab.A": after})]
        lines = {"lab.A": fill.Line(tuple((s, s.messages["lab.A"]) for s in versions))}
        database = lab.database(before)
        written = fill.fill(database, before, random.Random(5), 40, lines)
        rows = written.rows["lab.A"].values()
        self.assertGreaterEqual(len(rows), 40)
        self.assertTrue(all(10 <= row[2] <= 1000 for row in rows))
        texts = [row[3] for row in rows if row[3] is not None]
        self.assertEqual(len(texts), len(set(texts)))

    def test_a_later_field_that_nobody_wrote_is_zero_only_where_that_can_stay(self):
        """It becomes a reference: 0 is nobody's key, so every row has a value for it, or there is none."""
        heads = A + A.replace("lab.A", "lab.B").replace("=a", "=b")
        texts = [heads, heads + "field lab.B 2 a int64\n", heads + "field lab.B 2 a int64 references=lab.A#1\n"]
        versions = [lab.state(text) for text in texts]
        lines = {n: fill.Line(tuple((s, s.messages[n]) for s in versions)) for n in ("lab.A", "lab.B")}
        written = fill.fill(lab.database(versions[0]), versions[0], random.Random(5), 10, lines)
        keys = {key[0] for key in written.rows["lab.A"]}
        self.assertGreater(len(written.rows["lab.B"]), 5)
        for row in written.rows["lab.B"].values():
            found = [field for field in wire.fields(row[values.UNKNOWN]) if field[0] == 2]
            self.assertIn(wire.scalar("int64", *found[0][1:3]), keys)

    def test_a_later_reference_of_a_wider_type_is_filled_with_what_its_first_type_holds(self):
        texts = [A + "message lab.B table=b\nfield lab.B 1 id int64 key=1\nfield lab.B 2 a optional " + kind
                 for kind in ("int32\n", "int64\n", "int64 references=lab.A#1\n")]
        versions = [lab.state(text) for text in texts]
        lines = {n: fill.Line(tuple((s, s.messages[n]) for s in versions)) for n in ("lab.A", "lab.B")}
        written = fill.fill(lab.database(versions[0]), versions[0], random.Random(6), 30, lines)
        keys = {key[0] for key in written.rows["lab.A"]}
        found = {row[2] for row in written.rows["lab.B"].values()} - {None}
        self.assertTrue(any(abs(key) > 2**31 for key in keys))
        self.assertTrue(found)
        self.assertTrue(found <= {key for key in keys if -(2**31) <= key < 2**31})

    def test_fields_of_later_versions_are_among_the_unknown_ones(self):
        before = lab.state("message lab.A table=a\nfield lab.A 1 id int64 key=1\n")
        after = lab.state("message lab.A table=a\nfield lab.A 1 id int64 key=1\nfield lab.A 2 b sint32 min=0\n"
                          "field lab.A 3 c repeated uint64\nfield lab.A 4 d bytes\n")
        lines = {"lab.A": fill.Line(tuple((s, s.messages["lab.A"]) for s in (before, after)))}
        written = fill.fill(lab.database(before), before, random.Random(5), 40, lines)
        found = {}
        for row in written.rows["lab.A"].values():
            for number, kind, value, _ in wire.fields(row[values.UNKNOWN] or b""):
                found.setdefault(number, []).append((kind, value))
        self.assertLess({2, 3, 4}, set(found))
        self.assertTrue(all(wire.scalar("sint32", *field) >= 0 for field in found[2]))


if __name__ == "__main__":
    unittest.main()
