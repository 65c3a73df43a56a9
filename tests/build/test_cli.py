"""The command varve, as the source tree has it: check, init, and what they refuse. That what init makes
builds and runs is in test_install.py."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VARVE = ROOT / "codegen" / "varve"

GOOD = """
syntax = "proto3";
package lab;
import "varve/options.proto";
message Subject {
  option (varve.table) = {};
  int64 id = 1 [(varve.column).primary_key = true];
  string name = 2;
}
"""
# Refers to a file of its own package, by the name that a build gives it.
IMPORTER = """
syntax = "proto3";
package lab;
import "lab/subject.proto";
import "varve/options.proto";
message Session {
  option (varve.table) = {};
  int64 id = 1 [(varve.column).primary_key = true];
  int64 subject_id = 2 [(varve.column).references = "Subject.id"];
}
"""


class CommandTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="varve: cli = ")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_varve(self, *arguments, folder=".", **environment):
        return subprocess.run(
            [VARVE, *arguments], cwd=self.folder / folder, env={**os.environ, **environment},
            capture_output=True, text=True, check=False,
        )

    def write(self, path, text):
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.lstrip("\n"), encoding="utf-8")

    def files(self):
        return sorted(str(p.relative_to(self.folder)) for p in self.folder.rglob("*"))

    def assert_fails(self, result, words, status=2):
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        self.assertIn(words, " ".join(result.stderr.split()))
        self.assertNotIn("Traceback", result.stderr)


class EntryTest(CommandTest):
    def test_help_and_version(self):
        for option in ("--help", "-h"):
            result = self.run_varve(option)
            self.assertEqual(result.returncode, 0, result.stderr)
            for command in ("varve init NAME", "varve check", "varve migrate"):
                self.assertIn(command, result.stdout)
        header = (ROOT / "runtime/include/varve/version.h").read_text(encoding="utf-8")
        version = self.run_varve("--version").stdout.removeprefix("varve ").strip()
        self.assertIn(f'#define VARVE_VERSION "{version}"', header)
        self.assertIn(f"project(varve VERSION {version} ", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))

    def test_unknown_commands_are_refused(self):
        self.assert_fails(self.run_varve("compost"), 'there is no command "compost"; the commands are')
        self.assert_fails(self.run_varve("--compost"), 'there is no option "--compost"')
        self.assert_fails(self.run_varve(), "varve init NAME")

    def test_an_interpreter_without_modules_is_explained(self):
        self.assert_fails(self.run_varve("--version", VARVE_PYTHON="/bin/false-not-there"), "python3-protobuf")

    def test_works_through_a_link(self):
        (self.folder / "other").symlink_to(VARVE)
        result = subprocess.run([self.folder / "other", "--version"], capture_output=True, text=True, check=False)
        self.assertTrue(result.stdout.startswith("varve "), result.stderr)


class CheckTest(CommandTest):
    def assert_fine(self, result, count):
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout, f"{count} file{'s' if count > 1 else ''}, no findings\n")
        self.assertEqual(result.stderr, "")

    def test_good_schema_is_fine_and_nothing_is_written(self):
        self.write("subject.proto", GOOD)
        self.assert_fine(self.run_varve("check", "subject.proto"), 1)
        self.assertEqual(self.files(), ["subject.proto"])

    def test_findings_name_the_file_as_it_was_given(self):
        self.write("deep/er/subject.proto", GOOD.replace("string name = 2", "int32 register = 2"))
        result = self.run_varve("check", "./deep/../deep/er/subject.proto")
        self.assert_fails(result, './deep/../deep/er/subject.proto:7:9: error: "register" is a keyword', status=1)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertEqual(self.files(), ["deep", "deep/er", "deep/er/subject.proto"])

    def test_syntax_errors_are_findings(self):
        self.write("subject.proto", GOOD.replace("string name = 2", "string name ="))
        self.assert_fails(self.run_varve("check", "subject.proto"), "subject.proto:7:", status=1)

    def test_imports_are_found_from_everywhere(self):
        self.write("schema/lab/subject.proto", GOOD)
        self.write("schema/lab/session.proto", IMPORTER)
        both = ("subject.proto", "session.proto")
        absolute = [str(self.folder / "schema/lab" / name) for name in both]
        for folder, arguments in (
            (".", [f"schema/lab/{name}" for name in both]),
            ("schema", [f"lab/{name}" for name in both]),
            ("schema/lab", ["-I", "..", *both]),
            ("schema/lab", [*both, "-I", ".."]),
            ("/", ["-I", str(self.folder / "schema"), *absolute]),
            ("/", [*absolute[::-1], "-I", str(self.folder / "schema"), absolute[0]]),
        ):
            with self.subTest(folder=folder, arguments=arguments):
                self.assert_fine(self.run_varve("check", *arguments, folder=folder), 2)

    def test_an_import_beside_the_file_is_found(self):
        self.write("some where/subject.proto", GOOD)
        self.write("some where/session.proto", IMPORTER.replace("lab/subject", "subject"))
        self.assert_fine(self.run_varve("check", "some where/session.proto"), 1)
        self.assert_fine(self.run_varve("check", "some where/session.proto", "some where/subject.proto"), 2)

    def test_a_missing_import_says_where_it_was_looked_for(self):
        self.write("session.proto", IMPORTER)
        result = self.run_varve("check", "session.proto")
        self.assert_fails(result, "imports were looked for in", status=1)
        self.assertIn("-I adds a folder", result.stderr)

    def test_bad_calls(self):
        self.write("subject.proto", GOOD)
        for arguments, words in (
            ((), "PROTO"),
            (("none.proto",), "none.proto is not there"),
            (("-I", "none", "subject.proto"), "-I none: there is no such folder"),
            (("--loud", "subject.proto"), "--loud"),
        ):
            with self.subTest(arguments=arguments):
                self.assert_fails(self.run_varve("check", *arguments), words)

    def test_an_old_protoc_is_explained(self):
        self.write("subject.proto", GOOD)
        result = self.run_varve("check", "subject.proto", VARVE_PROTOC="/bin/false")
        self.assert_fails(result, "apt-get install protobuf-compiler")


class InitTest(CommandTest):
    def test_makes_a_project_whose_schema_is_fine(self):
        result = self.run_varve("init", "maze_runner2")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("cd maze_runner2\n", result.stdout)
        self.assertEqual(os.listdir(self.folder), ["maze_runner2"])
        files = {str(p.relative_to(self.folder / "maze_runner2")) for p in self.folder.rglob("*") if p.is_file()}
        self.assertEqual(
            files, {".gitignore", "CMakeLists.txt", "README.md", "main.c", "schema/maze_runner2/note.proto"}
        )
        for path in self.folder.rglob("*"):
            if path.is_file():
                self.assertNotIn("skeleton", path.read_text(encoding="utf-8").lower(), path)
        result = self.run_varve("check", "schema/maze_runner2/note.proto", folder="maze_runner2")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_an_empty_folder_is_filled(self):
        (self.folder / "lab").mkdir()
        self.assertEqual(self.run_varve("init", "lab").returncode, 0)
        self.assertTrue((self.folder / "lab/main.c").is_file())

    def test_names_that_are_none_are_refused(self):
        for name in ("", "Lab", "1lab", "lab-1", "lab__a", "lab_", "../lab", "lab/a", "é", "varve", "test", "a" * 61):
            with self.subTest(name=name):
                self.assert_fails(self.run_varve("init", name), f'"{name}"')
        self.assert_fails(self.run_varve("init"), "NAME")
        self.assert_fails(self.run_varve("init", "a", "b"), "b")
        self.assertEqual(self.files(), [])

    def test_what_is_there_is_left_alone(self):
        self.write("full/file", "mine")
        self.write("plain", "mine")
        (self.folder / "dangling").symlink_to("nowhere")
        before = self.files()
        for name in ("full", "plain", "dangling"):
            with self.subTest(name=name):
                self.assert_fails(self.run_varve("init", name), f"{name} is there already")
        self.assertEqual(self.files(), before)

    def test_a_failure_leaves_nothing(self):
        """A file-size limit of nothing stands for a full disk."""
        command = ["sh", "-c", f'trap "" XFSZ; ulimit -f 0; PYTHONDONTWRITEBYTECODE=1 "{VARVE}" init lab']
        result = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        self.assert_fails(result, "lab could not be made: File too large; nothing was left behind")
        self.assertEqual(self.files(), [])


if __name__ == "__main__":
    unittest.main()
