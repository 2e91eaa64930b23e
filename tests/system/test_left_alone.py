# SPDX-License-Identifier: MIT
"""Servers that nobody can ask: never a stranger's port, never the agent itself, and each is shown with its reason."""
import contextlib
import socket
import subprocess

import pytest

from balancer import Agent, HAProxy
from field import Load, Pod
from ports import free_port
from program import binary, until
from test_check import check, has
from test_dns import Dns
from test_metric_bodies import RawPod, http
from test_reach import backend

STRANGER = http('{"agentsConnections": 1}')


def not_asked(agent):
    """{backend/server: reason} of the report."""
    return {f"{b['name']}/{s['server']}": s["why"] for b in agent.json()["backends"] for s in b["not_asked"]}


REASONS = {"odd/s1": "it is on a Unix socket", "odd/s2": "its port is missing or relative to the client's: "
           "set metricPort for it", "odd/s4": "its address is whatever the client has asked for"}
REASONS |= {"odd/s3": REASONS["odd/s2"], "odd/s5": REASONS["odd/s4"]}


def test_what_cannot_be_asked_is_left_alone_and_shown(tmp_path):
    """Unix sockets, ports relative to the client's, none at all, the address that the client asked for."""
    with RawPod(STRANGER) as stranger, Pod() as pod:
        port = int(stranger.address.rpartition(":")[2])
        odd = backend("odd", f"unix@{tmp_path}/none", "127.0.0.1:-1000", "127.0.0.1", f"0.0.0.0:{port}", f"[::]:{port}")
        with HAProxy(pod.addresses, more=odd) as haproxy, \
                Agent(haproxy, config={"backends": ["ws", "odd"]}) as agent:
            agent.wait_ready()
            assert not_asked(agent) == REASONS
            agent.wait_rounds(5)
            assert stranger.requests == []
            series = agent.series()
            assert series['wsbalancer_server_not_asked{proxy="odd",server="s1",reason="unix_socket"}'] == 1
            assert series['wsbalancer_server_not_asked{proxy="odd",server="s4",reason="any_address"}'] == 1
            for name, reason in REASONS.items():
                until(lambda n=name, r=reason: any("cannot be asked" in line and n in line and r in line
                                                   for line in list(agent.err)), f"a word of {name}")
            shown = subprocess.run([binary("wsbalancer"), "status", agent.http], capture_output=True, text=True)
            page = agent.get("/balancer-metrics?format=html")[1]
            for name, reason in REASONS.items():
                assert f"  {name}  {reason}\n" in shown.stdout
            assert "5 servers cannot be asked\n" in shown.stdout
            # The page has a line for some of them, and their number.
            assert "5 servers cannot be asked" in page and '<span class="name">odd/s1</span><span>it is on a' in page
            assert haproxy.weights("odd") == dict.fromkeys(haproxy.weights("odd"), 100)
            # With metricPort their own ports do not matter.
            agent.stop()
        with HAProxy(pod.addresses, more=backend("odd", "127.0.0.1:-1000", "127.0.0.1", "127.0.0.1:+1000")) as haproxy, \
                Agent(haproxy, config={"backends": ["ws", {"name": "odd", "metricPort": port}]}) as agent:
            agent.wait_ready()
            assert not_asked(agent) == {}
            until(lambda: stranger.requests, "the port that was named")


