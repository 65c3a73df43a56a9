"""docs/ against what it describes: codes, names, settings and links exist, snippets compile, messages are real.

    test_docs.py --messages build/dev/tests/docs_messages --generated DIR.. [-v]

--generated: folders with the headers of cortex and of lab (tests/docs/lab). Every ```c block of the documents is
compiled: one with functions of its own as it stands, any other inside of a function. A block that shows a generated
struct or enum must stand so in the header.
"""

import argparse
import ast
import json
import re
import shlex
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
OURS = ("concepts.md", "errors.md", "generated-api.md", "tiers.md", "operations.md")
STATUS_H = (ROOT / "runtime/include/varve/status.h").read_text(encoding="utf-8")
STORE_H = (ROOT / "runtime/include/varve/store.h").read_text(encoding="utf-8")
STATUS_C = (ROOT / "runtime/base/status.c").read_text(encoding="utf-8")
CONFIG_C = (ROOT / "runtime/store/config.c").read_text(encoding="utf-8")

HEADERS = """\
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include "cortex/cortex.varve.h"
#include "lab/lab.varve.h"
"""
# Compiled in full, functions that nobody calls too: by the syntax alone gcc does not see that a result is not looked at.
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-c", "-o", "/dev/null", "-Wno-unused-function", "-fkeep-static-functions"]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

options = argparse.Namespace(messages=None, generated=[])


# ------------------------------------------------------------------ documents


def blocks(text, language):
    """(number of the first line, block) of each block in a language."""
    return [(text.count("\n", 0, m.start(2)) + 1, m[2]) for m in FENCE.finditer(text) if m[1] == language]


