"""Faults under the store: for n = 1, 2 .. the n-th call of a kind fails, or the process dies there,
in a cycle of all operations (worker.c). Whatever happened, each call answered with a status and a
sentence, nothing leaked, and afterwards every unit that was answered is there, whole, and the store
works. A failure names the environment that repeats it.

FAULTS_KILLS=n   points of the kill campaign (30); campaign.py has the other variables
FAULTS_WORKER, FAULTS_SHIM: the two programs; ctest sets them."""

import errno
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import unittest

import campaign

WORKER = os.environ["FAULTS_WORKER"]
KILLS = int(os.environ.get("FAULTS_KILLS", "30"))
SAMPLE = 60  # points of a campaign, when it has more and FAULTS_ALL is not set


def run(mode: str, folder: pathlib.Path, faults: dict[str, str]) -> subprocess.CompletedProcess:
    """The worker on the store in this folder, with the shim doing what `faults` says."""
    return campaign.run([WORKER, mode, folder / "store", folder / "journal"], faults)


def problem(mode: str, faults: dict[str, str]) -> str:
    """What goes wrong in one run with these faults; "" when nothing does."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="varve-faults-", dir=campaign.PARENT))
    try:
        done = run(mode, folder, faults)
        killed = "FAULT_KILL" in faults and done.returncode == -signal.SIGKILL
        if done.returncode == 0 or killed:
            if mode == "run" and not killed:
                return ""
            done = run("check", folder, {})
        if done.returncode == 0:
            return ""
        return f"{mode} {campaign.describe(faults)}: exit status {done.returncode}: {done.stderr.strip()}"
    except subprocess.TimeoutExpired:
        return f"{mode} {faults}: no end after {campaign.TIMEOUT_S} s"
    finally:
        shutil.rmtree(folder)


def count_calls(call: str) -> int:
    """How many calls of this kind the cycle makes when none fails."""
    with tempfile.TemporaryDirectory() as name:
        done = run("run", pathlib.Path(name), {"FAULT_CALL": call})
        if done.returncode != 0:
            raise AssertionError(f"without a fault: {done.stderr}")
        return int(done.stdout)


class Faults(campaign.Campaign):
    """Points are (mode, faults)."""

    problem = staticmethod(problem)

    def points(self, call: str) -> list[int]:
        """All numbers of calls, up to one that is not reached; or some."""
        total = count_calls(call)
        self.assertGreater(total, 10, f"the cycle makes hardly a call of {call}")
        return campaign.sample(range(1, total + 2), SAMPLE, call)

    def fail_each(self, call: str, code: int, mode: str, always: bool) -> None:
        faults = {"FAULT_CALL": call, "FAULT_ERRNO": str(code)}
        if always:
            faults["FAULT_ALWAYS"] = "1"
        self.check([(mode, {**faults, "FAULT_AT": str(at)}) for at in self.points(call)])

    def kill_each(self, when: str, count: int) -> None:
        calls = random.Random(f"{campaign.SEED} kill {when}").choices(range(1, count_calls("write") + 1), k=count)
        faults = {"FAULT_CALL": "write", "FAULT_KILL": when}
        self.check([("run", {**faults, "FAULT_AT": str(at)}) for at in calls])

    def test_an_allocation_that_fails(self):
        self.fail_each("allocate", errno.ENOMEM, "run", always=False)

    def test_an_allocation_that_fails_and_a_crash(self):
        self.fail_each("allocate", errno.ENOMEM, "drop", always=False)

    def test_no_allocation_from_some_point_on(self):
        self.fail_each("allocate", errno.ENOMEM, "run", always=True)

    def test_a_write_that_fails(self):
        self.fail_each("write", errno.EIO, "run", always=False)

    def test_a_full_disk(self):
        self.fail_each("write", errno.ENOSPC, "run", always=True)

    def test_a_full_disk_for_a_moment(self):
        self.fail_each("write", errno.ENOSPC, "run", always=False)

    def test_a_disk_that_refuses_writes_and_a_crash(self):
        self.fail_each("write", errno.EIO, "drop", always=True)

    def test_a_sync_that_fails(self):
        self.fail_each("sync", errno.EIO, "run", always=False)

    def test_a_disk_that_refuses_syncs_and_a_crash(self):
        self.fail_each("sync", errno.EIO, "drop", always=True)

    def test_a_file_that_cannot_be_opened(self):
        self.fail_each("open", errno.EMFILE, "run", always=False)

    def test_a_truncate_that_fails(self):
        self.fail_each("truncate", errno.EIO, "run", always=False)

    def test_a_kill_before_a_write(self):
        self.kill_each("before", KILLS // 2)

    def test_a_kill_in_the_middle_of_a_write(self):
        self.kill_each("middle", KILLS - KILLS // 2)


if __name__ == "__main__":
    unittest.main()
