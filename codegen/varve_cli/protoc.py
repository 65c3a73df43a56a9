"""Finding protoc."""

import os
import re
import shutil
import subprocess

from varve_cli.failure import Failure

_ADVICE = "On Debian: apt-get install protobuf-compiler; elsewhere name it in VARVE_PROTOC"


def find_protoc():
    """The path of a protoc that is new enough: of VARVE_PROTOC alone, when that is set."""
    named = os.environ.get("VARVE_PROTOC")
    candidates = [named] if named else ["protoc", "/usr/local/bin/protoc", "/usr/bin/protoc"]
    for candidate in candidates:
        path = shutil.which(candidate)
        if path and _version(path) >= (3, 21):
            return path
    raise Failure(f"found no protoc 3.21 or newer. {_ADVICE}")


def _version(path):
    try:
        text = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return (0, 0)
    match = re.match(r"libprotoc (\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)
