# SPDX-License-Identifier: MIT
"""agent-check: what HAProxy hears, with and without the Runtime API beside it."""
import resource
import socket
import time

import pytest

from balancer import Agent, HAProxy
from field import Load, Pod
from ports import free_port
from program import until

CHECKED = ('weight {weight} check inter 200ms agent-check agent-addr 127.0.0.1 '
           'agent-port {port} agent-inter 200ms agent-send "ws/{{name}}\\n"')


def ask(address, *pieces, end=False, wait_s=3):
    """Sends pieces, returns what comes until the agent closes, and how long that took."""
    host, port = address.rsplit(":", 1)
    began = time.monotonic()
    with socket.create_connection((host.strip("[]"), int(port)), timeout=wait_s) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i, piece in enumerate(pieces):
            if i:
                time.sleep(0.01)  # so that they travel apart; nothing is waited for
            s.sendall(piece)
        if end:
            s.shutdown(socket.SHUT_WR)
        reply = b""
        while chunk := s.recv(100):
            reply += chunk
    return reply, time.monotonic() - began


def checks(agent):
    """How many agent-checks got a weight from the agent, and how many nothing."""
    series = agent.series()
    answered, unknown, dropped = (
        int(series[f'wsbalancer_agent_check_requests_total{{result="{result}"}}'])
        for result in ("answered", "unknown", "dropped"))
    return answered, unknown + dropped


def wait_all_known(haproxy, agent):
    """Waits for 20 checks in a row whose server the agent knew, and that HAProxy took as one that
    says nothing of up or down (a star: the next check is under way)."""
    answered, other = checks(agent)

    def known():
        nonlocal answered, other
        now = checks(agent)
        if now[1] != other:
            answered, other = now
        return now[0] >= answered + 20

    until(known, "agent-checks that name a server")
    for name, row in haproxy.stat().items():
        assert row["agent_status"].removeprefix("* ") == "CHECKED", (name, row["agent_status"])


@pytest.fixture
def pods():
    with Pod(n=3) as pods:
        yield pods


@pytest.fixture
def alone(pods):
    """The agent with no socket, only agent-check, and foreign connections on pod 1."""
    check = f"127.0.0.1:{free_port()}"
    servers = [{"name": f"s{i + 1}", "address": a} for i, a in enumerate(pods.addresses)]
    # pod1 and pod10: one name begins another.
    servers += [{"name": "pod1", "address": pods.addresses[1]},
                {"name": "pod10", "address": pods.addresses[2]}]
    with Load(pods.urls[0], connections=30, rate=2000) as load:
        load.wait_standing()
        with Agent(None, services=[{"name": "ws", "servers": servers}],
                   agentCheck={"listen": check}) as agent:
            agent.check = check
            agent.wait_ready()
            until(lambda: ask(check, b"ws/s2\n")[0] == b"256%\n", "a plan")
            yield agent


def test_a_name_is_answered_at_once_with_one_percentage(alone):
    reply, took = ask(alone.check, b"ws/s2\n")
    assert reply == b"256%\n" and took < 0.5
    reply, took = ask(alone.check, b"ws/s1\n")
    assert reply == b"1%\n" and took < 0.5


@pytest.mark.parametrize("pieces", [
    [b"ws/s2"], [b"ws/", b"s2"], [b"w", b"s/s", b"2", b"\n"], [b"ws/s2\r\n"], [b"ws/pod10"],
])
def test_a_name_may_come_without_newline_and_in_pieces(alone, pieces):
    reply, took = ask(alone.check, *pieces)
    assert reply == b"256%\n" and took < 0.5


def test_a_name_that_begins_another_is_waited_for_a_moment(alone):
    reply, took = ask(alone.check, b"ws/pod1")
    assert reply == b"256%\n" and took < 0.6
    reply, _ = ask(alone.check, b"ws/pod1", b"0")
    assert reply == b"256%\n"


@pytest.mark.parametrize("name", [b"ws/nope\n", b"nope/s1\n", b"\n", b"/\n", b"ws\n", b"ws/\n",
                                  b"ws/s1/\n", b"\0\n", b"\xff\xfe/\xff\n"])
def test_an_unknown_server_gets_an_empty_line(alone, name):
    assert ask(alone.check, name)[0] == b"\n"


def test_an_unknown_name_without_newline_gets_an_empty_line_at_its_end(alone):
    assert ask(alone.check, b"ws/nope", end=True)[0] == b"\n"
    reply, took = ask(alone.check, b"ws/nope")
    assert reply == b"\n" and 0.8 < took < 2.5


def test_silence_ends_after_a_second(alone):
    reply, took = ask(alone.check)
    assert reply == b"" and 0.8 < took < 2.5


def test_a_long_request_is_cut(alone):
    with pytest.raises((ConnectionResetError, BrokenPipeError, AssertionError)):
        reply, _ = ask(alone.check, b"x" * 100_000)
        assert reply != b""
    assert ask(alone.check, b"ws/s2\n")[0] == b"256%\n"


