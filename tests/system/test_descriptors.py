# SPDX-License-Identifier: MIT
"""The agent goes on with few descriptors: it steers, answers, and puts the weights back."""
import resource
import signal

from balancer import Agent, HAProxy
from field import Pod
from manypods import ManyPods
from program import until


def test_the_soft_limit_is_raised_as_far_as_it_may_be():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1] // 2, before[1]))
    try:
        with Pod() as pods, HAProxy(pods.addresses) as haproxy, Agent(haproxy) as agent:
            agent.wait_ready()
            assert agent.series()["process_max_fds"] == before[1]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_with_few_descriptors_all_pods_are_asked_and_all_else_works():
    n, limit = 600, 300
    with ManyPods(n) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy, \
            Agent(haproxy, pollInterval="1s", pollTimeout="1s") as agent:
        agent.wait_http("/healthz")
        resource.prlimit(agent.pid, resource.RLIMIT_NOFILE, (limit, limit))
        agent.signal(signal.SIGHUP)
        agent.wait_log("configuration read again")
        assert "not_kept=" in agent.wait_log("too few descriptors to keep a connection to every pod")
        agent.wait_ready()
        since = agent.series()
        seen = list(pods.polls)
        until(lambda: all(now >= then + 3 for now, then in zip(pods.polls, seen)), "all to be asked")
        series = agent.series()
        assert series["process_open_fds"] < limit
        assert series["wsbalancer_rounds_total"] > since["wsbalancer_rounds_total"]
        polls = 'wsbalancer_polls_total{result="%s"}'
        assert series[polls % "connect_failed"] == since[polls % "connect_failed"]
        assert series[polls % "timed_out"] == since[polls % "timed_out"]
        until(lambda: any(w != 100 for w in haproxy.weights().values()), "weights")
        agent.stop()
        assert all(w == 100 for w in haproxy.weights().values())
