"""bench_cache's counterparts in other processes: redis-py, and redis-benchmark, which is started here.

    python_cache.py SOCKET SIZE

Requests are lines on stdin, "VERB N", each answered with the nanoseconds that the work took N times. A
put_many or get_many is 256 values in one pipeline; benchmark_set and benchmark_get are N times 256 commands
of `redis-benchmark -P 64`, whose time is what it says itself.
"""

import random
import subprocess
import sys
import time

import redis

PIPELINE = 256
KEYS = 4096


def key(i):
    return f"python:{i * 2654435761 % KEYS}"


class Work:
    def __init__(self, socket, size):
        self.socket, self.size = socket, size
        self.client = redis.Redis(unix_socket_path=socket)
        self.value = random.Random(size).randbytes(size)
        for i in range(KEYS):
            self.client.set(key(i), self.value, ex=3600)

    def put(self, count):
        for i in range(count):
            self.client.set(key(i), self.value, ex=3600)

    def get(self, count):
        for i in range(count):
            assert len(self.client.get(key(i))) == self.size

    def put_many(self, count):
        for n in range(count):
            pipeline = self.client.pipeline(transaction=False)
            for i in range(PIPELINE):
                pipeline.set(key(n * PIPELINE + i), self.value, ex=3600)
            assert all(pipeline.execute())

    def get_many(self, count):
        for n in range(count):
            pipeline = self.client.pipeline(transaction=False)
            for i in range(PIPELINE):
                pipeline.get(key(n * PIPELINE + i))
            assert all(pipeline.execute())

    def benchmark(self, test, count):
        """The nanoseconds of `count` pipelines, by the rate that redis-benchmark reports."""
        commands = count * PIPELINE
        arguments = ["-s", self.socket, "-t", test, "-P", "64", "-c", "1", "-n", str(commands), "-d", str(self.size),
                     "-r", str(KEYS), "--csv"]
        result = subprocess.run(["redis-benchmark"] + arguments, capture_output=True, text=True, check=True)
        rate = float(result.stdout.splitlines()[-1].split(",")[1].strip('"'))
        return int(commands / rate * 1e9)


def main():
    work = Work(sys.argv[1], int(sys.argv[2]))
    for line in sys.stdin:
        verb, count = line.split()
        if verb.startswith("benchmark_"):
            answer = work.benchmark(verb.removeprefix("benchmark_"), int(count))
        else:
            start = time.perf_counter_ns()
            getattr(work, verb)(int(count))
            answer = time.perf_counter_ns() - start
        print(answer, flush=True)


main()
