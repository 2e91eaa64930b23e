# SPDX-License-Identifier: MIT
"""What a pod, an API server or an agent's endpoint answers stops nobody and fills no memory."""
import contextlib
import gzip
import pathlib
import resource
import socketserver
import subprocess
import threading
import time

import pytest

from balancer import Agent, HAProxy
from field import Pod
from hostile import CHUNKED, OK, Hostile, endless, gzip_bomb, with_body
from program import binary, until

BOMB = gzip_bomb()
JSON = b'{"agentsConnections": 3}'

ANSWERS = {
    "gzip around gzip around gzip around gzip": (
        lambda: [OK + b"Transfer-Encoding: gzip, gzip, gzip, gzip\r\n\r\n" + BOMB], "compressed"),
    "gzip in chunks": (
        lambda: [OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n%x\r\n" % len(BOMB) + BOMB + b"\r\n0\r\n\r\n"],
        "compressed"),
    "codings in two headers": (
        lambda: [OK + b"Transfer-Encoding: gzip\r\ntransfer-encoding:\tchunked\r\n\r\n5\r\nabcde\r\n"],
        "compressed"),
    "a content coding": (
        lambda: with_body(gzip.compress(JSON), b"Content-Encoding: gzip"), "compressed"),
    "endless trailers": (
        endless(CHUNKED + b"2\r\n{}\r\n0\r\n", b"X-Trailer: x\r\n" * 1000), "too_large"),
    "an endless trailer": (endless(CHUNKED + b"2\r\n{}\r\n0\r\nX: ", b"x" * 16000), None),
    "endless chunk extensions": (endless(CHUNKED + b"1;", b"x" * 16000), "too_large"),
    "endless headers": (endless(OK, b"X-Header: x\r\n" * 1000), "too_large"),
    "an endless header": (endless(OK + b"X: ", b"x" * 16000), "too_large"),
    "endless interim answers": (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500), "too_large"),
    "an endless body": (endless(OK + b"\r\n", b" " * 16000), "too_large"),
    "a body of many empty chunks' worth": (endless(CHUNKED, b"1\r\n \r\n" * 2000), "too_large"),
}


class Probe(threading.Thread):
    """Asks /healthz all the time; .worst_s is the longest answer."""

    def __init__(self, agent):
        super().__init__(daemon=True)
        self.agent, self.over, self.worst_s, self.n = agent, False, 0.0, 0
        self.start()

    def run(self):
        while not self.over:
            began = time.monotonic()
            assert self.agent.get("/healthz", timeout=60)[0] == 200
            self.worst_s = max(self.worst_s, time.monotonic() - began)
            self.n += 1
            time.sleep(0.01)

    def end(self):
        self.over = True
        self.join()
        assert self.n > 0


def memory_mb(agent):
    pages = pathlib.Path(f"/proc/{agent.pid}/statm").read_text().split()[1]
    return int(pages) * 4096 / 1e6


