# SPDX-License-Identifier: MIT
"""What the agent is for: pods join, HAProxy reloads, and the pods are level again.

The same clients come and go in both runs; only the agents are there or not. Pods and clients are
release builds: they are the measure, not what is measured.
"""
import contextlib
import math
import time

import pytest

from balancer import Agent, HAProxy
from field import Load, Pod
from ports import free_port
from program import until
from truth import Watch, over

pytestmark = pytest.mark.alone

PODS, LATE_PODS, CLIENTS = 8, 2, 2000

# Only connections that end can lower a full pod. Of the 250 that a pod holds 50 must go while all
# new ones come to the late pods: LIFE_S * ln(250 / 200) at best, 12 s, whoever balances. The other
# 8 s are for noticing, and for the pod whose clients happen to stay longest. Leastconn alone gives
# a late pod a tenth of what comes, so the 25 % fade as exp(-t / LIFE_S): 17 % are left after 20 s.
LIFE_S = 55
LEVEL_S, STAYS_S = 20, 8
assert LIFE_S * math.log((PODS + LATE_PODS) / PODS) < 0.7 * LEVEL_S

# Six connections of 200. With a round a second chance alone comes near that at times, for between two
# rounds nobody sees which clients of the workers before the reload leave; so the agents here do four.
LEVEL = 0.03
NOT_LEVEL = 0.08


def standing(watch):
    return sum(answer["agentsConnections"] for answer in watch.answers.values())


def scale_out_and_reload(stack, n_agents):
    """(seconds since the reload, imbalance), from LEVEL_S on."""
    early = stack.enter_context(Pod(n=PODS, variant="release"))
    late = [f"127.0.0.1:{free_port()}" for _ in range(LATE_PODS)]
    addresses = early.addresses + late
    # HAProxy knows all ten from the beginning, and its health checks that two are not there yet.
    haproxies = [stack.enter_context(HAProxy(addresses, hard_stop="5m")) for _ in range(2)]
    for haproxy in haproxies:
        haproxy.wait_up(PODS)
    for haproxy in haproxies[:n_agents]:
        agent = stack.enter_context(Agent(haproxy, config={"replicas": 2}, pollInterval="250ms",
                                          pollTimeout="250ms"))
        agent.wait_ready()
    load = stack.enter_context(Load(
        *[haproxy.url for haproxy in haproxies], connections=CLIENTS, rate=500, lifetime=LIFE_S,
        message_interval=5, variant="release"))
    watch = stack.enter_context(Watch(addresses))
    # With so much coming and going there is always one on its way.
    until(lambda: standing(watch) > 0.99 * CLIENTS, "the clients to stand")
    until(lambda: watch.samples[-1][1] < LEVEL, "the eight to be level")

    stack.enter_context(Pod(listen=late, variant="release"))
    for haproxy in haproxies:
        haproxy.wait_up(PODS + LATE_PODS)
    for haproxy in haproxies:
        haproxy.reload()
    reloaded_s = watch.age_s()
    time.sleep(LEVEL_S + STAYS_S)  # the claim is about these seconds
    samples = over(watch.samples, reloaded_s + LEVEL_S)
    assert len(watch.answers) == PODS + LATE_PODS
    assert standing(watch) > 0.98 * CLIENTS, standing(watch)

    report = load.stop()
    assert report["dropped"] == report["wrong"] == report["lost"] == 0, report
    return samples


def percents(samples):
    return [f"{at_s:.2f}: {100 * value:.1f}" for at_s, value in samples]


def test_with_agents_pods_that_join_at_a_reload_are_level_within_20_s_and_stay_so():
    with contextlib.ExitStack() as stack:
        samples = scale_out_and_reload(stack, n_agents=2)
    assert len(samples) > 2 * STAYS_S
    assert max(value for _, value in samples) < LEVEL, percents(samples)


def test_with_leastconn_alone_they_are_not():
    with contextlib.ExitStack() as stack:
        samples = scale_out_and_reload(stack, n_agents=0)
    assert len(samples) > 2 * STAYS_S
    assert min(value for _, value in samples) > NOT_LEVEL, percents(samples)
