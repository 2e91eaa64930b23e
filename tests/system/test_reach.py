# SPDX-License-Identifier: MIT
"""Backends that are asked in ways of their own: whatever their pods answer, each is read rightly."""
import contextlib
import re
import signal

import pytest

from balancer import Agent, HAProxy
from fake_api import FakeApi, endpoint
from field import Pod
from hostile import Hostile, with_body
from ports import free_port
from program import until
from test_metric_bodies import RawPod, http

PAGE = """# HELP ws_connections Open connections.
# TYPE ws_connections gauge
ws_connections{app="chat",proto="v1"} 40
ws_connections{app="chat",proto="v2"} 2.0
ws_connections{app="api"} 9
# TYPE leaving gauge
leaving 1
"""


def backend(name, *addresses, more=""):
    servers = "\n".join(f"\tserver s{i + 1} {a} weight 100 {more}" for i, a in enumerate(addresses))
    return f"backend {name}\n\tbalance leastconn\n{servers}\n"


def counts(agent):
    return {name: [server["reported"] if server["known"] else None for server in servers]
            for name, servers in agent.json()["podMetrics"].items()}


def test_each_backend_is_asked_as_it_says():
    """Formats, keys, paths, ports, headers and the PROXY protocol, beside the top level's."""
    with contextlib.ExitStack() as stack:
        prom, text, bare, proxied = (stack.enter_context(RawPod(http(body))) for body in (
            PAGE, "Active connections: 7 \nReading: 0 Writing: 5 Waiting: 2\n", "11\n",
            '{"agentsConnections": 13}'))
        plain = stack.enter_context(Pod())
        haproxy = stack.enter_context(HAProxy(plain.addresses, more=(
            backend("chat", prom.address) + backend("web-a", text.address) +
            backend("bare", bare.address) + backend("px", proxied.address, more="send-proxy"))))
        backends = ["ws", {"name": "chat", "metricFormat": "prometheus", "drainingKey": "leaving",
                           "metricKey": 'ws_connections{app="chat",proto=~"v[12]"}'},
                    {"name": "web-*", "preset": "nginx"},
                    {"name": "bare", "metricKey": "", "metricHeaders": {"Accept": "text/x-own"}},
                    {"name": "px", "metricProxy": "v1"}]
        agent = stack.enter_context(Agent(haproxy, config={"backends": backends}))
        agent.wait_ready()
        until(lambda: counts(agent) == {
            "ws": [0], "chat": [42], "web-a": [5], "bare": [11], "px": [13]}, "all counts")
        assert agent.json()["podMetrics"]["chat"][0]["draining"]
        assert prom.requests[0].startswith(b"GET /metrics HTTP/1.1\r\n")
        assert b"\r\nAccept: text/plain;version=0.0.4, " in prom.requests[0]
        assert text.requests[0].startswith(b"GET /stub_status HTTP/1.1\r\n")
        assert b"\r\nAccept: text/plain, " in text.requests[0]
        assert bare.requests[0].count(b"\r\nAccept: ") == 1
        assert b"\r\nAccept: text/x-own\r\n" in bare.requests[0]
        assert re.match(rb"PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n", proxied.requests[0])


def test_one_address_is_one_pod_where_it_is_asked_the_same_and_two_where_not():
    with RawPod(http('{"agentsConnections": 3, "other": 4}')) as pod:
        with HAProxy([pod.address], more=backend("same", pod.address) +
                     backend("else", pod.address)) as haproxy:
            backends = ["ws", "same", {"name": "else", "metricKey": "other"}]
            with Agent(haproxy, config={"backends": backends}) as agent:
                agent.wait_ready()
                until(lambda: counts(agent) == {"ws": [3], "same": [3], "else": [4]}, "counts")
                # Each round it is asked for the one key, which two backends want, and for the other.
                made, asked = agent.series()["wsbalancer_rounds_total"], len(pod.requests)
                agent.wait_rounds(6)
                asked = len(pod.requests) - asked
                assert asked <= 2 * (agent.series()["wsbalancer_rounds_total"] - made + 1), asked


