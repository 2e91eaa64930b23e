# SPDX-License-Identifier: MIT
"""The agent's HTTP endpoint: JSON by its schema, series by the tools that read them, probes."""
import copy
import http.client
import json
import re
import socket
import subprocess
import time

import jsonschema
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from balancer import Agent, HAProxy
from fake_api import FakeApi, endpoint
from field import Load, Pod
from manypods import ManyPods
from ports import free_port
from program import ROOT, until

JSON_PATH = "/balancer-metrics?format=json"
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
HOSTILE = '<b>"\\\n\ttail\u2028\u202e\U0001f600'


def closed(schema):
    """The schema with no room for keys that it does not describe."""
    schema = copy.deepcopy(schema)

    def close(part):
        if isinstance(part, dict):
            if "properties" in part and "additionalProperties" not in part:
                part["additionalProperties"] = False
            for value in part.values():
                close(value)
        elif isinstance(part, list):
            for value in part:
                close(value)

    close(schema)
    return schema


SCHEMA = json.loads((ROOT / "agent" / "doc" / "report.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(closed(SCHEMA))


def valid(report):
    """The report, once it is as the schema says."""
    VALIDATOR.validate(report)
    total = report["totalConnections"]
    assert total == report["agentsConnections"] == report["totals"]["connections"]
    assert list(report["podMetrics"]) == [service["url"] for service in report["services"]]
    return report


@pytest.fixture(scope="module")
def pods():
    with Pod(n=3, env={"POD_NAME": "web", "POD_IP": "10.1.2.3", "NODE_NAME": "node-a"}) as pods:
        yield pods


@pytest.fixture(scope="module")
def haproxy(pods):
    more = f"backend hashed\n\tbalance source\n\tserver h1 {pods.addresses[0]}\n"
    with HAProxy(pods.addresses, more=more) as haproxy:
        haproxy.wait_up()
        yield haproxy


@pytest.fixture(scope="module")
def agent(haproxy):
    with Agent(haproxy, config={"backends": ["ws", "hashed"]}) as agent:
        agent.wait_ready()
        yield agent


@pytest.fixture
def connection(agent):
    connection = http.client.HTTPConnection(agent.http, timeout=5)
    yield connection
    connection.close()


def request(connection, path, method="GET", **headers):
    """The answer and its body, over a kept connection."""
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    return answer, answer.read()


# --- JSON ----------------------------------------------------------------------------------------


def test_schema_itself_is_sound():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_json_is_as_the_schema_says_and_as_the_pods_say(agent, haproxy, pods):
    with Load(haproxy.url, connections=40) as load, Load(pods.urls[1], connections=8) as direct:
        load.wait_standing()
        direct.wait_standing()

        def settled():
            """Pods and HAProxy are asked at different times: all of it has arrived."""
            totals = agent.json()["totals"]
            return (totals["connections"], totals["own_sessions"]) == (48, 40)

        until(settled, "48 connections, 40 of them own")
        report = valid(agent.json())
        ws = report["podMetrics"]["ws"]
        assert [pod["server"] for pod in ws] == ["s1", "s2", "s3"]
        assert [pod["agentsConnections"] for pod in ws] == [pods.count(i) for i in range(3)]
        assert [pod["podName"] for pod in ws] == ["web-0", "web-1", "web-2"]
        assert [pod["own_sessions"] for pod in ws] == list(haproxy.sessions().values())
        assert {pod["nodeName"] for pod in ws} == {"node-a"}
        assert report["totals"]["pods"] == 3
        # The pod that two backends share is in both and counts once.
        assert report["podMetrics"]["hashed"][0]["podName"] == "web-0"
        assert report["podMetrics"]["hashed"][0]["why"] == "left alone: balance source"
        assert report["haproxy"]["pid"] == int(haproxy.info()["Pid"])


def test_json_is_as_the_schema_says_before_haproxy_has_answered(haproxy):
    with Agent(haproxy, config={"socket": "/nonexistent/socket"}) as agent:
        agent.wait_http("/healthz")
        report = valid(agent.json())
        assert report["haproxy"]["reached"] is False and not report["ready"]
        status, text = agent.get("/readyz")
        assert status == 503 and "HAProxy has not answered" in text


def test_json_is_as_the_schema_says_with_broken_draining_and_silent_pods():
    with ManyPods(8) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy, \
            Agent(haproxy, "--dry-run", cacheTTL="1s") as agent:
        agent.wait_ready()
        pods.answers[0] = b"{}"
        pods.answers[1] = None
        pods.answers[2]["draining"] = True
        pods.answers[3] |= {"podName": HOSTILE, "podIP": HOSTILE, "nodeName": HOSTILE}
        pods.answers[4]["capacity"] = 2.5
        haproxy.cli("set server ws/s6 state maint")
        haproxy.cli("set server ws/s7 state drain")
        wanted = {"s1": "silent", "s2": "silent", "s3": "draining", "s6": "maint",
                  "s7": "drain", "s8": "heard"}

        def states():
            return {pod["server"]: pod["state"] for pod in agent.json()["podMetrics"]["ws"]}

        until(lambda: wanted.items() <= states().items(), "the states")
        report = valid(agent.json())
        ws = report["podMetrics"]["ws"]
        assert ws[3]["podName"] == ws[3]["nodeName"] == HOSTILE
        assert ws[0]["last_error"] and ws[1]["last_error"]
        assert ws[4]["capacity"] == 2.5
        assert report["dry_run"] is True
        assert report["totals"]["pods_draining"] == 2
        haproxy.stop()
        until(lambda: not agent.json()["haproxy"]["reached"], "HAProxy to be missed")
        valid(agent.json())


def test_json_is_as_the_schema_says_with_agent_check_alone(pods):
    services = [{"name": "ws", "servers": [
        {"name": f"s{i + 1}", "address": address, "weight": 100}
        for i, address in enumerate(pods.addresses)]}]
    with Agent(None, services=services,
               agentCheck={"listen": f"127.0.0.1:{free_port()}"}) as agent:
        agent.wait_ready()
        report = valid(agent.json())
        assert report["haproxy"]["reached"] is None and report["haproxy"]["version"] is None
        assert [pod["podName"] for pod in report["podMetrics"]["ws"]] == ["web-0", "web-1", "web-2"]
        assert report["backends"][0]["mode"] == "flow"
        text = agent.get("/metrics")[1]
        assert "wsbalancer_haproxy_up" not in text
        assert "does not answer" not in agent.get("/balancer-metrics")[1].split("<script>")[0]


def test_json_is_as_the_schema_says_with_kubernetes():
    with ManyPods(3) as pods, FakeApi() as api, HAProxy(
            [], server="weight 100 disabled",
            servers={f"pod{i + 1}": "127.0.0.1:1" for i in range(5)}) as haproxy, Agent(
                haproxy, kubernetes=[{"service": "web", "namespace": "default", "backend": "ws"}],
                kubernetesAPI={"server": api.url}) as agent:
        api.set_slice("web-1", [
            endpoint(address.split(":")[0], pod=f"web-{i}", node="node-a", zone="z1")
            for i, address in enumerate(pods.addresses)],
            ports=[{"name": "ws", "port": pods.port, "protocol": "TCP"}])
        agent.wait_ready()
        until(lambda: agent.json()["totals"]["pods_known"] == 3, "the pods")
        report = valid(agent.json())
        kube, = report["kubernetes"]
        assert (kube["endpoints_ready"], kube["slots_free"], kube["error"]) == (3, 2, None)
        pod = report["podMetrics"]["ws"][0]
        # Kubernetes' names come before the pod's own.
        assert pod["podName"] == "web-0" and pod["zone"] == "z1" and pod["pod_uid"] == "uid-web-0"
        api.down()
        until(lambda: agent.json()["kubernetes"][0]["error"], "the API server to be missed")
        valid(agent.json())
        assert "Kubernetes does not tell of <b>web</b>: " in agent.get("/balancer-metrics")[1]


@pytest.mark.parametrize("query, wanted", [
    ("service=ws", ["s1", "s2", "s3"]), ("service=none", []), ("pod=web-2", ["s3"]),
    ("pod=s2", ["s2"]), ("service=ws&pod=web-0", ["s1"]), ("pod=", ["s1", "s2", "s3"])])
def test_query_selects(agent, query, wanted):
    report = valid(json.loads(agent.get(f"{JSON_PATH}&{query}")[1]))
    assert [pod["server"] for pod in report["podMetrics"].get("ws", [])] == wanted


@pytest.mark.parametrize("path, accept, wanted", [
    ("/balancer-metrics", "*/*", "text/html"),
    ("/balancer-metrics", "text/html,*/*;q=0.8", "text/html"),
    ("/balancer-metrics", "application/json", "application/json"),
    ("/balancer-metrics?format=json", "text/html", "application/json"),
    ("/balancer-metrics?format=html", "application/json", "text/html"),
    ("/metrics", "*/*", "text/plain; version=0.0.4"),
    ("/metrics", OPENMETRICS, "application/openmetrics-text; version=1.0.0"),
])
def test_type_is_as_asked(connection, path, accept, wanted):
    answer, _ = request(connection, path, Accept=accept)
    assert answer.headers["Content-Type"].startswith(wanted)
    assert answer.headers["Vary"] == "Accept, Accept-Encoding"
    assert answer.headers["Cache-Control"] == "no-store"


# --- Prometheus ----------------------------------------------------------------------------------


def test_promtool_has_nothing_to_say(agent, haproxy):
    text = agent.get("/metrics")[1]
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                             capture_output=True)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_openmetrics_parser_finds_the_same_series(agent):
    text = agent.get("/metrics", accept=OPENMETRICS)[1]
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert text.endswith("# EOF\n")
    assert families["wsbalancer_build"].type == "info"
    assert families["wsbalancer_polls"].type == "counter"
    assert families["wsbalancer_poll_duration_seconds"].type == "histogram"

    def name(sample):
        """The sample without its value, labels in the order of their names."""
        return sample.name, tuple(sorted(sample.labels.items()))

    plain = {(re.split("[{]", line)[0], tuple(sorted(re.findall(r'(\w+)="([^"]*)"', line))))
             for line in agent.series()}
    assert {name(sample) for f in families.values() for sample in f.samples} == plain


def test_hostile_names_survive_both_formats():
    with ManyPods(1) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy, \
            Agent(haproxy) as agent:
        pods.answers[0] |= {"podName": HOSTILE, "nodeName": 'a"} 1\n# EOF\n'}
        agent.wait_ready()
        text = agent.get("/metrics", accept=OPENMETRICS)[1]
        found = [sample.labels for family in text_string_to_metric_families(text)
                 for sample in family.samples if sample.name == "wsbalancer_server_connections"]
        assert found == [{"proxy": "ws", "server": "s1", "pod": HOSTILE,
                          "node": 'a"} 1\n# EOF\n'}]
        checked = subprocess.run(["promtool", "check", "metrics"], text=True,
                                 input=agent.get("/metrics")[1], capture_output=True)
        assert checked.stdout + checked.stderr == ""


def test_a_pod_that_says_anothers_name_is_shown_by_its_server_and_address():
    with ManyPods(3) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy:
        pods.answers[1] = {"agentsConnections": 50}
        pods.answers[2] = {"agentsConnections": 50, "podName": pods.addresses[0]}
        with Agent(haproxy) as agent:
            agent.wait_ready()
            pods.answers[1] = {"agentsConnections": 50, "podName": "pod-0"}
            words = "pod says a name that is another's: its address is shown instead"
            agent.wait_log(f"{words} pod={pods.addresses[1]} name=pod-0")
            agent.wait_log(f"{words} pod={pods.addresses[2]} name={pods.addresses[0]}")
            rows = agent.json()["podMetrics"]["ws"]
            assert [(row["server"], row.get("podName")) for row in rows] == \
                [("s1", "pod-0"), ("s2", None), ("s3", None)]
            labels = [f'server="s{i + 1}",pod="{name}"' for i, name in
                      enumerate(["pod-0", *pods.addresses[1:]])]
            assert all(f'wsbalancer_server_connections{{proxy="ws",{label},node=""}}' in agent.series()
                       for label in labels), labels
            found = json.loads(agent.get("/balancer-metrics?format=json&pod=pod-0")[1])
            assert [row["server"] for row in found["podMetrics"]["ws"]] == ["s1"]
            # Its own name it may have again, and is said no more.
            pods.answers[1] = {"agentsConnections": 50, "podName": "pod-1"}
            until(lambda: agent.json()["podMetrics"]["ws"][1].get("podName") == "pod-1", "its own name")
            until(lambda: agent.logged(words) >= 2, "a word of each")
            agent.wait_rounds(2)
            assert agent.logged(words) == 2


def test_series_say_what_haproxy_and_pods_say(agent, haproxy, pods):
    with Load(haproxy.url, connections=30) as load:
        load.wait_standing()
        until(lambda: agent.json()["totals"]["connections"] == 30 ==
              agent.json()["totals"]["own_sessions"], "30 connections")
        found = agent.series()
        for i, name in enumerate(("s1", "s2", "s3")):
            labels = f'{{proxy="ws",server="{name}",pod="web-{i}",node="node-a"}}'
            assert found[f"wsbalancer_server_connections{labels}"] == pods.count(i)
            assert found[f"wsbalancer_server_own_sessions{labels}"] == haproxy.sessions()[name]
            age = time.time() - found[f"wsbalancer_server_last_success_timestamp_seconds{labels}"]
            assert -0.1 < age < 5
        assert found['wsbalancer_backend_servers{proxy="ws",state="heard"}'] == 3
        assert found["wsbalancer_haproxy_up"] == 1
        assert found['wsbalancer_polls_total{result="ok"}'] > 0
        assert found["process_open_fds"] > 5
        assert found["process_resident_memory_bytes"] > 1e6


def test_a_reload_is_counted(haproxy, pods):
    with Agent(haproxy) as agent:
        agent.wait_ready()
        before = agent.series()["wsbalancer_haproxy_reloads_total"]
        haproxy.reload()
        until(lambda: agent.series()["wsbalancer_haproxy_reloads_total"] ==
              before + 1, "the reload to be counted")


# --- HTTP ----------------------------------------------------------------------------------------


def test_connection_is_kept_between_requests(connection):
    for path in ("/healthz", "/readyz", "/startz", "/metrics", JSON_PATH, "/balancer-metrics"):
        answer, body = request(connection, path)
        assert answer.status == 200 and body
        assert connection.sock is not None, f"closed after {path}"


def test_head_has_the_headers_of_get_and_no_body(connection):
    for path in ("/healthz", "/balancer-metrics"):
        answer, body = request(connection, path, "HEAD")
        assert answer.status == 200 and body == b""
        assert int(answer.headers["Content-Length"]) > 0


def test_root_leads_to_the_page(connection):
    answer, _ = request(connection, "/")
    assert answer.status == 302 and answer.headers["Location"] == "/balancer-metrics"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_other_methods_are_refused(agent, method):
    connection = http.client.HTTPConnection(agent.http, timeout=5)
    answer, _ = request(connection, "/metrics", method)
    assert answer.status == 405 and answer.headers["Allow"] == "GET, HEAD"
    connection.close()


def test_unknown_paths_are_told_what_there_is(connection):
    answer, body = request(connection, "/%3Cscript%3E")
    assert answer.status == 404 and b"/balancer-metrics" in body
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert b"<script>" not in body


def test_a_large_body_is_not_waited_for(agent):
    with socket.create_connection(agent.http.split(":"), timeout=5) as s:
        s.sendall(b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\nx")
        assert s.recv(1000).startswith(b"HTTP/1.1 405")


def test_garbage_and_endless_headers_are_cut_off_and_others_served(agent, connection):
    for poison in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20 + b"\r\n\r\n",
                   b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 100000 + b"\r\n\r\n",
                   b"GET " + b"/" * 100000 + b" HTTP/1.1\r\n\r\n", b"\r\n" * 1000, b"\0" * 1000):
        with socket.create_connection(agent.http.split(":"), timeout=5) as s:
            try:
                s.sendall(poison)
                s.shutdown(socket.SHUT_WR)
                while s.recv(65536):
                    pass
            except OSError:
                pass
        assert request(connection, "/healthz")[0].status == 200


def test_more_connections_than_it_takes_wait_and_are_served(agent):
    """At its limit libmicrohttpd stops accepting: it must go on once some have closed."""
    address = tuple(agent.http.split(":"))
    idle = [socket.create_connection(address, timeout=5) for _ in range(160)]
    waiting = socket.create_connection(address, timeout=15)
    waiting.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    time.sleep(0.2)
    for s in idle:
        s.close()
    assert waiting.recv(1000).startswith(b"HTTP/1.1 200")
    waiting.close()
    assert agent.get("/healthz")[0] == 200


def test_a_thousand_pods_are_reported_in_no_time():
    with ManyPods(1000) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy, \
            Agent(haproxy, variant="release", pollInterval="1s", pollTimeout="900ms") as agent:
        agent.wait_ready()
        until(lambda: agent.json()["totals"]["pods_known"] == 1000, "all pods")
        valid(agent.json())
        connection = http.client.HTTPConnection(agent.http, timeout=5)
        for path in (JSON_PATH, "/metrics", "/balancer-metrics"):
            took = []
            for _ in range(10):
                started = time.monotonic()
                request(connection, path)
                took.append(time.monotonic() - started)
            # It takes about 10 ms; the loop does nothing else meanwhile.
            assert min(took) < 0.1, (path, took)
        connection.close()


def test_the_path_can_be_chosen(haproxy):
    with Agent(haproxy, balancerMetricPath="/ops/ws") as agent:
        agent.wait_ready()
        assert json.loads(agent.get("/ops/ws?format=json")[1])["ready"] is True
        assert agent.get("/balancer-metrics")[0] == 404
        assert 'href="?format=json"' in agent.get("/ops/ws")[1]
