# SPDX-License-Identifier: MIT
"""Who may read the endpoint: token, TLS, and files that are renewed."""
import base64
import http.client
import os
import re
import signal
import socket
import ssl
import subprocess
import time

import pytest

from balancer import Agent, HAProxy
from certificate import make_certificate
from field import Pod
from ports import free_port
from program import until

OPEN = ("/healthz", "/readyz", "/startz")
GUARDED = ("/balancer-metrics", "/balancer-metrics?format=json", "/metrics", "/", "/nowhere")


@pytest.fixture(scope="module")
def haproxy():
    with Pod() as pod, HAProxy(pod.addresses) as haproxy:
        haproxy.wait_up()
        yield haproxy


@pytest.fixture
def token(tmp_path):
    path = tmp_path / "token"
    path.write_text("s3cret-Token\n")
    return path


class Pair:
    """A certificate for 127.0.0.1 and its key."""

    def __init__(self, directory, name="endpoint"):
        self.cert, self.key = directory / f"{name}.pem", directory / f"{name}.key"
        self.renew()

    def renew(self):
        make_certificate(f"{self.cert}.new", f"{self.key}.new", "agent", "IP:127.0.0.1")
        self.key.with_name(self.key.name + ".new").replace(self.key)
        self.cert.with_name(self.cert.name + ".new").replace(self.cert)

    def keys(self):
        return {"listenTLSCert": str(self.cert), "listenTLSKey": str(self.key)}

    def fingerprint(self):
        return ssl.PEM_cert_to_DER_cert(self.cert.read_text())


def status(agent, path, context=None, **headers):
    """The status of an answer, and its headers."""
    host, port = agent.http.split(":")
    connection = (http.client.HTTPSConnection(host, int(port), timeout=5, context=context)
                  if context else http.client.HTTPConnection(host, int(port), timeout=5))
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers


def basic(password):
    return "Basic " + base64.b64encode(f"anybody:{password}".encode()).decode()


def test_without_a_token_all_is_open(haproxy):
    with Agent(haproxy) as agent:
        agent.wait_ready()
        assert [status(agent, path)[0] for path in GUARDED] == [200, 200, 200, 302, 404]
        assert not any("open to other hosts" in line for line in agent.err)


def test_a_token_is_asked_for_by_all_but_the_probes(haproxy, token):
    with Agent(haproxy, listenTokenFile=str(token)) as agent:
        agent.wait_ready()
        for path in OPEN:
            assert status(agent, path)[0] == 200
        for path in GUARDED:
            code, headers = status(agent, path)
            assert code == 401 and headers["WWW-Authenticate"].startswith("Basic ")
        good = ("Bearer s3cret-Token", "bearer s3cret-Token", basic("s3cret-Token"))
        for value in good:
            assert status(agent, "/metrics", Authorization=value)[0] == 200, value
        bad = ("Bearer s3cret-Toke", "Bearer s3cret-Token2", "Bearer ", "Bearer", "s3cret-Token",
               "Bearer S3cret-Token", basic("s3cret"), basic(""), "Basic !", "Digest x")
        for value in bad:
            assert status(agent, "/metrics", Authorization=value)[0] == 401, value
        assert not any("s3cret" in line for line in agent.err)


def test_a_renewed_token_is_taken_up_without_a_signal(haproxy, token):
    with Agent(haproxy, listenTokenFile=str(token)) as agent:
        agent.wait_ready()
        token.write_text("next")
        until(lambda: status(agent, "/metrics", Authorization="Bearer next")[0] == 200, "the token")
        assert status(agent, "/metrics", Authorization="Bearer s3cret-Token")[0] == 401
        # A file that is no good changes nothing.
        token.write_text("two words\n")
        agent.wait_log("changed files are refused")
        assert status(agent, "/metrics", Authorization="Bearer next")[0] == 200


