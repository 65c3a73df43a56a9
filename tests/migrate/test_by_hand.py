#!/usr/bin/env python3
"""The proof with what people write: CHECKs that no random value satisfies, rows that every installation should have,
conversions of units, statements that the runtime refuses, and heads that promise too much."""

import unittest

import lab
from varve_migrate import replay, verify

BASE = """\
message lab.Day table=day
field lab.Day 1 id int64 key=1
field lab.Day 2 name string unique
field lab.Day 3 seconds int64
message lab.Visit table=visit
field lab.Visit 1 id int64 key=1
field lab.Visit 2 day int64 references=lab.Day#1 on_delete=CASCADE
field lab.Visit 3 tags repeated string
"""
GLOB = "'[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'"
DATES = BASE.replace("2 name string unique", f'2 name string unique check="{{2}} GLOB {GLOB}"')
MIN = DATES.replace("3 seconds int64", "3 seconds int64 min=-10")
REBUILD = f"""
CREATE TABLE varve_new_day ("id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "name" TEXT NOT NULL DEFAULT '' CHECK ("name" GLOB {GLOB}),
  "seconds" INTEGER NOT NULL DEFAULT 0 CHECK ("seconds" >= -10), "varve_unknown" BLOB) STRICT;
INSERT INTO varve_new_day SELECT id, name, seconds, varve_unknown FROM day ORDER BY id;
DELETE FROM sqlite_sequence WHERE name = 'varve_new_day';
INSERT INTO sqlite_sequence SELECT 'varve_new_day', seq FROM sqlite_sequence WHERE name = 'day';
DROP TABLE day;
ALTER TABLE varve_new_day RENAME TO day;
CREATE UNIQUE INDEX "day.2" ON day ("name");
"""


def steps(*given):
    """A history of (lock text, statements behind those that make the first tables)."""
    first, *more = given
    history = lab.history((first[0], lab.create_sql(lab.state(first[0])) + first[1]), *more)
    for _, migration in history:
        migration.reads_ok = migration.writes_ok = False
    return history


class CheckTest(unittest.TestCase):
    def test_a_table_whose_check_no_value_satisfies_is_proven_with_rows_that_break_it(self):
        report = verify.verify(steps((DATES, ""), (MIN, REBUILD)))
        self.assertEqual(report.failures, [])
        self.assertGreater(report.values, 200)
        self.assertGreaterEqual(report.children, 20)
        self.assertIn("version 1: after 300 tries no value of lab.Day, field 2 (name), satisfies its conditions",
                      "\n".join(report.notes))

    def test_references_to_such_values_are_proven_too(self):
        text = DATES.replace("2 day int64 references=lab.Day#1", f'2 day string references=lab.Day#2 check="{{2}} GLOB '
                             f'{GLOB}"')
        report = verify.verify(steps((text, ""), (text, "")))
        self.assertEqual(report.failures, [])
        self.assertGreater(report.children, 15)
        report = verify.verify(steps((text, ""), (text, "UPDATE visit SET tags = '[]';")))
        self.assertIn("field 3 (tags) should be", "\n".join(report.failures))

    def test_what_such_a_table_and_its_children_lose_is_noticed(self):
        for sql, wanted in (("UPDATE day SET name = 'x' || id;", "field 2 (name) should be"),
                            ("UPDATE visit SET tags = '[]';", "field 3 (tags) should be")):
            report = verify.verify(steps((DATES, ""), (DATES, sql)))
            self.assertIn(wanted, "\n".join(report.failures))

    def test_checks_of_other_tables_hold_all_the_same(self):
        text = DATES.replace("3 tags repeated string", "3 much int64 min=-10")
        report = verify.verify(steps((text, ""), (text, "UPDATE visit SET much = -11;")))
        self.assertIn("CHECK constraint failed in visit", "\n".join(report.failures))

    def test_a_table_that_can_have_no_rows_is_a_finding_with_the_reason(self):
        text = BASE.replace("3 seconds int64", "3 seconds int64 references=lab.Visit#1")
        said = "\n".join(verify.verify(steps((text, ""))).failures)
        for name in ("lab.Day", "lab.Visit"):
            self.assertIn(f"{name} got no rows in any version, so nothing is proven for its table: field", said)
        # Mended by a later version, it is a note of those before.
        report = verify.verify(steps((text, ""), (BASE, REBUILD.replace(f' CHECK ("name" GLOB {GLOB})', "").replace(
            ' CHECK ("seconds" >= -10)', "") + 'DROP INDEX IF EXISTS "day.3";')))
        self.assertEqual(report.failures, [])
        self.assertIn("version 1: lab.Day got 0 rows", "\n".join(report.notes))


