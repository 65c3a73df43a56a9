"""bench_wire's counterpart in Python: packs and unpacks a message, and times itself.

    python_episode.py DESCRIPTORS

DESCRIPTORS is a FileDescriptorSet that protoc wrote. Requests are lines on stdin, each answered with
one line on stdout:

    load NAME HEX     parse these bytes as the message NAME; the answer is the message packed, as hex
    pack N            pack that message N times; the answer is the time in nanoseconds
    unpack N          parse those bytes N times; the same
"""

import gc
import sys
import time

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


def message_class(path, name):
    with open(path, "rb") as file:
        files = descriptor_pb2.FileDescriptorSet.FromString(file.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    descriptor = pool.FindMessageTypeByName(name)
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


def pack(message, count):
    start = time.perf_counter_ns()
    for _ in range(count):
        message.SerializeToString()
    return time.perf_counter_ns() - start


def unpack(parse, data, count):
    start = time.perf_counter_ns()
    for _ in range(count):
        parse(data)
    return time.perf_counter_ns() - start


def main():
    message = parse = data = None
    gc.disable()  # rounds are short, and nothing here makes cycles
    for line in sys.stdin:
        verb, *rest = line.split()
        if verb == "load":
            parse = message_class(sys.argv[1], rest[0]).FromString
            data = bytes.fromhex(rest[1])
            message = parse(data)
            answer = message.SerializeToString().hex()
        elif verb == "pack":
            answer = pack(message, int(rest[0]))
        elif verb == "unpack":
            answer = unpack(parse, data, int(rest[0]))
        else:
            sys.exit(f"python_episode.py: error: no such request: {verb}")
        print(answer, flush=True)


if __name__ == "__main__":
    main()
