"""The folder of migrations: what it reads and writes, and what it says of one that is not whole."""

import hashlib
import os
import subprocess
import sys
import tempfile
import unittest
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "codegen"))

from varve_codegen import lock, state  # noqa: E402
from varve_migrate import folder  # noqa: E402

FIRST = (
    "message lab.Sample table=sample",
    "field lab.Sample 1 id int64 key=1",
    "field lab.Sample 2 name string unique",
)
RENAMED = ("message lab.Sample table=sample", "field lab.Sample 1 id int64 key=1",
           "field lab.Sample 2 title string unique")
MOOD = "field lab.Sample 9 mood string"
WEIGHT = "field lab.Sample 10 weight optional double"
CREATE = 'CREATE TABLE "sample" ("id" INTEGER PRIMARY KEY AUTOINCREMENT, "name" TEXT NOT NULL) STRICT;\n'


def parsed(*lines):
    return lock.parse_lines(lines, "lab")


class FolderTest(unittest.TestCase):
    def setUp(self):
        made = tempfile.TemporaryDirectory(prefix="varve, folder ")
        self.addCleanup(made.cleanup)
        self.path = Path(made.name, "migrations")

    def add(self, name, before, after, sql="", reads_ok=False, writes_ok=False):
        before, after = parsed(*before) if before else state.empty("lab"), parsed(*after)
        text = folder.text_of(name, "lab", reads_ok, writes_ok, before, after, sql)
        folder.write(self.path, name, text, after)
        return text

    def add_three(self):
        self.add("0001_initial", (), FIRST, CREATE)
        self.add("0002_rename", FIRST, RENAMED, 'ALTER TABLE "sample" RENAME COLUMN "name" TO "title";')
        self.add("0003_mood", RENAMED, (*RENAMED, MOOD), "", True, True)

    def edit(self, name, old, new):
        text = (self.path / name).read_text(encoding="utf-8")
        self.assertIn(old, text)
        (self.path / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    @contextmanager
    def edited(self, name, change):
        """The file is changed inside the block."""
        before = (self.path / name).read_bytes()
        self.assertNotEqual(change(before), before)
        (self.path / name).write_bytes(change(before))
        try:
            yield
        finally:
            (self.path / name).write_bytes(before)

    def assert_wrong(self, *wanted):
        """Each finding as (file, line, words in it), in this order."""
        with self.assertRaises(folder.FolderError) as raised:
            folder.read(self.path)
        found = raised.exception.findings
        self.assertEqual([(os.path.basename(f.path), f.line) for f in found], [w[:2] for w in wanted], found)
        for finding, (_, _, *words) in zip(found, wanted):
            self.assertIn("; ", finding.text)
            for word in words:
                self.assertIn(word, finding.text)
        for finding in found:
            self.assertTrue(str(finding).startswith(f"{self.path}/"), finding)


class ReadTest(FolderTest):
    def test_a_folder_that_is_not_there_or_empty_has_no_migrations(self):
        for make in (lambda: None, self.path.mkdir):
            make()
            found = folder.read(self.path)
            self.assertEqual((found.migrations, found.package, found.next_number()), ((), "", 1))
            self.assertEqual(found.state("lab"), state.empty("lab"))

    def test_what_is_written_is_read(self):
        self.add_three()
        found = folder.read(self.path)
        self.assertEqual([m.name for m in found.migrations], ["0001_initial", "0002_rename", "0003_mood"])
        self.assertEqual([m.number for m in found.migrations], [1, 2, 3])
        self.assertEqual([(m.reads_ok, m.writes_ok) for m in found.migrations],
                         [(False, False), (False, False), (True, True)])
        second = found.migrations[1]
        self.assertEqual(second.lock_minus, (FIRST[2],))
        self.assertEqual(second.lock_plus, (RENAMED[2],))
        self.assertEqual(second.package, "lab")
        data = (self.path / "0002_rename.sql").read_bytes()
        self.assertEqual(second.checksum, hashlib.sha256(data).hexdigest())
        self.assertFalse(found.lacks_lock)

    def test_states_are_those_after_each_migration(self):
        self.add_three()
        states = folder.read(self.path).states()
        self.assertEqual([sorted(lock.lines(s)) for s in states],
                         [sorted(FIRST), sorted(RENAMED), sorted((*RENAMED, MOOD))])
        self.assertEqual(states[-1], folder.read(self.path).state())

    def test_sql_is_the_file_without_its_lock_lines(self):
        text = self.add("0001_initial", (), FIRST, CREATE)
        self.assertEqual(text.count("-- lock + "), 3)
        kept = "".join(line for line in text.splitlines(True) if not line.startswith("-- lock "))
        self.assertEqual(folder.read(self.path).migrations[0].sql, kept)
        self.assertTrue(kept.endswith(CREATE))

    def test_statements_and_verdicts_by_hand_are_kept(self):
        self.add_three()
        self.edit("0002_rename.sql", "reads_ok: no", "reads_ok: yes")
        with open(self.path / "0002_rename.sql", "a", encoding="utf-8") as file:
            file.write("\n-- By hand; it is \"needed\".\nUPDATE sample SET title = trim(title, ';');\n"
                       "CREATE TRIGGER t AFTER INSERT ON sample BEGIN SELECT 1; END; /* done */\n")
        second = folder.read(self.path).migrations[1]
        self.assertTrue(second.reads_ok)
        self.assertIn("UPDATE sample", second.sql)

    def test_values_that_are_changed_on_purpose(self):
        self.add_three()
        self.edit("0002_rename.sql", "-- writes_ok: no",
                  "-- writes_ok: no\n-- changes: lab.Sample 2\n-- changes: lab.Sample  1")
        found = folder.read(self.path).migrations
        self.assertEqual(list(found[1].changes), [("lab.Sample", 2), ("lab.Sample", 1)])
        self.assertEqual(list(found[0].changes), [])

    def test_other_files_are_left_alone(self):
        self.add_three()
        for name in ("README.md", ".0004_x.sql.swp", ".0004_x.sql", "0003_mood.sql~"):
            (self.path / name).write_text("other")
        self.assertEqual(len(folder.read(self.path).migrations), 3)

    def test_texts_with_separators_of_other_alphabets_are_one_line(self):
        odd = 'field lab.Sample 3 size double unit="a\u2028b\\n\u0085c"'
        self.add("0001_initial", (), (*FIRST, odd))
        self.assertEqual(folder.read(self.path).state().messages["lab.Sample"].field_of(3).unit, "a\u2028b\n\u0085c")

    def test_a_lock_with_line_ends_of_windows_and_in_another_order_is_the_same(self):
        self.add_three()
        lines = (self.path / "schema.lock").read_bytes().splitlines()
        (self.path / "schema.lock").write_bytes(b"\r\n".join(lines[::-1]))
        self.assertEqual(len(folder.read(self.path).migrations), 3)


class BrokenTest(FolderTest):
    def setUp(self):
        super().setUp()
        self.add_three()

    def test_bad_names(self):
        for name in ("4_x.sql", "0004-x.sql", "0004_X.sql", "0004_.sql", "00004_x.sql", "0000_x.sql", "x.sql"):
            with self.subTest(name=name):
                (self.path / name).write_text("")
                self.assert_wrong((name, 1, "no name of a migration", "0001_initial.sql"))
                (self.path / name).unlink()

    def test_gaps(self):
        (self.path / "0002_rename.sql").unlink()
        self.assert_wrong(("0003_mood.sql", 1, "migration 0002 is missing before it"))
        (self.path / "0001_initial.sql").unlink()
        self.assert_wrong(("0003_mood.sql", 1, "migration 0001 to 0002 is missing"))

    def test_two_of_one_number_are_explained_with_the_next_free_one(self):
        for old, new in (("0002_rename", "0002_other"), ("0003_mood", "0003_other")):
            text = (self.path / f"{old}.sql").read_text()
            (self.path / f"{new}.sql").write_text(text)
        self.assert_wrong(
            ("0002_rename.sql", 1, "two branches each made a migration 0002: 0002_other.sql and 0002_rename.sql",
             "git mv 0002_rename.sql 0004_rename.sql", "run `varve migrate verify`"),
            ("0003_other.sql", 1, "0003_mood.sql and 0003_other.sql", "the number 0005"),
        )

    def test_wrong_heads(self):
        for old, new, line, words in (
            ("-- package: lab\n", "", 1, "does not say package"),
            ("-- writes_ok: no\n", "-- writes_ok: no\n-- changes: lab.Sample\n", 5, "says no field"),
            ("-- writes_ok: no\n", "-- writes_ok: no\n-- changes: lab.Sample 7\n", 5, "no field 7 of lab.Sample"),
            ("-- writes_ok: no\n", "-- writes_ok: no\n-- changes: lab.Other 1\n", 5, "no field 1 of lab.Other"),
            ("-- writes_ok: no\n", "", 1, "does not say writes_ok"),
            ("-- writes_ok: no\n", "-- writes_ok: no\n-- writes_ok: no\n", 5, "stands there twice"),
            ("reads_ok: no", "reads_ok: maybe", 3, 'reads_ok is "maybe"; write yes or no'),
            ("writes_ok: no", "writes_ok: yes", 1, "who writes reads as well"),
            ("-- lock - ", "-- lock  - ", 5, "is not a line that varve writes"),
            ("-- lock - ", "--lock - ", 5, "is not a line that varve writes"),
            ("-- lock - ", f"-- lock - {FIRST[2]}\n-- lock - ", 6, "stands there twice"),
            ("-- lock + ", "SELECT 1;\n-- lock + ", 7, "behind the head"),
        ):
            with self.subTest(new=new):
                with self.edited("0002_rename.sql", lambda data: data.replace(old.encode(), new.encode())):
                    self.assert_wrong(("0002_rename.sql", line, words))

    def test_an_open_statement(self):
        for end in ("UPDATE sample SET title = 'x'", "UPDATE sample SET title = 'x;\n", "/* open;\n"):
            with self.subTest(end=end):
                with self.edited("0002_rename.sql", lambda data: data + end.encode()):
                    self.assert_wrong(("0002_rename.sql", 9, "the last statement does not end"))

    def test_bytes_that_are_no_text_of_here(self):
        for data, words in ((b"-- caf\xe9\n", "not UTF-8"), (b"-- a\0b\n", "NUL"), (b"SELECT 1;\r\n", "CR LF")):
            with self.subTest(data=data):
                with self.edited("0002_rename.sql", lambda before: before + data):
                    self.assert_wrong(("0002_rename.sql", 9, words))

    def test_conflicts_of_a_merge(self):
        self.edit("schema.lock", "field lab.Sample 9", "<<<<<<< HEAD\nfield lab.Sample 9")
        line = (self.path / "schema.lock").read_text().splitlines().index("<<<<<<< HEAD") + 1
        self.assert_wrong(("schema.lock", line, "a merge left its conflict here", "delete schema.lock"))
        self.edit("0002_rename.sql", "-- lock - ", ">>>>>>> other\n-- lock - ")
        self.assert_wrong(("0002_rename.sql", 5, "keep one of the two"), ("schema.lock", line))

    def test_a_migration_of_another_package(self):
        self.edit("0002_rename.sql", "package: lab", "package: rig")
        self.assert_wrong(("0002_rename.sql", 2, "of package rig", "of lab"))

    def test_lock_lines_that_were_edited_do_not_apply(self):
        for old, new, line, words in (
            ("-- lock - field lab.Sample 2 name", "-- lock - field lab.Sample 2 nome", 5,
             'is "field lab.Sample 2 name string unique" when it comes to this migration, since 0001_initial.sql'),
            ("-- lock - field lab.Sample 2", "-- lock - field lab.Sample 7", 5, "is not in the schema that"),
            ("-- lock + field lab.Sample 2", "-- lock + field lab.Sample 1", 6, "two branches gave away one number"),
            ("2 title string unique", "2 title  string unique", 6, "is not a line that varve writes"),
            ("2 title string unique", "2 title", 1, "make no schema"),
        ):
            with self.subTest(new=new):
                with self.edited("0002_rename.sql", lambda data: data.replace(old.encode(), new.encode())):
                    self.assert_wrong(("0002_rename.sql", line, words))

    def test_what_another_branch_took_away_is_noticed(self):
        """Lines that apply, and together make no schema."""
        for line, words in (
            ("index lab.Sample 2,7", "field 7 of lab.Sample is used, which is not there"),
            ("cache lab.Sample key=sample:{8}", "field 8 of lab.Sample is used"),
            ('field lab.Sample 3 size double check="{6} > 0"', "field 6 of lab.Sample is used"),
            ("field lab.Sample 3 sizes repeated double tensor=#5", "field 5 of lab.Sample is used"),
            ("field lab.Sample 3 place message lab.Place", "field 3 of lab.Sample is of lab.Place, which is not there"),
            ("field lab.Sample 3 mood enum lab.Mood", "field 3 of lab.Sample is of lab.Mood, which is not there"),
            ("field lab.Sample 3 subject int64 references=lab.Subject#1", "refers to field 1 of lab.Subject"),
            ("field lab.Sample 3 other int64 references=lab.Sample#4", "refers to field 4 of lab.Sample"),
            ("index lab.Sample x", "one of the lines of lab.Sample is not one that varve writes"),
            ("retired lab.Sample", "one of the lines of lab.Sample is not one that varve writes"),
        ):
            with self.subTest(line=line):
                added = f"-- lock + {line}\n-- lock + ".encode()
                with self.edited("0003_mood.sql", lambda data: data.replace(b"-- lock + ", added, 1)):
                    self.assert_wrong(("0003_mood.sql", 1, words))

    def test_a_lock_that_is_not_where_the_migrations_lead(self):
        text = (self.path / "schema.lock").read_text()
        last = len(text.splitlines())
        for new, line, words in (
            (text + WEIGHT + "\n", last + 1, "no migration leads to"),
            (text + MOOD + "\n", last, "stands there twice"),
            (text.replace(MOOD + "\n", ""), 1, "is missing, which 0003_mood.sql adds"),
        ):
            with self.subTest(words=words):
                (self.path / "schema.lock").write_text(new)
                self.assert_wrong(("schema.lock", line, words, "delete schema.lock and run `varve migrate verify`"))

    def test_a_lock_that_is_missing_can_be_written_anew(self):
        before = (self.path / "schema.lock").read_bytes()
        (self.path / "schema.lock").unlink()
        self.assert_wrong(("schema.lock", 1, "the file is missing", "`varve migrate verify`"))
        found = folder.read(self.path, may_lack_lock=True)
        self.assertTrue(found.lacks_lock)
        self.assertEqual(folder.write_lock(found), str(self.path / "schema.lock"))
        self.assertEqual((self.path / "schema.lock").read_bytes(), before)

    def test_a_lock_without_migrations(self):
        for file in self.path.glob("*.sql"):
            file.unlink()
        self.assert_wrong(("schema.lock", 3, "there are no migrations that this could be the end of"))

    def test_a_migration_that_cannot_be_read(self):
        (self.path / "0003_mood.sql").unlink()
        (self.path / "0003_mood.sql").mkdir()
        with self.assertRaises(folder.FolderError) as raised:
            folder.read(self.path)
        self.assertIn("0003_mood.sql:1: error: the file cannot be read", str(raised.exception))

    def test_a_file_in_the_place_of_the_folder(self):
        with self.assertRaises(folder.FolderError) as raised:
            folder.read(self.path / "schema.lock")
        self.assertIn("cannot be read as a folder", str(raised.exception))


class WriteTest(FolderTest):
    def test_both_files_or_none(self):
        """A file-size limit stands for a full disk; one that only schema.lock exceeds among them."""
        script = (
            "import sys, resource, signal\n"
            f"sys.path.insert(0, {str(ROOT / 'codegen')!r})\n"
            "from varve_codegen import lock\n"
            "from varve_migrate import folder\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)\n"
            f"after = lock.parse_lines({FIRST!r}, 'lab')\n"
            "try:\n"
            "    folder.write(sys.argv[1], '0001_initial', '-- a\\n', after)\n"
            "except OSError as error:\n"
            "    sys.exit(3)\n"
        )
        for limit in (0, 3, 100):
            with self.subTest(limit=limit):
                command = [sys.executable, "-B", "-c", script, self.path, str(limit)]
                self.assertEqual(subprocess.run(command, check=False).returncode, 3)
                self.assertFalse(self.path.exists())
        self.assertEqual(subprocess.run([*command[:-1], "100000"], check=False).returncode, 0)
        self.assertEqual(sorted(os.listdir(self.path)), ["0001_initial.sql", "schema.lock"])

    def test_a_lock_that_cannot_be_replaced_takes_the_migration_back(self):
        self.add_three()
        (self.path / "schema.lock").unlink()
        (self.path / "schema.lock").mkdir()
        before = sorted(os.listdir(self.path))
        with self.assertRaises(OSError):
            self.add("0004_weight", (*RENAMED, MOOD), (*RENAMED, MOOD, WEIGHT))
        self.assertEqual(sorted(os.listdir(self.path)), before)


if __name__ == "__main__":
    unittest.main()
