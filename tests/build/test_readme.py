"""What README prints is done, in an empty folder, and must work as printed."""

import os
import re
import subprocess
import tempfile
import textwrap
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
STEPS = README[README.index("## Add a data type") :]


def block(language):
    """The first code block of a language in the steps."""
    return textwrap.dedent(re.search(rf"```{language}\n(.*?)```", STEPS, re.DOTALL)[1])


class ReadmeTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="varve-readme-")
        self.addCleanup(folder.cleanup)
        self.app = Path(folder.name)
        (self.app / "varve").symlink_to(ROOT)
        (self.app / "schema" / "lab").mkdir(parents=True)
        (self.app / "schema" / "lab" / "subject.proto").write_text(block("proto"), encoding="utf-8")
        (self.app / "CMakeLists.txt").write_text(block("cmake"), encoding="utf-8")
        (self.app / "main.c").write_text(block("c"), encoding="utf-8")

    def run_shell(self, command):
        return subprocess.run(
            command, shell=True, cwd=self.app, env={**os.environ}, capture_output=True, text=True, check=False
        )

    def test_the_steps_for_a_data_type_work(self):
        command = re.search(r"`(cmake -G Ninja .*?)`", STEPS, re.DOTALL)[1]
        result = self.run_shell(command)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r"(?m)^\d+ bytes$")

    def test_the_way_without_cmake_works(self):
        command = " ".join(re.search(r"`(mkdir -p out .*?)`", STEPS, re.DOTALL)[1].split())
        result = self.run_shell(command)
        self.assertEqual(result.returncode, 0, result.stderr)
        result = self.run_shell("cc -fsyntax-only -Iout -Ivarve/runtime/include main.c out/lab/*.varve.c")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_errors_are_said_as_printed(self):
        proto = self.app / "schema" / "lab" / "subject.proto"
        text = block("proto").replace("double weight = 3", "int32 register = 3")
        proto.write_text(text, encoding="utf-8")
        result = self.run_shell(
            "protoc --plugin=protoc-gen-varve=varve/codegen/protoc-gen-varve --varve_out=. -Ischema "
            "-Ivarve/schema lab/subject.proto"
        )
        printed = re.search(r"error: (\"register\" is .*?_value\"\)\])".replace(r"\)\]", r"\]"), README, re.DOTALL)[1]
        self.assertIn(" ".join(printed.split()), " ".join(result.stderr.split()))


if __name__ == "__main__":
    unittest.main()
