# SPDX-License-Identifier: MIT
"""What a round plans with was heard shortly before it."""
import json
import statistics

import pytest

from balancer import Agent, HAProxy
from field import Pod
from program import until


@pytest.mark.parametrize("interval_ms", [300, 1000])
def test_counts_are_young_when_they_are_planned_with(tmp_path, interval_ms):
    record = tmp_path / "record"

    def ages():
        lines = record.read_text().split("\n")[:-1] if record.exists() else []
        found = []
        for line in map(json.loads, lines[3:]):
            column = line["columns"].index("count_age_ms")
            found += [row[column] for backend in line["backends"] for row in backend["servers"]]
        return found

    with Pod(n=3) as pods, HAProxy(pods.addresses) as haproxy:
        haproxy.wait_up()
        with Agent(haproxy, pollInterval=f"{interval_ms}ms", record=str(record)):
            until(lambda: len(ages()) >= 12, "rounds")
    # A tenth of a second, or half the interval, and the time to answer.
    assert statistics.median(ages()) < min(250, 0.7 * interval_ms)
