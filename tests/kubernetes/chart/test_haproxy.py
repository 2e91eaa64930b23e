# SPDX-License-Identifier: MIT
"""The rendered haproxy.cfg: HAProxy takes it without a word, and behaves as probes, drain and page need it."""
import re
import signal
import socket
import subprocess

import loopback
import pytest
import tools
from certificate import make_certificate
from program import run, until

SCENARIOS = list(tools.scenarios())


def make_secret(folder, name="ws.example.com"):
    """What the volume of a Secret of type kubernetes.io/tls holds for HAProxy."""
    folder.mkdir(parents=True, exist_ok=True)
    make_certificate(folder / "tls.crt", folder / "tls.crt.key", name, f"DNS:{name}")


@pytest.fixture(scope="module", name="certificate")
def fixture_certificate(tmp_path_factory):
    """A folder with what the Secrets of the scenarios would hold."""
    folder = tmp_path_factory.mktemp("etc")
    make_secret(folder / "tls")
    for secret in "shop-tls", "wild-tls":
        make_secret(folder / "certificates" / secret)
    (folder / "ca").mkdir()
    run("cp", folder / "tls/tls.crt", folder / "ca/ca.crt")
    return folder


@pytest.mark.parametrize("name", SCENARIOS)
def test_haproxy_takes_the_configuration_without_a_warning(name, certificate):
    files = tools.one(tools.documents(tools.scenario(name)), "ConfigMap", "-haproxy")["data"]
    for made, text in files.items():
        (certificate / made).write_text(loopback.local(text, certificate))
    file = certificate / "haproxy.cfg"
    done = subprocess.run(["haproxy", "-c", "-f", file], capture_output=True, text=True, check=False)
    # A machine without a network cannot reach its name server: no fault of the configuration.
    said = re.sub(r"(?m)^\[NOTICE\].*\n|^.*can't connect socket for nameserver.*\n", "", done.stderr)
    assert (done.returncode, said) == (0, ""), done.stderr


