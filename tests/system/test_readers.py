# SPDX-License-Identifier: MIT
"""However many read the reports, they cost the agent a part of a core at most."""
import concurrent.futures
import time

import pytest

from balancer import Agent, HAProxy
from manypods import ManyPods
from program import until

N_PODS, READERS, SECONDS = 1000, 16, 6


def read_all(agent, paths, seconds=SECONDS):
    """{status: how often} of readers that ask all the time."""
    end = time.monotonic() + seconds

    def read(i):
        seen = {}
        while time.monotonic() < end:
            status = agent.get(paths(i), timeout=30)[0]
            seen[status] = seen.get(status, 0) + 1
            i += READERS
        return seen

    total = {}
    with concurrent.futures.ThreadPoolExecutor(READERS) as pool:
        for seen in pool.map(read, range(READERS)):
            for status, n in seen.items():
                total[status] = total.get(status, 0) + n
    return total


def measure(agent, paths):
    before = agent.series()
    began, cpu_s = time.monotonic(), agent.cpu_s()
    statuses = read_all(agent, paths)
    passed_s = time.monotonic() - began
    time.sleep(1.1)  # a second with room for the report that tells of it
    after = agent.series()
    return {
        "statuses": statuses,
        "rounds": (after["wsbalancer_rounds_total"] - before["wsbalancer_rounds_total"]) / passed_s,
        "lost": sum(after[name] - before[name] for name in after
                    if name.startswith("wsbalancer_polls_total") and '"ok"' not in name),
        "cpu": (agent.cpu_s() - cpu_s) / passed_s,
    }


@pytest.mark.alone
def test_many_readers_of_one_report_cost_what_one_costs():
    with ManyPods(N_PODS) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy, \
            Agent(haproxy, variant="release", pollInterval="1s", pollTimeout="900ms") as agent:
        agent.wait_ready()
        seen = measure(agent, lambda i: ("/balancer-metrics?format=json", "/metrics", "/balancer-metrics")[i % 3])
        assert set(seen["statuses"]) == {200} and seen["statuses"][200] > 100, seen
        # What the agent spends is its own doing; how many rounds that leaves, the machine's as well.
        assert seen["cpu"] < 0.6, seen


@pytest.mark.alone
def test_readers_who_ask_for_ever_different_reports_get_half_of_the_time():
    with ManyPods(N_PODS) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy, \
            Agent(haproxy, variant="release", pollInterval="1s", pollTimeout="900ms") as agent:
        agent.wait_ready()
        seen = measure(agent, lambda i: f"/balancer-metrics?format=json&refreshInterval={i % 3600}")
        assert set(seen["statuses"]) <= {200, 503}, seen
        # What the agent spends is its own doing; how many rounds that leaves, the machine's as well.
        assert seen["cpu"] < 0.6, seen


def test_a_report_is_of_this_moment_where_it_is_small():
    with ManyPods(3) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy, \
            Agent(haproxy, variant="release", pollInterval="100ms", pollTimeout="100ms") as agent:
        agent.wait_ready()
        for n in range(5):
            pods.answers[0] = {"agentsConnections": 500 + n}
            began = time.monotonic()
            until(lambda: agent.json()["podMetrics"]["ws"][0]["reported"] == 500 + n, "the count", 3)
            assert time.monotonic() - began < 0.5


def test_what_is_asked_for_is_what_is_answered():
    with ManyPods(300) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy, \
            Agent(haproxy) as agent:
        agent.wait_ready()
        until(lambda: agent.get("/balancer-metrics?format=json")[1].count('"podName":"pod-') == 300, "all to be heard")
        for _ in range(3):
            whole = agent.get("/balancer-metrics?format=json")[1]
            one = agent.get("/balancer-metrics?format=json&pod=pod-7")[1]
            none = agent.get("/balancer-metrics?format=json&service=x&pod=")[1]
            assert whole.count('"podName"') == 300 and one.count('"podName"') == 1
            assert none.count('"podName"') == 0
            assert agent.get("/metrics")[1].startswith("# HELP")
            assert agent.get("/metrics", accept="application/openmetrics-text")[1].rstrip().endswith("# EOF")
            assert agent.get("/balancer-metrics", accept="text/html")[1].startswith("<!")
