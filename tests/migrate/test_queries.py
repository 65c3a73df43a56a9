"""varve migrate verify --queries: queries of versions whose programs may still run, on each other's tables."""

import json
import unittest

from test_cli import FOLDER, PROTO, MigrateTest

SERVICE = """
message Named {
  string name = 1;
}
message Weight {
  int64 id = 1;
  double weight = 2;
}
service Samples {
  rpc ByName(Named) returns (stream Weight) {
    option (varve.sql) = "SELECT id, weight FROM sample WHERE name = :name";
    option (varve.allow_scan) = true;
  }
}
"""
SET_WEIGHT = """
service Changes {
  rpc SetWeight(Weight) returns (Named) {
    option (varve.sql) = "UPDATE sample SET weight = :weight WHERE id = :id RETURNING name";
  }
}
"""


class QueriesTest(MigrateTest):
    def setUp(self):
        super().setUp()
        self.add(SERVICE)
        self.new("initial", "0001_initial.queries.json")

    def add(self, text):
        with open(self.folder / PROTO, "a", encoding="utf-8") as file:
            file.write(text)

    def recorded(self, name):
        text = (self.folder / FOLDER / f"{name}.queries.json").read_text(encoding="utf-8")
        return [query["name"] for query in json.loads(text)]

    def change_step(self, name, old, new):
        """What a person would do who knows better than the command whether older programs may go on."""
        path = self.folder / FOLDER / f"{name}.sql"
        text = path.read_text(encoding="utf-8")
        self.assertIn(old, text)
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def test_new_records_the_queries_of_its_version(self):
        self.assertEqual(self.recorded("0001_initial"), ["lab.Samples.ByName"])

    def test_verify_records_queries_that_came_later_and_keeps_those_that_went(self):
        self.add(SET_WEIGHT)
        self.check(self.migrate("verify", "--queries"), 0, "wrote ", "0001_initial.queries.json")
        self.assertEqual(self.recorded("0001_initial"), ["lab.Changes.SetWeight", "lab.Samples.ByName"])
        self.edit(PROTO, "WHERE name = :name", "WHERE name >= :name")
        self.check(self.migrate("verify", "--queries"), 0)
        self.assertEqual(self.recorded("0001_initial").count("lab.Samples.ByName"), 2)
        self.assertNotIn("wrote", self.migrate("verify", "--queries").stdout)

    def test_a_column_more_suits_the_queries_before(self):
        self.add_field_to_sample("optional string mood = 5;")
        self.new("mood")
        self.check(self.migrate("verify", "--queries"), 0, "of 1 older versions", "0 findings")

    def test_an_older_query_that_fails_on_the_tables_of_today_is_a_finding(self):
        self.edit(PROTO, "string name = 2;", "string label = 2;")
        self.edit(PROTO, "WHERE name = :name", "WHERE label = :name")
        self.new("label")
        self.check(self.migrate("verify", "--queries"), 0, "of 0 older versions")
        self.change_step("0002_label", "reads_ok: no", "reads_ok: yes")
        self.check(self.migrate("verify", "--queries"), 2, "lab.Samples.ByName of 0001_initial on today's tables: SQLite "
                   "says no such column: name")
        found = self.object("verify", "--queries", status=2)["queries"]
        self.assertEqual((found["versions"], len(found["findings"])), (1, 1))

    def test_writes_are_tried_only_where_older_programs_may_write(self):
        self.add(SET_WEIGHT)
        self.check(self.migrate("verify", "--queries"), 0)
        self.edit(PROTO, "string name = 2;", "string label = 2;")
        self.edit(PROTO, "WHERE name = :name", "WHERE label = :name")
        self.edit(PROTO, "RETURNING name", "RETURNING label AS name")
        self.new("label")
        self.change_step("0002_label", "reads_ok: no", "reads_ok: yes")
        self.assertNotIn("SetWeight of 0001", self.check(self.migrate("verify", "--queries"), 2).stderr)
        self.change_step("0002_label", "writes_ok: no", "writes_ok: yes")
        self.check(self.migrate("verify", "--queries"), 2, "lab.Changes.SetWeight of 0001_initial on today's tables")

    def test_what_todays_queries_need_of_a_newer_version_is_a_note(self):
        self.add_field_to_sample("optional string mood = 5;")
        self.edit(PROTO, "SELECT id, weight FROM sample WHERE name = :name",
                  "SELECT id, weight FROM sample WHERE mood = :name")
        self.new("mood")
        self.check(self.migrate("verify", "--queries"), 0, "note: lab.Samples.ByName on the tables of 0001_initial: SQLite "
                   "says no such column: mood")

    def test_without_the_option_queries_are_left_alone(self):
        (self.folder / FOLDER / "0001_initial.queries.json").unlink()
        self.assertNotIn("queries", self.object("verify", status=0))
        self.assertFalse((self.folder / FOLDER / "0001_initial.queries.json").exists())

    def test_a_damaged_record_is_said_with_its_file(self):
        path = self.folder / FOLDER / "0001_initial.queries.json"
        for text in ("[", "{}x", '[{"name": 1}]', "[1]"):
            path.write_text(text, encoding="utf-8")
            self.refused("verify", "--queries", words="0001_initial.queries.json:1: error: the file is no record of queries")

    def add_field_to_sample(self, text):
        self.edit(PROTO, "double weight = 4", f"{text}\n  double weight = 4")


if __name__ == "__main__":
    unittest.main()
