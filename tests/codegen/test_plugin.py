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


class LayoutTest(unittest.TestCase):
    """What .layout.json says to programs in other languages."""

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


class CacheKeysTest(LayoutTest):
    """What keys begin with stays while they mean the same, and is another as soon as they do not."""

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


class ArchiveLayoutTest(LayoutTest):
    """Where segments have the tensors of a message, and how."""

    def message(self, fields, options=""):
        option = f"option (varve.archive) = {{ {options} }};" if options else ""
        key = "int64 id = 1 [(varve.column).primary_key = true]; uint32 n = 2;"
        (found,) = self.layout(f"message A {{ option (varve.table) = {{}}; {option} {key} {fields} }}")["archive"]["messages"]
        return found

    def tensor(self, field, options=""):
        (found,) = self.message(field, options)["tensors"]
        return found

    def test_defaults_are_said_and_what_is_chosen_later_is_null(self):
        found = self.message('repeated float a = 3 [(varve.tensor).dim = "4"];')
        del found["tensors"]
        self.assertEqual(found, {
            "message": "lab.A", "table": "a", "layout": "COLUMN", "compression": "DEFLATE", "level": 1, "shuffle": True,
            "checksum": True, "chunk_bytes": None, "segment_bytes": None, "retention": None,
        })

    def test_options_are_said(self):
        fields = 'int64 at = 4 [(varve.column).time = UNIX_NANOSECONDS]; repeated float a = 3 [(varve.tensor).dim = "4"];'
        found = self.message(fields, 'compression: ZSTD shuffle: false checksum: false chunk_bytes: 8192 layout: OBJECT '
                                     'segment_bytes: 65536 retention_days: 7 retention_by: "at"')
        del found["tensors"]
        self.assertEqual(found, {
            "message": "lab.A", "table": "a", "layout": "OBJECT", "compression": "ZSTD", "level": 3, "shuffle": False,
            "checksum": False, "chunk_bytes": 8192, "segment_bytes": 65536, "retention": {"days": 7, "by": "at"},
        })
        for compression in ("SZIP", "NONE", "LZF"):
            found = self.message(fields, f"compression: {compression}")
            self.assertEqual((found["level"], found["shuffle"]), (None, compression == "LZF"))

    def test_a_tensor_of_one_shape_is_one_dataset(self):
        field = 'repeated double a = 3 [(varve.tensor) = { dim: "4" dim: "5" }, (varve.column).unit = "mV"];'
        self.assertEqual(self.tensor(field), {
            "field": 3, "name": "a", "dtype": "float64", "dims": [4, 5], "unit": "mV", "optional": False,
            "datasets": {"data": "a", "index": None, "shape": None},
        })

    def test_a_ragged_tensor_has_an_index_and_with_several_axes_shapes(self):
        ragged = {"data": "a", "index": "a_index", "shape": None}
        shaped = {**ragged, "shape": "a_shape"}
        for field, datasets in (
            ('repeated float a = 3 [(varve.tensor).dim = "n"];', ragged),
            ('repeated float a = 3 [(varve.tensor) = { dim: "2" dim: "2" dim: "2" dim: "2" }];', shaped),
            ('repeated float a = 3 [(varve.tensor) = { dim: "4" optional: true }];', ragged),
            ('optional bytes a = 3 [(varve.tensor) = { dim: "4" dim: "2" dtype: INT8 }];', shaped),
            ('repeated float a = 3 [(varve.tensor) = { dim: "4" dim: "n" }];', shaped),
        ):
            self.assertEqual(self.tensor(field)["datasets"], datasets, field)
            each = {"data": "{id}/a", "index": None, "shape": None}
            self.assertEqual(self.tensor(field, "layout: OBJECT")["datasets"], each, field)
        self.assertEqual(self.tensor('repeated float a = 3 [(varve.tensor) = { dim: "4" dim: "n" }];')["dims"], [4, "n"])

    def test_elements_have_the_names_of_numpy(self):
        for dtype in ("INT8", "UINT8", "INT16", "UINT16", "FLOAT16"):
            field = f'bytes a = 3 [(varve.tensor) = {{ dim: "n" dtype: {dtype} }}];'
            self.assertEqual(self.tensor(field)["dtype"], dtype.lower())
        for kind, dtype in (("float", "float32"), ("sint32", "int32"), ("fixed64", "uint64"), ("sfixed64", "int64")):
            self.assertEqual(self.tensor(f'repeated {kind} a = 3 [(varve.tensor).dim = "n"];')["dtype"], dtype)

    def test_the_archive_has_what_tables_keep_alone(self):
        cached = 'message C { option (varve.cache).key = "c:{x}"; int32 x = 1; repeated float a = 2 [(varve.tensor).dim = "4"]; }'
        self.assertNotIn("archive", self.layout(cached))
        plain = "message P { option (varve.table) = {}; int64 id = 1 [(varve.column).primary_key = true]; }"
        self.assertIsNone(self.layout(plain))
        kept = plain.replace("P", "T").replace("true]; }", 'true]; repeated float a = 2 [(varve.tensor).dim = "4"]; }')
        found = self.layout(plain + kept + kept.replace("T", "B") + cached)
        self.assertEqual(found["archive"]["format"], 1)
        self.assertEqual([m["message"] for m in found["archive"]["messages"]], ["lab.B", "lab.T"])
        self.assertEqual([m["message"] for m in found["cache"]["messages"]], ["lab.C"])


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
