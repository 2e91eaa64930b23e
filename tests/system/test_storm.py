# SPDX-License-Identifier: MIT
"""Storms that come while the pods are asked: they are asked again before anything is planned."""
import json

from balancer import Agent, HAProxy
from field import Load, Pod

CLIENTS, PODS = 400, 4

# Pods are asked within 100 ms of each interval of 400. Storms come every 1,250 ms: each falls 50 ms
# later in an interval than the one before, so of eight at least one comes while pods are asked.
INTERVAL_MS = 400
STORMS, FIRST_S, APART_S = 8, 3.0, 1.25

# From a round that is put off to the one in its place.
AGAIN_MS = 150


def test_counts_of_before_and_after_a_storm_are_not_planned_with(tmp_path):
    record = tmp_path / "record"
    storms = [f"{FIRST_S + i * APART_S}:0.5" for i in range(STORMS)]
    with Pod(n=PODS) as pods, HAProxy(pods.addresses) as haproxy, HAProxy(pods.addresses) as other:
        haproxy.wait_up(PODS)
        other.wait_up(PODS)
        with Load(haproxy.url, other.url, connections=CLIENTS, rate=400, message_interval=60,
                  storm=storms, duration=FIRST_S + STORMS * APART_S) as load:
            load.wait_standing()
            with Agent(haproxy, config={"replicas": 2}, pollInterval=f"{INTERVAL_MS}ms",
                       pollTimeout="300ms", record=str(record)) as agent:
                agent.wait_ready()
                report = load.report()
                # The end of the run, when all clients leave, may be a storm too.
                agent.wait_rounds(3)
                put_off = agent.series()["wsbalancer_rounds_put_off_total"]
    # Some of the last storm were still on their way back.
    assert report["opened"] > CLIENTS + (STORMS - 1) * CLIENTS * 0.4
    assert (report["failed"], report["dropped"], report["wrong"], report["lost"]) == (0, 0, 0, 0)

    assert 1 <= put_off <= STORMS + 1
    said = [line for line in agent.err if "many connections closed while pods were asked" in line]
    assert len(said) == put_off

    # What was put off was not planned, and was made good soon.
    times = [json.loads(line)["now_ms"] for line in record.read_text().splitlines()]
    gaps = [after - before for before, after in zip(times, times[1:])]
    assert sum(gap > INTERVAL_MS + AGAIN_MS / 2 for gap in gaps) >= put_off, gaps
    assert max(gaps) < 2 * INTERVAL_MS, gaps
