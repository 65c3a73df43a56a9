"""What the campaigns of faults share: what to run, how many points of it, and how that is told.

FAULTS_ALL=1     every point instead of a sample
FAULTS_SEED=n    of the sample"""

import concurrent.futures
import os
import random
import subprocess
import sys
import time
import unittest

SHIM = os.environ["FAULTS_SHIM"]
ALL = os.environ.get("FAULTS_ALL", "") not in ("", "0")
SEED = int(os.environ.get("FAULTS_SEED", "0")) or time.time_ns() % 1_000_000
TIMEOUT_S = 60
PARENT = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # of the folders of stores


def run(command: list, faults: dict[str, str]) -> subprocess.CompletedProcess:
    """A program with the shim doing what `faults` says."""
    environment = {**os.environ, **faults, "LD_PRELOAD": SHIM}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S)


def sample(numbers: range, size: int, name: str) -> list[int]:
    """All of the numbers or, when there are more than `size` of them, some: one of each stretch of equal length."""
    if ALL or len(numbers) <= size:
        return list(numbers)
    pick = random.Random(f"{SEED} {name}")
    return [numbers[pick.randrange(i * len(numbers) // size, (i + 1) * len(numbers) // size)] for i in range(size)]


def describe(faults: dict[str, str]) -> str:
    """The environment that repeats a run."""
    return " ".join(f"{name}={value}" for name, value in faults.items())


class Campaign(unittest.TestCase):
    """A campaign is a list of tuples, the arguments of problem(); two are under way at a time."""

    runs = 0  # of all campaigns

    @staticmethod
    def problem(*point) -> str:
        """What goes wrong at this point; "" when nothing does."""
        raise NotImplementedError

    def check(self, campaign: list[tuple]) -> None:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            problems = [text for text in pool.map(lambda each: self.problem(*each), campaign) if text]
        shown = "\n".join(problems[:20])
        self.assertFalse(problems, f"{len(problems)} of {len(campaign)} runs, seed {SEED}:\n{shown}")
        Campaign.runs += len(campaign)
        print(f"{len(campaign)} runs ({Campaign.runs} by now), seed {SEED}", file=sys.stderr)
