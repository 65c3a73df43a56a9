"""What golden cases cannot reach: a request whose options cannot be read, and the launcher."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "codegen"))
PLUGIN = ROOT / "codegen" / "protoc-gen-varve"
PROTOC = os.environ.get("VARVE_PROTOC", "protoc")

from google.protobuf import descriptor_pb2, descriptor_pool  # noqa: E402

from varve_codegen import read  # noqa: E402
from varve_codegen.errors import InputError  # noqa: E402


def launch(data, **environment):
    return subprocess.run(
        [PLUGIN], input=data, env={**os.environ, **environment}, capture_output=True, check=False
    )


class OptionsTest(unittest.TestCase):
    """Options that are lost without a word would make tables without keys."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def generate(self, options):
        (self.folder / "varve").mkdir()
        (self.folder / "varve" / "options.proto").write_text(options, encoding="utf-8")
        (self.folder / "in.proto").write_text(
            'syntax = "proto3"; package lab; import "varve/options.proto"; message A { int32 b = 1; }',
            encoding="utf-8",
        )
        return subprocess.run(
            [PROTOC, f"--plugin=protoc-gen-varve={PLUGIN}", "--varve_out=.", "-I.", "in.proto"],
            cwd=self.folder, capture_output=True, text=True, check=False,
        )

    def test_an_options_file_of_another_varve_is_refused(self):
        text = (ROOT / "schema" / "varve" / "options.proto").read_text(encoding="utf-8")
        result = self.generate(text.replace("TensorOptions tensor = 52702;", ""))
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("the option (varve.tensor) is not defined in it", result.stderr)
        self.assertFalse((self.folder / "in.varve.h").exists())

    def test_an_options_file_without_a_member_is_refused(self):
        text = (ROOT / "schema" / "varve" / "options.proto").read_text(encoding="utf-8")
        result = self.generate(text.replace("bool version = 12;", ""))
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("(varve.column) has no member version", result.stderr)

    def test_a_protobuf_that_does_not_read_options_is_noticed(self):
        """Option messages of a pool that does not know the extensions stand for such a protobuf."""
        described = self.folder / "all.pb"
        subprocess.run(
            [PROTOC, "--include_imports", f"--descriptor_set_out={described}", "varve/options.proto"],
            cwd=ROOT / "schema", check=True,
        )
        files = descriptor_pb2.FileDescriptorSet.FromString(described.read_bytes()).file
        reader = read.OptionReader(files)  # reads them: no error
        with self.assertRaises(InputError) as raised:
            reader._check_itself(descriptor_pool.Default())
        self.assertIn("does not read custom options", str(raised.exception))


class LauncherTest(unittest.TestCase):
    def test_an_interpreter_without_modules_is_explained(self):
        with tempfile.TemporaryDirectory() as folder:
            python = Path(folder) / "python3"
            python.write_text("#!/bin/sh\nexit 97\n", encoding="utf-8")
            python.chmod(0o755)
            result = launch(b"", VARVE_PYTHON=str(python))
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"apt-get install python3-protobuf python3-jinja2", result.stderr)

    def test_what_is_no_request_is_refused(self):
        result = launch(b"\xff\xff\xff")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout, b"")
        self.assertIn(b"protoc runs this plugin", result.stderr)

    def test_works_through_a_link_and_from_another_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            link = Path(folder) / "protoc-gen-varve"
            link.symlink_to(PLUGIN)
            (Path(folder) / "a.proto").write_text('syntax = "proto3"; package a; message A {}')
            result = subprocess.run(
                [PROTOC, f"--plugin={link}", "--varve_out=.", "a.proto"],
                cwd=folder, capture_output=True, text=True, check=False,
            )
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertTrue((Path(folder) / "a.varve.h").exists())

    def test_unknown_parameters_are_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "a.proto").write_text('syntax = "proto3"; package a; message A {}')
            for option, words in (("emitt=file", "unknown parameter emitt"), ("emit=some", "emit=some")):
                result = subprocess.run(
                    [PROTOC, f"--plugin=protoc-gen-varve={PLUGIN}", "--varve_out=.",
                     f"--varve_opt={option}", "a.proto"],
                    cwd=folder, capture_output=True, text=True, check=False,
                )
                self.assertNotEqual(result.returncode, 0)
                self.assertIn(words, result.stderr)


if __name__ == "__main__":
    unittest.main()