def test_two_patterns_that_say_different_things_steer_nothing_and_are_said():
    with Pod() as pod:
        with HAProxy(pod.addresses, more=backend("web-a", pod.address)) as haproxy:
            backends = ["ws", {"name": "web-*", "metricPath": "/x"},
                        {"name": "*-a", "metricPath": "/y"}]
            with Agent(haproxy, config={"backends": backends}) as agent:
                assert "web-a" in agent.wait_log("two patterns of haproxy.backends")
                agent.wait_ready()
                assert haproxy.weights("web-a") == {"s1": 100}


def test_a_reload_of_the_configuration_asks_as_the_new_one_says():
    with RawPod(http('{"agentsConnections": 3, "other": 4}')) as pod:
        with HAProxy([pod.address]) as haproxy:
            with Agent(haproxy, config={"backends": ["ws"]}) as agent:
                agent.wait_ready()
                assert counts(agent) == {"ws": [3]}
                agent.config["haproxy"]["backends"] = [{"name": "ws", "metricKey": "other"}]
                agent.write()
                agent.signal(signal.SIGHUP)
                until(lambda: counts(agent) == {"ws": [4]}, "the other count")


@pytest.mark.parametrize("backends", [["ws"], ["w*"], []])
def test_a_frontend_with_a_backends_name_hides_nothing(backends):
    """HAProxy looks a name up among all proxies: the backend is asked for by its number."""
    twin = f"frontend ws\n\tbind 127.0.0.1:{free_port()}\n\tdefault_backend ws\n"
    with Pod(n=2) as pods:
        with HAProxy(pods.addresses, more=twin + backend("other", *pods.addresses)) as haproxy:
            with Agent(haproxy, config={"backends": backends}) as agent:
                agent.wait_ready()
                assert len(counts(agent)["ws"]) == 2
                agent.wait_rounds(3)
                haproxy.reload()
                agent.wait_log("HAProxy was reloaded")
                until(lambda: len(counts(agent).get("ws", [])) == 2, "the backend after a reload")
                assert not any("has not" in line or "does not exist" in line for line in agent.err)


def test_nobody_is_asked_whom_nobody_meant():
    """Empty backends: no mode tcp, not the agent itself; strangers once a minute; what cannot be asked is said."""
    with contextlib.ExitStack() as stack:
        tcp, vendor = (stack.enter_context(RawPod(answer)) for answer in (
            b"-ERR unknown command\r\n", http("no", "404 Not Found")))
        pods = stack.enter_context(Pod(n=2))
        agent_port = free_port()
        more = "".join((
            backend("redis", tcp.address).replace("\n", "\n\tmode tcp\n", 1),
            backend("vendor", vendor.address), backend("own", f"127.0.0.1:{agent_port}"),
            backend("odd", "unix@/tmp/no-such-socket", "127.0.0.1:-1000", "127.0.0.1")))
        haproxy = stack.enter_context(HAProxy(pods.addresses, more=more))
        agent = stack.enter_context(Agent(
            haproxy, config={"backends": []}, listen=f"127.0.0.1:{agent_port}", pollInterval="100ms",
            pollTimeout="90ms"))
        agent.http = f"127.0.0.1:{agent_port}"
        assert "backend=vendor" in agent.wait_log("no pod of this backend tells its connections")
        agent.wait_ready()
        assert "backends=redis" in agent.wait_log("mode tcp are left alone")
        assert agent.wait_log("it is on a Unix socket") and agent.wait_log("relative to the client's")
        vendor.wait_left_alone(agent)
        n = len(vendor.requests)
        agent.wait_rounds(9)
        assert len(vendor.requests) <= n + 1, (n, len(vendor.requests))
        assert not tcp.requests, tcp.requests
        shown = counts(agent)
        assert shown["ws"] == [0, 0] and "own" not in shown and "redis" not in shown, shown
        assert haproxy.weights("odd") == {"s1": 100, "s2": 100, "s3": 100}


def test_a_tcp_backend_that_is_named_is_steered():
    with RawPod(http('{"agentsConnections": 3}')) as one, RawPod(http('{"agentsConnections": 9}')) as two:
        more = backend("mqtt", one.address, two.address).replace("\n", "\n\tmode tcp\n", 1)
        with Pod() as pod, HAProxy(pod.addresses, more=more) as haproxy:
            with Agent(haproxy, config={"backends": ["mq*"]}) as agent:
                agent.wait_ready()
                until(lambda: haproxy.weights("mqtt")["s1"] > haproxy.weights("mqtt")["s2"], "weights")
                assert counts(agent) == {"mqtt": [3, 9]}