def test_a_thousand_silent_clients_do_not_keep_others_waiting(alone):
    host, port = alone.check.split(":")
    silent = [socket.create_connection((host, int(port))) for _ in range(1000)]
    try:
        reply, took = ask(alone.check, b"ws/s2\n")
        assert reply == b"256%\n" and took < 1.0
    finally:
        for s in silent:
            s.close()


def test_agent_check_alone_levels_a_roundrobin_backend(pods):
    check = free_port()
    servers = [{"name": f"s{i + 1}", "address": a} for i, a in enumerate(pods.addresses)]
    with HAProxy(pods.addresses, balance="roundrobin",
                 server=CHECKED.format(weight=100, port=check)) as haproxy:
        haproxy.wait_up()
        with Load(pods.urls[0], connections=60, rate=2000) as direct:
            direct.wait_standing()
            with Agent(None, services=[{"name": "ws", "servers": servers}],
                       agentCheck={"listen": f"127.0.0.1:{check}"}):
                until(lambda: haproxy.weights()["s1"] == 1, "agent-check to lower s1")
                # A weight is up to 0.4 s old (poll and agent-inter): 12 connections come in that.
                with Load(haproxy.url, connections=90, rate=30) as load:
                    load.wait_standing()
                    counts = [pods.count(i) for i in range(3)]
    assert sum(counts) == 150, counts
    # Roundrobin alone would give 90, 30, 30.
    assert max(counts) / 50 - 1 < 0.25, counts


@pytest.mark.parametrize("weight", [1, 7, 64, 100, 128, 256])
def test_agent_check_and_runtime_api_set_the_same_weight(pods, weight):
    """Both at once, whatever the configured weight: nobody repairs anything."""
    check = free_port()
    with HAProxy(pods.addresses, server=CHECKED.format(weight=weight, port=check)) as haproxy:
        haproxy.wait_up()
        with Load(pods.urls[0], connections=30, rate=2000) as direct:
            direct.wait_standing()
            with Agent(haproxy, agentCheck={"listen": f"127.0.0.1:{check}"}) as agent:
                until(lambda: haproxy.weights()["s1"] < haproxy.weights()["s2"] / 2, "steering")
                wait_all_known(haproxy, agent)
                assert "wsbalancer_weight_repairs_total 0" in agent.get("/metrics")[1]


def test_template_slots_are_told_their_own_agent_send(pods):
    check = free_port()
    host, port = pods.address.split(":")
    template = (f"\tserver-template t 3 {host}:{port} weight 100 check inter 200ms agent-check "
                f"agent-addr 127.0.0.1 agent-port {check} agent-inter 200ms")
    with HAProxy([], backend=template) as haproxy:
        with Agent(haproxy, agentCheck={"listen": f"127.0.0.1:{check}"}) as agent:
            agent.wait_ready()
            wait_all_known(haproxy, agent)
            haproxy.reload()
            wait_all_known(haproxy, agent)
            until(haproxy.is_level, "equal weights")


def test_foreign_agent_checks_keep_their_agent_send(pods):
    """Another program's agent-check on these servers is not told anything."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(16)
        other.settimeout(5)
        server = CHECKED.format(weight=100, port=other.getsockname()[1])
        with HAProxy(pods.addresses[:1], server=server) as haproxy:
            with Agent(haproxy, agentCheck={"listen": f"127.0.0.1:{free_port()}"}):
                until(haproxy.is_level, "the agent to have pushed")
                heard = []
                while len(heard) < 5:
                    connection, _ = other.accept()
                    with connection:
                        connection.settimeout(5)
                        try:
                            heard.append(connection.recv(100))
                            connection.sendall(b"up\n")
                        except ConnectionError:
                            pass  # HAProxy was kept waiting too long; it asks again
                assert set(heard) == {b"ws/s1\n"}


def test_a_dry_run_answers_no_agent_checks(pods):
    check = free_port()
    with HAProxy(pods.addresses) as haproxy:
        with Agent(haproxy, "--dry-run", agentCheck={"listen": f"127.0.0.1:{check}"}) as agent:
            agent.wait_ready()
            agent.wait_log("a dry run answers no agent-checks")
            with pytest.raises(ConnectionRefusedError):
                ask(f"127.0.0.1:{check}", b"ws/s1\n")


def test_without_free_descriptors_the_agent_waits_and_recovers(alone):
    """More clients than descriptors: no busy loop, and an answer once some are free."""
    host, port = alone.check.split(":")
    in_use = alone.n_files()
    resource.prlimit(alone.pid, resource.RLIMIT_NOFILE, (in_use + 10, 20000))
    clients = []
    try:
        # A second of silence frees a descriptor, so there must be more clients than that frees.
        clients = [socket.create_connection((host, int(port))) for _ in range(400)]
        alone.wait_log("an agent-check connection cannot be taken")
        before, began = alone.cpu_s(), time.monotonic()
        time.sleep(1)  # what is measured is a second of it
        used = (alone.cpu_s() - before) / (time.monotonic() - began)
        assert used < 0.5, f"{used:.0%} of a core"
    finally:
        for client in clients:
            client.close()
        resource.prlimit(alone.pid, resource.RLIMIT_NOFILE, (20000, 20000))
    until(lambda: ask(alone.check, b"ws/s2\n")[0] == b"256%\n", "an answer")
