"""-DVARVE_USE_COMMITTED=ON builds and runs with neither protoc nor Python on the machine."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TOOLS = ("cmake", "ninja", "cc", "gcc", "as", "ld", "ar", "ranlib", "pkg-config", "uname", "sh")


class CommittedTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="varve committed ")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for name in ("CMakeLists.txt", "cmake", "runtime", "schema", "generated", "examples", "tools"):
            source, copy = ROOT / name, self.folder / "varve" / name
            copy.parent.mkdir(exist_ok=True)
            shutil.copytree(source, copy) if source.is_dir() else shutil.copy(source, copy)
        # A PATH of links to the tools that are needed, and to nothing else.
        (self.folder / "bin").mkdir()
        for tool in TOOLS:
            found = shutil.which(tool)
            if found:
                (self.folder / "bin" / tool).symlink_to(os.path.realpath(found))

    def run_tool(self, *command):
        environment = {**os.environ, "PATH": str(self.folder / "bin")}
        for name in ("VARVE_PYTHON", "VARVE_PROTOC"):
            environment.pop(name, None)
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )

    def test_builds_without_protoc_and_python(self):
        self.assertIsNone(shutil.which("protoc", path=str(self.folder / "bin")))
        self.assertIsNone(shutil.which("python3", path=str(self.folder / "bin")))
        configured = self.run_tool(
            "cmake", "-S", "varve", "-B", "build", "-G", "Ninja", "-DVARVE_USE_COMMITTED=ON",
            "-DVARVE_BUILD_TESTS=OFF",
        )
        self.assertEqual(configured.returncode, 0, configured.stdout + configured.stderr)
        cache = (self.folder / "build" / "CMakeCache.txt").read_text(encoding="utf-8")
        self.assertNotIn("protoc:", cache.lower())
        self.assertNotIn("VARVE_PYTHON", cache)
        built = self.run_tool("cmake", "--build", "build")
        self.assertEqual(built.returncode, 0, built.stdout + built.stderr)
        result = self.run_tool("build/examples/first_record/first_record")
        self.assertIn("read back: maze/7", result.stdout, result.stderr)


if __name__ == "__main__":
    unittest.main()
