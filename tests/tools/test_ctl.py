"""The ctl program, called as a user does: on good stores, and on stores damaged by hand.

FILL_SHELF, SHELFCTL and CORTEXCTL name the programs; the build sets them.
"""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import unittest
from contextlib import closing
from pathlib import Path

FILL = os.environ["FILL_SHELF"]
CTL = os.environ["SHELFCTL"]
RECORDS = ["shelf.Box", "shelf.Item", "shelf.Reading", "shelf.Trace"]
EACH = 12  # records that fill.c makes of each message

folder = None
good = None  # a data folder that no test changes


def setUpModule():
    global folder, good
    made = tempfile.TemporaryDirectory(prefix="varve ctl ")
    unittest.addModuleCleanup(made.cleanup)
    folder = Path(made.name)
    good = folder / "good"
    subprocess.run([FILL, good], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)


def run(*arguments, **environment):
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("VARVE_", "SQLITE_"))}
    return subprocess.run(
        [str(a) for a in arguments], cwd=folder, env={**kept, **environment},
        capture_output=True, text=True, encoding="utf-8", errors="surrogateescape", check=False,
    )


class CtlTest(unittest.TestCase):
    def assert_exits(self, result, code):
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result.stdout

    def answer(self, command, data, code=0):
        """What the command says as JSON, which is one line and nothing beside."""
        result = run(CTL, command, "--json", data)
        text = self.assert_exits(result, code)
        self.assertEqual(text.count("\n"), 1, text)
        return json.loads(text)


