"""Faults under the archive: units of work with tensors, flushes and compactions at random (archive_worker.c), while the
process dies, a call fails or power is lost. Whatever happened: each call answered with a status and a sentence, every
unit that was answered is there, whole, no other one is there in part, reads were right, the archive has the files that
its catalog names after one varve_maintain(), and the store works. A failure names the environment that repeats it.

FAULTS_KILLS=n    kills (24); FAULTS_LOSSES=n points of power loss (60)
FAULTS_MUTANTS=1  all syncs that are left out in turn, not only those of segments
FAULTS_SAMPLE=n   points of each kind of failing call (5)
FAULTS_ARCHIVE, FAULTS_SHIM: the two programs; ctest sets them. campaign.py has the other variables.
The full campaign: FAULTS_KILLS=300 FAULTS_LOSSES=1000 FAULTS_MUTANTS=1 FAULTS_SAMPLE=30."""

import collections
import copy
import dataclasses
import errno
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

import campaign
import power

WORKER = os.environ["FAULTS_ARCHIVE"]
KILLS = int(os.environ.get("FAULTS_KILLS", "24"))
LOSSES = int(os.environ.get("FAULTS_LOSSES", "60"))
SAMPLE = int(os.environ.get("FAULTS_SAMPLE", "5"))  # points of a kind of failing call
MUTANTS = os.environ.get("FAULTS_MUTANTS", "") not in ("", "0")
UNITS = 40  # of a run
COURSE_LOSSES = 200  # points of power loss of one run
SLOTS = 29
ENTRY = struct.Struct(f"=Ii{SLOTS * 2}I")  # of the journal
ENTRY_UPKEEP = 3

upkeeps = collections.Counter()  # processes that died in a flush or a compaction, by the way of dying


def command(mode: str, folder: pathlib.Path, seed: int) -> list:
    return [WORKER, mode, folder / "store", folder / "journal", str(seed), str(UNITS)]


def is_in_upkeep(folder: pathlib.Path) -> bool:
    journal = (folder / "journal").read_bytes() if (folder / "journal").exists() else b""
    return bool(journal) and ENTRY.unpack(journal[-ENTRY.size:])[0] == ENTRY_UPKEEP


def kill_after(folder: pathlib.Path, seed: int, seconds: float) -> subprocess.CompletedProcess:
    """A run that is killed then, if it has not ended."""
    process = subprocess.Popen(command("drop", folder, seed), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               text=True, env={**os.environ, "FAULTS_THREADS": "1"})
    time.sleep(seconds)
    process.kill()
    _, text = process.communicate(timeout=campaign.TIMEOUT_S)
    return subprocess.CompletedProcess(process.args, process.returncode, "", text)


def run_with(folder: pathlib.Path, mode: str, seed: int, faults: dict[str, str]) -> subprocess.CompletedProcess:
    if "KILL_AFTER" in faults:
        return kill_after(folder, seed, float(faults["KILL_AFTER"]))
    return campaign.run(command(mode, folder, seed), faults)