class InsertTest(unittest.TestCase):
    FIRST = "INSERT INTO day (name, seconds) VALUES ('always', 1); INSERT INTO visit (day, tags) VALUES (1, '[\"a\"]');"

    def test_rows_of_the_first_migration_are_taken_as_they_are(self):
        report = verify.verify(steps((BASE, self.FIRST), (BASE, "")), seeds=range(8))
        self.assertEqual(report.failures, [])
        report = verify.verify(steps((BASE, self.FIRST), (BASE, "UPDATE day SET seconds = 2 WHERE name = 'always';")))
        self.assertIn("lab.Day (1,), table day: field 3 (seconds) should be 1, and is 2", "\n".join(report.failures))

    def test_values_of_such_rows_do_not_come_again_where_they_are_unique(self):
        names = ", ".join(f"('{name}')" for name in ("", "a", " ", "0", "NULL", "%_'';--", "z" * 300))
        report = verify.verify(steps((BASE, f"INSERT INTO day (name) VALUES {names};")), seeds=range(8))
        self.assertEqual(report.failures, [])

    def test_rows_that_a_later_migration_inserts_are_accepted_and_said(self):
        for sql in ("INSERT INTO day (name) VALUES ('always');", "INSERT INTO main.day VALUES (1, 'always', 5, NULL);",
                    "WITH a AS (SELECT 'always' AS n) REPLACE INTO \"day\" (name) SELECT n FROM a;"):
            report = verify.verify(steps((BASE, ""), (BASE, sql)), seeds=range(8))
            self.assertEqual(report.failures, [], sql)
            self.assertIn("0002_step adds 1 row to day", report.notes)
            self.assertIn("0002_step inserts into the table of lab.Day: ids before it leave room", report.notes)
        report = verify.verify(steps((BASE, ""), (BASE, "INSERT INTO visit (day, tags) SELECT id, '[]' FROM day;")))
        self.assertEqual(report.failures, [])
        report = verify.verify(steps((BASE, ""), (BASE, "INSERT INTO day (name) VALUES ('a b c'); DELETE FROM visit;")))
        self.assertIn("the row is gone from table visit", "\n".join(report.failures))

    def test_inserts_that_fail_are_said_with_version_and_statement(self):
        report = verify.verify(steps((BASE, ""), (BASE, "INSERT INTO day (name) SELECT name FROM day LIMIT 1;")))
        self.assertIn("version 1: its migration to version 2 fails: 0002_step.sql: UNIQUE constraint failed: day.name; "
                      "the statement is: INSERT INTO day (name) SELECT name FROM day LIMIT 1;", report.failures[0])

    def test_a_row_that_no_program_could_read_is_said(self):
        report = verify.verify(steps((BASE, self.FIRST.replace('["a"]', "oops"))))
        self.assertEqual(len(report.failures), 1)
        self.assertIn("version 1: a row holds what no program could read: ", report.failures[0])


class ChangesTest(unittest.TestCase):
    TIMES = "UPDATE day SET seconds = seconds * 1000;"

    def test_a_unit_is_converted_without_overflow(self):
        history = steps((BASE, ""), (BASE, ""), (BASE, self.TIMES))
        history[2][1].changes = (("lab.Day", 3),)
        report = verify.verify(history, seeds=range(6))
        self.assertEqual(report.failures, [])
        self.assertIn("0003_step changes field 3 of lab.Day on purpose: it is not compared, and whole numbers before "
                      "it are less than 2^31", report.notes)

    def test_without_the_head_the_conversion_is_a_finding(self):
        report = verify.verify(steps((BASE, ""), (BASE, self.TIMES)))
        self.assertFalse(report.ok)


