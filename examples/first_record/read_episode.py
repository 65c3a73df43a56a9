"""Reads what first_record packed, with python3-protobuf and the same schema: no varve in between.

    read_episode.py --program build/dev/examples/first_record/first_record --schema schema
"""

import argparse
import os
import subprocess
import tempfile

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format


def message_class(protoc, schema, proto, name, folder):
    """The class of a message, made from the .proto at run time."""
    compiled = os.path.join(folder, "schema.pb")
    subprocess.run(
        [protoc, f"-I{schema}", "--include_imports", f"--descriptor_set_out={compiled}", proto],
        check=True,
    )
    pool = descriptor_pool.DescriptorPool()
    with open(compiled, "rb") as file:
        for described in descriptor_pb2.FileDescriptorSet.FromString(file.read()).file:
            pool.Add(described)
    descriptor = pool.FindMessageTypeByName(name)
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--protoc", default="protoc")
    parser.add_argument("--schema", default="schema")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        packed = os.path.join(folder, "episode.bin")
        data = os.path.join(folder, "data")
        subprocess.run([arguments.program, data, packed], check=True, stdout=subprocess.DEVNULL)
        episode = message_class(
            arguments.protoc, arguments.schema, "cortex/episode.proto", "cortex.Episode", folder
        )
        with open(packed, "rb") as file:
            print(text_format.MessageToString(episode.FromString(file.read())), end="")


if __name__ == "__main__":
    main()
