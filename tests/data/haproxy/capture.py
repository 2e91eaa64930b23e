#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Captures a HAProxy's answers into this folder; by hand, for a version not yet here.

    tests/data/haproxy/capture.py            # the haproxy in PATH
    tests/data/haproxy/capture.py ROOT       # the one in a root made by mmdebstrap; as root

Writes VERSION-NAME.txt for each question. Ports are fixed, so that the captures compare.
"""
import csv
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "lib"))

from program import until  # noqa: E402

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "/")
ALL = "show stat -1 6 -1;show servers state;show info"
QUESTIONS = [
    ("admin", "admin", ALL),
    ("missing", "admin", "show stat absent 6 -1;show servers state absent;"
     "show stat slots 6 -1;show servers state slots;show info"),
    ("user", "user", ALL),
    ("complaints", "admin", "set server pods/absent weight 3;set server pods/plain weight 257;"
     "set server pods/plain weight 50;set server absent/a weight 1;set weird"),
    ("forbidden", "user", "set server pods/plain weight 50"),
    ("obeyed", "admin", "set server pods/plain weight 1;set server pods/checked weight 100;"
     "set server pods/asked agent-send pods/asked"),
    ("unknown", "admin", "show servers stat;show info"),
]
ADDRESSES = {b"pods": [b"\x7f\0\0\x0b", b"\x7f\0\0\x0c"], b"other": []}


def serve_dns(sock):
    """A records of pods.test and other.test; nothing else is there."""
    while True:
        query, client = sock.recvfrom(512)
        end = query.index(b"\0", 12) + 5
        name = query[13:13 + query[12]]
        found = ADDRESSES.get(name, []) if query[end - 4:end - 2] == b"\0\1" else []
        records = b"".join(b"\xc0\x0c\0\1\0\1\0\0\0\x05\0\4" + a for a in found)
        header = query[:2] + b"\x81\x80\0\1" + len(found).to_bytes(2, "big") + b"\0\0\0\0"
        sock.sendto(header + query[12:end] + records, client)


def listen(family, address):
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(address)
    sock.listen()
    return sock


def ask(path, line):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        sock.sendall(line.encode() + b"\n")
        return b"".join(iter(lambda: sock.recv(65536), b""))


def is_settled(folder):
    answer = ask(folder / "admin.sock", "show servers state")
    return b"127.0.0.11" in answer and b"127.0.0.12" in answer and \
        b"DOWN," in ask(folder / "admin.sock", "show stat pods 4 -1")


def sessions(folder):
    rows = csv.DictReader(ask(folder / "admin.sock", "show stat pods 2 -1").decode().split("\n"))
    return int(next(rows)["scur"])


def capture(folder):
    until((folder / "door.sock").exists, "HAProxy's socket")
    until(lambda: is_settled(folder), "addresses, and failed checks")
    ask(folder / "admin.sock", "set server pods/drained state drain")
    clients = []
    for _ in range(9):
        clients.append(socket.socket(socket.AF_UNIX))
        clients[-1].connect(str(folder / "door.sock"))
    until(lambda: sessions(folder) == 9, "9 sessions")
    version = ask(folder / "admin.sock", "show info").split(b"Version: ")[1].split(b"\n")[0]
    short = ".".join(version.decode().split(".")[:2])
    for name, level, line in QUESTIONS:
        answer = ask(folder / f"{level}.sock", line)
        answer = answer.replace(str(folder)[len(str(ROOT).rstrip("/")):].encode(), b"/run/test")
        (HERE / f"{short}-{name}.txt").write_bytes(answer)
    print(f"{short}: {len(QUESTIONS)} answers of {version.decode()}")


def main():
    folder = pathlib.Path(tempfile.mkdtemp(dir=ROOT / "tmp"))
    folder.chmod(0o755)
    inside = "/" + str(folder.relative_to(ROOT))
    dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    dns.bind(("127.0.0.1", 0))
    threading.Thread(target=serve_dns, args=(dns,), daemon=True).start()
    pods = [listen(socket.AF_INET, ("127.0.0.1", port)) for port in range(18080, 18090)]
    pods.append(listen(socket.AF_INET6, ("::1", 18088)))
    pods.append(listen(socket.AF_UNIX, str(folder / "pod.sock")))
    config = (HERE / "capture.cfg").read_text()
    config = config.replace("@DIR@", inside).replace("@DNS@", str(dns.getsockname()[1]))
    (folder / "haproxy.cfg").write_text(config)
    command = ["haproxy", "-db", "-f", f"{inside}/haproxy.cfg"]
    if ROOT != pathlib.Path("/"):
        command = ["chroot", str(ROOT)] + command
    haproxy = subprocess.Popen(command)
    try:
        capture(folder)
    finally:
        haproxy.terminate()
        haproxy.wait()
        shutil.rmtree(folder)


main()
