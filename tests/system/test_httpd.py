# SPDX-License-Identifier: MIT
"""The HTTP endpoint when descriptors or places run out: a probe gets in, whoever keeps them."""
import resource
import socket
import subprocess
import time

import pytest
from balancer import Agent, HAProxy
from field import Pod
from ports import free_port
from program import until

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"


def limit(agent, n):
    resource.prlimit(agent.pid, resource.RLIMIT_NOFILE, (n, 20000))


def ask(agent):
    """A connection that has asked."""
    host, port = agent.http.split(":")
    link = socket.create_connection((host, int(port)), timeout=10)
    link.sendall(REQUEST)
    return link


@pytest.fixture(name="agent")
def fixture_agent():
    """An agent that does nothing meanwhile: whoever opens and closes files is the test."""
    with Pod() as pod, HAProxy(pod.addresses) as haproxy, \
            Agent(haproxy, variant="release", pollInterval="1h", cacheTTL="2h") as agent:
        agent.wait_ready()
        seen = []

        def quiet():
            seen.append(agent.n_files())
            time.sleep(0.02)
            return len(seen) > 20 and len(set(seen[-20:])) == 1

        until(quiet, "the agent to have nothing under way")
        yield agent
        limit(agent, 20000)
        until(lambda: agent.get("/healthz")[0] == 200, "an answer")


def test_who_has_been_answered_makes_room_when_descriptors_run_out(agent):
    limit(agent, agent.n_files() + 1)
    with ask(agent) as first, ask(agent) as second:
        assert first.recv(100).startswith(b"HTTP/1.1 200 ")
        assert second.recv(100).startswith(b"HTTP/1.1 200 ")


def test_without_any_descriptor_the_agent_does_not_spin_and_answers_later(agent):
    limit(agent, agent.n_files())
    with ask(agent) as link:
        before, began = agent.cpu_s(), time.monotonic()
        time.sleep(1)  # what is measured is a second of it
        used = (agent.cpu_s() - before) / (time.monotonic() - began)
        assert used < 0.2, f"{used:.0%} of a core"
        limit(agent, 20000)
        assert link.recv(100).startswith(b"HTTP/1.1 200 ")


PLACES = 128


def connect(agent, source="127.0.0.1"):
    host, port = agent.http.split(":")
    return socket.create_connection((host, int(port)), timeout=10, source_address=(source, 0))


def closed(links):
    """How many of them the agent has closed."""
    n = 0
    for link in links:
        link.setblocking(False)
        try:
            n += link.recv(65536) == b""
        except BlockingIOError:
            pass
        except ConnectionResetError:
            n += 1
    return n


def probes(agent, n=20):
    """The worst time of some probes."""
    worst = 0.0
    for _ in range(n):
        began = time.monotonic()
        assert agent.get("/healthz")[0] == 200
        worst = max(worst, time.monotonic() - began)
    return worst


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nX: ", REQUEST, b"\x16\x03\x01"])
def test_a_probe_gets_in_whoever_has_all_the_places(agent, sent):
    links = [connect(agent) for _ in range(PLACES)]
    try:
        for link in links:
            link.sendall(sent)
        assert probes(agent) < 1
        for link in [connect(agent) for _ in range(PLACES)]:
            link.sendall(sent)
            links.append(link)
        assert probes(agent) < 1
        assert "times=1" in agent.wait_log("connections are taken")
        series = agent.series()
        assert series["wsbalancer_http_connections"] <= PLACES
        assert series['wsbalancer_http_connections_dropped_total{result="crowded"}'] >= PLACES
        until(lambda: closed(links) > 0, "one that made room")
    finally:
        for link in links:
            link.close()


def test_whoever_waits_for_a_whole_request_goes_before_the_idle_and_these_before_the_busy(agent):
    busy = connect(agent)
    busy.sendall(b"GET /balancer-metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    idle = [ask(agent) for _ in range(60)]
    heads = [connect(agent) for _ in range(60)]
    try:
        for link in idle:
            assert link.recv(100).startswith(b"HTTP/1.1 200 ")
        for _ in range(60 + 20):
            heads.append(connect(agent))
            probes(agent, 1)
        assert closed(heads[:60]) == 60 and closed(idle) == 0
    finally:
        for link in (busy, *idle, *heads):
            link.close()


def test_a_request_that_trickles_in_is_given_up(agent):
    with connect(agent) as link:
        began = time.monotonic()
        link.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
        try:
            while time.monotonic() - began < 20:
                link.sendall(b"x")
                time.sleep(0.3)
        except OSError:
            pass
        assert 9 < time.monotonic() - began < 13
    dropped = 'wsbalancer_http_connections_dropped_total{result="slow_request"}'
    until(lambda: agent.series()[dropped] == 1, "it to be counted")


def test_one_other_host_has_half_of_the_places_at_most():
    subprocess.run(["ip", "address", "add", "192.0.2.1/32", "dev", "lo"], check=False)
    with Pod() as pod, HAProxy(pod.addresses) as haproxy:
        port = free_port()
        with Agent(haproxy, listen=f"*:{port}") as agent:
            agent.http = f"127.0.0.1:{port}"
            agent.wait_ready()
            try:
                links = [socket.create_connection(("192.0.2.1", port), timeout=5,
                                                  source_address=("192.0.2.1", 0)) for _ in range(PLACES)]
            except OSError:
                pytest.skip("no address can be added here: needs a network namespace")
            ours = [connect(agent) for _ in range(50)]
            probes(agent)
            assert closed(links) == PLACES // 2 and closed(ours) == 0
            agent.wait_log("one address has half of the endpoint's connections")
            for link in (*links, *ours):
                link.close()
