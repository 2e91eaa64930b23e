# SPDX-License-Identifier: MIT
"""Ports for programs that cannot say which one port 0 became."""
import os
import random
import socket

# Below those that the kernel gives to connections, so that none takes one before it is listened at. Of tests
# side by side each process has its own part: what one was told is free, another would be told too.
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
RANGE = range(12000 + WORKER, 32000, WORKERS)

_given = set()


def free_port(host="127.0.0.1"):
    """A port of the host ("": of every address) that was free a moment ago, and another each time."""
    for port in random.SystemRandom().sample(RANGE, len(RANGE)):
        if port in _given:
            continue
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise AssertionError("no free port")
