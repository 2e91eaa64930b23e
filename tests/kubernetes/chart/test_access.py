# SPDX-License-Identifier: MIT
"""The agent's port with a token and TLS: whoever asks it knows; and what clients get to see of it and of the pods."""
import contextlib
import ssl

import loopback
import pytest
import tools
import yaml
from test_haproxy import make_secret

DOCS = tools.documents(tools.scenario("public"))


def test_the_agent_has_token_and_certificate_from_secrets():
    pod, haproxy, agent = tools.containers(DOCS)
    config = yaml.safe_load(tools.agent_yaml(DOCS))
    folder, = [m["mountPath"] for m in agent["volumeMounts"] if m["name"] == "access"]
    assert (config["listenTokenFile"], config["listenTLSCert"], config["listenTLSKey"]) == (
        f"{folder}/token", f"{folder}/tls.crt", f"{folder}/tls.key")
    volume, = [v["projected"] for v in pod["volumes"] if v["name"] == "access"]
    assert [(s["secret"]["name"], [i["path"] for i in s["secret"]["items"]]) for s in volume["sources"]] == [
        ("page-token", ["token"]), ("agent-tls", ["tls.crt", "tls.key"])]
    assert "access" not in {m["name"] for m in haproxy["volumeMounts"]}


def test_probes_and_hook_speak_tls():
    _, haproxy, agent = tools.containers(DOCS)
    asked = [agent["startupProbe"], agent["livenessProbe"]]
    assert [probe["httpGet"]["scheme"] for probe in asked] == ["HTTPS"] * 2
    # HAProxy's own port stays as it is.
    assert "scheme" not in haproxy["readinessProbe"]["httpGet"]


def test_monitors_have_the_token_and_leave_out_empty_slots():
    monitor = tools.one(DOCS, "PodMonitor")
    stat, agent = monitor["spec"]["podMetricsEndpoints"]
    assert stat["params"] == {"no-maint": ["1"]} and "scheme" not in stat and "authorization" not in stat
    assert agent["scheme"] == "https" and agent["tlsConfig"] == {"insecureSkipVerify": True}
    assert agent["authorization"]["credentials"] == {"name": "page-token", "key": "token"}
    for endpoint in stat, agent:
        assert endpoint["scrapeTimeout"] == "5s" and endpoint["relabelings"] and endpoint["metricRelabelings"]
    assert monitor["metadata"]["namespace"] == "monitoring"
    assert monitor["spec"]["namespaceSelector"] == {"matchNames": ["default"]}


def test_haproxy_leaves_servers_in_maintenance_out_of_its_metrics(tmp_path):
    with loopback.Balancer(tmp_path, "--set", "slots=200") as haproxy, loopback.server("pod") as pod:
        haproxy.fill("pod1", pod)
        series = {path: sum('_server_' in line and line[0] != "#" for line in haproxy.get(path, haproxy.stat)[1].splitlines())
                  for path in ("/metrics", "/metrics?no-maint=1", "/metrics?no-maint")}
    assert series["/metrics?no-maint=1"] == series["/metrics?no-maint"] > 0
    assert series["/metrics?no-maint=1"] * 20 < series["/metrics"]


def test_the_page_behind_a_token_comes_through_haproxy_and_its_agents_tls(tmp_path):
    make_secret(tmp_path / "agent")
    values = "balancerMetrics.enabled=true,agent.access.tlsSecret=t,agent.access.tokenSecret.name=p"
    with loopback.Balancer(tmp_path, "--set", values) as haproxy, contextlib.ExitStack() as stack:
        agent = loopback.new_server("agent", haproxy.agent)
        stack.enter_context(agent)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "agent/tls.crt", tmp_path / "agent/tls.crt.key")
        agent.socket = context.wrap_socket(agent.socket, server_side=True)
        stack.enter_context(loopback.serving(agent))
        status, answer = haproxy.get("/balancer-metrics", headers="Authorization: Bearer x\r\n")
        # The token is the agent's to judge.
        assert status == 200 and "authorization: bearer x" in answer.lower()


@pytest.mark.parametrize("path, status", [
    ("/metric", 404), ("/metric/", 404), ("/METRIC", 404), ("/%6Detric", 404), ("//metric", 404), ("/./metric", 404),
    ("/metric?x=1", 404), ("/metrics", 200), ("/chat/metric", 200), ("/", 200)])
def test_the_pods_metric_can_be_denied_to_clients(path, status, hidden):
    assert hidden.get(path)[0] == status


@pytest.fixture(name="hidden", scope="module")
def fixture_hidden(tmp_path_factory):
    with loopback.Balancer(tmp_path_factory.mktemp("hidden"), "--set", "haproxy.denyMetricPath=true") as haproxy, \
            loopback.server("pod") as pod:
        haproxy.fill("pod1", pod)
        yield haproxy


PROTO = [("", "http", None, "http"), ("", "http", "https", "https"), ("haproxy.forwardedFor=replace", "http", "https", "http"),
         ("haproxy.forwardedFor=off", "http", None, None), ("haproxy.forwardedFor=off", "http", "https", "https"),
         ("haproxy.forwardedProto=https", "http", None, "https"), ("tls.enabled=true,tls.secretName=s", "http", None, "http"),
         ("tls.enabled=true,tls.secretName=s", "https", "http", "https"),
         ("tls.enabled=true,tls.secretName=s,haproxy.forwardedFor=replace", "http", "https", "http")]


@pytest.mark.parametrize("values, scheme, sent, got", PROTO)
def test_the_pods_are_told_how_the_client_came(values, scheme, sent, got, tmp_path):
    make_secret(tmp_path / "tls")
    with loopback.Balancer(tmp_path, *(("--set", values) if values else ())) as haproxy, loopback.server("pod") as pod:
        haproxy.fill("pod1", pod)
        header = f"X-Forwarded-Proto: {sent}\r\n" if sent else ""
        answer = haproxy.get("/", headers=header)[1] if scheme == "http" else haproxy.tls_get("/", headers=header)
    told = [line.split(": ")[1].strip() for line in answer.lower().splitlines() if line.startswith("x-forwarded-proto")]
    assert told == ([got] if got else [])


def test_each_name_gets_its_certificate(tmp_path):
    for secret, name in (("certificates/shop", "shop.example.org"), ("certificates/wild", "any.example.com"),
                         ("tls", "ws.example.com")):
        make_secret(tmp_path / secret, name)
    values = ("tls.enabled=true,tls.secretName=main,tls.certificates[0].secretName=shop,"
              "tls.certificates[1].secretName=wild,tls.certificates[1].hosts={*.example.com}")
    with loopback.Balancer(tmp_path, "--set", values) as haproxy:
        for name, folder in (("shop.example.org", "certificates/shop"), ("x.example.com", "certificates/wild"),
                             ("elsewhere.example.net", "tls")):
            assert haproxy.presented(name) == (tmp_path / folder / "tls.crt").read_text().strip(), name