def test_a_port_above_the_clients_looks_like_another():
    """HAProxy tells "+1000" as 1000. Where another server answers there, it is asked three times and then once a
    minute, unless its backend was named; where HAProxy checks that port, it is real, and nothing is said of it."""
    with RawPod(http("no", "404 Not Found")) as stranger, Pod() as pod:
        port = int(stranger.address.rpartition(":")[2])
        more = backend("plus", f"127.0.0.1:+{port}") + backend("real", stranger.address, more="check inter 10s")
        with HAProxy(pod.addresses, more=backend("plus", f"127.0.0.1:+{port}")) as haproxy, \
                Agent(haproxy, config={"backends": []}) as agent:
            agent.wait_ready()
            assert "backend=plus" in agent.wait_log("no pod of this backend tells its connections")
            stranger.wait_left_alone(agent)
            asked = len(stranger.requests)
            assert asked <= 4
            agent.wait_rounds(10)
            # The minute in which one pod is asked has just begun.
            assert len(stranger.requests) <= asked + 1
            agent.stop()
            with Agent(haproxy, config={"backends": ["ws", "plus"]}) as agent:
                agent.wait_ready()
                assert "plus/s1" in agent.wait_log("may be relative to the client's")
                asked = len(stranger.requests)
                until(lambda: len(stranger.requests) > asked + 8, "a backend that is named to be asked on")
                status, lines, _ = check(agent.dir, {"haproxy": {"socket": haproxy.socket, "backends": ["plus"]}})
                assert status == 1
                assert has(lines["fault"], "plus/s1", "404", "relative to the client's? Then set metricPort")
        with HAProxy(pod.addresses, more=more) as haproxy, \
                Agent(haproxy, config={"backends": ["ws", "real"]}) as agent:
            agent.wait_ready()
            asked = len(stranger.requests)
            until(lambda: len(stranger.requests) > asked + 8, "a port that is sure to be asked on")
            assert not any("may be relative" in line for line in agent.err)


def test_ipv6_and_names_with_dots_and_colons_are_asked():
    with Pod(host="[::1]") as six, Pod() as four:
        more = f"backend we.b:x_1\n\tbalance leastconn\n\tserver a.b:c {six.address}\n\tserver a-b_c {four.address}\n"
        with HAProxy(four.addresses, more=more) as haproxy, \
                Agent(haproxy, config={"backends": ["we.b:x_1"]}) as agent:
            agent.wait_ready()
            pods = [pod for pods in agent.json()["podMetrics"].values() for pod in pods]
            assert [(pod["server"], pod["address"], pod["known"]) for pod in pods] == [
                ("a.b:c", six.address, True), ("a-b_c", four.address, True)]


def test_the_agent_does_not_ask_itself_at_any_address_of_this_host():
    subprocess.run(["ip", "address", "add", "192.0.2.7/32", "dev", "lo"], check=False)
    try:
        socket.create_server(("192.0.2.7", 0)).close()
    except OSError:
        pytest.skip("no address can be added here: needs a network namespace")
    port = free_port()
    with Pod() as pod:
        own = backend("own", f"192.0.2.7:{port}", f"127.0.0.1:{port}", f"[::1]:{port}", f"[::ffff:192.0.2.7]:{port}",
                      f"192.0.2.8:{port}", pod.address)
        with HAProxy(pod.addresses, more=own) as haproxy, \
                Agent(haproxy, config={"backends": ["ws", "own"]}, listen=f"*:{port}") as agent:
            agent.http = f"127.0.0.1:{port}"
            agent.wait_http("/healthz")
            until(lambda: len(not_asked(agent)) == 4, "HAProxy to be read")
            assert not_asked(agent) == {f"own/s{i}": "its address is the agent's own" for i in (1, 2, 3, 4)}
            # 192.0.2.8 is another host's, though its port is the same.
            shown = {p["server"] for p in sum(agent.json()["podMetrics"].values(), []) if p["proxy"] == "own"}
            assert shown == {"s5", "s6"}


class SrvDns(Dns):
    """Answers SRV with a record for each (name, port, weight) of .targets, and A with 127.0.0.1."""

    def __init__(self):
        self.targets = []
        super().__init__()
        self.addresses = ["127.0.0.1"]

    def records(self, kind):
        if kind != 33:
            return super().records(kind)
        found = []
        for name, port, weight in self.targets:
            data = b"".join(n.to_bytes(2, "big") for n in (0, weight, port))
            data += bytes([len(name)]) + name.encode() + b"\4test\0"
            found.append(b"\xc0\x0c\0\x21\0\1\0\0\0\1" + len(data).to_bytes(2, "big") + data)
        return found


