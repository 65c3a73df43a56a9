"""What golden cases cannot reach: a request whose options cannot be read, which changes of a schema renew the
keys of the cache, and the launcher."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
import zlib
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


class CacheKeysTest(unittest.TestCase):
    """What keys begin with stays while they mean the same, and is another as soon as they do not."""

    def layout(self, text):
        """The .layout.json of a schema, None where there is none."""
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "in.proto").write_text(
                f'syntax = "proto3"; package lab; import "varve/options.proto"; {text}', encoding="utf-8"
            )
            result = subprocess.run(
                [PROTOC, f"--plugin=protoc-gen-varve={PLUGIN}", "--varve_out=.", "-I.", f"-I{ROOT / 'schema'}",
                 "in.proto"], cwd=folder, capture_output=True, text=True, check=False,
            )
            self.assertEqual(result.returncode, 0, result.stderr)
            path = Path(folder) / "lab.layout.json"
            if not path.exists():
                return None
            described = path.read_text(encoding="ascii")
            self.assertRegex(described, r"\A\{\n(.+\n)+\}\n\Z")
            return json.loads(described)

    def message(self, options='key: "a:{x}:{y}"', fields="int32 x = 1; int64 y = 2;", name="A", more=""):
        text = f"message {name} {{ {more} option (varve.cache) = {{ {options} }}; {fields} }}"
        (found,) = self.layout(text)["cache"]["messages"]
        return found

    def test_other_names_and_settings_keep_the_keys(self):
        space = self.message()["space"]
        self.assertEqual(space, f"{zlib.crc32(b'lab.A a:{1 number}:{2 number} ONLY '):08x}")
        same = (
            self.message('key: "a:{first}:{y}"', "int32 first = 1; int64 y = 2;"),
            self.message(fields="int64 y = 2; int32 x = 1; string other = 3;"),
            self.message('key: "a:{x}:{y}" mode: ONLY ttl_seconds: 5 compression: LZ4 compress_above_bytes: 1'),
        )
        self.assertEqual({found["space"] for found in same}, {space})

    def test_another_message_template_tag_mode_or_order_renews_the_keys(self):
        table = "option (varve.table) = {};"
        keyed = "int32 x = 1 [(varve.column).primary_key = true]; int64 y = 2;"
        found = [
            self.message(),
            self.message(name="B"),
            self.message('key: "a:{y}:{x}"'),
            self.message('key: "a:{x}:{y}:c"'),
            self.message('key: "a:{x}"'),
            self.message(fields="int32 x = 3; int64 y = 2;"),
            self.message('key: "a:{x}:{y}" hash_tag: "x"'),
            self.message('key: "a:{x}:{y}" hash_tag: "y"'),
            self.message('key: "a:{x}:{y}" index_by: "y"', "int32 x = 1; int64 y = 2 [(varve.column).time = UNIX_NANOSECONDS];"),
            self.message(fields="bool x = 1; int64 y = 2;"),
            self.message(fields=keyed, more=table),
        ]
        self.assertEqual(len({each["space"] for each in found}), len(found))
        self.assertEqual(found[-1]["mode"], "READ_THROUGH")
        kept = self.message('key: "a:{x}:{y}" mode: ONLY', keyed, more=table)
        self.assertEqual((kept["space"], kept["mode"]), (found[0]["space"], "ONLY"))

    def test_the_layout_is_sorted_and_is_of_cached_messages_alone(self):
        self.assertIsNone(self.layout("message A { int32 x = 1; }"))
        one = 'message %s { option (varve.cache).key = "%s:{x}"; int32 x = 1; }'
        found = self.layout("message None { int32 x = 1; }" + one % ("C", "c") + one % ("B", "b"))
        self.assertEqual((found["package"], found["cache"]["key_format"]), ("lab", 1))
        self.assertEqual([m["message"] for m in found["cache"]["messages"]], ["lab.B", "lab.C"])

    def test_the_order_by_time_is_the_tables_in_read_through(self):
        fields = "int32 x = 1 [(varve.column).primary_key = true]; "
        fields += "int64 y = 2 [(varve.column).time = UNIX_NANOSECONDS];"
        table = "option (varve.table) = {};"
        only = self.message('key: "a:{x}" index_by: "y" mode: ONLY', fields, more=table)
        self.assertEqual(only["index"], {"key": f"lab:{only['space']}%index", "times": f"lab:{only['space']}%index%times"})
        self.assertEqual(only["prefix"], f"lab:{only['space']}:")
        through = self.message('key: "a:{x}" index_by: "y"', fields, more=table)
        self.assertEqual((through["index_by"], through["index"]), ("y", None))


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
