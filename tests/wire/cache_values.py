#!/usr/bin/env python3
"""Values of the cache are what Python reads and writes with the same .proto and its own compressors.

    cache_values.py --peer build/dev/tests/wire/cache_peer [--protoc PROTOC]

A value is a byte that names the codec, and the packed message: as it is (0), a zstd frame (1), its size and
an LZ4 block (2), its size and a zlib stream (3).
"""

import argparse
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib
from pathlib import Path

import lz4.block
import zstandard
from google.protobuf import descriptor_pb2

from schemas import ROOT, Schema

UNITS = [0, 1, 30, 2000, 5000]
NONE, ZSTD, LZ4, DEFLATE = range(4)


def compile_pattern(protoc):
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set"
        subprocess.run([protoc, "--include_imports", f"--descriptor_set_out={out}", f"-I{ROOT / 'schema'}",
                        "cortex/working_memory_pattern.proto"], check=True)
        schema = Schema(descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()))
        return schema.cls(schema.message("cortex.WorkingMemoryPattern"))


def make_pattern(number):
    """As make_pattern() in cache_peer.c."""
    return Pattern(
        pattern_hash=f"pattern-{number}",
        stored_at=1700000000000000000 + number,
        unit_count=UNITS[number],
        activations=[0.25 * i - 1 if i % 16 == 0 else 0 for i in range(UNITS[number])],
        salience=0.125 * number,
        context_hash="context:ä",
        rehearsal_count=7 * number,
    )


def decode(value):
    codec, content = value[0], value[1:]
    if codec == NONE:
        return content
    if codec == ZSTD:
        return zstandard.ZstdDecompressor().decompress(content)
    if codec == LZ4:
        return lz4.block.decompress(content)  # it takes the size before the block
    size = struct.unpack_from("<I", content)[0]
    plain = zlib.decompress(content[4:])
    if codec != DEFLATE or len(plain) != size:
        raise ValueError(f"codec {codec}, {len(plain)} bytes, and {size} are said")
    return plain


# Every way in which Python's libraries write the three formats, some of which varve does not use itself.
WRITERS = {
    "none": lambda data: b"\0" + data,
    "zstd": lambda data: b"\1" + zstandard.ZstdCompressor().compress(data),
    "zstd-19": lambda data: b"\1" + zstandard.ZstdCompressor(level=19, write_checksum=True).compress(data),
    "lz4": lambda data: b"\2" + lz4.block.compress(data),
    "lz4hc": lambda data: b"\2" + lz4.block.compress(data, mode="high_compression"),
    "zlib": lambda data: b"\3" + struct.pack("<I", len(data)) + zlib.compress(data),
    "zlib-0": lambda data: b"\3" + struct.pack("<I", len(data)) + zlib.compress(data, 0),
    "zlib-9": lambda data: b"\3" + struct.pack("<I", len(data)) + zlib.compress(data, 9),
}


class CacheValues(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_peer(self, *arguments):
        return subprocess.run([options.peer, *map(str, arguments)], capture_output=True, text=True, timeout=60)

    def test_python_reads_what_varve_writes(self):
        result = self.run_peer("write", self.folder)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(len(list(self.folder.iterdir())), 4 * len(UNITS))
        for codec in NONE, ZSTD, LZ4, DEFLATE:
            for number in range(len(UNITS)):
                value = (self.folder / f"{codec}-{number}").read_bytes()
                if UNITS[number] >= 1000:
                    self.assertEqual(value[0], codec)
                found, expected = Pattern.FromString(decode(value)), make_pattern(number)
                for field in Pattern.DESCRIPTOR.fields:
                    self.assertEqual(getattr(found, field.name), getattr(expected, field.name), field.name)
                self.assertEqual(found, expected)

    def test_varve_reads_what_python_writes(self):
        for name, write in WRITERS.items():
            for number in range(len(UNITS)):
                path = self.folder / f"{name}-{number}"
                path.write_bytes(write(make_pattern(number).SerializeToString()))
        result = self.run_peer("read", *self.folder.iterdir())
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(result.stdout, f"{len(WRITERS) * len(UNITS)}\n")

    def test_the_peer_sees_a_difference(self):
        pattern = make_pattern(3)
        pattern.activations[1999] = 1
        path = self.folder / "zstd-3"
        path.write_bytes(WRITERS["zstd"](pattern.SerializeToString()))
        self.assertEqual(self.run_peer("read", path).returncode, 1)

    def test_varve_refuses_a_frame_without_its_size(self):
        path = self.folder / "zstd-3"
        compressor = zstandard.ZstdCompressor(write_content_size=False)
        path.write_bytes(b"\1" + compressor.compress(make_pattern(3).SerializeToString()))
        result = self.run_peer("read", path)
        self.assertEqual(result.returncode, 1)
        self.assertIn("does not say what size", result.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", required=True)
    parser.add_argument("--protoc", default="protoc")
    options, rest = parser.parse_known_args()
    Pattern = compile_pattern(options.protoc)
    unittest.main(argv=sys.argv[:1] + rest)
