# SPDX-License-Identifier: MIT
"""`wsbalancer advise`: what a HAProxy's own counts say, without an agent, a pod's word or a change."""
import json
import re
import signal
import socket
import subprocess
import threading

import pytest

from balancer import HAProxy
from field import Load, Pod
from program import Program, binary, until
from test_check import has
from test_metric_bodies import RawPod, http
from test_reach import backend
from truth import imbalance


class Relay:
    """Hands connections on to HAProxy's socket, and keeps what they asked."""

    def __init__(self, path):
        self.to, self.path, self.asked = path, path + ".relay", []
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.path)
        self.server.listen(16)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            with client, client.makefile("rb") as lines, socket.socket(socket.AF_UNIX) as s:
                # A worker that ends meanwhile may leave a connection that it has not taken without an answer.
                client.settimeout(2)
                s.settimeout(2)
                try:
                    line = lines.readline()
                    s.connect(self.to)
                    s.sendall(line)
                    s.shutdown(socket.SHUT_WR)
                    while chunk := s.recv(65536):
                        client.sendall(chunk)
                    self.asked.append(line.decode())
                except OSError:
                    continue

    def close(self):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.thread.join()


class Advise(Program):
    """Looks for as long as it is let."""

    def __init__(self, haproxy, *words):
        self.relay = Relay(haproxy.socket)
        super().__init__([binary("wsbalancer"), "advise", "--for", "1h", "--socket", self.relay.path, *words])

    def wait_readings(self, n):
        """HAProxy has been asked n more times, and all but the last answer was taken."""
        def asked():
            assert self.running(), self.err
            return len(self.relay.asked) >= wanted

        wanted = len(self.relay.asked) + n + 1
        until(asked, f"{n} readings")

    def end(self):
        """Its lines."""
        self.signal(signal.SIGINT)
        assert self.wait(20) == 0, self.err
        assert self.err == [], self.err
        commands = {command.strip() for line in self.relay.asked for command in line.split(";")}
        assert commands and all(command.startswith("show ") for command in commands), commands
        return self.out

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.relay.close()


def lines_of(lines, name):
    """What is said of one backend."""
    at = next(i for i, line in enumerate(lines) if line.startswith(f"backend {name}: "))
    return lines[at:next(i for i in range(at + 1, len(lines)) if not lines[i].startswith("  "))]


def number(lines, pattern):
    found = [float(m[1]) for m in (re.search(pattern, line) for line in lines) if m]
    assert len(found) == 1, (pattern, lines)
    return found[0]


def test_a_level_haproxy_needs_leastconn_alone():
    """Connections come and go, and leastconn keeps them level. No pod is asked."""
    with Pod(n=3) as pod, RawPod(http("{}")) as counter:
        with HAProxy(pod.addresses, server="weight 100", level="operator",
                     more=backend("other", counter.address, counter.address)) as haproxy:
            with Load(haproxy.url, connections=60, lifetime=2) as load, Advise(haproxy) as advise:
                load.wait_standing()
                advise.wait_readings(5)
                lines = advise.end()
                load.stop()
        assert counter.requests == []
    assert has(lines, "HAProxy ", "up for") and has(lines, "reloads or restarts in that time: 0")
    assert has(lines, "old workers that are alive: 0")
    assert has(lines, "timeout tunnel", "hard-stop-after") and has(lines, "other HAProxies")
    ws = lines_of(lines, "ws")
    assert has(ws, "balance leastconn, 3 servers in use, 0 free slots")
    assert number(ws, r" (\d+) came") > 60 and 1 <= number(ws, r"each lives about (\d+) s") < 5
    assert has(ws, "leastconn is all you need here") and has(lines_of(lines, "other"), "0 connections stand")
    assert lines[-1] == "verdict: leastconn is all you need, as far as this HAProxy shows"