def problem(mode: str, seed: int, faults: dict[str, str]) -> str:
    """What goes wrong in one run with these faults; "" when nothing does."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="varve-archive-", dir=campaign.PARENT))
    try:
        done = run_with(folder, mode, seed, faults)
        killed = done.returncode == -signal.SIGKILL and ("FAULT_KILL" in faults or "KILL_AFTER" in faults)
        upkeeps[faults.get("FAULT_CALL", "time")] += killed and is_in_upkeep(folder)
        if done.returncode == 0 or killed:
            if mode == "run" and not killed:
                return ""
            done = campaign.run(command("check", folder, seed), {})
        if done.returncode == 0:
            return ""
        where = f"{mode} seed {seed} {campaign.describe(faults)}"
        return f"{where}: exit status {done.returncode}: {done.stderr.strip()}"
    except subprocess.TimeoutExpired:
        return f"{mode} seed {seed} {faults}: no end after {campaign.TIMEOUT_S} s"
    finally:
        shutil.rmtree(folder)


def count_calls(call: str, seed: int, mode: str = "run") -> int:
    """How many calls of this kind a run makes when none fails."""
    with tempfile.TemporaryDirectory(dir=campaign.PARENT) as name:
        done = campaign.run(command(mode, pathlib.Path(name), seed), {"FAULT_CALL": call})
        if done.returncode != 0:
            raise AssertionError(f"seed {seed} without a fault: {done.stderr}")
        return int(done.stdout)


def seeds(count: int, name: str) -> list[int]:
    pick = random.Random(f"{campaign.SEED} {name}")
    return [pick.randrange(1 << 30) for _ in range(count)]


# -------------------------------------------------------------------- kills and failing calls


class Faults(campaign.Campaign):
    """Points are (mode, seed of the units, faults)."""

    problem = staticmethod(problem)

    def fail_each(self, call: str, code: int, mode: str = "run", size: int = SAMPLE, **others: str) -> None:
        """The fault at some numbers of calls, up to one that is not reached."""
        faults = {"FAULT_CALL": call, "FAULT_ERRNO": str(code)}
        faults.update({f"FAULT_{name.upper()}": value for name, value in others.items()})
        seed = seeds(1, f"{faults} {mode}")[0]
        numbers = campaign.sample(range(1, count_calls(call, seed, mode) + 2), size, f"{faults} {mode}")
        self.check([(mode, seed, {**faults, "FAULT_AT": str(at)}) for at in numbers])

    def kill_each(self, call: str, when: str, count: int) -> None:
        """Kills at random calls of this kind; a few of them are of one run."""
        pick = random.Random(f"{campaign.SEED} kill {call} {when}")
        points = []
        for seed in seeds((count + 19) // 20, f"kill {call} {when}"):
            total = count_calls(call, seed)
            points += [("run", seed, {"FAULT_CALL": call, "FAULT_KILL": when, "FAULT_AT": str(pick.randint(1, total))})
                       for _ in range(min(20, count - len(points)))]
        self.check(points)

    def test_a_kill_at_any_time(self):
        begun = time.monotonic()
        count_calls("write", campaign.SEED)
        longest = time.monotonic() - begun
        pick = random.Random(f"{campaign.SEED} times")
        self.check([("drop", seed, {"KILL_AFTER": f"{pick.uniform(0, longest):.4f}"})
                    for seed in seeds(KILLS // 3, "times")])

    def test_a_kill_before_a_write(self):
        self.kill_each("write", "before", KILLS // 6)

    def test_a_kill_in_the_middle_of_a_write(self):
        self.kill_each("write", "middle", KILLS // 6)

    def test_a_kill_before_a_sync_and_a_change_of_names(self):
        for call in ("sync", "rename", "unlink", "mkdir", "truncate", "open"):
            self.kill_each(call, "before", (KILLS // 3 + 5) // 6)

    def test_a_write_that_fails(self):
        self.fail_each("write", errno.EIO)

    def test_a_disk_that_refuses_writes_and_a_crash(self):
        self.fail_each("write", errno.EIO, "drop", always="1")

    def test_a_full_disk(self):
        self.fail_each("write", errno.ENOSPC, always="1", half="1")

    def test_a_full_disk_for_a_moment(self):
        self.fail_each("write", errno.ENOSPC, half="1")

    def test_a_sync_that_fails(self):
        self.fail_each("sync", errno.EIO)
        self.fail_each("sync", errno.ENOSPC)

    def test_a_disk_that_refuses_syncs_and_a_crash(self):
        self.fail_each("sync", errno.EIO, "drop", always="1")

    def test_a_unit_of_unknown_outcome_that_a_crash_makes_true_has_its_segments(self):
        self.fail_each("sync", errno.EIO, "sweep", 4 * SAMPLE)

    def test_a_file_that_cannot_be_opened(self):
        self.fail_each("open", errno.EIO)
        self.fail_each("open", errno.ENOSPC)
        self.fail_each("open", errno.EMFILE)

    def test_a_name_that_cannot_be_changed(self):
        for call in ("rename", "unlink", "mkdir", "truncate"):
            self.fail_each(call, errno.EIO)
            self.fail_each(call, errno.ENOSPC)


# -------------------------------------------------------------------- a loss of power


@dataclasses.dataclass(frozen=True)
class Course:
    """What a run without a fault does to its disk, and its journal, in which each entry is a mark of the trace."""

    seed: int
    trace: list[power.Entry]
    before: power.Disk
    journal: bytes

    @staticmethod
    def of(seed: int, no_sync: str | None = None) -> "Course":
        """`no_sync`: a pattern of files of the store whose syncs do nothing; "": its folder."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="varve-archive-", dir=campaign.PARENT))
        try:
            (folder / "store").mkdir()
            before = power.Disk(folder / "store")
            faults = {"FAULT_TRACE": str(folder / "trace"), "FAULTS_THREADS": "1"}
            if no_sync is not None:
                faults["FAULT_NO_SYNC"] = str(folder / "store" / no_sync)
            done = campaign.run(command("run", folder, seed), faults)
            if done.returncode != 0:
                raise AssertionError(f"seed {seed} without a fault: {done.stderr}")
            trace, journal = power.read_trace(folder / "trace"), (folder / "journal").read_bytes()
            if len(journal) != ENTRY.size * sum(entry.call == "mark" for entry in trace):
                raise AssertionError("the journal has other entries than ENTRY says")
            return Course(seed, trace, before, journal)
        finally:
            shutil.rmtree(folder)

    def marks(self) -> list[int]:
        return [i + 1 for i, entry in enumerate(self.trace) if entry.call == "mark"]


