# SPDX-License-Identifier: MIT
"""What the agent makes of a HAProxy that starts again, and of a configuration that it refuses."""
import contextlib
import os
import re
import signal
import socket
import socketserver
import threading
import time

import pytest

from balancer import Agent, HAProxy
from fake_api import FakeApi
from field import Pod
from manypods import PodsApart
from ports import free_port
from program import until


class Between:
    """A stats socket before HAProxy's: answer(asked, reply) makes of a reply what the agent gets."""

    def __init__(self, haproxy, answer):
        self.path = str(haproxy.dir / "between.sock")

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                with socket.socket(socket.AF_UNIX) as behind:
                    try:
                        behind.connect(haproxy.socket)
                    except OSError:
                        return
                    asked = reply = b""
                    while chunk := self.request.recv(65536):
                        behind.sendall(chunk)
                        asked += chunk
                    behind.shutdown(socket.SHUT_WR)
                    while chunk := behind.recv(65536):
                        reply += chunk
                    with contextlib.suppress(ConnectionError):
                        self.request.sendall(answer(asked, reply))

        self.server = socketserver.ThreadingUnixStreamServer(self.path, Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.server.shutdown()
        self.server.server_close()


def one_pid(haproxy):
    """Every process has pid 7, as in a container."""
    return Between(haproxy, lambda _, reply: re.sub(rb"(?m)^Pid: \d+", b"Pid: 7", reply))


def slow_to_set(haproxy, delay_s):
    """What is set is answered late."""
    def answer(asked, reply):
        if b"set " in asked:
            time.sleep(delay_s)
        return reply
    return Between(haproxy, answer)


def test_a_restart_with_the_same_pid_is_said_as_it_is_counted():
    with Pod(n=2) as pods, HAProxy(pods.addresses) as haproxy, one_pid(haproxy) as front, \
            Agent(haproxy, config={"socket": front.path}) as agent:
        agent.wait_ready()
        # Its start is told in whole seconds.
        until(lambda: int(haproxy.info()["Uptime_sec"]) >= 2, "a second to pass")
        haproxy.stop()
        haproxy.start_again()
        assert "pid=7" in agent.wait_log("HAProxy was reloaded or restarted")
        assert agent.json()["haproxy"]["reloads"] == 1


def unready(agent):
    agent.wait_http("/readyz", 503)
    return agent.get("/readyz")[1]


def test_readiness_waits_for_pods_and_says_so_where_no_haproxy_is_asked(slow_pod):
    server = {"name": "s1", "address": slow_pod.address}
    with Agent(None, agentCheck={"listen": f"127.0.0.1:{free_port()}"}, pollInterval="3s",
               pollTimeout="2s", services=[{"name": "ws", "servers": [server]}]) as agent:
        assert unready(agent) == "not ready: the pods have not all been asked yet\n"
        agent.wait_ready()


def test_readiness_names_the_service_that_kubernetes_has_not_told_of():
    with Pod() as pods, HAProxy(pods.addresses) as haproxy, FakeApi() as api:
        url = api.url
        api.down()
        with Agent(haproxy, kubernetes=[{"service": "web", "namespace": "prod", "backend": "ws"}],
                   kubernetesAPI={"server": url}) as agent:
            agent.wait_log("the Kubernetes API fails")
            # Until HAProxy has answered too, that is what is said.
            said = until(lambda: (said := unready(agent)).startswith(
                "not ready: Kubernetes has not told the endpoints of prod/web: ") and said,
                "the Service")
            assert "refused" in said.lower() or "connect" in said.lower(), said


class SlowPod:
    """Answers /metric after 0.4 s; .cut counts clients that did not wait for it."""

    def __init__(self):
        self.asked = self.answered = self.cut = 0
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                while line := self.rfile.readline():
                    while line.strip():
                        line = self.rfile.readline()
                    outer.asked += 1
                    self.connection.settimeout(0.4)
                    try:
                        gone = self.connection.recv(1, socket.MSG_PEEK) == b""
                    except TimeoutError:
                        gone = False
                    self.connection.settimeout(None)
                    if gone:
                        outer.cut += 1
                        return
                    outer.answered += 1
                    body = b'{"agentsConnections": 1}'
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                                     % (len(body), body))

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = "127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def slow_pod():
    pod = SlowPod()
    yield pod
    pod.server.shutdown()
    pod.server.server_close()


def test_a_refused_configuration_cuts_no_poll_that_is_under_way(slow_pod):
    with HAProxy([slow_pod.address], server="weight 100") as haproxy, socket.socket() as taken, \
            Agent(haproxy, pollInterval="1s", pollTimeout="900ms") as agent:
        agent.wait_ready()
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        # Refused late: all of the new configuration's parts but the endpoint can be made.
        agent.config["listen"] = "127.0.0.1:%d" % taken.getsockname()[1]
        agent.write()

        def refused():
            return sum("configuration refused" in line for line in list(agent.err))

        for n in range(3):
            asked = slow_pod.asked
            until(lambda: slow_pod.asked > asked, "a poll to be under way")
            agent.signal(signal.SIGHUP)
            until(lambda: refused() == n + 1, "it to be refused")
            until(lambda: slow_pod.asked == slow_pod.answered + slow_pod.cut, "the poll's end")
        assert refused() == 3 and slow_pod.cut == 0