# What the old worker holds is read, or reckoned where only its process is seen.
@pytest.mark.parametrize("master", [True, False], ids=["master", "processes"])
def test_a_scale_out_with_a_reload_is_worth_an_agent(master):
    with Pod(n=3) as pod, HAProxy(pod.addresses[:2], server="weight 100") as haproxy:
        words = ["--master", str(haproxy.dir / "master.sock")] if master else []
        with Load(haproxy.url, connections=300) as first, Advise(haproxy, *words) as advise:
            first.wait_standing()
            advise.wait_readings(1)
            haproxy.servers["s3"] = pod.addresses[2]
            haproxy.write()
            haproxy.reload()
            advise.wait_readings(1)
            # leastconn divides these by three, as its new worker knows of no others.
            with Load(haproxy.url, connections=120, rate=40) as second:
                second.wait_standing()
                advise.wait_readings(3)
                truth = imbalance([pod.metric(i) for i in range(3)])
                lines = advise.end()
                second.stop()
            first.stop()
    assert has(lines, "reloads or restarts in that time: 1") and has(lines, "old workers that are alive: 1")
    assert has(lines, "the master socket") == master and has(lines, "is reckoned") != master
    ws = lines_of(lines, "ws")
    # 190, 190 and 40: the pods know, and so does who adds what the old worker holds.
    assert truth == pytest.approx(190 / 140 - 1, abs=0.02)
    assert number(ws, r"in the mean, ([\d.]+) % at the end") == pytest.approx(100 * truth, abs=0.1)
    # All 120 for the third pod: 150, 150 and 120. In the mean less, as they came one after the other.
    gain = number(ws, r"the agent would gain you (\d+) points here")
    best = 100 * (truth - (150 / 140 - 1))
    assert best / 4 < gain <= best + 1
    assert lines[-1].startswith(f"verdict: the agent would gain you {gain:.0f} points of imbalance in backend ws")


def test_another_algorithm_is_told_to_become_leastconn():
    """source leads all clients of one address to one server."""
    with Pod(n=2) as pod, HAProxy(pod.addresses, balance="source", server="weight 100") as haproxy:
        with Advise(haproxy) as advise:
            advise.wait_readings(1)
            with Load(haproxy.url, connections=40) as load:
                load.wait_standing()
                advise.wait_readings(3)
                lines = advise.end()
                load.stop()
    ws = lines_of(lines, "ws")
    assert has(ws, "balance source") and has(ws, "100.0 % at the end")
    # The readings before and while they came have less.
    assert 40 < number(ws, r"write balance leastconn, which would gain you (\d+) points") <= 100
    assert lines[-1].startswith("verdict: leastconn is all you need; backend ws has another algorithm")


def test_an_uneven_backend_to_which_nobody_comes_is_left_open():
    with Pod(n=2) as pod, HAProxy(pod.addresses, server="weight 100") as haproxy:
        haproxy.cli("set server ws/s2 state maint")
        with Load(haproxy.url, connections=40) as load:
            load.wait_standing()
            haproxy.cli("set server ws/s2 state ready")
            with Advise(haproxy) as advise:
                advise.wait_readings(2)
                lines = advise.end()
            load.stop()
    assert has(lines_of(lines, "ws"), "it would take 20 connections to even it out, and fewer came")
    assert lines[-1] == ("verdict: backend ws is uneven, and too few connections came to tell what would help: "
                         "look for longer")


def test_no_haproxy_no_master_no_configuration(tmp_path):
    def advise(*words):
        return subprocess.run([binary("wsbalancer"), "advise", *words], capture_output=True, text=True, timeout=30)

    result = advise("--socket", str(tmp_path / "none.sock"))
    assert result.returncode == 1 and "none.sock" in result.stderr and "verdict" not in result.stdout
    file = tmp_path / "wsbalancer.yaml"
    file.write_text(json.dumps({"agentCheck": {"listen": "127.0.0.1:9181"},
                                "services": [{"name": "a", "servers": [{"name": "s", "address": "10.0.0.1:1"}]}]}))
    result = advise("-c", str(file))
    assert result.returncode == 1 and "no haproxy.socket" in result.stderr
    for words, said in [(["--for", "1"], "a time from 2s to 24h is needed, not '1'"),
                        (["--frr", "1m"], "did you mean --for?"), (["now"], "no further argument is expected")]:
        result = advise(*words)
        assert result.returncode == 2 and said in result.stderr
    with Pod() as pod, HAProxy(pod.addresses) as haproxy:
        result = advise("--socket", haproxy.socket, "--master", haproxy.socket)
        assert result.returncode == 1 and "the master socket" in result.stderr
