# SPDX-License-Identifier: MIT
"""Pods whose word is none, that are loud, or that several servers lead to: no worse than leastconn."""
import contextlib

import pytest

from balancer import Agent, HAProxy
from field import Load, Pod
from ports import free_port
from program import until


@contextlib.contextmanager
def standing(url, n, **options):
    with Load(url, connections=n, rate=400, message_interval=60, **options) as load:
        load.wait_standing()
        yield load


@pytest.mark.parametrize("options", [
    ("--no-metric",), ("--metric-body", "no JSON"), ("--lie", "3")], ids=["silent", "broken", "liar"])
def test_a_pod_of_which_nothing_is_known_gets_what_the_others_get_after_a_reload(options):
    with Pod(n=3) as pods, Pod(*options) as odd, \
            HAProxy([*pods.addresses, odd.address]) as haproxy, Agent(haproxy) as agent:
        haproxy.wait_up()
        agent.wait_ready()
        with standing(haproxy.url, 200):
            agent.wait_rounds()
            haproxy.reload()
            agent.wait_rounds()
            before = odd.truth()
            with Load(haproxy.url, connections=80, rate=80, message_interval=60) as more:
                more.wait_standing()
                counts = [*pods.truths(), odd.truth()]
    # leastconn would give each of them 20.
    assert sum(counts) == 280, counts
    assert counts[3] - before <= 32, (before, counts)
    assert max(counts) <= 1.2 * sum(counts) / 4, counts


def test_a_loud_pod_takes_only_itself_out():
    with Pod(n=3) as pods, Pod("--lie", "2147483647") as loud, \
            HAProxy([*pods.addresses, loud.address]) as haproxy, \
            Load(pods.urls[0], connections=60, rate=2000, message_interval=60) as direct:
        haproxy.wait_up()
        direct.wait_standing()
        with Agent(haproxy) as agent:
            agent.wait_ready()
            agent.wait_rounds()
            with Load(haproxy.url, connections=100, rate=100, message_interval=60) as load:
                load.wait_standing()
                counts = pods.truths()
    # An even spread would give the first 25 more, leastconn 33.
    assert counts[0] <= 60 + 12, counts
    assert abs(counts[1] - counts[2]) <= 10, counts


def test_pods_that_count_now_and_then_are_not_filled_anew_with_each_answer():
    """Lives of 3 s, counts of every 2.5: what HAProxy has seen since is added to them."""
    with contextlib.ExitStack() as stack:
        pods = stack.enter_context(Pod("--metric-every", "2500", n=4))
        for _ in range(2):
            haproxy = stack.enter_context(HAProxy(pods.addresses))
            haproxy.wait_up()
            agent = stack.enter_context(Agent(haproxy, config={"replicas": 2}))
            agent.wait_ready()
            stack.enter_context(standing(haproxy.url, 120, lifetime=3))
        agent.wait_rounds(15)  # of 0.2 s: one generation of connections
        largest = []

        def sampled():
            largest.append(max(pods.truth(i) for i in range(4)))
            return len(largest) == 40

        until(sampled, "samples", pause_s=0.15)
    # leastconn alone gives each of them 60.
    assert sum(largest) / len(largest) <= 69, largest


@pytest.mark.parametrize("shape", ["lines", "backends"])
def test_what_a_pod_lacks_is_divided_among_all_that_lead_to_it(shape):
    lines = 4 if shape == "lines" else 1
    with Pod(n=4) as pods:
        servers = {f"s{i}-{line}": address for line in range(lines)
                   for i, address in enumerate(pods.addresses)}
        further = "".join(f"\tserver {name} {address} check inter 200ms weight 100\n"
                          for name, address in servers.items())
        more = "" if shape == "lines" else f"backend other\n\tbalance leastconn\n{further}"
        frontend = "" if shape == "lines" else "\tuse_backend other if { rand(2) 0 }\n"
        with HAProxy([], servers=servers, more=more) as haproxy:
            if frontend:
                text = haproxy.file.read_text()
                haproxy.file.write_text(
                    text.replace("\tdefault_backend ws\n", f"{frontend}\tdefault_backend ws\n"))
                haproxy.reload()
            haproxy.wait_up()
            backends = ["ws"] if shape == "lines" else ["ws", "other"]
            newest = [f"{b}/s3-{line}" for b in backends for line in range(lines)]
            for server in newest:
                haproxy.cli(f"set server {server} state maint")
            with Agent(haproxy, config={"backends": backends}) as agent:
                agent.wait_ready()
                with standing(haproxy.url, 240):
                    agent.wait_rounds()
                    haproxy.reload()
                    for server in newest:
                        haproxy.cli(f"set server {server} state ready")
                    haproxy.wait_up()
                    agent.wait_rounds()
                    # The new pod lacks 80; of 160 it is due 20 more.
                    with Load(haproxy.url, connections=160, rate=80, message_interval=60) as load:
                        load.wait_standing()
                        counts = pods.truths()
    assert sum(counts) == 400, counts
    assert max(counts) <= 1.12 * 100, counts


@pytest.mark.parametrize("shares, keys", [(3, {}), (1.6, {"maxShare": 0.2})], ids=["default", "maxShare"])
def test_with_agent_check_alone_a_pod_takes_no_more_than_its_shares_whatever_it_says(shares, keys):
    check = free_port()
    line = (f"weight 100 check inter 200ms agent-check agent-addr 127.0.0.1 agent-port {check} "
            'agent-inter 200ms agent-send "ws/{name}\\n"')
    with Pod(n=7) as pods, Pod("--lie", "0") as odd:
        addresses = [*pods.addresses, odd.address]
        servers = [{"name": f"s{i + 1}", "address": address} for i, address in enumerate(addresses)]
        with HAProxy(addresses, balance="roundrobin", server=line) as haproxy, \
                Agent(None, services=[{"name": "ws", "servers": servers}],
                      agentCheck={"listen": f"127.0.0.1:{check}"}, **keys) as agent:
            haproxy.wait_up()
            agent.wait_ready()
            with standing(haproxy.url, 160):
                until(lambda: haproxy.weights()["s8"] > haproxy.weights()["s1"], "it to be believed")
                before = odd.truth()
                with Load(haproxy.url, connections=160, rate=80, message_interval=60) as more:
                    more.wait_standing()
                    taken = odd.truth() - before
    # It is believed, or there would be nothing to bound. Each agent-check fetches its own weight, so for a
    # moment old and new ones stand side by side.
    assert 160 / 8 < taken <= (shares / 8 + 0.05) * 160, taken
