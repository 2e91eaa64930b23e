# SPDX-License-Identifier: MIT
"""Ports for programs that cannot say which one port 0 became."""
import random
import socket

# Below those that the kernel gives to connections, so that none takes one before it is listened at.
RANGE = range(12000, 32000)

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
