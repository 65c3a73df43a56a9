"""varve migrate, from the first migration through a merge: what a person and a program see of it."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VARVE = ROOT / "codegen" / "varve"
PLUGIN = ROOT / "codegen" / "protoc-gen-varve"
PROTOC = os.environ.get("VARVE_PROTOC", "protoc")

PROTO = "schema/lab/sample.proto"
OTHER = "schema/lab/subject.proto"
SAMPLE = """
syntax = "proto3";
package lab;
import "lab/subject.proto";
import "varve/options.proto";
message Sample {
  option (varve.table) = {};
  int64 id = 1 [(varve.column).primary_key = true];
  string name = 2;
  optional int64 subject_id = 3 [(varve.column).references = "Subject.id"];
  double weight = 4 [(varve.column).unit = "g"];
}
"""
SUBJECT = """
syntax = "proto3";
package lab;
import "varve/options.proto";
message Subject {
  option (varve.table) = {};
  int64 id = 1 [(varve.column).primary_key = true];
  string name = 2;
}
"""
FOLDER = "my migrations, all"


class MigrateTest(unittest.TestCase):
    def setUp(self):
        made = tempfile.TemporaryDirectory(prefix="varve: migrate = ")
        self.addCleanup(made.cleanup)
        self.folder = Path(made.name)
        self.write(PROTO, SAMPLE)
        self.write(OTHER, SUBJECT)

    # ---------------------------------------------------------------- doing

    def write(self, path, text):
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.lstrip("\n"), encoding="utf-8")

    def edit(self, path, old, new):
        text = (self.folder / path).read_text(encoding="utf-8")
        self.assertIn(old, text)
        (self.folder / path).write_text(text.replace(old, new, 1), encoding="utf-8")

    def append(self, name, sql):
        with open(self.folder / FOLDER / f"{name}.sql", "a", encoding="utf-8") as file:
            file.write(f"{sql}\n")

    def add_field(self, text, path=PROTO):
        old = (self.folder / path).read_text(encoding="utf-8").rstrip().rstrip("}")
        (self.folder / path).write_text(f"{old}  {text}\n}}\n", encoding="utf-8")

    def run_tool(self, *command, **environment):
        return subprocess.run(
            [str(part) for part in command], cwd=self.folder, env={**os.environ, **environment},
            capture_output=True, text=True, check=False,
        )

    def migrate(self, command, *arguments, protos=(PROTO, OTHER)):
        return self.run_tool(VARVE, "migrate", command, *arguments, *protos, "--migrations", FOLDER)

    def plugin(self):
        """What the build says: protoc with the plugin."""
        shutil.rmtree(self.folder / "out", ignore_errors=True)
        (self.folder / "out").mkdir()
        (self.folder / "m").unlink(missing_ok=True)
        (self.folder / "m").symlink_to(FOLDER)
        return self.run_tool(
            PROTOC, f"--plugin=protoc-gen-varve={PLUGIN}", "--varve_out=out", "--varve_opt=migrations=m", "-Ischema",
            f"-I{ROOT / 'schema'}", "lab/sample.proto", "lab/subject.proto",
        )

    def migrations(self):
        folder = self.folder / FOLDER
        return {p.name: p.read_bytes() for p in folder.iterdir()} if folder.exists() else {}

    # ---------------------------------------------------------------- judging

    def check(self, result, status, *words):
        text = result.stdout + result.stderr
        self.assertEqual(result.returncode, status, text)
        self.assertNotIn("Traceback", text)
        for word in words:
            self.assertIn(word, text)
        return result

    def new(self, name, *words):
        result = self.check(self.migrate("new", name), 0, *words)
        self.check(self.migrate("status"), 0, "where the last migration leaves it")
        return result

    def refused(self, command, *arguments, words, protos=(PROTO, OTHER)):
        """The command fails with these words on stderr and changes nothing."""
        before = self.migrations()
        result = self.check(self.migrate(command, *arguments, protos=protos), 2)
        self.assertIn(words, result.stderr)
        self.assertEqual(self.migrations(), before)
        return result

    def object(self, command, *arguments, status):
        result = self.check(self.migrate(command, "--json", *arguments), status)
        return json.loads(result.stdout)


class StoryTest(MigrateTest):
    def test_from_the_first_migration_on(self):
        self.check(self.migrate("status"), 1, "package lab: no migrations yet", "lab.Sample: the message is new",
                   "A migration is due: varve migrate new NAME")
        self.assertEqual(self.migrations(), {})
        result = self.new("initial", f"wrote {FOLDER}/0001_initial.sql", f"wrote {FOLDER}/schema.lock")
        self.assertEqual(set(self.migrations()), {"0001_initial.sql", "schema.lock"})
        self.refused("new", "again", words="nothing changed since the last migration")
        self.assertEqual(self.plugin().returncode, 0)

        self.edit(PROTO, "string name = 2", "string title = 2")
        self.add_field("string mood = 9;")
        result = self.check(self.migrate("status"), 1, "1 migration, the last is 0001_initial",
                            "field 2 is renamed from name to title", "field 9 (mood", "    table:    ", "    C source",
                            "programs of the version before may not go on", "Together: ")
        advice = re.search(r"A migration is due: varve (migrate new NAME .*)", result.stdout)[1]

        built = self.check(self.plugin(), 1)
        self.assertRegex(built.stderr, r"(?m)^lab/sample\.proto:8:3: error: lab\.Sample: field 2 is renamed from name "
                         r"to title since the last migration \(and 1 more change\); run: varve migrate new NAME "
                         r".* --migrations")
        self.assertEqual(list((self.folder / "out").rglob("*.c")), [])

        command = f"'{VARVE}' {advice.replace('NAME', 'title')}"
        self.check(self.run_tool("sh", "-c", command), 0, f"wrote {FOLDER}/0002_title.sql")
        self.assertIn(b'RENAME COLUMN "name" TO "title"', self.migrations()["0002_title.sql"])
        self.check(self.migrate("status"), 0, "2 migrations, the last is 0002_title")
        self.check(self.plugin(), 0)
        result = self.check(self.migrate("verify"), 0, "2 versions, ", "0 findings")
        self.assertGreater(int(re.search(r"(\d+)\s+values", result.stdout)[1]), 100)

    def test_verify_says_when_the_schema_is_ahead(self):
        self.new("initial")
        self.add_field("string mood = 9;")
        self.check(self.migrate("verify"), 1, "0 findings",
                   "The schema is ahead of its migrations: varve migrate new NAME")

    def test_verify_without_migrations_proves_nothing(self):
        self.refused("verify", words=f"there are no migrations in {FOLDER}")

    def test_verify_finds_a_migration_that_loses_values(self):
        self.new("initial")
        self.add_field("string mood = 9;")
        self.new("mood")
        with open(self.folder / FOLDER / "0002_mood.sql", "a", encoding="utf-8") as file:
            file.write('UPDATE "sample" SET "weight" = "weight" / 1000;\n')
        result = self.check(self.migrate("verify"), 2, "field 4 (weight) should be")
        self.assertIn("-- changes: ", result.stderr)
        self.edit(f"{FOLDER}/0002_mood.sql", "-- writes_ok: yes", "-- writes_ok: yes\n-- changes: lab.Sample 4")
        self.check(self.migrate("verify"), 0, "0 findings", "0002_mood changes field 4 of lab.Sample on purpose")

    def test_verify_takes_rows_that_people_insert_and_says_why_statements_fail(self):
        self.new("initial")
        self.append("0001_initial", "INSERT INTO subject (name) VALUES ('nobody');")
        self.edit(PROTO, "string name = 2;", "string title = 2;")
        self.new("title")
        self.append("0002_title", "INSERT INTO sample (title) VALUES ('blank');")
        self.check(self.migrate("verify"), 0, "0 findings", "0002_title adds 1 row to sample")
        self.edit(f"{FOLDER}/0002_title.sql", "-- reads_ok: no", "-- reads_ok: yes")
        self.check(self.migrate("verify"), 0, "0002_title says reads_ok: yes, and computed is no: lab.Sample: field 2")
        self.append("0002_title", "DELETE FROM varve_migration;")
        result = self.check(self.migrate("verify"), 2, "varve's own", "DELETE FROM varve_migration;")
        for hint in ("another branch", "-- changes"):
            self.assertNotIn(hint, result.stdout + result.stderr)

    def test_verify_finds_that_history_does_not_make_the_tables(self):
        self.new("initial")
        with open(self.folder / FOLDER / "0001_initial.sql", "a", encoding="utf-8") as file:
            file.write('ALTER TABLE "sample" ADD COLUMN "more" TEXT;\n')
        self.check(self.migrate("verify"), 2, "more")

    def test_units_are_to_be_converted_by_hand(self):
        self.new("initial")
        self.edit(PROTO, 'unit = "g"', 'unit = "kg"')
        self.check(self.migrate("new", "kilograms"), 0, "add the UPDATE that does it at the end of the file")

    def test_a_table_is_dropped_only_when_that_is_said(self):
        self.new("initial")
        self.edit(PROTO, "  option (varve.table) = {};\n", "")
        self.edit(PROTO, ' [(varve.column).references = "Subject.id"]', "")
        for option in ('[(varve.column).primary_key = true]', '[(varve.column).unit = "g"]'):
            self.edit(PROTO, f" {option}", "")
        self.refused("status", words="--drop lab.Sample")
        self.refused("new", "drop_sample", words=f"{PROTO}:5:1: error: ")
        self.refused("new", "drop_sample", "--drop", "lab.Subject", words="leave this --drop out")
        self.check(self.migrate("new", "drop_sample", "--drop", "lab.Sample"), 0, "is dropped, with all its records")
        self.check(self.migrate("status"), 0)
        self.check(self.migrate("verify"), 0)


class ErrorTest(MigrateTest):
    def test_errors_name_the_place_in_the_file_as_it_was_given(self):
        self.new("initial")
        self.edit(PROTO, "  double weight = 4", "  string weight = 4")
        self.edit(PROTO, ' [(varve.column).unit = "g"]', "")
        self.edit(PROTO, "  string name = 2;\n", "")
        proto = f"./schema/../{PROTO}"
        for command, arguments in (("status", ()), ("new", ("next",)), ("verify", ())):
            result = self.refused(command, *arguments, words="", protos=(proto, OTHER))
            gone, changed = result.stderr.splitlines()
            self.assertTrue(gone.startswith(f"{proto}:5:1: error: field 2 (name) is gone"), gone)
            self.assertTrue(changed.startswith(f"{proto}:9:3: error: field 4 (weight) "), changed)
        built = self.check(self.plugin(), 1)
        self.assertIn("lab/sample.proto:9:3: error: field 4", built.stderr)

    def test_errors_of_the_schema_are_as_check_says_them(self):
        self.edit(PROTO, "string name", "string register")
        said = self.run_tool(VARVE, "check", PROTO, OTHER).stderr
        for command, arguments in (("status", ()), ("new", ("initial",)), ("verify", ())):
            self.assertEqual(self.refused(command, *arguments, words='"register" is a keyword').stderr, said)
        self.edit(PROTO, "string register =", "string =")
        said = self.run_tool(VARVE, "check", PROTO, OTHER).stderr
        self.assertEqual(self.refused("status", words=f"{PROTO}:8:").stderr, said)
        self.write(PROTO, SAMPLE.replace('import "lab/subject.proto"', 'import "lab/none.proto"'))
        self.refused("status", words="imports were looked for in")

    def test_errors_of_the_folder_name_file_and_line(self):
        self.new("initial")
        self.edit(f"{FOLDER}/0001_initial.sql", "-- reads_ok: yes", "-- reads_ok: perhaps")
        for command, arguments in (("status", ()), ("new", ("next",)), ("verify", ())):
            self.refused(command, *arguments, words=f'{FOLDER}/0001_initial.sql:3: error: reads_ok is "perhaps"')
        built = self.check(self.plugin(), 1)
        self.assertIn(f'{FOLDER}/0001_initial.sql:3: error: reads_ok is "perhaps"', built.stderr)

    def test_an_edited_history_is_noticed(self):
        self.new("initial")
        self.edit(f"{FOLDER}/0001_initial.sql", "lock + field lab.Sample 2 name", "lock + field lab.Sample 2 nome")
        self.refused("status", words="schema.lock:")
        self.assertIn("is what no migration leads to", self.plugin().stderr)

    def test_bad_calls(self):
        for arguments, words in (
            ((), "varve migrate needs a command: status, new or verify"),
            (("revert",), 'varve migrate has no command "revert"'),
            (("status", PROTO), "--migrations"),
            (("status", "--migrations", FOLDER), "PROTO"),
            (("new", "initial", "--migrations", FOLDER), "PROTO"),
            (("status", "none.proto", "--migrations", FOLDER), "none.proto is not there"),
            (("status", PROTO, "--drop", "lab.Sample", "--migrations", FOLDER), "--drop"),
            (("status", PROTO, "--migrations", PROTO), "cannot be read as a folder"),
            (("new", "initial", PROTO, OTHER, "--migrations", f"{PROTO}/deep"), "Not a directory"),
        ):
            with self.subTest(arguments=arguments):
                result = self.check(self.run_tool(VARVE, "migrate", *arguments), 2)
                self.assertIn(words, result.stderr)
        for name in ("Initial", "first-one", "a b", "../x", "", "é"):
            with self.subTest(name=name):
                self.refused("new", name, words=f'"{name}" cannot be the name of a migration')

    def test_several_packages_and_none(self):
        self.write("schema/rig/rig.proto", SUBJECT.replace("package lab", "package rig"))
        rig = "schema/rig/rig.proto"
        self.refused("status", words="packages lab, rig", protos=(PROTO, OTHER, rig))
        self.new("initial")
        self.refused("status", words="are of package lab, and the schema is of rig", protos=(rig,))

    def test_a_file_that_was_not_given_is_not_taken_for_a_drop(self):
        self.new("initial")
        self.refused("status", words="varve: lab.Sample is in none of the files given; these must be all files of lab",
                     protos=(OTHER,))

    def test_help(self):
        for arguments in ((), ("status",), ("new",), ("verify",)):
            result = self.check(self.run_tool(VARVE, "migrate", *arguments, "--help"), 0)
            self.assertIn("--migrations", result.stdout)
        self.assertIn("varve migrate status|new|verify", self.run_tool(VARVE, "--help").stdout)


class JsonTest(MigrateTest):
    def test_objects_of_all_commands(self):
        status = self.object("status", status=1)
        self.assertEqual((status["command"], status["package"], status["migrations"], status["current"]),
                         ("status", "lab", [], False))
        made = self.object("new", "initial", status=0)
        self.assertEqual(made["written"], [f"{FOLDER}/0001_initial.sql", f"{FOLDER}/schema.lock"])
        self.add_field("string mood = 9;")
        status = self.object("status", status=1)
        (change,) = status["changes"]
        self.assertEqual((change["message"], change["number"], change["reads_ok"], change["writes_ok"]),
                         ("lab.Sample", 9, True, True))
        self.assertEqual(set(change["tiers"]), {"table", "cache", "archive", "c"})
        self.assertEqual((status["reads_ok"], status["writes_ok"], status["errors"]), (True, True, []))
        verified = self.object("verify", status=1)
        self.assertFalse(verified["current"])
        self.assertEqual(verified["verified"]["findings"], [])
        self.assertGreater(verified["verified"]["values"], 50)
        self.assertEqual([m["name"] for m in verified["migrations"]], ["0001_initial"])
        self.object("new", "mood", status=0)
        self.assertEqual((self.object("status", status=0)["current"], self.object("verify", status=0)["current"]),
                         (True, True))

    def test_errors_are_in_the_object_and_on_stderr(self):
        self.object("new", "initial", status=0)
        (nothing,) = self.object("new", "again", status=2)["errors"]
        self.assertIn("nothing changed", nothing["text"])
        self.edit(PROTO, "double weight", "bytes weight")
        result = self.check(self.migrate("status", "--json"), 2)
        (error,) = json.loads(result.stdout)["errors"]
        self.assertEqual((error["file"], error["line"], error["column"]), (PROTO, 10, 3))
        self.assertIn(error["text"], result.stderr)
        self.edit(f"{FOLDER}/schema.lock", "weight", "height")
        (error,) = self.object("status", status=2)["errors"]
        self.assertEqual((error["file"], "column" in error), (f"{FOLDER}/schema.lock", False))


class MergeTest(MigrateTest):
    """Two branches of a repository, merged by git."""

    def setUp(self):
        super().setUp()
        # Fields far apart, so that git merges the schema.
        self.write(PROTO, SAMPLE.replace('  string name', '\n' * 5 + '  string name'))
        self.new("initial")
        self.git("init", "-q", "-b", "main")
        self.commit("initial")

    def git(self, *arguments, status=0):
        settings = ("user.name=a", "user.email=a@b", "commit.gpgsign=false", "core.hooksPath=/dev/null")
        options = [word for setting in settings for word in ("-c", setting)]
        return self.check(self.run_tool("git", *options, *arguments, GIT_CONFIG_GLOBAL="/dev/null"), status)

    def commit(self, text):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", text)

    def branch(self, name, change):
        """A branch off main with one migration."""
        self.git("checkout", "-q", "-b", name, "main")
        change()
        self.new(name)
        self.commit(name)

    def merge(self, status=0):
        self.git("checkout", "-q", "one")
        return self.git("merge", "-q", "-m", "merge", "two", status=status)

    def follow_advice(self, words):
        """Does what the message about two of one number says."""
        move = re.search(r"such as git mv (\S+) (\S+)\)", words)
        self.git("-C", FOLDER, "mv", move[1], move[2])

    def test_two_that_have_nothing_to_do_with_each_other(self):
        self.branch("one", lambda: self.edit(PROTO, "message Sample {", "message Sample {\n  string mood = 9;"))
        self.branch("two", lambda: self.add_field("string colour = 5;", OTHER))
        self.merge()
        result = self.refused("status", words="two branches each made a migration 0002: 0002_one.sql and 0002_two.sql; "
                                              "give the one that came later the number 0003")
        self.assertIn("two branches each made", self.plugin().stderr)
        self.follow_advice(result.stderr)
        self.check(self.migrate("verify"), 0, "3 versions, ", "0 findings")
        self.check(self.migrate("status"), 0, "3 migrations, the last is 0003_two")
        self.check(self.plugin(), 0)

    def test_a_conflict_in_the_lock_alone(self):
        """Lines that meet in schema.lock, of fields that meet nowhere else."""
        self.branch("one", lambda: self.edit(PROTO, "message Sample {", "message Sample {\n  string mood = 9;"))
        self.branch("two", lambda: self.add_field("string colour = 10;"))
        self.merge(status=1)
        result = self.check(self.migrate("status"), 2, "a merge left its conflict here; delete schema.lock and run "
                                                       "`varve migrate verify`")
        self.follow_advice(result.stderr)
        self.refused("status", words="a merge left its conflict here")
        (self.folder / FOLDER / "schema.lock").unlink()
        self.refused("status", words="schema.lock:1: error: the file is missing")
        self.check(self.migrate("verify"), 0, "0 findings", f"wrote {FOLDER}/schema.lock anew")
        self.check(self.migrate("status"), 0)
        self.check(self.plugin(), 0)

    def test_one_number_for_two_fields(self):
        self.branch("one", lambda: self.edit(PROTO, "message Sample {", "message Sample {\n  string mood = 9;"))
        self.branch("two", lambda: self.add_field("string colour = 9;"))
        self.merge(status=1)
        # protoc finds it in the schema; mended, it is found in the migrations.
        self.assertIn("Field number 9 has already been used", self.migrate("status").stderr)
        self.edit(PROTO, "colour = 9", "colour = 10")
        result = self.check(self.migrate("status"), 2, "two branches each made")
        self.follow_advice(result.stderr)
        (self.folder / FOLDER / "schema.lock").unlink()
        result = self.refused("verify", words="two branches gave away one number")
        self.assertIn('0003_two.sql:5: error: field 9 of lab.Sample is "field lab.Sample 9 mood string" already, since '
                      "0002_one.sql", result.stderr)
        self.assertIn("delete this file and schema.lock and run `varve migrate new two`", result.stderr)
        (self.folder / FOLDER / "0003_two.sql").unlink()
        self.new("two")
        self.check(self.migrate("verify"), 0, "3 versions, ", "0 findings")

    def test_two_changes_of_one_field(self):
        self.branch("one", lambda: self.edit(PROTO, "string name = 2;", "string title = 2;"))
        self.branch("two", lambda: self.edit(PROTO, "string name = 2;", "optional string name = 2;"))
        self.merge(status=1)
        text = (self.folder / PROTO).read_text()
        text = re.sub(r"<<<<<<<.*?>>>>>>> two", "  optional string title = 2;", text, flags=re.DOTALL)
        (self.folder / PROTO).write_text(text)
        (self.folder / FOLDER / "schema.lock").unlink()
        self.follow_advice(self.check(self.migrate("status"), 2, "two branches each made").stderr)
        result = self.refused("verify", words='0003_two.sql:5: error: "field lab.Sample 2 name string" is "field '
                                              'lab.Sample 2 title string" when it comes to this migration, since 0002')
        self.assertIn("delete this file and schema.lock and run `varve migrate new two`", result.stderr)
        (self.folder / FOLDER / "0003_two.sql").unlink()
        self.new("two")
        self.check(self.migrate("verify"), 0, "0 findings")

    def test_a_table_that_is_written_anew_without_the_other_ones_column(self):
        """The lock lines apply, the statements lose a column: only the proof sees it."""
        self.branch("one", lambda: self.edit(PROTO, "message Sample {", "message Sample {\n  string mood = 9;"))
        self.branch("two", lambda: self.edit(PROTO, "string name = 2;", "optional string name = 2;"))
        self.merge()
        self.follow_advice(self.check(self.migrate("status"), 2, "two branches each made").stderr)
        result = self.check(self.migrate("verify"), 2, "mood")
        self.assertIn("delete its file and schema.lock, and make it again", result.stderr)
        (self.folder / FOLDER / "0003_two.sql").unlink()
        (self.folder / FOLDER / "schema.lock").unlink()
        self.new("two")
        self.check(self.migrate("verify"), 0, "3 versions, ", "0 findings")


class EmbeddedTest(MigrateTest):
    def test_the_program_has_the_files_line_by_line(self):
        """A line that is too long for a literal, and everything that C strings must escape."""
        self.new("initial")
        long = "-- " + "0123456789 \\ \" ' é ?? \t" * 200
        with open(self.folder / FOLDER / "0001_initial.sql", "a", encoding="utf-8") as file:
            file.write(f"\n{long}\n-- \\n ??= é \" '\n")
        self.check(self.plugin(), 0)
        self.write("main.c", """
            #include <stdio.h>
            #include "lab/lab.varve.h"
            int main(void)
            {
                for (size_t m = 0; m < lab_schema.migration_count; m++) {
                    const struct varve_migration *migration = &lab_schema.migrations[m];
                    fprintf(stderr, "%u %s %s %d %d", migration->number, migration->name, migration->checksum,
                            migration->reads_ok, migration->writes_ok);
                    for (size_t i = 0; i < migration->sql_count; i++)
                        puts(migration->sql[i]);
                }
                return 0;
            }
            """)
        flags = self.run_tool("pkg-config", "--cflags", "--libs", "libprotobuf-c").stdout.split()
        warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
        sources = sorted((self.folder / "out/lab").glob("*.varve.c"))
        self.check(self.run_tool(
            "cc", "-std=c11", *warnings, f"-I{ROOT / 'runtime/include'}", "-Iout", "-c", *sources), 0)
        self.check(self.run_tool(
            "cc", "-std=c11", f"-I{ROOT / 'runtime/include'}", "-Iout", "main.c", *sources, *flags, "-o", "app",
            "-Wl,--unresolved-symbols=ignore-all"), 0)
        result = self.run_tool("./app")
        text = (self.folder / FOLDER / "0001_initial.sql").read_text(encoding="utf-8")
        self.assertEqual(result.stdout, "".join(
            line for line in text.splitlines(True) if not line.startswith("-- lock ")))
        checksum = hashlib.sha256(text.encode()).hexdigest()
        self.assertEqual(result.stderr, f"1 0001_initial {checksum} 1 1")


if __name__ == "__main__":
    unittest.main()
