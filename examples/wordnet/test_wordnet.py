"""Runs wordnet on the real files: loads, answers, answers again from what is stored, and refuses.

    test_wordnet.py --program build/dev/examples/wordnet/wordnet
"""

import argparse
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None
WORDNET = "/usr/share/wordnet"


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True)


class WholeWordNet(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.data = os.path.join(cls.folder.name, "data")
        cls.first = run("--data-dir", cls.data)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def lines_of(self, result):
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return [" ".join(line.split()) for line in result.stdout.splitlines()]

    def test_first_run_loads(self):
        lines = "\n".join(self.lines_of(self.first))
        self.assertRegex(lines, r"(?m)^parsed 117,659 synsets [0-9.]+ s [0-9,]+/s$")
        self.assertRegex(lines, r"(?m)^377,592 pointers ")
        self.assertRegex(lines, r"(?m)^stored 117,659 concepts ")
        self.assertRegex(lines, r"(?m)^364,552 relationships ")

    def test_neighbours_of_a_word(self):
        lines = self.lines_of(self.first)
        found = [l for l in lines if l.startswith('"dog" has 8 meanings, found in ')]
        self.assertEqual(len(found), 1)
        self.assertIn("dog.n.01 dog, domestic dog, Canis familiaris (noun.animal)", lines)
        self.assertIn("hypernym canine.n.02, domestic_animal.n.01", lines)
        self.assertIn("member_holonym canis.n.01, pack.n.06", lines)

    def test_two_hops_from_a_word(self):
        lines = self.lines_of(self.first)
        place = lines.index("dog.n.01 dog, domestic dog, Canis familiaris (noun.animal)")
        hops = next(l for l in lines[place:] if l.startswith("in two hops"))
        self.assertEqual(hops, "in two hops 66 concepts, and 23 in one")

    def test_meanings_are_in_the_order_of_a_dictionary(self):
        lines = [l.split() for l in self.first.stdout.splitlines() if l[:1].isalpha()]
        names = [l[0] for l in lines if l[0].count(".") == 2]
        self.assertEqual(
            names,
            "dog.n.01 frump.n.01 dog.n.03 cad.n.01 frank.n.02 pawl.n.01 andiron.n.01 "
            "chase.v.01".split(),
        )

    def test_most_connected(self):
        lines = self.lines_of(self.first)
        title = "The most connected concepts, 364,552 relationships counted in "
        at = next(i for i, l in enumerate(lines) if l.startswith(title))
        self.assertRegex(lines[at + 2], r"^city\.n\.01 1,347 [0-9,]+ from it, [0-9,]+ to it$")
        self.assertRegex(lines[at + 3], r"^law\.n\.01 1,232 ")
        self.assertRegex(lines[at + 11], r"^herb\.n\.01 720 ")

    def test_pages_follow_each_other(self):
        lines = self.lines_of(self.first)
        at = next(i for i, l in enumerate(lines) if l == 'Names that begin with "dog": 70')
        names = [l.split()[0] for l in lines[at + 1 :] if l]
        self.assertEqual(len(names), 20)
        self.assertEqual(names, sorted(set(names)))

    def test_second_run_only_answers(self):
        before = self.lines_of(self.first)
        again = self.lines_of(run("--data-dir", self.data, "DOMESTIC_DOG"))
        self.assertFalse(any(l.startswith(("parsed", "stored")) for l in again))
        self.assertTrue(again[0].startswith('"DOMESTIC_DOG" has 1 meaning, '))
        self.assertIn("hypernym canine.n.02, domestic_animal.n.01", before)
        self.assertIn("hypernym canine.n.02, domestic_animal.n.01", again)

    def test_a_store_that_lacks_a_row_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            data = shutil.copytree(self.data, os.path.join(folder, "data"))
            with sqlite3.connect(os.path.join(data, "varve.db")) as database:
                database.execute("DELETE FROM concept_relationship WHERE id = 7")
            database.close()
            result = run("--data-dir", data)
        self.assertEqual(result.returncode, 1)
        self.assertIn("holds 117659 concepts and 364551 relationships, not the", result.stderr)

    def test_unknown_word(self):
        result = run("--data-dir", self.data, "dgo")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, 'wordnet: WordNet does not know the word "dgo"\n')


class Refusals(unittest.TestCase):
    def refused(self, *arguments):
        result = run("--data-dir", ":memory:", *arguments)
        self.assertEqual(result.returncode, 1)
        self.assertTrue(result.stderr.startswith("wordnet: "), result.stderr)
        return result.stderr

    def test_wordnet_is_not_there(self):
        self.assertIn("apt-get install wordnet-base", self.refused("--wordnet", "/nowhere"))

    def test_another_wordnet(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("noun", "verb", "adj", "adv"):
                for kind in ("data", "index"):
                    open(os.path.join(folder, f"{kind}.{name}"), "w").close()
            self.assertIn("is not WordNet 3.0: 0 synsets", self.refused("--wordnet", folder))

    def test_cut_off_file_loads_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in os.listdir(WORDNET):
                os.symlink(os.path.join(WORDNET, name), os.path.join(folder, name))
            noun = os.path.join(folder, "data.noun")
            os.remove(noun)
            with open(os.path.join(WORDNET, "data.noun"), "rb") as whole, open(noun, "wb") as part:
                part.write(whole.read(1_000_000))
            data = os.path.join(folder, "data")
            for _ in range(2):  # the second run finds an empty store, and tries again
                result = run("--data-dir", data, "--wordnet", folder)
                self.assertEqual(result.returncode, 1)
                self.assertRegex(result.stderr, r"^wordnet: \S+/data\.noun:\d+: the file ends in")

    def test_bad_options_show_the_usage(self):
        for arguments in (["--data-dir"], ["--nothing"]):
            result = run(*arguments)
            self.assertEqual(result.returncode, 1)
            self.assertTrue(result.stderr.startswith("usage: "))
        self.assertEqual(run("--help").returncode, 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    arguments, rest = parser.parse_known_args()
    PROGRAM = os.path.abspath(arguments.program)
    unittest.main(argv=[sys.argv[0], *rest])
