# SPDX-License-Identifier: MIT
"""HAProxy and the agent, each with what the chart renders for it, as two processes that share a socket.

Pods are put into the slots by hand here, but where a test has an API server tell of them.
"""
import contextlib
import json
import selectors
import signal
import socket
import subprocess
import threading
import time

import loopback
import pytest
import tools
import yaml
from balancer import server_rows
from fake_api import FakeApi, endpoint
from program import until
from test_agent import AGENT
from test_haproxy import make_secret
from test_helm_test import script_of_the_test_pod


@contextlib.contextmanager
def agent(haproxy, api=None):
    """The agent with its rendered configuration; without an API server, but for what needs one."""
    config = yaml.safe_load(tools.agent_yaml(tools.documents(haproxy.text)))
    if api:
        config["kubernetesAPI"] = {"server": api.url}
        for entry in config["kubernetes"]:
            entry.setdefault("namespace", "default")
    else:
        del config["kubernetes"]
    config["haproxy"] |= {"replicas": 1, "socket": str(haproxy.folder / "admin.sock")}
    config["drainFile"] = str(haproxy.folder / "drain")
    file = haproxy.folder / "wsbalancer.yaml"
    file.write_text(yaml.safe_dump(config))
    with open(haproxy.folder / "agent.log", "w", encoding="utf-8") as log:
        process = subprocess.Popen([AGENT, "-c", file], stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait(loopback.DEADLINE_S)


def status(haproxy, path):
    try:
        return haproxy.get(path, port=haproxy.agent)[0]
    except OSError:
        return None


def weights(haproxy):
    """The weights that HAProxy has now, by server."""
    rows = server_rows(haproxy.command("show servers state my-app"))
    return {row["srv_name"]: int(row["srv_uweight"]) for row in rows}


@pytest.fixture(name="pair")
def fixture_pair(tmp_path):
    with loopback.Balancer(tmp_path, "--set", "tests.websocketPath=/ws,balancerMetrics.enabled=true") as haproxy, \
            loopback.server("full", connections=30) as full, loopback.server("empty", connections=10) as empty:
        haproxy.fill("pod1", full)
        haproxy.fill("pod2", empty)
        haproxy.synced()
        with agent(haproxy) as process:
            until(lambda: status(haproxy, "/startz") == 200, "the agent is up")
            until(lambda: status(haproxy, "/readyz") == 200, "the agent is ready")
            yield haproxy, process


def test_the_emptier_pod_gets_the_greater_weight_and_a_stop_puts_both_back(pair):
    haproxy, process = pair
    until(lambda: 2 * weights(haproxy)["pod1"] < weights(haproxy)["pod2"], "weights")
    process.terminate()
    assert process.wait(loopback.DEADLINE_S) == 0
    assert {name: weights(haproxy)[name] for name in ("pod1", "pod2")} == {"pod1": 100, "pod2": 100}
    # HAProxy goes on without its agent, and stays ready.
    assert haproxy.get("/ready", port=haproxy.stat)[0] == haproxy.get("/chat")[0] == 200


def test_the_page_shows_the_pods_through_haproxy(pair):
    haproxy, _ = pair

    def report():
        code, answer = haproxy.get("/balancer-metrics?format=json")
        return code == 200 and json.loads(answer.split("\r\n\r\n", 1)[1])

    until(lambda: report()["totalConnections"] == 40, "both pods are known")
    pods = {pod.get("podName"): pod["agentsConnections"] for pod in report()["podMetrics"]["my-app"]}
    assert pods["full"] == 30 and pods["empty"] == 10


def test_the_agent_is_alive_without_haproxy(tmp_path):
    """Its probes must not wait for HAProxy, which Kubernetes starts after it."""
    haproxy = loopback.Balancer(tmp_path)
    with agent(haproxy):
        until(lambda: status(haproxy, "/startz") == 200, "the agent is up")
        assert status(haproxy, "/healthz") == 200
        assert status(haproxy, "/readyz") == 503


def test_helm_test_passes_with_the_real_agent(pair):
    done = subprocess.run(script_of_the_test_pod(pair[0]), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def readiness(haproxy):
    """What the readiness probe gets."""
    return haproxy.try_get("/ready")


def hooks(haproxy):
    """Runs every preStop hook of the pod at once, as the kubelet does; the threads, and where their ends and
    times go."""
    _, *containers = tools.containers(tools.documents(haproxy.text))
    answers = []

    def call(hook):
        began = time.monotonic()
        command = [word.replace("/run/haproxy", str(haproxy.folder)) for word in hook["command"]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        answers.append((done.returncode, done.stdout + done.stderr, time.monotonic() - began))

    threads = [threading.Thread(target=call, args=[container["lifecycle"]["preStop"]["exec"]])
               for container in containers if "lifecycle" in container]
    for thread in threads:
        thread.start()
    return threads, answers


@pytest.mark.parametrize("native, count", [("true", 1), ("false", 2)])
def test_the_hooks_drain_haproxy_before_it_is_stopped(native, count, tmp_path):
    with loopback.Balancer(tmp_path, "--set", f"agent.drainDelay=3,agent.closeOver=0,agent.nativeSidecar={native}") as haproxy, \
            loopback.server("pod") as pod, agent(haproxy):
        haproxy.fill("pod1", pod)
        haproxy.synced()
        until(lambda: status(haproxy, "/readyz") == 200, "the agent is ready")
        assert readiness(haproxy) == 200
        threads, answers = hooks(haproxy)
        until(lambda: readiness(haproxy) == 503, "the probe fails")
        with haproxy.open_websocket() as link:
            assert link.recv(4096).startswith(b"HTTP/1.1 101 ")
            assert haproxy.try_get("/live") == 200 and readiness(haproxy) == 503 and answers == []
            for thread in threads:
                thread.join(loopback.DEADLINE_S)
            assert [answer[:2] for answer in answers] == [(0, "")] * count
            assert all(2.9 < took < 6 for _, _, took in answers)

            def stopped():
                # A master of HAProxy 2.6 can lose the signal in its first moments.
                haproxy.process.send_signal(signal.SIGUSR1)
                return haproxy.try_get("/live") is None

            until(stopped, "new connections are refused")
            link.settimeout(0.2)
            with pytest.raises(TimeoutError):
                link.recv(1)
            assert haproxy.process.poll() is None
        haproxy.process.wait(loopback.DEADLINE_S)
        assert " error " not in (tmp_path / "agent.log").read_text()


def test_websockets_are_closed_one_after_the_other_while_the_hook_holds(tmp_path):
    """And nothing but WebSockets; a client that comes back meanwhile is taken."""
    with loopback.Balancer(tmp_path, "--set", "agent.drainDelay=1,agent.closeOver=10,"
                           "haproxy.timeouts.httpRequest=60s") as haproxy, \
            loopback.server("pod") as pod, agent(haproxy), contextlib.ExitStack() as stack:
        haproxy.fill("pod1", pod)
        haproxy.synced()
        until(lambda: status(haproxy, "/readyz") == 200, "the agent is ready")
        links = []
        for _ in range(100):
            links.append(stack.enter_context(haproxy.open_websocket()))
            assert links[-1].recv(4096).startswith(b"HTTP/1.1 101 ")
        # A request that waits for its answer is none of them.
        waiting = stack.enter_context(socket.create_connection(("127.0.0.1", haproxy.http)))
        waiting.sendall(b"GET /slow HTTP/1.1\r\nHost: h\r\n")
        began = time.monotonic()
        threads, answers = hooks(haproxy)
        ends = []
        with selectors.DefaultSelector() as selector:
            for link in links:
                selector.register(link, selectors.EVENT_READ)
            while len(ends) < 100 and time.monotonic() < began + 20:
                for key, _ in selector.select(0.2):
                    selector.unregister(key.fileobj)
                    ends.append(time.monotonic() - began)
        for thread in threads:
            thread.join(loopback.DEADLINE_S)
        # Each second a tenth, from when nobody sends new clients.
        assert len(ends) == 100 and ends[0] > 1
        counts = [sum(second <= end < second + 1 for end in ends) for second in range(13)]
        assert max(counts) <= 30 and sum(count > 0 for count in counts) >= 8, counts
        assert 10.9 < answers[0][2] < 14
        waiting.sendall(b"Connection: close\r\n\r\n")
        assert b" 200 " in waiting.recv(65536)
        until(lambda: '"n":100' in (tmp_path / "agent.log").read_text(), "the log to say so")


def test_the_hook_does_not_wait_for_an_agent_that_is_gone(tmp_path):
    with loopback.Balancer(tmp_path, "--set", "agent.drainDelay=0,agent.closeOver=0") as haproxy:
        threads, answers = hooks(haproxy)
        threads[0].join(loopback.DEADLINE_S)
        assert answers[0][0] == 0 and 5 <= answers[0][2] < 8


def test_a_drain_that_nobody_follows_up_is_over_soon(tmp_path):
    with loopback.Balancer(tmp_path, "--set", "agent.drainDelay=1,agent.closeOver=0") as haproxy, \
            loopback.server("pod") as pod, agent(haproxy):
        haproxy.fill("pod1", pod)
        haproxy.synced()
        until(lambda: status(haproxy, "/readyz") == 200, "the agent is ready")
        threads, _ = hooks(haproxy)
        until(lambda: readiness(haproxy) == 503, "the probe fails")
        threads[0].join(loopback.DEADLINE_S)
        until(lambda: readiness(haproxy) == 200, "the probe succeeds again")


def test_an_outage_of_the_application_is_none_of_haproxys(tmp_path):
    with loopback.Balancer(tmp_path) as haproxy, loopback.server("pod") as pod, FakeApi() as api:
        ports = [{"name": "ws", "port": pod, "protocol": "TCP"}]
        api.set_slice("my-app-1", [endpoint("127.0.0.1", pod="pod")], service="my-app", ports=ports)
        assert readiness(haproxy) == 503
        with agent(haproxy, api):
            until(lambda: readiness(haproxy) == 200, "the slots are filled")
            assert "<1>" in haproxy.command("get var proc.synced")
            api.set_slice("my-app-1", [], service="my-app", ports=ports)
            until(lambda: haproxy.get("/chat")[0] == 503, "no pod is left")
            assert readiness(haproxy) == 200


@pytest.mark.parametrize("service, port, ready, slices, word", [
    ("my-app", "80", False, {"my-app": True}, "Service my-app has no port 80: its pods listen on ws:"),
    ("my-app", "wss", False, {"my-app": True}, "Service my-app has no port wss: its pods listen on ws:"),
    ("my-app", "ws", False, {"other": True}, "Service my-app has no EndpointSlice in the namespace default"),
    # Scaled to nothing, and pods that do not become ready: no fault of the name.
    ("my-app", "80", True, {"my-app": None}, None), ("my-app", "ws", True, {"my-app": False}, None),
    ("my-app", "ws", True, {"my-app": True}, None)])
def test_a_misnamed_service_holds_haproxy_back_and_is_named(service, port, ready, slices, word, tmp_path):
    """slices: by Service, whether its pod is ready; None is no pod."""
    with loopback.Balancer(tmp_path, "--set-string", f"services[0].port={port}") as haproxy, \
            loopback.server("pod") as pod, FakeApi() as api:
        ports = [{"name": "ws", "port": pod, "protocol": "TCP"}]
        for name, state in slices.items():
            there = [] if state is None else [endpoint("127.0.0.1", pod="pod", ready=state)]
            api.set_slice(f"{name}-1", there, service=name, ports=ports)
        with agent(haproxy, api):
            if ready:
                until(lambda: readiness(haproxy) == 200, "HAProxy is ready")
                assert status(haproxy, "/readyz") == 200
                return
            until(lambda: word in (tmp_path / "agent.log").read_text(), "the log names it")
            assert readiness(haproxy) == status(haproxy, "/readyz") == 503
            assert word in haproxy.get("/balancer-metrics", port=haproxy.agent)[1]
            answer = haproxy.get("/balancer-metrics?format=json", port=haproxy.agent)[1]
            told, = json.loads(answer.split("\r\n\r\n", 1)[1])["kubernetes"]
            assert told["misnamed"] is True and word in told["ports"]
            assert 'wsbalancer_kubernetes_misnamed{namespace="default",service="my-app",proxy="my-app"} 1' in haproxy.get(
                "/metrics", port=haproxy.agent)[1]
            # And put right, it becomes ready without a restart.
            name = "my-app-1"
            api.set_slice(name, [endpoint("127.0.0.1", pod="pod")], service="my-app",
                          ports=[{"name": port if port != "80" else "ws", "port": 80 if port == "80" else pod}])
            until(lambda: readiness(haproxy) == 200, "HAProxy is ready")
            until(lambda: "rightly named now" in (tmp_path / "agent.log").read_text(), "the log to say so")


def test_one_misnamed_service_of_two_is_enough(tmp_path):
    values = "services[1].name=b,services[1].paths={/b},services[1].port=80"
    with loopback.Balancer(tmp_path, "--set", values) as haproxy, loopback.server("pod") as pod, FakeApi() as api:
        ports = [{"name": "ws", "port": pod, "protocol": "TCP"}]
        for name in "my-app", "b":
            api.set_slice(f"{name}-1", [endpoint("127.0.0.1", pod="pod")], service=name, ports=ports)
        with agent(haproxy, api):
            until(lambda: haproxy.get("/chat")[0] == 200, "the other Service's pod is in its slot")
            assert readiness(haproxy) == 503


def test_several_ports_and_none_named_is_warned_of(tmp_path):
    with loopback.Balancer(tmp_path) as haproxy, loopback.server("pod") as pod, FakeApi() as api:
        api.set_slice("my-app-1", [endpoint("127.0.0.1", pod="pod")], service="my-app", ports=[
            {"name": "ws", "port": pod}, {"name": "admin", "port": 9000}])
        with agent(haproxy, api):
            until(lambda: readiness(haproxy) == 200, "HAProxy is ready")
            until(lambda: f"the first of ws:{pod}, admin:9000 is taken" in (tmp_path / "agent.log").read_text(),
                  "the log to say so")


CERTIFICATES = "tls.enabled=true,tls.secretName=main,tls.certificates[0].secretName=shop"


def test_the_agent_has_the_certificates_only_where_it_reloads_them():
    """Under HAProxy's own paths, by which it finds them."""
    for values, has in (("", False), (",tls.reload=true", True)):
        docs = tools.documents(tools.template("--set", f"services[0].name=my-app,{CERTIFICATES}{values}"))
        _, *containers = tools.containers(docs)
        mounted = {c["name"]: {m["mountPath"]: m["readOnly"] for m in c["volumeMounts"]
                               if m["mountPath"].startswith("/etc/haproxy/")} for c in containers}
        assert set(mounted["haproxy"]) == {"/etc/haproxy/tls", "/etc/haproxy/certificates/shop"}
        assert mounted["wsbalancer"] == (mounted["haproxy"] if has else {})
        assert yaml.safe_load(tools.agent_yaml(docs))["haproxy"].get("reloadCertificates", False) is has


def test_renewed_certificates_are_served_without_a_restart(tmp_path):
    make_secret(tmp_path / "tls")
    make_secret(tmp_path / "certificates/shop", "shop.example.com")
    with loopback.Balancer(tmp_path, "--set", f"{CERTIFICATES},tls.reload=true") as haproxy, \
            loopback.server("pod") as pod, agent(haproxy):
        haproxy.fill("pod1", pod)
        haproxy.synced()
        until(lambda: status(haproxy, "/readyz") == 200, "the agent is ready")
        with haproxy.open_tls("ws.example.com") as before:
            for folder, name in (("tls", "ws.example.com"), ("certificates/shop", "shop.example.com")):
                make_secret(tmp_path / folder, name)
                renewed = (tmp_path / folder / "tls.crt").read_text().strip()
                until(lambda n=name, r=renewed: haproxy.presented(n) == r, f"the certificate of {name}", 45, 0.2)
            # Who came with the old one is there still.
            before.sendall(b"GET /chat HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            assert before.recv(65536).startswith(b"HTTP/1.1 200")
