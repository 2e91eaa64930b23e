# SPDX-License-Identifier: MIT
"""What HAProxy makes of a percentage, for every configured weight: agent/core/answer.c reckons with
it, and agent-check and the Runtime API share the code."""
import re

from balancer import HAProxy

PERCENTAGES = [*range(0, 103), 150, 199, 200, 255, 256, 257, 1000, 12799, 12800, 12801, 25599, 25600]


def test_a_percentage_is_of_the_configured_weight_truncated_and_at_most_256():
    servers = {f"s{weight}": f"127.0.0.1:1 weight {weight}" for weight in range(1, 257)}
    with HAProxy([], servers=servers, server="") as haproxy:
        for percent in PERCENTAGES:
            got = {}
            for first in range(1, 257, 64):
                names = [f"ws/s{weight}" for weight in range(first, first + 64)]
                reply = haproxy.cli(";".join(
                    f"set server {name} weight {percent}%;get weight {name}" for name in names))
                got |= {int(initial): int(weight) for weight, initial in
                        re.findall(r"^(\d+) \(initial (\d+)\)$", reply, re.M)}
            assert got == {weight: min(256, weight * percent // 100) for weight in range(1, 257)}
