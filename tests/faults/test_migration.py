"""Faults in opening a store that has migrations pending (survey_new.c): renames, a field that becomes a column, JSON
copies, tables written anew with children and tensors. Whatever fails, and wherever the process dies or power is lost:
the status has a sentence; the database is the old one or the new one to the last row, and says which in its own tables;
a backup is whole; the next opening gives the new one. A failure names the environment that repeats it, of
`survey_new FOLDER` on a folder that survey_old has filled.

FAULTS_OLD, FAULTS_NEW, FAULTS_SHIM: the programs; ctest sets them. campaign.py has the other variables."""

import contextlib
import copy
import dataclasses
import errno
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import unittest

import campaign
import look
import power

OLD = os.environ["FAULTS_OLD"]
NEW = os.environ["FAULTS_NEW"]
SCANS = {"small": 12, "large": 250}  # large: more than the page cache holds
SAMPLE = 20  # points of a campaign, when it has more and FAULTS_ALL is not set
BACKUP = "before-0002_names-survey.db"

# What a user adds beside varve's tables.
BESIDE = """
CREATE TABLE log (text TEXT);
CREATE VIEW busy AS SELECT scan.id, site.name, count(*) AS marks, sum(mark.place) AS places
  FROM scan JOIN mark ON mark.scan_id = scan.id JOIN site ON site.id = scan.site_id GROUP BY scan.id;
CREATE TRIGGER noted AFTER DELETE ON scan BEGIN INSERT INTO log VALUES ('gone: ' || old.id); END;
CREATE INDEX by_note ON scan (note);
"""

# What the commits before the migrations had.
TO_SYSTEM_1 = """
DROP TABLE varve_copies; DROP TABLE varve_copied; DROP TABLE varve_invalidation;
DROP TABLE varve_dataset; DROP TABLE varve_segment; DROP TABLE varve_dropped; DROP TABLE varve_sealed;
DROP TABLE varve_archive;
DROP TABLE varve_migration; DROP TABLE varve_generation;
ALTER TABLE varve_schema DROP COLUMN lock; PRAGMA user_version = 0;
"""


# -------------------------------------------------------------------- databases of before


@dataclasses.dataclass(frozen=True)
class Image:
    """A store of before, and what is in its database before and after."""

    folder: pathlib.Path
    old: dict[str, str]
    new: dict[str, str]
    backup: bool  # whether migrating makes one


IMAGES: dict[str, Image] = {}
ROOT = pathlib.Path(tempfile.mkdtemp(prefix="varve-migration-", dir=campaign.PARENT))


def execute(folder: pathlib.Path, sql: str) -> None:
    with contextlib.closing(sqlite3.connect(folder / "varve.db")) as database:
        database.executescript(sql)


def query(folder: pathlib.Path, sql: str) -> list[tuple]:
    with contextlib.closing(sqlite3.connect(folder / "varve.db")) as database:
        return database.execute(sql).fetchall()


def migrate(folder: pathlib.Path, faults: dict[str, str]) -> subprocess.CompletedProcess:
    return campaign.run([NEW, folder], faults)


def add_image(name: str, backup: bool) -> None:
    """Migrates a copy of the folder NAME, which stays beside it as NAME-new."""
    migrated = ROOT / f"{name}-new"
    shutil.copytree(ROOT / name, migrated)
    old = look.contents(migrated / "varve.db")
    done = migrate(migrated, {})
    if done.returncode != 0 or done.stdout.split()[1] != "VARVE_OK":
        raise AssertionError(f"{name}: without a fault: {done.stdout}{done.stderr}")
    IMAGES[name] = Image(ROOT / name, old, look.contents(migrated / "varve.db"), backup)


def crash(name: str, source: str) -> None:
    """A copy that a program has left with a log that is in no table yet."""
    shutil.copytree(ROOT / source, ROOT / f"{name}-open")
    with contextlib.closing(sqlite3.connect(ROOT / f"{name}-open" / "varve.db")) as database:
        database.execute("UPDATE site SET level = level + 1")
        database.commit()
        shutil.copytree(ROOT / f"{name}-open", ROOT / name)


def setUpModule() -> None:
    unittest.addModuleCleanup(shutil.rmtree, ROOT)
    for name, count in SCANS.items():
        subprocess.run([OLD, ROOT / name, str(count)], check=True, timeout=campaign.TIMEOUT_S)
        execute(ROOT / name, BESIDE)
        add_image(name, True)
    crash("crashed", "small")
    add_image("crashed", True)
    (ROOT / "empty").mkdir()
    add_image("empty", False)
    shutil.copytree(ROOT / "empty-new", ROOT / "system")
    execute(ROOT / "system", TO_SYSTEM_1)
    add_image("system", False)


