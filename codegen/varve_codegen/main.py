"""The plugin's entry: a CodeGeneratorRequest on stdin, a CodeGeneratorResponse on stdout.

Exit codes: 0 done, 1 errors (on stderr, nothing generated), 97 this Python lacks a module (the
launcher tries another one).
"""

import gc
import os
import sys

gc.disable()  # a run is short and keeps nearly all that it makes

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = not os.access(os.path.dirname(os.path.abspath(__file__)), os.W_OK)

try:
    import jinja2  # noqa: F401
    from google.protobuf.compiler import plugin_pb2
    from google.protobuf.message import DecodeError
except ImportError:
    sys.exit(97)

from varve_codegen.build import build
from varve_codegen.check import check
from varve_codegen.errors import Errors, InputError
from varve_codegen.parameters import parse
from varve_codegen.read import Positions, Request
from varve_codegen.render.render import Renderer


def generate(data):
    """The response to a request; InputError with the report when there are errors."""
    request = Request(data)
    parameters = parse(request.parameter)
    positions = Positions(request.raw_files.values())
    schema = build(request, positions)
    errors = Errors(positions)
    parameters.check(schema, errors)
    check(schema, request.options, errors)
    migrations = () if errors else parameters.read_migrations(schema, errors)
    if errors:
        raise InputError("\n".join(errors.lines(request.to_generate)))
    renderer = Renderer(schema, request.descriptor_set, migrations)
    response = plugin_pb2.CodeGeneratorResponse()
    response.supported_features = plugin_pb2.CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    for name, content in parameters.outputs(schema, renderer):
        response.file.add(name=name, content=content)
    return response


def main():
    try:
        response = generate(sys.stdin.buffer.read())
    except DecodeError:
        print("protoc-gen-varve: error: stdin is no CodeGeneratorRequest; protoc runs this plugin", file=sys.stderr)
        return 1
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    sys.stdout.buffer.write(response.SerializeToString())
    return 0


if __name__ == "__main__":
    sys.exit(main())
