# SPDX-License-Identifier: MIT
"""pollInterval: auto, as pods and HAProxy see it."""
import time

from balancer import Agent, HAProxy
from field import Load, Pod, until

AUTO = {"pollInterval": "auto", "pollTimeout": "auto"}


def polls_per_pod(agent, n_pods, seconds):
    """How often a pod is asked in a second."""
    def asked():
        return sum(value for name, value in agent.series().items()
                   if name.startswith("wsbalancer_polls_total"))

    before, began = asked(), time.monotonic()
    time.sleep(seconds)  # this is what is measured
    return (asked() - before) / n_pods / (time.monotonic() - began)


def test_few_pods_are_asked_four_times_a_second():
    with Pod(n=3) as pods, HAProxy(pods.addresses) as haproxy:
        haproxy.wait_up()
        with Agent(haproxy, **AUTO) as agent:
            agent.wait_ready()
            until(lambda: agent.json()["agent"]["poll_interval_s"] == 0.25, "the fast interval")
            assert agent.json()["agent"]["poll_interval_auto"] is True
            assert agent.series()["wsbalancer_poll_interval_seconds"] == 0.25
            assert 3 < polls_per_pod(agent, 3, 3) < 5
            agent.wait_log("has chosen how often pods are asked")


def test_many_are_asked_once_a_second_and_faster_while_one_fills():
    # 4 times 4 pods times 100 instances is over 1,000 a second.
    with Pod(n=3) as pods, Pod() as late, HAProxy([*pods.addresses, late.address]) as haproxy:
        haproxy.wait_up()
        haproxy.cli("set server ws/s4 state maint")
        with Agent(haproxy, config={"replicas": 100}, **AUTO) as agent, \
                Load(haproxy.url, connections=240, rate=200, message_interval=0) as load:
            agent.wait_ready()
            load.wait_standing()
            until(lambda: agent.json()["agentsConnections"] == 240, "all to be known")
            # Only a plan with these counts can tell that no rush is left of the filling.
            agent.wait_rounds(2)
            until(lambda: agent.json()["agent"]["poll_interval_s"] == 1, "the calm interval")
            assert 0.7 < polls_per_pod(agent, 4, 3) < 1.3
            haproxy.cli("set server ws/s4 state ready")
            until(lambda: agent.json()["agent"]["poll_interval_s"] == 0.25, "a rush")
            assert 3 < polls_per_pod(agent, 4, 2) < 5
            # Nothing fills it: the clients stay where they are. It drains, and all is calm again.
            haproxy.cli("set server ws/s4 state drain")
            until(lambda: agent.json()["agent"]["poll_interval_s"] == 1, "the calm interval again")


def test_a_pod_that_needs_longer_than_the_interval_is_heard_all_the_same():
    with Pod("--metric-delay", "350") as slow, Pod() as quick, \
            HAProxy([slow.address, quick.address]) as haproxy:
        haproxy.wait_up()
        with Agent(haproxy, **AUTO) as agent:
            agent.wait_ready()
            time.sleep(3)  # enough for a count to be called stale, if it were
            pods = agent.json()["podMetrics"]["ws"]
            assert [pod["state"] for pod in pods] == ["heard", "heard"], pods
            failed = {name: n for name, n in agent.series().items()
                      if name.startswith("wsbalancer_polls_total") and n and '"ok"' not in name}
            assert failed == {}
