"""A random walk through schemas: edit after edit, each made a migration by diff.py and steps.py, and all of
them proven by verify.py, from every ancestor to the last version.

    walk.py [--edits 200] [--seed N ...] [--rows 3] [--sample 12] [--every-ancestor] [--window 200]
            [--keep FOLDER]

The rows of every version come to the last one: in one database that goes through all of them, and gets new
rows at each (chain.py); in walks longer than --window versions, to the end of their window. Beside it a
sample of the versions, or --every-ancestor, is filled and migrated to the last one in one transaction, as a
program of that version would find it (verify.py).

The seeds are printed; a walk with the same seed is the same one, and "date" is the day's, so that each day
walks elsewhere. --keep writes the migrations into a folder, to look at. Exit code 1: a value was lost, or a
migration failed; the seed is said again. The long run is walk.py --edits 10000 --sample 8.
"""

import argparse
import datetime
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "codegen"))

import chain  # noqa: E402
import draft as drafts  # noqa: E402
import edits  # noqa: E402
import rules  # noqa: E402
from varve_migrate import diff, folder, steps, verify  # noqa: E402
from varve_codegen import state as states  # noqa: E402


class Walk:
    def __init__(self, seed, count, path):
        self.seed = seed
        self.path = Path(path)
        self.kinds = Counter()
        self.refused = 0
        self._random = random.Random(seed)
        self._state = states.empty("lab")
        self._texts = []
        self._step(drafts.Draft(drafts.first_state(self._random)))
        while len(self._texts) <= count:
            self._edit()

    def _edit(self):
        """One edit, now and then several in one migration."""
        draft = drafts.Draft(self._state)
        names = []
        for _ in range(self._random.choice((1, 1, 1, 1, 2, 4))):
            edit = self._random.choice(edits.LESS if self._is_large() else edits.EDITS)
            if edit(self._random, draft):
                names.append(edit.__name__)
        if not names or rules.problems(draft.state()) or not self._step(draft):
            self.refused += 1
            return
        self.kinds.update(names)

    def _is_large(self):
        """Whether it is time for something to go, every other time."""
        return sum(len(m.fields) for m in self._state.messages.values()) > 50 and self._random.random() < 0.5

    def _step(self, draft):
        result = diff.compare(self._state, draft.state(), frozenset(draft.drops))
        if result.errors or not result.changes:
            return False
        number = len(self._texts) + 1
        sql = steps.sql(self._state, result.state, result.changes)
        text = folder.text_of(f"{number:04d}_step", "lab", result.reads_ok, result.writes_ok, self._state, result.state,
                              sql)
        (self.path / f"{number:04d}_step.sql").write_text(text, encoding="utf-8")
        self._texts.append(text)
        self._state = result.state
        return True

    def history(self):
        """(state, migration) of every version, the states out of the files' lock lines alone."""
        found = folder.read(self.path, may_lack_lock=True)
        return list(zip(found.states(), found.migrations))


def sampled(count, wanted):
    if not wanted or wanted >= count:
        return None
    return {1, count - 1, count} | {1 + i * (count - 1) // max(wanted - 1, 1) for i in range(wanted)}


def run(seed, arguments, path):
    start = time.monotonic()
    print(f"seed {seed}: ", end="", flush=True)
    walk = Walk(seed, arguments.edits, path)
    history = walk.history()
    made = time.monotonic() - start
    print(f"{len(history)} versions by {sum(walk.kinds.values())} edits of {len(walk.kinds)} kinds "
          f"({walk.refused} refused), "
          f"made in {made:.1f} s")
    if arguments.verbose:
        print(*sorted(walk.kinds.items(), key=lambda entry: -entry[1]), sep="\n  ")
    fine = shown("all of them one after the other", arguments,
                 lambda: chain.verify_chain(history, seed, 1, arguments.window))
    versions = None if arguments.every_ancestor else sampled(len(history), arguments.sample)
    fine = shown("each at once to the last", arguments, lambda: verify.verify(
        history, (seed,), arguments.rows, 0, versions)) and fine
    if not fine:
        print(f"  seed {seed}; again: walk.py --edits {arguments.edits} --seed {seed} --rows {arguments.rows} "
              "--keep FOLDER")
    return fine


def shown(how, arguments, prove):
    """Whether the proof holds; prints its figures."""
    start = time.monotonic()
    report = prove()
    print(f"  {how}: {report.versions} versions, {report.rows} rows, {report.values} values, {report.children} "
          f"counts of children and {report.copies} JSON copies compared, {len(report.notes)} tables not filled, "
          f"{len(report.failures)} failures; {time.monotonic() - start:.1f} s", flush=True)
    for failure in report.failures[:10]:
        print(f"    {failure}")
    if arguments.verbose:
        print(*(f"    {note}" for note in report.notes[:20]), sep="\n")
    return not report.failures and report.values > 0


def main():
    parser = argparse.ArgumentParser(description="A random walk through schemas.")
    parser.add_argument("--edits", type=int, default=200)
    parser.add_argument("--seed", nargs="+", default=["date"])
    parser.add_argument("--rows", type=int, default=3)
    parser.add_argument("--sample", type=int, default=12)
    parser.add_argument("--every-ancestor", action="store_true")
    parser.add_argument("--window", type=int, default=200)
    parser.add_argument("--keep")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    fine = True
    for seed in arguments.seed:
        seed = int(datetime.date.today().strftime("%Y%m%d")) if seed == "date" else int(seed)
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(arguments.keep or temporary)
            path.mkdir(parents=True, exist_ok=True)
            fine = run(seed, arguments, path) and fine
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
