#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Records which server a real HAProxy chooses, for tests/unit/test_sim_lb.c.

    record_choices.py roundrobin 2000 1 > tests/data/choices-roundrobin.txt

Starts an HAProxy of one thread in front of servers that say their number to whoever connects, and
mixes new connections, ended connections, changes of weight, and servers going and coming, drawn
from a seed. Each line is one thing that happened, in order:

    servers W...    the configured weights, server 0 first
    take S          a connection began, and HAProxy chose server S
    drop S          a connection on server S ended
    weight S W      its weight was set
    down S / up S   it went into maintenance, or came back

"balance random" draws numbers that nobody outside knows, so of random(1), one draw, only how often
each of some light servers came up is recorded: STEPS draws, "count S N" for each.
"""

import os
import pathlib
import random
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from program import until  # noqa: E402


def listen():
    sock = socket.create_server(("127.0.0.1", 0), backlog=1024)
    return sock, sock.getsockname()[1]


def serve(sock, number):
    """Says its number to each connection and holds it until the other side ends it."""

    def hold(conn):
        with conn:
            conn.sendall(bytes([number]))
            while conn.recv(64):
                pass

    while True:
        conn, _ = sock.accept()
        threading.Thread(target=hold, args=(conn,), daemon=True).start()


class Haproxy:
    def __init__(self, folder, algo, weights):
        self.control = os.path.join(folder, "stats.sock")
        self.front = os.path.join(folder, "front.sock")
        lines = [
            "global", " nbthread 1", f" stats socket {self.control} level admin",
            "defaults", " mode tcp", " timeout connect 5s", " timeout client 1h",
            " timeout server 1h",
            "frontend front", f" bind unix@{self.front}", " default_backend pods",
            "backend pods", f" balance {algo}",
        ]
        for number, weight in enumerate(weights):
            sock, port = listen()
            threading.Thread(target=serve, args=(sock, number), daemon=True).start()
            lines.append(f" server s{number} 127.0.0.1:{port} weight {weight}")
        path = os.path.join(folder, "haproxy.cfg")
        with open(path, "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")
        self.process = subprocess.Popen(["haproxy", "-db", "-f", path])
        until(lambda: os.path.exists(self.front) and os.path.exists(self.control), "HAProxy's sockets")

    def command(self, line):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(self.control)
            sock.sendall(line.encode() + b"\n")
            sock.shutdown(socket.SHUT_WR)
            answer = b""
            while part := sock.recv(65536):
                answer += part
        return answer.decode()

    def sessions(self, server):
        for line in self.command("show stat pods 4 -1").splitlines():
            fields = line.split(",")
            if fields[1] == f"s{server}":
                return int(fields[4])
        raise LookupError(server)

    def take(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(self.front)
        return sock, sock.recv(1)[0]


def run(algo, steps, seed):
    rng = random.Random(seed)
    weights = [rng.choice((1, 7, 20, 100, 100, 256)) for _ in range(9)]
    held = []
    count = [0] * len(weights)
    down = set()
    print(f"# HAProxy choosing by {algo}; recorded by tests/sim/record_choices.py, seed {seed}")
    print("servers", *weights)
    with tempfile.TemporaryDirectory() as folder:
        haproxy = Haproxy(folder, algo, weights)
        try:
            for _ in range(steps):
                dice = rng.random()
                if dice < 0.60 or not held:
                    sock, server = haproxy.take()
                    held.append((sock, server))
                    count[server] += 1
                    print("take", server)
                elif dice < 0.85:
                    sock, server = held.pop(rng.randrange(len(held)))
                    sock.close()
                    count[server] -= 1
                    until(lambda: haproxy.sessions(server) == count[server], "the session to end")
                    print("drop", server)
                elif dice < 0.97:
                    server = rng.randrange(len(weights))
                    weight = rng.choice((1, 2, 33, 100, 200, 255, 256, rng.randint(1, 256)))
                    haproxy.command(f"set server pods/s{server} weight {weight}")
                    print("weight", server, weight)
                elif down and (dice < 0.985 or len(down) > 4):
                    server = down.pop()
                    haproxy.command(f"set server pods/s{server} state ready")
                    print("up", server)
                else:
                    server = rng.randrange(len(weights))
                    if server not in down:
                        down.add(server)
                        haproxy.command(f"set server pods/s{server} state maint")
                        print("down", server)
        finally:
            haproxy.process.terminate()
            haproxy.process.wait()


def count_draws(steps, seed):
    weights = [1, 1, 1, 1, 2, 2, 3, 3]
    count = [0] * len(weights)
    print(f"# HAProxy choosing by random(1); recorded by tests/sim/record_choices.py, seed {seed}")
    print("servers", *weights)
    with tempfile.TemporaryDirectory() as folder:
        haproxy = Haproxy(folder, "random(1)", weights)
        try:
            for _ in range(steps):
                sock, server = haproxy.take()
                sock.close()
                count[server] += 1
        finally:
            haproxy.process.terminate()
            haproxy.process.wait()
    for server, n in enumerate(count):
        print("count", server, n)


if __name__ == "__main__":
    if sys.argv[1] == "random":
        count_draws(int(sys.argv[2]), int(sys.argv[3]))
    else:
        run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