@pytest.fixture
def lab():
    with Pod(n=3) as pods, HAProxy(pods.addresses) as haproxy:
        haproxy.wait_up()
        yield haproxy


def end(agent):
    began = time.monotonic()
    agent.signal(signal.SIGTERM)
    status = agent.wait(5)
    agent.check_sanitizers()
    assert time.monotonic() - began < 2
    return status


def test_an_end_says_that_the_weights_are_back_when_they_are(lab):
    with Agent(lab) as agent:
        until(lab.is_steered, "weights")
        assert end(agent) == 0
        assert "servers=3" in agent.wait_log("the configured weights are back")
        assert not lab.is_steered()


def test_an_end_says_that_the_weights_are_not_back_when_haproxy_does_not_answer(lab):
    with Agent(lab) as agent:
        until(lab.is_steered, "weights")
        worker = int(lab.info()["Pid"])
        os.kill(worker, signal.SIGSTOP)
        try:
            assert end(agent) == 3
        finally:
            os.kill(worker, signal.SIGCONT)
        said = agent.wait_log("the configured weights did not go back")
        assert "servers=3" in said and "has not answered in time" in said


def test_an_end_says_that_the_weights_are_not_back_when_haproxy_refuses(lab):
    front = lab.dir / "reader.sock"
    with Agent(lab) as agent:
        until(lab.is_steered, "weights")
        # A socket of level user takes the place of the one that was.
        with HAProxy([], servers=lab.servers, level="operator", server="weight 100") as other:
            os.rename(lab.socket, front)
            os.symlink(other.socket, lab.socket)
            until(lambda: agent.json()["haproxy"]["pid"] == int(other.info()["Pid"]), "the other")
            agent.wait_log("HAProxy did not take a command")
            # It never took a weight, so it has none of the agent's.
            assert end(agent) == 0
            os.unlink(lab.socket)
            os.rename(front, lab.socket)


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_haproxy_that_is_gone_has_no_weights(lab, how):
    with Agent(lab) as agent:
        until(lab.is_steered, "weights")
        if how == "stopped":
            lab.stop()
        else:
            os.kill(int(lab.info()["Pid"]), signal.SIGKILL)
            lab.kill()
        assert end(agent) == 0
        # Nobody is to be told that it takes no command.
        agent.wait_log("HAProxy is gone, and its weights with it")
        assert not any("did not take a command" in line for line in agent.err), agent.err
        agent.wait_log("HAProxy is gone")


def test_haproxy_and_agent_that_are_stopped_at_once_end_well(lab):
    with Agent(lab) as agent:
        until(lab.is_steered, "weights")
        lab.signal(signal.SIGTERM)
        assert end(agent) == 0


def loud(agent):
    """What is above info in the log."""
    return [line for line in agent.err if re.match(r"\S+ (warn|error) ", line)]


def test_a_haproxy_that_starts_after_its_agent_is_no_fault():
    """In Kubernetes it always does: the agent is a sidecar."""
    with Pod(n=2) as pods, HAProxy(pods.addresses) as haproxy:
        haproxy.stop()
        with Agent(haproxy) as agent:
            line = agent.wait_log("HAProxy does not answer")
            assert re.match(r"\S+ info ", line), line
            until(lambda: sum("does not answer" in line for line in agent.err) >= 2, "a second try")
            haproxy.start_again()
            agent.wait_ready()
            assert loud(agent) == []
            # Once it has answered, its silence is a fault at once.
            haproxy.stop()
            until(lambda: loud(agent), "an error")
            assert "HAProxy does not answer" in loud(agent)[0]


def test_a_haproxy_that_does_not_start_is_a_fault_after_half_a_minute():
    with Pod(n=2) as pods, HAProxy(pods.addresses) as haproxy:
        haproxy.stop()
        began = time.monotonic()
        with Agent(haproxy) as agent:
            until(lambda: loud(agent), "an error", 60, 0.1)
            assert time.monotonic() - began > 25
            assert "HAProxy does not answer" in loud(agent)[0]


def test_one_that_takes_connections_and_says_nothing_is_a_fault_at_once():
    """Whoever starts late has nothing to do with that."""
    with Pod(n=2) as pods, HAProxy(pods.addresses) as haproxy:
        silent = socket.socket(socket.AF_UNIX)
        silent.bind(str(haproxy.dir / "silent.sock"))
        silent.listen()
        with silent, Agent(haproxy, config={"socket": str(haproxy.dir / "silent.sock")}) as agent:
            connection, _ = silent.accept()
            connection.close()
            until(lambda: loud(agent), "an error")


def test_an_end_waits_for_a_haproxy_that_takes_one_line_after_the_other():
    """A thousand weights are six lines, which take longer here than an end may without any answer."""
    n = 1000
    with PodsApart(n, lambda i: {"agentsConnections": 100 + 100 * (i % 2)}) as pods, \
            HAProxy(pods.addresses, server="weight 100") as haproxy, \
            slow_to_set(haproxy, 0.3) as front, \
            Agent(haproxy, pollInterval="1s", pollTimeout="900ms", config={"socket": front.path}) as agent:
        until(lambda: sum(w != 100 for w in haproxy.weights().values()) > n / 2, "weights", 60, 0.2)
        agent.signal(signal.SIGTERM)
        assert agent.wait(20) == 0
        assert "servers=" in agent.wait_log("the configured weights are back")
        assert set(haproxy.weights().values()) == {100}
