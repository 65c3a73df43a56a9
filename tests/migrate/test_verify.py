#!/usr/bin/env python3
"""The proof notices what a migration loses: each test breaks one migration in one way. And the replay below it:
whole or not at all, with sentences."""

import sqlite3
import unittest
from unittest import mock

import chain
import lab
from varve_migrate import diff, line, replay, steps, verify

BASE = """\
message lab.Box table=box
field lab.Box 1 id int64 key=1
field lab.Box 2 width int32
field lab.Box 3 height int32
field lab.Box 4 lid message lab.Lid json
field lab.Box 5 pixels repeated float tensor=#2,2 may_be_absent=yes
message lab.Item table=item
field lab.Item 1 id int64 key=1
field lab.Item 2 box int64 references=lab.Box#1 on_delete=CASCADE
field lab.Item 3 label optional string
message lab.Lid
field lab.Lid 1 colour string
"""
REBUILD = """
CREATE TABLE "varve_new_box" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "width" INTEGER NOT NULL DEFAULT 0 CHECK ("width" >= -2147483648),
  "height" INTEGER NOT NULL DEFAULT 0,
  "lid" BLOB,
  "lid_json" TEXT,
  "varve_unknown" BLOB
) STRICT;
INSERT INTO "varve_new_box" SELECT id, width, height, lid, lid_json, varve_unknown FROM box ORDER BY id;
DELETE FROM sqlite_sequence WHERE name = 'varve_new_box';
INSERT INTO sqlite_sequence SELECT 'varve_new_box', seq FROM sqlite_sequence WHERE name = 'box';
DROP TABLE box;
ALTER TABLE "varve_new_box" RENAME TO "box";
"""
REBUILT = BASE.replace("2 width int32", "2 width int32 min=-2147483648")
# Tensors and dims that rows of before have among their unknown fields.
GRIDS = BASE + """\
field lab.Item 4 columns uint32
field lab.Item 5 counts repeated sint32 tensor=#4
field lab.Item 6 grid repeated double tensor=#4,2
field lab.Item 7 big repeated uint64 tensor=3 may_be_absent=yes
field lab.Item 8 mask optional bytes tensor=#4 dtype=INT16
"""
EXTRA = BASE + "field lab.Item 4 more repeated int64\n"
ADD_EXTRA = """ALTER TABLE item ADD COLUMN "more" TEXT NOT NULL DEFAULT '[]';
UPDATE item SET more = varve_unknown_value(varve_unknown, 4, 'repeated int64'),
  varve_unknown = varve_unknown_without(varve_unknown, 4) WHERE varve_unknown_has(varve_unknown, 4);"""


def sql_between(before, after):
    old, found = lab.state(before), diff.compare(lab.state(before), lab.state(after))
    assert not found.errors, found.errors
    return steps.sql(old, found.state, found.changes)


def proven(text, sql, **more):
    return verify.verify(lab.history((BASE, None), (text, sql)), **more)