def test_the_end_of_the_certificate_is_a_series(haproxy, tmp_path):
    pair = Pair(tmp_path)
    with Agent(haproxy, **pair.keys()) as agent:
        context = ssl.create_default_context(cafile=str(pair.cert))
        request = http.client.HTTPSConnection(agent.http, context=context, timeout=5)
        until(lambda: answers(agent, context), "the endpoint")
        request.request("GET", "/metrics")
        series = request.getresponse().read().decode()
        request.close()
        ends = ssl.cert_time_to_seconds(subprocess.run(
            ["openssl", "x509", "-enddate", "-noout", "-in", str(pair.cert)], check=True,
            capture_output=True, text=True).stdout.strip().removeprefix("notAfter="))
        assert float(re.search(r"^wsbalancer_certificate_end_timestamp_seconds (\S+)$", series,
                               re.M)[1]) == ends


def test_tls_shows_the_certificate_and_nothing_old(haproxy, tmp_path):
    pair = Pair(tmp_path)
    with Agent(haproxy, **pair.keys()) as agent:
        context = ssl.create_default_context(cafile=pair.cert)
        until(lambda: answers(agent, context), "the endpoint")
        assert status(agent, "/healthz", context)[0] == 200
        assert status(agent, "/metrics", context)[0] == 200
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            exact = ssl.create_default_context(cafile=pair.cert)
            exact.minimum_version = exact.maximum_version = version
            assert status(agent, "/metrics", exact)[0] == 200
        old = subprocess.run(
            ["openssl", "s_client", "-connect", agent.http, "-tls1_1", "-cipher",
             "ALL:@SECLEVEL=0"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert "Cipher is (NONE)" in old.stdout + old.stderr or old.returncode != 0
        with pytest.raises((OSError, http.client.HTTPException)):
            status(agent, "/metrics")


def answers(agent, context):
    assert agent.running(), agent.err
    try:
        return status(agent, "/healthz", context)[0] == 200
    except OSError:
        return False


def shown(agent):
    host, port = agent.http.split(":")
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((host, int(port))))


def test_a_renewed_certificate_is_shown_without_a_signal(haproxy, tmp_path):
    pair = Pair(tmp_path)
    with Agent(haproxy, **pair.keys()) as agent:
        first = ssl.create_default_context(cafile=pair.cert)
        until(lambda: answers(agent, first), "the endpoint")
        before = shown(agent)
        assert before == pair.fingerprint()
        pair.renew()
        until(lambda: shown(agent) == pair.fingerprint(), "the new certificate")
        assert shown(agent) != before
        # Half of a pair: the old one goes on.
        other = Pair(tmp_path, "other")
        pair_before = shown(agent)
        other.cert.replace(pair.cert)
        agent.wait_log("do not belong together")
        assert shown(agent) == pair_before
        other.key.replace(pair.key)
        until(lambda: shown(agent) == pair.fingerprint(), "the other certificate")


def connect(agent, context):
    host, port = agent.http.split(":")
    raw = socket.create_connection((host, int(port)), timeout=20)
    return context.wrap_socket(raw, server_hostname=host)


def read_all(connection):
    return b"".join(iter(lambda: connection.recv(4096), b"")).decode()


def test_a_renewal_cuts_nothing_that_is_under_way(haproxy, tmp_path):
    """Neither a request that is being sent, nor a hook that waits for /drain to be answered."""
    pair = Pair(tmp_path)
    with Agent(haproxy, drainDelay="9s", **pair.keys()) as agent:
        first = ssl.create_default_context(cafile=pair.cert)
        until(lambda: answers(agent, first), "the endpoint")
        with connect(agent, first) as hook, connect(agent, first) as request:
            began = time.monotonic()
            hook.sendall(b"GET /drain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            request.sendall(b"GET /healthz HTTP/1.1\r\n")
            pair.renew()
            agent.wait_log("certificate was renewed")
            request.sendall(b"Host: a\r\nConnection: close\r\n\r\n")
            assert read_all(request).startswith("HTTP/1.1 200 ")
            # The old door is kept for the hook alone.
            assert shown(agent) == pair.fingerprint()
            said = read_all(hook)
        assert said.startswith("HTTP/1.1 200 ") and said.endswith("\r\ndrained\n"), said
        assert time.monotonic() - began > 8.9


def test_a_reload_switches_tls_and_token_on_and_off(haproxy, tmp_path, token):
    pair = Pair(tmp_path)
    with Agent(haproxy) as agent:
        agent.wait_ready()
        plain = dict(agent.config)
        agent.config |= pair.keys() | {"listenTokenFile": str(token)}
        agent.write()
        agent.signal(signal.SIGHUP)
        context = ssl.create_default_context(cafile=pair.cert)
        until(lambda: answers(agent, context), "TLS")
        assert status(agent, "/metrics", context)[0] == 401
        agent.config = plain
        agent.write()
        agent.signal(signal.SIGHUP)
        agent.wait_ready()
        assert status(agent, "/metrics")[0] == 200


@pytest.mark.parametrize("break_it, wanted", [
    (lambda pair: pair.key.write_text("no key"), "do not belong together"),
    (lambda pair: pair.cert.write_bytes(b""), "is empty"),
    (lambda pair: pair.cert.write_bytes(b"a\0b"), "holds a NUL"),
    (lambda pair: pair.key.write_bytes(pair.cert.read_bytes()), "do not belong together"),
])
def test_bad_files_stop_the_start_with_a_word(haproxy, tmp_path, break_it, wanted):
    pair = Pair(tmp_path)
    break_it(pair)
    agent = Agent(haproxy, **pair.keys())
    assert agent.wait() == 78
    assert any(wanted in line for line in agent.err), agent.err
    agent.check_sanitizers()


@pytest.mark.parametrize("keys, warned", [({}, True), ({"token": True}, False)])
def test_listening_to_other_hosts_without_a_token_is_warned_of(haproxy, token, keys, warned):
    more = {"listenTokenFile": str(token)} if keys else {}
    agent = Agent(haproxy, **more)
    agent.kill()
    agent.config["listen"] = "*:" + agent.http.split(":")[1]
    agent.write()
    with Agent(haproxy, listen=agent.config["listen"], **more) as again:
        again.http = agent.http
        again.wait_ready()
        again.wait_log("started")  # said after that
        assert again.logged("open to other hosts") == warned


def test_every_address_means_both_families(haproxy):
    probe = Agent(haproxy)
    probe.kill()
    port = probe.http.split(":")[1]
    for listen, hosts in ((f"*:{port}", ("127.0.0.1", "::1")), (f"[::1]:{port}", ("::1",))):
        with Agent(haproxy, listen=listen) as agent:
            agent.http = f"{'[::1]' if hosts == ('::1',) else '127.0.0.1'}:{port}"
            agent.wait_ready()
            for host in hosts:
                connection = http.client.HTTPConnection(host, int(port), timeout=5)
                connection.request("GET", "/healthz")
                assert connection.getresponse().status == 200
                connection.close()


def test_a_fifo_for_a_token_stops_the_start_and_not_the_agent(haproxy, tmp_path, token):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    agent = Agent(haproxy, listenTokenFile=str(fifo))
    assert agent.wait() == 78
    assert any("not a regular file" in line for line in agent.err), agent.err
    # Nor when it takes a good one's place later.
    with Agent(haproxy, listenTokenFile=str(token)) as agent:
        agent.wait_ready()
        os.replace(fifo, token)
        agent.wait_log("changed files are refused")
        agent.wait_http("/healthz")


def test_a_fifo_for_a_header_stops_the_start_and_not_the_agent(haproxy, tmp_path):
    fifo, header = tmp_path / "fifo", tmp_path / "header"
    os.mkfifo(fifo)
    header.write_text("value\n")
    agent = Agent(haproxy, metricHeaders={"X-Token": {"file": str(fifo)}})
    assert agent.wait() == 78
    assert any("not a regular file" in line for line in agent.err), agent.err
    with Agent(haproxy, metricHeaders={"X-Token": {"file": str(header)}}) as agent:
        agent.wait_ready()
        os.replace(fifo, header)
        assert "not a regular file" in agent.wait_log("a header's file cannot be read")
        agent.wait_http("/healthz")


def ask(agent, path, **headers):
    """Status and body; header names have underscores for dashes. HOST and SOURCE are special."""
    host, port = agent.http.split(":")
    connection = http.client.HTTPConnection(
        headers.pop("TO", host), int(port), timeout=10, source_address=(headers.pop("FROM", "127.0.0.1"), 0))
    try:
        connection.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("host, status_", [
    ("127.0.0.1:9180", 200), ("localhost", 200), ("LOCALHOST:1", 200), ("[::1]:9180", 200), ("10.0.0.7", 200),
    ("balancer.test", 200), ("Balancer.Test:80", 200), ("evil.test", 403), ("127.0.0.1.evil.test", 403),
    ("localhost.evil.test", 403), ("[evil.test]", 403), ("[::1", 403), ("", 403), (":80", 403),
    ("[::1]evil.test", 403), ("localhost:80.evil.test", 403), ("127.1", 403)])
def test_on_loopback_without_a_token_only_names_of_ours_are_answered(haproxy, host, status_):
    with Agent(haproxy, listenNames=["balancer.test"]) as agent:
        agent.wait_ready()
        for path in GUARDED[:3]:
            assert ask(agent, path, Host=host)[0] == status_, path
        # A probe says nothing worth reading.
        for path in OPEN:
            assert ask(agent, path, Host=host)[0] == 200
        if status_ == 403:
            assert f"host={host or chr(34)}" in agent.wait_log("listenNames lacks")


def test_with_a_token_any_name_is_answered(haproxy, token):
    with Agent(haproxy, listenTokenFile=str(token)) as agent:
        agent.wait_ready()
        bearer = {"Authorization": "Bearer s3cret-Token"}
        assert ask(agent, "/metrics", Host="evil.test", **bearer)[0] == 200


@pytest.mark.parametrize("headers", [
    {"Origin": "http://evil.test"}, {"Referer": "http://evil.test/"}, {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Mode": "no-cors"}, {"Sec_Fetch_Dest": "image"}, {"X_Forwarded_For": "10.1.2.3"},
    {"Forwarded": "for=10.1.2.3"}, {"Via": "1.1 proxy"}, {"Accept_Language": "en"}, {"X_Real_IP": "10.1.2.3"}])
def test_no_browser_and_no_proxy_drains(haproxy, headers):
    with Agent(haproxy, drainDelay="1s") as agent:
        agent.wait_ready()
        assert ask(agent, "/drain", **headers)[0] == 403
        said = agent.wait_log("a request for /drain is refused")
        assert "drainFile" in said and next(iter(headers)).replace("_", "-") in said
        assert not any("draining" in line for line in agent.err)
        assert ask(agent, "/drain") == (200, "drained\n")


def test_another_host_drains_with_the_token_only(haproxy, token):
    # Not of 127.0.0.0/8, and this host's own, as a kubelet's requests look like.
    subprocess.run(["ip", "address", "add", "192.0.2.1/32", "dev", "lo"], check=False)
    try:
        probe = socket.create_server(("192.0.2.1", 0))
        probe.close()
    except OSError:
        pytest.skip("no address can be added here: needs a network namespace")
    other = {"TO": "192.0.2.1", "FROM": "192.0.2.1"}
    port = free_port()
    with Agent(haproxy, drainDelay="1s", listen=f"*:{port}") as agent:
        agent.http = f"127.0.0.1:{port}"
        agent.wait_ready()
        assert ask(agent, "/metrics", **other)[0] == 200
        assert ask(agent, "/drain", **other)[0] == 403
        assert "another host" in agent.wait_log("a request for /drain is refused")
        # To one of ours, from ours.
        assert ask(agent, "/drain")[0] == 200
    with Agent(haproxy, drainDelay="1s", listen=f"*:{port}", listenTokenFile=str(token)) as agent:
        agent.http = f"127.0.0.1:{port}"
        agent.wait_ready()
        assert ask(agent, "/drain")[0] == 403
        assert "lacks the token" in agent.wait_log("a request for /drain is refused")
        assert ask(agent, "/drain", Authorization="Bearer wrong", **other)[0] == 403
        assert ask(agent, "/drain", Authorization="Bearer s3cret-Token", **other) == (200, "drained\n")