class UsageTest(CtlTest):
    def test_help_and_version(self):
        for arguments in (["--help"], ["-h"], ["status", "--help"]):
            text = self.assert_exits(run(CTL, *arguments), 0)
            self.assertIn("shelfctl verify [--json] [DATA_DIR]", text)
        self.assertRegex(self.assert_exits(run(CTL, "--version"), 0),
                         r"^shelfctl: varve [\d.]+, SQLite [\d.]+, schemas: shelf\n$")

    def test_bad_calls_are_said_on_stderr(self):
        for arguments, words in (
            ([], "shelfctl status [--json]"),
            (["compost", good], "there is no command compost\n"),
            (["status"], "name the data folder, DATA_DIR, for status"),
            (["status", "--loud", good], "there is no option --loud"),
            (["status", good, good], "too many arguments for status"),
            (["status", *[good] * 9], "too many arguments"),
            (["status", "-d", good, good], "too many arguments for status"),
            (["status", "-d", good, "-d", good], "said twice"),
            (["status", "-d"], "no folder follows"),
            (["status", "--data-dir="], "no folder follows"),
        ):
            with self.subTest(arguments=arguments):
                result = run(CTL, *arguments)
                self.assertEqual(self.assert_exits(result, 2), "")
                self.assertIn(words, result.stderr)

    def test_the_data_folder_may_be_said_in_every_way(self):
        for arguments, environment in (
            (["status", good], {}),
            (["status", "-d", good], {}),
            (["--data-dir", good, "status"], {}),
            (["status", f"--data-dir={good}"], {}),
            (["status", "--", good], {}),
            (["status"], {"VARVE_DATA_DIR": str(good)}),
            (["status", "good"], {"VARVE_DATA_DIR": "/nowhere", "SQLITE_DB_PATH": "/nowhere/a.db"}),
            (["status"], {"VARVE_DATA_DIR": str(good), "SQLITE_DB_PATH": str(good / "varve.db")}),
        ):
            with self.subTest(arguments=arguments, environment=environment):
                self.assertIn("shelf.Box", self.assert_exits(run(CTL, *arguments, **environment), 0))

    def test_a_variable_that_does_not_parse_is_said(self):
        result = run(CTL, "status", good, VARVE_BUSY_TIMEOUT_MS="soon")
        self.assert_exits(result, 2)
        self.assertIn("VARVE_BUSY_TIMEOUT_MS", result.stderr)

    def test_a_store_that_is_not_there_is_not_made(self):
        (folder / "empty").mkdir(exist_ok=True)
        (folder / "file").touch()
        for command in ("status", "verify", "migrate"):
            for data in ("missing", "empty", "file"):
                with self.subTest(command=command, data=data):
                    result = run(CTL, command, data)
                    self.assertEqual(self.assert_exits(result, 2), "")
                    self.assertRegex(result.stderr, rf"^shelfctl: .*{data}.*\n$")
        self.assertFalse((folder / "missing").exists())
        self.assertEqual(os.listdir(folder / "empty"), [])

    def test_output_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = subprocess.run([CTL, "status", good], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(result.returncode, 2)
        self.assertIn("could not be written", result.stderr)


class GoodStoreTest(CtlTest):
    def test_status(self):
        answer = self.answer("status", good)
        self.assertEqual([r["record"] for r in answer["records"]], RECORDS)
        self.assertEqual([r["count"] for r in answer["records"]], [EACH] * 4)
        self.assertEqual(answer["records"][2]["table"], "day_reading")
        self.assertEqual(answer["schemas"], ["shelf"])
        self.assertEqual(answer["database_bytes"], (good / "varve.db").stat().st_size)
        self.assertTrue(os.path.samefile(answer["database"], good / "varve.db"))
        for record in answer["records"]:
            self.assertTrue(record["size_bytes"] is None or record["size_bytes"] >= 4096, record)
        text = self.assert_exits(run(CTL, "status", good), 0)
        for name in RECORDS:
            self.assertRegex(text, rf"(?m)^{name} +{EACH} ")

    def test_verify(self):
        answer = self.answer("verify", good)
        self.assertEqual(answer, {"findings": [], "findings_count": 0, "records_read": 4 * EACH})
        result = run(CTL, "verify", good)
        self.assertEqual(self.assert_exits(result, 0), f"{4 * EACH} records read, 0 findings\n")
        self.assertEqual(result.stderr, "")

    def test_a_segment_that_is_gone_is_a_finding(self):
        data = folder / "without a segment"
        shutil.copytree(good, data)
        with closing(sqlite3.connect(data / "varve.db")) as database:
            database.execute("INSERT INTO varve_segment (message, file, size, hash, elements) "
                             "VALUES ('shelf.Trace', 'shelf.Trace/0123456789abcdef.h5', 100, 1, 8)")
            database.commit()
        result = run(CTL, "verify", data)
        self.assertIn("archive shelf.Trace/0123456789abcdef.h5: cannot be opened", self.assert_exits(result, 1))
        self.assertIn("restore it from a backup", result.stdout)

    def test_looking_changes_nothing(self):
        data = folder / "looked at"
        shutil.copytree(good, data)
        before = (data / "varve.db").read_bytes()
        for command in ("status", "verify"):
            self.assert_exits(run(CTL, command, data), 0)
        self.assertEqual((data / "varve.db").read_bytes(), before)
        # What SQLite keeps while it reads, and may leave behind.
        self.assertLessEqual(set(os.listdir(data)), {"varve.db", "varve.db-shm", "varve.db-wal", "varve.lock"})

    def test_works_while_a_program_has_the_store_open(self):
        data = folder / "busy"
        with subprocess.Popen([FILL, data], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
            self.assertEqual(program.stdout.readline(), "filled\n")
            answer = self.answer("status", data)
            self.assertEqual([r["count"] for r in answer["records"]], [EACH] * 4)
            self.assertEqual(answer["wal_bytes"], (data / "varve.db-wal").stat().st_size)
            self.answer("verify", data)
            program.stdin.close()
            self.assertEqual(program.wait(), 0)

    def test_the_log_of_a_program_that_was_killed_is_read_and_left(self):
        data = folder / "killed"
        with subprocess.Popen([FILL, data], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
            self.assertEqual(program.stdout.readline(), "filled\n")
            program.kill()
        log = (data / "varve.db-wal").read_bytes()
        self.assertEqual(self.answer("verify", data)["records_read"], 4 * EACH)
        self.assertEqual((data / "varve.db-wal").read_bytes(), log)

    def test_cortexctl(self):
        ctl = os.environ.get("CORTEXCTL")
        if not ctl:
            self.skipTest("built without cortex")
        self.assertIn("schemas: cortex\n", self.assert_exits(run(ctl, "--version"), 0))
        result = run(ctl, "status", good)  # another schema's
        self.assertEqual(self.assert_exits(result, 2), "")
        self.assertTrue(result.stderr.startswith("cortexctl: "), result.stderr)


@unittest.skipUnless(os.environ.get("ZOO_OLD"), "built without the zoo")
class MigrateTest(CtlTest):
    """zooctl on stores that a program of the schema's first version has filled."""

    ctl = os.environ.get("ZOOCTL")
    step = {"package": "zoo", "name": "0002_houses", "reads_ok": False, "writes_ok": False}

    def setUp(self):
        self.data = folder / self.id().rpartition(".")[2]
        subprocess.run([os.environ["ZOO_OLD"], self.data, "fill"], check=True)

    def titles(self):
        with closing(sqlite3.connect(self.data / "varve.db")) as database:
            return database.execute("SELECT title FROM animal ORDER BY id").fetchall()

    def test_a_dry_run_lists_what_is_due_and_does_nothing(self):
        before = (self.data / "varve.db").read_bytes()
        text = self.assert_exits(run(self.ctl, "migrate", self.data, "--dry-run"), 1)
        self.assertRegex(text, r"\Azoo  0002_houses.sql\n")
        self.assertIn("\n    zoo.Animal: field 2 is renamed from name to title.\n", text)
        self.assertNotIn("reads_ok", text)
        self.assertTrue(text.endswith("\n1 migration to be applied\n"), text)
        answer = json.loads(self.assert_exits(run(self.ctl, "migrate", "--json", "--dry-run", self.data), 1))
        (step,) = answer["pending"]
        self.assertEqual(step.pop("comments")[0], "zoo.Animal: field 2 is renamed from name to title.")
        self.assertEqual((step, answer["system_tables"]), (self.step, False))
        self.assertEqual((self.data / "varve.db").read_bytes(), before)

    def test_it_migrates_even_where_the_environment_says_not_to(self):
        result = run(self.ctl, "status", self.data)
        self.assertIn("0002_houses.sql", result.stderr)
        text = self.assert_exits(run(self.ctl, "migrate", self.data, VARVE_MIGRATE="-1"), 0)
        self.assertTrue(text.endswith("\n1 migration applied\n"), text)
        self.assertEqual(self.titles(), [("stork",), ("lynx",)])
        self.assertEqual(os.listdir(self.data / "backup"), ["before-0002_houses-zoo.db"])
        for arguments in (["migrate"], ["migrate", "--dry-run"]):
            text = self.assert_exits(run(self.ctl, *arguments, self.data), 0)
            self.assertRegex(text, r"\A0 migrations ")
        self.assert_exits(run(self.ctl, "status", self.data), 0)

    def test_json_of_what_was_applied(self):
        answer = json.loads(self.assert_exits(run(self.ctl, "migrate", "--json", self.data), 0))
        self.assertEqual([step["name"] for step in answer["applied"]], ["0002_houses"])

    def test_what_fails_is_said_and_changes_nothing(self):
        with closing(sqlite3.connect(self.data / "varve.db")) as database:
            database.execute("UPDATE varve_migration SET checksum = 'other'")
            database.commit()
        for arguments in (["migrate"], ["migrate", "--dry-run"]):
            result = run(self.ctl, *arguments, self.data)
            self.assertEqual(self.assert_exits(result, 2), "")
            self.assertIn("0001_first.sql of this program is not the one", result.stderr)

    def test_a_database_of_an_older_varve_is_a_finding(self):
        with closing(sqlite3.connect(self.data / "varve.db")) as database:
            database.executescript("DROP TABLE varve_copies; DROP TABLE varve_copied; DROP TABLE varve_invalidation;"
                                   "DROP TABLE varve_dataset; DROP TABLE varve_segment; DROP TABLE varve_dropped; DROP TABLE varve_sealed;"
                                   "DROP TABLE varve_archive;"
                                   "DROP TABLE varve_migration; DROP TABLE varve_generation; PRAGMA user_version = 0;"
                                   "ALTER TABLE varve_schema DROP COLUMN lock")
        result = run(self.ctl, "migrate", self.data, "--dry-run")
        # It is of the first version of the schema, and does not say so: the old program can.
        self.assertEqual(self.assert_exits(result, 1), "varve's own tables are to be moved\n"
                                                       "0 migrations to be applied\n")
        self.assertIn("another state of the schema", run(self.ctl, "migrate", self.data).stderr)
        subprocess.run([os.environ["ZOO_OLD"], self.data, "open"], check=True)
        self.assert_exits(run(self.ctl, "migrate", self.data), 0)
        self.assertEqual(self.titles(), [("stork",), ("lynx",)])

    def test_only_migrate_has_a_dry_run(self):
        result = run(self.ctl, "status", "--dry-run", self.data)
        self.assertEqual(self.assert_exits(result, 2), "")
        self.assertIn("no option --dry-run of status", result.stderr)


class DamagedStoreTest(CtlTest):
    """Each damages a copy of the good store and says what verify must report: (record, key, pattern)."""

    def setUp(self):
        self.data = folder / self.id().rpartition(".")[2]
        shutil.copytree(good, self.data)

    def damage(self, *statements):
        with closing(sqlite3.connect(self.data / "varve.db")) as database:
            for statement in statements:
                database.execute(statement)
            database.commit()

    def assert_found(self, *expected):
        """The same in both forms, and nothing but these, in any order."""
        answer = self.answer("verify", self.data, code=1)
        found = answer["findings"]
        self.assertEqual(answer["findings_count"], len(found))
        for record, key, pattern in expected:
            matching = [f for f in found if (f["record"], f["key"]) == (record, key) and re.search(pattern, f["text"])]
            self.assertTrue(matching, (record, key, pattern, found))
            found = [f for f in found if f not in matching]
        self.assertEqual(found, [])
        result = run(CTL, "verify", self.data)
        lines = self.assert_exits(result, 1).splitlines()
        self.assertEqual(len(lines), answer["findings_count"] + 1, lines)
        return answer

    def test_text_that_is_no_json(self):
        self.damage("UPDATE box SET notes = '{broken' WHERE id IN (2, 3)")
        answer = self.assert_found(("shelf.Box", "2", "notes"), ("shelf.Box", "3", "notes"))
        self.assertEqual(answer["records_read"], 4 * EACH - 2)

    def test_bytes_that_are_no_message(self):
        self.damage("UPDATE box SET size = x'ffff' WHERE id = 1")
        self.assert_found(("shelf.Box", "1", "damaged"))

    def test_text_that_is_no_utf8(self):
        self.damage("UPDATE item SET text = CAST(x'61ff' AS TEXT) WHERE box_id = 5")
        self.assert_found(("shelf.Item", '"item "5"\n"', "text"))

    def test_a_key_that_is_no_utf8(self):
        self.damage("UPDATE day_reading SET site = CAST(x'61ff22' AS TEXT), text = CAST(x'ff' AS TEXT)"
                    " WHERE day = 7")
        self.assert_found(("shelf.Reading", '"a\ufffd"", 7', "."))

    def test_a_reference_to_nothing(self):
        self.damage("PRAGMA foreign_keys = OFF", "DELETE FROM box WHERE id = 4")
        answer = self.assert_found(("shelf.Item", '"item "4"\n"', r"^box_id refers to a record of table box"))
        self.assertEqual(answer["records_read"], 4 * EACH - 1)

    def test_a_broken_check(self):
        self.damage("PRAGMA ignore_check_constraints = ON", "UPDATE box SET weight = -1 WHERE id = 6")
        self.assert_found((None, None, "CHECK constraint failed in box"))

    def test_a_tensor_that_is_cut(self):
        with closing(sqlite3.connect(self.data / "varve.db")) as database:
            staged = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
                      if "trace" in name and name != "trace"]
            columns = [row[1] for row in database.execute(f'PRAGMA table_info("{staged[0]}")') if row[2] == "BLOB"]
        self.damage(f'UPDATE "{staged[0]}" SET "{columns[-1]}" = substr("{columns[-1]}", 1, 3) WHERE record = 9')
        self.assert_found(("shelf.Trace", "9", "samples"))

    def test_a_table_that_is_gone(self):
        self.damage('DROP TABLE day_reading')
        result = run(CTL, "verify", self.data)
        self.assertIn(result.returncode, (1, 2), result.stdout)
        self.assertIn("day_reading", result.stdout + result.stderr)

    def test_pages_overwritten(self):
        with open(self.data / "varve.db", "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            for page in range(4096, size, 4096):
                file.seek(page)
                file.write(b"\xa5" * 64)
        answer = self.answer("verify", self.data, code=1)
        self.assertGreater(answer["findings_count"], 0)

    def test_a_file_that_is_no_database(self):
        (self.data / "varve.db").write_text("once upon a time " * 400)
        answer = self.answer("verify", self.data, code=1)
        self.assertEqual(answer["findings_count"], 1)
        result = run(CTL, "status", self.data)
        self.assert_exits(result, 2)
        self.assertIn("no database", result.stderr)


if __name__ == "__main__":
    unittest.main()