# -------------------------------------------------------------------- the look


def database_problem(image: Image, folder: pathlib.Path) -> tuple[str, bool]:
    """What is wrong with the database, looking at a copy; and whether it is the new one."""
    with tempfile.TemporaryDirectory(dir=ROOT) as place:
        for path in folder.glob("varve.db*"):
            shutil.copy(path, place)
        found = look.contents(pathlib.Path(place, "varve.db"))
    if found == image.new:
        return "", True
    if found == image.old:
        return "", False
    return (f"the database is not the old one, by {look.difference(found, image.old)}, nor the new one, "
            f"by {look.difference(found, image.new)}"), False


def backup_problem(image: Image, folder: pathlib.Path, is_due: bool, may_be_left: bool) -> str:
    """A backup is whole, and it is there before the database is the new one. What is cut short has another name."""
    names = {path.name for path in (folder / "backup").glob("*")}
    if BACKUP in names and not image.backup:
        return "a backup was made of nothing"
    if BACKUP in names:
        difference = look.difference(look.contents(folder / "backup" / BACKUP), image.old)
        if difference:
            return f"the backup is not the database of before, by {difference}"
    elif is_due and image.backup:
        return "there is no backup"
    others = names - {BACKUP}
    left = set() if may_be_left else others
    strange = {name for name in others if not name.startswith(BACKUP[:-3] + ".tmp")}
    return f"beside the backup there is {left | strange}" if left | strange else ""


def answer_problem(done: subprocess.CompletedProcess, is_new: bool) -> str:
    """Whether what was said of the failure is so."""
    if done.returncode != 0:
        return f"exit status {done.returncode}: {done.stderr.strip()}"
    _, status, message = done.stdout.split(" ", 2)
    if status == "VARVE_OK" and not is_new:
        return "opened, and the database is the old one"
    if is_new and "nothing was changed" in message:
        return f"the database is the new one after {status}, {message.strip()}"
    if "mend the data" in message:
        return f"blames the data: {message.strip()}"
    return ""


def opening_problem(image: Image, folder: pathlib.Path, may_be_left: bool) -> str:
    """The next opening, without faults, gives the new database, and leaves nothing lying about but what was not
    removed before: a copy has its name from the inode of the database, which is another one in these trials."""
    done = migrate(folder, {})
    if done.returncode != 0 or done.stdout.split()[1] != "VARVE_OK":
        return f"does not open afterwards: {done.stdout}{done.stderr}".strip()
    difference = look.difference(look.contents(folder / "varve.db"), image.new)
    if difference:
        return f"is not the new one after the next opening, by {difference}"
    return backup_problem(image, folder, True, may_be_left)


def look_problem(image: Image, folder: pathlib.Path, done: subprocess.CompletedProcess | None, is_cleaned: bool,
                 must_be_new: bool = False) -> str:
    """`done`: the process that lived; None when it did not."""
    try:
        text, is_new = database_problem(image, folder)
        if not text and must_be_new and not is_new:
            text = "the database is the old one after opening had succeeded"
        text = text or backup_problem(image, folder, is_new, not is_cleaned)
        if not text and done:
            text = answer_problem(done, is_new)
        return text or opening_problem(image, folder, not is_cleaned)
    except look.Broken as error:
        return str(error)


# -------------------------------------------------------------------- faults