class ForbiddenTest(unittest.TestCase):
    def fails(self, sql, wanted):
        database = lab.database(lab.state(BASE))
        before = list(database.iterdump())
        with self.subTest(sql=sql):
            with self.assertRaisesRegex(replay.ReplayError, wanted):
                replay.apply(database, [lab.migration(2, sql)], lab.state(BASE))
            self.assertEqual(list(database.iterdump()), before)
            self.assertEqual(database.execute("PRAGMA database_list").fetchall()[0][1], "main")
            database.execute("PRAGMA user_version")  # what was refused is allowed again

    def test_what_the_runtime_refuses_is_refused(self):
        for sql in ("BEGIN;", "COMMIT;", "END;", "ROLLBACK;"):
            self.fails(sql, "one transaction")
        for sql in ("ATTACH ':memory:' AS other;", "DETACH main;"):
            self.fails(sql, "would reach another")
        for sql in ("PRAGMA foreign_keys = ON;", "PRAGMA user_version = 7;", "EXPLAIN PRAGMA user_version;"):
            self.fails(sql, "PRAGMA (foreign_keys|user_version) is the runtime's to set")
        for sql in ("DELETE FROM varve_migration;", "UPDATE Varve_Generation SET generation = 9;",
                    "INSERT INTO varve_schema VALUES ('a', x'', NULL);", "DROP TABLE varve_schema;",
                    "ALTER TABLE varve_schema ADD COLUMN a;", "ALTER TABLE varve_migration RENAME TO a;",
                    "CREATE INDEX a ON varve_migration (name);", "DELETE FROM main.\"varve_schema\";",
                    "CREATE TRIGGER a AFTER INSERT ON varve_schema BEGIN SELECT 1; END;"):
            self.fails(sql, "(?i)0002_step.sql: the table \"varve_[a-z]+\" is varve's own, .*; the statement is: ")
        for sql in ("CREATE TEMP TABLE Day (a); UPDATE day SET a = 1;", "CREATE TEMP VIEW visit AS SELECT 1;",
                    "CREATE TEMP TABLE b (a); CREATE TABLE b (a);"):
            self.fails(sql, "hides a table of this name")

    def test_what_it_allows_is_allowed(self):
        text = BASE.replace("3 seconds int64", "3 seconds int64\nfield lab.Day 4 more int32 min=-3")
        database = lab.database(lab.state(BASE))
        database.execute("INSERT INTO day (name) VALUES ('a')")
        replay.apply(database, [lab.migration(2, """SELECT count(*) FROM varve_migration;
            SELECT * FROM pragma_table_info('day');
            CREATE TABLE IF NOT EXISTS varve_schema (a);
            CREATE TEMP TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT);
            ALTER TABLE day ADD COLUMN "more" INTEGER NOT NULL DEFAULT 0 CHECK ("more" >= -3);
            CREATE TEMP TABLE kept AS SELECT * FROM day; SAVEPOINT a; DELETE FROM day; ROLLBACK TO a; RELEASE a;
            UPDATE day SET name = (SELECT name || 'b' FROM kept); DROP TABLE temp.kept;""")], lab.state(text))
        self.assertEqual(database.execute("SELECT name, more FROM day").fetchall(), [("ab", 0)])


class HeadTest(unittest.TestCase):
    RENAMED = BASE.replace("3 seconds", "3 length")
    RENAME = "ALTER TABLE day RENAME COLUMN seconds TO length;"

    def notes(self, text, sql, reads_ok, writes_ok):
        history = steps((BASE, ""), (text, sql))
        history[1][1].reads_ok, history[1][1].writes_ok = reads_ok, writes_ok
        report = verify.verify(history)
        self.assertEqual(report.failures, [])
        return report.notes

    def test_a_head_that_promises_more_than_is_computed_is_noted(self):
        found = self.notes(self.RENAMED, self.RENAME, True, True)
        self.assertEqual([note[:50] for note in found], ["0002_step says reads_ok: yes, and computed is no: ",
                                                         "0002_step says writes_ok: yes, and computed is no:"])
        self.assertIn("seconds", found[0])

    def test_a_head_that_promises_no_more_is_not(self):
        self.assertEqual(self.notes(self.RENAMED, self.RENAME, False, False), [])
        added = BASE + "field lab.Visit 4 more int64\n"
        add = """ALTER TABLE visit ADD COLUMN more INTEGER NOT NULL DEFAULT 0; UPDATE visit SET
            more = varve_unknown_value(varve_unknown, 4, 'int64'),
            varve_unknown = varve_unknown_without(varve_unknown, 4)
            WHERE varve_unknown_has(varve_unknown, 4);"""
        self.assertEqual(self.notes(added, add, True, True), [])


class WideTest(unittest.TestCase):
    def test_migrations_that_take_long_are_run_once_with_all_rows(self):
        text = BASE + "".join(f"field lab.Visit {i} more{i} int32\n" for i in range(4, 400))
        history = verify.History(steps((text, ""), (text, "UPDATE visit SET more4 = more4;" * 100), (text, "")))
        self.assertEqual([history.turns(number, [1, 2]) for number in (1, 2, 3)], [[1], [1, 2], [1, 2]])
        report = verify.verify(list(zip(history.states, history.migrations)))
        self.assertEqual(report.failures, [])
        self.assertGreater(report.rows, 3 * 2 * 20)


class HintTest(unittest.TestCase):
    def hints(self, text, sql):
        report = verify.verify(steps((BASE, ""), (text, sql)))
        self.assertFalse(report.ok)
        return report.hints

    def test_hints_stand_where_they_can_apply(self):
        self.assertEqual(self.hints(BASE, "UPDATE day SET;"), set())
        self.assertEqual(self.hints(BASE, "SELECT varve_assert(0, 'no');"), set())
        self.assertEqual(self.hints(BASE, "UPDATE day SET length = 1;"), {"branch"})
        self.assertEqual(self.hints(BASE, "ALTER TABLE day ADD COLUMN more TEXT;"), {"branch"})
        self.assertEqual(self.hints(BASE, "UPDATE day SET seconds = 7;"), {"branch", "changes"})
        self.assertEqual(verify.verify(steps((BASE, "CREATE TABLE a (b);SELECT varve_assert(0, 'no');"))).hints, set())


if __name__ == "__main__":
    unittest.main()
