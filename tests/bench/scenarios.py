# SPDX-License-Identifier: MIT
"""What happens in each scenario of the field benchmark."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Event:
    at_s: float
    do: str             # a method of Stage
    args: tuple = ()
    label: str = ""     # what the figure says of it


@dataclasses.dataclass(frozen=True)
class Scenario:
    key: str
    name: str
    length_s: float
    events: tuple
    settle_from_s: float = 0  # settling is counted from here
    late_pods: int = 0
    storms: tuple = ()        # (second, part of the clients)
    labels: tuple = ()        # (second, text) for what no event does


def rolling_restart(pods, every_s, down_s):
    for i in range(pods):
        yield Event(i * every_s, "stop_pod", (i,), f"{pods} pods restart, one by one" if i == 0 else "")
        yield Event(i * every_s + down_s, "start_pod", (i,))


def all_scenarios(size, quick):
    """In the order of the report. Second 0 is when everybody stands."""
    def seconds(full, short):
        return short if quick else full

    every_s, down_s = 3.0, 1.5
    return [
        Scenario("scale-out", "scale-out, then reload", seconds(36, 14), (
            Event(0, "start_pod", (size.pods,), "2 pods join"),
            Event(0, "start_pod", (size.pods + 1,)),
            Event(1, "reload", (), "both HAProxies reload")), settle_from_s=1, late_pods=2),
        Scenario("direct", "direct connections to 3 pods", seconds(40, 14), (
            Event(0, "connect_directly", (3, 0.6),
                  "3 pods get direct connections too"),)),
        Scenario("rolling", "rolling restart", size.pods * every_s + seconds(8, 4), tuple(
            rolling_restart(size.pods, every_s, down_s)),
            settle_from_s=(size.pods - 1) * every_s + down_s),
        Scenario("crash", "crash and return", seconds(26, 14), (
            Event(0, "kill_pod", (0,), "a pod crashes"),
            Event(seconds(8, 4), "start_pod", (0,), "it is back")), settle_from_s=seconds(8, 4)),
        Scenario("storm", "storm", seconds(16, 8), (), storms=((0, 0.5),),
                 labels=((0, "half of the clients reconnect within a second"),)),
    ]