def test_a_socket_of_level_operator_is_not_ready_and_says_what_to_write():
    with Pod(n=2) as pods, HAProxy(pods.addresses, level="operator") as haproxy:
        with Agent(haproxy, config={"backends": ["ws"]}) as agent:
            agent.wait_log("HAProxy did not take a command")
            until(lambda: "level admin" in agent.get("/readyz")[1], "the words to write")
            assert agent.get("/readyz")[0] == 503


def test_the_master_socket_is_told_from_the_stats_socket():
    with Pod() as pod, HAProxy(pod.addresses) as haproxy:
        haproxy.socket = str(haproxy.dir / "master.sock")
        with Agent(haproxy, config={"backends": []}) as agent:
            assert agent.wait_log("master socket")


class Heard(Hostile):
    """A pod that keeps what it was asked with."""

    def __init__(self):
        self.heads = []

        def answer():
            return with_body(b'{"agentsConnections": 3}')

        super().__init__(answer, self.heads)


SECRET = {"Authorization": "Bearer s3cret"}


@pytest.mark.parametrize("named", [["ws"], ["w*"], ["ws", "*"]])
def test_headers_go_to_backends_that_are_named_and_to_no_others(named):
    stranger = Heard()
    with Heard() as ours, stranger, \
            HAProxy([ours.address], server="weight 100", more=f"""
backend vendor
\tbalance leastconn
\tserver api {stranger.address} weight 100
""") as haproxy, Agent(haproxy, config={"backends": named}, metricHeaders=SECRET) as agent:
        agent.wait_ready()
        until(lambda: len(ours.heads) > 3 and ("*" not in named or len(stranger.heads) > 3), "polls")
        assert all("Authorization: Bearer s3cret" in head for head in ours.heads)
        assert not any("Authorization" in head for head in stranger.heads)


def test_headers_go_to_backends_that_kubernetes_names():
    with Heard() as ours, Heard() as stranger, FakeApi() as api, \
            HAProxy([], servers={"slot": "127.0.0.1:1"}, server="weight 100 disabled", more=f"""
backend vendor
\tbalance leastconn
\tserver api {stranger.address} weight 100
""") as haproxy:
        api.set_slice("web-1", [endpoint("127.0.0.1", pod="web-0")],
                      ports=[{"name": "ws", "port": ours.port, "protocol": "TCP"}])
        with Agent(haproxy, config={"backends": []}, metricHeaders=SECRET,
                   kubernetes=[{"service": "web", "namespace": "default", "backend": "ws"}],
                   kubernetesAPI={"server": api.url}) as agent:
            until(lambda: len(ours.heads) > 3 and len(stranger.heads) > 3, "polls")
            assert all("Authorization: Bearer s3cret" in head for head in ours.heads)
            assert not any("Authorization" in head for head in stranger.heads)


def test_a_cookie_is_said_once():
    with Pod(n=2) as pods:
        sticky = "\tcookie SRV insert indirect nocache"
        with HAProxy(pods.addresses, backend=sticky, server="weight 100 cookie {name}") as haproxy:
            with Agent(haproxy, config={"backends": ["ws"]}) as agent:
                assert "backend=ws" in agent.wait_log("a cookie leads clients")
                agent.wait_ready()
                agent.wait_rounds(4)
                assert sum("a cookie leads clients" in line for line in agent.err) == 1


def test_a_series_without_a_sample_is_0_before_the_first_client_and_no_count_after_one():
    announced = "# HELP ws Open.\n# TYPE ws gauge\n"
    with RawPod(http(announced)) as pod, HAProxy([pod.address], server="weight 100") as haproxy:
        with Agent(haproxy, config={"backends": ["ws"]}, metricFormat="prometheus", metricKey="ws",
                   pollInterval="1s", pollTimeout="900ms") as agent:
            agent.wait_ready()
            until(lambda: counts(agent) == {"ws": [0]}, "no client yet")
            pod.answer = http(announced + "ws 5\n")
            until(lambda: counts(agent) == {"ws": [5]}, "five clients")
            pod.answer = http(announced)
            assert "result=no_sample" in agent.wait_log("pod cannot be polled")
            assert counts(agent) == {"ws": [5]}
