# SPDX-License-Identifier: MIT
"""The examples of agent/doc/metric, each run as its first lines say: do they tell how many connections they have?

    make test-examples        # npm, Go and Maven fetch what they need
"""
import json
import shutil
import subprocess
import urllib.request

import pytest

from balancer import Agent, HAProxy
from field import Load
from ports import free_port
from program import ROOT, Program, until

EXAMPLES = ROOT / "agent" / "doc" / "metric"


def in_path(*programs):
    return pytest.mark.skipif(not all(map(shutil.which, programs)), reason=f"needs {' and '.join(programs)}")


def run(argv, folder):
    done = subprocess.run(argv, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout[-2000:]


def node(script, *words):
    def start(folder, port):
        shutil.copy(EXAMPLES / script, folder)
        run(["npm", "install", "--no-audit", "--no-fund", "ws"], folder)
        return ["node", str(folder / script), str(port), *words]
    return start


def python(folder, port):
    return ["/usr/bin/python3", str(EXAMPLES / "server.py"), str(port)]


def go(folder, port):
    shutil.copytree(EXAMPLES / "go", folder / "go")
    run(["go", "build", "-o", "server", "."], folder / "go")
    return [str(folder / "go" / "server"), str(port)]


def spring(folder, port):
    shutil.copytree(EXAMPLES / "spring", folder / "spring")
    run(["mvn", "-q", "-DskipTests", "package"], folder / "spring")
    return ["java", "-jar", str(folder / "spring/target/server-1.jar"), f"--server.port={port}"]


@pytest.mark.parametrize("prepare, path", [
    pytest.param(node("node.mjs"), "/", marks=in_path("npm", "node"), id="node"),
    pytest.param(node("node-cluster.mjs", "3"), "/", marks=in_path("npm", "node"), id="node-cluster"),
    pytest.param(python, "/", id="python"),
    pytest.param(go, "/", marks=in_path("go"), id="go"),
    pytest.param(spring, "/ws", marks=in_path("mvn", "java"), id="spring"),
])
def test_it_tells_how_many_connections_it_has(tmp_path, prepare, path):
    port = free_port("")
    argv = prepare(tmp_path, port)
    server = Program(argv)
    address = f"127.0.0.1:{port}"

    def counts():
        """What it says over several connections: of several workers more than one is heard."""
        said = set()
        for _ in range(6):
            with urllib.request.urlopen(f"http://{address}/metric", timeout=2) as reply:
                said.add(json.loads(reply.read())["agentsConnections"])
        return said

    def answers():
        assert server.running(), (server.out, server.err)
        try:
            return counts() == {0}
        except OSError:
            return False

    try:
        until(answers, "the example to answer", 60)
        with HAProxy([address]) as haproxy:
            haproxy.wait_up()
            with Agent(haproxy, variant="release") as agent:
                with Load(haproxy.url.rstrip("/") + path, connections=30, rate=200, text=True,
                          variant="release") as load:
                    load.wait_standing()
                    until(lambda: counts() == {30}, "30 connections in each answer")
                    until(lambda: agent.json()["agentsConnections"] == 30, "the agent to know")
                    report = load.stop()
                    assert report["ok"], report
                until(lambda: counts() == {0}, "none")
    finally:
        server.kill()
