"""varve check: what the build would say of schemas, without a build. protoc does it, with the plugin."""

import re
import sys

from varve_cli import place, schemas
from varve_cli.arguments import Parser

USAGE = "varve check [-I DIR] PROTO.."
BRIEF = "says what is wrong in schemas; writes nothing"

_EPILOG = f"""{schemas.IMPORTS} Exit status: 0 no findings, 1 findings, 2 wrong usage or a failure."""

_PLUGIN_FAILED = re.compile(r"^--varve_out: .*\n", re.MULTILINE)  # what protoc adds to the plugin's own words


def run(arguments):
    parser = Parser(prog="varve check", description="Says what is wrong in schemas; writes nothing.", epilog=_EPILOG)
    schemas.add_arguments(parser)
    parsed = parser.parse_intermixed_args(arguments)
    sources = schemas.Sources(parsed.protos, parsed.folders)
    plugin = (f"--plugin=protoc-gen-varve={place.PLUGIN}", "--varve_out=out")
    with sources.protoc(*plugin, VARVE_PYTHON=sys.executable) as (status, said, _):
        sys.stderr.write(sources.as_given(_PLUGIN_FAILED.sub("", said)))
    if status == 0:
        count = len(sources.names)
        print(f"{count} file{'s' if count > 1 else ''}, no findings")
    return 1 if status else 0
