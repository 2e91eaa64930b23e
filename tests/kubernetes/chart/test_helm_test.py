# SPDX-License-Identifier: MIT
"""The pod of `helm test`: it passes on every healthy release, and fails on others."""
import contextlib
import ssl
import subprocess

import loopback
import pytest
import tools
from test_haproxy import make_secret

WEBSOCKET = "tests.websocketPath=/ws"


def script_of_the_test_pod(haproxy):
    """The script that `helm test` runs, moved to this machine."""
    container = tools.one(haproxy.docs, "Pod")["spec"]["containers"][0]
    assert container["command"][:2] == ["/bin/bash", "-euc"]
    script = container["command"][2]
    for name, address in (("wsb-wsbalancer-metrics ", "127.0.0.1 "), ("wsb-wsbalancer 80 ", f"127.0.0.1 {haproxy.http} "),
                          ("wsb-wsbalancer 443 ", f"127.0.0.1 {haproxy.https} "),
                          ("/etc/wsbalancer-access", str(haproxy.folder))):
        script = script.replace(name, address)
    return [*container["command"][:2], script.replace("sleep 1", "sleep 0.01")]


def run(haproxy):
    return subprocess.run(script_of_the_test_pod(haproxy), capture_output=True, text=True, check=False)


def test_it_passes_when_all_is_well_and_fails_when_not(tmp_path):
    with loopback.Balancer(tmp_path, "--set", WEBSOCKET) as haproxy, \
            loopback.server("agent", haproxy.agent), loopback.server("pod") as pod:
        failed = run(haproxy)
        assert failed.returncode == 1
        assert f"FAILED: plain 127.0.0.1:{haproxy.stat}/ready: wanted 200, got: HTTP/1.1 503" in failed.stdout
        haproxy.fill("pod1", pod)
        haproxy.synced()
        passed = run(haproxy)
        assert passed.returncode == 0, passed.stdout + passed.stderr
        assert passed.stdout.count("ok: ") == 4
        assert passed.stdout.splitlines()[-1].endswith("/ws 101")
    gone = run(haproxy)
    assert gone.returncode == 1 and "FAILED" in gone.stdout


@pytest.mark.parametrize("values", [
    "haproxy.acceptProxy=true", "services[0].hosts={chat.example.com}", "services[0].hosts={*.example.com}",
    "services[0].hosts={a.example.com},services[0].paths={/x,/ws}", "tests.host=b.example.com,services[0].hosts={b.example.com}",
    "services[0].paths={/}"])
def test_it_asks_as_the_release_wants_to_be_asked(values, tmp_path):
    with loopback.Balancer(tmp_path, "--set", f"{WEBSOCKET},{values}") as haproxy, \
            loopback.server("agent", haproxy.agent), loopback.server("pod") as pod:
        haproxy.fill("pod1", pod)
        haproxy.synced()
        passed = run(haproxy)
        assert passed.returncode == 0, passed.stdout + passed.stderr
        assert passed.stdout.splitlines()[-1].endswith("/ws 101")


@pytest.mark.parametrize("values, lines", [("", ["tls", "tls", "plain"]), (",tls.http=redirect", ["tls", "tls"]),
                                           (",tls.http=off", ["tls", "tls"])])
def test_it_speaks_tls_where_clients_do(values, lines, tmp_path):
    make_secret(tmp_path / "tls")
    with loopback.Balancer(tmp_path, "--set", f"{WEBSOCKET},tls.enabled=true,tls.secretName=s{values}") as haproxy, \
            loopback.server("agent", haproxy.agent), loopback.server("pod") as pod:
        haproxy.fill("pod1", pod)
        haproxy.synced()
        passed = run(haproxy)
        assert passed.returncode == 0, passed.stdout + passed.stderr
        assert [line.split()[1] for line in passed.stdout.splitlines()[3:]] == lines


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_it_speaks_tls_behind_the_proxy_protocol(version, tmp_path):
    make_secret(tmp_path / "tls")
    values = f"{WEBSOCKET},tls.enabled=true,tls.secretName=s,haproxy.acceptProxy=true,tls.minVersion={version}"
    with loopback.Balancer(tmp_path, "--set", values) as haproxy, \
            loopback.server("agent", haproxy.agent), loopback.server("pod") as pod:
        haproxy.fill("pod1", pod)
        haproxy.synced()
        passed = run(haproxy)
        assert passed.returncode == 0, passed.stdout + passed.stderr
        assert [line.split()[1] for line in passed.stdout.splitlines()[3:]] == ["handshake", "plain"]


@pytest.mark.parametrize("proxied", [False, True])
def test_it_sees_that_tls_does_not_work(proxied, tmp_path):
    """A Service port that leads to the plain port."""
    make_secret(tmp_path / "tls")
    values = "tls.enabled=true,tls.secretName=s" + (",haproxy.acceptProxy=true" if proxied else "")
    with loopback.Balancer(tmp_path, "--set", values) as haproxy, \
            loopback.server("agent", haproxy.agent), loopback.server("pod") as pod:
        haproxy.fill("pod1", pod)
        haproxy.synced()
        haproxy.https = haproxy.http
        failed = run(haproxy)
        how = "handshake" if proxied else "tls"
        assert failed.returncode == 1 and f"FAILED: {how} 127.0.0.1:{haproxy.http}" in failed.stdout


class Guarded(loopback.Answers):
    """The agent's endpoint with a token."""

    def do_GET(self):
        if self.path != "/readyz" and self.headers["Authorization"] != "Bearer open":
            self.send_error(401)
            return
        super().do_GET()


@pytest.mark.parametrize("tls", [False, True])
def test_it_has_the_agents_token_and_speaks_its_tls(tls, tmp_path):
    values = "agent.access.tokenSecret.name=page" + (",agent.access.tlsSecret=agent-tls" if tls else "")
    (tmp_path / "token").write_text("open\n")
    with loopback.Balancer(tmp_path, "--set", values) as haproxy, loopback.server("pod") as pod, \
            contextlib.ExitStack() as stack:
        agent = stack.enter_context(loopback.new_server("agent", haproxy.agent, handler=Guarded))
        if tls:
            make_secret(tmp_path / "agent")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tmp_path / "agent/tls.crt", tmp_path / "agent/tls.crt.key")
            agent.socket = context.wrap_socket(agent.socket, server_side=True)
        stack.enter_context(loopback.serving(agent))
        haproxy.fill("pod1", pod)
        haproxy.synced()
        passed = run(haproxy)
        assert passed.returncode == 0, passed.stdout + passed.stderr
        (tmp_path / "token").write_text("wrong\n")
        assert "got: HTTP/1." in run(haproxy).stdout
    mounted, = tools.one(haproxy.docs, "Pod")["spec"]["volumes"]
    assert mounted["projected"]["defaultMode"] == 0o440


def test_one_pod_that_is_well_is_enough(tmp_path):
    """Right after an upgrade the old pods have the name of the metrics Service too, and are unready for minutes."""
    with loopback.Balancer(tmp_path) as haproxy, loopback.server("agent", haproxy.agent), loopback.server("pod") as pod:
        haproxy.fill("pod1", pod)
        haproxy.synced()
        command = script_of_the_test_pod(haproxy)
        # Addresses as they come from a name: the first one does not answer.
        command[2] = command[2].replace('getent ahosts "$1"', "printf '%s STREAM x\\n' 127.0.0.2 127.0.0.1")
        passed = subprocess.run(command, capture_output=True, text=True, check=False)
        assert passed.returncode == 0, passed.stdout + passed.stderr
