"""An installed copy of varve, out of its tree: in a prefix with a space, moved, shared and static.

VARVE_BUILD_DIR is the build folder that is installed, build/dev where it is not said. Nothing there is
built: the tests run in a build that is done.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("VARVE_BUILD_DIR", ROOT / "build" / "dev"))
VERSION = re.search(r'VERSION "(.*)"', (ROOT / "runtime/include/varve/version.h").read_text(encoding="utf-8"))[1]

MAIN = """
#include <stdio.h>
#include "lab/lab.varve.h"
int main(void)
{
    struct lab_subject subject = LAB_SUBJECT_INIT;
    subject.name = "Ada";
    struct varve_config config = {.data_dir = ":memory:"};
    struct varve_store *store;
    struct varve_session *session;
    struct varve_error error;
    if (varve_open(&lab_schema, &config, &store, &error) != VARVE_OK ||
        varve_session_open(store, &session) != VARVE_OK ||
        lab_subject_insert(session, &subject) != VARVE_OK)
        return 1;
    printf("subject %lld\\n", (long long)subject.id);
    varve_session_close(session);
    varve_close(store);
    return 0;
}
"""
PROTO = """
syntax = "proto3";
package lab;
import "varve/options.proto";
message Subject {
  option (varve.table) = {};
  int64 id = 1 [(varve.column).primary_key = true];
  string name = 2;
}
"""

folder = None  # of the whole module: Path
prefix = None  # where varve is installed


def setUpModule():
    global folder, prefix
    made = tempfile.TemporaryDirectory(prefix="varve install ")
    unittest.addModuleCleanup(made.cleanup)
    folder = Path(made.name)
    prefix = folder / "the prefix"
    install(BUILD, prefix)


def install(build, target):
    check("cmake", "--install", build, "--prefix", target)
    # Bytecode is kept where that can be written; nobody may need it. A file in the place of its folder
    # stands for a copy that is read-only, for root too.
    folders = {p.parent for p in (target / "share/varve/codegen").rglob("*") if p.suffix in (".py", ".j2")}
    for code in folders:
        (code / "__pycache__").touch()


def run(*command, cwd=None, **environment):
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("MAKE", "CMAKE", "VARVE_BUILD"))}
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, env={**kept, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )


def check(*command, **arguments):
    result = run(*command, **arguments)
    assert result.returncode == 0, f"{command}\n{result.stdout}"
    return result.stdout


class InstallTest(unittest.TestCase):
    def setUp(self):
        made = tempfile.TemporaryDirectory(dir=folder, prefix="test ")
        self.addCleanup(made.cleanup)
        self.folder = Path(made.name)

    def write(self, path, text):
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.lstrip("\n"), encoding="utf-8")

    def follow_init(self, installed, generator, name="lab"):
        """Makes a project and does what init says. Returns its folder."""
        said = check(installed / "bin/varve", "init", name, cwd=self.folder)
        commands = [line.strip() for line in said.splitlines() if line.startswith("    ")]
        self.assertEqual([c.split()[0] for c in commands], ["cd", "cmake", "cmake", f"build/{name}"], said)
        self.assertIn(shlex.quote(str(installed)), commands[1])
        text = check("sh", "-c", " && ".join(commands), cwd=self.folder, CMAKE_GENERATOR=generator,
                     CMAKE_BUILD_PARALLEL_LEVEL="2")
        self.assertRegex(text, r"(?m)^note 1: .*\nfound: note 1, weight 0\.75$")
        self.assertEqual(text.count("varve: "), 2, text)  # each command of the schema ran once
        return self.folder / name

    def assert_tool_works(self, project):
        """The ctl program of a project that was run once."""
        ctl = project / f"build/{project.name}ctl"
        status = json.loads(check(ctl, "status", "--json", "data", cwd=project))
        self.assertEqual([(r["record"], r["count"]) for r in status["records"]], [("lab.Note", 1)])
        self.assertIn("lab.Note", check(ctl, "status", "data", cwd=project))
        self.assertIn("1 records read, 0 findings", check(ctl, "verify", "data", cwd=project))

    # ---------------------------------------------------------------- what is there

    def test_layout(self):
        for path in (
            "bin/varve", "bin/protoc-gen-varve", "include/varve/varve.h", "share/varve/schema/varve/options.proto",
            "share/varve/tools/ctl.c",
        ):
            self.assertTrue((prefix / path).is_file(), path)
        headers = {p.name for p in (prefix / "include/varve").iterdir()}
        self.assertEqual(headers, {p.name for p in (ROOT / "runtime/include/varve").iterdir()})
        major = VERSION.split(".")[0]
        dynamic = check("readelf", "-d", next(prefix.glob("lib*/libvarve.so")))
        self.assertIn(f"Library soname: [libvarve.so.{major}]", dynamic)
        self.assertNotIn("RUNPATH", dynamic)

    def test_no_text_says_where_it_was_made(self):
        texts = [p for p in prefix.rglob("*") if p.is_file() and ".so" not in p.name and p.suffix != ".a"]
        self.assertGreater(len(texts), 50)
        for path in texts:
            text = path.read_text(encoding="utf-8")
            for place in (ROOT, BUILD, prefix):
                self.assertNotIn(str(place), text, path)

    def test_versions_agree(self):
        self.assertEqual(check(prefix / "bin/varve", "--version"), f"varve {VERSION}\n")
        self.assertEqual(check("pkg-config", "--modversion", "varve", **self.pkg_config(prefix)), f"{VERSION}\n")
        self.write("CMakeLists.txt", """
            cmake_minimum_required(VERSION 3.25)
            project(lab C)
            find_package(varve ${WANTED} CONFIG REQUIRED)
            message(STATUS "found ${varve_VERSION}")
            """)
        configure = ("cmake", "-S", ".", "-B", "build", f"-DCMAKE_PREFIX_PATH={prefix}")
        self.assertIn(f"found {VERSION}", check(*configure, "-DWANTED=" + VERSION.rpartition(".")[0], cwd=self.folder))
        refused = run(*configure, "-DWANTED=99.0", cwd=self.folder)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn(f"version: {VERSION}", refused.stdout)

    def test_a_project_without_c_is_refused(self):
        self.write("main.cc", "int main() { return 0; }")
        self.write("schema/lab/subject.proto", PROTO)
        self.write("CMakeLists.txt", """
            cmake_minimum_required(VERSION 3.25)
            project(lab CXX)
            find_package(varve CONFIG REQUIRED)
            add_executable(lab main.cc)
            varve_generate(TARGET lab PROTOS lab/subject.proto)
            """)
        refused = run("cmake", "-S", ".", "-B", "build", f"-DCMAKE_PREFIX_PATH={prefix}", cwd=self.folder)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("add C to project", " ".join(refused.stdout.split()))

    # ---------------------------------------------------------------- projects

    def test_project_of_init_with_makefiles(self):
        project = self.follow_init(prefix, "Unix Makefiles")
        self.assert_tool_works(project)
        again = check("cmake", "--build", project / "build")
        self.assertNotRegex(again, r"varve: |Building|Linking")
        schema = project / "schema/lab/note.proto"
        schema.write_text(schema.read_text().replace("string text", "string words"))
        failed = run("cmake", "--build", project / "build")
        self.assertRegex(failed.stdout, r"main\.c:.*has no member named .text.")

    def test_project_of_init_with_ninja_and_a_moved_prefix(self):
        moved = folder / "moved" / "here"
        moved.parent.mkdir()
        os.rename(prefix, moved)
        self.addCleanup(os.rename, moved, prefix)
        self.assert_tool_works(self.follow_init(moved, "Ninja"))

    def test_project_of_init_switches_migrations_on_and_keeps_its_data(self):
        """As the README of the project says, with data that were there before."""
        project = self.follow_init(prefix, "Ninja")
        readme = (project / "README.md").read_text()
        command = re.search(r"(?m)^    varve (migrate new initial .*)$", readme)[1]
        self.assertIn("`MIGRATIONS schema/migrations` in `varve_generate()`", readme)
        varve = shlex.quote(str(prefix / "bin/varve"))
        check("sh", "-c", f"{varve} {command}", cwd=project)
        self.edit(project / "CMakeLists.txt", "lab/note.proto", "lab/note.proto MIGRATIONS schema/migrations")
        check("cmake", "--build", "build", cwd=project)
        self.assertIn("note 2: ", check("build/lab", cwd=project))

        self.edit(project / "schema/lab/note.proto", "string text = 3", "string words = 3")
        for _ in range(2):
            self.edit(project / "main.c", "text", "words")
        failed = run("cmake", "--build", "build", cwd=project)
        self.assertNotEqual(failed.returncode, 0)
        pattern = r"(?m)^lab/note\.proto:\d+:3: error: .* renamed from text to words .*; run: (.*)$"
        self.assertRegex(failed.stdout, pattern)
        advice = re.search(pattern, failed.stdout)
        check("sh", "-c", advice[1].replace(" NAME ", " words "), cwd="/")
        check("cmake", "--build", "build", cwd=project)
        text = check("build/lab", cwd=project)
        self.assertIn("note 3: varve keeps records in layers\n", text)
        self.assertEqual(text.count("found: note "), 3)

    def edit(self, path, old, new):
        text = path.read_text()
        self.assertIn(old, text)
        path.write_text(text.replace(old, new, 1))

    def test_tool_of_a_shared_library_and_of_bindings_in_two_libraries(self):
        """Hidden symbols, two packages in one call, and a package that needs another target's."""
        self.write("schema/lab/subject.proto", PROTO)
        self.write("schema/rig/rig.proto", PROTO.replace("package lab;", 'package rig; import "lab/subject.proto";')
                   .replace("message Subject {", "message Rig {\n  lab.Subject subject = 3;"))
        self.write("lab.c", "int lab(void) { return 0; }\n")
        self.write("main.c", "int main(void) { return 0; }\n")
        self.write("CMakeLists.txt", """
            cmake_minimum_required(VERSION 3.25)
            project(kinds C)
            find_package(varve CONFIG REQUIRED)
            set(CMAKE_C_VISIBILITY_PRESET hidden)
            set(CMAKE_UNITY_BUILD ON)
            add_library(shared SHARED lab.c)
            varve_generate(TARGET shared PROTOS lab/subject.proto rig/rig.proto TOOL bothctl)
            add_library(subjects STATIC)
            varve_generate(TARGET subjects PROTOS lab/subject.proto)
            add_executable(rigs main.c)
            target_compile_options(rigs PRIVATE --coverage)
            target_link_options(rigs PRIVATE --coverage)
            target_link_libraries(rigs PRIVATE subjects)
            varve_generate(TARGET rigs PROTOS rig/rig.proto TOOL rigctl)
            """)
        check("cmake", "-G", "Unix Makefiles", "-S", ".", "-B", "build", f"-DCMAKE_PREFIX_PATH={prefix}",
              cwd=self.folder)
        text = check("cmake", "--build", "build", "-j4", cwd=self.folder)
        self.assertEqual(text.count("varve: "), 6, text)  # each command once
        self.assertIn("schemas: lab, rig\n", check("build/bothctl", "--version", cwd=self.folder))
        self.assertIn("schemas: rig\n", check("build/rigctl", "--version", cwd=self.folder))

    def test_build_tree_as_a_package(self):
        check(prefix / "bin/varve", "init", "lab", cwd=self.folder)
        check("cmake", "-G", "Ninja", "-S", "lab", "-B", "build", f"-Dvarve_DIR={BUILD}", cwd=self.folder)
        check("cmake", "--build", "build", "-j2", cwd=self.folder)
        self.assertIn("note 1: ", check("build/lab", cwd=self.folder))

    def test_static(self):
        build, installed = self.folder / "static", self.folder / "static prefix"
        check("cmake", "-G", "Ninja", "-S", ROOT, "-B", build, "-DBUILD_SHARED_LIBS=OFF", "-DVARVE_BUILD_TESTS=OFF",
              "-DVARVE_BUILD_EXAMPLES=OFF", "-DVARVE_BUILD_BENCH=OFF", "-DVARVE_BUILD_CORTEX=OFF",
              "-DCMAKE_BUILD_TYPE=Debug")
        check("cmake", "--build", build, "-j2")
        install(build, installed)
        self.assertEqual(list(installed.glob("lib*/libvarve.so*")), [])
        project = self.follow_init(installed, "Ninja")
        self.assert_tool_works(project)
        self.assertNotIn("libvarve", check("ldd", project / "build/lab"))
        self.compile_by_hand(installed)

    # ---------------------------------------------------------------- without CMake

    def pkg_config(self, installed):
        return {"PKG_CONFIG_PATH": str(next(installed.glob("lib*/pkgconfig")))}

    def compile_by_hand(self, installed):
        """protoc, pkg-config and cc; returns the program."""
        self.write("lab/subject.proto", PROTO)
        self.write("main.c", MAIN)
        script = f"""set -e
            protoc --plugin={shlex.quote(str(installed))}/bin/protoc-gen-varve --varve_out=. -I. \\
                -I"$(eval echo $(pkg-config --variable=schemadir varve))" lab/subject.proto
            eval "cc -std=c11 -Wall -Werror -I. main.c lab/*.varve.c $(pkg-config --cflags --libs varve) -o app"
            ./app"""
        library = str(next(installed.glob("lib*/libvarve.*")).parent)
        text = check("sh", "-c", script, cwd=self.folder, LD_LIBRARY_PATH=library, **self.pkg_config(installed))
        self.assertEqual(text, "subject 1\n")

    def test_pkg_config(self):
        self.compile_by_hand(prefix)

    def test_check_of_the_installed_command(self):
        self.write("subject.proto", PROTO)
        self.assertIn("no findings", check(prefix / "bin/varve", "check", "subject.proto", cwd=self.folder))
        self.write("subject.proto", PROTO.replace("string name", "int32 int"))
        result = run(prefix / "bin/varve", "check", "subject.proto", cwd=self.folder)
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn('subject.proto:7:9: error: "int" is a keyword', result.stdout)


if __name__ == "__main__":
    unittest.main()
