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


def blocks(language):
    """The code blocks of a language in the steps."""
    return [textwrap.dedent(text) for text in re.findall(rf"```{language}\n(.*?)```", STEPS, re.DOTALL)]


def quoted(start):
    """The command in backquotes that begins so."""
    return " ".join(re.search(rf"`({re.escape(start)}.*?)`", STEPS, re.DOTALL)[1].split())


class ReadmeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="varve-readme-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        (cls.folder / "varve").symlink_to(ROOT)
        install, first_run, *cls.migration_steps = blocks("sh")
        cls.install, cls.first_run = [cls.run_shell("set -e\n" + text) for text in (install, first_run)]
        cls.project = cls.folder / "notes"

    @classmethod
    def run_shell(cls, command, folder=None):
        return subprocess.run(
            command, shell=True, cwd=folder or cls.folder, env={**os.environ}, capture_output=True, text=True,
            check=False,
        )

    def assert_worked(self, result):
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_the_steps_for_a_data_type_work(self):
        self.assert_worked(self.install)
        self.assert_worked(self.first_run)
        self.assertIn("note 1:", self.first_run.stdout)
        proto = self.project / "schema" / "notes" / "note.proto"
        proto.write_text(proto.read_text(encoding="utf-8") + "\n" + blocks("proto")[0], encoding="utf-8")
        self.use_the_new_message()
        result = self.run_shell(quoted("cmake --build build && build/notes"), self.project)
        self.assert_worked(result)
        self.assertIn("subject 1\n", result.stdout)
        result = self.run_shell(quoted("build/notesctl status"), self.project)
        self.assert_worked(result)
        self.assertRegex(result.stdout, r"notes\.Subject +1\b")
        self.change_the_schema(proto)
        self.say_an_error_as_printed(proto)

    def change_the_schema(self, proto):
        """The steps of the first migrations: the first subject keeps its place, and the notes their author."""
        new, take_over, rename = ["set -e\n" + text for text in self.migration_steps]
        self.assert_worked(self.run_shell(new, self.project))
        lists = self.project / "CMakeLists.txt"
        text, count = re.subn(r"(?m)^varve_generate\(.*\n", blocks("cmake")[0], lists.read_text(encoding="utf-8"))
        self.assertEqual(count, 1)
        lists.write_text(text, encoding="utf-8")
        self.assert_worked(self.run_shell(take_over, self.project))
        text = proto.read_text(encoding="utf-8")
        self.assertIn("string author = 5", text)
        proto.write_text(text.replace("string author = 5", "string writer = 5"), encoding="utf-8")
        failed = self.run_shell("cmake --build build", self.project)
        self.assertNotEqual(failed.returncode, 0)
        self.assertIn("varve migrate new NAME", failed.stdout + failed.stderr)
        result = self.run_shell(rename, self.project)
        self.assert_worked(result)
        self.assertIn("subject 1\n", result.stdout)
        self.assertTrue(list((self.project / "fresh-data" / "backup").glob("before-0002_writer-*.db")))

    def use_the_new_message(self):
        main = self.project / "main.c"
        text = main.read_text(encoding="utf-8")
        start = text.index("{\n", text.index("\nwork(struct varve_session"))
        main.write_text(text[: start + 2] + blocks("c")[0] + text[start + 2 :], encoding="utf-8")

    def say_an_error_as_printed(self, proto):
        text = proto.read_text(encoding="utf-8").replace("double weight = 3", "int32 register = 3")
        proto.write_text(text, encoding="utf-8")
        result = self.run_shell("../prefix/bin/varve check schema/notes/note.proto", self.project)
        printed = re.search(r"(error: \"register\" is .*?_value\"\)?\])", STEPS, re.DOTALL)[1]
        self.assertEqual(result.returncode, 1)
        self.assertIn(" ".join(printed.split()), " ".join(result.stderr.split()))

    def test_the_way_without_cmake_works(self):
        self.assert_worked(self.install)
        (self.folder / "x.proto").write_text(
            'syntax = "proto3";\npackage x;\nimport "varve/options.proto";\n' + blocks("proto")[0], encoding="utf-8"
        )
        self.assert_worked(self.run_shell(quoted("protoc --plugin=")))
        result = self.run_shell(
            f"PKG_CONFIG_PATH=$(dirname $(find prefix -name varve.pc)) && export PKG_CONFIG_PATH && "
            f"cc -fsyntax-only -I. $({quoted('pkg-config --cflags')}) x.varve.c"
        )
        self.assert_worked(result)

    def test_the_example_compiles(self):
        """The C at the top, against the committed bindings."""
        text = re.search(r"```c\n(.*?)```", README, re.DOTALL)[1].replace("VARVE_ROW) ...", "VARVE_ROW) continue")
        source = self.folder / "example.c"
        source.write_text(
            '#include "cortex/cortex.varve.h"\nenum varve_status f(struct varve_session *session);\n'
            "enum varve_status f(struct varve_session *session)\n{\n    enum varve_status status;\n"
            "    struct cortex_concept *found;\n    struct varve_cursor *cursor;\n    const struct cortex_concept *row;\n"
            + text.replace("VARVE_ROW) continue", "VARVE_ROW) continue;") + "    return status;\n}\n",
            encoding="utf-8",
        )
        includes = f"-I{ROOT}/generated -I{ROOT}/runtime/include"
        self.assert_worked(self.run_shell(f"cc -std=c11 -Wall -Werror -fsyntax-only {includes} {source}"))


if __name__ == "__main__":
    unittest.main()