def sections(text, title):
    """{heading: body} of the ### sections below the ## section with this title."""
    body = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[1]
    parts = re.split(r"^### (.+)\n", body, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def examples(text):
    """The indented blocks of a section, each as one line."""
    found = re.findall(r"(?:^ {4}\S.*\n)+", text + "\n", re.MULTILINE)
    return [" ".join(block.split()) for block in found]


def rows(text, first):
    """The cells of the table whose head begins with this cell."""
    table = re.search(rf"^\| {re.escape(first)} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)[1]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()]


def slugs(text):
    """The anchors of a document, as GitHub makes them."""
    found = []
    for heading in re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        again = sum(1 for other in found if re.fullmatch(rf"{re.escape(slug)}(-\d+)?", other))
        found.append(f"{slug}-{again}" if again else slug)
    return found


# ------------------------------------------------------------------ sources


def enumerators(name):
    """{constant: its comment} of an enum in status.h."""
    body = re.search(rf"enum {name} \{{\n(.*?)\n\}};", STATUS_H, re.DOTALL)[1]
    found = re.findall(r"^ +(VARVE_\w+)(?: = \d+)?,(?: */\* (.*?) \*/)?$", body, re.MULTILINE)
    if len(found) != len(body.splitlines()):
        raise ValueError(f"enum {name} has lines that are no constants")
    return dict(found)


def without_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)


def squeezed(text):
    return " ".join(without_comments(text).split())


def flags():
    command = ["pkg-config", "--cflags", "libprotobuf-c", "sqlite3"]
    found = shlex.split(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found + [f"-I{folder}" for folder in (ROOT / "runtime/include", *options.generated)]


def compiler(language, *arguments, source):
    command = ["g++" if language == "c++" else "gcc", f"-x{language}", *flags(), *arguments, "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=False)


def generated_text(name):
    for folder in options.generated:
        path = Path(folder) / name
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise FileNotFoundError(f"{name} in none of {options.generated}")


def known_names():
    """Every identifier that a program sees which includes all headers, and those of the tables."""
    result = compiler("c", "-E", "-dD", source=HEADERS)
    if result.returncode != 0:
        raise RuntimeError(result.stderr)
    system = (ROOT / "runtime/table/system.c").read_text(encoding="utf-8")
    sql = generated_text("cortex/cortex.sql") + generated_text("lab/lab.sql") + system
    return set(re.findall(r"\w+", result.stdout + sql))


# ------------------------------------------------------------------ tests


class ErrorsTest(unittest.TestCase):
    text = DOCS["errors.md"]
    statuses = sections(DOCS["errors.md"], "Statuses")
    kinds = sections(DOCS["errors.md"], "Kinds of failure")
    silent = ("VARVE_OK", "VARVE_ROW", "VARVE_DONE")

    def test_each_status_has_a_section_in_order(self):
        self.assertEqual(list(self.statuses), list(enumerators("varve_status")))

    def test_each_kind_has_a_section_in_order(self):
        self.assertEqual(list(self.kinds), list(enumerators("varve_failure_kind")))

    def test_retryable_is_as_in_the_table(self):
        table = dict(re.findall(r"\[(VARVE_\w+)\] = \{\"\w+\", \"[^\"]*\", (true|false)\}", STATUS_C))
        self.assertEqual(set(table), set(self.statuses))
        for status, body in self.statuses.items():
            said = re.findall(r"Retryable:\s(yes|no)\b", body)
            self.assertEqual(said, ["yes" if table[status] == "true" else "no"], status)

    def test_kinds_are_of_the_statuses_that_the_header_says(self):
        comments = enumerators("varve_failure_kind")
        for kind, body in self.kinds.items():
            wanted = re.match(r"VARVE_\w+", comments[kind])
            said = re.match(r"\nStatus: `?(\w+)`?[.;]", body)
            self.assertIsNotNone(said, kind)
            self.assertEqual(said[1], wanted[0] if wanted else "any", kind)

    def test_the_messages_are_real(self):
        said = self.provoke()
        for index, group in enumerate((self.statuses, self.kinds)):
            for code, body in group.items():
                self.assertEqual(bool(examples(body)), code not in self.silent, code)
                for example in examples(body):
                    self.assertIn(self.without_sizes(example), said[index].get(code, ()), code)
        elsewhere = self.text[: self.text.index("\n## Statuses")]
        everything = set().union(*said[0].values())
        for example in examples(FENCE.sub("", elsewhere)):
            self.assertIn(self.without_sizes(example), everything)

    def provoke(self):
        """Texts by status, and by kind, of what the program makes fail."""
        with tempfile.TemporaryDirectory(prefix="varve-docs-") as folder:
            result = subprocess.run(
                [options.messages], cwd=folder, capture_output=True, text=True, check=False, timeout=120
            )
        self.assertEqual(result.returncode, 0, result.stderr)
        by_status, by_kind = {}, {}
        for line in result.stdout.splitlines():
            status, kind, message = line.split("\t")
            by_status.setdefault(status, set()).add(self.without_sizes(message))
            by_kind.setdefault(kind, set()).add(self.without_sizes(message))
        return by_status, by_kind

    @staticmethod
    def without_sizes(text):
        """How much memory a record takes is not what the document is about."""
        return re.sub(r"\d+ bytes", "N bytes", text)

class SnippetTest(unittest.TestCase):
    maxDiff = None

    def test_c_compiles(self):
        count = 0
        for name in OURS:
            source = HEADERS
            for line, block in blocks(DOCS[name], "c"):
                source += f'#line {line} "docs/{name}"\n' + self.in_a_function(block, count)
                count += 1
            result = compiler("c", "-std=c11", *WARNINGS, source=source)
            self.assertEqual(result.returncode, 0, result.stderr)
        self.assertGreater(count, 40)

    @staticmethod
    def in_a_function(block, number):
        if re.search(r"^(\{|#include .*)$", block, re.MULTILINE):
            return block
        head = (
            f"static enum varve_status snippet_{number}(struct varve_store *store, struct varve_session *session,"
            " enum varve_status status) { (void)store; (void)session; (void)status; {"
        )
        return f"{head} {block}}} return status; }}\n"

    def test_cpp_compiles(self):
        for name in OURS:
            for line, block in blocks(DOCS[name], "cpp"):
                source = f'#line {line} "docs/{name}"\n{block}'
                result = compiler("c++", "-std=c++17", *WARNINGS, source=source)
                self.assertEqual(result.returncode, 0, result.stderr)

    def test_structs_stand_so_in_the_headers(self):
        headers = squeezed("".join(generated_text(f"cortex/{n}.varve.h") for n in ("concept", "episode")))
        shown = [b for name in OURS for _, b in blocks(DOCS[name], "c") if re.match(r"(struct|enum) \w+ \{", b)]
        self.assertGreater(len(shown), 0)
        for block in shown:
            self.assertIn(squeezed(block), headers)

    def test_layouts_stand_so_in_the_file(self):
        layout = json.loads(generated_text("cortex/cortex.layout.json"))
        known = layout["cache"]["messages"] + [t for m in layout["archive"]["messages"] for t in m["tensors"]]
        shown = [json.loads(block) for name in OURS for _, block in blocks(DOCS[name], "json")]
        self.assertGreater(len(shown), 0)
        for block in shown:
            self.assertIn(block, known)

    def test_the_schema_of_the_examples_is_the_one_that_is_compiled(self):
        shown = [block for name in OURS for _, block in blocks(DOCS[name], "proto")]
        self.assertEqual(shown, [(ROOT / "tests/docs/lab/trial.proto").read_text(encoding="utf-8")])

    def test_sql_can_be_run(self):
        database = sqlite3.connect(":memory:")
        database.executescript(generated_text("cortex/cortex.sql") + generated_text("lab/lab.sql"))
        statements = [s for name in OURS for _, block in blocks(DOCS[name], "sql") for s in block.split(";")]
        for statement in filter(str.strip, statements):
            database.execute(statement).fetchall()


class NamesTest(unittest.TestCase):
    def test_every_name_exists(self):
        known = known_names()
        variables = {row[1].strip("`") for row in rows(DOCS["concepts.md"], "member")}
        for name in OURS:
            text = re.sub(r"\]\([^)]*\)", "]", DOCS[name])  # without the targets of links
            used = set(re.findall(r"\b(?:varve|cortex|lab|VARVE|CORTEX|LAB)_\w+", text)) - variables
            unknown = {n for n in used - known if not (n.endswith("_") and any(k.startswith(n) for k in known))}
            self.assertEqual(unknown, set(), name)

    def test_every_name_of_the_running_example_is_described(self):
        header = without_comments(generated_text("cortex/concept.varve.h"))
        names = set(re.findall(r"\b(?:cortex_concept|CORTEX_CONCEPT)\w*", header)) - {"CORTEX_CONCEPT_VARVE_H"}
        described = set(re.findall(r"\w+", DOCS["generated-api.md"]))
        self.assertEqual(names - described, set())

    def test_the_shown_declarations_of_tensors_are_the_generated_ones(self):
        header = squeezed(generated_text("cortex/concept.varve.h"))
        for name in ("read_embedding", *(f"write_embedding_{verb}" for verb in ("begin", "rows", "finish", "cancel"))):
            declared = rf"\b(enum varve_status|void) (cortex_concept_{name} ?\([^)]*\))"
            (shown,) = re.findall(declared, squeezed(DOCS["generated-api.md"]))
            self.assertIn(re.sub(r"\( ", "(", " ".join(shown)), re.sub(r"\( ", "(", header), name)

    def test_every_name_of_the_cached_example_is_described(self):
        header = without_comments(generated_text("cortex/working_memory_pattern.varve.h"))
        names = set(re.findall(r"\bcortex_working_memory_pattern_(?:cache_|key|next|free_many)\w*", header))
        self.assertEqual(len(names), 18)
        self.assertEqual(names - set(re.findall(r"\w+", DOCS["generated-api.md"])), set())

    def test_the_table_of_constructors_is_complete(self):
        result = compiler("c", "-E", "-P", source='#include "varve/filter.h"\n')
        exist = set(re.findall(r"\bvarve_([a-z0-9]+)_((?!_)[a-z_]+)\(", result.stdout))
        families = ("int64", "fixed64", "bool", "enum", "float", "double", "text", "bytes")
        exist = {(family, name) for family, name in exist if family in families and name in self.conditions()}
        said = set()
        for cells in rows(DOCS["generated-api.md"], "condition"):
            name = re.match(r"`(\w+)\(", cells[0])[1]
            said |= {(family, name) for family, cell in zip(families, cells[2:]) if cell == "yes"}
        self.assertEqual(said, exist)
        self.assertEqual(self.conditions(), {name for _, name in exist})

    @staticmethod
    def conditions():
        """Of enum varve_operator, as constructors are named."""
        text = (ROOT / "runtime/include/varve/filter.h").read_text(encoding="utf-8")
        body = without_comments(re.search(r"enum varve_operator \{.*?\};", text, re.DOTALL)[0])
        return {name.lower() for name in re.findall(r"\bVARVE_(\w+)", body)} - {"any"}


class ConfigTest(unittest.TestCase):
    table = rows(DOCS["concepts.md"], "member")

    def test_the_members_are_those_of_the_struct(self):
        body = without_comments(re.search(r"struct varve_config \{(.*?)\n\};", STORE_H, re.DOTALL)[1])
        body = re.sub(r"\(\*(\w+)\)\([^)]*\)", r"\1", body)
        self.assertEqual([self.plain(row[0]) for row in self.table], re.findall(r"(\w+)\s*;", body))

    def test_the_variables_are_those_that_are_read(self):
        read = dict(re.findall(r"\{MEMBER\((\w+)\)(?:[^}]*?\.(bare))?", CONFIG_C))
        for row in self.table:
            member = self.plain(row[0])
            prefix = "" if read.get(member) else "VARVE_"
            self.assertEqual(row[1], f"`{prefix}{member.upper()}`" if member in read else "none")
        self.assertLessEqual(set(read), {self.plain(row[0]) for row in self.table})
        for other in re.findall(r"getenv\(\"(\w+)\"\)", CONFIG_C):
            self.assertIn(f"`{other}`", DOCS["concepts.md"])

    def test_the_defaults_are_those_of_the_code(self):
        defaults = dict(re.findall(r"resolved\(config->(\w+), (.*?)\)[,;]", CONFIG_C))
        self.assertGreater(len(defaults), 0)
        for row in self.table:
            member = self.plain(row[0])
            if member in defaults and member != "archive_threads":  # by the machine's processors
                number = self.number(defaults[member])
                self.assertEqual(row[2], str(number) if number else "off", member)

    @staticmethod
    def number(expression):
        """5000, or INT64_C(256) << 20."""
        left, _, shift = re.sub(r"INT64_C\((\d+)\)", r"\1", expression).partition("<<")
        return ast.literal_eval(left.strip()) << int(shift or 0)

    @staticmethod
    def plain(cell):
        return cell.strip("`")


class LinkTest(unittest.TestCase):
    def test_links_lead_somewhere(self):
        for name, text in DOCS.items():
            for link in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", FENCE.sub("", text)):
                if re.match(r"\w+:", link):
                    continue
                path, _, anchor = link.partition("#")
                target = (ROOT / "docs" / path).resolve() if path else ROOT / "docs" / name
                self.assertTrue(target.exists(), f"{name}: {link}")
                self.assertTrue(target.is_relative_to(ROOT), f"{name}: {link}")
                if anchor:
                    self.assertIn(anchor, slugs(target.read_text(encoding="utf-8")), f"{name}: {link}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="docs/ against what it describes.")
    parser.add_argument("--messages", required=True, type=Path, help="the program of messages.c")
    parser.add_argument("--generated", required=True, action="append", help="a folder of generated headers")
    options, others = parser.parse_known_args()
    options.messages = options.messages.resolve()
    options.generated = [str(Path(folder).resolve()) for folder in options.generated]
    unittest.main(argv=sys.argv[:1] + others)
