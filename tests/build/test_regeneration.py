"""varve_generate() in a project of its own: what runs, and what does not, after each kind of edit.

The project is made in a temporary folder with a space in its path, together with a copy of varve, and
built once with Ninja and once with Makefiles. Every test starts from a finished build.
"""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

FILES = {
    "CMakeLists.txt": """
        cmake_minimum_required(VERSION 3.25)
        project(lab LANGUAGES C)
        set(VARVE_BUILD_CORTEX OFF)
        add_subdirectory(../varve varve)
        add_library(lab STATIC lab.c)
        varve_generate(TARGET lab
                       PROTOS lab/units.proto lab/session.proto lab/deep/trial.proto rig/rig.proto
                              "${CMAKE_CURRENT_SOURCE_DIR}/more schemas/tools/extra.proto"
                       IMPORT_DIRS schema "more schemas" TOOL labctl)
        add_executable(app main.c)
        target_link_libraries(app PRIVATE lab)
        """,
    "lab.c": """
        #include "lab/deep/trial.varve.h"
        #include "lab/lab.varve.h"
        int lab(void) { return 0; }
        """,
    "main.c": """
        #include "lab/session.varve.h"
        #include "rig/rig.varve.h"
        #include "tools/extra.varve.h"
        int main(void) { return 0; }
        """,
    "schema/lab/units.proto": """
        syntax = "proto3";
        // A comment with "package wrong;" in it, and with lab/*.proto.
        /* package wrong; */
        package lab;
        message Unit {
          string name = 1;
        }
        """,
    "schema/lab/session.proto": """
        syntax = "proto3";
        package lab;
        import "lab/units.proto";
        import "varve/options.proto";
        message Session {
          option (varve.table) = {};
          int64 id = 1 [(varve.column).primary_key = true];
          Unit unit = 2;
        }
        """,
    # Needs its import only for a reference, which protoc takes for unused.
    "schema/lab/deep/trial.proto": """
        syntax = "proto3";
        package lab;
        import "lab/session.proto";
        import "varve/options.proto";
        message Trial {
          option (varve.table) = {};
          int64 id = 1 [(varve.column).primary_key = true];
          int64 session_id = 2 [(varve.column).references = "Session.id"];
        }
        """,
    # Its pair is also the umbrella of its package.
    "schema/rig/rig.proto": """
        syntax = "proto3";
        package rig;
        import "tools/extra.proto";
        message Rig {
          tools.v1.Extra extra = 1;
        }
        """,
    "more schemas/tools/extra.proto": """
        syntax = "proto3";
        package tools.v1;
        message Extra {
          int64 count = 1;
        }
        """,
}

# A project with migrations. Their folder's name has what CMake, protoc and shells take for something else.
MIGRATIONS = "migrations, (all) of = them+"
MIGRATED = {
    "CMakeLists.txt": f"""
        cmake_minimum_required(VERSION 3.25)
        project(lab LANGUAGES C)
        set(VARVE_BUILD_CORTEX OFF)
        add_subdirectory(../varve varve)
        add_library(lab STATIC lab.c)
        varve_generate(TARGET lab PROTOS lab/units.proto lab/session.proto
                       MIGRATIONS [[{MIGRATIONS}]])
        """,
    "lab.c": """
        #include "lab/lab.varve.h"
        int lab(void) { return lab_schema.migration_count > 0; }
        """,
    "schema/lab/units.proto": FILES["schema/lab/units.proto"],
    "schema/lab/session.proto": FILES["schema/lab/session.proto"],
}

SESSION_AND_USERS = {"lab/session", "lab/deep/trial", "lab/lab"}
LAB = SESSION_AND_USERS | {"lab/units"}
TOOLS_AND_USERS = {"tools/extra", "tools/tools_v1", "rig/rig"}