class VerifyTest(unittest.TestCase):
    def expect_fine(self, text, sql):
        report = proven(text, sql)
        self.assertEqual(report.failures, [])
        self.assertEqual((report.versions, report.notes), (2, []))
        for count in (report.rows, report.values, report.children, report.copies):
            self.assertGreater(count, 50)
        chained = chain.verify_chain(lab.history((BASE, None), (text, sql)), 3, 10)
        self.assertEqual(chained.failures, [])
        self.assertGreater(chained.values, 50)

    def expect_failure(self, text, sql, *wanted):
        for report in (proven(text, sql),
                       chain.verify_chain(lab.history((BASE, None), (text, sql)), 3, 10)):
            said = "\n".join(report.failures)
            self.assertFalse(report.ok)
            for part in wanted:
                self.assertIn(part, said)

    # ---------------------------------------------------------------- good ones

    def test_good_migrations_pass_and_say_how_much_was_compared(self):
        self.expect_fine(BASE, "")
        self.expect_fine(REBUILT, REBUILD)
        self.expect_fine(EXTRA, ADD_EXTRA)
        self.expect_fine(BASE.replace("colour", "tint"), "SELECT varve_rebuild_json('lab.Box', 4);")
        self.expect_fine(BASE.replace("2 width", "2 height").replace("3 height", "3 width"),
                         "ALTER TABLE box RENAME COLUMN width TO t; ALTER TABLE box RENAME COLUMN height TO width; "
                         "ALTER TABLE box RENAME COLUMN t TO height;")

    def test_a_renamed_message_is_followed_by_its_table(self):
        self.expect_fine(BASE.replace("lab.Box table=box", "lab.Crate table=crate").replace("lab.Box", "lab.Crate"),
                         'DROP INDEX "item.2"; ALTER TABLE box RENAME TO crate; ALTER TABLE varve_staged_box RENAME TO '
                         'varve_staged_crate; '
                         'DROP INDEX "varve_staged_box.record,field"; '
                         'CREATE UNIQUE INDEX "varve_staged_crate.record,field" ON '
                         'varve_staged_crate ("record", "field"); CREATE INDEX "item.2" ON item (box);')

    # ---------------------------------------------------------------- bad ones

    def test_a_value_that_is_dropped_is_noticed(self):
        self.expect_failure(BASE, "UPDATE box SET width = 0 WHERE id IN (SELECT max(id) FROM box WHERE width <> 0);",
                            "lab.Box (", "table box: field 2 (width) should be", "and is 0")
        self.expect_failure(BASE, "UPDATE item SET label = '' WHERE label IS NULL;", "field 3 (label) should be None")

    def test_swapped_columns_are_noticed(self):
        self.expect_failure(BASE, "UPDATE box SET width = height, height = width;",
                            "field 2 (width)", "field 3 (height)")

    def test_a_row_that_goes_or_comes_is_noticed(self):
        self.expect_failure(BASE, "DELETE FROM item WHERE id = (SELECT min(id) FROM item);",
                            "the row is gone from table item", "children")
        more = REBUILD.replace("DELETE", "INSERT INTO varve_new_box (id) VALUES (424242); DELETE")
        self.expect_failure(REBUILT, more, "(424242,): the row was not there")

    def test_children_lost_by_a_cascade_are_noticed(self):
        """As a runner would that leaves foreign keys on."""
        execute = sqlite3.Connection.execute

        class Careless(sqlite3.Connection):
            def execute(self, sql, *arguments):
                return execute(self, sql.replace("foreign_keys = OFF", "foreign_keys = ON"), *arguments)

        connect = sqlite3.connect
        with mock.patch.object(verify.sqlite3, "connect", lambda *a, **k: connect(*a, factory=Careless, **k)):
            self.expect_failure(REBUILT, REBUILD, "the row is gone from table item",
                                "children, lab.Item by box (field 2)",
                                "children, staged tensors of lab.Box")

    def test_a_sequence_that_is_forgotten_is_noticed(self):
        lines = [sql for sql in REBUILD.split("\n") if "sqlite_sequence" not in sql]
        report = proven(REBUILT, "\n".join(lines), seeds=range(6))
        self.assertTrue(any("so that ids come again" in failure for failure in report.failures), report.failures)

    def test_unknown_fields_that_are_lost_are_noticed(self):
        self.expect_failure(BASE, "UPDATE item SET varve_unknown = NULL;", "the unknown fields should be b'")
        self.expect_failure(EXTRA, ADD_EXTRA.split("UPDATE")[0], "field 4 (more) should be [", "and is []")
        self.expect_failure(EXTRA, ADD_EXTRA.replace("varve_unknown_without(varve_unknown, 4)", "varve_unknown"),
                            "the unknown fields should be")

    def test_json_copies_that_are_not_rebuilt_are_noticed(self):
        self.expect_failure(BASE.replace("colour", "tint"), "", "the JSON copy of field 4 (lid) should be", '"tint"')

    def test_tensors_that_change_are_noticed(self):
        self.expect_failure(BASE, "UPDATE varve_staged_box SET bytes = zeroblob(length(bytes));",
                            "field 5 (pixels) should be")
        self.expect_failure(BASE, "UPDATE varve_staged_box SET dataset = 7 WHERE dataset > 0;", "field 5 (pixels) should be")
        self.expect_failure(BASE, "UPDATE varve_staged_box SET place = place + 1;", "field 5 (pixels) should be")
        self.expect_failure(BASE, "UPDATE varve_staged_box SET hash = 1;", "field 5 (pixels) should be")
        self.expect_failure(BASE, "UPDATE varve_staged_box SET field = 6;", "staged bytes of field 6, which is none",
                            "field 5 (pixels) should be")

    def test_tables_that_differ_are_noticed(self):
        self.expect_failure(EXTRA, ADD_EXTRA.replace(" DEFAULT '[]'", " DEFAULT '[ ]'"), 'column "more" is another')
        self.expect_failure(BASE, 'DROP INDEX "item.2";', 'the index "item.2" is missing')
        report = proven(BASE, "CREATE TABLE left_over (a INTEGER);")
        self.assertIn('the table "left_over" was not expected', "\n".join(report.failures))

    def test_tensors_among_unknown_fields_move_with_their_dims(self):
        self.expect_fine(GRIDS, sql_between(BASE, GRIDS))

    def test_tensors_among_unknown_fields_that_are_lost_are_noticed(self):
        sql = sql_between(BASE, GRIDS)
        for number in (5, 6, 7, 8):
            staying = sql.replace(f'WHERE varve_unknown_has("varve_unknown", {number})', "WHERE 0")
            self.expect_failure(GRIDS, staying, f"field {number} (", "should be ('", "and is None",
                                "the unknown fields should be", "staged tensors of lab.Item")
            dropped = sql.replace(f'FROM "item" WHERE varve_unknown_has("varve_unknown", {number})',
                                  f'FROM "item" WHERE 0 AND varve_unknown_has("varve_unknown", {number})')
            dropped += f"UPDATE item SET varve_unknown = varve_unknown_without(varve_unknown, {number});"
            self.expect_failure(GRIDS, dropped, f"field {number} (", "should be ('", "and is None")
        other = sql.replace("5, 'tensor sint32'", "5, 'tensor int32'")
        self.expect_failure(GRIDS, other, "field 5 (counts) should be ('")

    def test_dims_of_tensors_that_do_not_fit_stay_unknown_so_that_records_can_be_read(self):
        """A runtime refuses a record whose dims ask for elements that it has not."""
        parts = sql_between(BASE, GRIDS).split("\n\n")
        withdrawing = [part for part in parts if "dims stay among the unknown fields" in part]
        self.assertEqual(len(withdrawing), 1)
        bad = "\n\n".join(part for part in parts if part not in withdrawing)
        self.expect_failure(GRIDS, bad, "field 4 (columns) should be 0, and is ")

    def test_references_that_lead_nowhere_are_noticed(self):
        self.expect_failure(BASE, "UPDATE item SET box = 4711 WHERE id = (SELECT min(id) FROM item);", "lead nowhere")

    def test_a_conversion_that_rounds_is_noticed(self):
        report = proven(BASE.replace("3 label optional string", "3 label optional bytes"),
                        "ALTER TABLE item ADD COLUMN l BLOB; UPDATE item SET l = CAST(substr(label, 1, 3) AS BLOB); "
                        "ALTER TABLE item DROP COLUMN label; ALTER TABLE item RENAME COLUMN l TO label;")
        self.assertIn("field 3 (label) should be b'", "\n".join(report.failures))

    # ---------------------------------------------------------------- on purpose, and nothing at all

    def test_values_that_change_on_purpose_are_not_compared(self):
        history = lab.history((BASE, None), (BASE, "UPDATE box SET width = 1;"))
        history[1][1].changes = (("lab.Box", 2),)
        self.assertEqual(verify.verify(history).failures, [])
        history[1][1].changes = (("lab.Box", 3),)
        self.assertFalse(verify.verify(history).ok)

    def test_a_proof_of_nothing_is_a_failure(self):
        text = BASE.replace("1 id int64 key=1", "1 id int64 key=1 references=lab.Item#1")
        report = verify.verify(lab.history((text, None)))
        self.assertIn("lab.Box got no rows in any version, so nothing is proven for its table: field 1 (id) refers to "
                      "rows that are not there yet", "\n".join(report.failures))
        self.assertIn("no value was compared", "\n".join(report.failures))

    def test_a_migration_that_only_some_rows_allow_is_tried_with_such_rows(self):
        """A new unique index over values that real data may have twice is no fault of the migration."""
        self.expect_fine(BASE.replace("3 label optional string", "3 label optional string unique"),
                         'CREATE UNIQUE INDEX "item.3" ON item (label);')

    def test_sql_that_fails_is_said_with_file_statement_and_reason(self):
        self.expect_failure(BASE, "-- why\nUPDATE box SET wide = 1;",
                            "0002_step.sql: no such column: wide; the statement is: "
                            "UPDATE box SET wide = 1;")
        self.expect_failure(BASE, "SELECT varve_assert((SELECT count(*) FROM item) = -1, 'items are lost');",
                            "0002_step.sql: items are lost")


