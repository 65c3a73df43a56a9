"""One case after the other: what the peer makes of some bytes, what Python makes of them, and what is
different."""

import collections
import random
import struct
import subprocess
import sys
import time
import warnings

from google.protobuf import text_format
from google.protobuf.message import DecodeError

from meaning import meaning
from shrink import smallest
from wireforms import reasons

# Which kinds of failure say which documented reason.
KINDS = {
    "NUL": {"VARVE_FAILURE_UTF8"},
    "depth": {"VARVE_FAILURE_DEPTH"},
    "group": {"VARVE_FAILURE_WIRE"},
    "wire type": {"VARVE_FAILURE_WIRE"},
    "dtype length": {"VARVE_FAILURE_WIRE"},
    "dims": {"VARVE_FAILURE_DIMS"},
    "field number": {"VARVE_FAILURE_WIRE"},
}


class PeerError(Exception):
    """The peer refused: where, status, kind, text."""

    def __init__(self, answer):
        head, self.kind, self.text = answer.decode("utf-8", "replace").split("\n", 2)
        self.step, self.status = head.split(" ", 1)
        super().__init__(f"{self.step}: {self.status} {self.kind}: {self.text}")


class PeerDied(Exception):
    pass


def parse(cls, data):
    """The message, None where Python refuses the bytes."""
    warned.clear()
    try:
        message = cls.FromString(data)
    except DecodeError:
        return None
    return None if warned else message


def shown(message):
    return text_format.MessageToString(message, print_unknown_fields=True, as_utf8=True)


warned = []  # what 4.21 does at the end of a group that never began: it warns, and stops reading
warnings.simplefilter("always", RuntimeWarning)
warnings.showwarning = lambda *warning: warned.append(warning)