def test_a_mistake_in_an_added_line_is_seen(tmp_path):
    cfg = tools.haproxy_cfg(tools.documents(tools.template(
        "--set", "services[0].name=my-app", "--set", "haproxy.extra.global=no-such-word")))
    file = tmp_path / "haproxy.cfg"
    file.write_text(cfg)
    assert subprocess.run(["haproxy", "-c", "-f", file], capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize("values, want", [
    ("config=global\\,log stdout", "global,log stdout"),
    ("config=\\{\\{ .Release.Name \\}\\}", "wsb")])
def test_a_whole_configuration_can_be_given(values, want):
    docs = tools.documents(tools.template("--set", "services[0].name=my-app", "--set", values))
    assert tools.haproxy_cfg(docs).strip() == want


@pytest.fixture(scope="module", name="running")
def fixture_running(tmp_path_factory):
    """One HAProxy of the default configuration with a pod in its first slot, and an agent to answer for the page."""
    with loopback.Balancer(tmp_path_factory.mktemp("running"), "--set", "balancerMetrics.enabled=true") as haproxy, \
            loopback.server("pod") as pod, loopback.server("agent", haproxy.agent):
        haproxy.fill("pod1", pod)
        yield haproxy


def test_requests_reach_the_pod_with_the_clients_address(running):
    status, answer = running.get("/chat")
    assert status == 200 and "\r\n\r\npod\n/chat\n" in answer
    assert "X-Forwarded-For: 127.0.0.1" in answer or "x-forwarded-for: 127.0.0.1" in answer


def test_a_websocket_opens(running):
    with running.open_websocket() as link:
        assert link.recv(4096).startswith(b"HTTP/1.1 101 ")


def test_the_page_is_the_agents_for_addresses_inside(running):
    status, answer = running.get("/balancer-metrics?format=json")
    assert status == 200 and "\r\n\r\nagent\n/balancer-metrics?format=json\n" in answer


def test_the_page_is_hidden_from_what_came_through_a_proxy(running):
    status, answer = running.get("/balancer-metrics", headers="X-Forwarded-For: 10.0.0.1\r\n")
    assert status == 404 and "agent" not in answer


def test_the_page_is_hidden_from_addresses_outside(tmp_path):
    with loopback.Balancer(tmp_path, "--set", "balancerMetrics.enabled=true,balancerMetrics.allowFrom={192.0.2.0/24}") as haproxy, \
            loopback.server("agent", haproxy.agent):
        assert haproxy.get("/balancer-metrics")[0] == 404


def test_haproxys_metrics_name_each_server(running):
    status, answer = running.get("/metrics", port=running.stat)
    assert status == 200
    assert "haproxy_process_current_connections " in answer
    assert 'haproxy_server_weight{proxy="my-app",server="pod1"} 100' in answer


def test_it_is_ready_from_when_its_slots_are_filled_until_it_stops(tmp_path):
    with loopback.Balancer(tmp_path, "--set", "services[1].name=b,services[1].paths={/b}") as haproxy, \
            loopback.server("pod") as pod:
        assert haproxy.get("/ready", port=haproxy.stat)[0] == 503
        # A Service's pods are no sign that the others are rightly named.
        haproxy.fill("pod1", pod)
        assert haproxy.get("/ready", port=haproxy.stat)[0] == 503
        # The agent's word for it; from then on an outage of the pods is not one of HAProxy.
        haproxy.synced()
        assert haproxy.get("/ready", port=haproxy.stat)[0] == 200
        haproxy.command("set server my-app/pod1 state maint")
        assert haproxy.get("/ready", port=haproxy.stat)[0] == 200
        # The drain hook.
        haproxy.fill("pod1", pod)
        haproxy.command("experimental-mode on;set var proc.stopping int(1)")
        assert haproxy.get("/ready", port=haproxy.stat)[0] == 503
        assert haproxy.get("/live", port=haproxy.stat)[0] == 200
        assert haproxy.get("/chat")[0] == 200


def test_probes_and_scrapes_leave_no_line_in_the_log(tmp_path):
    with loopback.Balancer(tmp_path) as haproxy:
        for path in "/live", "/ready", "/metrics", "/stats":
            haproxy.get(path, port=haproxy.stat)
        haproxy.get("/seen")
        log = tmp_path / "haproxy.log"
        until(lambda: '"GET /seen ' in log.read_text(), "the client's request is logged")
        assert f":{haproxy.stat}" not in log.read_text() and "fe_stat" not in log.read_text()


def test_it_is_ready_without_pods_where_asked(tmp_path):
    with loopback.Balancer(tmp_path, "--set", "haproxy.readyWithoutServers=true") as haproxy:
        assert haproxy.get("/ready", port=haproxy.stat)[0] == 200


def test_open_websockets_outlive_a_soft_stop(tmp_path):
    with loopback.Balancer(tmp_path) as haproxy, loopback.server("pod") as pod:
        haproxy.fill("pod1", pod)
        with haproxy.open_websocket() as link:
            assert link.recv(4096).startswith(b"HTTP/1.1 101 ")

            def stopped():
                # The stop signal of HAProxy's images. A master of 2.6 can lose it in its first moments.
                haproxy.process.send_signal(signal.SIGUSR1)
                return haproxy.try_get("/live") is None

            until(stopped, "new connections are refused")
            assert haproxy.process.poll() is None
            link.settimeout(0.2)
            with pytest.raises(socket.timeout):
                link.recv(1)
        assert haproxy.process.wait(loopback.DEADLINE_S) == 0


def test_each_slot_asks_agent_check_under_its_own_name(tmp_path):
    haproxy = loopback.Balancer(tmp_path)
    with socket.create_server(("127.0.0.1", haproxy.check)) as agent, loopback.server("pod") as pod:
        agent.settimeout(loopback.DEADLINE_S)
        with haproxy:
            for slot in "pod1", "pod2":
                haproxy.fill(slot, pod)
            asked = set()
            while len(asked) < 2:
                link, _ = agent.accept()
                with link:
                    asked.add(link.recv(100))
                    link.sendall(b"7%\n")
            assert asked == {b"my-app/pod1\n", b"my-app/pod2\n"}
            # N% of weight 100 is N.
            until(lambda: "my-app/pod1 (weight" in
                                (said := haproxy.command("get weight my-app/pod1")) or said.startswith("7 "), "the weight is taken")


@pytest.mark.parametrize("mode, plain", [("serve", 503), ("redirect", 301), ("off", None)])
def test_tls_is_taken_and_the_plain_port_does_as_told(mode, plain, tmp_path, certificate):
    for name in "tls", "ca":
        run("cp", "-r", certificate / name, tmp_path)
    with loopback.Balancer(tmp_path, "--set", f"tls.enabled=true,tls.secretName=s,tls.http={mode}") as haproxy, \
            loopback.server("pod") as pod:
        if plain is None:
            with pytest.raises(ConnectionRefusedError):
                haproxy.get("/")
        else:
            assert haproxy.get("/")[0] == plain
        haproxy.fill("pod1", pod)
        assert "x-forwarded-proto: https" in haproxy.tls_get("/").lower()
