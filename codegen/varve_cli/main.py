"""The entry of the command `varve`. The commands are modules with run(arguments) -> exit code.

Exit codes: 0 fine, 1 findings, 2 wrong usage or a failure, 97 this Python lacks a module (the launcher
tries another one).
"""

import os
import sys
from importlib.util import find_spec

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = not os.access(os.path.dirname(os.path.abspath(__file__)), os.W_OK)

try:
    if not (find_spec("jinja2") and find_spec("google.protobuf")):
        sys.exit(97)
except ImportError:
    sys.exit(97)

from varve_cli import VERSION, check, init, migrate
from varve_cli.failure import Failure

COMMANDS = {"init": init, "check": check, "migrate": migrate}


def help_text():
    rows = [f"    {command.USAGE:<32}{command.BRIEF}" for command in COMMANDS.values()]
    return "\n".join(
        [
            "varve: typed storage for C programs, from .proto files.",
            "",
            *rows,
            "",
            "varve COMMAND --help says more of one. varve --version: the version.",
            "The C code itself is made by the build: see varve_generate() in the project that init makes.",
        ]
    )


def run(arguments):
    first = arguments[0] if arguments else ""
    if first in ("--version", "-V"):
        print(f"varve {VERSION}")
        return 0
    if first in ("--help", "-h", "help"):
        print(help_text())
        return 0
    if first in COMMANDS:
        return COMMANDS[first].run(arguments[1:])
    if not first:
        print(help_text(), file=sys.stderr)
        return 2
    what = "option" if first.startswith("-") else "command"
    raise Failure(f'there is no {what} "{first}"; the commands are {", ".join(COMMANDS)}; see varve --help')


def main():
    try:
        return run(sys.argv[1:])
    except Failure as failure:
        print(f"varve: {failure}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 2


if __name__ == "__main__":
    sys.exit(main())
