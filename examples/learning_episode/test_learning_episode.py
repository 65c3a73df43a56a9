"""Runs learning_episode: it learns, goes on where it stopped, draws, and says when the store has other data.

    test_learning_episode.py --program build/dev/examples/learning_episode/learning_episode
"""

import argparse
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml

PROGRAM = None
EPISODES = 12
CIRCLE = "{http://www.w3.org/2000/svg}circle"
EPISODE = re.compile(r"^episode +(\d+)  (uniform|curriculum) +(\d+) of 40 right .* (\d+) spikes", re.M)


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True)


class Life(unittest.TestCase):
    """Twelve episodes in one run, and the same in two."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.whole, cls.parted = (os.path.join(cls.folder.name, n) for n in ("whole", "parted"))
        cls.svg = os.path.join(cls.folder.name, "parted.svg")
        cls.one = run("--data-dir", cls.whole)
        cls.first = run("--data-dir", cls.parted, "--episodes", "5")
        cls.second = run("--data-dir", cls.parted, "--episodes", "7", "--svg", cls.svg)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def episodes_of(self, result):
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return EPISODE.findall(result.stdout)

    def test_it_learns(self):
        right = [int(row[2]) for row in self.episodes_of(self.one)]
        self.assertEqual(len(right), EPISODES)
        third = EPISODES // 3
        self.assertGreater(sum(right[-third:]), sum(right[:third]) + third * 40 * 0.2)
        self.assertLess(right[0], 24)  # it begins nearer to chance, 10, than to knowing

    def test_a_second_run_goes_on_as_if_there_was_no_stop(self):
        self.assertIn("wakes up after 5 episodes", self.second.stdout)
        self.assertIn("attention made again from archived spikes", self.second.stdout)
        self.assertEqual(
            self.episodes_of(self.one), self.episodes_of(self.first) + self.episodes_of(self.second)
        )

    def test_all_is_read_back_as_simulated(self):
        spikes = sum(int(row[3]) for row in self.episodes_of(self.one))
        self.assertIn(
            f"all as simulated: 12 episodes, 12 learning events (6 by curriculum), {spikes} spikes, "
            "12 snapshots, 24 traces",
            self.one.stdout,
        )

    def test_queries_tell_of_strategies_and_scores(self):
        scores = [int(row[2]) / 40 for row in self.episodes_of(self.one)]
        mean = sum(scores) / len(scores)
        self.assertIn(
            f"four-patterns/300: 12 episodes, scores {min(scores):.3f} to {max(scores):.3f}, {mean:.3f} on average",
            self.one.stdout,
        )
        self.assertRegex(self.one.stdout, r"(?m)^strategy     \w+: the score rose [1-6] times, by 0\.[0-9]{3} on")

    def test_tensors_are_in_the_archive(self):
        for record in ("NetworkSnapshot", "SpikeTrain", "HomeostaticTrace", "LayerOutput"):
            self.assertTrue(os.listdir(os.path.join(self.whole, "archive", "cortex." + record)))

    def test_figures_are_xml_and_show_every_episode(self):
        for path in (os.path.join(self.whole, "learning_episode.svg"), self.svg):
            root = xml.parse(path).getroot()
            self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
            self.assertEqual(len(root.findall(CIRCLE)), EPISODES)

    def test_figure_of_two_runs_is_that_of_one(self):
        with open(self.svg) as parted, open(self.whole + "/learning_episode.svg") as whole:
            self.assertEqual(parted.read(), whole.read())


class Differences(unittest.TestCase):
    """A trigger behind the program's back changes what it stores."""

    def differs(self, trigger):
        with tempfile.TemporaryDirectory() as folder:
            data = os.path.join(folder, "data")
            self.assertEqual(run("--data-dir", data, "--episodes", "1").returncode, 0)
            with sqlite3.connect(os.path.join(data, "varve.db")) as database:
                database.execute(trigger)
            database.close()
            result = run("--data-dir", data, "--episodes", "2")
        self.assertEqual(result.returncode, 1)
        return result.stderr

    def test_another_score_is_said(self):
        text = self.differs(
            "CREATE TRIGGER liar AFTER INSERT ON episode BEGIN "
            "UPDATE episode SET performance_score = 0.123 WHERE id = new.id; END"
        )
        self.assertIn("score or trials of episode 3 are not what was simulated", text)

    def test_a_learning_event_of_another_strategy_is_said(self):
        text = self.differs(
            "CREATE TRIGGER liar AFTER INSERT ON learning_event BEGIN "
            "UPDATE learning_event SET strategy_used = 'luck' WHERE id = new.id; END"
        )
        self.assertIn("the learning events of episode 3 are not what was simulated", text)


class Refusals(unittest.TestCase):
    def test_usage_errors_are_a_sentence(self):
        for arguments, sentence in (
            (["--episodes", "0"], 'is "0"; give a whole number from 1 to 200'),
            (["--episodes", "201"], 'is "201"; give a whole number'),
            (["--episodes", "many"], 'is "many"; give a whole number'),
            (["--svg"], 'no value follows "--svg"'),
            (["--data-dir", ""], 'no value follows "--data-dir"'),
            (["--nothing"], 'there is no option "--nothing"'),
            (["--data-dir", ":memory:"], "name a folder"),
        ):
            result = run(*arguments)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertTrue(result.stderr.startswith("learning_episode: "), result.stderr)
            self.assertIn(sentence, result.stderr)
        self.assertEqual(run("--help").returncode, 0)

    def test_a_figure_that_cannot_be_written(self):
        with tempfile.TemporaryDirectory() as folder:
            data = os.path.join(folder, "data")
            result = run("--data-dir", data, "--episodes", "1", "--svg", folder + "/none/x.svg")
        self.assertEqual(result.returncode, 1)
        self.assertIn("/none/x.svg: No such file or directory; name another file", result.stderr)

    def test_a_network_whose_last_snapshot_is_gone(self):
        with tempfile.TemporaryDirectory() as folder:
            data = os.path.join(folder, "data")
            self.assertEqual(run("--data-dir", data, "--episodes", "1").returncode, 0)
            with sqlite3.connect(os.path.join(data, "varve.db")) as database:
                database.execute("UPDATE network_snapshot SET episode_id = NULL")
            database.close()
            result = run("--data-dir", data, "--episodes", "1")
        self.assertEqual(result.returncode, 1)
        self.assertIn("no snapshot of its last episode is in", result.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    arguments, rest = parser.parse_known_args()
    PROGRAM = os.path.abspath(arguments.program)
    unittest.main(argv=[sys.argv[0], *rest])
