# SPDX-License-Identifier: MIT
"""The chart's pod without Kubernetes: HAProxy and the agent as two users in two read-only roots.

They run with what the chart renders; a fake API server tells of the application's pods. Only the chart's ports are
others than by default, and HAProxy listens on loopback alone.
"""
import contextlib
import json
import re
import shutil
import signal
import urllib.request

import pytest
import tools
from balancer import ask, server_rows
from container import Container, Volumes, why_not
from fake_api import FakeApi, endpoint
from field import Load, Pod
from ports import free_port
from program import run, until
from test_agent import AGENT

HAPROXY_ID, AGENT_ID = 99, 65532
# Twenty pods in five rounds, and fewer slots than pods: the agent has to add servers.
N_PODS, ROUND, SLOTS = 20, 4, 12
# WebSockets that each round opens and that stand to the end.
STANDING = 8


def certificate(folder):
    """A certificate for the API server's address, and its key."""
    cert, key = folder / "api.crt", folder / "api.key"
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
               "-days", "2", "-subj", "/CN=api", "-addext", "subjectAltName=IP:127.0.0.1",
               "-keyout", key, "-out", cert)
    return cert, key


class Field:
    """The application's pods, as the API server tells of them."""

    def __init__(self, api):
        self.api = api
        self.port = free_port("")
        self.addresses = [f"127.0.2.{i + 1}" for i in range(N_PODS)]
        self.pods = Pod(listen=[f"{address}:{self.port}" for address in self.addresses])

    def tell(self, ready=(), draining=()):
        """All that there is now: a pod in neither list is gone."""
        endpoints = [endpoint(self.addresses[i], pod=f"web-{i}") for i in ready] + [
            endpoint(self.addresses[i], pod=f"web-{i}", ready=False, serving=True, terminating=True)
            for i in draining]
        self.api.set_slice("my-app-1", endpoints, service="my-app",
                           ports=[{"name": "ws", "port": self.port, "protocol": "TCP"}])

    def counts(self, indexes):
        return [self.pods.count(i) for i in indexes]


