#!/usr/bin/env python3
"""Normal forms of CREATE statements: equal where SQLite's tables are equal, whatever made them; different where
anything differs."""

import unittest

import lab
from varve_migrate import normal

TABLE = """CREATE TABLE "sample" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "title" TEXT NOT NULL DEFAULT '' CHECK (length("title") < 100),
  "Order" REAL,
  "subject" INTEGER REFERENCES "subject" ("id") ON DELETE CASCADE
) STRICT"""


def form(sql):
    return normal.of_statement(sql)[1]


class NormalTest(unittest.TestCase):
    def test_white_space_case_quotes_and_comments_make_no_difference(self):
        other = """create  table sample(`ID` integer primary key /* the key, */ autoincrement,[Title] text not null
            default '' check(LENGTH ( title )<100), -- a comment, with a "quote
            "ORDER" real, subject INTEGER references subject("id") on delete cascade)strict;"""
        self.assertEqual(form(TABLE), form(other))

    def test_order_of_columns_makes_no_difference_and_that_of_an_index_does(self):
        self.assertEqual(form("CREATE TABLE t (a INTEGER, b TEXT) STRICT"),
                         form("CREATE TABLE t (b TEXT, a INTEGER) STRICT"))
        self.assertNotEqual(form("CREATE INDEX i ON t (a, b)"), form("CREATE INDEX i ON t (b, a)"))

    def test_any_other_difference_is_one(self):
        changes = [(" NOT NULL", ""), ("DEFAULT ''", "DEFAULT 'x'"), ("< 100", "< 101"), ("CASCADE", "RESTRICT"),
                   ("REAL", "TEXT"),
                   (" AUTOINCREMENT", ""), (" STRICT", ""), ('"Order"', '"ordeR2"'),
                   ('REFERENCES "subject"', 'REFERENCES "other"'),
                   (' CHECK (length("title") < 100)', ""), ('"Order" REAL,', "")]
        for old, new in changes:
            with self.subTest(old=old):
                self.assertIn(old, TABLE)
                self.assertNotEqual(form(TABLE), form(TABLE.replace(old, new, 1)))

    def test_strings_keep_their_case_and_what_is_in_them(self):
        self.assertNotEqual(form("CREATE TABLE t (a TEXT DEFAULT 'X')"), form("CREATE TABLE t (a TEXT DEFAULT 'x')"))
        self.assertNotEqual(form("CREATE TABLE t (a TEXT DEFAULT ' ')"), form("CREATE TABLE t (a TEXT DEFAULT '  ')"))
        self.assertNotEqual(form("CREATE TABLE t (a TEXT DEFAULT '--x')"), form("CREATE TABLE t (a TEXT DEFAULT '')"))
        self.assertEqual(len(form("CREATE TABLE t (a TEXT CHECK (a <> '),(''('), b TEXT)").definitions), 2)

    def test_only_ascii_is_folded(self):
        self.assertNotEqual(form('CREATE TABLE t ("Ä" TEXT)'), form('CREATE TABLE t ("ä" TEXT)'))

    def test_names_that_are_not_plain_keep_quotes(self):
        self.assertNotEqual(form('CREATE TABLE t ("a b" TEXT)'), form("CREATE TABLE t (a b TEXT)"))
        self.assertEqual(normal.of_statement('CREATE UNIQUE INDEX "t.1,2" ON "t" ("a")')[0], "t.1,2")

    def test_an_index_is_its_table_columns_kind_and_condition(self):
        index = form('CREATE UNIQUE INDEX "sample.2" ON "sample" ("title", lower("x")) WHERE "Order" > 0.5')
        self.assertEqual(index, normal.Index("sample", ("title", "lower ( x )"), True, "order > 0.5"))
        self.assertEqual(form('CREATE INDEX "table" ON "index" ("on")'), normal.Index("index", ("on",), False, ""))

    def test_alter_table_leaves_the_same_form(self):
        database = lab.database()
        database.executescript(TABLE.replace('"title"', '"name"').replace('"sample"', '"old"').replace("sub",
                                                                                                       "sup") + """;
            CREATE INDEX "old.2" ON old (name) WHERE length(name) > 3;
            ALTER TABLE old RENAME COLUMN name TO title;
            ALTER TABLE old RENAME COLUMN supject TO "subject";
            CREATE TABLE supject (id INTEGER PRIMARY KEY);
            ALTER TABLE supject RENAME TO "subject";
            ALTER TABLE old RENAME TO "sample";
            ALTER TABLE sample DROP COLUMN "Order";
            ALTER TABLE sample ADD COLUMN  "Order"   REAL;
        """)
        found = normal.of_database(database)
        expected = normal.of_statements([TABLE, 'CREATE INDEX "old.2" ON "sample" ("title") WHERE length("title") > 3',
                                         "CREATE TABLE subject (id INTEGER PRIMARY KEY)"])
        self.assertEqual(normal.differences(expected, found), [])

    def test_every_table_of_the_lab_is_as_its_statements_say(self):
        given = lab.state()
        expected = normal.of_statements(lab.create_sql(given).split(";\n"))
        self.assertGreater(len(expected), 9)
        self.assertEqual(normal.differences(expected, normal.of_database(lab.database(given))), [])

    def test_what_sqlite_varve_and_users_made_is_left_out(self):
        database = lab.database()
        database.executescript("""CREATE TABLE sample (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT UNIQUE);
            CREATE TABLE varve_schema (package TEXT); CREATE TABLE varve_migration (number INTEGER);
            CREATE TABLE varve_generation (generation INTEGER); CREATE TABLE mine (a);
            CREATE TABLE varve_copies (epoch INTEGER); CREATE TABLE varve_copied (name TEXT);
            CREATE TABLE varve_invalidation (key TEXT);
            CREATE INDEX "sample.2" ON sample (a); CREATE INDEX my_index ON sample (a); CREATE VIEW v AS SELECT 1;""")
        self.assertEqual(set(normal.of_database(database)), {"sample", "mine", "sample.2", "my_index"})
        self.assertEqual(set(normal.of_database(database, ["Sample"])), {"sample", "sample.2"})

    def test_differences_say_what_was_expected_and_what_is_there(self):
        expected = normal.of_statements([TABLE, 'CREATE INDEX "sample.2" ON sample (title)',
                                         "CREATE TABLE gone (a TEXT)"])
        found = normal.of_statements([
            TABLE.replace("< 100", "< 99").replace('"Order" REAL', '"more" REAL').replace(" STRICT", ""),
            'CREATE UNIQUE INDEX "sample.2" ON sample (title)', "CREATE TABLE extra (b TEXT)"])
        sentences = normal.differences(expected, found)
        self.assertEqual(sentences, [
            'the table "extra" was not expected; there is (b text)',
            'the table "gone" is missing; expected (a text)',
            'the table "sample" has column "more", which was not expected; there is more real',
            'the table "sample" lacks column "order"; expected order real',
            "in the table \"sample\" column \"title\" is another: expected title text not null default '' check "
            "( length ( title ) < 100 ); there is title text not null default '' check ( length ( title ) < 99 )",
            'the table "sample" is another kind: expected strict; there is no option',
            'the index "sample.2" is another: expected on sample (title); there is index unique on sample (title)',
        ])


if __name__ == "__main__":
    unittest.main()
