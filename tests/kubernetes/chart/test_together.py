# SPDX-License-Identifier: MIT
"""HAProxy and the agent, each with what the chart renders for it, as two processes that share a socket.

Pods are put into the slots by hand here, but where a test has an API server tell of them.
"""
import contextlib
import json
import signal
import subprocess
import threading
import time

import balancer
import pytest
import tools
import yaml
from fake_api import FakeApi, endpoint
from program import until
from test_agent import AGENT
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
    file = haproxy.folder / "wsbalancer.yaml"
    file.write_text(yaml.safe_dump(config))
    with open(haproxy.folder / "agent.log", "w", encoding="utf-8") as log:
        process = subprocess.Popen([AGENT, "-c", file], stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait(balancer.DEADLINE_S)


def status(haproxy, path):
    try:
        return haproxy.get(path, port=haproxy.agent)[0]
    except OSError:
        return None


def weights(haproxy):
    """The weights that HAProxy has now, by server."""
    lines = haproxy.command("show servers state my-app").splitlines()
    names = lines[1].lstrip("# ").split()
    rows = (dict(zip(names, line.split())) for line in lines[2:] if line)
    return {row["srv_name"]: int(row["srv_uweight"]) for row in rows}


@pytest.fixture(name="pair")
def fixture_pair(tmp_path):
    with balancer.Balancer(tmp_path, "--set", "tests.websocketPath=/ws,balancerMetrics.enabled=true") as haproxy, \
            balancer.server("full", connections=30) as full, balancer.server("empty", connections=10) as empty:
        haproxy.fill("pod1", full)
        haproxy.fill("pod2", empty)
        with agent(haproxy) as process:
            until(lambda: status(haproxy, "/startz") == 200, "the agent is up")
            until(lambda: status(haproxy, "/readyz") == 200, "the agent is ready")
            yield haproxy, process


def test_the_emptier_pod_gets_the_greater_weight_and_a_stop_puts_both_back(pair):
    haproxy, process = pair
    until(lambda: 2 * weights(haproxy)["pod1"] < weights(haproxy)["pod2"], "weights")
    process.terminate()
    assert process.wait(balancer.DEADLINE_S) == 0
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
    haproxy = balancer.Balancer(tmp_path)
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
    """Calls every preStop hook of the pod at once, as the kubelet does; the threads, and where their answers and
    times go."""
    _, *containers = tools.containers(tools.documents(haproxy.text))
    answers = []

    def call(hook):
        began = time.monotonic()
        code, answer = haproxy.get(hook["path"], port=hook["port"])
        answers.append((code, answer.split("\r\n\r\n")[1], time.monotonic() - began))

    threads = [threading.Thread(target=call, args=[container["lifecycle"]["preStop"]["httpGet"]])
               for container in containers if "lifecycle" in container]
    for thread in threads:
        thread.start()
    return threads, answers


@pytest.mark.parametrize("native, count", [("true", 1), ("false", 2)])
def test_the_hooks_drain_haproxy_before_it_is_stopped(native, count, tmp_path):
    with balancer.Balancer(tmp_path, "--set", f"agent.drainDelay=3,agent.nativeSidecar={native}") as haproxy, \
            balancer.server("pod") as pod, agent(haproxy):
        haproxy.fill("pod1", pod)
        until(lambda: status(haproxy, "/readyz") == 200, "the agent is ready")
        assert readiness(haproxy) == 200
        threads, answers = hooks(haproxy)
        until(lambda: readiness(haproxy) == 503, "the probe fails")
        with haproxy.open_websocket() as link:
            assert link.recv(4096).startswith(b"HTTP/1.1 101 ")
            assert haproxy.try_get("/live") == 200 and readiness(haproxy) == 503 and answers == []
            for thread in threads:
                thread.join(balancer.DEADLINE_S)
            assert [answer[:2] for answer in answers] == [(200, "drained\n")] * count
            assert all(2.9 < took < 5 for _, _, took in answers)

            def stopped():
                # A master of HAProxy 2.6 can lose the signal in its first moments.
                haproxy.process.send_signal(signal.SIGUSR1)
                return haproxy.try_get("/live") is None

            until(stopped, "new connections are refused")
            link.settimeout(0.2)
            with pytest.raises(TimeoutError):
                link.recv(1)
            assert haproxy.process.poll() is None
        haproxy.process.wait(balancer.DEADLINE_S)
        assert " error " not in (tmp_path / "agent.log").read_text()


def test_a_drain_that_nobody_follows_up_is_over_soon(tmp_path):
    with balancer.Balancer(tmp_path, "--set", "agent.drainDelay=1") as haproxy, \
            balancer.server("pod") as pod, agent(haproxy):
        haproxy.fill("pod1", pod)
        until(lambda: status(haproxy, "/readyz") == 200, "the agent is ready")
        threads, _ = hooks(haproxy)
        until(lambda: readiness(haproxy) == 503, "the probe fails")
        threads[0].join(balancer.DEADLINE_S)
        until(lambda: readiness(haproxy) == 200, "the probe succeeds again")


def test_an_outage_of_the_application_is_none_of_haproxys(tmp_path):
    with balancer.Balancer(tmp_path) as haproxy, balancer.server("pod") as pod, FakeApi() as api:
        ports = [{"name": "ws", "port": pod, "protocol": "TCP"}]
        api.set_slice("my-app-1", [endpoint("127.0.0.1", pod="pod")], service="my-app", ports=ports)
        assert readiness(haproxy) == 503
        with agent(haproxy, api):
            until(lambda: readiness(haproxy) == 200, "a pod is known")
            until(lambda: "<1>" in haproxy.command("get var proc.synced"), "the agent has said so")
            api.set_slice("my-app-1", [], service="my-app", ports=ports)
            until(lambda: haproxy.get("/chat")[0] == 503, "no pod is left")
            assert readiness(haproxy) == 200