class ReplayTest(unittest.TestCase):
    def setUp(self):
        self.state = lab.state(BASE)
        self.database = lab.database(self.state)
        self.database.execute("INSERT INTO box (id, width, lid, lid_json) VALUES (1, 5, x'22050a03726564', '{}')")
        self.database.execute("INSERT INTO item (id, box) VALUES (2, 1)")

    def apply(self, sql, text=BASE):
        replay.apply(self.database, [lab.migration(2, sql)], lab.state(text))

    def dump(self):
        return list(self.database.iterdump())

    def test_what_fails_changes_nothing_and_foreign_keys_are_as_before(self):
        self.database.execute("PRAGMA foreign_keys = ON")
        before = self.dump()
        for sql in ("UPDATE box SET width = 1; SELECT nothing;", 'DROP INDEX "item.2";', "UPDATE item SET box = 3;",
                    "UPDATE box SET width = 1; /* done */ COMMIT;", "UPDATE box SET width = 1; rollback", "BEGIN;",
                    "END;"):
            with self.subTest(sql=sql):
                with self.assertRaises(replay.ReplayError):
                    self.apply(sql)
                self.assertEqual(self.database.execute("PRAGMA foreign_keys").fetchone(), (1,))
                self.assertEqual(self.dump(), before)
                self.assertFalse(self.database.in_transaction)
        self.apply("SAVEPOINT a; UPDATE box SET width = 2; ROLLBACK TO a; RELEASE a; UPDATE box SET height = 3")
        self.assertEqual(self.database.execute("SELECT width, height FROM box").fetchall(), [(5, 3)])

    def test_a_rebuilt_parent_keeps_its_children(self):
        self.database.execute("PRAGMA foreign_keys = ON")
        self.apply(REBUILD, REBUILT)
        self.assertEqual(self.database.execute("SELECT id, box FROM item").fetchall(), [(2, 1)])

    def test_views_and_triggers_step_aside_and_come_back(self):
        self.database.executescript("""CREATE VIEW wide AS SELECT id, width FROM box WHERE width > 3;
            CREATE VIEW wider AS SELECT * FROM wide; CREATE TABLE log (a INTEGER);
            CREATE TRIGGER noted AFTER UPDATE ON box BEGIN INSERT INTO log VALUES (new.id); SELECT 1; END;""")
        self.apply(REBUILD + "UPDATE box SET width = 9;", REBUILT)
        self.assertEqual(self.database.execute("SELECT * FROM wider").fetchall(), [(1, 9)])
        self.assertEqual(self.database.execute("SELECT count(*) FROM log").fetchone(), (0,))
        self.database.execute("UPDATE box SET width = 8")
        self.assertEqual(self.database.execute("SELECT * FROM log").fetchall(), [(1,)])

    def test_a_view_that_does_not_fit_any_more_is_named(self):
        self.database.execute("CREATE VIEW wide AS SELECT width FROM box")
        with self.assertRaisesRegex(replay.ReplayError, 'the view "wide" does not fit .*no such column: width'):
            self.apply("ALTER TABLE box RENAME COLUMN width TO breadth;", BASE.replace("2 width", "2 breadth"))

    def test_json_copies_are_written_with_the_names_of_the_newest_version(self):
        marks = ("'lab.Box', 4", "'lab.Gone', 4", "'lab.Box', 2")
        self.apply(f"SELECT {', '.join(f'varve_rebuild_json({mark})' for mark in marks)};",
                   BASE.replace("colour", "tint"))
        self.assertEqual(self.database.execute("SELECT lid_json FROM box").fetchall(), [('{"tint":"red"}',)])

    def test_a_copy_of_damaged_bytes_is_said(self):
        self.database.execute("UPDATE box SET lid = x'220505'")
        said = r"lab.Box \(1,\): field 4 \(lid\) holds bytes that are no lab.Lid"
        with self.assertRaisesRegex(replay.ReplayError, said):
            self.apply("SELECT varve_rebuild_json('lab.Box', 4);")

    def test_statements_are_split_where_sqlite_ends_them(self):
        sql = """-- one; with a semicolon
            INSERT INTO a VALUES (';'); /* two; */ CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT 2; END;
            SELECT "a;b" -- and; so on
            ;
            -- an end;
            """
        found = replay.statements(sql)
        self.assertEqual(len(found), 3)
        self.assertTrue(found[1].endswith("END;"))
        self.assertEqual(replay.statements(" ;; -- nothing\n"), ())
        self.assertEqual(replay.statements("SELECT 1"), ("SELECT 1",))


class LineTest(unittest.TestCase):
    def test_a_table_is_followed_through_swaps_and_rebuilds(self):
        text = "message lab.{0} table={1}\nfield lab.{0} 1 id int64 key=1\n"
        before = lab.state(text.format("A", "a") + text.format("B", "b"))
        after = lab.state(text.format("C", "b") + text.format("D", "a"))
        swap = 'ALTER TABLE "a" RENAME TO t; ALTER TABLE b RENAME TO "A"; ALTER TABLE t RENAME TO "b";'
        self.assertEqual(line.renamed(before, after, swap), {"lab.A": "lab.C", "lab.B": "lab.D"})
        self.assertEqual(line.renamed(before, after, ""), {"lab.B": "lab.C", "lab.A": "lab.D"})
        rebuilt = 'CREATE TABLE "varve_new_a" (id INTEGER); DROP TABLE "a"; ALTER TABLE "varve_new_a" RENAME TO "a";'
        self.assertEqual(line.renamed(before, after, rebuilt)["lab.A"], "lab.D")
        dropped = "DROP TABLE a; CREATE TABLE a (id INTEGER);"
        self.assertEqual(line.renamed(before, after, dropped), {"lab.B": "lab.C"})


if __name__ == "__main__":
    unittest.main()