class Peer:
    def __init__(self, path):
        self._path = path
        self._start()
        self.names = [line for line in self.ask("L", 0)[0].decode().split("\n") if line]
        self._numbers = {name: i for i, name in enumerate(self.names)}

    def _start(self):
        self._process = subprocess.Popen([self._path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=sys.stderr)

    def ask(self, letter, name, data=b""):
        number = name if isinstance(name, int) else self._numbers[name]
        command = letter.encode() + struct.pack("<H", number) + data
        try:
            self._process.stdin.write(struct.pack("<I", len(command)) + command)
            self._process.stdin.flush()
            size = struct.unpack("<I", self._read(4))[0]
            answer = self._read(size)
        except (BrokenPipeError, EOFError):
            code = self._process.wait()
            self._start()
            raise PeerDied(f"the peer died with {code}") from None
        if answer[:1] == b"\1":
            raise PeerError(answer[1:])
        return self._parts(answer[1:])

    def _read(self, size):
        data = self._process.stdout.read(size)
        if len(data) < size:
            raise EOFError
        return data

    @staticmethod
    def _parts(answer):
        parts, at = [], 0
        while at < len(answer):
            size = struct.unpack_from("<I", answer, at)[0]
            parts.append(answer[at + 4:at + 4 + size])
            at += 4 + size
        return parts

    def close(self):
        self._process.stdin.close()
        return self._process.wait()


class Comparison:
    def __init__(self, peer, schema, newer_schema, options):
        self.peer = peer
        self.schema = schema
        self.newer = newer_schema
        self.options = options
        self.compared = collections.Counter()
        self.refused = collections.Counter()
        self.refused_by_both = collections.Counter()
        self.differences = []
        self.part = ""
        self._shown = collections.Counter()

    # ---------------------------------------------------------------- one case

    def differ(self, descriptor, data):
        """What is different for these bytes: (kind, detail), or None when nothing is."""
        expected = parse(self.schema.cls(descriptor), data)
        try:
            answer = self.peer.ask("A", descriptor.full_name, data)
        except PeerDied as died:
            return "died", str(died)
        except PeerError as error:
            return self._judge_refusal(descriptor, expected, data, error)
        if expected is None:
            return "accepted", "varve takes what Python refuses"
        self.compared[self.part] += 1
        return self._differ_answer(descriptor, expected, answer)

    def _judge_refusal(self, descriptor, expected, data, error):
        if error.status != "VARVE_INVALID" or error.step not in ("unpack", "pack", "clone"):
            return "failed", str(error)
        if expected is None:
            self.refused_by_both[self.part] += 1
            return None
        why = reasons(self.schema, expected, data)
        told = {reason for reason in why if error.kind in KINDS[reason]}
        if not told:
            return "refused", f"{error}; documented reasons that apply: {sorted(why) or 'none'}"
        if error.step != "unpack" and told != {"dims"}:
            return "late", str(error)
        self.refused[" or ".join(sorted(told))] += 1
        return None

    def _differ_answer(self, descriptor, expected, answer):
        packed, text, clone_equal, survives, cloned, cleared_text, cleared = answer
        cls = self.schema.cls(descriptor)
        means = meaning(expected)
        known = meaning(expected, unknown=False)
        for what, data, wanted in (("packed", packed, means), ("clone", cloned, means), ("cleared", cleared, known)):
            got = parse(cls, data)
            if got is None:
                return what, f"Python does not read {what} bytes {data.hex()}"
            if meaning(got) != (wanted[0], ()) if what == "cleared" else meaning(got) != wanted:
                return what, f"Python reads {what} bytes as\n{shown(got)}instead of\n{shown(expected)}"
        if clone_equal != b"1":
            return "equal", "the record does not equal its clone"
        if survives != b"1":
            return "equal", "the record does not equal what it was packed into"
        for what, written in (("text", text), ("cleared text", cleared_text)):
            problem = self.differ_text(cls, written, known, what == "text")
            if problem:
                return what, problem
        return None

    @staticmethod
    def differ_text(cls, written, wanted, unknown):
        try:
            got = text_format.Parse(written.decode("utf-8"), cls(), allow_unknown_field=unknown)
        except (text_format.ParseError, ValueError) as error:
            return f"Python does not read the text: {error}\n{written.decode('utf-8', 'replace')}"
        return None if meaning(got) == wanted else f"Python reads the text\n{written.decode()}as\n{got}"

    # ---------------------------------------------------------------- reporting

    def check(self, descriptor, data, case):
        found = self.differ(descriptor, data)
        if found:
            self.report(descriptor, data, case, found, self.differ)

    def report(self, descriptor, data, case, found, differ=None):
        kind, detail = found
        self.differences.append((self.part, kind, descriptor.full_name))
        self._shown[kind] += 1
        if self._shown[kind] > self.options.show:
            return
        if differ:
            data = smallest(descriptor, data, lambda smaller: (differ(descriptor, smaller) or ("",))[0] == kind)
            detail = (differ(descriptor, data) or found)[1]
        print(f"\nDIFFERENCE ({kind}) in {descriptor.full_name}, part {self.part}, case {case}\n"
              f"  bytes: {data.hex() if len(data) < 2000 else f'{len(data)} bytes'}\n  {detail}", flush=True)

    def run(self, parts):
        for name, part in parts.items():
            if self.options.only and self.options.only != name:
                continue
            self.part = name
            start = time.monotonic()
            part(self)
            print(f"{name}: {self.compared[name]} compared, {self.refused_by_both[name]} refused by both, "
                  f"{time.monotonic() - start:.1f} s", flush=True)

    def rng(self, *case):
        return random.Random(f"{self.options.seed}:{self.part}:" + ":".join(map(str, case)))

    def messages(self):
        """The descriptors to test."""
        return [self.schema.message(name) for name in self.peer.names]

    def cases(self, count):
        """(descriptor, number, rng) for `count` random cases of each message, times --count."""
        for descriptor in self.messages():
            for number in range(count * self.options.count):
                yield descriptor, number, self.rng(descriptor.full_name, number)