def found(course: Course, index: int, way: str) -> dict[str, bytes | None]:
    """What is on disk when power is lost before an entry of the trace, in one of three ways: nothing but what is sure;
    all names, and nothing but what is sure in files; something of all."""
    disk = copy.deepcopy(course.before)
    for entry in course.trace[:index]:
        disk.do(entry)
    if way == "torn":
        return disk.after_torn_loss(random.Random(f"{campaign.SEED} {course.seed} {index}"))
    return disk.after_loss(way == "sure", None)


def loss_problem(course: Course, index: int, way: str) -> str:
    """What goes wrong when power is lost before an entry of the trace."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="varve-archive-", dir=campaign.PARENT))
    try:
        power.put(folder / "store", found(course, index, way))
        marks = sum(entry.call == "mark" for entry in course.trace[:index])
        (folder / "journal").write_bytes(course.journal[:marks * ENTRY.size])
        done = campaign.run(command("check", folder, course.seed), {})
        if done.returncode == 0:
            return ""
        return f"seed {course.seed}, power lost before entry {index} of the trace, {way}: {done.stderr.strip()}"
    finally:
        shutil.rmtree(folder)


class LossOfPower(campaign.Campaign):
    """Points are the arguments of loss_problem()."""

    problem = staticmethod(loss_problem)

    def test_at_any_time(self):
        """At all kinds of calls alike: most are writes, of which few are of the archive's protocol."""
        for seed in seeds((LOSSES + COURSE_LOSSES - 1) // COURSE_LOSSES, "losses"):
            course = Course.of(seed)
            count = min(LOSSES, COURSE_LOSSES)
            steps = [i + 1 for i, entry in enumerate(course.trace) if entry.call != "write"]
            at_steps = campaign.sample(range(len(steps)), count // 2, f"steps {seed}")
            numbers = campaign.sample(range(len(course.trace) + 1), count - count // 2, f"loss {seed}")
            points = [(course, steps[i]) for i in at_steps] + [(course, i) for i in numbers]
            self.check([(*point, ("torn", "sure", "torn", "named")[i % 4]) for i, point in enumerate(points)])


class Mutants(unittest.TestCase):
    """Without one of the syncs the campaign of power losses sees that something is lost."""

    def expect_noticed(self, no_sync: str) -> None:
        course = Course.of(campaign.SEED, no_sync)
        marks = campaign.sample(range(len(course.marks())), 40, no_sync)
        for tries, i in enumerate(reversed(marks)):
            for way in ("torn", "named", "sure"):
                text = loss_problem(course, course.marks()[i], way)
                if text:
                    print(f"no sync of {no_sync or 'the store'}, mark {tries + 1}: {text}", file=sys.stderr)
                    return
        self.fail(f"seed {campaign.SEED}: nobody notices that {no_sync or 'the store'} is not synced")

    def test_the_same_losses_are_fine_with_all_syncs(self):
        course = Course.of(campaign.SEED)
        last = course.marks()[-1]
        for way in ("torn", "named", "sure"):
            self.assertEqual(loss_problem(course, last, way), "")

    def test_a_segment_that_is_not_synced_is_noticed(self):
        self.expect_noticed("archive/*/*.h5.tmp")

    def test_a_folder_that_is_not_synced_after_a_rename_is_noticed(self):
        self.expect_noticed("archive/*")

    @unittest.skipUnless(MUTANTS, "FAULTS_MUTANTS is not set")
    def test_an_archive_that_is_not_synced_is_noticed(self):
        self.expect_noticed("archive")

    @unittest.skipUnless(MUTANTS, "FAULTS_MUTANTS is not set")
    def test_a_store_folder_that_is_not_synced_is_noticed(self):
        self.expect_noticed("")

    @unittest.skipUnless(MUTANTS, "FAULTS_MUTANTS is not set")
    def test_a_log_that_is_not_synced_is_noticed(self):
        self.expect_noticed("varve.db-wal")

    @unittest.skipUnless(MUTANTS, "FAULTS_MUTANTS is not set")
    def test_a_database_that_is_not_synced_is_noticed(self):
        self.expect_noticed("varve.db")


def tearDownModule() -> None:
    told = ", ".join(f"{count} by {name}" for name, count in sorted(upkeeps.items()) if count)
    print(f"killed in a flush or a compaction: {told or 'none'}", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