def fault_problem(name: str, faults: dict[str, str]) -> str:
    """What goes wrong when this store is opened with these faults; "" when nothing does."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=ROOT), "store")
    try:
        shutil.copytree(IMAGES[name].folder, folder)
        done = migrate(folder, faults)
        killed = "FAULT_KILL" in faults and done.returncode == -signal.SIGKILL
        is_cleaned = not killed and faults["FAULT_CALL"] != "unlink"
        text = look_problem(IMAGES[name], folder, None if killed else done, is_cleaned)
        return f"{name} {campaign.describe(faults)}: {text}" if text else ""
    except subprocess.TimeoutExpired:
        return f"{name} {campaign.describe(faults)}: no end after {campaign.TIMEOUT_S} s"
    finally:
        shutil.rmtree(folder.parent)


def answer(name: str, faults: dict[str, str]) -> list[str]:
    """The number of calls, the status and the words that opening this store answers."""
    with tempfile.TemporaryDirectory(dir=ROOT) as parent:
        folder = pathlib.Path(parent, "store")
        shutil.copytree(IMAGES[name].folder, folder)
        return migrate(folder, faults).stdout.split()


def count_calls(name: str, call: str) -> int:
    """How many calls of this kind opening this store makes when none fails."""
    return int(answer(name, {"FAULT_CALL": call})[0])


class Faults(campaign.Campaign):
    """Points are (image, faults)."""

    problem = staticmethod(fault_problem)

    def each(self, name: str, call: str, size: int = SAMPLE, **others: str) -> None:
        """The fault at all numbers of calls, up to one that is not reached; or at some."""
        total = count_calls(name, call)
        self.assertGreater(total, 0, f"opening {name} makes no call of {call}")
        faults = {"FAULT_CALL": call, **{f"FAULT_{key.upper()}": value for key, value in others.items()}}
        numbers = campaign.sample(range(1, total + 2), size, f"{name} {faults}")
        self.check([(name, {**faults, "FAULT_AT": str(at)}) for at in numbers])

    def test_a_kill_before_a_write(self):
        self.each("large", "write", kill="before")

    def test_a_kill_in_the_middle_of_a_write(self):
        self.each("large", "write", kill="middle")
        self.each("small", "write", kill="middle")

    def test_a_kill_before_a_sync_and_a_change_of_names(self):
        for call in ("sync", "rename", "unlink", "mkdir", "truncate", "open"):
            self.each("small", call, kill="before")
        self.each("large", "truncate", kill="before")

    def test_a_full_disk(self):
        self.each("large", "write", errno=str(errno.ENOSPC), always="1", half="1")

    def test_a_full_disk_for_a_moment(self):
        self.each("large", "write", errno=str(errno.ENOSPC))

    def test_a_write_that_fails(self):
        self.each("large", "write", errno=str(errno.EIO))

    def test_a_disk_that_refuses_writes(self):
        self.each("small", "write", errno=str(errno.EIO), always="1")

    def test_a_sync_that_fails(self):
        for code in (errno.EIO, errno.ENOSPC):
            self.each("small", "sync", errno=str(code))
            self.each("small", "sync", errno=str(code), always="1")

    def test_a_commit_that_cannot_be_synced_may_have_happened(self):
        total = count_calls("small", "sync")
        faults = {"FAULT_CALL": "sync", "FAULT_ERRNO": str(errno.EIO)}
        statuses = [answer("small", {**faults, "FAULT_AT": str(at)})[1] for at in range(1, total + 1)]
        self.assertIn("VARVE_UNKNOWN_OUTCOME", statuses)
        self.assertIn("VARVE_IO", statuses)

    def test_a_file_that_cannot_be_opened_or_named(self):
        for call, code in (("open", errno.EMFILE), ("rename", errno.EIO), ("rename", errno.ENOSPC),
                           ("unlink", errno.EIO), ("mkdir", errno.ENOSPC), ("truncate", errno.EIO)):
            self.each("small", call, errno=str(code))

    def test_an_allocation_that_fails(self):
        self.each("small", "allocate", 3 * SAMPLE, errno=str(errno.ENOMEM))

    def test_no_allocation_from_some_point_on(self):
        self.each("small", "allocate", errno=str(errno.ENOMEM), always="1")

    def test_a_store_that_was_not_closed(self):
        for call in ("write", "sync", "unlink"):
            self.each("crashed", call, SAMPLE // 2, kill="before")
        self.each("crashed", "write", SAMPLE // 2, errno=str(errno.ENOSPC), always="1", half="1")

    def test_a_new_store(self):
        for call in ("write", "sync", "open"):
            self.each("empty", call, SAMPLE // 2, kill="before")
        self.each("empty", "write", SAMPLE // 2, errno=str(errno.ENOSPC), always="1")

    def test_system_tables_that_move(self):
        for call in ("write", "sync"):
            self.each("system", call, SAMPLE // 2, kill="before")
        self.each("system", "write", SAMPLE // 2, errno=str(errno.ENOSPC))


# -------------------------------------------------------------------- a loss of power


@dataclasses.dataclass(frozen=True)
class Course:
    """What opening a store without a fault does to its disk."""

    name: str
    folder: pathlib.Path
    trace: list[power.Entry]
    before: power.Disk

    @staticmethod
    def of(name: str, reader: bool) -> "Course":
        """With a reader nobody is the last to close the database, so the log stays as it is."""
        folder = ROOT / f"{name}-traced-{reader}"
        trace = ROOT / f"{name}-{reader}.trace"
        shutil.copytree(IMAGES[name].folder, folder)
        before = power.Disk(folder)  # now: closing the file in this process would drop the reader's locks
        with contextlib.ExitStack() as stack:
            if reader:
                database = stack.enter_context(contextlib.closing(sqlite3.connect(folder / "varve.db")))
                database.execute("SELECT * FROM sqlite_schema").fetchall()
                before.add_empty(folder / "varve.db-wal")
            migrate(folder, {"FAULT_TRACE": str(trace)})
        return Course(name, folder, power.read_trace(trace), before)


def loss_problem(course: Course, index: int, names_are_late: bool, some: bool) -> str:
    """What goes wrong when power is lost before an entry of the trace."""
    disk = copy.deepcopy(course.before)
    for entry in course.trace[:index]:
        disk.do(entry)
    is_opened = any(entry.call == "mark" for entry in course.trace[:index])
    pick = random.Random(f"{campaign.SEED} {index}") if some else None
    folder = pathlib.Path(tempfile.mkdtemp(dir=ROOT), "store")
    try:
        power.put(folder, disk.after_loss(names_are_late, pick))
        text = look_problem(IMAGES[course.name], folder, None, False, is_opened)
        where = f"entry {index} of the trace, names_are_late={names_are_late} some={some}"
        return f"{course.name}, power lost before {where}: {text}" if text else ""
    finally:
        shutil.rmtree(folder.parent)


class LossOfPower(campaign.Campaign):
    """Points are the arguments of loss_problem()."""

    problem = staticmethod(loss_problem)

    def lose(self, name: str, size: int, reader: bool = False) -> None:
        """Around all calls but writes, and at some writes: there only a part of what was written arrives."""
        course = Course.of(name, reader)
        numbers = range(len(course.trace) + 1)
        steps = [i + 1 for i, entry in enumerate(course.trace) if entry.call != "write"]
        self.assertTrue(any(entry.call == "mark" for entry in course.trace))
        self.check([(course, i, late, False) for i in [0, *steps] for late in (False, True)])
        self.check([(course, i, late, True) for i in campaign.sample(numbers, size, f"loss {name}")
                    for late in (False, True)])

    def test_with_a_backup(self):
        self.lose("small", SAMPLE)

    def test_while_another_program_reads(self):
        self.lose("small", SAMPLE // 2, reader=True)

    def test_with_more_than_the_page_cache_holds(self):
        self.lose("large", SAMPLE // 2)

    def test_with_a_store_that_was_not_closed(self):
        self.lose("crashed", SAMPLE // 2)

    def test_of_a_new_store(self):
        self.lose("empty", SAMPLE // 2)


# -------------------------------------------------------------------- without a fault


class Migrated(unittest.TestCase):
    """What the trials compare with is what the migrations should make."""

    def test_every_record_and_child_is_there(self):
        before, after = ROOT / "small", ROOT / "small-new"
        for sql in ("SELECT id, name, coalesce(level, 0) FROM site", "SELECT * FROM mark",
                    "SELECT * FROM varve_staged_scan", "SELECT id, site_id, coalesce(note, ''), spot, stops FROM scan",
                    "SELECT name, seq FROM sqlite_sequence ORDER BY name", "SELECT * FROM busy"):
            rows = query(before, sql)
            self.assertEqual(rows, query(after, sql), sql)
            self.assertGreater(len(rows), 2, sql)
        self.assertEqual(query(before, "SELECT id, label FROM scan"), query(after, "SELECT id, title FROM scan"))

    def test_what_changes_has_changed(self):
        rows = query(ROOT / "small-new", "SELECT weight, hex(varve_unknown), spot_json, stops_json, spot IS NULL "
                                         "FROM scan ORDER BY id")
        self.assertEqual([row[:2] for row in rows[:2]], [(77, "900301"), (None, "")])
        for number, row in enumerate(rows):
            spot = {"house": f"scan {number}", "shelf": number} if number else {"house": "scan 0"}
            self.assertEqual(row[2] and json.loads(row[2]), None if row[4] else spot)
            self.assertEqual(json.loads(row[3]), [spot] * (number % 3))

    def test_ids_that_were_given_are_not_given_again(self):
        self.assertEqual(query(ROOT / "small-new", "SELECT seq - (SELECT max(id) FROM scan) FROM sqlite_sequence "
                                                   "WHERE name = 'scan'"), [(1,)])

    def test_the_system_tables_say_so(self):
        sql = "SELECT (SELECT generation FROM varve_generation), group_concat(number) FROM varve_migration"
        self.assertEqual(query(ROOT / "small", sql), [(1, "1")])
        self.assertEqual(query(ROOT / "small-new", sql), [(2, "1,2,3")])
        self.assertIn("field survey.Scan 3 title string unique",
                      query(ROOT / "small-new", "SELECT lock FROM varve_schema")[0][0].split("\n"))


if __name__ == "__main__":
    unittest.main()
