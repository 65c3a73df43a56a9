"""Times the stages of one generation, in the process where it happens.

    stages.py CODEGEN REQUEST

CODEGEN is the folder that has varve_codegen, REQUEST a CodeGeneratorRequest as protoc sent it. Prints
a JSON object of seconds of processor time by stage. The stages are the functions that varve_codegen.main calls; what
they do not take of its time is rendering, which happens while the response is filled.
"""

import json
import sys
import time


def main():
    start = time.process_time()
    codegen, request = sys.argv[1:]
    sys.path.insert(0, codegen)
    import google.protobuf.compiler.plugin_pb2  # noqa: F401
    import jinja2  # noqa: F401

    seconds = {"imports protobuf, jinja2": time.process_time() - start}
    start = time.process_time()
    from varve_codegen import main as plugin

    seconds["imports varve_codegen"] = time.process_time() - start

    def timed(name, function):
        def call(*arguments):
            start = time.process_time()
            result = function(*arguments)
            seconds[name] = seconds.get(name, 0) + time.process_time() - start
            return result

        return call

    for attribute, name in (
        ("Request", "reads"),
        ("Positions", "reads"),
        ("build", "builds the model"),
        ("check", "checks"),
    ):
        setattr(plugin, attribute, timed(name, getattr(plugin, attribute)))
    with open(request, "rb") as file:
        data = file.read()
    before = sum(seconds.values())
    start = time.process_time()
    response = plugin.generate(data)
    seconds["renders"] = time.process_time() - start - (sum(seconds.values()) - before)
    start = time.process_time()
    response.SerializeToString()
    seconds["serializes"] = time.process_time() - start
    json.dump(seconds, sys.stdout)


if __name__ == "__main__":
    main()
