"""docs/migrations.md as a story that is run: its schema is written, its edits are made, and its commands must
print what it shows.

    test_migrations.py -v
"""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TEXT = (ROOT / "docs/migrations.md").read_text(encoding="utf-8")


class StoryTest(unittest.TestCase):
    maxDiff = None

    def test_every_command_prints_what_is_shown(self):
        counts = {"proto": 0, "diff": 0, "console": 0}
        with tempfile.TemporaryDirectory() as folder:
            schema = Path(folder, "schema/lab/sample.proto")
            schema.parent.mkdir(parents=True)
            for language, block in FENCE.findall(TEXT):
                if language not in counts:
                    continue
                counts[language] += 1
                if language == "proto":
                    schema.write_text(block, encoding="utf-8")
                elif language == "diff":
                    self.edit(schema, block)
                else:
                    self.run_command(folder, block)
        self.assertEqual(counts, {"proto": 1, "diff": 5, "console": 9})

    def edit(self, path, block):
        lines = block.splitlines(keepends=True)
        old, new = ("".join(line[1:] for line in lines if line[0] == sign) for sign in "-+")
        text = path.read_text(encoding="utf-8")
        self.assertEqual(text.count(old), 1, old)
        path.write_text(text.replace(old, new), encoding="utf-8")

    def run_command(self, folder, block):
        command, _, expected = block.partition("\n")
        self.assertTrue(command.startswith("$ "), command)
        environment = {**os.environ, "PATH": f"{ROOT / 'codegen'}:{os.environ['PATH']}"}
        result = subprocess.run(
            command[2:], shell=True, cwd=folder, env=environment, text=True, check=False, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        self.assertEqual(result.stdout, expected, command)


if __name__ == "__main__":
    unittest.main()
