# SPDX-License-Identifier: MIT
"""HAProxy and the agent, each with what the chart renders for it, as two processes that share a socket.

Pods are put into the slots by hand here: discovery is tested on its own.
"""
import contextlib
import json
import subprocess

import balancer
import pytest
import tools
import yaml
from test_agent import AGENT, PENDING
from test_haproxy import script_of_the_test_pod


@contextlib.contextmanager
def agent(haproxy):
    """The agent with its rendered configuration, but for what needs a Kubernetes API."""
    config = yaml.safe_load(tools.agent_yaml(tools.documents(haproxy.text)))
    config = {key: value for key, value in config.items() if key not in (*PENDING, "kubernetes")}
    config["haproxy"] |= {"replicas": 1, "socket": str(haproxy.folder / "admin.sock")}
    file = haproxy.folder / "wsbalancer.yaml"
    file.write_text(yaml.safe_dump(config))
    with open(haproxy.folder / "agent.log", "w", encoding="utf-8") as log:
        process = subprocess.Popen([AGENT, "-c", file], stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait(balancer.DEADLINE)


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
    with balancer.Balancer(tmp_path, "--set", "tests.websocketPath=/ws") as haproxy, \
            balancer.server("full", connections=30) as full, balancer.server("empty", connections=10) as empty:
        haproxy.fill("pod1", full)
        haproxy.fill("pod2", empty)
        with agent(haproxy) as process:
            balancer.eventually("the agent is up", lambda: status(haproxy, "/startz") == 200)
            balancer.eventually("the agent is ready", lambda: status(haproxy, "/readyz") == 200)
            yield haproxy, process


def test_the_emptier_pod_gets_the_greater_weight_and_a_stop_puts_both_back(pair):
    haproxy, process = pair
    balancer.eventually("weights", lambda: 2 * weights(haproxy)["pod1"] < weights(haproxy)["pod2"])
    process.terminate()
    assert process.wait(balancer.DEADLINE) == 0
    assert {name: weights(haproxy)[name] for name in ("pod1", "pod2")} == {"pod1": 100, "pod2": 100}
    # HAProxy goes on without its agent, and stays ready.
    assert haproxy.get("/ready", port=haproxy.stat)[0] == haproxy.get("/chat")[0] == 200


def test_the_page_shows_the_pods_through_haproxy(pair):
    haproxy, _ = pair

    def report():
        code, answer = haproxy.get("/balancer-metrics?format=json")
        return code == 200 and json.loads(answer.split("\r\n\r\n", 1)[1])

    balancer.eventually("both pods are known", lambda: report()["totalConnections"] == 40)
    pods = {pod.get("podName"): pod["agentsConnections"] for pod in report()["podMetrics"]["my-app"]}
    assert pods["full"] == 30 and pods["empty"] == 10


def test_the_agent_is_alive_without_haproxy(tmp_path):
    """Its probes must not wait for HAProxy, which Kubernetes starts after it."""
    haproxy = balancer.Balancer(tmp_path)
    with agent(haproxy):
        balancer.eventually("the agent is up", lambda: status(haproxy, "/startz") == 200)
        assert status(haproxy, "/healthz") == 200
        assert status(haproxy, "/readyz") == 503


def test_helm_test_passes_with_the_real_agent(pair):
    done = subprocess.run(script_of_the_test_pod(pair[0]), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