class Build:
    """One run of the build: whether it succeeded, what it printed, which files it renewed."""

    def __init__(self, result, before, after):
        renewed = {path for path, time in after.items() if before.get(path) != time}
        self.succeeded = result.returncode == 0
        self.output = result.stdout
        self.commands = {
            str(path).split(".stamps/")[1] for path in renewed if ".stamps" in path.parts and not path.suffix
        }
        self.generated = {path for path in renewed if path.name.endswith((".varve.h", ".varve.c", ".sql"))}
        self.compiled = {path.name.split(".")[0] for path in renewed if path.suffix == ".o"}


class Project:
    """The project, a copy of varve beside it, and a build folder."""

    def __init__(self, generator, files=FILES):
        self.generator = generator
        self.folder = tempfile.TemporaryDirectory(prefix="varve regeneration ")
        self.path = Path(self.folder.name, "project")
        self.build_path = Path(self.folder.name, "the build")
        self.varve = Path(self.folder.name, "varve")
        for name in ("CMakeLists.txt", "cmake", "runtime", "codegen", "schema/varve", "tools"):
            copy(ROOT / name, self.varve / name)
        for name, text in files.items():
            self.write(name, text)

    def write(self, name, text):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(re.sub(r"^ {8}", "", text.lstrip("\n").rstrip(" "), flags=re.MULTILINE))

    def configure(self, *arguments):
        return run("cmake", "-G", self.generator, "-S", self.path, "-B", self.build_path, *arguments)

    def build(self):
        before = self.times()
        result = run("cmake", "--build", self.build_path, "--parallel", "4")
        return Build(result, before, self.times())

    def times(self):
        return {
            Path(folder, name): os.stat(os.path.join(folder, name)).st_mtime_ns
            for folder, _, names in os.walk(self.build_path)
            for name in names
        }


def copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def run(*command):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        [str(part) for part in command],
        env={**environment, "LC_ALL": "C.UTF-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


class Regeneration:
    """The tests; a class for each generator below inherits them."""

    @classmethod
    def setUpClass(cls):
        cls.project = Project(cls.generator)
        cls.addClassCleanup(cls.project.folder.cleanup)
        configured = cls.project.configure("-DCMAKE_BUILD_TYPE=Debug")
        assert configured.returncode == 0, configured.stdout
        cls.first = cls.project.build()

    def setUp(self):
        build = self.project.build()
        self.assertTrue(build.succeeded, build.output)

    def edit(self, name, old, new):
        """Replaces text in a file of the project until the end of the test."""
        path = self.project.path / name
        text = path.read_text()
        self.assertIn(old, text)
        self.addCleanup(path.write_text, text)
        path.write_text(text.replace(old, new, 1))

    def assert_builds(self, commands, compiled=None):
        build = self.project.build()
        self.assertTrue(build.succeeded, build.output)
        self.assertEqual(build.commands, commands, build.output)
        if compiled is not None:
            self.assertEqual(build.compiled, compiled, build.output)
        return build

    def test_first_build_runs_every_command_once_and_hides_unused_imports(self):
        self.assertTrue(self.first.succeeded, self.first.output)
        self.assertEqual(self.first.commands, LAB | TOOLS_AND_USERS)
        self.assertEqual(self.first.output.count("varve: "), len(LAB | TOOLS_AND_USERS))
        self.assertNotIn("unused", self.first.output)

    def test_nothing_touched_runs_nothing(self):
        build = self.assert_builds(set(), compiled=set())
        self.assertNotRegex(build.output, r"varve: |Building|Linking|Consolidate|globbed")

    def test_edit_runs_the_file_its_importers_and_its_package(self):
        self.edit("schema/lab/units.proto", "string name = 1;", "string name = 1; double scale = 2;")
        build = self.assert_builds(LAB)
        self.assertLessEqual({"units", "session", "trial", "lab"}, build.compiled)
        self.assertFalse({"rig", "extra", "tools_v1"} & build.compiled, build.output)
        self.assert_builds(set(), compiled=set())

    def test_edit_in_another_import_folder_reaches_the_combined_pair(self):
        self.edit("more schemas/tools/extra.proto", "count = 1", "number = 1")
        build = self.assert_builds(TOOLS_AND_USERS)
        self.assertFalse({"units", "session", "trial", "lab"} & build.compiled, build.output)

    def test_edit_of_white_space_compiles_nothing(self):
        self.edit("schema/lab/session.proto", "Unit unit", "\n\n  Unit    unit")
        build = self.assert_builds(SESSION_AND_USERS, compiled=set())
        self.assertEqual(build.generated, set())

    def test_touched_options_run_their_importers(self):
        (self.project.varve / "schema/varve/options.proto").touch()
        self.assert_builds(SESSION_AND_USERS, compiled=set())

    def test_touched_templates_run_everything(self):
        for template in (self.project.varve / "codegen/templates").glob("*.j2"):
            template.touch()
        self.assert_builds(LAB | TOOLS_AND_USERS, compiled=set())

    def test_new_and_deleted_modules_count(self):
        modules = self.project.varve / "codegen/varve_codegen"
        (modules / "new.py").write_text("")
        next(iter(sorted(modules.glob("*.py")))).touch()
        self.assert_builds(LAB | TOOLS_AND_USERS, compiled=set())
        (modules / "new.py").touch()
        self.assert_builds(LAB | TOOLS_AND_USERS, compiled=set())
        (modules / "new.py").unlink()
        self.assert_builds(LAB | TOOLS_AND_USERS, compiled=set())
        self.assert_builds(set(), compiled=set())

    def test_tables_of_a_package_are_beside_its_umbrella(self):
        out = self.project.build_path / "lab.varve"
        sql = out / "lab/lab.sql"
        self.assertIn('CREATE TABLE "trial"', sql.read_text())
        self.assertEqual({path.name for path in out.rglob("*.sql")}, {"lab.sql"})
        self.edit("schema/lab/units.proto", "string name = 1;", "string name = 1; double scale = 2;")
        build = self.assert_builds(LAB)
        self.assertNotIn(sql, build.generated)
        self.edit("schema/lab/deep/trial.proto", "int64 session_id", "optional int64 session_id")
        build = self.assert_builds({"lab/deep/trial", "lab/lab"})
        self.assertIn(sql, build.generated)

    def test_tables_and_cached_messages_that_are_gone_leave_no_files(self):
        extra = self.project.path / "more schemas/tools/extra.proto"
        sql = self.project.build_path / "lab.varve/tools/tools_v1.sql"
        layout = sql.with_name("tools_v1.layout.json")
        self.assertFalse(sql.exists() or layout.exists())
        text = extra.read_text()
        self.addCleanup(extra.write_text, text)
        extra.write_text(
            text.replace("message Extra {", 'import "varve/options.proto";\nmessage Extra {\n  option (varve.table) = {};'
                         ' option (varve.cache).key = "{count}";')
            .replace("count = 1", "count = 1 [(varve.column).primary_key = true]")
        )
        self.assert_builds(TOOLS_AND_USERS)
        self.assertIn('CREATE TABLE "extra"', sql.read_text())
        self.assertIn('"message": "tools.v1.Extra"', layout.read_text())
        extra.write_text(text)
        self.assert_builds(TOOLS_AND_USERS)
        self.assertFalse(sql.exists() or layout.exists())

    def test_import_counts_no_more_when_it_is_gone(self):
        self.edit("schema/rig/rig.proto", 'import "tools/extra.proto";', "")
        self.edit("schema/rig/rig.proto", "tools.v1.Extra extra", "string extra")
        self.assert_builds({"rig/rig"})
        self.edit("more schemas/tools/extra.proto", "count = 1", "number = 1")
        self.assert_builds(TOOLS_AND_USERS - {"rig/rig"})

    def test_error_names_its_place_and_changes_nothing_until_mended(self):
        self.edit("schema/lab/session.proto", "Unit unit = 2;", "Unit unit = ;")
        for _ in range(2):
            build = self.project.build()
            self.assertFalse(build.succeeded, build.output)
            self.assertRegex(build.output, r"(?m)^lab/session\.proto:8:15: ")
            self.assertNotIn("CMake Error", build.output)
            self.assertEqual(build.generated, set())
            self.assertEqual(build.commands, set())
        self.doCleanups()
        self.assert_builds(SESSION_AND_USERS, compiled=set())

    def test_other_package_asks_to_configure_again(self):
        self.edit("schema/rig/rig.proto", "package rig;", "package other;")
        build = self.project.build()
        self.assertFalse(build.succeeded, build.output)
        self.assertRegex(build.output, r"(?m)^rig/rig\.proto:\d+:\d+: error: .*run cmake")
        self.project.configure()
        self.edit("main.c", "rig/rig.varve.h", "rig/other.varve.h")
        self.assert_builds({"rig/rig", "rig/other"})
        self.doCleanups()
        self.project.configure()


class NinjaTest(Regeneration, unittest.TestCase):
    generator = "Ninja"


class MakefilesTest(Regeneration, unittest.TestCase):
    generator = "Unix Makefiles"


class Migrations:
    """varve_generate(.. MIGRATIONS folder): the folder counts as the schema does."""

    @classmethod
    def setUpClass(cls):
        cls.project = Project(cls.generator, MIGRATED)
        cls.addClassCleanup(cls.project.folder.cleanup)
        cls.folder = cls.project.path / MIGRATIONS
        cls.source = cls.project.build_path / "lab.varve/lab/lab.varve.c"
        configured = cls.project.configure("-DCMAKE_BUILD_TYPE=Debug")
        assert configured.returncode == 0, configured.stdout

    def assert_fails(self, pattern):
        """Builds, which fails twice and says what matches; gives the match."""
        for _ in range(2):
            build = self.project.build()
            self.assertFalse(build.succeeded, build.output)
            self.assertRegex(build.output, pattern)
            self.assertNotIn("lab/lab", build.commands)
        return re.search(pattern, build.output)

    def build(self, commands, compiled):
        build = self.project.build()
        self.assertTrue(build.succeeded, build.output)
        self.assertEqual((build.commands, build.compiled), (commands, compiled), build.output)

    def make_migration(self, advice, name):
        """Does what the build says."""
        command = advice.replace(" NAME ", f" {name} ")
        result = subprocess.run(["sh", "-c", command], cwd="/", capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, f"{command}\n{result.stdout}{result.stderr}")

    def test_story(self):
        ahead = r"(?m)^lab/session\.proto:(\d+):(\d+): error: (.*); run: (.* migrate new NAME .*)$"
        none = r"(?m)^lab/units\.proto:\d+:\d+: error: package lab has no migrations yet; run: (.*)$"
        advice = self.assert_fails(none)
        self.make_migration(advice[1], "initial")
        self.assertEqual({p.name for p in self.folder.iterdir()}, {"0001_initial.sql", "schema.lock"})
        build = self.project.build()
        self.assertTrue(build.succeeded, build.output)
        self.assertIn('"0001_initial"', self.source.read_text())
        self.assertNotIn(MIGRATIONS, self.source.read_text())
        self.build(set(), set())

        with self.subTest("a field that is new"):
            session = self.project.path / "schema/lab/session.proto"
            session.write_text(session.read_text().replace("Unit unit = 2;", "Unit unit = 2;\n  int64 started_at = 3;"))
            advice = self.assert_fails(ahead)
            self.assertEqual((advice[1], advice[2]), ("9", "3"))
            self.assertIn("started_at", advice[3])
            self.make_migration(advice[4], "started_at")
            build = self.project.build()
            self.assertTrue(build.succeeded, build.output)
            self.assertIn('"0002_started_at"', self.source.read_text())
            self.build(set(), set())

        with self.subTest("statements by hand"):
            second = self.folder / "0002_started_at.sql"
            before = second.read_text()
            second.write_text(before + 'UPDATE "session" SET "started_at" = 7;\n')
            self.build({"lab/lab"}, {"lab"})
            self.assertIn('started_at\\" = 7;', self.source.read_text())
            second.write_text(before)
            self.build({"lab/lab"}, {"lab"})
            self.build(set(), set())

        with self.subTest("files that come and go"):
            (self.folder / "README.md").write_text("what is here")
            self.build({"lab/lab"}, set())
            (self.folder / "0003_empty.sql").write_text("-- package: lab\n-- reads_ok: yes\n-- writes_ok: yes\n")
            self.build({"lab/lab"}, {"lab"})
            self.assertIn(".migration_count = 3", self.source.read_text())
            (self.folder / "0003_empty.sql").unlink()
            self.build({"lab/lab"}, {"lab"})
            second.rename(self.folder / "away")
            self.assert_fails(re.escape(f"{MIGRATIONS}/schema.lock:") + r"\d+: error: .* is what no migration leads to")
            (self.folder / "away").rename(second)
            self.build({"lab/lab"}, set())
            self.build(set(), set())


class NinjaMigrationsTest(Migrations, unittest.TestCase):
    generator = "Ninja"


class MakefilesMigrationsTest(Migrations, unittest.TestCase):
    generator = "Unix Makefiles"


class ArgumentsTest(unittest.TestCase):
    """What varve_generate() refuses when CMake runs, and its words."""

    @classmethod
    def setUpClass(cls):
        cls.project = Project("Ninja")
        cls.addClassCleanup(cls.project.folder.cleanup)

    def assert_refused(self, call, words, *arguments):
        text = FILES["CMakeLists.txt"]
        self.project.write("CMakeLists.txt", f"{text}\n        add_library(more STATIC lab.c)\n        {call}\n")
        result = self.project.configure(*arguments)
        self.assertNotEqual(result.returncode, 0, result.stdout)
        self.assertIn(words, " ".join(result.stdout.split()))

    def test_bad_calls(self):
        self.project.write("schema/bare.proto", 'syntax = "proto3";\n// package lab;\n')
        for call, words in (
            ("varve_generate(TARGET more)", "needs TARGET and PROTOS"),
            ("varve_generate(TARGET none PROTOS rig/rig.proto)", "there is no target none"),
            ("varve_generate(TARGET more PROTOS rig/none.proto)", "rig/none.proto is not in"),
            ("varve_generate(TARGET more PROTOS ../main.c)", "../main.c is no .proto file below"),
            ("varve_generate(TARGET more PROTOS bare.proto)", "bare.proto:1:1: error: the file says no package"),
            ("varve_generate(more PROTOS rig/rig.proto)", "unknown arguments: more"),
            ("varve_generate(TARGET more PROTOS rig/rig.proto MIGRATIONS lab.c)", "lab.c is no folder"),
            ("varve_generate(TARGET more PROTOS rig/rig.proto MIGRATIONS my$m)",
             "dependency files of a build cannot hold: $"),
            ("varve_generate(TARGET more PROTOS rig/rig.proto lab/units.proto MIGRATIONS m)", "are of rig and lab"),
            ("varve_generate(TARGET more PROTOS rig/rig.proto TOOL lab)", "TOOL lab is a target already"),
            ("varve_generate(TARGET lab PROTOS rig/rig.proto)", "this target has already"),
        ):
            with self.subTest(call=call):
                self.assert_refused(call, words)

    def test_interpreter_without_modules(self):
        self.assert_refused("", "apt-get install python3-protobuf python3-jinja2", "-DVARVE_PYTHON=/bin/false")

    def test_old_protoc(self):
        self.assert_refused("", "apt-get install protobuf-compiler", "-DVARVE_PROTOC=/bin/false")


if __name__ == "__main__":
    unittest.main()
