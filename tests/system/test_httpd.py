# SPDX-License-Identifier: MIT
"""The HTTP endpoint when descriptors run out: it waits, does not spin, and answers again."""
import os
import resource
import socket
import time

import pytest
from balancer import Agent, HAProxy
from field import Pod
from program import until

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"


def open_files(agent):
    return len(os.listdir(f"/proc/{agent.pid}/fd"))


def limit(agent, n):
    resource.prlimit(agent.pid, resource.RLIMIT_NOFILE, (n, 20000))


def cpu_seconds(agent):
    with open(f"/proc/{agent.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
            seen.append(open_files(agent))
            time.sleep(0.02)
            return len(seen) > 20 and len(set(seen[-20:])) == 1

        until(quiet, "the agent to have nothing under way")
        yield agent
        limit(agent, 20000)
        until(lambda: agent.get("/healthz")[0] == 200, "an answer")


def test_who_waits_for_a_descriptor_is_answered_when_one_is_free(agent):
    limit(agent, open_files(agent) + 1)
    with ask(agent) as first, ask(agent) as second:
        assert first.recv(100).startswith(b"HTTP/1.1 200 ")
        second.settimeout(0.5)
        with pytest.raises(TimeoutError):
            second.recv(100)
        first.close()
        second.settimeout(10)
        assert second.recv(100).startswith(b"HTTP/1.1 200 ")


def test_without_any_descriptor_the_agent_does_not_spin_and_answers_later(agent):
    limit(agent, open_files(agent))
    with ask(agent) as link:
        before, began = cpu_seconds(agent), time.monotonic()
        time.sleep(1)  # what is measured is a second of it
        used = (cpu_seconds(agent) - before) / (time.monotonic() - began)
        assert used < 0.2, f"{used:.0%} of a core"
        limit(agent, 20000)
        assert link.recv(100).startswith(b"HTTP/1.1 200 ")