def srv_backend(dns, options=""):
    resolvers = (f"resolvers dns\n\tnameserver one 127.0.0.1:{dns.port}\n\taccepted_payload_size 8192\n"
                 "\ttimeout resolve 200ms\n\ttimeout retry 200ms\n\thold valid 200ms\n")
    return (f"\tserver-template pod 4 _ws._tcp.web.test weight 100 resolvers dns init-addr none "
            f"resolve-prefer ipv4 {options}"), resolvers


def test_weights_of_srv_records_that_fight_the_agents_are_said_and_free_slots_are_seen():
    with SrvDns() as dns, Pod(n=2) as pod:
        dns.targets = [("a", pod.ports[0], 25600), ("b", pod.ports[1], 25600)]
        line, resolvers = srv_backend(dns)
        with HAProxy([], backend=line, more=resolvers) as haproxy, Agent(haproxy) as agent:
            assert "ignore-weight" in agent.wait_log("weights do not stay on a server found by SRV records")
            assert not any("found by DNS is in use" in line for line in agent.err)
            _, lines, _ = check(agent.dir, {"haproxy": {"socket": haproxy.socket, "backends": ["ws"]}})
            assert has(lines["ok"], "found by SRV records", "ignore-weight")
        line, resolvers = srv_backend(dns, "resolve-opts ignore-weight")
        with HAProxy([], backend=line, more=resolvers) as haproxy, Agent(haproxy) as agent:
            agent.wait_http("/healthz")
            until(lambda: agent.json()["totals"]["pods_known"] == 2, "both pods")
            until(lambda: {w for n, w in haproxy.weights().items() if n in ("pod1", "pod2")} not in ({100}, set()),
                  "the agent's weights")
            agent.wait_rounds(10)
            assert not any("SRV records" in line for line in agent.err)


def test_what_keeps_connections_away_is_checked():
    """maxconn, slowstart, the same pods in several backends, and the clock."""
    with Pod(n=2) as pod, contextlib.ExitStack() as stack:
        more = backend("again", *pod.addresses)
        haproxy = stack.enter_context(HAProxy(
            pod.addresses, server="weight 100 maxconn 10 slowstart 1h check inter 100ms rise 1 fall 1", more=more))
        load = stack.enter_context(Load(haproxy.url, connections=18))
        load.wait_standing()
        config = {"haproxy": {"socket": haproxy.socket, "backends": ["ws", "again"]}}
        _, lines, _ = check(haproxy.dir, config)
        assert has(lines["ok"], "backend ws: maxconn 10")
        assert has(lines["warning"], "ws/s1: holds 9 of maxconn 10", "raise maxconn")
        assert has(lines["ok"], "backend ws: 2 of its servers lead to pods that other servers lead to")
        assert has(lines["ok"], "the clock agrees") and not has(lines["warning"], "slowstart")
        # It is seen while it works: after a server came up.
        haproxy.cli("set server ws/s2 health down")
        until(lambda: haproxy.stat()["s2"]["status"].startswith("DOWN"), "s2 to be down")
        until(lambda: haproxy.stat()["s2"]["throttle"], "s2 to be up and slow")
        _, lines, _ = check(haproxy.dir, config)
        assert has(lines["warning"], "ws/s2: slowstart", "ramp")
        load.stop()


def test_replicas_that_do_not_fit_are_said_once():
    with Pod(n=2) as pod, HAProxy(pod.addresses, server="check inter 200ms weight 100") as haproxy:
        with Load(haproxy.url, connections=80) as load, \
                Agent(haproxy, pollInterval="100ms", pollTimeout="80ms", config={"replicas": 3}) as agent:
            load.wait_standing()
            line = agent.wait_log("is haproxy.replicas right?")
            assert "replicas=3" in line and "times=1.0" in line
            agent.wait_rounds(5)
            assert sum("haproxy.replicas right" in line for line in agent.err) == 1
            load.stop()