class BalancerPod:
    """The pod that the chart renders, running."""

    def __init__(self, folder, api, ca):
        self.http, stat, self.agent_port, check = (free_port("") for _ in range(4))
        docs = tools.documents(tools.template(
            "--set", f"services[0].name=my-app,slots={SLOTS},containerPorts.http={self.http},"
            f"balancerMetrics.enabled=true,containerPorts.stat={stat},agent.port={self.agent_port},agent.agentCheck.port={check}"))
        pod, haproxy, agent = tools.containers(docs)
        cfg = re.sub(r"(?m)^(    bind ):+(\d+)", r"\g<1>127.0.0.1:\2", tools.haproxy_cfg(docs))
        volumes = Volumes(folder, pod, {
            "haproxy-config": {"haproxy.cfg": cfg}, "agent-config": {"wsbalancer.yaml": tools.agent_yaml(docs)},
            "token": {"token": "secret", "ca.crt": ca.read_text(), "namespace": "default"}})
        self.shared = volumes.folders["run"]
        # In the kubelet's order. The image of HAProxy puts its own two options before the arguments.
        self.agent = Container(folder, pod, agent, volumes, AGENT, env={
            "KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(api.port)})
        try:
            self.haproxy = Container(folder, pod, haproxy, volumes, shutil.which("haproxy"), "-W", "-db")
        except BaseException:
            self.agent.kill()
            raise
        self.url = f"ws://127.0.0.1:{self.http}/"

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        """HAProxy first, as native sidecars end last."""
        for each in (self.haproxy, self.agent):
            if each.running():
                each.signal(signal.SIGTERM)
            try:
                each.wait()
            finally:
                each.kill()
        assert kind or self.agent.process.returncode == 0, self.agent.err[-20:]

    def alive(self):
        for each in (self.haproxy, self.agent):
            assert each.running(), f"{each.argv[-3:]} ended: {each.err[-20:]} {each.out[-20:]}"
        return True

    def get(self, port, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            return None

    def ready(self):
        return self.alive() and self.get(self.agent_port, "/readyz") is not None

    def command(self, line):
        return ask(self.shared / "admin.sock", line)

    def servers(self):
        """Name to row of HAProxy's servers, all of them."""
        return {row["srv_name"]: row for row in server_rows(self.command("show servers state my-app"))}

    def states(self):
        """Address to what becomes of new clients there: up, down or drain. Servers in maintenance are left out."""
        states = {}
        for row in self.servers().values():
            admin = int(row["srv_admin_state"])
            if not admin & 0x23:
                states[row["srv_addr"]] = "drain" if admin & 0x18 else "up" if row["srv_op_state"] == "2" else "down"
        return states

    def page(self):
        """Pod name to its connections, from the page as HAProxy's clients see it."""
        report = json.loads(self.get(self.http, "/balancer-metrics?format=json") or '{"podMetrics": {}}')
        return {pod.get("podName"): pod["agentsConnections"] for pod in report["podMetrics"].get("my-app", [])}


@pytest.fixture(name="scene")
def fixture_scene(tmp_path):
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with contextlib.ExitStack() as stack:
        tls = certificate(tmp_path)
        api = stack.enter_context(FakeApi(tls=tls, tokens={"secret"}))
        field = Field(api)
        stack.enter_context(field.pods)
        api.set_slice("lb-1", [endpoint("127.0.0.1", pod="lb-0")], service="wsb-wsbalancer")
        field.tell()
        balancer = stack.enter_context(BalancerPod(tmp_path, api, tls[0]))
        until(balancer.ready, "the agent to be ready")
        yield field, balancer


def test_both_run_without_rights_and_share_nothing_but_the_socket(scene):
    _, balancer = scene
    assert balancer.haproxy.rights() == ({HAPROXY_ID}, {HAPROXY_ID}, {HAPROXY_ID}, 0, 0, 1)
    assert balancer.agent.rights() == ({AGENT_ID}, {AGENT_ID}, {HAPROXY_ID}, 0, 0, 1)
    assert balancer.haproxy.writable() == balancer.agent.writable() == {"/run/haproxy"}
    made = (balancer.shared / "admin.sock").stat()
    assert (made.st_uid, made.st_gid, made.st_mode & 0o777) == (HAPROXY_ID, HAPROXY_ID, 0o660)


def expect(balancer, up, drain=()):
    wanted = dict.fromkeys(up, "up") | dict.fromkeys(drain, "drain")
    try:
        until(lambda: balancer.alive() and balancer.states() == wanted, "the servers' states")
    except AssertionError as error:
        raise AssertionError(f"{balancer.states()}, not {wanted}: {balancer.agent.err[-20:]}") from error


def test_twenty_pods_come_and_go_and_no_websocket_is_cut(scene):
    field, balancer = scene
    churn, loads = None, []
    with contextlib.ExitStack() as stack:
        old = ()
        for first in range(0, N_PODS, ROUND):
            new = range(first, first + ROUND)
            at_new, at_old = ([field.addresses[i] for i in pods] for pods in (new, old))
            field.tell(ready=[*old, *new])
            expect(balancer, up=at_new + at_old)
            field.tell(ready=new, draining=old)
            expect(balancer, up=at_new, drain=at_old)
            loads.append(stack.enter_context(Load(balancer.url, connections=STANDING, message_interval=0.2)))
            loads[-1].wait_standing()
            # Clients that come and go all the time, so that a moment without a usable pod fails one.
            churn = churn or stack.enter_context(Load(
                balancer.url, connections=6, lifetime=0.3, lifetime_spread="fixed", message_interval=0.1))
            until(lambda: sum(field.counts(old)) == (STANDING if old else 0), "short clients to leave the old pods")
            field.tell(ready=new)
            expect(balancer, up=at_new)
            old = new
        assert sum(field.counts(range(N_PODS - ROUND))) == STANDING * (N_PODS // ROUND - 1)
        until(lambda: len(balancer.servers()) == N_PODS, "as many servers as pods")
        reports = [load.stop() for load in (churn, *loads)]
    assert [report for report in reports if not report["ok"]] == []
    assert {report["dropped"] for report in reports} == {report["failed"] for report in reports} == {0}
    # Nothing is left of the pods that went: the added servers go, their slots serve the first pods again.
    field.tell(ready=range(ROUND))
    expect(balancer, up=field.addresses[:ROUND])
    until(lambda: set(balancer.servers()) == {f"pod{i + 1}" for i in range(SLOTS)}, "added servers to be deleted")
    until(lambda: balancer.page() == {f"web-{i}": 0 for i in range(ROUND)}, "the page to show the pods")
