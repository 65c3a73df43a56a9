"""Runs working_memory with a redis-server of its own, twice: the second run finds what the first has put.

    with_redis.py --program build/dev/examples/working_memory/working_memory
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time


def start_server(folder):
    """A redis-server on a Unix socket in the folder, which answers."""
    socket = os.path.join(folder, "redis.sock")
    arguments = ["--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder]
    try:
        server = subprocess.Popen(["redis-server", *arguments], stdout=subprocess.DEVNULL)
    except FileNotFoundError:
        sys.exit("redis-server is not installed. On Debian: apt-get install redis-server")
    for _ in range(1000):
        if os.path.exists(socket):
            return server, socket
        if server.poll() is not None:
            break
        time.sleep(0.01)
    server.kill()
    sys.exit("redis-server did not start")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server, socket = start_server(folder)
        try:
            environment = {k: v for k, v in os.environ.items() if not k.startswith("REDIS_")}
            environment["REDIS_UNIX_SOCKET"] = socket
            for _ in range(2):
                subprocess.run([arguments.program], check=True, env=environment)
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