def peak_mb(agent):
    status = pathlib.Path(f"/proc/{agent.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1000


def outcomes(agent):
    name = "wsbalancer_polls_total{result="
    return {key.removeprefix(name).strip('"}'): int(value)
            for key, value in agent.series().items() if key.startswith(name) and value}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_one_pod_answers_stops_no_other_and_fills_no_memory(name):
    answer, wanted = ANSWERS[name]
    # A release build: a sanitizer's memory and time are its own.
    with Pod() as good, Hostile(answer) as bad, \
            HAProxy([good.address, bad.address], server="weight 100") as haproxy, \
            Agent(haproxy, variant="release") as agent:
        agent.wait_ready()
        probe = Probe(agent)
        before, since = memory_mb(agent), outcomes(agent)
        until(lambda: outcomes(agent).get("ok", 0) >= since.get("ok", 0) + 10, "polls")
        probe.end()
        polls = outcomes(agent)
        assert probe.worst_s < 0.3, probe.worst_s
        assert memory_mb(agent) - before < 4, (before, memory_mb(agent))
        if wanted:
            # On a busy machine one may come too late, whatever it says.
            assert polls.pop("timed_out", 0) <= 1, polls
            assert set(polls) == {"ok", wanted}, polls
        # The honest pod is heard as often as the other is not.
        assert polls["ok"] >= sum(polls.values()) / 2 - 1, polls
        began = time.monotonic()
        agent.stop()
        assert time.monotonic() - began < 2


UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"
EMPTY_SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
# Of which a client may make something, but never a count.
ODD = {
    "another protocol": endless(UPGRADED, b"x" * 16000),
    "another HTTP": endless(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", EMPTY_SETTINGS * 1000),
    "a length below zero": lambda: [OK + b"Content-Length: -1\r\n\r\n" + JSON],
    "a length beyond all": lambda: [OK + b"Content-Length: 99999999999999999999999\r\n\r\n" + JSON],
    "a length that cuts": lambda: [OK + b"Content-Length: 2\r\n\r\n" + JSON],
    "a length that waits": lambda: [OK + b"Content-Length: 60000\r\n\r\n" + JSON],
    "a chunk beyond all": lambda: [CHUNKED + b"FFFFFFFFFFFFFFFFF\r\nx"],
    "a redirect to itself": lambda: [b"HTTP/1.1 302 Found\r\nLocation: /metric\r\nContent-Length: 0\r\n\r\n"],
    "a redirect to a file": lambda: [
        b"HTTP/1.1 301 Moved\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"],
    "a NUL in its head": lambda: [OK + b"X: a\0b\r\nContent-Length: 24\r\n\r\n" + JSON],
    "folded lines": endless(OK + b"X: a\r\n", b" b\r\n" * 1000),
    "no body": lambda: [b"HTTP/1.1 204 No Content\r\n\r\n"],
    "a status that is none": lambda: [b"HTTP/1.1 -200 OK\r\n\r\n"],
}


def test_odd_answers_are_no_counts_and_keep_nobody():
    with contextlib.ExitStack() as stack:
        good = stack.enter_context(Pod())
        bad = [stack.enter_context(Hostile(answer)) for answer in ODD.values()]
        haproxy = stack.enter_context(HAProxy([good.address, *(one.address for one in bad)], server="weight 100"))
        agent = stack.enter_context(Agent(haproxy, variant="release"))
        agent.wait_ready()
        probe = Probe(agent)
        before, since = memory_mb(agent), outcomes(agent)
        until(lambda: outcomes(agent)["ok"] >= since["ok"] + 5, "polls of the honest one")
        probe.end()
        rows = {row["server"]: row for row in agent.json()["podMetrics"]["ws"]}
        heard = [name for i, name in enumerate(ODD) if rows[f"s{i + 2}"]["state"] != "never_heard"]
        assert rows["s1"]["state"] == "heard" and not heard, heard
        assert memory_mb(agent) - before < 4, (before, memory_mb(agent))
        assert agent.series()["wsbalancer_loop_busy_seconds_max"] < 0.1


def test_a_poll_of_many_small_values_costs_little():
    body = b"[" + b"[]," * 21000 + b"0]"
    assert len(body) < 64 * 1024
    with Hostile(lambda: with_body(body)) as bad, \
            HAProxy([bad.address], server="weight 100 check inter 1s") as haproxy, \
            Agent(haproxy, variant="release", pollInterval="100ms", pollTimeout="100ms") as agent:
        agent.wait_ready()
        n, cpu_s = sum(outcomes(agent).values()), agent.cpu_s()
        # Looking costs the agent a report: seldom.
        until(lambda: sum(outcomes(agent).values()) >= n + 40, "polls", pause_s=0.5)
        n = sum(outcomes(agent).values()) - n
        each_s = (agent.cpu_s() - cpu_s) / n
        assert "too_costly" in outcomes(agent), outcomes(agent)
    # Of parsing at most 1 ms; the rest is rounds and requests, at ten a second.
    assert each_s < 0.002, each_s


@pytest.mark.parametrize("name", ["gzip around gzip around gzip around gzip", "endless trailers", "an endless header"])
def test_status_ends_at_an_answer_that_would_never(name):
    with Hostile(ANSWERS[name][0]) as bad:
        began = time.monotonic()
        result = subprocess.run(
            [binary("wsbalancer"), "status", "--url", f"http://{bad.address}"],
            capture_output=True, text=True, timeout=30)
        assert result.returncode == 1
        assert "compressed" in result.stderr or "headers are longer" in result.stderr, result.stderr
        assert time.monotonic() - began < 4


LISTS = ANSWERS | {
    "a list of nothings": (endless(OK + b"\r\n" + b'{"items":[', b"{}," * 5000), None),
    "a list of one long word": (endless(OK + b"\r\n" + b'{"items":["', b"x" * 16000), None),
    "a list within lists": (endless(OK + b"\r\n" + b'{"items":', b"[" * 16000), None),
}


@pytest.mark.parametrize("name, said", [
    ("gzip around gzip around gzip around gzip", "compressed"),
    ("endless trailers", "headers are longer than 32 KiB"),
    ("endless headers", "headers are longer than 32 KiB"),
    ("an endless header", "headers are longer than 32 KiB"),
    ("endless interim answers", "headers are longer than 32 KiB"),
    ("endless chunk extensions", "the answer is longer than 64 MiB"),
    ("a list of nothings", "too many values"),
    ("a list of one long word", "too many bytes"),
    ("a list within lists", "not a JSON object")])
def test_what_the_kubernetes_api_answers_stops_nothing_and_fills_no_memory(name, said):
    # A release build: a sanitizer's memory and time are its own.
    with Pod() as pods, Hostile(LISTS[name][0]) as bad, HAProxy(pods.addresses) as haproxy, \
            Agent(haproxy, variant="release",
                  kubernetes=[{"service": "web", "namespace": "prod", "backend": "ws"}],
                  kubernetesAPI={"server": f"http://{bad.address}"}) as agent:
        agent.wait_http("/healthz")
        probe = Probe(agent)
        assert said in agent.wait_log("the Kubernetes API fails")
        answered = probe.n
        until(lambda: probe.n > answered + 20, "answers of the endpoint")
        probe.end()
        assert probe.worst_s < 0.5
        # json-c needs 38 MB for what is allowed at most, and a long word is held two and a half times.
        assert peak_mb(agent) < 100, peak_mb(agent)


class Garbage:
    """Answers at .socket, as HAProxy does, with what .pieces are then."""

    def __init__(self, path):
        garbage = self
        self.socket, self.pieces, self.n = str(path), [], 0

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                self.rfile.readline()
                garbage.n += 1
                try:
                    for piece in garbage.pieces:
                        self.connection.sendall(piece)
                except OSError:
                    pass

        self.server = socketserver.ThreadingUnixStreamServer(self.socket, Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.server.shutdown()
        self.server.server_close()


@pytest.mark.parametrize("line", [b"x", b"\n", b"# pxname,svname,\n"])
def test_a_long_answer_of_haproxys_is_not_kept(tmp_path, line):
    with Garbage(tmp_path / "socket") as haproxy, Agent(haproxy, variant="release") as agent:
        haproxy.pieces = [b"garbage\n"]
        agent.wait_http("/healthz")
        until(lambda: haproxy.n >= 3, "questions")
        before, haproxy.pieces = memory_mb(agent), [line * (60_000 // len(line))] * 1000
        n = haproxy.n
        until(lambda: haproxy.n >= n + 3, "an answer of 60 MB")
        haproxy.pieces = [b"garbage\n"]
        until(lambda: memory_mb(agent) < before + 8, f"its memory to be given back, {before} MB before")
        assert agent.get("/healthz")[0] == 200


def test_memory_that_cannot_be_had_is_told_and_ends_nothing():
    """Answers that need more than there is: the limit is set beside the running agent, and lifted again."""
    body = [JSON]
    with Pod() as good, Hostile(lambda: with_body(body[0])) as bad, \
            HAProxy([good.address, bad.address], server="weight 100") as haproxy, \
            Agent(haproxy, variant="release") as agent:
        agent.wait_ready()
        until(lambda: outcomes(agent)["ok"] >= 8, "both to be heard")
        size = int(pathlib.Path(f"/proc/{agent.pid}/statm").read_text().split()[0]) * 4096
        resource.prlimit(agent.pid, resource.RLIMIT_AS, (size + 512 * 1024, resource.RLIM_INFINITY))
        body[0] = b'{"agentsConnections": 3%s}' % b"".join(b',"k%d":0' % i for i in range(6000))
        until(lambda: outcomes(agent).get("out_of_memory", 0) >= 5, "answers that do not fit")
        since = outcomes(agent)
        assert set(since) == {"ok", "out_of_memory"}, since
        resource.prlimit(agent.pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        until(lambda: outcomes(agent)["ok"] >= since["ok"] + 10, "both to be heard again")
        assert agent.json()["podMetrics"]["ws"][1]["agentsConnections"] == 3
