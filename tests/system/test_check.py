# SPDX-License-Identifier: MIT
"""`wsbalancer check`: each line is ok, a warning or a fault, with what is to be written; nothing is changed. And the
pages under haproxy/with/: what they tell people to write is taken by both programs."""
import json
import os
import re
import subprocess

import pytest

from balancer import HAPROXY, HAProxy
from field import Pod
from ports import free_port
from program import ROOT, binary, until
from test_metric_bodies import RawPod, http
from test_reach import backend


def check(tmp_path, config):
    """Exit status and {level: [lines]}."""
    file = tmp_path / "wsbalancer.yaml"
    file.write_text(json.dumps(config))
    result = subprocess.run([binary("wsbalancer"), "check", "-c", str(file)], capture_output=True, text=True,
                            timeout=30)
    lines = {"ok": [], "warning": [], "fault": []}
    for line in result.stdout.splitlines():
        level, _, text = line.partition(" ")
        lines[level].append(text.strip())
    assert not result.stderr or result.returncode, result.stderr
    return result.returncode, lines, result.stderr


def has(lines, *words):
    return any(all(word in line for word in words) for line in lines)


def test_what_is_as_it_must_be_is_said_and_nothing_is_changed(tmp_path):
    with RawPod(http('{"agentsConnections": 42}')) as full, Pod() as pod:
        with HAProxy([full.address, *pod.addresses], server="weight 100") as haproxy:
            status, lines, _ = check(tmp_path, {"haproxy": {"socket": haproxy.socket}})
            assert status == 0 and not lines["fault"] and not lines["warning"], lines
            assert has(lines["ok"], "level admin") and has(lines["ok"], "backend ws: balance leastconn")
            assert has(lines["ok"], "ws/s1", "42 connections at /metric (agentsConnections)")
            assert haproxy.weights() == {"s1": 100, "s2": 100}


def test_each_fault_says_what_is_to_be_written(tmp_path):
    with RawPod(http("no", "404 Not Found")) as stranger, Pod() as pod:
        more = (backend("hash", *pod.addresses).replace("leastconn", "source") +
                backend("odd", "unix@/tmp/no-such-socket") +
                backend("db", *pod.addresses).replace("\n", "\n\tmode tcp\n", 1))
        checks = f"weight 50 agent-check agent-addr 127.0.0.1 agent-port {free_port()}"
        with HAProxy([stranger.address, *pod.addresses], server=checks, more=more, level="operator") as haproxy:
            backends = ["ws", "hash", "odd", "none", "*"]
            status, lines, _ = check(tmp_path, {"haproxy": {"socket": haproxy.socket, "backends": backends}})
            assert status == 1
            assert has(lines["fault"], "level operator", "level admin")
            assert has(lines["fault"], "ws/s1", "404")
            assert has(lines["fault"], "backend hash", "balance leastconn")
            assert has(lines["fault"], "does not have")
            assert has(lines["warning"], "odd/s1", "Unix socket")
            assert has(lines["warning"], "ws/s2", "weight 100")
            assert has(lines["warning"], "ws/s2", "agentCheck: {listen: 127.0.0.1:")
            assert has(lines["ok"], "mode tcp", "db")


def test_no_haproxy_no_file_no_word_too_many(tmp_path):
    status, lines, _ = check(tmp_path, {"haproxy": {"socket": str(tmp_path / "none.sock")}})
    assert status == 1 and has(lines["fault"], "none.sock", "stats socket")
    status, _, said = check(tmp_path, {"haproxy": {"socket": "/s", "backend": 1}})
    assert status == 1 and "backend: unknown key" in said
    result = subprocess.run([binary("wsbalancer"), "check", "now"], capture_output=True, text=True, timeout=30)
    assert result.returncode == 2 and "no further argument is expected" in result.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_who_may_not_open_the_socket_is_told_whose_it_is(tmp_path):
    with Pod() as pod, HAProxy(pod.addresses) as haproxy:
        os.chmod(haproxy.dir, 0o755)
        os.chmod(haproxy.dir.parent, 0o711)
        file = haproxy.dir / "wsbalancer.yaml"
        for socket, words in [(haproxy.socket, ["mode 600", "user 0 and group 0", "runs as user 65534, group 65533"]),
                              (str(tmp_path / "x.sock"), ["a directory above it"])]:
            os.chmod(tmp_path, 0o700)
            file.write_text(json.dumps({"haproxy": {"socket": socket}}))
            result = subprocess.run([binary("wsbalancer"), "check", "-c", str(file)], capture_output=True, text=True,
                                    timeout=30, user=65534, group=65533, extra_groups=[])
            assert result.returncode == 1 and all(word in result.stdout for word in words), result.stdout


def test_agent_check_alone_is_checked_too(tmp_path):
    with Pod() as pod:
        config = {"agentCheck": {"listen": f"127.0.0.1:{free_port()}"},
                  "services": [{"name": "ws", "servers": [{"name": "s1", "address": pod.address}]}]}
        status, lines, _ = check(tmp_path, config)
        assert status == 0 and has(lines["ok"], "ws/s1", "0 connections"), lines


PAGES = sorted((ROOT / "haproxy/with").glob("*.md"))
BLOCKS = [(page.name, number, kind, text) for page in PAGES
          for number, (kind, text) in enumerate(re.findall(r"```(yaml|haproxy)\n(.*?)```", page.read_text(), re.DOTALL))]


def test_the_pages_have_blocks():
    assert {page for page, *_ in BLOCKS} >= {"kubernetes.md", "docker.md", "consul.md", "agent-check.md"}


@pytest.mark.parametrize("kind, text", [b[2:] for b in BLOCKS], ids=[f"{b[0]}-{b[1]}" for b in BLOCKS])
def test_what_a_page_tells_to_write_is_taken(kind, text, tmp_path):
    if kind == "yaml":
        file = tmp_path / "wsbalancer.yaml"
        file.write_text(text)
        command = [binary("wsbalancer"), "-t", "-c", str(file)]
    else:
        file = tmp_path / "haproxy.cfg"
        socket = tmp_path / "admin.sock"
        defaults = "defaults\n\tmode http\n\ttimeout connect 5s\n\ttimeout client 5s\n\ttimeout server 5s\n"
        defaults += f"frontend some\n\tbind 127.0.0.1:{free_port()}\n"
        file.write_text(defaults + text.replace("/run/haproxy/admin.sock", str(socket)))
        command = [*HAPROXY, "-c", "-f", str(file)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert result.returncode == 0, result.stderr


def test_a_pod_that_is_down_is_told(tmp_path):
    with Pod() as pod, HAProxy([pod.address, f"127.0.0.1:{free_port()}"]) as haproxy:
        until(lambda: haproxy.stat()["s2"]["status"].startswith("DOWN"), "the second to be down")
        _, lines, _ = check(tmp_path, {"haproxy": {"socket": haproxy.socket}})
        assert "ws/s2: HAProxy's health check says DOWN: start its pod, or mend the check in haproxy.cfg" in \
            lines["warning"]
